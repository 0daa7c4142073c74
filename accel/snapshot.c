/* SPDX-License-Identifier: MIT */
/*
 * Sections: MACH (what the machine is, as lines of text), CNTR (the engine's counters), DEVS (the
 * device tree), TIME (armed timers), WAIT (of each keeper: length, bytes), then PAGE as often as
 * needed: RAM pages that are not zero, in order, each with its place before it. Numbers have 64
 * bits, little-endian.
 */
#include "accel/snapshot.h"

#include <inttypes.h>
#include <string.h>

#include "accel/engine.h"
#include "accel/plugin/instrument.h"
#include "accel/plugin/mimus-plugin.h"
#include "softmmu/device.h"
#include "softmmu/error.h"

#define MAX_COUNT     (UINT64_C(1) << 56)
#define MAX_BYTES     (UINT64_C(3) << 30) /* of snapshots in one array */
#define SECTION_PAGES 256

/* ---- Numbers --------------------------------------------------------------------------------- */

static void put(GByteArray *out, uint64_t value)
{
    value = GUINT64_TO_LE(value);
    g_byte_array_append(out, (const uint8_t *)&value, sizeof(value));
}

typedef struct Reader {
    const uint8_t *p;
    size_t left;
    bool bad;
} Reader;

static const uint8_t *take_bytes(Reader *r, uint64_t len)
{
    const uint8_t *p = r->p;

    if (len > r->left || r->bad) {
        r->bad = true;
        return NULL;
    }
    r->p += len;
    r->left -= len;
    return p;
}

static uint64_t take(Reader *r)
{
    const uint8_t *p = take_bytes(r, sizeof(uint64_t));
    uint64_t value = 0;

    if (p)
        memcpy(&value, p, sizeof(value));
    return GUINT64_FROM_LE(value);
}

static bool damaged(GError **error)
{
    error_set(error, "the saved state is damaged, or of another machine");
    return false;
}

/* ---- MACH ------------------------------------------------------------------------------------ */

/* What cannot differ, in words for the user. The device tree says the rest. */
static char *describe(const Machine *m)
{
    const MachineConfig *c = m->config;

    return g_strdup_printf("machine type %s\nmemory of %" PRIu64 " bytes\nCPU model %s\n%u CPUs\n"
                           "%" PRIu64 " bytes of RAM and ROM\n",
                           c->machine ? c->machine : "none", c->ram_size,
                           c->cpu_model ? c->cpu_model : "none", m->cpus ? m->cpus->count : 0,
                           ram_set_end(m->ram));
}

static bool is_like(const Machine *m, const uint8_t *data, size_t len, GError **error)
{
    g_autofree char *own = describe(m), *saved = g_strndup((const char *)data, len);
    g_auto(GStrv) here = g_strsplit(own, "\n", -1), there = g_strsplit(saved, "\n", -1);

    for (unsigned i = 0; here[i] && there[i]; i++) {
        if (strcmp(here[i], there[i])) {
            error_set(error, "the state is of a machine with %s, and this one has %s", there[i],
                      here[i]);
            return false;
        }
    }
    return g_strv_length(here) == g_strv_length(there) || damaged(error);
}

/* ---- CNTR ------------------------------------------------------------------------------------ */

/* Virtual time is kept as such: what it is counted from is this process' affair. */
static void save_counters(Accel *a, GByteArray *out)
{
    const uint64_t numbers[] = { a->count,
                                 a->delivered,
                                 a->turn,
                                 a->settled_at,
                                 clock_now_ns(a->machine->clock),
                                 a->debug.turn,
                                 a->debug.left,
                                 a->debug.exact,
                                 a->debug.late,
                                 a->machine->requests & GUEST_REQUESTS };

    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++)
        put(out, numbers[i]);
}

typedef struct Counters {
    uint64_t count, delivered, turn, settled_at, now_ns, debug_turn, debug_left, debug_exact,
        debug_late, requests;
} Counters;

static bool take_counters(const Accel *a, Reader *r, Counters *c)
{
    c->count = take(r);
    c->delivered = take(r);
    c->turn = take(r);
    c->settled_at = take(r);
    c->now_ns = take(r);
    c->debug_turn = take(r);
    c->debug_left = take(r);
    c->debug_exact = take(r);
    c->debug_late = take(r);
    c->requests = take(r);
    return !r->bad && !r->left && c->count < MAX_COUNT && c->delivered < MAX_COUNT &&
           c->turn < MAX_COUNT && c->now_ns < INT64_MAX / 4 && c->debug_turn < a->cpus->len &&
           c->debug_left <= INT32_MAX;
}

static void set_counters(Accel *a, const Counters *c)
{
    a->count = c->count;
    a->delivered = c->delivered;
    a->turn = c->turn;
    a->settled_at = c->settled_at;
    a->bias_ns = 0;
    a->bias_ns = c->now_ns - accel_clock_source(a);
    a->debug.turn = c->debug_turn;
    a->debug.left = c->debug_left;
    a->debug.exact = c->debug_exact;
    a->debug.late = c->debug_late;
    a->debug.stop.why = DEBUG_NOTHING;
    a->machine->requests = c->requests & GUEST_REQUESTS;
}

/* ---- WAIT ------------------------------------------------------------------------------------ */

static void save_waiting(const Machine *m, GByteArray *out)
{
    for (guint i = 0; i < m->keepers->len; i++) {
        const MachineKeeper *k = &g_array_index(m->keepers, MachineKeeper, i);
        g_autoptr(GBytes) saved = k->here ? NULL : k->save(k->opaque);
        gsize len;
        const uint8_t *data = saved ? g_bytes_get_data(saved, &len) : NULL;

        if (k->here)
            continue;

        put(out, strlen(k->name));
        g_byte_array_append(out, (const uint8_t *)k->name, strlen(k->name));
        put(out, len);
        if (len)
            g_byte_array_append(out, data, len);
    }
}

/* Back ends that came later are in another order in a machine that has them from the start. -1:
 * there is none, and what waited for it is lost. */
static int find_keeper(const Machine *m, const uint8_t *name, size_t len)
{
    for (guint i = 0; i < m->keepers->len; i++) {
        const char *own = g_array_index(m->keepers, MachineKeeper, i).name;

        if (strlen(own) == len && !memcmp(own, name, len))
            return g_array_index(m->keepers, MachineKeeper, i).here ? -1 : (int)i;
    }
    return -1;
}

/* @apply false: only look. */
static bool load_waiting(Machine *m, Reader r, bool apply)
{
    for (guint i = 0; apply && i < m->keepers->len; i++)
        if (!g_array_index(m->keepers, MachineKeeper, i).here)
            machine_load_kept(m, i, NULL);
    while (r.left && !r.bad) {
        uint64_t name_len = take(&r);
        const uint8_t *name = take_bytes(&r, name_len);
        uint64_t len = name ? take(&r) : 0;
        const uint8_t *p = name ? take_bytes(&r, len) : NULL;
        g_autoptr(GBytes) saved = p ? g_bytes_new(p, len) : NULL;
        int keeper = p ? find_keeper(m, name, name_len) : -1;

        if (!p)
            return false;
        if (apply && keeper >= 0)
            machine_load_kept(m, keeper, saved);
    }
    return !r.bad;
}

/* ---- PAGE ------------------------------------------------------------------------------------ */

static bool is_zero(const uint8_t *page)
{
    static const uint8_t zeros[PAGE_SIZE];

    return !memcmp(page, zeros, PAGE_SIZE);
}

static bool put_pages(StateWriter *w, GByteArray *pages, GError **error)
{
    bool good = !pages->len || state_writer_put(w, "PAGE", pages->data, pages->len, error);

    g_byte_array_set_size(pages, 0);
    return good;
}

static bool save_ram(const Accel *a, StateWriter *w, GError **error)
{
    const GPtrArray *blocks = ram_set_blocks(a->machine->ram);
    g_autoptr(GByteArray) pages = g_byte_array_new();

    for (unsigned i = 0; i < blocks->len; i++) {
        const RamBlock *b = blocks->pdata[i];

        for (uint64_t at = 0; at < b->size; at += PAGE_SIZE) {
            if (is_zero(b->host + at))
                continue;
            put(pages, b->ram_offset + at);
            g_byte_array_append(pages, b->host + at, PAGE_SIZE);
            if (pages->len >= SECTION_PAGES * PAGE_SIZE && !put_pages(w, pages, error))
                return false;
        }
    }
    return put_pages(w, pages, error);
}

static void set_page(Accel *a, const RamBlock *b, uint64_t at, const uint8_t *bytes)
{
    if (bytes ? !memcmp(b->host + at, bytes, PAGE_SIZE) : is_zero(b->host + at))
        return;
    if (bytes)
        memcpy(b->host + at, bytes, PAGE_SIZE);
    else
        memset(b->host + at, 0, PAGE_SIZE);
    ram_block_written(b, at, PAGE_SIZE);
    if (a->tbs.pages)
        tb_invalidate(&a->tbs, b->ram_offset + at, PAGE_SIZE);
}

/* Where in RAM reading has come to: what no PAGE names is zero. */
typedef struct PagePlace {
    unsigned block;
    uint64_t at; /* in the block */
} PagePlace;

/* All until @ram; false: it is none of the pages that are to come. @apply false: only look. */
static bool clear_until(Accel *a, PagePlace *place, uint64_t ram, bool apply)
{
    const GPtrArray *blocks = ram_set_blocks(a->machine->ram);

    for (; place->block < blocks->len; place->block++, place->at = 0) {
        const RamBlock *b = blocks->pdata[place->block];
        uint64_t stop = ram - b->ram_offset < b->size ? ram - b->ram_offset : b->size;

        if (stop < place->at || stop % PAGE_SIZE)
            return false;
        for (; apply && place->at < stop; place->at += PAGE_SIZE)
            set_page(a, b, place->at, NULL);
        place->at = stop;
        if (stop < b->size)
            return true;
    }
    return false;
}

static bool load_pages(Accel *a, Reader r, PagePlace *place, bool apply)
{
    while (r.left) {
        uint64_t ram = take(&r);
        const uint8_t *bytes = take_bytes(&r, PAGE_SIZE);

        if (!bytes || !clear_until(a, place, ram, apply))
            return false;
        if (apply)
            set_page(a, ram_set_blocks(a->machine->ram)->pdata[place->block], place->at, bytes);
        place->at += PAGE_SIZE;
    }
    return true;
}

/* ---- The whole ------------------------------------------------------------------------------- */

void snapshot_forget_caches(Accel *a)
{
    accel_forget_caches(a);
}

static bool put_section(StateWriter *w, const char *name, GByteArray *part, GError **error)
{
    bool good = state_writer_put(w, name, part->data, part->len, error);

    g_byte_array_set_size(part, 0);
    return good;
}

static bool put_plugs(const Machine *m, StateWriter *w, GError **error)
{
    g_autoptr(GBytes) saved = m->plugs.save ? m->plugs.save(m->plugs.opaque) : NULL;
    gsize len = 0;
    const void *data = saved ? g_bytes_get_data(saved, &len) : NULL;

    return !saved || state_writer_put(w, "PLUG", data, len, error);
}

static bool write_all(Accel *a, StateWriter *w, GError **error)
{
    g_autoptr(GByteArray) part = g_byte_array_new();
    g_autofree char *what = describe(a->machine);

    if (!state_writer_put(w, "MACH", what, strlen(what), error))
        return false;
    if (!put_plugs(a->machine, w, error))
        return false;
    save_counters(a, part);
    if (!put_section(w, "CNTR", part, error))
        return false;
    device_tree_save(a->machine->root, part);
    if (!put_section(w, "DEVS", part, error))
        return false;
    clock_pack(a->machine->clock, part);
    if (!put_section(w, "TIME", part, error))
        return false;
    save_waiting(a->machine, part);
    return put_section(w, "WAIT", part, error) && save_ram(a, w, error) &&
           state_writer_end(w, error);
}

bool snapshot_write(Accel *a, const StateSink *sink, bool compress, GError **error)
{
    StateWriter *w = state_writer_new(sink, compress);
    bool good;

    g_assert(!a->current);
    accel_forget_caches(a);
    good = write_all(a, w, error);
    state_writer_free(w);
    return good;
}

/* What is read before RAM and used after it: what a device or CPU reads when its state has come
 * must be there. */
typedef struct Loading {
    Accel *a;
    bool apply, is_like;
    Counters counters;
    GBytes *devices, *time, *waiting; /* NULL: not seen yet */
    PagePlace place;
} Loading;

static bool keep(GBytes **part, const uint8_t *data, size_t len, GError **error)
{
    if (*part)
        return damaged(error);
    *part = g_bytes_new(data, len);
    return true;
}

static Reader reader_of(GBytes *part)
{
    Reader r = { 0 };

    r.p = g_bytes_get_data(part, &r.left);
    return r;
}

/* Comes before what it is about. A machine that nothing has been plugged into or out of gets the
 * devices, and a replay may go anywhere; else the same must have come and gone. */
static bool load_plugs(Loading *l, const uint8_t *data, size_t len, GError **error)
{
    const MachinePlugs *plugs = &l->a->machine->plugs;
    g_autoptr(GBytes) saved = g_bytes_new(data, len);
    g_autoptr(GBytes) here = plugs->save ? plugs->save(plugs->opaque) : NULL;

    if (!here || l->devices)
        return damaged(error);
    if (g_bytes_equal(saved, here))
        return true;
    if (!session_is_replay(l->a) && !plugs->is_empty(plugs->opaque)) {
        error_set(error, "other devices were plugged in or out then: "
                         "load it into a machine just started with the command line of that one");
        return false;
    }
    if (plugs->load(plugs->opaque, saved, error))
        return true;
    g_prefix_error(error, "the state has devices that were plugged in or out, and needs a machine "
                          "started with the command line of that one: ");
    return false;
}

static bool load_section(Loading *l, const char *name, const uint8_t *data, size_t len,
                         GError **error)
{
    Reader r = { data, len };

    if (!strcmp(name, "MACH"))
        return l->is_like = is_like(l->a->machine, data, len, error);
    if (!l->is_like)
        return damaged(error);
    if (!strcmp(name, "PLUG"))
        return load_plugs(l, data, len, error);
    if (!strcmp(name, "CNTR"))
        return take_counters(l->a, &r, &l->counters) || damaged(error);
    if (!strcmp(name, "DEVS"))
        return device_tree_check(l->a->machine->root, data, len, error) &&
               keep(&l->devices, data, len, error);
    if (!strcmp(name, "TIME"))
        return keep(&l->time, data, len, error);
    if (!strcmp(name, "WAIT"))
        return (load_waiting(l->a->machine, r, false) || damaged(error)) &&
               keep(&l->waiting, data, len, error);
    if (!strcmp(name, "PAGE"))
        return l->devices && (load_pages(l->a, r, &l->place, l->apply) || damaged(error));
    return damaged(error);
}

static bool finish(Loading *l, GError **error)
{
    Accel *a = l->a;
    gsize len;
    const uint8_t *data;

    if (!l->devices || !l->time || !l->waiting)
        return damaged(error);
    if (!l->apply)
        return true;
    clear_until(a, &l->place, UINT64_MAX, true);
    set_counters(a, &l->counters);
    load_waiting(a->machine, reader_of(l->waiting), true);
    data = g_bytes_get_data(l->devices, &len);
    if (!device_tree_load(a->machine->root, data, len, error))
        return false;
    data = g_bytes_get_data(l->time, &len);
    if (!clock_unpack(a->machine->clock, data, len)) {
        error_set(error, "the saved state has timers that this machine has not");
        return false;
    }
    accel_forget_caches(a);
    plugin_machine_event(a, MIMUS_RESTORED, NULL);
    return true;
}

static bool load(Accel *a, const StateSource *source, bool apply, GError **error)
{
    Loading l = { .a = a, .apply = apply };
    StateReader *r = state_reader_new(source);
    const uint8_t *data;
    char name[5];
    size_t len;
    bool good;

    g_assert(!a->current && !a->travel);
    while ((good = state_reader_next(r, name, &data, &len, error)) && *name &&
           (good = load_section(&l, name, data, len, error)))
        ;
    good = good && finish(&l, error);
    state_reader_free(r);
    g_clear_pointer(&l.devices, g_bytes_unref);
    g_clear_pointer(&l.time, g_bytes_unref);
    g_clear_pointer(&l.waiting, g_bytes_unref);
    return good;
}

bool snapshot_check(Accel *a, const StateSource *source, GError **error)
{
    return load(a, source, false, error);
}

bool snapshot_read(Accel *a, const StateSource *source, GError **error)
{
    return load(a, source, true, error);
}

/* ---- In one array ---------------------------------------------------------------------------- */

static bool append(void *opaque, const void *data, size_t len, GError **error)
{
    GByteArray *out = opaque;

    if (out->len + len > MAX_BYTES) {
        error_set(error, "more than %d GiB of the guest's memory are in use",
                  (int)(MAX_BYTES >> 30));
        return false;
    }
    g_byte_array_append(out, data, len);
    return true;
}

GBytes *snapshot_save(Accel *a, GError **error)
{
    GByteArray *out = g_byte_array_new();

    if (snapshot_write(a, &(StateSink){ append, out }, false, error))
        return g_byte_array_free_to_bytes(out);
    g_byte_array_free(out, TRUE);
    return NULL;
}

bool snapshot_load(Accel *a, GBytes *snapshot, GError **error)
{
    g_autoptr(GPtrArray) pieces = g_ptr_array_new();
    StatePieces from = { .pieces = pieces };
    StateSource source = state_source_pieces(&from);

    g_ptr_array_add(pieces, snapshot);
    return snapshot_read(a, &source, error);
}
