/* SPDX-License-Identifier: MIT */
/*
 * Sending: the four descriptors in registers, and the C+ rings with checksums, tags and large
 * frames cut into packets (RTL8139C+ data sheet, 6.2 and 9.2). A frame that is longer than a
 * buffer is dropped; a header that makes no sense is left as it is.
 */
#include <string.h>

#include "hw/rtl8139-internal.h"
#include "softmmu/bytes.h"

#define MIN_FRAME 14 /* shorter ones have no header */

enum { TSD_SIZE = 0x1fff, TSD_OWN = 0x2000, TSD_TOK = 0x8000 };
enum {
    TX_LARGE = 0x08000000,
    TX_MSS_SHIFT = 16,
    TX_MSS = 0x7ff,
    TX_IPCS = 0x00040000,
    TX_UDPCS = 0x00020000,
    TX_TCPCS = 0x00010000,
    TX_LENGTH = 0xffff,
    TX_STATUS = 0x02ff0000, /* errors and collisions: none */
    TX_TAGC = 0x00020000,   /* of the second word */
};
enum {
    ETHER_HEADER = 14,
    ETHERTYPE_IPV4 = 0x0800,
    ETHERTYPE_VLAN = 0x8100,
    IP_TCP = 6,
    IP_UDP = 17
};

static void send_frame(Rtl8139 *s, const uint8_t *frame, uint32_t len)
{
    if (len < MIN_FRAME || len > NET_MAX_FRAME)
        return;
    s->tally.tx_ok++;
    if ((s->tcr & TCR_LBK) == TCR_LBK)
        rtl8139_receive(s, frame, len);
    else
        net_send(s->cable, frame, len);
}

/* ---- Descriptors in registers ---------------------------------------------------------------- */

static void send_register(Rtl8139 *s, unsigned n)
{
    uint8_t frame[NET_MAX_FRAME];
    uint32_t len = s->tsd[n] & TSD_SIZE;

    if (len <= sizeof(frame)) {
        address_space_read_bytes(s->memory, s->tsad[n], frame, len);
        send_frame(s, frame, len);
    }
    s->tsd[n] |= TSD_OWN | TSD_TOK;
}

void rtl8139_transmit(Rtl8139 *s)
{
    bool sent = false;

    if (s->busy || !(s->cr & CR_TE) || (s->cpcr & CPCR_TX))
        return;
    s->busy = true;
    for (unsigned n = 0; n < 4; n++) {
        if (s->tsd[n] & TSD_OWN)
            continue;
        send_register(s, n);
        sent = true;
    }
    s->busy = false;
    if (sent)
        rtl8139_interrupt(s, INT_TOK);
}

/* ---- Offloads of C+ -------------------------------------------------------------------------- */

/* Where the parts of an IPv4 packet with TCP or UDP in it are; false: it is none. */
static bool find_headers(const uint8_t *frame, uint32_t len, NetSegmenting *where)
{
    uint32_t ip = ETHER_HEADER, l4, type;

    if (len >= ip + 4 && get_be(frame + 12, 2) == ETHERTYPE_VLAN)
        ip += 4;
    if (len < ip + 20 || get_be(frame + ip - 2, 2) != ETHERTYPE_IPV4 || frame[ip] >> 4 != 4)
        return false;
    l4 = ip + (frame[ip] & 15) * 4;
    type = frame[ip + 9];
    *where = (NetSegmenting){ .ip = ip, .l4 = l4, .ipv4 = true, .tcp = type == IP_TCP };
    if (l4 < ip + 20 || l4 + (where->tcp ? 20 : 8) > len)
        where->l4 = 0; /* no more than IP */
    where->sum = l4 + (where->tcp ? 16 : 6);
    where->data = where->tcp && where->l4 ? l4 + (frame[l4 + 12] >> 4) * 4 : 0;
    return where->l4 ? where->tcp || type == IP_UDP : true;
}

/* The sum of the pseudo header, with @len bytes of TCP or UDP. */
static uint16_t pseudo_sum(const uint8_t *ip, uint32_t len)
{
    uint32_t sum = ip[9] + len;

    for (unsigned i = 12; i < 20; i += 2)
        sum += get_be(ip + i, 2);
    return net_fold(sum);
}

static void sum_ip(uint8_t *frame, uint32_t len, const NetSegmenting *w)
{
    uint32_t header = (frame[w->ip] & 15) * 4u;

    if (header < 20 || w->ip + header > len)
        return;
    put_be(frame + w->ip + 10, 2, 0);
    net_put_checksum(frame, len, w->ip, w->ip + 10, w->ip + header - 1);
}

static void add_checksums(const RtlDesc *d, uint8_t *frame, uint32_t len)
{
    uint32_t stop;
    NetSegmenting w;

    if (!(d->command & (TX_IPCS | TX_UDPCS | TX_TCPCS)) || !find_headers(frame, len, &w))
        return;
    if (d->command & TX_IPCS)
        sum_ip(frame, len, &w);
    stop = w.ip + get_be(frame + w.ip + 2, 2); /* padding does not count */
    if (!(d->command & (w.tcp ? TX_TCPCS : TX_UDPCS)) || !w.l4 || stop > len || stop < w.sum + 2u)
        return;
    put_be(frame + w.sum, 2, pseudo_sum(frame + w.ip, stop - w.l4));
    net_put_checksum(frame, len, w.l4, w.sum, stop - 1);
}

static void send_packets(Rtl8139 *s, uint32_t mss)
{
    uint8_t frame[NET_MAX_FRAME];
    uint32_t total;
    NetSegmenting w;

    if (!find_headers(s->tx_data, s->tx_len, &w) || !w.tcp || !w.l4)
        return;
    w.mss = mss;
    if (!net_can_segment(&w, s->tx_len))
        return;
    put_be(s->tx_data + w.sum, 2, pseudo_sum(s->tx_data + w.ip, 0));
    total = s->tx_len - w.data;
    for (uint32_t n = 0, done = 0; done < total; n++) {
        uint32_t payload = MIN(total - done, mss), len = w.data + payload;

        memcpy(frame, s->tx_data, w.data);
        memcpy(frame + w.data, s->tx_data + w.data + done, payload);
        net_patch_headers(&w, frame, n, done, payload, done + payload == total);
        sum_ip(frame, len, &w);
        net_put_checksum(frame, len, w.l4, w.sum, 0);
        send_frame(s, frame, len);
        done += payload;
    }
}

/* The tag is in network order in its register. */
static void insert_tag(Rtl8139 *s, uint16_t tag)
{
    if (s->tx_len < 12 || s->tx_len + 4 > RTL_TX_MAX)
        return;
    memmove(s->tx_data + 16, s->tx_data + 12, s->tx_len - 12);
    put_be(s->tx_data + 12, 2, ETHERTYPE_VLAN);
    put_le(s->tx_data + 14, 2, tag);
    s->tx_len += 4;
}

static void finish_frame(Rtl8139 *s, const RtlDesc *d)
{
    if (s->tx_len > RTL_TX_MAX) /* longer than it can be */
        return;
    if (d->vlan & TX_TAGC)
        insert_tag(s, d->vlan);
    if (d->command & TX_LARGE) {
        send_packets(s, d->command >> TX_MSS_SHIFT & TX_MSS);
        return;
    }
    add_checksums(d, s->tx_data, s->tx_len);
    send_frame(s, s->tx_data, s->tx_len);
}

/* ---- Rings of C+ ----------------------------------------------------------------------------- */

RtlDesc rtl8139_read_descriptor(const Rtl8139 *s, uint64_t at)
{
    uint8_t raw[RTL_DESC_BYTES];

    address_space_read_bytes(s->memory, at, raw, sizeof(raw));
    return (RtlDesc){ get_le(raw, 4), get_le(raw + 4, 4), get_le(raw + 8, 8) };
}

static void take_data(Rtl8139 *s, const RtlDesc *d)
{
    uint32_t len = d->command & TX_LENGTH, room;

    if (d->command & DESC_FS) {
        s->tx_started = true;
        s->tx_len = 0;
    }
    if (!s->tx_started)
        return;
    room = s->tx_len < RTL_TX_MAX ? RTL_TX_MAX - s->tx_len : 0;
    if (room)
        address_space_read_bytes(s->memory, d->addr, s->tx_data + s->tx_len, MIN(len, room));
    s->tx_len = len > room ? RTL_TX_MAX + 1 : s->tx_len + len;
    if (!(d->command & DESC_LS))
        return;
    finish_frame(s, d);
    s->tx_started = false;
    s->tx_len = 0;
}

/* False: the driver has no more. */
static bool run_descriptor(Rtl8139 *s, unsigned ring, uint16_t *causes)
{
    uint64_t base = (s->tsad[2 * ring] & ~0xffu) | (uint64_t)s->tsad[2 * ring + 1] << 32;
    uint64_t at = base + s->tx_index[ring] * RTL_DESC_BYTES;
    RtlDesc d = rtl8139_read_descriptor(s, at);
    uint8_t status[4];

    if (!(d.command & DESC_OWN))
        return false;
    take_data(s, &d);
    put_le(status, 4, d.command & ~(DESC_OWN | TX_STATUS));
    address_space_write_bytes(s->memory, at, status, sizeof(status));
    s->tx_index[ring] = d.command & DESC_EOR ? 0 : (s->tx_index[ring] + 1) % RTL_DESC_MAX;
    if (d.command & DESC_LS)
        *causes |= INT_TOK;
    return true;
}

void rtl8139_transmit_ring(Rtl8139 *s, unsigned ring)
{
    uint16_t causes = 0;
    unsigned done = 0;

    if (s->busy || !(s->cr & CR_TE) || !(s->cpcr & CPCR_TX))
        return;
    s->busy = true;
    while (done < RTL_DESC_MAX && run_descriptor(s, ring, &causes))
        done++;
    s->busy = false;
    if (done)
        rtl8139_interrupt(s, causes | INT_TDU);
}
