/* SPDX-License-Identifier: MIT */
/* Entries of a kernel that boot loaders start by three ways: kernel.c says what it was given. */
        .section .head, "a"
#ifdef BY_ADDRESSES
        .set    FLAGS, 0x10003
#else
        .set    FLAGS, 3
#endif
#ifndef PVH
        .balign 4
header: .long   0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
        .long   header, image_start, image_end, bss_end, start
#else
        .section .note.Xen, "a", @note
        .long   4, 4, 18
        .asciz  "Xen"
        .long   start
#endif

        .text
        .globl  start
start:
        movl    $stack, %esp
        pushl   %ebx
        pushl   %eax
        movl    %cr0, %eax
        pushl   %eax
        call    report
        movb    $0x10, %al
        outb    %al, $0xf4
1:      hlt
        jmp     1b

        .bss
        .space  8192
stack:
