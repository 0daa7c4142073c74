/* SPDX-License-Identifier: MIT */
/*
 * Option arguments of the form "value,key=value,flag": the first part may go without its key, a
 * key without a value means "on", and ",," is a comma within a value. Each key has a row.
 */
#ifndef SOFTMMU_PROGRAM_OPTIONS_KEYVAL_H
#define SOFTMMU_PROGRAM_OPTIONS_KEYVAL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct KeyRow {
    const char *key; /* NULL ends the table */
    bool (*set)(void *ctx, const char *value, GError **error);
    const char *type, *help;    /* for a list of keys; NULL: not in it */
    const struct KeyRow *below; /* instead of .set: rows of "key.KEY" */
} KeyRow;

/* Call the row of each key in order; an "id" has to be one (device_check_id()). @implied is the key
 * of a bare first part; NULL: none. */
bool keyval_apply(const char *text, const char *implied, const KeyRow *rows, void *ctx,
                  GError **error);
/* Call @set for each pair in order. */
bool keyval_foreach(const char *text, const char *implied,
                    bool (*set)(void *ctx, const char *key, const char *value, GError **error),
                    void *ctx, GError **error);
/* Rows of keys that change nothing: either word will do, or only one: the other is not modelled. */
bool key_is_switch(void *ctx, const char *value, GError **error);
bool key_must_be_off(void *ctx, const char *value, GError **error);
bool key_must_be_on(void *ctx, const char *value, GError **error);
/* The same pairs as a table of strings. */
GHashTable *keyval_table(const char *text, const char *implied);

bool parse_switch(const char *text, bool *value, GError **error); /* on off yes no true false */
bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, GError **error);
/* "1.5G": bytes, with suffixes B K M G T; a plain number counts @unit bytes. */
bool parse_size(const char *text, uint64_t unit, uint64_t *bytes, GError **error);

#endif
