/* SPDX-License-Identifier: MIT */
/*
 * The screen in a window of its own, by SDL 2, with keyboard and mouse. With Ctrl and Alt held (or
 * another modifier, as the options say): G takes the mouse and gives it back, as a click takes it;
 * F goes to the full screen and back; U makes a pixel one of the host's; 1 to 9 choose a screen.
 */
#ifndef SOFTMMU_UI_SDL_H
#define SOFTMMU_UI_SDL_H

#include "softmmu/ui/viewer.h"

typedef struct SdlScreen SdlScreen;

typedef enum SdlGrab { SDL_GRAB_CTRL_ALT, SDL_GRAB_CTRL_ALT_SHIFT, SDL_GRAB_CTRL_R } SdlGrab;

typedef struct SdlOptions {
    bool full_screen;
    bool stays; /* closing the window does nothing */
    SdlGrab grab;
} SdlOptions;

/* Before posting starts. @quit: on the main thread, the window is closed. NULL with @error: there
 * is no SDL, or it finds no screen. */
SdlScreen *sdl_new(const ViewerScreen *screen, const SdlOptions *options, const char *title,
                   void (*quit)(void *opaque), void *opaque, GError **error);
void sdl_free(SdlScreen *s); /* NULL is allowed */

#endif
