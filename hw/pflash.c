/* SPDX-License-Identifier: MIT */
/*
 * Spec: Intel StrataFlash (28F320J5) data sheet for the commands, JESD68 for the CFI table; eight
 * bits wide. Programming and erasing take no time. A cleared status register is 0, also in its
 * ready bit, as firmware for virtual machines expects it (OVMF tells flash from RAM by that).
 * Missing: block locking, suspension, protection registers.
 */
#include "hw/pflash.h"

#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/log.h"

#define BUFFER_SIZE 256

enum {
    CMD_PROGRAM = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM_ALTERNATE = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_CONFIRM = 0xd0,
    CMD_WRITE_BUFFER = 0xe8,
    CMD_READ_ARRAY = 0xff,
};
enum { ST_PROTECTED = 0x02, ST_PROGRAM_ERROR = 0x10, ST_ERASE_ERROR = 0x20, ST_READY = 0x80 };
enum { MANUFACTURER = 0x89, DEVICE_ID = 0x18, CFI_TABLE = 0x10 };

/* What reads give, and what the next write is. */
typedef enum Mode {
    MODE_ARRAY,
    MODE_STATUS,
    MODE_ID,
    MODE_QUERY,
    MODE_PROGRAM, /* from here on the next write is part of a command */
    MODE_ERASE,
    MODE_LOCK,
    MODE_COUNT,
    MODE_FILL,
    MODE_CONFIRM,
    MODES,
} Mode;

typedef struct Pflash {
    Device dev;
    RamBlock *ram;
    Image *image;
    bool read_only;
    bool image_stale; /* all of it: the contents came from saved state */
    MemRegion region;
    uint8_t query[0x40]; /* from CFI_TABLE on */
    /* state */
    uint8_t mode, status;
    uint16_t count, filled; /* bytes of a buffer that is written */
    uint64_t start;         /* where the buffer goes */
    uint8_t buffer[BUFFER_SIZE];
} Pflash;

static void set_mode(Pflash *s, Mode mode)
{
    s->mode = mode;
    memory_set_romd(&s->region, mode == MODE_ARRAY);
}

/* ---- Contents -------------------------------------------------------------------------------- */

static void keep(Pflash *s, uint64_t at, uint64_t len)
{
    int error;

    if (!s->image)
        return;
    if (s->image_stale) {
        at = 0;
        len = s->ram->size;
        s->image_stale = false;
    }
    error = image_write(s->image, at, s->ram->host + at, len);
    if (error)
        log_printf("flash '%s': %s\n", image_path(s->image), g_strerror(error));
}

static void change(Pflash *s, uint64_t at, uint64_t len)
{
    ram_block_changed(s->ram, at, len);
    keep(s, at, len);
}

static bool refuse(Pflash *s, uint8_t error)
{
    if (s->read_only)
        s->status |= ST_PROTECTED | error;
    return s->read_only;
}

/* Programming only makes zeros. */
static void program(Pflash *s, uint64_t at, const uint8_t *data, uint64_t len)
{
    if (refuse(s, ST_PROGRAM_ERROR))
        return;
    len = MIN(len, s->ram->size - at);
    for (uint64_t i = 0; i < len; i++)
        s->ram->host[at + i] &= data[i];
    change(s, at, len);
}

static void erase(Pflash *s, uint64_t at)
{
    at &= ~(uint64_t)(PFLASH_BLOCK - 1);
    if (refuse(s, ST_ERASE_ERROR))
        return;
    memset(s->ram->host + at, 0xff, PFLASH_BLOCK);
    change(s, at, PFLASH_BLOCK);
}

/* ---- Commands -------------------------------------------------------------------------------- */

static void command(Pflash *s, uint8_t code)
{
    switch (code) {
    case CMD_PROGRAM:
    case CMD_PROGRAM_ALTERNATE: set_mode(s, MODE_PROGRAM); break;
    case CMD_ERASE: set_mode(s, MODE_ERASE); break;
    case CMD_CLEAR_STATUS:
        s->status = 0;
        set_mode(s, MODE_ARRAY);
        break;
    case CMD_LOCK: set_mode(s, MODE_LOCK); break;
    case CMD_READ_STATUS: set_mode(s, MODE_STATUS); break;
    case CMD_READ_ID: set_mode(s, MODE_ID); break;
    case CMD_QUERY: set_mode(s, MODE_QUERY); break;
    case CMD_WRITE_BUFFER:
        s->status |= ST_READY;
        set_mode(s, MODE_COUNT);
        break;
    default:
        if (code != CMD_READ_ARRAY && code != 0 && code != 0xf0)
            log_unimp("pflash: command %02x\n", code);
        set_mode(s, MODE_ARRAY);
    }
}

static void done(Pflash *s)
{
    s->status |= ST_READY;
    set_mode(s, MODE_STATUS);
}

static void bad_sequence(Pflash *s)
{
    s->status |= ST_PROGRAM_ERROR | ST_ERASE_ERROR;
    done(s);
}

static void fill(Pflash *s, uint64_t at, uint8_t value)
{
    if (!s->filled)
        s->start = at;
    s->buffer[s->filled++] = value;
    if (s->filled == s->count)
        s->mode = MODE_CONFIRM;
}

static void write_byte(Pflash *s, uint64_t at, uint8_t value)
{
    switch (s->mode) {
    case MODE_PROGRAM:
        program(s, at, &value, 1);
        done(s);
        break;
    case MODE_ERASE:
        if (value == CMD_CONFIRM)
            erase(s, at);
        else
            s->status |= ST_PROGRAM_ERROR | ST_ERASE_ERROR;
        done(s);
        break;
    case MODE_LOCK: done(s); break; /* blocks are never locked */
    case MODE_COUNT:
        s->count = value + 1;
        s->filled = 0;
        s->mode = MODE_FILL;
        break;
    case MODE_FILL: fill(s, at, value); break;
    case MODE_CONFIRM:
        if (value != CMD_CONFIRM) {
            bad_sequence(s);
            break;
        }
        program(s, s->start, s->buffer, s->count);
        done(s);
        break;
    default: command(s, value);
    }
}

static uint8_t read_byte(const Pflash *s, uint64_t at)
{
    switch (s->mode) {
    case MODE_ARRAY: return s->ram->host[at];
    case MODE_ID: at &= 0xff; return at == 0 ? MANUFACTURER : at == 1 ? DEVICE_ID : 0;
    case MODE_QUERY: at = (at & 0xff) - CFI_TABLE; return at < sizeof(s->query) ? s->query[at] : 0;
    }
    return s->status;
}

static uint64_t pflash_read(void *opaque, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)read_byte(opaque, addr + i) << 8 * i;
    return value;
}

/* One chip of eight bits: a wide write is a number of narrow ones, but for commands. */
static void pflash_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Pflash *s = opaque;

    if (s->mode < MODE_PROGRAM)
        size = 1;
    for (unsigned i = 0; i < size; i++)
        write_byte(s, addr + i, value >> 8 * i);
}

static const MemOps pflash_ops = { pflash_read, pflash_write, 1, 8 };

/* JESD68, from offset 10h on: identification, voltages and times, geometry. */
static void make_query(Pflash *s)
{
    static const uint8_t head[] = { 'Q',  'R', 'Y', 1, 0, 0x31, 0, 0, 0, 0, 0, 0x45,
                                    0x55, 0,   0,   7, 7, 10,   0, 4, 4, 4, 0 };
    uint64_t blocks = s->ram->size / PFLASH_BLOCK - 1;

    memcpy(s->query, head, sizeof(head));
    s->query[0x27 - CFI_TABLE] = g_bit_nth_msf(s->ram->size, -1);
    s->query[0x2a - CFI_TABLE] = 8; /* buffer of 2^8 bytes */
    s->query[0x2c - CFI_TABLE] = 1; /* one run of blocks */
    put_le(s->query + 0x2d - CFI_TABLE, 2, blocks);
    put_le(s->query + 0x2f - CFI_TABLE, 2, PFLASH_BLOCK / 256);
    memcpy(s->query + 0x31 - CFI_TABLE, "PRI10", 5);
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool pflash_realize(Device *dev, GError **error)
{
    make_query((Pflash *)dev);
    return true;
}

static void pflash_unrealize(Device *dev)
{
    Pflash *s = (Pflash *)dev;

    if (s->region.parent)
        memory_remove(&s->region);
    memory_destroy(&s->region);
    g_clear_pointer(&s->image, image_close);
}

static void pflash_reset_enter(Device *dev)
{
    Pflash *s = (Pflash *)dev;

    s->status = 0;
    s->count = s->filled = 0;
    s->start = 0;
    memset(s->buffer, 0, sizeof(s->buffer));
    set_mode(s, MODE_ARRAY);
}

/* State may come from a file that somebody has tampered with. */
static void pflash_post_load(Device *dev)
{
    Pflash *s = (Pflash *)dev;

    s->count = MIN(s->count, BUFFER_SIZE);
    s->start = MIN(s->start, s->ram->size - 1);
    if (s->mode >= MODES || (s->mode == MODE_FILL && s->filled >= s->count))
        s->mode = MODE_ARRAY;
    s->image_stale = true;
    set_mode(s, s->mode);
}

static const StateField pflash_state[] = {
    STATE_U8(Pflash, mode),
    STATE_U8(Pflash, status),
    STATE_U16(Pflash, count),
    STATE_U16(Pflash, filled),
    STATE_U64(Pflash, start),
    STATE_BYTES(Pflash, buffer),
    STATE_END,
};

const DeviceClass pflash_class = {
    .name = "cfi.pflash01",
    .desc = "NOR flash with Intel's commands",
    .size = sizeof(Pflash),
    .state = pflash_state,
    .state_version = 1,
    .realize = pflash_realize,
    .unrealize = pflash_unrealize,
    .reset_enter = pflash_reset_enter,
    .post_load = pflash_post_load,
};

Device *pflash_new(Device *parent, RamBlock *ram, Image *image, bool read_only)
{
    Pflash *s = (Pflash *)device_new(&pflash_class, parent, NULL);

    s->ram = ram;
    s->image = image;
    s->read_only = read_only;
    memory_init_romd(&s->region, "flash", ram, &pflash_ops, s);
    return &s->dev;
}

MemRegion *pflash_region(Device *dev)
{
    return &((Pflash *)dev)->region;
}
