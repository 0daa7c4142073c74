/* SPDX-License-Identifier: MIT */
#include "softmmu/program/build.h"

#include <sys/mman.h>

#include "accel/accel.h"
#include "accel/plugin/plugin.h"
#include "accel/session.h"
#include "accel/travel.h"
#include "hw/pc.h"
#include "softmmu/error.h"
#include "target-i386/cpu.h"
#include "target-i386/mce.h"
#include "target-i386/print.h"

void build_begin(Built *b, const MachineConfig *config)
{
    *b = (Built){ 0 };
    machine_init(&b->machine, config);
    b->machine.display = display_new();
}

/* @advice: of madvise(); a wish only. */
static void advise_on_ram(RamSet *ram, int advice)
{
    const GPtrArray *blocks = ram_set_blocks(ram);

    for (guint i = 0; i < blocks->len; i++) {
        const RamBlock *block = blocks->pdata[i];

        madvise(block->host, block->size, advice);
    }
}

bool build_finish(Built *b, GError **error)
{
    Machine *m = &b->machine;

    b->accel = accel_new(m, &x86_cpu_ops, error);
    if (!b->accel || !x86_cpus_create(m, b->accel, &b->bus, error))
        return false;
    m->cpus = &b->bus;
    m->hid = hid_new(m->root, m->clock, m->input);
    b->has_board = !machine_is_empty(m->config) && pc_board_create(m, error);
    if (!b->has_board && !machine_is_empty(m->config))
        return false;
    if (!m->config->ram_in_core)
        advise_on_ram(m->ram, MADV_DONTDUMP);
    if (m->config->ram_merge)
        advise_on_ram(m->ram, MADV_MERGEABLE);
    device_reset(m->root);
    b->shape = device_tree_shape(m->root);
    return true;
}

void build_free(Built *b)
{
    Machine *m = &b->machine;

    if (b->has_board)
        pc_board_free(m);
    device_free(m->root);
    display_free(m->display);
    if (b->accel)
        accel_free(b->accel);
    machine_destroy(m);
    g_free(b->recording);
    g_strfreev(b->shape);
}

bool build_cancel_travel(Machine *m)
{
    Accel *a = ((Built *)((char *)m - offsetof(Built, machine)))->accel;
    bool under_way = travel_is_under_way(a);

    travel_cancel(a);
    return under_way;
}

/* ---- For the monitor ------------------------------------------------------------------------- */

static unsigned cpu_count(void *opaque)
{
    return accel_cpu_count(((Built *)opaque)->accel);
}

static Cpu *cpu_of(void *opaque, unsigned n)
{
    return accel_cpu(((Built *)opaque)->accel, n);
}

static void print_registers(void *opaque, unsigned n, GString *out)
{
    x86_cpu_ops.print_registers(cpu_of(opaque, n), out);
}

static bool peek(void *opaque, unsigned n, uint64_t addr, void *buf, size_t len)
{
    return cpu_peek(cpu_of(opaque, n), addr, buf, len);
}

static unsigned code_bits(void *opaque, unsigned n)
{
    const CpuX86 *c = x86(cpu_of(opaque, n));

    return c->mode & X86_MODE_CS64 ? 64 : c->mode & X86_MODE_CS32 ? 32 : 16;
}

/* Names as gdb and the manuals spell them; the 16- and 32-bit ones are not needed to look around.
 */
static bool get_register(void *opaque, unsigned n, const char *name, uint64_t *value)
{
    static const char *const gprs[] = { "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                        "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15" };
    static const char *const gprs32[] = { "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi" };
    static const char *const segs[SEG_COUNT] = { "es", "cs", "ss", "ds", "fs", "gs" };
    CpuX86 *c = x86(cpu_of(opaque, n));

    for (size_t i = 0; i < G_N_ELEMENTS(gprs); i++) {
        if (g_str_equal(name, gprs[i]) || (i < 8 && g_str_equal(name, gprs32[i]))) {
            *value = name[0] == 'e' ? (uint32_t)c->regs[i] : c->regs[i];
            return true;
        }
    }
    if (g_str_equal(name, "pc")) { /* where memory has the next instruction */
        *value = c->cpu.pc + (x86_is_64bit_code(c) ? 0 : c->segs[SEG_CS].base);
        return true;
    }
    if (g_str_equal(name, "rip") || g_str_equal(name, "eip")) {
        *value = c->cpu.pc;
        return true;
    }
    for (size_t i = 0; i < SEG_COUNT; i++) {
        if (g_str_equal(name, segs[i])) {
            *value = c->segs[i].selector;
            return true;
        }
    }
    if (g_str_equal(name, "fs_base") || g_str_equal(name, "gs_base")) {
        *value = c->segs[name[0] == 'f' ? SEG_FS : SEG_GS].base;
        return true;
    }
    if (g_str_equal(name, "eflags") || g_str_equal(name, "rflags")) {
        *value = x86_get_eflags(c);
        return true;
    }
    return false;
}

static bool machine_check(void *opaque, const MonitorMachineCheck *e, GError **error)
{
    X86MachineCheck own = { e->bank, e->status, e->mcg_status, e->addr, e->misc };
    CpuX86 *c = x86(cpu_of(opaque, e->cpu));

    if (!machine_has_cpu(c->machine, e->cpu)) {
        error_set(error, "CPU#%u is not plugged in", e->cpu);
        return false;
    }
    if (e->broadcast && !x86_can_broadcast_machine_check(c)) {
        error_set(error, "Guest CPU does not support MCA broadcast");
        return false;
    }
    if (!x86_machine_check(c, &own, error))
        return false;
    for (unsigned n = 0; e->broadcast && n < cpu_count(opaque); n++)
        if (n != e->cpu && machine_has_cpu(x86(cpu_of(opaque, n))->machine, n))
            x86_hear_machine_check(x86(cpu_of(opaque, n)));
    return true;
}

static bool translate(void *opaque, unsigned n, uint64_t addr, uint64_t *phys)
{
    Cpu *cpu = cpu_of(opaque, n);
    CpuPage page;

    if (!cpu->ops->walk(cpu, addr, ACCESS_READ, 0, true, &page))
        return false;
    *phys = page.phys | (addr & 0xfff);
    return true;
}

/* ---- The board, if there is one ---------------------------------------------------------------
 */

static Built *built_of(Machine *m)
{
    return (Built *)((char *)m - offsetof(Built, machine));
}

static bool needs_board(Machine *m, GError **error)
{
    if (!built_of(m)->has_board)
        error_set(error, "this machine is empty");
    return built_of(m)->has_board;
}

static bool set_boot_order(Machine *m, const char *order, GError **error)
{
    return needs_board(m, error) && pc_set_boot_order(m, order, error);
}

static bool device_add(Machine *m, const DeviceOption *o, GError **error)
{
    return needs_board(m, error) &&
           pc_device_add(m, o, session_is_replay(built_of(m)->accel), error);
}

static bool device_del(Machine *m, const char *id, GError **error)
{
    return needs_board(m, error) && pc_device_del(m, id, error);
}

static const char *cpu_id(Machine *m, unsigned n)
{
    return built_of(m)->has_board ? pc_cpu_id(m, n) : "";
}

static bool set_balloon(Machine *m, uint64_t bytes)
{
    return built_of(m)->has_board && pc_set_balloon(m, bytes);
}

static bool get_balloon(Machine *m, uint64_t *bytes)
{
    return built_of(m)->has_board && pc_get_balloon(m, bytes);
}

static bool find_core_note(Machine *m, uint64_t *addr, uint32_t *size)
{
    return built_of(m)->has_board && pc_find_core_note(m, addr, size);
}

const MonitorBoard build_monitor_board = {
    .set_boot_order = set_boot_order,
    .device_add = device_add,
    .device_del = device_del,
    .cpu_id = cpu_id,
    .set_balloon = set_balloon,
    .get_balloon = get_balloon,
    .find_core_note = find_core_note,
};

void build_powerdown(Machine *m)
{
    if (built_of(m)->has_board)
        pc_powerdown(m);
}

void build_wakeup(Machine *m)
{
    if (built_of(m)->has_board)
        pc_wakeup(m);
}

static void print_tlb(void *opaque, unsigned n, GString *out)
{
    x86_print_tlb(x86(cpu_of(opaque, n)), out);
}

static void print_mem(void *opaque, unsigned n, GString *out)
{
    x86_print_mem(x86(cpu_of(opaque, n)), out);
}

static void log_changed(void *opaque)
{
    accel_flush_code(((Built *)opaque)->accel);
}

static void set_one_insn(void *opaque, bool on)
{
    accel_set_one_insn(((Built *)opaque)->accel, on);
}

static bool one_insn(void *opaque)
{
    return accel_one_insn(((Built *)opaque)->accel);
}

static bool load_plugin(void *opaque, const char *spec, GError **error)
{
    return plugin_load(((Built *)opaque)->accel, spec, error);
}

static bool unload_plugin(void *opaque, const char *name, GError **error)
{
    return plugin_unload(((Built *)opaque)->accel, name, error);
}

MonitorCpus build_monitor_cpus(Built *b)
{
    return (MonitorCpus){
        .count = cpu_count,
        .print_registers = print_registers,
        .get_register = get_register,
        .peek = peek,
        .code_bits = code_bits,
        .log_changed = log_changed,
        .set_one_insn = set_one_insn,
        .one_insn = one_insn,
        .plugin_load = load_plugin,
        .plugin_unload = unload_plugin,
        .machine_check = machine_check,
        .translate = translate,
        .print_tlb = print_tlb,
        .print_mem = print_mem,
        .opaque = b,
    };
}

static void print_pci(Machine *m, const char *args, GString *out)
{
    if (built_of(m)->has_board)
        pc_print_pci(m, out);
}

static void print_pic(Machine *m, const char *args, GString *out)
{
    if (built_of(m)->has_board)
        pc_print_ioapic(m, out);
}

static void print_lapic(Machine *m, const char *args, GString *out)
{
    uint64_t n = g_ascii_strtoull(args, NULL, 0);

    if (n < m->cpus->count && built_of(m)->has_board)
        pc_print_lapic(m, n, out);
    else
        g_string_append(out, "invalid CPU index\n");
}

static void print_irqs(Machine *m, const char *args, GString *out)
{
    if (built_of(m)->has_board)
        pc_print_irqs(m, out);
}

static void print_roms(Machine *m, const char *args, GString *out)
{
    if (built_of(m)->has_board)
        pc_print_roms(m, out);
}

static void print_jit(Machine *m, const char *args, GString *out)
{
    Built *b = (Built *)((char *)m - offsetof(Built, machine));

    accel_print_stats(b->accel, out);
}

static void print_plugins(Machine *m, const char *args, GString *out)
{
    Built *b = (Built *)((char *)m - offsetof(Built, machine));

    plugin_list(b->accel, out);
}

static void print_screen(Machine *m, const char *args, GString *out)
{
    if (!display_print_text(m->display, out))
        g_string_append(out, "it shows no text\n");
}

const MonitorTopic build_monitor_topics[] = {
    { "screen", "", "text that the graphics card shows", print_screen },
    { "pci", "", "PCI devices", print_pci },
    { "pic", "", "interrupt controllers", print_pic },
    { "irq", "", "how often interrupt lines went up", print_irqs },
    { "roms", "", "firmware, ROMs and tables", print_roms },
    { "lapic", "[cpu]", "local APIC of a CPU (default 0)", print_lapic },
    { "jit", "", "what the translator and its caches did", print_jit },
    { "plugins", "", "plugins that are loaded", print_plugins },
    { NULL },
};
