/* SPDX-License-Identifier: MIT */
#include "softmmu/program/runstate.h"

#include "softmmu/error.h"

struct RunControl {
    Machine *m;
    RunHooks hooks;
    bool started;
    bool told;   /* programs know that it runs */
    bool ended;  /* … that the guest has */
    bool starts; /* when the state that is awaited has come */
};

RunControl *run_control_new(Machine *m, const RunHooks *hooks)
{
    RunControl *rc = g_new0(RunControl, 1);

    rc->m = m;
    rc->hooks = *hooks;
    m->state = RUN_PRELAUNCH;
    return rc;
}

void run_control_free(RunControl *rc)
{
    g_free(rc);
}

const char *run_state_text(RunState state)
{
    static const char *const texts[] = {
        [RUN_PRELAUNCH] = "paused (prelaunch)",
        [RUN_RUNNING] = "running",
        [RUN_PAUSED] = "paused",
        [RUN_SHUTDOWN] = "paused (shutdown)",
        [RUN_SUSPENDED] = "paused (suspended)",
        [RUN_DEBUG] = "paused (debug)",
        [RUN_PANICKED] = "paused (guest-panicked)",
        [RUN_INMIGRATE] = "paused (inmigrate)",
        [RUN_POSTMIGRATE] = "paused (postmigrate)",
        [RUN_BROKEN] = "paused (internal-error)",
        [RUN_IO_ERROR] = "paused (io-error)",
    };

    return texts[state];
}

const char *run_state_name(RunState state)
{
    static const char *const names[] = {
        [RUN_PRELAUNCH] = "prelaunch",     [RUN_RUNNING] = "running",
        [RUN_PAUSED] = "paused",           [RUN_SHUTDOWN] = "shutdown",
        [RUN_SUSPENDED] = "suspended",     [RUN_DEBUG] = "debug",
        [RUN_PANICKED] = "guest-panicked", [RUN_INMIGRATE] = "inmigrate",
        [RUN_POSTMIGRATE] = "postmigrate", [RUN_BROKEN] = "internal-error",
        [RUN_IO_ERROR] = "io-error",
    };

    return names[state];
}

/* Whoever changed the state. */
static void tell_running(RunControl *rc)
{
    bool runs = rc->m->state == RUN_RUNNING || rc->m->state == RUN_SUSPENDED;

    if (runs != rc->told)
        machine_emit(rc->m, runs ? "RESUME" : "STOP", NULL);
    rc->told = runs;
}

static void tell_end(RunControl *rc, bool guest, const char *reason)
{
    if (!rc->ended)
        machine_emit(rc->m, "SHUTDOWN", "{\"guest\": %s, \"reason\": \"%s\"}",
                     guest ? "true" : "false", reason);
    rc->ended = true;
}

static bool is_guests(const RunControl *rc, RunRequest r)
{
    return !(rc->m->host_requests & r);
}

void run_control_stop(RunControl *rc)
{
    if (rc->m->state == RUN_RUNNING && !(rc->hooks.stopping && rc->hooks.stopping(rc->m)))
        rc->m->state = RUN_PAUSED;
    tell_running(rc);
}

bool run_control_cont(RunControl *rc, GError **error)
{
    switch (rc->m->state) {
    case RUN_SHUTDOWN:
    case RUN_PANICKED:
        error_set(error, "the guest has ended: system_reset is needed first");
        return false;
    case RUN_BROKEN:
        error_set(error, "loading a saved state has failed: the machine cannot run");
        return false;
    case RUN_INMIGRATE: rc->starts = true; return true; /* once the state is there */
    case RUN_SUSPENDED:
        error_set(error, "the guest is suspended: system_wakeup is needed first");
        return false;
    default:
        rc->m->state = RUN_RUNNING;
        tell_running(rc);
        return true;
    }
}

void run_control_await(RunControl *rc)
{
    rc->started = true;
    rc->starts = !rc->m->config->start_stopped;
    rc->m->state = RUN_INMIGRATE;
}

void run_control_arrived(RunControl *rc)
{
    rc->m->state = rc->starts ? RUN_RUNNING : RUN_PAUSED;
}

void run_control_travel(RunControl *rc)
{
    rc->m->state = RUN_RUNNING;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void end(RunControl *rc, bool guest, const char *reason)
{
    tell_end(rc, guest, reason);
    if (rc->m->actions.no_shutdown || rc->m->stays)
        rc->m->state = RUN_SHUTDOWN;
    else
        machine_request_quit(rc->m, 0);
}

static void do_shutdown(RunControl *rc)
{
    end(rc, true, "guest-shutdown");
}

/* In a replay somebody let it go on, or the recording ends here. */
static void do_panic(RunControl *rc)
{
    Machine *m = rc->m;
    PanicAction action = m->actions.panic;
    bool pause = action == PANIC_PAUSE || (action == PANIC_SHUTDOWN && m->actions.no_shutdown);

    machine_emit(m, "GUEST_PANICKED", "{\"action\": \"%s\"}",
                 action == PANIC_NONE ? "run"
                 : pause              ? "pause"
                                      : "poweroff");
    if (action == PANIC_NONE || (pause && machine_is_replaying(m)))
        return;
    if (pause) {
        m->state = RUN_PANICKED;
        return;
    }
    tell_end(rc, true, "guest-panic");
    if (m->stays)
        m->state = RUN_SHUTDOWN;
    else
        machine_request_quit(m, action == PANIC_EXIT_FAILURE);
}

static void do_reset(RunControl *rc)
{
    Machine *m = rc->m;
    bool guest = is_guests(rc, REQUEST_RESET);
    const char *reason = guest ? "guest-reset" : "host-qmp-system-reset";

    if (m->actions.no_reboot) {
        end(rc, guest, reason);
        return;
    }
    device_reset(m->root);
    rc->ended = false;
    machine_emit(m, "RESET", "{\"guest\": %s, \"reason\": \"%s\"}", guest ? "true" : "false",
                 reason);
    if (m->state == RUN_SHUTDOWN || m->state == RUN_PANICKED)
        m->state = machine_is_replaying(m) ? RUN_RUNNING : RUN_PAUSED; /* somebody said cont */
    else if (m->state == RUN_SUSPENDED)
        rc->m->state = RUN_RUNNING;
}

static void do_powerdown(RunControl *rc)
{
    machine_emit(rc->m, "POWERDOWN", NULL);
    if (rc->hooks.powerdown)
        rc->hooks.powerdown(rc->m);
}

static void do_suspend(RunControl *rc)
{
    if (rc->m->state != RUN_RUNNING)
        return;
    rc->m->state = RUN_SUSPENDED;
    machine_emit(rc->m, "SUSPEND", NULL);
}

static void do_wakeup(RunControl *rc)
{
    if (rc->m->state != RUN_SUSPENDED)
        return;
    if (rc->hooks.wakeup)
        rc->hooks.wakeup(rc->m);
    rc->m->state = RUN_RUNNING;
    machine_emit(rc->m, "WAKEUP", NULL);
}

static void do_debug(RunControl *rc)
{
    if (rc->m->state == RUN_RUNNING)
        rc->m->state = RUN_DEBUG;
}

static void do_io_error(RunControl *rc)
{
    if (rc->m->state == RUN_RUNNING) {
        rc->m->state = RUN_IO_ERROR;
        if (rc->hooks.trouble)
            rc->hooks.trouble(rc->m->trouble);
    }
    g_clear_pointer(&rc->m->trouble, g_free);
}

/* In the order in which they are honoured when several come at once. */
static const struct {
    RunRequest request;
    void (*act)(RunControl *rc);
} request_rows[] = {
    { REQUEST_PANIC, do_panic },         { REQUEST_SHUTDOWN, do_shutdown },
    { REQUEST_END, do_shutdown },        { REQUEST_RESET, do_reset },
    { REQUEST_POWERDOWN, do_powerdown }, { REQUEST_SUSPEND, do_suspend },
    { REQUEST_WAKEUP, do_wakeup },       { REQUEST_DEBUG, do_debug },
    { REQUEST_STOP, run_control_stop },  { REQUEST_IO_ERROR, do_io_error },
};

static void honour_requests(RunControl *rc)
{
    uint32_t asked = rc->m->requests;

    rc->m->requests &= REQUEST_QUIT;
    for (size_t i = 0; i < G_N_ELEMENTS(request_rows) && !(rc->m->requests & REQUEST_QUIT); i++) {
        if (asked & request_rows[i].request)
            request_rows[i].act(rc);
    }
    rc->m->host_requests = 0;
}

bool run_control_process(void *opaque, bool *quit)
{
    RunControl *rc = opaque;
    Machine *m = rc->m;

    if (!rc->started) {
        rc->started = true;
        if (!m->config->start_stopped)
            rc->m->state = RUN_RUNNING;
    }
    if (m->requests)
        honour_requests(rc);
    if (m->requests & REQUEST_QUIT) {
        tell_end(rc, !m->quit_reason, m->quit_reason ? m->quit_reason : "guest-shutdown");
        rc->m->state = RUN_SHUTDOWN;
        *quit = true;
        return false;
    }
    tell_running(rc);
    return m->state == RUN_RUNNING || m->state == RUN_SUSPENDED;
}
