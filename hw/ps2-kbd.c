/* SPDX-License-Identifier: MIT */
/*
 * A PS/2 keyboard. Spec: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary
 * device"; scan code sets 1, 2 and 3.
 * Missing: repeating a held key (whoever sends keys repeats them) and the make-only and
 * typematic-only key modes of set 3 (all keys make and break).
 */
#include "hw/ps2.h"

#include "softmmu/log.h"

enum {
    CMD_LEDS = 0xed,
    CMD_ECHO = 0xee,
    CMD_SCAN_SET = 0xf0,
    CMD_ID = 0xf2,
    CMD_RATE = 0xf3,
    CMD_ENABLE = 0xf4,
    CMD_DISABLE = 0xf5,
    CMD_DEFAULTS = 0xf6,
    CMD_KEY_MODES = 0xf7, /* to 0xfa: all keys; 0xfb to 0xfd: one key follows */
    CMD_KEY_MODE_FIRST = 0xfb,
    CMD_KEY_MODE_LAST = 0xfd,
    CMD_RESEND = 0xfe,
    CMD_RESET = 0xff,
};

enum { ACK = 0xfa, RESEND = 0xfe, TEST_PASSED = 0xaa };
enum { DEFAULT_RATE = 0x2b, KEY_PAUSE = 0xc6, KEY_PRINT = 0xb7, EXTENDED = 0x80 };

typedef struct Ps2Kbd {
    Device dev;
    Ps2Ready *ready;
    void *opaque;
    /* state */
    uint8_t command; /* waiting for its argument; 0: none */
    uint8_t scan_set, leds, rate;
    bool scanning;
    uint8_t last; /* byte sent, for RESEND */
    Ps2Queue answers, keys;
} Ps2Kbd;

/* Set 3 codes by set 1 make code, without and with E0. */
/* clang-format off */
static const uint8_t set3[0x59] = {
    0x00, 0x08, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e, 0x55, 0x66, 0x0d,
    0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54, 0x5b, 0x5a, 0x11, 0x1c, 0x1b,
    0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c, 0x52, 0x0e, 0x12, 0x5c, 0x1a, 0x22, 0x21, 0x2a,
    0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x59, 0x7e, 0x19, 0x29, 0x14, 0x07, 0x0f, 0x17, 0x1f, 0x27,
    0x2f, 0x37, 0x3f, 0x47, 0x4f, 0x76, 0x5f, 0x6c, 0x75, 0x7d, 0x84, 0x6b, 0x73, 0x74, 0x7c, 0x69,
    0x72, 0x7a, 0x70, 0x71, 0x00, 0x00, 0x13, 0x56, 0x5e,
};
static const uint8_t set3_extended[][2] = {
    { 0x1c, 0x79 }, { 0x1d, 0x58 }, { 0x35, 0x77 }, { 0x37, 0x57 }, { 0x38, 0x39 }, { 0x46, 0x62 },
    { 0x47, 0x6e }, { 0x48, 0x63 }, { 0x49, 0x6f }, { 0x4b, 0x61 }, { 0x4d, 0x6a }, { 0x4f, 0x65 },
    { 0x50, 0x60 }, { 0x51, 0x6d }, { 0x52, 0x67 }, { 0x53, 0x64 }, { 0x5b, 0x8b }, { 0x5c, 0x8c },
    { 0x5d, 0x8d },
};
/* clang-format on */

/* ---- Keys ----------------------------------------------------------------------------------- */

typedef struct Sequence {
    const uint8_t *bytes;
    uint8_t len;
} Sequence;

#define SEQUENCE(...)                                                              \
    {                                                                              \
        (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) \
    }

/* Keys that send more than one code, by set (1, 2); Pause has no break. */
static const Sequence pause_make[] = {
    SEQUENCE(0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5),
    SEQUENCE(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77),
};
static const Sequence print_make[] = {
    SEQUENCE(0xe0, 0x2a, 0xe0, 0x37),
    SEQUENCE(0xe0, 0x12, 0xe0, 0x7c),
};
static const Sequence print_break[] = {
    SEQUENCE(0xe0, 0xb7, 0xe0, 0xaa),
    SEQUENCE(0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12),
};

static uint8_t set3_code(uint8_t key)
{
    if (!(key & EXTENDED))
        return key < sizeof(set3) ? set3[key] : 0;
    for (unsigned i = 0; i < G_N_ELEMENTS(set3_extended); i++) {
        if (set3_extended[i][0] == (key & ~EXTENDED))
            return set3_extended[i][1];
    }
    return 0;
}

/* The bytes of an ordinary key in the current set; 0 if it has none. */
static unsigned encode_key(const Ps2Kbd *s, uint8_t key, bool down, uint8_t *out)
{
    uint8_t base = key & ~EXTENDED, code;
    unsigned n = 0;

    if ((key & EXTENDED) && s->scan_set != 3)
        out[n++] = 0xe0;
    if (s->scan_set == 1) {
        out[n++] = base | (down ? 0 : 0x80);
        return n;
    }
    code = s->scan_set == 2 ? ps2_set1_to_set2(base) : set3_code(key);
    if (!code)
        return 0;
    if (!down)
        out[n++] = 0xf0;
    out[n++] = code;
    return n;
}

bool ps2_kbd_key(Device *dev, uint8_t key, bool down)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;
    uint8_t bytes[4];
    Sequence q = { bytes, 0 };

    if (!s->scanning)
        return true; /* nobody looks at it */
    if (key == KEY_PAUSE && s->scan_set != 3) {
        if (down)
            q = pause_make[s->scan_set - 1];
    } else if (key == KEY_PRINT && s->scan_set != 3) {
        q = (down ? print_make : print_break)[s->scan_set - 1];
    } else {
        q.len = encode_key(s, key, down, bytes);
    }
    if (!ps2_queue_put(&s->keys, q.bytes, q.len))
        return false;
    s->ready(s->opaque);
    return true;
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void answer(Ps2Kbd *s, uint8_t byte)
{
    ps2_queue_put(&s->answers, &byte, 1);
}

static void set_defaults(Ps2Kbd *s)
{
    s->scan_set = 2;
    s->rate = DEFAULT_RATE;
    ps2_queue_clear(&s->keys);
}

static void take_argument(Ps2Kbd *s, uint8_t command, uint8_t byte)
{
    switch (command) {
    case CMD_LEDS: s->leds = byte & 7; break;
    case CMD_RATE: s->rate = byte & 0x7f; break;
    case CMD_SCAN_SET:
        if (byte > 3) {
            answer(s, RESEND);
            return;
        }
        answer(s, ACK);
        if (byte == 0)
            answer(s, s->scan_set);
        else
            s->scan_set = byte;
        return;
    default: break; /* key modes */
    }
    answer(s, ACK);
}

static void run_command(Ps2Kbd *s, uint8_t byte)
{
    switch (byte) {
    case CMD_ECHO: answer(s, CMD_ECHO); return;
    case CMD_RESEND: answer(s, s->last); return;
    case CMD_LEDS:
    case CMD_SCAN_SET:
    case CMD_RATE: s->command = byte; break;
    case CMD_ENABLE:
        ps2_queue_clear(&s->keys);
        s->scanning = true;
        break;
    case CMD_DISABLE:
        set_defaults(s);
        s->scanning = false;
        break;
    case CMD_DEFAULTS: set_defaults(s); break;
    case CMD_ID:
        answer(s, ACK);
        answer(s, 0xab);
        answer(s, 0x83);
        return;
    case CMD_RESET:
        set_defaults(s);
        s->scanning = true;
        s->leds = 0;
        ps2_queue_clear(&s->answers);
        answer(s, ACK);
        answer(s, TEST_PASSED);
        return;
    default:
        if (byte < CMD_KEY_MODES) {
            log_guest_error("ps2 keyboard: unknown command 0x%02x\n", byte);
            answer(s, RESEND);
            return;
        }
        if (byte >= CMD_KEY_MODE_FIRST && byte <= CMD_KEY_MODE_LAST)
            s->command = byte;
    }
    answer(s, ACK);
}

void ps2_kbd_write(Device *dev, uint8_t byte)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;
    uint8_t command = s->command;

    s->command = 0;
    if (command && byte < CMD_LEDS)
        take_argument(s, command, byte);
    else
        run_command(s, byte);
    s->ready(s->opaque);
}

bool ps2_kbd_has_data(Device *dev)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;

    return s->answers.count || s->keys.count;
}

uint8_t ps2_kbd_read(Device *dev)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;

    s->last = ps2_queue_get(s->answers.count ? &s->answers : &s->keys);
    return s->last;
}

uint8_t ps2_kbd_leds(Device *dev)
{
    return ((Ps2Kbd *)dev)->leds;
}

/* ---- Device --------------------------------------------------------------------------------- */

static void reset_enter(Device *dev)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;

    set_defaults(s);
    s->scanning = true;
    s->command = s->leds = s->last = 0;
    ps2_queue_clear(&s->answers);
}

static void post_load(Device *dev)
{
    Ps2Kbd *s = (Ps2Kbd *)dev;

    ps2_queue_check(&s->answers);
    ps2_queue_check(&s->keys);
    if (s->scan_set < 1 || s->scan_set > 3)
        s->scan_set = 2;
}

static const StateField kbd_state[] = {
    STATE_U8(Ps2Kbd, command),
    STATE_U8(Ps2Kbd, scan_set),
    STATE_U8(Ps2Kbd, leds),
    STATE_U8(Ps2Kbd, rate),
    STATE_BOOL(Ps2Kbd, scanning),
    STATE_U8(Ps2Kbd, last),
    STATE_STRUCT(Ps2Kbd, answers, ps2_queue_state),
    STATE_STRUCT(Ps2Kbd, keys, ps2_queue_state),
    STATE_END,
};

const DeviceClass ps2_kbd_class = {
    .name = "ps2-kbd",
    .desc = "PS/2 keyboard",
    .size = sizeof(Ps2Kbd),
    .state = kbd_state,
    .reset_enter = reset_enter,
    .post_load = post_load,
};

Device *ps2_kbd_new(Device *parent, Ps2Ready *ready, void *opaque)
{
    Ps2Kbd *s = (Ps2Kbd *)device_new(&ps2_kbd_class, parent, NULL);

    s->ready = ready;
    s->opaque = opaque;
    return &s->dev;
}
