/* SPDX-License-Identifier: MIT */
/*
 * PS/2 devices as their controller sees them: bytes go in with ps2_*_write(), answers and events
 * come out with ps2_*_read(). Each calls @ready when it has something to say.
 */
#ifndef HW_PS2_H
#define HW_PS2_H

#include "softmmu/device.h"

typedef void Ps2Ready(void *opaque);

#define PS2_QUEUE_SIZE 16

/* A device's output: answers to commands overtake events. */
typedef struct Ps2Queue {
    uint8_t data[PS2_QUEUE_SIZE];
    uint8_t head, count;
} Ps2Queue;

extern const StateField ps2_queue_state[];
void ps2_queue_clear(Ps2Queue *q);
bool ps2_queue_put(Ps2Queue *q, const uint8_t *bytes, unsigned len); /* all or nothing */
uint8_t ps2_queue_get(Ps2Queue *q);                                  /* not when empty */
void ps2_queue_check(Ps2Queue *q);                                   /* after loading */

extern const DeviceClass ps2_kbd_class, ps2_mouse_class;

Device *ps2_kbd_new(Device *parent, Ps2Ready *ready, void *opaque);
void ps2_kbd_write(Device *dev, uint8_t byte);
bool ps2_kbd_has_data(Device *dev);
uint8_t ps2_kbd_read(Device *dev);
bool ps2_kbd_key(Device *dev, uint8_t key, bool down); /* as i8042_key() */
uint8_t ps2_kbd_leds(Device *dev);                     /* bit 0 scroll, 1 num, 2 caps */

Device *ps2_mouse_new(Device *parent, Ps2Ready *ready, void *opaque);
void ps2_mouse_write(Device *dev, uint8_t byte);
bool ps2_mouse_has_data(Device *dev);
uint8_t ps2_mouse_read(Device *dev);
void ps2_mouse_move(Device *dev, int dx, int dy, int dz, unsigned buttons); /* as i8042_mouse() */

/* What an 8042 with translation on makes of a set 2 code below 0x80, and back (set 1 to 2). */
extern const uint8_t ps2_set2_to_set1[128];
uint8_t ps2_set1_to_set2(uint8_t code);

#endif
