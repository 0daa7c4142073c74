/* SPDX-License-Identifier: MIT */
/*
 * Registers, EEPROM, PHY and interrupts of the 82540EM.
 * Spec: Intel PCI/PCI-X Family of Gigabit Ethernet Controllers manual (317453).
 * The link is up as soon as it is asked for; interrupts are not delayed (ITR, TIDV and RDTR are
 * kept only). Missing: wake-up, flow control, the flash, jumbo frames.
 */
#include "hw/e1000.h"

#include <string.h>

#include "hw/e1000-internal.h"

#define MMIO_BYTES   0x20000
#define IO_BYTES     64
#define STATUS_VALUE 0x80080783u /* full duplex, link, 1000 Mb/s */
#define PHY_ADDRESS  1

enum { PHY_STATUS_LINK = 1 << 2, PHY_SPECIFIC_LINK = 1 << 10 };
#define EEPROM_SUM 0xbaba

/* ---- Interrupts ------------------------------------------------------------------------------ */

static void update_irq(E1000 *s)
{
    pci_set_irq(&s->pci, (REG(s, E_ICR) & REG(s, E_IMS)) != 0);
}

void e1000_interrupt(E1000 *s, uint32_t causes)
{
    REG(s, E_ICR) |= causes;
    update_irq(s);
}

void e1000_count(E1000 *s, unsigned off, uint32_t n)
{
    uint32_t old = REG(s, off);

    REG(s, off) += n;
    if (REG(s, off) >= old)
        return;
    if (off == E_GORCL || off == E_GOTCL)
        REG(s, off + 4)++; /* 64 bits */
    else
        REG(s, off) = UINT32_MAX; /* it sticks */
}

/* ---- EEPROM: three-wire serial (93C46), and EERD --------------------------------------------- */

enum {
    EE_SK = 0x01,
    EE_CS = 0x02,
    EE_DI = 0x04,
    EE_DO = 0x08,
    EE_REQ = 0x40,
    EE_GNT = 0x80,
    EE_PRES = 0x100
};

static void eecd_write(E1000 *s, uint32_t value)
{
    eeprom93_drive(&s->eeprom, value & EE_CS, value & EE_SK, value & EE_DI);
    REG(s, E_EECD) = (value & (EE_SK | EE_CS | EE_DI | EE_REQ)) | EE_PRES;
}

static uint32_t eecd_read(const E1000 *s)
{
    uint32_t value = REG(s, E_EECD);

    return value | (value & EE_REQ ? EE_GNT : 0) | (eeprom93_output(&s->eeprom) ? EE_DO : 0);
}

static void eerd_write(E1000 *s, uint32_t value)
{
    unsigned word = value >> 8 & 0xff;

    if (!(value & 1))
        return;
    REG(s, E_EERD) = (value & 0xff00) | 0x10 |
                     (uint32_t)(word < EEPROM93_WORDS ? s->eeprom.word[word] : 0xffff) << 16;
}

static void fill_eeprom(E1000 *s)
{
    uint16_t sum = 0, *word = s->eeprom.word;

    memset(&s->eeprom, 0, sizeof(s->eeprom));
    for (unsigned i = 0; i < 3; i++)
        word[i] = s->mac[2 * i] | s->mac[2 * i + 1] << 8;
    word[0x0b] = 0x100e; /* subsystem */
    word[0x0c] = word[0x0e] = 0x8086;
    word[0x0d] = 0x100e;
    for (unsigned i = 0; i < EEPROM93_WORDS - 1; i++)
        sum += word[i];
    word[EEPROM93_WORDS - 1] = EEPROM_SUM - sum;
}

/* ---- PHY (88E1011) ----------------------------------------------------------------------------
 */

enum {
    MDIC_WRITE = 0x04000000,
    MDIC_READ = 0x08000000,
    MDIC_READY = 0x10000000,
    MDIC_IRQ = 0x20000000,
    MDIC_ERROR = 0x40000000
};

static const struct {
    uint8_t reg;
    uint16_t value;
    bool writable;
} phy_rows[] = {
    { 0, 0x1140, true },                        /* control: autonegotiation, full duplex, 1000 */
    { 1, 0x796d, false },                       /* status: negotiated, link */
    { 2, 0x0141, false },                       /* identifier */
    { 3, 0x0c20, false },  { 4, 0x0de1, true }, /* what is offered */
    { 5, 0xcde1, false },                       /* what the partner can do */
    { 6, 0x000f, false },  { 7, 0x2001, true },  { 9, 0x0e00, true }, /* 1000BASE-T control and … */
    { 10, 0x3c00, false },                                            /* … status */
    { 15, 0x3000, false }, { 16, 0x0360, true }, { 17, 0xac08, false }, /* 1000 Mb/s, full duplex,
                                                                           resolved, link */
    { 18, 0x0000, true },  { 20, 0x0d60, true }, { 24, 0x4100, true },  { 29, 0x0000, true },
    { 30, 0x0000, true },
};

/* Link in the status registers of the MAC and the PHY. */
static void show_link(E1000 *s)
{
    bool up = net_is_up(s->cable);

    REG(s, E_STATUS) = (REG(s, E_STATUS) & ~STATUS_LINK) | (up ? STATUS_LINK : 0);
    s->phy[1] = (s->phy[1] & ~PHY_STATUS_LINK) | (up ? PHY_STATUS_LINK : 0);
    s->phy[17] = (s->phy[17] & ~PHY_SPECIFIC_LINK) | (up ? PHY_SPECIFIC_LINK : 0);
}

void e1000_link_changed(void *opaque)
{
    show_link(opaque);
    e1000_interrupt(opaque, INT_LSC);
}

static void reset_phy(E1000 *s)
{
    memset(s->phy, 0, sizeof(s->phy));
    for (size_t i = 0; i < G_N_ELEMENTS(phy_rows); i++)
        s->phy[phy_rows[i].reg] = phy_rows[i].value;
    show_link(s);
}

static void phy_write(E1000 *s, unsigned reg, uint16_t value)
{
    for (size_t i = 0; i < G_N_ELEMENTS(phy_rows); i++) {
        if (phy_rows[i].reg != reg || !phy_rows[i].writable)
            continue;
        if (!reg && (value & 0x8000)) {
            reset_phy(s);
            return;
        }
        s->phy[reg] = reg ? value : value & 0x3f40;
        if (!reg && (value & 0x0200)) /* negotiate again: done at once */
            e1000_interrupt(s, INT_LSC);
    }
}

static void mdic_write(E1000 *s, uint32_t value)
{
    unsigned reg = value >> 16 & 31;

    if ((value >> 21 & 31) != PHY_ADDRESS) {
        value |= MDIC_ERROR;
    } else if (value & MDIC_WRITE) {
        phy_write(s, reg, value);
    } else if (value & MDIC_READ) {
        value = (value & 0xffff0000u) | s->phy[reg];
    }
    REG(s, E_MDIC) = value | MDIC_READY;
    if (value & MDIC_IRQ)
        e1000_interrupt(s, INT_MDAC);
}

/* ---- Registers ------------------------------------------------------------------------------- */

static void reset_registers(E1000 *s)
{
    memset(s->reg, 0, sizeof(s->reg));
    REG(s, E_CTRL) = 0x00140240;
    REG(s, E_STATUS) = STATUS_VALUE;
    show_link(s);
    REG(s, E_EECD) = EE_PRES;
    REG(s, E_PBA) = 0x00100030;
    REG(s, E_MANC) = 0x00002000;
    REG(s, E_LEDCTL) = 0x602;
    REG(s, E_VET) = 0x8100;
    REG(s, E_RA) = s->mac[0] | s->mac[1] << 8 | s->mac[2] << 16 | (uint32_t)s->mac[3] << 24;
    REG(s, E_RA + 4) = s->mac[4] | s->mac[5] << 8 | 0x80000000u;
    s->tx_started = false;
    s->tx_len = 0;
    eeprom93_deselect(&s->eeprom);
    s->eeprom.clock = false;
}

static uint32_t read_register(E1000 *s, uint32_t off)
{
    uint32_t value;

    if (off >= E1000_REGS)
        return 0;
    value = REG(s, off);
    if (off == E_EECD)
        return eecd_read(s);
    if (off == E_IMC || off == E_ICS)
        return 0;
    if (off == E_ICR) {
        REG(s, off) = 0;
        update_irq(s);
    } else if (off >= E_STATS && off < E_STATS_END) {
        REG(s, off) = 0;
    }
    return value;
}

static void write_control(E1000 *s, uint32_t value)
{
    if (value & CTRL_RST) {
        reset_registers(s);
        update_irq(s);
        return;
    }
    if (value & CTRL_PHY_RST)
        reset_phy(s);
    REG(s, E_CTRL) = value & ~(CTRL_RST | CTRL_PHY_RST);
}

static void write_register(E1000 *s, uint32_t off, uint32_t value)
{
    switch (off) {
    case E_CTRL: write_control(s, value); return;
    case E_EECD: eecd_write(s, value); return;
    case E_EERD: eerd_write(s, value); return;
    case E_MDIC: mdic_write(s, value); return;
    case E_ICR:
        REG(s, E_ICR) &= ~value;
        update_irq(s);
        return;
    case E_ICS: e1000_interrupt(s, value); return;
    case E_IMS:
        REG(s, E_IMS) |= value;
        update_irq(s);
        return;
    case E_IMC:
        REG(s, E_IMS) &= ~value;
        update_irq(s);
        return;
    case E_STATUS: return;
    case E_RDLEN:
    case E_TDLEN: REG(s, off) = value & 0xfff80; return;
    case E_RDBAL:
    case E_TDBAL: REG(s, off) = value & ~15u; return;
    case E_RDH:
    case E_TDH: REG(s, off) = value & 0xffff; return;
    case E_TDT:
        REG(s, off) = value & 0xffff;
        e1000_transmit(s);
        return;
    case E_TCTL:
        REG(s, off) = value;
        e1000_transmit(s);
        return;
    case E_RDT:
        REG(s, off) = value & 0xffff;
        if (!s->busy)
            net_ready(s->cable);
        return;
    case E_RCTL:
        REG(s, off) = value;
        if (!s->busy)
            net_ready(s->cable);
        return;
    }
    if (off < E1000_REGS && !(off >= E_STATS && off < E_STATS_END))
        REG(s, off) = value;
}

/* Accesses are of double words; a narrower read gets its part of one. */
static uint64_t mmio_read(void *opaque, uint64_t addr, unsigned size)
{
    return (uint64_t)read_register(opaque, addr & ~3u) >> 8 * (addr & 3);
}

static void mmio_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    if (size == 4 && !(addr & 3))
        write_register(opaque, addr, value);
}

static const MemOps mmio_ops = { mmio_read, mmio_write, 1, 4 };

/* The window in I/O space: an address, and the register there. */
static uint64_t io_read(void *opaque, uint64_t addr, unsigned size)
{
    E1000 *s = opaque;

    if (addr == 0)
        return s->io_address;
    return addr == 4 ? read_register(s, s->io_address & ~3u) : 0;
}

static void io_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    E1000 *s = opaque;

    if (addr == 0)
        s->io_address = value & (MMIO_BYTES - 1);
    else if (addr == 4)
        write_register(s, s->io_address & ~3u, value);
}

static const MemOps io_ops = { io_read, io_write, 4, 4 };

/* ---- Life ------------------------------------------------------------------------------------ */

static void connect_cable(E1000 *s, bool on)
{
    net_connect(s->cable, on ? &e1000_net_client : NULL, on ? s : NULL);
}

static bool e1000_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = { .vendor = 0x8086,
                                          .device = 0x100e,
                                          .revision = 3,
                                          .class_code = 0x020000,
                                          .interrupt_pin = 1 };
    E1000 *s = (E1000 *)dev;

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    memory_init_io(&s->mmio, "e1000-mmio", &mmio_ops, s, MMIO_BYTES);
    memory_init_io(&s->io, "e1000-io", &io_ops, s, IO_BYTES);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mmio);
    pci_add_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
    connect_cable(s, true);
    return true;
}

static void e1000_unrealize(Device *dev)
{
    E1000 *s = (E1000 *)dev;

    connect_cable(s, false);
    pci_device_unrealize(dev);
    memory_destroy(&s->mmio);
    memory_destroy(&s->io);
}

static void e1000_plug(Device *dev, bool in)
{
    connect_cable((E1000 *)dev, in);
    pci_device_plug(dev, in);
}

static void e1000_reset_enter(Device *dev)
{
    E1000 *s = (E1000 *)dev;

    pci_device_reset(dev);
    reset_registers(s);
    reset_phy(s);
    fill_eeprom(s);
    memset(s->tx_data, 0, sizeof(s->tx_data));
    memset(&s->segment, 0, sizeof(s->segment));
    memset(&s->checksum, 0, sizeof(s->checksum));
    s->tx_tso = s->tx_sum_ip = s->tx_sum_l4 = s->tx_vlan = false;
    s->tx_tag = 0;
    s->io_address = 0;
}

static void e1000_post_load(Device *dev)
{
    E1000 *s = (E1000 *)dev;

    pci_device_post_load(dev);
    s->io_address &= MMIO_BYTES - 1;
    eeprom93_post_load(&s->eeprom);
    s->tx_len = MIN(s->tx_len, E1000_TX_MAX + 1);
}

static const StateField context_state[] = {
    STATE_U8(E1000Context, ipcss),
    STATE_U8(E1000Context, ipcso),
    STATE_U8(E1000Context, tucss),
    STATE_U8(E1000Context, tucso),
    STATE_U8(E1000Context, hdrlen),
    STATE_U16(E1000Context, ipcse),
    STATE_U16(E1000Context, tucse),
    STATE_U16(E1000Context, mss),
    STATE_BOOL(E1000Context, tcp),
    STATE_BOOL(E1000Context, ipv4),
    STATE_END,
};

static const StateField e1000_state[] = {
    STATE_STRUCT(E1000, pci, pci_device_state),
    STATE_ARRAY(E1000, reg, STATE_T_U32),
    STATE_ARRAY(E1000, phy, STATE_T_U16),
    STATE_STRUCT(E1000, eeprom, eeprom93_state),
    STATE_U32(E1000, io_address),
    STATE_STRUCT(E1000, segment, context_state),
    STATE_STRUCT(E1000, checksum, context_state),
    STATE_BOOL(E1000, tx_started),
    STATE_BOOL(E1000, tx_tso),
    STATE_BOOL(E1000, tx_sum_ip),
    STATE_BOOL(E1000, tx_sum_l4),
    STATE_BOOL(E1000, tx_vlan),
    STATE_U16(E1000, tx_tag),
    STATE_U32(E1000, tx_len),
    STATE_BYTES(E1000, tx_data),
    STATE_END,
};

const DeviceClass e1000_class = {
    .name = "e1000",
    .desc = "Intel 82540EM gigabit Ethernet",
    .size = sizeof(E1000),
    .state = e1000_state,
    .state_version = 2,
    .realize = e1000_realize,
    .unrealize = e1000_unrealize,
    .plug = e1000_plug,
    .reset_enter = e1000_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = e1000_post_load,
};

Device *e1000_new(PciBus *bus, int devfn, AddressSpace *memory, NetCable *cable,
                  const uint8_t mac[6])
{
    E1000 *s = (E1000 *)pci_device_new(&e1000_class, bus, devfn, NULL);

    s->memory = memory;
    s->cable = cable;
    memcpy(s->mac, mac, 6);
    return &s->pci.dev;
}
