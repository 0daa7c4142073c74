/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include <string.h>

#include "hw/fw-cfg.h"
#include "hw/vmcoreinfo.h"
#include "hw/vmgenid.h"

static FwCfg *start(Fixture *f)
{
    FwCfg *s = fw_cfg_new(f->root, &f->io_root, f->memory);

    fixture_start(f);
    return s;
}

static void add_text(FwCfg *s, const char *name, const char *text)
{
    g_autoptr(GBytes) data = g_bytes_new(text, strlen(text));
    fw_cfg_add_file(s, name, data);
}

static void select_item(Fixture *f, uint16_t key)
{
    fixture_outw(f, 0x510, key);
}

static uint32_t read_le(Fixture *f, unsigned size)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v |= (uint32_t)fixture_inb(f, 0x511) << (8 * i);
    return v;
}

static uint32_t read_be(Fixture *f, unsigned size)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < size; i++)
        v = v << 8 | fixture_inb(f, 0x511);
    return v;
}

static uint32_t be32(uint32_t v)
{
    return GUINT32_SWAP_LE_BE(v);
}

static void dma(Fixture *f, uint32_t control, uint32_t len, uint64_t addr)
{
    fixture_write(f, 0x1000, be32(control), 4);
    fixture_write(f, 0x1004, be32(len), 4);
    fixture_write(f, 0x1008, be32(addr >> 32), 4);
    fixture_write(f, 0x100c, be32(addr), 4);
    fixture_outl(f, 0x514, 0);
    fixture_outl(f, 0x518, be32(0x1000));
}

static void test_signature_and_id(void **state)
{
    Fixture *f = *state;

    start(f);
    select_item(f, FW_CFG_SIGNATURE);
    assert_int_equal(read_be(f, 4), 0x51454d55); /* "QEMU" */
    assert_int_equal(read_le(f, 2), 0);          /* zeros beyond the end */
    select_item(f, FW_CFG_ID);
    assert_int_equal(read_le(f, 4), 3);
    assert_int_equal(fixture_inl(f, 0x514), be32(0x51454d55));
    assert_int_equal(fixture_inl(f, 0x518), be32(0x20434647)); /* " CFG" */
}

static void test_integers(void **state)
{
    Fixture *f = *state;
    FwCfg *s = start(f);

    fw_cfg_add_i16(s, FW_CFG_NB_CPUS, 0x1234);
    fw_cfg_add_i64(s, FW_CFG_RAM_SIZE, 0x123456789aULL);
    select_item(f, FW_CFG_NB_CPUS);
    assert_int_equal(read_le(f, 4), 0x1234);
    select_item(f, FW_CFG_RAM_SIZE);
    assert_int_equal(read_le(f, 4), 0x3456789a);
    assert_int_equal(read_le(f, 4), 0x12);
    select_item(f, 0x7777); /* nobody's */
    assert_int_equal(read_le(f, 4), 0);
}

static void test_directory_is_sorted(void **state)
{
    Fixture *f = *state;
    FwCfg *s = start(f);
    static const char *const names[] = { "bootorder", "etc/e820", "opt/z" };
    static const char *const text[] = { "order", "map", "user!" };

    add_text(s, names[2], text[2]);
    add_text(s, names[0], text[0]);
    add_text(s, names[1], text[1]);
    select_item(f, FW_CFG_FILE_DIR);
    assert_int_equal(read_be(f, 4), 3);
    for (int i = 0; i < 3; i++) {
        char name[FW_CFG_NAME_MAX];
        assert_int_equal(read_be(f, 4), strlen(text[i]));
        assert_int_equal(read_be(f, 2), FW_CFG_FILE_FIRST + i);
        assert_int_equal(read_be(f, 2), 0);
        for (int j = 0; j < FW_CFG_NAME_MAX; j++)
            name[j] = fixture_inb(f, 0x511);
        assert_string_equal(name, names[i]);
    }
    select_item(f, FW_CFG_FILE_FIRST + 1);
    assert_int_equal(read_be(f, 3), 0x6d6170); /* "map" */
}

static void test_user_files(void **state)
{
    Fixture *f = *state;
    FwCfg *s = start(f);
    g_autoptr(GBytes) data = g_bytes_new("x", 1);
    g_autofree char *long_name = g_strnfill(56, 'n');
    const char *bad[] = { "", long_name, "opt/a" };
    GError *error = NULL;

    assert_true(fw_cfg_add_user_file(s, "opt/a", data, &error));
    for (int i = 0; i < 3; i++) {
        assert_false(fw_cfg_add_user_file(s, bad[i], data, &error));
        assert_non_null(error);
        g_clear_error(&error);
    }
}

static void test_dma(void **state)
{
    Fixture *f = *state;
    FwCfg *s = start(f);
    char buf[12];

    add_text(s, "file", "0123456789");
    memset(f->ram_block->host + 0x2000, 0xaa, 16);
    dma(f, FW_CFG_FILE_FIRST << 16 | 0x0a, 4, 0x2000); /* select, read */
    assert_int_equal(fixture_read(f, 0x1000, 4), 0);
    dma(f, 0x04, 3, 0);      /* skip */
    dma(f, 0x02, 5, 0x2004); /* read on, across the end */
    address_space_read_bytes(f->memory, 0x2000, buf, sizeof(buf));
    assert_memory_equal(buf, "0123789\0\0\xaa\xaa\xaa", 12);
    assert_int_equal(fixture_read(f, 0x1000, 4), 0);
    dma(f, 0x10, 4, 0x2000); /* nothing is writable */
    assert_int_equal(fixture_read(f, 0x1000, 4), be32(1));
    dma(f, 0x02, 0x1000, UINT64_MAX - 10); /* wraps around */
    assert_int_equal(fixture_read(f, 0x1000, 4), be32(1));
}

/* A guest writes what it is let, within its bounds; where its crash note is is such a file. */
static void test_writable(void **state)
{
    Fixture *f = *state;
    FwCfg *s = fw_cfg_new(f->root, &f->io_root, f->memory);
    Device *info = vmcoreinfo_new(f->root, s);
    uint64_t addr;
    uint32_t size;

    fixture_start(f);
    assert_false(vmcoreinfo_find(info, &addr, &size));
    dma(f, FW_CFG_FILE_FIRST << 16 | 0x0a, 16, 0x2000);
    assert_int_equal(fixture_read(f, 0x2000, 8), 1); /* ELF is understood */
    fixture_write(f, 0x2000, UINT64_C(0x1018) << 32 | 0x10001, 8);
    fixture_write(f, 0x2008, 0x123456789000, 8);
    dma(f, FW_CFG_FILE_FIRST << 16 | 0x18, 17, 0x2000); /* too much */
    assert_int_equal(fixture_read(f, 0x1000, 4), be32(1));
    assert_false(vmcoreinfo_find(info, &addr, &size));
    dma(f, FW_CFG_FILE_FIRST << 16 | 0x18, 16, 0x2000);
    assert_int_equal(fixture_read(f, 0x1000, 4), 0);
    assert_true(vmcoreinfo_find(info, &addr, &size));
    assert_int_equal(addr, 0x123456789000);
    assert_int_equal(size, 0x1018);
    dma(f, 0x10, 1, 0x2000); /* beyond its end */
    assert_int_equal(fixture_read(f, 0x1000, 4), be32(1));
    fixture_reset(f);
    assert_false(vmcoreinfo_find(info, &addr, &size));
}

/* The state of another generation: the guest's memory gets the number of this one, and it is told.
 * Not so by a state of its own. */
static void test_generation(void **state)
{
    static const uint8_t guid[16] =
        "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    static const uint8_t swapped[16] =
        "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
    Fixture *f = *state;
    FwCfg *s = fw_cfg_new(f->root, &f->io_root, f->memory);
    IrqSpy *spy = fixture_spy(f);
    g_autoptr(GByteArray) saved = g_byte_array_new();
    uint16_t key = FW_CFG_FILE_FIRST;
    uint8_t *told;

    vmgenid_new(f->root, s, f->memory, guid, &spy->irq);
    fixture_start(f);
    assert_memory_equal(g_bytes_get_data(fw_cfg_find_file(s, VMGENID_FILE), NULL) + VMGENID_OFFSET,
                        swapped, 16);
    fixture_write(f, 0x2000, 0x3000, 8);
    while (fw_cfg_find(s, key) != fw_cfg_find_file(s, VMGENID_ADDRESS))
        key++;
    dma(f, key << 16 | 0x18, 8, 0x2000);
    assert_int_equal(fixture_read(f, 0x1000, 4), 0);
    device_tree_save(f->root, saved);
    assert_true(device_tree_load(f->root, saved->data, saved->len, NULL));
    assert_int_equal(spy_take_rises(spy), 0);
    assert_int_equal(fixture_read(f, 0x3000 + VMGENID_OFFSET, 8), 0);
    told = memmem(saved->data, saved->len, swapped, 16);
    assert_non_null(told);
    told[3] ^= 1;
    assert_true(device_tree_load(f->root, saved->data, saved->len, NULL));
    assert_int_equal(spy_take_rises(spy), 1);
    assert_memory_equal(f->ram_block->host + 0x3000 + VMGENID_OFFSET, swapped, 16);
    assert_true(device_tree_load(f->root, saved->data, saved->len, NULL));
    fixture_reset(f);
    assert_true(spy_take_rises(spy) == 1 && !spy->level);
}

static void test_reset_forgets_the_selection(void **state)
{
    Fixture *f = *state;

    start(f);
    select_item(f, FW_CFG_ID);
    fixture_inb(f, 0x511);
    fixture_reset(f);
    assert_int_equal(read_be(f, 4), 0x51454d55);
}

static void test_abuse(void **state)
{
    Fixture *f = *state;

    start(f);
    f->roundtrip = false;
    fixture_abuse(f, f->io, 0x510, 12, 3000, 1);
}

static GBytes *make_none(void *opaque)
{
    return NULL;
}

static GBytes *count_up(void *opaque)
{
    return g_bytes_new(++*(uint8_t *)opaque ? opaque : NULL, 1);
}

static void count_down(gpointer opaque)
{
    *(uint8_t *)opaque = 0;
}

/* An item that is made anew each time it is selected, and lives as long. */
static void test_made_item(void **state)
{
    Fixture *f = *state;
    FwCfg *s = start(f);
    uint8_t made = 'A';

    f->roundtrip = false; /* a reset lets the item go */
    fw_cfg_add_made(s, FW_CFG_VMLINUX_DATA, count_up, &made, count_down);
    assert_int_equal(made, 'A');
    select_item(f, FW_CFG_VMLINUX_DATA);
    assert_int_equal(read_le(f, 1), 'B');
    select_item(f, FW_CFG_VMLINUX_DATA);
    assert_int_equal(read_le(f, 1), 'B');
    select_item(f, FW_CFG_ID);
    select_item(f, FW_CFG_VMLINUX_DATA);
    assert_int_equal(read_le(f, 1), 'C');
    fixture_reset(f);
    select_item(f, FW_CFG_VMLINUX_DATA);
    assert_int_equal(read_le(f, 1), 'D');
    fw_cfg_add_made(s, FW_CFG_VMLINUX_DATA, count_up, &made, count_down);
    assert_int_equal(made, 0);
    made = 'A';
    fw_cfg_add_made(s, FW_CFG_VMLINUX_DATA, make_none, &made, count_down);
    select_item(f, FW_CFG_VMLINUX_DATA);
    assert_int_equal(read_le(f, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_signature_and_id),
        hw_test(test_integers),
        hw_test(test_directory_is_sorted),
        hw_test(test_user_files),
        hw_test(test_dma),
        hw_test(test_writable),
        hw_test(test_generation),
        hw_test(test_reset_forgets_the_selection),
        hw_test(test_abuse),
        hw_test(test_made_item),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
