/* SPDX-License-Identifier: MIT */
/* Made-up bzImages through the loader: what lands in fw_cfg, and what is refused. */
#include "tests/hw/fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "hw/kernel-loader.h"
#include "hw/optionrom/roms.h"

#define MIB         (1024 * 1024)
#define SETUP_SECTS 2
#define CODE_SIZE   4096

typedef struct Files {
    char *dir, *kernel, *initrd;
    uint8_t image[(SETUP_SECTS + 1) * 512 + CODE_SIZE];
} Files;

static void put(uint8_t *p, uint32_t v, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        p[i] = v >> (8 * i);
}

static uint32_t get(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void write_kernel(Files *t, gsize size)
{
    assert_true(g_file_set_contents(t->kernel, (char *)t->image, size, NULL));
}

static void make_files(Files *t)
{
    t->dir = g_dir_make_tmp("mimus-kernel-XXXXXX", NULL);
    t->kernel = g_build_filename(t->dir, "vmlinuz", NULL);
    t->initrd = g_build_filename(t->dir, "initrd", NULL);
    memset(t->image, 0xcc, sizeof(t->image));
    memset(t->image, 0, 0x270);
    t->image[0x1f1] = SETUP_SECTS;
    put(t->image + 0x1f4, CODE_SIZE / 16, 4);
    put(t->image + 0x1fe, 0xaa55, 2);
    memcpy(t->image + 0x202, "HdrS", 4);
    put(t->image + 0x206, 0x20f, 2);
    t->image[0x211] = 1;
    put(t->image + 0x22c, 0x7fffffff, 4);
    put(t->image + 0x238, 100, 4);
    put(t->image + 0x260, 2 * MIB, 4);
    write_kernel(t, sizeof(t->image));
    assert_true(g_file_set_contents(t->initrd, "initramfs", 9, NULL));
}

static void free_files(Files *t)
{
    g_unlink(t->kernel);
    g_unlink(t->initrd);
    g_rmdir(t->dir);
    g_free(t->kernel);
    g_free(t->initrd);
    g_free(t->dir);
}

static const uint8_t *item(FwCfg *fw, uint16_t key, gsize size)
{
    gsize got;
    GBytes *data = fw_cfg_find(fw, key);

    assert_non_null(data);
    const uint8_t *p = g_bytes_get_data(data, &got);
    assert_int_equal(got, size);
    return p;
}

static void test_items(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    GError *error = NULL;
    Files t;

    make_files(&t);
    fixture_start(f);
    assert_true(
        kernel_load(fw, NULL, t.kernel, t.initrd, "quiet vga=0x317", 256 * MIB, true, &error));
    const uint8_t *setup = item(fw, FW_CFG_SETUP_DATA, (SETUP_SECTS + 1) * 512);
    assert_int_equal(setup[0x210], 0xff);
    assert_int_equal(setup[0x211], 0x81);
    assert_int_equal(get(setup + 0x1fa) & 0xffff, 0x317);
    assert_int_equal(get(setup + 0x224) & 0xffff, 0xfe00);
    assert_int_equal(get(setup + 0x228), 0x20000);
    assert_int_equal(get(setup + 0x218), 255 * MIB - 4096);
    assert_int_equal(get(setup + 0x21c), 9);
    assert_int_equal(get(item(fw, FW_CFG_INITRD_ADDR, 4)), 255 * MIB - 4096);
    assert_int_equal(get(item(fw, FW_CFG_KERNEL_ADDR, 4)), 0x100000);
    assert_int_equal(item(fw, FW_CFG_KERNEL_DATA, CODE_SIZE)[0], 0xcc);
    assert_memory_equal(item(fw, FW_CFG_INITRD_DATA, 9), "initramfs", 9);
    assert_string_equal((char *)item(fw, FW_CFG_CMDLINE_DATA, 16), "quiet vga=0x317");
    assert_non_null(fw_cfg_find_file(fw, KERNEL_ROM_FILE));
    free_files(&t);
}

/* Room for initrds: below initrd_addr_max, or below 4 GiB when the kernel says so. */
static void check_initrd_addr(Fixture *f, uint16_t xloadflags, uint32_t addr)
{
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    GError *error = NULL;
    Files t;

    make_files(&t);
    put(t.image + 0x236, xloadflags, 2);
    write_kernel(&t, sizeof(t.image));
    fixture_start(f);
    assert_true(kernel_load(fw, NULL, t.kernel, t.initrd, NULL, 0xc0000000, true, &error));
    assert_int_equal(get(item(fw, FW_CFG_INITRD_ADDR, 4)), addr);
    free_files(&t);
}

static void test_initrd_below_2g(void **state)
{
    check_initrd_addr(*state, 0, 0x7ffff000);
}

static void test_initrd_below_4g(void **state)
{
    check_initrd_addr(*state, 2, 0xbff00000 - 0x1000);
}

typedef struct BadKernel {
    const char *what;
    unsigned off, size;
    uint32_t value;
    const char *sentence;
} BadKernel;

static const BadKernel bad_kernels[] = {
    { "no boot flag", 0x1fe, 2, 0, "not a Linux bzImage" },
    { "no magic", 0x202, 4, 0, "not a Linux bzImage" },
    { "old protocol", 0x206, 2, 0x201, "too old: boot protocol 2.01" },
    { "zImage", 0x211, 1, 0, "too old" },
    { "more code than file", 0x1f4, 4, CODE_SIZE / 16 + 1, "truncated" },
    { "huge syssize", 0x1f4, 4, UINT32_MAX, "truncated" },
    { "setup larger than file", 0x1f1, 1, 64, "truncated" },
    { "larger than memory", 0x260, 4, 512 * MIB, "does not fit" },
    { "short command line", 0x238, 4, 3, "too long" },
};

static void test_bad_kernels(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);

    fixture_start(f);
    for (int i = 0; i < G_N_ELEMENTS(bad_kernels); i++) {
        const BadKernel *row = &bad_kernels[i];
        GError *error = NULL;
        Files t;

        make_files(&t);
        put(t.image + row->off, row->value, row->size);
        write_kernel(&t, sizeof(t.image));
        assert_false(kernel_load(fw, NULL, t.kernel, t.initrd, "root", 256 * MIB, true, &error));
        if (!strstr(error->message, row->sentence))
            fail_msg("%s: said \"%s\"", row->what, error->message);
        g_clear_error(&error);
        free_files(&t);
    }
}

static void refused(FwCfg *fw, const char *kernel, const char *initrd, const char *cmdline,
                    uint64_t ram, const char *sentence)
{
    GError *error = NULL;

    assert_false(kernel_load(fw, NULL, kernel, initrd, cmdline, ram, true, &error));
    if (!strstr(error->message, sentence))
        fail_msg("wanted \"%s\", got \"%s\"", sentence, error->message);
    g_clear_error(&error);
}

static void test_bad_files(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    Files t;

    fixture_start(f);
    make_files(&t);
    refused(fw, "/nonexistent/vmlinuz", NULL, NULL, 256 * MIB, "cannot load kernel '/nonexistent");
    refused(fw, t.kernel, "/nonexistent/initrd", NULL, 256 * MIB, "cannot load initrd");
    refused(fw, t.kernel, t.initrd, "vga=bright", 256 * MIB, "unknown video mode");
    refused(fw, t.kernel, NULL, NULL, MIB, "does not fit");
    refused(fw, t.kernel, t.initrd, NULL, 4 * MIB - 4096, "does not fit");
    for (gsize size = 0; size < sizeof(t.image); size += 100) {
        write_kernel(&t, size);
        refused(fw, t.kernel, NULL, NULL, 256 * MIB, "truncated");
    }
    assert_true(g_file_set_contents(t.initrd, "", 0, NULL));
    write_kernel(&t, sizeof(t.image));
    refused(fw, t.kernel, t.initrd, NULL, 256 * MIB, "empty");
    free_files(&t);
}

static uint8_t sum(const uint8_t *p, size_t len)
{
    uint8_t total = 0;

    while (len--)
        total += *p++;
    return total;
}

/* What firmware checks before it believes an option ROM. */
static void test_option_rom(void **state)
{
    const uint8_t *pnp = rom_linuxboot + (rom_linuxboot[0x1a] | rom_linuxboot[0x1b] << 8);

    assert_int_equal(rom_linuxboot[0], 0x55);
    assert_int_equal(rom_linuxboot[1], 0xaa);
    assert_int_equal(rom_linuxboot[2] * 512, rom_linuxboot_size);
    assert_int_equal(sum(rom_linuxboot, rom_linuxboot_size), 0);
    assert_memory_equal(pnp, "$PnP", 4);
    assert_int_equal(sum(pnp, pnp[5] * 16), 0);
    assert_int_not_equal(pnp[0x1a] | pnp[0x1b], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hw_test(test_items),       hw_test(test_initrd_below_2g), hw_test(test_initrd_below_4g),
        hw_test(test_bad_kernels), hw_test(test_bad_files),       cmocka_unit_test(test_option_rom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
