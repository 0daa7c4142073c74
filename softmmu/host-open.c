/* SPDX-License-Identifier: MIT */
#include "softmmu/host-open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"

#define PREFIX "/dev/fdset/"

static GMutex lock;
static GPtrArray *sets; /* NULL: there were none yet */

/* ---- Sets ------------------------------------------------------------------------------------ */

static void free_set(void *p)
{
    FdSet *set = p;

    for (guint i = 0; i < set->fds->len; i++)
        close(g_array_index(set->fds, int, i));
    g_array_unref(set->fds);
    g_ptr_array_unref(set->opaques);
    g_free(set);
}

const GPtrArray *fd_sets(void)
{
    if (!sets)
        sets = g_ptr_array_new_with_free_func(free_set);
    return sets;
}

static FdSet *find_set(int64_t id)
{
    for (guint i = 0; i < fd_sets()->len; i++) {
        FdSet *set = sets->pdata[i];

        if (set->id == id)
            return set;
    }
    return NULL;
}

static FdSet *new_set(int64_t id)
{
    FdSet *set = g_new(FdSet, 1);

    while (id < 0 || find_set(id)) /* the first that is free */
        id++;
    *set = (FdSet){ id, g_array_new(FALSE, FALSE, sizeof(int)),
                    g_ptr_array_new_with_free_func(g_free) };
    g_ptr_array_add(sets, set);
    return set;
}

const FdSet *fd_sets_add(int64_t id, int fd, const char *opaque)
{
    FdSet *set;

    g_mutex_lock(&lock);
    set = id >= 0 ? find_set(id) : NULL;
    if (!set)
        set = new_set(id);
    g_array_append_val(set->fds, fd);
    g_ptr_array_add(set->opaques, g_strdup(opaque));
    g_mutex_unlock(&lock);
    return set;
}

static bool remove_from(FdSet *set, int64_t fd)
{
    for (guint i = 0; i < set->fds->len; i++) {
        if (g_array_index(set->fds, int, i) != fd)
            continue;
        close(fd);
        g_array_remove_index(set->fds, i);
        g_ptr_array_remove_index(set->opaques, i);
        return true;
    }
    return false;
}

bool fd_sets_remove(int64_t id, int64_t fd)
{
    FdSet *set;
    bool found;

    g_mutex_lock(&lock);
    set = find_set(id);
    found = set && (fd < 0 || remove_from(set, fd));
    if (found && (fd < 0 || !set->fds->len))
        g_ptr_array_remove(sets, set);
    g_mutex_unlock(&lock);
    return found;
}

/* ---- Opening --------------------------------------------------------------------------------- */

bool host_is_fd_set(const char *path)
{
    return g_str_has_prefix(path, PREFIX);
}

/* One that was opened as @flags asks for, or for both ways; -1 with errno. */
static int choose_fd(const char *path, int flags)
{
    char *end;
    uint64_t id = g_ascii_strtoull(path + strlen(PREFIX), &end, 10);
    const FdSet *set = *end || end == path + strlen(PREFIX) ? NULL : find_set(id);
    int both = -1;

    errno = set ? EACCES : ENOENT;
    for (guint i = 0; set && i < set->fds->len; i++) {
        int fd = g_array_index(set->fds, int, i), how = fcntl(fd, F_GETFL) & O_ACCMODE;

        if (how == (flags & O_ACCMODE))
            return fd;
        both = how == O_RDWR ? fd : both;
    }
    return both;
}

/* A place in the file of its own, and its own locks, if the host lets this process open the file;
 * else it is the same as the set's, from the beginning. */
static int open_again(int fd, int flags)
{
    g_autofree char *self = g_strdup_printf("/proc/self/fd/%d", fd);
    int copy = open(self, flags & ~(O_CREAT | O_EXCL), 0);

    if (copy >= 0)
        return copy;
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return -1;
    lseek(copy, 0, flags & O_APPEND ? SEEK_END : SEEK_SET); /* of what has a place */
    if ((flags & O_TRUNC) && ftruncate(copy, 0) && errno != EINVAL) {
        close(copy);
        return -1;
    }
    return copy;
}

int host_open(const char *path, int flags, mode_t mode)
{
    int fd, copy;

    if (!host_is_fd_set(path))
        return open(path, flags, mode);
    g_mutex_lock(&lock);
    fd = choose_fd(path, flags);
    copy = fd < 0 ? -1 : open_again(fd, flags);
    g_mutex_unlock(&lock);
    return copy;
}

FILE *host_fopen(const char *path, const char *mode)
{
    bool both = strchr(mode, '+');
    int how = *mode == 'r' ? 0 : *mode == 'a' ? O_APPEND : O_TRUNC, fd;
    FILE *file;

    if (!host_is_fd_set(path))
        return fopen(path, mode);
    fd = host_open(path, how | O_CLOEXEC | (both ? O_RDWR : *mode == 'r' ? O_RDONLY : O_WRONLY), 0);
    file = fd < 0 ? NULL : fdopen(fd, mode);
    if (fd >= 0 && !file)
        close(fd);
    return file;
}

bool host_read_file(const char *path, char **data, gsize *len, GError **error)
{
    g_autoptr(GByteArray) all = NULL;
    uint8_t piece[4096];
    ssize_t n;
    int fd;

    if (!host_is_fd_set(path))
        return g_file_get_contents(path, data, len, error);
    fd = host_open(path, O_RDONLY | O_CLOEXEC, 0);
    all = g_byte_array_new();
    while (fd >= 0 && (n = read(fd, piece, sizeof(piece))) != 0) {
        if (n > 0)
            g_byte_array_append(all, piece, n);
        else if (errno != EINTR)
            break;
    }
    if (fd < 0 || n < 0)
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                    "Failed to open file “%s”: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    if (fd < 0 || n < 0)
        return false;
    *len = all->len;
    g_byte_array_append(all, (const uint8_t *)"", 1); /* as glib ends texts */
    *data = (char *)g_byte_array_free(g_steal_pointer(&all), FALSE);
    return true;
}
