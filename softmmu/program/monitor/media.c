/* SPDX-License-Identifier: MIT */
/* Monitor commands that change media: change, eject. */
#include <string.h>

#include "softmmu/block/drive.h"
#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"

/* Words of @args; *@force: they began with -f. */
static char **split_words(const char *args, bool *force)
{
    g_autofree char *text = g_strstrip(g_strdup(args));
    const char *rest = text;

    *force = g_str_has_prefix(text, "-f ");
    if (*force)
        rest += 3;
    return g_regex_split_simple("[ \t]+", rest, G_REGEX_RAW, 0);
}

static Drive *find_drive(Monitor *mon, const char *id, GString *out)
{
    Drive *d = id && *id ? drive_find(mon->m->root, id) : NULL;

    if (!d)
        g_string_append_printf(out, "Error: Device '%s' not found\n", id ? id : "");
    return d;
}

static void print_error(const GError *error, GString *out)
{
    if (error)
        g_string_append_printf(out, "Error: %s\n", error->message);
}

void monitor_eject(Monitor *mon, const char *args, GString *out)
{
    bool force;
    g_auto(GStrv) words = split_words(args, &force);
    g_autoptr(GError) error = NULL;
    Drive *d = find_drive(mon, words[0], out);

    if (d)
        drive_eject(d, force, &error);
    print_error(error, out);
}

static bool parse_mode(const char *mode, bool *read_only, GString *out)
{
    if (!mode || !strcmp(mode, "retain"))
        return true;
    *read_only = !strcmp(mode, "read-only");
    if (*read_only || !strcmp(mode, "read-write"))
        return true;
    g_string_append_printf(out, "Error: '%s' is none of retain, read-only, read-write\n", mode);
    return false;
}

void monitor_change(Monitor *mon, const char *args, GString *out)
{
    bool force;
    g_auto(GStrv) words = split_words(args, &force);
    unsigned n = g_strv_length(words);
    const char *format = n > 2 ? words[2] : NULL, *mode = n > 3 ? words[3] : NULL;
    g_autoptr(GError) error = NULL;
    Drive *d = find_drive(mon, words[0], out);
    ImageOpen how = { .format = format };

    if (!d)
        return;
    if (n < 2) {
        g_string_append(out, "Error: which file?\n");
        return;
    }
    how.path = words[1];
    how.read_only = drive_is_for_reading(d);
    if (parse_mode(mode, &how.read_only, out))
        drive_insert(d, &how, force, &error);
    print_error(error, out);
}
