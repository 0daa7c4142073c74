/* SPDX-License-Identifier: MIT */
#include "softmmu/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/trace.h"

uint32_t log_mask;
uint64_t log_next_count = UINT64_MAX;

#define ITEMS_OF_RUNNING                                                                       \
    (LOG_IN_ASM | LOG_OP | LOG_OUT_ASM | LOG_INT | LOG_CPU | LOG_EXEC | LOG_OP_OPT | LOG_MMU | \
     LOG_PCALL)

typedef struct LogRange {
    uint64_t first, last;
} LogRange;

static FILE *log_file; /* NULL: stderr */
static GArray *log_ranges;
static LogRange log_counts = { 0, UINT64_MAX };
static uint32_t log_asked; /* items, whether or not the count is within log_counts */
static uint64_t hash_every;
static uint64_t hash_next = UINT64_MAX;

static const struct {
    const char *name;
    LogItem item;
    const char *help;
} log_items[] = {
    { "in_asm", LOG_IN_ASM, "guest code as it is translated" },
    { "op", LOG_OP, "intermediate code of each block, as the frontend made it" },
    { "op_opt", LOG_OP_OPT, "… after optimization: what the back end is given" },
    { "out_asm", LOG_OUT_ASM, "host code of each block" },
    { "int", LOG_INT, "interrupts and exceptions" },
    { "cpu", LOG_CPU, "registers before each block" },
    { "fpu", LOG_FPU, "floating-point registers too where registers are shown" },
    { "mmu", LOG_MMU, "walks of page tables" },
    { "pcall", LOG_PCALL, "far jumps, calls and returns of protected mode" },
    { "exec", LOG_EXEC, "a line for each block executed" },
    { "guest_errors", LOG_GUEST_ERRORS, "accesses to nothing, reserved bits and the like" },
    { "unimp", LOG_UNIMP, "requests for what is not modelled" },
    { "hash", LOG_HASH,
      "a hash of RAM, CPUs and devices when the machine ends\n"
      "hash:N          and one of CPUs and devices about each N instructions" },
    { "stats", LOG_STATS, "what the translator and its caches did, when the machine ends" },
    { "nochain", LOG_NOCHAIN, "no log: blocks do not go to each other directly" },
};

void log_write(const char *text)
{
    fputs(text, log_file ? log_file : stderr);
}

void log_printf(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(log_file ? log_file : stderr, fmt, ap);
    va_end(ap);
}

static bool parse_hash_every(const char *text, uint64_t *every)
{
    char *end;

    errno = 0;
    *every = g_ascii_strtoull(text, &end, 0);
    return g_ascii_isdigit(*text) && !*end && !errno && *every;
}

/* The items in force at @count, and when to ask next. */
static void update_items(uint64_t count)
{
    bool before = count < log_counts.first;
    bool after = count > log_counts.last;

    log_mask = log_asked & (before || after ? ~(uint32_t)ITEMS_OF_RUNNING : UINT32_MAX);
    log_next_count = hash_next;
    if (before)
        log_next_count = MIN(log_next_count, log_counts.first);
    else if (!after && log_counts.last != UINT64_MAX)
        log_next_count = MIN(log_next_count, log_counts.last + 1);
}

bool log_counts_matter(void)
{
    return hash_every || log_counts.first || log_counts.last != UINT64_MAX;
}

uint32_t log_at_count(uint64_t count)
{
    uint32_t mask = log_mask, todo = 0;

    if (count >= hash_next) {
        hash_next = (count / hash_every + 1) * hash_every;
        todo |= LOG_POINT_HASH;
    }
    update_items(count);
    return todo | (log_mask != mask ? LOG_POINT_ITEMS : 0);
}

static bool add_item(const char *name, uint32_t *mask)
{
    uint64_t every;

    if (g_str_has_prefix(name, "hash:") && parse_hash_every(name + 5, &every)) {
        hash_every = hash_next = every;
        *mask |= LOG_HASH;
        return true;
    }
    if (g_str_has_prefix(name, "trace:"))
        return trace_set(name + 6, true) || strpbrk(name, "*?");
    for (size_t i = 0; i < G_N_ELEMENTS(log_items); i++) {
        if (!strcmp(name, "all") || !strcmp(name, log_items[i].name))
            *mask |= log_items[i].item;
    }
    return *mask != 0;
}

bool log_set_items(const char *items, GError **error)
{
    g_auto(GStrv) names = g_strsplit(strcmp(items, "none") ? items : "", ",", -1);
    uint32_t mask = 0;

    hash_next = UINT64_MAX;
    for (char **name = names; *name; name++) {
        uint32_t one = 0;

        if (!add_item(*name, &one)) {
            error_set(error, "unknown log item '%s' (-d help lists them)", *name);
            return false;
        }
        mask |= one;
    }
    log_asked = mask;
    update_items(0);
    return true;
}

/* "%d" in the name stands for the process id. */
bool log_set_file(const char *path, GError **error)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_auto(GStrv) parts = g_strsplit(path, "%d", -1);
    g_autofree char *name = g_strjoinv(pid, parts);
    FILE *file = host_fopen(name, "we");

    if (!file) {
        error_set(error, "could not open log file '%s': %s", name, g_strerror(errno));
        return false;
    }
    log_close();
    setvbuf(file, NULL, _IOFBF, 1 << 16);
    log_file = file;
    return true;
}

/* "A..B", "A+N" (N bytes from A) or "A-N" (the N bytes that end at A). */
static bool parse_range(const char *text, LogRange *range)
{
    char *end;
    uint64_t a, b;
    char op;

    errno = 0;
    a = g_ascii_strtoull(text, &end, 0);
    if (end == text || errno)
        return false;
    op = *end++;
    if (op == '.' && *end++ != '.')
        return false;
    if (op != '.' && op != '+' && op != '-')
        return false;
    text = end;
    b = g_ascii_strtoull(text, &end, 0);
    if (end == text || *end || errno)
        return false;
    if (op != '.' && b == 0)
        return false;
    range->first = op == '-' ? a - (b - 1) : a;
    range->last = op == '.' ? b : op == '+' ? a + (b - 1) : a;
    return range->first <= range->last;
}

bool log_set_filter(const char *ranges, GError **error)
{
    g_auto(GStrv) texts = g_strsplit(*ranges ? ranges : ",", ",", -1);
    GArray *parsed = g_array_new(FALSE, FALSE, sizeof(LogRange));

    for (char **text = texts; *text; text++) {
        LogRange range;

        if (!parse_range(*text, &range)) {
            error_set(error, "invalid address range '%s' in -dfilter", *text);
            g_array_free(parsed, TRUE);
            return false;
        }
        g_array_append_val(parsed, range);
    }
    if (log_ranges)
        g_array_free(log_ranges, TRUE);
    log_ranges = parsed;
    return true;
}

bool log_set_counts(const char *range, GError **error)
{
    if (!parse_range(range, &log_counts)) {
        error_set(error, "invalid range of instruction counts '%s' in -dcount", range);
        return false;
    }
    update_items(0);
    return true;
}

bool log_in_filter(uint64_t pc)
{
    if (!log_ranges || !log_ranges->len)
        return true;
    for (unsigned i = 0; i < log_ranges->len; i++) {
        const LogRange *range = &g_array_index(log_ranges, LogRange, i);

        if (pc >= range->first && pc <= range->last)
            return true;
    }
    return false;
}

void log_print_items(GString *out)
{
    g_string_append(out, "Log items (comma separated):\n");
    for (size_t i = 0; i < G_N_ELEMENTS(log_items); i++)
        g_string_append_printf(out, "%-15s %s\n", log_items[i].name, log_items[i].help);
    g_string_append_printf(out, "%-15s %s\n", "all", "all of the above");
    g_string_append_printf(out, "%-15s %s\n", "trace:PATTERN", "these events, as -trace");
}

void log_close(void)
{
    if (log_file)
        fclose(log_file);
    log_file = NULL;
}
