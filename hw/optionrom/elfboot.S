/* SPDX-License-Identifier: MIT */
/*
 * Option ROM that starts a multiboot or PVH kernel that the board has put into fw_cfg, with all that
 * the kernel finds in memory but the memory map: it is firmware's (INT 15h, AX=E820h).
 * hw/kernel-elf.c has the layout of low memory and of the parameters.
 */
        .code16
        .text
        .globl  _start

#include "keys.inc"

        .set    MAP, 0x8000             /* rows of 24 bytes: tag, address, size, type */
        .set    MAP_END, 0x8ff0
        .set    PARAMETERS, 0x9000
        .set    ENTRY, PARAMETERS
        .set    START_EAX, PARAMETERS + 4
        .set    START_EBX, PARAMETERS + 8
        .set    TAG, PARAMETERS + 12    /* what a row begins with */
        .set    COUNT_ADDR, PARAMETERS + 16 /* where the number of rows goes, times … */
        .set    COUNT_UNIT, PARAMETERS + 20
        .set    LOWER_ADDR, PARAMETERS + 24 /* KiB below and above 1 MiB; 0: not wanted */
        .set    GDTR, 0x7020
        .set    GDT, 0x7040
        .set    TSS, 0x7100
        .set    SMAP, 0x534d4150

#define TITLE "Kernel from fw_cfg"
#include "header.inc"

/* What to fetch: keys of address, size and data. */
items:
        .byte   SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        .byte   KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        .byte   INITRD_ADDR, INITRD_SIZE, INITRD_DATA
items_end:

        .balign 8, 0
gdt:    .quad   0
        .quad   0x00cf9b000000ffff      /* 08: code, 4 GiB */
        .quad   0x00cf93000000ffff      /* 10: data, 4 GiB */
        .quad   0x0000890071000067      /* 18: TSS of 32 bits */
gdt_end:

#include "boot.inc"

        call    ask_for_map
        call    ask_for_sizes
        call    enable_a20

        cli
        movw    $(gdt - _start), %si
        movw    $GDT, %di
        movw    $((gdt_end - gdt) / 2), %cx
1:      movw    %cs:(%si), %ax
        stosw
        addw    $2, %si
        loop    1b
        movw    $TSS, %di
        movw    $(0x68 / 2), %cx
        xorw    %ax, %ax
        rep stosw
        movw    $(gdt_end - gdt - 1), GDTR
        movl    $GDT, GDTR + 2
        lgdtl   GDTR

        xorl    %edx, %edx              /* linear address of protected */
        movw    %cs, %dx
        shll    $4, %edx
        addl    $(protected - _start), %edx
        pushl   $0x08
        pushl   %edx
        movl    %cr0, %eax
        orb     $1, %al
        movl    %eax, %cr0
        lretl

        .code32
protected:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %eax, %ss
        movl    $0x18, %eax
        ltr     %ax
        movl    START_EAX, %eax
        movl    START_EBX, %ebx
        movl    ENTRY, %edx
        xorl    %ecx, %ecx
        xorl    %esi, %esi
        xorl    %edi, %edi
        xorl    %ebp, %ebp
        jmp     *%edx
        .code16

/* Rows at MAP and how many there are. */
ask_for_map:
        xorl    %ebx, %ebx
        xorl    %esi, %esi              /* rows */
        movw    $MAP, %di
1:      movl    TAG, %eax
        movl    %eax, (%di)
        addw    $4, %di
        movl    $0xe820, %eax
        movl    $20, %ecx
        movl    $SMAP, %edx
        pushl   %esi
        pushw   %di
        int     $0x15
        popw    %di
        popl    %esi
        jc      2f
        cmpl    $SMAP, %eax
        jne     2f
        addw    $20, %di
        incl    %esi
        testl   %ebx, %ebx
        jz      2f
        cmpw    $(MAP_END - 24), %di
        jb      1b
2:      movl    TAG, %eax               /* a row may also end with it */
        movl    %eax, (%di)
        movl    %esi, %eax
        mull    COUNT_UNIT
        movw    COUNT_ADDR, %di
        movl    %eax, (%di)
        ret

/* KiB of memory below and above 1 MiB. */
ask_for_sizes:
        movw    LOWER_ADDR, %di
        testw   %di, %di
        jz      1f
        pushw   %di
        xorl    %eax, %eax
        int     $0x12
        popw    %di
        movzwl  %ax, %eax
        movl    %eax, (%di)
        pushw   %di
        movw    $0xe801, %ax
        int     $0x15
        popw    %di
        movzwl  %bx, %edx               /* 64 KiB blocks above 16 MiB */
        shll    $6, %edx
        movzwl  %ax, %eax
        addl    %edx, %eax
        movl    %eax, 4(%di)
1:      ret

/* By the system control port. */
enable_a20:
        inb     $0x92, %al
        orb     $2, %al
        andb    $0xfe, %al
        outb    %al, $0x92
        ret

#include "fetch.inc"
