/* SPDX-License-Identifier: MIT */
#include "system.h"

#include <string.h>

#include "target-i386/cpuid.h"
#include "target-i386/decode.h"
#include "target-i386/segment.h"

static uint64_t port_read(void *opaque, uint64_t addr, unsigned size)
{
    System *s = opaque;

    s->port_reads += addr == 0;
    return s->port_value >> (8 * addr);
}

static void port_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ((System *)opaque)->port_value = (uint32_t)value;
}

static const MemOps port_ops = { port_read, port_write, 1, 4 };

static void spy(System *s, uint64_t what)
{
    s->spied = (s->spied ^ what) * 0x9e3779b97f4a7c15ull;
    s->spied ^= s->spied >> 32;
}

static uint64_t spy_read(void *opaque, uint64_t addr, unsigned size)
{
    System *s = opaque;

    spy(s, addr << 8 | size);
    return s->spied;
}

static void spy_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    spy(opaque, addr << 8 | 0x80 | size);
    spy(opaque, value);
}

static const MemOps spy_ops = { spy_read, spy_write, 1, 8 };

static int acknowledge(void *opaque, unsigned n)
{
    System *s = opaque;
    int vector = s->irq_vector;

    s->irq_vector = -1;
    s->bus.set_intr(s->bus.opaque, 0, 0);
    return vector;
}

static uint8_t get_tpr(void *opaque, unsigned n)
{
    return ((System *)opaque)->tpr;
}

static void set_tpr(void *opaque, unsigned n, uint8_t tpr)
{
    ((System *)opaque)->tpr = tpr;
}

System *system_new(const char *backend, const char *cpu_model)
{
    return system_new_smp(backend, cpu_model, 1);
}

System *system_new_smp(const char *backend, const char *cpu_model, unsigned cpus)
{
    System *s = g_new0(System, 1);
    Machine *m = &s->machine;
    GError *error = NULL;

    s->config = (MachineConfig){ .accel_backend = g_strdup(backend),
                                 .cpu_model = g_strdup(cpu_model),
                                 .cpus = cpus,
                                 .max_cpus = cpus,
                                 .sockets = 1,
                                 .cores = cpus,
                                 .threads = 1,
                                 .icount_shift = 0,
                                 .tb_size = 4 << 20 };
    s->irq_vector = -1;
    machine_init(m, &s->config);
    s->ram = ram_block_new(m->ram, "ram", SYSTEM_RAM, NULL);
    memory_init_ram(&s->region, "ram", s->ram, 0, SYSTEM_RAM);
    memory_add(&m->memory_root, 0, 0, &s->region);
    memory_init_io(&s->spy, "spy", &spy_ops, s, 0x1000);
    memory_add(&m->memory_root, SYSTEM_SPY, 0, &s->spy);
    memory_init_io(&s->port, "port", &port_ops, s, 4);
    memory_add(&m->io_root, 0x80, 0, &s->port);
    m->board = (BoardOps){
        .acknowledge = acknowledge, .apic_get_tpr = get_tpr, .apic_set_tpr = set_tpr, .opaque = s
    };
    s->accel = accel_new(m, &x86_cpu_ops, &error);
    g_assert_no_error(error);
    x86_cpus_create(m, s->accel, &s->bus, &error);
    g_assert_no_error(error);
    m->cpus = &s->bus;
    device_reset(m->root);
    s->c = x86(accel_cpu(s->accel, 0));
    return s;
}

void system_free(System *s)
{
    Machine *m = &s->machine;

    memory_remove(&s->region);
    memory_remove(&s->spy);
    memory_remove(&s->port);
    memory_destroy(&s->region);
    memory_destroy(&s->spy);
    memory_destroy(&s->port);
    device_free(m->root);
    accel_free(s->accel);
    machine_destroy(m);
    g_free(s->config.accel_backend);
    g_free(s->config.cpu_model);
    g_free(s);
}

void system_write(System *s, uint64_t phys, uint64_t value, unsigned size)
{
    g_assert(phys + size <= SYSTEM_RAM);
    value = GUINT64_TO_LE(value);
    address_space_write_bytes(s->machine.memory, phys, &value, size);
}

uint64_t system_read(System *s, uint64_t phys, unsigned size)
{
    uint64_t value = 0;

    g_assert(phys + size <= SYSTEM_RAM);
    address_space_read_bytes(s->machine.memory, phys, &value, size);
    return GUINT64_FROM_LE(value);
}

/* ---- Tables --------------------------------------------------------------------------------- */

#define CODE           (ATTR_P | ATTR_S | ATTR_CODE | ATTR_RW | ATTR_A)
#define DATA           (ATTR_P | ATTR_S | ATTR_RW | ATTR_A)
#define DPL(n)         ((uint32_t)(n) << ATTR_DPL_SHIFT)
#define SYSTEM_TYPE(n) (ATTR_P | (uint32_t)(n) << ATTR_TYPE_SHIFT)

static void put_desc(System *s, unsigned selector, uint32_t base, uint32_t limit, uint32_t attr)
{
    uint64_t at = GDT_AT + (selector & ~7u);

    if (attr & ATTR_G)
        limit >>= 12;
    system_write(s, at, (limit & 0xffff) | base << 16, 4);
    system_write(s, at + 4, (base >> 16 & 0xff) | (base & 0xff000000) | (limit & 0xf0000) | attr,
                 4);
}

static void put_gdt(System *s, SystemMode mode)
{
    bool is_long = mode == SYS_LONG || mode == SYS_COMPAT;
    uint32_t flat = 0xffffffff;

    put_desc(s, SEL_CODE64, 0, flat, CODE | ATTR_L | ATTR_G);
    put_desc(s, SEL_DATA, 0, flat, DATA | ATTR_DB | ATTR_G);
    put_desc(s, SEL_CODE32, 0, flat, CODE | ATTR_DB | ATTR_G);
    put_desc(s, SEL_CODE16, CODE16, 0xffff, CODE);
    put_desc(s, SEL_DATA16, 0, 0xffff, DATA);
    put_desc(s, SEL_UCODE32, 0, flat, CODE | ATTR_DB | ATTR_G | DPL(3));
    put_desc(s, SEL_UDATA, 0, flat, DATA | ATTR_DB | ATTR_G | DPL(3));
    put_desc(s, SEL_UCODE64, 0, flat, CODE | ATTR_L | ATTR_G | DPL(3));
    put_desc(s, SEL_TSS, TSS_AT, 0x7ff, SYSTEM_TYPE(DESC_TSS32_BUSY));
    put_desc(s, SEL_ABSENT, 0, flat, (DATA & ~(uint32_t)ATTR_P) | ATTR_DB | ATTR_G);
    put_desc(s, SEL_READ_ONLY, 0, flat, (DATA & ~(uint32_t)ATTR_RW) | ATTR_DB | ATTR_G);
    put_desc(s, SEL_EXEC_ONLY, 0, flat, (CODE & ~(uint32_t)ATTR_RW) | ATTR_DB | ATTR_G);
    put_desc(s, SEL_CONFORMING, 0, flat, CODE | ATTR_EC | ATTR_G | (is_long ? ATTR_L : ATTR_DB));
    put_desc(s, SEL_TASK, TSS2_AT, 0x67, SYSTEM_TYPE(DESC_TSS32));
    put_desc(s, SEL_LDT, LDT_AT, 0xff, SYSTEM_TYPE(DESC_LDT));
    put_desc(s, SEL_SMALL, PAGE_USER, 0xff, DATA | ATTR_DB | DPL(3));
    put_desc(s, SEL_DOWN, 0, PAGE_USER, DATA | ATTR_EC | ATTR_DB | DPL(3));
    put_desc(s, SEL_DPL1, 0, flat, DATA | ATTR_DB | ATTR_G | DPL(1));
    /* To the handler of vector 0x60, callable from CPL 3, two parameters. */
    system_write(s, GDT_AT + SEL_CALL_GATE,
                 (uint32_t)(is_long ? SEL_CODE64 : SEL_CODE32) << 16 | (HANDLERS_AT + 0x600), 4);
    system_write(s, GDT_AT + SEL_CALL_GATE + 4, SYSTEM_TYPE(DESC_CALL32) | DPL(3) | 2, 4);
}

static void put_gate(System *s, SystemMode mode, unsigned vector)
{
    bool is_long = mode == SYS_LONG || mode == SYS_COMPAT;
    uint64_t at = IDT_AT + vector * (is_long ? 16 : 8);
    uint32_t pc = HANDLERS_AT + 16 * vector;
    uint32_t selector = is_long ? SEL_CODE64 : SEL_CODE32;
    uint32_t hi = SYSTEM_TYPE(DESC_INT32);

    switch (vector) {
    case EXCP_BP:
    case EXCP_OF:
    case VEC_USER: hi |= DPL(3); break;
    case VEC_ABSENT: hi &= ~(uint32_t)ATTR_P; break;
    case VEC_IST: hi |= is_long ? 1 : 0; break;
    case VEC_BAD_SELECTOR: selector = SEL_DATA; break;
    case VEC_TRAP: hi = SYSTEM_TYPE(DESC_TRAP32); break;
    case VEC_TASK:
        if (!is_long) {
            selector = SEL_TASK;
            hi = SYSTEM_TYPE(DESC_TASK_GATE);
        }
        break;
    }
    system_write(s, at, selector << 16 | (pc & 0xffff), 4);
    system_write(s, at + 4, (pc & 0xffff0000) | hi, 4);
}

static void put_tss(System *s, SystemMode mode)
{
    if (mode == SYS_LONG || mode == SYS_COMPAT) {
        system_write(s, TSS_AT + 4, KERNEL_STACK, 8);
        system_write(s, TSS_AT + 36, IST_STACK, 8);
    } else {
        system_write(s, TSS_AT + 4, KERNEL_STACK, 4);
        system_write(s, TSS_AT + 8, SEL_DATA, 2);
    }
    /* Interrupt redirection (32 bytes) and I/O permission: ports 0x80-0x83 are free. */
    system_write(s, TSS_AT + 102, 104 + 32, 2);
    for (unsigned i = 0; i < 0x600; i++)
        system_write(s, TSS_AT + 104 + 32 + i, i == 0x80 / 8 ? 0xf0 : 0xff, 1);
    for (unsigned i = 0; i < 32; i++) /* vector 0x21 is redirected to the guest's own table */
        system_write(s, TSS_AT + 104 + i, i == 4 ? 0xfd : 0xff, 1);
    /* The other task: 32-bit code at the handler of vector 0x61. */
    system_write(s, TSS2_AT + 32, HANDLERS_AT + 0x610, 4);
    system_write(s, TSS2_AT + 36, 2, 4);
    system_write(s, TSS2_AT + 56, TASK_STACK, 4);
    for (unsigned i = 0; i < SEG_COUNT; i++)
        system_write(s, TSS2_AT + 72 + 4 * i, i == SEG_CS ? SEL_CODE32 : SEL_DATA, 4);
}

/* 4-level tables that map the first 2 MiB by 4 KiB pages. */
static void put_page_tables(System *s)
{
    uint64_t pml4 = TABLES_AT, pdpt = pml4 + 0x1000, pd = pdpt + 0x1000, pt = pd + 0x1000;

    system_write(s, pml4, pdpt | 7, 8);
    system_write(s, pdpt, pd | 7, 8);
    system_write(s, pd, pt | 7, 8);
    for (uint64_t page = 0; page < 512; page++) {
        uint64_t at = page << 12, flags = 3;

        if (at == USER_CODE || at == USER_STACK - 0x1000 || at == PAGE_USER)
            flags = 7;
        if (at == PAGE_READ_ONLY)
            flags = 5;
        if (at == PAGE_ABSENT)
            flags = 0;
        if (at == PAGE_NX)
            flags = 7 | 1ull << 63;
        if (at == PAGE_RESERVED)
            flags = 7 | 1ull << 51;
        system_write(s, pt + page * 8, at | flags, 8);
    }
}

static void put_tables(System *s, SystemMode mode)
{
    static const uint8_t hlt = 0xf4;

    put_gdt(s, mode);
    put_tss(s, mode);
    put_page_tables(s);
    for (unsigned v = 0; v < IDT_VECTORS; v++) {
        system_write(s, HANDLERS_AT + 16 * v, hlt, 1);
        put_gate(s, mode, v);
        if (mode == SYS_REAL)
            system_write(s, v * 4, HANDLERS_AT + 16 * v, 4); /* segment 0 */
    }
    if (mode == SYS_VM86) /* the guest's own table */
        system_write(s, 0x21 * 4, HANDLERS_AT + 0x620, 4);
}

/* ---- The CPU -------------------------------------------------------------------------------- */

uint32_t system_code_base(SystemMode mode, unsigned cpl)
{
    return mode == SYS_REAL || mode == SYS_VM86 || cpl == 3 ? USER_CODE : KERNEL_CODE;
}

bool system_can_run(const System *s, SystemMode mode, const char *code, size_t len)
{
    static const uint8_t sizes[] = {
        [SYS_REAL] = I16, [SYS_VM86] = I16, [SYS_PROT] = I32, [SYS_COMPAT] = I32, [SYS_LONG] = I64
    };
    DecodeMode m = { .code_size = sizes[mode],
                     .pe = mode != SYS_REAL && mode != SYS_VM86,
                     .features = UINT64_MAX };
    uint32_t words[CPUID_WORDS];
    uint64_t wanted = 0;
    Insn i;

    memset(words, 0xff, sizeof(words));
    x86_words_limit(words, accel_features(s->accel));
    for (size_t at = 0; at < len; at += i.len) {
        if (decode_insn(&m, (const uint8_t *)code + at, (uint32_t)(len - at), &i) != DECODE_OK)
            break;
        wanted |= row_features(i.desc, i.vex_l);
    }
    return !(wanted & ~decode_features(words));
}

static void load_desc(System *s, unsigned seg, uint16_t selector)
{
    uint64_t at = GDT_AT + (selector & ~7u);
    Desc d = { (uint32_t)system_read(s, at, 4), (uint32_t)system_read(s, at + 4, 4) };

    seg_set_desc(s->c, seg, selector, d);
}

static void set_segments(System *s, SystemMode mode, unsigned cpl)
{
    bool user = cpl == 3;
    uint16_t cs =
        mode == SYS_LONG ? (user ? SEL_UCODE64 : SEL_CODE64) : (user ? SEL_UCODE32 : SEL_CODE32);

    for (unsigned i = 0; i < SEG_COUNT; i++)
        load_desc(s, i, i == SEG_CS ? cs : user ? SEL_UDATA : SEL_DATA);
}

void system_setup(System *s, SystemMode mode, unsigned cpl)
{
    CpuX86 *c = s->c;
    bool is_long = mode == SYS_LONG || mode == SYS_COMPAT;

    memset(s->ram->host, 0, SYSTEM_RAM);
    address_space_written(s->machine.memory, 0, SYSTEM_RAM);
    device_reset(s->machine.root);
    s->machine.requests = 0;
    put_tables(s, mode);
    c->common.halted = c->sipi_wait = false;
    c->cr0 = CR0_ET | CR0_NE | CR0_WP;
    if (mode != SYS_REAL) {
        c->cr0 |= CR0_PE;
        c->gdt = (DescTable){ GDT_AT, GDT_LIMIT };
        c->idt = (DescTable){ IDT_AT, IDT_VECTORS * (is_long ? 16 : 8) - 1 };
        c->tr = (Segment){ .selector = SEL_TSS,
                           .base = TSS_AT,
                           .limit = 0x7ff,
                           .attr = SYSTEM_TYPE(DESC_TSS32_BUSY) };
        c->ldt = (Segment){ 0 };
        set_segments(s, mode, cpl);
    }
    if (is_long) {
        c->cr0 |= CR0_PG;
        c->cr3 = TABLES_AT;
        c->cr4 = CR4_PAE | CR4_PGE | CR4_OSFXSR;
        c->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    }
    c->regs[R_RSP] = cpl == 3 ? USER_STACK : KERNEL_STACK;
    c->cpu.pc = system_code_base(mode, cpl);
    if (mode == SYS_REAL || mode == SYS_VM86) {
        c->cpu.pc = 0;
        c->regs[R_RSP] = 0x8000;
        if (mode == SYS_VM86)
            c->eflags |= EFL_VM;
        for (unsigned i = 0; i < SEG_COUNT; i++) {
            uint16_t selector = i == SEG_CS ? USER_CODE >> 4 : (USER_STACK - 0x8000) >> 4;

            if (mode == SYS_VM86)
                seg_set_vm86(c, i, selector);
            else
                seg_set_real(c, i, selector);
        }
    }
    cpu_tlb_flush_all(&c->cpu);
    x86_update_mode(c);
    cpu_context_changed(&c->cpu);
}

static bool all_halted(System *s)
{
    for (unsigned i = 0; i < accel_cpu_count(s->accel); i++) {
        Cpu *cpu = accel_cpu(s->accel, i);

        if (!cpu_common(cpu)->halted || x86_cpu_ops.has_work(cpu))
            return false;
    }
    return true;
}

static bool process(void *opaque, bool *quit)
{
    System *s = opaque;

    *quit = s->machine.requests || ++s->slices > 200 || all_halted(s);
    return true;
}

bool system_run(System *s)
{
    s->slices = 0;
    accel_run(s->accel, process, s);
    return s->slices <= 200;
}

int system_vector(const System *s)
{
    uint64_t pc = s->c->cpu.pc - 1 - HANDLERS_AT;

    if (!(s->c->mode & X86_MODE_CS64))
        pc += s->c->segs[SEG_CS].base;
    return s->c->common.halted && pc < IDT_VECTORS * 16 && pc % 16 == 0 ? (int)(pc / 16) : -1;
}

int system_run_group(const struct CMUnitTest *tests, size_t count, const char **backend)
{
    int failed;

    *backend = NULL;
    failed = _cmocka_run_group_tests("jit", tests, count, NULL, NULL);
    *backend = "interp";
    return failed + _cmocka_run_group_tests(*backend, tests, count, NULL, NULL);
}
