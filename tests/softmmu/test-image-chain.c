/* SPDX-License-Identifier: MIT */
/* Images that change as a whole: their size, and what passes between them and their backing files;
 * always against a model in memory. */
#include "softmmu/block/image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/softmmu/test.h"
#include "tests/softmmu/images.h"

#define SIZE (512 * 1024u)
#define MOST (4 * SIZE)

static void change(Image *image, uint8_t *model, GRand *rand)
{
    uint32_t size = image_size(image), at = g_rand_int_range(rand, 0, size);
    uint32_t len = g_rand_int_range(rand, 0, MIN(size - at, 100000) + 1);
    g_autofree uint8_t *buf = g_malloc(len + 1);

    if (g_rand_boolean(rand)) {
        memset(buf, g_rand_int(rand) | 1, len);
        assert_int_equal(image_write(image, at, buf, len), 0);
        memcpy(model + at, buf, len);
    } else {
        assert_int_equal(image_zero(image, at, len), 0);
        memset(model + at, 0, len);
    }
}

static void check(Image *image, const uint8_t *model)
{
    uint32_t size = image_size(image);
    g_autofree uint8_t *buf = g_malloc(size);

    assert_int_equal(image_read(image, 0, buf, size), 0);
    for (uint32_t i = 0; i < size; i++)
        if (buf[i] != model[i])
            fail_msg("byte %#x of %#x is %#x, not %#x", i, size, buf[i], model[i]);
    assert_checked(image);
}

static void fill(const char *path, const char *format, uint8_t *model, unsigned seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    Image *image = open_image(path, format, false);

    for (unsigned i = 0; i < 20; i++)
        change(image, model, rand);
    image_close(image);
}

/* ---- Size ------------------------------------------------------------------------------------ */

typedef struct Kind {
    const char *name;
    bool qcow2, overlay;
    uint32_t backing; /* bytes of its backing file; 0: none */
} Kind;

static const Kind kinds[] = {
    { "raw", false, false, 0 },
    { "qcow2", true, false, 0 },
    { "qcow2 before a short one", true, false, SIZE / 2 },
    { "qcow2 before a long one", true, false, MOST },
    { "overlay", false, true, SIZE },
};

static Image *make(const Kind *k, char **base, char **path, uint8_t *model)
{
    g_autofree uint8_t *below = g_malloc0(MOST);

    *base = k->backing ? make_file(k->backing) : NULL;
    *path = k->overlay ? NULL : make_file(SIZE);
    if (k->backing) {
        fill(*base, "raw", below, 5);
        memcpy(model, below, MIN(k->backing, SIZE));
    }
    if (k->overlay)
        return image_open_overlay(open_image(*base, "raw", true), NULL);
    if (k->qcow2)
        make_image(*path, "qcow2", SIZE, *base, *base ? "raw" : NULL);
    return open_image(*path, k->qcow2 ? "qcow2" : "raw", false);
}

static void resize(Image *image, uint8_t *model, uint32_t size)
{
    uint32_t old = image_size(image);

    assert_true(image_resize(image, size, NULL));
    assert_int_equal(image_size(image), size);
    memset(model + MIN(old, size), 0, MOST - MIN(old, size));
}

static void test_resize(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(i);
        g_autofree uint8_t *model = g_malloc0(MOST);
        char *base, *path;
        Image *image = make(&kinds[i], &base, &path, model);

        for (unsigned round = 0; round < 40; round++) {
            for (unsigned n = 0; n < 5; n++)
                change(image, model, rand);
            resize(image, model, 512 * g_rand_int_range(rand, 1, MOST / 512));
            check(image, model);
            if (!path || round % 10)
                continue;
            image_close(image);
            image = open_image(path, kinds[i].qcow2 ? "qcow2" : "raw", false);
        }
        image_close(image);
        remove_file(path);
        remove_file(base);
    }
}

/* A first table that has to grow, over and over. */
static void test_resize_large(void **state)
{
    char *path = make_file(0);
    uint8_t buf[512], back[512];
    Image *image;

    make_image(path, "qcow2", 512, NULL, NULL);
    image = open_image(path, "qcow2", false);
    for (uint64_t size = UINT64_C(1) << 20; size < UINT64_C(1) << 46; size <<= 2) {
        assert_true(image_resize(image, size, NULL));
        memset(buf, __builtin_ctzll(size), sizeof(buf));
        assert_int_equal(image_write(image, size - 512, buf, 512), 0);
    }
    for (uint64_t size = UINT64_C(1) << 20; size < UINT64_C(1) << 46; size <<= 2) {
        memset(buf, __builtin_ctzll(size), sizeof(buf));
        assert_int_equal(image_read(image, size - 512, back, 512), 0);
        assert_memory_equal(buf, back, 512);
    }
    assert_true(image_resize(image, 1 << 20, NULL));
    image_close(image);
    image = open_image(path, "qcow2", false);
    assert_int_equal(image_size(image), 1 << 20);
    assert_false(image_resize(image, UINT64_C(1) << 61, NULL));
    image_close(image);
    remove_file(path);
}

static void test_resize_refusals(void **state)
{
    char *path = make_file(SIZE);
    Image *image = open_image(path, "raw", true);
    g_autoptr(GError) read_only = NULL, odd = NULL, snapshots = NULL;

    assert_false(image_resize(image, 512, &read_only));
    assert_string_equal(read_only->message, "Image is read-only");
    image_close(image);
    make_image(path, "qcow2", SIZE, NULL, NULL);
    image = open_image(path, "qcow2", false);
    assert_false(image_resize(image, 1000, &odd));
    assert_string_equal(odd->message, "The new size must be a multiple of 512");
    assert_int_equal(image_snapshot_create(image, &(ImageSnapshot){ .name = (char *)"s" }, NULL),
                     0);
    assert_true(image_resize(image, 512, &snapshots));
    image_close(image);
    assert_true(image_create(
        &(ImageCreate){ .path = path, .format = "qcow2", .size = SIZE, .version = 2 }, NULL));
    image = open_image(path, "qcow2", false);
    assert_int_equal(image_snapshot_create(image, &(ImageSnapshot){ .name = (char *)"s" }, NULL),
                     0);
    assert_false(image_resize(image, 512, &snapshots));
    assert_string_equal(snapshots->message, "Can't resize a v2 image which has snapshots");
    assert_int_equal(image_size(image), SIZE);
    image_close(image);
    remove_file(path);
}

/* ---- Chains ---------------------------------------------------------------------------------- */

/* base.raw, middle, top: each with changes of its own. */
typedef struct Chain {
    char *base, *middle, *top;
    uint8_t *below, *model; /* what base and what top has */
} Chain;

static void start(Chain *c)
{
    c->base = make_file(SIZE);
    c->middle = make_file(0);
    c->top = make_file(0);
    c->below = g_malloc0(MOST);
    c->model = g_malloc0(MOST);
    fill(c->base, "raw", c->below, 1);
    memcpy(c->model, c->below, SIZE);
    make_image(c->middle, "qcow2", SIZE, c->base, "raw");
    fill(c->middle, "qcow2", c->model, 2);
    make_image(c->top, "qcow2", SIZE, c->middle, "qcow2");
    fill(c->top, "qcow2", c->model, 3);
}

static void stop(Chain *c)
{
    remove_file(c->base);
    remove_file(c->middle);
    remove_file(c->top);
    g_free(c->below);
    g_free(c->model);
}

static void check_file(const char *path, const char *format, const uint8_t *model)
{
    Image *image = open_image(path, format, true);

    check(image, model);
    image_close(image);
}

/* Of each piece it is told truly who has it. */
static void test_layers(void **state)
{
    Chain c;
    Image *top, *base;

    start(&c);
    top = open_image(c.top, "qcow2", true);
    base = image_backing(image_backing(top));
    for (uint64_t at = 0, len; at < SIZE; at += len) {
        ImageLayer layer;

        len = SIZE - at;
        assert_int_equal(image_layer_above(top, base, at, &len, &layer), 0);
        assert_true(len && len <= SIZE - at);
        for (uint64_t i = at; i < at + len; i++) {
            if (layer == IMAGE_ZERO)
                assert_int_equal(c.model[i], 0);
            if (layer == IMAGE_BELOW)
                assert_int_equal(c.model[i], c.below[i]);
        }
    }
    image_close(top);
    stop(&c);
}

static void test_commit(void **state)
{
    Chain c;
    Image *top;

    start(&c);
    top = open_image(c.top, "qcow2", false);
    memset(c.model + SIZE, 0, SIZE);
    assert_true(image_resize(top, 2 * SIZE, NULL)); /* the backing file has to grow */
    for (unsigned round = 0; round < 3; round++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(round);
        uint64_t len = 2 * SIZE;
        ImageLayer layer;

        change(top, c.model, rand);
        assert_int_equal(image_commit(top, NULL, false), 0);
        check(top, c.model);
        assert_int_equal(image_layer(top, 0, &len, &layer), 0);
        assert_true(layer == IMAGE_BELOW && len == 2 * SIZE);
        assert_true(image_is_read_only(image_backing(top)));
    }
    image_close(top);
    check_file(c.middle, "qcow2", c.model);
    check_file(c.top, "qcow2", c.model);
    check_file(c.base, "raw", c.below);
    stop(&c);
}

static void test_commit_overlay(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    Chain c;
    Image *overlay;

    start(&c);
    overlay = image_open_overlay(open_image(c.base, "raw", true), NULL);
    for (unsigned i = 0; i < 10; i++)
        change(overlay, c.below, rand);
    assert_int_equal(image_commit(overlay, NULL, false), 0);
    check(overlay, c.below);
    image_close(overlay);
    check_file(c.base, "raw", c.below);
    stop(&c);
}

static void test_commit_refusals(void **state)
{
    Chain c;
    Image *top, *other;

    start(&c);
    top = open_image(c.base, "raw", false);
    assert_int_equal(image_commit(top, NULL, false), ENOTSUP);
    image_close(top);
    top = open_image(c.top, "qcow2", true);
    assert_int_equal(image_commit(top, NULL, false), EROFS);
    image_close(top);
    top = open_image(c.top, "qcow2", false);
    other = open_image(c.middle, "qcow2", true);
    assert_int_equal(image_commit(top, NULL, false), EACCES);
    image_close(other);
    check(top, c.model);
    assert_int_equal(image_snapshot_create(top, &(ImageSnapshot){ .name = (char *)"s" }, NULL), 0);
    assert_int_equal(image_commit(top, NULL, false), EBUSY);
    image_close(top);
    check_file(c.top, "qcow2", c.model);
    stop(&c);
}

/* The top goes on without what was between, or with nothing behind it. */
static void test_rebase(void **state)
{
    for (int all = 0; all < 2; all++) {
        Chain c;
        Image *top, *base;

        start(&c);
        top = open_image(c.top, "qcow2", false);
        base = all ? NULL : image_backing(image_backing(top));
        for (uint64_t at = 0, len; at < SIZE; at += len) {
            ImageLayer layer;

            len = SIZE - at;
            assert_int_equal(image_layer_above(top, base, at, &len, &layer), 0);
            if (layer != IMAGE_BELOW)
                assert_int_equal(image_write(top, at, c.model + at, len), 0);
        }
        assert_int_equal(image_rebase(top, base, NULL), 0);
        assert_ptr_equal(image_backing(top), base);
        check(top, c.model);
        image_close(top);
        remove_file(g_steal_pointer(&c.middle));
        if (all)
            remove_file(g_steal_pointer(&c.base));
        top = open_image(c.top, "qcow2", false);
        assert_true((image_facts(top).backing_path == NULL) == all);
        check(top, c.model);
        image_close(top);
        stop(&c);
    }
}

static void test_close_above(void **state)
{
    Chain c;
    Image *top, *base;

    start(&c);
    top = open_image(c.top, "qcow2", false);
    base = image_backing(image_backing(top));
    image_close_above(top, base);
    check(base, c.below);
    assert_true(image_set_read_only(base, false, NULL));
    assert_null(image_open(&(ImageOpen){ .path = c.base, .read_only = true }, NULL));
    image_close(base);
    check_file(c.top, "qcow2", c.model);
    stop(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resize),          cmocka_unit_test(test_resize_large),
        cmocka_unit_test(test_resize_refusals), cmocka_unit_test(test_layers),
        cmocka_unit_test(test_commit),          cmocka_unit_test(test_commit_overlay),
        cmocka_unit_test(test_commit_refusals), cmocka_unit_test(test_rebase),
        cmocka_unit_test(test_close_above),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
