/* SPDX-License-Identifier: MIT */
/*
 * A hostile guest against the whole board. Each case runs on two boards side by side, of which the
 * second is saved, reset and loaded, or moved to a new board, again and again: both must answer
 * the same, raise the same lines and end in the same state.
 *
 *   test-devices-fuzz                      a fixed number of cases (the suite)
 *   test-devices-fuzz --seconds=S [--seed=N]   until S seconds have passed; 0: for ever
 *   test-devices-fuzz --seed=N --cases=C   exactly these
 *
 * Cases run in a child. When it dies or complains, the case is cut down to the steps that matter
 * and printed.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/device-ops.h"

#define STEPS_PER_CASE    700
#define STEPS_PER_LOOK    32 /* comparing whole states takes long */
#define SUITE_SEED        1
#define SUITE_CASES       150
#define HANG_SECONDS      30 /* of one case, the time in which the process is frozen not counted */
#define MINIMISE_ATTEMPTS 600

typedef struct Progress {
    uint64_t seed; /* the case that runs */
    uint64_t done;
} Progress;

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

static bool run_step(Twins *t, unsigned n, const Op *op)
{
    uint64_t left, right;

    if (op->kind == OP_ROUND_TRIP)
        return board_round_trip(t->moved) ||
               complain("the state saved is not what was loaded", n, op);
    if (op->kind == OP_MIGRATE)
        return board_migrate(t->moved) || complain("the state did not arrive", n, op);
    if (!op_run(op, t->plain, &left) || !op_run(op, t->moved, &right))
        return complain("timers never come to rest", n, op);
    if (left != right) {
        fprintf(stderr, "answers %#" PRIx64 " and, after loading, %#" PRIx64 "\n", left, right);
        return complain("the boards differ", n, op);
    }
    return true;
}

static bool look(Twins *t, unsigned n, const Op *op)
{
    g_autofree char *difference = board_difference(t->plain, t->moved);

    if (!difference)
        return true;
    fprintf(stderr, "%s\n", difference);
    return complain("the boards differ", n, op);
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

/* ---- A child that may die ------------------------------------------------------------------- */

static volatile sig_atomic_t seconds_taken;

static void second_taken(int signal_number)
{
    if (++seconds_taken < HANG_SECONDS)
        return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* From now on; a process that is frozen for long hears of one second. */
static void limit_time(void)
{
    static const struct itimerval second = { { 1, 0 }, { 1, 0 } };
    static const struct sigaction heard = { .sa_handler = second_taken, .sa_flags = SA_RESTART };

    seconds_taken = 0;
    sigaction(SIGALRM, &heard, NULL);
    setitimer(ITIMER_REAL, &second, NULL);
}

static void run_cases(Progress *p, uint64_t seed, uint64_t count, gint64 until)
{
    for (uint64_t i = 0; i < count && (!until || g_get_monotonic_time() < until); i++) {
        g_autoptr(GArray) ops = NULL;

        p->seed = seed + i;
        ops = ops_generate(p->seed, STEPS_PER_CASE);
        limit_time();
        if (!run_case(p->seed, ops, NULL, STEPS_PER_LOOK))
            exit(1);
        p->done++;
    }
    alarm(0);
}

static bool child_succeeds(pid_t pid)
{
    int status;

    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        fprintf(stderr, "child ended by signal %d%s\n", WTERMSIG(status),
                WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- Cutting a failing case down ------------------------------------------------------------ */

static bool still_fails(uint64_t seed, const GArray *ops, const bool *chosen)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(0);
        limit_time();
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
    limit_time();
    run_case(seed, ops, chosen, 1);
}

/* ---- Command line --------------------------------------------------------------------------- */

static uint64_t seed = SUITE_SEED;
static int64_t seconds = -1, cases = -1;

static const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "first case", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT64, &seconds, "run for so long; 0: for ever", "S" },
    { "cases", 0, 0, G_OPTION_ARG_INT64, &cases, "run so many", "C" },
    { NULL },
};

static bool parse(int *argc, char ***argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    GError *error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (g_option_context_parse(context, argc, argv, &error))
        return true;
    fprintf(stderr, "%s\n", error->message);
    g_error_free(error);
    return false;
}

int main(int argc, char **argv)
{
    Progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t count = UINT64_MAX;
    gint64 until = 0;
    bool ok;
    pid_t pid;

    if (p == MAP_FAILED || !parse(&argc, &argv))
        return 2;
    if (cases >= 0 || seconds < 0)
        count = cases >= 0 ? cases : SUITE_CASES;
    if (seconds > 0)
        until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    printf("first seed %" PRIu64 "\n", seed);
    fflush(stdout);
    board_firmware_create();
    pid = fork();
    if (pid == 0) {
        run_cases(p, seed, count, until);
        exit(0);
    }
    ok = child_succeeds(pid);
    if (ok)
        printf("%" PRIu64 " cases of %u steps\n", p->done, STEPS_PER_CASE);
    else
        fprintf(stderr, "case %" PRIu64 " fails (--seed=%" PRIu64 " --cases=1)\n", p->seed,
                p->seed);
    if (!ok && p->done < count)
        minimise(p->seed);
    board_firmware_remove();
    return ok ? 0 : 1;
}
