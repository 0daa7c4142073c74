/* SPDX-License-Identifier: MIT */
/* Bitmaps of images by the names that clients give them. */
#ifndef SOFTMMU_PROGRAM_QMP_BITMAPS_H
#define SOFTMMU_PROGRAM_QMP_BITMAPS_H

#include "softmmu/block/drive.h"
#include "softmmu/block/image-bitmap.h"
#include "softmmu/program/qmp/internal.h"

/* *@d, which may be NULL: the drive. NULL with @error. */
ImageBitmap *qmp_find_bitmap(Qmp *q, const char *node, const char *name, Drive **d, GError **error);
/* What node and @member of @args name, which nobody uses and its file says is in use; @any: even an
 * inconsistent one. NULL with @error. */
ImageBitmap *qmp_bitmap_to_change(Qmp *q, Json *args, const char *member, bool any, GError **error);
/* As in query-block. */
Json *qmp_describe_bitmaps(const Image *image);

#endif
