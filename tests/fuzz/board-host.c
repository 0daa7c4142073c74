/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/board-host.h"

#include <glib/gstdio.h>
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/block/image.h"
#include "softmmu/bytes.h"

#define DISK_BYTES   (1u << 20)
#define FLOPPY_BYTES 737280u

/* ---- Disks ----------------------------------------------------------------------------------- */

/* The last two are in no drive at first. */
static const struct {
    const char *id, *format;
    uint32_t size;
    DriveInterface interface;
    int bus, unit;
    bool cdrom, loose;
} disks[HOST_IMAGES] = {
    { "hd0", "raw", DISK_BYTES, DRIVE_IF_IDE, 0, 0, false, false },
    { "hd1", "qcow2", DISK_BYTES, DRIVE_IF_IDE, 0, 1, false, false },
    { "cd0", "raw", DISK_BYTES, DRIVE_IF_IDE, 1, 0, true, false },
    { "fd0", "raw", FLOPPY_BYTES, DRIVE_IF_FLOPPY, 0, 0, false, false },
    { "vd0", "qcow2", DISK_BYTES, DRIVE_IF_NONE, -1, -1, false, false },
    { "cd1", "raw", DISK_BYTES + 2048, DRIVE_IF_IDE, -1, -1, true, true },
    { "fd1", "raw", 2 * FLOPPY_BYTES, DRIVE_IF_FLOPPY, -1, -1, false, true },
};
enum { CD = 2, FLOPPY = 3, OTHER_CD = 5, OTHER_FLOPPY = 6 };

static char *make_image(const char *dir, unsigned n)
{
    static unsigned made;
    char *path = g_strdup_printf("%s/%d-%u-%s", dir, (int)getpid(), made++, disks[n].id);
    ImageCreate how = { .path = path, .format = disks[n].format, .size = disks[n].size };
    GError *error = NULL;

    if (!image_create(&how, &error))
        g_error("%s: %s", path, error->message);
    return path;
}

static DriveOption *drive_option(const BoardHost *h, unsigned n)
{
    DriveOption *o = g_new0(DriveOption, 1);

    *o = (DriveOption){ .id = (char *)disks[n].id,
                        .file = h->images[n],
                        .format = (char *)disks[n].format,
                        .interface = disks[n].interface,
                        .bus = disks[n].bus,
                        .unit = disks[n].unit,
                        .cdrom = disks[n].cdrom,
                        .discard = true };
    return o;
}

/* A board that is built anew has the medium that was there. */
static void note_medium(BoardHost *h, unsigned own, const char *path)
{
    DriveOption *o = h->drives->pdata[own];

    o->file = NULL;
    for (unsigned i = 0; path && i < HOST_IMAGES; i++) {
        if (g_str_equal(h->images[i], path))
            o->file = h->images[i];
    }
}

void board_host_medium(BoardHost *h, Machine *m, unsigned n, unsigned what)
{
    unsigned own = n & 1 ? CD : FLOPPY, other = n & 1 ? OTHER_CD : OTHER_FLOPPY;
    ImageOpen how = { .format = "raw", .read_only = own == CD };
    Drive *d = drive_find(m->root, disks[own].id);

    how.path = h->images[what & 1 ? own : other];
    if (what & 2)
        drive_eject(d, what & 4, NULL);
    else
        drive_insert(d, &how, what & 4, NULL);
    note_medium(h, own, drive_path(d));
}

static bool same_contents(Image *a, Image *b)
{
    g_autofree uint8_t *of_a = NULL, *of_b = NULL;
    uint64_t size = a ? image_size(a) : 0;

    if (!a || !b || image_size(b) != size)
        return !a == !b;
    of_a = g_malloc(size);
    of_b = g_malloc(size);
    return !image_read(a, 0, of_a, size) && !image_read(b, 0, of_b, size) &&
           !memcmp(of_a, of_b, size);
}

bool board_host_same_disks(Machine *a, Machine *b)
{
    g_autoptr(GPtrArray) of_a = drive_list(a->root), of_b = drive_list(b->root);

    for (guint i = 0; i < of_a->len; i++) {
        if (!same_contents(drive_settled_image(of_a->pdata[i]),
                           drive_settled_image(of_b->pdata[i])))
            return false;
    }
    return true;
}

/* ---- Networks -------------------------------------------------------------------------------- */

static void hear_frame(NetBackend *b, const uint8_t *frame, size_t len)
{
    HostNet *n = (HostNet *)b;

    n->frames++;
    n->hash = state_hash_bytes(frame, len, n->hash);
}

static void nothing(NetBackend *b)
{
}

static const uint8_t first_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };

void board_host_frame(BoardHost *h, Machine *m, unsigned n, uint64_t seed)
{
    static const uint16_t types[] = { 0x0800, 0x0806, 0x86dd, 0x8100, 0x0001, 0xffff };
    static const uint16_t lengths[] = { 1, 13, 14, 18, 59, 60, 64, 590, 1514, 1518, 1522 };
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    uint8_t frame[NET_MAX_FRAME];
    size_t len = lengths[g_rand_int_range(rand, 0, G_N_ELEMENTS(lengths))];
    uint16_t type = types[g_rand_int_range(rand, 0, G_N_ELEMENTS(types))];

    for (size_t i = 0; i < sizeof(frame); i++)
        frame[i] = g_rand_int(rand);
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0: memset(frame, 0xff, 6); break;
    case 1: break;
    default: memcpy(frame, first_mac, 6); frame[5] += n;
    }
    frame[12] = type >> 8;
    frame[13] = type;
    if (type == 0x0800 && g_rand_boolean(rand)) {
        static const uint8_t ip[] = { 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17 };
        memcpy(frame + 14, ip, sizeof(ip));
    }
    net_backend_deliver(&h->nets[n].backend, frame, len);
    input_deliver(m->input, true, 0);
}

/* ---- Life ------------------------------------------------------------------------------------ */

void board_host_init(BoardHost *h, const char *dir)
{
    h->drives = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < HOST_IMAGES; i++) {
        h->images[i] = make_image(dir, i);
        if (!disks[i].loose)
            g_ptr_array_add(h->drives, drive_option(h, i));
    }
    for (unsigned i = 0; i < HOST_NETS; i++) {
        h->nets[i].backend = (NetBackend){ .send = hear_frame, .free = nothing };
        h->nets[i].id = g_strdup_printf("n%u", i);
    }
    h->port_out = g_byte_array_new();
    h->port = chardev_new_memory(h->port_out);
}

void board_host_clear(BoardHost *h)
{
    for (unsigned i = 0; i < HOST_IMAGES; i++) {
        g_unlink(h->images[i]);
        g_free(h->images[i]);
    }
    for (unsigned i = 0; i < HOST_NETS; i++)
        g_free(h->nets[i].id);
    g_ptr_array_free(h->drives, true);
    chardev_free(h->port);
    g_byte_array_unref(h->port_out);
}

void board_host_offer(BoardHost *h, Machine *m)
{
    m->nets = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < HOST_NETS; i++)
        g_hash_table_insert(m->nets, h->nets[i].id, &h->nets[i].backend);
    m->chardevs = g_hash_table_new(g_str_hash, g_str_equal);
    g_hash_table_insert(m->chardevs, (char *)"port", h->port);
}

void board_host_take_back(BoardHost *h, Machine *m)
{
    g_clear_pointer(&m->nets, g_hash_table_unref);
    g_clear_pointer(&m->chardevs, g_hash_table_unref);
}

const char *board_host_difference(const BoardHost *a, const BoardHost *b)
{
    for (unsigned i = 0; i < HOST_NETS; i++) {
        if (a->nets[i].frames != b->nets[i].frames || a->nets[i].hash != b->nets[i].hash)
            return "frames sent";
    }
    if (a->port_out->len != b->port_out->len ||
        (a->port_out->len && memcmp(a->port_out->data, b->port_out->data, a->port_out->len)))
        return "output of a virtio serial port";
    return NULL;
}
