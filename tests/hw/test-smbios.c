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
    assert_true(smbios_add_tables(fw, &c, NULL));
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

/* ---- What the user gives ----------------------------------------------------------------------
 */

static SmbiosOption *fields(unsigned type, const char *pairs)
{
    SmbiosOption *o = g_new0(SmbiosOption, 1);
    g_auto(GStrv) list = g_strsplit(pairs, ",", -1);

    o->type = type;
    o->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    for (char **pair = list; *pair; pair++) {
        char *equals = strchr(*pair, '=');
        g_hash_table_insert(o->fields, g_strndup(*pair, equals - *pair), g_strdup(equals + 1));
    }
    return o;
}

static void free_option(void *p)
{
    SmbiosOption *o = p;

    g_clear_pointer(&o->fields, g_hash_table_unref);
    g_clear_pointer(&o->structure, g_bytes_unref);
    g_free(o);
}

static const uint8_t *find_type(const uint8_t *p, gsize size, uint8_t type)
{
    for (const uint8_t *end = p + size; p < end; p = next(p))
        if (p[0] == type)
            return p;
    return NULL;
}

/* The strings of a structure, each followed by "|". */
static char *strings_of(const uint8_t *p)
{
    GString *text = g_string_new("");

    for (p += p[1]; *p; p += strlen((const char *)p) + 1)
        g_string_append_printf(text, "%s|", (const char *)p);
    return g_string_free(text, FALSE);
}

/* type, fields, its strings, and a byte of it */
static const struct {
    unsigned type;
    const char *fields, *strings;
    unsigned offset;
    uint8_t value;
} field_rows[] = {
    { 0, "vendor=V,date=D,release=3.4", "V|D|", 0x14, 3 },
    { 0, "version=1,release=3.4", "1|", 0x15, 4 },
    { 0, "uefi=on", "", 0x13, 0x1c },
    { 0, "uefi=off", "", 0x13, 0x14 },
    { 1, "product=P,serial=S,family=F", "QEMU|P|pc-i440fx-7.2|S|F|", 0x07, 4 },
    { 1, "manufacturer=,sku=K", "Standard PC (i440FX + PIIX, 1996)|pc-i440fx-7.2|K|", 0x04, 0 },
    { 2, "asset=A,location=L", "QEMU|Standard PC (i440FX + PIIX, 1996)|pc-i440fx-7.2|A|L|", 0x0d,
      10 },
    { 3, "serial=S,asset=A,sku=K", "QEMU|pc-i440fx-7.2|S|A|K|", 0x15, 5 },
    { 4, "sock_pfx=X,part=P,max-speed=513", "X0|QEMU|pc-i440fx-7.2|P|", 0x15, 2 },
    { 4, "processor-id=0x1122334455667788", "CPU 0|QEMU|pc-i440fx-7.2|", 0x0f, 0x11 },
    { 8, "internal_reference=I,external_reference=E,connector_type=4,port_type=5", "I|E|", 0x08,
      5 },
    { 8, "external_reference=E,connector_type=4", "E|", 0x07, 4 },
    { 41, "designation=D,kind=ethernet,instance=3", "D|", 0x05, 0x85 },
    { 41, "designation=D,kind=sas,instance=3", "D|", 0x06, 3 },
    { 41, "pcidev=here", "", 0x0a, 0x28 },
    { 11, "value0=one,value1=,value2=two", "one|two|", 0x04, 2 },
    { 17, "loc_pfx=Slot,bank=B,speed=3200", "Slot 0|B|QEMU|", 0x16, 0x0c },
};

/* -machine smbios-entry-point-type=64 */
static void test_wide_anchor(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    SmbiosConfig c = { "pc-i440fx-7.2", 1, 1, 1, 0x60fb1, 1 << 30, 1 << 30, .wide_entry = true };
    gsize anchor_size, size;

    fixture_start(f);
    assert_true(smbios_add_tables(fw, &c, NULL));
    const uint8_t *anchor = get_file(fw, "etc/smbios/smbios-anchor", &anchor_size);
    get_file(fw, "etc/smbios/smbios-tables", &size);
    assert_int_equal(anchor_size, 0x18);
    assert_int_equal(sum(anchor, 0x18), 0);
    assert_memory_equal(anchor, "_SM3_", 5);
    assert_memory_equal(anchor + 6, "\x18\3\0\0\1", 5);
    assert_int_equal(anchor[0x0c] | anchor[0x0d] << 8, size);
}

static bool find_here(void *opaque, const char *id, uint8_t *devfn)
{
    *devfn = 0x28;
    return !strcmp(id, "here");
}

/* A device that is not there is told. */
static void test_lost(void **state)
{
    Fixture *f = *state;
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(free_option);
    SmbiosConfig c = {
        "pc-i440fx-7.2", 1, 1, 1, 0x60fb1, 1 << 30, 1 << 30, options, NULL, find_here
    };
    g_autoptr(GError) error = NULL;
    FwCfg *fw;

    fixture_start(f);
    fw = fw_cfg_new(f->root, NULL, f->memory);
    g_ptr_array_add(options, fields(41, "pcidev=there"));
    assert_false(smbios_add_tables(fw, &c, &error));
    assert_string_equal(error->message, "-smbios: no PCI device with id 'there'");
}

static void test_fields(void **state)
{
    Fixture *f = *state;

    fixture_start(f);
    for (size_t i = 0; i < G_N_ELEMENTS(field_rows); i++) {
        g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(free_option);
        SmbiosConfig c = { "pc-i440fx-7.2", 1,       1,       1,    0x60fb1,
                           1 << 30,         1 << 30, options, NULL, find_here };
        FwCfg *fw = fw_cfg_new(f->root, NULL, f->memory);
        gsize size;

        g_ptr_array_add(options, fields(field_rows[i].type, field_rows[i].fields));
        assert_true(smbios_add_tables(fw, &c, NULL));
        const uint8_t *tables = get_file(fw, "etc/smbios/smbios-tables", &size);
        const uint8_t *p = find_type(tables, size, field_rows[i].type);
        g_autofree char *strings = strings_of(p);
        assert_string_equal(strings, field_rows[i].strings);
        assert_int_equal(p[field_rows[i].offset], field_rows[i].value);
    }
}

/* A structure of the user's takes the place of ours; too many do not fit. */
static void test_structures(void **state)
{
    Fixture *f = *state;
    static const uint8_t chassis[] = { 3, 5, 0x34, 0x12, 1, 'm', 'i', 'n', 'e', 0, 0 };
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(free_option);
    SmbiosConfig c = { "pc-i440fx-7.2", 1, 1, 1, 0x60fb1, 1 << 30, 1 << 30, options };
    SmbiosOption *own = g_new0(SmbiosOption, 1), *large = g_new0(SmbiosOption, 1);
    FwCfg *fw;
    g_autoptr(GError) error = NULL;
    gsize size;

    fixture_start(f);
    fw = fw_cfg_new(f->root, NULL, f->memory);
    own->type = 3;
    own->structure = g_bytes_new_static(chassis, sizeof(chassis));
    g_ptr_array_add(options, own);
    assert_true(smbios_add_tables(fw, &c, NULL));
    const uint8_t *tables = get_file(fw, "etc/smbios/smbios-tables", &size);
    assert_int_equal(count_type(tables, tables + size, 3), 1);
    assert_memory_equal(find_type(tables, size, 3), chassis, sizeof(chassis));
    fw = fw_cfg_new(f->root, NULL, f->memory);
    large->type = 200;
    large->structure = g_bytes_new_take(g_malloc0(65536), 65536);
    g_ptr_array_add(options, large);
    assert_false(smbios_add_tables(fw, &c, &error));
    assert_non_null(strstr(error->message, "more than 65535"));
}

int main(void)
{
    const struct CMUnitTest tests[] = { hw_test(test_tables), hw_test(test_wide_anchor),
                                        hw_test(test_fields), hw_test(test_structures),
                                        hw_test(test_lost) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
