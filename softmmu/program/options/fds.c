/* SPDX-License-Identifier: MIT */
/*
 * -add-fd: descriptors that whoever started the process left open. Options that name a disk's file
 * may then say /dev/fdset/SET; QMP's add-fd goes on with the same sets. Missing: such names for
 * other files (-chardev, -fw_cfg).
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

#define PREFIX "/dev/fdset/"

void options_clear_fd(void *p)
{
    g_free(((OptionFd *)p)->opaque);
}

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
    g_array_append_vals(o->fds, &(OptionFd){ own, set, g_strdup(opaque) }, 1);
    return true;
}

static const OptionFd *find_fd(const Options *o, const char *set)
{
    for (guint i = 0; i < o->fds->len; i++) {
        const OptionFd *f = &g_array_index(o->fds, OptionFd, i);
        g_autofree char *number = g_strdup_printf("%u", f->set);

        if (!strcmp(number, set))
            return f;
    }
    return NULL;
}

/* Sets of files that are there by now, which -add-fd may be said after. */
bool options_complete_fds(Options *o, GError **error)
{
    for (guint i = 0; i < o->config.drives->len; i++) {
        DriveOption *d = o->config.drives->pdata[i];
        const char *set =
            d->file && g_str_has_prefix(d->file, PREFIX) ? d->file + strlen(PREFIX) : NULL;
        const OptionFd *f = set ? find_fd(o, set) : NULL;

        if (!set || o->config.replaying)
            continue;
        if (!f) {
            error_set(error, "Could not open '%s': there is no such -add-fd", d->file);
            return false;
        }
        g_free(d->host_file);
        d->host_file = g_strdup_printf("/proc/self/fd/%d", f->fd);
    }
    return true;
}
