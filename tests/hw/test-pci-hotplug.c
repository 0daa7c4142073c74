/* SPDX-License-Identifier: MIT */
#include "hw/pci-hotplug.h"

#include <string.h>

#include "tests/hw/fixture.h"

enum { UP = PCI_HOTPLUG_BASE, DOWN = UP + 4, EJECT = UP + 8 };

typedef struct Board {
    IrqSpy *event;
    Device *dev;
    uint32_t ejected;
} Board;

static void eject(void *opaque, unsigned slot)
{
    ((Board *)opaque)->ejected |= 1u << slot;
}

static void start(Fixture *f, Board *b)
{
    memset(b, 0, sizeof(*b));
    b->event = fixture_spy(f);
    b->dev = pci_hotplug_new(f->root, &(PciHotplugWiring){ &f->io_root, &b->event->irq, eject, b });
    fixture_start(f);
}

static void test_coming(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    pci_hotplug_plug(b.dev, 4);
    pci_hotplug_plug(b.dev, 31);
    assert_int_equal(spy_take_rises(b.event), 2);
    fixture_roundtrip(f);
    assert_int_equal(fixture_inl(f, UP), 1u << 31 | 1u << 4);
    assert_int_equal(fixture_inl(f, UP), 0); /* told once */
    assert_int_equal(fixture_inl(f, DOWN), 0);
}

static void test_going(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    pci_hotplug_ask(b.dev, 3);
    pci_hotplug_ask(b.dev, 5);
    assert_int_equal(spy_take_rises(b.event), 2);
    assert_int_equal(fixture_inl(f, DOWN), 0x28);
    assert_int_equal(fixture_inl(f, DOWN), 0x28);
    fixture_outl(f, EJECT, 1 << 3 | 1 << 4); /* nobody asked for 4 */
    assert_int_equal(b.ejected, 1 << 3);
    assert_int_equal(fixture_inl(f, DOWN), 0x20);
    fixture_reset(f);
    assert_int_equal(fixture_inl(f, DOWN), 0);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Board b;

    start(f, &b);
    fixture_abuse(f, f->io, UP - 4, PCI_HOTPLUG_BYTES + 8, 2000, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_coming),
        hw_test(test_going),
        hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
