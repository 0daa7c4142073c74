/* SPDX-License-Identifier: MIT */
/*
 * Requests that the host cannot do: a limit of the process's on the size of files stands for a disk
 * that is full.
 */
#include "softmmu/block/drive.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/softmmu/test.h"

#define SIZE  (256 * 1024)
#define LIMIT (64 * 1024)
#define AT    (128 * 1024) /* beyond the limit */
#define LEN   4096

typedef struct Bench {
    Device *root;
    Clock *clock;
    InputQueue *input;
    Drive *drive;
    char *path;
    bool counted, detect_zeroes;
    bool runs, asked; /* the machine; it is to stop */
    unsigned troubles;
    DriveTrouble last;
    unsigned done;
    int error;
    GString *data; /* what was read */
} Bench;

static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

static void limit_files(rlim_t size)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static bool trouble(void *opaque, const DriveTrouble *t)
{
    Bench *b = opaque;

    b->troubles++;
    b->last = *t;
    b->asked |= t->action == DRIVE_STOP;
    return t->action == DRIVE_STOP;
}

static void done(void *opaque, const DriveRequest *r)
{
    Bench *b = opaque;

    b->done++;
    b->error = r->error;
    if (r->op == DRIVE_READ && r->data)
        g_string_append_len(b->data, (const char *)r->data, r->len);
}

static void open_machine(Bench *b, DriveOnError on_error)
{
    ImageOpen how = { .path = b->path, .format = "raw" };
    DriveWiring w = { .image = image_open(&how, NULL),
                      .size = SIZE,
                      .counted = b->counted,
                      .detect_zeroes = b->detect_zeroes,
                      .on_read_error = on_error,
                      .on_write_error = on_error,
                      .trouble = trouble,
                      .trouble_opaque = b };

    assert_non_null(w.image);
    w.clock = b->clock = clock_new_manual();
    w.input = b->input = input_queue_new();
    b->root = device_new(&root_class, NULL, NULL);
    device_realize(b->root, NULL);
    b->drive = drive_new(b->root, "disk", &w);
    drive_connect(b->drive, done, b);
    device_realize((Device *)b->drive, NULL);
    device_reset(b->root);
    b->runs = true;
}

static void close_machine(Bench *b)
{
    device_free(b->root);
    clock_free(b->clock);
    input_queue_free(b->input);
}

static void start(Bench *b, bool counted, DriveOnError on_error)
{
    int fd;

    *b = (Bench){ .counted = counted, .data = g_string_new("") };
    b->path = g_build_filename(g_get_tmp_dir(), "mimus-drive-XXXXXX", NULL);
    fd = g_mkstemp(b->path);
    assert_int_equal(ftruncate(fd, SIZE), 0);
    close(fd);
    open_machine(b, on_error);
}

static void stop(Bench *b)
{
    limit_files(RLIM_INFINITY);
    close_machine(b);
    unlink(b->path);
    g_free(b->path);
    g_string_free(b->data, TRUE);
}

/* As the engine's loop does it. */
static void turn(Bench *b)
{
    input_deliver(b->input, b->runs, 0);
    if (b->runs && b->counted)
        clock_manual_advance(b->clock, NS_PER_SEC);
    if (b->asked)
        b->runs = b->asked = false;
}

/* Until nothing more can happen: requests are done or the machine has stopped. */
static void run(Bench *b, unsigned requests)
{
    while (b->runs && b->done < requests) {
        turn(b);
        if (!b->counted && b->runs && b->done < requests)
            input_wait(b->input, CLOCK_NEVER);
    }
}

static void submit(Bench *b, DriveOp op, uint64_t at, uint8_t fill)
{
    uint8_t data[LEN];
    DriveRequest r = { .op = op, .offset = at, .len = op == DRIVE_FLUSH ? 0 : LEN, .data = data };

    memset(data, fill, LEN);
    drive_submit(b->drive, &r);
}

static uint8_t byte_at(Bench *b, uint64_t at)
{
    ImageOpen how = { .path = b->path, .format = "raw", .read_only = true };
    Image *image;
    uint8_t byte;

    close_machine(b);
    image = image_open(&how, NULL);
    assert_non_null(image);
    assert_int_equal(image_read(image, at, &byte, 1), 0);
    image_close(image);
    open_machine(b, DRIVE_REPORT);
    return byte;
}

/* What the guest and the user are told of a write that there is no room for. */
static const struct {
    DriveOnError on_error;
    DriveOnError action;
    bool stops;
    int error;
} policy_rows[] = {
    { DRIVE_REPORT, DRIVE_REPORT, false, EFBIG },
    { DRIVE_IGNORE, DRIVE_IGNORE, false, 0 },
    { DRIVE_STOP, DRIVE_STOP, true, 0 },
    { DRIVE_ENOSPC, DRIVE_STOP, true, 0 },
};

static void test_policies(void **state)
{
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(policy_rows); i++) {
        const bool counted = i & 1, stops = policy_rows[i / 2].stops;
        Bench b;

        start(&b, counted, policy_rows[i / 2].on_error);
        limit_files(LIMIT);
        submit(&b, DRIVE_WRITE, AT, 0x5a);
        run(&b, 1);
        assert_int_equal(b.runs, !stops);
        assert_int_equal(b.troubles, 1);
        assert_int_equal(b.last.action, policy_rows[i / 2].action);
        assert_int_equal(b.last.op, DRIVE_WRITE);
        assert_true(b.last.no_room);
        assert_int_equal(b.done, !stops);
        limit_files(RLIM_INFINITY);
        b.runs = true;
        run(&b, 1);
        assert_int_equal(b.done, 1);
        assert_int_equal(b.error, policy_rows[i / 2].error);
        assert_int_equal(byte_at(&b, AT), stops ? 0x5a : 0);
        stop(&b);
    }
}

/* It goes on too early, more than once: it stops again each time, and nothing is done twice. */
static void test_still_full(void **state)
{
    for (int counted = 0; counted < 2; counted++) {
        Bench b;

        start(&b, counted, DRIVE_ENOSPC);
        limit_files(LIMIT);
        submit(&b, DRIVE_WRITE, AT, 1);
        submit(&b, DRIVE_WRITE, 0, 2); /* for which there is room */
        for (unsigned n = 1; n < 4; n++) {
            b.runs = true;
            run(&b, 2);
            assert_false(b.runs);
            assert_int_equal(b.troubles, n);
            for (int k = 0; k < 3; k++)
                turn(&b); /* stopped: nothing happens */
            assert_int_equal(b.troubles, n);
        }
        limit_files(RLIM_INFINITY);
        b.runs = true;
        run(&b, 2);
        assert_int_equal(b.done, 2);
        assert_int_equal(b.error, 0);
        assert_int_equal(byte_at(&b, AT), 1);
        assert_int_equal(byte_at(&b, 0), 2);
        stop(&b);
    }
}

/* While it waits: the controller forgets it, or the machine ends. */
static void test_cancel(void **state)
{
    for (int counted = 0; counted < 2; counted++) {
        Bench b;

        start(&b, counted, DRIVE_ENOSPC);
        limit_files(LIMIT);
        submit(&b, DRIVE_WRITE, AT, 1);
        run(&b, 1);
        drive_cancel(b.drive);
        limit_files(RLIM_INFINITY);
        b.runs = true;
        turn(&b);
        assert_int_equal(b.done, 0);
        assert_int_equal(byte_at(&b, AT), 0);
        limit_files(LIMIT);
        close_machine(&b);
        open_machine(&b, DRIVE_ENOSPC);
        submit(&b, DRIVE_WRITE, AT, 1);
        run(&b, 1);
        stop(&b);
    }
}

/* Saved while it waits, and loaded by a machine whose disk has room. */
static void test_saved(void **state)
{
    for (int counted = 0; counted < 2; counted++) {
        g_autoptr(GByteArray) tree = g_byte_array_new();
        g_autoptr(GBytes) unwritten = NULL;
        Bench b;

        start(&b, counted, DRIVE_ENOSPC);
        limit_files(LIMIT);
        submit(&b, DRIVE_WRITE, AT, 0x77);
        run(&b, 1);
        assert_false(b.runs);
        device_tree_save(b.root, tree);
        unwritten = drive_save_unwritten(b.root);
        limit_files(RLIM_INFINITY);
        close_machine(&b);
        open_machine(&b, DRIVE_ENOSPC);
        drive_load_unwritten(b.root, unwritten);
        assert_true(device_tree_load(b.root, tree->data, tree->len, NULL));
        run(&b, 1);
        assert_int_equal(b.done, 1);
        assert_int_equal(b.error, 0);
        assert_int_equal(b.troubles, 1);
        assert_int_equal(byte_at(&b, AT), 0x77);
        stop(&b);
    }
}

/* Whatever the policy, what the guest gets wrong is told to the guest alone. */
static void test_guests_fault(void **state)
{
    for (int counted = 0; counted < 2; counted++) {
        Bench b;

        start(&b, counted, DRIVE_STOP);
        submit(&b, DRIVE_WRITE, SIZE, 1);
        run(&b, 1);
        assert_true(b.runs);
        assert_int_equal(b.troubles, 0);
        assert_int_equal(b.error, EINVAL);
        stop(&b);
    }
}

/* A write of zeros is one, however it is done. */
static void test_zeroes(void **state)
{
    Bench b;

    start(&b, true, DRIVE_REPORT);
    close_machine(&b);
    b.detect_zeroes = true;
    open_machine(&b, DRIVE_REPORT);
    submit(&b, DRIVE_WRITE, AT, 0x5a);
    run(&b, 1);
    assert_int_equal(byte_at(&b, AT), 0x5a);
    submit(&b, DRIVE_WRITE, AT, 0);
    run(&b, 2);
    assert_int_equal(b.error, 0);
    assert_int_equal(byte_at(&b, AT), 0);
    stop(&b);
}

/* A read sees the write before it, whether it waits for the thread or not; what the host has in
 * memory comes without one. */
static void test_small_reads(void **state)
{
    for (int counted = 0; counted < 2; counted++) {
        uint8_t data[LEN];
        bool cached;
        Bench b;

        start(&b, counted, DRIVE_REPORT);
        for (uint8_t fill = 1; fill < 50; fill++) {
            submit(&b, DRIVE_WRITE, AT, fill);
            submit(&b, DRIVE_READ, AT, 0);
            run(&b, b.done + 2);
            assert_int_equal(b.error, 0);
            assert_int_equal(b.data->len, fill * LEN);
            assert_int_equal((uint8_t)b.data->str[b.data->len - 1], fill);
        }
        cached = !image_read_cached(drive_wiring(b.drive)->image, AT, data, LEN);
        submit(&b, DRIVE_READ, AT, 0);
        if (cached && !counted)
            assert_true(input_pending(b.input));
        assert_int_equal(b.done, 98); /* not from within the request */
        run(&b, 99);
        assert_int_equal((uint8_t)b.data->str[b.data->len - 1], 49);
        submit(&b, DRIVE_READ, SIZE, 0);
        run(&b, 100);
        assert_int_equal(b.error, EINVAL);
        stop(&b);
    }
}

/* Bytes that no machine has saved load nothing and break nothing. */
static void test_damaged(void **state)
{
    static const char *const rows[] = { "", "\x01", "\xff\xff",
                                        "\x04\0disk\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
                                        "\x01\0x\0\0\0\0\0\0\0\0\0\0\0\0" };
    static const size_t lens[] = { 0, 1, 2, 18, 15 };
    Bench b;

    start(&b, false, DRIVE_ENOSPC);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GBytes) saved = g_bytes_new(rows[i], lens[i]);
        drive_load_unwritten(b.root, saved);
    }
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies), cmocka_unit_test(test_still_full),
        cmocka_unit_test(test_cancel),   cmocka_unit_test(test_saved),
        cmocka_unit_test(test_damaged),  cmocka_unit_test(test_guests_fault),
        cmocka_unit_test(test_zeroes),   cmocka_unit_test(test_small_reads),
    };

    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
