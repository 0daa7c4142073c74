/* SPDX-License-Identifier: MIT */
/*
 * One local APIC: priorities, local vector table, timer, interrupt command register.
 * Spec: Intel SDM volume 3, chapter "APIC" (version 0x14, six LVT entries, no EOI suppression).
 *
 * The bus clock that drives the timer is 1 GHz. Expiries closer than 1 us apart are merged.
 * After power-on LINT0 of the first CPU passes ExtINT, as firmware would set it up, so that
 * software that knows no APIC gets its 8259 interrupts. Not modelled: thermal and performance
 * sources, relocation of the register page, arbitration priority (reads 0).
 */
#include "hw/apic-internal.h"

#include <string.h>

#include "softmmu/log.h"

#define APIC_VERSION_VALUE 0x00050014
#define APIC_MIN_PERIOD_NS 1000

enum {
    LVT_VECTOR = 0xff,
    LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15,
    LVT_MASKED = 1 << 16,
    LVT_TIMER_MODE = 3 << 17,
    TIMER_PERIODIC = 1 << 17,
    TIMER_TSC_DEADLINE = 2 << 17,
    SVR_ENABLE = 1 << 8,
    ICR_LOGICAL = 1 << 11,
    ICR_ASSERT = 1 << 14,
    ICR_LEVEL = 1 << 15,
};

static const uint32_t lvt_writable[LVT_COUNT] = {
    [LVT_TIMER] = LVT_VECTOR | LVT_MASKED | LVT_TIMER_MODE,
    [LVT_THERMAL] = 0x107ff,
    [LVT_PERF] = 0x107ff,
    [LVT_LINT0] = 0x1a7ff,
    [LVT_LINT1] = 0x1a7ff,
    [LVT_ERROR] = LVT_VECTOR | LVT_MASKED,
};

bool apic_is_on(const Apic *a)
{
    return a->base & APIC_BASE_ENABLE;
}

bool apic_is_enabled(const Apic *a)
{
    return apic_is_on(a) && (a->svr & SVR_ENABLE);
}

bool apic_is_x2apic(const Apic *a)
{
    return (a->base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC)) ==
           (APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

/* ---- 256-bit vector sets -------------------------------------------------------------------- */

static void vector_set(uint32_t *set, uint8_t v)
{
    set[v >> 5] |= 1u << (v & 31);
}

static void vector_clear(uint32_t *set, uint8_t v)
{
    set[v >> 5] &= ~(1u << (v & 31));
}

static bool vector_test(const uint32_t *set, uint8_t v)
{
    return set[v >> 5] >> (v & 31) & 1;
}

static int vector_highest(const uint32_t *set)
{
    for (int i = 7; i >= 0; i--) {
        if (set[i])
            return i * 32 + 31 - __builtin_clz(set[i]);
    }
    return -1;
}

/* ---- Priority and the CPU's INTR ------------------------------------------------------------- */

uint8_t apic_ppr(const Apic *a)
{
    int in_service = vector_highest(a->isr);
    unsigned isrv = in_service < 0 ? 0 : in_service;

    return (a->tpr >> 4) >= (isrv >> 4) ? a->tpr : isrv & 0xf0;
}

/* The vector that may be delivered now, or -1. */
static int deliverable(const Apic *a)
{
    int v = apic_is_enabled(a) ? vector_highest(a->irr) : -1;

    return v >= 0 && (v >> 4) > (apic_ppr(a) >> 4) ? v : -1;
}

/* Does INT of the 8259 pass through to this CPU? */
static bool lint0_passes_extint(const Apic *a)
{
    if (!apic_is_on(a))
        return a->index == 0;
    return !(a->lvt[LVT_LINT0] & LVT_MASKED) && (a->lvt[LVT_LINT0] >> 8 & 7) == APIC_EXTINT;
}

static bool extint_waits(const Apic *a)
{
    return a->extint_pending || (a->set->lint_level[0] && lint0_passes_extint(a));
}

void apic_update(Apic *a)
{
    bool intr = deliverable(a) >= 0 || extint_waits(a);

    if (intr == a->intr)
        return;
    a->intr = intr;
    a->set->cpus->set_intr(a->set->cpus->opaque, a->index, intr);
}

int apic_acknowledge(Apic *a)
{
    int v = deliverable(a);

    if (v >= 0) {
        vector_clear(a->irr, v);
        vector_set(a->isr, v);
    } else if (extint_waits(a) && a->set->acknowledge) {
        a->extint_pending = false;
        v = a->set->acknowledge(a->set->acknowledge_opaque);
    }
    apic_update(a);
    return v;
}

static void accept_vector(Apic *a, uint8_t v, bool level)
{
    if (v < 16) {
        apic_error(a, APIC_ESR_RECEIVE_ILLEGAL);
        return;
    }
    vector_set(a->irr, v);
    if (level)
        vector_set(a->tmr, v);
    else
        vector_clear(a->tmr, v);
    apic_update(a);
}

void apic_accept(Apic *a, const ApicMessage *msg)
{
    const CpuBus *cpus = a->set->cpus;

    if (!apic_is_on(a) && msg->delivery != APIC_INIT && msg->delivery != APIC_STARTUP)
        return;
    switch (msg->delivery) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (apic_is_enabled(a))
            accept_vector(a, msg->vector, msg->level);
        break;
    case APIC_SMI:
        if (cpus->raise_smi)
            cpus->raise_smi(cpus->opaque, a->index);
        else
            log_unimp("apic: SMI to a CPU without SMM\n");
        break;
    case APIC_NMI: cpus->raise_nmi(cpus->opaque, a->index); break;
    case APIC_INIT: cpus->raise_init(cpus->opaque, a->index); break;
    case APIC_STARTUP: cpus->raise_sipi(cpus->opaque, a->index, msg->vector); break;
    case APIC_EXTINT:
        a->extint_pending = true;
        apic_update(a);
        break;
    default: log_guest_error("apic: reserved delivery mode %u\n", msg->delivery);
    }
}

/* ---- Local vector table --------------------------------------------------------------------- */

/* An interrupt source of the APIC itself fires. */
static void local_interrupt(Apic *a, unsigned entry)
{
    uint32_t lvt = a->lvt[entry];
    ApicMessage msg = { .delivery = lvt >> 8 & 7, .vector = lvt & LVT_VECTOR };

    if (entry == LVT_TIMER || entry == LVT_ERROR)
        msg.delivery = APIC_FIXED;
    if (!(lvt & LVT_MASKED) && apic_is_on(a))
        apic_accept(a, &msg);
}

/* LINT0 and LINT1. ExtINT on LINT0 is a level that passes through; the 8259 is on LINT0 only. */
void apic_lint_changed(Apic *a, unsigned pin, bool rising)
{
    uint32_t *lvt = &a->lvt[LVT_LINT0 + pin];
    bool fixed = (*lvt >> 8 & 7) == APIC_FIXED;
    bool extint = (*lvt >> 8 & 7) == APIC_EXTINT;

    if (!apic_is_on(a) || (*lvt & LVT_MASKED)) {
        apic_update(a);
        return;
    }
    if (pin == 0 && extint) {
        apic_update(a);
    } else if (fixed && (*lvt & LVT_LEVEL)) {
        if (a->set->lint_level[pin] && !(*lvt & LVT_REMOTE_IRR) && apic_is_enabled(a)) {
            *lvt |= LVT_REMOTE_IRR;
            accept_vector(a, *lvt & LVT_VECTOR, true);
        }
    } else if (rising) {
        local_interrupt(a, LVT_LINT0 + pin);
    }
}

static void lint_eoi(Apic *a, uint8_t vector)
{
    for (unsigned pin = 0; pin < 2; pin++) {
        uint32_t *lvt = &a->lvt[LVT_LINT0 + pin];

        if ((*lvt & LVT_REMOTE_IRR) && (*lvt & LVT_VECTOR) == vector) {
            *lvt &= ~LVT_REMOTE_IRR;
            apic_lint_changed(a, pin, false);
        }
    }
}

static void write_eoi(Apic *a)
{
    int v = vector_highest(a->isr);

    if (v < 0)
        return;
    vector_clear(a->isr, v);
    if (vector_test(a->tmr, v)) {
        lint_eoi(a, v);
        if (a->set->eoi)
            a->set->eoi(a->set->eoi_opaque, v);
    }
    apic_update(a);
}

void apic_error(Apic *a, uint32_t bit)
{
    bool is_new = !(a->esr_pending & bit);

    a->esr_pending |= bit;
    /* The error vector itself may be illegal: is_new ends the recursion. */
    if (is_new)
        local_interrupt(a, LVT_ERROR);
}

/* ---- Timer ---------------------------------------------------------------------------------- */

static unsigned divisor(const Apic *a)
{
    unsigned code = (a->divide & 3) | (a->divide >> 1 & 4);

    return code == 7 ? 1 : 2u << code;
}

static uint32_t timer_mode(const Apic *a)
{
    return a->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

static int64_t now_ns(const Apic *a)
{
    return clock_now_ns(a->set->clock);
}

static uint64_t elapsed_counts(const Apic *a, int64_t now)
{
    return (uint64_t)(now - a->count_start_ns) / divisor(a);
}

static uint32_t current_count(const Apic *a, int64_t now)
{
    uint64_t elapsed;

    if (!a->counting || !a->initial_count || timer_mode(a) == TIMER_TSC_DEADLINE)
        return 0;
    elapsed = elapsed_counts(a, now);
    if (timer_mode(a) == TIMER_PERIODIC)
        return a->initial_count - elapsed % a->initial_count;
    return elapsed >= a->initial_count ? 0 : a->initial_count - elapsed;
}

uint32_t apic_current_count(const Apic *a)
{
    return current_count(a, clock_now_ns(a->set->clock));
}

/* Arm for the next expiry that somebody hears of. Not used for the TSC deadline. @now: when the
 * guest did whatever made that necessary, one moment for all that it does. If time went on between
 * two looks at it, an expiry between them would be lost. */
static void timer_arm(Apic *a, int64_t now)
{
    int64_t period = (int64_t)a->initial_count * divisor(a);
    int64_t due = a->count_start_ns + period;

    timer_cancel(a->timer);
    if (!a->counting || !period || (a->lvt[LVT_TIMER] & LVT_MASKED))
        return;
    if (timer_mode(a) == TIMER_PERIODIC) {
        int64_t earliest = MAX(now, a->count_start_ns) + 1;

        if (period < APIC_MIN_PERIOD_NS)
            earliest += APIC_MIN_PERIOD_NS - 1;
        if (due < earliest)
            due += (earliest - due + period - 1) / period * period;
    } else if (due <= now) { /* expired while masked: that interrupt is gone */
        a->counting = false;
        return;
    }
    timer_set(a->timer, due);
}

static void timer_expired(void *opaque)
{
    Apic *a = opaque;

    if (timer_mode(a) == TIMER_PERIODIC)
        timer_arm(a, now_ns(a));
    else
        a->counting = false;
    local_interrupt(a, LVT_TIMER);
}

/* The guest is about to change the timer, or to see that it has expired. An expiry that is due
 * already, though its callback is late, comes first. */
static void timer_catch_up(Apic *a, int64_t now)
{
    if (timer_deadline_ns(a->timer) > now)
        return;
    timer_cancel(a->timer);
    timer_expired(a);
}

static void write_initial_count(Apic *a, uint32_t value)
{
    int64_t now = now_ns(a);

    timer_catch_up(a, now);
    if (timer_mode(a) == TIMER_TSC_DEADLINE)
        return;
    a->initial_count = value;
    a->count_start_ns = now;
    a->counting = value != 0;
    timer_arm(a, now);
}

/* The count goes on from where it is, at the new rate. */
static void write_divide(Apic *a, uint32_t value)
{
    int64_t now = now_ns(a);
    uint32_t left;

    timer_catch_up(a, now);
    left = current_count(a, now);
    a->divide = value & 0xb;
    if (timer_mode(a) == TIMER_TSC_DEADLINE)
        return;
    if (a->counting)
        a->count_start_ns = now - (int64_t)(a->initial_count - left) * divisor(a);
    timer_arm(a, now);
}

/* @old: the timer's LVT entry before it was written. */
static void timer_lvt_wrote(Apic *a, uint32_t old, int64_t now)
{
    uint32_t was = old & LVT_TIMER_MODE;

    if (was != timer_mode(a) &&
        (was == TIMER_TSC_DEADLINE || timer_mode(a) == TIMER_TSC_DEADLINE)) {
        a->counting = false;
        a->initial_count = 0;
        timer_cancel(a->timer);
    } else if (timer_mode(a) != TIMER_TSC_DEADLINE) {
        timer_arm(a, now);
    }
}

void apic_tsc_deadline(Apic *a, int64_t deadline_ns)
{
    int64_t now = now_ns(a);

    timer_catch_up(a, now);
    if (timer_mode(a) != TIMER_TSC_DEADLINE)
        return;
    if (deadline_ns == CLOCK_NEVER)
        timer_cancel(a->timer);
    else
        timer_set(a->timer, MAX(deadline_ns, now));
}

bool apic_has_tsc_deadline(const Apic *a)
{
    return timer_mode(a) == TIMER_TSC_DEADLINE && timer_deadline_ns(a->timer) != CLOCK_NEVER;
}

/* ---- Interrupt command ----------------------------------------------------------------------- */

void apic_icr_write(Apic *a, uint64_t icr)
{
    ApicMessage msg = {
        .dest = apic_is_x2apic(a) ? icr >> 32 : icr >> 56,
        .dest_is_x2apic = apic_is_x2apic(a),
        .logical = icr & ICR_LOGICAL,
        .delivery = icr >> 8 & 7,
        .vector = icr & 0xff,
    };
    ApicShorthand to = icr >> 18 & 3;

    /* INIT level de-assert synchronises arbitration ids: nothing on this bus. */
    if (msg.delivery == APIC_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT))
        return;
    if (msg.delivery <= APIC_LOWEST && msg.vector < 16) {
        apic_error(a, APIC_ESR_SEND_ILLEGAL);
        return;
    }
    if (to == APIC_TO_SELF && msg.delivery != APIC_FIXED) {
        log_guest_error("apic: delivery mode %u to self\n", msg.delivery);
        return;
    }
    apic_set_send(a->set, a, to, &msg);
}

/* ---- Registers ------------------------------------------------------------------------------- */

static uint32_t read_id(const Apic *a)
{
    return apic_is_x2apic(a) ? a->initial_id : a->id << 24;
}

static uint32_t read_ldr(const Apic *a)
{
    if (apic_is_x2apic(a))
        return (a->initial_id >> 4) << 16 | 1u << (a->initial_id & 15);
    return a->ldr;
}

/* The registers that are arrays: ISR, TMR, IRR and the LVT. */
static bool array_read(const Apic *a, unsigned offset, uint32_t *value)
{
    if (offset >= APIC_REG_ISR && offset < APIC_REG_TMR)
        *value = a->isr[(offset - APIC_REG_ISR) >> 4];
    else if (offset >= APIC_REG_TMR && offset < APIC_REG_IRR)
        *value = a->tmr[(offset - APIC_REG_TMR) >> 4];
    else if (offset >= APIC_REG_IRR && offset < APIC_REG_ESR)
        *value = a->irr[(offset - APIC_REG_IRR) >> 4];
    else if (offset >= APIC_REG_LVT_TIMER && offset <= APIC_REG_LVT_ERROR)
        *value = a->lvt[(offset - APIC_REG_LVT_TIMER) >> 4];
    else
        return false;
    return true;
}

bool apic_reg_read(Apic *a, unsigned offset, uint32_t *value)
{
    int64_t now = now_ns(a);

    if (offset >= APIC_REG_IRR && offset < APIC_REG_ESR)
        timer_catch_up(a, now);
    *value = 0;
    switch (offset) {
    case APIC_REG_ID: *value = read_id(a); return true;
    case APIC_REG_VERSION: *value = APIC_VERSION_VALUE; return true;
    case APIC_REG_TPR: *value = a->tpr; return true;
    case APIC_REG_PPR: *value = apic_ppr(a); return true;
    case APIC_REG_LDR: *value = read_ldr(a); return true;
    case APIC_REG_SVR: *value = a->svr; return true;
    case APIC_REG_ESR: *value = a->esr; return true;
    case APIC_REG_ICR_LOW: *value = (uint32_t)a->icr; return true;
    case APIC_REG_INITIAL_COUNT: *value = a->initial_count; return true;
    case APIC_REG_CURRENT_COUNT:
        *value = current_count(a, now);
        timer_catch_up(a, now); /* who reads 0 has its interrupt */
        return true;
    case APIC_REG_DIVIDE: *value = a->divide; return true;
    case APIC_REG_APR:
    case APIC_REG_EOI:
    case APIC_REG_RRD: return !apic_is_x2apic(a);
    case APIC_REG_DFR: *value = a->dfr; return !apic_is_x2apic(a);
    case APIC_REG_ICR_HIGH: *value = a->icr >> 32; return !apic_is_x2apic(a);
    }
    return array_read(a, offset, value);
}

/* While the APIC is disabled by software every LVT mask bit is stuck at 1. */
static void write_lvt(Apic *a, unsigned entry, uint32_t value)
{
    int64_t now = now_ns(a);
    uint32_t old;

    if (entry == LVT_TIMER)
        timer_catch_up(a, now);
    old = a->lvt[entry];
    a->lvt[entry] = (old & ~lvt_writable[entry] & LVT_REMOTE_IRR) | (value & lvt_writable[entry]);
    if (!(a->svr & SVR_ENABLE))
        a->lvt[entry] |= LVT_MASKED;
    if (!(a->lvt[entry] & LVT_LEVEL))
        a->lvt[entry] &= ~LVT_REMOTE_IRR;
    if (entry == LVT_TIMER)
        timer_lvt_wrote(a, old, now);
    else if (entry == LVT_LINT0 || entry == LVT_LINT1)
        apic_lint_changed(a, entry - LVT_LINT0, false);
}

static void write_svr(Apic *a, uint32_t value)
{
    a->svr = value & 0x1ff;
    if (!(a->svr & SVR_ENABLE)) {
        int64_t now = now_ns(a);

        timer_catch_up(a, now);
        for (unsigned i = 0; i < LVT_COUNT; i++)
            a->lvt[i] |= LVT_MASKED;
        if (timer_mode(a) != TIMER_TSC_DEADLINE)
            timer_arm(a, now);
    }
    apic_update(a);
}

static void write_icr_low(Apic *a, uint32_t value)
{
    a->icr = (a->icr & 0xffffffff00000000ull) | (value & 0xccfff);
    apic_icr_write(a, a->icr);
}

/* Registers that exist only in the page, with their x2APIC forms elsewhere or gone. */
static bool xapic_reg_write(Apic *a, unsigned offset, uint32_t value)
{
    switch (offset) {
    case APIC_REG_ID: a->id = value >> 24; return true;
    case APIC_REG_LDR: a->ldr = value & 0xff000000; return true;
    case APIC_REG_DFR: a->dfr = value | 0x0fffffff; return true;
    case APIC_REG_ICR_LOW: write_icr_low(a, value); return true;
    case APIC_REG_ICR_HIGH:
        a->icr = (uint32_t)a->icr | (uint64_t)(value & 0xff000000) << 32;
        return true;
    case APIC_REG_VERSION:
    case APIC_REG_APR:
    case APIC_REG_PPR:
    case APIC_REG_RRD:
    case APIC_REG_CURRENT_COUNT: return true; /* read only */
    }
    return offset >= APIC_REG_ISR && offset < APIC_REG_ESR;
}

bool apic_reg_write(Apic *a, unsigned offset, uint32_t value)
{
    switch (offset) {
    case APIC_REG_TPR:
        a->tpr = value & 0xff;
        apic_update(a);
        return true;
    case APIC_REG_EOI: write_eoi(a); return true;
    case APIC_REG_SVR: write_svr(a, value); return true;
    case APIC_REG_ESR:
        a->esr = a->esr_pending;
        a->esr_pending = 0;
        return true;
    case APIC_REG_INITIAL_COUNT: write_initial_count(a, value); return true;
    case APIC_REG_DIVIDE: write_divide(a, value); return true;
    }
    if (offset >= APIC_REG_LVT_TIMER && offset <= APIC_REG_LVT_ERROR) {
        write_lvt(a, (offset - APIC_REG_LVT_TIMER) >> 4, value);
        return true;
    }
    return !apic_is_x2apic(a) && xapic_reg_write(a, offset, value);
}

/* IA32_APIC_BASE. Mode changes follow the figure in "x2APIC state transitions". */
bool apic_base_write(Apic *a, uint64_t value)
{
    const uint64_t mode = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
    uint64_t from = a->base & mode, to = value & mode;

    if (value & ~0xffffffffffd00ull)
        return false;
    if (to == APIC_BASE_X2APIC || (to == mode && from == 0) ||
        (from == mode && to == APIC_BASE_ENABLE))
        return false;
    if ((value & ~0xfffull) != APIC_DEFAULT_BASE)
        log_unimp("apic: register page moved to %#" G_GINT64_MODIFIER "x\n",
                  (guint64)(value & ~0xfffull));
    a->base = value;
    if (from && !to) { /* off: everything but the base is forgotten */
        apic_reset_registers(a, true);
        a->id = a->initial_id & 0xff;
    }
    apic_update(a);
    return true;
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* INIT keeps the ID and IA32_APIC_BASE. */
void apic_reset_registers(Apic *a, bool init)
{
    if (!init) {
        a->id = a->initial_id & 0xff;
        a->base = APIC_DEFAULT_BASE | APIC_BASE_ENABLE | (a->index == 0 ? APIC_BASE_BSP : 0);
    }
    a->tpr = a->ldr = a->esr = a->esr_pending = 0;
    a->dfr = 0xffffffff;
    a->svr = 0xff;
    memset(a->isr, 0, sizeof(a->isr));
    memset(a->irr, 0, sizeof(a->irr));
    memset(a->tmr, 0, sizeof(a->tmr));
    for (unsigned i = 0; i < LVT_COUNT; i++)
        a->lvt[i] = LVT_MASKED;
    if (!init && a->index == 0)
        a->lvt[LVT_LINT0] = APIC_EXTINT << 8;
    a->icr = 0;
    a->initial_count = a->divide = 0;
    a->count_start_ns = 0;
    a->counting = a->extint_pending = false;
    timer_cancel(a->timer);
}

static bool apic_realize(Device *dev, GError **error)
{
    Apic *a = (Apic *)dev;

    a->timer = timer_new(a->set->clock, timer_expired, a);
    return true;
}

static void apic_unrealize(Device *dev)
{
    Apic *a = (Apic *)dev;

    timer_free(a->timer);
    a->timer = NULL;
}

static void apic_reset_enter(Device *dev)
{
    apic_reset_registers((Apic *)dev, false);
}

static void apic_reset_hold(Device *dev)
{
    Apic *a = (Apic *)dev;

    a->intr = false;
    a->set->cpus->set_intr(a->set->cpus->opaque, a->index, 0);
}

static const StateField apic_state[] = {
    STATE_U64(Apic, base),
    STATE_U32(Apic, id),
    STATE_U32(Apic, tpr),
    STATE_U32(Apic, ldr),
    STATE_U32(Apic, dfr),
    STATE_U32(Apic, svr),
    STATE_U32(Apic, esr),
    STATE_U32(Apic, esr_pending),
    STATE_ARRAY(Apic, isr, STATE_T_U32),
    STATE_ARRAY(Apic, irr, STATE_T_U32),
    STATE_ARRAY(Apic, tmr, STATE_T_U32),
    STATE_ARRAY(Apic, lvt, STATE_T_U32),
    STATE_U64(Apic, icr),
    STATE_U32(Apic, initial_count),
    STATE_U32(Apic, divide),
    STATE_U64(Apic, count_start_ns),
    STATE_BOOL(Apic, counting),
    STATE_BOOL(Apic, extint_pending),
    STATE_BOOL(Apic, intr),
    STATE_TIMER(Apic, timer),
    STATE_END,
};

const DeviceClass apic_class = {
    .name = "apic",
    .desc = "local APIC",
    .size = sizeof(Apic),
    .state = apic_state,
    .state_version = 1,
    .realize = apic_realize,
    .unrealize = apic_unrealize,
    .reset_enter = apic_reset_enter,
    .reset_hold = apic_reset_hold,
};
