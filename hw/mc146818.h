/* SPDX-License-Identifier: MIT */
/*
 * The MC146818 real-time clock with 128 bytes of CMOS memory, ports 0x70 and 0x71.
 */
#ifndef HW_MC146818_H
#define HW_MC146818_H

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"

extern const DeviceClass mc146818_class;

/* @base_s: seconds since 1970 that the calendar shows when @clock is at 0. @irq: ISA line 8. */
Device *mc146818_new(Device *parent, MemRegion *ports, Clock *clock, int64_t base_s,
                     const Irq *irq);
/* CMOS contents the board prepares for firmware (memory sizes, boot order, CPU count in 0x5f).
 * @reg is 0x0e to 0x7f, not 0x32 (century). Reset keeps them. */
void rtc_set_cmos(Device *rtc, uint8_t reg, uint8_t value);
uint8_t rtc_get_cmos(Device *rtc, uint8_t reg);
/* @changed hears of each time that the guest sets: how far it is from what the calendar would show
 * if it never had been set. */
void rtc_set_changed(Device *rtc, void (*changed)(void *opaque, int64_t offset_s), void *opaque);

#endif
