/* SPDX-License-Identifier: MIT */
/*
 * The -d log. One per process: it is a diagnostic channel, not machine state.
 * Items are bits of a mask; text goes to stderr or to -D FILE. A message that is costly to
 * build is guarded by log_enabled().
 */
#ifndef SOFTMMU_LOG_H
#define SOFTMMU_LOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum LogItem {
    LOG_IN_ASM = 1 << 0,
    LOG_OP = 1 << 1,
    LOG_OUT_ASM = 1 << 2,
    LOG_INT = 1 << 3,
    LOG_CPU = 1 << 4,
    LOG_EXEC = 1 << 5,
    LOG_GUEST_ERRORS = 1 << 6,
    LOG_UNIMP = 1 << 7,
    LOG_HASH = 1 << 8,
    LOG_NOCHAIN = 1 << 9, /* not a log: blocks are left for the loop after each */
    LOG_STATS = 1 << 10,
    LOG_OP_OPT = 1 << 11,
    LOG_FPU = 1 << 12, /* with LOG_CPU, LOG_INT: floating point as well */
    LOG_MMU = 1 << 13,
    LOG_PCALL = 1 << 14,
} LogItem;

extern uint32_t log_mask;

static inline bool log_enabled(LogItem items)
{
    return __builtin_expect((log_mask & items) != 0, 0);
}

/* Write to the log whatever the mask; the caller has asked log_enabled(). */
void log_printf(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void log_write(const char *text);

/* Guest does something odd / asks for something not modelled. Logged once per call site (pass a
 * static flag through the macros), under its item only. */
#define log_guest_error(...) LOG_ONCE(LOG_GUEST_ERRORS, __VA_ARGS__)
#define log_unimp(...)       LOG_ONCE(LOG_UNIMP, __VA_ARGS__)
#define LOG_ONCE(item, ...)               \
    do {                                  \
        static bool said;                 \
        if (log_enabled(item) && !said) { \
            said = true;                  \
            log_printf(__VA_ARGS__);      \
        }                                 \
    } while (0)

/* Options: "-d a,b,c" or "none" (false with @error names the unknown item), "-D FILE", "-dfilter
 * A..B,…". */
bool log_set_items(const char *items, GError **error);
bool log_set_file(const char *path, GError **error);
bool log_set_filter(const char *ranges, GError **error);
/* Is guest address @pc within -dfilter (true when there is none)? */
bool log_in_filter(uint64_t pc);

/* "-dcount A..B": what is logged of running code is logged only while the count of instructions is
 * within. "-d hash:N": besides, a hash of CPUs and devices each N instructions. Whoever counts
 * calls log_at_count() when he has come to log_next_count; counts are looked at between slices, so
 * that looking changes nothing. */
typedef enum LogPoint { LOG_POINT_HASH = 1 << 0, LOG_POINT_ITEMS = 1 << 1 } LogPoint;
extern uint64_t log_next_count;
bool log_set_counts(const char *range, GError **error);
/* What is to be done: print the hash; the items in force have changed. */
uint32_t log_at_count(uint64_t count);
/* Is anything asked for by counts? Then slices are to end at the same ones whatever runs them. */
bool log_counts_matter(void);
void log_print_items(GString *out); /* for -d help */
void log_close(void);

#endif
