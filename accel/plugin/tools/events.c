/* SPDX-License-Identifier: MIT */
/*
 * Writes events as lines. Arguments: show=KIND+KIND… (port mmio dma walk space privilege interrupt
 * return syscall sysret halt wake reset start stop replay replay-start restored; default: all but
 * walk); out=FILE; insns=N: then exit.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <mimus-plugin.h>

MIMUS_PLUGIN;

static const char *const names[MIMUS_EVENT_KINDS] = {
    "port",      "mmio",   "dma",     "walk",   "space",        "privilege",
    "interrupt", "return", "syscall", "sysret", "halt",         "wake",
    "reset",     "start",  "stop",    "replay", "replay-start", "restored",
};
static const char *out_name, *show;
static uint64_t insns;
static bool shown[MIMUS_EVENT_KINDS];
static FILE *out;

static void print(const MimusEvent *e, uint64_t count)
{
    fprintf(out, "%" PRIu64 " %s", count, names[e->kind]);
    if (e->cpu != MIMUS_NO_CPU)
        fprintf(out, " cpu %u pc %" PRIx64, e->cpu, e->pc);
    switch (e->kind) {
    case MIMUS_PORT:
    case MIMUS_MMIO:
        fprintf(out, " %s %s+%" PRIx64 " at %" PRIx64 " size %u value %" PRIx64,
                e->io.write ? "write" : "read", e->io.device, e->io.offset, e->io.addr, e->io.size,
                e->io.value);
        break;
    case MIMUS_DMA:
        fprintf(out, " %s at %" PRIx64 " size %" PRIu64, e->dma.write ? "write" : "read",
                e->dma.paddr, e->dma.size);
        break;
    case MIMUS_WALK:
        fprintf(out, " %s of %" PRIx64,
                (const char *[]){ "read", "write", "fetch" }[e->walk.access], e->walk.vaddr);
        if (e->walk.ok)
            fprintf(out, " is %" PRIx64 " of %" PRIx64, e->walk.paddr, e->walk.page_size);
        else
            fputs(" faults", out);
        break;
    case MIMUS_SPACE:
        fprintf(out, " from %" PRIx64 " to %" PRIx64, e->space.from, e->space.to);
        break;
    case MIMUS_PRIVILEGE: fprintf(out, " from %u to %u", e->privilege.from, e->privilege.to); break;
    case MIMUS_INTERRUPT:
        fprintf(out, " %s %02x from %" PRIx64 " to %" PRIx64,
                e->trap.hardware   ? "hardware"
                : e->trap.software ? "software"
                                   : "exception",
                e->trap.vector, e->trap.from, e->trap.to);
        if (e->trap.has_error)
            fprintf(out, " error %x", e->trap.error);
        break;
    case MIMUS_RETURN:
    case MIMUS_SYSCALL:
    case MIMUS_SYSRET:
        fprintf(out, " from %" PRIx64 " to %" PRIx64, e->trap.from, e->trap.to);
        break;
    case MIMUS_REPLAY_END: fprintf(out, " %s", e->why ? e->why : "as recorded"); break;
    default: break;
    }
    fputc('\n', out);
}

static void told(MimusPlugin *p, const MimusEvent *e, void *opaque)
{
    uint64_t count = mimus_instructions(p);

    if (shown[e->kind])
        print(e, count);
    if (insns && count >= insns)
        mimus_exit(p, 0);
}

static bool shows(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; (at = strstr(at, name)); at += len)
        if ((at == list || at[-1] == '+') && (!at[len] || at[len] == '+'))
            return true;
    return false;
}

static bool is_known(MimusPlugin *p)
{
    for (const char *at = show; at && *at; at += strcspn(at, "+"), at += *at == '+') {
        int len = (int)strcspn(at, "+");
        unsigned i = 0;
        while (i < MIMUS_EVENT_KINDS && (strncmp(names[i], at, (size_t)len) || names[i][len]))
            i++;
        if (i == MIMUS_EVENT_KINDS) {
            mimus_fail(p, "show: unknown event '%.*s'", len, at);
            return false;
        }
    }
    return true;
}

bool mimus_plugin_load(MimusPlugin *p)
{
    const MimusOption options[] = { { "out", MIMUS_STRING, &out_name },
                                    { "show", MIMUS_STRING, &show },
                                    { "insns", MIMUS_NUMBER, &insns } };

    if (!mimus_options(p, options, 3) || !is_known(p))
        return false;
    out = out_name ? fopen(out_name, "we") : stderr;
    if (!out) {
        mimus_fail(p, "could not open '%s': %s", out_name, strerror(errno));
        return false;
    }
    for (unsigned i = 0; i < MIMUS_EVENT_KINDS; i++) {
        shown[i] = show ? shows(show, names[i]) : i != MIMUS_WALK;
        if (shown[i] || (insns && i != MIMUS_WALK)) /* the next one of any kind ends it */
            mimus_on_event(p, (MimusEventKind)i, told, NULL);
    }
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    if (out != stderr && fclose(out))
        mimus_print(p, "events: could not write '%s': %s\n", out_name, strerror(errno));
}
