/* SPDX-License-Identifier: MIT */
/*
 * Every row on every runner. INSN_ROW=text limits to rows whose name contains it; INSN_EXACT=1
 * compares undefined flags too; INSN_BACKEND, INSN_IR: see engine.c.
 */
#include "insn.h"

#include <glib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static Runner *runners[16];
static unsigned nrunners;

static bool check_row(const Row *r, Mode mode, Runner *runner)
{
    static PreparedRow p;
    static Memory mem;
    State got;
    row_prepare(r, mode, runner->is_silicon ? host_vendor() : HOST_OTHER, &p);
    mem = p.before;
    runner->run(runner, &p.k, &mem, &got);
    uint32_t ignore = r->undef;
    if (!g_getenv("INSN_EXACT"))
        ignore |= undefined_flags(mode, (const uint8_t *)r->code, r->len);
    g_autofree char *state = compare_states(&p.want, &got, ignore);
    g_autofree char *memory = compare_memory(&p.after, &mem);
    if (!state && !memory)
        return true;
    print_message("%s (%s, %s):%s%s\n", r->name, mode_name(mode), runner->name, state ? state : "",
                  memory ? memory : "");
    return false;
}

/* Runners that lack a feature of the row: told by name, and counted. */
static bool is_skipped(const Row *r, Mode mode, const Runner *runner)
{
    return needed_features(mode, (const uint8_t *)r->code, r->len) & ~runner->features;
}

static void tell_skipped(const Row *r, unsigned mask)
{
    g_autoptr(GString) who = g_string_new(NULL);
    for (unsigned n = 0; n < nrunners; n++) {
        if (mask >> n & 1)
            g_string_append_printf(who, "%s%s", who->len ? ", " : "", runners[n]->name);
    }
    print_message("skipped, not on %s: %s\n", who->str, r->name);
}

/* On the runners that can; @skipped: the others. Returns how many failed. */
static unsigned run_row(const Row *r, unsigned *skipped)
{
    unsigned bad = 0;
    *skipped = 0;
    for (unsigned n = 0; n < nrunners; n++) {
        for (Mode mode = M16; mode <= M16P; mode = (Mode)(mode << 1)) {
            if (!(r->modes & runners[n]->modes & mode) ||
                (r->engines_only && runners[n]->is_silicon))
                continue;
            if (is_skipped(r, mode, runners[n]))
                *skipped |= 1u << n;
            else
                bad += !check_row(r, mode, runners[n]);
        }
    }
    return bad;
}

static void run_list(const Row *rows)
{
    const char *only = g_getenv("INSN_ROW");
    unsigned bad = 0, mask, nskipped = 0;
    for (const Row *r = rows; r->name; r++) {
        if (only && !strstr(r->name, only))
            continue;
        bad += run_row(r, &mask);
        if (mask)
            tell_skipped(r, mask);
        nskipped += mask != 0;
    }
    if (nskipped)
        print_message("%u rows skipped on some runner\n", nskipped);
    assert_int_equal(bad, 0);
}

#define TEST_LIST(name)                   \
    static void test_##name(void **state) \
    {                                     \
        run_list(name##_rows);            \
    }
ROW_LISTS(TEST_LIST)

int main(void)
{
    static const struct CMUnitTest tests[] = {
#define LIST(name) cmocka_unit_test(test_##name),
        ROW_LISTS(LIST)
#undef LIST
    };
    nrunners = insn_runners(runners, G_N_ELEMENTS(runners));
    if (!runners[0]->is_silicon)
        print_message("no silicon to compare with on this host\n");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
