/* SPDX-License-Identifier: MIT */
/*
 * The decoder against silicon: random bytes that end where a page without rights begins, cut one
 * byte later each time. The first cut that is no fetch fault beyond tells the exact length, and
 * whether #UD follows tells whether there is such an instruction. Single-stepped, so nothing runs
 * away. LENGTH_CASES=n, LENGTH_SEED=n.
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "target-i386/gen.h"
#include "tcg/ir.h"

enum { MAX_LEN = 15, AT_ONCE = SILICON_BATCH / MAX_LEN, MAX_REPORTS = 20 };

static uint64_t seed = 0x9e3779b97f4a7c15;
static Runner *silicon;
static uint64_t features;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static void random_bytes(uint8_t *b)
{
    static const uint8_t starts[] = { 0x66, 0x67, 0xf2, 0xf3, 0x48, 0x41, 0xf0,
                                      0x2e, 0x0f, 0x0f, 0x0f, 0xc4, 0xc5, 0xc4 };
    for (unsigned n = 0; n < MAX_LEN; n++)
        b[n] = (uint8_t)(rnd() >> 24);
    for (unsigned n = 0; n < 3 && rnd() & 0x100; n++)
        b[n] = starts[(rnd() >> 20) % sizeof(starts)];
    if (!(rnd() & 0x1f00)) /* near the limit of 15 bytes */
        memset(b, 0x66, 8 + (rnd() >> 20) % 7);
}

/* Would leave the sandbox, or ask its kernel. */
static bool is_dangerous(const uint8_t *b)
{
    for (unsigned n = 0; n + 1 < MAX_LEN; n++) {
        if ((b[n] == 0x0f && (b[n + 1] == 0x05 || b[n + 1] == 0x34)) || b[n] == 0xcd)
            return true;
    }
    return false;
}

static void prepare(Slot *slot, Mode mode, const uint8_t *b, unsigned len)
{
    default_case(&slot->todo, &slot->memory, mode, AREA_SIZE - len, b, len);
    slot->todo.in.flags = TF;
    for (unsigned n = 0; n < 8; n++) {
        if (n != 4)
            slot->todo.in.gpr[n] = (mode_is_based(mode) ? 0 : DATA_BASE) + 0x800 + 64 * n;
    }
}

static bool is_fetch_fault(const Slot *s)
{
    return s->result.vector == 14 && (s->result.error & 0x10) &&
           s->result.cr2 == CODE_BASE + AREA_SIZE && s->result.rip == s->todo.in.rip;
}

/* Privilege, CR4, the kernel (UMIP) or the hypervisor make them #UD here. */
static bool may_be_refused(const Insn *i)
{
    GenFn *g = i->desc->gen;
    return (i->desc->attr & A_CPL0) || g == gen_ud || g == gen_rsm || g == gen_monitor ||
           g == gen_mwait || g == gen_stac || g == gen_clac || g == gen_rdpkru || g == gen_wrpkru ||
           g == gen_sysenter || g == gen_rdpid || g == gen_sgdt || g == gen_sidt || g == gen_sldt ||
           g == gen_str || g == gen_smsw ||
           (g == gen_mov_to_sreg && i->op[0].reg == INSN_CS); /* the generator's #UD */
}

/* Near branches with 66 in 64-bit mode: AMD's take it, Intel's and we do not. */
static bool is_known(Mode mode, const Insn *i)
{
    GenFn *g = i->desc->gen;
    if (g == gen_ud) /* the manual's UD1 has a ModRM byte, AMD's has none */
        return true;
    return mode == M64 && i->prefix66 && (g == gen_jcc || g == gen_jmp || g == gen_call);
}

static const struct { /* what is not for guests, so #UD, but may be on the host */
    const char *what;
    bool vex;
    uint8_t map, first, last; /* opcodes */
} unsupported[] = {
    { "SSE4A: MOVNTSS", false, 1, 0x2b, 0x2b },
    { "SSE4A: EXTRQ, INSERTQ", false, 1, 0x78, 0x79 },
    { "SSE4A: its immediates", true, 1, 0x78, 0x79 },
    { "MONITORX, CLZERO, RDPRU", false, 1, 0x01, 0x01 },
    { "AVX-512: opmasks", true, 1, 0x41, 0x4b },
    { "AVX-512: opmasks", true, 1, 0x90, 0x99 },
    { "AVX-512: opmask shifts", true, 3, 0x30, 0x33 },
    { "EVEX", false, 0, 0x62, 0x62 },
    { "XOP", false, 0, 0x8f, 0x8f },
    { "AVX-VNNI", true, 2, 0x50, 0x53 },
};

static bool is_unsupported(const Insn *i)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(unsupported); n++) {
        if (i->vex == unsupported[n].vex && i->map == unsupported[n].map &&
            i->opcode >= unsupported[n].first && i->opcode <= unsupported[n].last)
            return true;
    }
    return false;
}

/* Not #UD on silicon: some processors let LOCK pass, Intel's PREFETCHW of a register. */
static bool is_known_ud(const Insn *i)
{
    bool prefetch = !i->vex && i->map == 1 && i->opcode == 0x0d && host_vendor() == HOST_INTEL;
    return i->lock || is_unsupported(i) || prefetch;
}

/* Intel's processors find that there is no such instruction at another byte than AMD's and ours do:
 * of VEX they look on by the two low bits of its map, or not at all; 3DNow! has no ModRM to them,
 * what AMD's take to have none has one, or more. */
static bool is_open_ud(Mode mode, const uint8_t *b)
{
    static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26,
                                        0x2e, 0x36, 0x3e, 0x64, 0x65 };
    static const uint8_t open[] = {
        0x0f, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x7a, 0x7b, 0xa6, 0xa7
    };
    unsigned at = 0;
    if (host_vendor() != HOST_INTEL)
        return false;
    while (at + 2 < MAX_LEN &&
           (memchr(prefixes, b[at], sizeof(prefixes)) || (mode == M64 && (b[at] & 0xf0) == 0x40)))
        at++;
    if (b[at] == 0xc4 || b[at] == 0xc5)
        return mode == M64 || b[at + 1] >= 0xc0;
    return b[at] == 0x0f && memchr(open, b[at + 1], sizeof(open)) != NULL;
}

static bool report(Mode mode, const uint8_t *b, const char *name, const char *what, unsigned ours,
                   unsigned theirs)
{
    print_message("%s-bit: %s %s: %u here, %u on silicon:", mode_name(mode), name, what, ours,
                  theirs);
    for (unsigned n = 0; n < MAX_LEN; n++)
        print_message(" %02x", b[n]);
    print_message("\n");
    return false;
}

/* @s: the bytes cut to 1 … 15. */
static bool check(Mode mode, const uint8_t *b, const Slot *s)
{
    DecodeMode m = insn_decode_mode(mode);
    Insn i;
    m.features = features;
    DecodeStatus status = decode_insn(&m, b, MAX_LEN, &i);
    unsigned len = 1;
    while (len < MAX_LEN && is_fetch_fault(&s[len - 1]))
        len++;
    bool is_ud = s[MAX_LEN - 1].result.vector == 6;
    if (status == DECODE_OK && is_ud && !may_be_refused(&i))
        return report(mode, b, i.desc->name, "is #UD", 0, 1);
    if (status == DECODE_OK && !is_ud && i.len != len && !is_known(mode, &i))
        return report(mode, b, i.desc->name, "length", i.len, len);
    if (status == DECODE_UD && is_ud && i.len != len && !is_unsupported(&i) &&
        !is_known(mode, &i) && !is_open_ud(mode, b))
        return report(mode, b, "what is #UD", "length", i.len, len);
    bool too_long = s[MAX_LEN - 1].result.vector == 13 && len == MAX_LEN && is_open_ud(mode, b);
    if (status == DECODE_UD && !is_ud && !is_known_ud(&i) && !too_long)
        return report(mode, b, "what is #UD here", "length", 0, len);
    return true;
}

static bool timed_out(const Slot *slots)
{
    for (unsigned n = 0; n < AT_ONCE * MAX_LEN; n++) {
        if (slots[n].result.vector == VECTOR_TIMEOUT)
            return true;
    }
    return false;
}

static void run_mode(Mode mode)
{
    const char *text = g_getenv("LENGTH_CASES");
    unsigned cases = text ? (unsigned)strtoul(text, NULL, 0) : 1000, bad = 0;
    Slot *slots = silicon_slots(silicon);
    uint8_t b[AT_ONCE][MAX_LEN];
    if (!(silicon->modes & mode))
        skip();
    for (unsigned done = 0; done < cases && bad < MAX_REPORTS; done += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++) {
            do {
                random_bytes(b[k]);
            } while (is_dangerous(b[k]));
            for (unsigned n = 1; n <= MAX_LEN; n++)
                prepare(&slots[k * MAX_LEN + n - 1], mode, b[k], n);
        }
        unsigned tries = 0;
        do {
            silicon_run_slots(silicon, AT_ONCE * MAX_LEN);
        } while (timed_out(slots) && ++tries < 3); /* the host was busy, unless it loops */
        for (unsigned k = 0; k < AT_ONCE; k++)
            bad += !check(mode, b[k], &slots[k * MAX_LEN]);
    }
    assert_int_equal(bad, 0);
}

static void test_64(void **state)
{
    run_mode(M64);
}

static void test_32(void **state)
{
    run_mode(M32);
}

static void test_16(void **state)
{
    run_mode(M16P);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_64),
        cmocka_unit_test(test_32),
        cmocka_unit_test(test_16),
    };
    const char *text = g_getenv("LENGTH_SEED");
    if (text)
        seed ^= strtoull(text, NULL, 0) * UINT64_C(0x9e3779b97f4a7c15);
    silicon = silicon_runner();
    if (!silicon) {
        print_message("no silicon to compare with on this host\n");
        return 77;
    }
    features = silicon_features();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
