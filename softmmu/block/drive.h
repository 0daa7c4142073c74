/* SPDX-License-Identifier: MIT */
/*
 * A drive as a disk controller sees it: requests that complete some time later. The host's file is
 * read and written by a thread of the drive's own; what it has to say reaches the machine through
 * the input queue (design D7).
 *
 * Free-running time: a request completes when the host has finished it. Counted time: it completes
 * at a moment of virtual time that follows from the request alone, and the machine waits for the
 * host if it must; what was read is recorded with it, so that a replay needs no image.
 *
 * A request that waits for room on the host's disk (DRIVE_STOP) stays where it is, and its bytes
 * with it; nothing of that is seen by the guest or a recording.
 *
 * Everything but the drive's thread is the machine thread's.
 */
#ifndef SOFTMMU_BLOCK_DRIVE_H
#define SOFTMMU_BLOCK_DRIVE_H

#include "softmmu/block/image.h"
#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/input.h"

#define DRIVE_SECTOR       512
#define DRIVE_REQUESTS     64            /* at a time */
#define DRIVE_MAX_TRANSFER (1024 * 1024) /* bytes of a read or write */

typedef struct Drive Drive;

typedef enum DriveOp { DRIVE_READ, DRIVE_WRITE, DRIVE_FLUSH, DRIVE_DISCARD, DRIVE_ZERO } DriveOp;

typedef struct DriveRequest {
    DriveOp op;
    uint64_t offset; /* bytes */
    uint64_t len;    /* bytes; 0 for a flush */
    uint64_t tag;    /* the controller's own, kept in saved state */
    uint8_t *data;   /* of reads (once they are done) and writes, the drive's */
    int error;       /* errno value when it is done */
} DriveRequest;

/* @r is gone when it returns. */
typedef void DriveDone(void *opaque, const DriveRequest *r);

/* What a controller hears of a medium that comes and goes, with the opaque of drive_connect(). */
typedef struct DriveDoor {
    void (*changed)(void *opaque); /* requests are forgotten; there is another medium, or none */
    bool (*locked)(void *opaque);  /* by the guest; NULL: there is no lock */
    void (*asked)(void *opaque);   /* the user wants the medium out of a locked door */
    void (*resized)(void *opaque); /* it has another size; NULL: the guest will see */
} DriveDoor;

/* What becomes of a request that the host cannot do, by no fault of the guest's. */
typedef enum DriveOnError {
    DRIVE_REPORT, /* the guest is told */
    DRIVE_IGNORE, /* the guest is told that it is done */
    DRIVE_STOP,   /* the machine stops; the request is done again when it goes on */
    DRIVE_ENOSPC, /* the last of these if the host has no room, else the first */
} DriveOnError;

typedef struct DriveTrouble {
    const Drive *drive;
    DriveOp op;
    int error;           /* errno value */
    bool no_room;        /* it means that */
    DriveOnError action; /* not DRIVE_ENOSPC */
} DriveTrouble;

typedef struct DriveWiring {
    Image *image;  /* taken over; NULL: there is no medium, or in a replay contents are recorded */
    uint64_t size; /* bytes, of the image; 0: there is no medium */
    const char *path; /* of the medium, for the user; NULL: there is none */
    bool read_only;
    bool removable, for_reading; /* media come and go; none is ever written to */
    bool replaying;
    Clock *clock;
    InputQueue *input;
    bool counted;       /* time is: see above */
    bool no_flush;      /* the host's disk gets what is written when the host likes */
    bool write_through; /* … before each write is done */
    bool detect_zeroes; /* a write of nothing but zeros takes no room, if the format can */
    DriveOnError on_read_error, on_write_error;
    /* Told of each; for DRIVE_STOP: true if the machine will stop before anything else happens to
     * it, else the guest is told. NULL: nobody listens, and the guest is. */
    bool (*trouble)(void *opaque, const DriveTrouble *t);
    void *trouble_opaque;
} DriveWiring;

extern const DeviceClass drive_class;

/* @id names it for the user and in recordings; there is no other of it. Not yet realized. */
Drive *drive_new(Device *parent, const char *id, const DriveWiring *w);
void drive_connect(Drive *d, DriveDone *done, void *opaque); /* the one controller it has */
/* That is gone; what it had asked for is forgotten. Another may come. */
void drive_disconnect(Drive *d);
/* One that has no controller loses its image for good, and has no medium; but it stays, as devices
 * of the host's side do, until another image comes by its name. */
void drive_empty(Drive *d);
void drive_refill(Drive *d, const DriveWiring *w); /* as drive_new() */
bool drive_is_vacant(const Drive *d);              /* what is left of such a one */
bool drive_is_connected(const Drive *d);
/* What QMP calls the device that the user gave it to ("qdev"); copied. NULL: the board has it. */
void drive_set_owner(Drive *d, const char *qdev);
const char *drive_owner(const Drive *d);

/* What this process has done for it so far, by kind of request; a write of zeros is a write. */
typedef enum DriveKind {
    DRIVE_READS,
    DRIVE_WRITES,
    DRIVE_FLUSHES,
    DRIVE_DISCARDS,
    DRIVE_KINDS
} DriveKind;
typedef struct DriveStats {
    struct {
        uint64_t count, bytes, failed, invalid; /* invalid: beyond the end */
        uint64_t time_ns;                       /* of the machine's */
    } of[DRIVE_KINDS];
    uint64_t highest; /* end of what was written farthest out */
} DriveStats;
const DriveStats *drive_stats(const Drive *d);
const DriveWiring *
drive_wiring(const Drive *d); /* .image, .size, .path and .read_only as at first */

const char *drive_id(const Drive *d);
uint64_t drive_sectors(const Drive *d); /* 0: there is no medium */
bool drive_is_read_only(const Drive *d);

bool drive_is_busy(const Drive *d); /* DRIVE_REQUESTS are under way: submit none */
/* A copy of @data is taken for a write. Offset and length are multiples of DRIVE_SECTOR; a range
 * beyond the end completes with EINVAL, a change of a read-only drive with EROFS. */
void drive_submit(Drive *d, const DriveRequest *r);
/* Its image once the host has done all that it was asked for, to be used until the next request or
 * the next look into the input queue; NULL: there is none. */
Image *drive_settled_image(Drive *d);
/* All drives of a machine, Drive *. */
GPtrArray *drive_list(Device *root);
/* In a replay: does to @image what the guest does to the drive, and reads along; until
 * drive_end_shadow(), which gives it back, or NULL if the medium was changed. *@differs: something
 * else was read from it than the recording has. */
void drive_begin_shadow(Drive *d, Image *image);
Image *drive_end_shadow(Drive *d, bool *differs);
/* The replay is left. @image, which may be NULL, is the medium's as it is now. */
void drive_go_live(Drive *d, Image *image);
/* Forget all requests (the controller is reset). What is written stays written. */
void drive_cancel(Drive *d);

/* What drives below @root could not write yet, beside their state: for a MachineKeeper. */
GBytes *drive_save_unwritten(Device *root);
void drive_load_unwritten(Device *root, GBytes *saved); /* before the state */

/* ---- Media that come and go ------------------------------------------------------------------ */

void drive_set_door(Drive *d, const DriveDoor *door); /* which is kept */
bool drive_is_removable(const Drive *d);
bool drive_is_for_reading(const Drive *d);
bool drive_has_medium(const Drive *d);
bool drive_is_locked(const Drive *d);
const char *drive_path(const Drive *d); /* of the medium's file; NULL: there is none */

/* The user changes the medium. Both go through the input queue themselves (a monitor command that
 * calls them is not to be recorded as well) and are refused while a recording is replayed. A door
 * that the guest has locked is only opened with @force; the guest hears of the wish. */
bool drive_insert(Drive *d, const ImageOpen *how, bool force, GError **error);
bool drive_eject(Drive *d, bool force, GError **error);

/* ---- Images that change (block-job.h has what takes its time) ----------------------------------
 */

/* The guest is told. Not while it is recorded: a replay would not know. False with @error. */
bool drive_resize(Drive *d, uint64_t size, GError **error);
int drive_commit(Drive *d); /* of image_commit(), while the machine waits */
/* Its image is the backing file of a new one, @path, from now on; @exists: that is there already.
 * @node: what it is called, or NULL. False with @error. */
bool drive_put_above(Drive *d, const char *path, const char *format, bool exists, const char *node,
                     GError **error);
/* That is undone: nothing was written to it. */
void drive_take_off(Drive *d);
const char *drive_node(const Drive *d); /* what its image is called; drive_id() at first */
/* No job has its image; false with @error. */
bool drive_is_free(const Drive *d, GError **error);

/* Calls @func for each drive below @root, in order of creation. */
void drive_foreach(Device *root, void (*func)(Drive *d, void *opaque), void *opaque);
Drive *drive_find(Device *root, const char *id); /* NULL: there is none */

#endif
