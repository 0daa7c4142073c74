/* SPDX-License-Identifier: MIT */
/*
 * Registers, EEPROM, PHY, timer and interrupts of the RTL8139C+.
 * Spec: Realtek RTL8139C(L)+ data sheet (rev. 1.6), sections 6 to 9.
 * The link is up as soon as it is asked for, frames leave at once, early receiving is only kept.
 * Missing: wake-up, flow control, the flash, the CardBus function's registers (read as 0).
 */
#include "hw/rtl8139.h"

#include <string.h>

#include "hw/rtl8139-internal.h"
#include "softmmu/bytes.h"

#define BAR_BYTES    256
#define TIMER_HZ     33000000 /* the PCI clock */
#define TALLY_BYTES  64
#define HWVERID      0x74800000u /* of TCR: an RTL8139C+ */
#define REVISION     0x20
#define CAPR_EMPTY   0xfff0 /* sixteen bytes behind the ring's begin */
#define TSD_RESET    0x2000 /* the driver's */
#define BMSR_VALUE   0x782d
#define PARTNER      0x05e1 /* what both ends can do */
#define MSR_VALUE    0xd0   /* power, flow control; 100 Mb/s */
#define CONFIG1_MAPS 0x0c   /* both BARs */

enum { DTCCR_DUMP = 0x08 };
enum { BMCR_RESET = 0x8000, BMCR_AUTO = 0x1000, BMCR_WRITABLE = 0x3100 };
enum { BMSR_DONE = 0x20, BMSR_LINK = 0x04, MSR_NO_LINK = 0x04 };
enum { EEM_MASK = 0xc0, EEM_LOAD = 0x40, EEM_WIRES = 0x80, EEM_CONFIG = 0xc0 };
enum { EE_CS = 0x08, EE_SK = 0x04, EE_DI = 0x02, EE_DO = 0x01 };
enum { POLL_HIGH = 0x80, POLL_NORMAL = 0x40, POLL_SOFT = 0x01 };

/* ---- Interrupts and timer -------------------------------------------------------------------- */

static void update_irq(Rtl8139 *s)
{
    pci_set_irq(&s->pci, (s->isr & s->imr) != 0);
}

void rtl8139_interrupt(Rtl8139 *s, uint16_t causes)
{
    s->isr |= causes;
    update_irq(s);
}

void rtl8139_link_changed(void *opaque)
{
    rtl8139_interrupt(opaque, INT_LINK);
}

static uint64_t timer_ticks(const Rtl8139 *s)
{
    return clock_ns_to_ticks(clock_now_ns(s->clock) - (int64_t)s->timer_base_ns, TIMER_HZ);
}

/* To when TCTR will next be TimerInt; 0 is never. */
static void schedule(Rtl8139 *s)
{
    uint64_t now = timer_ticks(s);
    uint32_t left = s->timer_int - (uint32_t)now;
    uint64_t then = now + (left ? left : UINT64_C(1) << 32);

    if (s->timer_int)
        timer_set(s->timer, (int64_t)s->timer_base_ns + clock_ticks_to_ns(then, TIMER_HZ) + 1);
    else
        timer_cancel(s->timer);
}

static void timer_ran_out(void *opaque)
{
    Rtl8139 *s = opaque;

    rtl8139_interrupt(s, INT_TIMEOUT);
    schedule(s);
}

static uint64_t tctr_read(Device *dev, const RegDesc *r)
{
    return (uint32_t)timer_ticks((Rtl8139 *)dev);
}

static void tctr_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    s->timer_base_ns = clock_now_ns(s->clock);
    schedule(s);
}

static void timer_int_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    schedule((Rtl8139 *)dev);
}

/* ---- EEPROM and what is loaded from it ------------------------------------------------------- */

static void fill_eeprom(Rtl8139 *s)
{
    static const uint16_t head[] = { 0x8129, 0x10ec, 0x8139 };

    memset(&s->eeprom, 0, sizeof(s->eeprom));
    memcpy(s->eeprom.word, head, sizeof(head));
    for (unsigned i = 0; i < 3; i++)
        s->eeprom.word[7 + i] = get_le(s->mac + 2 * i, 2);
}

static void load_eeprom(Rtl8139 *s)
{
    const uint16_t *word = s->eeprom.word + 7;

    s->idr[0] = word[0] | (uint32_t)word[1] << 16;
    s->idr[1] = word[2];
    memset(s->config, 0, sizeof(s->config));
    s->config[1] = CONFIG1_MAPS;
    s->config[3] = 0x01; /* fast back-to-back */
}

static uint64_t cr9346_read(Device *dev, const RegDesc *r)
{
    const Rtl8139 *s = (Rtl8139 *)dev;
    bool out = (s->cr9346 & EEM_MASK) == EEM_WIRES && eeprom93_output(&s->eeprom);

    return s->cr9346 | (out ? EE_DO : 0);
}

static void cr9346_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    s->cr9346 = value & (EEM_MASK | EE_CS | EE_SK | EE_DI);
    if ((value & EEM_MASK) == EEM_LOAD) {
        load_eeprom(s);
        s->cr9346 = 0;
    }
    if ((value & EEM_MASK) == EEM_WIRES)
        eeprom93_drive(&s->eeprom, value & EE_CS, value & EE_SK, value & EE_DI);
    else
        eeprom93_deselect(&s->eeprom);
}

/* The configuration is locked but in one mode of that register. */
static void config_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;
    uint8_t *field = (uint8_t *)s + r->field;

    if ((s->cr9346 & EEM_MASK) == EEM_CONFIG)
        *field = (*field & ~r->writable) | (value & r->writable);
}

/* ---- PHY ------------------------------------------------------------------------------------- */

static uint64_t msr_read(Device *dev, const RegDesc *r)
{
    return net_is_up(((Rtl8139 *)dev)->cable) ? MSR_VALUE : MSR_VALUE | MSR_NO_LINK;
}

static uint64_t bmsr_read(Device *dev, const RegDesc *r)
{
    bool up = net_is_up(((Rtl8139 *)dev)->cable);

    return up ? BMSR_VALUE : BMSR_VALUE & ~(BMSR_DONE | BMSR_LINK);
}

/* Negotiating again is done at once. */
static void bmcr_write(Device *dev, const RegDesc *r, uint64_t value)
{
    ((Rtl8139 *)dev)->bmcr = value & BMCR_RESET ? BMCR_AUTO : value & BMCR_WRITABLE;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void dump_tally(Rtl8139 *s)
{
    uint8_t t[TALLY_BYTES] = { 0 };
    uint64_t at = (s->dtccr[0] & ~63u) | (uint64_t)s->dtccr[1] << 32;

    put_le(t, 8, s->tally.tx_ok);
    put_le(t + 8, 8, s->tally.rx_ok);
    put_le(t + 28, 2, MIN(s->mpc, 0xffff));
    put_le(t + 40, 8, s->tally.rx_own);
    put_le(t + 48, 8, s->tally.rx_broadcast);
    put_le(t + 56, 4, s->tally.rx_group);
    if (!s->busy)
        address_space_write_bytes(s->memory, at, t, sizeof(t));
}

/* Once a ring is used, two of them are the address that counters are dumped to. */
static bool is_dtccr(const Rtl8139 *s, unsigned n)
{
    return n < 2 && (s->cpcr & (CPCR_TX | CPCR_RX));
}

static uint64_t tsd_read(Device *dev, const RegDesc *r)
{
    const Rtl8139 *s = (Rtl8139 *)dev;
    unsigned n = (r->off >> 2) & 3;

    return is_dtccr(s, n) ? s->dtccr[n] : s->tsd[n];
}

static void tsd_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;
    unsigned n = (r->off >> 2) & 3;

    if (is_dtccr(s, n)) {
        s->dtccr[n] = n ? value : value & ~(uint64_t)DTCCR_DUMP;
        if (!n && (value & DTCCR_DUMP))
            dump_tally(s);
        return;
    }
    s->tsd[n] = value & r->writable;
    rtl8139_transmit(s);
}

/* OWN, aborted, underrun and OK of all four. */
static uint64_t tsads_read(Device *dev, const RegDesc *r)
{
    const Rtl8139 *s = (Rtl8139 *)dev;
    uint64_t value = 0;

    for (unsigned n = 0; n < 4; n++)
        value |= (s->tsd[n] >> 13 & 1) << n | (s->tsd[n] >> 15 & 1) << (12 + n);
    return value;
}

static void tsad_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    if (s->cpcr & CPCR_TX)
        s->tx_index[(r->off >> 3) & 1] = 0;
}

static void poll_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    if (value & POLL_HIGH)
        rtl8139_transmit_ring(s, 1);
    if (value & POLL_NORMAL)
        rtl8139_transmit_ring(s, 0);
    if (value & POLL_SOFT)
        rtl8139_interrupt(s, INT_SOFT);
}

/* ---- Control --------------------------------------------------------------------------------- */

static void ask_for_frames(Rtl8139 *s)
{
    if (!s->busy)
        net_ready(s->cable);
}

static void may_receive(Device *dev, const RegDesc *r, uint64_t old)
{
    ask_for_frames((Rtl8139 *)dev);
}

static void interrupts_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    update_irq((Rtl8139 *)dev);
    ask_for_frames((Rtl8139 *)dev);
}

static void rdsar_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    ((Rtl8139 *)dev)->rx_index = 0;
}

static void mpc_write(Device *dev, const RegDesc *r, uint64_t value)
{
    ((Rtl8139 *)dev)->mpc = 0;
}

static uint64_t cr_read(Device *dev, const RegDesc *r)
{
    const Rtl8139 *s = (Rtl8139 *)dev;

    return s->cr | (rtl8139_ring_is_empty(s) ? CR_BUFE : 0);
}

/* What is no register. */
static void forget(Rtl8139 *s)
{
    s->timer_base_ns = clock_now_ns(s->clock);
    timer_cancel(s->timer);
    s->tx_index[0] = s->tx_index[1] = s->rx_index = 0;
    s->dtccr[0] = s->dtccr[1] = 0;
    s->tx_started = false;
    s->tx_len = 0;
    eeprom93_deselect(&s->eeprom);
}

/* All but the addresses, what the EEPROM says, and the PHY. */
static void reset_chip(Rtl8139 *s)
{
    Rtl8139 *kept = g_memdup2(s, sizeof(*s));

    regs_reset(&s->pci.dev);
    memcpy(s->idr, kept->idr, sizeof(s->idr));
    memcpy(s->mar, kept->mar, sizeof(s->mar));
    memcpy(s->config, kept->config, sizeof(s->config));
    s->bmcr = kept->bmcr;
    s->anar = kept->anar;
    g_free(kept);
    forget(s);
    update_irq(s);
}

/* Each begins where its rings do. */
static void cr_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Rtl8139 *s = (Rtl8139 *)dev;
    uint8_t begins = value & ~s->cr;

    if (value & CR_RST) {
        reset_chip(s);
        return;
    }
    s->cr = value & (CR_RE | CR_TE);
    if (begins & CR_RE) {
        s->rx_index = 0;
        s->cbr = 0;
        s->capr = CAPR_EMPTY;
    }
    if (begins & CR_TE) {
        s->tx_index[0] = s->tx_index[1] = 0;
        rtl8139_transmit(s);
    }
    ask_for_frames(s);
}

#define ALL  UINT32_MAX
#define F(f) REG_FIELD(Rtl8139, f)

/* clang-format off */
static const RegDesc rtl8139_regs[] = {
    { 0x3e, "ISR",     2, F(isr),      .w1c = 0xffff, .wrote = interrupts_wrote },
    { 0x3c, "IMR",     2, F(imr),      0,          0xe1ff, .wrote = interrupts_wrote },
    { 0xd9, "TPPOLL",  1, .write = poll_write },
    { 0x37, "CR",      1, F(cr),       .read = cr_read, .write = cr_write },
    { 0x10, "TSD0",    4, F(tsd[0]),   TSD_RESET,  0x3f3fff, .read = tsd_read, .write = tsd_write },
    { 0x14, "TSD1",    4, F(tsd[1]),   TSD_RESET,  0x3f3fff, .read = tsd_read, .write = tsd_write },
    { 0x18, "TSD2",    4, F(tsd[2]),   TSD_RESET,  0x3f3fff, .read = tsd_read, .write = tsd_write },
    { 0x1c, "TSD3",    4, F(tsd[3]),   TSD_RESET,  0x3f3fff, .read = tsd_read, .write = tsd_write },
    { 0x20, "TSAD0",   4, F(tsad[0]),  0,          ALL, .wrote = tsad_wrote },
    { 0x24, "TSAD1",   4, F(tsad[1]),  0,          ALL, .wrote = tsad_wrote },
    { 0x28, "TSAD2",   4, F(tsad[2]),  0,          ALL, .wrote = tsad_wrote },
    { 0x2c, "TSAD3",   4, F(tsad[3]),  0,          ALL, .wrote = tsad_wrote },
    { 0x38, "CAPR",    2, F(capr),     CAPR_EMPTY, 0xffff, .wrote = may_receive },
    { 0x3a, "CBR",     2, F(cbr) },
    { 0x00, "IDR0",    4, F(idr[0]),   0,          ALL },
    { 0x04, "IDR4",    4, F(idr[1]),   0,          0xffff },
    { 0x08, "MAR0",    4, F(mar[0]),   0,          ALL },
    { 0x0c, "MAR4",    4, F(mar[1]),   0,          ALL },
    { 0x30, "RBSTART", 4, F(rbstart),  0,          ALL },
    { 0x34, "ERBCR",   2 },
    { 0x36, "ERSR",    1 },
    { 0x40, "TCR",     4, F(tcr),      HWVERID,    0x030707f0 },
    { 0x44, "RCR",     4, F(rcr),      0,          0x0f03ffbf, .wrote = may_receive },
    { 0x48, "TCTR",    4, .read = tctr_read, .write = tctr_write },
    { 0x4c, "MPC",     4, F(mpc),      .write = mpc_write },
    { 0x50, "9346CR",  1, F(cr9346),   .read = cr9346_read, .write = cr9346_write },
    { 0x51, "CONFIG0", 1, F(config[0]) },
    { 0x52, "CONFIG1", 1, F(config[1]), 0,         0xf3, .write = config_write },
    { 0x54, "TIMERINT", 4, F(timer_int), 0,        ALL, .wrote = timer_int_wrote },
    { 0x58, "MSR",     1, .read = msr_read },
    { 0x59, "CONFIG3", 1, F(config[3]), 0,         0x70, .write = config_write },
    { 0x5a, "CONFIG4", 1, F(config[4]), 0,         0xf5, .write = config_write },
    { 0x5b, "HLTCLK",  1 },
    { 0x5c, "MULINT",  2, F(mulint),   0,          0x0fff },
    { 0x5e, "RERID",   1, .reset = REVISION },
    { 0x60, "TSADS",   2, .read = tsads_read },
    { 0x62, "BMCR",    2, F(bmcr),     BMCR_AUTO,  .write = bmcr_write },
    { 0x64, "BMSR",    2, .read = bmsr_read },
    { 0x66, "ANAR",    2, F(anar),     PARTNER,    0xffff },
    { 0x68, "ANLPAR",  2, .reset = PARTNER },
    { 0x6a, "ANER",    2, .reset = 0x0001 },
    { 0x6c, "DIS",     2 },
    { 0x6e, "FCSC",    2 },
    { 0x70, "NWAYTR",  2 },
    { 0x72, "REC",     2 },
    { 0x74, "CSCR",    2, .reset = 0x0340 },
    { 0xd8, "CONFIG5", 1, F(config[5]), 0,         0x7f, .write = config_write },
    { 0xe0, "C+CR",    2, F(cpcr),     0,          0x007b, .wrote = may_receive },
    { 0xe2, "INTMIT",  2 },
    { 0xe4, "RDSAR0",  4, F(rdsar[0]), 0,          ALL, .wrote = rdsar_wrote },
    { 0xe8, "RDSAR4",  4, F(rdsar[1]), 0,          ALL, .wrote = rdsar_wrote },
    { 0xec, "ETTHR",   1, F(etthr),    0,          0x3f },
    { 0xf0, "FER",     4 },
    { 0xf4, "FEMR",    4 },
    { 0xf8, "FPSR",    4 },
    { 0xfc, "FFER",    4 },
    { 0 },
};
/* clang-format on */

/* ---- Life ------------------------------------------------------------------------------------ */

static void connect_cable(Rtl8139 *s, bool on)
{
    net_connect(s->cable, on ? &rtl8139_net_client : NULL, on ? s : NULL);
}

static bool rtl8139_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = { .vendor = 0x10ec,
                                          .device = 0x8139,
                                          .revision = REVISION,
                                          .class_code = 0x020000,
                                          .interrupt_pin = 1 };
    Rtl8139 *s = (Rtl8139 *)dev;

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    memory_init_io(&s->io, "rtl8139", &reg_table_ops, s, BAR_BYTES);
    memory_init_io(&s->mmio, "rtl8139", &reg_table_ops, s, BAR_BYTES);
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->io);
    pci_add_bar(&s->pci, 1, PCI_BAR_MEM32, &s->mmio);
    s->timer = timer_new(s->clock, timer_ran_out, s);
    connect_cable(s, true);
    return true;
}

static void rtl8139_unrealize(Device *dev)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    connect_cable(s, false);
    timer_free(s->timer);
    pci_device_unrealize(dev);
    memory_destroy(&s->io);
    memory_destroy(&s->mmio);
}

static void rtl8139_plug(Device *dev, bool in)
{
    connect_cable((Rtl8139 *)dev, in);
    pci_device_plug(dev, in);
}

static void rtl8139_reset_enter(Device *dev)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    pci_device_reset(dev);
    fill_eeprom(s);
    load_eeprom(s);
    memset(&s->tally, 0, sizeof(s->tally));
    memset(s->tx_data, 0, sizeof(s->tx_data));
    forget(s);
}

static void rtl8139_post_load(Device *dev)
{
    Rtl8139 *s = (Rtl8139 *)dev;

    pci_device_post_load(dev);
    eeprom93_post_load(&s->eeprom);
    s->rx_index %= RTL_DESC_MAX;
    s->tx_index[0] %= RTL_DESC_MAX;
    s->tx_index[1] %= RTL_DESC_MAX;
    s->tx_len = MIN(s->tx_len, RTL_TX_MAX + 1);
}

static const StateField tally_state[] = {
    STATE_U64(RtlTally, tx_ok),        STATE_U64(RtlTally, rx_ok),    STATE_U64(RtlTally, rx_own),
    STATE_U64(RtlTally, rx_broadcast), STATE_U32(RtlTally, rx_group), STATE_END,
};

static const StateField rtl8139_state[] = {
    STATE_STRUCT(Rtl8139, pci, pci_device_state),
    STATE_ARRAY(Rtl8139, idr, STATE_T_U32),
    STATE_ARRAY(Rtl8139, mar, STATE_T_U32),
    STATE_ARRAY(Rtl8139, tsd, STATE_T_U32),
    STATE_ARRAY(Rtl8139, tsad, STATE_T_U32),
    STATE_U32(Rtl8139, rbstart),
    STATE_U32(Rtl8139, tcr),
    STATE_U32(Rtl8139, rcr),
    STATE_U32(Rtl8139, mpc),
    STATE_U32(Rtl8139, timer_int),
    STATE_ARRAY(Rtl8139, dtccr, STATE_T_U32),
    STATE_ARRAY(Rtl8139, rdsar, STATE_T_U32),
    STATE_U16(Rtl8139, capr),
    STATE_U16(Rtl8139, cbr),
    STATE_U16(Rtl8139, imr),
    STATE_U16(Rtl8139, isr),
    STATE_U16(Rtl8139, mulint),
    STATE_U16(Rtl8139, cpcr),
    STATE_U16(Rtl8139, bmcr),
    STATE_U16(Rtl8139, anar),
    STATE_U8(Rtl8139, cr),
    STATE_U8(Rtl8139, cr9346),
    STATE_BYTES(Rtl8139, config),
    STATE_U8(Rtl8139, etthr),
    STATE_U64(Rtl8139, timer_base_ns),
    STATE_TIMER(Rtl8139, timer),
    STATE_STRUCT(Rtl8139, eeprom, eeprom93_state),
    STATE_STRUCT(Rtl8139, tally, tally_state),
    STATE_BYTES(Rtl8139, tx_index),
    STATE_U8(Rtl8139, rx_index),
    STATE_BOOL(Rtl8139, tx_started),
    STATE_U32(Rtl8139, tx_len),
    STATE_BYTES(Rtl8139, tx_data),
    STATE_END,
};

const DeviceClass rtl8139_class = {
    .name = "rtl8139",
    .desc = "Realtek RTL8139C+ Fast Ethernet",
    .size = sizeof(Rtl8139),
    .regs = rtl8139_regs,
    .state = rtl8139_state,
    .state_version = 1,
    .realize = rtl8139_realize,
    .unrealize = rtl8139_unrealize,
    .plug = rtl8139_plug,
    .reset_enter = rtl8139_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = rtl8139_post_load,
};

Device *rtl8139_new(PciBus *bus, int devfn, AddressSpace *memory, Clock *clock, NetCable *cable,
                    const uint8_t mac[6])
{
    Rtl8139 *s = (Rtl8139 *)pci_device_new(&rtl8139_class, bus, devfn, NULL);

    s->memory = memory;
    s->clock = clock;
    s->cable = cable;
    memcpy(s->mac, mac, 6);
    return &s->pci.dev;
}
