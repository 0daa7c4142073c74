/* SPDX-License-Identifier: MIT */
/*
 * Real mode: segment and stack limits, the interrupt table, big ("unreal") segments, A20, what is
 * not recognized there. Intel SDM vol. 3B, 20.1; 3A, 9.9.
 */
#include "bare.h"

extern uint16_t trap_frame16[24];
extern uint32_t trap_ss16, trap_esp16;
extern const char trap_vectors16[];
extern uint8_t enter16_big_fs;
extern struct {
    uint16_t limit;
    uint32_t base;
} __attribute__((packed)) real_idt;
void enter16(const Regs *r);

static volatile uint32_t *volatile ivt;

static uint32_t dword(const uint16_t *p)
{
    return p[0] | (uint32_t)p[1] << 16;
}

static void attempt16(const Attempt *a)
{
    const uint16_t *t = trap_frame16;
    Regs r = a->in;

    for (unsigned i = 0; i < 256; i++)
        ivt[i] = 0x10000000u | (((uint32_t)(uintptr_t)trap_vectors16 & 0xffff) + 8 * i);
    r.eip += a->code & 15;
    r.cs = a->code >> 4;
    r.ss = r.ss ? r.ss : 0x7000;
    r.esp = r.esp ? r.esp : 0x8000;
    r.ds = r.ds ? r.ds : SCRATCH >> 4;
    r.es = r.es ? r.es : SCRATCH >> 4;
    r.eflags |= 2;
    enter16(&r);
    /* clang-format off */
    out = (Regs){ .gs = t[0], .fs = t[1], .es = t[2], .ds = t[3], .edi = dword(t + 4), .esi = dword(t + 6),
                  .ebp = dword(t + 8), .ebx = dword(t + 12), .edx = dword(t + 14), .ecx = dword(t + 16),
                  .eax = dword(t + 18), .eip = t[21], .cs = t[22], .eflags = t[23], .ss = trap_ss16,
                  .esp = trap_esp16 + 48 };
    /* clang-format on */
    out_vector = t[20];
}

static void report16(const Attempt *a)
{
    uint32_t at;

    attempt16(a);
    at = ((uint32_t)out.cs << 4) + out.eip - a->code;
    put("%s:", a->name);
    if (out_vector == ENDED)
        put(" ok");
    else
        put(" int%02x", out_vector);
    if (out_vector != ENDED && at < 0x100)
        put("+%d", at);
    for (const char *s = a->show; s && *s; s++) {
        const struct {
            char c;
            const char *name;
            uint32_t v;
        } regs[] = { { 'a', "eax", out.eax }, { 'b', "ebx", out.ebx },      { 'c', "ecx", out.ecx },
                     { 'd', "edx", out.edx }, { 'S', "esi", out.esi },      { 'D', "edi", out.edi },
                     { 's', "esp", out.esp }, { 'f', "flags", out.eflags }, { 'i', "ip", out.eip },
                     { 'C', "cs", out.cs },   { 'T', "ss", out.ss },        { 'U', "ds", out.ds },
                     { 'E', "es", out.es } };
        for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
            if (regs[i].c == *s)
                put(" %s=%x", regs[i].name, regs[i].v);
    }
    put("\n");
}

#define REAL(n, text, ...) report16(&(Attempt){ .name = n, .code = CODE_16(text), ##__VA_ARGS__ })

static void limits(void)
{
    *(volatile uint32_t *)SCRATCH = 0x44332211;
    *(volatile uint32_t *)(SCRATCH + 0xfffc) = 0x88776655;
    REAL("byte at ffff", "movb 0xffff, %%al", .show = "a");
    REAL("word at ffff", "movw 0xffff, %%ax");
    REAL("word at fffe", "movw 0xfffe, %%ax", .show = "a");
    REAL("dword at fffd", "movl 0xfffd, %%eax");
    REAL("dword at fffc", "movl 0xfffc, %%eax", .show = "a");
    REAL("32-bit address beyond", "movb (%%ebx), %%al", .in.ebx = 0x10000);
    REAL("16-bit address wraps", "movb 1(%%bx), %%al", .in.ebx = 0xffff, .show = "a");
    REAL("bx+si wraps", "movb (%%bx,%%si), %%al", .in.ebx = 0x8000, .in.esi = 0x8001, .show = "a");
    REAL("bp is in ss", "movb %%al, (%%bp)", .in.ebp = 0x100, .in.eax = 0x5a);
    REAL("word at ffff in ss", "movw %%ss:0xffff, %%ax");
    REAL("bp+1 at the end", "movw (%%bp), %%ax", .in.ebp = 0xffff);
    REAL("store over the end", "movw %%ax, 0xffff");
    REAL("movs wraps si", "movsb", .in.esi = 0xffff, .in.edi = 0x100, .show = "SD");
    REAL("rep movsw over the end", "rep movsw", .in.esi = 0xfffd, .in.edi = 0x100, .in.ecx = 3,
         .show = "cSD");
    REAL("rep stosb wraps", "rep stosb", .in.edi = 0xfffe, .in.ecx = 4, .show = "cD");
    REAL("lods in es", "lodsb %%es:(%%si)", .in.esi = 1, .show = "a");
    REAL("xlat", "xlat", .in.ebx = 0xffff, .in.eax = 3, .show = "a");
    REAL("push at 2", "pushw %%ax", .in.esp = 2, .show = "s");
    REAL("push wraps", "mov $0x7000, %%ax; mov %%ax, %%ss; xor %%sp, %%sp; pushw %%ax",
         .show = "s");
    REAL("pop wraps", "mov $0xfffe, %%sp; popw %%ax", .show = "s");
    REAL("pop over the end", "mov $0xffff, %%sp; popw %%ax; mov $0x8000, %%sp");
    REAL("enter and leave", "enter $4, $1; leave", .show = "s");
    REAL("pusha at 10", "mov $0x10, %%sp; pusha", .show = "s");
    REAL("jmp beyond with 32 bits", "movl $0x12345, %%eax; jmp *%%eax");
    REAL("call beyond with 32 bits", "movl $0x12345, %%eax; calll *%%eax", .show = "s");
    REAL("ret beyond with 32 bits", "pushl $0x12345; retl", .show = "s");
    REAL("far jump", "ljmp $0x6000, $0x40", .show = "C");
    REAL("far call pushes", "lcall $0x6000, $0x40", .show = "sC");
    REAL("far call with 32 bits", "lcalll $0x6000, $0x40", .show = "s");
    REAL("retf 2", "pushw $0; pushw $0x6000; pushw $0x40; lret $2", .show = "sC");
    REAL("les, lds", "mov $0, %%bx; les (%%bx), %%cx; lds 0xfffc, %%dx", .show = "cdUE");
    REAL("mov cs is not", ".byte 0x8e, 0xc8");
    REAL("pop cs is not", ".byte 0x0f, 0xff");
}

/* Code at the end of its 64 KiB: SCRATCH is 5000:0. */
static void code_end(void)
{
    static const struct {
        const char *name;
        uint16_t at;
        uint8_t code[8];
        uint32_t ecx;
    } ends[] = {
        { "nop at ffff", 0xffff, { 0x90 }, 0 },
        { "int3 at ffff", 0xffff, { 0xcc }, 0 },
        { "mov across ffff", 0xfffe, { 0xb8, 1 }, 0 },
        { "jmp rel8 wraps", 0xfff0, { 0xeb, 0x1e }, 0 },
        { "jmp rel16 wraps", 0xfff0, { 0xe9, 0x1d, 0 }, 0 },
        { "jmp rel32 does not", 0xfff0, { 0x66, 0xe9, 0x1a, 0, 0, 0 }, 0 },
        { "jmp rel32 backwards", 0xfff0, { 0x66, 0xe9, 0x1a, 0, 0xff, 0xff }, 0 },
        { "call rel16 wraps", 0xfff0, { 0xe8, 0x1d, 0 }, 0 },
        { "call rel32 does not", 0xfff0, { 0x66, 0xe8, 0x1a, 0, 0, 0 }, 0 },
        { "call from the end", 0xfffd, { 0xe8, 0x10, 0 }, 0 },
        { "jz from the end, not taken", 0xfffe, { 0x74, 0x10 }, 0 },
        { "jnz from the end", 0xfffe, { 0x75, 0x10 }, 0 },
        { "jnz rel32 from there does not wrap", 0xfff0, { 0x66, 0x0f, 0x85, 0x19, 0, 0, 0 }, 0 },
        { "loop wraps", 0xfff0, { 0xe2, 0x1e }, 2 },
        { "loop with 32 bits does not", 0xfff0, { 0x66, 0xe2, 0x1d }, 2 },
        { "jmp back wraps", 0x0010, { 0xeb, 0xde }, 0 },
    };
    volatile uint8_t *code = (volatile uint8_t *)SCRATCH;

    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        memset((void *)SCRATCH, 0xcc, 0x10000);
        for (unsigned n = 0; n < 8 && ends[i].at + n < 0x10000; n++)
            code[ends[i].at + n] = ends[i].code[n];
        put("code: ");
        /* clang-format off */
        report16(&(Attempt){ .name = ends[i].name, .code = SCRATCH, .in.eip = ends[i].at, .in.ecx = ends[i].ecx, .show = "Cics" });
        /* clang-format on */
    }
}

static void interrupts(void)
{
    REAL("int", "int $0x40", .in.eflags = 0x200, .show = "sf");
    REAL("into", "into", .in.eflags = 0x800);
    REAL("into, OF clear", "into");
    REAL("#DE", "xor %%cx, %%cx; div %%cx");
    REAL("#DE of the largest quotient", "idivb %%cl", .in.eax = 0x8000 & 0xff80, .in.ecx = 0xff);
    REAL("bound", "bound %%ax, (%%bx)", .in.eax = 0x7fff, .in.ebx = 0);
    REAL("#UD", ".byte 0x0f, 0x0b");
    REAL("single step", "nop; nop", .in.eflags = 0x100, .show = "f");
    REAL("iret restores flags", "pushw $0x7ed7-0x100; pushw $0x6000; pushw $0x40; iretw",
         .show = "fC");
    REAL("iretl", "pushl $0x3ed7-0x100; pushl $0x6000; pushl $0x40; iretl", .show = "fC");
    /* clang-format off */
    REAL("popf changes IOPL and NT", "pushw $0x7002; popfw; pushfw; popw %%ax; pushw $2; popfw", .show = "a");
    /* clang-format on */
    REAL("pushf", "pushfw; popw %%ax", .in.eflags = 0x3ed7 & ~0x100, .show = "a");
    REAL("sti and mov ss", "sti; mov %%ax, %%ss; cli", .in.eax = 0x7000, .show = "f");
    real_idt.limit = 0xff;
    REAL("vector beyond IDTR's limit", "int $0x40");
    real_idt.limit = 0x3ff;
    REAL("lock nop", ".byte 0xf0; nop");
    REAL("15 bytes", ".rept 14; .byte 0x66; .endr; nop");
    REAL("16 bytes", ".rept 15; .byte 0x66; .endr; nop");
}

static void not_here(void)
{
    REAL("lldt", "lldt %%ax");
    REAL("ltr", "ltr %%ax");
    REAL("sldt", "sldt %%ax");
    REAL("str", "str %%ax");
    REAL("lar", "lar %%ax, %%bx");
    REAL("lsl", "lsl %%ax, %%bx");
    REAL("verr", "verr %%ax");
    REAL("arpl", "arpl %%ax, %%bx");
    REAL("sysenter", ".byte 0x0f, 0x34");
    REAL("sysexit", ".byte 0x0f, 0x35");
    REAL("smsw", "smsw %%ax", .show = "a");
    REAL("clts", "clts");
    REAL("mov cr0", "mov %%cr0, %%eax", .show = "a");
    REAL("mov dr7", "mov %%db7, %%eax", .show = "a");
    REAL("invlpg", "invlpg (%%bx)");
    REAL("wrmsr, rdmsr", "mov $0x174, %%ecx; xor %%edx, %%edx; mov $8, %%eax; wrmsr; rdmsr",
         .show = "a");
    REAL("in, out", "in $0x80, %%al; out %%al, $0x80");
    REAL("invd, wbinvd", "wbinvd");
}

static void a20(void)
{
    volatile uint8_t *volatile low = (volatile uint8_t *)0x500, *volatile high =
                                                                    (volatile uint8_t *)0x100500;

    *low = 0x11;
    *high = 0x22;
    REAL("ffff:0510, A20 on", "movb %%es:0x510, %%al", .in.es = 0xffff, .show = "a");
    outb(0x64, 0xd1); /* the keyboard controller's gate and port 92h's are one or two */
    outb(0x60, 0xdd);
    outb(0x92, 0);
    put("A20 off: %02x", *high);
    *high = 0x33;
    put(" and written, low is %02x\n", *low);
    REAL("ffff:0510, A20 off", "movb %%es:0x510, %%al", .in.es = 0xffff, .show = "a");
    outb(0x92, 2);
    put("A20 on: %02x %02x\n", *high, *low);
}

static void unreal(void)
{
    *(volatile uint32_t *)0x150000 = 0xfeedc0de;
    REAL("64 KiB fs", "movl %%fs:(%%ebx), %%eax", .in.ebx = 0x150000);
    enter16_big_fs = 1;
    REAL("big fs", "movl %%fs:(%%ebx), %%eax", .in.ebx = 0x150000, .show = "a");
    REAL("big fs keeps its limit when loaded",
         "movw $0x1000, %%ax; movw %%ax, %%fs; movl %%fs:(%%ebx), %%eax", .in.ebx = 0x140000,
         .show = "a");
    REAL("big fs, 16-bit address", "movw %%fs:0xffff, %%ax");
    enter16_big_fs = 0;
}

void bare_main(void)
{
    bare_init();
    *(volatile uint8_t *)0x60040 = 0xcc; /* 6000:0040 */
    limits();
    code_end();
    interrupts();
    not_here();
    a20();
    unreal();
    finish();
}
