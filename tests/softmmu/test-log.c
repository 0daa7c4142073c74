/* SPDX-License-Identifier: MIT */
/* The log: item names, filters, files. */
#include "softmmu/log.h"

#include <glib/gstdio.h>
#include <string.h>

#include "softmmu/trace.h"
#include "tests/softmmu/test.h"

static const struct {
    const char *items;
    uint32_t mask;
    const char *error;
} item_rows[] = {
    { "in_asm", LOG_IN_ASM, NULL },
    { "int,cpu", LOG_INT | LOG_CPU, NULL },
    { "guest_errors,unimp,hash", LOG_GUEST_ERRORS | LOG_UNIMP | LOG_HASH, NULL },
    { "op,out_asm,exec", LOG_OP | LOG_OUT_ASM | LOG_EXEC, NULL },
    { "all", 0x7fff, NULL },
    { "op_opt,fpu,mmu,pcall", LOG_OP_OPT | LOG_FPU | LOG_MMU | LOG_PCALL, NULL },
    { "hash:100", LOG_HASH, NULL },
    { "nochain", LOG_NOCHAIN, NULL },
    { "trace:bogus", 0, "unknown log item 'trace:bogus' (-d help lists them)" },
    { "stats", LOG_STATS, NULL },
    { "in_asm,bogus", 0, "unknown log item 'bogus' (-d help lists them)" },
    { "", 0, NULL },
    { "hash:", 0, "unknown log item 'hash:' (-d help lists them)" },
    { "hash:0", 0, "unknown log item 'hash:0' (-d help lists them)" },
    { "hash:-1", 0, "unknown log item 'hash:-1' (-d help lists them)" },
    { "in_asm,", 0, "unknown log item '' (-d help lists them)" },
};

static void test_items(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(item_rows); i++) {
        g_autoptr(GError) error = NULL;
        bool ok = log_set_items(item_rows[i].items, &error);

        assert_int_equal(ok, !item_rows[i].error);
        if (ok)
            assert_int_equal(log_mask, item_rows[i].mask);
        else
            assert_string_equal(error->message, item_rows[i].error);
    }
    log_set_items("", NULL);
}

/* Events by name and pattern, from a file, and as lines of the log. */
static void test_traces(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-log-XXXXXX", NULL);
    g_autofree char *file = g_build_filename(dir, "f", NULL), *text = NULL;

    assert_int_equal(trace_set("bogus", true), 0);
    assert_int_equal(trace_set("pic_*", true), 4);
    assert_true(g_file_set_contents(file, "# those\n-pic_*\n pci_cfg_read \n\nbogus\n", -1, NULL));
    assert_true(trace_read_file(file, NULL));
    assert_false(trace_on[TRACE_pic_interrupt]);
    assert_true(trace_on[TRACE_pci_cfg_read]);
    assert_false(trace_read_file("/nonexistent", NULL));
    assert_true(log_set_file(file, NULL));
    trace(pic_interrupt, "irq %d", 1);
    trace(pci_cfg_read, "at %d", 2);
    log_close();
    assert_true(g_file_get_contents(file, &text, NULL, NULL));
    assert_string_equal(text, "pci_cfg_read at 2\n");
    assert_true(log_set_items("trace:pic_interrupt", NULL));
    assert_true(trace_on[TRACE_pic_interrupt]);
    trace_set("*", false);
    g_unlink(file);
    g_rmdir(dir);
}

static const struct {
    const char *filter;
    uint64_t pc;
    bool in;
} filter_rows[] = {
    { "0x1000..0x1fff", 0xfff, false },
    { "0x1000..0x1fff", 0x1000, true },
    { "0x1000..0x1fff", 0x1fff, true },
    { "0x1000..0x1fff", 0x2000, false },
    { "0x1000+0x10", 0x100f, true },
    { "0x1000+0x10", 0x1010, false },
    { "0x1000-0x10", 0xff1, true },
    { "0x1000-0x10", 0xff0, false },
    { "0x1000-0x10", 0x1000, true },
    { "1..2,0xffffffff80000000..0xffffffffffffffff", 0xffffffff81000000, true },
    { "1..2,0xffffffff80000000..0xffffffffffffffff", 3, false },
};

static void test_filter(void **state)
{
    static const char *const bad[] = { "", "x", "1", "1.2", "2..1", "1+", "1+0", "1..2,", "1..2x" };

    assert_true(log_in_filter(0)); /* no filter yet */
    for (size_t i = 0; i < G_N_ELEMENTS(filter_rows); i++) {
        assert_true(log_set_filter(filter_rows[i].filter, NULL));
        assert_int_equal(log_in_filter(filter_rows[i].pc), filter_rows[i].in);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        assert_false(log_set_filter(bad[i], &error));
        assert_non_null(strstr(error->message, "invalid address range"));
    }
}

/* Asked only when it is time; within the counts the items of running code are in force. */
static void test_counts(void **state)
{
    static const struct {
        uint64_t count, next;
        uint32_t todo, mask;
    } rows[] = {
        { 100, 200, LOG_POINT_HASH, LOG_HASH },
        { 205, 250, LOG_POINT_HASH, LOG_HASH },
        { 256, 300, LOG_POINT_ITEMS, LOG_HASH | LOG_CPU },
        { 399, 400, LOG_POINT_HASH, LOG_HASH | LOG_CPU },
        { 401, 451, LOG_POINT_HASH, LOG_HASH | LOG_CPU },
        { 451, 500, LOG_POINT_ITEMS, LOG_HASH },
    };
    static const char *const bad[] = { "", "1", "5..4", "1..2,3..4" };

    assert_true(log_set_items("hash:100,cpu", NULL));
    assert_int_equal(log_mask, LOG_HASH | LOG_CPU);
    assert_true(log_set_counts("250..450", NULL));
    assert_int_equal(log_mask, LOG_HASH);
    assert_int_equal(log_next_count, 100);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        assert_int_equal(log_at_count(rows[i].count), rows[i].todo);
        assert_int_equal(log_next_count, rows[i].next);
        assert_int_equal(log_mask, rows[i].mask);
    }
    assert_true(log_set_counts("0..0xffffffffffffffff", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
        assert_false(log_set_counts(bad[i], NULL));
    log_set_items("", NULL);
}

static void odd_request(void)
{
    log_unimp("odd %d\n", 1);
}

static void test_file(void **state)
{
    g_autofree char *dir = g_dir_make_tmp("mimus-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "log", NULL);
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(log_set_file(path, NULL));
    odd_request(); /* not asked for */
    log_set_items("unimp", NULL);
    odd_request();
    odd_request(); /* once per site */
    log_write("plain\n");
    log_close();
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "odd 1\nplain\n");
    assert_false(log_set_file("/nonexistent/log", &error));
    assert_string_equal(error->message,
                        "could not open log file '/nonexistent/log': No such file or directory");
    g_unlink(path);
    g_rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_items),  cmocka_unit_test(test_traces), cmocka_unit_test(test_filter),
        cmocka_unit_test(test_counts), cmocka_unit_test(test_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
