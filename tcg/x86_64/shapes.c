/* SPDX-License-Identifier: MIT */
/*
 * What memory stubs have to do stands behind the block's code, where neither the code that runs nor
 * a search for an equal one needs a line of the cache for it. A stub's call is followed by two
 * distances: back to the check, and ahead to the shape.
 */
#include "tcg/x86_64/gen.h"

/* In 16 bits each, or, if the first is FAR, in 32 bits each behind these. */
typedef struct __attribute__((packed)) Site {
    uint16_t back, ahead;
    uint32_t far_back, far_ahead;
} Site;

enum {
    FAR = UINT16_MAX,
    NEAR_SITE = 4,
    SURE_STUBS = 256, /* so many stubs and shapes are within 16 bits for sure: see the assertion */
};

void put_mem_site(Gen *g, Stub *s)
{
    uint32_t back = (uint32_t)(g->a.p - s->retry);
    Site site = { .back = (uint16_t)back, .far_back = back };
    bool far = back >= FAR || g->nstubs > SURE_STUBS;

    site.back = far ? FAR : site.back;
    x_room(&g->a, sizeof(site));
    s->retry = g->a.p;
    memcpy(g->a.p, &site, sizeof(site));
    g->a.p += far ? sizeof(site) : NEAR_SITE;
}

static void complete(uint8_t *at, uint32_t ahead)
{
    Site *site = (Site *)at;

    if (site->back == FAR) {
        site->far_ahead = ahead;
    } else {
        g_assert(ahead <= UINT16_MAX);
        site->ahead = (uint16_t)ahead;
    }
}

void append_shapes(Gen *g)
{
    G_STATIC_ASSERT(offsetof(MemShape, extra) % 8 == 0);
    if ((size_t)(g->a.end - g->a.p) < (g->nmem_stubs + 1) * sizeof(MemShape)) {
        g->a.full = true;
        return;
    }
    g->a.p = (uint8_t *)(((uintptr_t)g->a.p + 7) & ~(uintptr_t)7);
    for (unsigned i = g->latest_stub[0]; i; i = g->stubs[i - 1].before) {
        Stub *s = &g->stubs[i - 1];
        complete(s->retry, (uint32_t)(g->a.p - s->retry));
        memcpy(g->a.p, &s->shape, sizeof(s->shape));
        g->a.p += offsetof(MemShape, extra) + s->nextra * sizeof(s->shape.extra[0]);
    }
}

__attribute__((target("general-regs-only"))) MemSite mem_site(const uint8_t *at)
{
    const Site *s = (const Site *)at;

    if (s->back == FAR) {
        return (MemSite){ (const MemShape *)(at + s->far_ahead), at - s->far_back, sizeof(*s) };
    }
    return (MemSite){ (const MemShape *)(at + s->ahead), at - s->back, NEAR_SITE };
}
