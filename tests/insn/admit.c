/* SPDX-License-Identifier: MIT */
/* What a case may leave open, of the table in leeway.c: applied to both outcomes, then compared. */
#include "stream.h"

#include <glib.h>
#include <string.h>

#include "leeway.h"
#include "target-i386/gen.h"
#include "tcg/ir.h"
#include "tcg/lanes.h"

typedef struct Admitted {
    uint32_t flags, all_flags; /* undefined: of the last instruction, of any */
    unsigned fsw;
    bool two_loads; /* CMPS, RETF, IRET */
    bool far_call, near_call, converts_to_mmx, maskmovq, transcendental, shift16;
    bool intel;           /* their silicon is what we compare with */
    bool faulted;         /* there was a fault, there: */
    Insn at, reached;     /* the instruction that did, and the one that ours ended at */
    unsigned chooses_nan; /* the last one, for this register */
    bool approximates;
    uint8_t reg;
} Admitted;

static bool is_fault(const State *s)
{
    return s->vector >= 10 && s->vector <= 17;
}

/* The instruction where @s ended by an exception, which may begin in the middle of another. */
static bool find_last(const Case *k, const uint8_t *code, unsigned len, const State *s, Insn *i)
{
    DecodeMode m = insn_decode_mode(k->mode);
    uint64_t at = s->rip - k->in.rip;
    return at < len && decode_insn(&m, code + at, len - (unsigned)at, i) == DECODE_OK;
}

static bool find_faulting(const Case *k, const uint8_t *code, unsigned len, const State *s, Insn *i)
{
    if (is_fault(s) && find_last(k, code, len, s, i))
        return true;
    memset(i, 0, sizeof(*i));
    return false;
}

static Admitted admitted_by(const Case *k, const uint8_t *code, unsigned len, HostVendor silicon,
                            const State *want, const State *got)
{
    DecodeMode m = insn_decode_mode(k->mode);
    Admitted l = { .intel = silicon == HOST_INTEL };
    Insn i;
    l.faulted = find_faulting(k, code, len, want, &l.at);
    find_faulting(k, code, len, got, &l.reached);
    for (unsigned at = 0; at < len; at += i.len) {
        if (decode_insn(&m, code + at, len - at, &i) != DECODE_OK)
            break;
        l.chooses_nan = chooses_nan(i.desc);
        l.approximates = approximates(i.desc);
        l.reg = i.op[0].reg;
        l.flags = i.desc->undef;
        l.all_flags |= i.desc->undef;
        l.fsw = undefined_fsw(&i);
        l.two_loads |=
            i.desc->gen == gen_cmps || i.desc->gen == gen_ret_far || i.desc->gen == gen_iret;
        l.far_call |= i.desc->gen == gen_call_far_ind || i.desc->gen == gen_call_far;
        l.near_call |= i.desc->gen == gen_call_ind;
        l.maskmovq |= !strcmp(i.desc->name, "maskmovq");
        l.transcendental = is_transcendental(i.desc);
        l.shift16 = (i.desc->gen == gen_shld || i.desc->gen == gen_shrd) && i.osize == I16;
        l.converts_to_mmx |= g_str_has_prefix(i.desc->name, "cvt") &&
                             (i.op[0].kind == OPK_MMX || i.op[1].kind == OPK_MMX);
    }
    return l;
}

/* CPUID.7.0:EBX[13]: the selectors of the x87's pointers are saved as 0. */
static bool host_has_no_selectors(void)
{
#ifdef __x86_64__
    unsigned a, b = 0, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 13 & 1);
#else
    return false;
#endif
}

/* Of an image, what LEEWAY_POINTERS says. */
static void forget_pointers(Memory *m, uint64_t at)
{
    if (at > AREA_SIZE - 32) /* RDI is not what it was made */
        return;
    memset(m->data + at + 6, 0, host_has_no_selectors() ? 20 : 18);
    memset(m->data + at + 28, 0, 4);
}

static void admit_pushes(Admitted l, const State *want, const Memory *want_mem, Memory *got_mem)
{
    uint32_t at = (uint32_t)want->gpr[4] & 0x3fff; /* STACK_BASE or 0 */
    if (!l.far_call || want->vector < 10 || at < 16 || at > AREA_SIZE ||
        !memcmp(got_mem->stack + at - 16, want_mem->stack + at - 16, 16))
        return;
    leeway_use(LEEWAY_BELOW_STACK);
    memcpy(got_mem->stack + at - 16, want_mem->stack + at - 16, 16);
}

static bool is_over_4g(Mode mode, const State *want, const State *got)
{
    bool segment =
        want->vector == 12 || want->vector == 13 || got->vector == 12 || got->vector == 13;
    const State *page = want->vector == 14 ? want : got;
    return mode != M64 && segment && page->vector == 14 &&
           (page->cr2 > 0xffffff00 || page->cr2 < 0x100);
}

static bool is_call_fault(Admitted l, const State *want, const State *got)
{
    return l.near_call && want->rip == got->rip && got->vector == 13 &&
           (want->vector == 12 || want->vector == 14);
}

/* CMPS with two operands that fault. */
static bool is_either_fault(Admitted l, const State *want, const State *got)
{
    return l.intel && l.faulted && l.at.desc->gen == gen_cmps && want->rip == got->rip &&
           is_fault(got) && want->vector != got->vector;
}

/* BOUND with an index below the lower bound, and an upper one that faults. */
static bool is_bound_first(Admitted l, const State *want, const State *got)
{
    return l.intel && want->vector == 5 && is_fault(got) && want->rip == got->rip &&
           l.reached.desc && l.reached.desc->gen == gen_bound;
}

/* VCVTPS2PH with an exception of its own that is not masked, to where it may not write. */
static bool is_numeric_first(Admitted l, const State *want, const State *got)
{
    return l.intel && want->vector == 19 && is_fault(got) && want->rip == got->rip &&
           l.reached.desc && !strcmp(l.reached.desc->name, "vcvtps2ph");
}

/* The same of an x87 store: it is the next x87 instruction that tells of it. */
static bool is_numeric_instead(Admitted l, const State *want, const State *got)
{
    const Insn *i = &l.reached;
    return l.intel && i->desc && i->desc->name[0] == 'f' && i->op[0].kind == OPK_MEM &&
           is_fault(got) && !(got->fsw & 0x80) && (want->fsw & 0x80);
}

/* SYSRET outside 64-bit mode: none to Intel's. */
static bool is_sysret(Mode mode, Admitted l, const State *want, const State *got)
{
    return l.intel && mode != M64 && want->vector == 6 && got->vector == 13 &&
           want->rip == got->rip && l.reached.desc && l.reached.desc->gen == gen_sysret;
}

/* INT n that a branch has found in another instruction's bytes: the host's gate is for its kernel.
 */
static bool is_int_n(const State *want, const State *got)
{
    return want->vector == 13 && want->error == (got->vector << 3 | 2) &&
           got->rip - want->rip >= 2 && got->rip - want->rip <= 15;
}

/* Another exception of the same instruction: all else is compared. */
static void admit_exception(Leeway why, const State *want, State *got)
{
    leeway_use(why);
    got->vector = want->vector;
    got->error = want->error;
    got->cr2 = want->cr2;
}

/* A gather that faults: Intel's have made every element of the mask that is left all ones or zero,
 * over the whole length of the vectors, and have cleared what is above it; above the result, too,
 * once an element was there. */
static void admit_gather(const Admitted *l, const State *want, State *got)
{
    if (!l->intel || !l->faulted || !(l->at.desc->attr & A_VSIB) || want->rip != got->rip)
        return;
    unsigned n = l->at.op[2].reg, size = 1u << l->at.desc->arg2, length = l->at.vex_l ? 32 : 16;
    uint8_t mask[32] = { 0 };
    uint64_t words[4] = { got->xmm[n][0], got->xmm[n][1], got->ymmh[n][0], got->ymmh[n][1] };
    words_to_guest(mask, words, sizeof(words));
    for (unsigned at = 0; at < 32; at += size)
        memset(mask + at, at < length && mask[at + size - 1] & 0x80 ? 0xff : 0, size);
    for (unsigned k = 0; k < 4; k++)
        words[k] = guest_get(mask + 8 * k, 8);
    leeway_use(LEEWAY_GATHER_MASK);
    memcpy(got->xmm[n], words, 16);
    memcpy(got->ymmh[n], words + 2, 16);
    unsigned dst = l->at.op[0].reg;
    if (!l->at.vex_l && !want->ymmh[dst][0] && !want->ymmh[dst][1])
        memset(got->ymmh[dst], 0, 16);
}

/* Masked stores that fault: Intel's tell of the last byte that is stored, or of the first, or of
 * one of the second page though the first would fault, too. */
static void admit_mask_address(Mode mode, const Admitted *l, const State *want, State *got)
{
    bool masked = l->faulted && strstr(l->at.desc->name, "maskmov") != NULL;
    uint64_t behind = want->cr2 - got->cr2;
    if (!l->intel || !masked || want->vector != 14 || got->vector != 14 || !behind ||
        (mode == M64 ? behind : (uint32_t)behind) >= 32)
        return;
    leeway_use(LEEWAY_MASK_ADDRESS);
    got->cr2 = want->cr2;
}

/* The return address of a near CALL to where no code can be: Intel's have pushed it. */
static void admit_pushed_return(const Admitted *l, const State *want, const Memory *want_mem,
                                Memory *got_mem)
{
    if (!l->intel || !l->faulted || l->at.desc->gen != gen_call_ind || want->vector != 13)
        return;
    unsigned size = ir_type_info[l->at.osize].bits / 8u, at = (want->gpr[4] & 0xffff) - size;
    uint64_t next = (want->rip + l->at.len) & ir_type_mask(l->at.osize);
    if (at > AREA_SIZE - size || guest_get(want_mem->stack + at, size) != next ||
        !memcmp(got_mem->stack + at, want_mem->stack + at, size))
        return;
    leeway_use(LEEWAY_BELOW_STACK);
    memcpy(got_mem->stack + at, want_mem->stack + at, size);
}

/* FBSTP and FSTP of 10 bytes over the end of the area or of the segments of 4 KiB: Intel's may have
 * written the first 8. */
static void admit_partial_store(const Admitted *l, const State *want, const Memory *want_mem,
                                Memory *got_mem)
{
    enum { BYTES = 9, SEGMENT_SIZE = 0x1000 };
    bool store = l->faulted && l->at.op[0].kind == OPK_MEM &&
                 (!strcmp(l->at.desc->name, "fbstp") || !strcmp(l->at.desc->name, "fstp"));
    bool page = want->vector == 14 && want->cr2 == DATA_BASE + AREA_SIZE,
         limit = want->vector == 12 || want->vector == 13;
    unsigned from = (limit ? SEGMENT_SIZE : AREA_SIZE) - BYTES;
    if (!l->intel || !store || !(page || limit) ||
        !memcmp(got_mem->data + from, want_mem->data + from, BYTES))
        return;
    leeway_use(LEEWAY_PARTIAL_STORE);
    memcpy(got_mem->data + from, want_mem->data + from, BYTES);
}

/* VCVTPS2PH that faults: Intel's have set MXCSR's flags. */
static void admit_early_flags(const Admitted *l, const State *want, State *got)
{
    if (!l->intel || !l->reached.desc || strcmp(l->reached.desc->name, "vcvtps2ph") ||
        want->mxcsr == got->mxcsr || ((want->mxcsr ^ got->mxcsr) & ~0x3fu) ||
        (got->mxcsr & ~want->mxcsr))
        return;
    leeway_use(LEEWAY_EARLY_FLAGS);
    got->mxcsr = want->mxcsr;
}

/* The same with #XM: PE with DE. */
static void admit_tiny_operand(const Case *k, const uint8_t *code, unsigned len, const State *want,
                               State *got)
{
    enum { PE = 0x20, UE_DE = 0x12 };
    Insn i;
    if (host_vendor() != HOST_INTEL || want->vector != 19 || got->vector != 19 ||
        want->rip != got->rip || want->mxcsr != (got->mxcsr | PE) ||
        (got->mxcsr & (PE | UE_DE)) != UE_DE || !find_last(k, code, len, want, &i) ||
        strcmp(i.desc->name, "vcvtps2ph"))
        return;
    leeway_use(LEEWAY_TINY_OPERAND);
    got->mxcsr = want->mxcsr;
}

/* REPE and REPNE that fault: Intel's flags are those from before. */
static uint32_t string_flags(const Admitted *l)
{
    bool compares =
        l->faulted && l->at.rep && (l->at.desc->gen == gen_cmps || l->at.desc->gen == gen_scas);
    if (!l->intel || !compares)
        return 0;
    leeway_use(LEEWAY_STRING_FLAGS);
    return CF | PF | AF | ZF | SF | OF;
}

/* Each within 1.5 * 2^-12 of the true value: up to 3 * 2^12 units in the last place apart; one may
 * be 0 where the other is tiny. */
static bool approximate_one(uint32_t a, uint32_t b)
{
    uint32_t x = a & 0x7fffffff, y = b & 0x7fffffff, less = MIN(x, y), more = MAX(x, y);
    if ((a ^ b) >> 31 || more >= 0x7f800000)
        return false;
    return more - less <= 3 << 12 || (!less && more < 0x01000000);
}

static uint64_t *quad(const State *s, unsigned reg, unsigned n)
{
    return (uint64_t *)(n < 2 ? &s->xmm[reg][n] : &s->ymmh[reg][n - 2]);
}

static void admit_approximate(const Admitted *l, const State *want, State *got)
{
    for (unsigned n = 0; n < 8 && l->approximates; n++) {
        uint64_t *from = quad(want, l->reg, n / 2), *to = quad(got, l->reg, n / 2);
        unsigned shift = 32 * (n & 1);
        uint32_t a = (uint32_t)(*from >> shift), b = (uint32_t)(*to >> shift);
        if (a == b || !approximate_one(a, b))
            continue;
        leeway_use(LEEWAY_RECIPROCAL);
        *to ^= (uint64_t)(a ^ b) << shift;
    }
}

/* NaNs out of DPPS and DPPD, of so many bits: whose of several is the processor's. */
static void admit_nans(const Admitted *l, const State *want, State *got)
{
    for (unsigned at = 0; at < 256 && l->chooses_nan; at += l->chooses_nan) {
        uint64_t *from = quad(want, l->reg, at / 64), *to = quad(got, l->reg, at / 64);
        uint64_t element = UINT64_MAX >> (64 - l->chooses_nan) << at % 64;
        uint64_t nan = (l->chooses_nan == 64 ? 0x7ff8ull << 48 : 0x7fc00000) << at % 64;
        if (!((*from ^ *to) & element) || (*from & nan) != nan || (*to & nan) != nan)
            continue;
        leeway_use(LEEWAY_NAN);
        *to ^= (*from ^ *to) & element;
    }
}

static void admit_tags(Admitted l, const State *want, State *got)
{
    bool mmx_fault = want->vector == 19 ? l.converts_to_mmx : want->vector >= 12 && l.maskmovq;
    if (l.intel && l.faulted && l.at.op[0].kind == OPK_MEM && l.at.op[1].kind == OPK_MMX)
        mmx_fault = true;
    if (want->vector != got->vector || !mmx_fault)
        return;
    if (got->fsw != want->fsw || got->ftw != want->ftw ||
        memcmp(got->st, want->st, sizeof(got->st)))
        leeway_use(LEEWAY_MMX_FAULT);
    got->fsw = want->fsw;
    got->ftw = want->ftw;
    memcpy(got->st, want->st, sizeof(got->st));
}

/* XRSTOR of a compacted image with a bad MXCSR: Intel's have loaded all else before. */
static void admit_compacted_fault(const Admitted *l, const State *want, const Memory *mem,
                                  State *got)
{
    enum { XCOMP_TOP = 527 };
    uint64_t at = want->gpr[7] - DATA_BASE;
    if (!l->intel || !l->faulted || l->at.desc->gen != gen_xrstor || want->vector != 13 ||
        at > AREA_SIZE - XCOMP_TOP - 1 || !(mem->data[at + XCOMP_TOP] & 0x80))
        return;
    leeway_use(LEEWAY_COMPACTED_FAULT);
    got->fcw = want->fcw;
    got->fsw = want->fsw;
    got->ftw = want->ftw;
    memcpy(got->st, want->st, sizeof(got->st));
    memcpy(got->xmm, want->xmm, sizeof(got->xmm));
    memcpy(got->ymmh, want->ymmh, sizeof(got->ymmh));
}

/* Values a unit in the last place apart, of one sign. */
static bool is_next_to(const State *a, const State *b, unsigned n)
{
    unsigned __int128 x = (unsigned __int128)(a->st[n].se & 0x7fff) << 63 | a->st[n].frac << 1 >> 1,
                      y = (unsigned __int128)(b->st[n].se & 0x7fff) << 63 | b->st[n].frac << 1 >> 1;
    return !((a->st[n].se ^ b->st[n].se) & 0x8000) && (x > y ? x - y : y - x) <= 1;
}

/* On either side of the least normal number: only one has underflown. */
static bool is_at_least_normal(const State *a, const State *b, unsigned n)
{
    return ((a->st[n].se ^ b->st[n].se) & 0x7fff) == 1 && !(a->st[n].se & b->st[n].se & 0x7fff);
}

static void admit_last_place(const State *want, State *got)
{
    uint16_t open = 0x200;
    bool used = (want->fsw ^ got->fsw) & open;
    for (unsigned n = 0; n < 2; n++) {
        if (is_next_to(want, got, n) && want->st[n].frac != got->st[n].frac) {
            open |= is_at_least_normal(want, got, n) ? 0x10 : 0;
            got->st[n] = want->st[n];
            used = true;
        }
    }
    got->fsw = (uint16_t)((got->fsw & ~open) | (want->fsw & open));
    if (used)
        leeway_use(LEEWAY_TRANSCENDENTAL);
}

static void admit_page_faults(Admitted l, const State *want, State *got)
{
    if (want->vector != 14 || got->vector != 14)
        return;
    if (want->cr2 >> 47 && got->error != want->error) {
        leeway_use(LEEWAY_KERNEL_HALF);
        got->error = want->error;
    }
    if (l.two_loads && got->cr2 != want->cr2) {
        leeway_use(LEEWAY_WHICH_FIRST);
        got->cr2 = want->cr2;
    }
}

static void admit_selectors(State *want, State *got)
{
    for (unsigned n = 0; n < INSN_SEGS; n++) {
        if (want->sel[n] == got->sel[n] || want->sel[n] > 3 || got->sel[n] > 3)
            continue;
        leeway_use(LEEWAY_NULL_RPL);
        got->sel[n] = want->sel[n];
    }
}

static void admit_values(Admitted l, const State *want, State *got)
{
    if (l.transcendental)
        admit_last_place(want, got);
    if ((got->fsw ^ want->fsw) & l.fsw) {
        leeway_use(LEEWAY_C1);
        got->fsw = (uint16_t)((got->fsw & ~l.fsw) | (want->fsw & l.fsw));
    }
    if (l.shift16 && (got->flags ^ want->flags) & CF) {
        leeway_use(LEEWAY_SHIFT_16);
        got->flags ^= CF;
    }
}

static char *plain_difference(const State *want, const State *got, uint32_t ignored,
                              const Memory *want_mem, const Memory *got_mem)
{
    char *d = compare_states(want, got, ignored);
    return d ? d : compare_memory(want_mem, got_mem);
}

char *case_difference(const Case *k, const uint8_t *code, unsigned len, bool image,
                      const Runner *ref, State *want, State *got, Memory *want_mem, Memory *got_mem)
{
    Admitted l = admitted_by(k, code, len, ref->is_silicon ? host_vendor() : HOST_OTHER, want, got);
    if (want->vector == VECTOR_TIMEOUT && got->vector == VECTOR_TIMEOUT) {
        leeway_use(LEEWAY_BOTH_HANG);
        return NULL;
    }
    if (!ref->is_silicon) /* of engines nothing is left open: a recording replays on all of them */
        return plain_difference(want, got, 0, want_mem, got_mem);
    if (is_numeric_instead(l, want, got)) {
        leeway_use(LEEWAY_NUMERIC_INSTEAD);
        return NULL;
    }
    if (is_over_4g(k->mode, want, got))
        admit_exception(LEEWAY_OVER_4G, want, got);
    else if (is_call_fault(l, want, got))
        admit_exception(LEEWAY_CALL_ORDER, want, got);
    else if (is_either_fault(l, want, got) || is_bound_first(l, want, got))
        admit_exception(LEEWAY_WHICH_FIRST, want, got);
    else if (is_numeric_first(l, want, got))
        admit_exception(LEEWAY_EARLY_FLAGS, want, got);
    else if (is_sysret(k->mode, l, want, got))
        admit_exception(LEEWAY_SYSRET, want, got);
    else if (is_int_n(want, got)) {
        admit_exception(LEEWAY_INT_N, want, got);
        got->rip = want->rip;
    }
    admit_page_faults(l, want, got);
    admit_mask_address(k->mode, &l, want, got);
    admit_gather(&l, want, got);
    admit_early_flags(&l, want, got);
    admit_tiny_operand(k, code, len, want, got);
    admit_selectors(want, got);
    admit_tags(l, want, got);
    admit_compacted_fault(&l, want, want_mem, got);
    admit_pushes(l, want, want_mem, got_mem);
    admit_pushed_return(&l, want, want_mem, got_mem);
    admit_partial_store(&l, want, want_mem, got_mem);
    admit_values(l, want, got);
    if (image) {
        leeway_use(LEEWAY_POINTERS);
        forget_pointers(want_mem, k->in.gpr[7] - DATA_BASE);
        forget_pointers(got_mem, k->in.gpr[7] - DATA_BASE);
    }
    admit_approximate(&l, want, got);
    admit_nans(&l, want, got);
    uint32_t ignored = (want->vector == 1 ? l.all_flags : l.flags) | string_flags(&l);
    return plain_difference(want, got, ignored, want_mem, got_mem);
}
