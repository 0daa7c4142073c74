/* SPDX-License-Identifier: MIT */
/*
 * Kinds of things on the host's side of a machine, and what is done with one: it is opened, is put
 * among what the machine can be given, is taken from there, is closed. In a replay there is nothing
 * of the host's behind it. Machine thread.
 */
#ifndef SOFTMMU_PROGRAM_BACK_ENDS_H
#define SOFTMMU_PROGRAM_BACK_ENDS_H

#include "softmmu/program/console.h"
#include "softmmu/program/network.h"

typedef struct BackEndKind BackEndKind;

typedef struct BackEndWorld {
    Machine *m;
    Network *network;
    Console *console;
} BackEndWorld;

typedef struct BackEnd {
    const BackEndKind *kind;
    char *spec;            /* NULL: the command line's own */
    char *id;              /* NULL: there is nothing that the machine could be given */
    void *option;          /* NetdevOption, …; its list's while it is there */
    void *host;            /* NetBackend, Chardev or HostRandom; may be NULL */
    MemoryBackend *memory; /* of an object that is some; may be NULL */
    GBytes *facts;         /* of a disk's image, as it came; may be NULL */
    bool there;
} BackEnd;

/* @option: "-netdev", "-drive", "-blockdev", "-chardev" or "-object"; NULL: it is none of these. */
const BackEndKind *back_end_kind(const char *option);
const char *back_end_option(const BackEndKind *kind);

/* What @spec asks for, opened. @facts: of a replay; may be NULL. NULL with @error. */
BackEnd *back_end_open(const BackEndWorld *w, const BackEndKind *kind, const char *spec,
                       GBytes *facts, GError **error);
/* One that the command line had, and is there. NULL with @error. */
BackEnd *back_end_find(const BackEndWorld *w, const BackEndKind *kind, const char *id,
                       GError **error);
/* False with @error: a device has it. */
bool back_end_may_go(const BackEndWorld *w, const BackEnd *b, GError **error);
void back_end_put(const BackEndWorld *w, BackEnd *b);
void back_end_take(const BackEndWorld *w, BackEnd *b);
/* What the machine has of it changes along: not to be done on the way to another moment, whose
 * state has that. False with @error. */
bool back_end_come(const BackEndWorld *w, BackEnd *b, GError **error);
void back_end_go(const BackEndWorld *w, BackEnd *b);
void back_end_close(const BackEndWorld *w, BackEnd *b); /* the host's side of it, for good */
void back_end_free(BackEnd *b);

#endif
