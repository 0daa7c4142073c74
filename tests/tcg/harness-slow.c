/* SPDX-License-Identifier: MIT */
/* The fake guest's slow paths. Built for general registers only; no library calls but longjmp. */
#include "tests/tcg/harness.h"

static bool page_of(uint64_t addr, unsigned *page)
{
    *page = (unsigned)((addr - FAKE_BASE) >> 12);
    return addr >= FAKE_BASE && addr - FAKE_BASE < FAKE_MEM_SIZE;
}

bool harness_refill(void *p)
{
    FakeEnv *env = p;
    const SlowAccess *s = &env->slow;
    unsigned page, mmu = s->flags & MEM_MMU_MASK;
    TlbEntry *e = &env->tlb[mmu][s->is_write][s->addr >> 12 & (TCG_TLB_SIZE - 1)];

    env->refills++;
    if (!page_of(s->addr, &page) || page == FAKE_SLOW || (s->is_write && page == FAKE_READONLY) ||
        (s->addr & 0xfff) + s->size > 4096 || ((s->flags & MEM_ALIGN) && s->addr % s->size)) {
        return false;
    }
    e->tag = tlb_tag(s->addr);
    e->addend = (uint64_t)(uintptr_t)env->mem - FAKE_BASE;
    return true;
}

void harness_raise(FakeEnv *env, OutcomeKind kind)
{
    TcgCode *code = tcg_find_code(env->harness->tcg, env->slow.host_pc);
    uint32_t offset, index;

    g_assert(code);
    tcg_restore_state(env->harness->tcg, code, env->slow.host_pc, env, &offset, &index);
    env->pc = env->vbase + offset;
    env->budget += (int32_t)(code->ninsns - index);
    env->alone_index = index;
    longjmp(env->out, 1 + kind);
}

void harness_trap(void *p, uint32_t code)
{
    FakeEnv *env = p;

    g_assert(env->slow.host_pc == 0);
    env->trap_code = code;
    longjmp(env->out, 1 + OUT_TRAP);
}

void harness_alone(void *p)
{
    harness_raise(p, OUT_ALONE);
}

static uint64_t combined(const SlowAccess *s, uint64_t old)
{
    uint64_t b = s->value[0];

    switch (s->op) {
    case OP_rmw_add:
    case OP_rmw_xadd: return old + b;
    case OP_rmw_sub: return old - b;
    case OP_rmw_and: return old & b;
    case OP_rmw_or: return old | b;
    case OP_rmw_xor: return old ^ b;
    case OP_rmw_xchg: return b;
    case OP_rmw_cas: {
        uint64_t mask = s->size == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * s->size) - 1;
        return ((old ^ s->compare) & mask) == 0 ? b : old;
    }
    default: g_assert_not_reached();
    }
}

static bool yields_old_value(uint32_t op)
{
    return op == OP_rmw_xadd || op == OP_rmw_xchg || op == OP_rmw_cas;
}

static void check_pages(FakeEnv *env)
{
    const SlowAccess *s = &env->slow;

    for (uint32_t i = 0; i < s->size; i++) {
        unsigned page;
        if (!page_of(s->addr + i, &page) || (s->is_write && page == FAKE_READONLY)) {
            env->fault_addr = s->addr + i;
            harness_raise(env, OUT_FAULT);
        }
    }
}

void harness_slow(void *p)
{
    FakeEnv *env = p;
    SlowAccess *s = &env->slow;
    volatile uint8_t *host = env->mem + (s->addr - FAKE_BASE);
    volatile uint8_t *value = (volatile uint8_t *)s->value;
    uint64_t old = 0, new;

    env->slow_calls++;
    if ((s->flags & MEM_ALIGN) && s->addr % s->size) {
        env->fault_addr = s->addr;
        harness_raise(env, OUT_FAULT);
    }
    check_pages(env);
    if (s->op == OP_probe) {
        return;
    }
    if (s->op == OP_ld) {
        for (uint32_t i = 0; i < s->size; i++) {
            value[i] = host[i];
        }
    } else if (s->op == OP_st) {
        for (uint32_t i = 0; i < s->size; i++) {
            host[i] = value[i];
        }
    } else {
        for (uint32_t i = 0; i < s->size; i++) {
            old |= (uint64_t)host[i] << 8 * i;
        }
        new = combined(s, old);
        for (uint32_t i = 0; i < s->size; i++) {
            host[i] = (uint8_t)(new >> 8 * i);
        }
        s->value[0] = yields_old_value(s->op) ? old : new;
    }
}
