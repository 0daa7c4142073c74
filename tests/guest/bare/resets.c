/* SPDX-License-Identifier: MIT */
/*
 * Ways to a reset: triple faults, port 92h, the reset control register, the keyboard controller.
 * What the reset leaves: memory, CMOS RAM, which tells the step. Intel SDM vol. 3A, 6.15
 * (#DF), 10.1; 82371AB.
 */
#include "bare.h"

#define STEP_AT 0x60 /* in CMOS RAM: a mark and the step */

static const struct {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed)) no_idt = { 0, 0 };

static uint8_t cmos(uint8_t at)
{
    outb(0x70, at);
    return inb(0x71);
}

static void set_cmos(uint8_t at, uint8_t v)
{
    outb(0x70, at);
    outb(0x71, v);
}

static void no_handler(void)
{
    asm volatile("lidt %0; ud2" : : "m"(no_idt));
}

/* #UD without a gate is #NP, without one for that #DF, without one for that the end. */
static void absent_gates(void)
{
    idt[6] = idt[8] = idt[11] = idt[13] = 0;
    asm volatile("ud2");
}

/* An NMI cannot be delivered either. */
static void no_handler_nmi(void)
{
    *(volatile uint32_t *)0xfee000f0 = 0x1ff;
    asm volatile("lidt %0; mov %1, 0xfee00300; 1: jmp 1b" : : "m"(no_idt), "r"(0x400));
}

static void port_92(void)
{
    outb(0x92, inb(0x92) | 1);
}

static void control_register(void)
{
    outb(0xcf9, 2);
    outb(0xcf9, 6);
}

static void keyboard(void)
{
    outb(0x64, 0xfe);
}

static const struct {
    const char *name;
    void (*act)(void);
} ways[] = {
    { "exception without a table", no_handler }, { "exception without gates", absent_gates },
    { "nmi without a table", no_handler_nmi },   { "port 92h", port_92 },
    { "port cf9h", control_register },           { "port 64h", keyboard },
};

void bare_main(void)
{
    volatile uint32_t *kept = (volatile uint32_t *)SCRATCH;
    unsigned step = cmos(STEP_AT) == 0x5a ? cmos(STEP_AT + 1) : 0;
    uint32_t apic_base, high;

    asm volatile("rdmsr" : "=a"(apic_base), "=d"(high) : "c"(0x1b));
    put("start %d: memory %s, apic base %08x, cr4 %x dr7 %x\n", step,
        kept[0] == 0x12345678 ? "kept" : "new", apic_base, READ_CR(4), READ_DR(7));
    bare_init();
    if (step == sizeof(ways) / sizeof(ways[0]))
        finish();
    kept[0] = 0x12345678;
    set_cmos(STEP_AT, 0x5a);
    set_cmos(STEP_AT + 1, step + 1);
    WRITE_DR(7, 0x455);
    put("%s\n", ways[step].name);
    ways[step].act();
    for (;;)
        asm volatile("hlt");
}
