/* SPDX-License-Identifier: MIT */
/*
 * Flags at run time. A bundle is nothing until somebody looks: then the emitter puts in ops that
 * write it to a record (of the CPU state, or a temporary one among the values) or work on a
 * packed word.
 */
#include "tcg/interp/interp.h"

#define REST(T)                        \
    HANDLER(rest1_##T)                 \
    {                                  \
        FlagsRecord *r = at(x, op->d); \
        r->a = get_##T(x, op->a);      \
        r->kind = (u8)op->aux;         \
        return next(op, x);            \
    }                                  \
    HANDLER(rest2_##T)                 \
    {                                  \
        FlagsRecord *r = at(x, op->d); \
        r->a = get_##T(x, op->a);      \
        r->b = get_##T(x, op->b);      \
        r->kind = (u8)op->aux;         \
        return next(op, x);            \
    }                                  \
    HANDLER(rest3_##T)                 \
    {                                  \
        FlagsRecord *r = at(x, op->d); \
        r->a = get_##T(x, op->a);      \
        r->b = get_##T(x, op->b);      \
        r->c = get_##T(x, op->c);      \
        r->kind = (u8)op->aux;         \
        return next(op, x);            \
    }                                  \
    HANDLER(rest_inc_##T)              \
    {                                  \
        FlagsRecord *r = at(x, op->d); \
        flags_open_top(r);             \
        r->inc = get_##T(x, op->a);    \
        r->inc_kind = (u8)op->aux;     \
        r->rot_kind &= FLAGS_ROT_KIND; \
        return next(op, x);            \
    }
REST(u8)
REST(u16)
REST(u32)
REST(u64)

Handler *interp_rest(IrType type, unsigned nargs)
{
    static Handler *const table[3][4] = {
        { rest1_u8, rest1_u16, rest1_u32, rest1_u64 },
        { rest2_u8, rest2_u16, rest2_u32, rest2_u64 },
        { rest3_u8, rest3_u16, rest3_u32, rest3_u64 },
    };

    return table[nargs - 1][type - I8];
}

Handler *interp_rest_inc(IrType type)
{
    static Handler *const table[4] = { rest_inc_u8, rest_inc_u16, rest_inc_u32, rest_inc_u64 };

    return table[type - I8];
}

const Op *interp_pack_record(const Op *op, Interp *x)
{
    put_u32(x, op->d, flags_pack(at(x, op->a)));
    return next(op, x);
}

const Op *interp_test_record(const Op *op, Interp *x)
{
    put_u8(x, op->d, flags_test(at(x, op->a), (IrCc)op->aux));
    return next(op, x);
}

const Op *interp_test_word(const Op *op, Interp *x)
{
    put_u8(x, op->d, flags_eval(get_u32(x, op->a), (IrCc)op->aux));
    return next(op, x);
}

const Op *interp_mask_word(const Op *op, Interp *x)
{
    put_u32(x, op->d, get_u32(x, op->a) & FLAGS_ARITH);
    return next(op, x);
}

static u32 with_flag(u32 word, u32 flag, bool value)
{
    return (word & ~flag) | (value ? flag : 0);
}

/* a: the bit, b: the word it goes into */
const Op *interp_setcf_word(const Op *op, Interp *x)
{
    put_u32(x, op->d, with_flag(get_u32(x, op->b), FLAG_CF, get_u8(x, op->a)));
    return next(op, x);
}

const Op *interp_setof_word(const Op *op, Interp *x)
{
    put_u32(x, op->d, with_flag(get_u32(x, op->b), FLAG_OF, get_u8(x, op->a)));
    return next(op, x);
}

const Op *interp_setzf_word(const Op *op, Interp *x)
{
    put_u32(x, op->d, with_flag(get_u32(x, op->b), FLAG_ZF, get_u8(x, op->a)));
    return next(op, x);
}

#define ROTATE(T, BITS)                                              \
    HANDLER(rotl_word_##T)                                           \
    {                                                                \
        T res = get_##T(x, op->a);                                   \
        bool low = res & 1, top = res >> (BITS - 1);                 \
        u32 word = with_flag(get_u32(x, op->b), FLAG_CF, low);       \
        put_u32(x, op->d, with_flag(word, FLAG_OF, low != top));     \
        return next(op, x);                                          \
    }                                                                \
    HANDLER(rotr_word_##T)                                           \
    {                                                                \
        T res = get_##T(x, op->a);                                   \
        bool below = res >> (BITS - 2) & 1, top = res >> (BITS - 1); \
        u32 word = with_flag(get_u32(x, op->b), FLAG_CF, top);       \
        put_u32(x, op->d, with_flag(word, FLAG_OF, top != below));   \
        return next(op, x);                                          \
    }
ROTATE(u8, 8)
ROTATE(u16, 16)
ROTATE(u32, 32)
ROTATE(u64, 64)

Handler *interp_rot_word(bool left, IrType type)
{
    static Handler *const table[2][4] = {
        { rotr_word_u8, rotr_word_u16, rotr_word_u32, rotr_word_u64 },
        { rotl_word_u8, rotl_word_u16, rotl_word_u32, rotl_word_u64 },
    };

    return table[left][type - I8];
}

HANDLER(parity_even)
{
    put_u8(x, op->d, !__builtin_parity(get_u8(x, op->a)));
    return next(op, x);
}

HANDLER(parity_odd)
{
    put_u8(x, op->d, (u8)__builtin_parity(get_u8(x, op->a)));
    return next(op, x);
}

Handler *interp_parity(bool even)
{
    return even ? parity_even : parity_odd;
}
