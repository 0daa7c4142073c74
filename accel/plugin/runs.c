/* SPDX-License-Identifier: MIT */
/*
 * Runs: what a segment has noted, told as it stands. A path says what that is, once; buffers go to
 * a thread of their own as soon as they are full, and come back empty. Blocks that are gone while
 * words are about them go with the buffer, and end when it has been told.
 */
#include "accel/plugin/internal.h"

#include <pthread.h>
#include <string.h>

#define BUFFERS 4
#define RUNS    64 /* told at once: they and what they speak of are in the first cache */

struct Runner {
    pthread_t thread;
    GAsyncQueue *full, *empty; /* Buffer */
    /* the thread's: */
    MimusPlugin *plugin; /* whose runs they are */
    unsigned n;
    MimusRun run[RUNS];
};

/* ---- Paths ----------------------------------------------------------------------------------- */

static unsigned items_of(const Segment *g, const MimusPlugin *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < g->nitems; i++)
        n += g->item[i].action->plugin == p;
    return n;
}

static void describe_path(Path *path, MimusPlugin *p, const Segment *g, unsigned nsteps)
{
    MimusStep *step = g_new(MimusStep, nsteps);
    unsigned n = 0;

    if (nsteps != g->nitems)
        path->step_of = g_new(uint16_t, g->nitems + 1u);
    path->plugin = p;
    path->path = (MimusPath){ .nsteps = nsteps, .step = step, .own = &path->own };
    for (unsigned i = 0; i < g->nitems; i++) {
        const Item *item = &g->item[i];
        if (path->step_of)
            path->step_of[i] = (uint16_t)n;
        if (item->action->plugin == p)
            step[n++] = (MimusStep){ .kind = item->record,
                                     .size = item->size,
                                     .word = item->word,
                                     .offset = item->offset,
                                     .physical = item->physical,
                                     .address = item->address,
                                     .delta = item->delta,
                                     .data = item->data };
    }
    if (path->step_of)
        path->step_of[g->nitems] = (uint16_t)n;
}

void plugin_describe_paths(PluginSet *s, Segment *g)
{
    Path *path;

    for (unsigned i = 0; i < s->plugins->len; i++) {
        MimusPlugin *p = s->plugins->pdata[i];
        unsigned n = items_of(g, p);

        g->records |= n && p->records;
        if (!n || !p->runs)
            continue;
        if (g->npaths)
            g->more = g_renew(Path, g->more, g->npaths);
        path = plugin_segment_path(g, g->npaths++);
        *path = (Path){ 0 };
        describe_path(path, p, g, n);
    }
    for (unsigned i = 1; i < g->npaths; i++) { /* they may have moved */
        path = plugin_segment_path(g, i);
        path->path.own = &path->own;
    }
}

void plugin_forget_paths(Segment *g)
{
    for (unsigned i = 0; i < g->npaths; i++) {
        g_free((void *)plugin_segment_path(g, i)->path.step);
        g_free(plugin_segment_path(g, i)->step_of);
    }
    g_free(g->more);
}

/* Of an access by C code: there is one for each kind and size, made when first met. */
static Path *loose_path(MimusPlugin *p, unsigned kind, unsigned size)
{
    Path **of_kind = &p->loose[kind == MIMUS_STORE], *path;
    MimusStep *step;

    if (!*of_kind)
        *of_kind = g_new0(Path, MIMUS_ACCESS_MAX + 1);
    path = &(*of_kind)[size];
    if (path->plugin)
        return path;
    step = g_new(MimusStep, 1);
    *step = (MimusStep){ .kind = (uint8_t)kind, .size = (uint8_t)size, .word = 1, .physical = 5 };
    path->plugin = p;
    path->path = (MimusPath){ .nsteps = 1, .step = step, .own = &path->own };
    return path;
}

/* Of elements of string instructions: a path is as long as they can be, runs go a part of it. */
static Path *string_path(MimusPlugin *p, unsigned number)
{
    PluginString kind = plugin_string(number);
    int32_t distance = kind.backward ? -(int32_t)kind.size : kind.size;
    MimusStep *step;
    Path *path;

    if (!p->strings)
        p->strings = g_new0(Path, PLUGIN_STRINGS);
    path = &p->strings[number];
    if (path->plugin)
        return path;
    step = g_new(MimusStep, PLUGIN_ELEMENTS * kind.naccesses);
    path->plugin = p;
    path->path =
        (MimusPath){ .nsteps = PLUGIN_ELEMENTS * kind.naccesses, .step = step, .own = &path->own };
    for (unsigned i = 0; i < PLUGIN_ELEMENTS; i++)
        for (unsigned k = 0; k < kind.naccesses; k++)
            *step++ = (MimusStep){ .kind = kind.write[k] ? MIMUS_STORE : MIMUS_LOAD,
                                   .size = kind.size,
                                   .word = (uint16_t)plugin_string_word(&kind, i, k),
                                   .address = (uint16_t)k,
                                   .delta = (int32_t)i * distance };
    return path;
}

void plugin_loose_paths_free(MimusPlugin *p)
{
    for (unsigned i = 0; p->strings && i < PLUGIN_STRINGS; i++)
        g_free((void *)p->strings[i].path.step);
    g_free(p->strings);
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; p->loose[k] && i <= MIMUS_ACCESS_MAX; i++)
            g_free((void *)p->loose[k][i].path.step);
        g_free(p->loose[k]);
    }
}

/* ---- The thread ------------------------------------------------------------------------------ */

static void tell_runs(Runner *r)
{
    if (r->n)
        r->plugin->runs(r->plugin, r->run, r->n, r->plugin->runs_opaque);
    r->n = 0;
}

static inline MimusRun *next_run(Runner *r, const Path *path)
{
    if (G_UNLIKELY(r->n == RUNS || r->plugin != path->plugin))
        tell_runs(r);
    r->plugin = path->plugin;
    return &r->run[r->n++];
}

static inline void add_path(Runner *r, const Path *path, const Entry *e, uint8_t cpu)
{
    const uint16_t *step_of = path->step_of;
    MimusRun *run = next_run(r, path);

    run->path = &path->path;
    run->base = e->base;
    run->word = e->word;
    run->from = (uint16_t)(step_of ? step_of[e->from] : e->from);
    run->to = (uint16_t)(step_of ? step_of[e->to] : e->to);
    run->cpu = cpu;
    run->aborted = e->aborted;
}

static void add_elements(Runner *r, const Entry *e, uint8_t cpu)
{
    MimusPlugin *p = e->action->plugin;

    if (p->runs)
        add_path(r, string_path(p, e->string), e, cpu);
}

static void add_single(Runner *r, const Entry *e, uint8_t cpu)
{
    MimusPlugin *p = e->action->plugin;
    const uint64_t *w = e->word;

    if (p->runs)
        *next_run(r, loose_path(p, (unsigned)(w[1] >> 8), (uint8_t)w[1])) =
            (MimusRun){ .path = &loose_path(p, (unsigned)(w[1] >> 8), (uint8_t)w[1])->path,
                        .base = w[0],
                        .word = w + 2,
                        .to = 1,
                        .cpu = cpu };
}

/* @w: the first word of an entry. */
static const uint64_t *next_entry(const uint64_t *w)
{
    return w + 1 + (*w >> WORD_LENGTH_SHIFT);
}

static void tell_entry(Runner *r, const uint64_t *w, uint8_t *cpu)
{
    Entry e;

    plugin_read_entry(w, &e, cpu);
    if (e.kind == WORD_SINGLE)
        add_single(r, &e, *cpu);
    else if (e.kind == WORD_ELEMENTS)
        add_elements(r, &e, *cpu);
    else if (e.kind != WORD_CPU)
        for (unsigned i = 0; i < e.segment->npaths; i++)
            add_path(r, plugin_segment_path(e.segment, i), &e, *cpu);
}

/* Nearly all are of this kind: a whole segment that one plugin wants to hear of. */
static inline bool tell_whole(Runner *r, const uint64_t *w, uint8_t cpu)
{
    const Segment *g = plugin_word_about(*w);

    if ((*w & WORD_KIND) != WORD_SEGMENT || g->npaths != 1)
        return false;
    *next_run(r, &g->path) = (MimusRun){ .path = &g->path.path,
                                         .base = w[1],
                                         .word = w + 2,
                                         .to = (uint16_t)g->path.path.nsteps,
                                         .cpu = cpu };
    return true;
}

#define AHEAD 16 /* entries whose descriptions are fetched before they are looked at */

static void tell_buffer(Runner *r, const Buffer *b)
{
    const uint64_t *w = b->word, *end = w + b->used, *ahead = w;
    uint8_t cpu = 0;

    for (unsigned i = 0; i < AHEAD && ahead < end; i++)
        ahead = next_entry(ahead);
    for (; w < end; w = next_entry(w)) {
        if (ahead < end) {
            __builtin_prefetch(plugin_word_about(*ahead));
            ahead = next_entry(ahead);
        }
        if (!tell_whole(r, w, cpu))
            tell_entry(r, w, &cpu);
    }
    tell_runs(r);
}

/* A buffer without words asks for the end. */
static void *runner_thread(void *opaque)
{
    Runner *r = opaque;
    bool ends;

    do {
        Buffer *b = g_async_queue_pop(r->full);
        ends = !b->word;
        if (!ends)
            tell_buffer(r, b);
        b->used = 0;
        g_ptr_array_set_size(b->dead, 0);
        g_async_queue_push(r->empty, b);
    } while (!ends);
    return NULL;
}

/* ---- The machine's thread ---------------------------------------------------------------------
 */

static void runner_start(PluginSet *s)
{
    Runner *r = g_new0(Runner, 1);

    r->full = g_async_queue_new();
    r->empty = g_async_queue_new();
    for (unsigned i = 1; i < BUFFERS; i++)
        g_async_queue_push(r->empty, plugin_buffer_new());
    if (pthread_create(&r->thread, NULL, runner_thread, r))
        g_error("no thread for plugins");
    s->runner = r;
}

void mimus_on_runs(MimusPlugin *p, MimusRunsFn *fn, void *opaque)
{
    p->runs = fn;
    p->runs_opaque = opaque;
    if (!p->set->runner)
        runner_start(p->set);
}

Buffer *plugin_runs_hand_over(PluginSet *s, Buffer *b)
{
    if (!b->used && !b->dead->len)
        return b;
    g_async_queue_push(s->runner->full, b);
    return g_async_queue_pop(s->runner->empty);
}

void plugin_runs_wait(PluginSet *s)
{
    Buffer *b[BUFFERS - 1];

    if (!s->runner)
        return;
    plugin_drain(s);
    for (unsigned i = 0; i < BUFFERS - 1; i++)
        b[i] = g_async_queue_pop(s->runner->empty);
    for (unsigned i = 0; i < BUFFERS - 1; i++)
        g_async_queue_push(s->runner->empty, b[i]);
}

void plugin_runs_end(PluginSet *s)
{
    Runner *r = s->runner;
    Buffer *b, *last;

    if (!r)
        return;
    plugin_runs_wait(s);
    last = g_new0(Buffer, 1);
    last->dead = g_ptr_array_new();
    g_async_queue_push(r->full, last);
    pthread_join(r->thread, NULL);
    while ((b = g_async_queue_try_pop(r->empty)))
        plugin_buffer_free(b);
    g_async_queue_unref(r->full);
    g_async_queue_unref(r->empty);
    g_free(r);
    s->runner = NULL;
}

bool plugin_on_runner(const PluginSet *s)
{
    return s->runner && pthread_equal(pthread_self(), s->runner->thread);
}

typedef struct ExitRequest {
    Machine *machine;
    int status;
} ExitRequest;

static gboolean request_exit(gpointer opaque)
{
    const ExitRequest *e = opaque;

    machine_request_quit(e->machine, e->status);
    return G_SOURCE_REMOVE;
}

void plugin_ask_to_exit(PluginSet *s, int status)
{
    ExitRequest *e = g_new(ExitRequest, 1);

    *e = (ExitRequest){ s->accel->machine, status };
    g_idle_add_full(G_PRIORITY_DEFAULT, request_exit, e, g_free);
}
