/* SPDX-License-Identifier: MIT */
#include "tests/softmmu/vnc-bench.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/bytes.h"
#include "softmmu/ui/vnc-internal.h"
#include "tests/softmmu/test.h"

enum { PATIENCE_MS = 10 * 1000 };

static void draw(void *opaque, Surface *s, bool lit)
{
    Bench *b = opaque;

    b->draws++;
    surface_resize(s, b->picture.width, b->picture.height);
    memcpy(s->pixels, b->picture.pixels, (size_t)s->width * s->height * 4);
}

static bool take_key(void *opaque, uint8_t key, bool down)
{
    g_string_append_printf(((Bench *)opaque)->hands, "%c%02x", down ? '+' : '-', key);
    return true;
}

static uint8_t get_leds(void *opaque)
{
    return ((Bench *)opaque)->leds;
}

static void take_motion(void *opaque, const HidMotion *m)
{
    g_string_append_printf(((Bench *)opaque)->hands, "%d,%d,%d,%u;", m->dx, m->dy, m->dz,
                           m->buttons);
}

static const DisplayOps display_ops = { .draw = draw };
static const HidKeyboardOps keyboard = { take_key, get_leds };
static const HidMouseOps mouse = { take_motion };
static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

void paint(Bench *b, unsigned width, unsigned height)
{
    surface_resize(&b->picture, width, height);
    for (unsigned i = 0; i < width * height; i++)
        b->picture.pixels[i] = i * 0x010203 & 0xffffff;
}

VncServer *serve(Bench *b, VncShare share, bool password)
{
    g_autofree char *address = g_strconcat("unix:", b->path, NULL);

    return vnc_new(&(VncOptions){ .address = address, .share = share, .password = password },
                   &b->screen, "a name", NULL);
}

int start(void **state)
{
    Bench *b = g_new0(Bench, 1);

    b->root = device_new(&root_class, NULL, NULL);
    device_realize(b->root, NULL);
    b->clock = clock_new_manual();
    b->screen.input = input_queue_new();
    b->screen.display = display_new();
    b->screen.hid = hid_new(b->root, b->clock, b->screen.input);
    b->hands = g_string_new("");
    display_add(b->screen.display, "test", &display_ops, b);
    hid_set_keyboard(b->screen.hid, &keyboard, b);
    hid_add_mouse(b->screen.hid, "mouse", &mouse, b);
    paint(b, WIDTH, HEIGHT);
    b->folder = g_dir_make_tmp("mimus-vnc-XXXXXX", NULL);
    b->path = g_build_filename(b->folder, "socket", NULL);
    b->vnc = serve(b, VNC_SHARE_ALLOW_EXCLUSIVE, false);
    assert_non_null(b->vnc);
    *state = b;
    return 0;
}

int finish(void **state)
{
    Bench *b = *state;

    vnc_free(b->vnc);
    assert_int_not_equal(access(b->path, F_OK), 0);
    g_rmdir(b->folder);
    device_free(b->root);
    clock_free(b->clock);
    display_free(b->screen.display);
    input_queue_free(b->screen.input);
    surface_clear(&b->picture);
    g_string_free(b->hands, TRUE);
    g_free(b->folder);
    g_free(b->path);
    g_free(b);
    return 0;
}

void turn(Bench *b)
{
    g_main_context_iteration(NULL, FALSE);
    input_deliver(b->screen.input, true, 0);
}

/* Nothing is left to do for either side. */
void settle(Bench *b)
{
    for (int i = 0; i < 20; i++)
        turn(b);
}

int dial(Bench *b)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    strcpy(sa.sun_path, b->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

void say(Bench *b, int fd, const void *data, size_t len)
{
    const uint8_t *p = data;

    while (len) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return; /* it has hung up */
        p += MAX(n, 0);
        len -= MAX(n, 0);
        turn(b);
    }
}

/* @len bytes; false: the server hung up before. */
bool hear(Bench *b, int fd, void *data, size_t len)
{
    unsigned patience = PATIENCE_MS; /* not by the clock: a frozen process hears nothing */
    uint8_t *p = data;

    while (len) {
        ssize_t n = recv(fd, p, len, 0);

        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        p += MAX(n, 0);
        len -= MAX(n, 0);
        if (n < 0) {
            poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 1);
            assert_true(--patience);
        }
        turn(b);
    }
    return true;
}

bool hangs_up(Bench *b, int fd)
{
    uint8_t byte;

    while (hear(b, fd, &byte, 1))
        ;
    return true;
}

int meet(Bench *b, bool shared)
{
    uint8_t buf[64];
    int fd = dial(b);

    assert_true(hear(b, fd, buf, 12));
    assert_memory_equal(buf, "RFB 003.008\n", 12);
    say(b, fd, "RFB 003.008\n", 12);
    assert_true(hear(b, fd, buf, 2));
    assert_memory_equal(buf, "\1\1", 2);
    SAY(b, fd, 1);
    assert_true(hear(b, fd, buf, 4));
    assert_memory_equal(buf, "\0\0\0\0", 4);
    SAY(b, fd, shared);
    if (!hear(b, fd, buf, 24 + 6))
        return -1;
    assert_int_equal(get_be(buf, 2), b->picture.width);
    assert_int_equal(get_be(buf + 2, 2), b->picture.height);
    assert_memory_equal(buf + 4, vnc_format_default, VNC_FORMAT_BYTES);
    assert_memory_equal(buf + 20, "\0\0\0\6a name", 10);
    return fd;
}

void ask(Bench *b, int fd, bool incremental)
{
    SAY(b, fd, 3, incremental, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff);
}

unsigned hear_update(Bench *b, int fd)
{
    uint8_t head[4];

    assert_true(hear(b, fd, head, 4));
    assert_int_equal(head[0], 0);
    return get_be(head + 2, 2);
}

Rect hear_rect(Bench *b, int fd)
{
    uint8_t head[12];

    assert_true(hear(b, fd, head, 12));
    return (Rect){ get_be(head, 2), get_be(head + 2, 2), get_be(head + 4, 2), get_be(head + 6, 2),
                   get_be(head + 8, 4) };
}

/* Raw, in the format that everybody begins with. */
void hear_pixels(Bench *b, int fd, const Rect *r)
{
    g_autofree uint8_t *bytes = g_malloc(4 * r->width * r->height);

    assert_int_equal(r->encoding, 0);
    assert_true(hear(b, fd, bytes, 4 * r->width * r->height));
    for (unsigned i = 0; i < r->width * r->height; i++) {
        unsigned x = r->x + i % r->width, y = r->y + i / r->width;

        assert_int_equal(get_le(bytes + 4 * i, 4), b->picture.pixels[y * b->picture.width + x]);
    }
}
