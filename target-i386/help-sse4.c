/* SPDX-License-Identifier: MIT */
/* SSE4.2 string comparison: PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1). */
#include "target-i386/help-fp.h"

#include <string.h>

typedef struct Text {
    int32_t e[16]; /* elements, as the immediate says */
    unsigned length;
} Text;

enum { EQUAL_ANY, RANGES, EQUAL_EACH, EQUAL_ORDERED };

static unsigned elements(uint32_t how)
{
    return how & PCMPSTR_WORDS ? 8 : 16;
}

static Text text_of(const void *v, uint32_t how)
{
    VecValue x = vec_get(v);
    Text t = { .length = elements(how) };

    for (unsigned i = 0; i < elements(how); i++) {
        if (how & PCMPSTR_WORDS)
            t.e[i] = how & PCMPSTR_SIGNED ? x.sh[i] : x.h[i];
        else
            t.e[i] = how & PCMPSTR_SIGNED ? x.sb[i] : x.b[i];
    }
    return t;
}

static void end_at_zero(Text *t)
{
    unsigned max = t->length;

    for (t->length = 0; t->length < max && t->e[t->length]; t->length++) {
    }
}

/* |@length|, at most what a register holds. */
static unsigned explicit_length(uint64_t length, uint32_t how)
{
    uint64_t n = how & PCMPSTR_W64 ? length : (uint64_t)(int32_t)length;

    if (n >> 63)
        n = -n;
    return (unsigned)MIN(n, elements(how));
}

static bool found_in(const Text *x, int32_t v, bool ranges)
{
    for (unsigned i = 0; i < x->length; i++) {
        if (!ranges && x->e[i] == v)
            return true;
        if (ranges && i % 2 && x->e[i - 1] <= v && v <= x->e[i])
            return true;
    }
    return false;
}

static bool same_at(const Text *x, const Text *y, unsigned j)
{
    bool in_x = j < x->length, in_y = j < y->length;

    return in_x && in_y ? x->e[j] == y->e[j] : in_x == in_y;
}

/* Does @x stand in @y from @j on, as far as the register shows? */
static bool stands_at(const Text *x, const Text *y, unsigned j, unsigned n)
{
    for (unsigned i = 0; i < x->length && j + i < n; i++) {
        if (j + i >= y->length || x->e[i] != y->e[j + i])
            return false;
    }
    return true;
}

static uint32_t aggregate(const Text *x, const Text *y, uint32_t how)
{
    unsigned n = elements(how), kind = how >> PCMPSTR_KIND_SHIFT & 3;
    uint32_t r = 0;

    for (unsigned j = 0; j < n; j++) {
        bool hit;
        switch (kind) {
        case EQUAL_EACH: hit = same_at(x, y, j); break;
        case EQUAL_ORDERED: hit = stands_at(x, y, j, n); break;
        default: hit = j < y->length && found_in(x, y->e[j], kind == RANGES); break;
        }
        if ((how & PCMPSTR_NEGATIVE) && (!(how & PCMPSTR_MASKED) || j < y->length))
            hit = !hit;
        r |= (uint32_t)hit << j;
    }
    return r;
}

static uint64_t compare(const Text *x, const Text *y, uint32_t how)
{
    uint32_t bits = aggregate(x, y, how), n = elements(how), index = n, flags = 0;

    if (bits)
        index =
            how & PCMPSTR_LAST ? 31 - (uint32_t)__builtin_clz(bits) : (uint32_t)__builtin_ctz(bits);
    flags |= bits ? FLAG_CF : 0;
    flags |= y->length < n ? FLAG_ZF : 0;
    flags |= x->length < n ? FLAG_SF : 0;
    flags |= bits & 1 ? FLAG_OF : 0;
    return bits | index << PCMPSTR_INDEX_SHIFT | (uint64_t)flags << PCMPSTR_FLAGS_SHIFT;
}

uint64_t help_pcmpistr(CpuX86 *c, const void *x, const void *y, uint32_t how)
{
    Text a = text_of(x, how), b = text_of(y, how);

    end_at_zero(&a);
    end_at_zero(&b);
    return compare(&a, &b, how);
}

uint64_t help_pcmpestr(CpuX86 *c, const void *x, const void *y, uint32_t how)
{
    Text a = text_of(x, how), b = text_of(y, how);

    a.length = explicit_length(c->regs[R_RAX], how);
    b.length = explicit_length(c->regs[R_RDX], how);
    return compare(&a, &b, how);
}

void help_pcmpstr_mask(CpuX86 *c, void *result, uint32_t bits, uint32_t how)
{
    unsigned bytes = how & PCMPSTR_WORDS ? 2 : 1;
    VecValue r = { .w = { bits } }; /* bit mask */

    for (unsigned i = 0; i < 16 && (how & PCMPSTR_LAST); i++)
        r.b[i] = bits >> (i / bytes) & 1 ? 0xff : 0;
    vec_put(result, r);
}
