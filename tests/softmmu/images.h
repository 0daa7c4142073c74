/* SPDX-License-Identifier: MIT */
/* Files of images for tests, in the host's folder for such; after test.h. */
#ifndef TESTS_SOFTMMU_IMAGES_H
#define TESTS_SOFTMMU_IMAGES_H

#include <string.h>
#include <unistd.h>

#include "softmmu/block/qcow2.h"

/* A file of zeros; its name is the caller's. */
static inline char *make_file(uint64_t size)
{
    char *path = g_build_filename(g_get_tmp_dir(), "mimus-image-XXXXXX", NULL);
    int fd = g_mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    close(fd);
    return path;
}

static inline void remove_file(char *path)
{
    if (path)
        unlink(path);
    g_free(path);
}

static inline void make_image(const char *path, const char *format, uint64_t size,
                              const char *backing, const char *backing_format)
{
    GError *error = NULL;

    if (!image_create(&(ImageCreate){ .path = path,
                                      .format = format,
                                      .size = size,
                                      .backing = backing,
                                      .backing_format = backing_format },
                      &error))
        fail_msg("%s", error->message);
}

static inline Image *open_image(const char *path, const char *format, bool read_only)
{
    ImageOpen how = { .path = path, .format = format, .read_only = read_only, .discard = true };
    GError *error = NULL;
    Image *image = image_open(&how, &error);

    if (!image)
        fail_msg("%s", error->message);
    return image;
}

/* Its counts are as they should be, if it has any. */
static inline void assert_checked(Image *image)
{
    Qcow2Report r = { 0 };

    if (strcmp(image_format(image), "qcow2"))
        return;
    assert_int_equal(qcow2_check(image, QCOW2_LOOK, &r), 0);
    assert_int_equal(r.errors, 0);
    assert_int_equal(r.leaks, 0);
}

#endif
