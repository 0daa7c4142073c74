/* SPDX-License-Identifier: MIT */
/*
 * Receiving: address filters, then the ring of bytes or the C+ ring of descriptors (RTL8139C+ data
 * sheet, 6.1 and 9.1). While there is no room frames wait on the cable; a C+ driver is told.
 */
#include <string.h>

#include "hw/rtl8139-internal.h"
#include "softmmu/bytes.h"

#define RING_HEADER 4
#define RING_GAP    16 /* CAPR is so much behind what the driver has read */

/* What the header in the ring says of a frame, and its place in a descriptor. */
enum { RX_ROK = 0x0001, RX_BAR = 0x2000, RX_PAM = 0x4000, RX_MAR = 0x8000, RX_DESC_SHIFT = 11 };
enum {
    RXD_SIZE = 0x1fff,
    RXD_TCPF = 0x2000,
    RXD_UDPF = 0x4000,
    RXD_IPF = 0x8000,
    RXD_PID_TCP = 0x10000,
    RXD_PID_UDP = 0x20000,
    RXD_PID_IP = 0x30000,
    RXD_TAVA = 0x10000, /* of the second word */
};

typedef struct Frame {
    uint8_t data[NET_MAX_FRAME + ETHER_FCS];
    uint32_t len;
    uint16_t status;   /* RX_* */
    uint32_t protocol; /* RXD_PID_* with what failed */
    uint32_t vlan;     /* RXD_TAVA with the tag, or 0 */
} Frame;

static bool is_cplus(const Rtl8139 *s)
{
    return s->cpcr & CPCR_RX;
}

/* ---- Room ------------------------------------------------------------------------------------ */

static uint32_t ring_bytes(const Rtl8139 *s)
{
    return 8192u << (s->rcr >> 11 & 3);
}

/* Bytes that the driver has not read yet. */
static uint32_t ring_used(const Rtl8139 *s)
{
    return (s->cbr - (s->capr + RING_GAP)) & (ring_bytes(s) - 1);
}

bool rtl8139_ring_is_empty(const Rtl8139 *s)
{
    return !is_cplus(s) && !ring_used(s);
}

static uint64_t ring_descriptor(const Rtl8139 *s, unsigned index)
{
    return ((s->rdsar[0] & ~0xffu) | (uint64_t)s->rdsar[1] << 32) + index * RTL_DESC_BYTES;
}

static unsigned next_index(const RtlDesc *d, unsigned index)
{
    return d->command & DESC_EOR ? 0 : (index + 1) % RTL_DESC_MAX;
}

/* Do the descriptors from the next one on take a frame of any size? */
static bool has_descriptors(const Rtl8139 *s)
{
    uint32_t room = 0;
    unsigned index = s->rx_index;

    for (unsigned n = 0; n < RTL_DESC_MAX && room < NET_MAX_FRAME + ETHER_FCS; n++) {
        RtlDesc d = rtl8139_read_descriptor(s, ring_descriptor(s, index));

        if (!(d.command & DESC_OWN) || (n && index == s->rx_index))
            return false;
        room += d.command & RXD_SIZE;
        index = next_index(&d, index);
    }
    return room >= NET_MAX_FRAME + ETHER_FCS;
}

static bool is_listening(const Rtl8139 *s)
{
    return (s->cr & CR_RE) && net_is_up(s->cable) && (s->tcr & TCR_LBK) != TCR_LBK;
}

static bool can_receive(void *opaque)
{
    Rtl8139 *s = opaque;

    if (!is_listening(s))
        return true; /* to be lost */
    if (s->busy)
        return false;
    if (!is_cplus(s))
        return ring_bytes(s) - ring_used(s) > NET_MAX_FRAME + ETHER_FCS + RING_HEADER + 4;
    if (has_descriptors(s))
        return true;
    rtl8139_interrupt(s, INT_RDU);
    return false;
}

/* ---- Filters and checks ---------------------------------------------------------------------- */

/* RX_* of a frame that is wanted; 0: it is not. */
static uint16_t filter(const Rtl8139 *s, const uint8_t *frame)
{
    unsigned bit = ether_group_bit(frame);
    uint32_t rcr = s->rcr;
    bool own = get_le(frame, 4) == s->idr[0] && get_le(frame + 4, 2) == s->idr[1];

    if (ether_is_broadcast(frame))
        return rcr & (RCR_AB | RCR_AAP) ? RX_ROK | RX_BAR : 0;
    if (frame[0] & 1) {
        bool known = (rcr & RCR_AM) && (s->mar[bit / 32] >> bit % 32 & 1);

        return known || (rcr & RCR_AAP) ? RX_ROK | RX_MAR : 0;
    }
    if (own)
        return rcr & (RCR_APM | RCR_AAP) ? RX_ROK | RX_PAM : 0;
    return rcr & RCR_AAP ? RX_ROK : 0;
}

/* A sum in progress, of big-endian words. */
static uint32_t sum_words(const uint8_t *p, uint32_t len, uint32_t sum)
{
    for (uint32_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : p[i] << 8;
    return net_fold(sum);
}

/* RXD_PID_* of an IPv4 packet with what does not add up; 0: it is something else. */
static uint32_t check_packet(const uint8_t *frame, uint32_t len)
{
    const uint8_t *ip = frame + 14, *l4;
    uint32_t header, total, sum;

    if (len < 34 || get_be(frame + 12, 2) != 0x0800 || ip[0] >> 4 != 4)
        return 0;
    header = (ip[0] & 15) * 4;
    total = get_be(ip + 2, 2);
    if (header < 20 || total < header || total > len - 14)
        return RXD_PID_IP | RXD_IPF;
    if (sum_words(ip, header, 0) != 0xffff)
        return RXD_PID_IP | RXD_IPF;
    if (get_be(ip + 6, 2) & 0x3fff) /* a part of one */
        return RXD_PID_IP;
    l4 = ip + header;
    sum = sum_words(ip + 12, 8, ip[9] + total - header);
    sum = sum_words(l4, total - header, sum);
    if (ip[9] == 6)
        return RXD_PID_TCP | (sum == 0xffff ? 0 : RXD_TCPF);
    if (ip[9] == 17 && total - header >= 8)
        return RXD_PID_UDP | (sum == 0xffff || !get_be(l4 + 6, 2) ? 0 : RXD_UDPF);
    return RXD_PID_IP;
}

/* ---- Into memory ----------------------------------------------------------------------------- */

/* A header, then the frame with its check sequence, from where the next begins at a double word.
 * WRAP: it goes on behind the ring's end; a ring of 64 KiB is always whole. */
static void store_in_ring(Rtl8139 *s, const Frame *f)
{
    uint8_t bytes[RING_HEADER + sizeof(f->data)];
    uint32_t size = ring_bytes(s), len = RING_HEADER + f->len, at = s->cbr & (size - 1),
             first = size - at;

    put_le(bytes, 2, f->status);
    put_le(bytes + 2, 2, f->len);
    memcpy(bytes + RING_HEADER, f->data, f->len);
    if (((s->rcr & RCR_WRAP) && size < 65536) || first > len)
        first = len;
    address_space_write_bytes(s->memory, s->rbstart + at, bytes, first);
    if (first < len)
        address_space_write_bytes(s->memory, s->rbstart, bytes + first, len - first);
    s->cbr = (at + ((len + 3) & ~3u)) & (size - 1);
}

/* What a descriptor says that has been filled. */
static uint32_t descriptor_status(const Frame *f, bool last)
{
    uint32_t group = (f->status & (RX_MAR | RX_PAM | RX_BAR)) << RX_DESC_SHIFT;

    return last ? DESC_LS | group | f->protocol | f->len : 0;
}

static void fill_descriptors(Rtl8139 *s, const Frame *f)
{
    uint32_t at = 0;

    for (unsigned n = 0; n < RTL_DESC_MAX && at < f->len; n++) {
        uint64_t where = ring_descriptor(s, s->rx_index);
        RtlDesc d = rtl8139_read_descriptor(s, where);
        uint32_t part = MIN(d.command & RXD_SIZE, f->len - at);
        uint8_t status[8];

        address_space_write_bytes(s->memory, d.addr, f->data + at, part);
        put_le(status, 4,
               (d.command & DESC_EOR) | (at ? 0 : DESC_FS) |
                   descriptor_status(f, at + part == f->len));
        put_le(status + 4, 4, f->vlan);
        address_space_write_bytes(s->memory, where, status, sizeof(status));
        s->rx_index = next_index(&d, s->rx_index);
        at += part;
    }
}

static void count(Rtl8139 *s, uint16_t status)
{
    s->tally.rx_ok++;
    s->tally.rx_broadcast += (status & RX_BAR) != 0;
    s->tally.rx_group += (status & RX_MAR) != 0;
    s->tally.rx_own += (status & RX_PAM) != 0;
}

/* A tag is taken out if the driver wants it in the descriptor. */
static void take_tag(const Rtl8139 *s, Frame *f)
{
    if (!is_cplus(s) || !(s->cpcr & CPCR_RX_VLAN) || f->len < 18 ||
        get_be(f->data + 12, 2) != 0x8100)
        return;
    f->vlan = RXD_TAVA | get_le(f->data + 14, 2);
    memmove(f->data + 12, f->data + 16, f->len - 16);
    f->len -= 4;
}

void rtl8139_receive(Rtl8139 *s, const uint8_t *frame, size_t len)
{
    Frame f = { .len = len };
    bool busy = s->busy;

    f.status = len < 14 || !(s->cr & CR_RE) ? 0 : filter(s, frame);
    if (!f.status)
        return;
    if (is_cplus(s) ? !has_descriptors(s)
                    : ring_bytes(s) - ring_used(s) <= sizeof(f.data) + RING_HEADER + 4) {
        s->mpc = (s->mpc + 1) & 0xffffff;
        rtl8139_interrupt(s, INT_RDU);
        return;
    }
    memcpy(f.data, frame, len);
    take_tag(s, &f);
    if (f.len < ETHER_MIN_FRAME) { /* as the wire's other end would have done */
        memset(f.data + f.len, 0, ETHER_MIN_FRAME - f.len);
        f.len = ETHER_MIN_FRAME;
    }
    if (s->cpcr & CPCR_RX_SUMS)
        f.protocol = check_packet(f.data, f.len);
    put_le(f.data + f.len, ETHER_FCS, ether_fcs(f.data, f.len));
    f.len += ETHER_FCS;
    count(s, f.status);
    s->busy = true;
    if (is_cplus(s))
        fill_descriptors(s, &f);
    else
        store_in_ring(s, &f);
    s->busy = busy;
    rtl8139_interrupt(s, INT_ROK);
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    Rtl8139 *s = opaque;

    if (is_listening(s))
        rtl8139_receive(s, frame, len);
}

static const uint8_t *mac_of(void *opaque)
{
    return ((Rtl8139 *)opaque)->mac;
}

const NetClient rtl8139_net_client = { can_receive, receive, rtl8139_link_changed, mac_of };
