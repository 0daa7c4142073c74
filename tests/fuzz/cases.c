/* SPDX-License-Identifier: MIT */
#include "tests/fuzz/cases.h"

#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Progress {
    uint64_t seed; /* the case that runs */
    uint64_t done;
} Progress;

/* ---- A child that may die -------------------------------------------------------------------- */

static volatile sig_atomic_t seconds_left;

static void second_taken(int signal_number)
{
    if (--seconds_left > 0)
        return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A process that is frozen for long hears of one second. */
void fuzz_limit_time(unsigned limit)
{
    static const struct itimerval second = { { 1, 0 }, { 1, 0 } };
    static const struct sigaction heard = { .sa_handler = second_taken, .sa_flags = SA_RESTART };

    seconds_left = (sig_atomic_t)limit;
    sigaction(SIGALRM, &heard, NULL);
    setitimer(ITIMER_REAL, &second, NULL);
}

static void run_cases(const FuzzCases *c, Progress *p, uint64_t seed, uint64_t count, gint64 until)
{
    for (uint64_t i = 0; i < count && (!until || g_get_monotonic_time() < until); i++) {
        p->seed = seed + i;
        fuzz_limit_time(c->hang_s);
        if (!c->run(p->seed))
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

/* ---- Command line ---------------------------------------------------------------------------- */

static int64_t seed = 1, seconds = -1, count = -1;

static const GOptionEntry options[] = {
    { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, "first case", "N" },
    { "seconds", 0, 0, G_OPTION_ARG_INT64, &seconds, "run for so long; 0: for ever", "S" },
    { "cases", 0, 0, G_OPTION_ARG_INT64, &count, "run so many", "C" },
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

int fuzz_cases_main(int argc, char **argv, const FuzzCases *c)
{
    Progress *p = mmap(NULL, sizeof(*p), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t most = UINT64_MAX;
    gint64 until = 0;
    bool ok;
    pid_t pid;

    if (p == MAP_FAILED || !parse(&argc, &argv))
        return 2;
    if (count >= 0 || seconds < 0)
        most = count >= 0 ? (uint64_t)count : c->in_suite;
    if (seconds > 0)
        until = g_get_monotonic_time() + seconds * G_USEC_PER_SEC;
    printf("first seed %" PRId64 "\n", seed);
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        run_cases(c, p, (uint64_t)seed, most, until);
        exit(0);
    }
    ok = child_succeeds(pid);
    if (ok)
        printf("%" PRIu64 " cases of %s\n", p->done, c->of);
    else
        fprintf(stderr, "case %" PRIu64 " fails (--seed=%" PRIu64 " --cases=1)\n", p->seed,
                p->seed);
    if (!ok && p->done < most && c->study)
        c->study(p->seed);
    return ok ? 0 : 1;
}
