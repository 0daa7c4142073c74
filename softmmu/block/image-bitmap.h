/* SPDX-License-Identifier: MIT */
/*
 * Dirty bitmaps of an image: a bit for each so many bytes of the disk says that they were written
 * since. They belong to the image, whoever writes to it by image.h; one thread at a time, as there.
 * Persistent ones are kept in the image's file when it is closed, if its format has them; until
 * then that says that they are in use, so that after a crash they are known not to be right.
 */
#ifndef SOFTMMU_BLOCK_IMAGE_BITMAP_H
#define SOFTMMU_BLOCK_IMAGE_BITMAP_H

#include "softmmu/block/image.h"

typedef struct ImageBitmap {
    char *name;
    uint32_t granularity; /* bytes of the disk for each bit, a power of two from 512 on */
    bool recording;       /* what is written is marked */
    bool persistent;
    bool inconsistent; /* it was in use when its file was left: good for nothing, may be removed */
    bool busy;         /* a job has it */
    uint64_t bits;     /* how many */
    uint8_t *map;      /* bit 0 of byte 0 first; NULL: inconsistent */
} ImageBitmap;

/* ImageBitmap *, the image's; NULL: there are none. */
const GPtrArray *image_bitmaps(const Image *image);
ImageBitmap *image_find_bitmap(const Image *image, const char *name); /* NULL: there is none */
/* @granularity 0: 64 KiB, or a cluster. Empty and recording. NULL with @error. */
ImageBitmap *image_add_bitmap(Image *image, const char *name, uint32_t granularity, bool persistent,
                              GError **error);
void image_remove_bitmap(Image *image, ImageBitmap *b);
/* Before a persistent one is changed other than by writing: its file says so. 0 or errno value. */
int image_touch_bitmaps(Image *image);

uint64_t image_bitmap_count(const ImageBitmap *b); /* bytes of the disk that are marked */
void image_bitmap_mark(ImageBitmap *b, uint64_t offset, uint64_t len);
void image_bitmap_clear(ImageBitmap *b);
/* The bits, of so many bytes: to be put back. */
GBytes *image_bitmap_save(const ImageBitmap *b);
void image_bitmap_restore(ImageBitmap *b, GBytes *saved);
/* What is marked in @from, with its granularity for as many bits, is marked in @b as well. */
void image_bitmap_merge(ImageBitmap *b, const uint8_t *from, uint64_t bits, uint32_t granularity);

#endif
