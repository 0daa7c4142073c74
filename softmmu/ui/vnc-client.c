/* SPDX-License-Identifier: MIT */
/*
 * A connection: what the client says (RFC 6143, 7.1 to 7.5; QEMU's extended key event). Each step
 * of the conversation is a VncParse that eats one message; what makes no sense ends it.
 */
#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "softmmu/bytes.h"
#include "softmmu/ui/keys.h"
#include "softmmu/ui/layout.h"
#include "softmmu/ui/vnc-internal.h"

enum { IN_MAX = 512 * 1024, READ_BYTES = 16384 };
enum { SECURITY_NONE = 1, SECURITY_VNC = 2 };

static VncParse parse_version, parse_security, parse_answer, parse_init, parse_message;

/* ---- Bytes out ------------------------------------------------------------------------------- */

static gboolean writable(int fd, GIOCondition condition, void *opaque)
{
    VncClient *c = opaque;

    c->out_source = 0;
    vnc_client_flush(c);
    vnc_server_attend(c->server);
    return G_SOURCE_REMOVE;
}

bool vnc_client_busy(const VncClient *c)
{
    return c->out->len > 0;
}

static void leave(VncClient *c)
{
    c->gone = true;
    vnc_server_reap(c->server);
}

void vnc_client_flush(VncClient *c)
{
    while (c->out_done < c->out->len && !c->gone) {
        ssize_t n =
            send(c->fd, c->out->data + c->out_done, c->out->len - c->out_done, MSG_NOSIGNAL);

        if (n >= 0) {
            c->out_done += n;
        } else if (errno == EAGAIN) {
            if (!c->out_source)
                c->out_source = g_unix_fd_add(c->fd, G_IO_OUT, writable, c);
            return;
        } else if (errno != EINTR) {
            leave(c);
        }
    }
    g_byte_array_set_size(c->out, 0);
    c->out_done = 0;
    if (c->leaving)
        leave(c);
}

void vnc_client_send(VncClient *c, const void *data, size_t len)
{
    g_byte_array_append(c->out, data, len);
    vnc_client_flush(c);
}

/* ---- Handshake (7.1, 7.2) -------------------------------------------------------------------- */

static size_t refuse(VncClient *c, size_t len)
{
    leave(c);
    return len;
}

static uint8_t security_of(const VncClient *c)
{
    return c->server->asks_password ? SECURITY_VNC : SECURITY_NONE;
}

/* The type is agreed upon. */
static void begin_security(VncClient *c)
{
    if (!c->server->asks_password) {
        c->parse = parse_init;
        return;
    }
    c->parse = parse_answer;
    g_assert(!getentropy(c->challenge, sizeof(c->challenge)));
    vnc_client_send(c, c->challenge, sizeof(c->challenge));
}

static size_t parse_version(VncClient *c, const uint8_t *data, size_t len)
{
    unsigned minor = 0;

    if (len < 12)
        return 0;
    if (memcmp(data, "RFB 003.", 8) || data[11] != '\n')
        return refuse(c, len);
    for (int i = 8; i < 11; i++) {
        if (!g_ascii_isdigit(data[i]))
            return refuse(c, len);
        minor = 10 * minor + data[i] - '0';
    }
    c->minor = minor >= 8 ? 8 : minor == 7 ? 7 : 3;
    if (c->minor == 3) {
        vnc_client_send(c, (const uint8_t[]){ 0, 0, 0, security_of(c) }, 4);
        begin_security(c);
    } else {
        vnc_client_send(c, (const uint8_t[]){ 1, security_of(c) }, 2);
        c->parse = parse_security;
    }
    return 12;
}

/* SecurityResult "failed", and why (from 3.8 on). */
static size_t fail_security(VncClient *c, const char *why, size_t len)
{
    uint8_t head[8];

    put_be(head, 4, 1);
    put_be(head + 4, 4, strlen(why));
    g_byte_array_append(c->out, head, c->minor == 8 ? 8 : 4);
    if (c->minor == 8)
        g_byte_array_append(c->out, (const uint8_t *)why, strlen(why));
    c->leaving = true;
    vnc_client_flush(c);
    return len;
}

static size_t parse_security(VncClient *c, const uint8_t *data, size_t len)
{
    if (data[0] != security_of(c))
        return fail_security(c, "there is no such security type", len);
    if (c->minor == 8 && data[0] == SECURITY_NONE)
        vnc_client_send(c, (const uint8_t[4]){ 0 }, 4);
    begin_security(c);
    return 1;
}

static size_t parse_answer(VncClient *c, const uint8_t *data, size_t len)
{
    if (len < VNC_CHALLENGE_BYTES)
        return 0;
    if (!vnc_server_believes(c->server, c->challenge, data))
        return fail_security(c, "the password is wrong, or none is set", len);
    vnc_client_send(c, (const uint8_t[4]){ 0 }, 4);
    c->parse = parse_init;
    return VNC_CHALLENGE_BYTES;
}

static size_t parse_init(VncClient *c, const uint8_t *data, size_t len)
{
    if (!vnc_server_admit(c->server, c, data[0] != 0))
        return refuse(c, len);
    c->parse = parse_message;
    c->waits_for_init = true; /* until the screen has been seen */
    viewer_hurry(c->server->viewer);
    vnc_server_attend(c->server);
    return 1;
}

void vnc_client_init(VncClient *c)
{
    const Surface *s = &c->server->shown;
    const char *name = c->server->name;
    uint8_t message[8 + VNC_FORMAT_BYTES];

    c->waits_for_init = false;
    c->initialised = true;
    vnc_update_resize(c, s->width, s->height);
    put_be(message, 2, s->width);
    put_be(message + 2, 2, s->height);
    memcpy(message + 4, c->format.wire, VNC_FORMAT_BYTES);
    put_be(message + 4 + VNC_FORMAT_BYTES, 4, strlen(name));
    g_byte_array_append(c->out, message, sizeof(message));
    vnc_client_send(c, name, strlen(name));
    vnc_server_tell(c->server, VNC_INITIALIZED, c);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

static void press(VncClient *c, uint8_t key, bool down)
{
    c->pressed[key] = down;
    hid_post_key(c->server->screen.hid, key, down);
    viewer_hurry(c->server->viewer);
}

static bool any_pressed(const VncClient *c, uint8_t key, uint8_t other)
{
    return c->pressed[key] || c->pressed[other];
}

/* Are other modifiers held, so that no character is meant? The right Alt is one where it is not
 * AltGr. */
static bool is_command(const VncClient *c)
{
    return any_pressed(c, KEYS_CTRL, KEYS_CTRL_R) || c->pressed[KEYS_ALT] ||
           (c->pressed[KEYS_ALT_R] && !layout_has_altgr());
}

/* Must Shift change for a moment, so that the guest's keyboard means what the client's did? Caps
 * Lock of the guest makes up for a Shift that was not pressed with a letter. */
static bool shift_is_wrong(const VncClient *c, uint32_t keysym, KeyLevel wanted)
{
    bool held = any_pressed(c, KEYS_SHIFT, KEYS_SHIFT_R), caps = c->server->leds & 4;
    bool means_shift = keysym < 0x80 && g_ascii_isalpha(keysym) ? held != caps : held;

    return means_shift != keys_with_shift(wanted);
}

static bool altgr_is_wrong(const VncClient *c, KeyLevel wanted)
{
    return layout_has_altgr() && c->pressed[KEYS_ALT_R] != keys_with_altgr(wanted);
}

static void toggle_shift(VncClient *c, bool back)
{
    static const uint8_t keys[] = { KEYS_SHIFT, KEYS_SHIFT_R };
    Hid *h = c->server->screen.hid;

    if (!any_pressed(c, KEYS_SHIFT, KEYS_SHIFT_R)) {
        hid_post_key(h, KEYS_SHIFT, !back);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (c->pressed[keys[i]])
            hid_post_key(h, keys[i], back);
}

static void toggle_altgr(VncClient *c, bool back)
{
    hid_post_key(c->server->screen.hid, KEYS_ALT_R, c->pressed[KEYS_ALT_R] == back);
}

static void key_by_meaning(VncClient *c, uint32_t keysym, bool down)
{
    KeyLevel level = KEYS_ANY;
    int key = keys_from_keysym(keysym, &level);
    bool exact = down && level != KEYS_ANY && !is_command(c);
    bool shift = exact && shift_is_wrong(c, keysym, level),
         altgr = exact && altgr_is_wrong(c, level);

    if (key < 0)
        return;
    if (shift)
        toggle_shift(c, false);
    if (altgr)
        toggle_altgr(c, false);
    press(c, key, down);
    if (altgr)
        toggle_altgr(c, true);
    if (shift)
        toggle_shift(c, true);
}

static size_t parse_key(VncClient *c, const uint8_t *data, size_t len)
{
    key_by_meaning(c, get_be(data + 4, 4), data[1]);
    return 8;
}

/* QEMU Extended Key Event: keysym, and where the key is; 0: the client does not know. */
static size_t parse_qemu(VncClient *c, const uint8_t *data, size_t len)
{
    int key;

    if (data[1] != 0) /* sound */
        return refuse(c, len);
    if (len < 12)
        return 0;
    key = keys_from_number(get_be(data + 8, 4));
    if (key > 0)
        press(c, key, get_be(data + 2, 2));
    else
        key_by_meaning(c, get_be(data + 4, 4), get_be(data + 2, 2));
    return 12;
}

/* ---- Pointer --------------------------------------------------------------------------------- */

enum { RFB_BUTTONS = 7, RFB_WHEEL_UP = 8, RFB_WHEEL_DOWN = 16, RELATIVE_ZERO = 0x7fff };

static size_t parse_pointer(VncClient *c, const uint8_t *data, size_t len)
{
    uint8_t now = data[1], news = now & ~c->buttons;
    int x = get_be(data + 2, 2), y = get_be(data + 4, 2);
    HidMotion m = { .dz = !!(news & RFB_WHEEL_DOWN) - !!(news & RFB_WHEEL_UP),
                    .buttons = now & RFB_BUTTONS };
    bool moves = c->pointer_x >= 0;

    if (c->can & ~c->to_tell & VNC_CAN_MOVE_RELATIVELY) {
        m.dx = CLAMP(x - RELATIVE_ZERO, INT16_MIN, INT16_MAX);
        m.dy = CLAMP(y - RELATIVE_ZERO, INT16_MIN, INT16_MAX);
    } else if (moves) {
        m.dx = CLAMP(x - c->pointer_x, INT16_MIN, INT16_MAX);
        m.dy = CLAMP(y - c->pointer_y, INT16_MIN, INT16_MAX);
    }
    c->pointer_x = x;
    c->pointer_y = y;
    if (m.dx || m.dy || m.dz || (now ^ c->buttons) & RFB_BUTTONS) {
        hid_post_motion(c->server->screen.hid, &m);
        viewer_hurry(c->server->viewer);
    }
    c->buttons = now;
    return 6;
}

/* ---- Other messages (7.5) -------------------------------------------------------------------- */

static size_t parse_format(VncClient *c, const uint8_t *data, size_t len)
{
    if (!vnc_format_set(&c->format, data + 4, &c->colours_due))
        return refuse(c, len);
    vnc_update_resize(c, c->width, c->height); /* what it has of the picture is worth nothing */
    return 4 + VNC_FORMAT_BYTES;
}

static const struct {
    int32_t encoding;
    unsigned can;
    bool tell; /* that we can, too */
} encodings[] = {
    { 16, VNC_CAN_ZRLE },
    { -223, VNC_CAN_RESIZE },
    { -257, VNC_CAN_MOVE_RELATIVELY, true },
    { -258, VNC_CAN_SEND_KEYS, true },
    { -261, VNC_CAN_SHOW_LEDS },
};

static size_t parse_encodings(VncClient *c, const uint8_t *data, size_t len)
{
    size_t count = get_be(data + 2, 2), size = 4 + 4 * count;

    if (len < size)
        return 0;
    c->can = c->to_tell = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(encodings); k++) {
            if ((int32_t)get_be(data + 4 + 4 * i, 4) != encodings[k].encoding)
                continue;
            c->can |= encodings[k].can;
            c->to_tell |= encodings[k].tell ? encodings[k].can : 0;
        }
    }
    if (!c->zrle && (c->can & VNC_CAN_ZRLE))
        c->zrle = vnc_zrle_new();
    if (!c->zrle)
        c->can &= ~VNC_CAN_ZRLE;
    return size;
}

/* Answered from the next look at the screen, if something has changed by then. */
static size_t parse_request(VncClient *c, const uint8_t *data, size_t len)
{
    SurfaceRect r = { get_be(data + 2, 2), get_be(data + 4, 2), get_be(data + 6, 2),
                      get_be(data + 8, 2) };

    if (!data[1]) {
        vnc_update_touch(c, &r);
        viewer_hurry(c->server->viewer);
    }
    c->wanted = r;
    c->waits = true;
    vnc_server_attend(c->server);
    return 10;
}

static size_t parse_clipboard(VncClient *c, const uint8_t *data, size_t len)
{
    int32_t size = get_be(data + 4, 4); /* negative: the extended clipboard */

    c->skip = size < 0 ? -(int64_t)size : size;
    return 8;
}

static const struct {
    uint8_t type, least; /* bytes until its parser can judge */
    VncParse *parse;
} messages[] = {
    { 0, 20, parse_format }, { 2, 4, parse_encodings }, { 3, 10, parse_request },
    { 4, 8, parse_key },     { 5, 6, parse_pointer },   { 6, 8, parse_clipboard },
    { 255, 2, parse_qemu },
};

static size_t parse_message(VncClient *c, const uint8_t *data, size_t len)
{
    if (!c->initialised) /* it must not speak before it knows the screen */
        return refuse(c, len);
    for (size_t i = 0; i < G_N_ELEMENTS(messages); i++)
        if (messages[i].type == data[0])
            return len < messages[i].least ? 0 : messages[i].parse(c, data, len);
    return refuse(c, len);
}

/* ---- Bytes in -------------------------------------------------------------------------------- */

static void parse_all(VncClient *c)
{
    size_t at = 0, taken = 1;

    while (!c->gone && !c->leaving && at < c->in->len && taken) {
        size_t left = c->in->len - at;

        if (c->skip) {
            taken = MIN(c->skip, left);
            c->skip -= taken;
        } else {
            taken = c->parse(c, c->in->data + at, left);
        }
        at += taken;
    }
    g_byte_array_remove_range(c->in, 0, MIN(at, c->in->len));
    g_assert(c->in->len < IN_MAX); /* the longest message is one of encodings */
}

static gboolean readable(int fd, GIOCondition condition, void *opaque)
{
    VncClient *c = opaque;
    uint8_t data[READ_BYTES];
    ssize_t n = read(fd, data, sizeof(data));

    if (n > 0 && !c->gone && !c->leaving) {
        g_byte_array_append(c->in, data, n);
        parse_all(c);
    } else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        leave(c);
    }
    if (!c->gone)
        return G_SOURCE_CONTINUE;
    c->in_source = 0;
    return G_SOURCE_REMOVE;
}

/* ---- Life ------------------------------------------------------------------------------------ */

VncClient *vnc_client_new(VncServer *s, int fd, char *peer)
{
    VncClient *c = g_new0(VncClient, 1);

    c->server = s;
    c->fd = fd;
    c->peer = peer;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->parse = parse_version;
    c->pointer_x = c->pointer_y = -1;
    c->leds = 0xff;
    vnc_format_set(&c->format, vnc_format_default, &c->colours_due);
    c->in_source = g_unix_fd_add(fd, G_IO_IN | G_IO_HUP | G_IO_ERR, readable, c);
    vnc_client_send(c, "RFB 003.008\n", 12);
    return c;
}

/* What it leaves pressed is let go of. */
static void let_go(VncClient *c)
{
    for (unsigned key = 0; key < G_N_ELEMENTS(c->pressed); key++)
        if (c->pressed[key])
            hid_post_key(c->server->screen.hid, key, false);
    if (c->buttons & RFB_BUTTONS)
        hid_post_motion(c->server->screen.hid, &(HidMotion){ 0 });
}

void vnc_client_free(VncClient *c)
{
    let_go(c);
    if (c->in_source)
        g_source_remove(c->in_source);
    if (c->out_source)
        g_source_remove(c->out_source);
    close(c->fd);
    vnc_zrle_free(c->zrle);
    g_byte_array_free(c->in, TRUE);
    g_byte_array_free(c->out, TRUE);
    g_free(c->dirty);
    g_free(c->peer);
    g_free(c);
}
