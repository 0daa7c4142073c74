/* SPDX-License-Identifier: MIT */
#include "accel/checkpoint.h"

#include <string.h>

#include "accel/plugin/instrument.h"
#include "accel/plugin/mimus-plugin.h"
#include "softmmu/device.h"
#include "softmmu/ram-history.h"

#define MAX_COUNT 512

typedef struct CheckpointState {
    RamMoment *ram;
    GBytes *plugs; /* NULL: nothing can be plugged in */
    GByteArray *devices;
    ClockMoment *clock;
    SessionPlace session;
    GPtrArray *kept; /* GBytes *, of the first of Machine.keepers: more may have come since */
    uint64_t turn, settled_at;
    int64_t bias_ns;
    unsigned debug_turn;
    int32_t debug_left;
    bool debug_exact, debug_late;
} CheckpointState;

struct Checkpoints {
    Accel *a;
    uint64_t budget, bytes; /* bytes: but for RAM */
    RamHistory *ram;
    GPtrArray *all; /* Checkpoint *, by step */
    Checkpoint *origin;
};

/* ---- One --------------------------------------------------------------------------------------
 */

static uint64_t state_bytes(const CheckpointState *s)
{
    return sizeof(Checkpoint) + sizeof(*s) + s->devices->len;
}

static Checkpoint *save(Checkpoints *c)
{
    Accel *a = c->a;
    const GArray *keepers = a->machine->keepers;
    CheckpointState *s = g_new0(CheckpointState, 1);
    Checkpoint *k = g_new0(Checkpoint, 1);

    *k = (Checkpoint){ accel_steps(a), a->count, s };
    if (a->machine->plugs.save)
        s->plugs = a->machine->plugs.save(a->machine->plugs.opaque);
    s->devices = g_byte_array_new();
    device_tree_save(a->machine->root, s->devices);
    s->ram = ram_history_keep(c->ram);
    tlb_forget_stores(a);
    s->clock = clock_save(a->machine->clock);
    s->session = session_place(a);
    s->kept = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    for (guint i = 0; i < keepers->len; i++) {
        const MachineKeeper *keeper = &g_array_index(keepers, MachineKeeper, i);
        g_ptr_array_add(s->kept, keeper->save(keeper->opaque));
    }
    s->turn = a->turn;
    s->settled_at = a->settled_at;
    s->bias_ns = a->bias_ns;
    s->debug_turn = a->debug.turn;
    s->debug_left = a->debug.left;
    s->debug_exact = a->debug.exact;
    s->debug_late = a->debug.late;
    c->bytes += state_bytes(s);
    return k;
}

static void drop(Checkpoints *c, Checkpoint *k)
{
    CheckpointState *s = k->state;

    c->bytes -= state_bytes(s);
    g_ptr_array_unref(s->kept);
    g_clear_pointer(&s->plugs, g_bytes_unref);
    g_byte_array_free(s->devices, TRUE);
    g_free(s->clock);
    g_free(s);
    g_free(k);
}

static void ram_changed(void *opaque, uint64_t ram, uint64_t len)
{
    tb_invalidate(&((Accel *)opaque)->tbs, ram, len);
}

static void load_counters(Accel *a, const Checkpoint *k)
{
    const CheckpointState *s = k->state;

    a->count = k->count;
    a->delivered = k->step - k->count;
    a->turn = s->turn;
    a->settled_at = s->settled_at;
    a->bias_ns = s->bias_ns;
    a->debug.turn = s->debug_turn;
    a->debug.left = s->debug_left;
    a->debug.exact = s->debug_exact;
    a->debug.late = s->debug_late;
    a->debug.stop.why = DEBUG_NOTHING;
    a->machine->requests &= REQUEST_QUIT;
}

void accel_forget_caches(Accel *a)
{
    for (unsigned i = 0; i < a->cpus->len; i++) {
        Cpu *cpu = a->cpus->pdata[i];
        CpuRun *run = cpu->run;

        run->one_insn = run->no_groups = run->debug_skips = run->debug_hit = false;
        tlb_flush(cpu);
    }
}

static void load(Checkpoints *c, const Checkpoint *k)
{
    Accel *a = c->a;
    const CheckpointState *s = k->state;

    ram_history_go(c->ram, s->ram, ram_changed, a);
    load_counters(a, k);
    if (s->plugs && !a->machine->plugs.load(a->machine->plugs.opaque, s->plugs, NULL))
        g_assert_not_reached(); /* it is this machine's, which keeps what went */
    if (!device_tree_load(a->machine->root, s->devices->data, s->devices->len, NULL))
        g_assert_not_reached(); /* it is this machine's */
    clock_load(a->machine->clock, s->clock);
    for (guint i = 0; i < a->machine->keepers->len; i++)
        machine_load_kept(a->machine, i, i < s->kept->len ? s->kept->pdata[i] : NULL);
    session_seek(a, &s->session);
    accel_forget_caches(a);
    plugin_machine_event(a, MIMUS_RESTORED, NULL);
}

/* ---- All --------------------------------------------------------------------------------------
 */

Checkpoints *checkpoints_new(Accel *a, uint64_t budget)
{
    Checkpoints *c = g_new0(Checkpoints, 1);

    c->a = a;
    c->budget = budget;
    c->ram = ram_history_new(a->machine->ram);
    c->all = g_ptr_array_new();
    checkpoints_take(c);
    return c;
}

void checkpoints_free(Checkpoints *c)
{
    if (!c)
        return;
    for (guint i = 0; i < c->all->len; i++)
        drop(c, c->all->pdata[i]);
    g_assert(c->bytes == 0);
    g_ptr_array_free(c->all, TRUE);
    ram_history_free(c->ram);
    g_free(c);
}

/* How many are not after that step or count. */
static guint number_before(const Checkpoints *c, uint64_t step, bool by_count)
{
    guint low = 0, high = c->all->len;

    while (low < high) {
        guint middle = (low + high) / 2;
        const Checkpoint *k = c->all->pdata[middle];

        if ((by_count ? k->count : k->step) <= step)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What goes if the one at @n does: as long as the way from the one before it is then, seen from
 * here, so much is it missed. */
static double worth(const Checkpoints *c, guint n)
{
    const Checkpoint *before = c->all->pdata[n - 1], *k = c->all->pdata[n];
    uint64_t here = accel_steps(c->a),
             end = n + 1 < c->all->len ? ((Checkpoint *)c->all->pdata[n + 1])->step
                                       : MAX(here, k->step),
             far = here > k->step ? here - k->step : k->step - here;

    return (double)(end - before->step) / (double)(far + 1);
}

static void forget_one(Checkpoints *c)
{
    guint least = 0;
    double least_worth = 0;
    Checkpoint *k;

    for (guint n = 1; n < c->all->len; n++) {
        double w = worth(c, n);

        if (c->all->pdata[n] != c->origin && (!least || w < least_worth)) {
            least = n;
            least_worth = w;
        }
    }
    if (!least)
        return;
    k = c->all->pdata[least];
    g_ptr_array_remove_index(c->all, least);
    ram_history_forget(c->ram, k->state->ram);
    drop(c, k);
}

void checkpoints_take(Checkpoints *c)
{
    uint64_t step = accel_steps(c->a);
    guint n = number_before(c, step, false), left;

    if (n &&
        (((Checkpoint *)c->all->pdata[n - 1])->step == step || c->all->pdata[n - 1] != c->origin))
        return; /* one is here; or RAM is not known to come from the one before */
    c->origin = save(c);
    g_ptr_array_insert(c->all, n, c->origin);
    for (left = c->all->len; left > 2; left--) {
        if (c->all->len <= MAX_COUNT && checkpoints_bytes(c) <= c->budget)
            break;
        forget_one(c);
    }
}

void checkpoints_go(Checkpoints *c, const Checkpoint *to)
{
    load(c, to);
    c->origin = (Checkpoint *)to;
}

typedef struct Comparison {
    Accel *a;
    bool differs;
} Comparison;

static void note_difference(void *opaque, uint64_t ram, uint64_t len)
{
    Comparison *c = opaque;

    c->differs = true;
    ram_changed(c->a, ram, len);
}

bool checkpoints_pass(Checkpoints *c, const Checkpoint *at)
{
    g_autoptr(GByteArray) devices = g_byte_array_new();
    const GByteArray *then = at->state->devices;
    Comparison comparison = { c->a, false };

    device_tree_save(c->a->machine->root, devices);
    ram_history_go(c->ram, at->state->ram, note_difference, &comparison);
    tlb_forget_stores(c->a);
    c->origin = (Checkpoint *)at;
    return !comparison.differs && devices->len == then->len &&
           !memcmp(devices->data, then->data, then->len);
}

const Checkpoint *checkpoints_before(const Checkpoints *c, uint64_t step)
{
    guint n = number_before(c, step, false);

    return c->all->pdata[n ? n - 1 : 0];
}

const Checkpoint *checkpoints_before_count(const Checkpoints *c, uint64_t count)
{
    guint n = number_before(c, count, true);

    return c->all->pdata[n ? n - 1 : 0];
}

const Checkpoint *checkpoints_after(const Checkpoints *c, uint64_t step)
{
    guint n = number_before(c, step, false);

    return n < c->all->len ? c->all->pdata[n] : NULL;
}

const Checkpoint *checkpoints_origin(const Checkpoints *c)
{
    return c->origin;
}

unsigned checkpoints_count(const Checkpoints *c)
{
    return c->all->len;
}

uint64_t checkpoints_bytes(const Checkpoints *c)
{
    return c->bytes + ram_history_bytes(c->ram);
}
