/* SPDX-License-Identifier: MIT */
/*
 * x87 errors as a PC reports them: CR0.NE clear, FERR# to interrupt 13, port F0h and IGNNE#. Intel
 * SDM vol. 1, 8.7.2, appendix D; 82371AB, port F0h.
 */
#include "bare.h"

#define DIVIDE \
    "fninit; movw $0x37b, 0x50000; fldcw 0x50000; fld1; fldz; fdivrp;" /* 1 / 0, unmasked */

static void pics(uint8_t master, uint8_t slave)
{
    outb(0x20, 0x11), outb(0xa0, 0x11);
    outb(0x21, 0x70), outb(0xa1, 0x78);
    outb(0x21, 4), outb(0xa1, 2);
    outb(0x21, 1), outb(0xa1, 1);
    outb(0x21, master), outb(0xa1, slave);
}

#define EOI "push %%eax; mov $0x20, %%al; outb %%al, $0xa0; outb %%al, $0x20; pop %%eax;"

static void handler(uint32_t code)
{
    set_gate(&idt[0x7d], SEL_CODE, code, P | INT32, 0);
}

#define TRY_FERR(n, text, ...)                 \
    TRY(n, text, .show = "bc", ##__VA_ARGS__); \
    asm volatile("cli; fninit");               \
    outb(0xf0, 0);                             \
    pics(0xfb, 0xdf)

static void interrupt(void)
{
    pics(0xfb, 0xdf);
    handler(CODE("inc %%ebx; outb %%al, $0xf0; fnclex;" EOI "iret"));
    TRY_FERR("cleared by the handler", DIVIDE "sti; fwait; inc %%ecx");
    TRY_FERR("a waiting instruction", DIVIDE "sti; fld1; inc %%ecx");
    handler(CODE("inc %%ebx; outb %%al, $0xf0;" EOI "iret"));
    TRY_FERR("ignored after port F0h", DIVIDE "sti; fwait; inc %%ecx; fld1; fwait; inc %%ecx");
    TRY_FERR("until it is cleared",
             DIVIDE "sti; fwait; inc %%ecx; fnclex;" DIVIDE "fwait; inc %%ecx");
    handler(CODE("inc %%ebx; outb %%al, $0xf0; fstcw 0x50010; fld1; fclex;" EOI "iret"));
    TRY_FERR("waiting instructions in the handler", DIVIDE "sti; fwait; inc %%ecx");
    handler(CODE("inc %%ebx; fnstsw 0x50010; fnstcw 0x50010; fnclex; fwait; outb %%al, $0xf0;" EOI
                 "iret"));
    TRY_FERR("others, before port F0h", DIVIDE "sti; fwait; inc %%ecx");
    TRY_FERR("several errors", DIVIDE "sti; fwait; inc %%ecx;" DIVIDE "fwait; inc %%ecx");
    /* clang-format off */
    TRY_FERR("unmasked later", "fninit; fld1; fldz; fdivrp; movw $0x37b, 0x50000; fldcw 0x50000; sti; fwait; inc %%ecx");
    TRY_FERR("CR0.NE", "mov %%cr0, %%eax; or $0x20, %%al; mov %%eax, %%cr0; sti;" DIVIDE "nop; fwait; inc %%ecx");
    /* clang-format on */
    WRITE_CR(0, READ_CR(0) & ~0x20u);
}

/* The interrupt is masked: what the 8254 interrupts stands still. */
static void stopped(void)
{
    outb(0x43, 0x30);
#define STOPPED(n, text)                                                                       \
    pics(0xfe, 0xff);                                                                          \
    TRY(n, DIVIDE                                                                              \
        "xor %%eax, %%eax; outb %%al, $0x40; mov $0x10, %%al; outb %%al, $0x40; sti; 1: " text \
        "; 2: jmp 2b");                                                                        \
    asm volatile("cli; fninit");                                                               \
    outb(0xf0, 0)
    STOPPED("stands at fwait", "nop; fwait; nop");
    STOPPED("at fld1", "nop; fld1; nop");
    STOPPED("at fclex, which is fwait first", "nop; fclex; nop; nop");
    STOPPED("not at fnclex", "nop; fnclex; fwait; nop; nop");
    STOPPED("not at fninit", "nop; fninit; fwait; nop; nop");
    STOPPED("at emms", "nop; emms; nop");
}

void bare_main(void)
{
    bare_init();
    WRITE_CR(0, READ_CR(0) & ~0x2eu);
    interrupt();
    stopped();
    finish();
}
