/* SPDX-License-Identifier: MIT */
/*
 * qcow2 as docs/interop/qcow2.txt of its authors describes it: versions 2 and 3, backing files,
 * zero clusters, compressed clusters, parts of clusters, data in another file, copy on write of
 * what internal snapshots share. For image-qcow2.c (opening), qcow2-data.c (transfers),
 * qcow2-alloc.c (clusters and their counts) and their neighbours.
 */
#ifndef SOFTMMU_BLOCK_QCOW2_H
#define SOFTMMU_BLOCK_QCOW2_H

#include "softmmu/block/image-internal.h"

#define QCOW2_MAGIC              0x514649fbu         /* "QFI\xfb" */
#define QCOW2_COPIED             (UINT64_C(1) << 63) /* counted once: may be written in place */
#define QCOW2_COMPRESSED         (UINT64_C(1) << 62)
#define QCOW2_ZERO               UINT64_C(1)
#define QCOW2_OFFSET             UINT64_C(0x00fffffffffffe00)
#define QCOW2_NAME_MAX           1023
#define QCOW2_MAX_L1             ((32u << 20) / 8) /* entries */
#define QCOW2_MAX_COUNT_CLUSTERS 1024              /* of the table of blocks of counts: petabytes */
#define QCOW2_EXT_FORMAT         0xe2792acau       /* header extensions: of the backing file */
#define QCOW2_EXT_BITMAPS        0x23852875u
#define QCOW2_EXT_DATA           0x44415441u /* of the data file: its name */
#define QCOW2_PARTS              UINT32_MAX  /* all of a cluster */

enum { QCOW2_HEAD_V2 = 72, QCOW2_HEAD_V3 = 104, QCOW2_HEAD_TYPE = 112 }; /* bytes of headers */
/* Incompatible features, and those that writers who do not know them clear. */
enum {
    QCOW2_DIRTY = 1,
    QCOW2_CORRUPT = 2,
    QCOW2_DATA_FILE = 4,
    QCOW2_ZSTD = 8,
    QCOW2_EXTENDED = 16,
};
enum { QCOW2_BITMAPS_VALID = 1, QCOW2_DATA_RAW = 2 };
enum { QCOW2_TABLES = 16 }; /* in memory at a time */

/* A table of 64-bit entries, or a block of counts, as it is in the file. */
typedef struct Qcow2Table {
    uint64_t offset; /* 0: unused */
    uint64_t used;   /* when it was looked at last */
    uint8_t *data;   /* a cluster */
} Qcow2Table;

/* What an entry of a table of the second level says of its cluster. */
typedef struct Qcow2Entry {
    uint64_t where;     /* as in the file, without QCOW2_ZERO */
    uint32_t has, zero; /* bits of its 32 parts: its own bytes; zeros; neither: what is behind */
} Qcow2Entry;

typedef enum Qcow2Part { QCOW2_BELOW, QCOW2_IS_ZERO, QCOW2_HAS } Qcow2Part;

typedef struct Qcow2 {
    int fd, data;      /* data: where the disk's bytes are: fd, or that of: */
    Image *data_image; /* NULL: there is none */
    char *data_path;   /* … as the header has it */
    unsigned version, cluster_bits;
    uint64_t cluster;        /* bytes */
    uint64_t features;       /* incompatible ones, as in the file */
    bool extended;           /* entries tell of parts of clusters: */
    unsigned entry_bytes;    /* 8 or 16 */
    uint64_t l1_offset, *l1; /* in this host's byte order */
    uint32_t l1_size;
    uint64_t counts_offset, *counts; /* the table of blocks of counts, likewise */
    uint32_t counts_size;            /* entries */
    unsigned count_order;            /* a count has 1 << that many bits, 0 to 6 */
    uint64_t file_end;               /* where the next new cluster goes at the latest */
    uint64_t search;                 /* number of the cluster to begin a search at */
    uint64_t packed_end;             /* of what was compressed last; 0: none */
    bool lazy;                       /* the header says that counts may be */
    uint32_t snapshots;
    uint64_t snapshots_offset;
    Qcow2Table tables[QCOW2_TABLES];
    uint64_t clock;
    Image *backing;
    char *backing_path, *backing_format;
    uint64_t autoclear; /* features, as in the file */
    uint32_t bitmaps;   /* in the file */
    uint64_t bitmaps_bytes, bitmaps_offset;
    bool bitmaps_used; /* the file says so */
} Qcow2;

/* ---- qcow2-data.c -----------------------------------------------------------------------------
 */

/* That at @d of a table; false: it makes no sense. */
bool qcow2_decode(const Qcow2 *q, const uint8_t *d, Qcow2Entry *e);
/* The entry for @offset of the disk; EIO: it makes no sense. */
int qcow2_entry(Qcow2 *q, uint64_t offset, Qcow2Entry *e);
/* It is that from now on, in a table that no snapshot shares. */
int qcow2_put(Qcow2 *q, uint64_t offset, const Qcow2Entry *e);
/* It has a cluster, which is not compressed. */
bool qcow2_has_room(const Qcow2 *q, const Qcow2Entry *e);
/* What the bytes at @offset are, and *@len of them, within the cluster, alike. */
Qcow2Part qcow2_run(const Qcow2 *q, const Qcow2Entry *e, uint64_t offset, uint64_t *len);
/* The cluster at @offset of the disk is zeros, or of the backing file, from now on, and its room is
 * given back. */
int qcow2_drop(Qcow2 *q, uint64_t offset, bool zero);
uint64_t qcow2_per_l1(const Qcow2 *q); /* bytes of the disk for each entry of the first table */
static inline bool qcow2_is_data_raw(const Qcow2 *q)
{
    return q->data_image && (q->autoclear & QCOW2_DATA_RAW);
}
/* Hooks. */
int qcow2_read(Image *image, uint64_t offset, void *buf, size_t len);
int qcow2_read_cached(Image *image, uint64_t offset, void *buf, size_t len);
int qcow2_write(Image *image, uint64_t offset, const void *buf, size_t len);
int qcow2_zero(Image *image, uint64_t offset, uint64_t len);
int qcow2_discard(Image *image, uint64_t offset, uint64_t len);

/* ---- image-qcow2.c --------------------------------------------------------------------------- */

/* Of the file, whose counts are made anew if it was not closed; false with @error. */
bool qcow2_recover(Image *image, GError **error);
char *qcow2_beside(const char *image, const char *path); /* @path as it is seen from @image */

/* ---- qcow2-create.c, qcow2-compress.c ---------------------------------------------------------
 */

/* False with @error, and no file is left. */
bool qcow2_create(const ImageCreate *what, GError **error);
int qcow2_preallocate(Image *image); /* a hook */
int qcow2_write_compressed(Image *image, uint64_t offset, const void *buf,
                           size_t len); /* likewise */
/* Of the cluster that @entry, compressed, is for, @len bytes from @within on. */
int qcow2_read_compressed(Qcow2 *q, uint64_t entry, uint64_t within, void *buf, size_t len);

/* ---- qcow2-change.c: hooks of the format -------------------------------------------------------
 */

int qcow2_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer);
int qcow2_place(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e);
int qcow2_resize(Image *image, uint64_t size);
int qcow2_put_size(Image *image, uint64_t size); /* in header and @image */
int qcow2_empty(Image *image);
int qcow2_rename_backing(Image *image, const char *path, const char *format);
/* The header with what is known of bitmaps, in one write; @keep: the backing file's name stays. */
int qcow2_write_header(Qcow2 *q, bool keep, const char *path, const char *format);

/* ---- qcow2-bitmap.c: functions give 0 or an errno value ---------------------------------------
 */

int qcow2_load_bitmaps(Image *image);
/* Before the first change: the file says that its bitmaps are in use. */
int qcow2_use_bitmaps(Qcow2 *q);
/* They are in the file again as they are now, if they were in use. */
int qcow2_store_bitmaps(Image *image);
/* Calls @refer for all that belongs to them. */
int qcow2_walk_bitmaps(Qcow2 *q, void (*refer)(void *opaque, uint64_t offset, uint64_t len),
                       void *opaque);

/* ---- qcow2-alloc.c: functions give 0 or an errno value ----------------------------------------
 */

/* The table at @offset, from memory or the file; good until the next call. */
int qcow2_table(Qcow2 *q, uint64_t offset, uint8_t **data);
/* The same if it is in memory; false: it is not. */
bool qcow2_table_at_hand(Qcow2 *q, uint64_t offset, uint8_t **data);
/* Entry @n of it, of entry_bytes, in memory and file. */
int qcow2_set_entry(Qcow2 *q, uint64_t offset, uint32_t n, const uint8_t *entry);
int qcow2_count(Qcow2 *q, uint64_t cluster, uint64_t *count);
/* EMLINK: it cannot count that much. */
int qcow2_add_count(Qcow2 *q, uint64_t cluster, int64_t change);
/* Count @n of those at @data, of 1 << @order bits each; the highest that there is. */
uint64_t qcow2_get_count(const uint8_t *data, unsigned order, uint64_t n);
void qcow2_put_count(uint8_t *data, unsigned order, uint64_t n, uint64_t count);
uint64_t qcow2_most(unsigned order);
void qcow2_forget_tables(Qcow2 *q); /* what is in memory of them is void */
/* A cluster that was free and now counts once. */
int qcow2_allocate(Qcow2 *q, uint64_t *offset);
/* So many clusters one after another, likewise. */
int qcow2_allocate_run(Qcow2 *q, uint64_t clusters, uint64_t *offset);
/* What the entry of an L2 table holds counts @change times more, or nothing has changed if that is
 * more than it can. */
int qcow2_refer(Qcow2 *q, uint64_t entry, int change);
static inline int qcow2_release(Qcow2 *q, uint64_t entry)
{
    return qcow2_refer(q, entry, -1);
}
/* A whole table, in memory and file. */
int qcow2_put_table(Qcow2 *q, uint64_t offset, const uint8_t *data);
/* Before the first change: the file says that it was not closed since. */
int qcow2_set_dirty(Qcow2 *q, bool dirty);
int qcow2_set_features(Qcow2 *q, uint64_t features); /* incompatible ones, in the file */
void qcow2_compressed_range(const Qcow2 *q, uint64_t entry, uint64_t *offset, uint64_t *len);

/* New clusters, one after another, with these bytes; they are given back. */
int qcow2_place_bytes(Qcow2 *q, const uint8_t *data, uint64_t len, uint64_t *offset);
int qcow2_free_bytes(Qcow2 *q, uint64_t offset, uint64_t bytes);

/* ---- qcow2-snapshot.c ------------------------------------------------------------------------ */

extern const SnapshotOps qcow2_snapshots;

/* A row of the table of snapshots. */
typedef struct Qcow2Snapshot {
    ImageSnapshot shown;
    uint64_t l1_offset;
    uint32_t l1_size;
} Qcow2Snapshot;

/* All rows, owned, and the bytes that the table has in the file. */
int qcow2_list_snapshots(Qcow2 *q, GPtrArray **list, uint64_t *bytes);
/* Each entry of the image's says whether what it refers to counts once. */
int qcow2_mark_all(Qcow2 *q);
/* Another first table of the disk, of which there are no snapshots, with room for @size. */
int qcow2_enlarge_l1(Qcow2 *q, uint64_t size);
/* A first table, in this host's byte order; g_free() it. */
int qcow2_read_l1(const Qcow2 *q, uint64_t offset, uint32_t size, uint64_t **l1);

/* ---- qcow2-amend.c --------------------------------------------------------------------------- */

typedef struct Qcow2Amend {
    unsigned version;    /* 2, 3; 0: stays */
    unsigned count_bits; /* a power of two up to 64; 0: stays */
    int lazy;            /* below 0: stays */
    bool sized;
    uint64_t size; /* bytes of the disk, if sized */
} Qcow2Amend;

/* What of it was done before it failed stays. False with @error. */
bool qcow2_amend(Image *image, const Qcow2Amend *what, GError **error);

/* ---- qcow2-check.c --------------------------------------------------------------------------- */

typedef enum Qcow2Repair { QCOW2_LOOK, QCOW2_REPAIR_LEAKS, QCOW2_REPAIR_ALL } Qcow2Repair;

typedef struct Qcow2Report {
    uint64_t clusters, allocated, compressed, fragmented; /* of the disk, now */
    uint64_t leaks, errors;                               /* that are there at the end */
    uint64_t mended_leaks, mended_errors;
    uint64_t end; /* in the file: of what is in use */
    GString *log; /* lines of what was found; the caller's, may be NULL */
} Qcow2Report;

/* Compare counts with what the tables refer to, and make them agree as far as @repair goes. All but
 * @report's log is set. */
int qcow2_check(Image *image, Qcow2Repair repair, Qcow2Report *report);

#endif
