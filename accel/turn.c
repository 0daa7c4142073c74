/* SPDX-License-Identifier: MIT */
#include "accel/turn.h"

#include "softmmu/log.h"

bool turn_waits(const Accel *a)
{
    return a->icount_shift >= 0 && a->cpus->len == 1 && a->ops->tells_branches;
}

/* ---- Counts ---------------------------------------------------------------------------------- */

static int64_t charged(Cpu *cpu)
{
    return (int64_t)cpu_charged_count(cpu);
}

/* The count at which the next timer is due, by the clock; between blocks. */
static int64_t next_due(Cpu *cpu)
{
    const Accel *a = cpu->run->accel;
    int64_t deadline = clock_deadline_ns(a->machine->clock), left;

    if (deadline == CLOCK_NEVER)
        return TURN_NEVER_DUE;
    left = deadline - clock_now_ns(a->machine->clock);
    return charged(cpu) + ((left + (INT64_C(1) << a->icount_shift) - 1) >> a->icount_shift);
}

/* What a CPU may run of @budget before somebody wants to look. */
static int32_t allowed(const Cpu *cpu, int32_t budget)
{
    const Accel *a = cpu->run->accel;

    if (cpu->run->debug_run == DEBUG_STEP)
        return MIN(1, budget);
    return MIN((uint64_t)budget, a->waypoint - accel_steps(a));
}

static bool is_late(Cpu *cpu)
{
    return cpu->run->due <= charged(cpu);
}

/* The budget ends where a timer is due. */
static bool reaches_due(Cpu *cpu)
{
    return cpu->budget > 0 && cpu->run->due == charged(cpu) + cpu->budget;
}

/* How much of the time that a turn may be late is left, as far as anybody lets it run. */
static int64_t room(Cpu *cpu)
{
    const CpuRun *run = cpu->run;
    const Accel *a = run->accel;
    int64_t end = run->due + TURN_LATE_INSNS;

    if (a->waypoint != WAYPOINT_NONE)
        end = MIN(end, (int64_t)(a->waypoint - a->delivered));
    end = MIN(end, run->latest);
    return MAX(end - charged(cpu), 0);
}

/* ---- Beginning ------------------------------------------------------------------------------- */

int32_t turn_begin(Cpu *cpu, const Turn *turn)
{
    CpuRun *run = cpu->run;
    int64_t count = (int64_t)run->accel->count;
    int32_t budget = turn->budget, now;

    run->exact = turn->exact;
    run->due = TURN_NEVER_DUE;
    run->latest =
        (int64_t)MIN(log_next_count > (uint64_t)count ? log_next_count : INT64_MAX, INT64_MAX);
    run->turned = run->judged = run->once = false;
    run->lent = 0;
    if (turn_waits(run->accel)) {
        run->due = next_due(cpu);
        if (!turn->late)
            run->due = MAX(run->due, count + 1);
        budget = (int32_t)CLAMP(run->due - count, 0, budget);
    }
    now = allowed(cpu, budget);
    run->debug_kept = budget - now;
    return now;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

bool turn_goes_on(Cpu *cpu)
{
    CpuRun *run = cpu->run;

    if (is_late(cpu) && (run->accel->machine->requests & GUEST_REQUESTS))
        run->turned = true;
    if (run->turned || (cpu->budget <= 0 && !is_late(cpu)))
        return false;
    if (cpu->budget > 0)
        return true;
    run->due = next_due(cpu); /* it may have been put off */
    return room(cpu) && is_late(cpu);
}

/* The first branch of @tb, counted from 1, or its end. */
static unsigned first_branch(const Tb *tb)
{
    return tb->branches.where ? __builtin_ctzll(tb->branches.where) + 1 : tb->code->ninsns;
}

/* The turn will be late by (some of) @tb, of which @before instructions come before that. A loop
 * runs by single rounds, as nobody knows which of its branches was the last. Where another block
 * might run on what this one was lent and gives back, it runs from branch to branch. */
static unsigned fit_late(Cpu *cpu, const Tb *tb, unsigned before)
{
    unsigned n = tb->branches.stays ? tb->branches.stays : tb->code->ninsns;

    if (!tcg_runs_once(cpu->run->accel->tcg))
        n = MIN(n, first_branch(tb));
    return n <= before ? n : (unsigned)MIN(n, room(cpu));
}

unsigned turn_fit(Cpu *cpu, const Tb *tb)
{
    unsigned n = tb->code->ninsns;

    if ((int64_t)n <= cpu->budget)
        return n;
    if (is_late(cpu))
        return fit_late(cpu, tb, 0);
    if (reaches_due(cpu)) {
        cpu->run->due = MAX(next_due(cpu), cpu->run->due);
        if (reaches_due(cpu))
            return fit_late(cpu, tb, (unsigned)cpu->budget);
    }
    return cpu->run->exact && cpu->budget > 0 ? (unsigned)cpu->budget : n;
}

static void lend(Cpu *cpu, int32_t n)
{
    cpu->run->lent += n;
    cpu->run->granted += n;
    cpu->budget += n;
}

/* So far below zero that no other block is entered, whatever this one gives back. */
#define ONCE (1 << 20)

bool turn_enter(Cpu *cpu, const Tb *tb)
{
    CpuRun *run = cpu->run;
    int32_t n = (int32_t)tb->code->ninsns;

    if (n <= cpu->budget)
        return true;
    if (!is_late(cpu) && !reaches_due(cpu))
        return false;
    run->judged = true;
    run->judged_branches = tb->branches;
    run->judged_insns = tb->code->ninsns;
    run->judged_at = charged(cpu);
    run->judged_pc = cpu->pc;
    run->once = tcg_runs_once(run->accel->tcg);
    if (run->once) {
        lend(cpu, -ONCE);
        cpu->budget -= n;
    } else {
        lend(cpu, n - cpu->budget);
    }
    return true;
}

/* Was the branch that was executed last, the @n-th instruction of the block, taken? */
static bool is_taken(Cpu *cpu, unsigned n)
{
    const TranslateBranches *b = &cpu->run->judged_branches;
    uint64_t bit = UINT64_C(1) << (n - 1);
    int16_t next;

    if (!(b->where & bit))
        return false;
    next = b->next[__builtin_popcountll(b->where & (bit - 1))];
    return cpu->pc != cpu->ops->wrap_pc(cpu, cpu->run->judged_pc + (uint64_t)next);
}

void turn_judge(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    int64_t count = charged(cpu), n = count - run->judged_at;

    if (run->judged && n > 0 && count > run->due && !run->common->exception_pending)
        run->turned =
            (n == run->judged_insns && run->judged_branches.last) || is_taken(cpu, (unsigned)n);
    run->judged = false;
}

void turn_settle(Cpu *cpu)
{
    CpuRun *run = cpu->run;

    lend(cpu, run->looks - run->lent);
    run->looks = run->lent = 0;
    run->once = false;
    turn_judge(cpu);
}

bool turn_is_spent(const Cpu *cpu)
{
    return !cpu->run->exact && !is_late((Cpu *)cpu) && !reaches_due((Cpu *)cpu);
}

/* ---- Time ------------------------------------------------------------------------------------ */

static void take_back(Cpu *cpu, int64_t by)
{
    int32_t kept = (int32_t)MIN(cpu->run->debug_kept, by);

    cpu->run->debug_kept -= kept;
    cpu->run->granted -= by - kept;
    cpu->budget -= by - kept;
}

/* The budget does not reach beyond @count. True: it did. */
static bool end_by(Cpu *cpu, int64_t count)
{
    const CpuRun *run = cpu->run;
    int64_t beyond = charged(cpu) + cpu->budget + run->looks - run->lent + run->debug_kept - count;

    if (beyond > 0)
        take_back(cpu, beyond);
    return beyond > 0;
}

void turn_shorten(Cpu *cpu, int64_t by)
{
    CpuRun *run = cpu->run;

    if (!turn_waits(run->accel)) {
        take_back(cpu, by);
    } else if (run->due != TURN_NEVER_DUE) {
        run->due -= by;
        end_by(cpu, run->due);
    }
}

void turn_set_due(Cpu *cpu, int64_t count)
{
    CpuRun *run = cpu->run;

    if (turn_waits(run->accel)) {
        run->due = MIN(run->due, count);
        end_by(cpu, run->due);
    } else if (end_by(cpu, count)) {
        run->exact = true;
    }
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* … of one that was broken off. */
static int32_t left(const Cpu *cpu, bool stopped)
{
    if (cpu->budget < 0 || (!stopped && cpu->budget))
        return 0;
    return cpu->budget + cpu->run->debug_kept;
}

void turn_end(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    EngineDebug *d = &run->accel->debug;
    bool stopped = d->stop.why != DEBUG_NOTHING;
    bool sleeps = !stopped && (run->common->halted || run->common->absent);
    int64_t count = (int64_t)run->accel->count;

    d->exact = run->exact;
    d->late = run->due <= count;
    if (d->late)
        d->left = !run->turned && !sleeps && count < run->due + TURN_LATE_INSNS;
    else
        d->left = sleeps ? 0 : left(cpu, stopped);
}
