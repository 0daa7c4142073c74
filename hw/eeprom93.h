/* SPDX-License-Identifier: MIT */
/*
 * A 93C46 serial EEPROM: 64 words of 16 bits behind four wires, as network controllers have for
 * their address. Spec: Microchip 93C46B data sheet. Writing takes no time.
 */
#ifndef HW_EEPROM93_H
#define HW_EEPROM93_H

#include "softmmu/device.h"

#define EEPROM93_WORDS 64

typedef struct Eeprom93 {
    uint16_t word[EEPROM93_WORDS];
    uint32_t in;       /* bits taken since the start bit, that one too … */
    uint8_t bits, out; /* … how many; left to give of the word addressed, one more for the zero */
    bool clock;        /* as last seen */
    bool writable;     /* by the command that allows it */
} Eeprom93;

extern const StateField eeprom93_state[];

void eeprom93_deselect(Eeprom93 *e); /* the command is over; a reset: words stay */
void eeprom93_drive(Eeprom93 *e, bool select, bool clock, bool in); /* levels of the wires */
bool eeprom93_output(const Eeprom93 *e);
void eeprom93_post_load(Eeprom93 *e);

#endif
