/* SPDX-License-Identifier: MIT */
/* Text commands about the host's side of the machine, each told in QMP. */
#include <stdlib.h>
#include <string.h>

#include "softmmu/program/qmp/internal.h"
#include "softmmu/program/qmp/text.h"

static bool run(void *q, const char *command, Json *args, GError **error)
{
    Json *answer = text_ask(q, command, args, error);

    json_object_put(answer);
    return answer != NULL;
}

/* The last word is the descriptor that came along. */
static bool getfd(void *q, const char *args, GString *out, GError **error)
{
    const char *fd = strrchr(args, ' ');
    g_autofree char *name = g_strstrip(g_strndup(args, fd - args));

    return qmp_name_fd(q, name, atoi(fd), error);
}

static bool closefd(void *q, const char *args, GString *out, GError **error)
{
    return run(q, "closefd", json_make("fdname:s", args), error);
}

static bool announce_self(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = g_strsplit(args, " ", 2);
    const char *cards = words[0] && *words[0] ? words[0] : NULL;
    Json *o = json_make("initial:i max:i rounds:i step:i id:s", INT64_C(50), INT64_C(550),
                        INT64_C(5), INT64_C(100), cards ? words[1] : NULL);

    if (cards) {
        g_auto(GStrv) names = g_strsplit(cards, ",", -1);
        Json *list = json_object_new_array();

        for (char **name = names; *name; name++)
            json_object_array_add(list, json_object_new_string(*name));
        json_object_object_add(o, "interfaces", list);
    }
    return run(q, "announce-self", o, error);
}

/* A protocol and one word more, behind which others may stand; NULL with @error. */
static char **protocol_words(const char *name, const char *args, GError **error)
{
    char **words = g_strsplit(args, " ", -1);

    if (g_strv_length(words) < 2)
        g_set_error(error, ERROR_USER, MONITOR_MISUNDERSTOOD, "%s: string expected", name);
    else if (strcmp(words[0], "vnc") && strcmp(words[0], "spice"))
        error_set(error, "invalid parameter value: %s", words[0]);
    else
        return words;
    g_strfreev(words);
    return NULL;
}

static bool set_password(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = protocol_words("set_password", args, error);
    bool done;

    if (!words)
        return false;
    done = run(q, "set_password",
               json_make("protocol:s password:s connected:s", words[0], words[1], words[2]), error);
    if (!done && !strcmp(words[0], "vnc") && !words[2])
        g_string_append(out, "No VNC server asks for a password (-vnc ...,password=on)\n");
    return done;
}

static bool expire_password(void *q, const char *args, GString *out, GError **error)
{
    g_auto(GStrv) words = protocol_words("expire_password", args, error);

    return words &&
           run(q, "expire_password", json_make("protocol:s time:s", words[0], words[1]), error);
}

/* clang-format off */
const MonitorExtra text_host_commands[] = {
    {"getfd",           "name",     "a descriptor that came along (SCM_RIGHTS) has that name", getfd, .takes_fd = true},
    {"closefd",         "name",     "close one that has a name",                               closefd},
    {"announce_self",   "[interfaces] [id]", "cards (of a,b,…; else all) tell their networks where they are", announce_self},
    {"set_password",    "protocol password [action-if-connected]", "what VNC clients have to know", set_password},
    {"expire_password", "protocol time", "VNC's is none from then on: now, never, +SECONDS, Unix time", expire_password},
    {.more = text_job_commands},
};
/* clang-format on */
