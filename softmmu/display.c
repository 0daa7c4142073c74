/* SPDX-License-Identifier: MIT */
#include "softmmu/display.h"

#include <string.h>

typedef struct Screen {
    char *name;
    const DisplayOps *ops;
    void *opaque;
} Screen;

struct Display {
    GArray *screens; /* Screen */
};

static void clear_screen(void *screen)
{
    g_free(((Screen *)screen)->name);
}

Display *display_new(void)
{
    Display *d = g_new0(Display, 1);

    d->screens = g_array_new(FALSE, FALSE, sizeof(Screen));
    g_array_set_clear_func(d->screens, clear_screen);
    return d;
}

void display_free(Display *d)
{
    if (!d)
        return;
    g_array_unref(d->screens);
    g_free(d);
}

void display_add(Display *d, const char *name, const DisplayOps *ops, void *opaque)
{
    Screen screen = { g_strdup(name), ops, opaque };

    if (d)
        g_array_append_val(d->screens, screen);
    else
        clear_screen(&screen);
}

void display_remove(Display *d, void *opaque)
{
    for (unsigned n = display_count(d); n-- > 0;)
        if (g_array_index(d->screens, Screen, n).opaque == opaque)
            g_array_remove_index(d->screens, n);
}

unsigned display_count(const Display *d)
{
    return d ? d->screens->len : 0;
}

static const Screen *screen(const Display *d, unsigned n)
{
    g_assert(n < display_count(d));
    return &g_array_index(d->screens, Screen, n);
}

const char *display_name(const Display *d, unsigned n)
{
    return screen(d, n)->name;
}

void display_draw(Display *d, unsigned n, Surface *s, bool lit)
{
    const Screen *of = screen(d, n);

    of->ops->draw(of->opaque, s, lit);
    g_assert(s->width && s->height);
}

bool display_text(Display *d, unsigned n, TextScreen *t)
{
    const Screen *of = screen(d, n);

    return of->ops->text && of->ops->text(of->opaque, t);
}

/* ---- Pictures ------------------------------------------------------------------------------- */

void surface_resize(Surface *s, unsigned width, unsigned height)
{
    if (s->width == width && s->height == height)
        return;
    g_free(s->pixels);
    s->pixels = g_new(uint32_t, (size_t)width * height);
    s->width = width;
    s->height = height;
}

void surface_fill(Surface *s, uint32_t pixel)
{
    for (size_t i = 0; i < (size_t)s->width * s->height; i++)
        s->pixels[i] = pixel;
}

void surface_clear(Surface *s)
{
    g_free(s->pixels);
    *s = (Surface){ 0 };
}

static bool tile_differs(const Surface *s, const Surface *before, const SurfaceRect *tile)
{
    for (unsigned y = tile->y; y < tile->y + tile->height; y++) {
        size_t at = (size_t)y * s->width + tile->x;

        if (memcmp(s->pixels + at, before->pixels + at, tile->width * sizeof(*s->pixels)))
            return true;
    }
    return false;
}

/* Neighbours in a row become one. */
static void add_rect(GArray *rects, const SurfaceRect *tile)
{
    SurfaceRect *last = rects->len ? &g_array_index(rects, SurfaceRect, rects->len - 1) : NULL;

    if (last && last->y == tile->y && last->x + last->width == tile->x)
        last->width += tile->width;
    else
        g_array_append_vals(rects, tile, 1);
}

void surface_compare(const Surface *s, const Surface *before, GArray *rects)
{
    SurfaceRect all = { 0, 0, s->width, s->height };

    if (s->width != before->width || s->height != before->height) {
        g_array_append_val(rects, all);
        return;
    }
    for (unsigned y = 0; y < s->height; y += SURFACE_TILE) {
        for (unsigned x = 0; x < s->width; x += SURFACE_TILE) {
            SurfaceRect tile = { x, y, MIN(SURFACE_TILE, s->width - x),
                                 MIN(SURFACE_TILE, s->height - y) };

            if (tile_differs(s, before, &tile))
                add_rect(rects, &tile);
        }
    }
}

/* ---- Characters ----------------------------------------------------------------------------- */

void text_screen_resize(TextScreen *t, unsigned columns, unsigned rows)
{
    if (t->columns == columns && t->rows == rows)
        return;
    g_free(t->cells);
    t->cells = g_new0(TextCell, (size_t)columns * rows);
    t->columns = columns;
    t->rows = rows;
}

void text_screen_clear(TextScreen *t)
{
    g_free(t->cells);
    *t = (TextScreen){ 0 };
}

void text_screen_print(const TextScreen *t, GString *out)
{
    for (unsigned row = 0; row < t->rows; row++) {
        gsize used = out->len;

        for (unsigned column = 0; column < t->columns; column++) {
            gunichar c = t->cells[row * t->columns + column].c;

            g_string_append_unichar(out, c);
            if (c != ' ')
                used = out->len;
        }
        g_string_truncate(out, used);
        g_string_append_c(out, '\n');
    }
}

bool display_print_text(Display *d, GString *out)
{
    TextScreen t = { 0 };
    bool found = false;

    for (unsigned n = 0; n < display_count(d) && !found; n++)
        found = display_text(d, n, &t);
    if (found)
        text_screen_print(&t, out);
    text_screen_clear(&t);
    return found;
}
