/* SPDX-License-Identifier: MIT */
/*
 * System management mode: SMI, the state-save area, RSM. Intel SDM vol. 3C, chapter 32; AMD APM
 * vol. 2, chapter 10.
 *
 * CPUs with long mode save by AMD's 64-bit map, others by the legacy map of 512 bytes, hidden
 * segment parts where P6 has them; firmware tells them apart by the revision. INIT, NMI and further
 * SMIs wait for RSM. Caches of translations do not outlive the change of view.
 *
 * An SMI that an access to a port raises comes right after that instruction, or iteration of it;
 * the save area has what repeats it, and RSM does if the handler asks for that.
 *
 * Missing: SMRAM by the CPU's own registers (TSEG of AMD, SMRR), the dual-monitor treatment.
 */
#include "target-i386/smm.h"

#include "target-i386/cpuid.h"
#include "target-i386/debug.h"
#include "target-i386/excp.h"
#include "target-i386/help-system.h"
#include "target-i386/paging.h"

enum {
    SMM_ENTRY = 0x8000, /* offset from SMBASE of the handler; offsets below count from there */
    REVISION_AT = 0x7efc,
    REVISION_LEGACY = 0x30000, /* bit 16: I/O instructions can be restarted, 17: SMBASE relocated */
    REVISION_LONG = 0x30064,
    IO_TRAP_LONG = 0x7ec0,
};

/* Places that the two maps have in common under other addresses. */
typedef struct SavePlaces {
    uint16_t eflags, eflags_size;
    uint16_t io_restart, halt_restart, flag_size;
    uint16_t io_pc, io_rcx, io_rsi, io_rdi, reg_size;
} SavePlaces;
static const SavePlaces long_places = { 0x7f70, 8,      0x7ec8, 0x7ec9, 1,
                                        0x7ea0, 0x7ea8, 0x7eb0, 0x7eb8, 8 };
static const SavePlaces legacy_places = { 0x7ff4, 4,      0x7f00, 0x7f02, 2,
                                          0x7f10, 0x7f08, 0x7f0c, 0x7f04, 4 };

typedef struct SaveField {
    uint16_t at;
    uint8_t size;       /* in the map */
    uint8_t field_size; /* in CpuX86 */
    size_t field;
} SaveField;

#define F(at_, size_, f)                                          \
    {                                                             \
        at_, size_, sizeof(((CpuX86 *)0)->f), offsetof(CpuX86, f) \
    }

/* clang-format off */
static const SaveField long_map[] = {
    F(0x7e60 + 4, 4, gdt.limit), F(0x7e60 + 8, 8, gdt.base),
    F(0x7e80 + 4, 4, idt.limit), F(0x7e80 + 8, 8, idt.base),
    F(0x7ed0, 8, efer),     F(0x7f00, 4, smbase),
    F(0x7f48, 8, cr4),      F(0x7f50, 8, cr3),      F(0x7f58, 8, cr0),
    F(0x7f60, 8, dr[7]),    F(0x7f68, 8, dr[6]),    F(0x7f78, 8, cpu.pc),
    F(0x7f80, 8, regs[15]), F(0x7f88, 8, regs[14]), F(0x7f90, 8, regs[13]), F(0x7f98, 8, regs[12]),
    F(0x7fa0, 8, regs[11]), F(0x7fa8, 8, regs[10]), F(0x7fb0, 8, regs[9]),  F(0x7fb8, 8, regs[8]),
    F(0x7fc0, 8, regs[R_RDI]), F(0x7fc8, 8, regs[R_RSI]), F(0x7fd0, 8, regs[R_RBP]),
    F(0x7fd8, 8, regs[R_RSP]), F(0x7fe0, 8, regs[R_RBX]), F(0x7fe8, 8, regs[R_RDX]),
    F(0x7ff0, 8, regs[R_RCX]), F(0x7ff8, 8, regs[R_RAX]),
};
static const SaveField legacy_map[] = {
    F(0x7ef8, 4, smbase),   F(0x7f14, 4, cr4),
    F(0x7f54, 4, idt.limit), F(0x7f58, 4, idt.base), F(0x7f70, 4, gdt.limit), F(0x7f74, 4, gdt.base),
    F(0x7fc8, 4, dr[7]),    F(0x7fcc, 4, dr[6]),
    F(0x7fd0, 4, regs[R_RAX]), F(0x7fd4, 4, regs[R_RCX]), F(0x7fd8, 4, regs[R_RDX]),
    F(0x7fdc, 4, regs[R_RBX]), F(0x7fe0, 4, regs[R_RSP]), F(0x7fe4, 4, regs[R_RBP]),
    F(0x7fe8, 4, regs[R_RSI]), F(0x7fec, 4, regs[R_RDI]),
    F(0x7ff0, 4, cpu.pc),   F(0x7ff8, 4, cr3),      F(0x7ffc, 4, cr0),
};

#define SEG(n, long_, hidden_, selector_) { offsetof(CpuX86, n), long_, hidden_, selector_ }
static const struct {
    size_t seg;
    uint16_t long_at;   /* selector, attributes >> 8, limit, base */
    uint16_t hidden_at; /* legacy: attributes, limit, base */
    uint16_t selector_at;
} save_segs[] = {
    SEG(segs[SEG_ES], 0x7e00, 0x7f84, 0x7fa8), SEG(segs[SEG_CS], 0x7e10, 0x7f90, 0x7fac),
    SEG(segs[SEG_SS], 0x7e20, 0x7f9c, 0x7fb0), SEG(segs[SEG_DS], 0x7e30, 0x7f2c, 0x7fb4),
    SEG(segs[SEG_FS], 0x7e40, 0x7f38, 0x7fb8), SEG(segs[SEG_GS], 0x7e50, 0x7f44, 0x7fbc),
    SEG(ldt,          0x7e70, 0x7f78, 0x7fc0), SEG(tr,           0x7e90, 0x7f5c, 0x7fc4),
};
/* clang-format on */

static bool has_long_map(const CpuX86 *c)
{
    return x86_words_have(c->features, CPUID_80000001_EDX, CPUID_LM);
}

static const SavePlaces *places_of(const CpuX86 *c)
{
    return has_long_map(c) ? &long_places : &legacy_places;
}

/* ---- What memory looks like ----------------------------------------------------------------- */

void x86_smm_view_changed(CpuX86 *c)
{
    const Machine *m = c->machine;

    if (m)
        c->common.memory = c->in_smm && m->smm_memory ? m->smm_memory : m->memory;
    cpu_tlb_flush_all(&c->cpu);
    x86_cpuid_forget(c);
}

static const FlatRange *range_at(AddressSpace *as, uint64_t phys)
{
    return as ? address_space_find(as, phys) : NULL;
}

void x86_smm_split_page(const CpuX86 *c, CpuAccess access, CpuPage *page)
{
    const Machine *m = c->machine;
    const FlatRange *code = range_at(m->smm_code, page->phys);
    const FlatRange *data = range_at(m->smm_memory, page->phys);

    if (!code || (data && code->region == data->region))
        return;
    if (access == ACCESS_EXEC) {
        page->prot &= PROT_X;
        page->space = m->smm_code;
    } else {
        page->prot &= ~PROT_X;
    }
}

/* ---- The save area -------------------------------------------------------------------------- */

static uint64_t area_read(CpuX86 *c, unsigned at, unsigned size)
{
    return address_space_read(c->common.memory, (uint32_t)c->smbase + SMM_ENTRY + at, size);
}

static void area_write(CpuX86 *c, unsigned at, uint64_t value, unsigned size)
{
    address_space_write(c->common.memory, (uint32_t)c->smbase + SMM_ENTRY + at, value, size);
}

static uint64_t field_get(const CpuX86 *c, const SaveField *f)
{
    const char *at = (const char *)c + f->field;

    return f->field_size == 8 ? *(const uint64_t *)at : *(const uint32_t *)at;
}

static void field_set(CpuX86 *c, const SaveField *f, uint64_t value)
{
    char *at = (char *)c + f->field;

    if (f->field_size == 8)
        *(uint64_t *)at = value;
    else
        *(uint32_t *)at = (uint32_t)value;
}

static const SaveField *map_of(const CpuX86 *c, unsigned *count)
{
    *count = has_long_map(c) ? G_N_ELEMENTS(long_map) : G_N_ELEMENTS(legacy_map);
    return has_long_map(c) ? long_map : legacy_map;
}

static void save_segment(CpuX86 *c, unsigned n)
{
    const Segment *s = (const Segment *)((const char *)c + save_segs[n].seg);

    if (has_long_map(c)) {
        unsigned at = save_segs[n].long_at;

        area_write(c, at, s->selector, 2);
        area_write(c, at + 2, s->attr >> 8, 2);
        area_write(c, at + 4, s->limit, 4);
        area_write(c, at + 8, s->base, 8);
        return;
    }
    area_write(c, save_segs[n].selector_at, s->selector, 4);
    area_write(c, save_segs[n].hidden_at, s->attr, 4);
    area_write(c, save_segs[n].hidden_at + 4, s->limit, 4);
    area_write(c, save_segs[n].hidden_at + 8, s->base, 4);
}

static void load_segment(CpuX86 *c, unsigned n)
{
    const uint32_t attrs = 0x00f0ff00;
    Segment *s = (Segment *)((char *)c + save_segs[n].seg);

    if (has_long_map(c)) {
        unsigned at = save_segs[n].long_at;

        *s = (Segment){ .selector = area_read(c, at, 2),
                        .attr = area_read(c, at + 2, 2) << 8 & attrs,
                        .limit = area_read(c, at + 4, 4),
                        .base = area_read(c, at + 8, 8) };
        return;
    }
    *s = (Segment){ .selector = area_read(c, save_segs[n].selector_at, 2),
                    .attr = area_read(c, save_segs[n].hidden_at, 4) & attrs,
                    .limit = area_read(c, save_segs[n].hidden_at + 4, 4),
                    .base = area_read(c, save_segs[n].hidden_at + 8, 4) };
}

void x86_smm_note_io(CpuX86 *c, uint32_t trap)
{
    if (c->in_smm)
        return;
    c->smi_io.pc = cpu_running_pc(&c->cpu);
    c->smi_io.rcx = c->regs[R_RCX];
    c->smi_io.rsi = c->regs[R_RSI];
    c->smi_io.rdi = c->regs[R_RDI];
    c->smi_io.count = cpu_instruction_count(&c->cpu);
    c->smi_io.trap = trap | SMM_IO_VALID;
}

/* What repeats the access that the SMI came of; for others, what goes on as usual. */
static void save_io(CpuX86 *c)
{
    const SavePlaces *p = places_of(c);
    bool valid = c->smi_io.trap && cpu_charged_count(&c->cpu) == c->smi_io.count + 1;

    area_write(c, p->io_restart, 0, p->flag_size);
    area_write(c, p->io_pc, valid ? c->smi_io.pc : c->cpu.pc, p->reg_size);
    area_write(c, p->io_rcx, valid ? c->smi_io.rcx : c->regs[R_RCX], p->reg_size);
    area_write(c, p->io_rsi, valid ? c->smi_io.rsi : c->regs[R_RSI], p->reg_size);
    area_write(c, p->io_rdi, valid ? c->smi_io.rdi : c->regs[R_RDI], p->reg_size);
    if (has_long_map(c))
        area_write(c, IO_TRAP_LONG, valid ? c->smi_io.trap : 0, 4);
    c->smi_io.trap = 0;
}

static void restart_io(CpuX86 *c)
{
    const SavePlaces *p = places_of(c);

    c->cpu.pc = area_read(c, p->io_pc, p->reg_size);
    c->regs[R_RCX] = area_read(c, p->io_rcx, p->reg_size);
    c->regs[R_RSI] = area_read(c, p->io_rsi, p->reg_size);
    c->regs[R_RDI] = area_read(c, p->io_rdi, p->reg_size);
}

static void save_state(CpuX86 *c)
{
    bool is_long = has_long_map(c), halted = c->common.halted && !c->mwait;
    const SavePlaces *p = places_of(c);
    unsigned count;
    const SaveField *map = map_of(c, &count);

    for (unsigned i = 0; i < count; i++)
        area_write(c, map[i].at, field_get(c, &map[i]), map[i].size);
    for (unsigned i = 0; i < G_N_ELEMENTS(save_segs); i++)
        save_segment(c, i);
    area_write(c, p->eflags, x86_get_eflags(c), p->eflags_size);
    area_write(c, REVISION_AT, is_long ? REVISION_LONG : REVISION_LEGACY, 4);
    area_write(c, p->halt_restart, halted, p->flag_size);
    save_io(c);
}

/* ---- SMI ------------------------------------------------------------------------------------ */

static void set_entry_state(CpuX86 *c)
{
    const uint32_t attr = ATTR_P | ATTR_S | ATTR_RW | ATTR_A | ATTR_G;
    DebugWatch watch = x86_debug_watch(c);

    flags_set_packed(&c->cpu.cc, 0);
    c->eflags = 2;
    c->cpu.pc = SMM_ENTRY;
    for (unsigned i = 0; i < SEG_COUNT; i++)
        c->segs[i] = (Segment){ .limit = 0xffffffff, .attr = attr };
    c->segs[SEG_CS].selector = (uint16_t)(c->smbase >> 4);
    c->segs[SEG_CS].base = (uint32_t)c->smbase;
    c->cr0 &= ~(uint64_t)(CR0_PE | CR0_EM | CR0_TS | CR0_PG);
    c->cr4 = 0;
    c->efer = 0;
    c->dr[7] = 0x400;
    cpu_tlb_set_asid(&c->cpu, 0);
    x86_debug_changed(c, &watch);
}

void x86_smm_enter(CpuX86 *c)
{
    c->in_smm = true;
    c->smi_count++;
    x86_smm_view_changed(c);
    save_state(c);
    c->common.halted = c->mwait = false;
    c->common.monitor = 0;
    c->smm_nmi_blocked = c->nmi_blocked;
    c->nmi_blocked = true;
    set_entry_state(c);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
}

/* ---- RSM ------------------------------------------------------------------------------------ */

/* What the CPU refuses to continue with: it shuts down. */
static bool state_is_valid(const CpuX86 *c)
{
    bool pg = c->cr0 & CR0_PG, lma = c->efer & EFER_LMA;

    if (c->cr0 >> 32 || (pg && !(c->cr0 & CR0_PE)) || ((c->cr0 & CR0_NW) && !(c->cr0 & CR0_CD)))
        return false;
    if ((c->cr4 & ~x86_known_cr4(c)) || (c->efer & ~(x86_known_efer(c) | EFER_LMA)))
        return false;
    if (lma != (pg && (c->efer & EFER_LME)) || (lma && !(c->cr4 & CR4_PAE)) ||
        (!lma && (c->cr4 & CR4_PCIDE)))
        return false;
    return !lma || !(c->segs[SEG_CS].attr & ATTR_L) || x86_is_canonical(c, c->cpu.pc);
}

/* @halt: go back into HLT. */
static void load_state(CpuX86 *c, bool *halt)
{
    const uint32_t flags = FLAGS_ARITH | EFL_TF | EFL_IF | EFL_DF | EFL_IOPL | EFL_NT | EFL_RF |
                           EFL_VM | EFL_AC | EFL_VIF | EFL_VIP | EFL_ID;
    const SavePlaces *p = places_of(c);
    uint32_t eflags = (uint32_t)area_read(c, p->eflags, 4);
    uint64_t smbase = c->smbase;
    unsigned count;
    const SaveField *map = map_of(c, &count);

    *halt = area_read(c, p->halt_restart, 1) & 1;
    for (unsigned i = 0; i < G_N_ELEMENTS(save_segs); i++)
        load_segment(c, i);
    for (unsigned i = 0; i < count; i++) {
        uint64_t value = area_read(c, map[i].at, map[i].size);

        if (map[i].field == offsetof(CpuX86, smbase))
            smbase = value;
        else
            field_set(c, &map[i], value);
    }
    if (area_read(c, p->io_restart, 1) == 0xff)
        restart_io(c);
    c->smbase = smbase;
    c->cr0 |= CR0_ET;
    c->dr[6] = (uint32_t)c->dr[6];
    c->dr[7] = (uint32_t)c->dr[7];
    c->gdt.limit &= 0xffff;
    c->idt.limit &= 0xffff;
    x86_set_eflags(c, eflags, flags);
}

void help_rsm(CpuX86 *c)
{
    DebugWatch watch = x86_debug_watch(c);
    bool halt;

    load_state(c, &halt);
    c->in_smm = false;
    x86_smm_view_changed(c);
    c->nmi_blocked = c->smm_nmi_blocked;
    cpu_tlb_set_asid(&c->cpu, c->cr4 & CR4_PCIDE ? c->cr3 & 0xfff : 0);
    x86_debug_changed(c, &watch);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
    if (!state_is_valid(c) || !x86_reload_pdptes(c)) {
        x86_shutdown(c);
        return;
    }
    c->common.halted = halt;
    c->mwait = false;
    cpu_kick(&c->cpu);
}
