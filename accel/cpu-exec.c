/* SPDX-License-Identifier: MIT */
/*
 * The execution loop of one CPU: deliver what is pending, find or make the next block, run until
 * something leaves, act on it. C code of the guest architecture leaves a block from anywhere by
 * cpu_loop_exit(), which lands at the top of the loop; nothing is held across that.
 */
#include <inttypes.h>

#include "accel/engine.h"
#include "accel/turn.h"
#include "softmmu/device.h"
#include "softmmu/log.h"

/* The block that was being built or run uncached when control came back to the loop. */
static void drop_private(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    Tb *tb = run->private_tb;

    run->private_tb = NULL;
    if (!tb)
        return;
    if (tb->code)
        tcg_retire(run->accel->tcg, tb->code);
    plugin_trace_free(tb->trace);
    g_free(tb);
}

static void log_entry(Cpu *cpu, const CpuContext *ctx, const Tb *tb)
{
    if (!log_in_filter(ctx->linear))
        return;
    if (log_enabled(LOG_EXEC))
        log_printf("Trace %u: %p [%016" PRIx64 "/%016" PRIx64 "/%08x]\n", cpu->run->common->index,
                   (const void *)tb->code->start, ctx->cs_base, ctx->linear, ctx->mode);
    if (log_enabled(LOG_CPU)) {
        g_autoptr(GString) out = g_string_new(NULL);
        if (log_enabled(LOG_FPU) || !cpu->ops->print_core)
            cpu->ops->print_registers(cpu, out);
        else
            cpu->ops->print_core(cpu, out);
        log_write(out->str);
    }
}

/* What is to see x87 state finds it in the CPU's again: anything but the next block. */
static void x87_from_host(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    uint8_t image[512] __attribute__((aligned(16)));

    if (!run->common->x87_on_host)
        return;
    tcg_x87_save(run->accel->tcg, image);
    run->common->x87_on_host = false;
    run->link_from = NULL; /* a block of the mode that has just ended */
    cpu->ops->x87_from_host(cpu, image);
}

void cpu_x87_to_host(Cpu *cpu, const void *image)
{
    tcg_x87_load(cpu->run->accel->tcg, image);
    cpu->run->common->x87_on_host = true;
}

/* A goto of the previous block led here: join them if they lie in one mapping unit. */
static void make_link(Cpu *cpu, Tb *to)
{
    CpuRun *run = cpu->run;
    Tb *from = run->link_from;
    uint64_t mask = ~(uint64_t)(to->unit_size - 1);

    run->link_from = NULL;
    if (!from || to == run->private_tb || to->whole || from->unit_size != to->unit_size)
        return;
    if (to->straddles && ((to->ram ^ to->ram2) & mask))
        return;
    if ((from->ram & mask) != (to->ram & mask) || log_enabled(LOG_UNCHAINED) ||
        engine_splits_at(run->accel, to->ram))
        return;
    tb_link(&run->accel->tbs, from, run->link_slot, to);
}

static Tb *next_block(Cpu *cpu, CpuContext *ctx)
{
    CpuRun *run = cpu->run;
    bool no_groups = run->no_groups;
    unsigned n;
    Tb *tb;

    run->no_groups = false;
    if (run->one_insn || run->debug_run == DEBUG_STEP) {
        run->one_insn = false;
        tb = translate_private(cpu, ctx, 1, true);
    } else {
        tb = translate_find_or_make(cpu, ctx, no_groups);
    }
    n = turn_fit(cpu, tb);
    return n < tb->code->ninsns ? translate_cut(cpu, ctx, tb, n) : tb;
}

static void leave(Cpu *cpu, Tb *tb, TcgLeave l)
{
    CpuRun *run = cpu->run;

    run->tail->slow.host_pc = 0;
    run->accel->stats.leaves[l.kind]++;
    cpu->pc = cpu->ops->wrap_pc(cpu, cpu->pc);
    if (l.kind == TCG_EXIT_LINK && l.from->user != run->private_tb) {
        run->link_from = l.from->user;
        run->link_slot = l.link;
    }
    if (l.kind == TCG_EXIT_REASON || l.kind == TCG_EXIT_BUDGET || log_enabled(LOG_EXEC | LOG_CPU))
        x87_from_host(cpu);
    switch (l.kind) {
    case TCG_EXIT_LINK: run->no_groups = tcg_is_rest(l.from, l.link); break;
    case TCG_EXIT_LOOKUP:
        run->want_jc = !log_enabled(LOG_UNCHAINED);
        if (l.reason)
            cpu->ops->check_jump(cpu, cpu->ops->wrap_pc(cpu, cpu->vbase + l.offset), l.reason);
        break;
    case TCG_EXIT_REASON:
        if (l.reason == TRANSLATE_EXIT_STALE || l.reason == PLUGIN_EXIT_ROOM)
            run->want_jc = !log_enabled(LOG_UNCHAINED);
        if (l.reason == PLUGIN_EXIT_ROOM)
            plugin_make_room(cpu);
        else if (l.reason != TRANSLATE_EXIT_STALE)
            cpu->ops->exit_reason(cpu, l.reason);
        break;
    case TCG_EXIT_BUDGET: break;
    }
}

static TcgExit run_block(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    CpuContext ctx;
    uint64_t count = cpu_charged_count(cpu);
    bool waits, fits;
    TcgLeave l;
    Tb *tb;

    if (run->context_dirty)
        context_update(cpu);
    cpu->ops->get_context(cpu, &ctx);
    if (G_UNLIKELY(run->accel->debug.npoints) && debug_breaks(cpu, ctx.linear))
        return TCG_EXIT_BUDGET;
    tb = next_block(cpu, &ctx);
    run->want_jc = false;
    make_link(cpu, tb);
    if (log_enabled(LOG_EXEC | LOG_CPU))
        log_entry(cpu, &ctx, tb);
    waits = turn_is_spent(cpu);
    fits = turn_enter(cpu, tb);
    l = run->once ? tcg_run_once(run->accel->tcg, cpu, tb->code)
                  : tcg_run(run->accel->tcg, cpu, tb->code);
    leave(cpu, tb, l);
    turn_judge(cpu);
    drop_private(cpu);
    if (cpu_charged_count(cpu) != count)
        debug_settle(cpu);
    else if (l.kind == TCG_EXIT_BUDGET && fits && !waits)
        run->no_groups = true; /* the block did, but it led to its rest, which did not */
    return l.kind;
}

/* It is a step like an instruction, of which the way to the waypoint is made. */
static void note_delivery(Cpu *cpu)
{
    CpuRun *run = cpu->run;

    run->accel->delivered++;
    if (run->accel->waypoint != WAYPOINT_NONE) {
        run->granted--;
        cpu->budget--;
        run->debug_kept++;
    }
    debug_settle(cpu);
}

#define FAULTS_FOR_NOTHING 1000

/* A handler that cannot do its first instruction, for which it is called again, would run for ever
 * and leave no time to anybody: from some number on, which nothing else reaches, an exception takes
 * as long as an instruction. */
static void note_fault(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    bool again = cpu_charged_count(cpu) == run->faulted_at;

    run->common->faults = again ? MIN(run->common->faults + 1, FAULTS_FOR_NOTHING) : 1;
    cpu->budget -= run->common->faults == FAULTS_FOR_NOTHING;
    run->faulted_at = cpu_charged_count(cpu);
}

static bool deliver_pending(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    Tb *from = run->link_from;

    /* The handler is not where the last block's goto leads; delivery may also not return. */
    run->link_from = NULL;
    if (run->common->exception_pending) {
        x87_from_host(cpu);
        cpu->ops->deliver_exception(cpu);
        note_delivery(cpu);
        note_fault(cpu);
        return true;
    }
    if (cpu->interrupt_request && !run->one_insn && !run->no_groups &&
        !debug_masks_interrupts(cpu) && cpu->ops->deliver_interrupt(cpu)) {
        x87_from_host(cpu); /* not before: what is masked must not keep x87 code from its place */
        note_delivery(cpu);
        return true;
    }
    run->link_from = from;
    return false;
}

/* Between slices: the log's next count has come. */
static void log_point(Accel *a)
{
    uint32_t todo = log_at_count(a->count);

    if (todo & LOG_POINT_HASH)
        log_printf("hash at %" PRIu64 ": %016" PRIx64 "\n", a->count,
                   device_tree_hash(a->machine->root, 0));
    if (todo & LOG_POINT_ITEMS) { /* blocks are joined, or translated, unseen by the items */
        accel_flush_code(a);
    }
}

bool cpu_exec_slice(Cpu *cpu, const Turn *turn)
{
    CpuRun *run = cpu->run;
    Accel *a = run->accel;

    if (run->common->absent || (run->common->halted && !cpu->ops->has_work(cpu)))
        return false;
    a->current = cpu;
    run->granted = cpu->budget = turn_begin(cpu, turn);
    run->faulted_at = a->count;
    setjmp(run->jump);
    /* From here on only state reachable from cpu may be relied on. */
    turn_settle(cpu);
    run->tail->slow.host_pc = 0;
    run->tail->slow.size = 0; /* what has left is not what a helper does next */
    drop_private(cpu);
    if (!run->keep_x87)
        x87_from_host(cpu);
    run->keep_x87 = false;
    while (turn_goes_on(cpu) && !run->common->absent && a->debug.stop.why == DEBUG_NOTHING) {
        if (G_UNLIKELY(a->tbs.hot->len))
            tb_check_hot(&a->tbs);
        if (deliver_pending(cpu)) { /* its stores may have asked for a look, too */
            turn_settle(cpu);
            continue;
        }
        if (run->common->halted)
            break;
        TcgExit why = run_block(cpu);
        turn_settle(cpu);
        if (why == TCG_EXIT_BUDGET && turn_is_spent(cpu) && !run->common->exception_pending)
            break;
    }
    x87_from_host(cpu);
    run->link_from = NULL;
    run->want_jc = false;
    a->count += run->granted - cpu->budget;
    if (a->count != run->faulted_at)
        run->common->faults = 0;
    turn_end(cpu);
    run->granted = cpu->budget = 0;
    a->current = NULL;
    if (G_UNLIKELY(a->count >= log_next_count))
        log_point(a);
    return true;
}

void cpu_loop_exit(Cpu *cpu)
{
    longjmp(cpu->run->jump, 1);
}

void cpu_restart_single(Cpu *cpu)
{
    cpu->run->again = true;
    cpu_sync_state(cpu);
    cpu->run->again = false;
    cpu->run->one_insn = true;
    cpu_loop_exit(cpu);
}

/* An access that translated code can do by itself may be the host's x87's there; else, with the x87
 * at home, a helper's. */
void cpu_restart_alone(void *env)
{
    Cpu *cpu = env;

    cpu->run->keep_x87 = tlb_refill(cpu);
    cpu->run->again = true;
    cpu_sync_state(cpu);
    cpu->run->again = false;
    cpu->run->no_groups = true;
    cpu_loop_exit(cpu);
}

/* The block for it has been made and is as any other: no need for the loop. Accesses of the x87 are
 * checked as groups even without any: what fails there is for mem_alone(). */
const TcgCode *cpu_rest_alone(void *env, const TcgCode **from)
{
    Cpu *cpu = env;
    CpuRun *run = cpu->run;
    Accel *a = run->accel;
    TcgCode *code = tcg_find_code(a->tcg, run->tail->slow.host_pc);
    Tb *tb = code->user, *rest;
    uint32_t offset, index;
    CpuContext ctx;

    if (tb->no_groups || tb->retired || tb->straddles || tb->trace || tb->whole ||
        tb == run->private_tb || log_enabled(LOG_UNCHAINED | LOG_EXEC | LOG_CPU))
        return NULL;
    tcg_restore_state(a->tcg, code, run->tail->slow.host_pc, cpu, &offset, &index);
    cpu->pc = cpu->ops->wrap_pc(cpu, cpu->vbase + offset);
    cpu->ops->get_context(cpu, &ctx);
    rest = tb_find(&a->tbs, (tb->ram & PAGE_MASK) | (offset & (PAGE_SIZE - 1)), ctx.mode,
                   tb->unit_size, true);
    if (!rest || rest->straddles || rest->check)
        return NULL;
    run->tail->slow.host_pc = 0;
    cpu->budget += code->ninsns - index;
    if (!tb->no_groups)
        tb_note_parted(&a->tbs, tb, cpu_charged_count(cpu));
    *from = code;
    return rest->code;
}

void cpu_trap(void *env, uint32_t code)
{
    Cpu *cpu = env;

    if (G_UNLIKELY(cpu->run->accel->plugins))
        plugin_give_back_at_pc(cpu);
    cpu->ops->trap(env, code);
}

void cpu_sync_state(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    uint64_t host_pc = run->tail->slow.host_pc;
    uint32_t offset, index;
    TcgCode *code;

    if (!host_pc)
        return;
    run->tail->slow.host_pc = 0;
    code = tcg_find_code(run->accel->tcg, host_pc);
    g_assert(code);
    tcg_restore_state(run->accel->tcg, code, host_pc, cpu, &offset, &index);
    cpu->pc = cpu->ops->wrap_pc(cpu, cpu->vbase + offset);
    cpu->budget += code->ninsns - index;
    if (G_UNLIKELY(((Tb *)code->user)->trace))
        plugin_give_back(cpu, code->user, index, run->again);
    run->link_from = NULL;
}

/* The instruction of translated code that has called: where in the mapping unit it is, and how many
 * of its block's are left with it. False: no translated code has. */
static bool find_caller(Cpu *cpu, uint32_t *offset, uint32_t *left)
{
    CpuRun *run = cpu->run;
    uint64_t host_pc = run->tail->slow.host_pc;
    uint32_t index;
    TcgCode *code;

    if (!host_pc)
        return false;
    code = tcg_find_code(run->accel->tcg, host_pc);
    g_assert(code);
    tcg_restore_state(run->accel->tcg, code, host_pc, cpu, offset, &index);
    *left = code->ninsns - index;
    return true;
}

unsigned cpu_rest_of_block(Cpu *cpu)
{
    uint32_t offset, left;

    return find_caller(cpu, &offset, &left) ? left : cpu->run->rest;
}

uint64_t cpu_running_pc(Cpu *cpu)
{
    uint32_t offset, left;

    return find_caller(cpu, &offset, &left) ? cpu->ops->wrap_pc(cpu, cpu->vbase + offset) : cpu->pc;
}

uint64_t cpu_instruction_count(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    Accel *a = run->accel;

    if (a->current != cpu)
        return a->current ? cpu_instruction_count(a->current) : a->count;
    return a->count + run->granted - cpu->budget - cpu_rest_of_block(cpu);
}

uint64_t cpu_charged_count(Cpu *cpu)
{
    return cpu->run->accel->count + cpu->run->granted - cpu->budget;
}

void cpu_interrupt(Cpu *cpu, uint32_t bits)
{
    cpu->interrupt_request |= bits;
    cpu_kick(cpu);
}

void cpu_reset_interrupt(Cpu *cpu, uint32_t bits)
{
    cpu->interrupt_request &= ~bits;
}
