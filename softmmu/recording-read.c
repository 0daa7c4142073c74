/* SPDX-License-Identifier: MIT */
/* Nothing in a file is trusted: every length is checked before it is used. */
#include "softmmu/recording.h"

#include <string.h>

#include "config.h"
#include "softmmu/device.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/recording-format.h"

#if HAVE_ZSTD
#include <zstd.h>
#endif

#define MAX_FILES_BYTES (UINT64_C(4) << 30)
#define MAX_STRINGS     4096

struct RecordReader {
    GBytes *file;
    const uint8_t *data;
    size_t size, pos;
    uint32_t frames;
    uint8_t *payload; /* of the frame in hand, and a NUL */
    size_t payload_len, at;
    size_t frame_pos; /* where it is in the file, once one of the stream is in hand */
    RecordStamp last;
    bool ended;
    char *damage;
    char *version;
    char **args, **board, **channels;
    HostFiles *files;
    uint64_t files_size; /* of their frames */
};

static uint64_t get_le(const uint8_t *p, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)p[i] << 8 * i;
    return value;
}

G_GNUC_PRINTF(2, 3) static bool damaged(RecordReader *r, const char *format, ...)
{
    va_list ap;

    if (r->damage)
        return false;
    va_start(ap, format);
    r->damage = g_strdup_vprintf(format, ap);
    va_end(ap);
    return false;
}

/* ---- Frames --------------------------------------------------------------------------------- */

static bool unpack(RecordReader *r, const uint8_t *stored, size_t stored_len, size_t len)
{
    g_free(r->payload);
    r->payload = g_malloc(len + 1);
    r->payload[len] = 0;
    r->payload_len = len;
    r->at = 0;
    if (stored_len == len) {
        memcpy(r->payload, stored, len);
        return true;
    }
#if HAVE_ZSTD
    if (ZSTD_decompress(r->payload, len, stored, stored_len) == len)
        return true;
    return damaged(r, "frame %u does not decompress", r->frames);
#else
    return damaged(r, "it is compressed, and this build was made without zstd");
#endif
}

/* The next frame into r->payload. False: no more, or damage. */
static bool next_frame(RecordReader *r, uint32_t *type)
{
    const uint8_t *head = r->data + r->pos;
    size_t left = r->size - r->pos, len, stored;

    if (!left)
        return false;
    if (left < FRAME_HEAD)
        return damaged(r, "it is cut off in the head of frame %u", r->frames);
    len = get_le(head + 4, 4);
    stored = get_le(head + 8, 4);
    if (len > FRAME_MAX_BYTES || stored > len || get_le(head + 12, 4) != r->frames)
        return damaged(r, "the head of frame %u is damaged", r->frames);
    if (left - FRAME_HEAD < stored)
        return damaged(r, "it is cut off in frame %u", r->frames);
    if (get_le(head + FRAME_HASHED, 8) !=
        state_hash_bytes(head + FRAME_HEAD, stored, state_hash_bytes(head, FRAME_HASHED, 0)))
        return damaged(r, "frame %u is damaged", r->frames);
    if (!unpack(r, head + FRAME_HEAD, stored, len))
        return false;
    *type = get_le(head, 4);
    r->pos += FRAME_HEAD + stored;
    r->files_size += *type == FRAME_FILE ? FRAME_HEAD + stored : 0;
    r->frames++;
    return true;
}

/* ---- Before the stream ---------------------------------------------------------------------- */

static char **take_strings(RecordReader *r)
{
    g_autoptr(GPtrArray) strings = g_ptr_array_new_with_free_func(g_free);
    const uint8_t *p = r->payload, *end = p + r->payload_len;

    if (r->payload_len && end[-1])
        return NULL;
    while (p < end) {
        g_ptr_array_add(strings, g_strdup((const char *)p));
        p += strlen((const char *)p) + 1;
    }
    if (strings->len > MAX_STRINGS)
        return NULL;
    g_ptr_array_add(strings, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&strings), FALSE);
}

static bool take_config(RecordReader *r)
{
    char **strings = take_strings(r);

    if (!strings || !strings[0]) {
        g_strfreev(strings);
        return damaged(r, "its configuration is damaged");
    }
    r->version = strings[0];
    r->args = g_strdupv(strings + 1);
    for (char **s = strings + 1; *s; s++)
        g_free(*s);
    g_free(strings);
    return true;
}

/* Parts of a file that came so far. */
typedef struct Parts {
    char *name;
    GByteArray *data;
    uint64_t total;
} Parts;

static bool take_file(RecordReader *r, Parts *parts)
{
    const char *name = (const char *)r->payload;
    size_t len = strlen(name) + 1;

    if (len + 1 > r->payload_len || (parts->name && strcmp(parts->name, name)))
        return damaged(r, "a file in it is damaged");
    parts->total += r->payload_len - len - 1;
    if (parts->total > MAX_FILES_BYTES)
        return damaged(r, "the files in it are too large");
    if (!parts->name) {
        parts->name = g_strdup(name);
        parts->data = g_byte_array_new();
    }
    g_byte_array_append(parts->data, r->payload + len + 1, r->payload_len - len - 1);
    if (r->payload[len]) {
        g_autoptr(GBytes) data = g_byte_array_free_to_bytes(g_steal_pointer(&parts->data));

        host_files_add(r->files, name, data);
        g_clear_pointer(&parts->name, g_free);
    }
    return true;
}

static bool take_preamble(RecordReader *r)
{
    Parts parts = { 0 };
    uint32_t type;
    bool good = true;

    while (good && !r->channels && next_frame(r, &type)) {
        if (type == FRAME_CONFIG && !r->version)
            good = take_config(r);
        else if (type == FRAME_FILE && r->version)
            good = take_file(r, &parts);
        else if (type == FRAME_BOARD && r->version && !r->board && !parts.name)
            good = (r->board = take_strings(r)) || damaged(r, "its list of devices is damaged");
        else if (type == FRAME_CHANNELS && r->version && !parts.name)
            good = (r->channels = take_strings(r)) || damaged(r, "its channels are damaged");
        else
            good = damaged(r, "frame %u is of an unknown kind, or out of place", r->frames - 1);
    }
    if (!r->channels)
        damaged(r, "it is cut off before the run began");
    g_free(parts.name);
    if (parts.data)
        g_byte_array_free(parts.data, TRUE);
    g_clear_pointer(&r->payload, g_free);
    r->payload_len = r->at = 0;
    return r->channels;
}

RecordReader *record_open_bytes(GBytes *file, GError **error)
{
    RecordReader *r = g_new0(RecordReader, 1);

    r->file = g_bytes_ref(file);
    r->data = g_bytes_get_data(file, &r->size);
    r->files = host_files_new(true);
    if (r->size < RECORD_MAGIC_LEN || memcmp(r->data, RECORD_MAGIC, 8)) {
        damaged(r, "it is not a recording");
    } else if (memcmp(r->data, RECORD_MAGIC, RECORD_MAGIC_LEN)) {
        damaged(r, "it has version %u of the format, and this Mimus reads version %u",
                (unsigned)get_le(r->data + 8, 4), RECORD_VERSION);
    } else {
        r->pos = RECORD_MAGIC_LEN;
        if (take_preamble(r))
            return r;
    }
    error_set(error, "%s", r->damage);
    record_reader_free(r);
    return NULL;
}

RecordReader *record_open(const char *path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    g_autoptr(GBytes) bytes = NULL;
    RecordReader *r;
    char *data;
    gsize size;

    if (!host_read_file(path, &data, &size, &reason)) {
        error_set(error, "%s", reason->message);
        return NULL;
    }
    bytes = g_bytes_new_take(data, size);
    r = record_open_bytes(bytes, error);
    if (!r)
        g_prefix_error(error, "cannot replay '%s': ", path);
    return r;
}

void record_reader_free(RecordReader *r)
{
    if (!r)
        return;
    g_bytes_unref(r->file);
    g_free(r->payload);
    g_free(r->damage);
    g_free(r->version);
    g_strfreev(r->args);
    g_strfreev(r->board);
    g_strfreev(r->channels);
    host_files_free(r->files);
    g_free(r);
}

/* ---- The stream ----------------------------------------------------------------------------- */

static bool take_number(RecordReader *r, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && r->at < r->payload_len; shift += 7) {
        uint8_t byte = r->payload[r->at++];

        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool take_stamp(RecordReader *r, RecordStamp *at)
{
    uint64_t count, time_ns, turn;

    if (!take_number(r, &count) || !take_number(r, &time_ns) || !take_number(r, &turn))
        return false;
    *at = (RecordStamp){ r->last.count + count, r->last.time_ns + time_ns, r->last.turn + turn };
    r->last = *at;
    return true;
}

static bool take_event(RecordReader *r, RecordItem *item)
{
    uint64_t channel, len;

    if (!take_number(r, &channel) || !take_number(r, &len) || len > r->payload_len - r->at)
        return false;
    if (channel >= g_strv_length(r->channels) || !r->channels[channel][0])
        return false;
    item->channel = channel;
    item->data = r->payload + r->at;
    item->len = len;
    r->at += len;
    return true;
}

static bool take_hash(RecordReader *r, RecordItem *item)
{
    if (r->payload_len - r->at < 8)
        return false;
    item->hash = get_le(r->payload + r->at, 8);
    r->at += 8;
    return true;
}

static bool take_item(RecordReader *r, RecordItem *item)
{
    *item = (RecordItem){ .kind = r->payload[r->at++] };
    if (!take_stamp(r, &item->at))
        return false;
    switch (item->kind) {
    case RECORD_EVENT: return take_event(r, item);
    case RECORD_HASH: return take_hash(r, item);
    case RECORD_END: return r->ended = take_hash(r, item);
    }
    return false;
}

/* Those that came later, behind those that are known (more, if this was read before). */
static bool take_more_channels(RecordReader *r)
{
    char **names = take_strings(r);
    guint known = g_strv_length(r->channels), count = names ? g_strv_length(names) : 0;

    for (guint i = 0; i < MIN(known, count); i++)
        if (strcmp(names[i], r->channels[i]))
            count = 0;
    if (count > known) {
        g_strfreev(r->channels);
        r->channels = g_steal_pointer(&names);
    }
    g_strfreev(names);
    r->at = r->payload_len; /* there is nothing else in it */
    return count || damaged(r, "frame %u makes no sense", r->frames - 1);
}

/* The next frame: one with items, or of a kind that has none. */
static bool next_stream_frame(RecordReader *r)
{
    uint32_t type;

    r->frame_pos = r->pos;
    if (!next_frame(r, &type))
        return damaged(r, "it was not ended");
    if (type == FRAME_CHANNELS)
        return take_more_channels(r);
    if (type != FRAME_STREAM)
        return damaged(r, "frame %u is of an unknown kind, or out of place", r->frames - 1);
    r->last = (RecordStamp){ 0 };
    return true;
}

bool record_next(RecordReader *r, RecordItem *item)
{
    if (r->ended || r->damage)
        return false;
    while (r->at == r->payload_len)
        if (!next_stream_frame(r))
            return false;
    if (!take_item(r, item))
        return damaged(r, "frame %u makes no sense", r->frames - 1);
    return true;
}

RecordPlace record_place(const RecordReader *r)
{
    RecordPlace p = { .pos = r->pos, .frames = r->frames, .last = r->last, .ended = r->ended };

    p.in_frame = r->at < r->payload_len || r->ended;
    if (p.in_frame) {
        p.pos = r->frame_pos;
        p.frames--;
        p.at = r->at;
    }
    return p;
}

void record_seek(RecordReader *r, const RecordPlace *p)
{
    bool in_hand =
        p->in_frame && r->payload_len && r->frame_pos == p->pos && r->frames == p->frames + 1;
    uint32_t type;

    g_clear_pointer(&r->damage, g_free);
    if (!in_hand) {
        r->pos = r->frame_pos = p->pos;
        r->frames = p->frames;
        r->payload_len = 0;
        if (p->in_frame && !next_frame(r, &type))
            g_assert_not_reached(); /* it could once */
    }
    r->at = p->in_frame ? p->at : r->payload_len;
    r->last = p->last;
    r->ended = p->ended;
}

const char *record_damage(const RecordReader *r)
{
    return r->damage;
}

const char *record_version(const RecordReader *r)
{
    return r->version;
}

char **record_args(const RecordReader *r)
{
    return r->args;
}

char **record_board_shape(const RecordReader *r)
{
    return r->board;
}

HostFiles *record_files(const RecordReader *r)
{
    return r->files;
}

char **record_channel_names(const RecordReader *r)
{
    return r->channels;
}

uint64_t record_file_size(const RecordReader *r)
{
    return r->size;
}

uint64_t record_stream_size(const RecordReader *r)
{
    return r->size - r->files_size;
}
