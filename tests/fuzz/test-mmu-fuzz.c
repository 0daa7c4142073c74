/* SPDX-License-Identifier: MIT */
/*
 * Accesses, most of them by the stack pointer, among changes of what translates them: entries of
 * page tables with every kind of invalidation, address spaces with and without tags, rights (WP,
 * SMAP, AC, keys), privilege, watchpoints; over pages whose neighbours fault, belong to a device,
 * have code or are mapped twice, at the ends of the address spaces; interrupted now and then.
 * Engines compared: engines.h.
 *
 * A program is slots of 32 bytes, executed over and over. What faults is noted by its handler, on a
 * stack of its own, and goes on in the next slot.
 */
#include <string.h>

#include "target-i386/segment.h"
#include "tests/fuzz/engines.h"

#define SLOT       32
#define NO_EXECUTE (1ull << 63)
/* clang-format off */
enum {
    FUNCTIONS_AT = 0x1e000, NFUNCTIONS = 128, /* MOV RAX, value; RET: 16 bytes each */
    LOG_PLACE = 0x5f000,
    LOG_AT = 0x80000,                         /* up to 1 MiB: what handlers note */
    ARENA_AT = 0x200000, ARENA_PAGES = 8,     /* physical */
    VEC_IRQ = 0x40,
    NMI_STACK = 0x2a000,
    PT_A = TABLES_AT + 0x3000, PT_B = 0x110000, ROOT_B = 0x113000,
};
/* clang-format on */

/* Entries of the page table that map the arena, around the end of an address space; for 16-bit
 * stacks around 64 KiB. */
static const uint16_t arena_flat[] = { 506, 507, 508, 509, 510, 511, 0 },
                      arena_16[] = { 13, 14, 15, 0, 13, 14, 15 };
enum { ARENA_ENTRIES = G_N_ELEMENTS(arena_flat) };

typedef struct Program {
    GRand *r;
    System *s;
    uint8_t *at; /* in the slot that is made */
    bool is_long, stack16, tagged, user;
    uint64_t high; /* of the arena's addresses, but for entry 0's */
    const uint16_t *arena;
} Program;

static unsigned below(Program *p, unsigned n)
{
    return (unsigned)g_rand_int_range(p->r, 0, (gint32)n);
}

/* ---- Bytes ----------------------------------------------------------------------------------- */

static void put(Program *p, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        *p->at++ = (uint8_t)(value >> 8 * i);
}

#define CODE(p, s) put_code(p, s, sizeof(s) - 1)
static void put_code(Program *p, const char *code, size_t len)
{
    memcpy(p->at, code, len);
    p->at += len;
}

static void pad_slot(Program *p)
{
    while ((p->at - p->s->ram->host) % SLOT)
        *p->at++ = 0x90;
}

/* MOV of an address or any number to RAX … RDI. */
static void put_mov(Program *p, unsigned reg, uint64_t value)
{
    if (p->is_long)
        put(p, 0x48, 1);
    put(p, 0xb8 + reg, 1);
    put(p, value, p->is_long ? 8 : 4);
}

/* ---- Places ---------------------------------------------------------------------------------- */

static uint64_t page_address(const Program *p, unsigned n)
{
    return p->arena[n] ? p->high | (uint64_t)p->arena[n] << 12 : 0;
}

/* Often where pages meet. */
static uint64_t place(Program *p)
{
    uint64_t page = page_address(p, below(p, ARENA_ENTRIES));

    switch (below(p, 5)) {
    case 0: return page + below(p, 4096);
    case 1: return page + below(p, 64);
    case 2: return page + 4095 - below(p, 64);
    case 3: return page + 8 * below(p, 16);
    default: return page + 4096 - 8 * below(p, 24);
    }
}

static uint64_t page_entry(Program *p)
{
    static const uint8_t rights[] = { 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 3, 3, 5, 1, 0 };
    uint64_t phys = ARENA_AT + (uint64_t)below(p, ARENA_PAGES) * 0x1000;
    uint64_t flags = rights[below(p, sizeof(rights))];

    switch (below(p, 24)) {
    case 0: phys = SYSTEM_SPY | NO_EXECUTE; break; /* each time something else is there */
    case 1: phys = FUNCTIONS_AT; break;
    case 2: phys = 0x600000; break; /* nothing is there */
    }
    if (below(p, 2))
        flags |= 0x60; /* accessed, dirty */
    if (!p->tagged && below(p, 4) == 0)
        flags |= 0x100; /* global */
    if (below(p, 6) == 0)
        flags |= (uint64_t)(1 + below(p, 2)) << 59; /* its key */
    return phys | flags;
}

/* ---- Accesses: any privilege ----------------------------------------------------------------- */

static unsigned data_register(Program *p)
{
    static const uint8_t regs[] = { 0, 1, 2, 5, 6, 7 }; /* not RSP, nor RBX, which is an address */

    return regs[below(p, sizeof(regs))];
}

/* ModRM and what follows: [RSP + disp], now and then [RBX + disp]. */
static void put_operand(Program *p, unsigned reg)
{
    int disp = (int)below(p, 40) * (below(p, 3) ? 8 : 1) - 64;
    bool wide = disp != (int8_t)disp, other = below(p, 6) == 0;

    put(p, (wide ? 0x80 : 0x40) | reg << 3 | (other ? 3 : 4), 1);
    if (!other)
        put(p, 0x24, 1);
    put(p, (uint64_t)disp, wide ? 4 : 1);
}

/* Opcodes with such an operand, and what it needs: a register, an extension of the opcode, an
 * immediate byte. */
/* clang-format off */
static const struct {
    const char *code;
    uint8_t len;
    int8_t ext; /* -1: a register */
    bool imm;
} by_operand[] = {
#define R(code)      { (code), sizeof(code) - 1, -1, false }
#define X(code, ext) { (code), sizeof(code) - 1, (ext), false }
    R("\x89"), R("\x8b"), R("\x89"), R("\x8b"), R("\x66\x89"), R("\x66\x8b"), R("\x88"), R("\x0f\xb6"),
    R("\x0f\x10"), R("\x0f\x11"), R("\x0f\x28"), R("\x0f\x29"), R("\x0f\x16"),  /* MOVUPS, MOVAPS, MOVHPS */
    R("\xf3\x0f\x6f"), R("\x66\x0f\x7f"), R("\x66\x0f\xd6"),
    X("\xdb", 5), X("\xdb", 7), X("\xdd", 0), X("\xdd", 3),                        /* FLD, FSTP */
    R("\x01"), R("\x03"), X("\xff", 0), { "\x80", 1, 6, true }, { "\x83", 1, 7, true },
    R("\xf0\x0f\xc1"), R("\xf0\x0f\xb1"), R("\x87"),                             /* LOCK XADD, CMPXCHG; XCHG */
    X("\xff", 6), X("\x8f", 0), R("\x8d"),                                        /* PUSH, POP; LEA */
    R("\x0f\xa3"), R("\x0f\xab"), X("\x0f\xc7", 1), X("\x0f\x01", 0),             /* BT, BTS; CMPXCHG8B; SGDT */
    X("\x0f\xae", 0), X("\x0f\xae", 1), X("\x0f\xae", 3), X("\x0f\xae", 4),       /* FXSAVE, FXRSTOR, STMXCSR, XSAVE */
    R("\x0f\xc3"), R("\x66\x0f\xe7"), X("\xd9", 7),                              /* MOVNTI, MOVNTDQ; FNSTCW */
    /* from here on AVX, for back ends that have it */
    R("\xc5\xfc\x10"), R("\xc5\xfc\x11"), R("\xc5\xfc\x28"), R("\xc5\xfc\x29"), R("\xc5\xfe\x6f"), R("\xc5\xfe\x7f"),
    R("\xc5\xfc\x11"), R("\xc4\xe2\x7d\x2c"), R("\xc4\xe2\x7d\x2e"), R("\xc4\xe2\x7d\x8c"), /* VMOVUPS, VMASKMOV */
#undef R
#undef X
};
/* clang-format on */
enum { AVX_OPS = 10 };

/* All back ends get the same program. */
static bool host_has_avx(void)
{
    static const char code[] = "\xc5\xfe\x6f\x00"; /* VMOVDQU YMM0, [RAX] */
    static int has = -1;

    if (has < 0) {
        System *s = system_new(NULL, "max");

        has = system_can_run(s, SYS_LONG, code, sizeof(code) - 1);
        system_free(s);
    }
    return has;
}

static void put_by_operand(Program *p)
{
    unsigned i = below(p, G_N_ELEMENTS(by_operand) - (host_has_avx() ? 0 : AVX_OPS));
    unsigned reg = by_operand[i].ext < 0 ? data_register(p) : (unsigned)by_operand[i].ext;
    const char *code = by_operand[i].code;
    bool is_plain = ((uint8_t)code[0] & 0xf0) == 0x80 && (uint8_t)code[0] != 0x8f;

    if (p->is_long && is_plain && below(p, 3))
        put(p, 0x48, 1);
    put_code(p, code, by_operand[i].len);
    put_operand(p, reg);
    if (by_operand[i].imm)
        put(p, below(p, 256), 1);
}

static void put_stack_op(Program *p)
{
    unsigned reg = data_register(p);

    switch (below(p, 16)) {
    case 0: CODE(p, "\x9c"); break;                      /* PUSHF */
    case 1: put(p, 0x6a | below(p, 256) << 8, 2); break; /* PUSH imm8 */
    case 2: put(p, 0x66 | (0x50u + reg) << 8, 2); break;
    case 3: put(p, 0x66 | (0x58u + reg) << 8, 2); break;
    case 4: /* ENTER */
        put(p, 0xc8 | below(p, 64) << 8, 3);
        put(p, below(p, 4), 1);
        break;
    case 5: CODE(p, "\xc9"); break; /* LEAVE */
    case 6:
        if (!p->is_long)
            put(p, 0x60 + below(p, 2), 1); /* PUSHA, POPA */
        break;
    default: put(p, (below(p, 2) ? 0x50 : 0x58) + reg, 1);
    }
}

static void put_call(Program *p)
{
    uint32_t to = FUNCTIONS_AT + 16 * below(p, NFUNCTIONS);
    uint32_t next = (uint32_t)(p->at + 5 - p->s->ram->host);

    put(p, 0xe8, 1);
    put(p, to - next, 4);
}

static void put_accesses(Program *p, unsigned room)
{
    const uint8_t *end = p->at + room - 12;

    while (p->at < end) {
        if (below(p, 2))
            put_stack_op(p);
        else if (below(p, 6))
            put_by_operand(p);
        else
            put_call(p);
    }
}

/* PUSH of a function's new value, where a page maps it. */
static void put_rewrite(Program *p)
{
    uint64_t page = page_address(p, below(p, ARENA_ENTRIES));

    put_mov(p, 4, page + 16 * below(p, NFUNCTIONS) + (p->is_long ? 10 : 9));
    if (p->is_long) {
        put_mov(p, 0, 0x909090c300000000 | g_rand_int(p->r));
        CODE(p, "\x50");
    } else {
        CODE(p, "\x68");
        put(p, g_rand_int(p->r), 4);
    }
}

static void put_string(Program *p)
{
    static const uint8_t ops[] = {
        0xa4, 0xa5, 0xa4, 0xa5, 0xaa, 0xab, 0xa6, 0xa7, 0xac, 0xae, 0x6d
    };

    if (p->is_long)
        put_mov(p, 7, place(p));
    else
        put_mov(p, 6, place(p));
    if (below(p, 2)) {
        CODE(p, "\xb9"); /* MOV ECX, enough for pages */
        put(p, below(p, 3000), 4);
    } else {
        put(p, 0x6a | below(p, 64) << 8 | 0x59 << 16, 3); /* PUSH, POP RCX */
    }
    if (below(p, 4) == 0)
        CODE(p, "\xfd");         /* STD */
    CODE(p, "\x66\xba\x80\x00"); /* MOV DX, port */
    if (p->is_long && below(p, 2))
        put(p, 0x48f3, 2);
    else
        put(p, 0xf3, 1);
    put(p, ops[below(p, sizeof(ops))], 1);
    CODE(p, "\xfc");
}

static void put_user_slot(Program *p)
{
    uint8_t *slot = p->at;

    switch (below(p, 10)) {
    case 0: put_rewrite(p); break;
    case 1: put_string(p); break;
    case 2: put_mov(p, "\x03\x06\x07"[below(p, 3)], place(p)); break; /* RBX, RSI, RDI */
    case 3: CODE(p, "\xdb\xe3"); break;                               /* FNINIT */
    case 4:
    case 5:
    case 6: put_mov(p, 4, place(p)); break;
    }
    put_accesses(p, SLOT - (unsigned)(p->at - slot));
    pad_slot(p);
}

/* ---- Changes: the kernel --------------------------------------------------------------------- */

static void put_store(Program *p, uint64_t at, uint64_t value)
{
    if (p->is_long) {
        put_mov(p, 0, value);
        CODE(p, "\x48\x89\x04\x25"); /* MOV [disp32], RAX */
        put(p, at, 4);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        CODE(p, "\xc7\x05");
        put(p, at + 4 * i, 4);
        put(p, value >> 32 * i, 4);
    }
}

static void put_invlpg(Program *p, uint64_t address)
{
    put_mov(p, 0, address);
    CODE(p, "\x0f\x01\x38");
}

static void put_cr_toggle(Program *p, unsigned cr, unsigned bit)
{
    put(p, 0xc0200f | cr << 19, 3);
    put(p, 0xf8ba0f, 3); /* BTC EAX, bit */
    put(p, bit, 1);
    put(p, 0xc0220f | cr << 19, 3);
}

/* An entry of one of the tables changes, and nobody may know the old one. */
static void put_change(Program *p)
{
    unsigned n = below(p, ARENA_ENTRIES);
    bool other = p->tagged && below(p, 2);

    put_store(p, (other ? PT_B : PT_A) + p->arena[n] * 8u, page_entry(p));
    pad_slot(p);
    if (p->tagged || below(p, 4) == 0) { /* all there is */
        put_cr_toggle(p, 4, 7);
        put_cr_toggle(p, 4, 7);
    } else {
        put_invlpg(p, page_address(p, n));
    }
}

static void put_space(Program *p)
{
    bool other = below(p, 2);

    if (!p->tagged) {
        CODE(p, "\x0f\x20\xd8\x0f\x22\xd8"); /* MOV to CR3 what it is */
        return;
    }
    put_mov(p, 0, (other ? ROOT_B | 2 : TABLES_AT | 1) | (uint64_t)(below(p, 3) > 0) << 63);
    CODE(p, "\x0f\x22\xd8");
}

static void put_keys(Program *p)
{
    CODE(p, "\x31\xc9\x31\xd2\xb8");
    put(p, below(p, 3) ? 0 : below(p, 64), 4);
    CODE(p, "\x0f\x01\xef"); /* WRPKRU */
}

static void put_watch(Program *p)
{
    bool off = below(p, 3);

    if (off) {
        CODE(p, "\x31\xc0");
    } else {
        put_mov(p, 0, place(p) & ~(uint64_t)7);
        CODE(p, "\x0f\x23\xc0"); /* MOV DR0 */
        put_mov(p, 0, below(p, 2) ? 0x000f0701 : 0x000d0701);
    }
    CODE(p, "\x0f\x23\xf8"); /* MOV DR7 */
}

/* IRET to the next slot, with CPL 3. */
static void put_to_user(Program *p)
{
    uint32_t next = (uint32_t)(p->at - p->s->ram->host) / SLOT * SLOT + SLOT;

    if (p->is_long) {
        CODE(p, "\x48\x89\xe0\x6a");
        put(p, SEL_UDATA, 1);
        CODE(p, "\x50\x9c\x6a");
        put(p, SEL_UCODE64, 1);
        CODE(p, "\x68");
        put(p, next, 4);
        CODE(p, "\x48\xcf");
    } else {
        CODE(p, "\x89\xe0\x6a");
        put(p, SEL_UDATA, 1);
        CODE(p, "\x50\x9c\x6a");
        put(p, SEL_UCODE32, 1);
        CODE(p, "\x68");
        put(p, next, 4);
        CODE(p, "\xcf");
    }
}

static void put_kernel_slot(Program *p)
{
    switch (below(p, 18)) {
    case 16: CODE(p, "\xfb\xfa"); break; /* STI; CLI */
    case 17: CODE(p, "\xfa\x90\xfb"); break;
    case 0: put_cr_toggle(p, 0, 16); break; /* WP */
    case 1: put_cr_toggle(p, 4, 21); break; /* SMAP */
    case 2: CODE(p, "\x0f\x01\xca"); break; /* CLAC */
    case 3:
    case 4: CODE(p, "\x0f\x01\xcb"); break; /* STAC */
    case 5: put_keys(p); break;
    case 6: put_watch(p); break;
    case 7: put_cr_toggle(p, 0, 18); break; /* AM */
    case 8:
        put_to_user(p);
        p->user = true;
        break;
    case 9:
    case 10: put_space(p); break;
    case 11: put_invlpg(p, page_address(p, below(p, ARENA_ENTRIES))); break;
    default: put_change(p); break;
    }
    pad_slot(p);
}

static void put_program(Program *p)
{
    uint8_t *begin = p->s->ram->host + KERNEL_CODE;
    unsigned slots = 16 + below(p, 120);

    p->at = begin;
    while (p->at < begin + slots * SLOT) {
        if (p->user && below(p, 6) == 0) {
            put(p, 0xcd | VEC_USER << 8, 2); /* INT: back to the kernel */
            p->user = false;
        } else if (p->user || below(p, 3)) {
            put_user_slot(p);
        } else {
            put_kernel_slot(p);
        }
        pad_slot(p);
    }
    put(p, 0xcd | VEC_USER << 8, 2);
    pad_slot(p);
    CODE(p, "\xe9");
    put(p, (uint64_t)(begin - (p->at + 4)), 4);
}

/* ---- Handlers -------------------------------------------------------------------------------- */

/* 64-bit, on the stack of their own that gates name. */
static void put_handler(Program *p, unsigned vector)
{
    static const uint32_t with_code = 1u << 8 | 0x1fu << 10 | 1u << 17 | 1u << 21;
    static const uint8_t noted[] = { 16, 24, 32, 40, 48 }; /* error code, RIP, CS, flags, RSP */

    if (vector >= 32 || !(with_code >> vector & 1))
        CODE(p, "\x6a\x00");
    CODE(p, "\x50\x53\x48\x8b\x1c\x25"); /* PUSH RAX; PUSH RBX; MOV RBX, [LOG_PLACE] */
    put(p, LOG_PLACE, 4);
    CODE(p, "\xc7\x03");
    put(p, vector, 4);
    CODE(p, "\x0f\x20\xd0\x48\x89\x43\x08"); /* CR2 */
    for (unsigned i = 0; i < sizeof(noted); i++) {
        put(p, 0x24448b48, 4);
        put(p, noted[i], 1);
        put(p, 0x438948 | (0x10 + i * 8) << 24, 4);
    }
    CODE(p, "\x83\xc3\x40\x81\xe3\xff\xff\x0f\x00\x81\xcb"); /* the next place, in a ring */
    put(p, LOG_AT, 4);
    CODE(p, "\x48\x89\x1c\x25");
    put(p, LOG_PLACE, 4);
    if (vector != EXCP_NMI && vector != VEC_IRQ) {
        CODE(p, "\x48\x8b\x44\x24\x18\x48\x83\xc8\x1f\x48\xff\xc0"); /* the next slot */
        CODE(p, "\x48\x89\x44\x24\x18");
    }
    if (vector == VEC_USER) {
        CODE(p, "\xc7\x44\x24\x20");
        put(p, p->is_long ? SEL_CODE64 : SEL_CODE32, 4);
        CODE(p, "\xc7\x44\x24\x38");
        put(p, p->stack16 ? SEL_DATA16 : SEL_DATA, 4);
    }
    CODE(p, "\x5b\x58\x48\x83\xc4\x08\x48\xcf");
}

static void put_handlers(Program *p)
{
    for (unsigned v = 0; v < IDT_VECTORS; v++) {
        uint64_t gate = IDT_AT + 16 * v, at = 0x60000 + 256 * v;

        if (v > 31 && v != VEC_USER && v != VEC_IRQ)
            continue;
        p->at = p->s->ram->host + at;
        put_handler(p, v);
        system_write(p->s, gate, at & 0xffff, 2);
        system_write(p->s, gate + 4, v == EXCP_NMI ? 2 : 1, 1); /* it comes within handlers */
        system_write(p->s, gate + 6, at >> 16, 2);
    }
    system_write(p->s, TSS_AT + 44, NMI_STACK, 8);
    system_write(p->s, LOG_PLACE, LOG_AT, 8);
}

/* ---- Tables ---------------------------------------------------------------------------------- */

/* One page table is at the begin and at the end. No other address has its pages: what is forgotten
 * by INVLPG may be remembered for an alias. */
static void put_tables(Program *p, uint64_t root, uint64_t pdpt, uint64_t pd, uint64_t pt)
{
    const uint64_t at[] = { 0, p->high };

    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        system_write(p->s, root + (at[i] >> 39 & 511) * 8, pdpt | 7, 8);
        system_write(p->s, pdpt + (at[i] >> 30 & 511) * 8, pd | 7, 8);
        system_write(p->s, pd + (at[i] >> 21 & 511) * 8, pt | 7, 8);
    }
    for (uint64_t at = KERNEL_CODE; at <= FUNCTIONS_AT; at += 0x1000) /* code of both */
        system_write(p->s, pt + (at >> 12) * 8, at | 7, 8);
    for (unsigned n = 0; n < ARENA_ENTRIES; n++)
        system_write(p->s, pt + p->arena[n] * 8u, page_entry(p), 8);
}

static void put_pages(Program *p)
{
    memcpy(p->s->ram->host + PT_B, p->s->ram->host + PT_A, 0x1000);
    put_tables(p, TABLES_AT, TABLES_AT + 0x1000, TABLES_AT + 0x2000, PT_A);
    put_tables(p, ROOT_B, ROOT_B + 0x1000, ROOT_B + 0x2000, PT_B);
    for (uint32_t at = 0; at < ARENA_PAGES * 0x1000; at++)
        p->s->ram->host[ARENA_AT + at] = (uint8_t)g_rand_int(p->r);
    for (unsigned i = 0; i < NFUNCTIONS; i++) {
        p->at = p->s->ram->host + FUNCTIONS_AT + 16 * i;
        put(p, p->is_long ? 0xb848 : 0xb890, 2); /* NOP; MOV EAX */
        put(p, g_rand_int(p->r), p->is_long ? 8 : 4);
        put(p, 0xc3, 1);
    }
}

/* ---- Cases ----------------------------------------------------------------------------------- */

static const char *const models[] = { "max", NULL };

static void setup(System *s, GRand *r, uint64_t seed)
{
    static const uint64_t ends[] = { 0, 0x00007fffffe00000, 0xffffffffffe00000, 0xffe00000 };
    Program p = { .r = r, .s = s, .is_long = seed % 3 > 0, .arena = arena_flat };
    CpuX86 *c = s->c;

    host_has_avx();
    p.stack16 = !p.is_long && seed % 2;
    if (p.stack16)
        p.arena = arena_16;
    else
        p.high = ends[p.is_long ? below(&p, 4) : 3 * below(&p, 2)];
    p.tagged = p.is_long && below(&p, 2);
    system_setup(s, p.is_long ? SYS_LONG : SYS_COMPAT, 0);
    put_pages(&p);
    put_handlers(&p);
    put_program(&p);
    if (p.stack16)
        seg_set_desc(c, SEG_SS, SEL_DATA16,
                     (Desc){ (uint32_t)system_read(s, GDT_AT + SEL_DATA16, 4),
                             (uint32_t)system_read(s, GDT_AT + SEL_DATA16 + 4, 4) });
    c->cr4 |= CR4_PKE | CR4_OSXSAVE | (p.tagged ? CR4_PCIDE : 0);
    c->xcr0 = 7;
    c->cr3 = TABLES_AT | p.tagged;
    c->regs[R_RSP] = place(&p);
    c->regs[R_RBX] = place(&p);
    address_space_written(s->machine.memory, 0, SYSTEM_RAM);
    cpu_tlb_set_asid(&c->cpu, p.tagged);
    cpu_tlb_flush_all(&c->cpu);
    c->eflags |= EFL_IF;
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
}

static uint64_t go_on(GRand *r)
{
    return KERNEL_CODE + SLOT * (guint)g_rand_int_range(r, 0, 16);
}

static int64_t tick(System *s, GRand *r)
{
    if (g_rand_int_range(r, 0, 4) == 0) {
        s->bus.raise_nmi(s->bus.opaque, 0);
    } else if (s->irq_vector < 0) {
        s->irq_vector = VEC_IRQ;
        s->bus.set_intr(s->bus.opaque, 0, 1);
    }
    return g_rand_int_range(r, 1, g_rand_int_range(r, 0, 2) ? 200 : 3000);
}

int main(int argc, char **argv)
{
    static const EngineCases cases = {
        .in_suite = 250, .models = models, .turns = 4, .setup = setup, .go_on = go_on, .tick = tick
    };

    return engines_main(argc, argv, &cases);
}
