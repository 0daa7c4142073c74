/* SPDX-License-Identifier: MIT */
/* The text monitor told in words what QMP knows. */
#ifndef SOFTMMU_PROGRAM_QMP_TEXT_H
#define SOFTMMU_PROGRAM_QMP_TEXT_H

#include "softmmu/program/qmp/qmp.h"

/* Gives w->mon these commands; before others are made beside it. To be freed after all of them. */
Qmp *text_begin(const QmpWorld *w);

/* QMP's answer to @command; @args are taken over, NULL: none. NULL with @error. */
Json *text_ask(void *opaque, const char *command, Json *args, GError **error);
/* Of disks: text-block.c, text-jobs.c. */
bool text_info_block(void *opaque, const char *args, GString *out, GError **error);
extern const MonitorExtra text_job_commands[], text_host_commands[];
/* Of devices: qtree.c. */
bool text_info_qtree(void *opaque, const char *args, GString *out, GError **error);
bool text_info_block_jobs(void *opaque, const char *args, GString *out, GError **error);
bool text_info_blockstats(void *opaque, const char *args, GString *out, GError **error);

#endif
