/* SPDX-License-Identifier: MIT */
/*
 * The command line. options_parse() fills plain data and starts nothing; what is wrong with it is
 * one sentence. Spelling and meaning follow QEMU; an option that QEMU has and we lack is refused.
 */
#ifndef SOFTMMU_PROGRAM_OPTIONS_OPTIONS_H
#define SOFTMMU_PROGRAM_OPTIONS_OPTIONS_H

#include <glib.h>
#include <stdbool.h>

#include "softmmu/machine.h"
#include "softmmu/ui/sdl.h"
#include "softmmu/ui/vnc.h"

#define OPTIONS_MAX_CPUS 255

/* What the user asked to be told instead of running a machine. */
typedef enum Answer {
    ANSWER_NONE,
    ANSWER_TEXT,       /* Options.answer */
    ANSWER_CPU_MODELS, /* known to the CPU */
    ANSWER_DEVICES,    /* known to the board */
    ANSWER_NIC_MODELS,
    ANSWER_DEVICE_PROPS, /* likewise; Options.answer names the driver */
} Answer;

typedef struct ChardevOption {
    char *id, *spec;
    bool mux;   /* several may share it */
    char *text; /* as it was given */
} ChardevOption;

/* A monitor beside the first: for people or, .control, for programs (QMP). */
typedef struct MonitorOption {
    char *device;
    bool control, pretty;
} MonitorOption;

typedef struct Options {
    MachineConfig config;
    /* Devices may be "chardev:ID", of .chardevs. */
    GPtrArray *serials;         /* char *: device of each port, "none": no port */
    char *monitor;              /* device, or "none" */
    GPtrArray *monitors;        /* MonitorOption *: further ones */
    char *debugcon;             /* device, NULL: none */
    char *parallel;             /* likewise */
    char *gdb;                  /* device, NULL: none */
    GPtrArray *chardevs;        /* ChardevOption * */
    GPtrArray *device_chardevs; /* those of them that a -device names */
    char *display;              /* "none", "curses", "sdl", "vnc=…"; NULL: not said */
    SdlOptions sdl;             /* of the window */
    bool vnc_given;
    VncOptions vnc;     /* address NULL: none */
    GPtrArray *plugins; /* char *: FILE[,name=value…] */
    bool nographic, snapshot;
    NetdevOption *net_user; /* what -net user makes, for -net nic; the configuration's */
    char *log_items, *log_file, *log_filter, *log_counts;
    GPtrArray *trace_events, *trace_files; /* char *: patterns of events, files of such */
    bool rtc_base_given, seed_given;
    char *record_file, *replay_file;
    char *loadvm, *incoming;    /* what the machine begins with; NULL: a cold start */
    char *run_as;               /* a user, or UID:GID; NULL: who started it */
    char *process_name;         /* as the host is to see it; NULL: its own */
    char *pidfile;              /* NULL: none */
    bool daemonize, timestamps; /* timestamps: of messages */
    GPtrArray *blockdevs;       /* of options/blockdev.c */
    char *pflash[2];            /* names of nodes; NULL: none */
    GPtrArray *objects;         /* of options/object.c */
    GPtrArray *numa;            /* of options/numa.c */
    bool numa_has_node[MACHINE_MAX_NODES], numa_has_ram;
    bool memory_given;    /* by -m */
    char *memory_backend; /* the name of one; NULL: none */
    bool addition;        /* to a machine that is there */
    char *mem_path;       /* -mem-path; NULL: not given */
    bool mem_prealloc;
    const char *numa_memdev[MACHINE_MAX_NODES]; /* names of backends; NULL: none */
    char *vnc_secret;    /* the object that has the VNC server's password; NULL: none */
    char *lacking_accel; /* asked for by -accel, in vain so far */
    bool accel_found, lock_memory, sandboxed;
    uint8_t escape_key; /* -echr; 0: Ctrl-A */
    GPtrArray *globals; /* char *: DRIVER.PROPERTY=VALUE */
    char *dump_vmstate; /* describe the state there, and leave */
    char *rr_file;      /* -icount rrfile= */
    bool rr_record, rr_replay, icount_auto;
    bool mute;           /* replay: show no output of the guest */
    uint64_t replay_to;  /* … stop, or leave, after so many instructions; 0: at its end */
    char *screen_file;   /* … and what it shows then, as a picture; NULL: it is not asked for */
    bool replayed_files; /* config.files is the recording's */
    GPtrArray *machine_args; /* char *: what was given of the machine: options, arguments */
    GPtrArray *host_args;    /* … and of how this host is to run it and to look on */
    Answer answer_kind;
    GString *answer;
} Options;

/* @o need not be initialised. options_clear() after success and failure alike. */
bool options_parse(Options *o, int argc, char **argv, GError **error);
void options_clear(Options *o);
/* Likewise, one option for a machine that is there: so may be what it names. */
bool options_parse_addition(Options *o, const char *option, const char *arg, GError **error);
/* The same for a replay: the first @recorded elements of @argv, after the name, come from a
 * recording, which has @files. */
bool options_parse_replay(Options *o, int argc, char **argv, int recorded, HostFiles *files,
                          GError **error);
/* "-name" or "--name" */
bool options_takes_argument(const char *text);
/* The id in "chardev:ID" and "mon:chardev:ID", NULL in other devices; and what stands behind it. */
const char *options_device_id(const char *device);
const ChardevOption *options_find_chardev(const Options *o, const char *id); /* NULL: none */
const char *options_device_spec(const Options *o, const char *device);
/* What -action says, event by event. */
bool options_set_actions(MachineActions *actions, const char *arg, GError **error);
/* The device of -gdb @arg as the -chardev that it stands for, NULL: none; false with @error. */
bool options_gdb_device(const char *arg, char **device, GError **error);
/* Calls @f with each option and its argument (as help has it; NULL: none), each machine, or each
 * type of -object. */
void options_each(void (*f)(void *opaque, const char *name, const char *arg), void *opaque);
void options_each_machine(void (*f)(void *opaque, const char *name), void *opaque);
void options_each_chardev_type(void (*f)(void *opaque, const char *type), void *opaque);
void options_each_object_type(void (*f)(void *opaque, const char *type), void *opaque);
/* What the machine's name stands for: "pc" -> "pc-i440fx-7.2". */
const char *options_canonical_machine(const char *name);

#endif
