/* SPDX-License-Identifier: MIT */
/*
 * Spec: VESA Enhanced EDID Standard, Release A, Rev. 2. The timing is one of reduced blanking, at
 * 60 Hz or what the largest clock that can be told allows; sizes are those at 100 pixels an inch.
 */
#include "hw/edid.h"

#include <glib.h>
#include <string.h>

enum { H_BLANK = 160, H_FRONT = 48, H_SYNC = 32, V_BLANK = 35, V_FRONT = 3, V_SYNC = 6 };
enum { DESCRIPTORS = 54, DESCRIPTOR_BYTES = 18, TEXT_BYTES = 13 };
enum { TEXT_NAME = 0xfc, RANGES = 0xfd, NOTHING = 0x10 };

static unsigned millimetres(unsigned pixels)
{
    return pixels * 254 / 1000;
}

static void put_timing(uint8_t *d, unsigned xres, unsigned yres)
{
    uint64_t clock = (uint64_t)(xres + H_BLANK) * (yres + V_BLANK) * 60 / 10000;
    unsigned width = millimetres(xres), height = millimetres(yres);

    clock = MIN(clock, 0xffff);
    d[0] = clock;
    d[1] = clock >> 8;
    d[2] = xres;
    d[3] = H_BLANK;
    d[4] = xres >> 8 << 4;
    d[5] = yres;
    d[6] = V_BLANK;
    d[7] = yres >> 8 << 4;
    d[8] = H_FRONT;
    d[9] = H_SYNC;
    d[10] = V_FRONT << 4 | V_SYNC;
    d[12] = width;
    d[13] = height;
    d[14] = width >> 8 << 4 | height >> 8;
    d[17] = 0x1a; /* separate digital syncs, the horizontal one positive */
}

static void put_name(uint8_t *d, const char *name)
{
    size_t n = strlen(name);

    d[3] = TEXT_NAME;
    memset(d + 5, ' ', TEXT_BYTES);
    memcpy(d + 5, name, n);
    d[5 + n] = '\n';
}

/* 50 to 125 Hz, 30 to 160 kHz, up to 2550 MHz, no formula. */
static void put_ranges(uint8_t *d)
{
    static const uint8_t ranges[] = { 50,  125, 30,  160, 255, 0x01, '\n',
                                      ' ', ' ', ' ', ' ', ' ', ' ' };

    d[3] = RANGES;
    memcpy(d + 5, ranges, sizeof(ranges));
}

void edid_make(uint8_t edid[EDID_BYTES], unsigned xres, unsigned yres)
{
    static const uint8_t head[] = {
        0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, /* header */
        0x35, 0x2d, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, /* MIM, product 1, no serial number */
        0,    34,   1,    4,    0xa5, 0,    0,    0x78, /* 2024; EDID 1.4; digital, 8 bits; gamma */
        0x06,                                           /* sRGB; the first timing is the best */
        0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* its colours */
        0x21, 0x08, 0x00, /* 640x480, 800x600 and 1024x768 at 60 Hz */
    };
    uint8_t *d = edid + DESCRIPTORS, sum = 0;

    memset(edid, 0, EDID_BYTES);
    memcpy(edid, head, sizeof(head));
    edid[21] = MIN(millimetres(xres) / 10, 255);
    edid[22] = MIN(millimetres(yres) / 10, 255);
    memset(edid + sizeof(head), 0x01, DESCRIPTORS - sizeof(head)); /* no further timings */
    put_timing(d, xres, yres);
    put_name(d + DESCRIPTOR_BYTES, "Mimus");
    put_ranges(d + 2 * DESCRIPTOR_BYTES);
    d[3 * DESCRIPTOR_BYTES + 3] = NOTHING;
    for (unsigned i = 0; i < EDID_BYTES - 1; i++)
        sum += edid[i];
    edid[EDID_BYTES - 1] = -sum;
}
