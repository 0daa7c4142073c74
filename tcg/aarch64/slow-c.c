/* SPDX-License-Identifier: MIT */
/* The C side of the thunks that have saved everything. */
#include "tcg/aarch64/gen.h"

#include "tcg/bits.h"

static void *at(void *env, int32_t off)
{
    return (uint8_t *)env + off;
}

static void *place(void *env, const A64Backend *be, uint8_t p)
{
    return p >= PLACE_SPILL ? at(env, be->layout->scratch + SCR_SPILL + (p - PLACE_SPILL) * 8)
                            : at(env, be->reg_home[p]);
}

/* Walk for the first access of a group, so that the check may then succeed for all. */
static void *group_slow(void *env, SlowAccess *s, const uint8_t *site, const A64Backend *be)
{
    const MemSite *m = (const MemSite *)site;
    uint64_t lo = s->addr - (uint64_t)(int64_t)m->disp + (uint64_t)(int64_t)m->lo;
    const TcgCode *from, *rest = NULL;

    if ((lo & 0xfff) + m->span <= 4096) {
        s->is_write = !!(m->bits & SITE_STORE);
        s->op = OP_probe;
        be->layout->mem_slow(env);
        s->is_write = !!(m->bits & SITE_WRITE);
        if (be->layout->mem_refill(env)) {
            s->host_pc = 0;
            return (uint8_t *)(uintptr_t)site - m->back;
        }
    }
    if (be->layout->mem_ungrouped) {
        rest = be->layout->mem_ungrouped(env, &from);
    }
    if (rest) { /* registers and budget go there from env, flags are in it */
        return (void *)(uintptr_t)rest->near_entry;
    }
    be->layout->mem_alone(env);
    g_assert_not_reached();
}

static void put_result(void *env, const SlowAccess *s, const MemSite *m, const A64Backend *be)
{
    unsigned bytes = ir_type_info[m->type].bytes;
    uint8_t *to = place(env, be, m->dst);

    if (m->dst >= PLACE_SPILL) {
        memcpy(to, s->value, bytes);
    } else if (m->dst >= 32) {
        memset(to, 0, 16);
        memcpy(to, s->value, bytes);
    } else {
        uint64_t v = 0;
        memcpy(&v, s->value, bytes);
        memcpy(to, &v, be->reg_bytes[m->dst]);
    }
}

void *a64_mem_slow(void *env, const uint8_t *site, const A64Backend *be)
{
    SlowAccess *s = at(env, be->layout->slow);
    const MemSite *m = (const MemSite *)site;
    unsigned bytes = ir_type_info[m->type].bytes;

    if (m->bits & SITE_GROUP) {
        return group_slow(env, s, site, be);
    }
    if (m->value != NO_PLACE && m->op != OP_probe) {
        memset(s->value, 0, sizeof(s->value));
        if (m->value != ZR) {
            memcpy(s->value, place(env, be, m->value), bytes);
        }
    }
    if (m->compare != NO_PLACE) {
        s->compare = 0;
        if (m->compare != ZR) {
            memcpy(&s->compare, place(env, be, m->compare), MIN(bytes, 8u));
        }
    }
    be->layout->mem_slow(env);
    s->host_pc = 0;
    if (m->dst != NO_PLACE) {
        put_result(env, s, m, be);
    }
    return (uint8_t *)(uintptr_t)site - m->back + m->length * 4;
}

/* @site: where the block's header is, then the trap code. */
void a64_trap(void *env, const uint8_t *site, const A64Backend *be)
{
    const TcgLayout *l = be->layout;
    uint32_t word, code, offset = 0, index = 0;
    const CodeHeader *h;

    a64_settle_flags(env, be);
    memcpy(&word, site, 4);
    memcpy(&code, site + 4, 4);
    h = (const CodeHeader *)(site - word);
    g_assert(find_point(be, h->code, (uintptr_t)site, env, &offset, &index));
    *(uint64_t *)at(env, l->pc) = *(uint64_t *)at(env, l->vbase) + offset;
    *(int32_t *)at(env, l->budget) += (int32_t)(h->code->ninsns - index);
    ((SlowAccess *)at(env, l->slow))->host_pc = 0;
    l->trap(env, code);
    g_assert_not_reached();
}

/* SCR_ARG: high, low, divisor, signed; SCR_RET: quotient, remainder. */
void a64_divide(void *env, const uint8_t *site, const A64Backend *be)
{
    uint64_t *arg = at(env, be->layout->scratch + SCR_ARG);
    uint64_t *result = at(env, be->layout->scratch + SCR_RET);
    bool good = arg[3] ? bits_divide_signed(arg[0], arg[1], (int64_t)arg[2], result)
                       : bits_divide_unsigned(arg[0], arg[1], arg[2], result);

    *(uint32_t *)at(env, be->layout->scratch + SCR_FAILED) = !good;
}
