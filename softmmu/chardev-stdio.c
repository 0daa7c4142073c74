/* SPDX-License-Identifier: MIT */
/*
 * Standard input and output. A terminal is switched to raw mode, and put back on every way out
 * (terminal.h). If stdin is no terminal nothing is touched; its end is no error.
 */
#include "softmmu/chardev-internal.h"

#include <unistd.h>

#include "softmmu/terminal.h"

/* Bytes pass as typed; @signals keeps Ctrl-C and its like for us. Output processing stays on. */
static void make_raw(bool signals)
{
    struct termios raw;

    if (!terminal_save(&raw))
        return;
    raw.c_iflag &= ~(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_lflag &= ~(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals)
        raw.c_lflag &= ~ISIG;
    raw.c_cflag = (raw.c_cflag & ~(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    terminal_guard(&raw, NULL);
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
    terminal_release();
}

static const ChardevClass stdio_class = {
    .name = "stdio", .write = stdio_write, .drained = stdio_drained, .close = stdio_close
};

Chardev *chardev_new_stdio(InputQueue *queue, bool signals, GError **error)
{
    StdioChardev *stdio;

    if (!terminal_take(error))
        return NULL;
    stdio = chardev_alloc(sizeof(StdioChardev), &stdio_class, queue);
    make_raw(signals);
    stdio->source = fd_source_new(&stdio->chr, STDIN_FILENO, NULL);
    return &stdio->chr;
}
