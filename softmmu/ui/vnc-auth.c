/* SPDX-License-Identifier: MIT */
/*
 * VNC authentication (RFC 6143, 7.2.2): DES of a challenge with the password as the key. It keeps
 * out who passes by, no more: eight characters, and what follows is not encrypted.
 */
#include <string.h>

#include "config.h"
#include "softmmu/ui/vnc-internal.h"

#if HAVE_NETTLE
#include <nettle/des.h>

bool vnc_has_passwords(void)
{
    return true;
}

/* Bits of each byte of the key are the other way round. */
static uint8_t mirror(uint8_t byte)
{
    uint8_t out = 0;

    for (unsigned i = 0; i < 8; i++)
        out |= (byte >> i & 1) << (7 - i);
    return out;
}

void vnc_auth_encrypt(const char *password, const uint8_t challenge[VNC_CHALLENGE_BYTES],
                      uint8_t answer[VNC_CHALLENGE_BYTES])
{
    uint8_t key[DES_KEY_SIZE] = { 0 };
    struct des_ctx des;

    for (size_t i = 0; i < sizeof(key) && password[i]; i++)
        key[i] = mirror(password[i]);
    des_set_key(&des, key); /* false for weak keys, which work all the same */
    des_encrypt(&des, VNC_CHALLENGE_BYTES, answer, challenge);
}
#else
bool vnc_has_passwords(void)
{
    return false;
}

void vnc_auth_encrypt(const char *password, const uint8_t challenge[VNC_CHALLENGE_BYTES],
                      uint8_t answer[VNC_CHALLENGE_BYTES])
{
    g_assert_not_reached();
}
#endif
