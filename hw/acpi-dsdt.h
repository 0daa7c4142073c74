/* SPDX-License-Identifier: MIT */
/* The differentiated system description: what the board's devices are, in AML. */
#ifndef HW_ACPI_DSDT_H
#define HW_ACPI_DSDT_H

#include "hw/acpi-build.h"
#include "hw/aml.h"

/* The code of the DSDT, without table header. The caller owns it. */
GByteArray *acpi_build_dsdt(const AcpiConfig *c);

/* The code of the SSDT for the number of the machine's generation; at this offset it has four zeros
 * where the address of the page with the number is to be. */
#define ACPI_GENERATION_ID_POINTER 6
GByteArray *acpi_build_generation_id(void);

/* acpi-cpus.c: the processors and their plugging, for the scope of \\_SB; the event that tells of
 * it. */
void acpi_add_cpus(Aml *a, const AcpiConfig *c);
void acpi_add_cpu_event(Aml *a);
/* acpi-pci.c: the same of PCI slots, for the scope of \\_SB.PCI0. */
void acpi_add_pci_slots(Aml *a, const AcpiConfig *c);
void acpi_add_pci_event(Aml *a);

#endif
