/* SPDX-License-Identifier: MIT */
/*
 * Files of the host by their names, among which are descriptors that somebody handed to this
 * process: "/dev/fdset/N" is one of those in set N (-add-fd, QMP's add-fd) that may be read or
 * written as is asked for. Whatever opens a file that a user names does it by these. The sets are
 * the process's; any thread may open.
 */
#ifndef SOFTMMU_HOST_OPEN_H
#define SOFTMMU_HOST_OPEN_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct FdSet {
    int64_t id;
    GArray *fds;        /* int */
    GPtrArray *opaques; /* char * or NULL, one each */
} FdSet;

const GPtrArray *fd_sets(void); /* FdSet * */
/* @fd is taken over; @id below 0: of a new set. */
const FdSet *fd_sets_add(int64_t id, int fd, const char *opaque);
/* @fd below 0: the whole set. False: there is no such. */
bool fd_sets_remove(int64_t id, int64_t fd);

/* As open(2) and fopen(3): a descriptor that is the caller's; errno is set. */
int host_open(const char *path, int flags, mode_t mode);
FILE *host_fopen(const char *path, const char *mode);
/* As g_file_get_contents(). */
bool host_read_file(const char *path, char **data, gsize *len, GError **error);
bool host_is_fd_set(const char *path);

#endif
