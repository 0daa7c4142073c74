/* SPDX-License-Identifier: MIT */
/*
 * Commands of which all or none takes effect: they are done one after another, while neither the
 * guest nor a job does anything, and those that were are undone if one of them fails. Missing:
 * completion-mode grouped.
 */
#include <string.h>

#include "softmmu/program/qmp/bitmaps.h"
#include "softmmu/program/qmp/jobs.h"

/* How to undo what was done. */
typedef struct Step {
    const struct Action *action;
    Json *args;
    GBytes *bits;
    bool recording;
} Step;

typedef struct Action {
    const char *type;
    /* Before the command: whether it can be, and what is needed to undo it; NULL: nothing. */
    bool (*prepare)(Qmp *q, Step *s, GError **error);
    void (*undo)(Qmp *q, Step *s);
    bool waits; /* the command is run when all others were */
} Action;

static ImageBitmap *bitmap_of(Qmp *q, const Step *s, const char *member)
{
    return qmp_find_bitmap(q, json_text(s->args, "node", ""), json_text(s->args, member, ""), NULL,
                           NULL);
}

static bool keep_bits(Qmp *q, Step *s, GError **error)
{
    const char *member = json_member(s->args, "target") ? "target" : "name";
    const ImageBitmap *b = bitmap_of(q, s, member);

    if (b) {
        s->bits = image_bitmap_save(b);
        s->recording = b->recording;
    }
    return true;
}

static void put_bits_back(Qmp *q, Step *s)
{
    ImageBitmap *b = bitmap_of(q, s, json_member(s->args, "target") ? "target" : "name");

    if (!b || !s->bits)
        return;
    image_bitmap_restore(b, s->bits);
    b->recording = s->recording;
}

static void take_bitmap_away(Qmp *q, Step *s)
{
    Drive *d;
    ImageBitmap *b = qmp_find_bitmap(q, json_text(s->args, "node", ""),
                                     json_text(s->args, "name", ""), &d, NULL);

    if (b)
        image_remove_bitmap(drive_settled_image(d), b);
}

static bool can_remove(Qmp *q, Step *s, GError **error)
{
    return qmp_bitmap_to_change(q, s->args, "name", true, error);
}

static void take_image_off(Qmp *q, Step *s)
{
    Drive *d =
        qmp_find_disk(q, json_text(s->args, "device", json_text(s->args, "node-name", "")), NULL);

    if (d)
        drive_take_off(d);
}

static void delete_snapshot(Qmp *q, Step *s)
{
    json_object_put(qmp_call(q, "blockdev-snapshot-delete-internal-sync", s->args, NULL));
}

static void undo_job(Qmp *q, Step *s)
{
    qmp_undo_job(q, json_text(s->args, "job-id", json_text(s->args, "device", "")));
}

static const Action actions[] = {
    { "abort" },
    { "block-dirty-bitmap-add", NULL, take_bitmap_away },
    { "block-dirty-bitmap-clear", keep_bits, put_bits_back },
    { "block-dirty-bitmap-disable", keep_bits, put_bits_back },
    { "block-dirty-bitmap-enable", keep_bits, put_bits_back },
    { "block-dirty-bitmap-merge", keep_bits, put_bits_back },
    { "block-dirty-bitmap-remove", can_remove, NULL, true },
    { "blockdev-backup", NULL, undo_job },
    { "blockdev-snapshot-sync", NULL, take_image_off },
    { "blockdev-snapshot-internal-sync", NULL, delete_snapshot },
    { "drive-backup", NULL, undo_job },
};

static const Action *find_action(const char *type, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(actions); i++) {
        if (!strcmp(actions[i].type, type))
            return &actions[i];
    }
    error_set(error, "Parameter 'type' does not accept value '%s'", type);
    return NULL;
}

static bool run_step(Qmp *q, Step *s, GError **error)
{
    Json *answer;

    if (!s->action->prepare && !s->action->undo) {
        error_set(error, "Transaction aborted using Abort action");
        return false;
    }
    if (s->action->prepare && !s->action->prepare(q, s, error))
        return false;
    if (s->action->waits)
        return true;
    answer = qmp_call(q, s->action->type, s->args, error);
    json_object_put(answer);
    return answer;
}

static bool take_steps(Json *list, GArray *steps, GError **error)
{
    for (size_t i = 0; i < json_object_array_length(list); i++) {
        Json *one = json_object_array_get_idx(list, i), *data;
        Step s = { .action = find_action(json_text(one, "type", ""), error) };

        if (!s.action)
            return false;
        data = json_member(one, "data");
        if (!json_object_is_type(data, json_type_object)) {
            error_set(error, "Parameter 'actions[%zu].data' is missing", i);
            return false;
        }
        s.args = data;
        g_array_append_val(steps, s);
    }
    return true;
}

static bool run_all(Qmp *q, GArray *steps, GError **error)
{
    guint done = 0;

    while (done < steps->len && run_step(q, &g_array_index(steps, Step, done), error))
        done++;
    if (done == steps->len) {
        for (guint i = 0; i < steps->len; i++) {
            Step *s = &g_array_index(steps, Step, i);

            if (s->action->waits)
                json_object_put(qmp_call(q, s->action->type, s->args, NULL));
        }
        return true;
    }
    while (done-- > 0) {
        Step *s = &g_array_index(steps, Step, done);

        if (s->action->undo)
            s->action->undo(q, s);
    }
    return false;
}

static Json *run_transaction(Qmp *q, Json *args, GError **error)
{
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(Step));
    Json *properties = json_member(args, "properties");
    const char *mode = json_text(properties, "completion-mode", "individual");
    bool ok = false;

    if (strcmp(mode, "individual"))
        error_set(error, "completion-mode '%s' is not supported: jobs end each by itself", mode);
    else
        ok = take_steps(json_member(args, "actions"), steps, error) && run_all(q, steps, error);
    for (guint i = 0; i < steps->len; i++)
        g_clear_pointer(&g_array_index(steps, Step, i).bits, g_bytes_unref);
    g_array_unref(steps);
    return ok ? json_done() : NULL;
}

const QmpCommand qmp_transaction_commands[] = {
    { "transaction", "actions:[any] properties:{}?", run_transaction },
    { NULL },
};
