/* SPDX-License-Identifier: MIT */
/*
 * fw_cfg: how firmware asks the board what it is and fetches tables, kernels and option ROMs.
 *
 * Items are numbered blobs; from FW_CFG_FILE_FIRST on they are files, named in the directory item.
 * The board adds all items before the first reset. They are configuration, not device state.
 */
#ifndef HW_FW_CFG_H
#define HW_FW_CFG_H

#include <glib.h>

#include "softmmu/device.h"
#include "softmmu/memory.h"

enum {
    FW_CFG_SIGNATURE = 0x00,
    FW_CFG_ID = 0x01,
    FW_CFG_UUID = 0x02,
    FW_CFG_RAM_SIZE = 0x03,
    FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05,
    FW_CFG_KERNEL_ADDR = 0x07,
    FW_CFG_KERNEL_SIZE = 0x08,
    FW_CFG_INITRD_ADDR = 0x0a,
    FW_CFG_INITRD_SIZE = 0x0b,
    FW_CFG_NUMA = 0x0d,
    FW_CFG_BOOT_MENU = 0x0e,
    FW_CFG_MAX_CPUS = 0x0f,
    FW_CFG_KERNEL_ENTRY = 0x10,
    FW_CFG_KERNEL_DATA = 0x11,
    FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13,
    FW_CFG_CMDLINE_SIZE = 0x14,
    FW_CFG_CMDLINE_DATA = 0x15,
    FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17,
    FW_CFG_SETUP_DATA = 0x18,
    FW_CFG_FILE_DIR = 0x19,
    FW_CFG_FILE_FIRST = 0x20,
    FW_CFG_IRQ0_OVERRIDE = 0x8002,
    FW_CFG_HPET = 0x8004,
    FW_CFG_VMLINUX_DATA = 0x8010, /* ours: hw/kernel-unpack.h */
};

#define FW_CFG_NAME_MAX  56 /* with its NUL */
#define FW_CFG_MAX_FILES 0x100
#define FW_CFG_IO_BASE   0x510
#define FW_CFG_DMA_BASE  0x514

typedef struct FwCfg FwCfg;

extern const DeviceClass fw_cfg_class;

/* Ports 0x510, 0x511 and 0x514 to 0x51b in @ports; @memory for DMA. Items can be added at once. */
FwCfg *fw_cfg_new(Device *parent, MemRegion *ports, AddressSpace *memory);

/* Each replaces an item with the same key. Blobs are referenced, not copied. */
void fw_cfg_add_bytes(FwCfg *s, uint16_t key, GBytes *data);
void fw_cfg_add_i16(FwCfg *s, uint16_t key, uint16_t value);
void fw_cfg_add_i32(FwCfg *s, uint16_t key, uint32_t value);
void fw_cfg_add_i64(FwCfg *s, uint16_t key, uint64_t value);
/* A blob that is only there while it is selected: @make makes it, the same each time (NULL: there
 * is none). @opaque is given to @destroy in the end. */
void fw_cfg_add_made(FwCfg *s, uint16_t key, GBytes *(*make)(void *opaque), void *opaque,
                     GDestroyNotify destroy);
/* Calls @f with each file, by name. */
void fw_cfg_each_file(FwCfg *s, void (*f)(void *opaque, const char *name, size_t size),
                      void *opaque);
/* A named file of the board; the name must be new and fit. */
void fw_cfg_add_file(FwCfg *s, const char *name, GBytes *data);
/* The same for a name that may be there already: its content is another from now on. */
void fw_cfg_put_file(FwCfg *s, const char *name, GBytes *data);
/* The same for a name the user gave: too long, empty or taken is an error. */
bool fw_cfg_add_user_file(FwCfg *s, const char *name, GBytes *data, GError **error);
/* A file that the guest may write too: @size bytes that outlive the device. */
void fw_cfg_add_writable_file(FwCfg *s, const char *name, uint8_t *data, size_t size);
/* What the guest would read under a key or name; NULL: nothing there. Borrowed. */
GBytes *fw_cfg_find(FwCfg *s, uint16_t key);
GBytes *fw_cfg_find_file(FwCfg *s, const char *name);

#endif
