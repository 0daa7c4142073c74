/* SPDX-License-Identifier: MIT */
/* DMA: registers through the flip-flop, transfers of bytes and words, terminal count. */
#include "hw/i8237.h"
#include "tests/hw/fixture.h"

#include <string.h>

static Device *start(Fixture *f)
{
    Device *dma = i8237_new(f->root, &f->io_root, f->memory);

    fixture_start(f);
    return dma;
}

static void program(Fixture *f, uint8_t mode, uint32_t addr, uint16_t count)
{
    fixture_outb(f, 0x0a, 6); /* mask 2 */
    fixture_outb(f, 0x0c, 0);
    fixture_outb(f, 0x0b, mode | 2);
    fixture_outb(f, 0x04, addr);
    fixture_outb(f, 0x04, addr >> 8);
    fixture_outb(f, 0x05, count);
    fixture_outb(f, 0x05, count >> 8);
    fixture_outb(f, 0x81, addr >> 16);
    fixture_outb(f, 0x0a, 2);
}

static void test_registers(void **state)
{
    Fixture *f = *state;

    start(f);
    assert_int_equal(fixture_inb(f, 0x0f), 0xff);
    program(f, 0x44, 0x12345, 0x6789);
    assert_int_equal(fixture_inb(f, 0x04), 0x45);
    assert_int_equal(fixture_inb(f, 0x04), 0x23);
    assert_int_equal(fixture_inb(f, 0x05), 0x89);
    assert_int_equal(fixture_inb(f, 0x05), 0x67);
    assert_int_equal(fixture_inb(f, 0x81), 0x01);
    assert_int_equal(fixture_inb(f, 0x0f), 0xfb);
    fixture_outb(f, 0xde, 0x05);
    assert_int_equal(fixture_inb(f, 0xde), 0xf5);
    fixture_outb(f, 0x0d, 0);
    assert_int_equal(fixture_inb(f, 0x0f), 0xff);
}

/* Disabled by the command register: the channel sleeps until it is enabled again. */
static void test_controller_disable(void **state)
{
    Fixture *f = *state;
    Device *dma = start(f);
    uint8_t byte = 1;
    bool tc;

    fixture_outb(f, 0x08, 0x04);
    program(f, 0x44, 0x1000, 7);
    fixture_roundtrip(f);
    assert_int_equal(i8237_transfer(dma, 2, true, &byte, 1, &tc), 0);
    fixture_outb(f, 0x08, 0x00);
    fixture_roundtrip(f);
    assert_int_equal(i8237_transfer(dma, 2, true, &byte, 1, &tc), 1);
}

static void test_to_memory(void **state)
{
    Fixture *f = *state;
    Device *dma = start(f);
    uint8_t data[600];
    bool tc;

    memset(data, 0x5a, sizeof(data));
    program(f, 0x44, 0x12340, 511);
    assert_int_equal(i8237_transfer(dma, 2, false, data, 512, &tc), 0); /* other direction */
    fixture_roundtrip(f);
    assert_int_equal(i8237_transfer(dma, 2, true, data, 100, &tc), 100);
    assert_false(tc);
    fixture_roundtrip(f);
    assert_int_equal(i8237_transfer(dma, 2, true, data, 500, &tc), 412);
    assert_true(tc);
    assert_int_equal(f->ram_block->host[0x12340], 0x5a);
    assert_int_equal(f->ram_block->host[0x12340 + 511], 0x5a);
    assert_int_equal(f->ram_block->host[0x12340 + 512], 0);
    assert_int_equal(fixture_inb(f, 0x08) & 4, 4);
    assert_int_equal(fixture_inb(f, 0x08) & 4, 0);
    assert_int_equal(i8237_transfer(dma, 2, true, data, 1, &tc), 0); /* masked by TC */
}

static void test_auto_and_wrap(void **state)
{
    Fixture *f = *state;
    Device *dma = start(f);
    uint8_t data[32];
    bool tc;

    for (unsigned i = 0; i < 32; i++)
        f->ram_block->host[(0x2fff0 + i) % 0x10000 + 0x20000] = i;
    program(f, 0x58, 0x2fff0, 31); /* wraps within 64 KiB */
    for (unsigned round = 0; round < 2; round++) {
        memset(data, 0, sizeof(data));
        assert_int_equal(i8237_transfer(dma, 2, false, data, 64, &tc), 32);
        assert_true(tc);
        for (unsigned i = 0; i < 32; i++)
            assert_int_equal(data[i], i);
    }
}

static void test_words(void **state)
{
    Fixture *f = *state;
    Device *dma = start(f);
    uint8_t data[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    bool tc;

    fixture_outb(f, 0xd6, 0x45); /* channel 5 */
    fixture_outb(f, 0xc4, 0x00);
    fixture_outb(f, 0xc4, 0x80);
    fixture_outb(f, 0xc6, 3);
    fixture_outb(f, 0xc6, 0);
    fixture_outb(f, 0x8b, 0x03);
    fixture_outb(f, 0xd4, 1);
    assert_int_equal(i8237_transfer(dma, 5, true, data, 7, &tc), 6);
    assert_int_equal(i8237_transfer(dma, 5, true, data + 6, 2, &tc), 2);
    assert_true(tc);
    assert_memory_equal(f->ram_block->host + 0x30000, data, 8);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;
    Device *dma = start(f);
    uint8_t data[256] = { 0 };
    bool tc;

    for (unsigned seed = 1; seed < 20; seed++) {
        fixture_abuse(f, f->io, 0, 16, 300, seed);
        fixture_abuse(f, f->io, 0xc0, 32, 300, seed);
        fixture_abuse(f, f->io, 0x81, 15, 100, seed);
        for (unsigned ch = 0; ch < 8; ch++) {
            if (ch != 4)
                i8237_transfer(dma, ch, seed & 1, data, sizeof(data), &tc);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_registers), hw_test(test_controller_disable),
        hw_test(test_to_memory), hw_test(test_auto_and_wrap),
        hw_test(test_words),     hw_test(test_abuse),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
