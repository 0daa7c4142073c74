/* SPDX-License-Identifier: MIT */
/*
 * QMP: the monitor for programs. JSON objects come in on a character device and go out; what they
 * can ask for is a table (commands.c). Machine thread, also while the machine is stopped. What
 * changes the machine goes through the text monitor, whose commands recordings have.
 */
#ifndef SOFTMMU_PROGRAM_QMP_QMP_H
#define SOFTMMU_PROGRAM_QMP_QMP_H

#include "softmmu/program/monitor/monitor.h"
#include "softmmu/program/qmp/facts.h"
#include "softmmu/ui/vnc.h"

/* What clients share: jobs, trays of drives, the host's descriptors. */
typedef struct QmpShared QmpShared;
QmpShared *qmp_shared_new(void);
/* Jobs that are under way are ended, and clients told so: before drives go. */
void qmp_end_jobs(QmpShared *s);
void qmp_shared_free(QmpShared *s); /* NULL is allowed */

/* What commands are about. */
typedef struct QmpWorld {
    Machine *m;
    RunControl *rc;
    Monitor *mon; /* whose commands are used, too */
    QmpShared *shared;
    MonitorCpus cpus;
    MonitorStates states;
    MonitorTravel travel;   /* all 0: there is none */
    const GArray *chardevs; /* MonitorChardev; may be NULL */
    QmpFacts facts;
    VncServer *const *vnc; /* where it will be, if there is one; may be NULL */
    const char *display;   /* -display; may be NULL */
} QmpWorld;

typedef struct Qmp Qmp;

Qmp *qmp_new(const QmpWorld *w, Chardev *chr, bool pretty); /* NULL @chr: for qmp_call() alone */
void qmp_free(Qmp *q);                                      /* NULL is allowed */
/* NULL with @error, or the answer. There is such a command; @args stay the caller's. */
Json *qmp_call(Qmp *q, const char *command, Json *args, GError **error);
/* The event that tells of it. */
void qmp_tell_vnc(Machine *m, VncServer *s, VncNews what, const char *peer);
/* @data: a JSON object as text, or NULL. Heard once the client has negotiated. */
void qmp_event(Qmp *q, const char *event, const char *data);

#endif
