/* SPDX-License-Identifier: MIT */
/*
 * The x87's state in memory: FSTENV and FSAVE formats (SDM vol. 1, 8.1.10) and FXSAVE (vol. 2),
 * whose parts are XSAVE's too (help-xsave.c). The instruction and operand pointers are always
 * saved, as Intel's processors do it.
 */
#include "target-i386/help-fp.h"

enum { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static void put16(uint8_t *p, uint16_t v)
{
    guest_put(p, v, 2);
}

static void put32(uint8_t *p, uint32_t v)
{
    guest_put(p, v, 4);
}

static void put64(uint8_t *p, uint64_t v)
{
    guest_put(p, v, 8);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)guest_get(p, 2);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)guest_get(p, 4);
}

static uint64_t get64(const uint8_t *p)
{
    return guest_get(p, 8);
}

uint16_t x87_status_word(const CpuX86 *c)
{
    return (uint16_t)(c->fsw | c->fpstt << 11);
}

void x87_set_status_word(CpuX86 *c, uint16_t fsw)
{
    c->fpstt = fsw >> 11 & 7;
    c->fsw = fsw & (FSW_CC | FSW_SF | 0x3f);
    x87_summarize(c);
}

void x87_init(CpuX86 *c)
{
    c->fcw = FCW_RESET;
    c->fsw = 0;
    c->fpstt = 0;
    c->fptags = 0xff;
    c->fop = c->fcs = c->fds = 0;
    c->fip = c->fdp = 0;
}

/* ---- FSTENV, FSAVE -------------------------------------------------------------------------- */
static unsigned tag_of(const CpuX86 *c, unsigned physical)
{
    const X87Reg *r = &c->fpregs[physical];
    unsigned biased = r->se & 0x7fff;

    if (c->fptags >> physical & 1)
        return TAG_EMPTY;
    if (!biased && !r->frac)
        return TAG_ZERO;
    return !biased || biased == 0x7fff || !(r->frac >> 63) ? TAG_SPECIAL : TAG_VALID;
}

uint16_t x87_tag_word(const CpuX86 *c)
{
    unsigned w = 0;

    for (unsigned i = 0; i < 8; i++) {
        w |= tag_of(c, i) << (2 * i);
    }
    return (uint16_t)w;
}

static bool is_protected(const CpuX86 *c)
{
    return (c->mode & X86_MODE_PE) && !(c->mode & X86_MODE_VM86);
}

static void env32(const CpuX86 *c, uint8_t *b)
{
    uint32_t ip = (uint32_t)c->fip, dp = (uint32_t)c->fdp;

    put32(b, 0xffff0000 | c->fcw);
    put32(b + 4, 0xffff0000 | x87_status_word(c));
    put32(b + 8, 0xffff0000 | x87_tag_word(c));
    if (is_protected(c)) {
        put32(b + 12, ip);
        put32(b + 16, c->fcs | (uint32_t)c->fop << 16);
        put32(b + 20, dp);
        put32(b + 24, 0xffff0000 | c->fds);
        return;
    }
    ip += (uint32_t)c->fcs << 4;
    dp += (uint32_t)c->fds << 4;
    put32(b + 12, 0xffff0000 | (ip & 0xffff));
    put32(b + 16, (ip >> 16 << 12) | c->fop);
    put32(b + 20, 0xffff0000 | (dp & 0xffff));
    put32(b + 24, dp >> 16 << 12);
}

static void env16(const CpuX86 *c, uint8_t *b)
{
    uint32_t ip = (uint32_t)c->fip, dp = (uint32_t)c->fdp;

    put16(b, c->fcw);
    put16(b + 2, x87_status_word(c));
    put16(b + 4, x87_tag_word(c));
    if (is_protected(c)) {
        put16(b + 6, (uint16_t)ip);
        put16(b + 8, c->fcs);
        put16(b + 10, (uint16_t)dp);
        put16(b + 12, c->fds);
        return;
    }
    ip += (uint32_t)c->fcs << 4;
    dp += (uint32_t)c->fds << 4;
    put16(b + 6, (uint16_t)ip);
    put16(b + 8, (uint16_t)((ip >> 16 << 12) | c->fop));
    put16(b + 10, (uint16_t)dp);
    put16(b + 12, (uint16_t)(dp >> 16 << 12));
}

static unsigned build_env(const CpuX86 *c, uint8_t *b, bool osize16)
{
    if (osize16)
        env16(c, b);
    else
        env32(c, b);
    return osize16 ? 14 : 28;
}

void x87_store_env(CpuX86 *c, uint64_t addr, bool osize16)
{
    uint8_t b[28];
    unsigned size = build_env(c, b, osize16), mmu = x86_mmu(c);

    cpu_probe(&c->cpu, addr, size, ACCESS_WRITE, mmu);
    cpu_store_bytes(&c->cpu, addr, b, size, mmu);
    c->fcw |= 0x3f;
    x87_summarize(c);
}

/* The pointers; in the formats of real mode they are linear addresses. */
static void load_pointers(CpuX86 *c, const uint8_t *b, bool osize16)
{
    uint32_t ip, dp;

    if (is_protected(c)) {
        c->fip = osize16 ? get16(b + 6) : get32(b + 12);
        c->fcs = get16(b + (osize16 ? 8 : 16));
        c->fop = osize16 ? 0 : get16(b + 18) & 0x7ff;
        c->fdp = osize16 ? get16(b + 10) : get32(b + 20);
        c->fds = get16(b + (osize16 ? 12 : 24));
        return;
    }
    if (osize16) {
        ip = get16(b + 6) | (uint32_t)(get16(b + 8) >> 12) << 16;
        dp = get16(b + 10) | (uint32_t)(get16(b + 12) >> 12) << 16;
        c->fop = get16(b + 8) & 0x7ff;
    } else {
        ip = get16(b + 12) | (get32(b + 16) >> 12 & 0xffff) << 16;
        dp = get16(b + 20) | (get32(b + 24) >> 12 & 0xffff) << 16;
        c->fop = get16(b + 16) & 0x7ff;
    }
    c->fip = ip;
    c->fdp = dp;
    c->fcs = c->fds = 0;
}

static void parse_env(CpuX86 *c, const uint8_t *b, bool osize16)
{
    unsigned step = osize16 ? 2 : 4;
    uint16_t tags = get16(b + 2 * step);

    c->fcw = (get16(b) & FCW_VALID) | FCW_SET;
    x87_set_status_word(c, get16(b + step));
    c->fptags = 0;
    for (unsigned i = 0; i < 8; i++) {
        c->fptags |= (uint8_t)(((tags >> (2 * i) & 3) == TAG_EMPTY) << i);
    }
    load_pointers(c, b, osize16);
}

void x87_load_env(CpuX86 *c, uint64_t addr, bool osize16)
{
    uint8_t b[28];

    cpu_load_bytes(&c->cpu, addr, b, osize16 ? 14 : 28, x86_mmu(c));
    parse_env(c, b, osize16);
}

void x87_save(CpuX86 *c, uint64_t addr, bool osize16)
{
    uint8_t b[108];
    unsigned size = build_env(c, b, osize16), mmu = x86_mmu(c);

    for (unsigned i = 0; i < 8; i++, size += 10) {
        Float80 v = x87_get(c, i);
        put64(b + size, v.frac);
        put16(b + size + 8, v.se);
    }
    cpu_probe(&c->cpu, addr, size, ACCESS_WRITE, mmu);
    cpu_store_bytes(&c->cpu, addr, b, size, mmu);
    x87_init(c);
}

void x87_restore(CpuX86 *c, uint64_t addr, bool osize16)
{
    unsigned size = osize16 ? 14 : 28;
    uint8_t b[108];

    cpu_load_bytes(&c->cpu, addr, b, size + 80, x86_mmu(c));
    parse_env(c, b, osize16);
    for (unsigned i = 0; i < 8; i++, size += 10) {
        X87Reg *r = &c->fpregs[x87_physical(c, i)];
        r->frac = get64(b + size);
        r->se = get16(b + size + 8);
    }
}

/* ---- FXSAVE --------------------------------------------------------------------------------- */
enum { ST_OFFSET = 32, XMM_OFFSET = 160 };

static void require_aligned(CpuX86 *c, uint64_t addr)
{
    if (addr & 15)
        x86_raise_error(c, EXCP_GP, 0);
}

unsigned x86_xmm_count(const CpuX86 *c)
{
    return x86_is_64bit_code(c) ? 16 : 8;
}

void fx_save_x87(const CpuX86 *c, uint8_t *b, bool w64)
{
    for (unsigned i = 0; i < 8; i++) {
        Float80 v = x87_get(c, i);
        put64(b + ST_OFFSET + 16 * i, v.frac);
        put64(b + ST_OFFSET + 16 * i + 8, v.se);
    }
    put16(b, c->fcw);
    put16(b + 2, x87_status_word(c));
    b[4] = (uint8_t)~c->fptags;
    b[5] = 0;
    put16(b + 6, c->fop);
    if (w64) {
        put64(b + 8, c->fip);
        put64(b + 16, c->fdp);
    } else {
        put32(b + 8, (uint32_t)c->fip);
        put32(b + 12, c->fcs);
        put32(b + 16, (uint32_t)c->fdp);
        put32(b + 20, c->fds);
    }
}

void fx_save_sse(const CpuX86 *c, uint8_t *b)
{
    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        words_to_guest(b + XMM_OFFSET + 16 * i, c->xmm[i].q, 16);
    }
}

void fx_load_x87(CpuX86 *c, const uint8_t *b, bool w64)
{
    c->fcw = (get16(b) & FCW_VALID) | FCW_SET;
    x87_set_status_word(c, get16(b + 2));
    c->fptags = (uint8_t)~b[4];
    for (unsigned i = 0; i < 8; i++) {
        X87Reg *r = &c->fpregs[x87_physical(c, i)];
        r->frac = get64(b + ST_OFFSET + 16 * i);
        r->se = get16(b + ST_OFFSET + 16 * i + 8);
    }
    c->fop = get16(b + 6) & 0x7ff;
    c->fip = w64 ? get64(b + 8) : get32(b + 8);
    c->fdp = w64 ? get64(b + 16) : get32(b + 16);
    c->fcs = w64 ? 0 : get16(b + 12);
    c->fds = w64 ? 0 : get16(b + 20);
}

void fx_load_sse(CpuX86 *c, const uint8_t *b)
{
    for (unsigned i = 0; i < x86_xmm_count(c); i++) {
        words_from_guest(c->xmm[i].q, b + XMM_OFFSET + 16 * i, 16);
    }
}

void fx_save_mxcsr(uint8_t *b, uint32_t mxcsr)
{
    put32(b + 24, mxcsr);
    put32(b + 28, MXCSR_VALID);
}

uint32_t fx_mxcsr(const uint8_t *b)
{
    return get32(b + 24);
}

void fx_check_mxcsr(CpuX86 *c, const uint8_t *b)
{
    if (fx_mxcsr(b) & ~(uint32_t)MXCSR_VALID)
        x86_raise_error(c, EXCP_GP, 0);
}

void help_fxsave(CpuX86 *c, uint64_t addr, uint32_t how, uint32_t mxcsr)
{
    unsigned mmu = x86_mmu(c);
    uint8_t b[FX_USED];

    require_aligned(c, addr);
    /* What is not defined stays as it is in memory. */
    cpu_probe(&c->cpu, addr, sizeof(b), ACCESS_WRITE, mmu);
    cpu_load_bytes(&c->cpu, addr, b, sizeof(b), mmu);
    fx_save_x87(c, b, how & XSTATE_W64);
    fx_save_mxcsr(b, mxcsr);
    fx_save_sse(c, b);
    cpu_store_bytes(&c->cpu, addr, b, sizeof(b), mmu);
}

void help_fxrstor(CpuX86 *c, uint64_t addr, uint32_t how)
{
    uint8_t b[FX_SIZE];

    require_aligned(c, addr);
    cpu_load_bytes(&c->cpu, addr, b, sizeof(b), x86_mmu(c));
    fx_check_mxcsr(c, b);
    fx_load_x87(c, b, how & XSTATE_W64);
    c->mxcsr = fx_mxcsr(b);
    fx_load_sse(c, b);
    x86_update_mode(c);
}

void help_set_mxcsr(CpuX86 *c, uint32_t value)
{
    c->mxcsr = value;
    c->x87_slow = false;
    x86_update_mode(c);
}
