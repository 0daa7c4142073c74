/* SPDX-License-Identifier: MIT */
/* JSON values made and looked at in one line each, over json-c. */
#ifndef SOFTMMU_PROGRAM_QMP_JSON_H
#define SOFTMMU_PROGRAM_QMP_JSON_H

#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct json_object Json; /* NULL is JSON's null */

/*
 * An object. @members: words "name:type", each with an argument: s const char * (NULL: no such
 * member), i int64_t, u uint64_t, b int, o Json * (taken over; NULL: no such member).
 *     json_make("name:s size:u", name, size)
 */
Json *json_make(const char *members, ...);
/* Members of @object; the default if there is none. */
const char *json_text(Json *object, const char *name, const char *otherwise);
int64_t json_int(Json *object, const char *name, int64_t otherwise);
bool json_flag(Json *object, const char *name, bool otherwise);
Json *json_member(Json *object, const char *name); /* not owned */
/* As QEMU writes it, which scripts match: {"a": 1, "b": []}; @pretty: lines indented by 4. */
void json_write(Json *value, bool pretty, GString *out);
/* NULL if it is none, or more than one, value. */
Json *json_read(const char *text);

#endif
