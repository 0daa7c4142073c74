/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/board.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define BIOS_SIZE        0x40000
#define VGABIOS_SIZE     0x8000
#define MAX_STEPS        4000 /* timers that run one by one in one advance */
#define MAX_RUNS_AT_REST 64   /* of up to 4096 callbacks each */

/* ---- Firmware ------------------------------------------------------------------------------- */

static struct Firmware {
    char *dir, *bios, *vgabios, *cirrus;
} firmware;

void board_firmware_create(void)
{
    g_autofree char *image = g_malloc0(BIOS_SIZE);

    image[0] = 0x55;
    image[1] = (char)0xaa;
    image[2] = VGABIOS_SIZE / 512;
    firmware.dir = g_dir_make_tmp("mimus-fuzz-XXXXXX", NULL);
    firmware.bios = g_build_filename(firmware.dir, "bios-256k.bin", NULL);
    firmware.vgabios = g_build_filename(firmware.dir, "vgabios-stdvga.bin", NULL);
    g_assert(g_file_set_contents(firmware.bios, image, BIOS_SIZE, NULL));
    firmware.cirrus = g_build_filename(firmware.dir, "vgabios-cirrus.bin", NULL);
    g_assert(g_file_set_contents(firmware.vgabios, image, VGABIOS_SIZE, NULL));
    g_assert(g_file_set_contents(firmware.cirrus, image, VGABIOS_SIZE, NULL));
}

/* With the images that a child has left behind. */
void board_firmware_remove(void)
{
    GDir *dir = g_dir_open(firmware.dir, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(firmware.dir, name, NULL);

        g_unlink(path);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(firmware.dir);
    g_free(firmware.bios);
    g_free(firmware.vgabios);
    g_free(firmware.cirrus);
    g_free(firmware.dir);
}

/* ---- Life ----------------------------------------------------------------------------------- */

static int64_t board_clock(void *opaque)
{
    return ((Board *)opaque)->now_ns;
}

static void device_option_free(gpointer p)
{
    DeviceOption *o = p;

    g_hash_table_destroy(o->props);
    g_free(o);
}

static DeviceOption *add_device(MachineConfig *c, const char *driver)
{
    DeviceOption *o = g_new0(DeviceOption, 1);

    o->driver = (char *)driver;
    o->props = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_ptr_array_add(c->devices, o);
    return o;
}

static void set_prop(DeviceOption *o, const char *name, const char *value)
{
    if (value)
        g_hash_table_insert(o->props, g_strdup(name), g_strdup(value));
}

static void add_devices(MachineConfig *c)
{
    static const struct {
        const char *driver;
        unsigned slot; /* 0: it is not on PCI */
        const char *prop, *value;
    } rows[] = {
        { "isa-debug-exit", 0, "iobase", "0xf4" },
        { "e1000", SLOT_E1000, "netdev", "n0" },
        { "rtl8139", SLOT_RTL8139, "netdev", "n1" },
        { "ne2k_pci", SLOT_NE2K, "netdev", "n2" },
        { "virtio-net-pci", SLOT_VIRTIO_NET, "netdev", "n3" },
        { "virtio-blk-pci", SLOT_VIRTIO_BLK, "drive", "vd0" },
        { "virtio-rng-pci", SLOT_VIRTIO_RNG, NULL, NULL },
        { "virtio-serial-pci", SLOT_VIRTIO_SERIAL, NULL, NULL },
        { "virtconsole", 0, NULL, NULL },
        { "virtserialport", 0, "chardev", "port" },
        { "virtio-balloon-pci", SLOT_VIRTIO_BALLOON, NULL, NULL },
        { "virtio-gpu-pci", SLOT_VIRTIO_GPU, NULL, NULL },
        { "edu", SLOT_EDU, NULL, NULL },
        { "pci-testdev", SLOT_TESTDEV, NULL, NULL },
        { "i6300esb", SLOT_WATCHDOG, NULL, NULL },
        { "secondary-vga", SLOT_SECOND_VGA, NULL, NULL },
        { "pvpanic", 0, NULL, NULL },
        { "vmcoreinfo", 0, NULL, NULL },
        { "vmgenid", 0, NULL, NULL },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        DeviceOption *o = add_device(c, rows[i].driver);
        g_autofree char *addr = g_strdup_printf("%x", rows[i].slot);

        set_prop(o, rows[i].prop, rows[i].value);
        set_prop(o, "addr", rows[i].slot ? addr : NULL);
    }
}

static void configure(MachineConfig *c, const BoardHost *h)
{
    *c = (MachineConfig){ .machine = (char *)"pc",
                          .ram_size = BOARD_RAM_SIZE,
                          .cpus = BOARD_CPUS,
                          .max_cpus = BOARD_CPUS,
                          .sockets = BOARD_CPUS,
                          .cores = 1,
                          .threads = 1,
                          .data_dirs = g_ptr_array_new(),
                          .vga = c->vga,
                          .hpet = true,
                          .smm = true,
                          .icount_shift = 0,
                          .rtc_base_s = 1700000000,
                          .drives = h->drives,
                          .devices = g_ptr_array_new_with_free_func(device_option_free),
                          .fw_cfg = g_ptr_array_new() };
    g_ptr_array_add(c->data_dirs, firmware.dir);
    add_devices(c);
}

static void build(Board *b)
{
    Machine *m = &b->m;
    GError *error = NULL;

    configure(&b->config, &b->host);
    machine_init(m, &b->config);
    board_host_offer(&b->host, m);
    m->cpus = &b->cpus.bus;
    m->clock = clock_new(board_clock, b);
    m->display = display_new();
    if (!pc_board_create(m, &error))
        g_error("board: %s", error->message);
    device_reset(m->root);
}

Board *board_new(const char *vga)
{
    Board *b = g_new0(Board, 1);

    b->config.vga = (char *)vga;
    fake_cpus_init(&b->cpus, &b->bench, BOARD_CPUS);
    for (int i = 0; i < MACHINE_MAX_SERIAL; i++) {
        b->serial_out[i] = g_byte_array_new();
        b->m.serial[i] = chardev_new_memory(b->serial_out[i]);
    }
    b->debug_out = g_byte_array_new();
    b->m.debugcon = chardev_new_memory(b->debug_out);
    board_host_init(&b->host, firmware.dir);
    build(b);
    return b;
}

/* All but the outside world: disks, networks, character devices, CPUs and the time of day. */
static void tear_down(Board *b)
{
    Machine *m = &b->m;

    pc_board_free(m);
    device_free(m->root);
    board_host_take_back(&b->host, m);
    display_free(m->display);
    clock_free(m->clock);
    machine_destroy(m);
    g_ptr_array_free(b->config.data_dirs, true);
    g_ptr_array_free(b->config.devices, true);
    g_ptr_array_free(b->config.fw_cfg, true);
}

void board_free(Board *b)
{
    tear_down(b);
    for (int i = 0; i < MACHINE_MAX_SERIAL; i++) {
        chardev_free(b->m.serial[i]);
        g_byte_array_unref(b->serial_out[i]);
    }
    chardev_free(b->m.debugcon);
    g_byte_array_unref(b->debug_out);
    board_host_clear(&b->host);
    g_free(b);
}

/* ---- Time ----------------------------------------------------------------------------------- */

static bool settle(Board *b)
{
    for (int i = 0; i < MAX_RUNS_AT_REST; i++) {
        if (!clock_run_expired(b->m.clock))
            return true;
    }
    return false;
}

bool board_advance(Board *b, int64_t ns, bool on_time)
{
    int64_t target = ns < BOARD_TIME_END - b->now_ns ? b->now_ns + ns : BOARD_TIME_END;

    for (int i = 0; on_time && i < MAX_STEPS && clock_deadline_ns(b->m.clock) <= target; i++) {
        b->now_ns = MAX(b->now_ns, clock_deadline_ns(b->m.clock));
        clock_run_expired(b->m.clock);
    }
    b->now_ns = target;
    return settle(b);
}

/* ---- State ---------------------------------------------------------------------------------- */

static GByteArray *save(Board *b)
{
    GByteArray *out = g_byte_array_new();

    device_tree_save(b->m.root, out);
    return out;
}

static bool load_and_compare(Board *b, const GByteArray *before)
{
    g_autoptr(GByteArray) after = NULL;
    GError *error = NULL;

    if (!device_tree_load(b->m.root, before->data, before->len, &error)) {
        fprintf(stderr, "load: %s\n", error->message);
        g_error_free(error);
        return false;
    }
    after = save(b);
    return after->len == before->len && !memcmp(after->data, before->data, after->len);
}

bool board_round_trip(Board *b)
{
    g_autoptr(GByteArray) before = save(b);
    uint32_t requests = b->m.requests;
    bool same;

    b->bench.frozen = true;
    device_reset(b->m.root);
    same = load_and_compare(b, before);
    b->bench.frozen = false;
    b->m.requests = requests;
    return same;
}

static void copy_memory(RamSet *to, const GPtrArray *from)
{
    const GPtrArray *blocks = ram_set_blocks(to);

    for (guint i = 0; i < blocks->len; i++) {
        const RamBlock *d = blocks->pdata[i], *s = from->pdata[i];
        memcpy(d->host, s->host, s->size);
    }
}

static void take_block(gpointer block, gpointer copies)
{
    const RamBlock *s = block;
    RamBlock *copy = g_new0(RamBlock, 1);

    copy->size = s->size;
    copy->host = g_memdup2(s->host, s->size);
    g_ptr_array_add(copies, copy);
}

static void drop_block(gpointer block)
{
    g_free(((RamBlock *)block)->host);
    g_free(block);
}

bool board_migrate(Board *b)
{
    g_autoptr(GByteArray) state = save(b);
    g_autoptr(GPtrArray) memory = g_ptr_array_new_with_free_func(drop_block);
    uint32_t requests = b->m.requests;
    int status = b->m.exit_status;
    bool same;

    g_ptr_array_foreach((GPtrArray *)ram_set_blocks(b->m.ram), take_block, memory);
    b->bench.frozen = true;
    tear_down(b);
    build(b);
    copy_memory(b->m.ram, memory);
    same = load_and_compare(b, state);
    b->bench.frozen = false;
    b->m.requests = requests;
    b->m.exit_status = status;
    return same;
}

/* ---- Comparing ------------------------------------------------------------------------------ */

static char *state_difference(Board *a, Board *b)
{
    g_autoptr(GString) of_a = g_string_new(NULL), of_b = g_string_new(NULL);
    g_auto(GStrv) lines_a = NULL, lines_b = NULL;
    GString *out = g_string_new(NULL);

    device_tree_print(a->m.root, of_a);
    device_tree_print(b->m.root, of_b);
    lines_a = g_strsplit(of_a->str, "\n", -1);
    lines_b = g_strsplit(of_b->str, "\n", -1);
    for (int i = 0; lines_a[i] && lines_b[i]; i++) {
        if (strcmp(lines_a[i], lines_b[i]))
            g_string_append_printf(out, "left:  %s\nright: %s\n", lines_a[i], lines_b[i]);
    }
    return g_string_free(out, FALSE);
}

static bool same_bytes(const GByteArray *a, const GByteArray *b)
{
    return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static const char *outside_difference(const Board *a, const Board *b)
{
    const FakeCpus *ca = &a->cpus, *cb = &b->cpus;

    for (int n = 0; n < BOARD_CPUS; n++) {
        if (ca->intr[n] != cb->intr[n])
            return "INTR of a CPU";
        if (ca->nmis[n] != cb->nmis[n] || ca->smis[n] != cb->smis[n] ||
            ca->inits[n] != cb->inits[n] || ca->sipi[n] != cb->sipi[n])
            return "NMI, SMI, INIT or SIPI of a CPU";
    }
    for (int i = 0; i < MACHINE_MAX_SERIAL; i++) {
        if (!same_bytes(a->serial_out[i], b->serial_out[i]))
            return "serial output";
    }
    if (!same_bytes(a->debug_out, b->debug_out))
        return "debug console output";
    if (a->m.requests != b->m.requests || a->m.exit_status != b->m.exit_status)
        return "requests to the machine";
    return board_host_difference(&a->host, &b->host);
}

char *board_difference(Board *a, Board *b)
{
    g_autoptr(GByteArray) of_a = save(a), of_b = save(b);
    const char *outside = outside_difference(a, b);

    if (outside)
        return g_strdup(outside);
    return same_bytes(of_a, of_b) ? NULL : state_difference(a, b);
}

bool board_same_memory(Board *a, Board *b)
{
    const GPtrArray *of_a = ram_set_blocks(a->m.ram), *of_b = ram_set_blocks(b->m.ram);

    for (guint i = 0; i < of_a->len; i++) {
        const RamBlock *x = of_a->pdata[i], *y = of_b->pdata[i];
        if (memcmp(x->host, y->host, x->size))
            return false;
    }
    return board_host_same_disks(&a->m, &b->m);
}
