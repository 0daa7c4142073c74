/* SPDX-License-Identifier: MIT */
/*
 * Plugins of Mimus: the one header that a plugin is written against. It needs nothing else.
 *
 * A plugin is a shared object that exports MIMUS_PLUGIN and mimus_plugin_load(). It is loaded by
 * -plugin FILE.so[,name=value…] or the monitor's plugin_load, and asks at load time to be shown
 * each block of guest code as it is translated. There it says what is to happen whenever
 * an instruction runs: add to a counter, record, or call. Nothing that it did not ask for costs
 * anything.
 *
 * All functions are called, and all callbacks come, on the machine's thread. Strings and objects
 * that a callback is given are good until it returns. Addresses are linear unless a name says
 * otherwise. What a version has does not change; later ones only add. Version 2 added: decoded
 * operands, symbols, access callbacks before, physical addresses, runs, MIMUS_REPLAY_START,
 * MIMUS_RESTORED. Version 3: runs whose accesses share words of addresses.
 */
#ifndef MIMUS_PLUGIN_H
#define MIMUS_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MIMUS_PLUGIN_API   3
#define MIMUS_EXPORT       __attribute__((visibility("default")))
#define MIMUS_PRINTF(f, a) __attribute__((format(printf, f, a)))

typedef struct MimusPlugin MimusPlugin;   /* the plugin, as Mimus knows it */
typedef struct MimusBlock MimusBlock;     /* a block that is being translated */
typedef struct MimusInsn MimusInsn;       /* an instruction of it */
typedef struct MimusCounter MimusCounter; /* one number for each CPU */

/* ---- What a plugin exports ----------------------------------------------------------------- */

/* Put this once into the plugin: the version of this header that it was built with. */
#define MIMUS_PLUGIN MIMUS_EXPORT const uint32_t mimus_plugin_api = MIMUS_PLUGIN_API

/* Look at the arguments (mimus_options()) and ask for callbacks. False: not to be loaded; say why
 * by mimus_fail() first. */
MIMUS_EXPORT bool mimus_plugin_load(MimusPlugin *p);
/* May be left out. The machine ends or the plugin is unloaded: no callback comes after this. */
MIMUS_EXPORT void mimus_plugin_unload(MimusPlugin *p);

/* ---- Arguments and output ------------------------------------------------------------------- */

typedef enum MimusOptionKind {
    MIMUS_STRING, /* const char * */
    MIMUS_NUMBER, /* uint64_t; decimal, 0x…, with K, M or G */
    MIMUS_BOOL,   /* bool; on or off, the name alone means on */
    MIMUS_RANGE,  /* MimusRange; A..B, A+N, or one address */
} MimusOptionKind;

typedef struct MimusRange {
    uint64_t first, last;
} MimusRange;

typedef struct MimusOption {
    const char *name;
    MimusOptionKind kind;
    void *value; /* of that kind; set if the argument was given */
} MimusOption;

/* Read the plugin's arguments by a table of @n rows. False, with the reason noted, if there is one
 * that the table lacks or that is not of its kind. */
bool mimus_options(MimusPlugin *p, const MimusOption *options, size_t n);
/* Note why it cannot go on: the line that the user sees if mimus_plugin_load() returns false. */
void mimus_fail(MimusPlugin *p, const char *fmt, ...) MIMUS_PRINTF(2, 3);
/* To the log (-D FILE, else stderr). */
void mimus_print(MimusPlugin *p, const char *fmt, ...) MIMUS_PRINTF(2, 3);
void mimus_set_data(MimusPlugin *p, void *data); /* the plugin's own */
void *mimus_data(const MimusPlugin *p);

/* ---- The machine ---------------------------------------------------------------------------- */

typedef struct MimusMachine {
    const char *version; /* of Mimus */
    const char *target;  /* "x86" */
    const char *engine;  /* what runs translated code: "x86_64", "interp", … */
    unsigned cpus;
    uint64_t ram_bytes;
    int icount_shift; /* an instruction takes 2^this ns; -1: virtual time follows the host */
    bool replaying;
} MimusMachine;

void mimus_machine(const MimusPlugin *p, MimusMachine *out);
/* Instructions that all CPUs have executed, as -icount counts them; exact in every callback. */
uint64_t mimus_instructions(const MimusPlugin *p);
int64_t mimus_virtual_ns(const MimusPlugin *p);

/* ---- Translation ---------------------------------------------------------------------------- */

/*
 * A block is straight-line code that Mimus translates at once; branches within it may leave it
 * early. Its code may be mapped in several places, and is translated once for all: addresses here
 * are those where it was met first. At run time they are exact.
 */
typedef void MimusTranslateFn(MimusPlugin *p, MimusBlock *b, void *opaque);
void mimus_on_translate(MimusPlugin *p, MimusTranslateFn *fn, void *opaque);

size_t mimus_block_insns(const MimusBlock *b);
MimusInsn *mimus_block_insn(const MimusBlock *b, size_t i);
uint64_t mimus_block_vaddr(const MimusBlock *b);

uint64_t mimus_insn_vaddr(const MimusInsn *i);
uint64_t mimus_insn_paddr(const MimusInsn *i); /* of its first byte; UINT64_MAX: unknown */
size_t mimus_insn_size(const MimusInsn *i);
const uint8_t *mimus_insn_bytes(const MimusInsn *i);

/* The same instruction as text. NULL: nothing here can disassemble. */
const char *mimus_insn_text(const MimusInsn *i);

/* ---- … decoded ------------------------------------------------------------------------------- */

typedef enum MimusOperandKind {
    MIMUS_OPERAND_REGISTER,
    MIMUS_OPERAND_MEMORY,
    MIMUS_OPERAND_IMMEDIATE,
} MimusOperandKind;

typedef struct MimusOperand {
    uint8_t kind; /* MimusOperandKind */
    uint8_t size; /* bytes */
    bool read, written;
    uint8_t scale;                      /* of index */
    const char *reg;                    /* REGISTER: its name, as in the text: "eax" */
    const char *segment, *base, *index; /* MEMORY; NULL: none; base may be "rip" */
    int64_t value;                      /* IMMEDIATE, or MEMORY's displacement */
} MimusOperand;

enum { /* MimusDecoded.flow */
       MIMUS_FLOW_JUMP = 1,
       MIMUS_FLOW_CALL = 2,
       MIMUS_FLOW_RETURN = 4,
       MIMUS_FLOW_INTERRUPT = 8,    /* INT n, SYSCALL and their returns */
       MIMUS_FLOW_CONDITIONAL = 16, /* with JUMP: it may go on instead */
       MIMUS_FLOW_PRIVILEGED = 32,
};

#define MIMUS_OPERANDS      8
#define MIMUS_REGISTERS_MAX 24

typedef struct MimusDecoded {
    char mnemonic[32];
    uint32_t flow;
    uint32_t noperands, nread, nwritten;
    MimusOperand operand[MIMUS_OPERANDS]; /* as the text has them, destination first */
    /* Registers, those included that the text does not name: "rsp", "rflags". */
    const char *read[MIMUS_REGISTERS_MAX], *written[MIMUS_REGISTERS_MAX];
} MimusDecoded;

/* @size: sizeof(*out). Its strings stay. False: nothing here can decode it. */
bool mimus_insn_decode(const MimusInsn *i, MimusDecoded *out, size_t size);

/* ---- Symbols --------------------------------------------------------------------------------- */

typedef struct MimusSymbols MimusSymbols;

/* Functions of a System.map, /proc/kallsyms, `nm` text or a 64-bit ELF file (vmlinux), moved by
 * @slide. NULL, with the reason noted: it has none. They end with the plugin. */
MimusSymbols *mimus_symbols_load(MimusPlugin *p, const char *path, uint64_t slide);
/* The function that @addr is in, and where it begins; NULL: none known. @s may be NULL. */
const char *mimus_symbol_find(const MimusSymbols *s, uint64_t addr, uint64_t *start);
/* The address of @name; false: there is none. */
bool mimus_symbol_address(const MimusSymbols *s, const char *name, uint64_t *addr);

/* ---- What is to be done: counters ----------------------------------------------------------- */

/* A number for each CPU that translated code adds to by itself. There are few (MIMUS_COUNTERS for
 * all plugins together); NULL: all are in use. Given back when the plugin is unloaded. */
#define MIMUS_COUNTERS 32
MimusCounter *mimus_counter_new(MimusPlugin *p);
uint64_t mimus_counter_get(const MimusCounter *c, unsigned cpu); /* exact in every callback */
uint64_t mimus_counter_sum(const MimusCounter *c);               /* of all CPUs */

/* Add @n whenever this instruction has been executed to its end: one that faults and is run again
 * counts once, as for -icount; a REP instruction counts each time it is entered. */
void mimus_insn_count(MimusInsn *i, MimusCounter *c, uint32_t n);
/* Add @n whenever the block is entered. Where blocks begin and end, and how often one is left and
 * begun anew, is the engine's business: a few in a million differ between back ends (what the
 * host's x87 declines, for one). Count instructions that branch where that matters. */
void mimus_block_count(MimusBlock *b, MimusCounter *c, uint32_t n);

/* ---- What is to be done: calls --------------------------------------------------------------- */

/* What a callback may do with registers. Without either, asking for one fails: it costs less. */
typedef enum MimusRegs { MIMUS_NO_REGS, MIMUS_READ_REGS, MIMUS_WRITE_REGS } MimusRegs;

/* Calls are made only where all of it holds. 0 in a mask, and NULL for all, let everything pass. */
typedef struct MimusFilter {
    MimusRange range;   /* of data addresses; last == 0: any. Instructions can be told apart when
                           translated */
    uint32_t cpus;      /* bit n: CPU n */
    uint8_t privileges; /* bit n: CPL n */
    bool by_space;      /* only in this address space: */
    uint64_t space;     /* CR3 without its low 12 bits */
} MimusFilter;

typedef enum MimusWhen { MIMUS_BEFORE, MIMUS_AFTER } MimusWhen;

/* @pc: linear address of the instruction, exact. */
typedef void MimusExecFn(MimusPlugin *p, unsigned cpu, uint64_t pc, void *data);

typedef enum MimusAccessKind {
    MIMUS_LOAD = 1,
    MIMUS_STORE = 2,
    MIMUS_PHYSICAL =
        4, /* where accesses are asked for: with physical addresses; each costs a call */
} MimusAccessKind;

typedef struct MimusAccess {
    uint64_t pc;       /* of the instruction */
    uint64_t vaddr;    /* may cross a page */
    uint32_t size;     /* bytes: 1 to 32 */
    uint8_t kind;      /* MIMUS_LOAD or MIMUS_STORE; read-modify-write is a load, then a store */
    uint8_t value[32]; /* that was read, or has been written */
    uint64_t paddr;    /* of its first byte, with MIMUS_PHYSICAL; UINT64_MAX: unknown */
} MimusAccess;

typedef void MimusAccessFn(MimusPlugin *p, unsigned cpu, const MimusAccess *a, void *data);

/* BEFORE: it is about to be tried; it may fault and be tried again. AFTER: it has been executed,
 * its jump not made yet; not called for those that fault. */
void mimus_insn_call(MimusInsn *i, MimusWhen when, MimusRegs regs, const MimusFilter *filter,
                     MimusExecFn *fn, void *data);
void mimus_block_call(MimusBlock *b, MimusRegs regs, const MimusFilter *filter, MimusExecFn *fn,
                      void *data);
/* After each access (@kinds: MIMUS_LOAD | MIMUS_STORE) of the instruction, those of its microcode
 * included: REP strings one by one, stacks, descriptors. */
void mimus_insn_call_access(MimusInsn *i, unsigned kinds, MimusRegs regs, const MimusFilter *filter,
                            MimusAccessFn *fn, void *data);

/* Before it is made: it may fault, and be tried again. A store has its value, a load zeros. */
void mimus_insn_call_before_access(MimusInsn *i, unsigned kinds, MimusRegs regs,
                                   const MimusFilter *filter, MimusAccessFn *fn, void *data);

/* ---- What is to be done: records --------------------------------------------------------------
 */

/* The same as records, which come in batches: much cheaper than calls. */
typedef enum MimusRecordKind {
    MIMUS_RECORD_LOAD = MIMUS_LOAD,
    MIMUS_RECORD_STORE = MIMUS_STORE,
    MIMUS_RECORD_BLOCK, /* is entered */
    MIMUS_RECORD_INSN,  /* is executed; its accesses follow */
    MIMUS_RECORD_ABORT, /* the instruction before was not: it faulted */
} MimusRecordKind;

typedef struct MimusRecord {
    uint8_t kind; /* MimusRecordKind */
    uint8_t cpu;
    uint16_t size; /* bytes accessed, or of the instruction */
    uint32_t page; /* of an access with MIMUS_PHYSICAL: physical address / 4096; UINT32_MAX:
                      unknown, or beyond 16 TiB */
    uint64_t pc;
    void *data; /* as given when it was asked for */
    /* Of an access: */
    uint64_t vaddr;
    union {
        uint64_t value;    /* up to 8 bytes; zeros above */
        uint8_t bytes[32]; /* more: as they are in memory; what is beyond size means nothing */
    };
} MimusRecord;

/* Byte @i of an access, as it is in memory. */
static inline uint8_t mimus_record_byte(const MimusRecord *r, unsigned i)
{
    return r->size > 8 ? r->bytes[i] : (uint8_t)(r->value >> (8 * i));
}

typedef void MimusRecordsFn(MimusPlugin *p, const MimusRecord *r, size_t n, void *opaque);
/* Where they go; at the latest before the next event of any other kind is told to this plugin. */
void mimus_on_records(MimusPlugin *p, MimusRecordsFn *fn, void *opaque);

void mimus_block_record(MimusBlock *b, void *data);
void mimus_insn_record(MimusInsn *i, void *data);
/* The same until it has been recorded: then its block is translated anew, and the plugin asked
 * again. Nothing is left of it in code that has run, so coverage is cheap. Call
 * mimus_flush_records() before looking at what is known. */
void mimus_insn_record_once(MimusInsn *i, void *data);
void mimus_insn_record_access(MimusInsn *i, unsigned kinds, void *data);
/* Hand over what has been recorded so far. */
void mimus_flush_records(MimusPlugin *p);

/* ---- What is to be done: runs ------------------------------------------------------------------
 *
 * The same again as it was noted, not spelled out: the cheapest way to see every access. What is to
 * be recorded of instructions that are executed one after the other is described once, as a path;
 * whenever they are executed, a run says so, with the words that differ.
 *
 * Runs come in order, but late, and on a thread of their own: nothing of Mimus may be called from
 * there but mimus_exit(). All have come before mimus_plugin_unload() is called.
 */

#define MIMUS_ACCESS_MAX 32 /* bytes */

typedef struct MimusStep {
    uint8_t kind;      /* MimusRecordKind, but ABORT */
    uint8_t size;      /* bytes accessed, or of the instruction */
    uint16_t word;     /* of an access: its value begins there (what lies beyond its size
                          means nothing; of more than 8 bytes: mimus_run_bytes()) */
    uint32_t offset;   /* of the instruction from the run's base */
    uint16_t physical; /* of an access with MIMUS_PHYSICAL: the word of its physical address
                          (UINT64_MAX: unknown) */
    uint16_t address;  /* of an access: the word of its address less delta: steps share such words.
                          For plugins of version 2 it is the word before the value, delta 0 */
    int32_t delta;
    void *data; /* as given when it was asked for */
} MimusStep;

/* Stays as long as it has runs; the same instructions may have several over time. Of accesses that
 * microcode makes one by one (REP, FXSAVE, …) each is a run, since
 * version 3 many of a REP are one; data is NULL then, base the pc. */
typedef struct MimusPath {
    uint32_t nsteps;
    const MimusStep *step;
    void **own; /* the plugin's; NULL at first */
} MimusPath;

typedef struct MimusRun {
    const MimusPath *path;
    uint64_t base;        /* of pcs */
    const uint64_t *word; /* until the callback returns */
    uint16_t from, to;    /* steps from … to - 1 happened; as a rule all do */
    uint8_t cpu;
    bool aborted; /* the latest instruction was not executed: it faulted */
} MimusRun;

/* A value as it is in memory, on hosts of either byte order. */
static inline void mimus_run_bytes(const uint64_t *word, unsigned size, uint8_t *bytes)
{
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    uint16_t se;
    memcpy(&se, word + 1, 2);
    for (unsigned i = 0; i < size; i++)
        bytes[i] = (uint8_t)(word[i / 8] >> (i % 8 * 8));
    if (size == 10) { /* of the x87: bits 64 to 79 begin the second word */
        bytes[8] = (uint8_t)se;
        bytes[9] = (uint8_t)(se >> 8);
    }
#else
    memcpy(bytes, word, size);
#endif
}

typedef void MimusRunsFn(MimusPlugin *p, const MimusRun *r, size_t n, void *opaque);
/* Instead of mimus_on_records(): what mimus_…_record…() asked for comes as runs. */
void mimus_on_runs(MimusPlugin *p, MimusRunsFn *fn, void *opaque);

/* ---- Events -----------------------------------------------------------------------------------
 * What happens rarely enough to be called for, whatever code does it. Costs nothing where nobody
 * has asked. Registers may be read, and are exact; not in those of no CPU.
 */

typedef enum MimusEventKind {
    MIMUS_PORT,         /* IN, OUT, INS, OUTS: io */
    MIMUS_MMIO,         /* an access to a device's memory, by a CPU or by DMA: io */
    MIMUS_DMA,          /* by a device, to RAM: dma. Not through pointers that devices map */
    MIMUS_WALK,         /* of page tables, because no TLB knows the page: walk */
    MIMUS_SPACE,        /* another CR3: space */
    MIMUS_PRIVILEGE,    /* another CPL: privilege */
    MIMUS_INTERRUPT,    /* delivered, or an exception: trap */
    MIMUS_RETURN,       /* IRET: trap, from and to */
    MIMUS_SYSCALL,      /* SYSCALL, SYSENTER: trap; vector is the low byte of RAX */
    MIMUS_SYSRET,       /* SYSRET, SYSEXIT: trap */
    MIMUS_HALT,         /* HLT or MWAIT */
    MIMUS_WAKE,         /* the end of it */
    MIMUS_CPU_RESET,    /* reset or INIT */
    MIMUS_START,        /* the machine runs */
    MIMUS_STOP,         /* it does not any more */
    MIMUS_REPLAY_END,   /* replay: it has ended; why tells of a divergence, else NULL */
    MIMUS_REPLAY_START, /* the first of a replay, or of a plugin that is loaded in one */
    MIMUS_RESTORED,     /* the machine is in another state, as it was or will be: loadvm, travelling
                           in a replay */
    MIMUS_EVENT_KINDS
} MimusEventKind;

#define MIMUS_NO_CPU UINT32_MAX

typedef struct MimusEvent {
    MimusEventKind kind;
    uint32_t cpu; /* MIMUS_NO_CPU: none */
    uint64_t pc;  /* of the instruction that does it, or of the next one; 0 without a CPU */
    union {
        struct {
            const char *device; /* name of its region, as info mtree has it */
            uint64_t addr;      /* port, or physical address */
            uint64_t offset;    /* in the region */
            uint64_t value;
            uint8_t size;
            bool write;
        } io;
        struct {
            uint64_t paddr, size;
            bool write;
        } dma;
        struct {
            uint64_t vaddr, paddr, page_size; /* paddr of the page, where ok */
            uint8_t access;                   /* 0 read, 1 write, 2 execute */
            bool ok;
        } walk;
        struct {
            uint64_t from, to;
        } space;
        struct {
            uint8_t from, to;
        } privilege;
        struct {
            uint64_t from, to; /* linear addresses: pc that is saved, pc that is next */
            uint32_t error;
            uint8_t vector;
            bool has_error, hardware, software; /* INTR or NMI; INT n */
        } trap;
        const char *why;
    };
} MimusEvent;

typedef void MimusEventFn(MimusPlugin *p, const MimusEvent *e, void *opaque);
void mimus_on_event(MimusPlugin *p, MimusEventKind kind, MimusEventFn *fn, void *opaque);

/* ---- Looking and acting ------------------------------------------------------------------------
 */

/* A register by its name in lower case: rax … r15, rip, rflags, cs, fs_base, cr3, efer, xmm0, ymm0,
 * … -1: there is none. */
int mimus_register(const MimusPlugin *p, const char *name);
const char *mimus_register_name(const MimusPlugin *p, int reg); /* NULL: beyond the last one */
size_t mimus_register_size(const MimusPlugin *p, int reg);      /* bytes, up to 32 */
/* In a callback that may; false elsewhere. @buf has its bytes, the lowest first, on any host. Read:
 * the rest becomes 0. */
bool mimus_read_register(MimusPlugin *p, int reg, void *buf, size_t size);
uint64_t mimus_register_value(MimusPlugin *p, int reg); /* the low 64 bits; 0 if not allowed */
/* General registers and rflags' arithmetic flags; and rip, BEFORE an instruction or at a block's
 * entry: what is about to run is not run then, execution goes on there when the callback returns.
 */
bool mimus_write_register(MimusPlugin *p, int reg, const void *buf, size_t size);

/* Memory without side effects; false, and nothing done, where something else than memory is. @cpu
 * gives the mode. */
bool mimus_read_virtual(MimusPlugin *p, unsigned cpu, uint64_t vaddr, void *buf, size_t size);
bool mimus_write_virtual(MimusPlugin *p, unsigned cpu, uint64_t vaddr, const void *buf,
                         size_t size);
/* The same with the page tables at @space (CR3). */
bool mimus_read_space(MimusPlugin *p, unsigned cpu, uint64_t space, uint64_t vaddr, void *buf,
                      size_t size);
bool mimus_write_space(MimusPlugin *p, unsigned cpu, uint64_t space, uint64_t vaddr,
                       const void *buf, size_t size);
bool mimus_read_physical(MimusPlugin *p, uint64_t paddr, void *buf, size_t size);
bool mimus_write_physical(MimusPlugin *p, uint64_t paddr, const void *buf, size_t size);
uint64_t mimus_physical(MimusPlugin *p, unsigned cpu, uint64_t vaddr); /* UINT64_MAX: not mapped */

uint64_t mimus_space(const MimusPlugin *p, unsigned cpu);     /* CR3 without its low 12 bits */
unsigned mimus_privilege(const MimusPlugin *p, unsigned cpu); /* CPL */
uint64_t mimus_pc(const MimusPlugin *p, unsigned cpu);        /* linear */

/* At the end of the running block at the latest: the machine stops (monitor: cont), or Mimus ends.
 */
void mimus_stop(MimusPlugin *p);
void mimus_exit(MimusPlugin *p, int status);

#ifdef __cplusplus
}
#endif
#endif
