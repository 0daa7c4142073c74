/* SPDX-License-Identifier: MIT */
/*
 * The commands and their options. Missing of qemu-img's: bench, encryption with --object,
 * --image-opts; what asks for other ways of the same copying (-C, -r, --salvage) is refused.
 */
#include "softmmu/program/img/img.h"

#include <stdarg.h>
#include <string.h>

#include "softmmu/program/img/internal.h"
#include "softmmu/program/options/keyval.h"

static const struct {
    const char *name;
    char letter;
} long_options[] = {
    { "output", IMG_OUTPUT },
    { "backing-chain", IMG_CHAIN },
    { "shrink", IMG_SHRINK },
    { "size", IMG_SIZE },
    { "start-offset", IMG_START },
    { "max-length", IMG_LENGTH },
    { "preallocation", IMG_ROOM },
    { "target-is-zero", IMG_TARGET_IS_ZERO },
    { "force-share", 'U' },
    { "quiet", 'q' },
    { "add", IMG_ADD },
    { "remove", IMG_REMOVE },
    { "clear", IMG_CLEAR },
    { "enable", IMG_ENABLE },
    { "disable", IMG_DISABLE },
    { "merge", IMG_MERGE },
    { "object", IMG_OBJECT },
    { "image-opts", IMG_IMAGE_OPTS },
    { "granularity", 'g' },
    { "source-file", 'b' },
    { "source-format", 'F' },
};

/* What every command of qemu-img's takes, and none here. */
static const struct {
    char letter;
    const char *why;
} refused[] = {
    { IMG_OBJECT, "--object: there are neither encrypted images nor secrets for them" },
    { IMG_IMAGE_OPTS, "--image-opts: give the file's name, and its format with -f" },
};

/* ---- Commands -------------------------------------------------------------------------------- */

static bool img_bench(Img *g, GError **error)
{
    return img_fail(g, 1, error,
                    "bench is not made: time a guest's own requests, or dd with if= and of=");
}

/* .options: letters, with a colon if a value follows. */
static const struct {
    const char *name, *options;
    unsigned least, most; /* files */
    ImgRun *run;
    const char *usage; /* NULL: it is refused in any case */
} commands[] = {
    { "amend", "f:o:t:pq", 0, 1, img_amend, "amend [-f FMT] [-pq] -o OPTIONS FILE" },
    { "bench", "f:c:d:s:S:o:t:i:wnqU", 0, IMG_FILES, img_bench, NULL },
    { "bitmap",
      "f:b:F:g:1234"
      "56:",
      0, 3, img_bitmap,
      "bitmap [-f FMT] [-b FROM [-F FMT]] [-g SIZE] --add | --remove | --clear | --enable | "
      "--disable | --merge BITMAP FILE BITMAP" },
    { "check", "f:J:r:qUT:", 1, 1, img_check,
      "check [-f FMT] [-r leaks|all] [--output=human|json] [-qU] FILE" },
    { "commit", "f:t:b:dpq", 1, 1, img_commit, "commit [-f FMT] [-b BASE] [-dpq] FILE" },
    { "compare", "f:F:T:psqU", 2, 2, img_compare, "compare [-f FMT] [-F FMT] [-pqsU] FILE1 FILE2" },
    { "convert", "f:O:B:F:o:l:S:t:T:m:WcnpqUz", 2, 2, img_convert,
      "convert [-f FMT] [-O FMT] [-B BACKING [-F FMT]] [-o OPTIONS] [-l SNAPSHOT] [-S SIZE] "
      "[-cnpqU] FROM TO" },
    { "create", "f:b:F:o:uq", 0, 2, img_create,
      "create [-f FMT] [-b BACKING -F FMT [-u]] [-o OPTIONS] [-q] FILE [SIZE]" },
    { "dd", "f:O:U", 2, IMG_FILES, img_dd,
      "dd [-f FMT] [-O FMT] [bs=SIZE] [count=N] [skip=N] if=FILE of=FILE" },
    { "info", "f:J:KU", 1, 1, img_info,
      "info [-f FMT] [--output=human|json] [--backing-chain] [-U] FILE" },
    { "map", "f:J:A:M:U", 1, 1, img_map,
      "map [-f FMT] [--output=human|json] [--start-offset=N] [--max-length=N] [-U] FILE" },
    { "measure", "f:J:O:o:Z:l:U", 0, 1, img_measure,
      "measure [-O FMT] [-o OPTIONS] [--output=human|json] --size=SIZE | [-f FMT] FILE" },
    { "rebase", "f:t:T:b:F:upq", 1, 1, img_rebase,
      "rebase [-f FMT] -b BACKING [-F FMT] [-upq] FILE" },
    { "resize", "f:P:Hq", 2, 2, img_resize,
      "resize [-f FMT] [--preallocation=MODE] [--shrink] [-q] FILE [+|-]SIZE" },
    { "snapshot", "f:a:c:d:lqU", 1, 1, img_snapshot,
      "snapshot [-l | -a NAME | -c NAME | -d NAME] [-qU] FILE" },
};

/* ---- For the commands ------------------------------------------------------------------------ */

void img_say(Img *g, const char *format, ...)
{
    va_list args;

    if (g->option['q'])
        return;
    va_start(args, format);
    g_string_append_vprintf(g->answer->out, format, args);
    va_end(args);
}

bool img_fail(Img *g, int status, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g->answer->status = status;
    error_set(error, "%s", text);
    return false;
}

void img_progress(Img *g, uint64_t done, uint64_t all)
{
    if (g->option['p'] && !g->option['q'] && g->answer->progress)
        g->answer->progress(all ? 100.0 * done / all : 100.0);
}

bool img_wants_json(Img *g, bool *json, GError **error)
{
    const char *as = g->option[IMG_OUTPUT];

    *json = as && !strcmp(as, "json");
    return !as || *json || !strcmp(as, "human") ||
           img_fail(g, 1, error, "--output must be used with human or json as argument.");
}

Image *img_open(Img *g, const char *path, const char *format, bool read_only, GError **error)
{
    return image_open(&(ImageOpen){ .path = path,
                                    .format = format,
                                    .read_only = read_only,
                                    .unlocked = read_only && g->option['U'] },
                      error);
}

bool img_size(Img *g, int letter, uint64_t *bytes, GError **error)
{
    return !g->option[letter] || parse_size(g->option[letter], 1, bytes, error);
}

bool img_is_zero(const uint8_t *data, size_t len)
{
    return !len || (!data[0] && !memcmp(data, data + 1, len - 1));
}

/* ---- What was asked for ---------------------------------------------------------------------- */

/* The letter of the option @arg of those in @known; *@value: what it brings itself, or NULL. 0:
 * there is none. */
static char find_option(const char *arg, const char *known, const char **value)
{
    *value = NULL;
    if (arg[1] != '-') {
        *value = arg[2] ? arg + 2 : NULL;
        return arg[1] && g_ascii_isalpha(arg[1]) && strchr(known, arg[1]) &&
                       !strchr(IMG_WORDS, arg[1])
                   ? arg[1]
                   : 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(long_options); i++) {
        size_t len = strlen(long_options[i].name);

        if (strncmp(arg + 2, long_options[i].name, len) || (arg[2 + len] && arg[2 + len] != '='))
            continue;
        *value = arg[2 + len] ? arg + 3 + len : NULL;
        return strchr(known, long_options[i].letter) ? long_options[i].letter : 0;
    }
    return 0;
}

static void set_option(Img *g, char letter, const char *value)
{
    if (letter >= IMG_ADD && letter <= IMG_MERGE && g->actions < IMG_ACTIONS)
        g->action[g->actions++] = (ImgAction){ letter, value };
    if (letter == 'o') {
        if (!g->layout)
            g->layout = g_string_new(NULL);
        g_string_append_printf(g->layout, "%s%s", g->layout->len ? "," : "", value);
    }
    g->option[(unsigned char)letter] = value;
}

/* Switches may stand together: -pq. */
static bool take_option(Img *g, int argc, char **argv, int *i, const char *known, GError **error)
{
    const char *arg = argv[*i], *value, *rest;
    char letter = find_option(arg, known, &value);
    bool takes = letter && strchr(known, letter)[1] == ':';

    if (letter && takes && !value && *i + 1 < argc)
        value = argv[++*i];
    if (!letter || (takes && !value) || (!takes && value && arg[1] == '-')) {
        error_set(error, "img %s: '%s' is %s", argv[2], arg,
                  letter && takes ? "without its argument" : "no option of it");
        return false;
    }
    set_option(g, letter, takes ? value : "");
    for (rest = takes ? NULL : value; rest && *rest; rest++) {
        const char *place = strchr(known, *rest);

        if (!place || place[1] == ':' || !g_ascii_isalpha(*rest)) {
            error_set(error, "img %s: '%s' is no option of it", argv[2], arg);
            return false;
        }
        set_option(g, *rest, "");
    }
    return true;
}

/* A size that begins with a sign is none. */
static bool is_option(const char *arg)
{
    return arg[0] == '-' && !g_ascii_isdigit(arg[1]);
}

static bool take_args(Img *g, int argc, char **argv, const char *known, GError **error)
{
    bool files = false; /* alone, after "--" */

    for (int i = 3; i < argc; i++) {
        if (!files && !strcmp(argv[i], "--")) {
            files = true;
        } else if (files || !is_option(argv[i])) {
            if (g->count == IMG_FILES)
                return img_fail(g, 1, error, "img %s: '%s' is one argument too many", argv[2],
                                argv[i]);
            g->files[g->count++] = argv[i];
        } else if (!take_option(g, argc, argv, &i, known, error)) {
            return false;
        }
    }
    return true;
}

/* How the host caches, and how many copy at a time: here it is one way, which these words do not
 * change. */
static bool check_hints(Img *g, GError **error)
{
    static const char *const caches[] = { "none",       "writeback", "writethrough",
                                          "directsync", "unsafe",    NULL };
    uint64_t n;

    for (const char *letter = "tT"; *letter; letter++) {
        const char *cache = g->option[(unsigned char)*letter];

        if (cache && !g_strv_contains(caches, cache))
            return img_fail(g, 1, error, "Invalid cache option: %s", cache);
    }
    return !g->option['m'] || parse_number(g->option['m'], 1, 16, &n, error);
}

static bool check_refused(Img *g, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        if (g->option[(unsigned char)refused[i].letter])
            return img_fail(g, 1, error, "%s", refused[i].why);
    }
    return true;
}

static bool usage(Img *g, GError **error)
{
    g_autoptr(GString) names = g_string_new("usage: mimus img ");

    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (commands[i].usage)
            g_string_append_printf(names, "%s%s", i ? "|" : "", commands[i].name);
    }
    return img_fail(g, 1, error, "%s ...", names->str);
}

bool img_command(int argc, char **argv, ImgAnswer *answer, GError **error)
{
    Img g = { .answer = answer };
    bool ok;

    answer->status = 1;
    for (size_t i = 0; argc > 2 && i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(argv[2], commands[i].name))
            continue;
        g_autofree char *known = g_strconcat(commands[i].options, "7:8", NULL);

        ok = take_args(&g, argc, argv, known, error) && check_refused(&g, error) &&
             check_hints(&g, error);
        if (ok && (g.count < commands[i].least || g.count > commands[i].most))
            ok = img_fail(&g, 1, error, "usage: mimus img %s", commands[i].usage);
        if (ok) {
            answer->status = 0;
            ok = commands[i].run(&g, error);
        }
        if (!ok && !answer->status)
            answer->status = 1;
        if (g.layout)
            g_string_free(g.layout, TRUE);
        return ok;
    }
    return usage(&g, error);
}
