/* SPDX-License-Identifier: MIT */
/*
 * Long mode: 64-bit and compatibility code, canonical addresses, SYSCALL and SYSENTER, far
 * transfers, IRETQ, interrupt stacks, 4-level paging, PCID. Intel SDM vol. 1, 3.3.7; vol. 2 at each
 * instruction; vol. 3A, 4.5, 4.10, 5.8, 6.14.
 *
 * The supervisor is 32-bit code in compatibility mode. Ring 3 runs at an alias for users.
 */
#include "bare64.h"

/* ---- Addresses ------------------------------------------------------------------------------ */

/* Whatever stands above a supervisor's address, nobody gets there by it. */
static void wild_jumps(void)
{
    uint32_t there = CODE_64("incl 0x50100; ret"), n = 0;
    volatile uint32_t *calls = (volatile uint32_t *)(SCRATCH + 0x100);

    *calls = 0;
    for (unsigned i = 0; i < 3; i++)
        attempt64(&(Attempt64){ .code = CODE_64("call *%%rbx"), .in.rbx = there });
    put("canonical: called %d times,", *calls);
    for (uint64_t x = 1; x < 0x2000; x++) {
        attempt64(
            &(Attempt64){ .code = CODE_64("jmp *%%rbx"), .ring = 3, .in.rbx = there | x << 48 });
        n += vector64 == 13;
    }
    put(" then %d; %d wild jumps are #GP\n", *calls, n);
}

static void canonical(void)
{
#define CANON(n, text, ...) TRY64("canonical: " n, text, .in.rbx = HIGH, .in.rax = 5, ##__VA_ARGS__)
    CANON("load", "mov (%%rbx), %%al");
    CANON("store", "mov %%al, (%%rbx)");
    CANON("load across the end", "mov -1(%%rbx), %%ax");
    CANON("last canonical byte", "mov -1(%%rbx), %%al");
    CANON("first of the upper half", "mov $0xffff800000000000, %%rcx; mov (%%rcx), %%al");
    CANON("below it", "mov $0xffff800000000000, %%rcx; mov -1(%%rcx), %%al");
    CANON("rbp is a stack access", "mov %%rbx, %%rbp; mov (%%rbp), %%al");
    CANON("rsp too", "mov %%rbx, %%rsp; mov (%%rsp), %%al");
    CANON("rbp with ds:", "mov %%rbx, %%rbp; .byte 0x3e; mov 0(%%rbp), %%al");
    CANON("rbp with fs:", "mov %%rbx, %%rbp; mov %%fs:(%%rbp), %%al");
    CANON("push", "lea 8(%%rbx), %%rsp; push %%rax", .show = "s");
    CANON("pop", "mov %%rbx, %%rsp; pop %%rax", .show = "s");
    CANON("call", "lea 8(%%rbx), %%rsp; call 1f; 1:", .show = "s");
    CANON("jmp", "jmp *%%rbx");
    CANON("call to", "call *%%rbx", .show = "s");
    CANON("ret to", "push %%rbx; ret", .show = "s");
    wild_jumps();
    CANON("invlpg", "invlpg (%%rbx)");
    CANON("lea", "lea 1(%%rbx), %%rcx", .show = "c");
    CANON("clflush", "clflush (%%rbx)");
    CANON("prefetch", "prefetcht0 (%%rbx)");
    CANON("movs", "mov %%rbx, %%rsi; mov $0x50000, %%edi; movsb");
    CANON("stos", "mov %%rbx, %%rdi; stosb");
    CANON("wrmsr FS base", "mov $0xc0000100, %%ecx; xor %%eax, %%eax; mov $0x8000, %%edx; wrmsr");
    CANON("wrmsr LSTAR", "mov $0xc0000082, %%ecx; xor %%eax, %%eax; mov $0x8000, %%edx; wrmsr");
    CANON("wrmsr kernel GS base",
          "mov $0xc0000102, %%ecx; xor %%eax, %%eax; mov $0x8000, %%edx; wrmsr");
    CANON("wrmsr SYSENTER_EIP", "mov $0x176, %%ecx; xor %%eax, %%eax; mov $0x8000, %%edx; wrmsr");
    CANON("wrmsr PAT reserved", "mov $0x277, %%ecx; mov $2, %%eax; xor %%edx, %%edx; wrmsr");
    /* clang-format off */
    TRY64("67 wraps the address", "mov $0xffffffff, %%ebx; addr32 mov 0x50001(%%ebx), %%ecx", .show = "c");
    TRY64("rip relative", "lea 1f(%%rip), %%rax; lea 1f(%%rip), %%rbx; sub %%rax, %%rbx; 1:", .show = "b");
    /* clang-format on */
    SEG(X0, 0, 0xfff, RO | DPL3, D);
    TRY64("no limits", "mov %%fs:(%%rbx), %%ecx", .in.rbx = SCRATCH, .in.fs = X0 | 3);
    TRY64("cs: and ds: have no base", "mov %%cs:(%%rbx), %%cl; mov %%es:(%%rbx), %%cl",
          .in.rbx = SCRATCH);
}

/* ---- The end of canonical addresses ---------------------------------------------------------- */

#define LOW_END   0x00007ffffffff000ull /* the last page below it, */
#define UPPER_END 0xffff800000000000ull /* the first above, */
#define LAST      0xfffffffffffff000ull /* and the last of all: FRAME each */

static void map_ends(bool on)
{
    uint64_t *pdpt = (uint64_t *)(TABLES + 0x5000), *pd = (uint64_t *)(TABLES + 0x6000),
             *pt = (uint64_t *)(TABLES + 0x7000);

    memset(pdpt, 0, 0x3000);
    pdpt[0] = pdpt[511] = (TABLES + 0x6000) | 7;
    pd[0] = pd[511] = (TABLES + 0x7000) | 7;
    pt[0] = pt[511] = FRAME | 7;
    PML4[255] = PML4[256] = PML4[511] = on ? (TABLES + 0x5000) | 7 : 0;
    PDPT[3] = on ? (TABLES + 0x6000) | 7 : 0; /* fffff000, for compatibility mode */
    WRITE_CR(3, TABLES);
}

static const struct Edge {
    const char *name;
    uint64_t at;
    uint8_t code[8];
    uint64_t rcx;
    uint32_t rflags;
} edges[] = {
    { "jmp over the end", LOW_END + 0x100, { 0xe9, 0x00, 0x20 }, 0, 0 },
    { "jmp far over it", LOW_END + 0x100, { 0xe9, 0x00, 0x20, 0x00, 0x7f }, 0, 0 },
    { "jmp rel8 over it", LOW_END + 0xff0, { 0xeb, 0x20 }, 0, 0 },
    { "jmp to it", LOW_END + 0xff0, { 0xeb, 0x0e }, 0, 0 },
    { "jmp over it, TF", LOW_END + 0xff0, { 0xeb, 0x20 }, 0, 0x100 },
    { "jnz over it", LOW_END + 0xff0, { 0x75, 0x20 }, 0, 0 },
    { "jz over it, not taken", LOW_END + 0xff0, { 0x74, 0x20 }, 0, 0 },
    { "jnz rel32 over it", LOW_END + 0xf00, { 0x0f, 0x85, 0x00, 0x20 }, 0, 0 },
    { "loop over it", LOW_END + 0xff0, { 0xe2, 0x20 }, 2, 0 },
    { "loop over it, not taken", LOW_END + 0xff0, { 0xe2, 0x20 }, 1, 0 },
    { "loop by ecx over it", LOW_END + 0xff0, { 0x67, 0xe2, 0x20 }, 0xffffffff00000002, 0 },
    { "jrcxz over it", LOW_END + 0xff0, { 0xe3, 0x20 }, 0, 0 },
    { "call over it", LOW_END + 0xf00, { 0xe8, 0x00, 0x20 }, 0, 0 },
    { "call over it, TF", LOW_END + 0xf00, { 0xe8, 0x00, 0x20 }, 0, 0x100 },
    { "call that returns there", LOW_END + 0xffb, { 0xe8, 0x00, 0xf8, 0xff, 0xff }, 0, 0 },
    { "nop before it", LOW_END + 0xfff, { 0x90 }, 0, 0 },
    { "nop before it, TF", LOW_END + 0xfff, { 0x90 }, 0, 0x100 },
    { "jz before it, not taken", LOW_END + 0xffe, { 0x74, 0x80 }, 0, 0 },
    { "jnz before it", LOW_END + 0xffe, { 0x75, 0x80 }, 0, 0 },
    { "int3 before it", LOW_END + 0xfff, { 0xcc }, 0, 0 },
    { "instruction across it", LOW_END + 0xffe, { 0xb8 }, 0, 0 },
    { "instruction across it by a byte", LOW_END + 0xfff, { 0x66 }, 0, 0 },
    { "jmp below the upper half", UPPER_END + 0x10, { 0xeb, 0xe0 }, 0, 0 },
    { "call below the upper half", UPPER_END + 0x10, { 0xe8, 0x00, 0xf0, 0xff, 0xff }, 0, 0 },
    { "jmp to its first byte", UPPER_END + 0x10, { 0xeb, 0xee }, 0, 0 },
    { "jmp over 2^64", LAST + 0xff0, { 0xe9, 0x1b, 0x00, 0x18 }, 0, 0 },
    { "nop at 2^64", LAST + 0xfff, { 0x90 }, 0, 0 },
    { "jmp over 2^64 backwards", 0x10, { 0xe9, 0x00, 0xf8, 0xff, 0xff }, 0, 0 },
};

static void put_code(uint64_t at, const uint8_t *code)
{
    uint8_t *page = at < 0x1000 ? page0 : (uint8_t *)FRAME;

    memset((void *)FRAME, 0xcc, 0x1000);
    memset(page0, 0xcc, 0x30);
    for (unsigned i = at & 0xfff, n = 0; n < 8 && i < 0x1000; i++, n++)
        page[i] = code[n];
}

/* What crosses 4 GiB in compatibility mode: the manual leaves open whether that wraps or is #GP
 * (vol. 3A, 5.3). */
static void wraps(void)
{
    static const struct Edge wrap[] = {
        { "jmp", 0xfffffff0, { 0xe9, 0x1b, 0x00, 0x18 }, 0, 0 },
        { "jnz rel8 to 2", 0xfffffff0, { 0x75, 0x10 }, 0, 0 },
        { "jmp rel16", 0xfffffff0, { 0x66, 0xe9, 0x1c, 0x00 }, 0, 0 },
        { "nop", 0xffffffff, { 0x90 }, 0, 0 },
        { "mov across", 0xfffffffe, { 0xb8 }, 0, 0 },
        { "loop by cx", 0xfffffff0, { 0x67, 0xe2, 0x1d }, 0x10002, 0 },
    };

    for (unsigned i = 0; i < sizeof(wrap) / sizeof(wrap[0]); i++) {
        put_code(wrap[i].at, wrap[i].code);
        put("over 4 GiB: ");
        /* clang-format off */
        report64(&(Attempt64){ .name = wrap[i].name, .code = (uint32_t)wrap[i].at, .compat = true,
                               .in.rip = wrap[i].at, .in.rcx = wrap[i].rcx, .show = "ica" });
        /* clang-format on */
    }
    memcpy(page0, (const uint8_t[]){ 0x11, 0x22, 0x33, 0x44 }, 4);
    *(volatile uint32_t *)(FRAME + 0xffc) = 0x88776655;
    /* clang-format off */
    report64(&(Attempt64){ .name = "over 4 GiB: dword", .code = CODE("mov 0xfffffffe, %%eax"), .compat = true, .show = "a" });
    report64(&(Attempt64){ .name = "over 4 GiB: store", .code = CODE("mov %%eax, 0xfffffffe"), .in.rax = 0xa4a3a2a1, .compat = true });
    put("  %02x%02x%02x %08x\n", page0[2], page0[1], page0[0], *(volatile uint32_t *)(FRAME + 0xffc));
    /* clang-format on */
}

static void canonical_end(void)
{
    volatile uint32_t *stack = (volatile uint32_t *)(TEST_STACK - 8);

    map_ends(true);
    for (unsigned i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        const struct Edge *e = &edges[i];

        put_code(e->at, e->code);
        stack[0] = stack[1] = 0;
        /* clang-format off */
        report64(&(Attempt64){ .name = e->name, .code = (uint32_t)e->at, .in.rip = e->at, .in.rcx = e->rcx,
                               .in.rflags = e->rflags, .show = "ics" });
        /* clang-format on */
        if (e->code[0] == 0xe8)
            put("  pushed %08x%08x\n", stack[1], stack[0]);
    }
    wraps();
    map_ends(false);
}

/* ---- Opcodes -------------------------------------------------------------------------------- */

static void opcodes(void)
{
    static const uint8_t gone[] = { 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27,
                                    0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62, 0x82, 0x9a,
                                    0xc4, 0xc5, 0xce, 0xd4, 0xd5, 0xd6, 0xea };
    volatile uint8_t *at = (volatile uint8_t *)FRAME;

    put("opcodes that are #UD in 64-bit mode:");
    for (unsigned i = 0; i < sizeof(gone); i++) {
        memset((void *)FRAME, 0, 16);
        at[0] = gone[i];
        attempt64(&(Attempt64){ .code = FRAME });
        put(" %02x%c", gone[i], vector64 == 6 && (uint32_t)regs_out.rip == FRAME ? 'u' : '-');
    }
    put("\n");
    TRY64("push fs, pop gs", "push %%fs; pop %%gs", .show = "s");
    TRY64("push imm sign-extends", "push $-1; pop %%rax", .show = "a");
    TRY64("pushw", "pushw %%ax", .show = "s");
    TRY64("inc is a REX prefix", ".byte 0x40; nop");
    TRY64("32-bit writes clear the upper half", "mov $-1, %%rax; mov $1, %%ecx; mov %%ecx, %%eax",
          .show = "a");
    TRY64("movsxd", "movslq %%ecx, %%rax", .in.rcx = 0x80000000, .show = "a");
    /* clang-format off */
    TRY64("mov cr8", "mov $5, %%eax; mov %%rax, %%cr8; mov %%cr8, %%rbx; xor %%eax, %%eax; mov %%rax, %%cr8", .show = "b");
    /* clang-format on */
    TRY64("mov cr8, reserved bits", "mov $0x10, %%eax; mov %%rax, %%cr8");
    TRY64("mov cr8 in ring 3", "mov %%cr8, %%rax", .ring = 3);
    TRY64("cmpxchg16b, aligned", "cmpxchg16b (%%rbx)", .in.rbx = SCRATCH, .show = "f");
    TRY64("cmpxchg16b on 8", "cmpxchg16b (%%rbx)", .in.rbx = SCRATCH + 8);
    TRY64("movaps on 8", "movaps (%%rbx), %%xmm0", .in.rbx = SCRATCH + 8);
    TRY64("swapgs", "swapgs");
    TRY64("swapgs in ring 3", "swapgs", .ring = 3);
    TRY64("rdfsbase, CR4.FSGSBASE clear", ".byte 0xf3, 0x48, 0x0f, 0xae, 0xc0");
    TRY64("rdtscp in ring 3", "rdtscp; xor %%eax, %%eax", .ring = 3, .show = "c");
    TRY64("arpl is gone, 63 is movsxd", ".byte 0x63, 0xc1", .in.rcx = 0x80000000, .show = "a");
    TRY64("hlt in ring 3", "hlt", .ring = 3);
    TRY64("lar of a system descriptor", "mov $0xe0, %%ecx; lar %%ecx, %%eax", .show = "af");
    TRY64("lsl of a code segment", "mov $0x60, %%ecx; lsl %%ecx, %%eax", .show = "af");
}

/* ---- Transfers ------------------------------------------------------------------------------ */

static struct {
    uint64_t offset;
    uint16_t selector;
} __attribute__((packed)) far64;
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) far32;

static void transfers(void)
{
    uint32_t landing = CODE_64("nop"), landing32 = CODE("nop");

#define FAR(n, sel, text, ...)                                                  \
    far64.selector = far32.selector = (sel);                                    \
    far64.offset = far32.offset = landing;                                      \
    TRY64("far: " n, text, .show = "sC", .in.rbx = (uint32_t)(uintptr_t)&far32, \
          .in.rcx = (uint32_t)(uintptr_t)&far64, ##__VA_ARGS__)
    FAR("jmp m16:32 to 64-bit code", SEL_CODE64, "ljmp *(%%rbx)");
    FAR("jmp m16:32 to compatibility", SEL_CODE, "ljmp *(%%rbx)");
    FAR("jmp m16:64", SEL_CODE64, "rex.W ljmp *(%%rcx)");
    FAR("call m16:32", SEL_CODE64, "lcall *(%%rbx)");
    FAR("call m16:64", SEL_CODE64, "rex.W lcall *(%%rcx)");
    FAR("to code with L and D", (SEG(X0, 0, 0xfffff, XR, G | L | D), X0), "ljmp *(%%rbx)");
    FAR("to a TSS", TSS64, "ljmp *(%%rbx)");
    FAR("to null", 0, "ljmp *(%%rbx)");
    FAR("to the upper half of a descriptor", TSS64 + 8, "ljmp *(%%rbx)");
    set_gate64(&gdt[GATE / 8], SEL_CODE64, landing, P | CALL32 | DPL3, 0);
    FAR("call gate", GATE, "lcall *(%%rbx)");
    FAR("jmp through a call gate", GATE, "ljmp *(%%rbx)");
    FAR("call gate from ring 3", GATE | 3, "lcall *0x4000000(%%rbx)", .ring = 3);
    set_gate64(&gdt[GATE / 8], SEL_CODE, landing, P | CALL32 | DPL3, 0);
    FAR("call gate to compatibility code", GATE, "lcall *(%%rbx)");
    set_gate64(&gdt[GATE / 8], SEL_CODE64, landing, P | CALL32 | DPL3, 0);
    gdt[GATE / 8 + 1] = 0x100000000000ull;
    FAR("call gate, upper type not 0", GATE, "lcall *(%%rbx)");
    set_gate64(&gdt[GATE / 8], SEL_CODE64, landing, P | CALL32 | DPL3, 0);
    gdt[GATE / 8 + 1] = 0x8000;
    FAR("call gate, not canonical", GATE, "lcall *(%%rbx)");
    set_gate64(&gdt[GATE / 8], SEL_CODE64, landing, P | CALL16 | DPL3, 0);
    FAR("16-bit call gate", GATE, "lcall *(%%rbx)");

#define RET(n, text, ...) \
    TRY64("ret: " n, text, .show = "sCTUF", .in.rbx = landing, .in.rcx = landing32, ##__VA_ARGS__)
    RET("lretq", "push $0x60; push %%rbx; lretq");
    RET("lretl",
        "pushq $0x70000; movl %%ebx, 0x70000; movl $0x60, 0x70004; mov $0x70000, %%esp; lretl");
    RET("lretq to compatibility", "push $0x8; push %%rcx; lretq");
    RET("lretq to ring 3, ss",
        "lea 0x4000000(%%rbx), %%rbx; push $0x9b; push $0x4070000; push $0xa3; push %%rbx; lretq");
    RET("lretq to ring 3, ss null", "push $3; push $0x70000; push $0xa3; push %%rbx; lretq");
    RET("iretq", "push $0x10; push $0x70008; push $0xed7-0x100; push $0x60; push %%rbx; iretq");
    /* clang-format off */
    RET("iretq, ss null in ring 0", "push $0; push $0x70008; push $2; push $0x60; push %%rbx; iretq");
    RET("iretq, ss null with rpl 3", "push $3; push $0x70008; push $2; push $0xa3; push %%rbx; iretq");
    /* clang-format on */
    RET("iretq, ss of ring 3", "push $0x9b; push $0x70008; push $2; push $0x60; push %%rbx; iretq");
    /* clang-format off */
    RET("iretq to compatibility, ss null", "push $0; push $0x70008; push $2; push $0x8; push %%rcx; iretq");
    RET("iretq to compatibility", "push $0x10; push $0x70008; push $2; push $0x8; push %%rcx; iretq");
    RET("iretq with NT", "push $0x10; push $0x70008; push $2; push $0x60; push %%rbx; pushf; orl $0x4000, (%%rsp); popf; iretq");
    RET("iretq, VM is ignored", "push $0x10; push $0x70008; push $0x20002; push $0x60; push %%rbx; iretq");
    RET("iretl", "movl %%ebx, 0x70000; movl $0x60, 0x70004; movl $2, 0x70008; movl $0x70100, 0x7000c; movl $0x10, 0x70010; "
        "mov $0x70000, %%esp; iretl");
    /* clang-format on */
    TRY64("ss: null in ring 0", "xor %%eax, %%eax; mov %%eax, %%ss; push %%rax", .show = "T");
    TRY64("ss: null in ring 3", "mov $3, %%eax; mov %%eax, %%ss", .ring = 3);
    TRY64("ds: null reads", "xor %%eax, %%eax; mov %%eax, %%ds; mov 0x50000, %%al", .show = "U");
    SEG(X0, 0x1234, 0xfff, RO, D);
    /* clang-format off */
    TRY64("a read-only, small segment", "mov $0x100, %%eax; mov %%eax, %%ds; mov %%al, 0x50000", .show = "U");
    TRY64("fs has its descriptor's base", "mov $0x100, %%eax; mov %%eax, %%fs; mov $0xc0000100, %%ecx; rdmsr", .show = "ad");
    /* clang-format on */
    TRY64("not present", "mov $0x108, %%eax; mov %%eax, %%ds");
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

static void put_stack(unsigned n)
{
    put("  stack");
    for (unsigned i = 0; i < n; i++)
        put64("", ((uint64_t *)(uintptr_t)regs_out.rsp)[i]);
    put("\n");
}

static void interrupts(void)
{
    uint32_t landing = CODE_64("nop");

#define INT(n, text, ...) TRY64("int: " n, text, .show = "sfCTU", ##__VA_ARGS__)
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | INT32 | DPL3, 0);
    INT("ring 0, stack aligned", "lea 5(%%rsp), %%rsp; int $0x40", .in.rflags = 0x200);
    put_stack(5);
    INT("ring 3, RSP0", "int $0x40", .ring = 3, .in.rflags = 0x4200);
    put_stack(5);
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | INT32 | DPL3, 2);
    INT("ring 0, IST 2", "int $0x40");
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | TRAP32 | DPL3, 0);
    INT("trap gate", "int $0x40", .in.rflags = 0x200);
    set_gate64(&idt64[2 * 0x40], SEL_CODE, landing, P | INT32 | DPL3, 0);
    INT("to compatibility code", "int $0x40");
    set_gate64(&idt64[2 * 0x40], U64, landing, P | INT32 | DPL3, 0);
    INT("outward", "int $0x40");
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | INT16 | DPL3, 0);
    INT("16-bit gate", "int $0x40");
    set_gate64(&idt64[2 * 0x40], TSS64, 0, P | TASKGATE | DPL3, 0);
    INT("task gate", "int $0x40");
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | INT32, 0);
    INT("DPL 0 from ring 3", "int $0x40", .ring = 3);
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, INT32 | DPL3, 0);
    INT("absent", "int $0x40", .ring = 3);
    idt64[2 * 0x40 + 1] = 0x8000;
    idt64[2 * 0x40] |= 1ull << 47;
    INT("not canonical", "int $0x40");
    set_gate64(&idt64[2 * 0x40], SEL_CODE64, landing, P | INT32 | DPL3, 0);
    tss64.rsp[1] = 0x8000;
    INT("RSP0 not canonical", "int $0x40", .ring = 3);
    tss64.rsp[1] = 0;
    tss64.rsp[0] = 0x10000000;
    INT("RSP0 absent", "int $0x40", .ring = 3);
    set_gate64(&idt64[2 * 14], 0, 0, 0, 0);
    INT("#PF without a gate", "mov 0x10000000, %%eax");
    set_gate64(&idt64[2 * 11], 0, 0, 0, 0);
    set_gate64(&idt64[2 * 13], 0, 0, 0, 0);
    INT("#PF with none for #NP nor #GP", "mov 0x10000000, %%eax");
    reset_tables64();
    INT("single step", "nop; nop", .in.rflags = 0x100);
    INT("single step over syscall", "nop", .ring = 3, .in.rflags = 0x100);
    WRITE_DR(6, 0);
    INT("icebp", ".byte 0xf1", .ring = 3);
    TRY64("misaligned in ring 3", "mov 1(%%rbx), %%eax", .ring = 3, .in.rbx = ALIAS + SCRATCH,
          .in.rflags = 0x40000);
    WRITE_CR(0, READ_CR(0) | 0x40000);
    /* clang-format off */
    TRY64("misaligned in ring 3, AM", "mov 1(%%rbx), %%eax", .ring = 3, .in.rbx = ALIAS + SCRATCH, .in.rflags = 0x40000);
    TRY64("misaligned quadword", "mov 4(%%rbx), %%rax", .ring = 3, .in.rbx = ALIAS + SCRATCH, .in.rflags = 0x40000);
    /* clang-format on */
    WRITE_CR(0, READ_CR(0) & ~0x40000u);
    COMPAT("int", "int $0x80", .show = "sCT");
    COMPAT("aaa", "aaa");
    COMPAT("far call", "lcall $0x93, $1f; 1: nop", .show = "s");
    COMPAT("limit", "mov %%fs:(%%ebx), %%al", .in.fs = X1 | 3, .in.rbx = 0x10);
    COMPAT("high registers stay", "mov %%eax, %%ebx", .in.rax = 0x1122334455667788, .show = "ab");
    COMPAT("address wraps", "mov %%ds:0xffffffff(%%ebx), %%al", .in.rbx = ALIAS + SCRATCH + 1);
}

/* ---- SYSCALL, SYSENTER ---------------------------------------------------------------------- */

static void system_calls(void)
{
    uint32_t landing = CODE_64("nop"), user = CODE_64("nop") + ALIAS, user32 = CODE("nop");

    wrmsr(0xc0000081, U32 << 16 | K64, 0);
    wrmsr(0xc0000082, 0, landing);
    wrmsr(0xc0000083, 0, landing);
    wrmsr(0xc0000084, 0, 0x4700);
#define CALL(n, text, ...) TRY64(n, text, .show = "crsfCT", .in.rdx = user, ##__VA_ARGS__)
    CALL("syscall", "syscall", .ring = 3, .in.rflags = 0x40e95);
    CALL("syscall in ring 0", "syscall", .in.rflags = 0x200);
    CALL("sysretq", "sysretq", .in.rcx = user, .in.r11 = 0x3ed7 & ~0x100);
    CALL("sysretq: RF and VM stay 0", "sysretq", .in.rcx = user, .in.r11 = 0x30002);
    CALL("sysretl", "sysretl", .in.r11 = 0x200, .in.rcx = user32 + ALIAS);
    CALL("sysretq in ring 3", "sysretq", .in.rcx = user, .ring = 3);
    CALL("sysretq sets TF", "sysretq", .in.rcx = user, .in.r11 = 0x102);
    CALL("syscall, TF masked", "syscall", .ring = 3, .in.rflags = 0x100);
    wrmsr(0xc0000084, 0, 0);
    CALL("syscall, TF not masked", "syscall", .ring = 3, .in.rflags = 0x100);
    wrmsr(0xc0000080, 0, 0x900);
    CALL("syscall without SCE", "syscall", .ring = 3);
    CALL("sysretq without SCE", "sysretq");
    wrmsr(0xc0000080, 0, 0x901);
    wrmsr(0x174, 0, 0);
    COMPAT("sysenter, CS null", "sysenter");
    CALL("sysexit, CS null", "sysexitl");
}

static void system_instructions(void)
{
    uint32_t landing = CODE_64("nop");

    TRY64("cpuid", "xor %%eax, %%eax; cpuid; xor %%eax, %%eax", .show = "a");
    TRY64("xsetbv without CR4.OSXSAVE", "xsetbv");
    TRY64("xgetbv without CR4.OSXSAVE", "xgetbv");
    WRITE_CR(4, READ_CR(4) | 0x40000);
    /* clang-format off */
    TRY64("xsetbv", "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $3, %%eax; xsetbv; xor %%eax, %%eax; xgetbv", .show = "ad");
    /* clang-format on */
    TRY64("xsetbv, x87 missing", "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $2, %%eax; xsetbv");
    TRY64("xsetbv, AVX without SSE", "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $5, %%eax; xsetbv");
    TRY64("xsetbv of another register", "mov $5, %%ecx; xor %%edx, %%edx; mov $3, %%eax; xsetbv");
    /* clang-format off */
    TRY64("xsetbv in ring 3", "xor %%ecx, %%ecx; xor %%edx, %%edx; mov $3, %%eax; xsetbv", .ring = 3);
    TRY64("xsaves and xrstors", "mov $3, %%eax; xor %%edx, %%edx; xsaves (%%rbx); xrstors (%%rbx); mov 0x208(%%rbx), %%rcx",
          .in.rbx = SCRATCH + 0x1000, .show = "c");
    /* clang-format on */
    TRY64("xsaves, not aligned", "xsaves (%%rbx)", .in.rbx = SCRATCH + 0x1020);
    TRY64("xsaves in ring 3", "xsaves (%%rbx)", .ring = 3, .in.rbx = ALIAS + SCRATCH + 0x1000);
    WRITE_CR(4, READ_CR(4) & ~0x40000u);
    TRY64("rdpkru without CR4.PKE", "xor %%ecx, %%ecx; rdpkru");
    TRY64("wrpkru without CR4.PKE", "xor %%ecx, %%ecx; wrpkru");
    TRY64("monitor", "xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", .in.rax = SCRATCH);
    TRY64("monitor with ecx", "mov $1, %%ecx; xor %%edx, %%edx; monitor", .in.rax = SCRATCH);
    TRY64("monitor in ring 3", "xor %%ecx, %%ecx; xor %%edx, %%edx; monitor", .ring = 3,
          .in.rax = ALIAS + SCRATCH);
    TRY64("mwait in ring 3", "xor %%ecx, %%ecx; xor %%eax, %%eax; mwait", .ring = 3);
    TRY64("ins and outs", "mov $0x80, %%edx; outsb; insb", .in.rsi = SCRATCH, .in.rdi = SCRATCH);
    TRY64("stac, clac", "stac; clac");
    TRY64("cli, sti", "sti; cli");
    TRY64("rdpmc", "xor %%ecx, %%ecx; rdpmc; mov $0, %%eax");
    TRY64("rdpmc of none", "mov $0x1000, %%ecx; rdpmc");
    wrmsr(0x174, 0, E64);
    wrmsr(0x175, 0, TEST_STACK - 0x100);
    wrmsr(0x176, 0, landing);
    SEG(E64, 0, 0xfffff, XR, G | L);
    SEG(E64 + 8, 0, 0xfffff, RW, G | D);
    SEG(E64 + 16, 0, 0xfffff, XR | DPL3, G | D);
    SEG(E64 + 24, 0, 0xfffff, RW | DPL3, G | D);
    SEG(E64 + 32, 0, 0xfffff, XR | DPL3, G | L);
    SEG(E64 + 40, 0, 0xfffff, RW | DPL3, G | D);
    TRY64("sysenter", "sysenter", .ring = 3, .in.rflags = 0x200, .show = "sfCT");
    COMPAT("sysenter", "sysenter", .in.rflags = 0x200, .show = "sfCT");
    /* clang-format off */
    TRY64("sysexitq", "rex.W sysexit", .in.rcx = 0x71000, .in.rdx = landing + ALIAS, .show = "sfCT");
    TRY64("sysexit", "sysexitl", .in.rcx = 0x100071000, .in.rdx = CODE("nop") + ALIAS, .show = "sfCT");
    /* clang-format on */
    TRY64("sysexitq, not canonical", "rex.W sysexit", .in.rcx = HIGH, .in.rdx = landing);
}

/* ---- Paging --------------------------------------------------------------------------------- */

static void paging(void)
{
#define PG(n, text, ...) TRY64("paging: " n, text, .in.rbx = PAGE, ##__VA_ARGS__)
    PG("read", "mov (%%rbx), %%al");
    PT[0] = (FRAME | 7) | NX;
    PG("NX, fetch", "invlpg (%%rbx); jmp *%%rbx");
    PG("NX, read", "mov (%%rbx), %%al");
    PT[0] = FRAME | 7;
    PML4[1] = (TABLES + 0x1000) | 7 | 0x80;
    PG("PML4E bit 7", "mov $0x8000000000, %%rax; mov (%%rax), %%cl");
    PML4[1] = (TABLES + 0x1000) | 5;
    PG("PML4E read only, ring 3 write", "mov $0x8004050000, %%rax; mov %%cl, (%%rax)", .ring = 3);
    PG("PML4E read only, ring 3 read", "mov $0x8004050000, %%rax; mov (%%rax), %%cl", .ring = 3);
    PML4[1] = (TABLES + 0x1000) | 3;
    PG("PML4E of the supervisor", "mov $0x8004050000, %%rax; mov (%%rax), %%cl", .ring = 3);
    PML4[1] = 0;
    PG("PML4E absent, flushed", "mov $0x8004050000, %%rax; invlpg (%%rax); mov (%%rax), %%cl");
    PDPT[1] = 0x87;
    *(volatile uint32_t *)SCRATCH = 0xabcdef01;
    PG("1 GiB", "mov $0x40050000, %%eax; mov (%%rax), %%ecx; movb $2, (%%rax)", .show = "c");
    put("  entry %x\n", (uint32_t)PDPT[1]);
    PDPT[1] = 0x87 | 1 << 13;
    PG("1 GiB, bit 13", "mov $0x40050000, %%eax; invlpg (%%rax); mov (%%rax), %%ecx");
    PDPT[1] = 0x85;
    PG("1 GiB read only, ring 3", "mov $0x40050000, %%eax; movb $2, (%%rax)", .ring = 3);
    PDPT[1] = 0;
    PML4[0x100] = PML4[0];
    PG("upper half", "mov $0xffff800000050000, %%rax; mov (%%rax), %%ecx", .show = "c");
    PML4[0x100] = 0;
    PG("upper half absent", "mov $0xffff800000050000, %%rax; invlpg (%%rax); mov (%%rax), %%ecx");
    PG("cr2 is 64 bits wide", "mov $0xffff812345678000, %%rax; mov %%rax, %%cr2; mov %%cr2, %%rdx",
       .show = "d");
    PG("CR4.PAE cannot go", "mov %%cr4, %%rax; and $~0x20, %%eax; mov %%rax, %%cr4");
    PG("CR0.PG cannot go in 64-bit code", "mov %%cr0, %%rax; btr $31, %%eax; mov %%rax, %%cr0");
    PG("EFER.LME cannot go", "mov $0xc0000080, %%ecx; rdmsr; btr $8, %%eax; wrmsr");
    PG("CR0's upper half", "mov $0x180000011, %%rax; mov %%rax, %%cr0");
    PG("CR3 beyond physical addresses", "mov $0x4000000000200000, %%rax; mov %%rax, %%cr3");

    /* PCID. */
    PG("CR4.PCIDE with CR3[11:0]", "mov %%cr3, %%rcx; lea 1(%%rcx), %%rdx; mov %%rdx, %%cr3; mov "
                                   "%%cr4, %%rax; bts $17, %%eax; mov %%rax, %%cr4");
    WRITE_CR(3, TABLES);
    PG("CR3 bit 63 without PCIDE", "mov %%cr3, %%rax; bts $63, %%rax; mov %%rax, %%cr3");
    PG("invpcid in ring 3", "invpcid (%%rbx), %%rax", .ring = 3);
    PG("CR4.PCIDE", "mov %%cr4, %%rax; bts $17, %%eax; mov %%rax, %%cr4");
    /* clang-format off */
    PG("CR3 with a PCID", "mov %%cr3, %%rax; inc %%rax; mov %%rax, %%cr3; mov %%cr3, %%rdx", .show = "d");
    PG("CR3, no flush", "mov %%cr3, %%rax; bts $63, %%rax; mov %%rax, %%cr3; mov %%cr3, %%rdx", .show = "d");
    PG("invpcid 0", "push $0; push %%rbx; pushq $0; mov %%rbx, 8(%%rsp); mov $1, %%eax; mov %%rax, (%%rsp); xor %%eax, %%eax; invpcid (%%rsp), %%rax");
    /* clang-format on */
    PG("invpcid 1", "push $0; push $1; mov $1, %%eax; invpcid (%%rsp), %%rax");
    PG("invpcid 2", "push $0; push $0; mov $2, %%eax; invpcid (%%rsp), %%rax");
    PG("invpcid 3", "push $0; push $0; mov $3, %%eax; invpcid (%%rsp), %%rax");
    PG("invpcid 4", "push $0; push $0; mov $4, %%eax; invpcid (%%rsp), %%rax");
    PG("invpcid, reserved bits", "push $0; push $0x1000; mov $1, %%eax; invpcid (%%rsp), %%rax");
    PG("invpcid, not canonical",
       "mov $0x800000000000, %%rcx; push %%rcx; push $0; xor %%eax, %%eax; invpcid (%%rsp), %%rax");
    /* clang-format off */
    PG("a PCID keeps its own translations",
       "mov (%%rbx), %%al; mov %%cr3, %%rcx; lea 1(%%rcx), %%rdx; mov %%rdx, %%cr3; mov (%%rbx), %%al; mov %%rcx, %%cr3", .show = "a");
    /* clang-format on */
    PT[0] = SCRATCH | 7;
    PG("invpcid 1 drops them",
       "push $0; push $1; mov $1, %%eax; invpcid (%%rsp), %%rax; mov (%%rbx), %%eax", .show = "a");
    PT[0] = FRAME | 7;
    PG("invlpg drops them", "invlpg (%%rbx); mov (%%rbx), %%eax", .show = "a");
    WRITE_CR(3, TABLES);
    PG("CR4.PCIDE off", "mov %%cr4, %%rax; btr $17, %%eax; mov %%rax, %%cr4");
}

void bare_main(void)
{
    bare_init();
    memset((void *)FRAME, 0xcc, 0x1000);
    *(volatile uint32_t *)SCRATCH = 0x11223344;
    long_mode();
    TRY64("ring 0", "nop", .show = "sfCTU");
    TRY64("ring 3", "nop", .ring = 3, .show = "sfCTU");
    COMPAT("ring 3", "nop", .show = "sfCTU");
    canonical();
    canonical_end();
    opcodes();
    transfers();
    interrupts();
    system_calls();
    system_instructions();
    paging();
    CANON("iretq to", "push $0x10; push $0x70000; push $2; push $0x60; push %%rbx; iretq");
    CANON("iretq to, ring 3", "push $0x9b; push $0x70000; push $2; push $0xa3; push %%rbx; iretq");
    CANON("lgdt", "push %%rbx; push %%rbx; movw $0x1ff, 6(%%rsp); lgdt 6(%%rsp)");
    CANON("lidt", "push %%rbx; push %%rbx; movw $0xfff, 6(%%rsp); lidt 6(%%rsp)");
    CANON("lret to", "push $0x60; push %%rbx; lretq", .show = "s");
    finish();
}
