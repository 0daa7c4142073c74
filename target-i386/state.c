/* SPDX-License-Identifier: MIT */
/*
 * What the CPU's state is: the slots by which translated code reaches it, the list of fields that
 * snapshots, dumps and hashes walk, EFLAGS as a whole, and the mode word derived from it all.
 */
#include "target-i386/cpu.h"

#include "target-i386/debug.h"
#include "target-i386/trace.h"
#include "target-i386/state.h"

/* clang-format off */
#define SLOT(i, n, f, t)        [i] = { .name = (n), .offset = offsetof(CpuX86, f), .type = (t) }
#define GPR(i, n)  [SLOT_GPR + (i)] = { .name = (n), .offset = offsetof(CpuX86, regs[i]), .type = I64, .pin = 1 + (i) }
#define XMM(i, n)  [SLOT_XMM + (i)] = { .name = (n), .offset = offsetof(CpuX86, xmm[i]), .type = V256, .pin = 17 + (i) }
#define FPREG(i, n) SLOT(SLOT_FPREG + (i), n, fpregs[i], F80)
#define SEG(i, n) \
    SLOT(SLOT_SEG_BASE + (i), n "_base", segs[i].base, I64), \
    SLOT(SLOT_SEG_LIMIT + (i), n "_limit", segs[i].limit, I32), \
    SLOT(SLOT_SEG_SELECTOR + (i), n, segs[i].selector, I16), \
    SLOT(SLOT_SEG_ATTR + (i), n "_attr", segs[i].attr, I32)

const IrSlot x86_slots[SLOT_COUNT] = {
    GPR(0, "rax"), GPR(1, "rcx"), GPR(2, "rdx"), GPR(3, "rbx"),
    GPR(4, "rsp"), GPR(5, "rbp"), GPR(6, "rsi"), GPR(7, "rdi"),
    GPR(8, "r8"), GPR(9, "r9"), GPR(10, "r10"), GPR(11, "r11"),
    GPR(12, "r12"), GPR(13, "r13"), GPR(14, "r14"), GPR(15, "r15"),
    XMM(0, "xmm0"), XMM(1, "xmm1"), XMM(2, "xmm2"), XMM(3, "xmm3"),
    XMM(4, "xmm4"), XMM(5, "xmm5"), XMM(6, "xmm6"), XMM(7, "xmm7"),
    XMM(8, "xmm8"), XMM(9, "xmm9"), XMM(10, "xmm10"), XMM(11, "xmm11"),
    XMM(12, "xmm12"), XMM(13, "xmm13"), XMM(14, "xmm14"), XMM(15, "xmm15"),
    FPREG(0, "fpr0"), FPREG(1, "fpr1"), FPREG(2, "fpr2"), FPREG(3, "fpr3"),
    FPREG(4, "fpr4"), FPREG(5, "fpr5"), FPREG(6, "fpr6"), FPREG(7, "fpr7"),
    SEG(SEG_ES, "es"), SEG(SEG_CS, "cs"), SEG(SEG_SS, "ss"),
    SEG(SEG_DS, "ds"), SEG(SEG_FS, "fs"), SEG(SEG_GS, "gs"),
    SLOT(SLOT_VBASE, "vbase", cpu.vbase, I64),
    SLOT(SLOT_PC, "pc", cpu.pc, I64),
    SLOT(SLOT_JC_KEY, "jc_key", cpu.jc_key, I64),
    SLOT(SLOT_EFLAGS, "eflags", eflags, I32),
    SLOT(SLOT_FPSTT, "fpstt", fpstt, I8),
    SLOT(SLOT_FPTAGS, "fptags", fptags, I8),
    SLOT(SLOT_FCW, "fcw", fcw, I16),
    SLOT(SLOT_FSW, "fsw", fsw, I16),
    SLOT(SLOT_MXCSR, "mxcsr", mxcsr, I32),
    SLOT(SLOT_FOP, "fop", fop, I16),
    SLOT(SLOT_FIP, "fip", fip, I64),
    SLOT(SLOT_FDP, "fdp", fdp, I64),
    SLOT(SLOT_FCS, "fcs", fcs, I16),
    SLOT(SLOT_FDS, "fds", fds, I16),
    SLOT(SLOT_MODE, "mode", mode, I32),
    SLOT(SLOT_INHIBIT, "inhibit", inhibit, I8),
    SLOT(SLOT_STEP, "step", step, I8),
    SLOT(SLOT_STEP_NEXT, "step_next", step_next, I64),
    SLOT(SLOT_CR0, "cr0", cr0, I64),
    SLOT(SLOT_CR2, "cr2", cr2, I64),
    SLOT(SLOT_CR3, "cr3", cr3, I64),
    SLOT(SLOT_CR4, "cr4", cr4, I64),
    SLOT(SLOT_INTERRUPT_REQUEST, "interrupt_request", cpu.interrupt_request, I32),
    SLOT(SLOT_CPUID_HIGH, "cpuid_high", cpuid_high, I64),
    SLOT(SLOT_TSC_AUX, "tsc_aux", tsc_aux, I64),
    SLOT(SLOT_VTMP, "vtmp0", vtmp[0], V256), SLOT(SLOT_VTMP + 1, "vtmp1", vtmp[1], V256),
    SLOT(SLOT_VTMP + 2, "vtmp2", vtmp[2], V256),
    SLOT(SLOT_KERNEL_GS_BASE, "kernel_gs_base", kernel_gs_base, I64),
};

static const StateField segment_state[] = {
    STATE_U16(Segment, selector), STATE_U32(Segment, attr), STATE_U32(Segment, limit),
    STATE_U64(Segment, base), STATE_END
};

static const StateField table_state[] = {
    STATE_U64(DescTable, base), STATE_U32(DescTable, limit), STATE_END
};

static const StateField fpreg_state[] = {
    STATE_U64(X87Reg, frac), STATE_U16(X87Reg, se), STATE_END
};

static const StateField vec_state[] = { STATE_ARRAY(VecReg, q, STATE_T_U64), STATE_END };

/* Of Cpu.cc only the packed word is listed: x86_canonical_state() puts the flags there first. */
const StateField x86_state[] = {
    STATE_ARRAY(CpuX86, regs, STATE_T_U64),
    STATE_U64(CpuX86, cpu.pc),
    STATE_U64(CpuX86, cpu.cc.a),
    STATE_U32(CpuX86, cpu.interrupt_request),
    STATE_U32(CpuX86, eflags),
    STATE_U8(CpuX86, fpstt), STATE_U8(CpuX86, fptags),
    STATE_U16(CpuX86, fcw), STATE_U16(CpuX86, fsw),
    STATE_STRUCT_ARRAY(CpuX86, segs, segment_state),
    STATE_STRUCT_ARRAY(CpuX86, fpregs, fpreg_state),
    STATE_U16(CpuX86, fop), STATE_U16(CpuX86, fcs), STATE_U16(CpuX86, fds),
    STATE_U64(CpuX86, fip), STATE_U64(CpuX86, fdp), STATE_U32(CpuX86, mxcsr),
    STATE_STRUCT_ARRAY(CpuX86, xmm, vec_state),
    STATE_STRUCT(CpuX86, ldt, segment_state), STATE_STRUCT(CpuX86, tr, segment_state),
    STATE_STRUCT(CpuX86, gdt, table_state), STATE_STRUCT(CpuX86, idt, table_state),
    STATE_U64(CpuX86, cr0), STATE_U64(CpuX86, cr2), STATE_U64(CpuX86, cr3),
    STATE_U64(CpuX86, cr4), STATE_U64(CpuX86, xcr0), STATE_U64(CpuX86, xss),
    STATE_ARRAY(CpuX86, dr, STATE_T_U64),
    STATE_U64(CpuX86, efer), STATE_U64(CpuX86, star), STATE_U64(CpuX86, lstar),
    STATE_U64(CpuX86, cstar), STATE_U64(CpuX86, sfmask), STATE_U64(CpuX86, kernel_gs_base),
    STATE_U64(CpuX86, tsc_aux), STATE_U64(CpuX86, random_count),
    STATE_U64(CpuX86, sysenter_cs), STATE_U64(CpuX86, sysenter_esp),
    STATE_U64(CpuX86, sysenter_eip),
    STATE_U64(CpuX86, tsc_offset), STATE_U64(CpuX86, tsc_adjust), STATE_U64(CpuX86, tsc_deadline),
    STATE_U64(CpuX86, pat), STATE_U64(CpuX86, misc_enable), STATE_U64(CpuX86, debugctl),
    STATE_U64(CpuX86, smbase), STATE_U64(CpuX86, spec_ctrl), STATE_U64(CpuX86, hwcr),
    STATE_U64(CpuX86, mtrr_def), STATE_ARRAY(CpuX86, mtrr_fixed, STATE_T_U64),
    STATE_ARRAY(CpuX86, mtrr_phys, STATE_T_U64),
    STATE_U64(CpuX86, mcg_status), STATE_U64(CpuX86, mcg_ctl),
    STATE_ARRAY(CpuX86, mce_banks, STATE_T_U64),
    STATE_ARRAY(CpuX86, pae_pdpte, STATE_T_U64), STATE_U32(CpuX86, pkru),
    STATE_BOOL(CpuX86, nmi_blocked), STATE_U8(CpuX86, inhibit), STATE_BOOL(CpuX86, in_smm),
    STATE_BOOL(CpuX86, smm_nmi_blocked), STATE_U64(CpuX86, smi_count),
    STATE_U64(CpuX86, smi_io.pc), STATE_U64(CpuX86, smi_io.rcx), STATE_U64(CpuX86, smi_io.rsi),
    STATE_U64(CpuX86, smi_io.rdi), STATE_U64(CpuX86, smi_io.count), STATE_U32(CpuX86, smi_io.trap),
    STATE_BOOL(CpuX86, sipi_wait), STATE_U8(CpuX86, sipi_vector), STATE_BOOL(CpuX86, a20),
    STATE_BOOL(CpuX86, ferr), STATE_BOOL(CpuX86, ignne),
    STATE_U32(CpuX86, exception), STATE_U32(CpuX86, error_code),
    STATE_BOOL(CpuX86, exception_is_soft), STATE_U64(CpuX86, exception_next_pc),
    STATE_U32(CpuX86, old_exception), STATE_U64(CpuX86, fault_addr), STATE_BOOL(CpuX86, x87_slow),
    STATE_U64(CpuX86, rf_count), STATE_BOOL(CpuX86, debug_step), STATE_U8(CpuX86, debug_hits),
    STATE_BOOL(CpuX86, mwait), STATE_BOOL(CpuX86, mwait_masked), STATE_U64(CpuX86, common.monitor),
    STATE_BOOL(CpuX86, common.absent), STATE_BOOL(CpuX86, common.halted), STATE_BOOL(CpuX86, common.exception_pending),
    STATE_U16(CpuX86, common.asid), STATE_U16_SINCE(CpuX86, common.faults, 7),
    STATE_END
};
/* clang-format on */

void x86_canonical_state(CpuX86 *c)
{
    flags_set_packed(&c->cpu.cc, flags_pack(&c->cpu.cc));
}

uint32_t x86_get_eflags(CpuX86 *c)
{
    return flags_pack(&c->cpu.cc) | c->eflags;
}

void x86_set_eflags(CpuX86 *c, uint32_t value, uint32_t mask)
{
    const uint32_t in_mode = EFL_TF | EFL_IOPL | EFL_VM | EFL_AC;
    uint32_t old = c->eflags;

    if (mask & FLAGS_ARITH) {
        uint32_t arith = flags_pack(&c->cpu.cc);

        flags_set_packed(&c->cpu.cc, (arith & ~mask) | (value & mask & FLAGS_ARITH));
    }
    c->eflags = (((old & ~mask) | (value & mask)) & ~(uint32_t)FLAGS_ARITH) | 2;
    if ((old ^ c->eflags) & in_mode)
        x86_update_mode(c);
}

/* Present, writable, expand-up data with a limit of 4 GiB: accesses need no check. */
static bool seg_is_unlimited(const Segment *s)
{
    const uint32_t mask = ATTR_P | ATTR_S | ATTR_CODE | ATTR_EC | ATTR_RW;

    return s->limit == 0xffffffff && (s->attr & mask) == (ATTR_P | ATTR_S | ATTR_RW);
}

static uint32_t segment_mode(const CpuX86 *c)
{
    const Segment *s = c->segs;
    uint32_t mode = 0;
    bool ss = seg_is_unlimited(&s[SEG_SS]);
    bool ds_es = seg_is_unlimited(&s[SEG_DS]) && seg_is_unlimited(&s[SEG_ES]);

    if (ss && !s[SEG_SS].base)
        mode |= X86_MODE_SS_FLAT;
    if (ss && ds_es) {
        if (!(s[SEG_SS].base | s[SEG_DS].base | s[SEG_ES].base))
            mode |= X86_MODE_SEG_FLAT;
        if (seg_is_unlimited(&s[SEG_FS]) && seg_is_unlimited(&s[SEG_GS]))
            mode |= X86_MODE_NO_LIMIT;
    }
    if (s[SEG_CS].limit != 0xffffffff && !(c->efer & EFER_LMA && s[SEG_CS].attr & ATTR_L))
        mode |= X86_MODE_CS_LIMIT;
    return mode;
}

static uint32_t privilege_mode(const CpuX86 *c)
{
    unsigned iopl = (c->eflags & EFL_IOPL) >> EFL_IOPL_SHIFT;
    unsigned cpl;
    uint32_t mode;

    if (!(c->cr0 & CR0_PE))
        return X86_MODE_IOPL_OK |
               ((c->cr4 & CR4_SMAP) && (c->eflags & EFL_AC) ? X86_MODE_SMAP_OFF : 0);
    if (c->eflags & EFL_VM) {
        cpl = 3;
        mode = X86_MODE_PE | X86_MODE_VM86;
    } else {
        cpl = (c->segs[SEG_SS].attr >> ATTR_DPL_SHIFT) & 3;
        mode = X86_MODE_PE;
    }
    mode |= cpl;
    if (cpl <= iopl)
        mode |= X86_MODE_IOPL_OK;
    if (c->eflags & EFL_AC) {
        if (cpl == 3 && (c->cr0 & CR0_AM))
            mode |= X86_MODE_AC;
        if (cpl < 3 && (c->cr4 & CR4_SMAP))
            mode |= X86_MODE_SMAP_OFF;
    }
    return mode;
}

static uint32_t fpu_mode(const CpuX86 *c)
{
    uint32_t mode = 0;

    if (c->cr0 & CR0_EM)
        mode |= X86_MODE_EM;
    if (c->cr0 & CR0_TS)
        mode |= X86_MODE_TS;
    if (c->cr0 & CR0_MP)
        mode |= X86_MODE_MP;
    if (c->cr4 & CR4_OSFXSR)
        mode |= X86_MODE_OSFXSR;
    if (c->cr4 & CR4_OSXSAVE)
        mode |= X86_MODE_OSXSAVE;
    if ((c->cr4 & CR4_OSXSAVE) && (c->xcr0 & 6) == 6 && (c->cr0 & CR0_PE) && !(c->eflags & EFL_VM))
        mode |= X86_MODE_AVX;
    if (~c->mxcsr & 0x1f80)
        mode |= X86_MODE_FP_UNMASKED;
    if ((~c->fcw & 0x3f) || (c->fsw & 0x80))
        mode |= X86_MODE_X87_UNMASKED;
    if (c->x87_slow)
        mode |= X86_MODE_X87_SLOW;
    return mode;
}

static uint32_t code_mode(const CpuX86 *c)
{
    const Segment *s = c->segs;
    uint32_t mode = 0;

    if (c->efer & EFER_LMA) {
        mode |= X86_MODE_LMA;
        if (s[SEG_CS].attr & ATTR_L)
            return mode | X86_MODE_CS64 | X86_MODE_SS32 | X86_MODE_SEG_FLAT | X86_MODE_SS_FLAT |
                   X86_MODE_NO_LIMIT;
    }
    if (s[SEG_CS].attr & ATTR_DB)
        mode |= X86_MODE_CS32;
    if (s[SEG_SS].attr & ATTR_DB)
        mode |= X86_MODE_SS32;
    return mode | segment_mode(c);
}

/* FERR# follows the error summary down, whoever has cleared it. */
static void release_ferr(CpuX86 *c)
{
    c->ferr = false;
    if (c->machine && c->machine->board.ferr)
        c->machine->board.ferr(c->machine->board.opaque, 0);
}

void x86_update_mode(CpuX86 *c)
{
    const uint32_t top_mask = 7u << X86_MODE_TOP_SHIFT;
    uint32_t mode = privilege_mode(c) | code_mode(c) | fpu_mode(c);
    uint32_t old = c->mode & ~top_mask;

    if (c->eflags & EFL_TF)
        mode |= X86_MODE_TF;
    if (c->inhibit)
        mode |= X86_MODE_INHIBIT;
    if (c->in_smm)
        mode |= X86_MODE_SMM;
    if (c->cr4 & CR4_LA57)
        mode |= X86_MODE_LA57;
    if (c->debug_step || ((c->dr[7] & 0xff) && x86_debug_has_code(c)))
        mode |= X86_MODE_BREAKPOINTS;
    if (G_UNLIKELY(c->ferr) && !(c->fsw & 0x80))
        release_ferr(c);
    unsigned cpl = x86_cpl(c);
    c->mode = mode | x86_hot_mode(c) << X86_MODE_TOP_SHIFT;
    /* Translated code moves TOP in the key alone, so the key is what must agree with it. */
    if (mode != old || (c->cpu.jc_key >> CPU_KEY_HOT_SHIFT) != x86_hot_mode(c))
        x86_settle_context(c);
    if (cpu_tells(&c->common, MIMUS_PRIVILEGE) && cpl != x86_cpl(c))
        x86_tell_privilege(c, cpl);
}
