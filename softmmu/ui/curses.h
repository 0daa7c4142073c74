/* SPDX-License-Identifier: MIT */
/*
 * The screen on the terminal Mimus was started on, and its keyboard: characters where the guest
 * shows some, else the size of its picture. Ctrl-A x leaves, Ctrl-A Ctrl-A is Ctrl-A.
 */
#ifndef SOFTMMU_UI_CURSES_H
#define SOFTMMU_UI_CURSES_H

#include "softmmu/ui/viewer.h"

typedef struct CursesScreen CursesScreen;

/* Before posting starts. @quit: on the main thread, Ctrl-A x. NULL with @error: it is no terminal,
 * somebody has it, this build is without ncurses. */
CursesScreen *curses_new(const ViewerScreen *screen, void (*quit)(void *opaque), void *opaque,
                         GError **error);
void curses_free(CursesScreen *c); /* restores the terminal; NULL is allowed */

#endif
