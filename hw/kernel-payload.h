/* SPDX-License-Identifier: MIT */
/*
 * The compressed streams inside a bzImage: reading one, and writing one that takes a decompressor
 * next to no time. Formats are xz, gzip and zstd.
 */
#ifndef HW_KERNEL_PAYLOAD_H
#define HW_KERNEL_PAYLOAD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PayloadFormat PayloadFormat;

/* By its magic number; NULL: none of ours, or its library was not there at build time. */
const PayloadFormat *payload_format(const uint8_t *data, gsize size);
/* Exactly @out_size bytes (free() them), or NULL: damaged, another size, or out of memory. Bytes
 * behind the stream are ignored, as kernels do. */
uint8_t *payload_decode(const PayloadFormat *f, const uint8_t *data, gsize size, gsize out_size);
/* A stream that carries @data as it is. */
GBytes *payload_make(const PayloadFormat *f, const uint8_t *data, gsize size);

#endif
