/* SPDX-License-Identifier: MIT */
/*
 * User-mode networking: libslirp plays a router with DHCP, DNS and TFTP, and the connections of
 * the guest become sockets of this process. It runs on the main thread as a GSource. A short frame
 * of the guest's goes into it at once, on the machine thread, if nobody else is in there: what the
 * router itself answers is answered before the card's register is written, without waking anybody
 * up. Others are left in a queue for the main thread. Missing: IPv6 addresses, guestfwd to a
 * chardev, SMB.
 */
#include <arpa/inet.h>
#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/net/net.h"

#if HAVE_SLIRP
#include <libslirp.h>

#define MAX_QUEUED 1024 /* frames: beyond it the wire loses them */
/* Bytes: longer ones carry a stream, whose host calls are made while the guest fills the next. */
#define MAX_AT_ONCE 600

typedef struct UserSource UserSource;

typedef struct User {
    NetBackend backend;
    GMutex lock; /* of slirp, and of what its source has listed */
    Slirp *slirp;
    UserSource *source;
    GAsyncQueue *frames; /* GBytes *, from the machine thread */
} User;

/* Polls what slirp wants polled. */
struct UserSource {
    GSource source;
    User *user;
    GArray *fds;    /* GPollFD, as slirp listed them; the context polls these; main thread */
    GArray *listed; /* … as it lists them now */
    int64_t due_us; /* slirp's own timers */
};

/* ---- Descriptors ----------------------------------------------------------------------------- */

static const struct {
    int slirp, poll;
} poll_bits[] = {
    { SLIRP_POLL_IN, G_IO_IN },   { SLIRP_POLL_OUT, G_IO_OUT }, { SLIRP_POLL_PRI, G_IO_PRI },
    { SLIRP_POLL_ERR, G_IO_ERR }, { SLIRP_POLL_HUP, G_IO_HUP },
};

static int add_poll(int fd, int events, void *opaque)
{
    UserSource *s = opaque;
    GPollFD p = { .fd = fd };

    for (size_t i = 0; i < G_N_ELEMENTS(poll_bits); i++)
        p.events |= events & poll_bits[i].slirp ? poll_bits[i].poll : 0;
    g_array_append_val(s->listed, p);
    return s->listed->len - 1;
}

static int events_of(const GPollFD *p)
{
    int events = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(poll_bits); i++)
        events |= p->revents & poll_bits[i].poll ? poll_bits[i].slirp : 0;
    return events;
}

/* It asks by the place in its latest list, which may be another than the one that was polled. */
static int got_events(int index, void *opaque)
{
    const UserSource *s = opaque;
    int fd;

    if (index < 0 || (guint)index >= s->listed->len)
        return 0;
    fd = g_array_index(s->listed, GPollFD, index).fd;
    if ((guint)index < s->fds->len && g_array_index(s->fds, GPollFD, index).fd == fd)
        return events_of(&g_array_index(s->fds, GPollFD, index));
    for (guint i = 0; i < s->fds->len; i++) {
        if (g_array_index(s->fds, GPollFD, i).fd == fd)
            return events_of(&g_array_index(s->fds, GPollFD, i));
    }
    return 0;
}

static void forget_fds(UserSource *s)
{
    for (guint i = 0; i < s->fds->len; i++)
        g_source_remove_poll(&s->source, &g_array_index(s->fds, GPollFD, i));
    g_array_set_size(s->fds, 0);
}

static bool same_fds(const UserSource *s)
{
    if (s->fds->len != s->listed->len)
        return false;
    for (guint i = 0; i < s->fds->len; i++) {
        const GPollFD *a = &g_array_index(s->fds, GPollFD, i);
        const GPollFD *b = &g_array_index(s->listed, GPollFD, i);

        if (a->fd != b->fd || a->events != b->events)
            return false;
    }
    return true;
}

/* A change of what is polled wakes the context up: only where there is one. */
static void poll_listed(UserSource *s)
{
    if (same_fds(s))
        return;
    forget_fds(s);
    g_array_append_vals(s->fds, s->listed->data, s->listed->len);
    for (guint i = 0; i < s->fds->len; i++) /* the array does not move any more */
        g_source_add_poll(&s->source, &g_array_index(s->fds, GPollFD, i));
}

/* What slirp wants polled now, and for how many milliseconds at most. */
static uint32_t list_fds(UserSource *s)
{
    uint32_t timeout = 1000;

    g_array_set_size(s->listed, 0);
    slirp_pollfds_fill(s->user->slirp, &timeout, add_poll, s);
    return timeout;
}

static gboolean user_prepare(GSource *source, int *timeout_ms)
{
    UserSource *s = (UserSource *)source;
    uint32_t timeout;

    g_mutex_lock(&s->user->lock);
    timeout = list_fds(s);
    poll_listed(s);
    s->due_us = g_get_monotonic_time() + 1000 * (int64_t)timeout;
    g_mutex_unlock(&s->user->lock);
    *timeout_ms = timeout;
    return g_async_queue_length(s->user->frames) > 0;
}

static gboolean user_check(GSource *source)
{
    UserSource *s = (UserSource *)source;
    bool due;

    for (guint i = 0; i < s->fds->len; i++) {
        if (g_array_index(s->fds, GPollFD, i).revents)
            return TRUE;
    }
    g_mutex_lock(&s->user->lock);
    due = g_get_monotonic_time() >= s->due_us;
    g_mutex_unlock(&s->user->lock);
    return due || g_async_queue_length(s->user->frames) > 0;
}

static gboolean user_dispatch(GSource *source, GSourceFunc func, void *opaque)
{
    UserSource *s = (UserSource *)source;
    User *u = s->user;
    GBytes *frame;

    g_mutex_lock(&u->lock);
    while ((frame = g_async_queue_try_pop(u->frames))) {
        size_t len;
        const uint8_t *data = g_bytes_get_data(frame, &len);

        slirp_input(u->slirp, data, len);
        g_bytes_unref(frame);
    }
    slirp_pollfds_poll(u->slirp, 0, got_events, s);
    g_mutex_unlock(&u->lock);
    return G_SOURCE_CONTINUE;
}

/* The main thread is to poll something else, or not for that long. */
static bool is_outdated(UserSource *s)
{
    int64_t due_us = g_get_monotonic_time() + 1000 * (int64_t)list_fds(s);

    return due_us < s->due_us || !same_fds(s);
}

static void user_finalize(GSource *source)
{
    g_array_free(((UserSource *)source)->fds, TRUE);
    g_array_free(((UserSource *)source)->listed, TRUE);
}

static GSourceFuncs user_source_funcs = { user_prepare, user_check, user_dispatch, user_finalize };

/* ---- What slirp asks for --------------------------------------------------------------------- */

static ssize_t send_packet(const void *buf, size_t len, void *opaque)
{
    User *u = opaque;

    net_backend_deliver(&u->backend, buf, len);
    return len;
}

static void guest_error(const char *msg, void *opaque)
{
}

static int64_t clock_get_ns(void *opaque)
{
    return g_get_monotonic_time() * 1000;
}

typedef struct UserTimer {
    User *user;
    SlirpTimerCb cb;
    void *cb_opaque;
    guint id;
} UserTimer;

static void *user_timer_new(SlirpTimerCb cb, void *cb_opaque, void *opaque)
{
    UserTimer *t = g_new0(UserTimer, 1);

    t->user = opaque;
    t->cb = cb;
    t->cb_opaque = cb_opaque;
    return t;
}

static gboolean user_timer_ran_out(void *opaque)
{
    UserTimer *t = opaque;
    User *u = t->user;

    g_mutex_lock(&u->lock);
    if (!g_source_is_destroyed(g_main_current_source())) { /* nor set anew meanwhile */
        t->id = 0;
        t->cb(t->cb_opaque);
    }
    g_mutex_unlock(&u->lock);
    return G_SOURCE_REMOVE;
}

static void stop_timer(UserTimer *t)
{
    if (t->id)
        g_source_remove(t->id);
    t->id = 0;
}

static void user_timer_free(void *timer, void *opaque)
{
    stop_timer(timer);
    g_free(timer);
}

static void user_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    UserTimer *t = timer;
    int64_t now_ms = g_get_monotonic_time() / 1000;

    stop_timer(t);
    t->id = g_timeout_add(CLAMP(expire_ms - now_ms, 0, G_MAXINT), user_timer_ran_out, t);
}

static void poll_fd(int fd, void *opaque)
{
}

static void notify(void *opaque)
{
    g_main_context_wakeup(NULL);
}

static const SlirpCb callbacks = {
    .send_packet = send_packet,
    .guest_error = guest_error,
    .clock_get_ns = clock_get_ns,
    .timer_new = user_timer_new,
    .timer_free = user_timer_free,
    .timer_mod = user_timer_mod,
    .register_poll_fd = poll_fd,
    .unregister_poll_fd = poll_fd,
    .notify = notify,
};

/* ---- The back end ---------------------------------------------------------------------------- */

/* False: somebody is in there, or frames wait for it. At a hub the answer would come back to where
 * this one is being handed out. */
static bool is_input_at_once(User *u, const uint8_t *frame, size_t len)
{
    bool done, outdated = false;

    if (len > MAX_AT_ONCE || u->backend.divert || !g_mutex_trylock(&u->lock))
        return false;
    done = !g_async_queue_length(u->frames);
    if (done) {
        slirp_input(u->slirp, frame, len);
        outdated = is_outdated(u->source);
    }
    g_mutex_unlock(&u->lock);
    if (outdated)
        g_main_context_wakeup(NULL);
    return done;
}

static void user_send(NetBackend *b, const uint8_t *frame, size_t len)
{
    User *u = (User *)b;

    if (is_input_at_once(u, frame, len))
        return;
    if (g_async_queue_length(u->frames) >= MAX_QUEUED)
        return;
    g_async_queue_push(u->frames, g_bytes_new(frame, len));
    g_main_context_wakeup(NULL);
}

static void user_free(NetBackend *b)
{
    User *u = (User *)b;

    if (u->source) {
        forget_fds(u->source);
        g_source_destroy(&u->source->source);
        g_source_unref(&u->source->source);
    }
    if (u->slirp)
        slirp_cleanup(u->slirp);
    g_async_queue_unref(u->frames);
    g_mutex_clear(&u->lock);
    g_free(u->backend.summary);
    g_free(u);
}

static char *user_info(NetBackend *b)
{
    User *u = (User *)b;
    char *text;

    g_mutex_lock(&u->lock);
    text = slirp_connection_info(u->slirp);
    g_mutex_unlock(&u->lock);
    return text;
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static bool parse_address(const char *text, const char *what, struct in_addr *addr, GError **error)
{
    if (!text || inet_pton(AF_INET, text, addr) == 1)
        return true;
    error_set(error, "%s: '%s' is not an IPv4 address", what, text);
    return false;
}

/* "A.B.C.D/BITS"; without bits those of the address's class of old, as users know it. */
static bool parse_net(const char *text, SlirpConfig *c, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    uint64_t bits;
    uint32_t net;

    if (!parse_address(parts[0], "net", &c->vnetwork, error))
        return false;
    net = ntohl(c->vnetwork.s_addr);
    bits = net < 0x80000000u ? 8 : net < 0xc0000000u ? 16 : 24;
    if (parts[1] && (!g_ascii_string_to_unsigned(parts[1], 10, 4, 30, &bits, NULL))) {
        error_set(error, "net: '%s' is not A.B.C.D/BITS with 4 to 30 bits", text);
        return false;
    }
    c->vnetmask.s_addr = htonl(~0u << (32 - bits));
    c->vnetwork.s_addr &= c->vnetmask.s_addr;
    return true;
}

static void set_in_net(const SlirpConfig *c, struct in_addr *addr, uint32_t host)
{
    if (!addr->s_addr)
        addr->s_addr = c->vnetwork.s_addr | (htonl(host) & ~c->vnetmask.s_addr);
}

static bool is_in_net(const SlirpConfig *c, const struct in_addr *addr, const char *what,
                      GError **error)
{
    if ((addr->s_addr & c->vnetmask.s_addr) == c->vnetwork.s_addr)
        return true;
    error_set(error, "%s: the address is not in the network", what);
    return false;
}

static bool fill_config(const NetUserOptions *o, SlirpConfig *c, GError **error)
{
    *c = (SlirpConfig){
        .version = 1,
        .restricted = o->restricted,
        .in_enabled = !o->no_ipv4,
        .in6_enabled = !o->no_ipv6,
        .vdomainname = o->domain,
        .vdnssearch = (const char **)o->search,
        .vprefix_len = 64,
        .vhostname = o->hostname,
        .tftp_path = o->tftp,
        .bootfile = o->bootfile,
    };
    inet_pton(AF_INET6, "fec0::", &c->vprefix_addr6);
    inet_pton(AF_INET6, "fec0::2", &c->vhost6);
    inet_pton(AF_INET6, "fec0::3", &c->vnameserver6);
    if (!parse_net(o->net ? o->net : "10.0.2.0/24", c, error) ||
        !parse_address(o->host, "host", &c->vhost, error) ||
        !parse_address(o->dhcp_start, "dhcpstart", &c->vdhcp_start, error) ||
        !parse_address(o->dns, "dns", &c->vnameserver, error))
        return false;
    set_in_net(c, &c->vhost, 2);
    set_in_net(c, &c->vnameserver, 3);
    set_in_net(c, &c->vdhcp_start, 15);
    return is_in_net(c, &c->vhost, "host", error) &&
           is_in_net(c, &c->vdhcp_start, "dhcpstart", error) &&
           is_in_net(c, &c->vnameserver, "dns", error);
}

/* ---- Forwarding ------------------------------------------------------------------------------ */

typedef struct Forward {
    bool udp;
    struct in_addr host, guest;
    uint64_t host_port, guest_port;
} Forward;

/* @least: 0 where the host may choose. */
static bool parse_end(const char *text, unsigned least, struct in_addr *addr, uint64_t *port)
{
    const char *colon = strrchr(text, ':');
    g_autofree char *name = colon ? g_strndup(text, colon - text) : NULL;

    return colon && g_ascii_string_to_unsigned(colon + 1, 10, least, 65535, port, NULL) &&
           (!*name || inet_pton(AF_INET, name, addr) == 1);
}

/* "[tcp|udp]:[ADDR]:PORT-[ADDR]:PORT", without the second half to take a rule away. */
static bool parse_forward(const char *rule, bool whole, Forward *f, GError **error)
{
    g_auto(GStrv) halves = g_strsplit(rule, "-", 2);
    const char *host = halves[0];

    *f = (Forward){ .udp = g_str_has_prefix(rule, "udp:") };
    if (f->udp || g_str_has_prefix(rule, "tcp:"))
        host += 4;
    else if (*host == ':')
        host++;
    if (*halves && parse_end(host, 0, &f->host, &f->host_port) &&
        (!whole || (halves[1] && parse_end(halves[1], 1, &f->guest, &f->guest_port))))
        return true;
    error_set(error,
              "invalid host forwarding rule '%s': PROTOCOL:[ADDR]:PORT-[ADDR]:PORT is "
              "needed",
              rule);
    return false;
}

static bool user_forward(NetBackend *b, const char *rule, bool add, GError **error)
{
    User *u = (User *)b;
    Forward f;
    int bad;

    if (!parse_forward(rule, add, &f, error))
        return false;
    g_mutex_lock(&u->lock);
    bad = add ? slirp_add_hostfwd(u->slirp, f.udp, f.host, f.host_port, f.guest, f.guest_port)
              : slirp_remove_hostfwd(u->slirp, f.udp, f.host, f.host_port);
    g_mutex_unlock(&u->lock);
    if (!bad)
        return true;
    error_set(error,
              add ? "could not set up host forwarding rule '%s'"
                  : "host forwarding rule for %s not found",
              rule);
    return false;
}

/* "tcp:ADDR:PORT-cmd:COMMAND" */
static bool add_guest_forward(User *u, const SlirpConfig *c, const char *rule, GError **error)
{
    const char *behind = strstr(rule, "-cmd:");
    const char *from = g_str_has_prefix(rule, "tcp:") ? rule + 4 : rule;
    g_autofree char *where = behind ? g_strndup(from, behind - from) : NULL;
    struct in_addr addr = { 0 };
    uint64_t port;

    if (!where || !parse_end(where, 1, &addr, &port) || !addr.s_addr)
        error_set(error, "guestfwd=%s: tcp:ADDR:PORT-cmd:COMMAND is needed", rule);
    else if (!is_in_net(c, &addr, "guestfwd", error))
        return false;
    else if (!slirp_add_exec(u->slirp, behind + strlen("-cmd:"), &addr, port))
        return true;
    else
        error_set(error, "guestfwd=%s: conflicting/invalid host:port", rule);
    return false;
}

static bool add_rules(User *u, const NetUserOptions *o, const SlirpConfig *c, GError **error)
{
    for (guint i = 0; o->forwards && i < o->forwards->len; i++)
        if (!user_forward(&u->backend, o->forwards->pdata[i], true, error))
            return false;
    for (guint i = 0; o->guest_forwards && i < o->guest_forwards->len; i++)
        if (!add_guest_forward(u, c, o->guest_forwards->pdata[i], error))
            return false;
    return true;
}

static char *describe(const SlirpConfig *c, const NetUserOptions *o)
{
    char net[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &c->vnetwork, net, sizeof(net));
    return g_strdup_printf("user,net=%s,restrict=%s", net, o->restricted ? "on" : "off");
}

static void add_source(User *u)
{
    u->source = (UserSource *)g_source_new(&user_source_funcs, sizeof(UserSource));
    u->source->user = u;
    u->source->fds = g_array_new(FALSE, TRUE, sizeof(GPollFD));
    u->source->listed = g_array_new(FALSE, TRUE, sizeof(GPollFD));
    g_source_set_name(&u->source->source, "slirp");
    g_source_attach(&u->source->source, NULL);
}

NetBackend *net_user_new(const NetUserOptions *o, GError **error)
{
    SlirpConfig config;
    User *u;

    if (!fill_config(o, &config, error))
        return NULL;
    u = g_new0(User, 1);
    u->backend = (NetBackend){
        .send = user_send, .free = user_free, .info = user_info, .forward = user_forward
    };
    u->backend.summary = describe(&config, o);
    g_mutex_init(&u->lock);
    u->frames = g_async_queue_new_full((GDestroyNotify)g_bytes_unref);
    u->slirp = slirp_new(&config, &callbacks, u);
    if (!add_rules(u, o, &config, error)) {
        user_free(&u->backend);
        return NULL;
    }
    add_source(u);
    return &u->backend;
}

#else

NetBackend *net_user_new(const NetUserOptions *o, GError **error)
{
    error_set(error, "user networking is not in this build: it needs libslirp");
    return NULL;
}

#endif
