/* SPDX-License-Identifier: MIT */
/* The structures of <elf.h>, their numbers little-endian on any host. */
#ifndef HW_ELF_LE_H
#define HW_ELF_LE_H

#include <glib.h>

#if G_BYTE_ORDER == G_BIG_ENDIAN
#pragma scalar_storage_order little - endian
#endif
#include <elf.h>
#if G_BYTE_ORDER == G_BIG_ENDIAN
#pragma scalar_storage_order default
#endif

#endif
