/* SPDX-License-Identifier: MIT */
/*
 * The x86 CPU as the machine and the engine see it: creation from -cpu and -smp, its Device, reset
 * and INIT (SDM vol. 3A, table 9-1), the wires from the local APIC, and CpuOps.
 *
 * CPUs that may be plugged in later (-smp maxcpus=) exist from the start, absent.
 */
#include "target-i386/cpu.h"
#include "target-i386/disas.h"

#include <string.h>

#include "accel/accel.h"
#include "softmmu/error.h"
#include "target-i386/cpuid.h"
#include "target-i386/context-quick.h"
#include "target-i386/debug.h"
#include "target-i386/excp.h"
#include "target-i386/help-fp.h"
#include "target-i386/helpers.h"
#include "target-i386/paging.h"
#include "target-i386/print.h"
#include "target-i386/smm.h"
#include "target-i386/state.h"
#include "target-i386/trace.h"
#include "target-i386/translate.h"

/* What PAUSE takes in counted time: some hundred cycles. A CPU that waits for time to pass, or
 * another, looks as often as it would on a board. */
#define PAUSE_NS 100

/* ---- Reset ---------------------------------------------------------------------------------- */

static void reset_segments(CpuX86 *c)
{
    for (unsigned i = 0; i < SEG_COUNT; i++)
        c->segs[i] = (Segment){ .limit = 0xffff, .attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_A };
    c->segs[SEG_CS] = (Segment){ .selector = 0xf000,
                                 .base = 0xffff0000,
                                 .limit = 0xffff,
                                 .attr = ATTR_P | ATTR_S | ATTR_CODE | ATTR_RW | ATTR_A };
    c->ldt = (Segment){ .limit = 0xffff, .attr = ATTR_P | 2 << ATTR_TYPE_SHIFT };
    c->tr = (Segment){ .limit = 0xffff, .attr = ATTR_P | 11 << ATTR_TYPE_SHIFT };
    c->gdt = c->idt = (DescTable){ .limit = 0xffff };
}

/* What INIT leaves alone. */
static void reset_at_power_on(CpuX86 *c)
{
    c->cr0 = CR0_CD | CR0_NW;
    c->fcw = 0x40;
    c->fsw = 0;
    c->fpstt = 0;
    c->fptags = 0;
    memset(c->fpregs, 0, sizeof(c->fpregs));
    memset(c->xmm, 0, sizeof(c->xmm));
    c->fop = c->fcs = c->fds = 0;
    c->fip = c->fdp = 0;
    c->mxcsr = 0x1f80;
    c->xcr0 = 1;
    c->pkru = 0;
    c->xss = 0;
    c->star = c->lstar = c->cstar = c->sfmask = c->kernel_gs_base = c->tsc_aux = 0;
    c->sysenter_cs = c->sysenter_esp = c->sysenter_eip = 0;
    c->tsc_offset = -clock_ns_to_ticks(cpu_clock_ns(&c->cpu), c->tsc_hz);
    c->tsc_adjust = c->tsc_deadline = 0;
    c->pat = 0x0007040600070406ull;
    c->misc_enable = MISC_ENABLE_FAST_STRINGS;
    if (x86_words_have(c->features, CPUID_1_ECX, CPUID_MONITOR))
        c->misc_enable |= MISC_ENABLE_MONITOR;
    c->debugctl = c->spec_ctrl = c->hwcr = 0;
    c->smbase = 0x30000;
    c->mtrr_def = 0;
    memset(c->mtrr_fixed, 0, sizeof(c->mtrr_fixed));
    memset(c->mtrr_phys, 0, sizeof(c->mtrr_phys));
    c->mcg_status = 0;
    c->mcg_ctl = UINT64_MAX;
    memset(c->mce_banks, 0, sizeof(c->mce_banks));
    for (unsigned i = 0; i < X86_MCE_BANKS; i++)
        c->mce_banks[4 * i] = UINT64_MAX;
    c->a20 = true;
    c->ferr = c->ignne = false;
    c->cpu.interrupt_request = 0;
    c->in_smm = c->smm_nmi_blocked = false;
    c->smi_count = 0;
    c->smi_io.trap = 0;
    c->sipi_vector = 0;
}

void x86_cpu_reset(CpuX86 *c, bool init)
{
    if (cpu_tells(&c->common, MIMUS_CPU_RESET)) {
        MimusEvent e = { .kind = MIMUS_CPU_RESET };
        cpu_tell(&c->cpu, &e);
    }
    if (!init)
        reset_at_power_on(c);
    x86_cpuid_forget(c);
    memset(c->regs, 0, sizeof(c->regs));
    c->regs[R_RDX] = x86_cpuid_signature(c->model);
    flags_set_packed(&c->cpu.cc, 0);
    c->eflags = 2;
    c->cpu.pc = 0xfff0;
    reset_segments(c);
    c->cr0 = (c->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
    c->cr2 = c->cr3 = c->cr4 = c->efer = 0;
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = 0x400;
    c->nmi_blocked = c->x87_slow = c->debug_step = false;
    c->inhibit = c->debug_hits = c->step = 0;
    c->rf_count = 0;
    c->common.exception_pending = false;
    c->common.faults = 0;
    c->exception_is_soft = c->delivery_ext = false;
    c->exception = 0;
    c->error_code = 0;
    c->exception_next_pc = c->fault_addr = 0;
    c->old_exception = -1;
    c->common.halted = c->sipi_wait = !c->bsp;
    c->mwait = c->mwait_masked = false;
    c->common.monitor = 0;
    x86_smm_view_changed(c);
    cpu_tlb_set_asid(&c->cpu, 0);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
}

/* ---- Its Device ----------------------------------------------------------------------------- */

typedef struct CpuDevice {
    Device dev;
    CpuX86 *cpu; /* the engine's */
    X86CpuSpec spec;
} CpuDevice;

static bool realize(Device *dev, GError **error)
{
    CpuDevice *d = (CpuDevice *)dev;
    CpuX86 *c = d->cpu;

    c->spec = &d->spec;
    c->model = &d->spec.model;
    memcpy(c->features, d->spec.model.features, sizeof(d->spec.model.features));
    c->host_x87 = d->spec.engine & TCG_HAS_X87;
    c->phys_bits = d->spec.phys_bits;
    c->tsc_hz = d->spec.tsc_hz;
    c->random_seed = c->machine->config->seed;
    c->apic_id = x86_topology_apic_id(&d->spec.topology, c->common.index);
    c->bsp = c->common.index == 0;
    x86_cpu_reset(c, false);
    return true;
}

static void reset_enter(Device *dev)
{
    x86_cpu_reset(((CpuDevice *)dev)->cpu, false);
}

static void *state_of(Device *dev)
{
    CpuX86 *c = ((CpuDevice *)dev)->cpu;

    x86_canonical_state(c);
    return c;
}

static void post_load(Device *dev)
{
    CpuX86 *c = ((CpuDevice *)dev)->cpu;

    flags_set_packed(&c->cpu.cc, (uint32_t)c->cpu.cc.a);
    x86_smm_view_changed(c);
    cpu_monitor_again(&c->cpu);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
}

const DeviceClass x86_cpu_class = {
    .name = "x86_64-cpu",
    .desc = "x86 CPU; made by -smp",
    .size = sizeof(CpuDevice),
    .state = x86_state,
    .state_version = X86_STATE_VERSION,
    .realize = realize,
    .reset_enter = reset_enter,
    .post_load = post_load,
    .state_of = state_of,
};

/* ---- Wires from the board ------------------------------------------------------------------- */

static Cpu *bus_cpu(void *opaque, unsigned n)
{
    return accel_cpu(opaque, n);
}

static void bus_set_intr(void *opaque, unsigned n, int level)
{
    if (level)
        cpu_interrupt(bus_cpu(opaque, n), CPU_INT_HARD);
    else
        cpu_reset_interrupt(bus_cpu(opaque, n), CPU_INT_HARD);
}

static void bus_raise_nmi(void *opaque, unsigned n)
{
    cpu_interrupt(bus_cpu(opaque, n), CPU_INT_NMI);
}

static void bus_raise_smi(void *opaque, unsigned n)
{
    cpu_interrupt(bus_cpu(opaque, n), CPU_INT_SMI);
}

static void bus_raise_init(void *opaque, unsigned n)
{
    cpu_reset_interrupt(bus_cpu(opaque, n), CPU_INT_SIPI);
    /* A start-up message counts only if it comes after INIT; both may come before the CPU's turn.
     */
    cpu_reset_interrupt(bus_cpu(opaque, n), CPU_INT_SIPI);
    cpu_interrupt(bus_cpu(opaque, n), CPU_INT_INIT);
}

static void bus_raise_sipi(void *opaque, unsigned n, uint8_t vector)
{
    x86(bus_cpu(opaque, n))->sipi_vector = vector;
    cpu_interrupt(bus_cpu(opaque, n), CPU_INT_SIPI);
}

static void bus_set_a20(void *opaque, int level)
{
    for (unsigned n = 0; n < accel_cpu_count(opaque); n++) {
        CpuX86 *c = x86(bus_cpu(opaque, n));

        if (c->a20 == !!level)
            continue;
        c->a20 = level;
        cpu_tlb_flush_all(&c->cpu);
    }
}

static void bus_set_ignne(void *opaque, int level)
{
    for (unsigned n = 0; n < accel_cpu_count(opaque); n++)
        x86(bus_cpu(opaque, n))->ignne = level;
}

static uint32_t bus_apic_id(void *opaque, unsigned n)
{
    return x86(bus_cpu(opaque, n))->apic_id;
}

static bool bus_is_present(void *opaque, unsigned n)
{
    return !cpu_common(bus_cpu(opaque, n))->absent;
}

/* One that leaves in the middle of its turn ends it; what it was is forgotten when it comes again.
 * The time stamp counters of all CPUs began together, as they would on a board with one clock. */
static void bus_set_present(void *opaque, unsigned n, bool present)
{
    CpuX86 *c = x86(bus_cpu(opaque, n)), *first = x86(bus_cpu(opaque, 0));

    c->common.absent = !present;
    if (present) {
        x86_cpu_reset(c, false);
        c->tsc_offset = first->tsc_offset - first->tsc_adjust;
        c->a20 = first->a20;
    } else if (accel_current_cpu(opaque) == &c->cpu) {
        cpu_kick(&c->cpu);
    }
}

static CpuPlace bus_place(void *opaque, unsigned n)
{
    const X86Topology *t = &x86(bus_cpu(opaque, n))->spec->topology;

    return (CpuPlace){ .socket = n / t->threads / t->cores,
                       .core = n / t->threads % t->cores,
                       .thread = n % t->threads };
}

static unsigned bus_current(void *opaque)
{
    return cpu_common(accel_current_cpu(opaque))->index;
}

static bool bus_get_regs(void *opaque, CpuRegs *r)
{
    const uint64_t *regs = x86(accel_current_cpu(opaque))->regs;

    *r = (CpuRegs){ regs[R_RAX], regs[R_RBX], regs[R_RCX], regs[R_RDX] };
    return accel_is_running(opaque);
}

static void bus_set_regs(void *opaque, const CpuRegs *r)
{
    uint64_t *regs = x86(accel_current_cpu(opaque))->regs;

    regs[R_RAX] = r->eax;
    regs[R_RBX] = r->ebx;
    regs[R_RCX] = r->ecx;
    regs[R_RDX] = r->edx;
}

/* ---- Creation ------------------------------------------------------------------------------- */

#define MAX_APIC_ID 254 /* 255 is broadcast */

static bool plan_topology(const MachineConfig *config, X86Topology *t, GError **error)
{
    unsigned max = config->max_cpus ? config->max_cpus : config->cpus;

    *t = (X86Topology){ .sockets = config->sockets,
                        .cores = config->cores,
                        .threads = config->threads };
    if (!t->threads)
        t->threads = 1;
    if (!t->cores)
        t->cores = t->sockets ? MAX(max / (t->sockets * t->threads), 1) : MAX(max / t->threads, 1);
    if (!t->sockets)
        t->sockets = MAX(max / (t->cores * t->threads), 1);
    if ((uint64_t)t->sockets * t->cores * t->threads != max || config->cpus > max ||
        (!config->cpus && !machine_is_empty(config))) {
        error_set(error,
                  "Invalid CPU topology: sockets (%u) * cores (%u) * threads (%u) must be "
                  "maxcpus (%u), and cpus (%u) not more",
                  t->sockets, t->cores, t->threads, max, config->cpus);
        return false;
    }
    if (x86_topology_apic_id(t, max - 1) > MAX_APIC_ID) {
        error_set(error, "CPU %u would have APIC id %u; the limit is %u", max - 1,
                  x86_topology_apic_id(t, max - 1), MAX_APIC_ID);
        return false;
    }
    return true;
}

static bool create_cpu(Machine *m, Accel *accel, const X86CpuSpec *spec, unsigned index,
                       GError **error)
{
    g_autofree char *id = g_strdup_printf("cpu%u", index);
    CpuDevice *d = (CpuDevice *)device_new(&x86_cpu_class, m->root, id);

    d->cpu = x86(accel_add_cpu(accel, index));
    d->spec = *spec;
    d->cpu->machine = m;
    d->cpu->device = &d->dev;
    d->cpu->common.absent = index >= m->config->cpus;
    return device_realize(&d->dev, error);
}

static void name_model(CpuBus *bus, const char *option)
{
    g_strlcpy(bus->model, option ? option : "qemu64", sizeof(bus->model));
    bus->model[strcspn(bus->model, ",")] = '\0';
}

bool x86_cpus_create(Machine *m, struct Accel *accel, CpuBus *bus, GError **error)
{
    g_autoptr(GPtrArray) warnings = g_ptr_array_new_with_free_func(g_free);
    X86CpuSpec spec = { .engine = accel_features(accel) };
    bool ok = x86_spec_parse(&spec, m->config->cpu_model, warnings, error);

    for (unsigned i = 0; i < warnings->len; i++)
        g_printerr("mimus: warning: %s\n", (char *)warnings->pdata[i]);
    if (!ok || !plan_topology(m->config, &spec.topology, error))
        return false;
    *bus = (CpuBus){
        .count = MAX(m->config->max_cpus, m->config->cpus),
        .set_intr = bus_set_intr,
        .raise_nmi = bus_raise_nmi,
        .raise_smi = bus_raise_smi,
        .raise_init = bus_raise_init,
        .raise_sipi = bus_raise_sipi,
        .set_a20 = bus_set_a20,
        .set_ignne = bus_set_ignne,
        .apic_id = bus_apic_id,
        .is_present = bus_is_present,
        .set_present = bus_set_present,
        .place = bus_place,
        .current = bus_current,
        .get_regs = bus_get_regs,
        .set_regs = bus_set_regs,
        .opaque = accel,
    };
    bus->x2apic = x86_words_have(spec.model.features, CPUID_1_ECX, CPUID_X2APIC);
    name_model(bus, m->config->cpu_model);
    for (unsigned i = 0; i < bus->count; i++)
        if (!create_cpu(m, accel, &spec, i, error))
            return false;
    return true;
}

/* ---- CpuOps --------------------------------------------------------------------------------- */

static void get_context(Cpu *cpu, CpuContext *out)
{
    CpuX86 *c = x86(cpu);

    c->rf_loaded = false;
    if (!(c->mode & X86_MODE_CS64) && cpu->pc > c->segs[SEG_CS].limit)
        x86_raise_error(c, EXCP_GP, 0);
    x86_context_at(c, cpu->pc, out);
    if (c->mode & X86_MODE_BREAKPOINTS)
        x86_debug_before(c, out->linear);
}

/* 16-bit code runs into its segment's limit rather than around it, so its pc is not cut to 16. */
static uint64_t wrap_pc(Cpu *cpu, uint64_t pc)
{
    return x86(cpu)->mode & X86_MODE_CS64 ? pc : (uint32_t)pc;
}

/* What lies over the end of 4 GiB is at their beginning, in compatibility mode as well. */
static uint64_t wrap_linear(Cpu *cpu, uint64_t linear)
{
    return linear == 1ull << 32 && !(x86(cpu)->mode & X86_MODE_CS64) ? 0 : linear;
}

/* Near jumps, calls and returns of 64-bit code to addresses that are not canonical: #GP(0) at the
 * branch. Blocks are only found where they are. A call's return address has been written by now. */
static void check_jump(Cpu *cpu, uint64_t from, uint32_t reason)
{
    CpuX86 *c = x86(cpu);

    if (x86_is_canonical(c, cpu->pc))
        return;
    cpu->pc = from;
    cpu->budget++;
    c->regs[R_RSP] += (uint64_t)X86_JUMP_PUSHED(reason);
    x86_raise(c, EXCP_GP);
}

static void exit_reason(Cpu *cpu, uint32_t reason)
{
    CpuX86 *c = x86(cpu);
    unsigned step = c->step;

    if (cpu_tells(&c->common, MIMUS_HALT) &&
        (reason == X86_EXIT_HALT || reason == X86_EXIT_MWAIT)) {
        MimusEvent e = { .kind = MIMUS_HALT };
        cpu_tell(&c->cpu, &e);
    }
    c->step = 0;
    switch (reason) {
    case X86_EXIT_HALT:
        c->common.halted = true;
        c->mwait = false;
        break;
    case X86_EXIT_MWAIT: c->common.halted = c->mwait = c->common.monitor != 0; break;
    case X86_EXIT_X87_REDO:
    case X86_EXIT_X87_UNDO1:
    case X86_EXIT_X87_UNDO2: x87_undo(c, reason); G_GNUC_FALLTHROUGH;
    case X86_EXIT_X87_SLOW:
        c->x87_slow = true;
        x86_update_mode(c);
        return;
    case X86_EXIT_X87_TO_HOST: x87_to_host(c); return;
    case X86_EXIT_X87_FROM_HOST: return; /* it has left translated code, so it is */
    case X86_EXIT_DIRECTION:
        c->strings_down = c->eflags & EFL_DF;
        x86_update_mode(c);
        return;
    case X86_EXIT_PAUSE:
        cpu_pass_time(cpu, PAUSE_NS);
        cpu_kick(cpu);
        break;
    case X86_EXIT_SYNC: break;
    default: g_assert_not_reached();
    }
    c->x87_slow = false;
    if (step)
        x86_debug_after(c, step);
    /* The block may have changed mode bits itself (the interrupt shadow). */
    x86_update_mode(c);
    x86_settle_context(c);
}

static void reset(Cpu *cpu)
{
    x86_cpu_reset(x86(cpu), false);
}

const CpuOps x86_cpu_ops = {
    .name = "x86_64",
    .state_size = sizeof(CpuX86),
    .common_offset = offsetof(CpuX86, common),
    .near_tlb_offset = offsetof(CpuX86, near_tlb),
    .slots = x86_slots,
    .nslots = SLOT_COUNT,
    .helpers = x86_helpers,
    .nhelpers = HELP_COUNT,
    .mxcsr_offset = offsetof(CpuX86, mxcsr),
    .fcw_offset = offsetof(CpuX86, fcw),
    .fsw_offset = offsetof(CpuX86, fsw),
    .host_x87 = true,
    .x87_from_host = x87_from_host,
    .get_context = get_context,
    .wrap_pc = wrap_pc,
    .wrap_linear = wrap_linear,
    .walk = x86_walk,
    .quick_context = x86_quick_context,
    .walk_quick = x86_walk_quick,
    .raise_fault = x86_raise_fault,
    .misaligned = x86_misaligned,
    .watched = x86_debug_access,
    .trap = x86_raise_code,
    .translate = x86_translate,
    .tells_branches = true,
    .deliver_exception = x86_deliver_exception,
    .deliver_interrupt = x86_deliver_interrupt,
    .has_work = x86_has_work,
    .exit_reason = exit_reason,
    .check_jump = check_jump,
    .trace = &x86_trace_ops,
    .disas = x86_print_code,
    .reset = reset,
    .print_registers = x86_print_registers,
    .print_core = x86_print_core,
};
