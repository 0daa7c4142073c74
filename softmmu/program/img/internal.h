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
    IMG_OBJECT = '7',
    IMG_IMAGE_OPTS = '8',
};
#define IMG_WORDS   "JKHZAMPz" /* those of these that are letters */
#define IMG_ACTIONS 16

/* What is done to a bitmap, in the order of the command line. */
typedef struct ImgAction {
    char letter;
    const char *value;
} ImgAction;

#define IMG_FILES 8

/* A command as it was called. */
typedef struct Img {
    const char *option[128]; /* by letter: its value, "" of a switch; NULL: it is not there */
    GString *layout;         /* all of -o, NULL: none */
    const char *files[IMG_FILES];
    unsigned count;
    ImgAction action[IMG_ACTIONS];
    unsigned actions;
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
/* Image of @format with -o and @backing; @size IMG_NO_SIZE: that of -o or the backing file. @tell:
 * what is made. */
#define IMG_NO_SIZE UINT64_MAX
bool img_make(Img *g, const char *format, const char *path, uint64_t size, const char *backing,
              const char *backing_format, bool tell, GError **error);
/* -o help, or ?: the keys of images of @format that are made. */
bool img_wants_help(const Img *g);
bool img_list_keys(Img *g, const char *format, GError **error);
extern const char *const img_rooms[]; /* by ImageRoom */
/* Its place in @words, -1 with @error. */
int img_find_word(const char *value, const char *const *words, GError **error);
bool img_parse_compat(const char *value, unsigned *version, GError **error);
bool img_parse_count_bits(const char *value, unsigned *bits, GError **error);
/* What is read of @image is its snapshot, if -l names one. False with @error. */
bool img_view(Img *g, Image *image, GError **error);
bool img_is_zero(const uint8_t *data, size_t len);

typedef bool ImgRun(Img *g, GError **error);
ImgRun img_create;                                       /* layout.c */
ImgRun img_resize, img_rebase, img_commit, img_snapshot; /* change.c */
ImgRun img_amend, img_bitmap;                            /* amend.c */
ImgRun img_info, img_check, img_map, img_measure;        /* look.c */
ImgRun img_convert, img_dd, img_compare;                 /* copy.c */

#endif
