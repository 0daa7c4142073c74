/* SPDX-License-Identifier: MIT */
/* A replay that becomes a machine of its own. */
#ifndef SOFTMMU_PROGRAM_RECORD_GO_LIVE_H
#define SOFTMMU_PROGRAM_RECORD_GO_LIVE_H

#include "softmmu/program/build.h"
#include "softmmu/program/options/options.h"

/* @images: "DRIVE=FILE…", the images of drives that have a medium, as they were when the recording
 * began. They are not written to: what the machine writes, and what it wrote until here, is in
 * files that are gone with it. False with @error, and the replay is as it was. */
bool go_live(Built *b, const Options *o, const char *images, GError **error);

#endif
