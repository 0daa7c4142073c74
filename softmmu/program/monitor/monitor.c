/* SPDX-License-Identifier: MIT */
/*
 * The monitor's line editor: echo, backspace, Ctrl-U, Ctrl-W, history by arrow keys, completion of
 * command names by Tab.
 */
#include "softmmu/program/monitor/monitor.h"

#include <string.h>

#include "config.h"
#include "softmmu/program/monitor/internal.h"

#define PROMPT           "(qemu) " /* scripts wait for it */
#define MONITOR_LINE_MAX 4096
#define HISTORY_MAX      64

static void put(Monitor *mon, const char *text)
{
    chardev_write(mon->chr, (const uint8_t *)text, strlen(text));
}

/* Newlines as a terminal in raw mode needs them. */
static void put_text(Monitor *mon, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_autofree char *joined = g_strjoinv("\r\n", lines);

    put(mon, joined);
}

static void greet(Monitor *mon)
{
    const char *self = g_get_prgname();
    bool alias = self && g_str_has_prefix(self, "qemu-system-"); /* for whom it says so */

    if (!mon->greeted)
        put_text(mon, alias ? "QEMU 7.2.0 monitor - type 'help' for more information\n"
                            : "Mimus " MIMUS_VERSION
                              " monitor - type 'help' for more information\n");
    mon->greeted = true;
    put(mon, PROMPT);
    put(mon, mon->line->str);
}

/* ---- The line -------------------------------------------------------------------------------- */

static void erase(Monitor *mon, size_t count)
{
    count = MIN(count, mon->line->len);
    g_string_truncate(mon->line, mon->line->len - count);
    while (count--)
        put(mon, "\b \b");
}

static void append(Monitor *mon, const char *text)
{
    if (mon->line->len + strlen(text) > MONITOR_LINE_MAX)
        return;
    g_string_append(mon->line, text);
    put(mon, text);
}

static void replace_line(Monitor *mon, const char *text)
{
    erase(mon, mon->line->len);
    append(mon, text);
}

static void erase_word(Monitor *mon)
{
    size_t keep = mon->line->len;

    while (keep && mon->line->str[keep - 1] == ' ')
        keep--;
    while (keep && mon->line->str[keep - 1] != ' ')
        keep--;
    erase(mon, mon->line->len - keep);
}

static void remember(Monitor *mon, const char *line)
{
    GPtrArray *h = mon->history;

    if (*line && !(h->len && !strcmp(h->pdata[h->len - 1], line)))
        g_ptr_array_add(h, g_strdup(line));
    if (h->len > HISTORY_MAX)
        g_ptr_array_remove_index(h, 0);
    mon->history_at = h->len;
}

static void recall(Monitor *mon, int step)
{
    int64_t at = (int64_t)mon->history_at + step;

    if (at < 0 || at > mon->history->len)
        return;
    mon->history_at = at;
    replace_line(mon, at < mon->history->len ? mon->history->pdata[at] : "");
}

static void complete(Monitor *mon)
{
    g_autoptr(GPtrArray) names = monitor_complete(mon->line->str);

    if (names->len == 1) {
        replace_line(mon, names->pdata[0]);
        append(mon, " ");
    } else if (names->len) {
        put(mon, "\r\n");
        for (unsigned i = 0; i < names->len; i++) {
            put(mon, names->pdata[i]);
            put(mon, i + 1 < names->len ? "  " : "\r\n");
        }
        put(mon, PROMPT);
        put(mon, mon->line->str);
    }
}

static void enter(Monitor *mon)
{
    g_autofree char *line = g_strdup(mon->line->str);
    g_autoptr(GString) out = g_string_new("");

    put(mon, "\r\n");
    g_string_truncate(mon->line, 0);
    remember(mon, line);
    monitor_execute(mon, line, out);
    put_text(mon, out->str);
    put(mon, PROMPT);
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* ESC [ A and the like; true if @key belonged to a sequence. */
static bool escape_key(Monitor *mon, uint8_t key)
{
    if (mon->escape == 1) {
        mon->escape = key == '[' || key == 'O' ? 2 : 0;
        return true;
    }
    if (mon->escape != 2)
        return false;
    if (g_ascii_isdigit(key) || key == ';')
        return true;
    mon->escape = 0;
    if (key == 'A')
        recall(mon, -1);
    else if (key == 'B')
        recall(mon, 1);
    return true;
}

static void plain_key(Monitor *mon, uint8_t key)
{
    char text[2] = { key, 0 };

    if (key >= 0x20 && key != 0x7f)
        append(mon, text);
}

static void take_key(Monitor *mon, uint8_t key)
{
    if (escape_key(mon, key))
        return;
    switch (key) {
    case '\r':
    case '\n': enter(mon); break;
    case '\b':
    case 0x7f: erase(mon, 1); break;
    case '\t': complete(mon); break;
    case 0x0e: /* Ctrl-N */ recall(mon, 1); break;
    case 0x10: /* Ctrl-P */ recall(mon, -1); break;
    case 0x15: /* Ctrl-U */ erase(mon, mon->line->len); break;
    case 0x17: /* Ctrl-W */ erase_word(mon); break;
    case 0x1b: mon->escape = 1; break;
    default: plain_key(mon, key);
    }
}

static size_t can_receive(void *opaque)
{
    return MONITOR_LINE_MAX;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    Monitor *mon = opaque;

    for (size_t i = 0; i < len; i++)
        take_key(mon, data[i]);
}

static void event(void *opaque, int what)
{
    Monitor *mon = opaque;

    if (what == CHARDEV_EVENT_OPENED || what == CHARDEV_EVENT_MUX_IN)
        greet(mon);
    else if (what == CHARDEV_EVENT_CLOSED)
        mon->greeted = false; /* the next peer is greeted again */
}

static const ChardevClient client = { can_receive, receive, event };

static void open_line(Monitor *mon, Chardev *chr)
{
    mon->line = g_string_new("");
    mon->history = g_ptr_array_new_with_free_func(g_free);
    mon->chr = chr;
    chardev_set_control(chr, true);
    if (chr)
        chardev_want_fds(chr); /* getfd */
    chardev_connect(chr, &client, mon);
}

Monitor *monitor_new_beside(Monitor *first, Chardev *chr)
{
    Monitor *mon = g_memdup2(first, sizeof(*first));

    g_array_ref(mon->checkpoints);
    mon->failure = NULL;
    mon->out = NULL;
    mon->greeted = mon->acting = false;
    mon->escape = mon->history_at = 0;
    open_line(mon, chr);
    return mon;
}

Monitor *monitor_new(Machine *m, RunControl *rc, const MonitorCpus *cpus,
                     const MonitorTopic *topics, Chardev *chr)
{
    Monitor *mon = g_new0(Monitor, 1);

    mon->m = m;
    mon->rc = rc;
    mon->cpus = *cpus;
    mon->topics = topics;
    mon->actor = mon;
    mon->format_letter = 'x';
    mon->format_size = 4;
    mon->checkpoints = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    mon->channel = input_add_channel(m->input, "monitor", false, monitor_act, mon);
    open_line(mon, chr);
    return mon;
}

void monitor_free(Monitor *mon)
{
    if (!mon)
        return;
    chardev_connect(mon->chr, NULL, NULL);
    g_string_free(mon->line, TRUE);
    g_ptr_array_unref(mon->history);
    g_array_unref(mon->checkpoints);
    g_free(mon->failure);
    g_free(mon);
}
