/* SPDX-License-Identifier: MIT */
/* `mimus trace info|cut|convert`: what the native trace of accel/plugin/trace-file.h can become. */
#ifndef SOFTMMU_PROGRAM_TRACE_COMMAND_H
#define SOFTMMU_PROGRAM_TRACE_COMMAND_H

#include <glib.h>
#include <stdbool.h>

bool trace_is_command(int argc, char **argv);
/* Writes to stdout or to the file that is named. */
bool trace_command(int argc, char **argv, GError **error);

#endif
