/* SPDX-License-Identifier: MIT */
/* `mimus trace` where zstd was not there at configure time. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/trace/command.h"

bool trace_is_command(int argc, char **argv)
{
    return argc > 1 && !strcmp(argv[1], "trace");
}

bool trace_command(int argc, char **argv, GError **error)
{
    error_set(error, "trace: Mimus was built without zstd, which traces are packed by");
    return false;
}
