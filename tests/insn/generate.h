/* SPDX-License-Identifier: MIT */
/*
 * Random instructions and states. An *item* is an instruction of a given entry of the decode tables
 * with what must come before it for it to get anywhere (a return address, a selector, a divisor
 * that fits), and with the places in it that depend on where it will stand.
 */
#ifndef TESTS_INSN_GENERATE_H
#define TESTS_INSN_GENERATE_H

#include "entries.h"
#include "insn.h"

void rnd_seed(uint64_t seed);
uint64_t rnd(void);
unsigned below(unsigned n);

enum { MAX_ITEM = 64, MAX_PATCHES = 3, IMAGE_AT = 0x800 };

typedef enum PatchKind {
    PATCH_SKIP, /* displacement over the next @value items */
    PATCH_NEXT, /* offset of the next item */
    PATCH_RIP,  /* displacement from the end of the instruction to linear address @value */
} PatchKind;

typedef struct Patch {
    uint8_t kind, at, size;
    uint32_t value;
} Patch;

typedef struct Item {
    uint8_t bytes[MAX_ITEM], len;
    uint8_t at; /* of the instruction, behind what prepares it */
    uint8_t npatches;
    Patch patch[MAX_PATCHES];
    Insn insn;
} Item;

/* An instruction of @e. False: none found in this mode. */
bool make_item(Item *item, Mode mode, const Entry *e, uint64_t features);
/* Append what defines every flag, for an instruction that leaves some undefined. */
void item_define_flags(Item *item, Mode mode);
/* RCPPS, RSQRTPS and theirs on a processor that has another table than AMD's, which is ours: within
 * the manual's bound, and nothing looks at it. */
bool approximates(const InsnDesc *d);
/* Within a unit in the last place of silicon's, and nothing looks at it. */
bool is_transcendental(const InsnDesc *d);
/* Bits of its elements, if which of several NaNs becomes one is the host processor's and nothing
 * looks at it; else 0. */
unsigned chooses_nan(const InsnDesc *d);
/* Bits of the x87 status word that it leaves open. */
unsigned undefined_fsw(const Insn *i);
/* The whole x87 or extended state in memory, at IMAGE_AT or just behind, addressed by RDI. */
bool is_image(const InsnDesc *d);

void random_state(Case *k);
bool is_string(const InsnDesc *d);
/* Long runs, operands that overlap, areas that end. */
void string_operands(Case *k);
/* A vector of indices that keep a gather near its base, mostly. */
void small_indices(State *s, unsigned reg);
/* Contents of the data area by a seed. @image: where a plausible XSAVE image is, 0: none. */
void random_memory(Memory *mem, uint64_t seed, unsigned image);
/* Some components of the extended state as after reset. */
void random_initial(State *s);

#endif
