/* SPDX-License-Identifier: MIT
 * Context switches between processes and threads, and their making.
 */
#include "bench.h"
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t fork_or_fail(void)
{
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    return child;
}

static int wait_for(pid_t child)
{
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
        fail("waitpid");
    return WEXITSTATUS(status);
}

static void echo(int in, int out)
{
    uint8_t byte;
    while (read(in, &byte, 1) == 1) {
        byte++;
        if (write(out, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

uint64_t kernel_pipe(unsigned count)
{
    int there[2], back[2];
    uint8_t byte = 0;
    uint64_t sum = 0;
    if (pipe(there) < 0 || pipe(back) < 0)
        fail("pipe");
    pid_t child = fork_or_fail();
    if (child == 0) {
        close(there[1]);
        echo(there[0], back[1]);
    }
    for (unsigned i = 0; i < count; i++) {
        if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
            fail("pipe");
        sum += byte;
    }
    close(there[1]);
    return sum + wait_for(child);
}

struct pair {
    sem_t ping, pong;
    unsigned count;
    uint64_t sum;
};

static void *answer(void *opaque)
{
    struct pair *p = opaque;
    for (unsigned i = 0; i < p->count; i++) {
        sem_wait(&p->ping);
        p->sum = mix(p->sum, i);
        sem_post(&p->pong);
    }
    return NULL;
}

uint64_t kernel_semaphore(unsigned count)
{
    struct pair p = { .count = count };
    pthread_t thread;
    sem_init(&p.ping, 0, 0);
    sem_init(&p.pong, 0, 0);
    if (pthread_create(&thread, NULL, answer, &p) != 0)
        fail("pthread_create");
    for (unsigned i = 0; i < count; i++) {
        sem_post(&p.ping);
        sem_wait(&p.pong);
        p.sum += i;
    }
    pthread_join(thread, NULL);
    return p.sum;
}

static void yield_often(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sched_yield();
}

/* Of the same real-time priority, so that each call does switch. */
uint64_t kernel_yield(unsigned count)
{
    struct sched_param priority = { .sched_priority = 1 };
    if (sched_setscheduler(0, SCHED_FIFO, &priority) < 0)
        fail("sched_setscheduler");
    pid_t child = fork_or_fail();
    yield_often(count);
    if (child == 0)
        _exit(7);
    return wait_for(child);
}

uint64_t kernel_fork(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        pid_t child = fork_or_fail();
        if (child == 0)
            _exit(i & 0x7f);
        sum += wait_for(child);
    }
    return sum;
}

/* Alone in a function: after vfork() no variable may change. */
static NOINLINE pid_t start_tiny(void)
{
    pid_t child = vfork();
    if (child == 0) {
        execl("/bench/tiny", "tiny", (char *)NULL);
        _exit(1);
    }
    return child;
}

uint64_t kernel_exec(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++)
        sum += wait_for(start_tiny());
    return sum;
}

static void *nothing(void *value)
{
    return value;
}

uint64_t kernel_thread(unsigned count)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_t thread;
        void *result;
        if (pthread_create(&thread, NULL, nothing, (void *)(uintptr_t)i) != 0)
            fail("pthread_create");
        pthread_join(thread, &result);
        sum += (uintptr_t)result;
    }
    return sum;
}
