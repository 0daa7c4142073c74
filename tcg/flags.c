/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic flags from the record of what produced them (see flags.h). Where the manual leaves a
 * flag undefined (AF after logic, shifts and multiplication; OF of long shifts) this file decides,
 * and every back end follows: AF = 0; OF of both shift kinds = top(pre) ^ top(res), which is the
 * manual's rule for a count of one.
 */
#include "tcg/flags.h"

static uint32_t parity(uint64_t v)
{
    return __builtin_parity((unsigned)(v & 0xff)) ? 0 : FLAG_PF;
}

typedef struct Operands { /* cut to size */
    uint64_t a, b, c, mask, top;
} Operands;

static uint32_t sign_zero_parity(uint64_t res, const Operands *o)
{
    return (res == 0 ? FLAG_ZF : 0) | (res & o->top ? FLAG_SF : 0) | parity(res);
}

/* Flags of res = x + y + carry, the carry being what makes the three agree. */
static uint32_t sum(const Operands *o, uint64_t x, uint64_t y, uint64_t res, bool carry)
{
    return sign_zero_parity(res, o) | (carry ? FLAG_CF : 0) | ((x ^ y ^ res) & FLAG_AF) |
           ((x ^ res) & (y ^ res) & o->top ? FLAG_OF : 0);
}

static uint32_t difference(const Operands *o, uint64_t x, uint64_t y, uint64_t res, bool borrow)
{
    return sign_zero_parity(res, o) | (borrow ? FLAG_CF : 0) | ((x ^ y ^ res) & FLAG_AF) |
           ((x ^ y) & (x ^ res) & o->top ? FLAG_OF : 0);
}

static uint32_t shift(const Operands *o, bool carry)
{
    return sign_zero_parity(o->a, o) | (carry ? FLAG_CF : 0) |
           ((o->a ^ o->b) & o->top ? FLAG_OF : 0);
}

static void cut(Operands *o, unsigned kind, uint64_t a, uint64_t b, uint64_t c)
{
    unsigned bits = 8u << (kind & 3);

    o->top = UINT64_C(1) << (bits - 1);
    o->mask = o->top | (o->top - 1);
    o->a = a & o->mask;
    o->b = b & o->mask;
    o->c = c & o->mask;
}

static uint32_t pack_main(const FlagsRecord *r)
{
    uint32_t word = flags_word(r);
    uint64_t a = r->a, b = r->b, x;
    Operands o;

    if (word & FLAGS_SHORT) {
        *(flags_short_is_a(word) ? &a : &b) = (uint64_t)(int64_t)flags_short(word);
    }
    cut(&o, r->kind, a, b, r->c);
    switch ((FlagsKind)((r->kind & FLAGS_KIND) / 4)) {
    case FLK_PACKED: return (uint32_t)a & FLAGS_ARITH;
    case FLK_ADD: return sum(&o, (o.a - o.b) & o.mask, o.b, o.a, o.a < o.b);
    case FLK_ADC:
        x = (o.a - o.b - o.c) & o.mask;
        return sum(&o, x, o.b, o.a, o.c ? o.a <= o.b : o.a < o.b);
    case FLK_SUB: x = (o.a + o.b) & o.mask; return difference(&o, x, o.b, o.a, x < o.b);
    case FLK_CMP: return difference(&o, o.a, o.b, (o.a - o.b) & o.mask, o.a < o.b);
    case FLK_SBB:
        x = (o.a + o.b + o.c) & o.mask;
        return difference(&o, x, o.b, o.a, o.c ? x <= o.b : x < o.b);
    case FLK_LOGIC: return sign_zero_parity(o.a, &o);
    case FLK_SHL: return shift(&o, o.b & o.top);
    case FLK_SHR: return shift(&o, o.b & 1);
    case FLK_MUL: return sign_zero_parity(o.a, &o) | (o.b ? FLAG_CF | FLAG_OF : 0);
    case FLK_NONE:
    case FLK_INC:
    case FLK_DEC:
    case FLK_ROTL:
    case FLK_ROTR: break;
    }
    return 0; /* a record that was never written, or a saved state gone bad */
}

static uint32_t pack_inc(const FlagsRecord *r)
{
    Operands o;

    cut(&o, r->inc_kind, r->inc, 0, 0);
    if (r->inc_kind / 4 == FLK_INC) {
        return sign_zero_parity(o.a, &o) | (o.a == o.top ? FLAG_OF : 0) |
               ((o.a & 15) == 0 ? FLAG_AF : 0);
    }
    return sign_zero_parity(o.a, &o) | (o.a == o.top - 1 ? FLAG_OF : 0) |
           ((o.a & 15) == 15 ? FLAG_AF : 0);
}

static uint32_t replace(uint32_t flags, uint32_t mask, uint32_t by)
{
    return (flags & ~mask) | (by & mask);
}

/* CF and OF of a rotate. */
static uint32_t pack_rot(const FlagsRecord *r)
{
    bool left = (r->rot_kind & FLAGS_ROT_KIND) / 4 == FLK_ROTL;
    uint64_t top, below;
    Operands o;

    cut(&o, r->rot_kind, r->rot, 0, 0);
    top = (o.a & o.top) != 0;
    below = (o.a & o.top >> 1) != 0;
    if (left) {
        return ((o.a & 1) ? FLAG_CF : 0) | ((o.a & 1) != top ? FLAG_OF : 0);
    }
    return (top ? FLAG_CF : 0) | (top != below ? FLAG_OF : 0);
}

uint32_t flags_pack(const FlagsRecord *r)
{
    uint32_t flags = pack_main(r), rot;

    if (!(r->kind & FLAGS_ON_TOP)) {
        return flags;
    }
    rot = r->rot_kind & FLAGS_ROT_KIND ? pack_rot(r) : 0;
    if (r->rot_kind & FLAGS_ROT_KIND) {
        flags = replace(flags, FLAG_CF | FLAG_OF, rot);
    }
    if (r->inc_kind != FLK_NONE) {
        flags = replace(flags, FLAGS_ARITH & ~FLAG_CF, pack_inc(r));
    }
    if (r->rot_kind & FLAGS_ROT_NEWER) {
        flags = replace(flags, FLAG_OF, rot);
    }
    flags = r->cf ? replace(flags, FLAG_CF, r->cf & 1) : flags;
    return r->rot_kind & FLAGS_OF_IS ? replace(flags, FLAG_OF, r->of & 1 ? FLAG_OF : 0) : flags;
}

bool flags_carry(const FlagsRecord *r)
{
    return (r->kind & FLAGS_ON_TOP) && r->cf ? r->cf & 1 : flags_pack(r) & FLAG_CF;
}

bool flags_overflow(const FlagsRecord *r)
{
    if (!(r->kind & FLAGS_ON_TOP)) {
        return flags_pack(r) & FLAG_OF;
    }
    if (r->rot_kind & FLAGS_OF_IS) {
        return r->of & 1;
    }
    return r->inc_kind && !(r->rot_kind & FLAGS_ROT_NEWER) ? pack_inc(r) & FLAG_OF
                                                           : flags_pack(r) & FLAG_OF;
}

bool flags_eval(uint32_t f, IrCc cc)
{
    bool r = false;

    switch (cc & ~1u) {
    case CC_O: r = f & FLAG_OF; break;
    case CC_B: r = f & FLAG_CF; break;
    case CC_Z: r = f & FLAG_ZF; break;
    case CC_BE: r = f & (FLAG_CF | FLAG_ZF); break;
    case CC_S: r = f & FLAG_SF; break;
    case CC_P: r = f & FLAG_PF; break;
    case CC_L: r = !(f & FLAG_SF) != !(f & FLAG_OF); break;
    case CC_LE: r = (f & FLAG_ZF) || !(f & FLAG_SF) != !(f & FLAG_OF); break;
    }
    return r ^ (cc & 1);
}

bool flags_test(const FlagsRecord *r, IrCc cc)
{
    switch (cc & ~1u) {
    case CC_B: return flags_carry(r) ^ (cc & 1);
    case CC_O: return flags_overflow(r) ^ (cc & 1);
    default: break;
    }
    return flags_eval(flags_pack(r), cc);
}

void flags_set_packed(FlagsRecord *r, uint32_t eflags)
{
    r->kind = FLK_PACKED * 4;
    r->a = eflags & FLAGS_ARITH;
}

FlagsKind flags_kind_of_op(IrOpcode fl)
{
    switch (fl) {
    case OP_fl_add: return FLK_ADD;
    case OP_fl_adc: return FLK_ADC;
    case OP_fl_sub: return FLK_SUB;
    case OP_fl_cmp: return FLK_CMP;
    case OP_fl_sbb: return FLK_SBB;
    case OP_fl_logic: return FLK_LOGIC;
    case OP_fl_inc: return FLK_INC;
    case OP_fl_dec: return FLK_DEC;
    case OP_fl_shl: return FLK_SHL;
    case OP_fl_shr: return FLK_SHR;
    case OP_fl_mul: return FLK_MUL;
    case OP_fl_packed: return FLK_PACKED;
    default: return FLK_NONE;
    }
}
