/* SPDX-License-Identifier: MIT */
#include "softmmu/program/qmp/schema.h"

#include <string.h>

#include "softmmu/error.h"

static const struct {
    const char *name, *word; /* as in a spec, and for people */
    enum json_type type;
    const char *builtin, *json; /* type of query-qmp-schema; an array's elements */
} types[] = {
    { "int", "integer", json_type_int, "int", "int" },
    { "bool", "boolean", json_type_boolean, "bool", "boolean" },
    { "str", "string", json_type_string, "str", "string" },
    { "any", "value", json_type_null, "any", "value" },
    { "[int]", "array", json_type_array, "int", "int" },
    { "[str]", "array", json_type_array, "str", "string" },
    { "[any]", "array", json_type_array, "any", "value" },
    { "{}", "object", json_type_object, "any", "value" },
};

#define OTHERS "..."

typedef struct Arg {
    char name[40];
    unsigned type;
    bool optional;
} Arg;

/* The next word of *@spec; false at its end. */
static bool next_arg(const char **spec, Arg *a)
{
    const char *p = *spec + strspn(*spec, " "), *colon = strchr(p, ':');
    size_t len = colon ? strcspn(colon + 1, " ") : 0;

    if (!*p || !strcmp(p, OTHERS))
        return false;
    g_assert(colon && (size_t)(colon - p) < sizeof(a->name));
    memcpy(a->name, p, colon - p);
    a->name[colon - p] = 0;
    *spec = colon + 1 + len;
    a->optional = (*spec)[-1] == '?';
    len -= a->optional;
    for (a->type = 0; a->type < G_N_ELEMENTS(types); a->type++) {
        if (!strncmp(types[a->type].name, colon + 1, len) && !types[a->type].name[len])
            return true;
    }
    g_assert_not_reached();
}

static bool is_of(const Arg *a, Json *value)
{
    return types[a->type].type == json_type_null || json_object_is_type(value, types[a->type].type);
}

static bool is_known(const char *spec, const char *name)
{
    Arg a;

    while (next_arg(&spec, &a))
        if (!strcmp(a.name, name))
            return true;
    return g_str_has_suffix(spec, OTHERS);
}

bool schema_check(const char *spec, Json *args, GError **error)
{
    const char *rest = spec;
    Arg a;

    while (next_arg(&rest, &a)) {
        Json *value;

        if (!json_object_object_get_ex(args, a.name, &value)) {
            if (a.optional)
                continue;
            error_set(error, "Parameter '%s' is missing", a.name);
            return false;
        }
        if (!is_of(&a, value)) {
            error_set(error, "Invalid parameter type for '%s', expected: %s", a.name,
                      types[a.type].word);
            return false;
        }
    }
    json_object_object_foreach (args, name, value) {
        (void)value;
        if (!is_known(spec, name)) {
            error_set(error, "Parameter '%s' is unexpected", name);
            return false;
        }
    }
    return true;
}

/* ---- Introspection --------------------------------------------------------------------------- */

struct Schema {
    Json *list;
    unsigned objects;
};

static void add(Schema *s, Json *entry)
{
    json_object_array_add(s->list, entry);
}

Schema *schema_new(void)
{
    Schema *s = g_new0(Schema, 1);

    s->list = json_object_new_array();
    for (unsigned i = 0; i < 3; i++)
        add(s, json_make("name:s meta-type:s json-type:s", types[i].builtin, "builtin",
                         types[i].json));
    add(s, json_make("name:s meta-type:s json-type:s", "any", "builtin", "value"));
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *name = g_strdup_printf("[%s]", types[i].builtin);
        add(s, json_make("name:s meta-type:s element-type:s", name, "array", types[i].builtin));
    }
    add(s, json_make("name:s meta-type:s members:o", "0", "object", json_object_new_array()));
    return s;
}

static Json *member_of(const Arg *a)
{
    bool array = types[a->type].type == json_type_array;
    g_autofree char *type = g_strdup_printf(array ? "[%s]" : "%s", types[a->type].builtin);
    Json *m = json_make("name:s type:s", a->name, type);

    if (a->optional)
        json_object_object_add(m, "default", NULL);
    return m;
}

void schema_add_command(Schema *s, const char *name, const char *spec, bool oob)
{
    g_autofree char *type = g_strdup_printf("%u", *spec ? ++s->objects : 0);
    Arg a;

    if (*spec) {
        Json *members = json_object_new_array();

        while (next_arg(&spec, &a))
            json_object_array_add(members, member_of(&a));
        add(s, json_make("name:s meta-type:s members:o", type, "object", members));
    }
    add(s, json_make("name:s meta-type:s arg-type:s ret-type:s allow-oob:b", name, "command", type,
                     "any", oob));
}

void schema_add_event(Schema *s, const char *name)
{
    add(s, json_make("name:s meta-type:s arg-type:s", name, "event", "0"));
}

Json *schema_finish(Schema *s)
{
    Json *list = s->list;

    g_free(s);
    return list;
}
