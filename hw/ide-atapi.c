/* SPDX-License-Identifier: MIT */
/*
 * ATAPI CD-ROMs: the packet protocol of ATA-6 9.8 and the commands of MMC-3 that systems use to
 * boot from, install from and mount a data disc of one track.
 * The tray is closed at first and after a medium came; it opens when the user takes the medium out
 * or the guest asks for it. Missing: audio, raw and multi-session reading.
 */
#include <string.h>

#include "hw/ide-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

#define BLOCK         2048
#define BUFFER_BLOCKS (IDE_BUFFER / BLOCK)
#define DMA_BLOCKS    64
#define PACKET_BYTES  12

enum {
    SENSE_NONE = 0,
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM = 3,
    SENSE_ILLEGAL = 5,
    SENSE_ATTENTION = 6
};
enum {
    ASC_READ_ERROR = 0x11,
    ASC_INVALID_COMMAND = 0x20,
    ASC_OUT_OF_RANGE = 0x21,
    ASC_INVALID_FIELD = 0x24,
    ASC_MEDIUM_CHANGED = 0x28,
    ASC_SAVING = 0x39,
    ASC_NO_MEDIUM = 0x3a,
    ASC_REMOVAL_PREVENTED = 0x53,
};
enum { EVENT_NONE, EVENT_EJECT_REQUEST, EVENT_NEW_MEDIA, EVENT_MEDIA_REMOVAL };

static uint32_t disc_blocks(const IdeUnit *u)
{
    return MIN(drive_sectors(u->drive) / (BLOCK / DRIVE_SECTOR), UINT32_MAX);
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void fail_with(IdeUnit *u, uint8_t key, uint8_t asc, uint8_t ascq)
{
    u->sense_key = key;
    u->asc = asc;
    u->ascq = ascq;
    ide_abort(u, key << 4 | ER_ABRT);
}

static void fail(IdeUnit *u, uint8_t key, uint8_t asc)
{
    fail_with(u, key, asc, 0);
}

static bool has_medium(const IdeUnit *u)
{
    return drive_has_medium(u->drive) && !u->tray_open;
}

static void fail_without_medium(IdeUnit *u)
{
    fail_with(u, SENSE_NOT_READY, ASC_NO_MEDIUM, u->tray_open ? 2 : 1);
}

static void succeed(IdeUnit *u)
{
    u->sense_key = u->asc = u->ascq = 0;
    ide_finish(u);
}

/* ---- Data to the host ------------------------------------------------------------------------ */

/* The next part of the buffer, as large as the host has allowed; even unless it is the last. */
static void offer(IdeUnit *u)
{
    uint32_t limit = u->tf.mid[1] | u->tf.high[1] << 8, len = u->end - u->pos;

    if (!limit || limit == 0xffff)
        limit = 0xfffe;
    if (len > limit)
        len = MAX(limit & ~1u, 2);
    len = MIN(len, u->end - u->pos);
    u->tf.mid[0] = len;
    u->tf.high[0] = len >> 8;
    u->tf.count[0] = REASON_TO_HOST;
    ide_data_block(u, len);
    ide_interrupt(u);
}

static void fetch(IdeUnit *u, uint32_t most)
{
    uint32_t blocks = MIN(u->left, most);
    DriveRequest r = { .op = DRIVE_READ,
                       .offset = u->lba * BLOCK,
                       .len = (uint64_t)blocks * BLOCK };

    ide_wait(u);
    drive_submit(u->drive, &r);
}

void ide_atapi_dma(IdeUnit *u)
{
    IdeDma *dma = &u->channel->dma;

    if (!ide_dma_ready(u))
        return;
    if (u->job == JOB_PACKET_READ) {
        fetch(u, DMA_BLOCKS);
        return;
    }
    dma->move(dma->opaque, u->buffer, u->end, true);
    succeed(u);
}

/* @len bytes of the buffer answer the packet, of which the host wants @limit at most. */
static void reply(IdeUnit *u, uint32_t len, uint32_t limit)
{
    u->pos = u->block_end = 0;
    u->end = MIN(len, limit);
    if (!u->end) {
        succeed(u);
        return;
    }
    u->job = JOB_PACKET_REPLY;
    if (u->dma)
        ide_atapi_dma(u);
    else
        offer(u);
}

void ide_atapi_drive_done(IdeUnit *u, const DriveRequest *r)
{
    IdeDma *dma = &u->channel->dma;

    if (r->error) {
        fail(u, SENSE_MEDIUM, ASC_READ_ERROR);
        return;
    }
    u->lba += r->len / BLOCK;
    u->left -= r->len / BLOCK;
    if (!u->dma) {
        memcpy(u->buffer, r->data, r->len);
        u->pos = 0;
        u->end = r->len;
        offer(u);
    } else if (dma->move(dma->opaque, r->data, r->len, true) < r->len) {
        return; /* too few descriptors: the device waits for more until it is reset */
    } else if (u->left) {
        ide_atapi_dma(u);
    } else {
        succeed(u);
    }
}

/* ---- Packets --------------------------------------------------------------------------------- */

static void run_test_ready(IdeUnit *u)
{
    succeed(u);
}

static void run_request_sense(IdeUnit *u)
{
    uint8_t *d = u->buffer;

    memset(d, 0, 18);
    d[0] = 0x70;
    d[2] = u->sense_key;
    d[7] = 10;
    d[12] = u->asc;
    d[13] = u->ascq;
    reply(u, 18, u->packet[4]);
}

static void put_padded(uint8_t *d, unsigned len, const char *text)
{
    memset(d, ' ', len);
    memcpy(d, text, MIN(len, strlen(text)));
}

static void run_inquiry(IdeUnit *u)
{
    uint8_t *d = u->buffer;

    if (u->packet[1] & 1) { /* vital product data */
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    memset(d, 0, 36);
    d[0] = 0x05; /* CD-ROM */
    d[1] = 0x80; /* removable */
    d[3] = 0x21; /* ATAPI, response format 1 */
    d[4] = 31;
    put_padded(d + 8, 8, "QEMU");
    put_padded(d + 16, 16, "QEMU DVD-ROM");
    put_padded(d + 32, 4, u->version);
    reply(u, 36, get_be(u->packet + 3, 2));
}

static void run_read_capacity(IdeUnit *u)
{
    put_be(u->buffer, 4, disc_blocks(u) - 1);
    put_be(u->buffer + 4, 4, BLOCK);
    reply(u, 8, 8);
}

static void read_blocks(IdeUnit *u, uint32_t lba, uint32_t count)
{
    uint32_t all = disc_blocks(u);

    if (!count) {
        succeed(u);
        return;
    }
    if (lba >= all || count > all - lba) {
        fail(u, SENSE_ILLEGAL, ASC_OUT_OF_RANGE);
        return;
    }
    u->lba = lba;
    u->left = count;
    u->job = JOB_PACKET_READ;
    if (u->dma)
        ide_atapi_dma(u);
    else
        fetch(u, BUFFER_BLOCKS);
}

static void run_read10(IdeUnit *u)
{
    read_blocks(u, get_be(u->packet + 2, 4), get_be(u->packet + 7, 2));
}

static void run_read12(IdeUnit *u)
{
    read_blocks(u, get_be(u->packet + 2, 4), get_be(u->packet + 6, 4));
}

static void run_read_cd(IdeUnit *u)
{
    uint8_t what = u->packet[9] & 0xf8;
    uint32_t count = get_be(u->packet + 6, 3);

    if (what && what != 0x10) { /* only the user's data of a sector */
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    read_blocks(u, get_be(u->packet + 2, 4), what ? count : 0);
}

static void run_seek(IdeUnit *u)
{
    if (get_be(u->packet + 2, 4) < disc_blocks(u))
        succeed(u);
    else
        fail(u, SENSE_ILLEGAL, ASC_OUT_OF_RANGE);
}

/* Minutes, seconds and frames of @lba, or its number. */
static void put_place(uint8_t *d, uint32_t lba, bool msf)
{
    lba += msf ? 150 : 0;
    if (!msf) {
        put_be(d, 4, lba);
        return;
    }
    d[0] = 0;
    d[1] = lba / 75 / 60;
    d[2] = lba / 75 % 60;
    d[3] = lba % 75;
}

static uint32_t put_toc_track(uint8_t *d, uint8_t track, uint32_t lba, bool msf)
{
    d[0] = 0;
    d[1] = 0x14; /* data track */
    d[2] = track;
    d[3] = 0;
    put_place(d + 4, lba, msf);
    return 8;
}

/* One row of a raw table of contents. */
static uint32_t put_raw_track(uint8_t *d, uint8_t point, uint32_t lba, bool place)
{
    memset(d, 0, 11);
    d[0] = 1;
    d[1] = 0x14;
    d[3] = point;
    if (place)
        put_place(d + 7, lba, true);
    else
        d[8] = 1;
    return 11;
}

static void run_read_toc(IdeUnit *u)
{
    uint8_t *d = u->buffer, format = u->packet[2] & 15, start = u->packet[6];
    bool msf = u->packet[1] & 2;
    uint32_t len = 4;

    if (!format)
        format = u->packet[9] >> 6; /* where it was in the first standard */
    d[2] = d[3] = 1;                /* first and last track, or session */
    if (format == 0 && start > 1 && start != 0xaa) {
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    if (format == 0) {
        if (start <= 1)
            len += put_toc_track(d + len, 1, 0, msf);
        len += put_toc_track(d + len, 0xaa, disc_blocks(u), msf);
    } else if (format == 1) {
        len += put_toc_track(d + len, 1, 0, msf);
    } else if (format == 2) {
        len += put_raw_track(d + len, 0xa0, 0, false);
        len += put_raw_track(d + len, 0xa1, 0, false);
        len += put_raw_track(d + len, 0xa2, disc_blocks(u), true);
        len += put_raw_track(d + len, 1, 0, true);
    } else {
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    put_be(d, 2, len - 2);
    reply(u, len, get_be(u->packet + 7, 2));
}

static uint32_t put_mode_page(uint8_t *d, uint8_t page)
{
    static const uint8_t recovery[] = { 0x01, 0x06, 0, 5, 0, 0, 0, 0 };
    static const uint8_t capabilities[] = { 0x2a, 0x12, 0, 0, 0x71, 0x60, 0x29, 0, 2, 0xc2,
                                            0,    2,    2, 0, 2,    0xc2, 0,    0, 0, 0 };

    if (page == 0x01)
        memcpy(d, recovery, sizeof(recovery));
    else if (page == 0x2a)
        memcpy(d, capabilities, sizeof(capabilities));
    return page == 0x01 ? sizeof(recovery) : page == 0x2a ? sizeof(capabilities) : 0;
}

static void run_mode_sense(IdeUnit *u)
{
    uint8_t page = u->packet[2] & 0x3f, control = u->packet[2] >> 6;
    uint32_t len = 8;

    memset(u->buffer, 0, 8);
    if (control == 3) {
        fail(u, SENSE_ILLEGAL, ASC_SAVING);
        return;
    }
    if (page == 0x3f)
        len += put_mode_page(u->buffer + len, 0x01), page = 0x2a;
    len += put_mode_page(u->buffer + len, page);
    if (len == 8) {
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    u->buffer[2] = u->tray_open ? 0x71 : 0x70; /* no medium type; door open or closed */
    if (len > 8 && page == 0x2a && u->locked)
        u->buffer[len - 14] |= 2;
    put_be(u->buffer, 2, len - 2);
    reply(u, len, get_be(u->packet + 7, 2));
}

static void run_get_configuration(IdeUnit *u)
{
    static const uint8_t rows[] = {
        0, 0, 0x03, 8, 0,    0x10, 1, 0, 0, 0x08, 0, 0, /* profiles: DVD-ROM, CD-ROM */
        0, 1, 0x07, 4, 0,    0,    0, 2,                /* core: ATAPI */
        0, 3, 0x03, 4, 0x29, 0,    0, 0,                /* removable medium: tray */
    };

    memset(u->buffer, 0, 8);
    memcpy(u->buffer + 8, rows, sizeof(rows));
    put_be(u->buffer, 4, 4 + sizeof(rows));
    if (has_medium(u)) {
        u->buffer[7] = 0x08; /* current profile: CD-ROM */
        u->buffer[8 + 10] = 1;
    }
    reply(u, 8 + sizeof(rows), get_be(u->packet + 7, 2));
}

static void run_event_status(IdeUnit *u)
{
    uint8_t *d = u->buffer;
    bool media = u->packet[4] & 0x10;

    if (!(u->packet[1] & 1)) { /* only polled */
        fail(u, SENSE_ILLEGAL, ASC_INVALID_FIELD);
        return;
    }
    memset(d, 0, 8);
    d[3] = 0x10;
    put_be(d, 2, media ? 6 : 2);
    d[2] = media ? 0x04 : 0x80;
    if (media) {
        d[4] = u->media_event;
        d[5] = (u->tray_open ? 1 : 0) | (has_medium(u) ? 2 : 0);
        u->media_event = EVENT_NONE;
    }
    reply(u, media ? 8 : 4, get_be(u->packet + 7, 2));
}

static void run_disc_information(IdeUnit *u)
{
    uint8_t *d = u->buffer;

    memset(d, 0, 34);
    d[1] = 32;
    d[2] = 0x0e; /* finished disc, last session complete */
    d[3] = d[4] = d[5] = d[6] = 1;
    d[7] = 0x20; /* no restrictions on use */
    reply(u, 34, get_be(u->packet + 7, 2));
}

static void run_track_information(IdeUnit *u)
{
    uint8_t *d = u->buffer;

    memset(d, 0, 36);
    d[1] = 34;
    d[2] = d[3] = 1;
    d[5] = 0x04; /* data track */
    d[6] = 0x01; /* mode 1 */
    put_be(d + 24, 4, disc_blocks(u));
    reply(u, 36, get_be(u->packet + 7, 2));
}

/* START STOP UNIT: with LoEj the tray moves. Discs have no motor that matters. */
static void run_start_stop(IdeUnit *u)
{
    bool start = u->packet[4] & 1, load_eject = u->packet[4] & 2;

    if (load_eject && !start && u->locked) {
        fail_with(u, SENSE_ILLEGAL, ASC_REMOVAL_PREVENTED, 2);
        return;
    }
    if (load_eject && u->tray_open == start) {
        u->tray_open = !start;
        u->media_event = !drive_has_medium(u->drive) ? EVENT_NONE
                         : start                     ? EVENT_NEW_MEDIA
                                                     : EVENT_MEDIA_REMOVAL;
        u->attention = has_medium(u);
    }
    succeed(u);
}

static void run_lock(IdeUnit *u)
{
    u->locked = u->packet[4] & 1;
    succeed(u);
}

static void run_mechanism_status(IdeUnit *u)
{
    memset(u->buffer, 0, 8);
    u->buffer[1] = u->tray_open ? 0x10 : 0;
    u->buffer[5] = 1;
    reply(u, 8, get_be(u->packet + 8, 2));
}

enum {
    DURING_ATTENTION = 1, /* may come before a unit attention has been told */
    NEEDS_MEDIUM = 2,
};

typedef struct Packet {
    uint8_t code, flags;
    void (*run)(IdeUnit *u);
} Packet;

static const Packet packets[] = {
    { 0x00, NEEDS_MEDIUM, run_test_ready },
    { 0x03, DURING_ATTENTION, run_request_sense },
    { 0x12, DURING_ATTENTION, run_inquiry },
    { 0x1b, 0, run_start_stop },
    { 0x1e, 0, run_lock },
    { 0x25, NEEDS_MEDIUM, run_read_capacity },
    { 0x28, NEEDS_MEDIUM, run_read10 },
    { 0x2b, NEEDS_MEDIUM, run_seek },
    { 0x43, NEEDS_MEDIUM, run_read_toc },
    { 0x46, DURING_ATTENTION, run_get_configuration },
    { 0x4a, DURING_ATTENTION, run_event_status },
    { 0x51, NEEDS_MEDIUM, run_disc_information },
    { 0x52, NEEDS_MEDIUM, run_track_information },
    { 0x5a, 0, run_mode_sense },
    { 0xa8, NEEDS_MEDIUM, run_read12 },
    { 0xbb, 0, run_test_ready }, /* SET CD SPEED */
    { 0xbd, 0, run_mechanism_status },
    { 0xbe, NEEDS_MEDIUM, run_read_cd },
};

static void run_packet(IdeUnit *u)
{
    trace(ide_atapi_cmd_packet, "bus %s; unit %d; cmd 0x%02x", u->channel->dev.id,
          (int)(u - u->channel->unit), u->packet[0]);
    for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
        if (packets[i].code != u->packet[0])
            continue;
        if (u->attention && !(packets[i].flags & DURING_ATTENTION)) {
            u->attention = false;
            fail(u, SENSE_ATTENTION, ASC_MEDIUM_CHANGED);
        } else if ((packets[i].flags & NEEDS_MEDIUM) && !has_medium(u)) {
            fail_without_medium(u);
        } else {
            packets[i].run(u);
        }
        return;
    }
    log_unimp("ide: packet command %02x\n", u->packet[0]);
    fail(u, SENSE_ILLEGAL, ASC_INVALID_COMMAND);
}

void ide_atapi_block_done(IdeUnit *u)
{
    if (u->job == JOB_PACKET) {
        memcpy(u->packet, u->buffer, PACKET_BYTES);
        ide_wait(u);
        run_packet(u);
    } else if (u->job == JOB_REPLY) { /* IDENTIFY PACKET DEVICE */
        u->job = JOB_NONE;
        u->status = ST_DRDY | ST_DSC;
    } else if (u->pos < u->end) {
        offer(u);
    } else if (u->job == JOB_PACKET_READ && u->left) {
        fetch(u, BUFFER_BLOCKS);
    } else {
        succeed(u);
    }
}

/* ---- ATA commands of an ATAPI device --------------------------------------------------------- */

static void begin_packet(IdeUnit *u)
{
    u->dma = u->tf.feature[0] & 1;
    if (u->dma && !u->channel->has_dma) {
        ide_abort(u, ER_ABRT);
        return;
    }
    /* The byte count limit, which the registers that hold it will not show for long. */
    u->tf.mid[1] = u->tf.mid[0];
    u->tf.high[1] = u->tf.high[0];
    u->job = JOB_PACKET;
    u->pos = 0;
    u->end = PACKET_BYTES;
    u->tf.count[0] = REASON_COMMAND;
    ide_data_block(u, PACKET_BYTES);
}

static void identify(IdeUnit *u)
{
    uint8_t *d = u->buffer;

    memset(d, 0, 512);
    ide_put_word(d, 0, 0x85c0); /* ATAPI CD-ROM, removable, packet of 12 bytes within 50 us */
    ide_put_text(d, 10, 10, u->serial);
    ide_put_text(d, 23, 4, u->version);
    ide_put_text(d, 27, 20, u->model);
    ide_put_word(d, 48, 1);
    ide_put_word(d, 49, 0x0f00); /* IORDY, LBA, DMA */
    ide_put_word(d, 53, 7);
    ide_put_word(d, 63, 0x07 | ((u->mode & 0xf8) == 0x20 ? 0x100 << (u->mode & 7) : 0));
    ide_put_word(d, 64, 3);
    for (unsigned word = 65; word <= 68; word++)
        ide_put_word(d, word, 180);
    ide_put_word(d, 80, 0x001e); /* to ATA-4 */
    ide_put_word(d, 82, 0x0210); /* DEVICE RESET, PACKET */
    ide_put_word(d, 83, 0x4000);
    ide_put_word(d, 84, 0x4000);
    ide_put_word(d, 85, 0x0210);
    ide_put_word(d, 87, 0x4000);
    ide_put_word(d, 88, 0x3f | ((u->mode & 0xf8) == 0x40 ? 0x100 << (u->mode & 7) : 0));
    u->job = JOB_REPLY;
    u->pos = 0;
    u->end = 512;
    ide_data_block(u, 512);
    ide_interrupt(u);
}

bool ide_atapi_command(IdeUnit *u, uint8_t command)
{
    switch (command) {
    case 0xa0: begin_packet(u); return true;
    case 0xa1: identify(u); return true;
    case 0x20: /* READ SECTORS and IDENTIFY DEVICE: how a host learns what it talks to */
    case 0xec:
        ide_set_signature(u);
        u->status = ST_DRDY | ST_ERR;
        u->error = ER_ABRT;
        ide_interrupt(u);
        return true;
    case 0xef:
        if (u->tf.feature[0] == 0x03)
            u->mode = u->tf.count[0];
        ide_finish(u);
        return true;
    case 0xe0: /* power management */
    case 0xe1:
    case 0xe2:
    case 0xe3:
    case 0xe6: ide_finish(u); return true;
    case 0xe5:
        ide_finish(u);
        u->tf.count[0] = 0xff;
        return true;
    }
    return false;
}

/* ---- The door -------------------------------------------------------------------------------- */

static void medium_changed(void *opaque)
{
    IdeUnit *u = opaque;
    bool there = drive_has_medium(u->drive);

    u->tray_open = !there;
    u->attention = there;
    u->media_event = there ? EVENT_NEW_MEDIA : EVENT_MEDIA_REMOVAL;
    if (u->job == JOB_PACKET_READ)
        fail_without_medium(u); /* what it read from is gone */
}

static bool is_locked(void *opaque)
{
    return ((IdeUnit *)opaque)->locked;
}

static void removal_wanted(void *opaque)
{
    ((IdeUnit *)opaque)->media_event = EVENT_EJECT_REQUEST;
}

const DriveDoor ide_atapi_door = { medium_changed, is_locked, removal_wanted };

/* A reset leaves the tray as it is, but the lock is gone. */
void ide_atapi_reset(IdeUnit *u, bool power_on)
{
    u->sense_key = u->asc = u->ascq = 0;
    u->locked = false;
    if (power_on) {
        u->attention = u->cdrom && drive_has_medium(u->drive);
        u->media_event = EVENT_NONE;
    }
}
