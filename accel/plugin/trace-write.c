/* SPDX-License-Identifier: MIT */
/* Writing native traces. A thread of its own compresses one frame while the next one is filled. */
#include "accel/plugin/trace-file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "accel/plugin/mimus-plugin.h"
#include "accel/plugin/trace-pack.h"

#define STREAM_FULL (4u << 20)   /* a frame with such a stream is */
#define STREAM_MORE (512u << 10) /* of RUNS_UNTESTED runs */
#define BUCKETS     (1u << 17)
#define BATCH_FULL  512      /* accesses; more only of a path that is longer by itself */
#define FETCH_AHEAD 8        /* runs */
enum { RUNS_UNTESTED = 16 }; /* for room */

/* An access of a path. */
typedef struct Slot {
    uint64_t addr, value; /* the last time */
    int32_t delta;
    uint8_t word, address;
    uint8_t kind; /* its size | SLOT_… */
    int8_t own;   /* -1; 0: the address is not written where the path is gone from its begin */
} Slot;
enum { SLOT_SIZE = 0x3f, SLOT_MEMORY = 0x40 /* TRACE_STEP_REMEMBERS */ };

/* What is looked at for each run: with the first access a cache line. */
struct TracePath {
    TracePath *next; /* predicted */
    uint64_t base;   /* the last time */
    uint32_t frame;  /* that knows it, as: */
    uint32_t id;
    uint16_t nsteps, naccesses, ninsns;
    struct PathSteps *steps;
    Slot slot[];
};
_Static_assert(sizeof(TracePath) + sizeof(Slot) == 64, "not a cache line");

typedef struct PathSteps {
    TracePath *same_bucket;
    uint8_t *bytes; /* of its instructions */
    TraceStep step[];
} PathSteps;

typedef struct Frame {
    uint8_t *stream[TRACE_STREAMS];
    size_t used[TRACE_STREAMS], room[TRACE_STREAMS];
    uint64_t first, count;
} Frame;

struct TraceWriter {
    FILE *file;
    int level, error;
    TracePath *bucket[BUCKETS];
    uint64_t count;
    /* the frame that is filled */
    Frame frame[2];
    unsigned filling;
    uint32_t number, npaths;
    uint32_t run; /* predicted runs that have not been written down */
    unsigned untested;
    bool full;
    TraceMemory memory[TRACE_MEMORY];
    TracePath *previous;
    uint64_t new_base; /* of the path defined last */
    unsigned cpu;
    /* accesses of its last runs that are not in the streams yet, less what was expected */
    TracePackFn *pack;
    unsigned nbatch;
    uint64_t addr[BATCH_FULL + TRACE_STEPS_MAX], value[BATCH_FULL + TRACE_STEPS_MAX];
    uint64_t mask[SLOT_SIZE + 1]; /* of values of that size */
    /* the thread */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int pending; /* frame to be written; -1: none; -2: end */
    ZSTD_CCtx *zstd;
    uint8_t *packed;
    size_t packed_room;
    uint64_t offset; /* in the file */
    uint64_t *index;
    size_t nindex;
};

uint32_t trace_sum(uint32_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t word;

    for (; len >= 4; p += 4, len -= 4) {
        memcpy(&word, p, 4);
        sum = ((sum << 5) | (sum >> 27)) ^ TRACE_LE32(word);
    }
    while (len--)
        sum = ((sum << 5) | (sum >> 27)) ^ *p++;
    return sum;
}

static void *must(void *p)
{
    if (!p)
        abort();
    return p;
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void put_out(TraceWriter *w, const void *data, size_t len)
{
    w->offset += len;
    if (!w->error && fwrite(data, 1, len, w->file) != len)
        w->error = errno ? errno : EIO;
}

static void make_packed_room(TraceWriter *w, const Frame *f)
{
    size_t need = 0;

    for (unsigned i = 0; i < TRACE_STREAMS; i++)
        need += ZSTD_compressBound(f->used[i]);
    if (need <= w->packed_room)
        return;
    free(w->packed);
    w->packed = must(malloc(need));
    w->packed_room = need;
}

static void write_frame(TraceWriter *w, const Frame *f)
{
    TraceFrameHead head = { .first = f->first, .count = f->count };
    size_t total = 0;

    make_packed_room(w, f);
    for (unsigned i = 0; i < TRACE_STREAMS; i++) {
        size_t packed = ZSTD_compressCCtx(w->zstd, w->packed + total, w->packed_room - total,
                                          f->stream[i], f->used[i], w->level);
        if (ZSTD_isError(packed)) {
            w->error = ENOMEM;
            return;
        }
        head.raw[i] = (uint32_t)f->used[i];
        head.packed[i] = (uint32_t)packed;
        total += packed;
    }
    memcpy(head.magic, TRACE_FRAME, 4);
    head.sum = trace_sum(0, (const char *)&head + TRACE_SUMMED, sizeof(head) - TRACE_SUMMED);
    head.sum = trace_sum(head.sum, w->packed, total);
    w->index = must(realloc(w->index, (w->nindex + 1) * 16));
    w->index[2 * w->nindex] = TRACE_LE64(w->offset);
    w->index[2 * w->nindex++ + 1] = TRACE_LE64(f->first);
    put_out(w, (char *)&head, sizeof(head));
    put_out(w, w->packed, total);
}

static void *writer_thread(void *opaque)
{
    TraceWriter *w = opaque;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->pending == -1)
            pthread_cond_wait(&w->changed, &w->lock);
        if (w->pending == -2)
            break;
        pthread_mutex_unlock(&w->lock);
        write_frame(w, &w->frame[w->pending]);
        pthread_mutex_lock(&w->lock);
        w->pending = -1;
        pthread_cond_signal(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

static void hand_to_thread(TraceWriter *w, int what)
{
    pthread_mutex_lock(&w->lock);
    while (w->pending != -1)
        pthread_cond_wait(&w->changed, &w->lock);
    w->pending = what;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

/* ---- Streams ----------------------------------------------------------------------------------
 */

static inline Frame *frame(TraceWriter *w)
{
    return &w->frame[w->filling];
}

static void put_varint(TraceWriter *w, uint64_t v)
{
    Frame *f = frame(w);
    uint8_t *at = f->stream[TRACE_CONTROL] + f->used[TRACE_CONTROL];

    while (v >= 0x80) {
        *at++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *at++ = (uint8_t)v;
    f->used[TRACE_CONTROL] = (size_t)(at - f->stream[TRACE_CONTROL]);
}

static inline uint64_t zigzag(uint64_t v)
{
    return v << 1 ^ (uint64_t)((int64_t)v >> 63);
}

static void put_what(TraceWriter *w, uint64_t what)
{
    put_varint(w, w->run);
    put_varint(w, what);
    w->run = 0;
}

/* Accesses go to their streams many at a time. */
static void put_batch(TraceWriter *w)
{
    Frame *f = frame(w);
    TraceEnds e = { f->stream[TRACE_LENGTHS] + f->used[TRACE_LENGTHS],
                    f->stream[TRACE_ADDRS] + f->used[TRACE_ADDRS],
                    f->stream[TRACE_VALUES] + f->used[TRACE_VALUES] };

    w->pack(&e, w->addr, w->value, w->nbatch);
    w->nbatch = 0;
    f->used[TRACE_LENGTHS] = (size_t)(e.lengths - f->stream[TRACE_LENGTHS]);
    f->used[TRACE_ADDRS] = (size_t)(e.addrs - f->stream[TRACE_ADDRS]);
    f->used[TRACE_VALUES] = (size_t)(e.values - f->stream[TRACE_VALUES]);
}

static void begin_frame(TraceWriter *w)
{
    Frame *f = frame(w);

    memset(f->used, 0, sizeof(f->used));
    memset(w->memory, 0, sizeof(w->memory));
    w->full = false;
    f->first = w->count;
    w->number++;
    w->npaths = 0;
    w->run = 0;
    w->previous = NULL;
    w->new_base = 0;
    if (w->cpu) {
        put_what(w, TRACE_CPU);
        put_varint(w, w->cpu);
    }
}

static void end_frame(TraceWriter *w)
{
    Frame *f = frame(w);

    f->count = w->count - f->first;
    if (!f->count)
        return;
    put_batch(w);
    put_varint(w, w->run);
    hand_to_thread(w, (int)w->filling);
    w->filling ^= 1;
}

/* For RUNS_UNTESTED runs. A string instruction may come to more than a stream is meant to be. */
static void test_room(TraceWriter *w)
{
    Frame *f = frame(w);

    w->untested = RUNS_UNTESTED;
    for (unsigned i = 0; i < TRACE_STREAMS; i++) {
        w->full |= f->used[i] > STREAM_FULL;
        if (f->room[i] - f->used[i] >= STREAM_MORE)
            continue;
        f->room[i] = 2 * f->room[i];
        f->stream[i] = must(realloc(f->stream[i], f->room[i]));
    }
}

/* ---- Runs -------------------------------------------------------------------------------------
 */

/* The step whose address word step @i shares; @i if there is none before it. */
static unsigned step_beside(const TraceStep *step, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (step[k].kind != TRACE_STEP_INSN && step[k].address == step[i].address)
            return k;
    return i;
}

static void put_beside(TraceWriter *w, const TracePath *t, unsigned i)
{
    const TraceStep *step = t->steps->step, *s = &step[i];
    unsigned other = s->kind == TRACE_STEP_INSN ? i : step_beside(step, i);

    if (other == i)
        return;
    put_varint(w, TRACE_STEP_BESIDE);
    put_varint(w, i - other);
    put_varint(w, zigzag((uint64_t)((int64_t)s->delta - step[other].delta)));
}

static void put_definition(TraceWriter *w, const TracePath *t)
{
    Frame *f = frame(w);
    uint32_t end = 0;

    put_varint(w, t->nsteps);
    for (unsigned i = 0; i < t->nsteps; i++) {
        const TraceStep *s = &t->steps->step[i];
        put_beside(w, t, i);
        f->stream[TRACE_CONTROL][f->used[TRACE_CONTROL]++] = (uint8_t)(s->kind | s->size << 2);
        if (s->kind != TRACE_STEP_INSN)
            continue;
        put_varint(w, zigzag((uint64_t)((int64_t)s->offset - end)));
        memcpy(f->stream[TRACE_CONTROL] + f->used[TRACE_CONTROL], s->bytes, s->size);
        f->used[TRACE_CONTROL] += s->size;
        end = s->offset + s->size;
    }
}

/* What says which path it is, and with which base. */
static void put_path(TraceWriter *w, TracePath *t, uint64_t base)
{
    if (t->frame != w->number) {
        t->frame = w->number;
        t->id = w->npaths++;
        t->next = NULL;
        for (unsigned i = 0; i < t->naccesses; i++)
            t->slot[i].addr = t->slot[i].value = 0;
        put_varint(w, TRACE_PATH + 1 + 2 * (uint64_t)t->id);
        put_varint(w, zigzag(base - w->new_base));
        put_definition(w, t);
        w->new_base = base;
    } else if (t->base == base) {
        put_varint(w, TRACE_PATH + 2 * (uint64_t)t->id);
    } else {
        put_varint(w, TRACE_PATH + 1 + 2 * (uint64_t)t->id);
        put_varint(w, zigzag(base - t->base));
    }
    t->base = base;
}

/* … of more than 8 bytes: behind those of the accesses before, which go first; its own code is 0.
 */
static void put_long_value(TraceWriter *w, const Slot *slot, const uint64_t *word)
{
    Frame *f = frame(w);
    unsigned size = slot->kind & SLOT_SIZE;

    put_batch(w);
    mimus_run_bytes(&word[slot->word], size, f->stream[TRACE_VALUES] + f->used[TRACE_VALUES]);
    f->used[TRACE_VALUES] += size;
}

/* A value of up to 8 bytes, less what the reader expects. */
static inline uint64_t value_distance(TraceWriter *w, Slot *slot, uint64_t addr, uint64_t word)
{
    uint64_t mask = w->mask[slot->kind & SLOT_SIZE], v = word & mask, last = slot->value;
    TraceMemory *m = trace_memory(w->memory, addr);
    uint64_t knows = -(uint64_t)((slot->kind >= SLOT_MEMORY) & (m->addr == addr));
    uint64_t expected = last ^ (((m->value & mask) ^ last) & knows);

    m->addr = addr;
    m->value = slot->value = v;
    return v - expected;
}

/* @later: without the path's first ones. Without branches but for values of more than 8 bytes: what
 * changes is not to be foreseen. */
static inline void put_accesses(TraceWriter *w, Slot *slot, unsigned n, const uint64_t *word,
                                bool later)
{
    unsigned at = w->nbatch;

    for (Slot *end = slot + n; slot < end; slot++, at++) {
        uint64_t addr = word[slot->address] + (uint64_t)(int64_t)slot->delta;

        w->addr[at] = (addr - slot->addr) & (uint64_t)(int64_t)(slot->own | -(int)later);
        slot->addr = addr;
        if (__builtin_expect((slot->kind & SLOT_SIZE) <= 8, 1)) {
            w->value[at] = value_distance(w, slot, addr, word[slot->word]);
        } else {
            w->nbatch = at;
            put_long_value(w, slot, word);
            w->addr[0] = w->addr[at];
            w->value[at = 0] = 0;
        }
    }
    w->nbatch = at;
    if (at >= BATCH_FULL)
        put_batch(w);
}

/* It will be needed soon. */
static inline void fetch(const TracePath *t)
{
    __builtin_prefetch(t);
    __builtin_prefetch((const char *)t + 64);
}

static void put_part(TraceWriter *w, TracePath *t, uint64_t base, const uint64_t *word,
                     unsigned from, unsigned to)
{
    unsigned before = 0, in = 0, insns = 0;

    put_what(w, TRACE_PART);
    put_varint(w, from);
    put_varint(w, to);
    put_path(w, t, base);
    for (unsigned i = 0; i < to; i++) {
        bool access = t->steps->step[i].kind != TRACE_STEP_INSN;
        before += access && i < from;
        in += access && i >= from;
        insns += !access && i >= from;
    }
    put_accesses(w, t->slot + before, in, word, from > 0);
    w->previous = NULL;
    w->count += insns;
}

static void set_cpu(TraceWriter *w, unsigned cpu)
{
    w->cpu = cpu;
    put_what(w, TRACE_CPU);
    put_varint(w, cpu);
}

/* Before each run, which begins with @first. */
static inline void begin_run(TraceWriter *w, const TraceStep *first)
{
    if (!w->untested--)
        test_room(w);
    if (__builtin_expect(w->full, 0) && first->kind == TRACE_STEP_INSN) {
        end_frame(w);
        begin_frame(w);
    }
}

static inline void put_whole(TraceWriter *w, TracePath *t, uint64_t base, const uint64_t *word)
{
    TracePath *before = w->previous;

    if (before && before->next == t && t->base == base && t->frame == w->number) {
        w->run++;
    } else {
        put_varint(w, w->run);
        w->run = 0;
        put_path(w, t, base);
        if (before)
            before->next = t;
    }
    w->previous = t;
    put_accesses(w, t->slot, t->naccesses, word, false);
    w->count += t->ninsns;
}

void trace_writer_run(TraceWriter *w, TracePath *t, uint64_t base, const uint64_t *word,
                      unsigned from, unsigned to, unsigned cpu)
{
    begin_run(w, &t->steps->step[from]);
    if (cpu != w->cpu)
        set_cpu(w, cpu);
    if (from || to != t->nsteps)
        put_part(w, t, base, word, from, to);
    else
        put_whole(w, t, base, word);
}

size_t trace_writer_runs(TraceWriter *w, const MimusRun *r, size_t n)
{
    size_t i = 0;

    for (; i < n; i++, r++) {
        TracePath *t = *r->path->own;

        if (i + FETCH_AHEAD < n)
            fetch(*r[FETCH_AHEAD].path->own);
        if (!t || r->from || r->to != t->nsteps || r->aborted || r->cpu != w->cpu)
            break;
        begin_run(w, t->steps->step);
        put_whole(w, t, r->base, r->word);
    }
    return i;
}

void trace_writer_abort(TraceWriter *w)
{
    put_what(w, TRACE_ABORT);
}

uint64_t trace_writer_count(const TraceWriter *w)
{
    return w->count;
}

/* ---- Paths ------------------------------------------------------------------------------------
 */

static uint64_t hash_steps(const TraceStep *step, unsigned n)
{
    uint64_t h = n;

    for (unsigned i = 0; i < n; i++) {
        h = (h ^ (step[i].kind | (uint64_t)step[i].size << 8 | (uint64_t)step[i].offset << 16)) *
            0x9e3779b97f4a7c15ull;
        if (step[i].kind == TRACE_STEP_INSN)
            h ^= trace_sum(0, step[i].bytes, step[i].size);
    }
    return h * 0x9e3779b97f4a7c15ull >> 47;
}

static bool are_steps(const TracePath *t, const TraceStep *step, unsigned n)
{
    if (t->nsteps != n)
        return false;
    for (unsigned i = 0; i < n; i++) {
        const TraceStep *a = &t->steps->step[i], *b = &step[i];
        if (a->kind != b->kind || a->size != b->size || a->word != b->word ||
            a->address != b->address || a->delta != b->delta)
            return false;
        if (a->kind == TRACE_STEP_INSN &&
            (a->offset != b->offset || memcmp(a->bytes, b->bytes, a->size)))
            return false;
    }
    return true;
}

/* They with copies of their bytes. */
static PathSteps *copy_steps(const TraceStep *step, unsigned n)
{
    PathSteps *p = must(calloc(1, sizeof(*p) + n * sizeof(*step)));
    unsigned bytes = 0;

    memcpy(p->step, step, n * sizeof(*step));
    for (unsigned i = 0; i < n; i++)
        bytes += step[i].kind == TRACE_STEP_INSN ? step[i].size : 0;
    p->bytes = must(malloc(bytes + 1));
    for (unsigned i = 0, at = 0; i < n; i++) {
        if (step[i].kind != TRACE_STEP_INSN)
            continue;
        memcpy(p->bytes + at, step[i].bytes, step[i].size);
        p->step[i].bytes = p->bytes + at;
        at += step[i].size;
    }
    return p;
}

static Slot new_slot(const TraceStep *step, unsigned i)
{
    const TraceStep *s = &step[i];
    unsigned other = step_beside(step, i);
    bool remembers =
        TRACE_STEP_REMEMBERS(s->kind, other != i, (int64_t)s->delta - step[other].delta);

    if (s->word > UINT8_MAX || s->address > UINT8_MAX)
        abort();
    return (Slot){ .word = (uint8_t)s->word,
                   .address = (uint8_t)s->address,
                   .delta = s->delta,
                   .kind = (uint8_t)(s->size | (remembers ? SLOT_MEMORY : 0)),
                   .own = other == i ? -1 : 0 };
}

static TracePath *new_path(const TraceStep *step, unsigned n)
{
    unsigned naccesses = 0;
    size_t size;
    TracePath *t;

    for (unsigned i = 0; i < n; i++)
        naccesses += step[i].kind != TRACE_STEP_INSN;
    size = (sizeof(*t) + naccesses * sizeof(Slot) + 63) & ~(size_t)63;
    t = must(aligned_alloc(64, size));
    memset(t, 0, size);
    t->nsteps = (uint16_t)n;
    t->ninsns = (uint16_t)(n - naccesses);
    t->steps = copy_steps(step, n);
    for (unsigned i = 0; i < n; i++)
        if (step[i].kind != TRACE_STEP_INSN)
            t->slot[t->naccesses++] = new_slot(step, i);
    return t;
}

TracePath *trace_writer_path(TraceWriter *w, const TraceStep *step, unsigned n)
{
    TracePath **b = &w->bucket[hash_steps(step, n)], *t;

    for (t = *b; t; t = t->steps->same_bucket)
        if (are_steps(t, step, n))
            return t;
    t = new_path(step, n);
    t->steps->same_bucket = *b;
    *b = t;
    return t;
}

unsigned trace_path_prefix(const TracePath *t, unsigned from, uint64_t insns)
{
    unsigned i = from;

    for (; i < t->nsteps; i++)
        if (t->steps->step[i].kind == TRACE_STEP_INSN && !insns--)
            break;
    return i;
}

unsigned trace_path_insns(const TracePath *t)
{
    return t->ninsns;
}

/* ---- The file ---------------------------------------------------------------------------------
 */

TraceWriter *trace_writer_open(const char *path, int level, const char **why)
{
    static const uint32_t version[2] = { TRACE_LE32(TRACE_VERSION), 0 };
    TraceWriter *w = must(calloc(1, sizeof(*w)));

    w->file = fopen(path, "we");
    if (!w->file) {
        *why = strerror(errno);
        free(w);
        return NULL;
    }
    w->level = level;
    w->pack = trace_pack_best();
    for (unsigned size = 1; size <= SLOT_SIZE; size++)
        w->mask[size] = size < 8 ? (UINT64_C(1) << 8 * size) - 1 : UINT64_MAX;
    for (unsigned i = 0; i < 2 * TRACE_STREAMS; i++) {
        Frame *f = &w->frame[i / TRACE_STREAMS];
        f->room[i % TRACE_STREAMS] = STREAM_FULL + 2 * STREAM_MORE;
        f->stream[i % TRACE_STREAMS] = must(malloc(STREAM_FULL + 2 * STREAM_MORE));
    }
    w->zstd = ZSTD_createCCtx();
    w->pending = -1;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    pthread_create(&w->thread, NULL, writer_thread, w);
    put_out(w, TRACE_MAGIC, 8);
    put_out(w, version, 8);
    begin_frame(w);
    return w;
}

static void free_paths(TraceWriter *w)
{
    for (unsigned i = 0; i < BUCKETS; i++) {
        while (w->bucket[i]) {
            TracePath *t = w->bucket[i];
            w->bucket[i] = t->steps->same_bucket;
            free(t->steps->bytes);
            free(t->steps);
            free(t);
        }
    }
}

bool trace_writer_close(TraceWriter *w, const char **why)
{
    uint64_t n;
    int error;

    end_frame(w);
    hand_to_thread(w, -2);
    pthread_join(w->thread, NULL);
    put_out(w, w->index, w->nindex * 16);
    n = TRACE_LE64((uint64_t)w->nindex);
    put_out(w, &n, 8);
    put_out(w, TRACE_END, 8);
    if (fclose(w->file) && !w->error)
        w->error = errno;
    error = w->error;
    for (unsigned i = 0; i < 2 * TRACE_STREAMS; i++)
        free(w->frame[i / TRACE_STREAMS].stream[i % TRACE_STREAMS]);
    ZSTD_freeCCtx(w->zstd);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w->packed);
    free(w->index);
    free_paths(w);
    free(w);
    *why = error ? strerror(error) : NULL;
    return !error;
}
