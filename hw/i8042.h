/* SPDX-License-Identifier: MIT */
/*
 * The 8042 keyboard controller (ports 0x60 and 0x64) with a PS/2 keyboard and a PS/2 mouse on it.
 */
#ifndef HW_I8042_H
#define HW_I8042_H

#include "softmmu/device.h"
#include "softmmu/hid.h"
#include "softmmu/irq.h"

extern const DeviceClass i8042_class;

typedef struct I8042Wiring {
    MemRegion *ports;
    const Irq *keyboard_irq, *mouse_irq; /* ISA lines 1 and 12 */
    const Irq *a20;                      /* level of the gate */
    const Irq *reset;                    /* pulsed for a CPU reset */
    Hid *hid;                            /* NULL: nobody's hands */
    const Irq *key;                      /* pulsed when one is pressed */
} I8042Wiring;

/* The keyboard and the mouse are its children. */
Device *i8042_new(Device *parent, const I8042Wiring *w);

/* A key goes down or up. @key is its set 1 make code, with 0x80 added for an E0 prefix; 0xc6 is
 * Pause, 0xb7 is Print Screen. False: it does not fit into the keyboard's buffer. */
bool i8042_key(Device *dev, uint8_t key, bool down);
/* Movement to the right, up and of the wheel towards the user; buttons: 1 left, 2 right, 4 middle.
 */
void i8042_mouse(Device *dev, int dx, int dy, int dz, unsigned buttons);

#endif
