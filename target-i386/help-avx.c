/* SPDX-License-Identifier: MIT */
/*
 * AVX by helper: floating point while an exception is unmasked (help-sse.c, half by half: flags of
 * both count before one is raised), and what accesses memory element by element (SDM vol. 2,
 * VMASKMOV, VPMASKMOV, VGATHERxPx, VPGATHERxx): an element that is masked out faults nowhere, and
 * what was gathered before a fault stays.
 */
#include "target-i386/help-fp.h"
#include "target-i386/help.h"

/* Conversions from or to lanes of half the size: the short side of a half is 64 bits. */
static bool widens(const SseOp *s)
{
    return s->op == SSE_VCVT &&
           (s->imm == VCVT_DQ2PD || s->imm == VCVT_PS2PD || s->imm == VCVT_PH2PS);
}

static bool narrows(const SseOp *s)
{
    return s->op == SSE_PS2PH ||
           (s->op == SSE_VCVT &&
            (s->imm == VCVT_PD2DQ || s->imm == VCVT_TPD2DQ || s->imm == VCVT_PD2PS));
}

void help_avx_fp(CpuX86 *c, uint32_t how, uint32_t mxcsr)
{
    SseOp s = sse_begin(how, mxcsr);
    VecReg *v = c->vtmp, r = { { 0 } };

    for (unsigned half = 0; half < (how & SSE_256 ? 2 : 1); half++) {
        s.x = vec_get(&v[0].q[2 * half]);
        s.y = vec_get(&v[1].q[widens(&s) ? half : 2 * half]);
        s.z = vec_get(&v[2].q[2 * half]);
        sse_step(&s);
        r.q[narrows(&s) ? half : 2 * half] = s.r.q[0];
        if (!narrows(&s))
            r.q[2 * half + 1] = s.r.q[1];
    }
    sse_finish(c, &s, mxcsr);
    v[0] = r;
}

/* ---- Masked moves --------------------------------------------------------------------------- */
static unsigned element_size(uint32_t how)
{
    return how & AVX_WIDE_ELEMENTS ? 8 : 4;
}

static unsigned vector_size(uint32_t how)
{
    return how & AVX_256 ? 32 : 16;
}

static bool is_chosen(const VecReg *mask, unsigned n, unsigned size)
{
    return lanes_get(mask, n * size + size - 1, 1) & 0x80;
}

static uint64_t address(CpuX86 *c, uint64_t ea, uint32_t how, bool write)
{
    if (!x86_is_64bit_code(c))
        ea = (uint32_t)ea;
    return x86_segment_address(c, how >> AVX_SEG_SHIFT & 15, ea, element_size(how), write);
}

void help_mask_load(CpuX86 *c, uint64_t ea, uint32_t how)
{
    unsigned size = element_size(how), mmu = x86_mmu(c);
    VecReg mask = c->vtmp[0], r = { { 0 } };

    for (unsigned n = 0; n < vector_size(how) / size; n++) {
        if (is_chosen(&mask, n, size)) {
            uint64_t v = cpu_load(&c->cpu, address(c, ea + n * size, how, false), size, mmu);
            lanes_set(&r, n, size, v);
        }
    }
    c->vtmp[0] = r;
}

void help_mask_store(CpuX86 *c, uint64_t ea, uint32_t how)
{
    unsigned size = element_size(how), mmu = x86_mmu(c);

    for (unsigned n = 0; n < vector_size(how) / size; n++) {
        if (is_chosen(&c->vtmp[0], n, size))
            cpu_probe(&c->cpu, address(c, ea + n * size, how, true), size, ACCESS_WRITE, mmu);
    }
    for (unsigned n = 0; n < vector_size(how) / size; n++) {
        if (is_chosen(&c->vtmp[0], n, size)) {
            uint64_t v = lanes_get(&c->vtmp[1], n, size);
            cpu_store(&c->cpu, address(c, ea + n * size, how, true), v, size, mmu);
        }
    }
}

/* ---- Gathers -------------------------------------------------------------------------------- */
static int64_t index_of(const VecReg *v, unsigned n, uint32_t how)
{
    if (how & AVX_WIDE_INDEX)
        return (int64_t)v->q[n];
    return (int32_t)(v->q[n / 2] >> (32 * (n & 1)));
}

/* Elements: as many as there are of the longer of element and index. */
static unsigned gather_count(uint32_t how)
{
    return vector_size(how) / (how & (AVX_WIDE_ELEMENTS | AVX_WIDE_INDEX) ? 8 : 4);
}

void help_gather(CpuX86 *c, uint64_t ea, uint32_t how)
{
    VecReg *dst = &c->xmm[how >> AVX_DST_SHIFT & 15], *mask = &c->xmm[how >> AVX_MASK_SHIFT & 15];
    const VecReg *index = &c->xmm[how >> AVX_INDEX_SHIFT & 15];
    unsigned size = element_size(how), count = gather_count(how), mmu = x86_mmu(c);

    for (unsigned n = 0; n < count; n++) {
        uint64_t offset = (uint64_t)index_of(index, n, how) << (how >> AVX_SCALE_SHIFT & 3), v;

        if (!is_chosen(mask, n, size)) {
            lanes_set(mask, n, size, 0);
            continue;
        }
        offset += ea;
        if (how & AVX_ADDRESS32)
            offset = (uint32_t)offset;
        v = cpu_load(&c->cpu, address(c, offset, how, false), size, mmu);
        lanes_set(dst, n, size, v);
        lanes_set(mask, n, size, 0);
    }
    memset(mask, 0, sizeof(*mask));
    for (unsigned n = count; n < sizeof(*dst) / size; n++)
        lanes_set(dst, n, size, 0);
}
