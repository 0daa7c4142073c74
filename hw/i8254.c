/* SPDX-License-Identifier: MIT */
/*
 * The 8254 programmable interval timer with the timer bits of port 0x61.
 * Spec: Intel 8254 data sheet (231164); port B of the AT.
 *
 * Nothing ticks: a counter is the tick it was loaded at and what it was loaded with, and its value
 * and output follow from the time. Only the rising edges of OUT 0 cost a timer, one each; in modes
 * 2 and 3 the line falls and rises at that moment instead of being low before it.
 * A count written while modes 2 and 3 run takes effect at the end of the period. Periods shorter
 * than 8 ticks interrupt every 8 or more. Port 0x61's parity and channel check bits read 0.
 */
#include "hw/i8254.h"

enum { COUNTERS = 3, SPEAKER = 2, MIN_IRQ_TICKS = 8, REFRESH_TICKS = 18 };
enum { RW_LATCH, RW_LOW, RW_HIGH, RW_BOTH };
enum { PORT61_GATE2 = 1, PORT61_SPEAKER = 2, PORT61_WRITABLE = 0x0f };
enum { NO_TICK = -1 };

typedef struct Counter {
    uint8_t mode;   /* 0 to 5 */
    uint8_t access; /* RW_* */
    bool bcd;
    bool gate;
    bool loaded;     /* a count was written since the control word */
    bool running;    /* counting: modes 1 and 5 wait for the gate */
    bool write_high; /* RW_BOTH: the high byte comes next */
    bool read_high;
    bool count_latched, status_latched;
    uint8_t low_byte; /* waits for its high byte */
    uint8_t status;
    uint16_t latch;
    uint32_t count;      /* 1 to 0x10000 (10000 in BCD) */
    uint32_t next_count; /* takes effect at switch_tick */
    int64_t start_tick;  /* when count was taken over by the counting element */
    int64_t switch_tick; /* NO_TICK: no new count waits */
    uint32_t paused_at;  /* ticks counted when the gate went low */
} Counter;

typedef struct I8254 {
    Device dev;
    MemRegion *ports, io, port61;
    Clock *clock;
    const Irq *irq;
    Timer *timer;
    Counter counter[COUNTERS];
    uint8_t port61_bits;
    bool out0; /* level of the interrupt line */
} I8254;

/* ---- Time ------------------------------------------------------------------------------------ */

static int64_t now_tick(const I8254 *s)
{
    return clock_ns_to_ticks(clock_now_ns(s->clock), I8254_HZ);
}

/* The first ns at which now_tick() is @tick. */
static int64_t tick_to_ns(int64_t tick)
{
    int64_t ns = clock_ticks_to_ns(tick, I8254_HZ);

    while ((int64_t)clock_ns_to_ticks(ns, I8254_HZ) < tick)
        ns++;
    return ns;
}

static bool is_periodic(const Counter *c)
{
    return c->mode == 2 || c->mode == 3;
}

/* Does a low gate stop the counting? In modes 1 and 5 the gate only triggers. */
static bool is_gated_off(const Counter *c)
{
    return !c->gate && c->mode != 1 && c->mode != 5;
}

/* Take over a count that was waiting for the end of the period. */
static void settle(Counter *c, int64_t now)
{
    if (c->switch_tick == NO_TICK || now < c->switch_tick)
        return;
    c->start_tick = c->switch_tick;
    c->count = c->next_count;
    c->switch_tick = NO_TICK;
}

/* Ticks counted since the load; negative on the tick before it. */
static int64_t elapsed(const Counter *c, int64_t now)
{
    return is_gated_off(c) ? c->paused_at : now - c->start_tick;
}

static bool out_level(const Counter *c, int64_t now)
{
    int64_t d = elapsed(c, now);

    if (!c->loaded || !c->running)
        return c->mode != 0;
    if (is_periodic(c) && (!c->gate || d < 0))
        return true;
    switch (c->mode) {
    case 0:
    case 1: return d >= c->count;
    case 2: return d % c->count != c->count - 1;
    case 3: return d % c->count < (c->count + 1) / 2;
    default: return d != c->count; /* a strobe of one tick */
    }
}

/* The counting element, in binary. */
static uint32_t current_count(const Counter *c, int64_t now)
{
    int64_t d = MAX(elapsed(c, now), 0);
    uint32_t wrap = c->bcd ? 10000 : 0x10000, pos;

    if (!c->running)
        return c->count % wrap;
    switch (c->mode) {
    case 2: return (c->count - d % c->count) % wrap;
    case 3: /* down by two, twice per period */
        pos = d % c->count;
        if (pos >= (c->count + 1) / 2)
            pos -= (c->count + 1) / 2;
        return ((c->count & ~1u) - 2 * pos) % wrap;
    default: return (c->count + wrap - d % wrap) % wrap;
    }
}

static uint16_t to_bcd(uint32_t v)
{
    return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 | v / 1000 % 10 << 12;
}

static uint32_t from_bcd(uint16_t v)
{
    return (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 + (v >> 12) * 1000;
}

/* ---- Counter 0 and its interrupt ---------------------------------------------------------------
 */

/* The next tick after @now at which OUT rises, or NO_TICK. */
static int64_t next_rise(const Counter *c, int64_t now)
{
    int64_t base = c->start_tick, next;

    if (!c->loaded || !c->running || is_gated_off(c))
        return NO_TICK;
    if (is_periodic(c)) {
        if (c->switch_tick != NO_TICK)
            return c->switch_tick;
        next = MAX(now - base, 0) / c->count * c->count + c->count;
        if (c->count < MIN_IRQ_TICKS && next < now - base + MIN_IRQ_TICKS)
            next += (MIN_IRQ_TICKS / c->count) * c->count;
        return base + next;
    }
    next = base + c->count + (c->mode >= 4);
    return next > now ? next : NO_TICK;
}

static void drive_out0(I8254 *s, bool level)
{
    s->out0 = level;
    irq_set(s->irq, level);
}

static void arm(I8254 *s)
{
    int64_t now = now_tick(s);
    int64_t rise = next_rise(&s->counter[0], now);

    if (rise == NO_TICK)
        timer_cancel(s->timer);
    else
        timer_set(s->timer, tick_to_ns(rise));
}

static void out0_rises(void *opaque)
{
    I8254 *s = opaque;

    settle(&s->counter[0], now_tick(s));
    drive_out0(s, false);
    drive_out0(s, true);
    arm(s);
}

/* Counter 0 was written: bring line and timer in step. In modes 2 and 3 the line rests high. */
static void counter0_changed(I8254 *s)
{
    bool level = out_level(&s->counter[0], now_tick(s)) || is_periodic(&s->counter[0]);

    if (level != s->out0)
        drive_out0(s, level);
    arm(s);
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void load(I8254 *s, Counter *c, uint16_t written)
{
    uint32_t count = c->bcd ? from_bcd(written) : written;
    int64_t now = now_tick(s);

    if (count == 0)
        count = c->bcd ? 10000 : 0x10000;
    if (count == 1 && is_periodic(c))
        count = 2; /* illegal in these modes */
    settle(c, now);
    if (is_periodic(c) && c->running && !is_gated_off(c) && now >= c->start_tick) {
        int64_t left = c->count - (now - c->start_tick) % c->count;

        c->next_count = count;
        c->switch_tick = now + left;
    } else if ((c->mode == 1 || c->mode == 5) && c->running) {
        c->next_count = count; /* for the next trigger */
    } else {
        c->count = c->next_count = count;
        c->start_tick = now + 1; /* the next CLK pulse */
        c->paused_at = 0;
        c->running = c->mode != 1 && c->mode != 5;
    }
    c->loaded = true;
}

static void write_count(I8254 *s, unsigned n, uint8_t value)
{
    Counter *c = &s->counter[n];

    if (c->access == RW_BOTH && !c->write_high) {
        c->low_byte = value;
        c->write_high = true;
        if (c->mode == 0) { /* the first byte stops mode 0 */
            c->paused_at = 0;
            c->running = false;
        }
    } else {
        uint16_t count = value;

        if (c->access == RW_BOTH)
            count = c->low_byte | value << 8;
        else if (c->access == RW_HIGH)
            count = value << 8;
        c->write_high = false;
        load(s, c, count);
    }
    if (n == 0)
        counter0_changed(s);
}

static void latch_count(I8254 *s, Counter *c)
{
    uint32_t count;

    if (c->count_latched)
        return;
    settle(c, now_tick(s));
    count = current_count(c, now_tick(s));
    c->latch = c->bcd ? to_bcd(count) : count;
    c->count_latched = true;
}

static void latch_status(I8254 *s, Counter *c)
{
    int64_t now = now_tick(s);
    bool null_count;

    if (c->status_latched)
        return;
    settle(c, now);
    null_count = !c->loaded || c->switch_tick != NO_TICK || now < c->start_tick || c->write_high;
    c->status = out_level(c, now) << 7 | null_count << 6 | c->access << 4 | c->mode << 1 | c->bcd;
    c->status_latched = true;
}

static void write_control(I8254 *s, uint8_t value)
{
    unsigned n = value >> 6;
    Counter *c;

    if (n == 3) { /* read-back */
        for (unsigned i = 0; i < COUNTERS; i++) {
            if (!(value & 2u << i))
                continue;
            if (!(value & 0x20))
                latch_count(s, &s->counter[i]);
            if (!(value & 0x10))
                latch_status(s, &s->counter[i]);
        }
        return;
    }
    c = &s->counter[n];
    if ((value >> 4 & 3) == RW_LATCH) {
        latch_count(s, c);
        return;
    }
    *c = (Counter){
        .mode = (value >> 1 & 7) > 5 ? (value >> 1 & 3) : value >> 1 & 7,
        .access = value >> 4 & 3,
        .bcd = value & 1,
        .gate = c->gate,
        .count = c->count,
        .next_count = c->count,
        .switch_tick = NO_TICK,
    };
    if (n == 0)
        counter0_changed(s);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static uint8_t read_count(I8254 *s, Counter *c)
{
    uint16_t value;
    bool high;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    if (c->count_latched) {
        value = c->latch;
    } else {
        uint32_t count;

        settle(c, now_tick(s));
        count = current_count(c, now_tick(s));
        value = c->bcd ? to_bcd(count) : count;
    }
    high = c->access == RW_HIGH || (c->access == RW_BOTH && c->read_high);
    if (c->access == RW_BOTH)
        c->read_high = !c->read_high;
    if (c->access != RW_BOTH || high)
        c->count_latched = false;
    return high ? value >> 8 : value;
}

static uint64_t io_read(void *opaque, uint64_t addr, unsigned size)
{
    I8254 *s = opaque;

    return addr == 3 ? 0xff : read_count(s, &s->counter[addr]);
}

static void io_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    if (addr == 3)
        write_control(opaque, value);
    else
        write_count(opaque, addr, value);
}

/* ---- Port 0x61 ---------------------------------------------------------------------------------
 */

/* Elapsed ticks in 32 bits. Beyond the first period only the remainder matters, in BCD as well. */
static uint32_t fold(int64_t ticks)
{
    const uint32_t both = 0x10000 * 10000u;

    return ticks < both ? ticks : both + ticks % both;
}

static void set_gate(I8254 *s, Counter *c, bool gate)
{
    int64_t now = now_tick(s);

    if (gate == c->gate)
        return;
    settle(c, now);
    if (!gate) {
        c->paused_at = fold(MAX(now - c->start_tick, 0));
        c->gate = false;
        return;
    }
    c->gate = true;
    if (!c->loaded)
        return;
    if (c->mode == 0 || c->mode == 4) {
        c->start_tick = now - c->paused_at;
    } else { /* a rising gate triggers, or starts the period anew */
        c->count = c->next_count;
        c->switch_tick = NO_TICK;
        c->start_tick = now + 1;
        c->running = true;
    }
}

static uint64_t port61_read(void *opaque, uint64_t addr, unsigned size)
{
    I8254 *s = opaque;
    int64_t now = now_tick(s);
    unsigned refresh = now / REFRESH_TICKS & 1;

    settle(&s->counter[SPEAKER], now);
    return s->port61_bits | refresh << 4 | out_level(&s->counter[SPEAKER], now) << 5;
}

static void port61_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8254 *s = opaque;

    s->port61_bits = value & PORT61_WRITABLE;
    set_gate(s, &s->counter[SPEAKER], value & PORT61_GATE2);
}

uint32_t i8254_speaker_mhz(Device *pit)
{
    I8254 *s = (I8254 *)pit;
    const Counter *c = &s->counter[SPEAKER];

    if ((s->port61_bits & 3) != 3 || c->mode != 3 || !c->running)
        return 0;
    return I8254_HZ * 1000ull / c->count;
}

static const MemOps io_ops = { io_read, io_write, 1, 1 };
static const MemOps port61_ops = { port61_read, port61_write, 1, 1 };

/* ---- Life --------------------------------------------------------------------------------------
 */

static bool i8254_realize(Device *dev, GError **error)
{
    I8254 *s = (I8254 *)dev;

    s->timer = timer_new(s->clock, out0_rises, s);
    memory_init_io(&s->io, "pit", &io_ops, s, 4);
    memory_init_io(&s->port61, "pcspk", &port61_ops, s, 1);
    memory_add(s->ports, 0x40, 0, &s->io);
    memory_add(s->ports, 0x61, 0, &s->port61);
    return true;
}

static void i8254_unrealize(Device *dev)
{
    I8254 *s = (I8254 *)dev;

    timer_free(s->timer);
    s->timer = NULL;
    memory_remove(&s->io);
    memory_remove(&s->port61);
    memory_destroy(&s->io);
    memory_destroy(&s->port61);
}

static void i8254_reset_enter(Device *dev)
{
    I8254 *s = (I8254 *)dev;

    for (unsigned i = 0; i < COUNTERS; i++)
        s->counter[i] = (Counter){
            .mode = 3,
            .access = RW_BOTH,
            .gate = i != SPEAKER,
            .count = 0x10000,
            .next_count = 0x10000,
            .switch_tick = NO_TICK,
        };
    s->port61_bits = 0;
    s->out0 = false;
    timer_cancel(s->timer);
}

/* The counters stand still until they are programmed; OUT 0 is high in mode 3. */
static void i8254_reset_hold(Device *dev)
{
    drive_out0((I8254 *)dev, true);
}

static const StateField counter_state[] = {
    STATE_U8(Counter, mode),
    STATE_U8(Counter, access),
    STATE_BOOL(Counter, bcd),
    STATE_BOOL(Counter, gate),
    STATE_BOOL(Counter, loaded),
    STATE_BOOL(Counter, running),
    STATE_BOOL(Counter, write_high),
    STATE_BOOL(Counter, read_high),
    STATE_BOOL(Counter, count_latched),
    STATE_BOOL(Counter, status_latched),
    STATE_U8(Counter, low_byte),
    STATE_U8(Counter, status),
    STATE_U16(Counter, latch),
    STATE_U32(Counter, count),
    STATE_U32(Counter, next_count),
    STATE_U64(Counter, start_tick),
    STATE_U64(Counter, switch_tick),
    STATE_U32(Counter, paused_at),
    STATE_END,
};

static const StateField i8254_state[] = {
    STATE_STRUCT_ARRAY(I8254, counter, counter_state),
    STATE_U8(I8254, port61_bits),
    STATE_BOOL(I8254, out0),
    STATE_TIMER(I8254, timer),
    STATE_END,
};

const DeviceClass i8254_class = {
    .name = "isa-pit",
    .desc = "8254 interval timer",
    .size = sizeof(I8254),
    .state = i8254_state,
    .state_version = 1,
    .realize = i8254_realize,
    .unrealize = i8254_unrealize,
    .reset_enter = i8254_reset_enter,
    .reset_hold = i8254_reset_hold,
};

Device *i8254_new(Device *parent, MemRegion *ports, Clock *clock, const Irq *irq)
{
    I8254 *s = (I8254 *)device_new(&i8254_class, parent, NULL);

    s->ports = ports;
    s->clock = clock;
    s->irq = irq;
    return &s->dev;
}
