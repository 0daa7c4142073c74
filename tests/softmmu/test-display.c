/* SPDX-License-Identifier: MIT */
/* Screens, how two pictures differ, and pictures as files. */
#include "softmmu/display.h"

#include <glib/gstdio.h>
#include <string.h>

#include "config.h"
#include "softmmu/program/monitor/screendump.h"
#include "tests/softmmu/test.h"

#if HAVE_PNG
#include <png.h>
#endif

static void draw(void *opaque, Surface *s, bool lit)
{
    surface_resize(s, 5, 3);
    surface_fill(s, 0x102030);
    s->pixels[7] = *(uint32_t *)opaque;
}

static const DisplayOps ops = { .draw = draw };

static void test_compare(void **state)
{
    Surface a = { 0 }, b = { 0 };
    GArray *rects = g_array_new(FALSE, FALSE, sizeof(SurfaceRect));
    SurfaceRect *r;

    surface_resize(&a, 100, 50);
    surface_resize(&b, 100, 50);
    surface_fill(&a, 1);
    surface_fill(&b, 1);
    surface_compare(&a, &b, rects);
    assert_int_equal(rects->len, 0);
    a.pixels[49 * 100 + 99] = a.pixels[0] = a.pixels[16] = 2;
    surface_compare(&a, &b, rects);
    r = (SurfaceRect *)rects->data;
    assert_int_equal(rects->len, 2);
    assert_memory_equal(&r[0], &((SurfaceRect){ 0, 0, 32, 16 }), sizeof(*r));
    assert_memory_equal(&r[1], &((SurfaceRect){ 96, 48, 4, 2 }), sizeof(*r));
    g_array_set_size(rects, 0);
    surface_resize(&b, 100, 51);
    surface_compare(&a, &b, rects);
    r = (SurfaceRect *)rects->data;
    assert_int_equal(rects->len, 1);
    assert_memory_equal(&r[0], &((SurfaceRect){ 0, 0, 100, 50 }), sizeof(*r));
    g_array_unref(rects);
    surface_clear(&a);
    surface_clear(&b);
}

static void test_text(void **state)
{
    TextScreen t = { 0 };
    GString *out = g_string_new("");

    text_screen_resize(&t, 4, 2);
    for (unsigned i = 0; i < 8; i++)
        t.cells[i].c = i == 1 ? 0x2500 : ' ';
    text_screen_print(&t, out);
    assert_string_equal(out->str, " ─\n\n");
    g_string_free(out, TRUE);
    text_screen_clear(&t);
}

typedef struct DumpRow {
    const char *args;  /* %s: a file's name */
    const char *error; /* … likewise; NULL: it is written */
    bool png;
} DumpRow;

static const DumpRow dump_rows[] = {
    { "%s.ppm", NULL, false },
    { "%s", NULL, false },
    { "-f ppm  %s.png", NULL, false },
#if HAVE_PNG
    { "%s.png", NULL, true },
    { "%s -f png", NULL, true },
#endif
    { "%s -f jpg", "'jpg': a picture's format is ppm or png", false },
    { "%s %s", "Device '%s' not found", false },
    { "%s nobody", "Device 'nobody' not found", false },
    { "%s a b c", "usage: screendump FILE [-f ppm|png] [DEVICE [HEAD]]", false },
    { "", "usage: screendump FILE [-f ppm|png] [DEVICE [HEAD]]", false },
    { "%s/no/such", "could not write '%s/no/such': No such file or directory", false },
};

static char *with_name(const char *text, const char *name)
{
    g_auto(GStrv) parts = g_strsplit(text, "%s", -1);

    return g_strjoinv(name, parts);
}

static void is_ppm(const char *data, size_t size)
{
    static const char head[] = "P6\n5 3\n255\n";
    size_t start = strlen(head);

    assert_int_equal(size, start + 5 * 3 * 3);
    assert_memory_equal(data, head, start);
    assert_memory_equal(data + start, "\x10\x20\x30", 3);
    assert_memory_equal(data + start + 7 * 3, "\xab\xcd\xef", 3);
}

static void is_png(const char *data, size_t size)
{
#if HAVE_PNG
    png_image image = { .version = PNG_IMAGE_VERSION };
    uint8_t rgb[5 * 3 * 3];

    assert_true(png_image_begin_read_from_memory(&image, data, size));
    assert_int_equal(image.width, 5);
    assert_int_equal(image.height, 3);
    image.format = PNG_FORMAT_RGB;
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
    assert_memory_equal(rgb, "\x10\x20\x30", 3);
    assert_memory_equal(rgb + 7 * 3, "\xab\xcd\xef", 3);
#else
    fail();
#endif
}

static const DeviceClass root_class = { .name = "machine", .size = sizeof(Device) };

static void test_screendump(void **state)
{
    uint32_t pixel = 0xabcdef;
    Machine m = { .display = display_new(), .root = device_new(&root_class, NULL, NULL) };
    g_autofree char *folder = g_dir_make_tmp("mimus-screen-XXXXXX", NULL);
    g_autofree char *name = g_build_filename(folder, "screen", NULL);

    display_add(m.display, "test", &ops, &pixel);
    for (const DumpRow *r = dump_rows; r < dump_rows + G_N_ELEMENTS(dump_rows); r++) {
        g_autofree char *args = with_name(r->args, name), *data = NULL;
        g_autofree char *expected = r->error ? with_name(r->error, name) : NULL;
        g_autofree char *path = g_strconcat(name,
                                            strstr(r->args, ".ppm")   ? ".ppm"
                                            : strstr(r->args, ".png") ? ".png"
                                                                      : "",
                                            NULL);
        GError *error = NULL;
        gsize size;

        assert_int_equal(screendump_command(&m, args, &error), !r->error);
        if (error) {
            assert_string_equal(error->message, expected);
            g_clear_error(&error);
            continue;
        }
        assert_true(g_file_get_contents(path, &data, &size, NULL));
        (r->png ? is_png : is_ppm)(data, size);
        g_remove(path);
    }
    display_remove(m.display, &pixel);
    GError *error = NULL;
    assert_false(screendump(&m, name, NULL, &error));
    assert_string_equal(error->message, "the machine has no display");
    g_error_free(error);
    device_free(m.root);
    display_free(m.display);
    g_rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compare),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_screendump),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
