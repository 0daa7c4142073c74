/* SPDX-License-Identifier: MIT */
/* Where the machine's screen is shown, as the options say. */
#ifndef SOFTMMU_PROGRAM_SCREENS_H
#define SOFTMMU_PROGRAM_SCREENS_H

#include "softmmu/program/options/options.h"
#include "softmmu/ui/curses.h"
#include "softmmu/ui/sdl.h"
#include "softmmu/ui/vnc.h"

typedef struct Screens {
    VncServer *vnc;       /* NULL: none */
    CursesScreen *curses; /* likewise */
    SdlScreen *sdl;       /* likewise */
    InputQueue *input;
    int quit_channel;
    Machine *m;
    int vnc_channel;
} Screens;

/* Once the board is complete. screens_close() after success and failure alike, when the machine
 * thread has ended. */
bool screens_open(Screens *s, const Options *o, Machine *m, GError **error);
void screens_close(Screens *s);

#endif
