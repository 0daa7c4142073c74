/* SPDX-License-Identifier: MIT */
/*
 * The window belongs to the main thread, which asks SDL for events 60 times a second. The library
 * is loaded when a window is wanted: it brings some thirty others, which every start would pay for.
 * Missing: sound, the host's pointer where the guest's is, several windows.
 */
#include "softmmu/ui/sdl.h"

#include "config.h"
#include "softmmu/error.h"

#if HAVE_SDL
#include <SDL.h>
#include <dlfcn.h>
#include <string.h>

#include "softmmu/ui/keys.h"

enum { POLL_MS = 16, FIRST_WIDTH = 720, FIRST_HEIGHT = 400, KEYS = 256 };

#define LIBRARY "libSDL2-2.0.so.0"

/* ---- The library ------------------------------------------------------------------------------
 */

#define FUNCTIONS(F)        \
    F(CreateRenderer)       \
    F(CreateTexture)        \
    F(CreateWindow)         \
    F(DestroyRenderer)      \
    F(DestroyTexture)       \
    F(DestroyWindow)        \
    F(EnableScreenSaver)    \
    F(GetError)             \
    F(Init)                 \
    F(PollEvent)            \
    F(Quit)                 \
    F(RenderClear)          \
    F(RenderCopy)           \
    F(RenderPresent)        \
    F(RenderSetLogicalSize) \
    F(SetHint)              \
    F(SetRelativeMouseMode) \
    F(SetWindowFullscreen)  \
    F(SetWindowGrab)        \
    F(SetWindowSize)        \
    F(SetWindowTitle)       \
    F(UpdateTexture)

#define MEMBER(f) __typeof__(SDL_##f) *f;
typedef struct Library {
    void *handle;
    FUNCTIONS(MEMBER)
} Library;

static bool load(Library *l, GError **error)
{
#define ROW(f) { "SDL_" #f, offsetof(Library, f) },
    static const struct {
        const char *name;
        size_t offset;
    } rows[] = { FUNCTIONS(ROW) };

    l->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!l->handle) {
        error_set(error, "%s", dlerror());
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        void *f = dlsym(l->handle, rows[i].name);

        if (!f) {
            error_set(error, "%s has no %s", LIBRARY, rows[i].name);
            return false;
        }
        memcpy((char *)l + rows[i].offset, &f, sizeof(f));
    }
    return true;
}

/* ---- The window -------------------------------------------------------------------------------
 */

struct SdlScreen {
    Library lib;
    bool is_up; /* SDL_Init() has been called */
    Hid *hid;
    Viewer *viewer;
    SdlOptions options;
    char *title;
    void (*quit)(void *opaque);
    void *opaque;
    SDL_Window *window;
    SDL_Renderer *renderer;
    SDL_Texture *texture; /* of the size of @shown */
    Surface shown;
    guint poll;
    bool grabbed, full_screen;
    bool by_user; /* the window has the size that somebody gave it */
    bool down[KEYS];
    uint8_t buttons;
};

static void present(SdlScreen *s)
{
    s->lib.RenderClear(s->renderer);
    if (s->texture)
        s->lib.RenderCopy(s->renderer, s->texture, NULL, NULL);
    s->lib.RenderPresent(s->renderer);
}

static void fit_window(SdlScreen *s)
{
    if (!s->full_screen && s->shown.width)
        s->lib.SetWindowSize(s->window, s->shown.width, s->shown.height);
}

/* The picture is scaled to the window, and keeps its shape. */
static void new_texture(SdlScreen *s)
{
    if (s->texture)
        s->lib.DestroyTexture(s->texture);
    s->texture = s->lib.CreateTexture(s->renderer, SDL_PIXELFORMAT_RGB888,
                                      SDL_TEXTUREACCESS_STREAMING, s->shown.width, s->shown.height);
    s->lib.RenderSetLogicalSize(s->renderer, s->shown.width, s->shown.height);
    if (!s->by_user)
        fit_window(s);
}

static void update(SdlScreen *s, const SurfaceRect *r)
{
    SDL_Rect where = { r->x, r->y, r->width, r->height };
    const uint32_t *from = s->shown.pixels + (size_t)r->y * s->shown.width + r->x;

    s->lib.UpdateTexture(s->texture, &where, from, s->shown.width * sizeof(*from));
}

static bool seen(void *opaque, ViewerFrame *frame)
{
    SdlScreen *s = opaque;
    g_autoptr(GArray) rects = g_array_new(FALSE, FALSE, sizeof(SurfaceRect));
    Surface before = s->shown;
    bool other = before.width != frame->surface.width || before.height != frame->surface.height;

    surface_compare(&frame->surface, &before, rects);
    s->shown = frame->surface; /* the next one is drawn over the one before */
    frame->surface = before;
    if (other)
        new_texture(s);
    for (guint i = 0; s->texture && i < rects->len; i++)
        update(s, &g_array_index(rects, SurfaceRect, i));
    if (rects->len)
        present(s);
    return rects->len;
}

static void set_title(SdlScreen *s)
{
    static const char *const names[] = { "Ctrl-Alt-G", "Ctrl-Alt-Shift-G", "Right Ctrl-G" };
    g_autofree char *title =
        g_strdup_printf("%s - %s gives the mouse back", s->title, names[s->options.grab]);

    s->lib.SetWindowTitle(s->window, s->grabbed ? title : s->title);
}

static void grab(SdlScreen *s, bool take)
{
    if (s->grabbed == take)
        return;
    s->grabbed = take;
    s->lib.SetRelativeMouseMode(take ? SDL_TRUE : SDL_FALSE);
    s->lib.SetWindowGrab(s->window, take ? SDL_TRUE : SDL_FALSE);
    set_title(s);
}

static void set_full_screen(SdlScreen *s, bool full)
{
    s->full_screen = full;
    s->lib.SetWindowFullscreen(s->window, full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0);
    grab(s, full);
}

/* ---- Keys -------------------------------------------------------------------------------------
 */

/* By SDL's scancodes, which are the usages of USB; 0: no key of a PC's. */
static const uint8_t keys[SDL_NUM_SCANCODES] = {
    [SDL_SCANCODE_A] = 0x1e,
    0x30,
    0x2e,
    0x20,
    0x12,
    0x21,
    0x22,
    0x23,
    0x17,
    0x24,
    0x25,
    0x26,
    0x32,
    [SDL_SCANCODE_N] = 0x31,
    0x18,
    0x19,
    0x10,
    0x13,
    0x1f,
    0x14,
    0x16,
    0x2f,
    0x11,
    0x2d,
    0x15,
    0x2c,
    [SDL_SCANCODE_1] = 0x02,
    0x03,
    0x04,
    0x05,
    0x06,
    0x07,
    0x08,
    0x09,
    0x0a,
    0x0b,
    [SDL_SCANCODE_RETURN] = 0x1c,
    0x01,
    0x0e,
    0x0f,
    0x39,
    0x0c,
    0x0d,
    0x1a,
    0x1b,
    0x2b,
    0x2b,
    0x27,
    [SDL_SCANCODE_APOSTROPHE] = 0x28,
    0x29,
    0x33,
    0x34,
    0x35,
    0x3a,
    [SDL_SCANCODE_F1] = 0x3b,
    0x3c,
    0x3d,
    0x3e,
    0x3f,
    0x40,
    0x41,
    0x42,
    0x43,
    0x44,
    0x57,
    0x58,
    [SDL_SCANCODE_PRINTSCREEN] = KEYS_PRINT,
    0x46,
    KEYS_PAUSE,
    0xd2,
    0xc7,
    0xc9,
    0xd3,
    0xcf,
    0xd1,
    [SDL_SCANCODE_RIGHT] = 0xcd,
    0xcb,
    0xd0,
    0xc8,
    0x45,
    0xb5,
    0x37,
    0x4a,
    0x4e,
    0x9c,
    [SDL_SCANCODE_KP_1] = 0x4f,
    0x50,
    0x51,
    0x4b,
    0x4c,
    0x4d,
    0x47,
    0x48,
    0x49,
    0x52,
    0x53,
    0x56,
    [SDL_SCANCODE_APPLICATION] = 0xdd,
    [SDL_SCANCODE_KP_EQUALS] = 0x59,
    [SDL_SCANCODE_KP_COMMA] = 0x7e,
    [SDL_SCANCODE_INTERNATIONAL1] = 0x73,
    0x70,
    0x7d,
    0x79,
    0x7b,
    [SDL_SCANCODE_LCTRL] = KEYS_CTRL,
    KEYS_SHIFT,
    KEYS_ALT,
    0xdb,
    [SDL_SCANCODE_RCTRL] = KEYS_CTRL_R,
    KEYS_SHIFT_R,
    KEYS_ALT_R,
    0xdc,
};

static void send_key(SdlScreen *s, uint8_t key, bool down)
{
    s->down[key] = down;
    if (s->hid)
        hid_post_key(s->hid, key, down);
    viewer_hurry(s->viewer);
}

/* Somebody else hears the keyboard from now on. */
static void release_keys(SdlScreen *s)
{
    for (unsigned key = 0; key < KEYS; key++)
        if (s->down[key])
            send_key(s, key, false);
}

static bool has_modifiers(const SdlScreen *s, SDL_Keymod mod)
{
    switch (s->options.grab) {
    case SDL_GRAB_CTRL_R: return mod & KMOD_RCTRL;
    case SDL_GRAB_CTRL_ALT_SHIFT:
        return (mod & KMOD_LCTRL) && (mod & KMOD_LALT) && (mod & KMOD_LSHIFT);
    default: return (mod & KMOD_LCTRL) && (mod & KMOD_LALT);
    }
}

/* False: the key is the guest's. */
static bool take_command(SdlScreen *s, SDL_Scancode code)
{
    switch (code) {
    case SDL_SCANCODE_G: grab(s, !s->grabbed); break;
    case SDL_SCANCODE_F: set_full_screen(s, !s->full_screen); break;
    case SDL_SCANCODE_U:
        s->by_user = false;
        fit_window(s);
        break;
    default:
        if (code < SDL_SCANCODE_1 || code > SDL_SCANCODE_9)
            return false;
        viewer_choose(s->viewer, code - SDL_SCANCODE_1);
    }
    release_keys(s);
    return true;
}

static void key_event(SdlScreen *s, const SDL_KeyboardEvent *e)
{
    uint8_t key = e->keysym.scancode < SDL_NUM_SCANCODES ? keys[e->keysym.scancode] : 0;
    bool down = e->type == SDL_KEYDOWN;

    if (down && has_modifiers(s, e->keysym.mod) &&
        (e->repeat || take_command(s, e->keysym.scancode)))
        return;
    if (key && (down || s->down[key]))
        send_key(s, key, down);
}

/* ---- Mouse ------------------------------------------------------------------------------------
 */

static void send_motion(SdlScreen *s, int dx, int dy, int dz)
{
    HidMotion m = { CLAMP(dx, INT16_MIN, INT16_MAX), CLAMP(dy, INT16_MIN, INT16_MAX),
                    CLAMP(dz, INT8_MIN, INT8_MAX), s->buttons };

    if (s->hid)
        hid_post_motion(s->hid, &m);
    viewer_hurry(s->viewer);
}

static void button_event(SdlScreen *s, const SDL_MouseButtonEvent *e)
{
    static const uint8_t buttons[] = { 0, HID_LEFT, HID_MIDDLE, HID_RIGHT };
    uint8_t button = e->button < G_N_ELEMENTS(buttons) ? buttons[e->button] : 0;

    if (!s->grabbed) {
        if (e->type == SDL_MOUSEBUTTONDOWN && e->button == SDL_BUTTON_LEFT)
            grab(s, true);
        return;
    }
    s->buttons = e->type == SDL_MOUSEBUTTONDOWN ? s->buttons | button : s->buttons & ~button;
    send_motion(s, 0, 0, 0);
}

/* ---- Events -----------------------------------------------------------------------------------
 */

static void window_event(SdlScreen *s, const SDL_WindowEvent *e)
{
    switch (e->event) {
    case SDL_WINDOWEVENT_EXPOSED:
    case SDL_WINDOWEVENT_SIZE_CHANGED: present(s); break;
    case SDL_WINDOWEVENT_RESIZED: /* not by us */
        s->by_user |= !s->full_screen &&
                      (e->data1 != (int)s->shown.width || e->data2 != (int)s->shown.height);
        break;
    case SDL_WINDOWEVENT_FOCUS_LOST:
        release_keys(s);
        grab(s, false);
        break;
    case SDL_WINDOWEVENT_MINIMIZED:
    case SDL_WINDOWEVENT_HIDDEN: viewer_watch(s->viewer, false); break;
    case SDL_WINDOWEVENT_RESTORED:
    case SDL_WINDOWEVENT_SHOWN: viewer_watch(s->viewer, true); break;
    default: break;
    }
}

static void event(SdlScreen *s, const SDL_Event *e)
{
    switch (e->type) {
    case SDL_KEYDOWN:
    case SDL_KEYUP: key_event(s, &e->key); break;
    case SDL_MOUSEMOTION:
        if (s->grabbed)
            send_motion(s, e->motion.xrel, e->motion.yrel, 0);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP: button_event(s, &e->button); break;
    case SDL_MOUSEWHEEL:
        if (s->grabbed)
            send_motion(s, 0, 0, -e->wheel.y);
        break;
    case SDL_WINDOWEVENT: window_event(s, &e->window); break;
    case SDL_QUIT:
        if (!s->options.stays)
            s->quit(s->opaque);
        break;
    default: break;
    }
}

static gboolean poll_events(void *opaque)
{
    SdlScreen *s = opaque;
    SDL_Event e;

    while (s->lib.PollEvent(&e))
        event(s, &e);
    return G_SOURCE_CONTINUE;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static bool open_window(SdlScreen *s, GError **error)
{
    /* Signals are the program's. */
    s->lib.SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    s->lib.SetHint(SDL_HINT_WINDOWS_NO_CLOSE_ON_ALT_F4, "1");
    s->lib.SetHint(SDL_HINT_GRAB_KEYBOARD, "1");
    s->is_up = !s->lib.Init(SDL_INIT_VIDEO);
    if (s->is_up) {
        s->window = s->lib.CreateWindow(s->title, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                        FIRST_WIDTH, FIRST_HEIGHT, SDL_WINDOW_RESIZABLE);
    }
    if (s->window)
        s->renderer = s->lib.CreateRenderer(s->window, -1, 0);
    if (!s->renderer) {
        error_set(error, "%s", s->lib.GetError());
        return false;
    }
    s->lib.EnableScreenSaver();
    set_title(s);
    if (s->options.full_screen)
        set_full_screen(s, true);
    return true;
}

static void close_window(SdlScreen *s)
{
    if (s->texture)
        s->lib.DestroyTexture(s->texture);
    if (s->renderer)
        s->lib.DestroyRenderer(s->renderer);
    if (s->window)
        s->lib.DestroyWindow(s->window);
    if (s->is_up)
        s->lib.Quit();
    if (s->lib.handle)
        dlclose(s->lib.handle);
}

SdlScreen *sdl_new(const ViewerScreen *screen, const SdlOptions *options, const char *title,
                   void (*quit)(void *opaque), void *opaque, GError **error)
{
    SdlScreen *s = g_new0(SdlScreen, 1);

    s->hid = screen->hid;
    s->options = *options;
    s->title = g_strdup(title);
    s->quit = quit;
    s->opaque = opaque;
    if (!load(&s->lib, error) || !open_window(s, error)) {
        sdl_free(s);
        return NULL;
    }
    s->viewer = viewer_new(screen, false, seen, s);
    s->poll = g_timeout_add(POLL_MS, poll_events, s);
    viewer_watch(s->viewer, true);
    return s;
}

void sdl_free(SdlScreen *s)
{
    if (!s)
        return;
    if (s->poll)
        g_source_remove(s->poll);
    viewer_free(s->viewer);
    close_window(s);
    surface_clear(&s->shown);
    g_free(s->title);
    g_free(s);
}
#else
SdlScreen *sdl_new(const ViewerScreen *screen, const SdlOptions *options, const char *title,
                   void (*quit)(void *opaque), void *opaque, GError **error)
{
    error_set(error, "this build was made without SDL 2 (libsdl2-dev)");
    return NULL;
}

void sdl_free(SdlScreen *s)
{
}
#endif
