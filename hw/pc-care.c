/* SPDX-License-Identifier: MIT */
/* Devices for tests and care: what -device asks of them, and what they ask of the machine. */
#include "hw/edu.h"
#include "hw/gsi.h"
#include "hw/i6300esb.h"
#include "hw/pc-internal.h"
#include "hw/pvpanic.h"
#include "hw/test-devices.h"
#include "hw/virtio-rng.h"
#include "softmmu/error.h"
#include "softmmu/random.h"

static bool is_first(const Device *there, GError **error)
{
    if (there)
        error_set(error, "there is one already");
    return !there;
}

static void guest_says(void *opaque, uint8_t events)
{
    PcBoard *b = opaque;

    if (events & PVPANIC_PANICKED)
        machine_request(b->m, REQUEST_PANIC);
    else
        machine_emit(b->m, "GUEST_CRASHLOADED", "{\"action\": \"run\"}");
}

bool pc_create_pvpanic(PcBoard *b, const DeviceOption *o, GError **error)
{
    uint64_t port, events;

    if (!is_first(b->pvpanic, error) ||
        !pc_get_number(o, "ioport", 0xffff, PVPANIC_DEFAULT_PORT, &port, error) ||
        !pc_get_number(o, "events", 3, 3, &events, error))
        return false;
    if (!port) {
        error_set(error, "ioport=0: no port");
        return false;
    }
    b->pvpanic_port = port;
    b->pvpanic = pvpanic_new(&b->dev, &(PvpanicWiring){ .ports = &b->m->io_root,
                                                        .base = port,
                                                        .events = events,
                                                        .happened = guest_says,
                                                        .opaque = b });
    return true;
}

bool pc_create_pc_testdev(PcBoard *b, const DeviceOption *o, GError **error)
{
    if (!is_first(b->testdev, error))
        return false;
    b->testdev =
        pc_testdev_new(&b->dev, &b->m->io_root, &b->m->memory_root, gsi_lines(b->gsi, GSI_ISA));
    return true;
}

bool pc_create_pci_testdev(PcBoard *b, const DeviceOption *o, GError **error)
{
    int devfn;

    return pc_device_slot(o, &devfn, error) && pci_testdev_new(b->pci, devfn);
}

bool pc_create_edu(PcBoard *b, const DeviceOption *o, GError **error)
{
    EduWiring w = { .memory = b->m->memory, .clock = b->m->clock };
    int devfn;

    return pc_get_number(o, "dma_mask", UINT64_MAX, EDU_DMA_MASK, &w.dma_mask, error) &&
           pc_device_slot(o, &devfn, error) && edu_new(b->pci, devfn, &w);
}

static void watchdog_expired(void *opaque)
{
    machine_watchdog(opaque);
}

bool pc_create_watchdog(PcBoard *b, const DeviceOption *o, GError **error)
{
    int devfn;

    return pc_device_slot(o, &devfn, error) &&
           i6300esb_new(b->pci, devfn, b->m->clock, watchdog_expired, b->m);
}

bool pc_create_rng(PcBoard *b, const DeviceOption *o, GError **error)
{
    Device *dev;
    int devfn;

    if (g_hash_table_lookup(o->props, "rng")) {
        error_set(error, "rng=: there are no -object; its numbers are the machine's own (-seed)");
        return false;
    }
    if (!pc_device_slot(o, &devfn, error))
        return false;
    dev =
        virtio_rng_new(b->pci, devfn, b->m->memory, b->m->config->seed, RANDOM_DEVICES + b->rngs++);
    return pc_set_virtio_registers(o, dev, error);
}
