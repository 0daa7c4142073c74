/* SPDX-License-Identifier: MIT */
/* What a format implements. To add one: a row in image.c's table and a file of its own. */
#ifndef SOFTMMU_BLOCK_IMAGE_INTERNAL_H
#define SOFTMMU_BLOCK_IMAGE_INTERNAL_H

#include "softmmu/block/image-bitmap.h"

typedef struct ImageFormat {
    const char *name;
    /* Does a file that begins with @head look like it? NULL: never by its looks. */
    bool (*probe)(const uint8_t *head, size_t len);
    /* @image has path, fd, file size and mode; sets size and own. Cleans up when it fails. */
    bool (*open)(Image *image, GError **error);
    void (*close)(Image *image); /* of what open made; not the fd. May be NULL */
    /* Ranges are within the image and not empty. */
    int (*read)(Image *image, uint64_t offset, void *buf, size_t len);
    int (*read_cached)(Image *image, uint64_t offset, void *buf, size_t len); /* NULL: it waits */
    int (*write)(Image *image, uint64_t offset, const void *buf, size_t len);
    /* A cluster, in less room if that is possible; NULL: the format has no such. */
    int (*write_compressed)(Image *image, uint64_t offset, const void *buf, size_t len);
    int (*zero)(Image *image, uint64_t offset, uint64_t len);    /* NULL: by writing */
    int (*discard)(Image *image, uint64_t offset, uint64_t len); /* NULL: does nothing */
    int (*flush)(Image *image);
    void (*facts)(Image *image, ImageFacts *f); /* fills in its own; NULL: there are none */
    int (*layer)(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer); /* NULL: data */
    /* Of data or zeros: where they lie in the file; *@len may get smaller. NULL: nowhere. */
    int (*place)(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e);
    Image **(*backing)(const Image *image);     /* where it is; NULL: it has none */
    int (*resize)(Image *image, uint64_t size); /* sets .size; NULL: it cannot */
    int (*empty)(Image *image);                 /* of what its backing file has; likewise */
    int (*data_fd)(const Image *image); /* where the disk's bytes are; NULL: in the image's file */
    int (*preallocate)(Image *image);   /* all has a place in the file from now on; or NULL */
    int (*rename_backing)(Image *image, const char *path, const char *format); /* NULL: none */
    bool (*keeps_bitmaps)(const Image *image);     /* its file can; NULL: it cannot */
    int (*touch_bitmaps)(Image *image);            /* they change; likewise */
    bool (*take_up)(Image *image, GError **error); /* it may be written to from now on; or NULL */
    int (*let_go)(Image *image);                   /* it will not be any more; or NULL */
    const struct SnapshotOps *snapshots;           /* NULL: the format has none */
} ImageFormat;

/* As the functions of image.h; a state begins with ImageState. */
typedef struct SnapshotOps {
    int (*list)(Image *image, GPtrArray *out);
    int (*create)(Image *image, const ImageSnapshot *what, ImageState *state);
    int (*apply)(Image *image, const char *id);
    int (*remove)(Image *image, const char *id);
    int (*view)(Image *image, const char *id);
    ImageState *(*state_new)(Image *image);
    int (*state_write)(ImageState *state, const void *data, size_t len);
    int (*state_open)(Image *image, const char *id, ImageState **state);
    int (*state_read)(ImageState *state, uint64_t offset, void *data, size_t len);
    void (*state_free)(ImageState *state);
} SnapshotOps;

struct ImageState {
    Image *image;
};

struct Image {
    const ImageFormat *format;
    char *path;
    int fd;
    uint64_t file_size; /* when it was opened */
    uint64_t size;
    bool read_only, discard, alone, unlocked, repair;
    const ImageOpen *backing; /* while it is opened: as there */
    unsigned depth;           /* how many images it is behind */
    bool guessed;             /* the format was: raw by default */
    void *own;                /* the format's */
    GPtrArray *bitmaps;       /* ImageBitmap *; NULL: there are none */
};

/* Of image-bitmap.c: one that its file has; it is the image's. */
ImageBitmap *image_bitmap_new(Image *image, const char *name, uint32_t granularity);
void image_bitmap_free(ImageBitmap *b);
void image_mark_bitmaps(Image *image, uint64_t offset, uint64_t len); /* there are some */
void image_resize_bitmaps(Image *image);                              /* the image has been */

extern const ImageFormat image_format_raw, image_format_qcow2, image_format_vmdk, image_format_vdi;
/* For formats that are not written: false with @error if that is asked for. */
bool image_is_only_read(const Image *image, GError **error);
extern const ImageFormat image_format_null; /* of what is called IMAGE_NULL…, which is no file */

/* Whole transfers at a place of a file; errno values. Reading beyond the end gives zeros. */
int image_file_read(int fd, uint64_t offset, void *buf, size_t len);
/* The same if the host has it in memory, else EAGAIN. */
int image_file_read_cached(int fd, uint64_t offset, void *buf, size_t len);
int image_file_write(int fd, uint64_t offset, const void *buf, size_t len);
int image_file_zero(int fd, uint64_t offset, uint64_t len);
int image_file_punch(int fd, uint64_t offset, uint64_t len); /* give room back, if the host can */

/* … as bytes that take room. */
int image_write_zeros(Image *image, uint64_t offset, uint64_t len);

/* An empty file of that name, locked; -1 with @error. */
int image_file_create(const char *path, GError **error);
/* Its file once more, on the same descriptor, locked as one for reading or writing. False with
 * @error: it is as it was. */
bool image_file_reopen(Image *image, bool read_only, GError **error);

/* The format that a file with this head has by its looks, or NULL. */
const ImageFormat *image_probe(const uint8_t *head, size_t len);

#endif
