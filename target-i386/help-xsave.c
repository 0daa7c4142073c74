/* SPDX-License-Identifier: MIT */
/*
 * The XSAVE family (SDM vol. 1, chapter 13). Components 0 and 1 are the legacy region, the others
 * are rows: to add one, add a row. XSAVEOPT and XSAVES leave out what is as after reset (the init
 * optimization); they do not remember what was restored from where (the modified optimization).
 */
#include "target-i386/xsave.h"

#include "target-i386/cpuid.h"
#include "target-i386/help-fp.h"
#include "target-i386/paging.h"

enum {
    HEADER_SIZE = 64,
    STATE_OFFSET = FX_SIZE + HEADER_SIZE, /* of component 2 and those behind it */
    STATE_SIZE = 256,                     /* the largest of them */
};
#define COMPACTED (1ull << 63) /* XCOMP_BV */

/* ---- Components ----------------------------------------------------------------------------- */

typedef struct Component {
    uint8_t number;
    uint8_t word; /* CPUID word and … */
    uint32_t feature;
    uint16_t offset, size;    /* … in the standard form */
    bool aligned, supervisor; /* in the compacted form, to 64 bytes; enabled by IA32_XSS */
    bool (*is_initial)(const CpuX86 *c);
    void (*save)(const CpuX86 *c, uint8_t *b);
    void (*load)(CpuX86 *c, const uint8_t *b); /* zeros: the initial state */
} Component;

static bool ymm_is_initial(const CpuX86 *c)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        any |= c->xmm[i].q[2] | c->xmm[i].q[3];
    }
    return !any;
}

static void save_ymm(const CpuX86 *c, uint8_t *b)
{
    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        words_to_guest(b + 16 * i, &c->xmm[i].q[2], 16);
    }
}

static void load_ymm(CpuX86 *c, const uint8_t *b)
{
    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        words_from_guest(&c->xmm[i].q[2], b + 16 * i, 16);
    }
}

static bool pkru_is_initial(const CpuX86 *c)
{
    return c->pkru == 0;
}

static void save_pkru(const CpuX86 *c, uint8_t *b)
{
    guest_put(b, c->pkru, 8);
}

static void load_pkru(CpuX86 *c, const uint8_t *b)
{
    x86_set_pkru(c, (uint32_t)guest_get(b, 4));
}

/* Of PKRU the offset is that of AMD's processors without AVX-512. */
static const Component components[] = {
    { 2, CPUID_1_ECX, CPUID_AVX, STATE_OFFSET, 256, .is_initial = ymm_is_initial, .save = save_ymm,
      .load = load_ymm },
    { 9, CPUID_7_0_ECX, CPUID_PKU, STATE_OFFSET + 256, 8, .is_initial = pkru_is_initial,
      .save = save_pkru, .load = load_pkru },
};

static bool cpu_has(const CpuX86 *c, const Component *k)
{
    return x86_words_have(c->features, k->word, k->feature);
}

static uint64_t valid_components(const CpuX86 *c, bool supervisor)
{
    uint64_t v = supervisor ? 0 : XFEATURE_X87 | XFEATURE_SSE;

    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        if (cpu_has(c, &components[n]) && components[n].supervisor == supervisor)
            v |= 1ull << components[n].number;
    }
    return v;
}

uint64_t x86_xcr0_valid(const CpuX86 *c)
{
    return valid_components(c, false);
}

uint64_t x86_xss_valid(const CpuX86 *c)
{
    return valid_components(c, true);
}

bool x86_xcr0_is_legal(const CpuX86 *c, uint64_t value)
{
    bool ymm_alone = (value & XFEATURE_YMM) && !(value & XFEATURE_SSE);

    return (value & XFEATURE_X87) && !(value & ~x86_xcr0_valid(c)) && !ymm_alone;
}

/* Where component @k is in an area whose compacted form has @format, or whose standard form. */
static uint32_t offset_of(const Component *k, uint64_t format)
{
    uint32_t at = STATE_OFFSET;

    if (!(format & COMPACTED))
        return k->offset;
    for (const Component *p = components;; p++) {
        if (!(format >> p->number & 1))
            continue;
        if (p->aligned)
            at = (at + 63) & ~63u;
        if (p == k)
            return at;
        at += p->size;
    }
}

uint32_t x86_xsave_size(const CpuX86 *c, uint64_t which, bool compacted)
{
    uint32_t size = STATE_OFFSET;
    uint64_t format = which | (compacted ? COMPACTED : 0);

    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        const Component *k = &components[n];
        if (which >> k->number & 1)
            size = MAX(size, offset_of(k, format) + k->size);
    }
    return size;
}

void x86_xsave_component(const CpuX86 *c, uint32_t number, uint32_t out[4])
{
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        const Component *k = &components[n];
        if (k->number != number || !cpu_has(c, k))
            continue;
        out[0] = k->size;
        out[1] = k->supervisor ? 0 : k->offset;
        out[2] = k->supervisor | k->aligned << 1;
    }
}

/* ---- What is in use ------------------------------------------------------------------------- */

static bool x87_is_initial(const CpuX86 *c)
{
    uint64_t any = c->fptags != 0xff;

    for (unsigned i = 0; i < 8; i++) {
        any |= c->fpregs[i].frac | c->fpregs[i].se;
    }
    return !any && c->fcw == FCW_RESET && !x87_status_word(c) && !c->fop && !c->fip && !c->fdp &&
           !c->fcs && !c->fds;
}

/* Registers only: MXCSR is not part of what is tracked. */
static bool sse_is_initial(const CpuX86 *c)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        any |= c->xmm[i].q[0] | c->xmm[i].q[1];
    }
    return !any;
}

static uint64_t in_use(const CpuX86 *c, uint32_t mxcsr, bool compacted)
{
    uint64_t v = 0;

    if (!x87_is_initial(c))
        v |= XFEATURE_X87;
    if (!sse_is_initial(c) || (compacted && mxcsr != MXCSR_RESET))
        v |= XFEATURE_SSE;
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        if (!components[n].is_initial(c))
            v |= 1ull << components[n].number;
    }
    return v;
}

uint64_t help_xgetbv(CpuX86 *c, uint32_t index, uint32_t mxcsr)
{
    if (index == 1 && (c->features[CPUID_D_1_EAX] & CPUID_XGETBV1))
        return in_use(c, mxcsr, true) & c->xcr0;
    if (index != 0)
        x86_raise_error(c, EXCP_GP, 0);
    return c->xcr0;
}

void help_xsetbv(CpuX86 *c, uint32_t index, uint64_t value)
{
    if (index != 0 || !x86_xcr0_is_legal(c, value))
        x86_raise_error(c, EXCP_GP, 0);
    c->xcr0 = value;
    x86_cpuid_forget(c);
    x86_update_mode(c);
}

/* ---- XSAVE, XSAVEOPT, XSAVEC, XSAVES -------------------------------------------------------- */

/* RFBM: what EDX:EAX asks for of what is enabled. */
static uint64_t requested(const CpuX86 *c, uint32_t how)
{
    uint64_t enabled = c->xcr0 | (how & XSTATE_SUPERVISOR ? c->xss : 0);

    return ((uint32_t)c->regs[R_RAX] | c->regs[R_RDX] << 32) & enabled;
}

/* MXCSR goes with component 1, in the standard form with component 2 too. */
static bool with_mxcsr(uint64_t which, bool compacted)
{
    return which & (compacted ? XFEATURE_SSE : XFEATURE_SSE | XFEATURE_YMM);
}

static void save_legacy(CpuX86 *c, uint64_t addr, uint64_t which, uint32_t how, uint32_t mxcsr,
                        bool has_mxcsr)
{
    uint8_t b[FX_USED];
    unsigned mmu = x86_mmu(c);

    if (!(which & (XFEATURE_X87 | XFEATURE_SSE)) && !has_mxcsr)
        return;
    cpu_load_bytes(&c->cpu, addr, b, sizeof(b), mmu);
    if (which & XFEATURE_X87)
        fx_save_x87(c, b, how & XSTATE_W64);
    if (which & XFEATURE_SSE)
        fx_save_sse(c, b);
    if (has_mxcsr)
        fx_save_mxcsr(b, mxcsr);
    cpu_store_bytes(&c->cpu, addr, b, sizeof(b), mmu);
}

static void save_header(CpuX86 *c, uint64_t addr, uint64_t rfbm, uint64_t bv, bool compacted)
{
    unsigned mmu = x86_mmu(c);
    uint64_t old;

    if (compacted) {
        cpu_store(&c->cpu, addr + FX_SIZE, bv, 8, mmu);
        cpu_store(&c->cpu, addr + FX_SIZE + 8, COMPACTED | rfbm, 8, mmu);
        return;
    }
    old = cpu_load(&c->cpu, addr + FX_SIZE, 8, mmu);
    cpu_store(&c->cpu, addr + FX_SIZE, (old & ~rfbm) | bv, 8, mmu);
}

void help_xsave(CpuX86 *c, uint64_t addr, uint32_t how, uint32_t mxcsr)
{
    bool compacted = how & XSTATE_COMPACT, optimized = how & (XSTATE_OPT | XSTATE_COMPACT);
    uint64_t rfbm = requested(c, how), bv = rfbm & in_use(c, mxcsr, compacted);
    uint64_t which = optimized ? bv : rfbm, format = compacted ? COMPACTED | rfbm : 0;
    unsigned mmu = x86_mmu(c);

    if (addr & 63)
        x86_raise_error(c, EXCP_GP, 0);
    cpu_probe(&c->cpu, addr, STATE_OFFSET, ACCESS_WRITE, mmu);
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        const Component *k = &components[n];
        if (which >> k->number & 1)
            cpu_probe(&c->cpu, addr + offset_of(k, format), k->size, ACCESS_WRITE, mmu);
    }
    save_legacy(c, addr, which, how, mxcsr, with_mxcsr(compacted ? which : rfbm, compacted));
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        const Component *k = &components[n];
        uint8_t b[STATE_SIZE];
        if (!(which >> k->number & 1))
            continue;
        cpu_load_bytes(&c->cpu, addr + offset_of(k, format), b, k->size, mmu);
        k->save(c, b);
        cpu_store_bytes(&c->cpu, addr + offset_of(k, format), b, k->size, mmu);
    }
    save_header(c, addr, rfbm, bv, compacted);
}

/* ---- XRSTOR, XRSTORS ------------------------------------------------------------------------ */

/* Reserved parts of the header, by form; components that are not enabled. */
static bool header_is_valid(const CpuX86 *c, const uint64_t *header, uint32_t how)
{
    uint64_t bv = header[0], format = header[1], rest = 0;
    uint64_t enabled = c->xcr0 | (how & XSTATE_SUPERVISOR ? c->xss : 0);
    bool compacted = format & COMPACTED;

    format &= ~COMPACTED;
    for (unsigned n = compacted ? 2 : 1; n < (compacted ? 8 : 3); n++) {
        rest |= header[n];
    }
    if (compacted)
        return (how & XSTATE_COMPACT) && !rest && !(format & ~enabled) && !(bv & ~format);
    return !(how & XSTATE_SUPERVISOR) && !rest && !(bv & ~enabled);
}

static void load_x87(CpuX86 *c, const uint8_t *b, uint32_t how)
{
    if (b) {
        fx_load_x87(c, b, how & XSTATE_W64);
    } else {
        x87_init(c);
        memset(c->fpregs, 0, sizeof(c->fpregs));
    }
}

void help_xrstor(CpuX86 *c, uint64_t addr, uint32_t how)
{
    static const uint8_t zeros[FX_SIZE];
    uint64_t rfbm = requested(c, how), header[HEADER_SIZE / 8], load;
    uint8_t image[HEADER_SIZE];
    uint8_t fx[FX_SIZE], state[G_N_ELEMENTS(components)][STATE_SIZE] = { { 0 } };
    unsigned mmu = x86_mmu(c);
    bool compacted, has_mxcsr;

    if (addr & 63)
        x86_raise_error(c, EXCP_GP, 0);
    cpu_load_bytes(&c->cpu, addr, fx, sizeof(fx), mmu);
    cpu_load_bytes(&c->cpu, addr + FX_SIZE, image, sizeof(image), mmu);
    words_from_guest(header, image, sizeof(image));
    if (!header_is_valid(c, header, how))
        x86_raise_error(c, EXCP_GP, 0);
    load = rfbm & header[0];
    compacted = header[1] & COMPACTED;
    /* The standard form loads MXCSR even where XSTATE_BV says initial. */
    has_mxcsr = with_mxcsr(compacted ? load : rfbm, compacted);
    if (has_mxcsr)
        fx_check_mxcsr(c, fx);
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        const Component *k = &components[n];
        if (load >> k->number & 1)
            cpu_load_bytes(&c->cpu, addr + offset_of(k, header[1]), state[n], k->size, mmu);
    }

    if (rfbm & XFEATURE_X87)
        load_x87(c, load & XFEATURE_X87 ? fx : NULL, how);
    if (rfbm & XFEATURE_SSE)
        fx_load_sse(c, load & XFEATURE_SSE ? fx : zeros);
    if (has_mxcsr)
        c->mxcsr = fx_mxcsr(fx);
    else if (rfbm & XFEATURE_SSE)
        c->mxcsr = MXCSR_RESET;
    for (unsigned n = 0; n < G_N_ELEMENTS(components); n++) {
        if (rfbm >> components[n].number & 1)
            components[n].load(c, state[n]);
    }
    x86_update_mode(c);
}
