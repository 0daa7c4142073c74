/* SPDX-License-Identifier: MIT */
#include "softmmu/program/monitor/screendump.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"

#if HAVE_PNG
#include <png.h>
#endif

/* A picture in the bytes of a file; NULL with @error. */
typedef GByteArray *Encode(const Surface *s, GError **error);

static GByteArray *encode_ppm(const Surface *s, GError **error)
{
    GByteArray *out = g_byte_array_new();
    g_autofree char *head = g_strdup_printf("P6\n%u %u\n255\n", s->width, s->height);

    g_byte_array_append(out, (uint8_t *)head, strlen(head));
    for (size_t i = 0; i < (size_t)s->width * s->height; i++) {
        uint32_t p = s->pixels[i];

        g_byte_array_append(out, (uint8_t[]){ p >> 16, p >> 8, p }, 3);
    }
    return out;
}

static GByteArray *encode_png(const Surface *s, GError **error)
{
#if HAVE_PNG
    g_autofree uint8_t *rgb = g_malloc((size_t)s->width * s->height * 3);
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = s->width,
                        .height = s->height,
                        .format = PNG_FORMAT_RGB };
    GByteArray *out = g_byte_array_new();
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);

    for (size_t i = 0; i < (size_t)s->width * s->height; i++)
        for (unsigned c = 0; c < 3; c++)
            rgb[3 * i + c] = s->pixels[i] >> (16 - 8 * c);
    g_byte_array_set_size(out, size);
    if (png_image_write_to_memory(&image, out->data, &size, 0, rgb, 0, NULL)) {
        g_byte_array_set_size(out, size);
        return out;
    }
    g_byte_array_free(out, TRUE);
    error_set(error, "the picture cannot be made a PNG: %s", image.message);
#else
    error_set(error, "this build was made without libpng; -f ppm is there");
#endif
    return NULL;
}

static const struct {
    const char *name;
    Encode *encode;
} formats[] = { { "ppm", encode_ppm }, { "png", encode_png } };

static Encode *find_format(const char *path, const char *name, GError **error)
{
    if (!name)
        name = g_str_has_suffix(path, ".png") ? "png" : "ppm";
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++)
        if (!strcmp(formats[i].name, name))
            return formats[i].encode;
    error_set(error, "'%s': a picture's format is ppm or png", name);
    return NULL;
}

static bool write_file(const char *path, const GByteArray *data, GError **error)
{
    FILE *f = host_fopen(path, "wb");
    bool good = f && fwrite(data->data, 1, data->len, f) == data->len;

    if (f && fclose(f))
        good = false;
    if (!good)
        error_set(error, "could not write '%s': %s", path, g_strerror(errno));
    return good;
}

/* ---- Which screen -----------------------------------------------------------------------------
 */

typedef struct Search {
    const char *id;
    const Device *found;
    const char *class_name;
    unsigned before; /* devices of its class that were made before it */
} Search;

static void find_device(const Device *dev, Search *s)
{
    for (guint i = 0; dev->children && i < dev->children->len && !s->found; i++) {
        const Device *child = dev->children->pdata[i];

        if (child->named && !strcmp(child->id, s->id))
            s->found = child;
        else
            find_device(child, s);
    }
}

static bool count_before(const Device *dev, Search *s)
{
    for (guint i = 0; dev->children && i < dev->children->len; i++) {
        const Device *child = dev->children->pdata[i];

        if (child == s->found)
            return true;
        s->before += child->klass == s->found->klass;
        if (count_before(child, s))
            return true;
    }
    return false;
}

/* Screens are in the order of their devices, by whose class they are called. */
static bool find_screen(const Machine *m, Search *s, unsigned *n)
{
    const char *name = s->found->klass->name;

    count_before(m->root, s);
    for (*n = 0; *n < display_count(m->display); (*n)++) {
        const char *shown = display_name(m->display, *n);

        if (g_str_has_prefix(name, shown) &&
            (!name[strlen(shown)] || !strcmp(name + strlen(shown), "-pci")) && !s->before--)
            return true;
    }
    return false;
}

bool screendump_find(Machine *m, const char *device, int64_t head, unsigned *n, GError **error)
{
    Search s = { .id = device };

    *n = 0;
    if (!device && head)
        error_set(error, "'head' must be specified together with 'device'");
    if (!device)
        return !head;
    find_device(m->root, &s);
    if (!s.found)
        error_set(error, "Device '%s' not found", device);
    else if (head || !find_screen(m, &s, n))
        error_set(error, "Device %s (head %d) is not bound to a QemuConsole", device, (int)head);
    else
        return true;
    return false;
}

/* ---- Pictures of it -------------------------------------------------------------------------- */

static bool dump_screen(Machine *m, unsigned n, const char *path, const char *format,
                        GError **error)
{
    Encode *encode = find_format(path, format, error);
    Surface s = { 0 };
    GByteArray *data;
    bool good;

    if (!encode)
        return false;
    if (!display_count(m->display)) {
        error_set(error, "the machine has no display");
        return false;
    }
    display_draw(m->display, n, &s, true);
    data = encode(&s, error);
    surface_clear(&s);
    if (!data)
        return false;
    good = write_file(path, data, error);
    g_byte_array_free(data, TRUE);
    return good;
}

bool screendump(Machine *m, const char *path, const char *format, GError **error)
{
    return dump_screen(m, 0, path, format, error);
}

/* FILE [DEVICE [HEAD]], and -f FORMAT somewhere among them. */
bool screendump_command(Machine *m, const char *args, GError **error)
{
    g_auto(GStrv) words = g_strsplit_set(args, " \t", -1);
    const char *plain[3] = { NULL }, *format = NULL;
    unsigned count = 0, n;

    for (char **w = words; *w; w++) {
        if (!strcmp(*w, "-f") && w[1])
            format = *++w;
        else if (**w && count < G_N_ELEMENTS(plain))
            plain[count++] = *w;
        else if (**w)
            plain[0] = NULL;
    }
    if (plain[0])
        return screendump_find(m, plain[1], plain[2] ? g_ascii_strtoll(plain[2], NULL, 0) : 0, &n,
                               error) &&
               dump_screen(m, n, plain[0], format, error);
    error_set(error, "usage: screendump FILE [-f ppm|png] [DEVICE [HEAD]]");
    return false;
}
