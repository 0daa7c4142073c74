/* SPDX-License-Identifier: MIT */
#include "softmmu/program/screens.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/screendump.h"
#include "softmmu/program/qmp/qmp.h"

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

static bool open_curses(Screens *s, const ViewerScreen *screen, GError **error)
{
    s->curses = curses_new(screen, quit, s, error);
    return s->curses;
}

static bool open_window(Screens *s, const Options *o, const ViewerScreen *screen, const char *title,
                        GError **error)
{
    s->sdl = sdl_new(screen, &o->sdl, title, quit, s, error);
    return s->sdl;
}

/* The one that closes the machine by being closed. */
static bool open_display(Screens *s, const Options *o, const ViewerScreen *screen,
                         const char *title, GError **error)
{
    bool is_curses = !g_strcmp0(o->display, "curses");

    if (!is_curses && g_strcmp0(o->display, "sdl"))
        return true;
    s->input = screen->input;
    s->quit_channel = input_add_channel(s->input, o->display, true, quit_arrived, s->m);
    if (is_curses ? open_curses(s, screen, error) : open_window(s, o, screen, title, error))
        return true;
    g_prefix_error(error, "-display %s: ", o->display);
    return false;
}

/* ---- News of VNC clients, which programs hear on the machine thread ---------------------------
 */

static void hear_client(void *opaque, VncNews what, const char *peer)
{
    Screens *s = opaque;
    g_autofree char *note = g_strdup_printf("%c%s", (char)what, peer);

    input_post(s->m->input, s->vnc_channel, note, 1 + strlen(peer));
}

static void tell_client(void *opaque, const void *data, size_t len)
{
    Screens *s = opaque;
    const char *note = data;
    g_autofree char *peer = g_strndup(note + 1, len - 1);

    qmp_tell_vnc(s->m, s->vnc, (VncNews)note[0], peer);
}

static bool open_vnc(Screens *s, const Options *o, const ViewerScreen *screen, const char *title,
                     GError **error)
{
    ViewerScreen chosen = *screen;

    if (!screendump_find(s->m, o->vnc.device, o->vnc.head, &chosen.number, error)) {
        g_prefix_error(error, "-vnc %s: ", o->vnc.address);
        return false;
    }
    s->vnc = vnc_new(&o->vnc, &chosen, title, error);
    if (!s->vnc) {
        g_prefix_error(error, "-vnc %s: ", o->vnc.address);
        return false;
    }
    s->vnc_channel = input_add_channel(s->m->input, "vnc clients", true, tell_client, s);
    vnc_set_listener(s->vnc, hear_client, s);
    return true;
}

bool screens_open(Screens *s, const Options *o, Machine *m, GError **error)
{
    ViewerScreen screen = { .display = m->display, .input = m->input, .hid = m->hid };
    const char *name = o->config.name;
    g_autofree char *title = name ? g_strdup_printf("Mimus (%s)", name) : g_strdup("Mimus");

    s->m = m;
    if (o->vnc.address && !open_vnc(s, o, &screen, title, error))
        return false;
    return open_display(s, o, &screen, title, error);
}

void screens_close(Screens *s)
{
    vnc_free(s->vnc);
    curses_free(s->curses);
    sdl_free(s->sdl);
    *s = (Screens){ 0 };
}
