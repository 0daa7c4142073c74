/* SPDX-License-Identifier: MIT */
/*
 * A recording with something in it changed, and good hashes again:
 * `reseal FILE NEW event N` alters the last byte of event N, `… arg OLD VALUE` an argument of the
 * machine's, `… device OLD VALUE` a name in its list of devices, `… command TEXT` adds a command of
 * the monitor's at the beginning.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "softmmu/recording.h"

static void change_arg(RecordReader *r, const char *old, const char *value)
{
    for (char **arg = record_args(r); *arg; arg++) {
        if (!strcmp(*arg, old)) {
            g_free(*arg);
            *arg = g_strdup(value);
        }
    }
}

static void change_device(RecordReader *r, const char *old, const char *value)
{
    for (char **device = record_board_shape(r); *device; device++) {
        size_t len = strcspn(*device, " ");

        if (len == strlen(old) && !memcmp(*device, old, len)) {
            char *changed = g_strconcat(value, *device + len, NULL);

            g_free(*device);
            *device = changed;
        }
    }
}

static void add_command(RecordReader *r, RecordWriter *w, const char *text)
{
    RecordStamp begin = { 0 };
    g_autofree char *event = g_strdup_printf("0 %s", text);
    unsigned channel = 0;

    while (strcmp(record_channel_names(r)[channel], "monitor"))
        channel++;
    record_event(w, &begin, channel, event, strlen(event) + 1);
}

static void copy(RecordReader *r, RecordWriter *w, int altered)
{
    RecordItem item;

    while (record_next(r, &item)) {
        g_autofree uint8_t *data = g_memdup2(item.data, item.len);

        if (item.kind == RECORD_EVENT && item.len && altered-- == 0)
            data[item.len - 1] ^= 1;
        item.data = data;
        record_item(w, r, &item);
    }
}

int main(int argc, char **argv)
{
    RecordReader *r = argc > 4 ? record_open(argv[1], NULL) : NULL;
    bool event = r && !strcmp(argv[3], "event");
    RecordWriter *w;

    if (!r)
        return EXIT_FAILURE;
    if (!strcmp(argv[3], "arg"))
        change_arg(r, argv[4], argv[5]);
    if (!strcmp(argv[3], "device"))
        change_device(r, argv[4], argv[5]);
    w = record_create_copy(argv[2], r, NULL);
    if (!w)
        return EXIT_FAILURE;
    if (!strcmp(argv[3], "command"))
        add_command(r, w, argv[4]);
    copy(r, w, event ? atoi(argv[4]) : -1);
    record_close(w);
    record_reader_free(r);
    return EXIT_SUCCESS;
}
