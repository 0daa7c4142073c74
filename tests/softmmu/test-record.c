/* SPDX-License-Identifier: MIT */
/* The file of a recording: round trip, truncation at every byte, every bit flipped, full disk. */
#include "softmmu/recording.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "config.h"
#include "softmmu/device.h"
#include "softmmu/recording-format.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

static const RecordItem items[] = {
    { RECORD_HASH, { 0, 0, 0 }, .hash = 0x1122334455667788 },
    { RECORD_EVENT, { 5, 10, 1 }, 1, (const uint8_t *)"key", 3 },
    { RECORD_EVENT, { 5, 10, 1 }, 1, (const uint8_t *)"", 0 },
    { RECORD_EVENT, { 5, 4000000000, 2 }, 3, (const uint8_t *)"packet", 6 },
    { RECORD_HASH, { UINT64_C(1) << 40, INT64_MAX, 3 }, .hash = 1 },
    { RECORD_END, { UINT64_MAX, UINT64_MAX, UINT64_MAX }, .hash = UINT64_MAX },
};
enum { ITEMS = G_N_ELEMENTS(items), FLUSHED_AFTER = 3 };

static const char *const args[] = { "-m", "64", "-append", "two words", "", NULL };
static const char *const board[] = { "machine/a 0 1234", "machine/b 1 5678", NULL };
static const char *const channels[] = { "", "serial0", "net0", NULL };
static const char *const more_channels[] = { "", "serial0", "net0", "drive d", NULL };

static void write_item(RecordWriter *w, const RecordItem *item)
{
    switch (item->kind) {
    case RECORD_EVENT: record_event(w, &item->at, item->channel, item->data, item->len); break;
    case RECORD_HASH: record_hash(w, &item->at, item->hash); break;
    case RECORD_END: record_end(w, &item->at, item->hash); break;
    }
}

/* A file that holds all kinds of frames, one of them in several parts, one compressed. */
static GBytes *make(size_t file_size)
{
    g_autofree char *path = NULL;
    g_autofree char *large = g_malloc0(file_size);
    HostFiles *files = host_files_new(false);
    g_autoptr(GBytes) kernel = g_bytes_new(large, file_size);
    g_autoptr(GBytes) empty = g_bytes_new("", 0);
    RecordWriter *w;
    char *data;
    gsize size;
    int fd = g_file_open_tmp("recordXXXXXX", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    host_files_add(files, "kernel", kernel);
    host_files_add(files, "empty", empty);
    w = record_create(path, (char **)args, files, NULL);
    assert_non_null(w);
    record_board(w, board);
    record_channels(w, channels);
    for (unsigned i = 0; i < ITEMS; i++) {
        write_item(w, &items[i]);
        if (i + 1 == FLUSHED_AFTER)
            record_channels(w, more_channels); /* a device has come */
    }
    assert_null(record_failure(w));
    record_close(w);
    host_files_free(files);
    assert_true(g_file_get_contents(path, &data, &size, NULL));
    unlink(path);
    return g_bytes_new_take(data, size);
}

static void assert_item(const RecordItem *got, const RecordItem *item)
{
    assert_int_equal(got->kind, item->kind);
    assert_int_equal(record_stamp_compare(&got->at, &item->at), 0);
    assert_int_equal(got->hash, item->hash);
    assert_int_equal(got->channel, item->channel);
    assert_int_equal(got->len, item->len);
    if (item->len)
        assert_memory_equal(got->data, item->data, item->len);
}

/* What can be read must be what was written; how many items that are, -1: refused. */
static int read_back(GBytes *file, bool *ended)
{
    g_autoptr(GError) error = NULL;
    RecordReader *r = record_open_bytes(file, &error);
    RecordItem item;
    int n = 0;

    *ended = false;
    assert_true(!r == !!error);
    if (!r)
        return -1;
    while (record_next(r, &item)) {
        assert_true(n < ITEMS);
        *ended = item.kind == RECORD_END;
        assert_item(&item, &items[n++]);
    }
    assert_true(*ended == !record_damage(r));
    record_reader_free(r);
    return n;
}

static void test_round_trip(void **state)
{
    g_autoptr(GBytes) file = make((40u << 20) + 1), data = NULL, missing = NULL;
    g_autoptr(GError) error = NULL;
    RecordReader *r = record_open_bytes(file, NULL);
    bool ended;

    assert_non_null(r);
    assert_string_equal(record_version(r), MIMUS_VERSION);
    for (unsigned i = 0; i < G_N_ELEMENTS(args); i++)
        assert_true(!g_strcmp0(record_args(r)[i], args[i]));
    for (unsigned i = 0; i < G_N_ELEMENTS(channels); i++)
        assert_true(!g_strcmp0(record_channel_names(r)[i], channels[i]));
    assert_true(g_strv_equal((const char *const *)record_board_shape(r), board));
    assert_true(host_files_find(record_files(r), "kernel", &data, NULL));
    assert_int_equal(g_bytes_get_size(data), (40u << 20) + 1);
    assert_true(host_files_find(record_files(r), "/etc/passwd", &missing, &error));
    assert_null(missing);
    assert_string_equal(error->message, "the recording lacks the file '/etc/passwd'");
    assert_true(record_file_size(r) < 100000);
    record_reader_free(r);
    assert_int_equal(read_back(file, &ended), ITEMS);
    assert_true(ended);
}

/* From every place to every other one. */
static void test_places(void **state)
{
    g_autoptr(GBytes) file = make(100);
    RecordReader *r = record_open_bytes(file, NULL);
    RecordPlace place[ITEMS + 1];
    RecordItem item;

    for (unsigned i = 0; i < ITEMS; i++) {
        place[i] = record_place(r);
        assert_true(record_next(r, &item));
    }
    place[ITEMS] = record_place(r);
    for (unsigned from = 0; from <= ITEMS; from++) {
        for (unsigned to = 0; to <= ITEMS; to++) {
            record_seek(r, &place[from]);
            assert_true(record_next(r, &item) == (from < ITEMS));
            record_seek(r, &place[to]);
            for (unsigned i = to; i < ITEMS; i++) {
                assert_true(record_next(r, &item));
                assert_item(&item, &items[i]);
            }
            assert_false(record_next(r, &item));
            assert_null(record_damage(r));
        }
    }
    record_reader_free(r);
}

static void test_truncated(void **state)
{
    g_autoptr(GBytes) file = make(100);
    size_t size = g_bytes_get_size(file);
    int last = -1;
    bool ended;

    for (size_t len = 0; len < size; len++) {
        /* A copy, so that sanitizers see a read beyond it. */
        g_autoptr(GBytes) part = g_bytes_new(g_bytes_get_data(file, NULL), len);
        int n = read_back(part, &ended);

        assert_true(n >= last && n < ITEMS);
        assert_false(ended);
        last = n;
    }
    assert_int_equal(last, FLUSHED_AFTER);
}

static void test_altered(void **state)
{
    g_autoptr(GBytes) file = make(100);
    size_t size = g_bytes_get_size(file);
    bool ended;

    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t *copy = g_memdup2(g_bytes_get_data(file, NULL), size);
        g_autoptr(GBytes) altered = NULL;

        copy[bit / 8] ^= 1 << bit % 8;
        altered = g_bytes_new_take(copy, size);
        assert_true(read_back(altered, &ended) < ITEMS);
        assert_false(ended);
    }
}

/* Frames with good hashes whose contents make no sense. */
static void test_hostile(void **state)
{
    static const struct {
        uint32_t type;
        const char *payload;
        size_t len;
    } rows[] = {
        { FRAME_CONFIG, "0.1\0-m\0", 7 },
        { FRAME_STREAM, "\1\0\0\0\x05", 5 },   /* ends in an event */
        { FRAME_STREAM, "\1\0\0\0\x05\0", 6 }, /* no such channel */
        { FRAME_STREAM, "\1\0\0\0\0\0", 6 },   /* a control channel */
        { FRAME_STREAM, "\1\0\0\0\1\x7f", 6 }, /* longer than its frame */
        { FRAME_STREAM, "\1\0\0\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", 15 },
        { FRAME_STREAM, "\2\0\0\0\0", 5 }, /* half a hash */
        { FRAME_STREAM, "\2\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12 },
        { FRAME_STREAM, "\7\0\0\0", 4 }, /* no such kind */
        { FRAME_CHANNELS, "\0serial1\0net0", 14 },
        { FRAME_CHANNELS, "\0serial1", 8 }, /* not ended */
        { FRAME_CHANNELS, "", 0 },
        { FRAME_FILE, "kernel\0\1", 8 },
        { 99, "", 0 },
    };
    g_autoptr(GBytes) whole = make(100);
    size_t at = g_bytes_get_size(whole), stored;
    const uint8_t *data = g_bytes_get_data(whole, NULL);
    unsigned frames = 0;
    size_t pos = RECORD_MAGIC_LEN;

    for (; data[pos] != FRAME_STREAM; frames++, pos += FRAME_HEAD + stored)
        stored = data[pos + 8] | data[pos + 9] << 8;
    assert_true(pos < at);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        uint32_t len = rows[i].len;
        uint32_t head[] = { rows[i].type, len, len, frames };
        uint64_t hash =
            state_hash_bytes(rows[i].payload, len, state_hash_bytes(head, sizeof(head), 0));
        g_autoptr(GBytes) file = NULL;
        RecordReader *r;
        RecordItem item;

        g_byte_array_append(out, data, pos);
        g_byte_array_append(out, (uint8_t *)head, sizeof(head));
        g_byte_array_append(out, (uint8_t *)&hash, sizeof(hash));
        g_byte_array_append(out, (const uint8_t *)rows[i].payload, len);
        file = g_byte_array_free_to_bytes(g_steal_pointer(&out));
        r = record_open_bytes(file, NULL);
        assert_non_null(r);
        assert_false(record_next(r, &item));
        assert_non_null(record_damage(r));
        assert_string_not_equal(record_damage(r), "it was not ended");
        record_reader_free(r);
    }
}

enum { MUTATIONS = 30000, MUTATION_SEED = 1 };

/* A frame's hash made anew. */
static void seal(uint8_t *frame, size_t stored)
{
    uint64_t hash =
        state_hash_bytes(frame + FRAME_HEAD, stored, state_hash_bytes(frame, FRAME_HASHED, 0));

    hash = GUINT64_TO_LE(hash);
    memcpy(frame + FRAME_HASHED, &hash, sizeof(hash));
}

/* Whoever makes files by hand gets the hashes right: bytes of heads and payloads at random. */
static void test_mutated(void **state)
{
    g_autoptr(GBytes) whole = make(100);
    size_t size = g_bytes_get_size(whole);
    g_autoptr(GRand) rnd = fuzz_rand(MUTATION_SEED);
    const unsigned rounds = fuzz_rounds(MUTATIONS);

    for (unsigned round = 0; round < rounds; round++) {
        uint8_t *copy = g_memdup2(g_bytes_get_data(whole, NULL), size);
        size_t pos = RECORD_MAGIC_LEN, stored;
        g_autoptr(GBytes) file = NULL;
        RecordReader *r;
        RecordItem item;

        for (; pos < size; pos += FRAME_HEAD + stored) {
            stored = copy[pos + 8] | copy[pos + 9] << 8;
            if (g_rand_int_range(rnd, 0, 4))
                continue;
            for (int n = g_rand_int_range(rnd, 1, 4); n > 0; n--)
                copy[pos + g_rand_int_range(rnd, 0, FRAME_HEAD + stored)] = g_rand_int(rnd);
            seal(copy + pos, stored);
        }
        file = g_bytes_new_take(copy, size);
        r = record_open_bytes(file, NULL);
        while (r && record_next(r, &item))
            g_assert(!item.len || item.data);
        record_reader_free(r);
    }
}

static void test_full_disk(void **state)
{
    g_autoptr(GError) error = NULL;
    HostFiles *files = host_files_new(false);

    assert_null(record_create("/dev/full", (char **)args, files, &error));
    assert_string_equal(error->message, "could not write '/dev/full': No space left on device");
    host_files_free(files);
}

/* The disk is full in the middle of the stream: what was whole before stays, and can be read. */
static void test_disk_fills(void **state)
{
    g_autofree char *path = NULL;
    HostFiles *files = host_files_new(false);
    struct rlimit old, limit;
    RecordWriter *w;
    char *data;
    gsize size;
    bool ended;
    int fd = g_file_open_tmp("recordXXXXXX", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    signal(SIGXFSZ, SIG_IGN);
    w = record_create(path, (char **)args, files, NULL);
    record_channels(w, channels);
    for (unsigned i = 0; i < FLUSHED_AFTER; i++)
        write_item(w, &items[i]);
    record_flush(w);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = (struct rlimit){ record_size(w) + 10, old.rlim_max };
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    for (unsigned i = FLUSHED_AFTER; i < ITEMS; i++)
        write_item(w, &items[i]);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_string_equal(record_failure(w), "File too large");
    record_close(w);
    assert_true(g_file_get_contents(path, &data, &size, NULL));
    unlink(path);
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    assert_int_equal(read_back(file, &ended), FLUSHED_AFTER);
    host_files_free(files);
}

/* Nobody else's frames come between those of a recording. */
static void test_one_writer(void **state)
{
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    HostFiles *files = host_files_new(false);
    RecordWriter *w;
    int fd = g_file_open_tmp("recordXXXXXX", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    w = record_create(path, (char **)args, files, NULL);
    assert_non_null(w);
    assert_null(record_create(path, (char **)args, files, &error));
    assert_non_null(strstr(error->message, "another recording is being written to it"));
    record_close(w);
    w = record_create(path, (char **)args, files, NULL);
    assert_non_null(w);
    record_close(w);
    unlink(path);
    host_files_free(files);
}

static void test_foreign(void **state)
{
    static const struct {
        const char *file, *message;
    } rows[] = {
        { "", "it is not a recording" },
        { "#!/bin/sh and more than sixteen bytes", "it is not a recording" },
        { "mimusrec\1.......", "it has version 774778369 of the format, and this Mimus reads"
                               " version " G_STRINGIFY(RECORD_VERSION) },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GBytes) file = g_bytes_new_static(rows[i].file, strlen(rows[i].file));
        g_autoptr(GError) error = NULL;

        assert_null(record_open_bytes(file, &error));
        assert_string_equal(error->message, rows[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_places),
        cmocka_unit_test(test_truncated),  cmocka_unit_test(test_altered),
        cmocka_unit_test(test_hostile),    cmocka_unit_test(test_mutated),
        cmocka_unit_test(test_one_writer), cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_disk_fills), cmocka_unit_test(test_foreign),
    };

    FUZZ_CHOOSE_TEST();
    return HAVE_ZSTD ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
