/* SPDX-License-Identifier: MIT */
/*
 * The host's monotonic time, cheaply. Where the host's kernel trusts the TSC as its own clock
 * source, time is the TSC scaled: calibrated against CLOCK_MONOTONIC at the start and steered
 * towards it once a second, so that it neither drifts nor jumps. Elsewhere it is CLOCK_MONOTONIC.
 * Never goes back, and no two readings are the same: the guest's TSC is made of them, and two RDTSC
 * differ. A clock that has to stand goes on by a nanosecond a reading.
 *
 * Nor does it run away from who reads it: a process that waits for a processor would find its
 * guest's timers long overdue, several periods of one at a time, and a guest that waits for ticks
 * while it watches the TSC would see too few. So the reader says how far the clock may go before he
 * says so again; what is lost by that is paid back while the guest is idle, or slowly.
 */
#ifndef ACCEL_HOST_CLOCK_H
#define ACCEL_HOST_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct HostClock {
    uint64_t mult; /* ns per tick, 32 bits of fraction; 0: CLOCK_MONOTONIC is read */
    uint64_t tsc;  /* at this tick … */
    int64_t ns;    /* … it was this late */
    int64_t last;
    int64_t limit,
        limited_at;  /* of and in the time since the start, not of the clock that lags it */
    int64_t lag;     /* not yet paid back */
    bool stable;     /* the TSC is good enough */
    uint64_t period; /* ticks between two looks at CLOCK_MONOTONIC */
    uint64_t first_tsc;
    int64_t first_ns;
} HostClock;

void host_clock_init(HostClock *h);
/* To be called often, from outside translated code. */
void host_clock_steer(HostClock *h);
/* Time since the start, whatever the limit. */
int64_t host_clock_read_system(void);

/* May go @ns further than it is now, INT64_MAX: as far as it likes. */
void host_clock_allow(HostClock *h, int64_t ns);
/* Nobody minds if it goes @ns ahead at once: by how much it did, of what it lags. */
int64_t host_clock_catch_up(HostClock *h, int64_t ns);

static inline uint64_t host_clock_tsc(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

static inline int64_t host_clock_limited(HostClock *h, int64_t ns)
{
    ns = (ns < h->limit ? ns : h->limit) - h->lag;
    h->last = ns > h->last ? ns : h->last + 1;
    return h->last;
}

/* Of a clock whose @mult is set. */
static inline int64_t host_clock_unlimited(const HostClock *h)
{
    int64_t ticks = (int64_t)(host_clock_tsc() - h->tsc);

    return h->ns + (ticks > 0 ? (int64_t)((unsigned __int128)(uint64_t)ticks * h->mult >> 32) : 0);
}

static inline int64_t host_clock_scaled(HostClock *h)
{
    return host_clock_limited(h, host_clock_unlimited(h));
}

static inline int64_t host_clock_now(HostClock *h)
{
    return h->mult ? host_clock_scaled(h) : host_clock_limited(h, host_clock_read_system());
}

#endif
