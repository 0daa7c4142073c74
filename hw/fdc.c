/* SPDX-License-Identifier: MIT */
/*
 * The registers of the floppy controller, its phases and its life. Spec: Intel 82077AA data sheet
 * (290166), AT mode. Seeks and resets take no time, transfers take what the drive takes.
 * Missing: tracks and deleted marks that a disk image cannot hold, sectors of another size than
 * 512 bytes, the spinning of the motor, tape drives.
 */
#include "hw/fdc.h"

#include <string.h>

#include "hw/fdc-internal.h"

enum { TYPE_NONE = 0, TYPE_1200K = 2, TYPE_1440K = 4, TYPE_2880K = 5 };
enum { RATE_500K, RATE_300K, RATE_250K, RATE_1M };
enum { MSR_BUSY = 0x10, MSR_NON_DMA = 0x20, MSR_TO_HOST = 0x40, MSR_READY = 0x80 };
enum { DSR_RESET = 0x80, CONFIG_DEFAULT = 0x20, CONFIG_NO_POLL = 0x10 };
enum { REG_SRB, REG_DOR, REG_TDR, REG_MSR, REG_FIFO }; /* from 0x3f1 on */

/* Those for one kind of drive by size: an image between two sizes is the larger. */
static const FdcFormat formats[] = {
    { 160, 40, 1, 8, RATE_300K, TYPE_1200K },   { 180, 40, 1, 9, RATE_300K, TYPE_1200K },
    { 320, 40, 2, 8, RATE_300K, TYPE_1200K },   { 360, 40, 2, 9, RATE_300K, TYPE_1200K },
    { 1200, 80, 2, 15, RATE_500K, TYPE_1200K }, { 720, 80, 2, 9, RATE_250K, TYPE_1440K },
    { 800, 80, 2, 10, RATE_250K, TYPE_1440K },  { 820, 82, 2, 10, RATE_250K, TYPE_1440K },
    { 1440, 80, 2, 18, RATE_500K, TYPE_1440K }, { 1600, 80, 2, 20, RATE_500K, TYPE_1440K },
    { 1680, 80, 2, 21, RATE_500K, TYPE_1440K }, { 1722, 82, 2, 21, RATE_500K, TYPE_1440K },
    { 1743, 83, 2, 21, RATE_500K, TYPE_1440K }, { 1760, 80, 2, 22, RATE_500K, TYPE_1440K },
    { 1840, 80, 2, 23, RATE_500K, TYPE_1440K }, { 1920, 80, 2, 24, RATE_500K, TYPE_1440K },
    { 2880, 80, 2, 36, RATE_1M, TYPE_2880K },   { 3120, 80, 2, 39, RATE_1M, TYPE_2880K },
    { 3200, 80, 2, 40, RATE_1M, TYPE_2880K },   { 3520, 80, 2, 44, RATE_1M, TYPE_2880K },
    { 3840, 80, 2, 48, RATE_1M, TYPE_2880K },
};

/* ---- Formats --------------------------------------------------------------------------------- */

static uint32_t format_sectors(const FdcFormat *f)
{
    return f->cylinders * f->heads * f->sectors;
}

static const FdcFormat *find_format(uint64_t sectors, bool wide)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if ((formats[i].drive_type == TYPE_1200K) == wide && sectors <= format_sectors(&formats[i]))
            return &formats[i];
    }
    return NULL;
}

bool fdc_has_format(uint64_t sectors)
{
    return find_format(sectors, false) != NULL;
}

/* Disks for 5.25" are known by having exactly one of their sizes. */
static bool is_wide(uint64_t sectors)
{
    const FdcFormat *f = find_format(sectors, true);

    return sectors && f && format_sectors(f) == sectors;
}

static void find_disk(FdcUnit *u)
{
    uint64_t sectors = u->drive ? drive_sectors(u->drive) : 0;

    u->format = sectors ? find_format(sectors, u->wide) : NULL;
}

/* ---- Phases ---------------------------------------------------------------------------------- */

static void update_irq(Fdc *s)
{
    irq_set(s->irq, s->interrupt && (s->dor & DOR_GATE));
}

void fdc_interrupt(Fdc *s)
{
    s->interrupt = true;
    update_irq(s);
}

static void clear_interrupt(Fdc *s)
{
    s->interrupt = false;
    update_irq(s);
}

void fdc_result(Fdc *s, unsigned len)
{
    s->phase = len ? PHASE_RESULT : PHASE_COMMAND;
    s->pos = 0;
    s->len = len;
}

static void cancel_requests(Fdc *s)
{
    for (unsigned i = 0; i < FDC_UNITS; i++) {
        if (s->unit[i].drive)
            drive_cancel(s->unit[i].drive);
    }
}

static void soft_reset(Fdc *s)
{
    cancel_requests(s);
    fdc_result(s, 0);
    if (!s->locked) {
        s->config = CONFIG_DEFAULT;
        s->precompensation = 0;
    }
    s->perpendicular &= 0x3c;
    for (unsigned i = 0; i < FDC_SELECT; i++) {
        s->unit[i].has_news = true;
        s->unit[i].news = ST0_POLLED | i;
    }
}

static void leave_reset(Fdc *s)
{
    if (!(s->config & CONFIG_NO_POLL))
        fdc_interrupt(s);
}

static void medium_changed(void *opaque)
{
    FdcUnit *u = opaque;
    Fdc *s = u->fdc;

    u->changed = true;
    find_disk(u);
    if ((s->phase == PHASE_WAIT || s->phase == PHASE_DATA) && u == &s->unit[s->selected])
        fdc_abort_transfer(s);
}

/* ---- Registers ------------------------------------------------------------------------------- */

static void write_dor(Fdc *s, uint8_t value)
{
    uint8_t old = s->dor;

    s->dor = value;
    if ((old & DOR_ENABLE) && !(value & DOR_ENABLE)) {
        soft_reset(s);
        s->interrupt = false;
    } else if (!(old & DOR_ENABLE) && (value & DOR_ENABLE)) {
        leave_reset(s);
    }
    update_irq(s);
}

static void write_rate(Fdc *s, uint8_t value)
{
    s->rate = value & 3;
    if (!(value & DSR_RESET) || !(s->dor & DOR_ENABLE))
        return;
    soft_reset(s);
    leave_reset(s);
}

static uint8_t read_msr(const Fdc *s)
{
    static const uint8_t bits[PHASE_COUNT] = {
        [PHASE_COMMAND] = MSR_READY,
        [PHASE_WAIT] = MSR_BUSY,
        [PHASE_DATA] = MSR_READY | MSR_BUSY | MSR_NON_DMA,
        [PHASE_RESULT] = MSR_READY | MSR_BUSY | MSR_TO_HOST,
    };
    uint8_t value = bits[s->phase];

    if (!(s->dor & DOR_ENABLE))
        return 0;
    if (s->phase == PHASE_COMMAND && s->pos)
        value |= MSR_BUSY;
    if (s->phase == PHASE_DATA && fdc_data_to_host(s))
        value |= MSR_TO_HOST;
    return value;
}

static uint8_t read_fifo(Fdc *s)
{
    uint8_t value;

    if (s->phase == PHASE_DATA && fdc_data_to_host(s)) {
        clear_interrupt(s);
        return fdc_read_data(s);
    }
    if (s->phase != PHASE_RESULT)
        return 0xff;
    clear_interrupt(s);
    value = s->fifo[s->pos++];
    if (s->pos == s->len)
        fdc_result(s, 0);
    return value;
}

static void write_fifo(Fdc *s, uint8_t value)
{
    if (!(s->dor & DOR_ENABLE))
        return;
    if (s->phase == PHASE_DATA && !fdc_data_to_host(s)) {
        clear_interrupt(s);
        fdc_write_data(s, value);
        return;
    }
    if (s->phase != PHASE_COMMAND)
        return;
    s->fifo[s->pos++] = value;
    if (s->pos == fdc_command_length(s->fifo[0]))
        fdc_run_command(s);
}

static uint8_t read_srb(const Fdc *s)
{
    return 0xc0 | (s->dor & 1) << 5 | (s->dor >> 4 & 3); /* drive, motors */
}

static uint64_t fdc_read(void *opaque, uint64_t addr, unsigned size)
{
    Fdc *s = opaque;

    switch (addr) {
    case REG_SRB: return read_srb(s);
    case REG_DOR: return s->dor;
    case REG_TDR: return s->tape;
    case REG_MSR: return read_msr(s);
    }
    return read_fifo(s);
}

static void fdc_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Fdc *s = opaque;

    switch (addr) {
    case REG_DOR: write_dor(s, value); break;
    case REG_TDR: s->tape = value & 3; break;
    case REG_MSR: write_rate(s, value); break;
    case REG_FIFO: write_fifo(s, value); break;
    }
}

/* DIR: the disk of the drive that DOR selects was changed, or there is none. */
static uint64_t dir_read(void *opaque, uint64_t addr, unsigned size)
{
    Fdc *s = opaque;
    const FdcUnit *u = &s->unit[s->dor & 3];

    return u->drive && u->changed ? 0x80 : 0;
}

static void ccr_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ((Fdc *)opaque)->rate = value & 3;
}

static const MemOps fdc_ops = { fdc_read, fdc_write, 1, 1 };
static const MemOps dir_ops = { dir_read, ccr_write, 1, 1 };

/* ---- Life ------------------------------------------------------------------------------------ */

static bool fdc_realize(Device *dev, GError **error)
{
    Fdc *s = (Fdc *)dev;

    memory_init_io(&s->io, "fdc", &fdc_ops, s, 5);
    memory_init_io(&s->io_dir, "fdc", &dir_ops, s, 1);
    memory_add(s->ports, 0x3f1, 0, &s->io);
    memory_add(s->ports, 0x3f7, 0, &s->io_dir);
    return true;
}

static void fdc_unrealize(Device *dev)
{
    Fdc *s = (Fdc *)dev;

    memory_remove(&s->io);
    memory_remove(&s->io_dir);
    memory_destroy(&s->io);
    memory_destroy(&s->io_dir);
}

static void fdc_reset_enter(Device *dev)
{
    Fdc *s = (Fdc *)dev;

    s->dor = DOR_ENABLE | DOR_GATE;
    s->tape = s->rate = 0;
    s->locked = s->interrupt = false;
    s->specify[0] = s->specify[1] = s->perpendicular = 0;
    s->action = s->selected = s->cylinder = s->head = s->sector = s->last_sector = s->fill = 0;
    s->multi_track = s->count_reached = false;
    s->at = s->end = 0;
    memset(s->st, 0, sizeof(s->st));
    memset(s->fifo, 0, sizeof(s->fifo));
    memset(s->buffer, 0, sizeof(s->buffer));
    for (unsigned i = 0; i < FDC_SELECT; i++) {
        s->unit[i].cylinder = 0;
        s->unit[i].changed = true;
    }
    soft_reset(s);
}

static void fdc_reset_hold(Device *dev)
{
    update_irq((Fdc *)dev);
}

/* State may come from a file that somebody has tampered with. */
static void fdc_post_load(Device *dev)
{
    Fdc *s = (Fdc *)dev;

    s->phase %= PHASE_COUNT;
    s->action %= ACTION_COUNT;
    s->selected %= FDC_SELECT;
    s->len = MIN(s->len, FDC_FIFO);
    s->pos = MIN(s->pos, s->len ? s->len - 1 : FDC_FIFO - 1);
    if (s->phase == PHASE_COMMAND && s->pos && s->pos >= fdc_command_length(s->fifo[0]))
        s->pos = 0;
    if (s->phase == PHASE_RESULT && !s->len)
        s->phase = PHASE_COMMAND;
    s->end = MIN(s->end, FDC_SECTOR);
    for (unsigned i = 0; i < FDC_UNITS; i++)
        find_disk(&s->unit[i]);
    if (s->phase == PHASE_DATA && (s->at >= s->end || !s->unit[s->selected].format))
        s->phase = PHASE_COMMAND;
}

static const StateField unit_state[] = {
    STATE_U8(FdcUnit, cylinder),
    STATE_BOOL(FdcUnit, changed),
    STATE_BOOL(FdcUnit, has_news),
    STATE_U8(FdcUnit, news),
    STATE_END,
};

static const StateField fdc_state[] = {
    STATE_STRUCT_ARRAY(Fdc, unit, unit_state),
    STATE_U8(Fdc, dor),
    STATE_U8(Fdc, tape),
    STATE_U8(Fdc, rate),
    STATE_U8(Fdc, phase),
    STATE_BOOL(Fdc, interrupt),
    STATE_BYTES(Fdc, fifo),
    STATE_U8(Fdc, pos),
    STATE_U8(Fdc, len),
    STATE_BYTES(Fdc, specify),
    STATE_U8(Fdc, config),
    STATE_U8(Fdc, precompensation),
    STATE_U8(Fdc, perpendicular),
    STATE_BOOL(Fdc, locked),
    STATE_U8(Fdc, action),
    STATE_U8(Fdc, selected),
    STATE_U8(Fdc, cylinder),
    STATE_U8(Fdc, head),
    STATE_U8(Fdc, sector),
    STATE_U8(Fdc, last_sector),
    STATE_U8(Fdc, fill),
    STATE_BYTES(Fdc, st),
    STATE_BOOL(Fdc, multi_track),
    STATE_BOOL(Fdc, count_reached),
    STATE_U16(Fdc, at),
    STATE_U16(Fdc, end),
    STATE_BYTES(Fdc, buffer),
    STATE_END,
};

const DeviceClass fdc_class = {
    .name = "isa-fdc",
    .desc = "82077AA floppy controller",
    .size = sizeof(Fdc),
    .state = fdc_state,
    .state_version = 1,
    .realize = fdc_realize,
    .unrealize = fdc_unrealize,
    .reset_enter = fdc_reset_enter,
    .reset_hold = fdc_reset_hold,
    .post_load = fdc_post_load,
};

static const DriveDoor fdc_door = { .changed = medium_changed };

Device *fdc_new(Device *parent, MemRegion *ports, const Irq *irq, Device *dma)
{
    Fdc *s = (Fdc *)device_new(&fdc_class, parent, NULL);

    s->ports = ports;
    s->irq = irq;
    s->dma = dma;
    return &s->dev;
}

const Drive *fdc_unit(const Device *fdc, unsigned unit)
{
    return ((const Fdc *)fdc)->unit[unit].drive;
}

void fdc_attach(Device *fdc, unsigned unit, Drive *drive)
{
    Fdc *s = (Fdc *)fdc;
    FdcUnit *u = &s->unit[unit];

    g_assert(unit < FDC_UNITS && !u->drive);
    u->drive = drive;
    u->wide = is_wide(drive_sectors(drive));
    find_disk(u);
    u->fdc = s;
    drive_connect(drive, fdc_drive_done, u);
    drive_set_door(drive, &fdc_door);
}

bool fdc_has_unit(const Device *fdc, unsigned unit)
{
    return ((const Fdc *)fdc)->unit[unit].drive != NULL;
}

uint8_t fdc_drive_type(const Device *fdc, unsigned unit)
{
    const FdcUnit *u = &((const Fdc *)fdc)->unit[unit];

    if (!u->drive)
        return TYPE_NONE;
    return u->wide ? TYPE_1200K : u->format ? u->format->drive_type : TYPE_2880K;
}
