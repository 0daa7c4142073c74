/* SPDX-License-Identifier: MIT */
/*
 * The C side of the thunks. a64_mem_refill() and the packing of flags run with the guest's vector
 * registers live and are compiled for general registers only, as is what they call.
 */
#include "tcg/aarch64/gen.h"
#include "tcg/native/direct.h"

/* The record that the block before has left to be made. Later in a block it does no harm. */
void a64_settle_flags(void *env, const A64Backend *be)
{
    uint32_t *from = (uint32_t *)((uint8_t *)env + be->layout->scratch + SCR_PASSAGE);

    if (*from) {
        fault_map_apply(be->passage[*from].record, env, be->layout->flags);
        *from = 0;
    }
}

/* -- Memory ----------------------------------------------------------------------------------- */

/* Where the thunk saved what a place names. */
static void *place(void *env, const A64Backend *be, uint8_t p)
{
    if (p >= PLACE_SPILL) {
        return (uint8_t *)env + be->layout->scratch + SCR_SPILL + (p - PLACE_SPILL) * 8;
    }
    return (uint8_t *)env + be->reg_home[p];
}

static uint64_t general(void *env, const A64Backend *be, uint8_t p)
{
    return p == ZR ? 0 : *(uint64_t *)place(env, be, p);
}

static void *done(const uint8_t *site, const MemSite *m)
{
    return (uint8_t *)(uintptr_t)site - m->back + m->length * 4;
}

/* Does all that the check covers lie in one page? */
static bool group_in_page(const SlowAccess *s, const MemSite *m)
{
    uint64_t lo = s->addr - (uint64_t)(int64_t)m->disp + (uint64_t)(int64_t)m->lo;

    return (lo & 0xfff) + m->span <= 4096;
}

static bool is_direct(const MemSite *m)
{
    return m->op == OP_probe ||
           (m->type <= I64 && (m->op == OP_st || (m->op >= OP_rmw_add && m->op <= OP_rmw_xchg)));
}

static void put_general(void *env, const A64Backend *be, uint8_t p, uint64_t v)
{
    store(place(env, be, p), be->reg_bytes[p], v);
}

/* A store that only the page's code kept translated code from doing itself. */
static bool store_direct(void *env, const MemSite *m, const A64Backend *be)
{
    const SlowAccess *s = (SlowAccess *)((uint8_t *)env + be->layout->slow);
    uint64_t b, old, v;
    Any *host;

    if (!be->layout->mem_direct || be->layout->parallel || !is_direct(m)) {
        return false;
    }
    host = be->layout->mem_direct(env);
    if (!host || m->op == OP_probe) {
        return host;
    }
    b = general(env, be, m->value);
    if (m->op == OP_st) {
        store(host, s->size, b);
        return true;
    }
    old = load(host, s->size);
    v = combined(m->op, old, b);
    store(host, s->size, v);
    if (m->dst != NO_PLACE) {
        v = m->op == OP_rmw_xadd || m->op == OP_rmw_xchg ? old : load(host, s->size);
        put_general(env, be, m->dst, v);
    }
    return true;
}

/* An atomic access that the host does not do where it is: a better entry would not help. */
static bool is_torn(const SlowAccess *s, const MemSite *m, const A64Backend *be)
{
    return (m->flags & MEM_LOCK) && be->layout->parallel && (s->addr & (s->size - 1));
}

/* NULL: to be done the slow way. */
void *a64_mem_refill(void *env, const uint8_t *site, const A64Backend *be)
{
    SlowAccess *s = (SlowAccess *)((uint8_t *)env + be->layout->slow);
    const MemSite *m = (const MemSite *)site;
    void *go_on = NULL;

    a64_settle_flags(env, be);
    s->addr = general(env, be, m->addr) + (uint64_t)(int64_t)m->disp;
    s->op = m->op;
    s->type = m->type;
    s->flags = m->flags;
    s->is_write = !!(m->bits & SITE_WRITE);
    s->size = m->size;
    s->host_pc = (uintptr_t)site;
    if (is_torn(s, m, be)) {
        return NULL;
    }
    if ((!(m->bits & SITE_GROUP) || group_in_page(s, m)) && be->layout->mem_refill(env)) {
        go_on = (uint8_t *)(uintptr_t)site - m->back;
    } else if (!(m->bits & SITE_GROUP) && store_direct(env, m, be)) {
        go_on = done(site, m);
    }
    if (go_on) {
        s->host_pc = 0;
    }
    return go_on;
}

void a64_pack_env(void *env, const uint8_t *site, const A64Backend *be)
{
    uint8_t *e = env;

    *(uint64_t *)(e + be->layout->scratch + SCR_RET) =
        flags_pack((FlagsRecord *)(e + be->layout->flags));
}

void a64_settle_record(void *env, const uint8_t *site, const A64Backend *be)
{
    flags_settle((FlagsRecord *)((uint8_t *)env + be->layout->flags));
}

void a64_pack_rec(void *env, const uint8_t *site, const A64Backend *be)
{
    uint8_t *scratch = (uint8_t *)env + be->layout->scratch;

    *(uint64_t *)(scratch + SCR_RET) = flags_pack((FlagsRecord *)(scratch + SCR_REC));
}
