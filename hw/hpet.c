/* SPDX-License-Identifier: MIT */
/*
 * The high precision event timer block. Spec: IA-PC HPET 1.0a.
 *
 * 10 ns ticks, three comparators, each periodic and 64 bits wide, legacy replacement; routable to
 * I/O APIC pin 2. Comparators match on equality, as the specification says: one that is set behind
 * the counter waits for the counter to come round. Matches closer than 1 us apart are merged. FSB
 * (message) delivery is not offered. Without its interrupt enabled a timer sets no status bit.
 */
#include "hw/hpet.h"

#include "softmmu/log.h"

#define TICK_NS        10
#define PERIOD_FS      10000000ull
#define TIMERS         3
#define ROUTE_CAP      0x4u /* pin 2 */
#define MIN_MATCH_TICK 100

enum {
    REG_CAP = 0x000,
    REG_CONF = 0x010,
    REG_STATUS = 0x020,
    REG_COUNTER = 0x0f0,
    REG_TIMER = 0x100,
    TIMER_STRIDE = 0x20,

    CONF_ENABLE = 1 << 0,
    CONF_LEGACY = 1 << 1,
    TN_LEVEL = 1 << 1,
    TN_ENABLE = 1 << 2,
    TN_PERIODIC = 1 << 3,
    TN_PERIODIC_CAP = 1 << 4,
    TN_64BIT_CAP = 1 << 5,
    TN_SET_VALUE = 1 << 6,
    TN_32BIT = 1 << 8,
    TN_ROUTE_SHIFT = 9,
    TN_WRITABLE = 0x3f4e,
};

typedef struct Hpet Hpet;

typedef struct Comparator {
    Hpet *hpet;
    unsigned n;
    Timer *timer;
    uint64_t config;
    uint64_t compare, period;
    uint64_t fsb; /* stored */
} Comparator;

struct Hpet {
    Device dev;
    MemRegion *memory, window;
    uint64_t base;
    Clock *clock;
    const Irq *gsi, *legacy;
    uint64_t config, status;
    uint64_t counter; /* while stopped, or at start_ns */
    int64_t start_ns;
    Comparator timer[TIMERS];
};

/* ---- Counting
 * ------------------------------------------------------------------------------------- */

static bool is_running(const Hpet *s)
{
    return s->config & CONF_ENABLE;
}

static uint64_t counter_now(const Hpet *s)
{
    if (!is_running(s))
        return s->counter;
    return s->counter + (uint64_t)(clock_now_ns(s->clock) - s->start_ns) / TICK_NS;
}

static uint64_t width_mask(const Comparator *t)
{
    return t->config & TN_32BIT ? UINT32_MAX : UINT64_MAX;
}

/* Move a periodic comparator to its first match after @counter. One that is more than half the
 * counter's range away lies behind. */
static void advance(Comparator *t, uint64_t counter)
{
    uint64_t mask = width_mask(t), behind = (counter - t->compare) & mask;

    if (!(t->config & TN_PERIODIC) || !(t->period & mask) || behind > mask / 2)
        return;
    t->compare = (t->compare + (behind / (t->period & mask) + 1) * (t->period & mask)) & mask;
}

/* ---- Interrupts
 * ------------------------------------------------------------------------------------ */

static const Irq *line_of(const Comparator *t)
{
    if ((t->hpet->config & CONF_LEGACY) && t->n < 2)
        return &t->hpet->gsi[t->n == 0 ? 0 : 8];
    if (ROUTE_CAP >> (t->config >> TN_ROUTE_SHIFT & 31) & 1)
        return &t->hpet->gsi[t->config >> TN_ROUTE_SHIFT & 31];
    return NULL;
}

/* Bring the level of timer @t's line in step: high only for a level interrupt that is pending. */
static void drive_line(Comparator *t)
{
    bool level = is_running(t->hpet) && (t->config & TN_ENABLE) && (t->config & TN_LEVEL) &&
                 (t->hpet->status >> t->n & 1);

    irq_set(line_of(t), level);
}

static void match(Comparator *t)
{
    if (t->config & TN_LEVEL) {
        t->hpet->status |= 1u << t->n;
        drive_line(t);
    } else {
        irq_pulse(line_of(t));
    }
}

static void arm(Comparator *t)
{
    Hpet *s = t->hpet;
    uint64_t counter, ticks, phase;

    timer_cancel(t->timer);
    if (!is_running(s) || !(t->config & TN_ENABLE))
        return;
    counter = counter_now(s);
    advance(t, counter);
    ticks = (t->compare - counter) & width_mask(t);
    if (ticks == 0) /* this match is over */
        ticks = width_mask(t);
    if ((t->config & TN_PERIODIC) && t->period && t->period < MIN_MATCH_TICK &&
        ticks < MIN_MATCH_TICK)
        ticks += (MIN_MATCH_TICK + t->period - 1) / t->period * t->period;
    if (ticks > INT64_MAX / TICK_NS / 2)
        return; /* centuries */
    phase = (uint64_t)(clock_now_ns(s->clock) - s->start_ns) % TICK_NS;
    timer_set(t->timer, clock_now_ns(s->clock) - phase + ticks * TICK_NS);
}

static void timer_expired(void *opaque)
{
    Comparator *t = opaque;

    match(t);
    arm(t);
}

/* ---- Registers
 * --------------------------------------------------------------------------------------- */

static void write_config(Hpet *s, uint64_t value)
{
    uint64_t old = s->config, counter = counter_now(s);

    for (unsigned i = 0; i < TIMERS; i++) /* routes may change */
        irq_set(line_of(&s->timer[i]), 0);
    s->counter = counter;
    s->start_ns = clock_now_ns(s->clock);
    s->config = value & (CONF_ENABLE | CONF_LEGACY);
    if ((old ^ s->config) & CONF_LEGACY)
        irq_set(s->legacy, !!(s->config & CONF_LEGACY));
    for (unsigned i = 0; i < TIMERS; i++) {
        drive_line(&s->timer[i]);
        arm(&s->timer[i]);
    }
}

static void write_status(Hpet *s, uint64_t value)
{
    s->status &= ~value;
    for (unsigned i = 0; i < TIMERS; i++) {
        if (value >> i & 1)
            drive_line(&s->timer[i]);
    }
}

static void write_counter(Hpet *s, uint64_t value)
{
    if (is_running(s))
        log_guest_error("hpet: counter written while it runs\n");
    s->counter = value;
    s->start_ns = clock_now_ns(s->clock);
    for (unsigned i = 0; i < TIMERS; i++)
        arm(&s->timer[i]);
}

static void write_timer_config(Comparator *t, uint64_t value)
{
    irq_set(line_of(t), 0);
    t->config = (t->config & ~(uint64_t)TN_WRITABLE) | (value & TN_WRITABLE);
    if (t->config & TN_32BIT) {
        t->compare &= UINT32_MAX;
        t->period &= UINT32_MAX;
    }
    if (!(t->config & TN_LEVEL))
        t->hpet->status &= ~(1ull << t->n);
    drive_line(t);
    arm(t);
}

/* In periodic mode a write sets the period; with "set value" the comparator as well. */
static void write_compare(Comparator *t, uint64_t value, uint64_t mask)
{
    bool periodic = t->config & TN_PERIODIC;

    mask &= width_mask(t);
    if (!periodic || (t->config & TN_SET_VALUE))
        t->compare = (t->compare & ~mask) | (value & mask);
    if (periodic)
        t->period = (t->period & ~mask) | (value & mask);
    t->config &= ~(uint64_t)TN_SET_VALUE;
    arm(t);
}

static uint64_t timer_reg_read(Hpet *s, Comparator *t, unsigned reg)
{
    switch (reg) {
    case 0x00: return t->config | (uint64_t)ROUTE_CAP << 32;
    case 0x08:
        if (is_running(s))
            advance(t, counter_now(s));
        return t->compare;
    case 0x10: return t->fsb;
    }
    return 0;
}

static uint64_t reg_read(Hpet *s, uint64_t reg)
{
    unsigned n = (reg - REG_TIMER) / TIMER_STRIDE;

    switch (reg) {
    case REG_CAP: return PERIOD_FS << 32 | HPET_ID;
    case REG_CONF: return s->config;
    case REG_STATUS: return s->status;
    case REG_COUNTER: return counter_now(s);
    }
    if (reg >= REG_TIMER && n < TIMERS)
        return timer_reg_read(s, &s->timer[n], reg % TIMER_STRIDE);
    return 0;
}

/* @mask: the bits that this access carries; @merged: the register with them put in. */
static void timer_reg_write(Comparator *t, unsigned reg, uint64_t merged, uint64_t mask)
{
    switch (reg) {
    case 0x00: write_timer_config(t, merged); break;
    case 0x08: write_compare(t, merged, mask); break;
    case 0x10: t->fsb = merged; break;
    }
}

static void reg_write(Hpet *s, uint64_t reg, uint64_t value, uint64_t mask)
{
    unsigned n = (reg - REG_TIMER) / TIMER_STRIDE;
    uint64_t merged = (reg_read(s, reg) & ~mask) | (value & mask);

    switch (reg) {
    case REG_CONF: write_config(s, merged); return;
    case REG_STATUS: write_status(s, value & mask); return;
    case REG_COUNTER: write_counter(s, merged); return;
    }
    if (reg >= REG_TIMER && n < TIMERS)
        timer_reg_write(&s->timer[n], reg % TIMER_STRIDE, merged, mask);
}

static uint64_t window_read(void *opaque, uint64_t addr, unsigned size)
{
    return reg_read(opaque, addr & ~7ull) >> 8 * (addr & 7);
}

static void window_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    unsigned shift = 8 * (addr & 7);
    uint64_t mask = (size == 8 ? UINT64_MAX : (1ull << 8 * size) - 1) << shift;

    reg_write(opaque, addr & ~7ull, value << shift, mask);
}

static const MemOps window_ops = { window_read, window_write, 1, 8 };

/* ---- Life
 * ---------------------------------------------------------------------------------------------- */

static bool hpet_realize(Device *dev, GError **error)
{
    Hpet *s = (Hpet *)dev;

    for (unsigned i = 0; i < TIMERS; i++) {
        s->timer[i].hpet = s;
        s->timer[i].n = i;
        s->timer[i].timer = timer_new(s->clock, timer_expired, &s->timer[i]);
    }
    memory_init_io(&s->window, "hpet", &window_ops, s, 0x400);
    memory_add(s->memory, s->base, 0, &s->window);
    return true;
}

static void hpet_unrealize(Device *dev)
{
    Hpet *s = (Hpet *)dev;

    for (unsigned i = 0; i < TIMERS; i++) {
        timer_free(s->timer[i].timer);
        s->timer[i].timer = NULL;
    }
    memory_remove(&s->window);
    memory_destroy(&s->window);
}

static void hpet_reset_enter(Device *dev)
{
    Hpet *s = (Hpet *)dev;

    s->config = s->status = s->counter = 0;
    s->start_ns = 0;
    for (unsigned i = 0; i < TIMERS; i++) {
        Comparator *t = &s->timer[i];

        t->config = TN_PERIODIC_CAP | TN_64BIT_CAP;
        t->compare = UINT64_MAX;
        t->period = t->fsb = 0;
        timer_cancel(t->timer);
    }
}

static void hpet_reset_hold(Device *dev)
{
    Hpet *s = (Hpet *)dev;

    irq_lower(s->legacy);
    irq_lower(&s->gsi[0]);
    irq_lower(&s->gsi[2]);
    irq_lower(&s->gsi[8]);
}

static const StateField comparator_state[] = {
    STATE_U64(Comparator, config), STATE_U64(Comparator, compare), STATE_U64(Comparator, period),
    STATE_U64(Comparator, fsb),    STATE_TIMER(Comparator, timer), STATE_END,
};

static const StateField hpet_state[] = {
    STATE_U64(Hpet, config),
    STATE_U64(Hpet, status),
    STATE_U64(Hpet, counter),
    STATE_U64(Hpet, start_ns),
    STATE_STRUCT_ARRAY(Hpet, timer, comparator_state),
    STATE_END,
};

const DeviceClass hpet_class = {
    .name = "hpet",
    .desc = "high precision event timer",
    .size = sizeof(Hpet),
    .state = hpet_state,
    .state_version = 1,
    .realize = hpet_realize,
    .unrealize = hpet_unrealize,
    .reset_enter = hpet_reset_enter,
    .reset_hold = hpet_reset_hold,
};

Device *hpet_new(Device *parent, MemRegion *memory, uint64_t base, Clock *clock, const Irq *gsi,
                 const Irq *legacy)
{
    Hpet *s = (Hpet *)device_new(&hpet_class, parent, NULL);

    s->memory = memory;
    s->base = base;
    s->clock = clock;
    s->gsi = gsi;
    s->legacy = legacy;
    return &s->dev;
}
