/* SPDX-License-Identifier: MIT */
/*
 * QMP: the monitor for programs. JSON objects come in on a character device and go out; what they
 * can ask for is a table (commands.c). Machine thread, also while the machine is stopped. What
 * changes the machine goes through the text monitor, whose commands recordings have.
 */
#ifndef SOFTMMU_PROGRAM_QMP_QMP_H
#define SOFTMMU_PROGRAM_QMP_QMP_H

#include "softmmu/program/monitor/monitor.h"

/* What commands are about. */
typedef struct QmpWorld {
    Machine *m;
    RunControl *rc;
    Monitor *mon; /* whose commands are used, too */
    MonitorCpus cpus;
    MonitorStates states;
    const GArray *chardevs; /* MonitorChardev; may be NULL */
} QmpWorld;

typedef struct Qmp Qmp;

Qmp *qmp_new(const QmpWorld *w, Chardev *chr, bool pretty);
void qmp_free(Qmp *q); /* NULL is allowed */
/* @data: a JSON object as text, or NULL. Heard once the client has negotiated. */
void qmp_event(Qmp *q, const char *event, const char *data);

#endif
