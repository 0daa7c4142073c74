/* SPDX-License-Identifier: MIT
 * System calls that return at once.
 */
#include "bench.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

uint64_t kernel_getppid(unsigned count)
{
    uint64_t same = 0;
    long parent = syscall(SYS_getppid);
    for (unsigned i = 0; i < count * 100; i++)
        same += syscall(SYS_getppid) == parent;
    return same;
}

uint64_t kernel_read4k(unsigned count)
{
    static char page[4096];
    uint64_t sum = 0;
    int fd = open("/dev/zero", O_RDONLY);
    for (unsigned i = 0; i < count; i++) {
        page[i % 4096] = 1;
        sum += read(fd, page, sizeof(page)) + page[i % 4096];
    }
    close(fd);
    return sum;
}

uint64_t kernel_file(unsigned count)
{
    char block[1024];
    uint64_t sum = 0;
    for (unsigned i = 0; i < count; i++) {
        int fd = open("/tmp/bench-file", O_RDWR | O_CREAT | O_EXCL, 0600);
        memset(block, i, sizeof(block));
        for (int part = 0; part < 4; part++)
            sum += write(fd, block, sizeof(block));
        sum += lseek(fd, 1000, SEEK_SET) + read(fd, block, 100) + (uint8_t)block[99];
        close(fd);
        sum += unlink("/tmp/bench-file") == 0;
    }
    return sum;
}

uint64_t kernel_socket(unsigned count)
{
    char message[512] = { 0 };
    uint64_t sum = 0;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
        fail("socketpair");
    for (unsigned i = 0; i < count; i++) {
        message[i % 512] = i;
        sum += write(ends[0], message, sizeof(message));
        sum += read(ends[1], message, sizeof(message)) + (uint8_t)message[i % 512];
    }
    close(ends[0]);
    close(ends[1]);
    return sum;
}

/* Counts steps backwards, of which there must be none. */
uint64_t kernel_clock(unsigned count)
{
    struct timespec last = { 0 }, now;
    uint64_t backwards = 0, ticks = __rdtsc();
    for (unsigned i = 0; i < count * 100; i++) {
        clock_gettime(CLOCK_MONOTONIC, &now);
        backwards +=
            now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec);
        last = now;
        uint64_t t = __rdtsc();
        backwards += t < ticks;
        ticks = t;
    }
    return backwards;
}
