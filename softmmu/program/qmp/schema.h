/* SPDX-License-Identifier: MIT */
/*
 * Arguments of QMP commands as a line of text: "val:int filename:str cpu-index:int?" - a name and a
 * type each, with ? if it may be left out. Types: int, bool, str, any, [int], [str], [any], {}.
 * A spec that ends in "..." takes other arguments as well.
 */
#ifndef SOFTMMU_PROGRAM_QMP_SCHEMA_H
#define SOFTMMU_PROGRAM_QMP_SCHEMA_H

#include <glib.h>

#include "softmmu/program/qmp/json.h"

/* In QEMU's words if not: "Parameter 'x' is missing". */
bool schema_check(const char *spec, Json *args, GError **error);

/* query-qmp-schema's list, built command by command. */
typedef struct Schema Schema;
Schema *schema_new(void);
void schema_add_command(Schema *s, const char *name, const char *spec, bool oob);
void schema_add_event(Schema *s, const char *name);
Json *schema_finish(Schema *s); /* frees it */

#endif
