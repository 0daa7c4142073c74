/* SPDX-License-Identifier: MIT */
/* A hash table from 64-bit keys (not 0) to values of one size, for tools. Values move when it
 * grows. */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct Table {
    size_t value_size, n, room; /* room: a power of two, or 0 */
    uint64_t *keys;
    char *values;
} Table;

static inline size_t table_place(const Table *t, uint64_t key)
{
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15ull >> 20) & (t->room - 1);

    while (t->keys[i] && t->keys[i] != key)
        i = (i + 1) & (t->room - 1);
    return i;
}

static inline void table_grow(Table *t)
{
    Table old = *t;

    t->room = old.room ? 2 * old.room : 1024;
    t->keys = calloc(t->room, sizeof(uint64_t));
    t->values = calloc(t->room, t->value_size);
    if (!t->keys || !t->values)
        abort();
    for (size_t i = 0; i < old.room; i++) {
        if (old.keys[i]) {
            size_t at = table_place(t, old.keys[i]);
            t->keys[at] = old.keys[i];
            memcpy(t->values + at * t->value_size, old.values + i * t->value_size, t->value_size);
        }
    }
    free(old.keys);
    free(old.values);
}

/* The value of @key, zeros if it is new. */
static inline void *table_at(Table *t, uint64_t key)
{
    size_t i;

    if (2 * t->n >= t->room)
        table_grow(t);
    i = table_place(t, key);
    if (!t->keys[i]) {
        t->keys[i] = key;
        t->n++;
    }
    return t->values + i * t->value_size;
}

static inline void table_free(Table *t)
{
    free(t->keys);
    free(t->values);
    *t = (Table){ .value_size = t->value_size };
}

/* NULL: there is none. */
static inline void *table_look(const Table *t, uint64_t key)
{
    size_t i = t->room ? table_place(t, key) : 0;

    return t->room && t->keys[i] ? t->values + i * t->value_size : NULL;
}

#endif
