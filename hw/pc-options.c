/* SPDX-License-Identifier: MIT */
/* Devices that the command line adds to the board: one row per driver. */
#include <stdio.h>
#include <string.h>

#include "hw/debug-devices.h"
#include "hw/pc-internal.h"
#include "hw/pc.h"
#include "hw/virtio.h"
#include "softmmu/error.h"

typedef struct DeviceDriver {
    const char *name, *desc, *bus;
    const char *const *props;
    bool (*create)(PcBoard *b, const DeviceOption *o, GError **error);
    bool stays; /* it neither comes nor goes while the machine runs, though its bus would let it */
} DeviceDriver;

bool pc_get_number(const DeviceOption *o, const char *name, uint64_t max, uint64_t fallback,
                   uint64_t *value, GError **error)
{
    const char *text = o->props ? g_hash_table_lookup(o->props, name) : NULL;
    char *end;

    *value = fallback;
    if (!text)
        return true;
    *value = g_ascii_strtoull(text, &end, 0);
    if (!g_ascii_isdigit(text[0]) || *end || *value > max) {
        error_set(error, "'%s=%s' is not a number up to 0x%" G_GINT64_MODIFIER "x", name, text,
                  max);
        return false;
    }
    return true;
}

static void quit(void *opaque, int status)
{
    machine_request_end(opaque, status);
}

static bool create_debug_exit(PcBoard *b, const DeviceOption *o, GError **error)
{
    uint64_t base, size;

    if (!pc_get_number(o, "iobase", 0xffff, 0x501, &base, error) ||
        !pc_get_number(o, "iosize", 0x100, 2, &size, error))
        return false;
    if (!size || base + size > 0x10000) {
        error_set(error, "ports beyond 0xffff, or none");
        return false;
    }
    debug_exit_new(&b->dev, &b->m->io_root, base, size, quit, b->m);
    return true;
}

static bool create_debugcon(PcBoard *b, const DeviceOption *o, GError **error)
{
    uint64_t base, readback;

    if (!pc_get_number(o, "iobase", 0xffff, 0xe9, &base, error) ||
        !pc_get_number(o, "readback", 0xff, 0xe9, &readback, error))
        return false;
    if (!b->m->debugcon) {
        error_set(error, "Can't create isa-debugcon device, empty char device");
        return false;
    }
    debugcon_new(&b->dev, &b->m->io_root, base, readback, b->m->debugcon);
    return true;
}

/* "on", "off"; @value stays as it is where it is not given or "auto". */
bool pc_get_switch(const DeviceOption *o, const char *name, bool *value, GError **error)
{
    const char *text = g_hash_table_lookup(o->props, name);

    if (!text || g_str_equal(text, "auto"))
        return true;
    *value = g_str_equal(text, "on") || g_str_equal(text, "true");
    if (*value || g_str_equal(text, "off") || g_str_equal(text, "false"))
        return true;
    error_set(error, "%s=%s is none of on, off, auto", name, text);
    return false;
}

bool pc_set_virtio_registers(const DeviceOption *o, Device *dev, GError **error)
{
    VirtioDevice *v = (VirtioDevice *)dev;

    return pc_get_switch(o, "disable-legacy", &v->no_legacy, error) &&
           pc_get_switch(o, "disable-modern", &v->no_modern, error);
}

bool pc_device_slot(const DeviceOption *o, int *devfn, GError **error)
{
    const char *addr = g_hash_table_lookup(o->props, "addr");
    unsigned slot = 0, fn = 0;
    int end = -1;

    *devfn = -1;
    if (!addr)
        return true;
    if (sscanf(addr, "%x%n.%u%n", &slot, &end, &fn, &end) < 1 || addr[end] || slot > 31 || fn > 7) {
        error_set(error, "addr=%s is not SLOT[.FUNCTION]", addr);
        return false;
    }
    *devfn = PCI_DEVFN(slot, fn);
    return true;
}

static bool create_ide_disk(PcBoard *b, const DeviceOption *o, GError **error)
{
    return pc_create_ide_device(b, o, false, error);
}

static bool create_ide_cdrom(PcBoard *b, const DeviceOption *o, GError **error)
{
    return pc_create_ide_device(b, o, true, error);
}

#define VIRTIO_PROPS "disable-legacy", "disable-modern"
#define IDE_PROPS                                                                              \
    (const char *const[])                                                                      \
    {                                                                                          \
        "drive", "bus", "unit", "serial", "model", "ver", "wwn", "rotation_rate", "bootindex", \
            "write-cache", NULL                                                                \
    }

#define VGA_PROPS                                         \
    (const char *const[])                                 \
    {                                                     \
        "addr", "vgamem_mb", "edid", "xres", "yres", NULL \
    }

static const DeviceDriver drivers[] = {
    { "ide-hd", "ATA disk", "IDE", IDE_PROPS, create_ide_disk },
    { "ide-cd", "ATAPI CD-ROM", "IDE", IDE_PROPS, create_ide_cdrom },
    { "e1000", "Intel 82540EM gigabit Ethernet", "PCI",
      (const char *const[]){ "netdev", "mac", "addr", "bootindex", NULL }, pc_create_net_device },
    { "ne2k_pci", "Realtek RTL8029AS: an NE2000 on PCI", "PCI",
      (const char *const[]){ "netdev", "mac", "addr", "bootindex", NULL }, pc_create_net_device },
    { "rtl8139", "Realtek RTL8139C+ Fast Ethernet", "PCI",
      (const char *const[]){ "netdev", "mac", "addr", "bootindex", NULL }, pc_create_net_device },
    { "virtio-net-pci", "network card behind virtio", "PCI",
      (const char *const[]){ "netdev", "mac", "addr", "bootindex", VIRTIO_PROPS, NULL },
      pc_create_net_device },
    { "virtio-blk-pci", "disk behind virtio", "PCI",
      (const char *const[]){ "drive", "serial", "addr", "bootindex", "write-cache", VIRTIO_PROPS,
                             NULL },
      pc_create_virtio_disk },
    { "virtio-rng-pci", "random numbers behind virtio", "PCI",
      (const char *const[]){ "addr", "rng", VIRTIO_PROPS, NULL }, pc_create_rng },
    { "virtio-balloon-pci", "memory balloon behind virtio", "PCI",
      (const char *const[]){ "addr", "deflate-on-oom", VIRTIO_PROPS, NULL }, pc_create_balloon },
    { "virtio-gpu-pci", "screen behind virtio", "PCI",
      (const char *const[]){ "addr", "edid", "xres", "yres", NULL }, pc_create_gpu, .stays = true },
    { "VGA", "PCI VGA with Bochs VBE", "PCI", VGA_PROPS, pc_create_vga_device, .stays = true },
    { "cirrus-vga", "Cirrus Logic CL-GD5446", "PCI", (const char *const[]){ "addr", NULL },
      pc_create_vga_device, .stays = true },
    { "isa-vga", "ISA VGA with Bochs VBE", "ISA", (const char *const[]){ "vgamem_mb", NULL },
      pc_create_vga_device },
    { "secondary-vga", "Bochs VBE as a further screen", "PCI", VGA_PROPS, pc_create_vga_device,
      .stays = true },
    { "bochs-display", "frame buffer with Bochs VBE", "PCI", VGA_PROPS, pc_create_vga_device,
      .stays = true },
    { "vmcoreinfo", "where the guest tells of its crash note", "none",
      (const char *const[]){ NULL }, pc_create_vmcoreinfo },
    { "vmgenid", "number of the machine's generation", "none",
      (const char *const[]){ "guid", NULL }, pc_create_vmgenid },
    { "virtio-serial-pci", "consoles and ports for programs behind virtio", "PCI",
      (const char *const[]){ "addr", VIRTIO_PROPS, NULL }, pc_create_serial_bus },
    { "virtconsole", "console of a virtio-serial-pci", "virtio-serial-bus",
      (const char *const[]){ "chardev", "name", "nr", NULL }, pc_create_console },
    { "virtserialport", "port of a virtio-serial-pci for programs", "virtio-serial-bus",
      (const char *const[]){ "chardev", "name", "nr", NULL }, pc_create_serial_port },
    { "i6300esb", "Intel 6300ESB watchdog", "PCI", (const char *const[]){ "addr", NULL },
      pc_create_watchdog },
    { "edu", "device to learn drivers by", "PCI", (const char *const[]){ "addr", "dma_mask", NULL },
      pc_create_edu },
    { "pci-testdev", "BARs that count writes, for test programs", "PCI",
      (const char *const[]){ "addr", NULL }, pc_create_pci_testdev },
    { "pc-testdev", "ports and interrupts for test kernels", "ISA", (const char *const[]){ NULL },
      pc_create_pc_testdev },
    { "pvpanic", "port by which a guest tells that it has panicked", "ISA",
      (const char *const[]){ "ioport", "events", NULL }, pc_create_pvpanic },
    { "isa-debug-exit", "port whose written value ends the machine", "ISA",
      (const char *const[]){ "iobase", "iosize", NULL }, create_debug_exit },
    { "isa-debugcon", "port that writes to a character device", "ISA",
      (const char *const[]){ "iobase", "readback", "chardev", NULL }, create_debugcon },
};

static const DeviceDriver *find_driver(const char *name, GError **error)
{
    g_autofree char *on_pci = g_strconcat(name, "-pci", NULL); /* "virtio-rng" is one of these */

    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++)
        if (g_str_equal(drivers[i].name, name) || g_str_equal(drivers[i].name, on_pci))
            return &drivers[i];
    error_set(error, "'%s' is not a valid device model name (-device help lists them)", name);
    return NULL;
}

/* What properties of any device are. */
static const PcProperty prop_rows[] = {
    { "addr", "int32", "Slot and optional function number, example: 06.0 or 06 (default: -1)" },
    { "bootindex", "int32", "firmware tries the lowest first" },
    { "bus", "str", "ide.0 or ide.1" },
    { "chardev", "str", "ID of a chardev to use as a backend" },
    { "deflate-on-oom", "bool", "on/off (default: off)" },
    { "disable-legacy", "OnOffAuto", "on/off/auto (default: auto)" },
    { "disable-modern", "bool", "on/off (default: off)" },
    { "dma_mask", "uint64", "of addresses in memory (default: 268435455)" },
    { "drive", "str", "Node name or ID of a block device to use as a backend" },
    { "edid", "bool", "does the monitor tell of itself? (default: on)" },
    { "events", "uint8", "that are offered (default: 3)" },
    { "guid", "str", "of this generation, as XXXXXXXX-XXXX-…, or auto" },
    { "iobase", "uint32", "the first port" },
    { "ioport", "uint16", "the port (default: 1285)" },
    { "iosize", "uint32", "number of ports (default: 2)" },
    { "multifunction", "bool", "do others share its slot? (default: off)" },
    { "mac", "str", "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56" },
    { "model", "str", "what it is called, up to 40 characters" },
    { "name", "str", "by which programs of the guest find it" },
    { "netdev", "str", "ID of a netdev to use as a backend" },
    { "nr", "uint32", "number of the port" },
    { "readback", "uint32", "what reading gives (default: 233)" },
    { "rng", "link<rng-backend>", "ID of an -object (default: numbers of the machine's own)" },
    { "rombar", "uint32", "0: its ROM is one of firmware's files (default: 1)" },
    { "romfile", "str", "ROM that firmware runs" },
    { "rotation_rate", "uint16", "per minute; 1: an SSD (default: 0, not told)" },
    { "serial", "str", "number that the guest is told" },
    { "unit", "uint32", "0 or 1" },
    { "ver", "str", "of its firmware, up to 8 characters" },
    { "vgamem_mb", "uint32", "of video memory (default: 16)" },
    { "write-cache", "OnOffAuto", "does it hold back what is written? (default: auto)" },
    { "wwn", "uint64", "world wide name (default: 0, none)" },
    { "xres", "uint32", "width that is best (default: 1280)" },
    { "yres", "uint32", "height that is best (default: 800)" },
};

/* Those of all devices there. */
static const char *const *bus_props(const DeviceDriver *d)
{
    static const char *const of_pci[] = { "multifunction", "rombar", "romfile", NULL };

    return g_str_equal(d->bus, "PCI") ? of_pci : of_pci + G_N_ELEMENTS(of_pci) - 1;
}

static const PcProperty *find_prop(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(prop_rows); i++)
        if (g_str_equal(prop_rows[i].name, name))
            return &prop_rows[i];
    g_assert_not_reached(); /* every property has a row */
}

static void print_prop(const char *name, GString *out)
{
    const PcProperty *p = find_prop(name);
    g_autofree char *typed = g_strdup_printf("%s=<%s>", name, p->type);

    g_string_append_printf(out, "  %-22s - %s\n", typed, p->desc);
}

bool pc_print_device_props(const char *driver, GString *out, GError **error)
{
    const DeviceDriver *d = find_driver(driver, error);

    if (!d) {
        g_prefix_error(error, "-device %s: ", driver);
        return false;
    }
    g_string_append_printf(out, "%s options:\n", d->name);
    for (const char *const *p = d->props; *p; p++)
        print_prop(*p, out);
    for (const char *const *p = bus_props(d); *p; p++)
        print_prop(*p, out);
    return true;
}

void pc_print_device_help(GString *out)
{
    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++)
        g_string_append_printf(out, "name \"%s\", bus %s, desc \"%s\"\n", drivers[i].name,
                               drivers[i].bus, drivers[i].desc);
}

void pc_each_driver(void (*f)(void *opaque, const char *name, const char *bus), void *opaque)
{
    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++)
        f(opaque, drivers[i].name, drivers[i].bus);
}

bool pc_each_property(const char *driver, void (*f)(void *opaque, const PcProperty *p),
                      void *opaque)
{
    const DeviceDriver *d = NULL;

    for (guint i = 0; i < G_N_ELEMENTS(drivers); i++)
        if (g_str_equal(drivers[i].name, driver))
            d = &drivers[i];
    for (const char *const *p = d ? d->props : NULL; p && *p; p++)
        f(opaque, find_prop(*p));
    for (const char *const *p = d ? bus_props(d) : NULL; p && *p; p++)
        f(opaque, find_prop(*p));
    return d;
}

/* There is one of each; IDE has two, of which a disk chooses. */
static bool check_bus(const DeviceDriver *d, const char *bus, GError **error)
{
    const char *only = g_str_equal(d->bus, "PCI") ? "pci.0" : "isa.0";

    if (g_str_equal(d->bus, "IDE") || g_str_equal(bus, only))
        return true;
    error_set(error, "Bus '%s' not found", bus);
    return false;
}

/* What the guest has written waits for a flush: it may not be told otherwise. */
static bool check_write_cache(const char *value, GError **error)
{
    if (!g_str_equal(value, "off"))
        return true;
    error_set(error,
              "write-cache=off is not supported; -drive cache=writethrough does what it asks for");
    return false;
}

static bool check_prop(const DeviceDriver *d, const char *name, const char *value, GError **error)
{
    if (g_str_equal(name, "bus"))
        return check_bus(d, value, error);
    if (!g_strv_contains(d->props, name) && !g_strv_contains(bus_props(d), name) &&
        !g_str_equal(name, "id")) {
        error_set(error, "Property '%s.%s' not found", d->name, name);
        return false;
    }
    return !g_str_equal(name, "write-cache") || check_write_cache(value, error);
}

static bool check_props(const DeviceDriver *d, const DeviceOption *o, GError **error)
{
    GHashTableIter iter;
    gpointer key, value;

    if (!o->props)
        return true;
    g_hash_table_iter_init(&iter, o->props);
    while (g_hash_table_iter_next(&iter, &key, &value)) {
        if (!check_prop(d, key, value, error))
            return false;
    }
    return true;
}

static Device *find_child(const Device *parent, const char *id)
{
    for (guint i = 0; i < parent->children->len; i++) {
        Device *dev = parent->children->pdata[i];

        if (g_str_equal(dev->id, id))
            return dev;
    }
    return NULL;
}

/* By its name a function is found again; there is none like it on the bus. */
static bool check_name(const Device *bus, const char *id, GError **error)
{
    if (id && !device_check_id(id, error))
        return false;
    if (id && find_child(bus, id)) {
        error_set(error, "Duplicate device ID '%s'", id);
        return false;
    }
    return true;
}

static void name_device(Device *dev, const char *id)
{
    g_free(dev->id);
    dev->id = g_strdup(id);
    dev->named = true;
}

static bool has_own_rom(const DeviceDriver *d)
{
    return d->create == pc_create_net_device || d->create == pc_create_vga_device;
}

/* Cards of networks and screens, which have a ROM of their own, have seen to it themselves. */
static bool apply_bus_props(PcBoard *b, const DeviceDriver *driver, const DeviceOption *o,
                            PciDevice *d, GError **error)
{
    g_autofree char *block = g_strdup_printf("%s.rom", d->dev.id);
    RomChoice rom = { .block = block };

    if (!pc_get_switch(o, "multifunction", &d->multifunction, error))
        return false;
    if (d->rom || !g_hash_table_contains(o->props, "romfile") || has_own_rom(driver))
        return true;
    return pc_rom_choice(o, &rom, error) && pc_load_rom(b, &rom, &d->rom, error);
}

bool pc_create_device(PcBoard *b, const DeviceOption *o, bool hot, GError **error)
{
    const DeviceDriver *d = find_driver(o->driver, error);
    const GPtrArray *functions = pci_bus_device(b->pci)->children;
    const char *id = g_hash_table_lookup(o->props, "id");
    guint before = functions->len;
    DeviceOption own = { .driver = (char *)(d ? d->name : ""), .props = o->props };

    if (!d || !check_props(d, o, error) || !check_name(pci_bus_device(b->pci), id, error))
        return false;
    if (hot && d->stays) {
        error_set(error, "Device '%s' does not support hotplugging", d->name);
        return false;
    }
    if (hot && !g_str_equal(d->bus, "PCI")) {
        error_set(error, "Bus '%s' does not support hotplugging", d->bus);
        return false;
    }
    if (!d->create(b, &own, error))
        return false;
    if (functions->len == before)
        return true;
    if (!apply_bus_props(b, d, &own, functions->pdata[before], error))
        return false;
    if (id)
        name_device(functions->pdata[before], id);
    else
        ((Device *)functions->pdata[before])->anonymous = true;
    return true;
}

static bool create_one(PcBoard *b, const DeviceOption *o, GError **error)
{
    return pc_is_cpu(o) ? pc_plug_cpu(b, o, false, error) : pc_create_device(b, o, false, error);
}

bool pc_create_option_devices(PcBoard *b, GError **error)
{
    const GPtrArray *options = b->m->config->devices;
    bool debugcon = false;

    for (guint i = 0; options && i < options->len; i++) {
        const DeviceOption *o = options->pdata[i];
        if (!create_one(b, o, error)) {
            g_prefix_error(error, "-device %s: ", o->driver);
            return false;
        }
        debugcon |= g_str_equal(o->driver, "isa-debugcon");
    }
    /* -debugcon alone stands for the device at its usual port. */
    if (b->m->debugcon && !debugcon)
        debugcon_new(&b->dev, &b->m->io_root, 0xe9, 0xe9, b->m->debugcon);
    return true;
}
