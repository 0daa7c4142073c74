/* SPDX-License-Identifier: MIT */
/*
 * Model-specific registers: Intel SDM vol. 4, AMD BKDG for family 0Fh (C000_xxxx, C001_xxxx).
 * Registers that are plain storage are rows; those with rules have functions. Those that a model
 * does not have, by what CPUID says or by its generation, raise #GP. Of performance registers and
 * the like only presence is modelled (rows of kind IGNORED): they read zero and forget writes,
 * which is what kernels probe for. What CPUID tells of and no model here does (counters of leaf
 * 0AH, MPERF, clock modulation, OSVW, SVM) is not there.
 */
#include "target-i386/help-system.h"

#include <string.h>

#include "softmmu/log.h"
#include "target-i386/cpuid.h"
#include "target-i386/mce.h"
#include "target-i386/paging.h"
#include "target-i386/xsave.h"

#define HWCR_MC_STATUS_WR_EN (1u << 18)

typedef enum MsrKind {
    MSR_FIELD,     /* stored in the CPU; bits outside @value raise #GP */
    MSR_CANONICAL, /* stored; must be canonical */
    MSR_CONST,     /* reads @value; writes raise #GP */
    MSR_IGNORED,   /* reads @value, forgets writes */
} MsrKind;

typedef enum Generation { /* of processors, by what they have registers for */
                          GEN_P5 = 1 << 0,
                          GEN_P6 = 1 << 1,      /* Pentium Pro to III */
                          GEN_CORE = 1 << 2,    /* Core, Atom */
                          GEN_NEHALEM = 1 << 3, /* and later */
                          GEN_NETBURST = 1 << 4,
                          GEN_K7 = 1 << 5,
                          GEN_K8 = 1 << 6,
                          GEN_ZEN = 1 << 7,
                          GEN_FAMILY_6 = GEN_P6 | GEN_CORE | GEN_NEHALEM,
                          GEN_INTEL = GEN_FAMILY_6 | GEN_NETBURST, /* … of today */
                          GEN_AMD = GEN_K7 | GEN_K8 | GEN_ZEN,
                          GEN_AMD64 = GEN_K8 | GEN_ZEN,
} Generation;

typedef struct MsrRow {
    uint32_t first, count;
    MsrKind kind;
    size_t field;
    uint64_t value;
    uint32_t feature; /* bits of the CPUID word that there must be for it to exist; 0: always */
    CpuidWord word;
    unsigned who; /* generations that have it; 0: all */
} MsrRow;

#define FIELD(f) offsetof(CpuX86, f)
#define ALL      UINT64_MAX
/* What a CPU without these flaws says in IA32_ARCH_CAPABILITIES: RDCL, IBRS_ALL, SKIP_L1DFL, SSB,
 * MDS, PSCHANGE_MC, TAA, SBDR_SSDP, FBSDP, PSDP, PBRSB are "not affected". */
#define ARCH_CAPABILITIES_VALUE                                                                  \
    (1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 13 | 1u << 14 | \
     1u << 15 | 1u << 24)

#define WITH_SEP     CPUID_SEP, CPUID_1_EDX
#define WITH_MCA     CPUID_MCA, CPUID_1_EDX
#define WITH_MTRR    CPUID_MTRR, CPUID_1_EDX
#define WITH_SYSCALL CPUID_SYSCALL, CPUID_80000001_EDX
#define WITH_LM      CPUID_LM, CPUID_80000001_EDX
#define WITH_RDTSCP  CPUID_RDTSCP, CPUID_80000001_EDX

/* clang-format off */
static const MsrRow msr_rows[] = {
    { 0x00000000,  2, MSR_IGNORED,   0, 0, .who = GEN_P5 | GEN_INTEL },       /* P5_MC_ADDR, P5_MC_TYPE */
    { 0x00000011,  3, MSR_IGNORED,   0, 0, .who = GEN_P5 },                   /* CESR, CTR0, CTR1 */
    { 0x00000017,  1, MSR_CONST,     0, 0, .who = GEN_INTEL },                /* IA32_PLATFORM_ID */
    { 0x0000002a,  1, MSR_IGNORED,   0, 0, .who = GEN_INTEL },                /* EBL_CR_POWERON */
    { 0x0000003a,  1, MSR_CONST,     0, 1, .who = GEN_CORE | GEN_NEHALEM },   /* IA32_FEATURE_CONTROL: locked */
    { 0x00000079,  1, MSR_IGNORED,   0, 0, .who = GEN_INTEL },                /* IA32_BIOS_UPDT_TRIG */
    { 0x0000008b,  1, MSR_IGNORED,   0, 0x0100006500000000ull, .who = GEN_INTEL | GEN_AMD }, /* IA32_BIOS_SIGN_ID, PATCH_LEVEL */
    { 0x000000c1,  2, MSR_IGNORED,   0, 0, .who = GEN_P6 },                   /* PERFCTR0-1 */
    { 0x000000ce,  1, MSR_CONST,     0, 0, .who = GEN_NEHALEM },              /* PLATFORM_INFO */
    { 0x000000fe,  1, MSR_CONST,     0, 0x508, WITH_MTRR },                   /* IA32_MTRRCAP: WC, fixed, 8 */
    { 0x00000119,  1, MSR_IGNORED,   0, 0, .who = GEN_P6 | GEN_CORE },        /* BBL_CR_CTL */
    { 0x0000011e,  1, MSR_IGNORED,   0, 0, .who = GEN_P6 | GEN_CORE },        /* BBL_CR_CTL3 */
    { 0x00000140,  1, MSR_IGNORED,   0, 0, .who = GEN_NEHALEM },              /* MISC_FEATURES_ENABLES */
    { 0x00000174,  1, MSR_FIELD,     FIELD(sysenter_cs), ALL, WITH_SEP },
    { 0x00000175,  1, MSR_CANONICAL, FIELD(sysenter_esp), 0, WITH_SEP },
    { 0x00000176,  1, MSR_CANONICAL, FIELD(sysenter_eip), 0, WITH_SEP },
    { 0x00000179,  1, MSR_CONST,     0, MCG_CAP_VALUE, WITH_MCA },            /* IA32_MCG_CAP */
    { 0x0000017a,  1, MSR_FIELD,     FIELD(mcg_status), 7, WITH_MCA },
    { 0x0000017b,  1, MSR_FIELD,     FIELD(mcg_ctl), ALL, WITH_MCA },
    { 0x00000186,  2, MSR_IGNORED,   0, 0, .who = GEN_P6 },                   /* EVNTSEL0-1 */
    { 0x00000198,  1, MSR_CONST,     0, 1000ull << 40 | 1000, .who = GEN_CORE | GEN_NEHALEM }, /* IA32_PERF_STATUS */
    { 0x00000199,  1, MSR_IGNORED,   0, 0, .who = GEN_CORE | GEN_NEHALEM },   /* IA32_PERF_CTL */
    { 0x000001a0,  1, MSR_FIELD,     FIELD(misc_enable), ALL, .who = GEN_CORE | GEN_NEHALEM | GEN_NETBURST },
    { 0x000001a2,  1, MSR_IGNORED,   0, 0, .who = GEN_NEHALEM },              /* TEMPERATURE_TARGET */
    { 0x000001c9,  1, MSR_IGNORED,   0, 0, .who = GEN_CORE | GEN_NEHALEM },   /* LASTBRANCH_TOS */
    { 0x000001db,  2, MSR_CONST,     0, 0, .who = GEN_P6 | GEN_AMD },         /* last branch */
    { 0x000001dd,  2, MSR_CONST,     0, 0, .who = GEN_FAMILY_6 | GEN_AMD },   /* … before the last exception */
    { 0x000001fc,  1, MSR_IGNORED,   0, 0, .who = GEN_NEHALEM },              /* POWER_CTL: no C1E */
    { 0xc0000081,  1, MSR_FIELD,     FIELD(star), ALL, WITH_SYSCALL },
    { 0xc0000082,  1, MSR_CANONICAL, FIELD(lstar), 0, WITH_LM },
    { 0xc0000083,  1, MSR_CANONICAL, FIELD(cstar), 0, WITH_LM },
    { 0xc0000084,  1, MSR_FIELD,     FIELD(sfmask), 0xffffffff, WITH_LM },
    { 0xc0000100,  1, MSR_CANONICAL, FIELD(segs[SEG_FS].base), 0, WITH_LM },
    { 0xc0000101,  1, MSR_CANONICAL, FIELD(segs[SEG_GS].base), 0, WITH_LM },
    { 0xc0000102,  1, MSR_CANONICAL, FIELD(kernel_gs_base), 0, WITH_LM },
    { 0xc0000103,  1, MSR_FIELD,     FIELD(tsc_aux), 0xffffffff, WITH_RDTSCP },
    { 0xc0010000,  8, MSR_IGNORED,   0, 0, .who = GEN_AMD },                  /* PERF_CTL0-3, PERF_CTR0-3 */
    { 0xc0010010,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD },                  /* SYSCFG */
    { 0xc0010015,  1, MSR_FIELD,     FIELD(hwcr), ALL, .who = GEN_AMD },
    { 0xc0010016,  5, MSR_IGNORED,   0, 0, .who = GEN_AMD },                  /* IORRs, TOP_MEM */
    { 0xc001001d,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD },                  /* TOP_MEM2 */
    { 0xc001001f,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* NB_CFG */
    { 0xc0010020,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD },                  /* PATCH_LOADER */
    { 0xc0010044,  7, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* MCi_CTL_MASK */
    { 0xc0010055,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* INT_PENDING_MSG: no C1E */
    { 0xc0010061,  3, MSR_CONST,     0, 0, .who = GEN_ZEN },                  /* P-state limit, control, status */
    { 0xc0010111,  1, MSR_FIELD,     FIELD(smbase), 0xffffffff, .who = GEN_AMD64 },
    { 0xc0010112,  2, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* TSEG */
    { 0xc0011004,  2, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* CPUID override */
    { 0xc001100d,  1, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* CPUID extended override */
    { 0xc0011020, 16, MSR_IGNORED,   0, 0, .who = GEN_AMD64 },                /* LS_CFG … DE_CFG, BU_CFG2 */
};
/* clang-format on */

/* By vendor, family and model; whoever is not AMD (or their Chinese licensee) numbers them as Intel
 * does. */
static unsigned generation(const CpuX86 *c)
{
    const X86Model *m = &c->spec->model;

    if (!strcmp(m->vendor, "AuthenticAMD") || !strcmp(m->vendor, "HygonGenuine"))
        return m->family < 6 ? 0 : m->family < 15 ? GEN_K7 : m->family < 0x17 ? GEN_K8 : GEN_ZEN;
    switch (m->family) {
    case 5: return GEN_P5;
    case 6:
        return m->model < 13                       ? GEN_P6
               : m->model < 0x1a || m->model == 28 ? GEN_CORE /* 28 is the first Atom */
                                                   : GEN_NEHALEM;
    case 15: return GEN_NETBURST;
    default: return 0;
    }
}

static bool has_row(const CpuX86 *c, const MsrRow *r)
{
    return (!r->feature || x86_words_have(c->features, r->word, r->feature)) &&
           (!r->who || (r->who & generation(c)));
}

/* NULL, too, if the model lacks it: no rule knows it then either. */
static const MsrRow *find_row(const CpuX86 *c, uint32_t msr)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(msr_rows); i++) {
        const MsrRow *r = &msr_rows[i];
        if (msr - r->first < r->count)
            return has_row(c, r) ? r : NULL;
    }
    return NULL;
}

/* ---- TSC ------------------------------------------------------------------------------------ */

static uint64_t clock_ticks(CpuX86 *c)
{
    int64_t now = cpu_clock_ns(&c->cpu);

    return c->tsc_hz == NS_PER_SEC ? (uint64_t)now : clock_ns_to_ticks(now, c->tsc_hz);
}

uint64_t x86_tsc(CpuX86 *c)
{
    return clock_ticks(c) + c->tsc_offset;
}

/* Has the TSC already passed @deadline? */
static bool deadline_passed(CpuX86 *c, uint64_t deadline)
{
    return (int64_t)(deadline - x86_tsc(c)) <= 0;
}

/* Other modes of the timer have none: the register is 0 there. */
static void forget_deadline(CpuX86 *c)
{
    const BoardOps *board = &c->machine->board;

    if (board->apic_has_tsc_deadline &&
        !board->apic_has_tsc_deadline(board->opaque, c->common.index))
        c->tsc_deadline = 0;
}

static void set_deadline(CpuX86 *c, uint64_t deadline)
{
    BoardOps *board = &c->machine->board;
    int64_t at = CLOCK_NEVER;

    c->tsc_deadline = deadline;
    if (deadline)
        at = deadline_passed(c, deadline) ? cpu_clock_ns(&c->cpu)
                                          : clock_ticks_to_ns(deadline - c->tsc_offset, c->tsc_hz);
    if (board->apic_set_tsc_deadline)
        board->apic_set_tsc_deadline(board->opaque, c->common.index, at);
}

static void adjust_tsc(CpuX86 *c, uint64_t by)
{
    c->tsc_offset += by;
    forget_deadline(c);
    if (c->tsc_deadline)
        set_deadline(c, c->tsc_deadline);
}

/* ---- Registers with rules ------------------------------------------------------------------- */

uint64_t x86_known_efer(const CpuX86 *c)
{
    uint64_t known = 0;

    if (x86_words_have(c->features, CPUID_80000001_EDX, CPUID_SYSCALL))
        known |= EFER_SCE;
    if (x86_words_have(c->features, CPUID_80000001_EDX, CPUID_LM))
        known |= EFER_LME;
    if (x86_words_have(c->features, CPUID_80000001_EDX, CPUID_NX))
        known |= EFER_NXE;
    if (x86_words_have(c->features, CPUID_80000001_EDX, CPUID_FFXSR))
        known |= EFER_FFXSR;
    return known;
}

static bool write_efer(CpuX86 *c, uint64_t value)
{
    uint64_t changed;

    if (value & ~(x86_known_efer(c) | EFER_LMA))
        return false;
    value = (value & ~(uint64_t)EFER_LMA) | (c->efer & EFER_LMA);
    changed = value ^ c->efer;
    if ((changed & EFER_LME) && (c->cr0 & CR0_PG))
        return false;
    c->efer = value;
    if (changed & EFER_NXE)
        cpu_tlb_flush_all(&c->cpu);
    return true;
}

static bool is_memory_type(unsigned type, bool pat)
{
    return type == 0 || type == 1 || (type >= 4 && type <= 6) || (pat && type == 7);
}

static bool types_are_valid(uint64_t value, bool pat)
{
    for (unsigned i = 0; i < 8; i++)
        if (!is_memory_type(value >> (8 * i) & 0xff, pat))
            return false;
    return true;
}

static bool write_mtrr_phys(CpuX86 *c, unsigned n, uint64_t value)
{
    uint64_t reserved = x86_phys_reserved(c) | 0xfff0000000000000ull | (n & 1 ? 0x7ff : 0xf00);

    if ((value & reserved) || (!(n & 1) && !is_memory_type(value & 0xff, false)))
        return false;
    c->mtrr_phys[n] = value;
    return true;
}

/* Index in mtrr_fixed, or -1. */
static int fixed_mtrr(uint32_t msr)
{
    if (msr == 0x250)
        return 0;
    if (msr == 0x258 || msr == 0x259)
        return 1 + (int)(msr - 0x258);
    return msr >= 0x268 && msr <= 0x26f ? 3 + (int)(msr - 0x268) : -1;
}

static bool is_apic_msr(uint32_t msr)
{
    return msr == 0x1b || (msr >= 0x800 && msr < 0x900);
}

static bool has_spec_ctrl(const CpuX86 *c)
{
    return x86_words_have(c->features, CPUID_7_0_EDX, CPUID_SPEC_CTRL) ||
           x86_words_have(c->features, CPUID_80000008_EBX, CPUID_IBRS);
}

static bool has_pred_cmd(const CpuX86 *c)
{
    return x86_words_have(c->features, CPUID_7_0_EDX, CPUID_SPEC_CTRL) ||
           x86_words_have(c->features, CPUID_80000008_EBX, CPUID_IBPB) ||
           has_spec_ctrl(c); /* Linux takes IBRS for a promise of both */
}

static bool has_xss(const CpuX86 *c)
{
    return x86_words_have(c->features, CPUID_D_1_EAX, CPUID_XSAVES);
}

/* Registers with rules that only some models have. */
static bool model_has(const CpuX86 *c, uint32_t msr)
{
    const uint32_t *words = c->features;

    if (msr - 0x400 < X86_MCE_BANKS * 4)
        return x86_words_have(words, CPUID_1_EDX, CPUID_MCA);
    if (msr - 0x200 < 16 || fixed_mtrr(msr) >= 0 || msr == 0x2ff)
        return x86_words_have(words, CPUID_1_EDX, CPUID_MTRR);
    switch (msr) {
    case 0x34: return generation(c) == GEN_NEHALEM;
    case 0x1d9: return generation(c) & (GEN_INTEL | GEN_AMD);
    case 0x3b: return x86_words_have(words, CPUID_7_0_EBX, CPUID_TSC_ADJUST);
    case 0x277: return x86_words_have(words, CPUID_1_EDX, CPUID_PAT);
    case 0xc0000080: return x86_known_efer(c) != 0;
    default: return true;
    }
}

static bool read_special(CpuX86 *c, uint32_t msr, uint64_t *value)
{
    BoardOps *board = &c->machine->board;

    if (is_apic_msr(msr))
        return board->apic_read_msr &&
               board->apic_read_msr(board->opaque, c->common.index, msr, value);
    if (msr - 0x400 < X86_MCE_BANKS * 4) {
        *value = c->mce_banks[msr - 0x400];
        return true;
    }
    if (msr - 0x200 < 16) {
        *value = c->mtrr_phys[msr - 0x200];
        return true;
    }
    if (fixed_mtrr(msr) >= 0) {
        *value = c->mtrr_fixed[fixed_mtrr(msr)];
        return true;
    }
    switch (msr) {
    case 0x10: *value = x86_tsc(c); return true;
    case 0x34: *value = (uint32_t)c->smi_count; return true; /* read-only */
    case 0x3b: *value = c->tsc_adjust; return true;
    case 0x48: *value = c->spec_ctrl; return has_spec_ctrl(c);
    case 0x10a:
        *value = ARCH_CAPABILITIES_VALUE;
        return x86_words_have(c->features, CPUID_7_0_EDX, CPUID_ARCH_CAPABILITIES);
    case 0x1d9: *value = c->debugctl; return true;
    case 0x277: *value = c->pat; return true;
    case 0x2ff: *value = c->mtrr_def; return true;
    case 0x6e0:
        forget_deadline(c);
        if (c->tsc_deadline && deadline_passed(c, c->tsc_deadline))
            c->tsc_deadline = 0;
        *value = c->tsc_deadline;
        return x86_words_have(c->features, CPUID_1_ECX, CPUID_TSC_DEADLINE);
    case 0xda0: *value = c->xss; return has_xss(c);
    case 0xc0000080: *value = c->efer; return true;
    default: return false;
    }
}

static bool write_special(CpuX86 *c, uint32_t msr, uint64_t value)
{
    BoardOps *board = &c->machine->board;

    if (is_apic_msr(msr))
        return board->apic_write_msr &&
               board->apic_write_msr(board->opaque, c->common.index, msr, value);
    if (msr - 0x400 < X86_MCE_BANKS * 4) {
        if ((msr & 3) == 1 && value != 0 &&
            !(c->hwcr & HWCR_MC_STATUS_WR_EN)) /* it is only cleared */
            return false;
        c->mce_banks[msr - 0x400] = value;
        return true;
    }
    if (msr - 0x200 < 16)
        return write_mtrr_phys(c, msr - 0x200, value);
    if (fixed_mtrr(msr) >= 0) {
        if (!types_are_valid(value, false))
            return false;
        c->mtrr_fixed[fixed_mtrr(msr)] = value;
        return true;
    }
    switch (msr) {
    case 0x10: {
        uint64_t by = value - x86_tsc(c);

        c->tsc_adjust += by;
        adjust_tsc(c, by);
        return true;
    }
    case 0x3b:
        adjust_tsc(c, value - c->tsc_adjust);
        c->tsc_adjust = value;
        return true;
    case 0x48:
        if ((value & ~7ull) || !has_spec_ctrl(c))
            return false;
        c->spec_ctrl = value;
        return true;
    case 0x1d9:
        if (value & ~0x7full)
            return false;
        c->debugctl = value & ~1ull; /* LBR: there are no records */
        return true;
    case 0x49: return has_pred_cmd(c) && !(value & ~1ull);
    case 0x277:
        if (!types_are_valid(value, true))
            return false;
        c->pat = value;
        return true;
    case 0x2ff:
        if ((value & ~0xcffull) || !is_memory_type(value & 0xff, false))
            return false;
        c->mtrr_def = value;
        return true;
    case 0x6e0:
        if (!x86_words_have(c->features, CPUID_1_ECX, CPUID_TSC_DEADLINE))
            return false;
        set_deadline(c, value);
        return true;
    case 0xda0:
        if (!has_xss(c) || (value & ~x86_xss_valid(c)))
            return false;
        c->xss = value;
        return true;
    case 0xc0000080: return write_efer(c, value);
    default: return false;
    }
}

/* ---- RDMSR, WRMSR --------------------------------------------------------------------------- */

static G_GNUC_NORETURN void raise_gp0(CpuX86 *c)
{
    x86_raise_error(c, EXCP_GP, 0);
}

uint64_t help_rdmsr(CpuX86 *c, uint32_t msr)
{
    const MsrRow *row = find_row(c, msr);
    uint64_t value = 0;

    if (!row) {
        if (model_has(c, msr) && read_special(c, msr, &value))
            return value;
        log_unimp("read of MSR 0x%x: #GP\n", msr);
        raise_gp0(c);
    }
    if (row->kind == MSR_CONST || row->kind == MSR_IGNORED)
        return row->value;
    return *(uint64_t *)((char *)c + row->field);
}

void help_wrmsr(CpuX86 *c, uint32_t msr, uint64_t value)
{
    const MsrRow *row;

    /* what kernels write at each switch of tasks */
    if (msr - 0xc0000100 < 3 && (c->efer & EFER_LMA) && x86_is_canonical_base(c, value)) {
        if (msr == 0xc0000102)
            c->kernel_gs_base = value;
        else
            c->segs[msr == 0xc0000100 ? SEG_FS : SEG_GS].base = value;
        return;
    }
    x86_cpuid_forget(c);
    row = find_row(c, msr);
    if (!row) {
        if (model_has(c, msr) && write_special(c, msr, value))
            return;
        log_unimp("write of 0x%llx to MSR 0x%x: #GP\n", (unsigned long long)value, msr);
        raise_gp0(c);
    }
    switch (row->kind) {
    case MSR_IGNORED: return;
    case MSR_CONST: raise_gp0(c);
    case MSR_FIELD:
        if (value & ~row->value)
            raise_gp0(c);
        break;
    case MSR_CANONICAL:
        if (!x86_is_canonical_base(c, value))
            raise_gp0(c);
        break;
    }
    *(uint64_t *)((char *)c + row->field) = value;
}
