/* SPDX-License-Identifier: MIT */
/*
 * Running a case through the translator: the x86 frontend and the compiler with flat memory in
 * place of the engine. What accel/ promises to the architecture (guest-mem.h, cpu.h) is given here
 * in its simplest form: three areas of memory, no page tables, no links between blocks.
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <string.h>

#include "accel/accel.h"
#include "accel/plugin/events.h"
#include "accel/translate.h"
#include "target-i386/cpu.h"
#include "target-i386/cpuid.h"
#include "target-i386/excp.h"
#include "target-i386/helpers.h"
#include "target-i386/segment.h"
#include "target-i386/translate.h"
#include "tcg/lanes.h"
#include "tcg/tcg.h"

typedef struct TestCpu {
    CpuX86 x86;
    CpuTail tail __attribute__((aligned(64)));
} TestCpu;

typedef struct Engine {
    Runner runner;
    Tcg *tcg;
    bool slow;                   /* no access ever hits the TLB */
    bool near_tlb;               /* TcgLayout.near_tlb */
    bool parted;                 /* IrBlock.parted, always */
    EngineTrace *trace;          /* one instruction a block, each told */
    uint32_t words[CPUID_WORDS]; /* all features that the back end can run */
    TestCpu *cpu;
    Memory *mem;
    jmp_buf jump;
    bool no_groups; /* for the next block */
    bool keep_x87;  /* … and it goes on with the x87 where it is */
    bool faulted;   /* by memory: vector, error and cr2 are these */
    uint8_t vector;
    uint32_t error;
    uint64_t cr2;
    uint8_t straddle[16];
} Engine;

static Engine *running; /* the accessors below get a Cpu and nothing else */

enum { MAX_BLOCKS = 64, BUDGET = 200000 };

/* ---- Memory --------------------------------------------------------------------------------- */

/* @size bytes that lie within one page. */
static uint8_t *host_address(uint64_t addr, CpuAccess access)
{
    if (addr - CODE_BASE < AREA_SIZE)
        return access == ACCESS_WRITE ? NULL : running->mem->code + (addr - CODE_BASE);
    if (access == ACCESS_EXEC)
        return NULL;
    if (addr - DATA_BASE < AREA_SIZE)
        return running->mem->data + (addr - DATA_BASE);
    if (addr - STACK_BASE < AREA_SIZE)
        return running->mem->stack + (addr - STACK_BASE);
    return NULL;
}

static void memory_fault(Cpu *cpu, uint64_t addr, CpuAccess access, bool stack) G_GNUC_NORETURN;
static void memory_fault(Cpu *cpu, uint64_t addr, CpuAccess access, bool stack)
{
    Engine *e = running;
    bool canonical = (int64_t)(addr << 16) >> 16 == (int64_t)addr;
    cpu_sync_state(cpu);
    e->faulted = true;
    e->vector = canonical ? EXCP_PF : stack ? EXCP_SS : EXCP_GP;
    bool present = addr - CODE_BASE < AREA_SIZE || addr - DATA_BASE < AREA_SIZE ||
                   addr - STACK_BASE < AREA_SIZE;
    e->error =
        canonical ? 4u | (access == ACCESS_WRITE) << 1 | (access == ACCESS_EXEC) << 4 | present : 0;
    e->cr2 = canonical ? addr : 0;
    cpu_loop_exit(cpu);
}

/* Both pages are checked before a byte moves. */
static void check_range(Cpu *cpu, uint64_t addr, uint32_t size, CpuAccess access, bool stack)
{
    uint64_t room = 0x1000 - (addr & 0xfff);
    if (!host_address(addr, access))
        memory_fault(cpu, addr, access, stack);
    if (size > room && !host_address(addr + room, access))
        memory_fault(cpu, addr + room, access, stack);
}

static void copy_in(uint64_t addr, void *to, uint32_t size)
{
    for (uint32_t n = 0; n < size; n++)
        ((uint8_t *)to)[n] = *host_address(addr + n, ACCESS_READ);
}

static void copy_out(uint64_t addr, const void *from, uint32_t size)
{
    for (uint32_t n = 0; n < size; n++)
        *host_address(addr + n, ACCESS_WRITE) = ((const uint8_t *)from)[n];
}

/* Linux's GDT as far as user code can tell, and the LDT of the cases. */
#define GDT_BASE  0x40000000u
#define LDT_BASE  0x40001000u
#define GDT_LIMIT (16 * 8 - 1)

static uint32_t ldt_attributes(const LdtEntry *e)
{
    return ATTR_P | ATTR_S | ATTR_A | ATTR_DPL | (e->is_32bit ? (uint32_t)ATTR_DB : 0) |
           (e->is_code || !e->read_only ? (uint32_t)ATTR_RW : 0) |
           (e->is_code        ? (uint32_t)ATTR_CODE
            : e->expands_down ? (uint32_t)ATTR_EC
                              : 0) |
           (e->limit > 0xfffff ? (uint32_t)ATTR_G : 0);
}

static uint64_t descriptor(uint32_t base, uint32_t limit, uint32_t attr)
{
    limit = attr & ATTR_G ? limit >> 12 : limit;
    uint32_t high = attr | (base >> 16 & 0xff) | (base & 0xff000000) | (limit & 0xf0000);
    return (uint64_t)high << 32 | (base & 0xffff) << 16 | (limit & 0xffff);
}

static uint64_t read_descriptor(uint64_t addr)
{
    uint32_t flat = ATTR_P | ATTR_S | ATTR_RW | ATTR_A | ATTR_DPL | ATTR_G;
    if (addr >= LDT_BASE) {
        const LdtEntry *e = &insn_ldt[(addr - LDT_BASE) / 8];
        return descriptor(e->base, e->limit, ldt_attributes(e));
    }
    switch ((addr - GDT_BASE) & ~UINT64_C(7)) {
    case FLAT_CODE32 & ~7: return descriptor(0, UINT32_MAX, flat | ATTR_CODE | ATTR_DB);
    case FLAT_DATA32 & ~7: return descriptor(0, UINT32_MAX, flat | ATTR_DB);
    case FLAT_CODE64 & ~7: return descriptor(0, UINT32_MAX, flat | ATTR_CODE | ATTR_L);
    case 8: return descriptor(0, UINT32_MAX, (flat & ~(uint32_t)ATTR_DPL) | ATTR_CODE | ATTR_DB);
    case 16: return descriptor(0, UINT32_MAX, (flat & ~(uint32_t)ATTR_DPL) | ATTR_CODE | ATTR_L);
    case 0x78: /* tells user code the number of its CPU, by the limit */
        return descriptor(0, 0, ATTR_P | ATTR_S | ATTR_A | ATTR_DPL | ATTR_EC | ATTR_DB);
    case 24: return descriptor(0, UINT32_MAX, (flat & ~(uint32_t)ATTR_DPL) | ATTR_DB);
    }
    return 0;
}

static bool is_descriptor(uint64_t addr, unsigned mmu)
{
    return mmu == MMU_KERNEL && (addr - GDT_BASE <= GDT_LIMIT || addr - LDT_BASE < LDT_COUNT * 8);
}

/* There are no plugins. */
void cpu_tell(Cpu *cpu, MimusEvent *e)
{
    g_assert_not_reached();
}

static SlowAccess *slow_access(void *env)
{
    return &((TestCpu *)env)->tail.slow;
}

static TlbEntry *tlb_entry(TestCpu *t, const SlowAccess *s)
{
    unsigned mmu = s->flags & MEM_MMU_MASK, slot = (s->addr >> 12) & (TCG_TLB_SIZE - 1);
    TlbEntry(*near)[2] = t->x86.near_tlb; /* of no entries on most hosts */

    return mmu == 0 && running->near_tlb ? &near[slot][s->is_write]
                                         : &t->tail.tlb[mmu][s->is_write][slot];
}

static bool refill(void *env)
{
    TestCpu *t = env;
    SlowAccess *s = slow_access(env);
    CpuAccess access = s->is_write ? ACCESS_WRITE : ACCESS_READ;
    uint8_t *host = host_address(s->addr, access);
    if (running->slow || !host || (s->addr & 0xfff) + s->size > 0x1000)
        return false;
    if ((s->flags & MEM_ALIGN) && (s->addr & (s->size - 1)))
        return false;
    TlbEntry *e = tlb_entry(t, s);
    e->tag = tlb_tag(s->addr);
    e->addend = (uint64_t)(uintptr_t)host - s->addr;
    return true;
}

static uint64_t rmw_result(const SlowAccess *s, uint64_t old, uint64_t *stored)
{
    uint64_t b = s->value[0], mask = s->size == 8 ? ~0ull : (1ull << (8 * s->size)) - 1;
    switch (s->op) {
    case OP_rmw_add: return *stored = old + b;
    case OP_rmw_sub: return *stored = old - b;
    case OP_rmw_and: return *stored = old & b;
    case OP_rmw_or: return *stored = old | b;
    case OP_rmw_xor: return *stored = old ^ b;
    case OP_rmw_xadd: *stored = old + b; return old;
    case OP_rmw_xchg: *stored = b; return old;
    case OP_rmw_cas: *stored = ((old ^ s->compare) & mask) ? old : b; return old;
    }
    g_assert_not_reached();
}

static void slow(void *env)
{
    Cpu *cpu = env;
    SlowAccess *s = slow_access(env);
    uint8_t bytes[sizeof(s->value)];
    uint64_t stored;
    if ((s->flags & MEM_ALIGN) && (s->addr & (s->size - 1)))
        x86_misaligned(cpu, s);
    check_range(cpu, s->addr, s->size, s->is_write ? ACCESS_WRITE : ACCESS_READ,
                s->flags & MEM_STACK);
    switch (s->op) {
    case OP_probe: return;
    case OP_ld:
        copy_in(s->addr, bytes, s->size);
        words_from_guest(s->value, bytes, s->size);
        return;
    case OP_st:
        words_to_guest(bytes, s->value, s->size);
        copy_out(s->addr, bytes, s->size);
        return;
    }
    copy_in(s->addr, bytes, s->size);
    s->value[0] = rmw_result(s, guest_get(bytes, s->size), &stored);
    guest_put(bytes, stored, s->size);
    copy_out(s->addr, bytes, s->size);
}

static void alone(void *env)
{
    running->keep_x87 = refill(env);
    cpu_sync_state(env);
    running->no_groups = true;
    cpu_loop_exit(env);
}

uint64_t cpu_load(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu)
{
    uint8_t bytes[8];
    if (is_descriptor(addr, mmu))
        return read_descriptor(addr) >> (addr & 7) * 8;
    check_range(cpu, addr, size, ACCESS_READ, false);
    copy_in(addr, bytes, size);
    return guest_get(bytes, size);
}

void cpu_store(Cpu *cpu, uint64_t addr, uint64_t value, unsigned size, unsigned mmu)
{
    uint8_t bytes[8];
    guest_put(bytes, value, size);
    check_range(cpu, addr, size, ACCESS_WRITE, false);
    copy_out(addr, bytes, size);
}

void cpu_load_bytes(Cpu *cpu, uint64_t addr, void *buf, uint32_t len, unsigned mmu)
{
    check_range(cpu, addr, len, ACCESS_READ, false);
    copy_in(addr, buf, len);
}

void cpu_store_bytes(Cpu *cpu, uint64_t addr, const void *buf, uint32_t len, unsigned mmu)
{
    check_range(cpu, addr, len, ACCESS_WRITE, false);
    copy_out(addr, buf, len);
}

void cpu_probe(Cpu *cpu, uint64_t addr, uint32_t len, CpuAccess access, unsigned mmu)
{
    check_range(cpu, addr, len, access, false);
}

uint8_t *cpu_host_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    check_range(cpu, addr, 1, access, false);
    return running->slow ? NULL : host_address(addr, access);
}

bool cpu_is_empty(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    return false;
}

bool cpu_wants_elements(Cpu *cpu)
{
    return false;
}

/* Nobody listens, but it would be told of the memory that was written. */
void cpu_tell_elements(Cpu *cpu, const CpuElements *e)
{
    for (unsigned k = 0; k < e->naccesses && e->n; k++)
        g_assert(!e->access[k].write ||
                 e->access[k].host == host_address(e->access[k].addr, ACCESS_WRITE));
}

uint8_t *cpu_quick_pointer(Cpu *cpu, uint64_t addr, CpuAccess access, unsigned mmu)
{
    return running->slow ? NULL : host_address(addr, access);
}

uint64_t cpu_phys_load(Cpu *cpu, uint64_t phys, unsigned size)
{
    return 0;
}

uint64_t cpu_device_load(Cpu *cpu, AddressSpace *space, uint64_t addr, unsigned size)
{
    return address_space_read(space, addr, size);
}

void cpu_device_store(Cpu *cpu, AddressSpace *space, uint64_t addr, uint64_t value, unsigned size)
{
    address_space_write(space, addr, value, size);
}

const uint8_t *cpu_phys_page(Cpu *cpu, uint64_t phys)
{
    return NULL;
}

uint64_t cpu_tlb_flushes(const Cpu *cpu)
{
    return 0;
}

bool cpu_phys_cas(Cpu *cpu, uint64_t phys, uint64_t old, uint64_t value, unsigned size)
{
    return false;
}

bool cpu_peek(Cpu *cpu, uint64_t addr, void *buf, uint32_t len)
{
    return false;
}

/* ---- The rest of what the architecture may call --------------------------------------------- */

CpuTail *cpu_tail(Cpu *cpu)
{
    return &((TestCpu *)cpu)->tail;
}

void cpu_sync_state(Cpu *cpu)
{
    SlowAccess *s = slow_access(cpu);
    uint32_t offset, index;
    if (!s->host_pc)
        return;
    TcgCode *code = tcg_find_code(running->tcg, s->host_pc);
    g_assert(code);
    tcg_restore_state(running->tcg, code, s->host_pc, cpu, &offset, &index);
    cpu->pc = cpu->vbase + offset;
    s->host_pc = 0;
}

void cpu_loop_exit(Cpu *cpu)
{
    longjmp(running->jump, 1);
}

void cpu_restart_single(Cpu *cpu)
{
    g_assert_not_reached();
}

uint64_t cpu_instruction_count(Cpu *cpu)
{
    return 0;
}

int64_t cpu_clock_ns(Cpu *cpu)
{
    return 0;
}

/* No machine is made here: the CPU's creation is never called. */
Cpu *accel_add_cpu(Accel *a, unsigned index)
{
    g_assert_not_reached();
}

Cpu *accel_cpu(Accel *a, unsigned index)
{
    g_assert_not_reached();
}

unsigned accel_cpu_count(const Accel *a)
{
    return 0;
}

unsigned accel_features(const Accel *a)
{
    return 0;
}

Cpu *accel_current_cpu(Accel *a)
{
    return &running->cpu->x86.cpu;
}

bool accel_is_running(const Accel *a)
{
    return true;
}

bool cpu_is_alone(const Cpu *cpu)
{
    return false;
}

bool cpu_has_host_clock(Cpu *cpu)
{
    return false;
}

int64_t cpu_host_clock_ns(Cpu *cpu)
{
    return cpu_clock_ns(cpu);
}

/* A nanosecond for each instruction, of a run. */
bool cpu_counts_time(const Cpu *cpu)
{
    return true;
}

int64_t cpu_counted_clock_ns(Cpu *cpu, unsigned left)
{
    return (int64_t)BUDGET - cpu->budget - left;
}

void cpu_pass_time(Cpu *cpu, int64_t ns)
{
}

void cpu_pass_access_time(Cpu *cpu, uint64_t addr, unsigned size, unsigned mmu)
{
}

void cpu_context_is(Cpu *cpu, uint32_t mode, uint64_t cs_base, bool kernel)
{
}

/* Nothing is cached across changes of context here. */
void cpu_context_changed(Cpu *cpu)
{
}
void cpu_kick(Cpu *cpu)
{
}

void cpu_look(Cpu *cpu)
{
}
void cpu_interrupt(Cpu *cpu, uint32_t bits)
{
}
void cpu_reset_interrupt(Cpu *cpu, uint32_t bits)
{
}
void cpu_tlb_flush_all(Cpu *cpu)
{
}
void cpu_tlb_flush_nonglobal(Cpu *cpu)
{
}
void cpu_tlb_flush_asid(Cpu *cpu, uint16_t asid)
{
}
void cpu_tlb_flush_page(Cpu *cpu, uint64_t addr)
{
}
void cpu_tlb_flush_page_asid(Cpu *cpu, uint64_t addr, uint16_t asid)
{
}
void cpu_tlb_set_asid(Cpu *cpu, uint16_t asid)
{
}

uint64_t cpu_charged_count(Cpu *cpu)
{
    return 0;
}

uint64_t cpu_running_pc(Cpu *cpu)
{
    return cpu->pc;
}

bool cpu_monitor(Cpu *cpu, uint64_t addr, unsigned mmu)
{
    return false;
}

void cpu_monitor_again(Cpu *cpu)
{
}

const uint8_t *translate_straddling(Cpu *cpu, TranslateRequest *req, uint32_t *avail)
{
    check_range(cpu, req->linear, 15, ACCESS_EXEC, false);
    copy_in(req->linear, running->straddle, 15);
    *avail = 15;
    return running->straddle;
}

static void raise_trap(void *env, uint32_t code)
{
    running->faulted = true;
    running->vector = (uint8_t)code;
    running->error = code >> 16;
    running->cr2 = 0;
    longjmp(running->jump, 1);
}

/* ---- State ---------------------------------------------------------------------------------- */

static void set_segment(CpuX86 *c, unsigned seg, uint16_t selector, uint64_t base, uint32_t limit,
                        uint32_t attr)
{
    c->segs[seg] = (Segment){ .selector = selector, .base = base, .limit = limit, .attr = attr };
}

static void set_real_segments(CpuX86 *c)
{
    static const uint32_t base[SEG_COUNT] = { DATA_BASE, CODE_BASE, STACK_BASE, DATA_BASE };
    for (unsigned n = 0; n < SEG_COUNT; n++)
        set_segment(c, n, 0x1000, base[n], 0xffff, ATTR_P | ATTR_S | ATTR_RW | ATTR_A);
}

static void load_segment(CpuX86 *c, unsigned seg, uint16_t selector)
{
    Desc d;
    if (selector_is_null(selector))
        seg_set_null(c, seg, selector);
    else if (desc_read(c, selector, &d))
        seg_set_desc(c, seg, selector, d);
}

static void set_mode(CpuX86 *c, Mode mode, const uint16_t *selectors)
{
    if (mode == M16) {
        set_real_segments(c);
        c->cr0 = CR0_ET;
        c->ignne = true; /* nobody would interrupt a wait for the x87 */
    } else {
        c->cr0 = CR0_PE | CR0_PG | CR0_NE | CR0_MP | CR0_ET | CR0_WP | CR0_AM;
        c->cr4 = CR4_PAE;
        c->efer = EFER_LME | EFER_LMA | EFER_SCE;
        c->gdt = (DescTable){ GDT_BASE, GDT_LIMIT };
        c->ldt = (Segment){
            .selector = 0x50, .base = LDT_BASE, .limit = LDT_COUNT * 8 - 1, .attr = ATTR_P | 2 << 8
        };
        for (unsigned s = 0; s < SEG_COUNT; s++)
            load_segment(c, s, selectors[s]);
    }
    c->cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    c->xcr0 = 7;
}

static void load_state(Engine *e, const Case *k)
{
    CpuX86 *c = &e->cpu->x86;
    const State *s = &k->in;
    memset(c, 0, sizeof(*c));
    memset(e->cpu->tail.tlb, 0xff, sizeof(e->cpu->tail.tlb));
    memset(c->near_tlb, 0xff, sizeof(c->near_tlb));
    memset(e->cpu->tail.stack, 0, sizeof(e->cpu->tail.stack)); /* stack_head: above */
    c->cpu.ops = &x86_cpu_ops;
    c->cpu.jc_key = 0x10;
    memcpy(c->features, e->words, sizeof(c->features));
    memcpy(c->regs, s->gpr, sizeof(c->regs));
    c->eflags = 2 | EFL_IF | (s->flags & (EFL_DF | EFL_TF));
    flags_set_packed(&c->cpu.cc, s->flags);
    c->fcw = s->fcw;
    c->fsw = s->fsw & ~0x3800;
    c->fpstt = (s->fsw >> 11) & 7;
    c->fptags = (uint8_t)~s->ftw;
    c->mxcsr = s->mxcsr;
    for (unsigned n = 0; n < 16; n++)
        memcpy(c->xmm[n].q, s->xmm[n], 16), memcpy(c->xmm[n].q + 2, s->ymmh[n], 16);
    for (unsigned n = 0; n < 8; n++) {
        unsigned phys = (c->fpstt + n) & 7;
        c->fpregs[phys].frac = s->st[n].frac;
        c->fpregs[phys].se = s->st[n].se;
    }
    c->old_exception = -1;
    c->host_x87 = tcg_features(tcg_backend_name(e->tcg)) & TCG_HAS_X87;
    set_mode(c, k->mode, s->sel);
    c->mode = 0;
    x86_update_mode(c);
    c->cpu.pc = s->rip;
    c->tsc_hz = NS_PER_SEC;
    c->cpu.budget = BUDGET;
}

static uint64_t wrapped_pc(const CpuX86 *c)
{
    uint64_t pc = c->cpu.pc;
    return c->mode & X86_MODE_CS64 ? pc : c->mode & X86_MODE_CS32 ? (uint32_t)pc : (uint16_t)pc;
}

static void save_state(Engine *e, State *s)
{
    CpuX86 *c = &e->cpu->x86;
    memset(s, 0, sizeof(*s));
    memcpy(s->gpr, c->regs, sizeof(s->gpr));
    s->rip = wrapped_pc(c);
    s->flags = flags_pack(&c->cpu.cc) | (c->eflags & EFL_DF);
    s->fcw = c->fcw;
    s->fsw = (uint16_t)((c->fsw & ~0x3800) | c->fpstt << 11);
    s->ftw = (uint8_t)~c->fptags;
    s->mxcsr = c->mxcsr;
    for (unsigned n = 0; n < INSN_SEGS; n++)
        s->sel[n] = c->segs[n].selector;
    for (unsigned n = 0; n < 16; n++)
        memcpy(s->xmm[n], c->xmm[n].q, 16), memcpy(s->ymmh[n], c->xmm[n].q + 2, 16);
    for (unsigned n = 0; n < 8; n++) {
        unsigned phys = (c->fpstt + n) & 7;
        s->st[n].frac = c->fpregs[phys].frac;
        s->st[n].se = c->fpregs[phys].se;
    }
    if (e->faulted) {
        s->vector = e->vector;
        s->error = e->error;
        s->cr2 = e->cr2;
    } else if (c->common.exception_pending) {
        s->vector = (uint8_t)c->exception;
        s->error = c->error_code;
        if (c->exception_is_soft)
            s->rip = c->exception_next_pc;
    } else {
        s->vector = VECTOR_TIMEOUT;
    }
}

/* ---- Running -------------------------------------------------------------------------------- */

typedef struct Blocks {
    uint64_t pc[MAX_BLOCKS], base[MAX_BLOCKS];
    uint32_t mode[MAX_BLOCKS];
    bool no_groups[MAX_BLOCKS];
    TcgCode *code[MAX_BLOCKS];
    unsigned n;
} Blocks;

static TcgCode *make_block(Engine *e, const CpuContext *now)
{
    CpuX86 *c = &e->cpu->x86;
    IrBlock *ir = tcg_ir(e->tcg);
    TranslateRequest req = { .pc = now->pc,
                             .linear = now->linear,
                             .cs_base = now->cs_base,
                             .mode = now->mode,
                             .max_insns = e->trace ? 1 : 64 };
    check_range(&c->cpu, req.linear, 1, ACCESS_EXEC, false);
    req.unit_offset = req.linear & 0xfff;
    req.unit_size = 0x1000;
    req.bytes = host_address(req.linear, ACCESS_EXEC);
    req.avail = 0x1000 - req.unit_offset;
    ir_block_reset(ir, req.unit_offset);
    ir->no_groups = e->no_groups;
    ir->parted = e->parted;
    x86_translate(&c->cpu, &req, ir);
    if (g_getenv("INSN_IR")) {
        g_autoptr(GString) text = g_string_new(NULL);
        ir_print(ir, text);
        g_printerr("%s\n", text->str);
    }
    return tcg_compile(e->tcg, NULL, NULL, NULL);
}

static TcgCode *find_block(Engine *e, Blocks *b, const CpuContext *now)
{
    for (unsigned n = 0; n < b->n; n++) {
        if (b->pc[n] == now->pc && b->mode[n] == now->mode && b->base[n] == now->cs_base &&
            b->no_groups[n] == e->no_groups)
            return b->code[n];
    }
    if (b->n == MAX_BLOCKS) {
        tcg_flush(e->tcg);
        b->n = 0;
    }
    TcgCode *code = make_block(e, now);
    if (!code) {
        tcg_flush(e->tcg);
        b->n = 0;
        code = make_block(e, now);
    }
    b->pc[b->n] = now->pc;
    b->base[b->n] = now->cs_base;
    b->mode[b->n] = now->mode;
    b->no_groups[b->n] = e->no_groups;
    b->code[b->n++] = code;
    return code;
}

/* What stands at the pc, for the trace. */
static bool next_insn(Engine *e, const CpuContext *now, Insn *i)
{
    uint64_t at = now->linear - CODE_BASE;
    DecodeMode m = { .code_size = (uint8_t)(now->mode & X86_MODE_CS64   ? I64
                                            : now->mode & X86_MODE_CS32 ? I32
                                                                        : I16),
                     .pe = now->mode & X86_MODE_PE,
                     .features = e->runner.features };
    return at < AREA_SIZE &&
           decode_insn(&m, e->mem->code + at, (uint32_t)(AREA_SIZE - at), i) == DECODE_OK;
}

static void tell(Engine *e, const Insn *i, bool completed)
{
    if (i->desc)
        e->trace(i, completed);
}

static void x87_home(Engine *e)
{
    CpuX86 *c = &e->cpu->x86;
    uint8_t image[512] __attribute__((aligned(16)));

    if (!c->common.x87_on_host)
        return;
    tcg_x87_save(e->tcg, image);
    c->common.x87_on_host = false;
    x86_cpu_ops.x87_from_host(&c->cpu, image);
}

void cpu_x87_to_host(Cpu *cpu, const void *image)
{
    tcg_x87_load(running->tcg, image);
    x86(cpu)->common.x87_on_host = true;
}

static void run_engine(Runner *r, const Case *k, Memory *mem, State *out)
{
    Engine *e = (Engine *)r;
    CpuX86 *c = &e->cpu->x86;
    static Blocks blocks;
    static Insn insn;
    insn.desc = NULL;
    running = e;
    e->mem = mem;
    e->faulted = false;
    blocks.n = 0;
    tcg_flush(e->tcg);
    load_state(e, k);
    e->no_groups = false;
    e->keep_x87 = false;
    bool first = setjmp(e->jump) == 0;
    if (!e->keep_x87)
        x87_home(e);
    e->keep_x87 = false;
    if (first || (e->no_groups && !e->faulted)) {
        c->cpu.pc = wrapped_pc(c);
        while (c->cpu.budget > 0) {
            CpuContext now;
            x86_cpu_ops.get_context(&c->cpu, &now);
            if (e->trace && !next_insn(e, &now, &insn))
                insn.desc = NULL;
            TcgCode *code = find_block(e, &blocks, &now);
            e->no_groups = false;
            TcgLeave l = tcg_run(e->tcg, e->cpu, code);
            e->no_groups = l.kind == TCG_EXIT_LINK && tcg_is_rest(l.from, l.link);
            e->cpu->tail.slow.host_pc = 0;
            c->cpu.pc = wrapped_pc(c);
            if (l.kind == TCG_EXIT_BUDGET || l.kind == TCG_EXIT_REASON)
                x87_home(e);
            if (l.kind == TCG_EXIT_BUDGET)
                break;
            if (l.kind == TCG_EXIT_REASON) {
                c->cpu.jc_key = 0x10;
                x86_cpu_ops.exit_reason(&c->cpu, l.reason);
                if (c->common.exception_pending)
                    break;
            }
            if (l.kind == TCG_EXIT_LOOKUP && l.reason)
                x86_cpu_ops.check_jump(&c->cpu, c->cpu.vbase + l.offset, l.reason);
            tell(e, &insn, true);
            insn.desc = NULL;
        }
    }
    x87_home(e);
    tell(e, &insn, false);
    save_state(e, out);
}

static TcgLayout layout(bool near_tlb)
{
    return (TcgLayout){
        .env_size = sizeof(TestCpu),
        .budget = offsetof(TestCpu, x86.cpu.budget),
        .vbase = offsetof(TestCpu, x86.cpu.vbase),
        .pc = offsetof(TestCpu, x86.cpu.pc),
        .jc_key = offsetof(TestCpu, x86.cpu.jc_key),
        .flags = offsetof(TestCpu, x86.cpu.cc),
        .own = offsetof(TestCpu, x86.cpu.own),
        .mxcsr = offsetof(TestCpu, x86.mxcsr),
        .fcw = offsetof(TestCpu, x86.fcw),
        .fsw = offsetof(TestCpu, x86.fsw),
        .host_x87 = true,
        .slow = offsetof(TestCpu, tail.slow),
        .scratch = offsetof(TestCpu, tail.scratch),
        .interp = offsetof(TestCpu, tail.interp),
        .tlb = offsetof(TestCpu, tail.tlb),
        .near_tlb = near_tlb ? offsetof(TestCpu, x86.near_tlb) : 0,
        .stack = offsetof(TestCpu, tail.stack),
        .stack_head = offsetof(TestCpu, x86.cpu.stack_head),
        .jc = offsetof(TestCpu, tail.jc),
        .mem_refill = refill,
        .mem_slow = slow,
        .mem_alone = alone,
        .trap = raise_trap,
    };
}

static void set_features(Engine *e, const char *backend)
{
    memset(e->words, 0xff, sizeof(e->words));
    e->words[CPUID_7_0_ECX] &= ~(uint32_t)CPUID_LA57; /* addresses canonical that are not here */
    x86_words_limit(e->words, tcg_features(backend));
    e->runner.features = decode_features(e->words);
}

static Engine *new_engine(const char *backend, bool no_opt, bool slow_memory)
{
    bool near_tlb = tcg_features(backend) & TCG_HAS_NEAR_TLB;
    TcgConfig config = {
        .backend = backend,
        .buffer_size = 4 * 1024 * 1024,
        .verify = true,
        .no_opt = no_opt,
        .layout = layout(near_tlb),
        .slots = x86_slots,
        .nslots = SLOT_COUNT,
        .helpers = x86_helpers,
        .nhelpers = HELP_COUNT,
    };
    g_autofree char *runner_name = g_strdup_printf(
        "%s%s%s", backend, no_opt ? " without passes" : "", slow_memory ? " without TLB" : "");
    Engine *e = g_new0(Engine, 1);
    g_autoptr(GError) error = NULL;
    e->tcg = tcg_new(&config, &error);
    if (!e->tcg)
        g_error("%s", error->message);
    e->cpu = g_aligned_alloc0(1, sizeof(TestCpu), 64);
    for (unsigned n = 0; n < TCG_JC_SIZE; n++) /* nobody fills it */
        e->cpu->tail.jc[n].tag = tcg_jc_empty(n);
    e->slow = slow_memory;
    e->near_tlb = near_tlb;
    e->parted = !no_opt && !slow_memory;
    e->runner.name = g_intern_string(runner_name);
    set_features(e, backend);
    e->runner.modes = M_ALL | M32S | M16P;
    e->runner.run = run_engine;
    return e;
}

Runner *engine_tracer(EngineTrace *trace)
{
    Engine *e = new_engine("interp", false, false);
    e->runner.name = "interp by steps";
    e->trace = trace;
    return &e->runner;
}

unsigned engine_runners(Runner *out[], unsigned max)
{
    g_auto(GStrv) names = g_strsplit(tcg_backend_list(), " ", 0);
    const char *only = g_getenv("INSN_BACKEND");
    unsigned n = 0;
    for (unsigned k = 0; names[k]; k++) {
        if (only && strcmp(only, names[k]))
            continue;
        const char *name = g_intern_string(names[k]);
        for (unsigned variant = 0; variant < 3 && n < max; variant++)
            out[n++] = &new_engine(name, variant == 1, variant == 2)->runner;
    }
    return n;
}
