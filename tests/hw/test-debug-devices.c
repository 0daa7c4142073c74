/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include "hw/debug-devices.h"

static void note_status(void *opaque, int status)
{
    *(int *)opaque = status;
}

static void test_debug_exit(void **state)
{
    Fixture *f = *state;
    int status = -1;

    debug_exit_new(f->root, &f->io_root, 0xf4, 4, note_status, &status);
    fixture_start(f);
    assert_int_equal(fixture_inb(f, 0xf4), 0);
    assert_int_equal(status, -1);
    fixture_outl(f, 0xf4, 0x10);
    assert_int_equal(status, 0x21);
    fixture_outb(f, 0xf7, 0);
    assert_int_equal(status, 1);
    fixture_outb(f, 0xf8, 5); /* beyond it */
    assert_int_equal(status, 1);
}

static void test_debugcon(void **state)
{
    Fixture *f = *state;
    GByteArray *out = g_byte_array_new();
    Chardev *chr = chardev_new_memory(out);

    debugcon_new(f->root, &f->io_root, 0xe9, 0xe9, chr);
    fixture_start(f);
    assert_int_equal(fixture_inb(f, 0xe9), 0xe9);
    fixture_outb(f, 0xe9, 'o');
    fixture_outb(f, 0xe9, 'k');
    assert_int_equal(out->len, 2);
    assert_memory_equal(out->data, "ok", 2);
    device_unrealize(f->root);
    chardev_free(chr);
    g_byte_array_unref(out);
}

static void test_port80(void **state)
{
    Fixture *f = *state;

    port80_new(f->root, &f->io_root);
    fixture_start(f);
    fixture_outb(f, 0x80, 0x42);
    assert_int_equal(fixture_inb(f, 0x80), 0xff);
}

static void test_ferr(void **state)
{
    Fixture *f = *state;
    IrqSpy *irq = fixture_spy(f), *ignne = fixture_spy(f);
    Device *dev = ferr_new(f->root, &f->io_root, &irq->irq, &ignne->irq);

    fixture_start(f);
    ferr_set(dev, 1);
    assert_int_equal(irq->level, 1);
    ferr_set(dev, 0); /* the latch holds */
    fixture_roundtrip(f);
    assert_int_equal(irq->level, 1);
    fixture_outb(f, 0xf0, 0);
    assert_int_equal(irq->level, 0);
    assert_int_equal(ignne->level, 0); /* FERR# is not asserted */
    ferr_set(dev, 1);
    assert_int_equal(ignne->level, 0);
    fixture_outb(f, 0xf0, 0);
    assert_int_equal(irq->level, 0);
    assert_int_equal(ignne->level, 1);
    fixture_roundtrip(f);
    ferr_set(dev, 0);
    assert_int_equal(ignne->level, 0);
    ferr_set(dev, 1);
    fixture_outb(f, 0xf0, 0);
    fixture_reset(f);
    assert_int_equal(irq->level, 0);
    assert_int_equal(ignne->level, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_debug_exit),
        hw_test(test_debugcon),
        hw_test(test_port80),
        hw_test(test_ferr),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
