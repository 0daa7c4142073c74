/* SPDX-License-Identifier: MIT */
#include "softmmu/program/options/keyval.h"

#include <errno.h>
#include <string.h>

#include "softmmu/device.h"
#include "softmmu/error.h"

typedef struct Pair {
    char *key, *value;
} Pair;

static void pair_clear(void *p)
{
    g_free(((Pair *)p)->key);
    g_free(((Pair *)p)->value);
}

/* The next part up to a single comma; advances @text beyond it. */
static char *next_part(const char **text)
{
    GString *part = g_string_new("");
    const char *p = *text;

    for (; *p; p++) {
        if (*p == ',' && *++p != ',')
            break;
        g_string_append_c(part, *p);
    }
    *text = p;
    return g_string_free(part, FALSE);
}

static GArray *split(const char *text, const char *implied)
{
    GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
    bool first = true;

    g_array_set_clear_func(pairs, pair_clear);
    /* No text at all is an empty value, which its setter can refuse. */
    while (*text || (first && implied)) {
        g_autofree char *part = next_part(&text);
        char *equals = strchr(part, '=');
        Pair pair;

        if (equals)
            pair = (Pair){ g_strndup(part, equals - part), g_strdup(equals + 1) };
        else if (first && implied)
            pair = (Pair){ g_strdup(implied), g_strdup(part) };
        else
            pair = (Pair){ g_strdup(part), g_strdup("on") };
        g_array_append_val(pairs, pair);
        first = false;
    }
    return pairs;
}

static const KeyRow *find_row(const KeyRow *rows, const char *key)
{
    for (; rows->key; rows++) {
        size_t len = strlen(rows->key);

        if (rows->below && g_str_has_prefix(key, rows->key) && key[len] == '.')
            return find_row(rows->below, key + len + 1);
        if (rows->set && !strcmp(rows->key, key))
            return rows;
    }
    return NULL;
}

bool keyval_apply(const char *text, const char *implied, const KeyRow *rows, void *ctx,
                  GError **error)
{
    g_autoptr(GArray) pairs = split(text, implied);

    for (unsigned i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);
        const KeyRow *row = find_row(rows, pair->key);

        if (!row) {
            error_set(error, "unknown parameter '%s'", pair->key);
            return false;
        }
        if ((!strcmp(pair->key, "id") && !device_check_id(pair->value, error)) ||
            !row->set(ctx, pair->value, error)) {
            if (!implied || strcmp(implied, pair->key))
                g_prefix_error(error, "%s: ", pair->key);
            return false;
        }
    }
    return true;
}

bool keyval_foreach(const char *text, const char *implied,
                    bool (*set)(void *ctx, const char *key, const char *value, GError **error),
                    void *ctx, GError **error)
{
    g_autoptr(GArray) pairs = split(text, implied);

    for (unsigned i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);

        if (!set(ctx, pair->key, pair->value, error))
            return false;
    }
    return true;
}

GHashTable *keyval_table(const char *text, const char *implied)
{
    g_autoptr(GArray) pairs = split(text, implied);
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

    for (unsigned i = 0; i < pairs->len; i++) {
        const Pair *pair = &g_array_index(pairs, Pair, i);

        g_hash_table_replace(table, g_strdup(pair->key), g_strdup(pair->value));
    }
    return table;
}

bool parse_switch(const char *text, bool *value, GError **error)
{
    static const char *const words[] = { "off", "on", "no", "yes", "false", "true" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!strcmp(text, words[i])) {
            *value = i & 1;
            return true;
        }
    }
    error_set(error, "'%s' is neither 'on' nor 'off'", text);
    return false;
}

bool key_is_switch(void *ctx, const char *value, GError **error)
{
    bool ignored;

    return parse_switch(value, &ignored, error);
}

static bool must_be(bool wanted, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (on == wanted)
        return true;
    error_set(error, "only '%s' is supported yet", wanted ? "on" : "off");
    return false;
}

bool key_must_be_off(void *ctx, const char *value, GError **error)
{
    return must_be(false, value, error);
}

bool key_must_be_on(void *ctx, const char *value, GError **error)
{
    return must_be(true, value, error);
}

bool parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *value, GError **error)
{
    char *end;

    errno = 0;
    *value = g_ascii_strtoull(text, &end, 0);
    if (!g_ascii_isdigit(*text) || *end || errno || *value < min || *value > max) {
        error_set(error, "'%s' is not a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                  text, min, max);
        return false;
    }
    return true;
}

static bool unit_of(const char *suffix, uint64_t *unit)
{
    static const char letters[] = "BKMGT";
    const char *found = *suffix ? strchr(letters, g_ascii_toupper(*suffix)) : NULL;

    if (!*suffix)
        return true; /* the caller's unit */
    if (!found || suffix[1])
        return false;
    *unit = UINT64_C(1) << 10 * (found - letters);
    return true;
}

bool parse_size(const char *text, uint64_t unit, uint64_t *bytes, GError **error)
{
    char *end = NULL;
    double value = g_ascii_isdigit(*text) ? g_ascii_strtod(text, &end) : -1;

    if (value < 0 || !unit_of(end, &unit) || value * unit >= 0x1p63) {
        error_set(error, "'%s' is not a size: a number with an optional suffix K, M, G or T", text);
        return false;
    }
    *bytes = value * unit;
    return true;
}
