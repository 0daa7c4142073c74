/* SPDX-License-Identifier: MIT */
/* The controller's struct, shared by fdc.c (registers, phases), fdc-commands.c and fdc-transfer.c.
 */
#ifndef HW_FDC_INTERNAL_H
#define HW_FDC_INTERNAL_H

#include "hw/fdc.h"

#define FDC_SECTOR 512
#define FDC_SELECT 4 /* drives that can be named; the board has FDC_UNITS of them */
#define FDC_FIFO   16

enum {
    ST0_ABNORMAL = 0x40,
    ST0_INVALID = 0x80,
    ST0_POLLED = 0xc0,
    ST0_SEEK_END = 0x20,
    ST0_CHECK = 0x10
};
enum {
    ST1_MISSING_MARK = 0x01,
    ST1_PROTECTED = 0x02,
    ST1_NO_DATA = 0x04,
    ST1_OVERRUN = 0x10,
    ST1_DATA_ERROR = 0x20,
    ST1_END = 0x80
};
enum {
    ST2_SCAN_MISSED = 0x04,
    ST2_SCAN_HIT = 0x08,
    ST2_WRONG_CYLINDER = 0x10,
    ST2_CONTROL_MARK = 0x40
};
enum { DOR_ENABLE = 0x04, DOR_GATE = 0x08 };

typedef enum FdcPhase { PHASE_COMMAND, PHASE_WAIT, PHASE_DATA, PHASE_RESULT, PHASE_COUNT } FdcPhase;

/* A disk's format; rate is as in the CCR: 500, 300, 250, 1000 kbit/s. */
typedef struct FdcFormat {
    uint16_t kib;
    uint8_t cylinders, heads, sectors, rate, drive_type;
} FdcFormat;

typedef struct Fdc Fdc;

typedef struct FdcUnit {
    Fdc *fdc;
    Drive *drive;            /* NULL: there is none */
    const FdcFormat *format; /* of the disk in it; NULL: none that fits, or no disk */
    bool wide;               /* a 5.25" drive */
    /* state */
    uint8_t cylinder;
    bool changed;  /* the disk, since the last step */
    bool has_news; /* for SENSE INTERRUPT STATUS */
    uint8_t news;  /* ST0 of it */
} FdcUnit;

struct Fdc {
    Device dev;
    MemRegion *ports, io, io_dir;
    const Irq *irq;
    Device *dma;
    /* state */
    FdcUnit unit[FDC_SELECT];
    uint8_t dor, tape, rate, phase;
    bool interrupt;
    uint8_t fifo[FDC_FIFO], pos, len; /* of a command or of its result */
    uint8_t specify[2], config, precompensation, perpendicular;
    bool locked; /* CONFIGURE's values outlive a software reset */
    /* of the transfer under way */
    uint8_t action, selected, cylinder, head, sector, last_sector, fill;
    uint8_t st[3];
    bool multi_track, count_reached;
    uint16_t at, end; /* in the buffer */
    uint8_t buffer[FDC_SECTOR];
};

/* ---- fdc.c ----------------------------------------------------------------------------------- */

void fdc_interrupt(Fdc *s);
/* The command's result is there for the host, @len bytes in the FIFO; 0: there is none. */
void fdc_result(Fdc *s, unsigned len);

/* ---- fdc-commands.c -------------------------------------------------------------------------- */

/* How many bytes the command that begins with @first has. */
unsigned fdc_command_length(uint8_t first);
void fdc_run_command(Fdc *s);

/* ---- fdc-transfer.c -------------------------------------------------------------------------- */

typedef enum FdcAction {
    ACTION_READ,
    ACTION_READ_DELETED,
    ACTION_WRITE,
    ACTION_VERIFY,
    ACTION_FORMAT,
    ACTION_SCAN_EQUAL,
    ACTION_SCAN_LOW,
    ACTION_SCAN_HIGH,
    ACTION_COUNT,
} FdcAction;

/* The nine bytes of the command are in the FIFO. */
void fdc_start_transfer(Fdc *s, FdcAction action);
void fdc_start_format(Fdc *s);
void fdc_read_id(Fdc *s);
void fdc_drive_done(void *opaque, const DriveRequest *r); /* opaque: the FdcUnit */
void fdc_abort_transfer(Fdc *s);                          /* its disk is gone */
/* The data register without DMA. */
uint8_t fdc_read_data(Fdc *s);
void fdc_write_data(Fdc *s, uint8_t value);
bool fdc_data_to_host(const Fdc *s);

#endif
