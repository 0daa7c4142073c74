/* SPDX-License-Identifier: MIT */
/* A driver in miniature against the virtio disk: set-up, requests, and chains that make no sense.
 */
#include "tests/hw/fixture.h"

#include <string.h>
#include <unistd.h>

#include "hw/virtio-balloon.h"
#include "hw/virtio-blk.h"
#include "hw/virtio-rng.h"
#include "softmmu/random.h"

#define BAR    0x10000000u
#define CONFIG (BAR + 0x2000)
#define NOTIFY (BAR + 0x3000)
#define DESC   0x1000u
#define AVAIL  0x3000u
#define USED   0x4000u
#define HEADER 0x8000u
#define STATUS 0x8100u
#define DATA   0x9000u

typedef struct Bench {
    Fixture *f;
    InputQueue *input;
    PciBus *bus;
    IrqSpy *irq;
    Irq pirq[4];
    char *path;
    int fd;
    unsigned made; /* chains, so far */
} Bench;

static void make_bus(Bench *b, Fixture *f)
{
    b->bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    b->irq = fixture_spy(f);
    for (unsigned i = 0; i < 4; i++)
        b->pirq[i] = b->irq->irq;
    pci_bus_set_pirq(b->bus, b->pirq);
}

/* The device at 4.0. */
static void decode(Bench *b, Fixture *f)
{
    fixture_start(f);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_BAR0 + 16, BAR, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), PCI_COMMAND, 6, 2);
}

static void start(Bench *b, Fixture *f)
{
    *b = (Bench){ .f = f, .input = input_queue_new() };
    b->path = g_build_filename(g_get_tmp_dir(), "mimus-virtio-XXXXXX", NULL);
    b->fd = g_mkstemp(b->path);
    assert_int_equal(ftruncate(b->fd, 1 << 20), 0);
    ImageOpen how = { .path = b->path, .format = "raw" };
    DriveWiring w = { .image = image_open(&how, NULL),
                      .size = 1 << 20,
                      .clock = f->clock,
                      .input = b->input,
                      .counted = true };
    make_bus(b, f);
    virtio_blk_new(b->bus, PCI_DEVFN(4, 0), f->memory, drive_new(f->root, "d", &w), "serial");
    decode(b, f);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    input_queue_free(b->input);
    close(b->fd);
    unlink(b->path);
    g_free(b->path);
}

static void set_up_rings(Bench *b, uint32_t used)
{
    Fixture *f = b->f;

    fixture_write(f, BAR + 0x14, 3, 1);
    fixture_write(f, BAR + 0x08, 1, 4);
    fixture_write(f, BAR + 0x0c, 1, 4); /* version 1 */
    fixture_write(f, BAR + 0x14, 11, 1);
    assert_int_equal(fixture_read(f, BAR + 0x14, 1), 11);
    assert_int_equal(fixture_read(f, BAR + 0x18, 2), 256);
    fixture_write(f, BAR + 0x18, 8, 2);
    fixture_write(f, BAR + 0x20, DESC, 4);
    fixture_write(f, BAR + 0x28, AVAIL, 4);
    fixture_write(f, BAR + 0x30, used, 4);
    fixture_write(f, BAR + 0x1c, 1, 2);
    fixture_write(f, BAR + 0x14, 15, 1);
}

static void set_up(Bench *b)
{
    set_up_rings(b, USED);
}

static void put_desc(Bench *b, unsigned n, uint64_t addr, uint32_t len, uint16_t flags,
                     uint16_t next)
{
    fixture_write(b->f, DESC + 16 * n, addr, 8);
    fixture_write(b->f, DESC + 16 * n + 8, len, 4);
    fixture_write(b->f, DESC + 16 * n + 12, flags, 2);
    fixture_write(b->f, DESC + 16 * n + 14, next, 2);
}

static void offer(Bench *b, uint16_t head)
{
    fixture_write(b->f, AVAIL + 4 + 2 * (b->made++ % 8), head, 2);
    fixture_write(b->f, AVAIL + 2, b->made, 2);
    fixture_write(b->f, NOTIFY, 0, 2);
}

/* Header, data, status. */
static void request(Bench *b, uint32_t type, uint64_t sector, uint32_t len, bool in)
{
    fixture_write(b->f, HEADER, type, 4);
    fixture_write(b->f, HEADER + 8, sector, 8);
    fixture_write(b->f, STATUS, 0xff, 1);
    put_desc(b, 0, HEADER, 16, 1, 1);
    put_desc(b, 1, DATA, len, in ? 3 : 1, 2);
    put_desc(b, 2, STATUS, 1, 2, 0);
    offer(b, 0);
    fixture_advance(b->f, NS_PER_SEC);
}

static void test_identity(void **state)
{
    Bench b;
    uint8_t cap;

    start(&b, *state);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), 0, 4), 0x10011af4);
    cap = pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), PCI_CAP_POINTER, 1);
    for (unsigned n = 0; n < 6; n++) { /* MSI-X, then those of virtio */
        assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), cap, 1), n ? 9 : 0x11);
        cap = pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), cap + 1, 1);
    }
    assert_int_equal(cap, 0);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x88, 4, 1); /* the window: capacity */
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x8c, 0x2000, 4);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x90, 4, 4);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), 0x94, 4), 2048);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x8c, 0x14, 4);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x90, 1, 4);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), 0x94, 3, 4);
    assert_int_equal(fixture_read(b.f, BAR + 0x14, 1), 3);
    assert_int_equal(fixture_read(b.f, CONFIG, 4), 2048);
    fixture_write(b.f, BAR + 0x14, 11, 1); /* without version 1: features are not accepted */
    assert_int_equal(fixture_read(b.f, BAR + 0x14, 1), 3);
    stop(&b);
}

static void test_requests(void **state)
{
    uint8_t data[1024], *ram;
    Bench b;

    start(&b, *state);
    set_up(&b);
    ram = b.f->ram_block->host;
    for (unsigned i = 0; i < 1024; i++)
        ram[DATA + i] = data[i] = i * 3;
    request(&b, 1, 5, 1024, false);
    assert_int_equal(ram[STATUS], 0);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_read(b.f, BAR + 0x1000, 1), 1);
    assert_int_equal(b.irq->level, 0);
    memset(ram + DATA, 0, 1024);
    request(&b, 0, 5, 1024, true);
    assert_int_equal(ram[STATUS], 0);
    assert_memory_equal(ram + DATA, data, 1024);
    assert_int_equal(fixture_read(b.f, USED + 2, 2), 2);
    assert_int_equal(fixture_read(b.f, USED + 4 + 8 + 4, 4), 1025);
    request(&b, 4, 0, 0, false);
    assert_int_equal(ram[STATUS], 0);
    request(&b, 8, 0, 20, true);
    assert_memory_equal(ram + DATA, "serial\0", 7);
    request(&b, 0, 2047, 1024, true); /* beyond the end */
    assert_int_equal(ram[STATUS], 1);
    request(&b, 0, UINT64_MAX, 512, true);
    assert_int_equal(ram[STATUS], 1);
    request(&b, 99, 0, 512, true);
    assert_int_equal(ram[STATUS], 2);
    stop(&b);
}

/* Each breaks the device, which says so, until it is reset. */
static void test_broken(void **state)
{
    static const struct {
        uint64_t addr;
        uint32_t len;
        uint16_t flags, next, head;
    } rows[] = {
        { HEADER, 16, 1, 0, 0 },                           /* a chain that has no end */
        { HEADER, 16, 0, 0, 8 },                           /* beyond the table */
        { HEADER, 16, 1, 9, 0 },    { DESC, 16, 4, 0, 0 }, /* indirect in indirect */
        { DESC, 8, 4, 0, 0 },                              /* an empty table */
        { DESC, 1 << 20, 4, 0, 0 },                        /* a long one */
        { DESC, 16, 5, 1, 0 },                             /* indirect and more */
    };
    Bench b;

    start(&b, *state);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        set_up(&b);
        b.made = 0;
        fixture_write(b.f, USED, 0, 4);
        fixture_write(b.f, AVAIL, 0, 4);
        put_desc(&b, 0, rows[i].addr, rows[i].len, rows[i].flags, rows[i].next);
        offer(&b, rows[i].head);
        assert_int_equal(fixture_read(b.f, BAR + 0x14, 1) & 64, 64);
        assert_int_equal(fixture_read(b.f, USED + 2, 2), 0);
        fixture_write(b.f, BAR + 0x14, 0, 1);
        assert_int_equal(fixture_read(b.f, BAR + 0x14, 1), 0);
        assert_int_equal(b.irq->level, 0);
    }
    stop(&b);
}

static void test_abuse(void **state)
{
    Bench b;

    start(&b, *state);
    b.f->roundtrip = false;
    for (unsigned seed = 0; seed < 60; seed++) {
        set_up(&b);
        fixture_abuse(b.f, b.f->memory, DESC, 0x100, 60, seed);
        fixture_abuse(b.f, b.f->memory, AVAIL, 0x20, 30, seed);
        fixture_write(b.f, NOTIFY, 0, 2);
        fixture_abuse(b.f, b.f->memory, BAR, 0x3100, 200, seed);
        fixture_advance(b.f, NS_PER_SEC);
        fixture_write(b.f, BAR + 0x14, 0, 1);
    }
    stop(&b);
}

/* ---- Messages -------------------------------------------------------------------------------- */

typedef struct Heard {
    unsigned count;
    uint64_t addr;
    uint32_t data;
} Heard;

static void hear(void *opaque, uint64_t addr, uint32_t data)
{
    Heard *h = opaque;

    *h = (Heard){ h->count + 1, addr, data };
}

#define TABLE   0x10010000u
#define CONTROL 0x9a /* of the capability */

/* Where drivers look: BARs that say their sizes, and capabilities. */
static void test_layout(void **state)
{
    static const struct {
        unsigned off;
        uint32_t reads;
    } rows[] = {
        { PCI_BAR0, 0xffffff81 },
        { PCI_BAR0 + 4, 0xfffff000 },
        { PCI_BAR0 + 8, 0 },
        { PCI_BAR0 + 16, 0xffffc00c },
        { PCI_BAR0 + 20, 0xffffffff },
        { 0x98, 0x00018411 },
        { 0x9c, 1 },
        { 0xa0, 0x801 },
        { 0x84, 0x05147009 },
        { 0x70, 0x02146009 },
        { 0x78, 0x3000 },
        { 0x7c, 0x1000 },
        { 0x80, 4 },
        { 0x60, 0x04105009 },
        { 0x68, 0x2000 },
        { 0x50, 0x03104009 },
        { 0x58, 0x1000 },
        { 0x40, 0x01100009 },
        { 0x44, 4 },
        { 0x4c, 0x1000 },
    };
    Bench b;

    start(&b, *state);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].off < 0x28)
            pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), rows[i].off, UINT32_MAX, 4);
        assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), rows[i].off, 4), rows[i].reads);
    }
    stop(&b);
}

static void set_control(Bench *b, uint16_t value)
{
    pci_config_write(b->bus, 0, PCI_DEVFN(4, 0), CONTROL, value, 2);
}

static void test_messages(void **state)
{
    Heard heard = { 0 };
    Bench b;

    start(&b, *state);
    pci_bus_set_msi(b.bus, &(PciMsi){ hear, &heard });
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), CONTROL - 2, 4) & 0x07ff00ff,
                     0x10011);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), PCI_BAR0 + 4, TABLE, 4);
    set_control(&b, 0x8000);
    fixture_write(b.f, TABLE + 16, 0xfee01003, 4);
    fixture_write(b.f, TABLE + 24, 0x4041, 4);
    fixture_write(b.f, BAR + 0x1a, 2, 2); /* there are two */
    assert_int_equal(fixture_read(b.f, BAR + 0x1a, 2), 0xffff);
    fixture_write(b.f, BAR + 0x1a, 1, 2);
    assert_int_equal(fixture_read(b.f, BAR + 0x1a, 2), 1);
    set_up(&b);
    request(&b, 0, 0, 512, true); /* masked: kept */
    assert_int_equal(heard.count, 0);
    assert_int_equal(fixture_read(b.f, TABLE + 0x800, 4), 2);
    fixture_write(b.f, TABLE + 28, 0, 4);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.addr, 0xfee01000);
    assert_int_equal(heard.data, 0x4041);
    assert_int_equal(fixture_read(b.f, TABLE + 0x800, 4), 0);
    request(&b, 0, 0, 512, true);
    assert_int_equal(heard.count, 2);
    set_control(&b, 0xc000);
    request(&b, 0, 0, 512, true); /* all are masked */
    assert_int_equal(heard.count, 2);
    set_control(&b, 0x8000);
    assert_int_equal(heard.count, 3);
    assert_int_equal(spy_take_rises(b.irq), 0);
    set_control(&b, 0); /* the pin again */
    request(&b, 0, 0, 512, true);
    assert_int_equal(heard.count, 3);
    assert_int_equal(spy_take_rises(b.irq), 1);
    stop(&b);
}

/* ---- Drivers of before version 1 ------------------------------------------------------------- */

#define PORTS 0xc000
#define PAGE  0x20 /* of the queue: descriptors at 20000h, 256 of them */

static void test_legacy(void **state)
{
    uint32_t ring = PAGE << 12, avail = ring + 256 * 16, used = (avail + 6 + 512 + 4095) & ~4095u;
    Bench b;

    start(&b, *state);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), PCI_DEVICE_ID, 2), 0x1001);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), PCI_SUBSYSTEM_ID, 2), 2);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), PCI_BAR0, PORTS, 4);
    pci_config_write(b.bus, 0, PCI_DEVFN(4, 0), PCI_COMMAND, 7, 2);
    fixture_outb(b.f, PORTS + 18, 3);
    fixture_outl(b.f, PORTS + 4, fixture_inl(b.f, PORTS) & 0x40); /* block size */
    fixture_outw(b.f, PORTS + 14, 1);                             /* there is only one queue */
    assert_int_equal(fixture_inw(b.f, PORTS + 12), 0);
    fixture_outw(b.f, PORTS + 14, 0);
    assert_int_equal(fixture_inw(b.f, PORTS + 12), 256);
    fixture_outl(b.f, PORTS + 8, PAGE);
    assert_int_equal(fixture_inl(b.f, PORTS + 8), PAGE);
    fixture_outb(b.f, PORTS + 18, 7);
    assert_int_equal(fixture_inl(b.f, PORTS + 20), (1 << 20) / 512);
    fixture_write(b.f, HEADER, 8, 4); /* who are you? */
    fixture_write(b.f, HEADER + 8, 0, 8);
    for (unsigned i = 0; i < 3; i++) {
        static const uint32_t at[] = { HEADER, DATA, STATUS }, len[] = { 16, 20, 1 };

        fixture_write(b.f, ring + 16 * i, at[i], 8);
        fixture_write(b.f, ring + 16 * i + 8, len[i], 4);
        fixture_write(b.f, ring + 16 * i + 12, (i ? 2 : 0) | (i < 2 ? 1 : 0) | (i + 1) << 16, 4);
    }
    fixture_write(b.f, avail + 2, 1, 2);
    fixture_outw(b.f, PORTS + 16, 0);
    assert_memory_equal(b.f->ram_block->host + DATA, "serial", 7);
    assert_int_equal(fixture_read(b.f, used + 2, 2), 1);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_inb(b.f, PORTS + 19), 1);
    assert_int_equal(b.irq->level, 0);
    fixture_outb(b.f, PORTS + 18, 0);
    assert_int_equal(fixture_inl(b.f, PORTS + 8), 0);
    fixture_abuse(b.f, b.f->io, PORTS, 128, 2000, 7);
    stop(&b);
}

/* Equal seeds, equal numbers; what is not a whole number of eight bytes is cut. */
static void test_rng(void **state)
{
    Fixture *f = *state;
    Bench b = { .f = f };

    make_bus(&b, f);
    virtio_rng_new(b.bus, PCI_DEVFN(4, 0), f->memory, 42, 7, NULL);
    decode(&b, f);
    set_up(&b);
    put_desc(&b, 0, DATA, 12, 2, 0);
    for (unsigned i = 0; i < 2; i++) {
        offer(&b, 0);
        assert_int_equal(fixture_read(f, USED + 2, 2), i + 1);
        assert_int_equal(fixture_read(f, USED + 8 + 8 * i, 4), 12);
        assert_int_equal(fixture_read(f, DATA, 8), random_number(42, 7, 2 * i));
        assert_int_equal(fixture_read(f, DATA + 8, 4), (uint32_t)random_number(42, 7, 2 * i + 1));
    }
    assert_int_equal(b.irq->level, 1);
    put_desc(&b, 0, DATA, 12, 0, 0); /* nothing to write to */
    offer(&b, 0);
    assert_int_equal(fixture_read(f, USED + 8 + 16, 4), 0);
    device_unrealize(f->root);
}

/* What is given back is offered again, or rings the bell again: neither goes on for ever, nor from
 * within itself. Then a chain that is longer than chains may be. */
static void test_rings_in_rings(void **state)
{
    static const uint32_t used[] = { AVAIL, NOTIFY - 2 };
    Fixture *f = *state;
    Bench b = { .f = f };

    make_bus(&b, f);
    virtio_rng_new(b.bus, PCI_DEVFN(4, 0), f->memory, 42, 7, NULL);
    decode(&b, f);
    f->roundtrip = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(used); i++) {
        set_up_rings(&b, used[i]);
        memset(f->ram_block->host + AVAIL, 0, 64);
        put_desc(&b, 0, DATA, 12, 2, 0);
        fixture_write(f, AVAIL + 2, 0xffff, 2);
        fixture_write(f, NOTIFY, 0, 2);
        assert_int_equal(fixture_read(f, BAR + 0x14, 1) & 64, i ? 0 : 64);
        fixture_write(f, BAR + 0x14, 0, 1);
    }
    set_up(&b);
    b.made = 0;
    put_desc(&b, 0, DATA, UINT32_MAX, 3, 1);
    put_desc(&b, 1, DATA, 2, 2, 0);
    offer(&b, 0);
    assert_int_equal(fixture_read(f, BAR + 0x14, 1) & 64, 64);
    device_unrealize(f->root);
}

/* Bytes of the host's come through the input queue, some for each buffer. */
static void test_rng_of_host(void **state)
{
    Fixture *f = *state;
    Bench b = { .f = f, .input = input_queue_new() };
    g_autoptr(GError) error = NULL;
    HostRandom *source = host_random_new(b.input, "r", "/dev/urandom", &error);

    assert_non_null(source);
    make_bus(&b, f);
    virtio_rng_new(b.bus, PCI_DEVFN(4, 0), f->memory, 42, 7, source);
    decode(&b, f);
    set_up(&b);
    f->roundtrip = false; /* loading a state asks again */
    put_desc(&b, 0, DATA, 12, 2, 0);
    offer(&b, 0);
    assert_int_equal(fixture_read(f, USED + 2, 2), 0);
    input_deliver(b.input, true, 0);
    assert_int_equal(fixture_read(f, USED + 2, 2), 1);
    assert_int_equal(fixture_read(f, USED + 8, 4), 12);
    assert_int_not_equal(fixture_read(f, DATA, 8), 0);
    assert_false(input_pending(b.input)); /* nobody wants more */
    put_desc(&b, 0, DATA, 4000, 2, 0);
    offer(&b, 0);
    input_deliver(b.input, true, 0);
    assert_int_equal(fixture_read(f, USED + 8 + 8, 4), 256);
    device_unrealize(f->root);
    input_queue_free(b.input);
    host_random_free(source);
    assert_null(host_random_new(NULL, "r", "/", &error));
    assert_non_null(strstr(error->message, "is no character device"));
}

static void count_change(void *opaque, uint64_t left)
{
    *(uint64_t *)opaque = left;
}

/* Pages go in, which read as zeros then; what is wanted and what there is; numbers of no page. */
static void test_balloon(void **state)
{
    Fixture *f = *state;
    Bench b = { .f = f };
    uint64_t left = 0;
    BalloonWiring w = { f->memory, 1 << 20, true, count_change, &left };
    Device *dev;

    make_bus(&b, f);
    dev = virtio_balloon_new(b.bus, PCI_DEVFN(4, 0), &w);
    decode(&b, f);
    assert_int_equal(pci_config_read(b.bus, 0, PCI_DEVFN(4, 0), 0, 4), 0x10021af4);
    virtio_balloon_ask(dev, 1 << 19);
    assert_int_equal(b.irq->level, 0); /* nobody listens yet */
    assert_int_equal(fixture_read(f, CONFIG, 4), 128);
    set_up(&b);
    virtio_balloon_ask(dev, (1 << 20) - 8192);
    assert_int_equal(b.irq->level, 1);
    assert_int_equal(fixture_read(f, BAR + 0x1000, 1), 2); /* the configuration has changed */
    assert_int_equal(fixture_read(f, CONFIG, 4), 2);
    memset(f->ram_block->host + 0xb000, 0xaa, 0x4000);
    fixture_write(f, DATA, 0xc, 4);
    fixture_write(f, DATA + 4, 0xd, 4);
    fixture_write(f, DATA + 8, UINT32_MAX, 4); /* no RAM is there */
    put_desc(&b, 0, DATA, 14, 0, 0);           /* not a whole number */
    offer(&b, 0);
    assert_int_equal(fixture_read(f, USED + 2, 2), 1);
    assert_int_equal(fixture_read(f, 0xbff8, 8), UINT64_C(0xaaaaaaaaaaaaaaaa));
    assert_int_equal(fixture_read(f, 0xc000, 8) | fixture_read(f, 0xdff8, 8), 0);
    assert_int_equal(fixture_read(f, 0xe000, 8), UINT64_C(0xaaaaaaaaaaaaaaaa));
    fixture_write(f, CONFIG, 77, 4); /* what is wanted is not the driver's to say */
    fixture_write(f, CONFIG + 4, 2, 4);
    assert_int_equal(fixture_read(f, CONFIG, 4), 2);
    assert_int_equal(fixture_read(f, CONFIG + 4, 4), 2);
    assert_int_equal(left, (1 << 20) - 8192);
    assert_int_equal(virtio_balloon_left(dev), left);
    fixture_write(f, CONFIG + 4, UINT32_MAX, 4); /* more than there is */
    assert_int_equal(virtio_balloon_left(dev), 0);
    virtio_balloon_ask(dev, UINT64_MAX);
    assert_int_equal(fixture_read(f, CONFIG, 4), 0);
    fixture_abuse(f, f->memory, BAR, 0x4000, 3000, 9);
    device_unrealize(f->root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_rng),      hw_test(test_rng_of_host), hw_test(test_rings_in_rings),
        hw_test(test_identity), hw_test(test_requests),    hw_test(test_broken),
        hw_test(test_abuse),    hw_test(test_messages),    hw_test(test_legacy),
        hw_test(test_layout),   hw_test(test_balloon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
