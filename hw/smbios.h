/* SPDX-License-Identifier: MIT */
/* The SMBIOS tables of the board, handed to firmware through fw_cfg. */
#ifndef HW_SMBIOS_H
#define HW_SMBIOS_H

#include "hw/fw-cfg.h"
#include "softmmu/machine.h"

typedef struct SmbiosConfig {
    const char *product_version;      /* machine name with version, as "pc-i440fx-7.2" */
    unsigned sockets, cores, threads; /* per level: threads in a core, cores in a socket */
    uint32_t cpu_signature;           /* CPUID.1 EAX; 0: not said */
    uint64_t ram_size, below_4g;
    const GPtrArray *options; /* SmbiosOption *: what the user wants of them; NULL: nothing */
    const uint8_t *uuid;      /* 16 bytes as they are written; NULL: none */
    /* Where on PCI the device that the user calls @id is; false: nowhere. */
    bool (*find)(void *opaque, const char *id, uint8_t *devfn);
    void *opaque;
    bool wide_entry; /* that of SMBIOS 3.0 */
} SmbiosConfig;

/* Add etc/smbios/smbios-tables and etc/smbios/smbios-anchor. False: what the user wants in them
 * does not fit. */
bool smbios_add_tables(FwCfg *fw, const SmbiosConfig *c, GError **error);

#endif
