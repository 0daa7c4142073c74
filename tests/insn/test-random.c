/* SPDX-License-Identifier: MIT */
/*
 * Random streams of integer instructions: each engine against the host's silicon, or against the
 * first engine where there is none. Encodings are random bytes that the decoder accepts, so a new
 * row of the tables takes part by itself. A stream that differs is cut down to what still differs.
 * INSN_SEED=n and INSN_CASES=n change the budget; INSN_BACKEND=name limits the engines.
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "target-i386/decode.h"
#include "target-i386/gen.h"
#include "tcg/ir.h"

enum { MAX_INSNS = 8, MAX_CODE = MAX_INSNS * 24, CASES = 3000, MAX_REPORTS = 10 };

/* Not in streams: what needs privilege or the machine, what tells of the processor, and what
 * streams cannot contain (control flow is put in on purpose). All of these have rows or guest
 * tests. */
static GenFn *const excluded[] = {
    gen_int,         gen_int3,          gen_into,
    gen_int1,        gen_iret,          gen_jmp_far,
    gen_jmp_far_ind, gen_call_far,      gen_call_far_ind,
    gen_ret_far,     gen_mov_from_sreg, gen_mov_to_sreg,
    gen_push_sreg,   gen_pop_sreg,      gen_lds,
    gen_arpl,        gen_lar,           gen_lsl,
    gen_sldt,        gen_str,           gen_lldt,
    gen_ltr,         gen_verr,          gen_verw,
    gen_sgdt,        gen_sidt,          gen_lgdt,
    gen_lidt,        gen_smsw,          gen_lmsw,
    gen_in,          gen_out,           gen_ins,
    gen_outs,        gen_hlt,           gen_cli,
    gen_sti,         gen_clts,          gen_mov_from_cr,
    gen_mov_to_cr,   gen_mov_from_dr,   gen_mov_to_dr,
    gen_invd,        gen_wbinvd,        gen_invlpg,
    gen_invpcid,     gen_swapgs,        gen_rdtsc,
    gen_rdtscp,      gen_rdpmc,         gen_rdmsr,
    gen_wrmsr,       gen_cpuid,         gen_syscall,
    gen_sysret,      gen_sysenter,      gen_sysexit,
    gen_rsm,         gen_monitor,       gen_mwait,
    gen_xgetbv,      gen_xsetbv,        gen_stac,
    gen_clac,        gen_rdfsbase,      gen_rdgsbase,
    gen_wrfsbase,    gen_wrgsbase,      gen_rdpid,
    gen_pushf,       gen_popf,          gen_fwait,
    gen_fxsave,      gen_fxrstor,       gen_ldmxcsr,
    gen_stmxcsr,     gen_xsave,         gen_xrstor,
    gen_xsaveopt,    gen_xsavec,        gen_xsaves,
    gen_xrstors,     gen_jmp,           gen_jmp_ind,
    gen_call,        gen_call_ind,      gen_ret,
    gen_loop,        gen_jcxz,          gen_jcc,
    gen_ud,          gen_clflush,       gen_prefetch,
    gen_salc,        gen_rdrand,        gen_rdseed,
    gen_clflushopt,  gen_clwb,
};

typedef struct Stream {
    Mode mode;
    unsigned n;
    uint8_t code[MAX_INSNS][24]; /* an instruction, maybe with a guard behind it */
    uint8_t len[MAX_INSNS];
    State in;
    uint64_t data_seed;
} Stream;

static uint64_t seed;
static Runner *runners[16];
static unsigned nrunners;
static GHashTable *met; /* rows that streams have had */

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static unsigned below(unsigned n)
{
    return (unsigned)((rnd() >> 33) % n);
}

static uint64_t interesting(void)
{
    static const uint64_t v[] = { 0,
                                  1,
                                  2,
                                  0x7f,
                                  0x80,
                                  0xff,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  UINT64_MAX,
                                  31,
                                  32,
                                  63,
                                  64 };
    return below(3) ? v[below(G_N_ELEMENTS(v))] : below(2) ? rnd() : rnd() >> below(64);
}

static bool is_excluded(const InsnDesc *d)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(excluded); n++) {
        if (d->gen == excluded[n])
            return true;
    }
    return false;
}

/* ---- Encodings ------------------------------------------------------------------------------ */

static DecodeMode decode_mode(Mode mode)
{
    return (DecodeMode){ .code_size = mode == M64   ? I64
                                      : mode == M32 ? I32
                                                    : I16,
                         .pe = mode != M16,
                         .features = UINT64_MAX };
}

/* A row of the integer tables, not of x87, MMX and SSE: those have their own test. */
static bool is_integer_row(const Insn *i)
{
    for (unsigned n = 0; n < i->nops; n++) {
        if (i->op[n].kind >= OPK_CR || i->op[n].kind == OPK_SEG)
            return false;
    }
    if (i->vex)
        return !(i->desc->attr & A_VEX);
    static const InsnDesc *const maps[4] = { opmap_1byte, opmap_0f, opmap_0f38, opmap_0f3a };
    const InsnDesc *top = &maps[i->map][i->opcode];
    return top->gen || top->group;
}

/* BMI: few opcodes of two maps. */
static unsigned random_vex(Mode mode, uint8_t *b)
{
    static const uint8_t bases[] = { 3, 5, 6, 7 };
    bool last_map = !below(8), wide = mode == M64 && below(2);
    b[0] = 0xc4;
    b[1] = (uint8_t)((mode == M64 ? below(8) : 6 + below(2)) << 5 | (last_map ? 3 : 2));
    if (below(2))
        b[1] |= 0x20;
    b[2] = (uint8_t)((wide ? 0x80 : 0) | (below(6) ? below(16) : 15) << 3 | below(4));
    b[3] = (uint8_t)(0xf0 + (last_map ? 0 : below(8)));
    b[4] = (uint8_t)(below(2) ? 0xc0 | below(64) : 0x40 | below(8) << 3 | bases[below(4)]);
    for (unsigned n = 5; n < 15; n++)
        b[n] = (uint8_t)rnd();
    return 15;
}

static unsigned random_bytes(Mode mode, uint8_t *b)
{
    static const uint8_t bases[] = { 3, 5, 6, 7 }; /* RBX RBP RSI RDI point to data */
    static const uint8_t groups[] = { 0xae, 0xb8, 0xba, 0xbc, 0xbd, 0xc7 };
    unsigned n = 0;
    if (mode != M16 && !below(12))
        return random_vex(mode, b);
    if (!below(4))
        b[n++] = 0x66;
    if (!below(8))
        b[n++] = below(2) ? 0xf3 : 0xf2;
    if (!below(12))
        b[n++] = 0xf0;
    if (!below(40))
        b[n++] = 0x67;
    if (mode == M64 && below(2))
        b[n++] = (uint8_t)(0x40 + below(16));
    unsigned map = below(8);
    if (map >= 4)
        b[n++] = 0x0f;
    if (map == 7)
        b[n++] = 0x38;
    b[n++] = map == 7               ? (uint8_t)(0xf0 + below(8))
             : map == 6 && below(2) ? groups[below(sizeof(groups))]
                                    : (uint8_t)rnd();
    unsigned mod = below(3) ? 3 : below(2) ? 1 : 2;
    unsigned rm = mod == 3 ? below(8) : bases[below(4)];
    b[n++] = (uint8_t)(mod << 6 | below(8) << 3 | rm);
    if (mod == 2) { /* a displacement within the area */
        b[n++] = (uint8_t)rnd();
        b[n++] = (uint8_t)below(8);
        b[n++] = 0;
        b[n++] = 0;
    }
    while (n < 15)
        b[n++] = below(2) ? (uint8_t)rnd() : (uint8_t)below(8);
    return n;
}

/* Outcomes that the manual leaves open and processors differ in; segments that the host has not. */
static bool is_open(const Insn *i)
{
    bool far_shift = (i->desc->gen == gen_shld || i->desc->gen == gen_shrd) && i->osize == I16;
    return far_shift || (i->seg_override && i->seg >= 4);
}

/* One instruction; returns its length and the flags it leaves undefined. */
static unsigned random_insn(Mode mode, uint8_t *b, uint32_t *undef)
{
    DecodeMode m = decode_mode(mode);
    Insn i;
    for (;;) {
        unsigned n = random_bytes(mode, b);
        if (decode_insn(&m, b, n, &i) != DECODE_OK || is_excluded(i.desc) || !is_integer_row(&i) ||
            is_open(&i))
            continue;
        g_hash_table_add(met, (gpointer)i.desc);
        *undef = i.desc->undef;
        return i.len;
    }
}

/* CMP rAX, imm: defines every flag. */
static unsigned put_guard(Mode mode, uint8_t *b)
{
    unsigned len = mode == M16 ? 3 : 5;
    b[0] = 0x3d;
    for (unsigned n = 1; n < len; n++)
        b[n] = (uint8_t)rnd();
    return len;
}

static void random_state(Stream *s)
{
    Case k;
    Memory *mem = g_new(Memory, 1);
    default_case(&k, mem, s->mode, 0, (const uint8_t *)"", 0);
    g_free(mem);
    s->in = k.in;
    unsigned regs = s->mode == M64 ? 16 : 8;
    for (unsigned n = 0; n < regs; n++)
        s->in.gpr[n] = interesting();
    static const uint8_t pointers[] = { 3, 5, 6, 7, 13, 14, 15 };
    for (unsigned n = 0; n < G_N_ELEMENTS(pointers); n++) {
        if (pointers[n] < regs)
            s->in.gpr[pointers[n]] =
                (s->mode == M16 ? 0 : DATA_BASE) + 0x200 + below(AREA_SIZE - 0x500);
    }
    if (below(2))
        s->in.gpr[1] = below(70);
    s->in.gpr[4] = (s->mode == M16 ? 0 : STACK_BASE) + 0x1000 + 8 * below(16);
    if (s->mode != M64) {
        for (unsigned n = 0; n < 8; n++)
            s->in.gpr[n] = (uint32_t)s->in.gpr[n];
    }
    s->in.flags = (uint32_t)rnd() & 0x8d5;
    if (!below(6))
        s->in.flags |= 0x400;
    s->data_seed = rnd() | 1;
}

static void random_stream(Stream *s, Mode mode)
{
    memset(s, 0, sizeof(*s));
    s->mode = mode;
    s->n = 1 + below(MAX_INSNS);
    for (unsigned k = 0; k < s->n; k++) {
        uint8_t *b = s->code[k];
        uint32_t undef;
        unsigned n = 0;
        bool skip = !below(6);
        if (skip)
            n = 2;
        n += random_insn(mode, b + n, &undef);
        if (undef && k + 1 < s->n)
            n += put_guard(mode, b + n);
        if (skip) { /* Jcc over it */
            b[0] = (uint8_t)(0x70 + below(16));
            b[1] = (uint8_t)(n - 2);
        }
        s->len[k] = (uint8_t)n;
    }
    random_state(s);
}

/* ---- Running -------------------------------------------------------------------------------- */

static void prepare(const Stream *s, Case *k, Memory *mem)
{
    uint8_t code[MAX_CODE];
    size_t len = 0;
    for (unsigned n = 0; n < s->n; n++) {
        memcpy(code + len, s->code[n], s->len[n]);
        len += s->len[n];
    }
    default_case(k, mem, s->mode, 0, code, len);
    k->in = s->in;
    uint64_t x = s->data_seed;
    for (unsigned n = 0; n < AREA_SIZE; n += 8) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t noise = x ^ x >> 29, v = x >> 60 ? noise : 0;
        if (s->data_seed & 2) /* long runs of zeros, for comparisons that go on */
            v = x >> 57 ? 0 : noise;
        memcpy(mem->data + n, &v, 8);
    }
}

static uint32_t stream_undefined(const Stream *s)
{
    uint8_t last = s->len[s->n - 1];
    const uint8_t *b = s->code[s->n - 1];
    bool skip = (b[0] & 0xf0) == 0x70 && last > 2 && b[1] == last - 2;
    return undefined_flags(s->mode, b + (skip ? 2 : 0), last - (skip ? 2u : 0));
}

/* Which of its two operands faults first changes with CMPS's surroundings. */
static void forgive_cmps(const Stream *s, const State *want, State *got)
{
    DecodeMode m = decode_mode(s->mode);
    Insn i;
    if (want->vector != 14 || got->vector != 14)
        return;
    for (unsigned n = 0; n < s->n; n++) {
        for (unsigned at = 0; at < s->len[n]; at += i.len) {
            if (decode_insn(&m, s->code[n] + at, s->len[n] - at, &i) != DECODE_OK)
                break;
            if (i.desc->gen == gen_cmps)
                got->cr2 = want->cr2;
        }
    }
}

/* What kernels tell of faults in their own half differs. */
static void forgive_kernel_half(State *want, State *got)
{
    if (want->vector == 14 && got->vector == 14 && want->cr2 >> 47)
        got->error = want->error;
}

/* An access over the end of a segment of 4 GiB: exception or wrap (SDM vol. 3, 5.3). */
static bool is_over_4g(const Stream *s, const State *want, const State *got)
{
    return s->mode == M32 && got->vector == 14 && got->cr2 > 0xfffffff0 &&
           (want->vector == 12 || want->vector == 13);
}

static Runner *reference(Mode mode)
{
    for (unsigned n = 0; n < nrunners; n++) {
        if (runners[n]->modes & mode)
            return runners[n];
    }
    g_assert_not_reached();
}

/* NULL if @r does as the reference does. */
static char *difference(const Stream *s, Runner *r)
{
    static Case k;
    static Memory want_mem, mem;
    State want, got;
    prepare(s, &k, &want_mem);
    mem = want_mem;
    Runner *ref = reference(s->mode);
    ref->run(ref, &k, &want_mem, &want);
    r->run(r, &k, &mem, &got);
    if ((want.vector == VECTOR_TIMEOUT && got.vector == VECTOR_TIMEOUT) ||
        is_over_4g(s, &want, &got))
        return NULL;
    forgive_kernel_half(&want, &got);
    forgive_cmps(s, &want, &got);
    char *d = compare_states(&want, &got, stream_undefined(s));
    return d ? d : compare_memory(&want_mem, &mem);
}

static void print_stream(const Stream *s)
{
    DecodeMode m = decode_mode(s->mode);
    Insn i;
    for (unsigned n = 0; n < s->n; n++) {
        for (unsigned at = 0; at < s->len[n]; at += i.len) {
            if (decode_insn(&m, s->code[n] + at, s->len[n] - at, &i) != DECODE_OK)
                break;
            print_message("   ");
            for (unsigned k = 0; k < i.len; k++)
                print_message(" %02x", s->code[n][at + k]);
            print_message("  %s\n", i.desc->name);
        }
    }
    for (unsigned n = 0; n < 16; n++)
        print_message("%s%s%llx", n % 8 ? " " : "    ", "", (unsigned long long)s->in.gpr[n]);
    print_message(" flags %x\n", s->in.flags);
}

static void report(Stream *s, Runner *r, const char *first)
{
    for (bool shorter = true; shorter && s->n > 1;) {
        shorter = false;
        for (unsigned n = 0; n < s->n && !shorter; n++) {
            Stream t = *s;
            memmove(t.code[n], t.code[n + 1], sizeof(t.code[0]) * (t.n - n - 1));
            memmove(&t.len[n], &t.len[n + 1], t.n - n - 1);
            t.n--;
            g_autofree char *d = difference(&t, r);
            if (d) {
                *s = t;
                shorter = true;
            }
        }
    }
    g_autofree char *d = difference(s, r);
    print_message("%s, %s-bit:%s\n", r->name,
                  s->mode == M64   ? "64"
                  : s->mode == M32 ? "32"
                                   : "16",
                  d ? d : first);
    print_stream(s);
}

/* One REP string instruction: long runs, operands that overlap, pages and areas that end. */
static void string_stream(Stream *s, Mode mode)
{
    static const uint8_t opcodes[] = { 0xa4, 0xa6, 0xaa, 0xac, 0xae };
    memset(s, 0, sizeof(*s));
    s->mode = mode;
    s->n = 1;
    random_state(s);
    uint8_t *b = s->code[0];
    if (!below(3))
        b[s->len[0]++] = 0x66;
    b[s->len[0]++] = below(2) ? 0xf3 : 0xf2;
    if (mode == M64 && !below(3))
        b[s->len[0]++] = 0x48;
    b[s->len[0]++] = opcodes[below(sizeof(opcodes))] | (uint8_t)below(2);
    uint64_t base = mode == M16 ? 0 : DATA_BASE;
    s->in.gpr[1] = below(2) ? below(3000) : below(20);
    s->in.gpr[6] = base + below(AREA_SIZE);
    s->in.gpr[7] = below(2) ? base + below(AREA_SIZE) : s->in.gpr[6] + below(41) - 20;
    s->in.gpr[0] = below(2) ? 0 : rnd();
    s->in.flags = (s->in.flags & ~0x400u) | (below(2) ? 0x400 : 0);
}

static void run_streams(Mode mode, void (*make)(Stream *s, Mode mode))
{
    const char *cases = g_getenv("INSN_CASES");
    unsigned n = cases ? (unsigned)atoi(cases) : CASES, bad = 0;
    for (unsigned k = 0; k < n && bad < MAX_REPORTS; k++) {
        Stream s;
        make(&s, mode);
        for (unsigned r = 0; r < nrunners; r++) {
            if (!(runners[r]->modes & mode) || runners[r] == reference(mode))
                continue;
            g_autofree char *d = difference(&s, runners[r]);
            if (d) {
                report(&s, runners[r], d);
                bad++;
                break;
            }
        }
    }
    assert_int_equal(bad, 0);
}

static void test_streams_64(void **state)
{
    run_streams(M64, random_stream);
}

static void test_streams_16(void **state)
{
    run_streams(M16, random_stream);
}

static void test_streams_32(void **state)
{
    run_streams(M32, random_stream);
}

static void test_strings(void **state)
{
    run_streams(M64, string_stream);
    run_streams(M32, string_stream);
    run_streams(M16, string_stream);
}

/* ---- Coverage: every integer row came up in some stream ---------------------------------------
 */

static unsigned missing;

static void check_row(const InsnDesc *row, const char *where)
{
    static const uint8_t size[] = {
        [GROUP_REG] = 8,    [GROUP_RM] = 8, [GROUP_MOD] = 2,   [GROUP_PREFIX] = 4,
        [GROUP_MODRM] = 64, [GROUP_64] = 2, [GROUP_OSIZE] = 3, [GROUP_REXW] = 2
    };
    if (row->group) {
        for (unsigned n = 0; n < size[row->group]; n++)
            check_row(&row->table[n], where);
    } else if (row->gen && !is_excluded(row) && !g_hash_table_contains(met, row)) {
        print_message("no stream had %s of %s\n", row->name, where);
        missing++;
    }
}

static void test_coverage(void **state)
{
    static const InsnDesc *const maps[] = { opmap_1byte, opmap_0f, opmap_0f38, opmap_0f3a };
    missing = 0;
    for (unsigned m = 0; m < G_N_ELEMENTS(maps); m++) {
        for (unsigned op = 0; op < 256; op++) {
            g_autofree char *where = g_strdup_printf("map %u, opcode %02x", m, op);
            check_row(&maps[m][op], where);
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_64), cmocka_unit_test(test_streams_32),
        cmocka_unit_test(test_streams_16), cmocka_unit_test(test_strings),
        cmocka_unit_test(test_coverage),
    };
    const char *s = g_getenv("INSN_SEED");
    seed = s ? strtoull(s, NULL, 0) : 0x9e3779b97f4a7c15;
    print_message("seed %#llx\n", (unsigned long long)seed);
    met = g_hash_table_new(NULL, NULL);
    nrunners = insn_runners(runners, G_N_ELEMENTS(runners));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
