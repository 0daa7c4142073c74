/* SPDX-License-Identifier: MIT */
/* Configuration space, BARs, the host bridge's memory map, PIRQ routing, reset control. */
#include "hw/i440fx.h"
#include "hw/pci.h"
#include "hw/piix3.h"
#include "hw/port92.h"
#include "softmmu/bytes.h"
#include "tests/hw/fixture.h"

#include <string.h>

/* ---- A function with one BAR of each kind
 * ------------------------------------------------------------ */

typedef struct Probe {
    PciDevice pci;
    MemRegion io_bar, mem_bar, mem64_bar, rom;
    RamBlock *rom_block;
    uint32_t last;
} Probe;

static uint64_t probe_read(void *opaque, uint64_t addr, unsigned size)
{
    return 0x50 + addr;
}

static void probe_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    ((Probe *)opaque)->last = value;
}

static const MemOps probe_ops = { probe_read, probe_write, 1, 4 };

static bool probe_realize(Device *dev, GError **error)
{
    static const PciIdentity id = { .vendor = 0x1234,
                                    .device = 0x5678,
                                    .revision = 9,
                                    .class_code = 0x020000,
                                    .interrupt_pin = 1 };
    Probe *p = (Probe *)dev;

    if (!pci_device_attach(&p->pci, &id, error))
        return false;
    memory_init_io(&p->io_bar, "probe-io", &probe_ops, p, 32);
    memory_init_io(&p->mem_bar, "probe-mem", &probe_ops, p, 4096);
    memory_init_io(&p->mem64_bar, "probe-mem64", &probe_ops, p, 1 << 16);
    memory_init_rom(&p->rom, "probe-rom", p->rom_block, 0, 4096);
    pci_add_bar(&p->pci, 0, PCI_BAR_IO, &p->io_bar);
    pci_add_bar(&p->pci, 1, PCI_BAR_MEM32, &p->mem_bar);
    pci_add_bar(&p->pci, 2, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &p->mem64_bar);
    pci_add_bar(&p->pci, PCI_BAR_ROM, 0, &p->rom);
    return true;
}

static void probe_unrealize(Device *dev)
{
    Probe *p = (Probe *)dev;

    pci_device_unrealize(dev);
    memory_destroy(&p->io_bar);
    memory_destroy(&p->mem_bar);
    memory_destroy(&p->mem64_bar);
    memory_destroy(&p->rom);
}

static const StateField probe_state[] = { STATE_STRUCT(Probe, pci, pci_device_state), STATE_END };

static const DeviceClass probe_class = {
    .name = "probe",
    .size = sizeof(Probe),
    .state = probe_state,
    .realize = probe_realize,
    .unrealize = probe_unrealize,
    .reset_enter = pci_device_reset,
    .reset_hold = pci_device_reset_hold,
    .post_load = pci_device_post_load,
};

/* ---- Bench
 * ---------------------------------------------------------------------------------------------- */

typedef struct Bench {
    Fixture *f;
    Device *bridge, *piix3;
    PciBus *bus;
    Probe *probe[2]; /* slots 3 and 7 */
    RamBlock *rom;
    MemRegion bios;
    IrqSpy *isa[16], *reset;
    Irq isa_lines[16];
} Bench;

static Bench *start(void **state)
{
    Bench *b = test_calloc(1, sizeof(*b));
    Fixture *f = *state;
    GError *error = NULL;
    I440fxWiring w = {
        .memory = &f->memory_root,
        .io = &f->io_root,
        .memory_space = f->memory,
        .ram_set = f->ram,
        .ram = f->ram_block,
        .below_4g = FIXTURE_RAM_SIZE / 2,
        .above_4g = FIXTURE_RAM_SIZE / 2,
    };

    b->f = f;
    b->rom = ram_block_new(f->ram, "rom", 0x20000, &error);
    b->bridge = i440fx_new(f->root, &w, &error);
    assert_null(error);
    b->bus = i440fx_bus(b->bridge);
    b->reset = fixture_spy(f);
    fixture_spy_array(f, 16, b->isa, b->isa_lines);
    b->piix3 = piix3_new(b->bridge, b->isa_lines, &b->reset->irq);
    for (unsigned i = 0; i < 2; i++) {
        b->probe[i] = (Probe *)pci_device_new(&probe_class, b->bus, PCI_DEVFN(i ? 7 : 3, 0), NULL);
        b->probe[i]->rom_block = b->rom;
    }
    memset(b->rom->host, 0xbb, b->rom->size);
    memory_init_rom(&b->bios, "bios", b->rom, 0, 0x20000);
    memory_add(i440fx_pci_memory(b->bridge), 0xe0000, 0, &b->bios);
    fixture_start(f);
    return b;
}

static void done(Bench *b)
{
    memory_remove(&b->bios);
    memory_destroy(&b->bios);
    test_free(b);
}

static void select_config(Bench *b, unsigned slot, unsigned fn, unsigned off)
{
    fixture_outl(b->f, 0xcf8, 0x80000000u | slot << 11 | fn << 8 | (off & 0xfc));
}

static uint32_t cfg_read(Bench *b, unsigned slot, unsigned off, unsigned size)
{
    select_config(b, slot, 0, off);
    if (size == 1)
        return fixture_inb(b->f, 0xcfc + (off & 3));
    return size == 2 ? fixture_inw(b->f, 0xcfc + (off & 2)) : fixture_inl(b->f, 0xcfc);
}

static void cfg_write(Bench *b, unsigned slot, unsigned off, uint32_t value, unsigned size)
{
    select_config(b, slot, 0, off);
    if (size == 1)
        fixture_outb(b->f, 0xcfc + (off & 3), value);
    else if (size == 2)
        fixture_outw(b->f, 0xcfc + (off & 2), value);
    else
        fixture_outl(b->f, 0xcfc, value);
}

/* ---- Tests
 * --------------------------------------------------------------------------------------------------
 */

static void test_identities(void **state)
{
    static const struct {
        unsigned slot, off, size;
        uint32_t value;
    } rows[] = {
        { 0, 0x00, 4, 0x12378086 }, { 0, 0x08, 4, 0x06000002 }, { 0, 0x0e, 1, 0x00 },
        { 0, 0x2c, 4, 0x11001af4 }, { 1, 0x00, 4, 0x70008086 }, { 1, 0x0a, 2, 0x0601 },
        { 1, 0x0e, 1, 0x80 },       { 1, 0x60, 4, 0x80808080 }, { 3, 0x00, 2, 0x1234 },
        { 3, 0x02, 2, 0x5678 },     { 3, 0x3d, 1, 1 },          { 5, 0x00, 4, 0xffffffff },
    };
    Bench *b = start(state);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        assert_int_equal(cfg_read(b, rows[i].slot, rows[i].off, rows[i].size), rows[i].value);
    fixture_outl(b->f, 0xcf8, 0x80010000); /* another bus */
    assert_int_equal(fixture_inl(b->f, 0xcfc), 0xffffffff);
    fixture_outl(b->f, 0xcf8, 0x00000000); /* not enabled */
    assert_int_equal(fixture_inl(b->f, 0xcfc), 0xffffffff);
    fixture_outl(b->f, 0xcf8, 0xffffffff);
    assert_int_equal(fixture_inl(b->f, 0xcf8), 0x80fffffc);
    done(b);
}

static void test_read_only_bits(void **state)
{
    Bench *b = start(state);

    cfg_write(b, 3, 0x00, 0xffffffff, 4);
    cfg_write(b, 3, 0x08, 0xffffffff, 4);
    cfg_write(b, 3, 0x3c, 0xff0b, 2);
    assert_int_equal(cfg_read(b, 3, 0x00, 4), 0x56781234);
    assert_int_equal(cfg_read(b, 3, 0x08, 4), 0x02000009);
    assert_int_equal(cfg_read(b, 3, 0x3c, 2), 0x010b);
    cfg_write(b, 3, 0x04, 0xffff, 2);
    assert_int_equal(cfg_read(b, 3, 0x04, 2), 0x0507);
    done(b);
}

static void test_bar_sizing(void **state)
{
    static const struct {
        unsigned off;
        uint32_t mask;
    } rows[] = {
        { 0x10, 0xffffffe1 }, { 0x14, 0xfffff000 }, { 0x18, 0xffff000c },
        { 0x1c, 0xffffffff }, { 0x20, 0 },          { 0x30, 0xfffff001 },
    };
    Bench *b = start(state);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        cfg_write(b, 3, rows[i].off, 0xffffffff, 4);
        assert_int_equal(cfg_read(b, 3, rows[i].off, 4), rows[i].mask);
    }
    done(b);
}

static void test_bar_decoding(void **state)
{
    Bench *b = start(state);

    cfg_write(b, 3, 0x10, 0xc000, 4);
    cfg_write(b, 3, 0x14, 0xe0000000, 4);
    cfg_write(b, 3, 0x18, 0x00000000, 4);
    cfg_write(b, 3, 0x1c, 0x00000080, 4);
    cfg_write(b, 3, 0x30, 0xe0010001, 4);
    assert_int_equal(fixture_inb(b->f, 0xc001), 0xff); /* not enabled yet */
    cfg_write(b, 3, 0x04, 0x0003, 2);
    assert_int_equal(fixture_inb(b->f, 0xc001), 0x51);
    assert_int_equal(fixture_read(b->f, 0xe0000002, 1), 0x52);
    assert_int_equal(fixture_read(b->f, 0x8000000003ull, 1), 0x53);
    assert_int_equal(fixture_read(b->f, 0xe0010000, 4), 0xbbbbbbbb);
    fixture_outl(b->f, 0xc000, 77);
    assert_int_equal(b->probe[0]->last, 77);
    cfg_write(b, 3, 0x10, 0xd000, 4);
    assert_int_equal(fixture_inb(b->f, 0xc001), 0xff);
    assert_int_equal(fixture_inb(b->f, 0xd001), 0x51);
    cfg_write(b, 3, 0x04, 0x0001, 2);
    assert_int_equal(fixture_read(b->f, 0xe0000002, 1), 0xff);
    assert_int_equal(fixture_inb(b->f, 0xd001), 0x51);
    fixture_reset(b->f);
    assert_int_equal(fixture_inb(b->f, 0xd001), 0xff);
    done(b);
}

static void test_bar_under_ram(void **state)
{
    Bench *b = start(state);

    b->f->ram_block->host[0x50000] = 0x11;
    cfg_write(b, 3, 0x14, 0x50000, 4);
    cfg_write(b, 3, 0x04, 0x0003, 2);
    assert_int_equal(fixture_read(b->f, 0x50000, 1), 0x11); /* DRAM wins */
    done(b);
}

static void test_ram_map(void **state)
{
    Bench *b = start(state);

    fixture_write(b->f, 0x1000, 0x12345678, 4);
    fixture_write(b->f, 0x100000000ull, 0x9abcdef0, 4);
    assert_int_equal(get_le(b->f->ram_block->host + 0x1000, 4), 0x12345678);
    assert_int_equal(get_le(b->f->ram_block->host + FIXTURE_RAM_SIZE / 2, 4), 0x9abcdef0);
    assert_int_equal(fixture_read(b->f, FIXTURE_RAM_SIZE / 2, 1), 0xff); /* the hole */
    done(b);
}

static void test_pam(void **state)
{
    /* address, register, nibble shift */
    static const struct {
        uint32_t addr;
        uint8_t reg, shift;
    } rows[] = {
        { 0xf0000, 0x59, 4 }, { 0xfffff, 0x59, 4 }, { 0xc0000, 0x5a, 0 }, { 0xc4000, 0x5a, 4 },
        { 0xc8000, 0x5b, 0 }, { 0xcc000, 0x5b, 4 }, { 0xd0000, 0x5c, 0 }, { 0xd4000, 0x5c, 4 },
        { 0xd8000, 0x5d, 0 }, { 0xdc000, 0x5d, 4 }, { 0xe0000, 0x5e, 0 }, { 0xe4000, 0x5e, 4 },
        { 0xe8000, 0x5f, 0 }, { 0xec000, 0x5f, 4 },
    };
    Bench *b = start(state);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t addr = rows[i].addr;
        uint8_t *ram = b->f->ram_block->host + addr;
        uint8_t pci = addr >= 0xe0000 ? 0xbb : 0xff;

        *ram = 0x22;
        assert_int_equal(fixture_read(b->f, addr, 1), pci);
        fixture_write(b->f, addr, 0x33, 1);
        assert_int_equal(*ram, 0x22);
        cfg_write(b, 0, rows[i].reg, 2 << rows[i].shift, 1); /* write only: the shadow fills */
        assert_int_equal(fixture_read(b->f, addr, 1), pci);
        fixture_write(b->f, addr, 0x44, 1);
        assert_int_equal(*ram, 0x44);
        assert_int_equal(fixture_read(b->f, addr, 1), pci);
        cfg_write(b, 0, rows[i].reg, 1 << rows[i].shift, 1); /* read only: the shadow is ROM */
        assert_int_equal(fixture_read(b->f, addr, 1), 0x44);
        fixture_write(b->f, addr, 0x55, 1);
        assert_int_equal(*ram, 0x44);
        cfg_write(b, 0, rows[i].reg, 3 << rows[i].shift, 1);
        fixture_write(b->f, addr, 0x66, 1);
        assert_int_equal(fixture_read(b->f, addr, 1), 0x66);
        cfg_write(b, 0, rows[i].reg, 0, 1);
        assert_int_equal(fixture_read(b->f, addr, 1), pci);
    }
    assert_int_equal(b->rom->host[0x10000], 0xbb);
    cfg_write(b, 0, 0x59, 0x30, 1);
    assert_int_equal(fixture_read(b->f, 0xf0000, 1), 0x66);
    fixture_reset(b->f);
    assert_int_equal(fixture_read(b->f, 0xf0000, 1), 0xbb);
    done(b);
}

typedef struct Writes {
    MemListener l;
    uint64_t offset, len;
} Writes;

static void ram_written(MemListener *l, uint64_t offset, uint64_t len)
{
    ((Writes *)l)->offset = offset;
    ((Writes *)l)->len = len;
}

/* Code translated from the RAM behind the shadow goes stale. */
static void test_shadow_write_is_announced(void **state)
{
    Bench *b = start(state);
    Writes w = { .l.ram_written = ram_written };

    cfg_write(b, 0, 0x59, 0x20, 1);
    address_space_add_listener(b->f->memory, &w.l);
    fixture_write(b->f, 0xf1234, 0xabcd, 2);
    assert_int_equal(w.offset, b->f->ram_block->ram_offset + 0xf1234);
    assert_int_equal(w.len, 2);
    address_space_remove_listener(b->f->memory, &w.l);
    done(b);
}

static void test_smram(void **state)
{
    Bench *b = start(state);

    b->f->ram_block->host[0xa0000] = 0x77;
    assert_int_equal(fixture_read(b->f, 0xa0000, 1), 0xff);
    cfg_write(b, 0, 0x72, 0x4a, 1);
    assert_int_equal(fixture_read(b->f, 0xa0000, 1), 0x77);
    cfg_write(b, 0, 0x72, 0x0a, 1);
    assert_int_equal(fixture_read(b->f, 0xa0000, 1), 0xff);
    cfg_write(b, 0, 0x72, 0x1a, 1); /* locked until reset */
    cfg_write(b, 0, 0x72, 0x4a, 1);
    assert_int_equal(cfg_read(b, 0, 0x72, 1), 0x1a);
    assert_int_equal(fixture_read(b->f, 0xa0000, 1), 0xff);
    fixture_reset(b->f);
    assert_int_equal(cfg_read(b, 0, 0x72, 1), 0x02);
    cfg_write(b, 0, 0x72, 0x4a, 1);
    assert_int_equal(fixture_read(b->f, 0xa0000, 1), 0x77);
    done(b);
}

/* What CPUs in SMM see at 0xa0000 by the SMRAM register: bit 0 data, bit 1 fetches. */
static void test_smm_views(void **state)
{
    static const struct {
        uint8_t smram, shows;
    } rows[] = {
        { 0x02, 0 },              /* G_SMRAME off */
        { 0x0a, 3 }, { 0x2a, 2 }, /* D_CLS: data accesses go to PCI */
        { 0x4a, 3 },              /* D_OPEN */
        { 0x1a, 3 },              /* D_LCK */
        { 0x0a, 3 },              /* locked: */
        { 0x02, 3 },
    };
    Bench *b = start(state);

    b->f->ram_block->host[0xa0000] = 0x77;
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t data, code;

        cfg_write(b, 0, 0x72, rows[i].smram, 1);
        data = address_space_read(i440fx_smm_memory(b->bridge), 0xa0000, 1);
        code = address_space_read(i440fx_smm_code(b->bridge), 0xa0000, 1);
        assert_int_equal(data, rows[i].shows & 1 ? 0x77 : 0xff);
        assert_int_equal(code, rows[i].shows & 2 ? 0x77 : 0xff);
        assert_int_equal(address_space_read(i440fx_smm_memory(b->bridge), 0x90000, 1),
                         b->f->ram_block->host[0x90000]);
    }
    done(b);
}

static void drive(Bench *b, unsigned probe, int level)
{
    fixture_roundtrip(b->f);
    pci_set_irq(&b->probe[probe]->pci, level);
}

static void test_pirq(void **state)
{
    Bench *b = start(state);

    /* INTA# of slots 3 and 7 both arrive at PIRQC */
    drive(b, 0, 1);
    assert_int_equal(b->isa[10]->level, 0); /* not routed */
    cfg_write(b, 1, 0x62, 0x0a, 1);
    assert_int_equal(b->isa[10]->level, 1);
    assert_int_equal(cfg_read(b, 3, 0x06, 1) & 8, 8);
    drive(b, 1, 1);
    drive(b, 0, 0);
    assert_int_equal(b->isa[10]->level, 1); /* shared */
    cfg_write(b, 1, 0x62, 0x0b, 1);
    assert_int_equal(b->isa[10]->level, 0);
    assert_int_equal(b->isa[11]->level, 1);
    cfg_write(b, 7, 0x04, 0x0400, 2); /* interrupt disable */
    assert_int_equal(b->isa[11]->level, 0);
    cfg_write(b, 7, 0x04, 0x0000, 2);
    assert_int_equal(b->isa[11]->level, 1);
    cfg_write(b, 1, 0x62, 0x80, 1);
    assert_int_equal(b->isa[11]->level, 0);
    cfg_write(b, 1, 0x62, 0x0b, 1);
    fixture_reset(b->f);
    assert_int_equal(b->isa[11]->level, 0);
    done(b);
}

static void test_reset_control(void **state)
{
    Bench *b = start(state);

    fixture_outl(b->f, 0xcf8, 0x80000600); /* not the register's business */
    assert_int_equal(b->reset->rises, 0);
    fixture_outb(b->f, 0xcf9, 0x02);
    assert_int_equal(fixture_inb(b->f, 0xcf9), 0x02);
    assert_int_equal(b->reset->rises, 0);
    fixture_outb(b->f, 0xcf9, 0x06);
    assert_int_equal(b->reset->rises, 1);
    assert_int_equal(fixture_inl(b->f, 0xcf8), 0x80000600);
    done(b);
}

static void test_slot_taken(void **state)
{
    Bench *b = start(state);
    GError *error = NULL;
    Device *dev = pci_device_new(&probe_class, b->bus, PCI_DEVFN(3, 0), NULL);

    assert_false(device_realize(dev, &error));
    assert_non_null(error);
    assert_non_null(strstr(error->message, "slot 3"));
    g_error_free(error);
    device_free(dev);
    done(b);
}

static void test_port92(void **state)
{
    Fixture *f = *state;
    IrqSpy *a20 = fixture_spy(f), *reset = fixture_spy(f);
    Device *dev = port92_new(f->root, &f->io_root, &a20->irq, &reset->irq);

    fixture_start(f);
    assert_int_equal(a20->level, 1);
    fixture_outb(f, 0x92, 0);
    assert_int_equal(a20->level, 0);
    fixture_set_irq(f, port92_kbc_a20(dev), 1);
    assert_int_equal(a20->level, 1);
    fixture_outb(f, 0x92, 0); /* the keyboard controller still holds it */
    assert_int_equal(a20->level, 1);
    fixture_set_irq(f, port92_kbc_a20(dev), 0);
    fixture_outb(f, 0x92, 2);
    assert_int_equal(a20->level, 1);
    assert_int_equal(reset->rises, 0);
    fixture_outb(f, 0x92, 3);
    assert_int_equal(reset->rises, 1);
    assert_int_equal(fixture_inb(f, 0x92), 3);
}

static void test_abuse(void **state)
{
    Bench *b = start(state);

    for (unsigned seed = 1; seed < 20; seed++) {
        for (unsigned i = 0; i < 40; i++) {
            address_space_write(b->f->io, 0xcf8, 0x80000000 | seed * 0x3779 * i, 4);
            fixture_abuse(b->f, b->f->io, 0xcf8, 8, 10, seed * 100 + i);
        }
        fixture_abuse(b->f, b->f->memory, 0xa0000, 0x60000, 50, seed);
    }
    done(b);
}

#define bridge_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup_no_ram, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        bridge_test(test_identities),    bridge_test(test_read_only_bits),
        bridge_test(test_bar_sizing),    bridge_test(test_bar_decoding),
        bridge_test(test_bar_under_ram), bridge_test(test_ram_map),
        bridge_test(test_pam),           bridge_test(test_shadow_write_is_announced),
        bridge_test(test_smram),         bridge_test(test_smm_views),
        bridge_test(test_pirq),          bridge_test(test_reset_control),
        bridge_test(test_slot_taken),    hw_test(test_port92),
        bridge_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
