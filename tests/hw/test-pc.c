/* SPDX-License-Identifier: MIT */
/* The whole board without CPUs: memory map, CMOS, fw_cfg, option devices, errors, state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>

#include "hw/pc.h"
#include "softmmu/bytes.h"
#include "softmmu/display.h"

#define MIB        (1024ull * 1024)
#define GIB        (1024 * MIB)
#define BIOS_SIZE  0x40000
#define CONFIG_PCI 0xcf8

typedef struct Bench {
    Machine m;
    MachineConfig config;
    CpuBus cpus;
    char *dir, *bios;
    int a20;
    bool intr;
} Bench;

static void set_intr(void *opaque, unsigned n, int level)
{
    ((Bench *)opaque)->intr = level;
}

static void ignore_edge(void *opaque, unsigned n)
{
}

static void ignore_sipi(void *opaque, unsigned n, uint8_t vector)
{
}

static void set_a20(void *opaque, int level)
{
    ((Bench *)opaque)->a20 = level;
}

static void set_ignne(void *opaque, int level)
{
}

static bool is_present(void *opaque, unsigned n)
{
    return true;
}

static uint32_t apic_id(void *opaque, unsigned n)
{
    return n;
}

static unsigned current(void *opaque)
{
    return 0;
}

static const char *const vgabioses[] = { "vgabios-stdvga.bin", "vgabios-cirrus.bin",
                                         "vgabios-isavga.bin", "vgabios-bochs-display.bin" };

/* A firmware image whose bytes tell where they are. */
static void make_firmware(Bench *b)
{
    g_autofree uint8_t *image = g_malloc(BIOS_SIZE);

    for (unsigned i = 0; i < BIOS_SIZE; i++)
        image[i] = i >> 12;
    b->dir = g_dir_make_tmp("mimus-pc-XXXXXX", NULL);
    b->bios = g_build_filename(b->dir, "bios-256k.bin", NULL);
    assert_true(g_file_set_contents(b->bios, (char *)image, BIOS_SIZE, NULL));
    image[0] = 0x55;
    image[1] = 0xaa;
    for (int i = 0; i < G_N_ELEMENTS(vgabioses); i++) {
        g_autofree char *file = g_build_filename(b->dir, vgabioses[i], NULL);

        assert_true(g_file_set_contents(file, (char *)image, 0x8000, NULL));
    }
}

static int setup(void **state)
{
    Bench *b = g_new0(Bench, 1);
    Machine *m = &b->m;

    make_firmware(b);
    b->config = (MachineConfig){ .machine = (char *)"pc",
                                 .ram_size = 64 * MIB,
                                 .cpus = 2,
                                 .max_cpus = 2,
                                 .sockets = 2,
                                 .cores = 1,
                                 .threads = 1,
                                 .data_dirs = g_ptr_array_new(),
                                 .vga = (char *)"none",
                                 .hpet = true,
                                 .icount_shift = -1,
                                 .devices = g_ptr_array_new(),
                                 .fw_cfg = g_ptr_array_new() };
    g_ptr_array_add(b->config.data_dirs, b->dir);
    b->cpus = (CpuBus){ .count = 2,
                        .set_intr = set_intr,
                        .raise_nmi = ignore_edge,
                        .raise_init = ignore_edge,
                        .raise_sipi = ignore_sipi,
                        .set_a20 = set_a20,
                        .set_ignne = set_ignne,
                        .apic_id = apic_id,
                        .is_present = is_present,
                        .current = current,
                        .opaque = b };
    machine_init(m, &b->config);
    m->cpus = &b->cpus;
    m->clock = clock_new_manual();
    m->display = display_new();
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    Bench *b = *state;
    Machine *m = &b->m;

    device_free(m->root);
    display_free(m->display);
    clock_free(m->clock);
    machine_destroy(m);
    g_ptr_array_free(b->config.data_dirs, true);
    g_ptr_array_free(b->config.devices, true);
    g_ptr_array_free(b->config.fw_cfg, true);
    g_unlink(b->bios);
    for (int i = 0; i < G_N_ELEMENTS(vgabioses); i++) {
        g_autofree char *file = g_build_filename(b->dir, vgabioses[i], NULL);

        g_unlink(file);
    }
    g_rmdir(b->dir);
    g_free(b->bios);
    g_free(b->dir);
    g_free(b);
    return 0;
}

static void create(Bench *b)
{
    GError *error = NULL;

    if (!pc_board_create(&b->m, &error))
        fail_msg("board: %s", error->message);
    device_reset(b->m.root);
}

static void refused(Bench *b, const char *sentence)
{
    GError *error = NULL;

    assert_false(pc_board_create(&b->m, &error));
    if (!strstr(error->message, sentence) || strchr(error->message, '\n'))
        fail_msg("wanted \"%s\", got \"%s\"", sentence, error->message);
    g_error_free(error);
}

static uint8_t peek(Bench *b, uint64_t addr)
{
    return address_space_read(b->m.memory, addr, 1);
}

static uint8_t cmos(Bench *b, uint8_t reg)
{
    address_space_write(b->m.io, 0x70, reg, 1);
    return address_space_read(b->m.io, 0x71, 1);
}

static uint32_t pci_id(Bench *b, unsigned slot, unsigned function)
{
    address_space_write(b->m.io, CONFIG_PCI, 0x80000000 | slot << 11 | function << 8, 4);
    return address_space_read(b->m.io, CONFIG_PCI + 4, 4);
}

static void test_firmware_is_where_the_cpu_starts(void **state)
{
    Bench *b = *state;

    create(b);
    assert_int_equal(peek(b, 0xfffffff0), 0x3f);
    assert_int_equal(peek(b, 0xfffc0000), 0x00);
    assert_int_equal(peek(b, 0xffff0), 0x3f);
    assert_int_equal(peek(b, 0xe0000), 0x20);
    address_space_write(b->m.memory, 0xffff0, 0x99, 1);
    assert_int_equal(peek(b, 0xffff0), 0x3f);
    assert_int_equal(peek(b, 0xfffbffff), 0xff);
    pc_board_free(&b->m);
}

typedef struct RamRow {
    uint64_t size, below;
    uint16_t cmos34;
    uint32_t cmos5b;
    uint64_t most; /* -machine max-ram-below-4g=; 0: not given */
} RamRow;

static const RamRow ram_rows[] = {
    { 8 * MIB, 8 * MIB, 0, 0 },
    { 128 * MIB, 128 * MIB, 0x700, 0 },
    { 0xdff00000, 0xdff00000, 0xdef0, 0 },
    { 0xe0000000, 3 * GIB, 0xbf00, 0x2000 },
    { 8 * GIB, 3 * GIB, 0xbf00, 0x14000 },
    { 8 * GIB, 3 * GIB, 0xbf00, 0x14000, 4 * GIB },
    { 0xdff00000, 0xdff00000, 0xdef0, 0, 4 * GIB },
    { 2 * GIB, 1 * GIB, 0x3f00, 0x4000, 1 * GIB },
    { 1 * GIB, 1 * GIB, 0x3f00, 0, 1 * GIB },
    { 64 * MIB, 16 * MIB, 0, 0x300, 16 * MIB },
};

static void check_ram(Bench *b, const RamRow *row)
{
    uint64_t above = row->size - row->below;

    b->config.ram_size = row->size;
    b->config.max_ram_below_4g = row->most;
    assert_int_equal(pc_ram_below_4g(&b->config), row->below);
    create(b);
    assert_int_equal(cmos(b, 0x34) | cmos(b, 0x35) << 8, row->cmos34);
    assert_int_equal(cmos(b, 0x5b) | cmos(b, 0x5c) << 8 | cmos(b, 0x5d) << 16, row->cmos5b);
    address_space_write(b->m.memory, row->below - 1, 0x5a, 1);
    assert_int_equal(peek(b, row->below - 1), 0x5a);
    address_space_write(b->m.memory, row->below, 0x5a, 1);
    assert_int_equal(peek(b, row->below), 0xff);
    if (above) {
        address_space_write(b->m.memory, 4 * GIB + above - 1, 0xa5, 1);
        assert_int_equal(peek(b, 4 * GIB + above - 1), 0xa5);
        assert_int_equal(peek(b, row->below - 1), 0x5a);
    }
    assert_int_equal(peek(b, 4 * GIB + above), 0xff);
    pc_board_free(&b->m);
}

static void check_no_room(Bench *b, uint64_t size)
{
    b->config.ram_size = size;
    refused(b, "a 32-bit host has no addresses for so much");
}

static void test_ram_layout(void **state)
{
    for (int i = 0; i < G_N_ELEMENTS(ram_rows); i++) {
        if (ram_rows[i].size > SIZE_MAX / 2)
            check_no_room(*state, ram_rows[i].size);
        else
            check_ram(*state, &ram_rows[i]);
    }
}

static void test_chips_answer(void **state)
{
    Bench *b = *state;

    create(b);
    assert_int_equal(pci_id(b, 0, 0), 0x12378086);
    assert_int_equal(pci_id(b, 1, 0), 0x70008086);
    assert_int_equal(pci_id(b, 1, 3), 0x71138086);
    assert_int_equal(pci_id(b, 2, 0), 0xffffffff);
    assert_int_equal(address_space_read(b->m.memory, 0xfee00030, 4) & 0xff, 0x14);
    assert_int_equal(address_space_read(b->m.memory, 0xfed00000, 4), 0x8086a201);
    assert_int_equal(address_space_read(b->m.io, 0x64, 1), 0x18);
    assert_int_equal(address_space_read(b->m.io, 0x3f8 + 5, 1), 0xff); /* no serial port */
    assert_int_equal(cmos(b, 0x5f), 1);
    assert_int_equal(b->a20, 1);
    pc_board_free(&b->m);
}

static void test_vga(void **state)
{
    Bench *b = *state;
    GString *text = g_string_new(NULL);

    b->config.vga = (char *)"std";
    create(b);
    assert_int_equal(pci_id(b, 2, 0), 0x11111234);
    /* Bus enable, the expansion ROM, its signature. */
    address_space_write(b->m.io, CONFIG_PCI, 0x80001004, 4);
    address_space_write(b->m.io, CONFIG_PCI + 4, 0x0003, 2);
    address_space_write(b->m.io, CONFIG_PCI, 0x80001030, 4);
    address_space_write(b->m.io, CONFIG_PCI + 4, 0xfe000001, 4);
    assert_int_equal(address_space_read(b->m.memory, 0xfe000000, 2), 0xaa55);
    assert_true(display_print_text(b->m.display, text));
    g_string_free(text, true);
    pc_board_free(&b->m);
    b->config.vga = (char *)"none";
    create(b);
    assert_int_equal(display_count(b->m.display), 0);
    pc_board_free(&b->m);
}

static void test_boot_order(void **state)
{
    Bench *b = *state;

    b->config.boot_order = (char *)"dnc";
    create(b);
    assert_int_equal(cmos(b, 0x3d), 0x43);
    assert_int_equal(cmos(b, 0x38), 0x20);
    pc_board_free(&b->m);
}

/* The first boot only. */
static void test_boot_once(void **state)
{
    Bench *b = *state;

    b->config.boot_order = (char *)"ac";
    b->config.boot_once = (char *)"d";
    create(b);
    assert_int_equal(cmos(b, 0x3d), 0x03);
    for (int i = 0; i < 2; i++) {
        device_reset(b->m.root);
        assert_int_equal(cmos(b, 0x3d), 0x21);
        assert_int_equal(cmos(b, 0x38), 0);
    }
    pc_board_free(&b->m);
}

/* Its selector and size; false: there is none. */
static bool fw_cfg_find(Bench *b, const char *name, unsigned *selector, unsigned *size)
{
    unsigned count = 0;
    bool found = false;

    address_space_write(b->m.io, 0x510, 0x19, 2);
    for (int i = 0; i < 4; i++)
        count = count << 8 | address_space_read(b->m.io, 0x511, 1);
    for (unsigned n = 0; n < count; n++) {
        char entry[64];
        for (int i = 0; i < 64; i++)
            entry[i] = address_space_read(b->m.io, 0x511, 1);
        if (g_str_equal(entry + 8, name)) {
            found = true;
            *size = get_be((uint8_t *)entry, 4);
            *selector = get_be((uint8_t *)entry + 4, 2);
        }
    }
    return found;
}

static bool fw_cfg_has(Bench *b, const char *name)
{
    unsigned selector, size;

    return fw_cfg_find(b, name, &selector, &size);
}

static void test_firmware_files(void **state)
{
    static const char *const names[] = { "etc/e820",
                                         "etc/acpi/rsdp",
                                         "etc/acpi/tables",
                                         "etc/table-loader",
                                         "etc/smbios/smbios-tables",
                                         "etc/smbios/smbios-anchor",
                                         "etc/system-states" };
    Bench *b = *state;

    create(b);
    for (int i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!fw_cfg_has(b, names[i]))
            fail_msg("no file %s", names[i]);
    }
    assert_false(fw_cfg_has(b, "bootorder"));
    pc_board_free(&b->m);
}

static void test_reset_lines(void **state)
{
    static const struct {
        uint16_t port;
        uint8_t value;
    } rows[] = { { 0x64, 0xfe }, { 0x92, 0x01 }, { 0xcf9, 0x06 } };
    Bench *b = *state;

    create(b);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        b->m.requests = 0;
        address_space_write(b->m.io, rows[i].port, rows[i].value, 1);
        assert_int_equal(b->m.requests, REQUEST_RESET);
        device_reset(b->m.root);
    }
    pc_board_free(&b->m);
}

static void test_two_serial_ports_share_a_line(void **state)
{
    Bench *b = *state;
    GByteArray *out = g_byte_array_new();

    b->m.serial[0] = chardev_new_memory(out);
    b->m.serial[2] = chardev_new_memory(out);
    create(b);
    address_space_write(b->m.io, 0x21, 0x00, 1); /* 8259: unmask; IRR shows the line */
    for (unsigned base = 0x3e8; base <= 0x3f8; base += 0x10) {
        address_space_write(b->m.io, base + 4, 0x08, 1);
        address_space_write(b->m.io, base + 1, 0x02, 1);
    }
    address_space_write(b->m.io, 0x20, 0x0a, 1);
    assert_int_equal(address_space_read(b->m.io, 0x20, 1) & 0x10, 0x10);
    address_space_write(b->m.io, 0x3f8, 'x', 1);
    address_space_write(b->m.io, 0x3e8, 'y', 1);
    assert_memory_equal(out->data, "xy", 2);
    pc_board_free(&b->m);
    chardev_free(b->m.serial[0]);
    chardev_free(b->m.serial[2]);
    g_byte_array_unref(out);
}

/* A line that two ports hold is still held after loading, until both let go. */
static void test_shared_line_survives_loading(void **state)
{
    Bench *b = *state;
    GByteArray *out = g_byte_array_new();
    g_autoptr(GByteArray) saved = g_byte_array_new();
    GError *error = NULL;

    b->m.serial[0] = chardev_new_memory(out);
    b->m.serial[2] = chardev_new_memory(out);
    create(b);
    for (unsigned base = 0x3e8; base <= 0x3f8; base += 0x10) {
        address_space_write(b->m.io, base + 4, 0x08, 1);
        address_space_write(b->m.io, base + 1, 0x02, 1);
    }
    address_space_write(b->m.io, 0x4d0, 0x10, 1); /* as a level */
    device_tree_save(b->m.root, saved);
    device_reset(b->m.root);
    assert_true(device_tree_load(b->m.root, saved->data, saved->len, &error));
    address_space_read(b->m.io, 0x3f8 + 2, 1); /* one lets go */
    address_space_write(b->m.io, 0x20, 0x0a, 1);
    assert_int_equal(address_space_read(b->m.io, 0x20, 1) & 0x10, 0x10);
    address_space_read(b->m.io, 0x3e8 + 2, 1);
    assert_int_equal(address_space_read(b->m.io, 0x20, 1) & 0x10, 0);
    pc_board_free(&b->m);
    chardev_free(b->m.serial[0]);
    chardev_free(b->m.serial[2]);
    g_byte_array_unref(out);
}

/* Devices keep their state across save, reset and load, all of them together. */
static void test_state_round_trip(void **state)
{
    Bench *b = *state;
    g_autoptr(GByteArray) before = g_byte_array_new();
    g_autoptr(GByteArray) after = g_byte_array_new();
    GError *error = NULL;

    create(b);
    address_space_write(b->m.io, 0x80, 0x42, 1);
    address_space_write(b->m.io, 0x43, 0x34, 1);
    address_space_write(b->m.io, 0x40, 0x10, 1);
    address_space_write(b->m.io, 0x40, 0x27, 1);
    address_space_write(b->m.io, 0x60, 0xff, 1);
    clock_manual_advance(b->m.clock, 12345678);
    device_tree_save(b->m.root, before);
    device_reset(b->m.root);
    assert_true(device_tree_load(b->m.root, before->data, before->len, &error));
    device_tree_save(b->m.root, after);
    assert_int_equal(before->len, after->len);
    assert_memory_equal(before->data, after->data, before->len);
    pc_board_free(&b->m);
}

/* ---- What users get wrong ---------------------------------------------------------------------
 */

static DeviceOption *add_device(Bench *b, const char *driver, const char *key, const char *value)
{
    DeviceOption *o = g_new0(DeviceOption, 1);

    o->driver = (char *)driver;
    o->props = g_hash_table_new(g_str_hash, g_str_equal);
    if (key)
        g_hash_table_insert(o->props, (char *)key, (char *)value);
    g_ptr_array_add(b->config.devices, o);
    return o;
}

static void drop_device(Bench *b, DeviceOption *o)
{
    g_ptr_array_remove(b->config.devices, o);
    g_hash_table_destroy(o->props);
    g_free(o);
}

static void assert_boot_order(Bench *b, const char *wanted)
{
    unsigned selector, size;

    assert_true(fw_cfg_find(b, "bootorder", &selector, &size));
    assert_int_equal(size, strlen(wanted) + 1);
    address_space_write(b->m.io, 0x510, selector, 2);
    for (unsigned i = 0; i < size; i++)
        assert_int_equal(address_space_read(b->m.io, 0x511, 1), (uint8_t)wanted[i]);
}

/* bootindex= of cards, out of order: what firmware is told, from a reset on with those that came.
 */
static void test_bootindex(void **state)
{
#define CARD(slot) "/pci@i0cf8/ethernet@" slot "/ethernet-phy@0\n"
    Bench *b = *state;
    DeviceOption *first = add_device(b, "e1000", "addr", "4");
    DeviceOption *second = add_device(b, "virtio-net-pci", "addr", "5");
    g_autoptr(GHashTable) props = g_hash_table_new(g_str_hash, g_str_equal);
    DeviceOption third = { .driver = (char *)"e1000", .props = props };

    g_hash_table_insert(first->props, "bootindex", "7");
    g_hash_table_insert(second->props, "bootindex", "2");
    b->config.boot_strict = true;
    create(b);
    assert_boot_order(b, CARD("5") CARD("4") "HALT");
    g_hash_table_insert(props, (char *)"addr", (char *)"6");
    g_hash_table_insert(props, (char *)"bootindex", (char *)"2");
    assert_false(pc_device_add(&b->m, &third, true, NULL)); /* the second has it */
    g_hash_table_insert(props, (char *)"bootindex", (char *)"1");
    assert_true(pc_device_add(&b->m, &third, true, NULL));
    assert_boot_order(b, CARD("5") CARD("4") "HALT");
    device_reset(b->m.root);
    assert_boot_order(b, CARD("6") CARD("5") CARD("4") "HALT");
    pc_board_free(&b->m);
    drop_device(b, first);
    drop_device(b, second);
#undef CARD
}

/* Screens in order, the function in slot 2, or why not. */
static void test_adapters(void **state)
{
    static const struct {
        const char *vga, *driver, *key, *value;
        uint32_t id;
        const char *first, *second, *sentence;
    } rows[] = {
        { "cirrus", NULL, NULL, NULL, 0x00b81013, "cirrus-vga", NULL, NULL },
        { "none", "cirrus-vga", NULL, NULL, 0x00b81013, "cirrus-vga", NULL, NULL },
        { "none", "VGA", "vgamem_mb", "32", 0x11111234, "VGA", NULL, NULL },
        { "none", "bochs-display", "edid", "off", 0x11111234, "bochs-display", NULL, NULL },
        { "none", "isa-vga", NULL, NULL, 0xffffffff, "isa-vga", NULL, NULL },
        { "std", "secondary-vga", NULL, NULL, 0x11111234, "VGA", "secondary-vga", NULL },
        { "std", "VGA", NULL, NULL, 0, NULL, NULL, "there is a VGA already" },
        { "std", "isa-vga", NULL, NULL, 0, NULL, NULL, "there is a VGA already" },
        { "none", "VGA", "vgamem_mb", "24", 0, NULL, NULL, "not a power of two" },
        { "none", "VGA", "xres", "4096", 0, NULL, NULL, "not a number up to" },
        { "none", "VGA", "yres", "0", 0, NULL, NULL, "a screen has pixels" },
        { "none", "cirrus-vga", "vgamem_mb", "4", 0, NULL, NULL, "not found" },
    };
    Bench *b = *state;

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *driver = rows[i].driver;
        DeviceOption *o = driver ? add_device(b, driver, rows[i].key, rows[i].value) : NULL;

        b->config.vga = (char *)rows[i].vga;
        if (rows[i].sentence) {
            refused(b, rows[i].sentence);
        } else {
            create(b);
            assert_int_equal(pci_id(b, 2, 0), rows[i].id);
            assert_int_equal(display_count(b->m.display), rows[i].second ? 2 : 1);
            assert_string_equal(display_name(b->m.display, 0), rows[i].first);
            if (rows[i].second)
                assert_string_equal(display_name(b->m.display, 1), rows[i].second);
            pc_board_free(&b->m);
            assert_int_equal(display_count(b->m.display), 0);
        }
        if (o)
            drop_device(b, o);
    }
    b->config.vga = (char *)"none";
}

static void test_debug_exit_option(void **state)
{
    Bench *b = *state;
    DeviceOption *o = add_device(b, "isa-debug-exit", "iobase", "0xf4");

    create(b);
    address_space_write(b->m.io, 0xf4, 3, 1);
    assert_int_equal(b->m.requests, REQUEST_QUIT);
    assert_int_equal(b->m.exit_status, 7);
    pc_board_free(&b->m);
    drop_device(b, o);
}

/* Functions that share a slot, which the first one has to tell. */
static void test_functions(void **state)
{
    static const struct {
        const char *first, *shares, *second, *sentence;
    } rows[] = {
        { "5.0", "on", "5.1", NULL },
        { "5.1", "off", "5.2", NULL },
        { "5.0", "off", "5.1", "single function device can't be populated in function 5.1" },
        { "5.1", "on", "5.0", "5.0 indicates single function, but 5.1 is already populated" },
        { "5.0", "on", "5.0", "PCI slot 5 function 0 is taken" },
        { "5.0", "x", "5.1", "multifunction=x is none of on, off, auto" },
    };
    Bench *b = *state;

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        DeviceOption *first = add_device(b, "edu", "addr", rows[i].first);
        DeviceOption *second = add_device(b, "edu", "addr", rows[i].second);

        g_hash_table_insert(first->props, (char *)"multifunction", (char *)rows[i].shares);
        if (rows[i].sentence) {
            refused(b, rows[i].sentence);
        } else {
            create(b);
            assert_int_equal(pci_id(b, 5, rows[i].first[2] - '0'), 0x11e81234);
            assert_int_equal(pci_id(b, 5, rows[i].second[2] - '0'), 0x11e81234);
            pc_board_free(&b->m);
        }
        drop_device(b, second);
        drop_device(b, first);
    }
}

static void test_bad_devices(void **state)
{
    static const struct {
        const char *driver, *key, *value, *sentence;
    } rows[] = {
        { "frobnicator", NULL, NULL,
          "-device frobnicator: 'frobnicator' is not a valid device model name" },
        { "isa-debug-exit", "color", "red", "Property 'isa-debug-exit.color' not found" },
        { "isa-debug-exit", "iobase", "x", "not a number" },
        { "isa-debug-exit", "iobase", "0x10000", "not a number" },
        { "isa-debug-exit", "iosize", "0", "none" },
        { "isa-debug-exit", "iobase", "0xffff", "beyond" },
        { "isa-debugcon", "readback", "256", "not a number" },
        { "isa-debugcon", "rombar", "0", "Property 'isa-debugcon.rombar' not found" },
        { "edu", "romfile", "nowhere.rom", "'nowhere.rom' not found" },
        { "e1000", "rombar", "2", "not a number up to" },
    };
    Bench *b = *state;

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        DeviceOption *o = add_device(b, rows[i].driver, rows[i].key, rows[i].value);
        refused(b, rows[i].sentence);
        drop_device(b, o);
    }
}

static void test_bad_configurations(void **state)
{
    Bench *b = *state;
    g_autofree char *odd = g_build_filename(b->dir, "odd.bin", NULL);

    b->config.boot_order = (char *)"cx";
    refused(b, "Invalid boot device 'x'");
    b->config.boot_order = (char *)"cc";
    refused(b, "'c' twice");
    b->config.boot_order = (char *)"acdn";
    refused(b, "more than three");
    b->config.boot_order = NULL;
    b->config.kernel = (char *)"/nonexistent/vmlinuz";
    refused(b, "cannot load kernel");
    b->config.kernel = NULL;
    b->config.bios = (char *)"nowhere.bin";
    refused(b, "firmware 'nowhere.bin' not found");
    assert_true(g_file_set_contents(odd, "odd", 3, NULL));
    b->config.bios = odd;
    refused(b, "bad size");
    b->config.bios = NULL;
    g_unlink(odd);
    b->config.vga = (char *)"qxl";
    refused(b, "-vga qxl: unknown adapter");
    b->config.vga = (char *)"none";
    b->config.ram_size = 1ull << 60;
    refused(b, "");
    b->config.ram_size = 64 * MIB;
    create(b); /* and after all that it still works */
    pc_board_free(&b->m);
}

/* ---- Functions that come and go in a replay ---------------------------------------------------
 */

#define EJECT 0xae08

/* DRIVER ID comes, "-" ID goes. */
static const char *const plug_rows[][2] = {
    { "edu", "a" },
    { "e1000", "b" },
    { "-", "a" },
    { "virtio-net-pci", NULL },
    { "virtio-rng-pci", "c" },
    { "-", "first" },
    { "i6300esb", "first" },
    { "ne2k_pci", "d" },
    { "rtl8139", NULL },
    { "-", "b" },
    { "virtio-serial-pci", "e" },
    { "-", "e" },
    { "pci-testdev", "f" },
};
enum { PLUGS = G_N_ELEMENTS(plug_rows) };

typedef struct Moment {
    GBytes *plugs;
    GByteArray *devices;
} Moment;

static DeviceOption device_option(const char *driver, const char *id)
{
    DeviceOption o = { (char *)driver, g_hash_table_new(g_str_hash, g_str_equal) };

    if (id)
        g_hash_table_insert(o.props, (char *)"id", (char *)id);
    return o;
}

static void plug(Bench *b, const char *driver, const char *id)
{
    DeviceOption o = device_option(driver, id);

    if (g_str_equal(driver, "-")) {
        assert_true(pc_device_del(&b->m, id, NULL));
        address_space_write(b->m.io, EJECT, UINT32_MAX, 4);
    } else {
        assert_true(pc_device_add(&b->m, &o, true, NULL));
    }
    g_hash_table_unref(o.props);
}

static Moment moment(Bench *b)
{
    Moment here = { b->m.plugs.save(b->m.plugs.opaque), g_byte_array_new() };

    device_tree_save(b->m.root, here.devices);
    return here;
}

static void go(Bench *b, const Moment *to)
{
    Moment here;

    assert_true(b->m.plugs.load(b->m.plugs.opaque, to->plugs, NULL));
    assert_true(device_tree_load(b->m.root, to->devices->data, to->devices->len, NULL));
    here = moment(b);
    assert_true(g_bytes_equal(here.plugs, to->plugs));
    assert_int_equal(here.devices->len, to->devices->len);
    assert_memory_equal(here.devices->data, to->devices->data, to->devices->len);
    g_bytes_unref(here.plugs);
    g_byte_array_unref(here.devices);
}

static void create_for_plugs(Bench *b, DeviceOption *first)
{
    b->config.replaying = true;
    if (!b->config.devices->len)
        g_ptr_array_add(b->config.devices, first);
    create(b);
}

/* From every moment to every other, from there on as it was, and there in machines that were never
 * plugged anything. */
static void test_plugs(void **state)
{
    Bench *b = *state;
    DeviceOption first = device_option("edu", "first");
    Moment moments[PLUGS + 1];

    create_for_plugs(b, &first);
    moments[0] = moment(b);
    for (unsigned i = 0; i < PLUGS; i++) {
        plug(b, plug_rows[i][0], plug_rows[i][1]);
        moments[i + 1] = moment(b);
    }
    for (unsigned from = 0; from <= PLUGS; from++) {
        for (unsigned to = 0; to <= PLUGS; to++) {
            go(b, &moments[from]);
            go(b, &moments[to]);
        }
        go(b, &moments[from]);
        for (unsigned i = from; i < PLUGS; i++) {
            plug(b, plug_rows[i][0], plug_rows[i][1]);
            go(b, &moments[i + 1]);
        }
    }
    pc_board_free(&b->m);
    for (unsigned to = 0; to <= PLUGS; to++) {
        create_for_plugs(b, &first);
        go(b, &moments[to]);
        pc_board_free(&b->m);
    }
    for (unsigned i = 0; i <= PLUGS; i++) {
        g_bytes_unref(moments[i].plugs);
        g_byte_array_unref(moments[i].devices);
    }
    g_hash_table_unref(first.props);
}

/* What a recording says may be anything. */
static void test_bad_plugs(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
#define ROW(text) { text, sizeof(text) }
        { "", 0 },
        { "0 0 0", 5 }, /* not ended */
        ROW("0 0"),
        ROW("0 0 0\0+"),
        ROW("0 0 0\0?"),
        ROW("0 0 0\0-"),
        ROW("0 0 0\0+\0000 0 0\0nothing\0"),
        ROW("0 0 0\0+\0000 0 0\0edu\0addr"),
        ROW("0 0 0\0+\0000 0 0\0edu\0addr\0001.0\0"),
        ROW("0 0 0\0+\0000 0 0\0isa-debug-exit\0"),
#undef ROW
    };
    Bench *b = *state;

    b->config.replaying = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GBytes) saved = g_bytes_new(rows[i].text, rows[i].len);
        g_autoptr(GError) error = NULL;

        create(b);
        assert_false(b->m.plugs.load(b->m.plugs.opaque, saved, &error));
        assert_non_null(error);
        pc_board_free(&b->m);
    }
}

#define pc_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* Every driver that the list has tells of its properties. */
static void test_device_help(void **state)
{
    g_autoptr(GString) list = g_string_new(NULL), props = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    pc_print_device_help(list);
    g_auto(GStrv) lines = g_strsplit(list->str, "\n", -1);
    for (char **l = lines; **l; l++) {
        g_auto(GStrv) words = g_strsplit(*l, "\"", 3);

        g_string_truncate(props, 0);
        assert_true(pc_print_device_props(words[1], props, NULL));
        assert_true(g_str_has_prefix(props->str, words[1]));
    }
    assert_true(pc_print_device_props("edu", props, NULL));
    assert_non_null(strstr(props->str, "  addr=<int32>           - Slot and optional function"));
    assert_false(pc_print_device_props("nothing", props, &error));
    assert_string_equal(error->message,
                        "-device nothing: 'nothing' is not a valid device model name "
                        "(-device help lists them)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_device_help),
        pc_test(test_firmware_is_where_the_cpu_starts),
        pc_test(test_ram_layout),
        pc_test(test_chips_answer),
        pc_test(test_vga),
        pc_test(test_adapters),
        pc_test(test_boot_order),
        pc_test(test_boot_once),
        pc_test(test_firmware_files),
        pc_test(test_bootindex),
        pc_test(test_reset_lines),
        pc_test(test_two_serial_ports_share_a_line),
        pc_test(test_shared_line_survives_loading),
        pc_test(test_state_round_trip),
        pc_test(test_debug_exit_option),
        pc_test(test_functions),
        pc_test(test_bad_devices),
        pc_test(test_bad_configurations),
        pc_test(test_plugs),
        pc_test(test_bad_plugs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
