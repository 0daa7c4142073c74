/* SPDX-License-Identifier: MIT */
/*
 * Expressions of the monitor's commands, of 64 bits: numbers, 'c', $registers, unary + - ~ and
 * parentheses; * / % bind tightest, then & | ^ (all alike), then + -, as scripts written for QEMU
 * have it. Missing: symbols (gdb knows them).
 */
#include <errno.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/monitor/internal.h"

#define MAX_DEPTH 64 /* of parentheses and signs: each takes host stack */

typedef struct Reader {
    Monitor *mon;
    const char *at; /* the next character that is not blank */
    unsigned depth;
    GError **error;
} Reader;

static bool read_sum(Reader *r, uint64_t *value);

static void skip(Reader *r, size_t n)
{
    r->at += n;
    r->at += strspn(r->at, " \t");
}

static bool refuse(Reader *r)
{
    if (*r->at)
        error_set(r->error, "invalid char '%c' in expression", *r->at);
    else
        error_set(r->error, "unexpected end of expression");
    return false;
}

static bool read_register(Reader *r, uint64_t *value)
{
    size_t len = strspn(r->at + 1, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_");
    g_autofree char *name = g_strndup(r->at + 1, len);

    if (!r->mon->cpus.get_register(r->mon->cpus.opaque, r->mon->cpu, name, value)) {
        error_set(r->error, "unknown register '$%s'", name);
        return false;
    }
    skip(r, 1 + len);
    return true;
}

static bool read_character(Reader *r, uint64_t *value)
{
    if (!r->at[1] || r->at[2] != '\'') {
        error_set(r->error,
                  r->at[1] ? "missing terminating ' character" : "character constant expected");
        return false;
    }
    *value = (uint8_t)r->at[1];
    skip(r, 3);
    return true;
}

static bool read_number(Reader *r, uint64_t *value)
{
    char *end;

    if (!g_ascii_isdigit(*r->at))
        return refuse(r);
    errno = 0;
    *value = g_ascii_strtoull(r->at, &end, 0);
    if (errno) {
        error_set(r->error, "number too large");
        return false;
    }
    skip(r, end - r->at);
    return true;
}

static bool read_group(Reader *r, uint64_t *value)
{
    skip(r, 1);
    if (!read_sum(r, value))
        return false;
    if (*r->at != ')') {
        error_set(r->error, "')' expected");
        return false;
    }
    skip(r, 1);
    return true;
}

static bool read_signed(Reader *r, uint64_t *value);

static bool read_operand(Reader *r, uint64_t *value)
{
    bool good;

    if (r->depth == MAX_DEPTH) {
        error_set(r->error, "too many signs and parentheses in expression");
        return false;
    }
    r->depth++;
    switch (*r->at) {
    case '+':
    case '-':
    case '~': good = read_signed(r, value); break;
    case '(': good = read_group(r, value); break;
    case '$': good = read_register(r, value); break;
    case '\'': good = read_character(r, value); break;
    default: good = read_number(r, value);
    }
    r->depth--;
    return good;
}

static bool read_signed(Reader *r, uint64_t *value)
{
    char sign = *r->at;

    skip(r, 1);
    if (!read_operand(r, value))
        return false;
    *value = sign == '-' ? -*value : sign == '~' ? ~*value : *value;
    return true;
}

static bool apply(Reader *r, char op, uint64_t *value, uint64_t right)
{
    switch (op) {
    case '+': *value += right; return true;
    case '-': *value -= right; return true;
    case '&': *value &= right; return true;
    case '|': *value |= right; return true;
    case '^': *value ^= right; return true;
    case '*': *value *= right; return true;
    }
    if (!right) {
        error_set(r->error, "division by zero");
        return false;
    }
    *value = op == '/' ? *value / right : *value % right;
    return true;
}

/* Loosest first; below the last are operands. */
static const char *const levels[] = { "+-", "&|^", "*/%" };

static bool read_level(Reader *r, unsigned level, uint64_t *value)
{
    uint64_t right;

    if (level == G_N_ELEMENTS(levels))
        return read_operand(r, value);
    if (!read_level(r, level + 1, value))
        return false;
    while (*r->at && strchr(levels[level], *r->at)) {
        char op = *r->at;

        skip(r, 1);
        if (!read_level(r, level + 1, &right) || !apply(r, op, value, right))
            return false;
    }
    return true;
}

static bool read_sum(Reader *r, uint64_t *value)
{
    return read_level(r, 0, value);
}

bool monitor_evaluate(Monitor *mon, const char *text, uint64_t *value, GError **error)
{
    Reader r = { mon, text, 0, error };

    skip(&r, 0);
    return read_sum(&r, value) && (!*r.at || refuse(&r));
}
