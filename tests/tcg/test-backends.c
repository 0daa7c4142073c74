/* SPDX-License-Identifier: MIT */
/*
 * Random blocks on every back end: all must end alike and leave the same state. The reference is
 * the interpreter without optional passes and without its own short cuts.
 *
 * TEST_SEED=N runs one seed, TEST_COUNT=N as many (default 400), TEST_MASK=M what may occur
 * (random-ir.h), TEST_BACKEND=NAME only that one against the reference.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/tcg/random-ir.h"

static unsigned long setting(const char *name, unsigned long otherwise)
{
    const char *s = getenv(name);

    return s ? strtoul(s, NULL, 0) : otherwise;
}

/* Run @ir on both; what differs, or NULL. */
static char *difference(Harness *ref, Harness *other, IrBlock *ir, uint64_t seed)
{
    harness_reset(ref, seed, ir->start);
    harness_reset(other, seed, ir->start);
    return harness_difference(ref, other, ir);
}

typedef struct Case {
    uint64_t seed;
    unsigned mask, ninsns;
} Case;

static char *case_difference(Harness *ref, Harness *other, IrBlock *ir, const Case *c,
                             uint64_t keep)
{
    random_block(ir, c->seed, c->mask, c->ninsns, keep);
    return difference(ref, other, ir, c->seed);
}

/* Leave out instructions as long as the back ends still differ; the smallest block stays in @ir. */
static char *minimise(Harness *ref, Harness *other, IrBlock *ir, const Case *c)
{
    uint64_t keep = UINT64_MAX;

    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < c->ninsns; i++) {
            g_autofree char *diff = case_difference(ref, other, ir, c, keep & ~(UINT64_C(1) << i));
            if (diff) {
                keep &= ~(UINT64_C(1) << i);
            }
        }
    }
    return case_difference(ref, other, ir, c, keep);
}

static void run_case(Harness *ref, Harness *other, IrBlock *ir, const Case *c, const char *name)
{
    g_autofree char *diff = case_difference(ref, other, ir, c, UINT64_MAX);
    g_autofree char *least = NULL;
    g_autoptr(GString) text = NULL;

    if (!diff) {
        return;
    }
    least = minimise(ref, other, ir, c);
    text = g_string_new(NULL);
    random_block(ir, c->seed, c->mask, c->ninsns, UINT64_MAX);
    g_free(minimise(ref, other, ir, c));
    ir_print(ir, text);
    g_printerr("%s: TEST_SEED=%" G_GUINT64_FORMAT " TEST_MASK=0x%x (reference first): %s\n"
               "least block: %s\n%s",
               name, c->seed, c->mask, diff, least ? least : "(does not fail)", text->str);
    fail();
}

static void compare_with(const char *backend, bool no_opt)
{
    Harness *ref = harness_new("interp", true), *other = harness_new(backend, no_opt);
    IrBlock *ir = harness_ir_new();
    unsigned long first = setting("TEST_SEED", 1);
    unsigned long count = setting("TEST_COUNT", getenv("TEST_SEED") ? 1 : 400);
    g_autofree char *name = g_strdup_printf("%s%s", backend, no_opt ? " (no passes)" : "");
    const char *only = getenv("TEST_BACKEND");

    for (unsigned long seed = first; seed < first + count && (!only || !strcmp(only, backend));
         seed++) {
        uint64_t rng = seed;
        unsigned mask = (unsigned)harness_random(&rng) & random_mask(backend);
        Case c = { seed, (unsigned)setting("TEST_MASK", mask), 1 + harness_random(&rng) % 40 };

        other->warm = ref->warm = false;
        run_case(ref, other, ir, &c, name);
    }
    ir_block_free(ir);
    harness_free(ref);
    harness_free(other);
}

static void interp_short_cuts(void **state)
{
    compare_with("interp", false);
}

static void native_code(void **state)
{
    if (!harness_native()) {
        skip();
    }
    compare_with(harness_native(), false);
}

static void native_no_opt(void **state)
{
    if (!harness_native()) {
        skip();
    }
    compare_with(harness_native(), true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(interp_short_cuts),
        cmocka_unit_test(native_code),
        cmocka_unit_test(native_no_opt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
