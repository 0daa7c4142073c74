/* SPDX-License-Identifier: MIT
 * Page faults that the kernel answers, and those that become signals.
 */
#include "bench.h"
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

uint64_t kernel_touch(unsigned count)
{
    enum { PAGES = 256 };
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        volatile uint8_t *area = need_pages(PAGES * PAGE, PROT_READ | PROT_WRITE);
        madvise((void *)area, PAGES * PAGE, MADV_NOHUGEPAGE);
        for (unsigned i = 0; i < PAGES; i++)
            sum += area[i * PAGE + 100] += i;
        munmap((void *)area, PAGES * PAGE);
    }
    return sum;
}

uint64_t kernel_copy_write(unsigned count)
{
    enum { PAGES = 64 };
    volatile uint8_t *area = need_pages(PAGES * PAGE, PROT_READ | PROT_WRITE);
    uint64_t sum = 0;
    madvise((void *)area, PAGES * PAGE, MADV_NOHUGEPAGE);
    for (unsigned i = 0; i < PAGES; i++)
        area[i * PAGE] = i;
    for (unsigned round = 0; round < count; round++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            uint8_t own = 0;
            for (unsigned i = 0; i < PAGES; i++)
                own += area[i * PAGE] += round;
            _exit(own & 0x7f);
        }
        if (child < 0 || waitpid(child, &status, 0) != child)
            fail("fork");
        sum += WEXITSTATUS(status);
    }
    return sum + area[PAGE];
}

uint64_t kernel_protect(unsigned count)
{
    enum { PAGES = 8 };
    volatile uint8_t *area = need_pages(PAGES * PAGE, PROT_READ | PROT_WRITE);
    uint64_t sum = 0;
    for (unsigned round = 0; round < count; round++) {
        mprotect((void *)area, PAGES * PAGE, PROT_READ);
        for (unsigned i = 0; i < PAGES; i++)
            sum += area[i * PAGE];
        mprotect((void *)area, PAGES * PAGE, PROT_READ | PROT_WRITE);
        for (unsigned i = 0; i < PAGES; i++)
            area[i * PAGE] = round + i;
    }
    return sum;
}

static uint64_t faults;

static void mend(int number, siginfo_t *info, void *context)
{
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)(PAGE - 1);
    faults++;
    if (mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE) < 0)
        _exit(number);
    (void)context;
}

uint64_t kernel_segv(unsigned count)
{
    struct sigaction action = { .sa_sigaction = mend, .sa_flags = SA_SIGINFO };
    volatile uint8_t *page = need_pages(PAGE, PROT_READ);
    sigaction(SIGSEGV, &action, NULL);
    for (unsigned round = 0; round < count; round++) {
        page[round % PAGE] += round;
        mprotect((void *)page, PAGE, PROT_READ);
    }
    return mix(faults, page[1]);
}
