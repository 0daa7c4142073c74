/* SPDX-License-Identifier: MIT */
/* Properties of devices: what the user said of each, and what is so without a word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "softmmu/net/net.h"
#include "softmmu/program/options/keyval.h"
#include "softmmu/program/qmp/internal.h"

/* ---- What was said --------------------------------------------------------------------------- */

static void count_before(const Device *parent, const Device *dev, unsigned *n, bool *done)
{
    for (guint i = 0; i < parent->children->len && !*done; i++) {
        const Device *child = parent->children->pdata[i];

        *done = child == dev;
        if (!*done && child->anonymous && child->klass == dev->klass)
            ++*n;
        if (!*done)
            count_before(child, dev, n, done);
    }
}

const DeviceOption *qmp_option_of(const Machine *m, const Device *dev)
{
    const GPtrArray *options = m->config->devices;
    unsigned skip = 0;
    bool done = false;

    if (!dev->named && !dev->anonymous)
        return NULL;
    if (dev->anonymous)
        count_before(m->root, dev, &skip, &done);
    for (guint i = 0; options && i < options->len; i++) {
        const DeviceOption *o = options->pdata[i];
        const char *id = o->props ? g_hash_table_lookup(o->props, "id") : NULL;

        if (dev->named ? id && !strcmp(id, dev->id)
                       : !id && !strcmp(o->driver, dev->klass->name) && !skip--)
            return o->props ? o : NULL;
    }
    return NULL;
}

Json *qmp_property_value(const char *type, const char *text)
{
    uint64_t number;
    bool on;

    if (!strcmp(type, "bool"))
        return json_object_new_boolean(parse_switch(text, &on, NULL) && on);
    if (strstr(type, "int") && *text == '-')
        return json_object_new_int64(g_ascii_strtoll(text, NULL, 0));
    if (strstr(type, "int"))
        return json_object_new_int64(parse_size(text, 1, &number, NULL) ? (int64_t)number : 0);
    return json_object_new_string(text);
}

/* ---- Properties ------------------------------------------------------------------------------ */

typedef struct Walk {
    Qmp *q;
    const Device *dev;
    GHashTable *said; /* NULL: nothing */
    QmpEachProperty *f;
    void *to;
} Walk;

static void tell_mac(const Walk *w)
{
    uint8_t mac[6];
    g_autofree char *text = NULL;

    if (!net_card_mac(w->q->w.m->root, w->dev, mac))
        return;
    text = g_strdup_printf("%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                           mac[5]);
    w->f(w->to, "mac", "str", json_object_new_string(text));
}

static void tell(void *to, const QmpProperty *p)
{
    const Walk *w = to;
    const char *said = w->said ? g_hash_table_lookup(w->said, p->name) : NULL;

    if (!strcmp(p->name, "addr") || !strcmp(p->name, "mac"))
        return;
    if (said)
        w->f(w->to, p->name, p->type, qmp_property_value(p->type, said));
    else if (!strcmp(p->name, "bootindex"))
        w->f(w->to, p->name, p->type, json_object_new_int(-1));
}

static void tell_place(const Walk *w, const char *place)
{
    unsigned slot, function;

    w->f(w->to, "legacy-addr", "str", json_object_new_string(place));
    if (sscanf(place, "%x.%x", &slot, &function) == 2)
        w->f(w->to, "addr", "int32", json_object_new_int(slot << 3 | function));
}

void qmp_each_of_device(Qmp *q, const Device *dev, QmpEachProperty *f, void *to)
{
    const DeviceOption *o = qmp_option_of(q->w.m, dev);
    Walk w = { q, dev, o ? o->props : NULL, f, to };
    g_autofree char *place =
        q->w.facts.pci_place ? q->w.facts.pci_place(q->w.facts.opaque, dev) : NULL;

    f(to, "realized", "bool", json_object_new_boolean(dev->realized));
    if (place)
        tell_place(&w, place);
    tell_mac(&w);
    if (q->w.facts.each_property)
        q->w.facts.each_property(o ? o->driver : dev->klass->name, tell, &w);
}

typedef struct Search {
    const char *name;
    bool found;
} Search;

static void match(void *to, const QmpProperty *p)
{
    Search *s = to;

    s->found |= !strcmp(p->name, s->name);
}

void qmp_refuse_to_set(Qmp *q, const Device *dev, const char *owner, const char *name,
                       GError **error)
{
    Search s = { name, false };

    if (dev && q->w.facts.each_property)
        q->w.facts.each_property(dev->klass->name, match, &s);
    if (s.found && dev->named)
        error_set(error,
                  "Attempt to set property '%s' on device '%s' (type '%s') after it was realized",
                  name, dev->id, owner);
    else if (s.found)
        error_set(
            error,
            "Attempt to set property '%s' on anonymous device (type '%s') after it was realized",
            name, owner);
    else
        error_set(error, "Property '%s.%s' is not writable", owner, name);
}
