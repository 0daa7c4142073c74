/* SPDX-License-Identifier: MIT */
/*
 * Contents of the host files that went into a machine, by the names under which they were asked
 * for. A recording keeps them; a replay has them and never opens a file of its own host.
 */
#ifndef SOFTMMU_HOST_FILES_H
#define SOFTMMU_HOST_FILES_H

#include <glib.h>
#include <stdbool.h>

typedef struct HostFiles HostFiles;

/* @closed: what has not been added does not exist. */
HostFiles *host_files_new(bool closed);
void host_files_free(HostFiles *files);
void host_files_add(HostFiles *files, const char *name, GBytes *data); /* NULL @files: nothing */
/* … in place of what it had by that name; NULL @data: nothing. */
void host_files_set(HostFiles *files, const char *name, GBytes *data);
/* True: the host's file system is not to be asked for @name: *@data is its contents (a new
 * reference), or NULL with @error. NULL @files is an open, empty set. */
bool host_files_find(HostFiles *files, const char *name, GBytes **data, GError **error);
/* Names in order of being added; free with g_list_free(). */
GList *host_files_names(HostFiles *files);

#endif
