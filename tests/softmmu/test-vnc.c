/* SPDX-License-Identifier: MIT */
/* The VNC server, spoken to over its socket as a client does; main loop and machine take turns. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "softmmu/bytes.h"
#include "softmmu/ui/layout.h"
#include "softmmu/ui/vnc-internal.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"
#include "tests/softmmu/vnc-bench.h"

/* ---- Conversations --------------------------------------------------------------------------- */

/* What is said before the name of the desktop comes; @heard: what is heard up to then. */
static const struct {
    const char *version;
    const char *heard;
    unsigned heard_len;
    bool chooses;
} version_rows[] = {
    { "RFB 003.003\n", "\0\0\0\1", 4, false },    { "RFB 003.005\n", "\0\0\0\1", 4, false },
    { "RFB 003.007\n", "\1\1", 2, true },         { "RFB 003.008\n", "\1\1\0\0\0\0", 6, true },
    { "RFB 003.889\n", "\1\1\0\0\0\0", 6, true },
};

static void test_versions(void **state)
{
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(version_rows); i++) {
        int fd = dial(b);
        uint8_t buf[64];

        assert_true(hear(b, fd, buf, 12));
        say(b, fd, version_rows[i].version, 12);
        if (version_rows[i].chooses)
            SAY(b, fd, 1);
        assert_true(hear(b, fd, buf, version_rows[i].heard_len));
        assert_memory_equal(buf, version_rows[i].heard, version_rows[i].heard_len);
        SAY(b, fd, 1);
        assert_true(hear(b, fd, buf, 30));
        close(fd);
        settle(b);
    }
}

static void test_picture(void **state)
{
    Bench *b = *state;
    int fd;
    Rect r;

    settle(b);
    assert_int_equal(b->draws, 0); /* nobody looks */
    fd = meet(b, true);
    ask(b, fd, false);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_int_equal(r.width, WIDTH);
    assert_int_equal(r.height, HEIGHT);
    hear_pixels(b, fd, &r);
    b->picture.pixels[20 * WIDTH + 40] ^= 1;
    ask(b, fd, true);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ 32, 16, 16, 16, 0 }), sizeof(r));
    hear_pixels(b, fd, &r);
    /* Two that do not make a rectangle; the lower one is outside of what is asked for. */
    b->picture.pixels[0] ^= 1;
    b->picture.pixels[32 * WIDTH + 69] ^= 1;
    SAY(b, fd, 3, 1, 0, 0, 0, 0, 0, 70, 0, 16);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ 0, 0, 16, 16, 0 }), sizeof(r));
    hear_pixels(b, fd, &r);
    ask(b, fd, true);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ 64, 32, 6, 1, 0 }), sizeof(r));
    hear_pixels(b, fd, &r);
    close(fd);
}

/* It looks while somebody waits, and not otherwise. */
static void test_looks(void **state)
{
    Bench *b = *state;
    int fd = meet(b, true);
    unsigned draws;

    ask(b, fd, false);
    assert_int_equal(hear_update(b, fd), 1);
    Rect r = hear_rect(b, fd);
    hear_pixels(b, fd, &r);
    draws = b->draws;
    for (int i = 0; i < 3; i++) {
        g_usleep(40 * 1000); /* longer than it waits between looks */
        settle(b);
    }
    assert_int_equal(b->draws, draws);
    ask(b, fd, true);
    for (int i = 0; i < 200 && b->draws == draws; i++) {
        g_usleep(1000);
        settle(b);
    }
    assert_true(b->draws > draws);
    close(fd);
}

static void test_resize(void **state)
{
    Bench *b = *state;
    int fd = meet(b, true), old = meet(b, true);
    Rect r;

    SAY(b, fd, 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21); /* Raw, -223 */
    paint(b, 32, 64);
    ask(b, fd, false);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ 0, 0, 32, 64, -223 }), sizeof(r));
    ask(b, fd, false);
    assert_int_equal(hear_update(b, fd), 1);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ 0, 0, 32, 64, 0 }), sizeof(r));
    hear_pixels(b, fd, &r);
    close(fd);
    /* Who cannot hear of it keeps the old size: cut off below, black at the right. */
    ask(b, old, false);
    assert_int_equal(hear_update(b, old), 1);
    r = hear_rect(b, old);
    assert_memory_equal(&r, (&(Rect){ 0, 0, WIDTH, HEIGHT, 0 }), sizeof(r));
    for (unsigned y = 0; y < HEIGHT; y++) {
        uint8_t row[4 * WIDTH];

        assert_true(hear(b, old, row, sizeof(row)));
        for (unsigned x = 0; x < WIDTH; x++)
            assert_int_equal(get_le(row + 4 * x, 4), x < 32 ? b->picture.pixels[y * 32 + x] : 0);
    }
    close(old);
}

static void test_abilities(void **state)
{
    Bench *b = *state;
    int fd = meet(b, true);
    Rect r;
    uint8_t leds;

    b->leds = 2;
    SAY(b, fd, 2, 0, 0, 3, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xff, 0xfe, 0xfe, 0xff, 0xff, 0xfe, 0xfb);
    ask(b, fd, false);
    assert_int_equal(hear_update(b, fd), 4);
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ .encoding = -257 }), sizeof(r));
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ .encoding = -258 }), sizeof(r));
    r = hear_rect(b, fd);
    assert_memory_equal(&r, (&(Rect){ .encoding = -261 }), sizeof(r));
    assert_true(hear(b, fd, &leds, 1));
    assert_int_equal(leds, 2);
    r = hear_rect(b, fd);
    hear_pixels(b, fd, &r);
    SAY(b, fd, 5, 0, 0x80, 0x01, 0x7f, 0xfc); /* relative now */
    settle(b);
    assert_string_equal(b->hands->str, "2,-3,0,0;");
    close(fd);
}

/* ---- Hands ----------------------------------------------------------------------------------- */

#define KEY(down, a, b) 4, down, 0, 0, 0, 0, a, b
#define XKEY(down, k)   255, 0, 0, down, 0, 0, 0, 'z', 0, 0, 0, k
#define POINT(b, x, y)  5, b, 0, x, 0, y
#define BYTES(...)      (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct {
    const uint8_t *said;
    size_t len;
    const char *hands;
    uint8_t leds;
    const char *layout; /* NULL: en-us */
} hands_rows[] = {
    { BYTES(KEY(1, 0, 'a'), KEY(0, 0, 'a')), "+1e-1e" },
    { BYTES(KEY(1, 0xff, 0x0d), KEY(0, 0xff, 0x0d)), "+1c-1c" },
    /* Shift is made up for, or taken away, where the client's keyboard is another. */
    { BYTES(KEY(1, 0, 'A'), KEY(0, 0, 'A')), "+2a+1e-2a-1e" },
    { BYTES(KEY(1, 0, 'A'), KEY(0, 0, 'A')), "+1e-1e", 4 },
    { BYTES(KEY(1, 0, '!')), "+2a+02-2a-02", 4 },
    { BYTES(KEY(1, 0xff, 0xe1), KEY(1, 0, 'A')), "+2a+1e-1e-2a" },
    { BYTES(KEY(1, 0xff, 0xe1), KEY(1, 0, '/')), "+2a-2a+35+2a-2a-35" },
    { BYTES(KEY(1, 0xff, 0xe3), KEY(1, 0, 'C')), "+1d+2e-1d-2e" },
    { BYTES(KEY(1, 0, 0xe4)), "" },
    { BYTES(KEY(1, 0, 0xe4)), "+28-28", 0, "de" },
    { BYTES(KEY(1, 0xfe, 0x03), KEY(1, 0, '@')), "+b8+10-10-b8", 0, "de" },
    { BYTES(KEY(1, 0, '@')), "+b8+10-b8-10", 0, "de" }, /* from a US keyboard */
    { BYTES(KEY(1, 0xff, 0xe1), KEY(1, 0, '@')), "+2a-2a+b8+10-b8+2a-10-2a", 0, "de" },
    { BYTES(KEY(1, 0xfe, 0x03), KEY(1, 0, 'a')), "+b8-b8+1e+b8-1e-b8", 0, "de" },
    { BYTES(KEY(1, 0xfe, 0x03), KEY(1, 0, 'A')), "+b8+1e-1e-b8" }, /* just the right Alt */
    { BYTES(KEY(1, 0xff, 0xe3), KEY(1, 0xff, 0xea), KEY(1, 0, '@')), "+1d+b8+10-10-1d-b8", 0,
      "de" },
    { BYTES(XKEY(1, 0x2c), XKEY(0, 0x2c)), "+2c-2c" },
    { BYTES(XKEY(1, 0xd3), XKEY(0, 0xd3)), "+d3-d3" },
    { BYTES(XKEY(1, 0x54), XKEY(0, 0x54)), "+b7-b7" },
    { BYTES(XKEY(1, 0), XKEY(0, 0)), "+2c-2c" }, /* the keysym counts */
    { BYTES(255, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4), "" },
    { BYTES(POINT(0, 10, 10)), "" }, /* from somewhere */
    { BYTES(POINT(0, 10, 10), POINT(0, 13, 6)), "3,-4,0,0;" },
    { BYTES(POINT(1, 10, 10), POINT(0, 10, 10)), "0,0,0,1;0,0,0,0;" },
    { BYTES(POINT(0, 1, 1), POINT(4, 2, 1)), "1,0,0,4;0,0,0,0;" }, /* let go of in the end */
    { BYTES(POINT(8, 1, 1), POINT(0, 1, 1), POINT(16, 1, 1)), "0,0,-1,0;0,0,1,0;" },
    { BYTES(6, 0, 0, 0, 0, 0, 0, 3, 4, 4, 4, KEY(1, 0, 'b')), "+30-30" },
    /* the extended clipboard, of -4 bytes */
    { BYTES(6, 0, 0, 0, 0xff, 0xff, 0xff, 0xfc, 1, 0, 0, 0, KEY(1, 0, 'b')), "+30-30" },
};

static void test_hands(void **state)
{
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(hands_rows); i++) {
        int fd;

        assert_true(layout_set(hands_rows[i].layout ? hands_rows[i].layout : "en-us", NULL));
        b->leds = hands_rows[i].leds;
        fd = meet(b, true);
        g_string_truncate(b->hands, 0);
        for (size_t k = 0; k < hands_rows[i].len; k++) /* byte by byte: nothing comes whole */
            say(b, fd, hands_rows[i].said + k, 1);
        close(fd);
        settle(b);
        if (strcmp(b->hands->str, hands_rows[i].hands))
            fail_msg("row %zu: %s", i, b->hands->str);
    }
}

/* ---- Nonsense -------------------------------------------------------------------------------- */

/* After how much of the handshake something is said that ends the conversation. */
enum { AT_VERSION, AT_SECURITY, AT_INIT, AT_MESSAGES };

#define FORMAT(...) 0, 0, 0, 0, __VA_ARGS__, 0, 0, 0

static const struct {
    int when;
    const uint8_t *said;
    size_t len;
} nonsense_rows[] = {
    { AT_VERSION, BYTES("GET / HTTP/1.0\r\n\r\n") },
    { AT_VERSION, BYTES("RFB 004.008\n") },
    { AT_VERSION, BYTES("RFB 003.0 8\n") },
    { AT_VERSION, BYTES("RFB 003.0088\n") },
    { AT_SECURITY, BYTES(2) },
    { AT_SECURITY, BYTES(0) },
    { AT_INIT, BYTES(1, 4, 1, 0, 0, 0, 0, 0, 'a') }, /* a key before the screen is known */
    { AT_MESSAGES, BYTES(1) },
    { AT_MESSAGES, BYTES(7) },
    { AT_MESSAGES, BYTES(254) },
    { AT_MESSAGES, BYTES(255, 1, 0, 0) },
    { AT_MESSAGES, BYTES(255, 200) },
    { AT_MESSAGES, BYTES(FORMAT(24, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(0, 0, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(32, 24, 0, 1, 0, 0, 0, 255, 0, 255, 16, 8, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(32, 24, 0, 1, 0, 254, 0, 255, 0, 255, 16, 8, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 25, 8, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 255, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 16, 5, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(16, 16, 0, 0, 0, 31, 0, 63, 0, 31, 11, 5, 0)) },
    { AT_MESSAGES, BYTES(FORMAT(8, 8, 0, 1, 0xff, 0xff, 0, 7, 0, 3, 0, 3, 6)) },
};

static void begin(Bench *b, int fd, int when)
{
    static const struct {
        const char *said;
        size_t said_len, heard;
    } steps[] = { { "", 0, 12 }, { "RFB 003.008\n", 12, 2 }, { "\1", 1, 4 }, { "\1", 1, 30 } };
    uint8_t buf[64];

    for (int i = 0; i <= when; i++) {
        say(b, fd, steps[i].said, steps[i].said_len);
        assert_true(hear(b, fd, buf, steps[i].heard));
    }
}

static void test_nonsense(void **state)
{
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(nonsense_rows); i++) {
        int fd = dial(b);

        begin(b, fd, nonsense_rows[i].when);
        say(b, fd, nonsense_rows[i].said, nonsense_rows[i].len);
        assert_true(hangs_up(b, fd));
        close(fd);
    }
    assert_string_equal(b->hands->str, "");
    close(meet(b, true));
}

static void test_refusal_text(void **state)
{
    Bench *b = *state;
    int fd = dial(b);
    uint8_t buf[8 + 30];

    begin(b, fd, AT_SECURITY);
    SAY(b, fd, 16);
    assert_true(hear(b, fd, buf, sizeof(buf)));
    assert_memory_equal(buf, "\0\0\0\1\0\0\0\36there is no such security type", sizeof(buf));
    assert_true(hangs_up(b, fd));
    close(fd);
}

/* Whatever is said: the server lives, and serves the next one. */
static void test_random(void **state)
{
    Bench *b = *state;
    g_autoptr(GRand) rand = fuzz_rand(1);
    const int rounds = fuzz_rounds(120);
    static const uint8_t types[] = { 0, 2, 3, 4, 5, 6, 255, 255 };

    for (int i = 0; i < rounds; i++) {
        int fd = dial(b);
        uint8_t said[400];

        begin(b, fd, i % 8 ? AT_MESSAGES : i / 8 % 4);
        for (size_t k = 0; k < sizeof(said); k++)
            said[k] = g_rand_int(rand) & (g_rand_int(rand) & 1 ? 0xff : 3);
        for (size_t k = 0; k + 20 < sizeof(said); k += g_rand_int_range(rand, 1, 20))
            said[k] = types[g_rand_int_range(rand, 0, G_N_ELEMENTS(types))];
        say(b, fd, said, sizeof(said));
        settle(b);
        close(fd);
        settle(b);
    }
    close(meet(b, true));
}

/* One who asks and never reads costs no more than a picture. */
static void test_deaf(void **state)
{
    Bench *b = *state;
    int fd;
    unsigned draws;

    paint(b, 1000, 1000);
    fd = meet(b, true);
    for (int i = 0; i < 100; i++) {
        ask(b, fd, false);
        g_usleep(1000);
        settle(b);
    }
    draws = b->draws;
    for (int i = 0; i < 10; i++) {
        ask(b, fd, false);
        g_usleep(10 * 1000);
        settle(b);
    }
    assert_int_equal(b->draws, draws);
    assert_true(((VncClient *)b->vnc->clients->pdata[0])->out->len < 5000000);
    close(fd);
}

/* Nor does one who never reads and goes on changing its mind. */
static void test_fickle(void **state)
{
    static const uint8_t format[] = { FORMAT(8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    Bench *b = *state;
    int fd = meet(b, true);
    uint8_t head[6];

    for (int i = 0; i < 5000; i++)
        say(b, fd, format, sizeof(format));
    settle(b);
    assert_int_equal(((VncClient *)b->vnc->clients->pdata[0])->out->len, 0);
    ask(b, fd, true);
    assert_true(hear(b, fd, head, sizeof(head)));
    assert_memory_equal(head, "\1\0\0\0\1\0", sizeof(head)); /* 256 colours from 0 on */
    close(fd);
}

/* ---- Passwords ------------------------------------------------------------------------------- */

#if HAVE_NETTLE
static const struct {
    const char *version, *password, *given;
    bool good, expired;
} password_rows[] = {
    { "RFB 003.008\n", "secret", "secret", true },
    { "RFB 003.007\n", "secret", "secret", true },
    { "RFB 003.003\n", "secret", "secret", true },
    { "RFB 003.008\n", "12345678", "123456789", true }, /* eight count */
    { "RFB 003.008\n", "secret", "Secret", false },
    { "RFB 003.003\n", "secret", "", false },
    { "RFB 003.008\n", "", "", true },
    { "RFB 003.008\n", NULL, "", false },
    { "RFB 003.008\n", "late", "late", false, .expired = true },
};

static void test_passwords(void **state)
{
    Bench *b = *state;

    assert_false(vnc_set_password(b->vnc, "none asked"));
    vnc_free(b->vnc);
    b->vnc = serve(b, VNC_SHARE_ALLOW_EXCLUSIVE, true);
    for (size_t i = 0; i < G_N_ELEMENTS(password_rows); i++) {
        bool old = password_rows[i].version[10] == '3';
        int fd = dial(b);
        uint8_t buf[64], answer[VNC_CHALLENGE_BYTES];

        assert_true(vnc_set_password(b->vnc, password_rows[i].password));
        vnc_expire_password(b->vnc, password_rows[i].expired ? 1 : -1);
        assert_true(hear(b, fd, buf, 12));
        say(b, fd, password_rows[i].version, 12);
        assert_true(hear(b, fd, buf, old ? 4 : 2));
        assert_memory_equal(buf, old ? "\0\0\0\2" : "\1\2", old ? 4 : 2);
        if (!old)
            SAY(b, fd, 2);
        assert_true(hear(b, fd, buf, VNC_CHALLENGE_BYTES));
        vnc_auth_encrypt(password_rows[i].given, buf, answer);
        say(b, fd, answer, sizeof(answer));
        assert_true(hear(b, fd, buf, 4));
        assert_int_equal(get_be(buf, 4), !password_rows[i].good);
        if (password_rows[i].good)
            SAY(b, fd, 1);
        else
            assert_true(hangs_up(b, fd));
        assert_int_equal(hear(b, fd, buf, 30), password_rows[i].good);
        close(fd);
        settle(b);
    }
}

/* From another implementation (OpenSSL's des-ecb), so that ours and the test's are not both wrong.
 */
static void test_des(void **state)
{
    uint8_t answer[VNC_CHALLENGE_BYTES];

    vnc_auth_encrypt("secret", (const uint8_t *)"0123456789abcdef", answer);
    assert_memory_equal(answer, "\x75\x24\x40\xee\x2b\xfc\xc2\xa0\xd9\x01\x3f\xd2\x03\x71\xe2\x3b",
                        sizeof(answer));
}
#endif

/* ---- Several clients ------------------------------------------------------------------------- */

static void test_alone(void **state)
{
    Bench *b = *state;
    int one = meet(b, true), two = meet(b, true), three = meet(b, false);
    g_autoptr(GString) text = g_string_new("");
    g_autofree char *expected = g_strdup_printf(
        "default:\n  Server: %s (unix)\n    Auth: none (Sub: none)\n  Client: (unix)\n"
        "    x509_dname: none\n    sasl_username: none\n",
        b->path);

    assert_true(hangs_up(b, one));
    assert_true(hangs_up(b, two));
    settle(b);
    vnc_print(b->vnc, text);
    assert_string_equal(text->str, expected);
    ask(b, three, false);
    assert_int_equal(hear_update(b, three), 1);
    close(one);
    close(two);
    close(three);
}

static void test_shared(void **state)
{
    Bench *b = *state;
    int one, two;

    vnc_free(b->vnc);
    b->vnc = serve(b, VNC_SHARE_FORCE_SHARED, false);
    one = meet(b, true);
    assert_int_equal(meet(b, false), -1);
    ask(b, one, false);
    assert_int_equal(hear_update(b, one), 1);
    close(one);
    vnc_free(b->vnc);
    b->vnc = serve(b, VNC_SHARE_IGNORE, false);
    one = meet(b, true);
    two = meet(b, false);
    ask(b, one, false);
    assert_int_equal(hear_update(b, one), 1);
    close(one);
    close(two);
}

static void test_crowd(void **state)
{
    Bench *b = *state;
    int fds[40];
    uint8_t buf[12];

    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++) {
        fds[i] = dial(b);
        assert_int_equal(hear(b, fds[i], buf, 12), i < 32);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
        close(fds[i]);
    settle(b);
    close(meet(b, true));
}

static const struct {
    const char *address, *error;
} address_rows[] = {
    { "", "'' is not [HOST]:DISPLAY" },       { "0", "'0' is not [HOST]:DISPLAY" },
    { ":", "':' is not [HOST]:DISPLAY" },     { ":x", "':x' is not [HOST]:DISPLAY" },
    { ":1x", "':1x' is not [HOST]:DISPLAY" }, { ":60000", "':60000' is not [HOST]:DISPLAY" },
};

static void test_addresses(void **state)
{
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(address_rows); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(vnc_new(&(VncOptions){ .address = (char *)address_rows[i].address }, &b->screen,
                            "", &error));
        assert_string_equal(error->message, address_rows[i].error);
    }
}

#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_BENCH(test_versions),
        WITH_BENCH(test_picture),
        WITH_BENCH(test_looks),
        WITH_BENCH(test_resize),
        WITH_BENCH(test_abilities),
        WITH_BENCH(test_hands),
        WITH_BENCH(test_nonsense),
        WITH_BENCH(test_refusal_text),
        WITH_BENCH(test_random),
        WITH_BENCH(test_deaf),
        WITH_BENCH(test_fickle),
#if HAVE_NETTLE
        WITH_BENCH(test_passwords),
        cmocka_unit_test(test_des),
#endif
        WITH_BENCH(test_alone),
        WITH_BENCH(test_shared),
        WITH_BENCH(test_crowd),
        WITH_BENCH(test_addresses),
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
