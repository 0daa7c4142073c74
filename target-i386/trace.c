/* SPDX-License-Identifier: MIT */
/* What plugins ask about an x86 CPU, and are told of it. */
#include "target-i386/trace.h"

#include <string.h>

#include "target-i386/disas.h"

static uint64_t code_base(Cpu *cpu)
{
    const CpuX86 *c = x86(cpu);

    return x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base;
}

static bool is_flat(uint32_t mode)
{
    return mode & X86_MODE_CS64;
}

static uint64_t address_space(Cpu *cpu)
{
    return x86(cpu)->cr3 & ~UINT64_C(0xfff);
}

static unsigned privilege(Cpu *cpu)
{
    return x86_cpl(x86(cpu));
}

static uint64_t swap_space(Cpu *cpu, uint64_t space)
{
    uint64_t was = x86(cpu)->cr3;

    x86(cpu)->cr3 = space;
    return was;
}

/* ---- Registers ------------------------------------------------------------------------------- */

/* clang-format off */
enum { AT_RIP = 16, AT_RFLAGS, AT_SEG, AT_BASE = AT_SEG + SEG_COUNT,
       AT_FIELD = AT_BASE + SEG_COUNT };
/* clang-format on */

/* Fields of CpuX86 that are registers as they stand: name, bytes, field. */
/* clang-format off */
#define FIELDS(ROW) \
    ROW("cr0", sizeof(((CpuX86 *)0)->cr0), cr0) \
    ROW("cr2", sizeof(((CpuX86 *)0)->cr2), cr2) \
    ROW("cr3", sizeof(((CpuX86 *)0)->cr3), cr3) \
    ROW("cr4", sizeof(((CpuX86 *)0)->cr4), cr4) \
    ROW("xcr0", sizeof(((CpuX86 *)0)->xcr0), xcr0) \
    ROW("efer", sizeof(((CpuX86 *)0)->efer), efer) \
    ROW("star", sizeof(((CpuX86 *)0)->star), star) \
    ROW("lstar", sizeof(((CpuX86 *)0)->lstar), lstar) \
    ROW("cstar", sizeof(((CpuX86 *)0)->cstar), cstar) \
    ROW("sfmask", sizeof(((CpuX86 *)0)->sfmask), sfmask) \
    ROW("kernel_gs_base", sizeof(((CpuX86 *)0)->kernel_gs_base), kernel_gs_base) \
    ROW("tsc_aux", sizeof(((CpuX86 *)0)->tsc_aux), tsc_aux) \
    ROW("sysenter_cs", sizeof(((CpuX86 *)0)->sysenter_cs), sysenter_cs) \
    ROW("sysenter_esp", sizeof(((CpuX86 *)0)->sysenter_esp), sysenter_esp) \
    ROW("sysenter_eip", sizeof(((CpuX86 *)0)->sysenter_eip), sysenter_eip) \
    ROW("dr0", sizeof(((CpuX86 *)0)->dr[0]), dr[0]) \
    ROW("dr1", sizeof(((CpuX86 *)0)->dr[1]), dr[1]) \
    ROW("dr2", sizeof(((CpuX86 *)0)->dr[2]), dr[2]) \
    ROW("dr3", sizeof(((CpuX86 *)0)->dr[3]), dr[3]) \
    ROW("dr6", sizeof(((CpuX86 *)0)->dr[6]), dr[6]) \
    ROW("dr7", sizeof(((CpuX86 *)0)->dr[7]), dr[7]) \
    ROW("gdt_base", sizeof(((CpuX86 *)0)->gdt.base), gdt.base) \
    ROW("idt_base", sizeof(((CpuX86 *)0)->idt.base), idt.base) \
    ROW("ldt_base", sizeof(((CpuX86 *)0)->ldt.base), ldt.base) \
    ROW("tr_base", sizeof(((CpuX86 *)0)->tr.base), tr.base) \
    ROW("pkru", sizeof(((CpuX86 *)0)->pkru), pkru) \
    ROW("fcw", sizeof(((CpuX86 *)0)->fcw), fcw) \
    ROW("fsw", sizeof(((CpuX86 *)0)->fsw), fsw) \
    ROW("mxcsr", sizeof(((CpuX86 *)0)->mxcsr), mxcsr) \
    ROW("xmm0", 16, xmm[0]) ROW("ymm0", 32, xmm[0]) \
    ROW("xmm1", 16, xmm[1]) ROW("ymm1", 32, xmm[1]) \
    ROW("xmm2", 16, xmm[2]) ROW("ymm2", 32, xmm[2]) \
    ROW("xmm3", 16, xmm[3]) ROW("ymm3", 32, xmm[3]) \
    ROW("xmm4", 16, xmm[4]) ROW("ymm4", 32, xmm[4]) \
    ROW("xmm5", 16, xmm[5]) ROW("ymm5", 32, xmm[5]) \
    ROW("xmm6", 16, xmm[6]) ROW("ymm6", 32, xmm[6]) \
    ROW("xmm7", 16, xmm[7]) ROW("ymm7", 32, xmm[7]) \
    ROW("xmm8", 16, xmm[8]) ROW("ymm8", 32, xmm[8]) \
    ROW("xmm9", 16, xmm[9]) ROW("ymm9", 32, xmm[9]) \
    ROW("xmm10", 16, xmm[10]) ROW("ymm10", 32, xmm[10]) \
    ROW("xmm11", 16, xmm[11]) ROW("ymm11", 32, xmm[11]) \
    ROW("xmm12", 16, xmm[12]) ROW("ymm12", 32, xmm[12]) \
    ROW("xmm13", 16, xmm[13]) ROW("ymm13", 32, xmm[13]) \
    ROW("xmm14", 16, xmm[14]) ROW("ymm14", 32, xmm[14]) \
    ROW("xmm15", 16, xmm[15]) ROW("ymm15", 32, xmm[15]) \
    ROW("fpr0", 10, fpregs[0]) \
    ROW("fpr1", 10, fpregs[1]) \
    ROW("fpr2", 10, fpregs[2]) \
    ROW("fpr3", 10, fpregs[3]) \
    ROW("fpr4", 10, fpregs[4]) \
    ROW("fpr5", 10, fpregs[5]) \
    ROW("fpr6", 10, fpregs[6]) \
    ROW("fpr7", 10, fpregs[7])

#define ROW_OFFSET(name, bytes, field) offsetof(CpuX86, field),
static const uint32_t field_offset[] = { FIELDS(ROW_OFFSET) };


#define ROW_NAME(name, bytes, field) { name, bytes },
static const CpuRegister registers[] = {
    { "rax", 8 }, { "rcx", 8 }, { "rdx", 8 }, { "rbx", 8 }, { "rsp", 8 }, { "rbp", 8 },
    { "rsi", 8 }, { "rdi", 8 }, { "r8", 8 }, { "r9", 8 }, { "r10", 8 }, { "r11", 8 },
    { "r12", 8 }, { "r13", 8 }, { "r14", 8 }, { "r15", 8 }, { "rip", 8 }, { "rflags", 8 },
    [AT_SEG + SEG_ES] = { "es", 2 }, [AT_SEG + SEG_CS] = { "cs", 2 },
    [AT_SEG + SEG_SS] = { "ss", 2 }, [AT_SEG + SEG_DS] = { "ds", 2 },
    [AT_SEG + SEG_FS] = { "fs", 2 }, [AT_SEG + SEG_GS] = { "gs", 2 },
    [AT_BASE + SEG_ES] = { "es_base", 8 }, [AT_BASE + SEG_CS] = { "cs_base", 8 },
    [AT_BASE + SEG_SS] = { "ss_base", 8 }, [AT_BASE + SEG_DS] = { "ds_base", 8 },
    [AT_BASE + SEG_FS] = { "fs_base", 8 }, [AT_BASE + SEG_GS] = { "gs_base", 8 },
    FIELDS(ROW_NAME)
};
/* clang-format on */

static void read_field(const void *field, unsigned bytes, uint64_t *word)
{
    switch (bytes) {
    case 2: word[0] = *(const uint16_t *)field; break;
    case 4: word[0] = *(const uint32_t *)field; break;
    case 10:
        word[0] = ((const X87Reg *)field)->frac;
        word[1] = ((const X87Reg *)field)->se;
        break;
    default: memcpy(word, field, bytes);
    }
}

static void read_register(Cpu *cpu, unsigned reg, uint64_t *word)
{
    CpuX86 *c = x86(cpu);

    if (reg >= AT_FIELD)
        read_field((const char *)c + field_offset[reg - AT_FIELD], registers[reg].bytes, word);
    else
        word[0] = reg < AT_RIP    ? c->regs[reg]
                  : reg == AT_RIP ? cpu->pc
                  : reg < AT_SEG  ? x86_get_eflags(c)
                  : reg < AT_BASE ? c->segs[reg - AT_SEG].selector
                                  : c->segs[reg - AT_BASE].base;
}

static bool write_register(Cpu *cpu, unsigned reg, uint64_t value)
{
    CpuX86 *c = x86(cpu);

    if (reg < AT_RIP)
        c->regs[reg] = value;
    else if (reg == AT_RFLAGS)
        x86_set_eflags(c, (uint32_t)value, FLAGS_ARITH);
    else
        return false;
    return true;
}

/* ---- Events ---------------------------------------------------------------------------------- */

uint64_t x86_linear_pc(const CpuX86 *c)
{
    return c->cpu.pc + (x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base);
}

void x86_tell_transfer(CpuX86 *c, MimusEventKind kind, uint64_t from, uint8_t vector)
{
    MimusEvent e = { .kind = kind, .pc = from };

    e.trap.from = from;
    e.trap.to = x86_linear_pc(c);
    e.trap.vector = vector;
    cpu_tell(&c->cpu, &e);
}

void x86_tell_space(CpuX86 *c, uint64_t from)
{
    MimusEvent e = { .kind = MIMUS_SPACE };

    e.space.from = from;
    e.space.to = c->cr3;
    cpu_tell(&c->cpu, &e);
}

void x86_tell_privilege(CpuX86 *c, unsigned from)
{
    MimusEvent e = { .kind = MIMUS_PRIVILEGE };

    e.privilege.from = (uint8_t)from;
    e.privilege.to = (uint8_t)x86_cpl(c);
    cpu_tell(&c->cpu, &e);
}

const CpuTraceOps x86_trace_ops = {
    .code_base = code_base,
    .is_flat = is_flat,
    .address_space = address_space,
    .privilege = privilege,
    .registers = registers,
    .nregisters = G_N_ELEMENTS(registers),
    .pc_register = AT_RIP,
    .read_register = read_register,
    .write_register = write_register,
    .swap_space = swap_space,
    .decode_insn = x86_decode_insn,
    .print_insn = x86_print_insn,
};
