/* SPDX-License-Identifier: MIT */
/*
 * The GDB remote protocol (GDB manual, appendix "Remote Protocol"), server side: packets over a
 * character device, against a GdbTarget that it knows nothing of. One client at a time, all-stop.
 * It lives on the machine thread. Whatever a client sends, only what the target offers happens.
 */
#ifndef SOFTMMU_PROGRAM_GDB_STUB_H
#define SOFTMMU_PROGRAM_GDB_STUB_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "softmmu/chardev.h"

#define GDB_PACKET_MAX 0x4000 /* bytes of a packet's body, either way */
#define GDB_REG_MAX    64     /* bytes of a register */

typedef enum GdbRun { GDB_HOLD, GDB_STEP, GDB_GO } GdbRun; /* what a CPU is to do */
/* Numbers of the Z packets. */
typedef enum GdbPoint {
    GDB_SOFT_BREAK,
    GDB_HARD_BREAK,
    GDB_WATCH_WRITE,
    GDB_WATCH_READ,
    GDB_WATCH_ACCESS,
    GDB_POINTS
} GdbPoint;
enum { GDB_STEP_ENABLE = 1, GDB_STEP_NO_IRQ = 2, GDB_STEP_NO_TIMER = 4 };
enum { GDB_SIGINT = 2, GDB_SIGQUIT = 3, GDB_SIGTRAP = 5, GDB_SIGABRT = 6 };

/* At an end of a recording, as far as the target can go. */
typedef enum GdbHistory { GDB_WITHIN, GDB_AT_BEGIN, GDB_AT_END } GdbHistory;

typedef struct GdbStop {
    int signal;
    unsigned cpu;
    bool at_point; /* one of these caused it: */
    GdbPoint point;
    uint64_t addr; /* of a watchpoint's hit */
    GdbHistory history;
    const char *news; /* what the user of a monitor command is told; may be NULL */
} GdbStop;

/* All on the machine thread; @cpu is < ncpus, sizes are within the limits above. */
typedef struct GdbTarget {
    void *opaque;
    unsigned ncpus, nregs, pc_reg;
    const char *(*features)(void *opaque, const char *annex); /* XML; NULL: no such annex */
    unsigned (*reg_size)(void *opaque, unsigned reg);
    void (*read_reg)(void *opaque, unsigned cpu, unsigned reg, uint8_t *buf);
    bool (*write_reg)(void *opaque, unsigned cpu, unsigned reg, const uint8_t *buf);
    bool (*read_memory)(void *opaque, unsigned cpu, bool physical, uint64_t addr, uint8_t *buf,
                        size_t len);
    bool (*write_memory)(void *opaque, unsigned cpu, bool physical, uint64_t addr,
                         const uint8_t *buf, size_t len);
    bool (*insert)(void *opaque, GdbPoint type, uint64_t addr, uint64_t len);
    bool (*remove)(void *opaque, GdbPoint type, uint64_t addr, uint64_t len);
    bool (*is_there)(void *opaque, unsigned cpu); /* plugged in; NULL: all are */
    bool (*is_halted)(void *opaque, unsigned cpu);
    bool (*is_running)(void *opaque);
    /* @run: one for each CPU. gdb_stub_stopped() follows sooner or later. False: it cannot run. */
    bool (*resume)(void *opaque, const GdbRun *run, unsigned step_rules);
    /* Backwards: a step of CPU @cpu, or to the last point. As resume(). */
    bool (*can_reverse)(void *opaque);
    bool (*reverse)(void *opaque, unsigned cpu, bool step);
    void (*stop)(void *opaque);
    void (*attach)(void *opaque); /* somebody connected: stops */
    void (*detach)(void *opaque); /* forgets all points and lets the machine go on */
    void (*lost)(void *opaque);   /* the connection broke */
    void (*kill)(void *opaque);
    void (*monitor)(void *opaque, const char *line, GString *out);
} GdbTarget;

typedef struct GdbStub GdbStub;

GdbStub *gdb_stub_new(const GdbTarget *target, Chardev *chr);
void gdb_stub_free(GdbStub *stub);
bool gdb_stub_has_client(const GdbStub *stub); /* NULL @stub: it has none */
/* The target, having been resumed, has stopped: tells the client. */
void gdb_stub_stopped(GdbStub *stub, const GdbStop *stop);
/* It is gone for good. */
void gdb_stub_exited(GdbStub *stub, int status);

#endif
