/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output. A terminal is switched to raw mode and put back on every way out:
 * chardev_free(), exit(), and signals that kill. If stdin is no terminal nothing is touched; its
 * end is no error. The terminal belongs to the process, hence the static state.
 */
#include "softmmu/chardev-internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "softmmu/error.h"

static struct {
    bool in_use;
    bool is_raw;
    struct termios saved, raw;
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

static void restore_terminal(void)
{
    if (!terminal.is_raw)
        return;
    set_terminal(&terminal.saved);
    terminal.is_raw = false;
}

static void on_deadly_signal(int sig)
{
    restore_terminal();
    raise(sig); /* the handler was installed with SA_RESETHAND */
}

static void on_continue(int sig)
{
    if (terminal.is_raw)
        set_terminal(&terminal.raw);
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

/* Bytes pass as typed; @signals keeps Ctrl-C and its like for us. Output processing stays on. */
static void make_raw(bool signals)
{
    struct termios *raw = &terminal.raw;

    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &terminal.saved))
        return;
    *raw = terminal.saved;
    raw->c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw->c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw->c_lflag &= ~ISIG;
    raw->c_cflag = (raw->c_cflag & ~(CSIZE | PARENB)) | CS8;
    raw->c_cc[VMIN] = 1;
    raw->c_cc[VTIME] = 0;
    guard_exits();
    terminal.is_raw = true;
    set_terminal(raw);
}

typedef struct StdioChardev {
    Chardev chr;
    FdSource *source;
} StdioChardev;

static void stdio_write(Chardev *chr, const uint8_t *data, size_t len)
{
    fd_write_all(STDOUT_FILENO, data, len, -1);
}

static void stdio_drained(Chardev *chr)
{
    g_main_context_wakeup(NULL);
}

static void stdio_close(Chardev *chr)
{
    fd_source_free(((StdioChardev *)chr)->source);
    restore_terminal();
    terminal.in_use = false;
}

static const ChardevClass stdio_class = {
    .name = "stdio", .write = stdio_write, .drained = stdio_drained, .close = stdio_close
};

Chardev *chardev_new_stdio(InputQueue *queue, bool signals, GError **error)
{
    StdioChardev *stdio;

    if (terminal.in_use) {
        error_set(error, "stdio is used by more than one device (mon:stdio shares it)");
        return NULL;
    }
    terminal.in_use = true;
    stdio = chardev_alloc(sizeof(StdioChardev), &stdio_class, queue);
    make_raw(signals);
    stdio->source = fd_source_new(&stdio->chr, STDIN_FILENO, NULL);
    return &stdio->chr;
}
