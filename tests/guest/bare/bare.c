/* SPDX-License-Identifier: MIT */
/* Tables, attempts and printing for the programs here. */
#include "bare.h"

#include <stdarg.h>
#include <stddef.h>

uint64_t gdt[GDT_ENTRIES] __attribute__((aligned(8)));
uint64_t ldt[8] __attribute__((aligned(8)));
uint64_t idt[256] __attribute__((aligned(8)));
Tss32 tss __attribute__((aligned(128))), task __attribute__((aligned(128)));
Regs out;
uint32_t out_vector, out_error, out_cr2;

extern uint32_t trap_frame[TRAP_DWORDS], trap_ss;
extern const char trap_vectors[];
void enter32(const Regs *r);

void bare_panic(void);

void *memset(void *to, int c, size_t n)
{
    void *d = to;

    asm volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(c) : "memory");
    return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
    void *d = to;

    asm volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n) : : "memory");
    return to;
}

/* ---- Printing ------------------------------------------------------------------------------- */

/* To the debug console and to a printer, which Bochs writes to a file. */
static void put_char(char c)
{
    outb(0xe9, c);
    outb(0x378, c);
    outb(0x37a, 0x0d);
    outb(0x37a, 0x0c);
}

static void put_number(uint32_t v, unsigned base, unsigned width, char pad)
{
    char text[12];
    unsigned n = 0;

    do {
        text[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    for (; width > n; width--)
        put_char(pad);
    while (n)
        put_char(text[--n]);
}

void put(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    for (const char *f = format; *f; f++) {
        unsigned width = 0;
        char pad = ' ';

        if (*f != '%') {
            put_char(*f);
            continue;
        }
        if (f[1] == '0')
            pad = *++f;
        while (f[1] >= '0' && f[1] <= '9')
            width = width * 10 + *++f - '0';
        switch (*++f) {
        case 'x': put_number(va_arg(args, uint32_t), 16, width, pad); break;
        case 'd': put_number(va_arg(args, uint32_t), 10, width, pad); break;
        case 'c': put_char(va_arg(args, int)); break;
        case 's':
            for (const char *s = va_arg(args, const char *); *s; s++)
                put_char(*s);
            break;
        default: put_char(*f);
        }
    }
    va_end(args);
}

uint32_t code_now;

void put_value(const char *name, uint32_t v)
{
    uint32_t at = v >= 0x4000000 ? v - 0x4000000 : v; /* the alias for users: paging.c, long.c */

    put(" %s", name);
    if (at - code_now < 0x100)
        put("code+%d", at - code_now);
    else if (at >= 0x10000 && at < 0x40000)
        put("image");
    else
        put("%08x", v);
}

/* isa-debug-exit where there is one, Bochs's shutdown port, and a halt for good. */
void finish(void)
{
    put("end\n");
    outb(0xf4, 0);
    for (const char *s = "Shutdown"; *s; s++)
        outb(0x8900, *s);
    for (;;)
        asm volatile("cli; hlt");
}

/* ---- Tables --------------------------------------------------------------------------------- */

void set_segment(uint64_t *table, unsigned selector, uint32_t base, uint32_t limit, unsigned access,
                 unsigned flags)
{
    table[(selector & ~7u) / 8] = (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 |
                                  (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 15) << 48 |
                                  (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

void set_gate(uint64_t *entry, unsigned selector, uint32_t offset, unsigned access, unsigned params)
{
    *entry = (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)params << 32 |
             (uint64_t)access << 40 | (uint64_t)(offset >> 16) << 48;
}

void set_idt(unsigned vector, unsigned access)
{
    set_gate(&idt[vector], SEL_CODE, (uint32_t)(uintptr_t)trap_vectors + 16 * vector, access, 0);
}

void reset_tables(void)
{
    memset(gdt, 0, sizeof(gdt));
    memset(ldt, 0, sizeof(ldt));
    SEG(SEL_CODE, 0, 0xfffff, XR, G | D);
    SEG(SEL_DATA, 0, 0xfffff, RW, G | D);
    SEG(SEL_UCODE, 0, 0xfffff, XR | DPL3, G | D);
    SEG(SEL_UDATA, 0, 0xfffff, RW | DPL3, G | D);
    SEG(SEL_TSS, (uint32_t)(uintptr_t)&tss, sizeof(tss) - 1, BUSY32, 0);
    SEG(SEL_TASK, (uint32_t)(uintptr_t)&task, sizeof(task) - 1, TSS32, 0);
    SEG(SEL_LDT, (uint32_t)(uintptr_t)ldt, sizeof(ldt) - 1, LDT, 0);
    SEG(SEL_CODE16, 0x10000, 0xffff, XR, 0);
    SEG(SEL_DATA16, 0x10000, 0xffff, RW, 0);
    SEG(SEL_CODE1, 0, 0xfffff, XR | DPL1, G | D);
    SEG(SEL_DATA1, 0, 0xfffff, RW | DPL1, G | D);
    for (unsigned i = 0; i < 256; i++)
        set_idt(i, P | INT32 | (i == 3 || i >= 0x80 ? DPL3 : 0));
    /* clang-format off */
    tss = (Tss32){ .esp0 = TRAP_STACK, .ss0 = SEL_DATA, .esp1 = RING1_STACK, .ss1 = SEL_DATA1,
                   .iomap = offsetof(Tss32, io) };
    /* clang-format on */
    memset(tss.io, 0xff, sizeof(tss.io));
}

void bare_init(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) gdtr = { sizeof(gdt) - 1, (uint32_t)(uintptr_t)gdt },
                              idtr = { sizeof(idt) - 1, (uint32_t)(uintptr_t)idt };

    reset_tables();
    SEG(SEL_TSS, (uint32_t)(uintptr_t)&tss, sizeof(tss) - 1, TSS32, 0);
    asm volatile("lgdt %0; lidt %1; ltr %w2" : : "m"(gdtr), "m"(idtr), "r"(SEL_TSS) : "memory");
}

uint8_t *volatile page0;

/* ---- Attempts ------------------------------------------------------------------------------- */

static void take_outcome(void)
{
    const uint32_t *t = trap_frame;

    /* clang-format off */
    out = (Regs){ .gs = t[0], .fs = t[1], .es = t[2], .ds = t[3], .edi = t[4], .esi = t[5],
                  .ebp = t[6], .ebx = t[8], .edx = t[9], .ecx = t[10], .eax = t[11],
                  .eip = t[14], .cs = t[15] & 0xffff, .eflags = t[16] };
    /* clang-format on */
    out_vector = t[12];
    out_error = t[13];
    if (out.eflags & 0x20000) {
        out.es = t[19], out.ds = t[20], out.fs = t[21], out.gs = t[22];
    }
    if ((out.eflags & 0x20000) || (out.cs & 3)) {
        out.esp = t[17], out.ss = t[18] & 0xffff;
    } else {
        out.esp = t[7] + 20, out.ss = trap_ss & 0xffff;
    }
}

static uint32_t or_else(uint32_t v, uint32_t usual)
{
    return v ? v : usual;
}

void attempt(const Attempt *a)
{
    unsigned data = a->ring == 3 ? SEL_UDATA : a->ring == 1 ? SEL_DATA1 : SEL_DATA;
    unsigned code = a->ring == 3 ? SEL_UCODE : a->ring == 1 ? SEL_CODE1 : SEL_CODE;
    Regs r = a->in;

    code_now = a->code;
    r.eip = a->code;
    r.eflags |= 2;
    r.esp = or_else(r.esp, TEST_STACK);
    if (a->v86) {
        r.eflags |= 0x20000;
        r.cs = a->code >> 4;
        r.eip = a->code & 15;
        r.ss = or_else(r.ss, 0x7000);
        r.esp &= 0xffff;
    } else {
        r.cs = or_else(r.cs, code);
        r.ss = or_else(r.ss, data);
        r.ds = or_else(r.ds, data);
        r.es = or_else(r.es, data);
    }
    asm volatile("mov %0, %%cr2" : : "r"(0));
    enter32(&r);
    take_outcome();
    out_cr2 = READ_CR(2);
    WRITE_DR(7, 0x400);
}

void bare_panic(void)
{
    asm volatile("mov %0, %%esp" : : "i"(SUPERVISOR_STACK));
    put("\npanic: vector %d error %x eip %x\n", trap_frame[12], trap_frame[13], trap_frame[14]);
    finish();
}

static const char *const vector_names[] = {
    "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "CSO", "#TS",
    "#NP", "#SS", "#GP", "#PF", "15",  "#MF", "#AC", "#MC", "#XM", "#VE", "#CP",
};

char outcome(uint32_t selector)
{
    static const char letters[] = "eb..orumf9tnsgp5macxv";

    if (out_vector == ENDED)
        return '.';
    if (out_vector >= sizeof(letters) - 1)
        return '?';
    if (!out_error)
        return letters[out_vector];
    return out_error == (selector & 0xfffc) ? letters[out_vector] - 32 : '!';
}

static void show(char c)
{
    switch (c) {
    case 'a': put_value("eax=", out.eax); break;
    case 'b': put_value("ebx=", out.ebx); break;
    case 'c': put_value("ecx=", out.ecx); break;
    case 'd': put_value("edx=", out.edx); break;
    case 'S': put_value("esi=", out.esi); break;
    case 'D': put_value("edi=", out.edi); break;
    case 'B': put_value("ebp=", out.ebp); break;
    case 's': put_value("esp=", out.esp); break;
    case 'f': put(" eflags=%08x", out.eflags); break;
    case 'i': put_value("eip=", out.eip); break;
    case 'C':
        if ((out.eflags & 0x20000) && out.cs < 0x4000 && out.cs >= 0x1000)
            put(" cs=code");
        else
            put(" cs=%04x", out.cs);
        break;
    case 'T': put(" ss=%04x", out.ss); break;
    case 'U': put(" ds=%04x", out.ds & 0xffff); break;
    case 'E': put(" es=%04x", out.es & 0xffff); break;
    case 'F': put(" fs=%04x", out.fs & 0xffff); break;
    case 'G': put(" gs=%04x", out.gs & 0xffff); break;
    }
}

void report(const Attempt *a)
{
    uint32_t at;

    attempt(a);
    at = out.eip + (out.eflags & 0x20000 ? out.cs << 4 : 0) - a->code;
    for (const char *s = a->name; *s; s++) { /* code as a name has its % doubled */
        put("%c", *s);
        s += s[0] == '%' && s[1] == '%';
    }
    put(":");
    if (out_vector == ENDED)
        put(" ok");
    else if (out_vector < sizeof(vector_names) / sizeof(vector_names[0]))
        put(" %s", vector_names[out_vector]);
    else
        put(" int%02x", out_vector);
    if (out_vector == 8 || (out_vector >= 10 && out_vector <= 14) || out_vector == 17)
        put("(%04x)", out_error);
    if (out_vector != ENDED && at < 0x100)
        put("+%d", at);
    if (out_vector == 14)
        put_value("cr2=", out_cr2);
    for (const char *s = a->show; s && *s; s++)
        show(*s);
    put("\n");
}
