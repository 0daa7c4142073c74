/* SPDX-License-Identifier: MIT */
/*
 * A recording with something in it changed, and good hashes again:
 * `reseal FILE NEW event N` alters the last byte of event N, `… arg OLD VALUE` an argument of the
 * machine's, `… device OLD VALUE` a name in its list of devices, `… command TEXT` adds a command of
 * the monitor's at the beginning, `… mutate SEED` changes this and that at random.
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

/* ---- At random ------------------------------------------------------------------------------- */

static bool happens(GRand *rnd, int one_in)
{
    return !g_rand_int_range(rnd, 0, one_in);
}

/* A number near the one that was there, or any. */
static void shake(GRand *rnd, uint64_t *value)
{
    if (happens(rnd, 2))
        *value += g_rand_int_range(rnd, 0, 1 << g_rand_int_range(rnd, 0, 24));
    else
        *value = (uint64_t)g_rand_int(rnd) << g_rand_int_range(rnd, 0, 32);
}

static void shake_item(GRand *rnd, const RecordReader *r, RecordItem *item, uint8_t *data,
                       size_t size)
{
    switch (g_rand_int_range(rnd, 0, 8)) {
    case 0: shake(rnd, &item->at.count); break;
    case 1: shake(rnd, &item->at.time_ns); break;
    case 2: shake(rnd, &item->at.turn); break;
    case 3: shake(rnd, &item->hash); break;
    case 4: item->kind = g_rand_int_range(rnd, RECORD_EVENT, RECORD_END + 1); break;
    case 5: item->channel = g_rand_int_range(rnd, 0, g_strv_length(record_channel_names(r))); break;
    case 6: item->len = g_rand_int_range(rnd, 0, size); break;
    case 7: data[g_rand_int_range(rnd, 0, size)] = g_rand_int(rnd); break;
    }
}

static void shake_strings(GRand *rnd, char **strings, int one_in)
{
    for (; strings && *strings; strings++)
        if (**strings && happens(rnd, one_in))
            (*strings)[g_rand_int_range(rnd, 0, strlen(*strings))] ^=
                1 << g_rand_int_range(rnd, 0, 7);
}

static void mutate(RecordReader *r, RecordWriter *w, GRand *rnd)
{
    RecordItem item;

    while (record_next(r, &item)) {
        size_t size = item.len + 16;
        g_autofree uint8_t *data = g_malloc0(size);

        if (item.len)
            memcpy(data, item.data, item.len);
        item.data = data;
        if (happens(rnd, 16))
            continue;
        if (happens(rnd, 6))
            shake_item(rnd, r, &item, data, size);
        record_item(w, r, &item);
        if (happens(rnd, 16))
            record_item(w, r, &item);
    }
}

static void make_mutated(RecordReader *r, const char *path, uint32_t seed)
{
    GRand *rnd = g_rand_new_with_seed(seed);
    RecordWriter *w;

    if (happens(rnd, 8))
        shake_strings(rnd, record_args(r), 20);
    if (happens(rnd, 8))
        shake_strings(rnd, record_board_shape(r), 50);
    w = record_create_copy(path, r, NULL);
    if (w)
        mutate(r, w, rnd);
    record_close(w);
    g_rand_free(rnd);
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
    if (!strcmp(argv[3], "mutate")) {
        make_mutated(r, argv[2], atoi(argv[4]));
        record_reader_free(r);
        return EXIT_SUCCESS;
    }
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
