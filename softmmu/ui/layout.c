/* SPDX-License-Identifier: MIT */
#include "softmmu/ui/layout.h"

#include <string.h>
#include <xkbcommon/xkbcommon.h>

#include "softmmu/error.h"

/* Where QEMU's names are not XKB's, and where the plain layout of a country is not what is meant.
 */
static const struct {
    const char *name, *layout, *variant;
} names[] = {
    { "bepo", "fr", "bepo" }, { "da", "dk" },    { "de", "de", "nodeadkeys" },
    { "de-ch", "ch" },        { "en-gb", "gb" }, { "en-us", "us" },
    { "et", "ee" },           { "ar", "ara" },   { "fr", "fr", "nodeadkeys" },
    { "fr-be", "be" },        { "fr-ca", "ca" }, { "fr-ch", "ch", "fr" },
    { "ja", "jp" },           { "pt-br", "br" }, { "sl", "si" },
    { "sv", "se" },
};

enum {
    XKB_OFFSET = 8, /* XKB's key codes are Linux's and this */
    LEVELS = 4,     /* further ones need more than Shift and AltGr */
    NO_CHARACTER = 1u << 31,
};

/* Keys with characters: Linux's codes are those of set 1, but for two of Japan and Brazil. */
static const struct {
    uint8_t first, last, key;
} ranges[] = { { 0x02, 0x0d, 0x02 }, { 0x10, 0x1b, 0x10 }, { 0x1e, 0x29, 0x1e },
               { 0x2b, 0x35, 0x2b }, { 0x39, 0x39, 0x39 }, { 0x56, 0x56, 0x56 },
               { 89, 89, 0x73 },     { 124, 124, 0x7d } };

static GHashTable *places; /* by meaning(): key << 8 | level; NULL: en-us, which keys.c knows */
static bool has_altgr;

/* One number for what has several keysyms: é is 0xe9 and 0x10000e9. */
static uint32_t meaning(uint32_t keysym)
{
    uint32_t character = xkb_keysym_to_utf32(keysym);

    return character ? character : keysym | NO_CHARACTER;
}

static void add_level(GHashTable *into, struct xkb_keymap *map, unsigned code, uint8_t key,
                      unsigned level)
{
    const xkb_keysym_t *syms;
    int count = xkb_keymap_key_get_syms_by_level(map, code + XKB_OFFSET, 0, level, &syms);
    gpointer what;

    if (count != 1)
        return;
    what = GUINT_TO_POINTER(meaning(syms[0]));
    if (g_hash_table_contains(into, what))
        return;
    g_hash_table_insert(into, what, GUINT_TO_POINTER(key << 8 | (KEYS_PLAIN + level)));
    has_altgr |= level >= 2;
}

/* The lowest level first: it takes the fewest fingers. */
static GHashTable *read_places(struct xkb_keymap *map)
{
    GHashTable *into = g_hash_table_new(NULL, NULL);

    for (unsigned level = 0; level < LEVELS; level++)
        for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
            for (unsigned code = ranges[i].first; code <= ranges[i].last; code++)
                add_level(into, map, code, ranges[i].key + (code - ranges[i].first), level);
    return into;
}

static bool read_rules(struct xkb_context *context, const struct xkb_rule_names *rules)
{
    struct xkb_keymap *map = xkb_keymap_new_from_names(context, rules, XKB_KEYMAP_COMPILE_NO_FLAGS);

    if (!map)
        return false;
    g_clear_pointer(&places, g_hash_table_destroy);
    has_altgr = false;
    places = read_places(map);
    xkb_keymap_unref(map);
    return true;
}

/* "us(dvorak)" is XKB's way to write a variant. */
static bool read_layout(struct xkb_context *context, const char *name)
{
    g_auto(GStrv) parts = g_strsplit_set(name, "()", 3);
    struct xkb_rule_names rules = { .layout = parts[0], .variant = parts[0] ? parts[1] : NULL };

    if (!parts[0] || !*parts[0] || strchr(name, ',')) /* XKB takes none for a US one, and several */
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strcmp(names[i].name, name))
            rules =
                (struct xkb_rule_names){ .layout = names[i].layout, .variant = names[i].variant };
    }
    return read_rules(context, &rules);
}

static bool set_by_xkb(const char *name)
{
    struct xkb_context *context = xkb_context_new(XKB_CONTEXT_NO_ENVIRONMENT_NAMES);
    bool known;

    if (!context)
        return false;
    xkb_context_set_log_level(context, 0); /* one line is ours to say */
    known = read_layout(context, name);
    xkb_context_unref(context);
    return known;
}

bool layout_set(const char *name, GError **error)
{
    if (!strcmp(name, "en-us")) {
        g_clear_pointer(&places, g_hash_table_destroy);
        has_altgr = false;
    } else if (!set_by_xkb(name)) {
        error_set(
            error,
            "no such layout (\"de\", \"fr-ca\", \"us(dvorak)\"; they are in the package xkb-data)");
        return false;
    }
    return true;
}

bool layout_has_altgr(void)
{
    return has_altgr;
}

int layout_from_keysym(uint32_t keysym, KeyLevel *level)
{
    unsigned place =
        !places || !keysym
            ? 0
            : GPOINTER_TO_UINT(g_hash_table_lookup(places, GUINT_TO_POINTER(meaning(keysym))));

    if (!place)
        return -1;
    *level = place & 0xff;
    return place >> 8;
}
