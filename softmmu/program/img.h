/* SPDX-License-Identifier: MIT */
/* `mimus img`: making, describing, checking and converting disk images. */
#ifndef SOFTMMU_PROGRAM_IMG_H
#define SOFTMMU_PROGRAM_IMG_H

#include <glib.h>
#include <stdbool.h>

/* @argv[1] is "img". What is to be printed goes to @out. False with @error. */
bool img_command(int argc, char **argv, GString *out, GError **error);

#endif
