/* SPDX-License-Identifier: MIT */
#include "softmmu/program/screens.h"

#include <string.h>

#include "softmmu/error.h"

/* Machine thread. */
static void quit_arrived(void *opaque, const void *data, size_t len)
{
    machine_request_quit(opaque, 0);
}

static void quit(void *opaque)
{
    Screens *s = opaque;

    input_post(s->input, s->quit_channel, NULL, 0);
}

static bool open_curses(Screens *s, const ViewerScreen *screen, Machine *m, GError **error)
{
    s->input = m->input;
    s->quit_channel = input_add_channel(m->input, "curses", true, quit_arrived, m);
    s->curses = curses_new(screen, quit, s, error);
    if (!s->curses)
        g_prefix_error(error, "-display curses: ");
    return s->curses;
}

bool screens_open(Screens *s, const Options *o, Machine *m, GError **error)
{
    ViewerScreen screen = { m->display, m->input, m->hid };
    const char *name = o->config.name;
    g_autofree char *title = name ? g_strdup_printf("Mimus (%s)", name) : g_strdup("Mimus");

    if (o->vnc.address && !(s->vnc = vnc_new(&o->vnc, &screen, title, error))) {
        g_prefix_error(error, "-vnc %s: ", o->vnc.address);
        return false;
    }
    return !o->display || strcmp(o->display, "curses") || open_curses(s, &screen, m, error);
}

void screens_close(Screens *s)
{
    vnc_free(s->vnc);
    curses_free(s->curses);
    *s = (Screens){ 0 };
}
