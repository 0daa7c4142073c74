/* SPDX-License-Identifier: MIT */
#include "toy.h"

#include <string.h>

#include "tcg/builder.h"

enum { SLOT_REG = 0, SLOT_TOY_VBASE = 8, SLOT_TOY_PC, TOY_SLOTS };
#define REG_SLOT(n)                                     \
    {                                                   \
        "r" #n, offsetof(ToyCpu, regs[n]), I64, 1 + (n) \
    }

static const IrSlot toy_slots[TOY_SLOTS] = {
    REG_SLOT(0),
    REG_SLOT(1),
    REG_SLOT(2),
    REG_SLOT(3),
    REG_SLOT(4),
    REG_SLOT(5),
    REG_SLOT(6),
    REG_SLOT(7),
    [SLOT_TOY_VBASE] = { "vbase", offsetof(Cpu, vbase), I64, 0 },
    [SLOT_TOY_PC] = { "pc", offsetof(Cpu, pc), I64, 0 },
};

static void toy_get_context(Cpu *cpu, CpuContext *out)
{
    *out = (CpuContext){ .pc = cpu->pc, .linear = cpu->pc };
}

static uint64_t toy_wrap_pc(Cpu *cpu, uint64_t pc)
{
    return pc;
}

static bool toy_walk(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu, bool probe,
                     CpuPage *out)
{
    ToyCpu *c = (ToyCpu *)cpu;
    uint64_t page = addr & ~0xfffull;

    c->walks++;
    c->fault_addr = addr;
    if (page == TOY_FAULT_PAGE || page >= TOY_RAM_SIZE)
        return false;
    *out = (CpuPage){ .phys = page == TOY_BANKED_PAGE ? 0x100000 + c->common.asid * 0x1000 : page,
                      .unit_size = 4096,
                      .prot = PROT_R | PROT_W | PROT_X,
                      .global = page != TOY_BANKED_PAGE };
    return true;
}

static G_NORETURN void toy_raise_fault(Cpu *cpu)
{
    ToyCpu *c = (ToyCpu *)cpu;

    cpu_sync_state(cpu);
    c->fault_pc = cpu->pc;
    c->fault_count = cpu_instruction_count(cpu);
    c->common.exception_pending = true;
    cpu_loop_exit(cpu);
}

static void toy_deliver_exception(Cpu *cpu)
{
    ToyCpu *c = (ToyCpu *)cpu;

    c->common.exception_pending = false;
    c->faults++;
    cpu->pc += 4; /* ST and LD */
}

static bool toy_deliver_interrupt(Cpu *cpu)
{
    ToyCpu *c = (ToyCpu *)cpu;

    if (cpu->interrupt_request & CPU_INT_HARD) {
        c->common.halted = false;
        c->regs[6] = c->irq_at[MIN(c->syncs, 3)] = cpu->pc;
        cpu->pc = c->irq_pc;
    }
    cpu_reset_interrupt(cpu, CPU_INT_HARD | CPU_INT_NMI);
    c->syncs++;
    return true;
}

static bool toy_has_work(Cpu *cpu)
{
    return cpu->interrupt_request != 0;
}

static void toy_exit_reason(Cpu *cpu, uint32_t reason)
{
    cpu_common(cpu)->halted = true;
}

static void toy_trap(void *env, uint32_t code)
{
    g_assert_not_reached();
}

static void toy_misaligned(Cpu *cpu, const SlowAccess *a)
{
}

static uint32_t get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

/* The immediate of an ADD, the byte at @at. */
static IrRef immediate(TranslateRequest *req, IrBlock *ir, uint32_t at)
{
    if (!req->checked || !(req->soft >> at & 1))
        return ir_const(ir, I64, (uint64_t)(int8_t)req->bytes[at]);
    req->was_soft |= 1ull << at;
    return ir_sext(ir, I64, ir_ld_host(ir, I8, req->bytes + at));
}

static void toy_translate(Cpu *cpu, TranslateRequest *req, IrBlock *ir)
{
    uint32_t base = req->unit_offset & ~0xfffu;
    uint32_t at = 0;
    bool ended = false;

    while (!ended && ir->ninsns < req->max_insns && (at == 0 || at + 4 <= req->avail)) {
        const uint8_t *p = req->bytes + at;
        uint32_t here = req->unit_offset + at;
        IrRef v;
        ir_insn(ir, here);
        if (at == 0 && req->part[0].size)
            ir_exit_if_changed(ir, req->part[0].host, req->part[0].size, ~req->was_soft,
                               TRANSLATE_EXIT_STALE);
        switch (p[0]) {
        case TOY_ADD:
            ir_set(ir, p[1], 0, ir_add(ir, ir_get(ir, I64, p[1], 0), immediate(req, ir, at + 2)));
            at += 3;
            break;
        case TOY_ST:
            ir_st(ir, ir_get(ir, I64, p[1], 0), ir_const(ir, I64, get16(p + 2)), 0, 0);
            at += 4;
            if (req->checked) {
                ir_goto(ir, req->unit_offset + at);
                ended = true;
            }
            break;
        case TOY_LD:
            ir_set(ir, p[1], 0, ir_ld(ir, I64, ir_const(ir, I64, get16(p + 2)), 0, 0));
            at += 4;
            break;
        case TOY_JMP:
            ir_goto(ir, base + get16(p + 1));
            at += 3;
            ended = true;
            break;
        case TOY_DJNZ:
            v = ir_addi(ir, ir_get(ir, I64, p[1], 0), -1);
            ir_set(ir, p[1], 0, v);
            ir_goto_if(ir, ir_setcond(ir, COND_NE, v, ir_const(ir, I64, 0)), base + get16(p + 2));
            at += 4;
            break;
        case TOY_JMPR:
            ir_jump(ir, ir_get(ir, I64, p[1], 0), JUMP_INDIRECT, 0);
            at += 2;
            ended = true;
            break;
        default:
            v = ir_addi(ir, ir_get(ir, I64, SLOT_TOY_VBASE, 0), here + 1);
            ir_set(ir, SLOT_TOY_PC, 0, v);
            ir_exit(ir, 0);
            at += 1;
            ended = true;
        }
    }
    if (!ended)
        ir_goto(ir, req->unit_offset + at);
    req->size = at;
}

const CpuOps toy_ops = {
    .name = "toy",
    .state_size = sizeof(ToyCpu),
    .common_offset = offsetof(ToyCpu, common),
    .slots = toy_slots,
    .nslots = TOY_SLOTS,
    .mxcsr_offset = offsetof(ToyCpu, mxcsr),
    .fcw_offset = offsetof(ToyCpu, fcw),
    .fsw_offset = offsetof(ToyCpu, fsw),
    .get_context = toy_get_context,
    .wrap_pc = toy_wrap_pc,
    .wrap_linear = toy_wrap_pc,
    .walk = toy_walk,
    .raise_fault = toy_raise_fault,
    .misaligned = toy_misaligned,
    .trap = toy_trap,
    .translate = toy_translate,
    .deliver_exception = toy_deliver_exception,
    .deliver_interrupt = toy_deliver_interrupt,
    .has_work = toy_has_work,
    .exit_reason = toy_exit_reason,
};

static uint64_t irq_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0;
}

static void irq_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Toy *t = opaque;

    if (value)
        cpu_interrupt(&t->cpu->cpu, CPU_INT_HARD);
}

static const MemOps irq_ops = { .read = irq_read, .write = irq_write, .max_size = 8 };

Toy *toy_new(const char *backend, int icount_shift)
{
    Toy *t = g_new0(Toy, 1);
    Machine *m = &t->machine;

    t->config = (MachineConfig){ .accel_backend = g_strdup(backend),
                                 .icount_shift = icount_shift,
                                 .tb_size = 1 << 20 };
    m->config = &t->config;
    m->ram = ram_set_new();
    t->ram = ram_block_new(m->ram, "ram", TOY_RAM_SIZE, NULL);
    memory_init_container(&m->memory_root, "system", 1ull << 52);
    memory_init_ram(&t->region, "ram", t->ram, 0, TOY_RAM_SIZE);
    memory_add(&m->memory_root, 0, 0, &t->region);
    memory_init_io(&t->irq, "irq", &irq_ops, t, 0x1000);
    memory_add(&m->memory_root, TOY_IRQ_PAGE, 1, &t->irq);
    m->memory = address_space_new("memory", &m->memory_root, m->ram);
    m->input = input_queue_new();
    t->accel = accel_new(m, &toy_ops, NULL);
    g_assert(t->accel);
    t->cpu = (ToyCpu *)accel_add_cpu(t->accel, 0);
    t->cpu->mxcsr = 0x1f80;
    t->cpu->fcw = 0x37f;
    return t;
}

void toy_free(Toy *t)
{
    Machine *m = &t->machine;

    accel_free(t->accel);
    input_queue_free(m->input);
    address_space_free(m->memory);
    memory_remove(&t->irq);
    memory_destroy(&t->irq);
    memory_remove(&t->region);
    memory_destroy(&t->region);
    memory_destroy(&m->memory_root);
    ram_set_free(m->ram);
    g_free(t->config.accel_backend);
    g_free(t);
}

static bool until_halted(void *opaque, bool *quit)
{
    Toy *t = opaque;

    *quit = t->cpu->common.halted && !t->cpu->cpu.interrupt_request;
    return true;
}

void toy_run(Toy *t, uint64_t pc)
{
    t->cpu->common.halted = false;
    t->cpu->cpu.pc = pc;
    accel_run(t->accel, until_halted, t);
}
