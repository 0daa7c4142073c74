/* SPDX-License-Identifier: MIT */
/* The table is at the beginning of the BAR, pending bits are in its second half. */
#include "hw/msix.h"

#include <string.h>

#include "softmmu/bytes.h"

#define ENTRY      16
#define PBA_OFFSET 0x800

enum { CAP_ID = 0x11, CONTROL = 2, CONTROL_ENABLE = 0x8000, CONTROL_MASK = 0x4000 };
enum { E_ADDR = 0, E_DATA = 8, E_CONTROL = 12, E_MASKED = 1 };

static uint16_t control(const Msix *m)
{
    return pci_get_config(m->pci, m->cap + CONTROL, 2);
}

bool msix_enabled(const Msix *m)
{
    return m->vectors && (control(m) & CONTROL_ENABLE);
}

static bool is_masked(const Msix *m, unsigned vector)
{
    return (control(m) & CONTROL_MASK) || (m->table[ENTRY * vector + E_CONTROL] & E_MASKED);
}

void msix_notify(Msix *m, unsigned vector)
{
    const uint8_t *e = m->table + ENTRY * vector;

    if (vector >= m->vectors || !msix_enabled(m))
        return;
    if (is_masked(m, vector)) {
        m->pending |= 1u << vector;
        return;
    }
    m->pending &= ~(1u << vector);
    pci_send_msi(m->pci, get_le(e + E_ADDR, 8), get_le(e + E_DATA, 4));
}

/* What was masked and is not any more. */
static void send_pending(Msix *m)
{
    for (unsigned v = 0; v < m->vectors; v++) {
        if (m->pending >> v & 1)
            msix_notify(m, v);
    }
}

void msix_config_wrote(Msix *m)
{
    send_pending(m);
}

static uint64_t msix_read(void *opaque, uint64_t addr, unsigned size)
{
    const Msix *m = opaque;

    if (addr < ENTRY * m->vectors)
        return get_le(m->table + addr, size);
    return addr == PBA_OFFSET ? m->pending : 0;
}

static void msix_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Msix *m = opaque;

    if (addr >= ENTRY * m->vectors)
        return;
    put_le(m->table + addr, size, value);
    if (addr % ENTRY == E_CONTROL)
        m->table[addr] &= E_MASKED, memset(m->table + addr + 1, 0, 3);
    else if (addr % ENTRY == E_ADDR)
        m->table[addr] &= ~3u;
    send_pending(m);
}

static const MemOps msix_ops = { msix_read, msix_write, 4, 4 };

void msix_init(Msix *m, PciDevice *pci, unsigned cap, unsigned next, unsigned bar, unsigned vectors)
{
    g_assert(vectors && vectors <= MSIX_MAX);
    m->pci = pci;
    m->cap = cap;
    m->vectors = vectors;
    m->name = g_strdup_printf("%s-msix", pci->dev.klass->name);
    m->parts[0] = (MemPart){ 0, ENTRY * vectors, "msix-table" };
    m->parts[1] = (MemPart){ PBA_OFFSET, 8, "msix-pba" };
    memory_init_io(&m->region, m->name, &msix_ops, m, MSIX_BAR_BYTES);
    memory_set_parts(&m->region, m->parts, true);
    pci_add_bar(pci, bar, PCI_BAR_MEM32, &m->region);
    pci_set_config(pci, cap, 2, CAP_ID | next << 8, 0);
    pci_set_config(pci, cap + CONTROL, 2, vectors - 1, CONTROL_ENABLE | CONTROL_MASK);
    pci_set_config(pci, cap + 4, 4, bar, 0);
    pci_set_config(pci, cap + 8, 4, PBA_OFFSET | bar, 0);
}

void msix_exit(Msix *m)
{
    memory_destroy(&m->region);
    g_free(m->name);
}

void msix_reset(Msix *m)
{
    memset(m->table, 0, sizeof(m->table));
    for (unsigned v = 0; v < m->vectors; v++)
        m->table[ENTRY * v + E_CONTROL] = E_MASKED;
    m->pending = 0;
}

const StateField msix_state[] = {
    STATE_BYTES(Msix, table),
    STATE_U16(Msix, pending),
    STATE_END,
};
