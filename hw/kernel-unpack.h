/* SPDX-License-Identifier: MIT */
/*
 * Decompressing a Linux kernel on the host. The guest's own decompressor still runs and decides
 * what it always decides (addresses and KASLR, page tables, what it finds in ACPI), but the payload
 * it unpacks is a few instructions that fetch the kernel from fw_cfg.
 */
#ifndef HW_KERNEL_UNPACK_H
#define HW_KERNEL_UNPACK_H

#include <glib.h>

#include "hw/fw-cfg.h"

/* What the setup header says. */
typedef struct KernelPayload {
    uint32_t offset, size; /* in the protected-mode part */
    uint64_t pref_address;
    uint32_t init_size;
} KernelPayload;

/* @code, the protected-mode part, with another payload of the same length; the kernel itself is
 * added to @fw. NULL: this kernel is not quite what is expected and must unpack itself; *@reason
 * (a constant) tells why. */
GBytes *kernel_unpack(FwCfg *fw, GBytes *code, const KernelPayload *p, const char **reason);

#endif
