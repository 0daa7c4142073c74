/* SPDX-License-Identifier: MIT */
/*
 * The engine: the compiler and block cache of a machine, its CPUs, virtual time, and the machine
 * thread's loop, which gives each CPU a slice in turn (round robin, counted in instructions and so
 * deterministic when time is).
 */
#include "accel/accel.h"
#include "accel/engine.h"
#include "accel/plugin/mimus-plugin.h"
#include "accel/plugin/plugin.h"
#include "accel/turn.h"
#include "softmmu/error.h"
#include "softmmu/log.h"
#include "tcg/tcg.h"

#include <string.h>
#include <sys/mman.h>

/* Instructions of a slice when there are several CPUs, or when instructions are counted. Fast code
 * does seven of the latter in a nanosecond, and a turn of the loop takes half a microsecond. */
#define SLICE_SMP     10000
#define SLICE_COUNTED 1000000
#define SLICE_USUAL   200000 /* what the host does in the time that others have, more or less */
#define CHAOS_SIZES   15     /* powers of two */

/* A single CPU that follows the host's time gets as many as take it to the next timer, by the speed
 * of late, and input from elsewhere waits no longer than SLICE_MAX_NS. */
#define SLICE_MIN_NS 5000
#define SLICE_MAX_NS 100000
#define SLICE_MIN    5000
#define SLICE_MAX    1000000
#define SPEED_UNIT   1024 /* speed: instructions in so many ns */

/* A slice that takes longer, and a sleep that lasts longer than was meant, are the host's fault,
 * and do not pass for the guest: shorter than the periods of its timers. */
#define LATE_NS 1000000

/* Counted time: short waits are slept through together, as each would cost more than it lasts. */
#define NAP_NS 1000000

#define CODE_BUFFER_DEFAULT (64u << 20)

CpuTail *cpu_tail(Cpu *cpu)
{
    return cpu->run->tail;
}

uint8_t *accel_ram_host(Accel *a, uint64_t ram)
{
    const GPtrArray *blocks = ram_set_blocks(a->machine->ram);

    for (unsigned i = 0; i < blocks->len; i++) {
        const RamBlock *b = blocks->pdata[i];
        if (ram - b->ram_offset < b->size)
            return b->host + (ram - b->ram_offset);
    }
    g_assert_not_reached();
}

/* ---- Time ----------------------------------------------------------------------------------- */

uint64_t accel_instruction_count(Accel *a)
{
    return a->current ? cpu_instruction_count(a->current) : a->count;
}

int64_t accel_clock_source(void *opaque)
{
    Accel *a = opaque;

    if (a->icount_shift >= 0)
        return (int64_t)(accel_instruction_count(a) << a->icount_shift) + a->bias_ns;
    return (a->running ? host_clock_now(&a->host) : a->stopped_at_ns) + a->bias_ns;
}

int64_t cpu_clock_ns(Cpu *cpu)
{
    return clock_now_ns(cpu->run->accel->machine->clock);
}

bool cpu_has_host_clock(Cpu *cpu)
{
    const Accel *a = cpu->run->accel;

    return a->icount_shift < 0 && a->host.mult;
}

bool cpu_counts_time(const Cpu *cpu)
{
    return cpu->run->accel->icount_shift >= 0;
}

void accel_set_running(Accel *a, bool running)
{
    if (running == a->running)
        return;
    if (running) {
        a->bias_ns -= a->icount_shift >= 0 ? 0 : host_clock_now(&a->host) - a->stopped_at_ns;
        input_resume(a->machine->input);
    } else {
        a->stopped_at_ns = host_clock_now(&a->host);
        host_clock_allow(&a->host, INT64_MAX);
    }
    a->running = running;
    plugin_machine_event(a, running ? MIMUS_START : MIMUS_STOP, NULL);
}

/* Instructions until the next timer is due, at least 1. */
static int64_t instructions_to_deadline(Accel *a)
{
    int64_t deadline = clock_deadline_ns(a->machine->clock);
    int64_t left;

    if (deadline == CLOCK_NEVER)
        return INT32_MAX;
    left = deadline - clock_now_ns(a->machine->clock);
    left = (left + (1ll << a->icount_shift) - 1) >> a->icount_shift;
    return CLAMP(left, 1, INT32_MAX);
}

/* What the only CPU may run until the host's time is @deadline. */
static int64_t instructions_in_time(const Accel *a, int64_t now, int64_t deadline)
{
    int64_t ns = CLAMP(deadline - now, SLICE_MIN_NS, SLICE_MAX_NS);

    return CLAMP(ns * a->speed / SPEED_UNIT, SLICE_MIN, SLICE_MAX);
}

static int64_t slice_limit(Accel *a)
{
    if (a->icount_shift >= 0)
        return instructions_to_deadline(a);
    return instructions_in_time(a, clock_now_ns(a->machine->clock),
                                clock_deadline_ns(a->machine->clock));
}

void cpu_pass_time(Cpu *cpu, int64_t ns)
{
    Accel *a = cpu->run->accel;
    int64_t insns;

    if (a->icount_shift < 0)
        return;
    insns = ns >> a->icount_shift;
    a->bias_ns += insns << a->icount_shift;
    turn_shorten(cpu, insns);
}

/* A timer was armed nearer than the running CPU's slice reaches. */
static void deadline_moved(void *opaque)
{
    Accel *a = opaque;
    Cpu *cpu = a->current;

    if (cpu && (a->icount_shift >= 0 || a->cpus->len == 1))
        turn_set_due(cpu, (int64_t)cpu_instruction_count(cpu) + slice_limit(a));
}

/* The turn of CPU @turn that begins here. Chaotic ones are a function of seed and count, so that
 * they need no state: as likely from 1 to 2 as from 4096 to 8192. */
static int32_t smp_slice(const Accel *a, unsigned turn)
{
    const MachineConfig *c = a->machine->config;
    uint64_t random[] = { GUINT64_TO_LE(c->chaos_seed), GUINT64_TO_LE(a->count),
                          GUINT64_TO_LE(turn) };
    uint64_t hash;

    if (!c->chaos)
        return SLICE_SMP;
    hash = state_hash_bytes(random, sizeof(random), 0);
    return MIN(1 + (hash >> 8) % (UINT64_C(1) << hash % CHAOS_SIZES), SLICE_SMP);
}

/* Whoever looks at counts (-d hash:N, -dcount) is asked when they are reached. */
static int64_t counted_slice(const Accel *a)
{
    uint64_t next = log_next_count;

    return next > a->count ? (int64_t)MIN(next - a->count, SLICE_COUNTED) : 1;
}

/* Under counting CPUs take turns exactly: a block too long for what is left is cut. But where a
 * slice of the only CPU ends for no reason that anybody knows does not matter to it, and its timers
 * are a matter of turn.h. */
static Turn new_turn(Accel *a, unsigned turn)
{
    int64_t slice = smp_slice(a, turn), limit = INT32_MAX;
    bool exact = a->icount_shift >= 0 && (a->cpus->len > 1 || a->session || log_counts_matter());

    if (a->cpus->len == 1 && a->session)
        slice = session_slice_limit(a);
    else if (a->cpus->len == 1)
        slice = a->icount_shift >= 0 ? counted_slice(a) : slice_limit(a);
    if (a->icount_shift >= 0 && !turn_waits(a)) {
        limit = slice_limit(a);
        exact |= limit <= slice;
    }
    return (Turn){ .budget = (int32_t)MIN(slice, limit), .exact = exact };
}

/* @count instructions took @ns. Timers are late if the guess is too high: down at once, up by and
 * by. */
static void learn_speed(Accel *a, uint64_t count, int64_t ns)
{
    int64_t speed = CLAMP((int64_t)count * SPEED_UNIT / MAX(ns, 1), 1, 16 * SPEED_UNIT);

    if (speed < a->speed / 2)
        a->speed = speed;
    else if (ns >= SLICE_MIN_NS)
        a->speed += (speed - a->speed) / 8;
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void memory_changed(MemListener *l)
{
    Accel *a = (Accel *)((char *)l - offsetof(Accel, listener));

    for (unsigned i = 0; i < a->cpus->len; i++)
        tlb_flush(a->cpus->pdata[i]);
}

/* The same for a view of memory that only CPUs in a mode of their own have. */
static void view_changed(MemListener *l)
{
    Accel *a = (Accel *)((char *)l - offsetof(Accel, view_listener));

    for (unsigned i = 0; i < a->cpus->len; i++)
        if (cpu_common(a->cpus->pdata[i])->memory != a->machine->memory)
            tlb_flush(a->cpus->pdata[i]);
}

static void watch_views(Accel *a, void (*act)(AddressSpace *, MemListener *))
{
    AddressSpace *views[] = { a->machine->smm_memory, a->machine->smm_code };

    for (unsigned i = 0; i < G_N_ELEMENTS(views); i++)
        if (views[i])
            act(views[i], &a->view_listener);
}

static void ram_written(MemListener *l, uint64_t ram, uint64_t len)
{
    Accel *a = (Accel *)((char *)l - offsetof(Accel, listener));

    if (!a->tbs.pages)
        return;
    tb_invalidate(&a->tbs, ram, len);
    if (a->debug.nwatches)
        debug_dma(a, ram, len);
}

void accel_flush_code(Accel *a)
{
    if (a->tbs.pages)
        tb_flush(&a->tbs);
    context_forget_all(a);
}

void accel_set_one_insn(Accel *a, bool on)
{
    if (on == a->one_insn)
        return;
    a->one_insn = on;
    accel_flush_code(a);
}

bool accel_one_insn(const Accel *a)
{
    return a->one_insn;
}

static void request_made(void *opaque)
{
    Accel *a = opaque;

    if (a->current)
        cpu_kick(a->current);
}

static size_t tail_offset(const CpuOps *ops)
{
    return (ops->state_size + 63) & ~(size_t)63;
}

/* 0: the back end has no use for it. */
static size_t near_tlb_offset(const CpuOps *ops, const char *backend)
{
    return tcg_features(backend) & TCG_HAS_NEAR_TLB ? ops->near_tlb_offset : 0;
}

static TcgLayout layout_of(const CpuOps *ops, const char *backend)
{
    size_t tail = tail_offset(ops);

    return (TcgLayout){
        .env_size = tail + sizeof(CpuTail),
        .budget = offsetof(Cpu, budget),
        .vbase = offsetof(Cpu, vbase),
        .pc = offsetof(Cpu, pc),
        .jc_key = offsetof(Cpu, jc_key),
        .flags = offsetof(Cpu, cc),
        .own = offsetof(Cpu, own),
        .mxcsr = ops->mxcsr_offset,
        .fcw = ops->fcw_offset,
        .fsw = ops->fsw_offset,
        .host_x87 = ops->host_x87,
        .slow = tail + offsetof(CpuTail, slow),
        .scratch = tail + offsetof(CpuTail, scratch),
        .interp = tail + offsetof(CpuTail, interp),
        .tlb = tail + offsetof(CpuTail, tlb),
        .near_tlb = near_tlb_offset(ops, backend),
        .stack = tail + offsetof(CpuTail, stack),
        .stack_head = offsetof(Cpu, stack_head),
        .jc = tail + offsetof(CpuTail, jc),
        .jump_refill = jump_refill,
        .mem_refill = tlb_refill,
        .mem_direct = tlb_direct,
        .mem_across = tlb_across,
        .mem_slow = guest_mem_slow,
        .mem_alone = cpu_restart_alone,
        .mem_ungrouped = cpu_rest_alone,
        .trap = cpu_trap,
    };
}

/* -perfmap, -jitdump. */
static bool start_profile(Tcg *tcg, const MachineConfig *c, HostProfile **p, GError **error)
{
    const void *start = tcg_buffer_start(tcg);

    if (!c->perfmap && !c->jitdump)
        return true;
    if (!start) {
        error_set(error, "-perfmap and -jitdump: back end '%s' makes no host code",
                  tcg_backend_name(tcg));
        return false;
    }
    *p = host_profile_new(c->perfmap, c->jitdump, error);
    if (*p)
        host_profile_add(*p, start, tcg_buffer_used(tcg), "mimus:thunks");
    return *p;
}

/* The architecture's slots, and ours behind them. */
static IrSlot *make_slots(const CpuOps *ops)
{
    IrSlot *slots = g_new(IrSlot, ops->nslots + PLUGIN_SLOTS);

    memcpy(slots, ops->slots, ops->nslots * sizeof(IrSlot));
    plugin_slots(slots + ops->nslots, tail_offset(ops) + offsetof(CpuTail, plugin));
    return slots;
}

/* … and its helpers. */
static TcgHelper *make_helpers(const CpuOps *ops)
{
    TcgHelper *helpers = g_new(TcgHelper, ops->nhelpers + PLUGIN_HELPERS);

    if (ops->nhelpers)
        memcpy(helpers, ops->helpers, ops->nhelpers * sizeof(TcgHelper));
    memcpy(helpers + ops->nhelpers, plugin_helpers, sizeof(plugin_helpers));
    return helpers;
}

Accel *accel_new(Machine *m, const CpuOps *ops, GError **error)
{
    IrSlot *slots = make_slots(ops);
    TcgHelper *helpers = make_helpers(ops);
    TcgConfig config = {
        .backend = m->config->accel_backend,
        .buffer_size = m->config->tb_size ? m->config->tb_size : CODE_BUFFER_DEFAULT,
        .census = log_enabled(LOG_STATS),
        .layout = layout_of(ops, m->config->accel_backend),
        .slots = slots,
        .nslots = ops->nslots + PLUGIN_SLOTS,
        .helpers = helpers,
        .nhelpers = ops->nhelpers + PLUGIN_HELPERS,
    };
    Tcg *tcg = tcg_new(&config, error);
    HostProfile *profile = NULL;
    Accel *a;

    if (!tcg || !start_profile(tcg, m->config, &profile, error)) {
        tcg_free(tcg);
        g_free(slots);
        g_free(helpers);
        return NULL;
    }
    a = g_new0(Accel, 1);
    a->machine = m;
    a->ops = ops;
    a->profile = profile;
    a->tcg = tcg;
    a->slots = slots;
    a->helpers = helpers;
    a->cpus = g_ptr_array_new();
    a->icount_shift = m->config->icount_shift;
    a->waypoint = WAYPOINT_NONE;
    a->speed = SPEED_UNIT;
    host_clock_init(&a->host);
    a->stopped_at_ns = host_clock_now(&a->host);
    a->bias_ns = a->icount_shift >= 0 ? 0 : -a->stopped_at_ns;
    context_forget_all(a);
    a->view_listener = (MemListener){ .changed = view_changed };
    a->listener = (MemListener){ .changed = memory_changed, .ram_written = ram_written };
    address_space_add_listener(m->memory, &a->listener);
    m->clock = clock_new(accel_clock_source, a);
    clock_set_rearm_hook(m->clock, deadline_moved, a);
    m->request_hook = request_made;
    m->request_opaque = a;
    return a;
}

static size_t cpu_map_size(const CpuOps *ops)
{
    return (tail_offset(ops) + sizeof(CpuTail) + 4095) & ~(size_t)4095;
}

static void cpu_free(Accel *a, Cpu *cpu)
{
    tlb_free(cpu->run->tlb);
    jump_cache_destroy(cpu);
    g_free(cpu->run);
    munmap(cpu, cpu_map_size(a->ops));
}

void accel_free(Accel *a)
{
    plugin_unload_all(a);
    travel_free(a);
    session_free(a);
    address_space_remove_listener(a->machine->memory, &a->listener);
    watch_views(a, address_space_remove_listener);
    if (a->tbs.pages) {
        monitor_forget(a);
        tb_cache_destroy(&a->tbs);
    }
    for (unsigned i = 0; i < a->cpus->len; i++)
        cpu_free(a, a->cpus->pdata[i]);
    g_ptr_array_free(a->cpus, true);
    g_hash_table_destroy(a->contexts);
    g_free(a->debug.points);
    tcg_free(a->tcg);
    g_free(a->slots);
    g_free(a->helpers);
    host_profile_free(a->profile);
    clock_free(a->machine->clock);
    a->machine->clock = NULL;
    g_free(a);
}

static void init_l1(Cpu *cpu)
{
    CpuRun *run = cpu->run;
    size_t near = near_tlb_offset(cpu->ops, tcg_backend_name(run->accel->tcg));

    for (unsigned mmu = 0; mmu < TCG_MMU_MODES; mmu++) {
        run->l1_step[mmu] = near && mmu == 0 ? 2 : 1;
        for (unsigned w = 0; w < 2; w++) {
            run->l1[mmu][w] =
                near && mmu == 0 ? (TlbEntry *)((char *)cpu + near) + w : run->tail->tlb[mmu][w];
            for (unsigned i = 0; i < TCG_TLB_SIZE; i++)
                l1_entry(run, mmu, w, i)->tag = TLB_NONE;
        }
    }
}

/* Translated code looks all over the TLB and the jump cache: where the host has huge pages, they
 * are in one. */
static Cpu *cpu_map(size_t size)
{
    const size_t huge = 2u << 20;
    char *p = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t head = -(uintptr_t)p & (huge - 1);

    g_assert(p != MAP_FAILED);
    if (head)
        munmap(p, head);
    munmap(p + head + size, huge - head);
#ifdef MADV_HUGEPAGE
    madvise(p + head, MIN(size, huge), MADV_HUGEPAGE); /* a wish only */
#endif
    return (Cpu *)(p + head);
}

Cpu *accel_add_cpu(Accel *a, unsigned index)
{
    Cpu *cpu = cpu_map(cpu_map_size(a->ops));
    CpuCommon *common;

    g_assert(index == a->cpus->len);
    cpu->ops = a->ops;
    common = cpu_common(cpu);
    common->index = index;
    common->memory = a->machine->memory;
    common->io = a->machine->io;
    cpu->run = g_new0(CpuRun, 1);
    cpu->run->accel = a;
    cpu->run->common = common;
    cpu->run->tail = (CpuTail *)((char *)cpu + tail_offset(a->ops));
    cpu->run->tlb = tlb_new();
    cpu_context_changed(cpu);
    init_l1(cpu);
    jump_cache_init(cpu);
    g_ptr_array_add(a->cpus, cpu);
    return cpu;
}

Cpu *accel_cpu(Accel *a, unsigned index)
{
    return index < a->cpus->len ? a->cpus->pdata[index] : NULL;
}

unsigned accel_cpu_count(const Accel *a)
{
    return a->cpus->len;
}

unsigned accel_features(const Accel *a)
{
    return tcg_features(tcg_backend_name(a->tcg));
}

bool cpu_is_alone(const Cpu *cpu)
{
    return cpu->run->accel->cpus->len == 1;
}

Cpu *accel_current_cpu(Accel *a)
{
    return a->current ? a->current : a->cpus->pdata[0];
}

bool accel_is_running(const Accel *a)
{
    return a->current;
}

/* ---- The machine thread --------------------------------------------------------------------- */

/* ---- A debugger may stop a CPU in the middle of its turn, which the next round then begins with.
 */

static unsigned begin_round(Accel *a)
{
    return a->debug.left ? a->debug.turn : 0;
}

static Turn next_turn(Accel *a, unsigned turn)
{
    EngineDebug *d = &a->debug;
    Turn t = new_turn(a, turn);
    int32_t left = d->left;

    d->left = 0;
    if (!left || turn != d->turn)
        return t;
    t.exact |= d->exact;
    t.late = d->late;
    t.budget = a->icount_shift >= 0 && !turn_waits(a) ? MIN(left, (int32_t)slice_limit(a)) : left;
    return t;
}

static void break_off(Accel *a, unsigned turn)
{
    a->debug.turn = turn;
    if (a->debug.left || turn + 1 == a->cpus->len || (a->machine->requests & GUEST_REQUESTS))
        return;
    a->debug.turn++; /* nothing left of it: the next CPU's comes */
    a->debug.left = smp_slice(a, a->debug.turn);
}

/* After the slice of CPU @turn. True: the round is broken off. */
static bool is_interrupted(Accel *a, unsigned turn)
{
    bool stop = a->debug.stop.why != DEBUG_NOTHING;

    if (a->travel)
        travel_note_slice(a, turn);
    if (!stop && !a->debug.left && accel_steps(a) < a->waypoint)
        return false;
    break_off(a, turn);
    if (a->debug.stop.why != DEBUG_NOTHING) /* unless it was the traveller's own */
        machine_request(a->machine, REQUEST_DEBUG);
    return true;
}

/* A slice for each CPU that has something to do; false: none had. */
static bool run_all(Accel *a)
{
    bool any = a->debug.left; /* a CPU that a turn is left to has had some of it */
    bool follows_host = a->icount_shift < 0 && a->cpus->len == 1;
    int64_t start = follows_host ? clock_now_ns(a->machine->clock) : 0;
    uint64_t count = a->count;

    if (a->machine->state == RUN_SUSPENDED) /* time passes, until something wakes the board */
        return false;
    for (unsigned i = begin_round(a); i < a->cpus->len && !a->machine->requests; i++) {
        Cpu *cpu = a->cpus->pdata[i];
        if (a->icount_shift < 0)
            host_clock_allow(&a->host, LATE_NS);
        Turn turn = next_turn(a, i);
        if (cpu->run->debug_run == DEBUG_HOLD)
            continue;
        any |= cpu_exec_slice(cpu, &turn);
        if (is_interrupted(a, i))
            return true;
    }
    if (follows_host && any)
        learn_speed(a, a->count - count, clock_now_ns(a->machine->clock) - start);
    return any;
}

/* Whether counted time passes no faster than the host's while nothing runs: what comes from outside
 * is then in time, and waiting for it costs nothing. A replay waits for nobody. */
static bool naps(const Accel *a)
{
    return a->machine->config->icount_sleep && !session_is_replay(a);
}

/* Counted time goes on by @left, to the next timer; if input comes, only as far as it was waited
 * for. Where that is is seen by nobody but the input, whose moment is recorded. */
static void idle_counted(Accel *a, int64_t left)
{
    int64_t before = a->owed_ns, slept;

    left = MIN(left, session_idle_limit(a));
    if (left <= 0)
        return;
    if (naps(a) && before + left >= NAP_NS) {
        session_before_nap(a);
        slept = g_get_monotonic_time() * 1000;
        input_wait(a->machine->input, before + left);
        slept = g_get_monotonic_time() * 1000 - slept;
        if (input_pending(a->machine->input))
            left = CLAMP(slept - before, 0, left);
        before = MAX(before - slept, -left);
    }
    a->owed_ns = before + left;
    a->bias_ns += left;
}

/* Every CPU is halted. Sleep until the next timer is due, which is now if a clock that follows the
 * host is late by as much. */
static void idle(Accel *a)
{
    int64_t deadline = clock_deadline_ns(a->machine->clock);
    int64_t left = deadline - clock_now_ns(a->machine->clock);

    if (a->icount_shift >= 0 && deadline != CLOCK_NEVER)
        idle_counted(a, left);
    else if (deadline == CLOCK_NEVER) {
        host_clock_catch_up(&a->host, INT64_MAX);
        host_clock_allow(&a->host, INT64_MAX);
        if (session_before_sleep(a))
            input_wait(a->machine->input, CLOCK_NEVER);
    } else if (left > 0) {
        left -= host_clock_catch_up(&a->host, left);
        host_clock_allow(&a->host, left + LATE_NS);
        if (left > 0)
            input_wait(a->machine->input, left);
    }
}

static void before_flush(void *opaque)
{
    Accel *a = opaque;

    if (a->plugins)
        plugin_forget_blocks(a->plugins);
}

/* The board is complete. */
static void start(Accel *a)
{
    tb_cache_init(&a->tbs, a->tcg, ram_set_end(a->machine->ram));
    a->written = ram_set_written(a->machine->ram);
    a->tbs.monitor_hit = monitor_hit;
    a->tbs.opaque = a;
    a->tbs.before_flush = before_flush;
    watch_views(a, address_space_add_listener);
    for (unsigned i = 0; i < a->cpus->len; i++)
        cpu_monitor_again(a->cpus->pdata[i]);
}

/* Counting: by what CPUs run, and not as the host makes the loop turn, so that equal runs have
 * equal blocks. */
static void settle_pages(Accel *a)
{
    uint64_t slices = a->count / SLICE_USUAL - a->settled_at / SLICE_USUAL;

    a->settled_at = a->count;
    tb_settle_pages(&a->tbs, a->icount_shift >= 0 ? MIN(slices, UINT16_MAX) : 1);
}

/* Is this between turns? A debugger's stop within one is no moment of a recording, and no timer
 * runs while a turn is late for it. */
static bool is_whole(const Accel *a)
{
    return !a->debug.left || (!a->session && !a->debug.late);
}

/* It goes on, and a timer that stalled the clock when it stopped comes before any instruction. */
static bool resumes_overdue(Accel *a, bool may_run)
{
    bool resumes = may_run && !a->running;

    accel_set_running(a, may_run);
    return resumes && clock_deadline_ns(a->machine->clock) <= clock_now_ns(a->machine->clock);
}

void accel_run(Accel *a, bool (*process)(void *opaque, bool *quit), void *opaque)
{
    bool quit = false;

    if (!a->tbs.pages)
        start(a);
    for (;;) {
        if (a->icount_shift < 0)
            host_clock_steer(&a->host);
        settle_pages(a);
        if (a->travel)
            travel_turn(a);
        bool whole = is_whole(a);
        if (whole)
            session_turn(a);
        input_deliver(a->machine->input, a->running && whole, a->count);
        if (whole && a->running && !debug_stills_time(a))
            a->turn += clock_run_expired(a->machine->clock);
        a->turn += (a->machine->requests & GUEST_REQUESTS) != 0;
        bool may_run = process(opaque, &quit);
        if (quit)
            break;
        if (resumes_overdue(a, may_run))
            continue;
        if (a->travel && may_run && travel_is_due(a))
            continue;
        if (whole && session_before_slice(a))
            continue;
        if (!may_run)
            input_wait(a->machine->input, CLOCK_NEVER);
        else if (!run_all(a) && !a->machine->requests)
            idle(a);
    }
    session_end(a);
    accel_set_running(a, false);
}
