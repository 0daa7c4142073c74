/* SPDX-License-Identifier: MIT */
/*
 * Hands on keyboard and mouse. Front ends (VNC, a terminal) and monitors say what was pressed;
 * input devices of the board say what becomes of it. Keys wait in a line, as the machine's state,
 * until the keyboard has room for them, and may be held for some time of the machine's: what is
 * typed in one go all arrives.
 */
#ifndef SOFTMMU_HID_H
#define SOFTMMU_HID_H

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/input.h"

typedef struct Hid Hid;

/* Buttons, and what the wheel does in between. */
enum { HID_LEFT = 1, HID_MIDDLE = 2, HID_RIGHT = 4 };

typedef struct HidMotion {
    int16_t dx, dy; /* to the right, and down */
    int8_t dz;      /* of the wheel, towards the user */
    uint8_t buttons;
} HidMotion;

typedef struct HidKeyboardOps {
    /* @key: softmmu/ui/keys.h. False: no room now; hid_keyboard_has_room() tells when. */
    bool (*key)(void *opaque, uint8_t key, bool down);
    uint8_t (*leds)(void *opaque); /* bit 0 scroll, 1 num, 2 caps */
} HidKeyboardOps;

typedef struct HidMouseOps {
    void (*move)(void *opaque, const HidMotion *m);
} HidMouseOps;

/* A device below @parent, which frees it. */
Hid *hid_new(Device *parent, Clock *clock, InputQueue *queue);

/* ---- Devices of the board; a NULL @h is nobody's hands ----------------------------------------
 */

void hid_set_keyboard(Hid *h, const HidKeyboardOps *ops, void *opaque); /* NULL @ops: none */
void hid_keyboard_has_room(Hid *h);
void hid_add_mouse(Hid *h, const char *name, const HidMouseOps *ops, void *opaque);
void hid_remove_mouse(Hid *h, void *opaque);

/* ---- Hands: from any thread, recorded -------------------------------------------------------- */

void hid_post_key(Hid *h, uint8_t key, bool down);
void hid_post_motion(Hid *h, const HidMotion *m);

/* ---- Machine thread: within what is recorded already (a monitor's command) --------------------
 */

void hid_key(Hid *h, uint8_t key, bool down);
void hid_hold(Hid *h, uint32_t ms); /* what follows comes so much later */
void hid_motion(Hid *h, const HidMotion *m);
uint8_t hid_buttons(const Hid *h); /* as they are now */
uint8_t hid_leds(const Hid *h);
/* Mice, numbered in order of being added; the one that moves. */
unsigned hid_mouse_count(const Hid *h);
const char *hid_mouse_name(const Hid *h, unsigned n);
unsigned hid_mouse(const Hid *h);
void hid_choose_mouse(Hid *h, unsigned n); /* it must exist */

#endif
