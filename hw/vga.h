/* SPDX-License-Identifier: MIT */
/* Graphics adapters: a VGA with Bochs VBE, on PCI (1234:1111) or ISA, and what is left of it as a
 * second screen. */
#ifndef HW_VGA_H
#define HW_VGA_H

#include "hw/pci.h"
#include "softmmu/display.h"
#include "softmmu/memory.h"

extern const DeviceClass vga_class, secondary_vga_class, bochs_display_class, isa_vga_class;

typedef struct VgaWiring {
    MemRegion *ports;
    MemRegion *memory;   /* for the window at 0xa0000: PCI memory space */
    RamBlock *vram;      /* its size is a power of two */
    RamBlock *rom;       /* NULL: no expansion ROM; its size is a power of two */
    Display *display;    /* NULL: nobody looks */
    unsigned xres, yres; /* what suits the monitor best; 0: it says nothing. Not on ISA */
} VgaWiring;

#define VGA_VRAM_SIZE (16 * 1024 * 1024)

/* On PCI, of @klass "VGA", "secondary-vga" or "bochs-display"; the last two answer at their BARs
 * only. @devfn < 0: the first free slot. Not yet realized. */
Device *vga_new(const DeviceClass *klass, PciBus *bus, int devfn, const VgaWiring *w);
/* On ISA; its ROM is to be given to firmware. Not yet realized. */
Device *isa_vga_new(Device *parent, const VgaWiring *w);

#endif
