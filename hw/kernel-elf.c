/* SPDX-License-Identifier: MIT */
/*
 * The board makes everything in memory that the kernel finds, but for the memory map, which only
 * firmware knows: the option ROM (optionrom/elfboot.S) asks it and starts the kernel.
 *
 * Low memory: map at 0x8000, from 0x9000 the ROM's own parameters, the kernel's information and its
 * strings. Modules follow the kernel. Missing: symbols and a video mode for multiboot kernels.
 */
#include "hw/kernel-elf.h"

#include <inttypes.h>
#include <string.h>

#include "hw/elf-le.h"
#include "hw/optionrom/roms.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"
#include "softmmu/log.h"

#define MAP_ADDR   0x8000
#define INFO_ADDR  0x9000 /* of the ROM's parameters */
#define START_ADDR 0x9040 /* of what EBX points to */
#define TEXT_ADDR  0x9100 /* strings and lists */
#define LOW_END    0x20000
#define PAGE       0x1000
#define ONE_MIB    0x100000
/* Firmware keeps its tables at the top of low RAM. */
#define FIRMWARE_HIGH_MEMORY 0x100000

/* ---- Files ----------------------------------------------------------------------------------- */

typedef struct Segment {
    uint64_t offset, size, memory_size; /* in the file; in memory */
    uint64_t virtual, physical;
    uint32_t type;
} Segment;

typedef struct Elf {
    const uint8_t *data;
    gsize size;
    bool is64;
    uint64_t entry, table;
    unsigned count, row;
} Elf;

static uint64_t field(const Elf *e, uint64_t at, size_t at32, size_t at64, unsigned size32,
                      unsigned size64)
{
    const uint8_t *p = e->data + at;

    return e->is64 ? get_le(p + at64, size64) : get_le(p + at32, size32);
}

#define HEADER(e, name)                                                 \
    field(e, 0, offsetof(Elf32_Ehdr, name), offsetof(Elf64_Ehdr, name), \
          sizeof(((Elf32_Ehdr *)0)->name), sizeof(((Elf64_Ehdr *)0)->name))
#define PROGRAM(e, at, name)                                             \
    field(e, at, offsetof(Elf32_Phdr, name), offsetof(Elf64_Phdr, name), \
          sizeof(((Elf32_Phdr *)0)->name), sizeof(((Elf64_Phdr *)0)->name))

/* Is it an ELF file for x86 whose program headers are there? */
static bool elf_open(Elf *e, GBytes *image)
{
    uint64_t machine;

    e->data = g_bytes_get_data(image, &e->size);
    if (e->size < sizeof(Elf64_Ehdr) || memcmp(e->data, ELFMAG, SELFMAG) ||
        e->data[EI_DATA] != ELFDATA2LSB ||
        (e->data[EI_CLASS] != ELFCLASS32 && e->data[EI_CLASS] != ELFCLASS64))
        return false;
    e->is64 = e->data[EI_CLASS] == ELFCLASS64;
    machine = HEADER(e, e_machine);
    e->entry = HEADER(e, e_entry);
    e->table = HEADER(e, e_phoff);
    e->count = HEADER(e, e_phnum);
    e->row = HEADER(e, e_phentsize);
    return (machine == EM_386 || machine == EM_X86_64) &&
           e->row >= (e->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) && e->table < e->size &&
           (uint64_t)e->row * e->count <= e->size - e->table;
}

/* False: it lies outside of the file. */
static bool elf_segment(const Elf *e, unsigned n, Segment *s)
{
    uint64_t at = e->table + (uint64_t)n * e->row;

    *s = (Segment){
        .type = PROGRAM(e, at, p_type),
        .offset = PROGRAM(e, at, p_offset),
        .size = PROGRAM(e, at, p_filesz),
        .memory_size = PROGRAM(e, at, p_memsz),
        .virtual = PROGRAM(e, at, p_vaddr),
        .physical = PROGRAM(e, at, p_paddr),
    };
    return s->offset <= e->size && s->size <= e->size - s->offset && s->size <= s->memory_size;
}

/* XEN_ELFNOTE_PHYS32_ENTRY among the notes of a segment. */
static bool find_note(const uint8_t *p, uint64_t len, uint32_t *entry)
{
    enum { HEAD = 12, TYPE_PHYS32_ENTRY = 18 };

    while (len >= HEAD) {
        uint64_t name = (get_le(p, 4) + 3) & ~UINT64_C(3);
        uint64_t text = get_le(p + 4, 4), size = HEAD + name + ((text + 3) & ~UINT64_C(3));

        if (HEAD + name + text > len)
            return false;
        if (get_le(p + 8, 4) == TYPE_PHYS32_ENTRY && get_le(p, 4) == 4 && text >= 4 &&
            !memcmp(p + HEAD, "Xen", 4)) {
            *entry = get_le(p + HEAD + name, 4);
            return true;
        }
        if (size > len)
            return false;
        p += size;
        len -= size;
    }
    return false;
}

static bool find_pvh_entry(const Elf *e, uint32_t *entry)
{
    Segment s;

    for (unsigned n = 0; n < e->count; n++) {
        if (elf_segment(e, n, &s) && s.type == PT_NOTE &&
            find_note(e->data + s.offset, s.size, entry))
            return true;
    }
    return false;
}

enum { MB_MAGIC = 0x1badb002, MB_SEARCH = 8192, MB_UNKNOWN = 0xfff8, MB_ADDRESSES = 0x10000 };

typedef struct MultibootHeader {
    uint32_t at, flags, header_addr, load_addr, load_end, bss_end, entry;
} MultibootHeader;

static bool find_multiboot_header(GBytes *image, MultibootHeader *h)
{
    gsize size;
    const uint8_t *p = g_bytes_get_data(image, &size);

    for (gsize at = 0; at + 12 <= MIN(size, MB_SEARCH); at += 4) {
        uint32_t flags = get_le(p + at + 4, 4);

        if (get_le(p + at, 4) != MB_MAGIC || (uint32_t)(MB_MAGIC + flags + get_le(p + at + 8, 4)))
            continue;
        *h = (MultibootHeader){ .at = at, .flags = flags };
        if ((flags & MB_ADDRESSES) && at + 32 > size)
            return false;
        if (flags & MB_ADDRESSES) {
            h->header_addr = get_le(p + at + 12, 4);
            h->load_addr = get_le(p + at + 16, 4);
            h->load_end = get_le(p + at + 20, 4);
            h->bss_end = get_le(p + at + 24, 4);
            h->entry = get_le(p + at + 28, 4);
        }
        return true;
    }
    return false;
}

KernelElfKind kernel_elf_kind(GBytes *image)
{
    MultibootHeader h;
    uint32_t entry;
    Elf e;

    if (find_multiboot_header(image, &h))
        return KERNEL_ELF_MULTIBOOT;
    return elf_open(&e, image) && find_pvh_entry(&e, &entry) ? KERNEL_ELF_PVH : KERNEL_ELF_NONE;
}

/* ---- What is being built --------------------------------------------------------------------- */

typedef struct Load {
    const KernelElf *k;
    uint64_t base, end;  /* of the kernel in memory */
    GByteArray *kernel;  /* from base on */
    GByteArray *modules; /* from modules_at on */
    uint64_t modules_at;
    GByteArray *low; /* from INFO_ADDR on */
    uint32_t entry;
} Load;

static bool no_room(const Load *l, GError **error)
{
    error_set(error, "kernel '%s' does not fit into memory; give the machine more with -m",
              l->k->path);
    return false;
}

/* [first, last) must be RAM that neither firmware nor the ROM need. */
static bool place(Load *l, uint64_t first, uint64_t last, GError **error)
{
    if (last > first && (first < LOW_END || (first < ONE_MIB && last > 0x9f000))) {
        error_set(error, "kernel '%s' wants to be at 0x%" PRIx64 ", where firmware is", l->k->path,
                  first);
        return false;
    }
    if (last < first || last > l->k->low_ram - MIN(FIRMWARE_HIGH_MEMORY, l->k->low_ram))
        return no_room(l, error);
    l->base = MIN(l->base, first);
    l->end = MAX(l->end, last);
    return true;
}

/* What lies between segments, and after the last, is zero. */
static void grow(Load *l, gsize size)
{
    guint old = l->kernel->len;

    if (size <= old)
        return;
    g_byte_array_set_size(l->kernel, size);
    memset(l->kernel->data + old, 0, size - old);
}

static void put_bytes(Load *l, uint64_t at, const uint8_t *data, gsize size)
{
    grow(l, at - l->base + size);
    if (size)
        memcpy(l->kernel->data + (at - l->base), data, size);
}

static bool truncated(const Load *l, GError **error)
{
    error_set(error, "kernel '%s' is truncated or damaged", l->k->path);
    return false;
}

/* The file's segments; @virtual_entry: the entry is a virtual address. */
static bool load_elf(Load *l, const Elf *e, bool virtual_entry, GError **error)
{
    uint64_t entry = e->entry;
    Segment s;

    for (unsigned n = 0; n < e->count; n++) {
        if (!elf_segment(e, n, &s))
            return truncated(l, error);
        if (s.type == PT_LOAD && s.memory_size &&
            !place(l, s.physical, s.physical + s.memory_size, error))
            return false;
    }
    if (l->base >= l->end)
        return truncated(l, error);
    for (unsigned n = 0; n < e->count; n++) {
        elf_segment(e, n, &s);
        if (s.type != PT_LOAD || !s.memory_size)
            continue;
        put_bytes(l, s.physical, e->data + s.offset, s.size);
        if (virtual_entry && entry >= s.virtual && entry - s.virtual < s.memory_size)
            l->entry = entry - s.virtual + s.physical;
    }
    return true;
}

static bool load_by_addresses(Load *l, const MultibootHeader *h, GError **error)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(l->k->image, &size);
    uint32_t before = h->header_addr - h->load_addr;
    uint64_t bytes, last;

    if (h->load_addr > h->header_addr || before > h->at)
        return truncated(l, error);
    bytes = size - (h->at - before);
    if (h->load_end) {
        if (h->load_end < h->load_addr || h->load_end - h->load_addr > bytes)
            return truncated(l, error);
        bytes = h->load_end - h->load_addr;
    }
    last = MAX((uint64_t)h->load_addr + bytes, h->bss_end);
    if (!place(l, h->load_addr, last, error))
        return false;
    put_bytes(l, h->load_addr, data + h->at - before, bytes);
    l->entry = h->entry;
    return true;
}

/* ---- Low memory ------------------------------------------------------------------------------ */

static void put_low(Load *l, uint32_t addr, unsigned size, uint64_t value)
{
    put_le(l->low->data + addr - INFO_ADDR, size, value);
}

/* Where it went; 0: there is no room. */
static uint32_t add_low(Load *l, const void *data, gsize size)
{
    uint32_t addr;

    g_byte_array_set_size(l->low, (l->low->len + 7) & ~7u);
    addr = INFO_ADDR + l->low->len;
    if (size > LOW_END - addr)
        return 0;
    g_byte_array_append(l->low, data, size);
    return addr;
}

/* ---- Modules --------------------------------------------------------------------------------- */

typedef struct Module {
    char *text; /* as the user gave it */
    uint64_t start, end;
} Module;

static void module_clear(void *p)
{
    g_free(((Module *)p)->text);
}

/* "a,b"; two commas are one that does not separate. */
static GPtrArray *split_modules(const char *text)
{
    GPtrArray *parts = g_ptr_array_new_with_free_func(g_free);
    GString *part = g_string_new("");

    for (; text && *text; text++) {
        if (*text == ',' && text[1] != ',') {
            g_ptr_array_add(parts, g_string_free(part, FALSE));
            part = g_string_new("");
        } else {
            text += *text == ',';
            g_string_append_c(part, *text);
        }
    }
    if (text)
        g_ptr_array_add(parts, g_string_free(part, FALSE));
    else
        g_string_free(part, TRUE);
    return parts;
}

static bool add_module(Load *l, GArray *modules, const char *text, GError **error)
{
    g_autofree char *path = g_strndup(text, strcspn(text, " "));
    g_autoptr(GBytes) data = l->k->read_module(l->k->opaque, path, error);
    guint old = l->modules->len, start = (old + PAGE - 1) & ~(PAGE - 1u);
    Module m;
    gsize size;

    if (!data)
        return false;
    size = g_bytes_get_size(data);
    m.start = l->modules_at + start;
    m.end = m.start + size;
    if (m.end > l->k->low_ram - FIRMWARE_HIGH_MEMORY) {
        error_set(error, "module '%s' does not fit into memory; give the machine more with -m",
                  path);
        return false;
    }
    g_byte_array_set_size(l->modules, start + size);
    memset(l->modules->data + old, 0, start - old);
    memcpy(l->modules->data + start, g_bytes_get_data(data, NULL), size);
    m.text = g_strdup(text);
    g_array_append_val(modules, m);
    return true;
}

static bool load_modules(Load *l, GArray *modules, bool whole, GError **error)
{
    g_autoptr(GPtrArray) parts = split_modules(whole ? NULL : l->k->modules);

    if (whole && l->k->modules)
        g_ptr_array_add(parts, g_strdup(l->k->modules));
    for (guint i = 0; i < parts->len; i++) {
        if (!add_module(l, modules, parts->pdata[i], error))
            return false;
    }
    return true;
}

/* ---- What the two kinds find ----------------------------------------------------------------- */

/* The ROM's parameters, see optionrom/elfboot.S. */
static void set_rom_parameters(Load *l, uint32_t eax, uint32_t tag, uint32_t count_addr,
                               uint32_t count_unit, uint32_t lower_addr)
{
    const uint32_t values[] = {
        l->entry, eax, START_ADDR, tag, count_addr, count_unit, lower_addr
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        put_low(l, INFO_ADDR + 4 * i, 4, values[i]);
}

/* Multiboot Specification 3.3. */
enum {
    MBI_FLAGS = 0,
    MBI_LOWER = 4,
    MBI_CMDLINE = 16,
    MBI_MODULES = 20,
    MBI_MAP_LENGTH = 44,
    MBI_MAP = 48,
    MBI_LOADER = 64,
    MBI_HAS = 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9,
    MB_EAX = 0x2badb002,
    MAP_ROW = 24,
    MAP_ROW_SIZE = 20, /* what a row says of its own size */
};

static bool make_multiboot_info(Load *l, const GArray *modules)
{
    g_autofree char *cmdline =
        g_strconcat(l->k->path, *l->k->cmdline ? " " : "", l->k->cmdline, NULL);
    g_autofree uint8_t *list = g_malloc0(16 * modules->len + 1);
    uint32_t cmdline_at = add_low(l, cmdline, strlen(cmdline) + 1), loader_at, list_at;
    bool ok = cmdline_at != 0;

    for (guint i = 0; i < modules->len; i++) {
        const Module *m = &g_array_index(modules, Module, i);
        uint32_t text_at = add_low(l, m->text, strlen(m->text) + 1);

        ok &= text_at != 0;
        put_le(list + 16 * i, 4, m->start);
        put_le(list + 16 * i + 4, 4, m->end);
        put_le(list + 16 * i + 8, 4, text_at);
    }
    loader_at = add_low(l, "Mimus", 6);
    list_at = add_low(l, list, 16 * modules->len);
    put_low(l, START_ADDR + MBI_FLAGS, 4, MBI_HAS);
    put_low(l, START_ADDR + MBI_CMDLINE, 4, cmdline_at);
    put_low(l, START_ADDR + MBI_MODULES, 4, modules->len);
    put_low(l, START_ADDR + MBI_MODULES + 4, 4, list_at);
    put_low(l, START_ADDR + MBI_MAP, 4, MAP_ADDR);
    put_low(l, START_ADDR + MBI_LOADER, 4, loader_at);
    set_rom_parameters(l, MB_EAX, MAP_ROW_SIZE, START_ADDR + MBI_MAP_LENGTH, MAP_ROW,
                       START_ADDR + MBI_LOWER);
    return ok && loader_at && list_at;
}

/* struct hvm_start_info, version 1. */
enum {
    PVH_MAGIC = 0x336ec578,
    PVH_MODULES = 12,
    PVH_LIST = 16,
    PVH_CMDLINE = 24,
    PVH_MAP = 40,
    PVH_MAP_ROWS = 48
};

static bool make_pvh_info(Load *l, const GArray *modules)
{
    uint8_t list[32] = { 0 };
    uint32_t cmdline_at = add_low(l, l->k->cmdline, strlen(l->k->cmdline) + 1), list_at;

    if (modules->len) {
        const Module *m = &g_array_index(modules, Module, 0);

        put_le(list, 8, m->start);
        put_le(list + 8, 8, m->end - m->start);
    }
    list_at = add_low(l, list, sizeof(list));
    put_low(l, START_ADDR, 4, PVH_MAGIC);
    put_low(l, START_ADDR + 4, 4, 1);
    put_low(l, START_ADDR + PVH_MODULES, 4, modules->len);
    put_low(l, START_ADDR + PVH_LIST, 8, modules->len ? list_at : 0);
    put_low(l, START_ADDR + PVH_CMDLINE, 8, cmdline_at);
    put_low(l, START_ADDR + PVH_MAP, 8, MAP_ADDR + 4); /* its rows end with a zero, not begin */
    set_rom_parameters(l, 0, 0, START_ADDR + PVH_MAP_ROWS, 1, 0);
    return cmdline_at && list_at;
}

/* ---- All together ---------------------------------------------------------------------------- */

static bool load_kernel(Load *l, KernelElfKind kind, GError **error)
{
    MultibootHeader h = { 0 };
    bool elf;
    Elf e;

    if (kind == KERNEL_ELF_MULTIBOOT)
        find_multiboot_header(l->k->image, &h);
    if (h.flags & MB_UNKNOWN & ~4u) {
        error_set(error, "kernel '%s' needs multiboot features that are not supported: flags 0x%x",
                  l->k->path, h.flags);
        return false;
    }
    if (h.flags & 4)
        log_unimp("kernel '%s' would like a video mode\n", l->k->path);
    if (h.flags & MB_ADDRESSES)
        return load_by_addresses(l, &h, error);
    elf = elf_open(&e, l->k->image);
    if (!elf)
        return truncated(l, error);
    if (kind == KERNEL_ELF_PVH)
        find_pvh_entry(&e, &l->entry);
    else
        l->entry = e.entry;
    return load_elf(l, &e, kind == KERNEL_ELF_MULTIBOOT, error);
}

static void add_item(FwCfg *fw, uint16_t addr_key, uint16_t size_key, uint16_t data_key,
                     uint32_t addr, GByteArray **data)
{
    g_autoptr(GBytes) bytes = g_byte_array_free_to_bytes(g_steal_pointer(data));

    fw_cfg_add_i32(fw, addr_key, addr);
    fw_cfg_add_i32(fw, size_key, g_bytes_get_size(bytes));
    fw_cfg_add_bytes(fw, data_key, bytes);
}

static bool load(Load *l, KernelElfKind kind, GError **error)
{
    g_autoptr(GArray) modules = g_array_new(FALSE, FALSE, sizeof(Module));

    g_array_set_clear_func(modules, module_clear);
    if (!load_kernel(l, kind, error))
        return false;
    grow(l, l->end - l->base);
    l->modules_at = (MAX(l->end, ONE_MIB) + PAGE - 1) & ~(uint64_t)(PAGE - 1);
    if (!load_modules(l, modules, kind == KERNEL_ELF_PVH, error))
        return false;
    g_byte_array_set_size(l->low, TEXT_ADDR - INFO_ADDR);
    memset(l->low->data, 0, l->low->len);
    if (kind == KERNEL_ELF_MULTIBOOT ? make_multiboot_info(l, modules) : make_pvh_info(l, modules))
        return true;
    error_set(error, "kernel command line too long");
    return false;
}

bool kernel_elf_load(FwCfg *fw, const KernelElf *k, const char *rom_file, GError **error)
{
    g_autoptr(GBytes) rom = g_bytes_new_static(rom_elfboot, rom_elfboot_size);
    Load l = { .k = k,
               .base = UINT64_MAX,
               .kernel = g_byte_array_new(),
               .modules = g_byte_array_new(),
               .low = g_byte_array_new() };
    bool ok = load(&l, kernel_elf_kind(k->image), error);

    if (ok) {
        add_item(fw, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, l.base, &l.kernel);
        add_item(fw, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, l.modules_at,
                 &l.modules);
        add_item(fw, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, INFO_ADDR, &l.low);
        fw_cfg_add_i32(fw, FW_CFG_KERNEL_ENTRY, l.entry);
        fw_cfg_put_file(fw, rom_file, rom);
    }
    g_clear_pointer(&l.kernel, g_byte_array_unref);
    g_clear_pointer(&l.modules, g_byte_array_unref);
    g_clear_pointer(&l.low, g_byte_array_unref);
    return ok;
}
