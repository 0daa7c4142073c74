/* SPDX-License-Identifier: MIT */
/*
 * The ACPI tables of the board, handed to firmware through fw_cfg with the loader script that
 * tells it how to place, link and checksum them.
 */
#ifndef HW_ACPI_BUILD_H
#define HW_ACPI_BUILD_H

#include "hw/fw-cfg.h"
#include "softmmu/machine.h"

typedef struct AcpiConfig {
    unsigned cpus;                   /* with those that may be plugged in later */
    const uint32_t *apic_ids;        /* of each CPU */
    const bool *present;             /* is it there? */
    uint64_t below_4g;               /* bytes of RAM; PCI memory begins there */
    uint64_t pci64_base, pci64_size; /* window above RAM; size 0: none */
    bool hpet, serial[4], parallel, i8042, floppy;
    const char *oem_id, *oem_table_id; /* of tables; NULL: the board's */
    uint32_t fixed_slots;   /* of the PCI bus: a bit for each that holds what cannot go */
    const GPtrArray *extra; /* GBytes *: the user's tables, whole; NULL: none */
    const NumaConfig *numa; /* NULL: nothing is said of it */
    uint16_t pvpanic;       /* its port; 0: there is none */
    bool generation_id;     /* is there a vmgenid? */
} AcpiConfig;

/* Add etc/acpi/rsdp, etc/acpi/tables and etc/table-loader; or, later, put others in their
 * places. */
void acpi_add_tables(FwCfg *fw, const AcpiConfig *c);
/* What the MADT, and a CPU's _MAT, say of CPU @n. */
void acpi_put_cpu(GByteArray *out, const AcpiConfig *c, unsigned n, bool present);
/* One table of the set by its signature ("APIC", "DSDT", …), for tests; free with
 * g_byte_array_unref(). Checksums and pointers are as firmware would leave them where it can be
 * said without addresses. */
GByteArray *acpi_build_table(const AcpiConfig *c, const char *signature);

#endif
