/* SPDX-License-Identifier: MIT */
/*
 * Each guest instruction draws from its own random stream, so that leaving one out changes the
 * others little. Values stay in a pool across instructions to make lives overlap.
 */
#include "tests/tcg/random-ir.h"

#define POOL 48

typedef struct Gen {
    IrBlock *ir;
    uint64_t rng;
    unsigned mask;
    IrRef pool[IR_NTYPES][POOL];
    unsigned n[IR_NTYPES];
    bool fp_started;
} Gen;

static unsigned below(Gen *g, unsigned n)
{
    return (unsigned)(harness_random(&g->rng) >> 16) % n;
}

static IrRef keep(Gen *g, IrRef v)
{
    unsigned type = ir_type(g->ir, v);

    g->pool[type][g->n[type]++ % POOL] = v;
    return v;
}

static IrType int_type(Gen *g)
{
    return (IrType)(I8 + below(g, 4));
}

static const uint64_t host_bytes[] = { 0x0123456789abcdef, 0x8000000080008080, UINT64_MAX, 7 };

static IrRef fresh_int(Gen *g, IrType type)
{
    unsigned bytes = ir_type_info[type].bytes;

    switch (below(g, 5)) {
    case 0:
        if (below(g, 8) == 0) {
            return ir_ld_host(g->ir, type, (const uint8_t *)host_bytes + below(g, 24));
        }
        return ir_const(g->ir, type, harness_random(&g->rng) >> below(g, 64));
    case 1: return ir_get(g->ir, type, S_U0 + below(g, 8), type == I8 ? below(g, 2) : 0);
    case 2:
        if (type == I8) {
            return ir_get(g->ir, I8, S_B0 + below(g, 2), 0);
        }
        if (type == I32) {
            return ir_get(g->ir, I32, S_B0 + 2 + below(g, 2), 0);
        }
        return ir_get(g->ir, type, S_U0 + below(g, 8), bytes == 8 ? 0 : bytes * below(g, 2));
    default: return ir_get(g->ir, type, S_R0 + below(g, 16), type == I8 ? below(g, 2) : 0);
    }
}

static IrRef fresh(Gen *g, IrType type)
{
    IrBlock *ir = g->ir;

    switch (type) {
    case I1: {
        IrType t = int_type(g);
        return ir_setcond(ir, (IrCond)below(g, 10), fresh_int(g, t), fresh_int(g, t));
    }
    case F32: return ir_bitcast(ir, F32, fresh_int(g, I32));
    case F64: return ir_bitcast(ir, F64, fresh_int(g, I64));
    case F80: return ir_get(ir, F80, S_F0 + below(g, 4), 0);
    case V128:
        return below(g, 4) ? ir_get(ir, V128, S_V0 + below(g, 16), 0)
                           : ir_get(ir, V128, S_W0 + below(g, 2), 0);
    case V256:
        return below(g, 8) ? ir_get(ir, V256, S_V0 + below(g, 16), 0)
                           : ir_const(ir, V256, below(g, 2) ? 0 : harness_random(&g->rng));
    case FLAGS: return ir_getflags(ir);
    default: return fresh_int(g, type);
    }
}

static IrRef value(Gen *g, IrType type)
{
    unsigned n = MIN(g->n[type], POOL);

    if (n && below(g, 3)) {
        return g
            ->pool[type][below(g, 4) ? (g->n[type] - 1 - below(g, MIN(n, 4))) % POOL : below(g, n)];
    }
    return keep(g, fresh(g, type));
}

/* -- Integers -------------------------------------------------------------------------------------
 */

static void int_op(Gen *g)
{
    static const IrOpcode bins[] = { OP_add, OP_sub, OP_mul, OP_mulhu, OP_mulhs,
                                     OP_and, OP_or,  OP_xor, OP_andn };
    IrBlock *ir = g->ir;
    IrType t = int_type(g), big = (IrType)(I16 + below(g, 3));

    if (below(g, 16) == 0) {
        IrType wide = below(g, 2) ? I32 : I64;
        keep(g, ir_bin(ir, below(g, 2) ? OP_pdep : OP_pext, value(g, wide), value(g, wide)));
        return;
    }
    switch (below(g, 14)) {
    case 0: keep(g, ir_un(ir, below(g, 2) ? OP_neg : OP_not, value(g, t))); break;
    case 1:
    case 2:
        keep(g, ir_shift(ir, (IrOpcode)(OP_shl + below(g, 5)), value(g, t), value(g, I8)));
        break;
    case 3:
        keep(g, ir_tri(ir, below(g, 2) ? OP_fshl : OP_fshr, value(g, big), value(g, big),
                       value(g, I8)));
        break;
    case 4: keep(g, ir_bswap(ir, value(g, below(g, 2) ? I32 : I64))); break;
    case 5: keep(g, ir_un(ir, (IrOpcode)(OP_clz + below(g, 3)), value(g, big))); break;
    case 6: {
        IrType from = (IrType)(I1 + below(g, big - I1));
        keep(g, ir_cvt(ir, below(g, 2) ? OP_zext : OP_sext, big, value(g, from)));
        break;
    }
    case 7: keep(g, ir_trunc(ir, (IrType)(I8 + below(g, big - I8)), value(g, big))); break;
    case 8:
        keep(g, ir_lea(ir, value(g, big), below(g, 3) ? value(g, big) : IR_NONE, below(g, 4),
                       (int32_t)harness_random(&g->rng) >> below(g, 32)));
        break;
    case 9: keep(g, ir_setcond(ir, (IrCond)below(g, 10), value(g, t), value(g, t))); break;
    case 10: {
        static const IrType types[] = { I8, I16, I32, I64, V128, F64 };
        IrType st = types[below(g, g->mask & GEN_VEC ? 6 : 4)];
        keep(g, ir_select(ir, value(g, I1), value(g, st), value(g, st)));
        break;
    }
    case 11: { /* mostly no overflow: the high half from the sign or zero */
        bool is_signed = below(g, 2);
        IrRef lo = value(g, t), hi, q;
        hi = below(g, 8) == 0 ? value(g, t)
             : is_signed      ? ir_sar(ir, lo, ir_const(ir, I8, ir_type_info[t].bits - 1))
                              : ir_const(ir, t, 0);
        q = is_signed
                ? ir_divs2(ir, hi, lo, ir_or(ir, value(g, t), ir_const(ir, t, below(g, 8) != 0)), 7)
                : ir_divu2(ir, hi, lo, ir_or(ir, value(g, t), ir_const(ir, t, below(g, 8) != 0)),
                           6);
        if (below(g, 2)) {
            keep(g, ir_second(ir, q));
        }
        keep(g, q);
        break;
    }
    default: keep(g, ir_bin(ir, bins[below(g, G_N_ELEMENTS(bins))], value(g, t), value(g, t)));
    }
}

/* -- Flags ----------------------------------------------------------------------------------------
 */

static IrRef new_bundle(Gen *g)
{
    IrBlock *ir = g->ir;
    IrType t = int_type(g);
    IrRef x = value(g, t), y = value(g, t), c, r;

    switch (below(g, 16)) {
    case 0: return ir_fl_add(ir, ir_add(ir, x, y), y);
    case 1:
        c = ir_and(ir, value(g, t), ir_const(ir, t, 1));
        return ir_fl_adc(ir, ir_add(ir, ir_add(ir, x, y), c), y, c);
    case 2:
    case 3:
        r = ir_sub(ir, x, y);
        keep(g, r);
        return ir_fl_sub(ir, r, y);
    case 4: return ir_fl_cmp(ir, x, y);
    case 5:
        c = ir_and(ir, value(g, t), ir_const(ir, t, 1));
        return ir_fl_sbb(ir, ir_sub(ir, ir_sub(ir, x, y), c), y, c);
    case 6: return ir_fl_logic(ir, ir_and(ir, x, y));
    case 7: return ir_fl_inc(ir, ir_add(ir, x, ir_const(ir, t, 1)), value(g, FLAGS));
    case 8: return ir_fl_dec(ir, ir_sub(ir, x, ir_const(ir, t, 1)), value(g, FLAGS));
    case 9: return ir_fl_shl(ir, ir_shl(ir, x, ir_const(ir, I8, 1)), x);
    case 10: return ir_fl_shr(ir, ir_sar(ir, x, ir_const(ir, I8, 1)), x);
    case 11: return ir_fl_mul(ir, x, y);
    case 12:
        if (below(g, 2)) {
            IrRef a = value(g, FLAGS), b = value(g, FLAGS);
            return ir_fl_select(ir, value(g, below(g, 2) ? I1 : I8), a, b);
        }
        return ir_fl_setcf(ir, value(g, I1), value(g, FLAGS));
    case 13:
        if (below(g, 2)) {
            return ir_fl_setof(ir, value(g, I1), value(g, FLAGS));
        }
        return ir_fl_setzf(ir, value(g, I1), value(g, FLAGS));
    case 14:
        return below(g, 2) ? ir_fl_rotl(ir, x, value(g, FLAGS))
                           : ir_fl_rotr(ir, x, value(g, FLAGS));
    default: return ir_fl_packed(ir, value(g, I32));
    }
}

static void flags_op(Gen *g)
{
    switch (below(g, 4)) {
    case 0: keep(g, ir_fl_pack(g->ir, value(g, FLAGS))); break;
    case 1: keep(g, ir_fl_test(g->ir, (IrCc)below(g, 16), value(g, FLAGS))); break;
    default: keep(g, new_bundle(g));
    }
}

/* -- Memory ---------------------------------------------------------------------------------------
 */

/* Mostly inside memory; now and then anywhere near its end. */
static IrRef guest_address(Gen *g)
{
    IrBlock *ir = g->ir;
    IrRef a = value(g, I64);
    uint64_t mask = below(g, 8) ? 0x2ff8 : 0x7fff;

    a = ir_and(ir, a, ir_const(ir, I64, mask));
    return ir_add(ir, a, ir_const(ir, I64, FAKE_BASE));
}

static IrType mem_type(Gen *g)
{
    static const IrType types[] = { I8, I16, I32, I64, V128, F32, F64, F80 };

    if ((g->mask & GEN_V256) && below(g, 3) == 0) {
        return V256;
    }
    return types[below(g, g->mask & GEN_X87   ? 8
                          : g->mask & GEN_SSE ? 7
                          : g->mask & GEN_VEC ? 5
                                              : 4)];
}

static void mem_op(Gen *g)
{
    IrBlock *ir = g->ir;
    IrRef a = guest_address(g);
    unsigned flags =
        below(g, 3) | (below(g, 16) == 0 ? MEM_ALIGN : 0) | (below(g, 4) == 0 ? MEM_BY_SP : 0);
    int32_t disp = below(g, 2) ? 0 : (int32_t)below(g, 64) - 16;
    IrType t = mem_type(g);

    if (t == F80) {
        flags &= ~(unsigned)MEM_ALIGN;
    }
    switch (below(g, 8)) {
    case 0:
        if (below(g, 4) == 0) {
            ir_probe(ir, a, disp, 1 + below(g, 64), below(g, 2),
                     flags & (MEM_MMU_MASK | MEM_BY_SP));
            break;
        } /* fall through */
    case 1:
    case 2: ir_st(ir, value(g, t), a, disp, flags); break;
    case 3:
        if (g->mask & GEN_RMW) {
            t = int_type(g);
            flags |= below(g, 2) ? MEM_LOCK : 0;
            keep(g, below(g, 4) ? ir_rmw(ir, (IrOpcode)(OP_rmw_add + below(g, 7)), value(g, t), a,
                                         disp, flags)
                                : ir_rmw_cas(ir, value(g, t), value(g, t), a, disp, flags));
            break;
        } /* fall through */
    default: keep(g, ir_ld(ir, t, a, disp, flags));
    }
}

/* -- Calls, vectors, floating point ---------------------------------------------------------------
 */

static void call_op(Gen *g)
{
    IrBlock *ir = g->ir;

    switch (below(g, 10)) {
    case H_ADD: keep(g, ir_call(ir, H_ADD, value(g, I64), value(g, I64), 0, 0)); break;
    case H_MIX:
        keep(g, ir_call(ir, H_MIX, value(g, I32), value(g, I32), value(g, I32), value(g, I32)));
        break;
    case H_VXOR:
        if (g->mask & GEN_VEC) {
            keep(g, ir_call(ir, H_VXOR, value(g, V128), value(g, V128), 0, 0));
        }
        break;
    case H_TOUCH: ir_call(ir, H_TOUCH, 0, 0, 0, 0); break;
    case H_MAYBE_FAULT: ir_call(ir, H_MAYBE_FAULT, value(g, I64), 0, 0, 0); break;
    case H_READ_FLAGS: keep(g, ir_call(ir, H_READ_FLAGS, 0, 0, 0, 0)); break;
    case H_WRITE_FLAGS: ir_call(ir, H_WRITE_FLAGS, value(g, I32), 0, 0, 0); break;
    case H_POKE: ir_call(ir, H_POKE, value(g, I64), 0, 0, 0); break;
    case H_ROOT: keep(g, ir_call(ir, H_ROOT, value(g, I64), 0, 0, 0)); break;
    case H_HASH_REGS: keep(g, ir_call(ir, H_HASH_REGS, 0, 0, 0, 0)); break;
    }
}

/* Rows of vector ops and the lanes they have. */
static const struct {
    uint8_t op, lanes; /* bit per lane */
} vbins[] = {
    { OP_vadd, 15 },     { OP_vsub, 15 },      { OP_vadds, 3 },     { OP_vaddus, 3 },   { OP_vsubs, 3 },
    { OP_vsubus, 3 },    { OP_vmullo, 6 },     { OP_vmulhs, 2 },    { OP_vmulhu, 2 },   { OP_vmulud, 8 },
    { OP_vmadd, 2 },     { OP_vsad, 1 },       { OP_vavg, 3 },      { OP_vminu, 7 },    { OP_vmins, 7 },
    { OP_vmaxu, 7 },     { OP_vmaxs, 7 },      { OP_vcmpeq, 15 },   { OP_vcmpgt, 15 },  { OP_vand, 8 },
    { OP_vor, 8 },       { OP_vxor, 8 },       { OP_vandn, 8 },     { OP_vunpacklo, 15 },
    { OP_vunpackhi, 15 }, { OP_vpackss, 6 },   { OP_vpackus, 6 },   { OP_vshl, 14 },    { OP_vshr, 14 },
    { OP_vsar, 6 },      { OP_vshufb, 1 },     { OP_vhadd, 6 },     { OP_vhsub, 6 },    { OP_vhadds, 2 },
    { OP_vhsubs, 2 },    { OP_vmaddub, 2 },    { OP_vmulhrs, 2 },   { OP_vmulsd, 8 },   { OP_vsign, 7 },
    { OP_aesenc, 8 },    { OP_aesenclast, 8 }, { OP_aesdec, 8 },    { OP_aesdeclast, 8 },
    { OP_sha1nexte, 4 }, { OP_sha1msg1, 4 },   { OP_sha1msg2, 4 },  { OP_sha256msg1, 4 },
    { OP_sha256msg2, 4 },
}, vuns[] = {
    { OP_vabs, 7 },      { OP_vminpos, 2 },    { OP_aesimc, 8 },
}, vimm2s[] = {
    { OP_valign, 1 },    { OP_vblend, 14 },    { OP_vinsertps, 4 }, { OP_vmpsad, 1 },   { OP_vclmul, 8 },
    { OP_sha1rnds4, 4 },
}, vimms[] = {
    { OP_vshli, 14 }, { OP_vshri, 14 }, { OP_vsari, 6 }, { OP_vbshl, 1 }, { OP_vbshr, 1 },
    { OP_vshuf, 4 },  { OP_vshuflo, 2 }, { OP_vshufhi, 2 },
};

static unsigned pick_lane(Gen *g, unsigned lanes)
{
    unsigned lane;

    do {
        lane = below(g, 4);
    } while (!(lanes & 1u << lane));
    return lane;
}

static void vec_op(Gen *g)
{
    IrBlock *ir = g->ir;
    unsigned k, lane = below(g, 4);

    switch (below(g, 14)) {
    case 10:
        k = below(g, G_N_ELEMENTS(vuns));
        keep(g, ir_vun(ir, (IrOpcode)vuns[k].op, pick_lane(g, vuns[k].lanes), value(g, V128)));
        break;
    case 11:
        k = below(g, G_N_ELEMENTS(vimm2s));
        keep(g, ir_vimm2(ir, (IrOpcode)vimm2s[k].op, pick_lane(g, vimm2s[k].lanes), value(g, V128),
                         value(g, V128), below(g, vimm2s[k].op == OP_valign ? 40 : 256)));
        break;
    case 12:
        lane = below(g, 3);
        keep(g, ir_vimm(ir, below(g, 2) ? OP_vsext : OP_vzext, lane, value(g, V128),
                        lane + 1 + below(g, 3 - lane)));
        break;
    case 13:
        if (below(g, 3) == 0) {
            keep(g, ir_vtest(ir, value(g, V128), value(g, V128)));
        } else if (below(g, 2)) {
            keep(g, ir_vimm(ir, OP_aeskeygen, 3, value(g, V128), below(g, 256)));
        } else {
            keep(g, ir_sha256rnds2(ir, value(g, V128), value(g, V128), value(g, V128)));
        }
        break;
    case 0: {
        static const unsigned lanes[] = { 0, 2, 3 };
        keep(g, ir_vmovmsk(ir, lanes[below(g, 3)], value(g, V128)));
        break;
    }
    case 1: keep(g, ir_vextract(ir, lane, value(g, V128), below(g, 16u >> lane))); break;
    case 2:
        keep(g, ir_vinsert(ir, lane, value(g, V128), value(g, (IrType)(I8 + lane)),
                           below(g, 16u >> lane)));
        break;
    case 3: keep(g, ir_vfromint(ir, value(g, below(g, 2) ? I32 : I64))); break;
    case 4:
        lane = 2 + below(g, 2);
        keep(g, ir_vshuf2(ir, lane, value(g, V128), value(g, V128), below(g, lane == 2 ? 256 : 4)));
        break;
    case 5:
    case 6:
        k = below(g, G_N_ELEMENTS(vimms));
        keep(g, ir_vimm(ir, (IrOpcode)vimms[k].op, pick_lane(g, vimms[k].lanes), value(g, V128),
                        vimms[k].op >= OP_vshuf ? below(g, 256) : below(g, 70)));
        break;
    default:
        k = below(g, G_N_ELEMENTS(vbins));
        keep(g, ir_vbin(ir, (IrOpcode)vbins[k].op, pick_lane(g, vbins[k].lanes), value(g, V128),
                        value(g, V128)));
    }
}

static void sse_op(Gen *g)
{
    static const IrType types[] = { F32, F64, V128 };
    IrBlock *ir = g->ir;
    IrType t = types[below(g, 3)], s = types[below(g, 2)];
    unsigned lane = 2 + below(g, 2);

    switch (below(g, 12)) {
    case 10: keep(g, ir_fround(ir, lane, value(g, t), below(g, 16))); break;
    case 11: keep(g, ir_fbin(ir, OP_faddsub, lane, value(g, V128), value(g, V128))); break;
    case 0: keep(g, ir_fun(ir, OP_fsqrt, lane, value(g, t))); break;
    case 1: keep(g, ir_fcmp(ir, lane, value(g, t), value(g, t), below(g, 8))); break;
    case 2: keep(g, ir_fcomi(ir, value(g, s), value(g, s), below(g, 2))); break;
    case 3: keep(g, ir_cvt_f2f(ir, s == F32 ? F64 : F32, value(g, s))); break;
    case 4: keep(g, ir_cvt_i2f(ir, s, value(g, below(g, 2) ? I32 : I64))); break;
    case 5: keep(g, ir_cvt_f2i(ir, below(g, 2) ? I32 : I64, value(g, s), below(g, 2))); break;
    case 6: keep(g, ir_vcvt(ir, (IrVcvt)below(g, 8), value(g, V128))); break;
    case 7:
        if (below(g, 4) == 0) {
            keep(g, ir_getmxcsr(ir));
            break;
        } /* fall through */
    default:
        keep(g, ir_fbin(ir, (IrOpcode)(OP_fadd + below(g, 6)), lane, value(g, t), value(g, t)));
    }
}

static void x87_op(Gen *g)
{
    static const IrType ints[] = { I16, I32, I64 };
    IrBlock *ir = g->ir;

    switch (below(g, 9)) {
    case 0: keep(g, ir_fun(ir, OP_fsqrt, 0, value(g, F80))); break;
    case 1: keep(g, ir_fun(ir, OP_fround, 0, value(g, F80))); break;
    case 2: keep(g, ir_fcomi(ir, value(g, F80), value(g, F80), below(g, 2))); break;
    case 3: keep(g, ir_cvt_f2f(ir, F80, value(g, below(g, 2) ? F32 : F64))); break;
    case 4: keep(g, ir_cvt_f2f(ir, below(g, 2) ? F32 : F64, value(g, F80))); break;
    case 5: keep(g, ir_cvt_i2f(ir, F80, value(g, ints[below(g, 3)]))); break;
    case 6: keep(g, ir_cvt_f2i(ir, ints[below(g, 3)], value(g, F80), below(g, 2))); break;
    default:
        keep(g, ir_fbin(ir, (IrOpcode)(OP_fadd + below(g, 4)), 0, value(g, F80), value(g, F80)));
    }
}

static void wide_op(Gen *g)
{
    static const uint8_t forms[] = { 0x96, 0x98, 0x9a, 0x9c, 0x9e, 0xa7, 0xaa, 0xb8, 0xbe };
    IrBlock *ir = g->ir;
    IrType t = below(g, 2) ? V128 : V256;
    unsigned k, lane = 2 + below(g, 2), imm = below(g, 256);

    switch (below(g, 24)) {
    case 0: ir_vzeroupper(ir); break;
    case 1: keep(g, ir_zext(ir, V256, value(g, V128))); break;
    case 2: keep(g, ir_trunc(ir, V128, value(g, V256))); break;
    case 3: keep(g, ir_vbcast(ir, t, below(g, 4), value(g, V128))); break;
    case 4: keep(g, ir_vbcast(ir, V256, 4, value(g, V128))); break;
    case 5: keep(g, ir_vinserth(ir, value(g, V256), value(g, V128), imm & 1)); break;
    case 6: keep(g, ir_vextracth(ir, value(g, V256), imm & 1)); break;
    case 7: {
        unsigned from = below(g, 3);
        keep(g, ir_vwiden(ir, imm & 1, from, from + 1 + below(g, 3 - from), value(g, V128)));
        break;
    }
    case 8: keep(g, ir_vlane2(ir, 3, value(g, V256), value(g, V256), imm)); break;
    case 9: keep(g, ir_vpermq(ir, 3, value(g, V256), imm)); break;
    case 10: keep(g, ir_vpermd(ir, 2, value(g, V256), value(g, V256))); break;
    case 11: keep(g, ir_vpermil(ir, lane, value(g, t), value(g, t))); break;
    case 12: keep(g, ir_vshlv(ir, lane, value(g, t), value(g, t))); break;
    case 13: keep(g, ir_vshrv(ir, lane, value(g, t), value(g, t))); break;
    case 14: keep(g, ir_vsarv(ir, 2, value(g, t), value(g, t))); break;
    case 15: {
        static const uint8_t lanes[] = { 0, 2, 3 };
        keep(g, ir_vselect(ir, lanes[below(g, 3)], value(g, t), value(g, t), value(g, t)));
        break;
    }
    case 16: keep(g, ir_vmovlo(ir, value(g, V128), value(g, below(g, 2) ? F32 : F64))); break;
    case 17: keep(g, ir_vmovmsk(ir, below(g, 2) ? lane : 0, value(g, V256))); break;
    case 18:
        k = below(g, G_N_ELEMENTS(vimms));
        keep(g, ir_vimm(ir, (IrOpcode)vimms[k].op, pick_lane(g, vimms[k].lanes), value(g, V256),
                        vimms[k].op >= OP_vshuf ? below(g, 256) : below(g, 70)));
        break;
    case 19:
        if (g->mask & GEN_SSE) {
            keep(g, ir_fma(ir, lane, value(g, t), value(g, t), value(g, t),
                           forms[below(g, G_N_ELEMENTS(forms))]));
        }
        break;
    case 20:
        if (g->mask & GEN_SSE) {
            keep(g, ir_fbin(ir, (IrOpcode)(OP_fadd + below(g, 6)), 2 + lane, value(g, V128),
                            value(g, below(g, 2) ? V128
                                     : lane == 2 ? F32
                                                 : F64)));
        }
        break;
    case 21:
        if (g->mask & GEN_SSE) {
            keep(g, ir_fcmp(ir, lane, value(g, t), value(g, t), below(g, 32)));
            keep(g, ir_fbin(ir, (IrOpcode)(OP_fadd + below(g, 6)), lane, value(g, V256),
                            value(g, V256)));
        }
        break;
    case 22:
        if (g->mask & GEN_SSE) {
            IrVcvt kind = (IrVcvt)below(g, VCVT_PS2PH + 1);
            bool narrows = kind == VCVT_PD2DQ || kind == VCVT_TPD2DQ || kind == VCVT_PD2PS ||
                           kind == VCVT_PS2PH;
            bool widens = kind == VCVT_DQ2PD || kind == VCVT_PS2PD || kind == VCVT_PH2PS;
            keep(g, ir_vcvt_to(ir, kind, narrows ? V128 : V256, value(g, widens ? V128 : V256),
                               kind == VCVT_PS2PH ? below(g, 8) : 0));
        }
        break;
    default: do { k = below(g, G_N_ELEMENTS(vbins));
        } while (vbins[k].op >= OP_aesenc && vbins[k].op <= OP_sha256msg2);
        lane = pick_lane(g, vbins[k].lanes);
        keep(g, ir_vbin(ir, (IrOpcode)vbins[k].op, lane, value(g, V256),
                        value(g, vbins[k].op >= OP_vshl && vbins[k].op <= OP_vsar ? V128 : V256)));
    }
}

/* -- Instructions ---------------------------------------------------------------------------------
 */

static void one_op(Gen *g)
{
    static void (*const makers[])(Gen *) = { int_op, flags_op, mem_op, call_op,
                                             vec_op, sse_op,   x87_op };
    unsigned k;

    if (below(g, 2)) {
        int_op(g);
        return;
    }
    if ((g->mask & GEN_V256) && below(g, 2)) {
        wide_op(g);
        return;
    }
    do {
        k = below(g, G_N_ELEMENTS(makers));
    } while (!(g->mask & 1u << k));
    makers[k](g);
}

static void commit_op(Gen *g)
{
    IrBlock *ir = g->ir;
    IrType t = int_type(g);

    if ((g->mask & GEN_V256) && below(g, 2)) {
        IrRef v = value(g, below(g, 2) ? V128 : V256);
        if (below(g, 2) && ir_type(ir, v) == V128) {
            v = ir_zext(ir, V256, v);
        }
        ir_set(ir, S_V0 + below(g, 16), 0, v);
        return;
    }
    switch (below(g, 8)) {
    case 0: ir_set(ir, S_U0 + below(g, 8), 0, value(g, t)); break;
    case 1: ir_set(ir, S_R0 + below(g, 16), below(g, 2), value(g, I8)); break;
    case 2: ir_set(ir, S_R0 + below(g, 16), 0, ir_zext(ir, I64, value(g, I32))); break;
    case 3:
        if (g->mask & GEN_VEC) {
            ir_set(ir, below(g, 4) ? S_V0 + below(g, 16) : S_W0 + below(g, 2), 0, value(g, V128));
            break;
        } /* fall through */
    case 4:
        if (g->mask & GEN_X87) {
            ir_set(ir, S_F0 + below(g, 4), 0, value(g, F80));
            break;
        }
        if (g->mask & GEN_SSE) {
            ir_set(ir, S_V0 + below(g, 16), 8 * below(g, 2), value(g, F64));
            break;
        } /* fall through */
    case 5: ir_set(ir, S_B0 + below(g, 2), 0, value(g, I8)); break;
    default: ir_set(ir, S_R0 + below(g, 16), 0, value(g, t));
    }
}

static void side_exit(Gen *g, uint32_t offset)
{
    IrBlock *ir = g->ir;

    switch (below(g, 6)) {
    case 0: ir_trap_if(ir, value(g, I1), 20 + below(g, 4)); break;
    case 1: ir_exit_if(ir, value(g, I1), 30 + below(g, 4)); break;
    default: break;
    }
}

static void instruction(Gen *g, uint32_t offset)
{
    IrBlock *ir = g->ir;
    unsigned nops = 1 + below(g, 4), nsets = below(g, 3);
    bool checks_fp = (g->mask & GEN_SSE) && below(g, 4) == 0;

    ir_insn(ir, offset);
    if (checks_fp) {
        ir_fpclear(ir);
    }
    for (unsigned i = 0; i < nops; i++) {
        one_op(g);
    }
    if (checks_fp) {
        ir_fpcheck(ir, 19);
    }
    if ((g->mask & GEN_CONTROL) && below(g, 6) == 0) {
        side_exit(g, offset);
    }
    for (unsigned i = 0; i < nsets; i++) {
        commit_op(g);
    }
    if ((g->mask & GEN_FLAGS) && below(g, 2)) {
        ir_setflags(ir, value(g, FLAGS));
    }
    if ((g->mask & GEN_CONTROL) && below(g, 6) == 0 && ir->nlinks < IR_MAX_LINKS - 2) {
        ir_goto_if(ir, value(g, I1), offset + 0x40 + below(g, 64));
    }
}

static void end(Gen *g, uint32_t offset)
{
    IrBlock *ir = g->ir;

    switch (g->mask & GEN_CONTROL ? below(g, 5) : 4) {
    case 0: ir_jump(ir, value(g, I64), (IrJumpKind)below(g, 4), below(g, 2)); break;
    case 1:
        ir_set(ir, S_PC, 0, value(g, I64));
        ir_exit(ir, 40 + below(g, 4));
        break;
    case 2: ir_trap(ir, 50 + below(g, 4)); break;
    default: ir_goto(ir, offset);
    }
}

unsigned random_mask(const char *backend)
{
    bool wide = tcg_features(backend) & TCG_HAS_V256;

    return wide ? GEN_ALL : GEN_ALL & ~(unsigned)GEN_V256;
}

uint32_t random_flags_word(uint64_t seed)
{
    uint32_t kind = (uint32_t)(seed % 60);

    return seed % 7 < 3 ? kind | FLAGS_SHORT | (uint32_t)(seed * 0x9e3779b9) << 8 : kind;
}

void random_block(IrBlock *ir, uint64_t seed, unsigned mask, unsigned ninsns, uint64_t keep_insns)
{
    Gen g = { .ir = ir, .mask = mask | GEN_INT };
    uint32_t offset = 0x100;

    ir_block_reset(ir, offset);
    ir->flags_hint = random_flags_word(seed);
    for (unsigned i = 0; i <= ninsns; i++, offset += 4) {
        g.rng = seed * 1000003 + i;
        if (i == ninsns) {
            if (ir->ninsns == 0) {
                ir_insn(ir, offset);
            }
            end(&g, offset);
        } else if (keep_insns >> i & 1) {
            instruction(&g, offset);
        }
    }
}
