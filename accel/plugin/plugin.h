/* SPDX-License-Identifier: MIT */
/*
 * Plugins as the program sees them: loaded, unloaded, listed. On the machine thread, between
 * slices. What plugins see of us is in mimus-plugin.h; how it gets into translated code, in
 * instrument.c.
 */
#ifndef ACCEL_PLUGIN_PLUGIN_H
#define ACCEL_PLUGIN_PLUGIN_H

#include "accel/accel.h"

/* @spec: "FILE.so[,name=value…]". A FILE without a slash is looked for among the installed tools
 * first. False: nothing has changed. */
bool plugin_load(Accel *a, const char *spec, GError **error);
/* By the name that plugin_list() shows. */
bool plugin_unload(Accel *a, const char *name, GError **error);
void plugin_unload_all(Accel *a);
void plugin_list(Accel *a, GString *out);

#endif
