/* SPDX-License-Identifier: MIT */
/*
 * Loading a bzImage through firmware. Spec: Linux Documentation/arch/x86/boot.rst.
 * The board decides where everything goes and fills in the setup header; the option ROM only
 * fetches. Memory below 1 MiB: setup at 64 KiB, command line at 128 KiB.
 * What is not a bzImage goes to kernel-elf.c. Missing: zImage and boot protocols before 2.02
 * (refused).
 */
#include "hw/kernel-loader.h"

#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "hw/kernel-elf.h"
#include "hw/kernel-unpack.h"
#include "hw/optionrom/roms.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/log.h"

#define SETUP_LOAD_ADDR   0x10000
#define CMDLINE_LOAD_ADDR 0x20000
#define KERNEL_LOAD_ADDR  0x100000
#define CMDLINE_ROOM      0x10000
#define SECTOR            512

/* Firmware keeps its tables at the top of low RAM. */
#define FIRMWARE_HIGH_MEMORY 0x100000

/* Offsets in the setup header. */
enum {
    HDR_SETUP_SECTS = 0x1f1,
    HDR_SYSSIZE = 0x1f4,
    HDR_VID_MODE = 0x1fa,
    HDR_BOOT_FLAG = 0x1fe,
    HDR_MAGIC = 0x202,
    HDR_VERSION = 0x206,
    HDR_TYPE_OF_LOADER = 0x210,
    HDR_LOADFLAGS = 0x211,
    HDR_RAMDISK_IMAGE = 0x218,
    HDR_RAMDISK_SIZE = 0x21c,
    HDR_HEAP_END_PTR = 0x224,
    HDR_CMD_LINE_PTR = 0x228,
    HDR_INITRD_ADDR_MAX = 0x22c,
    HDR_RELOCATABLE_KERNEL = 0x234,
    HDR_XLOADFLAGS = 0x236,
    HDR_CMDLINE_SIZE = 0x238,
    HDR_PAYLOAD_OFFSET = 0x248,
    HDR_PAYLOAD_LENGTH = 0x24c,
    HDR_PREF_ADDRESS = 0x258,
    HDR_INIT_SIZE = 0x260,
    HDR_END = 0x270,
};

enum { LOADED_HIGH = 0x01, CAN_USE_HEAP = 0x80 };
enum { XLF_CAN_BE_LOADED_ABOVE_4G = 0x02 };
enum { LOADER_UNDEFINED = 0xff };

typedef struct Kernel {
    HostFiles *files;
    const char *path;
    GBytes *image;  /* the whole file */
    uint8_t *setup; /* a patched copy of its real-mode part */
    gsize setup_size;
    uint16_t version; /* of the boot protocol */
    bool decompress;
} Kernel;

static uint16_t get16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void put16(uint8_t *p, uint16_t v)
{
    p[0] = v;
    p[1] = v >> 8;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v);
    put16(p + 2, v >> 16);
}

static bool G_GNUC_PRINTF(2, 3) refuse(GError **error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (error)
        *error = g_error_new_valist(ERROR_USER, 0, fmt, ap);
    va_end(ap);
    return false;
}

/* What no boot protocol can place, they have 32-bit addresses, is not read first. */
static bool check_host_file(const char *what, const char *path, GError **error)
{
    GStatBuf st;

    if (g_stat(path, &st)) /* reading says why */
        return true;
    if (!S_ISREG(st.st_mode))
        return refuse(error, "cannot load %s '%s': not a regular file", what, path);
    if (st.st_size > UINT32_MAX)
        return refuse(error, "%s '%s' (%" PRIu64 " MiB) does not fit into memory below 4 GiB", what,
                      path, (uint64_t)st.st_size >> 20);
    return true;
}

static GBytes *read_host_file(const char *what, const char *path, GError **error)
{
    GError *reason = NULL;
    char *data;
    gsize size;

    if (!check_host_file(what, path, error))
        return NULL;
    if (!host_read_file(path, &data, &size, &reason)) {
        /* glib's sentence names the file once more; the errno text is its tail. */
        const char *tail = strrchr(reason->message, ':');
        refuse(error, "cannot load %s '%s'%s", what, path, tail ? tail : "");
        g_error_free(reason);
        return NULL;
    }
    return g_bytes_new_take(data, size);
}

static GBytes *read_file(HostFiles *files, const char *what, const char *path, GError **error)
{
    GBytes *data;

    if (!host_files_find(files, path, &data, error))
        data = read_host_file(what, path, error);
    if (data)
        host_files_add(files, path, data);
    return data;
}

/* Is this a kernel that the rules below hold for, and is all of it there? */
static bool check_header(Kernel *k, GError **error)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(k->image, &size);

    if (size < HDR_END || get16(data + HDR_BOOT_FLAG) != 0xaa55 ||
        memcmp(data + HDR_MAGIC, "HdrS", 4) != 0)
        return refuse(error,
                      "kernel '%s' is not a Linux bzImage, a multiboot kernel or an ELF file with "
                      "a PVH entry (damaged or truncated?)",
                      k->path);
    k->version = get16(data + HDR_VERSION);
    if (k->version < 0x202 || !(data[HDR_LOADFLAGS] & LOADED_HIGH))
        return refuse(error,
                      "kernel '%s' is too old: boot protocol %d.%02d, bzImage with 2.02 or newer "
                      "needed",
                      k->path, k->version >> 8, k->version & 0xff);
    unsigned sects = data[HDR_SETUP_SECTS] ? data[HDR_SETUP_SECTS] : 4;
    k->setup_size = (sects + 1) * SECTOR;
    /* syssize was 16 bits wide before 2.04 and wrapped. The last paragraph may be shorter. */
    uint64_t paragraphs = k->version >= 0x204 ? get32(data + HDR_SYSSIZE) : 1;
    if (size <= k->setup_size || size - k->setup_size + 15 < paragraphs * 16)
        return refuse(error, "kernel '%s' is truncated: %" G_GSIZE_FORMAT " of %" PRIu64 " bytes",
                      k->path, size, k->setup_size + paragraphs * 16);
    if (k->setup_size > CMDLINE_LOAD_ADDR - SETUP_LOAD_ADDR - 0x1000)
        return refuse(error, "kernel '%s': its setup part is too large", k->path);
    return true;
}

/* Bytes at KERNEL_LOAD_ADDR that the kernel may touch before it knows the memory map. */
static uint64_t kernel_extent(const Kernel *k)
{
    uint64_t file = g_bytes_get_size(k->image) - k->setup_size;

    return k->version >= 0x20a ? MAX(file, get32(k->setup + HDR_INIT_SIZE)) : file;
}

/* "vga=" is for the boot loader: it becomes a video mode in the header. */
static bool set_video_mode(Kernel *k, const char *cmdline, GError **error)
{
    static const struct {
        const char *name;
        uint16_t mode;
    } names[] = { { "normal", 0xffff }, { "ext", 0xfffe }, { "ask", 0xfffd } };
    g_auto(GStrv) words = g_strsplit(cmdline, " ", -1);

    for (int i = 0; words[i]; i++) {
        const char *value = words[i] + 4;
        uint64_t mode = UINT64_MAX;
        char *end;

        if (!g_str_has_prefix(words[i], "vga="))
            continue;
        for (int n = 0; n < G_N_ELEMENTS(names); n++) {
            if (g_str_equal(value, names[n].name))
                mode = names[n].mode;
        }
        if (mode == UINT64_MAX && *value) {
            mode = g_ascii_strtoull(value, &end, 0);
            if (*end)
                mode = UINT64_MAX;
        }
        if (mode > 0xffff)
            return refuse(error, "kernel command line: unknown video mode 'vga=%s'", value);
        put16(k->setup + HDR_VID_MODE, mode);
    }
    return true;
}

static bool add_cmdline(FwCfg *fw, Kernel *k, const char *cmdline, GError **error)
{
    gsize size = strlen(cmdline) + 1;
    gsize limit = k->version >= 0x206 ? get32(k->setup + HDR_CMDLINE_SIZE) : 255;
    g_autoptr(GBytes) data = g_bytes_new(cmdline, size);

    limit = MIN(limit, CMDLINE_ROOM - 1);
    if (size - 1 > limit)
        return refuse(error,
                      "kernel command line too long: %" G_GSIZE_FORMAT
                      " characters, this kernel takes %" G_GSIZE_FORMAT,
                      size - 1, limit);
    if (!set_video_mode(k, cmdline, error))
        return false;
    put32(k->setup + HDR_CMD_LINE_PTR, CMDLINE_LOAD_ADDR);
    fw_cfg_add_i32(fw, FW_CFG_CMDLINE_ADDR, CMDLINE_LOAD_ADDR);
    fw_cfg_add_i32(fw, FW_CFG_CMDLINE_SIZE, size);
    fw_cfg_add_bytes(fw, FW_CFG_CMDLINE_DATA, data);
    return true;
}

/* As high as the kernel can take it and low RAM goes, page-aligned. */
static bool add_initrd(FwCfg *fw, Kernel *k, const char *path, uint64_t low_ram, GError **error)
{
    g_autoptr(GBytes) data = read_file(k->files, "initrd", path, error);
    uint64_t top = low_ram - FIRMWARE_HIGH_MEMORY;
    uint64_t floor = KERNEL_LOAD_ADDR + kernel_extent(k);
    uint64_t last = 0x37ffffff, size, addr;

    if (!data)
        return false;
    size = g_bytes_get_size(data);
    if (!size)
        return refuse(error, "initrd '%s' is empty", path);
    if (k->version >= 0x20c && (get16(k->setup + HDR_XLOADFLAGS) & XLF_CAN_BE_LOADED_ABOVE_4G))
        last = UINT32_MAX;
    else if (k->version >= 0x203)
        last = get32(k->setup + HDR_INITRD_ADDR_MAX);
    top = MIN(top, last + 1) & ~UINT64_C(0xfff);
    addr = size <= top ? (top - size) & ~UINT64_C(0xfff) : 0;
    if (addr < floor)
        return refuse(error,
                      "initrd '%s' (%" PRIu64 " MiB) does not fit into memory beside the kernel; "
                      "give the machine more with -m",
                      path, (size >> 20) + 1);
    put32(k->setup + HDR_RAMDISK_IMAGE, addr);
    put32(k->setup + HDR_RAMDISK_SIZE, size);
    fw_cfg_add_i32(fw, FW_CFG_INITRD_ADDR, addr);
    fw_cfg_add_i32(fw, FW_CFG_INITRD_SIZE, size);
    fw_cfg_add_bytes(fw, FW_CFG_INITRD_DATA, data);
    return true;
}

/* Its own decompressor reports on the console it is told of, with addresses of the payload. */
static bool wants_early_console(const char *cmdline)
{
    return strstr(cmdline, "earlyprintk") || strstr(cmdline, "console=uart");
}

static void say_why(const char *path, const char *reason)
{
    log_unimp("kernel '%s' decompresses itself: %s\n", path, reason);
}

/* The protected-mode part, its payload decompressed on the host if that can be. */
static void add_code(FwCfg *fw, const Kernel *k, GBytes *code, const char *cmdline)
{
    const KernelPayload p = {
        .offset = get32(k->setup + HDR_PAYLOAD_OFFSET),
        .size = get32(k->setup + HDR_PAYLOAD_LENGTH),
        .pref_address = get32(k->setup + HDR_PREF_ADDRESS) |
                        (uint64_t)get32(k->setup + HDR_PREF_ADDRESS + 4) << 32,
        .init_size = get32(k->setup + HDR_INIT_SIZE),
    };
    const char *reason = wants_early_console(cmdline)
                             ? "the command line asks for a console that shows it"
                         : k->version < 0x20a || !k->setup[HDR_RELOCATABLE_KERNEL]
                             ? "its boot protocol is older than 2.10"
                             : NULL;

    if (k->decompress && !reason) {
        kernel_unpack(fw, code, &p, say_why, k->path);
        return;
    }
    if (k->decompress)
        say_why(k->path, reason);
    fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, code);
}

static void add_kernel(FwCfg *fw, Kernel *k, const char *cmdline)
{
    gsize size = g_bytes_get_size(k->image) - k->setup_size;
    g_autoptr(GBytes) code = g_bytes_new_from_bytes(k->image, k->setup_size, size);
    g_autoptr(GBytes) setup = g_bytes_new(k->setup, k->setup_size);
    g_autoptr(GBytes) rom = g_bytes_new_static(rom_linuxboot, rom_linuxboot_size);

    fw_cfg_add_i32(fw, FW_CFG_SETUP_ADDR, SETUP_LOAD_ADDR);
    fw_cfg_add_i32(fw, FW_CFG_SETUP_SIZE, k->setup_size);
    fw_cfg_add_bytes(fw, FW_CFG_SETUP_DATA, setup);
    fw_cfg_add_i32(fw, FW_CFG_KERNEL_ADDR, KERNEL_LOAD_ADDR);
    fw_cfg_add_i32(fw, FW_CFG_KERNEL_SIZE, size);
    add_code(fw, k, code, cmdline);
    fw_cfg_put_file(fw, KERNEL_ROM_FILE, rom);
}

static bool load(FwCfg *fw, Kernel *k, const char *initrd, const char *cmdline, uint64_t low_ram,
                 GError **error)
{
    cmdline = cmdline ? cmdline : "";
    if (!check_header(k, error))
        return false;
    k->setup = g_memdup2(g_bytes_get_data(k->image, NULL), k->setup_size);
    if (low_ram < FIRMWARE_HIGH_MEMORY + KERNEL_LOAD_ADDR + kernel_extent(k))
        return refuse(error, "kernel '%s' does not fit into memory; give the machine more with -m",
                      k->path);
    k->setup[HDR_TYPE_OF_LOADER] = LOADER_UNDEFINED;
    k->setup[HDR_LOADFLAGS] |= CAN_USE_HEAP;
    put16(k->setup + HDR_HEAP_END_PTR, CMDLINE_LOAD_ADDR - SETUP_LOAD_ADDR - 0x200);
    if (!add_cmdline(fw, k, cmdline, error))
        return false;
    if (initrd && !add_initrd(fw, k, initrd, low_ram, error))
        return false;
    add_kernel(fw, k, cmdline);
    return true;
}

static GBytes *read_module(void *opaque, const char *path, GError **error)
{
    return read_file(opaque, "module", path, error);
}

static bool is_bzimage(const Kernel *k)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(k->image, &size);

    return size >= HDR_END && !memcmp(data + HDR_MAGIC, "HdrS", 4);
}

static bool load_any(FwCfg *fw, Kernel *k, const char *initrd, const char *cmdline,
                     uint64_t low_ram, GError **error)
{
    KernelElf elf = { .path = k->path,
                      .cmdline = cmdline ? cmdline : "",
                      .image = k->image,
                      .low_ram = low_ram,
                      .modules = initrd,
                      .read_module = read_module,
                      .opaque = k->files };

    if (!is_bzimage(k) && kernel_elf_kind(k->image) != KERNEL_ELF_NONE)
        return kernel_elf_load(fw, &elf, KERNEL_ELF_ROM_FILE, error);
    return load(fw, k, initrd, cmdline, low_ram, error);
}

bool kernel_load(FwCfg *fw, HostFiles *files, const char *kernel, const char *initrd,
                 const char *cmdline, uint64_t low_ram, bool decompress_it, GError **error)
{
    Kernel k = { .files = files,
                 .path = kernel,
                 .decompress = decompress_it,
                 .image = read_file(files, "kernel", kernel, error) };
    bool ok;

    if (!k.image)
        return false;
    ok = load_any(fw, &k, initrd, cmdline, low_ram, error);
    g_free(k.setup);
    g_bytes_unref(k.image);
    return ok;
}
