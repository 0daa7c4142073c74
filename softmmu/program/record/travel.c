/* SPDX-License-Identifier: MIT */
#include "softmmu/program/record/travel.h"

#include "accel/session.h"
#include "accel/travel.h"
#include "softmmu/program/record/go-live.h"

#define OWN_TAG 0xff /* of points: not the debugger's */

struct Traveller {
    Built *b;
    const Options *o;
    RunControl *rc;
    MonitorTravel for_monitor;
};

/* Somebody goes to another moment: the machine runs there, and will not leave at the end. */
static void set_out(Traveller *t)
{
    t->b->machine.stays = true;
    run_control_travel(t->rc);
}

static bool is_possible(void *opaque)
{
    return travel_is_possible(((Traveller *)opaque)->b->accel);
}

static void where(void *opaque, uint64_t *count, uint64_t *step)
{
    Accel *a = ((Traveller *)opaque)->b->accel;

    *count = accel_instruction_count(a);
    *step = travel_steps(a);
}

static void print(void *opaque, GString *out)
{
    travel_print(((Traveller *)opaque)->b->accel, out);
}

static void to_count(void *opaque, uint64_t count)
{
    Traveller *t = opaque;

    travel_to_count(t->b->accel, count);
    set_out(t);
}

static void to_step(void *opaque, uint64_t step)
{
    Traveller *t = opaque;

    travel_to_step(t->b->accel, step);
    set_out(t);
}

static void to_access(void *opaque, uint64_t addr, uint32_t len, bool write)
{
    Traveller *t = opaque;

    travel_back_to_point(t->b->accel,
                         &(DebugPoint){ addr, len, write ? DEBUG_WRITE : DEBUG_EXEC, OWN_TAG });
    set_out(t);
}

static void set_break(void *opaque, uint64_t count)
{
    travel_set_break(((Traveller *)opaque)->b->accel, count);
}

void traveller_stop_at(Traveller *t, uint64_t count)
{
    t->b->machine.stays = true;
    if (is_possible(t))
        set_break(t, count);
}

static bool leave_recording(void *opaque, const char *images, GError **error)
{
    Traveller *t = opaque;

    return go_live(t->b, t->o, images, error);
}

static const char *mode(void *opaque, const char **file)
{
    Traveller *t = opaque;
    bool plays = session_is_replay(t->b->accel), records = session_is_recording(t->b->accel);

    *file = plays ? t->o->replay_file : records ? t->b->recording : NULL;
    return plays ? "play" : records ? "record" : "none";
}

Traveller *traveller_new(Built *b, const Options *o, RunControl *rc)
{
    Traveller *t = g_new0(Traveller, 1);

    t->b = b;
    t->o = o;
    t->rc = rc;
    t->for_monitor = (MonitorTravel){ is_possible, where,     print,           to_count, to_step,
                                      to_access,   set_break, leave_recording, mode,     t };
    return t;
}

void traveller_free(Traveller *t)
{
    g_free(t);
}

const MonitorTravel *traveller_for_monitor(Traveller *t)
{
    return &t->for_monitor;
}

bool traveller_back_step(Traveller *t, unsigned cpu)
{
    if (!is_possible(t))
        return false;
    travel_back_step(t->b->accel, cpu);
    set_out(t);
    return true;
}

bool traveller_back_continue(Traveller *t)
{
    if (!is_possible(t))
        return false;
    travel_back_continue(t->b->accel);
    set_out(t);
    return true;
}
