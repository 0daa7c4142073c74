/* SPDX-License-Identifier: MIT */
/*
 * The compressed streams inside a bzImage: reading one, and writing one that takes a decompressor
 * next to no time. Only formats that can carry bytes as they are (xz, zstd, gzip) are here.
 */
#ifndef HW_KERNEL_PAYLOAD_H
#define HW_KERNEL_PAYLOAD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct PayloadFormat PayloadFormat;

/* By its magic number; NULL: none of ours, or its library was not there at build time. */
const PayloadFormat *payload_format(const uint8_t *data, gsize size);
/* Exactly @out_size bytes (g_free them), or NULL: damaged, another size, or out of memory. Bytes
 * behind the stream are ignored, as kernels do. */
uint8_t *payload_decode(const PayloadFormat *f, const uint8_t *data, gsize size, gsize out_size);
/* A stream of at most @size bytes that decodes to @head, zeros and @tail, @out_size bytes in all.
 * Zeros come first compressed, then as they are, so that wherever a decoder writes over its own
 * input it is as far behind as with the stream this one replaces. NULL: no room. */
GBytes *payload_make(const PayloadFormat *f, GBytes *head, GBytes *tail, gsize out_size,
                     gsize size);

#endif
