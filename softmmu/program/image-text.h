/* SPDX-License-Identifier: MIT */
/* What users are told of an image, as QMP's ImageInfo and as text: query-block, info block -v, img
 * info. */
#ifndef SOFTMMU_PROGRAM_IMAGE_TEXT_H
#define SOFTMMU_PROGRAM_IMAGE_TEXT_H

#include "softmmu/block/image.h"
#include "softmmu/program/qmp/json.h"

/* Without those behind it. */
Json *image_describe(Image *image);
Json *image_describe_snapshot(const ImageSnapshot *s); /* as SnapshotInfo */
void image_describe_print(Json *info, GString *out);

#endif
