/* SPDX-License-Identifier: MIT */
/* The host sides of serial ports, monitor and debug console, opened as the options say. */
#ifndef SOFTMMU_PROGRAM_CONSOLE_H
#define SOFTMMU_PROGRAM_CONSOLE_H

#include "softmmu/program/options/options.h"
#include "softmmu/program/qmp/qmp.h"

typedef struct ConsoleMonitor {
    Chardev *chr;
    bool control, pretty;
} ConsoleMonitor;

typedef struct Console {
    const Options *options;
    GPtrArray *owned;   /* Chardev * */
    Chardev *monitor;   /* NULL: none */
    Chardev *gdb;       /* NULL: none */
    bool gdb_lent;      /* … and it is a -chardev */
    GArray *monitors;   /* ConsoleMonitor: further ones */
    GHashTable *in_use; /* ids of -chardev that somebody has */
    GHashTable *muxes;  /* id -> Chardev: those with mux=on that somebody has */
    GHashTable *by_id;  /* const char * -> Chardev: those of devices that -device makes */
    GArray *chardevs;   /* MonitorChardev: all of them, by label */
    uint8_t escape_key; /* 0: Ctrl-A */
} Console;

/* Fills @m->serial, @m->debugcon and @m->chardevs. Tells on stderr where ptys are and whom it waits
 * for. console_close() after success and failure alike; it restores the terminal. */
bool console_open(Console *c, const Options *o, Machine *m, GError **error);
/* Listens for a debugger: once the machine is complete, as that one waits for answers. */
bool console_open_gdb(Console *c, const Options *o, Machine *m, GError **error);
/* The same while the machine runs, instead of the one that is there, which nobody has any more;
 * NULL @device: there is none. Machine thread. */
bool console_reopen_gdb(Console *c, const char *device, Machine *m, GError **error);
/* One more for a device that comes later: is it allowed; opened, in no table yet; in the tables,
 * and out of them; closed. The one called @id if no device has it, else NULL with @error. Machine
 * thread. */
bool console_may_add(const Console *c, const ChardevOption *option, GError **error);
Chardev *console_open_one(Console *c, const ChardevOption *option, Machine *m, GError **error);
void console_put(Console *c, const ChardevOption *option, Chardev *chr);
Chardev *console_find(const Console *c, const char *id, GError **error);
void console_take(Console *c, const char *id);
void console_close_one(Console *c, Chardev *chr, Machine *m);
void console_close(Console *c);

#endif
