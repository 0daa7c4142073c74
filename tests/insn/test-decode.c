/* SPDX-License-Identifier: MIT */
/*
 * The decoder alone: lengths against capstone over random bytes, in all three code sizes; every
 * prefix of an instruction asks for more bytes; LOCK, features and modes make rows #UD.
 */
#include "insn.h"

#include <capstone/capstone.h>
#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "target-i386/decode.h"
#include "target-i386/gen.h"
#include "tcg/ir.h"

enum { CASES = 60000 };

static uint64_t seed = 0x2545f4914f6cdd1d;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * UINT64_C(0x2545f4914f6cdd1d);
}

static const struct {
    IrType size;
    cs_mode mode;
    const char *name;
} sizes[] = { { I16, CS_MODE_16, "16" }, { I32, CS_MODE_32, "32" }, { I64, CS_MODE_64, "64" } };

static DecodeMode mode_of(unsigned s)
{
    return (DecodeMode){ .code_size = sizes[s].size, .pe = true, .features = UINT64_MAX };
}

static void random_bytes(uint8_t *b)
{
    static const uint8_t starts[] = { 0x66, 0x67, 0xf2, 0xf3, 0x48, 0x41, 0x0f, 0x0f, 0x0f };
    for (unsigned n = 0; n < 16; n++)
        b[n] = (uint8_t)(rnd() >> 24);
    if (rnd() & 0x100)
        b[0] = starts[(rnd() >> 20) % sizeof(starts)];
    if (rnd() & 0x300)
        b[1] = starts[(rnd() >> 20) % sizeof(starts)];
}

/* Where capstone 4 is known to differ: near branches with 66 in 64-bit mode (it follows AMD, we
 * Intel) and with 67 (it takes that for 66); PUSH and RET with an immediate and 66 behind other
 * prefixes; UD0 and UD1, whose ModRM byte it leaves out. */
static bool is_known(const Insn *i)
{
    GenFn *g = i->desc->gen;
    bool branch = g == gen_jcc || g == gen_jmp || g == gen_call;
    bool sized = branch || g == gen_push || g == gen_ret;
    return (sized && (i->prefix66 || i->prefix67)) || g == gen_ud;
}

static unsigned compare_lengths(unsigned s, csh cs)
{
    DecodeMode m = mode_of(s);
    unsigned bad = 0, both = 0;
    for (unsigned n = 0; n < CASES && bad < 20; n++) {
        uint8_t b[16];
        Insn i;
        cs_insn *c;
        random_bytes(b);
        if (decode_insn(&m, b, 15, &i) != DECODE_OK)
            continue;
        if (cs_disasm(cs, b, 15, 0, 1, &c) != 1)
            continue; /* some that processors have, capstone has not */
        both++;
        if (c->size != i.len && !is_known(&i)) {
            print_message("%s-bit: %s has %u bytes, capstone: %s %s, %u:", sizes[s].name,
                          i.desc->name, i.len, c->mnemonic, c->op_str, c->size);
            for (unsigned k = 0; k < 15; k++)
                print_message(" %02x", b[k]);
            print_message("\n");
            bad++;
        }
        cs_free(c, 1);
    }
    assert_true(both > CASES / 4);
    return bad;
}

static void test_lengths(void **state)
{
    unsigned bad = 0;
    for (unsigned s = 0; s < G_N_ELEMENTS(sizes); s++) {
        csh cs;
        assert_int_equal(cs_open(CS_ARCH_X86, sizes[s].mode, &cs), CS_ERR_OK);
        bad += compare_lengths(s, cs);
        cs_close(&cs);
    }
    assert_int_equal(bad, 0);
}

/* Cut short anywhere, the decoder asks for more and never reads beyond. */
static void test_truncation(void **state)
{
    for (unsigned n = 0; n < CASES / 4; n++) {
        DecodeMode m = mode_of(n % 3);
        uint8_t b[16];
        Insn i, j;
        random_bytes(b);
        if (decode_insn(&m, b, 15, &i) != DECODE_OK)
            continue;
        for (unsigned len = 0; len < i.len; len++) {
            g_autofree uint8_t *cut = g_memdup2(b, len ? len : 1);
            assert_int_equal(decode_insn(&m, cut, len, &j), DECODE_MORE);
        }
        assert_int_equal(decode_insn(&m, b, i.len, &j), DECODE_OK);
        assert_int_equal(j.len, i.len);
    }
}

static DecodeStatus decode_text(const char *bytes, size_t len, IrType size, bool pe,
                                uint64_t features)
{
    DecodeMode m = { .code_size = (uint8_t)size, .pe = pe, .features = features };
    Insn i;
    return decode_insn(&m, (const uint8_t *)bytes, (uint32_t)len, &i);
}
#define DECODE(s, size, pe, features) decode_text(s, sizeof(s) - 1, size, pe, features)

static void test_admission(void **state)
{
    uint64_t all = UINT64_MAX;
    assert_int_equal(DECODE("\xf0\x01\x03", I64, true, all), DECODE_OK); /* lock add [rbx], eax */
    assert_int_equal(DECODE("\xf0\x01\xc3", I64, true, all), DECODE_UD); /* … ebx */
    assert_int_equal(DECODE("\xf0\x89\x03", I64, true, all), DECODE_UD); /* lock mov */
    assert_int_equal(DECODE("\x27", I64, true, all), DECODE_UD);         /* daa */
    assert_int_equal(DECODE("\x27", I32, true, all), DECODE_OK);
    assert_int_equal(DECODE("\x0f\x01\xf8", I32, true, all), DECODE_UD);  /* swapgs */
    assert_int_equal(DECODE("\x0f\x00\xd8", I16, false, all), DECODE_UD); /* ltr, real mode */
    assert_int_equal(DECODE("\x0f\x00\xd8", I16, true, all), DECODE_OK);
    assert_int_equal(DECODE("\xc4\xe2\x78\xf2\xc1", I64, true, all), DECODE_OK);  /* andn */
    assert_int_equal(DECODE("\xc4\xe2\x7c\xf2\xc1", I64, true, all), DECODE_UD);  /* VEX.L */
    assert_int_equal(DECODE("\xc4\xe2\x78\xf2\xc1", I16, false, all), DECODE_UD); /* real mode */
    assert_int_equal(DECODE("\x66\xc4\xe2\x78\xf2\xc1", I64, true, all), DECODE_UD);
    assert_int_equal(DECODE("\x48\xc4\xe2\x78\xf2\xc1", I64, true, all), DECODE_UD);
    assert_int_equal(DECODE("\xc4\xe3\x73\xf0\xc1\x01", I64, true, all), DECODE_UD); /* vvvv */
    assert_int_equal(DECODE("\xc5\x01", I32, true, all), DECODE_OK);                 /* lds */
    assert_int_equal(DECODE("\xc5\x01", I64, true, all), DECODE_MORE);
    uint64_t no_cmov = all & ~(UINT64_C(1) << FEAT_CMOV);
    assert_int_equal(DECODE("\x0f\x44\xc3", I32, true, no_cmov), DECODE_UD);
    assert_int_equal(DECODE("\x0f\x44\xc3", I32, true, all), DECODE_OK);
    /* Without BMI1 the prefix of TZCNT means nothing. */
    uint64_t no_bmi = all & ~(UINT64_C(1) << FEAT_BMI1);
    assert_int_equal(DECODE("\xf3\x0f\xbc\xc3", I32, true, no_bmi), DECODE_OK);
    assert_int_equal(
        DECODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", I64, true, all),
        DECODE_OK); /* 15 bytes */
    assert_int_equal(
        DECODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90", I64, true, all),
        DECODE_TOO_LONG);
    /* No such opcode, but its ModRM, displacement and immediate are fetched before that is
     * known. */
#define TWELVE "\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e\x2e"
    assert_int_equal(DECODE(TWELVE "\x0f\x04", I64, true, all), DECODE_UD);
    assert_int_equal(DECODE(TWELVE "\x2e\x0f\x04\xc0", I64, true, all), DECODE_UD);
    assert_int_equal(DECODE(TWELVE "\x0f\x38\x0c\xc0", I64, true, all), DECODE_TOO_LONG);
    assert_int_equal(DECODE("\x0f\x38\x0c\x05\1\2\3", I64, true, all), DECODE_MORE);
    assert_int_equal(DECODE("\x0f\x38\x0c\x05\1\2\3\4", I64, true, all), DECODE_UD);
    assert_int_equal(DECODE("\x0f\x3a\x00\xc0", I64, true, all), DECODE_MORE);
    assert_int_equal(DECODE("\xc5\xf8\x80\1\2\3", I64, true, all), DECODE_MORE);
    assert_int_equal(DECODE("\x48\xc5\x80\1\2\3\4", I64, true, all), DECODE_UD);
#undef TWELVE
}

/* Each instruction with its feature alone is none without it. */
static void test_features(void **state)
{
    static const struct {
        const char *bytes;
        unsigned len;
        InsnFeature feature;
    } rows[] = {
#define NEEDS(s, f) { s, sizeof(s) - 1, FEAT_##f }
        NEEDS("\xf2\x0f\x12\xc1", SSE3),
        NEEDS("\xf2\x0f\xf0\x03", SSE3),
        NEEDS("\x66\x0f\x7c\xc1", SSE3),
        NEEDS("\xdb\x0b", SSE3),
        NEEDS("\x0f\x38\x00\xc1", SSSE3),
        NEEDS("\x66\x0f\x38\x00\xc1", SSSE3),
        NEEDS("\x66\x0f\x3a\x0f\xc1\x01", SSSE3),
        NEEDS("\x66\x0f\x38\x17\xc1", SSE41),
        NEEDS("\x66\x0f\x3a\x08\xc1\x01", SSE41),
        NEEDS("\x66\x0f\x3a\x14\xc1\x01", SSE41),
        NEEDS("\x66\x0f\x38\x37\xc1", SSE42),
        NEEDS("\x66\x0f\x3a\x63\xc1\x01", SSE42),
        NEEDS("\xf2\x0f\x38\xf1\xc1", SSE42),
        NEEDS("\xf3\x0f\xb8\xc1", POPCNT),
        NEEDS("\x0f\x38\xf0\x03", MOVBE),
        NEEDS("\x66\x0f\x38\xf6\xc1", ADX),
        NEEDS("\x66\x0f\x38\xdc\xc1", AES),
        NEEDS("\x66\x0f\x3a\xdf\xc1\x01", AES),
        NEEDS("\x66\x0f\x3a\x44\xc1\x01", PCLMUL),
        NEEDS("\x0f\x38\xcb\xc1", SHA),
        NEEDS("\x0f\x3a\xcc\xc1\x01", SHA),
        NEEDS("\x0f\xc7\xf1", RDRAND),
        NEEDS("\x0f\xc7\xf9", RDSEED),
        NEEDS("\xf3\x0f\xc7\xf9", RDPID),
        NEEDS("\x66\x0f\xae\x3b", CLFLUSHOPT),
        NEEDS("\x66\x0f\xae\x33", CLWB),
#undef NEEDS
    };
    for (unsigned n = 0; n < G_N_ELEMENTS(rows); n++) {
        uint64_t bit = UINT64_C(1) << rows[n].feature;
        assert_int_equal(decode_text(rows[n].bytes, rows[n].len, I64, true, bit), DECODE_OK);
        assert_int_equal(decode_text(rows[n].bytes, rows[n].len, I64, true, ~bit), DECODE_UD);
        assert_int_equal(decode_text(rows[n].bytes, rows[n].len, I32, false, bit), DECODE_OK);
    }
}

/* InsnDesc.modrm says what the operands say. */
static void check_rows(const InsnDesc *rows, unsigned n)
{
    static const uint8_t size[] = {
        [GROUP_REG] = 8,    [GROUP_RM] = 8,   [GROUP_MOD] = 2,   [GROUP_PREFIX] = 4,
        [GROUP_MODRM] = 64, [GROUP_64] = 2,   [GROUP_OSIZE] = 3, [GROUP_REXW] = 2,
        [GROUP_VEXW] = 2,   [GROUP_VEXL] = 2,
    };
    for (unsigned k = 0; k < n; k++) {
        const InsnDesc *r = &rows[k];
        bool modrm = false;
        if (r->group) {
            check_rows(r->table, size[r->group]);
            continue;
        }
        for (unsigned o = 0; o < 4; o++)
            modrm |= BY_MODRM(r->op[o]);
        if (modrm != r->modrm)
            fail_msg("%s", r->name);
    }
}

static void test_modrm(void **state)
{
    check_rows(opmap_1byte, 256);
    check_rows(opmap_0f, 256);
    check_rows(opmap_0f38, 256);
    check_rows(opmap_0f3a, 256);
    check_rows(opmap_x87, 8);
    check_rows(opmap_sse_0f, 256);
    check_rows(opmap_sse_0f38, 256);
    check_rows(opmap_sse_0f3a, 256);
    check_rows(opmap_vex_0f, 256);
    check_rows(opmap_vex_0f38, 256);
    check_rows(opmap_vex_0f3a, 256);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lengths),   cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_admission), cmocka_unit_test(test_features),
        cmocka_unit_test(test_modrm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
