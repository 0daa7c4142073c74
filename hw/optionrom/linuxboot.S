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

        .set    FW_CFG_DMA, 0x514
        .set    DMA_ERROR, 1
        .set    DMA_READ_SELECT, 0x0a
        .set    INITRD_ADDR, 0x0a
        .set    INITRD_SIZE, 0x0b
        .set    INITRD_DATA, 0x12
        .set    KERNEL_ADDR, 0x07
        .set    KERNEL_SIZE, 0x08
        .set    KERNEL_DATA, 0x11
        .set    CMDLINE_ADDR, 0x13
        .set    CMDLINE_SIZE, 0x14
        .set    CMDLINE_DATA, 0x15
        .set    SETUP_ADDR, 0x16
        .set    SETUP_SIZE, 0x17
        .set    SETUP_DATA, 0x18

        /* Scratch below the boot sector's place; the stack grows down from 0x7c00. */
        .set    STACK_TOP, 0x7c00
        .set    REQUEST, 0x7000         /* DMA descriptor, 16 bytes */
        .set    VALUE, 0x7010           /* a fetched integer */

_start:
        .short  0xaa55
        .byte   0                       /* size in 512-byte units: mkrom.py */
init:                                   /* offset 3: called at initialisation */
        xorw    %ax, %ax
        lret
        .byte   0                       /* checksum: mkrom.py */

        .org    0x18
        .short  0                       /* no PCI data structure */
        .short  pnp - _start

        .balign 16, 0
pnp:
        .ascii  "$PnP"
        .byte   1                       /* revision */
        .byte   2                       /* length in 16-byte units */
        .short  0                       /* no next header */
        .byte   0
        .byte   0                       /* checksum: mkrom.py */
        .long   0                       /* device id */
        .short  manufacturer - _start
        .short  product - _start
        .byte   0x02, 0x80, 0x00        /* device type: mass storage, other */
        .byte   0x70                    /* may be shadowed, cached; read by initialisation only */
        .short  0                       /* boot connection vector */
        .short  0                       /* disconnect vector */
        .short  boot - _start           /* bootstrap entry vector */
        .short  0
        .short  0                       /* static resource vector */

manufacturer:
        .asciz  "Mimus"
product:
        .asciz  "Linux kernel from fw_cfg"

/* What to fetch: keys of address, size and data. */
items:
        .byte   SETUP_ADDR, SETUP_SIZE, SETUP_DATA
        .byte   CMDLINE_ADDR, CMDLINE_SIZE, CMDLINE_DATA
        .byte   KERNEL_ADDR, KERNEL_SIZE, KERNEL_DATA
        .byte   INITRD_ADDR, INITRD_SIZE, INITRD_DATA
items_end:

boot:
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movl    $STACK_TOP, %esp
        sti

        movw    $(items - _start), %si
1:      movb    %cs:0(%si), %al
        call    fetch_value
        movl    %ecx, %edi              /* where to */
        movb    %cs:1(%si), %al
        call    fetch_value             /* ecx: how much */
        jecxz   2f
        movb    %cs:2(%si), %al
        call    fetch
2:      addw    $3, %si
        cmpw    $(items_end - _start), %si
        jb      1b

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

/* ecx = the 32-bit item %al. Clobbers eax. */
fetch_value:
        pushl   %edx
        pushl   %edi
        movl    $VALUE, %edi
        movl    $4, %ecx
        call    fetch
        movl    VALUE, %ecx
        popl    %edi
        popl    %edx
        ret

/* Read %ecx bytes of item %al to physical address %edi. All values of the descriptor and of the
 * port are big-endian. Clobbers eax, edx. */
fetch:
        movzbl  %al, %eax
        shll    $16, %eax
        orl     $DMA_READ_SELECT, %eax
        bswapl  %eax
        movl    %eax, REQUEST
        movl    %ecx, %eax
        bswapl  %eax
        movl    %eax, REQUEST + 4
        movl    $0, REQUEST + 8
        movl    %edi, %eax
        bswapl  %eax
        movl    %eax, REQUEST + 12
        movw    $FW_CFG_DMA, %dx
        xorl    %eax, %eax
        outl    %eax, %dx
        movl    $REQUEST, %eax
        bswapl  %eax
        movw    $(FW_CFG_DMA + 4), %dx
        outl    %eax, %dx
1:      movl    REQUEST, %eax
        bswapl  %eax
        testl   $DMA_ERROR, %eax
        jnz     failed
        testl   %eax, %eax
        jnz     1b
        ret

failed:
        movw    $(complaint - _start), %si
1:      movb    %cs:(%si), %al
        incw    %si
        testb   %al, %al
        jz      2f
        movb    $0x0e, %ah
        movw    $7, %bx
        int     $0x10
        jmp     1b
2:      int     $0x18                   /* next boot device */

complaint:
        .asciz  "fw_cfg: cannot fetch the kernel\r\n"
