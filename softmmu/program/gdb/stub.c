/* SPDX-License-Identifier: MIT */
/*
 * The connection: framing, checksums, acknowledgements, and what it remembers. The packets
 * themselves are in packets.c.
 */
#include "softmmu/program/gdb/stub.h"

#include <string.h>

#include "softmmu/program/gdb/stub-internal.h"

enum { INTERRUPT = 0x03 };

/* ---- Sending --------------------------------------------------------------------------------- */

static void send_raw(GdbStub *s, const void *data, size_t len)
{
    chardev_write(s->chr, data, len);
}

void gdb_send(GdbStub *s, const void *body, size_t len)
{
    const uint8_t *p = body;
    uint8_t sum = 0;

    g_byte_array_set_size(s->last, 0);
    g_byte_array_append(s->last, (const uint8_t *)"$", 1);
    for (size_t i = 0; i < len; i++) {
        uint8_t c[2] = { '}', p[i] ^ 0x20 };
        bool escape = strchr("#$}*", p[i]) && p[i];

        g_byte_array_append(s->last, escape ? c : p + i, escape ? 2 : 1);
    }
    for (unsigned i = 1; i < s->last->len; i++)
        sum += s->last->data[i];
    g_autofree char *end = g_strdup_printf("#%02x", sum);
    g_byte_array_append(s->last, (const uint8_t *)end, 3);
    send_raw(s, s->last->data, s->last->len);
}

void gdb_send_text(GdbStub *s, const char *text)
{
    gdb_send(s, text, strlen(text));
}

/* ---- Receiving ------------------------------------------------------------------------------- */

static void begin_packet(GdbStub *s)
{
    s->state = GDB_IN_BODY;
    s->escaped = false;
    s->overlong = false;
    s->sum = 0;
    g_byte_array_set_size(s->body, 0);
}

static void take_body(GdbStub *s, uint8_t c)
{
    if (c == '#') {
        s->state = GDB_IN_CHECKSUM_1;
        return;
    }
    if (c == '$') { /* never within a packet: the rest of this one was lost */
        begin_packet(s);
        return;
    }
    s->sum += c;
    if (c == '}' && !s->escaped) {
        s->escaped = true;
        return;
    }
    if (s->escaped)
        c ^= 0x20;
    s->escaped = false;
    if (s->body->len < GDB_PACKET_MAX)
        g_byte_array_append(s->body, &c, 1);
    else
        s->overlong = true;
}

static void end_packet(GdbStub *s, uint8_t c)
{
    int high = g_ascii_xdigit_value(s->checksum_1), low = g_ascii_xdigit_value(c);
    bool good = high >= 0 && low >= 0 && (high << 4 | low) == s->sum && !s->overlong;

    s->state = GDB_IDLE;
    if (s->acks)
        send_raw(s, good ? "+" : "-", 1);
    if (!good)
        return;
    g_byte_array_append(s->body, (const uint8_t *)"", 1); /* text ends */
    gdb_packet(s, (const char *)s->body->data, s->body->len - 1);
}

static void take_idle(GdbStub *s, uint8_t c)
{
    switch (c) {
    case '$': begin_packet(s); break;
    case '-':
        if (s->acks)
            send_raw(s, s->last->data, s->last->len);
        break;
    case INTERRUPT: s->target.stop(s->target.opaque); break;
    default: break; /* acknowledgements, and noise */
    }
}

static void take(GdbStub *s, uint8_t c)
{
    switch (s->state) {
    case GDB_IDLE: take_idle(s, c); break;
    case GDB_IN_BODY: take_body(s, c); break;
    case GDB_IN_CHECKSUM_1:
        s->checksum_1 = c;
        s->state = GDB_IN_CHECKSUM_2;
        break;
    case GDB_IN_CHECKSUM_2: end_packet(s, c); break;
    }
}

static size_t can_receive(void *opaque)
{
    return 4096;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        take(opaque, data[i]);
}

/* ---- Clients come and go --------------------------------------------------------------------- */

static void forget_client(GdbStub *s)
{
    s->state = GDB_IDLE;
    s->acks = true;
    s->waits = s->monitor_waits = s->physical = s->tells_breaks = false;
    s->cpu_g = 0;
    s->cpu_c = ANY_CPU;
    s->step_rules = GDB_STEP_ENABLE | GDB_STEP_NO_IRQ | GDB_STEP_NO_TIMER;
    s->stop = (GdbStop){ .signal = GDB_SIGTRAP };
    g_byte_array_set_size(s->last, 0);
}

static void event(void *opaque, int what)
{
    GdbStub *s = opaque;

    if (what == CHARDEV_EVENT_OPENED) {
        forget_client(s);
        s->attached = true;
        s->target.attach(s->target.opaque);
    } else if (what == CHARDEV_EVENT_CLOSED && s->attached) {
        forget_client(s);
        s->attached = false;
        s->target.lost(s->target.opaque);
    }
}

static const ChardevClient client = { can_receive, receive, event };

GdbStub *gdb_stub_new(const GdbTarget *target, Chardev *chr)
{
    GdbStub *s = g_new0(GdbStub, 1);

    s->target = *target;
    s->chr = chr;
    s->body = g_byte_array_new();
    s->last = g_byte_array_new();
    forget_client(s);
    chardev_set_control(chr, true);
    chardev_connect(chr, &client, s);
    return s;
}

bool gdb_stub_has_client(const GdbStub *s)
{
    return s && s->attached;
}

void gdb_stub_free(GdbStub *s)
{
    if (!s)
        return;
    chardev_connect(s->chr, NULL, NULL);
    g_byte_array_free(s->body, TRUE);
    g_byte_array_free(s->last, TRUE);
    g_free(s);
}

void gdb_stub_stopped(GdbStub *s, const GdbStop *stop)
{
    s->stop = *stop;
    if (s->monitor_waits) { /* GDB asks for nothing before it is answered */
        s->monitor_waits = false;
        s->cpu_g = s->stop.cpu;
        if (stop->news) {
            g_autoptr(GString) out = g_string_new(stop->news);
            gdb_send_output(s, out);
        }
        gdb_send_text(s, "OK");
        return;
    }
    if (!s->waits)
        return;
    s->waits = false;
    s->cpu_g = s->stop.cpu;
    gdb_send_stop(s);
}

void gdb_stub_exited(GdbStub *s, int status)
{
    char text[8];

    if (!s->attached || !s->waits)
        return;
    s->waits = false;
    g_snprintf(text, sizeof(text), "W%02x", status & 0xff);
    gdb_send_text(s, text);
}
