/* SPDX-License-Identifier: MIT */
/*
 * isa-debug-exit: a port that ends the machine. Writing v exits with status (v << 1) | 1.
 * Not a real chip; the convention is that of kernel test harnesses.
 */
#include "hw/debug-devices.h"

typedef struct DebugExit {
    Device dev;
    MemRegion *parent_ports;
    uint32_t base, size;
    void (*quit)(void *opaque, int status);
    void *opaque;
    MemRegion ports;
} DebugExit;

static uint64_t debug_exit_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0;
}

static void debug_exit_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    DebugExit *s = opaque;

    s->quit(s->opaque, (int)(uint32_t)(value << 1 | 1));
}

static const MemOps debug_exit_ops = { debug_exit_read, debug_exit_write, 1, 4 };

static bool realize(Device *dev, GError **error)
{
    DebugExit *s = (DebugExit *)dev;

    memory_init_io(&s->ports, "isa-debug-exit", &debug_exit_ops, s, s->size);
    memory_add(s->parent_ports, s->base, 0, &s->ports);
    return true;
}

static void unrealize(Device *dev)
{
    DebugExit *s = (DebugExit *)dev;

    memory_destroy(&s->ports);
}

static const StateField debug_exit_state[] = { STATE_END };

const DeviceClass debug_exit_class = {
    .name = "isa-debug-exit",
    .desc = "port whose written value ends the machine",
    .size = sizeof(DebugExit),
    .state = debug_exit_state,
    .realize = realize,
    .unrealize = unrealize,
};

Device *debug_exit_new(Device *parent, MemRegion *ports, uint32_t base, uint32_t size,
                       void (*quit)(void *opaque, int status), void *opaque)
{
    DebugExit *s = (DebugExit *)device_new(&debug_exit_class, parent, NULL);

    s->parent_ports = ports;
    s->base = base;
    s->size = size;
    s->quit = quit;
    s->opaque = opaque;
    return &s->dev;
}
