/* SPDX-License-Identifier: MIT */
/* The terminal belongs to the process, hence the static state. */
#include "softmmu/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/error.h"

static struct {
    bool in_use, is_changed;
    struct termios saved, mode;
    char leave[128];
} terminal;

/* Async-signal-safe. A background process must not stop for it (SIGTTOU). */
static void set_terminal(const struct termios *mode)
{
    sigset_t block, old;

    sigemptyset(&block);
    sigaddset(&block, SIGTTOU);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    tcsetattr(STDIN_FILENO, TCSANOW, mode);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* Likewise. */
static void restore_terminal(void)
{
    if (!terminal.is_changed)
        return;
    if (terminal.leave[0] && write(STDOUT_FILENO, terminal.leave, strlen(terminal.leave)) < 0)
        terminal.leave[0] = 0; /* nobody sees it */
    set_terminal(&terminal.saved);
    terminal.is_changed = false;
}

static void on_deadly_signal(int sig)
{
    restore_terminal();
    raise(sig); /* the handler was installed with SA_RESETHAND */
}

static void on_continue(int sig)
{
    if (terminal.is_changed)
        set_terminal(&terminal.mode);
}

/* Only where nobody else (a sanitizer, the engine) has taken the signal. */
static void guard_signal(int sig, void (*handler)(int sig), int flags)
{
    struct sigaction old, act = { .sa_handler = handler, .sa_flags = flags };

    if (sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_DFL)
        sigaction(sig, &act, NULL);
}

static void guard_exits(void)
{
    static const int deadly[] = { SIGABRT, SIGSEGV, SIGBUS,  SIGFPE,  SIGILL, SIGQUIT, SIGSYS,
                                  SIGALRM, SIGXCPU, SIGTRAP, SIGTERM, SIGINT, SIGHUP };
    static bool done;

    if (done)
        return;
    done = true;
    atexit(restore_terminal);
    for (size_t i = 0; i < G_N_ELEMENTS(deadly); i++)
        guard_signal(deadly[i], on_deadly_signal, SA_RESETHAND | SA_NODEFER);
    guard_signal(SIGCONT, on_continue, SA_RESTART);
}

bool terminal_take(GError **error)
{
    if (terminal.in_use) {
        error_set(error, "stdio is used by more than one device (mon:stdio shares it)");
        return false;
    }
    return terminal.in_use = true;
}

bool terminal_save(struct termios *mode)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal.saved))
        return false;
    *mode = terminal.saved;
    return true;
}

void terminal_guard(const struct termios *mode, const char *leave)
{
    g_strlcpy(terminal.leave, leave ? leave : "", sizeof(terminal.leave));
    terminal.mode = *mode;
    guard_exits();
    terminal.is_changed = true;
    set_terminal(mode);
}

void terminal_release(void)
{
    restore_terminal();
    terminal.in_use = false;
}
