/* SPDX-License-Identifier: MIT */
/*
 * An IDE channel: command block, control port, and up to two devices, ATA disks or ATAPI CD-ROMs.
 * Spec: ATA/ATAPI-6 (T13/1410D), MMC-3 and SFF-8020i for CD-ROMs.
 */
#ifndef HW_IDE_H
#define HW_IDE_H

#include "softmmu/block/drive.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"
#include "softmmu/memory.h"

typedef struct IdeChannel IdeChannel;

/* What moves the data of DMA commands. All calls on the machine thread. */
typedef struct IdeDma {
    bool (*armed)(void *opaque); /* may move() be called? If not, ide_dma_armed() will follow */
    /* Between @data and the guest's memory; how many bytes: fewer than @len at the end of what
     * the guest described. */
    uint32_t (*move)(void *opaque, uint8_t *data, uint32_t len, bool to_memory);
    void (*interrupt)(void *opaque); /* the device asks for one, masked or not */
    void *opaque;
} IdeDma;

extern const DeviceClass ide_channel_class;

/* @dma may be NULL: DMA commands are aborted. The regions are for the caller to place: 8 bytes of
 * command block, and the control port. Not yet realized. */
IdeChannel *ide_channel_new(Device *parent, const Irq *irq, const IdeDma *dma);
MemRegion *ide_command_block(IdeChannel *c);
MemRegion *ide_control_port(IdeChannel *c);
/* @unit 0 is the master, 1 the slave. @serial is copied. */
void ide_attach(IdeChannel *c, unsigned unit, Drive *drive, bool cdrom, const char *serial);
/* NULL: there is none. */
/* What a unit says of itself in IDENTIFY, beside its serial number. */
typedef struct IdeLabel {
    const char *model, *version; /* up to 40 and 8 characters; NULL: the usual ones */
    uint64_t wwn;                /* 0: none */
    uint16_t rotation;           /* per minute; 1: it is no disk that turns; 0: not told */
} IdeLabel;
enum { IDE_MODEL = 40, IDE_VERSION = 8 };
void ide_label(IdeChannel *c, unsigned unit, const IdeLabel *label);
const Drive *ide_unit(const IdeChannel *c, unsigned unit, bool *cdrom, const char **serial);
bool ide_has_unit(const IdeChannel *c, unsigned unit);
void ide_dma_armed(IdeChannel *c);

#endif
