/* SPDX-License-Identifier: MIT */
/* Character back ends: flow control, the multiplexer's keys, names, files, sockets, ptys. */
#include "softmmu/chardev.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/chardev-internal.h"
#include "softmmu/clock.h"
#include "softmmu/input.h"
#include "tests/softmmu/test.h"

typedef struct Client {
    GString *got;
    size_t room;
} Client;

static size_t can_receive(void *opaque)
{
    return ((Client *)opaque)->room;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    Client *c = opaque;

    assert_true(len <= c->room);
    c->room -= len;
    g_string_append_len(c->got, (const char *)data, len);
}

static void event(void *opaque, int what)
{
    static const char *const names[] = { "<break>", "<opened>", "<closed>", "<in>", "<out>" };

    g_string_append(((Client *)opaque)->got, names[what]);
}

static const ChardevClient client_ops = { can_receive, receive, event };

static void test_flow(void **state)
{
    Client c = { g_string_new(""), 2 };
    g_autoptr(GByteArray) out = g_byte_array_new();
    Chardev *chr = chardev_new_memory(out);

    chardev_memory_input(chr, "ab", 2); /* before anybody listens */
    chardev_connect(chr, &client_ops, &c);
    assert_string_equal(c.got->str, "<opened>ab");
    chardev_memory_input(chr, "cdef", 4);
    assert_string_equal(c.got->str, "<opened>ab");
    c.room = 3;
    chardev_accept_input(chr);
    assert_string_equal(c.got->str, "<opened>abcde");
    chardev_write(chr, (const uint8_t *)"out", 3);
    assert_memory_equal(out->data, "out", 3);
    chardev_connect(chr, NULL, NULL);
    chardev_memory_input(chr, "xyz", 3);
    chardev_free(chr);
    chardev_write(NULL, (const uint8_t *)"x", 1);
    chardev_accept_input(NULL);
    g_string_free(c.got, TRUE);
}

static void quit(void *opaque)
{
    (*(unsigned *)opaque)++;
}

#define A "\x01"

/* keys typed; what the first and the second client got; how often quit; what was shown */
static const struct {
    const char *keys, *first, *second;
    unsigned quits;
    const char *shown;
} key_rows[] = {
    { "hello", "<in>hello", "", 0, "" },
    { "a" A "cb" A "cd", "<in>a<out><in>d", "<in>b<out>", 0, "" },
    { A A, "<in>\x01", "", 0, "" },
    { A "b", "<in><break>", "", 0, "" },
    { A "x", "<in>", "", 1, "mimus: terminated" },
    { A "h", "<in>", "", 0, " x    exit emulator" },
    { A "s", "<in>", "", 0, "no disk" },
    { A "q"
        "z",
      "<in>z", "", 0, "" },
    { A "c" A A "x" A "c"
        "y",
      "<in><out><in>y", "<in>\x01x<out>", 0, "" },
};

/* Each row with Ctrl-A, and with Ctrl-B in its place. */
static void test_mux_keys(void **state)
{
    for (size_t n = 0; n < 2 * G_N_ELEMENTS(key_rows); n++) {
        const size_t i = n / 2;
        const char escape = 1 + n % 2;
        g_autofree char *keys = g_strdelimit(g_strdup(key_rows[i].keys), A, escape);
        g_autofree char *to_first = g_strdelimit(g_strdup(key_rows[i].first), A, escape);
        g_autofree char *to_second = g_strdelimit(g_strdup(key_rows[i].second), A, escape);
        unsigned quits = 0;
        g_autoptr(GByteArray) out = g_byte_array_new();
        Chardev *base = chardev_new_memory(out), *mux = chardev_new_mux(base, quit, &quits);
        Client c[2] = { { g_string_new(""), 100 }, { g_string_new(""), 100 } };
        Chardev *first = chardev_mux_port(mux), *second = chardev_mux_port(mux);

        chardev_connect(first, &client_ops, &c[0]);
        chardev_connect(second, &client_ops, &c[1]);
        chardev_mux_set_escape(mux, escape);
        for (const char *key = keys; *key; key++) /* one by one, as typed */
            chardev_memory_input(base, key, 1);
        assert_string_equal(c[0].got->str, to_first);
        assert_string_equal(c[1].got->str, to_second);
        assert_int_equal(quits, key_rows[i].quits);
        g_byte_array_append(out, (const uint8_t *)"", 1);
        assert_non_null(strstr((const char *)out->data, key_rows[i].shown));

        for (int k = 0; k < 2; k++)
            g_string_free(c[k].got, TRUE);
        chardev_free(mux);
    }
}

static void test_mux_in_one_go(void **state)
{
    unsigned quits = 0;
    Chardev *base = chardev_new_memory(NULL), *mux = chardev_new_mux(base, quit, &quits);
    Client c[2] = { { g_string_new(""), 100 }, { g_string_new(""), 100 } };
    static const char keys[] = "ab" A "ccd" A "x" A "cef";

    chardev_connect(chardev_mux_port(mux), &client_ops, &c[0]);
    chardev_connect(chardev_mux_port(mux), &client_ops, &c[1]);
    chardev_memory_input(base, keys, sizeof(keys) - 1);
    assert_string_equal(c[0].got->str, "<in>ab<out><in>ef");
    assert_string_equal(c[1].got->str, "<in>cd<out>");
    assert_int_equal(quits, 1);
    chardev_free(mux);
    g_string_free(c[0].got, TRUE);
    g_string_free(c[1].got, TRUE);
}

static void test_mux_timestamps(void **state)
{
    unsigned quits = 0;
    g_autoptr(GByteArray) out = g_byte_array_new();
    Chardev *base = chardev_new_memory(out), *mux = chardev_new_mux(base, quit, &quits);
    Chardev *port = chardev_mux_port(mux);

    chardev_memory_input(base, A "t", 2);
    chardev_write(port, (const uint8_t *)"one\ntwo", 7);
    assert_memory_equal(out->data, "one\n[00:00:0", 12); /* stamped from the next line on */
    assert_memory_equal(out->data + out->len - 5, "] two", 5);
    chardev_free(mux);
}

static void test_mux_recorded(void **state)
{
    InputQueue *q = input_queue_new();
    GError *error = NULL;
    Chardev *base = chardev_new("null", q, &error);
    unsigned quits = 0;
    Chardev *mux = chardev_new_mux(base, quit, &quits), *port = chardev_mux_port(mux);
    Chardev *monitor = chardev_mux_port(mux);
    Client serial = { g_string_new(""), 100 }, mon = { g_string_new(""), 100 };

    chardev_set_control(monitor, true);
    chardev_connect(port, &client_ops, &serial);
    chardev_connect(monitor, &client_ops, &mon);
    chardev_memory_input(base, "a" A "cb", 4); /* posts to the base, which is control now */
    for (int i = 0; i < 3; i++)
        input_deliver(q, false, 0);
    assert_string_equal(serial.got->str, "<in>"); /* stopped: the guest hears nothing */
    assert_string_equal(mon.got->str, "<in>b");   /* the monitor does */
    input_deliver(q, true, 0);
    assert_string_equal(serial.got->str, "<in>a<out>");
    chardev_free(mux);
    input_queue_free(q);
    g_string_free(serial.got, TRUE);
    g_string_free(mon.got, TRUE);
}

static const struct {
    const char *spec, *error;
} refused_rows[] = {
    { "vc", "no text consoles" },
    { "vc:80Cx24C", "no text consoles" },
    { "telnet:localhost", "'telnet:localhost' lacks a port" },
    { "fd:x", "'fd:x' is not a socket that is open here" },
    { "fd:99", "'fd:99' is not a socket that is open here" },
    { "udp:localhost", "address 'udp:localhost'" },
    { "udp:[::1]", "address 'udp:[::1]'" },
    { "pipe:/nonexistent/x", "could not open '/nonexistent/x.in' and '/nonexistent/x.out'" },
    { "ringbuf:3", "is a power of two up to 67108864, not '3'" },
    { "ringbuf:134217728", "is a power of two up to 67108864" },
    { "null,logfile=/nonexistent/x", "could not open '/nonexistent/x'" },
    { "unix:/tmp/x,server=on,reconnect=1", "reconnect is for clients with an address" },
    { "unix:/tmp/x,reconnect=x", "'reconnect=x' is not an option" },
    { "", "is not a supported" },
    { "file:/nonexistent/x", "could not open '/nonexistent/x': No such file or directory" },
    { "tcp:localhost", "lacks a port" },
    { "tcp:localhost:", "lacks a port" },
    { "unix:/tmp/x,bogus=1", "'bogus=1' is not an option" },
    { "unix:/nonexistent/s", "could not connect to unix socket" },
    { "unix:/nonexistent/s,server=on,wait=off", "could not listen on unix socket" },
};

static void test_refused(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused_rows); i++) {
        InputQueue *q = input_queue_new();
        g_autoptr(GError) error = NULL;

        assert_null(chardev_new(refused_rows[i].spec, q, &error));
        assert_non_null(strstr(error->message, refused_rows[i].error));
        assert_null(strchr(error->message, '\n'));
        input_queue_free(q);
    }
}

static void test_file(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "out", NULL);
    g_autofree char *spec = g_strconcat("file:", path, NULL);
    g_autofree char *text = NULL;
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new(spec, q, NULL);

    assert_non_null(chr);
    chardev_write(chr, (const uint8_t *)"hello\n", 6);
    chardev_free(chr);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "hello\n");
    g_unlink(path);
    g_rmdir(dir);
    input_queue_free(q);
}

/* What a back end has written to @path, which it made. */
static void assert_written(const char *spec, const char *path, const char *text, const char *expect)
{
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new(spec, q, NULL);
    g_autofree char *got = NULL;

    assert_non_null(chr);
    chardev_write(chr, (const uint8_t *)text, strlen(text));
    chardev_free(chr);
    input_queue_free(q);
    assert_true(g_file_get_contents(path, &got, NULL, NULL));
    assert_string_equal(got, expect);
}

static void test_appended(void **state)
{
    static const struct {
        const char *format, *expect; /* the first row begins the file */
    } rows[] = {
        { "file:%s", "x" },
        { "file:%s,append=on", "xx" },
        { "null,logfile=%s,logappend=on", "xxx" },
        { "ringbuf:4,logfile=%s", "x" },
        { "file:%s,append=off", "x" },
    };
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "out", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(GStrv) parts = g_strsplit(rows[i].format, "%s", 2);
        g_autofree char *spec = g_strconcat(parts[0], path, parts[1], NULL);
        assert_written(spec, path, "x", rows[i].expect);
    }
    g_unlink(path);
    g_rmdir(dir);
}

static void test_ringbuf(void **state)
{
    static const struct {
        const char *written;
        size_t asked;
        const char *read;
    } rows[] = {
        { "", 9, "" },          { "ab", 1, "a" }, { "cd", 9, "bcd" },
        { "123456", 3, "345" }, { "7", 9, "67" },
    };
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new("ringbuf:4", q, NULL), *other = chardev_new("null", q, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        chardev_write(chr, (const uint8_t *)rows[i].written, strlen(rows[i].written));
        g_autoptr(GBytes) got = chardev_ringbuf_read(chr, rows[i].asked);
        assert_int_equal(g_bytes_get_size(got), strlen(rows[i].read));
        assert_memory_equal(g_bytes_get_data(got, NULL), rows[i].read, strlen(rows[i].read));
    }
    assert_null(chardev_ringbuf_read(other, 1));
    chardev_free(chr);
    chardev_free(other);
    input_queue_free(q);
}

/* What comes, cut anywhere, and what of it is text. */
static const struct {
    const char *sent;
    size_t len;
    const char *text, *heard;
} telnet_rows[] = {
    { "abc", 3, "abc", "" },
    { "a\xff\xff"
      "b",
      4,
      "a\xff"
      "b",
      "" },
    { "a\xff\xfb\x01"
      "b",
      5, "ab", "" },
    { "\xff\xfe\x22\xff\xfd\x03x", 7, "x", "" },
    { "a\xff\xfa\x18\x01\xff\xff\x00\xff\xf0"
      "b",
      11, "ab", "" },
    { "a\xff\xf3"
      "b",
      4, "ab", "<break>" },
    { "a\xff\xf1"
      "b",
      4, "ab", "" },
};

static void test_telnet_input(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(telnet_rows); i++) {
        for (size_t cut = 0; cut <= telnet_rows[i].len; cut++) {
            Client c = { g_string_new(""), 0 };
            Chardev *chr = chardev_new_memory(NULL);
            g_autofree uint8_t *data = g_memdup2(telnet_rows[i].sent, telnet_rows[i].len);
            Telnet t = { 0 };
            size_t first, second;

            chardev_connect(chr, &client_ops, &c);
            g_string_truncate(c.got, 0);
            first = telnet_unwrap(&t, chr, data, cut);
            second = telnet_unwrap(&t, chr, data + cut, telnet_rows[i].len - cut);
            memmove(data + first, data + cut, second);
            assert_int_equal(first + second, strlen(telnet_rows[i].text));
            assert_memory_equal(data, telnet_rows[i].text, first + second);
            assert_string_equal(c.got->str, telnet_rows[i].heard);
            chardev_free(chr);
            g_string_free(c.got, TRUE);
        }
    }
}

/* Let the main context and the queue turn until the client has @text. */
static void pump_until(InputQueue *q, Client *c, const char *text)
{
    int64_t give_up = g_get_monotonic_time() + 20 * G_USEC_PER_SEC;

    while (!strstr(c->got->str, text)) {
        g_main_context_iteration(NULL, FALSE);
        input_deliver(q, true, 0);
        if (g_get_monotonic_time() > give_up)
            fail_msg("waited for '%s', have '%s'", text, c->got->str);
    }
}

static int connect_unix(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    g_strlcpy(sa.sun_path, path, sizeof(sa.sun_path));
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static void test_unix_server(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);
    g_autofree char *spec = g_strconcat("unix:", path, ",server=on,wait=off", NULL);
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new(spec, q, NULL);
    Client c = { g_string_new(""), 1000 };
    char buf[8];
    int fd;

    assert_non_null(chr);
    assert_null(chardev_waits_at(chr));
    chardev_connect(chr, &client_ops, &c);
    for (int round = 0; round < 2; round++) { /* a second peer after the first */
        g_string_truncate(c.got, 0);
        fd = connect_unix(path);
        pump_until(q, &c, "<opened>");
        chardev_write(chr, (const uint8_t *)"hi", 2);
        assert_int_equal(read(fd, buf, sizeof(buf)), 2);
        assert_int_equal(write(fd, "yes", 3), 3);
        pump_until(q, &c, "yes");
        close(fd);
        pump_until(q, &c, "<closed>");
        chardev_write(chr, (const uint8_t *)"lost", 4);
    }
    chardev_free(chr);
    assert_int_not_equal(access(path, F_OK), 0); /* cleaned up */
    g_rmdir(dir);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

/* A socket of ours at a free port of 127.0.0.1. */
static int open_inet(int type, unsigned *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

static void test_telnet(void **state)
{
    static const char greeting[] = "\xff\xfb\x01\xff\xfb\x03\xff\xfb\x00\xff\xfd\x00";
    InputQueue *q = input_queue_new();
    Client c = { g_string_new(""), 1000 };
    char buf[64];
    unsigned port;
    int listener = open_inet(SOCK_STREAM, &port), fd;
    g_autofree char *spec = g_strdup_printf("telnet:127.0.0.1:%u", port);
    Chardev *chr;

    assert_int_equal(listen(listener, 1), 0);
    chr = chardev_new(spec, q, NULL);
    chardev_connect(chr, &client_ops, &c);
    fd = accept(listener, NULL, NULL);
    chardev_write(chr, (const uint8_t *)"a\xff", 2);
    assert_int_equal(recv(fd, buf, sizeof(greeting) - 1, MSG_WAITALL), sizeof(greeting) - 1);
    assert_memory_equal(buf, greeting, sizeof(greeting) - 1);
    assert_int_equal(recv(fd, buf, 3, MSG_WAITALL), 3);
    assert_memory_equal(buf, "a\xff\xff", 3);
    assert_int_equal(write(fd, "k\xff\xfd\x01y", 5), 5);
    pump_until(q, &c, "ky");
    close(fd);
    close(listener);
    chardev_free(chr);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

static void test_udp(void **state)
{
    InputQueue *q = input_queue_new();
    Client c = { g_string_new(""), 1000 };
    struct sockaddr_in from;
    socklen_t len = sizeof(from);
    char buf[8];
    unsigned port;
    int fd = open_inet(SOCK_DGRAM, &port);
    g_autofree char *spec = g_strdup_printf("udp:127.0.0.1:%u", port);
    Chardev *chr = chardev_new(spec, q, NULL);

    chardev_connect(chr, &client_ops, &c);
    chardev_write(chr, (const uint8_t *)"hi", 2);
    assert_int_equal(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len), 2);
    sendto(fd, "", 0, 0, (struct sockaddr *)&from, len); /* an empty one is not the end */
    sendto(fd, "yes", 3, 0, (struct sockaddr *)&from, len);
    pump_until(q, &c, "yes");
    close(fd);
    chardev_free(chr);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

/* A connection that somebody else has made. */
static void test_given_socket(void **state)
{
    InputQueue *q = input_queue_new();
    Client c = { g_string_new(""), 1000 };
    g_autofree char *spec = NULL, *listening = NULL;
    g_autoptr(GError) error = NULL;
    Chardev *chr;
    char buf[8];
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    spec = g_strdup_printf("fd:%d", fds[0]);
    listening = g_strconcat(spec, ",server=on", NULL);
    assert_null(chardev_new(listening, q, &error));
    assert_non_null(strstr(error->message, "that socket does not listen"));
    chr = chardev_new(spec, q, NULL);
    chardev_connect(chr, &client_ops, &c);
    chardev_write(chr, (const uint8_t *)"hi", 2);
    assert_int_equal(read(fds[1], buf, sizeof(buf)), 2);
    assert_int_equal(write(fds[1], "yes", 3), 3);
    pump_until(q, &c, "yes");
    close(fds[1]);
    pump_until(q, &c, "<closed>");
    chardev_free(chr);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

/* It tries once a second: nobody is there at first, and again when the first peer has gone. */
static void test_reconnect(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);
    g_autofree char *client = g_strconcat("unix:", path, ",reconnect=1", NULL);
    g_autofree char *server = g_strconcat("unix:", path, ",server=on,wait=off", NULL);
    InputQueue *q = input_queue_new();
    Client c = { g_string_new(""), 1000 };
    Chardev *chr = chardev_new(client, q, NULL), *peer;

    assert_non_null(chr);
    chardev_connect(chr, &client_ops, &c);
    for (int round = 0; round < 2; round++) {
        g_string_truncate(c.got, 0);
        peer = chardev_new(server, q, NULL);
        pump_until(q, &c, "<opened>");
        chardev_free(peer);
        pump_until(q, &c, "<closed>");
    }
    chardev_free(chr);
    g_rmdir(dir);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

static void test_pipe(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *in = g_build_filename(dir, "p.in", NULL);
    g_autofree char *out = g_build_filename(dir, "p.out", NULL);
    g_autofree char *spec = g_strdup_printf("pipe:%s/p", dir);
    InputQueue *q = input_queue_new();
    Client c = { g_string_new(""), 1000 };
    Chardev *chr;
    char buf[8];
    int typed, shown;

    assert_int_equal(mkfifo(in, 0600) | mkfifo(out, 0600), 0);
    chr = chardev_new(spec, q, NULL);
    assert_non_null(chr);
    chardev_connect(chr, &client_ops, &c);
    typed = open(in, O_WRONLY);
    shown = open(out, O_RDONLY);
    assert_int_equal(write(typed, "key", 3), 3);
    pump_until(q, &c, "key");
    chardev_write(chr, (const uint8_t *)"out", 3);
    assert_int_equal(read(shown, buf, sizeof(buf)), 3);
    close(typed);
    close(shown);
    chardev_free(chr);
    g_unlink(in);
    g_unlink(out);
    g_rmdir(dir);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

static void test_pty(void **state)
{
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new("pty", q, NULL);
    Client c = { g_string_new(""), 1000 };
    char buf[8];
    int fd;

    if (!chr)
        skip(); /* no devpts here */
    chardev_connect(chr, &client_ops, &c);
    fd = open(chardev_pty_name(chr), O_RDWR | O_NOCTTY);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "key\r", 4), 4);
    pump_until(q, &c, "key\r"); /* raw: not turned into a newline */
    chardev_write(chr, (const uint8_t *)"out", 3);
    assert_int_equal(read(fd, buf, sizeof(buf)), 3);
    close(fd);
    chardev_free(chr);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

/* A serial port: the other end of a pseudo terminal looks like one. */
static void test_tty(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "file", NULL);
    g_autofree char *file = g_strconcat("serial:", path, NULL);
    InputQueue *q = input_queue_new();
    Chardev *pty = chardev_new("pty", q, NULL), *tty;
    Client near = { g_string_new(""), 1000 }, far = { g_string_new(""), 1000 };

    assert_null(chardev_new(file, q, NULL)); /* there is none, … */
    assert_true(g_file_set_contents(path, "", 0, NULL));
    assert_null(chardev_new(file, q, NULL)); /* … or it is no terminal */
    g_unlink(path);
    g_rmdir(dir);
    if (!pty)
        skip(); /* no devpts here */
    tty = chardev_new(chardev_pty_name(pty), q, NULL);
    assert_non_null(tty);
    chardev_connect(pty, &client_ops, &near);
    chardev_connect(tty, &client_ops, &far);
    chardev_write(pty, (const uint8_t *)"key\r", 4);
    pump_until(q, &far, "key\r");
    chardev_write(tty, (const uint8_t *)"out\n", 4);
    pump_until(q, &near, "out\n");
    chardev_free(tty);
    chardev_free(pty);
    input_queue_free(q);
    g_string_free(near.got, TRUE);
    g_string_free(far.got, TRUE);
}

/* A guest that reads nothing must not make us hoard input. */
static void test_backlog_is_bounded(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s", NULL);
    g_autofree char *spec = g_strconcat("unix:", path, ",server=on,wait=off", NULL);
    InputQueue *q = input_queue_new();
    Chardev *chr = chardev_new(spec, q, NULL);
    Client c = { g_string_new(""), 0 };
    g_autofree char *block = g_malloc0(1 << 20);
    size_t sent = 0;
    ssize_t n;
    int fd;

    memset(block, 'x', 1 << 20);
    chardev_connect(chr, &client_ops, &c);
    fd = connect_unix(path);
    pump_until(q, &c, "<opened>");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    for (int idle = 0; idle < 100;) {
        n = write(fd, block, 1 << 20);
        sent += n > 0 ? n : 0;
        idle = n > 0 ? 0 : idle + 1;
        g_main_context_iteration(NULL, FALSE);
        input_deliver(q, true, 0);
    }
    assert_in_range(sent, 65536, 4 << 20); /* our bound and the kernel's buffers */
    c.room = 100 << 20;
    chardev_accept_input(chr);
    while (c.got->len < sent + strlen("<opened>")) {
        g_main_context_iteration(NULL, FALSE);
        input_deliver(q, true, 0);
    }
    close(fd);
    chardev_free(chr);
    g_rmdir(dir);
    input_queue_free(q);
    g_string_free(c.got, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flow),
        cmocka_unit_test(test_mux_keys),
        cmocka_unit_test(test_mux_in_one_go),
        cmocka_unit_test(test_mux_timestamps),
        cmocka_unit_test(test_mux_recorded),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_unix_server),
        cmocka_unit_test(test_appended),
        cmocka_unit_test(test_ringbuf),
        cmocka_unit_test(test_telnet_input),
        cmocka_unit_test(test_telnet),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_given_socket),
        cmocka_unit_test(test_reconnect),
        cmocka_unit_test(test_pipe),
        cmocka_unit_test(test_tty),
        cmocka_unit_test(test_pty),
        cmocka_unit_test(test_backlog_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
