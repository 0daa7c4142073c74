/* SPDX-License-Identifier: MIT */
/*
 * The C side of the thunks. x64_mem_refill() runs with the guest's vector registers live and is
 * compiled for general registers only, as is what it calls.
 */
#include "tcg/x86_64/gen.h"

#include "tcg/bits.h"

#include <string.h>
#include <xmmintrin.h>

#include "tcg/softfloat.h"
#include "tcg/vec-soft.h"

#define GENERAL_REGS __attribute__((target("general-regs-only")))
#include "tcg/native/direct.h"

static void *at(void *env, int32_t off)
{
    return (uint8_t *)env + off;
}

/* -- Memory ----------------------------------------------------------------------------------- */

/* Where the thunk saved what a place names; constants: at *extra. */
GENERAL_REGS static void *place(void *env, const X86Backend *be, uint8_t p, const uint64_t **extra)
{
    if (p == PLACE_CONST) {
        return (void *)(uintptr_t)(*extra)++;
    }
    if (p == PLACE_ENV) {
        return (uint8_t *)env + *(*extra)++;
    }
    if (p >= PLACE_SPILL) {
        return (uint8_t *)env + be->layout->scratch + SCR_SPILL + (p - PLACE_SPILL) * 8;
    }
    return (uint8_t *)env + be->reg_home[p] + ENV_BIAS;
}

GENERAL_REGS static void describe(void *env, SlowAccess *s, const MemShape *d, const X86Backend *be)
{
    const uint64_t *none = NULL;
    uint64_t addr = *(uint64_t *)place(env, be, d->addr, &none);

    s->addr = addr + (uint64_t)(int64_t)d->disp;
    s->op = d->op;
    s->type = d->type;
    s->flags = d->flags;
    s->is_write = d->is_write;
    s->size = d->size;
}

GENERAL_REGS static void *done(const MemSite *m)
{
    return (uint8_t *)(uintptr_t)m->retry + m->shape->length;
}

/* Does all that the check covers lie in one page? */
GENERAL_REGS static bool group_in_page(const SlowAccess *s, const MemShape *d)
{
    uint64_t lo = s->addr - d->below;

    return (lo & 0xfff) + d->span <= 4096;
}

GENERAL_REGS static bool is_direct(const MemShape *d)
{
    switch (d->op) {
    case OP_probe: return true;
    case OP_st:
    case OP_rmw_add:
    case OP_rmw_sub:
    case OP_rmw_and:
    case OP_rmw_or:
    case OP_rmw_xor:
    case OP_rmw_xadd:
    case OP_rmw_xchg: return d->type <= I64;
    default: return false;
    }
}

/* A store that only the page's code kept translated code from doing itself. */
GENERAL_REGS static bool store_direct(void *env, const MemShape *d, const X86Backend *be)
{
    const SlowAccess *s = (SlowAccess *)((uint8_t *)env + be->layout->slow);
    const uint64_t *extra = d->extra;
    uint64_t b, old, v;
    Any *host;

    if (!be->layout->mem_direct || be->layout->parallel || !is_direct(d)) {
        return false;
    }
    host = be->layout->mem_direct(env);
    if (!host || d->op == OP_probe) {
        return host;
    }
    b = load(place(env, be, d->value, &extra), 8);
    if (d->op == OP_st) {
        store(host, s->size, b);
        return true;
    }
    old = load(host, s->size);
    v = combined(d->op, old, b);
    store(host, s->size, v);
    if (d->dst != PLACE_NONE) {
        v = d->op == OP_rmw_xadd || d->op == OP_rmw_xchg ? old : load(host, s->size);
        store(place(env, be, d->dst, &extra), d->dst < 16 ? be->reg_bytes[d->dst] : 8, v);
    }
    return true;
}

/* What vector register @n has, to @to. */
GENERAL_REGS static void keep_vector(unsigned n, bool wide, void *to)
{
#define KEEP(n)                                                                   \
    case n:                                                                       \
        if (wide)                                                                 \
            __asm__ volatile("vmovups %%ymm" #n ", (%0)" : : "r"(to) : "memory"); \
        else                                                                      \
            __asm__ volatile("movups %%xmm" #n ", (%0)" : : "r"(to) : "memory");  \
        break
    switch (n) {
        KEEP(0);
        KEEP(1);
        KEEP(2);
        KEEP(3);
        KEEP(4);
        KEEP(5);
        KEEP(6);
        KEEP(7);
        KEEP(8);
        KEEP(9);
        KEEP(10);
        KEEP(11);
        KEEP(12);
        KEEP(13);
        KEEP(14);
        KEEP(15);
    }
#undef KEEP
}

/* A vector that crosses a page. What is to be loaded lies in one piece afterwards, and there the
 * code finds it by an addend of its own. */
GENERAL_REGS static void *across(void *env, const MemSite *m, const X86Backend *be)
{
    const SlowAccess *s = (SlowAccess *)((uint8_t *)env + be->layout->slow);
    const MemShape *d = m->shape;
    const uint64_t *none = NULL;

    if (!be->layout->mem_across) {
        return NULL;
    }
    if (d->op == OP_st && d->size >= 16 && d->value >= 16 && d->value < 32) {
        keep_vector(d->value - 16u, d->size == 32, (void *)(uintptr_t)s->value);
        return be->layout->mem_across(env) ? done(m) : NULL;
    }
    if (d->op != OP_ld || !d->checked || !be->layout->mem_across(env)) {
        return NULL;
    }
    *(uint64_t *)place(env, be, d->compare, &none) = (uintptr_t)s->value - s->addr;
    return (uint8_t *)(uintptr_t)m->retry + d->checked;
}

GENERAL_REGS static RestOfBlock *rest_at(void *env, const uint8_t *site, const X86Backend *be)
{
    RestOfBlock *r = (RestOfBlock *)((uint8_t *)env + be->layout->scratch + SCR_REST);
    uint64_t n = (uintptr_t)site;

    return &r[(n ^ n >> 4 ^ n >> 8) % NRESTS];
}

/* The rest of a block whose group crosses pages, as the last time. */
GENERAL_REGS static void *rest_again(void *env, const uint8_t *site, const X86Backend *be)
{
    RestOfBlock *r = rest_at(env, site, be);

    if (r->site != site || r->flushes != be->flushes || r->from->retired || r->rest->retired ||
        r->left == 0) {
        return NULL;
    }
    r->left--;
    fault_map_apply(r->record, env, be->layout->flags);
    *(int32_t *)((uint8_t *)env + be->layout->budget) += r->giveback;
    return (void *)(uintptr_t)r->rest->near_entry;
}

/* NULL: to be done the slow way. */
GENERAL_REGS void *x64_mem_refill(void *env, const uint8_t *site, const X86Backend *be)
{
    SlowAccess *s = (SlowAccess *)((uint8_t *)env + be->layout->slow);
    MemSite m = mem_site(site);
    void *go_on = NULL;

    describe(env, s, m.shape, be);
    s->host_pc = (uintptr_t)site;
    if (!m.shape->is_group && (s->addr & 0xfff) + s->size > 4096) {
        go_on = across(env, &m, be);
    } else if ((!m.shape->is_group || group_in_page(s, m.shape)) && be->layout->mem_refill(env)) {
        go_on = (void *)(uintptr_t)m.retry;
    } else if (m.shape->is_group && !group_in_page(s, m.shape)) {
        go_on = rest_again(env, site, be);
    } else if (!m.shape->is_group && store_direct(env, m.shape, be)) {
        go_on = done(&m);
    }
    if (go_on) {
        s->host_pc = 0;
    }
    return go_on;
}

/* Groups that cross pages all the time are asked for again: those who answer count. */
enum { REST_AGAIN = 32 };

static void *rest_of_block(void *env, const uint8_t *site, const X86Backend *be)
{
    int32_t *budget = at(env, be->layout->budget), before = *budget;
    const TcgCode *from, *rest;

    if (!be->layout->mem_ungrouped || !(rest = be->layout->mem_ungrouped(env, &from))) {
        return NULL;
    }
    *rest_at(env, site, be) = (RestOfBlock){
        .site = site,
        .from = from,
        .rest = rest,
        .record =
            fault_map_record(from, (uintptr_t)site - ((uintptr_t)from->start - sizeof(CodeHeader))),
        .giveback = *budget - before,
        .left = REST_AGAIN,
        .flushes = be->flushes,
    };
    return (void *)(uintptr_t)rest->near_entry;
}

/* Walk for the first access of a group, so that the check may then succeed for all. */
static void *group_slow(void *env, SlowAccess *s, const MemSite *m, const uint8_t *site,
                        const X86Backend *be)
{
    void *go_on;

    if (group_in_page(s, m->shape)) {
        s->is_write = m->shape->own_write;
        s->op = OP_probe;
        be->layout->mem_slow(env);
        s->is_write = m->shape->is_write;
        if (be->layout->mem_refill(env)) {
            s->host_pc = 0;
            return (void *)(uintptr_t)m->retry;
        }
    }
    go_on = rest_of_block(env, site, be);
    if (go_on) {
        return go_on;
    }
    be->layout->mem_alone(env);
    g_assert_not_reached();
}

static void put_result(void *env, const SlowAccess *s, const MemShape *d, const X86Backend *be)
{
    unsigned bytes = ir_type_info[d->type].bytes;
    const uint64_t *none = NULL;
    uint8_t *to = place(env, be, d->dst, &none);

    if (d->type <= I64) {
        uint64_t v = 0;
        memcpy(&v, s->value, bytes);
        if (d->extended) {
            v = (uint64_t)((int64_t)(v << (64 - 8 * bytes)) >> (64 - 8 * bytes));
            v = d->extended == 4 ? (uint32_t)v : v;
        }
        memcpy(to, &v, d->dst < 16 ? be->reg_bytes[d->dst] : 8);
    } else if (d->type == F80) {
        memcpy(to, s->value, 10);
    } else {
        memset(to, 0, d->value == PLACE_ZX ? 32 : 16);
        memcpy(to, s->value, bytes);
    }
}

void *x64_mem_slow(void *env, const uint8_t *site, const X86Backend *be)
{
    SlowAccess *s = at(env, be->layout->slow);
    MemSite m = mem_site(site);
    const MemShape *d = m.shape;
    const uint64_t *extra = d->extra;
    unsigned bytes = ir_type_info[d->type].bytes;

    if (d->is_group) {
        return group_slow(env, s, &m, site, be);
    }
    if (d->value != PLACE_NONE && d->value != PLACE_ZX && d->op != OP_probe) {
        memset(s->value, 0, sizeof(s->value));
        memcpy(s->value, place(env, be, d->value, &extra), bytes);
    }
    if (d->compare != PLACE_NONE && d->op != OP_ld) {
        s->compare = 0;
        memcpy(&s->compare, place(env, be, d->compare, &extra), MIN(bytes, 8u));
    }
    be->layout->mem_slow(env);
    s->host_pc = 0;
    if (d->dst != PLACE_NONE) {
        put_result(env, s, d, be);
    }
    return done(&m);
}

/* -- Traps ------------------------------------------------------------------------------------ */

/* @site: where the block's header is, then the trap code. */
void x64_trap(void *env, const uint8_t *site, const X86Backend *be)
{
    const TcgLayout *l = be->layout;
    const uint8_t *behind = site;
    const CodeHeader *h = (const CodeHeader *)(site - get_number(&behind));
    uint32_t code = get_number(&behind), offset = 0, index = 0;

    g_assert(find_point(be, h->code, (uintptr_t)site, env, &offset, &index));
    *(uint64_t *)at(env, l->pc) = *(uint64_t *)at(env, l->vbase) + offset;
    *(int32_t *)at(env, l->budget) += (int32_t)(h->code->ninsns - index);
    ((SlowAccess *)at(env, l->slow))->host_pc = 0;
    l->trap(env, code);
    g_assert_not_reached();
}

/* -- Flags and division ----------------------------------------------------------------------- */

GENERAL_REGS void x64_pack_env(void *env, const X86Backend *be)
{
    uint8_t *e = env;

    *(uint64_t *)(e + be->layout->scratch + SCR_RET) =
        flags_pack((FlagsRecord *)(e + be->layout->flags));
}

GENERAL_REGS void x64_pack_rec(void *env, const X86Backend *be)
{
    uint8_t *scratch = (uint8_t *)env + be->layout->scratch;

    *(uint64_t *)(scratch + SCR_RET) = flags_pack((FlagsRecord *)(scratch + SCR_REC));
}

/* One of the six, where it is in the word. */
GENERAL_REGS void x64_carry_env(void *env, const X86Backend *be)
{
    uint8_t *e = env;
    bool cf = flags_carry((FlagsRecord *)(e + be->layout->flags));

    *(uint64_t *)(e + be->layout->scratch + SCR_RET) = cf ? FLAG_CF : 0;
}

GENERAL_REGS void x64_overflow_env(void *env, const X86Backend *be)
{
    uint8_t *e = env;
    bool of = flags_overflow((FlagsRecord *)(e + be->layout->flags));

    *(uint64_t *)(e + be->layout->scratch + SCR_RET) = of ? FLAG_OF : 0;
}

GENERAL_REGS void x64_settle_env(void *env, const X86Backend *be)
{
    flags_settle((FlagsRecord *)((uint8_t *)env + be->layout->flags));
}

/* For make_flags(): OF in the lowest bit, what SAHF takes in the second byte. */
GENERAL_REGS void x64_flags_env(void *env, const X86Backend *be)
{
    uint8_t *e = env;
    uint32_t flags = flags_pack((FlagsRecord *)(e + be->layout->flags));

    *(uint64_t *)(e + be->layout->scratch + SCR_RET) =
        (flags & 0xff) << 8 | (flags & FLAG_OF ? 1 : 0);
}

/* SCR_ARG: high, low, divisor; SCR_RET: quotient, remainder; SCR_TMP: overflow. */
void x64_divs128(void *env, const X86Backend *be)
{
    uint8_t *scratch = at(env, be->layout->scratch);
    uint64_t hi = *(uint64_t *)(scratch + SCR_ARG), lo = *(uint64_t *)(scratch + SCR_ARG + 16);
    int64_t c = *(int64_t *)(scratch + SCR_ARG + 32);

    *(uint32_t *)(scratch + SCR_TMP) =
        !bits_divide_signed(hi, lo, c, (uint64_t *)(scratch + SCR_RET));
}

/* SCR_ARG: value, mask, op | type << 16; SCR_RET: result. PDEP and PEXT. */
void x64_bits_slow(void *env, const X86Backend *be)
{
    uint8_t *scratch = at(env, be->layout->scratch);
    uint64_t v, mask, r;
    uint32_t what;

    memcpy(&v, scratch + SCR_ARG, 8);
    memcpy(&mask, scratch + SCR_ARG + 16, 8);
    memcpy(&what, scratch + SCR_ARG + 32, 4);
    mask &= ir_type_mask(what >> 16);
    r = (what & 0xffff) == OP_pdep ? bits_scatter(v, mask) : bits_gather(v, mask);
    memcpy(scratch + SCR_RET, &r, 8);
}

/* -- Packed operations that the host has no instruction for ----------------------------------- */

static uint64_t lane_u(const VecValue *v, unsigned lane, unsigned i)
{
    switch (lane) {
    case 0: return v->b[i];
    case 1: return v->h[i];
    case 2: return v->w[i];
    default: return v->q[i];
    }
}

static int64_t lane_s(const VecValue *v, unsigned lane, unsigned i)
{
    unsigned shift = 64 - (8u << lane);

    return (int64_t)(lane_u(v, lane, i) << shift) >> shift;
}

static void set_lane(VecValue *v, unsigned lane, unsigned i, uint64_t x)
{
    switch (lane) {
    case 0: v->b[i] = (uint8_t)x; break;
    case 1: v->h[i] = (uint16_t)x; break;
    case 2: v->w[i] = (uint32_t)x; break;
    default: v->q[i] = x; break;
    }
}

static uint64_t vec_lane(unsigned op, unsigned lane, unsigned i, const VecValue *x,
                         const VecValue *y)
{
    uint64_t a = lane_u(x, lane, i), b = lane_u(y, lane, i);
    int64_t sa = lane_s(x, lane, i), sb = lane_s(y, lane, i);

    switch (op) {
    case OP_vmullo: return a * b;
    case OP_vminu: return MIN(a, b);
    case OP_vmaxu: return MAX(a, b);
    case OP_vmins: return (uint64_t)MIN(sa, sb);
    case OP_vmaxs: return (uint64_t)MAX(sa, sb);
    case OP_vcmpeq: return a == b ? UINT64_MAX : 0;
    case OP_vcmpgt: return sa > sb ? UINT64_MAX : 0;
    case OP_vsar: return (uint64_t)(sa >> MIN(y->q[0], 63u));
    default: g_assert_not_reached();
    }
}

static uint64_t saturate_u16(int64_t v)
{
    return (uint64_t)CLAMP(v, 0, 0xffff);
}

static void vec_lanes(unsigned op, unsigned lane, VecValue *r, const VecValue *x, const VecValue *y)
{
    for (unsigned i = 0; i < 16u >> lane; i++) {
        if (op == OP_vpackus) {
            r->h[i] = (uint16_t)saturate_u16(lane_s(x, lane, i));
            r->h[i + 4] = (uint16_t)saturate_u16(lane_s(y, lane, i));
        } else {
            set_lane(r, lane, i, vec_lane(op, lane, i, x, y));
        }
    }
}

/* fround and faddsub: the flags join the host's sticky ones. */
static uint32_t fp_single(SfEnv *e, unsigned op, unsigned i, uint32_t x, uint32_t y, uint32_t imm)
{
    if (op == OP_faddsub) {
        return sf32_op(e, i & 1 ? SF_ADD : SF_SUB, x, y);
    }
    return sf32_round_to_int(e, x, imm & 4 ? e->rounding : (SfRounding)(imm & 3), !(imm & 8));
}

static uint64_t fp_double(SfEnv *e, unsigned op, unsigned i, uint64_t x, uint64_t y, uint32_t imm)
{
    if (op == OP_faddsub) {
        return sf64_op(e, i & 1 ? SF_ADD : SF_SUB, x, y);
    }
    return sf64_round_to_int(e, x, imm & 4 ? e->rounding : (SfRounding)(imm & 3), !(imm & 8));
}

static uint32_t vec_fp(uint32_t mxcsr, uint32_t what, uint32_t imm, VecValue *r, const VecValue *x,
                       const VecValue *y)
{
    SfEnv e = { .rounding = (SfRounding)(mxcsr >> 13 & 3),
                .ftz = mxcsr >> 15 & 1,
                .daz = mxcsr >> 6 & 1,
                .masks = 0x3f };
    unsigned op = what & 0xffff, type = what >> 24;
    bool single = type == F32 || (type == V128 && (what >> 16 & 0xff) == 2);
    unsigned n = type != V128 ? 1 : single ? 4 : 2;

    *r = *x;
    for (unsigned i = 0; i < n; i++) {
        if (single) {
            r->w[i] = fp_single(&e, op, i, x->w[i], y->w[i], imm);
        } else {
            r->q[i] = fp_double(&e, op, i, x->q[i], y->q[i], imm);
        }
    }
    return e.flags & 0x3f;
}

/* SCR_ARG: x, y, z (16 bytes each), op | lane << 16 | type << 24, immediate; SCR_RET: result */
void x64_vec_slow(void *env, const X86Backend *be)
{
    uint8_t *scratch = at(env, be->layout->scratch);
    VecValue arg[3], r;
    uint32_t what, imm;
    VecSoft *soft;

    memcpy(arg, scratch + SCR_ARG, sizeof(arg));
    memcpy(&what, scratch + SCR_ARG + 48, 4);
    memcpy(&imm, scratch + SCR_ARG + 52, 4);
    unsigned op = what & 0xffff, lane = what >> 16 & 0xff;
    soft = vec_soft((IrOpcode)op, lane);
    if (soft) {
        soft(&r, &arg[0], &arg[1], &arg[2], imm);
    } else if (op == OP_vtest) {
        r.w[0] = vec_soft_test(&arg[0], &arg[1]);
    } else if (op == OP_fround || op == OP_faddsub) {
        uint32_t flags = vec_fp(_mm_getcsr(), what, imm, &r, &arg[0], &arg[1]);
        _mm_setcsr(_mm_getcsr() | flags);
    } else {
        vec_lanes(op, lane, &r, &arg[0], &arg[1]);
    }
    memcpy(scratch + SCR_RET, &r, 16);
}
