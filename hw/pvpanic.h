/* SPDX-License-Identifier: MIT */
/* The port by which a guest tells that it has panicked. */
#ifndef HW_PVPANIC_H
#define HW_PVPANIC_H

#include "softmmu/device.h"

#define PVPANIC_DEFAULT_PORT 0x505

enum { PVPANIC_PANICKED = 1 << 0, PVPANIC_CRASH_LOADED = 1 << 1 };

typedef struct PvpanicWiring {
    MemRegion *ports;
    uint16_t base;
    uint8_t events; /* that it offers */
    void (*happened)(void *opaque, uint8_t events);
    void *opaque;
} PvpanicWiring;

extern const DeviceClass pvpanic_class;

Device *pvpanic_new(Device *parent, const PvpanicWiring *w);

#endif
