/* SPDX-License-Identifier: MIT */
/*
 * Function 3 of the 82371AB (PIIX4): ACPI fixed registers, the PM timer, the APM command port and
 * the SMBus host controller. Spec: Intel 82371AB data sheet (290562); ACPI 6, chapter 4.
 *
 * SLP_TYP: 0 is S5, 1 is S3, 2 is S4 (off, as the system image is on disk). ACPI enable and disable
 * act on SCI_EN directly: no SMI handler is needed for them. GPE0 is where PC firmware tables of
 * this board say (0xafe0), not the chip's own. The SMBus has no slaves: every start ends with a
 * device error. Missing: clock control, traps, GPIO, resume timers.
 */
#include "hw/piix4-pm.h"

#include <string.h>

#include "softmmu/log.h"

#define PM_TIMER_HZ   3579545
#define PM_TIMER_MASK 0xffffffu
#define PM_TIMER_HALF 0x800000ull /* TMR_STS: bit 23 changed */

enum {
    CFG_PMBA = 0x40,
    CFG_DEVACTB = 0x58,
    CFG_PMREGMISC = 0x80,
    CFG_SMBBA = 0x90,
    CFG_SMBHSTCFG = 0xd2,
    DEVACTB_APMC_EN = 1 << 25,

    PM1_TMR = 1 << 0,
    PM1_GBL = 1 << 5,
    PM1_PWRBTN = PIIX4_PM_BUTTON,
    PM1_RTC = PIIX4_PM_RTC,
    PM1_WAK = 1 << 15,
    PM1_EVENTS = PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC,
    PM1_STS_W1C = 0x8d31,
    PM1_SCI_EN = 1 << 0,
    PM1_SLP_EN = 1 << 13,

    SMB_STATUS = 0,
    SMB_CONTROL = 2,
    SMB_BLOCK_DATA = 7,
    SMB_STATUS_DEV_ERR = 0x04,
    SMB_STATUS_W1C = 0x1e,
    SMB_CONTROL_INTEREN = 0x01,
    SMB_CONTROL_KILL = 0x02,
    SMB_CONTROL_START = 0x40,
    SMB_REGS = 16,
    SMB_BLOCK_SIZE = 32,
};

typedef struct Piix4Pm {
    PciDevice pci; /* .dev.io: the PM registers */
    Piix4PmWiring w;
    Timer *timer; /* the next change of bit 23, if somebody waits for it */
    MemRegion apm, gpe, smb;
    bool pm_mapped, smb_mapped;
    uint16_t pm_addr, smb_addr;
    /* state */
    uint16_t pm1_status, pm1_enable, pm1_control;
    uint16_t gpe_status, gpe_enable;
    uint16_t gpe_level;     /* event inputs */
    uint64_t overflow_tick; /* when TMR_STS will be set */
    uint8_t apm_control, apm_status;
    uint8_t smb_regs[SMB_REGS], smb_block[SMB_BLOCK_SIZE], smb_index;
    bool sci;
} Piix4Pm;

/* ---- PM timer and SCI
 * ------------------------------------------------------------------------------ */

static uint64_t pm_ticks(const Piix4Pm *s)
{
    return clock_ns_to_ticks(clock_now_ns(s->w.clock), PM_TIMER_HZ);
}

static void look(Piix4Pm *s)
{
    if (pm_ticks(s) >= s->overflow_tick)
        s->pm1_status |= PM1_TMR;
}

static void await_overflow(Piix4Pm *s)
{
    s->overflow_tick = (pm_ticks(s) & ~(PM_TIMER_HALF - 1)) + PM_TIMER_HALF;
}

static bool smb_interrupts(const Piix4Pm *s)
{
    return (s->smb_regs[SMB_STATUS] & SMB_STATUS_W1C) &&
           (s->smb_regs[SMB_CONTROL] & SMB_CONTROL_INTEREN) &&
           (s->pci.config[CFG_SMBHSTCFG] & 0x0e) == 0x08; /* routed to IRQ 9 */
}

static bool acpi_interrupts(const Piix4Pm *s)
{
    return (s->pm1_control & PM1_SCI_EN) &&
           ((s->pm1_status & s->pm1_enable & PM1_EVENTS) || (s->gpe_status & s->gpe_enable));
}

static void update(Piix4Pm *s)
{
    bool sci = acpi_interrupts(s) || smb_interrupts(s);

    if (sci != s->sci) {
        s->sci = sci;
        irq_set(s->w.sci, sci);
    }
    if ((s->pm1_enable & PM1_TMR) && !(s->pm1_status & PM1_TMR))
        timer_set(s->timer, clock_ticks_to_ns(s->overflow_tick, PM_TIMER_HZ) + 1);
    else
        timer_cancel(s->timer);
}

static void overflow(void *opaque)
{
    look(opaque);
    update(opaque);
}

/* ---- PM registers
 * ------------------------------------------------------------------------------------ */

/* PMSTS as two bytes, so that writing one does not clear events of the other. */
static uint64_t status_read(Device *dev, const RegDesc *r)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    look(s);
    return s->pm1_status >> 8 * r->off & 0xff;
}

static void status_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Piix4Pm *s = (Piix4Pm *)dev;
    uint16_t clear = value << 8 * r->off & PM1_STS_W1C;

    look(s);
    if (clear & s->pm1_status & PM1_TMR)
        await_overflow(s);
    s->pm1_status &= ~clear;
    update(s);
}

static void pm1_wrote(Device *dev, const RegDesc *r, uint64_t old)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    look(s);
    update(s);
}

static void sleep_now(Piix4Pm *s)
{
    switch (s->pm1_control >> 10 & 7) {
    case 0:
    case 2: irq_pulse(s->w.shutdown); break;
    case 1: irq_pulse(s->w.suspend); break;
    default: log_guest_error("piix4: sleep type %u\n", s->pm1_control >> 10 & 7);
    }
}

static void control_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    s->pm1_control = value & 0x1c03;
    update(s);
    if (value & PM1_SLP_EN)
        sleep_now(s);
}

static uint64_t timer_read(Device *dev, const RegDesc *r)
{
    return pm_ticks((Piix4Pm *)dev) & PM_TIMER_MASK;
}

static void timer_write(Device *dev, const RegDesc *r, uint64_t value)
{
    log_guest_error("piix4: write to the PM timer\n");
}

/* clang-format off */
static const RegDesc pm_regs[] = {
    { 0x00, "PMSTS",   1, .read = status_read, .write = status_write },
    { 0x01, "PMSTS+1", 1, .read = status_read, .write = status_write },
    { 0x02, "PMEN",    2, REG_FIELD(Piix4Pm, pm1_enable),  0, PM1_EVENTS, .wrote = pm1_wrote },
    { 0x04, "PMCNTRL", 2, REG_FIELD(Piix4Pm, pm1_control), 0, 0x1c03, .write = control_write },
    { 0x08, "PMTMR",   4, .read = timer_read, .write = timer_write },
    { 0x3f, "reserved", 1 }, /* the block has 64 bytes */
    { 0 },
};
/* clang-format on */

void piix4_pm_powerdown(Device *dev)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    s->pm1_status |= PM1_PWRBTN;
    update(s);
}

void piix4_pm_wakeup(Device *dev, uint16_t events)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    s->pm1_status |= PM1_WAK | (events & PM1_EVENTS);
    update(s);
}

bool piix4_pm_may_wake(Device *dev, uint16_t event)
{
    return ((Piix4Pm *)dev)->pm1_enable & event;
}

/* ---- GPE0: status and enable, two bytes each
 * ------------------------------------------------------------ */

static uint64_t gpe_read(void *opaque, uint64_t addr, unsigned size)
{
    Piix4Pm *s = opaque;
    uint16_t reg = addr < 2 ? s->gpe_status : s->gpe_enable;

    return reg >> 8 * (addr & 1);
}

static void gpe_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Piix4Pm *s = opaque;
    unsigned shift = 8 * (addr & 1);

    if (addr < 2)
        s->gpe_status = (s->gpe_status & ~(value << shift)) | s->gpe_level;
    else
        s->gpe_enable = (s->gpe_enable & ~(0xff << shift)) | value << shift;
    update(s);
}

void piix4_pm_set_gpe(Device *dev, unsigned n, int level)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    g_assert(n < 16);
    s->gpe_level = level ? s->gpe_level | 1u << n : s->gpe_level & ~(1u << n);
    s->gpe_status |= s->gpe_level;
    update(s);
}

/* ---- APM command and status ports 0xb2, 0xb3
 * -------------------------------------------------------------- */

static uint64_t apm_read(void *opaque, uint64_t addr, unsigned size)
{
    Piix4Pm *s = opaque;

    return addr ? s->apm_status : s->apm_control;
}

static void apm_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Piix4Pm *s = opaque;

    if (addr) {
        s->apm_status = value;
        return;
    }
    s->apm_control = value;
    if (value == PIIX4_ACPI_ENABLE)
        s->pm1_control |= PM1_SCI_EN;
    else if (value == PIIX4_ACPI_DISABLE)
        s->pm1_control &= ~PM1_SCI_EN;
    update(s);
    if (s->w.smm && (pci_get_config(&s->pci, CFG_DEVACTB, 4) & DEVACTB_APMC_EN))
        irq_pulse(s->w.smi);
}

/* ---- SMBus host
 * ---------------------------------------------------------------------------------------------- */

static uint64_t smb_read(void *opaque, uint64_t addr, unsigned size)
{
    Piix4Pm *s = opaque;

    if (addr == SMB_CONTROL)
        s->smb_index = 0;
    if (addr == SMB_BLOCK_DATA)
        return s->smb_block[s->smb_index++ % SMB_BLOCK_SIZE];
    return s->smb_regs[addr];
}

/* A transaction starts; nobody answers to the address. */
static void smb_control(Piix4Pm *s, uint8_t value)
{
    s->smb_regs[SMB_CONTROL] = value & 0x1f;
    if ((value & SMB_CONTROL_START) && !(value & SMB_CONTROL_KILL))
        s->smb_regs[SMB_STATUS] |= SMB_STATUS_DEV_ERR;
}

static void smb_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Piix4Pm *s = opaque;

    switch (addr) {
    case SMB_STATUS: s->smb_regs[SMB_STATUS] &= ~(value & SMB_STATUS_W1C); break;
    case SMB_CONTROL: smb_control(s, value); break;
    case SMB_BLOCK_DATA: s->smb_block[s->smb_index++ % SMB_BLOCK_SIZE] = value; break;
    case 3: /* command */
    case 4: /* address */
    case 5:
    case 6: s->smb_regs[addr] = value; break;
    default: log_unimp("piix4: SMBus slave register %#x\n", (unsigned)addr);
    }
    update(s);
}

static const MemOps gpe_ops = { gpe_read, gpe_write, 1, 1 };
static const MemOps apm_ops = { apm_read, apm_write, 1, 1 };
static const MemOps smb_ops = { smb_read, smb_write, 1, 1 };

/* ---- Where the blocks are
 * ---------------------------------------------------------------------------------- */

/* Where a guest lays them over each other or over fixed ports does not depend on when. */
enum { PM_TIE = 2, SMB_TIE };

static void place(Piix4Pm *s, MemRegion *r, bool *mapped, uint16_t *at, bool on, uint16_t addr)
{
    if (*mapped == on && (!on || *at == addr))
        return;
    if (*mapped)
        memory_remove(r);
    if (on)
        memory_add_tied(s->w.ports, addr, 0, r == &s->smb ? SMB_TIE : PM_TIE, r);
    *mapped = on;
    *at = addr;
}

static void update_blocks(Piix4Pm *s)
{
    uint16_t pm = pci_get_config(&s->pci, CFG_PMBA, 2) & 0xffc0;
    uint16_t smb = pci_get_config(&s->pci, CFG_SMBBA, 2) & 0xfff0;
    bool pm_on = s->pci.config[CFG_PMREGMISC] & 1, smb_on = s->pci.config[CFG_SMBHSTCFG] & 1;

    place(s, &s->pci.dev.io, &s->pm_mapped, &s->pm_addr, pm && pm_on, pm);
    place(s, &s->smb, &s->smb_mapped, &s->smb_addr, smb && smb_on, smb);
}

static void config_wrote(PciDevice *pci, unsigned off, unsigned len)
{
    Piix4Pm *s = (Piix4Pm *)pci;

    update_blocks(s);
    update(s);
}

static void init_config(Piix4Pm *s)
{
    PciDevice *d = &s->pci;

    pci_set_config(d, PCI_STATUS, 2, 0x0280, 0);
    pci_set_config(d, CFG_PMBA, 4, 0x01, 0xffc0);
    pci_set_config(d, 0x44, 4, 0, 0xffffffff); /* device activity timers: stored */
    pci_set_config(d, 0x48, 4, 0, 0xffffffff);
    pci_set_config(d, 0x4c, 4, 0, 0xffffffff);
    pci_set_config(d, 0x50, 4, 0, 0xffffffff); /* general purpose inputs */
    pci_set_config(d, 0x54, 4, 0, 0xffffffff); /* DEVACTA */
    /* Firmware takes APMC_EN as "SMM is set up"; without SMM that keeps it from trying. */
    pci_set_config(d, CFG_DEVACTB, 4, s->w.smm ? 0 : DEVACTB_APMC_EN, 0xffffffff);
    for (unsigned off = 0x5c; off < 0x80; off += 4) /* DEVRES: I/O decoding, stored */
        pci_set_config(d, off, 4, 0, 0xffffffff);
    pci_set_config(d, CFG_PMREGMISC, 1, 0, 0x01);
    pci_set_config(d, CFG_SMBBA, 4, 0x01, 0xfff0);
    pci_set_config(d, CFG_SMBHSTCFG, 1, 0, 0x0f);
    pci_set_config(d, 0xd3, 3, 0, 0xffffff); /* SMBus slave: stored */
    pci_set_config(d, 0xd6, 1, 0, 0);        /* SMBus revision */
}

/* ---- Life
 * ----------------------------------------------------------------------------------------------------
 */

static const MemPart pm_parts[] = {
    { 0, 4, "acpi-evt" }, { 4, 2, "acpi-cnt" }, { 8, 4, "acpi-tmr" }, { 0 }
};

static bool piix4_pm_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = { .vendor = 0x8086,
                                          .device = 0x7113,
                                          .revision = 0x03,
                                          .class_code = 0x068000,
                                          .interrupt_pin = 1 };
    Piix4Pm *s = (Piix4Pm *)dev;

    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    init_config(s);
    s->pci.config_wrote = config_wrote;
    s->timer = timer_new(s->w.clock, overflow, s);
    dev->io.name = "piix4-pm";
    memory_set_parts(&dev->io, pm_parts, true);
    memory_init_io(&s->apm, "apm-io", &apm_ops, s, 2);
    memory_init_io(&s->gpe, "acpi-gpe0", &gpe_ops, s, 4);
    memory_init_io(&s->smb, "pm-smbus", &smb_ops, s, SMB_REGS);
    memory_add(s->w.ports, 0xb2, 0, &s->apm);
    memory_add(s->w.ports, PIIX4_PM_GPE0_BASE, 0, &s->gpe);
    return true;
}

static void piix4_pm_unrealize(Device *dev)
{
    Piix4Pm *s = (Piix4Pm *)dev;
    MemRegion *regions[] = { &s->apm, &s->gpe, &s->smb };

    place(s, &dev->io, &s->pm_mapped, &s->pm_addr, false, 0);
    place(s, &s->smb, &s->smb_mapped, &s->smb_addr, false, 0);
    memory_remove(&s->apm);
    memory_remove(&s->gpe);
    for (unsigned i = 0; i < G_N_ELEMENTS(regions); i++)
        memory_destroy(regions[i]);
    timer_free(s->timer);
    s->timer = NULL;
    pci_device_unrealize(dev);
}

static void piix4_pm_reset_enter(Device *dev)
{
    Piix4Pm *s = (Piix4Pm *)dev;

    pci_device_reset(dev);
    s->pm1_status = 0;
    s->gpe_status = s->gpe_enable = s->gpe_level = 0;
    s->apm_control = s->apm_status = 0;
    memset(s->smb_regs, 0, sizeof(s->smb_regs));
    memset(s->smb_block, 0, sizeof(s->smb_block));
    s->smb_index = 0;
    s->sci = false;
    await_overflow(s);
    timer_cancel(s->timer);
    update_blocks(s);
}

static void piix4_pm_reset_hold(Device *dev)
{
    pci_device_reset_hold(dev);
    irq_lower(((Piix4Pm *)dev)->w.sci);
}

static void piix4_pm_post_load(Device *dev)
{
    pci_device_post_load(dev);
    update_blocks((Piix4Pm *)dev);
}

static const StateField piix4_pm_state[] = {
    STATE_STRUCT(Piix4Pm, pci, pci_device_state),
    STATE_U16(Piix4Pm, pm1_status),
    STATE_U16(Piix4Pm, pm1_enable),
    STATE_U16(Piix4Pm, pm1_control),
    STATE_U16(Piix4Pm, gpe_status),
    STATE_U16(Piix4Pm, gpe_enable),
    STATE_U16(Piix4Pm, gpe_level),
    STATE_U64(Piix4Pm, overflow_tick),
    STATE_U8(Piix4Pm, apm_control),
    STATE_U8(Piix4Pm, apm_status),
    STATE_BYTES(Piix4Pm, smb_regs),
    STATE_BYTES(Piix4Pm, smb_block),
    STATE_U8(Piix4Pm, smb_index),
    STATE_BOOL(Piix4Pm, sci),
    STATE_TIMER(Piix4Pm, timer),
    STATE_END,
};

const DeviceClass piix4_pm_class = {
    .name = "PIIX4_PM",
    .desc = "82371AB power management",
    .size = sizeof(Piix4Pm),
    .regs = pm_regs,
    .state = piix4_pm_state,
    .state_version = 1,
    .realize = piix4_pm_realize,
    .unrealize = piix4_pm_unrealize,
    .reset_enter = piix4_pm_reset_enter,
    .reset_hold = piix4_pm_reset_hold,
    .post_load = piix4_pm_post_load,
};

Device *piix4_pm_new(PciBus *bus, const Piix4PmWiring *w)
{
    Piix4Pm *s = (Piix4Pm *)pci_device_new(&piix4_pm_class, bus, PCI_DEVFN(1, 3), NULL);

    s->w = *w;
    return &s->pci.dev;
}
