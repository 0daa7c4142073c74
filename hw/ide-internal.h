/* SPDX-License-Identifier: MIT */
/* A channel's structs, shared by ide.c (registers and transfers), ide-ata.c and ide-atapi.c. */
#ifndef HW_IDE_INTERNAL_H
#define HW_IDE_INTERNAL_H

#include "hw/ide.h"

#define IDE_BUFFER 32768

enum {
    ST_ERR = 0x01,
    ST_DRQ = 0x08,
    ST_DSC = 0x10, /* seek complete; SERV on ATAPI */
    ST_DF = 0x20,
    ST_DRDY = 0x40,
    ST_BSY = 0x80,
};
enum { ER_ABRT = 0x04, ER_IDNF = 0x10, ER_UNC = 0x40, ER_WP = 0x40 };
enum { SEL_DEV = 0x10, SEL_LBA = 0x40 };
enum { CTL_NIEN = 0x02, CTL_SRST = 0x04, CTL_HOB = 0x80 };
/* ATAPI: the count register is the interrupt reason. */
enum { REASON_COMMAND = 0x01, REASON_TO_HOST = 0x02 };

/* What a unit does between its command and its end. */
typedef enum IdeJob {
    JOB_NONE,
    JOB_REPLY,  /* the buffer to the host */
    JOB_READ,   /* sectors to the host */
    JOB_WRITE,  /* … from the host */
    JOB_FLUSH,  /* waits for the drive; also the end of a write without write cache */
    JOB_TRIM,   /* ranges from the host, then waits for the drive */
    JOB_PACKET, /* twelve bytes from the host */
    JOB_PACKET_REPLY,
    JOB_PACKET_READ,
    JOB_COUNT,
} IdeJob;

/* Registers of which ATA-6 keeps the value before the last one: [1]. */
typedef struct IdeTaskFile {
    uint8_t feature[2], count[2], low[2], mid[2], high[2];
    uint8_t select; /* the device register */
} IdeTaskFile;

typedef struct IdeUnit {
    IdeChannel *channel;
    Drive *drive; /* NULL: there is no device */
    bool cdrom;
    char *serial, *model, *version;
    uint64_t wwn;
    uint16_t rotation;
    /* state */
    IdeTaskFile tf;
    uint8_t status, error;
    uint8_t job;
    bool dma, extended; /* the command's kind */
    bool waits_for_dma;
    uint64_t lba;
    uint32_t left;                /* sectors, from lba on, or bytes of a packet's reply */
    uint32_t pos, block_end, end; /* in the buffer: next byte, end of DRQ block, end of data */
    uint8_t multiple, mode;       /* as set */
    uint8_t block_sectors;        /* of a DRQ block of the command */
    bool write_cache;
    uint16_t cylinders;
    uint8_t heads, sectors; /* current translation */
    uint8_t sense_key, asc, ascq;
    bool attention, locked, tray_open;
    uint8_t media_event; /* of GET EVENT STATUS NOTIFICATION, not yet told */
    uint8_t packet[12];
    uint8_t buffer[IDE_BUFFER];
} IdeUnit;

struct IdeChannel {
    Device dev;
    const Irq *irq;
    IdeDma dma;
    bool has_dma;
    MemRegion command, control;
    /* state */
    IdeUnit unit[2];
    uint8_t selected, ctl;
    bool irq_pending;
};

/* ---- ide.c ----------------------------------------------------------------------------------- */

void ide_interrupt(IdeUnit *u);
/* The command is over. */
void ide_finish(IdeUnit *u);
void ide_abort(IdeUnit *u, uint8_t error); /* … with an error, ER_* */
/* buffer[pos, end) is wanted by the host, or from it, in blocks of @block bytes, the first now. */
void ide_data_block(IdeUnit *u, uint32_t block);
void ide_wait(IdeUnit *u); /* busy until the drive has finished */
/* For DMA commands: true, or it will be tried again when DMA is armed. */
bool ide_dma_ready(IdeUnit *u);
void ide_set_signature(IdeUnit *u);

/* ---- ide-ata.c ------------------------------------------------------------------------------- */

void ide_ata_reset(IdeUnit *u, bool power_on);
void ide_ata_command(IdeUnit *u, uint8_t command);
/* The host has taken or filled a DRQ block; DMA is armed; the drive has finished. */
void ide_ata_block_done(IdeUnit *u);
void ide_ata_dma(IdeUnit *u);
void ide_ata_drive_done(IdeUnit *u, const DriveRequest *r);

/* ---- ide-atapi.c ----------------------------------------------------------------------------- */

bool ide_atapi_command(IdeUnit *u, uint8_t command); /* false: not one of a CD-ROM's */
void ide_atapi_reset(IdeUnit *u, bool power_on);
void ide_atapi_block_done(IdeUnit *u);
void ide_atapi_dma(IdeUnit *u);
void ide_atapi_drive_done(IdeUnit *u, const DriveRequest *r);
extern const DriveDoor ide_atapi_door;

/* Identification data: words and byte-swapped, space-padded text. */
void ide_put_word(uint8_t *data, unsigned word, uint16_t value);
void ide_put_text(uint8_t *data, unsigned word, unsigned words, const char *text);

#endif
