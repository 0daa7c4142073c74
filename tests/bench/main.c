/* SPDX-License-Identifier: MIT
 * bench NAME: run one benchmark; bench exec NAME COMMAND…: run a program as one.
 *
 * Both print "BENCH begin NAME" and wait for a line, so that the other side of the console can read
 * its clocks while nothing happens; then they work and print "BENCH end NAME CHECKSUM NANOSECONDS".
 */
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct kernel {
    const char *name;
    uint64_t (*run)(unsigned count);
    unsigned count;
    const char *needs;
};

static const struct kernel kernels[] = {
#define KERNEL(name, class, times, needs, text) { #name, kernel_##name, times, #needs },
#include "kernels.def"
#undef KERNEL
};

_Noreturn void fail(const char *what)
{
    printf("BENCH failed %s\n", what);
    exit(1);
}

void *need_memory(uint64_t size)
{
    void *p = malloc(size);
    if (!p)
        fail("malloc");
    return memset(p, 0, size);
}

void *need_pages(uint64_t size, int protection)
{
    void *p = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        fail("mmap");
    return p;
}

static uint64_t nanoseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static uint64_t begin(const char *name)
{
    char line[16];
    printf("BENCH begin %s\n", name);
    fflush(stdout);
    if (!fgets(line, sizeof(line), stdin))
        fail("nobody said go");
    return nanoseconds();
}

static void end(const char *name, uint64_t sum, uint64_t start)
{
    uint64_t elapsed = nanoseconds() - start;
    printf("BENCH end %s %016llx %llu\n", name, (unsigned long long)sum,
           (unsigned long long)elapsed);
}

static int run_kernel(const struct kernel *k)
{
    __builtin_cpu_init();
    if (!strcmp(k->needs, "avx2") && !__builtin_cpu_supports("avx2")) {
        printf("BENCH skip %s the CPU has no AVX2\n", k->name);
        return 0;
    }
    uint64_t start = begin(k->name);
    end(k->name, k->run(k->count), start);
    return 0;
}

/* The checksum of what a program prints. */
static uint64_t sum_of(int fd)
{
    static unsigned char block[65536];
    uint64_t sum = 0;
    ssize_t n;
    while ((n = read(fd, block, sizeof(block))) > 0) {
        for (ssize_t i = 0; i < n; i++)
            sum = (sum ^ block[i]) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static void become(char **command, int out)
{
    dup2(out, STDOUT_FILENO);
    close(out);
    if (!freopen("/dev/null", "r", stdin))
        _exit(126);
    execvp(command[0], command);
    _exit(127);
}

static int run_program(const char *name, char **command)
{
    int ends[2], status = 0;
    uint64_t start = begin(name);
    if (pipe(ends) < 0)
        fail("pipe");
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        become(command, ends[1]);
    }
    close(ends[1]);
    uint64_t sum = sum_of(ends[0]);
    if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) {
        printf("BENCH failed %s ended with status %x\n", name, status);
        return 1;
    }
    end(name, sum, start);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && !strcmp(argv[1], "exec"))
        return run_program(argv[2], argv + 3);
    for (unsigned i = 0; argc >= 2 && i < sizeof(kernels) / sizeof(*kernels); i++) {
        if (!strcmp(kernels[i].name, argv[1])) {
            struct kernel k = kernels[i];
            if (argc == 3)
                k.count = atoi(argv[2]);
            return run_kernel(&k);
        }
    }
    fail("no such benchmark");
}
