/* SPDX-License-Identifier: MIT */
/* What the commands of `mimus img` share. */
#ifndef SOFTMMU_PROGRAM_IMG_INTERNAL_H
#define SOFTMMU_PROGRAM_IMG_INTERNAL_H

#include "softmmu/block/image.h"
#include "softmmu/error.h"
#include "softmmu/program/img/img.h"

/* Options by their letters; those that have none have one of these. */
enum {
    IMG_OUTPUT = 'J',
    IMG_CHAIN = 'K',
    IMG_SHRINK = 'H',
    IMG_SIZE = 'Z',
    IMG_START = 'A',
    IMG_LENGTH = 'M',
    IMG_ROOM = 'P',
    IMG_TARGET_IS_ZERO = 'z',
    IMG_ADD = '1',
    IMG_REMOVE = '2',
    IMG_CLEAR = '3',
    IMG_ENABLE = '4',
    IMG_DISABLE = '5',
    IMG_MERGE = '6',
};

#define IMG_FILES 8

/* A command as it was called. */
typedef struct Img {
    const char *option[128]; /* by letter: its value, "" of a switch; NULL: it is not there */
    GString *layout;         /* all of -o, NULL: none */
    const char *files[IMG_FILES];
    unsigned count;
    ImgAnswer *answer;
} Img;

/* Unless -q says not to. */
void img_say(Img *g, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* False; the process ends with @status. */
bool img_fail(Img *g, int status, GError **error, const char *format, ...) G_GNUC_PRINTF(4, 5);
void img_progress(Img *g, uint64_t done, uint64_t all); /* if -p asks for it */
/* --output=json; false with @error if it is neither that nor human. */
bool img_wants_json(Img *g, bool *json, GError **error);
Image *img_open(Img *g, const char *path, const char *format, bool read_only, GError **error);
/* Option @letter as bytes; what is there stays if it is not given. */
bool img_size(Img *g, int letter, uint64_t *bytes, GError **error);
/* Image of @format with -o and @backing; the size of -o counts if @size is 0. @tell: what is made.
 */
bool img_make(Img *g, const char *format, const char *path, uint64_t size, const char *backing,
              const char *backing_format, bool tell, GError **error);
/* What is read of @image is its snapshot, if -l names one. False with @error. */
bool img_view(Img *g, Image *image, GError **error);
bool img_is_zero(const uint8_t *data, size_t len);

typedef bool ImgRun(Img *g, GError **error);
ImgRun img_create, img_resize, img_rebase, img_commit, img_snapshot; /* change.c */
ImgRun img_info, img_check, img_map, img_measure;                    /* look.c */
ImgRun img_convert, img_dd, img_compare;                             /* copy.c */

#endif
