/* SPDX-License-Identifier: MIT */
/*
 * National keyboards (-k): on which key, at which level, a character is. From XKB's tables, read
 * by libxkbcommon. Front ends that hear characters, not keys, type them there; the machine's own
 * keyboard has no layout, its guest does.
 */
#ifndef SOFTMMU_UI_LAYOUT_H
#define SOFTMMU_UI_LAYOUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "softmmu/ui/keys.h"

/*
 * @name: QEMU's ("de-ch", "en-us") or XKB's ("gb", "us(dvorak)"). It holds for all front ends, from
 * their first key on. Fails if there is no such layout; the one before stays then.
 */
bool layout_set(const char *name, GError **error);

/* Does AltGr choose a level (and is not just the right Alt)? */
bool layout_has_altgr(void);

/* As keys_from_keysym(), of the characters that the layout has; -1: it has no such. */
int layout_from_keysym(uint32_t keysym, KeyLevel *level);

#endif
