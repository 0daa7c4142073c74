/* SPDX-License-Identifier: MIT
 * Signals: sent by the process to itself, and by a timer.
 */
#include "bench.h"
#include <signal.h>
#include <stddef.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t seen;

static void count_one(int number)
{
    seen += number != 0;
}

uint64_t kernel_signal(unsigned count)
{
    struct sigaction action = { .sa_handler = count_one };
    pid_t self = getpid();
    sigaction(SIGUSR1, &action, NULL);
    for (unsigned i = 0; i < count; i++)
        kill(self, SIGUSR1);
    return seen;
}

/* Ticks may be lost while the host is busy: the checksum is of those awaited. */
uint64_t kernel_timer(unsigned count)
{
    struct sigaction action = { .sa_handler = count_one };
    struct itimerval each_ms = { { 0, 1000 }, { 0, 1000 } }, none = { { 0, 0 }, { 0, 0 } };
    sigset_t alarm_only, before;
    sigaction(SIGALRM, &action, NULL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_BLOCK, &alarm_only, &before);
    setitimer(ITIMER_REAL, &each_ms, NULL);
    while ((unsigned)seen < count)
        sigsuspend(&before);
    setitimer(ITIMER_REAL, &none, NULL);
    return seen;
}
