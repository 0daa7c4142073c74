/* SPDX-License-Identifier: MIT */
/*
 * The I/O APIC: 24 pins, a redirection entry for each, messages to the local APICs.
 * Spec: Intel 82093AA data sheet (290566), and the EOI register of version 0x20 (ICH).
 *
 * Lines carry "asserted", so the polarity bit is stored but has nothing to invert. Delivery status
 * reads 0: a message is never held back. Edges at a masked pin are lost, as the data sheet says.
 */
#include "hw/ioapic.h"

#include "softmmu/log.h"
#include "softmmu/trace.h"

#define VERSION     0x20
#define REG_ID      0x00
#define REG_VERSION 0x01
#define REG_ARB     0x02
#define REG_REDIR   0x10

#define REDIR_LOW        (1ull << 13)
#define REDIR_REMOTE_IRR (1ull << 14)
#define REDIR_LEVEL      (1ull << 15)
#define REDIR_MASKED     (1ull << 16)
#define REDIR_LOGICAL    (1ull << 11)
#define REDIR_WRITABLE   0xff0000000001afffull

typedef struct Ioapic {
    Device dev;
    MemRegion *memory, window;
    uint64_t base;
    const ApicBus *bus;
    Irq input[IOAPIC_PINS];
    uint64_t sent[IOAPIC_PINS]; /* by this process, for the user: no state */
    uint8_t id, select;
    uint32_t lines; /* levels of the pins */
    uint64_t redir[IOAPIC_PINS];
} Ioapic;

static void send(Ioapic *s, unsigned pin)
{
    uint64_t entry = s->redir[pin];
    ApicMessage msg = {
        .dest = entry >> 56,
        .logical = entry & REDIR_LOGICAL,
        .delivery = (entry >> 8) & 7,
        .vector = entry & 0xff,
        .level = entry & REDIR_LEVEL,
    };

    /* SMI, NMI, INIT and ExtINT are edge triggered whatever the entry says. */
    if (msg.delivery != APIC_FIXED && msg.delivery != APIC_LOWEST)
        msg.level = false;
    if (msg.level)
        s->redir[pin] |= REDIR_REMOTE_IRR;
    s->sent[pin]++;
    s->bus->deliver(s->bus->opaque, &msg);
}

const uint64_t *ioapic_sent(const Device *ioapic)
{
    return ((const Ioapic *)ioapic)->sent;
}

/* Send for a level triggered pin that is asserted and not waiting for an EOI. */
static void service_level(Ioapic *s, unsigned pin)
{
    uint64_t entry = s->redir[pin];

    if ((s->lines & (1u << pin)) && (entry & REDIR_LEVEL) &&
        !(entry & (REDIR_MASKED | REDIR_REMOTE_IRR)))
        send(s, pin);
}

static void input_set(void *opaque, int pin, int level)
{
    Ioapic *s = opaque;
    uint32_t bit = 1u << pin;
    bool rising = level && !(s->lines & bit);

    trace(ioapic_set_irq, "vector: %d level: %d", pin, level);
    s->lines = level ? s->lines | bit : s->lines & ~bit;
    if (s->redir[pin] & REDIR_LEVEL)
        service_level(s, pin);
    else if (rising && !(s->redir[pin] & REDIR_MASKED))
        send(s, pin);
}

void ioapic_eoi(void *opaque, uint8_t vector)
{
    Ioapic *s = opaque;

    trace(ioapic_eoi, "vector: %d", vector);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if ((s->redir[pin] & 0xff) != vector || !(s->redir[pin] & REDIR_REMOTE_IRR))
            continue;
        s->redir[pin] &= ~REDIR_REMOTE_IRR;
        service_level(s, pin);
    }
}

Irq *ioapic_input(Device *ioapic, unsigned pin)
{
    g_assert(pin < IOAPIC_PINS);
    return &((Ioapic *)ioapic)->input[pin];
}

/* ---- Registers ------------------------------------------------------------------------------ */

static uint32_t reg_read(Ioapic *s)
{
    unsigned n = s->select - REG_REDIR;

    switch (s->select) {
    case REG_ID:
    case REG_ARB: return (uint32_t)s->id << 24;
    case REG_VERSION: return (IOAPIC_PINS - 1) << 16 | VERSION;
    }
    if (s->select >= REG_REDIR && n < 2 * IOAPIC_PINS)
        return s->redir[n / 2] >> (n & 1 ? 32 : 0);
    log_guest_error("ioapic: read of register %#x\n", s->select);
    return 0;
}

static void redir_write(Ioapic *s, unsigned pin, uint64_t value, uint64_t mask)
{
    uint64_t *entry = &s->redir[pin];

    mask &= REDIR_WRITABLE;
    *entry = (*entry & ~mask) | (value & mask);
    /* Going through edge mode is how version 0x11 software clears a stuck Remote IRR. */
    if (!(*entry & REDIR_LEVEL))
        *entry &= ~REDIR_REMOTE_IRR;
    service_level(s, pin);
}

static void reg_write(Ioapic *s, uint32_t value)
{
    unsigned n = s->select - REG_REDIR;

    if (s->select == REG_ID) {
        s->id = (value >> 24) & 0xf;
    } else if (s->select >= REG_REDIR && n < 2 * IOAPIC_PINS) {
        if (n & 1)
            redir_write(s, n / 2, (uint64_t)value << 32, 0xffffffff00000000ull);
        else
            redir_write(s, n / 2, value, 0xffffffffull);
    } else {
        log_guest_error("ioapic: write of register %#x\n", s->select);
    }
}

static uint64_t window_read(void *opaque, uint64_t addr, unsigned size)
{
    Ioapic *s = opaque;

    switch (addr & 0xff) {
    case 0x00: return s->select;
    case 0x10: return reg_read(s);
    }
    return 0;
}

static void window_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Ioapic *s = opaque;

    switch (addr & 0xff) {
    case 0x00: s->select = value; break;
    case 0x10:
        if (size == 4)
            reg_write(s, value);
        else
            log_guest_error("ioapic: data window written with %u bytes\n", size);
        break;
    case 0x40: ioapic_eoi(s, value); break;
    }
}

static const MemOps window_ops = { window_read, window_write, 4, 4 };

/* ---- Life ----------------------------------------------------------------------------------- */

static bool ioapic_realize(Device *dev, GError **error)
{
    Ioapic *s = (Ioapic *)dev;

    memory_init_io(&s->window, "ioapic", &window_ops, s, 0x1000);
    memory_add(s->memory, s->base, 0, &s->window);
    return true;
}

static void ioapic_unrealize(Device *dev)
{
    Ioapic *s = (Ioapic *)dev;

    memory_remove(&s->window);
    memory_destroy(&s->window);
}

static void ioapic_reset_enter(Device *dev)
{
    Ioapic *s = (Ioapic *)dev;

    s->id = s->select = 0;
    s->lines = 0;
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        s->redir[pin] = REDIR_MASKED;
}

static const StateField ioapic_state[] = {
    STATE_U8(Ioapic, id),
    STATE_U8(Ioapic, select),
    STATE_U32(Ioapic, lines),
    STATE_ARRAY(Ioapic, redir, STATE_T_U64),
    STATE_END,
};

const DeviceClass ioapic_class = {
    .name = "ioapic",
    .desc = "82093AA I/O APIC",
    .size = sizeof(Ioapic),
    .state = ioapic_state,
    .state_version = 1,
    .realize = ioapic_realize,
    .unrealize = ioapic_unrealize,
    .reset_enter = ioapic_reset_enter,
};

Device *ioapic_new(Device *parent, MemRegion *memory, uint64_t base, const ApicBus *bus)
{
    Ioapic *s = (Ioapic *)device_new(&ioapic_class, parent, NULL);

    s->memory = memory;
    s->base = base;
    s->bus = bus;
    irq_init(s->input, IOAPIC_PINS, input_set, s);
    return &s->dev;
}

static void print_pins(const char *what, uint32_t pins, GString *out)
{
    g_string_append(out, what);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        if (pins >> pin & 1)
            g_string_append_printf(out, " %u", pin);
    }
    g_string_append(out, pins ? "\n" : " (none)\n");
}

/* The lines that scripts know from QEMU. */
void ioapic_print(Device *ioapic, GString *out)
{
    static const char *const modes[] = { "fixed", "lowest", "SMI", "...",
                                         "NMI",   "INIT",   "...", "extINT" };
    Ioapic *s = (Ioapic *)ioapic;
    uint32_t remote = 0;

    g_string_append_printf(out, "ioapic0: ver=%#x id=0x%02x sel=0x%02x", VERSION, s->id, s->select);
    if (s->select >= 0x10)
        g_string_append_printf(out, " (redir[%u])", (s->select - 0x10u) >> 1);
    g_string_append_c(out, '\n');
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        uint64_t e = s->redir[pin];

        g_string_append_printf(
            out, "  pin %-2u %#018" G_GINT64_MODIFIER "x dest=%u vec=%-3u %s %-5s %-6s %-6s %s\n",
            pin, e, (unsigned)(e >> 56), (unsigned)(e & 0xff),
            e & REDIR_LOW ? "active-lo" : "active-hi", e & REDIR_LEVEL ? "level" : "edge",
            e & REDIR_MASKED ? "masked" : "", modes[e >> 8 & 7],
            e & REDIR_LOGICAL ? "logical" : "physical");
        remote |= e & REDIR_REMOTE_IRR ? 1u << pin : 0;
    }
    print_pins("  IRR     ", s->lines, out);
    print_pins("  Remote IRR", remote, out);
}
