/* SPDX-License-Identifier: MIT */
/*
 * Receiving: address filters, VLAN tags, descriptors (8254x manual, 3.2). Checksums are left to the
 * driver: descriptors say so.
 */
#include <string.h>

#include "hw/e1000-internal.h"

enum { RX_DD = 0x01, RX_EOP = 0x02, RX_IXSM = 0x04, RX_VP = 0x08, RX_PIF = 0x80 };

static uint32_t ring_count(const E1000 *s)
{
    return REG(s, E_RDLEN) / DESC_BYTES;
}

static uint32_t free_descriptors(const E1000 *s)
{
    uint32_t count = ring_count(s), head = REG(s, E_RDH), tail = REG(s, E_RDT);

    if (head >= count || tail >= count)
        return 0;
    return tail >= head ? tail - head : count - head + tail;
}

static uint32_t buffer_bytes(const E1000 *s)
{
    uint32_t rctl = REG(s, E_RCTL), size = 2048u >> (rctl >> 16 & 3);

    return rctl & RCTL_BSEX ? size * 16 & 0x7fff : size;
}

static bool can_receive(void *opaque)
{
    const E1000 *s = opaque;

    if (!(REG(s, E_RCTL) & RCTL_EN) || !(REG(s, E_STATUS) & STATUS_LINK))
        return true; /* to be lost */
    return (uint64_t)free_descriptors(s) * buffer_bytes(s) >= NET_MAX_FRAME + ETHER_FCS;
}

/* ---- Filters --------------------------------------------------------------------------------- */

static bool is_ours(const E1000 *s, const uint8_t *frame)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t low = REG(s, E_RA + 8 * i), high = REG(s, E_RA + 8 * i + 4);
        uint8_t addr[6] = { low, low >> 8, low >> 16, low >> 24, high, high >> 8 };

        if ((high & 0x80000000u) && !memcmp(frame, addr, 6))
            return true;
    }
    return false;
}

/* Twelve bits of the address, which ones RCTL says, choose a bit of the table. */
static bool is_in_table(const E1000 *s, const uint8_t *frame)
{
    static const uint8_t shifts[] = { 4, 3, 2, 0 };
    unsigned hash = (frame[4] | frame[5] << 8) >> shifts[REG(s, E_RCTL) >> 12 & 3] & 0xfff;

    return REG(s, E_MTA + 4 * (hash >> 5)) >> (hash & 31) & 1;
}

static bool is_tagged(const E1000 *s, const uint8_t *frame, size_t len)
{
    return len >= 18 && (frame[12] << 8 | frame[13]) == (REG(s, E_VET) & 0xffff);
}

static bool is_accepted(E1000 *s, const uint8_t *frame, size_t len)
{
    uint32_t rctl = REG(s, E_RCTL);
    unsigned tag;

    if (is_tagged(s, frame, len) && (rctl & RCTL_VFE)) {
        tag = (frame[14] << 8 | frame[15]) & 0xfff;
        if (!(REG(s, E_VFTA + 4 * (tag >> 5)) >> (tag & 31) & 1))
            return false;
    }
    if (ether_is_broadcast(frame))
        return rctl & (RCTL_BAM | RCTL_MPE | RCTL_UPE);
    if (frame[0] & 1)
        return (rctl & RCTL_MPE) || is_in_table(s, frame) || is_ours(s, frame);
    return (rctl & RCTL_UPE) || is_ours(s, frame);
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static void fill_descriptor(E1000 *s, const uint8_t *data, uint32_t len, uint8_t status,
                            uint16_t tag)
{
    uint64_t base = REG(s, E_RDBAL) | (uint64_t)REG(s, E_RDBAH) << 32;
    uint64_t at = base + (uint64_t)REG(s, E_RDH) * DESC_BYTES, addr = 0;
    uint8_t d[DESC_BYTES];

    address_space_read_bytes(s->memory, at, d, sizeof(d));
    for (unsigned i = 8; i-- > 0;)
        addr = addr << 8 | d[i];
    if (addr)
        address_space_write_bytes(s->memory, addr, data, len);
    d[8] = len;
    d[9] = len >> 8;
    d[10] = d[11] = 0;
    d[12] = status | RX_DD | RX_IXSM;
    d[13] = 0;
    d[14] = tag;
    d[15] = tag >> 8;
    address_space_write_bytes(s->memory, at, d, sizeof(d));
    REG(s, E_RDH) = REG(s, E_RDH) + 1 < ring_count(s) ? REG(s, E_RDH) + 1 : 0;
}

static void store_frame(E1000 *s, const uint8_t *data, uint32_t len, uint8_t status, uint16_t tag)
{
    uint32_t size = buffer_bytes(s), left = free_descriptors(s), limit;

    for (uint32_t at = 0; at < len; at += size) {
        uint32_t n = MIN(len - at, size);

        fill_descriptor(s, data + at, n, status | (at + n == len ? RX_EOP : 0), tag);
    }
    left = free_descriptors(s);
    limit = ring_count(s) >> (1 + (REG(s, E_RCTL) >> 8 & 3));
    e1000_interrupt(s, INT_RXT0 | (left <= limit ? INT_RXDMT0 : 0));
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    E1000 *s = opaque;
    uint8_t data[NET_MAX_FRAME + ETHER_FCS] = { 0 }, status = 0;
    uint16_t tag = 0;
    uint32_t crc;

    if (s->busy || !(REG(s, E_RCTL) & RCTL_EN) || !(REG(s, E_STATUS) & STATUS_LINK) || len < 14 ||
        !is_accepted(s, frame, len))
        return;
    if (!can_receive(s) || !buffer_bytes(s)) {
        e1000_count(s, E_MPC, 1);
        e1000_interrupt(s, INT_RXO);
        return;
    }
    memcpy(data, frame, len);
    if ((REG(s, E_CTRL) & CTRL_VME) && is_tagged(s, frame, len)) {
        tag = frame[14] << 8 | frame[15];
        status |= RX_VP;
        memmove(data + 12, frame + 16, len - 16);
        len -= 4;
    }
    len = MAX(len, ETHER_MIN_FRAME);
    e1000_count(s, frame[0] == 255 ? E_BPRC : frame[0] & 1 ? E_MPRC : E_GPRC, 1);
    e1000_count(s, E_TPR, 1);
    e1000_count(s, E_GORCL, len + ETHER_FCS);
    if (!(REG(s, E_RCTL) & RCTL_SECRC)) {
        crc = ether_fcs(data, len);
        for (unsigned i = 0; i < ETHER_FCS; i++)
            data[len++] = crc >> 8 * i;
    }
    s->busy = true;
    store_frame(s, data, len, status, tag);
    s->busy = false;
}

static const uint8_t *mac_of(void *opaque)
{
    return ((E1000 *)opaque)->mac;
}

const NetClient e1000_net_client = { can_receive, receive, e1000_link_changed, mac_of };
