/* SPDX-License-Identifier: MIT */
/* An option's argument given as JSON: the same pairs in the other spelling, nested names joined by
 * dots. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/qmp/json.h"

static void append_escaped(GString *out, const char *text)
{
    for (; *text; text++) {
        if (*text == ',')
            g_string_append_c(out, ',');
        g_string_append_c(out, *text);
    }
}

static void flatten(Json *value, const char *name, GString *out);

static void flatten_member(const char *above, const char *name, Json *value, GString *out)
{
    g_autofree char *path = *above ? g_strconcat(above, ".", name, NULL) : g_strdup(name);

    flatten(value, path, out);
}

static void flatten(Json *value, const char *name, GString *out)
{
    enum json_type type = json_object_get_type(value);

    if (type == json_type_object) {
        json_object_object_foreach (value, key, member)
            flatten_member(name, key, member, out);
        return;
    }
    if (type == json_type_array) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            char number[24];

            g_snprintf(number, sizeof(number), "%zu", i);
            flatten_member(name, number, json_object_array_get_idx(value, i), out);
        }
        return;
    }
    g_string_append_printf(out, "%s%s=", out->len ? "," : "", name);
    if (type == json_type_boolean)
        g_string_append(out, json_object_get_boolean(value) ? "on" : "off");
    else if (type != json_type_null)
        append_escaped(out, json_object_get_string(value));
}

char *options_from_json(const char *text, GError **error)
{
    g_autoptr(GString) out = g_string_new("");
    Json *value = json_read(text);
    bool is_object = json_object_is_type(value, json_type_object);

    if (is_object)
        flatten(value, "", out);
    else
        error_set(error, "this is not a JSON object");
    json_object_put(value);
    return is_object ? g_strdup(out->str) : NULL;
}
