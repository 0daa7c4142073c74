/* SPDX-License-Identifier: MIT */
/* What the files of accel/plugin/ share. */
#ifndef ACCEL_PLUGIN_INTERNAL_H
#define ACCEL_PLUGIN_INTERNAL_H

#include <fenv.h>

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

typedef struct EventHook {
    MimusEventKind kind;
    MimusEventFn *fn;
    void *opaque;
} EventHook;

struct MimusPlugin {
    PluginSet *set;
    char *name, *path;
    void *module; /* of dlopen() */
    void (*unload)(MimusPlugin *p);
    GArray *args;      /* Argument */
    GArray *translate; /* TranslateHook */
    GArray *events;    /* EventHook */
    MimusRecordsFn *records;
    void *records_opaque;
    char *failure;
    void *data;
};

struct MimusCounter {
    MimusPlugin *owner; /* NULL: free */
    PluginSet *set;
};

/* The host's floating-point control and status are the guest's while its code runs: callbacks have
 * their own. */
static inline void plugin_begin_c(fenv_t *guest)
{
    fegetenv(guest);
    fesetenv(FE_DFL_ENV);
}

static inline void plugin_end_c(const fenv_t *guest)
{
    fesetenv(guest);
}

/* ---- What is to happen ------------------------------------------------------------------------
 */

typedef enum ActionKind { ACT_COUNT, ACT_CALL, ACT_RECORD } ActionKind;
typedef enum ActionPlace {
    AT_ENTRY, /* of the block */
    AT_INSN,  /* before it; counted when it is done */
    AT_ACCESS,
    AT_END, /* when it is done */
} ActionPlace;

/* Something that is to happen at an instruction. */
typedef struct Action {
    uint8_t kind, place;
    uint8_t accesses; /* AT_ACCESS: MIMUS_LOAD, MIMUS_STORE */
    uint8_t regs;     /* MimusRegs */
    bool once;
    uint16_t insn;
    uint16_t counter;
    uint32_t n;
    MimusPlugin *plugin;
    void (*fn)(void); /* MimusExecFn or MimusAccessFn */
    void *data;
    const MimusFilter *filter; /* NULL: none; of PluginSet.filters */
} Action;

/* One that translated code comes to: its code has this address in it. */
typedef struct Item {
    const Action *action;
    const Trace *trace;
    void *data;      /* the action's */
    uint32_t offset; /* of the instruction in the mapping unit */
    uint16_t insn;
    uint8_t record; /* MimusRecordKind */
    uint8_t size;   /* of the access, or of the instruction */
    int8_t cell;    /* where the access' address and value are; -1: it is none */
} Item;

/* Records of a stretch of the block, taken out at its end. */
typedef struct Segment {
    const Item *item;
    MimusPlugin *plugin; /* that all are for; NULL: for several */
    uint16_t nitems;
    bool once;      /* its block is to be made again when this is taken out */
    bool continues; /* the first instruction began in another one */
} Segment;

/* Of a Tb. Instructions are counted several at once, at the first of them, and what a fault leaves
 * undone is given back. One that may leave by other ways is late: counted when it is done. */
struct Trace {
    struct Tb *tb;
    PluginSet *set;
    unsigned ninsns, nactions, nitems, ncalls, nsegments;
    Action *actions; /* in the order of instructions */
    Item *items;     /* that are recorded, in the order of segments */
    Item *calls;
    Segment *segments;
    struct {
        uint32_t offset; /* in the mapping unit */
        uint16_t last;   /* counted together with it */
        uint8_t size;
        bool late;
    } insn[];
};

/* ---- The block that is being translated --------------------------------------------------------
 */

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
    uint64_t paddr, paddr2; /* of its first byte, of its second page; UINT64_MAX: unknown */
    unsigned ninsns;
    MimusInsn insn[BLOCK_INSNS];
    MimusPlugin *looking; /* the plugin that is asked */
    GArray *actions;      /* Action */
    GString *text;        /* mimus_insn_text() */
};

typedef struct Batch Batch; /* records.c */

struct PluginSet {
    Accel *accel;
    GPtrArray *plugins;    /* MimusPlugin * */
    unsigned loaded;       /* ever: for names */
    bool watches_accesses; /* of C code, too */
    MimusCounter counter[PLUGIN_COUNTERS];
    GHashTable *filters; /* MimusFilter, each once, as long as blocks may have them */
    /* Calls that the instruction at call_pc, begun at call_count, has had; and how many of one that
     * begins anew are not to be made again. */
    uint64_t call_pc, call_count;
    unsigned calls, skip;
    MimusRegs regs; /* what the callback that is running may do */
    Cpu *caller;    /* … and the CPU it is about, with what it is executing */
    const Item *call;
    uint64_t host_pc; /* of the call */
    fenv_t guest_fp;
    bool goes_on; /* the callback wants execution to go on elsewhere */
    uint64_t goes_on_at;
    uint32_t events; /* bit n: somebody wants MimusEventKind n */
    bool telling;
    Cpu *teller; /* of the event that is being told */
    MemWatch watch_memory, watch_ports;
    /* plugin_access(): of the code that called last. */
    uint64_t access_host_pc;
    const Trace *access_trace;
    uint32_t access_index;
    /* records.c: words that have not been handed over */
    uint64_t *ring;
    unsigned ring_used;
    unsigned ring_cpu; /* that the next words are of */
    Batch *batch;
    GPtrArray *dead;           /* Trace: of blocks that are gone, while words are about them */
    MimusBlock block;          /* being translated */
    IrOp source[IR_MAX_OPS];   /* what the frontend made of it */
    IrRef renamed[IR_MAX_OPS]; /* … and what its values are called now */
};

/* instrument.c */
GPtrArray *plugin_dead_traces(void);
uint64_t plugin_counter_pending(const PluginSet *s, Cpu *cpu, unsigned counter);
void plugin_counts_give_back(Cpu *cpu, const Trace *t, unsigned index);

/* request.c */
guint plugin_filter_hash(gconstpointer p);
gboolean plugin_filter_equal(gconstpointer p, gconstpointer q);

/* records.c */
#define RING_WORDS (1u << 16)
void plugin_records_init(PluginSet *s);
void plugin_records_free(PluginSet *s);
/* Take out what the running block has noted so far: it is executing instruction @index. */
void plugin_settle_at(Cpu *cpu, unsigned index);
void plugin_record_access(Cpu *cpu, const Action *a, const MimusAccess *access);

extern void (*const plugin_interface[])(void); /* plugin.c */

/* events.c */
void plugin_update_events(PluginSet *s);

/* calls.c */
uint64_t plugin_call_pc(const PluginSet *s); /* guest pc of the instruction that calls */
bool plugin_passes(Cpu *cpu, const MimusFilter *f, const uint64_t *vaddr);

#endif
