/* SPDX-License-Identifier: MIT */
/*
 * Spec: Intel 82371FB/82371SB data sheet (290550), chapters 2.3 and 3.6; SFF-8038i for the bus
 * masters. Timing registers are stored only, even their bits that switch the ports on: firmware
 * for this board (OVMF) counts on finding them on.
 */
#include "hw/piix3-ide.h"

#include <string.h>

#include "hw/ide.h"

enum {
    REG_TIMING = 0x40, /* two bytes a channel */
    BM_COMMAND = 0,
    BM_STATUS = 2,
    BM_TABLE = 4, /* four bytes */
    BM_BYTES = 8, /* a channel */
    BM_START = 0x01,
    BM_TO_MEMORY = 0x08,
    BM_ACTIVE = 0x01,
    BM_ERROR = 0x02,
    BM_INTERRUPT = 0x04,
    BM_CAPABLE = 0x60,
    PRD_BYTES = 8,
};

typedef struct Piix3Ide Piix3Ide;

typedef struct BusMaster {
    Piix3Ide *ide;
    IdeChannel *channel;
    bool mapped; /* the AT's ports */
    /* state */
    uint8_t command, status;
    uint32_t table;
    /* where in the table: the next descriptor, and what is left of the one before it */
    uint32_t next, addr, left;
    bool last;
} BusMaster;

struct Piix3Ide {
    PciDevice pci;
    Piix3IdeWiring w;
    MemRegion ports; /* BAR 4 */
    BusMaster master[2];
};

/* ---- The AT's ports -------------------------------------------------------------------------- */

static const struct {
    uint16_t command, control;
} at_ports[2] = { { 0x1f0, 0x3f6 }, { 0x170, 0x376 } };

static void map_channel(Piix3Ide *s, unsigned n)
{
    BusMaster *m = &s->master[n];
    bool on = pci_get_config(&s->pci, PCI_COMMAND, 2) & PCI_COMMAND_IO;

    if (on == m->mapped)
        return;
    m->mapped = on;
    if (on) {
        memory_add_tied(s->w.ports, at_ports[n].command, 0, 1, ide_command_block(m->channel));
        memory_add_tied(s->w.ports, at_ports[n].control, 0, 1, ide_control_port(m->channel));
    } else {
        memory_remove(ide_command_block(m->channel));
        memory_remove(ide_control_port(m->channel));
    }
}

static void map_channels(Piix3Ide *s)
{
    map_channel(s, 0);
    map_channel(s, 1);
}

static void config_wrote(PciDevice *pci, unsigned off, unsigned len)
{
    map_channels((Piix3Ide *)pci);
}

/* ---- Bus masters ----------------------------------------------------------------------------- */

static bool bm_armed(void *opaque)
{
    const BusMaster *m = opaque;

    return (m->status & BM_ACTIVE) && (m->command & BM_START) &&
           (pci_get_config(&m->ide->pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER);
}

static bool next_descriptor(BusMaster *m)
{
    uint8_t d[PRD_BYTES];

    if (m->last)
        return false;
    address_space_read_bytes(m->ide->w.memory, m->next, d, sizeof(d));
    m->next += PRD_BYTES;
    m->addr = (d[0] | d[1] << 8 | d[2] << 16 | (uint32_t)d[3] << 24) & ~1u;
    m->left = (d[4] | d[5] << 8) & ~1u;
    if (!m->left)
        m->left = 0x10000;
    m->last = d[7] & 0x80;
    return true;
}

static uint32_t bm_move(void *opaque, uint8_t *data, uint32_t len, bool to_memory)
{
    BusMaster *m = opaque;
    AddressSpace *memory = m->ide->w.memory;
    uint32_t done = 0;

    while (done < len && (m->left || next_descriptor(m))) {
        uint32_t n = MIN(m->left, len - done);

        if (to_memory)
            address_space_write_bytes(memory, m->addr, data + done, n);
        else
            address_space_read_bytes(memory, m->addr, data + done, n);
        m->addr += n;
        m->left -= n;
        done += n;
    }
    if (!m->left && m->last)
        m->status &= ~BM_ACTIVE;
    return done;
}

static void bm_interrupt(void *opaque)
{
    ((BusMaster *)opaque)->status |= BM_INTERRUPT;
}

static void write_command(BusMaster *m, uint8_t value)
{
    bool starts = (value & BM_START) && !(m->command & BM_START);

    m->command = value & (BM_START | BM_TO_MEMORY);
    if (!(value & BM_START)) {
        m->status &= ~BM_ACTIVE;
    } else if (starts) {
        m->status |= BM_ACTIVE;
        m->next = m->table;
        m->left = 0;
        m->last = false;
        if (bm_armed(m))
            ide_dma_armed(m->channel);
    }
}

static uint8_t bm_read_byte(const BusMaster *m, unsigned reg)
{
    switch (reg) {
    case BM_COMMAND: return m->command;
    case BM_STATUS: return m->status;
    case 1:
    case 3: return 0xff;
    }
    return m->table >> 8 * (reg - BM_TABLE);
}

static void bm_write_byte(BusMaster *m, unsigned reg, uint8_t value)
{
    unsigned shift = 8 * (reg & 3);

    if (reg == BM_COMMAND)
        write_command(m, value);
    else if (reg == BM_STATUS)
        m->status = (value & BM_CAPABLE) | (m->status & BM_ACTIVE) |
                    (m->status & ~value & (BM_ERROR | BM_INTERRUPT));
    else if (reg >= BM_TABLE)
        m->table = ((m->table & ~(0xffu << shift)) | (uint32_t)value << shift) & ~3u;
}

static uint64_t bm_read(void *opaque, uint64_t addr, unsigned size)
{
    Piix3Ide *s = opaque;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++, addr++)
        value |= (uint64_t)bm_read_byte(&s->master[addr / BM_BYTES], addr % BM_BYTES) << 8 * i;
    return value;
}

static void bm_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Piix3Ide *s = opaque;

    for (unsigned i = 0; i < size; i++, addr++)
        bm_write_byte(&s->master[addr / BM_BYTES], addr % BM_BYTES, value >> 8 * i);
}

static const MemOps bm_ops = { bm_read, bm_write, 1, 4 };
static const MemPart bm_parts[] = {
    { 0, 4, "piix-bmdma" }, { 4, 4, "bmdma" }, { 8, 4, "piix-bmdma" }, { 12, 4, "bmdma" }, { 0 }
};

/* ---- Life ------------------------------------------------------------------------------------ */

static bool piix3_ide_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = { .vendor = 0x8086,
                                          .device = 0x7010,
                                          .class_code = 0x010180 };
    Piix3Ide *s = (Piix3Ide *)dev;

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    memory_init_io(&s->ports, "piix-bmdma-container", &bm_ops, s, 2 * BM_BYTES);
    memory_set_parts(&s->ports, bm_parts, true);
    pci_add_bar(&s->pci, 4, PCI_BAR_IO, &s->ports);
    pci_set_config(&s->pci, PCI_STATUS, 2, 0x0280, 0);
    pci_set_config(&s->pci, REG_TIMING, 4, 0, UINT32_MAX);
    pci_set_config(&s->pci, REG_TIMING + 4, 1, 0, 0xff);
    s->pci.config_wrote = config_wrote;
    return true;
}

static void piix3_ide_unrealize(Device *dev)
{
    Piix3Ide *s = (Piix3Ide *)dev;

    for (unsigned n = 0; n < 2; n++) {
        if (s->master[n].mapped) {
            memory_remove(ide_command_block(s->master[n].channel));
            memory_remove(ide_control_port(s->master[n].channel));
            s->master[n].mapped = false;
        }
    }
    pci_device_unrealize(dev);
    memory_destroy(&s->ports);
}

static void reset_master(BusMaster *m)
{
    m->command = m->status = 0;
    m->table = m->next = m->addr = m->left = 0;
    m->last = false;
}

static void piix3_ide_reset_enter(Device *dev)
{
    Piix3Ide *s = (Piix3Ide *)dev;

    pci_device_reset(dev);
    reset_master(&s->master[0]);
    reset_master(&s->master[1]);
    map_channels(s);
}

static void piix3_ide_post_load(Device *dev)
{
    pci_device_post_load(dev);
    map_channels((Piix3Ide *)dev);
}

static const StateField master_state[] = {
    STATE_U8(BusMaster, command), STATE_U8(BusMaster, status),
    STATE_U32(BusMaster, table),  STATE_U32(BusMaster, next),
    STATE_U32(BusMaster, addr),   STATE_U32(BusMaster, left),
    STATE_BOOL(BusMaster, last),  STATE_END,
};

static const StateField piix3_ide_state[] = {
    STATE_STRUCT(Piix3Ide, pci, pci_device_state),
    STATE_STRUCT_ARRAY(Piix3Ide, master, master_state),
    STATE_END,
};

const DeviceClass piix3_ide_class = {
    .name = "piix3-ide",
    .desc = "82371SB IDE controller",
    .size = sizeof(Piix3Ide),
    .state = piix3_ide_state,
    .state_version = 1,
    .realize = piix3_ide_realize,
    .unrealize = piix3_ide_unrealize,
    .reset_enter = piix3_ide_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = piix3_ide_post_load,
};

Device *piix3_ide_new(PciBus *bus, const Piix3IdeWiring *w)
{
    Piix3Ide *s = (Piix3Ide *)pci_device_new(&piix3_ide_class, bus, PCI_DEVFN(1, 1), NULL);

    s->w = *w;
    for (unsigned n = 0; n < 2; n++) {
        BusMaster *m = &s->master[n];
        IdeDma dma = { .armed = bm_armed, .move = bm_move, .interrupt = bm_interrupt, .opaque = m };

        m->ide = s;
        m->channel = ide_channel_new(&s->pci.dev, w->irq[n], &dma);
    }
    return &s->pci.dev;
}

IdeChannel *piix3_ide_channel(Device *dev, unsigned n)
{
    return ((Piix3Ide *)dev)->master[n].channel;
}
