/* SPDX-License-Identifier: MIT */
/*
 * enter16(const Regs *): to real mode and, with all registers loaded, to the code under test. Its
 * interrupt table leads back here. Segment limits are 64 KiB but for FS if enter16_big_fs is set.
 */
#include "layout.h"

    .text
    .code32
    .globl enter16
enter16:
    push %ebx
    push %esi
    push %edi
    push %ebp
    mov 20(%esp), %esi
    mov $regs16, %edi
    mov $16, %ecx
    rep movsl
    mov %esp, supervisor_esp16
    sidt protected_idt
    lidt real_idt
    mov $SEL_DATA16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    cmpb $0, %cs:enter16_big_fs
    je 1f
    mov $SEL_DATA, %eax
    mov %eax, %fs
1:  ljmp $SEL_CODE16, $0

    .section .text16, "awx"
base16:                         /* 1000:0000 */
    .code16
real:
    mov %cr0, %eax
    and $0xfe, %al
    mov %eax, %cr0
    ljmp $0x1000, $1f - base16
1:  mov %cs, %ax
    mov %ax, %ds
    mov regs16 - base16 + 44, %ss
    mov regs16 - base16 + 28, %esp
    pushw regs16 - base16 + 36
    pushw regs16 - base16 + 40
    pushw regs16 - base16 + 32
    mov regs16 - base16 + 52, %es
    mov regs16 - base16 + 56, %fs
    mov regs16 - base16 + 60, %gs
    mov regs16 - base16 + 0, %eax
    mov regs16 - base16 + 4, %ebx
    mov regs16 - base16 + 8, %ecx
    mov regs16 - base16 + 12, %edx
    mov regs16 - base16 + 16, %esi
    mov regs16 - base16 + 20, %edi
    mov regs16 - base16 + 24, %ebp
    mov regs16 - base16 + 48, %ds
    iretw

trap_common16:
    pushal
    pushw %ds
    pushw %es
    pushw %fs
    pushw %gs
    cli
    cld
    mov %ss, %dx
    mov %esp, %ebx
    mov %cs, %ax
    mov %ax, %ds
    mov %cr0, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEL_CODE, $2f

    .code32
2:  mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov supervisor_esp16, %esp
    movzwl %dx, %edx
    mov %edx, trap_ss16
    mov %ebx, trap_esp16
    movzwl %bx, %ebx
    shl $4, %edx
    lea (%ebx, %edx), %esi
    mov $trap_frame16, %edi
    mov $48, %ecx
    rep movsb
    lidt protected_idt
    pushl $2
    popf
    pop %ebp
    pop %edi
    pop %esi
    pop %ebx
    ret

    .code16
    .balign 8
    .globl trap_vectors16
trap_vectors16:                 /* 256 stubs of 8 bytes */
    .set vector, 0
    .rept 256
    .balign 8
    pushw $vector
    jmp trap_common16
    .set vector, vector + 1
    .endr

    .balign 4
    .globl enter16_big_fs, trap_frame16, trap_ss16, trap_esp16, real_idt
regs16: .skip 64
trap_frame16: .skip 48          /* gs fs es ds, pusha, vector, ip cs flags */
trap_ss16: .long 0
trap_esp16: .long 0
supervisor_esp16: .long 0
real_idt: .word 0x3ff
    .long 0
protected_idt: .word 0
    .long 0
enter16_big_fs: .byte 0

    .section .note.GNU-stack, "", @progbits
