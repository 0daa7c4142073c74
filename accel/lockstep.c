/* SPDX-License-Identifier: MIT */
/* Halving: each time from snapshots of where they agreed last. */
#include "accel/lockstep.h"

#include <string.h>

#include "accel/engine.h"
#include "accel/snapshot.h"
#include "softmmu/device.h"

typedef struct Run {
    const LockstepSide *side;
    uint64_t count, step;
    bool reached;
} Run;

static bool process(void *opaque, bool *quit)
{
    Run *run = opaque;
    const Accel *a = run->side->accel;
    bool may_run = run->side->process(run->side->opaque, quit);

    run->reached = a->count >= run->count || accel_steps(a) >= run->step;
    if (!may_run || run->reached)
        *quit = true;
    return may_run;
}

bool lockstep_run(const LockstepSide *s, uint64_t count, uint64_t step)
{
    Run run = { s, count, step, false };

    s->accel->waypoint = step;
    accel_run(s->accel, process, &run);
    s->accel->waypoint = WAYPOINT_NONE;
    return run.reached;
}

typedef struct Moment {
    GBytes *machine;
    SessionPlace place;
} Moment;

static Moment save(const LockstepSide *s)
{
    return (Moment){ snapshot_save(s->accel, NULL), session_place(s->accel) };
}

static bool load(const LockstepSide *s, const Moment *m, GError **error)
{
    if (!snapshot_load(s->accel, m->machine, error))
        return false;
    session_seek(s->accel, &m->place);
    s->resume(s->opaque);
    return true;
}

bool lockstep_copy(const LockstepSide *from, const LockstepSide *to, GError **error)
{
    Moment m = { snapshot_save(from->accel, error), session_place(from->accel) };
    bool good = m.machine && load(to, &m, error);

    if (m.machine)
        g_bytes_unref(m.machine);
    return good;
}

static bool rams_agree(const Machine *a, const Machine *b)
{
    const GPtrArray *of_a = ram_set_blocks(a->ram), *of_b = ram_set_blocks(b->ram);

    if (ram_set_end(a->ram) != ram_set_end(b->ram) || of_a->len != of_b->len)
        return false;
    for (unsigned i = 0; i < of_a->len; i++) {
        const RamBlock *x = of_a->pdata[i], *y = of_b->pdata[i];

        if (x->size != y->size || memcmp(x->host, y->host, x->size))
            return false;
    }
    return true;
}

bool lockstep_agree(const LockstepSide *a, const LockstepSide *b)
{
    const Machine *x = a->accel->machine, *y = b->accel->machine;

    return accel_steps(a->accel) == accel_steps(b->accel) && a->accel->count == b->accel->count &&
           device_tree_hash(x->root, 0) == device_tree_hash(y->root, 0) && rams_agree(x, y);
}

static void load_both(const LockstepSide side[2], const Moment before[2])
{
    for (unsigned i = 0; i < 2; i++)
        if (!load(&side[i], &before[i], NULL))
            g_assert_not_reached(); /* it is its own */
}

/* Both until @step: do they agree there? */
static bool agree_at(const LockstepSide side[2], uint64_t step)
{
    bool first = lockstep_run(&side[0], UINT64_MAX, step);

    return lockstep_run(&side[1], UINT64_MAX, step) && first && lockstep_agree(&side[0], &side[1]);
}

static void halve(const LockstepSide side[2], Moment before[2], uint64_t end)
{
    uint64_t start;

    load_both(side, before);
    for (start = accel_steps(side[0].accel); end - start > 1; load_both(side, before)) {
        uint64_t middle = start + (end - start) / 2;

        if (!agree_at(side, middle)) {
            end = middle;
            continue;
        }
        start = middle;
        for (unsigned i = 0; i < 2; i++) {
            g_bytes_unref(before[i].machine);
            before[i] = save(&side[i]);
        }
    }
}

bool lockstep_find(const LockstepSide side[2], uint64_t count)
{
    Moment before[2] = { save(&side[0]), save(&side[1]) };
    bool differ;

    for (unsigned i = 0; i < 2; i++)
        lockstep_run(&side[i], count, UINT64_MAX);
    differ = !lockstep_agree(&side[0], &side[1]);
    if (differ)
        halve(side, before, MAX(accel_steps(side[0].accel), accel_steps(side[1].accel)));
    for (unsigned i = 0; i < 2; i++)
        g_bytes_unref(before[i].machine);
    return differ;
}
