/* SPDX-License-Identifier: MIT */
/* Firmware images on the host's disk. */
#include "hw/firmware.h"

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/host-open.h"

static const char *const system_dirs[] = {
    MIMUS_DATADIR,
    "/usr/share/seabios",
    "/usr/share/qemu",
    "/usr/lib/ipxe/qemu",
};

/* Debian's package of each image. */
static const struct {
    const char *name, *package;
} packages[] = {
    { "bios-256k.bin", "seabios" },      { "bios.bin", "seabios" },
    { "vgabios-stdvga.bin", "seabios" }, { "efi-e1000.rom", "ipxe-qemu" },
    { "efi-virtio.rom", "ipxe-qemu" },
};

static char *try_dir(const char *dir, const char *name)
{
    char *path = g_build_filename(dir, name, NULL);

    if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return path;
    g_free(path);
    return NULL;
}

char *firmware_find(const GPtrArray *dirs, const char *name, GError **error)
{
    const char *package = NULL;
    char *path = NULL;

    if (host_is_fd_set(name) || g_file_test(name, G_FILE_TEST_IS_REGULAR))
        return g_strdup(name);
    for (guint i = 0; dirs && i < dirs->len && !path; i++)
        path = try_dir(dirs->pdata[i], name);
    for (guint i = 0; i < G_N_ELEMENTS(system_dirs) && !path; i++)
        path = try_dir(system_dirs[i], name);
    if (path)
        return path;
    for (guint i = 0; i < G_N_ELEMENTS(packages); i++) {
        if (g_str_equal(packages[i].name, name))
            package = packages[i].package;
    }
    if (package)
        error_set(error,
                  "firmware '%s' not found; Debian's package '%s' has it (apt install %s), or name "
                  "its folder with -L",
                  name, package, package);
    else
        error_set(error, "firmware '%s' not found", name);
    return NULL;
}

static GBytes *read_image(const GPtrArray *dirs, const char *name, GError **error)
{
    g_autofree char *path = firmware_find(dirs, name, error);
    GError *reason = NULL;
    char *data;
    gsize size;

    if (!path)
        return NULL;
    if (host_read_file(path, &data, &size, &reason))
        return g_bytes_new_take(data, size);
    error_set(error, "cannot load firmware: %s", reason->message);
    g_error_free(reason);
    return NULL;
}

GBytes *firmware_load(HostFiles *files, const GPtrArray *dirs, const char *name, gsize unit,
                      gsize max_size, GError **error)
{
    GBytes *bytes;
    gsize size;

    if (!host_files_find(files, name, &bytes, error))
        bytes = read_image(dirs, name, error);
    if (!bytes)
        return NULL;
    host_files_add(files, name, bytes);
    size = g_bytes_get_size(bytes);
    if (!size || size % unit || size > max_size) {
        error_set(error,
                  "firmware '%s' has a bad size: %" G_GSIZE_FORMAT
                  " bytes, must be a multiple of %" G_GSIZE_FORMAT " up to %" G_GSIZE_FORMAT,
                  name, size, unit, max_size);
        g_bytes_unref(bytes);
        return NULL;
    }
    return bytes;
}
