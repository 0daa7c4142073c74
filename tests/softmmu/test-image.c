/* SPDX-License-Identifier: MIT */
/* Images of every format against a model in memory; what must be refused. */
#include "softmmu/block/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"
#include "tests/softmmu/images.h"

#define SIZE   (256 * 1024u)
#define SECTOR 512

/* Random reads, writes and zeros, all of which @model sees too. */
static void exercise(Image *image, uint8_t *model, unsigned seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree uint8_t *buf = g_malloc(SIZE);

    for (unsigned i = 0; i < 400; i++) {
        uint32_t at = g_rand_int_range(rand, 0, SIZE);
        uint32_t len = g_rand_int_range(rand, 0, MIN(SIZE - at, 20000) + 1);

        switch (g_rand_int_range(rand, 0, 4)) {
        case 0:
            memset(buf, i, len);
            buf[0] = 0;
            assert_int_equal(image_write(image, at, buf, len), 0);
            memcpy(model + at, buf, len);
            break;
        case 1:
            assert_int_equal(image_zero(image, at, len), 0);
            memset(model + at, 0, len);
            break;
        case 2: assert_int_equal(image_flush(image), 0); break;
        default:
            assert_int_equal(image_read(image, at, buf, len), 0);
            assert_memory_equal(buf, model + at, len);
        }
    }
    assert_int_equal(image_read(image, 0, buf, SIZE), 0);
    assert_memory_equal(buf, model, SIZE);
    for (uint32_t at = 0, len; at < SIZE; at += len) { /* just read: the host may have it */
        len = MIN(SIZE - at, 1 + g_rand_int_range(rand, 0, 9000));
        if (!image_read_cached(image, at, buf, len))
            assert_memory_equal(buf, model + at, len);
    }
}

static void test_raw(void **state)
{
    char *path = make_file(SIZE);
    g_autofree uint8_t *model = g_malloc0(SIZE);
    Image *image;

    for (unsigned round = 0; round < 3; round++) { /* opened again each time */
        image = open_image(path, "raw", false);
        assert_int_equal(image_size(image), SIZE);
        exercise(image, model, round);
        image_close(image);
    }
    remove_file(path);
}

/* What is no file reads as zeros, whatever was written. */
static void test_null(void **state)
{
    static const char *const bad[] = { "null-co://", "null-co://1000", "null-co://x",
                                       "null-co://99999999999999999999" };
    Image *image = open_image("null-co://1048576", "raw", false);
    uint8_t data[SECTOR], zeros[SECTOR] = { 0 };

    memset(data, 1, sizeof(data));
    assert_int_equal(image_size(image), 1 << 20);
    assert_string_equal(image_format(image), "null-co");
    assert_int_equal(image_write(image, 512, data, sizeof(data)), 0);
    assert_int_equal(image_flush(image), 0);
    assert_int_equal(image_read(image, 512, data, sizeof(data)), 0);
    assert_memory_equal(data, zeros, sizeof(data));
    assert_int_equal(image_read(image, 1 << 20, data, 1), EINVAL);
    image_close(image);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_null(image_open(&(ImageOpen){ .path = bad[i] }, NULL));
    assert_null(image_open(&(ImageOpen){ .path = "null-co://512", .format = "qcow2" }, NULL));
}

static void test_overlay(void **state)
{
    char *path = make_file(SIZE);
    g_autofree uint8_t *model = g_malloc0(SIZE);
    g_autofree uint8_t *base = g_malloc0(SIZE);
    Image *image = open_image(path, "raw", false);

    exercise(image, base, 1);
    image_close(image);
    memcpy(model, base, SIZE);
    image = image_open_overlay(open_image(path, "raw", true), NULL);
    exercise(image, model, 2);
    image_close(image);
    image = open_image(path, "raw", true);
    assert_int_equal(image_read(image, 0, model, SIZE), 0);
    assert_memory_equal(model, base, SIZE); /* as it was */
    image_close(image);
    remove_file(path);
}

/* ---- qcow2 ----------------------------------------------------------------------------------- */

static char *make_qcow2(const char *backing)
{
    char *path = make_file(0);

    make_image(path, "qcow2", SIZE, backing, backing ? "raw" : NULL);
    return path;
}

static void test_qcow2(void **state)
{
    char *path = make_qcow2(NULL);
    g_autofree uint8_t *model = g_malloc0(SIZE);

    for (unsigned round = 0; round < 3; round++) {
        Image *image = open_image(path, round ? NULL : "qcow2", false);

        assert_string_equal(image_format(image), "qcow2");
        exercise(image, model, round);
        assert_checked(image);
        image_close(image);
    }
    remove_file(path);
}

static void test_qcow2_backing(void **state)
{
    char *base = make_file(SIZE), *path = make_qcow2(base);
    g_autofree uint8_t *model = g_malloc0(SIZE);
    Image *image = open_image(base, "raw", false);

    exercise(image, model, 7);
    image_close(image);
    image = open_image(path, NULL, false);
    exercise(image, model, 8);
    assert_checked(image);
    image_close(image);
    remove_file(path);
    remove_file(base);
}

/* What is in memory is read without waiting, be it here, in the backing file or nowhere. */
static void test_qcow2_cached(void **state)
{
    char *base = make_file(SIZE), *path = make_qcow2(base);
    uint8_t data[SECTOR], back[SECTOR];
    Image *image = open_image(base, "raw", false);
    bool host_tells;

    memset(data, 1, sizeof(data));
    assert_int_equal(image_write(image, 0, data, SECTOR), 0);
    host_tells = !image_read_cached(image, 0, back, SECTOR);
    image_close(image);
    image = open_image(path, NULL, false);
    for (uint32_t at = 0; at < SIZE; at += 65536) {
        memset(data, at ? at >> 16 : 1, sizeof(data));
        if (at >= 65536)
            assert_int_equal(at == 131072 ? image_zero(image, at, 65536)
                                          : image_write(image, at, data, SECTOR),
                             0);
        assert_int_equal(image_read(image, at, back, SECTOR), 0);
        memset(back, 0xee, sizeof(back));
        if (host_tells)
            assert_int_equal(image_read_cached(image, at, back, SECTOR), 0);
        memset(data, at == 131072 ? 0 : data[0], sizeof(data));
        if (host_tells)
            assert_memory_equal(data, back, SECTOR);
    }
    image_close(image);
    image = open_image(path, NULL, false);
    assert_int_equal(image_read_cached(image, 65536, back, SECTOR), EAGAIN); /* no table yet */
    image_close(image);
    remove_file(path);
    remove_file(base);
}

/* What is said to be behind it counts more than what its header says. */
static void test_qcow2_other_backing(void **state)
{
    char *base = make_file(SIZE), *other = make_file(SIZE), *path = make_qcow2(base);
    ImageOpen behind = { .path = other, .format = "raw" };
    ImageOpen how = { .path = path, .format = "qcow2", .backing = &behind };
    uint8_t data[SECTOR], back[SECTOR];
    Image *image = open_image(other, "raw", false);

    memset(data, 7, sizeof(data));
    assert_int_equal(image_write(image, 0, data, SECTOR), 0);
    image_close(image);
    image = image_open(&how, NULL);
    assert_int_equal(image_read(image, 0, back, SECTOR), 0);
    assert_memory_equal(data, back, SECTOR);
    assert_string_equal(image_facts(image).backing_path, other);
    image_close(image);
    how = (ImageOpen){ .path = path, .format = "qcow2", .alone = true };
    image = image_open(&how, NULL);
    assert_null(image_backing(image));
    image_close(image);
    remove_file(path);
    remove_file(base);
    remove_file(other);
}

/* Large enough for several tables, and for the table of counts to grow. */
static void test_qcow2_large(void **state)
{
    const uint64_t size = UINT64_C(3) << 40, step = UINT64_C(700) << 20;
    char *path = make_file(0);
    Image *image;
    uint8_t buf[512], back[512];

    make_image(path, "qcow2", size, NULL, NULL);
    image = open_image(path, NULL, false);
    for (uint64_t at = 0; at < size; at += step) {
        memset(buf, at >> 20, sizeof(buf));
        assert_int_equal(image_write(image, at, buf, sizeof(buf)), 0);
    }
    for (uint64_t at = 0; at < size; at += step) {
        memset(buf, at >> 20, sizeof(buf));
        assert_int_equal(image_read(image, at, back, sizeof(back)), 0);
        assert_memory_equal(back, buf, sizeof(buf));
    }
    assert_checked(image);
    image_close(image);
    remove_file(path);
}

/* A process that was killed leaves the dirty bit, and maybe clusters that nobody refers to. */
static void test_qcow2_recovery(void **state)
{
    char *path = make_qcow2(NULL);
    g_autofree uint8_t *model = g_malloc0(SIZE);
    uint8_t dirty[8] = { 0, 0, 0, 0, 0, 0, 0, 1 };
    Image *image = open_image(path, NULL, false);
    int fd;

    exercise(image, model, 3);
    image_close(image);
    fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, dirty, 8, 72), 8);
    assert_int_equal(pwrite(fd, "\0\1", 2, 2 * 65536 + 200), 2);   /* a leak */
    assert_int_equal(pwrite(fd, "\0\0", 2, 2 * 65536 + 2 * 4), 2); /* a cluster in use, lost */
    image = open_image(path, NULL, false);
    assert_checked(image);
    exercise(image, model, 4);
    image_close(image);
    assert_int_equal(pread(fd, dirty, 8, 72), 8);
    assert_int_equal(dirty[7], 0);
    close(fd);
    remove_file(path);
}

static void list_snapshots(Image *image)
{
    int error;
    GPtrArray *list = image_snapshots(image, &error);

    if (list)
        g_ptr_array_unref(list);
}

/* Bitmaps say what was written since, also after their file was closed; not after a crash. */
static void test_bitmaps(void **state)
{
    char *path = make_qcow2(NULL), *copy = make_file(0);
    g_autofree char *bytes = NULL;
    Image *image = open_image(path, NULL, false);
    uint8_t data[SECTOR] = { 1 };
    ImageBitmap *b = image_add_bitmap(image, "kept", 4096, true, NULL);
    gsize len;

    assert_non_null(b);
    assert_non_null(image_add_bitmap(image, "gone", 0, false, NULL));
    assert_null(image_add_bitmap(image, "kept", 0, false, NULL));
    assert_null(image_add_bitmap(image, "odd", 1000, false, NULL));
    assert_int_equal(image_write(image, 4096 * 3, data, SECTOR), 0);
    assert_int_equal(image_zero(image, 4096 * 9, 4097), 0);
    assert_int_equal(image_bitmap_count(b), 3 * 4096);
    assert_int_equal(image_bitmap_count(image_find_bitmap(image, "gone")), 65536);
    image_close(image);
    for (unsigned round = 0; round < 3; round++) {
        image = open_image(path, NULL, round != 1);
        assert_checked(image);
        assert_null(image_find_bitmap(image, "gone"));
        b = image_find_bitmap(image, "kept");
        assert_int_equal(image_bitmap_count(b), 3 * 4096);
        assert_true(b->recording && b->persistent && !b->inconsistent);
        if (round == 1)
            assert_int_equal(image_write(image, 4096 * 3, data, SECTOR), 0);
        if (round == 1) { /* as a crash would leave it */
            assert_true(g_file_get_contents(path, &bytes, &len, NULL));
            assert_true(g_file_set_contents(copy, bytes, len, NULL));
        }
        image_close(image);
    }
    image = open_image(copy, NULL, false);
    b = image_find_bitmap(image, "kept");
    assert_true(b->inconsistent && !b->map);
    assert_checked(image);
    image_remove_bitmap(image, b);
    image_close(image);
    image = open_image(copy, NULL, true);
    assert_checked(image);
    assert_null(image_find_bitmap(image, "kept"));
    image_close(image);
    remove_file(path);
    remove_file(copy);
}

/* What strangers may do with an image that somebody has tampered with. */
static void use_hostile(const char *path, bool read_only, uint8_t *buf)
{
    ImageOpen how = { .path = path, .format = "qcow2", .read_only = read_only };
    Image *image = image_open(&how, NULL);
    Qcow2Report r = { 0 };

    if (image) {
        uint64_t len = MIN(image_size(image), SIZE);

        image_read(image, 0, buf, len);
        image_write(image, len / 2, buf, len / 3);
        image_zero(image, 0, len / 4);
        qcow2_check(image, QCOW2_LOOK, &r);
        list_snapshots(image);
    }
    image_close(image);
}

/* Some bytes at the begin of some clusters are others. */
static void tamper(GRand *rand, uint8_t *file, gsize len, uint32_t cluster)
{
    for (unsigned changes = g_rand_int_range(rand, 1, 5); changes; changes--) {
        uint32_t at = g_rand_int_range(rand, 0, 12) * cluster;

        file[MIN(at + g_rand_int_range(rand, 0, 160), len - 1)] = g_rand_int(rand);
    }
}

/* Images that somebody has tampered with are refused or read as something; none brings us down. */
static void hostile(const ImageCreate *kind, unsigned rounds)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-hostile-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "image", NULL);
    g_autofree char *data = g_build_filename(dir, "data", NULL);
    g_autofree uint8_t *model = g_malloc0(SIZE), *file = NULL;
    g_autoptr(GRand) rand = fuzz_rand(1);
    ImageCreate what = *kind;
    Image *image;
    gsize len;

    what.path = path;
    what.format = "qcow2";
    what.size = SIZE;
    assert_true(image_create(&what, NULL));
    image = open_image(path, NULL, false);
    image_add_bitmap(image, "bitmap", 512, true, NULL);
    exercise(image, model, 5);
    image_close(image);
    assert_true(g_file_get_contents(path, (char **)&file, &len, NULL));
    for (unsigned i = 0; i < rounds; i++) {
        g_autofree uint8_t *bad = g_memdup2(file, len);
        int fd = open(path, O_WRONLY | O_TRUNC);

        tamper(rand, bad, len, kind->cluster);
        assert_int_equal(write(fd, bad, len), len);
        close(fd);
        use_hostile(path, i % 2, model);
    }
    unlink(path);
    unlink(data);
    rmdir(dir);
}

static void test_qcow2_hostile(void **state)
{
    static const ImageCreate kinds[] = {
        { .cluster = 65536 },
        { .cluster = 16384, .extended = true },
        { .cluster = 4096, .data_file = "data" },
        { .cluster = 4096, .count_bits = 1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        hostile(&kinds[i], fuzz_rounds(300) / G_N_ELEMENTS(kinds));
}

static void test_limits(void **state)
{
    char *path = make_file(700);
    Image *image = open_image(path, NULL, false);
    uint8_t buf[1024] = "QFI\xfb";

    assert_int_equal(image_size(image), 1024);
    assert_int_equal(image_read(image, 0, buf + 4, 1020), 0);
    assert_int_equal(image_read(image, 1, buf, 1024), EINVAL);
    assert_int_equal(image_write(image, UINT64_MAX, buf, 2), EINVAL);
    assert_int_equal(image_zero(image, 1000, UINT64_MAX - 500), EINVAL);
    image_close(image);
    image = open_image(path, "raw", true);
    assert_int_equal(image_write(image, 0, buf, 1), EROFS);
    assert_int_equal(image_discard(image, 0, 1), EROFS);
    image_close(image);
    remove_file(path);
}

static void test_refusals(void **state)
{
    char *path = make_file(512);
    const struct {
        ImageOpen how;
        const char *message; /* part of it */
    } rows[] = {
        { { .path = "/nowhere/disk" }, "Could not open '/nowhere/disk': No such file" },
        { { .path = "/" }, "Could not open '/': Is a directory" },
        { { .path = path, .format = "foo" }, "unknown image format 'foo'" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(image_open(&rows[i].how, &error));
        assert_non_null(strstr(error->message, rows[i].message));
    }
    remove_file(path);
}

/* ---- Snapshots ------------------------------------------------------------------------------- */

static ImageState *make_state(Image *image, uint8_t fill, uint32_t len)
{
    ImageState *s = image_state_new(image);
    g_autofree uint8_t *data = g_malloc(len);

    memset(data, fill, len);
    assert_int_equal(image_state_write(s, data, len / 3), 0);
    assert_int_equal(image_state_write(s, data + len / 3, len - len / 3), 0);
    return s;
}

static void assert_state(Image *image, const ImageSnapshot *snap, uint8_t fill)
{
    g_autofree uint8_t *data = g_malloc(snap->vm_size + 1);
    ImageState *s;

    assert_int_equal(image_state_open(image, snap, &s), 0);
    assert_int_equal(image_state_read(s, 0, data, snap->vm_size), 0);
    for (uint64_t i = 0; i < snap->vm_size; i++)
        assert_int_equal(data[i], fill);
    assert_int_equal(image_state_read(s, snap->vm_size, data, 1), ENODATA);
    image_state_free(s);
}

#define TAKEN 12

/* What the disk had at each snapshot; NULL: it is gone. */
static void change_snapshots(Image *image, uint8_t *model, uint8_t *then[TAKEN], GRand *rand)
{
    unsigned n = g_rand_int_range(rand, 0, TAKEN);
    g_autofree char *name = g_strdup_printf("s%u", n);
    ImageSnapshot what = { .name = name, .date_s = 1000 + n, .icount = n };
    uint32_t len = g_rand_int_range(rand, 0, 3) * 100000;
    int error;
    GPtrArray *list = image_snapshots(image, &error);
    const ImageSnapshot *s = image_find_snapshot(list, name);

    assert_int_equal(!s, !then[n]);
    if (!s) {
        assert_int_equal(
            image_snapshot_create(image, &what, len ? make_state(image, n, len) : NULL), 0);
        then[n] = g_memdup2(model, SIZE);
    } else if (g_rand_boolean(rand)) {
        assert_int_equal(s->date_s, 1000 + n);
        assert_int_equal(s->icount, n);
        if (s->vm_size)
            assert_state(image, s, n);
        assert_int_equal(image_snapshot_apply(image, s), 0);
        memcpy(model, then[n], SIZE);
    } else {
        assert_int_equal(image_snapshot_delete(image, s), 0);
        g_clear_pointer(&then[n], g_free);
    }
    g_ptr_array_unref(list);
}

static void test_snapshots(void **state)
{
    char *path = make_file(0);
    g_autofree uint8_t *model = g_malloc0(SIZE);
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    uint8_t *then[TAKEN] = { 0 };

    make_image(path, "qcow2", SIZE, NULL, NULL);
    for (unsigned round = 0; round < 40; round++) {
        Image *image = open_image(path, "qcow2", false);
        ImageState *unused = make_state(image, 1, 200000);

        exercise(image, model, round);
        image_state_free(unused); /* gives back what it had */
        for (unsigned i = 0; i < 3; i++)
            change_snapshots(image, model, then, rand);
        exercise(image, model, round + 1000);
        assert_checked(image);
        image_close(image);
    }
    for (unsigned i = 0; i < TAKEN; i++)
        g_free(then[i]);
    remove_file(path);
}

static void test_snapshot_refusals(void **state)
{
    char *path = make_file(0), *raw = make_file(SIZE);
    ImageSnapshot what = { .name = (char *)"x", .id = (char *)"9" };
    ImageState *s;
    Image *image;

    make_image(path, "qcow2", SIZE, NULL, NULL);
    image = open_image(path, "qcow2", true);
    assert_false(image_can_snapshot(image));
    assert_int_equal(image_snapshot_create(image, &what, NULL), ENOTSUP);
    image_close(image);
    image = open_image(path, "qcow2", false);
    assert_int_equal(image_snapshot_apply(image, &what), ENOENT);
    assert_int_equal(image_snapshot_delete(image, &what), ENOENT);
    assert_int_equal(image_state_open(image, &what, &s), ENOENT);
    assert_checked(image);
    image_close(image);
    image = open_image(raw, "raw", false);
    assert_false(image_can_snapshot(image));
    assert_int_equal(image_snapshot_create(image, &what, NULL), ENOTSUP);
    image_close(image);
    remove_file(path);
    remove_file(raw);
}

/* Lines as qemu-img 7.2 prints them. */
static void test_snapshot_lines(void **state)
{
    static const struct {
        ImageSnapshot s;
        const char *id, *size, *clock;
    } rows[] = {
        { { (char *)"1", (char *)"s1", 0, 0, 0, 0, 0, 0 },
          NULL,
          "     0 B",
          "00:00:00.000          0" },
        { { (char *)"1", (char *)"s1", 1142947, 0, 0, 0, 3723004000000, UINT64_MAX },
          NULL,
          "1.09 MiB",
          "01:02:03.004           " },
        { { (char *)"1", (char *)"s1", 999, 0, 0, 0, 0, 5 },
          "--",
          "   999 B",
          "00:00:00.000          5" },
        { { (char *)"1", (char *)"s1", 1023, 0, 0, 0, 0, 5 },
          "--",
          "0.999 KiB",
          "00:00:00.000          5" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GString) out = g_string_new("");
        g_autofree char *begin =
            g_strdup_printf("%-10ss1%-15s%s", rows[i].id ? rows[i].id : "1", "", rows[i].size);

        image_snapshot_print(&rows[i].s, rows[i].id, out);
        g_string_truncate(out, out->len - 1);
        if (!g_str_has_prefix(out->str, begin) || !g_str_has_suffix(out->str, rows[i].clock))
            fail_msg("'%s' '%s' '%s'", out->str, begin, rows[i].clock);
    }
}

static void test_lock(void **state)
{
    char *path = make_file(512);
    Image *image = open_image(path, "raw", false), *second;
    ImageOpen how = { .path = path, .format = "raw", .read_only = true };
    g_autoptr(GError) error = NULL;

    assert_null(image_open(&how, &error));
    assert_non_null(strstr(error->message, "is in use by another process"));
    how.unlocked = true;
    second = image_open(&how, NULL);
    assert_non_null(second);
    image_close(second);
    image_close(image);
    image = open_image(path, "raw", true);
    second = open_image(path, "raw", true);
    image_close(second);
    image_close(image);
    remove_file(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_overlay),
        cmocka_unit_test(test_qcow2),
        cmocka_unit_test(test_qcow2_backing),
        cmocka_unit_test(test_qcow2_cached),
        cmocka_unit_test(test_qcow2_other_backing),
        cmocka_unit_test(test_qcow2_large),
        cmocka_unit_test(test_qcow2_recovery),
        cmocka_unit_test(test_bitmaps),
        cmocka_unit_test(test_qcow2_hostile),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_snapshots),
        cmocka_unit_test(test_snapshot_refusals),
        cmocka_unit_test(test_snapshot_lines),
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
