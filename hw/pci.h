/* SPDX-License-Identifier: MIT */
/*
 * PCI: a bus with configuration space, and what is common to the functions on it.
 *
 * A function is a device struct that begins with PciDevice. Its class's realize calls
 * pci_device_attach() with its identity, then pci_add_bar() for each BAR; unrealize calls
 * pci_device_detach(); reset_enter calls pci_device_reset(); its state list begins with
 * STATE_STRUCT(T, pci, pci_device_state) and its post_load calls pci_device_post_load().
 * A plain function without hooks of its own can use the pci_* ones below directly.
 */
#ifndef HW_PCI_H
#define HW_PCI_H

#include "softmmu/device.h"
#include "softmmu/irq.h"

#define PCI_DEVFN(slot, fn) (((slot) << 3) | (fn))

enum {
    PCI_VENDOR_ID = 0x00,
    PCI_DEVICE_ID = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS_PROG = 0x09,
    PCI_CACHE_LINE = 0x0c,
    PCI_LATENCY = 0x0d,
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM_ID = 0x2e,
    PCI_ROM_BAR = 0x30,
    PCI_CAP_POINTER = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,

    PCI_COMMAND_IO = 0x001,
    PCI_COMMAND_MEMORY = 0x002,
    PCI_COMMAND_MASTER = 0x004,
    PCI_COMMAND_SERR = 0x100,
    PCI_COMMAND_INTX_OFF = 0x400,
    PCI_STATUS_INTX = 0x008,
    PCI_STATUS_CAPABILITIES = 0x010,

    PCI_BAR_IO = 0x1,
    PCI_BAR_MEM32 = 0x0,
    PCI_BAR_MEM64 = 0x4,
    PCI_BAR_PREFETCH = 0x8,
    PCI_BARS = 7, /* the last one is the expansion ROM */
    PCI_BAR_ROM = 6,
};

typedef struct PciBus PciBus;
typedef struct PciDevice PciDevice;

typedef struct PciIdentity {
    uint16_t vendor, device;
    uint8_t revision;
    uint32_t class_code;                  /* 24 bits: base, sub, programming interface */
    uint16_t subsystem_vendor, subsystem; /* 0, 0: 1af4:1100 as QEMU shows */
    uint8_t interrupt_pin;                /* 0: none, 1: INTA# … 4: INTD# */
    bool multifunction;                   /* header type bit of function 0 */
} PciIdentity;

typedef struct PciBar {
    MemRegion *region; /* NULL: not implemented */
    uint8_t type;      /* PCI_BAR_* */
    bool mapped;
    uint64_t addr;
} PciBar;

struct PciDevice {
    Device dev;
    PciBus *bus;
    uint8_t devfn;
    uint8_t config[256];
    uint8_t writable[256]; /* bits that a configuration write changes */
    uint8_t w1c[256];      /* bits that writing one clears */
    uint8_t reset_config[256];
    PciBar bars[PCI_BARS];
    bool multifunction; /* others share its slot; set before realize */
    RamBlock *rom;      /* expansion ROM, set before realize; NULL: none, or the device's own */
    MemRegion rom_region;
    uint8_t intx_level; /* what the device drives, before the disable bit */
    bool intx_on_bus;   /* what the bus sees */
    /* After bytes [off, off+len) were written; BARs have been remapped already. May be NULL. */
    void (*config_wrote)(PciDevice *d, unsigned off, unsigned len);
    /* Before bytes [off, off+len) are read: registers that are windows. May be NULL. */
    void (*config_reads)(PciDevice *d, unsigned off, unsigned len);
};

/* ---- Bus ------------------------------------------------------------------------------------ */

extern const DeviceClass pci_bus_class;

/* @memory and @io are the containers that BARs are placed in; NULL @memory: the bus has one of its
 * own from realize on, for the host bridge to place. */
PciBus *pci_bus_new(Device *parent, MemRegion *memory, MemRegion *io);
MemRegion *pci_bus_memory(PciBus *bus);
/* @pirq: the four interrupt lines; slot s pin p (INTA# is 0) drives pirq[(s - 1 + p) % 4], as the
 * PIIX boards wire them. They are levels: the OR of all functions. */
void pci_bus_set_pirq(PciBus *bus, const Irq *pirq);
Device *pci_bus_device(PciBus *bus);
PciDevice *pci_bus_find(PciBus *bus, unsigned devfn);
/* Configuration space access of 1, 2 or 4 bytes; all ones where nothing answers. */
uint32_t pci_config_read(PciBus *bus, unsigned bus_nr, unsigned devfn, unsigned off, unsigned size);
void pci_config_write(PciBus *bus, unsigned bus_nr, unsigned devfn, unsigned off, uint32_t value,
                      unsigned size);

/* Where messages that stand for interrupts go: memory writes of a function's. */
typedef struct PciMsi {
    void (*send)(void *opaque, uint64_t addr, uint32_t data);
    void *opaque;
} PciMsi;
void pci_bus_set_msi(PciBus *bus, const PciMsi *msi);

/* ---- Functions ------------------------------------------------------------------------------ */

extern const StateField pci_device_state[];

/* A device of @klass (whose struct begins with PciDevice) at @devfn; realize follows.
 * @devfn < 0: the first free slot from 2 up. */
Device *pci_device_new(const DeviceClass *klass, PciBus *bus, int devfn, const char *id);
/* Fails when the slot is taken. */
bool pci_device_attach(PciDevice *d, const PciIdentity *id, GError **error);
/* Memory that is the function's own (not its ROM's, which is known): for `info ramblock`. */
void pci_name_ram(PciDevice *d, RamBlock *ram);
void pci_device_detach(PciDevice *d);
void pci_device_plug(Device *dev, bool in); /* for .plug: from its slot, and back into it */
/* @region's size is a power of two: at least 4 for I/O, 16 for memory, 2048 for the ROM. */
void pci_add_bar(PciDevice *d, unsigned bar, uint8_t type, MemRegion *region);
/* The value config space shows after reset, and which bits of it the guest may write. */
void pci_set_config(PciDevice *d, unsigned off, unsigned size, uint32_t value, uint32_t writable);
uint32_t pci_get_config(const PciDevice *d, unsigned off, unsigned size);
void pci_send_msi(PciDevice *d, uint64_t addr, uint32_t data); /* if it may be a bus master */
void pci_set_irq(PciDevice *d, int level); /* the function's INTx# pin, active = 1 */

void pci_device_reset(Device *dev);
void pci_device_reset_hold(Device *dev); /* lowers INTx#; call it from reset_hold */
void pci_device_post_load(Device *dev);
void pci_device_unrealize(Device *dev);

#endif
