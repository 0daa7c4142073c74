/* SPDX-License-Identifier: MIT */
/*
 * From the reset vector to C in flat 32-bit protected mode: the image is copied to 0x10000, where
 * it can be written and reached from real mode.
 */
#include "layout.h"

    .section .reset, "ax"
    .code16
    ljmp $0xf000, $0xf000

    .section .boot, "ax"
    .code16
boot:
    cli
    cld
    mov $0x02, %al              /* A20 on */
    out %al, $0x92
    mov $0xff, %al              /* no interrupts from the PICs */
    out %al, $0x21
    out %al, $0xa1
    mov $0xe000, %ax
    mov $0x1000, %dx
    mov $2, %bl
copy:
    mov %ax, %ds
    mov %dx, %es
    xor %si, %si
    xor %di, %di
    mov $0x4000, %cx
    rep movsl
    add $0x1000, %ax
    add $0x1000, %dx
    dec %bl
    jnz copy
    mov $0xf000, %ax
    mov %ax, %ds
    lgdtl 0xf000 + boot_gdtr - boot
    mov %cr0, %eax
    and $0x9fffffff, %eax
    or $1, %al
    mov %eax, %cr0
    ljmpl $SEL_CODE, $start32
    .balign 8
boot_gdt:
    .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
    .word 23
    .long boot_gdt

    .text
    .code32
start32:
    mov $SEL_DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %fs
    mov %eax, %gs
    mov %eax, %ss
    mov $SUPERVISOR_STACK, %esp
    mov $image_end, %edi
    mov $bss_end, %ecx
    sub %edi, %ecx
    xor %eax, %eax
    rep stosb
    call bare_main
    jmp .

    .section .note.GNU-stack, "", @progbits
