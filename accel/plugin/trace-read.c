/* SPDX-License-Identifier: MIT */
/* Reading native traces. The file is not trusted: every length is checked. */
#include "accel/plugin/trace-file.h"

#include <errno.h>
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>

#include "accel/plugin/mimus-plugin.h"

typedef struct Step {
    uint64_t offset; /* of an instruction */
    uint64_t addr, value;
    uint64_t distance; /* from the address of the step that is … */
    uint32_t beside;   /* … so many before it; 0: it has one of its own */
    bool remembers;    /* TRACE_STEP_REMEMBERS */
    uint8_t kind, size;
    uint8_t bytes[TRACE_INSN_MAX];
} Step;

typedef struct Path {
    uint64_t base;
    struct Path *next; /* predicted */
    uint32_t nsteps;
    Step step[];
} Path;

typedef struct Stream {
    const uint8_t *at, *end;
} Stream;

struct TraceReader {
    FILE *file;
    uint64_t size, count;
    bool whole;
    bool has_memory; /* its version */
    GArray *index;   /* of {offset, first instruction} */
    /* the frame that is being read */
    uint64_t frame; /* the next one */
    uint8_t *raw[TRACE_STREAMS];
    Stream stream[TRACE_STREAMS];
    GPtrArray *paths;
    uint64_t left, number; /* instructions left in it; number of the next one */
    uint64_t run;          /* predicted runs that come */
    TraceMemory memory[TRACE_MEMORY];
    bool at_end; /* there is nothing more */
    Path *path;  /* its steps from `at` to `to` come */
    uint32_t at, to;
    bool predicts;   /* its successor */
    bool from_begin; /* it is gone from its first step */
    uint64_t new_base;
    uint8_t cpu;
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

static uint64_t packed_size(const TraceFrameHead *h)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < TRACE_STREAMS; i++)
        sum += h->packed[i];
    return sum;
}

static bool has_sizes(const TraceFrameHead *h, uint64_t room)
{
    for (unsigned i = 0; i < TRACE_STREAMS; i++)
        if (h->raw[i] > TRACE_STREAM_MAX)
            return false;
    return packed_size(h) <= room;
}

static bool read_head(TraceReader *r, uint64_t offset, TraceFrameHead *h)
{
    return read_at(r, offset, (char *)h, sizeof(*h)) && !memcmp(h->magic, TRACE_FRAME, 4) &&
           has_sizes(h, r->size - offset - sizeof(*h));
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
        offset += sizeof(h) + packed_size(&h);
    }
}

static bool read_index(TraceReader *r)
{
    struct TRACE_ORDER {
        uint64_t n;
        char end[8];
    } tail;
    TraceFrameHead h;

    if (r->size < 32 || !read_at(r, r->size - 16, (char *)&tail, 16) ||
        memcmp(tail.end, TRACE_END, 8) || tail.n > (r->size - 32) / 16)
        return false;
    g_array_set_size(r->index, (guint)(2 * tail.n));
    if (!read_at(r, r->size - 16 - 16 * tail.n, r->index->data, 16 * tail.n))
        return false;
    for (uint64_t i = 0; i < 2 * tail.n; i++)
        ENTRY(r, 0)[i] = TRACE_LE64(ENTRY(r, 0)[i]);
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
    uint32_t version = 0;

    *why = NULL;
    r->index = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    r->paths = g_ptr_array_new_with_free_func(g_free);
    r->file = fopen(path, "re");
    if (!r->file) {
        *why = g_strerror(errno);
    } else if (!fseeko(r->file, 0, SEEK_END)) {
        r->size = (uint64_t)ftello(r->file);
        if (!read_at(r, 0, head, 16) || memcmp(head, TRACE_MAGIC, 8))
            set_why(why, "it is no trace of Mimus");
        else if (memcpy(&version, head + 8, 4), TRACE_LE32(version) - 2 > TRACE_VERSION - 2)
            set_why(why, "it is a trace of another version");
        r->has_memory = TRACE_LE32(version) >= 4;
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
    g_ptr_array_unref(r->paths);
    for (unsigned i = 0; i < TRACE_STREAMS; i++)
        g_free(r->raw[i]);
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
    size_t size = packed_size(h), at = 0;
    g_autofree uint8_t *packed = g_malloc(size + 1);
    uint32_t sum = trace_sum(0, (const char *)h + TRACE_SUMMED, sizeof(*h) - TRACE_SUMMED);

    if (!read_at(r, offset + sizeof(*h), packed, size) || trace_sum(sum, packed, size) != h->sum)
        return false;
    for (unsigned i = 0; i < TRACE_STREAMS; i++) {
        g_free(r->raw[i]);
        r->raw[i] = g_malloc(h->raw[i] + 1u);
        if (ZSTD_decompress(r->raw[i], h->raw[i], packed + at, h->packed[i]) != h->raw[i])
            return false;
        at += h->packed[i];
        r->stream[i] = (Stream){ r->raw[i], r->raw[i] + h->raw[i] };
    }
    return true;
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

static bool get_run(TraceReader *r)
{
    return get_varint(&r->stream[TRACE_CONTROL], &r->run);
}

static bool load_frame(TraceReader *r)
{
    TraceFrameHead h;
    uint64_t offset = ENTRY(r, r->frame)[0];

    if (!read_head(r, offset, &h) || !unpack(r, &h, offset))
        return false;
    r->frame++;
    g_ptr_array_set_size(r->paths, 0);
    r->left = h.count;
    r->number = h.first;
    r->path = NULL;
    r->at = r->to = 0;
    r->new_base = 0;
    r->cpu = 0;
    r->at_end = false;
    memset(r->memory, 0, sizeof(r->memory));
    return get_run(r);
}

static bool get_bytes(Stream *s, void *to, unsigned n)
{
    if (n > s->end - s->at)
        return false;
    memcpy(to, s->at, n);
    s->at += n;
    return true;
}

/* Of the step @s, which has @before others before it, where @byte announces that. */
static bool get_beside(Stream *c, Step *s, unsigned before, uint8_t *byte)
{
    uint64_t back;

    if (!get_bytes(c, byte, 1))
        return false;
    if (*byte != TRACE_STEP_BESIDE)
        return true;
    if (!get_varint(c, &back) || !back || back > before ||
        s[-(int64_t)back].kind == TRACE_STEP_INSN)
        return false;
    s->beside = (uint32_t)back;
    return get_signed(c, &s->distance) && get_bytes(c, byte, 1);
}

static bool define_step(Stream *c, Step *s, unsigned before, uint64_t *end)
{
    uint64_t distance;
    uint8_t byte;

    if (!get_beside(c, s, before, &byte))
        return false;
    s->kind = byte & 3;
    s->size = byte >> 2;
    if (s->kind != TRACE_STEP_INSN)
        return s->kind <= TRACE_STEP_STORE && s->size && s->size <= TRACE_ACCESS_MAX;
    if (s->beside || !get_signed(c, &distance) || s->size > TRACE_INSN_MAX ||
        s->size > c->end - c->at)
        return false;
    s->offset = *end + distance;
    *end = s->offset + s->size;
    memcpy(s->bytes, c->at, s->size);
    c->at += s->size;
    return true;
}

static Path *define_path(TraceReader *r)
{
    Stream *c = &r->stream[TRACE_CONTROL];
    uint64_t nsteps, end = 0;
    Path *p;

    if (!get_varint(c, &nsteps) || !nsteps || nsteps > TRACE_STEPS_MAX)
        return NULL;
    p = g_malloc0(sizeof(*p) + nsteps * sizeof(Step));
    g_ptr_array_add(r->paths, p);
    p->nsteps = (uint32_t)nsteps;
    for (unsigned i = 0; i < nsteps; i++) {
        Step *s = &p->step[i];
        if (!define_step(c, s, i, &end))
            return NULL;
        s->remembers = r->has_memory && TRACE_STEP_REMEMBERS(s->kind, s->beside != 0, s->distance);
    }
    return p;
}

/* @what: TRACE_PATH and above. NULL: damaged. */
static Path *read_path(TraceReader *r, uint64_t what)
{
    uint64_t n = (what - TRACE_PATH) / 2, distance = 0;
    bool moved = (what - TRACE_PATH) & 1;
    Path *p = n < r->paths->len ? r->paths->pdata[n] : NULL;

    if (moved && !get_signed(&r->stream[TRACE_CONTROL], &distance))
        return NULL;
    if (p) {
        p->base += distance;
        return p;
    }
    if (n != r->paths->len || !moved || !(p = define_path(r)))
        return NULL;
    p->base = r->new_base += distance;
    return p;
}

static bool begin_run(TraceReader *r, Path *p, bool whole)
{
    if (!p)
        return false;
    if (r->path && r->predicts && whole)
        r->path->next = p;
    r->path = p;
    r->predicts = whole;
    r->from_begin = true;
    r->at = 0;
    r->to = p->nsteps;
    return true;
}

static bool begin_part(TraceReader *r)
{
    Stream *c = &r->stream[TRACE_CONTROL];
    uint64_t from, to, what;
    Path *p;

    if (!get_varint(c, &from) || !get_varint(c, &to) || !get_varint(c, &what) || what < TRACE_PATH)
        return false;
    p = read_path(r, what);
    if (!p || to > p->nsteps || from > to)
        return false;
    begin_run(r, p, false);
    r->at = (uint32_t)from;
    r->from_begin = !from;
    r->to = (uint32_t)to;
    return true;
}

/* The next run, or at_end; *@aborts: that the instruction before faulted. False: damaged. */
static bool next_run(TraceReader *r, bool *aborts)
{
    Stream *c = &r->stream[TRACE_CONTROL];
    uint64_t what, cpu;

    if (r->run) {
        r->run--;
        return r->path && r->predicts && begin_run(r, r->path->next, true);
    }
    if (c->at == c->end) {
        r->at_end = true;
        return true;
    }
    if (!get_varint(c, &what))
        return false;
    if (what >= TRACE_PATH)
        return begin_run(r, read_path(r, what), true) && get_run(r);
    if (what == TRACE_PART)
        return begin_part(r) && get_run(r);
    if (what == TRACE_ABORT)
        *aborts = true;
    else if (!get_varint(c, &cpu))
        return false;
    else
        r->cpu = (uint8_t)cpu;
    return get_run(r);
}

static bool get_distance(Stream *s, unsigned code, uint64_t *value)
{
    uint64_t z = 0;

    if (!get_bytes(s, &z, trace_length[code]))
        return false;
    z = TRACE_LE64(z);
    *value += z >> 1 ^ (0 - (z & 1));
    return true;
}

/* Of up to 8 bytes, into the step. */
static bool get_value(TraceReader *r, Step *s, unsigned code)
{
    TraceMemory *m = trace_memory(r->memory, s->addr);

    if (s->remembers && m->addr == s->addr)
        s->value = s->size < 8 ? m->value & ((UINT64_C(1) << 8 * s->size) - 1) : m->value;
    if (!get_distance(&r->stream[TRACE_VALUES], code, &s->value))
        return false;
    *m = (TraceMemory){ s->addr, s->value };
    return true;
}

static bool read_access(TraceReader *r, Step *s, uint32_t n)
{
    TraceAccess *a;
    uint8_t lengths;

    if (n == r->access_room) {
        r->access_room = n ? 2 * n : 16;
        r->access = g_renew(TraceAccess, r->access, r->access_room);
    }
    a = &r->access[n];
    if (!get_bytes(&r->stream[TRACE_LENGTHS], &lengths, 1) ||
        !get_distance(&r->stream[TRACE_ADDRS], lengths & 7, &s->addr))
        return false;
    if (s->beside && r->from_begin)
        s->addr = s[-(int64_t)s->beside].addr + s->distance;
    *a = (TraceAccess){ .addr = s->addr, .size = s->size, .store = s->kind == TRACE_STEP_STORE };
    if (s->size > 8)
        return get_bytes(&r->stream[TRACE_VALUES], a->value, s->size);
    if (!get_value(r, s, lengths >> 3 & 7))
        return false;
    mimus_run_bytes(&s->value, 8, a->value);
    return true;
}

/* What comes until the next instruction begins; @n accesses of it. False: damaged. */
static bool finish_insn(TraceReader *r, bool *aborts, uint32_t *n)
{
    *n = 0;
    for (;;) {
        for (; r->at < r->to; r->at++) {
            Step *s = &r->path->step[r->at];
            if (s->kind == TRACE_STEP_INSN)
                return true;
            if (!read_access(r, s, (*n)++))
                return false;
        }
        if (r->at_end)
            return true;
        if (!next_run(r, aborts))
            return false;
    }
}

bool trace_reader_next(TraceReader *r, TraceInsn *out, const char **why)
{
    uint32_t dropped;
    const Step *s;

    *why = "the file is damaged";
    while (!r->left) {
        if (r->frame == trace_reader_frames(r)) {
            *why = NULL;
            return false;
        }
        /* Accesses before its first instruction belong to none. */
        if (!load_frame(r) || !finish_insn(r, &out->aborted, &dropped))
            return false;
    }
    if (r->at_end)
        return false;
    s = &r->path->step[r->at++];
    *out = (TraceInsn){
        .pc = r->path->base + s->offset, .number = r->number++, .cpu = r->cpu, .size = s->size
    };
    memcpy(out->bytes, s->bytes, sizeof(out->bytes));
    if (!finish_insn(r, &out->aborted, &out->naccesses))
        return false;
    out->access = r->access;
    r->left--;
    *why = NULL;
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
