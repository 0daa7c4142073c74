/* SPDX-License-Identifier: MIT */
/* The server: its socket, its clients, and the screen that they share. */
#include "softmmu/ui/vnc.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "softmmu/chardev.h"
#include "softmmu/error.h"
#include "softmmu/ui/vnc-internal.h"

enum { FIRST_PORT = 5900, CLIENTS_MAX = 32 };

static VncClient *client(const VncServer *s, unsigned n)
{
    return s->clients->pdata[n];
}

/* ---- What they are shown --------------------------------------------------------------------- */

static bool awaits_look(const VncClient *c)
{
    return !c->gone && !vnc_client_busy(c) && (c->waits_for_init || c->waits);
}

void vnc_server_attend(VncServer *s)
{
    bool any = false;

    for (unsigned n = 0; n < s->clients->len; n++)
        any |= awaits_look(client(s, n));
    viewer_watch(s->viewer, any);
}

static void serve(VncClient *c, const GArray *changed)
{
    for (unsigned i = 0; c->initialised && i < changed->len; i++)
        vnc_update_touch(c, &g_array_index(changed, SurfaceRect, i));
    if (!awaits_look(c))
        return;
    if (c->waits_for_init)
        vnc_client_init(c);
    else
        vnc_update_send(c);
}

static bool seen(void *opaque, ViewerFrame *frame)
{
    VncServer *s = opaque;
    g_autoptr(GArray) changed = g_array_new(FALSE, FALSE, sizeof(SurfaceRect));
    bool news;
    Surface before = s->shown;

    surface_compare(&frame->surface, &before, changed);
    s->shown = frame->surface;
    frame->surface = before;
    news = changed->len || s->leds != frame->leds;
    s->leds = frame->leds;
    for (unsigned n = 0; n < s->clients->len; n++)
        serve(client(s, n), changed);
    vnc_server_attend(s);
    return news;
}

/* ---- Clients --------------------------------------------------------------------------------- */

void vnc_server_tell(VncServer *s, VncNews what, const VncClient *c)
{
    if (s->hear)
        s->hear(s->hear_opaque, what, c->peer);
}

static gboolean reap(void *opaque)
{
    VncServer *s = opaque;

    s->reap_source = 0;
    g_mutex_lock(&s->lock);
    for (unsigned n = s->clients->len; n-- > 0;)
        if (client(s, n)->gone) {
            vnc_server_tell(s, VNC_DISCONNECTED, client(s, n));
            g_ptr_array_remove_index_fast(s->clients, n);
        }
    g_mutex_unlock(&s->lock);
    vnc_server_attend(s);
    return G_SOURCE_REMOVE;
}

void vnc_server_reap(VncServer *s)
{
    if (!s->reap_source)
        s->reap_source = g_idle_add_full(G_PRIORITY_DEFAULT, reap, s, NULL);
}

bool vnc_server_admit(VncServer *s, VncClient *c, bool shared)
{
    if (shared || s->share == VNC_SHARE_IGNORE)
        return true;
    if (s->share == VNC_SHARE_FORCE_SHARED)
        return false;
    for (unsigned n = 0; n < s->clients->len; n++)
        client(s, n)->gone |= client(s, n) != c;
    vnc_server_reap(s);
    return true;
}

bool vnc_server_believes(VncServer *s, const uint8_t *challenge, const uint8_t *answer)
{
    uint8_t right[VNC_CHALLENGE_BYTES];
    bool good;

    g_mutex_lock(&s->lock);
    good = s->password && (s->expires_s < 0 || g_get_real_time() / G_USEC_PER_SEC < s->expires_s);
    if (good)
        vnc_auth_encrypt(s->password, challenge, right);
    g_mutex_unlock(&s->lock);
    return good && !memcmp(right, answer, sizeof(right));
}

bool vnc_set_password(VncServer *s, const char *password)
{
    if (!s || !s->asks_password)
        return false;
    g_mutex_lock(&s->lock);
    g_free(s->password);
    s->password = g_strdup(password);
    g_mutex_unlock(&s->lock);
    return true;
}

void vnc_expire_password(VncServer *s, int64_t unix_time_s)
{
    g_mutex_lock(&s->lock);
    s->expires_s = unix_time_s;
    g_mutex_unlock(&s->lock);
}

static char *peer_name(int fd)
{
    struct sockaddr_storage sa;
    socklen_t len = sizeof(sa);
    char host[NI_MAXHOST], port[NI_MAXSERV];

    if (getpeername(fd, (struct sockaddr *)&sa, &len) || sa.ss_family == AF_UNIX ||
        getnameinfo((struct sockaddr *)&sa, len, host, sizeof(host), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV))
        return g_strdup("(unix)");
    return g_strdup_printf("%s:%s (%s)", host, port, sa.ss_family == AF_INET6 ? "ipv6" : "ipv4");
}

static void accept_client(void *opaque, int fd)
{
    VncServer *s = opaque;
    int on = 1;

    if (s->clients->len == CLIENTS_MAX) {
        close(fd);
        return;
    }
    if (!s->path)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    g_mutex_lock(&s->lock);
    g_ptr_array_add(s->clients, vnc_client_new(s, fd, peer_name(fd)));
    g_mutex_unlock(&s->lock);
    vnc_server_tell(s, VNC_CONNECTED, client(s, s->clients->len - 1));
}

/* ---- The socket ------------------------------------------------------------------------------ */

/* HOST:DISPLAY, trying displays as long as the host has them for others. */
static int listen_tcp(VncServer *s, const VncOptions *o, GError **error)
{
    const char *colon = strrchr(o->address, ':');
    g_autofree char *host = g_strndup(o->address, colon ? colon - o->address : 0);
    char *end = NULL;
    uint64_t display = colon ? g_ascii_strtoull(colon + 1, &end, 10) : 0;
    int fd = -1;

    if (!colon || end == colon + 1 || *end || display > 65535 - FIRST_PORT) {
        error_set(error, "'%s' is not [HOST]:DISPLAY", o->address);
        return -1;
    }
    for (uint64_t n = display; fd < 0 && n <= MAX(display, o->to); n++) {
        g_autofree char *spec = g_strdup_printf("tcp:%s:%u", host, (unsigned)n + FIRST_PORT);

        g_clear_error(error);
        fd = chardev_open_socket(spec, true, error);
        g_free(s->where);
        s->where =
            g_strdup_printf("%s:%u (ipv4)", *host ? host : "0.0.0.0", (unsigned)n + FIRST_PORT);
    }
    return fd;
}

static int listen_unix(VncServer *s, const VncOptions *o, GError **error)
{
    int fd = chardev_open_socket(o->address, true, error);

    s->where = g_strdup_printf("%s (unix)", o->address + strlen("unix:"));
    if (fd >= 0)
        s->path = g_strdup(o->address + strlen("unix:"));
    return fd;
}

/* ---- Life ------------------------------------------------------------------------------------ */

VncServer *vnc_new(const VncOptions *o, const ViewerScreen *screen, const char *name,
                   GError **error)
{
    VncServer *s = g_new0(VncServer, 1);

    s->screen = *screen;
    s->share = o->share;
    s->expires_s = -1;
    s->asks_password = o->password;
    s->password = g_strdup(o->initial_password);
    s->name = g_strdup(name);
    s->clients = g_ptr_array_new_with_free_func((GDestroyNotify)vnc_client_free);
    g_mutex_init(&s->lock);
    s->viewer = viewer_new(screen, false, seen, s);
    s->listener =
        g_str_has_prefix(o->address, "unix:") ? listen_unix(s, o, error) : listen_tcp(s, o, error);
    if (s->listener < 0) {
        vnc_free(s);
        return NULL;
    }
    acceptor_start(&s->acceptor, s->listener, accept_client, s);
    return s;
}

void vnc_free(VncServer *s)
{
    if (!s)
        return;
    acceptor_stop(&s->acceptor);
    if (s->reap_source)
        g_source_remove(s->reap_source);
    if (s->listener >= 0)
        close(s->listener);
    if (s->path)
        unlink(s->path);
    g_ptr_array_unref(s->clients);
    viewer_free(s->viewer);
    surface_clear(&s->shown);
    g_mutex_clear(&s->lock);
    g_free(s->password);
    g_free(s->name);
    g_free(s->where);
    g_free(s->path);
    g_free(s);
}

void vnc_print(VncServer *s, GString *out)
{
    if (!s) {
        g_string_append(out, "None\n");
        return;
    }
    g_string_append_printf(out, "default:\n  Server: %s\n    Auth: %s (Sub: none)\n", s->where,
                           s->asks_password ? "vnc" : "none");
    g_mutex_lock(&s->lock);
    for (unsigned n = 0; n < s->clients->len; n++)
        g_string_append_printf(out, "  Client: %s\n    x509_dname: none\n    sasl_username: none\n",
                               client(s, n)->peer);
    g_mutex_unlock(&s->lock);
}

const char *vnc_where(const VncServer *s)
{
    return s->where;
}

bool vnc_asks_password(const VncServer *s)
{
    return s->asks_password;
}

void vnc_each_client(VncServer *s, void (*f)(void *opaque, const char *peer), void *opaque)
{
    g_mutex_lock(&s->lock);
    for (unsigned n = 0; n < s->clients->len; n++)
        f(opaque, client(s, n)->peer);
    g_mutex_unlock(&s->lock);
}

void vnc_set_listener(VncServer *s, void (*hear)(void *opaque, VncNews what, const char *peer),
                      void *opaque)
{
    s->hear = hear;
    s->hear_opaque = opaque;
}
