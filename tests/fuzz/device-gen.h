/* SPDX-License-Identifier: MIT */
/* How scripts write steps: random numbers of a seed, and a function for each kind of access. */
#ifndef TESTS_FUZZ_DEVICE_GEN_H
#define TESTS_FUZZ_DEVICE_GEN_H

#include "tests/fuzz/device-ops.h"

enum { GEN_RINGS = 8 }; /* of a function, that are counted */

typedef struct Gen {
    uint64_t state;
    GArray *ops;
    bool migrates; /* or types: characters that wait in the host do not migrate */
    uint16_t offered[SLOT_END][GEN_RINGS]; /* chains of virtio rings since the last reset */
} Gen;

typedef void Script(Gen *g);

uint64_t any(Gen *g);
uint64_t below(Gen *g, uint64_t n);
#define PICK(g, table) ((table)[below(g, G_N_ELEMENTS(table))])
/* Numbers that break things: edges, single bits, small ones, anything. */
uint64_t odd_value(Gen *g);
uint8_t odd_size(Gen *g);

void step(Gen *g, OpKind kind, uint8_t size, uint64_t addr, uint64_t value);
void out(Gen *g, uint16_t port, uint32_t value, uint8_t size);
void in(Gen *g, uint16_t port, uint8_t size);
void in_or_out(Gen *g, uint16_t port, uint8_t size);
void put(Gen *g, uint64_t addr, uint64_t value, uint8_t size); /* into memory */
void read_or_write(Gen *g, uint64_t addr, uint8_t size);
/* Register @reg of a function's configuration space. */
void put_config(Gen *g, uint8_t devfn, uint8_t reg, uint32_t value, uint8_t size);

/* Functions with rings and descriptors in memory: device-scripts-pci.c. */
void script_virtio(Gen *g);
void script_e1000(Gen *g);
void script_rtl8139(Gen *g);
void script_ne2k(Gen *g);
void script_disk(Gen *g);
void script_bars(Gen *g);
void script_outside(Gen *g);

#endif
