/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/smbios.h"

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t total = 0;

    while (len--)
        total += *p++;
    return total;
}

static const uint8_t *get_file(FwCfg *fw, const char *name, gsize *size)
{
    GBytes *data = fw_cfg_find_file(fw, name);

    assert_non_null(data);
    return g_bytes_get_data(data, size);
}

/* The structure after @p: its formatted part, then strings up to two zeros. */
static const uint8_t *next(const uint8_t *p)
{
    p += p[1];
    while (p[0] || p[1])
        p++;
    return p + 2;
}

static unsigned count_type(const uint8_t *p, const uint8_t *end, uint8_t type)
{
    unsigned n = 0;

    for (; p < end; p = next(p))
        n += p[0] == type;
    return n;
}

typedef struct Expected {
    uint8_t type, length;
    unsigned count;
} Expected;

static const Expected expected[] = {
    { 0, 0, 0 },     { 1, 0x1b, 1 },  { 3, 0x16, 1 },  { 4, 0x2a, 2 },   { 16, 0x17, 1 },
    { 17, 0x28, 2 }, { 19, 0x1f, 2 }, { 32, 0x0b, 1 }, { 127, 0x04, 1 },
};

static void test_tables(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    SmbiosConfig c = { "pc-i440fx-7.2", 2, 4, 2, 0x60fb1, 20ull << 30, 3ull << 30 };
    unsigned structures = 0, largest = 0;
    gsize anchor_size, size;

    fixture_start(f);
    smbios_add_tables(fw, &c);
    const uint8_t *anchor = get_file(fw, "etc/smbios/smbios-anchor", &anchor_size);
    const uint8_t *tables = get_file(fw, "etc/smbios/smbios-tables", &size);
    assert_int_equal(anchor_size, 0x1f);
    assert_int_equal(sum(anchor, 0x1f), 0);
    assert_int_equal(sum(anchor + 0x10, 0x0f), 0);
    assert_memory_equal(anchor, "_SM_", 4);
    assert_int_equal(anchor[0x16] | anchor[0x17] << 8, size);
    for (const uint8_t *p = tables; p < tables + size; p = next(p)) {
        structures++;
        largest = MAX(largest, next(p) - p);
        for (int i = 0; i < G_N_ELEMENTS(expected); i++) {
            if (p[0] == expected[i].type)
                assert_int_equal(p[1], expected[i].length);
        }
    }
    assert_int_equal(anchor[0x1c] | anchor[0x1d] << 8, structures);
    assert_int_equal(anchor[0x08] | anchor[0x09] << 8, largest);
    for (int i = 0; i < G_N_ELEMENTS(expected); i++)
        assert_int_equal(count_type(tables, tables + size, expected[i].type), expected[i].count);
    assert_string_equal((const char *)tables + tables[1], "QEMU");
}

int main(void)
{
    const struct CMUnitTest tests[] = { hw_test(test_tables) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
