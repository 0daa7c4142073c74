/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/engines.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "softmmu/clock.h"
#include "target-i386/cpuid.h"
#include "tcg/tcg.h"
#include "tests/fuzz/cases.h"

typedef struct Run {
    const EngineCases *cases;
    System *s;
    GRand *rand;
    Timer *end, *tick;
    bool over;
} Run;

static void time_is_up(void *opaque)
{
    ((Run *)opaque)->over = true;
}

static void tick(void *opaque)
{
    Run *run = opaque;
    int64_t ns = run->cases->tick(run->s, run->rand);

    timer_set(run->tick, clock_now_ns(run->s->machine.clock) + ns);
}

static bool process(void *opaque, bool *quit)
{
    Run *run = opaque;

    *quit = run->over || run->s->machine.requests ||
            (run->s->c->common.halted && !x86_cpu_ops.has_work(&run->s->c->cpu));
    return true;
}

/* False: the machine wants to be reset. */
static bool run_turn(Run *run, int64_t ns)
{
    System *s = run->s;

    if (s->c->common.halted) {
        s->c->common.halted = false;
        s->c->cpu.pc = run->cases->go_on(run->rand);
        x86_update_mode(s->c);
        cpu_context_changed(&s->c->cpu);
    }
    run->over = false;
    timer_set(run->end, clock_now_ns(s->machine.clock) + ns);
    accel_run(s->accel, process, run);
    timer_cancel(run->end);
    return !s->machine.requests;
}

typedef struct Length {
    unsigned turns;
    int64_t ns; /* of the last of them */
} Length;

/* NULL @backend: the host's. @print: the devices' state afterwards. */
static uint64_t run_backend(const EngineCases *cases, uint64_t seed, const char *backend,
                            Length length, GString *print)
{
    g_autoptr(GRand) r = g_rand_new_with_seed((guint32)seed);
    unsigned nmodels = g_strv_length((char **)cases->models);
    Run run = { cases, system_new(backend, cases->models[seed / 8 % nmodels]), .rand = r };
    uint64_t hash;

    x86_words_limit(run.s->c->features,
                    tcg_features(NULL)); /* no back end has less than the host's */
    cases->setup(run.s, r, seed);
    run.end = timer_new(run.s->machine.clock, time_is_up, &run);
    run.tick = timer_new(run.s->machine.clock, tick, &run);
    if (cases->tick)
        tick(&run);
    for (unsigned i = 0; i < length.turns; i++)
        if (!run_turn(&run, i + 1 < length.turns ? ENGINES_TURN_NS : length.ns))
            break;
    hash = machine_state_hash(&run.s->machine) ^ run.s->spied;
    if (print)
        device_tree_print(run.s->machine.root, print);
    timer_free(run.end);
    timer_free(run.tick);
    system_free(run.s);
    return hash;
}

static bool agree(const EngineCases *cases, uint64_t seed, Length length)
{
    return run_backend(cases, seed, NULL, length, NULL) ==
           run_backend(cases, seed, "interp", length, NULL);
}

/* Of the devices' fields those that differ, and in any case where the CPU is. */
static void print_difference(const EngineCases *cases, uint64_t seed, Length length)
{
    g_autoptr(GString) left = g_string_new(NULL), right = g_string_new(NULL);
    g_auto(GStrv) fields = NULL, others = NULL;

    run_backend(cases, seed, NULL, length, left);
    run_backend(cases, seed, "interp", length, right);
    fields = g_strsplit(left->str, ", \"", -1);
    others = g_strsplit(right->str, ", \"", -1);
    for (unsigned i = 0; fields[i] && others[i]; i++) {
        if (strcmp(fields[i], others[i]))
            fprintf(stderr, "jit:    %s\ninterp: %s\n", fields[i], others[i]);
        else if (g_str_has_prefix(fields[i], "cpu.pc"))
            fprintf(stderr, "        %s\n", fields[i]);
    }
}

static void find_start(const EngineCases *cases, uint64_t seed)
{
    Length same = { 1, 0 }, differs = { 1, ENGINES_TURN_NS };

    fuzz_limit_time(300);
    while (differs.turns < cases->turns && agree(cases, seed, differs))
        same.turns = ++differs.turns;
    while (differs.ns - same.ns > 1) {
        Length middle = { same.turns, (same.ns + differs.ns) / 2 };

        if (agree(cases, seed, middle))
            same = middle;
        else
            differs = middle;
    }
    fprintf(stderr, "in turn %u, after %" PRId64 " ns of it; before:\n", differs.turns, differs.ns);
    print_difference(cases, seed, same);
    fprintf(stderr, "after:\n");
    print_difference(cases, seed, differs);
}

static const EngineCases *the_cases; /* of this process; FuzzCases knows numbers only */

static bool run_case(uint64_t seed)
{
    if (agree(the_cases, seed, (Length){ the_cases->turns, ENGINES_TURN_NS }))
        return true;
    fprintf(stderr, "case %" PRIu64 ": the back ends differ\n", seed);
    return false;
}

static void study_case(uint64_t seed)
{
    find_start(the_cases, seed);
}

int engines_main(int argc, char **argv, const EngineCases *cases)
{
    g_autofree char *of = g_strdup_printf("%u turns", cases->turns);
    const FuzzCases numbers = {
        .in_suite = cases->in_suite, .hang_s = 30, .run = run_case, .study = study_case, .of = of
    };

    the_cases = cases;
    return fuzz_cases_main(argc, argv, &numbers);
}
