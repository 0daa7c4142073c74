/* SPDX-License-Identifier: MIT */
/* Files that are descriptors somebody handed over. */
#include "softmmu/host-open.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tests/softmmu/test.h"

static int open_temporary(char **path)
{
    *path = g_build_filename(g_get_tmp_dir(), "mimus-handed-XXXXXX", NULL);
    return g_mkstemp(*path);
}

static void check_contents(const char *path, const char *expected)
{
    g_autofree char *data = NULL;
    gsize len;

    assert_true(host_read_file(path, &data, &len, NULL));
    assert_int_equal(len, strlen(expected));
    assert_string_equal(data, expected);
}

/* Each opener has a place of its own, and what it may do is what the descriptor may. */
static void test_open(void **state)
{
    char *path;
    int fd = open_temporary(&path), reads = open(path, O_RDONLY), other;
    FILE *file;

    fd_sets_add(3, fd, "both");
    fd_sets_add(4, reads, NULL);
    file = host_fopen("/dev/fdset/3", "w");
    assert_non_null(file);
    fputs("one", file);
    fclose(file);
    check_contents("/dev/fdset/3", "one");
    check_contents("/dev/fdset/4", "one");
    check_contents("/dev/fdset/4", "one");
    check_contents(path, "one");
    file = host_fopen("/dev/fdset/3", "a");
    fputs(" two", file);
    fclose(file);
    check_contents("/dev/fdset/4", "one two");
    assert_int_equal(host_open("/dev/fdset/4", O_RDWR, 0), -1);
    assert_int_equal(errno, EACCES);
    assert_null(host_fopen("/dev/fdset/4", "w"));
    assert_int_equal(host_open("/dev/fdset/5", O_RDONLY, 0), -1);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(host_open("/dev/fdset/x", O_RDONLY, 0), -1);
    assert_int_equal(host_open("/dev/fdset/", O_RDONLY, 0), -1);
    unlink(path); /* it is there without its name */
    other = host_open("/dev/fdset/3", O_RDWR | O_TRUNC, 0);
    assert_true(other >= 0 && other != fd);
    assert_int_equal(write(other, "x", 1), 1);
    close(other);
    check_contents("/dev/fdset/4", "x");
    assert_true(fd_sets_remove(3, fd));
    assert_false(fd_sets_remove(3, -1));
    assert_true(fd_sets_remove(4, -1));
    g_free(path);
}

/* What cannot be opened by a name is the same for all. */
static void test_socket(void **state)
{
    int pair[2], copy;
    char data[2] = "";

    assert_int_equal(pipe(pair), 0);
    fd_sets_add(-1, pair[1], NULL);
    copy = host_open("/dev/fdset/0", O_WRONLY, 0);
    assert_true(copy >= 0);
    assert_int_equal(write(copy, "y", 1), 1);
    assert_int_equal(read(pair[0], data, 1), 1);
    assert_string_equal(data, "y");
    close(copy);
    close(pair[0]);
    assert_true(fd_sets_remove(0, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
