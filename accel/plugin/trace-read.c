/* SPDX-License-Identifier: MIT */
/* Reading native traces. The file is not trusted: every length is checked. */
#include "accel/plugin/trace-file.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

typedef struct Slot {
    uint64_t addr, value;
} Slot;

typedef struct Site {
    uint64_t pc;
    struct Site *next; /* predicted */
    uint32_t naccesses;
    uint8_t size;
    uint8_t bytes[TRACE_INSN_MAX];
    Slot slot[TRACE_SLOTS];
} Site;

typedef struct Stream {
    const uint8_t *at, *end;
} Stream;

struct TraceReader {
    FILE *file;
    uint64_t size, count;
    bool whole;
    GArray *index; /* of {offset, first instruction} */
    /* the frame that is being read */
    uint64_t frame; /* the next one */
    uint8_t *raw;
    Stream stream[TRACE_STREAMS];
    GHashTable *sites;
    uint64_t left, number; /* instructions left in it; number of the next one */
    uint64_t run;
    Site *current;
    uint64_t last_pc;
    uint8_t cpu;
    bool has_pending; /* the site after the run is known already */
    Site *pending;
    bool ended, abort_next;
    TraceAccess *access;
    uint32_t access_room;
};

#define ENTRY(r, i) ((uint64_t *)(void *)(r)->index->data + 2 * (i))

static void set_why(const char **why, const char *text)
{
    *why = text;
}

/* ---- The file ----------------------------------------------------------------------------------
 */

static bool read_at(TraceReader *r, uint64_t offset, void *buf, size_t len)
{
    return offset <= r->size && len <= r->size - offset &&
           !fseeko(r->file, (off_t)offset, SEEK_SET) && fread(buf, 1, len, r->file) == len;
}

static bool read_head(TraceReader *r, uint64_t offset, TraceFrameHead *h)
{
    return read_at(r, offset, h, sizeof(*h)) && !memcmp(h->magic, TRACE_FRAME, 4) &&
           h->compressed <= r->size - offset - sizeof(*h) && h->raw <= TRACE_FRAME_MAX * 4u &&
           h->raw >= TRACE_STREAMS * 4;
}

static void walk_frames(TraceReader *r)
{
    uint64_t offset = 16;
    TraceFrameHead h;

    while (read_head(r, offset, &h)) {
        uint64_t entry[2] = { offset, h.first };
        g_array_append_val(r->index, entry[0]);
        g_array_append_val(r->index, entry[1]);
        r->count = h.first + h.count;
        offset += sizeof(h) + h.compressed;
    }
}

static bool read_index(TraceReader *r)
{
    struct {
        uint64_t n;
        char end[8];
    } tail;
    TraceFrameHead h;

    if (r->size < 32 || !read_at(r, r->size - 16, &tail, 16) || memcmp(tail.end, TRACE_END, 8) ||
        tail.n > (r->size - 32) / 16)
        return false;
    g_array_set_size(r->index, (guint)(2 * tail.n));
    if (!read_at(r, r->size - 16 - 16 * tail.n, r->index->data, 16 * tail.n))
        return false;
    for (uint64_t i = 0; i < tail.n; i++)
        if (!read_head(r, ENTRY(r, i)[0], &h) || h.first != ENTRY(r, i)[1] ||
            (i && h.first < ENTRY(r, i - 1)[1]))
            return false;
    r->count = tail.n ? h.first + h.count : 0;
    return true;
}

TraceReader *trace_reader_open(const char *path, const char **why)
{
    TraceReader *r = g_new0(TraceReader, 1);
    char head[16];
    uint32_t version;

    *why = NULL;
    r->index = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    r->sites = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    r->file = fopen(path, "re");
    if (!r->file) {
        *why = g_strerror(errno);
    } else if (!fseeko(r->file, 0, SEEK_END)) {
        r->size = (uint64_t)ftello(r->file);
        if (!read_at(r, 0, head, 16) || memcmp(head, TRACE_MAGIC, 8))
            set_why(why, "it is no trace of Mimus");
        else if (memcpy(&version, head + 8, 4), version != TRACE_VERSION)
            set_why(why, "it is a trace of another version");
    } else {
        *why = g_strerror(errno);
    }
    if (*why) {
        trace_reader_close(r);
        return NULL;
    }
    r->whole = read_index(r);
    if (!r->whole) {
        g_array_set_size(r->index, 0);
        walk_frames(r);
    }
    return r;
}

void trace_reader_close(TraceReader *r)
{
    if (r->file)
        fclose(r->file);
    g_array_unref(r->index);
    g_hash_table_unref(r->sites);
    g_free(r->raw);
    g_free(r->access);
    g_free(r);
}

uint64_t trace_reader_frames(const TraceReader *r)
{
    return r->index->len / 2;
}

uint64_t trace_reader_count(const TraceReader *r)
{
    return r->count;
}

bool trace_reader_is_whole(const TraceReader *r)
{
    return r->whole;
}

/* ---- A frame -----------------------------------------------------------------------------------
 */

static bool unpack(TraceReader *r, const TraceFrameHead *h, uint64_t offset)
{
    g_autofree uint8_t *packed = g_malloc(h->compressed + 1);
    size_t at = TRACE_STREAMS * 4;

    g_free(r->raw);
    r->raw = g_malloc(h->raw);
    if (!read_at(r, offset + sizeof(*h), packed, h->compressed) ||
        trace_sum(packed, h->compressed) != h->sum ||
        ZSTD_decompress(r->raw, h->raw, packed, h->compressed) != h->raw)
        return false;
    for (unsigned i = 0; i < TRACE_STREAMS; i++) {
        uint32_t len;
        memcpy(&len, r->raw + 4 * i, 4);
        if (len > h->raw - at)
            return false;
        r->stream[i] = (Stream){ r->raw + at, r->raw + at + len };
        at += len;
    }
    return at == h->raw;
}

static bool get_varint(Stream *s, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; shift < 70 && s->at < s->end; shift += 7) {
        uint8_t b = *s->at++;
        *v |= shift < 64 ? (uint64_t)(b & 0x7f) << shift : 0;
        if (!(b & 0x80))
            return true;
    }
    return false;
}

static bool get_signed(Stream *s, uint64_t *v)
{
    uint64_t z;

    if (!get_varint(s, &z))
        return false;
    *v = z >> 1 ^ (0 - (z & 1));
    return true;
}

static bool load_frame(TraceReader *r)
{
    TraceFrameHead h;
    uint64_t offset = ENTRY(r, r->frame)[0];

    if (!read_head(r, offset, &h) || !unpack(r, &h, offset))
        return false;
    r->frame++;
    g_hash_table_remove_all(r->sites);
    r->left = h.count;
    r->number = h.first;
    r->current = r->pending = NULL;
    r->has_pending = false;
    r->last_pc = 0;
    r->cpu = 0;
    return get_varint(&r->stream[TRACE_CONTROL], &r->run);
}

static bool define_site(TraceReader *r, Site *s)
{
    Stream *c = &r->stream[TRACE_CONTROL];
    uint64_t distance, size;

    if (!get_signed(c, &distance) || !get_varint(c, &size) || size > TRACE_INSN_MAX ||
        size > (uint64_t)(c->end - c->at))
        return false;
    s->pc = r->last_pc += distance;
    s->size = (uint8_t)size;
    memcpy(s->bytes, c->at, size);
    c->at += size;
    return true;
}

/* The entry after a run. Sets abort_next, cpu, or pending. */
static bool read_entry(TraceReader *r)
{
    Stream *c = &r->stream[TRACE_CONTROL];
    uint64_t what, n;
    Site *s;

    if (!get_varint(c, &what))
        return false;
    if (what == 0) {
        r->abort_next = true;
    } else if (what == 1) {
        if (!get_varint(c, &n))
            return false;
        r->cpu = (uint8_t)n;
    } else {
        s = g_hash_table_lookup(r->sites, (void *)(uintptr_t)what);
        if (!s) {
            s = g_new0(Site, 1);
            g_hash_table_insert(r->sites, (void *)(uintptr_t)what, s);
            if (!define_site(r, s))
                return false;
        }
        if (!get_varint(c, &n) || n > UINT32_MAX)
            return false;
        s->naccesses = (uint32_t)n;
        r->pending = s;
        r->has_pending = true;
        return true;
    }
    return get_varint(c, &r->run);
}

static bool read_access(TraceReader *r, Site *s, uint32_t n)
{
    Slot *slot = &s->slot[MIN(n, TRACE_SLOTS - 1)];
    Stream *kinds = &r->stream[TRACE_KINDS], *values = &r->stream[TRACE_VALUES];
    TraceAccess *a = &r->access[n];
    uint64_t distance;
    uint8_t kind;

    if (kinds->at == kinds->end || !get_signed(&r->stream[TRACE_ADDRS], &distance))
        return false;
    kind = *kinds->at++;
    *a = (TraceAccess){ .addr = slot->addr += distance, .size = kind & 0x7f, .store = kind & 0x80 };
    if (a->size == 0 || a->size > 32)
        return false;
    if (a->size > 8) {
        if (a->size > values->end - values->at)
            return false;
        memcpy(a->value, values->at, a->size);
        values->at += a->size;
        return true;
    }
    if (!get_signed(values, &distance))
        return false;
    slot->value += distance;
    memcpy(a->value, &slot->value, 8);
    return true;
}

static bool read_accesses(TraceReader *r, Site *s)
{
    const Stream *kinds = &r->stream[TRACE_KINDS];

    if (s->naccesses > (uint64_t)(kinds->end - kinds->at))
        return false;
    if (s->naccesses > r->access_room) {
        r->access_room = s->naccesses;
        r->access = g_renew(TraceAccess, r->access, r->access_room);
    }
    for (uint32_t i = 0; i < s->naccesses; i++)
        if (!read_access(r, s, i))
            return false;
    return true;
}

/* What comes next: its site; NULL: the frame is damaged. */
static Site *next_site(TraceReader *r)
{
    Site *s;

    while (!r->run && !r->has_pending) {
        r->abort_next = false;
        if (!read_entry(r))
            return NULL;
    }
    if (r->run) {
        r->run--;
        return r->current ? r->current->next : NULL;
    }
    s = r->pending;
    r->has_pending = false;
    if (r->current)
        r->current->next = s;
    if (!get_varint(&r->stream[TRACE_CONTROL], &r->run))
        return NULL;
    return s;
}

/* Does the mark that it faulted follow the instruction just read? */
static bool is_aborted(TraceReader *r)
{
    r->abort_next = false;
    while (!r->run && !r->has_pending && !r->abort_next &&
           r->stream[TRACE_CONTROL].at < r->stream[TRACE_CONTROL].end)
        if (!read_entry(r))
            break;
    return r->abort_next;
}

bool trace_reader_next(TraceReader *r, TraceInsn *out, const char **why)
{
    static const char *const damaged = "the file is damaged";
    Site *s;

    *why = NULL;
    while (!r->left) {
        if (r->frame == trace_reader_frames(r))
            return false;
        if (!load_frame(r)) {
            *why = damaged;
            return false;
        }
    }
    out->cpu = r->cpu;
    s = next_site(r);
    if (!s || !read_accesses(r, s)) {
        *why = damaged;
        return false;
    }
    r->current = s;
    r->left--;
    out->cpu = r->cpu;
    out->pc = s->pc;
    out->number = r->number++;
    out->size = s->size;
    memcpy(out->bytes, s->bytes, sizeof(out->bytes));
    out->naccesses = s->naccesses;
    out->access = r->access;
    out->aborted = is_aborted(r);
    return true;
}

bool trace_reader_seek(TraceReader *r, uint64_t number)
{
    uint64_t frame = 0;
    const char *why;
    TraceInsn insn;

    while (frame + 1 < trace_reader_frames(r) && ENTRY(r, frame + 1)[1] <= number)
        frame++;
    r->frame = frame;
    r->left = 0;
    if (number >= r->count)
        return false;
    r->number = frame < trace_reader_frames(r) ? ENTRY(r, frame)[1] : 0;
    while (r->number < number)
        if (!trace_reader_next(r, &insn, &why))
            return false;
    return true;
}
