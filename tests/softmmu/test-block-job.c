/* SPDX-License-Identifier: MIT */
/*
 * Jobs on the images of a drive that a guest writes to all the while: what comes of them, against a
 * model in memory; a process that is killed in the middle; targets that have no room.
 */
#include "softmmu/block/block-job.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/softmmu/test.h"
#include "tests/softmmu/images.h"

#define SIZE   (2 * 1024 * 1024u)
#define SECTOR 512
#define MOST   (64 * 1024u) /* bytes of a write */

typedef struct Bench {
    Device *root;
    Clock *clock;
    InputQueue *input;
    Drive *drive;
    char *dir, *base, *middle, *top, *target;
    uint8_t *model; /* what the guest has written */
    uint8_t *below; /* what base has at first */
    unsigned done, under_way;
    unsigned news; /* heard so far */
    BlockJobState state;
    BlockJobTrouble trouble;
} Bench;

static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

static void done(void *opaque, const DriveRequest *r)
{
    Bench *b = opaque;

    assert_int_equal(r->error, 0);
    b->under_way--;
}

static void hear(void *opaque, BlockJobState state, BlockJobTrouble trouble)
{
    Bench *b = opaque;

    b->news++;
    b->state = state;
    if (trouble.error)
        b->trouble = trouble;
}

static void fill(const char *path, const char *format, uint8_t *model, unsigned seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    Image *image = open_image(path, format, false);

    for (unsigned i = 0; i < 12; i++) {
        uint32_t at = g_rand_int_range(rand, 0, SIZE - MOST);

        memset(model + at, g_rand_int(rand), MOST);
        assert_int_equal(image_write(image, at, model + at, MOST), 0);
    }
    image_close(image);
}

static void open_machine(Bench *b, Image *image)
{
    DriveWiring w = { .image = image, .size = SIZE };

    w.clock = b->clock = clock_new_manual();
    w.input = b->input = input_queue_new();
    b->root = device_new(&root_class, NULL, NULL);
    device_realize(b->root, NULL);
    b->drive = drive_new(b->root, "disk", &w);
    drive_connect(b->drive, done, b);
    device_realize((Device *)b->drive, NULL);
    device_reset(b->root);
}

static void close_machine(Bench *b)
{
    device_free(b->root);
    clock_free(b->clock);
    input_queue_free(b->input);
}

static void *share(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_true(p != MAP_FAILED);
    return p;
}

/* base.raw, middle and top before it. */
static void start(Bench *b)
{
    *b = (Bench){ .dir = g_dir_make_tmp("mimus-jobs-XXXXXX", NULL) };
    b->base = g_build_filename(b->dir, "base", NULL);
    b->middle = g_build_filename(b->dir, "middle", NULL);
    b->top = g_build_filename(b->dir, "top", NULL);
    b->target = g_build_filename(b->dir, "target", NULL);
    b->model = share(SIZE);
    b->below = g_malloc0(SIZE);
    make_image(b->base, "raw", SIZE, NULL, NULL);
    fill(b->base, "raw", b->below, 1);
    memcpy(b->model, b->below, SIZE);
    make_image(b->middle, "qcow2", SIZE, "base", "raw");
    fill(b->middle, "qcow2", b->model, 2);
    make_image(b->top, "qcow2", SIZE, "middle", "qcow2");
    fill(b->top, "qcow2", b->model, 3);
}

static void stop(Bench *b)
{
    char *const files[] = { b->base, b->middle, b->top, b->target };

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        unlink(files[i]);
        g_free(files[i]);
    }
    rmdir(b->dir);
    g_free(b->dir);
    munmap(b->model, SIZE);
    g_free(b->below);
}

static void submit(Bench *b, DriveOp op, uint32_t at, uint32_t len, uint8_t fill_with)
{
    g_autofree uint8_t *data = g_malloc(len);

    memset(data, fill_with, len);
    b->under_way++;
    drive_submit(b->drive, &(DriveRequest){ .op = op, .offset = at, .len = len, .data = data });
}

/* A change by the guest somewhere. */
static void change(Bench *b, GRand *rand)
{
    uint32_t len = SECTOR * g_rand_int_range(rand, 1, MOST / SECTOR);
    uint32_t at = SECTOR * g_rand_int_range(rand, 0, (SIZE - len) / SECTOR);
    bool zero = !g_rand_int_range(rand, 0, 4);
    uint8_t with = zero ? 0 : g_rand_int(rand);

    submit(b, zero ? DRIVE_ZERO : DRIVE_WRITE, at, len, with);
    memset(b->model + at, with, len);
}

static void turn(Bench *b)
{
    input_deliver(b->input, true, 0);
    g_thread_yield();
}

static void settle(Bench *b)
{
    while (b->under_way)
        turn(b);
}

/* The guest writes until the job is at @state. */
static void run_until(Bench *b, BlockJobState state, GRand *rand)
{
    for (unsigned i = 0; b->state != state; i++) {
        assert_true(i < 10000000);
        if (rand && i % 16 == 0 && b->under_way < 8)
            change(b, rand);
        turn(b);
        if (i % 1000 == 999)
            input_wait(b->input, 1000000);
    }
}

static void check_image(Image *image, const uint8_t *model)
{
    g_autofree uint8_t *buf = g_malloc(SIZE);

    assert_int_equal(image_read(image, 0, buf, SIZE), 0);
    for (uint32_t i = 0; i < SIZE; i++)
        if (buf[i] != model[i])
            fail_msg("byte %#x is %#x, not %#x", i, buf[i], model[i]);
}

static void check_file(const char *path, const char *format, const uint8_t *model)
{
    Image *image = open_image(path, format, true);

    check_image(image, model);
    image_close(image);
}

/* ---- Kinds ----------------------------------------------------------------------------------- */

typedef struct Row {
    const char *name;
    BlockJobKind kind;
    BlockJobSync sync;
    int depth;          /* of the base: 1 or 2 behind the top; 0: none */
    const char *format; /* of the target */
    bool pivot;
    bool inner; /* what is behind the top is committed, not that */
    bool compress;
} Row;

static const Row rows[] = {
    { "commit into the middle", BLOCK_JOB_COMMIT, BLOCK_JOB_FULL, 1, NULL, true },
    { "commit into the base", BLOCK_JOB_COMMIT, BLOCK_JOB_FULL, 2, NULL, true },
    { "commit without going over", BLOCK_JOB_COMMIT, BLOCK_JOB_FULL, 2, NULL, false },
    { "stream all", BLOCK_JOB_STREAM, BLOCK_JOB_FULL, 0, NULL, false },
    { "stream above the base", BLOCK_JOB_STREAM, BLOCK_JOB_FULL, 2, NULL, false },
    { "mirror to qcow2", BLOCK_JOB_MIRROR, BLOCK_JOB_FULL, 0, "qcow2", true },
    { "mirror to raw", BLOCK_JOB_MIRROR, BLOCK_JOB_FULL, 0, "raw", true },
    { "mirror without going over", BLOCK_JOB_MIRROR, BLOCK_JOB_FULL, 0, "raw", false },
    { "mirror of the top", BLOCK_JOB_MIRROR, BLOCK_JOB_TOP, 0, "qcow2", true },
    { "backup to qcow2", BLOCK_JOB_BACKUP, BLOCK_JOB_FULL, 0, "qcow2", false },
    { "backup to raw", BLOCK_JOB_BACKUP, BLOCK_JOB_FULL, 0, "raw", false },
    { "backup of the top", BLOCK_JOB_BACKUP, BLOCK_JOB_TOP, 0, "qcow2", false },
    { "commit the middle into the base", BLOCK_JOB_COMMIT, BLOCK_JOB_FULL, 2, NULL, false, true },
    { "backup to qcow2, compressed", BLOCK_JOB_BACKUP, BLOCK_JOB_FULL, 0, "qcow2", false, false,
      true },
};

static BlockJobWiring wiring(Bench *b, const Row *r, Image *top)
{
    BlockJobWiring w = { .kind = r->kind, .sync = r->sync, .news = hear, .opaque = b };

    w.compress = r->compress;
    w.top = r->inner ? image_backing(top) : NULL;
    for (int i = 0; i < r->depth; i++)
        w.base = image_backing(w.base ? w.base : top);
    if (!r->format)
        return w;
    make_image(b->target, r->format, SIZE, r->sync == BLOCK_JOB_TOP ? "middle" : NULL,
               r->sync == BLOCK_JOB_TOP ? "qcow2" : NULL);
    w.target = open_image(b->target, r->format, false);
    return w;
}

static void begin(Bench *b, const Row *r)
{
    GError *error = NULL;
    BlockJobWiring w;

    open_machine(b, open_image(b->top, "qcow2", false));
    w = wiring(b, r, drive_settled_image(b->drive));
    if (!drive_begin_job(b->drive, &w, &error))
        fail_msg("%s: %s", r->name, error->message);
    b->news = b->state = 0;
}

static BlockJobState goal(const Row *r)
{
    return (r->kind == BLOCK_JOB_COMMIT && !r->inner) || r->kind == BLOCK_JOB_MIRROR
               ? BLOCK_JOB_READY
               : BLOCK_JOB_DONE;
}

/* The file that the drive has in the end, and its format. */
static const char *final_file(const Bench *b, const Row *r, const char **format)
{
    *format = "qcow2";
    if (!r->pivot)
        return b->top;
    if (r->kind == BLOCK_JOB_MIRROR) {
        *format = r->format;
        return b->target;
    }
    *format = r->depth == 1 ? "qcow2" : "raw";
    return r->depth == 1 ? b->middle : b->base;
}

static void test_kinds(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i];
        g_autoptr(GRand) rand = g_rand_new_with_seed(i);
        g_autofree uint8_t *before = NULL;
        const char *format, *file;
        Bench b;

        start(&b);
        before = g_memdup2(b.model, SIZE);
        begin(&b, r);
        run_until(&b, goal(r), rand);
        for (unsigned n = 0; n < 20; n++) { /* it goes on */
            change(&b, rand);
            turn(&b);
        }
        assert_true(drive_end_job(b.drive, r->pivot, NULL));
        assert_false(drive_has_job(b.drive));
        settle(&b);
        check_image(drive_settled_image(b.drive), b.model);
        if (r->kind == BLOCK_JOB_COMMIT && !r->pivot && !r->inner)
            check_file(b.base, "raw", b.model);
        if (r->kind == BLOCK_JOB_MIRROR && !r->pivot)
            check_file(b.target, r->format, b.model);
        if (r->kind == BLOCK_JOB_BACKUP)
            check_file(b.target, r->format, before);
        for (unsigned n = 0; n < 5; n++)
            change(&b, rand);
        settle(&b);
        file = final_file(&b, r, &format);
        assert_string_equal(image_path(drive_settled_image(b.drive)), file);
        close_machine(&b);
        if (r->kind == BLOCK_JOB_STREAM || r->inner)
            unlink(b.middle);
        check_file(file, format, b.model);
        if (r->depth != 2 || r->kind != BLOCK_JOB_COMMIT)
            check_file(b.base, "raw", b.below);
        stop(&b);
    }
}

/* ---- Bitmaps ---------------------------------------------------------------------------------
 */

static void begin_incremental(Bench *b, ImageBitmap *bitmap, BlockJobBitmapMode mode)
{
    BlockJobWiring w = { .kind = BLOCK_JOB_BACKUP,
                         .sync = BLOCK_JOB_BITMAP,
                         .bitmap = bitmap,
                         .bitmap_mode = mode,
                         .news = hear,
                         .opaque = b };

    w.target = open_image(b->target, "raw", false);
    b->news = b->state = 0;
    assert_true(drive_begin_job(b->drive, &w, NULL));
    assert_true(bitmap->busy);
}

static void write_some(Bench *b, GRand *rand)
{
    for (unsigned n = 0; n < 5; n++)
        change(b, rand);
    settle(b);
    drive_settled_image(b->drive);
}

/* Each copies what was written since the last one that went well; with the machine left and begun
 * again in between, as the bitmap is kept in the image. */
static void test_incremental(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(9);
    Bench b;

    start(&b);
    make_image(b.target, "raw", SIZE, NULL, NULL);
    {
        Image *target = open_image(b.target, "raw", false);

        assert_int_equal(image_write(target, 0, b.model, SIZE), 0);
        image_close(target);
    }
    open_machine(&b, open_image(b.top, "qcow2", false));
    assert_non_null(image_add_bitmap(drive_settled_image(b.drive), "b", 4096, true, NULL));
    for (unsigned round = 0; round < 6; round++) {
        g_autofree uint8_t *before = NULL;
        BlockJobBitmapMode mode = round % 3;
        ImageBitmap *bitmap = image_find_bitmap(drive_settled_image(b.drive), "b");
        uint64_t count;

        write_some(&b, rand);
        before = g_memdup2(b.model, SIZE);
        count = image_bitmap_count(bitmap);
        assert_true(count && !bitmap->inconsistent);
        begin_incremental(&b, bitmap, mode);
        if (round % 2) {
            drive_abandon_job(b.drive);
            assert_true(image_bitmap_count(bitmap) >= (mode == BITMAP_ALWAYS ? 0 : count));
            begin_incremental(&b, bitmap, mode);
        }
        run_until(&b, BLOCK_JOB_DONE, NULL);
        assert_true(drive_end_job(b.drive, false, NULL));
        assert_false(bitmap->busy);
        assert_int_equal(image_bitmap_count(bitmap), mode == BITMAP_NEVER ? count : 0);
        check_file(b.target, "raw", before);
        write_some(&b, rand);
        close_machine(&b);
        open_machine(&b, open_image(b.top, "qcow2", false));
        assert_checked(drive_settled_image(b.drive));
    }
    close_machine(&b);
    stop(&b);
}

/* Left in the middle, each image is what it was. */
static void test_abandoned(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(i);
        Bench b;

        start(&b);
        begin(&b, &rows[i]);
        for (unsigned n = 0; n < 3 * i; n++) {
            change(&b, rand);
            turn(&b);
        }
        drive_abandon_job(b.drive);
        settle(&b);
        check_image(drive_settled_image(b.drive), b.model);
        close_machine(&b);
        check_file(b.top, "qcow2", b.model);
        stop(&b);
    }
}

static void test_pause_and_speed(void **state)
{
    const Row *r = &rows[10];
    BlockJobInfo before, after;
    Bench b;

    start(&b);
    begin(&b, r);
    drive_pause_job(b.drive, true);
    before = drive_job_info(b.drive);
    for (unsigned i = 0; i < 100; i++)
        turn(&b);
    after = drive_job_info(b.drive);
    assert_true(after.paused);
    assert_int_equal(before.done, after.done);
    drive_set_job_speed(b.drive, 1);
    drive_pause_job(b.drive, false);
    while (drive_job_info(b.drive).done == before.done)
        turn(&b);
    assert_true(drive_job_info(b.drive).done <= before.done + 65536);
    drive_set_job_speed(b.drive, 0);
    run_until(&b, BLOCK_JOB_DONE, NULL);
    after = drive_job_info(b.drive);
    assert_int_equal(after.done, SIZE);
    assert_int_equal(after.len, SIZE);
    assert_true(drive_end_job(b.drive, false, NULL));
    close_machine(&b);
    check_file(b.target, r->format, b.model);
    stop(&b);
}

/* ---- No room --------------------------------------------------------------------------------- */

static void limit_files(rlim_t size)
{
    struct rlimit limit;

    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A limit on the size of files stands for a full disk: the job fails or waits, the guest is told
 * nothing, and has lost nothing. */
static void test_no_room(void **state)
{
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i / 2];
        bool stops = i % 2;
        BlockJobWiring w;
        Bench b;

        start(&b);
        if (r->compress ||
            (r->kind == BLOCK_JOB_COMMIT && r->depth == 2)) { /* needs no more room */
            stop(&b);
            continue;
        }
        open_machine(&b, open_image(b.top, "qcow2", false));
        w = wiring(&b, r, drive_settled_image(b.drive));
        w.on_target_error = stops ? DRIVE_ENOSPC : DRIVE_REPORT;
        limit_files(SIZE / 4);
        assert_true(drive_begin_job(b.drive, &w, NULL));
        b.news = b.state = 0;
        while (!b.trouble.error)
            turn(&b);
        assert_int_equal(b.trouble.error, EFBIG);
        assert_true(b.trouble.write);
        assert_int_equal(b.trouble.stopped, stops);
        limit_files(RLIM_INFINITY);
        if (stops) {
            assert_int_equal(drive_job_info(b.drive).stopped_by, EFBIG);
            drive_pause_job(b.drive, false);
            run_until(&b, goal(r), NULL);
            assert_true(drive_end_job(b.drive, r->pivot, NULL));
        } else {
            assert_int_equal(b.state, BLOCK_JOB_FAILED);
            drive_abandon_job(b.drive);
        }
        check_image(drive_settled_image(b.drive), b.model);
        close_machine(&b);
        if (!stops)
            check_file(b.top, "qcow2", b.model);
        stop(&b);
    }
}

/* ---- Killed ---------------------------------------------------------------------------------- */

/* What a child tells before it is killed. */
typedef struct Shared {
    int over;         /* the drive has gone over to its final image */
    uint32_t at, len; /* what is being written */
    uint8_t with;
} Shared;

/* One write at a time, of which the model knows when it is done. */
static void write_known(Bench *b, Shared *s, GRand *rand)
{
    s->len = SECTOR * g_rand_int_range(rand, 1, 64);
    s->at = SECTOR * g_rand_int_range(rand, 0, (SIZE - s->len) / SECTOR);
    s->with = g_rand_int(rand);
    submit(b, DRIVE_WRITE, s->at, s->len, s->with);
    settle(b);
    memset(b->model + s->at, s->with, s->len);
}

static void be_killed(Bench *b, const Row *r, Shared *s, unsigned seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

    begin(b, r);
    while (b->state != goal(r))
        write_known(b, s, rand);
    write_known(b, s, rand);
    drive_end_job(b->drive, r->pivot, NULL);
    s->over = 1;
    for (;;)
        write_known(b, s, rand);
}

static void check_killed(const Bench *b, const Shared *s, const char *path, const char *format)
{
    g_autofree uint8_t *buf = g_malloc(SIZE);
    Image *image = open_image(path, format, false);

    assert_int_equal(image_read(image, 0, buf, SIZE), 0);
    for (uint32_t i = 0; i < SIZE; i++) {
        bool writing = i >= s->at && i < s->at + s->len;

        if (buf[i] != b->model[i] && !(writing && buf[i] == s->with))
            fail_msg("%s: byte %#x is %#x, not %#x", path, i, buf[i], b->model[i]);
    }
    image_close(image);
}

static void test_killed(void **state)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (size_t i = 0; i < 3 * G_N_ELEMENTS(rows); i++) {
        const Row *r = &rows[i / 3];
        Shared *s = share(sizeof(*s));
        const char *format, *file;
        pid_t pid;
        Bench b;

        start(&b);
        pid = fork();
        if (!pid) {
            be_killed(&b, r, s, i);
            _exit(0);
        }
        g_usleep(g_rand_int_range(rand, 1000, 40000));
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        file = final_file(&b, r, &format);
        if (s->over)
            check_killed(&b, s, file, format);
        else
            check_killed(&b, s, b.top, "qcow2");
        munmap(s, sizeof(*s));
        stop(&b);
    }
}

/* ---- Refused --------------------------------------------------------------------------------- */

static void test_refusals(void **state)
{
    g_autoptr(GError) busy = NULL, size = NULL, snapshots = NULL, resize = NULL;
    BlockJobWiring w;
    Image *image;
    Bench b;

    start(&b);
    begin(&b, &rows[7]);
    w = wiring(&b, &rows[0], drive_settled_image(b.drive));
    assert_false(drive_begin_job(b.drive, &w, &busy));
    assert_string_equal(busy->message,
                        "Node 'disk' is busy: block device is in use by block job: mirror");
    assert_false(drive_resize(b.drive, SECTOR, &resize));
    assert_string_equal(resize->message, busy->message);
    assert_int_equal(drive_commit(b.drive), EBUSY);
    drive_abandon_job(b.drive);
    w = wiring(&b, &rows[7], NULL);
    assert_true(image_resize(w.target, SECTOR, NULL));
    assert_false(drive_begin_job(b.drive, &w, &size));
    assert_string_equal(size->message, "Source and target image have different sizes");
    image = drive_settled_image(b.drive);
    assert_int_equal(image_snapshot_create(image, &(ImageSnapshot){ .name = (char *)"s" }, NULL),
                     0);
    w = wiring(&b, &rows[3], image);
    assert_false(drive_begin_job(b.drive, &w, &snapshots));
    assert_non_null(strstr(snapshots->message, "has snapshots, which need its backing file"));
    close_machine(&b);
    check_file(b.top, "qcow2", b.model);
    stop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),           cmocka_unit_test(test_incremental),
        cmocka_unit_test(test_abandoned),       cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_pause_and_speed), cmocka_unit_test(test_killed),
        cmocka_unit_test(test_refusals),
    };

    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
