/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "hw/edid.h"

/* The first timing, as a driver reads it. */
static void test_timing(void **state)
{
    static const struct {
        unsigned xres, yres, clock; /* 10 kHz */
    } rows[] = {
        { 1280, 800, 7214 },    { 640, 480, 2472 }, { 1, 1, 34 },
        { 4095, 4095, 0xffff }, { 4095, 1, 919 },
    };

    for (int i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t e[EDID_BYTES], sum = 0;

        edid_make(e, rows[i].xres, rows[i].yres);
        for (int n = 0; n < EDID_BYTES; n++)
            sum += e[n];
        assert_int_equal(sum, 0);
        assert_memory_equal(e, "\x00\xff\xff\xff\xff\xff\xff\x00", 8);
        assert_int_equal(e[54] | e[55] << 8, rows[i].clock);
        assert_int_equal(e[56] | (e[58] & 0xf0) << 4, rows[i].xres);
        assert_int_equal(e[59] | (e[61] & 0xf0) << 4, rows[i].yres);
        assert_int_equal(e[57] | (e[58] & 0x0f) << 8, 160);
        assert_int_equal(e[60] | (e[61] & 0x0f) << 8, 35);
        assert_memory_equal(e + 72, "\0\0\0\xfc\0Mimus\n       ", 18);
        assert_int_equal(e[126], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_timing) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
