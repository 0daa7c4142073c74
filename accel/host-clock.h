/* SPDX-License-Identifier: MIT */
/*
 * The host's monotonic time, cheaply. Where the host's kernel trusts the TSC as its own clock
 * source, time is the TSC scaled: calibrated against CLOCK_MONOTONIC at the start and steered
 * towards it once a second, so that it neither drifts nor jumps. Elsewhere it is CLOCK_MONOTONIC.
 * Never goes back.
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
    bool stable;     /* the TSC is good enough */
    uint64_t period; /* ticks between two looks at CLOCK_MONOTONIC */
    uint64_t first_tsc;
    int64_t first_ns;
} HostClock;

void host_clock_init(HostClock *h);
/* To be called often, from outside translated code. */
void host_clock_steer(HostClock *h);
int64_t host_clock_read_system(HostClock *h);

static inline uint64_t host_clock_tsc(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

/* Of a clock whose @mult is set. */
static inline int64_t host_clock_scaled(HostClock *h)
{
    int64_t ticks = (int64_t)(host_clock_tsc() - h->tsc);
    int64_t ns = h->ns;

    if (ticks > 0)
        ns += (int64_t)((unsigned __int128)(uint64_t)ticks * h->mult >> 32);
    if (ns > h->last)
        h->last = ns;
    return h->last;
}

static inline int64_t host_clock_now(HostClock *h)
{
    return h->mult ? host_clock_scaled(h) : host_clock_read_system(h);
}

#endif
