/* SPDX-License-Identifier: MIT */
/*
 * The 82441FX (Natoma) host bridge: DRAM, PAM and SMRAM registers, configuration mechanism #1.
 * Spec: Intel 440FX data sheet (290549).
 *
 * Each PAM segment has two enables. Reads and writes both to DRAM: a RAM region; reads only: the
 * same region as ROM; writes only (software copying ROM into the shadow): a window that reads PCI
 * and writes DRAM; neither: PCI shows. Writes that PAM sends to PCI under a DRAM read are dropped,
 * as everything there on this board is ROM. SMRAM (compatible, 128 KiB at 0xa0000) shows to all
 * while D_OPEN is set, and to CPUs in SMM by views of their own: fetches always, data unless D_CLS.
 * DRAM timing, ECC and the memory hole (FDHC) are stored or absent, without effect.
 */
#include "hw/i440fx.h"

#include <string.h>

#include "hw/smm-view.h"
#include "softmmu/error.h"
#include "softmmu/log.h"

enum {
    REG_PAM0 = 0x59,
    REG_SMRAM = 0x72,
    PAM_READ = 1,
    PAM_WRITE = 2,
    SMRAM_OPEN = 0x40,
    SMRAM_CLOSE = 0x20,
    SMRAM_LOCK = 0x10,
    SMRAM_ENABLE = 0x08,
    SEGMENTS = 13,
    SMRAM_BASE = 0xa0000,
    SMRAM_SIZE = 0x20000,
};

#define ONE_MIB  (1ull << 20)
#define FOUR_GIB (1ull << 32)

typedef struct I440fx I440fx;

typedef struct Segment {
    I440fx *bridge;
    uint32_t base, size;
    MemRegion ram;    /* RAM or ROM by the write enable */
    MemRegion shadow; /* reads PCI, writes DRAM */
    MemRegion pci;    /* what PCI has there */
} Segment;

struct I440fx {
    PciDevice pci;
    I440fxWiring w;
    MemRegion below, above; /* DRAM: from 0, from 4 GiB */
    MemRegion *pci_memory;  /* the bus: everything that is not DRAM */
    MemRegion smram_pci;    /* … in front of SMRAM */
    SmmView smm_data, smm_code;
    Segment segment[SEGMENTS];
    /* The shadow windows' two sides. */
    MemRegion dram_root, dram;
    AddressSpace *dram_space, *pci_space;
    MemRegion address_io, data_io;
    const MemOps *forward;
    void *forward_opaque;
    uint32_t address; /* CONFADD */
};

/* ---- PAM and SMRAM
 * --------------------------------------------------------------------------------- */

/* PAM0's high nibble is the BIOS area; PAM1 to PAM6 hold two 16 KiB segments each from 0xc0000. */
static unsigned pam_bits(const I440fx *s, unsigned segment)
{
    if (segment == 0)
        return s->pci.config[REG_PAM0] >> 4 & 3;
    return s->pci.config[REG_PAM0 + (segment + 1) / 2] >> (segment & 1 ? 0 : 4) & 3;
}

static void place_segment(Segment *seg, unsigned bits)
{
    memory_set_enabled(&seg->ram, bits & PAM_READ);
    memory_set_readonly(&seg->ram, !(bits & PAM_WRITE));
    memory_set_enabled(&seg->shadow, bits == PAM_WRITE);
    memory_set_enabled(&seg->pci, !bits);
    seg->ram.name = bits & PAM_WRITE ? "pam-ram" : "pam-rom";
}

static void begin_memory(I440fx *s)
{
    memory_begin(s->w.memory_space);
    memory_begin(s->smm_data.space);
    memory_begin(s->smm_code.space);
}

static void commit_memory(I440fx *s)
{
    memory_commit(s->smm_code.space);
    memory_commit(s->smm_data.space);
    memory_commit(s->w.memory_space);
}

static void update_memory(I440fx *s)
{
    uint8_t smram = s->pci.config[REG_SMRAM];

    begin_memory(s);
    for (unsigned i = 0; i < SEGMENTS; i++)
        place_segment(&s->segment[i], pam_bits(s, i));
    memory_set_enabled(&s->smram_pci, !(smram & SMRAM_ENABLE) || !(smram & SMRAM_OPEN) ||
                                          (smram & (SMRAM_CLOSE | SMRAM_LOCK)));
    memory_set_enabled(&s->smm_data.smram, (smram & SMRAM_ENABLE) && !(smram & SMRAM_CLOSE));
    memory_set_enabled(&s->smm_code.smram, smram & SMRAM_ENABLE);
    commit_memory(s);
}

static uint64_t shadow_read(void *opaque, uint64_t addr, unsigned size)
{
    Segment *seg = opaque;

    return address_space_read(seg->bridge->pci_space, seg->base + addr, size);
}

static void shadow_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Segment *seg = opaque;

    address_space_write(seg->bridge->dram_space, seg->base + addr, value, size);
}

static const MemOps shadow_ops = { shadow_read, shadow_write, 1, 8 };

/* Once locked, only a reset opens SMRAM again, and the register cannot be changed. */
static void config_wrote(PciDevice *pci, unsigned off, unsigned len)
{
    I440fx *s = (I440fx *)pci;

    if (off + len <= REG_PAM0 || off > REG_SMRAM)
        return;
    if (pci->config[REG_SMRAM] & SMRAM_LOCK) {
        pci->config[REG_SMRAM] &= ~SMRAM_OPEN;
        pci->writable[REG_SMRAM] = 0;
    }
    update_memory(s);
}

/* ---- Configuration mechanism #1
 * ---------------------------------------------------------------------- */

static uint64_t address_read(void *opaque, uint64_t addr, unsigned size)
{
    I440fx *s = opaque;

    if (size == 4)
        return s->address;
    return s->forward ? s->forward->read(s->forward_opaque, addr, size) : UINT64_MAX;
}

static void address_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I440fx *s = opaque;

    if (size == 4)
        s->address = value & 0x80fffffc;
    else if (s->forward)
        s->forward->write(s->forward_opaque, addr, value, size);
}

static uint64_t data_read(void *opaque, uint64_t addr, unsigned size)
{
    I440fx *s = opaque;
    uint32_t a = s->address;

    if (!(a >> 31))
        return UINT64_MAX;
    return pci_config_read(s->pci.bus, a >> 16 & 0xff, a >> 8 & 0xff, (a & 0xfc) + addr, size);
}

static void data_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I440fx *s = opaque;
    uint32_t a = s->address;

    if (a >> 31)
        pci_config_write(s->pci.bus, a >> 16 & 0xff, a >> 8 & 0xff, (a & 0xfc) + addr, value, size);
}

static const MemOps address_ops = { address_read, address_write, 1, 4 };
static const MemOps data_ops = { data_read, data_write, 1, 4 };

/* Port 0xcf9 is the PIIX3's, which resets. */
static const MemPart cf8_parts[] = { { 0, 4, "pci-conf-idx" },
                                     { 1, 1, "piix3-reset-control", 1 },
                                     { 0 } };

void i440fx_forward_cf8(Device *dev, const MemOps *ops, void *opaque)
{
    I440fx *s = (I440fx *)dev;

    s->forward = ops;
    s->forward_opaque = opaque;
    memory_set_parts(&s->address_io, ops ? cf8_parts : NULL, false);
}

PciBus *i440fx_bus(Device *dev)
{
    return ((I440fx *)dev)->pci.bus;
}

MemRegion *i440fx_pci_memory(Device *dev)
{
    return ((I440fx *)dev)->pci_memory;
}

AddressSpace *i440fx_smm_memory(Device *dev)
{
    return ((I440fx *)dev)->smm_data.space;
}

AddressSpace *i440fx_smm_code(Device *dev)
{
    return ((I440fx *)dev)->smm_code.space;
}

/* ---- Life
 * ------------------------------------------------------------------------------------------- */

static void init_segment(I440fx *s, unsigned n)
{
    Segment *seg = &s->segment[n];

    seg->bridge = s;
    seg->base = n == 0 ? 0xf0000 : 0xc0000 + (n - 1) * 0x4000;
    seg->size = n == 0 ? 0x10000 : 0x4000;
    memory_init_ram(&seg->ram, "pam-ram", s->w.ram, seg->base, seg->size);
    memory_init_io(&seg->shadow, "pam-pci", &shadow_ops, seg, seg->size);
    memory_init_alias(&seg->pci, "pam-pci", s->pci_memory, seg->base, seg->size);
    seg->pci.is_solid = true;
    memory_set_enabled(&seg->ram, false);
    memory_set_enabled(&seg->shadow, false);
    memory_add(s->w.memory, seg->base, 1, &seg->ram);
    memory_add(s->w.memory, seg->base, 1, &seg->shadow);
    memory_add(s->w.memory, seg->base, 1, &seg->pci);
}

static void init_memory(I440fx *s)
{
    const I440fxWiring *w = &s->w;

    s->pci_memory = pci_bus_memory(s->pci.bus);
    /* From 640 KiB to 1 MiB PCI shows in front of it, but for what PAM and SMRAM open. */
    memory_init_ram(&s->below, "ram-below-4g", w->ram, 0, w->below_4g);
    memory_add(w->memory, 0, 0, &s->below);
    if (w->above_4g) {
        memory_init_ram(&s->above, "ram-above-4g", w->ram, w->below_4g, w->above_4g);
        memory_add(w->memory, FOUR_GIB, 0, &s->above);
    }
    memory_add(w->memory, 0, -1, s->pci_memory);
    memory_init_alias(&s->smram_pci, "smram-region", s->pci_memory, SMRAM_BASE, SMRAM_SIZE);
    s->smram_pci.is_solid = true;
    memory_add(w->memory, SMRAM_BASE, 1, &s->smram_pci);
    for (unsigned i = 0; i < SEGMENTS; i++)
        init_segment(s, i);
    memory_init_container(&s->dram_root, "dram-view", ONE_MIB);
    memory_init_ram(&s->dram, "dram-low", w->ram, 0, ONE_MIB);
    memory_add(&s->dram_root, 0, 0, &s->dram);
    s->dram_space = address_space_new("dram", &s->dram_root, w->ram_set);
    s->pci_space = address_space_new("pci", s->pci_memory, w->ram_set);
    smm_view_init(&s->smm_data, "smm", w->memory, w->ram_set, w->ram, SMRAM_BASE, SMRAM_SIZE);
    smm_view_init(&s->smm_code, "smm-code", w->memory, w->ram_set, w->ram, SMRAM_BASE, SMRAM_SIZE);
}

/* The registers that data sheet and firmware care for; the rest of the space reads 0. */
static void init_config(I440fx *s)
{
    pci_set_config(&s->pci, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER,
                   PCI_COMMAND_SERR);
    pci_set_config(&s->pci, PCI_STATUS, 2, 0x0280, 0);
    for (unsigned i = 0; i < 7; i++)
        pci_set_config(&s->pci, REG_PAM0 + i, 1, 0, i ? 0x33 : 0x30);
    pci_set_config(&s->pci, 0x57, 1, 0x01, 0xff); /* DRAM control */
    for (unsigned i = 0; i < 8; i++) /* DRAM row boundaries: firmware of this board ignores them */
        pci_set_config(&s->pci, 0x60 + i, 1, 0, 0xff);
    pci_set_config(&s->pci, REG_SMRAM, 1, 0x02, 0x78);
}

static bool i440fx_realize(Device *dev, GError **error)
{
    static const PciIdentity identity = {
        .vendor = 0x8086, .device = 0x1237, .revision = 0x02, .class_code = 0x060000
    };
    I440fx *s = (I440fx *)dev;

    if (s->w.below_4g < ONE_MIB) {
        error_set(error, "the i440FX board needs at least 1 MiB of memory");
        return false;
    }
    if (!pci_device_attach(&s->pci, &identity, error))
        return false;
    s->pci.config_wrote = config_wrote;
    init_config(s);
    memory_begin(s->w.memory_space);
    init_memory(s);
    memory_commit(s->w.memory_space);
    memory_init_io(&s->address_io, "pci-conf-idx", &address_ops, s, 4);
    memory_init_io(&s->data_io, "pci-conf-data", &data_ops, s, 4);
    memory_add(s->w.io, 0xcf8, 0, &s->address_io);
    memory_add(s->w.io, 0xcfc, 0, &s->data_io);
    return true;
}

static void drop(MemRegion *r)
{
    if (r->parent)
        memory_remove(r);
    memory_destroy(r);
}

static void i440fx_unrealize(Device *dev)
{
    I440fx *s = (I440fx *)dev;

    drop(&s->data_io);
    drop(&s->address_io);
    smm_view_destroy(&s->smm_code);
    smm_view_destroy(&s->smm_data);
    memory_begin(s->w.memory_space);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        drop(&s->segment[i].pci);
        drop(&s->segment[i].shadow);
        drop(&s->segment[i].ram);
    }
    drop(&s->smram_pci);
    memory_remove(s->pci_memory);
    if (s->w.above_4g)
        drop(&s->above);
    drop(&s->below);
    memory_commit(s->w.memory_space);
    address_space_free(s->pci_space);
    address_space_free(s->dram_space);
    drop(&s->dram);
    drop(&s->dram_root);
    pci_device_unrealize(dev);
}

static void i440fx_reset_enter(Device *dev)
{
    I440fx *s = (I440fx *)dev;

    pci_device_reset(dev);
    s->address = 0;
    s->pci.writable[REG_SMRAM] = 0x78;
    update_memory(s);
}

static void i440fx_post_load(Device *dev)
{
    I440fx *s = (I440fx *)dev;

    pci_device_post_load(dev);
    s->pci.writable[REG_SMRAM] = s->pci.config[REG_SMRAM] & SMRAM_LOCK ? 0 : 0x78;
    update_memory(s);
}

static const StateField i440fx_state[] = {
    STATE_STRUCT(I440fx, pci, pci_device_state),
    STATE_U32(I440fx, address),
    STATE_END,
};

const DeviceClass i440fx_class = {
    .name = "i440FX",
    .desc = "82441FX host bridge",
    .size = sizeof(I440fx),
    .state = i440fx_state,
    .state_version = 1,
    .realize = i440fx_realize,
    .unrealize = i440fx_unrealize,
    .reset_enter = i440fx_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = i440fx_post_load,
};

Device *i440fx_new(Device *parent, const I440fxWiring *w, GError **error)
{
    PciBus *bus = pci_bus_new(parent, NULL, w->io);
    I440fx *s = (I440fx *)pci_device_new(&i440fx_class, bus, PCI_DEVFN(0, 0), NULL);

    s->w = *w;
    if (device_realize(pci_bus_device(bus), error) && device_realize(&s->pci.dev, error))
        return &s->pci.dev;
    device_free(pci_bus_device(bus));
    return NULL;
}

void i440fx_get_pam(Device *dev, uint8_t pam[I440FX_PAM_BYTES])
{
    memcpy(pam, ((I440fx *)dev)->pci.config + REG_PAM0, I440FX_PAM_BYTES);
}

void i440fx_set_pam(Device *dev, const uint8_t pam[I440FX_PAM_BYTES])
{
    I440fx *s = (I440fx *)dev;

    for (unsigned i = 0; i < I440FX_PAM_BYTES; i++)
        pci_config_write(s->pci.bus, 0, 0, REG_PAM0 + i, pam[i], 1);
}
