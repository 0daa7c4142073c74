/* SPDX-License-Identifier: MIT */
/* Which CPUs and which memory are near each other, as ACPI tells it: contents of SRAT and SLIT. */
#ifndef HW_ACPI_NUMA_H
#define HW_ACPI_NUMA_H

#include "hw/acpi-build.h"

/* What follows the header of the table. */
void acpi_put_srat(GByteArray *out, const AcpiConfig *c);
void acpi_put_slit(GByteArray *out, const AcpiConfig *c);

#endif
