/* SPDX-License-Identifier: MIT */
/* Cards make themselves known to their networks (announce-self). On the machine thread. */
#ifndef SOFTMMU_PROGRAM_QMP_ANNOUNCE_H
#define SOFTMMU_PROGRAM_QMP_ANNOUNCE_H

#include "softmmu/machine.h"

typedef struct Announcer Announcer;

/* How often, and the time between: it grows from @initial_ms by @step_ms up to @max_ms. */
typedef struct AnnouncePace {
    int64_t initial_ms, max_ms, rounds, step_ms;
} AnnouncePace;

Announcer *announcer_new(Machine *m);
void announcer_free(Announcer *a); /* when nothing runs any more; NULL is allowed */
/* The first time at once. One of the same @id (NULL is one, too) ends. @cards: names of cards or
 * networks, NULL: all; copied. */
void announcer_begin(Announcer *a, const AnnouncePace *pace, const char *id, char **cards);

#endif
