/* SPDX-License-Identifier: MIT */
/*
 * Tenet's text trace: a line per instruction with the registers it changed, where execution goes
 * on, and what it read and wrote. The first line has all. Arguments: out=FILE; range=A..B of pcs;
 * space=CR3; insns=N lines (default 1000000), then exit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mimus-plugin.h>

MIMUS_PLUGIN;

static const char *const names[] = { "rax", "rbx", "rcx", "rdx", "rbp", "rsp", "rsi", "rdi",
                                     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
#define NREGS 16

static const char *out_name;
static MimusRange range = { 0, UINT64_MAX };
static uint64_t space = UINT64_MAX, insns = 1000000, lines;
static FILE *out;
static int reg[NREGS];
static uint64_t was[NREGS];
static bool begun, ended;
static char accesses[4096]; /* of the instruction before */
static size_t used;

static void note(char kind, const MimusAccess *a)
{
    if (sizeof(accesses) - used < 96)
        return;
    used += (size_t)sprintf(accesses + used, ",m%c=0x%" PRIx64 ":", kind, a->vaddr);
    for (unsigned i = 0; i < a->size; i++)
        used += (size_t)sprintf(accesses + used, "%02X", a->value[i]);
}

static void accessed(MimusPlugin *p, unsigned cpu, const MimusAccess *a, void *data)
{
    note(a->kind == MIMUS_STORE ? 'w' : 'r', a);
}

/* What the instruction before has done is seen when the next one begins. */
static void executes(MimusPlugin *p, unsigned cpu, uint64_t pc, void *data)
{
    const char *comma = "";

    if (ended)
        return;
    for (unsigned i = 0; i < NREGS; i++) {
        uint64_t now = mimus_register_value(p, reg[i]);
        if (begun && now == was[i])
            continue;
        fprintf(out, "%s%s=0x%" PRIx64, comma, names[i], now);
        comma = ",";
        was[i] = now;
    }
    fprintf(out, "%srip=0x%" PRIx64 "%.*s\n", comma, pc, (int)used, accesses);
    used = 0;
    begun = true;
    if (++lines == insns) {
        ended = true;
        mimus_exit(p, 0);
    }
}

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    MimusFilter filter = { .by_space = space != UINT64_MAX, .space = space };

    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        MimusInsn *insn = mimus_block_insn(b, i);
        if (mimus_insn_vaddr(insn) - range.first > range.last - range.first)
            continue;
        mimus_insn_call(insn, MIMUS_BEFORE, MIMUS_READ_REGS, &filter, executes, NULL);
        mimus_insn_call_access(insn, MIMUS_LOAD | MIMUS_STORE, MIMUS_NO_REGS, &filter, accessed,
                               NULL);
    }
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = {
        { "out", MIMUS_STRING, &out_name },
        { "range", MIMUS_RANGE, &range },
        { "space", MIMUS_NUMBER, &space },
        { "insns", MIMUS_NUMBER, &insns },
    };

    if (!mimus_options(p, options, 4))
        return false;
    out = out_name ? fopen(out_name, "we") : NULL;
    if (!out) {
        if (out_name)
            mimus_fail(p, "could not open '%s': %s", out_name, strerror(errno));
        else
            mimus_fail(p, "out=FILE is needed");
        return false;
    }
    for (unsigned i = 0; i < NREGS; i++)
        reg[i] = mimus_register(p, names[i]);
    mimus_on_translate(p, translated, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    if (fclose(out))
        mimus_print(p, "tenet: could not write '%s': %s\n", out_name, strerror(errno));
}
