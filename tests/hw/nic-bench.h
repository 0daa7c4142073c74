/* SPDX-License-Identifier: MIT */
/*
 * A PCI bus for one network card at NIC_DEVFN, its cable, and a back end that keeps what is sent.
 * A test adds the card between nic_bench_start() and fixture_start().
 */
#ifndef TESTS_HW_NIC_BENCH_H
#define TESTS_HW_NIC_BENCH_H

#include "hw/pci.h"
#include "softmmu/net/net.h"
#include "tests/hw/fixture.h"

#define NIC_DEVFN PCI_DEVFN(3, 0)

static const uint8_t nic_mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };

typedef struct NicBench {
    NetBackend backend;
    Fixture *f;
    InputQueue *input;
    NetCable *cable;
    PciBus *bus;
    IrqSpy *irq; /* INTA to INTD alike */
    Irq pirq[4];
    GPtrArray *sent; /* GBytes * */
} NicBench;

void nic_bench_start(NicBench *b, Fixture *f);
void nic_bench_stop(NicBench *b); /* the machine too */
/* Frame @n of those sent, of @len bytes; there must be one. */
const uint8_t *nic_bench_sent(NicBench *b, unsigned n, size_t *len);

#endif
