/* SPDX-License-Identifier: MIT */
/*
 * Compressed clusters: raw deflate with a window of 4 KiB, or zstd if the header says so. They are
 * packed one after another, each cluster of the file counting once for every one that lies in it.
 */
#include <errno.h>
#include <string.h>

#include "config.h"
#include "softmmu/block/qcow2.h"

#if HAVE_ZLIB
#include <zlib.h>
#endif
#if HAVE_ZSTD
#include <zstd.h>
#endif

#define WINDOW_BITS 12
#define SECTOR      512

/* ---- Unpacking ------------------------------------------------------------------------------- */

#if HAVE_ZSTD
static int unpack_zstd(const Qcow2 *q, const uint8_t *in, size_t len, uint8_t *out)
{
    ZSTD_DStream *s = ZSTD_createDStream();
    ZSTD_inBuffer from = { in, len, 0 };
    ZSTD_outBuffer to = { out, q->cluster, 0 };
    size_t left = 1;

    while (left && to.pos < to.size && from.pos < from.size && !ZSTD_isError(left))
        left = ZSTD_decompressStream(s, &to, &from);
    ZSTD_freeDStream(s);
    return to.pos == q->cluster ? 0 : EIO;
}
#endif

#if HAVE_ZLIB
static int unpack_zlib(const Qcow2 *q, const uint8_t *in, size_t len, uint8_t *out)
{
    z_stream z = {
        .next_in = (uint8_t *)in, .avail_in = len, .next_out = out, .avail_out = q->cluster
    };
    int result = inflateInit2(&z, -WINDOW_BITS);

    if (result == Z_OK) {
        result = inflate(&z, Z_FINISH);
        inflateEnd(&z);
    }
    return z.avail_out || (result != Z_STREAM_END && result != Z_BUF_ERROR) ? EIO : 0;
}
#endif

static int unpack(const Qcow2 *q, const uint8_t *in, size_t len, uint8_t *out)
{
#if HAVE_ZSTD
    if (q->features & QCOW2_ZSTD)
        return unpack_zstd(q, in, len, out);
#endif
#if HAVE_ZLIB
    if (!(q->features & QCOW2_ZSTD))
        return unpack_zlib(q, in, len, out);
#endif
    return ENOTSUP;
}

int qcow2_read_compressed(Qcow2 *q, uint64_t entry, uint64_t within, void *buf, size_t len)
{
    g_autofree uint8_t *packed = NULL, *plain = g_malloc(q->cluster);
    uint64_t offset, packed_len;
    int error;

    qcow2_compressed_range(q, entry, &offset, &packed_len);
    packed = g_malloc(packed_len);
    error = image_file_read(q->fd, offset, packed, packed_len);
    if (!error)
        error = unpack(q, packed, packed_len, plain);
    if (!error)
        memcpy(buf, plain + within, len);
    return error;
}

/* ---- Packing --------------------------------------------------------------------------------- */

#if HAVE_ZLIB
static size_t pack_zlib(const uint8_t *in, size_t len, uint8_t *out, size_t room)
{
    z_stream z = { .next_in = (uint8_t *)in, .avail_in = len, .next_out = out, .avail_out = room };
    bool ok = deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -WINDOW_BITS, 9,
                           Z_DEFAULT_STRATEGY) == Z_OK;

    if (!ok)
        return 0;
    ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    deflateEnd(&z);
    return ok ? room - z.avail_out : 0;
}
#endif

/* A cluster's bytes after it, 0: it does not get smaller. */
static size_t pack(const Qcow2 *q, const uint8_t *in, uint8_t *out)
{
#if HAVE_ZSTD
    if (q->features & QCOW2_ZSTD) {
        size_t n = ZSTD_compress(out, q->cluster - 1, in, q->cluster, ZSTD_CLEVEL_DEFAULT);

        return ZSTD_isError(n) ? 0 : n;
    }
#endif
#if HAVE_ZLIB
    if (!(q->features & QCOW2_ZSTD))
        return pack_zlib(in, q->cluster, out, q->cluster - 1);
#endif
    return 0;
}

/* Room in the file, behind what was packed last if it is still there. */
static int take_room(Qcow2 *q, uint64_t len, uint64_t *offset)
{
    uint64_t rest = q->packed_end ? -q->packed_end & (q->cluster - 1) : 0;
    bool on = len <= rest || (rest && q->packed_end + rest == q->file_end);
    int error = on ? qcow2_add_count(q, q->packed_end / q->cluster, 1) : EMLINK;

    on = !error;
    if (error == EMLINK) /* or that one counts as much as it can */
        error = qcow2_allocate(q, offset);
    if (error)
        return error;
    if (on) {
        *offset = q->packed_end;
        if (len > rest) {
            uint64_t next = q->file_end / q->cluster;

            q->file_end += q->cluster;
            error = qcow2_add_count(q, next, 1);
        }
    }
    q->packed_end = error ? 0 : *offset + len;
    return error;
}

int qcow2_write_compressed(Image *image, uint64_t offset, const void *buf, size_t len)
{
    Qcow2 *q = image->own;
    g_autofree uint8_t *plain = g_malloc0(q->cluster), *packed = g_malloc(q->cluster);
    unsigned bits = 62 - (q->cluster_bits - 8);
    uint64_t place, sectors;
    Qcow2Entry old;
    size_t n;
    int error;

    if (q->data_image)
        return ENOTSUP;
    if ((offset & (q->cluster - 1)) || (len != q->cluster && offset + len != image->size) ||
        len > q->cluster)
        return EINVAL;
    memcpy(plain, buf, len);
    n = pack(q, plain, packed);
    if (!n)
        return image->format->write(image, offset, buf, len);
    error = qcow2_set_dirty(q, true);
    if (!error)
        error = qcow2_entry(q, offset, &old);
    if (!error)
        error = take_room(q, n, &place);
    if (!error)
        error = image_file_write(q->fd, place, packed, n);
    if (error)
        return error;
    sectors = (place + n - 1) / SECTOR - place / SECTOR;
    error =
        qcow2_put(q, offset, &(Qcow2Entry){ .where = QCOW2_COMPRESSED | sectors << bits | place });
    return error ? error : qcow2_release(q, old.where);
}
