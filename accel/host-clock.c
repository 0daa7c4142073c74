/* SPDX-License-Identifier: MIT */
/*
 * Calibration and steering of the scaled TSC. A host suspended for long leaves the two clocks far
 * apart: then the scaled one jumps forward, or stands until it is right.
 */
#include "accel/host-clock.h"

#include <string.h>
#include <stdio.h>
#include <time.h>

#define SECOND      1000000000ll
#define CALIBRATION (SECOND / 50)
#define TOO_FAR     (SECOND / 100)

/* Of the time that passes for a busy guest, one part in so many is added to pay back. */
#define BUSY_PAYS 8

int64_t host_clock_read_system(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * SECOND + ts.tv_nsec;
}

/* Both clocks at one moment: the tightest of a few tries. */
static void read_pair(uint64_t *tsc, int64_t *ns)
{
    uint64_t best = UINT64_MAX;

    *tsc = 0;
    *ns = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint64_t before = host_clock_tsc();
        int64_t now = host_clock_read_system();
        uint64_t took = host_clock_tsc() - before;
        if (took < best) {
            best = took;
            *tsc = before + took / 2;
            *ns = now;
        }
    }
}

#if defined(__x86_64__)
static bool kernel_trusts_tsc(void)
{
    FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
    char name[32] = "";

    if (!f)
        return false;
    if (!fgets(name, sizeof(name), f))
        name[0] = 0;
    fclose(f);
    return !strcmp(name, "tsc\n");
}
#endif

void host_clock_init(HostClock *h)
{
    memset(h, 0, sizeof(*h));
    h->limit = INT64_MAX;
#if defined(__x86_64__)
    h->stable = kernel_trusts_tsc();
#endif
    if (h->stable)
        read_pair(&h->first_tsc, &h->first_ns);
}

static int64_t unlimited(const HostClock *h)
{
    return h->mult ? host_clock_unlimited(h) : host_clock_read_system();
}

void host_clock_allow(HostClock *h, int64_t ns)
{
    int64_t now = unlimited(h);

    if (now > h->limit)
        h->lag += now - h->limit;
    else if (h->lag)
        host_clock_catch_up(h, (now - h->limited_at) / BUSY_PAYS);
    h->limited_at = now;
    h->limit = ns == INT64_MAX ? ns : now + ns;
}

int64_t host_clock_catch_up(HostClock *h, int64_t ns)
{
    int64_t paid = ns < h->lag ? ns : h->lag;

    if (paid < 0)
        return 0;
    h->lag -= paid;
    return paid;
}

static uint64_t slope(const HostClock *h, uint64_t tsc, int64_t ns)
{
    return (uint64_t)(((unsigned __int128)(uint64_t)(ns - h->first_ns) << 32) /
                      (tsc - h->first_tsc));
}

void host_clock_steer(HostClock *h)
{
    uint64_t tsc, rate;
    int64_t ns, late;

    if (!h->stable || (h->mult && host_clock_tsc() - h->tsc < h->period))
        return;
    read_pair(&tsc, &ns);
    if (ns - h->first_ns < CALIBRATION || tsc <= h->first_tsc)
        return;
    rate = slope(h, tsc, ns);
    if (rate == 0) {
        h->stable = false;
        return;
    }
    late = h->mult ? ns - host_clock_unlimited(h) : TOO_FAR;
    h->tsc = tsc;
    if (late >= TOO_FAR || late <= -TOO_FAR) {
        h->ns = ns;
        h->mult = rate;
    } else { /* be right again in a second */
        h->ns = ns - late;
        h->mult = rate + (uint64_t)((int64_t)rate / 1000 * late / (SECOND / 1000));
    }
    h->period = (uint64_t)(((unsigned __int128)SECOND << 32) / rate);
}
