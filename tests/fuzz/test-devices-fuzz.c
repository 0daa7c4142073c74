/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest against the whole board. Each case runs on two boards side by side, of which the
 * second is saved, reset and loaded, or moved to a new board, again and again: both must answer
 * the same, raise the same lines and end in the same state.
 *
 * A case that fails is cut down to the steps that matter and printed. Command line: cases.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/cases.h"
#include "tests/fuzz/device-ops.h"

#define STEPS_PER_CASE    700
#define STEPS_PER_LOOK    32 /* comparing whole states takes long */
#define HANG_SECONDS      30
#define MINIMISE_ATTEMPTS 600

/* ---- One case ------------------------------------------------------------------------------- */

typedef struct Twins {
    Board *plain, *moved;
} Twins;

static bool complain(const char *what, unsigned n, const Op *op)
{
    fprintf(stderr, "step %u: %s\n", n, what);
    op_print(op, stderr);
    return false;
}

static bool look(Twins *t, unsigned n, const Op *op)
{
    g_autofree char *difference = board_difference(t->plain, t->moved);

    if (!difference)
        return true;
    fprintf(stderr, "%s\n", difference);
    return complain("the boards differ", n, op);
}

static bool run_step(Twins *t, unsigned n, const Op *op)
{
    uint64_t left, right;

    if (op->kind == OP_ROUND_TRIP || op->kind == OP_MIGRATE) {
        if (op->kind == OP_MIGRATE ? board_migrate(t->moved) : board_round_trip(t->moved))
            return true;
        look(t, n, op);
        return complain("the state saved is not what was loaded", n, op);
    }
    if (!op_run(op, t->plain, &left) || !op_run(op, t->moved, &right))
        return complain("timers never come to rest", n, op);
    if (left != right) {
        fprintf(stderr, "answers %#" PRIx64 " and, after loading, %#" PRIx64 "\n", left, right);
        return complain("the boards differ", n, op);
    }
    return true;
}

/* @chosen: which steps to run; NULL: all. */
static bool run_case(uint64_t seed, const GArray *ops, const bool *chosen, unsigned per_look)
{
    const char *vga = seed & 1 ? "cirrus" : "std";
    Twins t = { board_new(vga), board_new(vga) };
    bool ok = true;
    const Op *op = NULL;

    for (unsigned n = 0; ok && n < ops->len; n++) {
        if (chosen && !chosen[n])
            continue;
        op = &g_array_index(ops, Op, n);
        ok = run_step(&t, n, op) && (n % per_look || look(&t, n, op));
    }
    if (ok && op) {
        ok = look(&t, ops->len, op) &&
             (board_same_memory(t.plain, t.moved) || complain("memory differs", ops->len, op));
    }
    board_free(t.plain);
    board_free(t.moved);
    return ok;
}

/* ---- Cutting a failing case down ------------------------------------------------------------ */

static bool still_fails(uint64_t seed, const GArray *ops, const bool *chosen)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        fuzz_limit_time(HANG_SECONDS);
        _exit(!run_case(seed, ops, chosen, 1));
    }
    waitpid(pid, &status, 0);
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* Leave out pieces, large ones first, as long as it fails without them. */
static void minimise(uint64_t seed)
{
    g_autoptr(GArray) ops = ops_generate(seed, STEPS_PER_CASE);
    g_autofree bool *chosen = g_new(bool, ops->len), *fewer = g_new(bool, ops->len);
    unsigned attempts = 0;

    memset(chosen, true, ops->len);
    if (!still_fails(seed, ops, chosen)) {
        fprintf(stderr, "case %" PRIu64 " alone does not fail\n", seed);
        return;
    }
    for (unsigned piece = ops->len / 2; piece; piece /= 2) {
        for (unsigned at = 0; at < ops->len && attempts < MINIMISE_ATTEMPTS; at += piece) {
            unsigned end = MIN(at + piece, ops->len);

            if (!memchr(chosen + at, true, end - at))
                continue;
            memcpy(fewer, chosen, ops->len);
            memset(fewer + at, false, end - at);
            attempts++;
            if (still_fails(seed, ops, fewer))
                memcpy(chosen, fewer, ops->len);
        }
    }
    fprintf(stderr, "the steps that make case %" PRIu64 " fail:\n", seed);
    for (unsigned n = 0; n < ops->len; n++) {
        if (chosen[n])
            op_print(&g_array_index(ops, Op, n), stderr);
    }
    fprintf(stderr, "and how:\n");
    fuzz_limit_time(HANG_SECONDS);
    run_case(seed, ops, chosen, 1);
}

/* ---- Main ------------------------------------------------------------------------------------ */

static bool run_seed(uint64_t seed)
{
    g_autoptr(GArray) ops = ops_generate(seed, STEPS_PER_CASE);

    return run_case(seed, ops, NULL, STEPS_PER_LOOK);
}

int main(int argc, char **argv)
{
    static const FuzzCases cases = { .in_suite = 150,
                                     .hang_s = HANG_SECONDS,
                                     .run = run_seed,
                                     .study = minimise,
                                     .of = "700 steps" };
    int status;

    board_firmware_create();
    status = fuzz_cases_main(argc, argv, &cases);
    board_firmware_remove();
    return status;
}
