/* SPDX-License-Identifier: MIT */
#include "hw/msi.h"

enum { CAP_ID = 0x05, CONTROL = 2, ADDR = 4, DATA = 12 };
enum { CONTROL_ENABLE = 1 << 0, CONTROL_64BIT = 1 << 7 };

void msi_init(PciDevice *d, unsigned cap, unsigned next)
{
    pci_set_config(d, cap, 2, CAP_ID | next << 8, 0);
    pci_set_config(d, cap + CONTROL, 2, CONTROL_64BIT, CONTROL_ENABLE);
    pci_set_config(d, cap + ADDR, 4, 0, ~3u);
    pci_set_config(d, cap + ADDR + 4, 4, 0, UINT32_MAX);
    pci_set_config(d, cap + DATA, 2, 0, UINT16_MAX);
}

bool msi_enabled(const PciDevice *d, unsigned cap)
{
    return pci_get_config(d, cap + CONTROL, 2) & CONTROL_ENABLE;
}

void msi_notify(PciDevice *d, unsigned cap)
{
    uint64_t addr =
        pci_get_config(d, cap + ADDR, 4) | (uint64_t)pci_get_config(d, cap + ADDR + 4, 4) << 32;

    if (msi_enabled(d, cap))
        pci_send_msi(d, addr, pci_get_config(d, cap + DATA, 2));
}
