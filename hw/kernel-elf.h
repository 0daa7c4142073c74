/* SPDX-License-Identifier: MIT */
/*
 * -kernel with something else than Linux's bzImage: multiboot kernels (Multiboot Specification
 * 0.6.96, ELF or by addresses in the header) and ELF files with a PVH entry (Xen,
 * docs/misc/pvh.pandoc).
 */
#ifndef HW_KERNEL_ELF_H
#define HW_KERNEL_ELF_H

#include <glib.h>

#include "hw/fw-cfg.h"

typedef struct KernelElf {
    const char *path, *cmdline; /* cmdline: what the user gave, "" for nothing */
    GBytes *image;
    uint64_t low_ram; /* bytes below 4 GiB */
    /* "FILE WORDS,FILE WORDS": modules; NULL: none. The PVH entry takes one. */
    const char *modules;
    /* NULL with @error; to be unreferenced. */
    GBytes *(*read_module)(void *opaque, const char *path, GError **error);
    void *opaque;
} KernelElf;

typedef enum KernelElfKind { KERNEL_ELF_NONE, KERNEL_ELF_MULTIBOOT, KERNEL_ELF_PVH } KernelElfKind;

KernelElfKind kernel_elf_kind(GBytes *image);
/* @image is of one of these kinds. Items and the option ROM that starts it are then in @fw. */
bool kernel_elf_load(FwCfg *fw, const KernelElf *k, const char *rom_file, GError **error);

#endif
