/* SPDX-License-Identifier: MIT */
#include "softmmu/program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"

/* The parent: as long as the child may still fail. */
static void wait_for(int fd)
{
    char byte = 0;
    ssize_t n;

    do
        n = read(fd, &byte, 1);
    while (n < 0 && errno == EINTR);
    _exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int process_daemonize(GError **error)
{
    int fds[2];
    pid_t child;

    if (pipe2(fds, O_CLOEXEC) || (child = fork()) < 0) {
        error_set(error, "-daemonize: %s", g_strerror(errno));
        return -1;
    }
    if (child) {
        close(fds[1]);
        wait_for(fds[0]);
    }
    close(fds[0]);
    setsid();
    return fds[1];
}

void process_ready(int daemon_fd)
{
    int null = open("/dev/null", O_RDWR);
    ssize_t n;

    if (null >= 0) {
        for (int fd = 0; fd < 3; fd++)
            dup2(null, fd);
        if (null > 2)
            close(null);
    }
    do
        n = write(daemon_fd, "", 1);
    while (n < 0 && errno == EINTR);
    close(daemon_fd);
}

bool process_write_pid(const char *path, GError **error)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    g_autofree char *text = g_strdup_printf("%d\n", (int)getpid());
    int fd = host_open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0 || fcntl(fd, F_SETLK, &lock) || ftruncate(fd, 0) ||
        write(fd, text, strlen(text)) != (ssize_t)strlen(text)) {
        error_set(error, "cannot create PID file '%s': %s", path, g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    return true; /* the descriptor holds the lock until the end */
}

void process_gain_no_rights(void)
{
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

bool process_lock_memory(GError **error)
{
    if (!mlockall(MCL_CURRENT | MCL_FUTURE))
        return true;
    error_set(error, "-overcommit mem-lock=on: %s", g_strerror(errno));
    return false;
}

/* "UID:GID" */
static bool parse_ids(const char *text, uid_t *uid, gid_t *gid)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint64 ids[2];

    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(parts[0], 10, 0, UINT32_MAX - 1, &ids[0], NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 10, 0, UINT32_MAX - 1, &ids[1], NULL))
        return false;
    *uid = ids[0];
    *gid = ids[1];
    return true;
}

bool process_become(const char *user, GError **error)
{
    const struct passwd *found = getpwnam(user);
    uid_t uid = found ? found->pw_uid : 0;
    gid_t gid = found ? found->pw_gid : 0;

    if (!found && !parse_ids(user, &uid, &gid)) {
        error_set(error, "-runas: user '%s' does not exist, and is not UID:GID", user);
        return false;
    }
    if ((found ? initgroups(user, gid) : setgroups(1, &gid)) || setgid(gid) || setuid(uid)) {
        error_set(error, "-runas %s: %s", user, g_strerror(errno));
        return false;
    }
    if (!uid || setuid(0)) /* there is no way back */
        return true;
    error_set(error, "-runas %s: this process could become root again", user);
    return false;
}

void process_set_name(const char *name)
{
    prctl(PR_SET_NAME, name, 0, 0, 0);
}
