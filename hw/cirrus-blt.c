/* SPDX-License-Identifier: MIT */
/*
 * The CL-GD5446's BitBLT engine. Spec: CL-GD5446 Technical Reference Manual, "BitBLT engine".
 *
 * A BLT makes rows: each pixel of the source is combined with the destination's by a raster
 * operation. The source is video memory, a pattern of 8 by 8 pixels, a colour, or what the CPU
 * writes; its pixels may be bits that choose between two colours. A BLT is done when it is started,
 * or as the CPU's data come. Rows are made one after another, each from a copy of its source.
 * Missing: the CPU as destination, clipping of plain copies.
 */
#include "hw/cirrus-internal.h"

#include <string.h>

#include "softmmu/log.h"

enum {
    MODE_BACKWARDS = 0x01,
    MODE_TO_CPU = 0x02,
    MODE_FROM_CPU = 0x04,
    MODE_TRANSPARENT = 0x08,
    MODE_PATTERN = 0x40,
    MODE_EXPAND = 0x80,
};
enum { EXT_DWORD_ROWS = 0x01, EXT_INVERT = 0x02, EXT_SOLID = 0x04 };
enum { PATTERN_SIDE = 8 };

typedef struct Blt {
    uint8_t mode, ext;
    unsigned bytes;         /* of a pixel */
    unsigned width, height; /* bytes, rows */
    unsigned dst_pitch, src_pitch;
    uint32_t dst, src;
    unsigned skip; /* pixels at the left that remain as they are */
    uint8_t rop;   /* bit 2 * source + destination is the result */
    uint8_t colours[2][4];
} Blt;

/* ---- What the registers ask for -------------------------------------------------------------- */

/* Raster operations by their code, as truth tables. */
static const struct {
    uint8_t code, table;
} rops[] = {
    { 0x00, 0x0 }, { 0x05, 0x8 }, { 0x06, 0xa }, { 0x09, 0x4 }, { 0x0b, 0x5 }, { 0x0d, 0xc },
    { 0x0e, 0xf }, { 0x50, 0x2 }, { 0x59, 0x6 }, { 0x6d, 0xe }, { 0x90, 0x1 }, { 0x95, 0x9 },
    { 0xad, 0xd }, { 0xd0, 0x3 }, { 0xd6, 0xb }, { 0xda, 0x7 },
};

static uint8_t find_rop(uint8_t code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rops); i++)
        if (rops[i].code == code)
            return rops[i].table;
    log_guest_error("cirrus: raster operation 0x%02x\n", code);
    return 0xa; /* the destination remains */
}

static unsigned number(const Cirrus *c, unsigned index, unsigned bytes)
{
    unsigned value = 0;

    for (unsigned i = 0; i < bytes; i++)
        value |= c->gr[index + i] << (8 * i);
    return value;
}

static Blt decode(const Cirrus *c)
{
    Blt b = {
        .mode = c->gr[GR_BLT_MODE],
        .ext = c->gr[GR_BLT_EXTENSIONS],
        .bytes = (c->gr[GR_BLT_MODE] >> 4 & 3) + 1,
        .width = MIN(number(c, GR_BLT_WIDTH, 2) + 1, BLT_ROW_MAX), /* a state may say more */
        .height = MIN(number(c, GR_BLT_HEIGHT, 2) + 1, BLT_ROWS_MAX),
        .dst_pitch = number(c, GR_BLT_DST_PITCH, 2),
        .src_pitch = number(c, GR_BLT_SRC_PITCH, 2),
        .dst = number(c, GR_BLT_DST, 3),
        .src = number(c, GR_BLT_SRC, 3),
        .rop = find_rop(c->gr[GR_BLT_ROP]),
    };

    if (b.mode & (MODE_PATTERN | MODE_EXPAND))
        b.skip = b.bytes == 3 ? (c->gr[GR_BLT_SKIP] & 0x1f) / 3 : c->gr[GR_BLT_SKIP] & 7;
    for (unsigned i = 0; i < 4; i++) {
        b.colours[0][i] = c->gr[i ? 0x0e + 2 * i : 0];
        b.colours[1][i] = c->gr[i ? 0x0f + 2 * i : 1];
    }
    return b;
}

static unsigned pixels_of(const Blt *b)
{
    return b->width / b->bytes;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static uint64_t combine(uint8_t rop, uint64_t s, uint64_t d)
{
    return (rop & 1 ? ~s & ~d : 0) | (rop & 2 ? ~s & d : 0) | (rop & 4 ? s & ~d : 0) |
           (rop & 8 ? s & d : 0);
}

static uint32_t memory_mask(const Cirrus *c)
{
    return c->vga.w.vram->size - 1;
}

static uint8_t get(const Cirrus *c, uint32_t at)
{
    return c->vga.w.vram->host[at & memory_mask(c)];
}

/* Video memory ends where it begins. */
static void get_bytes(const Cirrus *c, uint32_t at, uint8_t *bytes, unsigned n)
{
    const RamBlock *vram = c->vga.w.vram;
    unsigned first = MIN(n, vram->size - (at & memory_mask(c)));

    memcpy(bytes, vram->host + (at & memory_mask(c)), first);
    memcpy(bytes + first, vram->host, n - first);
}

/* Bytes [@at, +@n) of video memory, which ends where it begins, were written. */
static void tell_written(Cirrus *c, uint32_t at, uint32_t n)
{
    RamBlock *vram = c->vga.w.vram;
    uint32_t first;

    at &= memory_mask(c);
    first = MIN(n, vram->size - at);
    ram_block_changed(vram, at, first);
    if (n > first)
        ram_block_changed(vram, 0, n - first);
}

/* Transparent copies leave out pixels of one colour, of 8 or 16 bits. */
static bool has_key(const Blt *b)
{
    return (b->mode & (MODE_TRANSPARENT | MODE_EXPAND)) == MODE_TRANSPARENT;
}

static bool is_key(const Cirrus *c, const Blt *b, const uint8_t *pixel)
{
    return pixel[0] == c->gr[GR_BLT_KEY] && (b->bytes == 1 || pixel[1] == c->gr[GR_BLT_KEY + 1]);
}

/* Eight bytes at a time, as the largest BLT makes 16 MiB in one write to a register. Bits that
 * @mask has not remain. */
static void merge(uint8_t rop, uint8_t *to, const uint8_t *from, const uint8_t *mask, unsigned n)
{
    uint64_t s, d, m;

    for (; n >= 8; n -= 8, to += 8, from += 8, mask += 8) {
        memcpy(&s, from, 8);
        memcpy(&d, to, 8);
        memcpy(&m, mask, 8);
        d ^= (d ^ combine(rop, s, d)) & m;
        memcpy(to, &d, 8);
    }
    for (unsigned i = 0; i < n; i++)
        to[i] ^= (to[i] ^ combine(rop, from[i], to[i])) & mask[i];
}

/* The last pixel may be written as four bytes, whatever its size. */
enum { ROW_BYTES = BLT_ROW_MAX + 4 };

/* @row and @mask begin with the pixels that are left out at the left. */
static void put_masked(Cirrus *c, const Blt *b, uint32_t dst, const uint8_t *row,
                       const uint8_t *mask)
{
    RamBlock *vram = c->vga.w.vram;
    unsigned first = b->skip * b->bytes, end = pixels_of(b) * b->bytes, n, whole;
    uint32_t at = (dst + first) & memory_mask(c);

    if (first < end) {
        n = end - first;
        whole = MIN(n, vram->size - at);
        row += first;
        mask += first;
        merge(b->rop, vram->host + at, row, mask, whole);
        merge(b->rop, vram->host, row + whole, mask + whole, n - whole);
    }
    tell_written(c, dst, b->width);
}

/* @row: the source's pixels from the left. */
static void put_row(Cirrus *c, const Blt *b, uint32_t dst, const uint8_t *row)
{
    uint8_t mask[ROW_BYTES];

    memset(mask, 0xff, b->width);
    for (unsigned x = 0; has_key(b) && x < pixels_of(b); x++)
        if (is_key(c, b, row + x * b->bytes))
            memset(mask + x * b->bytes, 0, b->bytes);
    put_masked(c, b, dst, row, mask);
}

/* @bits: those of the row, the first one highest; pixel x is bit x modulo @period. */
static void put_bits(Cirrus *c, const Blt *b, uint32_t dst, const uint8_t *bits, unsigned period)
{
    uint8_t row[ROW_BYTES], mask[ROW_BYTES], invert = b->ext & EXT_INVERT ? 0xff : 0;
    bool transparent = b->mode & MODE_TRANSPARENT;

    for (unsigned x = 0, n = 0; x < pixels_of(b); x++, n = n + 1 < period ? n + 1 : 0) {
        unsigned foreground = (bits[n / 8] ^ invert) >> (7 - n % 8) & 1;

        memcpy(row + x * b->bytes, b->colours[foreground], 4);
        memset(mask + x * b->bytes, foreground || !transparent ? 0xff : 0, 4);
    }
    put_masked(c, b, dst, row, mask);
}

/* ---- Sources --------------------------------------------------------------------------------- */

static void copy_row(Cirrus *c, const Blt *b, unsigned y)
{
    uint8_t row[BLT_ROW_MAX];
    bool back = b->mode & MODE_BACKWARDS; /* addresses are of the last byte */
    uint32_t src = back ? b->src - y * b->src_pitch - (b->width - 1) : b->src + y * b->src_pitch;
    uint32_t dst = back ? b->dst - y * b->dst_pitch - (b->width - 1) : b->dst + y * b->dst_pitch;

    get_bytes(c, src, row, b->width);
    put_row(c, b, dst, row);
}

/* Rows of bits follow each other, each from a byte of its own on. */
static void expand_row(Cirrus *c, const Blt *b, unsigned y)
{
    uint8_t bits[BLT_ROW_MAX / 8];
    unsigned n = (pixels_of(b) + 7) / 8;

    get_bytes(c, b->src + y * n, bits, n);
    put_bits(c, b, b->dst + y * b->dst_pitch, bits, BLT_ROW_MAX);
}

/* A pattern begins at a multiple of its size; the lowest bits choose its first row. */
static void pattern_row(Cirrus *c, const Blt *b, unsigned y)
{
    static const uint8_t pitches[] = { 0, 8, 16, 32, 32 };
    uint8_t row[ROW_BYTES];
    unsigned pitch = pitches[b->bytes], period = PATTERN_SIDE * b->bytes;
    uint32_t base = b->src & ~(PATTERN_SIDE * pitch - 1);
    unsigned line = (b->src + y) % PATTERN_SIDE;

    get_bytes(c, base + line * pitch, row, period);
    for (unsigned x = period; x < b->width; x++)
        row[x] = row[x - period];
    put_row(c, b, b->dst + y * b->dst_pitch, row);
}

static void expand_pattern_row(Cirrus *c, const Blt *b, unsigned y)
{
    uint8_t bits = get(c, (b->src & ~7u) + (b->src + y) % PATTERN_SIDE);

    if (b->ext & EXT_SOLID)
        bits = b->ext & EXT_INVERT ? 0 : 0xff;
    put_bits(c, b, b->dst + y * b->dst_pitch, &bits, PATTERN_SIDE);
}

typedef void MakeRow(Cirrus *c, const Blt *b, unsigned y);

static MakeRow *const sources[4] = { copy_row, pattern_row, expand_row, expand_pattern_row };

/* ---- The CPU as source ----------------------------------------------------------------------- */

/* Bytes of a row that the CPU writes; never more than there is room for. */
static unsigned data_row_bytes(const Blt *b)
{
    if (!(b->mode & MODE_EXPAND))
        return (b->width + 3) & ~3u;
    if (b->ext & EXT_DWORD_ROWS)
        return (pixels_of(b) + 31) / 32 * 4;
    return MAX((pixels_of(b) + 7) / 8, 1);
}

/* What comes is a multiple of four bytes. */
static void expect_data(Cirrus *c, const Blt *b)
{
    c->blt_left = (MAX(data_row_bytes(b), 1) * b->height + 3) & ~3u;
    c->blt_at = c->blt_row = 0;
    c->blt_dst = b->dst;
}

void cirrus_blt_data(Cirrus *c, uint8_t value)
{
    Blt b = decode(c);

    c->blt_left--;
    c->blt_data_row[c->blt_at++] = value;
    if (c->blt_at >= data_row_bytes(&b) && c->blt_row < b.height) {
        if (b.mode & MODE_EXPAND)
            put_bits(c, &b, c->blt_dst, c->blt_data_row, BLT_ROW_MAX);
        else
            put_row(c, &b, c->blt_dst, c->blt_data_row);
        c->blt_at = 0;
        c->blt_row++;
        c->blt_dst += b.dst_pitch;
    }
    c->blt_at %= BLT_ROW_MAX; /* after the last row, or if the guest makes rows shorter */
    if (!c->blt_left)
        cirrus_update_map(c);
}

void cirrus_blt_post_load(Cirrus *c)
{
    c->blt_at %= BLT_ROW_MAX;
}

/* ---- Start and stop -------------------------------------------------------------------------- */

void cirrus_blt_start(Cirrus *c)
{
    Blt b = decode(c);
    MakeRow *make = sources[b.mode >> 6];

    if (b.mode & MODE_TO_CPU) {
        log_unimp("cirrus: BLT to the CPU\n");
    } else if (b.mode & MODE_FROM_CPU) {
        expect_data(c, &b);
    } else {
        for (unsigned y = 0; y < b.height; y++)
            make(c, &b, y);
    }
}

void cirrus_blt_stop(Cirrus *c)
{
    c->blt_left = 0;
}
