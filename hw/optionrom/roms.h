/* SPDX-License-Identifier: MIT */
/* Option ROMs assembled from this folder, finished by mkrom.py. */
#ifndef HW_OPTIONROM_ROMS_H
#define HW_OPTIONROM_ROMS_H

#include <stddef.h>
#include <stdint.h>

extern const size_t rom_linuxboot_size;
extern const uint8_t rom_linuxboot[];

#endif
