/* SPDX-License-Identifier: MIT */
/* How a test that throws random input at something is run again and again with other input
 * (scripts/fuzz): by FUZZ_SEED, FUZZ_ROUNDS and FUZZ_TEST, the only test of its executable to
 * run. */
#ifndef TESTS_FUZZ_SEEDED_H
#define TESTS_FUZZ_SEEDED_H

#include <glib.h>

static inline guint64 fuzz_number(const char *name, guint64 otherwise)
{
    const char *text = g_getenv(name);

    return text ? g_ascii_strtoull(text, NULL, 0) : otherwise;
}

/* With the suite's seed if there is no other. */
static inline GRand *fuzz_rand(guint32 seed)
{
    return g_rand_new_with_seed(fuzz_number("FUZZ_SEED", seed));
}

static inline unsigned fuzz_rounds(unsigned rounds)
{
    return fuzz_number("FUZZ_ROUNDS", rounds);
}

/* Before cmocka_run_group_tests(). */
#define FUZZ_CHOOSE_TEST() cmocka_set_test_filter(g_getenv("FUZZ_TEST"))

/* @text with letters of @letters put in, others taken out or changed. */
static inline void fuzz_mutate(GRand *rand, GString *text, const char *letters, gsize count)
{
    for (int n = g_rand_int_range(rand, 1, 5); n > 0 && text->len; n--) {
        gsize at = g_rand_int_range(rand, 0, text->len);
        char letter = letters[g_rand_int_range(rand, 0, count)];

        switch (g_rand_int_range(rand, 0, 3)) {
        case 0: text->str[at] = letter; break;
        case 1:
            g_string_erase(text, at, g_rand_int_range(rand, 0, 5) % (text->len - at + 1));
            break;
        default: g_string_insert_c(text, at, letter);
        }
    }
}

#endif
