/* SPDX-License-Identifier: MIT */
/*
 * Payloads of bzImages. Specs: the .xz file format 1.1.0 (LZMA2 chunks as liblzma documents
 * them), RFC 8878 (zstd), RFC 1951 and 1952 (deflate, gzip).
 * A written stream is a sequence of independent pieces: bytes as they are, and runs of zeros.
 * Missing: lzma and bzip2, which cannot carry bytes as they are; lz4 and lzo.
 */
#include "hw/kernel-payload.h"

#include <string.h>

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

/* A piece as it is is short, as decoders copy it while it may lie just ahead of its place. */
#define PIECE       0x4000
#define ZEROS_SMALL 0x1000
#define ZEROS_BIG   0x20000 /* the largest block of zstd */

struct PayloadFormat {
    uint8_t magic[6];
    uint8_t magic_size;
    uint8_t piece_header; /* bytes before each piece */
    uint8_t end_size;     /* at most */
    bool (*decode)(const uint8_t *data, gsize size, uint8_t *out, gsize out_size);
    void (*begin)(GByteArray *s);
    void (*piece)(GByteArray *s, const uint8_t *data, gsize size);
    void (*zeros)(GByteArray *s, gsize size);
    void (*end)(GByteArray *s, GBytes *head, GBytes *tail, gsize out_size);
};

static const uint8_t no_bytes[ZEROS_BIG];

static void append_le(GByteArray *s, uint64_t value, unsigned size)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(s, (const uint8_t *)&value, size);
}

/* ---- xz ------------------------------------------------------------------------------------- */

#if HAVE_LZMA
#define XZ_DICT 0x10000

static bool xz_decode(const uint8_t *data, gsize size, uint8_t *out, gsize out_size)
{
    uint64_t memory = UINT64_C(1) << 30;
    size_t in_pos = 0, out_pos = 0;
    lzma_ret ret =
        lzma_stream_buffer_decode(&memory, 0, NULL, data, &in_pos, size, out, &out_pos, out_size);

    return ret == LZMA_OK && out_pos == out_size;
}

static void xz_filters(lzma_options_lzma *options, lzma_filter filters[2])
{
    lzma_lzma_preset(options, 0);
    options->dict_size = XZ_DICT;
    options->nice_len = 273;
    filters[0] = (lzma_filter){ LZMA_FILTER_LZMA2, options };
    filters[1] = (lzma_filter){ LZMA_VLI_UNKNOWN, NULL };
}

static void xz_begin(GByteArray *s)
{
    lzma_stream_flags flags = { .check = LZMA_CHECK_NONE };
    uint8_t header[LZMA_STREAM_HEADER_SIZE + LZMA_BLOCK_HEADER_SIZE_MAX];
    lzma_options_lzma options;
    lzma_filter filters[2];
    lzma_block block = {
        .check = LZMA_CHECK_NONE,
        .compressed_size = LZMA_VLI_UNKNOWN,
        .uncompressed_size = LZMA_VLI_UNKNOWN,
        .filters = filters,
    };

    xz_filters(&options, filters);
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

static void xz_zeros(GByteArray *s, gsize size)
{
    lzma_options_lzma options;
    lzma_filter filters[2];
    uint8_t out[1024];
    size_t len = 0;

    xz_filters(&options, filters);
    lzma_ret ret = lzma_raw_buffer_encode(filters, NULL, no_bytes, size, out, &len, sizeof(out));
    g_assert(ret == LZMA_OK && out[len - 1] == 0);
    g_byte_array_append(s, out, len - 1); /* without the end marker */
}

static void xz_end(GByteArray *s, GBytes *head, GBytes *tail, gsize out_size)
{
    static const uint8_t end_marker[1];
    lzma_stream_flags flags = { .check = LZMA_CHECK_NONE };
    lzma_index *index = lzma_index_init(NULL);
    uint8_t out[64];
    size_t len = 0;

    g_byte_array_append(s, end_marker, 1);
    gsize block_size = s->len - LZMA_STREAM_HEADER_SIZE;
    g_byte_array_append(s, no_bytes, -s->len & 3);
    lzma_ret ret = lzma_index_append(index, NULL, block_size, out_size);
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

static void gzip_zeros(GByteArray *s, gsize size)
{
    uint8_t out[1024];
    z_stream z = { .next_in = (Bytef *)no_bytes, .avail_in = size };

    int ret = deflateInit2(&z, 1, Z_DEFLATED, RAW_WINDOW, 9, Z_DEFAULT_STRATEGY);
    g_assert(ret == Z_OK);
    z.next_out = out;
    z.avail_out = sizeof(out);
    ret = deflate(&z, Z_FULL_FLUSH);
    g_assert(ret == Z_OK && !z.avail_in && z.avail_out);
    g_byte_array_append(s, out, sizeof(out) - z.avail_out);
    deflateEnd(&z);
}

static uint32_t append_crc(uint32_t crc, GBytes *bytes)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(bytes, &size);

    return crc32_combine(crc, crc32(0, data, size), size);
}

/* An empty last block, CRC-32, size. */
static void gzip_end(GByteArray *s, GBytes *head, GBytes *tail, gsize out_size)
{
    static const uint8_t last_block[5] = { 1, 0, 0, 0xff, 0xff };
    gsize zeros = out_size - g_bytes_get_size(head) - g_bytes_get_size(tail);
    uint32_t crc = append_crc(0, head), zeros_crc = crc32(0, no_bytes, 1);

    for (gsize run = 1; zeros; run *= 2, zeros /= 2) {
        if (zeros & 1)
            crc = crc32_combine(crc, zeros_crc, run);
        zeros_crc = crc32_combine(zeros_crc, zeros_crc, run);
    }
    g_byte_array_append(s, last_block, sizeof(last_block));
    append_le(s, append_crc(crc, tail), 4);
    append_le(s, out_size, 4);
}
#endif

/* ---- zstd ----------------------------------------------------------------------------------- */

#if HAVE_ZSTD
enum { ZSTD_RAW, ZSTD_RLE };

static bool zstd_decode(const uint8_t *data, gsize size, uint8_t *out, gsize out_size)
{
    size_t frame = ZSTD_findFrameCompressedSize(data, size);

    return !ZSTD_isError(frame) && ZSTD_decompress(out, out_size, data, frame) == out_size;
}

static void zstd_block(GByteArray *s, bool last, int type, gsize size)
{
    append_le(s, last | type << 1 | size << 3, 3);
}

/* No content size, no checksum; a window of 128 KiB, which is the largest block too. */
static void zstd_begin(GByteArray *s)
{
    static const uint8_t header[6] = { 0x28, 0xb5, 0x2f, 0xfd, 0, (17 - 10) << 3 };

    g_byte_array_append(s, header, sizeof(header));
}

static void zstd_piece(GByteArray *s, const uint8_t *data, gsize size)
{
    zstd_block(s, false, ZSTD_RAW, size);
    g_byte_array_append(s, data, size);
}

static void zstd_zeros(GByteArray *s, gsize size)
{
    zstd_block(s, false, ZSTD_RLE, size);
    g_byte_array_append(s, no_bytes, 1);
}

static void zstd_end(GByteArray *s, GBytes *head, GBytes *tail, gsize out_size)
{
    zstd_block(s, true, ZSTD_RAW, 0);
}
#endif

/* ---- All ------------------------------------------------------------------------------------ */

static const PayloadFormat formats[] = {
#if HAVE_LZMA
    { { 0xfd, '7', 'z', 'X', 'Z', 0 }, 6, 3, 64, xz_decode, xz_begin, xz_piece, xz_zeros, xz_end },
#endif
#if HAVE_ZLIB
    { { 0x1f, 0x8b, 8 }, 3, 5, 13, gzip_decode, gzip_begin, gzip_piece, gzip_zeros, gzip_end },
#endif
#if HAVE_ZSTD
    { { 0x28, 0xb5, 0x2f, 0xfd },
      4,
      3,
      3,
      zstd_decode,
      zstd_begin,
      zstd_piece,
      zstd_zeros,
      zstd_end },
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
    uint8_t *out = g_try_malloc(out_size);

    if (!out || f->decode(data, size, out, out_size))
        return out;
    g_free(out);
    return NULL;
}

/* What @size bytes take when carried as they are. */
static gsize cost(const PayloadFormat *f, gsize size)
{
    return size + (size + PIECE - 1) / PIECE * f->piece_header;
}

static void put_pieces(const PayloadFormat *f, GByteArray *s, const uint8_t *data, gsize size)
{
    for (gsize n; size; data += n, size -= n) {
        n = MIN(size, PIECE);
        f->piece(s, data, n);
    }
}

GBytes *payload_make(const PayloadFormat *f, GBytes *head, GBytes *tail, gsize out_size, gsize size)
{
    gsize head_size, tail_size;
    const uint8_t *head_data = g_bytes_get_data(head, &head_size);
    const uint8_t *tail_data = g_bytes_get_data(tail, &tail_size);
    g_autoptr(GByteArray) s = g_byte_array_new(), big = g_byte_array_new(),
                          small = g_byte_array_new();

    if (head_size + tail_size > out_size)
        return NULL;
    f->zeros(big, ZEROS_BIG);
    f->zeros(small, ZEROS_SMALL);
    f->begin(s);
    put_pieces(f, s, head_data, head_size);
    gsize zeros = out_size - head_size - tail_size;
    gsize last = cost(f, tail_size) + f->end_size;
    /* Compress until the rest can go as it is and fills @size. */
    while (zeros && s->len + cost(f, zeros) + last > size) {
        bool much = zeros > ZEROS_BIG && s->len + cost(f, zeros - ZEROS_BIG) + last > size;
        gsize n = much ? ZEROS_BIG : MIN(zeros, ZEROS_SMALL);

        if (n < ZEROS_SMALL)
            f->zeros(s, n);
        else
            g_byte_array_append(s, much ? big->data : small->data, much ? big->len : small->len);
        zeros -= n;
    }
    if (s->len + cost(f, zeros) + last > size)
        return NULL;
    for (gsize n; zeros; zeros -= n) {
        n = MIN(zeros, PIECE);
        f->piece(s, no_bytes, n);
    }
    put_pieces(f, s, tail_data, tail_size);
    f->end(s, head, tail, out_size);
    g_assert(s->len <= size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&s));
}
