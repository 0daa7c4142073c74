/* SPDX-License-Identifier: MIT */
/* Long mode's tables, attempts and printing. */
#include "bare64.h"

extern const char trap_vectors64[];
void enter64(const Regs64 *r);

Tss64 tss64;
uint64_t idt64[512] __attribute__((aligned(16)));

void set_gate64(uint64_t *entry, unsigned selector, uint32_t offset, unsigned access, unsigned ist)
{
    set_gate(entry, selector, offset, access, ist);
    entry[1] = 0;
}

void reset_tables64(void)
{
    SEG(SEL_CODE64, 0, 0xfffff, XR, G | L);
    SEG(K64, 0, 0xfffff, XR, G | L);
    SEG(K64 + 8, 0, 0xfffff, RW, G | D);
    SEG(U32, ALIAS, 0xfffff, XR | DPL3, G | D);
    SEG(UD, 0, 0xfffff, RW | DPL3, G | D);
    SEG(U64, 0, 0xfffff, XR | DPL3, G | L);
    for (unsigned i = 0; i < 256; i++)
        set_gate64(&idt64[2 * i], SEL_CODE64, (uint32_t)(uintptr_t)trap_vectors64 + 16 * i,
                   P | INT32 | (i == 3 || i >= 0x80 ? DPL3 : 0), 1);
    tss64.rsp[0] = TRAP_STACK - 0x400;
    tss64.ist[0] = TRAP_STACK;
    tss64.ist[2] = RING1_STACK;
    tss64.iomap = sizeof(tss64);
}

void long_mode(void)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) idtr = { sizeof(idt64) - 1, (uint32_t)(uintptr_t)idt64 };

    memset(PML4, 0, 0x4000);
    PML4[0] = (TABLES + 0x1000) | 7;
    PDPT[0] = (TABLES + 0x2000) | 7;
    for (unsigned i = 0; i < 16; i++) {
        PD[i] = i << 21 | 0x83;
        PD[(ALIAS >> 21) + i] = i << 21 | 0x87;
    }
    PD[PAGE >> 21] = (TABLES + 0x3000) | 7;
    PT[0] = FRAME | 7;
    WRITE_CR(4, 0x220);
    WRITE_CR(3, TABLES);
    wrmsr(0xc0000080, 0, 0x901); /* NXE LME SCE */
    WRITE_CR(0, READ_CR(0) | 0x80000000);
    asm volatile("lidt %0" : : "m"(idtr));
    reset_tables64();
    SEG(TSS64, (uint32_t)(uintptr_t)&tss64, sizeof(tss64) - 1, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(TSS64));
}

void attempt64(const Attempt64 *a)
{
    Regs64 r = a->in;

    code_now = a->code;

    if (!r.rip)
        r.rip = a->code + (a->ring == 3 && !a->compat ? ALIAS : 0);
    r.rflags |= 2;
    if (!r.rsp)
        r.rsp = a->ring == 3 ? ALIAS + TEST_STACK : TEST_STACK;
    if (!r.cs)
        r.cs = a->compat ? (a->ring ? U32 | 3 : SEL_CODE) : a->ring ? U64 | 3 : SEL_CODE64;
    if (!r.ss)
        r.ss = a->ring ? UD | 3 : SEL_DATA;
    if (!r.ds)
        r.ds = r.es = r.ss;
    asm volatile("mov %0, %%cr2" : : "r"(0));
    enter64(&r);
}

void put64(const char *name, uint64_t v)
{
    if ((name[0] == 0 || name[1] == 'c' || name[1] == 'i') && (uint32_t)v == v && v >= 0x10000 &&
        v < 0x6000000) {
        put_value(name[0] ? name[1] == 'c' ? "rcx=" : "rip=" : "=", (uint32_t)v);
        return;
    }
    put(v >> 32 ? " %s=%x%08x" : " %s=%x", name, v >> 32 ? (uint32_t)(v >> 32) : (uint32_t)v,
        (uint32_t)v);
}

static void show64(char c)
{
    static const struct {
        char letter;
        const char *name;
        const uint64_t *value;
    } regs[] = {
        { 'a', "rax", &regs_out.rax }, { 'b', "rbx", &regs_out.rbx },
        { 'c', "rcx", &regs_out.rcx }, { 'd', "rdx", &regs_out.rdx },
        { 'S', "rsi", &regs_out.rsi }, { 'D', "rdi", &regs_out.rdi },
        { 'B', "rbp", &regs_out.rbp }, { 's', "rsp", &regs_out.rsp },
        { 'r', "r11", &regs_out.r11 }, { 'f', "rflags", &regs_out.rflags },
        { 'i', "rip", &regs_out.rip }, { 'C', "cs", &regs_out.cs },
        { 'T', "ss", &regs_out.ss },   { 'U', "ds", &regs_out.ds },
        { 'F', "fs", &regs_out.fs },
    };
    for (unsigned i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
        if (regs[i].letter == c)
            put64(regs[i].name, *regs[i].value);
}

void report64(const Attempt64 *a)
{
    static const char names[][4] = { "#DE", "#DB", "NMI", "ok",  "#OF", "#BR", "#UD",
                                     "#NM", "#DF", "CSO", "#TS", "#NP", "#SS", "#GP",
                                     "#PF", "15",  "#MF", "#AC", "#MC", "#XM" };
    uint32_t v = vector64, at;

    attempt64(a);
    v = vector64;
    at = (uint32_t)regs_out.rip - a->code - (a->ring == 3 && !a->compat ? ALIAS : 0);
    put("%s:", a->name);
    if (v < sizeof(names) / sizeof(names[0]))
        put(" %s", names[v]);
    else
        put(" int%02x", v);
    if (v == 8 || (v >= 10 && v <= 14) || v == 17)
        put("(%04x)", (uint32_t)error64);
    if (v != 3 && at < 0x100)
        put("+%d", at);
    if (v == 14)
        put_value("cr2=", READ_CR(2));
    for (const char *s = a->show; s && *s; s++)
        show64(*s);
    put("\n");
}
