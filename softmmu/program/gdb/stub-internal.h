/* SPDX-License-Identifier: MIT */
/* Between the connection (stub.c) and the packets (packets.c). */
#ifndef SOFTMMU_PROGRAM_GDB_STUB_INTERNAL_H
#define SOFTMMU_PROGRAM_GDB_STUB_INTERNAL_H

#include "softmmu/program/gdb/stub.h"

#define ANY_CPU UINT_MAX

struct GdbStub {
    GdbTarget target;
    Chardev *chr;
    bool attached;
    /* framing */
    enum { GDB_IDLE, GDB_IN_BODY, GDB_IN_CHECKSUM_1, GDB_IN_CHECKSUM_2 } state;
    GByteArray *body, *last; /* being received; sent last, as sent */
    bool escaped, overlong, acks;
    uint8_t sum, checksum_1;
    /* what the client has chosen */
    unsigned cpu_g;      /* Hg: of registers and memory */
    unsigned cpu_c;      /* Hc: of s and c; ANY_CPU: all */
    bool physical;       /* addresses of memory are */
    bool tells_breaks;   /* it understands swbreak and hwbreak */
    unsigned step_rules; /* GDB_STEP_* */
    bool waits;          /* for the target to stop */
    bool monitor_waits;  /* … as a monitor command made it run */
    GdbStop stop;        /* the last */
};

/* Act on a packet: @len bytes, a 0 behind them. */
void gdb_packet(GdbStub *s, const char *body, size_t len);
void gdb_send_stop(GdbStub *s);
void gdb_send_output(GdbStub *s, const GString *text); /* of a monitor command */
void gdb_send(GdbStub *s, const void *body, size_t len);
void gdb_send_text(GdbStub *s, const char *text);

#endif
