/* SPDX-License-Identifier: MIT */
/* Commands of the floppy controller: 82077AA data sheet, table 5-1, one row each. */
#include "hw/fdc-internal.h"

enum { CONFIG_IMPLIED_SEEK = 0x40, VERSION_82077 = 0x90, CYLINDERS_MAX = 84 };
enum { ST3_READY = 0x20, ST3_TRACK0 = 0x10, ST3_TWO_SIDES = 0x08, ST3_PROTECTED = 0x40 };

static FdcUnit *named_unit(Fdc *s)
{
    return &s->unit[s->fifo[1] & 3];
}

/* ---- Heads that move ------------------------------------------------------------------------- */

static void move_heads(FdcUnit *u, unsigned cylinder)
{
    if (cylinder != u->cylinder && u->drive && drive_has_medium(u->drive))
        u->changed = false;
    u->cylinder = cylinder;
}

static void end_seek(Fdc *s, FdcUnit *u, uint8_t st0)
{
    u->has_news = true;
    u->news = st0 | ST0_SEEK_END | (s->fifo[1] & 7);
    fdc_result(s, 0);
    fdc_interrupt(s);
}

/* No drive: there is nobody to say that track 0 is reached. */
static void run_recalibrate(Fdc *s)
{
    FdcUnit *u = named_unit(s);

    s->fifo[1] &= 3;
    move_heads(u, 0);
    end_seek(s, u, u->drive ? 0 : ST0_ABNORMAL | ST0_CHECK);
}

static void run_seek(Fdc *s)
{
    FdcUnit *u = named_unit(s);

    move_heads(u, s->fifo[2]);
    end_seek(s, u, 0);
}

static void run_relative_seek(Fdc *s)
{
    FdcUnit *u = named_unit(s);
    int by = s->fifo[0] & 0x40 ? s->fifo[2] : -s->fifo[2];

    move_heads(u, CLAMP(u->cylinder + by, 0, CYLINDERS_MAX));
    end_seek(s, u, 0);
}

/* ---- Status ---------------------------------------------------------------------------------- */

static void run_sense_interrupt(Fdc *s)
{
    s->fifo[0] = ST0_INVALID;
    for (unsigned i = 0; i < FDC_SELECT; i++) {
        FdcUnit *u = &s->unit[i];

        if (!u->has_news)
            continue;
        u->has_news = false;
        s->fifo[0] = u->news;
        s->fifo[1] = u->cylinder;
        fdc_result(s, 2);
        return;
    }
    fdc_result(s, 1);
}

static void run_sense_drive(Fdc *s)
{
    const FdcUnit *u = named_unit(s);
    uint8_t st3 = ST3_READY | ST3_TWO_SIDES | (s->fifo[1] & 7);

    if (u->drive && !u->cylinder)
        st3 |= ST3_TRACK0;
    if (u->drive && drive_is_read_only(u->drive))
        st3 |= ST3_PROTECTED;
    s->fifo[0] = st3;
    fdc_result(s, 1);
}

static void run_dump_registers(Fdc *s)
{
    for (unsigned i = 0; i < FDC_SELECT; i++)
        s->fifo[i] = s->unit[i].cylinder;
    s->fifo[4] = s->specify[0];
    s->fifo[5] = s->specify[1];
    s->fifo[6] = s->last_sector;
    s->fifo[7] = (s->locked ? 0x80 : 0) | (s->perpendicular & 0x3f);
    s->fifo[8] = s->config;
    s->fifo[9] = s->precompensation;
    fdc_result(s, 10);
}

static void run_version(Fdc *s)
{
    s->fifo[0] = VERSION_82077;
    fdc_result(s, 1);
}

/* ---- Settings -------------------------------------------------------------------------------- */

static void run_specify(Fdc *s)
{
    s->specify[0] = s->fifo[1];
    s->specify[1] = s->fifo[2];
    fdc_result(s, 0);
}

static void run_configure(Fdc *s)
{
    s->config = s->fifo[2] & 0x7f;
    s->precompensation = s->fifo[3];
    fdc_result(s, 0);
}

static void run_perpendicular(Fdc *s)
{
    uint8_t value = s->fifo[1];

    s->perpendicular = value & 0x80 ? value & 0x3f : (s->perpendicular & 0x3c) | (value & 3);
    fdc_result(s, 0);
}

static void run_lock(Fdc *s)
{
    s->locked = s->fifo[0] & 0x80;
    s->fifo[0] = s->locked ? 0x10 : 0;
    fdc_result(s, 1);
}

/* ---- Transfers ------------------------------------------------------------------------------- */

static void start(Fdc *s, FdcAction action)
{
    if (s->config & CONFIG_IMPLIED_SEEK)
        move_heads(named_unit(s), s->fifo[2]);
    fdc_start_transfer(s, action);
}

static void run_read(Fdc *s)
{
    start(s, ACTION_READ);
}

static void run_read_deleted(Fdc *s)
{
    start(s, ACTION_READ_DELETED);
}

/* All sectors of a track from its beginning. */
static void run_read_track(Fdc *s)
{
    s->fifo[0] &= 0x7f;
    s->fifo[4] = 1;
    start(s, ACTION_READ);
}

static void run_write(Fdc *s)
{
    start(s, ACTION_WRITE);
}

static void run_verify(Fdc *s)
{
    start(s, ACTION_VERIFY);
}

static void run_scan_equal(Fdc *s)
{
    start(s, ACTION_SCAN_EQUAL);
}

static void run_scan_low(Fdc *s)
{
    start(s, ACTION_SCAN_LOW);
}

static void run_scan_high(Fdc *s)
{
    start(s, ACTION_SCAN_HIGH);
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct FdcCommand {
    uint8_t mask, code, length;
    void (*run)(Fdc *s);
} FdcCommand;

/* Bits that a mask leaves out are options: MT, MFM, SK, … */
static const FdcCommand commands[] = {
    { 0x1f, 0x06, 9, run_read },
    { 0x1f, 0x0c, 9, run_read_deleted },
    { 0x3f, 0x05, 9, run_write },
    { 0x3f, 0x09, 9, run_write }, /* deleted data: the mark is not kept */
    { 0x9f, 0x02, 9, run_read_track },
    { 0x1f, 0x16, 9, run_verify },
    { 0xbf, 0x0d, 6, fdc_start_format },
    { 0x1f, 0x11, 9, run_scan_equal },
    { 0x1f, 0x19, 9, run_scan_low },
    { 0x1f, 0x1d, 9, run_scan_high },
    { 0xff, 0x07, 2, run_recalibrate },
    { 0xff, 0x08, 1, run_sense_interrupt },
    { 0xff, 0x03, 3, run_specify },
    { 0xff, 0x04, 2, run_sense_drive },
    { 0xff, 0x0f, 3, run_seek },
    { 0xbf, 0x8f, 3, run_relative_seek },
    { 0xff, 0x13, 4, run_configure },
    { 0xff, 0x10, 1, run_version },
    { 0xff, 0x0e, 1, run_dump_registers },
    { 0xff, 0x12, 2, run_perpendicular },
    { 0x7f, 0x14, 1, run_lock },
    { 0xbf, 0x0a, 2, fdc_read_id },
};

static const FdcCommand *find_command(uint8_t first)
{
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if ((first & commands[i].mask) == commands[i].code)
            return &commands[i];
    }
    return NULL;
}

unsigned fdc_command_length(uint8_t first)
{
    const FdcCommand *c = find_command(first);

    return c ? c->length : 1;
}

void fdc_run_command(Fdc *s)
{
    const FdcCommand *c = find_command(s->fifo[0]);

    if (c) {
        c->run(s);
        return;
    }
    s->fifo[0] = ST0_INVALID;
    fdc_result(s, 1);
}
