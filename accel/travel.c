/* SPDX-License-Identifier: MIT */
/*
 * A journey has one or two legs. Searching: from the checkpoint before where it began, then from
 * the one before that, and so on, each time up to where the last run began, until one of these runs
 * was stopped by a point; its last stop is the one. Going: to the checkpoint before a known step
 * (or count) and on to it, leaving checkpoints ever closer together, so that the next journey,
 * which likely ends a little before, is short.
 */
#include "accel/travel.h"

#include <inttypes.h>
#include <string.h>

#include "accel/checkpoint.h"
#include "accel/engine.h"

#define INTERVAL (UINT64_C(1) << 26) /* steps between checkpoints on the way forward */
#define CLOSEST  256                 /* … before the end of a journey */

typedef enum Leg { LEG_NONE, LEG_SEARCH, LEG_GO } Leg;

typedef struct Found {
    bool any;
    uint64_t step;
    DebugStop stop;
} Found;

struct Travel {
    Checkpoints *checkpoints; /* NULL until the loop comes by first */
    uint64_t budget;
    bool expected;
    uint64_t seen; /* what the guest sent until that step has been shown */
    bool silent;
    uint64_t looked;  /* the step at which checkpoints were last looked at */
    uint64_t planned; /* a checkpoint is to be made there */
    bool replan;
    unsigned differences;
    uint64_t break_count, last_count; /* stop there; as it was one turn before */
    /* the journey */
    Leg leg;
    bool jump;           /* to the checkpoint before `end`, before it begins */
    uint64_t start, end; /* steps: where this run began; no further than that */
    uint64_t
        end_count;   /* LEG_GO, unless WAYPOINT_NONE: to that count, `end` being no more than it */
    uint64_t origin; /* where the user was */
    Found found;
    uint64_t last; /* steps after the last slice */
    bool steps;    /* searched: the last step of `cpu` */
    unsigned cpu;
    bool has_own_point;
    DebugPoint own_point; /* searched: inserted for that */
    DebugStop news;       /* at the end of LEG_GO */
};

/* ---- Asking -----------------------------------------------------------------------------------
 */

void travel_enable(Accel *a, uint64_t budget)
{
    g_assert(session_is_replay(a) && !a->travel);
    a->travel = g_new0(Travel, 1);
    a->travel->budget = budget;
    a->travel->break_count = WAYPOINT_NONE;
}

void travel_expect(Accel *a)
{
    if (a->travel)
        a->travel->expected = a->travel->replan = true;
}

bool travel_is_possible(const Accel *a)
{
    return a->travel;
}

bool travel_is_under_way(const Accel *a)
{
    return a->travel && a->travel->leg != LEG_NONE;
}

uint64_t travel_steps(const Accel *a)
{
    return accel_steps(a);
}

static void end_journey(Accel *a)
{
    Travel *t = a->travel;

    t->leg = LEG_NONE;
    t->replan = true;
    a->debug.quiet = false;
    if (t->has_own_point)
        debug_remove(a, &t->own_point);
    t->has_own_point = false;
}

static void begin(Accel *a)
{
    Travel *t = a->travel;

    if (t->leg == LEG_NONE)
        t->origin = accel_steps(a);
    else
        end_journey(a);
    t->expected = true;
    t->seen = MAX(t->seen, t->origin);
    t->end_count = WAYPOINT_NONE;
    t->jump = true;
    t->steps = false;
    for (unsigned i = 0; i < a->cpus->len; i++)
        debug_set_run(a, i, DEBUG_GO, false);
}

static void go(Accel *a, uint64_t step, const DebugStop *news)
{
    Travel *t = a->travel;

    t->leg = LEG_GO;
    t->jump = t->replan = true;
    t->end = step;
    t->news = *news;
    a->debug.quiet = true;
}

static void search(Accel *a)
{
    Travel *t = a->travel;

    t->leg = LEG_SEARCH;
    t->jump = true;
    t->end = accel_steps(a);
    t->found.any = false;
    a->debug.quiet = t->steps;
}

void travel_back_step(Accel *a, unsigned cpu)
{
    Travel *t = a->travel;
    uint64_t first = checkpoints_before(t->checkpoints, 0)->step;

    begin(a);
    if (t->origin == first)
        go(a, first, &(DebugStop){ .why = DEBUG_BEGIN });
    else if (cpu == TRAVEL_ANY_CPU || a->cpus->len == 1)
        go(a, t->origin - 1, &(DebugStop){ .why = DEBUG_STEPPED });
    else {
        t->steps = true;
        t->cpu = cpu;
        search(a);
    }
}

void travel_back_continue(Accel *a)
{
    begin(a);
    search(a);
}

void travel_back_to_point(Accel *a, const DebugPoint *p)
{
    Travel *t = a->travel;

    begin(a);
    t->own_point = *p;
    t->has_own_point = debug_insert(a, p);
    search(a);
}

void travel_to_count(Accel *a, uint64_t count)
{
    Travel *t = a->travel;
    const Checkpoint *before = checkpoints_before_count(t->checkpoints, count);

    begin(a);
    go(a, count, &(DebugStop){ .why = DEBUG_REACHED });
    t->end_count = count;
    t->jump = count < a->count || before->step > accel_steps(a);
}

void travel_to_step(Accel *a, uint64_t step)
{
    begin(a);
    go(a, step, &(DebugStop){ .why = DEBUG_REACHED });
}

void travel_set_break(Accel *a, uint64_t count)
{
    a->travel->break_count = count;
}

void travel_cancel(Accel *a)
{
    if (!travel_is_under_way(a))
        return;
    a->travel->end_count = WAYPOINT_NONE;
    go(a, a->travel->origin, &(DebugStop){ .why = DEBUG_NOTHING });
}

void travel_go_live(Accel *a)
{
    end_journey(a);
    machine_set_silent(a->machine, false);
    a->waypoint = WAYPOINT_NONE;
    travel_free(a);
    session_go_live(a);
}

/* ---- On the way -------------------------------------------------------------------------------
 */

static void set_silent(Accel *a, bool silent)
{
    if (a->travel->silent != silent)
        machine_set_silent(a->machine, silent);
    a->travel->silent = silent;
}

/* To where this run begins. */
static void jump(Accel *a)
{
    Travel *t = a->travel;
    const Checkpoint *to = t->leg == LEG_SEARCH ? checkpoints_before(t->checkpoints, t->end - 1)
                           : t->end_count != WAYPOINT_NONE
                               ? checkpoints_before_count(t->checkpoints, t->end_count)
                               : checkpoints_before(t->checkpoints, t->end);

    checkpoints_go(t->checkpoints, to);
    t->jump = false;
    t->start = t->looked = t->last = to->step;
    t->replan = true;
}

/* Where the run ends at the latest. A count is met by coming ever closer. */
static uint64_t leg_end(const Accel *a)
{
    const Travel *t = a->travel;

    if (t->leg == LEG_NONE && t->break_count > a->count && t->break_count != WAYPOINT_NONE)
        return accel_steps(a) + (t->break_count - a->count);
    if (t->leg == LEG_NONE)
        return WAYPOINT_NONE;
    return t->end_count == WAYPOINT_NONE ? t->end : accel_steps(a) + (t->end_count - a->count);
}

/* Where the next checkpoint is to be. */
static void plan_checkpoint(Accel *a)
{
    Travel *t = a->travel;
    uint64_t here = accel_steps(a), half = here + (leg_end(a) - here) / 2;

    t->replan = false;
    t->planned = WAYPOINT_NONE;
    if (t->expected)
        t->planned = MAX(checkpoints_origin(t->checkpoints)->step + INTERVAL, here);
    if (t->leg == LEG_GO && half - here >= CLOSEST)
        t->planned = MIN(t->planned, half);
}

static void set_waypoint(Accel *a)
{
    const Travel *t = a->travel;
    uint64_t here = accel_steps(a);
    const Checkpoint *next = checkpoints_after(t->checkpoints, here);

    a->waypoint = MIN(leg_end(a), MAX(t->planned, here + 1));
    if (t->silent)
        a->waypoint = MIN(a->waypoint, MAX(t->seen, here + 1));
    if (next)
        a->waypoint = MIN(a->waypoint, next->step);
}

/* The run is where it was to go. */
static void arrive(Accel *a)
{
    Travel *t = a->travel;
    DebugStop news = t->news;

    end_journey(a);
    if (news.why != DEBUG_BREAKPOINT && news.why != DEBUG_WATCHPOINT && !t->steps)
        news.cpu = a->debug.left ? a->debug.turn : 0;
    a->debug.stop = news;
    machine_request(a->machine, REQUEST_DEBUG);
}

/* A run that searched is over. */
static void search_on(Accel *a)
{
    Travel *t = a->travel;

    bool all = t->start == checkpoints_before(t->checkpoints, 0)->step;

    if (t->found.any)
        go(a, t->found.step, &t->found.stop);
    else if (all && t->has_own_point)
        go(a, t->origin, &(DebugStop){ .why = DEBUG_NEVER, .point = t->own_point });
    else if (all)
        go(a, t->start, &(DebugStop){ .why = DEBUG_BEGIN });
    else {
        t->end = t->start;
        t->jump = true;
    }
}

static bool is_at_end(const Accel *a)
{
    const Travel *t = a->travel;

    return t->end_count == WAYPOINT_NONE ? accel_steps(a) >= t->end : a->count >= t->end_count;
}

/* Checkpoints: the one that is here is passed, one that is due is made. */
static void look_at_checkpoints(Accel *a)
{
    Travel *t = a->travel;
    uint64_t here = accel_steps(a);
    const Checkpoint *at = checkpoints_before(t->checkpoints, here);

    if (here == t->looked) /* things may have happened since */
        return;
    t->looked = here;
    if (at->step == here && at != checkpoints_origin(t->checkpoints))
        t->differences += !checkpoints_pass(t->checkpoints, at);
    else if (here >= t->planned)
        checkpoints_take(t->checkpoints);
    else
        return;
    t->replan = true;
}

/* What the guest asked for and waits to be done is no state that is kept. */
static bool guest_waits(const Accel *a)
{
    const uint32_t of_host = REQUEST_DEBUG | REQUEST_STOP | REQUEST_QUIT;

    return a->machine->requests & ~of_host;
}

/* What the recording's end, or a divergence, leaves of a journey. */
static void end_early(Accel *a)
{
    if (!travel_is_under_way(a) || a->travel->jump || !session_result(a).finished)
        return;
    end_journey(a);
    debug_end(a);
}

void travel_turn(Accel *a)
{
    Travel *t = a->travel;

    if (!t->checkpoints)
        t->checkpoints = checkpoints_new(a, t->budget);
    end_early(a);
    if (a->machine->state != RUN_RUNNING)
        return;
    while (t->leg != LEG_NONE && (t->jump || is_at_end(a))) {
        if (t->jump)
            jump(a);
        else if (t->leg == LEG_SEARCH)
            search_on(a);
        else
            arrive(a);
    }
    if (t->leg == LEG_NONE && a->count == t->break_count && t->last_count < a->count) {
        a->debug.stop = (DebugStop){ .why = DEBUG_REACHED };
        machine_request(a->machine, REQUEST_DEBUG);
    }
    t->last_count = a->count;
    set_silent(a, accel_steps(a) < t->seen);
    if (!guest_waits(a))
        look_at_checkpoints(a);
    if (t->replan)
        plan_checkpoint(a);
    set_waypoint(a);
}

bool travel_is_due(const Accel *a)
{
    return a->travel->replan || accel_steps(a) >= a->waypoint;
}

static void note_found(Travel *t, uint64_t step, const DebugStop *stop)
{
    if (step < t->origin)
        t->found = (Found){ true, step, *stop };
}

static bool is_own(const Travel *t, const DebugPoint *p)
{
    return p->addr == t->own_point.addr && p->kinds == t->own_point.kinds &&
           p->tag == t->own_point.tag;
}

void travel_note_slice(Accel *a, unsigned cpu)
{
    Travel *t = a->travel;
    DebugStop stop = a->debug.stop;
    uint64_t here = accel_steps(a);
    bool got_on = here != t->last;

    t->last = here;
    if (t->leg != LEG_SEARCH)
        return;
    if (t->steps) {
        if (got_on && cpu == t->cpu)
            note_found(t, here - 1, &(DebugStop){ .why = DEBUG_STEPPED, .cpu = cpu });
        return;
    }
    a->debug.stop.why = DEBUG_NOTHING;
    if (stop.why == DEBUG_BREAKPOINT)
        debug_set_run(a, cpu, DEBUG_GO, true);
    if (stop.why == DEBUG_NOTHING || (t->has_own_point && !is_own(t, &stop.point)))
        return;
    note_found(t, stop.why == DEBUG_WATCHPOINT ? here - 1 : here, &stop);
}

void travel_free(Accel *a)
{
    if (!a->travel)
        return;
    checkpoints_free(a->travel->checkpoints);
    g_free(a->travel);
    a->travel = NULL;
}

unsigned travel_differences(const Accel *a)
{
    return a->travel ? a->travel->differences : 0;
}

void travel_print(Accel *a, GString *out)
{
    const Travel *t = a->travel;

    g_string_append_printf(out, "%" PRIu64 " instructions, %" PRIu64 " ns\n", a->count,
                           (uint64_t)accel_clock_source(a));
    if (!t || !t->checkpoints)
        return;
    g_string_append_printf(out, "%u checkpoints, %" PRIu64 " of %" PRIu64 " MiB\n",
                           checkpoints_count(t->checkpoints),
                           checkpoints_bytes(t->checkpoints) >> 20, t->budget >> 20);
    if (t->differences)
        g_string_append_printf(out, "defect: %u times a run was not as before\n", t->differences);
}
