/* SPDX-License-Identifier: MIT */
/*
 * The terminal is raw while a stdio device is open, and as it was after every way of ending. A
 * child process has a pseudo terminal as its standard input; each row ends it in another way.
 */
#include "softmmu/chardev.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "softmmu/input.h"
#include "tests/softmmu/test.h"

typedef void Ending(Chardev *chr);

static void by_free(Chardev *chr)
{
    chardev_free(chr);
    _exit(0);
}

static void by_exit(Chardev *chr)
{
    exit(0);
}

static void by_abort(Chardev *chr)
{
    abort();
}

static void by_segfault(Chardev *chr)
{
    raise(SIGSEGV);
}

static void by_term(Chardev *chr)
{
    raise(SIGTERM);
}

static const struct {
    const char *spec;
    Ending *end;
    int signal; /* that must have killed it; 0: exited with 0 */
    bool isig;  /* Ctrl-C is ours while it runs */
} rows[] = {
    { "stdio", by_free, 0, true },           { "stdio", by_exit, 0, true },
    { "mon:stdio", by_exit, 0, false },      { "mon:stdio", by_abort, SIGABRT, false },
    { "stdio", by_segfault, SIGSEGV, true }, { "mon:stdio", by_term, SIGTERM, false },
};

static void child(const char *spec, Ending *end, int tty, int report)
{
    struct rlimit none = { 0, 0 };
    struct termios mode;
    Chardev *chr;

    setrlimit(RLIMIT_CORE, &none);
    signal(SIGSEGV, SIG_DFL); /* the test library and sanitizers watch these */
    signal(SIGABRT, SIG_DFL);
    dup2(tty, STDIN_FILENO);
    chr = chardev_new(spec, input_queue_new(), NULL);
    if (!chr || tcgetattr(STDIN_FILENO, &mode) ||
        write(report, &mode, sizeof(mode)) != sizeof(mode))
        _exit(99);
    end(chr);
    _exit(98);
}

static void test_restored(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        int master = posix_openpt(O_RDWR | O_NOCTTY), tty, report[2], status;
        struct termios before, during, after;
        pid_t pid;

        if (master < 0 || grantpt(master) || unlockpt(master))
            skip(); /* no devpts here */
        tty = open(ptsname(master), O_RDWR | O_NOCTTY);
        assert_true(tty >= 0);
        assert_int_equal(tcgetattr(tty, &before), 0);
        assert_int_equal(pipe(report), 0);
        pid = fork();
        if (pid == 0)
            child(rows[i].spec, rows[i].end, tty, report[1]);
        assert_int_equal(read(report[0], &during, sizeof(during)), sizeof(during));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(during.c_lflag & (ICANON | ECHO), 0);
        assert_int_equal((during.c_lflag & ISIG) != 0, rows[i].isig);
        if (rows[i].signal)
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == rows[i].signal);
        else
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_int_equal(tcgetattr(tty, &after), 0);
        assert_int_equal(after.c_lflag, before.c_lflag);
        assert_int_equal(after.c_iflag, before.c_iflag);
        assert_int_equal(after.c_cflag, before.c_cflag);
        close(report[0]);
        close(report[1]);
        close(tty);
        close(master);
    }
}

static void test_only_once(void **state)
{
    InputQueue *q = input_queue_new();
    int saved = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY);
    g_autoptr(GError) error = NULL;
    Chardev *chr;

    dup2(null, STDIN_FILENO); /* no terminal: nothing to set or restore */
    chr = chardev_new("stdio", q, &error);
    assert_non_null(chr);
    assert_null(chardev_new("mon:stdio", q, &error));
    assert_string_equal(error->message,
                        "stdio is used by more than one device (mon:stdio shares it)");
    for (int i = 0; i < 10; i++) /* the end of stdin is no event */
        g_main_context_iteration(NULL, FALSE);
    assert_false(input_pending(q));
    chardev_free(chr);
    chr = chardev_new("stdio", q, NULL); /* free again */
    assert_non_null(chr);
    chardev_free(chr);
    dup2(saved, STDIN_FILENO);
    close(saved);
    close(null);
    input_queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restored),
        cmocka_unit_test(test_only_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
