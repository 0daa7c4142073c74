/* SPDX-License-Identifier: MIT */
/* The process: in the background, its number in a file, its name, rights and user. */
#ifndef SOFTMMU_PROGRAM_PROCESS_H
#define SOFTMMU_PROGRAM_PROCESS_H

#include <glib.h>
#include <stdbool.h>

/* Before any thread: what returns is a child without a terminal. Its parent ends with success when
 * the child says so (process_ready()), with failure if it ends before. The descriptor for that, or
 * -1 with @error. */
int process_daemonize(GError **error);
/* All is set up: let the parent go, and standard input and output with it. */
void process_ready(int daemon_fd);

/* Locked as long as this process lives. */
bool process_write_pid(const char *path, GError **error);

void process_gain_no_rights(void); /* by running programs of others */
/* All of this process stays in the host's memory from now on. */
bool process_lock_memory(GError **error);
/* For good: @user is a name or UID:GID. Not before everything that needs the old one is open. */
bool process_become(const char *user, GError **error);
void process_set_name(const char *name); /* that the host lists it by, 15 bytes of it */

#endif
