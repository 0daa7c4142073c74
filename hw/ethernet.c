/* SPDX-License-Identifier: MIT */
#include "hw/ethernet.h"

#include <glib.h>
#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/net/net.h"

#define CRC_REVERSED 0xedb88320u
#define CRC          0x04c11db7u

/* What is left of a byte with 0 to 7 bytes of zeros behind it. */
static uint32_t crc_tables[8][256];

static void make_tables(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;

        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? CRC_REVERSED : 0);
        crc_tables[0][byte] = crc;
    }
    for (unsigned zeros = 1; zeros < 8; zeros++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            uint32_t crc = crc_tables[zeros - 1][byte];

            crc_tables[zeros][byte] = crc >> 8 ^ crc_tables[0][crc & 255];
        }
    }
}

/* Eight bytes at a time: each adds what it leaves after those behind it. */
uint32_t ether_fcs(const uint8_t *data, size_t len)
{
    static gsize made;
    uint32_t crc = UINT32_MAX;

    if (g_once_init_enter(&made)) {
        make_tables();
        g_once_init_leave(&made, 1);
    }
    for (; len >= 8; data += 8, len -= 8) {
        uint64_t bytes = get_le(data, 8) ^ crc;

        crc = 0;
        for (unsigned i = 0; i < 8; i++)
            crc ^= crc_tables[7 - i][bytes >> 8 * i & 255];
    }
    for (; len; data++, len--)
        crc = crc >> 8 ^ crc_tables[0][(crc ^ *data) & 255];
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
