/* SPDX-License-Identifier: MIT */
/*
 * Devices for tests and care, and small ones behind virtio: what -device asks of them, and what
 * they ask of the machine.
 */
#include <string.h>

#include "hw/edu.h"
#include "hw/gsi.h"
#include "hw/i6300esb.h"
#include "hw/pc.h"
#include "hw/edid.h"
#include "hw/pc-internal.h"
#include "hw/pvpanic.h"
#include "hw/test-devices.h"
#include "hw/virtio-balloon.h"
#include "hw/virtio-gpu.h"
#include "hw/virtio-rng.h"
#include "hw/virtio-serial.h"
#include "hw/vmcoreinfo.h"
#include "hw/vmgenid.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/random.h"

static PcBoard *board_of(Machine *m)
{
    return m->board.opaque;
}

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
           i6300esb_new(b->pci, devfn, b->m->clock, &b->smi, watchdog_expired, b->m);
}

/* Functions come and go: it is looked for each time. */
static Device *find_balloon(Machine *m)
{
    const GPtrArray *functions = pci_bus_device(board_of(m)->pci)->children;

    for (guint i = 0; i < functions->len; i++)
        if (((Device *)functions->pdata[i])->klass == &virtio_balloon_class)
            return functions->pdata[i];
    return NULL;
}

bool pc_set_balloon(Machine *m, uint64_t bytes)
{
    Device *dev = find_balloon(m);

    if (dev)
        virtio_balloon_ask(dev, bytes);
    return dev;
}

bool pc_get_balloon(Machine *m, uint64_t *bytes)
{
    const Device *dev = find_balloon(m);

    *bytes = dev ? virtio_balloon_left(dev) : 0;
    return dev;
}

bool pc_find_core_note(Machine *m, uint64_t *addr, uint32_t *size)
{
    const Device *dev = board_of(m)->vmcoreinfo;

    return dev && vmcoreinfo_find(dev, addr, size);
}

bool pc_get_generation(Machine *m, uint8_t *guid)
{
    const Device *dev = board_of(m)->vmgenid;

    if (dev)
        vmgenid_get(dev, guid);
    return dev;
}

/* What rng= names: *@source, NULL for numbers of the machine's own. */
static bool find_source(PcBoard *b, const char *id, HostRandom **source, GError **error)
{
    const GPtrArray *objects = b->m->config->objects;

    *source = id && b->m->randoms ? g_hash_table_lookup(b->m->randoms, id) : NULL;
    if (!id || *source)
        return true;
    for (guint i = 0; objects && i < objects->len; i++) {
        const DeviceOption *o = objects->pdata[i];

        if (g_str_equal(o->driver, "rng-builtin") &&
            g_str_equal(g_hash_table_lookup(o->props, "id"), id))
            return true;
    }
    error_set(error, "there is no random number generator '%s' (-object rng-random,id=)", id);
    return false;
}

bool pc_create_rng(PcBoard *b, const DeviceOption *o, GError **error)
{
    const char *rng = g_hash_table_lookup(o->props, "rng");
    HostRandom *source;
    Device *dev;
    int devfn;

    if (!find_source(b, rng, &source, error) || !pc_device_slot(o, &devfn, error))
        return false;
    if (source)
        g_hash_table_remove(b->m->randoms, rng); /* a source has one device */
    dev = virtio_rng_new(b->pci, devfn, b->m->memory, b->m->config->seed,
                         RANDOM_DEVICES + b->rngs++, source);
    return pc_set_virtio_registers(o, dev, error);
}

static void balloon_changed(void *opaque, uint64_t left)
{
    machine_emit(opaque, "BALLOON_CHANGE", "{\"actual\": %" G_GUINT64_FORMAT "}", left);
}

bool pc_create_balloon(PcBoard *b, const DeviceOption *o, GError **error)
{
    BalloonWiring w = { b->m->memory, b->m->config->ram_size, false, balloon_changed, b->m };
    int devfn;

    if (find_balloon(b->m)) {
        error_set(error, "Only one balloon device is supported");
        return false;
    }
    return pc_get_switch(o, "deflate-on-oom", &w.deflate_on_oom, error) &&
           pc_device_slot(o, &devfn, error) &&
           pc_set_virtio_registers(o, virtio_balloon_new(b->pci, devfn, &w), error);
}

/* None is the same as "auto": a number of the machine's own. */
static bool get_guid(const PcBoard *b, const char *text, uint8_t guid[16], GError **error)
{
    uint64_t seed = b->m->config->seed;

    if (!text || g_str_equal(text, "auto")) {
        put_le(guid, 8, random_number(seed, RANDOM_GENERATION, 0));
        put_le(guid + 8, 8, random_number(seed, RANDOM_GENERATION, 1));
        return true;
    }
    if (!g_uuid_string_is_valid(text)) {
        error_set(error, "guid=%s is no GUID", text);
        return false;
    }
    for (unsigned i = 0; i < 16; text += 2) {
        text += *text == '-';
        guid[i++] = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
    }
    return true;
}

bool pc_create_vmgenid(PcBoard *b, const DeviceOption *o, GError **error)
{
    uint8_t guid[16];

    if (!is_first(b->vmgenid, error) ||
        !get_guid(b, g_hash_table_lookup(o->props, "guid"), guid, error))
        return false;
    b->vmgenid = vmgenid_new(&b->dev, b->fw_cfg, b->m->memory, guid, &b->generation_event);
    return true;
}

#define MOST_PIXELS 8192 /* a side */

bool pc_create_gpu(PcBoard *b, const DeviceOption *o, GError **error)
{
    VirtioGpuWiring w = { .memory = b->m->memory, .display = b->m->display, .edid = true };
    uint64_t xres, yres;
    int devfn;

    if (!is_first(b->gpu, error) || !pc_get_number(o, "xres", MOST_PIXELS, 1280, &xres, error) ||
        !pc_get_number(o, "yres", MOST_PIXELS, 800, &yres, error) ||
        !pc_device_slot(o, &devfn, error) || !pc_get_switch(o, "edid", &w.edid, error))
        return false;
    if (w.edid && MAX(xres, yres) > EDID_MOST_PIXELS) {
        error_set(error, "a monitor tells of %u pixels a side at most (edid=off)",
                  EDID_MOST_PIXELS);
        return false;
    }
    if (!xres || !yres) {
        error_set(error, "a screen has pixels");
        return false;
    }
    w.xres = xres;
    w.yres = yres;
    w.store = ram_block_new(b->m->ram, "virtio-gpu.store", VIRTIO_GPU_STORE_SIZE, error);
    if (!w.store)
        return false;
    b->gpu = virtio_gpu_new(b->pci, devfn, &w);
    return true;
}

bool pc_create_vmcoreinfo(PcBoard *b, const DeviceOption *o, GError **error)
{
    if (b->vmcoreinfo) {
        error_set(error, "at most one vmcoreinfo device is permitted");
        return false;
    }
    b->vmcoreinfo = vmcoreinfo_new(&b->dev, b->fw_cfg);
    return true;
}

bool pc_create_serial_bus(PcBoard *b, const DeviceOption *o, GError **error)
{
    int devfn;

    if (!pc_device_slot(o, &devfn, error))
        return false;
    b->serial_bus = virtio_serial_new(b->pci, devfn, b->m->memory); /* ports go to the last one */
    return pc_set_virtio_registers(o, b->serial_bus, error);
}

static bool add_port(PcBoard *b, const DeviceOption *o, bool console, GError **error)
{
    const char *name = g_hash_table_lookup(o->props, "name");
    const char *id = g_hash_table_lookup(o->props, "chardev");
    Chardev *chr = id && b->m->chardevs ? g_hash_table_lookup(b->m->chardevs, id) : NULL;
    uint64_t number;

    if (!b->serial_bus) {
        error_set(error, "it needs a -device virtio-serial-pci before it");
        return false;
    }
    if (!pc_get_number(o, "nr", VIRTIO_SERIAL_PORTS - 1, UINT64_MAX, &number, error))
        return false;
    if (name && strlen(name) >= VIRTIO_SERIAL_NAME) {
        error_set(error, "name=%s: more than %u characters", name, VIRTIO_SERIAL_NAME - 1);
        return false;
    }
    if (virtio_serial_add_port(b->serial_bus, (int)number, console, name, chr))
        return true;
    error_set(error, "no such port is free: there are %u, the first one for a console",
              VIRTIO_SERIAL_PORTS);
    return false;
}

bool pc_create_console(PcBoard *b, const DeviceOption *o, GError **error)
{
    return add_port(b, o, true, error);
}

bool pc_create_serial_port(PcBoard *b, const DeviceOption *o, GError **error)
{
    return add_port(b, o, false, error);
}
