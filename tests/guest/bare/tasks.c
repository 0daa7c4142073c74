/* SPDX-License-Identifier: MIT */
/*
 * Hardware task switches, virtual-8086 mode, double faults, single step and breakpoints, alignment
 * checks, shadows. Intel SDM vol. 3A, 6.15, 7, vol. 3B, 17, 20.
 */
#include "bare.h"

#include <stddef.h>

#define T0 SEL_T0
#define T1 (SEL_T0 + 8)
#define T2 (SEL_T0 + 16)

extern const char landing[];
asm(".text; landing: int3");

static uint32_t address(const void *p)
{
    return (uint32_t)(uintptr_t)p;
}

/* ---- Task switches -------------------------------------------------------------------------- */

static Tss32 third; /* handles what goes wrong in the second */

static void task_setup(void)
{
    reset_tables();
    SEG(T2, address(&third), 0x67, TSS32, 0);
    /* clang-format off */
    third = (Tss32){ .eip = address(landing), .eflags = 2, .esp = TEST_STACK - 0x1000, .es = SEL_DATA, .cs = SEL_CODE,
                     .ss = SEL_DATA, .ds = SEL_DATA };
    /* clang-format on */
    SEG(SEL_TSS, address(&tss), sizeof(tss) - 1, TSS32, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    lldt(0);
    /* clang-format off */
    task = (Tss32){ .esp0 = TRAP_STACK - 0x400, .ss0 = SEL_DATA, .eip = address(landing), .eflags = 0x2,
                    .eax = 0xa0, .ecx = 0xc0, .edx = 0xd0, .ebx = 0xb0, .esp = TEST_STACK - 0x800,
                    .ebp = 0xbb, .esi = 0x51, .edi = 0xd1, .es = SEL_DATA, .cs = SEL_CODE,
                    .ss = SEL_DATA, .ds = SEL_DATA, .fs = SEL_UDATA, .gs = 0,
                    .iomap = offsetof(Tss32, io), .link = 0x7777 };
    /* clang-format on */
}

static unsigned type_of(unsigned selector)
{
    return (gdt[selector / 8] >> 40) & 0x1f;
}

/* What the switch left behind. */
static void put_tasks(uint32_t code)
{
    uint16_t tr;

    asm volatile("str %0" : "=r"(tr));
    put("  tr=%04x old type %x new type %x link %04x", tr, type_of(SEL_TSS), type_of(SEL_TASK),
        task.link);
    if (tr == T2)
        put(" third: error %x; second: eip %s flags %x esp %x cs %x ss %x ds %x es %x fs %x gs %x "
            "ldt %x",
            ((uint32_t *)(TEST_STACK - 0x1000))[-1],
            task.eip == address(landing) ? "same" : "other", task.eflags, task.esp, task.cs,
            task.ss, task.ds, task.es, task.fs, task.gs, task.ldt);
    put("\n   old eip+%d flags %x eax %x cs %x; ts %d\n", tss.eip ? tss.eip - code : 999,
        tss.eflags, tss.eax, tss.cs, READ_CR(0) >> 3 & 1);
    asm volatile("clts");
    task_setup();
}

static void try_task(const Attempt *a)
{
    report(a);
    put_tasks(a->code);
}

static void put_dr6(void)
{
    put("  dr6 %08x\n", READ_DR(6));
    WRITE_DR(6, 0);
}

/* clang-format off */
#define TASK(n, text, ...) \
    try_task(&(Attempt){ .name = "task: " n, .code = CODE(text), .show = "abcdSDBsfCTUEFG", ##__VA_ARGS__ })
#define BAD(n, text, ...) try_task(&(Attempt){ .name = "task: " n, .code = CODE(text), .show = "sCT", ##__VA_ARGS__ })

static void switch_to(void)
{
    task_setup();
    TASK("jmp", "ljmp $0x30, $0", .in.eax = 0x1234, .in.eflags = 0x84);
    TASK("call", "lcall $0x30, $0", .in.eax = 0x1234, .in.eflags = 0x84);
    task.cs = SEL_UCODE, task.ss = SEL_UDATA, task.ds = SEL_UDATA, task.es = 0, task.eflags = 0x3002;
    TASK("jmp to ring 3", "ljmp $0x30, $0");
    task.eflags = 0x24ed7 & ~0x24300;
    TASK("flags", "ljmp $0x30, $0");
    set_gate(&gdt[T0 / 8], SEL_TASK, 0, P | TASKGATE | DPL3, 0);
    TASK("gate, jmp, ring 3", "ljmp $0x83, $0", .ring = 3);
    set_gate(&gdt[T0 / 8], SEL_TASK, 0, P | TASKGATE | DPL3, 0);
    TASK("gate, call, ring 3", "lcall $0x83, $0", .ring = 3);
    set_gate(&idt[0x40], SEL_TASK, 0, P | TASKGATE | DPL3, 0);
    TASK("int", "int $0x40", .ring = 3, .in.eflags = 0x4204);
    set_gate(&idt[0x40], SEL_TASK, 0, P | TASKGATE, 0);
    BAD("int, DPL 0", "int $0x40", .ring = 3);
    set_gate(&idt[13], SEL_TASK, 0, P | TASKGATE, 0);
    TASK("#GP pushes its error code there", "mov %%eax, %%ds", .ring = 3, .in.eax = 0xfff8);
    put("  %08x\n", ((uint32_t *)(TEST_STACK - 0x800))[-1]);
    set_gate(&idt[6], SEL_TASK, 0, P | TASKGATE, 0);
    TASK("#UD is a fault: eip of the instruction", "nop; ud2", .ring = 3);
}
/* clang-format on */

static void switch_and_back(void)
{
    task.eip = CODE("mov $0x99, %%edx; iret; mov $0x77, %%ecx; jmp landing");
    TASK("call and iret", "mov $5, %%eax; lcall $0x30, $0; inc %%eax");
    task.eip = CODE("iret");
    set_gate(&idt[0x40], SEL_TASK, 0, P | TASKGATE | DPL3, 0);
    TASK("int and iret", "mov $5, %%eax; int $0x40; inc %%eax", .ring = 3, .in.eflags = 0x4);
    task.eip = CODE("1: iret; jmp 1b");
    TASK("call, iret, call again", "lcall $0x30, $0; lcall $0x30, $0; mov $0x55, %%eax");
    task.eip = CODE("ljmp $0x28, $0");
    TASK("jmp and jmp back", "ljmp $0x30, $0; mov $0x66, %%eax");
    task.eip = CODE("clts; ljmp $0x28, $0");
    TASK("CR0.TS", "ljmp $0x30, $0; mov $0x66, %%eax");
}

static void faults_in_old_task(void)
{
    BAD("rpl 3", "ljmp $0x33, $0");
    BAD("ring 3, TSS of DPL 0", "ljmp $0x30, $0", .ring = 3);
    SEG(SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    BAD("busy", "ljmp $0x30, $0");
    SEG(SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    BAD("call, busy", "lcall $0x30, $0");
    SEG(SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    set_gate(&idt[0x40], SEL_TASK, 0, P | TASKGATE | DPL3, 0);
    BAD("int, busy", "int $0x40");
    set_segment(gdt, SEL_TASK, address(&task), sizeof(task) - 1, TSS32, 0);
    BAD("not present", "ljmp $0x30, $0");
    SEG(SEL_TASK, address(&task), 0x66, TSS32, 0);
    BAD("limit 66", "ljmp $0x30, $0");
    SEG(SEL_TASK, address(&task), 0x67, TSS32, 0);
    BAD("limit 67", "ljmp $0x30, $0");
    set_gate(&gdt[T0 / 8], SEL_TASK, 0, TASKGATE | DPL3, 0);
    BAD("gate not present", "ljmp $0x83, $0", .ring = 3);
    set_gate(&gdt[T0 / 8], SEL_TASK, 0, P | TASKGATE, 0);
    BAD("gate of DPL 0", "ljmp $0x83, $0", .ring = 3);
    set_gate(&gdt[T0 / 8], 0, 0, P | TASKGATE, 0);
    BAD("gate to null", "ljmp $0x80, $0");
    set_gate(&gdt[T0 / 8], SEL_TASK | 4, 0, P | TASKGATE, 0);
    BAD("gate to an LDT selector", "ljmp $0x80, $0");
    set_gate(&gdt[T0 / 8], SEL_DATA, 0, P | TASKGATE, 0);
    BAD("gate to data", "ljmp $0x80, $0");
    set_gate(&gdt[T0 / 8], SEL_TASK | 3, 0, P | TASKGATE, 0);
    BAD("gate's selector with rpl 3", "ljmp $0x80, $0");
}

#define IRET_NT "pushf; orl $0x4000, (%%esp); popf; iret"

static void nested_iret(void)
{
    tss.link = SEL_TASK;
    BAD("iret, link not busy", IRET_NT);
    tss.link = SEL_TASK;
    SEG(SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    TASK("iret", IRET_NT);
    tss.link = 0;
    BAD("iret, link null", IRET_NT);
    tss.link = SEL_TASK | 4;
    BAD("iret, link in LDT", IRET_NT);
    tss.link = SEL_DATA;
    BAD("iret, link to data", IRET_NT);
    tss.link = SEL_TASK;
    set_segment(gdt, SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    BAD("iret, link not present", IRET_NT);
    tss.link = SEL_TASK;
    SEG(SEL_TASK, address(&task), sizeof(task) - 1, BUSY32, 0);
    BAD("iret from ring 3", IRET_NT, .ring = 3);
}

#define NEW(n, assignments, ...)                       \
    do {                                               \
        assignments;                                   \
        for (unsigned v = 10; v <= 13; v++)            \
            set_gate(&idt[v], T2, 0, P | TASKGATE, 0); \
        BAD(n, "ljmp $0x30, $0", ##__VA_ARGS__);       \
    } while (0)

static void faults_in_new_task(void)
{
    NEW("CS null", task.cs = 0);
    NEW("CS data", task.cs = SEL_DATA);
    NEW("CS of ring 3, rpl 0", task.cs = SEL_UCODE & ~3);
    NEW("CS beyond", task.cs = 0xfff8);
    NEW("CS not present", task.cs = T0; set_segment(gdt, T0, 0, 0xfffff, XR, G | D));
    NEW("EIP past the limit", task.cs = T0; SEG(T0, 0, 0xff, XR, D));
    NEW("SS null", task.ss = 0);
    NEW("SS code", task.ss = SEL_CODE);
    NEW("SS read only", task.ss = T0; SEG(T0, 0, 0xfffff, RO, G | D));
    NEW("SS of ring 3", task.ss = SEL_UDATA);
    NEW("SS rpl 3", task.ss = SEL_DATA | 3);
    NEW("SS not present", task.ss = T0; set_segment(gdt, T0, 0, 0xfffff, RW, G | D));
    NEW("SS beyond", task.ss = 0xfff8);
    NEW("DS not readable", task.ds = T0; SEG(T0, 0, 0xfffff, XO, G | D));
    NEW("DS not present", task.ds = T0; set_segment(gdt, T0, 0, 0xfffff, RW, G | D));
    NEW("ES beyond", task.es = 0xfff8);
    NEW("FS system", task.fs = SEL_TSS);
    NEW("GS of ring 0 in ring 3", task.cs = SEL_UCODE; task.ss = SEL_UDATA; task.ds = task.es = 0;
        task.gs = SEL_DATA);
    NEW("LDT null", task.ldt = 0);
    NEW("LDT", task.ldt = SEL_LDT);
    NEW("LDT selector of LDT", task.ldt = SEL_LDT | 4);
    NEW("LDT is data", task.ldt = SEL_DATA);
    NEW("LDT beyond", task.ldt = 0xfff8);
    NEW("LDT not present", task.ldt = SEL_LDT; set_segment(gdt, SEL_LDT, address(ldt), 63, LDT, 0));
    NEW("T flag", task.trap = 1);
    put_dr6();
    NEW("TF", task.eflags = 0x102);
    put_dr6();
    NEW("into virtual-8086 mode", task.eflags = 0x23002; task.cs = address(landing) >> 4;
        task.eip = address(landing) & 15; task.ss = 0x7000; task.esp = 0x8000; task.ds = 0x1111;
        task.es = 0x2222; task.fs = 0x3333; task.gs = 0x4444);
    NEW("DR7's local bits go", WRITE_DR(7, 0x155 | 0x2aa));
    put("  dr7 %08x\n", READ_DR(7));
}

static void tss16(void)
{
    static uint16_t small[22], old[22];
    SEG(T0, address(small), sizeof(small) - 1, TSS16, 0);
    SEG(T1, (address(landing) & ~0xffff), 0xffff, XR, 0);
    *(volatile uint8_t *)address(landing); /* INT3 does for 16-bit code too */
    small[7] = address(landing) & 0xffff, small[8] = 0x2, small[9] = 0x1a, small[10] = 0x1c,
    small[13] = 0x1000;
    SEG(T0 + 24, 0x80000, 0xfffff, RW, G | D); /* the upper half of ESP will be ones */
    small[17] = SEL_DATA, small[18] = T1, small[19] = T0 + 24, small[20] = SEL_DATA;
    /* clang-format off */
    try_task(&(Attempt){ .name = "task: 16-bit TSS", .code = CODE("ljmp $0x80, $0"), .show = "acsfCTUEFG",
                         .in = { .eax = 0x12345678, .ecx = 0x12345678, .fs = SEL_UDATA } });
    /* clang-format on */
    SEG(T0, address(small), 42, TSS16, 0);
    BAD("16-bit TSS, limit 42", "ljmp $0x80, $0");
    SEG(SEL_TSS, address(old), sizeof(old) - 1, TSS16, 0);
    asm volatile("ltr %w0" : : "r"(SEL_TSS));
    old[1] = 0x7000, old[2] = SEL_DATA;
    /* clang-format off */
    report(&(Attempt){ .name = "task: from a 16-bit TSS", .code = CODE("ljmp $0x30, $0"), .in.eax = 0x12345678,
                       .show = "asC" });
    /* clang-format on */
    put("  ax %04x ss %04x sp %04x cs %04x type %x\n", old[9], old[19], old[13], old[18],
        type_of(SEL_TSS));
    task_setup();
}

/* ---- Double faults -------------------------------------------------------------------------- */

static void double_faults(void)
{
    task_setup();
    set_gate(&idt[8], SEL_TASK, 0, P | TASKGATE, 0);
    SEG(T1, TEST_STACK - 0x1000, 0xfff, RW, D);
    BAD("double fault: ring 0 stack gone", "mov %%eax, %%esp; push %%eax", .in.ss = T1,
        .in.esp = 0x1000);
    set_gate(&idt[8], SEL_TASK, 0, P | TASKGATE, 0);
    SEG(T1, TEST_STACK - 0x1000, 0xfff, RW, D);
    BAD("double fault: #SS while pushing #SS", "mov $4, %%esp; push %%eax; push %%eax", .in.ss = T1,
        .in.esp = 0x800);
    put("  error code %x\n", ((uint32_t *)(TEST_STACK - 0x800))[-1]);
    idt[13] = 0;
    TRY("double fault: no gate for #GP", "mov %%eax, %%ds", .in.eax = 0xfff8, .ring = 3);
    reset_tables();
    idt[11] = idt[6] = 0;
    TRY("#UD, no gate for it nor for #NP", "ud2", .ring = 3);
    reset_tables();
    set_segment(gdt, T0, 0, 0xfffff, XR, G | D);
    set_gate(&idt[0], T0, address(landing), P | INT32, 0);
    TRY("double fault: #DE into absent code", "div %%ecx", .ring = 3);
    set_gate(&idt[6], T0, address(landing), P | INT32, 0);
    TRY("#UD into absent code is #NP", "ud2", .ring = 3);
    set_gate(&idt[0x40], T0, address(landing), P | INT32 | DPL3, 0);
    TRY("int into absent code is #NP", "int $0x40", .ring = 3);
    reset_tables();
}

/* ---- Virtual-8086 mode ---------------------------------------------------------------------- */

/* clang-format off */
#define V86(n, text, ...) \
    report(&(Attempt){ .name = "v86: " n, .code = CODE_16(text), .v86 = true, .in.ds = SCRATCH >> 4, \
                       .in.es = SCRATCH >> 4, ##__VA_ARGS__ })

static void v86_at(const char *iopl, uint32_t flags)
{
    put("v86, %s\n", iopl);
    V86(" cli", "cli", .in.eflags = flags | 0x200, .show = "f");
    V86(" sti", "sti", .in.eflags = flags, .show = "f");
    V86(" sti, VIP", "sti", .in.eflags = flags | 0x100000, .show = "f");
    V86(" pushf", "pushf; pop %%ax", .in.eflags = flags | 0x80000, .show = "as");
    V86(" pushfd", "pushfl; pop %%eax", .in.eflags = flags, .show = "as");
    V86(" popf", "pushw $0x7ed7-0x100; popfw", .in.eflags = flags, .show = "fs");
    V86(" popf IF, VIP", "pushw $0x202; popfw", .in.eflags = flags | 0x100000, .show = "f");
    V86(" popf TF", "pushw $0x102; popfw", .in.eflags = flags, .show = "f");
    V86(" popfd", "pushl $0x247ed7-0x100; popfl", .in.eflags = flags, .show = "f");
    V86(" int", "int $0x40", .in.eflags = flags, .show = "fsC");
    V86(" int 3", ".byte 0xcd, 3", .in.eflags = flags);
    V86(" into", "into", .in.eflags = flags | 0x800);
    V86(" iret", "pushw $0x3ed7-0x100; push %%cs; push %%ax; iretw; .balign 16; int3", .in.eflags = flags,
        .in.eax = 0x40, .show = "fs");
    V86(" iretd", "pushl $0x3ed7-0x100; pushl $0x4f00; pushl %%eax; iretl", .in.eflags = flags, .in.eax = 0x40,
        .show = "fs");
    V86(" in allowed", "in $0x80, %%al", .in.eflags = flags);
    V86(" in not allowed", "in $0x81, %%al", .in.eflags = flags);
}
/* clang-format on */

static void v86(void)
{
    static const uint32_t iopl3 = 0x3000;
    uint32_t *volatile ivt = 0;

    ivt[3] = ivt[0x40] = 0x4f000000u | 0x40; /* vector 40h goes to 4f00:0040 */
    *(volatile uint8_t *)0x4f040 = 0xcc;
    tss.io[0x80 / 8] = 0xfe;
    v86_at("IOPL 3", iopl3);
    v86_at("IOPL 0", 0);
    WRITE_CR(4, 1);
    for (unsigned redirect = 0; redirect < 2; redirect++) {
        tss.iomap = offsetof(Tss32, io) + 32; /* the interrupt redirection map is before it */
        memset(tss.io, redirect ? 0 : 0xff, 32);
        tss.io[32 + 0x80 / 8] = 0xfe;
        v86_at(redirect ? "VME, IOPL 3, redirected" : "VME, IOPL 3", iopl3);
        v86_at(redirect ? "VME, IOPL 0, redirected" : "VME, IOPL 0", 0);
    }
    WRITE_CR(4, 2);
    TRY("pvi: cli", "cli", .ring = 3, .in.eflags = 0x80200, .show = "f");
    TRY("pvi: sti", "sti", .ring = 3, .in.eflags = 0x200, .show = "f");
    TRY("pvi: sti, VIP", "sti", .ring = 3, .in.eflags = 0x100200, .show = "f");
    TRY("pvi: popf", "push $0x202; popf", .ring = 3, .show = "f");
    TRY("pvi: pushf", "pushf; pop %%eax", .ring = 3, .in.eflags = 0x80000, .show = "a");
    TRY("pvi: ring 1", "sti", .ring = 1);
    WRITE_CR(4, 0);
    reset_tables();

    V86("segments", "mov %%ds:4, %%eax", .in.eflags = iopl3, .show = "U");
    V86("limit", "mov (%%esi), %%al", .in.eflags = iopl3, .in.esi = 0x10000);
    V86("word at the limit", "mov (%%si), %%ax", .in.eflags = iopl3, .in.esi = 0xffff);
    V86("stack wrap", "push %%ax", .in.eflags = iopl3, .in.esp = 0x10002, .show = "s");
    V86("push at 1", "push %%ax", .in.eflags = iopl3, .in.esp = 1, .show = "s");
    V86("load segments", "mov %%ax, %%ds; push %%ds; pop %%es; lss (%%bx), %%sp",
        .in.eflags = iopl3, .in.eax = 0x5001, .show = "UET");
    V86("hlt", "hlt", .in.eflags = iopl3);
    V86("mov cr", "mov %%cr0, %%eax", .in.eflags = iopl3);
    V86("mov dr", "mov %%db0, %%eax", .in.eflags = iopl3);
    V86("smsw", "smsw %%ax", .in.eflags = iopl3, .show = "a");
    V86("sgdt", "sgdt (%%bx)", .in.eflags = iopl3, .in.ebx = 0x100);
    V86("lgdt", "lgdt (%%bx)", .in.eflags = iopl3);
    V86("lldt", "lldt %%ax", .in.eflags = iopl3);
    V86("sldt", "sldt %%ax", .in.eflags = iopl3);
    V86("ltr", "ltr %%ax", .in.eflags = iopl3);
    V86("str", "str %%ax", .in.eflags = iopl3);
    V86("lar", "lar %%ax, %%bx", .in.eflags = iopl3);
    V86("verr", "verr %%ax", .in.eflags = iopl3);
    V86("arpl", "arpl %%ax, %%bx", .in.eflags = iopl3);
    V86("invlpg", "invlpg (%%bx)", .in.eflags = iopl3);
    V86("rdmsr", "rdmsr", .in.eflags = iopl3);
    V86("sysenter", ".byte 0x0f, 0x34", .in.eflags = iopl3);
    V86("far jmp", "ljmp $0x4f00, $0x40", .in.eflags = iopl3, .show = "C");
    V86("far call", "lcall $0x4f00, $0x40", .in.eflags = iopl3, .show = "Cs");
    V86("lock", ".byte 0xf0; nop", .in.eflags = iopl3);
    V86("into, OF", "into", .in.eflags = iopl3 | 0x800);
    V86("bound", "bound %%ax, (%%bx)", .in.eflags = iopl3, .in.eax = 0x7fff, .in.ebx = 0x200);
    V86("gate to ring 1", "int $0x40", .in.eflags = iopl3 | 0x204, .show = "fsC");
    set_gate(&idt[0x40], SEL_CODE1 & ~3, address(landing), P | INT32 | DPL3, 0);
    V86("gate to ring 1 is #GP", "int $0x40", .in.eflags = iopl3);
    set_gate(&idt[0x40], SEL_CODE, address(landing), P | INT32, 0);
    V86("gate of DPL 0", "int $0x40", .in.eflags = iopl3);
    set_gate(&idt[0x40], SEL_CODE, address(landing), P | INT32 | DPL3, 0);
    V86("inside the handler", "int $0x40", .in.eflags = iopl3 | 0x204, .in.fs = 0x1234,
        .show = "fsCTUEFG");
    put("  stack");
    for (unsigned i = 0; i < 9; i++)
        if (i == 1) /* CS of the code */
            put(" cs");
        else
            put_value("", ((uint32_t *)out.esp)[i]);
    put("\n");
    reset_tables();
}

/* ---- Debugging ------------------------------------------------------------------------------ */

#define DEBUG(n, dr7_, text, ...)              \
    do {                                       \
        WRITE_DR(7, (dr7_) | 0x400);           \
        TRY("debug: " n, text, ##__VA_ARGS__); \
        put_dr6();                             \
    } while (0)

static void debugging(void)
{
    uint32_t code;

    WRITE_DR(6, 0);
    DEBUG("TF", 0, "nop; nop", .in.eflags = 0x100, .show = "f");
    DEBUG("TF set by popf: after the next", 0, "pushl $0x102; popf; nop; nop; nop");
    DEBUG("TF and a fault", 0, "ud2", .in.eflags = 0x100, .show = "f");
    DEBUG("TF and rep", 0, "rep stosb", .in.eflags = 0x100, .in.ecx = 3, .in.edi = SCRATCH,
          .show = "c");
    DEBUG("TF and mov ss", 0, "mov %%ax, %%ss; nop; nop", .in.eflags = 0x100, .in.eax = SEL_DATA);
    DEBUG("TF and pop ss", 0, "push %%ss; pop %%ss; nop; nop", .in.eflags = 0x100,
          .in.eax = SEL_DATA);
    DEBUG("TF and int", 0, "int $0x40", .in.eflags = 0x100, .show = "f");
    DEBUG("TF and iret", 0, "nop", .ring = 3, .in.eflags = 0x100, .show = "fC");
    DEBUG("TF and popf clearing it", 0, "pushl $2; popf; nop", .in.eflags = 0x100);
    DEBUG("icebp", 0, ".byte 0xf1; nop");
    WRITE_DR(0, SCRATCH);
    WRITE_DR(1, SCRATCH + 8);
    DEBUG("write 1", 0x00010002, "movb $1, (%%ebx); nop; nop", .in.ebx = SCRATCH);
    DEBUG("write 1, read", 0x00010002, "movb (%%ebx), %%al", .in.ebx = SCRATCH);
    DEBUG("read/write 1, read", 0x00030002, "movb (%%ebx), %%al; nop", .in.ebx = SCRATCH);
    DEBUG("read/write 1, dword before", 0x00030002, "movl -3(%%ebx), %%eax; nop",
          .in.ebx = SCRATCH);
    DEBUG("read/write 1, beside", 0x00030002, "movl 1(%%ebx), %%eax", .in.ebx = SCRATCH);
    DEBUG("write 4, last byte", 0x000d0002, "movb $1, 3(%%ebx); nop", .in.ebx = SCRATCH);
    DEBUG("write 4, beyond", 0x000d0002, "movb $1, 4(%%ebx); nop", .in.ebx = SCRATCH);
    DEBUG("local", 0x00010001, "movb $1, (%%ebx); nop", .in.ebx = SCRATCH);
    DEBUG("two at once", 0x00330002 | 8, "movl $0x50000, %%esi; movl $0x50008, %%edi; movsb; nop");
    DEBUG("not enabled", 0x00110002, "movb $1, 8(%%ebx)", .in.ebx = SCRATCH);
    DEBUG("push", 0x000d0002, "mov $0x50004, %%esp; push %%eax; mov $0x80000, %%esp");
    DEBUG("rep stos stops", 0x00010002, "rep stosb", .in.ecx = 8, .in.edi = SCRATCH - 2,
          .show = "cD");
    WRITE_DR(7, 0x400);
    *(volatile uint32_t *)SCRATCH = SEL_DATA;
    DEBUG("mov ss delays", 0x00030002, "mov (%%ebx), %%ss; nop; nop", .in.ebx = SCRATCH);
    DEBUG("fault first", 0x00010002, "movb $1, (%%ebx); ud2", .in.ebx = SCRATCH);

    code = CODE("nop; nop");
    WRITE_DR(0, code + 1);
    WRITE_DR(7, 0x402);
    report(&(Attempt){ .name = "debug: execution", .code = code, .show = "f" });
    put_dr6();
    WRITE_DR(7, 0x402);
    WRITE_DR(0, code);
    report(&(Attempt){
        .name = "debug: execution with RF", .code = code, .in.eflags = 0x10000, .show = "f" });
    put_dr6();
    WRITE_DR(7, 0x402);
    report(&(Attempt){
        .name = "debug: execution and TF", .code = code, .in.eflags = 0x100, .show = "f" });
    put_dr6();
    WRITE_DR(7, 0x400);
    DEBUG("GD", 0x2000, "mov %%db0, %%eax; nop");
    DEBUG("GD, dr6", 0x2000, "mov %%eax, %%db6; nop");
    TRY("debug: dr4 is dr6", ".byte 0x0f, 0x21, 0xe0", .show = "a");
    WRITE_CR(4, 8);
    TRY("debug: dr4, CR4.DE", ".byte 0x0f, 0x21, 0xe0");
    WRITE_DR(0, 0x81);
    DEBUG("port", 0x00020002, "in $0x81, %%al; nop; nop");
    DEBUG("port, word before", 0x00020002, "in $0x80, %%ax; nop; nop");
    DEBUG("port, other", 0x00020002, "in $0x82, %%al; nop; nop");
    WRITE_CR(4, 0);
    /* clang-format off */
    TRY("debug: dr6 reserved bits", "xor %%eax, %%eax; mov %%eax, %%db6; mov %%db6, %%eax", .show = "a");
    TRY("debug: dr7 reserved bits", "mov $0xffff00ff-0xff, %%eax; and $~0x2000, %%eax; mov %%eax, %%db7; mov %%db7, %%eax",
        .show = "a");
    /* clang-format on */
    WRITE_DR(7, 0x400);
}

/* ---- Alignment ------------------------------------------------------------------------------ */

static void alignment(void)
{
    asm volatile("fninit"); /* no x87 exceptions */
#define AC(n, text, ...) \
    TRY("align: " n, text, .ring = 3, .in.eflags = 0x40000, .in.ebx = SCRATCH + 1, ##__VA_ARGS__)
    __asm__ volatile("fninit"); /* nothing unmasked: what waits for the x87 would wait for ever */
    AC("AM clear", "mov (%%ebx), %%eax");
    WRITE_CR(0, READ_CR(0) | 0x40000);
    AC("byte", "mov (%%ebx), %%al");
    AC("word", "mov (%%ebx), %%ax");
    AC("word on 2", "mov 1(%%ebx), %%ax");
    AC("dword on 2", "mov 1(%%ebx), %%eax");
    AC("dword on 4", "mov 3(%%ebx), %%eax");
    AC("store", "mov %%eax, (%%ebx)");
    AC("push", "mov %%ebx, %%esp; push %%eax");
    AC("locked", "lock; incl (%%ebx)");
    AC("movs", "movsl", .in.esi = SCRATCH + 2, .in.edi = SCRATCH);
    AC("fld double on 4", "fldl 3(%%ebx)");
    AC("fld double on 8", "fldl 7(%%ebx)");
    AC("fld extended on 8", "fldt 7(%%ebx)");
    AC("fnstenv", "fnstenv 1(%%ebx)");
    AC("cmpxchg8b on 4", "cmpxchg8b 3(%%ebx)");
    AC("bound on 2", "mov 1(%%ebx), %%ax; xor %%eax, %%eax; bound %%eax, 1(%%ebx)");
    AC("les on 2", "les 1(%%ebx), %%eax");
    AC("sgdt", "sgdt (%%ebx)");
    AC("bt mem", "bt %%eax, (%%ebx)", .in.eax = 0);
    AC("fxsave", "fxsave (%%ebx)");
    AC("fxsave on 4", "fxsave 3(%%ebx)");
    AC("fxrstor", "fxrstor 1(%%ebx)");
    AC("call", "mov %%ebx, %%esp; call 1f; 1:");
    TRY("align: AC clear", "mov (%%ebx), %%eax", .ring = 3, .in.ebx = SCRATCH + 1);
    TRY("align: ring 0", "mov (%%ebx), %%eax", .in.eflags = 0x40000, .in.ebx = SCRATCH + 1);
    WRITE_CR(0, READ_CR(0) & ~0x40000u);
}

void bare_main(void)
{
    bare_init();
    alignment();
    debugging();
    v86();
    double_faults();
    switch_to();
    switch_and_back();
    faults_in_old_task();
    nested_iret();
    faults_in_new_task();
    tss16();
    finish();
}
