/* SPDX-License-Identifier: MIT */
/*
 * A virtual CPU as the engine sees it, and CpuOps: all that the engine knows of the guest
 * architecture. The architecture's own state struct begins with Cpu; the engine allocates it with
 * CpuTail (TLBs, jump cache, slow-path scratch) behind it, so that translated code reaches
 * everything from one base register.
 */
#ifndef ACCEL_CPU_H
#define ACCEL_CPU_H

#include <glib.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

#include "accel/plugin/state.h"
#include "softmmu/memory.h"
#include "tcg/flags.h"
#include "tcg/guest-mem.h"
#include "tcg/helper.h"
#include "tcg/ir.h"

typedef struct Cpu Cpu;
typedef struct CpuOps CpuOps;
typedef struct CpuRun CpuRun; /* the engine's private part */

/* Bits of Cpu.interrupt_request. */
enum {
    CPU_INT_HARD = 1 << 0, /* level: the board's INTR */
    CPU_INT_NMI = 1 << 1,
    CPU_INT_SMI = 1 << 2,
    CPU_INT_INIT = 1 << 3,
    CPU_INT_SIPI = 1 << 4,
    CPU_INT_MCE = 1 << 6,
    CPU_INT_WAKE = 1 << 5, /* the monitored line was stored to */
};

struct Cpu {
    const CpuOps *ops;
    CpuRun *run;
    uint64_t pc; /* guest pc (RIP), exact whenever C code of the guest runs outside a block or
                    after cpu_sync_state() */
    uint32_t interrupt_request;
    int32_t budget; /* instructions that may still start before the engine wants control */
    /* From byte 56 on, that is the fourth field of cc, 256 bytes are the cheapest to reach. */
    FlagsRecord cc;
    uint64_t vbase;  /* guest pc of byte 0 of the running mapping unit */
    uint64_t jc_key; /* jump cache context; its top three bits are the architecture's (see below) */
    uint64_t own[TCG_OWN]; /* TcgLayout.own */
    StackHead stack_head;  /* TcgLayout.stack_head */
    /* The architecture's registers follow here, and then what CpuOps.near_tlb_offset says. */
};

/* The rest of what the engine and the architecture share; embedded by the architecture's state
 * wherever it likes (CpuOps.common_offset). */
typedef struct CpuCommon {
    unsigned index;         /* 0 … cpus-1 */
    uint32_t events;        /* that plugins want to know of: accel/plugin/events.h */
    bool absent;            /* a socket to plug one in: it does not run, nothing reaches it */
    bool halted;            /* HLT, wait-for-SIPI: runs again when CpuOps.has_work says so */
    bool exception_pending; /* raised, not yet delivered */
    uint16_t
        faults; /* exceptions delivered since an instruction was completed; no more than matter */
    AddressSpace *memory, *io;
    uint64_t monitor; /* the line of RAM that a store will be told of, | 1; 0: none */
    uint16_t asid;
    bool
        x87_on_host; /* the guest's x87 stack and status word are in the host's x87 (TCG_HAS_X87) */
} CpuCommon;

typedef struct CpuTail {
    PluginState plugin;
    SlowAccess slow;
    uint8_t scratch[TCG_SCRATCH_SIZE] __attribute__((aligned(64)));
    TlbEntry tlb[TCG_MMU_MODES][2][TCG_TLB_SIZE];
    JumpEntry jc[TCG_JC_SIZE];
    /* Up to here it is less than a huge page, see cpu_map(). */
    StackPage stack[TCG_MMU_MODES] __attribute__((aligned(64)));
    uint8_t interp[TCG_INTERP_SIZE] __attribute__((aligned(64)));
} CpuTail;

typedef enum CpuAccess { ACCESS_READ, ACCESS_WRITE, ACCESS_EXEC } CpuAccess;
enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 };

/* One page as the architecture's walk sees it. */
typedef struct CpuPage {
    uint64_t phys;      /* of the 4 KiB page that holds the address, A20 applied */
    uint64_t unit_size; /* bytes of the guest's mapping unit: 4 KiB, 2/4 MiB, 1 GiB */
    uint8_t prot; /* PROT_*: what later accesses with the same MMU index may do unasked. W only
                     if the dirty bit is set already. */
    bool global;
    bool watched;        /* CpuOps.watched() is asked before each data access */
    AddressSpace *space; /* where phys lies; NULL: CpuCommon.memory */
} CpuPage;

/* Where a CPU is about to execute. */
typedef struct CpuContext {
    uint64_t pc;      /* guest pc */
    uint64_t linear;  /* linear address of that instruction */
    uint32_t mode;    /* everything translation depends on, the architecture's bits */
    uint64_t cs_base; /* linear - pc */
    unsigned mmu;     /* MMU index of instruction fetches and ordinary data accesses */
    bool kernel;      /* supervisor mode: jump-cache entries for global pages outlive an ASID */
} CpuContext;

/* A request to the architecture's frontend; see translate.h. */
typedef struct TranslateRequest TranslateRequest;

typedef struct CpuRegister {
    const char *name;
    uint8_t bytes;
} CpuRegister;

/* What plugins ask about a CPU. */
struct MimusDecoded; /* accel/plugin/mimus-plugin.h */
typedef struct CpuTraceOps {
    uint64_t (*code_base)(Cpu *cpu);     /* linear address - pc */
    bool (*is_flat)(uint32_t mode);      /* code_base() is 0 in all code of that mode */
    uint64_t (*address_space)(Cpu *cpu); /* what tells it from others: CR3's table */
    unsigned (*privilege)(Cpu *cpu);     /* CPL */
    const struct CpuRegister *registers;
    unsigned nregisters;
    int pc_register;
    /* Four words, the low one first; above registers[reg].bytes they mean nothing. */
    void (*read_register)(Cpu *cpu, unsigned reg, uint64_t *word);
    bool (*write_register)(Cpu *cpu, unsigned reg, uint64_t value); /* false: not that one */
    uint64_t (*swap_space)(Cpu *cpu, uint64_t space); /* for probing walks alone; the old one */
    /* What plugins see of an instruction; may be NULL. False: it is not known. */
    bool (*decode_insn)(uint32_t mode, const uint8_t *bytes, uint32_t len,
                        struct MimusDecoded *out);
    /* The instruction as text, without its address; may be NULL. */
    void (*print_insn)(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                       GString *out);
} CpuTraceOps;

struct CpuOps {
    const char *name;
    size_t state_size; /* of the struct that begins with Cpu */
    size_t common_offset;
    size_t
        near_tlb_offset; /* TcgLayout.near_tlb, where the back end and the host know it; 0: none */
    const IrSlot *slots;
    unsigned nslots;
    const TcgHelper *helpers;
    unsigned nhelpers;
    int32_t mxcsr_offset, fcw_offset, fsw_offset;
    bool host_x87; /* TcgLayout.host_x87 where there is TCG_HAS_X87 */

    void (*get_context)(Cpu *cpu, CpuContext *out); /* may raise (CS limit) */
    /* Guest pc as exits leave it (64-bit sum) -> as the mode has it (16, 32, 64 bits wide). */
    uint64_t (*wrap_pc)(Cpu *cpu, uint64_t pc);
    /* Where an access or a fetch goes on that has come to @linear, the beginning of a page. */
    uint64_t (*wrap_linear)(Cpu *cpu, uint64_t linear);
    /* Page walk for @addr. False: the fault is recorded for raise_fault(). Sets accessed and
     * dirty bits. @probe: no side effects, nothing recorded (monitor, debugger). */
    bool (*walk)(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu, bool probe, CpuPage *out);
    /* For data, the same from what earlier walks have left, without side effects; false: not known
     * so. General registers only. May be NULL. */
    bool (*walk_quick)(Cpu *cpu, uint64_t addr, bool write, unsigned mmu, CpuPage *out);
    /* May be NULL. get_context() as it would be at @pc, where that asks for nothing else to be
     * done; false otherwise. General registers only. */
    bool (*quick_context)(Cpu *cpu, uint64_t pc, CpuContext *out);
    void (*raise_fault)(Cpu *cpu) G_GNUC_NORETURN;
    /* A misaligned MEM_ALIGN access reached the slow path: raise (#GP, #AC) or return to let it
     * be done. */
    void (*misaligned)(Cpu *cpu, const SlowAccess *a);
    /* A data access to a watched page, which would not fault, is about to be made. @probe: not yet,
     * and perhaps the instruction begins again before. May leave to the loop; then it is not made.
     */
    void (*watched)(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, bool probe);
    void (*trap)(void *env, uint32_t code); /* TcgLayout.trap: raise, does not return */
    void (*translate)(Cpu *cpu, TranslateRequest *req, IrBlock *ir);
    bool tells_branches; /* TranslateRequest.branches */
    /* Deliver the exception that was raised (exception_pending). May itself raise. */
    void (*deliver_exception)(Cpu *cpu);
    /* Between instructions, interrupt_request != 0: take the most urgent that is allowed now; true
     * if something was taken. */
    bool (*deliver_interrupt)(Cpu *cpu);
    bool (*has_work)(Cpu *cpu); /* would a halted CPU wake up? */
    /* TCG_EXIT_REASON: act on the frontend's own exit reasons, then the loop goes on. */
    void (*exit_reason)(Cpu *cpu, uint32_t reason);
    /* A jump at @from, whose IR has @reason, leads to cpu->pc, where no block is known: may it?
     * Else state is put back as it was before the jump, which then was not executed, and this
     * raises. */
    void (*check_jump)(Cpu *cpu, uint64_t from, uint32_t reason);
    /* The host's x87 has been emptied into @image, as FXSAVE64 makes it (see cpu_x87_to_host()).
     * May be NULL without host_x87. */
    void (*x87_from_host)(Cpu *cpu, const void *image);
    void (*reset)(Cpu *cpu);
    void (*print_registers)(Cpu *cpu, GString *out);
    void (*print_core)(Cpu *cpu, GString *out); /* without floating point; NULL: print_registers */
    const CpuTraceOps *trace;                   /* for plugins; NULL: there can be none */
    /* Disassemble @len bytes that lie at linear address @addr, for -d in_asm (may be NULL). */
    void (*disas)(Cpu *cpu, uint32_t mode, uint64_t addr, const uint8_t *bytes, uint32_t len,
                  GString *out);
};

/* The top bits (of TCG_JC_MASK) of jc_key, that the frontend may change from translated code
 * without leaving it: the part of `mode` that code changes all the time (x87 TOP). They equal (mode
 * >> CPU_HOT_MODE_SHIFT) & 7. */
#define CPU_KEY_HOT_SHIFT  17
#define CPU_HOT_MODE_SHIFT 29

static inline CpuCommon *cpu_common(Cpu *cpu)
{
    return (CpuCommon *)((char *)cpu + cpu->ops->common_offset);
}

CpuTail *cpu_tail(Cpu *cpu);

/* ---- For the architecture's C code --------------------------------------------------------- */

/* Called by helpers before they look at pc or raise: brings cpu->pc and cc up to the instruction
 * that called (no-op outside translated code), and gives back the budget of what was not executed.
 * After it the block must be left by cpu_loop_exit(). */
void cpu_sync_state(Cpu *cpu);
/* The pc of the instruction that is being executed, without any of that. */
uint64_t cpu_running_pc(Cpu *cpu);
/* Leave to the execution loop now. State must be complete (cpu_sync_state() or outside code). */
void cpu_loop_exit(Cpu *cpu) G_GNUC_NORETURN;
/* Run the instruction at the synced pc again, alone in a block. For what cannot be done within a
 * larger block (a store into the running block itself). */
void cpu_restart_single(Cpu *cpu) G_GNUC_NORETURN;

/* The mode (CpuContext) may have changed: recompute jc_key before the next jump. */
void cpu_context_changed(Cpu *cpu);
/* The same where the architecture knows the new context and that fetching in it raises nothing but
 * page faults: jc_key is right at once if the context has been seen before. General registers
 * only. */
void cpu_context_is(Cpu *cpu, uint32_t mode, uint64_t cs_base, bool kernel);
/* Make the CPU look at interrupt_request (and clocks) before the next block; its turn is over. */
void cpu_kick(Cpu *cpu);
/* The same, and its turn goes on: for an instruction that lets interrupts in, perhaps in the middle
 * of a block. Where turns end must not depend on what shares a block. */
void cpu_look(Cpu *cpu);
void cpu_interrupt(Cpu *cpu, uint32_t bits); /* set bits and kick */
void cpu_reset_interrupt(Cpu *cpu, uint32_t bits);

/* TCG_HAS_X87, between blocks: the host's x87 takes on @image, the guest's state (tcg_x87_load()),
 * and CpuCommon.x87_on_host is set. It lasts until anything but a next block is to be run: then
 * CpuOps.x87_from_host() gets it back. */
void cpu_x87_to_host(Cpu *cpu, const void *image);

/* The next store by anybody to the 64 bytes around @addr, which can be read, clears
 * CpuCommon.monitor and, if the CPU is halted, raises CPU_INT_WAKE. False: that is not RAM. */
bool cpu_monitor(Cpu *cpu, uint64_t addr, unsigned mmu);
void cpu_monitor_again(Cpu *cpu); /* after CpuCommon.monitor was loaded */

/* Instructions executed by all CPUs so far, exact in helpers and slow paths. */
uint64_t cpu_instruction_count(Cpu *cpu);
/* The same, but with all of the running block: exact between blocks, and at once. */
uint64_t cpu_charged_count(Cpu *cpu);
/* Virtual nanoseconds (the machine's clock), exact under -icount. */
int64_t cpu_clock_ns(Cpu *cpu);
/* Does virtual time follow a host clock that can be read at once? Never turns false again. */
bool cpu_has_host_clock(Cpu *cpu);
/* Is virtual time a function of what was executed? Does not change while the machine lives. */
bool cpu_counts_time(const Cpu *cpu);
/* cpu_clock_ns() in that case, for translated code that says how many instructions of its block are
 * left with the one that asks; general registers only. */
int64_t cpu_counted_clock_ns(Cpu *cpu, unsigned left);
/* What the CPU has just done takes longer than others: under counting time goes on, and the turn is
 * shorter by as much. For instructions after which the block ends, so that the turn does at the
 * same place whatever blocks there are. */
void cpu_pass_time(Cpu *cpu, int64_t ns);
/* Is there no other CPU that could run instead? Does not change while the machine lives. */
bool cpu_is_alone(const Cpu *cpu);
/* cpu_clock_ns() in that case, while the CPU executes; general registers only. */
int64_t cpu_host_clock_ns(Cpu *cpu);

/* Address translation caches. */
/* How often any of these was called; general registers only. */
uint64_t cpu_tlb_flushes(const Cpu *cpu);
void cpu_tlb_flush_all(Cpu *cpu);                 /* global entries too */
void cpu_tlb_flush_nonglobal(Cpu *cpu);           /* every ASID */
void cpu_tlb_flush_asid(Cpu *cpu, uint16_t asid); /* its non-global entries */
void cpu_tlb_flush_page(Cpu *cpu, uint64_t addr); /* current ASID and global */
void cpu_tlb_flush_page_asid(Cpu *cpu, uint64_t addr, uint16_t asid);
void cpu_tlb_set_asid(Cpu *cpu, uint16_t asid); /* switch; flushes nothing tagged */

#endif
