/* SPDX-License-Identifier: MIT */
/*
 * edu: a PCI device to learn drivers by: it negates, computes factorials, copies, and interrupts.
 * Spec: "EDU device". A factorial takes FACTORIAL_NS and a copy COPY_NS of virtual time.
 * A copy outside of the device's buffer is refused and logged.
 */
#include "hw/edu.h"

#include <string.h>

#include "hw/msi.h"
#include "softmmu/log.h"

#define BAR_BYTES    0x100000
#define BUFFER_AT    0x40000
#define BUFFER_BYTES 4096
#define MSI_CAP      0x40
#define FACTORIAL_NS 1000
#define COPY_NS      100000

enum { STATUS_COMPUTING = 0x01, STATUS_IRQ = 0x80 };
enum { IRQ_FACTORIAL = 0x001, IRQ_DMA = 0x100 };
enum { DMA_RUN = 1, DMA_TO_RAM = 2, DMA_IRQ = 4 };

typedef struct Edu {
    PciDevice pci; /* .dev.io: its registers */
    EduWiring w;
    Timer *factorial_done, *copy_done;
    /* state */
    uint32_t liveness, factorial, status, interrupts;
    uint64_t dma_source, dma_target, dma_count, dma_command;
    uint8_t buffer[BUFFER_BYTES];
} Edu;

/* ---- Interrupts -------------------------------------------------------------------------------
 */

static void interrupt(Edu *s, uint32_t bits)
{
    s->interrupts |= bits;
    if (!s->interrupts)
        return;
    if (msi_enabled(&s->pci, MSI_CAP))
        msi_notify(&s->pci, MSI_CAP);
    else
        pci_set_irq(&s->pci, 1);
}

static void raise_write(Device *dev, const RegDesc *r, uint64_t value)
{
    interrupt((Edu *)dev, value);
}

static void acknowledge_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Edu *s = (Edu *)dev;

    s->interrupts &= ~value;
    if (!s->interrupts)
        pci_set_irq(&s->pci, 0);
}

/* ---- What it does -----------------------------------------------------------------------------
 */

static uint64_t liveness_read(Device *dev, const RegDesc *r)
{
    return (uint32_t) ~((Edu *)dev)->liveness;
}

static void factorial_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Edu *s = (Edu *)dev;

    if (s->status & STATUS_COMPUTING)
        return;
    s->factorial = value;
    s->status |= STATUS_COMPUTING;
    timer_set(s->factorial_done, clock_now_ns(s->w.clock) + FACTORIAL_NS);
}

/* Modulo 2^32 it is 0 from 34 on. */
static void compute(void *opaque)
{
    Edu *s = opaque;
    uint32_t result = s->factorial < 34 ? 1 : 0;

    for (uint32_t n = s->factorial; n > 1 && n < 34; n--)
        result *= n;
    s->factorial = result;
    s->status &= ~STATUS_COMPUTING;
    if (s->status & STATUS_IRQ)
        interrupt(s, IRQ_FACTORIAL);
}

static void command_write(Device *dev, const RegDesc *r, uint64_t value)
{
    Edu *s = (Edu *)dev;

    if (s->dma_command & DMA_RUN)
        return;
    s->dma_command = value;
    if (value & DMA_RUN)
        timer_set(s->copy_done, clock_now_ns(s->w.clock) + COPY_NS);
}

/* Where in the buffer @addr and what follows lie; NULL: not in it as a whole. */
static uint8_t *buffer_at(Edu *s, uint64_t addr)
{
    uint64_t at = addr - BUFFER_AT;

    if (at < BUFFER_BYTES && s->dma_count <= BUFFER_BYTES - at)
        return s->buffer + at;
    log_guest_error("edu: DMA beyond the buffer\n");
    return NULL;
}

static void copy(void *opaque)
{
    Edu *s = opaque;
    bool to_ram = s->dma_command & DMA_TO_RAM;
    uint8_t *p = buffer_at(s, to_ram ? s->dma_source : s->dma_target);
    uint64_t ram = (to_ram ? s->dma_target : s->dma_source) & s->w.dma_mask;
    bool may = pci_get_config(&s->pci, PCI_COMMAND, 2) & PCI_COMMAND_MASTER;

    if (p && may && to_ram)
        address_space_write_bytes(s->w.memory, ram, p, s->dma_count);
    else if (p && may)
        address_space_read_bytes(s->w.memory, ram, p, s->dma_count);
    s->dma_command &= ~(uint64_t)DMA_RUN;
    if (s->dma_command & DMA_IRQ)
        interrupt(s, IRQ_DMA);
}

/* clang-format off */
static const RegDesc edu_regs[] = {
    { 0x00, "ID",        4, 0, 0x010000ed },
    { 0x04, "LIVENESS",  4, REG_FIELD(Edu, liveness), UINT32_MAX, UINT32_MAX, .read = liveness_read },
    { 0x08, "FACTORIAL", 4, REG_FIELD(Edu, factorial), .write = factorial_write },
    { 0x20, "STATUS",    4, REG_FIELD(Edu, status), 0, STATUS_IRQ },
    { 0x24, "INTERRUPT", 4, REG_FIELD(Edu, interrupts) },
    { 0x60, "RAISE",     4, .write = raise_write },
    { 0x64, "ACK",       4, .write = acknowledge_write },
    { 0x80, "DMA_SRC",   8, REG_FIELD(Edu, dma_source), 0, UINT64_MAX },
    { 0x88, "DMA_DST",   8, REG_FIELD(Edu, dma_target), 0, UINT64_MAX },
    { 0x90, "DMA_COUNT", 8, REG_FIELD(Edu, dma_count),  0, UINT64_MAX },
    { 0x98, "DMA_CMD",   8, REG_FIELD(Edu, dma_command), .write = command_write },
    { 0 },
};
/* clang-format on */

/* ---- Life -------------------------------------------------------------------------------------
 */

static bool edu_realize(Device *dev, GError **error)
{
    Edu *s = (Edu *)dev;
    const PciIdentity id = {
        .vendor = 0x1234,
        .device = 0x11e8,
        .revision = 0x10,
        .class_code = 0x00ff00,
        .interrupt_pin = 1,
    };

    if (!pci_device_attach(&s->pci, &id, error))
        return false;
    pci_set_config(&s->pci, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES, 0);
    pci_set_config(&s->pci, PCI_CAP_POINTER, 1, MSI_CAP, 0);
    msi_init(&s->pci, MSI_CAP, 0);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32, &dev->io);
    s->factorial_done = timer_new(s->w.clock, compute, s);
    s->copy_done = timer_new(s->w.clock, copy, s);
    return true;
}

static void edu_unrealize(Device *dev)
{
    Edu *s = (Edu *)dev;

    pci_device_detach(&s->pci);
    timer_free(s->factorial_done);
    timer_free(s->copy_done);
}

static void edu_reset_enter(Device *dev)
{
    Edu *s = (Edu *)dev;

    pci_device_reset(dev);
    timer_cancel(s->factorial_done);
    timer_cancel(s->copy_done);
    memset(s->buffer, 0, sizeof(s->buffer));
}

static const StateField edu_state[] = {
    STATE_STRUCT(Edu, pci, pci_device_state),
    STATE_U32(Edu, liveness),
    STATE_U32(Edu, factorial),
    STATE_U32(Edu, status),
    STATE_U32(Edu, interrupts),
    STATE_U64(Edu, dma_source),
    STATE_U64(Edu, dma_target),
    STATE_U64(Edu, dma_count),
    STATE_U64(Edu, dma_command),
    STATE_BYTES(Edu, buffer),
    STATE_TIMER(Edu, factorial_done),
    STATE_TIMER(Edu, copy_done),
    STATE_END,
};

const DeviceClass edu_class = {
    .name = "edu",
    .desc = "device to learn drivers by",
    .size = sizeof(Edu),
    .regs = edu_regs,
    .state = edu_state,
    .state_version = 1,
    .realize = edu_realize,
    .unrealize = edu_unrealize,
    .plug = pci_device_plug,
    .reset_enter = edu_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = pci_device_post_load,
};

Device *edu_new(PciBus *bus, int devfn, const EduWiring *w)
{
    Edu *s = (Edu *)pci_device_new(&edu_class, bus, devfn, NULL);

    s->w = *w;
    s->pci.dev.io.size = BAR_BYTES;
    return &s->pci.dev;
}
