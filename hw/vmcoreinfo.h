/* SPDX-License-Identifier: MIT */
/* Where the guest keeps the note that tools read its memory by: it writes this into a fw_cfg file.
 */
#ifndef HW_VMCOREINFO_H
#define HW_VMCOREINFO_H

#include "hw/fw-cfg.h"

extern const DeviceClass vmcoreinfo_class;

Device *vmcoreinfo_new(Device *parent, FwCfg *fw);
/* An ELF note of @size bytes at physical address @addr; false: the guest has told nothing. */
bool vmcoreinfo_find(const Device *dev, uint64_t *addr, uint32_t *size);

#endif
