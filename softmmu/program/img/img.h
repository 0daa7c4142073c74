/* SPDX-License-Identifier: MIT */
/* `mimus img`: disk images made, looked at, changed and copied, as qemu-img spells it. */
#ifndef SOFTMMU_PROGRAM_IMG_IMG_H
#define SOFTMMU_PROGRAM_IMG_IMG_H

#include <glib.h>
#include <stdbool.h>

typedef struct ImgAnswer {
    GString *out;                   /* what it has to say */
    GString *notes;                 /* … of what it met, for stderr */
    int status;                     /* of the process, as qemu-img's */
    void (*progress)(double parts); /* … of 100, while it goes on; NULL: nobody wants to know */
} ImgAnswer;

/* False with @error; .status is set in any case. */
bool img_command(int argc, char **argv, ImgAnswer *answer, GError **error);

#endif
