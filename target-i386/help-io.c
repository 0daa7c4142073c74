/* SPDX-License-Identifier: MIT */
/*
 * IN, OUT, INS, OUTS and the protection of ports (Intel SDM vol. 1, chapter 18). INS and OUTS move
 * one element at a time with the registers always up to date, so that a fault finds them exact.
 */
#include "target-i386/help-io.h"

#include "accel/guest-mem.h"
#include "softmmu/trace.h"
#include "target-i386/debug.h"
#include "target-i386/help.h"
#include "target-i386/smm.h"

static void check_permission(CpuX86 *c, uint32_t port, uint32_t size)
{
    uint32_t at, bits;

    if (!(c->mode & X86_MODE_PE) || ((c->mode & X86_MODE_IOPL_OK) && !(c->mode & X86_MODE_VM86)))
        return;
    /* The map's offset, and the two bytes that hold the bits, must lie within a 32-bit TSS. */
    if (!((c->tr.attr >> ATTR_TYPE_SHIFT) & 8) || c->tr.limit < 103)
        x86_raise_error(c, EXCP_GP, 0);
    at = cpu_load(&c->cpu, c->tr.base + 102, 2, MMU_KERNEL) + port / 8;
    if (at + 1 > c->tr.limit)
        x86_raise_error(c, EXCP_GP, 0);
    bits = cpu_load(&c->cpu, c->tr.base + at, 2, MMU_KERNEL);
    if (bits >> (port % 8) & ((1u << size) - 1))
        x86_raise_error(c, EXCP_GP, 0);
}

/* An access to @port, told to an SMI that it raises. */
static uint32_t access_port(CpuX86 *c, uint16_t port, uint32_t size, uint32_t how, uint32_t value)
{
    bool asked = x86_smm_is_asked(c);

    if (how & SMM_IO_IN)
        value = cpu_device_load(&c->cpu, c->common.io, port, size);
    else
        cpu_device_store(&c->cpu, c->common.io, port, value, size);
    if (how & SMM_IO_IN)
        trace(cpu_in, "addr 0x%x(%c) value %u", port, " bw l"[size], value);
    else
        trace(cpu_out, "addr 0x%x(%c) value %u", port, " bw l"[size], value);
    cpu_pass_time(&c->cpu, DEVICE_NS);
    if (!asked && x86_smm_is_asked(c))
        x86_smm_note_io(c, how | size << SMM_IO_SIZE_SHIFT | (c->eflags & EFL_TF) << 3 |
                               (uint32_t)port << SMM_IO_PORT_SHIFT);
    return value;
}

uint32_t help_in(CpuX86 *c, uint32_t port, uint32_t size)
{
    check_permission(c, port & 0xffff, size);
    x86_debug_port(c, port & 0xffff, size);
    return access_port(c, (uint16_t)port, size, SMM_IO_IN, 0);
}

void help_out(CpuX86 *c, uint32_t port, uint32_t value, uint32_t size)
{
    check_permission(c, port & 0xffff, size);
    x86_debug_port(c, port & 0xffff, size);
    access_port(c, (uint16_t)port, size, 0, value);
}

enum { MAX_ELEMENTS = 256 }; /* of one call: interrupts wait no longer */

typedef struct StringIo {
    CpuX86 *c;
    uint64_t mask; /* of addresses */
    unsigned size;
    uint16_t port;
    unsigned seg, reg;
    bool out;
    uint32_t how; /* SMM_IO_* */
} StringIo;

static uint64_t reg_read(const StringIo *s, unsigned reg)
{
    return s->c->regs[reg] & s->mask;
}

static void reg_write(StringIo *s, unsigned reg, uint64_t v)
{
    uint64_t *r = &s->c->regs[reg];

    *r = s->mask == 0xffff ? (*r & ~0xffffull) | (v & 0xffff) : v & s->mask;
}

static void move_element(StringIo *s)
{
    CpuX86 *c = s->c;
    uint64_t ea = reg_read(s, s->reg);
    uint64_t addr = x86_segment_address(c, s->seg, ea, s->size, !s->out);
    unsigned mmu = x86_mmu(c);

    x86_check_alignment(c, addr, s->size);
    if (s->out) {
        uint64_t v = cpu_load(&c->cpu, addr, s->size, mmu);

        access_port(c, s->port, s->size, s->how, (uint32_t)v);
    } else {
        /* reading a port may change the device, so the store must be sure to succeed */
        cpu_probe(&c->cpu, addr, s->size, ACCESS_WRITE, mmu);
        cpu_store(&c->cpu, addr, access_port(c, s->port, s->size, s->how, 0), s->size, mmu);
    }
    reg_write(s, s->reg, c->eflags & EFL_DF ? ea - s->size : ea + s->size);
}

uint32_t help_string_io(CpuX86 *c, uint32_t how)
{
    IrType asize = (IrType)(how >> STRING_ASIZE_SHIFT & 15);
    bool out = how & STRING_IO_OUT, rep = how & STRING_IO_REP;
    StringIo s = { .c = c,
                   .mask = asize == I64   ? UINT64_MAX
                           : asize == I32 ? UINT32_MAX
                                          : 0xffff,
                   .size = 1u << (how >> STRING_SIZE_SHIFT & 3),
                   .port = (uint16_t)c->regs[R_RDX],
                   .seg = out ? how >> STRING_SEG_SHIFT & 7 : SEG_ES,
                   .reg = out ? R_RSI : R_RDI,
                   .out = out,
                   .how = SMM_IO_STRING | (rep ? SMM_IO_REP : 0) | (out ? 0 : SMM_IO_IN) };
    unsigned left = how & STRING_SINGLE ? 1 : MAX_ELEMENTS;

    check_permission(c, s.port, s.size);
    if (!rep || reg_read(&s, R_RCX))
        x86_debug_port(c, s.port, s.size);
    if (!rep) {
        move_element(&s);
        return 1;
    }
    for (; left && reg_read(&s, R_RCX); left--) {
        move_element(&s);
        reg_write(&s, R_RCX, reg_read(&s, R_RCX) - 1);
        if (c->smi_io.trap) /* it comes now */
            break;
    }
    return reg_read(&s, R_RCX) == 0;
}
