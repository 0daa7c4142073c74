/* SPDX-License-Identifier: MIT */
/* Integer ops: one handler per op and width. */
#include "tcg/interp/interp.h"

#include "tcg/bits.h"

#define UNARY_HANDLER(name, W, T, P, expr) \
    HANDLER(name##_##W)                    \
    {                                      \
        T a = get_##T(x, op->a);           \
        put_##P(x, op->d, (T)(expr));      \
        return next(op, x);                \
    }
#define UNARY(name, expr)                   \
    UNARY_HANDLER(name, 8, u8, u8, expr)    \
    UNARY_HANDLER(name, 16, u16, u16, expr) \
    UNARY_HANDLER(name, 32, u32, u32, expr) \
    UNARY_HANDLER(name, 64, u64, u64, expr) \
    UNARY_HANDLER(name, 32z, u32, u64, expr)

/* BITS: width; S: the signed type; WIDE, SWIDE: twice as wide */
#define BINARY_HANDLER(name, W, BITS, T, S, WIDE, SWIDE, P, expr) \
    HANDLER(name##_##W)                                           \
    {                                                             \
        T a = get_##T(x, op->a), b = get_##T(x, op->b);           \
        put_##P(x, op->d, (T)(expr));                             \
        return next(op, x);                                       \
    }
#define BINARY(name, e8, e16, e32, e64)                                           \
    BINARY_HANDLER(name, 8, 8, u8, s8, u16, s16, u8, e8)                          \
    BINARY_HANDLER(name, 16, 16, u16, s16, u32, s32, u16, e16)                    \
    BINARY_HANDLER(name, 32, 32, u32, s32, u64, s64, u32, e32)                    \
    BINARY_HANDLER(name, 64, 64, u64, s64, unsigned __int128, __int128, u64, e64) \
    BINARY_HANDLER(name, 32z, 32, u32, s32, u64, s64, u64, e32)
#define BINARY_SAME(name, expr) BINARY(name, expr, expr, expr, expr)

BINARY_SAME(add, a + b)
BINARY_SAME(sub, a - b)
BINARY(mul, (u16)a *b, (u32)a *b, a *b, a *b)
BINARY(mulhu, (u16)(a *b) >> 8, ((u32)a * b) >> 16, ((u64)a * b) >> 32,
       (u64)(((unsigned __int128)a * b) >> 64))
BINARY(mulhs, ((s8)a * (s8)b) >> 8, ((s32)(s16)a * (s16)b) >> 16, ((s64)(s32)a * (s32)b) >> 32,
       (u64)(((__int128)(s64)a * (s64)b) >> 64))
BINARY_SAME(and, a &b)
BINARY_SAME(or, a | b)
BINARY_SAME(xor, a ^ b)
BINARY_SAME(andn, ~a &b)
UNARY(neg, -a)
UNARY(not, ~a)

/* Shifts: the count is a byte, modulo the width. */
#define SHIFT_HANDLER(name, W, BITS, T, S, P, expr)                              \
    HANDLER(name##_##W)                                                          \
    {                                                                            \
        T a = get_##T(x, op->a);                                                 \
        unsigned n = get_u8(x, op->b) & (BITS - 1), m = (BITS - n) & (BITS - 1); \
        (void)m;                                                                 \
        put_##P(x, op->d, (T)(expr));                                            \
        return next(op, x);                                                      \
    }
#define SHIFT(name, e8, e16, e32, e64)              \
    SHIFT_HANDLER(name, 8, 8, u8, s8, u8, e8)       \
    SHIFT_HANDLER(name, 16, 16, u16, s16, u16, e16) \
    SHIFT_HANDLER(name, 32, 32, u32, s32, u32, e32) \
    SHIFT_HANDLER(name, 64, 64, u64, s64, u64, e64) \
    SHIFT_HANDLER(name, 32z, 32, u32, s32, u64, e32)
#define SHIFT_SAME(name, expr) SHIFT(name, expr, expr, expr, expr)

SHIFT_SAME(shl, a << n)
SHIFT_SAME(shr, a >> n)
SHIFT(sar, (s8)a >> n, (s16)a >> n, (s32)a >> n, (s64)a >> n)
SHIFT_SAME(rotl, a << n | a >> m)
SHIFT_SAME(rotr, a >> n | a << m)

/* Funnel shifts: c is the count, a byte. */
#define FUNNEL_HANDLER(name, W, BITS, T, P, expr)       \
    HANDLER(name##_##W)                                 \
    {                                                   \
        T a = get_##T(x, op->a), b = get_##T(x, op->b); \
        unsigned n = get_u8(x, op->c) & (BITS - 1);     \
        put_##P(x, op->d, n ? (T)(expr) : a);           \
        return next(op, x);                             \
    }
#define FUNNEL(name, expr_of_bits)                           \
    FUNNEL_HANDLER(name, 8, 8, u8, u8, expr_of_bits(8))      \
    FUNNEL_HANDLER(name, 16, 16, u16, u16, expr_of_bits(16)) \
    FUNNEL_HANDLER(name, 32, 32, u32, u32, expr_of_bits(32)) \
    FUNNEL_HANDLER(name, 64, 64, u64, u64, expr_of_bits(64)) \
    FUNNEL_HANDLER(name, 32z, 32, u32, u64, expr_of_bits(32))
#define FSHL_EXPR(bits) (a << n | b >> (bits - n))
#define FSHR_EXPR(bits) (a >> n | b << (bits - n))
FUNNEL(fshl, FSHL_EXPR)
FUNNEL(fshr, FSHR_EXPR)

UNARY_HANDLER(bswap, 32, u32, u32, __builtin_bswap32(a))
UNARY_HANDLER(bswap, 32z, u32, u64, __builtin_bswap32(a))
UNARY_HANDLER(bswap, 64, u64, u64, __builtin_bswap64(a))

#define COUNT(name, e16, e32, e64)         \
    UNARY_HANDLER(name, 16, u16, u16, e16) \
    UNARY_HANDLER(name, 32, u32, u32, e32) \
    UNARY_HANDLER(name, 64, u64, u64, e64) \
    UNARY_HANDLER(name, 32z, u32, u64, e32)
COUNT(clz, a ? __builtin_clz(a) - 16 : 16, a ? __builtin_clz(a) : 32, a ? __builtin_clzll(a) : 64)
COUNT(ctz, a ? __builtin_ctz(a) : 16, a ? __builtin_ctz(a) : 32, a ? __builtin_ctzll(a) : 64)
COUNT(popcnt, __builtin_popcount(a), __builtin_popcount(a), __builtin_popcountll(a))

/* a + (b << aux) + imm, and where there is no b */
#define LEA_HANDLER(W, T, P)                                                        \
    HANDLER(lea_##W)                                                                \
    {                                                                               \
        T b = get_##T(x, op->b);                                                    \
        put_##P(x, op->d, (T)(get_##T(x, op->a) + (T)(b << op->aux) + (T)op->imm)); \
        return next(op, x);                                                         \
    }                                                                               \
    HANDLER(add_imm_##W)                                                            \
    {                                                                               \
        put_##P(x, op->d, (T)(get_##T(x, op->a) + (T)op->imm));                     \
        return next(op, x);                                                         \
    }
LEA_HANDLER(16, u16, u16)
LEA_HANDLER(32, u32, u32)
LEA_HANDLER(64, u64, u64)
LEA_HANDLER(32z, u32, u64)

Handler *interp_add_imm(unsigned width)
{
    static Handler *const table[NWIDTHS] = { NULL, add_imm_16, add_imm_32, add_imm_64,
                                             add_imm_32z };

    return table[width];
}

#define SCATTER(name, f)                                      \
    BINARY_HANDLER(name, 32, 32, u32, s32, , , u32, f(a, b))  \
    BINARY_HANDLER(name, 32z, 32, u32, s32, , , u64, f(a, b)) \
    BINARY_HANDLER(name, 64, 64, u64, s64, , , u64, f(a, b))
SCATTER(pdep, bits_scatter)
SCATTER(pext, bits_gather)

/* clang-format off */
#define ROW(name) [OP_##name] = { name##_8, name##_16, name##_32, name##_64, name##_32z }
#define ROW_NO_8(name) [OP_##name] = { NULL, name##_16, name##_32, name##_64, name##_32z }
Handler *const interp_int[IR_NOPS][NWIDTHS] = {
    ROW(add), ROW(sub), ROW(mul), ROW(mulhu), ROW(mulhs), ROW(and), ROW(or), ROW(xor), ROW(andn),
    ROW(neg), ROW(not), ROW(shl), ROW(shr), ROW(sar), ROW(rotl), ROW(rotr), ROW(fshl), ROW(fshr),
    ROW_NO_8(clz), ROW_NO_8(ctz), ROW_NO_8(popcnt), ROW_NO_8(lea),
    [OP_pdep] = { NULL, NULL, pdep_32, pdep_64, pdep_32z },
    [OP_pext] = { NULL, NULL, pext_32, pext_64, pext_32z },
    [OP_bswap] = { NULL, NULL, bswap_32, bswap_64, bswap_32z },
};
/* clang-format on */

/* -- Extension ----------------------------------------------------------------------------------
 */

#define EXTEND(name, FROM, S, T)                       \
    HANDLER(name)                                      \
    {                                                  \
        put_##T(x, op->d, (T)(S)get_##FROM(x, op->a)); \
        return next(op, x);                            \
    }
EXTEND(zext_8_16, u8, u8, u16)
EXTEND(zext_8_32, u8, u8, u32)
EXTEND(zext_8_64, u8, u8, u64)
EXTEND(zext_16_32, u16, u16, u32)
EXTEND(zext_16_64, u16, u16, u64)
EXTEND(zext_32_64, u32, u32, u64)
EXTEND(sext_8_16, u8, s8, u16)
EXTEND(sext_8_32, u8, s8, u32)
EXTEND(sext_8_64, u8, s8, u64)
EXTEND(sext_16_32, u16, s16, u32)
EXTEND(sext_16_64, u16, s16, u64)
EXTEND(sext_32_64, u32, s32, u64)
#undef EXTEND

#define EXTEND_WIDE(name, FROM, S)                       \
    HANDLER(name)                                        \
    {                                                    \
        put_u64(x, op->d, (u32)(S)get_##FROM(x, op->a)); \
        return next(op, x);                              \
    }
EXTEND_WIDE(sext_8_wide, u8, s8)
EXTEND_WIDE(sext_16_wide, u16, s16)

#define SEXT_BIT(T)                                   \
    HANDLER(sext_1_##T)                               \
    {                                                 \
        put_##T(x, op->d, (T) - (T)get_u8(x, op->a)); \
        return next(op, x);                           \
    }
SEXT_BIT(u8)
SEXT_BIT(u16)
SEXT_BIT(u32)
SEXT_BIT(u64)

HANDLER(sext_1_wide)
{
    put_u64(x, op->d, (u32)-get_u8(x, op->a));
    return next(op, x);
}

static Handler copy_1;

Handler *interp_extend(bool is_signed, IrType from, IrType to, bool wide)
{
    static Handler *const zext[4][4] = {
        { copy_1, zext_8_16, zext_8_32, zext_8_64 },
        { NULL, NULL, zext_16_32, zext_16_64 },
        { NULL, NULL, NULL, zext_32_64 },
    };
    static Handler *const sext[4][4] = {
        { copy_1, sext_8_16, sext_8_32, sext_8_64 },
        { NULL, NULL, sext_16_32, sext_16_64 },
        { NULL, NULL, NULL, sext_32_64 },
    };
    static Handler *const sext_bit[4] = { sext_1_u8, sext_1_u16, sext_1_u32, sext_1_u64 };

    if (is_signed && wide) {
        return from == I1 ? sext_1_wide : from == I8 ? sext_8_wide : sext_16_wide;
    }
    if (is_signed && from == I1) {
        return sext_bit[to - I8];
    }
    if (wide) {
        to = I64;
    }
    from = MAX(from, I8);
    return (is_signed ? sext : zext)[from - I8][to - I8];
}

/* -- Comparison, selection, copies ----------------------------------------------------------------
 */

#define COMPARE_HANDLERS(name, T, S, cmp)                                                \
    HANDLER(name##_##T)                                                                  \
    {                                                                                    \
        put_u8(x, op->d, (S)get_##T(x, op->a) cmp(S) get_##T(x, op->b));                 \
        return next(op, x);                                                              \
    }                                                                                    \
    HANDLER(branch_##name##_##T)                                                         \
    {                                                                                    \
        return skip(op, (S)get_##T(x, op->a) cmp(S) get_##T(x, op->b) ? op->imm : 1, x); \
    }
#define COMPARE_U(name, cmp)              \
    COMPARE_HANDLERS(name, u8, u8, cmp)   \
    COMPARE_HANDLERS(name, u16, u16, cmp) \
    COMPARE_HANDLERS(name, u32, u32, cmp) \
    COMPARE_HANDLERS(name, u64, u64, cmp)
#define COMPARE_S(name, cmp)              \
    COMPARE_HANDLERS(name, u8, s8, cmp)   \
    COMPARE_HANDLERS(name, u16, s16, cmp) \
    COMPARE_HANDLERS(name, u32, s32, cmp) \
    COMPARE_HANDLERS(name, u64, s64, cmp)
COMPARE_U(eq, ==)
COMPARE_U(ne, !=)
COMPARE_U(ltu, <)
COMPARE_U(geu, >=)
COMPARE_U(leu, <=)
COMPARE_U(gtu, >)
COMPARE_S(lt, <)
COMPARE_S(ge, >=)
COMPARE_S(le, <=)
COMPARE_S(gt, >)

#define COMPARE_ROW(prefix, name)                                                     \
    {                                                                                 \
        prefix##name##_u8, prefix##name##_u16, prefix##name##_u32, prefix##name##_u64 \
    }

static unsigned compare_column(IrType type)
{
    return type == I1 ? 0 : type - I8;
}

Handler *interp_compare(IrCond cond, IrType type)
{
    static Handler *const table[][4] = {
        [COND_EQ] = COMPARE_ROW(, eq),   [COND_NE] = COMPARE_ROW(, ne),
        [COND_LTU] = COMPARE_ROW(, ltu), [COND_GEU] = COMPARE_ROW(, geu),
        [COND_LEU] = COMPARE_ROW(, leu), [COND_GTU] = COMPARE_ROW(, gtu),
        [COND_LT] = COMPARE_ROW(, lt),   [COND_GE] = COMPARE_ROW(, ge),
        [COND_LE] = COMPARE_ROW(, le),   [COND_GT] = COMPARE_ROW(, gt),
    };

    return table[cond][compare_column(type)];
}

Handler *interp_branch_compare(IrCond cond, IrType type)
{
    static Handler *const table[][4] = {
        [COND_EQ] = COMPARE_ROW(branch_, eq),   [COND_NE] = COMPARE_ROW(branch_, ne),
        [COND_LTU] = COMPARE_ROW(branch_, ltu), [COND_GEU] = COMPARE_ROW(branch_, geu),
        [COND_LEU] = COMPARE_ROW(branch_, leu), [COND_GTU] = COMPARE_ROW(branch_, gtu),
        [COND_LT] = COMPARE_ROW(branch_, lt),   [COND_GE] = COMPARE_ROW(branch_, ge),
        [COND_LE] = COMPARE_ROW(branch_, le),   [COND_GT] = COMPARE_ROW(branch_, gt),
    };

    return table[cond][compare_column(type)];
}

#define SELECT(name, T, P)                                               \
    HANDLER(name)                                                        \
    {                                                                    \
        put_##P(x, op->d, get_##T(x, get_u8(x, op->a) ? op->b : op->c)); \
        return next(op, x);                                              \
    }
SELECT(select_8, u8, u8)
SELECT(select_16, u16, u16)
SELECT(select_32, u32, u32)
SELECT(select_64, u64, u64)
SELECT(select_32z, u32, u64)
SELECT(select_128, v128, v128)

Handler *interp_select(IrType type, bool wide)
{
    switch (ir_type_info[type].bytes) {
    case 1: return select_8;
    case 2: return select_16;
    case 4: return wide ? select_32z : select_32;
    case 8: return select_64;
    case 16: return select_128;
    default: g_assert_not_reached();
    }
}

#define COPY(bytes)                                                           \
    HANDLER(copy_##bytes)                                                     \
    {                                                                         \
        memmove(value_at(x, op->d, bytes), value_at(x, op->a, bytes), bytes); \
        return next(op, x);                                                   \
    }
COPY(1)
COPY(2)
COPY(4)
COPY(8)
COPY(10)
COPY(16)
COPY(32)

Handler *interp_copy(IrType type)
{
    switch (ir_type_info[type].bytes) {
    case 1: return copy_1;
    case 2: return copy_2;
    case 4: return copy_4;
    case 8: return copy_8;
    case 10: return copy_10;
    case 16: return copy_16;
    case 32: return copy_32;
    default: g_assert_not_reached();
    }
}

/* -- Division: a:b / c, remainder to place aux; to op + imm if the quotient does not fit ----------
 */

#define DIVIDE(W, BITS, T, S, WIDE, SWIDE)                            \
    HANDLER(divu_##W)                                                 \
    {                                                                 \
        T hi = get_##T(x, op->a), c = get_##T(x, op->c);              \
        WIDE n = (WIDE)hi << BITS | get_##T(x, op->b);                \
        if (hi >= c) {                                                \
            return skip(op, op->imm, x);                              \
        }                                                             \
        put_##T(x, op->aux, (T)(n % c));                              \
        put_##T(x, op->d, (T)(n / c));                                \
        return next(op, x);                                           \
    }                                                                 \
    HANDLER(divs_##W)                                                 \
    {                                                                 \
        S c = (S)get_##T(x, op->c);                                   \
        WIDE n = (WIDE)get_##T(x, op->a) << BITS | get_##T(x, op->b); \
        WIDE most = (WIDE)1 << (2 * BITS - 1);                        \
        SWIDE q;                                                      \
        if (c == 0 || (n == most && c == -1)) {                       \
            return skip(op, op->imm, x);                              \
        }                                                             \
        q = (SWIDE)n / c;                                             \
        if (q != (S)q) {                                              \
            return skip(op, op->imm, x);                              \
        }                                                             \
        put_##T(x, op->aux, (T)((SWIDE)n % c));                       \
        put_##T(x, op->d, (T)q);                                      \
        return next(op, x);                                           \
    }
DIVIDE(8, 8, u8, s8, u16, s16)
DIVIDE(16, 16, u16, s16, u32, s32)
DIVIDE(32, 32, u32, s32, u64, s64)

#define DIVIDE_64(name, S, divide)                                                         \
    HANDLER(name)                                                                          \
    {                                                                                      \
        u64 result[2];                                                                     \
        if (!divide(get_u64(x, op->a), get_u64(x, op->b), (S)get_u64(x, op->c), result)) { \
            return skip(op, op->imm, x);                                                   \
        }                                                                                  \
        put_u64(x, op->aux, result[1]);                                                    \
        put_u64(x, op->d, result[0]);                                                      \
        return next(op, x);                                                                \
    }
DIVIDE_64(divu_64, u64, bits_divide_unsigned)
DIVIDE_64(divs_64, s64, bits_divide_signed)

Handler *interp_divide(bool is_signed, IrType type)
{
    static Handler *const table[2][4] = { { divu_8, divu_16, divu_32, divu_64 },
                                          { divs_8, divs_16, divs_32, divs_64 } };

    return table[is_signed][type - I8];
}
