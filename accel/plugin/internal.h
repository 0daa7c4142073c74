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

typedef struct Path Path;

struct MimusPlugin {
    PluginSet *set;
    char *name, *path;
    void *module; /* of dlopen() */
    uint32_t api; /* that it was built for */
    void (*unload)(MimusPlugin *p);
    GArray *args;      /* Argument */
    GArray *translate; /* TranslateHook */
    GArray *events;    /* EventHook */
    MimusRecordsFn *records;
    void *records_opaque;
    MimusRunsFn *runs;
    void *runs_opaque;
    GPtrArray *symbols; /* MimusSymbols; NULL: none */
    Path *loose[2];     /* [load, store]: per size, of accesses that C code makes */
    Path *strings;      /* per PluginString: of elements of string instructions */
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
    AT_BEFORE_ACCESS,
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
    int32_t delta;   /* the access' address is this more than the word at `address` */
    uint16_t insn;
    uint8_t record; /* MimusRecordKind */
    uint8_t size;   /* of the access, or of the instruction */
    uint8_t word;   /* where the access' value is; 0: it is none */
    uint8_t address;
    uint8_t access;   /* how many the segment has noted with this one; NEVER_NOTED: nothing can
                         happen between it and the end of its instruction */
    uint8_t physical; /* where the access' physical address is; 0: nobody has asked */
} Item;

#define NEVER_NOTED UINT8_MAX

/* What a plugin is told of a segment as a run. */
struct Path {
    MimusPath path;
    MimusPlugin *plugin;
    void *own;
    uint16_t *step_of; /* [items + 1]: steps before that item; NULL: all items are its steps */
};

/* Records of a stretch of the block, taken out at its end. What is looked at each time is in its
 * first cache line. */
typedef struct __attribute__((aligned(64))) Segment {
    Path path;  /* of the first that wants runs … */
    Path *more; /* … and of the others */
    uint16_t nitems, nwords;
    uint8_t npaths;
    bool flat;      /* in its mode pcs are linear addresses */
    bool once;      /* its block is to be made again when this is taken out */
    bool continues; /* the first instruction began in another one */
    bool direct;    /* translated code writes its entry into the buffer itself */
    const Item *item;
    MimusPlugin *plugin; /* that all are for; NULL: for several */
    bool records;        /* somebody wants them as records */
} Segment;

static inline Path *plugin_segment_path(const Segment *g, unsigned i)
{
    return i ? &g->more[i - 1] : (Path *)&g->path;
}

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
    struct Room {
        unsigned items, calls, segments;
    } room; /* how many there may be at most */
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

typedef struct Batch Batch;   /* records.c */
typedef struct Runner Runner; /* runs.c */

/* Words that translated code has left (records.c), and blocks that are gone, but spoken of there.
 */
typedef struct Buffer {
    uint64_t *word;
    unsigned used;   /* of a CPU's: see PluginState.next */
    GPtrArray *dead; /* Trace */
} Buffer;

struct PluginSet {
    Accel *accel;
    GPtrArray *plugins; /* MimusPlugin * */
    unsigned loaded;    /* ever: for names */
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
    const Action *access_record[2]; /* [load, store] that is all that is asked; NULL: look */
    bool takes_elements;
    uint32_t access_index;
    Buffer *buffer;            /* being filled */
    unsigned recorded;         /* of it has been told as records */
    PluginState *buffer_owner; /* of the CPU that the next words are of; NULL: they say so */
    Batch *batch;
    Runner *runner;            /* NULL: nobody wants runs */
    MimusBlock block;          /* being translated */
    IrOp source[IR_MAX_OPS];   /* what the frontend made of it */
    IrRef renamed[IR_MAX_OPS]; /* … and what its values are called now */
};

/* describe.c */
Trace *plugin_make_trace(const MimusBlock *b, const IrBlock *ir);
void plugin_trace_destroy(void *trace);

static inline bool plugin_is_rmw(const IrOp *op)
{
    return op->op >= OP_rmw_add && op->op <= OP_rmw_cas;
}

/* MIMUS_LOAD, MIMUS_STORE: that it makes. */
static inline unsigned plugin_accesses_of(const IrOp *op)
{
    return op->op == OP_ld     ? MIMUS_LOAD
           : op->op == OP_st   ? MIMUS_STORE
           : plugin_is_rmw(op) ? MIMUS_LOAD | MIMUS_STORE
                               : 0;
}

/* instrument.c */
uint64_t plugin_counter_pending(const PluginSet *s, Cpu *cpu, unsigned counter);
void plugin_counts_give_back(Cpu *cpu, const Trace *t, unsigned index);

/* request.c */
guint plugin_filter_hash(gconstpointer p);
gboolean plugin_filter_equal(gconstpointer p, gconstpointer q);

/* records.c */
enum { WORD_SEGMENT, WORD_PARTIAL, WORD_SINGLE, WORD_CPU, WORD_ELEMENTS, WORD_KIND = 7 };
#define BUFFER_WORDS (1u << 16)

/* In a segment's first word, at its end: */
enum { FLUSH_FLAT = 1, FLUSH_ONCE = 2 };

static inline unsigned plugin_value_words(unsigned size)
{
    return size <= 8 ? 1 : size <= 16 ? 2 : 4;
}

/* Elements of a string instruction that are noted at once, and of what kind they are. */
#define PLUGIN_ELEMENTS 64
typedef struct PluginString {
    uint8_t naccesses; /* of an element: 1 or 2 */
    bool write[2];
    bool one_value; /* that both have */
    uint8_t size;
    bool backward;
} PluginString;
#define PLUGIN_STRINGS 64 /* numbers of such */

static inline unsigned plugin_string_number(const PluginString *k)
{
    return (k->naccesses - 1u) | (unsigned)k->write[0] << 1 | (unsigned)k->write[1] << 2 |
           (unsigned)k->backward << 3 | (unsigned)__builtin_ctz(k->size) << 4;
}

static inline PluginString plugin_string(unsigned number)
{
    return (PluginString){ .naccesses = (uint8_t)((number & 1) + 1),
                           .write = { number & 2, number & 4 },
                           .one_value = (number & 1) && (number & 4),
                           .size = (uint8_t)(1u << (number >> 4 & 3)),
                           .backward = number & 8 };
}

/* … and where the words of element @i's access @k are; the addresses of the first come first. */
static inline unsigned plugin_string_word(const PluginString *s, unsigned i, unsigned k)
{
    return s->naccesses + (s->naccesses == 1 || s->one_value ? i : 2 * i + k);
}

/* The first word of an entry: what it is about, its kind, how many words follow. */
#define WORD_LENGTH_SHIFT 48

static inline void *plugin_word_about(uint64_t word)
{
    return (void *)(uintptr_t)(word & ((UINT64_C(1) << WORD_LENGTH_SHIFT) - 1 - WORD_KIND));
}

static inline uint64_t plugin_word(const void *about, unsigned kind, size_t length)
{
    return (uintptr_t)about | kind | (uint64_t)length << WORD_LENGTH_SHIFT;
}

/* An entry of a buffer, taken apart. */
typedef struct Entry {
    unsigned kind;
    const Segment *segment; /* WORD_SEGMENT, WORD_PARTIAL: its items from … to */
    const Action *action;   /* WORD_SINGLE, WORD_ELEMENTS */
    unsigned string;        /* WORD_ELEMENTS: PluginString; from … to are its accesses */
    uint64_t base;
    unsigned from, to;
    bool aborted; /* the last one's instruction will not be finished */
    const uint64_t *word;
} Entry;

/* … of WORD_SEGMENT. */
static inline void plugin_read_whole(const uint64_t *w, Entry *e)
{
    e->kind = WORD_SEGMENT;
    e->segment = plugin_word_about(w[0]);
    e->base = w[1];
    e->from = 0;
    e->to = e->segment->nitems;
    e->aborted = false;
    e->word = w + 2;
}

/* What a block may write by itself, and the largest entry behind that. */
#define BLOCK_WORDS  500
#define BUFFER_SPARE (BLOCK_WORDS + PLUGIN_WORDS + 2 * PLUGIN_ELEMENTS + 16)

static inline uint64_t *plugin_next(const PluginState *st)
{
    return (uint64_t *)(uintptr_t)st->next;
}

/* All words up to @w have been written. */
static inline void plugin_wrote(PluginState *st, uint64_t *w)
{
    st->next = (uintptr_t)w;
    *w = 0;
}

/* Word by word: they have just been written so, and cannot be had otherwise before they arrive in
 * the cache. */
static inline void plugin_put_segment(Cpu *cpu, uint64_t head, uint64_t base)
{
    PluginState *st = &cpu->run->tail->plugin;
    uint64_t *w = plugin_next(st);
    unsigned n = (unsigned)(head >> WORD_LENGTH_SHIFT) - 1;

    w[0] = head & ~(uint64_t)WORD_KIND;
    w[1] = base;
    for (unsigned i = 0; i < n; i++)
        w[i + 2] = st->word[i];
    plugin_wrote(st, w + n + 2);
}

Buffer *plugin_buffer_new(void);
void plugin_buffer_free(Buffer *b);
/* @w is its first word; the next one's comes back. */
const uint64_t *plugin_read_entry(const uint64_t *w, Entry *e, uint8_t *cpu);
/* Does anybody want what is recorded as records? */
bool plugin_wants_records(const PluginSet *s);
/* Are blocks spoken of? */
bool plugin_words_wait(const PluginSet *s);
void plugin_records_init(PluginSet *s);
void plugin_records_free(PluginSet *s);
/* Take out what the running block has noted so far: it is executing instruction @index. */
void plugin_settle_at(Cpu *cpu, unsigned index);
/* What the segment's end hands to PLUGIN_FLUSH. */
uint64_t plugin_flush_argument(const Segment *g);
/* record-quick.c: PLUGIN_FLUSH as far as it is short (TcgHelper.quick). */
bool plugin_flush_quick(void *env, uint64_t *result, uint64_t head);
void plugin_record_access(Cpu *cpu, const Action *a, const MimusAccess *access);
void plugin_record_elements(Cpu *cpu, const Action *a, uint64_t pc, const CpuElements *e);

/* runs.c */
void plugin_describe_paths(PluginSet *s, Segment *g);
void plugin_forget_paths(Segment *g);
/* @b goes to the thread; another one comes back. */
Buffer *plugin_runs_hand_over(PluginSet *s, Buffer *b);
void plugin_runs_wait(PluginSet *s); /* until the thread has seen everything */
void plugin_runs_end(PluginSet *s);
bool plugin_on_runner(const PluginSet *s); /* is this the thread? */
void plugin_ask_to_exit(PluginSet *s, int status);
void plugin_loose_paths_free(MimusPlugin *p);

extern void (*const plugin_interface[])(void); /* plugin.c */

/* events.c */
void plugin_update_events(PluginSet *s);
void plugin_tell_replay(MimusPlugin *p);

/* calls.c */
uint64_t plugin_call_pc(const PluginSet *s); /* guest pc of the instruction that calls */
bool plugin_passes(Cpu *cpu, const MimusFilter *f, const uint64_t *vaddr);

#endif
