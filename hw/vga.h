/* SPDX-License-Identifier: MIT */
/*
 * The PCI VGA adapter 1234:1111: VGA registers and memory, Bochs VBE, 16 MiB frame buffer.
 */
#ifndef HW_VGA_H
#define HW_VGA_H

#include "hw/pci.h"
#include "softmmu/display.h"
#include "softmmu/memory.h"

extern const DeviceClass vga_class;

typedef struct VgaWiring {
    MemRegion *ports;
    MemRegion *memory; /* PCI memory space: for the window at 0xa0000 */
    RamBlock *vram;    /* VGA_VRAM_SIZE bytes */
    RamBlock *rom;     /* NULL: no expansion ROM; its size is a power of two */
    Display *display;  /* NULL: nobody looks */
} VgaWiring;

#define VGA_VRAM_SIZE (16 * 1024 * 1024)

/* At @devfn of @bus. Not yet realized. */
Device *vga_new(PciBus *bus, int devfn, const VgaWiring *w);

/* The screen in text mode, rows ended by newline, without trailing spaces; false in graphics. */
bool vga_screen_text(Device *dev, GString *out);

#endif
