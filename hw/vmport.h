/* SPDX-License-Identifier: MIT */
/*
 * VMware's backdoor: port 0x5658, where a guest finds commands and their results in registers.
 */
#ifndef HW_VMPORT_H
#define HW_VMPORT_H

#include "softmmu/machine.h"

#define VMPORT_BASE 0x5658

extern const DeviceClass vmport_class;

typedef struct VmportWiring {
    MemRegion *ports;
    const CpuBus *cpus;
    uint64_t ram_size;
    const uint8_t *uuid; /* 16 bytes as they are written; they live as long */
} VmportWiring;

Device *vmport_new(Device *parent, const VmportWiring *w);

#endif
