/* SPDX-License-Identifier: MIT */
/*
 * MSI-X: a table of messages in a BAR of a function's, one of which stands for each of its reasons
 * to interrupt. Spec: PCI Local Bus 3.0, 6.8.2.
 *
 * The function calls msix_init() in realize, after pci_device_attach(), msix_config_wrote() from
 * its config_wrote hook, msix_reset() in reset_enter, and has STATE_STRUCT(T, msix, msix_state).
 */
#ifndef HW_MSIX_H
#define HW_MSIX_H

#include "hw/pci.h"

#define MSIX_MAX       16 /* vectors */
#define MSIX_CAP_BYTES 12
#define MSIX_BAR_BYTES 4096

typedef struct Msix {
    PciDevice *pci;
    unsigned cap, vectors;
    char *name;
    MemRegion region;
    MemPart parts[3];
    /* state */
    uint8_t table[16 * MSIX_MAX];
    uint16_t pending; /* a bit per vector: masked when it was to be sent */
} Msix;

extern const StateField msix_state[];

/* @next: offset of the capability after the one at @cap. */
void msix_init(Msix *m, PciDevice *pci, unsigned cap, unsigned next, unsigned bar,
               unsigned vectors);
void msix_exit(Msix *m);
void msix_reset(Msix *m);
void msix_config_wrote(Msix *m);
bool msix_enabled(const Msix *m); /* then INTx# is silent */
void msix_notify(Msix *m, unsigned vector);

#endif
