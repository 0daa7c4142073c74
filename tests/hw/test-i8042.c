/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include "hw/i8042.h"

enum { DATA = 0x60, CMD = 0x64 };

typedef struct Bench {
    Device *dev;
    IrqSpy *kbd, *mouse, *a20, *reset;
} Bench;

static Bench start(Fixture *f)
{
    Bench b = { .kbd = fixture_spy(f),
                .mouse = fixture_spy(f),
                .a20 = fixture_spy(f),
                .reset = fixture_spy(f) };
    I8042Wiring w = { &f->io_root, &b.kbd->irq, &b.mouse->irq, &b.a20->irq, &b.reset->irq };

    b.dev = i8042_new(f->root, &w);
    fixture_start(f);
    return b;
}

static void command(Fixture *f, uint8_t c)
{
    fixture_outb(f, CMD, c);
}

static void command_with(Fixture *f, uint8_t c, uint8_t arg)
{
    fixture_outb(f, CMD, c);
    fixture_outb(f, DATA, arg);
}

/* The bytes waiting at port 0x60, in order, then nothing. */
static void expect(Fixture *f, const uint8_t *bytes, unsigned len, bool aux)
{
    for (unsigned i = 0; i < len; i++) {
        assert_int_equal(fixture_inb(f, CMD) & 0x21, aux ? 0x21 : 0x01);
        assert_int_equal(fixture_inb(f, DATA), bytes[i]);
    }
    assert_int_equal(fixture_inb(f, CMD) & 0x21, 0);
}

#define EXPECT(f, aux, ...) \
    expect(f, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), aux)

static void test_controller_commands(void **state)
{
    static const struct {
        uint8_t command, answer;
    } rows[] = { { 0xaa, 0x55 }, { 0xab, 0x00 }, { 0xa9, 0x00 }, { 0xa4, 0xf1 }, { 0xc0, 0x80 } };
    Fixture *f = *state;

    start(f);
    assert_int_equal(fixture_inb(f, CMD), 0x18);
    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        command(f, rows[i].command);
        EXPECT(f, false, rows[i].answer);
    }
    assert_int_equal(fixture_inb(f, CMD) & 0x04, 0x04); /* the self test passed */
    command_with(f, 0x60, 0x47);
    command(f, 0x20);
    EXPECT(f, false, 0x47);
    command_with(f, 0x65, 0x99); /* a cell of its RAM */
    command(f, 0x25);
    EXPECT(f, false, 0x99);
    command(f, 0xad);
    command(f, 0xa7);
    command(f, 0x20);
    EXPECT(f, false, 0x77);
    command(f, 0xae);
    command(f, 0xa8);
    command(f, 0x20);
    EXPECT(f, false, 0x47);
}

static void test_loop_back(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    command_with(f, 0xd3, 0xa5);
    assert_int_equal(b.mouse->level, 1);
    assert_int_equal(b.kbd->level, 0);
    EXPECT(f, true, 0xa5);
    assert_int_equal(b.mouse->level, 0);
    command_with(f, 0xd2, 0x5a);
    assert_int_equal(b.kbd->level, 1);
    EXPECT(f, false, 0x5a);
    command_with(f, 0x60, 0x00); /* interrupts off */
    command_with(f, 0xd3, 0xa5);
    assert_int_equal(b.mouse->level, 0);
    EXPECT(f, true, 0xa5);
}

static void test_a20_and_reset(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    assert_int_equal(b.a20->level, 1);
    command(f, 0xdd);
    assert_int_equal(b.a20->level, 0);
    command(f, 0xdf);
    assert_int_equal(b.a20->level, 1);
    command_with(f, 0xd1, 0xdd);
    assert_int_equal(b.a20->level, 0);
    command(f, 0xd0);
    EXPECT(f, false, 0xcd & ~0x02); /* A20 low, reset high, buffer then empty */
    assert_int_equal(b.reset->rises, 0);
    command(f, 0xff);
    assert_int_equal(b.reset->rises, 0);
    command(f, 0xfe);
    assert_int_equal(b.reset->rises, 1);
    command_with(f, 0xd1, 0xde);
    assert_int_equal(b.reset->rises, 2);
}

static void test_keyboard_commands(void **state)
{
    Fixture *f = *state;

    start(f);
    fixture_outb(f, DATA, 0xff);
    EXPECT(f, false, 0xfa, 0xaa);
    fixture_outb(f, DATA, 0xf2);
    EXPECT(f, false, 0xfa, 0xab, 0x83);
    fixture_outb(f, DATA, 0xee);
    EXPECT(f, false, 0xee);
    fixture_outb(f, DATA, 0xfe);
    EXPECT(f, false, 0xee);
    fixture_outb(f, DATA, 0xed);
    EXPECT(f, false, 0xfa);
    fixture_outb(f, DATA, 0x05);
    EXPECT(f, false, 0xfa);
    fixture_outb(f, DATA, 0xf0);
    EXPECT(f, false, 0xfa);
    fixture_outb(f, DATA, 0x00);
    EXPECT(f, false, 0xfa, 0x02);
    fixture_outb(f, DATA, 0xf3);
    EXPECT(f, false, 0xfa);
    fixture_outb(f, DATA, 0xf4); /* a command instead of the rate */
    EXPECT(f, false, 0xfa);
    fixture_outb(f, DATA, 0x77);
    EXPECT(f, false, 0xfe);
}

typedef struct KeyRow {
    uint8_t key, set;
    uint8_t make[9], brk[7];
} KeyRow;

static const KeyRow keys[] = {
    { 0x1e, 2, { 1, 0x1c }, { 2, 0xf0, 0x1c } }, /* A */
    { 0x1e, 1, { 1, 0x1e }, { 1, 0x9e } },
    { 0x1e, 3, { 1, 0x1c }, { 2, 0xf0, 0x1c } },
    { 0x41, 2, { 1, 0x83 }, { 2, 0xf0, 0x83 } },             /* F7 */
    { 0xc8, 2, { 2, 0xe0, 0x75 }, { 3, 0xe0, 0xf0, 0x75 } }, /* up */
    { 0xc8, 1, { 2, 0xe0, 0x48 }, { 2, 0xe0, 0xc8 } },
    { 0xc8, 3, { 1, 0x63 }, { 2, 0xf0, 0x63 } },
    { 0xb7, 2, { 4, 0xe0, 0x12, 0xe0, 0x7c }, { 6, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12 } },
    { 0xc6, 2, { 8, 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77 }, { 0 } },
};

static void test_scan_sets(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    command_with(f, 0x60, 0x03); /* no translation */
    for (int i = 0; i < G_N_ELEMENTS(keys); i++) {
        fixture_outb(f, DATA, 0xf0);
        EXPECT(f, false, 0xfa);
        fixture_outb(f, DATA, keys[i].set);
        EXPECT(f, false, 0xfa);
        i8042_key(b.dev, keys[i].key, true);
        expect(f, keys[i].make + 1, keys[i].make[0], false);
        i8042_key(b.dev, keys[i].key, false);
        expect(f, keys[i].brk + 1, keys[i].brk[0], false);
    }
}

static void test_translation(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    command_with(f, 0x60, 0x43);
    for (unsigned key = 1; key <= 0x58; key++) {
        if (key == 0x54 || key == 0x55 || key == 0x46)
            continue;
        i8042_key(b.dev, key, true);
        EXPECT(f, false, key);
        i8042_key(b.dev, key, false);
        EXPECT(f, false, key | 0x80);
    }
    i8042_key(b.dev, 0xcb, true);
    EXPECT(f, false, 0xe0, 0x4b);
    i8042_key(b.dev, 0xcb, false);
    EXPECT(f, false, 0xe0, 0xcb);
    fixture_outb(f, DATA, 0xf2);
    EXPECT(f, false, 0xfa, 0xab, 0x41);
}

static void test_keys_wait(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    command_with(f, 0x60, 0x11); /* keyboard off */
    i8042_key(b.dev, 0x1e, true);
    assert_int_equal(fixture_inb(f, CMD) & 1, 0);
    command(f, 0xae);
    assert_int_equal(b.kbd->level, 1);
    EXPECT(f, false, 0x1c);
    for (int i = 0; i < 100; i++)
        i8042_key(b.dev, 0x1e, true); /* overflows: the rest is lost */
    for (int i = 0; i < 17; i++)
        assert_int_equal(fixture_inb(f, DATA), 0x1c);
    assert_int_equal(fixture_inb(f, CMD) & 1, 0);
}

static void mouse_command(Fixture *f, uint8_t c)
{
    command_with(f, 0xd4, c);
}

static void test_mouse(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    mouse_command(f, 0xff);
    EXPECT(f, true, 0xfa, 0xaa, 0x00);
    i8042_mouse(b.dev, 5, 5, 0, 0); /* not enabled yet */
    assert_int_equal(fixture_inb(f, CMD) & 1, 0);
    mouse_command(f, 0xf4);
    EXPECT(f, true, 0xfa);
    i8042_mouse(b.dev, 5, -3, 0, 1);
    assert_int_equal(b.mouse->level, 1);
    EXPECT(f, true, 0x29, 5, 0xfd);
    i8042_mouse(b.dev, 300, 0, 0, 0); /* more than a packet holds */
    EXPECT(f, true, 0x08, 255, 0, 0x08, 45, 0);
    mouse_command(f, 0xe9);
    EXPECT(f, true, 0xfa, 0x20, 2, 100);
    mouse_command(f, 0xee);
    EXPECT(f, true, 0xfa);
    mouse_command(f, 0xf2);
    EXPECT(f, true, 0xf2); /* wrapped */
    mouse_command(f, 0xec);
    EXPECT(f, true, 0xfa);
}

static void set_rate(Fixture *f, uint8_t rate)
{
    mouse_command(f, 0xf3);
    EXPECT(f, true, 0xfa);
    mouse_command(f, rate);
    EXPECT(f, true, 0xfa);
}

static void test_wheel(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    set_rate(f, 200);
    set_rate(f, 100);
    set_rate(f, 80);
    mouse_command(f, 0xf2);
    EXPECT(f, true, 0xfa, 3);
    mouse_command(f, 0xf4);
    EXPECT(f, true, 0xfa);
    i8042_mouse(b.dev, 1, 1, -1, 4);
    EXPECT(f, true, 0x0c, 1, 1, 0xff);
    set_rate(f, 200);
    set_rate(f, 200);
    set_rate(f, 80);
    mouse_command(f, 0xf2);
    EXPECT(f, true, 0xfa, 4);
    i8042_mouse(b.dev, 0, 0, 1, 0x10);
    EXPECT(f, true, 0x08, 0, 0, 0x21);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Bench b = start(f);

    for (unsigned seed = 0; seed < 8; seed++) {
        fixture_abuse(f, f->io, 0x60, 5, 300, seed);
        i8042_key(b.dev, seed * 37, true);
        i8042_mouse(b.dev, 1000, -1000, 100, 0xffff);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_controller_commands),
        hw_test(test_loop_back),
        hw_test(test_a20_and_reset),
        hw_test(test_keyboard_commands),
        hw_test(test_scan_sets),
        hw_test(test_translation),
        hw_test(test_keys_wait),
        hw_test(test_mouse),
        hw_test(test_wheel),
        hw_test(test_abuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
