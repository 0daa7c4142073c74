/* SPDX-License-Identifier: MIT */
/* Pictures as the VNC server encodes them: formats of pixels, and ZRLE taken apart again. */
#include "config.h"
#include "softmmu/bytes.h"
#include "softmmu/ui/vnc-internal.h"
#include "tests/softmmu/test.h"

#if HAVE_ZLIB
#include <zlib.h>
#endif

static const struct {
    uint8_t wire[VNC_FORMAT_BYTES];
    const char *bytes; /* of 0xff8040 */
    size_t len;
} format_rows[] = {
    { { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, "\x40\x80\xff\0", 4 },
    { { 32, 24, 1, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 }, "\0\xff\x80\x40", 4 },
    { { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16 }, "\xff\x80\x40\0", 4 },
    { { 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 24, 16, 8 }, "\0\x40\x80\xff", 4 },
    { { 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 }, "\x08\xfc", 2 },
    { { 16, 16, 1, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 }, "\xfc\x08", 2 },
    { { 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 0, 3, 6 }, "\x67", 1 },
    { { 8, 8, 0, 0 }, "\x67", 1 }, /* a colour map: ours */
};

static void test_formats(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(format_rows); i++) {
        g_autoptr(GByteArray) out = g_byte_array_new();
        uint32_t pixel = 0xff8040;
        VncFormat f;
        bool map;

        assert_true(vnc_format_set(&f, format_rows[i].wire, &map));
        assert_int_equal(map, !format_rows[i].wire[3]);
        vnc_encode_raw(&f, &pixel, 1, 1, out);
        assert_int_equal(out->len, format_rows[i].len);
        assert_memory_equal(out->data, format_rows[i].bytes, out->len);
    }
}

#if HAVE_ZLIB
typedef struct Unpacker {
    z_stream stream;
    const VncFormat *f;
    GByteArray *plain;
    size_t at;
} Unpacker;

static unsigned take(Unpacker *u)
{
    assert_true(u->at < u->plain->len);
    return u->plain->data[u->at++];
}

/* A CPIXEL as the bytes of a pixel. */
static uint64_t take_pixel(Unpacker *u)
{
    uint8_t bytes[4] = { 0 };

    for (unsigned i = 0; i < u->f->cpixel_bytes; i++)
        bytes[u->f->cpixel_skip + i] = take(u);
    return get_le(bytes, 4);
}

static void unpack_tile(Unpacker *u, uint64_t *to, unsigned stride, unsigned width, unsigned height)
{
    unsigned kind = take(u), bits = kind == 2 ? 1 : kind <= 4 ? 2 : 4;
    uint64_t palette[16];

    assert_true(kind <= 16);
    for (unsigned i = 0; i < kind; i++)
        palette[i] = take_pixel(u);
    for (unsigned y = 0; y < height; y++, to += stride) {
        unsigned byte = 0, left = 0;

        for (unsigned x = 0; x < width; x++) {
            if (kind == 0) {
                to[x] = take_pixel(u);
            } else if (kind == 1) {
                to[x] = palette[0];
            } else {
                if (!left) {
                    byte = take(u);
                    left = 8;
                }
                left -= bits;
                assert_true((byte >> left & ((1 << bits) - 1)) < kind);
                to[x] = palette[byte >> left & ((1 << bits) - 1)];
            }
        }
    }
}

static void unpack(Unpacker *u, const GByteArray *in, uint64_t *to, unsigned width, unsigned height)
{
    assert_int_equal(get_be(in->data, 4), in->len - 4);
    g_byte_array_set_size(u->plain, 5 * width * height + 1000);
    u->stream.next_in = in->data + 4;
    u->stream.avail_in = in->len - 4;
    u->stream.next_out = u->plain->data;
    u->stream.avail_out = u->plain->len;
    assert_int_equal(inflate(&u->stream, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(u->stream.avail_in, 0);
    g_byte_array_set_size(u->plain, u->plain->len - u->stream.avail_out);
    u->at = 0;
    for (unsigned y = 0; y < height; y += 64)
        for (unsigned x = 0; x < width; x += 64)
            unpack_tile(u, to + y * width + x, width, MIN(64, width - x), MIN(64, height - y));
    assert_int_equal(u->at, u->plain->len);
}

/* One stream over all pictures, as a client has it. */
static void test_zrle(void **state)
{
    static const struct {
        unsigned width, height, colours;
    } rows[] = { { 64, 64, 1 },   { 1, 1, 1 },        { 70, 3, 2 },   { 65, 130, 3 },
                 { 33, 65, 4 },   { 100, 20, 5 },     { 64, 64, 16 }, { 64, 64, 17 },
                 { 200, 70, 30 }, { 300, 300, 90000 } };

    for (size_t f = 0; f < G_N_ELEMENTS(format_rows); f++) {
        VncZrle *z = vnc_zrle_new();
        Unpacker u = { .plain = g_byte_array_new() };
        VncFormat format;
        bool map;

        u.f = &format;
        assert_true(vnc_format_set(&format, format_rows[f].wire, &map));
        assert_int_equal(inflateInit(&u.stream), Z_OK);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            unsigned count = rows[i].width * rows[i].height;
            g_autofree uint32_t *pixels = g_new(uint32_t, count);
            g_autofree uint64_t *got = g_new(uint64_t, count);
            g_autoptr(GByteArray) out = g_byte_array_new(), raw = g_byte_array_new();

            for (unsigned k = 0; k < count; k++)
                pixels[k] = k * 7 % rows[i].colours * 0x345671 & 0xffffff;
            vnc_encode_zrle(z, &format, pixels, rows[i].width, rows[i].height, out);
            vnc_encode_raw(&format, pixels, rows[i].width, rows[i].height, raw);
            unpack(&u, out, got, rows[i].width, rows[i].height);
            for (unsigned k = 0; k < count; k++)
                assert_int_equal(got[k], get_le(raw->data + k * format.bytes, format.bytes));
        }
        inflateEnd(&u.stream);
        g_byte_array_free(u.plain, TRUE);
        vnc_zrle_free(z);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
#if HAVE_ZLIB
        cmocka_unit_test(test_zrle),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
