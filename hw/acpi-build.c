/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables: RSDP, RSDT, FADT, FACS, DSDT, MADT, HPET. Spec: ACPI 6.4, chapter 5; the tables are
 * of revision 3 or less. Pointers are written as offsets into etc/acpi/tables; the loader script
 * makes firmware add the address and compute checksums.
 * PM ports are where SeaBIOS puts the PIIX4's base (0x600).
 * SRAT and SLIT are in acpi-numa.c. Tables of the user's follow ours; a SLIC among them gives its
 * names to RSDT and FADT, as Windows wants it (-acpitable of QEMU's manual). An SSDT is there for
 * the number of the machine's generation alone. Missing: MCFG.
 */
#include "hw/acpi-build.h"

#include <string.h>

#include "hw/acpi-dsdt.h"
#include "hw/acpi-numa.h"
#include "hw/apic.h"
#include "hw/hpet.h"
#include "hw/ioapic.h"
#include "hw/piix4-pm.h"
#include "hw/vmgenid.h"

#define TABLES_FILE "etc/acpi/tables"
#define RSDP_FILE   "etc/acpi/rsdp"
#define SCRIPT_FILE "etc/table-loader"
#define PM_BASE     0x600
#define RESET_PORT  0xcf9

enum { HEADER_SIZE = 36, HEADER_LENGTH = 4, HEADER_CHECKSUM = 9, HEADER_OEM = 10, FACS_SIZE = 64 };
enum { FADT_FACS = 36, FADT_DSDT = 40, FADT_X_DSDT = 140 };
enum { RSDP_CHECKSUM = 8, RSDP_RSDT = 16, RSDP_SIZE = 20 };

typedef struct Tables {
    GByteArray *blob;    /* etc/acpi/tables */
    GByteArray *script;  /* etc/table-loader */
    GArray *starts;      /* uint32_t: tables that the RSDT lists */
    const uint8_t *slic; /* a table whose names RSDT and FADT take; NULL: none */
    const AcpiConfig *c;
} Tables;

static void put(GByteArray *out, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, size);
}

static void put_text(GByteArray *out, const char *text, unsigned size)
{
    g_byte_array_append(out, (const uint8_t *)text, size);
}

/* Generic address structure of a register of @bytes in I/O (1) or memory (0) space. */
static void put_address(GByteArray *out, uint8_t space, unsigned bytes, uint64_t addr)
{
    put(out, space, 1);
    put(out, bytes * 8, 1);
    put(out, 0, 1);
    put(out, 0, 1);
    put(out, addr, 8);
}

/* ---- Loader script: entries of 128 bytes ----------------------------------------------------- */

enum { ZONE_HIGH = 1, ZONE_FSEG = 2, ENTRY_SIZE = 128, LOADER_NAME = 56 };

static void script_entry(GByteArray *script, const GByteArray *entry)
{
    static const uint8_t zeros[ENTRY_SIZE];

    g_byte_array_append(script, entry->data, entry->len);
    g_byte_array_append(script, zeros, ENTRY_SIZE - entry->len);
}

static void put_file(GByteArray *out, const char *file)
{
    char name[LOADER_NAME] = "";

    g_strlcpy(name, file, sizeof(name));
    put_text(out, name, sizeof(name));
}

static void script_allocate(GByteArray *script, const char *file, uint32_t align, uint8_t zone)
{
    g_autoptr(GByteArray) e = g_byte_array_new();

    put(e, 1, 4);
    put_file(e, file);
    put(e, align, 4);
    put(e, zone, 1);
    script_entry(script, e);
}

/* The @size bytes at @offset of @file hold an offset into @target: add where that is. */
static void script_add_pointer(GByteArray *script, const char *file, uint32_t offset, uint8_t size,
                               const char *target)
{
    g_autoptr(GByteArray) e = g_byte_array_new();

    put(e, 2, 4);
    put_file(e, file);
    put_file(e, target);
    put(e, offset, 4);
    put(e, size, 1);
    script_entry(script, e);
}

/* Firmware writes where @target is into the first eight bytes of @file, which can be written. */
static void script_write_pointer(GByteArray *script, const char *file, const char *target)
{
    g_autoptr(GByteArray) e = g_byte_array_new();

    put(e, 4, 4);
    put_file(e, file);
    put_file(e, target);
    put(e, 0, 4); /* offsets in both */
    put(e, 0, 4);
    put(e, 8, 1);
    script_entry(script, e);
}

static void script_add_checksum(GByteArray *script, const char *file, uint32_t at, uint32_t start,
                                uint32_t len)
{
    g_autoptr(GByteArray) e = g_byte_array_new();

    put(e, 3, 4);
    put_file(e, file);
    put(e, at, 4);
    put(e, start, 4);
    put(e, len, 4);
    script_entry(script, e);
}

/* ---- Tables --------------------------------------------------------------------------------- */

/* Up to @size characters of what the user wants, with zeros behind, or the board's. */
static void put_oem(GByteArray *out, const char *wanted, const char *usual, unsigned size)
{
    char text[16] = "";

    g_assert(size < sizeof(text));
    g_strlcpy(text, wanted ? wanted : usual, sizeof(text));
    put_text(out, text, size);
}

static uint32_t begin_table(Tables *t, const char *signature, uint8_t revision)
{
    uint32_t start = t->blob->len;

    put_text(t->blob, signature, 4);
    put(t->blob, 0, 4); /* length */
    put(t->blob, revision, 1);
    put(t->blob, 0, 1); /* checksum */
    if (t->slic && (!strcmp(signature, "RSDT") || !strcmp(signature, "FACP"))) {
        g_byte_array_append(t->blob, t->slic + HEADER_OEM, 14);
    } else {
        put_oem(t->blob, t->c->oem_id, "BOCHS ", ACPI_OEM_ID);
        put_oem(t->blob, t->c->oem_table_id, "BXPC    ", ACPI_OEM_TABLE_ID);
    }
    put(t->blob, 1, 4);
    put_text(t->blob, "BXPC", 4);
    put(t->blob, 1, 4);
    return start;
}

static void patch32(GByteArray *out, uint32_t offset, uint32_t value)
{
    value = GUINT32_TO_LE(value);
    memcpy(out->data + offset, &value, sizeof(value));
}

static void end_table(Tables *t, uint32_t start)
{
    uint32_t len = t->blob->len - start;

    patch32(t->blob, start + HEADER_LENGTH, len);
    script_add_checksum(t->script, TABLES_FILE, start + HEADER_CHECKSUM, start, len);
}

static void add_to_rsdt(Tables *t, uint32_t start)
{
    g_array_append_val(t->starts, start);
}

static void pointer(Tables *t, uint32_t offset, uint8_t size)
{
    script_add_pointer(t->script, TABLES_FILE, offset, size, TABLES_FILE);
}

static uint32_t add_facs(Tables *t)
{
    uint32_t start = t->blob->len;

    g_assert(start % FACS_SIZE == 0);
    put_text(t->blob, "FACS", 4);
    put(t->blob, FACS_SIZE, 4);
    g_byte_array_set_size(t->blob, start + FACS_SIZE);
    memset(t->blob->data + start + 8, 0, FACS_SIZE - 8);
    return start;
}

static uint32_t add_dsdt(Tables *t, const AcpiConfig *c)
{
    uint32_t start = begin_table(t, "DSDT", 1);
    g_autoptr(GByteArray) code = acpi_build_dsdt(c);

    g_byte_array_append(t->blob, code->data, code->len);
    end_table(t, start);
    return start;
}

enum {
    FADT_WBINVD = 1 << 0,
    FADT_PROC_C1 = 1 << 2,
    FADT_SLP_BUTTON = 1 << 5, /* none among the fixed features */
    FADT_RTC_S4 = 1 << 7,
    FADT_RESET_REG = 1 << 10,
    FADT_PLATFORM_CLOCK = 1 << 15,
    BOOT_ARCH_LEGACY = 1 << 0,
    BOOT_ARCH_8042 = 1 << 1,
};

/* The first 116 bytes: revision 1. */
static void put_fadt_fixed(GByteArray *b, const AcpiConfig *c, uint32_t facs, uint32_t dsdt)
{
    put(b, facs, 4);
    put(b, dsdt, 4);
    put(b, 0, 1); /* reserved (interrupt model) */
    put(b, 0, 1); /* preferred profile: unspecified */
    put(b, PIIX4_PM_SCI, 2);
    put(b, 0xb2, 4); /* SMI command port */
    put(b, PIIX4_ACPI_ENABLE, 1);
    put(b, PIIX4_ACPI_DISABLE, 1);
    put(b, 0, 2); /* S4BIOS_REQ, PSTATE_CNT */
    put(b, PM_BASE, 4);
    put(b, 0, 4);
    put(b, PM_BASE + 4, 4);
    put(b, 0, 4);
    put(b, 0, 4); /* no PM2 control */
    put(b, PM_BASE + 8, 4);
    put(b, PIIX4_PM_GPE0_BASE, 4);
    put(b, 0, 4);
    put(b, 4, 1); /* lengths: PM1 event, PM1 control, PM2, timer, GPE0, GPE1 */
    put(b, 2, 1);
    put(b, 0, 1);
    put(b, 4, 1);
    put(b, 4, 1);
    put(b, 0, 3);     /* GPE1 length and base, CST_CNT */
    put(b, 0xfff, 2); /* no C2 */
    put(b, 0xfff, 2); /* no C3 */
    put(b, 0, 6);     /* flush size and stride, duty offset and width */
    put(b, 0, 2);     /* day and month alarms */
    put(b, 0x32, 1);  /* century in CMOS */
    put(b, BOOT_ARCH_LEGACY | (c->i8042 ? BOOT_ARCH_8042 : 0), 2);
    put(b, 0, 1);
    put(b,
        FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_RTC_S4 | FADT_RESET_REG |
            FADT_PLATFORM_CLOCK,
        4);
}

static void add_fadt(Tables *t, const AcpiConfig *c, uint32_t facs, uint32_t dsdt)
{
    uint32_t start = begin_table(t, "FACP", 3);
    GByteArray *b = t->blob;

    put_fadt_fixed(b, c, facs, dsdt);
    put_address(b, 1, 1, RESET_PORT);
    put(b, 0x0f, 1); /* what to write there */
    put(b, 0, 3);
    put(b, 0, 8); /* X_FIRMWARE_CTRL: the 32-bit one holds */
    put(b, dsdt, 8);
    put_address(b, 1, 4, PM_BASE);
    put_address(b, 0, 0, 0);
    put_address(b, 1, 2, PM_BASE + 4);
    put_address(b, 0, 0, 0);
    put_address(b, 0, 0, 0);
    put_address(b, 1, 4, PM_BASE + 8);
    put_address(b, 1, 4, PIIX4_PM_GPE0_BASE);
    put_address(b, 0, 0, 0);
    g_assert(b->len - start == 244);
    pointer(t, start + FADT_FACS, 4);
    pointer(t, start + FADT_DSDT, 4);
    pointer(t, start + FADT_X_DSDT, 8);
    end_table(t, start);
    add_to_rsdt(t, start);
}

/* Interrupt source override; @flags: 0 as the bus has it, 0xd active high, level. */
static void put_override(GByteArray *b, uint8_t irq, uint32_t gsi, uint16_t flags)
{
    put(b, 2, 1);
    put(b, 10, 1);
    put(b, 0, 1); /* ISA */
    put(b, irq, 1);
    put(b, gsi, 4);
    put(b, flags, 2);
}

/* The flag says that a CPU is enabled; else it is a socket to plug one in. */
void acpi_put_cpu(GByteArray *b, const AcpiConfig *c, unsigned uid, bool present)
{
    uint32_t apic_id = c->apic_ids[uid];

    if (apic_id < 0xff) {
        put(b, 0, 1);
        put(b, 8, 1);
        put(b, uid, 1);
        put(b, apic_id, 1);
        put(b, present, 4);
    } else {
        put(b, 9, 1); /* x2APIC */
        put(b, 16, 1);
        put(b, 0, 2);
        put(b, apic_id, 4);
        put(b, present, 4);
        put(b, uid, 4);
    }
}

static void add_madt(Tables *t, const AcpiConfig *c)
{
    static const uint8_t level_irqs[] = { 5, 9, 10, 11 }; /* PIRQs and the SCI */
    uint32_t start = begin_table(t, "APIC", 1);
    GByteArray *b = t->blob;

    put(b, APIC_DEFAULT_BASE, 4);
    put(b, 1, 4); /* there are 8259s too */
    for (unsigned i = 0; i < c->cpus; i++)
        acpi_put_cpu(b, c, i, c->present[i]);
    put(b, 1, 1); /* I/O APIC 0, from GSI 0 */
    put(b, 12, 1);
    put(b, 0, 2);
    put(b, IOAPIC_DEFAULT_BASE, 4);
    put(b, 0, 4);
    put_override(b, 0, 2, 0);
    for (int i = 0; i < G_N_ELEMENTS(level_irqs); i++)
        put_override(b, level_irqs[i], level_irqs[i], 0x0d);
    put(b, 4, 1); /* NMI at LINT1 of every CPU */
    put(b, 6, 1);
    put(b, 0xff, 1);
    put(b, 0, 2);
    put(b, 1, 1);
    end_table(t, start);
    add_to_rsdt(t, start);
}

static void add_hpet(Tables *t)
{
    uint32_t start = begin_table(t, "HPET", 1);
    GByteArray *b = t->blob;

    put(b, HPET_ID, 4);
    put_address(b, 0, 0, HPET_DEFAULT_BASE);
    put(b, 0, 1);   /* number */
    put(b, 100, 2); /* minimum tick in periodic mode */
    put(b, 0, 1);
    end_table(t, start);
    add_to_rsdt(t, start);
}

/* Where the number of the machine's generation is. */
static void add_generation_id(Tables *t)
{
    uint32_t start = begin_table(t, "SSDT", 1);
    g_autoptr(GByteArray) code = acpi_build_generation_id();

    g_byte_array_append(t->blob, code->data, code->len);
    script_allocate(t->script, VMGENID_FILE, 4096, ZONE_HIGH);
    script_add_pointer(t->script, TABLES_FILE, start + HEADER_SIZE + ACPI_GENERATION_ID_POINTER, 4,
                       VMGENID_FILE);
    script_write_pointer(t->script, VMGENID_ADDRESS, VMGENID_FILE);
    end_table(t, start);
    add_to_rsdt(t, start);
}

/* A table whose content is made elsewhere. */
static void add_table(Tables *t, const char *signature, uint8_t revision,
                      void (*put_content)(GByteArray *out, const AcpiConfig *c),
                      const AcpiConfig *c)
{
    uint32_t start = begin_table(t, signature, revision);

    put_content(t->blob, c);
    end_table(t, start);
    add_to_rsdt(t, start);
}

/* The user's, whose checksum is right. */
static void add_extra(Tables *t, GBytes *table)
{
    gsize size;
    const uint8_t *data = g_bytes_get_data(table, &size);

    add_to_rsdt(t, t->blob->len);
    g_byte_array_append(t->blob, data, size);
}

static const uint8_t *find_slic(const AcpiConfig *c)
{
    for (guint i = 0; c->extra && i < c->extra->len; i++) {
        const uint8_t *table = g_bytes_get_data(c->extra->pdata[i], NULL);

        if (!memcmp(table, "SLIC", 4))
            return table;
    }
    return NULL;
}

static uint32_t add_rsdt(Tables *t)
{
    uint32_t start = begin_table(t, "RSDT", 1);

    for (guint i = 0; i < t->starts->len; i++) {
        pointer(t, t->blob->len, 4);
        put(t->blob, g_array_index(t->starts, uint32_t, i), 4);
    }
    end_table(t, start);
    return start;
}

static void tables_init(Tables *t)
{
    t->blob = g_byte_array_new();
    t->script = g_byte_array_new();
    t->starts = g_array_new(false, false, sizeof(uint32_t));
    script_allocate(t->script, TABLES_FILE, FACS_SIZE, ZONE_HIGH);
}

/* All tables; returns where the RSDT is. */
static uint32_t build(Tables *t, const AcpiConfig *c)
{
    uint32_t facs, dsdt, rsdt;

    tables_init(t);
    t->c = c;
    t->slic = find_slic(c);
    facs = add_facs(t);
    dsdt = add_dsdt(t, c);
    add_fadt(t, c, facs, dsdt);
    add_madt(t, c);
    if (c->hpet)
        add_hpet(t);
    if (c->numa)
        add_table(t, "SRAT", 1, acpi_put_srat, c);
    if (c->numa && c->numa->distance)
        add_table(t, "SLIT", 1, acpi_put_slit, c);
    if (c->generation_id)
        add_generation_id(t);
    for (guint i = 0; c->extra && i < c->extra->len; i++)
        add_extra(t, c->extra->pdata[i]);
    rsdt = add_rsdt(t);
    g_array_free(t->starts, true);
    return rsdt;
}

static void add_file(FwCfg *fw, const char *name, GByteArray *content)
{
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(content);

    fw_cfg_put_file(fw, name, data);
}

void acpi_add_tables(FwCfg *fw, const AcpiConfig *c)
{
    GByteArray *rsdp = g_byte_array_new();
    uint32_t rsdt;
    Tables t;

    rsdt = build(&t, c);
    put_text(rsdp, "RSD PTR ", 8);
    put(rsdp, 0, 1); /* checksum */
    put_oem(rsdp, c->oem_id, "BOCHS ", ACPI_OEM_ID);
    put(rsdp, 0, 1); /* revision 1.0 */
    put(rsdp, rsdt, 4);
    script_allocate(t.script, RSDP_FILE, 16, ZONE_FSEG);
    script_add_pointer(t.script, RSDP_FILE, RSDP_RSDT, 4, TABLES_FILE);
    script_add_checksum(t.script, RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_SIZE);
    add_file(fw, TABLES_FILE, t.blob);
    add_file(fw, RSDP_FILE, rsdp);
    add_file(fw, SCRIPT_FILE, t.script);
}

GByteArray *acpi_build_table(const AcpiConfig *c, const char *signature)
{
    GByteArray *found = NULL;
    uint32_t at = 0, len;
    Tables t;

    build(&t, c);
    while (at + 8 <= t.blob->len && !found) {
        memcpy(&len, t.blob->data + at + HEADER_LENGTH, sizeof(len));
        len = GUINT32_FROM_LE(len);
        if (memcmp(t.blob->data + at, signature, 4) == 0) {
            uint8_t sum = 0;
            found = g_byte_array_new();
            g_byte_array_append(found, t.blob->data + at, len);
            for (guint i = 0; i < len; i++)
                sum += found->data[i];
            if (len > HEADER_SIZE && strcmp(signature, "FACS") != 0)
                found->data[HEADER_CHECKSUM] = -sum;
        }
        at += len;
    }
    g_byte_array_unref(t.blob);
    g_byte_array_unref(t.script);
    return found;
}
