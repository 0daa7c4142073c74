/* SPDX-License-Identifier: MIT */
/*
 * Bare-metal tests of the system side: a supervisor in flat 32-bit protected mode, ring 0, tries
 * pieces of code with all registers and tables set as a test wants them, and prints what ended
 * each: an exception with its error code and place, or the INT3 that stands behind the code.
 */
#ifndef BARE_H
#define BARE_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

#include <stddef.h>

void *memset(void *to, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void bare_main(void); /* each program's own */

/* ---- Printing ------------------------------------------------------------------------------- */

void put(const char *format, ...); /* %x %d %s %c and %08x style widths */
/* " NAME=VALUE"; an address in this image, where compilers put things, as "code+N" of what was
 * tried or "image". */
void put_value(const char *name, uint32_t v);
extern uint32_t code_now;
void finish(void); /* end the machine */

/* ---- Tables --------------------------------------------------------------------------------- */

/* clang-format off */
enum { /* access byte */
    P = 0x80, S = 0x10, DPL0 = 0, DPL1 = 0x20, DPL2 = 0x40, DPL3 = 0x60,
    RO = 0x11, RW = 0x13, RO_DOWN = 0x15, RW_DOWN = 0x17, XO = 0x19, XR = 0x1b, CXO = 0x1d, CXR = 0x1f,
    TSS16 = 1, LDT = 2, BUSY16 = 3, CALL16 = 4, TASKGATE = 5, INT16 = 6, TRAP16 = 7,
    TSS32 = 9, BUSY32 = 11, CALL32 = 12, INT32 = 14, TRAP32 = 15,
};
/* clang-format on */
enum { G = 8, D = 4, L = 2 }; /* flags nibble */

typedef struct Tss32 {
    uint32_t link, esp0, ss0, esp1, ss1, esp2, ss2, cr3, eip, eflags;
    uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi, es, cs, ss, ds, fs, gs, ldt;
    uint16_t trap, iomap;
    uint8_t io[8192 + 33];
} Tss32;

extern uint64_t gdt[GDT_ENTRIES], ldt[8], idt[256];
extern Tss32 tss, task;

void bare_init(void); /* GDT, IDT, TSS; what each test may change is put back by reset_tables() */
void reset_tables(void);
void set_segment(uint64_t *table, unsigned selector, uint32_t base, uint32_t limit, unsigned access,
                 unsigned flags);
void set_gate(uint64_t *entry, unsigned selector, uint32_t offset, unsigned access,
              unsigned params);
#define SEG(selector, base, limit, access, flags) \
    set_segment(gdt, selector, base, limit, P | (access), flags)
void set_idt(unsigned vector,
             unsigned access); /* its usual handler, by a gate of this access byte */

/* ---- Attempts ------------------------------------------------------------------------------- */

typedef struct Regs { /* trap32.S knows the order */
    uint32_t eax, ebx, ecx, edx, esi, edi, ebp, esp, eip, eflags;
    uint32_t cs, ss, ds, es, fs, gs;
} Regs;

extern Regs out;                       /* how the last attempt ended */
extern uint32_t out_vector, out_error; /* by what */
extern uint32_t out_cr2;
#define ENDED 3 /* the INT3 behind the code */

typedef struct Attempt {
    const char *name;
    uint32_t code;
    unsigned ring;
    bool v86;
    Regs in;          /* what is 0 gets its usual value (segments, esp, eflags) */
    const char *show; /* registers to print: a b c d S(i) D(i) B(p) s(p) f(lags) i(p), segments C T
                         E F G U */
} Attempt;

void attempt(const Attempt *a);  /* run, no line */
void report(const Attempt *a);   /* and print one */
char outcome(uint32_t selector); /* one letter; capital: error code is @selector */

/* The address of @text, followed by INT3. */
#define CODE(text)                                                                           \
    ({                                                                                       \
        uint32_t address;                                                                    \
        asm volatile("movl $770f, %0; jmp 771f; 770: " text "; int3; 771:" : "=r"(address)); \
        address;                                                                             \
    })
#define CODE_16(text) CODE(".code16; " text "; int3; .code32")

#define RUN(text, ...)    attempt(&(Attempt){ .code = CODE(text), __VA_ARGS__ })
#define TRY(n, text, ...) report(&(Attempt){ .name = n, .code = CODE(text), ##__VA_ARGS__ })

extern uint8_t *volatile page0; /* at 0, which compilers had better not know */

/* ---- Instructions --------------------------------------------------------------------------- */

/* clang-format off */
static inline void outb(uint16_t port, uint8_t v) { asm volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
static inline uint8_t inb(uint16_t port) { uint8_t v; asm volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
#define READ_CR(n) ({ uint32_t v_; asm volatile("mov %%cr" #n ", %0" : "=r"(v_)); v_; })
#define WRITE_CR(n, v) asm volatile("mov %0, %%cr" #n : : "r"((uint32_t)(v)) : "memory")
#define READ_DR(n) ({ uint32_t v_; asm volatile("mov %%db" #n ", %0" : "=r"(v_)); v_; })
#define WRITE_DR(n, v) asm volatile("mov %0, %%db" #n : : "r"((uint32_t)(v)) : "memory")
static inline void lldt(uint16_t s) { asm volatile("lldt %0" : : "r"(s)); }
/* clang-format on */

#endif
