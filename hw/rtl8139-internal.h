/* SPDX-License-Identifier: MIT */
/* The controller's struct, shared by rtl8139.c (registers), rtl8139-tx.c and rtl8139-rx.c. */
#ifndef HW_RTL8139_INTERNAL_H
#define HW_RTL8139_INTERNAL_H

#include "hw/eeprom93.h"
#include "hw/ethernet.h"
#include "hw/rtl8139.h"

#define RTL_TX_MAX     65536 /* bytes of a frame before it is cut into packets */
#define RTL_DESC_BYTES 16
#define RTL_DESC_MAX   64 /* of a C+ ring */

enum { CR_BUFE = 0x01, CR_TE = 0x04, CR_RE = 0x08, CR_RST = 0x10 };
enum {
    INT_ROK = 0x0001,
    INT_RER = 0x0002,
    INT_TOK = 0x0004,
    INT_TER = 0x0008,
    INT_RDU = 0x0010, /* RXOVW of the ring: no room */
    INT_LINK = 0x0020,
    INT_TDU = 0x0080,
    INT_SOFT = 0x0100,
    INT_TIMEOUT = 0x4000,
};
enum { TCR_LBK = 0x00060000 };
enum { RCR_AAP = 0x01, RCR_APM = 0x02, RCR_AM = 0x04, RCR_AB = 0x08, RCR_WRAP = 0x80 };
enum { CPCR_TX = 0x01, CPCR_RX = 0x02, CPCR_RX_SUMS = 0x20, CPCR_RX_VLAN = 0x40 };

/* Bits of the first word of either ring's descriptors. */
enum { DESC_OWN = 0x80000000u, DESC_EOR = 0x40000000, DESC_FS = 0x20000000, DESC_LS = 0x10000000 };

/* What a driver may have dumped: the tally counters. */
typedef struct RtlTally {
    uint64_t tx_ok, rx_ok, rx_own, rx_broadcast;
    uint32_t rx_group;
} RtlTally;

typedef struct Rtl8139 {
    PciDevice pci;
    AddressSpace *memory;
    Clock *clock;
    NetCable *cable;
    MemRegion io, mmio;
    uint8_t mac[6];
    bool busy; /* what a DMA of its own does to registers must not start it again */
    /* state */
    uint32_t idr[2], mar[2];  /* little-endian: address, filter of groups */
    uint32_t tsd[4], tsad[4]; /* C+: TNPDS and THPDS in the latter */
    uint32_t rbstart, tcr, rcr, mpc, timer_int;
    uint32_t dtccr[2], rdsar[2];
    uint16_t capr, cbr, imr, isr, mulint, cpcr, bmcr, anar;
    uint8_t cr, cr9346, config[6], etthr;
    uint64_t timer_base_ns; /* when TCTR was 0 */
    Timer *timer;
    Eeprom93 eeprom;
    RtlTally tally;
    uint8_t tx_index[2], rx_index; /* of the C+ rings: normal, high priority */
    bool tx_started;               /* a frame is in the buffer */
    uint32_t tx_len;
    uint8_t tx_data[RTL_TX_MAX];
} Rtl8139;

typedef struct RtlDesc {
    uint32_t command, vlan;
    uint64_t addr;
} RtlDesc;

RtlDesc rtl8139_read_descriptor(const Rtl8139 *s, uint64_t at);

void rtl8139_interrupt(Rtl8139 *s, uint16_t causes);
void rtl8139_transmit(Rtl8139 *s);                     /* what TSD0 to TSD3 have ready */
void rtl8139_transmit_ring(Rtl8139 *s, unsigned ring); /* C+: 0 normal, 1 high priority */
bool rtl8139_ring_is_empty(const Rtl8139 *s);
void rtl8139_receive(Rtl8139 *s, const uint8_t *frame, size_t len);
void rtl8139_link_changed(void *opaque);
extern const NetClient rtl8139_net_client;

#endif
