/* SPDX-License-Identifier: MIT */
/* -machine: which board it is, and what is on it. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static const struct {
    const char *name, *desc;
} machine_rows[] = {
    { "pc", "Standard PC (i440FX + PIIX, 1996) (alias of pc-i440fx-7.2)" },
    { "pc-i440fx-10.0", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-9.2", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-9.1", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-9.0", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-8.2", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-8.1", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-8.0", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-7.2", "Standard PC (i440FX + PIIX, 1996) (default)" },
    { "pc-i440fx-7.1", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-7.0", "Standard PC (i440FX + PIIX, 1996)" },
    { "pc-i440fx-6.2", "Standard PC (i440FX + PIIX, 1996)" },
    { MACHINE_NONE, "empty machine" },
};

static const char *const missing_machines[] = { "q35", "isapc", "microvm", "xenfv", "xenpv" };

const char *options_canonical_machine(const char *name)
{
    return strcmp(name, "pc") ? name : "pc-i440fx-7.2";
}

void options_each_machine(void (*f)(void *opaque, const char *name), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(machine_rows); i++)
        f(opaque, machine_rows[i].name);
}

static bool set_machine_type(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    for (size_t i = 0; i < G_N_ELEMENTS(machine_rows); i++) {
        if (!strcmp(machine_rows[i].name, value)) {
            g_free(o->config.machine);
            o->config.machine = g_strdup(value);
            return true;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(missing_machines); i++) {
        if (!strcmp(missing_machines[i], value) || g_str_has_prefix(value, "pc-q35-")) {
            error_set(error, "machine type '%s' is not supported yet; use pc", value);
            return false;
        }
    }
    error_set(error, "unsupported machine type '%s' (-machine help lists them)", value);
    return false;
}

/* "kvm:tcg" asks for the first that is there. */
static bool set_machine_accel(void *ctx, const char *value, GError **error)
{
    g_auto(GStrv) names = g_strsplit(value, ":", -1);

    for (char **name = names; *name; name++) {
        if (!strcmp(*name, "tcg"))
            return true;
    }
    return options_check_accel(value, error);
}

/* ---- What the board has, or lacks ------------------------------------------------------------ */

/* "auto" is "on": what the accelerator can, and this one can. */
static bool set_auto(bool *lacks, const char *value, GError **error)
{
    bool on = true;

    if (strcmp(value, "auto") && !parse_switch(value, &on, error))
        return false;
    *lacks = !on;
    return true;
}

#define LACK_SETTER(name)                                                \
    static bool set_##name(void *ctx, const char *value, GError **error) \
    {                                                                    \
        return set_auto(&((Options *)ctx)->config.name, value, error);   \
    }
LACK_SETTER(no_acpi)
LACK_SETTER(no_pic)
LACK_SETTER(no_pit)
LACK_SETTER(no_vmport)

static bool set_smm(void *ctx, const char *value, GError **error)
{
    bool lacks;

    if (!set_auto(&lacks, value, error))
        return false;
    ((Options *)ctx)->config.smm = !lacks;
    return true;
}

static bool set_i8042(void *ctx, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    ((Options *)ctx)->config.no_i8042 = !on;
    return true;
}

bool opt_no_acpi(Options *o, const char *arg, GError **error)
{
    return o->config.no_acpi = true;
}

#define SWITCH_SETTER(name, field)                                          \
    static bool set_##name(void *ctx, const char *value, GError **error)    \
    {                                                                       \
        return parse_switch(value, &((Options *)ctx)->config.field, error); \
    }
SWITCH_SETTER(hpet, hpet)
SWITCH_SETTER(dump_guest_core, ram_in_core)
SWITCH_SETTER(mem_merge, ram_merge)

/* Without it firmware and kernel talk to the serial port. */
static bool set_graphics(void *ctx, const char *value, GError **error)
{
    bool graphics;

    if (!parse_switch(value, &graphics, error))
        return false;
    ((Options *)ctx)->config.nographic = !graphics;
    return true;
}

static bool set_kernel_decompress(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;
    bool on;

    if (!strcmp(value, "auto")) {
        o->config.kernel_decompress = SWITCH_AUTO;
        return true;
    }
    if (!parse_switch(value, &on, error))
        return false;
    o->config.kernel_decompress = on ? SWITCH_ON : SWITCH_OFF;
    return true;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool set_text(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
    return true;
}

#define TEXT_SETTER(name, field)                                         \
    static bool set_##name(void *ctx, const char *value, GError **error) \
    {                                                                    \
        return set_text(&((Options *)ctx)->field, value);                \
    }
TEXT_SETTER(pflash0, pflash[0])
TEXT_SETTER(pflash1, pflash[1])
TEXT_SETTER(firmware, config.bios)
TEXT_SETTER(kernel, config.kernel)
TEXT_SETTER(initrd, config.initrd)
TEXT_SETTER(append, config.append)
TEXT_SETTER(memory_backend, memory_backend)

static bool set_short_text(char **field, const char *value, size_t most, GError **error)
{
    if (strlen(value) <= most)
        return set_text(field, value);
    error_set(error, "'%s' has more than %zu characters", value, most);
    return false;
}

static bool set_oem_id(void *ctx, const char *value, GError **error)
{
    return set_short_text(&((Options *)ctx)->config.acpi_oem_id, value, ACPI_OEM_ID, error);
}

static bool set_oem_table_id(void *ctx, const char *value, GError **error)
{
    return set_short_text(&((Options *)ctx)->config.acpi_oem_table_id, value, ACPI_OEM_TABLE_ID,
                          error);
}

static bool set_smbios_entry_point(void *ctx, const char *value, GError **error)
{
    MachineConfig *c = &((Options *)ctx)->config;

    c->smbios_64 = !strcmp(value, "64");
    if (c->smbios_64 || !strcmp(value, "32"))
        return true;
    error_set(error, "'%s' is not 32 or 64", value);
    return false;
}

/* ---- Sizes ----------------------------------------------------------------------------------- */

static bool set_max_below_4g(void *ctx, const char *value, GError **error)
{
    uint64_t bytes;

    if (!parse_size(value, 1, &bytes, error))
        return false;
    if (bytes > 4 * GIB || bytes % 4096) {
        error_set(error, "'%s' is not a multiple of 4K up to 4G", value);
        return false;
    }
    if (bytes < MIB)
        options_warn("only %" G_GUINT64_FORMAT " bytes of RAM below 4 GiB: firmware may not work "
                     "with less than 1 MiB",
                     bytes);
    ((Options *)ctx)->config.max_ram_below_4g = bytes;
    return true;
}

/* Flash ends at 4 GiB; below are the APICs. */
static bool set_max_flash(void *ctx, const char *value, GError **error)
{
    uint64_t bytes;

    if (!parse_size(value, 1, &bytes, error))
        return false;
    if (!bytes || bytes > 16 * MIB) {
        error_set(error, "'%s' is not a size up to 16M", value);
        return false;
    }
    ((Options *)ctx)->config.max_flash_size = bytes;
    return true;
}

/* ---- What there is none of ------------------------------------------------------------------- */

/* Where KVM has it, which is another accelerator. */
static bool check_irqchip(void *ctx, const char *value, GError **error)
{
    static const char *const words[] = { "on", "off", "split", NULL };

    if (g_strv_contains(words, value))
        return true;
    error_set(error, "'%s' is not on, off or split", value);
    return false;
}

static bool must_be_off(const char *what, const char *value, GError **error)
{
    bool on;

    if (!parse_switch(value, &on, error))
        return false;
    if (on)
        error_set(error, "%s not modelled yet", what);
    return !on;
}

static bool no_usb(void *ctx, const char *value, GError **error)
{
    return must_be_off("USB is", value, error);
}

static bool no_nvdimm(void *ctx, const char *value, GError **error)
{
    return must_be_off("NVDIMMs are", value, error);
}

static bool no_hmat(void *ctx, const char *value, GError **error)
{
    return must_be_off("the ACPI table HMAT is", value, error);
}

static bool no_device_tree(void *ctx, const char *value, GError **error)
{
    error_set(error, "x86 machines have no device tree");
    return false;
}

static bool no_encryption(void *ctx, const char *value, GError **error)
{
    error_set(error, "memory encryption is not modelled");
    return false;
}

static bool no_rate_limit(void *ctx, const char *value, GError **error)
{
    uint64_t limit;

    if (!parse_number(value, 0, UINT64_MAX, &limit, error))
        return false;
    if (limit)
        error_set(error, "bus locks are KVM's to count; the accelerator is tcg");
    return !limit;
}

/* ---- The table ------------------------------------------------------------------------------- */

/* clang-format off */
static const KeyRow machine_keys[] = {
    { "type", set_machine_type },
    { "accel", set_machine_accel, "string", "how guest code is run: tcg" },
    { "acpi", set_no_acpi, "OnOffAuto", "ACPI tables, and what they tell of: power management, hot plugging" },
    { "append", set_append, "string", "the kernel's command line: -append" },
    { "boot", NULL, "BootConfiguration", "boot.order and so on: -boot", options_boot_keys },
    { "bus-lock-ratelimit", no_rate_limit, "uint64_t", "0: there is none" },
    { "confidential-guest-support", no_encryption },
    { "default-bus-bypass-iommu", key_is_switch, "bool", "either: there is no IOMMU" },
    { "dt-compatible", no_device_tree },
    { "dtb", no_device_tree },
    { "dump-guest-core", set_dump_guest_core, "bool", "does a core dump of this process have the guest's memory?" },
    { "dumpdtb", no_device_tree },
    { "firmware", set_firmware, "string", "an image: -bios" },
    { "graphics", set_graphics, "bool", "off: firmware talks to the serial port" },
    { "hmat", no_hmat, "bool", "off: there is no such table" },
    { "hpet", set_hpet, "bool", "a high precision event timer" },
    { "i8042", set_i8042, "bool", "a keyboard controller with keyboard, mouse, and ports 0x92 and 0x5658" },
    { "initrd", set_initrd, "string", "its initial RAM disk: -initrd" },
    { "kernel", set_kernel, "string", "to boot: -kernel" },
    { "kernel-decompress", set_kernel_decompress, "OnOffAuto", "does the host unpack the kernel?" },
    { "kernel-irqchip", check_irqchip, "on|off|split", "where KVM has its interrupt controllers" },
    { "max-fw-size", set_max_flash, "size", "of all flash together (default: 8M)" },
    { "max-ram-below-4g", set_max_below_4g, "size", "of the rest of memory none is below 4 GiB" },
    { "mem-merge", set_mem_merge, "bool", "may the host keep equal pages of memory once?" },
    { "memory", NULL, "MemorySizeConfiguration", "memory.size=BYTES: -m", options_memory_keys },
    { "memory-backend", set_memory_backend, "string", "ID of an -object memory-backend-* that is its memory" },
    { "memory-encryption", no_encryption },
    { "nvdimm", no_nvdimm, "bool", "off: there are none" },
    { "pflash0", set_pflash0, "string", "node of -blockdev with firmware" },
    { "pflash1", set_pflash1, "string", "... with its variables" },
    { "phandle-start", no_device_tree },
    { "pic", set_no_pic, "OnOffAuto", "two 8259 interrupt controllers" },
    { "pit", set_no_pit, "OnOffAuto", "an 8254 interval timer" },
    { "sata", key_is_switch, "bool", "either: this board has no SATA" },
    { "smbios-entry-point-type", set_smbios_entry_point, "str", "of SMBIOS: 32 (2.8) or 64 (3.0)" },
    { "smbus", key_is_switch, "bool", "either: it is a part of power management here" },
    { "smm", set_smm, "OnOffAuto", "system management mode" },
    { "smp", NULL, "SMPConfiguration", "smp.cpus and so on: -smp", options_smp_keys },
    { "suppress-vmdesc", key_is_switch, "bool", "either: saved states are not described in themselves" },
    { "usb", no_usb, "bool", "off: there is none" },
    { "vmport", set_no_vmport, "OnOffAuto", "VMware's backdoor at port 0x5658" },
    { "x-oem-id", set_oem_id, "string", "OEM ID of ACPI tables, up to 6 characters" },
    { "x-oem-table-id", set_oem_table_id, "string", "OEM table ID of ACPI tables, up to 8 characters" },
    { NULL },
};
/* clang-format on */

static void print_keys(const char *machine, GString *out)
{
    g_string_append_printf(out, "%s-machine options:\n", options_canonical_machine(machine));
    for (const KeyRow *row = machine_keys; row->key; row++)
        if (row->type)
            g_string_append_printf(out, "  %s=<%s> - %s\n", row->key, row->type, row->help);
}

static void print_machines(GString *out)
{
    g_string_append(out, "Supported machines are:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(machine_rows); i++)
        g_string_append_printf(out, "%-20s %s\n", machine_rows[i].name, machine_rows[i].desc);
}

/* QEMU takes "max_ram_below_4g" too. */
static char *keys_with_dashes(const char *arg)
{
    char *text = g_strdup(arg);
    bool in_key = true;

    for (char *p = text; *p; p++) {
        if (*p == ',' && p[1] == ',')
            p++;
        else if (*p == ',' || *p == '=')
            in_key = *p == ',';
        else if (*p == '_' && in_key)
            *p = '-';
    }
    return text;
}

bool opt_machine(Options *o, const char *arg, GError **error)
{
    g_autofree char *text = keys_with_dashes(arg);
    char *last = strrchr(text, ',');
    bool keys = last && is_help(last + 1);

    if (keys)
        *last = '\0';
    if (!is_help(arg) && !keyval_apply(text, "type", machine_keys, o, error))
        return false;
    if (is_help(arg) || keys)
        options_answer(o, ANSWER_TEXT);
    if (is_help(arg))
        print_machines(o->answer);
    else if (keys)
        print_keys(o->config.machine, o->answer);
    return true;
}
