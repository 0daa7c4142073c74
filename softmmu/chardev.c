/* SPDX-License-Identifier: MIT */
/*
 * The common half of character back ends: clients, the way of input from the host to the client,
 * files with what is written, and the names on the command line. Missing: vc.
 */
#include "softmmu/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/chardev-internal.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/input.h"

/* ---- Clients -------------------------------------------------------------------------------- */

static void tell_client(Chardev *chr, int event)
{
    if (chr->client && chr->client->event)
        chr->client->event(chr->opaque, event);
}

void chardev_connect(Chardev *chr, const ChardevClient *client, void *opaque)
{
    if (!chr)
        return;
    chr->client = client;
    chr->opaque = opaque;
    if (!client)
        return;
    if (chr->klass->connected)
        chr->klass->connected(chr);
    else
        tell_client(chr, CHARDEV_EVENT_OPENED);
    chardev_accept_input(chr);
}

void chardev_write(Chardev *chr, const uint8_t *data, size_t len)
{
    if (!chr || chr->silent)
        return;
    if (chr->klass->write)
        chr->klass->write(chr, data, len);
    if (chr->log >= 0)
        fd_write_all(chr->log, data, len, -1);
}

/* Hand over what the client can take. The client may ask for more from within. */
void chardev_accept_input(Chardev *chr)
{
    bool took = false;

    if (!chr || chr->offering)
        return;
    chr->offering = true;
    while (chr->client && chr->waiting->len) {
        size_t room = chr->client->can_receive ? chr->client->can_receive(chr->opaque) : 0;
        size_t len = MIN(room, chr->waiting->len);
        g_autofree uint8_t *data = NULL;

        if (!len)
            break;
        data = g_memdup2(chr->waiting->data, len);
        g_byte_array_remove_range(chr->waiting, 0, len);
        g_atomic_int_add(&chr->backlog, -(int)len);
        took = true;
        chr->client->receive(chr->opaque, data, len);
    }
    chr->offering = false;
    if (took && chr->klass->drained)
        chr->klass->drained(chr);
}

/* ---- From the host to the client ------------------------------------------------------------ */

enum { TAG_DATA, TAG_EVENT }; /* first byte of what travels through the input queue */

static void take_input(Chardev *chr, const uint8_t *data, size_t len)
{
    if (chr->queue && !chr->control && input_is_replaying(chr->queue))
        g_atomic_int_add(&chr->backlog, len); /* nobody posted it */
    g_byte_array_append(chr->waiting, data, len);
    chardev_accept_input(chr);
}

static void input_arrived(void *opaque, const void *data, size_t len)
{
    const uint8_t *p = data;

    if (len < 2)
        return;
    if (p[0] == TAG_DATA)
        take_input(opaque, p + 1, len - 1);
    else
        tell_client(opaque, p[1]);
}

static void post_tagged(Chardev *chr, uint8_t tag, const uint8_t *data, size_t len)
{
    g_autofree uint8_t *message = g_malloc(len + 1);

    message[0] = tag;
    memcpy(message + 1, data, len);
    input_post(chr->queue, chr->control ? chr->control_channel : chr->channel, message, len + 1);
}

void chardev_post(Chardev *chr, const uint8_t *data, size_t len)
{
    if (!len || (chr->queue && !chr->control && input_is_replaying(chr->queue)))
        return;
    g_atomic_int_add(&chr->backlog, len);
    if (chr->queue)
        post_tagged(chr, TAG_DATA, data, len);
    else
        take_input(chr, data, len);
}

void chardev_post_event(Chardev *chr, int event)
{
    uint8_t byte = event;

    if (chr->queue)
        post_tagged(chr, TAG_EVENT, &byte, 1);
    else
        tell_client(chr, event);
}

size_t chardev_room(Chardev *chr)
{
    int backlog = g_atomic_int_get(&chr->backlog);

    return backlog < CHARDEV_BACKLOG_MAX ? CHARDEV_BACKLOG_MAX - backlog : 0;
}

void chardev_set_control(Chardev *chr, bool control)
{
    if (!chr)
        return;
    chr->control = control;
    if (chr->queue) /* nothing comes there, so no recording need know of it */
        input_name_channel(chr->queue, chr->channel, control ? "" : chr->klass->name);
}

void chardev_set_label(Chardev *chr, const char *label)
{
    if (chr && chr->queue)
        input_name_channel(chr->queue, chr->channel, label);
}

/* ---- Moments -------------------------------------------------------------------------------- */

GBytes *chardev_save(const Chardev *chr)
{
    return g_bytes_new(chr->waiting->data, chr->waiting->len);
}

void chardev_load(Chardev *chr, GBytes *saved)
{
    size_t len;
    const uint8_t *data = g_bytes_get_data(saved, &len);

    g_atomic_int_add(&chr->backlog, (int)len - (int)chr->waiting->len);
    g_byte_array_set_size(chr->waiting, 0);
    if (len)
        g_byte_array_append(chr->waiting, data, len);
}

void chardev_set_silent(Chardev *chr, bool silent)
{
    chr->silent = silent;
}

/* ---- Life ----------------------------------------------------------------------------------- */

void *chardev_alloc(size_t size, const ChardevClass *klass, InputQueue *queue)
{
    Chardev *chr = g_malloc0(size);
    g_autofree char *control = g_strconcat(klass->name, ".control", NULL);

    chr->klass = klass;
    chr->queue = queue;
    chr->log = -1;
    chr->waiting = g_byte_array_new();
    if (queue) {
        chr->channel = input_add_channel(queue, klass->name, false, input_arrived, chr);
        chr->control_channel = input_add_channel(queue, control, true, input_arrived, chr);
    }
    return chr;
}

bool chardev_is_connected(const Chardev *chr)
{
    return chr->client;
}

void chardev_close_channels(Chardev *chr)
{
    if (!chr->queue)
        return;
    input_close_channel(chr->queue, chr->channel);
    if (chr->control)
        input_close_channel(chr->queue, chr->control_channel);
}

void chardev_send_break(Chardev *chr)
{
    chardev_post_event(chr, CHARDEV_EVENT_BREAK);
}

/* ---- Descriptors ------------------------------------------------------------------------------
 */

static void close_fd(void *fd)
{
    close(GPOINTER_TO_INT(fd) - 1);
}

void chardev_want_fds(Chardev *chr)
{
    if (!chr->fds)
        chr->fds = g_async_queue_new_full(close_fd);
}

int chardev_take_fd(Chardev *chr)
{
    void *fd = chr->fds ? g_async_queue_try_pop(chr->fds) : NULL;

    return GPOINTER_TO_INT(fd) - 1;
}

void chardev_free(Chardev *chr)
{
    if (!chr)
        return;
    if (chr->klass->close)
        chr->klass->close(chr);
    if (chr->log >= 0)
        close(chr->log);
    if (chr->fds)
        g_async_queue_unref(chr->fds);
    g_byte_array_free(chr->waiting, TRUE);
    g_free(chr);
}

/* ---- null and memory ------------------------------------------------------------------------ */

static const ChardevClass null_class = { .name = "null" };

typedef struct MemoryChardev {
    Chardev chr;
    GByteArray *out;
} MemoryChardev;

static void memory_write(Chardev *chr, const uint8_t *data, size_t len)
{
    GByteArray *out = ((MemoryChardev *)chr)->out;

    if (out)
        g_byte_array_append(out, data, len);
}

static const ChardevClass memory_class = { .name = "memory", .write = memory_write };

Chardev *chardev_new_memory(GByteArray *out)
{
    MemoryChardev *mem = chardev_alloc(sizeof(MemoryChardev), &memory_class, NULL);

    mem->out = out;
    return &mem->chr;
}

void chardev_memory_input(Chardev *chr, const void *data, size_t len)
{
    chardev_post(chr, data, len);
}

/* ---- Names ---------------------------------------------------------------------------------- */

const char *chardev_pty_name(const Chardev *chr)
{
    return chr && chr->klass == &chardev_pty_class ? pty_name(chr) : NULL;
}

bool chardev_has_peer(Chardev *chr)
{
    return !chr || chr->klass != &chardev_socket_class || socket_has_peer(chr);
}

const char *chardev_waits_at(const Chardev *chr)
{
    return chr && chr->klass == &chardev_socket_class ? socket_waits_at(chr) : NULL;
}

bool chardev_wait(Chardev *chr, GError **error)
{
    return !chardev_waits_at(chr) || socket_wait(chr, error);
}

typedef struct Suffixes {
    char *logfile; /* NULL: none */
    bool log_append, append;
} Suffixes;

/* The last ",KEY=VALUE" of @spec if it is for any kind of back end. */
static bool take_suffix(Suffixes *s, char *spec)
{
    char *comma = strrchr(spec, ',');

    if (comma && g_str_has_prefix(comma, ",logfile=") && !s->logfile)
        s->logfile = g_strdup(comma + strlen(",logfile="));
    else if (comma && (!strcmp(comma, ",logappend=on") || !strcmp(comma, ",logappend=off")))
        s->log_append = g_str_has_suffix(comma, "on");
    else if (comma && (!strcmp(comma, ",append=on") || !strcmp(comma, ",append=off")))
        s->append = g_str_has_suffix(comma, "on");
    else
        return false;
    *comma = 0;
    return true;
}

static Chardev *open_kind(const char *spec, bool append, InputQueue *queue, GError **error)
{
    static const char *const sockets[] = { "unix:", "tcp:", "telnet:", "fd:" };

    if (!strcmp(spec, "null") || !strcmp(spec, "none"))
        return chardev_alloc(sizeof(Chardev), &null_class, queue);
    if (!strcmp(spec, "stdio") || !strcmp(spec, "mon:stdio"))
        return chardev_new_stdio(queue, spec[0] == 's', error);
    if (!strcmp(spec, "pty"))
        return chardev_new_pty(queue, error);
    if (g_str_has_prefix(spec, "file:"))
        return chardev_new_file(queue, spec + strlen("file:"), append, error);
    if (g_str_has_prefix(spec, "pipe:"))
        return chardev_new_pipe(queue, spec + strlen("pipe:"), error);
    if (g_str_has_prefix(spec, "serial:") || g_str_has_prefix(spec, "/dev/"))
        return chardev_new_tty(queue, *spec == '/' ? spec : spec + strlen("serial:"), error);
    if (g_str_has_prefix(spec, "udp:"))
        return chardev_new_udp(queue, spec + strlen("udp:"), error);
    if (!strcmp(spec, "ringbuf") || g_str_has_prefix(spec, "ringbuf:"))
        return chardev_new_ringbuf(queue, strchr(spec, ':') ? strchr(spec, ':') + 1 : "65536",
                                   error);
    for (size_t i = 0; i < G_N_ELEMENTS(sockets); i++)
        if (g_str_has_prefix(spec, sockets[i]))
            return chardev_new_socket(queue, spec, error);
    if (!strcmp(spec, "vc") || g_str_has_prefix(spec, "vc:"))
        error_set(error, "there are no text consoles on screens; use stdio, pty, file:, unix: or"
                         " tcp:");
    else
        error_set(error,
                  "'%s' is not a supported character device; use null, none, stdio, mon:stdio, pty,"
                  " file:, pipe:, ringbuf, udp:, unix:, tcp:, telnet: or a serial port's /dev/NAME",
                  spec);
    return NULL;
}

static bool open_log(Chardev *chr, const Suffixes *s, GError **error)
{
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | (s->log_append ? O_APPEND : O_TRUNC);

    chr->log = host_open(s->logfile, how, 0666);
    if (chr->log < 0)
        error_set(error, "could not open '%s': %s", s->logfile, g_strerror(errno));
    return chr->log >= 0;
}

Chardev *chardev_new(const char *spec, InputQueue *queue, GError **error)
{
    g_autofree char *kind = g_strdup(spec);
    Suffixes s = { 0 };
    Chardev *chr;

    while (take_suffix(&s, kind))
        ;
    chr = open_kind(kind, s.append, queue, error);
    if (chr && s.logfile && !open_log(chr, &s, error)) {
        chardev_free(chr);
        chr = NULL;
    }
    g_free(s.logfile);
    return chr;
}
