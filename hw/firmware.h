/* SPDX-License-Identifier: MIT */
/* Finding firmware images and showing them to the machine. */
#ifndef HW_FIRMWARE_H
#define HW_FIRMWARE_H

#include <glib.h>

#include "softmmu/host-files.h"
#include "softmmu/memory.h"

/* The path of data file @name: itself if it names a file, else in @dirs (-L, may be NULL), then in
 * the places where packages put firmware. The error names the package that has it. */
char *firmware_find(const GPtrArray *dirs, const char *name, GError **error);
/* Its contents, which must have at most @max_size bytes and a multiple of @unit. @files has the
 * contents, or learns them; may be NULL. */
GBytes *firmware_load(HostFiles *files, const GPtrArray *dirs, const char *name, gsize unit,
                      gsize max_size, GError **error);

#endif
