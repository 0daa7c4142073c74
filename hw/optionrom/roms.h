/* SPDX-License-Identifier: MIT */
/* Guest code assembled from this folder: option ROMs finished by mkrom.py, and plain code. */
#ifndef HW_OPTIONROM_ROMS_H
#define HW_OPTIONROM_ROMS_H

#include <stddef.h>
#include <stdint.h>

extern const size_t rom_linuxboot_size;
extern const uint8_t rom_linuxboot[];

extern const size_t rom_elfboot_size;
extern const uint8_t rom_elfboot[];

/* vmlinux.S: instead of a kernel that the board has decompressed. */
extern const size_t rom_vmlinux32_size, rom_vmlinux64_size;
extern const uint8_t rom_vmlinux32[], rom_vmlinux64[];

#endif
