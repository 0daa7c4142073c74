/* SPDX-License-Identifier: MIT */
/*
 * The machine's state kept and brought back: snapshots inside the images of its disks (savevm), and
 * streams to a file, command or socket (migrate, -incoming). Machine thread, between slices.
 * Connections of user-mode networking are not part of a state: they break.
 */
#ifndef SOFTMMU_PROGRAM_STATE_SAVESTATE_H
#define SOFTMMU_PROGRAM_STATE_SAVESTATE_H

#include "softmmu/program/build.h"

typedef struct SaveState SaveState;

SaveState *savestate_new(Built *b, RunControl *rc);
void savestate_free(SaveState *s); /* NULL is allowed */

/* @name NULL: "vm-" and the date. False: told in @error, and nothing has changed. */
bool savestate_save(SaveState *s, const char *name, GError **error);
bool savestate_load(SaveState *s, const char *name, GError **error);
bool savestate_delete(SaveState *s, const char *name, GError **error);
void savestate_print(SaveState *s, GString *out); /* info snapshots */

/* @uri: exec:COMMAND, file:PATH, fd:NUMBER, unix:PATH, tcp:HOST:PORT. The machine stops, its state
 * is written by a thread; what comes of it is told by savestate_status(). */
bool savestate_migrate(SaveState *s, const char *uri, GError **error);
void savestate_cancel(SaveState *s);
/* The machine waits for a state from there; "defer": until this is called again. */
bool savestate_incoming(SaveState *s, const char *uri, GError **error);
bool savestate_awaits(const SaveState *s); /* it was "defer" so far */

typedef enum MigrationStatus {
    MIGRATION_NONE,
    MIGRATION_ACTIVE,
    MIGRATION_COMPLETED,
    MIGRATION_FAILED,
    MIGRATION_CANCELLED,
} MigrationStatus;
typedef struct MigrationInfo {
    MigrationStatus status;
    uint64_t bytes, ram_bytes;
    int64_t total_ms;
    const char *why; /* it failed */
} MigrationInfo;
MigrationInfo savestate_status(const SaveState *s);

/* How the monitor reaches this. */
const MonitorStates *savestate_for_monitor(SaveState *s);

#endif
