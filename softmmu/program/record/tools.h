/* SPDX-License-Identifier: MIT */
/* `mimus rec …`: what can be done with recordings besides running them. */
#ifndef SOFTMMU_PROGRAM_RECORD_TOOLS_H
#define SOFTMMU_PROGRAM_RECORD_TOOLS_H

#include <glib.h>
#include <stdbool.h>

/* @argv: what follows "rec". @out is to be printed, also after an error. */
bool record_tool(int argc, char **argv, GString *out, GError **error);

#endif
