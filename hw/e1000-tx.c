/* SPDX-License-Identifier: MIT */
/*
 * Sending: descriptors of the three kinds, checksums and segmentation (8254x manual, 3.3 to 3.6).
 * A frame that is longer than a buffer, or whose offloads make no sense, is dropped.
 */
#include <string.h>

#include "hw/e1000-internal.h"
#include "softmmu/bytes.h"

#define MIN_FRAME 17 /* shorter ones the controller does not send */

/* Bits of the second half of a descriptor: command in its first word, status in its second. */
enum {
    CMD_EOP = 0x01000000,
    CMD_IC = 0x04000000,
    CMD_TSE = 0x04000000,
    CMD_RS = 0x08000000,
    CMD_DEXT = 0x20000000,
    CMD_VLE = 0x40000000,
    TUCMD_TCP = 0x01000000,
    TUCMD_IP = 0x02000000,
    STA_DD = 0x01,
    POPTS_IXSM = 0x0100,
    POPTS_TXSM = 0x0200,
};

typedef struct Descriptor {
    uint64_t addr;
    uint32_t command, status;
} Descriptor;

static void add_checksums(const E1000 *s, const E1000Context *c, uint8_t *frame, uint32_t len)
{
    if (s->tx_sum_l4)
        net_put_checksum(frame, len, c->tucss, c->tucso, c->tucse);
    if (s->tx_sum_ip) {
        if (c->ipcso + 2u <= len)
            put_be(frame + c->ipcso, 2, 0);
        net_put_checksum(frame, len, c->ipcss, c->ipcso, c->ipcse);
    }
}

/* ---- Frames ---------------------------------------------------------------------------------- */

static void send_frame(E1000 *s, const uint8_t *frame, uint32_t len)
{
    uint8_t tagged[NET_MAX_FRAME];
    uint32_t room = s->tx_vlan ? 4 : 0;

    if (len < MIN_FRAME || len + room > sizeof(tagged))
        return;
    if (s->tx_vlan) {
        memcpy(tagged, frame, 12);
        put_be(tagged + 12, 2, REG(s, E_VET));
        put_be(tagged + 14, 2, s->tx_tag);
        memcpy(tagged + 16, frame + 12, len - 12);
        frame = tagged;
    }
    net_send(s->cable, frame, len + room);
    e1000_count(s, E_GPTC, 1);
    e1000_count(s, E_TPT, 1);
    e1000_count(s, E_GOTCL, len + room + 4);
}

static void send_segments(E1000 *s)
{
    const E1000Context *c = &s->segment;
    const NetSegmenting cut = { c->ipcss, c->tucss, c->tucso, c->hdrlen, c->mss, c->tcp, c->ipv4 };
    uint32_t total = s->tx_len - c->hdrlen;
    uint8_t frame[NET_MAX_FRAME];

    if (!net_can_segment(&cut, s->tx_len))
        return;
    for (uint32_t n = 0, done = 0; done < total; n++) {
        uint32_t payload = MIN(total - done, c->mss);

        memcpy(frame, s->tx_data, c->hdrlen);
        memcpy(frame + c->hdrlen, s->tx_data + c->hdrlen + done, payload);
        net_patch_headers(&cut, frame, n, done, payload, done + payload == total);
        add_checksums(s, c, frame, c->hdrlen + payload);
        send_frame(s, frame, c->hdrlen + payload);
        done += payload;
    }
}

static void finish_frame(E1000 *s)
{
    if (s->tx_len > E1000_TX_MAX) {
        /* longer than it can be: dropped */
    } else if (!s->tx_tso) {
        add_checksums(s, &s->checksum, s->tx_data, s->tx_len);
        send_frame(s, s->tx_data, s->tx_len);
    } else {
        send_segments(s);
    }
    s->tx_started = false;
    s->tx_len = 0;
}

/* ---- Descriptors ----------------------------------------------------------------------------- */

static void take_context(E1000 *s, const Descriptor *d)
{
    E1000Context c = {
        .ipcss = d->addr,
        .ipcso = d->addr >> 8,
        .ipcse = d->addr >> 16,
        .tucss = d->addr >> 32,
        .tucso = d->addr >> 40,
        .tucse = d->addr >> 48,
        .hdrlen = d->status >> 8,
        .mss = d->status >> 16,
        .tcp = d->command & TUCMD_TCP,
        .ipv4 = d->command & TUCMD_IP,
    };

    if (d->command & CMD_TSE)
        s->segment = c;
    else
        s->checksum = c;
}

static void begin_frame(E1000 *s, const Descriptor *d)
{
    bool extended = d->command & CMD_DEXT;

    s->tx_started = true;
    s->tx_len = 0;
    s->tx_tso = extended && (d->command & CMD_TSE);
    s->tx_sum_ip = extended && (d->status & POPTS_IXSM);
    s->tx_sum_l4 = extended && (d->status & POPTS_TXSM);
    s->tx_vlan = false;
}

static void take_data(E1000 *s, const Descriptor *d)
{
    bool extended = d->command & CMD_DEXT;
    uint32_t len = d->command & (extended ? 0xfffff : 0xffff);
    uint32_t room;

    if (!s->tx_started)
        begin_frame(s, d);
    room = s->tx_len < E1000_TX_MAX ? E1000_TX_MAX - s->tx_len : 0;
    address_space_read_bytes(s->memory, d->addr, s->tx_data + MIN(s->tx_len, E1000_TX_MAX),
                             MIN(len, room));
    s->tx_len = len > room ? E1000_TX_MAX + 1 : s->tx_len + len;
    if (!(d->command & CMD_EOP))
        return;
    if ((d->command & CMD_VLE) && (REG(s, E_CTRL) & CTRL_VME)) {
        s->tx_vlan = true;
        s->tx_tag = d->status >> 16;
    }
    if (!extended && (d->command & CMD_IC) && s->tx_len <= E1000_TX_MAX) /* a legacy checksum */
        net_put_checksum(s->tx_data, s->tx_len, d->status >> 8 & 0xff, d->command >> 16 & 0xff, 0);
    finish_frame(s);
}

static uint32_t run_descriptor(E1000 *s, uint64_t at)
{
    uint8_t raw[DESC_BYTES];
    Descriptor d;

    address_space_read_bytes(s->memory, at, raw, sizeof(raw));
    d = (Descriptor){ get_le(raw, 8), get_le(raw + 8, 4), get_le(raw + 12, 4) };
    if ((d.command & CMD_DEXT) && !(d.command >> 20 & 15))
        take_context(s, &d);
    else
        take_data(s, &d);
    if (!(d.command & CMD_RS))
        return 0;
    raw[12] |= STA_DD;
    address_space_write_bytes(s->memory, at + 12, raw + 12, 1);
    return INT_TXDW;
}

void e1000_transmit(E1000 *s)
{
    uint64_t base = REG(s, E_TDBAL) | (uint64_t)REG(s, E_TDBAH) << 32;
    uint32_t count = REG(s, E_TDLEN) / DESC_BYTES, causes = 0, done = 0;

    if (s->busy || !(REG(s, E_TCTL) & TCTL_EN) || REG(s, E_TDH) >= count)
        return;
    s->busy = true;
    while (REG(s, E_TDH) != REG(s, E_TDT) && done++ < count) {
        causes |= run_descriptor(s, base + (uint64_t)REG(s, E_TDH) * DESC_BYTES);
        REG(s, E_TDH) = REG(s, E_TDH) + 1 < count ? REG(s, E_TDH) + 1 : 0;
    }
    s->busy = false;
    if (done)
        e1000_interrupt(s, causes | INT_TXQE);
}
