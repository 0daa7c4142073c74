/* SPDX-License-Identifier: MIT */
/* -kernel: put a kernel, its initrd and command line into fw_cfg for an option ROM. */
#ifndef HW_KERNEL_LOADER_H
#define HW_KERNEL_LOADER_H

#include <glib.h>

#include "hw/fw-cfg.h"
#include "softmmu/host-files.h"

#define KERNEL_ROM_FILE     "genroms/linuxboot.bin"
#define KERNEL_ELF_ROM_FILE "genroms/elfboot.bin"
/* Firmware passes over the one that is not there. */
#define KERNEL_BOOT_DEVICES "/rom@" KERNEL_ROM_FILE "\n/rom@" KERNEL_ELF_ROM_FILE

/* @initrd and @cmdline may be NULL. @low_ram: bytes of RAM below 4 GiB. @decompress: on
 * the host, if the kernel is one that takes it (hw/kernel-unpack.h). On success the kernel items
 * and the option ROM are in @fw. */
bool kernel_load(FwCfg *fw, HostFiles *files, const char *kernel, const char *initrd,
                 const char *cmdline, uint64_t low_ram, bool decompress, GError **error);

#endif
