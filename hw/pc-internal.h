/* SPDX-License-Identifier: MIT */
/* The board's own struct, shared by pc.c (wiring), pc-firmware.c and pc-options.c. */
#ifndef HW_PC_INTERNAL_H
#define HW_PC_INTERNAL_H

#include "hw/fw-cfg.h"
#include "hw/pci.h"
#include "softmmu/machine.h"

/* ISA interrupts 3 and 4 are shared by two serial ports each: a wired OR. */
typedef struct IrqOr {
    Irq in[2];
    uint8_t level[2];
    const Irq *out;
} IrqOr;

typedef struct PcPlugs PcPlugs; /* pc-plug-history.c */

typedef struct PcBoard {
    Device dev; /* parent of the board's devices */
    Machine *m;
    uint64_t below_4g, above_4g;
    MemRegion *pci_memory;
    MemRegion bios, isa_bios; /* the first is not in use where flash is */
    Irq reset, shutdown, suspend, a20, ignne, smi, cpu_event, pci_event,
        generation_event; /* ends of lines that leave the board */
    Irq rtc_alarm, key;   /* what wakes the board from S3 */
    uint16_t wake_events; /* PM1 events that do so now */
    IrqOr serial_irq[2];
    unsigned virtio_disks;
    unsigned cards; /* of a network, so far */
    unsigned rngs;
    unsigned adapters; /* of a screen */
    bool has_vga;      /* one of them answers at the ports of a VGA */
    bool built;        /* what is created now comes later */
    bool gone;         /* … and has gone again, maybe with what it had of the host's */
    PcPlugs *plugs;
    uint8_t boots;         /* cold resets so far, up to 2 */
    GArray *boot_devices;  /* of pc-boot-order.c; NULL: none has a bootindex */
    bool told_boot_order;  /* there is such a file */
    uint16_t pvpanic_port; /* 0: there is none */
    FwCfg *fw_cfg;
    PciBus *pci;
    Device *bridge, *apics, *pic, *ioapic, *gsi, *rtc, *pm, *port92, *i8042, *ferr, *ide, *dma,
        *fdc, *pvpanic, *testdev, *sockets, *slots, *serial_bus, *vmcoreinfo, *gpu, *vmgenid;
} PcBoard;

/* pc-firmware.c: the BIOS ROM, CMOS and fw_cfg contents, tables, kernel. */
#define PC_BIOS_NAME "bios-256k.bin" /* SeaBIOS */
bool pc_place_bios(PcBoard *b, GError **error);

/* pc-flash.c: -drive if=pflash, from 4 GiB down. */
bool pc_has_flash(const PcBoard *b);
bool pc_place_flash(PcBoard *b, GError **error);
/* The end of @bios shows below 1 MiB. */
void pc_place_isa_bios(PcBoard *b, MemRegion *bios);
bool pc_fill_cmos(PcBoard *b, GError **error);
bool pc_fill_boot_order(PcBoard *b, const char *order, GError **error);
void pc_forget_boot_once(PcBoard *b); /* -boot once= */
bool pc_fill_fw_cfg(PcBoard *b, GError **error);
/* CPUs came or went: what firmware is told of them, from the next reset on. */
void pc_tell_cpus(PcBoard *b);

/* pc-drives.c: disks and CD-ROMs on the IDE channels; what -device ide-hd and ide-cd ask for. */
bool pc_create_drives(PcBoard *b, GError **error);
bool pc_create_virtio_disk(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_ide_device(PcBoard *b, const DeviceOption *o, bool cdrom, GError **error);

/* pc-boot-order.c: bootindex= of @o, whose place firmware calls @path; for a PCI device a @kind
 * with what boots @below it. */
bool pc_order_device(PcBoard *b, const DeviceOption *o, const char *path, GError **error);
bool pc_order_pci(PcBoard *b, const DeviceOption *o, const Device *dev, const char *kind,
                  const char *below, GError **error);
void pc_tell_boot_order(PcBoard *b);                       /* to firmware that starts */
void pc_forget_boot_device(PcBoard *b, const Device *dev); /* that is freed */
void pc_forget_boot_devices(PcBoard *b);

/* pc-rom.c: expansion ROMs of PCI functions, and of an ISA VGA. */
typedef struct RomChoice {
    const char *file;  /* romfile=; "": none; NULL: the usual one */
    const char *usual; /* the device's own; NULL: it has none */
    const char *block; /* the name of what it lies in */
    bool optional;     /* the device is one without the usual, too */
    bool among_files;  /* of firmware's, not behind a BAR */
    bool is_vga;
} RomChoice;
bool pc_rom_choice(const DeviceOption *o, RomChoice *c, GError **error); /* romfile=, rombar= */
/* *@rom: NULL if there is none, or it is among firmware's files. */
bool pc_load_rom(PcBoard *b, const RomChoice *c, RamBlock **rom, GError **error);

/* pc-net.c: cards that -nic asks for, and one that -device asks for. */
bool pc_create_nics(PcBoard *b, GError **error);
bool pc_create_net_device(PcBoard *b, const DeviceOption *o, GError **error);

/* pc-vga.c: the adapter that -vga asks for, and those of -device. */
bool pc_create_vga(PcBoard *b, GError **error);
bool pc_create_vga_device(PcBoard *b, const DeviceOption *o, GError **error);

/* pc-cpus.c: sockets of CPUs. Is it a CPU that -device or device_add asks for? */
void pc_create_cpu_sockets(PcBoard *b);
bool pc_is_cpu(const DeviceOption *o);
/* @tell: the guest, which runs. */
bool pc_plug_cpu(PcBoard *b, const DeviceOption *o, bool tell, GError **error);
unsigned pc_count_cpus(const PcBoard *b); /* those that are there */

/* pc-plug.c: what comes and goes while the machine runs. */
void pc_create_pci_slots(PcBoard *b);
uint32_t pc_fixed_slots(const PcBoard *b);         /* a bit for each that holds what cannot go */
bool pc_realize_tree(Device *dev, GError **error); /* pc.c */

/* pc-plug-history.c: which functions came and went. The board is complete; and is taken down. */
void pc_plugs_begin(PcBoard *b);
void pc_plugs_end(PcBoard *b);
/* The function that @o asks for, realized and reset; the guest is not told. NULL with @error.
 * @replayed: it comes where the recording had it come. */
Device *pc_plugs_come(PcBoard *b, const DeviceOption *o, bool replayed, GError **error);
void pc_plugs_go(PcBoard *b, Device *dev);

/* pc-care.c: devices for tests and care. */
bool pc_create_pvpanic(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_pc_testdev(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_pci_testdev(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_edu(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_watchdog(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_serial_bus(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_console(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_serial_port(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_balloon(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_vmcoreinfo(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_vmgenid(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_gpu(PcBoard *b, const DeviceOption *o, GError **error);
bool pc_create_rng(PcBoard *b, const DeviceOption *o, GError **error);

/* pc-options.c: addr=SLOT[.FUNCTION], *@devfn < 0 where it is not given; what -device and -debugcon
 * ask for. */
bool pc_get_switch(const DeviceOption *o, const char *name, bool *value, GError **error);
/* disable-legacy= and disable-modern= of a virtio device that has just been made. */
bool pc_set_virtio_registers(const DeviceOption *o, Device *dev, GError **error);
/* Property @name of @o as a number; @fallback when it is not given. */
bool pc_get_number(const DeviceOption *o, const char *name, uint64_t max, uint64_t fallback,
                   uint64_t *value, GError **error);
bool pc_device_slot(const DeviceOption *o, int *devfn, GError **error);
/* One device; @hot: while the machine runs, which not every one can. */
bool pc_create_device(PcBoard *b, const DeviceOption *o, bool hot, GError **error);
bool pc_create_option_devices(PcBoard *b, GError **error);

#endif
