/* SPDX-License-Identifier: MIT */
#include "hw/ethernet.h"

#include <glib.h>
#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/net/net.h"

#define CRC_REVERSED 0xedb88320u
#define CRC          0x04c11db7u

/* Four bits at a time. */
uint32_t ether_fcs(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX, table[16];

    for (unsigned i = 0; i < 16; i++) {
        table[i] = i;
        for (unsigned bit = 0; bit < 4; bit++)
            table[i] = table[i] >> 1 ^ (table[i] & 1 ? CRC_REVERSED : 0);
    }
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

unsigned ether_group_bit(const uint8_t address[6])
{
    uint32_t crc = UINT32_MAX;

    for (unsigned bit = 0; bit < 48; bit++) {
        uint32_t carry = crc >> 31 ^ (address[bit / 8] >> bit % 8 & 1);

        crc = crc << 1 ^ (carry ? CRC : 0);
    }
    return crc >> 26;
}

bool ether_is_broadcast(const uint8_t address[6])
{
    static const uint8_t everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

    return !memcmp(address, everybody, 6);
}

uint16_t net_fold(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

void net_put_checksum(uint8_t *frame, uint32_t len, uint32_t start, uint32_t at, uint32_t end)
{
    uint32_t sum = 0, stop = end && end < len ? end + 1 : len;

    if (at + 2 > len || start >= stop)
        return;
    for (uint32_t i = start; i < stop; i++)
        sum += (i - start) & 1 ? frame[i] : frame[i] << 8;
    put_be(frame + at, 2, ~net_fold(sum));
}

bool net_can_segment(const NetSegmenting *s, uint32_t len)
{
    return s->mss && s->data < len && s->data + s->mss <= NET_MAX_FRAME && s->ip + 20 <= s->data &&
           s->l4 + (s->tcp ? 20 : 8) <= s->data && s->sum + 2 <= s->data && s->l4 >= s->ip;
}

void net_patch_headers(const NetSegmenting *s, uint8_t *frame, uint32_t n, uint32_t done,
                       uint32_t payload, bool last)
{
    uint32_t len = s->data + payload;
    uint8_t *ip = frame + s->ip, *l4 = frame + s->l4;
    uint32_t sum = get_be(frame + s->sum, 2) + len - s->l4;

    if (s->ipv4) {
        put_be(ip + 2, 2, len - s->ip);
        put_be(ip + 4, 2, get_be(ip + 4, 2) + n);
    } else {
        put_be(ip + 4, 2, len - s->ip - 40);
    }
    if (s->tcp) {
        put_be(l4 + 4, 4, get_be(l4 + 4, 4) + done);
        if (!last)
            l4[13] &= ~0x09; /* FIN, PSH */
    } else {
        put_be(l4 + 4, 2, len - s->l4);
    }
    put_be(frame + s->sum, 2, net_fold(sum));
}
