/* SPDX-License-Identifier: MIT */
#include "softmmu/hid.h"

#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/trace.h"

enum { KEYS_WAITING = 512, MICE_MAX = 8 };
/* What waits in the line: a key, or a pause of so many ms. */
enum { WAIT_PAUSE = 1u << 31, WAIT_DOWN = 1u << 8 };
enum { POSTED_MAX = 4096 }; /* a flood while the machine stands */
enum { PAUSE_MAX_MS = 3600 * 1000, MOTION_BYTES = 6 };

typedef struct Mouse {
    const char *name;
    const HidMouseOps *ops;
    void *opaque;
} Mouse;

struct Hid {
    Device dev;
    Clock *clock;
    InputQueue *queue;
    int key_channel, motion_channel;
    int posted; /* atomic: events that have yet to arrive */
    const HidKeyboardOps *keyboard;
    void *keyboard_opaque;
    Mouse mice[MICE_MAX];
    unsigned mouse_count;
    /* state */
    uint32_t line[KEYS_WAITING];
    uint16_t head, count;
    uint8_t buttons, mouse;
    Timer *pause; /* armed: the line stands */
};

/* ---- The line of keys ----------------------------------------------------------------------- */

/* True: it has left the line. */
static bool serve_front(Hid *h)
{
    uint32_t front = h->line[h->head];

    if (!(front & WAIT_PAUSE))
        return !h->keyboard || h->keyboard->key(h->keyboard_opaque, front, front & WAIT_DOWN);
    timer_set(h->pause, clock_now_ns(h->clock) + (front & ~WAIT_PAUSE) * (NS_PER_SEC / 1000));
    return true;
}

static void serve(void *opaque)
{
    Hid *h = opaque;

    while (h->count && !timer_is_armed(h->pause) && serve_front(h)) {
        h->head = (h->head + 1) % KEYS_WAITING;
        h->count--;
    }
}

/* Whoever types so far ahead of the guest loses it. */
static void queue_up(Hid *h, uint32_t what)
{
    if (h->count < KEYS_WAITING)
        h->line[(h->head + h->count++) % KEYS_WAITING] = what;
    serve(h);
}

void hid_key(Hid *h, uint8_t key, bool down)
{
    trace(input_event_key_number, "key number 0x%x, down %d", key, down);
    queue_up(h, key | (down ? WAIT_DOWN : 0));
}

void hid_hold(Hid *h, uint32_t ms)
{
    queue_up(h, WAIT_PAUSE | MIN(ms, PAUSE_MAX_MS));
}

/* ---- Mice ----------------------------------------------------------------------------------- */

void hid_motion(Hid *h, const HidMotion *m)
{
    trace(input_event_rel, "x %d, y %d, wheel %d, buttons %u", m->dx, m->dy, m->dz, m->buttons);
    h->buttons = m->buttons & (HID_LEFT | HID_MIDDLE | HID_RIGHT);
    if (h->mouse < h->mouse_count)
        h->mice[h->mouse].ops->move(h->mice[h->mouse].opaque, m);
}

uint8_t hid_buttons(const Hid *h)
{
    return h->buttons;
}

unsigned hid_mouse_count(const Hid *h)
{
    return h->mouse_count;
}

const char *hid_mouse_name(const Hid *h, unsigned n)
{
    g_assert(n < h->mouse_count);
    return h->mice[n].name;
}

unsigned hid_mouse(const Hid *h)
{
    return h->mouse;
}

void hid_choose_mouse(Hid *h, unsigned n)
{
    g_assert(n < h->mouse_count);
    h->mouse = n;
}

/* ---- Through the input queue ---------------------------------------------------------------- */

static void post(Hid *h, int channel, const void *event, size_t len)
{
    if (input_is_replaying(h->queue))
        return;
    if (g_atomic_int_add(&h->posted, 1) < POSTED_MAX)
        input_post(h->queue, channel, event, len);
    else
        g_atomic_int_add(&h->posted, -1);
}

static void arrived(Hid *h)
{
    if (!input_is_replaying(h->queue))
        g_atomic_int_add(&h->posted, -1);
}

void hid_post_key(Hid *h, uint8_t key, bool down)
{
    uint8_t event[2] = { key, down };

    post(h, h->key_channel, event, sizeof(event));
}

void hid_post_motion(Hid *h, const HidMotion *m)
{
    uint8_t event[MOTION_BYTES];

    put_le(event, 2, m->dx);
    put_le(event + 2, 2, m->dy);
    event[4] = m->dz;
    event[5] = m->buttons;
    post(h, h->motion_channel, event, sizeof(event));
}

/* What a recording has is not trusted to be of the right size. */
static void key_arrived(void *opaque, const void *data, size_t len)
{
    const uint8_t *event = data;

    arrived(opaque);
    if (len == 2)
        hid_key(opaque, event[0], event[1]);
}

static void motion_arrived(void *opaque, const void *data, size_t len)
{
    const uint8_t *event = data;

    arrived(opaque);
    if (len == MOTION_BYTES)
        hid_motion(opaque,
                   &(HidMotion){ get_le(event, 2), get_le(event + 2, 2), event[4], event[5] });
}

/* ---- Devices of the board ------------------------------------------------------------------- */

void hid_set_keyboard(Hid *h, const HidKeyboardOps *ops, void *opaque)
{
    if (!h)
        return;
    h->keyboard = ops;
    h->keyboard_opaque = opaque;
}

void hid_keyboard_has_room(Hid *h)
{
    if (h && h->count)
        serve(h);
}

uint8_t hid_leds(const Hid *h)
{
    return h->keyboard ? h->keyboard->leds(h->keyboard_opaque) : 0;
}

void hid_add_mouse(Hid *h, const char *name, const HidMouseOps *ops, void *opaque)
{
    if (h && h->mouse_count < MICE_MAX)
        h->mice[h->mouse_count++] = (Mouse){ name, ops, opaque };
}

void hid_remove_mouse(Hid *h, void *opaque)
{
    unsigned n = 0;

    if (!h)
        return;
    while (n < h->mouse_count && h->mice[n].opaque != opaque)
        n++;
    if (n == h->mouse_count)
        return;
    memmove(h->mice + n, h->mice + n + 1, (--h->mouse_count - n) * sizeof(Mouse));
    if (h->mouse >= n && h->mouse)
        h->mouse--;
}

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    Hid *h = (Hid *)dev;

    h->pause = timer_new(h->clock, serve, h);
    return true;
}

static void unrealize(Device *dev)
{
    Hid *h = (Hid *)dev;

    timer_free(h->pause);
    h->pause = NULL;
}

static void reset_enter(Device *dev)
{
    Hid *h = (Hid *)dev;

    h->head = h->count = 0;
    timer_cancel(h->pause);
}

static void post_load(Device *dev)
{
    Hid *h = (Hid *)dev;

    h->head %= KEYS_WAITING;
    h->count = MIN(h->count, KEYS_WAITING);
    if (h->mouse >= h->mouse_count)
        h->mouse = 0;
}

static const StateField hid_state[] = {
    STATE_ARRAY(Hid, line, STATE_T_U32),
    STATE_U16(Hid, head),
    STATE_U16(Hid, count),
    STATE_U8(Hid, buttons),
    STATE_U8(Hid, mouse),
    STATE_TIMER(Hid, pause),
    STATE_END,
};

static const DeviceClass hid_class = {
    .name = "hid",
    .desc = "hands on keyboard and mouse",
    .size = sizeof(Hid),
    .state = hid_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .post_load = post_load,
};

Hid *hid_new(Device *parent, Clock *clock, InputQueue *queue)
{
    Hid *h = (Hid *)device_new(&hid_class, parent, NULL);

    h->clock = clock;
    h->queue = queue;
    h->key_channel = input_add_channel(queue, "keyboard", false, key_arrived, h);
    h->motion_channel = input_add_channel(queue, "mouse", false, motion_arrived, h);
    device_realize(&h->dev, NULL);
    return h;
}
