/* SPDX-License-Identifier: MIT */
/*
 * Requests are slots, which are state; what the drive's thread works on are jobs. A slot whose
 * state was loaded has no job: a read gets a new one, all else had been done when it was saved, but
 * for what the host had no room for.
 */
#include "softmmu/block/drive-internal.h"

#include <errno.h>
#include <string.h>

#include "softmmu/block/block-job-internal.h"
#include "softmmu/trace.h"

/* What a fast disk of the guest's time takes. */
#define LATENCY_NS  50000
#define NS_PER_KIB  500
#define FLUSH_NS    200000
#define SMALL_READ  32768 /* bytes: copying them costs less than handing them to the thread */
#define RECORD_HEAD 8     /* u32 number of the request, u32 errno */

/* What the queue is told of a job that is finished. */
typedef struct JobNote {
    uint32_t number, epoch;
} JobNote;

/* ---- The drive's thread ---------------------------------------------------------------------- */

static int write_data(const DriveWiring *w, const DriveRequest *r)
{
    bool zero = w->detect_zeroes && !r->data[0] && !memcmp(r->data, r->data + 1, r->len - 1);

    return zero ? image_zero(w->image, r->offset, r->len)
                : image_write(w->image, r->offset, r->data, r->len);
}

static int ask_image(const DriveWiring *w, DriveRequest *r)
{
    Image *image = w->image;
    int error;

    if (!image)
        return ENOMEDIUM;
    switch (r->op) {
    case DRIVE_READ: return image_read(image, r->offset, r->data, r->len);
    case DRIVE_WRITE:
        error = write_data(w, r);
        return !error && w->write_through ? image_flush(image) : error;
    case DRIVE_FLUSH: return w->no_flush ? 0 : image_flush(image);
    case DRIVE_DISCARD: return image_discard(image, r->offset, r->len);
    case DRIVE_ZERO: return image_zero(image, r->offset, r->len);
    }
    g_assert_not_reached();
}

static void perform(Drive *d, DriveRequest *r)
{
    bool changes = r->op != DRIVE_READ && r->op != DRIVE_FLUSH;

    if (d->job && changes)
        block_job_before(d->job, r->offset, r->len);
    r->error = ask_image(&d->w, r);
    if (d->job && changes)
        block_job_after(d->job, r->offset, r->len);
}

/* Free-running time: the queue tells the machine. */
static void tell_finished(Drive *d, JobNote note)
{
    if (!d->w.counted)
        input_post(d->w.input, d->channel, &note, sizeof(note));
}

static void *drive_thread(void *opaque)
{
    Drive *d = opaque;

    g_mutex_lock(&d->lock);
    for (;;) {
        bool own = drive_job_is_next(d);
        Job *job = own ? NULL : g_queue_pop_head(&d->jobs);
        JobNote note;

        if (own) {
            drive_do_job(d);
            continue;
        }
        if (!job && d->leave)
            break;
        if (!job) {
            drive_wait_for_work(d);
            continue;
        }
        note = (JobNote){ job->number, job->epoch };
        d->turns++;
        drive_begin_work(d);
        perform(d, &job->r);
        drive_end_work(d);
        job->finished = true;
        d->unfinished--;
        g_cond_broadcast(&d->changed);
        tell_finished(d, note);
    }
    g_mutex_unlock(&d->lock);
    return NULL;
}

static void start_thread(Drive *d)
{
    d->thread = g_thread_new("drive", drive_thread, d);
}

static void job_free(Job *job)
{
    g_free(job->r.data);
    g_free(job);
}

static bool carries_data(DriveOp op)
{
    return op == DRIVE_READ || op == DRIVE_WRITE;
}

static void queue_job(Drive *d, Job *job)
{
    g_mutex_lock(&d->lock);
    job->finished = false;
    d->unfinished++;
    g_queue_push_tail(&d->jobs, job);
    g_cond_broadcast(&d->changed);
    g_mutex_unlock(&d->lock);
}

/* A small read needs no thread when the host need not wait for its disk; nor does it overtake what
 * was asked for before it. */
static bool read_at_once(Drive *d, Job *job)
{
    bool idle;

    if (job->r.op != DRIVE_READ || job->r.len > SMALL_READ || !d->w.image || d->job)
        return false;
    g_mutex_lock(&d->lock);
    idle = !d->unfinished;
    g_mutex_unlock(&d->lock);
    if (!idle || image_read_cached(d->w.image, job->r.offset, job->r.data, job->r.len))
        return false;
    job->finished = true;
    tell_finished(d, (JobNote){ job->number, job->epoch });
    return true;
}

void drive_start_job(Drive *d, Slot *s, const uint8_t *data)
{
    Job *job = g_new0(Job, 1);

    job->r = (DriveRequest){ .op = s->op, .offset = s->offset, .len = s->len };
    job->number = s->number;
    job->epoch = d->epoch;
    if (carries_data(s->op))
        job->r.data = s->op == DRIVE_WRITE ? g_memdup2(data, s->len) : g_malloc(s->len);
    s->job = job;
    if (!read_at_once(d, job))
        queue_job(d, job);
}

/* The machine runs again: maybe there is room now. */
static void try_again(Drive *d, Slot *s)
{
    s->stalled = false;
    queue_job(d, s->job);
}

static void wait_for_job(Drive *d, const Job *job)
{
    g_mutex_lock(&d->lock);
    while (!job->finished)
        g_cond_wait(&d->changed, &d->lock);
    g_mutex_unlock(&d->lock);
}

/* ---- Completion ------------------------------------------------------------------------------ */

static void forget_result(Drive *d, Slot *s)
{
    if (s->job) {
        wait_for_job(d, s->job);
        job_free(s->job);
        s->job = NULL;
    }
    g_clear_pointer(&s->data, g_free);
    s->arrived = s->stalled = s->missed = false;
}

static void clear_slot(Drive *d, Slot *s)
{
    forget_result(d, s);
    *s = (Slot){ 0 };
}

static int64_t duration_ns(DriveOp op, uint64_t len)
{
    return LATENCY_NS + (op == DRIVE_FLUSH  ? FLUSH_NS
                         : carries_data(op) ? (int64_t)(len / 1024) * NS_PER_KIB
                                            : 0);
}

static DriveKind kind_of(DriveOp op)
{
    static const DriveKind kinds[] = { [DRIVE_READ] = DRIVE_READS,
                                       [DRIVE_WRITE] = DRIVE_WRITES,
                                       [DRIVE_FLUSH] = DRIVE_FLUSHES,
                                       [DRIVE_DISCARD] = DRIVE_DISCARDS,
                                       [DRIVE_ZERO] = DRIVE_WRITES };

    return kinds[op];
}

/* .due_ns tells when it was asked for. */
static void account(Drive *d, const Slot *s)
{
    DriveKind kind = kind_of(s->op);
    int64_t asked_ns = (int64_t)s->due_ns - duration_ns(s->op, s->len);

    if (s->error) {
        *(s->error == EINVAL ? &d->stats.of[kind].invalid : &d->stats.of[kind].failed) += 1;
        return;
    }
    d->stats.of[kind].count++;
    d->stats.of[kind].bytes += s->len;
    d->stats.of[kind].time_ns += MAX(clock_now_ns(d->w.clock) - asked_ns, 0);
    if (kind == DRIVE_WRITES)
        d->stats.highest = MAX(d->stats.highest, s->offset + s->len);
}

const DriveStats *drive_stats(const Drive *d)
{
    return &d->stats;
}

const DriveWiring *drive_wiring(const Drive *d)
{
    return &d->w;
}

static void complete(Drive *d, Slot *s)
{
    DriveRequest r = { s->op, s->offset, s->len, s->tag, g_steal_pointer(&s->data), s->error };

    account(d, s);
    clear_slot(d, s);
    if (d->done)
        d->done(d->opaque, &r);
    g_free(r.data);
}

static Slot *find_slot(Drive *d, uint32_t number)
{
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        if (d->slots[i].used && d->slots[i].number == number)
            return &d->slots[i];
    }
    return NULL;
}

/* Free-running time: the drive's thread has posted that a job is finished. If it must be done
 * again, that note waits for the machine to go on. */
static void hear_finished(Drive *d, const void *data, size_t len)
{
    JobNote note;
    Slot *s;

    g_assert(len == sizeof(note));
    memcpy(&note, data, len);
    s = note.epoch == d->epoch ? find_slot(d, note.number) : NULL;
    if (!s || !s->job)
        return;
    if (s->stalled) {
        try_again(d, s);
        return;
    }
    s->stalled = drive_must_wait(d, s, &s->error);
    if (s->stalled) {
        input_post(d->w.input, d->channel, data, len);
        return;
    }
    s->data = g_steal_pointer(&s->job->r.data);
    complete(d, s);
}

/* A replay that reads along: the image must have what was read when it was recorded, and take what
 * was written. */
static void compare_shadow(Drive *d, const Slot *s)
{
    if (!d->w.replaying || !s->job)
        return;
    wait_for_job(d, s->job);
    d->differs |= !s->error != !s->job->r.error;
    d->differs |= s->op == DRIVE_READ && s->data && memcmp(s->data, s->job->r.data, s->len);
}

/* Counted time: what the host said, now or when it was recorded. It counts when the slot is due. */
static void hear_result(Drive *d, const uint8_t *data, size_t len)
{
    uint32_t head[2];
    Slot *s;

    if (len < RECORD_HEAD)
        return;
    memcpy(head, data, RECORD_HEAD);
    s = find_slot(d, GUINT32_FROM_LE(head[0]));
    if (!s || s->arrived)
        return;
    s->arrived = true;
    s->error = GUINT32_FROM_LE(head[1]);
    if (s->op == DRIVE_READ && len - RECORD_HEAD == s->len)
        s->data = g_memdup2(data + RECORD_HEAD, s->len);
    else if (s->op == DRIVE_READ && !s->error)
        s->error = EIO;
    compare_shadow(d, s);
}

static void hear(void *opaque, const void *data, size_t len)
{
    Drive *d = opaque;

    if (d->w.counted)
        hear_result(d, data, len);
    else
        hear_finished(d, data, len);
}

static Slot *first_due(Drive *d)
{
    Slot *first = NULL;

    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        Slot *s = &d->slots[i];

        if (s->used && (!first || s->due_ns < first->due_ns ||
                        (s->due_ns == first->due_ns && (int32_t)(s->number - first->number) < 0)))
            first = s;
    }
    return first;
}

static void set_timer(Drive *d)
{
    const Slot *s = first_due(d);

    if (!d->w.counted)
        return;
    if (s)
        timer_set(d->timer, s->due_ns);
    else
        timer_cancel(d->timer);
}

/* The host's answer through the door: recorded if the run is. False: there is none before the
 * machine has stopped and gone on. */
static bool fetch_result(Drive *d, Slot *s)
{
    uint32_t head[2] = { GUINT32_TO_LE(s->number), 0 }, error = 0;
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    Job *job = s->job;

    if (s->stalled)
        try_again(d, s);
    if (job) {
        wait_for_job(d, job);
        s->stalled = drive_must_wait(d, s, &error);
        if (s->stalled)
            return false;
        head[1] = GUINT32_TO_LE(error);
    }
    g_byte_array_append(bytes, (const uint8_t *)head, RECORD_HEAD);
    if (job && s->op == DRIVE_READ && !error)
        g_byte_array_append(bytes, job->r.data, s->len);
    input_act(d->w.input, d->channel, bytes->data, bytes->len, 0);
    return true;
}

/* A recording may have the result a turn later, when the machine had stopped in between. */
static bool comes_later(Drive *d, Slot *s)
{
    bool first = !s->missed;

    s->missed = true;
    return first;
}

static void slot_due(void *opaque)
{
    Drive *d = opaque;
    Slot *s;

    while ((s = first_due(d)) && (int64_t)s->due_ns <= clock_now_ns(d->w.clock)) {
        if (!s->arrived && (d->w.replaying ? comes_later(d, s) : !fetch_result(d, s))) {
            clock_stall(d->w.clock);
            return;
        }
        if (!s->arrived) { /* the recording has nothing here: it is another run */
            s->error = EIO;
            s->data = s->op == DRIVE_READ ? g_malloc0(s->len) : NULL;
        }
        trace(drive_complete, "%s op %d offset 0x%" G_GINT64_MODIFIER "x error %d", d->dev.id,
              s->op, s->offset, s->error);
        complete(d, s);
    }
    set_timer(d);
}

/* ---- For controllers ------------------------------------------------------------------------- */

bool drive_is_busy(const Drive *d)
{
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        if (!d->slots[i].used)
            return false;
    }
    return true;
}

void drive_submit(Drive *d, const DriveRequest *r)
{
    Slot *s = d->slots;

    g_assert(!drive_is_busy(d) && !((r->offset | r->len) % DRIVE_SECTOR));
    g_assert(!carries_data(r->op) || (r->len && r->len <= DRIVE_MAX_TRANSFER));
    while (s->used)
        s++;
    *s = (Slot){
        .used = true,
        .op = r->op,
        .number = d->next_number++,
        .offset = r->offset,
        .len = r->len,
        .tag = r->tag,
        .due_ns = clock_now_ns(d->w.clock) + duration_ns(r->op, r->len),
    };
    trace(drive_submit, "%s op %d offset 0x%" G_GINT64_MODIFIER "x len 0x%" G_GINT64_MODIFIER "x",
          d->dev.id, r->op, r->offset, r->len);
    if (!d->w.replaying || d->w.image)
        drive_start_job(d, s, r->data);
    set_timer(d);
}

static void forget_requests(Drive *d)
{
    d->epoch++;
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++)
        clear_slot(d, &d->slots[i]);
}

void drive_cancel(Drive *d)
{
    forget_requests(d);
    set_timer(d);
}

const char *drive_id(const Drive *d)
{
    return d->dev.id;
}

uint64_t drive_sectors(const Drive *d)
{
    return d->size / DRIVE_SECTOR;
}

bool drive_is_read_only(const Drive *d)
{
    return d->read_only;
}

void drive_connect(Drive *d, DriveDone *done, void *opaque)
{
    d->done = done;
    d->opaque = opaque;
}

void drive_disconnect(Drive *d)
{
    drive_cancel(d);
    d->done = NULL;
    d->opaque = NULL;
    d->door = NULL;
    drive_set_owner(d, NULL);
}

void drive_set_owner(Drive *d, const char *qdev)
{
    g_free(d->owner);
    d->owner = g_strdup(qdev);
}

const char *drive_owner(const Drive *d)
{
    return d->owner;
}

bool drive_is_connected(const Drive *d)
{
    return d->done;
}

void drive_foreach(Device *root, void (*func)(Drive *d, void *opaque), void *opaque)
{
    if (root->klass == &drive_class)
        func((Drive *)root, opaque);
    for (guint i = 0; root->children && i < root->children->len; i++)
        drive_foreach(root->children->pdata[i], func, opaque);
}

static void collect(Drive *d, void *opaque)
{
    g_ptr_array_add(opaque, d);
}

GPtrArray *drive_list(Device *root)
{
    GPtrArray *drives = g_ptr_array_new();

    drive_foreach(root, collect, drives);
    return drives;
}

Drive *drive_find(Device *root, const char *id)
{
    Drive *found = NULL;

    if (root->klass == &drive_class && !strcmp(root->id, id))
        return (Drive *)root;
    for (guint i = 0; !found && root->children && i < root->children->len; i++)
        found = drive_find(root->children->pdata[i], id);
    return found;
}

/* ---- Life ------------------------------------------------------------------------------------ */

static bool drive_realize(Device *dev, GError **error)
{
    Drive *d = (Drive *)dev;

    g_mutex_init(&d->lock);
    g_cond_init(&d->changed);
    g_queue_init(&d->jobs);
    if (d->w.counted)
        d->timer = timer_new(d->w.clock, slot_due, d);
    if (!d->w.replaying)
        start_thread(d);
    return true;
}

static void drive_unrealize(Device *dev)
{
    Drive *d = (Drive *)dev;

    forget_requests(d);
    drive_forget_job(d);
    g_mutex_lock(&d->lock);
    d->leave = true;
    g_cond_broadcast(&d->changed);
    g_mutex_unlock(&d->lock);
    if (d->thread)
        g_thread_join(d->thread);
    timer_free(d->timer);
    g_clear_pointer(&d->unwritten, g_hash_table_unref);
    g_mutex_clear(&d->lock);
    g_cond_clear(&d->changed);
}

static void drive_finalize(Device *dev)
{
    Drive *d = (Drive *)dev;

    g_clear_pointer(&d->w.image, image_close);
    g_free(d->path);
    g_free(d->name);
    g_free(d->owner);
}

static void drive_reset(Device *dev)
{
    drive_cancel((Drive *)dev);
}

/* Saved state has no jobs: what is under way comes to its end first, and is told later. */
static void *drive_settle(Device *dev)
{
    Drive *d = (Drive *)dev;

    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        Slot *s = &d->slots[i];

        if (!s->job)
            continue;
        wait_for_job(d, s->job);
        if (!d->w.counted)
            s->error = s->job->r.error;
    }
    return d;
}

Image *drive_settled_image(Drive *d)
{
    drive_settle(&d->dev);
    drive_hold_job(d);
    return d->w.image;
}

void drive_begin_shadow(Drive *d, Image *image)
{
    g_assert(d->w.replaying && !d->w.image);
    d->w.image = image;
    d->differs = false;
    if (!d->thread)
        start_thread(d);
}

Image *drive_end_shadow(Drive *d, bool *differs)
{
    drive_settle(&d->dev);
    *differs = d->differs;
    return g_steal_pointer(&d->w.image);
}

/* Reads that the recording would have answered are for the image now; all else has been done. */
void drive_go_live(Drive *d, Image *image)
{
    g_assert(d->w.replaying && !d->thread);
    d->w.replaying = false;
    d->w.image = image;
    start_thread(d);
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        Slot *s = &d->slots[i];

        if (s->used && s->op == DRIVE_READ && !s->arrived)
            drive_start_job(d, s, NULL);
    }
}

/* A finished job without data, which the queue tells of. */
static void retell(Drive *d, Slot *s)
{
    s->job = g_new0(Job, 1);
    s->job->finished = true;
    s->job->r.error = s->error;
    tell_finished(d, (JobNote){ s->number, d->epoch });
}

static bool is_sound(const Slot *s)
{
    return s->op <= DRIVE_ZERO && !((s->offset | s->len) % DRIVE_SECTOR) &&
           (!carries_data(s->op) || (s->len && s->len <= DRIVE_MAX_TRANSFER));
}

static void drive_post_load(Device *dev)
{
    Drive *d = (Drive *)dev;

    d->epoch++;
    for (unsigned i = 0; i < DRIVE_REQUESTS; i++) {
        Slot *s = &d->slots[i];

        forget_result(d, s);
        s->used = s->used && is_sound(s);
        if (!s->used || d->w.replaying || drive_write_unwritten(d, s))
            continue;
        if (s->op == DRIVE_READ)
            drive_start_job(d, s, NULL);
        else if (!d->w.counted)
            retell(d, s);
    }
    g_clear_pointer(&d->unwritten, g_hash_table_unref);
    set_timer(d);
}

static const StateField slot_state[] = {
    STATE_BOOL(Slot, used),  STATE_U8(Slot, op),     STATE_U32(Slot, number),
    STATE_U64(Slot, offset), STATE_U64(Slot, len),   STATE_U64(Slot, tag),
    STATE_U64(Slot, due_ns), STATE_U32(Slot, error), STATE_END,
};

static const StateField drive_state[] = {
    STATE_STRUCT_ARRAY(Drive, slots, slot_state),
    STATE_U32(Drive, next_number),
    STATE_U64(Drive, size),
    STATE_BOOL(Drive, read_only),
    STATE_END,
};

const DeviceClass drive_class = {
    .name = "drive",
    .desc = "an image behind a disk controller",
    .size = sizeof(Drive),
    .state = drive_state,
    .state_version = 2,
    .realize = drive_realize,
    .unrealize = drive_unrealize,
    .finalize = drive_finalize,
    .reset_enter = drive_reset,
    .post_load = drive_post_load,
    .state_of = drive_settle,
};

Drive *drive_new(Device *parent, const char *id, const DriveWiring *w)
{
    Drive *d = (Drive *)device_new(&drive_class, parent, id);

    d->w = *w;
    d->name = g_strdup_printf("drive %s", d->dev.id);
    d->size = w->size;
    d->read_only = w->read_only;
    d->path = g_strdup(w->path);
    d->channel = input_add_channel(w->input, d->name, false, hear, d);
    d->medium_channel = -1;
    if (w->removable)
        drive_add_medium_channel(d);
    return d;
}
