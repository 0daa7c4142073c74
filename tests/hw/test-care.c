/* SPDX-License-Identifier: MIT */
/* Devices for tests and care: pvpanic, pc-testdev, pci-testdev, edu, the watchdog; the parallel
 * port. */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/edu.h"
#include "hw/i6300esb.h"
#include "hw/parallel.h"
#include "hw/pvpanic.h"
#include "hw/test-devices.h"
#include "softmmu/bytes.h"

#define BAR    0x10000000u
#define IO_BAR 0xc000
#define SECOND INT64_C(1000000000)

/* ---- A bus with one function, decoded at BAR and IO_BAR ---------------------------------------
 */

typedef struct Bench {
    PciBus *bus;
    IrqSpy *pirq[4];
    Irq lines[4];
    unsigned messages;
    uint64_t address;
    uint32_t message;
} Bench;

static void take_message(void *opaque, uint64_t addr, uint32_t data)
{
    Bench *b = opaque;

    b->messages++;
    b->address = addr;
    b->message = data;
}

static void make_bus(Fixture *f, Bench *b)
{
    memset(b, 0, sizeof(*b));
    b->bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    pci_bus_set_pirq(b->bus, fixture_spy_array(f, 4, b->pirq, b->lines));
    pci_bus_set_msi(b->bus, &(PciMsi){ take_message, b });
}

static void start(Fixture *f, Bench *b)
{
    fixture_start(f);
    pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), PCI_BAR0, BAR, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), PCI_BAR0 + 4, IO_BAR, 4);
    pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), PCI_COMMAND,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

static unsigned levels(const Bench *b)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < 4; i++)
        sum += b->pirq[i]->level;
    return sum;
}

static void abuse(Fixture *f, Bench *b)
{
    fixture_abuse(f, f->memory, BAR - 8, 0x2000, 2000, 3);
    for (unsigned i = 0; i < 500; i++)
        pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), 0x40 + i * 7 % 0xc0, i * 0x9e3779b1u,
                         1 << i % 3);
    fixture_advance(f, SECOND);
}

/* ---- ISA --------------------------------------------------------------------------------------
 */

static void note_events(void *opaque, uint8_t events)
{
    *(int *)opaque = events;
}

static void test_pvpanic(void **state)
{
    Fixture *f = *state;
    int events = 0;

    pvpanic_new(f->root, &(PvpanicWiring){ &f->io_root, 0x505, 3, note_events, &events });
    fixture_start(f);
    assert_int_equal(fixture_inb(f, 0x505), 3);
    fixture_outb(f, 0x505, 0x80); /* nothing that it knows */
    assert_int_equal(events, 0);
    fixture_outb(f, 0x505, 2);
    assert_int_equal(events, 2);
    fixture_outb(f, 0x505, 1);
    assert_int_equal(events, 1);
}

static void test_pc_testdev(void **state)
{
    Fixture *f = *state;
    IrqSpy *lines[PC_TESTDEV_LINES];
    Irq irqs[PC_TESTDEV_LINES];

    fixture_spy_array(f, PC_TESTDEV_LINES, lines, irqs);
    pc_testdev_new(f->root, &f->io_root, &f->memory_root, irqs);
    fixture_start(f);
    fixture_outl(f, 0xe0, 0x11223344);
    assert_int_equal(fixture_inw(f, 0xe2), 0x1122);
    fixture_outb(f, 0xe1, 0xaa);
    assert_int_equal(fixture_inl(f, 0xe0), 0x1122aa44);
    fixture_outb(f, 0xe8, 0x5a);
    assert_int_equal(fixture_inb(f, 0xe8), 0x5a);
    fixture_outl(f, 0xe4, 0x1000);
    fixture_outb(f, 0x2000 + 5, 1);
    assert_int_equal(lines[5]->level, 1);
    fixture_outb(f, 0x2000 + 5, 0);
    assert_int_equal(lines[5]->level, 0);
    fixture_write(f, 0xff00fff8, 0x1122334455667788, 8);
    assert_int_equal(fixture_read(f, 0xff00fffc, 4), 0x11223344);
    fixture_abuse(f, f->memory, 0xff00ff00, 0x200, 300, 5);
    fixture_abuse(f, f->io, 0xd0, 0x20, 300, 6);
    fixture_abuse(f, f->io, 0x1ff0, 0x30, 300, 7);
}

static void test_parallel(void **state)
{
    Fixture *f = *state;
    IrqSpy *irq = fixture_spy(f);
    g_autoptr(GByteArray) paper = g_byte_array_new();
    Chardev *chr = chardev_new_memory(paper);

    parallel_new(f->root, &f->io_root, PARALLEL_BASE, &irq->irq, chr);
    fixture_start(f);
    assert_int_equal(fixture_inb(f, 0x379), 0xd8); /* a printer, ready */
    assert_int_equal(fixture_inb(f, 0x37a), 0xcc);
    fixture_outb(f, 0x378, 'a');
    assert_int_equal(fixture_inb(f, 0x378), 'a');
    fixture_outb(f, 0x37a, 0x0d);
    fixture_outb(f, 0x37a, 0x0d); /* no other edge */
    fixture_outb(f, 0x37a, 0x0c);
    assert_int_equal(paper->len, 1);
    assert_int_equal(spy_take_rises(irq), 0);
    fixture_outb(f, 0x378, 'b');
    fixture_outb(f, 0x37a, 0x1c);
    fixture_outb(f, 0x37a, 0x1d);
    assert_int_equal(spy_take_rises(irq), 1);
    fixture_outb(f, 0x37a, 0x04);
    fixture_outb(f, 0x37a, 0x05); /* not selected */
    assert_memory_equal(paper->data, "ab", 2);
    assert_int_equal(paper->len, 2);
    device_unrealize(f->root);
    chardev_free(chr);
}

/* ---- pci-testdev ------------------------------------------------------------------------------
 */

static void test_pci_testdev(void **state)
{
    static const struct {
        uint8_t test;
        const char *name;
        uint32_t value, counted;
    } rows[] = {
        { 0, "mmio-no-eventfd", 0xfa, 1 },        { 0, "mmio-no-eventfd", 0xfb, 0 },
        { 1, "mmio-wildcard-eventfd", 0x12, 1 },  { 2, "mmio-datamatch-eventfd", 0xfa, 1 },
        { 2, "mmio-datamatch-eventfd", 0x00, 0 },
    };
    Fixture *f = *state;
    static Bench b; /* its lines are lowered when the devices go */

    make_bus(f, &b);
    pci_testdev_new(b.bus, PCI_DEVFN(3, 0));
    start(f, &b);
    assert_int_equal(fixture_read(f, BAR, 4), 0); /* no test */
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t at;

        fixture_write(f, BAR, rows[i].test, 1);
        at = fixture_read(f, BAR + 4, 4);
        for (unsigned n = 0; n <= strlen(rows[i].name); n++)
            assert_int_equal(fixture_read(f, BAR + 16 + n, 1), (uint8_t)rows[i].name[n]);
        fixture_write(f, BAR + at, rows[i].value, fixture_read(f, BAR + 1, 1));
        assert_int_equal(fixture_read(f, BAR + 12, 4), rows[i].counted);
    }
    fixture_outb(f, IO_BAR, 0);
    fixture_outb(f, IO_BAR + fixture_inl(f, IO_BAR + 4), fixture_inl(f, IO_BAR + 8));
    assert_int_equal(fixture_inl(f, IO_BAR + 12), 1);
    fixture_outb(f, IO_BAR, 77);
    assert_int_equal(fixture_inl(f, IO_BAR), 0);
    fixture_abuse(f, f->io, IO_BAR - 4, 0x110, 300, 9);
    abuse(f, &b);
}

/* ---- edu --------------------------------------------------------------------------------------
 */

static void make_edu(Fixture *f, Bench *b)
{
    make_bus(f, b);
    edu_new(b->bus, PCI_DEVFN(3, 0), &(EduWiring){ f->memory, f->clock, EDU_DMA_MASK });
    start(f, b);
}

static void test_edu_computes(void **state)
{
    static const uint32_t rows[][2] = {
        { 0, 1 }, { 1, 1 }, { 5, 120 }, { 13, 1932053504 }, { 40, 0 }
    };
    Fixture *f = *state;
    static Bench b;

    make_edu(f, &b);
    assert_int_equal(fixture_read(f, BAR, 4), 0x010000ed);
    fixture_write(f, BAR + 4, 0x12345678, 4);
    assert_int_equal(fixture_read(f, BAR + 4, 4), (uint32_t)~0x12345678);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        fixture_write(f, BAR + 8, rows[i][0], 4);
        assert_int_equal(fixture_read(f, BAR + 0x20, 4), 1);
        fixture_advance(f, 1000);
        assert_int_equal(fixture_read(f, BAR + 0x20, 4), 0);
        assert_int_equal(fixture_read(f, BAR + 8, 4), rows[i][1]);
    }
    assert_int_equal(levels(&b), 0);
    fixture_write(f, BAR + 0x20, 0x80, 4);
    fixture_write(f, BAR + 8, 3, 4);
    fixture_advance(f, 1000);
    assert_int_equal(levels(&b), 1);
    assert_int_equal(fixture_read(f, BAR + 0x24, 4), 1);
    fixture_write(f, BAR + 0x64, 1, 4);
    assert_int_equal(levels(&b), 0);
}

static void test_edu_sends_messages(void **state)
{
    Fixture *f = *state;
    unsigned cap, fn = PCI_DEVFN(3, 0);
    static Bench b;

    make_edu(f, &b);
    cap = pci_config_read(b.bus, 0, fn, PCI_CAP_POINTER, 1);
    assert_int_equal(pci_config_read(b.bus, 0, fn, cap, 1), 5);
    pci_config_write(b.bus, 0, fn, cap + 4, 0xfee00000, 4);
    pci_config_write(b.bus, 0, fn, cap + 12, 0x4041, 2);
    pci_config_write(b.bus, 0, fn, cap + 2, 1, 2);
    fixture_write(f, BAR + 0x60, 0x1000, 4);
    assert_int_equal(b.messages, 1);
    assert_int_equal(b.address, 0xfee00000);
    assert_int_equal(b.message, 0x4041);
    assert_int_equal(levels(&b), 0);
}

static void copy(Fixture *f, uint64_t from, uint64_t to, uint64_t count, unsigned command)
{
    fixture_write(f, BAR + 0x80, from, 8);
    fixture_write(f, BAR + 0x88, to, 8);
    fixture_write(f, BAR + 0x90, count, 8);
    fixture_write(f, BAR + 0x98, command, 8);
    assert_int_equal(fixture_read(f, BAR + 0x98, 4) & 1, 1);
    fixture_advance(f, 100000);
    assert_int_equal(fixture_read(f, BAR + 0x98, 4) & 1, 0);
}

static void test_edu_copies(void **state)
{
    Fixture *f = *state;
    static Bench b;

    make_edu(f, &b);
    fixture_write(f, 0x1000, 0x1122334455667788, 8);
    copy(f, 0x1000, 0x40ff8, 8, 1);
    copy(f, 0x40ff8, 0x2000, 8, 1 | 2 | 4);
    assert_int_equal(fixture_read(f, 0x2000, 8), 0x1122334455667788);
    assert_int_equal(fixture_read(f, BAR + 0x24, 4), 0x100);
    fixture_write(f, 0x2000, 0, 8);
    copy(f, 0x40ff8, 0x2000, 9, 1 | 2); /* a byte too many */
    copy(f, 0x3ffff, 0x2000, 8, 1 | 2);
    copy(f, UINT64_MAX, 0x2000, UINT64_MAX, 1 | 2);
    assert_int_equal(fixture_read(f, 0x2000, 8), 0);
    abuse(f, &b);
}

/* ---- Watchdog ---------------------------------------------------------------------------------
 */

static void count(void *opaque)
{
    ++*(unsigned *)opaque;
}

static void unlocked(Fixture *f, unsigned reg, uint32_t value)
{
    fixture_write(f, BAR + 0xc, 0x80, 4);
    fixture_write(f, BAR + 0xc, 0x86, 4);
    fixture_write(f, BAR + reg, value, 4);
}

/* As Linux sets it up: two stages of a second each (1 kHz: 33 MHz / 2^15). */
static void arm(Fixture *f, Bench *b)
{
    pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), 0x60, 3, 2);
    unlocked(f, 0, 1007);
    unlocked(f, 4, 1007);
    unlocked(f, 0xc, 0x100);
    pci_config_write(b->bus, 0, PCI_DEVFN(3, 0), 0x68, 2, 1);
}

static void test_watchdog(void **state)
{
    Fixture *f = *state;
    IrqSpy *smi = fixture_spy(f);
    unsigned expired = 0;
    static Bench b;

    make_bus(f, &b);
    i6300esb_new(b.bus, PCI_DEVFN(3, 0), f->clock, &smi->irq, count, &expired);
    start(f, &b);
    fixture_advance(f, 100 * SECOND);
    assert_int_equal(expired, 0); /* not enabled */
    arm(f, &b);
    for (unsigned i = 0; i < 5; i++) {
        fixture_advance(f, 3 * SECOND / 2);
        unlocked(f, 0xc, 0x100);
    }
    assert_int_equal(expired, 0);
    fixture_write(f, BAR + 0xc, 0x100, 4); /* not unlocked */
    fixture_advance(f, 3 * SECOND / 2);
    fixture_write(f, BAR + 0xc, 0x100, 4);
    fixture_advance(f, SECOND);
    assert_int_equal(expired, 1);
    assert_int_equal(fixture_read(f, BAR + 0xc, 4), 0x200);
    fixture_reset(f);
    start(f, &b);
    assert_int_equal(fixture_read(f, BAR + 0xc, 4), 0x200); /* why it was reset */
    unlocked(f, 0xc, 0x200);
    assert_int_equal(fixture_read(f, BAR + 0xc, 4), 0);
    abuse(f, &b);
}

/* What the first stage does when it has run out, by the type of interrupt. */
static void test_watchdog_first_stage(void **state)
{
    static const struct {
        unsigned type, smis, status;
    } rows[] = { { 0, 0, 1 }, { 2, 1, 1 }, { 3, 0, 0 } };
    Fixture *f = *state;
    IrqSpy *smi = fixture_spy(f);
    unsigned expired = 0, smis = 0;
    static Bench b;

    make_bus(f, &b);
    i6300esb_new(b.bus, PCI_DEVFN(3, 0), f->clock, &smi->irq, count, &expired);
    start(f, &b);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        arm(f, &b);
        pci_config_write(b.bus, 0, PCI_DEVFN(3, 0), 0x60, rows[i].type, 2);
        fixture_advance(f, 3 * SECOND / 2);
        smis += rows[i].smis;
        assert_int_equal(smi->rises, smis);
        assert_int_equal(smi->level, 0);
        assert_int_equal(fixture_read(f, BAR + 8, 4), rows[i].status);
        fixture_write(f, BAR + 8, 1, 4);
        assert_int_equal(fixture_read(f, BAR + 8, 4), 0);
        unlocked(f, 0xc, 0x100);
    }
    assert_int_equal(expired, 0);
}

static void test_watchdog_lock(void **state)
{
    Fixture *f = *state;
    IrqSpy *smi = fixture_spy(f);
    unsigned expired = 0;
    static Bench b;

    make_bus(f, &b);
    i6300esb_new(b.bus, PCI_DEVFN(3, 0), f->clock, &smi->irq, count, &expired);
    start(f, &b);
    arm(f, &b);
    pci_config_write(b.bus, 0, PCI_DEVFN(3, 0), 0x68, 3, 1);
    pci_config_write(b.bus, 0, PCI_DEVFN(3, 0), 0x68, 0, 1); /* it cannot be stopped */
    fixture_advance(f, 5 * SECOND / 2);
    assert_int_equal(expired, 1);
    fixture_reset(f);
    start(f, &b);
    arm(f, &b);
    pci_config_write(b.bus, 0, PCI_DEVFN(3, 0), 0x68, 0, 1);
    fixture_advance(f, 100 * SECOND);
    assert_int_equal(expired, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_pvpanic),       hw_test(test_parallel),
        hw_test(test_pc_testdev),    hw_test(test_pci_testdev),
        hw_test(test_edu_computes),  hw_test(test_edu_sends_messages),
        hw_test(test_edu_copies),    hw_test(test_watchdog),
        hw_test(test_watchdog_lock), hw_test(test_watchdog_first_stage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
