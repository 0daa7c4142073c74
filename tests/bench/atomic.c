/* SPDX-License-Identifier: MIT
 * Locked instructions, without contention.
 */
#include "bench.h"
#include <pthread.h>
#include <stddef.h>

uint64_t kernel_xadd(unsigned count)
{
    static uint64_t counter[16];
    uint64_t sum = 0;
    for (unsigned i = 0; i < count * 1000; i++)
        sum += __atomic_fetch_add(&counter[i & 15], i, __ATOMIC_SEQ_CST);
    return sum;
}

/* CMPXCHG16B in assembly: compilers call a library for it. */
static void push_pair(uint64_t pair[2], uint64_t value)
{
    uint64_t low = pair[0], high = pair[1];
    uint8_t done;
    do {
        __asm__ volatile("lock cmpxchg16b %1\n\t"
                         "sete %0"
                         : "=q"(done), "+m"(*(unsigned __int128 *)pair), "+a"(low), "+d"(high)
                         : "b"(low + value), "c"(high + 1)
                         : "cc");
    } while (!done);
}

uint64_t kernel_cmpxchg(unsigned count)
{
    static uint64_t word, pair[2] __attribute__((aligned(16)));
    for (unsigned i = 0; i < count * 1000; i++) {
        uint64_t seen = __atomic_load_n(&word, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&word, &seen, seen * 3 + i, 0, __ATOMIC_SEQ_CST,
                                            __ATOMIC_RELAXED))
            ;
        push_pair(pair, seen);
    }
    return mix(mix(word, pair[0]), pair[1]);
}

static void *nothing(void *unused)
{
    return unused;
}

/* The C library leaves the locks out as long as there has been one thread only. */
static void have_had_threads(void)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0)
        fail("pthread_create");
    pthread_join(thread, NULL);
}

uint64_t kernel_mutex(unsigned count)
{
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    uint64_t sum = 0;
    have_had_threads();
    for (unsigned i = 0; i < count * 1000; i++) {
        pthread_mutex_lock(&mutex);
        sum = mix(sum, i);
        pthread_mutex_unlock(&mutex);
    }
    return sum;
}
