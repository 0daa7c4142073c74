/* SPDX-License-Identifier: MIT */
#include "hw/eeprom93.h"

#include <string.h>

/* A command is a start bit, two of operation and six of address; some have a word behind it. */
enum { COMMAND_BITS = 9, WORD_BITS = 16 };
enum { OP_EXTENDED = 0, OP_WRITE = 1, OP_READ = 2, OP_ERASE = 3 };
enum { EXT_DISABLE = 0, EXT_WRITE_ALL = 1, EXT_ERASE_ALL = 2, EXT_ENABLE = 3 };

static void fill(Eeprom93 *e, uint16_t value)
{
    for (unsigned i = 0; e->writable && i < EEPROM93_WORDS; i++)
        e->word[i] = value;
}

static bool has_word(uint32_t command)
{
    unsigned op = command >> 6 & 3;

    return op == OP_WRITE || (op == OP_EXTENDED && (command >> 4 & 3) == EXT_WRITE_ALL);
}

static void do_extended(Eeprom93 *e, uint32_t command, uint16_t value)
{
    switch (command >> 4 & 3) {
    case EXT_DISABLE: e->writable = false; break;
    case EXT_ENABLE: e->writable = true; break;
    case EXT_WRITE_ALL: fill(e, value); break;
    case EXT_ERASE_ALL: fill(e, UINT16_MAX); break;
    }
}

static void do_command(Eeprom93 *e, uint32_t command, uint16_t value)
{
    unsigned at = command & (EEPROM93_WORDS - 1);

    switch (command >> 6 & 3) {
    case OP_READ: e->out = WORD_BITS + 1; break;
    case OP_EXTENDED: do_extended(e, command, value); break;
    case OP_WRITE:
    case OP_ERASE:
        if (e->writable)
            e->word[at] = command >> 6 & 2 ? UINT16_MAX : value;
        break;
    }
}

/* A rising clock: a bit of the command goes in, or one of the word comes out. */
static void tick(Eeprom93 *e, bool in)
{
    if (e->out) {
        e->out--;
        return;
    }
    if (!e->bits && !in)
        return; /* waits for the start bit */
    e->in = (e->bits ? e->in << 1 : 0) | in;
    e->bits++;
    if (e->bits == COMMAND_BITS && !has_word(e->in)) {
        e->bits = 0;
        do_command(e, e->in, 0);
    } else if (e->bits == COMMAND_BITS + WORD_BITS) {
        e->bits = 0;
        do_command(e, e->in >> WORD_BITS, e->in);
    }
}

void eeprom93_deselect(Eeprom93 *e)
{
    e->bits = e->out = 0;
    e->in = 0;
}

void eeprom93_drive(Eeprom93 *e, bool select, bool clock, bool in)
{
    if (!select)
        eeprom93_deselect(e);
    else if (clock && !e->clock)
        tick(e, in);
    e->clock = clock;
}

bool eeprom93_output(const Eeprom93 *e)
{
    if (!e->out)
        return true; /* ready */
    return e->out <= WORD_BITS && (e->word[e->in & (EEPROM93_WORDS - 1)] >> (e->out - 1) & 1);
}

void eeprom93_post_load(Eeprom93 *e)
{
    e->bits = MIN(e->bits, COMMAND_BITS + WORD_BITS - 1);
    e->out = MIN(e->out, WORD_BITS + 1);
}

const StateField eeprom93_state[] = {
    STATE_ARRAY(Eeprom93, word, STATE_T_U16),
    STATE_U32(Eeprom93, in),
    STATE_U8(Eeprom93, bits),
    STATE_U8(Eeprom93, out),
    STATE_BOOL(Eeprom93, clock),
    STATE_BOOL(Eeprom93, writable),
    STATE_END,
};
