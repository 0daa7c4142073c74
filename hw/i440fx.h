/* SPDX-License-Identifier: MIT */
/*
 * The 82441FX host bridge: DRAM with its shadow registers (PAM), SMRAM, and the way to PCI.
 *
 * It places in @memory: RAM [0, below_4g) but for the legacy window 0xa0000 to 0xfffff, RAM
 * [4 GiB, +above_4g), both from @ram (identity up to below_4g, the rest behind it), and the PCI
 * space everywhere below RAM in priority. ROMs go into i440fx_pci_memory(): firmware at the top of
 * 4 GiB and its last 128 KiB at 0xe0000. Chipset windows (I/O APIC, APIC, HPET) go into @memory
 * directly.
 */
#ifndef HW_I440FX_H
#define HW_I440FX_H

#include "hw/pci.h"
#include "softmmu/device.h"

typedef struct I440fxWiring {
    MemRegion *memory, *io;     /* roots */
    AddressSpace *memory_space; /* the one rooted in @memory */
    RamSet *ram_set;
    RamBlock *ram;
    uint64_t below_4g, above_4g;
} I440fxWiring;

extern const DeviceClass i440fx_class;

/* Creates and realizes bus 0 with the bridge at 00:00.0; NULL with @error if that fails. */
Device *i440fx_new(Device *parent, const I440fxWiring *w, GError **error);
PciBus *i440fx_bus(Device *dev);
MemRegion *i440fx_pci_memory(Device *dev);
/* Machine.smm_memory and smm_code. */
AddressSpace *i440fx_smm_memory(Device *dev);
AddressSpace *i440fx_smm_code(Device *dev);
/* Accesses to 0xcf8 to 0xcfb that are not 32 bits wide go on to ISA: to @ops, relative to 0xcf8. */
void i440fx_forward_cf8(Device *dev, const MemOps *ops, void *opaque);

/* Which parts of 0xc0000 to 0xfffff are RAM, as its PAM registers say; with power for RAM alone
 * (S3) they stay as they are. */
#define I440FX_PAM_BYTES 7
void i440fx_get_pam(Device *dev, uint8_t pam[I440FX_PAM_BYTES]);
void i440fx_set_pam(Device *dev, const uint8_t pam[I440FX_PAM_BYTES]);

#endif
