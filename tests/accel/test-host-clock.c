/* SPDX-License-Identifier: MIT */
/*
 * The scaled TSC is steered: it finds CLOCK_MONOTONIC's rate, jumps forward when it is far behind,
 * stands when it is far ahead, and makes up for little by running faster or slower. It never goes
 * back. Where the host's kernel does not trust the TSC there is nothing to test.
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
    assert_int_equal(host_clock_now(&h), stands);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibrates),
        cmocka_unit_test(test_jumps_forward),
        cmocka_unit_test(test_stands_when_ahead),
        cmocka_unit_test(test_makes_up_for_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
