/* SPDX-License-Identifier: MIT */
/*
 * What "info jit" and -d stats print. Hits that translated code has by itself (first TLB level,
 * jump cache, links) are not counted, as counting would cost more than they do: misses are.
 */
#include "accel/engine.h"

#include <inttypes.h>

static double per(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void line(GString *out, const char *what, uint64_t n)
{
    g_string_append_printf(out, "%-36s %14" PRIu64 "\n", what, n);
}

static void print_code(Accel *a, GString *out)
{
    const TbCache *c = &a->tbs;
    const AccelStats *s = &a->stats;
    uint64_t live = 0;

    for (guint i = 0; c->all && i < c->all->len; i++)
        live += !((const Tb *)c->all->pdata[i])->retired;
    g_string_append(out, "Translation\n");
    line(out, "  blocks made", c->translated);
    line(out, "  blocks in use", live);
    line(out, "  blocks made for one run", s->uncached);
    line(out, "  guest instructions", s->insns);
    line(out, "  guest bytes", s->guest_bytes);
    line(out, "  host bytes", s->host_bytes);
    g_string_append_printf(out, "  host bytes per guest byte            %14.2f\n",
                           per(s->host_bytes, s->guest_bytes));
    g_string_append_printf(out, "  guest instructions per block         %14.2f\n",
                           per(s->insns, c->translated));
    if (s->timed_insns)
        g_string_append_printf(out, "  host ns per guest instruction        %14.1f\n",
                               per(s->timed_ns, s->timed_insns));
    else
        g_string_append(out, "  time is taken under -d stats only\n");
    line(out, "  code buffer, bytes used", tcg_buffer_used(a->tcg));
    line(out, "  code buffer flushes", c->flushes);
}

static void print_running(Accel *a, GString *out)
{
    static const char *const names[] = {
        [TCG_EXIT_BUDGET] = "  slice at its end",
        [TCG_EXIT_LINK] = "  block not linked yet, or out of unit",
        [TCG_EXIT_LOOKUP] = "  jump not in the jump cache",
        [TCG_EXIT_REASON] = "  instruction wants the loop",
    };
    const AccelStats *s = &a->stats;
    uint64_t count = accel_instruction_count(a), leaves = 0;

    g_string_append(out, "Running\n");
    line(out, "  guest instructions", count);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++)
        leaves += s->leaves[i];
    line(out, "  returns to the loop", leaves);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_strdup_printf("  %s", names[i]);
        line(out, name, s->leaves[i]);
    }
    g_string_append_printf(out, "  guest instructions per return        %14.1f\n",
                           per(count, leaves));
    line(out, "  jumps refilled without returning", s->jumps_refilled);
    line(out, "  blocks found in the hash", s->found);
    line(out, "  links made", a->tbs.linked);
    line(out, "  blocks invalidated", a->tbs.invalidated);
    line(out, "  pages whose blocks check themselves", a->tbs.checked ? a->tbs.checked->len : 0);
}

static void print_memory(Accel *a, GString *out)
{
    static const char *const names[SLOW_KINDS] = {
        [SLOW_CROSSING] = "    of two pages",
        [SLOW_IO] = "    of devices",
        [SLOW_WATCHED] = "    of pages with breakpoints",
        [SLOW_ROM] = "    stores to ROM",
        [SLOW_CODE] = "    stores to pages with code",
        [SLOW_MISS] = "    for want of a TLB entry",
    };
    const AccelStats *s = &a->stats;
    uint64_t hits = 0, walks = 0, refills = 0, slow = 0;

    for (guint i = 0; i < a->cpus->len; i++) {
        const Tlb *t = ((Cpu *)a->cpus->pdata[i])->run->tlb;
        hits += t->hits;
        walks += t->walks;
        refills += t->refills;
    }
    for (unsigned i = 0; i < SLOW_KINDS; i++)
        slow += s->slow[i];
    g_string_append(out, "Memory\n");
    line(out, "  first TLB level misses", refills + s->beside_code + slow);
    line(out, "  - refilled from the second", refills);
    line(out, "  - stores beside code", s->beside_code);
    line(out, "  - slow accesses", slow);
    for (unsigned i = 0; i < SLOW_KINDS; i++)
        line(out, names[i], s->slow[i]);
    line(out, "  second level hits of C code", hits);
    line(out, "  page walks", walks);
    line(out, "  flushes of all", s->tlb_flushes);
    line(out, "  flushes of an address space", s->asid_flushes);
    line(out, "  flushes of a page", s->page_flushes);
}

void accel_print_stats(Accel *a, GString *out)
{
    print_code(a, out);
    print_running(a, out);
    print_memory(a, out);
    tcg_print_census(a->tcg, out);
}
