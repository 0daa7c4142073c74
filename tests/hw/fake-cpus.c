/* SPDX-License-Identifier: MIT */
#include "tests/hw/fake-cpus.h"

#include <string.h>

static void set_intr(void *opaque, unsigned n, int level)
{
    FakeCpus *c = opaque;

    if (!c->f->frozen)
        c->intr[n] = level;
}

static void raise_nmi(void *opaque, unsigned n)
{
    ((FakeCpus *)opaque)->nmis[n]++;
}

static void raise_smi(void *opaque, unsigned n)
{
    ((FakeCpus *)opaque)->smis[n]++;
}

static void raise_init(void *opaque, unsigned n)
{
    ((FakeCpus *)opaque)->inits[n]++;
}

static void raise_sipi(void *opaque, unsigned n, uint8_t vector)
{
    ((FakeCpus *)opaque)->sipi[n] = vector;
}

static void set_a20(void *opaque, int level)
{
    (void)opaque;
    (void)level;
}

static void set_ignne(void *opaque, int level)
{
    (void)opaque;
    (void)level;
}

static uint32_t apic_id(void *opaque, unsigned n)
{
    return n;
}

static bool is_present(void *opaque, unsigned n)
{
    return !((FakeCpus *)opaque)->absent[n];
}

static void set_present(void *opaque, unsigned n, bool present)
{
    ((FakeCpus *)opaque)->absent[n] = !present;
}

static CpuPlace place(void *opaque, unsigned n)
{
    return (CpuPlace){ .socket = n };
}

static unsigned current(void *opaque)
{
    return ((FakeCpus *)opaque)->now;
}

static bool get_regs(void *opaque, CpuRegs *r)
{
    const FakeCpus *c = opaque;

    *r = c->regs;
    return !c->idle;
}

static void set_regs(void *opaque, const CpuRegs *r)
{
    FakeCpus *c = opaque;

    c->regs = *r;
}

void fake_cpus_init(FakeCpus *c, Fixture *f, unsigned count)
{
    memset(c, 0, sizeof(*c));
    c->f = f;
    memset(c->sipi, 0xff, sizeof(c->sipi));
    c->bus = (CpuBus){
        .count = count,
        .set_intr = set_intr,
        .raise_nmi = raise_nmi,
        .raise_smi = raise_smi,
        .raise_init = raise_init,
        .raise_sipi = raise_sipi,
        .set_a20 = set_a20,
        .set_ignne = set_ignne,
        .model = "fake",
        .apic_id = apic_id,
        .is_present = is_present,
        .set_present = set_present,
        .place = place,
        .current = current,
        .get_regs = get_regs,
        .set_regs = set_regs,
        .opaque = c,
    };
}
