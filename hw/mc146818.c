/* SPDX-License-Identifier: MIT */
/*
 * The MC146818 real-time clock with 128 bytes of CMOS memory.
 * Spec: Motorola MC146818A data sheet; century in byte 0x32 as IBM's later machines have it.
 *
 * Nothing ticks. The calendar is a base (seconds, and the clock time they were true at); flags of
 * register C are found when somebody looks, and a timer runs only for an interrupt that is enabled
 * and not yet pending. The square wave output and daylight saving are missing (their bits are
 * stored). UIP is high for the last 244 us of a second; the update itself takes no time.
 */
#include "hw/mc146818.h"

#include <string.h>

enum {
    REG_SECONDS,
    REG_SECONDS_ALARM,
    REG_MINUTES,
    REG_MINUTES_ALARM,
    REG_HOURS,
    REG_HOURS_ALARM,
    REG_WEEKDAY,
    REG_DAY,
    REG_MONTH,
    REG_YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
    REG_CENTURY = 0x32,
    CMOS_SIZE = 128,

    A_UIP = 0x80,
    A_RATE = 0x0f,
    B_SET = 0x80,
    B_PIE = 0x40,
    B_AIE = 0x20,
    B_UIE = 0x10,
    B_BINARY = 0x04,
    B_24H = 0x02,
    C_IRQF = 0x80,
    C_PF = 0x40,
    C_AF = 0x20,
    C_UF = 0x10,
    D_VRT = 0x80,
    HOUR_PM = 0x80,
    ALARM_ANY = 0xc0,
};

#define UIP_NS         244141
#define TICK_HZ        32768
#define SECONDS_OF_DAY 86400

typedef struct Mc146818 {
    Device dev;
    MemRegion *ports, io;
    Clock *clock;
    Timer *timer;
    const Irq *irq;
    void (*changed)(void *opaque, int64_t offset_s);
    void *opaque;
    int64_t start_s; /* calendar at clock 0 */
    /* state; registers A to C and time bytes (while SET) are in cmos[] */
    uint8_t index;
    uint8_t cmos[CMOS_SIZE];
    int64_t base_s; /* seconds since 1970 that the calendar showed at base_ns */
    int64_t base_ns;
    uint8_t weekday_offset; /* the guest may number weekdays as it likes */
    int64_t seen_ns;        /* flags of register C are up to date to here */
} Mc146818;

/* ---- Calendar ----------------------------------------------------------------------------------
 */

typedef struct Calendar {
    int64_t year;
    int month, day, weekday, hour, minute, second; /* month, day from 1; weekday 1 = Sunday */
} Calendar;

/* Days since 1970-01-01 in the Gregorian calendar; any month and day number is folded in. */
static int64_t days_from_date(int64_t year, int64_t month, int64_t day)
{
    int64_t months = year * 12 + (month - 1) - 2; /* years that begin in March */
    int64_t y = months / 12, m = months % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static void calendar_from_seconds(Calendar *c, int64_t seconds)
{
    int64_t days = seconds / SECONDS_OF_DAY, rest = seconds % SECONDS_OF_DAY, n;

    if (rest < 0) {
        rest += SECONDS_OF_DAY;
        days--;
    }
    n = days + 719468;
    c->year = n * 400 / 146097;
    while (days_from_date(c->year + 1, 1, 1) <= days)
        c->year++;
    while (days_from_date(c->year, 1, 1) > days)
        c->year--;
    c->month = 1;
    while (c->month < 12 && days_from_date(c->year, c->month + 1, 1) <= days)
        c->month++;
    c->day = days - days_from_date(c->year, c->month, 1) + 1;
    c->weekday = (days % 7 + 7 + 4) % 7 + 1; /* 1970-01-01 was a Thursday */
    c->hour = rest / 3600;
    c->minute = rest / 60 % 60;
    c->second = rest % 60;
}

static uint8_t encode(const Mc146818 *s, unsigned value)
{
    return s->cmos[REG_B] & B_BINARY ? value : (value / 10 << 4 | value % 10);
}

static unsigned decode(const Mc146818 *s, uint8_t byte)
{
    return s->cmos[REG_B] & B_BINARY ? byte : (byte >> 4) * 10u + (byte & 15);
}

static uint8_t encode_hour(const Mc146818 *s, unsigned hour)
{
    if (s->cmos[REG_B] & B_24H)
        return encode(s, hour);
    return encode(s, hour % 12 ? hour % 12 : 12) | (hour >= 12 ? HOUR_PM : 0);
}

static unsigned decode_hour(const Mc146818 *s, uint8_t byte)
{
    if (s->cmos[REG_B] & B_24H)
        return decode(s, byte);
    return decode(s, byte & ~HOUR_PM) % 12 + (byte & HOUR_PM ? 12 : 0);
}

/* ---- Time ---------------------------------------------------------------------------------------
 */

/* Stopped by SET, or by a divider that is held in reset or fed by another oscillator. */
static bool is_running(const Mc146818 *s)
{
    return !(s->cmos[REG_B] & B_SET) && (s->cmos[REG_A] & 0x70) <= 0x20;
}

static int64_t whole_seconds(const Mc146818 *s, int64_t now_ns)
{
    return s->base_s + (now_ns - s->base_ns) / NS_PER_SEC;
}

/* Write the calendar at @now_ns into the time bytes. */
static void show_time(Mc146818 *s, int64_t now_ns)
{
    Calendar c;

    calendar_from_seconds(&c, whole_seconds(s, now_ns));
    s->cmos[REG_SECONDS] = encode(s, c.second);
    s->cmos[REG_MINUTES] = encode(s, c.minute);
    s->cmos[REG_HOURS] = encode_hour(s, c.hour);
    s->cmos[REG_WEEKDAY] = encode(s, (c.weekday - 1 + s->weekday_offset) % 7 + 1);
    s->cmos[REG_DAY] = encode(s, c.day);
    s->cmos[REG_MONTH] = encode(s, c.month);
    s->cmos[REG_YEAR] = encode(s, c.year % 100);
    s->cmos[REG_CENTURY] = encode(s, c.year / 100 % 100);
}

/* Take the calendar from the time bytes; the fraction of the second goes on. */
static void take_time(Mc146818 *s, int64_t now_ns)
{
    int64_t year = decode(s, s->cmos[REG_CENTURY]) * 100 + decode(s, s->cmos[REG_YEAR]);
    int64_t days = days_from_date(year, decode(s, s->cmos[REG_MONTH]), decode(s, s->cmos[REG_DAY]));
    Calendar c;

    s->base_ns = now_ns - (now_ns - s->base_ns) % NS_PER_SEC;
    s->base_s = days * SECONDS_OF_DAY + decode_hour(s, s->cmos[REG_HOURS]) * 3600 +
                decode(s, s->cmos[REG_MINUTES]) * 60 + decode(s, s->cmos[REG_SECONDS]);
    calendar_from_seconds(&c, s->base_s);
    s->weekday_offset = (decode(s, s->cmos[REG_WEEKDAY]) + 7 - c.weekday) % 7;
    if (s->changed)
        s->changed(s->opaque, s->base_s - (s->start_s + now_ns / NS_PER_SEC));
}

/* ---- Interrupts
 * ---------------------------------------------------------------------------------- */

/* Ticks of 32768 Hz per periodic interrupt; 0: off. */
static unsigned periodic_ticks(const Mc146818 *s)
{
    unsigned rate = s->cmos[REG_A] & A_RATE;

    if (!rate || (s->cmos[REG_A] & 0x70) > 0x20)
        return 0;
    return rate <= 2 ? 1u << (rate + 6) : 1u << (rate - 1);
}

/* The first ns after @after_ns at which a periodic interrupt is due. */
static int64_t next_periodic(const Mc146818 *s, int64_t after_ns)
{
    unsigned period = periodic_ticks(s);
    uint64_t tick;
    int64_t due;

    if (!period)
        return CLOCK_NEVER;
    tick = (clock_ns_to_ticks(after_ns, TICK_HZ) / period + 1) * period;
    due = clock_ticks_to_ns(tick, TICK_HZ);
    return due > after_ns ? due : due + clock_ticks_to_ns(period, TICK_HZ);
}

static int64_t next_second(const Mc146818 *s, int64_t after_ns)
{
    if (!is_running(s))
        return CLOCK_NEVER;
    return s->base_ns + ((after_ns - s->base_ns) / NS_PER_SEC + 1) * NS_PER_SEC;
}

static bool alarm_matches(uint8_t byte, unsigned decoded, unsigned value)
{
    return (byte & ALARM_ANY) == ALARM_ANY || decoded == value;
}

/* Can @byte be met at all, by a unit that runs up to @last? */
static bool alarm_is_valid(uint8_t byte, unsigned decoded, unsigned last)
{
    return (byte & ALARM_ANY) == ALARM_ANY || decoded <= last;
}

/* The first second after @after_ns whose time of day matches the alarm. */
static int64_t next_alarm(const Mc146818 *s, int64_t after_ns)
{
    const uint8_t *r = s->cmos;
    int64_t due = next_second(s, after_ns), second;
    unsigned of_day, skip;

    if (due == CLOCK_NEVER ||
        !alarm_is_valid(r[REG_HOURS_ALARM], decode_hour(s, r[REG_HOURS_ALARM]), 23) ||
        !alarm_is_valid(r[REG_MINUTES_ALARM], decode(s, r[REG_MINUTES_ALARM]), 59) ||
        !alarm_is_valid(r[REG_SECONDS_ALARM], decode(s, r[REG_SECONDS_ALARM]), 59))
        return CLOCK_NEVER;
    second = whole_seconds(s, due);
    for (skip = 0; skip < SECONDS_OF_DAY;) {
        of_day = ((second + skip) % SECONDS_OF_DAY + SECONDS_OF_DAY) % SECONDS_OF_DAY;
        if (!alarm_matches(r[REG_HOURS_ALARM], decode_hour(s, r[REG_HOURS_ALARM]), of_day / 3600))
            skip += 3600 - of_day % 3600;
        else if (!alarm_matches(r[REG_MINUTES_ALARM], decode(s, r[REG_MINUTES_ALARM]),
                                of_day / 60 % 60))
            skip += 60 - of_day % 60;
        else if (!alarm_matches(r[REG_SECONDS_ALARM], decode(s, r[REG_SECONDS_ALARM]), of_day % 60))
            skip++;
        else
            return due + skip * NS_PER_SEC;
    }
    return CLOCK_NEVER;
}

/* Bring the flags of register C up to @now_ns. */
static void look(Mc146818 *s, int64_t now_ns)
{
    uint8_t *c = &s->cmos[REG_C];

    if (next_periodic(s, s->seen_ns) <= now_ns)
        *c |= C_PF;
    if (next_second(s, s->seen_ns) <= now_ns)
        *c |= C_UF;
    if (!(*c & C_AF) && (*c & C_UF) && next_alarm(s, s->seen_ns) <= now_ns)
        *c |= C_AF;
    s->seen_ns = now_ns;
    if (*c & s->cmos[REG_B] & (C_PF | C_AF | C_UF))
        *c |= C_IRQF;
    else
        *c &= ~C_IRQF;
}

/* Drive the line and arm the timer for the next flag that would raise it. */
static void update(Mc146818 *s)
{
    uint8_t enabled = s->cmos[REG_B];
    int64_t due = CLOCK_NEVER;

    irq_set(s->irq, !!(s->cmos[REG_C] & C_IRQF));
    if (!(s->cmos[REG_C] & C_IRQF)) {
        if (enabled & B_PIE)
            due = next_periodic(s, s->seen_ns);
        if (enabled & B_UIE)
            due = MIN(due, next_second(s, s->seen_ns));
        if (enabled & B_AIE)
            due = MIN(due, next_alarm(s, s->seen_ns));
    }
    timer_set(s->timer, due);
}

static void timer_expired(void *opaque)
{
    Mc146818 *s = opaque;

    look(s, clock_now_ns(s->clock));
    update(s);
}

/* ---- Registers
 * ------------------------------------------------------------------------------------ */

static bool is_time(unsigned reg)
{
    return reg == REG_CENTURY || (reg <= REG_YEAR && reg != REG_SECONDS_ALARM &&
                                  reg != REG_MINUTES_ALARM && reg != REG_HOURS_ALARM);
}

static bool update_is_near(const Mc146818 *s, int64_t now_ns)
{
    return is_running(s) && (now_ns - s->base_ns) % NS_PER_SEC >= NS_PER_SEC - UIP_NS;
}

static uint8_t read_reg(Mc146818 *s, unsigned reg)
{
    int64_t now = clock_now_ns(s->clock);
    uint8_t value;

    if (is_time(reg) && is_running(s))
        show_time(s, now);
    switch (reg) {
    case REG_A: return s->cmos[REG_A] | (update_is_near(s, now) ? A_UIP : 0);
    case REG_C:
        look(s, now);
        value = s->cmos[REG_C];
        s->cmos[REG_C] = 0;
        update(s);
        return value;
    case REG_D: return D_VRT;
    }
    return s->cmos[reg];
}

/* A or B is written. Stopping freezes the time bytes, starting takes them over. */
static void write_control(Mc146818 *s, unsigned reg, uint8_t value, int64_t now)
{
    bool was_running = is_running(s);

    if (was_running)
        show_time(s, now);
    if (reg == REG_A && (s->cmos[REG_A] & 0x70) > 0x20 && (value & 0x70) <= 0x20)
        s->base_ns = now - NS_PER_SEC / 2; /* the first update comes half a second later */
    s->cmos[reg] = reg == REG_A ? value & ~A_UIP : value;
    if (reg == REG_B && (value & B_SET))
        s->cmos[REG_B] &= ~B_UIE;
    if (is_running(s) && !was_running)
        take_time(s, now);
    else if (is_running(s))
        show_time(s, now); /* perhaps in another format */
}

static void write_reg(Mc146818 *s, unsigned reg, uint8_t value)
{
    int64_t now = clock_now_ns(s->clock);

    if (reg == REG_C || reg == REG_D)
        return;
    look(s, now);
    if (reg == REG_A || reg == REG_B) {
        write_control(s, reg, value, now);
    } else if (is_time(reg) && is_running(s)) {
        show_time(s, now);
        s->cmos[reg] = value;
        take_time(s, now);
    } else {
        s->cmos[reg] = value;
    }
    look(s, now);
    update(s);
}

static uint64_t io_read(void *opaque, uint64_t addr, unsigned size)
{
    Mc146818 *s = opaque;

    return addr ? read_reg(s, s->index) : 0xff; /* the index is write only */
}

static void io_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Mc146818 *s = opaque;

    if (addr)
        write_reg(s, s->index, value);
    else
        s->index = value & 0x7f; /* bit 7 gates NMI, of which this board has no source */
}

static const MemOps io_ops = { io_read, io_write, 1, 1 };
static const MemPart io_parts[] = { { 0, 1, "rtc-index" }, { 0 } };

void rtc_set_cmos(Device *rtc, uint8_t reg, uint8_t value)
{
    g_assert(reg > REG_D && reg < CMOS_SIZE && reg != REG_CENTURY);
    ((Mc146818 *)rtc)->cmos[reg] = value;
}

void rtc_set_changed(Device *rtc, void (*changed)(void *opaque, int64_t offset_s), void *opaque)
{
    ((Mc146818 *)rtc)->changed = changed;
    ((Mc146818 *)rtc)->opaque = opaque;
}

uint8_t rtc_get_cmos(Device *rtc, uint8_t reg)
{
    g_assert(reg > REG_D && reg < CMOS_SIZE && reg != REG_CENTURY);
    return ((Mc146818 *)rtc)->cmos[reg];
}

/* ---- Life
 * ------------------------------------------------------------------------------------------ */

/* The calendar and CMOS memory have a battery: they start here and no reset touches them. */
static bool mc146818_realize(Device *dev, GError **error)
{
    Mc146818 *s = (Mc146818 *)dev;

    s->timer = timer_new(s->clock, timer_expired, s);
    s->base_s = s->start_s;
    s->base_ns = 0;
    s->cmos[REG_A] = 0x26;
    s->cmos[REG_B] = B_24H;
    memory_init_io(&s->io, "rtc", &io_ops, s, 2);
    memory_set_parts(&s->io, io_parts, true);
    memory_add(s->ports, 0x70, 0, &s->io);
    return true;
}

static void mc146818_unrealize(Device *dev)
{
    Mc146818 *s = (Mc146818 *)dev;

    timer_free(s->timer);
    s->timer = NULL;
    memory_remove(&s->io);
    memory_destroy(&s->io);
}

static void mc146818_reset_enter(Device *dev)
{
    Mc146818 *s = (Mc146818 *)dev;

    s->index = 0;
    s->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE | 0x08);
    s->cmos[REG_C] = 0;
    s->seen_ns = clock_now_ns(s->clock);
    timer_cancel(s->timer);
}

static void mc146818_reset_hold(Device *dev)
{
    irq_lower(((Mc146818 *)dev)->irq);
}

static const StateField mc146818_state[] = {
    STATE_U8(Mc146818, index),          STATE_BYTES(Mc146818, cmos),
    STATE_U64(Mc146818, base_s),        STATE_U64(Mc146818, base_ns),
    STATE_U8(Mc146818, weekday_offset), STATE_U64(Mc146818, seen_ns),
    STATE_TIMER(Mc146818, timer),       STATE_END,
};

const DeviceClass mc146818_class = {
    .name = "mc146818rtc",
    .desc = "real-time clock and CMOS memory",
    .size = sizeof(Mc146818),
    .state = mc146818_state,
    .state_version = 1,
    .realize = mc146818_realize,
    .unrealize = mc146818_unrealize,
    .reset_enter = mc146818_reset_enter,
    .reset_hold = mc146818_reset_hold,
};

Device *mc146818_new(Device *parent, MemRegion *ports, Clock *clock, int64_t base_s, const Irq *irq)
{
    Mc146818 *s = (Mc146818 *)device_new(&mc146818_class, parent, NULL);

    s->ports = ports;
    s->clock = clock;
    s->start_s = base_s;
    s->irq = irq;
    return &s->dev;
}
