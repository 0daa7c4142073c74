/* SPDX-License-Identifier: MIT */
/*
 * Terminals send characters, not keys: what is typed is turned into the keys of a US keyboard that
 * make it, pressed and let go of at once. Escape with a key right after it is Alt with that key.
 */
#include "softmmu/ui/curses.h"

#include "config.h"
#include "softmmu/error.h"

#if HAVE_CURSES
#define NCURSES_WIDECHAR 1
#include <curses.h>
#include <glib-unix.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "softmmu/terminal.h"
#include "softmmu/ui/keys.h"

enum { CTRL_A = 1, ESCAPE = 27, ESCAPE_DELAY_MS = 25 };

struct CursesScreen {
    Hid *hid;
    Viewer *viewer;
    void (*quit)(void *opaque);
    void *opaque;
    SCREEN *term;
    guint in_source, resize_source;
    bool escaped;           /* Ctrl-A was the last key */
    TextScreen text;        /* what is shown … */
    unsigned width, height; /* … or of what picture */
};

/* ---- What is shown --------------------------------------------------------------------------- */

/* A PC's colour as a terminal counts them. */
static short colour_of(uint8_t colour)
{
    return (colour & 1) << 2 | (colour & 2) | (colour & 4) >> 2 | (COLORS >= 16 ? colour & 8 : 0);
}

static unsigned colours(void)
{
    return COLORS >= 16 && COLOR_PAIRS >= 256 ? 16 : 8;
}

static short pair_of(const TextCell *cell)
{
    unsigned mask = colours() - 1;

    return (cell->foreground & mask) * colours() + (cell->background & mask) + 1;
}

static void make_pairs(void)
{
    if (!has_colors() || start_color() == ERR)
        return;
    for (unsigned fg = 0; fg < colours(); fg++)
        for (unsigned bg = 0; bg < colours(); bg++)
            init_pair(fg * colours() + bg + 1, colour_of(fg), colour_of(bg));
}

static void put_cell(int y, int x, const TextCell *cell)
{
    wchar_t text[2] = { cell->c, 0 };
    attr_t bright = colours() == 8 && (cell->foreground & 8) ? A_BOLD : A_NORMAL;
    cchar_t c;

    if (setcchar(&c, text, bright, pair_of(cell), NULL) == OK && mvadd_wch(y, x, &c) == OK)
        return;
    attr_set(bright, pair_of(cell), NULL);
    mvaddch(y, x, cell->c < 0x80 ? cell->c : '?'); /* the terminal has no such character */
}

static void show_text(const TextScreen *t)
{
    /* A terminal that is too low has what is around the cursor. */
    int top = CLAMP(t->cursor_y - LINES + 1, 0, MAX((int)t->rows - LINES, 0));

    for (int y = 0; y < LINES && top + y < (int)t->rows; y++)
        for (int x = 0; x < COLS && x < (int)t->columns; x++)
            put_cell(y, x, &t->cells[(top + y) * t->columns + x]);
    curs_set(t->cursor_x >= 0);
    if (t->cursor_x >= 0)
        move(t->cursor_y - top, MIN(t->cursor_x, COLS - 1));
}

static void show_size(const CursesScreen *c)
{
    g_autofree char *text = g_strdup_printf("%u x %u Graphic mode", c->width, c->height);

    curs_set(0);
    mvaddnstr(LINES / 2, MAX(COLS - (int)strlen(text), 0) / 2, text, COLS);
}

static void show(const CursesScreen *c)
{
    attr_set(A_NORMAL, 0, NULL);
    erase();
    if (c->text.cells)
        show_text(&c->text);
    else
        show_size(c);
    refresh();
}

static bool same_text(const TextScreen *a, const TextScreen *b)
{
    bool same = a->cells && b->cells && a->columns == b->columns && a->rows == b->rows &&
                a->cursor_x == b->cursor_x && a->cursor_y == b->cursor_y;

    for (unsigned i = 0; same && i < a->columns * a->rows; i++)
        same = a->cells[i].c == b->cells[i].c && a->cells[i].foreground == b->cells[i].foreground &&
               a->cells[i].background == b->cells[i].background;
    return same;
}

static bool seen(void *opaque, ViewerFrame *frame)
{
    CursesScreen *c = opaque;

    if (frame->is_text) {
        TextScreen before = c->text;

        if (same_text(&before, &frame->text))
            return false;
        c->text = frame->text;
        frame->text = before;
    } else {
        if (!c->text.cells && c->width == frame->surface.width &&
            c->height == frame->surface.height)
            return false;
        text_screen_clear(&c->text);
        c->width = frame->surface.width;
        c->height = frame->surface.height;
    }
    show(c);
    return true;
}

static gboolean resized(void *opaque)
{
    struct winsize size;

    if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col)
        resizeterm(size.ws_row, size.ws_col);
    clear();
    show(opaque);
    return G_SOURCE_CONTINUE;
}

/* ---- What is typed --------------------------------------------------------------------------- */

enum { WITH_SHIFT = 1, WITH_CTRL = 2, WITH_ALT = 4, WITH_ALTGR = 8 };

static void type(CursesScreen *c, uint8_t key, unsigned with)
{
    static const uint8_t modifiers[] = { KEYS_SHIFT, KEYS_CTRL, KEYS_ALT, KEYS_ALT_R };
    int n = G_N_ELEMENTS(modifiers);

    for (int i = 0; i < n; i++)
        if (with & 1 << i)
            hid_post_key(c->hid, modifiers[i], true);
    hid_post_key(c->hid, key, true);
    hid_post_key(c->hid, key, false);
    for (int i = n; i-- > 0;)
        if (with & 1 << i)
            hid_post_key(c->hid, modifiers[i], false);
    viewer_hurry(c->viewer);
}

static const struct {
    wint_t code;
    const char *name;
    unsigned with;
} function_keys[] = {
    { KEY_UP, "up" },
    { KEY_DOWN, "down" },
    { KEY_LEFT, "left" },
    { KEY_RIGHT, "right" },
    { KEY_HOME, "home" },
    { KEY_END, "end" },
    { KEY_NPAGE, "pgdn" },
    { KEY_PPAGE, "pgup" },
    { KEY_IC, "insert" },
    { KEY_DC, "delete" },
    { KEY_BACKSPACE, "backspace" },
    { KEY_ENTER, "kp_enter" },
    { KEY_A1, "kp_7" },
    { KEY_A3, "kp_9" },
    { KEY_B2, "kp_5" },
    { KEY_C1, "kp_1" },
    { KEY_C3, "kp_3" },
    { KEY_BTAB, "tab", WITH_SHIFT },
    { KEY_SLEFT, "left", WITH_SHIFT },
    { KEY_SRIGHT, "right", WITH_SHIFT },
    { KEY_SR, "up", WITH_SHIFT },
    { KEY_SF, "down", WITH_SHIFT },
    { KEY_SHOME, "home", WITH_SHIFT },
    { KEY_SEND, "end", WITH_SHIFT },
    { KEY_SDC, "delete", WITH_SHIFT },
    { KEY_SIC, "insert", WITH_SHIFT },
    { KEY_SNEXT, "pgdn", WITH_SHIFT },
    { KEY_SPREVIOUS, "pgup", WITH_SHIFT },
};

/* F13 to F24 are F1 to F12 with Shift, then Ctrl: how terminals send them. */
static void type_function_key(CursesScreen *c, wint_t code, unsigned with)
{
    static const unsigned sets[] = { 0, WITH_SHIFT, WITH_CTRL };

    if (code >= KEY_F(1) && code <= KEY_F(36)) {
        unsigned n = code - KEY_F(1);
        g_autofree char *name = g_strdup_printf("f%u", n % 12 + 1);

        type(c, keys_from_name(name), with | sets[n / 12]);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(function_keys); i++)
        if (function_keys[i].code == code)
            type(c, keys_from_name(function_keys[i].name), with | function_keys[i].with);
}

static const struct {
    wint_t c;
    const char *name;
} control_keys[] = { { '\r', "ret" },       { '\n', "ret" },       { '\t', "tab" },
                     { 0x7f, "backspace" }, { '\b', "backspace" }, { ESCAPE, "esc" } };

static void type_character(CursesScreen *c, wint_t ch, unsigned with)
{
    KeyLevel level = KEYS_ANY;
    int key;

    for (size_t i = 0; i < G_N_ELEMENTS(control_keys); i++) {
        if (control_keys[i].c == ch) {
            type(c, keys_from_name(control_keys[i].name), with);
            return;
        }
    }
    if (ch < 0x20) { /* Ctrl-@ to Ctrl-_ */
        with |= WITH_CTRL;
        ch = g_ascii_tolower(ch | 0x40);
    }
    key = keys_from_keysym(ch < 0x100 ? ch : KEYS_UNICODE + ch, &level);
    if (key > 0)
        type(c, key,
             with | (keys_with_shift(level) ? WITH_SHIFT : 0) |
                 (keys_with_altgr(level) ? WITH_ALTGR : 0));
}

static void type_any(CursesScreen *c, int kind, wint_t code, unsigned with)
{
    if (kind == KEY_CODE_YES)
        type_function_key(c, code, with);
    else
        type_character(c, code, with);
}

static void take_key(CursesScreen *c, int kind, wint_t code)
{
    bool was_escaped = c->escaped;
    wint_t next;
    int next_kind;

    c->escaped = false;
    if (was_escaped && kind == OK && code == 'x') {
        c->quit(c->opaque);
    } else if (!was_escaped && kind == OK && code == CTRL_A) {
        c->escaped = true;
    } else if (kind == OK && code == ESCAPE && (next_kind = get_wch(&next)) != ERR) {
        type_any(c, next_kind, next, WITH_ALT);
    } else {
        type_any(c, kind, code, 0);
    }
}

static gboolean readable(int fd, GIOCondition condition, void *opaque)
{
    CursesScreen *c = opaque;
    wint_t code;
    int kind;

    while ((kind = get_wch(&code)) != ERR)
        if (kind != KEY_CODE_YES || code != KEY_RESIZE)
            take_key(c, kind, code);
    if (!(condition & (G_IO_HUP | G_IO_ERR)))
        return G_SOURCE_CONTINUE;
    c->in_source = 0; /* the terminal is gone */
    return G_SOURCE_REMOVE;
}

/* ---- Life ------------------------------------------------------------------------------------ */

/* What a terminal needs to hear when nobody can call curses any more. */
static char *leaving(void)
{
    static const char *const names[] = { "sgr0", "cnorm", "rmkx", "rmcup" };
    GString *all = g_string_new("");

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *text = tigetstr((char *)names[i]);

        if (text && text != (char *)-1 && !strchr(text, '$')) /* with delays: no */
            g_string_append(all, text);
    }
    return g_string_free(all, FALSE);
}

static bool open_terminal(CursesScreen *c, GError **error)
{
    g_autofree char *leave = NULL;
    struct termios mode;

    if (!terminal_save(&mode) || !isatty(STDOUT_FILENO)) {
        error_set(error, "a terminal is needed as standard input and output");
        return false;
    }
    setlocale(LC_CTYPE, "");
    c->term = newterm(NULL, stdout, stdin);
    if (!c->term) {
        error_set(error, "the terminal '%s' is not known",
                  g_getenv("TERM") ? g_getenv("TERM") : "");
        return false;
    }
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY_MS);
    make_pairs();
    leave = leaving();
    tcgetattr(STDIN_FILENO, &mode);
    terminal_guard(&mode, leave);
    return true;
}

CursesScreen *curses_new(const ViewerScreen *screen, void (*quit)(void *opaque), void *opaque,
                         GError **error)
{
    CursesScreen *c;

    if (!terminal_take(error))
        return NULL;
    c = g_new0(CursesScreen, 1);
    c->hid = screen->hid;
    c->quit = quit;
    c->opaque = opaque;
    if (!open_terminal(c, error)) {
        terminal_release();
        g_free(c);
        return NULL;
    }
    c->viewer = viewer_new(screen, true, seen, c);
    c->in_source = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, readable, c);
    c->resize_source = g_unix_signal_add(SIGWINCH, resized, c);
    viewer_watch(c->viewer, true);
    return c;
}

void curses_free(CursesScreen *c)
{
    if (!c)
        return;
    if (c->in_source)
        g_source_remove(c->in_source);
    g_source_remove(c->resize_source);
    viewer_free(c->viewer);
    endwin();
    delscreen(c->term);
    terminal_release();
    text_screen_clear(&c->text);
    g_free(c);
}
#else
CursesScreen *curses_new(const ViewerScreen *screen, void (*quit)(void *opaque), void *opaque,
                         GError **error)
{
    error_set(error, "this build was made without ncurses");
    return NULL;
}

void curses_free(CursesScreen *c)
{
}
#endif
