/* SPDX-License-Identifier: MIT */
/*
 * The number by which a guest sees that it is not the machine it was: another goes on with its
 * saved state. It lies in the guest's memory, where firmware has put it.
 */
#ifndef HW_VMGENID_H
#define HW_VMGENID_H

#include "hw/fw-cfg.h"
#include "softmmu/irq.h"
#include "softmmu/memory.h"

extern const DeviceClass vmgenid_class;

#define VMGENID_FILE    "etc/vmgenid_guid" /* a page that firmware copies to memory */
#define VMGENID_ADDRESS "etc/vmgenid_addr" /* where firmware tells where that is: 8 bytes */
#define VMGENID_OFFSET  40                 /* of the number in the page */
#define VMGENID_GPE     5                  /* tells the guest that it has changed */

/* @guid: 16 bytes as they are written in text. @changed: an edge. */
Device *vmgenid_new(Device *parent, FwCfg *fw, AddressSpace *memory, const uint8_t *guid,
                    const Irq *changed);
void vmgenid_get(const Device *dev, uint8_t *guid); /* this machine's, likewise */

#endif
