/* SPDX-License-Identifier: MIT */
/*
 * The channel: registers, selection, reset, interrupt, and the data port. Both devices hear every
 * write to the task file; a device that is not there is answered for by the other as ATA-6 9.16.1
 * says. Missing: queued commands, CFA, power management beyond accepting the commands.
 */
#include "hw/ide.h"

#include <string.h>

#include "hw/ide-internal.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

static IdeUnit *selected(IdeChannel *c)
{
    return &c->unit[c->selected];
}

/* ---- Interrupt ------------------------------------------------------------------------------- */

static void update_irq(IdeChannel *c)
{
    irq_set(c->irq, c->irq_pending && !(c->ctl & CTL_NIEN));
}

void ide_interrupt(IdeUnit *u)
{
    IdeChannel *c = u->channel;

    c->irq_pending = true;
    if (c->has_dma)
        c->dma.interrupt(c->dma.opaque);
    update_irq(c);
}

static void clear_irq(IdeChannel *c)
{
    c->irq_pending = false;
    update_irq(c);
}

/* ---- Commands' ways -------------------------------------------------------------------------- */

void ide_finish(IdeUnit *u)
{
    u->job = JOB_NONE;
    u->waits_for_dma = false;
    u->status = ST_DRDY | ST_DSC;
    u->error = 0;
    if (u->cdrom)
        u->tf.count[0] = REASON_COMMAND | REASON_TO_HOST;
    ide_interrupt(u);
}

void ide_abort(IdeUnit *u, uint8_t error)
{
    ide_finish(u);
    u->status |= ST_ERR;
    u->error = error;
}

void ide_data_block(IdeUnit *u, uint32_t block)
{
    u->block_end = MIN(u->end, u->pos + block);
    u->status = ST_DRDY | ST_DSC | ST_DRQ;
}

void ide_wait(IdeUnit *u)
{
    u->status = ST_BSY | ST_DRDY | ST_DSC;
}

bool ide_dma_ready(IdeUnit *u)
{
    IdeDma *dma = &u->channel->dma;

    u->waits_for_dma = !dma->armed(dma->opaque);
    ide_wait(u);
    return !u->waits_for_dma;
}

void ide_dma_armed(IdeChannel *c)
{
    IdeUnit *u = selected(c);

    if (!u->waits_for_dma)
        return;
    u->waits_for_dma = false;
    if (u->cdrom)
        ide_atapi_dma(u);
    else
        ide_ata_dma(u);
}

static void drive_done(void *opaque, const DriveRequest *r)
{
    IdeUnit *u = opaque;

    if (u->cdrom)
        ide_atapi_drive_done(u, r);
    else
        ide_ata_drive_done(u, r);
}

static void block_done(IdeUnit *u)
{
    if (u->cdrom)
        ide_atapi_block_done(u);
    else
        ide_ata_block_done(u);
}

/* ---- Reset ----------------------------------------------------------------------------------- */

void ide_set_signature(IdeUnit *u)
{
    u->tf.count[0] = u->tf.low[0] = 1;
    u->tf.mid[0] = u->cdrom ? 0x14 : 0;
    u->tf.high[0] = u->cdrom ? 0xeb : 0;
    u->tf.select &= SEL_DEV;
}

static void reset_unit(IdeUnit *u, bool power_on)
{
    if (u->drive)
        drive_cancel(u->drive);
    u->job = JOB_NONE;
    u->waits_for_dma = u->dma = u->extended = false;
    u->pos = u->block_end = u->end = 0;
    u->left = 0;
    u->lba = 0;
    u->error = 1; /* the diagnostics found nothing */
    u->status = !u->drive ? 0 : u->cdrom ? 0 : ST_DRDY | ST_DSC;
    memset(&u->tf, 0, sizeof(u->tf));
    if (power_on) {
        memset(u->buffer, 0, sizeof(u->buffer));
        memset(u->packet, 0, sizeof(u->packet));
    }
    ide_set_signature(u);
    ide_ata_reset(u, power_on);
    ide_atapi_reset(u, power_on);
}

static void reset_units(IdeChannel *c, bool power_on)
{
    reset_unit(&c->unit[0], power_on);
    reset_unit(&c->unit[1], power_on);
    c->selected = 0;
    c->irq_pending = false;
}

/* ---- Data port ------------------------------------------------------------------------------- */

static bool flows_in(const IdeUnit *u)
{
    return u->job == JOB_REPLY || u->job == JOB_READ || u->job == JOB_PACKET_REPLY ||
           u->job == JOB_PACKET_READ;
}

static bool has_data(const IdeUnit *u, bool in)
{
    return (u->status & (ST_BSY | ST_DRQ)) == ST_DRQ && !u->dma && flows_in(u) == in;
}

static uint64_t data_read(IdeUnit *u, unsigned size)
{
    uint64_t value = 0;

    if (!has_data(u, true))
        return 0;
    for (unsigned i = 0; i < size && u->pos < u->block_end; i++)
        value |= (uint64_t)u->buffer[u->pos++] << 8 * i;
    if (u->pos == u->block_end)
        block_done(u);
    return value;
}

static void data_write(IdeUnit *u, uint64_t value, unsigned size)
{
    if (!has_data(u, false) && u->job != JOB_PACKET)
        return;
    for (unsigned i = 0; i < size && u->pos < u->block_end; i++)
        u->buffer[u->pos++] = value >> 8 * i;
    if (u->pos == u->block_end)
        block_done(u);
}

/* ---- Registers ------------------------------------------------------------------------------- */

enum { R_DATA, R_ERROR, R_COUNT, R_LOW, R_MID, R_HIGH, R_SELECT, R_STATUS };

static uint8_t *field_of(IdeTaskFile *tf, unsigned reg)
{
    switch (reg) {
    case R_ERROR: return tf->feature;
    case R_COUNT: return tf->count;
    case R_LOW: return tf->low;
    case R_MID: return tf->mid;
    case R_HIGH: return tf->high;
    }
    g_assert_not_reached();
}

static bool is_absent(const IdeChannel *c)
{
    return !c->unit[0].drive && !c->unit[1].drive;
}

/* Device 0 answers for a device 1 that is not there, with status 0. */
static uint8_t read_status(IdeChannel *c)
{
    const IdeUnit *u = selected(c);

    if (is_absent(c))
        return 0x7f; /* nobody drives the bus but for the pull-down of bit 7 */
    return u->drive ? u->status : 0;
}

static uint8_t read_register(IdeChannel *c, unsigned reg)
{
    IdeUnit *u = selected(c);

    if (reg == R_STATUS) {
        clear_irq(c);
        return read_status(c);
    }
    if (is_absent(c))
        return 0xff;
    if (reg == R_SELECT)
        return u->tf.select | 0xa0;
    if (!u->drive)
        return 0;
    if (reg == R_ERROR)
        return u->error;
    return field_of(&u->tf, reg)[c->ctl & CTL_HOB ? 1 : 0];
}

static void start_command(IdeUnit *u, uint8_t command)
{
    bool reset = command == 0x08 && u->cdrom; /* DEVICE RESET breaks into any other */

    trace(ide_exec_cmd, "IDE exec cmd: bus %s; unit %d; cmd 0x%02x", u->channel->dev.id,
          (int)(u - u->channel->unit), command);
    if (!u->drive || ((u->status & (ST_BSY | ST_DRQ)) && !reset))
        return;
    clear_irq(u->channel);
    u->error = 0;
    u->dma = u->extended = false;
    if (reset)
        reset_unit(u, false);
    else if (!u->cdrom || !ide_atapi_command(u, command))
        ide_ata_command(u, command);
}

/* EXECUTE DEVICE DIAGNOSTIC is for both, whichever is selected. */
static void diagnose(IdeChannel *c)
{
    if ((c->unit[0].status | c->unit[1].status) & ST_BSY)
        return;
    reset_units(c, false);
    ide_interrupt(&c->unit[0]);
}

static void write_register(IdeChannel *c, unsigned reg, uint8_t value)
{
    c->ctl &= ~CTL_HOB;
    if (reg == R_STATUS) {
        if (value == 0x90)
            diagnose(c);
        else
            start_command(selected(c), value);
        return;
    }
    if (selected(c)->status & (ST_BSY | ST_DRQ))
        return;
    for (unsigned i = 0; i < 2; i++) {
        IdeTaskFile *tf = &c->unit[i].tf;

        if (reg == R_SELECT) {
            tf->select = value;
        } else {
            field_of(tf, reg)[1] = field_of(tf, reg)[0];
            field_of(tf, reg)[0] = value;
        }
    }
    if (reg == R_SELECT)
        c->selected = (value & SEL_DEV) != 0;
}

static uint64_t command_read(void *opaque, uint64_t addr, unsigned size)
{
    IdeChannel *c = opaque;

    if (addr == R_DATA && size > 1)
        return data_read(selected(c), size);
    return addr == R_DATA ? 0xff : read_register(c, addr);
}

static void command_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    IdeChannel *c = opaque;

    if (c->ctl & CTL_SRST)
        return;
    if (addr == R_DATA)
        data_write(selected(c), value, size);
    else
        write_register(c, addr, value);
}

static uint64_t control_read(void *opaque, uint64_t addr, unsigned size)
{
    return read_status(opaque);
}

static void control_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    IdeChannel *c = opaque;
    bool was = c->ctl & CTL_SRST;

    c->ctl = value & (CTL_NIEN | CTL_SRST | CTL_HOB);
    if (!was && (value & CTL_SRST)) {
        reset_units(c, false);
        c->unit[0].status |= ST_BSY;
        c->unit[1].status |= ST_BSY;
    } else if (was && !(value & CTL_SRST)) {
        c->unit[0].status &= ~ST_BSY;
        c->unit[1].status &= ~ST_BSY;
    }
    update_irq(c);
}

/* Registers are bytes; the data port takes words and, as on PCI, double words. */
static uint64_t split_read(void *opaque, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    if (addr == R_DATA)
        return command_read(opaque, addr, size);
    for (unsigned i = 0; i < size; i++)
        value |= (command_read(opaque, (addr + i) & 7, 1) & 0xff) << 8 * i;
    return value;
}

static void split_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    if (addr == R_DATA) {
        command_write(opaque, addr, value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        command_write(opaque, (addr + i) & 7, value >> 8 * i & 0xff, 1);
}

static const MemOps command_ops = { split_read, split_write, 1, 4 };
static const MemOps control_ops = { control_read, control_write, 1, 1 };

/* ---- Life ------------------------------------------------------------------------------------ */

static void channel_reset_enter(Device *dev)
{
    IdeChannel *c = (IdeChannel *)dev;

    c->ctl = 0;
    reset_units(c, true);
}

static void channel_reset_hold(Device *dev)
{
    update_irq((IdeChannel *)dev);
}

static void channel_unrealize(Device *dev)
{
    IdeChannel *c = (IdeChannel *)dev;

    memory_destroy(&c->command);
    memory_destroy(&c->control);
}

static void channel_finalize(Device *dev)
{
    IdeChannel *c = (IdeChannel *)dev;

    for (unsigned i = 0; i < 2; i++) {
        g_free(c->unit[i].serial);
        g_free(c->unit[i].model);
        g_free(c->unit[i].version);
    }
}

/* State may come from a file that somebody has tampered with. */
static void check_unit(IdeUnit *u)
{
    if (u->job >= JOB_COUNT || !u->drive)
        u->job = JOB_NONE;
    u->waits_for_dma &= u->job == JOB_PACKET_REPLY || (u->left && u->job);
    u->end = MIN(u->end, IDE_BUFFER);
    u->block_end = MIN(u->block_end, u->end);
    u->pos = MIN(u->pos, u->block_end);
    u->heads = CLAMP(u->heads, 1, 16);
    u->sectors = MAX(u->sectors, 1);
    u->multiple = MIN(u->multiple, 16);
    u->block_sectors = CLAMP(u->block_sectors, 1, 16);
}

static void channel_post_load(Device *dev)
{
    IdeChannel *c = (IdeChannel *)dev;

    c->selected &= 1;
    check_unit(&c->unit[0]);
    check_unit(&c->unit[1]);
}

static const StateField task_file_state[] = {
    STATE_ARRAY(IdeTaskFile, feature, STATE_T_U8),
    STATE_ARRAY(IdeTaskFile, count, STATE_T_U8),
    STATE_ARRAY(IdeTaskFile, low, STATE_T_U8),
    STATE_ARRAY(IdeTaskFile, mid, STATE_T_U8),
    STATE_ARRAY(IdeTaskFile, high, STATE_T_U8),
    STATE_U8(IdeTaskFile, select),
    STATE_END,
};

static const StateField unit_state[] = {
    STATE_STRUCT(IdeUnit, tf, task_file_state),
    STATE_U8(IdeUnit, status),
    STATE_U8(IdeUnit, error),
    STATE_U8(IdeUnit, job),
    STATE_BOOL(IdeUnit, dma),
    STATE_BOOL(IdeUnit, extended),
    STATE_BOOL(IdeUnit, waits_for_dma),
    STATE_U64(IdeUnit, lba),
    STATE_U32(IdeUnit, left),
    STATE_U32(IdeUnit, pos),
    STATE_U32(IdeUnit, block_end),
    STATE_U32(IdeUnit, end),
    STATE_U8(IdeUnit, multiple),
    STATE_U8(IdeUnit, mode),
    STATE_U8(IdeUnit, block_sectors),
    STATE_BOOL(IdeUnit, write_cache),
    STATE_U16(IdeUnit, cylinders),
    STATE_U8(IdeUnit, heads),
    STATE_U8(IdeUnit, sectors),
    STATE_U8(IdeUnit, sense_key),
    STATE_U8(IdeUnit, asc),
    STATE_U8(IdeUnit, ascq),
    STATE_BOOL(IdeUnit, attention),
    STATE_BOOL(IdeUnit, locked),
    STATE_BOOL(IdeUnit, tray_open),
    STATE_U8(IdeUnit, media_event),
    STATE_BYTES(IdeUnit, packet),
    STATE_BYTES(IdeUnit, buffer),
    STATE_END,
};

static const StateField channel_state[] = {
    STATE_STRUCT_ARRAY(IdeChannel, unit, unit_state),
    STATE_U8(IdeChannel, selected),
    STATE_U8(IdeChannel, ctl),
    STATE_BOOL(IdeChannel, irq_pending),
    STATE_END,
};

const DeviceClass ide_channel_class = {
    .name = "ide",
    .desc = "IDE channel",
    .size = sizeof(IdeChannel),
    .state = channel_state,
    .state_version = 2,
    .unrealize = channel_unrealize,
    .finalize = channel_finalize,
    .reset_enter = channel_reset_enter,
    .reset_hold = channel_reset_hold,
    .post_load = channel_post_load,
};

IdeChannel *ide_channel_new(Device *parent, const Irq *irq, const IdeDma *dma)
{
    IdeChannel *c = (IdeChannel *)device_new(&ide_channel_class, parent, NULL);

    c->irq = irq;
    c->has_dma = dma != NULL;
    if (dma)
        c->dma = *dma;
    memory_init_io(&c->command, "ide", &command_ops, c, 8);
    memory_init_io(&c->control, "ide", &control_ops, c, 1);
    for (unsigned i = 0; i < 2; i++)
        c->unit[i].channel = c;
    return c;
}

MemRegion *ide_command_block(IdeChannel *c)
{
    return &c->command;
}

MemRegion *ide_control_port(IdeChannel *c)
{
    return &c->control;
}

/* The usual models are those that links in /dev/disk/by-id go by. */
void ide_label(IdeChannel *c, unsigned unit, const IdeLabel *l)
{
    IdeUnit *u = &c->unit[unit];

    g_free(u->model);
    g_free(u->version);
    u->model = g_strdup(l->model ? l->model : u->cdrom ? "QEMU DVD-ROM" : "QEMU HARDDISK");
    u->version = g_strdup(l->version ? l->version : "2.5+");
    u->wwn = l->wwn;
    u->rotation = l->rotation;
}

void ide_attach(IdeChannel *c, unsigned unit, Drive *drive, bool cdrom, const char *serial)
{
    IdeUnit *u = &c->unit[unit];

    g_assert(unit < 2 && !u->drive);
    u->drive = drive;
    u->cdrom = cdrom;
    u->serial = g_strdup(serial);
    ide_label(c, unit, &(IdeLabel){ 0 });
    drive_connect(drive, drive_done, u);
    if (cdrom)
        drive_set_door(drive, &ide_atapi_door);
}

const Drive *ide_unit(const IdeChannel *c, unsigned unit, bool *cdrom, const char **serial)
{
    const IdeUnit *u = &c->unit[unit];

    *cdrom = u->cdrom;
    *serial = u->serial;
    return u->drive;
}

bool ide_has_unit(const IdeChannel *c, unsigned unit)
{
    return c->unit[unit].drive != NULL;
}
