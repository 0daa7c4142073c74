/* SPDX-License-Identifier: MIT */
/* What the files of accel/plugin/ share. */
#ifndef ACCEL_PLUGIN_INTERNAL_H
#define ACCEL_PLUGIN_INTERNAL_H

#include "accel/engine.h"
#include "accel/plugin/instrument.h"
#include "accel/plugin/mimus-plugin.h"
#include "accel/plugin/plugin.h"

typedef struct Argument {
    char *name, *value; /* value NULL: the name stood alone */
} Argument;

typedef struct TranslateHook {
    MimusTranslateFn *fn;
    void *opaque;
} TranslateHook;

struct MimusPlugin {
    PluginSet *set;
    char *name, *path;
    void *module; /* of dlopen() */
    void (*unload)(MimusPlugin *p);
    GArray *args;      /* Argument */
    GArray *translate; /* TranslateHook */
    char *failure;
    void *data;
};

struct MimusCounter {
    MimusPlugin *owner; /* NULL: free */
    PluginSet *set;
};

/* Something that is to happen at an instruction. */
typedef struct Action {
    uint16_t insn;
    uint16_t counter;
    uint32_t n;
    bool entry; /* when the block is entered, else when the instruction is done */
} Action;

struct MimusInsn {
    MimusBlock *block;
    uint32_t offset; /* in the mapping unit */
    uint32_t size;
    uint16_t index;
};

#define BLOCK_INSNS 512 /* the most of a block */

struct MimusBlock {
    PluginSet *set;
    Cpu *cpu;
    const TranslateRequest *req;
    const uint8_t *bytes;   /* of the whole block */
    uint64_t ram;           /* of its first byte */
    uint64_t paddr, paddr2; /* of its first byte, of its second page; UINT64_MAX: unknown */
    unsigned ninsns;
    MimusInsn insn[BLOCK_INSNS];
    GArray *actions; /* Action, in the order of instructions once all plugins have looked */
};

struct PluginSet {
    Accel *accel;
    GPtrArray *plugins; /* MimusPlugin * */
    unsigned loaded;    /* ever: for names */
    MimusCounter counter[PLUGIN_COUNTERS];
    MimusBlock block;          /* being translated */
    IrOp source[IR_MAX_OPS];   /* what the frontend made of it */
    IrRef renamed[IR_MAX_OPS]; /* … and what its values are called now */
};

/* Of a Tb. Instructions are counted at the start of a segment, all of it at once, and what a fault
 * leaves undone is given back. One that may leave by other ways is late: counted at its end. */
struct Trace {
    unsigned ninsns, nactions;
    const Action *actions;
    struct {
        bool late;
        uint16_t last; /* of its segment */
    } insn[];
};

uint64_t plugin_counter_pending(const PluginSet *s, Cpu *cpu, unsigned counter);

#endif
