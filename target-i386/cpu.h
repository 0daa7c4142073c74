/* SPDX-License-Identifier: MIT */
/*
 * The x86 CPU's state and the acts on it that its files share. Registers and bits carry the names
 * of the Intel SDM (vol. 3, chapter 2) and AMD APM vol. 2.
 *
 * Ownership of bits: the arithmetic flags live in Cpu.cc, all other EFLAGS bits in
 * CpuX86.eflags; read the whole by x86_get_eflags(). The mode word (X86_MODE_*) is everything that
 * translation depends on; it is derived: x86_update_mode() after any change to what it is made of.
 */
#ifndef TARGET_I386_CPU_H
#define TARGET_I386_CPU_H

#include "accel/cpu.h"
#include "accel/guest-mem.h"
#include "softmmu/device.h"
#include "softmmu/machine.h"

enum { R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI, R_R8 };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_COUNT };

/* clang-format off */
enum { EXCP_DE, EXCP_DB, EXCP_NMI, EXCP_BP, EXCP_OF, EXCP_BR, EXCP_UD, EXCP_NM, EXCP_DF, EXCP_TS = 10,
       EXCP_NP, EXCP_SS, EXCP_GP, EXCP_PF, EXCP_MF = 16, EXCP_AC, EXCP_MC, EXCP_XM };
/* clang-format on */

/* EFLAGS bits other than the arithmetic ones (tcg/flags.h). */
/* clang-format off */
enum { EFL_TF = 1 << 8, EFL_IF = 1 << 9, EFL_DF = 1 << 10, EFL_IOPL = 3 << 12, EFL_NT = 1 << 14,
       EFL_RF = 1 << 16, EFL_VM = 1 << 17, EFL_AC = 1 << 18, EFL_VIF = 1 << 19, EFL_VIP = 1 << 20,
       EFL_ID = 1 << 21 };
/* clang-format on */
#define EFL_IOPL_SHIFT 12

/* clang-format off */
enum { CR0_PE = 1 << 0, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_ET = 1 << 4,
       CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30 };
/* clang-format on */
#define CR0_PG (1u << 31)
/* clang-format off */
enum { CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3, CR4_PSE = 1 << 4,
       CR4_PAE = 1 << 5, CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9,
       CR4_OSXMMEXCPT = 1 << 10, CR4_UMIP = 1 << 11, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16,
       CR4_PCIDE = 1 << 17, CR4_OSXSAVE = 1 << 18, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
       CR4_PKE = 1 << 22 };
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11,
       EFER_FFXSR = 1 << 14 };
/* clang-format on */

enum { MISC_ENABLE_FAST_STRINGS = 1 << 0, MISC_ENABLE_MONITOR = 1 << 18 };

/* clang-format off */
enum { XFEATURE_X87 = 1 << 0, XFEATURE_SSE = 1 << 1, XFEATURE_YMM = 1 << 2, XFEATURE_PKRU = 1 << 9 }; /* XCR0 */
/* clang-format on */

/* A segment register with its hidden part. attr is the high dword of the descriptor masked by
 * 0x00f0ff00 (type, S, DPL, P, AVL, L, D/B, G at their descriptor positions); limit is in bytes. */
typedef struct Segment {
    uint16_t selector;
    uint32_t attr;
    uint32_t limit;
    uint64_t base;
} Segment;
/* clang-format off */
enum { ATTR_TYPE_SHIFT = 8, ATTR_A = 1 << 8, ATTR_RW = 1 << 9, ATTR_EC = 1 << 10, ATTR_CODE = 1 << 11,
       ATTR_S = 1 << 12, ATTR_DPL_SHIFT = 13, ATTR_DPL = 3 << 13, ATTR_P = 1 << 15, ATTR_AVL = 1 << 20,
       ATTR_L = 1 << 21, ATTR_DB = 1 << 22, ATTR_G = 1 << 23 };
/* clang-format on */

typedef struct DescTable {
    uint64_t base;
    uint32_t limit;
} DescTable;

/* The mode word. Bits 29-31 are the engine's hot bits, see x86_hot_mode(). */
enum {
    X86_MODE_CPL = 3 << 0,
    X86_MODE_PE = 1 << 2,
    X86_MODE_VM86 = 1 << 3,
    X86_MODE_CS32 = 1 << 4, /* D bit of CS; with CS64 off and this off: 16-bit code */
    X86_MODE_CS64 = 1 << 5,
    X86_MODE_SS32 = 1 << 6, /* B bit of SS (set in 64-bit mode) */
    X86_MODE_LMA = 1 << 7,
    X86_MODE_SEG_FLAT = 1 << 8, /* DS ES SS: base 0, limit 4 GiB, present, expand-up, writable: no
                                   checks, no base. (64-bit mode: always) */
    X86_MODE_SS_FLAT = 1 << 9,  /* SS alone is */
    X86_MODE_NO_LIMIT =
        1 << 10, /* DS ES SS FS GS all have limit 4 GiB and are usable: no limit checks */
    X86_MODE_TF = 1 << 11,
    X86_MODE_INHIBIT = 1 << 12, /* STI or MOV SS shadow: one instruction, then clear */
    X86_MODE_EM = 1 << 13,      /* CR0.EM */
    X86_MODE_TS = 1 << 14,
    X86_MODE_MP = 1 << 15,
    X86_MODE_OSFXSR = 1 << 16,
    X86_MODE_OSXSAVE = 1 << 17,
    X86_MODE_FP_UNMASKED = 1 << 18,  /* an SSE exception is unmasked in MXCSR */
    X86_MODE_X87_UNMASKED = 1 << 19, /* an x87 exception is unmasked in FCW, or one is pending */
    X86_MODE_AC = 1 << 20,           /* alignment checks on (CPL 3, CR0.AM, EFLAGS.AC) */
    X86_MODE_SMAP_OFF = 1 << 21,     /* CPL < 3 with CR4.SMAP and EFLAGS.AC set: MMU_KERNEL_AC */
    X86_MODE_IOPL_OK = 1 << 22,      /* CPL <= IOPL (real mode: set; vm86: IOPL == 3) */
    X86_MODE_X87_SLOW = 1 << 23,     /* one block with x87 instructions through helpers */
    X86_MODE_SMM = 1 << 24,
    X86_MODE_LA57 = 1 << 25,
    X86_MODE_AVX = 1 << 27,      /* CR4.OSXSAVE, and XCR0 has SSE and AVX; protected mode */
    X86_MODE_CS_LIMIT = 1 << 28, /* CS ends before 4 GiB: fetches and targets are checked; in 64-bit
                                    mode: the end of canonical addresses is near, so are targets */
    X86_MODE_BREAKPOINTS = 1 << 26, /* blocks of one instruction, checked, see debug.c */
};
#define X86_MODE_TOP_SHIFT CPU_HOT_MODE_SHIFT

enum { MMU_KERNEL, MMU_USER, MMU_KERNEL_AC };

/* The frontend's exit reasons (Cpu leaves translated code, pc already set). */
enum {
    X86_EXIT_SYNC,          /* mode, interrupts or mappings changed: back to the loop */
    X86_EXIT_HALT,          /* HLT was executed */
    X86_EXIT_MWAIT,         /* MWAIT: halted until the monitored line is stored to */
    X86_EXIT_PAUSE,         /* PAUSE: give the other CPUs a turn */
    X86_EXIT_X87_SLOW,      /* run this instruction with x87 by helper */
    X86_EXIT_X87_UNDO1,     /* … after undoing its pop, */
    X86_EXIT_X87_UNDO2,     /* … its two pops */
    X86_EXIT_X87_REDO,      /* … after taking back what it made of ST(0) */
    X86_EXIT_X87_TO_HOST,   /* … with the host's x87 holding the guest's state */
    X86_EXIT_X87_FROM_HOST, /* … or with that state in CpuX86 */
    X86_EXIT_DIRECTION,     /* string instructions go the other way than was thought */
};

/* Reason of a near jump of 64-bit code (check_jump()): how many bytes it has pushed. */
#define X86_JUMP(pushed)        ((uint32_t)(pushed) << 1 | 1)
#define X86_JUMP_PUSHED(reason) ((int32_t)(reason) >> 1)

enum { INHIBIT_STI = 1, INHIBIT_SS };

/* Of an instruction in a block of its own that has been executed, for single step and RF. */
enum {
    STEP_DONE = 1 << 0,
    STEP_TF = 1 << 1,     /* TF was set when it began */
    STEP_BRANCH = 1 << 2, /* it has branched, be it to the next instruction */
    STEP_AFTER = 1 << 3,  /* TF as it leaves it decides (SYSCALL, SYSRET) */
    STEP_QUIET = 1 << 4,  /* it drops the trap (INT n) */
    STEP_REPEAT = 1 << 5, /* it has iterations left if pc has not moved on */
};

typedef struct X87Reg { /* ST registers by physical number; MMX aliases frac */
    uint64_t frac;
    uint16_t se;
    uint16_t pad[3];
} X87Reg;

typedef struct VecReg {
    uint64_t q[4]; /* XMM is q[0..1]; q[2..3] are the high half of YMM */
} __attribute__((aligned(32))) VecReg;

#define X86_MCE_BANKS 10

/* The table that a walk in long mode ended in, with the rights of the levels above it
 * (paging-quick.c). */
#define X86_TABLES 64
typedef struct X86Table {
    uint64_t covers; /* addresses, >> 21 */
    uint64_t rights;
    uint64_t flushes; /* cpu_tlb_flushes() when it was entered */
    const uint64_t *entries;
    unsigned shift; /* an entry is for 1 << shift bytes */
} X86Table;

typedef struct CpuX86 {
    Cpu cpu; /* first */
    uint64_t regs[16];
    TlbEntry near_tlb[TCG_NEAR_TLB][2]; /* CpuOps.near_tlb_offset */
    uint32_t eflags;                    /* all but the arithmetic flags; bit 1 set */
    uint32_t mode;                      /* X86_MODE_*, derived; top bits follow fpstt */
    uint8_t fpstt;                      /* x87 TOP */
    uint8_t fptags;                     /* a bit for each physical register: 1 = empty */
    uint16_t fcw, fsw;                  /* fsw: exception flags, SF, C0-C3, B/ES; TOP is in fpstt */
    Segment segs[SEG_COUNT];
    X87Reg fpregs[8];
    uint16_t fop, fcs, fds;
    uint64_t fip, fdp;
    uint32_t mxcsr;
    VecReg xmm[16];
    VecReg vtmp[3]; /* operands and result of a vector helper, within an instruction */
    /* system */
    Segment ldt, tr;
    DescTable gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, xcr0, xss;
    uint64_t dr[8];
    uint64_t efer, star, lstar, cstar, sfmask, kernel_gs_base, tsc_aux;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t tsc_offset, tsc_adjust, tsc_deadline;
    uint64_t pat, misc_enable, debugctl, smbase, spec_ctrl, hwcr;
    uint64_t mtrr_def, mtrr_fixed[11], mtrr_phys[16];
    uint64_t mcg_status, mcg_ctl, mce_banks[X86_MCE_BANKS * 4];
    uint64_t pae_pdpte[4]; /* loaded by MOV CR3 in PAE mode */
    uint32_t pkru;
    uint16_t keys_used; /* protection keys of the pages that the TLBs may know */
    bool nmi_blocked, in_smm, sipi_wait;
    uint8_t inhibit;      /* INHIBIT_*: the shadow that the next instruction is in */
    bool smm_nmi_blocked; /* nmi_blocked as RSM will have it */
    uint64_t smi_count;
    struct { /* the last access to a port that raised an SMI: what repeats it, smm.c */
        uint64_t pc, rcx, rsi, rdi;
        uint64_t count; /* cpu_instruction_count() */
        uint32_t trap;  /* SMM_IO_*; 0: none */
    } smi_io;
    uint8_t sipi_vector;
    bool a20;
    bool ferr;  /* FERR# is asserted: an x87 exception is pending, and was with CR0.NE clear */
    bool ignne; /* IGNNE# is: such an exception stops nothing */
    bool mwait; /* what halts the CPU is MWAIT */
    bool mwait_masked;  /* … and interrupts end it even while masked */
    bool debug_step;    /* the next instruction meets a data or port breakpoint: alone */
    bool rf_loaded;     /* the running instruction has set RF, for the next one */
    uint8_t debug_hits; /* breakpoints met by the running instruction, B0-B3 */
    uint8_t step;       /* STEP_* of the instruction that left its block through C */
    uint64_t step_next; /* the pc behind it */
    uint64_t rf_count;  /* cpu_charged_count() when IRET set RF: one instruction on it is clear */
    /* an exception on its way */
    int exception; /* vector raised, valid while common.exception_pending */
    uint32_t error_code;
    bool exception_is_soft; /* INT n, INT3, INTO: return address is the next instruction */
    uint64_t exception_next_pc;
    int old_exception;     /* being delivered when this one was raised (double faults); -1 none */
    bool delivery_ext;     /* faults of that delivery have the EXT bit in their error code */
    uint64_t fault_addr;   /* CR2 to be */
    bool x87_slow;         /* the next block is X86_MODE_X87_SLOW */
    bool strings_down;     /* a guess: X86_HOT_DOWN */
    uint64_t random_count; /* numbers that RDRAND and RDSEED have given */
    X86Table tables[X86_TABLES];
    uint64_t cpuid_high; /* ECX and EDX on their way out of help_cpuid() */
    struct {             /* leaves that were asked for since anything changed that they tell of */
        uint32_t leaf, subleaf, known;
        uint64_t low, high; /* EBX:EAX, EDX:ECX */
    } cpuid_memo[8];
    /* fixed at realize */
    const struct X86Model *model;
    const struct X86CpuSpec *spec; /* model and topology, see cpuid.h */
    uint32_t features[32];         /* CPUID feature words, see cpuid.h */
    uint64_t insn_features; /* decode_features() of them, once translation has asked; 0: not yet */
    uint32_t apic_id;
    bool bsp;
    uint8_t phys_bits;
    bool host_x87; /* the engine has TCG_HAS_X87: x87-host.c */
    uint64_t tsc_hz, random_seed;
    Machine *machine;
    Device *device;
    CpuCommon common;
} CpuX86;

/* Slots, the names by which translated code knows state. */
/* clang-format off */
enum {
    SLOT_GPR = 0,            /* + register number */
    SLOT_XMM = 16,           /* + number */
    SLOT_FPREG = 32,         /* + physical number (F80; I64 at byte 0 is the MMX register) */
    SLOT_SEG_BASE = 40,      /* + SEG_x */
    SLOT_SEG_LIMIT = 46,     /* + SEG_x (I32) */
    SLOT_SEG_SELECTOR = 52,  /* + SEG_x (I16) */
    SLOT_VBASE = 58, SLOT_PC, SLOT_JC_KEY, SLOT_EFLAGS, SLOT_FPSTT, SLOT_FPTAGS,
    SLOT_FCW, SLOT_FSW, SLOT_MXCSR, SLOT_FOP, SLOT_FIP, SLOT_FDP, SLOT_FCS, SLOT_FDS, SLOT_MODE,
    SLOT_INHIBIT, SLOT_CR0, SLOT_CR2, SLOT_CR3, SLOT_CR4, SLOT_KERNEL_GS_BASE, SLOT_SEG_ATTR,
    /* + SEG_x (I32) */
    SLOT_INTERRUPT_REQUEST = SLOT_SEG_ATTR + SEG_COUNT,
    SLOT_STEP, SLOT_STEP_NEXT, SLOT_TSC_AUX, SLOT_CPUID_HIGH,
    SLOT_VTMP, /* + 0, 1, 2 */
    SLOT_COUNT = SLOT_VTMP + 3
};
/* clang-format on */
extern const IrSlot x86_slots[SLOT_COUNT]; /* state.c */
extern const CpuOps x86_cpu_ops;           /* cpu.c */

static inline CpuX86 *x86(Cpu *cpu)
{
    return (CpuX86 *)cpu;
}

/* What code depends on that changes all the time: x87 TOP, as translated code keeps it; or, where
 * the host's x87 keeps it, X86_HOT_X87 while it does. There is room then for X86_HOT_DOWN: blocks
 * take it that DF is set (else that it is clear), and make sure when they come to a string
 * instruction. */
enum { X86_HOT_X87 = 1, X86_HOT_DOWN = 2 };
static inline uint32_t x86_hot_mode(const CpuX86 *c)
{
    if (!c->host_x87)
        return c->fpstt;
    return (c->common.x87_on_host ? X86_HOT_X87 : 0) | (c->strings_down ? X86_HOT_DOWN : 0);
}

/* ---- cpu.c, state.c ------------------------------------------------------------------------- */
/* The CPU's Device: state list, reset; realized by the board's creation through
 * x86_cpu_create(). */
extern const DeviceClass x86_cpu_class;
struct Accel;
/* Create the machine's CPUs by m->config: model, features, topology, devices below m->root.
 * Fills *@bus for the board. Errors are the user's (unknown model or feature, impossible -smp). */
bool x86_cpus_create(Machine *m, struct Accel *accel, CpuBus *bus, GError **error);
void x86_print_models(GString *out);      /* -cpu help */
void x86_cpu_reset(CpuX86 *c, bool init); /* INIT keeps what the manual says it keeps */

uint32_t x86_get_eflags(CpuX86 *c);
void x86_set_eflags(CpuX86 *c, uint32_t value,
                    uint32_t mask); /* no privilege rules; updates mode */
void x86_update_mode(CpuX86 *c);    /* recompute mode and tell the engine if it changed */
/* The mode is settled and the CPU about to go on in it: where that is 64-bit code as usual, jumps
 * may use the jump cache without going through the loop. General registers only. */
void x86_settle_context(CpuX86 *c);
void x86_cpuid_forget(CpuX86 *c); /* CPUID may tell something else from now on */
static inline unsigned x86_cpl(const CpuX86 *c)
{
    return c->mode & X86_MODE_CPL;
}
static inline unsigned x86_mmu(const CpuX86 *c) /* ordinary data accesses */
{
    return x86_cpl(c) == 3 ? MMU_USER : (c->mode & X86_MODE_SMAP_OFF) ? MMU_KERNEL_AC : MMU_KERNEL;
}
static inline bool x86_is_64bit_code(const CpuX86 *c)
{
    return c->mode & X86_MODE_CS64;
}

/* ---- exceptions: excp.c --------------------------------------------------------------------- */
/* From helpers: sync pc and flags, record the exception, leave to the loop. Fault semantics: the
 * saved pc is the current instruction. */
void x86_raise(CpuX86 *c, int vector) G_GNUC_NORETURN;
void x86_raise_error(CpuX86 *c, int vector, uint32_t error_code) G_GNUC_NORETURN;
/* INT n / INT3 / INTO / ICEBP: the saved pc is @next_pc. */
void x86_raise_soft(CpuX86 *c, int vector, uint64_t next_pc) G_GNUC_NORETURN;
/* Trap codes of the IR (trap, trap_if, divu2, fpcheck): vector | (has error code) | error << 16. */
#define X86_TRAP(vector)            ((uint32_t)(vector))
#define X86_TRAP_ERROR(vector, err) ((uint32_t)(vector) | 0x100u | ((uint32_t)(err) << 16))

#endif
