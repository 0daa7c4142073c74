/* SPDX-License-Identifier: MIT */
/*
 * The watchdog of Intel's 6300ESB I/O controller hub: two stages of 20 bits, the first of which may
 * interrupt, the second of which ends in the action that the user chose. Spec: Intel 6300ESB data
 * sheet (300641), chapter 18.
 *
 * Registers in memory are written after 0x80 and 0x86 have been written to RELOAD.
 * The first stage's interrupt goes to pin 10 of the hub's second I/O APIC, which no board of ours
 * has: its status bit is set, nobody hears of it. Its SMI is one. Missing: toggling the WDT_TOUT
 * pin.
 */
#include "hw/i6300esb.h"

#include "softmmu/log.h"

#define PCI_HZ        33000000
#define PRELOAD_MASK  0xfffff
#define CFG_CONFIG    0x60
#define CFG_LOCK      0x68
#define UNLOCK_FIRST  0x80
#define UNLOCK_SECOND 0x86

enum {
    CONFIG_INT_TYPE = 3 << 0,
    CONFIG_INT_SMI = 2,
    CONFIG_INT_NONE = 3,
    INTSTAT_ACTIVE = 1,
    CONFIG_FAST = 1 << 2,     /* 1 MHz, else 1 kHz */
    CONFIG_NO_RESET = 1 << 5, /* the second stage has no effect */
    LOCK_LOCKED = 1 << 0,
    LOCK_ENABLED = 1 << 1,
    LOCK_FREE_RUN = 1 << 2,
    RELOAD_PING = 1 << 8,
    RELOAD_TIMEOUT = 1 << 9,
};

typedef struct I6300esb {
    PciDevice pci; /* .dev.io: the registers in memory */
    Clock *clock;
    void (*expired)(void *opaque);
    void *opaque;
    const Irq *smi;
    Timer *timer;
    /* state */
    uint32_t intstat;
    uint32_t preload[2];
    uint8_t stage;  /* that counts: 1 or 2 */
    uint8_t unlock; /* how many steps of it were made */
    bool rebooted;  /* the last reset was this one's; no reset of the machine forgets it */
} I6300esb;

static unsigned lock_bits(const I6300esb *s)
{
    return pci_get_config(&s->pci, CFG_LOCK, 1);
}

static unsigned config_bits(const I6300esb *s)
{
    return pci_get_config(&s->pci, CFG_CONFIG, 2);
}

static void start_stage(I6300esb *s, unsigned stage)
{
    unsigned shift = config_bits(s) & CONFIG_FAST ? 5 : 15;
    uint64_t ticks = (uint64_t)MAX(s->preload[stage - 1], 1) << shift;

    s->stage = stage;
    timer_set(s->timer, clock_now_ns(s->clock) + clock_ticks_to_ns(ticks, PCI_HZ));
}

static void start_or_stop(I6300esb *s)
{
    if (lock_bits(s) & LOCK_ENABLED)
        start_stage(s, 1);
    else
        timer_cancel(s->timer);
}

static void end_first_stage(I6300esb *s, unsigned type)
{
    if (type == CONFIG_INT_NONE)
        return;
    s->intstat = INTSTAT_ACTIVE;
    if (type == CONFIG_INT_SMI) {
        irq_set(s->smi, 1);
        irq_set(s->smi, 0);
    } else {
        log_unimp("i6300esb: the first stage's interrupt goes to an I/O APIC that is not there\n");
    }
}

static void run_out(void *opaque)
{
    I6300esb *s = opaque;

    if (s->stage == 1) {
        end_first_stage(s, config_bits(s) & CONFIG_INT_TYPE);
        start_stage(s, lock_bits(s) & LOCK_FREE_RUN ? 1 : 2);
        return;
    }
    if (config_bits(s) & CONFIG_NO_RESET) {
        start_stage(s, 1);
        return;
    }
    s->rebooted = true;
    s->expired(s->opaque);
}

/* ---- Registers --------------------------------------------------------------------------------
 */

static void preload_write(Device *dev, const RegDesc *r, uint64_t value)
{
    I6300esb *s = (I6300esb *)dev;

    if (s->unlock == 2)
        s->preload[r->off / 4] = value & PRELOAD_MASK;
    s->unlock = 0;
}

static uint64_t reload_read(Device *dev, const RegDesc *r)
{
    return ((I6300esb *)dev)->rebooted ? RELOAD_TIMEOUT : 0;
}

static void reload_write(Device *dev, const RegDesc *r, uint64_t value)
{
    I6300esb *s = (I6300esb *)dev;

    if (value == UNLOCK_FIRST) {
        s->unlock = 1;
        return;
    }
    if (value == UNLOCK_SECOND && s->unlock == 1) {
        s->unlock = 2;
        return;
    }
    if (s->unlock == 2 && (value & RELOAD_TIMEOUT))
        s->rebooted = false;
    if (s->unlock == 2 && (value & RELOAD_PING))
        start_or_stop(s);
    s->unlock = 0;
}

/* clang-format off */
static const RegDesc i6300esb_regs[] = {
    { 0x00, "PRELOAD1", 4, REG_FIELD(I6300esb, preload[0]), PRELOAD_MASK, .write = preload_write },
    { 0x04, "PRELOAD2", 4, REG_FIELD(I6300esb, preload[1]), PRELOAD_MASK, .write = preload_write },
    { 0x08, "INTSTAT",  4, REG_FIELD(I6300esb, intstat), .w1c = INTSTAT_ACTIVE },
    { 0x0c, "RELOAD",   4, .read = reload_read, .write = reload_write },
    { 0 },
};
/* clang-format on */

static void config_wrote(PciDevice *d, unsigned off, unsigned len)
{
    I6300esb *s = (I6300esb *)d;

    if (off > CFG_LOCK || off + len <= CFG_LOCK)
        return;
    if (lock_bits(s) & LOCK_LOCKED)
        d->writable[CFG_LOCK] = 0; /* until a reset */
    start_or_stop(s);
}

/* ---- Life -------------------------------------------------------------------------------------
 */

static void open_lock(I6300esb *s)
{
    s->pci.writable[CFG_LOCK] =
        lock_bits(s) & LOCK_LOCKED ? 0 : LOCK_LOCKED | LOCK_ENABLED | LOCK_FREE_RUN;
}

static bool i6300esb_realize(Device *dev, GError **error)
{
    I6300esb *s = (I6300esb *)dev;
    const PciIdentity id = { .vendor = 0x8086, .device = 0x25ab, .class_code = 0x088000 };

    if (!pci_device_attach(&s->pci, &id, error))
        return false;
    pci_set_config(&s->pci, CFG_CONFIG, 2, 0, CONFIG_INT_TYPE | CONFIG_FAST | CONFIG_NO_RESET);
    pci_set_config(&s->pci, CFG_LOCK, 1, 0, 0);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32, &dev->io);
    s->pci.config_wrote = config_wrote;
    s->timer = timer_new(s->clock, run_out, s);
    return true;
}

static void i6300esb_unrealize(Device *dev)
{
    I6300esb *s = (I6300esb *)dev;

    pci_device_detach(&s->pci);
    timer_free(s->timer);
}

static void i6300esb_reset_enter(Device *dev)
{
    I6300esb *s = (I6300esb *)dev;

    pci_device_reset(dev);
    timer_cancel(s->timer);
    s->stage = 1;
    s->unlock = 0;
    open_lock(s);
}

static void i6300esb_post_load(Device *dev)
{
    I6300esb *s = (I6300esb *)dev;

    pci_device_post_load(dev);
    open_lock(s);
    s->stage = s->stage == 2 ? 2 : 1;
}

static const StateField i6300esb_state[] = {
    STATE_STRUCT(I6300esb, pci, pci_device_state),
    STATE_ARRAY(I6300esb, preload, STATE_T_U32),
    STATE_U32(I6300esb, intstat),
    STATE_U8(I6300esb, stage),
    STATE_U8(I6300esb, unlock),
    STATE_BOOL(I6300esb, rebooted),
    STATE_TIMER(I6300esb, timer),
    STATE_END,
};

const DeviceClass i6300esb_class = {
    .name = "i6300esb",
    .desc = "Intel 6300ESB watchdog",
    .size = sizeof(I6300esb),
    .regs = i6300esb_regs,
    .state = i6300esb_state,
    .state_version = 2,
    .realize = i6300esb_realize,
    .unrealize = i6300esb_unrealize,
    .plug = pci_device_plug,
    .reset_enter = i6300esb_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = i6300esb_post_load,
};

Device *i6300esb_new(PciBus *bus, int devfn, Clock *clock, const Irq *smi,
                     void (*expired)(void *opaque), void *opaque)
{
    I6300esb *s = (I6300esb *)pci_device_new(&i6300esb_class, bus, devfn, NULL);

    s->clock = clock;
    s->smi = smi;
    s->expired = expired;
    s->opaque = opaque;
    return &s->pci.dev;
}
