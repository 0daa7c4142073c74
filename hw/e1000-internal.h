/* SPDX-License-Identifier: MIT */
/* The controller's struct, shared by e1000.c (registers), e1000-tx.c and e1000-rx.c. */
#ifndef HW_E1000_INTERNAL_H
#define HW_E1000_INTERNAL_H

#include "hw/e1000.h"
#include "hw/eeprom93.h"
#include "hw/ethernet.h"

#define E1000_REGS   0x8000        /* bytes: there is nothing of ours beyond */
#define E1000_TX_MAX (65536 + 256) /* bytes of a frame before it is cut into segments */
#define E1000_PHY    32

/* Registers, byte offsets (8254x manual, chapter 13). */
enum {
    E_CTRL = 0x00000,
    E_STATUS = 0x00008,
    E_EECD = 0x00010,
    E_EERD = 0x00014,
    E_MDIC = 0x00020,
    E_VET = 0x00038,
    E_ICR = 0x000c0,
    E_ITR = 0x000c4,
    E_ICS = 0x000c8,
    E_IMS = 0x000d0,
    E_IMC = 0x000d8,
    E_RCTL = 0x00100,
    E_TCTL = 0x00400,
    E_LEDCTL = 0x00e00,
    E_PBA = 0x01000,
    E_RDBAL = 0x02800,
    E_RDBAH = 0x02804,
    E_RDLEN = 0x02808,
    E_RDH = 0x02810,
    E_RDT = 0x02818,
    E_TDBAL = 0x03800,
    E_TDBAH = 0x03804,
    E_TDLEN = 0x03808,
    E_TDH = 0x03810,
    E_TDT = 0x03818,
    E_STATS = 0x04000, /* to 0x4124: counters that a read clears */
    E_STATS_END = 0x04128,
    E_MPC = 0x04010,
    E_GPRC = 0x04074,
    E_BPRC = 0x04078,
    E_MPRC = 0x0407c,
    E_GPTC = 0x04080,
    E_GORCL = 0x04088,
    E_GOTCL = 0x04090,
    E_TPR = 0x040d0,
    E_TPT = 0x040d4,
    E_MTA = 0x05200,  /* 128 words */
    E_RA = 0x05400,   /* 16 pairs */
    E_VFTA = 0x05600, /* 128 words */
    E_MANC = 0x05820,
};

enum { CTRL_VME = 0x40000000u, CTRL_RST = 0x04000000u, CTRL_PHY_RST = 0x80000000u };
enum { STATUS_LINK = 0x2 };
enum {
    INT_TXDW = 0x01,
    INT_TXQE = 0x02,
    INT_LSC = 0x04,
    INT_RXDMT0 = 0x10,
    INT_RXO = 0x40,
    INT_RXT0 = 0x80,
    INT_MDAC = 0x200,
};
enum {
    RCTL_EN = 0x02,
    RCTL_UPE = 0x08,
    RCTL_MPE = 0x10,
    RCTL_LPE = 0x20,
    RCTL_BAM = 0x8000,
    RCTL_VFE = 0x40000,
    RCTL_BSEX = 0x2000000,
    RCTL_SECRC = 0x4000000,
};
enum { TCTL_EN = 0x02 };
enum { DESC_BYTES = 16 };

/* What a context descriptor sets for the frames after it. */
typedef struct E1000Context {
    uint8_t ipcss, ipcso, tucss, tucso, hdrlen;
    uint16_t ipcse, tucse, mss;
    bool tcp, ipv4;
} E1000Context;

typedef struct E1000 {
    PciDevice pci;
    AddressSpace *memory;
    NetCable *cable;
    MemRegion mmio, io;
    bool busy; /* a descriptor's write-back must not start the ring again */
    uint8_t mac[6];
    /* state */
    uint32_t reg[E1000_REGS / 4];
    uint16_t phy[E1000_PHY];
    Eeprom93 eeprom;
    uint32_t io_address;
    E1000Context segment, checksum; /* the contexts for TSO and for all else */
    bool tx_started;                /* a frame is in the buffer … */
    bool tx_tso, tx_sum_ip, tx_sum_l4, tx_vlan;
    uint16_t tx_tag;
    uint32_t tx_len;
    uint8_t tx_data[E1000_TX_MAX];
} E1000;

#define REG(s, off) ((s)->reg[(off) / 4])

void e1000_interrupt(E1000 *s, uint32_t causes);
void e1000_count(E1000 *s, unsigned off, uint32_t n);
void e1000_transmit(E1000 *s); /* from TDH to TDT */
void e1000_link_changed(void *opaque);
extern const NetClient e1000_net_client;

#endif
