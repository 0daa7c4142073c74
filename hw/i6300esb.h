/* SPDX-License-Identifier: MIT */
/* The watchdog of Intel's 6300ESB. */
#ifndef HW_I6300ESB_H
#define HW_I6300ESB_H

#include "hw/pci.h"
#include "softmmu/clock.h"

extern const DeviceClass i6300esb_class;

/* @expired: the guest has not reloaded it. @devfn < 0: the first free slot. Not yet realized. */
Device *i6300esb_new(PciBus *bus, int devfn, Clock *clock, const Irq *smi,
                     void (*expired)(void *opaque), void *opaque);

#endif
