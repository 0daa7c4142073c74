/* SPDX-License-Identifier: MIT */
/*
 * Head: "MIMUSVM\n", u32 version, u32 0. A section: name, u32 flags, u64 length, u64 length as
 * stored, u64 hash of these 24 bytes and of what is stored, which follows. The seed of a hash is
 * the hash before, of the first the version. Numbers are little-endian.
 */
#include "softmmu/state-file.h"

#include <string.h>

#include "config.h"
#include "softmmu/bytes.h"
#include "softmmu/device.h"
#include "softmmu/error.h"

#if HAVE_ZSTD
#include <zstd.h>
#endif

#define MAGIC        "MIMUSVM\n"
#define HEAD         16
#define SECTION_HEAD 32
#define HASHED       24
#define VERSION      1
#define LEVEL        1 /* of compression */
#define END          "END "

enum { PACKED = 1 }; /* flags */

/* ---- Writing --------------------------------------------------------------------------------- */

struct StateWriter {
    StateSink sink;
    uint64_t hash;
    bool compress, begun;
    GByteArray *packed;
};

StateWriter *state_writer_new(const StateSink *sink, bool compress)
{
    StateWriter *w = g_new0(StateWriter, 1);

    w->sink = *sink;
    w->compress = compress;
    w->packed = g_byte_array_new();
    w->hash = VERSION;
    return w;
}

void state_writer_free(StateWriter *w)
{
    if (!w)
        return;
    g_byte_array_unref(w->packed);
    g_free(w);
}

static bool put(StateWriter *w, const void *data, size_t len, GError **error)
{
    return !len || w->sink.write(w->sink.opaque, data, len, error);
}

static bool put_head(StateWriter *w, GError **error)
{
    uint8_t head[HEAD] = { 0 };

    memcpy(head, MAGIC, 8);
    put_le(head + 8, 4, VERSION);
    w->begun = true;
    return put(w, head, sizeof(head), error);
}

/* 0: it stays as it is, as it would be no smaller. */
static size_t pack(StateWriter *w, const void *data, size_t len)
{
#if HAVE_ZSTD
    size_t n;

    if (!w->compress || len < 64)
        return 0;
    g_byte_array_set_size(w->packed, ZSTD_compressBound(len));
    n = ZSTD_compress(w->packed->data, w->packed->len, data, len, LEVEL);
    return ZSTD_isError(n) || n >= len ? 0 : n;
#else
    return 0;
#endif
}

bool state_writer_put(StateWriter *w, const char *name, const void *data, size_t len,
                      GError **error)
{
    uint8_t head[SECTION_HEAD];
    size_t packed = pack(w, data, len), stored = packed ? packed : len;
    const void *bytes = packed ? w->packed->data : data;

    g_assert(strlen(name) == 4 && len <= STATE_SECTION_MAX);
    if (!w->begun && !put_head(w, error))
        return false;
    memcpy(head, name, 4);
    put_le(head + 4, 4, packed ? PACKED : 0);
    put_le(head + 8, 8, len);
    put_le(head + 16, 8, stored);
    w->hash = state_hash_bytes(bytes, stored, state_hash_bytes(head, HASHED, w->hash));
    put_le(head + HASHED, 8, w->hash);
    return put(w, head, sizeof(head), error) && put(w, bytes, stored, error);
}

bool state_writer_end(StateWriter *w, GError **error)
{
    return state_writer_put(w, END, NULL, 0, error);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct StateReader {
    StateSource source;
    uint64_t hash;
    bool begun, ended;
    GByteArray *stored, *plain;
};

StateReader *state_reader_new(const StateSource *source)
{
    StateReader *r = g_new0(StateReader, 1);

    r->source = *source;
    r->stored = g_byte_array_new();
    r->plain = g_byte_array_new();
    r->hash = VERSION;
    return r;
}

void state_reader_free(StateReader *r)
{
    if (!r)
        return;
    g_byte_array_unref(r->stored);
    g_byte_array_unref(r->plain);
    g_free(r);
}

static bool get(StateReader *r, void *data, size_t len, GError **error)
{
    return !len || r->source.read(r->source.opaque, data, len, error);
}

static bool damaged(GError **error)
{
    error_set(error, "the saved state is damaged");
    return false;
}

static bool get_head(StateReader *r, GError **error)
{
    uint8_t head[HEAD];

    if (!get(r, head, sizeof(head), error))
        return false;
    if (memcmp(head, MAGIC, 8)) {
        error_set(error, "this is no saved state of Mimus");
        return false;
    }
    if (get_le(head + 8, 4) != VERSION) {
        error_set(error, "the saved state is of version %u, this Mimus knows version %u",
                  (unsigned)get_le(head + 8, 4), VERSION);
        return false;
    }
    r->begun = true;
    return true;
}

static bool unpack(StateReader *r, uint64_t len, GError **error)
{
    g_byte_array_set_size(r->plain, len);
#if HAVE_ZSTD
    if (ZSTD_decompress(r->plain->data, len, r->stored->data, r->stored->len) == len)
        return true;
    return damaged(error);
#else
    error_set(error, "the saved state is compressed, and this Mimus was built without zstd");
    return false;
#endif
}

/* In parts, so that a length that is a lie costs no memory. */
static bool get_stored(StateReader *r, uint64_t len, GError **error)
{
    const size_t step = 1 << 20;

    g_byte_array_set_size(r->stored, 0);
    while (r->stored->len < len) {
        size_t at = r->stored->len, n = MIN(step, len - at);

        g_byte_array_set_size(r->stored, at + n);
        if (!get(r, r->stored->data + at, n, error))
            return false;
    }
    return true;
}

bool state_reader_next(StateReader *r, char *name, const uint8_t **data, size_t *len,
                       GError **error)
{
    uint8_t head[SECTION_HEAD];
    uint64_t plain, stored;
    bool packed;

    g_assert(!r->ended);
    if ((!r->begun && !get_head(r, error)) || !get(r, head, sizeof(head), error))
        return false;
    plain = get_le(head + 8, 8);
    stored = get_le(head + 16, 8);
    packed = get_le(head + 4, 4) == PACKED;
    if (plain > STATE_SECTION_MAX || stored > plain || (!packed && stored != plain) ||
        (packed && plain / 32768 > stored) || get_le(head + 4, 4) > PACKED)
        return damaged(error);
    if (!get_stored(r, stored, error))
        return false;
    r->hash = state_hash_bytes(r->stored->data, stored, state_hash_bytes(head, HASHED, r->hash));
    if (r->hash != get_le(head + HASHED, 8))
        return damaged(error);
    if (packed && !unpack(r, plain, error))
        return false;
    r->ended = !memcmp(head, END, 4);
    memcpy(name, r->ended ? "\0\0\0\0" : (const char *)head, 4);
    name[4] = 0;
    *data = packed ? r->plain->data : r->stored->data;
    *len = plain;
    return true;
}

/* ---- In memory ------------------------------------------------------------------------------- */

static bool write_piece(void *opaque, const void *data, size_t len, GError **error)
{
    g_ptr_array_add(opaque, g_bytes_new(data, len));
    return true;
}

StateSink state_sink_pieces(GPtrArray *pieces)
{
    return (StateSink){ write_piece, pieces };
}

static bool read_pieces(void *opaque, void *data, size_t len, GError **error)
{
    StatePieces *from = opaque;
    uint8_t *p = data;

    while (len && from->piece < from->pieces->len) {
        size_t size;
        const uint8_t *piece = g_bytes_get_data(from->pieces->pdata[from->piece], &size);
        size_t n = MIN(len, size - from->at);

        if (n)
            memcpy(p, piece + from->at, n);
        p += n;
        len -= n;
        from->at += n;
        if (from->at == size) {
            from->piece++;
            from->at = 0;
        }
    }
    if (len)
        error_set(error, "the saved state is not whole");
    return !len;
}

StateSource state_source_pieces(StatePieces *from)
{
    from->piece = 0;
    from->at = 0;
    return (StateSource){ read_pieces, from };
}
