/* SPDX-License-Identifier: MIT */
/*
 * The multiplexer of -nographic and mon:stdio: several clients on one back end. Everybody's output
 * is shown; the keyboard belongs to one of them; Ctrl-A introduces a command. It runs on the
 * machine thread and, its base being a control back end, while the machine is stopped too; what a
 * port that is not control is to get goes through the input queue once more, and so is recorded.
 */
#include "softmmu/chardev-internal.h"

#include <string.h>

#define CTRL_A 0x01

typedef struct Mux {
    Chardev chr;
    Chardev *base;
    GPtrArray *ports; /* owned MuxPort */
    unsigned focus;
    uint8_t escape_key;
    bool escaped; /* the last key was that */
    bool timestamps, at_line_start;
    int64_t timestamps_from_us;
    void (*quit)(void *opaque);
    void *quit_opaque;
} Mux;

typedef struct MuxPort {
    Chardev chr;
    Mux *mux;
    unsigned index;
} MuxPort;

static const struct {
    const char *key, *what;
} help_rows[] = {
    { "h", "print this help" },
    { "x", "exit emulator" },
    { "s", "save disk data back to file (if -snapshot)" },
    { "t", "toggle console timestamps" },
    { "b", "send break (magic sysrq)" },
    { "c", "switch between console and monitor" },
};

static void say(Mux *mux, const char *text)
{
    chardev_write(mux->base, (const uint8_t *)text, strlen(text));
}

static void print_help(Mux *mux)
{
    g_autofree char *escape = mux->escape_key < ' '
                                  ? g_strdup_printf("C-%c", mux->escape_key + 'a' - 1)
                                  : g_strdup_printf("%c", mux->escape_key);
    g_autoptr(GString) text = g_string_new("\n\r");

    for (size_t i = 0; i < G_N_ELEMENTS(help_rows); i++)
        g_string_append_printf(text, "%s %s    %s\n\r", escape, help_rows[i].key,
                               help_rows[i].what);
    g_string_append_printf(text, "%s %s  sends %s\n\r", escape, escape, escape);
    say(mux, text->str);
}

static Chardev *focus_port(Mux *mux)
{
    return mux->focus < mux->ports->len ? mux->ports->pdata[mux->focus] : NULL;
}

/* A control port hears at once; the others through the queue. */
static void port_event(Chardev *port, int event)
{
    if (!port->control)
        chardev_post_event(port, event);
    else if (port->client && port->client->event)
        port->client->event(port->opaque, event);
}

static void next_port(Mux *mux)
{
    unsigned before = mux->focus;

    if (!mux->ports->len)
        return;
    port_event(focus_port(mux), CHARDEV_EVENT_MUX_OUT);
    do /* over those that nobody has taken */
        mux->focus = (mux->focus + 1) % mux->ports->len;
    while (mux->focus != before && !focus_port(mux)->client);
    port_event(focus_port(mux), CHARDEV_EVENT_MUX_IN);
}

static void toggle_timestamps(Mux *mux)
{
    mux->timestamps = !mux->timestamps;
    mux->timestamps_from_us = g_get_monotonic_time();
    mux->at_line_start = false;
}

static void send_key(Mux *mux, uint8_t key)
{
    if (focus_port(mux))
        chardev_post(focus_port(mux), &key, 1);
}

static void command_key(Mux *mux, uint8_t key)
{
    if (key == mux->escape_key) {
        send_key(mux, key);
        return;
    }
    switch (key) {
    case 'h':
    case '?': print_help(mux); break;
    case 'x':
        say(mux, "\n\rmimus: terminated\n\r");
        mux->quit(mux->quit_opaque);
        break;
    case 's': say(mux, "\n\rno disk has data to save\n\r"); break;
    case 't': toggle_timestamps(mux); break;
    case 'b':
        if (focus_port(mux))
            port_event(focus_port(mux), CHARDEV_EVENT_BREAK);
        break;
    case 'c': next_port(mux); break;
    }
}

static size_t mux_can_receive(void *opaque)
{
    Mux *mux = opaque;

    return focus_port(mux) ? chardev_room(focus_port(mux)) : CHARDEV_BACKLOG_MAX;
}

static void mux_receive(void *opaque, const uint8_t *data, size_t len)
{
    Mux *mux = opaque;

    while (len) {
        const uint8_t *escape = memchr(data, mux->escape_key, len);
        size_t plain = mux->escaped ? 0 : escape ? escape - data : len;

        if (plain) {
            if (focus_port(mux))
                chardev_post(focus_port(mux), data, plain);
            data += plain;
            len -= plain;
        } else {
            if (mux->escaped)
                command_key(mux, *data);
            mux->escaped = !mux->escaped;
            data++;
            len--;
        }
    }
}

static const ChardevClient mux_client = { .can_receive = mux_can_receive, .receive = mux_receive };

/* ---- Output --------------------------------------------------------------------------------- */

static void write_timestamp(Mux *mux)
{
    int64_t ms = (g_get_monotonic_time() - mux->timestamps_from_us) / 1000;
    g_autofree char *text =
        g_strdup_printf("[%02d:%02d:%02d.%03d] ", (int)(ms / 3600000), (int)(ms / 60000 % 60),
                        (int)(ms / 1000 % 60), (int)(ms % 1000));

    say(mux, text);
}

static void write_stamped(Mux *mux, const uint8_t *data, size_t len)
{
    while (len) {
        const uint8_t *eol = memchr(data, '\n', len);
        size_t line = eol ? eol - data + 1 : len;

        if (mux->at_line_start)
            write_timestamp(mux);
        mux->at_line_start = eol != NULL;
        chardev_write(mux->base, data, line);
        data += line;
        len -= line;
    }
}

static void mux_write(Chardev *chr, const uint8_t *data, size_t len)
{
    chardev_write(((Mux *)chr)->base, data, len);
}

static void port_write(Chardev *chr, const uint8_t *data, size_t len)
{
    Mux *mux = ((MuxPort *)chr)->mux;

    if (mux->timestamps)
        write_stamped(mux, data, len);
    else
        chardev_write(mux->base, data, len);
}

static void port_connected(Chardev *chr)
{
    MuxPort *port = (MuxPort *)chr;

    if (port->index == port->mux->focus && chr->client->event)
        chr->client->event(chr->opaque, CHARDEV_EVENT_MUX_IN);
}

static void port_drained(Chardev *chr)
{
    chardev_accept_input(((MuxPort *)chr)->mux->base);
}

static const ChardevClass port_class = {
    .name = "mux-port", .write = port_write, .connected = port_connected, .drained = port_drained
};

/* ---- Life ----------------------------------------------------------------------------------- */

static void mux_close(Chardev *chr)
{
    Mux *mux = (Mux *)chr;

    chardev_free(mux->base);
    for (unsigned i = 0; i < mux->ports->len; i++)
        chardev_free(mux->ports->pdata[i]);
    g_ptr_array_free(mux->ports, TRUE);
}

static const ChardevClass mux_class = { .name = "mux", .write = mux_write, .close = mux_close };

Chardev *chardev_new_mux(Chardev *base, void (*quit)(void *opaque), void *opaque)
{
    Mux *mux = chardev_alloc(sizeof(Mux), &mux_class, NULL);

    mux->base = base;
    mux->escape_key = CTRL_A;
    mux->ports = g_ptr_array_new();
    mux->quit = quit;
    mux->quit_opaque = opaque;
    chardev_set_control(base, true);
    chardev_connect(base, &mux_client, mux);
    return &mux->chr;
}

void chardev_mux_set_escape(Chardev *mux, uint8_t key)
{
    g_assert(mux->klass == &mux_class);
    ((Mux *)mux)->escape_key = key;
}

Chardev *chardev_mux_port(Chardev *chr)
{
    Mux *mux = (Mux *)chr;
    MuxPort *port = chardev_alloc(sizeof(MuxPort), &port_class, mux->base->queue);

    g_assert(chr->klass == &mux_class);
    port->mux = mux;
    port->index = mux->ports->len;
    g_ptr_array_add(mux->ports, port);
    return &port->chr;
}
