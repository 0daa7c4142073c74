/* SPDX-License-Identifier: MIT */
/*
 * Events for plugins, as those see them who make them happen. CpuCommon.events has a bit for each
 * MimusEventKind that somebody wants: look there first.
 */
#ifndef ACCEL_PLUGIN_EVENTS_H
#define ACCEL_PLUGIN_EVENTS_H

#include "accel/cpu.h"
#include "accel/plugin/mimus-plugin.h"

static inline bool cpu_tells(const CpuCommon *common, MimusEventKind kind)
{
    return G_UNLIKELY(common->events >> kind & 1);
}

/* cpu and pc are filled in. The state must be complete but for what cpu_sync_state() does. */
void cpu_tell(Cpu *cpu, MimusEvent *e);

#endif
