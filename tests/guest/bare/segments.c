/* SPDX-License-Identifier: MIT */
/*
 * Segmentation in protected mode: what may be loaded where, limits, types, LDT, null selectors.
 * Intel SDM vol. 3A, 3.4, 5.3 to 5.7; vol. 2 at MOV, LAR, LSL, VERR, LLDT, LTR.
 */
#include "bare.h"

#define T0 SEL_T0
#define T1 (SEL_T0 + 8)

/* One letter per access byte 0 to 255: '.' loads; a capital: error code is the selector. */
static void matrix(const char *name, uint32_t code, unsigned ring, unsigned selector)
{
    Attempt a = { .code = code, .ring = ring, .in.eax = selector };

    put("%s ring %d rpl %d\n", name, ring, selector & 3);
    for (unsigned access = 0; access < 256; access++) {
        if (access % 32 == 0)
            put("  %02x ", access);
        reset_tables();
        set_segment(gdt, selector, 0x10000, 0xffff, access, D);
        attempt(&a);
        put("%c", outcome(selector));
        if (access % 32 == 31)
            put("\n");
    }
    reset_tables();
}

static void loads(void)
{
    static const struct {
        uint8_t ring, rpl;
    } levels[] = { { 0, 0 }, { 0, 3 }, { 1, 1 }, { 1, 0 }, { 1, 2 }, { 3, 0 }, { 3, 3 } };

    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        unsigned ring = levels[i].ring, selector = T0 | levels[i].rpl;

        matrix("mov ds", CODE("mov %%eax, %%ds"), ring, selector);
        matrix("mov ss", CODE("mov %%ss, %%ebx; mov %%eax, %%ss; mov %%ebx, %%ss"), ring, selector);
    }
    matrix("pop es", CODE("push %%eax; pop %%es"), 3, T0 | 3);
    matrix("lfs", CODE("push %%eax; push %%eax; lfs (%%esp), %%ebx"), 3, T0 | 3);
    matrix("lldt", CODE("lldt %%ax"), 0, T0);
    matrix("lldt", CODE("lldt %%ax"), 3, T0);
    for (unsigned type = 0; type < 256; type++) { /* LTR marks busy: not through matrix() */
        if (type % 32 == 0)
            put("%s %02x ", type ? "    " : "ltr ", type);
        reset_tables();
        set_segment(gdt, T0, 0x48000, 0x67, type, 0);
        RUN("ltr %%ax", .in.eax = T0);
        put("%c", outcome(T0));
        if (type % 32 == 31)
            put("\n");
        set_segment(gdt, SEL_TSS, (uint32_t)(uintptr_t)&tss, sizeof(tss) - 1, P | TSS32, 0);
        asm volatile("ltr %w0" : : "r"(SEL_TSS));
    }
    reset_tables();
    lldt(0);
}

/* '.': ZF and the destination written; '-': neither. */
static void query(const char *name, uint32_t code, unsigned ring, unsigned selector)
{
    Attempt a = { .code = code, .ring = ring, .in.eax = selector };

    put("%s ring %d rpl %d\n", name, ring, selector & 3);
    for (unsigned access = 0; access < 256; access++) {
        if (access % 32 == 0)
            put("  %02x ", access);
        reset_tables();
        set_segment(gdt, selector, 0x10000, 0x12345, access, D | 1);
        a.in.ebx = 0x55555555;
        attempt(&a);
        put("%c", out_vector != ENDED    ? outcome(selector)
                  : !(out.eflags & 0x40) ? (out.ebx == 0x55555555 ? '-' : '!')
                  : out.ebx == 0x12345 || (out.ebx & ~0xf0000u) == 0x400000 + 0x100 * access ? '.'
                  : out.ebx == 0x55555555                                                    ? '+'
                                                                                             : '?');
        if (access % 32 == 31)
            put("\n");
    }
    reset_tables();
}

static void queries(void)
{
    for (unsigned ring = 0; ring <= 3; ring += 3) {
        for (unsigned rpl = 0; rpl <= 3; rpl += 3) {
            query("lar", CODE("lar %%eax, %%ebx"), ring, T0 | rpl);
            query("lsl", CODE("lsl %%eax, %%ebx"), ring, T0 | rpl);
            query("verr", CODE("verr %%ax"), ring, T0 | rpl);
            query("verw", CODE("verw %%ax"), ring, T0 | rpl);
        }
    }
    SEG(T0, 0, 0x12345, RW, G);
    TRY("lsl of pages", "lsl %%eax, %%ebx", .in.eax = T0, .show = "bf");
    TRY("lsl of 16 bits", "lsl %%ax, %%bx", .in.eax = T0, .in.ebx = 0x77770000, .show = "bf");
    TRY("lar of 16 bits", "lar %%ax, %%bx", .in.eax = T0, .in.ebx = 0x77770000, .show = "bf");
    TRY("lar of null", "lar %%eax, %%ebx", .in.eax = 3, .in.ebx = 7, .in.eflags = 0x40,
        .show = "bf");
    TRY("lar beyond the table", "lar %%eax, %%ebx", .in.eax = 0xfff8, .in.ebx = 7,
        .in.eflags = 0x40, .show = "bf");
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    /* clang-format off */
    TRY("verr of null", "verr %%ax", .in.eax = 0, .in.eflags = 0x40, .show = "f");
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    /* clang-format on */
    TRY("arpl raises", "arpl %%ax, %%bx", .ring = 3, .in.eax = 3, .in.ebx = 0x10, .show = "bf");
    TRY("arpl leaves", "arpl %%ax, %%bx", .ring = 3, .in.eax = 1, .in.ebx = 0x12, .in.eflags = 0x40,
        .show = "bf");
    TRY("arpl to memory", "movw $0x10, (%%esi); arpl %%ax, (%%esi); mov (%%esi), %%bx", .ring = 3,
        .in.eax = 2, .in.esi = SCRATCH, .show = "bf");
    TRY("arpl to memory that is read only", "mov %%cs, %%cx; mov %%ecx, %%ds; arpl %%ax, (%%esi)",
        .ring = 3, .in.eax = 3, .in.esi = SCRATCH);
    TRY("arpl to memory that is read only, high enough",
        "movw $3, (%%esi); mov %%cs, %%cx; mov %%ecx, %%ds; arpl %%ax, (%%esi)", .ring = 3,
        .in.eax = 2, .in.esi = SCRATCH, .in.eflags = 0x40, .show = "f");
}

static void nulls_and_tables(void)
{
    TRY("ds null loads", "mov %%eax, %%ds", .ring = 3, .show = "U");
    TRY("ds null 3 loads", "mov %%eax, %%ds", .ring = 3, .in.eax = 3, .show = "U");
    TRY("ds null reads", "mov %%eax, %%ds; mov (%%esi), %%ecx", .in.esi = SCRATCH);
    TRY("ds null writes", "mov %%eax, %%ds; mov %%ecx, (%%esi)", .ring = 3, .in.esi = SCRATCH);
    TRY("es null lods", "mov %%eax, %%es; lodsl", .in.esi = SCRATCH);
    TRY("es null stos", "mov %%eax, %%es; stosl", .in.edi = SCRATCH);
    TRY("es null rep stos of none", "mov %%eax, %%es; xor %%ecx, %%ecx; rep stosl",
        .in.edi = SCRATCH);
    TRY("ds null lea", "mov %%eax, %%ds; lea (%%esi), %%ecx", .in.esi = 5, .show = "c");
    TRY("ds null invlpg", "mov %%eax, %%ds; .byte 0x0f, 0x01, 0x3e", .in.esi = SCRATCH);
    TRY("ss null ring 0", "mov %%eax, %%ss");
    TRY("ss null ring 3", "mov %%eax, %%ss", .ring = 3, .in.eax = 3);
    TRY("mov cs", ".byte 0x8e, 0xc8", .in.eax = SEL_CODE);
    TRY("selector beyond GDT", "mov %%eax, %%ds", .in.eax = GDT_ENTRIES * 8);
    TRY("selector beyond GDT, rpl 3", "mov %%eax, %%ds", .in.eax = 0xfff3, .ring = 3);
    lldt(0);
    TRY("LDT selector, LDTR null", "mov %%eax, %%ds", .in.eax = 4);
    lldt(SEL_LDT);
    set_segment(ldt, 0, SCRATCH, 15, P | RW | DPL3, D);
    set_segment(ldt, 8, SCRATCH, 15, P | RW, D);
    set_segment(ldt, 16, 0, 0xfffff, P | XR | DPL3, G | D);
    set_segment(ldt, 24, 0, 0xfffff, RW | DPL3, G | D);
    *(volatile uint32_t *)SCRATCH = 0x11223344;
    TRY("LDT entry 0", "mov %%eax, %%ds; mov 0, %%ecx", .ring = 3, .in.eax = 7, .show = "cU");
    TRY("LDT entry of ring 0", "mov %%eax, %%ds", .ring = 3, .in.eax = 8 | 7);
    TRY("LDT entry not present", "mov %%eax, %%es", .ring = 3, .in.eax = 24 | 7);
    TRY("LDT beyond", "mov %%eax, %%es", .ring = 3, .in.eax = 64 | 7);
    TRY("LDT code", "ljmpl $0x17, $1f; 1: mov %%cs, %%eax", .ring = 3, .show = "aC");
    TRY("LLDT of an LDT selector", "lldt %%ax", .in.eax = 4 | 8);
    TRY("LLDT null", "lldt %%ax; sldt %%ecx", .show = "c");
    TRY("LTR of an LDT selector", "ltr %%ax", .in.eax = 4);
    TRY("STR SLDT", "str %%eax; sldt %%ebx", .ring = 3, .in.eax = -1, .in.ebx = -1, .show = "ab");
    lldt(0);
    reset_tables();
    SEG(T0, SCRATCH, 15, RO & ~1, D);
    TRY("a load sets A", "mov %%eax, %%ds", .in.eax = T0);
    put("  access %02x\n", (uint32_t)(gdt[T0 / 8] >> 40) & 0xff);
    SEG(T0, SCRATCH, 15, RO & ~1, D);
    TRY("LAR does not", "lar %%eax, %%ebx; lsl %%eax, %%ecx; verr %%ax", .in.eax = T0,
        .show = "bc");
    put("  access %02x\n", (uint32_t)(gdt[T0 / 8] >> 40) & 0xff);
    SEG(T0, 0, 0xfffff, XR & ~1, G | D);
    TRY("a jump sets A", "ljmpl $0x80, $1f; 1:", .show = "C");
    put("  access %02x\n", (uint32_t)(gdt[T0 / 8] >> 40) & 0xff);
    reset_tables();
}

/* Accesses of 1, 2, 4 bytes around the last byte of a segment. */
static void edge(const char *name, unsigned access, uint32_t limit, unsigned flags, uint32_t around)
{
    static const char *const kinds[] = { "b", "w", "l" };
    const uint32_t code[3] = {
        CODE("mov %%eax, %%ds; mov (%%esi), %%cl; mov %%cl, (%%esi)"),
        CODE("mov %%eax, %%ds; mov (%%esi), %%cx; mov %%cx, (%%esi)"),
        CODE("mov %%eax, %%ds; mov (%%esi), %%ecx; mov %%ecx, (%%esi)"),
    };

    SEG(T0, SCRATCH - (around & ~0xfffu), limit, access, flags);
    put("%s, at %x-4 to +3:", name, around);
    for (unsigned kind = 0; kind < 3; kind++) {
        put(" %s ", kinds[kind]);
        for (int i = -4; i < 4; i++) {
            attempt(&(Attempt){
                .code = code[kind], .ring = 3, .in.eax = T0 | 3, .in.esi = around + i });
            put("%c", outcome(0));
        }
    }
    put("\n");
}

static void limits(void)
{
    edge("up, bytes", RW | DPL3, 0xfff, D, 0x1000);
    edge("up, bytes, read only", RO | DPL3, 0xfff, D, 0x1000);
    edge("up, pages", RW | DPL3, 0, G | D, 0x1000);
    edge("up, 4 GiB, wraps", RW | DPL3, 0xfffff, G | D, 0);
    edge("down, 32 bits", RW_DOWN | DPL3, 0xfff, D, 0x1000);
    edge("down, read only", RO_DOWN | DPL3, 0xfff, D, 0x1000);
    edge("down, 32 bits, top", RW_DOWN | DPL3, 0xfff, D, 0);
    edge("down, 16 bits", RW_DOWN | DPL3, 0xfff, 0, 0x1000);
    edge("down, 16 bits, top", RW_DOWN | DPL3, 0xfff, 0, 0x10000);
    edge("down, pages", RW_DOWN | DPL3, 1, G | D, 0x2000);
    edge("down, nothing", RW_DOWN | DPL3, 0xfffff, G | D, 0);
    edge("code, readable", XR | DPL3, 0xfff, D, 0x1000);
    edge("code, not readable", XO | DPL3, 0xfff, D, 0x1000);
    edge("code, conforming", CXR | DPL3, 0xfff, D, 0x1000);

    SEG(T0, SCRATCH, 0xff, RW | DPL3, D);
    SEG(T1, SCRATCH, 0xff, RW_DOWN | DPL3, D);
#define LIMIT(n, text, at)                                                        \
    TRY(n, "mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%fs; " text, .ring = 3, \
        .in.eax = T0 | 3, .in.esi = at, .in.edi = at, .in.ecx = 4, .in.ebp = at, .show = "cSD")
    LIMIT("limit: movs", "rep movsb", 0xfe);
    LIMIT("limit: movsd", "rep movsl", 0xf4);
    LIMIT("limit: stosw", "rep stosw", 0xfa);
    LIMIT("limit: lods", "rep lodsb", 0xff);
    LIMIT("limit: scas", "repne scasb", 0xfe);
    LIMIT("limit: cmps", "repe cmpsb", 0xfd);
    LIMIT("limit: movs downwards", "std; rep movsb", 1);
    LIMIT("limit: ebp in fs", "mov %%fs:(%%ebp), %%eax", 0xfd);
    LIMIT("limit: ebp in ds", "mov %%ds:(%%ebp), %%eax", 0xfd);
    LIMIT("limit: cmpxchg8b", "cmpxchg8b (%%esi)", 0xf9);
    LIMIT("limit: fld tbyte", "fldt (%%esi)", 0xf7);
    LIMIT("limit: fstenv", "fnstenv (%%esi)", 0xe5);
    LIMIT("limit: fsave", "fnsave (%%esi)", 0x95);
    LIMIT("limit: bound", "bound %%eax, (%%esi)", 0xf9);
    LIMIT("limit: les", "les (%%esi), %%eax", 0xfb);
    LIMIT("limit: sgdt", "sgdt (%%esi)", 0xfb);
    LIMIT("limit: bt with a far bit", "mov $0x800, %%eax; bt %%eax, (%%esi)", 0);
    LIMIT("limit: xlat", "mov $0x7f, %%al; mov $0x81, %%ebx; xlat", 0);
    LIMIT("limit: push mem", "push (%%esi)", 0xfd);
    LIMIT("limit: pop mem", "push %%eax; pop (%%esi)", 0xfd);
    LIMIT("limit: jmp mem", "jmp *(%%esi)", 0xfd);
    LIMIT("limit: enter", "nop", 0);
    LIMIT("limit: insb", "mov $0x80, %%dx; insb", 0x100);

    SEG(T0, TEST_STACK - 0x1000, 0xfff, RW | DPL3, D);
#define STACK(n, text, at) TRY(n, text, .ring = 3, .in.ss = T0 | 3, .in.esp = at, .show = "s")
    STACK("stack: push at the bottom", "push %%eax", 4);
    STACK("stack: push below it", "push %%eax", 2);
    STACK("stack: push at 0", "push %%eax", 0x100000);
    STACK("stack: pop at the top", "pop %%eax", 0xffc);
    STACK("stack: pop above it", "pop %%eax", 0xffd);
    STACK("stack: pop16 at the top", "popw %%ax", 0xffe);
    STACK("stack: pusha", "pusha", 0x1c);
    STACK("stack: popa", "popa", 0xfe4);
    STACK("stack: call", "call 1f; 1:", 3);
    STACK("stack: ret", "ret", 0xffe);
    STACK("stack: leave", "mov $0xffe, %%ebp; leave", 0x800);
    STACK("stack: enter", "enter $0, $0", 2);
    STACK("stack: enter 3", "mov $0x800, %%ebp; enter $0x10, $3", 0x800);
    STACK("stack: enter 3 from beyond", "mov $0x1004, %%ebp; enter $0x10, $3", 0x800);
    STACK("stack: enter, frame below", "enter $0x900, $0", 0x800);
    STACK("stack: ebp relative", "mov $0xffd, %%ebp; mov (%%ebp), %%eax", 0x800);
    STACK("stack: esp relative", "mov 0x7fd(%%esp), %%eax", 0x800);
    STACK("stack: retf", "lret", 0xffc);
    STACK("stack: iret", "iret", 0xff8);
    STACK("stack: pushf", "pushf", 3);
    STACK("stack: popf", "popf", 0xffe);
    STACK("stack: push %fs", "push %%fs", 3);
    SEG(T0, TEST_STACK - 0x10000, 0xffff, RW | DPL3, 0);
    STACK("stack 16: push wraps", "push %%eax", 0x20000);
    STACK("stack 16: esp's upper half stays", "push %%eax", 0x12348000);
    STACK("stack 16: push odd", "push %%eax", 2);
    STACK("stack 16: pop at the top", "pop %%eax", 0xfffe);
    STACK("stack 16: leave", "mov $0x77778000, %%ebp; leave", 0x22228000);

    SEG(T0, 0, 0, XR | DPL3, G | D); /* one page: code runs out of it */
    TRY("code limit: jump out", "ljmpl $0x83, $0x1000", .ring = 3, .show = "iC");
    TRY("code limit: jump to the end", "ljmpl $0x83, $0xfff", .ring = 3, .show = "iC");
    SEG(T0, SCRATCH, 0xff, XR | DPL3, D);
    ((volatile uint8_t *)SCRATCH)[0xfd] = 0x90;
    ((volatile uint8_t *)SCRATCH)[0xfe] = 0x66;
    ((volatile uint8_t *)SCRATCH)[0xff] = 0x90;
    TRY("code limit: falls off the end", "ljmpl $0x83, $0xfd", .ring = 3, .show = "iC");
    ((volatile uint8_t *)SCRATCH)[0xff] = 0xb8;
    TRY("code limit: instruction across", "ljmpl $0x83, $0xff", .ring = 3, .show = "iC");
    ((volatile uint8_t *)SCRATCH)[0xfe] = 0xeb;
    ((volatile uint8_t *)SCRATCH)[0xff] = 0x10;
    TRY("code limit: short jump out", "ljmpl $0x83, $0xfe", .ring = 3, .show = "iC");
    reset_tables();
}

void bare_main(void)
{
    bare_init();
    loads();
    queries();
    nulls_and_tables();
    limits();
    TRY("LTR null", "ltr %%ax");
    finish();
}
