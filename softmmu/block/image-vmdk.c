/* SPDX-License-Identifier: MIT */
/*
 * VMware's disks ("Virtual Disk Format 5.0"): a descriptor names extents, each a part of the disk:
 * bytes of a file as they are, or grains that tables find in one, which may be compressed. A file
 * with grains may have its descriptor inside. They are only read, and only files beside the
 * descriptor are: a name with a folder in it is refused. Missing: images that stand on another,
 * those of ESX (VMFS sparse).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "softmmu/block/image-internal.h"
#include "softmmu/bytes.h"
#include "softmmu/error.h"

#if HAVE_ZLIB
#include <zlib.h>
#endif

#define SECTOR         512
#define HEAD           512
#define MAGIC          "KDMV"
#define DESCRIPTOR     "# Disk DescriptorFile"
#define MAX_DESCRIPTOR 65536 /* bytes */
#define MAX_EXTENTS    1024
#define MAX_TABLES     (1u << 22)
#define MAX_GRAIN      (1u << 14) /* sectors */
#define AT_END         UINT64_MAX /* offset of the tables: as the footer says */
#define ZEROED         (1u << 2)  /* flags: entry 1 is a grain of zeros */
#define COMPRESSED     (1u << 16)
#define MARKER         12 /* bytes before a compressed grain: u64 sector, u32 length */
#define MAX_SECTORS    (UINT64_C(1) << 50)

typedef struct Extent {
    uint64_t start, len; /* bytes of the disk */
    int fd;              /* -1: zeros */
    bool own_fd, sparse;
    uint64_t offset; /* flat: in the file */
    uint64_t file_size;
    uint64_t grain; /* bytes */
    uint32_t flags, per_table;
    uint32_t tables, *directory; /* sectors of tables */
    uint8_t *table;              /* … the one that was read last */
    uint32_t table_at;           /* … of this sector; 0: none */
    uint8_t *plain;              /* the compressed grain that was read last */
    uint64_t plain_at;           /* … where it is in the file; 0: none */
} Extent;

typedef struct Vmdk {
    GPtrArray *extents; /* Extent *, in order */
} Vmdk;

static void free_extent(void *p)
{
    Extent *e = p;

    if (e->own_fd)
        close(e->fd);
    g_free(e->directory);
    g_free(e->table);
    g_free(e->plain);
    g_free(e);
}

static bool probe(const uint8_t *head, size_t len)
{
    return len >= strlen(DESCRIPTOR) &&
           (!memcmp(head, MAGIC, 4) || !memcmp(head, DESCRIPTOR, strlen(DESCRIPTOR)));
}

static bool refuse(const Image *image, GError **error, const char *why)
{
    error_set(error, "'%s' is not a vmdk image that can be used: %s", image->path, why);
    return false;
}

/* ---- Extents of grains ----------------------------------------------------------------------- */

static bool read_directory(const Image *image, Extent *e, uint64_t sector, GError **error)
{
    uint64_t grains = e->len / e->grain + (e->len % e->grain != 0);
    g_autofree uint8_t *raw = NULL;

    e->tables = grains / e->per_table + (grains % e->per_table != 0);
    if (grains / e->per_table >= MAX_TABLES || sector > e->file_size / SECTOR ||
        4ull * e->tables > e->file_size - sector * SECTOR)
        return refuse(image, error, "its tables are not where they can be");
    raw = g_malloc(4ull * e->tables + 1);
    if (image_file_read(e->fd, sector * SECTOR, raw, 4ull * e->tables))
        return refuse(image, error, "it cannot be read");
    e->directory = g_new(uint32_t, e->tables + 1ull);
    for (uint32_t i = 0; i < e->tables; i++)
        e->directory[i] = get_le(raw + 4ull * i, 4);
    e->table = g_malloc(4ull * e->per_table);
    return true;
}

/* *@head: that of the file, or its footer if that knows more. */
static bool read_head(const Image *image, Extent *e, uint8_t *head, GError **error)
{
    if (image_file_read(e->fd, 0, head, HEAD) || memcmp(head, MAGIC, 4))
        return refuse(image, error, "its extents are not of grains");
    if (get_le(head + 56, 8) == AT_END &&
        (e->file_size < 2 * HEAD || image_file_read(e->fd, e->file_size - 2 * HEAD, head, HEAD) ||
         memcmp(head, MAGIC, 4) || get_le(head + 56, 8) == AT_END))
        return refuse(image, error, "it has no footer");
    return true;
}

/* .fd and .file_size are there; *@sectors: of the disk. */
static bool open_sparse(const Image *image, Extent *e, const uint8_t *head, GError **error)
{
    uint64_t grain = get_le(head + 20, 8);

    e->sparse = true;
    e->flags = get_le(head + 8, 4);
    e->per_table = get_le(head + 44, 4);
    e->grain = grain * SECTOR;
    if (get_le(head + 4, 4) < 1 || get_le(head + 4, 4) > 3)
        return refuse(image, error, "its version is later than 3");
    if (!grain || grain > MAX_GRAIN || (grain & (grain - 1)) || !e->per_table ||
        e->per_table > 4096)
        return refuse(image, error, "its grains are of a strange size");
    if ((e->flags & COMPRESSED) && get_le(head + 77, 2) != 1)
        return refuse(image, error, "its grains are compressed in a way that is not known");
    return read_directory(image, e, get_le(head + 56, 8), error);
}

/* The entry for @within of the extent, 0: there is none. */
static int find_grain(Extent *e, uint64_t within, uint32_t *entry)
{
    uint64_t n = within / e->grain;
    uint32_t table = e->directory[n / e->per_table];
    int error = 0;

    *entry = 0;
    if (!table)
        return 0;
    if (table != e->table_at) {
        error = image_file_read(e->fd, (uint64_t)table * SECTOR, e->table, 4ull * e->per_table);
        e->table_at = error ? 0 : table;
    }
    if (!error)
        *entry = get_le(e->table + 4 * (n % e->per_table), 4);
    if (*entry == 1 && (e->flags & ZEROED))
        *entry = 0;
    return error;
}

static int unpack(Extent *e, uint64_t at)
{
#if HAVE_ZLIB
    uint8_t marker[MARKER];
    g_autofree uint8_t *packed = NULL;
    uLongf len = e->grain;
    uint32_t bytes;
    int error = image_file_read(e->fd, at, marker, MARKER);

    if (error || e->plain_at == at)
        return error;
    bytes = get_le(marker + 8, 4);
    if (!bytes || bytes > 2 * e->grain + 4096)
        return EIO;
    packed = g_malloc(bytes);
    e->plain = e->plain ? e->plain : g_malloc(e->grain);
    e->plain_at = 0;
    error = image_file_read(e->fd, at + MARKER, packed, bytes);
    if (error || uncompress(e->plain, &len, packed, bytes) != Z_OK)
        return error ? error : EIO;
    memset(e->plain + len, 0, e->grain - len); /* the last of a disk may be shorter */
    e->plain_at = at;
    return 0;
#else
    return ENOTSUP;
#endif
}

/* Within a grain. */
static int read_sparse(Extent *e, uint64_t within, uint8_t *buf, size_t len)
{
    uint32_t entry;
    uint64_t at;
    int error = find_grain(e, within, &entry);

    if (error)
        return error;
    at = (uint64_t)entry * SECTOR;
    if (!entry) {
        memset(buf, 0, len);
        return 0;
    }
    if (!(e->flags & COMPRESSED))
        return image_file_read(e->fd, at + within % e->grain, buf, len);
    error = unpack(e, at);
    if (!error)
        memcpy(buf, e->plain + within % e->grain, len);
    return error;
}

/* ---- The descriptor -------------------------------------------------------------------------- */

static Extent *add_extent(Image *image, uint64_t sectors)
{
    Vmdk *v = image->own;
    Extent *e = g_new0(Extent, 1);

    e->fd = -1;
    e->start = image->size;
    e->len = sectors * SECTOR;
    image->size += e->len;
    g_ptr_array_add(v->extents, e);
    return e;
}

static bool open_beside(const Image *image, Extent *e, const char *name, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(image->path);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    off_t size;

    if (!*name || strchr(name, '/'))
        return refuse(image, error, "it names a file that is not beside it");
    e->fd = open(path, O_RDONLY | O_CLOEXEC);
    size = e->fd < 0 ? -1 : lseek(e->fd, 0, SEEK_END);
    e->own_fd = e->fd >= 0;
    e->file_size = size;
    if (size < 0)
        error_set(error, "'%s': could not open its extent '%s': %s", image->path, name,
                  g_strerror(errno));
    return size >= 0;
}

/* RW 20480 FLAT "disk-flat.vmdk" 0 */
static bool take_extent(Image *image, const char *line, GError **error)
{
    char access[16] = "", kind[16] = "", name[256] = "";
    uint64_t sectors = 0, offset = 0;
    int n = sscanf(line, "%15s %" SCNu64 " %15s \"%255[^\"]\" %" SCNu64, access, &sectors, kind,
                   name, &offset);
    bool sparse = !strcmp(kind, "SPARSE"), flat = !strcmp(kind, "FLAT");
    uint8_t head[HEAD];
    Extent *e;

    if (n < 3 || !sectors || sectors > MAX_SECTORS || offset > MAX_SECTORS ||
        image->size > MAX_SECTORS * SECTOR || ((Vmdk *)image->own)->extents->len == MAX_EXTENTS)
        return refuse(image, error, "an extent of it makes no sense");
    if (!sparse && !flat && strcmp(kind, "ZERO"))
        return refuse(image, error, "it has extents of a kind that is not known");
    e = add_extent(image, sectors);
    e->offset = offset * SECTOR;
    if (!sparse && !flat)
        return true;
    if (!open_beside(image, e, name, error))
        return false;
    return flat || (read_head(image, e, head, error) && open_sparse(image, e, head, error));
}

static bool is_extent(const char *line)
{
    return g_str_has_prefix(line, "RW ") || g_str_has_prefix(line, "RDONLY ") ||
           g_str_has_prefix(line, "NOACCESS ");
}

static bool stands_alone(const Image *image, char **lines, GError **error)
{
    for (; *lines; lines++) {
        if (g_str_has_prefix(*lines, "parentCID=") &&
            g_ascii_strcasecmp(g_strchomp(*lines) + strlen("parentCID="), "ffffffff"))
            return refuse(image, error, "it stands on another image");
    }
    return true;
}

/* Text at @at of the file; NULL with @error. */
static char **read_descriptor(const Image *image, uint64_t at, uint64_t len, GError **error)
{
    g_autofree char *text = g_malloc0(MAX_DESCRIPTOR + 1);

    if (image_file_read(image->fd, at, text, MIN(len, MAX_DESCRIPTOR))) {
        refuse(image, error, "it cannot be read");
        return NULL;
    }
    return g_strsplit(text, "\n", -1);
}

static bool open_described(Image *image, GError **error)
{
    g_auto(GStrv) lines = read_descriptor(image, 0, image->file_size, error);

    if (!lines || !stands_alone(image, lines, error))
        return false;
    for (char **line = lines; *line; line++) {
        if (is_extent(*line) && !take_extent(image, *line, error))
            return false;
    }
    return image->size || refuse(image, error, "it has no extents");
}

/* The descriptor inside says nothing more than what it stands on. */
static bool open_alone(Image *image, uint8_t *head, GError **error)
{
    uint64_t at = get_le(head + 28, 8), len = get_le(head + 36, 8), sectors = get_le(head + 12, 8);
    g_auto(GStrv) lines = NULL;
    Extent *e;

    if (!sectors || sectors > MAX_SECTORS || at > MAX_SECTORS || len > MAX_SECTORS)
        return refuse(image, error, "its size is not one of a disk");
    lines = read_descriptor(image, at * SECTOR, at ? len * SECTOR : 0, error);
    if (!lines || !stands_alone(image, lines, error))
        return false;
    e = add_extent(image, sectors);
    e->fd = image->fd;
    e->file_size = image->file_size;
    return read_head(image, e, head, error) && open_sparse(image, e, head, error);
}

/* ---- Hooks ----------------------------------------------------------------------------------- */

static void vmdk_close(Image *image)
{
    g_ptr_array_unref(((Vmdk *)image->own)->extents);
    g_free(image->own);
}

static bool vmdk_open(Image *image, GError **error)
{
    uint8_t head[HEAD];
    Vmdk *v;

    if (!image_is_only_read(image, error))
        return false;
    if (image_file_read(image->fd, 0, head, HEAD) || !probe(head, HEAD)) {
        error_set(error, "'%s': Image is not in vmdk format", image->path);
        return false;
    }
    image->own = v = g_new0(Vmdk, 1);
    v->extents = g_ptr_array_new_with_free_func(free_extent);
    image->size = 0;
    if (memcmp(head, MAGIC, 4) ? open_described(image, error) : open_alone(image, head, error))
        return true;
    vmdk_close(image);
    return false;
}

static Extent *find_extent(const Image *image, uint64_t offset)
{
    const Vmdk *v = image->own;
    guint low = 0, high = v->extents->len - 1;

    while (low < high) {
        guint middle = (low + high + 1) / 2;

        if (((Extent *)v->extents->pdata[middle])->start <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return v->extents->pdata[low];
}

/* How many of @len bytes from @offset on lie together. */
static uint64_t together(const Extent *e, uint64_t offset, uint64_t len)
{
    uint64_t within = offset - e->start, n = MIN(len, e->len - within);

    return e->sparse ? MIN(n, e->grain - within % e->grain) : n;
}

static int vmdk_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;
    int error = 0;

    for (size_t n; len && !error; p += n, offset += n, len -= n) {
        Extent *e = find_extent(image, offset);

        n = together(e, offset, len);
        if (e->sparse)
            error = read_sparse(e, offset - e->start, p, n);
        else if (e->fd >= 0)
            error = image_file_read(e->fd, e->offset + offset - e->start, p, n);
        else
            memset(p, 0, n);
    }
    return error;
}

static int vmdk_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    Extent *e = find_extent(image, offset);
    uint32_t entry = e->fd >= 0;
    int error = e->sparse ? find_grain(e, offset - e->start, &entry) : 0;

    *len = together(e, offset, *len);
    *layer = entry ? IMAGE_DATA : IMAGE_ZERO;
    return error;
}

static int vmdk_place(Image *image, uint64_t offset, uint64_t *len, ImageExtent *x)
{
    Extent *e = find_extent(image, offset);
    uint64_t within = offset - e->start;
    uint32_t entry = 0;
    int error = e->sparse ? find_grain(e, within, &entry) : 0;

    x->present = true;
    x->compressed = entry && (e->flags & COMPRESSED);
    if (e->sparse ? entry && !x->compressed : e->fd >= 0)
        x->at = e->sparse ? (uint64_t)entry * SECTOR + within % e->grain : e->offset + within;
    return error;
}

static void vmdk_facts(Image *image, ImageFacts *f)
{
    const Vmdk *v = image->own;

    f->cluster = ((Extent *)v->extents->pdata[0])->grain;
}

static bool vmdk_take_up(Image *image, GError **error)
{
    return image_is_only_read(image, error);
}

const ImageFormat image_format_vmdk = {
    .name = "vmdk",
    .probe = probe,
    .open = vmdk_open,
    .close = vmdk_close,
    .read = vmdk_read,
    .facts = vmdk_facts,
    .layer = vmdk_layer,
    .place = vmdk_place,
    .take_up = vmdk_take_up,
};
