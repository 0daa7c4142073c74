/* SPDX-License-Identifier: MIT */
/*
 * Random bytes as system code, in every mode and privilege, over memory of the same: what they do
 * to modes, tables and the code itself is theirs. The host's back end and the portable one must end
 * in the same state, memory included, after as many instructions. Command line: cases.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "softmmu/clock.h"
#include "tests/fuzz/cases.h"
#include "tests/insn/system.h"

#define TURNS     12    /* of a case: from wherever the CPU has halted it goes on elsewhere */
#define TURN_NS   20000 /* an instruction is one */
#define CODE_SIZE 0x1000
#define LOW_END   0x60000u

/* ---- Code ------------------------------------------------------------------------------------ */

static unsigned below(GRand *r, unsigned n)
{
    return g_rand_int_range(r, 0, n);
}

static uint8_t any_byte(GRand *r)
{
    return g_rand_int(r);
}

static const uint8_t prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x26, 0x2e,
                                    0x36, 0x3e, 0x64, 0x65, 0x48, 0x41, 0x4f };

/* Opcodes that do not end a block at once are most of what code is. */
static size_t put_insn(GRand *r, uint8_t *at)
{
    size_t n = 0;

    for (unsigned i = below(r, 3); i; i--)
        at[n++] = prefixes[below(r, sizeof(prefixes))];
    switch (below(r, 8)) {
    case 0: at[n++] = 0x0f; break;
    case 1:
        at[n++] = 0x0f;
        at[n++] = below(r, 2) ? 0x38 : 0x3a;
        break;
    case 2:
        at[n++] = 0xc5;
        at[n++] = any_byte(r);
        break;
    case 3:
        at[n++] = 0xc4;
        at[n++] = 0xe0 | (1 + below(r, 3));
        at[n++] = any_byte(r);
        break;
    }
    at[n++] = any_byte(r);
    for (unsigned i = below(r, 6); i; i--)
        at[n++] = any_byte(r);
    return n;
}

/* A jump back: loops are compiled otherwise. */
static size_t put_loop(GRand *r, uint8_t *at)
{
    static const uint8_t jumps[] = { 0xe2, 0xe0, 0x75, 0x72, 0x7f, 0xeb };

    at[0] = jumps[below(r, sizeof(jumps))];
    at[1] = 0x80 + below(r, 0x80);
    return 2;
}

static void put_code(GRand *r, uint8_t *at)
{
    for (size_t n = 0; n < CODE_SIZE;)
        n += below(r, 12) ? put_insn(r, at + n) : put_loop(r, at + n);
}

/* ---- State ----------------------------------------------------------------------------------- */

static uint64_t odd_register(GRand *r)
{
    switch (below(r, 6)) {
    case 0: return below(r, 256);
    case 1: return (uint64_t)g_rand_int(r) << 32 | g_rand_int(r);
    case 2: return UINT64_MAX - below(r, 16);
    case 3: return TABLES_AT + below(r, 0x4000);
    default: return below(r, LOW_END);
    }
}

static void put_state(System *s, GRand *r)
{
    uint8_t *ram = s->ram->host;

    for (uint32_t at = USER_CODE; at < LOW_END; at++)
        ram[at] = any_byte(r);
    put_code(r, ram + USER_CODE);
    put_code(r, ram + KERNEL_CODE);
    put_code(r, ram + CODE16);
    address_space_written(s->machine.memory, 0, SYSTEM_RAM);
    for (unsigned i = 0; i < 16; i++) {
        uint64_t value = odd_register(r);

        if (i != R_RSP)
            s->c->regs[i] = value;
    }
}

/* Handlers of exceptions that go on somewhere: IRET, code, or the HLT that is there. */
static void put_handlers(System *s, GRand *r, SystemMode mode)
{
    for (unsigned v = 0; v < IDT_VECTORS; v++) {
        uint64_t at = HANDLERS_AT + 16 * v;

        switch (below(r, 4)) {
        case 0: put_insn(r, s->ram->host + at); break;
        case 1: system_write(s, at, mode == SYS_LONG ? 0xcf48 : 0xcf, 2); break;
        }
    }
}

/* ---- A case ---------------------------------------------------------------------------------- */

typedef struct Run {
    System *s;
    Timer *timer;
    bool over;
} Run;

static void time_is_up(void *opaque)
{
    ((Run *)opaque)->over = true;
}

static bool process(void *opaque, bool *quit)
{
    Run *run = opaque;

    *quit = run->over || run->s->machine.requests ||
            (run->s->c->common.halted && !x86_cpu_ops.has_work(&run->s->c->cpu));
    return true;
}

/* False: the machine wants to be reset. */
static bool run_turn(Run *run, GRand *r, int64_t ns)
{
    System *s = run->s;

    if (s->c->common.halted) {
        s->c->common.halted = false;
        s->c->cpu.pc = below(r, 2) ? KERNEL_CODE + below(r, CODE_SIZE) : below(r, CODE_SIZE);
        x86_update_mode(s->c);
        cpu_context_changed(&s->c->cpu);
    }
    run->over = false;
    timer_set(run->timer, clock_now_ns(s->machine.clock) + ns);
    accel_run(s->accel, process, run);
    timer_cancel(run->timer);
    return !s->machine.requests;
}

static const char *const models[] = { "qemu64", "486", "pentium3", "Nehalem", "Haswell,-hle,-rtm" };
static const struct {
    SystemMode mode;
    unsigned cpl;
} starts[] = { { SYS_REAL, 0 }, { SYS_PROT, 0 },   { SYS_PROT, 3 },   { SYS_LONG, 0 },
               { SYS_LONG, 3 }, { SYS_COMPAT, 0 }, { SYS_COMPAT, 3 }, { SYS_VM86, 3 } };

/* @turns of case @seed, the last of them cut at @ns; NULL @backend: the host's. */
static uint64_t run_backend(uint64_t seed, const char *backend, unsigned turns, int64_t ns,
                            GString *print)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(seed);
    unsigned start = seed % G_N_ELEMENTS(starts);
    Run run = { .s = system_new(backend, models[seed / 8 % G_N_ELEMENTS(models)]) };
    uint64_t hash;

    system_setup(run.s, starts[start].mode, starts[start].cpl);
    put_handlers(run.s, r, starts[start].mode);
    put_state(run.s, r);
    run.timer = timer_new(run.s->machine.clock, time_is_up, &run);
    for (unsigned i = 0; i < turns && run_turn(&run, r, i + 1 < turns ? TURN_NS : ns); i++)
        ;
    hash = machine_state_hash(&run.s->machine);
    if (print)
        device_tree_print(run.s->machine.root, print);
    timer_free(run.timer);
    system_free(run.s);
    return hash;
}

static bool agree(uint64_t seed, unsigned turns, int64_t ns)
{
    return run_backend(seed, NULL, turns, ns, NULL) == run_backend(seed, "interp", turns, ns, NULL);
}

static bool run_case(uint64_t seed)
{
    if (agree(seed, TURNS, TURN_NS))
        return true;
    fprintf(stderr, "case %" PRIu64 ": the back ends differ\n", seed);
    return false;
}

/* ---- Where it began -------------------------------------------------------------------------- */

static void print_difference(uint64_t seed, unsigned turns, int64_t ns)
{
    g_autoptr(GString) left = g_string_new(NULL), right = g_string_new(NULL);
    g_auto(GStrv) lines = NULL, others = NULL;

    run_backend(seed, NULL, turns, ns, left);
    run_backend(seed, "interp", turns, ns, right);
    lines = g_strsplit(left->str, "\n", -1);
    others = g_strsplit(right->str, "\n", -1);
    for (unsigned i = 0; lines[i] && others[i]; i++) {
        if (strcmp(lines[i], others[i]))
            fprintf(stderr, "jit:    %s\ninterp: %s\n", lines[i], others[i]);
        else if (strstr(lines[i], " pc ") || strstr(lines[i], "cs."))
            fprintf(stderr, "        %s\n", lines[i]);
    }
}

/* The first turn after which they differ, and the first instruction of it. */
static void find_start(uint64_t seed)
{
    unsigned turns = 1;
    int64_t same = 0, differs = TURN_NS;

    fuzz_limit_time(300);
    while (turns < TURNS && agree(seed, turns, TURN_NS))
        turns++;
    while (differs - same > 1) {
        int64_t middle = (same + differs) / 2;

        if (agree(seed, turns, middle))
            same = middle;
        else
            differs = middle;
    }
    fprintf(stderr, "in turn %u, after %" PRId64 " ns of it; before:\n", turns, differs);
    print_difference(seed, turns, same);
    fprintf(stderr, "after:\n");
    print_difference(seed, turns, differs);
}

int main(int argc, char **argv)
{
    static const FuzzCases cases = {
        .in_suite = 50, .hang_s = 30, .run = run_case, .study = find_start, .of = "12 turns"
    };

    return fuzz_cases_main(argc, argv, &cases);
}
