/* SPDX-License-Identifier: MIT */
/*
 * The register dump of `info registers` and -d cpu, int. Scripts parse it, so the layout is QEMU's.
 */
#include "target-i386/print.h"

#include <inttypes.h>

static void print_gprs(CpuX86 *c, GString *out)
{
    static const char *const names[] = { "AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP" };
    static const uint8_t order[] = { R_RAX, R_RBX, R_RCX, R_RDX, R_RSI, R_RDI, R_RBP, R_RSP };
    bool wide = x86_is_64bit_code(c);

    for (unsigned i = 0; i < 8; i++) {
        char end = i % 4 == 3 ? '\n' : ' ';

        if (wide)
            g_string_append_printf(out, "R%s=%016" PRIx64 "%c", names[i], c->regs[order[i]], end);
        else
            g_string_append_printf(out, "E%s=%08x%c", names[i], (uint32_t)c->regs[order[i]], end);
    }
    for (unsigned i = 8; wide && i < 16; i++)
        g_string_append_printf(out, "R%-2u=%016" PRIx64 "%c", i, c->regs[i],
                               i % 4 == 3 ? '\n' : ' ');
}

static void print_pc(CpuX86 *c, GString *out)
{
    static const struct {
        uint32_t bit;
        char name;
    } flags[] = { { EFL_DF, 'D' },  { FLAG_OF, 'O' }, { FLAG_SF, 'S' }, { FLAG_ZF, 'Z' },
                  { FLAG_AF, 'A' }, { FLAG_PF, 'P' }, { FLAG_CF, 'C' } };
    uint32_t eflags = x86_get_eflags(c);

    if (x86_is_64bit_code(c))
        g_string_append_printf(out, "RIP=%016" PRIx64 " RFL=%08x [", c->cpu.pc, eflags);
    else
        g_string_append_printf(out, "EIP=%08x EFL=%08x [", (uint32_t)c->cpu.pc, eflags);
    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++)
        g_string_append_c(out, eflags & flags[i].bit ? flags[i].name : '-');
    g_string_append_printf(out, "] CPL=%u II=%d A20=%d SMM=%d HLT=%d\n", x86_cpl(c), c->inhibit,
                           c->a20, c->in_smm, c->common.halted);
}

/* "DPL=0 CS64 [-RA]": what the attributes mean. */
static void print_attributes(CpuX86 *c, const Segment *s, GString *out)
{
    static const char *const system[2][16] = {
        { "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16",
          "TrapGate16", "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved",
          "IntGate32", "TrapGate32" },
        { "<hiword>", "Reserved", "LDT", "Reserved", "Reserved", "Reserved", "Reserved", "Reserved",
          "Reserved", "TSS64-avl", "Reserved", "TSS64-busy", "CallGate64", "Reserved", "IntGate64",
          "TrapGate64" },
    };
    uint32_t a = s->attr;

    if (!(c->cr0 & CR0_PE) || !(a & ATTR_P))
        return;
    g_string_append_printf(out, " DPL=%u ", (a >> ATTR_DPL_SHIFT) & 3);
    if (!(a & ATTR_S)) {
        g_string_append(out, system[!!(c->efer & EFER_LMA)][(a >> ATTR_TYPE_SHIFT) & 15]);
    } else if (a & ATTR_CODE) {
        g_string_append(out, a & ATTR_L ? "CS64" : a & ATTR_DB ? "CS32" : "CS16");
        g_string_append_printf(out, " [%c%c", a & ATTR_EC ? 'C' : '-', a & ATTR_RW ? 'R' : '-');
        g_string_append_printf(out, "%c]", a & ATTR_A ? 'A' : '-');
    } else {
        g_string_append(out, a & ATTR_DB || c->efer & EFER_LMA ? "DS  " : "DS16");
        g_string_append_printf(out, " [%c%c", a & ATTR_EC ? 'E' : '-', a & ATTR_RW ? 'W' : '-');
        g_string_append_printf(out, "%c]", a & ATTR_A ? 'A' : '-');
    }
}

static void print_segment(CpuX86 *c, const char *name, const Segment *s, GString *out)
{
    g_string_append_printf(out, "%-3s=%04x ", name, s->selector);
    if (x86_is_64bit_code(c))
        g_string_append_printf(out, "%016" PRIx64, s->base);
    else
        g_string_append_printf(out, "%08x", (uint32_t)s->base);
    g_string_append_printf(out, " %08x %08x", s->limit, s->attr);
    print_attributes(c, s, out);
    g_string_append_c(out, '\n');
}

static void print_control(CpuX86 *c, GString *out)
{
    const char *const names[] = { "GDT", "IDT" };
    const DescTable *const tables[] = { &c->gdt, &c->idt };
    bool wide = c->efer & EFER_LMA;
    int digits = wide ? 16 : 8;

    for (unsigned i = 0; i < 2; i++)
        g_string_append_printf(out, "%s=     %0*" PRIx64 " %08x\n", names[i],
                               x86_is_64bit_code(c) ? 16 : 8, tables[i]->base, tables[i]->limit);
    g_string_append_printf(out, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n",
                           (uint32_t)c->cr0, digits, c->cr2, digits, c->cr3, (uint32_t)c->cr4);
    for (unsigned i = 0; i < 4; i++)
        g_string_append_printf(out, "DR%u=%016" PRIx64 " ", i, c->dr[i]);
    g_string_append_printf(out, "\nDR6=%016" PRIx64 " DR7=%016" PRIx64 "\n", c->dr[6], c->dr[7]);
    g_string_append_printf(out, "EFER=%016" PRIx64 "\n", c->efer);
}

static void print_fpu(CpuX86 *c, GString *out)
{
    unsigned nxmm = x86_is_64bit_code(c) ? 16 : 8;

    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", c->fcw,
                           (c->fsw & ~(7 << 11)) | c->fpstt << 11, c->fpstt, (uint8_t)~c->fptags,
                           c->mxcsr);
    for (unsigned i = 0; i < 8; i++)
        g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%c", i, c->fpregs[i].frac,
                               c->fpregs[i].se, i % 2 ? '\n' : ' ');
    for (unsigned i = 0; i < nxmm; i++)
        g_string_append_printf(out, "XMM%02u=%016" PRIx64 " %016" PRIx64 "%c", i, c->xmm[i].q[1],
                               c->xmm[i].q[0], i % 2 ? '\n' : ' ');
}

void x86_print_core(Cpu *cpu, GString *out)
{
    static const char *const names[] = { "ES", "CS", "SS", "DS", "FS", "GS" };
    CpuX86 *c = x86(cpu);

    print_gprs(c, out);
    print_pc(c, out);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        print_segment(c, names[i], &c->segs[i], out);
    print_segment(c, "LDT", &c->ldt, out);
    print_segment(c, "TR", &c->tr, out);
    print_control(c, out);
}

void x86_print_registers(Cpu *cpu, GString *out)
{
    x86_print_core(cpu, out);
    print_fpu(x86(cpu), out);
}
