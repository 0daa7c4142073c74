/* SPDX-License-Identifier: MIT */
/* Hands on keyboard and mouse, eyes on the screen: sendkey, mouse_*, info mice, info vnc. */
#include <stdlib.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"
#include "softmmu/ui/keys.h"
#include "softmmu/ui/vnc.h"

/* Up to @max whole numbers; how many there were, -1: something else. */
static int take_numbers(const char *args, int64_t *values, int max)
{
    g_auto(GStrv) words = g_strsplit_set(args, " \t", -1);
    int count = 0;

    for (char **w = words; *w; w++) {
        char *end;

        if (!**w)
            continue;
        if (count == max)
            return -1;
        values[count++] = g_ascii_strtoll(*w, &end, 0);
        if (*end)
            return -1;
    }
    return count;
}

void monitor_sendkey(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    int64_t hold_ms = KEYS_HOLD_MS;
    uint8_t keys[KEYS_MAX];
    unsigned count = keys_parse(words[0] ? words[0] : "", keys, &error);

    if (!count)
        monitor_fail(mon, out, error->message);
    else if (words[1] && (take_numbers(words[1], &hold_ms, 1) < 0 || hold_ms < 0))
        monitor_fail(mon, out, "how long is in milliseconds");
    else
        keys_press(mon->m->hid, keys, count, hold_ms ? MIN(hold_ms, UINT32_MAX) : KEYS_HOLD_MS);
}

void monitor_mouse_move(Monitor *mon, const char *args, GString *out)
{
    int64_t by[3] = { 0 };

    if (take_numbers(args, by, 3) < 2)
        monitor_fail(mon, out, "usage: mouse_move dx dy [dz]");
    else
        hid_motion(mon->m->hid, &(HidMotion){ .dx = CLAMP(by[0], INT16_MIN, INT16_MAX),
                                              .dy = CLAMP(by[1], INT16_MIN, INT16_MAX),
                                              .dz = CLAMP(by[2], INT8_MIN, INT8_MAX),
                                              .buttons = hid_buttons(mon->m->hid) });
}

void monitor_mouse_button(Monitor *mon, const char *args, GString *out)
{
    int64_t buttons;

    if (take_numbers(args, &buttons, 1) != 1 || buttons < 0 || buttons > 7)
        monitor_fail(mon, out, "which buttons? The sum of 1 left, 2 middle, 4 right");
    else
        hid_motion(mon->m->hid, &(HidMotion){ .buttons = buttons });
}

void monitor_mouse_set(Monitor *mon, const char *args, GString *out)
{
    int64_t n;
    g_autofree char *why = g_strdup_printf("Mouse at index '%s' not found", args);

    if (take_numbers(args, &n, 1) == 1 && n >= 0 && n < hid_mouse_count(mon->m->hid))
        hid_choose_mouse(mon->m->hid, n);
    else
        monitor_tell(mon, out, why);
}

void monitor_info_mice(Monitor *mon, const char *args, GString *out)
{
    const Hid *h = mon->m->hid;

    for (unsigned n = 0; n < hid_mouse_count(h); n++)
        g_string_append_printf(out, "%c Mouse #%u: %s\n", n == hid_mouse(h) ? '*' : ' ', n,
                               hid_mouse_name(h, n));
    if (!hid_mouse_count(h))
        g_string_append(out, "No mouse devices connected\n");
}

void monitor_set_vnc(Monitor *mon, VncServer *vnc)
{
    mon->vnc = vnc;
}

void monitor_info_vnc(Monitor *mon, const char *args, GString *out)
{
    vnc_print(mon->vnc, out);
}
