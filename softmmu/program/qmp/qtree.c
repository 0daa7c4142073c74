/* SPDX-License-Identifier: MIT */
/*
 * `info qtree`, laid out as QEMU 7.2 does: buses with their devices, the last to come first, and
 * what is known of each. Devices that are parts of chips here and none of their own there (lines,
 * APICs, the registers of hot plugging) are left out.
 */
#include <inttypes.h>
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/program/qmp/internal.h"
#include "softmmu/program/qmp/text.h"

#define STEP 2 /* columns */

typedef struct Tree {
    Qmp *q;
    GString *out;
    Json *functions; /* of query-pci */
} Tree;

typedef enum Bus { BUS_SYSTEM, BUS_ISA } Bus;

/* Of the board's; all others of it that are no PCI functions are left out. */
static const struct {
    const char *klass, *shown;
    Bus bus;
} rows[] = {
    { "ps2-mouse", NULL, BUS_SYSTEM },
    { "ps2-kbd", NULL, BUS_SYSTEM },
    { "hpet", NULL, BUS_SYSTEM },
    { "ioapic", NULL, BUS_SYSTEM },
    { "pci.0", "i440FX-pcihost", BUS_SYSTEM },
    { "fw_cfg", "fw_cfg_io", BUS_SYSTEM },
    { "cfi.pflash01", NULL, BUS_SYSTEM },
    { "pvpanic", NULL, BUS_ISA },
    { "isa-debugcon", NULL, BUS_ISA },
    { "isa-debug-exit", NULL, BUS_ISA },
    { "pc-testdev", NULL, BUS_ISA },
    { "isa-vga", NULL, BUS_ISA },
    { "port92", NULL, BUS_ISA },
    { "vmport", NULL, BUS_ISA },
    { "i8042", NULL, BUS_ISA },
    { "isa-fdc", NULL, BUS_ISA },
    { "isa-parallel", NULL, BUS_ISA },
    { "isa-serial", NULL, BUS_ISA },
    { "isa-pit", NULL, BUS_ISA },
    { "mc146818rtc", NULL, BUS_ISA },
    { "isa-i8259", NULL, BUS_ISA },
    { "i8237", "i8257", BUS_ISA },
};

static void line(Tree *t, int indent, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void line(Tree *t, int indent, const char *format, ...)
{
    va_list args;

    g_string_append_printf(t->out, "%*s", indent, "");
    va_start(args, format);
    g_string_append_vprintf(t->out, format, args);
    va_end(args);
    g_string_append_c(t->out, '\n');
}

static void print_bus(Tree *t, int indent, const char *name, const char *type)
{
    line(t, indent, "bus: %s", name);
    line(t, indent + STEP, "type %s", type);
}

static void print_name(Tree *t, int indent, const Device *dev, const char *shown)
{
    line(t, indent, "dev: %s, id \"%s\"", shown, dev->named ? dev->id : "");
}

/* ---- Properties ------------------------------------------------------------------------------ */

static void print_property(Tree *t, int indent, const char *name, Json *value)
{
    uint64_t number = json_object_get_uint64(value);

    if (json_object_is_type(value, json_type_boolean))
        line(t, indent, "%s = %s", name, json_object_get_boolean(value) ? "true" : "false");
    else if (json_object_is_type(value, json_type_int))
        line(t, indent, "%s = %" PRIu64 " (0x%" PRIx64 ")", name, number, number);
    else
        line(t, indent, "%s = \"%s\"", name, json_object_get_string(value));
}

typedef struct Told {
    Tree *t;
    int indent;
    bool halves, transport; /* a virtio device has two, one is the PCI function */
} Told;

static void print_told(void *to, const char *name, const char *type, Json *value)
{
    static const char *const elsewhere[] = { "realized", "addr",      "legacy-addr",
                                             "bus",      "bootindex", NULL };
    static const char *const of_transport[] = { "disable-legacy", "disable-modern", "romfile",
                                                "multifunction", NULL };
    const Told *told = to;

    if (!g_strv_contains(elsewhere, name) &&
        (!told->halves || g_strv_contains(of_transport, name) == told->transport))
        print_property(told->t, told->indent, name, value);
    json_object_put(value);
}

static void print_properties(Tree *t, int indent, const Device *dev, bool halves, bool transport)
{
    Told told = { t, indent, halves, transport };

    qmp_each_of_device(t->q, dev, print_told, &told);
}

/* Where it is in memory: by the name of the region, which is the device's. */
static void print_mmio(Tree *t, int indent, const Device *dev)
{
    size_t count;
    const FlatRange *ranges = address_space_ranges(t->q->w.m->memory, &count);

    for (size_t i = 0; i < count; i++)
        if (!strcmp(ranges[i].region->name, dev->klass->name))
            line(t, indent, "mmio %016" PRIx64 "/%016" PRIx64, ranges[i].start, ranges[i].size);
}

/* ---- Disks ----------------------------------------------------------------------------------- */

/* The user's; "": it has none. */
static const char *name_of_owner(const Drive *d)
{
    const char *owner = drive_owner(d), *name = owner ? strrchr(owner, '/') : NULL;

    if (!owner || g_str_has_prefix(owner, "/machine/peripheral-anon/"))
        return "";
    return name ? name + 1 : owner;
}

static void print_unit(Tree *t, int indent, const Device *dev, unsigned n)
{
    QmpUnit u;

    if (!t->q->w.facts.unit || !t->q->w.facts.unit(t->q->w.facts.opaque, dev, n, &u))
        return;
    line(t, indent, "dev: %s, id \"%s\"", u.driver, name_of_owner(u.drive));
    if (!u.serial)
        line(t, indent + STEP, "unit = %u (0x%x)", n, n);
    line(t, indent + STEP, "drive = \"%s\"", drive_id(u.drive));
    if (u.serial)
        line(t, indent + STEP, "serial = \"%s\"\n%*sunit = %u (0x%x)", u.serial, indent + STEP, "",
             n, n);
}

static void print_units(Tree *t, int indent, const Device *dev, const char *bus, const char *type)
{
    print_bus(t, indent, bus, type);
    for (unsigned n = 0; n < 2; n++)
        print_unit(t, indent + STEP, dev, n);
}

static void print_channels(Tree *t, int indent, const Device *ide)
{
    for (guint i = ide->children->len; i-- > 0;) {
        g_autofree char *name = g_strdup_printf("ide.%u", i);

        print_units(t, indent, ide->children->pdata[i], name, "IDE");
    }
}

/* ---- PCI ------------------------------------------------------------------------------------- */

static Json *function_at(Tree *t, const char *place)
{
    for (size_t i = 0; t->functions && i < json_object_array_length(t->functions); i++) {
        Json *f = json_object_array_get_idx(t->functions, i);
        g_autofree char *at = g_strdup_printf("%02x.%x", (unsigned)json_int(f, "slot", 0),
                                              (unsigned)json_int(f, "function", 0));

        if (!strcmp(at, place))
            return f;
    }
    return NULL;
}

static void print_function(Tree *t, int indent, Json *f, const char *place)
{
    Json *kind = json_member(f, "class_info"), *id = json_member(f, "id");
    Json *regions = json_member(f, "regions");
    g_autofree char *code = g_strdup_printf("Class %04x", (unsigned)json_int(kind, "class", 0));

    line(t, indent, "class %s, addr 00:%s, pci id %04x:%04x (sub %04x:%04x)",
         json_text(kind, "desc", code), place, (unsigned)json_int(id, "vendor", 0),
         (unsigned)json_int(id, "device", 0), (unsigned)json_int(id, "subsystem-vendor", 0),
         (unsigned)json_int(id, "subsystem", 0));
    for (size_t i = 0; i < json_object_array_length(regions); i++) {
        Json *r = json_object_array_get_idx(regions, i);
        uint64_t at = json_int(r, "address", -1);

        line(t, indent, "bar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]",
             (unsigned)json_int(r, "bar", 0),
             strcmp(json_text(r, "type", ""), "io") ? "mem" : "i/o", at,
             at + json_int(r, "size", 0) - 1);
    }
}

typedef struct Port {
    Tree *t;
    int indent;
    GHashTable *said;
} Port;

static void print_of_port(void *to, const QmpProperty *p)
{
    const Port *port = to;
    const char *said = g_hash_table_lookup(port->said, p->name);
    Json *value = said && strcmp(p->name, "bus") ? qmp_property_value(p->type, said) : NULL;

    if (value)
        print_property(port->t, port->indent, p->name, value);
    json_object_put(value);
}

/* Without a bus of its own it went to the first there was. */
static bool is_port_of(const DeviceOption *o, const Device *dev)
{
    const char *bus = o->props ? g_hash_table_lookup(o->props, "bus") : NULL;
    size_t len = strlen(dev->id);

    if (strcmp(o->driver, "virtserialport") && strcmp(o->driver, "virtconsole"))
        return false;
    return !bus || (!strncmp(bus, dev->id, len) && (!bus[len] || bus[len] == '.'));
}

/* Ports are the card's, not devices of their own. */
static void print_ports(Tree *t, int indent, const Device *dev)
{
    const GPtrArray *options = t->q->w.m->config->devices;

    print_bus(t, indent, "virtio-serial-bus.0", "virtio-serial-bus");
    for (guint i = options ? options->len : 0; i-- > 0;) {
        const DeviceOption *o = options->pdata[i];
        const char *id = o->props ? g_hash_table_lookup(o->props, "id") : NULL;
        Port port = { t, indent + 2 * STEP, o->props };

        if (!is_port_of(o, dev))
            continue;
        line(t, indent + STEP, "dev: %s, id \"%s\"", o->driver, id ? id : "");
        if (o->props && t->q->w.facts.each_property)
            t->q->w.facts.each_property(o->driver, print_of_port, &port);
    }
}

/* What is behind a virtio device's transport. */
static void print_backend(Tree *t, int indent, const Device *dev)
{
    int len = strlen(dev->klass->name) - strlen("-pci");

    print_bus(t, indent, "virtio-bus", "virtio-pci-bus");
    line(t, indent + STEP, "dev: %.*s-device, id \"\"", len, dev->klass->name);
    print_properties(t, indent + 2 * STEP, dev, true, false);
    if (g_str_has_prefix(dev->klass->name, "virtio-serial"))
        print_ports(t, indent + 2 * STEP, dev);
}

static void print_isa(Tree *t, int indent);

static void print_pci(Tree *t, int indent, const Device *dev)
{
    g_autofree char *place = t->q->w.facts.pci_place(t->q->w.facts.opaque, dev);
    Json *f = place ? function_at(t, place) : NULL;
    bool virtio =
        g_str_has_prefix(dev->klass->name, "virtio-") && g_str_has_suffix(dev->klass->name, "-pci");

    print_name(t, indent, dev, dev->klass->name);
    indent += STEP;
    print_properties(t, indent, dev, virtio, true);
    if (f) {
        line(t, indent, "addr = %s", place);
        print_function(t, indent, f, place);
    }
    if (virtio)
        print_backend(t, indent, dev);
    else if (!strcmp(dev->klass->name, "PIIX3"))
        print_isa(t, indent);
    else if (!strcmp(dev->klass->name, "piix3-ide"))
        print_channels(t, indent, dev);
}

/* The last to come is the first; here the board makes its own in another order. */
enum { PCI_RANKS = 6 };

static unsigned pci_rank(const Device *dev)
{
    static const char *const chips[PCI_RANKS] = { NULL, "PIIX4_PM", "piix3-ide",
                                                  NULL, "PIIX3",    "i440FX" };

    for (unsigned n = 0; n < PCI_RANKS; n++)
        if (chips[n] && !strcmp(dev->klass->name, chips[n]))
            return n;
    return dev->named || dev->anonymous ? 0 : 3;
}

/* ---- The tree -------------------------------------------------------------------------------- */

static void print_board_device(Tree *t, int indent, const Device *dev, const char *shown)
{
    print_name(t, indent, dev, shown);
    indent += STEP;
    print_properties(t, indent, dev, false, false);
    print_mmio(t, indent, dev);
    if (!strcmp(dev->klass->name, "isa-fdc"))
        print_units(t, indent, dev, "floppy-bus.0", "floppy-bus");
    if (strcmp(dev->klass->name, "pci.0"))
        return;
    print_bus(t, indent, "pci.0", "PCI");
    for (unsigned rank = 0; rank < PCI_RANKS; rank++)
        for (guint i = dev->children->len; i-- > 0;)
            if (pci_rank(dev->children->pdata[i]) == rank)
                print_pci(t, indent + STEP, dev->children->pdata[i]);
}

static void print_row(Tree *t, int indent, const Device *parent, size_t row)
{
    for (guint i = parent->children->len; i-- > 0;) {
        const Device *dev = parent->children->pdata[i];

        if (!strcmp(dev->klass->name, rows[row].klass))
            print_board_device(t, indent, dev,
                               rows[row].shown ? rows[row].shown : dev->klass->name);
        else
            print_row(t, indent, dev, row);
    }
}

static void print_rows(Tree *t, int indent, Bus bus)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].bus == bus)
            print_row(t, indent, t->q->w.m->root, i);
}

static void print_isa(Tree *t, int indent)
{
    print_bus(t, indent, "isa.0", "ISA");
    print_rows(t, indent + STEP, BUS_ISA);
}

bool text_info_qtree(void *opaque, const char *args, GString *out, GError **error)
{
    Json *buses = text_ask(opaque, "query-pci", NULL, NULL);
    Json *bus =
        buses && json_object_array_length(buses) ? json_object_array_get_idx(buses, 0) : NULL;
    Tree t = { opaque, out, bus ? json_member(bus, "devices") : NULL };

    print_bus(&t, 0, "main-system-bus", "System");
    print_rows(&t, STEP, BUS_SYSTEM);
    json_object_put(buses);
    return true;
}
