/* SPDX-License-Identifier: MIT */
/*
 * SRAT and SLIT. Spec: ACPI 6.4, 5.2.16 and 5.2.17; SRAT in the form that has 32-bit proximity
 * domains (revision 3 reads the same). Memory of the nodes follows one another in address order,
 * with the holes below 1 MiB and below 4 GiB left out. Missing: memory and generic initiators that
 * come later, HMAT.
 */
#include "hw/acpi-numa.h"

#define LOW_END  0xa0000ULL
#define HIGH     0x100000ULL
#define FOUR_GIB 0x100000000ULL

enum { SRAT_APIC = 0, SRAT_MEMORY = 1, SRAT_X2APIC = 2, SRAT_ENABLED = 1 };

static void put(GByteArray *out, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, size);
}

static void put_cpu(GByteArray *out, uint32_t apic_id, uint32_t node)
{
    if (apic_id < 0xff) {
        put(out, SRAT_APIC, 1);
        put(out, 16, 1);
        put(out, node, 1);
        put(out, apic_id, 1);
        put(out, SRAT_ENABLED, 4);
        put(out, 0, 1);         /* SAPIC's id */
        put(out, node >> 8, 3); /* the domain's higher bytes */
        put(out, 0, 4);         /* clock domain */
    } else {
        put(out, SRAT_X2APIC, 1);
        put(out, 24, 1);
        put(out, 0, 2);
        put(out, node, 4);
        put(out, apic_id, 4);
        put(out, SRAT_ENABLED, 4);
        put(out, 0, 8); /* clock domain; reserved */
    }
}

static void put_memory(GByteArray *out, uint64_t base, uint64_t size, uint32_t node)
{
    put(out, SRAT_MEMORY, 1);
    put(out, 40, 1);
    put(out, node, 4);
    put(out, 0, 2);
    put(out, base, 8);
    put(out, size, 8);
    put(out, 0, 4);
    put(out, SRAT_ENABLED, 4);
    put(out, 0, 8);
}

/* What is left of a walk through the ranges where RAM is. */
typedef struct RamWalk {
    uint64_t at, below_4g;
} RamWalk;

/* The end of the range that @w is in, or, from a hole, the begin of the next. */
static uint64_t range_end(RamWalk *w)
{
    if (w->at >= LOW_END && w->at < HIGH)
        w->at = HIGH;
    if (w->at >= w->below_4g && w->at < FOUR_GIB)
        w->at = FOUR_GIB;
    return w->at < LOW_END ? LOW_END : w->at < w->below_4g ? w->below_4g : UINT64_MAX;
}

/* @size bytes of RAM count the hole below 1 MiB, as the size of a machine's memory does. */
static void put_node_memory(GByteArray *out, RamWalk *w, uint64_t size, uint32_t node)
{
    while (size) {
        uint64_t end = range_end(w), len = MIN(size, end - w->at);

        put_memory(out, w->at, len, node);
        w->at += len;
        size -= len;
        if (w->at == LOW_END)
            size -= MIN(size, HIGH - LOW_END);
    }
}

void acpi_put_srat(GByteArray *out, const AcpiConfig *c)
{
    RamWalk w = { 0, c->below_4g };

    put(out, 1, 4); /* reserved, and 1 */
    put(out, 0, 8);
    for (unsigned i = 0; i < c->cpus; i++)
        put_cpu(out, c->apic_ids[i], c->numa->node_of_cpu[i]);
    for (unsigned n = 0; n < c->numa->nodes; n++)
        put_node_memory(out, &w, c->numa->ram_size[n], n);
}

void acpi_put_slit(GByteArray *out, const AcpiConfig *c)
{
    put(out, c->numa->nodes, 8);
    for (unsigned from = 0; from < c->numa->nodes; from++)
        for (unsigned to = 0; to < c->numa->nodes; to++)
            put(out, c->numa->distance[from][to], 1);
}
