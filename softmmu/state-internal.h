/* SPDX-License-Identifier: MIT */
/* The versioned half of state lists: state.c for device.c and its tree format. */
#ifndef SOFTMMU_STATE_INTERNAL_H
#define SOFTMMU_STATE_INTERNAL_H

#include "softmmu/device.h"

/* Bytes that an object saved under list version @version takes. */
size_t state_size(const StateField *list, uint16_t version);
/* Load the fields that existed in @version from state_size() bytes; returns the end of them. */
const uint8_t *state_load_fields(const StateField *list, void *object, const uint8_t *data,
                                 uint16_t version);
/* Of names, types and versions of the fields: the same on every host. */
uint64_t state_list_hash(const StateField *list);

/* The fields as JSON objects, separated by commas. */
void state_describe(const StateField *list, unsigned indent, GString *out);

#endif
