/* SPDX-License-Identifier: MIT */
/*
 * System management mode by the chipset: SMRAM open, closed, locked; where SMBASE lies; the save
 * area as a handler changes it: HLT and I/O instructions to be executed again. Intel SDM vol. 3C,
 * 32; AMD64 vol. 2, 10.2; 82441FX, register 72h; 82371AB, 7.4 (APM control port, device activity
 * B).
 *
 * Processors with long mode and those without differ in where they save what: layout.
 */
#include "bare.h"

#define SMRAM   0xa0000u
#define SMBASE  0x30000u
#define APMC    0xb2
#define MAILBOX ((volatile uint32_t *)SCRATCH) /* what the handler tells */

/* Offsets in the save area, from SMBASE + 8000h. */
typedef struct Layout {
    uint16_t smbase, revision, eip, eflags, eax, ecx, halt, io_restart;
} Layout;
static const Layout
    long_layout = { 0x7f00, 0x7efc, 0x7f78, 0x7f70, 0x7ff8, 0x7ff0, 0x7ec9, 0x7ec8 },
    legacy_layout = { 0x7ef8, 0x7efc, 0x7ff0, 0x7ff4, 0x7fd0, 0x7fd4, 0x7f02, 0x7f00 };
static const Layout *at;

static uint32_t pci(unsigned device, unsigned reg)
{
    uint32_t v, address = 0x80000000u | device | (reg & ~3u);

    asm volatile("out %0, %w1" : : "a"(address), "Nd"(0xcf8));
    asm volatile("in %w1, %0" : "=a"(v) : "Nd"(0xcfc));
    return v >> 8 * (reg & 3);
}

static void pci_write8(unsigned device, unsigned reg, uint8_t v)
{
    pci(device, reg); /* leaves the address there */
    outb(0xcfc + (reg & 3), v);
}

static bool has_long_mode(void)
{
    uint32_t a = 0x80000000, b, c, d;

    asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    if (a < 0x80000001)
        return false;
    a = 0x80000001;
    asm volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
    return d >> 29 & 1;
}

static void copy(uint32_t to, uint32_t from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ((volatile uint8_t *)to)[i] = ((uint8_t *)from)[i];
}

static void smram(uint8_t control)
{
    pci_write8(0, 0x72, control);
}

/* ---- What shows at a0000h ------------------------------------------------------------------- */

#define OPEN   0x4a /* D_OPEN, G_SMRAME, the segment at a0000h */
#define SHUT   0x0a
#define LOCKED 0x1a

static void show_smram(const char *what)
{
    volatile uint32_t *p = (volatile uint32_t *)(SMRAM + 0x100);
    uint32_t before = *p;

    *p = 0x600d600d;
    /* clang-format off */
    put("smram, %s: register %02x, %s\n", what, pci(0, 0x72) & 0xff,
        before == 0x5a5a1234 ? "it shows" : *p == 0x600d600d ? "memory" : "nothing");
    /* clang-format on */
    if (before == 0x5a5a1234)
        *p = before;
}

/* ---- Handlers ------------------------------------------------------------------------------- */

/* At SMBASE + 8000h. DS is flat; EBX: the mailbox. */
#define HANDLER(text) CODE_16("mov $0x50000, %%ebx; addr32 incl (%%ebx); " text "; rsm")

static void set_handler(uint32_t base, uint32_t code)
{
    copy(base + 0x8000, code, 128);
}

#define SMI(n, text, ...)                            \
    do {                                             \
        for (unsigned i_ = 0; i_ < 12; i_++)         \
            MAILBOX[i_] = 0;                         \
        TRY(n, text, .in.edx = APMC, ##__VA_ARGS__); \
        put("  %d SMI\n", MAILBOX[0]);               \
    } while (0)

/* ESI: the save area. */
#define AREA "mov %%cs, %%si; movzwl %%si, %%esi; shl $4, %%esi; add $0x8000, %%esi;"

/* Copies the save area's dwords to the mailbox: offsets, 7 at the most, stand at SCRATCH + 100h. */
#define DUMP                                                                             \
    AREA "mov $0x50100, %%edi; mov $1, %%ecx;"                                           \
         "1: addr32 movzwl (%%edi), %%ebp; add %%esi, %%ebp; addr32 mov (%%ebp), %%ebp;" \
         "addr32 mov %%ebp, (%%ebx,%%ecx,4); add $2, %%edi; inc %%cx; cmp $8, %%cx; jne 1b;"

/* Changes a byte of the save area: SCRATCH + 110h is its offset, SCRATCH + 112h its value. */
#define POKE                                                                                \
    AREA "mov $0x50110, %%edi; addr32 movzwl (%%edi), %%ebp; add %%ebp, %%esi; addr32 mov " \
         "2(%%edi), %%al;"                                                                  \
         "addr32 mov %%al, (%%esi);"

static void poke(unsigned offset, uint8_t value)
{
    *(volatile uint16_t *)(SCRATCH + 0x110) = offset;
    *(volatile uint8_t *)(SCRATCH + 0x112) = value;
}

/* ---- Tests ---------------------------------------------------------------------------------- */

static void save_area(void)
{
    volatile uint16_t *offsets = (volatile uint16_t *)(SCRATCH + 0x100);
    const uint16_t wanted[] = { at->smbase, at->revision,  at->eflags,         at->eax,
                                at->ecx,    at->halt & ~3, at->io_restart & ~3 };

    for (unsigned i = 0; i < 7; i++)
        offsets[i] = wanted[i];
    set_handler(SMBASE, HANDLER(DUMP));
    SMI("smi by the APM control port", "outb %%al, %%dx; nop", .in.eax = 0x55, .in.ecx = 0x12345678,
        .in.eflags = 0x895, .show = "acf");
    /* Bits 15-0 of the revision tell the map. */
    put("  base %x revision %x%s eflags %x eax %x ecx %x halt %x io %x\n", MAILBOX[1],
        MAILBOX[2] >> 16,
        (MAILBOX[2] & 0xffff) == (at == &long_layout ? 0x64 : 0) ? "" : ", another map", MAILBOX[3],
        MAILBOX[4], MAILBOX[5], MAILBOX[6] & (at->halt & 1 ? 0xff00 : 0xff0000), MAILBOX[7] & 0xff);
}

/* The handler makes the instruction be executed again, the first three times. */
#define AGAIN HANDLER("addr32 cmpl $4, (%%ebx); jae 2f; " POKE "2:")

static void io_restart(void)
{
    set_handler(SMBASE, AGAIN);
    poke(at->io_restart, 0xff);
    SMI("restart: outb", "outb %%al, %%dx; inc %%ecx", .show = "c");
    SMI("restart: outb imm8", "outb %%al, $0xb2; inc %%ecx", .show = "c");
    SMI("restart: outw", "outw %%ax, %%dx; inc %%ecx", .show = "c");
    SMI("restart: outsb", "outsb; inc %%ecx", .in.esi = SCRATCH + 0x200, .show = "cS");
    /* clang-format off */
    SMI("restart: rep outsb", "rep outsb; inc %%ebx", .in.esi = SCRATCH + 0x200, .in.ecx = 5, .show = "bcS");
    SMI("restart: rep outsb, DF", "std; rep outsb; cld", .in.esi = SCRATCH + 0x200, .in.ecx = 5, .show = "bcS");
    SMI("restart: rep outsw, 16-bit", "addr16 rep outsw", .in.esi = 0x2fffe, .in.ecx = 0x10003, .in.ds = SEL_T0, .show = "bcS");
    /* clang-format on */
    poke(at->io_restart, 0);
    SMI("none: rep outsb", "rep outsb; inc %%ebx", .in.esi = SCRATCH + 0x200, .in.ecx = 5,
        .show = "bcS");
    poke(at->io_restart, 1);
    SMI("none: the byte is not ff", "outb %%al, %%dx; inc %%ecx", .show = "c");
}

#define APIC(reg)   (*(volatile uint32_t *)(0xfee00000 + (reg)))
#define IOAPIC(reg) (*(volatile uint32_t *)(0xfec00000 + (reg)))

static void ioapic(unsigned reg, uint32_t v)
{
    IOAPIC(0) = reg;
    IOAPIC(0x10) = v;
}

/* SMI at the end of the 8254's count, by the I/O APIC. */
static void smi_by_clock(uint32_t entry)
{
    outb(0x43, 0x30);
    ioapic(0x15, 0);
    ioapic(0x14, entry);
}

/* RSM goes back into HLT if the save area says so, and not if it does not. */
static void halt(void)
{
    APIC(0xf0) = 0x1ff;
    APIC(0x3e0) = 0xb;
    APIC(0x320) = 0x91;
    smi_by_clock(0x200);
    set_handler(SMBASE, HANDLER(POKE));
    poke(at->halt, 0);
#define START "xor %%eax, %%eax; outb %%al, $0x40; mov $0x10, %%al; outb %%al, $0x40;"
    SMI("halt: not again", START "hlt; inc %%ecx", .show = "c");
    set_handler(SMBASE,
                HANDLER("mov $0xfee00380, %%esi; mov $0x4000, %%eax; addr32 mov %%eax, (%%esi)"));
    SMI("halt: again", START "sti; hlt; inc %%ecx", .show = "c");
    APIC(0xb0) = 0;
    smi_by_clock(0x10000);
}

#define READ_DATA "mov $0xa0100, %%esi; addr32 mov (%%esi), %%eax; addr32 mov %%eax, 4(%%ebx);"
#define SMRAM_CONTROL(v)                                                                   \
    "mov $0x80000070, %%eax; mov $0xcf8, %%dx; out %%eax, %%dx; mov $0xcfe, %%dx; mov $" v \
    ", %%al; out %%al, %%dx;"

/* SMBASE in SMRAM, which is then closed and locked. */
static void relocation(void)
{
    set_handler(SMBASE,
                HANDLER(AREA "mov $0x50110, %%edi; addr32 movzwl (%%edi), %%ebp; add %%ebp, %%esi;"
                             "mov $0xa0000, %%eax; addr32 mov %%eax, (%%esi)"));
    poke(at->smbase, 0);
    SMI("relocate", "outb %%al, %%dx; inc %%ecx", .show = "c");
    set_handler(SMBASE, CODE_16("1: jmp 1b"));
    smram(OPEN);
    *(volatile uint32_t *)(SMRAM + 0x100) = 0x5a5a1234;
    set_handler(SMRAM, HANDLER(READ_DATA));
    show_smram("open");
    SMI("in open SMRAM", "outb %%al, %%dx; inc %%ecx", .show = "c");
    put("  reads %08x\n", MAILBOX[1]);
    smram(SHUT);
    show_smram("not open");
    SMI("in SMRAM", "outb %%al, %%dx; inc %%ecx", .show = "c");
    put("  reads %08x\n", MAILBOX[1]);
    smram(OPEN);
    set_handler(SMRAM, HANDLER(SMRAM_CONTROL("0x2a") READ_DATA SMRAM_CONTROL("0x0a")));
    smram(SHUT);
    SMI("in closed SMRAM, data", "outb %%al, %%dx; inc %%ecx", .show = "c");
    put("  reads %08x\n", MAILBOX[1]);
    smram(OPEN);
    set_handler(SMRAM, HANDLER(READ_DATA));
    smram(LOCKED);
    smram(OPEN);
    show_smram("locked, opened");
    SMI("in locked SMRAM", "outb %%al, %%dx; inc %%ecx", .show = "c");
    put("  reads %08x\n", MAILBOX[1]);
}

void bare_main(void)
{
    bare_init();
    at = has_long_mode() ? &long_layout : &legacy_layout;
    SEG(SEL_T0, 0x40000, 0xffff, RW, 0);
    /* SMIs come of writes to the APM control port. */
    pci_write8(0x0b00, 0x5b, pci(0x0b00, 0x5b) | 2);
    show_smram("after reset");
    save_area();
    io_restart();
    halt();
    relocation();
    finish();
}
