/* SPDX-License-Identifier: MIT */
/* ACPI power management: timer, events and SCI, sleep, SMI command port, SMBus. */
#include "hw/piix4-pm.h"
#include "tests/hw/fixture.h"

#define PM  0x600
#define SMB 0x700

typedef struct Bench {
    Fixture *f;
    PciBus *bus;
    Device *pm;
    IrqSpy *sci, *smi, *shutdown, *suspend;
} Bench;

static void config(Bench *b, unsigned off, uint32_t value, unsigned size)
{
    pci_config_write(b->bus, 0, PCI_DEVFN(1, 3), off, value, size);
}

static Bench start_with(void **state, bool smm)
{
    Bench b = { .f = *state };

    b.sci = fixture_spy(b.f);
    b.smi = fixture_spy(b.f);
    b.shutdown = fixture_spy(b.f);
    b.suspend = fixture_spy(b.f);
    b.bus = pci_bus_new(b.f->root, &b.f->memory_root, &b.f->io_root);
    b.pm = piix4_pm_new(b.bus, &(Piix4PmWiring){ .ports = &b.f->io_root,
                                                 .clock = b.f->clock,
                                                 .sci = &b.sci->irq,
                                                 .smi = &b.smi->irq,
                                                 .shutdown = &b.shutdown->irq,
                                                 .suspend = &b.suspend->irq,
                                                 .smm = smm });
    fixture_start(b.f);
    return b;
}

/* As SeaBIOS sets it up. */
static Bench start(void **state)
{
    Bench b = start_with(state, false);

    config(&b, 0x40, PM | 1, 4);
    config(&b, 0x80, 1, 1);
    config(&b, 0x90, SMB | 1, 4);
    config(&b, 0xd2, 9, 1);
    return b;
}

static void test_identity_and_base(void **state)
{
    Bench b = start_with(state, false);

    assert_int_equal(pci_config_read(b.bus, 0, 0xb, 0, 4), 0x71138086);
    assert_int_equal(pci_config_read(b.bus, 0, 0xb, 8, 4), 0x06800003);
    assert_int_equal(pci_config_read(b.bus, 0, 0xb, 0x58, 4), 0x02000000);
    assert_int_equal(fixture_inl(b.f, PM + 8), 0xffffffff);
    config(&b, 0x40, 0xffffffff, 4);
    assert_int_equal(pci_config_read(b.bus, 0, 0xb, 0x40, 4), 0xffc1);
    config(&b, 0x40, PM | 1, 4);
    config(&b, 0x80, 1, 1);
    assert_int_not_equal(fixture_inl(b.f, PM + 8), 0xffffffff);
    config(&b, 0x40, 0x1001, 4);
    assert_int_equal(fixture_inl(b.f, PM + 8), 0xffffffff);
    assert_int_not_equal(fixture_inl(b.f, 0x1008), 0xffffffff);
}

static void test_timer(void **state)
{
    Bench b = start(state);

    fixture_advance(b.f, NS_PER_SEC);
    assert_int_equal(fixture_inl(b.f, PM + 8), 3579545);
    fixture_advance(b.f, 4 * NS_PER_SEC);
    assert_int_equal(fixture_inl(b.f, PM + 8), 5 * 3579545 - (1 << 24));
    fixture_outl(b.f, PM + 8, 0);
    assert_int_equal(fixture_inl(b.f, PM + 8), 5 * 3579545 - (1 << 24));
}

/* Bit 23 changes every 2.343 s. */
static void test_timer_overflow(void **state)
{
    Bench b = start(state);

    fixture_advance(b.f, 2343484000);
    assert_int_equal(fixture_inw(b.f, PM), 0);
    fixture_advance(b.f, 1000000);
    assert_int_equal(fixture_inw(b.f, PM), 1);
    assert_int_equal(b.sci->level, 0);
    fixture_outb(b.f, 0xb2, PIIX4_ACPI_ENABLE);
    fixture_outw(b.f, PM + 2, 1);
    assert_int_equal(b.sci->level, 1);
    fixture_outb(b.f, PM + 1, 0xff); /* the other byte */
    assert_int_equal(b.sci->level, 1);
    fixture_outb(b.f, PM, 1);
    assert_int_equal(b.sci->level, 0);
    fixture_advance(b.f, 2342000000);
    assert_int_equal(b.sci->level, 0);
    fixture_advance(b.f, 2000000);
    assert_int_equal(b.sci->level, 1);
}

static void test_power_button(void **state)
{
    Bench b = start(state);

    fixture_outw(b.f, PM + 2, 0x100);
    piix4_pm_powerdown(b.pm);
    assert_int_equal(b.sci->level, 0); /* SCI_EN is off */
    assert_int_equal(fixture_inw(b.f, PM + 4), 0);
    fixture_outb(b.f, 0xb2, PIIX4_ACPI_ENABLE);
    assert_int_equal(fixture_inw(b.f, PM + 4), 1);
    assert_int_equal(b.sci->level, 1);
    assert_int_equal(fixture_inw(b.f, PM), 0x100);
    fixture_outw(b.f, PM, 0x100);
    assert_int_equal(b.sci->level, 0);
    fixture_outb(b.f, 0xb2, PIIX4_ACPI_DISABLE);
    assert_int_equal(fixture_inw(b.f, PM + 4), 0);
}

static void test_sleep(void **state)
{
    Bench b = start(state);

    fixture_outw(b.f, PM + 4, 0x0001);
    assert_int_equal(b.shutdown->rises + b.suspend->rises, 0);
    fixture_outw(b.f, PM + 4, 0x2401);
    assert_int_equal(b.suspend->rises, 1);
    assert_int_equal(fixture_inw(b.f, PM + 4), 0x0401); /* SLP_EN reads 0 */
    fixture_outw(b.f, PM + 2, PIIX4_PM_RTC);
    assert_true(piix4_pm_may_wake(b.pm, PIIX4_PM_RTC));
    assert_false(piix4_pm_may_wake(b.pm, PIIX4_PM_BUTTON));
    piix4_pm_wakeup(b.pm, PIIX4_PM_RTC);
    assert_int_equal(fixture_inw(b.f, PM), 0x8400);
    assert_int_equal(b.shutdown->rises, 0);
    fixture_outw(b.f, PM + 4, 0x2001);
    assert_int_equal(b.shutdown->rises, 1);
}

static void test_gpe(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, 0xb2, PIIX4_ACPI_ENABLE);
    piix4_pm_set_gpe(b.pm, 9, 1);
    assert_int_equal(fixture_inl(b.f, PIIX4_PM_GPE0_BASE), 0x0200);
    fixture_outb(b.f, PIIX4_PM_GPE0_BASE + 3, 0x02);
    assert_int_equal(b.sci->level, 1);
    fixture_outb(b.f, PIIX4_PM_GPE0_BASE + 1, 0x02); /* still asserted */
    assert_int_equal(b.sci->level, 1);
    piix4_pm_set_gpe(b.pm, 9, 0);
    fixture_outw(b.f, PIIX4_PM_GPE0_BASE, 0x0200);
    assert_int_equal(b.sci->level, 0);
}

static void test_smi(void **state)
{
    Bench b = start_with(state, true);

    assert_int_equal(pci_config_read(b.bus, 0, 0xb, 0x58, 4), 0);
    fixture_outb(b.f, 0xb2, 5);
    assert_int_equal(b.smi->rises, 0);
    config(&b, 0x58, 0x02000000, 4);
    fixture_outb(b.f, 0xb2, 6);
    assert_int_equal(b.smi->rises, 1);
    assert_int_equal(fixture_inb(b.f, 0xb2), 6);
    fixture_outb(b.f, 0xb3, 0x77);
    assert_int_equal(fixture_inb(b.f, 0xb3), 0x77);
    assert_int_equal(b.smi->rises, 1);
}

static void test_smbus(void **state)
{
    Bench b = start(state);

    fixture_outb(b.f, SMB + 4, 0xa1);
    fixture_outb(b.f, SMB + 3, 2);
    assert_int_equal(fixture_inb(b.f, SMB), 0);
    fixture_outb(b.f, SMB + 2, 0x49); /* start, byte data, interrupt */
    assert_int_equal(fixture_inb(b.f, SMB), 0x04);
    assert_int_equal(b.sci->level, 1);
    fixture_outb(b.f, SMB, 0x04);
    assert_int_equal(fixture_inb(b.f, SMB), 0);
    assert_int_equal(b.sci->level, 0);
    for (unsigned i = 0; i < 40; i++)
        fixture_outb(b.f, SMB + 7, i);
    fixture_inb(b.f, SMB + 2);
    assert_int_equal(fixture_inb(b.f, SMB + 7), 32);
}

static void test_abuse(void **state)
{
    Bench b = start(state);

    for (unsigned seed = 1; seed < 20; seed++) {
        fixture_abuse(b.f, b.f->io, PM, 64, 300, seed);
        fixture_abuse(b.f, b.f->io, SMB, 16, 300, seed);
        fixture_abuse(b.f, b.f->io, PIIX4_PM_GPE0_BASE, 4, 30, seed);
        fixture_abuse(b.f, b.f->io, 0xb2, 2, 30, seed);
        for (unsigned off = 4; off < 256; off += 4)
            config(&b, off, seed * 0x9e3779b9u * off, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_identity_and_base),
        hw_test(test_timer),
        hw_test(test_timer_overflow),
        hw_test(test_power_button),
        hw_test(test_sleep),
        hw_test(test_gpe),
        hw_test(test_smi),
        hw_test(test_smbus),
        hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
