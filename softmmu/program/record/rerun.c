/* SPDX-License-Identifier: MIT */
#include "softmmu/program/record/rerun.h"

#include "hw/pc.h"
#include "softmmu/error.h"
#include "softmmu/program/record/record.h"

#define MAX_RAM (UINT64_C(5) << 29) /* of which there may be several copies */

static void resume(void *opaque)
{
    run_control_travel(opaque);
}

static bool set_up(Rerun *s, GError **error)
{
    static const RunHooks hooks = { pc_powerdown, pc_wakeup, NULL };
    Machine *m = &s->built.machine;
    MonitorCpus cpus = build_monitor_cpus(&s->built);

    build_begin(&s->built, &s->o.config);
    input_set_replaying(m->input, true);
    m->stays = true;
    if (!console_open(&s->console, &s->o, m, error) ||
        !network_open(&s->network, &s->o, m, error) || !build_finish(&s->built, error))
        return false;
    s->rc = run_control_new(m, &hooks);
    s->monitor = monitor_new(m, s->rc, &cpus, build_monitor_topics, NULL);
    s->states = savestate_new(&s->built, s->rc);
    s->host_side = host_side_new(m, &s->network, &s->console, NULL);
    monitor_set_board(s->monitor, &build_monitor_board);
    monitor_set_states(s->monitor, savestate_for_monitor(s->states));
    s->traveller = traveller_new(&s->built, &s->o, s->rc);
    s->gdb = gdb_server_new(&s->built, s->rc, s->monitor, s->traveller, NULL);
    s->step = (LockstepSide){ s->built.accel, run_control_process, resume, s->rc };
    if (ram_set_end(m->ram) > MAX_RAM) {
        error_set(error, "the machine has too much memory for it to be copied");
        return false;
    }
    return record_attach(&s->built, s->reader, error);
}

bool rerun_open(Rerun *s, const Options *o, const char *backend, const char *path, GError **error)
{
    *s = (Rerun){ 0 };
    s->reader = record_options(&s->o, path, error);
    if (!s->reader)
        return false;
    s->o.mute = true;
    g_free(s->o.monitor);
    s->o.monitor = g_strdup("none");
    s->o.config.start_stopped = s->o.config.perfmap = s->o.config.jitdump = false;
    g_free(s->o.config.accel_backend);
    s->o.config.accel_backend = g_strdup(!backend   ? o->config.accel_backend
                                         : *backend ? backend
                                                    : NULL);
    return set_up(s, error);
}

void rerun_close(Rerun *s)
{
    if (s->reader) {
        gdb_server_free(s->gdb);
        monitor_free(s->monitor);
        savestate_free(s->states);
        traveller_free(s->traveller);
        run_control_free(s->rc);
        build_free(&s->built);
        host_side_free(s->host_side);
        network_close(&s->network);
        console_close(&s->console);
    }
    if (s->o.answer)
        options_clear(&s->o);
    record_reader_free(s->reader);
}
