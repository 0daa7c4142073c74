/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: the loader script is carried out as firmware would, then the result is checked.
 * If iasl is installed the tables are disassembled and compiled again as well.
 */
#include "tests/hw/fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "hw/acpi-build.h"

#define TABLES_AT 0x100000u
#define RSDP_AT   0xf6000u
#define GUID_AT   0x200000u

typedef struct Loaded {
    GByteArray *tables, *rsdp;
    uint32_t guid_told; /* where the page is that the guest has been given */
} Loaded;

static const uint32_t apic_ids[] = { 0, 1, 2, 300 };
static const bool present[] = { true, true, false, true };

static uint8_t distances[3][MACHINE_MAX_NODES] = { { 10, 20, 30 }, { 20, 10, 40 }, { 30, 40, 10 } };
static NumaConfig numa = { .nodes = 3,
                           .ram_size = { 0x80000, 0xc0000000, 0x40000000 },
                           .node_of_cpu = { 0, 1, 2, 1 },
                           .distance = distances };

static AcpiConfig config(void)
{
    return (AcpiConfig){
        .cpus = 4,
        .apic_ids = apic_ids,
        .present = present,
        .below_4g = 0xc0000000,
        .pci64_base = 0x180000000,
        .pci64_size = 0x80000000,
        .hpet = true,
        .serial = { true, true },
        .i8042 = true,
        .parallel = true,
        .pvpanic = 0x505,
        .fixed_slots = 0x7,
        .numa = &numa,
        .generation_id = true,
    };
}

/* A table of the user's, with a checksum, called @signature. */
static GBytes *user_table(const char *signature)
{
    uint8_t table[40] = { [4] = sizeof(table), [8] = 1 }, sum = 0;

    memcpy(table, signature, 4);
    memcpy(table + 10, "Maker Product.", 14);
    for (size_t i = 0; i < sizeof(table); i++)
        sum += table[i];
    table[9] = -sum;
    return g_bytes_new(table, sizeof(table));
}

static uint32_t get32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t total = 0;

    while (len--)
        total += *p++;
    return total;
}

static GByteArray *copy(FwCfg *fw, const char *name)
{
    gsize size;
    GBytes *data = fw_cfg_find_file(fw, name);

    assert_non_null(data);
    const void *p = g_bytes_get_data(data, &size);
    return g_byte_array_append(g_byte_array_new(), p, size);
}

static GByteArray *file(Loaded *l, const char *name, uint32_t *at)
{
    bool rsdp = g_str_equal(name, "etc/acpi/rsdp");

    if (g_str_equal(name, "etc/vmgenid_guid")) {
        *at = GUID_AT;
        return NULL; /* nothing is changed in it */
    }
    if (!rsdp)
        assert_string_equal(name, "etc/acpi/tables");
    *at = rsdp ? RSDP_AT : TABLES_AT;
    return rsdp ? l->rsdp : l->tables;
}

static void run_entry(Loaded *l, const uint8_t *e, unsigned *allocated)
{
    uint32_t at, target_at, offset, len;
    GByteArray *f = get32(e) < 4 ? file(l, (const char *)e + 4, &at) : NULL;

    switch (get32(e)) {
    case 1:
        assert_int_equal(get32(e + 60), f == l->rsdp ? 16 : f ? 64 : 4096);
        ++*allocated;
        break;
    case 2: {
        file(l, (const char *)e + 60, &target_at);
        offset = get32(e + 116);
        assert_true(offset + e[120] <= f->len);
        uint32_t value = GUINT32_TO_LE(get32(f->data + offset) + target_at);
        memcpy(f->data + offset, &value, 4);
        break;
    }
    case 3:
        offset = get32(e + 64);
        len = get32(e + 68);
        assert_true(offset + len <= f->len && get32(e + 60) < f->len);
        f->data[get32(e + 60)] -= sum(f->data + offset, len);
        break;
    case 4:
        assert_string_equal((const char *)e + 4, "etc/vmgenid_addr");
        file(l, (const char *)e + 60, &l->guid_told);
        assert_true(!get32(e + 116) && !get32(e + 120) && e[124] == 8);
        break;
    default: fail_msg("unknown command %u", get32(e));
    }
}

static void load(Fixture *f, Loaded *l, GPtrArray *extra)
{
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    AcpiConfig c = config();
    unsigned allocated = 0;

    c.extra = extra;
    fixture_start(f);
    acpi_add_tables(fw, &c);
    g_autoptr(GByteArray) script = copy(fw, "etc/table-loader");
    l->tables = copy(fw, "etc/acpi/tables");
    l->rsdp = copy(fw, "etc/acpi/rsdp");
    assert_int_equal(script->len % 128, 0);
    for (guint at = 0; at < script->len; at += 128)
        run_entry(l, script->data + at, &allocated);
    assert_int_equal(allocated, 3);
}

static const uint8_t *table_at(Loaded *l, uint32_t addr, const char *signature)
{
    assert_true(addr >= TABLES_AT && addr + 36 <= TABLES_AT + l->tables->len);
    const uint8_t *t = l->tables->data + (addr - TABLES_AT);
    assert_memory_equal(t, signature, 4);
    assert_true(addr + get32(t + 4) <= TABLES_AT + l->tables->len);
    if (strcmp(signature, "FACS") != 0)
        assert_int_equal(sum(t, get32(t + 4)), 0);
    return t;
}

static void test_loaded_tables(void **state)
{
    Fixture *f = *state;
    Loaded l;

    load(f, &l, NULL);
    assert_memory_equal(l.rsdp->data, "RSD PTR ", 8);
    assert_int_equal(sum(l.rsdp->data, 20), 0);
    const uint8_t *rsdt = table_at(&l, get32(l.rsdp->data + 16), "RSDT");
    assert_int_equal(get32(rsdt + 4), 36 + 6 * 4);
    const uint8_t *fadt = table_at(&l, get32(rsdt + 36), "FACP");
    const uint8_t *madt = table_at(&l, get32(rsdt + 40), "APIC");
    table_at(&l, get32(rsdt + 44), "HPET");
    table_at(&l, get32(rsdt + 48), "SRAT");
    table_at(&l, get32(rsdt + 52), "SLIT");
    assert_memory_equal(table_at(&l, get32(rsdt + 56), "SSDT") + 36, "\x08VGIA\x0c\0\0\x20\0", 10);
    assert_int_equal(l.guid_told, GUID_AT);
    table_at(&l, get32(fadt + 36), "FACS");
    assert_int_equal(get32(fadt + 36) % 64, 0);
    table_at(&l, get32(fadt + 40), "DSDT");
    assert_int_equal(get32(fadt + 140), get32(fadt + 40));
    assert_int_equal(get32(fadt + 56), 0x600);
    assert_int_equal(madt[44], 0); /* the first CPU */
    assert_int_equal(get32(madt + 44 + 4), 1);
    assert_int_equal(get32(madt + 44 + 16 + 4), 0); /* a socket */
    assert_int_equal(madt[44 + 24], 9);             /* one that needs an x2APIC entry */
    assert_int_equal(get32(madt + 44 + 24 + 4), 300);
    g_byte_array_unref(l.tables);
    g_byte_array_unref(l.rsdp);
}

/* The user's tables are in the list; from a SLIC others have their maker's names. */
static void test_user_tables(void **state)
{
    static const struct {
        const char *signature, *maker;
    } rows[] = { { "TEST", "BOCHS BXPC    " }, { "SLIC", "Maker Product." } };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Fixture *f = *state;
        g_autoptr(GPtrArray) extra = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
        Loaded l;

        g_ptr_array_add(extra, user_table(rows[i].signature));
        if (i)
            fixture_teardown(state), fixture_setup(state), f = *state;
        load(f, &l, extra);
        const uint8_t *rsdt = table_at(&l, get32(l.rsdp->data + 16), "RSDT");
        assert_memory_equal(rsdt + 10, rows[i].maker, 14);
        assert_memory_equal(table_at(&l, get32(rsdt + 36), "FACP") + 10, rows[i].maker, 14);
        assert_memory_equal(table_at(&l, get32(rsdt + 40), "APIC") + 10, "BOCHS BXPC    ", 14);
        table_at(&l, get32(rsdt + 60), rows[i].signature);
        g_byte_array_unref(l.tables);
        g_byte_array_unref(l.rsdp);
    }
}

/* Ranges of memory and their nodes, the hole below 1 MiB and the one below 4 GiB left out. */
/* -machine x-oem-id=,x-oem-table-id= */
static void test_oem(void **state)
{
    AcpiConfig c = config();

    c.oem_id = "ABC";
    c.oem_table_id = "12345678";
    g_autoptr(GByteArray) madt = acpi_build_table(&c, "APIC");
    assert_memory_equal(madt->data + 10, "ABC\0\0\00012345678", 14);
}

static void test_srat(void **state)
{
    static const struct {
        uint32_t node;
        uint64_t base, end;
    } rows[] = {
        { 0, 0, 0x80000 },
        { 1, 0x80000, 0xa0000 },
        { 1, 0x100000, 0xc0000000 },
        { 1, 0x100000000, 0x100080000 },
        { 2, 0x100080000, 0x140080000 },
    };
    AcpiConfig c = config();
    g_autoptr(GByteArray) srat = acpi_build_table(&c, "SRAT");
    const uint8_t *p = srat->data + 48, *end = srat->data + srat->len;
    size_t row = 0;

    assert_memory_equal(p, "\0\20\0\0\1\0\0\0\0\0\0\0\0\0\0\0", 16);
    for (; p < end; p += p[1]) {
        if (p[0] != 1)
            continue;
        assert_true(row < G_N_ELEMENTS(rows));
        assert_int_equal(get32(p + 2), rows[row].node);
        assert_int_equal(get32(p + 8) | (uint64_t)get32(p + 12) << 32, rows[row].base);
        assert_int_equal(get32(p + 16) | (uint64_t)get32(p + 20) << 32,
                         rows[row].end - rows[row].base);
        row++;
    }
    assert_int_equal(row, G_N_ELEMENTS(rows));
}

static void run_iasl(const char *dir, const char *const *args)
{
    g_autofree char *out = NULL, *err = NULL;
    g_autoptr(GStrvBuilder) b = g_strv_builder_new();
    int status;

    g_strv_builder_add(b, "iasl");
    for (; *args; args++)
        g_strv_builder_add(b, *args);
    g_auto(GStrv) argv = g_strv_builder_end(b);
    assert_true(
        g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status, NULL));
    if (status || strstr(err, "Error") || strstr(err, "Warning") || strstr(out, "Invalid") ||
        strstr(err, "Invalid") ||
        (!g_str_equal(argv[1], "-d") && !strstr(out, " 0 Errors, 0 Warnings, 0 Remarks")))
        fail_msg("iasl %s: %s%s", argv[1], out, err);
}

/* 3168: Processor() is the old keyword, kept for guests as old as the board. */
static void test_iasl(void **state)
{
    static const char *const signatures[] = {
        "DSDT", "FACP", "APIC", "HPET", "SRAT", "SLIT", "SSDT"
    };
    g_autofree char *iasl = g_find_program_in_path("iasl");
    g_autofree char *dir = NULL;
    AcpiConfig c = config();

    if (!iasl) {
        print_message("iasl is not installed\n");
        skip();
    }
    dir = g_dir_make_tmp("mimus-acpi-XXXXXX", NULL);
    for (int i = 0; i < G_N_ELEMENTS(signatures); i++) {
        g_autoptr(GByteArray) table = acpi_build_table(&c, signatures[i]);
        g_autofree char *name = g_strconcat(signatures[i], ".aml", NULL);
        g_autofree char *text = g_strconcat(signatures[i], ".dsl", NULL);
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_autofree char *text_path = g_build_filename(dir, text, NULL);
        g_assert_nonnull(table);
        assert_true(g_file_set_contents(path, (char *)table->data, table->len, NULL));
        run_iasl(dir, (const char *const[]){ "-d", name, NULL });
        run_iasl(dir, (const char *const[]){ "-vw", "3168", "-p", "again", text, NULL });
        g_unlink(path);
        if (!g_getenv("KEEP_ACPI"))
            g_unlink(text_path);
    }
    g_autofree char *again = g_build_filename(dir, "again.aml", NULL);
    g_unlink(again);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_loaded_tables), hw_test(test_user_tables),   cmocka_unit_test(test_oem),
        cmocka_unit_test(test_srat), cmocka_unit_test(test_iasl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
