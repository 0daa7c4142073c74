/* SPDX-License-Identifier: MIT */
/* Made-up bzImages through the loader: what lands in fw_cfg, and what is refused. */
#include "tests/hw/fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "hw/elf-le.h"
#include "hw/kernel-elf.h"
#include "hw/kernel-loader.h"
#include "hw/optionrom/roms.h"
#include "tests/fuzz/seeded.h"

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

/* An ELF file for PVH or multiboot whose parts are where mutations may hit them. */
static gsize make_elf(uint8_t *p, bool is64, bool multiboot)
{
    enum { NOTE = 0x180, HEADER = 0x1c0, CODE = 0x200, BASE = 0x100000 };
    const struct {
        uint32_t type, offset, size;
    } rows[] = { { PT_LOAD, CODE, 0x100 }, { PT_NOTE, NOTE, 20 }, { PT_LOAD, CODE + 0x100, 0x80 } };

    memcpy(p, ELFMAG, SELFMAG);
    p[EI_CLASS] = is64 ? ELFCLASS64 : ELFCLASS32;
    p[EI_DATA] = ELFDATA2LSB;
    put(p + 16, ET_EXEC, 2);
    put(p + 18, is64 ? EM_X86_64 : EM_386, 2);
    put(p + 24, BASE, 4);
    put(p + (is64 ? 32 : 28), 64, 4);
    put(p + (is64 ? 54 : 42), is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr), 2);
    put(p + (is64 ? 56 : 44), G_N_ELEMENTS(rows), 2);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint8_t *h = p + 64 + i * (is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
        unsigned word = is64 ? 8 : 4, first = is64 ? 8 : 4;

        put(h, rows[i].type, 4);
        put(h + first, rows[i].offset, 4);
        put(h + first + word, BASE + 0x1000 * i, 4);
        put(h + first + 2 * word, BASE + 0x1000 * i, 4);
        put(h + first + 3 * word, rows[i].size, 4);
        put(h + first + 4 * word, rows[i].size + i, 4);
    }
    put(p + NOTE, 4, 4);
    put(p + NOTE + 4, 4, 4);
    put(p + NOTE + 8, 18, 4);
    memcpy(p + NOTE + 12, "Xen", 4);
    put(p + NOTE + 16, BASE, 4);
    if (multiboot) {
        put(p + HEADER, 0x1badb002, 4);
        put(p + HEADER + 8, 0u - 0x1badb002, 4);
    }
    return CODE + 0x180;
}

/* Nothing of ours is between segments. */
static void test_gap(void **state)
{
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    uint8_t image[CODE_SIZE] = { 0 };
    const uint8_t *data;
    GError *error = NULL;
    gsize size;
    Files t;

    make_files(&t);
    fixture_start(f);
    size = make_elf(image, true, false);
    assert_true(g_file_set_contents(t.kernel, (char *)image, size, NULL));
    assert_true(kernel_load(fw, NULL, t.kernel, NULL, "", 16 * MIB, true, &error));
    data = item(fw, FW_CFG_KERNEL_DATA, 0x2082);
    for (unsigned i = 0x100; i < 0x2082; i++)
        assert_int_equal(data[i], 0);
    free_files(&t);
}

/* Numbers that are near a limit more often than chance has them. */
static void mutate(GRand *rand, uint8_t *p, gsize size)
{
    static const uint32_t limits[] = { 0,     1,      3,        0x7f,      0xff,
                                       0x200, 0xffff, 0x100000, INT32_MAX, UINT32_MAX - 3 };

    for (int n = g_rand_int_range(rand, 0, 5); n > 0; n--) {
        gsize at = g_rand_int_range(rand, 0, size - 8);

        if (g_rand_boolean(rand))
            p[at] = g_rand_int(rand);
        else
            put(p + (at & ~3), limits[g_rand_int_range(rand, 0, G_N_ELEMENTS(limits))], 4);
    }
}

/* Kernels of all kinds with something changed or cut off: loaded or refused. */
static void test_mutated(void **state)
{
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(500);
    Fixture *f = *state;
    FwCfg *fw = fw_cfg_new(f->root, &f->io_root, f->memory);
    unsigned taken = 0;
    Files t;

    fixture_start(f);
    make_files(&t);
    for (unsigned n = 0; n < rounds; n++) {
        uint8_t image[sizeof(t.image)] = { 0 };
        g_autoptr(GError) error = NULL;
        gsize size = sizeof(image);

        if (n % 5)
            size = make_elf(image, n & 1, n & 2);
        else
            memcpy(image, t.image, sizeof(image));
        mutate(rand, image, n % 5 ? size : 0x280);
        if (!g_rand_int_range(rand, 0, 8))
            size = g_rand_int_range(rand, 0, size);
        g_unlink(t.kernel); /* what replaces nothing is not made safe at once, which takes long */
        assert_true(g_file_set_contents(t.kernel, (char *)image, size, NULL));
        if (kernel_load(fw, NULL, t.kernel, n & 4 ? t.initrd : NULL, "quiet", 16 * MIB, true,
                        &error))
            taken++;
        else
            assert_non_null(error);
    }
    assert_in_range(taken, rounds / 20, rounds);
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
        hw_test(test_items),       hw_test(test_initrd_below_2g),     hw_test(test_initrd_below_4g),
        hw_test(test_bad_kernels), hw_test(test_bad_files),           hw_test(test_gap),
        hw_test(test_mutated),     cmocka_unit_test(test_option_rom),
    };
    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
