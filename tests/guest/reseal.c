/* SPDX-License-Identifier: MIT */
/*
 * A recording with something in it changed, and good hashes again:
 * `reseal FILE NEW event N` alters the last byte of event N, `reseal FILE NEW arg OLD VALUE` an
 * argument of the machine's.
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

static void copy(RecordReader *r, RecordWriter *w, int altered)
{
    RecordItem item;

    while (record_next(r, &item)) {
        g_autofree uint8_t *data = g_memdup2(item.data, item.len);

        if (item.kind == RECORD_EVENT && item.len && altered-- == 0)
            data[item.len - 1] ^= 1;
        item.data = data;
        record_item(w, &item);
    }
}

int main(int argc, char **argv)
{
    RecordReader *r = argc > 4 ? record_open(argv[1], NULL) : NULL;
    bool event = r && !strcmp(argv[3], "event");
    RecordWriter *w;

    if (!r)
        return EXIT_FAILURE;
    if (!event)
        change_arg(r, argv[4], argv[5]);
    w = record_create_copy(argv[2], r, NULL);
    if (!w)
        return EXIT_FAILURE;
    copy(r, w, event ? atoi(argv[4]) : -1);
    record_close(w);
    record_reader_free(r);
    return EXIT_SUCCESS;
}
