/* SPDX-License-Identifier: MIT */
/*
 * ATA disks: commands of ATA-6 and TRIM of ATA8-ACS. Sectors are 512 bytes. A PIO read fetches up
 * to a buffer of sectors at once and hands them over block by block.
 * Missing: SMART, security, HPA, queued commands.
 */
#include <errno.h>
#include <string.h>

#include "hw/ide-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/log.h"

#define MAX_MULTIPLE   16
#define BUFFER_SECTORS (IDE_BUFFER / DRIVE_SECTOR)
#define DMA_SECTORS    256
#define LBA28_LIMIT    0x0fffffff
#define TRIM_ENTRY     8

/* ---- Identification -------------------------------------------------------------------------- */

void ide_put_word(uint8_t *data, unsigned word, uint16_t value)
{
    data[2 * word] = value;
    data[2 * word + 1] = value >> 8;
}

static void put_double(uint8_t *data, unsigned word, uint32_t value)
{
    ide_put_word(data, word, value);
    ide_put_word(data, word + 1, value >> 16);
}

void ide_put_text(uint8_t *data, unsigned word, unsigned words, const char *text)
{
    size_t len = strlen(text);

    for (unsigned i = 0; i < 2 * words; i++)
        data[(2 * word + i) ^ 1] = i < len ? text[i] : ' ';
}

/* Geometry as disks of the time state it: cylinders end at 8 GB. */
static uint16_t natural_cylinders(const IdeUnit *u)
{
    return MIN(drive_sectors(u->drive) / (16 * 63), 16383);
}

static const struct {
    uint8_t word;
    uint16_t value;
} identify_rows[] = {
    { 0, 0x0040 }, /* not removable */
    { 3, 16 },     /* heads and … */
    { 6, 63 },     /* … sectors of the default translation */
    { 20, 3 },
    { 21, 512 }, /* buffer: dual ported, in sectors */
    { 22, 4 },   /* ECC bytes */
    { 47, 0x8000 | MAX_MULTIPLE },
    { 48, 1 },      /* 32-bit data port */
    { 49, 0x0f00 }, /* IORDY, LBA, DMA */
    { 50, 0x4000 },
    { 51, 0x0200 }, /* PIO timing mode 2 */
    { 53, 7 },      /* words 54-58, 64-70 and 88 are valid */
    { 64, 3 },      /* PIO modes 3 and 4 */
    { 65, 120 },
    { 66, 120 },
    { 67, 120 },
    { 68, 120 },
    { 80, 0x00f0 }, /* ATA-4 to ATA-7 */
    { 82, 0x4020 }, /* NOP, write cache */
    { 83, 0x7400 }, /* FLUSH CACHE and EXT, 48-bit addresses */
    { 84, 0x4000 },
    { 86, 0x3400 },
    { 87, 0x4000 },
    { 93, 0x6001 }, /* reset result: device 0, 80 wires */
    { 105, 1 },     /* blocks of a TRIM */
    { 169, 1 },     /* TRIM */
};

static void put_identity(IdeUnit *u)
{
    uint64_t sectors = drive_sectors(u->drive);
    uint8_t *d = u->buffer;

    memset(d, 0, 512);
    for (size_t i = 0; i < G_N_ELEMENTS(identify_rows); i++)
        ide_put_word(d, identify_rows[i].word, identify_rows[i].value);
    ide_put_word(d, 1, natural_cylinders(u));
    ide_put_text(d, 10, 10, u->serial);
    ide_put_text(d, 23, 4, u->version);
    ide_put_text(d, 27, 20, u->model);
    ide_put_word(d, 54, u->cylinders);
    ide_put_word(d, 55, u->heads);
    ide_put_word(d, 56, u->sectors);
    put_double(d, 57, (uint32_t)u->cylinders * u->heads * u->sectors);
    ide_put_word(d, 59, u->multiple ? 0x100 | u->multiple : 0);
    put_double(d, 60, MIN(sectors, LBA28_LIMIT));
    /* Multiword DMA 0-2 and Ultra DMA 0-5, and which of all is chosen. */
    ide_put_word(d, 63, 0x07 | ((u->mode & 0xf8) == 0x20 ? 0x100 << (u->mode & 7) : 0));
    ide_put_word(d, 88, 0x3f | ((u->mode & 0xf8) == 0x40 ? 0x100 << (u->mode & 7) : 0));
    ide_put_word(d, 85, 0x4000 | (u->write_cache ? 0x20 : 0));
    put_double(d, 100, sectors);
    put_double(d, 102, sectors >> 32);
    ide_put_word(d, 217, u->rotation);
    if (!u->wwn)
        return;
    for (unsigned i = 0; i < 4; i++)
        ide_put_word(d, 108 + i, u->wwn >> (48 - 16 * i));
    for (unsigned word = 84; word <= 87; word += 3) /* there is one, and it counts */
        ide_put_word(d, word, get_le(d + 2 * word, 2) | 0x100);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

/* Where the command begins and how many sectors it is about; false: no such place. */
static bool take_range(IdeUnit *u)
{
    const IdeTaskFile *tf = &u->tf;
    uint32_t low = tf->low[0] | tf->mid[0] << 8 | tf->high[0] << 16;

    u->left = u->extended ? tf->count[0] | tf->count[1] << 8 : tf->count[0];
    if (!u->left)
        u->left = u->extended ? 65536 : 256;
    if (u->extended) {
        u->lba = low | (uint64_t)tf->low[1] << 24 | (uint64_t)tf->mid[1] << 32 |
                 (uint64_t)tf->high[1] << 40;
    } else if (tf->select & SEL_LBA) {
        u->lba = low | (tf->select & 15u) << 24;
    } else {
        unsigned head = tf->select & 15, sector = tf->low[0];

        if (!sector || sector > u->sectors || head >= u->heads)
            return false;
        u->lba =
            ((uint64_t)(tf->mid[0] | tf->high[0] << 8) * u->heads + head) * u->sectors + sector - 1;
    }
    return u->lba < drive_sectors(u->drive) && u->left <= drive_sectors(u->drive) - u->lba;
}

/* The task file shows @lba, as the command would have named it. */
static void show_address(IdeUnit *u, uint64_t lba)
{
    IdeTaskFile *tf = &u->tf;

    if (!u->extended && !(tf->select & SEL_LBA)) {
        uint64_t track = lba / u->sectors, cylinder = track / u->heads;

        tf->low[0] = lba % u->sectors + 1;
        tf->mid[0] = cylinder;
        tf->high[0] = cylinder >> 8;
        tf->select = (tf->select & 0xf0) | track % u->heads;
        return;
    }
    tf->low[0] = lba;
    tf->mid[0] = lba >> 8;
    tf->high[0] = lba >> 16;
    if (u->extended) {
        tf->low[1] = lba >> 24;
        tf->mid[1] = lba >> 32;
        tf->high[1] = lba >> 40;
    } else {
        tf->select = (tf->select & 0xf0) | (lba >> 24 & 15);
    }
}

static void fail_at(IdeUnit *u, uint8_t error)
{
    show_address(u, u->lba);
    ide_abort(u, error);
}

/* ---- Transfers ------------------------------------------------------------------------------- */

static void submit(IdeUnit *u, DriveOp op, uint64_t lba, uint32_t sectors, uint8_t *data)
{
    DriveRequest r = { .op = op,
                       .offset = lba * DRIVE_SECTOR,
                       .len = (uint64_t)sectors * DRIVE_SECTOR,
                       .data = data };

    ide_wait(u);
    drive_submit(u->drive, &r);
}

static void fetch(IdeUnit *u)
{
    submit(u, DRIVE_READ, u->lba, MIN(u->left, BUFFER_SECTORS), NULL);
}

static void want_block(IdeUnit *u)
{
    u->pos = 0;
    u->end = MIN(u->left, u->block_sectors) * DRIVE_SECTOR;
    ide_data_block(u, u->end);
}

static void flush(IdeUnit *u)
{
    u->job = JOB_FLUSH;
    submit(u, DRIVE_FLUSH, 0, 0, NULL);
}

/* The ranges in the buffer, one after another; those of no sectors are padding. */
static void trim_next(IdeUnit *u)
{
    while (u->pos + TRIM_ENTRY <= u->end) {
        const uint8_t *p = u->buffer + u->pos;
        uint64_t lba = 0, sectors = p[6] | p[7] << 8, all = drive_sectors(u->drive);

        for (unsigned i = 0; i < 6; i++)
            lba |= (uint64_t)p[i] << 8 * i;
        u->pos += TRIM_ENTRY;
        if (!sectors)
            continue;
        if (lba >= all || sectors > all - lba) {
            ide_abort(u, ER_IDNF);
            return;
        }
        submit(u, DRIVE_DISCARD, lba, sectors, NULL);
        return;
    }
    ide_finish(u);
}

void ide_ata_dma(IdeUnit *u)
{
    IdeDma *dma = &u->channel->dma;
    uint32_t sectors = MIN(u->left, DMA_SECTORS), len = sectors * DRIVE_SECTOR;
    g_autofree uint8_t *data = NULL;

    if (!ide_dma_ready(u))
        return;
    if (u->job == JOB_READ) {
        submit(u, DRIVE_READ, u->lba, sectors, NULL);
        return;
    }
    data = g_malloc(len);
    if (dma->move(dma->opaque, data, len, false) < len)
        return; /* too few descriptors: the device waits for more until it is reset */
    if (u->job == JOB_WRITE) {
        submit(u, DRIVE_WRITE, u->lba, sectors, data);
        return;
    }
    memcpy(u->buffer, data, len); /* ranges to trim */
    u->pos = 0;
    u->end = u->block_end = len;
    trim_next(u);
}

void ide_ata_block_done(IdeUnit *u)
{
    if (u->job == JOB_WRITE) {
        submit(u, DRIVE_WRITE, u->lba, u->end / DRIVE_SECTOR, u->buffer);
    } else if (u->pos < u->end) {
        ide_data_block(u, u->block_sectors * DRIVE_SECTOR);
        ide_interrupt(u);
    } else if (u->job == JOB_READ && u->left) {
        fetch(u);
    } else { /* what the host has taken needs no interrupt */
        u->job = JOB_NONE;
        u->status = ST_DRDY | ST_DSC;
    }
}

static void read_done(IdeUnit *u, const DriveRequest *r)
{
    IdeDma *dma = &u->channel->dma;

    u->lba += r->len / DRIVE_SECTOR;
    u->left -= r->len / DRIVE_SECTOR;
    if (!u->dma) {
        memcpy(u->buffer, r->data, r->len);
        u->pos = 0;
        u->end = r->len;
        ide_data_block(u, u->block_sectors * DRIVE_SECTOR);
        ide_interrupt(u);
    } else if (dma->move(dma->opaque, r->data, r->len, true) < r->len) {
        return; /* as above */
    } else if (u->left) {
        ide_ata_dma(u);
    } else {
        ide_finish(u);
    }
}

static void write_done(IdeUnit *u, const DriveRequest *r)
{
    u->lba += r->len / DRIVE_SECTOR;
    u->left -= r->len / DRIVE_SECTOR;
    if (!u->left && !u->write_cache) {
        flush(u);
    } else if (!u->left) {
        ide_finish(u);
    } else if (u->dma) {
        ide_ata_dma(u);
    } else {
        want_block(u);
        ide_interrupt(u);
    }
}

void ide_ata_drive_done(IdeUnit *u, const DriveRequest *r)
{
    if (r->error) {
        fail_at(u, r->op == DRIVE_READ ? ER_UNC : ER_ABRT);
        return;
    }
    switch (u->job) {
    case JOB_READ: read_done(u, r); break;
    case JOB_WRITE: write_done(u, r); break;
    case JOB_TRIM: trim_next(u); break;
    default: ide_finish(u);
    }
}

/* ---- Commands -------------------------------------------------------------------------------- */

typedef struct AtaCommand AtaCommand;
struct AtaCommand {
    uint8_t first, last; /* codes */
    void (*run)(IdeUnit *u, const AtaCommand *c);
    uint8_t flags;
};

enum { EXT = 1, DMA = 2, MULTIPLE = 4 };

static void run_nothing(IdeUnit *u, const AtaCommand *c)
{
    ide_finish(u);
}

static void run_identify(IdeUnit *u, const AtaCommand *c)
{
    put_identity(u);
    u->job = JOB_REPLY;
    u->pos = 0;
    u->end = 512;
    ide_data_block(u, 512);
    ide_interrupt(u);
}

/* What all transfers check first; false: the command is over. */
static bool begin_transfer(IdeUnit *u, const AtaCommand *c)
{
    u->extended = c->flags & EXT;
    u->dma = c->flags & DMA;
    u->block_sectors = c->flags & MULTIPLE ? u->multiple : 1;
    if ((u->dma && !u->channel->has_dma) || !u->block_sectors) {
        ide_abort(u, ER_ABRT);
        return false;
    }
    if (!take_range(u)) {
        ide_abort(u, ER_IDNF);
        return false;
    }
    return true;
}

static void run_read(IdeUnit *u, const AtaCommand *c)
{
    if (!begin_transfer(u, c))
        return;
    u->job = JOB_READ;
    if (u->dma)
        ide_ata_dma(u);
    else
        fetch(u);
}

static void run_write(IdeUnit *u, const AtaCommand *c)
{
    if (!begin_transfer(u, c))
        return;
    if (drive_is_read_only(u->drive)) {
        ide_abort(u, ER_ABRT);
        return;
    }
    u->job = JOB_WRITE;
    if (u->dma)
        ide_ata_dma(u);
    else
        want_block(u); /* without an interrupt, the first time */
}

static void run_verify(IdeUnit *u, const AtaCommand *c)
{
    if (begin_transfer(u, c))
        ide_finish(u);
}

static void run_flush(IdeUnit *u, const AtaCommand *c)
{
    flush(u);
}

static void run_trim(IdeUnit *u, const AtaCommand *c)
{
    u->dma = true;
    u->left = u->tf.count[0] | u->tf.count[1] << 8;
    if (!u->channel->has_dma || !(u->tf.feature[0] & 1) || !u->left || u->left > BUFFER_SECTORS) {
        ide_abort(u, ER_ABRT);
        return;
    }
    u->job = JOB_TRIM;
    ide_ata_dma(u);
}

static void run_set_multiple(IdeUnit *u, const AtaCommand *c)
{
    uint8_t n = u->tf.count[0];

    if (n > MAX_MULTIPLE || (n & (n - 1))) {
        ide_abort(u, ER_ABRT);
        return;
    }
    u->multiple = n;
    ide_finish(u);
}

static void run_set_geometry(IdeUnit *u, const AtaCommand *c)
{
    uint32_t track;

    if (!u->tf.count[0]) {
        ide_abort(u, ER_ABRT);
        return;
    }
    u->sectors = u->tf.count[0];
    u->heads = (u->tf.select & 15) + 1;
    track = (uint32_t)u->heads * u->sectors;
    u->cylinders = MIN(drive_sectors(u->drive) / track, 65535);
    ide_finish(u);
}

static void run_native_max(IdeUnit *u, const AtaCommand *c)
{
    uint64_t last = drive_sectors(u->drive) - 1;

    u->extended = c->flags & EXT;
    u->tf.select |= SEL_LBA;
    show_address(u, u->extended ? last : MIN(last, LBA28_LIMIT - 1));
    ide_finish(u);
}

static void run_power_mode(IdeUnit *u, const AtaCommand *c)
{
    u->tf.count[0] = 0xff; /* active */
    ide_finish(u);
}

static void run_set_features(IdeUnit *u, const AtaCommand *c)
{
    switch (u->tf.feature[0]) {
    case 0x02: /* write cache on */ u->write_cache = true; break;
    case 0x82:
        u->write_cache = false;
        flush(u);
        return;
    case 0x03: /* transfer mode */ u->mode = u->tf.count[0]; break;
    case 0x55: /* read look-ahead off and on, */
    case 0xaa:
    case 0x66: /* keep and */
    case 0xcc: /* revert settings at a soft reset: there are none that it changes */ break;
    default: ide_abort(u, ER_ABRT); return;
    }
    ide_finish(u);
}

static const AtaCommand commands[] = {
    { 0x06, 0x06, run_trim, 0 },
    { 0x10, 0x1f, run_nothing, 0 }, /* RECALIBRATE */
    { 0x20, 0x21, run_read, 0 },
    { 0x24, 0x24, run_read, EXT },
    { 0x25, 0x25, run_read, EXT | DMA },
    { 0x27, 0x27, run_native_max, EXT },
    { 0x29, 0x29, run_read, EXT | MULTIPLE },
    { 0x30, 0x31, run_write, 0 },
    { 0x34, 0x34, run_write, EXT },
    { 0x35, 0x35, run_write, EXT | DMA },
    { 0x39, 0x39, run_write, EXT | MULTIPLE },
    { 0x40, 0x41, run_verify, 0 },
    { 0x42, 0x42, run_verify, EXT },
    { 0x70, 0x7f, run_nothing, 0 }, /* SEEK */
    { 0x91, 0x91, run_set_geometry, 0 },
    { 0x94, 0x97, run_nothing, 0 }, /* STANDBY, IDLE: old codes */
    { 0x98, 0x98, run_power_mode, 0 },
    { 0x99, 0x99, run_nothing, 0 },
    { 0xc4, 0xc4, run_read, MULTIPLE },
    { 0xc5, 0xc5, run_write, MULTIPLE },
    { 0xc6, 0xc6, run_set_multiple, 0 },
    { 0xc8, 0xc9, run_read, DMA },
    { 0xca, 0xcb, run_write, DMA },
    { 0xe0, 0xe3, run_nothing, 0 }, /* STANDBY, IDLE */
    { 0xe5, 0xe5, run_power_mode, 0 },
    { 0xe6, 0xe6, run_nothing, 0 }, /* SLEEP */
    { 0xe7, 0xe7, run_flush, 0 },
    { 0xea, 0xea, run_flush, EXT },
    { 0xec, 0xec, run_identify, 0 },
    { 0xef, 0xef, run_set_features, 0 },
    { 0xf8, 0xf8, run_native_max, 0 },
};

void ide_ata_command(IdeUnit *u, uint8_t command)
{
    for (size_t i = 0; !u->cdrom && i < G_N_ELEMENTS(commands); i++) {
        if (command >= commands[i].first && command <= commands[i].last) {
            commands[i].run(u, &commands[i]);
            return;
        }
    }
    if (command && !u->cdrom) /* NOP is there to be aborted */
        log_unimp("ide: command %02x\n", command);
    ide_abort(u, ER_ABRT);
}

void ide_ata_reset(IdeUnit *u, bool power_on)
{
    if (!power_on)
        return;
    u->multiple = MAX_MULTIPLE;
    u->block_sectors = 1;
    u->mode = 0;
    u->write_cache = true;
    u->heads = 16;
    u->sectors = 63;
    u->cylinders = u->drive ? natural_cylinders(u) : 0;
}
