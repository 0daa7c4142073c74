/* SPDX-License-Identifier: MIT */
/*
 * Long mode for the programs here: the supervisor stays 32-bit code, in compatibility mode, and
 * tries 64-bit code (trap64.S). Low memory is mapped 1:1 for the supervisor and at ALIAS for
 * users. */
#ifndef BARE64_H
#define BARE64_H

#include "bare.h"

#define ALIAS 0x4000000u
#define PAGE  0x8000000u
#define FRAME 0x180000u
#define PML4  ((uint64_t *)TABLES)
#define PDPT  ((uint64_t *)(TABLES + 0x1000))
#define PD    ((uint64_t *)(TABLES + 0x2000))
#define PT    ((uint64_t *)(TABLES + 0x3000))
#define NX    (1ull << 63)

/* clang-format off */
enum { /* selectors: SYSCALL's and SYSRET's, SYSENTER's and SYSEXIT's */
    K64 = SEL_T0, U32 = SEL_T0 + 0x10, UD = SEL_T0 + 0x18, U64 = SEL_T0 + 0x20,
    E64 = SEL_T0 + 0x30, TSS64 = SEL_T0 + 0x60, GATE = SEL_T0 + 0x70, X0 = SEL_T0 + 0x80, X1 = SEL_T0 + 0x90,
};
/* clang-format on */

typedef struct Regs64 { /* trap64.S knows the order */
    uint64_t rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rip, rflags, cs, ss, ds, es, fs, gs;
} Regs64;

typedef struct Attempt64 {
    const char *name;
    uint32_t code; /* begins there unless in.rip says otherwise */
    unsigned ring;
    bool compat;
    Regs64 in;
    const char *show;
} Attempt64;

extern Regs64 regs_out;
extern uint64_t vector64, error64;

typedef struct Tss64 {
    uint32_t reserved0, rsp[6], reserved1[2], ist[14], reserved2[2];
    uint16_t reserved3, iomap;
} __attribute__((packed)) Tss64;

extern Tss64 tss64;
extern uint64_t idt64[512];

static inline void wrmsr(uint32_t msr, uint32_t high, uint32_t low)
{
    asm volatile("wrmsr" : : "c"(msr), "a"(low), "d"(high));
}

void long_mode(void);      /* enter it, from protected mode */
void reset_tables64(void); /* what each test may change, but for paging structures */
void set_gate64(uint64_t *entry, unsigned selector, uint32_t offset, unsigned access, unsigned ist);
void attempt64(const Attempt64 *a);
void report64(const Attempt64 *a);
void put64(const char *name, uint64_t v);

#define CODE_64(text) CODE(".code64; " text "; int3; .code32")
#define TRY64(n, text, ...) \
    report64(&(Attempt64){ .name = n, .code = CODE_64(text), ##__VA_ARGS__ })
#define COMPAT(n, text, ...) \
    report64(&(Attempt64){   \
        .name = "compat: " n, .code = CODE(text), .compat = true, .ring = 3, ##__VA_ARGS__ })
#define HIGH 0x0000800000000000ull /* not canonical */

#endif
