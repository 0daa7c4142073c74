/* SPDX-License-Identifier: MIT */
/*
 * qcow2 images whose process is killed, or whose host has no room or a bad disk, at each of its
 * writes in turn, whatever is done to them: what refers to clusters is right afterwards, at worst
 * some leak, each byte of the disk is the old one or the new, and a snapshot is what it was, also
 * when the image is written to from then on.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "softmmu/block/image-bitmap.h"
#include "tests/softmmu/test.h"
#include "tests/softmmu/images.h"

#define SIZE (192 * 1024u)
#define MOST (2 * SIZE)

/* ---- The host -------------------------------------------------------------------------------- */

typedef enum Trouble { NO_TROUBLE, KILLED, NO_ROOM, BAD_ONCE } Trouble;

static struct {
    Trouble what;
    unsigned writes; /* until it happens */
    bool met;
} host;

/* 0, or what this write fails with. */
static int next_write(void)
{
    if (host.what == NO_TROUBLE || host.writes-- > 0)
        return 0;
    host.met = true;
    host.writes = 0;
    if (host.what == KILLED)
        _exit(1);
    if (host.what == NO_ROOM)
        return ENOSPC;
    host.what = NO_TROUBLE;
    return EIO;
}

/* meson.build has the linker call these. */
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t at);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t at)
{
    errno = next_write();
    return errno ? -1 : __real_pwrite64(fd, buf, len, at);
}

int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len)
{
    errno = next_write();
    return errno ? -1 : __real_ftruncate64(fd, len);
}

int __wrap_fdatasync(int fd);
int __wrap_fdatasync(int fd) /* nobody cuts the power here */
{
    return 0;
}

/* ---- Images ---------------------------------------------------------------------------------- */

typedef struct Kind {
    const char *name;
    ImageCreate what;
    bool alone; /* nothing behind it, no snapshot */
} Kind;

static const Kind kinds[] = {
    { "plain", { .cluster = 4096 }, false },
    { "version 2", { .cluster = 4096, .version = 2 }, false },
    { "narrow counts", { .cluster = 1024, .count_bits = 2 }, false },
    { "parts", { .cluster = 16384, .extended = true }, false },
    { "data file", { .cluster = 4096, .data_file = "data" }, true },
    { "raw data file", { .cluster = 4096, .data_file = "data", .data_raw = true }, true },
};

static const char *const names[] = { "top", "base", "data" };
enum { TOP, BASE, DATA, FILES };

/* Files as they are before, and what the disk is then, and after all went well. */
typedef struct Case {
    const Kind *kind;
    char *dir, *path[FILES];
    GBytes *file[FILES];
    uint8_t *snapshot, *old, *now;
    uint64_t old_size, now_size;
} Case;

static void write_pattern(Image *image, unsigned seed, unsigned count)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    g_autofree uint8_t *buf = g_malloc(40000);

    for (unsigned i = 0; i < count; i++) {
        uint32_t len = g_rand_int_range(rand, 1, 40000);
        uint32_t at = g_rand_int_range(rand, 0, MIN(SIZE, image_size(image)) - len);

        memset(buf, g_rand_int(rand) | 1, len);
        assert_int_equal(i % 4 == 3 ? image_zero(image, at, len) : image_write(image, at, buf, len),
                         0);
    }
}

static void load(GBytes **to, const char *path)
{
    char *data;
    gsize len;

    if (g_file_get_contents(path, &data, &len, NULL))
        *to = g_bytes_new_take(data, len);
}

static void restore(const Case *c)
{
    for (unsigned i = 0; i < FILES; i++) {
        gsize len = 0;
        const void *data = c->file[i] ? g_bytes_get_data(c->file[i], &len) : NULL;
        int fd = data || c->file[i] ? open(c->path[i], O_WRONLY | O_CREAT | O_TRUNC, 0666) : -1;

        if (fd < 0)
            continue;
        assert_int_equal(write(fd, data, len), len);
        close(fd);
    }
}

static uint64_t read_disk(Image *image, uint8_t *disk)
{
    memset(disk, 0, MOST);
    assert_int_equal(image_read(image, 0, disk, image_size(image)), 0);
    return image_size(image);
}

static Image *open_top(const Case *c, bool read_only)
{
    return open_image(c->path[TOP], "qcow2", read_only);
}

static void make_case(Case *c, const Kind *kind)
{
    ImageCreate what = kind->what;
    Image *image;

    *c = (Case){ .kind = kind, .dir = g_dir_make_tmp("mimus-crash-XXXXXX", NULL) };
    for (unsigned i = 0; i < FILES; i++)
        c->path[i] = g_build_filename(c->dir, names[i], NULL);
    what.path = c->path[TOP];
    what.format = "qcow2";
    what.size = SIZE;
    if (!kind->alone) {
        make_image(c->path[BASE], "qcow2", SIZE, NULL, NULL);
        image = open_image(c->path[BASE], "qcow2", false);
        write_pattern(image, 1, 5);
        image_close(image);
        what.backing = "base";
        what.backing_format = "qcow2";
    }
    assert_true(image_create(&what, NULL));
    image = open_top(c, false);
    write_pattern(image, 2, 5);
    c->snapshot = g_malloc(MOST);
    read_disk(image, c->snapshot);
    if (!kind->alone)
        assert_int_equal(
            image_snapshot_create(image, &(ImageSnapshot){ .name = (char *)"s" }, NULL), 0);
    write_pattern(image, 3, 5);
    if (what.version != 2)
        assert_non_null(image_add_bitmap(image, "kept", 4096, true, NULL));
    c->old = g_malloc(MOST);
    c->now = g_malloc(MOST);
    c->old_size = read_disk(image, c->old);
    image_close(image);
    for (unsigned i = 0; i < FILES; i++)
        load(&c->file[i], c->path[i]);
}

static void free_case(Case *c)
{
    for (unsigned i = 0; i < FILES; i++) {
        unlink(c->path[i]);
        g_free(c->path[i]);
        g_clear_pointer(&c->file[i], g_bytes_unref);
    }
    rmdir(c->dir);
    g_free(c->dir);
    g_free(c->snapshot);
    g_free(c->old);
    g_free(c->now);
}

/* ---- What is done ---------------------------------------------------------------------------- */

static int run_write(Image *image)
{
    uint8_t buf[30000];

    memset(buf, 0xaa, sizeof(buf));
    return image_write(image, 10000, buf, sizeof(buf));
}

static int run_compressed(Image *image)
{
    g_autofree uint8_t *buf = g_malloc0(image_facts(image).cluster);
    int error = image_write_compressed(image, 65536, buf, image_facts(image).cluster);

    return error == ENOTSUP ? 0 : error;
}

static int run_zero(Image *image)
{
    return image_zero(image, 5000, 60000);
}

static int run_discard(Image *image)
{
    return image_discard(image, 32768, 65536);
}

static int run_grow(Image *image)
{
    return image_resize(image, MOST, NULL) ? 0 : EIO;
}

static int run_shrink(Image *image)
{
    return image_resize(image, SIZE / 3 * 2 + 512, NULL) ? 0 : EIO;
}

static int make_snapshot(Image *image, bool state)
{
    ImageState *s = NULL;
    g_autofree uint8_t *bytes = g_malloc0(9000);

    if (!image_can_snapshot(image))
        return 0;
    if (state) {
        s = image_state_new(image);
        image_state_write(s, bytes, 9000);
    }
    return image_snapshot_create(image, &(ImageSnapshot){ .name = (char *)"n" }, s);
}

static int run_snapshot(Image *image)
{
    return make_snapshot(image, false);
}

static int run_state(Image *image)
{
    return make_snapshot(image, true);
}

static int use_snapshot(Image *image, int (*use)(Image *, const ImageSnapshot *))
{
    int error;
    g_autoptr(GPtrArray) list = image_snapshots(image, &error);
    const ImageSnapshot *s = list ? image_find_snapshot(list, "s") : NULL;

    return error ? error : s ? use(image, s) : 0;
}

static int run_apply(Image *image)
{
    return use_snapshot(image, image_snapshot_apply);
}

/* The snapshot is of a smaller disk, or of a larger one. */
static int run_apply_small(Image *image)
{
    return run_grow(image) ? 0 : run_apply(image);
}

static int run_apply_large(Image *image)
{
    return run_shrink(image) ? 0 : run_apply(image);
}

static int run_delete(Image *image)
{
    return use_snapshot(image, image_snapshot_delete);
}

static int run_commit(Image *image)
{
    return image_backing(image) ? image_commit(image, NULL, image_has_snapshots(image)) : 0;
}

static int run_rename(Image *image)
{
    return image_backing(image) ? image_name_backing(image, "./base", "qcow2") : 0;
}

static int run_bitmap(Image *image)
{
    ImageBitmap *b = image_find_bitmap(image, "kept");

    if (image_facts(image).version < 3)
        return 0;
    if (b)
        image_remove_bitmap(image, b);
    return image_add_bitmap(image, "new", 512, true, NULL) ? run_write(image) : EIO;
}

static int run_room(Image *image)
{
    return image_fill(image, 0, IMAGE_METADATA);
}

static int amend(Image *image, Qcow2Amend what)
{
    return qcow2_amend(image, &what, NULL) ? 0 : EIO;
}

static int run_version(Image *image)
{
    amend(image, (Qcow2Amend){ .version = image_facts(image).version == 2 ? 3 : 2, .lazy = -1 });
    return 0;
}

static int run_counts(Image *image)
{
    amend(image, (Qcow2Amend){ .version = 3, .lazy = 1, .count_bits = 64 });
    return 0;
}

static const struct {
    const char *name;
    int (*run)(Image *image);
    bool sizes;          /* it has others for a while */
    bool deletes, below; /* the snapshot may be gone; or another, as what is behind it is */
} acts[] = {
    { "write", run_write },
    { "compressed", run_compressed },
    { "zero", run_zero },
    { "discard", run_discard },
    { "grow", run_grow },
    { "shrink", run_shrink },
    { "snapshot", run_snapshot },
    { "state", run_state },
    { "apply", run_apply },
    { "apply, smaller", run_apply_small, .sizes = true },
    { "apply, larger", run_apply_large, .sizes = true },
    { "delete", run_delete, .deletes = true },
    { "commit", run_commit, .below = true },
    { "rename", run_rename },
    { "bitmap", run_bitmap },
    { "room", run_room },
    { "version", run_version },
    { "counts", run_counts },
};

/* ---- What may be left ------------------------------------------------------------------------ */

#define SAY "%s, %s, trouble %d at write %u: "

static void check_counts(const char *path, const char *why)
{
    Qcow2Report r = { .log = g_string_new(NULL) };
    Image *image =
        image_open(&(ImageOpen){ .path = path, .format = "qcow2", .read_only = true }, NULL);

    if (!image)
        fail_msg("%s: '%s' cannot be opened", why, path);
    assert_int_equal(qcow2_check(image, QCOW2_LOOK, &r), 0);
    /* A mark that forbids writing in place costs a copy, no more. */
    if (strstr(r.log->str, "ERROR cluster") || (r.errors && !strstr(r.log->str, "wrongly marked")))
        fail_msg("%s: '%s' has errors: %s", why, path, r.log->str);
    image_close(image);
    g_string_free(r.log, TRUE);
}

static void check_snapshot(const Case *c, const char *why, bool may_be_gone)
{
    g_autofree uint8_t *disk = g_malloc(MOST);
    Image *image = open_top(c, true);
    int error;
    g_autoptr(GPtrArray) list = image_snapshots(image, &error);
    const ImageSnapshot *s = image_find_snapshot(list, "s");

    if (s && !image_snapshot_view(image, s)) {
        read_disk(image, disk);
        if (memcmp(disk, c->snapshot, SIZE))
            fail_msg("%s: the snapshot is another", why);
    } else if (s || !may_be_gone) {
        fail_msg("%s: the snapshot is gone", why);
    }
    image_close(image);
}

static void check_left(const Case *c, unsigned act, const char *why)
{
    g_autofree uint8_t *disk = g_malloc(MOST);
    Image *image;
    uint64_t size;

    check_counts(c->path[TOP], why);
    if (!c->kind->alone)
        check_counts(c->path[BASE], why);
    image = open_top(c, false); /* which repairs it, and goes on with it */
    size = read_disk(image, disk);
    write_pattern(image, 7, 3);
    image_close(image);
    check_counts(c->path[TOP], why);
    if (size != c->old_size && size != c->now_size && !acts[act].sizes)
        fail_msg("%s: it has %u bytes", why, (unsigned)size);
    for (uint64_t i = 0; i < size; i++)
        if (disk[i] != c->old[i] && disk[i] != c->now[i])
            fail_msg("%s: byte %#x is %#x, was %#x, should be %#x", why, (unsigned)i, disk[i],
                     c->old[i], c->now[i]);
    if (!c->kind->alone && !acts[act].below)
        check_snapshot(c, why, acts[act].deletes);
}

/* ---- All together ---------------------------------------------------------------------------- */

static void act_on(const Case *c, unsigned act, Trouble what, unsigned writes)
{
    Image *image = open_top(c, false);
    Trouble was;

    host.what = what;
    host.writes = writes;
    host.met = false;
    acts[act].run(image);
    was = host.what;
    if (was == NO_ROOM) { /* the user makes some: what is done next goes well */
        host.what = NO_TROUBLE;
        assert_int_equal(image_zero(image, 0, 0), 0);
    }
    image_close(image);
    host.what = NO_TROUBLE;
}

/* False: it came to its end before. */
static bool killed_at(const Case *c, unsigned act, unsigned writes)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        act_on(c, act, KILLED, writes);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Processes are dear where the sanitizer's memory is copied with them: there not every write. */
void __asan_init(void) __attribute__((weak));

static void trouble_each_write(const Case *c, unsigned act, Trouble what)
{
    unsigned step = __asan_init && what == KILLED ? 7 : 1;
    bool met = true;

    for (unsigned n = 0; met; n += step) {
        g_autofree char *why = g_strdup_printf(SAY, c->kind->name, acts[act].name, what, n);

        restore(c);
        if (what == KILLED) {
            met = killed_at(c, act, n);
        } else {
            act_on(c, act, what, n);
            met = host.met;
        }
        check_left(c, act, why);
    }
}

static void try_kind(const Kind *kind, Trouble what)
{
    Case c;

    make_case(&c, kind);
    for (unsigned act = 0; act < G_N_ELEMENTS(acts); act++) {
        Image *image;

        restore(&c);
        act_on(&c, act, NO_TROUBLE, 0);
        image = open_top(&c, true);
        c.now_size = read_disk(image, c.now);
        image_close(image);
        trouble_each_write(&c, act, what);
    }
    free_case(&c);
}

static void killed(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        try_kind(&kinds[i], KILLED);
}

static void without_room(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        try_kind(&kinds[i], NO_ROOM);
}

static void bad_once(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        try_kind(&kinds[i], BAD_ONCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed),
        cmocka_unit_test(without_room),
        cmocka_unit_test(bad_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
