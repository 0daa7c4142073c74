/* SPDX-License-Identifier: MIT */
/*
 * The terminal that the process was started on, for the one who uses it in a mode of its own. It is
 * put back on every way out: terminal_release(), exit(), and signals that kill.
 */
#ifndef SOFTMMU_TERMINAL_H
#define SOFTMMU_TERMINAL_H

#include <glib.h>
#include <stdbool.h>
#include <termios.h>

/* False with @error: somebody has it. */
bool terminal_take(GError **error);
/* The mode standard input has now is what will be put back; false: it is no terminal. */
bool terminal_save(struct termios *mode);
/* From now on it is to be put back; @leave (NULL: nothing) is written to it then, and copied. */
void terminal_guard(const struct termios *mode, const char *leave);
void terminal_release(void);

#endif
