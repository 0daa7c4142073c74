/* SPDX-License-Identifier: MIT */
/* The input queue: order, control channels while stopped, waking, the recorder's tap. */
#include "softmmu/input.h"

#include "softmmu/clock.h"
#include "tests/softmmu/test.h"

typedef struct Sink {
    GString *log;
    char name;
    InputQueue *queue;
    int post_to; /* from within a delivery, once; -1: no */
} Sink;

static void take(void *opaque, const void *data, size_t len)
{
    Sink *s = opaque;

    g_string_append_printf(s->log, "%c:%.*s ", s->name, (int)len, (const char *)data);
    if (s->post_to >= 0) {
        input_post(s->queue, s->post_to, "more", 4);
        s->post_to = -1;
    }
}

static void tap(void *opaque, uint64_t count, int channel, const void *data, size_t len)
{
    g_string_append_printf(opaque, "%u/%d ", (unsigned)count, channel);
}

static void test_delivery(void **state)
{
    InputQueue *q = input_queue_new();
    g_autoptr(GString) log = g_string_new(""), stamps = g_string_new("");
    Sink serial = { log, 's', q, -1 }, monitor = { log, 'm', q, -1 };
    int s = input_add_channel(q, "serial", false, take, &serial);
    int m = input_add_channel(q, "monitor", true, take, &monitor);

    input_set_tap(q, tap, stamps);
    assert_false(input_pending(q));
    assert_false(input_deliver(q, true, 0));
    input_post(q, s, "one", 3);
    input_post(q, m, "two", 3);
    input_post(q, s, "three", 5);
    assert_true(input_pending(q));
    assert_true(input_deliver(q, false, 10)); /* stopped: control only */
    assert_string_equal(log->str, "m:two ");
    assert_false(input_pending(q));
    assert_false(input_deliver(q, false, 11));
    input_post(q, s, "four", 4);
    assert_true(input_deliver(q, true, 12)); /* what was put aside comes first */
    assert_string_equal(log->str, "m:two s:one s:three s:four ");
    assert_string_equal(stamps->str, "12/0 12/0 12/0 ");
    input_queue_free(q);
}

static void test_post_from_delivery(void **state)
{
    InputQueue *q = input_queue_new();
    g_autoptr(GString) log = g_string_new("");
    Sink a = { log, 'a', q, -1 };
    int channel = input_add_channel(q, "a", false, take, &a);

    a.post_to = channel;
    input_post(q, channel, "x", 1);
    assert_true(input_deliver(q, true, 0));
    assert_string_equal(log->str, "a:x ");
    assert_true(input_pending(q));
    assert_true(input_deliver(q, true, 0));
    assert_string_equal(log->str, "a:x a:more ");
    input_queue_free(q);
}

/* What was put aside counts as posted once the machine runs. */
static void test_resume(void **state)
{
    InputQueue *q = input_queue_new();
    g_autoptr(GString) log = g_string_new("");
    Sink a = { log, 'a', NULL, -1 };

    input_post(q, input_add_channel(q, "a", false, take, &a), "x", 1);
    input_deliver(q, false, 0);
    assert_false(input_pending(q));
    input_resume(q);
    input_wait(q, CLOCK_NEVER);
    assert_true(input_deliver(q, true, 0));
    assert_string_equal(log->str, "a:x ");
    input_resume(q);
    assert_false(input_pending(q));
    input_queue_free(q);
}

static void *post_many(void *opaque)
{
    for (int i = 0; i < 1000; i++)
        input_post(opaque, 0, "x", 1);
    return NULL;
}

static void count(void *opaque, const void *data, size_t len)
{
    (*(unsigned *)opaque)++;
}

static void test_threads(void **state)
{
    InputQueue *q = input_queue_new();
    unsigned taken = 0;
    GThread *threads[3];

    input_add_channel(q, "n", false, count, &taken);
    for (int i = 0; i < 3; i++)
        threads[i] = g_thread_new("post", post_many, q);
    while (taken < 3000) {
        input_wait(q, CLOCK_NEVER);
        input_deliver(q, true, 0);
    }
    for (int i = 0; i < 3; i++)
        g_thread_join(threads[i]);
    assert_int_equal(taken, 3000);
    assert_false(input_pending(q));
    input_wait(q, 1000); /* returns, nothing posted */
    input_queue_free(q);
}

static void wake(void *opaque)
{
    (*(unsigned *)opaque)++;
}

static void test_wake_hook(void **state)
{
    InputQueue *q = input_queue_new();
    unsigned taken = 0, woken = 0;

    input_add_channel(q, "n", false, count, &taken);
    input_set_wake_hook(q, wake, &woken);
    input_post(q, 0, "", 0);
    assert_int_equal(woken, 1);
    assert_int_equal(taken, 0);
    input_queue_free(q); /* with an event in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delivery),  cmocka_unit_test(test_post_from_delivery),
        cmocka_unit_test(test_resume),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_wake_hook),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
