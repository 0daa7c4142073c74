/* SPDX-License-Identifier: MIT */
/*
 * announce-self: cards make themselves known to their networks, again and again for a while, so
 * that switches learn where they are. Frames leave on the machine thread; the time between them is
 * the host's and passes on the main thread.
 */
#include "softmmu/program/qmp/announce.h"

#include <string.h>

#include "softmmu/net/net.h"

typedef struct Round {
    unsigned number;
    char *id;
    char **cards; /* NULL: all */
    AnnouncePace pace;
    int64_t delay_ms; /* until the next */
    guint source;     /* that it waits for; 0: for none */
} Round;

struct Announcer {
    Machine *m;
    int channel;
    unsigned last; /* number that was given */
    GPtrArray *rounds;
};

/* What a source of the main thread knows. */
typedef struct Tick {
    InputQueue *input;
    int channel;
    unsigned number;
} Tick;

static void free_round(void *p)
{
    Round *r = p;
    GSource *waiting = r->source ? g_main_context_find_source_by_id(NULL, r->source) : NULL;

    if (waiting)
        g_source_destroy(waiting);
    g_free(r->id);
    g_strfreev(r->cards);
    g_free(r);
}

static void announce_all(Device *dev, const Round *r)
{
    for (guint i = 0; i < dev->children->len; i++) {
        Device *child = dev->children->pdata[i];

        if (child->klass == &net_cable_class)
            net_announce((NetCable *)child);
        announce_all(child, r);
    }
}

static void announce(Announcer *a, const Round *r)
{
    if (!r->cards) {
        announce_all(a->m->root, r);
        return;
    }
    for (char **name = r->cards; *name; name++) {
        NetCable *c = net_cable_named(a->m->root, *name);

        if (c)
            net_announce(c);
    }
}

static gboolean on_time(gpointer p)
{
    const Tick *t = p;

    input_post(t->input, t->channel, &t->number, sizeof(t->number));
    return G_SOURCE_REMOVE;
}

/* Once more, and then wait or end. */
static void go_on(Announcer *a, Round *r)
{
    Tick tick = { a->m->input, a->channel, r->number };

    announce(a, r);
    r->source = 0;
    if (--r->pace.rounds <= 0) {
        g_ptr_array_remove(a->rounds, r);
        return;
    }
    r->source = g_timeout_add_full(G_PRIORITY_DEFAULT, r->delay_ms, on_time,
                                   g_memdup2(&tick, sizeof(tick)), g_free);
    r->delay_ms = MIN(r->delay_ms + r->pace.step_ms, r->pace.max_ms);
}

static void hear(void *opaque, const void *data, size_t len)
{
    Announcer *a = opaque;
    unsigned number;

    if (len != sizeof(number))
        return;
    memcpy(&number, data, sizeof(number));
    for (guint i = 0; i < a->rounds->len; i++) {
        Round *r = a->rounds->pdata[i];

        if (r->number == number) {
            go_on(a, r);
            return;
        }
    }
}

Announcer *announcer_new(Machine *m)
{
    Announcer *a = g_new0(Announcer, 1);

    a->m = m;
    a->rounds = g_ptr_array_new_with_free_func(free_round);
    a->channel = input_add_channel(m->input, "announcer", true, hear, a);
    return a;
}

void announcer_free(Announcer *a)
{
    if (!a)
        return;
    input_close_channel(a->m->input, a->channel);
    g_ptr_array_unref(a->rounds);
    g_free(a);
}

void announcer_begin(Announcer *a, const AnnouncePace *pace, const char *id, char **cards)
{
    Round *r = g_new0(Round, 1);

    for (guint i = a->rounds->len; i-- > 0;)
        if (!g_strcmp0(((Round *)a->rounds->pdata[i])->id, id))
            g_ptr_array_remove_index(a->rounds, i);
    *r = (Round){ .number = ++a->last,
                  .id = g_strdup(id),
                  .cards = g_strdupv(cards),
                  .pace = *pace,
                  .delay_ms = MIN(pace->initial_ms, pace->max_ms) };
    g_ptr_array_add(a->rounds, r);
    if (pace->rounds > 0)
        go_on(a, r);
    else
        g_ptr_array_remove(a->rounds, r);
}
