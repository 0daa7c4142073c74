/* SPDX-License-Identifier: MIT */
/*
 * What the files of accel/ share: the engine, its blocks, and the private part of a CPU.
 *
 * A Tb is a compiled block. It is known by where its code lies in RAM (not by a virtual address),
 * by the mode it was translated for and by the size of its mapping unit, so that every mapping of
 * the page shares it. Code bytes are tracked per RAM page in 64-byte granules.
 */
#ifndef ACCEL_ENGINE_H
#define ACCEL_ENGINE_H

#include "accel/accel.h"
#include "accel/debug.h"
#include "accel/host-clock.h"
#include "accel/host-profile.h"
#include "accel/plugin/instrument.h"
#include "accel/session.h"
#include "accel/travel.h"
#include "accel/translate.h"
#include "tcg/tcg.h"

#define PAGE_BITS 12
#define PAGE_SIZE (1u << PAGE_BITS)
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define UNIT_LARGE                                                                 \
    (2u << 20) /* the larger of the two sizes of mapping unit; the other is a page \
                */

/* ---- Blocks: tb.c --------------------------------------------------------------------------- */

typedef struct Tb Tb;

/* An incoming link: slot @link of @from jumps to the block that lists it. */
typedef struct TbLink {
    Tb *from;
    unsigned link;
} TbLink;

/* What a block that looks at its own bytes was made from. Stores to them are not watched. */
typedef struct TbCheck {
    CodePart part[2];
    uint64_t soft; /* bit n: byte n is read anew each time */
    uint8_t bytes[];
} TbCheck;

#define CHECKED_BYTES 64 /* at most, of such a block */

struct Tb {
    uint64_t ram; /* where its first byte lies in the machine's numbering of RAM */
    uint32_t mode;
    uint32_t unit_size;
    bool straddles, retired, no_groups;
    uint16_t parted; /* how often in a row its groups crossed pages soon after the last time, … */
    Tb *hash_next;
    TcgCode *code;
    TbCheck *check; /* NULL: its granules are watched */
    /* what looking it up does not need */
    TranslateBranches branches;
    uint64_t parted_at;                     /* … when that was */
    uint64_t ram2;                          /* straddling blocks: the second page */
    uint32_t size;                          /* guest bytes from .ram on */
    CodeRange followed[TRANSLATE_FOLLOWED]; /* more of the first page */
    Trace *trace;                           /* what plugins have put in; NULL: nothing */
    Tb *page_next[2]; /* in the list of ram's page; of ram2's, if that is another */
    Tb **cuts;        /* what ends where a turn once had to, by instructions; NULL: none is kept */
    Tb *whole;        /* of a cut: whose; nobody else finds it */
    GArray *incoming; /* TbLink; NULL until the first */
};

#define TB_GRANULE 64u

typedef struct CodePage {
    uint64_t granules;    /* bit n: stores to bytes 64n … 64n+63 are watched: code … */
    uint64_t monitored;   /* … that does not check itself, or somebody monitors them */
    Tb *first;            /* chained through page_next[tb's index for this page] */
    uint32_t heat, epoch; /* what stores have cost in that epoch */
    bool checked;         /* blocks made here look at their own bytes */
} CodePage;

typedef struct TbCache {
    Tcg *tcg;
    Tb **hash;
    unsigned hash_bits;
    CodePage **pages; /* by RAM page number */
    uint64_t npages;
    uint8_t *stored; /* by RAM page: some first-level TLB may let translated code store to it */
    GPtrArray *all;  /* every Tb since the last flush; owned */
    GArray *hot, *checked; /* numbers of pages: to become checked, that are */
    GHashTable *io; /* by RAM page number: uint64_t[64], bit n: the instruction at byte n goes to a
                       device */
    GHashTable *parted; /* RAM addresses of blocks whose groups often cross pages: IrBlock.parted */
    uint32_t epoch, settled;
    uint64_t translated, linked, flushes, invalidated;
    void (*monitor_hit)(void *opaque, uint64_t ram); /* a monitored granule was stored to */
    void (*before_flush)(void *opaque);              /* may be NULL */
    void *opaque;
} TbCache;

void tb_cache_init(TbCache *c, Tcg *tcg, uint64_t ram_end);
void tb_cache_destroy(TbCache *c);
/* Blocks of a page have neighbouring buckets, one for 16 bytes: code that runs together is looked
 * up in few cache lines and host pages. */
static inline unsigned tb_hash(const TbCache *c, uint64_t ram, uint32_t mode, uint32_t unit_size)
{
    uint64_t page = ((ram >> PAGE_BITS) ^ ((uint64_t)mode << 32) ^ unit_size);
    unsigned within = (ram & (PAGE_SIZE - 1)) >> 4;

    return (page * 0x9e3779b97f4a7c15ull >> (64 - c->hash_bits) & ~255u) | within;
}
/* jump-refill.c */
Tb *tb_find(TbCache *c, uint64_t ram, uint32_t mode, uint32_t unit_size, bool no_groups);
Tb *tb_find_next(const Tb *tb); /* the next with the same key: straddling blocks differ in ram2 */
/* Takes @tb over. True if its page had no code before (stores to it must be watched from now on).
 */
bool tb_insert(TbCache *c, Tb *tb);
/* Takes @cut over: of @whole's instructions the first @at, or fewer. It goes with @whole. */
void tb_add_cut(TbCache *c, Tb *whole, Tb *cut, unsigned at);
void tb_link(TbCache *c, Tb *from, unsigned link, Tb *to);
void tb_flush(TbCache *c);
void tb_invalidate(TbCache *c, uint64_t ram, uint64_t len);
/* Treat stores to the granule at @ram as if code were there. True: as for tb_insert(). */
bool tb_monitor(TbCache *c, uint64_t ram);
void tb_unmonitor(TbCache *c, uint64_t ram);
/* The instruction at @ram has been seen to access a device: from now on it has a block of its
 * own. */
void tb_note_io(TbCache *c, uint64_t ram);
/* A group of @tb's has turned out to cross a page at instruction @count. Where that happens all the
 * time, as to a function whose stack frame lies so, the block will be made with links for it, or
 * without groups. */
void tb_note_parted(TbCache *c, Tb *tb, uint64_t count);
bool tb_is_parted(const TbCache *c, uint64_t ram);
const uint64_t *tb_io_in_page(const TbCache *c, uint64_t ram); /* by byte of the page; NULL: none */
bool tb_overlaps(const Tb *tb, uint64_t ram, uint64_t len);
void tb_retire(TbCache *c, Tb *tb);
/* A checked block: are its bytes what it was made from? */
bool tb_is_stale(const Tb *tb);
/* Which bytes have changed, or had before. */
uint64_t tb_changed_bytes(const Tb *tb);
/* While no block runs: pages that have become hot are checked from now on. */
void tb_check_hot(TbCache *c);
/* After a slice that was as long as @slices usual ones. From time to time all that are checked cool
 * down. */
void tb_settle_pages(TbCache *c, uint32_t slices);

/* Pages where stores hit code, or lie beside code, so often in an epoch (some 100 ms) that blocks
 * which check themselves are cheaper. */
enum { HEAT_BESIDE = 1, HEAT_INVALIDATES = 32, HEAT_LIMIT = 1024 };

/* True: it has become hot just now. */
static inline bool tb_heat_page(TbCache *c, CodePage *p, uint32_t by)
{
    if (p->epoch != c->epoch) {
        p->epoch = c->epoch;
        p->heat = 0;
    }
    if (p->heat >= HEAT_LIMIT)
        return false;
    p->heat += by;
    return p->heat >= HEAT_LIMIT;
}

static inline bool tb_page_is_checked(const TbCache *c, uint64_t ram)
{
    const CodePage *p = c->pages[ram >> PAGE_BITS];
    return p && p->checked;
}

/* Does [@ram, +@len), within one page, hold code? */
static inline bool tb_page_has_code(const TbCache *c, uint64_t ram)
{
    const CodePage *p = c->pages[ram >> PAGE_BITS];
    return p && p->granules;
}

static inline uint64_t tb_granules(uint64_t ram, uint64_t len)
{
    unsigned first = (ram & (PAGE_SIZE - 1)) >> 6;
    unsigned last = ((ram & (PAGE_SIZE - 1)) + len - 1) >> 6;
    if (last > 63)
        last = 63;
    return (~0ull << first) & (~0ull >> (63 - last));
}

static inline bool tb_touches_code(const TbCache *c, uint64_t ram, uint64_t len)
{
    const CodePage *p = c->pages[ram >> PAGE_BITS];
    return p && (p->granules & tb_granules(ram, len));
}

/* ---- Translation caches of one CPU: tlb.c --------------------------------------------------- */

#define STLB_SETS 1024
#define STLB_WAYS 4

/* clang-format off */
enum { STLB_GLOBAL = 1, STLB_LARGE = 2, STLB_IO = 4, STLB_ROM = 8, STLB_UNIT_LARGE = 16,
       STLB_WATCHED = 32 };
/* clang-format on */

/* Second level: a page of one MMU index and address space, with all that the first level lacks. */
typedef struct StlbEntry {
    uint64_t tag; /* page address | MMU index; ~0: empty */
    uint32_t gen; /* must equal the generation of its ASID (or of the global pages) */
    uint16_t asid;
    uint8_t prot;
    uint8_t flags;   /* STLB_* */
    uint64_t addend; /* host - guest, unless STLB_IO */
    uint64_t phys;   /* page */
    uint64_t ram;    /* page in the machine's numbering of RAM, unless STLB_IO */
} StlbEntry;

/* 2 MiB of physical addresses that are RAM, for refills. */
#define RAM_UNITS 512
typedef struct RamUnit {
    uint64_t number; /* phys >> 21, plus 1; 0: free */
    uint64_t host, ram;
} RamUnit;

#define LARGE_SET 8192

typedef struct JumpIndex JumpIndex;

typedef struct Tlb {
    StlbEntry set[STLB_SETS][STLB_WAYS];
    uint8_t victim[STLB_SETS];
    uint32_t asid_gen[4096];
    uint32_t global_gen;
    uint64_t used[TCG_MMU_MODES][TCG_TLB_SIZE / 64];      /* L1 slots filled */
    uint64_t nonglobal[TCG_MMU_MODES][TCG_TLB_SIZE / 64]; /* … with non-global pages */
    uint64_t large[LARGE_SET]; /* set of the large pages that were entered, see tlb.c; 0: free */
    unsigned nlarge;
    uint64_t flushes; /* calls of any kind of flush */
    RamUnit ram_unit[RAM_UNITS];
    uint64_t hits, walks, refills;
} Tlb;

/* ---- Jump-cache contexts: context.c ---------------------------------------------------------- */

typedef struct Context {
    uint64_t cs_base;
    uint32_t mode, gen;
    uint32_t asid;
    uint32_t cpu; /* generations are a CPU's own */
} Context;

#define CONTEXT_NONE        1u
#define CONTEXT_SHIFT       4
#define CONTEXT_BITS        (CPU_KEY_HOT_SHIFT - CONTEXT_SHIFT)
#define CONTEXT_RECENT_BITS 6
#define CONTEXT_RECENT      (1 << CONTEXT_RECENT_BITS)

typedef struct RecentContext {
    Context c;
    uint32_t number; /* 0: none */
} RecentContext;

static inline unsigned context_slot(const Context *c)
{
    return ((c->mode ^ c->asid << 20) * 0x9e3779b1u) >> (32 - CONTEXT_RECENT_BITS);
}

/* ---- A CPU's private part ------------------------------------------------------------------- */

struct CpuRun {
    Accel *accel;
    CpuTail *tail;
    TlbEntry *l1[TCG_MMU_MODES][2]; /* first TLB level: see l1_entry() */
    unsigned l1_step[TCG_MMU_MODES];
    CpuCommon *common;
    Tlb *tlb;
    JumpIndex *jumps;    /* of the jump cache's entries: jump-lists.h */
    jmp_buf jump;        /* where cpu_loop_exit() goes: the execution loop */
    int32_t granted;     /* budget at the start of the slice, less what was taken back since */
    uint64_t faulted_at; /* count of the last of CpuCommon.faults, or of where the slice began */
    int32_t looks;       /* … what cpu_look() has taken, for the loop to give back */
    bool exact;          /* the slice must end on the instruction, not on the block */
    bool again;          /* what is given up now is begun anew at once */
    bool one_insn;       /* the next block is to be a single instruction, not cached */
    bool no_groups;      /* … one that checks each memory access by itself, … */
    bool keep_x87;       /* … with x87 state where it is */
    bool context_dirty;
    /* turn.h */
    int64_t due;    /* the count at which a timer is */
    int64_t latest; /* that at which somebody looks, whatever is late */
    bool turned;    /* it was, and control has been transferred: the slice is over */
    bool once;      /* the next block is to be the only one: budget says nothing */
    int32_t lent;   /* what budget has more than it should, until the block has been left */
    bool judged;    /* … this one, where that is due: what is to be known of it then: */
    int32_t judged_insns;
    int64_t judged_at; /* count */
    uint64_t judged_pc;
    TranslateBranches judged_branches;
    RecentContext recent[CONTEXT_RECENT];
    Tb *link_from; /* a goto wants to be linked to the next block found */
    unsigned link_slot;
    unsigned rest; /* with host_pc 0: what cpu_rest_of_block() is, for a plugin that was called */
    bool watch_accesses; /* plugin_access() wants to know of each that C code makes */
    bool watch_before;   /* plugin_before_access() likewise; with watch_accesses only */
    bool want_jc;        /* a jump wants the next block found in the jump cache */
    Tb *private_tb;      /* uncached block being run, freed after it */
    uint64_t yields;
    uint8_t straddle[32]; /* bytes for translate_straddling() */
    uint64_t straddle_ram2;
    bool straddled;
    uint64_t monitor_mark; /* as CpuCommon.monitor was when this CPU last marked a line */
    DebugRun debug_run;
    bool debug_skips; /* breakpoints, until it has got on */
    bool debug_hit;   /* a watchpoint, by the instruction that is being executed */
    DebugPoint debug_hit_point;
    uint64_t debug_hit_addr;
    int32_t debug_kept; /* of the budget, so that the CPU comes back after the instruction */
};

static inline TlbEntry *l1_entry(const CpuRun *run, unsigned mmu, bool write, unsigned slot)
{
    return run->l1[mmu][write] + slot * run->l1_step[mmu];
}

/* ---- The debugger's: debug.c ----------------------------------------------------------------- */

/* What of a turn is to come: turn.h. */
typedef struct Turn {
    int32_t budget;
    bool exact; /* it ends on the instruction, else where the next block would be too long */
    bool late;  /* for a timer */
} Turn;

typedef struct EngineDebug {
    DebugPoint *points;
    unsigned npoints, nwatches;
    uint64_t splits[PAGE_SIZE / 64]; /* bit n: blocks end before byte n of any page */
    bool has_splits;
    bool step_no_irq, step_no_timer;
    bool writing;   /* memory, for the debugger's own sake */
    bool quiet;     /* points are passed: somebody is on his way to a moment */
    DebugStop stop; /* not yet taken */
    /* The turn that a stop or a waypoint broke off. */
    unsigned turn;
    int32_t left; /* of its budget */
    bool exact, late;
} EngineDebug;

/* ---- What "info jit" and -d stats tell: stats.c --------------------------------------------- */

/* Why an access of translated code came to guest_mem_slow(): the first of these that holds. */
typedef enum SlowKind {
    SLOW_CROSSING, /* two pages */
    SLOW_IO,
    SLOW_WATCHED,
    SLOW_ROM,  /* a store to it */
    SLOW_CODE, /* a store to a page with code */
    SLOW_MISS, /* in no TLB */
    SLOW_KINDS
} SlowKind;

/* Counted always, as it costs next to nothing, but for the time. */
typedef struct AccelStats {
    uint64_t insns, guest_bytes, host_bytes; /* of all blocks ever made */
    uint64_t timed_insns, timed_ns;          /* under -d stats */
    int64_t clock_cost_ns;
    uint64_t leaves[TCG_EXIT_REASON + 1]; /* to the loop, by TcgExit */
    uint64_t jumps_refilled;              /* jump-cache misses that did not leave translated code */
    uint64_t found, uncached;             /* looked for and there; made for one run */
    uint64_t slow[SLOW_KINDS];
    uint64_t beside_code; /* stores to pages with code that tlb_direct() did */
    uint64_t tlb_flushes, asid_flushes, page_flushes;
} AccelStats;

struct Accel {
    Machine *machine;
    const CpuOps *ops;
    Tcg *tcg;
    IrSlot *slots; /* that tcg knows */
    TcgHelper *helpers;
    TbCache tbs;
    uint8_t *written; /* ram_set_written() */
    GPtrArray *cpus;  /* Cpu * */
    Cpu *current;
    MemListener listener, view_listener; /* of memory; of the views that some CPUs have */
    /* time */
    HostClock host;
    int icount_shift;    /* -1: virtual time follows the host */
    uint64_t count;      /* instructions of finished slices */
    uint64_t delivered;  /* exceptions and interrupts so far */
    uint64_t waypoint;   /* in steps (accel_steps()): no slice goes beyond; WAYPOINT_NONE */
    uint64_t turn;       /* how often timers ran or requests were honoured between slices */
    uint64_t settled_at; /* the count at which pages were settled */
    int64_t speed;       /* of late, see learn_speed(), of the only CPU */
    int64_t bias_ns;     /* added to the count's or the host's time */
    int64_t owed_ns; /* counting: time that passed while nothing ran, and has not for the host */
    bool running;
    int64_t stopped_at_ns;
    Session *session; /* NULL: nothing is recorded or replayed */
    Travel *travel;   /* NULL: there is no going back */
    bool one_insn;    /* a block has one instruction */
    AccelStats stats;
    HostProfile *profile; /* NULL: not wanted */
    EngineDebug debug;
    PluginSet *plugins;   /* NULL: none is loaded */
    GHashTable *contexts; /* interned jump-cache contexts, see context.c */
    uint32_t next_context;
};

/* Items that want to see every block: none goes to the next by itself. */
#define LOG_UNCHAINED (LOG_EXEC | LOG_CPU | LOG_NOCHAIN)

/* What CPUs remember of memory and of what they were about to do: their state was loaded. */
void accel_forget_caches(Accel *a);

/* What a guest or a device may have asked for: a function of the count. */
#define GUEST_REQUESTS                                                                         \
    (REQUEST_RESET | REQUEST_SHUTDOWN | REQUEST_POWERDOWN | REQUEST_SUSPEND | REQUEST_WAKEUP | \
     REQUEST_PANIC)

#define WAYPOINT_NONE UINT64_MAX

/* Where a run is, between slices, as a debugger steps: instructions and deliveries. */
static inline uint64_t accel_steps(const Accel *a)
{
    return a->count + a->delivered;
}

/* ---- Between the files ---------------------------------------------------------------------- */

/* tlb.c */
Tlb *tlb_new(void);
void tlb_free(Tlb *t);
void tlb_flush(Cpu *cpu);
StlbEntry *tlb_lookup(Cpu *cpu, uint64_t addr, unsigned mmu);
/* Second-level entry that allows @access, walking if need be; NULL: fault recorded. */
StlbEntry *tlb_resolve(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu);
/* A second-level entry for @p, without where it lies. General registers only, as tlb_lookup(). */
StlbEntry *tlb_enter(Cpu *cpu, uint64_t addr, unsigned mmu, const CpuPage *p);
void tlb_fill_l1(Cpu *cpu, uint64_t addr, const StlbEntry *e, CpuAccess access, unsigned mmu);
/* No CPU may store to RAM without being asked from now on. */
void tlb_forget_stores(Accel *a);
/* No CPU may store to this RAM page without being asked from now on. */
void tlb_watch_ram_page(Accel *a, uint64_t ram_page);
const void *jump_refill(void *env, uint64_t pc); /* jump-refill.c: TcgLayout.jump_refill */
bool tlb_refill(void *env);                      /* tlb-refill.c: TcgLayout.mem_refill */
void *tlb_direct(void *env);                     /* tlb-refill.c: TcgLayout.mem_direct */
bool tlb_across(void *env);                      /* tlb-refill.c: TcgLayout.mem_across */
void guest_mem_slow(void *env);                  /* guest-mem.c: TcgLayout.mem_slow */
uint8_t *accel_ram_host(Accel *a, uint64_t ram); /* host address of a RAM number */

/* context.c */
void context_update(Cpu *cpu);
/* As contexts are told apart: the parts of @mode and of the address space that count. */
Context context_of(Cpu *cpu, uint32_t mode, uint64_t cs_base, bool kernel); /* quick.c */
void context_forget_all(Accel *a);

/* jump-cache.c */
void jump_cache_init(Cpu *cpu);
void jump_cache_destroy(Cpu *cpu);
void jump_cache_clear(Cpu *cpu);
/* An address space is forgotten or left: entries of supervisor mode do not name one (context.c). */
void jump_cache_forget_kernel(Cpu *cpu);
/* Entries of blocks with code in the page at @addr. @unit: of the large page there, 0: it is none.
 */
void jump_cache_forget(Cpu *cpu, uint64_t addr, uint64_t unit);
/* jump-refill.c: an entry for @tb, whose first page is @e's. */
void jump_cache_enter(Cpu *cpu, const CpuContext *ctx, const StlbEntry *e, const Tb *tb);

/* monitor.c */
void monitor_hit(void *opaque, uint64_t ram);
void monitor_forget(Accel *a);

/* translate.c */
Tb *translate_find_or_make(Cpu *cpu, const CpuContext *ctx, bool no_groups);
/* The begin of @whole, a block of the cache's, as a block of at most @max_insns, fewer than it has;
 * it may not be linked to. */
Tb *translate_cut(Cpu *cpu, const CpuContext *ctx, Tb *whole, unsigned max_insns);
Tb *translate_private(Cpu *cpu, const CpuContext *ctx, unsigned max_insns, bool no_groups);

/* debug.c */
bool debug_breaks(Cpu *cpu, uint64_t linear); /* at the instruction there? */
void debug_access(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access,
                  bool probe);                        /* CpuOps.watched; may not return */
void debug_dma(Accel *a, uint64_t ram, uint64_t len); /* a device wrote to RAM */
void debug_settle(Cpu *cpu); /* after an instruction, or a delivery: stop? */
bool debug_masks_interrupts(const Cpu *cpu);
bool debug_stills_time(const Accel *a);

static inline bool engine_splits_at(const Accel *a, uint64_t addr)
{
    return a->debug.splits[(addr & (PAGE_SIZE - 1)) / 64] >> (addr % 64) & 1;
}

/* Does a watchpoint lie in the page of @addr? General registers only. */
static inline bool engine_watches_page(const Accel *a, uint64_t addr)
{
    for (unsigned i = 0; a->debug.nwatches && i < a->debug.npoints; i++) {
        const DebugPoint *p = &a->debug.points[i];
        if ((p->kinds & ~DEBUG_EXEC) &&
            (addr >> PAGE_BITS) - (p->addr >> PAGE_BITS) <=
                ((p->addr + p->len - 1) >> PAGE_BITS) - (p->addr >> PAGE_BITS))
            return true;
    }
    return false;
}

/* cpu-exec.c */
/* False: it is halted. */
bool cpu_exec_slice(Cpu *cpu, const Turn *turn);
void cpu_restart_alone(void *env);                              /* TcgLayout.mem_alone */
const TcgCode *cpu_rest_alone(void *env, const TcgCode **from); /* TcgLayout.mem_ungrouped */
void cpu_trap(void *env, uint32_t code);                        /* TcgLayout.trap */
/* Instructions of the running block from the current one on: the budget was charged for them. */
unsigned cpu_rest_of_block(Cpu *cpu);

#endif
