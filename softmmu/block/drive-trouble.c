/* SPDX-License-Identifier: MIT */
/*
 * Requests that the host cannot do: -drive's werror and rerror. A job that must be done again when
 * the machine goes on keeps its bytes; those are saved beside the drive's state, which has requests
 * alone.
 */
#include <errno.h>
#include <string.h>

#include "softmmu/block/drive-internal.h"
#include "softmmu/bytes.h"

/* A file may also have come to the size that its owner is allowed. */
bool drive_means_no_room(int error)
{
    return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* The guest asked for what cannot be: no matter of the host's. */
static bool is_guests_fault(int error)
{
    return error == EINVAL || error == EROFS || error == ENOMEDIUM;
}

static DriveOnError action_for(const Drive *d, DriveOp op, int error)
{
    DriveOnError action = op == DRIVE_READ ? d->w.on_read_error : d->w.on_write_error;

    if (action == DRIVE_ENOSPC)
        action = drive_means_no_room(error) ? DRIVE_STOP : DRIVE_REPORT;
    return action;
}

static bool must_be_done_again(const Drive *d, const Slot *s)
{
    int error = s->job ? s->job->r.error : 0;

    return error && !is_guests_fault(error) && action_for(d, s->op, error) == DRIVE_STOP;
}

bool drive_must_wait(Drive *d, const Slot *s, uint32_t *error)
{
    DriveTrouble t = { d, s->op, s->job->r.error, drive_means_no_room(s->job->r.error),
                       action_for(d, s->op, s->job->r.error) };
    bool stops;

    *error = t.error;
    if (!t.error || is_guests_fault(t.error))
        return false;
    stops = d->w.trouble && d->w.trouble(d->w.trouble_opaque, &t);
    if (t.action == DRIVE_IGNORE) {
        *error = 0;
        if (s->op == DRIVE_READ)
            memset(s->job->r.data, 0, s->len);
    }
    return t.action == DRIVE_STOP && stops;
}

/* ---- Saved ----------------------------------------------------------------------------------- */

/* For each: length of the drive's name, the name, u32 number of the request, u64 length, bytes. */

static void append_le(GByteArray *out, uint64_t value, unsigned size)
{
    uint8_t bytes[8];

    put_le(bytes, size, value);
    g_byte_array_append(out, bytes, size);
}

static void save_drive(Drive *d, void *opaque)
{
    GByteArray *out = opaque;

    drive_settled_image(d);
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        const Slot *s = &d->slots[i];
        uint64_t len = s->op == DRIVE_WRITE ? s->len : 0;

        if (!s->used || s->arrived || s->op == DRIVE_READ || !must_be_done_again(d, s))
            continue;
        append_le(out, strlen(drive_id(d)), 2);
        g_byte_array_append(out, (const uint8_t *)drive_id(d), strlen(drive_id(d)));
        append_le(out, s->number, 4);
        append_le(out, len, 8);
        g_byte_array_append(out, len ? s->job->r.data : (const uint8_t *)"", len);
    }
}

GBytes *drive_save_unwritten(Device *root)
{
    GByteArray *out = g_byte_array_new();

    drive_foreach(root, save_drive, out);
    return g_byte_array_free_to_bytes(out);
}

static void forget_unwritten(Drive *d, void *opaque)
{
    g_clear_pointer(&d->unwritten, g_hash_table_unref);
}

typedef struct Reader {
    const uint8_t *p;
    size_t left;
} Reader;

static const uint8_t *take(Reader *r, uint64_t len)
{
    const uint8_t *p = r->p;

    if (len > r->left)
        return NULL;
    r->p += len;
    r->left -= len;
    return p;
}

static bool take_le(Reader *r, unsigned size, uint64_t *value)
{
    const uint8_t *p = take(r, size);

    if (p)
        *value = get_le(p, size);
    return p;
}

/* False: there is none left that makes sense. */
static bool load_request(Device *root, Reader *r)
{
    uint64_t name_len, number, len;
    g_autofree char *name = NULL;
    const uint8_t *p;
    Drive *d;

    if (!take_le(r, 2, &name_len) || !(p = take(r, name_len)))
        return false;
    name = g_strndup((const char *)p, name_len);
    if (!take_le(r, 4, &number) || !take_le(r, 8, &len) || !(p = take(r, len)))
        return false;
    d = drive_find(root, name);
    if (!d)
        return true;
    if (!d->unwritten)
        d->unwritten = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
    g_hash_table_insert(d->unwritten, GUINT_TO_POINTER(number), g_bytes_new(p, len));
    return true;
}

void drive_load_unwritten(Device *root, GBytes *saved)
{
    Reader r = { 0 };

    r.p = g_bytes_get_data(saved, &r.left);
    drive_foreach(root, forget_unwritten, NULL);
    while (r.left && load_request(root, &r))
        ;
}

bool drive_write_unwritten(Drive *d, Slot *s)
{
    GBytes *bytes =
        d->unwritten ? g_hash_table_lookup(d->unwritten, GUINT_TO_POINTER(s->number)) : NULL;

    if (!bytes || s->op == DRIVE_READ ||
        g_bytes_get_size(bytes) != (s->op == DRIVE_WRITE ? s->len : 0))
        return false;
    s->error = 0;
    drive_start_job(d, s, g_bytes_get_data(bytes, NULL));
    return true;
}
