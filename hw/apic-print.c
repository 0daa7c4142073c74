/* SPDX-License-Identifier: MIT */
/* `info lapic` of one local APIC, laid out as QEMU 7.2 does: scripts read it. */
#include "hw/apic-internal.h"

static const char *const modes[] = {
    "Fixed", "...", "SMI", "...", "NMI", "INIT", "SIPI", "ExtINT"
};
enum { MODE_NMI = 4 };

static void print_lvt(const char *name, uint32_t lvt, bool timer, GString *out)
{
    static const char *const timers[] = { "one-shot", "periodic", "tsc-deadline", "..." };
    unsigned mode = timer ? 0 : lvt >> 8 & 7;

    g_string_append_printf(out, "%s\t 0x%08x %s %-5s %-6s %-7s %-12s %-6s", name, lvt,
                           lvt >> 13 & 1 ? "active-lo" : "active-hi",
                           lvt >> 15 & 1 ? "level" : "edge", lvt >> 16 & 1 ? "masked" : "",
                           lvt >> 12 & 1 ? "pending" : "", timer ? timers[lvt >> 17 & 3] : "",
                           modes[mode]);
    if (mode == MODE_NMI)
        g_string_append_c(out, '\n');
    else
        g_string_append_printf(out, " (vec %u)\n", lvt & 0xff);
}

static void print_vectors(const char *name, const Apic *a, const uint32_t *set, bool modes,
                          GString *out)
{
    bool any = false;

    g_string_append_printf(out, "%s\t ", name);
    for (unsigned v = 0; v < 256; v++) {
        uint32_t bit = 1u << (v & 31);

        if (!(set[v >> 5] & bit))
            continue;
        any = true;
        g_string_append_printf(out, "%u%s ", v, modes && a->tmr[v >> 5] & bit ? "(level)" : "");
    }
    g_string_append(out, any ? "\n" : "(none)\n");
}

static void print_binary(uint32_t value, unsigned bits, GString *out)
{
    while (bits-- > 0)
        g_string_append_c(out, value >> bits & 1 ? '1' : '0');
}

/* A set of APICs: in the cluster model four of one cluster (SDM 3A 11.6.2.2). */
static void print_destinations(const Apic *a, unsigned dest, GString *out)
{
    bool flat = a->dfr >> 28 == 0xf;

    if (apic_is_x2apic(a)) {
        g_string_append_printf(out, " cluster %u mask ", dest >> 16);
        print_binary(dest, 16, out);
    } else {
        if (!flat)
            g_string_append_printf(out, " cluster %u", dest >> 4);
        g_string_append(out, " mask ");
        print_binary(dest, flat ? 8 : 4, out);
    }
    g_string_append(out, " (APIC ID)\n");
}

static void print_icr(const Apic *a, GString *out)
{
    static const char *const shorthands[] = { "no-shorthand", "self", "all-self", "all" };
    uint32_t low = a->icr, high = a->icr >> 32;
    unsigned shorthand = low >> 18 & 3, dest = apic_is_x2apic(a) ? high : high >> 24;
    bool logical = low >> 11 & 1;

    g_string_append_printf(out, "ICR\t 0x%08x %s %s %s %s\n", low, logical ? "logical" : "physical",
                           low >> 15 & 1 ? "level" : "edge", low >> 14 & 1 ? "assert" : "de-assert",
                           shorthands[shorthand]);
    g_string_append_printf(out, "ICR2\t 0x%08x", high);
    if (shorthand)
        g_string_append_c(out, '\n');
    else if (logical)
        print_destinations(a, dest, out);
    else
        g_string_append_printf(out, " cpu %u (APIC ID)\n", dest);
}

static void print_timer(const Apic *a, GString *out)
{
    unsigned shift = ((a->divide & 3) | (a->divide >> 1 & 4)) + 1;

    g_string_append_printf(
        out, "Timer\t DCR=0x%x (divide by %u) initial_count = %u current_count = %u\n", a->divide,
        1u << (shift & 7), a->initial_count, apic_current_count(a));
}

void apic_print(const Apic *a, GString *out)
{
    static const struct {
        const char *name;
        unsigned n;
    } rows[] = { { "LVT0", LVT_LINT0 },   { "LVT1", LVT_LINT1 },      { "LVTPC", LVT_PERF },
                 { "LVTERR", LVT_ERROR }, { "LVTTHMR", LVT_THERMAL }, { "LVTT", LVT_TIMER } };

    g_string_append_printf(out, "dumping local APIC state for CPU %u \n\n", a->index);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        print_lvt(rows[i].name, a->lvt[rows[i].n], rows[i].n == LVT_TIMER, out);
    print_timer(a, out);
    g_string_append_printf(out, "SPIV\t 0x%08x APIC %s, focus=%s, spurious vec %u\n", a->svr,
                           a->svr >> 8 & 1 ? "enabled" : "disabled", a->svr >> 9 & 1 ? "on" : "off",
                           a->svr & 0xff);
    print_icr(a, out);
    g_string_append_printf(out, "ESR\t 0x%08x\n", a->esr);
    print_vectors("ISR", a, a->isr, false, out);
    print_vectors("IRR", a, a->irr, true, out);
    g_string_append_printf(out, "\nAPR 0x%02x TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x\n", 0,
                           a->tpr, a->dfr >> 28, apic_is_x2apic(a) ? a->ldr : a->ldr >> 24,
                           apic_ppr(a));
}
