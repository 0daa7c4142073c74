/* SPDX-License-Identifier: MIT */
/* Rings of virtio devices, and the registers by which a driver sets them up. */
#include "hw/virtio.h"

#include <string.h>

#include "hw/virtio-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

/* Structures, each of a page, and the capabilities that name them, the first last: what drivers
 * expect of the usual implementation, not the standard's rule. */
#define BAR_BYTES     0x4000
#define PART_BYTES    0x1000
#define AT_COMMON     0x0000
#define AT_ISR        0x1000
#define AT_CONFIG     0x2000
#define AT_NOTIFY     0x3000
#define NOTIFY_STRIDE 4
#define CAPS          0x40 /* of version 1 */
#define WINDOW        0x84 /* the last of them */
#define MODERN_MSIX   0x98
#define LEGACY_MSIX   0x40
#define MSIX_BAR      1
#define MODERN_BAR    4
#define F_INDIRECT    (UINT64_C(1) << 28)
#define F_VERSION_1   (UINT64_C(1) << 32)

enum { WINDOW_BAR = 4, WINDOW_OFFSET = 8, WINDOW_LENGTH = 12, WINDOW_DATA = 16 };
enum { DESC_NEXT = 1, DESC_WRITE = 2, DESC_INDIRECT = 4, DESC_BYTES = 16 };
enum { STATUS_FEATURES_OK = 8, STATUS_DRIVER_OK = 4, STATUS_NEEDS_RESET = 64 };
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };
enum { AVAIL_NO_INTERRUPT = 1 };
enum { CAP_COMMON = 1, CAP_NOTIFY, CAP_ISR, CAP_CONFIG, CAP_WINDOW };
/* A driver has no more than a ring of them on offer. One whose rings lie in each other, so that
 * what is given back is offered again, would keep the device for ever. */
#define CHAINS_AT_ONCE 0x10000
#define CHAIN_BYTES    (UINT64_C(1) << 32) /* 2.7.5.1: no chain is longer */

/* ---- Memory ---------------------------------------------------------------------------------- */

static uint64_t get(VirtioDevice *v, uint64_t addr, unsigned size)
{
    uint8_t raw[8];

    address_space_read_bytes(v->memory, addr, raw, size);
    return get_le(raw, size);
}

static void put(VirtioDevice *v, uint64_t addr, unsigned size, uint64_t value)
{
    uint8_t raw[8];

    put_le(raw, size, value);
    address_space_write_bytes(v->memory, addr, raw, size);
}

/* ---- Interrupt ------------------------------------------------------------------------------- */

static void update_irq(VirtioDevice *v)
{
    pci_set_irq(&v->pci, v->isr != 0 && !msix_enabled(&v->msix));
}

/* By the message for it, or the bit in the ISR register. */
static void interrupt(VirtioDevice *v, uint16_t vector, uint8_t isr)
{
    trace(virtio_notify, "%s vector %u isr 0x%x", v->pci.dev.klass->name, vector, isr);
    if (msix_enabled(&v->msix)) {
        trace(msix_notify, "%s vector %u", v->pci.dev.klass->name, vector);
        msix_notify(&v->msix, vector);
        return;
    }
    v->isr |= isr;
    update_irq(v);
}

uint16_t virtio_vector(const VirtioDevice *v, uint16_t asked)
{
    return asked < v->msix.vectors ? asked : VIRTIO_NO_VECTOR;
}

/* The driver did what the standard forbids: it is told, and nothing more happens. */
static void break_device(VirtioDevice *v)
{
    log_guest_error("%s: a chain of descriptors makes no sense\n", v->pci.dev.id);
    v->status |= STATUS_NEEDS_RESET;
    interrupt(v, v->config_vector, ISR_CONFIG);
}

void virtio_config_changed(VirtioDevice *v)
{
    if (v->status & STATUS_DRIVER_OK)
        interrupt(v, v->config_vector, ISR_CONFIG);
}

bool virtio_is_modern(const VirtioDevice *v)
{
    return v->driver_features & F_VERSION_1;
}

bool virtio_is_ready(const VirtioDevice *v)
{
    return (v->status & STATUS_DRIVER_OK) && !(v->status & STATUS_NEEDS_RESET);
}

/* ---- Rings ----------------------------------------------------------------------------------- */

typedef struct Table {
    uint64_t addr;
    uint32_t size;
} Table;

static bool add_part(VirtioChain *c, uint64_t addr, uint32_t len, bool write)
{
    unsigned *n = write ? &c->ins : &c->outs;

    if (*n == VIRTIO_MAX_PARTS || (!write && c->ins)) /* what is written comes last */
        return false;
    (write ? c->in : c->out)[(*n)++] = (VirtioPart){ addr, len };
    *(write ? &c->in_len : &c->out_len) += len;
    return c->in_len + c->out_len <= CHAIN_BYTES;
}

/* From descriptor @n of @t on; an indirect one leads to a table of its own, once. */
static bool walk(VirtioDevice *v, Table t, uint32_t n, bool nested, VirtioChain *c)
{
    for (uint32_t steps = 0; steps < t.size && n < t.size; steps++) {
        uint64_t at = t.addr + (uint64_t)n * DESC_BYTES, addr = get(v, at, 8);
        uint32_t len = get(v, at + 8, 4);
        uint16_t flags = get(v, at + 12, 2);

        if (flags & DESC_INDIRECT) {
            Table own = { addr, len / DESC_BYTES };
            return !nested && !(flags & DESC_NEXT) && own.size && own.size <= VIRTIO_MAX_PARTS &&
                   walk(v, own, 0, true, c);
        }
        if (!add_part(c, addr, len, flags & DESC_WRITE))
            return false;
        if (!(flags & DESC_NEXT))
            return true;
        n = get(v, at + 14, 2);
    }
    return false;
}

bool virtio_find(VirtioDevice *v, unsigned queue, uint16_t head, VirtioChain *c)
{
    const VirtioQueue *q = &v->queue[queue];

    c->head = head;
    c->outs = c->ins = 0;
    c->out_len = c->in_len = 0;
    return q->enabled && walk(v, (Table){ q->desc, q->size }, head, false, c);
}

bool virtio_has_chain(VirtioDevice *v, unsigned queue)
{
    const VirtioQueue *q = &v->queue[queue];

    return virtio_is_ready(v) && q->enabled && (uint16_t)get(v, q->driver + 2, 2) != q->taken;
}

bool virtio_take(VirtioDevice *v, unsigned queue, VirtioChain *c)
{
    VirtioQueue *q = &v->queue[queue];
    uint16_t head;

    if (!virtio_has_chain(v, queue))
        return false;
    head = get(v, q->driver + 4 + 2 * (q->taken & (q->size - 1)), 2);
    q->taken++;
    if ((!v->chains_left || --v->chains_left) && virtio_find(v, queue, head, c))
        return true;
    break_device(v);
    return false;
}

void virtio_give(VirtioDevice *v, unsigned queue, uint16_t head, uint32_t written)
{
    VirtioQueue *q = &v->queue[queue];
    uint16_t index;

    if (!q->enabled || !virtio_is_ready(v))
        return;
    index = get(v, q->device + 2, 2);
    put(v, q->device + 4 + 8 * (index & (q->size - 1)), 4, head);
    put(v, q->device + 8 + 8 * (index & (q->size - 1)), 4, written);
    put(v, q->device + 2, 2, (uint16_t)(index + 1));
    if (get(v, q->driver, 2) & AVAIL_NO_INTERRUPT)
        return;
    interrupt(v, q->vector, ISR_QUEUE);
}

typedef void MoveFunc(AddressSpace *as, uint64_t addr, uint8_t *buf, uint64_t len);

static void move_in(AddressSpace *as, uint64_t addr, uint8_t *buf, uint64_t len)
{
    address_space_read_bytes(as, addr, buf, len);
}

static void move_out(AddressSpace *as, uint64_t addr, uint8_t *buf, uint64_t len)
{
    address_space_write_bytes(as, addr, buf, len);
}

static uint64_t move(VirtioDevice *v, const VirtioPart *parts, unsigned count, uint64_t offset,
                     uint8_t *buf, uint64_t len, MoveFunc *func)
{
    uint64_t done = 0;

    for (unsigned i = 0; i < count && done < len; i++) {
        uint64_t n;

        if (offset >= parts[i].len) {
            offset -= parts[i].len;
            continue;
        }
        n = MIN(len - done, parts[i].len - offset);
        func(v->memory, parts[i].addr + offset, buf + done, n);
        done += n;
        offset = 0;
    }
    return done;
}

uint64_t virtio_read(VirtioDevice *v, const VirtioChain *c, uint64_t offset, void *buf,
                     uint64_t len)
{
    return move(v, c->out, c->outs, offset, buf, len, move_in);
}

uint64_t virtio_write(VirtioDevice *v, const VirtioChain *c, uint64_t offset, const void *buf,
                      uint64_t len)
{
    return move(v, c->in, c->ins, offset, (uint8_t *)buf, len, move_out);
}

/* ---- Common configuration -------------------------------------------------------------------- */

static const VirtioQueue fresh_queue = { .size = VIRTIO_RING_SIZE, .vector = VIRTIO_NO_VECTOR };

static void reset_transport(VirtioDevice *v)
{
    v->feature_select = v->driver_select = 0;
    v->driver_features = 0;
    v->status = v->isr = 0;
    v->queue_select = 0;
    memset(v->queue, 0, sizeof(v->queue));
    v->config_vector = VIRTIO_NO_VECTOR;
    for (unsigned i = 0; i < v->kind->queues; i++)
        v->queue[i] = fresh_queue;
    if (v->kind->reset)
        v->kind->reset(v);
}

uint64_t virtio_offered(const VirtioDevice *v)
{
    return v->kind->features | F_VERSION_1 | F_INDIRECT;
}

void virtio_write_status(VirtioDevice *v, uint8_t value)
{
    trace(virtio_set_status, "%s val %u", v->pci.dev.klass->name, value);
    if (!value) {
        reset_transport(v);
        update_irq(v);
        return;
    }
    /* A driver that wants what is not there, or is of before version 1, is not taken. */
    if ((value & STATUS_FEATURES_OK) &&
        ((v->driver_features & ~virtio_offered(v)) || !(v->driver_features & F_VERSION_1)))
        value &= ~STATUS_FEATURES_OK;
    v->status = value | (v->status & STATUS_NEEDS_RESET);
    if (value & STATUS_DRIVER_OK) {
        for (unsigned i = 0; i < v->kind->queues; i++)
            virtio_notify(v, i);
    }
}

VirtioQueue *virtio_selected(VirtioDevice *v)
{
    return v->queue_select < v->kind->queues ? &v->queue[v->queue_select] : NULL;
}

static void set_half(uint64_t *field, bool high, uint32_t value)
{
    *field = high ? (*field & UINT32_MAX) | (uint64_t)value << 32
                  : (*field & ~(uint64_t)UINT32_MAX) | value;
}

static uint32_t read_common(VirtioDevice *v, unsigned off)
{
    static const VirtioQueue none = { .vector = VIRTIO_NO_VECTOR };
    const VirtioQueue *q = virtio_selected(v) ? virtio_selected(v) : &none;

    switch (off) {
    case 0x00: return v->feature_select;
    case 0x04: return v->feature_select < 2 ? virtio_offered(v) >> 32 * v->feature_select : 0;
    case 0x08: return v->driver_select;
    case 0x0c: return v->driver_select < 2 ? v->driver_features >> 32 * v->driver_select : 0;
    case 0x10: return v->config_vector;
    case 0x12: return v->kind->queues;
    case 0x14: return v->status;
    case 0x16: return v->queue_select;
    case 0x18: return q->size;
    case 0x1a: return q->vector;
    case 0x1c: return q->enabled;
    case 0x1e: return v->queue_select;
    case 0x20:
    case 0x24: return q->desc >> (off & 4) * 8;
    case 0x28:
    case 0x2c: return q->driver >> (off & 4) * 8;
    case 0x30:
    case 0x34: return q->device >> (off & 4) * 8;
    }
    return 0;
}

static void write_queue(VirtioDevice *v, VirtioQueue *q, unsigned off, uint32_t value)
{
    if (!q || q->enabled)
        return; /* only a reset takes it back */
    switch (off) {
    case 0x18:
        if (value && value <= VIRTIO_RING_SIZE && !(value & (value - 1)))
            q->size = value;
        break;
    case 0x1c: q->enabled = value == 1 && q->size; break;
    case 0x20:
    case 0x24: set_half(&q->desc, off & 4, value); break;
    case 0x28:
    case 0x2c: set_half(&q->driver, off & 4, value); break;
    case 0x30:
    case 0x34: set_half(&q->device, off & 4, value); break;
    }
}

static void write_common(VirtioDevice *v, unsigned off, uint32_t value)
{
    switch (off) {
    case 0x00: v->feature_select = value; break;
    case 0x08: v->driver_select = value; break;
    case 0x0c:
        if (v->driver_select < 2 && !(v->status & STATUS_FEATURES_OK))
            set_half(&v->driver_features, v->driver_select, value);
        break;
    case 0x14: virtio_write_status(v, value); break;
    case 0x10: v->config_vector = virtio_vector(v, value); break;
    case 0x16: v->queue_select = value; break;
    case 0x1a:
        if (virtio_selected(v))
            virtio_selected(v)->vector = virtio_vector(v, value);
        break;
    default: write_queue(v, virtio_selected(v), off, value);
    }
}

/* ---- The BAR --------------------------------------------------------------------------------- */

uint64_t virtio_read_config(VirtioDevice *v, unsigned off, unsigned size)
{
    uint8_t config[VIRTIO_MAX_CONFIG + 8] = { 0 };

    if (off >= v->kind->config_size)
        return 0;
    if (v->kind->config)
        v->kind->config(v, config);
    return get_le(config + off, size);
}

void virtio_write_config(VirtioDevice *v, unsigned off, unsigned size, uint64_t value)
{
    for (unsigned i = 0; i < size; i++)
        if (v->kind->write_config && off + i < v->kind->config_size)
            v->kind->write_config(v, off + i, value >> 8 * i);
}

uint8_t virtio_take_isr(VirtioDevice *v)
{
    uint8_t isr = v->isr;

    v->isr = 0;
    update_irq(v);
    return isr;
}

/* Not again from within, as by a ring that lies over the register for it. */
void virtio_notify(VirtioDevice *v, uint64_t queue)
{
    trace(virtio_queue_notify, "%s n %u", v->pci.dev.klass->name, (unsigned)queue);
    if (queue >= v->kind->queues || !virtio_is_ready(v) || v->chains_left)
        return;
    v->chains_left = CHAINS_AT_ONCE;
    v->kind->notified(v, queue);
    v->chains_left = 0;
}

static uint64_t bar_read(void *opaque, uint64_t addr, unsigned size)
{
    VirtioDevice *v = opaque;

    if (addr < AT_ISR)
        return read_common(v, addr);
    if (addr >= AT_CONFIG && addr < AT_NOTIFY)
        return virtio_read_config(v, addr - AT_CONFIG, size);
    return addr == AT_ISR ? virtio_take_isr(v) : 0;
}

static void bar_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    VirtioDevice *v = opaque;

    if (addr < AT_ISR)
        write_common(v, addr, value);
    else if (addr >= AT_NOTIFY)
        virtio_notify(v, (addr - AT_NOTIFY) / NOTIFY_STRIDE);
    else if (addr >= AT_CONFIG)
        virtio_write_config(v, addr - AT_CONFIG, size, value);
}

static const MemOps bar_ops = { bar_read, bar_write, 1, 4 };

/* ---- Life ------------------------------------------------------------------------------------ */

/* A capability that says where in a BAR one of the structures is (4.1.4); 0, 0, 0: not yet. */
static void add_capability(VirtioDevice *v, unsigned at, unsigned next, uint8_t type, uint8_t bar,
                           uint32_t offset, uint32_t len)
{
    unsigned size = type == CAP_NOTIFY || type == CAP_WINDOW ? 20 : 16;

    pci_set_config(&v->pci, at, 4, 0x09 | next << 8 | size << 16 | (uint32_t)type << 24, 0);
    pci_set_config(&v->pci, at + 4, 4, bar, 0);
    pci_set_config(&v->pci, at + 8, 4, offset, 0);
    pci_set_config(&v->pci, at + 12, 4, len, 0);
    if (type == CAP_NOTIFY)
        pci_set_config(&v->pci, at + 16, 4, NOTIFY_STRIDE, 0);
}

/* 1000h and up, with what it is as subsystem, for drivers of before version 1. */
static uint16_t transitional_id(uint16_t id)
{
    static const uint8_t ids[] = { [1] = 0, [2] = 1, [3] = 3, [4] = 5, [5] = 2 };

    g_assert(id < G_N_ELEMENTS(ids));
    return 0x1000 + ids[id];
}

/* The window in configuration space (4.1.4.9) shows the place in the BAR that its fields name. Is
 * it looked at, and does it show something? */
static bool window_hit(const VirtioDevice *v, unsigned off, unsigned len, uint32_t *at,
                       uint32_t *size)
{
    unsigned data = WINDOW + WINDOW_DATA;

    *at = pci_get_config(&v->pci, WINDOW + WINDOW_OFFSET, 4);
    *size = pci_get_config(&v->pci, WINDOW + WINDOW_LENGTH, 4);
    return !v->no_modern && off < data + 4 && off + len > data &&
           pci_get_config(&v->pci, WINDOW + WINDOW_BAR, 1) == MODERN_BAR &&
           (*size == 1 || *size == 2 || *size == 4) && *at % *size == 0 && *at < BAR_BYTES;
}

static void config_reads(PciDevice *pci, unsigned off, unsigned len)
{
    VirtioDevice *v = (VirtioDevice *)pci;
    uint32_t at, size;

    if (window_hit(v, off, len, &at, &size))
        put_le(pci->config + WINDOW + WINDOW_DATA, size, bar_read(v, at, size));
}

static void name_parts(VirtioDevice *v)
{
    static const char *const kinds[VIRTIO_PARTS] = { "common", "isr", "device", "notify" };
    int len = strlen(v->pci.dev.klass->name) - strlen("-pci");

    for (unsigned i = 0; i < VIRTIO_PARTS; i++) {
        v->part_names[i] =
            g_strdup_printf("virtio-pci-%s-%.*s", kinds[i], len, v->pci.dev.klass->name);
        v->parts[i] = (MemPart){ i * PART_BYTES, PART_BYTES, v->part_names[i] };
    }
    memory_set_parts(&v->bar, v->parts, true);
}

static void add_modern(VirtioDevice *v)
{
    static const struct {
        unsigned at;
        uint8_t type;
        uint32_t offset;
    } caps[] = {
        { CAPS, CAP_COMMON, AT_COMMON },
        { CAPS + 0x10, CAP_ISR, AT_ISR },
        { CAPS + 0x20, CAP_CONFIG, AT_CONFIG },
        { CAPS + 0x30, CAP_NOTIFY, AT_NOTIFY },
    };

    memory_init_io(&v->bar, "virtio-pci", &bar_ops, v, BAR_BYTES);
    name_parts(v);
    pci_add_bar(&v->pci, MODERN_BAR, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &v->bar);
    for (unsigned i = 0; i < G_N_ELEMENTS(caps); i++) {
        unsigned next = i ? caps[i - 1].at : 0;

        add_capability(v, caps[i].at, next, caps[i].type, MODERN_BAR, caps[i].offset, PART_BYTES);
    }
    add_capability(v, WINDOW, caps[G_N_ELEMENTS(caps) - 1].at, CAP_WINDOW, 0, 0, 0);
    pci_set_config(&v->pci, WINDOW + WINDOW_BAR, 1, 0, 0xff);
    pci_set_config(&v->pci, WINDOW + WINDOW_OFFSET, 4, 0, UINT32_MAX);
    pci_set_config(&v->pci, WINDOW + WINDOW_LENGTH, 4, 0, UINT32_MAX);
    pci_set_config(&v->pci, WINDOW + WINDOW_DATA, 4, 0, UINT32_MAX);
    v->pci.config_reads = config_reads;
}

static void config_wrote(PciDevice *pci, unsigned off, unsigned len)
{
    VirtioDevice *v = (VirtioDevice *)pci;
    uint32_t at, size;

    if (window_hit(v, off, len, &at, &size))
        bar_write(v, at, pci_get_config(pci, WINDOW + WINDOW_DATA, size), size);
    msix_config_wrote(&v->msix);
    update_irq(v);
}

/* The first is MSI-X's. */
static void add_capabilities(VirtioDevice *v)
{
    unsigned rest = v->no_modern ? 0 : WINDOW, msix = v->no_modern ? LEGACY_MSIX : MODERN_MSIX;
    unsigned first = v->kind->vectors ? msix : rest;

    if (!first)
        return;
    pci_set_config(&v->pci, PCI_STATUS, 2, PCI_STATUS_CAPABILITIES, 0);
    pci_set_config(&v->pci, PCI_CAP_POINTER, 1, first, 0);
    if (v->kind->vectors)
        msix_init(&v->msix, &v->pci, msix, rest, MSIX_BAR, v->kind->vectors);
    if (!v->no_modern)
        add_modern(v);
}

bool virtio_realize(VirtioDevice *v, GError **error)
{
    bool legacy = !v->no_legacy;
    const PciIdentity identity = {
        .vendor = 0x1af4,
        .device = legacy ? transitional_id(v->kind->id) : 0x1040 + v->kind->id,
        .revision = legacy ? 0 : 1,
        .class_code = v->kind->class_code,
        .subsystem_vendor = 0x1af4,
        .subsystem = legacy ? v->kind->id : 0x1100,
        .interrupt_pin = 1,
    };

    g_assert(v->kind->queues <= VIRTIO_QUEUES && v->kind->config_size <= VIRTIO_MAX_CONFIG);
    if (v->no_legacy && v->no_modern) {
        error_set(error, "%s: disable-legacy and disable-modern exclude each other",
                  v->pci.dev.klass->name);
        return false;
    }
    if (!pci_device_attach(&v->pci, &identity, error))
        return false;
    if (legacy)
        virtio_legacy_init(v);
    add_capabilities(v);
    v->pci.config_wrote = config_wrote;
    return true;
}

void virtio_unrealize(Device *dev)
{
    VirtioDevice *v = (VirtioDevice *)dev;

    pci_device_unrealize(dev);
    if (v->kind->vectors)
        msix_exit(&v->msix);
    if (!v->no_modern)
        memory_destroy(&v->bar);
    for (unsigned i = 0; i < VIRTIO_PARTS; i++)
        g_free(v->part_names[i]);
    if (!v->no_legacy)
        memory_destroy(&v->legacy_bar);
}

void virtio_reset_enter(Device *dev)
{
    VirtioDevice *v = (VirtioDevice *)dev;

    pci_device_reset(dev);
    msix_reset(&v->msix);
    reset_transport(v);
}

void virtio_post_load(Device *dev)
{
    VirtioDevice *v = (VirtioDevice *)dev;

    pci_device_post_load(dev);
    v->config_vector = virtio_vector(v, v->config_vector);
    for (unsigned i = 0; i < VIRTIO_QUEUES; i++) {
        VirtioQueue *q = &v->queue[i];

        if (!q->size || q->size > VIRTIO_RING_SIZE || (q->size & (q->size - 1)))
            *q = i < v->kind->queues ? fresh_queue : (VirtioQueue){ 0 };
    }
}

static const StateField queue_state[] = {
    STATE_U16(VirtioQueue, size),   STATE_U16(VirtioQueue, enabled),
    STATE_U64(VirtioQueue, desc),   STATE_U64(VirtioQueue, driver),
    STATE_U64(VirtioQueue, device), STATE_U16(VirtioQueue, taken),
    STATE_U16(VirtioQueue, vector), STATE_END,
};

const StateField virtio_state[] = {
    STATE_STRUCT(VirtioDevice, pci, pci_device_state),
    STATE_U32(VirtioDevice, feature_select),
    STATE_U32(VirtioDevice, driver_select),
    STATE_U64(VirtioDevice, driver_features),
    STATE_U8(VirtioDevice, status),
    STATE_U8(VirtioDevice, isr),
    STATE_U16(VirtioDevice, queue_select),
    STATE_U16(VirtioDevice, config_vector),
    STATE_STRUCT(VirtioDevice, msix, msix_state),
    STATE_STRUCT_ARRAY(VirtioDevice, queue, queue_state),
    STATE_END,
};
