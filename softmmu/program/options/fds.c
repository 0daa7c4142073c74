/* SPDX-License-Identifier: MIT */
/*
 * -add-fd: descriptors that whoever started the process left open. Whatever names a file may say
 * /dev/fdset/SET (host-open.h); QMP's add-fd goes on with the same sets.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

static bool set_number(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, INT32_MAX, ctx, error);
}

bool opt_add_fd(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, NULL);
    const char *fd_text = g_hash_table_lookup(pairs, "fd");
    const char *set_text = g_hash_table_lookup(pairs, "set");
    const char *opaque = g_hash_table_lookup(pairs, "opaque");
    uint64_t fd, set;
    int own;

    if (!fd_text || !set_text || g_hash_table_size(pairs) > 2u + !!opaque) {
        error_set(error, "fd and set, and opaque at most, are needed");
        return false;
    }
    if (!set_number(&fd, fd_text, error) || !set_number(&set, set_text, error))
        return false;
    if (fd <= STDERR_FILENO) {
        error_set(error, "fd cannot be a standard I/O stream");
        return false;
    }
    own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0) {
        error_set(error, "fd is not valid: %s", g_strerror(errno));
        return false;
    }
    close(fd);
    fd_sets_add(set, own, opaque);
    return true;
}
