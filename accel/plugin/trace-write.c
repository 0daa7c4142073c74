/* SPDX-License-Identifier: MIT */
/* Writing native traces. A thread of its own compresses one frame while the next one is filled. */
#include "accel/plugin/trace-file.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define SITES_OF_CHUNK 4096u
#define STREAM_ROOM    (2u << 20) /* a frame is full when a stream comes near it */
/* The most of one instruction: a REP that is entered once, FXSAVE. */
#define ACCESSES_MAX (1u << 18)
#define STREAM_SIZE  (STREAM_ROOM + ACCESSES_MAX * 33 + 64 * 1024)

typedef struct Slot {
    uint64_t addr, value;
} Slot;

struct TraceSite {
    uint64_t pc;
    TraceSite *next;    /* predicted */
    uint32_t id, frame; /* the frame that knows it */
    uint32_t naccesses;
    uint8_t size;
    Slot slot[TRACE_SLOTS];
    /* the rest is needed rarely */
    TraceSite *elsewhere; /* the same bytes at another address */
    uint8_t bytes[TRACE_INSN_MAX];
} __attribute__((aligned(64)));

typedef struct Frame {
    uint8_t *stream[TRACE_STREAMS];
    size_t used[TRACE_STREAMS];
    uint64_t first, count;
} Frame;

struct TraceWriter {
    FILE *file;
    int level, error;
    TraceSite **chunks; /* of SITES_OF_CHUNK */
    uint32_t nsites;
    uint64_t count;
    /* the frame that is filled */
    Frame frame[2];
    unsigned filling;
    uint32_t number;
    uint32_t run;       /* predicted instructions that have not been written down */
    TraceSite *current; /* whose accesses come; NULL: none */
    uint32_t naccesses;
    TraceSite *previous;
    unsigned cpu;
    uint64_t last_pc; /* of the site defined last */
    /* the thread */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int pending; /* frame to be written; -1: none; -2: end */
    ZSTD_CCtx *zstd;
    uint8_t *raw, *packed;
    size_t packed_room;
    uint64_t *index;
    size_t nindex;
};

uint32_t trace_sum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t sum = 0x4d696d75, word;

    for (; len >= 4; p += 4, len -= 4) {
        memcpy(&word, p, 4);
        sum = ((sum << 5) | (sum >> 27)) ^ word;
    }
    while (len--)
        sum = ((sum << 5) | (sum >> 27)) ^ *p++;
    return sum;
}

/* ---- The thread -------------------------------------------------------------------------------
 */

static void put_out(TraceWriter *w, const void *data, size_t len)
{
    if (!w->error && fwrite(data, 1, len, w->file) != len)
        w->error = errno ? errno : EIO;
}

static void write_frame(TraceWriter *w, const Frame *f)
{
    TraceFrameHead head = { .first = f->first, .count = f->count };
    size_t raw = TRACE_STREAMS * 4, packed;

    for (unsigned i = 0; i < TRACE_STREAMS; i++) {
        uint32_t used = (uint32_t)f->used[i];
        memcpy(w->raw + 4 * i, &used, 4);
        memcpy(w->raw + raw, f->stream[i], used);
        raw += used;
    }
    packed = ZSTD_compressCCtx(w->zstd, w->packed, w->packed_room, w->raw, raw, w->level);
    if (ZSTD_isError(packed)) {
        w->error = ENOMEM;
        return;
    }
    memcpy(head.magic, TRACE_FRAME, 4);
    head.compressed = (uint32_t)packed;
    head.raw = (uint32_t)raw;
    head.sum = trace_sum(w->packed, packed);
    w->index = realloc(w->index, (w->nindex + 1) * 16);
    if (!w->index)
        abort();
    w->index[2 * w->nindex] = (uint64_t)ftello(w->file);
    w->index[2 * w->nindex++ + 1] = f->first;
    put_out(w, &head, sizeof(head));
    put_out(w, w->packed, packed);
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

static inline void put_varint(Frame *f, unsigned stream, uint64_t v)
{
    uint8_t *p = f->stream[stream] + f->used[stream], *at = p;

    while (v >= 0x80) {
        *at++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *at++ = (uint8_t)v;
    f->used[stream] += (size_t)(at - p);
}

static inline uint64_t zigzag(uint64_t v)
{
    return v << 1 ^ (uint64_t)((int64_t)v >> 63);
}

static inline void put_bytes(Frame *f, unsigned stream, const void *data, size_t len)
{
    memcpy(f->stream[stream] + f->used[stream], data, len);
    f->used[stream] += len;
}

static void begin_frame(TraceWriter *w)
{
    Frame *f = frame(w);

    memset(f->used, 0, sizeof(f->used));
    f->first = w->count;
    f->count = 0;
    w->number++;
    w->run = 0;
    w->previous = w->current = NULL;
    w->last_pc = 0;
    if (w->cpu) { /* frames begin with CPU 0 */
        put_varint(f, TRACE_CONTROL, 0);
        put_varint(f, TRACE_CONTROL, 1);
        put_varint(f, TRACE_CONTROL, w->cpu);
    }
}

/* The latest instruction has all its accesses: was it as predicted? */
static void settle(TraceWriter *w)
{
    Frame *f = frame(w);
    TraceSite *s = w->current, *before = w->previous;

    if (!s)
        return;
    if (before && before->next == s && s->frame == w->number && s->naccesses == w->naccesses) {
        w->run++;
    } else {
        put_varint(f, TRACE_CONTROL, w->run);
        put_varint(f, TRACE_CONTROL, (uint64_t)s->id + 2);
        w->run = 0;
        if (s->frame != w->number) {
            put_varint(f, TRACE_CONTROL, zigzag(s->pc - w->last_pc));
            put_varint(f, TRACE_CONTROL, s->size);
            put_bytes(f, TRACE_CONTROL, s->bytes, s->size);
            w->last_pc = s->pc;
            s->frame = w->number;
        }
        put_varint(f, TRACE_CONTROL, w->naccesses);
        if (before)
            before->next = s;
    }
    s->naccesses = w->naccesses;
    w->previous = s;
    w->current = NULL;
}

static void end_frame(TraceWriter *w)
{
    settle(w);
    if (!frame(w)->count && !w->run)
        return;
    put_varint(frame(w), TRACE_CONTROL, w->run);
    hand_to_thread(w, (int)w->filling);
    w->filling ^= 1;
}

static bool is_full(const Frame *f)
{
    for (unsigned i = 0; i < TRACE_STREAMS; i++)
        if (f->used[i] > STREAM_ROOM)
            return true;
    return false;
}

/* ---- For the tool -----------------------------------------------------------------------------
 */

TraceSite *trace_writer_site(TraceWriter *w, uint64_t pc, const uint8_t *bytes, unsigned size)
{
    uint32_t chunk = w->nsites / SITES_OF_CHUNK;
    TraceSite *s;

    if (w->nsites % SITES_OF_CHUNK == 0) {
        w->chunks = realloc(w->chunks, (chunk + 1) * sizeof(*w->chunks));
        if (!w->chunks || !(w->chunks[chunk] = aligned_alloc(64, SITES_OF_CHUNK * sizeof(*s))))
            abort();
    }
    s = &w->chunks[chunk][w->nsites % SITES_OF_CHUNK];
    memset(s, 0, sizeof(*s));
    s->id = w->nsites++;
    s->pc = pc;
    s->size = (uint8_t)(size < TRACE_INSN_MAX ? size : TRACE_INSN_MAX);
    memcpy(s->bytes, bytes, s->size);
    return s;
}

static TraceSite *site_at(TraceWriter *w, TraceSite *s, uint64_t pc)
{
    while (s->pc != pc) {
        if (!s->elsewhere)
            s->elsewhere = trace_writer_site(w, pc, s->bytes, s->size);
        s = s->elsewhere;
    }
    return s;
}

void trace_writer_insn(TraceWriter *w, TraceSite *s, uint64_t pc, unsigned cpu)
{
    if (s->pc != pc)
        s = site_at(w, s, pc);
    settle(w);
    if (frame(w)->count % 64 == 0 && is_full(frame(w))) {
        end_frame(w);
        begin_frame(w);
    }
    if (cpu != w->cpu) {
        w->cpu = cpu;
        put_varint(frame(w), TRACE_CONTROL, w->run);
        put_varint(frame(w), TRACE_CONTROL, 1);
        put_varint(frame(w), TRACE_CONTROL, cpu);
        w->run = 0;
    }
    if (s->frame != w->number) {
        memset(s->slot, 0, sizeof(s->slot));
        s->next = NULL;
    }
    w->current = s;
    w->naccesses = 0;
    w->count++;
    frame(w)->count++;
}

void trace_writer_access(TraceWriter *w, uint64_t addr, unsigned size, bool store,
                         const void *value)
{
    Frame *f = frame(w);
    unsigned n = w->naccesses < TRACE_SLOTS ? w->naccesses : TRACE_SLOTS - 1;
    Slot *slot;
    uint64_t v;

    if (!w->current || w->naccesses == ACCESSES_MAX)
        return; /* of an instruction that nobody has recorded */
    slot = &w->current->slot[n];
    w->naccesses++;
    f->stream[TRACE_KINDS][f->used[TRACE_KINDS]++] = (uint8_t)(size | (store ? 0x80 : 0));
    put_varint(f, TRACE_ADDRS, zigzag(addr - slot->addr));
    slot->addr = addr;
    if (size > 8) {
        put_bytes(f, TRACE_VALUES, value, size);
    } else {
        memcpy(&v, value, 8);
        put_varint(f, TRACE_VALUES, zigzag(v - slot->value));
        slot->value = v;
    }
}

void trace_writer_abort(TraceWriter *w)
{
    Frame *f = frame(w);

    settle(w);
    put_varint(f, TRACE_CONTROL, w->run);
    put_varint(f, TRACE_CONTROL, 0);
    w->run = 0;
}

uint64_t trace_writer_count(const TraceWriter *w)
{
    return w->count;
}

TraceWriter *trace_writer_open(const char *path, int level, const char **why)
{
    static const uint32_t version[2] = { TRACE_VERSION, 0 };
    TraceWriter *w = calloc(1, sizeof(*w));

    if (!w)
        abort();
    w->file = fopen(path, "we");
    if (!w->file) {
        *why = strerror(errno);
        free(w);
        return NULL;
    }
    w->level = level;
    for (unsigned i = 0; i < 2 * TRACE_STREAMS; i++)
        w->frame[i / TRACE_STREAMS].stream[i % TRACE_STREAMS] = malloc(STREAM_SIZE);
    w->raw = malloc(TRACE_STREAMS * (size_t)STREAM_SIZE);
    w->packed_room = ZSTD_compressBound(TRACE_STREAMS * (size_t)STREAM_SIZE);
    w->packed = malloc(w->packed_room);
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

bool trace_writer_close(TraceWriter *w, const char **why)
{
    uint64_t n;
    int error;

    end_frame(w);
    hand_to_thread(w, -2);
    pthread_join(w->thread, NULL);
    n = w->nindex;
    put_out(w, w->index, n * 16);
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
    free(w->raw);
    free(w->packed);
    free(w->index);
    for (uint32_t i = 0; i < (w->nsites + SITES_OF_CHUNK - 1) / SITES_OF_CHUNK; i++)
        free(w->chunks[i]);
    free(w->chunks);
    free(w);
    *why = error ? strerror(error) : NULL;
    return !error;
}
