/* SPDX-License-Identifier: MIT */
/* What the machine shows, as a file: PPM, or PNG where libpng was there at build time. */
#ifndef SOFTMMU_PROGRAM_MONITOR_SCREENDUMP_H
#define SOFTMMU_PROGRAM_MONITOR_SCREENDUMP_H

#include "softmmu/machine.h"

/* The number of a screen: of the device with that id, NULL: the first. False with @error. */
bool screendump_find(Machine *m, const char *device, int64_t head, unsigned *n, GError **error);
/* @format: "ppm", "png"; NULL: PNG if that is how @path ends, else PPM. Machine thread. */
bool screendump(Machine *m, const char *path, const char *format, GError **error);
/* The same with a command's words: "FILE [-f FORMAT] [DEVICE [HEAD]]". */
bool screendump_command(Machine *m, const char *args, GError **error);

#endif
