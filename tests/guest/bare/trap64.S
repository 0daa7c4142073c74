/* SPDX-License-Identifier: MIT */
/*
 * enter64(const Regs64 *): from the supervisor, which is 32-bit code in compatibility mode, by
 * IRETQ into the code under test. Whatever ends it comes here on a stack of its own (IST 1).
 */
#include "layout.h"

    .text
    .code32
    .globl enter64, trap_vectors64
enter64:
    push %ebx
    push %esi
    push %edi
    push %ebp
    mov 20(%esp), %edi
    mov %esp, supervisor_esp64
    ljmp $SEL_CODE64, $1f
    .code64
1:  mov 160(%rdi), %eax
    mov %eax, %ds
    mov 168(%rdi), %eax
    mov %eax, %es
    mov 176(%rdi), %eax
    mov %eax, %fs
    mov 184(%rdi), %eax
    mov %eax, %gs
    mov $SUPERVISOR_STACK + 0x400, %esp
    push 152(%rdi)              /* ss rsp rflags cs rip */
    push 32(%rdi)
    push 136(%rdi)
    push 144(%rdi)
    push 128(%rdi)
    mov 0(%rdi), %rax
    mov 8(%rdi), %rcx
    mov 16(%rdi), %rdx
    mov 24(%rdi), %rbx
    mov 40(%rdi), %rbp
    mov 48(%rdi), %rsi
    mov 64(%rdi), %r8
    mov 72(%rdi), %r9
    mov 80(%rdi), %r10
    mov 88(%rdi), %r11
    mov 96(%rdi), %r12
    mov 104(%rdi), %r13
    mov 112(%rdi), %r14
    mov 120(%rdi), %r15
    mov 56(%rdi), %rdi
    iretq

trap_common64:                  /* error code, vector pushed; all as a Regs64 with them in front */
    push %rax
    mov $regs_out, %eax
    pop (%rax)
    mov %rcx, 8(%rax)
    mov %rdx, 16(%rax)
    mov %rbx, 24(%rax)
    mov %rbp, 40(%rax)
    mov %rsi, 48(%rax)
    mov %rdi, 56(%rax)
    mov %r8, 64(%rax)
    mov %r9, 72(%rax)
    mov %r10, 80(%rax)
    mov %r11, 88(%rax)
    mov %r12, 96(%rax)
    mov %r13, 104(%rax)
    mov %r14, 112(%rax)
    mov %r15, 120(%rax)
    pop 192(%rax)               /* vector64, error64 */
    pop 200(%rax)
    pop 128(%rax)               /* rip */
    pop 144(%rax)               /* cs */
    pop 136(%rax)               /* rflags */
    pop 32(%rax)                /* rsp */
    pop 152(%rax)               /* ss */
    mov %ds, 160(%rax)
    mov %es, 168(%rax)
    mov %fs, 176(%rax)
    mov %gs, 184(%rax)
    mov $SEL_DATA, %ecx
    mov %ecx, %ds
    mov %ecx, %es
    mov %ecx, %fs
    mov %ecx, %gs
    mov %ecx, %ss
    mov 208(%rax), %esp
    mov $back, %eax
    ljmp *(%rax)
    .code32
1:  push $2
    popf
    cld
    pop %ebp
    pop %edi
    pop %esi
    pop %ebx
    ret
    .balign 8
back:
    .long 1b
    .word SEL_CODE

    .code64
    .balign 16
trap_vectors64:                 /* 256 stubs of 16 bytes */
    .set vector, 0
    .rept 256
    .balign 16
    .if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21)
    push $0
    .endif
    push $vector
    jmp trap_common64
    .set vector, vector + 1
    .endr

    .bss
    .globl regs_out, vector64, error64
    .balign 8
regs_out: .skip 192             /* all of these together: trap_common64 */
vector64: .quad 0
error64: .quad 0
supervisor_esp64: .quad 0

    .section .note.GNU-stack, "", @progbits
