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

/* This kernel is not quite what is expected and unpacks itself: why (a constant). */
typedef void KernelUnpackDeclined(const char *name, const char *reason);

/* FW_CFG_KERNEL_DATA will be @code, the protected-mode part, with another payload of the same
 * length, and FW_CFG_VMLINUX_DATA the kernel itself. It is unpacked when the guest first selects
 * one of them: it is its boot loader that does. If @declined is told then the former is @code as
 * it is, and the latter is not there. */
void kernel_unpack(FwCfg *fw, GBytes *code, const KernelPayload *p, KernelUnpackDeclined *declined,
                   const char *name);

#endif
