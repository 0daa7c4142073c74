/* SPDX-License-Identifier: MIT */
/* A Multiboot program for the tests of tools: some functions and lines run, some do not; then it
 * ends by a triple fault. */
__asm__(".section .multiboot,\"a\"\n.balign 4\n.long 0x1badb002, 0, -0x1badb002\n.text\n"
        ".globl _start\n_start: movl $stack + 4096, %esp\ncall begin\n"
        "lidt nothing\nint3\n.bss\n.balign 16\nstack: .skip 4096\nnothing: .skip 8\n.text\n");

volatile unsigned sum;

__attribute__((noinline)) static unsigned twice(unsigned n)
{
    return 2 * n; /* hit */
}

__attribute__((noinline)) static unsigned choose(unsigned n)
{
    if (n > 100)
        return twice(n) + 7; /* missed */
    return twice(n);         /* hit */
}

void begin(void);

void begin(void)
{
    for (unsigned i = 0; i < 10; i++)
        sum += choose(i); /* hit */
}
