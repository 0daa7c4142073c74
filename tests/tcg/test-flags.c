/* SPDX-License-Identifier: MIT */
/*
 * The flags record against the definitions of the manual (SDM vol. 1, 3.4.3.1), exhaustively at 8
 * bits; then every kind of bundle, condition and size in translated code of every back end.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "tests/tcg/harness.h"

/* -- Definitions, bit by bit --------------------------------------------------------------------
 */

static uint32_t szp(unsigned res)
{
    unsigned ones = 0;

    for (unsigned i = 0; i < 8; i++) {
        ones += res >> i & 1;
    }
    return (res & 0xff ? 0 : FLAG_ZF) | (res & 0x80 ? FLAG_SF : 0) | (ones & 1 ? 0 : FLAG_PF);
}

/* x + y + carry, or x - y - carry, at 8 bits: the carries out of bits 3 and 7 by parts. */
static uint32_t define_sum(int x, int y, int carry, bool subtract, unsigned *res)
{
    int sign = subtract ? -1 : 1;
    int wide = x + sign * (y + carry), low = (x & 15) + sign * ((y & 15) + carry);
    int exact = (int8_t)x + sign * ((int8_t)y + carry);

    *res = (unsigned)wide & 0xff;
    return szp(*res) | (wide < 0 || wide > 255 ? FLAG_CF : 0) |
           (low < 0 || low > 15 ? FLAG_AF : 0) | (exact < -128 || exact > 127 ? FLAG_OF : 0);
}

static FlagsRecord record(FlagsKind kind, uint64_t a, uint64_t b, uint64_t c)
{
    return (FlagsRecord){ .kind = flags_kind(kind, I8), .a = a, .b = b, .c = c };
}

/* Garbage above the operand size must not matter. */
static void check(FlagsKind kind, uint64_t a, uint64_t b, uint64_t c, uint32_t expected)
{
    FlagsRecord clean = record(kind, a, b, c);
    FlagsRecord dirty = record(kind, a | 0xabcd00, b | 0x7f00, c | 0xff00);
    FlagsRecord brief = clean, settled;

    *(flags_short_is_a(clean.kind) ? &brief.a : &brief.b) = 0x1234;
    brief.kind |= FLAGS_SHORT;
    brief.inc_kind = (uint8_t)(flags_short_is_a(clean.kind) ? a : b);
    brief.rot_kind = brief.cf = 0xff;
    settled = brief;
    flags_open_top(&settled);
    if (flags_pack(&clean) != expected || flags_pack(&dirty) != expected ||
        flags_pack(&brief) != expected || flags_pack(&settled) != expected) {
        fail_msg("kind %d a %x b %x c %x: %x, dirty %x, short %x, settled %x, expected %x", kind,
                 (unsigned)a, (unsigned)b, (unsigned)c, flags_pack(&clean), flags_pack(&dirty),
                 flags_pack(&brief), flags_pack(&settled), expected);
    }
}

static void arithmetic(void **state)
{
    for (int x = 0; x < 256; x++) {
        for (int y = 0; y < 256; y++) {
            unsigned res;
            uint32_t f = define_sum(x, y, 0, false, &res);

            check(FLK_ADD, res, (unsigned)y, 0, f);
            f = define_sum(x, y, 1, false, &res);
            check(FLK_ADC, res, (unsigned)y, 1, f);
            f = define_sum(x, y, 0, false, &res);
            check(FLK_ADC, res, (unsigned)y, 0, f);
            f = define_sum(x, y, 0, true, &res);
            check(FLK_SUB, res, (unsigned)y, 0, f);
            check(FLK_CMP, (unsigned)x, (unsigned)y, 0, f);
            check(FLK_SBB, res, (unsigned)y, 0, f);
            f = define_sum(x, y, 1, true, &res);
            check(FLK_SBB, res, (unsigned)y, 1, f);
        }
    }
}

static void logic_and_shifts(void **state)
{
    for (unsigned x = 0; x < 256; x++) {
        unsigned left = x << 1 & 0xff, right = x >> 1, arith = x >> 1 | (x & 0x80);
        bool top = x >> 7;

        check(FLK_LOGIC, x, 0, 0, szp(x));
        check(FLK_SHL, left, x, 0,
              szp(left) | (top ? FLAG_CF : 0) | (top != left >> 7 ? FLAG_OF : 0));
        check(FLK_SHR, right, x, 0, szp(right) | (x & 1 ? FLAG_CF : 0) | (top ? FLAG_OF : 0));
        check(FLK_SHR, arith, x, 0, szp(arith) | (x & 1 ? FLAG_CF : 0));
        check(FLK_MUL, x, 0, 0, szp(x));
        check(FLK_MUL, x, 0x10, 0, szp(x) | FLAG_CF | FLAG_OF);
    }
}

static void inc_and_dec_keep_carry(void **state)
{
    for (int x = 0; x < 256; x++) {
        for (unsigned cf = 0; cf < 2; cf++) {
            unsigned res;
            uint32_t f = define_sum(x, 1, 0, false, &res);
            FlagsRecord r = record(FLK_PACKED, cf, 0, 0);

            flags_open_top(&r);
            r.inc_kind = flags_kind(FLK_INC, I8);
            r.inc = res;
            assert_int_equal(flags_pack(&r), (f & ~FLAG_CF) | cf);
            f = define_sum(x, 1, 0, true, &res);
            r.inc_kind = flags_kind(FLK_DEC, I8);
            r.inc = res;
            assert_int_equal(flags_pack(&r), (f & ~FLAG_CF) | cf);
            r.kind = FLK_PACKED * 4; /* all that a new main part writes */
            assert_int_equal(flags_pack(&r), cf);
        }
    }
}

static bool define_condition(uint32_t f, unsigned cc)
{
    bool c = f & FLAG_CF, z = f & FLAG_ZF, s = f & FLAG_SF, o = f & FLAG_OF, p = f & FLAG_PF;
    bool r[8] = { o, c, z, c || z, s, p, s != o, z || s != o };

    return r[cc / 2] != (cc & 1);
}

static void conditions(void **state)
{
    static const uint32_t bit[6] = { FLAG_CF, FLAG_PF, FLAG_AF, FLAG_ZF, FLAG_SF, FLAG_OF };

    for (unsigned n = 0; n < 64; n++) {
        uint32_t f = 0;
        FlagsRecord r = { 0 };

        for (unsigned i = 0; i < 6; i++) {
            f |= n >> i & 1 ? bit[i] : 0;
        }
        flags_set_packed(&r, f | 0x3002);
        assert_int_equal(flags_pack(&r), f);
        for (unsigned cc = 0; cc < 16; cc++) {
            assert_int_equal(flags_eval(f, (IrCc)cc), define_condition(f, cc));
            assert_int_equal(flags_test(&r, (IrCc)cc), define_condition(f, cc));
        }
    }
}

/* -- Bundles in translated code
 * --------------------------------------------------------------------- */

/* What the record of @op would be, operands x y and a carry. */
static uint32_t expected_flags(IrOpcode op, IrType type, uint64_t x, uint64_t y, uint64_t carry,
                               uint32_t before)
{
    unsigned top = ir_type_info[type].bits - 1;
    FlagsRecord r = { .kind = flags_kind(flags_kind_of_op(op), type), .a = x, .b = y, .c = carry };
    bool high = x >> top & 1, below = x >> (top - 1) & 1;

    switch (op) {
    case OP_fl_inc:
    case OP_fl_dec:
        flags_set_packed(&r, before);
        flags_open_top(&r);
        r.inc_kind = flags_kind(flags_kind_of_op(op), type);
        r.inc = x;
        return flags_pack(&r);
    case OP_fl_select: /* of a subtraction, or what was before */
        r.kind = flags_kind(FLK_CMP, type);
        return carry & ir_type_mask(type) ? flags_pack(&r) : before;
    case OP_fl_setcf: return (before & ~FLAG_CF) | (carry ? FLAG_CF : 0);
    case OP_fl_setof: return (before & ~FLAG_OF) | (carry ? FLAG_OF : 0);
    case OP_fl_setzf: return (before & ~FLAG_ZF) | (carry ? FLAG_ZF : 0);
    case OP_fl_rotl:
        return (before & ~(FLAG_CF | FLAG_OF)) | (x & 1 ? FLAG_CF : 0) |
               ((x & 1) != high ? FLAG_OF : 0);
    case OP_fl_rotr:
        return (before & ~(FLAG_CF | FLAG_OF)) | (high ? FLAG_CF : 0) |
               (high != below ? FLAG_OF : 0);
    case OP_fl_packed: return (uint32_t)x & FLAGS_ARITH;
    default: return flags_pack(&r);
    }
}

static IrRef build_bundle(IrBlock *ir, IrOpcode op, IrType type)
{
    IrRef x = ir_get(ir, type, S_R0, 0), y = ir_get(ir, type, S_R0 + 1, 0);
    IrRef carry = ir_get(ir, type, S_R0 + 2, 0), previous = ir_getflags(ir);
    IrRef bit = ir_setcond(ir, COND_NE, carry, ir_const(ir, type, 0));

    switch (op) {
    case OP_fl_add: return ir_fl_add(ir, x, y);
    case OP_fl_adc: return ir_fl_adc(ir, x, y, carry);
    case OP_fl_sub: return ir_fl_sub(ir, x, y);
    case OP_fl_cmp: return ir_fl_cmp(ir, x, y);
    case OP_fl_sbb: return ir_fl_sbb(ir, x, y, carry);
    case OP_fl_logic: return ir_fl_logic(ir, x);
    case OP_fl_inc: return ir_fl_inc(ir, x, previous);
    case OP_fl_dec: return ir_fl_dec(ir, x, previous);
    case OP_fl_shl: return ir_fl_shl(ir, x, y);
    case OP_fl_shr: return ir_fl_shr(ir, x, y);
    case OP_fl_mul: return ir_fl_mul(ir, x, y);
    case OP_fl_select: return ir_fl_select(ir, bit, ir_fl_cmp(ir, x, y), previous);
    case OP_fl_setcf: return ir_fl_setcf(ir, bit, previous);
    case OP_fl_setof: return ir_fl_setof(ir, bit, previous);
    case OP_fl_setzf: return ir_fl_setzf(ir, bit, previous);
    case OP_fl_rotl: return ir_fl_rotl(ir, x, previous);
    case OP_fl_rotr: return ir_fl_rotr(ir, x, previous);
    case OP_fl_packed: return ir_fl_packed(ir, ir_get(ir, I32, S_R0, 0));
    default: g_assert_not_reached();
    }
}

/* r8 = packed; r9 bit n = condition n; the bundle stays as the flags. */
static void build_block(IrBlock *ir, IrOpcode op, IrType type)
{
    IrRef f, conditions;

    ir_block_reset(ir, 0);
    ir_insn(ir, 0);
    f = build_bundle(ir, op, type);
    conditions = ir_const(ir, I64, 0);
    for (unsigned cc = 0; cc < 16; cc++) {
        IrRef bit = ir_zext(ir, I64, ir_fl_test(ir, (IrCc)cc, f));
        conditions = ir_or(ir, conditions, ir_shl(ir, bit, ir_const(ir, I8, cc)));
    }
    ir_set(ir, S_R0 + 8, 0, ir_zext(ir, I64, ir_fl_pack(ir, f)));
    ir_set(ir, S_R0 + 9, 0, conditions);
    ir_setflags(ir, f);
    ir_goto(ir, 4);
}

static void run_bundle(Harness *h, IrBlock *ir, IrOpcode op, IrType type)
{
    static const uint64_t values[] = { 0,          1,
                                       2,          0x7f,
                                       0x80,       0xff,
                                       0x7fff,     0x8000,
                                       0x7fffffff, 0x80000000,
                                       INT64_MAX,  (uint64_t)INT64_MIN,
                                       UINT64_MAX, 0x123456789abcdef0 };
    TcgCode *code;

    build_block(ir, op, type);
    code = harness_compile(h, ir);
    for (unsigned n = 0; n < G_N_ELEMENTS(values) * G_N_ELEMENTS(values) * 2; n++) {
        uint64_t mask = ir_type_mask(op == OP_fl_packed ? I32 : type);
        uint64_t x = values[n / 2 % G_N_ELEMENTS(values)] & mask;
        uint64_t y = values[n / 2 / G_N_ELEMENTS(values)] & mask, carry = n & 1;
        uint32_t before, expected, conditions = 0;

        harness_reset(h, n, 0);
        h->env->r[0] = x;
        h->env->r[1] = y;
        h->env->r[2] = carry;
        before = flags_pack(&h->env->cc);
        expected = expected_flags(op, type, x, y, carry, before);
        harness_run(h, code);
        for (unsigned cc = 0; cc < 16; cc++) {
            conditions |= (uint32_t)define_condition(expected, cc) << cc;
        }
        if (h->env->r[8] != expected || h->env->r[9] != conditions ||
            flags_pack(&h->env->cc) != expected) {
            fail_msg("%s.%s x %" G_GINT64_MODIFIER "x y %" G_GINT64_MODIFIER
                     "x carry %u: packed %x "
                     "conditions %x record %x, expected %x, %x",
                     ir_op_info[op].name, ir_type_info[type].name, x, y, (unsigned)carry,
                     (unsigned)h->env->r[8], (unsigned)h->env->r[9], flags_pack(&h->env->cc),
                     expected, conditions);
        }
    }
}

static void bundles_on(const char *backend)
{
    for (unsigned no_opt = 0; no_opt < 2; no_opt++) {
        Harness *h = harness_new(backend, no_opt);
        IrBlock *ir = harness_ir_new();

        for (unsigned op = OP_fl_add; op <= OP_fl_packed; op++) {
            for (unsigned type = I8; type <= I64; type++) {
                run_bundle(h, ir, (IrOpcode)op, (IrType)type);
            }
        }
        ir_block_free(ir);
        harness_free(h);
    }
}

static void bundles_interp(void **state)
{
    bundles_on("interp");
}

static void bundles_native(void **state)
{
    if (!harness_native()) {
        skip();
    }
    bundles_on(harness_native());
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic),
        cmocka_unit_test(logic_and_shifts),
        cmocka_unit_test(inc_and_dec_keep_carry),
        cmocka_unit_test(conditions),
        cmocka_unit_test(bundles_interp),
        cmocka_unit_test(bundles_native),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
