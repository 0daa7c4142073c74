/* SPDX-License-Identifier: MIT */
/* Between the wire (qmp.c) and what is behind it. */
#ifndef SOFTMMU_PROGRAM_QMP_INTERNAL_H
#define SOFTMMU_PROGRAM_QMP_INTERNAL_H

#include "softmmu/error.h"
#include "softmmu/program/qmp/announce.h"
#include "softmmu/program/qmp/json.h"
#include "softmmu/program/qmp/qmp.h"

/* Codes of errors: the class that a reply names. */
enum { QMP_GENERIC, QMP_NOT_FOUND, QMP_DEVICE_NOT_ACTIVE, QMP_DEVICE_NOT_FOUND };

struct QmpShared {
    GPtrArray *jobs;      /* of jobs.c */
    GHashTable *trays;    /* of media.c */
    GHashTable *fds;      /* char * -> int + 1: of getfd */
    Announcer *announcer; /* NULL: nobody has asked for it yet */
};

struct Qmp {
    QmpWorld w;
    Chardev *chr;
    bool pretty, negotiated, oob; /* oob: its client may say exec-oob */
    struct json_tokener *tokener;
    size_t taken;     /* of an object that is not complete */
    bool skipping;    /* until the end of a line: there was an error in it */
    unsigned buttons; /* of the mouse, that are down */
};

/* @args have been checked against .args. NULL with @error set, or the result (json_done()). */
typedef struct QmpCommand {
    const char *name, *args;
    Json *(*run)(Qmp *q, Json *args, GError **error);
    bool oob; /* may be executed out of band */
} QmpCommand;

/* Tables, each ended by a row without a name. */
extern const QmpCommand qmp_base_commands[], qmp_look_commands[], qmp_change_commands[],
    qmp_state_commands[], qmp_block_commands[], qmp_plug_commands[], qmp_probe_commands[],
    qmp_qom_commands[], qmp_media_commands[], qmp_vnc_commands[], qmp_host_commands[],
    qmp_replay_commands[], qmp_job_commands[], qmp_disk_commands[], qmp_nothing_commands[],
    qmp_bitmap_commands[], qmp_transaction_commands[], qmp_internal_snapshot_commands[];
const QmpCommand *qmp_find_command(const char *name);
/* Calls @f with each. */
void qmp_each_command(void (*f)(const QmpCommand *c, void *opaque), void *opaque);

static inline Json *json_done(void) /* nothing more to say */
{
    return json_object_new_object();
}
GPtrArray *qmp_jobs_new(void);
GHashTable *qmp_trays_new(void);
/* A drive by its name, or that of its image; NULL with @error. */
Drive *qmp_find_disk(Qmp *q, const char *name, GError **error);
/* No recording is made or replayed; false with @error. */
bool qmp_may_change_disks(Qmp *q, GError **error);
bool qmp_tray_is_open(Qmp *q, const Drive *d); /* nothing is in reach of the guest */
void qmp_fds_init(QmpShared *s);
void qmp_fds_clear(QmpShared *s);
/* getfd: @fd is taken over, -1: none came along. */
bool qmp_name_fd(Qmp *q, const char *name, int fd, GError **error);
/* Of getfd, now the caller's; -1 with @error. */
int qmp_fd_named(Qmp *q, const char *name, GError **error);
Json *qmp_machine_properties(Qmp *q); /* names and types */
Json *qmp_cpu_place(CpuPlace p);
/* A property of an object in the tree; @value is the callee's. */
typedef void QmpEachProperty(void *to, const char *name, const char *type, Json *value);
void qmp_each_of_object(const DeviceOption *o, QmpEachProperty *f, void *to);
/* False without @known: it has no such property that can be set; else with @error. */
bool qmp_set_of_object(const DeviceOption *o, const char *name, Json *value, bool *known,
                       GError **error);
void qmp_each_of_device(Qmp *q, const Device *dev, QmpEachProperty *f, void *to);
/* What the user said of it: by its name, or in the order of those that have none. NULL: nothing. */
const DeviceOption *qmp_option_of(const Machine *m, const Device *dev);
Json *qmp_property_value(const char *type, const char *text);
/* Why property @name of a @owner cannot be set; @dev NULL: that is no device. */
void qmp_refuse_to_set(Qmp *q, const Device *dev, const char *owner, const char *name,
                       GError **error);
/* Where @dev is in the tree of objects; NULL: nowhere. */
char *qmp_device_path(Qmp *q, const Device *dev);
char *qmp_cpu_path(Qmp *q, unsigned n);
/* A line of the text monitor; its "Error: …" is the error. NULL with @error. */
Json *qmp_run_line(Qmp *q, GError **error, const char *format, ...) G_GNUC_PRINTF(3, 4);

#endif
