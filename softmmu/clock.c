/* SPDX-License-Identifier: MIT */
/*
 * Timers wait in a binary heap ordered by (deadline, order of arming). A timer knows its slot, so
 * cancelling and moving one costs O(log n) as well; the earliest deadline is the first slot.
 */
#include "softmmu/clock.h"

#include <glib.h>

/* A callback may arm timers that are due already; come up for air after this many. */
#define MAX_CALLBACKS_PER_RUN 4096

#define NOT_IN_HEAP UINT32_MAX

struct Timer {
    Clock *clock;
    TimerFunc *func;
    void *opaque;
    int64_t deadline_ns;
    uint64_t armed_as; /* breaks ties */
    uint32_t slot;
    uint32_t number; /* of those ever made for the clock: equal in equal machines */
};

struct Clock {
    ClockSource *source;
    void *opaque;
    Timer **heap;
    uint32_t count, capacity;
    GPtrArray *timers; /* by number, NULL: freed */
    uint64_t armings;
    TimerFunc *rearm_hook;
    void *rearm_opaque;
    int64_t manual_now_ns, manual_haste_ns;
    unsigned holds;
    bool looked;  /* since it is held: at */
    bool stalled; /* by the timer whose function runs */
    int64_t held_ns;
};

Clock *clock_new(ClockSource *source, void *opaque)
{
    Clock *clock = g_new0(Clock, 1);

    clock->source = source;
    clock->opaque = opaque;
    clock->timers = g_ptr_array_new();
    return clock;
}

void clock_free(Clock *clock)
{
    if (!clock)
        return;
    g_assert(clock->count == 0);
    g_ptr_array_free(clock->timers, TRUE);
    g_free(clock->heap);
    g_free(clock);
}

int64_t clock_now_ns(Clock *clock)
{
    if (clock->looked)
        return clock->held_ns;
    clock->held_ns = clock->source(clock->opaque);
    clock->looked = clock->holds > 0;
    return clock->held_ns;
}

void clock_hold(Clock *clock)
{
    clock->holds++;
}

void clock_release(Clock *clock)
{
    g_assert(clock->holds > 0);
    if (--clock->holds == 0)
        clock->looked = false;
}

int64_t clock_deadline_ns(const Clock *clock)
{
    return clock->count ? clock->heap[0]->deadline_ns : CLOCK_NEVER;
}

void clock_set_rearm_hook(Clock *clock, TimerFunc *hook, void *opaque)
{
    clock->rearm_hook = hook;
    clock->rearm_opaque = opaque;
}

static bool timer_before(const Timer *a, const Timer *b)
{
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns
                                            : a->armed_as < b->armed_as;
}

static void heap_put(Clock *clock, uint32_t slot, Timer *timer)
{
    clock->heap[slot] = timer;
    timer->slot = slot;
}

static void heap_sift_up(Clock *clock, uint32_t slot, Timer *timer)
{
    while (slot > 0) {
        uint32_t parent = (slot - 1) / 2;

        if (!timer_before(timer, clock->heap[parent]))
            break;
        heap_put(clock, slot, clock->heap[parent]);
        slot = parent;
    }
    heap_put(clock, slot, timer);
}

static void heap_sift_down(Clock *clock, uint32_t slot, Timer *timer)
{
    for (;;) {
        uint32_t child = 2 * slot + 1;

        if (child >= clock->count)
            break;
        if (child + 1 < clock->count && timer_before(clock->heap[child + 1], clock->heap[child]))
            child++;
        if (!timer_before(clock->heap[child], timer))
            break;
        heap_put(clock, slot, clock->heap[child]);
        slot = child;
    }
    heap_put(clock, slot, timer);
}

static void heap_insert(Clock *clock, Timer *timer)
{
    if (clock->count == clock->capacity) {
        clock->capacity = clock->capacity ? 2 * clock->capacity : 16;
        clock->heap = g_renew(Timer *, clock->heap, clock->capacity);
    }
    clock->count++;
    heap_sift_up(clock, clock->count - 1, timer);
}

static void heap_remove(Clock *clock, Timer *timer)
{
    uint32_t slot = timer->slot;
    Timer *last = clock->heap[--clock->count];

    timer->slot = NOT_IN_HEAP;
    if (last == timer)
        return;
    if (slot > 0 && timer_before(last, clock->heap[(slot - 1) / 2]))
        heap_sift_up(clock, slot, last);
    else
        heap_sift_down(clock, slot, last);
}

static void arm_as(Timer *timer, int64_t deadline_ns, uint64_t armed_as)
{
    timer_cancel(timer);
    timer->deadline_ns = deadline_ns;
    timer->armed_as = armed_as;
    heap_insert(timer->clock, timer);
}

/* False: it has stalled the clock. */
static bool run_timer(Clock *clock, Timer *timer)
{
    int64_t deadline_ns = timer->deadline_ns;
    uint64_t armed_as = timer->armed_as;

    heap_remove(clock, timer);
    timer->func(timer->opaque);
    if (!clock->stalled)
        return true;
    clock->stalled = false;
    arm_as(timer, deadline_ns, armed_as);
    return false;
}

/* Run timers that were due at @now, at most @limit; true if any ran. */
static bool run_due(Clock *clock, int64_t now, unsigned limit)
{
    bool any = false;

    while (limit-- && clock->count && clock->heap[0]->deadline_ns <= now) {
        if (!run_timer(clock, clock->heap[0]))
            break;
        any = true;
    }
    return any;
}

void clock_stall(Clock *clock)
{
    clock->stalled = true;
}

bool clock_run_expired(Clock *clock)
{
    bool any;

    if (!clock->count)
        return false;
    clock_hold(clock);
    any = run_due(clock, clock_now_ns(clock), MAX_CALLBACKS_PER_RUN);
    clock_release(clock);
    return any;
}

Timer *timer_new(Clock *clock, TimerFunc *func, void *opaque)
{
    Timer *timer = g_new0(Timer, 1);

    timer->clock = clock;
    timer->func = func;
    timer->opaque = opaque;
    timer->slot = NOT_IN_HEAP;
    timer->number = clock->timers->len;
    g_ptr_array_add(clock->timers, timer);
    return timer;
}

void timer_free(Timer *timer)
{
    if (!timer)
        return;
    timer_cancel(timer);
    timer->clock->timers->pdata[timer->number] = NULL;
    g_free(timer);
}

void timer_set(Timer *timer, int64_t deadline_ns)
{
    Clock *clock = timer->clock;
    int64_t earliest = clock_deadline_ns(clock);

    timer_cancel(timer);
    if (deadline_ns == CLOCK_NEVER)
        return;
    arm_as(timer, deadline_ns, clock->armings++);
    if (deadline_ns < earliest && clock->rearm_hook)
        clock->rearm_hook(clock->rearm_opaque);
}

void timer_cancel(Timer *timer)
{
    if (timer_is_armed(timer))
        heap_remove(timer->clock, timer);
}

bool timer_is_armed(const Timer *timer)
{
    return timer->slot != NOT_IN_HEAP;
}

int64_t timer_deadline_ns(const Timer *timer)
{
    return timer_is_armed(timer) ? timer->deadline_ns : CLOCK_NEVER;
}

/* ---- Moments --------------------------------------------------------------------------------- */

struct ClockMoment {
    uint64_t armings;
    uint32_t count;
    struct {
        Timer *timer;
        int64_t deadline_ns;
        uint64_t armed_as;
    } armed[]; /* a heap */
};

ClockMoment *clock_save(const Clock *clock)
{
    ClockMoment *m = g_malloc(sizeof(*m) + clock->count * sizeof(m->armed[0]));

    m->armings = clock->armings;
    m->count = clock->count;
    for (uint32_t i = 0; i < m->count; i++) {
        Timer *t = clock->heap[i];

        m->armed[i].timer = t;
        m->armed[i].deadline_ns = t->deadline_ns;
        m->armed[i].armed_as = t->armed_as;
    }
    return m;
}

void clock_load(Clock *clock, const ClockMoment *m)
{
    while (clock->count)
        timer_cancel(clock->heap[0]);
    clock->armings = m->armings;
    for (uint32_t i = 0; i < m->count; i++) {
        Timer *t = m->armed[i].timer;

        t->deadline_ns = m->armed[i].deadline_ns;
        t->armed_as = m->armed[i].armed_as;
        heap_insert(clock, t);
    }
}

#define PACKED_TIMER 20 /* number, deadline, order of arming */
#define PACKED_HEAD  8

static void put_le(GByteArray *out, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = value >> 8 * i;
        g_byte_array_append(out, &byte, 1);
    }
}

static uint64_t get_le(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

void clock_pack(const Clock *clock, GByteArray *out)
{
    put_le(out, clock->armings, PACKED_HEAD);
    for (uint32_t i = 0; i < clock->count; i++) {
        const Timer *t = clock->heap[i];

        put_le(out, t->number, 4);
        put_le(out, t->deadline_ns, 8);
        put_le(out, t->armed_as, 8);
    }
}

bool clock_unpack(Clock *clock, const uint8_t *data, size_t len)
{
    if (len < PACKED_HEAD || (len - PACKED_HEAD) % PACKED_TIMER)
        return false;
    while (clock->count)
        timer_cancel(clock->heap[0]);
    clock->armings = get_le(data, PACKED_HEAD);
    for (size_t at = PACKED_HEAD; at < len; at += PACKED_TIMER) {
        uint32_t number = get_le(data + at, 4);
        Timer *t = number < clock->timers->len ? clock->timers->pdata[number] : NULL;

        if (!t || timer_is_armed(t))
            return false;
        t->deadline_ns = get_le(data + at + 4, 8);
        t->armed_as = get_le(data + at + 12, 8);
        heap_insert(clock, t);
    }
    return true;
}

static int64_t manual_now(void *opaque)
{
    Clock *clock = opaque;

    return clock->manual_now_ns += clock->manual_haste_ns;
}

Clock *clock_new_manual(void)
{
    Clock *clock = clock_new(manual_now, NULL);

    clock->opaque = clock;
    return clock;
}

void clock_manual_advance(Clock *clock, int64_t ns)
{
    int64_t target = clock->manual_now_ns + ns;

    g_assert(clock->source == manual_now && ns >= 0);
    while (clock_deadline_ns(clock) <= target) {
        clock->manual_now_ns = MAX(clock->manual_now_ns, clock_deadline_ns(clock));
        if (!run_due(clock, clock->manual_now_ns, 1))
            return;
    }
    clock->manual_now_ns = target;
}

void clock_manual_lag(Clock *clock, int64_t ns)
{
    g_assert(clock->source == manual_now && ns >= 0);
    clock->manual_now_ns += ns;
}

void clock_manual_haste(Clock *clock, int64_t ns)
{
    g_assert(clock->source == manual_now && ns >= 0);
    clock->manual_haste_ns = ns;
}

int64_t clock_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    return (int64_t)((unsigned __int128)ticks * NS_PER_SEC / hz);
}

uint64_t clock_ns_to_ticks(int64_t ns, uint64_t hz)
{
    return (uint64_t)((unsigned __int128)(uint64_t)ns * hz / NS_PER_SEC);
}
