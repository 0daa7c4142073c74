/* SPDX-License-Identifier: MIT */
/*
 * The board "pc": i440FX, PIIX3 and PIIX4 power management, ISA devices, firmware and tables.
 *
 * Before: @m has its configuration, spaces, clock, input queue, root device, character devices and
 * CpuBus. After: everything is placed, realized and wired, and m->board is filled in. Nothing has
 * been reset; device_reset(m->root) comes next, once the CPUs exist.
 */
#ifndef HW_PC_H
#define HW_PC_H

#include "softmmu/machine.h"

/* False with @error (and nothing left behind) for what the user got wrong. */
bool pc_board_create(Machine *m, GError **error);
/* Frees the board's devices and regions. The RAM stays in m->ram. */
void pc_board_free(Machine *m);

/* The power button. */
void pc_powerdown(Machine *m);
/* Out of S3: everything is reset but RAM and who controls it; the guest learns why it runs
 * again. */
void pc_wakeup(Machine *m);

/* What a recording has of images is noted when they are opened. Of those that device_add may ask
 * for later it is noted now. */
void pc_note_disks(Machine *m);
/* @o, with if=none, comes later: its image can be opened, or has these @facts in a replay (NULL: it
 * has none). For a recording. It has gone again. */
bool pc_drive_come(Machine *m, const DriveOption *o, GBytes *facts, GError **error);
GBytes *pc_drive_facts(Machine *m, const DriveOption *o); /* as it came; NULL: none are known */
void pc_drive_go(Machine *m, const char *id);

/* device_add: @o is the caller's; @replayed: it came in a recording that is replayed. device_del:
 * the guest is asked to let it go. */
bool pc_device_add(Machine *m, const DeviceOption *o, bool replayed, GError **error);
bool pc_device_del(Machine *m, const char *id, GError **error);
/* The name of CPU @n, which may be absent; "" if it was there from the start. */
const char *pc_cpu_id(Machine *m, unsigned n);

/* What firmware tries from the next reset on, as -boot order= has it. */
bool pc_set_boot_order(Machine *m, const char *order, GError **error);

/* A balloon is to leave the guest so many bytes; how many it has now. False: there is no balloon.
 */
bool pc_set_balloon(Machine *m, uint64_t bytes);
bool pc_get_balloon(Machine *m, uint64_t *bytes);
/* The ELF note that the guest has told of (-device vmcoreinfo); false: none. */
bool pc_find_core_note(Machine *m, uint64_t *addr, uint32_t *size);

/* Of -device vmgenid, 16 bytes as they are written; false: there is none. */
bool pc_get_generation(Machine *m, uint8_t *guid);

/* How RAM is divided: what lies below 4 GiB. */
uint64_t pc_ram_below_4g(const MachineConfig *c);

/* `-device help`: the drivers that -device takes. */
void pc_print_device_help(GString *out);
void pc_print_nic_models(GString *out); /* what -nic model= may be */
/* `-device DRIVER,help`: its properties. */
bool pc_print_device_props(const char *driver, GString *out, GError **error);
/* `info pic`, `info lapic` of CPU @n, `info pci`. */
void pc_print_ioapic(Machine *m, GString *out);
void pc_print_lapic(Machine *m, unsigned n, GString *out);
void pc_print_pci(Machine *m, GString *out);
void pc_print_irqs(Machine *m, GString *out); /* `info irq` */
void pc_print_roms(Machine *m, GString *out); /* `info roms` */

/* ---- Facts for programs ---------------------------------------------------------------------- */

typedef struct PcPciRegion {
    unsigned bar; /* 6: the ROM */
    bool io, wide, prefetch;
    uint64_t size;
    int64_t addr; /* -1: it is not decoded */
} PcPciRegion;

typedef struct PcPciFunction {
    const char *id; /* the user's; "": it has none */
    unsigned slot, function;
    uint16_t vendor, device, subsystem_vendor, subsystem, class_code;
    unsigned pin, irq; /* pin 0: none, 1: INTA# … */
    PcPciRegion regions[7];
    unsigned region_count;
} PcPciFunction;

/* A disk at a controller. */
typedef struct PcUnit {
    const char *driver, *serial; /* "ide-hd"; serial NULL: it has none */
    const Drive *drive;
} PcUnit;

/* What -device takes. */
typedef struct PcProperty {
    const char *name, *type, *desc;
} PcProperty;

/* Call @f with each. */
void pc_each_pci(Machine *m, void (*f)(void *opaque, const PcPciFunction *p), void *opaque);
const char *pc_pci_class_name(uint16_t class_code); /* NULL: of others */
void pc_each_driver(void (*f)(void *opaque, const char *name, const char *bus), void *opaque);
/* False: there is no such driver. */
bool pc_each_property(const char *driver, void (*f)(void *opaque, const PcProperty *p),
                      void *opaque);
/* Number @n at @dev, an IDE channel or the floppy controller; false: there is none. */
bool pc_unit(const Device *dev, unsigned n, PcUnit *u);
/* Slot and function of @dev; false: it is none of PCI's. */
bool pc_pci_place(const Machine *m, const Device *dev, unsigned *slot, unsigned *function);

#endif
