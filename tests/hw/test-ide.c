/* SPDX-License-Identifier: MIT */
/* The PIIX3 IDE controller with a disk and a CD-ROM, in counted time. */
#include "tests/hw/fixture.h"

#include <string.h>
#include <unistd.h>

#include "hw/pci.h"
#include "hw/piix3-ide.h"

#define SECTORS  2048u
#define BMDMA    0xc000
#define PRDS     0x1000
#define DATA     0x4000
#define LONG_NS  NS_PER_SEC
#define CD_BLOCK 2048

enum { ERR = 0x01, DRQ = 0x08, DRDY = 0x40, BSY = 0x80 };

typedef struct Bench {
    Fixture *f;
    InputQueue *input;
    PciBus *bus;
    Device *ide;
    IrqSpy *irq[2];
    char *path;
    int fd;
} Bench;

/* Sector n begins with its number and goes on in a way of its own. */
static uint8_t pattern(uint32_t sector, unsigned i)
{
    return i < 4 ? sector >> 8 * i : sector * 7 + i * 13;
}

static char *make_image(int *fd)
{
    char *path = g_build_filename(g_get_tmp_dir(), "mimus-ide-XXXXXX", NULL);
    uint8_t sector[512];

    *fd = g_mkstemp(path);
    assert_true(*fd >= 0);
    for (uint32_t n = 0; n < SECTORS; n++) {
        for (unsigned i = 0; i < 512; i++)
            sector[i] = pattern(n, i);
        assert_int_equal(write(*fd, sector, 512), 512);
    }
    return path;
}

static Drive *make_drive(Bench *b, const char *id, bool read_only)
{
    ImageOpen how = { .path = b->path, .format = "raw", .read_only = read_only, .discard = true };
    GError *error = NULL;
    Image *image = image_open(&how, &error);
    DriveWiring w = { .image = image,
                      .read_only = read_only,
                      .removable = read_only,
                      .clock = b->f->clock,
                      .input = b->input,
                      .counted = true };

    assert_null(error);
    w.size = image_size(image);
    return drive_new(b->f->root, id, &w);
}

static void start(Bench *b, Fixture *f, bool cdrom)
{
    *b = (Bench){ .f = f };
    b->path = make_image(&b->fd);
    b->input = input_queue_new();
    b->bus = pci_bus_new(f->root, NULL, &f->io_root);
    b->irq[0] = fixture_spy(f);
    b->irq[1] = fixture_spy(f);
    Piix3IdeWiring w = { .ports = &f->io_root,
                         .memory = f->memory,
                         .irq = { &b->irq[0]->irq, &b->irq[1]->irq } };
    b->ide = piix3_ide_new(b->bus, &w);
    ide_attach(piix3_ide_channel(b->ide, 0), 0, make_drive(b, "drive0", cdrom), cdrom, "S1");
    fixture_start(f);
    f->roundtrip = false;
    pci_config_write(b->bus, 0, PCI_DEVFN(1, 1), 0x40, 0x80008000, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(1, 1), 0x20, BMDMA, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(1, 1), PCI_COMMAND, 5, 2);
}

static void stop(Bench *b)
{
    device_unrealize(b->f->root);
    input_queue_free(b->input);
    close(b->fd);
    unlink(b->path);
    g_free(b->path);
}

static void command(Fixture *f, uint8_t code, uint8_t count, uint32_t lba)
{
    fixture_outb(f, 0x1f6, 0xe0 | lba >> 24);
    fixture_outb(f, 0x1f2, count);
    fixture_outb(f, 0x1f3, lba);
    fixture_outb(f, 0x1f4, lba >> 8);
    fixture_outb(f, 0x1f5, lba >> 16);
    fixture_outb(f, 0x1f7, code);
}

/* What the drive does takes virtual time; the round trip in the middle of it must not matter. */
static void pass_time(Fixture *f)
{
    f->roundtrip = true;
    fixture_advance(f, LONG_NS);
    f->roundtrip = false;
}

static void take(Fixture *f, uint8_t *data, unsigned len)
{
    for (unsigned i = 0; i < len; i += 2) {
        uint16_t word = fixture_inw(f, 0x1f0);

        data[i] = word;
        data[i + 1] = word >> 8;
    }
}

static void give(Fixture *f, const uint8_t *data, unsigned len)
{
    for (unsigned i = 0; i < len; i += 4)
        fixture_outl(f, 0x1f0,
                     data[i] | data[i + 1] << 8 | data[i + 2] << 16 | (uint32_t)data[i + 3] << 24);
}

static void check_sector(const uint8_t *data, uint32_t sector)
{
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(data[i], pattern(sector, i));
}

static void test_identify(void **state)
{
    uint8_t id[512];
    Bench b;

    start(&b, *state, false);
    command(b.f, 0xec, 0, 0);
    assert_int_equal(fixture_inb(b.f, 0x3f6), 0x58);
    assert_int_equal(spy_take_rises(b.irq[0]), 1);
    take(b.f, id, 512);
    assert_memory_equal(id + 54, "EQUMH RADDSI", 12);
    assert_int_equal(id[120] | id[121] << 8, SECTORS);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    assert_int_equal(b.irq[0]->level, 0);
    fixture_outb(b.f, 0x1f6, 0xf0); /* there is no slave */
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0);
    assert_int_equal(fixture_inb(b.f, 0x177), 0x7f); /* nor anything on the other channel */
    stop(&b);
}

/* -device ide-hd,model=,ver=,wwn=,rotation_rate= */
static void test_label(void **state)
{
    static const IdeLabel label = { "Disk", "1.0", 0x5000c50012345678, 1 };
    uint8_t id[512];
    Bench b;

    start(&b, *state, false);
    ide_label(piix3_ide_channel(b.ide, 0), 0, &label);
    command(b.f, 0xec, 0, 0);
    take(b.f, id, 512);
    assert_memory_equal(id + 46, ".1 0    ", 8);
    assert_memory_equal(id + 54, "iDks    ", 8);
    assert_memory_equal(id + 168, "\0\x41", 2);
    assert_memory_equal(id + 216, "\x00\x50\x00\xc5\x34\x12\x78\x56", 8);
    assert_int_equal(id[434] | id[435] << 8, 1);
    stop(&b);
}

static void read_sectors(Bench *b, uint32_t sector, unsigned count, unsigned per_block)
{
    uint8_t data[512];

    for (unsigned i = 0; i < count; i++) {
        if (!(i % per_block) && (fixture_inb(b->f, 0x3f6) & BSY))
            pass_time(b->f);
        if (!(i % per_block)) {
            assert_int_equal(spy_take_rises(b->irq[0]), 1);
            assert_int_equal(fixture_inb(b->f, 0x1f7), 0x58);
        }
        take(b->f, data, 512);
        check_sector(data, sector + i);
    }
    assert_int_equal(fixture_inb(b->f, 0x1f7), 0x50);
    assert_int_equal(spy_take_rises(b->irq[0]), 0);
}

static void test_pio_read(void **state)
{
    Bench b;

    start(&b, *state, false);
    command(b.f, 0x20, 3, 100);
    read_sectors(&b, 100, 3, 1);
    command(b.f, 0x20, 200, 1000); /* more than a buffer */
    read_sectors(&b, 1000, 200, 1);
    command(b.f, 0xc6, 8, 0);
    assert_int_equal(spy_take_rises(b.irq[0]), 1);
    command(b.f, 0xc4, 20, 5);
    read_sectors(&b, 5, 20, 8);
    fixture_outb(b.f, 0x1f2, 0); /* 48 bits: 0x0001 sectors at 0x500 */
    fixture_outb(b.f, 0x1f3, 0);
    command(b.f, 0x24, 1, 0x500);
    read_sectors(&b, 0x500, 1, 1);
    fixture_outb(b.f, 0x1f6, 0xa1); /* cylinder 1, head 1, sector 5 */
    fixture_outb(b.f, 0x1f2, 1);
    fixture_outb(b.f, 0x1f3, 5);
    fixture_outb(b.f, 0x1f4, 1);
    fixture_outb(b.f, 0x1f5, 0);
    fixture_outb(b.f, 0x1f7, 0x20);
    read_sectors(&b, (1 * 16 + 1) * 63 + 4, 1, 1);
    stop(&b);
}

static void test_errors(void **state)
{
    static const struct {
        uint8_t code, count;
        uint32_t lba;
        uint8_t error;
    } rows[] = {
        { 0x20, 1, SECTORS, 0x10 },
        { 0x20, 2, SECTORS - 1, 0x10 },
        { 0xc8, 0, SECTORS - 255, 0x10 },
        { 0x30, 1, 0xfffffff, 0x10 },
        { 0xc6, 3, 0, 0x04 },
        { 0x00, 0, 0, 0x04 },
        { 0xa0, 0, 0, 0x04 },
        { 0xff, 0, 0, 0x04 },
    };
    Bench b;

    start(&b, *state, false);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        command(b.f, rows[i].code, rows[i].count, rows[i].lba);
        assert_int_equal(fixture_inb(b.f, 0x1f7), 0x51);
        assert_int_equal(fixture_inb(b.f, 0x1f1), rows[i].error);
    }
    stop(&b);
}

static void test_pio_write(void **state)
{
    uint8_t data[2 * 512], back[512];
    Bench b;

    start(&b, *state, false);
    for (unsigned i = 0; i < sizeof(data); i++)
        data[i] = 3 * i + (i >> 8);
    command(b.f, 0x30, 2, 7);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x58);
    give(b.f, data, 512);
    assert_true(fixture_inb(b.f, 0x1f7) & BSY);
    pass_time(b.f);
    assert_int_equal(spy_take_rises(b.irq[0]), 1);
    give(b.f, data + 512, 512);
    pass_time(b.f);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    command(b.f, 0xe7, 0, 0);
    pass_time(b.f);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pread(b.fd, back, 512, (7 + i) * 512), 512);
        assert_memory_equal(back, data + 512 * i, 512);
    }
    stop(&b);
}

static void put_prd(Fixture *f, unsigned n, uint32_t addr, uint16_t len, bool last)
{
    fixture_write(f, PRDS + 8 * n, addr, 4);
    fixture_write(f, PRDS + 8 * n + 4, len | (last ? 0x80000000u : 0), 4);
}

static void arm(Fixture *f, uint8_t command)
{
    fixture_outl(f, BMDMA + 4, PRDS);
    fixture_outb(f, BMDMA + 2, 6);
    fixture_outb(f, BMDMA, command);
    fixture_outb(f, BMDMA, command | 1);
}

static void test_dma(void **state)
{
    uint8_t data[512];
    Bench b;

    start(&b, *state, false);
    put_prd(b.f, 0, DATA, 700, false);
    put_prd(b.f, 1, DATA + 0x1000, 4 * 512 - 700, true);
    command(b.f, 0xc8, 4, 40);
    arm(b.f, 8);
    pass_time(b.f);
    assert_int_equal(spy_take_rises(b.irq[0]), 1);
    assert_int_equal(fixture_inb(b.f, BMDMA + 2), 4);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    for (unsigned i = 0; i < 2048; i++) {
        uint32_t at = i < 700 ? DATA + i : DATA + 0x1000 + i - 700;
        assert_int_equal(b.f->ram_block->host[at], pattern(40 + i / 512, i % 512));
    }
    memset(b.f->ram_block->host + DATA, 0x5a, 512);
    put_prd(b.f, 0, DATA, 512, true);
    fixture_outb(b.f, BMDMA, 0);
    arm(b.f, 0); /* the other order: armed before the command */
    command(b.f, 0xca, 1, 41);
    pass_time(b.f);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    assert_int_equal(pread(b.fd, data, 512, 41 * 512), 512);
    assert_memory_equal(data, b.f->ram_block->host + DATA, 512);
    stop(&b);
}

/* The table ends before the transfer: the device stays busy until it is reset. */
static void test_short_table(void **state)
{
    Bench b;

    start(&b, *state, false);
    put_prd(b.f, 0, DATA, 512, true);
    command(b.f, 0xc8, 2, 40);
    arm(b.f, 8);
    pass_time(b.f);
    assert_true(fixture_inb(b.f, 0x1f7) & BSY);
    assert_int_equal(fixture_inb(b.f, BMDMA + 2), 0);
    fixture_outb(b.f, 0x3f6, 4);
    fixture_outb(b.f, 0x3f6, 0);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    assert_int_equal(fixture_inb(b.f, 0x1f1), 1);
    assert_int_equal(fixture_inb(b.f, 0x1f4), 0);
    stop(&b);
}

static void test_trim(void **state)
{
    uint8_t back[512];
    Bench b;

    start(&b, *state, false);
    memset(b.f->ram_block->host + DATA, 0, 512);
    memcpy(b.f->ram_block->host + DATA, "\x10\0\0\0\0\0\x08\0", 8);
    put_prd(b.f, 0, DATA, 512, true);
    fixture_outb(b.f, 0x1f1, 1);
    fixture_outb(b.f, 0x1f2, 0);
    command(b.f, 0x06, 1, 0);
    arm(b.f, 0);
    pass_time(b.f);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    assert_int_equal(pread(b.fd, back, 512, 15 * 512), 512);
    check_sector(back, 15);
    assert_int_equal(pread(b.fd, back, 512, 24 * 512), 512);
    check_sector(back, 24);
    stop(&b);
}

/* ---- CD-ROM ---------------------------------------------------------------------------------- */

static void packet(Bench *b, bool dma, uint16_t limit, const char *bytes)
{
    fixture_outb(b->f, 0x1f6, 0xa0);
    fixture_outb(b->f, 0x1f1, dma);
    fixture_outb(b->f, 0x1f4, limit);
    fixture_outb(b->f, 0x1f5, limit >> 8);
    fixture_outb(b->f, 0x1f7, 0xa0);
    assert_int_equal(fixture_inb(b->f, 0x1f7), 0x58);
    assert_int_equal(fixture_inb(b->f, 0x1f2) & 3, 1);
    spy_take_rises(b->irq[0]);
    give(b->f, (const uint8_t *)bytes, 12);
}

static void test_cdrom(void **state)
{
    uint8_t data[CD_BLOCK];
    Bench b;

    start(&b, *state, true);
    assert_int_equal(fixture_inb(b.f, 0x1f4), 0x14);
    assert_int_equal(fixture_inb(b.f, 0x1f5), 0xeb);
    packet(&b, false, 0, "\0\0\0\0\0\0\0\0\0\0\0"); /* not before the attention is told */
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x51);
    packet(&b, false, 64, "\x03\0\0\0\x12\0\0\0\0\0\0");
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x58);
    take(b.f, data, 18);
    assert_int_equal(data[2], 6);
    assert_int_equal(data[12], 0x28);
    packet(&b, false, 8, "\x25\0\0\0\0\0\0\0\0\0\0");
    take(b.f, data, 8);
    assert_int_equal(data[3] | data[2] << 8, SECTORS / 4 - 1);
    assert_int_equal(data[6], 8);
    packet(&b, false, 1000, "\x28\0\0\0\0\x05\0\0\x01\0\0"); /* a block, in three parts */
    pass_time(b.f);
    for (unsigned at = 0, n; at < CD_BLOCK; at += n) {
        assert_int_equal(fixture_inb(b.f, 0x1f7), 0x58);
        n = fixture_inb(b.f, 0x1f4) | fixture_inb(b.f, 0x1f5) << 8;
        assert_int_equal(n, at < 2000 ? 1000 : 48);
        take(b.f, data + at, n);
    }
    assert_int_equal(fixture_inb(b.f, 0x1f2) & 3, 3);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    for (unsigned i = 0; i < 4; i++)
        check_sector(data + 512 * i, 20 + i);
    put_prd(b.f, 0, DATA, CD_BLOCK, true);
    packet(&b, true, 0, "\x28\0\0\0\0\x06\0\0\x01\0\0");
    arm(b.f, 8);
    pass_time(b.f);
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x50);
    check_sector(b.f->ram_block->host + DATA, 24);
    packet(&b, false, 0, "\x28\0\0\0\x02\0\0\0\x01\0\0"); /* beyond the end */
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x51);
    assert_int_equal(fixture_inb(b.f, 0x1f1), 0x54);
    stop(&b);
}

static void check_sense(Bench *b, uint8_t key, uint8_t asc, uint8_t ascq)
{
    uint8_t sense[18];

    packet(b, false, 64, "\x03\0\0\0\x12\0\0\0\0\0\0");
    take(b->f, sense, 18);
    assert_int_equal(sense[2], key);
    assert_int_equal(sense[12], asc);
    assert_int_equal(sense[13], ascq);
}

/* TEST UNIT READY and what comes of it. */
static void check_ready(Bench *b, uint8_t key, uint8_t asc, uint8_t ascq)
{
    packet(b, false, 0, "\0\0\0\0\0\0\0\0\0\0\0");
    assert_int_equal(fixture_inb(b->f, 0x1f7), key ? 0x51 : 0x50);
    check_sense(b, key, asc, ascq);
}

/* Event, tray and medium of GET EVENT STATUS NOTIFICATION. */
static void check_event(Bench *b, uint8_t event, uint8_t status)
{
    uint8_t data[8];

    packet(b, false, 8, "\x4a\1\0\0\x10\0\0\0\x08\0\0");
    take(b->f, data, 8);
    assert_int_equal(data[4], event);
    assert_int_equal(data[5], status);
}

static void test_media(void **state)
{
    ImageOpen how = { .format = "raw", .read_only = true };
    g_autoptr(GError) error = NULL;
    Drive *drive;
    Bench b;

    start(&b, *state, true);
    b.f->roundtrip = true;
    drive = drive_find(b.f->root, "drive0");
    how.path = b.path;
    check_ready(&b, 6, 0x28, 0);
    check_ready(&b, 0, 0, 0);
    check_event(&b, 0, 2);
    packet(&b, false, 0, "\x1e\0\0\0\1\0\0\0\0\0\0"); /* locked */
    packet(&b, false, 0, "\x1b\0\0\0\2\0\0\0\0\0\0");
    check_sense(&b, 5, 0x53, 2);
    assert_false(drive_eject(drive, false, &error));
    assert_non_null(strstr(error->message, "is locked"));
    check_event(&b, 1, 2);
    assert_true(drive_eject(drive, true, NULL));
    check_event(&b, 3, 1);
    check_ready(&b, 2, 0x3a, 2);
    packet(&b, false, 0, "\x1b\0\0\0\3\0\0\0\0\0\0"); /* closed, and empty */
    check_ready(&b, 2, 0x3a, 1);
    assert_true(drive_insert(drive, &how, true, NULL));
    check_event(&b, 2, 2);
    check_ready(&b, 6, 0x28, 0);
    check_ready(&b, 0, 0, 0);
    packet(&b, false, 0, "\x1e\0\0\0\0\0\0\0\0\0\0");
    packet(&b, false, 0, "\x1b\0\0\0\2\0\0\0\0\0\0"); /* the guest opens the tray */
    check_event(&b, 3, 1);
    check_ready(&b, 2, 0x3a, 2);
    packet(&b, false, 0, "\x1b\0\0\0\3\0\0\0\0\0\0");
    check_ready(&b, 6, 0x28, 0);
    packet(&b, false, 64, "\x28\0\0\0\0\5\0\0\1\0\0"); /* it goes while it is read */
    assert_true(drive_eject(drive, false, NULL));
    assert_int_equal(fixture_inb(b.f, 0x1f7), 0x51);
    check_sense(&b, 2, 0x3a, 2);
    stop(&b);
}

/* ---- Abuse ----------------------------------------------------------------------------------- */

static void abuse(void **state, bool cdrom)
{
    Bench b;

    start(&b, *state, cdrom);
    put_prd(b.f, 0, DATA, 0x1000, false);
    for (unsigned seed = 0; seed < 30; seed++) {
        fixture_abuse(b.f, b.f->io, 0x1f0, 8, 400, seed);
        fixture_abuse(b.f, b.f->io, BMDMA, 8, 20, seed);
        fixture_abuse(b.f, b.f->io, 0x1f0, 8, 400, seed + 1000);
        fixture_outb(b.f, 0x3f6, seed & 1 ? 4 : 0);
        pass_time(b.f);
    }
    stop(&b);
}

static void test_abuse_disk(void **state)
{
    abuse(state, false);
}

static void test_abuse_cdrom(void **state)
{
    abuse(state, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_identify),    hw_test(test_label),      hw_test(test_pio_read),
        hw_test(test_errors),      hw_test(test_pio_write),  hw_test(test_dma),
        hw_test(test_short_table), hw_test(test_trim),       hw_test(test_cdrom),
        hw_test(test_media),       hw_test(test_abuse_disk), hw_test(test_abuse_cdrom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
