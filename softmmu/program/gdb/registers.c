/* SPDX-License-Identifier: MIT */
/*
 * One row per register: name, how it looks, where it is. Features, types and the order of the
 * standard ones are those of GDB's own descriptions (org.gnu.gdb.i386.*); what they lack is in
 * org.mimus.i386.system. Read-only: descriptor tables, LDTR, TR, debug registers.
 */
#include "softmmu/program/gdb/registers.h"

#include <string.h>

#include "accel/debug.h"
#include "softmmu/bytes.h"
#include "target-i386/cpuid.h"
#include "target-i386/help-fp.h"
#include "target-i386/help-system.h"
#include "target-i386/segment.h"

#define MSR_EFER 0xc0000080

typedef enum RegKind {
    KIND_GPR,
    KIND_PC,
    KIND_EFLAGS,
    KIND_SELECTOR,
    KIND_ST,
    KIND_X87, /* index: in the order of X87_* */
    KIND_XMM,
    KIND_MXCSR,
    KIND_BASE,      /* of a segment */
    KIND_KERNEL_GS, /* its base */
    KIND_CR,
    KIND_EFER,
    KIND_DR,
    KIND_TABLE,          /* index: GDT, IDT bases; then their limits */
    KIND_SYSTEM_SEGMENT, /* index: LDTR, TR: selector, base, limit, attributes each */
    KIND_YMMH,
} RegKind;

enum { X87_FCW, X87_FSW, X87_FTW, X87_FCS, X87_FIP, X87_FDS, X87_FDP, X87_FOP };

typedef struct RegRow {
    char name[12];
    uint8_t bits;
    RegKind kind;
    uint8_t index;
} RegRow;

struct GdbRegisters {
    GArray *rows; /* RegRow */
    GString *xml;
    unsigned pc;
};

/* ---- The description ------------------------------------------------------------------------- */

static void add(GdbRegisters *r, const char *name, unsigned bits, const char *type, RegKind kind,
                unsigned index)
{
    RegRow row = { .bits = bits, .kind = kind, .index = index };

    g_strlcpy(row.name, name, sizeof(row.name));
    if (kind == KIND_PC)
        r->pc = r->rows->len;
    g_array_append_val(r->rows, row);
    g_string_append_printf(r->xml, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"%s/>\n", name, bits,
                           type,
                           kind == KIND_X87                         ? " group=\"float\""
                           : kind >= KIND_BASE && kind != KIND_YMMH ? " group=\"system\""
                                                                    : "");
}

static void begin(GdbRegisters *r, const char *feature)
{
    g_string_append_printf(r->xml, "<feature name=\"%s\">\n", feature);
}

static void end(GdbRegisters *r)
{
    g_string_append(r->xml, "</feature>\n");
}

typedef struct FlagName {
    const char *name;
    unsigned bit;
} FlagName;

static void add_flags_type(GdbRegisters *r, const char *id, unsigned bytes, const FlagName *f)
{
    g_string_append_printf(r->xml, "<flags id=\"%s\" size=\"%u\">\n", id, bytes);
    for (; f->name; f++)
        g_string_append_printf(r->xml, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>\n", f->name,
                               f->bit, f->bit);
    g_string_append(r->xml, "</flags>\n");
}

static const FlagName eflags_names[] = {
    { "CF", 0 },  { "", 1 },    { "PF", 2 },   { "AF", 4 },   { "ZF", 6 },  { "SF", 7 },
    { "TF", 8 },  { "IF", 9 },  { "DF", 10 },  { "OF", 11 },  { "NT", 14 }, { "RF", 16 },
    { "VM", 17 }, { "AC", 18 }, { "VIF", 19 }, { "VIP", 20 }, { "ID", 21 }, { NULL },
};
static const FlagName cr0_names[] = {
    { "PE", 0 },  { "MP", 1 },  { "EM", 2 },  { "TS", 3 },  { "ET", 4 },  { "NE", 5 },
    { "WP", 16 }, { "AM", 18 }, { "NW", 29 }, { "CD", 30 }, { "PG", 31 }, { NULL },
};
static const FlagName cr4_names[] = {
    { "VME", 0 },         { "PVI", 1 },   { "TSD", 2 },   { "DE", 3 },        { "PSE", 4 },
    { "PAE", 5 },         { "MCE", 6 },   { "PGE", 7 },   { "PCE", 8 },       { "OSFXSR", 9 },
    { "OSXMMEXCPT", 10 }, { "UMIP", 11 }, { "LA57", 12 }, { "FSGSBASE", 16 }, { "PCIDE", 17 },
    { "OSXSAVE", 18 },    { "SMEP", 20 }, { "SMAP", 21 }, { "PKE", 22 },      { NULL },
};
static const FlagName efer_names[] = {
    { "SCE", 0 }, { "LME", 8 }, { "LMA", 10 }, { "NXE", 11 }, { "FFXSR", 14 }, { NULL },
};
static const FlagName mxcsr_names[] = {
    { "IE", 0 },  { "DE", 1 },  { "ZE", 2 },  { "OE", 3 },  { "UE", 4 },
    { "PE", 5 },  { "DAZ", 6 }, { "IM", 7 },  { "DM", 8 },  { "ZM", 9 },
    { "OM", 10 }, { "UM", 11 }, { "PM", 12 }, { "FZ", 15 }, { NULL },
};

static void add_core(GdbRegisters *r, bool wide)
{
    /* GDB has the first two orders, for 64 and for 32 bits. */
    static const uint8_t order64[] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };
    static const char *const legacy[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
    static const struct {
        const char *name;
        unsigned seg;
    } segs[] = { { "cs", SEG_CS }, { "ss", SEG_SS }, { "ds", SEG_DS },
                 { "es", SEG_ES }, { "fs", SEG_FS }, { "gs", SEG_GS } };
    static const char *const x87[] = { "fctrl", "fstat", "ftag",  "fiseg",
                                       "fioff", "foseg", "fooff", "fop" };
    unsigned bits = wide ? 64 : 32;
    char name[8];

    begin(r, "org.gnu.gdb.i386.core");
    add_flags_type(r, "i386_eflags", 4, eflags_names);
    for (unsigned i = 0; i < (wide ? 16 : 8); i++) {
        unsigned n = wide ? order64[i] : i;

        if (n < 8)
            g_snprintf(name, sizeof(name), "%c%s", wide ? 'r' : 'e', legacy[n]);
        else
            g_snprintf(name, sizeof(name), "r%u", n);
        add(r, name, bits,
            n == R_RSP || n == R_RBP ? "data_ptr"
            : wide                   ? "int64"
                                     : "int32",
            KIND_GPR, n);
    }
    add(r, wide ? "rip" : "eip", bits, "code_ptr", KIND_PC, 0);
    add(r, "eflags", 32, "i386_eflags", KIND_EFLAGS, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(segs); i++)
        add(r, segs[i].name, 32, "int32", KIND_SELECTOR, segs[i].seg);
    for (unsigned i = 0; i < 8; i++) {
        g_snprintf(name, sizeof(name), "st%u", i);
        add(r, name, 80, "i387_ext", KIND_ST, i);
    }
    for (unsigned i = 0; i < 8; i++)
        add(r, x87[i], 32, "int", KIND_X87, i);
    end(r);
}

static void add_sse(GdbRegisters *r, bool wide)
{
    static const struct {
        const char *id, *type;
        unsigned count;
    } vectors[] = { { "v4f", "ieee_single", 4 }, { "v2d", "ieee_double", 2 },
                    { "v16i8", "int8", 16 },     { "v8i16", "int16", 8 },
                    { "v4i32", "int32", 4 },     { "v2i64", "int64", 2 } };
    static const char *const fields[] = { "v4_float", "v2_double", "v16_int8",
                                          "v8_int16", "v4_int32",  "v2_int64" };
    char name[8];

    begin(r, "org.gnu.gdb.i386.sse");
    for (unsigned i = 0; i < G_N_ELEMENTS(vectors); i++)
        g_string_append_printf(r->xml, "<vector id=\"%s\" type=\"%s\" count=\"%u\"/>\n",
                               vectors[i].id, vectors[i].type, vectors[i].count);
    g_string_append(r->xml, "<union id=\"vec128\">\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(fields); i++)
        g_string_append_printf(r->xml, "<field name=\"%s\" type=\"%s\"/>\n", fields[i],
                               vectors[i].id);
    g_string_append(r->xml, "<field name=\"uint128\" type=\"uint128\"/>\n</union>\n");
    add_flags_type(r, "i386_mxcsr", 4, mxcsr_names);
    for (unsigned i = 0; i < (wide ? 16 : 8); i++) {
        g_snprintf(name, sizeof(name), "xmm%u", i);
        add(r, name, 128, "vec128", KIND_XMM, i);
    }
    add(r, "mxcsr", 32, "i386_mxcsr", KIND_MXCSR, 0);
    end(r);
}

static void add_system(GdbRegisters *r, bool wide)
{
    static const char *const tables[] = { "gdtr_base", "idtr_base", "gdtr_limit", "idtr_limit" };
    static const char *const segment[] = { "ldtr", "ldtr_base", "ldtr_limit", "ldtr_attr",
                                           "tr",   "tr_base",   "tr_limit",   "tr_attr" };
    static const char *const bases[] = { "es_base", "cs_base", "ss_base", "ds_base" };
    const char *type = wide ? "int64" : "int32";
    unsigned bits = wide ? 64 : 32;
    char name[8];

    if (wide) {
        begin(r, "org.gnu.gdb.i386.segments");
        add(r, "fs_base", 64, "int", KIND_BASE, SEG_FS);
        add(r, "gs_base", 64, "int", KIND_BASE, SEG_GS);
        end(r);
    }
    begin(r, "org.mimus.i386.system");
    add_flags_type(r, "i386_cr0", wide ? 8 : 4, cr0_names);
    add_flags_type(r, "i386_cr4", wide ? 8 : 4, cr4_names);
    add_flags_type(r, "i386_efer", 8, efer_names);
    if (wide)
        add(r, "k_gs_base", 64, type, KIND_KERNEL_GS, 0);
    add(r, "cr0", bits, "i386_cr0", KIND_CR, 0);
    add(r, "cr2", bits, type, KIND_CR, 2);
    add(r, "cr3", bits, type, KIND_CR, 3);
    add(r, "cr4", bits, "i386_cr4", KIND_CR, 4);
    add(r, "cr8", bits, type, KIND_CR, 8);
    add(r, "efer", 64, "i386_efer", KIND_EFER, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(bases); i++)
        add(r, bases[i], bits, type, KIND_BASE, i);
    if (!wide) {
        add(r, "fs_base", 32, type, KIND_BASE, SEG_FS);
        add(r, "gs_base", 32, type, KIND_BASE, SEG_GS);
    }
    for (unsigned i = 0; i < 4; i++)
        add(r, tables[i], bits, type, KIND_TABLE, i);
    for (unsigned i = 0; i < 8; i++)
        add(r, segment[i], bits, type, KIND_SYSTEM_SEGMENT, i);
    for (unsigned i = 0; i < 8; i++) {
        if (i == 4 || i == 5)
            continue;
        g_snprintf(name, sizeof(name), "dr%u", i);
        add(r, name, bits, type, KIND_DR, i);
    }
    end(r);
}

static void add_avx(GdbRegisters *r, bool wide)
{
    char name[8];

    begin(r, "org.gnu.gdb.i386.avx");
    for (unsigned i = 0; i < (wide ? 16 : 8); i++) {
        g_snprintf(name, sizeof(name), "ymm%uh", i);
        add(r, name, 128, "uint128", KIND_YMMH, i);
    }
    end(r);
}

GdbRegisters *gdb_registers_new(const CpuX86 *c)
{
    GdbRegisters *r = g_new0(GdbRegisters, 1);
    bool wide = x86_words_have(c->features, CPUID_80000001_EDX, CPUID_LM);

    r->rows = g_array_new(FALSE, FALSE, sizeof(RegRow));
    r->xml = g_string_new("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
                          "<target version=\"1.0\">\n");
    g_string_append_printf(r->xml, "<architecture>%s</architecture>\n",
                           wide ? "i386:x86-64" : "i386");
    add_core(r, wide);
    if (x86_words_have(c->features, CPUID_1_EDX, CPUID_SSE))
        add_sse(r, wide);
    add_system(r, wide);
    if (x86_words_have(c->features, CPUID_1_ECX, CPUID_AVX))
        add_avx(r, wide);
    g_string_append(r->xml, "</target>\n");
    return r;
}

void gdb_registers_free(GdbRegisters *r)
{
    if (!r)
        return;
    g_array_unref(r->rows);
    g_string_free(r->xml, TRUE);
    g_free(r);
}

unsigned gdb_registers_count(const GdbRegisters *r)
{
    return r->rows->len;
}

unsigned gdb_registers_pc(const GdbRegisters *r)
{
    return r->pc;
}

const char *gdb_registers_xml(const GdbRegisters *r)
{
    return r->xml->str;
}

static const RegRow *row_of(const GdbRegisters *r, unsigned n)
{
    g_assert(n < r->rows->len);
    return &g_array_index(r->rows, RegRow, n);
}

unsigned gdb_register_size(const GdbRegisters *r, unsigned n)
{
    return row_of(r, n)->bits / 8;
}

/* ---- Values ---------------------------------------------------------------------------------- */

uint64_t gdb_linear_pc(const CpuX86 *c)
{
    return x86_is_64bit_code(c) ? c->cpu.pc : (uint32_t)(c->segs[SEG_CS].base + c->cpu.pc);
}

static uint64_t read_x87(const CpuX86 *c, unsigned index)
{
    switch (index) {
    case X87_FCW: return c->fcw;
    case X87_FSW: return x87_status_word(c);
    case X87_FTW: return x87_tag_word(c);
    case X87_FCS: return c->fcs;
    case X87_FIP: return c->fip;
    case X87_FDS: return c->fds;
    case X87_FDP: return c->fdp;
    default: return c->fop;
    }
}

static uint64_t read_cr(CpuX86 *c, unsigned n)
{
    switch (n) {
    case 0: return c->cr0;
    case 2: return c->cr2;
    case 3: return c->cr3;
    case 4: return c->cr4;
    default: return help_read_cr8(c);
    }
}

static uint64_t read_system_segment(const CpuX86 *c, unsigned index)
{
    const Segment *s = index < 4 ? &c->ldt : &c->tr;

    switch (index % 4) {
    case 0: return s->selector;
    case 1: return s->base;
    case 2: return s->limit;
    default: return s->attr;
    }
}

/* Those of up to 64 bits. */
static uint64_t read_value(CpuX86 *c, const RegRow *row)
{
    switch (row->kind) {
    case KIND_GPR:
        return x86_is_64bit_code(c) ? c->regs[row->index] : (uint32_t)c->regs[row->index];
    case KIND_PC: return gdb_linear_pc(c);
    case KIND_EFLAGS: return x86_get_eflags(c);
    case KIND_SELECTOR: return c->segs[row->index].selector;
    case KIND_X87: return read_x87(c, row->index);
    case KIND_MXCSR: return c->mxcsr;
    case KIND_BASE: return c->segs[row->index].base;
    case KIND_KERNEL_GS: return c->kernel_gs_base;
    case KIND_CR: return read_cr(c, row->index);
    case KIND_EFER: return c->efer;
    case KIND_DR: return c->dr[row->index];
    case KIND_TABLE: {
        const DescTable *t = row->index % 2 ? &c->idt : &c->gdt;
        return row->index < 2 ? t->base : t->limit;
    }
    case KIND_SYSTEM_SEGMENT: return read_system_segment(c, row->index);
    default: g_assert_not_reached();
    }
}

static void put_words(uint8_t *buf, const uint64_t *q)
{
    put_le(buf, 8, q[0]);
    put_le(buf + 8, 8, q[1]);
}

static void get_words(uint64_t *q, const uint8_t *buf)
{
    q[0] = get_le(buf, 8);
    q[1] = get_le(buf + 8, 8);
}

void gdb_register_read(const GdbRegisters *r, CpuX86 *c, unsigned n, uint8_t *buf)
{
    const RegRow *row = row_of(r, n);
    const X87Reg *st = &c->fpregs[x87_physical(c, row->index)];

    switch (row->kind) {
    case KIND_ST:
        put_le(buf, 8, st->frac);
        put_le(buf + 8, 2, st->se);
        break;
    case KIND_XMM: put_words(buf, &c->xmm[row->index].q[0]); break;
    case KIND_YMMH: put_words(buf, &c->xmm[row->index].q[2]); break;
    default: put_le(buf, row->bits / 8, read_value(c, row));
    }
}

static void write_x87(CpuX86 *c, unsigned index, uint64_t v)
{
    switch (index) {
    case X87_FCW:
        c->fcw = (v & 0x1f3f) | 0x40;
        x87_summarize(c);
        break;
    case X87_FSW: x87_set_status_word(c, v); break;
    case X87_FTW:
        c->fptags = 0;
        for (unsigned i = 0; i < 8; i++)
            c->fptags |= (uint8_t)(((v >> (2 * i) & 3) == 3) << i);
        break;
    case X87_FCS: c->fcs = v; break;
    case X87_FIP: c->fip = v; break;
    case X87_FDS: c->fds = v; break;
    case X87_FDP: c->fdp = v; break;
    default: c->fop = v & 0x7ff; break;
    }
    x86_update_mode(c);
}

/* As code that runs at the CPU's privilege could load it; CS only where that asks no descriptor. */
static bool write_selector(CpuX86 *c, unsigned seg, uint16_t selector)
{
    if (c->segs[seg].selector == selector)
        return true;
    if (!(c->cr0 & CR0_PE) || (c->eflags & EFL_VM)) {
        seg_set_real(c, seg, selector);
        return true;
    }
    if (seg == SEG_CS)
        return false;
    seg_load_protected(c, seg, selector, x86_cpl(c), false);
    return true;
}

static bool write_pc(CpuX86 *c, uint64_t v)
{
    if (!x86_is_64bit_code(c))
        v = (uint32_t)(v - c->segs[SEG_CS].base);
    c->cpu.pc = v;
    return true;
}

static bool write_value(CpuX86 *c, const RegRow *row, uint64_t v)
{
    const uint32_t flags =
        FLAGS_ARITH | EFL_TF | EFL_IF | EFL_DF | EFL_IOPL | EFL_NT | EFL_RF | EFL_AC | EFL_ID;

    switch (row->kind) {
    case KIND_GPR: c->regs[row->index] = x86_is_64bit_code(c) ? v : (uint32_t)v; return true;
    case KIND_PC: return write_pc(c, v);
    case KIND_EFLAGS: x86_set_eflags(c, v, flags); return true;
    case KIND_SELECTOR: return write_selector(c, row->index, v);
    case KIND_X87: write_x87(c, row->index, v); return true;
    case KIND_MXCSR:
        if (v >> 16)
            return false;
        c->mxcsr = v;
        x86_update_mode(c);
        return true;
    case KIND_BASE:
        c->segs[row->index].base = v;
        x86_update_mode(c);
        cpu_context_changed(&c->cpu);
        return true;
    case KIND_KERNEL_GS: c->kernel_gs_base = v; return true;
    case KIND_CR: help_write_cr(c, row->index, v); return true;
    case KIND_EFER: help_wrmsr(c, MSR_EFER, v); return true;
    default: return false;
    }
}

typedef struct Write {
    const RegRow *row;
    uint64_t value;
    bool done;
} Write;

static void try_write(Cpu *cpu, void *opaque)
{
    Write *w = opaque;

    w->done = write_value(x86(cpu), w->row, w->value);
}

bool gdb_register_write(const GdbRegisters *r, CpuX86 *c, unsigned n, const uint8_t *buf)
{
    Write w = { .row = row_of(r, n) };
    X87Reg *st = &c->fpregs[x87_physical(c, w.row->index)];

    switch (w.row->kind) {
    case KIND_ST:
        st->frac = get_le(buf, 8);
        st->se = get_le(buf + 8, 2);
        return true;
    case KIND_XMM: get_words(&c->xmm[w.row->index].q[0], buf); return true;
    case KIND_YMMH: get_words(&c->xmm[w.row->index].q[2], buf); return true;
    default: w.value = get_le(buf, w.row->bits / 8);
    }
    return debug_try(&c->cpu, try_write, &w) && w.done;
}
