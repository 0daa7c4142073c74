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

    if (item->action->place != AT_ACCESS && item->action->place != AT_BEFORE_ACCESS) {
        call_exec(cpu, item);
        return;
    }
    access = (MimusAccess){ .pc = insn_pc(cpu, item),
                            .vaddr = st->word[item->word - 1],
                            .size = item->size,
                            .kind = item->record,
                            .paddr = item->physical ? st->word[item->physical] : UINT64_MAX };
    if (item->action->place == AT_ACCESS || item->record == MIMUS_STORE)
        mimus_run_bytes(&st->word[item->word], item->size, access.value);
    call_access(cpu, item, &access);
}

/* By the TLB that the access has gone through, or by a walk without effects. */
static uint64_t find_physical(Cpu *cpu, uint64_t vaddr, unsigned mmu)
{
    const StlbEntry *e = tlb_lookup(cpu, vaddr, mmu);
    CpuPage page = { 0 };

    if (e)
        return e->phys | (vaddr & (PAGE_SIZE - 1));
    if (!cpu->ops->walk(cpu, vaddr, ACCESS_READ, mmu, true, &page))
        return UINT64_MAX;
    return page.phys | (vaddr & (PAGE_SIZE - 1));
}

static void help_find_physical(void *env, uint64_t vaddr, uint64_t where)
{
    Cpu *cpu = env;

    cpu_tail(cpu)->plugin.word[where & 0xff] = find_physical(cpu, vaddr, (unsigned)(where >> 8));
}

void help_plugin_flush(void *env, uint64_t head); /* records.c */

/* clang-format off */
#define CALL(what, promise) { .name = what, .func = (void *)help_call, .flags = (promise), .ret = IR_VOID, .nargs = 1, .args = { I64 } }
const TcgHelper plugin_helpers[PLUGIN_HELPERS] = {
    [PLUGIN_FLUSH] = { .name = "plugin_flush", .func = (void *)help_plugin_flush, .ret = IR_VOID, .nargs = 1,
                       .args = { I64 }, .quick = (void *)plugin_flush_quick },
    [PLUGIN_FIND_PHYSICAL] = { .name = "plugin_find_physical", .func = (void *)help_find_physical,
                               .ret = IR_VOID, .nargs = 2, .args = { I64, I64 } },
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
        if (only || a->kind != ACT_RECORD || (a->accesses & MIMUS_PHYSICAL))
            return NULL;
        only = a;
    }
    return only;
}

/* All that happens at accesses of the instruction is that one action records them, for somebody who
 * takes runs as they come now; or nothing at all. */
static bool takes_elements(const PluginSet *s)
{
    const Trace *t = s->access_trace;
    const Action *only = NULL;

    for (unsigned i = 0; t && i < t->nactions; i++) {
        const Action *a = &t->actions[i];
        if (a->insn != s->access_index || (a->place != AT_ACCESS && a->place != AT_BEFORE_ACCESS))
            continue;
        if (only || a->kind != ACT_RECORD || (a->accesses & MIMUS_PHYSICAL) ||
            (a->plugin->runs && a->plugin->api < 3))
            return false;
        only = a;
    }
    return true;
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
    s->takes_elements = takes_elements(s);
}

static void record_access(Cpu *cpu, const Action *a, const MimusAccess *access)
{
    plugin_settle_at(cpu, cpu->run->accel->plugins->access_index);
    plugin_record_access(cpu, a, access);
}

static MimusAccess describe_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size,
                                   bool write)
{
    const PluginSet *s = cpu->run->accel->plugins;
    MimusAccess access = {
        .vaddr = vaddr, .size = size, .kind = write ? MIMUS_STORE : MIMUS_LOAD, .paddr = UINT64_MAX
    };

    access.pc = cpu->ops->wrap_pc(cpu, cpu->vbase + s->access_trace->insn[s->access_index].offset) +
                cpu->ops->trace->code_base(cpu);
    if (value)
        memcpy(access.value, value, size);
    return access;
}

static void tell_action(Cpu *cpu, const Action *a, MimusAccess *access)
{
    PluginSet *s = cpu->run->accel->plugins;
    CpuContext ctx;

    if (a->accesses & MIMUS_PHYSICAL) {
        cpu->ops->get_context(cpu, &ctx);
        access->paddr = find_physical(cpu, access->vaddr, ctx.mmu);
    }
    if (a->kind == ACT_CALL) {
        Item item = { .action = a, .trace = s->access_trace, .insn = (uint16_t)s->access_index };
        call_access(cpu, &item, access);
    } else {
        record_access(cpu, a, access);
    }
    access->paddr = UINT64_MAX;
}

static const Trace *trace_of_caller(Cpu *cpu)
{
    PluginSet *s = cpu->run->accel->plugins;
    uint64_t host_pc = cpu->run->tail->slow.host_pc;

    if (!host_pc || host_pc != s->access_host_pc)
        find_caller(s, cpu, host_pc);
    return s->access_trace;
}

static void tell_all(Cpu *cpu, ActionPlace place, MimusAccess *access)
{
    PluginSet *s = cpu->run->accel->plugins;
    const Trace *t = s->access_trace;

    for (unsigned i = 0; i < t->nactions; i++) {
        const Action *a = &t->actions[i];
        if (a->insn == s->access_index && a->place == place && (a->accesses & access->kind))
            tell_action(cpu, a, access);
    }
}

void plugin_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size, bool write)
{
    PluginSet *s = cpu->run->accel->plugins;
    MimusAccess access;

    if (!trace_of_caller(cpu))
        return;
    access = describe_access(cpu, vaddr, value, size, write);
    if (s->access_record[write])
        record_access(cpu, s->access_record[write], &access);
    else
        tell_all(cpu, AT_ACCESS, &access);
}

bool plugin_takes_elements(Cpu *cpu)
{
    trace_of_caller(cpu);
    return cpu->run->accel->plugins->takes_elements;
}

void plugin_elements(Cpu *cpu, const CpuElements *e)
{
    PluginSet *s = cpu->run->accel->plugins;
    CpuElements wanted = *e;
    const Action *a = NULL;
    MimusAccess access;

    if (!trace_of_caller(cpu))
        return;
    wanted.naccesses = 0;
    for (unsigned i = 0; i < e->naccesses; i++) {
        if (!s->access_record[e->access[i].write])
            continue;
        a = s->access_record[e->access[i].write];
        wanted.access[wanted.naccesses++] = e->access[i];
    }
    if (!a)
        return;
    access = describe_access(cpu, 0, NULL, 0, false);
    plugin_settle_at(cpu, s->access_index);
    plugin_record_elements(cpu, a, access.pc, &wanted);
}

void plugin_before_access(Cpu *cpu, uint64_t vaddr, const void *value, uint32_t size, bool write)
{
    MimusAccess access;

    if (!trace_of_caller(cpu))
        return;
    access = describe_access(cpu, vaddr, value, size, write);
    tell_all(cpu, AT_BEFORE_ACCESS, &access);
}
