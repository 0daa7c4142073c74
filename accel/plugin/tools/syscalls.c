/* SPDX-License-Identifier: MIT */
/*
 * System calls of 64-bit Linux: a line when one returns. Arguments: out=FILE (else the log);
 * chrome=FILE: as JSON for Perfetto and chrome://tracing, a track for each thread (told apart by
 * CR3 and FS base), with interrupts and halts of CPUs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <mimus-plugin.h>

#include "accel/plugin/tools/table.h"

MIMUS_PLUGIN;

typedef struct Call {
    bool open;
    uint64_t number, pc, arg[6];
    int64_t began_ns;
} Call;

static const char *out_name, *chrome_name;
static FILE *out, *chrome;
static const char *separator = "";
static Table calls = { .value_size = sizeof(Call) };
static int64_t halted_ns[256];
static int reg_rax, reg_fs, reg_arg[6];

static uint64_t thread_of(MimusPlugin *p, unsigned cpu)
{
    return (mimus_space(p, cpu) << 16 ^ mimus_register_value(p, reg_fs)) | 1;
}

static double us(int64_t ns)
{
    return (double)ns / 1000;
}

static void span(const char *name, uint64_t number, uint64_t pid, uint64_t tid, int64_t from,
                 int64_t to)
{
    if (!chrome)
        return;
    fprintf(chrome,
            "%s\n{\"name\":\"%s %" PRIu64
            "\",\"ph\":\"X\",\"ts\":%.3f,\"dur\":%.3f,\"pid\":%" PRIu64 ",\"tid\":%" PRIu64 "}",
            separator, name, number, us(from), us(to - from), pid, tid);
    separator = ",";
}

static void entered(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    Call *c = table_at(&calls, thread_of(p, e->cpu));

    *c = (Call){ .open = true,
                 .number = mimus_register_value(p, reg_rax),
                 .pc = e->trap.from,
                 .began_ns = mimus_virtual_ns(p) };
    for (unsigned i = 0; i < 6; i++)
        c->arg[i] = mimus_register_value(p, reg_arg[i]);
}

/* SYSRET, or IRET to user mode. */
static void left(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    uint64_t thread = thread_of(p, e->cpu), space = mimus_space(p, e->cpu);
    Call *c = table_look(&calls, thread);

    if (!c || !c->open || mimus_privilege(p, e->cpu) != 3)
        return;
    if (e->kind == MIMUS_RETURN && e->trap.to - c->pc > 15)
        return; /* of an interrupt, of something else */
    c->open = false;
    if (out)
        fprintf(
            out,
            "%" PRIu64 " cpu %u space %" PRIx64 " pc %" PRIx64 " call %" PRIu64 "(%" PRIx64
            ", %" PRIx64 ", %" PRIx64 ", %" PRIx64 ", %" PRIx64 ", %" PRIx64 ") = %" PRId64 "\n",
            mimus_instructions(p), e->cpu, space, c->pc, c->number, c->arg[0], c->arg[1], c->arg[2],
            c->arg[3], c->arg[4], c->arg[5], (int64_t)mimus_register_value(p, reg_rax));
    span("syscall", c->number, space >> 12, thread & 0xffffffff, c->began_ns, mimus_virtual_ns(p));
}

static void halted(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    halted_ns[e->cpu & 255] = mimus_virtual_ns(p);
}

static void woken(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    span("halted", e->cpu, 0, e->cpu, halted_ns[e->cpu & 255], mimus_virtual_ns(p));
}

static void interrupted(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    if (!chrome || !e->trap.hardware)
        return;
    fprintf(chrome,
            "%s\n{\"name\":\"interrupt "
            "0x%02x\",\"ph\":\"i\",\"s\":\"t\",\"ts\":%.3f,\"pid\":0,\"tid\":%u}",
            separator, e->trap.vector, us(mimus_virtual_ns(p)), e->cpu);
    separator = ",";
}

static FILE *open_file(MimusPlugin *p, const char *name)
{
    FILE *f = fopen(name, "we");

    if (!f)
        mimus_fail(p, "could not open '%s': %s", name, strerror(errno));
    return f;
}

bool mimus_plugin_load(MimusPlugin *p)
{
    static const char *const args[] = { "rdi", "rsi", "rdx", "r10", "r8", "r9" };
    const MimusOption options[] = { { "out", MIMUS_STRING, &out_name },
                                    { "chrome", MIMUS_STRING, &chrome_name } };

    if (!mimus_options(p, options, 2))
        return false;
    if (out_name && !(out = open_file(p, out_name)))
        return false;
    if (chrome_name && !(chrome = open_file(p, chrome_name)))
        return false;
    if (!out_name && !chrome_name)
        out = stderr;
    if (chrome)
        fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", chrome);
    reg_rax = mimus_register(p, "rax");
    reg_fs = mimus_register(p, "fs_base");
    for (unsigned i = 0; i < 6; i++)
        reg_arg[i] = mimus_register(p, args[i]);
    mimus_on_event(p, MIMUS_SYSCALL, entered, NULL);
    mimus_on_event(p, MIMUS_SYSRET, left, NULL);
    mimus_on_event(p, MIMUS_RETURN, left, NULL);
    if (chrome) {
        mimus_on_event(p, MIMUS_HALT, halted, NULL);
        mimus_on_event(p, MIMUS_WAKE, woken, NULL);
        mimus_on_event(p, MIMUS_INTERRUPT, interrupted, NULL);
    }
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    table_free(&calls);
    if (out && out != stderr && fclose(out))
        mimus_print(p, "syscalls: could not write '%s': %s\n", out_name, strerror(errno));
    if (!chrome)
        return;
    fputs("\n]}\n", chrome);
    if (fclose(chrome))
        mimus_print(p, "syscalls: could not write '%s': %s\n", chrome_name, strerror(errno));
}
