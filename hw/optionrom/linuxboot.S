/* SPDX-License-Identifier: MIT */
/*
 * Option ROM that boots the Linux kernel the board put into fw_cfg.
 * It registers a bootstrap entry vector (Plug and Play BIOS Specification 1.0A, section 3); when
 * firmware boots from it, each item is fetched to its address by fw_cfg DMA, which knows physical
 * addresses only, so real mode is enough. Then the kernel's real-mode setup is entered as
 * Documentation/arch/x86/boot.rst, "Running the kernel", asks.
 * mkrom.py pads the image, fills in its size and checksum.
 */
        .code16
        .text
        .globl  _start

#include "keys.inc"

#define TITLE "Linux kernel from fw_cfg"
#include "header.inc"

/* What to fetch: keys of address, size and data. */
items:
        .byte   SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        .byte   CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
        .byte   KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        .byte   INITRD_ADDR, INITRD_SIZE, INITRD_DATA
items_end:

#include "boot.inc"

        /* Stack and heap of the setup code lie between it and the command line. */
        movb    $CMDLINE_ADDR, %al
        call    fetch_value
        movl    %ecx, %edx
        movb    $SETUP_ADDR, %al
        call    fetch_value
        subl    %ecx, %edx
        subl    $16, %edx
        shrl    $4, %ecx

        cli
        movw    %cx, %ds
        movw    %cx, %es
        movw    %cx, %fs
        movw    %cx, %gs
        movw    %cx, %ss
        movl    %edx, %esp
        addw    $0x20, %cx
        pushw   %cx
        pushw   $0
        lret                            /* to setup, 512 bytes behind the boot sector */

#include "fetch.inc"
