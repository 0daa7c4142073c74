/* SPDX-License-Identifier: MIT */
/*
 * Which PCI functions came and went, in order: a state of the machine is only good for the same
 * devices. Whoever goes back to a moment of a replay, or on from one in another process, has
 * MachinePlugs bring them about first.
 *
 * What went out of a replay is kept, away from the tree, as there may be a way back to when it was
 * there; each device is made once, whatever way the user takes. Elsewhere it is freed.
 *
 * Saved: strings, each ended by a NUL: numbers; "-" ID for a function of the beginning that went;
 * for each that came later "+", or "~" if it went again, numbers, driver, key and value…, "". "!"
 * stands for one that a replayed user asked for in vain: when he does so again, it is not the turn
 * of the next that came.
 */
#include <stdio.h>
#include <string.h>

#include "hw/pc-internal.h"
#include "softmmu/block/drive.h"
#include "softmmu/error.h"

/* From which the board makes names and addresses. */
typedef struct Numbers {
    unsigned disks, cards, rngs;
} Numbers;

typedef struct First {
    Device *dev; /* NULL: freed */
    char *id;
    bool gone;
} First;

typedef struct Part {
    Device *dev, *parent;
    GByteArray *fresh; /* its state when it had come */
} Part;

typedef struct Plug {
    DeviceOption option; /* with the place and name that it got */
    Numbers before, after;
    GArray *parts; /* Part: a drive or cable, which stays when it goes; the function is the last */
    bool gone, refused; /* refused: there is nothing else */
} Plug;

struct PcPlugs {
    GArray *first;    /* First: in the bus' order */
    GPtrArray *all;   /* Plug */
    guint count;      /* of these have come by now */
    GPtrArray *limbo; /* Plug: of a recording that was left before they came */
};

static bool is_kept(const PcBoard *b)
{
    return b->m->config->replaying;
}

static Device *bus_of(const PcBoard *b)
{
    return pci_bus_device(b->pci);
}

static Numbers numbers_of(const PcBoard *b)
{
    return (Numbers){ b->virtio_disks, b->cards, b->rngs };
}

static void set_numbers(PcBoard *b, const Numbers *n)
{
    b->virtio_disks = n->disks;
    b->cards = n->cards;
    b->rngs = n->rngs;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void clear_first(void *p)
{
    First *f = p;

    if (f->gone)
        device_free(f->dev);
    g_free(f->id);
}

static bool is_away(const Part *part)
{
    return part->dev && !part->dev->parent;
}

static void free_plug(void *p)
{
    Plug *plug = p;

    for (guint i = plug->parts->len; i-- > 0;) { /* functions before what they are connected to */
        Part *part = &g_array_index(plug->parts, Part, i);

        if (is_away(part))
            device_free(part->dev);
        if (part->fresh)
            g_byte_array_unref(part->fresh);
    }
    g_array_unref(plug->parts);
    g_free(plug->option.driver);
    if (plug->option.props)
        g_hash_table_unref(plug->option.props);
    g_free(plug);
}

static GBytes *save(void *opaque);
static bool load(void *opaque, GBytes *saved, GError **error);
static bool is_empty(void *opaque);

void pc_plugs_begin(PcBoard *b)
{
    GPtrArray *functions = bus_of(b)->children;
    PcPlugs *p = b->plugs = g_new0(PcPlugs, 1);

    p->first = g_array_new(FALSE, FALSE, sizeof(First));
    g_array_set_clear_func(p->first, clear_first);
    p->all = g_ptr_array_new_with_free_func(free_plug);
    p->limbo = g_ptr_array_new_with_free_func(free_plug);
    for (guint i = 0; i < functions->len; i++) {
        Device *dev = functions->pdata[i];
        First f = { dev, g_strdup(dev->id), false };

        g_array_append_val(p->first, f);
    }
    b->m->plugs = (MachinePlugs){ save, load, is_empty, b };
}

void pc_plugs_end(PcBoard *b)
{
    if (!b->plugs)
        return;
    b->m->plugs = (MachinePlugs){ 0 };
    g_ptr_array_unref(b->plugs->limbo);
    g_ptr_array_unref(b->plugs->all);
    g_array_unref(b->plugs->first);
    g_clear_pointer(&b->plugs, g_free);
}

/* ---- Coming ---------------------------------------------------------------------------------- */

/* What was made from child @first of @parent on; all of it goes again if one cannot be. */
static bool start_children(Device *parent, guint first, GError **error)
{
    GPtrArray *children = parent->children;

    for (guint i = first; i < children->len; i++) {
        if (!pc_realize_tree(children->pdata[i], error))
            return false;
        device_reset(children->pdata[i]);
    }
    return true;
}

static void free_device(PcBoard *b, Device *dev)
{
    pc_forget_boot_device(b, dev);
    device_free(dev);
}

static bool make(PcBoard *b, const DeviceOption *o, GError **error)
{
    Device *bus = bus_of(b);
    guint functions_before = bus->children->len, others_before = b->dev.children->len;
    bool ok = pc_create_device(b, o, true, error) &&
              start_children(&b->dev, others_before, error) &&
              start_children(bus, functions_before, error);

    if (ok)
        return true;
    while (bus->children->len > functions_before)
        free_device(b, bus->children->pdata[bus->children->len - 1]);
    return false;
}

static void note_parts(const PcBoard *b, Plug *plug, Device *parent, guint first)
{
    for (guint i = first; i < parent->children->len; i++) {
        Part part = { parent->children->pdata[i], parent, NULL };

        if (is_kept(b)) {
            part.fresh = g_byte_array_new();
            device_tree_save(part.dev, part.fresh);
        }
        g_array_append_val(plug->parts, part);
    }
}

static Device *function_of(const Plug *plug)
{
    return plug->refused ? NULL : g_array_index(plug->parts, Part, plug->parts->len - 1).dev;
}

/* It comes by the same name to the same place, should it come again in another process. */
static void settle_option(Plug *plug, const DeviceOption *o)
{
    const PciDevice *function = (PciDevice *)function_of(plug);
    GHashTableIter iter;
    void *key, *value;

    plug->option.driver = g_strdup(o->driver);
    plug->option.props = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_iter_init(&iter, o->props);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(plug->option.props, g_strdup(key), g_strdup(value));
    g_hash_table_insert(plug->option.props, g_strdup("id"), g_strdup(function->dev.id));
    g_hash_table_insert(plug->option.props, g_strdup("addr"),
                        g_strdup_printf("%x.%u", function->devfn >> 3, function->devfn & 7u));
}

static Plug *new_plug(PcBoard *b)
{
    Plug *plug = g_new0(Plug, 1);

    plug->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_ptr_array_add(b->plugs->all, plug);
    return plug;
}

static void refuse(PcBoard *b)
{
    Plug *plug = new_plug(b);

    plug->refused = true;
    plug->before = plug->after = numbers_of(b);
}

static Plug *come_first(PcBoard *b, const DeviceOption *o, GError **error)
{
    guint functions = bus_of(b)->children->len, others = b->dev.children->len;
    Numbers before = numbers_of(b);
    Plug *plug;

    if (!make(b, o, error))
        return NULL;
    plug = new_plug(b);
    plug->before = before;
    plug->after = numbers_of(b);
    note_parts(b, plug, &b->dev, others);
    note_parts(b, plug, bus_of(b), functions);
    settle_option(plug, o);
    return plug;
}

/* The run has been here. */
static Plug *come_again(PcBoard *b, Plug *plug)
{
    for (guint i = 0; i < plug->parts->len; i++) {
        const Part *part = &g_array_index(plug->parts, Part, i);

        device_put_back(part->dev, part->parent);
        if (!device_tree_load(part->dev, part->fresh->data, part->fresh->len, NULL))
            g_assert_not_reached(); /* it is its own */
    }
    plug->gone = false;
    set_numbers(b, &plug->after);
    return plug;
}

Device *pc_plugs_come(PcBoard *b, const DeviceOption *o, bool replayed, GError **error)
{
    PcPlugs *p = b->plugs;
    Plug *plug;

    while (!replayed && p->all->len > p->count)
        g_ptr_array_add(p->limbo, g_ptr_array_steal_index(p->all, p->count));
    plug =
        p->count < p->all->len ? come_again(b, p->all->pdata[p->count]) : come_first(b, o, error);
    if (!plug && replayed)
        refuse(b);
    p->count += plug || replayed;
    if (plug && plug->refused)
        error_set(error, "it was refused before");
    return plug ? function_of(plug) : NULL;
}

/* ---- Going ----------------------------------------------------------------------------------- */

static void note_gone(PcPlugs *p, const Device *dev, bool freed)
{
    for (guint i = 0; i < p->first->len; i++) {
        First *f = &g_array_index(p->first, First, i);

        if (f->dev != dev)
            continue;
        f->gone = true;
        if (freed)
            f->dev = NULL;
    }
    for (guint i = 0; i < p->count; i++) {
        Plug *plug = p->all->pdata[i];

        if (function_of(plug) != dev)
            continue;
        plug->gone = true;
        if (freed)
            g_array_index(plug->parts, Part, plug->parts->len - 1).dev = NULL;
    }
}

void pc_plugs_go(PcBoard *b, Device *dev)
{
    bool kept = is_kept(b);

    note_gone(b->plugs, dev, !kept);
    if (kept)
        device_take_out(dev);
    else
        free_device(b, dev);
}

/* ---- A moment as bytes ----------------------------------------------------------------------- */

static void put(GByteArray *out, const char *text)
{
    g_byte_array_append(out, (const uint8_t *)text, strlen(text) + 1);
}

static void put_numbers(GByteArray *out, const Numbers *n)
{
    g_autofree char *text = g_strdup_printf("%u %u %u", n->disks, n->cards, n->rngs);

    put(out, text);
}

static void put_plug(GByteArray *out, const Plug *plug)
{
    g_autoptr(GList) keys =
        g_list_sort(g_hash_table_get_keys(plug->option.props), (GCompareFunc)strcmp);

    put(out, plug->gone ? "~" : "+");
    put_numbers(out, &plug->before);
    put(out, plug->option.driver);
    for (GList *key = keys; key; key = key->next) {
        put(out, key->data);
        put(out, g_hash_table_lookup(plug->option.props, key->data));
    }
    put(out, "");
}

static GBytes *save(void *opaque)
{
    const PcBoard *b = opaque;
    GByteArray *out = g_byte_array_new();
    Numbers now = numbers_of(b);

    put_numbers(out, &now);
    for (guint i = 0; i < b->plugs->first->len; i++) {
        const First *f = &g_array_index(b->plugs->first, First, i);

        if (f->gone) {
            put(out, "-");
            put(out, f->id);
        }
    }
    for (guint i = 0; i < b->plugs->count; i++) {
        const Plug *plug = b->plugs->all->pdata[i];

        if (plug->refused)
            put(out, "!");
        else
            put_plug(out, plug);
    }
    return g_byte_array_free_to_bytes(out);
}

/* A moment that was saved; strings are the bytes'. */
typedef struct WantedPlug {
    bool gone, refused;
    Numbers before;
    DeviceOption option;
} WantedPlug;

typedef struct Wanted {
    Numbers numbers;
    GPtrArray *gone; /* ids of First */
    GArray *plugs;   /* WantedPlug */
} Wanted;

typedef struct Reader {
    const char *at, *end;
} Reader;

/* NULL: there is no more. */
static const char *take(Reader *r)
{
    const char *text = r->at, *nul = text < r->end ? memchr(text, 0, r->end - text) : NULL;

    if (!nul)
        return NULL;
    r->at = nul + 1;
    return text;
}

static bool take_numbers(Reader *r, Numbers *n)
{
    const char *text = take(r);

    return text && sscanf(text, "%u %u %u", &n->disks, &n->cards, &n->rngs) == 3;
}

static bool take_plug(Reader *r, char what, Wanted *w)
{
    WantedPlug plug = { .gone = what == '~', .refused = what == '!' };
    const char *key, *value;

    if (plug.refused)
        g_array_append_val(w->plugs, plug);
    if (plug.refused)
        return true;
    if (!take_numbers(r, &plug.before) || !(plug.option.driver = (char *)take(r)))
        return false;
    plug.option.props = g_hash_table_new(g_str_hash, g_str_equal);
    g_array_append_val(w->plugs, plug);
    while ((key = take(r)) && *key) {
        if (!(value = take(r)))
            return false;
        g_hash_table_insert(plug.option.props, (char *)key, (char *)value);
    }
    return key;
}

static void clear_wanted_plug(void *p)
{
    if (((WantedPlug *)p)->option.props)
        g_hash_table_unref(((WantedPlug *)p)->option.props);
}

static bool take_wanted(GBytes *saved, Wanted *w)
{
    gsize len;
    const char *data = g_bytes_get_data(saved, &len), *what, *id;
    Reader r = { data, data + len };

    if (!take_numbers(&r, &w->numbers))
        return false;
    while ((what = take(&r))) {
        if (!strcmp(what, "-") && (id = take(&r)))
            g_ptr_array_add(w->gone, (char *)id);
        else if (!*what || what[1] || !strchr("+~!", *what) || !take_plug(&r, *what, w))
            return false;
    }
    return r.at == r.end;
}

/* ---- Going there ----------------------------------------------------------------------------- */

static bool wants_gone(const Wanted *w, const First *f)
{
    return g_ptr_array_find_with_equal_func(w->gone, f->id, g_str_equal, NULL);
}

static bool is_there(const PcPlugs *p, const Wanted *w)
{
    if (p->count != w->plugs->len)
        return false;
    for (guint i = 0; i < p->first->len; i++)
        if (g_array_index(p->first, First, i).gone !=
            wants_gone(w, &g_array_index(p->first, First, i)))
            return false;
    for (guint i = 0; i < p->count; i++)
        if (((Plug *)p->all->pdata[i])->gone != g_array_index(w->plugs, WantedPlug, i).gone)
            return false;
    return true;
}

/* All that may come and go. */
static void take_all_out(PcBoard *b)
{
    GPtrArray *functions = bus_of(b)->children;

    for (guint i = functions->len; i-- > 0;)
        if (((Device *)functions->pdata[i])->klass->plug)
            device_take_out(functions->pdata[i]);
    for (guint i = b->plugs->count; i-- > 0;) {
        const Plug *plug = b->plugs->all->pdata[i];

        for (guint k = plug->parts->len; k > 1; k--) /* but for the function */
            device_take_out(g_array_index(plug->parts, Part, k - 2).dev);
    }
    b->plugs->count = 0;
}

static bool cannot(const char *id, GError **error)
{
    error_set(error, "device '%s' was plugged out, and is not to be had again", id);
    return false;
}

static bool put_firsts(PcBoard *b, const Wanted *w, GError **error)
{
    for (guint i = 0; i < b->plugs->first->len; i++) {
        First *f = &g_array_index(b->plugs->first, First, i);

        f->gone = wants_gone(w, f);
        if (!f->gone && !f->dev)
            return cannot(f->id, error);
        if (!f->gone && !f->dev->parent)
            device_put_back(f->dev, bus_of(b));
    }
    return true;
}

/* Those of the beginning have stayed, or come back, in any order. */
static void order_functions(PcBoard *b)
{
    GPtrArray *functions = bus_of(b)->children;
    guint n = 0;

    for (guint i = 0; i < b->plugs->first->len; i++) {
        const First *f = &g_array_index(b->plugs->first, First, i);

        if (!f->gone)
            functions->pdata[n++] = f->dev;
    }
    g_assert(n == functions->len);
}

static bool put_plug_first(PcBoard *b, const WantedPlug *w, GError **error)
{
    Plug *plug;

    b->plugs->count++;
    if (w->refused) {
        refuse(b);
        return true;
    }
    set_numbers(b, &w->before);
    b->gone = w->gone;
    plug = come_first(b, &w->option, error);
    b->gone = false;
    if (!plug)
        g_prefix_error(error, "%s, which was plugged in then: ", w->option.driver);
    else if (w->gone)
        pc_plugs_go(b, function_of(plug));
    return plug;
}

/* The next of those that came, which is there already or is made. */
static bool put_plug_back(PcBoard *b, const WantedPlug *w, GError **error)
{
    PcPlugs *p = b->plugs;
    Plug *plug;

    if (p->count == p->all->len)
        return put_plug_first(b, w, error);
    plug = p->all->pdata[p->count++];
    plug->gone = w->gone;
    for (guint i = 0; i < plug->parts->len - w->gone; i++) {
        const Part *part = &g_array_index(plug->parts, Part, i);

        if (!part->dev)
            return cannot(plug->option.driver, error);
        device_put_back(part->dev, part->parent);
    }
    return true;
}

static bool go(PcBoard *b, const Wanted *w, GError **error)
{
    bool ok = true;

    if (!is_there(b->plugs, w)) {
        take_all_out(b);
        ok = put_firsts(b, w, error);
        if (ok)
            order_functions(b);
        for (guint i = 0; ok && i < w->plugs->len; i++)
            ok = put_plug_back(b, &g_array_index(w->plugs, WantedPlug, i), error);
    }
    set_numbers(b, &w->numbers);
    return ok;
}

static bool load(void *opaque, GBytes *saved, GError **error)
{
    PcBoard *b = opaque;
    Wanted w = { .gone = g_ptr_array_new(),
                 .plugs = g_array_new(FALSE, FALSE, sizeof(WantedPlug)) };
    bool ok;

    g_array_set_clear_func(w.plugs, clear_wanted_plug);
    ok = take_wanted(saved, &w);
    if (!ok)
        error_set(error, "the list of devices that came and went is damaged");
    memory_begin(b->m->memory);
    memory_begin(b->m->io);
    ok = ok && go(b, &w, error);
    memory_commit(b->m->io);
    memory_commit(b->m->memory);
    g_array_unref(w.plugs);
    g_ptr_array_unref(w.gone);
    return ok;
}

static bool is_empty(void *opaque)
{
    const PcPlugs *p = ((PcBoard *)opaque)->plugs;

    for (guint i = 0; i < p->first->len; i++)
        if (g_array_index(p->first, First, i).gone)
            return false;
    return !p->count;
}
