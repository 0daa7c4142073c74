/* SPDX-License-Identifier: MIT */
/*
 * Transfers of control in protected mode: far jumps, calls and returns, call gates with their
 * stacks, interrupt and trap gates, IRET. Intel SDM vol. 3A, 5.8, 6.11 to 6.13; vol. 2A at CALL,
 * JMP, RET, INT n, IRET.
 */
#include "bare.h"

#define T0 SEL_T0
#define T1 (SEL_T0 + 8)
#define T2 (SEL_T0 + 16)

extern const char landing[], landing16[];
asm(".text; landing: int3; .code16; landing16: int3; .code32");

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

/* A far pointer for ljmp *, lcall *. */
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) far;

/* ---- Direct transfers to every type of descriptor ------------------------------------------- */

static bool is_task(unsigned access) /* these switch tasks: tasks.c */
{
    unsigned type = access & 0x1f;
    return type == TSS16 || type == TSS32 || type == TASKGATE || type == BUSY16 || type == BUSY32;
}

static void matrix(const char *name, uint32_t code, unsigned ring, unsigned rpl)
{
    put("%s ring %d rpl %d\n", name, ring, rpl);
    far.offset = address(landing);
    far.selector = T0 | rpl;
    for (unsigned access = 0; access < 256; access++) {
        unsigned type = access & 0x1f;

        if (access % 32 == 0)
            put("  %02x ", access);
        reset_tables();
        SEG(T1, address(landing) & ~0xffffu, 0xffff, XR, D);
        if (type == CALL16 || type == CALL32)
            set_gate(&gdt[T0 / 8], T1, address(landing) & 0xffff, access, 0);
        else
            set_segment(gdt, T0, 0, 0xfffff, access, G | D);
        if (is_task(access)) {
            put("t");
        } else {
            attempt(&(Attempt){ .code = code, .ring = ring });
            put("%c", outcome(T0));
            if (out_vector == ENDED && ((out.cs & 3) != ring) != (type == CALL16 || type == CALL32))
                put("(cs %x)", out.cs);
        }
        if (access % 32 == 31)
            put("\n");
    }
    reset_tables();
}

static void direct(void)
{
    static const struct {
        uint8_t ring, rpl;
    } levels[] = { { 0, 0 }, { 0, 3 }, { 1, 0 }, { 1, 1 }, { 3, 0 }, { 3, 3 } };

    for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        matrix("ljmp", CODE("ljmp *far"), levels[i].ring, levels[i].rpl);
        matrix("lcall", CODE("lcall *far"), levels[i].ring, levels[i].rpl);
    }
#define FAR(n, sel, off, text, ...) \
    (far.selector = (sel), far.offset = (off), TRY("far: " n, text, ##__VA_ARGS__))
    FAR("jmp to null", 3, 0, "ljmp *far", .ring = 3);
    FAR("call to null", 0, 0, "lcall *far");
    FAR("jmp beyond GDT", GDT_ENTRIES * 8 | 3, 0, "ljmp *far", .ring = 3);
    FAR("call pushes", SEL_UCODE, address(landing), "lcall *far; nop", .ring = 3, .show = "sC");
    put("  %04x\n", ((uint16_t *)TEST_STACK)[-2]);
    FAR("call 16 pushes", SEL_UCODE, address(landing), ".byte 0x66, 0xff, 0x1c, 0x25; .long far",
        .ring = 3, .show = "s");
    SEG(T0, address(landing16) & ~0xf, 0xffff, XR | DPL3, 0);
    FAR("to 16-bit code", T0 | 3, address(landing16) & 0xf, "ljmp *far", .ring = 3, .show = "C");
    SEG(T0, 0, 0x3ff, XR | DPL3, D);
    FAR("call past the limit", T0 | 3, 0x400, "lcall *far", .ring = 3, .show = "sC");
    SEG(T0, 0, 0xfffff, CXR | DPL1, G | D);
    FAR("conforming keeps CPL", T0, address(landing), "lcall *far", .ring = 3, .show = "sC");
    FAR("conforming, rpl is CPL", T0 | 1, address(landing), "ljmp *far", .ring = 3, .show = "C");
    FAR("call on a stack too small", SEL_UCODE, address(landing),
        "mov $4, %%esp; push %%eax; lcall *far", .ring = 3, .in.ss = T1 | 3, .show = "s");
    reset_tables();
    SEG(T1, TEST_STACK - 0x1000, 0xfff, RW | DPL3, D);
    FAR("call, second push below the limit", SEL_UCODE, address(landing), "lcall *far", .ring = 3,
        .in.ss = T1 | 3, .in.esp = 4, .show = "s");
    reset_tables();
}

/* ---- Call gates ----------------------------------------------------------------------------- */

static void gate(unsigned gate_access, unsigned selector, uint32_t offset, unsigned params)
{
    set_gate(&gdt[T0 / 8], selector, offset, gate_access, params);
}

/* Who may go through a gate of which DPL to code of which DPL. */
static void gate_privileges(const char *name, uint32_t code, bool conforming)
{
    static const uint8_t rings[] = { 0, 1, 3 };

    put("%s, gate DPL across, code DPL down\n", name);
    for (unsigned r = 0; r < 3; r++) {
        for (unsigned rpl = 0; rpl < 4; rpl++) {
            put("  ring %d rpl %d", rings[r], rpl);
            for (unsigned dpl = 0; dpl < 4; dpl++) {
                put(" ");
                for (unsigned gate_dpl = 0; gate_dpl < 4; gate_dpl++) {
                    reset_tables();
                    SEG(T1, 0, 0xfffff, (conforming ? CXR : XR) | dpl << 5, G | D);
                    gate(P | CALL32 | gate_dpl << 5, T1, address(landing), 0);
                    tss.ss2 = T2 | 2;
                    tss.esp2 = RING1_STACK;
                    SEG(T2, 0, 0xfffff, RW | DPL2, G | D);
                    far.selector = T0 | rpl;
                    attempt(&(Attempt){ .code = code, .ring = rings[r] });
                    put("%c", out_vector == ENDED ? (char)('0' + (out.cs & 3))
                                                  : outcome(out_error == T1 ? T1 : T0));
                }
            }
            put("\n");
        }
    }
    reset_tables();
}

static void put_stack(const char *name, unsigned n, unsigned size)
{
    put("  %s:", name);
    for (unsigned i = 0; i < n; i++)
        if (size == 4)
            put_value("", ((uint32_t *)out.esp)[i]);
        else if (((((uint16_t *)out.esp)[i] - code_now) & 0xffff) < 0x100)
            put(" code+%d", (((uint16_t *)out.esp)[i] - code_now) & 0xffff);
        else
            put(" %04x", ((uint16_t *)out.esp)[i]);
    put("\n");
}

static void call_gates(void)
{
    uint32_t *params = (uint32_t *)(TEST_STACK - 64);

    gate_privileges("call gate", CODE("lcall *far"), false);
    gate_privileges("jmp gate", CODE("ljmp *far"), false);
    gate_privileges("call gate, conforming", CODE("lcall *far"), true);

    for (unsigned i = 0; i < 16; i++)
        params[i] = 0x11110000 * (i + 1) + i;
    far.selector = T0 | 3;
#define GATE(n, ...) \
    TRY("gate: " n, "lcall *far; nop", .ring = 3, .in.esp = TEST_STACK - 64, __VA_ARGS__)
    gate(P | CALL32 | DPL3, SEL_CODE, address(landing), 3);
    GATE("copies 3 parameters", .show = "sCT");
    put_stack("stack", 7, 4);
    gate(P | CALL32 | DPL3, SEL_CODE, address(landing), 0xff);
    GATE("copies 31 at most", .show = "s");
    SEG(T1, address(landing16) & ~0xffffu, 0xffff, XR, 0);
    gate(P | CALL16 | DPL3, T1, address(landing16) & 0xffff, 2);
    GATE("16 bits, 2 parameters", .show = "sC");
    put_stack("stack", 6, 2);
    gate(P | CALL32 | DPL3, SEL_CODE, address(landing), 0);

    gate(P | CALL32 | DPL3, SEL_CODE1 & ~3, address(landing), 0);
    tss.ss1 = SEL_DATA;
    GATE("new SS of ring 0");
    tss.ss1 = 0;
    GATE("new SS null");
    tss.ss1 = 3;
    GATE("new SS null 3");
    tss.ss1 = SEL_CODE1;
    GATE("new SS code");
    tss.ss1 = SEL_UDATA;
    GATE("new SS of ring 3");
    tss.ss1 = SEL_DATA1 | 3;
    GATE("new SS rpl 3");
    tss.ss1 = GDT_ENTRIES * 8;
    GATE("new SS beyond GDT");
    tss.ss1 = T1 | 1;
    SEG(T1, 0, 0xfffff, RO | DPL1, G | D);
    GATE("new SS read only");
    set_segment(gdt, T1, 0, 0xfffff, RW | DPL1, G | D);
    GATE("new SS not present");
    SEG(T1, RING1_STACK - 0x1000, 0xfff, RW | DPL1, D);
    tss.esp1 = 8;
    GATE("new stack too small", .show = "s");
    tss.esp1 = 0x10;
    GATE("new stack just fits", .show = "s");
    tss.esp1 = 0x1001;
    GATE("new stack beyond its limit", .show = "s");
    reset_tables();
    gate(P | CALL32 | DPL3, 0, address(landing), 0);
    GATE("to null");
    gate(P | CALL32 | DPL3, SEL_DATA, address(landing), 0);
    GATE("to data");
    gate(P | CALL32 | DPL3, T1, address(landing), 0);
    set_segment(gdt, T1, 0, 0xfffff, XR, G | D);
    GATE("to code that is not present");
    SEG(T1, 0, 0xff, XR, D);
    GATE("past the limit", .show = "s");
    gate(CALL32 | DPL3, T1, address(landing), 0);
    GATE("not present");
    gate(P | CALL32 | DPL3, SEL_CODE1 & ~3, address(landing), 0);
    SEG(SEL_TSS, address(&tss), 15, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    GATE("TSS too small");
    SEG(SEL_TSS, address(&tss), sizeof(tss) - 1, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    reset_tables();
}

/* ---- Far returns ---------------------------------------------------------------------------- */

static void returns(void)
{
#define RETF(n, cs_, ss_, text, ...)                                                 \
    TRY("ret: " n, "pushl %%ebx; pushl $0x70000; pushl %%ecx; push $landing; " text, \
        .in.ecx = (cs_), .in.ebx = (ss_), ##__VA_ARGS__)
    RETF("outward", SEL_UCODE, SEL_UDATA, "lret", .show = "sCTUEFG", .in.fs = SEL_DATA,
         .in.gs = SEL_UDATA);
    RETF("outward, 8 bytes", SEL_UCODE, SEL_UDATA,
         "push $0; push $0; pushl 12(%%esp); pushl 12(%%esp); lret $8", .show = "s");
    RETF("inward", SEL_CODE, SEL_DATA, "lret", .ring = 3);
    RETF("same", SEL_UCODE, 0, "lret", .ring = 3, .show = "sC");
    RETF("same, 4 bytes", SEL_UCODE, 0, "lret $4", .ring = 3, .show = "sC");
    RETF("to null", 0, SEL_UDATA, "lret");
    RETF("to null 3", 3, SEL_UDATA, "lret");
    RETF("to data", SEL_UDATA, SEL_UDATA, "lret");
    RETF("rpl 3 to code of ring 0", SEL_CODE | 3, SEL_UDATA, "lret");
    RETF("rpl 1 to code of ring 3", SEL_UCODE - 2, SEL_UDATA, "lret");
    RETF("to code not present", T0 | 3, SEL_UDATA, "lret");
    RETF("stack null", SEL_UCODE, 0, "lret");
    RETF("stack null 3", SEL_UCODE, 3, "lret");
    RETF("stack of ring 0", SEL_UCODE, SEL_DATA, "lret");
    RETF("stack of rpl 0", SEL_UCODE, SEL_UDATA - 3, "lret");
    RETF("stack is code", SEL_UCODE, SEL_UCODE, "lret");
    set_segment(gdt, T0, 0, 0xfffff, RW | DPL3, G | D);
    RETF("stack not present", SEL_UCODE, T0 | 3, "lret");
    SEG(T0, 0, 0xfffff, CXR | DPL0, G | D);
    RETF("outward to conforming code", T0 | 3, SEL_UDATA, "lret", .show = "CT");
    SEG(T0, 0, 0xfffff, CXR | DPL3, G | D);
    RETF("outward to conforming code of ring 3", T0 | 1, SEL_DATA1, "lret", .show = "CT");
    SEG(T0, 0, 0xff, XR | DPL3, D);
    RETF("past the limit", T0 | 3, SEL_UDATA, "lret", .show = "s");
    SEG(T0, 0, 0xfffff, CXR | DPL3, G | D);
    RETF("conforming DS stays", SEL_UCODE, SEL_UDATA, "mov $0x80, %%eax; mov %%eax, %%gs; lret",
         .show = "G");
    reset_tables();

#define IRET(n, flags_, cs_, text, ...)                                                            \
    TRY("iret: " n, "pushl $0x23; pushl $0x70000; pushl %%eax; pushl %%ecx; push $landing; " text, \
        .in.eax = (flags_), .in.ecx = (cs_), ##__VA_ARGS__)
    IRET("outward, all flags", 0x240ed7 & ~0x300, SEL_UCODE, "iret", .show = "fsCT");
    IRET("ring 0, all flags", 0x247ed7 & ~0x4300, SEL_CODE, "iret", .show = "fs");
    IRET("ring 3 keeps IF, IOPL", 0x3ed7 & ~0x300, SEL_UCODE, "iret", .ring = 3, .show = "f");
    IRET("ring 3, IOPL 3 changes IF", 0xed7 & ~0x100, SEL_UCODE, "iret", .ring = 3,
         .in.eflags = 0x3000, .show = "f");
    IRET("ring 3, VIP and VIF stay", 0x180002, SEL_UCODE, "iret", .ring = 3, .show = "f");
    IRET("16 bits", 0x240ed7 & ~0x300, SEL_CODE,
         "pushw 8(%%esp); pushw $8; pushw $0x400; movb $0xcc, 0x400; iretw", .show = "fiC");
    IRET("ring 3 with NT", 0x2, SEL_UCODE, "pushf; orl $0x4000, (%%esp); popf; iret", .ring = 3);
    IRET("sets RF", 0x10002, SEL_CODE, "iret", .show = "f");
    TRY("popf ring 0", "push $-1; popf; pushf; pop %%eax; push $2; popf", .show = "a", .in.ebx = 1);
    TRY("popf ring 3, IOPL 0", "pushl %%ebx; popf; pushf; pop %%eax", .ring = 3,
        .in.ebx = 0x3ffed7 & ~0x24100, .show = "af");
    TRY("popf ring 3, IOPL 3", "pushl %%ebx; popf; pushf; pop %%eax", .ring = 3,
        .in.eflags = 0x3000, .in.ebx = 0x3fced7 & ~0x24100, .show = "af");
    TRY("popfw", "pushw %%bx; popfw; pushf; pop %%eax", .in.eflags = 0x40000,
        .in.ebx = 0x0ed7 & ~0x100, .show = "a");
    TRY("pushf shows no VM, RF", "pushf; pop %%eax", .in.eflags = 0x10000, .show = "a");
}

/* ---- Interrupt and trap gates --------------------------------------------------------------- */

static void idt_matrix(const char *name, uint32_t code, unsigned ring)
{
    put("%s ring %d, IDT access byte\n", name, ring);
    for (unsigned access = 0; access < 256; access++) {
        if (access % 32 == 0)
            put("  %02x ", access);
        reset_tables();
        SEG(T1, address(landing) & ~0xffffu, 0xffff, XR, D);
        set_gate(&idt[0x40], T1, address(landing) & 0xffff, access, 0);
        if ((access & 0x1f) == TASKGATE) {
            put("t");
        } else {
            attempt(&(Attempt){ .code = code, .ring = ring });
            put("%c", out_vector == ENDED         ? '.'
                      : out_error == 0x40 * 8 + 2 ? "eb..orumf9TNSGp"[out_vector]
                                                  : '!');
        }
        if (access % 32 == 31)
            put("\n");
    }
    reset_tables();
}

static void gates(void)
{
    idt_matrix("int 40", CODE("int $0x40"), 0);
    idt_matrix("int 40", CODE("int $0x40"), 3);
    set_idt(0x40, P | TRAP32 | DPL3);
    TRY("trap gate keeps IF", "int $0x40; nop", .ring = 3, .in.eflags = 0x204, .show = "fCs");
    set_gate(&idt[0x40], SEL_CODE, address(landing), P | INT32 | DPL3, 0);
    TRY("interrupt gate clears IF", "int $0x40", .ring = 3, .in.eflags = 0x204, .show = "fCs");
    put_stack("stack", 5, 4);
    set_gate(&idt[0x40], SEL_CODE, address(landing), P | TRAP32 | DPL3, 0);
    TRY("trap gate keeps IF inside", "int $0x40", .ring = 3, .in.eflags = 0x4204, .show = "fC");
    set_gate(&idt[0x40], SEL_CODE, address(landing), P | INT16 | DPL3, 0);
    SEG(T1, address(landing16) & ~0xffffu, 0xffff, XR, 0);
    set_gate(&idt[0x40], T1, address(landing16) & 0xffff, P | INT16 | DPL3, 0);
    TRY("16-bit interrupt gate", "int $0x40", .ring = 3, .in.eflags = 0x40204, .show = "fCs");
    put_stack("stack", 5, 2);
    SEG(T0, 0, 0xfffff, CXR, G | D);
    set_gate(&idt[0x40], T0, address(landing), P | INT32 | DPL3, 0);
    TRY("to conforming code", "int $0x40", .ring = 3, .show = "Cs");
    SEG(T0, 0, 0xfffff, XR | DPL3, G | D);
    TRY("to code of ring 3 from ring 3", "int $0x40", .ring = 3, .show = "Cs");
    TRY("to code of ring 3 from ring 0", "int $0x40");
    set_gate(&idt[0x40], T0 | 3, address(landing), P | INT32 | DPL3, 0);
    TRY("the gate's rpl does not count", "int $0x40", .ring = 3, .show = "C");
    set_gate(&idt[0x40], 0, address(landing), P | INT32 | DPL3, 0);
    TRY("gate to null", "int $0x40");
    set_gate(&idt[0x40], SEL_DATA, address(landing), P | INT32 | DPL3, 0);
    TRY("gate to data", "int $0x40");
    set_gate(&idt[0x40], GDT_ENTRIES * 8, address(landing), P | INT32 | DPL3, 0);
    TRY("gate beyond GDT", "int $0x40");
    SEG(T0, 0, 0xff, XR, D);
    set_gate(&idt[0x40], T0, address(landing), P | INT32 | DPL3, 0);
    TRY("gate past the limit", "int $0x40", .ring = 3);
    set_gate(&idt[0x40], SEL_CODE1 & ~3, address(landing), P | INT32 | DPL3, 0);
    TRY("int to ring 1", "int $0x40", .ring = 3, .show = "CsT");
    TRY("int to ring 1 from ring 0", "int $0x40");
    tss.ss1 = 0;
    TRY("int to ring 1, new SS null", "int $0x40", .ring = 3);
    tss.ss1 = T1 | 1;
    SEG(T1, RING1_STACK - 0x1000, 0xfff, RW | DPL1, D);
    tss.esp1 = 0x10;
    TRY("int to ring 1, new stack too small", "int $0x40", .ring = 3);
    set_gate(&idt[6], SEL_CODE1 & ~3, address(landing), P | INT32, 0);
    TRY("#UD to ring 1, new stack too small", "ud2", .ring = 3);
    tss.ss1 = SEL_DATA;
    TRY("#UD to ring 1, new SS of ring 0", "ud2", .ring = 3);
    reset_tables();

    /* Faults of external kind have EXT; those of INT n do not. */
    set_segment(gdt, T0, 0, 0xfffff, XR, G | D);
    set_gate(&idt[0], T0, address(landing), P | INT32, 0);
    TRY("#DE through a gate to absent code", "xor %%ecx, %%ecx; div %%ecx");
    TRY("int 0 through it", "int $0", .ring = 0);
    set_gate(&idt[6], T0, address(landing), INT32, 0);
    TRY("#UD through an absent gate", "ud2");
    set_gate(&idt[13], T0, address(landing), INT32, 0);
    TRY("#GP through an absent gate", "mov %%eax, %%ds", .in.eax = 0xffff, .ring = 3);
    reset_tables();
    TRY("int beyond IDT", "lidt 1f; int $0x50; int3; .balign 4; 1: .word 0x27f; .long idt");
    asm volatile("push %0; pushw $0x7ff; lidt (%%esp); add $6, %%esp" : : "r"(idt));

    TRY("int3 of ring 3 needs DPL 3", "nop", .ring = 3);
    set_idt(3, P | INT32);
    TRY("int3, DPL 0", "int3", .ring = 3);
    TRY("int 3, DPL 0", ".byte 0xcd, 3", .ring = 3);
    TRY("icebp, DPL of #DB does not count", ".byte 0xf1", .ring = 3);
    set_idt(3, P | INT32 | DPL3);
    TRY("into, DPL 0", "into", .ring = 3, .in.eflags = 0x800);
    set_idt(4, P | INT32 | DPL3);
    TRY("into", "into; nop", .ring = 3, .in.eflags = 0x800);
    TRY("into, OF clear", "into", .ring = 3);
    TRY("bound below", "push $10; push $5; bound %%eax, (%%esp)", .ring = 3, .in.eax = 4);
    TRY("bound within", "push $10; push $5; bound %%eax, (%%esp)", .ring = 3, .in.eax = 10);
    TRY("bound above", "push $10; push $5; bound %%eax, (%%esp)", .ring = 3, .in.eax = 11);
    reset_tables();
}

/* ---- What needs a ring ---------------------------------------------------------------------- */

static void privileged(void)
{
#define P3(text) TRY(text, text, .ring = 3, .in.edx = 0x80, .in.ebx = SCRATCH)
    P3("hlt");
    P3("cli");
    P3("sti");
    P3("clts");
    P3("invd");
    P3("wbinvd");
    P3("rdmsr");
    P3("wrmsr");
    P3("lgdt (%%ebx)");
    P3("lidt (%%ebx)");
    P3("lmsw %%ax");
    P3("smsw %%ax");
    P3("sgdt (%%ebx)");
    P3("sidt (%%ebx)");
    P3("invlpg (%%ebx)");
    P3("mov %%cr0, %%eax");
    P3("mov %%eax, %%cr0");
    P3("mov %%cr2, %%eax");
    P3("mov %%eax, %%cr3");
    P3("mov %%cr4, %%eax");
    P3("mov %%db0, %%eax");
    P3("mov %%eax, %%db7");
    P3("in %%dx, %%al");
    P3("out %%al, %%dx");
    P3("insb");
    P3("outsb");
    P3("in $0x80, %%al");
    P3("rdtsc");
    P3("rdpmc");
    P3("sysexit");
    P3("rsm");
    P3(".byte 0x0f, 0x01, 0xf8");
    P3("monitor");
    P3("mwait");
    TRY("cli, IOPL 3", "cli", .ring = 3, .in.eflags = 0x3200, .show = "f");
    TRY("in, IOPL 3", "in %%dx, %%al", .ring = 3, .in.eflags = 0x3000, .in.edx = 0x80);
    TRY("cli in ring 1, IOPL 1", "cli", .ring = 1, .in.eflags = 0x1200, .show = "f");
    TRY("cli in ring 1, IOPL 0", "cli", .ring = 1, .in.eflags = 0x200);
    TRY("lmsw cannot clear PE", "xor %%eax, %%eax; lmsw %%ax; smsw %%eax", .show = "a");
    TRY("mov cr1", ".byte 0x0f, 0x20, 0xc8");
    TRY("mov cr5", ".byte 0x0f, 0x20, 0xe8");
    TRY("mov cr7", ".byte 0x0f, 0x22, 0xf8");
    TRY("mov cr0 with mod 0", ".byte 0x0f, 0x20, 0x03", .show = "b");
    TRY("CR4.TSD", "mov $4, %%eax; mov %%eax, %%cr4; rdtsc; xor %%eax, %%eax; mov %%eax, %%cr4");
    WRITE_CR(4, 4);
    TRY("CR4.TSD in ring 3", "rdtsc", .ring = 3);
    WRITE_CR(4, 0x100);
    TRY("CR4.PCE in ring 3", "xor %%ecx, %%ecx; mov $0x1000, %%cx; rdpmc", .ring = 3);
    WRITE_CR(4, 0x800);
    TRY("UMIP sgdt", "sgdt (%%ebx)", .ring = 3, .in.ebx = SCRATCH);
    TRY("UMIP sidt", "sidt (%%ebx)", .ring = 3, .in.ebx = SCRATCH);
    TRY("UMIP sldt", "sldt %%eax", .ring = 3);
    TRY("UMIP str", "str %%eax", .ring = 3);
    TRY("UMIP smsw", "smsw %%eax", .ring = 3);
    TRY("UMIP ring 0", "sgdt (%%ebx); str %%eax", .in.ebx = SCRATCH);
    WRITE_CR(4, 0);
    TRY("wrmsr unknown", "mov $0x12345, %%ecx; wrmsr");
    TRY("rdmsr unknown", "mov $0x12345, %%ecx; rdmsr");
    /* clang-format off */
    TRY("wrmsr and rdmsr", "mov $0x174, %%ecx; mov $0x1234, %%eax; xor %%edx, %%edx; wrmsr; cltd; xor %%eax, %%eax; rdmsr",
        .show = "ad");
    /* clang-format on */
    TRY("clts and lmsw", "mov $9, %%eax; lmsw %%ax; mov %%cr0, %%ebx; clts; mov %%cr0, %%ecx",
        .show = "bc");
    TRY("invd, wbinvd, invlpg", "wbinvd; invd; invlpg 0");
    TRY("sidt and lidt", "sidt (%%ebx); lidt (%%ebx); sgdt (%%ebx); lgdt (%%ebx)",
        .in.ebx = SCRATCH);
    TRY("lock on nop", ".byte 0xf0; nop");
    TRY("lock on a register", ".byte 0xf0, 0x01, 0xc0");
    TRY("lock on a load", ".byte 0xf0, 0x03, 0x03", .in.ebx = SCRATCH);
    TRY("15 bytes", ".rept 14; .byte 0x66; .endr; nop");
    TRY("16 bytes", ".rept 15; .byte 0x66; .endr; nop");

    /* The I/O bitmap: a bit per port, and a byte behind it. */
#define IO(n, text, port) \
    TRY("i/o bitmap: " n, text, .ring = 3, .in.edx = port, .in.ecx = 1, .in.edi = SCRATCH)
    tss.io[0x80 / 8] = 0xfe;
    tss.io[0x88 / 8] = 0xf0;
    IO("allowed", "in %%dx, %%al", 0x80);
    IO("not allowed", "in %%dx, %%al", 0x81);
    IO("word, second not allowed", "in %%dx, %%ax", 0x80);
    IO("dword allowed", "in %%dx, %%eax", 0x88);
    IO("dword, last not allowed", "in %%dx, %%eax", 0x89);
    IO("out imm", "out %%al, $0x80", 0);
    IO("rep ins", "rep insb", 0x81);
    IO("rep ins of none", "xor %%ecx, %%ecx; rep insb", 0x81);
    tss.iomap = sizeof(tss);
    IO("beyond the TSS", "in %%dx, %%al", 0x80);
    tss.iomap = sizeof(tss) - 2 - 0x10;
    tss.io[sizeof(tss.io) - 1] = tss.io[sizeof(tss.io) - 2] = 0;
    IO("both bytes within the TSS", "in %%dx, %%al", 0x80);
    tss.iomap = sizeof(tss) - 1 - 0x10;
    IO("second byte beyond it", "in %%dx, %%al", 0x88);
    reset_tables();
}

void bare_main(void)
{
    bare_init();
    direct();
    call_gates();
    returns();
    gates();
    privileged();
    TRY("mov cr0: NW without CD", "mov %%cr0, %%eax; or $0x20000000, %%eax; mov %%eax, %%cr0");
    TRY("mov cr4: reserved", "mov $0x80000000, %%eax; mov %%eax, %%cr4");
    TRY("mov cr0: PG without PE", "mov $0x80000000, %%eax; mov %%eax, %%cr0");
    IRET("ring 3 VM stays 0", 0x20002, SEL_UCODE, "iret", .ring = 3, .show = "f");
    finish();
}
