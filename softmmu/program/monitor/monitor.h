/* SPDX-License-Identifier: MIT */
/*
 * The text monitor: a prompt on a character device, and a table of commands. It runs on the
 * machine thread, between instructions, also while the machine is stopped.
 */
#ifndef SOFTMMU_PROGRAM_MONITOR_MONITOR_H
#define SOFTMMU_PROGRAM_MONITOR_MONITOR_H

#include "softmmu/machine.h"
#include "softmmu/program/runstate.h"

typedef struct Monitor Monitor;

/* An error that the hardware of CPU @cpu is to find, in the words of its registers. */
typedef struct MonitorMachineCheck {
    unsigned cpu, bank;
    uint64_t status, mcg_status, addr, misc;
    bool broadcast; /* signalled to the other CPUs, too */
} MonitorMachineCheck;

/* What the monitor asks of CPUs without knowing what they are. */
typedef struct MonitorCpus {
    unsigned (*count)(void *opaque);
    void (*print_registers)(void *opaque, unsigned n, GString *out);
    bool (*get_register)(void *opaque, unsigned n, const char *name, uint64_t *value);
    /* Virtual memory of CPU @n; false where nothing is mapped. */
    bool (*peek)(void *opaque, unsigned n, uint64_t addr, void *buf, size_t len);
    unsigned (*code_bits)(void *opaque, unsigned n); /* 16, 32 or 64 */
    void *opaque;
    bool (*machine_check)(void *opaque, const MonitorMachineCheck *e, GError **error);
    void (*log_changed)(void *opaque); /* other items are in force */
    /* Plugins of the engine; false: told in @error. */
    bool (*plugin_load)(void *opaque, const char *spec, GError **error);
    bool (*plugin_unload)(void *opaque, const char *name, GError **error);
    /* Page tables, as pages or as ranges of the same rights. */
    void (*print_tlb)(void *opaque, unsigned n, GString *out);
    void (*print_mem)(void *opaque, unsigned n, GString *out);
    /* Physical address of a virtual one; false: not mapped. */
    bool (*translate)(void *opaque, unsigned n, uint64_t addr, uint64_t *phys);
    /* A block of translated code is one instruction. */
    void (*set_one_insn)(void *opaque, bool on);
    bool (*one_insn)(void *opaque);
} MonitorCpus;

/* A character device as the user knows it. */
typedef struct MonitorChardev {
    char *label, *spec;
    Chardev *chr;
} MonitorChardev;
/* As QEMU names it: where a socket listens, where a pty's other end is. Free with g_free(). */
char *monitor_describe_chardev(const MonitorChardev *c);
void monitor_set_chardevs(Monitor *mon, const GArray *chardevs); /* MonitorChardev; borrowed */

/* A debugger's door, as -gdb has it; "none" closes it. */
typedef struct MonitorDebugger {
    bool (*serve)(void *opaque, const char *device, GError **error);
    void *opaque;
} MonitorDebugger;
void monitor_set_debugger(Monitor *mon, const MonitorDebugger *debugger);

/* What users ask of a board (hw/pc.h). */
typedef struct MonitorBoard {
    bool (*set_boot_order)(Machine *m, const char *order, GError **error);
    bool (*device_add)(Machine *m, const DeviceOption *o, GError **error);
    bool (*device_del)(Machine *m, const char *id, GError **error);
    const char *(*cpu_id)(Machine *m, unsigned n); /* "": it has none */
    /* Bytes that a balloon is to leave the guest, or leaves; false: there is none. */
    bool (*set_balloon)(Machine *m, uint64_t bytes);
    bool (*get_balloon)(Machine *m, uint64_t *bytes);
    /* Where the guest has an ELF note for dumps; false: nowhere. */
    bool (*find_core_note)(Machine *m, uint64_t *addr, uint32_t *size);
} MonitorBoard;
bool monitor_get_balloon(Monitor *mon, uint64_t *bytes); /* that it leaves; false: there is none */
void monitor_set_board(Monitor *mon, const MonitorBoard *board);

/* What users add on the host's side; false: told in @error. */
typedef struct MonitorHost {
    /* @option: -netdev, -drive, -blockdev, -object or -chardev, and what would follow it on the
     * command line. */
    bool (*add)(void *opaque, const char *option, const char *spec, GError **error);
    bool (*netdev_del)(void *opaque, const char *id, GError **error);
    void *opaque;
    /* The same backwards, for what is in nobody's use. @option: -object, -chardev or -blockdev. */
    bool (*remove)(void *opaque, const char *option, const char *id, GError **error);
    /* Another value for a property of -object @id; *@known: it is one that can change. */
    bool (*set)(void *opaque, const char *id, const char *property, const char *value, bool *known,
                GError **error);
} MonitorHost;
void monitor_set_host(Monitor *mon, const MonitorHost *host);
bool monitor_add_to_host(Monitor *mon, const char *option, const char *spec, GError **error);
bool monitor_set_of_host(Monitor *mon, const char *id, const char *property, const char *value,
                         bool *known, GError **error);
bool monitor_remove_from_host(Monitor *mon, const char *option, const char *id, GError **error);

/* An `info` topic of the board. @args: what follows the topic. */
typedef struct MonitorTopic {
    const char *name, *args, *help; /* NULL name ends the list */
    void (*print)(Machine *m, const char *args, GString *out);
} MonitorTopic;

/* A command, or a topic of `info`, of whoever knows more than the monitor (qmp/text.c). False: told
 * in @error. */
typedef struct MonitorExtra {
    const char *name, *args, *help; /* NULL name ends the list */
    bool (*run)(void *opaque, const char *args, GString *out, GError **error);
    const struct MonitorExtra *more; /* of the row that ends the list: it goes on there */
    bool takes_fd; /* the last of @args is a descriptor that came along, -1: none did */
} MonitorExtra;
/* Codes of its errors: as QEMU words them, not after "Error: "; what was typed makes no sense. */
enum { MONITOR_PLAIN = 100, MONITOR_MISUNDERSTOOD };
void monitor_set_extras(Monitor *mon, const MonitorExtra *commands, const MonitorExtra *topics,
                        void *opaque);

/* Going backwards and forwards in a replay. What goes to a moment happens later: the machine runs
 * until it stops there. */
typedef struct MonitorTravel {
    bool (*is_possible)(void *opaque);
    void (*where)(void *opaque, uint64_t *count, uint64_t *step);
    void (*print)(void *opaque, GString *out);
    void (*to_count)(void *opaque, uint64_t count);
    void (*to_step)(void *opaque, uint64_t step);
    void (*to_access)(void *opaque, uint64_t addr, uint32_t len, bool write); /* else execution */
    void (*set_break)(void *opaque, uint64_t count);                          /* UINT64_MAX: none */
    /* @images: of disks, DRIVE=FILE… */
    bool (*go_live)(void *opaque, const char *images, GError **error);
    /* "none", "record" or "play"; *@file: the recording. */
    const char *(*mode)(void *opaque, const char **file);
    void *opaque;
} MonitorTravel;
void monitor_set_travel(Monitor *mon, const MonitorTravel *travel);

/* Recording a machine that runs. False: told in @error. */
typedef struct MonitorRecord {
    bool (*begin)(void *opaque, const char *path, GError **error);
    bool (*end)(void *opaque, GError **error);
    void *opaque;
} MonitorRecord;
void monitor_set_record(Monitor *mon, const MonitorRecord *record);

/* How writing or reading the state goes. */
typedef struct MonitorMigration {
    const char *status; /* "active", "completed", …; NULL: there was none */
    const char *why;    /* it failed, or NULL */
    uint64_t bytes, ram_bytes;
    int64_t total_ms;
} MonitorMigration;

/* The machine's state: snapshots in its disks, streams to and from the host (savestate.h). */
typedef struct MonitorStates {
    bool (*save)(void *opaque, const char *name, GError **error); /* NULL: a name is made up */
    bool (*load)(void *opaque, const char *name, GError **error);
    bool (*remove)(void *opaque, const char *name, GError **error);
    void (*print)(void *opaque, GString *out);
    bool (*migrate)(void *opaque, const char *uri, GError **error);
    bool (*incoming)(void *opaque, const char *uri, GError **error);
    void (*cancel)(void *opaque);
    void (*print_migration)(void *opaque, GString *out);
    MonitorMigration (*migration)(void *opaque);
    void *opaque;
} MonitorStates;
void monitor_set_states(Monitor *mon, const MonitorStates *states);

typedef struct VncServer VncServer;
void monitor_set_vnc(Monitor *mon, VncServer *vnc); /* NULL: there is none */

/* @topics may be NULL. @chr may be NULL: commands by monitor_execute() only. */
Monitor *monitor_new(Machine *m, RunControl *rc, const MonitorCpus *cpus,
                     const MonitorTopic *topics, Chardev *chr);
/* One more, on @chr, that can do what @first can (as far as that has been told by now). */
Monitor *monitor_new_beside(Monitor *first, Chardev *chr);
void monitor_free(Monitor *mon);
const char *monitor_cpu_id(Monitor *mon, unsigned n); /* ""; it was there from the start */
/* Run one command line; what it prints is appended to @out. */
void monitor_execute(Monitor *mon, const char *line, GString *out);
/* The same about CPU @cpu (-1: the monitor's own), for programs: false if it printed an error. */
bool monitor_run(Monitor *mon, int cpu, const char *line, GString *out, GError **error);

#endif
