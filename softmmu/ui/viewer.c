/* SPDX-License-Identifier: MIT */
#include "softmmu/ui/viewer.h"

#include <string.h>

enum { LOOK_MIN_MS = 33, LOOK_MAX_MS = 250 };
enum { BLANK_WIDTH = 640, BLANK_HEIGHT = 480 };

struct Viewer {
    ViewerScreen screen;
    bool characters;
    ViewerSeen *seen;
    void *opaque;
    int channel;
    ViewerFrame frame; /* the machine thread's between a question and its answer */
    GSource *answer;   /* likewise */
    bool asked, wanted;
    unsigned number; /* of the screen */
    unsigned interval_ms;
    int64_t looked_us;
    guint timeout;
};

static void plan(Viewer *v);

/* ---- Machine thread -------------------------------------------------------------------------- */

static gboolean answered(void *opaque);

/* What blinks is always lit: pictures of a screen that stands still are equal. */
static void draw(Viewer *v, unsigned n)
{
    ViewerFrame *f = &v->frame;
    bool any = n < display_count(v->screen.display);

    f->is_text = any && v->characters && display_text(v->screen.display, n, &f->text);
    if (f->is_text)
        return;
    if (any) {
        display_draw(v->screen.display, n, &f->surface, true);
    } else {
        surface_resize(&f->surface, BLANK_WIDTH, BLANK_HEIGHT);
        surface_fill(&f->surface, 0);
    }
}

static void look(void *opaque, const void *data, size_t len)
{
    Viewer *v = opaque;
    unsigned n;

    memcpy(&n, data, sizeof(n));
    draw(v, n);
    v->frame.leds = v->screen.hid ? hid_leds(v->screen.hid) : 0;
    v->answer = g_idle_source_new();
    g_source_set_priority(v->answer, G_PRIORITY_DEFAULT);
    g_source_set_callback(v->answer, answered, v, NULL);
    g_source_attach(v->answer, NULL);
}

/* ---- Main thread ----------------------------------------------------------------------------- */

static gboolean answered(void *opaque)
{
    Viewer *v = opaque;

    g_source_unref(v->answer);
    v->answer = NULL;
    v->asked = false;
    if (v->seen(v->opaque, &v->frame))
        v->interval_ms = LOOK_MIN_MS;
    else
        v->interval_ms = MIN(v->interval_ms * 3 / 2, LOOK_MAX_MS);
    plan(v);
    return G_SOURCE_REMOVE;
}

static gboolean ask(void *opaque)
{
    Viewer *v = opaque;

    v->timeout = 0;
    v->asked = true;
    v->looked_us = g_get_monotonic_time();
    input_post(v->screen.input, v->channel, &v->number, sizeof(v->number));
    return G_SOURCE_REMOVE;
}

static void plan(Viewer *v)
{
    int64_t since_ms = (g_get_monotonic_time() - v->looked_us) / 1000;

    if (v->timeout)
        g_source_remove(v->timeout);
    v->timeout = 0;
    if (v->wanted && !v->asked)
        v->timeout = g_timeout_add(MAX((int64_t)v->interval_ms - since_ms, 0), ask, v);
}

void viewer_choose(Viewer *v, unsigned n)
{
    v->number = n;
    viewer_hurry(v);
}

void viewer_watch(Viewer *v, bool wanted)
{
    if (v->wanted == wanted)
        return;
    v->wanted = wanted;
    plan(v);
}

void viewer_hurry(Viewer *v)
{
    if (v->interval_ms == LOOK_MIN_MS)
        return;
    v->interval_ms = LOOK_MIN_MS;
    plan(v);
}

Viewer *viewer_new(const ViewerScreen *screen, bool characters, ViewerSeen *seen, void *opaque)
{
    Viewer *v = g_new0(Viewer, 1);

    v->screen = *screen;
    v->number = screen->number;
    v->characters = characters;
    v->seen = seen;
    v->opaque = opaque;
    v->interval_ms = LOOK_MIN_MS;
    v->channel = input_add_channel(screen->input, "viewer", true, look, v);
    return v;
}

void viewer_free(Viewer *v)
{
    if (!v)
        return;
    if (v->timeout)
        g_source_remove(v->timeout);
    if (v->answer) {
        g_source_destroy(v->answer);
        g_source_unref(v->answer);
    }
    surface_clear(&v->frame.surface);
    text_screen_clear(&v->frame.text);
    g_free(v);
}
