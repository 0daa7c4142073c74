/* SPDX-License-Identifier: MIT */
/* Formats that are only read, of images made here by the book; what must be refused of them. */
#include "softmmu/block/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "softmmu/bytes.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"
#include "tests/softmmu/images.h"

#define SIZE   (512 * 1024u)
#define PART   65536u /* a block, or a grain */
#define PARTS  (SIZE / PART)
#define SECTOR 512

static uint8_t *make_model(void)
{
    uint8_t *model = g_malloc0(SIZE);

    for (unsigned i = 0; i < PARTS; i++) {
        if (i % 3) /* others have nothing */
            memset(model + i * PART, i, PART);
    }
    model[PART + 1] = 0xaa;
    return model;
}

static void append(GByteArray *out, uint64_t at, const void *data, size_t len)
{
    if (out->len < at + len) {
        size_t old = out->len;

        g_byte_array_set_size(out, at + len);
        memset(out->data + old, 0, at + len - old);
    }
    memcpy(out->data + at, data, len);
}

static void append_le(GByteArray *out, uint64_t at, unsigned bytes, uint64_t value)
{
    uint8_t raw[8];

    put_le(raw, bytes, value);
    append(out, at, raw, bytes);
}

static GByteArray *make_vdi(const uint8_t *model)
{
    GByteArray *out = g_byte_array_new();
    uint32_t used = 0;

    append_le(out, 0x40, 4, 0xbeda107f);
    append_le(out, 0x44, 4, 0x00010001);
    append_le(out, 0x4c, 4, 1);
    append_le(out, 0x154, 4, 512);
    append_le(out, 0x158, 4, 1024);
    append_le(out, 0x168, 4, 512);
    append_le(out, 0x170, 8, SIZE);
    append_le(out, 0x178, 4, PART);
    append_le(out, 0x180, 4, PARTS);
    for (unsigned i = 0; i < PARTS; i++) {
        append_le(out, 512 + 4 * i, 4, i % 3 ? used : UINT32_MAX);
        if (i % 3)
            append(out, 1024 + used++ * PART, model + i * PART, PART);
    }
    return out;
}

/* Header, directory, table, grains. */
static GByteArray *make_vmdk(const uint8_t *model, bool packed)
{
    GByteArray *out = g_byte_array_new();
    uint64_t at = 8 * SECTOR;

    append(out, 0, "KDMV", 4);
    append_le(out, 4, 4, packed ? 3 : 1);
    append_le(out, 8, 4, packed ? 0x30001 : 1);
    append_le(out, 12, 8, SIZE / SECTOR);
    append_le(out, 20, 8, PART / SECTOR);
    append_le(out, 44, 4, 512);
    append_le(out, 56, 8, 1);
    append_le(out, 77, 2, packed);
    append_le(out, SECTOR, 4, 2);
    for (unsigned i = 0; i < PARTS; i++) {
        uint8_t buf[2 * PART];
        uLongf len = sizeof(buf);

        append_le(out, 2 * SECTOR + 4 * i, 4, i % 3 ? at / SECTOR : 0);
        if (!(i % 3))
            continue;
        if (packed) {
            assert_int_equal(compress(buf, &len, model + i * PART, PART), Z_OK);
            append_le(out, at, 8, i * PART / SECTOR);
            append_le(out, at + 8, 4, len);
            append(out, at + 12, buf, len);
            len += 12;
        } else {
            append(out, at, model + i * PART, len = PART);
        }
        at += (len + SECTOR - 1) / SECTOR * SECTOR;
    }
    append_le(out, at, 1, 0);
    return out;
}

static GByteArray *make_packed(const uint8_t *model)
{
    return make_vmdk(model, true);
}

static GByteArray *make_sparse(const uint8_t *model)
{
    return make_vmdk(model, false);
}

static const struct {
    const char *format;
    GByteArray *(*make)(const uint8_t *model);
} kinds[] = { { "vdi", make_vdi }, { "vmdk", make_sparse }, { "vmdk", make_packed } };

static char *save(const GByteArray *bytes)
{
    char *path = make_file(0);

    assert_true(g_file_set_contents(path, (const char *)bytes->data, bytes->len, NULL));
    return path;
}

static void check(const char *path, const char *format, const uint8_t *model)
{
    Image *image = open_image(path, NULL, true);
    g_autofree uint8_t *buf = g_malloc(SIZE);

    assert_string_equal(image_format(image), format);
    assert_int_equal(image_size(image), SIZE);
    for (uint32_t at = 0, len; at < SIZE; at += len) {
        len = MIN(SIZE - at, 100000 + SECTOR);
        assert_int_equal(image_read(image, at, buf + at, len), 0);
    }
    assert_memory_equal(buf, model, SIZE);
    for (uint64_t at = 0, len; at < SIZE; at += len) {
        ImageLayer layer;

        len = SIZE - at;
        assert_int_equal(image_layer(image, at, &len, &layer), 0);
        assert_int_equal(layer, at / PART % 3 ? IMAGE_DATA : IMAGE_ZERO);
    }
    assert_int_equal(image_write(image, 0, buf, SECTOR), EROFS);
    assert_false(image_set_read_only(image, false, NULL));
    image_close(image);
    assert_null(image_open(&(ImageOpen){ .path = path }, NULL));
}

static void test_kinds(void **state)
{
    g_autofree uint8_t *model = make_model();

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(GByteArray) bytes = kinds[i].make(model);
        char *path = save(bytes);

        check(path, kinds[i].format, model);
        remove_file(path);
    }
}

/* A descriptor with extents of every kind; none of a file elsewhere. */
static void test_described(void **state)
{
    g_autofree uint8_t *model = make_model(), *buf = g_malloc0(SIZE);
    g_autoptr(GByteArray) bytes = make_sparse(model);
    char *sparse = save(bytes), *flat = make_file(4 * SECTOR);
    g_autofree char *sparse_name = g_path_get_basename(sparse);
    g_autofree char *flat_name = g_path_get_basename(flat);
    g_autofree char *text = g_strdup_printf("# Disk DescriptorFile\nversion=1\nparentCID=ffffffff\n"
                                            "RW 2 FLAT \"%s\" 1\nRW 3 ZERO\nRW %u SPARSE \"%s\"\n",
                                            flat_name, SIZE / SECTOR, sparse_name);
    static const char *const bad[] = { "parentCID=12345678\nRW 2 ZERO\n",
                                       "RW 1 FLAT \"/etc/passwd\" 0\n",
                                       "RW 1 FLAT \"../x\" 0\n",
                                       "RW 1 VMFS \"x\" 0\n",
                                       "",
                                       "RW 99999999999999999999 ZERO\n",
                                       "RW 1 FLAT\n" };
    char *path = make_file(0);
    Image *image;
    int fd = open(flat, O_WRONLY);

    assert_int_equal(pwrite(fd, "x", 1, SECTOR), 1);
    close(fd);
    assert_true(g_file_set_contents(path, text, -1, NULL));
    image = open_image(path, NULL, true);
    assert_int_equal(image_size(image), SIZE + 5 * SECTOR);
    assert_int_equal(image_read(image, 0, buf, 5 * SECTOR), 0);
    assert_true(buf[0] == 'x' && !buf[1] && !buf[2 * SECTOR]);
    assert_int_equal(image_read(image, 5 * SECTOR, buf, SIZE), 0);
    assert_memory_equal(buf, model, SIZE);
    image_close(image);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *all = g_strconcat("# Disk DescriptorFile\n", bad[i], NULL);

        assert_true(g_file_set_contents(path, all, -1, NULL));
        assert_null(image_open(&(ImageOpen){ .path = path, .read_only = true }, NULL));
    }
    remove_file(path);
    remove_file(flat);
    remove_file(sparse);
}

/* Tampered with: refused or read as something. */
static void test_hostile(void **state)
{
    g_autofree uint8_t *model = make_model(), *buf = g_malloc(SIZE);
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(300);

    for (unsigned i = 0; i < rounds; i++) {
        const size_t kind = i % G_N_ELEMENTS(kinds);
        g_autoptr(GByteArray) bytes = kinds[kind].make(model);
        unsigned changes = g_rand_int_range(rand, 1, 5);
        char *path;
        Image *image;

        while (changes--) {
            uint32_t within = g_rand_int_range(rand, 0, g_rand_boolean(rand) ? 512 : 4 * SECTOR);
            bytes->data[within] = g_rand_int(rand);
        }
        path = save(bytes);
        image = image_open(
            &(ImageOpen){ .path = path, .format = kinds[kind].format, .read_only = true }, NULL);
        if (image) {
            uint64_t size = image_size(image), len = size;
            ImageExtent e;

            image_read(image, 0, buf, MIN(size, SIZE));
            image_read(image, size - MIN(size, SIZE), buf, MIN(size, SIZE));
            if (len) /* a header may say that a disk is empty */
                image_extent(image, 0, &len, &e);
        }
        image_close(image);
        remove_file(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_described),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
