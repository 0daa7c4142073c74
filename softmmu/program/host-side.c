/* SPDX-License-Identifier: MIT */
/*
 * In recordings: strings, each ended by a NUL: "+" OPTION SPEC, and for a disk its image's facts in
 * hexadecimal digits; "-" OPTION ID. As part of a moment: u32 bytes of all this; "-" OPTION ID for
 * what the command line had and has gone; for each that came later "+", or "~" if it has gone
 * again, OPTION SPEC FACTS; the board's part. Only a replay has moments in which that is not empty:
 * elsewhere the options say what is there.
 */
#include "softmmu/program/host-side.h"

#include <string.h>
#include <unistd.h>

#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/program/back-ends.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

struct HostSide {
    BackEndWorld w;
    GPtrArray *args; /* may be NULL */
    guint given;     /* of these were on the command line */
    GPtrArray *all;  /* BackEnd: those that came later, in order */
    guint count;     /* … by now: a replay may know of more */
    GPtrArray *gone; /* BackEnd: of the command line, in a replay */
    GPtrArray *past; /* BackEnd: of a recording that has been left */
    MachinePlugs board;
    int channel;
};

static void free_back_end(void *b)
{
    back_end_free(b);
}

static bool is_kept(const HostSide *h)
{
    return machine_is_replaying(h->w.m);
}

static BackEnd *find_later(const HostSide *h, const BackEndKind *kind, const char *id)
{
    for (guint i = 0; i < h->count; i++) {
        BackEnd *b = h->all->pdata[i];

        if (b->there && b->kind == kind && !g_strcmp0(b->id, id))
            return b;
    }
    return NULL;
}

/* ---- Coming and going ------------------------------------------------------------------------ */

/* What a replay knew of, and is not to come, as the recording has been left. */
static void forget_future(HostSide *h)
{
    while (h->all->len > h->count)
        g_ptr_array_add(h->past, g_ptr_array_steal_index(h->all, h->count));
}

static BackEnd *come(HostSide *h, const BackEndKind *kind, const char *spec, GBytes *facts,
                     GError **error)
{
    BackEnd *b = back_end_open(&h->w, kind, spec, facts, error);

    if (!b)
        return NULL;
    if (!back_end_come(&h->w, b, error)) {
        back_end_close(&h->w, b);
        back_end_free(b);
        return NULL;
    }
    g_ptr_array_add(h->all, b);
    h->count++;
    back_end_put(&h->w, b);
    return b;
}

static void leave(HostSide *h, BackEnd *b)
{
    back_end_go(&h->w, b);
    back_end_take(&h->w, b);
    if (is_kept(h))
        return;
    back_end_close(&h->w, b);
    if (b->spec && g_ptr_array_remove(h->all, b))
        h->count--;
    else
        back_end_free(b);
}

/* ---- What a recording has -------------------------------------------------------------------- */

static void put(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *)text, strlen(text) + 1);
}

static void put_facts(GByteArray *out, GBytes *facts)
{
    size_t len = 0;
    const uint8_t *p = facts ? g_bytes_get_data(facts, &len) : NULL;
    g_autoptr(GString) digits = g_string_new("");

    for (size_t i = 0; i < len; i++)
        g_string_append_printf(digits, "%02x", p[i]);
    put(out, digits->str);
}

static void put_back_end(GByteArray *out, const char *what, const BackEnd *b)
{
    put(out, what);
    put(out, back_end_option(b->kind));
    put(out, b->spec);
    put_facts(out, b->facts);
}

static void put_id(GByteArray *out, const BackEndKind *kind, const char *id)
{
    put(out, "-");
    put(out, back_end_option(kind));
    put(out, id);
}

static void tell(HostSide *h, GByteArray *news)
{
    input_act(h->w.m->input, h->channel, news->data, news->len, 0);
    g_byte_array_unref(news);
}

/* NULL: that is not what there is in a recording. */
static GBytes *facts_from(const char *digits)
{
    GByteArray *bytes = g_byte_array_new();

    for (; digits[0] && digits[1]; digits += 2) {
        uint8_t byte = g_ascii_xdigit_value(digits[0]) << 4 | g_ascii_xdigit_value(digits[1]);

        g_byte_array_append(bytes, &byte, 1);
    }
    return g_byte_array_free_to_bytes(bytes);
}

typedef struct Strings {
    const char *at, *end;
} Strings;

/* NULL: there is no more. */
static const char *take(Strings *s)
{
    const char *text = s->at, *nul = text < s->end ? memchr(text, 0, s->end - text) : NULL;

    if (!nul)
        return NULL;
    s->at = nul + 1;
    return text;
}

/* One of those that put_back_end() and put_id() wrote. */
typedef struct News {
    char what;
    const BackEndKind *kind;
    const char *text; /* spec or id */
    GBytes *facts;    /* NULL: none */
} News;

/* False: there is no more that makes sense. The facts are the caller's. */
static bool take_news(Strings *s, News *n)
{
    const char *what = take(s), *option = take(s), *facts = NULL;

    n->text = take(s);
    n->facts = NULL;
    if (!n->text || strlen(what) != 1 || !strchr("+-~", *what))
        return false;
    n->what = *what;
    n->kind = back_end_kind(option);
    if (n->kind && n->what != '-' && (facts = take(s)) && *facts)
        n->facts = facts_from(facts);
    return n->kind && (n->what == '-' || facts);
}

/* ---- In a replay ----------------------------------------------------------------------------- */

/* Of the command line; NULL: there is none. */
static BackEnd *find_given(HostSide *h, const News *n)
{
    BackEnd *b;

    for (guint i = 0; i < h->gone->len; i++) {
        b = h->gone->pdata[i];
        if (b->kind == n->kind && !g_strcmp0(b->id, n->text))
            return b;
    }
    b = back_end_find(&h->w, n->kind, n->text, NULL);
    if (b)
        g_ptr_array_add(h->gone, b);
    return b;
}

static void come_again(HostSide *h)
{
    BackEnd *b = h->all->pdata[h->count++];

    back_end_put(&h->w, b);
    back_end_come(&h->w, b, NULL); /* as it did once */
}

/* A run that is not as it was goes on, and is found to differ. */
static void hear(void *opaque, const void *data, size_t len)
{
    HostSide *h = opaque;
    Strings s = { data, (const char *)data + len };
    BackEnd *b;
    News n;

    if (!is_kept(h) || !take_news(&s, &n)) /* else it has been done already */
        return;
    if (n.what == '+' && h->count < h->all->len)
        come_again(h);
    else if (n.what == '+')
        come(h, n.kind, n.text, n.facts, NULL);
    else if ((b = find_later(h, n.kind, n.text)) || (b = find_given(h, &n)))
        leave(h, b);
    if (n.facts)
        g_bytes_unref(n.facts);
}

/* ---- Moments --------------------------------------------------------------------------------- */

static void put_moment(const HostSide *h, GByteArray *out)
{
    for (guint i = 0; i < h->gone->len; i++) {
        const BackEnd *b = h->gone->pdata[i];

        if (!b->there)
            put_id(out, b->kind, b->id);
    }
    for (guint i = 0; i < h->count; i++) {
        const BackEnd *b = h->all->pdata[i];

        put_back_end(out, b->there ? "+" : "~", b);
    }
}

static GBytes *save(void *opaque)
{
    HostSide *h = opaque;
    g_autoptr(GBytes) board = h->board.save ? h->board.save(h->board.opaque) : NULL;
    g_autoptr(GByteArray) own = g_byte_array_new();
    GByteArray *out = g_byte_array_new();

    if (is_kept(h))
        put_moment(h, own);
    g_byte_array_set_size(out, 4);
    put_le(out->data, 4, own->len);
    g_byte_array_append(out, own->data, own->len);
    if (board)
        g_byte_array_append(out, g_bytes_get_data(board, NULL), g_bytes_get_size(board));
    return g_byte_array_free_to_bytes(out);
}

static void set_there(HostSide *h, BackEnd *b, bool there)
{
    if (b->there && !there)
        back_end_take(&h->w, b);
    else if (!b->there && there)
        back_end_put(&h->w, b);
}

/* The next of those that came, which is known or is made. */
static bool go_on(HostSide *h, const News *n, GError **error)
{
    if (h->count < h->all->len)
        h->count++;
    else if (!come(h, n->kind, n->text, n->facts, error))
        return false;
    return true;
}

/* Of one name there is one at a time: all that go, go first. */
static bool load_moment(HostSide *h, Strings s, GError **error)
{
    bool good = true;
    News n;

    for (guint i = 0; i < h->all->len; i++)
        set_there(h, h->all->pdata[i], false);
    for (guint i = 0; i < h->gone->len; i++)
        set_there(h, h->gone->pdata[i], true);
    h->count = 0;
    while (good && s.at < s.end && (good = take_news(&s, &n))) {
        BackEnd *b = n.what == '-' ? find_given(h, &n) : NULL;
        bool stays = n.what == '+';

        if (b)
            set_there(h, b, false);
        else if (n.what != '-') {
            good = go_on(h, &n, error);
            if (good)
                set_there(h, h->all->pdata[h->count - 1], stays);
        }
        g_clear_pointer(&n.facts, g_bytes_unref);
    }
    if (!good && error && !*error)
        error_set(error, "what it says of the host's side is damaged");
    return good;
}

static bool load(void *opaque, GBytes *saved, GError **error)
{
    HostSide *h = opaque;
    size_t len;
    const uint8_t *p = g_bytes_get_data(saved, &len);
    size_t own = len >= 4 ? get_le(p, 4) : SIZE_MAX;
    g_autoptr(GBytes) board = NULL;

    if (own > len - 4) {
        error_set(error, "the list of what came and went is damaged");
        return false;
    }
    if (is_kept(h) &&
        !load_moment(h, (Strings){ (const char *)p + 4, (const char *)p + 4 + own }, error))
        return false;
    board = g_bytes_new_from_bytes(saved, 4 + own, len - 4 - own);
    return !h->board.load || h->board.load(h->board.opaque, board, error);
}

static bool is_empty(void *opaque)
{
    const HostSide *h = opaque;

    return !h->board.is_empty || h->board.is_empty(h->board.opaque);
}

/* ---- For monitors ---------------------------------------------------------------------------- */

static bool may_change(const HostSide *h, GError **error)
{
    if (!input_is_replaying(h->w.m->input))
        return true;
    error_set(error, "not while a recording is replayed");
    return false;
}

static bool add(void *opaque, const char *option, const char *spec, GError **error)
{
    HostSide *h = opaque;
    GByteArray *news;
    BackEnd *b;

    if (!may_change(h, error))
        return false;
    forget_future(h);
    b = come(h, back_end_kind(option), spec, NULL, error);
    if (!b)
        return false;
    news = g_byte_array_new();
    put_back_end(news, "+", b);
    tell(h, news);
    return true;
}

static bool remove_it(void *opaque, const char *option, const char *id, GError **error)
{
    HostSide *h = opaque;
    const BackEndKind *kind = back_end_kind(option);
    BackEnd *later, *b;
    GByteArray *news;

    if (!may_change(h, error))
        return false;
    later = find_later(h, kind, id);
    b = later ? later : back_end_find(&h->w, kind, id, error);
    if (!b)
        return false;
    if (!back_end_may_go(&h->w, b, error)) {
        if (!later)
            back_end_free(b);
        return false;
    }
    news = g_byte_array_new();
    put_id(news, kind, id);
    leave(h, b);
    tell(h, news);
    return true;
}

static bool netdev_del(void *opaque, const char *id, GError **error)
{
    return remove_it(opaque, "-netdev", id, error);
}

/* ---- Properties of objects ------------------------------------------------------------------- */

static DeviceOption *find_object(const HostSide *h, const char *id)
{
    const GPtrArray *objects = h->w.m->config->objects;

    for (guint i = 0; i < objects->len; i++) {
        DeviceOption *o = objects->pdata[i];

        if (!strcmp(g_hash_table_lookup(o->props, "id"), id))
            return o;
    }
    return NULL;
}

static bool set_dump_status(HostSide *h, const DeviceOption *object, const char *value,
                            GError **error)
{
    NetDump *d = network_dump(h->w.network, g_hash_table_lookup(object->props, "id"));
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (d)
        net_dump_set_on(d, on);
    g_hash_table_insert(object->props, g_strdup("status"), g_strdup(on ? "on" : "off"));
    return true;
}

static bool set_of_object(void *opaque, const char *id, const char *property, const char *value,
                          bool *known, GError **error)
{
    HostSide *h = opaque;
    const DeviceOption *object = find_object(h, id);

    *known = object && !strcmp(object->driver, "filter-dump") && !strcmp(property, "status");
    return *known && set_dump_status(h, object, value, error);
}

bool host_side_make_memory(const MemoryBackend *memory, GError **error)
{
    int fd = memory->backing.path ? ram_backing_open(&memory->backing, memory->size, error) : 0;

    if (memory->backing.path && fd >= 0)
        close(fd);
    return fd >= 0;
}

MonitorHost host_side_for_monitor(HostSide *h)
{
    return (MonitorHost){ add, netdev_del, h, remove_it, set_of_object };
}

/* ---- Options --------------------------------------------------------------------------------- */

/* Does @spec, as options have it or JSON, give something the name @id? */
static bool names(const char *spec, const char *id)
{
    static const char *const keys[] = { "id", "node-name" };
    g_autofree char *plain = *spec == '{' ? options_from_json(spec, NULL) : g_strdup(spec);
    g_auto(GStrv) words = plain ? g_strsplit(plain, ",", -1) : NULL;

    for (size_t k = 0; words && k < G_N_ELEMENTS(keys); k++) {
        g_autofree char *wanted = g_strdup_printf("%s=%s", keys[k], id);

        if (g_strv_contains((const char *const *)words, wanted))
            return true;
    }
    return false;
}

/* What the command line called so has gone, as there is another. What has gone without stays: a
 * device of the command line may name it. */
static void forget_given(HostSide *h, const BackEnd *b)
{
    for (guint i = 0; i + 1 < h->given; i++) {
        const char *name = h->args->pdata[i], *spec = h->args->pdata[i + 1];

        if (!strcmp(name + strspn(name, "-"), back_end_option(b->kind) + 1) && names(spec, b->id)) {
            g_ptr_array_remove_range(h->args, i, 2);
            h->given -= 2;
            return;
        }
    }
}

void host_side_settle(HostSide *h)
{
    if (!h->args)
        return;
    g_ptr_array_set_size(h->args, h->given);
    for (guint i = 0; i < h->count; i++) {
        const BackEnd *b = h->all->pdata[i];

        if (b->there && b->id)
            forget_given(h, b);
    }
    for (guint i = 0; i < h->count; i++) {
        const BackEnd *b = h->all->pdata[i];

        if (!b->there)
            continue;
        g_ptr_array_add(h->args, g_strdup(back_end_option(b->kind)));
        g_ptr_array_add(h->args, g_strdup(b->spec));
    }
}

/* ---- Life ------------------------------------------------------------------------------------ */

HostSide *host_side_new(Machine *m, Network *network, Console *console, GPtrArray *args)
{
    HostSide *h = g_new0(HostSide, 1);

    h->w = (BackEndWorld){ m, network, console };
    h->args = args;
    h->given = args ? args->len : 0;
    h->all = g_ptr_array_new_with_free_func(free_back_end);
    h->gone = g_ptr_array_new_with_free_func(free_back_end);
    h->past = g_ptr_array_new_with_free_func(free_back_end);
    h->channel = input_add_channel(m->input, "back ends", false, hear, h);
    h->board = m->plugs;
    m->plugs = (MachinePlugs){ save, load, is_empty, h };
    return h;
}

void host_side_free(HostSide *h)
{
    if (!h)
        return;
    g_ptr_array_unref(h->past);
    g_ptr_array_unref(h->gone);
    g_ptr_array_unref(h->all);
    g_free(h);
}
