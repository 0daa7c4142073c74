/* SPDX-License-Identifier: MIT */
/*
 * The scaled TSC is steered: it finds CLOCK_MONOTONIC's rate, jumps forward when it is far behind,
 * stands when it is far ahead, and makes up for little by running faster or slower. It never goes
 * back. Where the host's kernel does not trust the TSC there is nothing of that to test.
 *
 * And it goes no further than it may, lags by what that cost, and pays back when asked or slowly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "accel/host-clock.h"

enum { MS = 1000000 };

static int64_t monotonic_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static void steer_now(HostClock *h)
{
    h->period = 0;
    host_clock_steer(h);
}

/* Within @ms of CLOCK_MONOTONIC, however long the two looks at that lie apart. */
static void check_near(HostClock *h, int64_t ms)
{
    int64_t before = monotonic_ns(), now = host_clock_now(h), after = monotonic_ns();

    assert_true(now >= before - ms * MS);
    assert_true(now <= after + ms * MS);
}

static HostClock calibrated(void)
{
    HostClock h;

    host_clock_init(&h);
    if (!h.stable)
        skip();
    while (h.stable && !h.mult)
        host_clock_steer(&h);
    if (!h.stable)
        skip();
    return h;
}

static void test_calibrates(void **state)
{
    HostClock h = calibrated();

    check_near(&h, 5);
}

static void test_jumps_forward(void **state)
{
    HostClock h = calibrated();

    h.ns -= 5000ll * MS;
    steer_now(&h);
    check_near(&h, 5);
}

static void test_stands_when_ahead(void **state)
{
    HostClock h = calibrated();
    int64_t ahead, stands;

    h.ns += 5000ll * MS;
    ahead = host_clock_now(&h);
    steer_now(&h);
    stands = host_clock_now(&h);
    assert_true(stands >= ahead);
    assert_int_equal(host_clock_now(&h), stands + 1); /* as near to standing as it comes */
}

static void test_makes_up_for_little(void **state)
{
    HostClock h = calibrated();
    uint64_t mult;
    int64_t now;

    steer_now(&h);
    now = host_clock_now(&h);
    h.ns -= 4 * MS; /* late */
    steer_now(&h);
    mult = h.mult;
    assert_true(host_clock_now(&h) >= now);
    h.ns += 8 * MS; /* early */
    steer_now(&h);
    assert_true(h.mult < mult);
}

static void pass(int64_t ns)
{
    for (int64_t until = monotonic_ns() + ns; monotonic_ns() < until;)
        ;
}

/* Held back for @ns, and let go. */
static HostClock late_by(int64_t ns)
{
    HostClock h;

    host_clock_init(&h);
    host_clock_allow(&h, 0);
    pass(ns);
    host_clock_allow(&h, INT64_MAX);
    return h;
}

static void test_goes_no_further_than_it_may(void **state)
{
    HostClock h;
    int64_t held;

    host_clock_init(&h);
    host_clock_allow(&h, MS);
    held = host_clock_now(&h);
    pass(3 * MS);
    assert_true(host_clock_now(&h) - held <= MS);
    held = host_clock_now(&h);
    assert_int_equal(host_clock_now(&h), held + 1);
}

static void test_goes_on_from_where_it_was_held(void **state)
{
    HostClock h = late_by(3 * MS);

    assert_true(h.lag >= 3 * MS);
    check_near(&h, h.lag / MS + 1);
    assert_true(host_clock_now(&h) <= monotonic_ns() - 3 * MS);
}

static void test_catches_up_at_once(void **state)
{
    HostClock h = late_by(3 * MS);
    int64_t lag = h.lag, now = host_clock_now(&h);

    assert_int_equal(host_clock_catch_up(&h, MS), MS);
    assert_true(host_clock_now(&h) >= now + MS);
    assert_int_equal(host_clock_catch_up(&h, INT64_MAX), lag - MS);
    assert_int_equal(host_clock_catch_up(&h, MS), 0);
    check_near(&h, 1);
}

static void test_catches_up_slowly(void **state)
{
    HostClock h = late_by(3 * MS);
    int64_t lag = h.lag;

    host_clock_allow(&h, INT64_MAX);
    pass(8 * MS);
    host_clock_allow(&h, INT64_MAX);
    assert_true(h.lag <= lag - MS);
    assert_true(h.lag >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibrates),
        cmocka_unit_test(test_jumps_forward),
        cmocka_unit_test(test_stands_when_ahead),
        cmocka_unit_test(test_makes_up_for_little),
        cmocka_unit_test(test_goes_no_further_than_it_may),
        cmocka_unit_test(test_goes_on_from_where_it_was_held),
        cmocka_unit_test(test_catches_up_at_once),
        cmocka_unit_test(test_catches_up_slowly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
