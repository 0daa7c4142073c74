/* SPDX-License-Identifier: MIT */
#include "softmmu/host-files.h"

#include <string.h>

#include "softmmu/error.h"

struct HostFiles {
    GHashTable *by_name; /* char * -> GBytes */
    GQueue names;        /* char *, the table's */
    bool closed;
};

HostFiles *host_files_new(bool closed)
{
    HostFiles *files = g_new0(HostFiles, 1);

    files->by_name =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    files->closed = closed;
    return files;
}

void host_files_free(HostFiles *files)
{
    if (!files)
        return;
    g_queue_clear(&files->names);
    g_hash_table_unref(files->by_name);
    g_free(files);
}

void host_files_add(HostFiles *files, const char *name, GBytes *data)
{
    char *key;

    if (!files || g_hash_table_contains(files->by_name, name))
        return;
    key = g_strdup(name);
    g_hash_table_insert(files->by_name, key, g_bytes_ref(data));
    g_queue_push_tail(&files->names, key);
}

void host_files_set(HostFiles *files, const char *name, GBytes *data)
{
    GList *known = files ? g_queue_find_custom(&files->names, name, (GCompareFunc)strcmp) : NULL;

    if (known) {
        g_queue_delete_link(&files->names, known);
        g_hash_table_remove(files->by_name, name);
    }
    if (data)
        host_files_add(files, name, data);
}

bool host_files_find(HostFiles *files, const char *name, GBytes **data, GError **error)
{
    GBytes *known = files ? g_hash_table_lookup(files->by_name, name) : NULL;

    *data = known ? g_bytes_ref(known) : NULL;
    if (known)
        return true;
    if (!files || !files->closed)
        return false;
    error_set(error, "the recording lacks the file '%s'", name);
    return true;
}

GList *host_files_names(HostFiles *files)
{
    return g_list_copy(files->names.head);
}
