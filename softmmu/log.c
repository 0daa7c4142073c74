/* SPDX-License-Identifier: MIT */
#include "softmmu/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"

uint32_t log_mask;

typedef struct LogRange {
    uint64_t first, last;
} LogRange;

static FILE *log_file; /* NULL: stderr */
static GArray *log_ranges;

static const struct {
    const char *name;
    LogItem item;
    const char *help;
} log_items[] = {
    { "in_asm", LOG_IN_ASM, "guest code as it is translated" },
    { "op", LOG_OP, "intermediate code of each block" },
    { "out_asm", LOG_OUT_ASM, "host code of each block" },
    { "int", LOG_INT, "interrupts and exceptions" },
    { "cpu", LOG_CPU, "registers before each block" },
    { "exec", LOG_EXEC, "a line for each block executed" },
    { "guest_errors", LOG_GUEST_ERRORS, "accesses to nothing, reserved bits and the like" },
    { "unimp", LOG_UNIMP, "requests for what is not modelled" },
    { "hash", LOG_HASH, "a hash of RAM, CPUs and devices when the machine ends" },
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

static bool add_item(const char *name, uint32_t *mask)
{
    for (size_t i = 0; i < G_N_ELEMENTS(log_items); i++) {
        if (!strcmp(name, "all") || !strcmp(name, log_items[i].name))
            *mask |= log_items[i].item;
    }
    return *mask != 0;
}

bool log_set_items(const char *items, GError **error)
{
    g_auto(GStrv) names = g_strsplit(items, ",", -1);
    uint32_t mask = 0;

    for (char **name = names; *name; name++) {
        uint32_t one = 0;

        if (!add_item(*name, &one)) {
            error_set(error, "unknown log item '%s' (-d help lists them)", *name);
            return false;
        }
        mask |= one;
    }
    log_mask = mask;
    return true;
}

/* "%d" in the name stands for the process id. */
bool log_set_file(const char *path, GError **error)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_auto(GStrv) parts = g_strsplit(path, "%d", -1);
    g_autofree char *name = g_strjoinv(pid, parts);
    FILE *file = fopen(name, "we");

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
}

void log_close(void)
{
    if (log_file)
        fclose(log_file);
    log_file = NULL;
}
