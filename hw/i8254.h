/* SPDX-License-Identifier: MIT */
/*
 * The 8254 interval timer (ports 0x40 to 0x43) and the timer bits of system control port B (0x61).
 */
#ifndef HW_I8254_H
#define HW_I8254_H

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

#define I8254_HZ 1193182

extern const DeviceClass i8254_class;

/* @irq is the output of counter 0 (ISA line 0). Every end of a period gives it one rising edge. */
Device *i8254_new(Device *parent, MemRegion *ports, Clock *clock, const Irq *irq);
/* The loudspeaker: frequency in mHz of the tone that port 0x61 lets through, 0 for silence. */
uint32_t i8254_speaker_mhz(Device *pit);

#endif
