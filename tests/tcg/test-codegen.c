/* SPDX-License-Identifier: MIT */
/*
 * Host code as reviewed text. tests/tcg/codegen/NAME.expect is IR text, a line "--", and the code
 * that the x86-64 back end makes of it on a host without extensions; codegen-aarch64/ has the same
 * for AArch64. A first line "# parallel …" is for vCPUs on several threads,
 * "# with AFP: …" for a host that has this. Addresses inside the
 * block are offsets from its start. `test-codegen FILE` prints a file with its second half made
 * anew; scripts/update-expect.py does so for all.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/tcg/harness.h"

/* Absolute addresses inside @code become offsets; the address column goes. */
static void normalise(const char *text, const TcgCode *code, GString *out)
{
    while (*text) {
        char *end;
        uint64_t v;

        if (text[0] == '0' && text[1] == 'x') {
            v = g_ascii_strtoull(text, &end, 16);
            if (v >= (uintptr_t)code->start && v < (uintptr_t)code->end) {
                g_string_append_printf(out, "+0x%" PRIx64, v - (uintptr_t)code->start);
            } else {
                g_string_append_len(out, text, end - text);
            }
            text = end;
        } else {
            g_string_append_c(out, *text++);
        }
    }
}

/* TCG_@HOST_@WHAT */
static char *host_setting(const char *what)
{
    g_autofree char *host = g_ascii_strup(harness_native(), -1);

    return g_strdup_printf("TCG_%s_%s", host, what);
}

/* The name in "# with NAME: …", as the back end knows it by; NULL: there is none. */
static char *wanted_feature(const char *ir_text)
{
    char name[16];

    return sscanf(ir_text, "# with %15[A-Z0-9]:", name) == 1 ? host_setting(name) : NULL;
}

static char *generate(const char *ir_text)
{
    g_autofree char *feature = wanted_feature(ir_text);
    bool parallel = g_str_has_prefix(ir_text, "# parallel");
    IrBlock *ir = harness_ir_new();
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    GString *out = g_string_new(NULL);
    TcgCode *code;
    Harness *h;

    if (feature) {
        g_setenv(feature, "1", TRUE);
    }
    h = (parallel ? harness_new_parallel : harness_new)(harness_native(), false);
    if (feature) {
        g_unsetenv(feature);
    }
    if (!ir_parse(ir, ir_text, &error)) {
        g_error("%s", error->message);
    }
    harness_rebuild(tcg_ir(h->tcg), ir);
    ir_block_free(ir);
    code = tcg_compile(h->tcg, NULL, NULL, text);
    g_assert(code);
    g_string_append_printf(out, "# %zu bytes, fault map %u\n", (size_t)(code->end - code->start),
                           code->fault_map_size);
    normalise(text->str, code, out);
    harness_free(h);
    return g_string_free(out, FALSE);
}

/* The two halves of @file. */
static char *read_expect(const char *file, char **code)
{
    g_autoptr(GError) error = NULL;
    char *text, *mark;

    if (!g_file_get_contents(file, &text, NULL, &error)) {
        g_error("%s", error->message);
    }
    mark = strstr(text, "\n--\n");
    if (mark) {
        *code = g_strdup(mark + 4);
        mark[1] = '\0';
    } else {
        *code = g_strdup("");
    }
    return text;
}

static void check(void **state)
{
    const char *dir = g_getenv("TEST_CODEGEN_DIR");
    GDir *d;
    const char *name;
    unsigned files = 0;

    if (!dir || !harness_native()) {
        skip();
    }
    d = g_dir_open(dir, 0, NULL);
    assert_non_null(d);
    while ((name = g_dir_read_name(d))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);
        g_autofree char *expected = NULL;
        g_autofree char *ir = NULL;
        g_autofree char *got = NULL;

        if (!g_str_has_suffix(name, ".expect")) {
            continue;
        }
        ir = read_expect(path, &expected);
        got = generate(ir);
        if (strcmp(got, expected)) {
            fail_msg("%s: host code changed (scripts/update-expect.py rewrites):\n%s", name, got);
        }
        files++;
    }
    g_dir_close(d);
    assert_true(files > 0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(check) };

    if (harness_native()) {
        g_autofree char *baseline = host_setting("BASELINE");
        g_setenv(baseline, "1", TRUE);
    }
    if (argc == 2) {
        g_autofree char *old = NULL;
        g_autofree char *ir = read_expect(argv[1], &old);
        g_autofree char *code = generate(ir);

        printf("%s--\n%s", ir, code);
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
