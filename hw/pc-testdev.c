/* SPDX-License-Identifier: MIT */
/*
 * pc-testdev: ports and memory by which test kernels try accesses and interrupts.
 *   0xe0-0xe3      four bytes that keep what is written
 *   0xe4           drops the mapping of a page of RAM in the host (nothing that a guest sees)
 *   0xe8           a byte that keeps what is written
 *   0x2000 + n     level of interrupt line n
 *   0xff000000     64 KiB that keep what is written, but are no RAM
 */
#include "hw/test-devices.h"

#include <string.h>

#include "softmmu/bytes.h"

#define DATA_PORT    0xe0
#define FLUSH_PORT   0xe4
#define BYTE_PORT    0xe8
#define LINES_PORT   0x2000
#define MEMORY_AT    0xff000000
#define MEMORY_BYTES 0x10000

typedef struct PcTestdev {
    Device dev;
    MemRegion *ports, *memory;
    const Irq *lines;
    MemRegion data, flush, byte, levels, buffer;
    /* state */
    uint8_t data_bytes[4], byte_value;
    uint8_t buffer_bytes[MEMORY_BYTES];
} PcTestdev;

static uint64_t data_read(void *opaque, uint64_t addr, unsigned size)
{
    return get_le(((PcTestdev *)opaque)->data_bytes + addr, size);
}

static void data_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    put_le(((PcTestdev *)opaque)->data_bytes + addr, size, value);
}

static uint64_t byte_read(void *opaque, uint64_t addr, unsigned size)
{
    return ((PcTestdev *)opaque)->byte_value;
}

static void byte_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ((PcTestdev *)opaque)->byte_value = value;
}

static uint64_t nothing_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0;
}

static void nothing_written(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
}

static void level_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    irq_set(&((PcTestdev *)opaque)->lines[addr], value != 0);
}

static uint64_t buffer_read(void *opaque, uint64_t addr, unsigned size)
{
    return get_le(((PcTestdev *)opaque)->buffer_bytes + addr, size);
}

static void buffer_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    put_le(((PcTestdev *)opaque)->buffer_bytes + addr, size, value);
}

static const MemOps data_ops = { data_read, data_write, 1, 4 };
static const MemOps flush_ops = { nothing_read, nothing_written, 1, 4 };
static const MemOps byte_ops = { byte_read, byte_write, 1, 1 };
static const MemOps level_ops = { nothing_read, level_write, 1, 1 };
static const MemOps buffer_ops = { buffer_read, buffer_write, 1, 8 };

static bool realize(Device *dev, GError **error)
{
    PcTestdev *s = (PcTestdev *)dev;

    memory_init_io(&s->data, "pc-testdev-data", &data_ops, s, sizeof(s->data_bytes));
    memory_init_io(&s->flush, "pc-testdev-flush", &flush_ops, s, 4);
    memory_init_io(&s->byte, "pc-testdev-byte", &byte_ops, s, 1);
    memory_init_io(&s->levels, "pc-testdev-irq", &level_ops, s, PC_TESTDEV_LINES);
    memory_init_io(&s->buffer, "pc-testdev-memory", &buffer_ops, s, MEMORY_BYTES);
    memory_add(s->ports, DATA_PORT, 0, &s->data);
    memory_add(s->ports, FLUSH_PORT, 0, &s->flush);
    memory_add(s->ports, BYTE_PORT, 0, &s->byte);
    memory_add(s->ports, LINES_PORT, 0, &s->levels);
    memory_add(s->memory, MEMORY_AT, 0, &s->buffer);
    return true;
}

static void unrealize(Device *dev)
{
    PcTestdev *s = (PcTestdev *)dev;
    MemRegion *regions[] = { &s->data, &s->flush, &s->byte, &s->levels, &s->buffer };

    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++)
        memory_destroy(regions[i]);
}

static void reset_enter(Device *dev)
{
    PcTestdev *s = (PcTestdev *)dev;

    memset(s->data_bytes, 0, sizeof(s->data_bytes));
    s->byte_value = 0;
    memset(s->buffer_bytes, 0, sizeof(s->buffer_bytes));
}

static const StateField pc_testdev_state[] = {
    STATE_BYTES(PcTestdev, data_bytes),
    STATE_U8(PcTestdev, byte_value),
    STATE_BYTES(PcTestdev, buffer_bytes),
    STATE_END,
};

const DeviceClass pc_testdev_class = {
    .name = "pc-testdev",
    .desc = "ports and interrupts for test kernels",
    .size = sizeof(PcTestdev),
    .state = pc_testdev_state,
    .state_version = 1,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
};

Device *pc_testdev_new(Device *parent, MemRegion *ports, MemRegion *memory, const Irq *lines)
{
    PcTestdev *s = (PcTestdev *)device_new(&pc_testdev_class, parent, NULL);

    s->ports = ports;
    s->memory = memory;
    s->lines = lines;
    return &s->dev;
}
