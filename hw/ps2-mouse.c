/* SPDX-License-Identifier: MIT */
/*
 * A PS/2 mouse with the wheel and five-button extensions. Spec: IBM PS/2 Hardware Interface
 * Technical Reference, "Auxiliary device"; Microsoft's IntelliMouse identification by sample rates.
 * Missing: 2:1 scaling of what is reported (the bit is kept and shown).
 */
#include "hw/ps2.h"

#include <stdlib.h>

#include "softmmu/log.h"

enum {
    CMD_SCALE_1_1 = 0xe6,
    CMD_SCALE_2_1 = 0xe7,
    CMD_RESOLUTION = 0xe8,
    CMD_STATUS = 0xe9,
    CMD_STREAM = 0xea,
    CMD_READ = 0xeb,
    CMD_UNWRAP = 0xec,
    CMD_WRAP = 0xee,
    CMD_REMOTE = 0xf0,
    CMD_ID = 0xf2,
    CMD_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_DEFAULTS = 0xf6,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,
};

enum { ACK = 0xfa, RESEND = 0xfe, TEST_PASSED = 0xaa };
enum { STATUS_SCALE_2_1 = 0x10, STATUS_ENABLED = 0x20, STATUS_REMOTE = 0x40 };
enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_FIVE_BUTTONS = 4 };

typedef struct Ps2Mouse {
    Device dev;
    Ps2Ready *ready;
    void *opaque;
    /* state */
    uint8_t command; /* waiting for its argument; 0: none */
    uint8_t status, resolution, rate, id;
    uint8_t knock[2]; /* the two sample rates set before this one */
    bool wrap;
    uint8_t buttons, reported_buttons;
    uint32_t dx, dy, dz; /* movement not yet reported, signed */
    uint8_t last;        /* byte sent, for RESEND */
    Ps2Queue answers, packets;
} Ps2Mouse;

/* ---- Movement ------------------------------------------------------------------------------- */

/* Take up to @limit either way from an accumulated movement. */
static int take(uint32_t *acc, int limit)
{
    int part = CLAMP((int32_t)*acc, -limit, limit);

    *acc -= part;
    return part;
}

static unsigned make_packet(Ps2Mouse *s, uint8_t *p)
{
    int dx = take(&s->dx, 255), dy = take(&s->dy, 255);

    p[0] = 0x08 | (s->buttons & 7) | (dx < 0) << 4 | (dy < 0) << 5;
    p[1] = dx;
    p[2] = dy;
    s->reported_buttons = s->buttons;
    if (s->id == ID_PLAIN) {
        s->dz = 0;
        return 3;
    }
    p[3] = take(&s->dz, 7);
    if (s->id == ID_FIVE_BUTTONS)
        p[3] = (p[3] & 0x0f) | (s->buttons & 0x18) << 1;
    return 4;
}

static bool has_news(const Ps2Mouse *s)
{
    return s->dx || s->dy || s->dz || s->buttons != s->reported_buttons;
}

/* Stream mode: a packet at a time, so that movement while the guest is busy adds up. */
static void stream(Ps2Mouse *s)
{
    uint8_t packet[4];

    if (!(s->status & STATUS_ENABLED) || (s->status & STATUS_REMOTE) || s->packets.count)
        return;
    if (has_news(s))
        ps2_queue_put(&s->packets, packet, make_packet(s, packet));
}

static void add(uint32_t *acc, int delta)
{
    *acc = CLAMP((int64_t)(int32_t)*acc + delta, -4096, 4096);
}

void ps2_mouse_move(Device *dev, int dx, int dy, int dz, unsigned buttons)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;

    add(&s->dx, dx);
    add(&s->dy, dy);
    add(&s->dz, dz);
    s->buttons = buttons & 0x1f;
    stream(s);
    s->ready(s->opaque);
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void answer(Ps2Mouse *s, uint8_t byte)
{
    ps2_queue_put(&s->answers, &byte, 1);
}

static void forget_movement(Ps2Mouse *s)
{
    s->dx = s->dy = s->dz = 0;
    ps2_queue_clear(&s->packets);
}

static void set_defaults(Ps2Mouse *s)
{
    s->status = 0;
    s->resolution = 2; /* 4 counts per mm */
    s->rate = 100;
    forget_movement(s);
}

/* Rates 200, 100, 80 in a row turn the wheel on; then 200, 200, 80 the extra buttons. */
static void set_rate(Ps2Mouse *s, uint8_t rate)
{
    if (rate == 80 && s->knock[0] == 200 && s->knock[1] == 100)
        s->id = ID_WHEEL;
    else if (rate == 80 && s->knock[0] == 200 && s->knock[1] == 200 && s->id == ID_WHEEL)
        s->id = ID_FIVE_BUTTONS;
    s->knock[0] = s->knock[1];
    s->knock[1] = rate;
    s->rate = rate;
}

static void answer_status(Ps2Mouse *s)
{
    static const uint8_t swap[8] = { 0, 4, 1, 5, 2, 6, 3, 7 }; /* left is bit 2 here, right bit 0 */

    answer(s, s->status | swap[s->buttons & 3] | (s->buttons & 4 ? 2 : 0));
    answer(s, s->resolution);
    answer(s, s->rate);
}

static void run_command(Ps2Mouse *s, uint8_t byte)
{
    uint8_t packet[4];

    if (byte < CMD_SCALE_1_1 || byte == 0xed || byte == 0xef || byte == 0xf1 ||
        (byte > CMD_DEFAULTS && byte < CMD_RESEND)) {
        log_guest_error("ps2 mouse: unknown command 0x%02x\n", byte);
        answer(s, RESEND);
        return;
    }
    if (byte == CMD_RESEND) {
        answer(s, s->last);
        return;
    }
    answer(s, ACK);
    switch (byte) {
    case CMD_SCALE_1_1: s->status &= ~STATUS_SCALE_2_1; break;
    case CMD_SCALE_2_1: s->status |= STATUS_SCALE_2_1; break;
    case CMD_RESOLUTION:
    case CMD_RATE: s->command = byte; break;
    case CMD_STATUS: answer_status(s); break;
    case CMD_STREAM: s->status &= ~STATUS_REMOTE; break;
    case CMD_READ: ps2_queue_put(&s->answers, packet, make_packet(s, packet)); break;
    case CMD_WRAP: s->wrap = true; break;
    case CMD_REMOTE: s->status |= STATUS_REMOTE; break;
    case CMD_ID: answer(s, s->id); break;
    case CMD_ENABLE:
        s->status |= STATUS_ENABLED;
        forget_movement(s);
        break;
    case CMD_DISABLE: s->status &= ~STATUS_ENABLED; break;
    case CMD_DEFAULTS: set_defaults(s); break;
    case CMD_RESET:
        set_defaults(s);
        s->id = ID_PLAIN;
        answer(s, TEST_PASSED);
        answer(s, s->id);
        break;
    }
}

void ps2_mouse_write(Device *dev, uint8_t byte)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;
    uint8_t command = s->command;

    s->command = 0;
    if (s->wrap && byte != CMD_RESET && byte != CMD_UNWRAP) {
        answer(s, byte);
    } else if (command) {
        answer(s, ACK);
        if (command == CMD_RATE)
            set_rate(s, byte);
        else
            s->resolution = byte & 3;
    } else {
        s->wrap = false;
        ps2_queue_clear(&s->answers); /* a command cuts off what was being answered */
        run_command(s, byte);
    }
    stream(s);
    s->ready(s->opaque);
}

bool ps2_mouse_has_data(Device *dev)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;

    return s->answers.count || s->packets.count;
}

uint8_t ps2_mouse_read(Device *dev)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;

    s->last = ps2_queue_get(s->answers.count ? &s->answers : &s->packets);
    stream(s);
    return s->last;
}

/* ---- Device --------------------------------------------------------------------------------- */

static void reset_enter(Device *dev)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;

    set_defaults(s);
    s->id = ID_PLAIN;
    s->wrap = false;
    s->command = s->last = 0;
    s->knock[0] = s->knock[1] = 0;
    s->buttons = s->reported_buttons = 0;
    ps2_queue_clear(&s->answers);
}

static void post_load(Device *dev)
{
    Ps2Mouse *s = (Ps2Mouse *)dev;

    ps2_queue_check(&s->answers);
    ps2_queue_check(&s->packets);
}

static const StateField mouse_state[] = {
    STATE_U8(Ps2Mouse, command),
    STATE_U8(Ps2Mouse, status),
    STATE_U8(Ps2Mouse, resolution),
    STATE_U8(Ps2Mouse, rate),
    STATE_U8(Ps2Mouse, id),
    STATE_BYTES(Ps2Mouse, knock),
    STATE_BOOL(Ps2Mouse, wrap),
    STATE_U8(Ps2Mouse, buttons),
    STATE_U8(Ps2Mouse, reported_buttons),
    STATE_U32(Ps2Mouse, dx),
    STATE_U32(Ps2Mouse, dy),
    STATE_U32(Ps2Mouse, dz),
    STATE_U8(Ps2Mouse, last),
    STATE_STRUCT(Ps2Mouse, answers, ps2_queue_state),
    STATE_STRUCT(Ps2Mouse, packets, ps2_queue_state),
    STATE_END,
};

const DeviceClass ps2_mouse_class = {
    .name = "ps2-mouse",
    .desc = "PS/2 mouse",
    .size = sizeof(Ps2Mouse),
    .state = mouse_state,
    .reset_enter = reset_enter,
    .post_load = post_load,
};

Device *ps2_mouse_new(Device *parent, Ps2Ready *ready, void *opaque)
{
    Ps2Mouse *s = (Ps2Mouse *)device_new(&ps2_mouse_class, parent, NULL);

    s->ready = ready;
    s->opaque = opaque;
    return &s->dev;
}
