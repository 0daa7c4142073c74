/* SPDX-License-Identifier: MIT */
/* Properties of what -object makes: what the user said of each, else what is so without a word. */
#include <string.h>

#include "softmmu/program/qmp/internal.h"

/* clang-format off */
static const struct {
    const char *driver; /* how its type begins */
    const char *name, *type;
    const char *plain;  /* without a word; NULL: there is no such property then */
} rows[] = {
    { "memory-backend-",      "size",     "int",    "0" },
    { "memory-backend-ram",   "share",    "bool",   "off" },
    { "memory-backend-file",  "share",    "bool",   "off" },
    { "memory-backend-memfd", "share",    "bool",   "on" },
    { "memory-backend-memfd", "seal",     "bool",   "on" },
    { "memory-backend-memfd", "hugetlb",  "bool",   "off" },
    { "memory-backend-",      "prealloc", "bool",   "off" },
    { "memory-backend-",      "merge",    "bool",   "off" },
    { "memory-backend-",      "dump",     "bool",   "on" },
    { "memory-backend-",      "reserve",  "bool",   "on" },
    { "memory-backend-file",  "mem-path", "string", "" },
    { "filter-",              "netdev",   "string", "" },
    { "filter-",              "queue",    "NetFilterDirection", "all" },
    { "filter-",              "status",   "string", "on" },
    { "filter-dump",          "file",     "string", "" },
    { "filter-dump",          "maxlen",   "uint32", "65536" },
    { "secret",               "format",   "QCryptoSecretFormat", "raw" },
    { "secret",               "data",     "string", NULL },
    { "secret",               "file",     "string", NULL },
    { "rng-random",           "filename", "string", "/dev/urandom" },
    { "iothread",             "poll-max-ns", "int", "0" },
    { "iothread",             "poll-grow",   "int", "0" },
    { "iothread",             "poll-shrink", "int", "0" },
    { "iothread",             "aio-max-batch", "int", "0" },
};
/* clang-format on */

void qmp_each_of_object(const DeviceOption *o, QmpEachProperty *f, void *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *said = g_hash_table_lookup(o->props, rows[i].name);
        const char *text = said ? said : rows[i].plain;

        if (g_str_has_prefix(o->driver, rows[i].driver) && text)
            f(to, rows[i].name, rows[i].type, qmp_property_value(rows[i].type, text));
    }
}

/* Those of iothreads, which no thread goes by: each drive has its own. */
bool qmp_set_of_object(const DeviceOption *o, const char *name, Json *value, bool *known,
                       GError **error)
{
    static const char *const names[] = { "poll-max-ns", "poll-grow", "poll-shrink", "aio-max-batch",
                                         NULL };

    *known = !strcmp(o->driver, "iothread") && g_strv_contains(names, name);
    if (!*known)
        return false;
    if (!json_object_is_type(value, json_type_int))
        error_set(error, "Invalid parameter type for '%s', expected: integer", name);
    else if (json_object_get_int64(value) < 0)
        error_set(error, "%s value must be in range [0, %" G_GINT64_FORMAT "]", name, G_MAXINT64);
    else
        return g_hash_table_replace(o->props, g_strdup(name),
                                    g_strdup(json_object_get_string(value))),
               true;
    return false;
}
