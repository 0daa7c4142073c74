/* SPDX-License-Identifier: MIT */
#include "softmmu/program/qmp/json.h"

#include <glib.h>
#include <stdarg.h>
#include <string.h>

static Json *take_value(char type, va_list *ap, bool *there)
{
    const char *text;
    Json *value;

    *there = true;
    switch (type) {
    case 's':
        text = va_arg(*ap, const char *);
        *there = text;
        return text ? json_object_new_string(text) : NULL;
    case 'i': return json_object_new_int64(va_arg(*ap, int64_t));
    case 'u': return json_object_new_uint64(va_arg(*ap, uint64_t));
    case 'b': return json_object_new_boolean(va_arg(*ap, int));
    case 'o':
        value = va_arg(*ap, Json *);
        *there = value;
        return value;
    default: g_assert_not_reached();
    }
}

Json *json_make(const char *members, ...)
{
    Json *object = json_object_new_object();
    va_list ap;

    va_start(ap, members);
    while (*members) {
        size_t len = strcspn(members, ":");
        g_autofree char *name = g_strndup(members, len);
        bool there;
        Json *value = take_value(members[len + 1], &ap, &there);

        if (there)
            json_object_object_add(object, name, value);
        members += len + 2;
        members += *members == ' ';
    }
    va_end(ap);
    return object;
}

Json *json_member(Json *object, const char *name)
{
    Json *value = NULL;

    json_object_object_get_ex(object, name, &value);
    return value;
}

const char *json_text(Json *object, const char *name, const char *otherwise)
{
    Json *value = json_member(object, name);

    return value ? json_object_get_string(value) : otherwise;
}

int64_t json_int(Json *object, const char *name, int64_t otherwise)
{
    Json *value = json_member(object, name);

    /* Addresses of the upper half come as large unsigned numbers. */
    return !value                                      ? otherwise
           : json_object_get_int64(value) == INT64_MAX ? (int64_t)json_object_get_uint64(value)
                                                       : json_object_get_int64(value);
}

bool json_flag(Json *object, const char *name, bool otherwise)
{
    Json *value = json_member(object, name);

    return value ? json_object_get_boolean(value) : otherwise;
}

static void write_scalar(Json *value, GString *out)
{
    g_string_append(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static void write_name(const char *name, GString *out)
{
    Json *text = json_object_new_string(name);

    write_scalar(text, out);
    g_string_append(out, ": ");
    json_object_put(text);
}

static void write_value(Json *value, int indent, bool pretty, GString *out);

/* Before member @n of an object or array; @last: behind all of them. */
static void separate(size_t n, bool last, int indent, bool pretty, GString *out)
{
    if (n && !last)
        g_string_append(out, pretty ? "," : ", ");
    if (pretty && (n || !last))
        g_string_append_printf(out, "\n%*s", (indent + !last) * 4, "");
}

static void write_array(Json *array, int indent, bool pretty, GString *out)
{
    size_t count = json_object_array_length(array);

    g_string_append_c(out, '[');
    for (size_t i = 0; i < count; i++) {
        separate(i, false, indent, pretty, out);
        write_value(json_object_array_get_idx(array, i), indent + 1, pretty, out);
    }
    separate(count, true, indent, pretty, out);
    g_string_append_c(out, ']');
}

static void write_object(Json *object, int indent, bool pretty, GString *out)
{
    size_t n = 0;

    g_string_append_c(out, '{');
    json_object_object_foreach (object, name, value) {
        separate(n++, false, indent, pretty, out);
        write_name(name, out);
        write_value(value, indent + 1, pretty, out);
    }
    separate(n, true, indent, pretty, out);
    g_string_append_c(out, '}');
}

static void write_value(Json *value, int indent, bool pretty, GString *out)
{
    if (json_object_is_type(value, json_type_object))
        write_object(value, indent, pretty, out);
    else if (json_object_is_type(value, json_type_array))
        write_array(value, indent, pretty, out);
    else
        write_scalar(value, out);
}

void json_write(Json *value, bool pretty, GString *out)
{
    write_value(value, 0, pretty, out);
}

Json *json_read(const char *text)
{
    struct json_tokener *t = json_tokener_new();
    size_t len = strlen(text);
    Json *value = json_tokener_parse_ex(t, text, len + 1);

    if (json_tokener_get_error(t) != json_tokener_success || json_tokener_get_parse_end(t) < len) {
        json_object_put(value);
        value = NULL;
    }
    json_tokener_free(t);
    return value;
}
