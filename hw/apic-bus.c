/* SPDX-License-Identifier: MIT */
/*
 * The local APICs together: destinations of messages, the register page, MSRs, MSI addresses.
 * Spec: Intel SDM volume 3, chapter "APIC": "Determining IPI destination", "Message signalled
 * interrupts", "x2APIC".
 *
 * Lowest priority goes to the APIC with the lowest PPR, the first of them where several tie.
 */
#include "hw/apic-internal.h"

#include "softmmu/log.h"
#include "softmmu/trace.h"

#define MSI_WINDOW_SIZE 0x100000
#define WINDOW_PRIORITY 0x1000 /* above all that a BAR may lay there */

/* ---- Destinations ---------------------------------------------------------------------------- */

static bool matches_physical(const Apic *a, const ApicMessage *msg)
{
    uint32_t broadcast = msg->dest_is_x2apic ? 0xffffffffu : 0xff;

    if (msg->dest == broadcast)
        return true;
    return msg->dest == (apic_is_x2apic(a) ? a->initial_id : a->id);
}

static bool matches_logical(const Apic *a, const ApicMessage *msg)
{
    uint8_t ldr = a->ldr >> 24;

    if (msg->dest == (msg->dest_is_x2apic ? 0xffffffffu : 0xff))
        return true;
    if (apic_is_x2apic(a))
        return msg->dest >> 16 == a->initial_id >> 4 &&
               (msg->dest & 0xffff & 1u << (a->initial_id & 15));
    if (msg->dest > 0xff)
        return false;
    if (a->dfr >> 28 == 0xf) /* flat */
        return ldr & msg->dest;
    return ldr >> 4 == msg->dest >> 4 && (ldr & msg->dest & 0xf);
}

static bool matches(const Apic *a, Apic *sender, ApicShorthand to, const ApicMessage *msg)
{
    const CpuBus *cpus = a->set->cpus;

    if (!cpus->is_present(cpus->opaque, a->index))
        return false;
    switch (to) {
    case APIC_TO_DEST: return msg->logical ? matches_logical(a, msg) : matches_physical(a, msg);
    case APIC_TO_SELF: return a == sender;
    case APIC_TO_ALL: return true;
    case APIC_TO_OTHERS: return a != sender;
    }
    g_assert_not_reached();
}

static void send_lowest(ApicSet *s, Apic *sender, ApicShorthand to, const ApicMessage *msg)
{
    Apic *best = NULL;

    for (unsigned i = 0; i < s->count; i++) {
        Apic *a = s->apic[i];

        if (!apic_is_enabled(a) || !matches(a, sender, to, msg))
            continue;
        if (!best || apic_ppr(a) >> 4 < apic_ppr(best) >> 4)
            best = a;
    }
    if (best)
        apic_accept(best, msg);
}

void apic_set_send(ApicSet *s, Apic *sender, ApicShorthand to, const ApicMessage *msg)
{
    trace(apic_deliver_irq, "dest %u dest_mode %d delivery_mode %d vector %d shorthand %d",
          msg->dest, msg->logical, msg->delivery, msg->vector, to);
    if (msg->delivery == APIC_LOWEST) {
        send_lowest(s, sender, to, msg);
        return;
    }
    for (unsigned i = 0; i < s->count; i++) {
        if (matches(s->apic[i], sender, to, msg))
            apic_accept(s->apic[i], msg);
    }
}

static void bus_deliver(void *opaque, const ApicMessage *msg)
{
    apic_set_send(opaque, NULL, APIC_TO_DEST, msg);
}

void apic_set_msi(Device *apics, uint64_t addr, uint32_t data)
{
    ApicMessage msg = {
        .dest = addr >> 12 & 0xff,
        .logical = addr & 4,
        .delivery = data >> 8 & 7,
        .vector = data & 0xff,
        .level = data >> 15 & 1,
    };

    /* The redirection hint asks for one of the destinations. */
    if ((addr & 8) && msg.logical && msg.delivery == APIC_FIXED)
        msg.delivery = APIC_LOWEST;
    bus_deliver(apics, &msg);
}

/* ---- The window: the page of the accessing CPU, then MSI addresses ----------------------------
 */

static bool is_msi(uint64_t addr)
{
    return addr >= 0x1000 || addr < 0x10;
}

static Apic *current_apic(ApicSet *s)
{
    unsigned n = s->cpus->current(s->cpus->opaque);

    g_assert(n < s->count);
    return s->apic[n];
}

static uint64_t window_read(void *opaque, uint64_t addr, unsigned size)
{
    Apic *a = current_apic(opaque);
    uint32_t value;

    if (addr >= 0x1000 || !apic_is_on(a) || apic_is_x2apic(a))
        return UINT32_MAX;
    if (addr & 0xf)
        return 0;
    if (!apic_reg_read(a, addr, &value)) {
        apic_error(a, APIC_ESR_ILLEGAL_REGISTER);
        return 0;
    }
    trace(apic_mem_readl, "addr 0x%x = 0x%08x", (unsigned)addr, value);
    return value;
}

static void window_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ApicSet *s = opaque;
    Apic *a;

    if (is_msi(addr)) {
        apic_set_msi(&s->dev, APIC_DEFAULT_BASE + addr, value);
        return;
    }
    a = current_apic(s);
    if (!apic_is_on(a) || apic_is_x2apic(a))
        return;
    trace(apic_mem_writel, "addr 0x%x = 0x%08x", (unsigned)addr, (unsigned)value);
    if (size != 4 || (addr & 0xf))
        log_guest_error("apic: %u-byte write at offset %#x\n", size, (unsigned)addr);
    else if (!apic_reg_write(a, addr, value))
        apic_error(a, APIC_ESR_ILLEGAL_REGISTER);
}

static const MemOps window_ops = { window_read, window_write, 4, 4 };

/* ---- MSRs -------------------------------------------------------------------------------------
 */

#define MSR_APIC_BASE  0x1b
#define MSR_X2APIC     0x800
#define MSR_X2APIC_END 0x83f

static Apic *nth(void *opaque, unsigned n)
{
    ApicSet *s = opaque;

    g_assert(n < s->count);
    return s->apic[n];
}

bool apic_set_read_msr(void *opaque, unsigned n, uint32_t msr, uint64_t *value)
{
    Apic *a = nth(opaque, n);
    unsigned offset = (msr - MSR_X2APIC) << 4;
    uint32_t low;

    if (msr == MSR_APIC_BASE) {
        *value = a->base;
        return true;
    }
    if (msr < MSR_X2APIC || msr > MSR_X2APIC_END || !apic_is_x2apic(a))
        return false;
    if (offset == APIC_REG_ICR_LOW) {
        *value = a->icr;
        return true;
    }
    if (!apic_reg_read(a, offset, &low))
        return false;
    *value = low;
    return true;
}

/* Bits of an x2APIC register that may be written as 1; 0 also for read-only and absent ones. */
static uint64_t x2apic_valid_bits(unsigned offset)
{
    switch (offset) {
    case APIC_REG_TPR:
    case APIC_REG_SELF_IPI: return 0xff;
    case APIC_REG_SVR: return 0x1ff;
    case APIC_REG_ICR_LOW: return 0xffffffff000ccfffull;
    case APIC_REG_INITIAL_COUNT: return 0xffffffff;
    case APIC_REG_DIVIDE: return 0xb;
    }
    return offset >= APIC_REG_LVT_TIMER && offset <= APIC_REG_LVT_ERROR ? 0x7ffff : 0;
}

static bool x2apic_is_writable(unsigned offset)
{
    return offset == APIC_REG_EOI || offset == APIC_REG_ESR || x2apic_valid_bits(offset);
}

bool apic_set_write_msr(void *opaque, unsigned n, uint32_t msr, uint64_t value)
{
    Apic *a = nth(opaque, n);
    unsigned offset = (msr - MSR_X2APIC) << 4;

    if (msr == MSR_APIC_BASE)
        return apic_base_write(a, value);
    if (msr < MSR_X2APIC || msr > MSR_X2APIC_END || !apic_is_x2apic(a))
        return false;
    if (!x2apic_is_writable(offset) || (value & ~x2apic_valid_bits(offset)))
        return false;
    if (offset == APIC_REG_ICR_LOW) {
        a->icr = value;
        apic_icr_write(a, value);
        return true;
    }
    if (offset == APIC_REG_SELF_IPI) {
        apic_icr_write(a, value | (uint64_t)APIC_TO_SELF << 18);
        return true;
    }
    return apic_reg_write(a, offset, value);
}

/* ---- What the CPU asks ------------------------------------------------------------------------
 */

int apic_set_acknowledge(void *opaque, unsigned n)
{
    return apic_acknowledge(nth(opaque, n));
}

uint8_t apic_set_get_tpr(void *opaque, unsigned n)
{
    return nth(opaque, n)->tpr;
}

void apic_set_set_tpr(void *opaque, unsigned n, uint8_t tpr)
{
    Apic *a = nth(opaque, n);

    a->tpr = tpr;
    apic_update(a);
}

void apic_set_set_tsc_deadline(void *opaque, unsigned n, int64_t deadline_ns)
{
    apic_tsc_deadline(nth(opaque, n), deadline_ns);
}

bool apic_set_has_tsc_deadline(void *opaque, unsigned n)
{
    return apic_has_tsc_deadline(nth(opaque, n));
}

void apic_set_reset(void *opaque, unsigned n, bool init)
{
    Apic *a = nth(opaque, n);

    apic_reset_registers(a, init);
    a->intr = false;
    a->set->cpus->set_intr(a->set->cpus->opaque, n, 0);
    apic_update(a);
}

/* ---- Wiring and life ---------------------------------------------------------------------------
 */

static void lint_set(void *opaque, int pin, int level)
{
    ApicSet *s = opaque;
    bool rising = level && !s->lint_level[pin];

    if (s->lint_level[pin] == !!level)
        return;
    s->lint_level[pin] = level;
    for (unsigned i = 0; i < s->count; i++)
        if (s->cpus->is_present(s->cpus->opaque, i))
            apic_lint_changed(s->apic[i], pin, rising);
}

const ApicBus *apic_set_bus(Device *apics)
{
    return &((ApicSet *)apics)->bus;
}

Irq *apic_set_lint0(Device *apics)
{
    return &((ApicSet *)apics)->lint[0];
}

Irq *apic_set_lint1(Device *apics)
{
    return &((ApicSet *)apics)->lint[1];
}

void apic_set_connect_extint(Device *apics, int (*acknowledge)(void *opaque), void *opaque)
{
    ApicSet *s = (ApicSet *)apics;

    s->acknowledge = acknowledge;
    s->acknowledge_opaque = opaque;
}

void apic_set_connect_eoi(Device *apics, void (*eoi)(void *opaque, uint8_t vector), void *opaque)
{
    ApicSet *s = (ApicSet *)apics;

    s->eoi = eoi;
    s->eoi_opaque = opaque;
}

static bool apic_set_realize(Device *dev, GError **error)
{
    ApicSet *s = (ApicSet *)dev;

    memory_init_io(&s->window, "apic-msi", &window_ops, s, MSI_WINDOW_SIZE);
    memory_add(s->memory, APIC_DEFAULT_BASE, WINDOW_PRIORITY, &s->window);
    for (unsigned i = 0; i < s->count; i++) {
        s->apic[i]->initial_id = s->cpus->apic_id(s->cpus->opaque, i);
        if (!device_realize(&s->apic[i]->dev, error))
            return false;
    }
    return true;
}

static void apic_set_unrealize(Device *dev)
{
    ApicSet *s = (ApicSet *)dev;

    memory_remove(&s->window);
    memory_destroy(&s->window);
}

static void apic_set_reset_enter(Device *dev)
{
    ApicSet *s = (ApicSet *)dev;

    s->lint_level[0] = s->lint_level[1] = false;
}

static const StateField apic_set_state[] = {
    STATE_ARRAY(ApicSet, lint_level, STATE_T_BOOL),
    STATE_END,
};

const DeviceClass apic_set_class = {
    .name = "apics",
    .desc = "local APICs and the bus between them",
    .size = sizeof(ApicSet),
    .state = apic_set_state,
    .state_version = 1,
    .realize = apic_set_realize,
    .unrealize = apic_set_unrealize,
    .reset_enter = apic_set_reset_enter,
};

Device *apic_set_new(Device *parent, const CpuBus *cpus, Clock *clock, MemRegion *memory)
{
    ApicSet *s = (ApicSet *)device_new(&apic_set_class, parent, NULL);

    g_assert(cpus->count && cpus->count <= APIC_MAX_CPUS);
    s->cpus = cpus;
    s->clock = clock;
    s->memory = memory;
    s->bus = (ApicBus){ bus_deliver, s };
    s->count = cpus->count;
    irq_init(s->lint, 2, lint_set, s);
    for (unsigned i = 0; i < s->count; i++) {
        Apic *a = (Apic *)device_new(&apic_class, &s->dev, NULL);

        a->set = s;
        a->index = i;
        s->apic[i] = a;
    }
    return &s->dev;
}

void apic_set_print(Device *apics, unsigned n, GString *out)
{
    apic_print(nth(apics, n), out);
}
