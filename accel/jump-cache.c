/* SPDX-License-Identifier: MIT */
/* Forgetting what is in a CPU's jump cache. Entries are made in jump-refill.c. */
#include "accel/jump-lists.h"

#include <string.h>
#include <sys/mman.h>

void jump_cache_init(Cpu *cpu)
{
    CpuRun *run = cpu->run;

    run->jumps =
        mmap(NULL, sizeof(JumpIndex), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    g_assert(run->jumps != MAP_FAILED);
    for (uint32_t i = 0; i < JUMP_LISTS; i++)
        run->jumps->node[i] = (JumpNode){ i, i };
    for (unsigned i = 0; i < TCG_JC_SIZE; i++)
        run->tail->jc[i].tag = tcg_jc_empty(i);
}

void jump_cache_destroy(Cpu *cpu)
{
    munmap(cpu->run->jumps, sizeof(JumpIndex));
}

void jump_cache_clear(Cpu *cpu)
{
    JumpIndex *x = cpu->run->jumps;

    for (uint32_t i = 0; i < JUMP_LISTS; i++) {
        for (uint32_t n = x->node[i].next; n != i; n = x->node[n].next)
            cpu->run->tail->jc[n - JUMP_LISTS].tag = tcg_jc_empty(n - JUMP_LISTS);
        x->node[i] = (JumpNode){ i, i };
    }
    memset(x->units, 0, sizeof(x->units));
    x->based = x->kernel_nonglobal = false;
}

void jump_cache_forget_kernel(Cpu *cpu)
{
    if (cpu->run->jumps->kernel_nonglobal)
        jump_cache_clear(cpu);
}

/* The entries of blocks that begin in the page at @addr. */
static void forget_page(Cpu *cpu, uint64_t addr, bool across)
{
    JumpIndex *x = cpu->run->jumps;
    uint32_t list = jump_list(addr, across), next;

    for (uint32_t n = x->node[list].next; n != list; n = next) {
        uint32_t entry = n - JUMP_LISTS;
        JumpEntry *j = &cpu->run->tail->jc[entry];

        next = x->node[n].next;
        if ((j->tag ^ addr) & PAGE_MASK)
            continue;
        jump_unlink(x, entry);
        j->tag = tcg_jc_empty(entry);
    }
}

static bool has_unit(JumpIndex *x, uint64_t addr)
{
    uint64_t bit;

    return *jump_unit_word(x, addr, &bit) & bit;
}

void jump_cache_forget(Cpu *cpu, uint64_t addr, uint64_t unit)
{
    JumpIndex *x = cpu->run->jumps;

    if (unit > 2 * UNIT_LARGE || x->based ||
        (unit && (has_unit(x, addr) || has_unit(x, addr ^ UNIT_LARGE)))) {
        jump_cache_clear(cpu);
        return;
    }
    forget_page(cpu, addr, false);
    forget_page(cpu, addr, true);
    forget_page(cpu, addr - PAGE_SIZE, true);
}
