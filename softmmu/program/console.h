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
    GArray *monitors;   /* ConsoleMonitor: further ones */
    GHashTable *in_use; /* ids of -chardev that somebody has */
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
/* One more for a device that comes later, and one that no device has gone again. Machine thread. */
bool console_add(Console *c, const ChardevOption *option, Machine *m, GError **error);
bool console_remove(Console *c, const char *id, Machine *m, GError **error);
void console_close(Console *c);

#endif
