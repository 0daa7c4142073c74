/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/device-ops.h"

#include <inttypes.h>

#include "hw/i8042.h"

static void type_chars(const Op *op, Board *b)
{
    uint8_t bytes[256];

    for (unsigned i = 0; i < op->size; i++)
        bytes[i] = op->value >> 8 * (i & 7);
    chardev_memory_input(b->m.serial[op->addr], bytes, op->size);
}

static Device *find_device(Device *dev, const DeviceClass *klass)
{
    Device *found = dev->klass == klass ? dev : NULL;

    for (guint i = 0; !found && i < dev->children->len; i++)
        found = find_device(dev->children->pdata[i], klass);
    return found;
}

static void move_mouse(const Op *op, Board *b)
{
    int delta = (int32_t)op->addr;

    i8042_mouse(find_device(b->m.root, &i8042_class), delta, -(delta / 2), delta & 3, op->value);
}

static uint64_t look_at_screens(Board *b)
{
    Surface s = { 0 };
    uint64_t hash = 0;

    for (unsigned n = 0; n < display_count(b->m.display); n++) {
        display_draw(b->m.display, n, &s, true);
        hash = state_hash_bytes(s.pixels, 4 * (size_t)s.width * s.height, hash);
    }
    surface_clear(&s);
    return hash;
}

static uint64_t print_everything(Board *b)
{
    g_autoptr(GString) out = g_string_new(NULL);
    MemPrint p = { .out = out };

    pc_print_ioapic(&b->m, out);
    pc_print_pci(&b->m, out);
    for (unsigned n = 0; n < BOARD_CPUS; n++)
        pc_print_lapic(&b->m, n, out);
    display_print_text(b->m.display, out);
    address_space_print_flat(b->m.memory, NULL, out);
    address_space_print(b->m.memory, NULL, &p);
    memory_print_named(&p);
    address_space_print_flat(b->m.io, NULL, out);
    device_tree_print(b->m.root, out);
    return state_hash_bytes(out->str, out->len, look_at_screens(b));
}

/* What goes to one of the CPUs' own pieces of the board. */
static uint64_t run_cpu_op(const Op *op, Board *b)
{
    const BoardOps *board = &b->m.board;
    uint64_t value = 0;
    bool ok;

    switch (op->kind) {
    case OP_CPU: b->cpus.now = op->addr; return 0;
    case OP_ACKNOWLEDGE: return board->acknowledge(board->opaque, op->addr);
    case OP_READ_MSR:
        ok = board->apic_read_msr(board->opaque, op->size, op->addr, &value);
        return ok ? value : ~value;
    case OP_WRITE_MSR: return board->apic_write_msr(board->opaque, op->size, op->addr, op->value);
    case OP_TPR:
        board->apic_set_tpr(board->opaque, op->addr, op->value);
        return board->apic_get_tpr(board->opaque, op->addr);
    case OP_TSC_DEADLINE:
        board->apic_set_tsc_deadline(board->opaque, op->addr, op->value);
        return 0;
    case OP_FERR: board->ferr(board->opaque, op->value); return 0;
    case OP_CPU_RESET: board->apic_reset(board->opaque, op->addr, op->value); return 0;
    }
    g_assert_not_reached();
}

bool op_run(const Op *op, Board *b, uint64_t *answer)
{
    Machine *m = &b->m;

    *answer = 0;
    switch (op->kind) {
    case OP_IN: *answer = address_space_read(m->io, op->addr, op->size); break;
    case OP_OUT: address_space_write(m->io, op->addr, op->value, op->size); break;
    case OP_READ: *answer = address_space_read(m->memory, op->addr, op->size); break;
    case OP_WRITE: address_space_write(m->memory, op->addr, op->value, op->size); break;
    case OP_ADVANCE: return board_advance(b, op->value, true);
    case OP_SLEEP: return board_advance(b, op->value, false);
    case OP_CHARS: type_chars(op, b); break;
    case OP_KEY: i8042_key(find_device(m->root, &i8042_class), op->addr, op->value); break;
    case OP_MOUSE: move_mouse(op, b); break;
    case OP_POWER: (op->value ? pc_wakeup : pc_powerdown)(m); break;
    case OP_FRAME: board_host_frame(&b->host, m, op->addr, op->value); break;
    case OP_MEDIUM: board_host_medium(&b->host, m, op->addr, op->value); break;
    case OP_RESET:
        device_reset(m->root);
        m->requests = 0;
        break;
    case OP_PRINT: *answer = print_everything(b); break;
    default: *answer = run_cpu_op(op, b);
    }
    return true;
}

void op_print(const Op *op, FILE *out)
{
    static const char *const names[OP_KINDS] = {
        "in",    "out",    "read",         "write", "advance",     "sleep",
        "chars", "key",    "mouse",        "cpu",   "acknowledge", "rdmsr",
        "wrmsr", "tpr",    "tsc-deadline", "ferr",  "cpu-reset",   "power",
        "frame", "medium", "reset",        "print", "round-trip",  "migrate",
    };

    fprintf(out, "  %-12s size %-2u addr 0x%-10" PRIx64 " value 0x%" PRIx64 "\n", names[op->kind],
            op->size, op->addr, op->value);
}
