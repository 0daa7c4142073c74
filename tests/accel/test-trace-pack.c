/* SPDX-License-Identifier: MIT */
/* Numbers of a native trace's streams: the bytes that they are to be, by the quickest way, too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "accel/plugin/trace-pack.h"

enum { MOST = 700 };

typedef struct Packed {
    uint8_t lengths[MOST + TRACE_PACK_MORE];
    uint8_t addrs[8 * MOST + TRACE_PACK_MORE], values[8 * MOST + TRACE_PACK_MORE];
    TraceEnds ends;
} Packed;

static void pack(TracePackFn *fn, Packed *p, const uint64_t *addr, const uint64_t *value,
                 unsigned n)
{
    memset(p, 0, sizeof(*p));
    p->ends = (TraceEnds){ p->lengths, p->addrs, p->values };
    fn(&p->ends, addr, value, n);
}

static void assert_same(const uint8_t *a, const uint8_t *a_end, const uint8_t *b,
                        const uint8_t *b_end)
{
    assert_int_equal(a_end - a, b_end - b);
    assert_memory_equal(a, b, (size_t)(a_end - a));
}

/* Of every length, either sign. */
static uint64_t some_number(void)
{
    unsigned bits = (unsigned)rand() % 66;
    uint64_t v = (uint64_t)rand() << 40 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand();

    v = bits == 0 ? 0 : bits > 64 ? UINT64_C(1) << 63 : v >> (64 - bits);
    return rand() % 2 ? v : 0 - v;
}

static void quickest_is_like_plain(void **state)
{
    static Packed plain, best;
    uint64_t addr[MOST], value[MOST];

    for (unsigned round = 0; round < 300; round++) {
        unsigned n = round < 40 ? round : (unsigned)rand() % MOST;
        for (unsigned i = 0; i < n; i++) {
            addr[i] = some_number();
            value[i] = some_number();
        }
        pack(trace_pack_plain, &plain, addr, value, n);
        pack(trace_pack_best(), &best, addr, value, n);
        assert_same(plain.lengths, plain.ends.lengths, best.lengths, best.ends.lengths);
        assert_same(plain.addrs, plain.ends.addrs, best.addrs, best.ends.addrs);
        assert_same(plain.values, plain.ends.values, best.values, best.ends.values);
    }
}

static void bytes_are_as_written_down(void **state)
{
    static const struct {
        uint64_t difference;
        uint8_t code, length, bytes[8];
    } rows[] = {
        { 0, 0, 0, { 0 } },
        { 1, 1, 1, { 2 } },
        { UINT64_MAX, 1, 1, { 1 } },
        { 127, 1, 1, { 0xfe } },
        { 128, 2, 2, { 0, 1 } },
        { (uint64_t)-128, 1, 1, { 0xff } },
        { 0x123456, 3, 3, { 0xac, 0x68, 0x24 } },
        { UINT64_C(1) << 31, 5, 5, { 0, 0, 0, 0, 1 } },
        { UINT64_C(1) << 46, 6, 6, { 0, 0, 0, 0, 0, 0x80 } },
        { UINT64_C(1) << 47, 7, 8, { 0, 0, 0, 0, 0, 0, 1 } },
        { UINT64_C(1) << 63, 7, 8, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
    };

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static Packed p;
        uint64_t addr[8], value[8] = { 0 };

        for (unsigned k = 0; k < 8; k++) /* enough for the wide way */
            addr[k] = rows[i].difference;
        value[3] = rows[i].difference;
        pack(trace_pack_best(), &p, addr, value, 8);
        assert_int_equal(p.ends.lengths - p.lengths, 8);
        assert_int_equal(p.lengths[0], rows[i].code);
        assert_int_equal(p.lengths[3], rows[i].code | rows[i].code << 3);
        assert_int_equal(p.ends.addrs - p.addrs, 8 * rows[i].length);
        assert_int_equal(p.ends.values - p.values, rows[i].length);
        for (unsigned k = 0; k < 8; k++)
            assert_memory_equal(p.addrs + k * rows[i].length, rows[i].bytes, rows[i].length);
        assert_memory_equal(p.values, rows[i].bytes, rows[i].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_are_as_written_down),
        cmocka_unit_test(quickest_is_like_plain),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
