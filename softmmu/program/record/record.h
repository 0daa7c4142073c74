/* SPDX-License-Identifier: MIT */
/*
 * Recordings as the user meets them: -record, -replay, `mimus replay` and `mimus rec`. The stream
 * is the engine's (accel/session.h), the file softmmu/recording.h's.
 */
#ifndef SOFTMMU_PROGRAM_RECORD_RECORD_H
#define SOFTMMU_PROGRAM_RECORD_RECORD_H

#include "softmmu/program/build.h"
#include "softmmu/program/options/options.h"
#include "softmmu/recording.h"

/* Is @argv one of the subcommands? They begin with no dash. */
bool record_is_command(int argc, char **argv);
/* `mimus rec …`: *@out is what to print. `mimus replay …`: *@replay is initialised, the options of
 * that; options_clear() it then, and only then. */
bool record_command(int argc, char **argv, GString *out, Options *replay, GError **error);

/* @o asks for a replay: make it the options of the recording, along with those of this host that
 * it has. The reader must outlive them. NULL with @error. */
RecordReader *record_replay_options(Options *o, GError **error);

/* The options of the recording at @path alone, without output: as above. */
RecordReader *record_options(Options *o, const char *path, GError **error);

/* The machine is complete: begin. */
bool record_begin(Built *b, const Options *o, GError **error);
/* The same while it runs, between slices; and the end of it. */
bool record_begin_here(Built *b, const Options *o, const char *path, GError **error);
bool record_end_here(Built *b, GError **error);
/* The file alone, with its machine as it is: no channels yet. */
RecordWriter *record_create_here(Built *b, const Options *o, char **args, const char *path,
                                 GError **error);
/* The machine, which has just been made, is where @r begins and follows it; an error if it is not
 * the one that was recorded. */
bool record_attach(Built *b, RecordReader *r, GError **error);
bool record_begin_replay(Built *b, RecordReader *r, bool debugged, GError **error);
/* How a replay went, as a line, and the exit status that goes with it. */
int record_verdict(Built *b, const RecordReader *r, GString *out);
/* It diverged, between these counts. */
bool record_diverged(const Built *b, uint64_t *agreed, uint64_t *count);

#endif
