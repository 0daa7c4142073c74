/* SPDX-License-Identifier: MIT */
/*
 * The CPUID instruction's leaves. Intel SDM vol. 2A; AMD APM vol. 3, appendix E. Caches are those
 * that AMD's family 0Fh tells of, and a 16 MiB L3; only their existence matters.
 */
#include "target-i386/cpuid.h"

#include <string.h>

#include "target-i386/cpu.h"
#include "target-i386/xsave.h"
#include "tcg/lanes.h"

enum { EAX, EBX, ECX, EDX };

uint32_t x86_cpuid_signature(const X86Model *m)
{
    uint32_t family = MIN(m->family, 0xf), extended = m->family - family;

    return (m->model >> 4 & 0xf) << 16 | extended << 20 | family << 8 | (m->model & 0xf) << 4 |
           m->stepping;
}

/* ---- Topology ------------------------------------------------------------------------------- */

static unsigned bits_for(unsigned count)
{
    unsigned bits = 0;

    while ((1u << bits) < count)
        bits++;
    return bits;
}

unsigned x86_topology_thread_bits(const X86Topology *t)
{
    return bits_for(t->threads);
}

unsigned x86_topology_package_bits(const X86Topology *t)
{
    return bits_for(t->threads) + bits_for(t->cores);
}

uint32_t x86_topology_apic_id(const X86Topology *t, unsigned index)
{
    unsigned thread = index % t->threads, core = index / t->threads % t->cores;
    unsigned socket = index / t->threads / t->cores;

    return socket << x86_topology_package_bits(t) | core << x86_topology_thread_bits(t) | thread;
}

/* ---- Leaves --------------------------------------------------------------------------------- */

static void leaf_1(CpuX86 *c, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;
    unsigned threads = t->cores * t->threads;
    uint64_t apic_base;

    out[EAX] = x86_cpuid_signature(c->model);
    out[EBX] = c->apic_id << 24 | threads << 16 | 8 << 8; /* CLFLUSH: 8 * 8 bytes */
    out[ECX] = c->features[CPUID_1_ECX];
    out[EDX] = c->features[CPUID_1_EDX];
    if (c->cr4 & CR4_OSXSAVE)
        out[ECX] |= CPUID_OSXSAVE;
    if (!(c->misc_enable & MISC_ENABLE_MONITOR))
        out[ECX] &= ~(uint32_t)CPUID_MONITOR;
    if (threads > 1)
        out[EDX] |= CPUID_HTT;
    if (c->machine && c->machine->board.apic_read_msr &&
        c->machine->board.apic_read_msr(c->machine->board.opaque, c->common.index, 0x1b,
                                        &apic_base) &&
        !(apic_base & 1 << 11))
        out[EDX] &= ~(uint32_t)CPUID_APIC;
}

/* Deterministic cache parameters: type, level, line 64, ways, sets, sharing threads. */
static void cache(uint32_t out[4], unsigned type, unsigned level, unsigned ways, unsigned sets,
                  unsigned threads, unsigned cores)
{
    out[EAX] = type | level << 5 | 1 << 8 | (threads - 1) << 14 | (cores - 1) << 26;
    out[EBX] = (64 - 1) | (ways - 1) << 22;
    out[ECX] = sets - 1;
    out[EDX] = level == 1 ? 1 : 0;
}

static void leaf_4(CpuX86 *c, uint32_t subleaf, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;
    unsigned cores = MIN(t->cores, 64), package = MIN(t->cores * t->threads, 4096);

    switch (subleaf) {
    case 0: cache(out, 1, 1, 8, 64, t->threads, cores); break;
    case 1: cache(out, 2, 1, 8, 64, t->threads, cores); break;
    case 2: cache(out, 3, 2, 16, 4096, t->threads, cores); break;
    case 3: cache(out, 3, 3, 16, 16384, package, cores); break;
    }
}

/* AMD's form of the same: no number of cores. */
static void leaf_8000001d(CpuX86 *c, uint32_t subleaf, uint32_t out[4])
{
    leaf_4(c, subleaf, out);
    out[EAX] &= 0x03ffffff;
}

/* Core within the package, threads per core; the package is one node. */
static void leaf_8000001e(CpuX86 *c, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;
    unsigned package_bits = x86_topology_package_bits(t);

    out[EAX] = c->apic_id;
    out[EBX] = (c->apic_id & ((1u << package_bits) - 1)) >> x86_topology_thread_bits(t) |
               (t->threads - 1) << 8;
    out[ECX] = c->apic_id >> package_bits;
}

static void leaf_b(CpuX86 *c, uint32_t subleaf, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;

    out[ECX] = subleaf & 0xff;
    out[EDX] = c->apic_id;
    if (subleaf == 0) {
        out[EAX] = x86_topology_thread_bits(t);
        out[EBX] = t->threads;
        out[ECX] |= 1 << 8; /* SMT */
    } else if (subleaf == 1) {
        out[EAX] = x86_topology_package_bits(t);
        out[EBX] = t->cores * t->threads;
        out[ECX] |= 2 << 8; /* core */
    }
}

static void leaf_d(CpuX86 *c, uint32_t subleaf, uint32_t out[4])
{
    if (!x86_words_have(c->features, CPUID_1_ECX, CPUID_XSAVE))
        return;
    if (subleaf == 0) {
        uint64_t valid = x86_xcr0_valid(c);

        out[EAX] = (uint32_t)valid;
        out[EBX] = x86_xsave_size(c, c->xcr0, false);
        out[ECX] = x86_xsave_size(c, valid, false);
        out[EDX] = (uint32_t)(valid >> 32);
    } else if (subleaf == 1) {
        uint64_t xss = x86_xss_valid(c);

        out[EAX] = c->features[CPUID_D_1_EAX];
        if (out[EAX] & (CPUID_XSAVEC | CPUID_XSAVES))
            out[EBX] = x86_xsave_size(c, c->xcr0 | c->xss, true);
        if (out[EAX] & CPUID_XSAVES) {
            out[ECX] = (uint32_t)xss;
            out[EDX] = (uint32_t)(xss >> 32);
        }
    } else {
        x86_xsave_component(c, subleaf, out);
    }
}

static void leaf_80000008(CpuX86 *c, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;
    bool la57 = x86_words_have(c->features, CPUID_7_0_ECX, CPUID_LA57);

    out[EAX] = c->phys_bits;
    if (x86_words_have(c->features, CPUID_80000001_EDX, CPUID_LM))
        out[EAX] |= (la57 ? 57 : 48) << 8;
    out[EBX] = c->features[CPUID_80000008_EBX];
    if (t->cores * t->threads > 1)
        out[ECX] = x86_topology_package_bits(t) << 12 | (t->cores * t->threads - 1);
}

/* AMD, and their licensee. */
static bool is_amd(const CpuX86 *c)
{
    return !strcmp(c->model->vendor, "AuthenticAMD") || !strcmp(c->model->vendor, "HygonGenuine");
}

static void leaf_80000001(CpuX86 *c, uint32_t out[4])
{
    const X86Topology *t = &c->spec->topology;

    out[EAX] = x86_cpuid_signature(c->model);
    out[ECX] = c->features[CPUID_80000001_ECX];
    out[EDX] = c->features[CPUID_80000001_EDX];
    if (is_amd(c)) {
        out[EDX] |= c->features[CPUID_1_EDX] & 0x0183f3ff; /* AMD repeats these */
        if (t->cores * t->threads > 1)
            out[ECX] |= CPUID_CMP_LEGACY;
    }
}

static uint32_t text(const char *four)
{
    return (uint32_t)guest_get(four, 4);
}

static void vendor(CpuX86 *c, uint32_t out[4])
{
    out[EBX] = text(c->model->vendor);
    out[EDX] = text(c->model->vendor + 4);
    out[ECX] = text(c->model->vendor + 8);
}

static void set(uint32_t out[4], uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
    out[EAX] = a;
    out[EBX] = b;
    out[ECX] = c;
    out[EDX] = d;
}

static void basic_leaf(CpuX86 *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    switch (leaf) {
    case 0:
        out[EAX] = c->model->level;
        vendor(c, out);
        break;
    case 1: leaf_1(c, out); break;
    case 2: set(out, 1, 0, 0x4d, 0x2c307d); break; /* cache descriptors */
    case 4: leaf_4(c, subleaf, out); break;
    case 5: /* lines of 64 bytes; interrupts may end MWAIT while masked; one C1 state */
        if (x86_words_have(c->features, CPUID_1_ECX, CPUID_MONITOR))
            set(out, 64, 64, 3, 0x10);
        break;
    case 6: out[EAX] = c->features[CPUID_6_EAX]; break;
    case 7:
        if (subleaf == 0)
            set(out, 0, c->features[CPUID_7_0_EBX],
                c->features[CPUID_7_0_ECX] | (c->cr4 & CR4_PKE ? CPUID_OSPKE : 0),
                c->features[CPUID_7_0_EDX]);
        break;
    case 0xb:
    case 0x1f: leaf_b(c, subleaf, out); break;
    case 0xd: leaf_d(c, subleaf, out); break;
    case 0x15: /* TSC / crystal; the crystal is the APIC timers' clock of 1 GHz */
        set(out, 1000, (uint32_t)(c->tsc_hz / 1000000), 1000000000, 0);
        break;
    case 0x16: /* MHz: base, maximum, bus */
        set(out, (uint32_t)(c->tsc_hz / 1000000), (uint32_t)(c->tsc_hz / 1000000), 100, 0);
        break;
    }
}

static void extended_leaf(CpuX86 *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    bool topoext = x86_words_have(c->features, CPUID_80000001_ECX, CPUID_TOPOEXT);

    switch (leaf) {
    case 0x80000000:
        out[EAX] = c->model->xlevel;
        vendor(c, out);
        break;
    case 0x80000001: leaf_80000001(c, out); break;
    case 0x80000002:
    case 0x80000003:
    case 0x80000004:
        for (unsigned i = 0; i < 4; i++)
            out[i] = text(c->model->model_id + 16 * (leaf - 0x80000002) + 4 * i);
        break;
    case 0x80000005: set(out, 0x01ff01ff, 0x01ff01ff, 0x40020140, 0x40020140); break; /* L1 */
    case 0x80000006: set(out, 0, 0x42004200, 0x02008140, 0x00808140); break;          /* L2, L3 */
    case 0x80000007: out[EDX] = c->features[CPUID_80000007_EDX]; break;
    case 0x80000008: leaf_80000008(c, out); break;
    case 0x8000001d:
        if (topoext)
            leaf_8000001d(c, subleaf, out);
        break;
    case 0x8000001e:
        if (topoext)
            leaf_8000001e(c, out);
        break;
    }
}

/* The hypervisor's range: the signature alone. */
static void hypervisor_leaf(uint32_t leaf, uint32_t out[4])
{
    if (leaf != 0x40000000)
        return;
    out[EAX] = 0x40000001;
    out[EBX] = text("TCGT");
    out[ECX] = text("CGTC");
    out[EDX] = text("GTCG");
}

void x86_cpuid(CpuX86 *c, uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
    memset(out, 0, 16);
    if (leaf - 0x40000000 < 0x100 &&
        x86_words_have(c->features, CPUID_1_ECX, (uint32_t)CPUID_HYPERVISOR)) {
        hypervisor_leaf(leaf, out);
        return;
    }
    if (leaf >= 0x80000000 && leaf <= c->model->xlevel) {
        extended_leaf(c, leaf, subleaf, out);
        return;
    }
    if (leaf > c->model->level) /* beyond: as the highest basic leaf */
        leaf = c->model->level;
    basic_leaf(c, leaf, subleaf, out);
}
