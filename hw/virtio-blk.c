/* SPDX-License-Identifier: MIT */
/*
 * One queue of requests, each a chain: header of 16 bytes, data, a byte of status. Requests go to
 * the drive as they come; what is under way is the drive's state, by the heads of the chains.
 */
#include "hw/virtio-blk.h"

#include <string.h>

#include "softmmu/bytes.h"

#define F_SIZE_MAX     (1 << 1)
#define F_SEG_MAX      (1 << 2)
#define F_RO           (1 << 5)
#define F_BLK_SIZE     (1 << 6)
#define F_FLUSH        (1 << 9)
#define F_DISCARD      (1 << 13)
#define F_WRITE_ZEROES (1 << 14)

#define SEGMENTS    15 /* of SEGMENT_MAX: what the drive takes at once, at most */
#define SEGMENT_MAX 65536
#define HEAD        16
#define SERIAL      20

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK, S_IOERR, S_UNSUPP };

typedef struct VirtioBlk {
    VirtioDevice virtio;
    Drive *drive;
    VirtioKind kind;
    char serial[SERIAL];
} VirtioBlk;

/* The status is the last byte that the driver can read. */
static void finish(VirtioBlk *s, const VirtioChain *c, uint8_t status, uint32_t written)
{
    virtio_write(&s->virtio, c, c->in_len - 1, &status, 1);
    virtio_give(&s->virtio, 0, c->head, written + 1);
}

static void submit(VirtioBlk *s, const VirtioChain *c, DriveOp op, uint64_t sector, uint64_t len,
                   uint8_t *data)
{
    DriveRequest r = {
        .op = op, .offset = sector * DRIVE_SECTOR, .len = len, .tag = c->head, .data = data
    };

    drive_submit(s->drive, &r);
}

static void transfer(VirtioBlk *s, const VirtioChain *c, bool in, uint64_t sector)
{
    uint64_t len = in ? c->in_len - 1 : c->out_len - HEAD;
    g_autofree uint8_t *data = NULL;

    if (!len || len % DRIVE_SECTOR || len > DRIVE_MAX_TRANSFER ||
        sector > UINT64_MAX / DRIVE_SECTOR - len) {
        finish(s, c, S_IOERR, 0);
        return;
    }
    if (in) {
        submit(s, c, DRIVE_READ, sector, len, NULL);
        return;
    }
    data = g_malloc(len);
    virtio_read(&s->virtio, c, HEAD, data, len);
    submit(s, c, DRIVE_WRITE, sector, len, data);
}

/* One segment of {u64 sector, u32 sectors, u32 flags} is what is offered. */
static void change_range(VirtioBlk *s, const VirtioChain *c, DriveOp op)
{
    uint8_t raw[16];
    uint64_t sector, sectors;

    if (c->out_len != HEAD + sizeof(raw)) {
        finish(s, c, S_UNSUPP, 0);
        return;
    }
    virtio_read(&s->virtio, c, HEAD, raw, sizeof(raw));
    sector = get_le(raw, 8);
    sectors = get_le(raw + 8, 4);
    if (sector > drive_sectors(s->drive) || sectors > drive_sectors(s->drive) - sector)
        finish(s, c, S_IOERR, 0);
    else
        submit(s, c, op, sector, sectors * DRIVE_SECTOR, NULL);
}

static void run(VirtioBlk *s, const VirtioChain *c)
{
    uint8_t head[HEAD];
    uint64_t sector;

    if (c->out_len < HEAD || !c->in_len) { /* there is no place for a status */
        virtio_give(&s->virtio, 0, c->head, 0);
        return;
    }
    virtio_read(&s->virtio, c, 0, head, HEAD);
    sector = get_le(head + 8, 8);
    switch (get_le(head, 4)) {
    case T_IN: transfer(s, c, true, sector); break;
    case T_OUT: transfer(s, c, false, sector); break;
    case T_FLUSH: submit(s, c, DRIVE_FLUSH, 0, 0, NULL); break;
    case T_GET_ID:
        finish(s, c, S_OK, virtio_write(&s->virtio, c, 0, s->serial, MIN(SERIAL, c->in_len - 1)));
        break;
    case T_DISCARD: change_range(s, c, DRIVE_DISCARD); break;
    case T_WRITE_ZEROES: change_range(s, c, DRIVE_ZERO); break;
    default: finish(s, c, S_UNSUPP, 0);
    }
}

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioBlk *s = (VirtioBlk *)v;
    VirtioChain c;

    while (!drive_is_busy(s->drive) && virtio_take(v, 0, &c))
        run(s, &c);
}

static void drive_done(void *opaque, const DriveRequest *r)
{
    VirtioBlk *s = opaque;
    VirtioChain c;

    if (virtio_find(&s->virtio, 0, r->tag, &c) && c.in_len) {
        bool in = r->op == DRIVE_READ && !r->error;

        if (in)
            virtio_write(&s->virtio, &c, 0, r->data, MIN(r->len, c.in_len - 1));
        finish(s, &c, r->error ? S_IOERR : S_OK, in ? r->len : 0);
    }
    virtio_notify(&s->virtio, 0);
}

static void config(VirtioDevice *v, uint8_t *out)
{
    const VirtioBlk *s = (VirtioBlk *)v;

    put_le(out, 8, drive_sectors(s->drive));
    put_le(out + 8, 4, SEGMENT_MAX);
    put_le(out + 12, 4, SEGMENTS);
    put_le(out + 20, 4, DRIVE_SECTOR);
    put_le(out + 36, 4, UINT32_MAX / DRIVE_SECTOR); /* sectors of a discard */
    put_le(out + 40, 4, 1);
    put_le(out + 44, 4, 1);
    put_le(out + 48, 4, UINT32_MAX / DRIVE_SECTOR); /* … of zeros written */
    put_le(out + 52, 4, 1);
}

static void forget(VirtioDevice *v)
{
    drive_cancel(((VirtioBlk *)v)->drive);
}

static void resized(void *opaque)
{
    virtio_config_changed(opaque);
}

/* Its medium does not come and go. */
static const DriveDoor door = { .resized = resized };

static void take_drive(VirtioBlk *s)
{
    drive_connect(s->drive, drive_done, s);
    drive_set_door(s->drive, &door);
}

static bool blk_realize(Device *dev, GError **error)
{
    VirtioBlk *s = (VirtioBlk *)dev;

    s->kind = (VirtioKind){
        .id = 2,
        .class_code = 0x010000,
        .queues = 1,
        .vectors = 2,
        .features = F_SIZE_MAX | F_SEG_MAX | F_BLK_SIZE | F_FLUSH |
                    (drive_is_read_only(s->drive) ? F_RO : F_DISCARD | F_WRITE_ZEROES),
        .config_size = 60,
        .config = config,
        .notified = notified,
        .reset = forget,
    };
    s->virtio.kind = &s->kind;
    take_drive(s);
    return virtio_realize(&s->virtio, error);
}

static void blk_plug(Device *dev, bool in)
{
    VirtioBlk *s = (VirtioBlk *)dev;

    if (in)
        take_drive(s);
    else
        drive_disconnect(s->drive);
    pci_device_plug(dev, in);
}

static const StateField blk_state[] = {
    STATE_STRUCT(VirtioBlk, virtio, virtio_state),
    STATE_END,
};

const DeviceClass virtio_blk_class = {
    .name = "virtio-blk-pci",
    .desc = "disk behind virtio",
    .size = sizeof(VirtioBlk),
    .state = blk_state,
    .state_version = 3,
    .state_oldest = 3, /* its registers were elsewhere */
    .realize = blk_realize,
    .unrealize = virtio_unrealize,
    .plug = blk_plug,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = virtio_post_load,
};

Drive *virtio_blk_drive(Device *dev)
{
    return ((VirtioBlk *)dev)->drive;
}

Device *virtio_blk_new(PciBus *bus, int devfn, AddressSpace *memory, Drive *drive,
                       const char *serial)
{
    VirtioBlk *s = (VirtioBlk *)pci_device_new(&virtio_blk_class, bus, devfn, NULL);

    s->virtio.memory = memory;
    s->drive = drive;
    memcpy(s->serial, serial, MIN(strlen(serial), SERIAL));
    return &s->virtio.pci.dev;
}
