/* SPDX-License-Identifier: MIT */
/*
 * Integer instructions that the IR does not say: decimal adjusts, rotates through carry, CRC32,
 * CMPXCHG16B, segment checks outside flat modes. SDM vol. 2; undefined flags as AMD's processors
 * have them.
 */
#include "target-i386/help.h"

#include "target-i386/paging.h"
#include "target-i386/segment.h"

/* ---- Decimal adjusts ------------------------------------------------------------------------ */

static uint32_t sign_zero_parity(uint8_t v)
{
    return (v & 0x80 ? FLAG_SF : 0) | (v ? 0 : FLAG_ZF) | (__builtin_parity(v) ? 0 : FLAG_PF);
}

static uint32_t pack_adjusted(uint32_t ax, uint32_t flags)
{
    return (ax & 0xffff) | flags << 16;
}

static uint32_t decimal_adjust(uint32_t ax, uint32_t flags, int sign)
{
    uint8_t old = (uint8_t)ax, al = old;
    uint32_t out = 0;
    if ((old & 15) > 9 || (flags & FLAG_AF)) {
        al = (uint8_t)(al + sign * 6);
        out |= FLAG_AF;
        if ((flags & FLAG_CF) || (sign > 0 ? old > 0xf9 : old < 6))
            out |= FLAG_CF;
    }
    if (old > 0x99 || (flags & FLAG_CF)) {
        al = (uint8_t)(al + sign * 0x60);
        out |= FLAG_CF;
    }
    return pack_adjusted((ax & 0xff00) | al, out | sign_zero_parity(al));
}

uint32_t help_daa(CpuX86 *c, uint32_t ax, uint32_t flags)
{
    return decimal_adjust(ax, flags, 1);
}

uint32_t help_das(CpuX86 *c, uint32_t ax, uint32_t flags)
{
    return decimal_adjust(ax, flags, -1);
}

static uint32_t ascii_adjust(uint32_t ax, uint32_t flags, int sign)
{
    uint32_t out = 0;
    if ((ax & 15) > 9 || (flags & FLAG_AF)) {
        ax = (uint16_t)((int)ax + sign * 0x106);
        out = FLAG_AF | FLAG_CF;
    }
    ax &= 0xff0f;
    return pack_adjusted(ax, out | sign_zero_parity((uint8_t)ax));
}

uint32_t help_aaa(CpuX86 *c, uint32_t ax, uint32_t flags)
{
    return ascii_adjust(ax, flags, 1);
}

uint32_t help_aas(CpuX86 *c, uint32_t ax, uint32_t flags)
{
    return ascii_adjust(ax, flags, -1);
}

/* ---- Rotates through carry: over width + 1 bits, CF on top -------------------------------------
 */

typedef struct Rotated {
    uint64_t value;
    bool carry;
} Rotated;

static Rotated rotate_left(uint64_t value, bool carry, unsigned width, unsigned count)
{
    unsigned __int128 mask = ((unsigned __int128)1 << (width + 1)) - 1;
    unsigned __int128 x = (unsigned __int128)carry << width | value;
    count %= width + 1;
    if (count)
        x = (x << count | x >> (width + 1 - count)) & mask;
    uint64_t low = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    return (Rotated){ (uint64_t)x & low, (x >> width) & 1 };
}

static unsigned rotate_width(uint32_t how)
{
    return 8u << (how >> 16);
}

static Rotated rotate_by_word(uint64_t value, uint32_t how, bool left)
{
    unsigned width = rotate_width(how), count = (how & 0xff) % (width + 1);
    return rotate_left(value, (how >> 8) & 1, width, left ? count : width + 1 - count);
}

uint64_t help_rcl(CpuX86 *c, uint64_t value, uint32_t how)
{
    return rotate_by_word(value, how, true).value;
}

uint64_t help_rcr(CpuX86 *c, uint64_t value, uint32_t how)
{
    return rotate_by_word(value, how, false).value;
}

/* OF: top bit of the result ^ CF (left), the two top bits (right): the manual's rule for a count of
 * one, kept for others. */
uint32_t help_rcl_flags(CpuX86 *c, uint64_t value, uint32_t how)
{
    Rotated r = rotate_by_word(value, how, true);
    bool top = (r.value >> (rotate_width(how) - 1)) & 1;
    return (r.carry ? FLAG_CF : 0) | (top != r.carry ? FLAG_OF : 0);
}

uint32_t help_rcr_flags(CpuX86 *c, uint64_t value, uint32_t how)
{
    Rotated r = rotate_by_word(value, how, false);
    unsigned width = rotate_width(how);
    bool top = (r.value >> (width - 1)) & 1, below = (r.value >> (width - 2)) & 1;
    return (r.carry ? FLAG_CF : 0) | (top != below ? FLAG_OF : 0);
}

/* CRC32C (polynomial 11EDC6F41, reflected). */
uint32_t help_crc32(CpuX86 *c, uint32_t crc, uint64_t data, uint32_t bytes)
{
    for (uint32_t n = 0; n < bytes; n++) {
        crc ^= (uint8_t)(data >> (8 * n));
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
    }
    return crc;
}

/* ---- Segments ------------------------------------------------------------------------------- */

static bool segment_allows(const CpuX86 *c, unsigned seg, bool write)
{
    uint32_t attr = c->segs[seg].attr;
    if (!is_protected(c))
        return true;
    if (!(attr & ATTR_P))
        return false; /* null selector */
    if (attr & ATTR_CODE)
        return !write && (attr & ATTR_RW);
    return !write || (attr & ATTR_RW);
}

uint64_t x86_segment_address(CpuX86 *c, unsigned seg, uint64_t ea, uint32_t size, bool write)
{
    const Segment *s = &c->segs[seg];
    if (x86_is_64bit_code(c)) {
        uint64_t addr = seg >= SEG_FS ? s->base + ea : ea;
        bool is_ss = seg == SEG_SS;

        if (!x86_is_canonical(c, addr) || /* helpers' accesses would tell so, too, but as #GP */
            (is_ss && size && !x86_is_canonical(c, addr + size - 1)))
            x86_raise_error(c, is_ss ? EXCP_SS : EXCP_GP, 0);
        return addr;
    }
    if (!segment_allows(c, seg, write) || !seg_in_limit(s, (uint32_t)ea, size))
        x86_raise_error(c, seg == SEG_SS ? EXCP_SS : EXCP_GP, 0);
    return (uint32_t)(s->base + ea);
}

void help_check_segment(CpuX86 *c, uint32_t how, uint64_t ea)
{
    x86_segment_address(c, how & 7, ea, how >> 16, (how >> 8) & 1);
}

/* ARPL to memory. */
void help_store_raised(CpuX86 *c, uint32_t how, uint64_t ea, uint32_t selector)
{
    if (how >> 8)
        cpu_store(&c->cpu, x86_segment_address(c, how & 7, ea, 2, true), selector, 2, x86_mmu(c));
}
