/* SPDX-License-Identifier: MIT */
#include "softmmu/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "config.h"
#include "softmmu/device.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/recording-format.h"

#if HAVE_ZSTD
#include <zstd.h>
#endif

#define FLUSH_BYTES  (256u << 10)
#define FLUSH_US     (200 * 1000) /* what a killed process may lose */
#define FILE_PART    (256u << 10) /* what fits the cache, and memory that malloc keeps at hand */
#define MAX_EVENT    (FRAME_MAX_BYTES / 2)
#define STREAM_LEVEL 3
#define FILE_LEVEL   1
#define COPY_LEVEL   19 /* slow, small */
#define COPY_BYTES   (1u << 20)

struct RecordWriter {
    int fd;
    uint64_t size; /* whole frames */
    uint32_t frames;
    GByteArray *items;
    RecordStamp last; /* of the items */
    int64_t flushed_us;
    unsigned channels; /* that it has names of */
    bool copies;       /* a recording that is whole: nothing is lost if this ends */
    char *failure;
};

int record_stamp_compare(const RecordStamp *a, const RecordStamp *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    return a->turn < b->turn ? -1 : a->turn > b->turn;
}

/* ---- Frames --------------------------------------------------------------------------------- */

static void fail(RecordWriter *w, const char *why)
{
    w->failure = g_strdup(why);
    if (ftruncate(w->fd, (off_t)w->size) != 0) {
        /* A pipe or device: what has gone has gone, and readers stop at the torn frame. */
    }
}

static void write_out(RecordWriter *w, const uint8_t *data, size_t len)
{
    size_t done = 0;

    while (!w->failure && done < len) {
        ssize_t n = write(w->fd, data + done, len - done);

        if (n > 0)
            done += n;
        else if (n == 0 || errno != EINTR)
            fail(w, n == 0 ? "nothing could be written" : g_strerror(errno));
    }
    if (!w->failure)
        w->size += len;
}

static void put_le(uint8_t *p, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = value >> 8 * i;
}

/* The payload of @out, which has room for it and @len more after the head; bytes as stored. */
static size_t compress_payload(uint8_t *out, const void *data, size_t len, int level)
{
#if HAVE_ZSTD
    size_t n = ZSTD_compress(out, len, data, len, level);

    if (!ZSTD_isError(n) && n < len)
        return n;
#endif
    memcpy(out, data, len);
    return len;
}

static void write_frame(RecordWriter *w, FrameType type, const void *data, size_t len, int level)
{
    g_autofree uint8_t *frame = NULL;
    size_t stored;

    g_assert(len <= FRAME_MAX_BYTES);
    if (w->failure)
        return;
    if (w->copies)
        level = COPY_LEVEL;
    frame = g_malloc(FRAME_HEAD + len);
    stored = compress_payload(frame + FRAME_HEAD, data, len, level);
    put_le(frame, type, 4);
    put_le(frame + 4, len, 4);
    put_le(frame + 8, stored, 4);
    put_le(frame + 12, w->frames++, 4);
    put_le(frame + FRAME_HASHED,
           state_hash_bytes(frame + FRAME_HEAD, stored, state_hash_bytes(frame, FRAME_HASHED, 0)),
           8);
    write_out(w, frame, FRAME_HEAD + stored);
}

/* ---- Before the stream ---------------------------------------------------------------------- */

static void write_strings(RecordWriter *w, FrameType type, const char *first,
                          const char *const *rest)
{
    g_autoptr(GByteArray) out = g_byte_array_new();

    if (first)
        g_byte_array_append(out, (const uint8_t *)first, strlen(first) + 1);
    for (; *rest; rest++)
        g_byte_array_append(out, (const uint8_t *)*rest, strlen(*rest) + 1);
    write_frame(w, type, out->data, out->len, STREAM_LEVEL);
}

static void write_file(RecordWriter *w, const char *name, GBytes *file)
{
    size_t len, at = 0;
    const uint8_t *data = g_bytes_get_data(file, &len);
    size_t part;

    do {
        g_autoptr(GByteArray) out = g_byte_array_new();
        uint8_t last;

        part = MIN(len - at, FILE_PART);
        last = at + part == len;
        g_byte_array_append(out, (const uint8_t *)name, strlen(name) + 1);
        g_byte_array_append(out, &last, 1);
        if (part)
            g_byte_array_append(out, data + at, part);
        write_frame(w, FRAME_FILE, out->data, out->len, FILE_LEVEL);
        at += part;
    } while (at < len);
}

static void write_files(RecordWriter *w, HostFiles *files)
{
    g_autoptr(GList) names = host_files_names(files);

    for (GList *n = names; n; n = n->next) {
        g_autoptr(GBytes) data = NULL;

        if (host_files_find(files, n->data, &data, NULL) && data)
            write_file(w, n->data, data);
    }
}

/* Empty (what is no plain file cannot be, nor need it), and nobody else's who records. -1 with
 * @error. */
static int open_file(const char *path, GError **error)
{
    int fd = host_open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);

    if (fd < 0) {
        error_set(error, "could not create '%s': %s", path, g_strerror(errno));
        return -1;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) {
        error_set(error, "could not create '%s': another recording is being written to it", path);
        close(fd);
        return -1;
    }
    if (ftruncate(fd, 0) && errno != EINVAL) {
        error_set(error, "could not create '%s': %s", path, g_strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

static RecordWriter *create(const char *path, GError **error)
{
    RecordWriter *w;
    int fd;

    if (!HAVE_ZSTD) {
        error_set(error, "this build cannot record: it was made without zstd");
        return NULL;
    }
    fd = open_file(path, error);
    if (fd < 0)
        return NULL;
    w = g_new0(RecordWriter, 1);
    w->fd = fd;
    w->items = g_byte_array_new();
    write_out(w, (const uint8_t *)RECORD_MAGIC, RECORD_MAGIC_LEN);
    return w;
}

/* @w, or NULL with @error if it could not be written so far. */
static RecordWriter *check_begun(RecordWriter *w, const char *path, GError **error)
{
    if (!w->failure)
        return w;
    error_set(error, "could not write '%s': %s", path, w->failure);
    record_close(w);
    return NULL;
}

RecordWriter *record_create(const char *path, char **args, HostFiles *files, GError **error)
{
    RecordWriter *w = create(path, error);

    if (!w)
        return NULL;
    write_strings(w, FRAME_CONFIG, MIMUS_VERSION, (const char *const *)args);
    write_files(w, files);
    return check_begun(w, path, error);
}

RecordWriter *record_create_copy(const char *path, const RecordReader *r, GError **error)
{
    RecordWriter *w = create(path, error);

    if (!w)
        return NULL;
    w->copies = true;
    write_strings(w, FRAME_CONFIG, record_version(r), (const char *const *)record_args(r));
    write_files(w, record_files(r));
    if (record_board_shape(r))
        record_board(w, (const char *const *)record_board_shape(r));
    record_channels(w, (const char *const *)record_channel_names(r));
    return check_begun(w, path, error);
}

void record_board(RecordWriter *w, const char *const *shape)
{
    write_strings(w, FRAME_BOARD, NULL, shape);
}

void record_channels(RecordWriter *w, const char *const *names)
{
    record_flush(w); /* what came before them */
    w->channels = g_strv_length((char **)names);
    write_strings(w, FRAME_CHANNELS, NULL, names);
}

/* ---- The stream ----------------------------------------------------------------------------- */

static void put_number(GByteArray *out, uint64_t value)
{
    uint8_t byte;

    do {
        byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);
        g_byte_array_append(out, &byte, 1);
    } while (value >>= 7);
}

static void put_head(RecordWriter *w, RecordKind kind, const RecordStamp *at)
{
    uint8_t byte = kind;

    g_byte_array_append(w->items, &byte, 1);
    put_number(w->items, at->count - w->last.count);
    put_number(w->items, at->time_ns - w->last.time_ns);
    put_number(w->items, at->turn - w->last.turn);
    w->last = *at;
}

static bool is_late(const RecordWriter *w)
{
    return g_get_monotonic_time() - w->flushed_us >= FLUSH_US;
}

static void flush_if_due(RecordWriter *w)
{
    bool due = w->copies ? w->items->len >= COPY_BYTES : w->items->len >= FLUSH_BYTES || is_late(w);

    if (due)
        record_flush(w);
}

void record_event(RecordWriter *w, const RecordStamp *at, unsigned channel, const void *data,
                  size_t len)
{
    g_assert(len <= MAX_EVENT);
    if (w->failure)
        return;
    put_head(w, RECORD_EVENT, at);
    put_number(w->items, channel);
    put_number(w->items, len);
    if (len)
        g_byte_array_append(w->items, data, len);
    flush_if_due(w);
}

static void put_hash(RecordWriter *w, RecordKind kind, const RecordStamp *at, uint64_t hash)
{
    uint8_t bytes[8];

    if (w->failure)
        return;
    put_head(w, kind, at);
    put_le(bytes, hash, 8);
    g_byte_array_append(w->items, bytes, 8);
    flush_if_due(w);
}

void record_hash(RecordWriter *w, const RecordStamp *at, uint64_t hash)
{
    put_hash(w, RECORD_HASH, at, hash);
}

void record_end(RecordWriter *w, const RecordStamp *at, uint64_t hash)
{
    put_hash(w, RECORD_END, at, hash);
    record_flush(w);
}

void record_item(RecordWriter *w, const RecordReader *r, const RecordItem *item)
{
    const char *const *names = (const char *const *)record_channel_names(r);

    if (g_strv_length((char **)names) > w->channels)
        record_channels(w, names);
    switch (item->kind) {
    case RECORD_EVENT: record_event(w, &item->at, item->channel, item->data, item->len); break;
    case RECORD_HASH: record_hash(w, &item->at, item->hash); break;
    case RECORD_END: record_end(w, &item->at, item->hash); break;
    }
}

void record_flush(RecordWriter *w)
{
    w->flushed_us = g_get_monotonic_time();
    if (!w->items->len)
        return;
    write_frame(w, FRAME_STREAM, w->items->data, w->items->len, STREAM_LEVEL);
    g_byte_array_set_size(w->items, 0);
    w->last = (RecordStamp){ 0 };
}

void record_flush_late(RecordWriter *w)
{
    if (is_late(w))
        record_flush(w);
}

const char *record_failure(const RecordWriter *w)
{
    return w->failure;
}

uint64_t record_size(const RecordWriter *w)
{
    return w->size;
}

void record_close(RecordWriter *w)
{
    if (!w)
        return;
    record_flush(w);
    close(w->fd);
    g_byte_array_free(w->items, TRUE);
    g_free(w->failure);
    g_free(w);
}
