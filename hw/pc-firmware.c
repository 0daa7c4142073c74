/* SPDX-License-Identifier: MIT */
/*
 * What firmware finds on the board: its own ROM, CMOS presets, fw_cfg items, the kernel.
 * CMOS layout as SeaBIOS reads it (src/hw/rtc.h names the bytes).
 */
#include <string.h>

#include "hw/acpi-build.h"
#include "hw/fdc.h"
#include "hw/firmware.h"
#include "hw/kernel-loader.h"
#include "hw/mc146818.h"
#include "hw/pc-internal.h"
#include "hw/smbios.h"
#include "softmmu/error.h"

#define MAX_ROM_SIZE  0x100000
#define BIOS_UNIT     0x10000
#define BIOS_MAX_SIZE 0x1000000
#define ISA_BIOS_SIZE 0x20000
#define FOUR_GIB      0x100000000ULL

enum { E820_RAM = 1 };

void pc_place_isa_bios(PcBoard *b, MemRegion *bios)
{
    uint64_t size = MIN(bios->size, ISA_BIOS_SIZE);

    memory_init_alias(&b->isa_bios, "isa-bios", bios, bios->size - size, size);
    memory_add(b->pci_memory, 0x100000 - size, 1, &b->isa_bios);
}

static bool place_rom(PcBoard *b, GError **error)
{
    const MachineConfig *c = b->m->config;
    const char *name = c->bios ? c->bios : PC_BIOS_NAME;
    g_autoptr(GBytes) image =
        firmware_load(c->files, c->data_dirs, name, BIOS_UNIT, BIOS_MAX_SIZE, error);
    RamBlock *rom;
    gsize size;

    if (!image)
        return false;
    const void *data = g_bytes_get_data(image, &size);
    rom = ram_block_new(b->m->ram, "pc.bios", size, error);
    if (!rom)
        return false;
    memcpy(rom->host, data, size);
    memory_init_rom(&b->bios, "pc.bios", rom, 0, size);
    memory_add(b->pci_memory, FOUR_GIB - size, 0, &b->bios);
    pc_place_isa_bios(b, &b->bios);
    return true;
}

bool pc_place_bios(PcBoard *b, GError **error)
{
    return pc_has_flash(b) ? pc_place_flash(b, error) : place_rom(b, error);
}

/* ---- CMOS ----------------------------------------------------------------------------------- */

static void cmos16(PcBoard *b, uint8_t reg, uint64_t value)
{
    value = MIN(value, 0xffff);
    rtc_set_cmos(b->rtc, reg, value);
    rtc_set_cmos(b->rtc, reg + 1, value >> 8);
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

static void fill_memory_sizes(PcBoard *b)
{
    uint64_t high = b->above_4g >> 16;

    cmos16(b, 0x15, 640);
    cmos16(b, 0x17, minus(b->below_4g, 0x100000) >> 10);
    cmos16(b, 0x30, minus(b->below_4g, 0x100000) >> 10);
    cmos16(b, 0x34, minus(b->below_4g, 0x1000000) >> 16);
    rtc_set_cmos(b->rtc, 0x5b, high);
    rtc_set_cmos(b->rtc, 0x5c, high >> 8);
    rtc_set_cmos(b->rtc, 0x5d, high >> 16);
}

/* "cad": up to three devices in the order firmware tries them. */
bool pc_fill_boot_order(PcBoard *b, const char *order, GError **error)
{
    static const char letters[] = "\1a\1b\2c\3d\4n"; /* code, letter */
    uint8_t codes[3] = { 0 };

    if (strlen(order) > G_N_ELEMENTS(codes)) {
        error_set(error, "-boot order=%s: more than three devices", order);
        return false;
    }
    for (int i = 0; order[i]; i++) {
        for (const char *l = letters; *l; l += 2) {
            if (l[1] == order[i])
                codes[i] = l[0];
        }
        if (!codes[i]) {
            error_set(error, "Invalid boot device '%c'", order[i]);
            return false;
        }
        if (strchr(order, order[i]) != order + i) {
            error_set(error, "-boot order=%s: '%c' twice", order, order[i]);
            return false;
        }
    }
    rtc_set_cmos(b->rtc, 0x3d, codes[1] << 4 | codes[0]);
    rtc_set_cmos(b->rtc, 0x38, codes[2] << 4);
    return true;
}

static void fill_floppies(PcBoard *b)
{
    unsigned drives = fdc_has_unit(b->fdc, 0) + fdc_has_unit(b->fdc, 1);
    uint8_t equipment = 0x06; /* x87 and PS/2 mouse */

    rtc_set_cmos(b->rtc, 0x10, fdc_drive_type(b->fdc, 0) << 4 | fdc_drive_type(b->fdc, 1));
    if (drives)
        equipment |= 1 | (drives - 1) << 6;
    rtc_set_cmos(b->rtc, 0x14, equipment);
}

static const char *boot_order(const MachineConfig *c)
{
    return c->boot_order ? c->boot_order : "cad";
}

bool pc_fill_cmos(PcBoard *b, GError **error)
{
    const MachineConfig *c = b->m->config;

    fill_memory_sizes(b);
    fill_floppies(b);
    return pc_fill_boot_order(b, boot_order(c), error) &&
           (!c->boot_once || pc_fill_boot_order(b, c->boot_once, error));
}

void pc_forget_boot_once(PcBoard *b)
{
    pc_fill_boot_order(b, boot_order(b->m->config), NULL);
}

/* ---- fw_cfg --------------------------------------------------------------------------------- */

static void append_e820(GByteArray *map, uint64_t addr, uint64_t len, uint32_t type)
{
    uint64_t range[2] = { GUINT64_TO_LE(addr), GUINT64_TO_LE(len) };

    type = GUINT32_TO_LE(type);
    g_byte_array_append(map, (const uint8_t *)range, sizeof(range));
    g_byte_array_append(map, (const uint8_t *)&type, sizeof(type));
}

static void add_e820(PcBoard *b)
{
    GByteArray *map = g_byte_array_new();

    append_e820(map, 0, b->below_4g, E820_RAM);
    if (b->above_4g)
        append_e820(map, FOUR_GIB, b->above_4g, E820_RAM);
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(map);
    fw_cfg_add_file(b->fw_cfg, "etc/e820", data);
}

/* Which sleep states the board has: bit 7 enables, the rest is the SLP_TYP value of S3 and S4. */
static void add_system_states(PcBoard *b)
{
    static const uint8_t states[6] = { 0x80, 0, 0, 0x81, 0x02, 0x80 };
    g_autoptr(GBytes) data = g_bytes_new_static(states, sizeof(states));

    fw_cfg_add_file(b->fw_cfg, "etc/system-states", data);
}

static void add_pvpanic_port(PcBoard *b)
{
    uint16_t port = GUINT16_TO_LE(b->pvpanic_port);
    g_autoptr(GBytes) data = g_bytes_new(&port, sizeof(port));

    fw_cfg_add_file(b->fw_cfg, "etc/pvpanic-port", data);
}

/* Boot devices by firmware's names, one per line. */
static void add_number_file(PcBoard *b, const char *name, uint32_t value, unsigned size)
{
    uint32_t le = GUINT32_TO_LE(value);
    g_autoptr(GBytes) data = g_bytes_new(&le, size);

    fw_cfg_add_file(b->fw_cfg, name, data);
}

/* How long firmware shows its menu, with which picture, and waits when nothing boots. */
static void add_boot_waits(PcBoard *b)
{
    const MachineConfig *c = b->m->config;

    if (c->boot_menu_wait_given)
        add_number_file(b, "etc/boot-menu-wait", c->boot_menu_wait_ms, 2);
    if (c->boot_fail_wait_given)
        add_number_file(b, "etc/boot-fail-wait", c->boot_fail_wait_ms, 4);
    if (c->boot_splash)
        fw_cfg_add_file(b->fw_cfg, c->boot_splash_jpeg ? "bootsplash.jpg" : "bootsplash.bmp",
                        c->boot_splash);
}

/* ROMs of the user's, which firmware runs; bootindex= says when they may boot. */
static bool add_option_roms(PcBoard *b, GError **error)
{
    const MachineConfig *c = b->m->config;

    for (guint i = 0; c->option_roms && i < c->option_roms->len; i++) {
        const DeviceOption *o = c->option_roms->pdata[i];
        const char *file = g_hash_table_lookup(o->props, "romfile");
        g_autofree char *base = g_path_get_basename(file);
        g_autofree char *name = g_strconcat("genroms/", base, NULL);
        g_autofree char *place = g_strconcat("/rom@", name, NULL);
        g_autoptr(GBytes) rom =
            firmware_load(c->files, c->data_dirs, file, 512, MAX_ROM_SIZE, error);

        if (!rom || !fw_cfg_add_user_file(b->fw_cfg, name, rom, error) ||
            !pc_order_device(b, o, place, error)) {
            g_prefix_error(error, "-option-rom %s: ", file);
            return false;
        }
    }
    return true;
}

static bool add_user_files(PcBoard *b, GError **error)
{
    const GPtrArray *files = b->m->config->fw_cfg;

    for (guint i = 0; files && i < files->len; i++) {
        const FwCfgFileOption *o = files->pdata[i];
        if (!fw_cfg_add_user_file(b->fw_cfg, o->name, o->data, error))
            return false;
    }
    return true;
}

/* A window for large BARs above RAM, aligned to a gigabyte. */
#define PCI64_ALIGN 0x40000000ULL
#define PCI64_SIZE  0x80000000ULL

static void add_acpi(PcBoard *b)
{
    const CpuBus *cpus = b->m->cpus;
    g_autofree uint32_t *apic_ids = g_new(uint32_t, cpus->count);
    g_autofree bool *present = g_new(bool, cpus->count);
    AcpiConfig c = {
        .cpus = cpus->count,
        .apic_ids = apic_ids,
        .present = present,
        .below_4g = b->below_4g,
        .pci64_base = (FOUR_GIB + b->above_4g + PCI64_ALIGN - 1) & ~(PCI64_ALIGN - 1),
        .pci64_size = PCI64_SIZE,
        .hpet = b->m->config->hpet,
        .i8042 = b->i8042 != NULL,
        .floppy = b->fdc != NULL,
        .parallel = b->m->parallel != NULL,
        .pvpanic = b->pvpanic_port,
        .generation_id = b->vmgenid != NULL,
        .fixed_slots = pc_fixed_slots(b),
        .oem_id = b->m->config->acpi_oem_id,
        .oem_table_id = b->m->config->acpi_oem_table_id,
        .extra = b->m->config->acpi_tables,
        .numa = b->m->config->numa.nodes ? &b->m->config->numa : NULL,
    };

    for (unsigned i = 0; i < cpus->count; i++) {
        apic_ids[i] = cpus->apic_id(cpus->opaque, i);
        present[i] = cpus->is_present(cpus->opaque, i);
    }
    for (int i = 0; i < MACHINE_MAX_SERIAL; i++)
        c.serial[i] = b->m->serial[i] != NULL;
    acpi_add_tables(b->fw_cfg, &c);
}

/* Numbers of CPUs for firmware, and the tables in which they are listed. */
void pc_tell_cpus(PcBoard *b)
{
    const CpuBus *cpus = b->m->cpus;
    unsigned count = pc_count_cpus(b);

    rtc_set_cmos(b->rtc, 0x5f, count - 1);
    fw_cfg_add_i16(b->fw_cfg, FW_CFG_NB_CPUS, count);
    fw_cfg_add_i16(b->fw_cfg, FW_CFG_MAX_CPUS, cpus->apic_id(cpus->opaque, cpus->count - 1) + 1);
    if (b->pm)
        add_acpi(b);
}

#define NEWEST_VERSION "pc-i440fx-7.2"

static bool find_pci(void *opaque, const char *id, uint8_t *devfn)
{
    const PcBoard *b = opaque;

    for (unsigned n = 0; n < 256; n++) {
        const PciDevice *d = pci_bus_find(b->pci, n);

        if (d && d->dev.named && !strcmp(d->dev.id, id)) {
            *devfn = n;
            return true;
        }
    }
    return false;
}

static bool add_smbios(PcBoard *b, GError **error)
{
    const MachineConfig *c = b->m->config;
    bool versioned = c->machine && g_str_has_prefix(c->machine, "pc-");
    SmbiosConfig s = {
        .product_version = versioned ? c->machine : NEWEST_VERSION,
        .sockets = MAX(c->sockets, 1),
        .cores = MAX(c->cores, 1),
        .threads = MAX(c->threads, 1),
        .ram_size = b->below_4g + b->above_4g,
        .below_4g = b->below_4g,
        .wide_entry = c->smbios_64,
        .uuid = c->smbios_uuid_given ? c->smbios_uuid
                : c->uuid            ? c->uuid_bytes
                                     : NULL,
        .options = c->smbios,
        .find = find_pci,
        .opaque = b,
    };

    return smbios_add_tables(b->fw_cfg, &s, error);
}

/* Firmware of the user's may look at the kernel as a whole (signatures) or run it under rules of
 * its own (EFI's page tables). */
static bool decompress_kernel(const MachineConfig *c)
{
    return c->kernel_decompress == SWITCH_AUTO ? !c->bios : c->kernel_decompress == SWITCH_ON;
}

bool pc_fill_fw_cfg(PcBoard *b, GError **error)
{
    const MachineConfig *c = b->m->config;
    FwCfg *fw = b->fw_cfg;

    fw_cfg_add_bytes(fw, FW_CFG_UUID, g_bytes_new(c->uuid_bytes, sizeof(c->uuid_bytes)));
    fw_cfg_add_i64(fw, FW_CFG_RAM_SIZE, c->ram_size);
    fw_cfg_add_i16(fw, FW_CFG_NOGRAPHIC, c->nographic);
    fw_cfg_add_i16(fw, FW_CFG_BOOT_MENU, c->boot_menu);
    fw_cfg_add_i32(fw, FW_CFG_IRQ0_OVERRIDE, 1);
    add_e820(b);
    if (b->pm)
        add_system_states(b);
    if (b->pvpanic_port)
        add_pvpanic_port(b);
    if (!add_option_roms(b, error))
        return false;
    pc_tell_boot_order(b);
    pc_tell_cpus(b);
    add_boot_waits(b);
    if (!add_smbios(b, error))
        return false;
    if (c->kernel && !kernel_load(fw, c->files, c->kernel, c->initrd, c->append, b->below_4g,
                                  decompress_kernel(c), error))
        return false;
    return add_user_files(b, error);
}
