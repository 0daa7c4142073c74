/* SPDX-License-Identifier: MIT */
/*
 * A disk image: bytes in a file of the host, behind a format. All calls wait for the host, so they
 * belong on a thread that may (drive.h has one); one thread at a time uses an Image.
 *
 * Offsets and lengths are in bytes, any alignment. Functions that return int give 0 or an errno
 * value. What lies beyond the end of an image is EINVAL; images grow by image_resize() alone.
 *
 * A file that is open for writing is locked against every other opener, one open for reading
 * against writers (fcntl(2), open file description locks).
 */
#ifndef SOFTMMU_BLOCK_IMAGE_H
#define SOFTMMU_BLOCK_IMAGE_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct Image Image;

#define IMAGE_NULL "null-co://" /* and a number of bytes: a disk that keeps nothing, no file */

typedef struct ImageOpen {
    const char *path;
    const char *format; /* NULL: found out. Then a guest may not make a raw image another format. */
    bool read_only;
    unsigned depth; /* of backing files: 0 for a user's */
    bool discard;   /* what is discarded gives its room back to the host */
    bool unlocked;  /* only to see what is there: it is read-only, and nobody is kept out */
    bool repair;    /* even if it is marked as corrupt: to be checked and mended */
    bool alone;     /* without its backing file, which the caller gives it */
    const struct ImageOpen *backing; /* instead of what its header names; NULL: that */
} ImageOpen;

/* What a new image has of the host's disk: what is written, tables for all, all, zeros in all. */
typedef enum ImageRoom { IMAGE_SPARSE, IMAGE_METADATA, IMAGE_FALLOC, IMAGE_FULL } ImageRoom;

typedef struct ImageCreate {
    const char *path, *format;
    uint64_t size;                        /* bytes, a multiple of 512 */
    const char *backing, *backing_format; /* as its header has them; NULL: none */
    ImageRoom room;
    /* qcow2: */
    uint64_t cluster;      /* bytes; 0: as is usual */
    unsigned version;      /* 2 or 3; 0: 3 */
    unsigned count_bits;   /* of each reference count; 0: 16 */
    bool lazy, zstd;       /* lazy_refcounts; compression_type */
    bool extended;         /* extended_l2 */
    bool data_raw;         /* data_file_raw */
    const char *data_file; /* as its header has it; NULL: none */
} ImageCreate;

/* What was in a file of that name is gone, unless somebody uses it. False with @error. */
bool image_create(const ImageCreate *what, GError **error);

/* What lies beyond @from gets @room in its file. 0 or an errno value. */
int image_fill(Image *image, uint64_t from, ImageRoom room);

/* NULL with @error. */
Image *image_open(const ImageOpen *how, GError **error);
/* What is written goes to a file of its own, which is gone with the image; takes @base over, which
 * may be read-only. NULL with @error, and @base is closed. */
Image *image_open_overlay(Image *base, GError **error);
void image_close(Image *image); /* flushes; NULL is allowed */

uint64_t image_size(const Image *image); /* bytes, a multiple of 512 */
const char *image_path(const Image *image);
const char *image_format(const Image *image); /* "raw", … */
bool image_is_read_only(const Image *image);

/* What users are told of it. */
typedef struct ImageFacts {
    uint64_t allocated; /* bytes of the host's disk */
    uint64_t cluster;   /* bytes; 0: it has none */
    bool dirty, corrupt, lazy;
    unsigned version;    /* of the format; 0: it has one only */
    unsigned count_bits; /* of each reference count */
    bool extended, data_raw;
    const char *data_file;    /* as the image has it; NULL: none */
    const char *compression;  /* NULL: it has none */
    const char *backing_path; /* as the image has it; NULL: none */
    const char *backing_format;
    Image *backing; /* not owned; NULL: none */
} ImageFacts;
ImageFacts image_facts(Image *image);

int image_read(Image *image, uint64_t offset, void *buf, size_t len);
/* The same if the host has it in memory, else EAGAIN and @buf is undefined. */
int image_read_cached(Image *image, uint64_t offset, void *buf, size_t len);
int image_write(Image *image, uint64_t offset, const void *buf, size_t len);
/* A cluster, or what the image's end has of one; compressed if that makes it smaller. */
int image_write_compressed(Image *image, uint64_t offset, const void *buf, size_t len);
int image_zero(Image *image, uint64_t offset, uint64_t len);
int image_discard(Image *image, uint64_t offset, uint64_t len); /* contents undefined after it */
/* What was written is on the disk when it returns. */
int image_flush(Image *image);

/* ---- Images and those behind them: image-chain.c -----------------------------------------------
 */

typedef enum ImageLayer { IMAGE_BELOW, IMAGE_ZERO, IMAGE_DATA } ImageLayer;

/* Who has the bytes from @offset on: @image itself, or its backing file; *@len in: how many are
 * asked for, out: for how many of them the answer holds, at least one. */
int image_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer);
/* The same for @top and all between it and @base, which is behind it. NULL: all that are behind it.
 */
int image_layer_above(Image *top, const Image *base, uint64_t offset, uint64_t *len,
                      ImageLayer *layer);
/* The same down to the last image, and where the bytes are. */
typedef struct ImageExtent {
    Image *image;   /* which has them */
    unsigned depth; /* … that many behind the first */
    ImageLayer layer;
    bool present, compressed; /* present: that image says what they are */
    uint64_t at;              /* in its file, or: */
} ImageExtent;
#define IMAGE_NOWHERE UINT64_MAX
int image_extent(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e);
Image *image_backing(const Image *image); /* NULL: there is none */
/* That of those behind @image which the user, or the image above it, calls @name; NULL: none. */
Image *image_find_behind(Image *image, const char *name);
bool image_has_snapshots(Image *image);

/* What lies beyond the old end is zero. Multiples of 512. False with @error. */
bool image_resize(Image *image, uint64_t size, GError **error);
/* Its file is opened anew. False with @error: it stays as it was. */
bool image_set_read_only(Image *image, bool read_only, GError **error);
/* What @top, and all between it and @base, has goes to @base; NULL: right behind it. It is then
 * forgotten in @top if nothing is between them, unless @keep. 0 or an errno value: then nothing is
 * lost, and the same can be tried again. */
int image_commit(Image *top, Image *base, bool keep);
/* @base, which is behind @image, or NULL is right behind it from now on; those between are closed.
 * Nothing of these is needed any more, as image_layer_above() says. @name of @base for the header;
 * NULL: where it is. */
int image_rebase(Image *image, Image *base, const char *name);
/* Its header says @path, NULL for none, of @format; what is behind it now stays open. */
int image_name_backing(Image *image, const char *path, const char *format);
/* @top, which was opened alone, has @base behind it from now on, which is only read. False with
 * @error: both are as they were. */
bool image_put_above(Image *top, Image *base, GError **error);
/* @base, which is behind @top, stays; all above it are closed. */
void image_close_above(Image *top, Image *base);

/* ---- Snapshots inside an image --------------------------------------------------------------- */

typedef struct ImageSnapshot {
    char *id, *name;  /* id: "1", … */
    uint64_t vm_size; /* bytes of the machine's state; 0: the disk alone */
    uint64_t disk_size;
    uint32_t date_s, date_ns; /* since 1970 */
    uint64_t vm_clock_ns;
    uint64_t icount; /* UINT64_MAX: none */
} ImageSnapshot;

/* Bytes of a machine beside a disk: written in order before the snapshot they are for, or read
 * from one that exists. */
typedef struct ImageState ImageState;

/* It is writable, its format has them, and its data is in its own file. */
bool image_can_snapshot(const Image *image);
/* ImageSnapshot *, owned; NULL with errno value in *@error. */
GPtrArray *image_snapshots(Image *image, int *error);
/* Of id @name, else of name @name; NULL if there is none. */
const ImageSnapshot *image_find_snapshot(const GPtrArray *snapshots, const char *name);
/* Of @what name, date and clocks count. Takes @state over, which may be NULL. */
int image_snapshot_create(Image *image, const ImageSnapshot *what, ImageState *state);
int image_snapshot_apply(Image *image, const ImageSnapshot *s); /* the disk is again as it was */
int image_snapshot_delete(Image *image, const ImageSnapshot *s);
int image_snapshot_view(Image *image, const ImageSnapshot *s); /* read-only: it is what is read */

ImageState *image_state_new(Image *image);
int image_state_write(ImageState *state, const void *data, size_t len);
int image_state_open(Image *image, const ImageSnapshot *s, ImageState **state);
int image_state_read(ImageState *state, uint64_t offset, void *data, size_t len);
void image_state_free(ImageState *state); /* gives its room back if nobody took it over */

/* One line of a list, as qemu-img has it, or the list's head (@s NULL). @id: instead of its own. */
void image_snapshot_print(const ImageSnapshot *s, const char *id, GString *out);

#endif
