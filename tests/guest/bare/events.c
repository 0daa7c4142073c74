/* SPDX-License-Identifier: MIT */
/*
 * What comes from outside an instruction stream: NMI and its blocking, the APIC's timer ending HLT
 * and MWAIT, SMI and RSM with SMBASE relocation. Intel SDM vol. 3A, 6.7, 10.6; vol. 3C, 31 (SMM);
 * state save area: AMD64 vol. 2, 10.2. The local APIC sends NMI and SMI to its own processor.
 */
#include "bare.h"

#define APIC      0xfee00000u
#define ICR       0x300
#define TIMER     0x380
#define SMI       0x200 /* delivery modes */
#define NMI       0x400
#define SMBASE    0x30000u
#define NEW_BASE  0x40000u
#define SAVE_BASE 0xff00 /* SMBASE in the save area of processors with long mode */

static void apic(unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)(APIC + reg) = v;
}

static void copy(uint32_t to, uint32_t from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ((volatile uint8_t *)to)[i] = ((uint8_t *)from)[i];
}

#define SEND(n, mode, text, ...) TRY(n, text, .in.edi = APIC + ICR, .in.eax = (mode), ##__VA_ARGS__)

static void nmi(void)
{
    SEND("nmi", NMI, "mov %%eax, (%%edi); 1: jmp 1b");
    SEND("nmi with IF clear, cli", NMI, "cli; mov %%eax, (%%edi); 1: jmp 1b");
    /* clang-format off */
    set_gate(&idt[2], SEL_CODE, CODE("inc %%ebx; cmp $1, %%ebx; jne 2f; mov %%eax, (%%edi); mov $1000, %%ecx;"
                                     "1: loop 1b; mov %%ebx, %%edx; 2: iret"), P | INT32, 0);
    /* clang-format on */
    SEND("nmi waits for iret", NMI, "mov %%eax, (%%edi); 1: cmp $2, %%ebx; jne 1b", .show = "bd");
    /* A second one is remembered, a third is not. */
    set_gate(&idt[2], SEL_CODE,
             CODE("inc %%ebx; cmp $1, %%ebx; jne 2f; mov %%eax, (%%edi); mov %%eax, (%%edi);"
                  "2: iret"),
             P | INT32, 0);
    SEND("nmi: one is remembered", NMI,
         "mov %%eax, (%%edi); 1: cmp $2, %%ebx; jne 1b; mov $1000, %%ecx; 1: loop 1b", .show = "b");
    /* Any IRET ends it, an exception's within the handler, too. */
    set_gate(&idt[6], SEL_CODE, CODE("addl $2, (%%esp); iret"), P | INT32, 0);
    /* clang-format off */
    set_gate(&idt[2], SEL_CODE, CODE("inc %%ebx; cmp $1, %%ebx; jne 2f; mov %%eax, (%%edi); ud2; mov $1000, %%ecx;"
                                     "1: loop 1b; mov %%ebx, %%edx; 2: iret"), P | INT32, 0);
    SEND("nmi: an exception's iret unblocks", NMI, "mov %%eax, (%%edi); 1: cmp $2, %%ebx; jne 1b", .show = "bd");
    /* clang-format on */
    reset_tables();
}

static void timer(void)
{
    apic(0xf0, 0x1ff); /* software enabled */
    apic(0x3e0, 0xb);  /* divide by 1 */
    apic(0x320, 0x91); /* one shot */
#define WAIT(n, text, ...)                                                 \
    TRY(n, text, .in.edi = APIC + TIMER, .in.esi = 0x2000, ##__VA_ARGS__); \
    apic(0xb0, 0)
    WAIT("sti, hlt", "mov %%esi, (%%edi); sti; hlt", .show = "f");
    WAIT("sti, mwait", "mov %%esi, (%%edi); mov %%esp, %%eax; monitor; sti; mwait");
    /* clang-format off */
    WAIT("sti delays by one", "mov %%esi, (%%edi); mov $0x4000, %%ecx; 1: mov 0xfee00390, %%eax; test %%eax, %%eax;"
         "jnz 1b; sti; inc %%ebx; inc %%ebx", .show = "b");
    WAIT("cli holds it back", "cli; mov %%esi, (%%edi); 1: mov 0xfee00390, %%eax; test %%eax, %%eax; jnz 1b; inc %%ebx;"
         "pushl $0x202; popf; inc %%ebx", .in.eflags = 0x200, .show = "bf");
    /* clang-format on */
    /* What waits to be allowed does not keep x87 code from getting on. */
    /* clang-format off */
    WAIT("x87 while it is held back", "mov %%esi, (%%edi); 1: mov 0xfee00390, %%eax; test %%eax, %%eax; jnz 1b; fninit; fldz;"
         "mov $100, %%ecx; 1: fld1; fsqrt; faddp; call 2f; loop 1b; fistpl 0x50000; mov 0x50000, %%ebx; sti; nop; nop;"
         "2: fnstsw %%ax; ret", .show = "b");
    /* clang-format on */
}

static void management_mode(void)
{
    volatile uint32_t *scratch = (volatile uint32_t *)SCRATCH;
    uint32_t handler = CODE_16(
        "mov $0x50000, %%ebx; addr32 incl (%%ebx); mov %%cs, %%ax; addr32 mov %%ax, 4(%%ebx);"
        "mov %%cr0, %%eax; addr32 mov %%eax, 8(%%ebx); rsm");
    uint32_t relocate = CODE_16("mov $0x50000, %%ebx; addr32 incl (%%ebx); mov $0x40000, %%eax;"
                                "mov $0x3ff00, %%ecx; addr32 mov %%eax, (%%ecx); rsm");

    scratch[0] = scratch[1] = scratch[2] = 0;
    copy(SMBASE + 0x8000, handler, 64);
    TRY("rsm outside", "rsm");
/* clang-format off */
#define SEND_SMI(n, ...)                                                                                       \
    scratch[0] = 0;                                                                                          \
    SEND(n, SMI, "mov $0x1234, %%ebx; mov %%eax, (%%edi); 1: cmpl $0, 0x50000; je 1b; movzwl 0x50004, %%ecx;" \
         "mov 0x50008, %%edx; and $0x80000001, %%edx", .show = "abcd", ##__VA_ARGS__)
    SEND_SMI("smi, rsm");
    /* clang-format on */
    copy(SMBASE + 0x8000, relocate, 64);
    SEND_SMI("smi that relocates");
    copy(SMBASE + 0x8000, CODE_16("1: jmp 1b"), 8);
    copy(NEW_BASE + 0x8000, handler, 64);
    SEND_SMI("smi at the new base");
    SEND_SMI("again");
    /* It ends HLT, and RSM goes back into it as the save area says: the timer has to come. */
    scratch[0] = 0;
    TRY("smi, then an interrupt",
        "mov %%eax, (%%edi); mov $0xfee00380, %%edi; mov %%esi, (%%edi); sti; hlt",
        .in.edi = APIC + ICR, .in.eax = SMI, .in.esi = 0x2000);
    put("  %d SMI\n", scratch[0]);
    apic(0xb0, 0);
}

/* The configuration address register of the host bridge, at 0xcf8, reads as written. */
static void latch_1234(void)
{
    outb(0x61, inb(0x61) & ~1); /* it does not count */
    outb(0x43, 0xb0);
    outb(0x42, 0x34);
    outb(0x42, 0x12);
    outb(0x43, 0x80);
}

/* INS into the code that runs: it is seen at once, and the port, which tells a byte once, is read
 * once. */
static void ins_into_code(void)
{
#define INS(n, text) latch_1234(), TRY(n, text, .in.edx = 0x42, .show = "abc")
    INS("port: insb into the next instruction",
        "mov $1f + 1, %%edi; insb; 1: mov $0x99, %%al; mov %%al, %%bl; inb %%dx, %%al");
    INS("port: rep insb into the next instruction",
        "mov $1f + 2, %%edi; mov $2, %%ecx; rep insb; 1: mov $0x9999, %%ax; mov %%eax, %%ebx");
    /* clang-format off */
    INS("port: insb over itself", "jmp 2f; 1: insb; mov %%al, %%bl; jmp 3f; 2: mov $1b, %%edi; jmp 1b; 3: inb %%dx, %%al");
    INS("port: again", "jmp 2f; 1: nop; insb; inc %%ebx; cmp $2, %%ebx; jb 1b; jmp 3f; 2: mov $1b, %%edi; jmp 1b; 3:");
    /* clang-format on */
}

static void ports(void)
{
    volatile uint32_t *scratch = (volatile uint32_t *)SCRATCH;

#define PORT(n, text, ...) \
    TRY("port: " n, text, .in.edx = 0xcf8, .in.eax = 0x80001234, ##__VA_ARGS__, .show = "aSD")
    PORT("out dx, eax", "out %%eax, %%dx; xor %%eax, %%eax; in %%dx, %%eax");
    scratch[0] = 0x80005678 & ~3u, scratch[1] = 0;
    PORT("outsd, insd", "outsl; insl; mov 0x50004, %%eax", .in.esi = SCRATCH,
         .in.edi = SCRATCH + 4);
    PORT("out imm8, eax", "out %%eax, $0x80; mov %%eax, %%esi");
    PORT("out imm8, ax", "outw %%ax, $0x80");
    scratch[0] = 0xfffffff9; /* TS; PE stays, nothing above MP, EM, TS is looked at */
    /* clang-format off */
    TRY("lmsw from memory", "mov %%cr0, %%ebx; lmsw (%%esi); mov %%cr0, %%eax; clts; xor %%ebx, %%eax", .in.esi = SCRATCH, .show = "a");
    /* clang-format on */
    TRY("rdpkru without CR4.PKE", "rdpkru");
    WRITE_CR(4, READ_CR(4) | 0x400000);
    /* clang-format off */
    TRY("wrpkru, rdpkru", "wrpkru; xor %%eax, %%eax; dec %%edx; rdpkru", .in.eax = 0xdeadbeef, .show = "ad");
    TRY("in ring 3", "wrpkru; xor %%eax, %%eax; rdpkru", .in.eax = 0x55555554, .ring = 3, .show = "ad");
    /* clang-format on */
    TRY("wrpkru, edx not 0", "wrpkru", .in.edx = 1);
    TRY("rdpkru, ecx not 0", "rdpkru", .in.ecx = 1);
    WRITE_CR(4, READ_CR(4) & ~0x400000);
    ins_into_code();
}

void bare_main(void)
{
    bare_init();
    nmi();
    timer();
    management_mode();
    ports();
    finish();
}
