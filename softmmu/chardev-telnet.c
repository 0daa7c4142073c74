/* SPDX-License-Identifier: MIT */
/*
 * TELNET (RFC 854) as a server of characters: the greeting offers to echo and to suppress go-ahead
 * (RFC 857, 858) and asks for eight bits both ways (RFC 856). What the client answers or asks for
 * is read over: nothing depends on it. BREAK is a break on the line.
 */
#include "softmmu/chardev-internal.h"

enum {
    SE = 240,
    BREAK = 243,
    SB = 250,
    WILL = 251,
    DO = 253,
    DONT = 254,
    IAC = 255,
    BINARY = 0,
    ECHO = 1,
    SUPPRESS_GO_AHEAD = 3,
};

const uint8_t telnet_greeting[] = { IAC, WILL, ECHO,   IAC, WILL, SUPPRESS_GO_AHEAD,
                                    IAC, WILL, BINARY, IAC, DO,   BINARY };
const size_t telnet_greeting_len = sizeof(telnet_greeting);

enum { TEXT, COMMAND, OPTION, SUB, SUB_COMMAND }; /* what comes next */

/* Does @byte belong to the text? */
static bool take_byte(Telnet *t, Chardev *chr, uint8_t byte)
{
    switch (t->state) {
    case TEXT: t->state = byte == IAC ? COMMAND : TEXT; return byte != IAC;
    case COMMAND:
        t->state = byte >= WILL && byte <= DONT ? OPTION : byte == SB ? SUB : TEXT;
        if (byte == BREAK)
            chardev_post_event(chr, CHARDEV_EVENT_BREAK);
        return byte == IAC;
    case SUB: t->state = byte == IAC ? SUB_COMMAND : SUB; return false;
    case SUB_COMMAND: t->state = byte == SE ? TEXT : SUB; return false;
    default: t->state = TEXT; return false;
    }
}

size_t telnet_unwrap(Telnet *t, Chardev *chr, uint8_t *data, size_t len)
{
    size_t kept = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = data[i];

        if (take_byte(t, chr, byte))
            data[kept++] = byte;
    }
    return kept;
}

GByteArray *telnet_wrap(const uint8_t *data, size_t len)
{
    GByteArray *out = g_byte_array_sized_new(len + 8);

    for (size_t i = 0; i < len; i++) {
        g_byte_array_append(out, &data[i], 1);
        if (data[i] == IAC)
            g_byte_array_append(out, &data[i], 1);
    }
    return out;
}
