/* SPDX-License-Identifier: MIT */
/*
 * Calls of plugins out of translated code. An instruction that the engine begins anew, for reasons
 * of its own, makes those calls again that it has made already: they are left out.
 */
#include "accel/plugin/internal.h"

#include <string.h>

static uint64_t insn_pc(Cpu *cpu, const Item *item)
{
    uint64_t pc = cpu->ops->wrap_pc(cpu, cpu->vbase + item->trace->insn[item->insn].offset);

    return pc + cpu->ops->trace->code_base(cpu);
}

uint64_t plugin_call_pc(const PluginSet *s)
{
    const Item *item = s->call;

    return s->caller->ops->wrap_pc(s->caller,
                                   s->caller->vbase + item->trace->insn[item->insn].offset);
}

bool plugin_passes(Cpu *cpu, const MimusFilter *f, const uint64_t *vaddr)
{
    const CpuTraceOps *ops = cpu->ops->trace;

    if (f->range.last && vaddr && *vaddr - f->range.first > f->range.last - f->range.first)
        return false;
    if (f->cpus && !(f->cpus >> MIN(cpu->run->common->index, 31u) & 1))
        return false;
    if (f->privileges && !(f->privileges >> ops->privilege(cpu) & 1))
        return false;
    return !f->by_space || ops->address_space(cpu) == f->space;
}

/* Is this call of the instruction at @pc a new one? */
static bool is_new(PluginSet *s, Cpu *cpu, uint64_t pc)
{
    uint64_t count = cpu_charged_count(cpu);

    if (s->skip) {
        s->skip--;
        s->call_pc = pc;
        s->call_count = count;
        s->calls++;
        return false;
    }
    if (s->call_pc != pc || s->call_count != count) {
        s->call_pc = pc;
        s->call_count = count;
        s->calls = 0;
    }
    s->calls++;
    return true;
}

/* While it runs, C code knows where the block is without tables (CpuRun.rest). */
static void begin_call(PluginSet *s, Cpu *cpu, const Item *item)
{
    const Action *a = item->action;

    plugin_begin_c(&s->guest_fp);
    s->regs = (MimusRegs)a->regs;
    s->caller = cpu;
    s->call = item;
    s->host_pc = cpu->run->tail->slow.host_pc;
    cpu->run->tail->slow.host_pc = 0;
    cpu->run->rest = item->trace->ninsns - item->insn - (a->place == AT_END);
    if (a->plugin->records)
        mimus_flush_records(a->plugin);
}

static void end_call(PluginSet *s, Cpu *cpu)
{
    plugin_end_c(&s->guest_fp);
    s->regs = MIMUS_NO_REGS;
    s->caller = NULL;
    cpu->run->rest = 0;
    cpu->run->tail->slow.host_pc = s->host_pc;
    if (!s->goes_on)
        return;
    s->goes_on = false;
    cpu_sync_state(cpu);
    cpu->pc = s->goes_on_at;
    cpu_loop_exit(cpu);
}

static void call_access(Cpu *cpu, const Item *item, const MimusAccess *access)
{
    PluginSet *s = cpu->run->accel->plugins;
    const Action *a = item->action;

    if (!is_new(s, cpu, access->pc) ||
        (a->filter && !plugin_passes(cpu, a->filter, &access->vaddr)))
        return;
    begin_call(s, cpu, item);
    ((MimusAccessFn *)a->fn)(a->plugin, cpu->run->common->index, access, a->data);
    end_call(s, cpu);
}

static void call_exec(Cpu *cpu, const Item *item)
{
    PluginSet *s = cpu->run->accel->plugins;
    const Action *a = item->action;
    uint64_t pc = insn_pc(cpu, item);

    if ((a->place != AT_ENTRY && !is_new(s, cpu, pc)) ||
        (a->filter && !plugin_passes(cpu, a->filter, NULL)))
        return;
    begin_call(s, cpu, item);
    ((MimusExecFn *)a->fn)(a->plugin, cpu->run->common->index, pc, a->data);
    end_call(s, cpu);
}

static void help_call(void *env, uint64_t address)
{
    const Item *item = (const Item *)(uintptr_t)address;
    Cpu *cpu = env;
    const PluginState *st = &cpu_tail(cpu)->plugin;
    MimusAccess access;

    if (item->action->place != AT_ACCESS) {
        call_exec(cpu, item);
        return;
    }
    access = (MimusAccess){ .pc = insn_pc(cpu, item),
                            .vaddr = st->word[item->word - 1],
                            .size = item->size,
                            .kind = item->record };
    memcpy(access.value, &st->word[item->word], item->size);
    call_access(cpu, item, &access);
}

void help_plugin_flush(void *env); /* records.c */

/* clang-format off */
#define CALL(what, promise) { .name = what, .func = (void *)help_call, .flags = (promise), .ret = IR_VOID, .nargs = 1, .args = { I64 } }
const TcgHelper plugin_helpers[PLUGIN_HELPERS] = {
    [PLUGIN_FLUSH] = { .name = "plugin_flush", .func = (void *)help_plugin_flush, .ret = IR_VOID },
    [PLUGIN_CALL] = CALL("plugin_call", 0),
    [PLUGIN_CALL_READ] = CALL("plugin_call_read", HELPER_READS_REGS | HELPER_READS_FLAGS),
    [PLUGIN_CALL_WRITE] = CALL("plugin_call_write", HELPER_STATE),
    [PLUGIN_CALL_WRITE_END] = CALL("plugin_call_write_end", HELPER_STATE & ~HELPER_FAULTS),
};
/* clang-format on */

/* ---- Accesses that C code makes ---------------------------------------------------------------
 */

/* What accesses of @kind are recorded for, if that is all that happens at them. */
static const Action *only_record(const PluginSet *s, unsigned kind)
{
    const Trace *t = s->access_trace;
    const Action *only = NULL;

    for (unsigned i = 0; t && i < t->nactions; i++) {
        const Action *a = &t->actions[i];
        if (a->insn != s->access_index || a->place != AT_ACCESS || !(a->accesses & kind))
            continue;
        if (only || a->kind != ACT_RECORD)
            return NULL;
        only = a;
    }
    return only;
}

/* Whose helper is running? */
static void find_caller(PluginSet *s, Cpu *cpu, uint64_t host_pc)
{
    Accel *a = s->accel;
    TcgCode *code = host_pc ? tcg_find_code(a->tcg, host_pc) : NULL;
    uint32_t offset;

    s->access_trace = code ? ((struct Tb *)code->user)->trace : NULL;
    if (s->access_trace)
        tcg_restore_state(a->tcg, code, host_pc, cpu, &offset, &s->access_index);
    s->access_host_pc = host_pc;
    s->access_record[0] = only_record(s, MIMUS_LOAD);
    s->access_record[1] = only_record(s, MIMUS_STORE);
}

static void record_access(Cpu *cpu, const Action *a, const MimusAccess *access)
{
    plugin_settle_at(cpu, cpu->run->accel->plugins->access_index);
    plugin_record_access(cpu, a, access);
}

void plugin_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size, bool write)
{
    PluginSet *s = cpu->run->accel->plugins;
    uint64_t host_pc = cpu->run->tail->slow.host_pc;
    uint8_t kind = write ? MIMUS_STORE : MIMUS_LOAD;
    MimusAccess access;
    const Trace *t;

    if (!host_pc || host_pc != s->access_host_pc)
        find_caller(s, cpu, host_pc);
    t = s->access_trace;
    if (!t)
        return;
    access = (MimusAccess){ .vaddr = vaddr, .size = size, .kind = kind };
    access.pc = cpu->ops->wrap_pc(cpu, cpu->vbase + t->insn[s->access_index].offset) +
                cpu->ops->trace->code_base(cpu);
    memcpy(access.value, value, size);
    if (s->access_record[write]) {
        record_access(cpu, s->access_record[write], &access);
        return;
    }
    for (unsigned i = 0; i < t->nactions; i++) {
        const Action *act = &t->actions[i];
        if (act->insn != s->access_index || act->place != AT_ACCESS || !(act->accesses & kind))
            continue;
        if (act->kind == ACT_CALL) {
            Item item = { .action = act, .trace = t, .insn = (uint16_t)s->access_index };
            call_access(cpu, &item, &access);
        } else {
            record_access(cpu, act, &access);
        }
    }
}
