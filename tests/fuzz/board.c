/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/board.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define BIOS_SIZE         0x40000
#define VGABIOS_SIZE      0x8000
#define MAX_STEPS         4000 /* timers that run one by one in one advance */
#define MAX_RUNS_AT_REST  64   /* of up to 4096 callbacks each */
#define DEBUG_EXIT_DRIVER "isa-debug-exit"

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

void board_firmware_remove(void)
{
    g_unlink(firmware.bios);
    g_unlink(firmware.vgabios);
    g_unlink(firmware.cirrus);
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
    o->props = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(c->devices, o);
    return o;
}

static void configure(MachineConfig *c)
{
    static const char *const drivers[] = {
        "edu",
        "pci-testdev",
        "i6300esb",
        "ne2k_pci",
        "rtl8139",
        "pvpanic",
        "virtio-rng-pci",
        "virtio-serial-pci",
        "virtconsole",
        "virtio-balloon-pci",
        "virtio-gpu-pci",
        "vmcoreinfo",
        "vmgenid",
        "secondary-vga",
    };
    DeviceOption *o;

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
                          .icount_shift = -1,
                          .rtc_base_s = 1700000000,
                          .devices = g_ptr_array_new_with_free_func(device_option_free),
                          .fw_cfg = g_ptr_array_new() };
    g_ptr_array_add(c->data_dirs, firmware.dir);
    o = add_device(c, DEBUG_EXIT_DRIVER);
    g_hash_table_insert(o->props, (char *)"iobase", (char *)"0xf4");
    g_hash_table_insert(o->props, (char *)"iosize", (char *)"4");
    for (unsigned i = 0; i < G_N_ELEMENTS(drivers); i++)
        add_device(c, drivers[i]);
}

static void build(Board *b)
{
    Machine *m = &b->m;
    GError *error = NULL;

    configure(&b->config);
    machine_init(m, &b->config);
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
    build(b);
    return b;
}

/* All but the outside world: character devices, CPUs and the time of day. */
static void tear_down(Board *b)
{
    Machine *m = &b->m;

    pc_board_free(m);
    device_free(m->root);
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

Board *board_migrate(Board *b)
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
    return same ? b : NULL;
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
    return NULL;
}

char *board_difference(Board *a, Board *b)
{
    g_autoptr(GByteArray) of_a = save(a), of_b = save(b);
    const char *outside = outside_difference(a, b);

    if (outside)
        return g_strdup(outside);
    return same_bytes(of_a, of_b) ? NULL : state_difference(a, b);
}

bool board_same_memory(const Board *a, const Board *b)
{
    const GPtrArray *of_a = ram_set_blocks(a->m.ram), *of_b = ram_set_blocks(b->m.ram);

    for (guint i = 0; i < of_a->len; i++) {
        const RamBlock *x = of_a->pdata[i], *y = of_b->pdata[i];
        if (memcmp(x->host, y->host, x->size))
            return false;
    }
    return true;
}
