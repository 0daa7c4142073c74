/* SPDX-License-Identifier: MIT */
/* What a monitor tells of itself: a block of VESA's E-EDID 1.4. */
#ifndef HW_EDID_H
#define HW_EDID_H

#include <stdint.h>

enum { EDID_BYTES = 128, EDID_MOST_PIXELS = 4095 /* a side */ };

/* A monitor of @xres by @yres pixels, neither 0 nor above EDID_MOST_PIXELS. */
void edid_make(uint8_t edid[EDID_BYTES], unsigned xres, unsigned yres);

#endif
