/* SPDX-License-Identifier: MIT */
/* The differentiated system description: what the board's devices are, in AML. */
#ifndef HW_ACPI_DSDT_H
#define HW_ACPI_DSDT_H

#include "hw/acpi-build.h"

/* The code of the DSDT, without table header. The caller owns it. */
GByteArray *acpi_build_dsdt(const AcpiConfig *c);

#endif
