/* SPDX-License-Identifier: MIT */
/*
 * Every x87, MMX and SSE encoding that the tables admit, with random operands, control words, tags
 * and flags: each engine against the host's silicon, or against the first engine where there is
 * none. FP_CASES=n cases per encoding; FP_SEED=n; FP_ONLY=text limits to mnemonics that contain it.
 */
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "insn.h"
#include "target-i386/decode.h"
#include "tcg/ir.h"

enum { MEM_AT = 0x800, MAX_REPORTS = 40 };

static uint64_t seed = 0x243f6a8885a308d3;
static Runner *runners[16];
static uint64_t features = UINT64_MAX; /* of those who take part */
static unsigned nrunners;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

/* ---- Operands: numbers near the corners ------------------------------------------------------ */

static uint64_t random_bits(void)
{
    switch (rnd() % 7) {
    case 0: return 0;
    case 1: return UINT64_MAX;
    case 2: return UINT64_C(1) << rnd() % 64;
    case 3: return UINT64_MAX << rnd() % 64;
    case 4: return rnd() & 0x7f7f7f7f7f7f7f7f;
    default: return rnd();
    }
}

static unsigned random_exponent(unsigned max)
{
    switch (rnd() % 8) {
    case 0: return 0;
    case 1: return max;
    case 2: return 1 + rnd() % 2;
    case 3: return max - 1;
    default: return max / 2 + rnd() % 80 - 40;
    }
}

static uint64_t random_double(void)
{
    return rnd() << 63 | (uint64_t)random_exponent(0x7ff) << 52 | random_bits() >> 12;
}

static uint32_t random_single(void)
{
    return (uint32_t)((rnd() & 1) << 31 | random_exponent(0xff) << 23 | random_bits() >> 41);
}

static uint64_t random_half(void) /* of a vector */
{
    switch (rnd() % 5) {
    case 0: return random_bits();
    case 4: return rnd() & rnd() & 0x0303030303030303; /* few characters, some zero */
    case 1: return random_double();
    default: return random_single() | (uint64_t)random_single() << 32;
    }
}

static void random_st(State *s, unsigned n)
{
    unsigned biased = random_exponent(0x7fff);
    s->st[n].frac = random_bits() >> 1 | (uint64_t)(biased != 0) << 63;
    if (rnd() % 64 == 0)
        s->st[n].frac ^= UINT64_C(1) << 63;
    s->st[n].se = (uint16_t)(rnd() << 15 | biased);
    if (rnd() % 8 == 0) { /* an integer */
        s->st[n].frac = rnd() | UINT64_C(1) << 63;
        s->st[n].se = (uint16_t)(rnd() << 15 | (0x3fff + rnd() % 70));
    }
}

static void random_state(Case *k, Memory *m)
{
    State *s = &k->in;
    bool masked = rnd() % 4;
    for (unsigned n = 0; n < (k->mode == M64 ? 16u : 8u); n++) {
        s->xmm[n][0] = random_half();
        s->xmm[n][1] = random_half();
        if (features >> FEAT_AVX & 1 && rnd() % 4) {
            s->ymmh[n][0] = random_half();
            s->ymmh[n][1] = random_half();
        }
    }
    for (unsigned n = 0; n < 8; n++)
        random_st(s, n);
    s->mxcsr = (uint32_t)((masked ? 0x1f80 : rnd() & 0x1f80) | (rnd() & 0xe040) | (rnd() & 0x3f));
    s->fcw = (uint16_t)((masked ? 0x7f : 0x40 | (rnd() & 0x3f)) | (rnd() & 0xc00) | 0x300);
    if (rnd() % 4 == 0)
        s->fcw = (uint16_t)((s->fcw & ~0x300) | (rnd() & 1) << 9);
    s->fsw = (uint16_t)(rnd() & 0x7f00);
    if (rnd() % 4 == 0)
        s->fsw |= rnd() & 0x3f & s->fcw; /* sticky, not pending */
    s->ftw = (uint8_t)(rnd() % 3 ? rnd() | rnd() | rnd() : rnd() % 2 ? 0xff : rnd());
    s->flags = (uint32_t)(rnd() & (CF | PF | AF | ZF | SF | OF));
    s->gpr[0] = random_bits();
    s->gpr[2] = rnd() % 4 ? (uint64_t)(int64_t)(rnd() % 40) - 20 : rnd(); /* a length */
    if (rnd() % 2)
        s->gpr[0] = rnd() % 20;
    for (unsigned n = 0; n < 4; n++) {
        uint64_t v = random_half();
        if (n == 0 && rnd() % 4 == 0)
            v = rnd() % 2 ? random_single() : random_double();
        memcpy(m->data + MEM_AT + 8 * n, &v, 8);
    }
    if (k->mode == M32) {
        s->gpr[0] = (uint32_t)s->gpr[0];
        s->gpr[2] = (uint32_t)s->gpr[2];
    }
}

/* ---- Encodings ------------------------------------------------------------------------------ */

typedef struct Code {
    uint8_t b[96];
    unsigned len;
    Insn insn;
} Code;

static bool decodes(Code *c, Mode mode)
{
    DecodeMode m = { .code_size = mode == M64 ? I64 : I32, .pe = true, .features = features };
    return decode_insn(&m, c->b, 16, &c->insn) == DECODE_OK;
}

/* @prefix 0: none. @map as Insn has it. A memory operand is [rdi + disp8]; the immediate, if any,
 * is
 * @imm. */
static bool encode(Code *c, Mode mode, unsigned prefix, unsigned opcode, unsigned map,
                   unsigned modrm, unsigned imm)
{
    memset(c, 0, sizeof(*c));
    if (prefix)
        c->b[c->len++] = (uint8_t)prefix;
    if (mode == M64 && map && rnd() % 4 == 0)
        c->b[c->len++] = (uint8_t)(0x40 | (rnd() & (modrm >= 0xc0 ? 0xd : 0xc)));
    if (map)
        c->b[c->len++] = 0x0f;
    if (map > 1)
        c->b[c->len++] = map == 2 ? 0x38 : 0x3a;
    c->b[c->len++] = (uint8_t)opcode;
    if (modrm < 0xc0) {
        modrm = (modrm & 0x38) | 0x47;
        c->b[c->len++] = (uint8_t)modrm;
        c->b[c->len++] = (uint8_t)(rnd() % 8 ? 0 : rnd() % 24);
    } else {
        c->b[c->len++] = (uint8_t)modrm;
    }
    c->b[c->len] = (uint8_t)imm;
    if (!decodes(c, mode))
        return false;
    c->len = c->insn.len;
    return true;
}

/* @prefix 0-3 as VEX.pp has it; @how: bits of W, L, whether vvvv is used. */
static bool encode_vex(Code *c, Mode mode, unsigned prefix, unsigned opcode, unsigned map,
                       unsigned modrm, unsigned imm, unsigned how)
{
    unsigned vvvv = how & 4 ? rnd() & (mode == M64 ? 15 : 7) : 0, rex = 7;
    bool mem = modrm < 0xc0, vsib = false;
    memset(c, 0, sizeof(*c));
    if (mode == M64 && rnd() % 3 == 0)
        rex ^= (unsigned)(rnd() & (mem ? 6 : 7)); /* inverted R X B */
    c->b[c->len++] = 0xc4;
    c->b[c->len++] = (uint8_t)(rex << 5 | map);
    c->b[c->len++] = (uint8_t)((how & 1) << 7 | (~vvvv & 15) << 3 | (how & 2) << 1 | prefix);
    c->b[c->len++] = (uint8_t)opcode;
    if (mem && map == 2 && opcode >= 0x90 && opcode <= 0x93) {
        vsib = true;
        c->b[c->len++] = (uint8_t)((modrm & 0x38) | 0x44);
        c->b[c->len++] = (uint8_t)((rnd() & 0xf8) | 7);
        c->b[c->len++] = (uint8_t)(rnd() % 24);
    } else if (mem) {
        c->b[c->len++] = (uint8_t)((modrm & 0x38) | 0x47);
        c->b[c->len++] = (uint8_t)(rnd() % 8 ? 0 : rnd() % 24);
    } else {
        c->b[c->len++] = (uint8_t)modrm;
    }
    c->b[c->len] = (uint8_t)imm;
    if (!decodes(c, mode) || (c->insn.desc->attr & A_VSIB) != (vsib ? A_VSIB : 0))
        return false;
    c->len = c->insn.len;
    return true;
}

/* Results that processors may choose, and what compares memory images with pointers in them. */
static bool is_left_out(const Insn *i)
{
    static const char *const names[] = { "vldmxcsr", "vrcpps", "vrcpss",  "vrsqrtps", "vrsqrtss",
                                         "rcpps",    "rcpss",  "rsqrtps", "rsqrtss",  "fnstenv",
                                         "fnsave",   "frstor", "fldenv",  "fbld" };
    for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
        if (!strcmp(i->desc->name, names[n]))
            return true;
    }
    return false;
}

/* Where the manual leaves C1 (and C0, C2, C3) to the processor. */
static unsigned undefined_fsw(const Insn *i)
{
    const char *n = i->desc->name;
    if (g_str_has_prefix(n, "fcmov") || !strcmp(n, "fnop") || strstr(n, "comi"))
        return 0x200;
    return 0;
}

/* ---- Running -------------------------------------------------------------------------------- */

static unsigned reports;

static void report(const Code *code, const Case *k, const Memory *m, const char *name,
                   const char *diff)
{
    if (reports++ >= MAX_REPORTS)
        return;
    g_autoptr(GString) s = g_string_new(NULL);
    for (unsigned n = 0; n < code->len; n++)
        g_string_append_printf(s, "%02x ", code->b[n]);
    uint64_t v[2];
    memcpy(v, m->data + MEM_AT, 16);
    print_message("%s %s(%d bit, %s) fcw %x fsw %x ftw %x mxcsr %x mem %#llx %#llx\n"
                  "   st0 %x:%llx st1 %x:%llx:%s\n",
                  code->insn.desc->name, s->str, k->mode == M64 ? 64 : 32, name, k->in.fcw,
                  k->in.fsw, k->in.ftw, k->in.mxcsr, (unsigned long long)v[0],
                  (unsigned long long)v[1], k->in.st[0].se, (unsigned long long)k->in.st[0].frac,
                  k->in.st[1].se, (unsigned long long)k->in.st[1].frac, diff);
}

/* A conversion to an MMX register that raises #XM: processors differ in whether TOP and tags have
 * been touched by then. */
static bool wants_masked(const Insn *i)
{
    return g_str_has_prefix(i->desc->name, "cvt") &&
           (i->op[0].kind == OPK_MMX || i->op[1].kind == OPK_MMX);
}

static void small_indices(State *s, unsigned reg, bool wide)
{
    uint64_t mask = rnd() % 8 ? 0x7f : 0xffff;
    for (unsigned n = 0; n < 4; n++) {
        uint64_t *q = n < 2 ? &s->xmm[reg][n] : &s->ymmh[reg][n - 2];
        *q = wide ? rnd() & mask : (rnd() & mask) | (rnd() & mask) << 32;
        if (rnd() % 8 == 0)
            *q = -*q;
    }
}

static bool is_bytewise_mask(const Insn *i)
{
    const char *name = i->desc->name + (i->desc->name[0] == 'v');
    return !strcmp(name, "maskmovq") || !strcmp(name, "maskmovdqu");
}

static void run_case(const Code *code, Mode mode)
{
    static Memory before, want_mem, mem;
    Case k;
    State want, got;
    default_case(&k, &before, mode, 0, code->b, code->len);
    random_state(&k, &before);
    k.in.gpr[7] = DATA_BASE + MEM_AT;
    /* The end of what is mapped. MASKMOVQ and MASKMOVDQU there: processors differ in what they
     * access, and whether the x87's tags have changed by then. */
    if (rnd() % 8 == 0 && !is_bytewise_mask(&code->insn))
        k.in.gpr[7] = DATA_BASE + AREA_SIZE - rnd() % 72;
    if (code->insn.vex && (code->insn.desc->attr & A_VSIB)) /* indices that stay inside, mostly */
        small_indices(&k.in, code->insn.vindex, code->insn.desc->arg);
    if (wants_masked(&code->insn))
        k.in.mxcsr |= 0x1f80;
    want_mem = before;
    runners[0]->run(runners[0], &k, &want_mem, &want);
    bool failed = false; /* one report tells enough */
    for (unsigned n = 1; n < nrunners && !failed; n++) {
        mem = before;
        runners[n]->run(runners[n], &k, &mem, &got);
        unsigned undef = undefined_fsw(&code->insn);
        got.fsw = (uint16_t)((got.fsw & ~undef) | (want.fsw & undef));
        g_autofree char *state =
            compare_states(&want, &got, undefined_flags(mode, code->b, code->len));
        g_autofree char *memory = compare_memory(&want_mem, &mem);
        failed = state || memory;
        if (failed)
            report(code, &k, &before, runners[n]->name, state ? state : memory);
    }
}

static unsigned cases_per_encoding(unsigned otherwise)
{
    const char *text = g_getenv("FP_CASES");
    return text ? (unsigned)strtoul(text, NULL, 0) : otherwise;
}

static void try_encoding(const Code *code, Mode mode, unsigned cases)
{
    const char *only = g_getenv("FP_ONLY");
    if (is_left_out(&code->insn) || (only && !strstr(code->insn.desc->name, only)))
        return;
    while (cases--)
        run_case(code, mode);
}

static void x87(void **state)
{
    unsigned cases = cases_per_encoding(3);
    Code c;
    reports = 0;
    for (unsigned op = 0xd8; op <= 0xdf; op++) {
        for (unsigned modrm = 0; modrm < 256; modrm += modrm < 0xc0 ? 8 : 1) {
            for (Mode mode = M32; mode <= M64; mode = (Mode)(mode << 1)) {
                if (encode(&c, mode, 0, op, 0, modrm, 0))
                    try_encoding(&c, mode, modrm < 0xc0 ? 4 * cases : cases);
            }
        }
    }
    assert_int_equal(reports, 0);
}

static void sse_map(unsigned map, const InsnDesc *rows)
{
    static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
    unsigned cases = cases_per_encoding(3);
    Code c;
    reports = 0;
    for (unsigned op = 0; op < 256; op++) {
        if (!rows[op].gen && !rows[op].group)
            continue;
        for (unsigned p = 0; p < 4; p++) {
            for (unsigned n = 0; n < 24; n++) {
                unsigned modrm = (unsigned)(n < 16 ? (n & 8) << 3 | (n & 8) << 4 | (n & 7) << 3
                                                   : 0xc0 | (rnd() & 0x3f));
                Mode mode = rnd() & 1 ? M64 : M32;
                if (n < 16)
                    modrm |= modrm >= 0xc0 ? rnd() & 7 : 7;
                if (encode(&c, mode, prefixes[p], op, map, modrm, (unsigned)rnd() & 0xff))
                    try_encoding(&c, mode, cases);
            }
        }
    }
    assert_int_equal(reports, 0);
}

static void sse(void **state)
{
    sse_map(1, opmap_sse_0f);
}

static void sse_0f38(void **state)
{
    sse_map(2, opmap_sse_0f38);
}

static void sse_0f3a(void **state)
{
    sse_map(3, opmap_sse_0f3a);
}

static void vex_map(unsigned map, const InsnDesc *rows)
{
    unsigned cases = cases_per_encoding(2);
    Code c;
    reports = 0;
    if (!(features >> FEAT_AVX & 1)) {
        print_message("skipped: AVX, which the host lacks\n");
        return;
    }
    for (unsigned op = 0; op < 256; op++) {
        for (unsigned n = 0; n < 4 * 8 * 12 && (rows[op].gen || rows[op].group); n++) {
            unsigned how = n >> 2 & 7, modrm = (unsigned)rnd() & 0xff;
            Mode mode = rnd() & 1 ? M64 : M32;
            if (rnd() & 1)
                modrm |= 0xc0;
            if (encode_vex(&c, mode, n & 3, op, map, modrm, (unsigned)rnd() & 0xff, how))
                try_encoding(&c, mode, cases);
        }
    }
    assert_int_equal(reports, 0);
}

static void vex_0f(void **state)
{
    vex_map(1, opmap_vex_0f);
}

static void vex_0f38(void **state)
{
    vex_map(2, opmap_vex_0f38);
}

static void vex_0f3a(void **state)
{
    vex_map(3, opmap_vex_0f3a);
}

/* What our tables refuse raises #UD on silicon too, but for what they do not know at all: opmask
 * registers (AVX-512). */
static bool is_beyond_tables(unsigned map, unsigned opcode)
{
    return map == 1 ? (opcode >= 0x41 && opcode <= 0x4b) || (opcode >= 0x90 && opcode <= 0x99)
                    : map == 3 && opcode >= 0x30 && opcode <= 0x33;
}

typedef struct Illegal {
    Code code;
    Mode mode;
} Illegal;

static void run_illegal(const Illegal *list, unsigned n)
{
    Slot *slots = silicon_slots(runners[0]);
    for (unsigned i = 0; i < n; i++) {
        Slot *s = &slots[i];
        default_case(&s->todo, &s->memory, list[i].mode, 0, list[i].code.b, list[i].code.len);
        s->todo.in.gpr[7] = DATA_BASE + MEM_AT;
    }
    silicon_run_slots(runners[0], n);
    for (unsigned i = 0; i < n; i++) {
        const uint8_t *b = list[i].code.b;
        if (slots[i].result.vector != 6 && reports++ < MAX_REPORTS)
            print_message("%02x %02x %02x %02x %02x %02x (%d bit): vector %u, expected 6\n", b[0],
                          b[1], b[2], b[3], b[4], b[5], list[i].mode == M64 ? 64 : 32,
                          slots[i].result.vector);
    }
}

static void vex_illegal(void **state)
{
    static Illegal list[SILICON_BATCH];
    unsigned n = 0;
    reports = 0;
    if (!(features >> FEAT_AVX & 1) || !runners[0]->is_silicon) {
        print_message("skipped: AVX, which the host lacks\n");
        return;
    }
    for (unsigned i = 0; i < 3 * 256 * 4 * 4 * 2 * 2; i++) {
        unsigned op = i & 255, w_l = i >> 8 & 3, pp = i >> 10 & 3, reg = i >> 12 & 1;
        unsigned uses_vvvv = i >> 13 & 1, map = 1 + (i >> 14), rex = rnd() % 4 ? 7 : rnd() & 7;
        unsigned vvvv = uses_vvvv ? 1 + rnd() % 15 : 0, modrm = (unsigned)rnd() & 0x3f;
        Illegal *x = &list[n];
        x->mode = rnd() & 1 ? M64 : M32;
        if (x->mode == M32)
            rex |= 6; /* or it would be LES */
        modrm = reg ? modrm | 0xc0 : (modrm & 0x38) | 7;
        memset(&x->code, 0, sizeof(x->code));
        x->code.len = 6;
        memcpy(x->code.b,
               (uint8_t[]){ 0xc4, (uint8_t)(rex << 5 | map),
                            (uint8_t)((w_l & 1) << 7 | (~vvvv & 15) << 3 | (w_l & 2) << 1 | pp),
                            (uint8_t)op, (uint8_t)modrm, 0 },
               6);
        DecodeMode m = insn_decode_mode(x->mode);
        m.features = features;
        Insn insn;
        if (is_beyond_tables(map, op) || decode_insn(&m, x->code.b, 15, &insn) != DECODE_UD)
            continue;
        if (++n == SILICON_BATCH) {
            run_illegal(list, n);
            n = 0;
        }
    }
    run_illegal(list, n);
    assert_int_equal(reports, 0);
}

/* ---- Images of the whole state in memory ----------------------------------------------------- */

typedef struct Image {
    const char *name, *code; /* operand [rdi] */
    uint8_t len, modes;
    bool pointers; /* has some where processors differ: AMD's leave them out of FXSAVE */
} Image;

static const Image images[] = {
    { "fnstenv", CODE("\xd9\x37"), M32 | M64, false },
    { "fnstenv16", CODE("\x66\xd9\x37"), M32 | M64, false },
    { "fldenv", CODE("\xd9\x27"), M32 | M64, false },
    { "fldenv16", CODE("\x66\xd9\x27"), M32 | M64, false },
    { "fldenv, fnstenv", CODE("\xd9\x27\xd9\x37"), M32 | M64, false },
    { "fnsave", CODE("\xdd\x37"), M32 | M64, false },
    { "fnsave16", CODE("\x66\xdd\x37"), M32 | M64, false },
    { "frstor", CODE("\xdd\x27"), M32 | M64, false },
    { "frstor16", CODE("\x66\xdd\x27"), M32 | M64, false },
    { "fxsave", CODE("\x0f\xae\x07"), M32 | M64, true },
    { "fxsave64", CODE("\x48\x0f\xae\x07"), M64, true },
    { "fxrstor", CODE("\x0f\xae\x0f"), M32 | M64, false },
    { "fxrstor64", CODE("\x48\x0f\xae\x0f"), M64, false },
    { "xsave", CODE("\x0f\xae\x27"), M32 | M64, true },
    { "xrstor", CODE("\x0f\xae\x2f"), M32 | M64, false },
    { "xsaveopt", CODE("\x0f\xae\x37"), M32 | M64, true },
    { "xsavec", CODE("\x0f\xc7\x27"), M32 | M64, true },
    { "xsave64", CODE("\x48\x0f\xae\x27"), M64, true },
    { "xrstor64", CODE("\x48\x0f\xae\x2f"), M64, false },
    { "xsavec64", CODE("\x48\x0f\xc7\x27"), M64, true },
    { "xsaveopt64", CODE("\x48\x0f\xae\x37"), M64, true },
    /* lea ecx, [rdx + 1]; xgetbv; and eax, 7; xor edx, edx */
    { "xgetbv(1)", CODE("\x8d\x4a\x01\x0f\x01\xd0\x83\xe0\x07\x31\xd2"), M32 | M64, false },
    { "vzeroupper, xgetbv(1)", CODE("\xc5\xf8\x77\x8d\x4a\x01\x0f\x01\xd0\x83\xe0\x07\x31\xd2"),
      M64, false },
    { "vzeroall, xgetbv(1)", CODE("\xc5\xfc\x77\x8d\x4a\x01\x0f\x01\xd0\x83\xe0\x07\x31\xd2"), M64,
      false },
    { "fninit, xgetbv(1)", CODE("\xdb\xe3\x8d\x4a\x01\x0f\x01\xd0\x83\xe0\x07\x31\xd2"), M32 | M64,
      false },
    { "xsavec, xrstor", CODE("\x0f\xc7\x27\x0f\xae\x2f"), M32 | M64, true },
    /* In 32-bit code whether zeros are "in use" may depend on what the host's kernel did between.
     */
    { "vzeroupper, xsave", CODE("\xc5\xf8\x77\x0f\xae\x27"), M64, true },
    { "xsave, vzeroall, xrstor", CODE("\x0f\xae\x27\xc5\xfc\x77\x0f\xae\x2f"), M32 | M64, true },
    { "faddp, fnstenv", CODE("\xde\xc1\xd9\x37"), M32 | M64, false },
    { "fld m32, fnstenv", CODE("\xd9\x07\xd9\x37"), M32 | M64, false },
    { "fxsave, fninit, fxrstor", CODE("\x0f\xae\x07\xdb\xe3\x0f\xae\x0f"), M32 | M64, true },
};

/* Plausible contents: control words with their reserved bits, an XSAVE header. */
static void random_image(Memory *m)
{
    uint8_t *b = m->data + MEM_AT;
    uint64_t header[8] = { rnd() & 7 };
    for (unsigned n = 0; n < 512; n += 8) {
        uint64_t v = random_half();
        memcpy(b + n, &v, 8);
    }
    if (rnd() % 2) {
        uint16_t fcw = (uint16_t)(rnd() | 0x3f);
        memcpy(b, &fcw, 2);
    }
    memset(b + 26, 0, 2);
    if (rnd() % 16 == 0)
        b[26] = 1; /* a reserved bit of MXCSR */
    if (rnd() % 2) /* compacted */
        header[1] = UINT64_C(1) << 63 | (rnd() % 4 ? header[0] : 0) | (rnd() & 7);
    if (rnd() % 16 == 0)
        header[0] |= UINT64_C(1) << 63;
    if (rnd() % 16 == 0)
        header[rnd() % 8] |= UINT64_C(1) << 40;
    memcpy(b + 512, header, sizeof(header));
    for (unsigned n = 576; n < 832; n += 8) {
        uint64_t v = random_half();
        memcpy(b + n, &v, 8);
    }
}

/* … and MXCSR_MASK, which has a bit more on AMD's. */
static void forget_pointers(Memory *m)
{
    memset(m->data + MEM_AT + 6, 0, 18);
    memset(m->data + MEM_AT + 28, 0, 4);
}

static void run_image(const Image *im, Mode mode)
{
    static Memory before, want_mem, mem;
    Case k;
    State want, got;
    default_case(&k, &before, mode, 0, (const uint8_t *)im->code, im->len);
    random_state(&k, &before);
    random_image(&before);
    k.in.gpr[7] = DATA_BASE + MEM_AT;
    k.in.gpr[0] = rnd() & 7; /* XSAVE's components */
    k.in.gpr[2] = 0;
    want_mem = before;
    runners[0]->run(runners[0], &k, &want_mem, &want);
    if (im->pointers)
        forget_pointers(&want_mem);
    for (unsigned n = 1; n < nrunners; n++) {
        mem = before;
        runners[n]->run(runners[n], &k, &mem, &got);
        if (im->pointers)
            forget_pointers(&mem);
        g_autofree char *state = compare_states(&want, &got, 0);
        g_autofree char *memory = compare_memory(&want_mem, &mem);
        if (!state && !memory)
            continue;
        if (reports++ < MAX_REPORTS)
            print_message("%s (%d bit, %s) ftw %x fsw %x fcw %x:%s%s\n", im->name,
                          mode == M64 ? 64 : 32, runners[n]->name, k.in.ftw, k.in.fsw, k.in.fcw,
                          state ? state : "", memory ? memory : "");
    }
}

static void images_in_memory(void **state)
{
    unsigned cases = cases_per_encoding(3) * 5;
    reports = 0;
    while (cases--) {
        for (unsigned n = 0; n < G_N_ELEMENTS(images); n++) {
            for (Mode mode = M32; mode <= M64; mode = (Mode)(mode << 1)) {
                if (images[n].modes & mode)
                    run_image(&images[n], mode);
            }
        }
    }
    assert_int_equal(reports, 0);
}

/* ---- Streams: what a block knows of TOP and tags from one instruction to the next -------------
 */

/* RDI is the address of memory operands, RSP had better stay. */
static bool writes_address(const Insn *i)
{
    return i->op[0].kind == OPK_GPR && (i->op[0].reg == 7 || i->op[0].reg == 4);
}

static void append_random(Code *all, Mode mode)
{
    static const uint8_t prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
    Code c;
    do {
        unsigned modrm = (unsigned)rnd() & 0xff;
        if (rnd() % 3 == 0)
            encode_vex(&c, mode, rnd() % 4, (unsigned)rnd() & 0xff, 1 + rnd() % 3, modrm,
                       (unsigned)rnd(), (unsigned)rnd() & 7);
        else if (rnd() % 4)
            encode(&c, mode, 0, 0xd8 + rnd() % 8, 0, modrm, 0);
        else
            encode(&c, mode, prefixes[rnd() % 4], (unsigned)rnd() & 0xff, 1 + rnd() % 3, modrm,
                   (unsigned)rnd());
    } while (!c.insn.desc || !c.insn.desc->gen || !decodes(&c, mode) || is_left_out(&c.insn) ||
             undefined_fsw(&c.insn) || (c.insn.map == 0 && c.b[0] < 0xd8) ||
             !(c.insn.desc->attr & (A_FPU | A_MMX | A_SSE | A_VEX)) ||
             (c.insn.desc->attr & A_VSIB) || wants_masked(&c.insn) || writes_address(&c.insn));
    memcpy(all->b + all->len, c.b, c.len);
    all->len += c.len;
    all->insn = c.insn;
}

static void streams(void **state)
{
    unsigned cases = cases_per_encoding(3) * 300;
    reports = 0;
    while (cases--) {
        Mode mode = rnd() & 1 ? M64 : M32;
        Code all = { .len = 0 };
        unsigned n = 2 + rnd() % 6;
        while (n--)
            append_random(&all, mode);
        run_case(&all, mode);
    }
    assert_int_equal(reports, 0);
}

/* What silicon has not is left out, and said so. */
static void tell_skipped(void)
{
    static const struct {
        InsnFeature feature;
        const char *name;
    } families[] = {
        { FEAT_SSE3, "SSE3" },    { FEAT_SSSE3, "SSSE3" }, { FEAT_SSE41, "SSE4.1" },
        { FEAT_SSE42, "SSE4.2" }, { FEAT_AES, "AES" },     { FEAT_PCLMUL, "PCLMULQDQ" },
        { FEAT_SHA, "SHA" },      { FEAT_AVX2, "AVX2" },   { FEAT_FMA, "FMA" },
        { FEAT_F16C, "F16C" },    { FEAT_VAES, "VAES" },   { FEAT_VPCLMUL, "VPCLMULQDQ" },
        { FEAT_GFNI, "GFNI" },
    };
    features = silicon_features();
    for (unsigned n = 0; n < G_N_ELEMENTS(families); n++) {
        if (!(features >> families[n].feature & 1))
            print_message("skipped: %s, which the host lacks\n", families[n].name);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(x87),
                                               cmocka_unit_test(sse),
                                               cmocka_unit_test(sse_0f38),
                                               cmocka_unit_test(sse_0f3a),
                                               cmocka_unit_test(vex_0f),
                                               cmocka_unit_test(vex_0f38),
                                               cmocka_unit_test(vex_0f3a),
                                               cmocka_unit_test(vex_illegal),
                                               cmocka_unit_test(images_in_memory),
                                               cmocka_unit_test(streams) };
    const char *text = g_getenv("FP_SEED");
    if (text)
        seed ^= strtoull(text, NULL, 0) * UINT64_C(0x9e3779b97f4a7c15);
    nrunners = insn_runners(runners, G_N_ELEMENTS(runners));
    if (runners[0]->is_silicon)
        tell_skipped();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
