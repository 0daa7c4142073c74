/* SPDX-License-Identifier: MIT */
/*
 * What RAM held at moments of a run. A moment keeps the pages that were written since the one
 * before it (ram_set_written() says which); going to a moment changes the pages that differ and no
 * others. Moments are in order of time. The run is one that repeats: from a moment that was gone to
 * it comes by the later ones, which then are gone to again (that changes nothing); a new moment
 * comes behind the one that was kept or gone to last.
 *
 * Whoever lets somebody write pages without making their bytes 1 each time (a TLB) must take that
 * back whenever a moment was kept or gone to.
 */
#ifndef SOFTMMU_RAM_HISTORY_H
#define SOFTMMU_RAM_HISTORY_H

#include "softmmu/memory.h"

typedef struct RamHistory RamHistory;
typedef struct RamMoment RamMoment;

/* Its first moment must be kept before anything is written that is to be gone back from. */
RamHistory *ram_history_new(RamSet *set);
void ram_history_free(RamHistory *h);
RamMoment *ram_history_keep(RamHistory *h);
/* @changed hears of what differed, in the numbering of RAM, after it was written. */
void ram_history_go(RamHistory *h, RamMoment *m,
                    void (*changed)(void *opaque, uint64_t ram, uint64_t len), void *opaque);
/* Not the first. What later moments need of it stays. */
void ram_history_forget(RamHistory *h, RamMoment *m);
uint64_t ram_history_bytes(const RamHistory *h); /* of host memory, about */

#endif
