/* SPDX-License-Identifier: MIT */
/* Properties of what -object makes: what the user said of each, else what is so without a word. */
#include <string.h>

#include "softmmu/program/options/keyval.h"
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

static Json *value_of(const char *type, const char *text)
{
    uint64_t number;
    bool on;

    if (!strcmp(type, "bool"))
        return json_object_new_boolean(parse_switch(text, &on, NULL) && on);
    if (strstr(type, "int"))
        return json_object_new_int64(parse_size(text, 1, &number, NULL) ? (int64_t)number : 0);
    return json_object_new_string(text);
}

void qmp_each_of_object(const DeviceOption *o, QmpEachProperty *f, void *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const char *said = g_hash_table_lookup(o->props, rows[i].name);
        const char *text = said ? said : rows[i].plain;

        if (g_str_has_prefix(o->driver, rows[i].driver) && text)
            f(to, rows[i].name, rows[i].type, value_of(rows[i].type, text));
    }
}
