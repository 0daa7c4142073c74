/* SPDX-License-Identifier: MIT */
/*
 * The two 8237 DMA controllers of a PC with their page registers.
 */
#ifndef HW_I8237_H
#define HW_I8237_H

#include "softmmu/device.h"
#include "softmmu/memory.h"

extern const DeviceClass i8237_class;

/* Ports 0x00-0x0f, 0xc0-0xdf, 0x80-0x8f without 0x80 (the POST port), in @ports. */
Device *i8237_new(Device *parent, MemRegion *ports, AddressSpace *memory);

/* What a device on @channel (0-3, 5-7) does with DREQ. Moves up to @len bytes as the channel is
 * programmed: from @buf to memory (a "write" transfer) or from memory to @buf. Returns bytes
 * moved, or counted by a verify transfer; 0 when the channel is masked or programmed for the other
 * direction. Sets *@tc when
 * terminal count was reached. */
size_t i8237_transfer(Device *dma, unsigned channel, bool to_memory, void *buf, size_t len,
                      bool *tc);

#endif
