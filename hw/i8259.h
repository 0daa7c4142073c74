/* SPDX-License-Identifier: MIT */
/*
 * The two cascaded 8259A interrupt controllers of a PC, with the edge/level control registers.
 */
#ifndef HW_I8259_H
#define HW_I8259_H

#include "softmmu/device.h"
#include "softmmu/irq.h"

extern const DeviceClass i8259_class;

/* Ports 0x20, 0xa0, 0x4d0 are placed in @ports at realize. @intr is the master's INT output
 * (a level; the board connects it to LINT0). */
Device *i8259_new(Device *parent, MemRegion *ports, const Irq *intr);
/* Inputs 0 to 15. Input 2 is the cascade and may not be driven. */
Irq *i8259_input(Device *pic, unsigned n);
/* The two INTA cycles: the vector, with ISR and IRR updated. Always answers: IR7 when nothing is
 * pending any more. */
int i8259_acknowledge(Device *pic);
void i8259_print(Device *pic, GString *out);     /* the slave first */
const uint64_t *i8259_raised(const Device *pic); /* how often each of 16 inputs went up */
int i8259_inta(void *pic); /* the same, as apic_set_connect_extint() takes it */

#endif
