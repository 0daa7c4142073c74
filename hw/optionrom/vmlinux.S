/* SPDX-License-Identifier: MIT */
/*
 * What a bzImage's decompressor finds instead of the kernel when the board has decompressed it
 * (hw/kernel-unpack.c): it fetches the kernel by fw_cfg DMA, adds what the decompressor's choice
 * of an address asks for, and goes on as the kernel itself would. Assembled twice, BITS = 32, 64.
 * "head" is placed where the kernel will be, "tail" behind it, with a plan behind the code. The
 * ELF file they come in (kernel-unpack.c) has the decompressor touch, and so map, all of the place.
 * On entry: interrupts off, no paging or an identity mapping, a stack; all registers belong to
 * the kernel's entry code (Documentation/arch/x86/boot.rst, "32-bit" and "64-bit Boot Protocol").
 */
        .text
#if BITS == 64
        .code64
#define R(x) %r##x
#else
        .code32
#define R(x) %e##x
#endif
        .set    WORD, BITS / 8

        .set    FW_CFG_DMA, 0x514
        .set    DMA_ERROR, 1
        .set    DMA_READ, 2
        .set    DMA_SKIP, 4
        .set    DMA_SELECT, 8
        .set    SIGNATURE, 0x00
        .set    VMLINUX, 0x8010

        /* The plan, as struct Plan of kernel-unpack.c has it. */
        .set    PLAN_COPIES, 0
        .set    PLAN_ADD32, 4           /* how many words to add to */
        .set    PLAN_SUB32, 8
        .set    PLAN_ADD64, 12
        .set    PLAN_PLACES, 16         /* where the list of these is, from the kernel's start */
        .set    PLAN_REQUEST, 20        /* DMA descriptor, 16 bytes, aligned to 4 */
        .set    PLAN_COPY, 36           /* first of 12 bytes each: */
        .set    COPY_SKIP, 0            /* how much of the item not to read */
        .set    COPY_TO, 4              /* destination, from the kernel's start */
        .set    COPY_SIZE, 8

head:
        jmp     1f
        .org    4
to_tail:
        .long   tail - head             /* in memory: kernel-unpack.c */
delta:
        .long   0                       /* the decompressor adds its displacement */
        /* The ELF file's entry, for decompressors (since Linux 6.3) that go there; others go to
         * the start. The kernel is entered likewise. */
entry:
        .byte   0x68                    /* push $… */
        .long   0                       /* the kernel's entry - its start: kernel-unpack.c */
        jmp     2f
1:      push    $0
2:      pushf
        push    R(ax)
        push    R(bx)
        push    R(cx)
        push    R(dx)
        push    R(si)
        push    R(di)
        push    R(bp)
        cld
        call    3f
3:      pop     R(bx)
        sub     $(3b - head), R(bx)     /* the kernel's start */
        add     R(bx), (8 * WORD)(R(sp))
        mov     (delta - head)(R(bx)), %ebp
        mov     (to_tail - head)(R(bx)), %eax
        add     R(bx), R(ax)
        jmp     *R(ax)

        .balign 16
        .globl  tail
tail:
        call    1f
1:      pop     R(si)
        add     $(plan - 1b), R(si)
        mov     $(VMLINUX << 16 | DMA_SELECT), %eax
        call    transfer
        mov     PLAN_COPIES(R(si)), %ecx
        lea     PLAN_COPY(R(si)), R(di)
2:      push    R(cx)
        mov     COPY_SKIP(R(di)), %ecx
        mov     $DMA_SKIP, %eax
        call    transfer
        mov     COPY_TO(R(di)), %edx
        add     R(bx), R(dx)
        mov     COPY_SIZE(R(di)), %ecx
        mov     $DMA_READ, %eax
        call    transfer
        add     $12, R(di)
        pop     R(cx)
        dec     %ecx
        jnz     2b
        mov     $(SIGNATURE << 16 | DMA_SELECT), %eax
        call    transfer

        mov     PLAN_PLACES(R(si)), %edi
        add     R(bx), R(di)
        mov     PLAN_ADD32(R(si)), %ecx
        jecxz   4f
3:      mov     (R(di)), %eax
        add     $4, R(di)
        add     %ebp, (R(bx), R(ax))
        dec     %ecx
        jnz     3b
4:      mov     PLAN_SUB32(R(si)), %ecx
        jecxz   6f
5:      mov     (R(di)), %eax
        add     $4, R(di)
        sub     %ebp, (R(bx), R(ax))
        dec     %ecx
        jnz     5b
6:      mov     PLAN_ADD64(R(si)), %ecx
        jecxz   8f
7:      mov     (R(di)), %eax
        add     $4, R(di)
        add     R(bp), (R(bx), R(ax))
        dec     %ecx
        jnz     7b

8:      pop     R(bp)
        pop     R(di)
        pop     R(si)
        pop     R(dx)
        pop     R(cx)
        pop     R(bx)
        pop     R(ax)
        popf
        ret                             /* to the kernel's entry */

/* DMA with control word %eax, %ecx bytes, to address dx. Clobbers eax, ecx, edx. The descriptor and
 * the port are big-endian. */
transfer:
        push    R(di)
        lea     PLAN_REQUEST(R(si)), R(di)
        bswap   %eax
        mov     %eax, (R(di))
        bswap   %ecx
        mov     %ecx, 4(R(di))
#if BITS == 64
        bswap   %rdx
        mov     %rdx, 8(%rdi)
#else
        movl    $0, 8(%edi)
        bswap   %edx
        mov     %edx, 12(%edi)
#endif
        mov     $FW_CFG_DMA, %edx
#if BITS == 64
        mov     %rdi, %rax
        shr     $32, %rax
        bswap   %eax
#else
        xor     %eax, %eax
#endif
        out     %eax, %dx
        mov     %edi, %eax
        bswap   %eax
        add     $4, %edx
        out     %eax, %dx
        mov     (R(di)), %eax
        pop     R(di)
        test    %eax, %eax
        jnz     9f
        ret
9:      hlt                             /* the board lied about what it has */
        jmp     9b

        .balign 16
        .globl  plan
plan:
