/* SPDX-License-Identifier: MIT */
/*
 * Keys of a PC's keyboard. A key is where it is on the keyboard, not what is printed on it: its
 * code in scan code set 1, with 0x80 added for those that have an E0 prefix. Pause is 0xc6 and
 * Print Screen 0xb7. These are also the numbers that QEMU gives to keys.
 */
#ifndef SOFTMMU_UI_KEYS_H
#define SOFTMMU_UI_KEYS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "softmmu/hid.h"

enum {
    KEYS_SHIFT = 0x2a,
    KEYS_SHIFT_R = 0x36,
    KEYS_CTRL = 0x1d,
    KEYS_CTRL_R = 0x9d,
    KEYS_ALT = 0x38,
    KEYS_ALT_R = 0xb8,
    KEYS_CAPS_LOCK = 0x3a,
    KEYS_PRINT = 0xb7,
    KEYS_PAUSE = 0xc6,
};

enum { KEYS_UNICODE = 0x1000000 }; /* a character's keysym, less its number */
enum { KEYS_MAX = 16, KEYS_HOLD_MS = 100 };

/* By QEMU's names ("ret", "kp_enter") and their numbers ("0x1c"); -1: there is none. */
int keys_from_name(const char *name);
const char *keys_name(uint8_t key);    /* NULL: it has none */
int keys_from_number(uint32_t number); /* -1: no key has it */
/* "ctrl-alt-delete"; their number, 0 with @error. */
unsigned keys_parse(const char *text, uint8_t keys[KEYS_MAX], GError **error);
/* All down, held for @hold_ms of the machine's time, all up. On the machine thread (hid_key()). */
void keys_press(Hid *h, const uint8_t *keys, unsigned count, uint32_t hold_ms);

/* What has to be held for a key to mean what is wanted. */
typedef enum KeyLevel {
    KEYS_ANY, /* the key means the same, or something near, at all levels */
    KEYS_PLAIN,
    KEYS_SHIFTED,
    KEYS_ALTGR,
    KEYS_SHIFTED_ALTGR,
} KeyLevel;

static inline bool keys_with_shift(KeyLevel level)
{
    return level == KEYS_SHIFTED || level == KEYS_SHIFTED_ALTGR;
}

static inline bool keys_with_altgr(KeyLevel level)
{
    return level >= KEYS_ALTGR;
}

/*
 * By an X keysym: Latin-1 characters are their own, others are KEYS_UNICODE
 * and their number, or from 0x100 on. On the keyboard of -k (layout.h), else on a US one; -1: no
 * key has it.
 */
int keys_from_keysym(uint32_t keysym, KeyLevel *level);

#endif
