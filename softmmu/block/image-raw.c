/* SPDX-License-Identifier: MIT */
/* Raw images: the file is the disk. A last sector that the file fills in part ends in zeros. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/block/image-internal.h"

static bool raw_open(Image *image, GError **error)
{
    image->size = (image->file_size + 511) & ~UINT64_C(511);
    return true;
}

static int raw_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    return image_file_read(image->fd, offset, buf, len);
}

static int raw_read_cached(Image *image, uint64_t offset, void *buf, size_t len)
{
    return image_file_read_cached(image->fd, offset, buf, len);
}

static int raw_write(Image *image, uint64_t offset, const void *buf, size_t len)
{
    return image_file_write(image->fd, offset, buf, len);
}

static int raw_zero(Image *image, uint64_t offset, uint64_t len)
{
    return image_file_zero(image->fd, offset, len);
}

static int raw_discard(Image *image, uint64_t offset, uint64_t len)
{
    int error = image_file_punch(image->fd, offset, len);

    return error == ENOTSUP || error == ENODEV ? 0 : error;
}

static int raw_flush(Image *image)
{
    return fdatasync(image->fd) ? errno : 0;
}

/* Holes are zeros; a host that knows none has data everywhere. */
static int raw_layer(Image *image, uint64_t offset, uint64_t *len, ImageLayer *layer)
{
    off_t data = lseek(image->fd, offset, SEEK_DATA);
    bool hole = data < 0 ? errno == ENXIO : (uint64_t)data > offset;
    off_t end = hole ? data : lseek(image->fd, offset, SEEK_HOLE);

    *layer = hole ? IMAGE_ZERO : IMAGE_DATA;
    if (end > (off_t)offset)
        *len = MIN(*len, (uint64_t)end - offset);
    return 0;
}

static int raw_place(Image *image, uint64_t offset, uint64_t *len, ImageExtent *e)
{
    e->at = offset;
    e->present = true;
    return 0;
}

/* Devices of the host's are as large as they are. */
static int raw_resize(Image *image, uint64_t size)
{
    struct stat st;

    if (fstat(image->fd, &st))
        return errno;
    if (!S_ISREG(st.st_mode))
        return ENOTSUP;
    if (ftruncate(image->fd, size))
        return errno;
    image->file_size = image->size = size;
    return 0;
}

const ImageFormat image_format_raw = {
    .name = "raw",
    .open = raw_open,
    .read = raw_read,
    .read_cached = raw_read_cached,
    .write = raw_write,
    .zero = raw_zero,
    .discard = raw_discard,
    .flush = raw_flush,
    .layer = raw_layer,
    .place = raw_place,
    .resize = raw_resize,
};
