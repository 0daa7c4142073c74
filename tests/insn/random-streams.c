/* SPDX-License-Identifier: MIT */
/*
 * Random streams of every entry of the decode tables that user code may execute, in 64-bit, 32-bit
 * and 16-bit protected mode: the host's silicon against the compiler with and without its passes,
 * and the portable back end; without silicon, and in real mode, these against each other. What
 * differs is cut down and printed as a row. Also counts, for each entry, how often rows and streams
 * executed it, and fails if one has no row.
 *
 *   --executions N | --minutes N   how much (instructions that streams have completed)
 *   --seed S --jobs N --reports N --modes LIST --only TEXT (names that contain it)
 *   --stream SEED:MODE:ENTRY       that stream alone, as reports print it
 *   --coverage FILE                write the counts; fails if an entry that silicon can be asked
 *                                  about was never compared with it
 *   --guests FILE                  counts of the privileged ones in the bare-metal guests; none at
 * 0
 *   --silicon                      without silicon be skipped (77)
 *   --engines                      not against silicon: each other alone, to the last flag
 *   --record                       print rows for the entries that have none, by silicon
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leeway.h"
#include "stream.h"

enum { MAX_ENTRIES = 8192, SKIPPED = 77 };

typedef struct Shared { /* among the jobs */
    uint64_t rows[MAX_ENTRIES], guests[MAX_ENTRIES];
    uint64_t silicon[MAX_ENTRIES], engines[MAX_ENTRIES]; /* compared with it; among themselves */
    uint64_t leeway[LEEWAY_COUNT];
    uint64_t executions, nstreams, differences;
    uint64_t features, common; /* of streams: all, and what every engine has */
} Shared;

static struct {
    gint64 executions, seed;
    double minutes;
    int jobs, reports;
    gboolean silicon, engines, record;
    char *modes, *only, *stream, *coverage, *guests;
} options = { .jobs = 1, .reports = 10 };

static Shared *shared;
static unsigned ran[4096], nran; /* entries that the trace saw completed */
static Runner *runners[16], *tracer;
static unsigned nrunners;

static const Mode all_modes[] = { M64, M32, M64, M16P, M64, M32, M64, M32S, M64, M32, M16 };

/* ---- Counting -------------------------------------------------------------------------------- */

static const char *const faulting[] = { "ud", "int3", "int", "into", "int1", "bound" };

/* What ends by an exception of its own counts as well. */
static void see(const Insn *i, bool completed)
{
    for (unsigned n = 0; n < G_N_ELEMENTS(faulting) && !completed; n++)
        completed = !strcmp(i->desc->name, faulting[n]);
    if (completed && nran < G_N_ELEMENTS(ran))
        ran[nran++] = entry_of(i);
}

static void count_into(uint64_t *counts)
{
    for (unsigned n = 0; n < nran; n++)
        __atomic_fetch_add(&counts[ran[n]], 1, __ATOMIC_RELAXED);
}

static void count_row(const Row *r, Mode mode)
{
    static PreparedRow p;
    State out;
    row_prepare(r, mode, HOST_OTHER, &p);
    nran = 0;
    tracer->run(tracer, &p.k, &p.before, &out);
    count_into(shared->rows);
}

static void count_rows(void)
{
#define COUNT(list)                                                     \
    for (const Row *r = list##_rows; r->name; r++) {                    \
        for (Mode mode = M16; mode <= M16P; mode = (Mode)(mode << 1)) { \
            if (r->modes & mode)                                        \
                count_row(r, mode);                                     \
        }                                                               \
    }
    ROW_LISTS(COUNT)
#undef COUNT
}

/* What the bare-metal guests complete of the privileged entries: lines "COUNT ID". */
static bool read_guests(void)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(options.guests, &text, NULL, &error)) {
        fprintf(stderr, "%s (bare-privileged writes it)\n", error->message);
        return false;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (unsigned n = 0; n < entry_count(); n++) {
        for (unsigned k = 0; lines[k]; k++) {
            const char *id = strchr(lines[k], ' ');
            if (id && !strcmp(id + 1, entry_at(n)->id))
                shared->guests[n] = g_ascii_strtoull(lines[k], NULL, 10);
        }
    }
    return true;
}

static unsigned report_missing_rows(void)
{
    unsigned missing = 0;
    for (unsigned n = 0; n < entry_count(); n++) {
        const Entry *e = entry_at(n);
        if (shared->rows[n] || entry_is_privileged(e))
            continue;
        printf("no row for %s, %s: see --record\n", e->id, e->desc->name);
        missing++;
    }
    return missing;
}

/* ---- Streams --------------------------------------------------------------------------------- */

typedef struct Batch {
    unsigned n;
    Stream stream[SILICON_BATCH];
    Case k[SILICON_BATCH];
    Memory before[SILICON_BATCH], want_mem[SILICON_BATCH];
    State want[SILICON_BATCH];
} Batch;

static bool can_run(const Runner *r, const Stream *s)
{
    return (r->modes & s->mode) && !(s->needs & ~r->features);
}

/* Silicon, or else the first engine that can run it. */
static Runner *reference(const Stream *s)
{
    unsigned n = 0;
    while (!can_run(runners[n], s))
        g_assert(++n < nrunners);
    return runners[n];
}

/* Some form of @e. */
static bool has_entry(uint64_t features, const Entry *e)
{
    return !(row_features(e->desc, e->l == 1) & ~features);
}

/* Of an entry that some back end lacks the streams are its own, the others are for everybody. */
static uint64_t features_for(const Entry *first)
{
    return has_entry(shared->common, first) ? shared->common : shared->features;
}

static void run_references(Batch *b)
{
    unsigned index[SILICON_BATCH], n = 0;
    Slot *slots = runners[0]->is_silicon ? silicon_slots(runners[0]) : NULL;
    for (unsigned k = 0; k < b->n; k++) {
        Runner *ref = reference(&b->stream[k]);
        b->want_mem[k] = b->before[k];
        if (ref->is_silicon) {
            slots[n].todo = b->k[k];
            slots[n].memory = b->before[k];
            index[n++] = k;
        } else {
            ref->run(ref, &b->k[k], &b->want_mem[k], &b->want[k]);
        }
    }
    if (n)
        silicon_run_slots(runners[0], n);
    for (unsigned k = 0; k < n; k++) {
        b->want[index[k]] = slots[k].result;
        b->want_mem[index[k]] = slots[k].memory;
    }
}

static unsigned code_length(const Stream *s)
{
    unsigned len = 0;
    for (unsigned n = 0; n < s->n; n++)
        len += s->item[n].len;
    return len;
}

static bool agrees(Batch *b, unsigned k, Runner *r)
{
    static Memory mem, want_mem;
    State got, want = b->want[k];
    const Stream *s = &b->stream[k];
    mem = b->before[k];
    want_mem = b->want_mem[k];
    r->run(r, &b->k[k], &mem, &got);
    g_autofree char *d = case_difference(&b->k[k], b->before[k].code, code_length(s), s->image,
                                         reference(s), &want, &got, &want_mem, &mem);
    return !d;
}

static void report(const Stream *s, unsigned first, Runner *r)
{
    static Stream copy;
    if (__atomic_fetch_add(&shared->differences, 1, __ATOMIC_RELAXED) >= (uint64_t)options.reports)
        return;
    copy = *s;
    stream_report(&copy, reference(s), r);
    printf("reproduce: --stream %#" G_GINT64_MODIFIER "x:%s:%u\n\n", s->seed,
           mode_constant(s->mode), first);
    fflush(stdout);
}

/* All engines; the one without TLB now and then. */
static void check_stream(Batch *b, unsigned k, unsigned first)
{
    const Stream *s = &b->stream[k];
    nran = 0;
    if (!agrees(b, k, tracer)) {
        report(s, first, tracer);
        return;
    }
    for (unsigned n = 0; n < nrunners; n++) {
        Runner *r = runners[n];
        bool rare = strstr(r->name, "without TLB") != NULL;
        if (r == reference(s) || r->is_silicon || !can_run(r, s) || (rare && s->seed % 4))
            continue;
        if (!agrees(b, k, r)) {
            report(s, first, r);
            return;
        }
    }
    count_into(reference(s)->is_silicon ? shared->silicon : shared->engines);
    __atomic_fetch_add(&shared->executions, nran, __ATOMIC_RELAXED);
    __atomic_fetch_add(&shared->nstreams, 1, __ATOMIC_RELAXED);
}

static bool is_wanted(const Entry *e, Mode mode)
{
    return stream_may_have(e, mode) && (!options.only || strstr(e->desc->name, options.only));
}

static bool has_mode(Mode mode)
{
    if (!options.modes)
        return true;
    g_auto(GStrv) list = g_strsplit(options.modes, ",", 0);
    return g_strv_contains((const char *const *)list, mode_constant(mode));
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t v = (a + b * UINT64_C(0xbf58476d1ce4e5b9)) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static bool is_over(time_t start)
{
    if (shared->differences >= (uint64_t)options.reports)
        return true;
    if (options.minutes > 0)
        return difftime(time(NULL), start) >= options.minutes * 60;
    return shared->executions >= (uint64_t)options.executions;
}

/* Every entry in turn comes first in a stream; what follows is chosen at random. */
static void run_job(unsigned job)
{
    static Batch b;
    static unsigned first[SILICON_BATCH];
    time_t start = time(NULL);
    uint64_t at = job;
    unsigned misses = 0;
    while (!is_over(start) && misses < 100000) {
        for (b.n = 0; b.n < SILICON_BATCH && misses < 100000; at += (unsigned)options.jobs) {
            unsigned e = (unsigned)(at % entry_count());
            Mode mode = all_modes[at / entry_count() % G_N_ELEMENTS(all_modes)];
            misses++;
            if (!has_mode(mode) || !is_wanted(entry_at(e), mode) ||
                !stream_make(&b.stream[b.n], mix((uint64_t)options.seed, at), mode, entry_at(e),
                             features_for(entry_at(e))))
                continue;
            misses = 0;
            first[b.n] = e;
            stream_prepare(&b.stream[b.n], &b.k[b.n], &b.before[b.n]);
            b.n++;
        }
        run_references(&b);
        for (unsigned k = 0; k < b.n; k++)
            check_stream(&b, k, first[k]);
    }
}

static void start_runners(void)
{
    nrunners = insn_runners(runners, G_N_ELEMENTS(runners));
    if (options.engines && runners[0]->is_silicon)
        memmove(runners, runners + 1, sizeof(runners[0]) * --nrunners);
    tracer = engine_tracer(see);
    uint64_t any = 0, every = UINT64_MAX;
    for (unsigned n = runners[0]->is_silicon; n < nrunners; n++) {
        any |= runners[n]->features;
        every &= runners[n]->features;
    }
    shared->features = runners[0]->is_silicon ? any & runners[0]->features : any;
    shared->common = shared->features & every;
}

static void run_jobs(void)
{
    for (int n = 0; n < options.jobs; n++) {
        if (fork())
            continue;
        start_runners();
        run_job((unsigned)n);
        fflush(stdout);
        _exit(0);
    }
    int status;
    while (wait(&status) > 0) {
        if (status) {
            printf("a job ended with status %#x\n", status);
            shared->differences++;
        }
    }
}

static bool run_one(const char *text)
{
    static Stream s;
    char **part = g_strsplit(text, ":", 3);
    g_assert(g_strv_length(part) == 3);
    uint64_t seed = g_ascii_strtoull(part[0], NULL, 0);
    unsigned e = (unsigned)strtoul(part[2], NULL, 0);
    for (unsigned n = 0; n < G_N_ELEMENTS(all_modes); n++) {
        Mode mode = all_modes[n];
        if (strcmp(part[1], mode_constant(mode)) ||
            !stream_make(&s, seed, mode, entry_at(e), features_for(entry_at(e))))
            continue;
        for (unsigned k = 0; k <= nrunners; k++) {
            Runner *r = k < nrunners ? runners[k] : tracer;
            if (r == reference(&s) || r->is_silicon || !can_run(r, &s))
                continue;
            g_autofree char *d = stream_difference(&s, reference(&s), r);
            if (d) {
                stream_report(&s, reference(&s), r);
                return false;
            }
        }
        return true;
    }
    return true;
}

/* ---- The report ------------------------------------------------------------------------------ */

static const char *note_of(const Entry *e)
{
    const char *note = entry_is_privileged(e);
    if (!note)
        note = entry_is_host_specific(e);
    if (!note && !has_entry(shared->features, e))
        note = "skipped: the host has not got it";
    if (!note && !has_entry(shared->common, e))
        note = "skipped by a back end that has not got it";
    return note;
}

/* By name, and how many. */
static void report_skipped(const Runner *r)
{
    g_autoptr(GString) names = g_string_new(NULL);
    const char *last = "";
    unsigned n = 0;
    for (unsigned k = 0; k < entry_count(); k++) {
        const InsnDesc *d = entry_at(k)->desc;
        if (has_entry(r->features, entry_at(k)))
            continue;
        n++;
        if (strcmp(last, d->name))
            g_string_append_printf(names, " %s", d->name);
        last = d->name;
    }
    if (n)
        printf("%u entries skipped, not on %s:%s\n", n, r->name, names->str);
}

/* What is missing of an entry's proof, NULL: nothing. */
static const char *lack_of(unsigned n)
{
    const Entry *e = entry_at(n);
    bool on_host = has_entry(shared->features, e);
    if (entry_is_privileged(e))
        return options.guests && !shared->guests[n] ? "NO GUEST" : NULL;
    if (!shared->rows[n])
        return "NO ROW";
    if (entry_is_host_specific(e) || !on_host)
        return NULL;
    if (!runners[0]->is_silicon)
        return shared->engines[n] ? NULL : "NEVER IN STREAMS";
    return shared->silicon[n] ? NULL : "NEVER ON SILICON";
}

static void write_leeway(FILE *f)
{
    fprintf(f, "\ndifferences admitted, and how often\n");
    for (unsigned n = 0; n < LEEWAY_COUNT; n++)
        fprintf(f, "%9" G_GINT64_MODIFIER "u  %-9s  %s: %s\n", shared->leeway[n],
                leeway_rows[n].kind, leeway_rows[n].name, leeway_rows[n].reason);
}

static unsigned write_coverage(FILE *f)
{
    unsigned never = 0, skipped = 0, partly = 0;
    fprintf(f, "%-28s %-14s %9s %9s %9s %9s\n", "entry", "name", "silicon", "engines", "rows",
            "guests");
    for (unsigned n = 0; n < entry_count(); n++) {
        const Entry *e = entry_at(n);
        const char *note = note_of(e), *lack = lack_of(n);
        bool on_host = has_entry(shared->features, e), by_all = has_entry(shared->common, e);
        skipped += !on_host;
        partly += on_host && !by_all;
        never += lack != NULL;
        fprintf(f,
                "%-28s %-14s %9" G_GINT64_MODIFIER "u %9" G_GINT64_MODIFIER "u %9" G_GINT64_MODIFIER
                "u %9" G_GINT64_MODIFIER "u  %s%s%s\n",
                e->id, e->desc->name, shared->silicon[n], shared->engines[n], shared->rows[n],
                shared->guests[n], note ? note : "", lack ? " " : "", lack ? lack : "");
        if (lack)
            printf("%s, %s: %s\n", e->id, e->desc->name, lack);
    }
    write_leeway(f);
    printf("%u entries of the decode tables, %u without proof, %u skipped: not on this host, "
           "%u skipped by a back end that lacks them\n",
           entry_count(), never, skipped, partly);
    return never;
}

static bool report_coverage(void)
{
    if (!options.coverage)
        return true;
    FILE *f = fopen(options.coverage, "w");
    if (!f) {
        perror(options.coverage);
        return false;
    }
    unsigned never = write_coverage(f);
    fclose(f);
    printf("coverage: %s\n", options.coverage);
    return !never;
}

/* ---- Recording ------------------------------------------------------------------------------- */

/* A stream of one instruction that silicon completes, as a row. */
static bool record_entry(unsigned n, Mode mode)
{
    static Stream s;
    static Memory before, mem;
    Case k;
    State after;
    for (unsigned try = 0; try < 400; try++) {
        if (!stream_make(&s, mix(n, try), mode, entry_at(n), shared->features))
            return false;
        s.n = 1;
        if (s.item[0].insn.lock || s.item[0].insn.seg_override || s.item[0].insn.prefix67)
            continue;
        stream_prepare(&s, &k, &before);
        mem = before;
        nran = 0;
        tracer->run(tracer, &k, &mem, &after);
        if (!nran || ran[0] != n || (after.vector != 3 && try < 200))
            continue;
        stream_record(&s, runners[0]);
        return true;
    }
    return false;
}

static void record_rows(void)
{
    for (unsigned n = 0; n < entry_count(); n++) {
        const Entry *e = entry_at(n);
        if (shared->rows[n] || entry_is_privileged(e))
            continue;
        bool done = false;
        for (unsigned m = 0; m < G_N_ELEMENTS(all_modes) && !done; m++)
            done = stream_may_have(e, all_modes[m]) && record_entry(n, all_modes[m]);
        if (!done)
            printf("    /* none found for %s, %s */\n", e->id, e->desc->name);
    }
}

/* ---- Start ----------------------------------------------------------------------------------- */

static void parse(int argc, char **argv)
{
    const GOptionEntry list[] = {
        { "executions", 0, 0, G_OPTION_ARG_INT64, &options.executions, NULL, NULL },
        { "minutes", 0, 0, G_OPTION_ARG_DOUBLE, &options.minutes, NULL, NULL },
        { "seed", 0, 0, G_OPTION_ARG_INT64, &options.seed, NULL, NULL },
        { "jobs", 0, 0, G_OPTION_ARG_INT, &options.jobs, NULL, NULL },
        { "reports", 0, 0, G_OPTION_ARG_INT, &options.reports, NULL, NULL },
        { "modes", 0, 0, G_OPTION_ARG_STRING, &options.modes, NULL, NULL },
        { "only", 0, 0, G_OPTION_ARG_STRING, &options.only, NULL, NULL },
        { "stream", 0, 0, G_OPTION_ARG_STRING, &options.stream, NULL, NULL },
        { "coverage", 0, 0, G_OPTION_ARG_FILENAME, &options.coverage, NULL, NULL },
        { "guests", 0, 0, G_OPTION_ARG_FILENAME, &options.guests, NULL, NULL },
        { "silicon", 0, 0, G_OPTION_ARG_NONE, &options.silicon, NULL, NULL },
        { "engines", 0, 0, G_OPTION_ARG_NONE, &options.engines, NULL, NULL },
        { "record", 0, 0, G_OPTION_ARG_NONE, &options.record, NULL, NULL },
        { NULL }
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, list, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(2);
    }
}

/* In a process of its own: the jobs start their own silicon. */
static int in_process(bool (*f)(void))
{
    int status;
    fflush(stdout);
    if (fork() == 0) {
        start_runners();
        bool ok = f();
        fflush(stdout);
        _exit(!ok);
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool alone(void)
{
    if (options.silicon && !runners[0]->is_silicon)
        _exit(SKIPPED);
    count_rows();
    if (options.record)
        record_rows();
    else if (report_missing_rows())
        return false;
    if (options.stream)
        return run_one(options.stream);
    for (unsigned n = 0; n < nrunners; n++) {
        if (!n || runners[n]->features != runners[n - 1]->features)
            report_skipped(runners[n]);
    }
    if (!runners[0]->is_silicon)
        printf("no silicon to compare with on this host: engines against each other\n");
    return true;
}

int main(int argc, char **argv)
{
    parse(argc, argv);
    shared = mmap(NULL, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert(shared != MAP_FAILED && entry_count() <= MAX_ENTRIES);
    leeway_count_into(shared->leeway);
    int status = in_process(alone);
    if (options.record || options.stream || status)
        return status;
    printf("seed %#" G_GINT64_MODIFIER "x\n", (uint64_t)options.seed);
    fflush(stdout);
    run_jobs();
    printf("%" G_GINT64_MODIFIER "u instructions in %" G_GINT64_MODIFIER
           "u streams, %" G_GINT64_MODIFIER "u differ\n",
           shared->executions, shared->nstreams, shared->differences);
    if (options.guests && !read_guests())
        return 1;
    start_runners();
    bool covered = report_coverage();
    return !covered || shared->differences;
}
