/* SPDX-License-Identifier: MIT
 * The smallest program: no C library, exit status 42. The exec benchmark starts it.
 */
_Noreturn void _start(void);

_Noreturn void _start(void)
{
    __asm__ volatile("syscall" : : "a"(60L), "D"(42L) : "rcx", "r11", "memory");
    __builtin_unreachable();
}
