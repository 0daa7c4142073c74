/* SPDX-License-Identifier: MIT */
/*
 * RTL8029AS: a DP8390 network controller with 32 KiB of memory, into which frames go page by page
 * (256 bytes), and a port through which the driver reads and writes it. Spec: National DP8390D data
 * sheet; Realtek RTL8029AS data sheet.
 *
 * Frames leave at once. Missing: counters of errors (there are none), loopback (nothing is heard),
 * the send command, EEPROM and configuration registers of page 3 (read as 0).
 */
#include "hw/ne2k-pci.h"

#include <string.h>

#include "hw/ethernet.h"
#include "softmmu/bytes.h"
#include "softmmu/log.h"

#define BAR_BYTES  256
#define DATA_PORT  0x10
#define RESET_PORT 0x18
#define PROM_BYTES 32
#define MEMORY_AT  0x4000
#define MEMORY_END 0xc000
#define PAGE       256
#define HEADER     4

enum {
    CR_STOP = 0x01,
    CR_START = 0x02,
    CR_TRANSMIT = 0x04,
    CR_DMA = 0x38,
    CR_DMA_ABORT = 0x20,
    CR_PAGE_SHIFT = 6,

    ISR_RECEIVED = 0x01,
    ISR_SENT = 0x02,
    ISR_DMA_DONE = 0x40,
    ISR_RESET = 0x80,
    ISR_MASKABLE = 0x7f,

    RCR_BROADCAST = 0x04,
    RCR_MULTICAST = 0x08,
    RCR_ALL = 0x10,
    RCR_MONITOR = 0x20,
    TCR_LOOPBACK = 0x06,
    STATUS_OK = 0x01,
    STATUS_GROUP = 0x20, /* of reception: not to the address of its own */
};

/* Registers by page and offset. Those of page 0 differ between reading and writing. */
enum {
    R_CR = 0x0,
    W_PSTART = 0x1,
    W_PSTOP = 0x2,
    R_BNRY = 0x3,
    W_TPSR = 0x4,
    R_TSR = 0x4,
    W_TBCR0 = 0x5,
    W_TBCR1 = 0x6,
    R_ISR = 0x7,
    W_RSAR0 = 0x8,
    W_RSAR1 = 0x9,
    W_RBCR0 = 0xa,
    W_RBCR1 = 0xb,
    R_ID0 = 0xa,
    R_ID1 = 0xb,
    W_RCR = 0xc,
    R_RSR = 0xc,
    W_TCR = 0xd,
    W_DCR = 0xe,
    W_IMR = 0xf,
    P1_CURR = 0x7,
};

typedef struct Ne2k {
    PciDevice pci;
    NetCable *cable;
    uint8_t mac[6];
    MemRegion ports;
    bool filling; /* the ring, with all that waits */
    /* state */
    uint8_t cr, pstart, pstop, bnry, tpsr, tsr, isr, rcr, rsr, tcr, dcr, imr, curr;
    uint16_t tbcr, rsar, rbcr;
    uint8_t par[6], mar[8];
    uint8_t memory[MEMORY_END - MEMORY_AT];
} Ne2k;

static void update(Ne2k *s)
{
    pci_set_irq(&s->pci, (s->isr & s->imr & ISR_MASKABLE) != 0);
}

static void raise_event(Ne2k *s, uint8_t bits)
{
    s->isr |= bits;
    update(s);
}

/* ---- Its memory -------------------------------------------------------------------------------
 */

/* The address PROM has each byte twice, as it is read in words; then "WW". */
static uint8_t prom_byte(const Ne2k *s, unsigned at)
{
    return at / 2 < 6 ? s->mac[at / 2] : at >= PROM_BYTES - 4 ? 'W' : 0;
}

static uint8_t memory_read(const Ne2k *s, uint16_t at)
{
    if (at >= MEMORY_AT && at < MEMORY_END)
        return s->memory[at - MEMORY_AT];
    return at < PROM_BYTES ? prom_byte(s, at) : 0xff;
}

static void memory_write(Ne2k *s, uint16_t at, uint8_t value)
{
    if (at >= MEMORY_AT && at < MEMORY_END)
        s->memory[at - MEMORY_AT] = value;
}

/* One byte further within the ring of received frames. */
static uint16_t next_in_ring(const Ne2k *s, uint16_t at)
{
    return ++at == s->pstop << 8 ? s->pstart << 8 : at;
}

/* What the data port moves; the last byte ends it. */
static void step_dma(Ne2k *s)
{
    s->rsar = next_in_ring(s, s->rsar);
    if (s->rbcr && !--s->rbcr)
        raise_event(s, ISR_DMA_DONE);
}

static uint64_t data_read(Ne2k *s, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++) {
        value |= (uint64_t)memory_read(s, s->rsar) << 8 * i;
        step_dma(s);
    }
    return value;
}

static void data_write(Ne2k *s, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size && s->rbcr; i++) {
        memory_write(s, s->rsar, value >> 8 * i);
        step_dma(s);
    }
}

/* ---- Frames -----------------------------------------------------------------------------------
 */

static void transmit(Ne2k *s)
{
    uint8_t frame[NET_MAX_FRAME];
    unsigned len = MIN(s->tbcr, sizeof(frame));

    for (unsigned i = 0; i < len; i++)
        frame[i] = memory_read(s, (s->tpsr << 8) + i);
    if (s->tbcr > sizeof(frame))
        log_guest_error("ne2k: frame of %u bytes\n", s->tbcr);
    else if (len && !(s->tcr & TCR_LOOPBACK))
        net_send(s->cable, frame, len);
    s->tsr = STATUS_OK;
    s->cr &= ~CR_TRANSMIT;
    raise_event(s, ISR_SENT);
}

static bool is_running(const Ne2k *s)
{
    return !(s->cr & CR_STOP) && s->pstop > s->pstart;
}

/* Pages between where the next frame goes and where the driver has read. */
static unsigned free_pages(const Ne2k *s)
{
    int size = s->pstop - s->pstart, used = s->curr - s->bnry;

    return size - (used < 0 ? used + size : used);
}

/*
 * A driver that has seen all frames acknowledges them last, and there are those that stop after
 * some: what came in between would lie in the ring with nobody told, until it is full and nothing
 * more comes to tell. So frames wait outside until those before them, which an interrupt told of,
 * are acknowledged; then as many come as fit.
 */
static bool is_awaited(const Ne2k *s)
{
    return s->filling || !(s->isr & s->imr & ISR_RECEIVED);
}

static bool can_receive(void *opaque)
{
    Ne2k *s = opaque;

    return !is_running(s) ||
           (is_awaited(s) && free_pages(s) > (NET_MAX_FRAME + HEADER + PAGE - 1) / PAGE);
}

static void fill_ring(Ne2k *s)
{
    s->filling = is_awaited(s);
    net_ready(s->cable);
    s->filling = false;
}

static bool wants(const Ne2k *s, const uint8_t *frame)
{
    unsigned bit = ether_group_bit(frame);

    if (s->rcr & RCR_MONITOR)
        return false;
    if (s->rcr & RCR_ALL)
        return true;
    if (ether_is_broadcast(frame))
        return s->rcr & RCR_BROADCAST;
    if (frame[0] & 1)
        return (s->rcr & RCR_MULTICAST) && (s->mar[bit / 8] >> bit % 8 & 1);
    return !memcmp(frame, s->par, 6);
}

static void put_in_ring(Ne2k *s, uint16_t *at, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        memory_write(s, *at, bytes[i]);
        *at = next_in_ring(s, *at);
    }
}

static void receive(void *opaque, const uint8_t *frame, size_t len)
{
    Ne2k *s = opaque;
    uint8_t padded[NET_MAX_FRAME] = { 0 }, header[HEADER];
    size_t size = MAX(len, ETHER_MIN_FRAME);
    unsigned next = s->curr + (size + HEADER + PAGE - 1) / PAGE;
    uint16_t at = s->curr << 8;

    if (!is_running(s) || len < 6 || !wants(s, frame))
        return;
    memcpy(padded, frame, len);
    if (next >= s->pstop)
        next -= s->pstop - s->pstart;
    s->rsr = STATUS_OK | (frame[0] & 1 ? STATUS_GROUP : 0);
    header[0] = s->rsr;
    header[1] = next;
    put_le(header + 2, 2, size + HEADER);
    put_in_ring(s, &at, header, HEADER);
    put_in_ring(s, &at, padded, size);
    s->curr = next;
    raise_event(s, ISR_RECEIVED);
}

static const uint8_t *mac_of(void *opaque)
{
    return ((Ne2k *)opaque)->mac;
}

static const NetClient client = { can_receive, receive, NULL, mac_of };

/* ---- Registers --------------------------------------------------------------------------------
 */

static void command_write(Ne2k *s, uint8_t value)
{
    s->cr = value;
    if (value & CR_STOP)
        return;
    s->isr &= ~ISR_RESET;
    if ((value & CR_DMA) != CR_DMA_ABORT && (value & CR_DMA) && !s->rbcr)
        raise_event(s, ISR_DMA_DONE);
    if (value & CR_TRANSMIT)
        transmit(s);
    fill_ring(s);
}

static void set_half(uint16_t *field, bool high, uint8_t value)
{
    *field = high ? (*field & 0xff) | value << 8 : (*field & 0xff00) | value;
}

static void page0_write(Ne2k *s, unsigned reg, uint8_t value)
{
    switch (reg) {
    case W_PSTART: s->pstart = value; break;
    case W_PSTOP: s->pstop = value; break;
    case R_BNRY: s->bnry = value; break;
    case W_TPSR: s->tpsr = value; break;
    case W_TBCR0:
    case W_TBCR1: set_half(&s->tbcr, reg == W_TBCR1, value); break;
    case R_ISR: s->isr &= ~(value & ISR_MASKABLE); break;
    case W_RSAR0:
    case W_RSAR1: set_half(&s->rsar, reg == W_RSAR1, value); break;
    case W_RBCR0:
    case W_RBCR1: set_half(&s->rbcr, reg == W_RBCR1, value); break;
    case W_RCR: s->rcr = value; break;
    case W_TCR: s->tcr = value; break;
    case W_DCR: s->dcr = value; break;
    case W_IMR: s->imr = value; break;
    }
    update(s);
    if (reg == R_BNRY || reg == R_ISR || reg == W_IMR)
        fill_ring(s);
}

static uint8_t page0_read(const Ne2k *s, unsigned reg)
{
    switch (reg) {
    case W_PSTART: return s->rsar; /* CLDA: where the ring is written to, near enough */
    case W_PSTOP: return s->rsar >> 8;
    case R_BNRY: return s->bnry;
    case R_TSR: return s->tsr;
    case R_ISR: return s->isr;
    case W_RSAR0: return s->rsar;
    case W_RSAR1: return s->rsar >> 8;
    case R_ID0: return 'P'; /* of the RTL8029 */
    case R_ID1: return 'C';
    case R_RSR: return s->rsr;
    default: return 0; /* collisions and errors: none */
    }
}

static void page1_write(Ne2k *s, unsigned reg, uint8_t value)
{
    if (reg < P1_CURR)
        s->par[reg - 1] = value;
    else if (reg == P1_CURR)
        s->curr = value;
    else
        s->mar[reg - 8] = value;
}

static uint8_t page1_read(const Ne2k *s, unsigned reg)
{
    return reg < P1_CURR ? s->par[reg - 1] : reg == P1_CURR ? s->curr : s->mar[reg - 8];
}

/* What was written to page 0. */
static uint8_t page2_read(const Ne2k *s, unsigned reg)
{
    switch (reg) {
    case W_PSTART: return s->pstart;
    case W_PSTOP: return s->pstop;
    case W_TPSR: return s->tpsr;
    case W_RCR: return s->rcr;
    case W_TCR: return s->tcr;
    case W_DCR: return s->dcr;
    case W_IMR: return s->imr;
    default: return 0;
    }
}

static void reset_chip(Ne2k *s)
{
    s->cr = CR_STOP | CR_DMA_ABORT;
    s->isr = ISR_RESET;
    update(s);
}

static uint64_t ports_read(void *opaque, uint64_t addr, unsigned size)
{
    Ne2k *s = opaque;

    if (addr >= DATA_PORT && addr < RESET_PORT)
        return data_read(s, size);
    if (addr >= RESET_PORT) {
        if (addr < RESET_PORT + 8)
            reset_chip(s);
        return 0;
    }
    if (size > 1)
        return ports_read(s, addr, 1) | ports_read(s, addr + 1, size - 1) << 8;
    if (addr == R_CR)
        return s->cr;
    switch (s->cr >> CR_PAGE_SHIFT) {
    case 0: return page0_read(s, addr);
    case 1: return page1_read(s, addr);
    case 2: return page2_read(s, addr);
    default: return 0;
    }
}

static void ports_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Ne2k *s = opaque;
    unsigned page = s->cr >> CR_PAGE_SHIFT;

    if (addr >= DATA_PORT) {
        if (addr < RESET_PORT)
            data_write(s, value, size);
        return; /* a write ends the reset, which takes no time */
    }
    if (size > 1) {
        ports_write(s, addr, value & 0xff, 1);
        ports_write(s, addr + 1, value >> 8, size - 1);
    } else if (addr == R_CR) {
        command_write(s, value);
    } else if (page == 0) {
        page0_write(s, addr, value);
    } else if (page == 1) {
        page1_write(s, addr, value);
    }
}

static const MemOps ports_ops = { ports_read, ports_write, 1, 4 };

/* ---- Life -------------------------------------------------------------------------------------
 */

static void connect_cable(Ne2k *s, bool on)
{
    net_connect(s->cable, on ? &client : NULL, on ? s : NULL);
}

static bool ne2k_realize(Device *dev, GError **error)
{
    Ne2k *s = (Ne2k *)dev;
    const PciIdentity id = {
        .vendor = 0x10ec, .device = 0x8029, .class_code = 0x020000, .interrupt_pin = 1
    };

    if (!pci_device_attach(&s->pci, &id, error))
        return false;
    memory_init_io(&s->ports, "ne2k_pci", &ports_ops, s, BAR_BYTES);
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->ports);
    connect_cable(s, true);
    return true;
}

static void ne2k_unrealize(Device *dev)
{
    Ne2k *s = (Ne2k *)dev;

    connect_cable(s, false);
    pci_device_detach(&s->pci);
    memory_destroy(&s->ports);
}

static void ne2k_plug(Device *dev, bool in)
{
    connect_cable((Ne2k *)dev, in);
    pci_device_plug(dev, in);
}

static void ne2k_reset_enter(Device *dev)
{
    Ne2k *s = (Ne2k *)dev;

    pci_device_reset(dev);
    s->cr = CR_STOP | CR_DMA_ABORT;
    s->isr = ISR_RESET;
    s->pstart = s->pstop = s->bnry = s->tpsr = s->tsr = s->curr = 0;
    s->rcr = s->rsr = s->tcr = s->dcr = s->imr = 0;
    s->tbcr = s->rsar = s->rbcr = 0;
    memset(s->par, 0, sizeof(s->par));
    memset(s->mar, 0, sizeof(s->mar));
    memset(s->memory, 0, sizeof(s->memory));
}

static const StateField ne2k_state[] = {
    STATE_STRUCT(Ne2k, pci, pci_device_state),
    STATE_U8(Ne2k, cr),
    STATE_U8(Ne2k, pstart),
    STATE_U8(Ne2k, pstop),
    STATE_U8(Ne2k, bnry),
    STATE_U8(Ne2k, tpsr),
    STATE_U8(Ne2k, tsr),
    STATE_U8(Ne2k, isr),
    STATE_U8(Ne2k, rcr),
    STATE_U8(Ne2k, rsr),
    STATE_U8(Ne2k, tcr),
    STATE_U8(Ne2k, dcr),
    STATE_U8(Ne2k, imr),
    STATE_U8(Ne2k, curr),
    STATE_U16(Ne2k, tbcr),
    STATE_U16(Ne2k, rsar),
    STATE_U16(Ne2k, rbcr),
    STATE_BYTES(Ne2k, par),
    STATE_BYTES(Ne2k, mar),
    STATE_BYTES(Ne2k, memory),
    STATE_END,
};

const DeviceClass ne2k_pci_class = {
    .name = "ne2k_pci",
    .desc = "Realtek RTL8029AS: an NE2000 on PCI",
    .size = sizeof(Ne2k),
    .state = ne2k_state,
    .state_version = 1,
    .realize = ne2k_realize,
    .unrealize = ne2k_unrealize,
    .plug = ne2k_plug,
    .reset_enter = ne2k_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = pci_device_post_load,
};

Device *ne2k_pci_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                     const uint8_t mac[6])
{
    Ne2k *s = (Ne2k *)pci_device_new(&ne2k_pci_class, bus, devfn, NULL);

    s->cable = cable;
    memcpy(s->mac, mac, sizeof(s->mac));
    return &s->pci.dev;
}
