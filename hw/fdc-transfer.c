/* SPDX-License-Identifier: MIT */
/*
 * Commands of the floppy controller that move data: one sector after another between the drive, the
 * buffer and the host, by DMA or through the data register, until terminal count or the last
 * sector.
 */
#include <string.h>

#include "hw/fdc-internal.h"
#include "hw/i8237.h"
#include "softmmu/log.h"

#define DMA_CHANNEL 2
#define SIZE_CODE   2 /* 128 << 2 bytes */
#define ID_BYTES    4 /* that FORMAT TRACK has of each sector */

enum { SPECIFY_NO_DMA = 0x01, OPTION_SKIP = 0x20, OPTION_MULTI_TRACK = 0x80, VERIFY_COUNTS = 0x80 };

static void next_sector(Fdc *s);

static FdcUnit *unit_of(Fdc *s)
{
    return &s->unit[s->selected];
}

/* ---- Ends ------------------------------------------------------------------------------------ */

static void finish(Fdc *s)
{
    if (s->st[1] || (s->st[2] & (ST2_WRONG_CYLINDER | ST2_CONTROL_MARK)))
        s->st[0] |= ST0_ABNORMAL;
    memcpy(s->fifo, s->st, 3);
    s->fifo[3] = s->cylinder;
    s->fifo[4] = s->head;
    s->fifo[5] = s->sector;
    s->fifo[6] = SIZE_CODE;
    fdc_result(s, 7);
    fdc_interrupt(s);
}

static void fail(Fdc *s, uint8_t st1)
{
    s->st[1] |= st1;
    finish(s);
}

void fdc_abort_transfer(Fdc *s)
{
    fail(s, ST1_MISSING_MARK);
}

/* ---- The drive ------------------------------------------------------------------------------- */

static bool can_read_marks(Fdc *s)
{
    const FdcFormat *f = unit_of(s)->format;

    return f && f->rate == s->rate && s->head < f->heads && unit_of(s)->cylinder < f->cylinders;
}

/* Is the sector that comes next on the disk? If not, the command is over. */
static bool find_sector(Fdc *s)
{
    const FdcUnit *u = unit_of(s);

    if (!can_read_marks(s)) {
        fail(s, ST1_MISSING_MARK);
        return false;
    }
    if (s->cylinder != u->cylinder)
        s->st[2] |= ST2_WRONG_CYLINDER;
    if (s->cylinder == u->cylinder && s->sector && s->sector <= u->format->sectors)
        return true;
    fail(s, ST1_NO_DATA);
    return false;
}

static void submit(Fdc *s, DriveOp op)
{
    const FdcUnit *u = unit_of(s);
    const FdcFormat *f = u->format;
    uint64_t track = u->cylinder * f->heads + s->head;
    DriveRequest r = { .op = op,
                       .offset = (track * f->sectors + s->sector - 1) * FDC_SECTOR,
                       .len = FDC_SECTOR,
                       .data = s->buffer };

    s->phase = PHASE_WAIT;
    if (!drive_is_busy(u->drive))
        drive_submit(u->drive, &r);
}

/* ---- The host -------------------------------------------------------------------------------- */

static bool is_scan(const Fdc *s)
{
    return s->action >= ACTION_SCAN_EQUAL;
}

bool fdc_data_to_host(const Fdc *s)
{
    return s->action == ACTION_READ || s->action == ACTION_READ_DELETED;
}

static bool has_dma(const Fdc *s)
{
    return !(s->specify[1] & SPECIFY_NO_DMA);
}

/* All that the sector has, or what the count leaves of it; false: the host was not ready, and the
 * command is over. */
static bool move_by_dma(Fdc *s, uint8_t *data, unsigned len)
{
    bool tc = false;
    size_t done = 0;

    if (s->dor & DOR_GATE)
        done = i8237_transfer(s->dma, DMA_CHANNEL, fdc_data_to_host(s), data, len, &tc);
    s->count_reached |= tc;
    if (done < len && !tc)
        fail(s, ST1_OVERRUN);
    return done == len || tc;
}

/* @len bytes of the buffer through the data register. */
static void open_data_register(Fdc *s, unsigned len)
{
    s->at = 0;
    s->end = len;
    s->phase = PHASE_DATA;
    fdc_interrupt(s);
}

/* ---- A sector's end -------------------------------------------------------------------------- */

/* To the next sector; false: there is none. What the result shows then is in the data sheet's table
 * of result phases. */
static bool advance(Fdc *s)
{
    unsigned step = is_scan(s) && s->fifo[8] == 2 ? 2 : 1;
    bool last = s->sector + step > s->last_sector;

    if (!last) {
        s->sector += step;
        return true;
    }
    s->sector = 1;
    if (s->multi_track && !s->head) {
        s->head = 1;
        return true;
    }
    s->cylinder++;
    s->head ^= s->multi_track;
    return false;
}

static void note_head(Fdc *s)
{
    s->st[0] = s->selected | s->head << 2;
}

static void sector_done(Fdc *s)
{
    bool more;

    note_head(s);
    more = advance(s);
    if (s->action == ACTION_READ_DELETED) { /* the disk has only sectors that are not */
        s->st[2] |= ST2_CONTROL_MARK;
        finish(s);
    } else if (s->count_reached) {
        finish(s);
    } else if (!more) {
        fail(s, is_scan(s) || s->action == ACTION_VERIFY ? 0 : ST1_END);
    } else {
        next_sector(s);
    }
}

static bool scan_holds(const Fdc *s, uint8_t disk, uint8_t host)
{
    return disk == host || disk == 0xff || host == 0xff ||
           (s->action == ACTION_SCAN_LOW && disk < host) ||
           (s->action == ACTION_SCAN_HIGH && disk > host);
}

static void scan_sector(Fdc *s)
{
    uint8_t host[FDC_SECTOR] = { 0 };
    bool holds = true;

    if (!has_dma(s)) {
        log_unimp("fdc: scan without DMA\n");
        fail(s, ST1_OVERRUN);
        return;
    }
    if (!move_by_dma(s, host, FDC_SECTOR))
        return;
    for (unsigned i = 0; i < FDC_SECTOR; i++)
        holds &= scan_holds(s, s->buffer[i], host[i]);
    if (holds) {
        note_head(s);
        s->st[2] = memcmp(host, s->buffer, FDC_SECTOR) ? 0 : ST2_SCAN_HIT;
        finish(s);
        return;
    }
    s->st[2] = ST2_SCAN_MISSED;
    sector_done(s);
}

static void sector_read(Fdc *s, const uint8_t *data)
{
    memcpy(s->buffer, data, FDC_SECTOR);
    if (is_scan(s))
        scan_sector(s);
    else if (!has_dma(s))
        open_data_register(s, FDC_SECTOR);
    else if (move_by_dma(s, s->buffer, FDC_SECTOR))
        sector_done(s);
}

void fdc_drive_done(void *opaque, const DriveRequest *r)
{
    Fdc *s = ((FdcUnit *)opaque)->fdc;

    if (s->phase != PHASE_WAIT || opaque != unit_of(s))
        return;
    if (r->error)
        fail(s, ST1_DATA_ERROR);
    else if (r->op == DRIVE_READ)
        sector_read(s, r->data);
    else if (s->action != ACTION_FORMAT)
        sector_done(s);
    else if (!--s->last_sector || s->count_reached)
        finish(s);
    else
        next_sector(s);
}

/* ---- A sector's beginning -------------------------------------------------------------------- */

/* The sector's ID is in the buffer. */
static void format_sector(Fdc *s)
{
    const FdcUnit *u = unit_of(s);

    s->sector = s->buffer[2];
    if (!s->sector || s->sector > u->format->sectors || s->buffer[3] != SIZE_CODE) {
        log_unimp("fdc: formatting sector %u of size code %u\n", s->sector, s->buffer[3]);
        fail(s, ST1_NO_DATA);
        return;
    }
    memset(s->buffer, s->fill, FDC_SECTOR);
    submit(s, DRIVE_WRITE);
}

/* What the host has sent is in the buffer. */
static void data_arrived(Fdc *s)
{
    if (s->action == ACTION_FORMAT)
        format_sector(s);
    else
        submit(s, DRIVE_WRITE);
}

static void fetch_data(Fdc *s)
{
    unsigned len = s->action == ACTION_FORMAT ? ID_BYTES : FDC_SECTOR;

    memset(s->buffer, 0, FDC_SECTOR);
    if (!has_dma(s))
        open_data_register(s, len);
    else if (move_by_dma(s, s->buffer, len))
        data_arrived(s);
}

/* VERIFY needs none of the data: sectors are there or not. */
static void verify_sectors(Fdc *s)
{
    unsigned count = s->fifo[1] & VERIFY_COUNTS ? s->fifo[8] : 256;

    while (count--) {
        if (!find_sector(s))
            return;
        if (!advance(s))
            break;
    }
    finish(s);
}

static void next_sector(Fdc *s)
{
    if (s->action == ACTION_FORMAT) {
        fetch_data(s);
    } else if (s->action == ACTION_VERIFY) {
        verify_sectors(s);
    } else if (find_sector(s)) {
        if (s->action == ACTION_WRITE)
            fetch_data(s);
        else
            submit(s, DRIVE_READ);
    }
}

static bool writes(const Fdc *s)
{
    return s->action == ACTION_WRITE || s->action == ACTION_FORMAT;
}

static void begin(Fdc *s, FdcAction action)
{
    s->action = action;
    s->selected = s->fifo[1] & 3;
    s->head = s->fifo[1] >> 2 & 1;
    s->multi_track = false;
    s->count_reached = false;
    memset(s->st, 0, sizeof(s->st));
    note_head(s);
}

/* Can this disk be written to? */
static bool check_writable(Fdc *s)
{
    const FdcUnit *u = unit_of(s);

    if (!writes(s) || !u->drive || !drive_is_read_only(u->drive))
        return true;
    fail(s, ST1_PROTECTED);
    return false;
}

void fdc_start_transfer(Fdc *s, FdcAction action)
{
    begin(s, action);
    s->multi_track = s->fifo[0] & OPTION_MULTI_TRACK;
    s->cylinder = s->fifo[2];
    s->sector = s->fifo[4];
    s->last_sector = s->fifo[6];
    if (s->fifo[5] != SIZE_CODE || (action == ACTION_READ_DELETED && (s->fifo[0] & OPTION_SKIP)))
        fail(s, ST1_NO_DATA);
    else if (check_writable(s))
        next_sector(s);
}

void fdc_start_format(Fdc *s)
{
    begin(s, ACTION_FORMAT);
    s->cylinder = unit_of(s)->cylinder;
    s->sector = 1;
    s->last_sector = s->fifo[3];
    s->fill = s->fifo[5];
    if (!check_writable(s))
        return;
    if (!can_read_marks(s) || s->fifo[2] != SIZE_CODE || !s->last_sector)
        fail(s, ST1_MISSING_MARK);
    else
        next_sector(s);
}

/* The first ID that comes by. */
void fdc_read_id(Fdc *s)
{
    begin(s, ACTION_READ);
    s->cylinder = unit_of(s)->cylinder;
    s->sector = 1;
    if (can_read_marks(s))
        finish(s);
    else
        fail(s, ST1_MISSING_MARK);
}

/* ---- The data register ----------------------------------------------------------------------- */

uint8_t fdc_read_data(Fdc *s)
{
    uint8_t value = s->buffer[s->at++];

    if (s->at == s->end)
        sector_done(s);
    return value;
}

void fdc_write_data(Fdc *s, uint8_t value)
{
    s->buffer[s->at++] = value;
    if (s->at == s->end)
        data_arrived(s);
}
