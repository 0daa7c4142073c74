/* SPDX-License-Identifier: MIT */
/*
 * Two processors and one set of paging structures: what the second may still know after the first
 * has changed them, what a fault makes it forget, shootdown by interrupt, atomic accessed and dirty
 * bits and LOCK, code that the other writes. Intel SDM vol. 3A, 4.10.4, 4.10.5, 8.1.2, 8.1.3, 8.4.
 *
 * The second one (INIT, SIPI) runs attempts that the first asks for; only the first prints.
 */
#include "bare.h"

#define APIC   0xfee00000u
#define START  0x9000u    /* where the second one begins */
#define STACK  0x7e000u   /* … its own */
#define PAGE   0x8000000u /* under test: maps A or B, which hold their letter */
#define A      0x180000u
#define B      0x181000u
#define PD     ((volatile uint32_t *)TABLES)
#define PT     ((volatile uint32_t *)(TABLES + 0x1000))
#define IPI    0x40u
#define ROUNDS 20000u

enum { READS = 0x65, WRITES = 0x67 }; /* present, for users, accessed, dirty */

static struct {
    volatile uint32_t asked, done;
    uint32_t code, ebx;
    uint32_t vector, error, eax;
    volatile uint32_t counter;
} box;

static void apic(unsigned reg, uint32_t v)
{
    *(volatile uint32_t *)(APIC + reg) = v;
}

/* ---- The second processor -------------------------------------------------------------------- */

asm(".pushsection .text\n"
    ".code16\n"
    ".globl second_begin, second_end\n"
    "second_begin:\n"
    "cli\n"
    "xor %ax, %ax\n"
    "mov %ax, %ds\n"
    "lgdtl 0x8f00\n"
    "lidtl 0x8f08\n"
    "mov %cr0, %eax\n"
    "and $0x9fffffff, %eax\n"
    "or $1, %al\n"
    "mov %eax, %cr0\n"
    "ljmpl $0x08, $1f\n"
    "second_end:\n"
    ".code32\n"
    "1: mov $0x10, %eax\n"
    "mov %eax, %ds\n"
    "mov %eax, %es\n"
    "mov %eax, %ss\n"
    "mov $0x7e000, %esp\n"
    "call second_main\n"
    ".popsection");
extern const char second_begin[], second_end[];
void second_main(void);

static void paging_on(void)
{
    WRITE_CR(4, 0x10);
    WRITE_CR(3, TABLES);
    WRITE_CR(0, READ_CR(0) | 0x80010000);
}

void second_main(void)
{
    uint32_t served = 0;

    paging_on();
    apic(0xf0, 0x1ff);
    for (;;) {
        box.done = served;
        while (box.asked == served)
            asm volatile("pause");
        served = box.asked;
        attempt(&(Attempt){
            .code = box.code, .in.ebx = box.ebx, .in.eax = box.eax, .in.eflags = 0x200 });
        box.vector = out_vector, box.error = out_error, box.eax = out.eax;
        if (out_vector == IPI)
            apic(0xb0, 0);
    }
}

static void start_second(void)
{
    memcpy((void *)START, second_begin, (uint32_t)(second_end - second_begin));
    asm volatile("sgdt 0x8f00; sidt 0x8f08");
    apic(0xf0, 0x1ff);
    apic(0x310, 1u << 24);
    apic(0x300, 0x4500);
    apic(0x300, 0x4600 | START >> 12);
    apic(0x300, 0x4600 | START >> 12);
}

/* ---- Asking it ------------------------------------------------------------------------------- */

static void wait(void)
{
    while (box.done != box.asked)
        asm volatile("pause");
}

static void ask(uint32_t code, uint32_t ebx, uint32_t eax)
{
    box.code = code, box.ebx = ebx, box.eax = eax;
    box.asked++;
}

static char ran(uint32_t code, uint32_t ebx, uint32_t eax, char good)
{
    ask(code, ebx, eax);
    wait();
    return box.vector != ENDED ? '!' : good ? good : (char)box.eax;
}

#define LOOK()   ran(CODE("mov (%%ebx), %%al"), PAGE, 0, 0)
#define STORE(c) ran(CODE("mov %%al, 1(%%ebx)"), PAGE, c, 'w')
#define INVLPG() ran(CODE("invlpg (%%ebx)"), PAGE, 0, 'i')

static void fresh(uint32_t pte)
{
    PT[0] = pte;
    *(volatile uint8_t *)A = 'A';
    *(volatile uint8_t *)B = 'B';
    *(volatile uint8_t *)(A + 1) = *(volatile uint8_t *)(B + 1) = '.';
    INVLPG();
}

/* ---- What it may still know ------------------------------------------------------------------ */

static void changes(void)
{
    char again;

    fresh(0);
    put("from absent: %c", LOOK());
    PT[0] = A | WRITES;
    put("%c\n", LOOK());

    fresh(A | READS);
    put("more rights: %c", LOOK());
    PT[0] = A | WRITES;
    again = STORE('s');
    if (again == '!') /* one fault at the most */
        again = STORE('s');
    put("%c, wrote %c\n", again, *(volatile char *)(A + 1));

    /* The fault of a write forgets what reads knew. */
    fresh(A | READS);
    put("by fault: %c", LOOK());
    PT[0] = B | READS;
    put("%c", STORE('s'));
    put("%c\n", LOOK());

    /* A write that is allowed now is made through what the entry says now, and so are later
     * reads. */
    fresh(A | READS);
    put("more rights, another page: %c", LOOK());
    PT[0] = B | WRITES;
    again = STORE('s');
    if (again == '!')
        again = STORE('s');
    put("%c%c", again, LOOK());
    put(", wrote %c %c\n", *(volatile char *)(A + 1), *(volatile char *)(B + 1));

    fresh(A | WRITES);
    put("the directory's entry, by fault: %c", LOOK());
    PD[PAGE >> 22] = 0;
    put("%c", ran(CODE("mov 0x1000(%%ebx), %%al"), PAGE, 0, 0));
    PD[PAGE >> 22] = (TABLES + 0x1000) | 7;
    INVLPG();
    put("%c\n", LOOK());
}

static void shootdown(void)
{
    fresh(A | WRITES);
    put("shootdown: %c", LOOK());
    ask(CODE("1: mov (%%ebx), %%al; jmp 1b"), PAGE, 0);
    PT[0] = B | WRITES;
    apic(0x310, 1u << 24);
    apic(0x300, 0x4000 | IPI);
    wait();
    put("%s", box.vector == IPI ? "i" : "?");
    INVLPG();
    put("%c\n", LOOK());
}

/* ---- At the same time ------------------------------------------------------------------------ */

static void atomic_bits(void)
{
    uint32_t bits, toggles = 0;

    fresh(A | 7);
    ask(CODE("mov $20000, %%ecx; 1: invlpg (%%ebx); mov %%al, 1(%%ebx); loop 1b"), PAGE, 's');
    for (; toggles < ROUNDS || box.done != box.asked; toggles++)
        asm volatile("lock xorl $0x200, %0" : "+m"(*(uint32_t *)(TABLES + 0x1000)));
    bits = PT[0];
    put("accessed and dirty beside LOCK: %03x\n", ((bits ^ toggles << 9) & 0xe00) | (bits & 0x1ff));

    fresh(A | WRITES);
    *(volatile uint32_t *)(A + 4) = 0;
    ask(CODE("mov $20000, %%ecx; 1: lock incl 4(%%ebx); loop 1b"), PAGE, 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        asm volatile("lock incl %0" : "+m"(*(uint32_t *)(A + 4)));
    wait();
    put("lock inc by two: %d\n", *(volatile uint32_t *)(A + 4));
    PT[1] = B | WRITES;
    *(volatile uint8_t *)(A + 0xffe) = *(volatile uint8_t *)(A + 0xfff) = 0;
    *(volatile uint8_t *)B = *(volatile uint8_t *)(B + 1) = 0;
    ask(CODE("mov $20000, %%ecx; 1: lock incl 0xffe(%%ebx); loop 1b"), PAGE, 0);
    for (unsigned i = 0; i < ROUNDS; i++)
        asm volatile("lock incl %0" : "+m"(*(uint32_t *)(A + 0xffe))); /* B is behind A */
    wait();
    put("across pages: %d\n", *(volatile uint32_t *)(A + 0xffe));
}

static void code(void)
{
    uint8_t *volatile at = (uint8_t *)(A + 0x100);

    fresh(A | WRITES);
    put("code of the other's:");
    for (unsigned i = 0; i < 4; i++) {
        memcpy(at, (const uint8_t[]){ 0xb0, (uint8_t)('0' + i), 0xc3 }, 3); /* mov $i, %al; ret */
        put(" %c", ran(CODE("lea 0x100(%%ebx), %%ecx; call *%%ecx"), PAGE, 0, 0));
    }
    /* It runs there, until the first processor writes something else. */
    memcpy(at, (const uint8_t[]){ 0xeb, 0xfe, 0xc3 }, 3); /* jmp .; ret */
    ask(CODE("lea 0x100(%%ebx), %%ecx; call *%%ecx"), PAGE, '4');
    for (unsigned i = 0; i < 1000; i++)
        asm volatile("pause");
    put(" %s", box.done == box.asked ? "?" : "runs");
    *(volatile uint16_t *)at = 0x9090;
    wait();
    put(" %c\n", (char)box.eax);
}

void bare_main(void)
{
    bare_init();
    for (unsigned i = 0; i < 8; i++)
        PD[i] = i << 22 | 0x87;
    PD[PAGE >> 22] = (TABLES + 0x1000) | 7;
    PD[APIC >> 22] = (APIC & 0xffc00000) | 0x93; /* not cached */
    for (unsigned i = 0; i < 1024; i++)
        PT[i] = 0;
    paging_on();
    start_second();
    box.asked = 1;
    box.code = CODE("nop");
    wait();
    changes();
    shootdown();
    atomic_bits();
    code();
    finish();
}
