/* SPDX-License-Identifier: MIT */
/* Networks between two machines: frames by stream and by datagram, and what is none. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "softmmu/net/net.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

typedef struct End {
    InputQueue *input;
    Device *root;
    NetBackend *backend;
    NetCable *cable;
    GByteArray *got; /* the last frame */
    unsigned frames;
} End;

static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

static bool can_receive(void *opaque)
{
    return true;
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    End *e = opaque;

    e->frames++;
    g_byte_array_set_size(e->got, 0);
    g_byte_array_append(e->got, frame, len);
}

static const NetClient client = { can_receive, receive };

static void plug_end(End *e, NetBackend *backend)
{
    e->backend = backend;
    e->input = input_queue_new();
    e->root = device_new(&root_class, NULL, NULL);
    e->cable = net_cable_new(e->root, "n", e->input, e->backend);
    e->got = g_byte_array_new();
    e->frames = 0;
    net_connect(e->cable, &client, e);
}

static void open_end(End *e, const NetSocketOptions *o)
{
    g_autoptr(GError) error = NULL;
    NetBackend *backend = net_socket_new(o, &error);

    if (!backend)
        fail_msg("%s", error->message);
    plug_end(e, backend);
}

static void close_end(End *e)
{
    e->backend->free(e->backend);
    device_free(e->root);
    input_queue_free(e->input);
    g_byte_array_unref(e->got);
}

/* Until @e has had @frames. */
static void await(End *e, unsigned frames)
{
    while (e->frames < frames) {
        g_main_context_iteration(NULL, !input_pending(e->input));
        input_deliver(e->input, true, 0);
    }
}

static unsigned free_port(int type)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    socklen_t len = sizeof(addr);
    int fd = socket(AF_INET, type, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
    close(fd);
    return ntohs(addr.sin_port);
}

static void talk(End *a, End *b)
{
    uint8_t frame[NET_MAX_FRAME];

    for (unsigned i = 0; i < 100; i++) {
        size_t len = i % 2 ? 60 + i : sizeof(frame);

        memset(frame, i, len);
        net_send(a->cable, frame, len);
        await(b, i + 1);
        assert_int_equal(b->got->len, len);
        assert_memory_equal(b->got->data, frame, len);
    }
}

/* What `info network` says of it. */
static void assert_summary(End *e, const char *what, const char *where)
{
    g_autofree char *wanted = g_strdup_printf("n: index=0,type=socket,%s=%s", what, where);
    g_autofree char *text = net_summary("n", e->backend);

    assert_string_equal(text, wanted);
}

static void stream_through(char *where)
{
    End a, b;

    open_end(&a, &(NetSocketOptions){ .listen = where });
    open_end(&b, &(NetSocketOptions){ .connect = where });
    assert_summary(&a, "listen", where);
    assert_summary(&b, "connect", where);
    talk(&b, &a);
    talk(&a, &b);
    close_end(&b); /* another may come */
    a.frames = 0;
    open_end(&b, &(NetSocketOptions){ .connect = where });
    talk(&b, &a);
    close_end(&a);
    close_end(&b);
}

static void test_stream(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *port = g_strdup_printf("127.0.0.1:%u", free_port(SOCK_STREAM));
    g_autofree char *path = g_strdup_printf("unix:%s/s", dir);

    stream_through(port);
    stream_through(path);
    unlink(path + strlen("unix:"));
    rmdir(dir);
}

/* A peer that sends no frames is dropped; the next one is heard. */
static void test_hostile_peer(void **state)
{
    static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0xff, 1 }, empty[] = { 0, 0, 0, 0, 0, 0 };
    unsigned port = free_port(SOCK_STREAM);
    struct sockaddr_in addr = { .sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = { htonl(INADDR_LOOPBACK) } };
    g_autofree char *where = g_strdup_printf("127.0.0.1:%u", port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    char byte;
    End a, b;

    open_end(&a, &(NetSocketOptions){ .listen = where });
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(write(fd, empty, sizeof(empty) - 2), sizeof(empty) - 2);
    assert_int_equal(write(fd, huge, sizeof(huge)), sizeof(huge));
    while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        g_main_context_iteration(NULL, TRUE);
    close(fd);
    assert_int_equal(a.frames, 0);
    open_end(&b, &(NetSocketOptions){ .connect = where });
    talk(&b, &a);
    close_end(&a);
    close_end(&b);
}

/* Frames whose lengths are now and then none, in pieces. */
static GByteArray *some_stream(GRand *rand)
{
    GByteArray *out = g_byte_array_new();

    for (int frames = g_rand_int_range(rand, 1, 8); frames > 0; frames--) {
        guint32 len = g_rand_int_range(rand, 0, g_rand_boolean(rand) ? 100 : NET_MAX_FRAME + 20),
                told = len;
        guint at = out->len + 4;
        uint8_t head[4];

        if (!g_rand_int_range(rand, 0, 6))
            told = g_rand_int(rand) >> g_rand_int_range(rand, 0, 32);
        for (unsigned i = 0; i < 4; i++)
            head[i] = told >> (24 - 8 * i);
        g_byte_array_append(out, head, 4);
        g_byte_array_set_size(out, at + len);
        for (guint32 i = 0; i < len; i++)
            out->data[at + i] = g_rand_int(rand);
    }
    return out;
}

/* Says what it likes and goes; the listener takes no harm. */
static void test_random_peers(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *where = g_strdup_printf("unix:%s/s", dir);
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(200);
    End a;

    g_strlcpy(addr.sun_path, where + strlen("unix:"), sizeof(addr.sun_path));
    open_end(&a, &(NetSocketOptions){ .listen = where });
    for (unsigned n = 0; n < rounds; n++) {
        g_autoptr(GByteArray) stream = some_stream(rand);
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char byte;

        assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
        for (guint at = 0, some; at < stream->len; at += some) {
            some = g_rand_int_range(rand, 1, 5000);
            some = MIN(some, stream->len - at);
            if (send(fd, stream->data + at, some, MSG_NOSIGNAL) < 0)
                break;
            g_main_context_iteration(NULL, FALSE);
            input_deliver(a.input, true, 0);
        }
        shutdown(fd, SHUT_WR);
        while (recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            g_main_context_iteration(NULL, TRUE);
            input_deliver(a.input, true, 0);
        }
        close(fd);
    }
    assert_true(a.frames > rounds / 4);
    assert_true(a.got->len <= NET_MAX_FRAME);
    close_end(&a);
    unlink(addr.sun_path);
    rmdir(dir);
}

static void datagrams_between(char *one, char *two)
{
    End a, b;

    open_end(&a, &(NetSocketOptions){ .udp = one, .local = two });
    net_send(a.cable, (const uint8_t *)"lost", 4); /* nobody is there yet */
    open_end(&b, &(NetSocketOptions){ .udp = two, .local = one });
    talk(&a, &b);
    talk(&b, &a);
    close_end(&a);
    close_end(&b);
}

static void test_datagrams(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("net-XXXXXX", NULL);
    g_autofree char *one = g_strdup_printf("127.0.0.1:%u", free_port(SOCK_DGRAM));
    g_autofree char *two = g_strdup_printf("127.0.0.1:%u", free_port(SOCK_DGRAM));
    g_autofree char *here = g_strdup_printf("unix:%s/1", dir);
    g_autofree char *there = g_strdup_printf("unix:%s/2", dir);

    datagrams_between(one, two);
    datagrams_between(here, there);
    unlink(here + strlen("unix:"));
    unlink(there + strlen("unix:"));
    rmdir(dir);
}

/* Who has 10.0.2.2? */
static const uint8_t who_has[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x34,
                                     0x56, 8,    6,    0,    1,    8,    0,    6,    4, 0,    1,
                                     0x52, 0x54, 0,    0x12, 0x34, 0x56, 10,   0,    2, 15,   0,
                                     0,    0,    0,    0,    0,    10,   0,    2,    2 };

static bool is_answer(const End *e)
{
    return e->frames == 1 && e->got->len >= sizeof(who_has) && e->got->data[21] == 2;
}

/* What the router answers itself is there when the frame has been sent; a long frame goes to the
 * main thread, and those behind it do not overtake it. */
static void test_user(void **state)
{
    NetBackend *backend = net_user_new(&(NetUserOptions){ 0 }, NULL);
    uint8_t longer[1000] = { 0 };
    End e;

    if (!backend) /* a build without libslirp */
        skip();
    memcpy(longer, who_has, sizeof(who_has));
    plug_end(&e, backend);
    net_send(e.cable, who_has, sizeof(who_has));
    input_deliver(e.input, true, 0);
    assert_true(is_answer(&e));
    e.frames = 0;
    net_send(e.cable, longer, sizeof(longer));
    net_send(e.cable, who_has, sizeof(who_has));
    assert_false(input_pending(e.input));
    await(&e, 2);
    close_end(&e);
}

static void count_links(void *opaque)
{
    ((End *)opaque)->frames++;
}

/* The network goes: the card sees it, and sends to nobody; after it a network comes again. */
static void test_cut(void **state)
{
    static const NetClient watching = { can_receive, receive, count_links };
    NetUserOptions options = { .no_ipv4 = false };
    NetBackend *first = net_user_new(&options, NULL), *second = net_user_new(&options, NULL);
    End e;

    if (!first)
        skip();
    plug_end(&e, first);
    net_connect(e.cable, &watching, &e);
    net_cut(e.cable);
    first->free(first);
    assert_int_equal(e.frames, 1);
    assert_false(net_is_up(e.cable));
    assert_null(net_cable_named(e.root, "n"));
    assert_string_equal(net_former(e.cable), "n: index=0,type=user,net=10.0.2.0,restrict=off");
    net_set_link(e.cable, true);
    net_send(e.cable, who_has, sizeof(who_has));
    assert_false(input_pending(e.input));
    net_connect(e.cable, NULL, NULL);
    net_join(e.cable, e.backend = second);
    net_connect(e.cable, &client, &e);
    e.frames = 0;
    assert_true(net_is_up(e.cable) && net_cable_named(e.root, "n") == e.cable);
    net_send(e.cable, who_has, sizeof(who_has));
    input_deliver(e.input, true, 0);
    assert_true(is_answer(&e));
    close_end(&e);
}

static void test_errors(void **state)
{
    static const struct {
        NetSocketOptions o;
        const char *says;
    } rows[] = {
        { { 0 }, "one of listen=" },
        { { .listen = "a", .connect = "b" }, "one of listen=" },
        { { .udp = "127.0.0.1:1" }, "one of listen=" },
        { { .udp = "nowhere", .local = ":1" }, "is no HOST:PORT" },
        { { .connect = "127.0.0.1:1" }, "refused" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(net_socket_new(&rows[i].o, &error));
        if (!strstr(error->message, rows[i].says))
            fail_msg("%s", error->message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream),       cmocka_unit_test(test_hostile_peer),
        cmocka_unit_test(test_random_peers), cmocka_unit_test(test_datagrams),
        cmocka_unit_test(test_user),         cmocka_unit_test(test_cut),
        cmocka_unit_test(test_errors),
    };
    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
