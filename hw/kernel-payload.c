/* SPDX-License-Identifier: MIT */
/*
 * Payloads of bzImages. Specs: the .xz file format 1.1.0 (LZMA2 chunks as liblzma documents
 * them), RFC 8878 (zstd), RFC 1951 and 1952 (deflate, gzip).
 * Missing: lzma, bzip2, lz4 and lzo.
 */
#include "hw/kernel-payload.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "config.h"
#if HAVE_LZMA
#include <lzma.h>
#endif
#if HAVE_ZLIB
#include <zlib.h>
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

#define PIECE 0x4000 /* bytes in a row: no format has a smaller limit */

struct PayloadFormat {
    uint8_t magic[6];
    uint8_t magic_size;
    bool (*decode)(const uint8_t *data, gsize size, uint8_t *out, gsize out_size);
    void (*begin)(GByteArray *s);
    void (*piece)(GByteArray *s, const uint8_t *data, gsize size);
    void (*end)(GByteArray *s, const uint8_t *data, gsize size);
};

G_GNUC_UNUSED static void append_le(GByteArray *s, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(s, (const uint8_t *)&value, size);
}

/* Tens of megabytes that are soon given back, by free(): huge pages spare most page faults. */
static void *alloc_large(gsize size)
{
    static const gsize huge = 2 << 20;
    gsize rounded = (size + huge - 1) & -huge;
    void *p = size < huge ? malloc(size) : aligned_alloc(huge, rounded);

    if (p && size >= huge)
        madvise(p, rounded, MADV_HUGEPAGE); /* a wish only */
    return p;
}

/* ---- xz ------------------------------------------------------------------------------------- */

#if HAVE_LZMA
static void *xz_alloc(void *opaque, size_t n, size_t size)
{
    return alloc_large(n * size);
}

static void xz_free(void *opaque, void *p)
{
    free(p);
}

static bool xz_decode(const uint8_t *data, gsize size, uint8_t *out, gsize out_size)
{
    const lzma_allocator allocator = { .alloc = xz_alloc, .free = xz_free }; /* its dictionary */
    uint64_t memory = UINT64_C(1) << 30;
    size_t in_pos = 0, out_pos = 0;
    lzma_ret ret = lzma_stream_buffer_decode(&memory, 0, &allocator, data, &in_pos, size, out,
                                             &out_pos, out_size);

    return ret == LZMA_OK && out_pos == out_size;
}

static void xz_begin(GByteArray *s)
{
    lzma_stream_flags flags = { .check = LZMA_CHECK_NONE };
    uint8_t header[LZMA_STREAM_HEADER_SIZE + LZMA_BLOCK_HEADER_SIZE_MAX];
    lzma_options_lzma options = { .dict_size = LZMA_DICT_SIZE_MIN };
    lzma_filter filters[2] = { { LZMA_FILTER_LZMA2, &options }, { LZMA_VLI_UNKNOWN, NULL } };
    lzma_block block = {
        .check = LZMA_CHECK_NONE,
        .compressed_size = LZMA_VLI_UNKNOWN,
        .uncompressed_size = LZMA_VLI_UNKNOWN,
        .filters = filters,
    };

    lzma_ret ret = lzma_stream_header_encode(&flags, header);
    g_assert(ret == LZMA_OK);
    ret = lzma_block_header_size(&block);
    g_assert(ret == LZMA_OK);
    ret = lzma_block_header_encode(&block, header + LZMA_STREAM_HEADER_SIZE);
    g_assert(ret == LZMA_OK);
    g_byte_array_append(s, header, LZMA_STREAM_HEADER_SIZE + block.header_size);
}

/* Control 1: not compressed, and the dictionary starts anew. */
static void xz_piece(GByteArray *s, const uint8_t *data, gsize size)
{
    uint8_t header[3] = { 1, (size - 1) >> 8, size - 1 };

    g_byte_array_append(s, header, sizeof(header));
    g_byte_array_append(s, data, size);
}

static void xz_end(GByteArray *s, const uint8_t *data, gsize size)
{
    static const uint8_t zeros[4];
    lzma_stream_flags flags = { .check = LZMA_CHECK_NONE };
    lzma_index *index = lzma_index_init(NULL);
    uint8_t out[64];
    size_t len = 0;

    g_byte_array_append(s, zeros, 1); /* no more chunks */
    gsize block_size = s->len - LZMA_STREAM_HEADER_SIZE;
    g_byte_array_append(s, zeros, -s->len & 3);
    lzma_ret ret = lzma_index_append(index, NULL, block_size, size);
    g_assert(ret == LZMA_OK);
    flags.backward_size = lzma_index_size(index);
    ret = lzma_index_buffer_encode(index, out, &len, sizeof(out));
    g_assert(ret == LZMA_OK);
    lzma_index_end(index, NULL);
    g_byte_array_append(s, out, len);
    ret = lzma_stream_footer_encode(&flags, out);
    g_assert(ret == LZMA_OK);
    g_byte_array_append(s, out, LZMA_STREAM_HEADER_SIZE);
}
#endif

/* ---- gzip ----------------------------------------------------------------------------------- */

#if HAVE_ZLIB
enum { GZIP_WINDOW = 16 + MAX_WBITS, RAW_WINDOW = -MAX_WBITS };

static bool gzip_decode(const uint8_t *data, gsize size, uint8_t *out, gsize out_size)
{
    z_stream z = { .next_in = (Bytef *)data, .avail_in = size };

    if (size > UINT_MAX || out_size > UINT_MAX || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return false;
    z.next_out = out;
    z.avail_out = out_size;
    int ret = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return ret == Z_STREAM_END && !z.avail_out;
}

static void gzip_begin(GByteArray *s)
{
    static const uint8_t header[10] = { 0x1f, 0x8b, 8 };

    g_byte_array_append(s, header, sizeof(header));
}

/* Block type 0; pieces begin at bytes. */
static void gzip_piece(GByteArray *s, const uint8_t *data, gsize size)
{
    append_le(s, 0, 1);
    append_le(s, size, 2);
    append_le(s, ~size, 2);
    g_byte_array_append(s, data, size);
}

/* An empty last block, CRC-32, size. */
static void gzip_end(GByteArray *s, const uint8_t *data, gsize size)
{
    static const uint8_t last_block[5] = { 1, 0, 0, 0xff, 0xff };

    g_byte_array_append(s, last_block, sizeof(last_block));
    append_le(s, crc32(0, data, size), 4);
    append_le(s, size, 4);
}
#endif

/* ---- zstd ----------------------------------------------------------------------------------- */

#if HAVE_ZSTD
static bool zstd_decode(const uint8_t *data, gsize size, uint8_t *out, gsize out_size)
{
    size_t frame = ZSTD_findFrameCompressedSize(data, size);

    return !ZSTD_isError(frame) && ZSTD_decompress(out, out_size, data, frame) == out_size;
}

/* Type 0: raw. */
static void zstd_block(GByteArray *s, bool last, gsize size)
{
    append_le(s, last | size << 3, 3);
}

/* No content size, no checksum; a window of 128 KiB. */
static void zstd_begin(GByteArray *s)
{
    static const uint8_t header[6] = { 0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3 };

    g_byte_array_append(s, header, sizeof(header));
}

static void zstd_piece(GByteArray *s, const uint8_t *data, gsize size)
{
    zstd_block(s, false, size);
    g_byte_array_append(s, data, size);
}

static void zstd_end(GByteArray *s, const uint8_t *data, gsize size)
{
    zstd_block(s, true, 0);
}
#endif

/* ---- All ------------------------------------------------------------------------------------ */

static const PayloadFormat formats[] = {
#if HAVE_LZMA
    { { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, xz_decode, xz_begin, xz_piece, xz_end },
#endif
#if HAVE_ZLIB
    { { 0x1f, 0x8b, 8 }, 3, gzip_decode, gzip_begin, gzip_piece, gzip_end },
#endif
#if HAVE_ZSTD
    { { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_decode, zstd_begin, zstd_piece, zstd_end },
#endif
    { { 0 } },
};

const PayloadFormat *payload_format(const uint8_t *data, gsize size)
{
    for (const PayloadFormat *f = formats; f->magic_size; f++) {
        if (size > f->magic_size && !memcmp(data, f->magic, f->magic_size))
            return f;
    }
    return NULL;
}

uint8_t *payload_decode(const PayloadFormat *f, const uint8_t *data, gsize size, gsize out_size)
{
    uint8_t *out = alloc_large(out_size);

    if (!out || f->decode(data, size, out, out_size))
        return out;
    free(out);
    return NULL;
}

GBytes *payload_make(const PayloadFormat *f, const uint8_t *data, gsize size)
{
    GByteArray *s = g_byte_array_new();

    f->begin(s);
    for (gsize at = 0, n; at < size; at += n) {
        n = MIN(size - at, PIECE);
        f->piece(s, data + at, n);
    }
    f->end(s, data, size);
    return g_byte_array_free_to_bytes(s);
}
