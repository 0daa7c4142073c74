/* SPDX-License-Identifier: MIT */
/* Options of the graphics card, and of what shows it here. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"
#include "softmmu/ui/layout.h"

static bool is_one_of(const char *text, const char *const *list)
{
    while (*list && strcmp(*list, text))
        list++;
    return *list;
}

bool opt_vga(Options *o, const char *arg, GError **error)
{
    static const char *const known[] = { "std", "cirrus", "none", NULL };
    static const char *const missing[] = { "vmware", "qxl", "xenfb", "virtio", NULL };

    if (is_help(arg)) {
        options_answer(o, ANSWER_TEXT);
        g_string_append(o->answer, "none                 no graphics card\n"
                                   "std                  VGA with Bochs VBE (default)\n"
                                   "cirrus               Cirrus Logic CL-GD5446\n");
        return true;
    }
    g_free(o->config.vga);
    o->config.vga = g_strdup(arg);
    if (is_one_of(arg, known))
        return true;
    if (is_one_of(arg, missing))
        error_set(error, "not supported yet; use std, cirrus or none");
    else
        error_set(error, "unknown vga type: %s", arg);
    return false;
}

/* ---- -display -------------------------------------------------------------------------------- */

static bool set_sdl_type(void *ctx, const char *value, GError **error)
{
    return true;
}

static bool set_grab(void *ctx, const char *value, GError **error)
{
    static const char *const names[] = {
        [SDL_GRAB_CTRL_ALT] = "lctrl-lalt",
        [SDL_GRAB_CTRL_ALT_SHIFT] = "lshift-lctrl-lalt",
        [SDL_GRAB_CTRL_R] = "rctrl",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strcmp(names[i], value)) {
            ((SdlOptions *)ctx)->grab = i;
            return true;
        }
    }
    error_set(error, "one of lctrl-lalt, lshift-lctrl-lalt, rctrl");
    return false;
}

static bool set_full_screen(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((SdlOptions *)ctx)->full_screen, error);
}

static bool set_window_close(void *ctx, const char *value, GError **error)
{
    bool closes;

    if (!parse_switch(value, &closes, error))
        return false;
    ((SdlOptions *)ctx)->stays = !closes;
    return true;
}

static const KeyRow sdl_keys[] = {
    { "type", set_sdl_type },
    { "gl", key_must_be_off },
    { "grab-mod", set_grab },
    { "full-screen", set_full_screen },
    { "window-close", set_window_close },
    { NULL },
};

/* "vnc=…" is -vnc in other words. */
static bool set_display(Options *o, const char *arg, GError **error)
{
    static const char *const known[] = { "none", "curses", NULL };

    if (g_str_has_prefix(arg, "vnc="))
        return opt_vnc(o, arg + strlen("vnc="), error);
    if (!strcmp(o->display, "sdl"))
        return keyval_apply(arg, "type", sdl_keys, &o->sdl, error);
    if (is_one_of(arg, known))
        return true;
    error_set(error, "not supported; use sdl, vnc=[HOST]:DISPLAY, curses or none");
    return false;
}

bool opt_display(Options *o, const char *arg, GError **error)
{
    bool is_sdl = g_str_has_prefix(arg, "sdl,") || !strcmp(arg, "sdl");

    if (is_help(arg)) {
        options_answer(o, ANSWER_TEXT);
        g_string_append(o->answer, "Available display backend types:\nnone\ncurses\nsdl\nvnc\n");
        return true;
    }
    g_free(o->display);
    o->display = g_strdup(is_sdl ? "sdl" : arg);
    return set_display(o, arg, error);
}

bool opt_full_screen(Options *o, const char *arg, GError **error)
{
    o->sdl.full_screen = true;
    return true;
}

bool options_check_display(const Options *o, GError **error)
{
    if (!o->sdl.full_screen || !g_strcmp0(o->display, "sdl"))
        return true;
    error_set(error, "-full-screen: there is no window (-display sdl opens one)");
    return false;
}

/* ---- -vnc ------------------------------------------------------------------------------------ */

static bool set_vnc_address(void *ctx, const char *value, GError **error)
{
    VncOptions *v = ctx;

    g_free(v->address);
    v->address = strcmp(value, "none") ? g_strdup(value) : NULL;
    return true;
}

static bool set_vnc_to(void *ctx, const char *value, GError **error)
{
    char *end;
    uint64_t to = g_ascii_strtoull(value, &end, 10);

    ((VncOptions *)ctx)->to = to;
    if (*value && !*end && to < 60000)
        return true;
    error_set(error, "'%s' is not the number of a display", value);
    return false;
}

static bool set_vnc_share(void *ctx, const char *value, GError **error)
{
    static const char *const names[] = {
        [VNC_SHARE_ALLOW_EXCLUSIVE] = "allow-exclusive",
        [VNC_SHARE_FORCE_SHARED] = "force-shared",
        [VNC_SHARE_IGNORE] = "ignore",
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strcmp(names[i], value)) {
            ((VncOptions *)ctx)->share = i;
            return true;
        }
    }
    error_set(error, "one of allow-exclusive, force-shared, ignore");
    return false;
}

static bool set_vnc_password(void *ctx, const char *value, GError **error)
{
    VncOptions *v = ctx;

    if (!parse_switch(value, &v->password, error))
        return false;
    if (!v->password || vnc_has_passwords())
        return true;
    error_set(error, "this build was made without nettle");
    return false;
}

/* options/object.c reads it when all options are known. */
static bool set_vnc_secret(Options *o, const char *value, GError **error)
{
    g_free(o->vnc_secret);
    o->vnc_secret = g_strdup(value);
    return set_vnc_password(&o->vnc, "on", error);
}

/* Sound goes nowhere, whatever it is called: there is none. */
static bool set_vnc_audio(void *ctx, const char *value, GError **error)
{
    if (*value)
        return true;
    error_set(error, "the name of an -audiodev is missing");
    return false;
}

static bool set_vnc_device(void *ctx, const char *value, GError **error)
{
    VncOptions *v = ctx;

    g_free(v->device);
    v->device = g_strdup(value);
    return true;
}

static bool set_vnc_head(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, 255, &((VncOptions *)ctx)->head, error);
}

static const KeyRow vnc_keys[] = {
    { "vnc", set_vnc_address },    { "to", set_vnc_to },
    { "share", set_vnc_share },    { "password", set_vnc_password },
    { "audiodev", set_vnc_audio }, { "display", set_vnc_device },
    { "head", set_vnc_head },      { NULL },
};

bool opt_vnc(Options *o, const char *arg, GError **error)
{
    static const char key[] = ",password-secret=";
    const char *secret = strstr(arg, key);
    g_autofree char *id =
        secret ? g_strndup(secret + strlen(key), strcspn(secret + strlen(key), ",")) : NULL;
    g_autofree char *rest = secret ? g_strdup_printf("%.*s%s", (int)(secret - arg), arg,
                                                     secret + strlen(key) + strlen(id))
                                   : g_strdup(arg);

    o->vnc_given = true;
    return keyval_apply(rest, "vnc", vnc_keys, &o->vnc, error) &&
           (!id || set_vnc_secret(o, id, error));
}

bool opt_keyboard_layout(Options *o, const char *arg, GError **error)
{
    return layout_set(arg, error);
}
