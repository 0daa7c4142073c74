/* SPDX-License-Identifier: MIT */
/* Opening, locking and what all formats share. */
#include "softmmu/block/image-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#endif

#include "softmmu/block/qcow2.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"

#define SECTOR     512
#define HEAD_BYTES 512
#define ZERO_CHUNK (64 * 1024)

static const ImageFormat *const formats[] = { &image_format_raw, &image_format_qcow2,
                                              &image_format_vmdk, &image_format_vdi };

/* ---- Files ----------------------------------------------------------------------------------- */

int image_file_read(int fd, uint64_t offset, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len) {
        ssize_t n = pread(fd, p, len, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno;
        if (!n) {
            memset(p, 0, len);
            return 0;
        }
        p += n;
        offset += n;
        len -= n;
    }
    return 0;
}

int image_file_read_cached(int fd, uint64_t offset, void *buf, size_t len)
{
    struct iovec all = { buf, len };

    return preadv2(fd, &all, 1, offset, RWF_NOWAIT) == (ssize_t)len ? 0 : EAGAIN;
}

int image_file_write(int fd, uint64_t offset, const void *buf, size_t len)
{
    const uint8_t *p = buf;

    while (len) {
        ssize_t n = pwrite(fd, p, len, offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? errno : EIO;
        p += n;
        offset += n;
        len -= n;
    }
    return 0;
}

int image_file_punch(int fd, uint64_t offset, uint64_t len)
{
#ifdef FALLOC_FL_PUNCH_HOLE
    if (!fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len))
        return 0;
    return errno;
#else
    return ENOTSUP;
#endif
}

int image_file_zero(int fd, uint64_t offset, uint64_t len)
{
    static const uint8_t zeros[ZERO_CHUNK];

    if (!image_file_punch(fd, offset, len))
        return 0;
    while (len) {
        size_t n = MIN(len, sizeof(zeros));
        int error = image_file_write(fd, offset, zeros, n);

        if (error)
            return error;
        offset += n;
        len -= n;
    }
    return 0;
}

/* ---- Opening --------------------------------------------------------------------------------- */

const ImageFormat *image_probe(const uint8_t *head, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(formats); i++) {
        if (formats[i]->probe && formats[i]->probe(head, len))
            return formats[i];
    }
    return NULL;
}

bool image_is_only_read(const Image *image, GError **error)
{
    if (!image->read_only)
        error_set(error,
                  "'%s': images of format '%s' are only read: convert it, or use it with "
                  "readonly=on or snapshot=on",
                  image->path, image->format->name);
    return image->read_only;
}

static bool lock_file(int fd, bool read_only)
{
#ifdef F_OFD_SETLK
    struct flock lock = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

    /* A file system without locks is not the user's mistake. */
    return !fcntl(fd, F_OFD_SETLK, &lock) || (errno != EAGAIN && errno != EACCES);
#else
    return true;
#endif
}

static bool file_size(int fd, uint64_t *size)
{
    struct stat st;

    if (fstat(fd, &st))
        return false;
    *size = st.st_size;
#ifdef BLKGETSIZE64
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size))
        return false;
#endif
    errno = EISDIR;
    return !S_ISDIR(st.st_mode);
}

static bool open_file(Image *image, GError **error)
{
    image->fd = host_open(image->path, (image->read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC, 0);
    if (image->fd < 0 || !file_size(image->fd, &image->file_size)) {
        error_set(error, "Could not open '%s': %s", image->path, g_strerror(errno));
        return false;
    }
    if (!image->unlocked && !lock_file(image->fd, image->read_only)) {
        error_set(error, "'%s' is in use by another process%s", image->path,
                  image->read_only ? " that writes to it" : "");
        return false;
    }
    return true;
}

int image_file_create(const char *path, GError **error)
{
    int fd = host_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666), failure = errno;
    bool locked = fd >= 0 && lock_file(fd, false);
    struct stat st;

    if (locked && !fstat(fd, &st) && (!S_ISREG(st.st_mode) || !ftruncate(fd, 0)))
        return fd;
    if (fd >= 0 && locked)
        failure = errno;
    error_set(error, "Could not create '%s': %s", path,
              fd >= 0 && !locked ? "it is in use by another process" : g_strerror(failure));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool create_raw(const ImageCreate *what, GError **error)
{
    int fd = image_file_create(what->path, error);
    bool ok = fd >= 0 && !ftruncate(fd, what->size);

    if (fd < 0)
        return false;
    if (!ok)
        error_set(error, "Could not create '%s': %s", what->path, g_strerror(errno));
    close(fd);
    return ok;
}

int image_fill(Image *image, uint64_t from, ImageRoom room)
{
    int fd = image->format->data_fd ? image->format->data_fd(image) : image->fd;
    struct stat st;
    int error = 0;

    if (room == IMAGE_SPARSE)
        return 0;
    if (image->format->preallocate)
        error = image->format->preallocate(image);
    else if (room == IMAGE_METADATA)
        error = ENOTSUP;
    if (room == IMAGE_FULL && image_backing(image)) /* which is not to be hidden */
        room = IMAGE_FALLOC;
    if (!error && room == IMAGE_FALLOC)
        error = fstat(fd, &st) ? errno : posix_fallocate(fd, 0, st.st_size);
    if (!error && room == IMAGE_FULL)
        error = image_write_zeros(image, from, image->size - from);
    return error;
}

static bool preallocate(const ImageCreate *what, GError **error)
{
    Image *image = image_open(
        &(ImageOpen){ .path = what->path, .format = what->format, .alone = true }, error);
    ImageRoom room = what->room;
    int failure;

    if (!image)
        return false;
    if (room == IMAGE_FULL && what->backing) /* which is not open here: zeros would hide it */
        room = IMAGE_FALLOC;
    failure = image_fill(image, 0, room == IMAGE_SPARSE ? IMAGE_METADATA : room);
    image_close(image);
    if (failure)
        error_set(error, "Could not preallocate '%s': %s", what->path, g_strerror(failure));
    return !failure;
}

bool image_create(const ImageCreate *what, GError **error)
{
    bool raw = !strcmp(what->format, "raw"), qcow2 = !strcmp(what->format, "qcow2");

    if (!raw && !qcow2)
        error_set(error, "images of format '%s' cannot be made; use raw or qcow2", what->format);
    else if (raw && what->backing)
        error_set(error, "format '%s' has no backing files", what->format);
    else if (what->backing && what->room && !what->extended)
        error_set(error, "an image with a backing file can have its room beforehand with "
                         "extended_l2 alone");
    else if (raw && what->room == IMAGE_METADATA)
        error_set(error, "Unsupported preallocation mode 'metadata'");
    else
        return (raw ? create_raw(what, error) : qcow2_create(what, error)) &&
               ((what->room == IMAGE_SPARSE && !what->data_raw) || preallocate(what, error));
    return false;
}

static void unlock_file(int fd)
{
#ifdef F_OFD_SETLK
    fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_UNLCK, .l_whence = SEEK_SET });
#endif
}

/* The lock of the old descriptor would stand against that of the new one. */
bool image_file_reopen(Image *image, bool read_only, GError **error)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", image->fd);
    int fd = open(self, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC), failure = errno;

    if (fd < 0)
        fd = host_open(image->path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC, 0),
        failure = errno;
    unlock_file(image->fd);
    if (fd >= 0 && lock_file(fd, read_only) && dup3(fd, image->fd, O_CLOEXEC) >= 0) {
        close(fd);
        return true;
    }
    lock_file(image->fd, image->read_only);
    if (fd >= 0)
        close(fd);
    error_set(error, "Could not reopen '%s': %s", image->path,
              fd >= 0 ? "it is in use by another process" : g_strerror(failure));
    return false;
}

static bool choose_format(Image *image, const char *name, GError **error)
{
    uint8_t head[HEAD_BYTES];
    int failure;

    for (size_t i = 0; name && i < G_N_ELEMENTS(formats); i++) {
        if (!strcmp(formats[i]->name, name)) {
            image->format = formats[i];
            return true;
        }
    }
    if (name) {
        error_set(error, "unknown image format '%s'", name);
        return false;
    }
    failure = image_file_read(image->fd, 0, head, sizeof(head));
    if (failure) {
        error_set(error, "Could not read '%s': %s", image->path, g_strerror(failure));
        return false;
    }
    image->format = image_probe(head, sizeof(head));
    image->guessed = !image->format;
    if (!image->format)
        image->format = &image_format_raw;
    return true;
}

/* It has no contents that could be of a format. */
static bool choose_null(Image *image, const char *format, GError **error)
{
    if (format && strcmp(format, "raw") && strcmp(format, image_format_null.name)) {
        error_set(error, "'%s' is no image of format '%s'", image->path, format);
        return false;
    }
    image->format = &image_format_null;
    return true;
}

static bool open_contents(Image *image, const char *format, GError **error)
{
    if (g_str_has_prefix(image->path, IMAGE_NULL))
        return choose_null(image, format, error);
    return open_file(image, error) && choose_format(image, format, error);
}

Image *image_open(const ImageOpen *how, GError **error)
{
    Image *image = g_new0(Image, 1);

    image->path = g_strdup(how->path);
    image->read_only = how->read_only;
    image->discard = how->discard;
    image->alone = how->alone;
    image->repair = how->repair;
    image->unlocked = how->unlocked;
    image->backing = how->backing;
    image->depth = how->depth;
    image->fd = -1;
    if (open_contents(image, how->format, error) && image->format->open(image, error))
        return image;
    image->format = NULL;
    image_close(image);
    return NULL;
}

void image_close(Image *image)
{
    if (!image)
        return;
    if (image->format) {
        image_flush(image);
        if (image->format->close)
            image->format->close(image);
    }
    if (image->fd >= 0)
        close(image->fd);
    g_clear_pointer(&image->bitmaps, g_ptr_array_unref);
    g_free(image->path);
    g_free(image);
}

uint64_t image_size(const Image *image)
{
    return image->size;
}

const char *image_path(const Image *image)
{
    return image->path;
}

const char *image_format(const Image *image)
{
    return image->format->name;
}

bool image_is_read_only(const Image *image)
{
    return image->read_only;
}

ImageFacts image_facts(Image *image)
{
    ImageFacts f = { 0 };
    struct stat st;

    if (image->fd >= 0 && !fstat(image->fd, &st))
        f.allocated = (uint64_t)st.st_blocks * 512;
    if (image->format->facts)
        image->format->facts(image, &f);
    return f;
}

/* ---- Transfers ------------------------------------------------------------------------------- */

static bool is_inside(const Image *image, uint64_t offset, uint64_t len)
{
    return len <= image->size && offset <= image->size - len;
}

/* Bitmaps know of a change before it happens: one that fails may have changed something. */
static int check_change(Image *image, uint64_t offset, uint64_t len)
{
    int error = image->read_only ? EROFS : is_inside(image, offset, len) ? 0 : EINVAL;

    if (!error && image->bitmaps)
        image_mark_bitmaps(image, offset, len);
    return error;
}

int image_read(Image *image, uint64_t offset, void *buf, size_t len)
{
    if (!is_inside(image, offset, len))
        return EINVAL;
    return len ? image->format->read(image, offset, buf, len) : 0;
}

int image_read_cached(Image *image, uint64_t offset, void *buf, size_t len)
{
    bool can = len && is_inside(image, offset, len) && image->format->read_cached;

    return can ? image->format->read_cached(image, offset, buf, len) : EAGAIN;
}

/* A guest must not turn an image whose format is guessed into one that names other files. */
static bool disguises(const Image *image, uint64_t offset, const uint8_t *buf, size_t len)
{
    return image->guessed && !offset && image_probe(buf, len);
}

int image_write(Image *image, uint64_t offset, const void *buf, size_t len)
{
    int error = check_change(image, offset, len);

    if (error || !len)
        return error;
    return disguises(image, offset, buf, len) ? EPERM
                                              : image->format->write(image, offset, buf, len);
}

int image_write_compressed(Image *image, uint64_t offset, const void *buf, size_t len)
{
    int error = check_change(image, offset, len);

    if (error || !len)
        return error;
    return image->format->write_compressed
               ? image->format->write_compressed(image, offset, buf, len)
               : ENOTSUP;
}

int image_write_zeros(Image *image, uint64_t offset, uint64_t len)
{
    static const uint8_t zeros[ZERO_CHUNK];
    int error = 0;

    for (uint64_t n; len && !error; offset += n, len -= n) {
        n = MIN(len, sizeof(zeros));
        error = image->format->write(image, offset, zeros, n);
    }
    return error;
}

int image_zero(Image *image, uint64_t offset, uint64_t len)
{
    int error = check_change(image, offset, len);

    if (error || !len)
        return error;
    return image->format->zero ? image->format->zero(image, offset, len)
                               : image_write_zeros(image, offset, len);
}

int image_discard(Image *image, uint64_t offset, uint64_t len)
{
    int error = check_change(image, offset, len);

    if (error || !len || !image->discard || !image->format->discard)
        return error;
    return image->format->discard(image, offset, len);
}

int image_flush(Image *image)
{
    return image->read_only ? 0 : image->format->flush(image);
}
