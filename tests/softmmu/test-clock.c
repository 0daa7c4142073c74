/* SPDX-License-Identifier: MIT */
/* Timers: order by deadline, then by arming; cancelling and moving; ticks. */
#include "softmmu/clock.h"

#include <glib.h>

#include "tests/softmmu/test.h"

typedef struct Probe {
    Clock *clock;
    Timer *timer;
    GString *trace;
    char name;
    int64_t again_ns; /* rearm this much later, 0: no */
    int64_t fired_at_ns;
} Probe;

static void fire(void *opaque)
{
    Probe *p = opaque;

    g_string_append_c(p->trace, p->name);
    p->fired_at_ns = clock_now_ns(p->clock);
    if (p->again_ns)
        timer_set(p->timer, p->fired_at_ns + p->again_ns);
}

static void probe_init(Probe *p, Clock *clock, GString *trace, char name)
{
    *p = (Probe){ .clock = clock, .trace = trace, .name = name };
    p->timer = timer_new(clock, fire, p);
}

/* deadlines of timers a, b, c…; advance; order in which they fire */
static const struct {
    int64_t deadlines[8];
    int64_t advance;
    const char *order;
} order_rows[] = {
    { { 30, 10, 20 }, 100, "bca" },
    { { 10, 10, 10, 10 }, 10, "abcd" },
    { { 5, 4, 3, 2, 1, 6, 7, 8 }, 6, "edcbaf" },
    { { 20, 10, 20, 10, 20, 10, 20, 10 }, 20, "bdfhaceg" },
    { { 10 }, 9, "" },
};

static void test_order(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(order_rows); i++) {
        Clock *clock = clock_new_manual();
        g_autoptr(GString) trace = g_string_new("");
        Probe probes[8];

        for (int k = 0; k < 8; k++) {
            probe_init(&probes[k], clock, trace, 'a' + k);
            if (order_rows[i].deadlines[k])
                timer_set(probes[k].timer, order_rows[i].deadlines[k]);
        }
        clock_manual_advance(clock, order_rows[i].advance);
        assert_string_equal(trace->str, order_rows[i].order);
        assert_int_equal(clock_now_ns(clock), order_rows[i].advance);
        for (int k = 0; k < 8; k++)
            timer_free(probes[k].timer);
        clock_free(clock);
    }
}

static void test_cancel_and_move(void **state)
{
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    Probe p[6];

    for (int k = 0; k < 6; k++) {
        probe_init(&p[k], clock, trace, 'a' + k);
        timer_set(p[k].timer, 10 * (k + 1));
    }
    timer_cancel(p[0].timer);
    timer_cancel(p[3].timer);
    timer_set(p[5].timer, 15);          /* f first */
    timer_set(p[1].timer, 100);         /* b last */
    timer_set(p[4].timer, CLOCK_NEVER); /* e never */
    assert_false(timer_is_armed(p[0].timer));
    assert_false(timer_is_armed(p[4].timer));
    assert_int_equal(timer_deadline_ns(p[0].timer), CLOCK_NEVER);
    assert_int_equal(clock_deadline_ns(clock), 15);
    clock_manual_advance(clock, 1000);
    assert_string_equal(trace->str, "fcb");
    assert_int_equal(p[2].fired_at_ns, 30); /* at its own deadline, not at the end */
    assert_int_equal(clock_deadline_ns(clock), CLOCK_NEVER);
    for (int k = 0; k < 6; k++)
        timer_free(p[k].timer);
    clock_free(clock);
}

static void test_periodic(void **state)
{
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    Probe tick, other;

    probe_init(&tick, clock, trace, 't');
    probe_init(&other, clock, trace, 'o');
    tick.again_ns = 10;
    timer_set(tick.timer, 10);
    timer_set(other.timer, 30);
    clock_manual_advance(clock, 50);
    assert_string_equal(trace->str, "ttottt"); /* at 30, o was armed before t */
    timer_free(tick.timer);
    timer_free(other.timer);
    clock_free(clock);
}

/* A moment brings back deadlines, and the order of timers that tie; what was armed since is not. */
static void test_moments(void **state)
{
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    Probe p[4];
    ClockMoment *m;

    for (int i = 0; i < 4; i++)
        probe_init(&p[i], clock, trace, 'a' + i);
    timer_set(p[2].timer, 10);
    timer_set(p[0].timer, 10);
    timer_set(p[1].timer, 5);
    m = clock_save(clock);
    timer_set(p[0].timer, 10);
    timer_set(p[2].timer, 11);
    timer_set(p[3].timer, 1);
    clock_load(clock, m);
    assert_false(timer_is_armed(p[3].timer));
    clock_manual_advance(clock, 20);
    assert_string_equal(trace->str, "bca");
    clock_load(clock, m);
    assert_int_equal(clock_deadline_ns(clock), 5);
    g_free(m);
    for (int i = 0; i < 4; i++)
        timer_free(p[i].timer);
    clock_free(clock);
}

static void count_call(void *opaque)
{
    (*(int *)opaque)++;
}

static void test_rearm_hook(void **state)
{
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    Probe a, b;
    int calls = 0;

    probe_init(&a, clock, trace, 'a');
    probe_init(&b, clock, trace, 'b');
    clock_set_rearm_hook(clock, count_call, &calls);
    timer_set(a.timer, 100);
    assert_int_equal(calls, 1);
    timer_set(b.timer, 200); /* not the earliest */
    assert_int_equal(calls, 1);
    timer_set(b.timer, 50);
    assert_int_equal(calls, 2);
    timer_set(b.timer, 60); /* later than it was */
    assert_int_equal(calls, 2);
    timer_free(a.timer);
    timer_free(b.timer);
    clock_free(clock);
}

static const struct {
    uint64_t ticks, hz;
    int64_t ns;
} tick_rows[] = {
    { 1, 1000000000, 1 },
    { 1193182, 1193182, NS_PER_SEC },
    { 3579545ull * 86400, 3579545, 86400 * NS_PER_SEC },
    { 1ull << 40, 1000, (1ll << 40) * 1000000 },
    { 4000000000ull * 1000000, 4000000000ull, 1000000 * NS_PER_SEC },
};

static void test_ticks(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tick_rows); i++) {
        assert_int_equal(clock_ticks_to_ns(tick_rows[i].ticks, tick_rows[i].hz), tick_rows[i].ns);
        assert_int_equal(clock_ns_to_ticks(tick_rows[i].ns, tick_rows[i].hz), tick_rows[i].ticks);
    }
}

/* Against a sorted list, with a fixed generator. */
static void test_heap_against_sort(void **state)
{
    enum { N = 200 };
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    Probe p[N];
    int64_t previous = 0;

    for (int k = 0; k < N; k++) {
        probe_init(&p[k], clock, trace, 'x');
        timer_set(p[k].timer, g_rand_int_range(rand, 1, 1000));
    }
    for (int k = 0; k < 2 * N; k++) {
        Probe *q = &p[g_rand_int_range(rand, 0, N)];

        if (g_rand_boolean(rand))
            timer_cancel(q->timer);
        else
            timer_set(q->timer, g_rand_int_range(rand, 1, 1000));
    }
    while (clock_deadline_ns(clock) != CLOCK_NEVER) {
        int64_t earliest = CLOCK_NEVER;

        for (int k = 0; k < N; k++)
            earliest = MIN(earliest, timer_deadline_ns(p[k].timer));
        assert_int_equal(clock_deadline_ns(clock), earliest);
        assert_true(earliest >= previous);
        previous = earliest;
        clock_manual_advance(clock, earliest - clock_now_ns(clock));
    }
    for (int k = 0; k < N; k++)
        timer_free(p[k].timer);
    clock_free(clock);
}

/* Held, it is what it was at the first look, for timers' functions too; let go, it is what it
 * is. */
static void test_hold(void **state)
{
    Clock *clock = clock_new_manual();
    int64_t moment;

    clock_manual_haste(clock, 100);
    assert_int_equal(clock_now_ns(clock), 100);
    clock_hold(clock);
    moment = clock_now_ns(clock);
    assert_int_equal(moment, 200);
    clock_hold(clock);
    assert_int_equal(clock_now_ns(clock), moment);
    clock_release(clock);
    assert_int_equal(clock_now_ns(clock), moment);
    clock_release(clock);
    assert_int_equal(clock_now_ns(clock), 300);
    clock_free(clock);
}

/* A timer that is due when they begin is due to all of them. */
static void look_twice(void *opaque)
{
    Clock *clock = opaque;

    assert_int_equal(clock_now_ns(clock), 110);
    assert_int_equal(clock_now_ns(clock), 110);
}

static void test_timers_run_at_one_moment(void **state)
{
    Clock *clock = clock_new_manual();
    Timer *a = timer_new(clock, look_twice, clock), *b = timer_new(clock, look_twice, clock);

    timer_set(a, 50);
    timer_set(b, 60);
    clock_manual_haste(clock, 110);
    assert_true(clock_run_expired(clock));
    assert_false(timer_is_armed(a) || timer_is_armed(b));
    timer_free(a);
    timer_free(b);
    clock_free(clock);
}

typedef struct Staller {
    Clock *clock;
    GString *trace;
    unsigned refusals;
} Staller;

static void fire_or_stall(void *opaque)
{
    Staller *s = opaque;

    if (!s->refusals) {
        g_string_append_c(s->trace, 'S');
        return;
    }
    s->refusals--;
    g_string_append_c(s->trace, '-');
    clock_stall(s->clock);
}

/* It comes again before all that were armed after it, also what it armed for the same moment. */
static void test_stall(void **state)
{
    Clock *clock = clock_new_manual();
    g_autoptr(GString) trace = g_string_new("");
    Staller s = { clock, trace, 2 };
    Timer *stalling;
    Probe before, after;

    probe_init(&before, clock, trace, 'a');
    stalling = timer_new(clock, fire_or_stall, &s);
    probe_init(&after, clock, trace, 'z');
    timer_set(before.timer, 10);
    timer_set(stalling, 10);
    timer_set(after.timer, 10);
    clock_manual_lag(clock, 10);
    assert_true(clock_run_expired(clock)); /* one did run */
    assert_string_equal(trace->str, "a-");
    assert_int_equal(timer_deadline_ns(stalling), 10);
    assert_false(clock_run_expired(clock));
    assert_string_equal(trace->str, "a--");
    assert_true(clock_run_expired(clock));
    assert_string_equal(trace->str, "a--Sz");
    timer_free(before.timer);
    timer_free(stalling);
    timer_free(after.timer);
    clock_free(clock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),   cmocka_unit_test(test_cancel_and_move),
        cmocka_unit_test(test_stall),   cmocka_unit_test(test_periodic),
        cmocka_unit_test(test_moments), cmocka_unit_test(test_rearm_hook),
        cmocka_unit_test(test_hold),    cmocka_unit_test(test_timers_run_at_one_moment),
        cmocka_unit_test(test_ticks),   cmocka_unit_test(test_heap_against_sort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
