/* SPDX-License-Identifier: MIT */
/* Peers of a listening socket: one that there is no descriptor for waits, and nothing spins
 * meanwhile. */
#include "softmmu/acceptor.h"

#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/softmmu/test.h"

typedef struct Bench {
    Acceptor acceptor;
    unsigned peers;
    bool one_only;
} Bench;

static void peer_came(void *opaque, int fd)
{
    Bench *b = opaque;

    close(fd);
    b->peers++;
    if (b->one_only)
        acceptor_stop(&b->acceptor);
}

/* Abstract names need no file. */
static int make_socket(bool listens)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 1 +
                    g_snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "mimus-%d", (int)getpid());

    assert_true(fd >= 0);
    assert_int_equal(listens ? bind(fd, (struct sockaddr *)&sa, len) || listen(fd, 4)
                             : connect(fd, (struct sockaddr *)&sa, len),
                     0);
    return fd;
}

static rlim_t allow_descriptors(rlim_t count)
{
    struct rlimit limit;
    rlim_t before;

    getrlimit(RLIMIT_NOFILE, &limit);
    before = limit.rlim_cur;
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    return before;
}

static void test_no_descriptor(void **state)
{
    int listener = make_socket(true), peer;
    Bench b = { 0 };
    guint watch;
    rlim_t before;

    acceptor_start(&b.acceptor, listener, peer_came, &b);
    watch = b.acceptor.source;
    peer = make_socket(false);
    before = allow_descriptors(3);
    while (b.acceptor.source == watch)
        g_main_context_iteration(NULL, TRUE);
    assert_int_equal(b.peers, 0);
    assert_null(g_main_context_find_source_by_id(NULL, watch)); /* it does not look */
    allow_descriptors(before);
    while (!b.peers)
        g_main_context_iteration(NULL, TRUE);
    acceptor_stop(&b.acceptor);
    close(peer);
    close(listener);
}

static void test_stop_within(void **state)
{
    int listener = make_socket(true), peer[2];
    Bench b = { .one_only = true };

    acceptor_stop(&b.acceptor);
    acceptor_start(&b.acceptor, listener, peer_came, &b);
    for (int i = 0; i < 2; i++)
        peer[i] = make_socket(false);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    assert_int_equal(b.peers, 1);
    acceptor_start(&b.acceptor, listener, peer_came, &b);
    acceptor_start(&b.acceptor, listener, peer_came, &b);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    assert_int_equal(b.peers, 2);
    for (int i = 0; i < 2; i++)
        close(peer[i]);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_no_descriptor),
                                        cmocka_unit_test(test_stop_within) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
