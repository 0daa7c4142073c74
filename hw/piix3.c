/* SPDX-License-Identifier: MIT */
/*
 * The PCI to ISA bridge function of the 82371SB (PIIX3): PIRQ routing, reset control.
 * Spec: Intel 82371FB/82371SB data sheet (290550). The other functions of the chip are devices of
 * their own (8259, ELCR, 8254, 8237); chip selects and ISA timing registers are stored only.
 */
#include "hw/piix3.h"

enum {
    REG_PIRQ = 0x60, /* A to D */
    PIRQ_OFF = 0x80,
    RCR_HARD = 0x02,
    RCR_RESET = 0x04,
    ISA_IRQS = 16,
};

/* ISA lines that a PIRQ may be routed to: not 0, 1, 2, 8 and 13. */
#define ROUTABLE 0xdef8u

typedef struct Piix3 {
    PciDevice pci;
    Device *host_bridge;
    const Irq *isa, *reset;
    Irq pirq[4];
    uint8_t pirq_level; /* a bit each */
    uint16_t isa_level; /* what the routing makes of them */
    uint8_t rcr;
} Piix3;

/* ---- PIRQ routing
 * -------------------------------------------------------------------------------- */

static uint16_t routed_levels(const Piix3 *s)
{
    uint16_t levels = 0;

    for (unsigned i = 0; i < 4; i++) {
        uint8_t route = s->pci.config[REG_PIRQ + i];

        if ((s->pirq_level >> i & 1) && !(route & PIRQ_OFF))
            levels |= 1u << (route & 15);
    }
    return levels & ROUTABLE;
}

static void update_routing(Piix3 *s)
{
    uint16_t levels = routed_levels(s), changed = levels ^ s->isa_level;

    s->isa_level = levels;
    for (unsigned n = 0; n < ISA_IRQS; n++) {
        if (changed >> n & 1)
            irq_set(&s->isa[n], levels >> n & 1);
    }
}

static void pirq_set(void *opaque, int n, int level)
{
    Piix3 *s = opaque;

    s->pirq_level = level ? s->pirq_level | 1u << n : s->pirq_level & ~(1u << n);
    update_routing(s);
}

static void config_wrote(PciDevice *pci, unsigned off, unsigned len)
{
    if (off < REG_PIRQ + 4 && off + len > REG_PIRQ)
        update_routing((Piix3 *)pci);
}

/* ---- Reset control, port 0xcf9; its neighbours answer nothing
 * ---------------------------------------- */

static uint64_t rcr_read(void *opaque, uint64_t addr, unsigned size)
{
    Piix3 *s = opaque;

    return addr == 1 && size == 1 ? s->rcr : UINT64_MAX;
}

static void rcr_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Piix3 *s = opaque;
    bool rises = (value & RCR_RESET) && !(s->rcr & RCR_RESET);

    if (addr != 1 || size != 1)
        return;
    s->rcr = value & RCR_HARD; /* bit 2 is over as soon as it is seen */
    if (rises)
        irq_pulse(s->reset);
}

static const MemOps rcr_ops = { rcr_read, rcr_write, 1, 4 };

/* ---- Life
 * ------------------------------------------------------------------------------------------ */

static void init_config(Piix3 *s)
{
    PciDevice *d = &s->pci;

    pci_set_config(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
                   PCI_COMMAND_SERR);
    pci_set_config(d, PCI_STATUS, 2, 0x0200, 0);
    pci_set_config(d, 0x4c, 1, 0x4d, 0xff);     /* ISA I/O recovery */
    pci_set_config(d, 0x4e, 2, 0x0003, 0xffff); /* chip selects */
    for (unsigned i = 0; i < 4; i++)
        pci_set_config(d, REG_PIRQ + i, 1, PIRQ_OFF, 0x8f);
    pci_set_config(d, 0x69, 1, 0x02, 0xfe);     /* top of memory */
    pci_set_config(d, 0x6a, 2, 0, 0x8014);      /* miscellaneous status */
    pci_set_config(d, 0x70, 2, 0x8080, 0xefef); /* motherboard IRQ routing: none on this board */
    pci_set_config(d, 0x76, 2, 0x0c0c, 0x8f8f); /* motherboard DMA */
    pci_set_config(d, 0x78, 2, 0x0002, 0xffff); /* programmable chip select */
    pci_set_config(d, 0xa0, 1, 0x08, 0xff);     /* SMI control */
    pci_set_config(d, 0xa2, 2, 0, 0xffff);
    pci_set_config(d, 0xa8, 1, 0x0f, 0xff);
}

static bool piix3_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = {
        .vendor = 0x8086, .device = 0x7000, .class_code = 0x060100, .multifunction = true
    };
    Piix3 *s = (Piix3 *)dev;

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    init_config(s);
    s->pci.config_wrote = config_wrote;
    i440fx_forward_cf8(s->host_bridge, &rcr_ops, s);
    pci_bus_set_pirq(s->pci.bus, s->pirq);
    return true;
}

static void piix3_unrealize(Device *dev)
{
    Piix3 *s = (Piix3 *)dev;

    pci_bus_set_pirq(s->pci.bus, NULL);
    i440fx_forward_cf8(s->host_bridge, NULL, NULL);
    pci_device_unrealize(dev);
}

static void piix3_reset_enter(Device *dev)
{
    Piix3 *s = (Piix3 *)dev;

    pci_device_reset(dev);
    s->rcr = 0;
    s->pirq_level = 0;
}

static void piix3_reset_hold(Device *dev)
{
    pci_device_reset_hold(dev);
    update_routing((Piix3 *)dev);
}

static const StateField piix3_state[] = {
    STATE_STRUCT(Piix3, pci, pci_device_state),
    STATE_U8(Piix3, pirq_level),
    STATE_U16(Piix3, isa_level),
    STATE_U8(Piix3, rcr),
    STATE_END,
};

const DeviceClass piix3_class = {
    .name = "PIIX3",
    .desc = "82371SB ISA bridge",
    .size = sizeof(Piix3),
    .state = piix3_state,
    .state_version = 1,
    .realize = piix3_realize,
    .unrealize = piix3_unrealize,
    .reset_enter = piix3_reset_enter,
    .reset_hold = piix3_reset_hold,
    .post_load = pci_device_post_load,
};

Device *piix3_new(Device *host_bridge, const Irq *isa, const Irq *reset)
{
    PciBus *bus = i440fx_bus(host_bridge);
    Piix3 *s = (Piix3 *)pci_device_new(&piix3_class, bus, PCI_DEVFN(1, 0), NULL);

    s->host_bridge = host_bridge;
    s->isa = isa;
    s->reset = reset;
    irq_init(s->pirq, 4, pirq_set, s);
    return &s->pci.dev;
}
