/* SPDX-License-Identifier: MIT */
/* Devices: life and reset order, register tables by rows, state round trips, hostile saved state.
 */
#include "softmmu/device.h"

#include <string.h>

#include "softmmu/clock.h"
#include "softmmu/error.h"
#include "tests/softmmu/test.h"

typedef struct Inner {
    uint8_t a;
    uint16_t b;
} Inner;

static const StateField inner_state[] = { STATE_U8(Inner, a), STATE_U16(Inner, b), STATE_END };

typedef struct Dummy {
    Device dev;
    uint8_t r8;
    uint16_t r16;
    uint32_t r32, w1c32;
    uint64_t r64;
    bool flag;
    uint8_t fifo[4];
    uint32_t words[3];
    Inner one, many[2];
    Timer *timer;
    GString *log; /* not state */
} Dummy;

static uint64_t magic_read(Device *dev, const RegDesc *r)
{
    return 0xcafe;
}

static void hooked_write(Device *dev, const RegDesc *r, uint64_t value)
{
    g_string_append_printf(((Dummy *)dev)->log, "%s=%x ", r->name, (unsigned)value);
}

static void r32_wrote(Device *dev, uint64_t old)
{
    g_string_append_printf(((Dummy *)dev)->log, "old=%x ", (unsigned)old);
}

static void r32_wrote_row(Device *dev, const RegDesc *r, uint64_t old)
{
    r32_wrote(dev, old);
}

/* clang-format off */
static const RegDesc dummy_regs[] = {
    {0x00, "R8",    1, REG_FIELD(Dummy, r8),    0x12,       0x0f},
    {0x02, "R16",   2, REG_FIELD(Dummy, r16),   0x1234,     0xffff},
    {0x04, "R32",   4, REG_FIELD(Dummy, r32),   0x11223344, 0xffff00ff, .wrote = r32_wrote_row},
    {0x08, "W1C",   4, REG_FIELD(Dummy, w1c32), 0xf0f0,     0x3, .w1c = 0xff00},
    {0x0c, "MAGIC", 2, 0,                       0,          0, .read = magic_read},
    {0x0e, "HOOK",  2, REG_FIELD(Dummy, r16),   0x1234,     0, .write = hooked_write},
    {0x10, "R64",   8, REG_FIELD(Dummy, r64),   0,          UINT64_MAX},
    {0x18, "CONST", 1, 0,                       0x5a,       0},
    {0}
};
/* clang-format on */

static const StateField dummy_state[] = {
    STATE_U8(Dummy, r8),
    STATE_U16(Dummy, r16),
    STATE_U32(Dummy, r32),
    STATE_U32(Dummy, w1c32),
    STATE_U64(Dummy, r64),
    STATE_BOOL(Dummy, flag),
    STATE_BYTES(Dummy, fifo),
    STATE_ARRAY(Dummy, words, STATE_T_U32),
    STATE_STRUCT(Dummy, one, inner_state),
    STATE_STRUCT_ARRAY(Dummy, many, inner_state),
    STATE_TIMER(Dummy, timer),
    STATE_END,
};

static void note(Device *dev, char what)
{
    g_string_append_printf(((Dummy *)dev)->log, "%c:%s ", what, dev->id);
}

static bool dummy_realize(Device *dev, GError **error)
{
    if (((Dummy *)dev)->flag) {
        error_set(error, "no luck");
        return false;
    }
    note(dev, 'R');
    return true;
}

static void dummy_unrealize(Device *dev)
{
    note(dev, 'U');
}

static void dummy_enter(Device *dev)
{
    note(dev, 'e');
}

static void dummy_hold(Device *dev)
{
    note(dev, 'h');
}

static void dummy_exit(Device *dev)
{
    note(dev, 'x');
}

static void dummy_post_load(Device *dev)
{
    note(dev, 'p');
}

static const DeviceClass dummy_class = {
    .name = "dummy",
    .size = sizeof(Dummy),
    .regs = dummy_regs,
    .state = dummy_state,
    .state_version = 2,
    .realize = dummy_realize,
    .unrealize = dummy_unrealize,
    .reset_enter = dummy_enter,
    .reset_hold = dummy_hold,
    .reset_exit = dummy_exit,
    .post_load = dummy_post_load,
};

static const DeviceClass plain_class = { .name = "plain", .size = sizeof(Device) };

typedef struct Tree {
    Device *root;
    Dummy *a, *b, *child;
    GString *log;
} Tree;

static Dummy *add_dummy(Tree *t, Device *parent, const char *id)
{
    Dummy *d = (Dummy *)device_new(&dummy_class, parent, id);

    d->log = t->log;
    return d;
}

static void tree_init(Tree *t)
{
    t->log = g_string_new("");
    t->root = device_new(&plain_class, NULL, "machine");
    t->a = add_dummy(t, t->root, NULL);
    t->b = add_dummy(t, t->root, NULL);
    t->child = add_dummy(t, &t->a->dev, "child");
    assert_true(device_realize(t->root, NULL));
    assert_true(device_realize(&t->a->dev, NULL));
    assert_true(device_realize(&t->b->dev, NULL));
    assert_true(device_realize(&t->child->dev, NULL));
}

static void test_life(void **state)
{
    Tree t;

    tree_init(&t);
    assert_string_equal(t.b->dev.id, "dummy.1"); /* made unique */
    device_reset(t.root);
    device_free(t.root);
    assert_string_equal(t.log->str, "R:dummy R:dummy.1 R:child "
                                    "e:child e:dummy e:dummy.1 "
                                    "h:child h:dummy h:dummy.1 "
                                    "x:child x:dummy x:dummy.1 "
                                    "U:dummy.1 U:child U:dummy ");
    g_string_free(t.log, TRUE);
}

static void test_realize_fails(void **state)
{
    Tree t = { .log = g_string_new("") };
    Dummy *d = add_dummy(&t, NULL, NULL);
    g_autoptr(GError) error = NULL;

    d->flag = true;
    assert_false(device_realize(&d->dev, &error));
    assert_string_equal(error->message, "dummy: no luck");
    device_reset(&d->dev); /* not realized: not reset */
    device_free(&d->dev);
    assert_string_equal(t.log->str, "");
    g_string_free(t.log, TRUE);
}

/* After a reset: write @value (if @write), then read back. */
static const struct {
    const char *what;
    unsigned off, size;
    bool write;
    uint64_t value;
    unsigned read_off, read_size;
    uint64_t expect;
    const char *log;
} reg_rows[] = {
    { "reset value", 0, 0, false, 0, 0x00, 1, 0x12, "" },
    { "writable bits", 0x00, 1, true, 0xff, 0x00, 1, 0x1f, "" },
    { "gap reads 0", 0, 0, false, 0, 0x01, 1, 0, "" },
    { "wide read over two rows and a gap", 0, 0, false, 0, 0x00, 4, 0x12340012, "" },
    { "wide write over two rows", 0x00, 4, true, 0xabcd0003, 0x00, 4, 0xabcd0013, "" },
    { "byte of a row", 0x05, 1, true, 0xff, 0x04, 4, 0x11223344, "old=11223344 " },
    { "top byte of a row", 0x07, 1, true, 0xaa, 0x04, 4, 0xaa223344, "old=11223344 " },
    { "byte read", 0, 0, false, 0, 0x06, 1, 0x22, "" },
    { "write one to clear", 0x08, 4, true, 0x3002, 0x08, 4, 0xc0f2, "" },
    { "w1c outside the bytes written", 0x08, 1, true, 0x01, 0x08, 4, 0xf0f1, "" },
    { "read hook", 0, 0, false, 0, 0x0c, 2, 0xcafe, "" },
    { "read hook, a byte", 0, 0, false, 0, 0x0d, 1, 0xca, "" },
    { "read only", 0x0c, 2, true, 0x1111, 0x0c, 2, 0xcafe, "" },
    { "write hook", 0x0e, 2, true, 0x4321, 0x02, 2, 0x1234, "HOOK=4321 " },
    { "write hook, a byte", 0x0f, 1, true, 0x99, 0x02, 2, 0x1234, "HOOK=9934 " },
    { "eight bytes", 0x10, 8, true, 0x1122334455667788, 0x10, 8, 0x1122334455667788, "" },
    { "unaligned", 0x10, 8, true, 0x1122334455667788, 0x13, 2, 0x4455, "" },
    { "constant", 0x18, 1, true, 0xff, 0x18, 1, 0x5a, "" },
};

static void test_regs(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reg_rows); i++) {
        Tree t = { .log = g_string_new("") };
        Dummy *d = add_dummy(&t, NULL, NULL);
        const MemOps *ops = &reg_table_ops;
        uint64_t got;

        assert_true(device_realize(&d->dev, NULL));
        device_reset(&d->dev);
        g_string_truncate(t.log, 0);
        assert_int_equal(d->dev.io.size, 0x19);
        if (reg_rows[i].write)
            ops->write(d, reg_rows[i].off, reg_rows[i].value, reg_rows[i].size);
        got = ops->read(d, reg_rows[i].read_off, reg_rows[i].read_size);
        if (got != reg_rows[i].expect)
            fail_msg("%s: read %" G_GINT64_MODIFIER "x", reg_rows[i].what, got);
        assert_string_equal(t.log->str, reg_rows[i].log);
        device_free(&d->dev);
        g_string_free(t.log, TRUE);
    }
}

static void no_op(void *opaque)
{
}

static void scribble(Dummy *d, uint8_t seed)
{
    Timer *timer = d->timer;

    memset(&d->r8, seed, offsetof(Dummy, log) - offsetof(Dummy, r8));
    d->flag = seed & 1;
    d->timer = timer;
    timer_set(timer, seed * 1000);
}

static void test_round_trip(void **state)
{
    Tree t;
    Clock *clock = clock_new_manual();
    g_autoptr(GByteArray) saved = g_byte_array_new();
    g_autoptr(GByteArray) again = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    Dummy *all[3];
    uint64_t hash;

    tree_init(&t);
    all[0] = t.a;
    all[1] = t.b;
    all[2] = t.child;
    for (int i = 0; i < 3; i++) {
        all[i]->timer = timer_new(clock, no_op, NULL);
        scribble(all[i], 0x11 * (i + 1));
    }
    timer_cancel(t.b->timer);
    device_tree_save(t.root, saved);
    hash = device_tree_hash(t.root, 0);
    for (int i = 0; i < 3; i++)
        scribble(all[i], 0x99);
    assert_int_not_equal(device_tree_hash(t.root, 0), hash);
    g_string_truncate(t.log, 0);
    assert_true(device_tree_load(t.root, saved->data, saved->len, &error));
    assert_string_equal(t.log->str, "p:dummy p:child p:dummy.1 ");
    device_tree_save(t.root, again);
    assert_int_equal(again->len, saved->len);
    assert_memory_equal(again->data, saved->data, saved->len);
    assert_int_equal(device_tree_hash(t.root, 0), hash);
    assert_false(timer_is_armed(t.b->timer));
    assert_int_equal(timer_deadline_ns(t.child->timer), 0x33 * 1000);
    assert_int_equal(t.b->many[1].b, 0x2222);

    /* every truncation is refused and changes nothing */
    for (size_t len = 0; len < saved->len; len++) {
        g_autoptr(GError) short_error = NULL;

        assert_false(device_tree_load(t.root, saved->data, len, &short_error));
        assert_non_null(short_error);
    }
    assert_int_equal(device_tree_hash(t.root, 0), hash);
    for (int i = 0; i < 3; i++)
        timer_free(all[i]->timer);
    device_free(t.root);
    g_string_free(t.log, TRUE);
    clock_free(clock);
}

static void test_mismatch(void **state)
{
    Tree t;
    g_autoptr(GByteArray) saved = g_byte_array_new();
    g_autoptr(GError) error = NULL;
    Dummy *extra;

    tree_init(&t);
    device_tree_save(t.root, saved);
    extra = add_dummy(&t, t.root, "late");
    assert_false(device_tree_load(t.root, saved->data, saved->len, &error));
    assert_string_equal(error->message,
                        "saved state has 'nothing' where this machine has 'machine/late'");
    g_clear_error(&error);
    device_free(&extra->dev);
    device_free(&t.b->dev);
    assert_false(device_tree_load(t.root, saved->data, saved->len, &error));
    assert_string_equal(error->message,
                        "saved state has 'machine/dummy.1', which this machine has not");
    device_free(t.root);
    g_string_free(t.log, TRUE);
}

/* A version 1 object lacks the fields that version 2 introduced. */
typedef struct Grown {
    Device dev;
    uint8_t old_field, new_field;
} Grown;

static const StateField grown_v1[] = { STATE_U8(Grown, old_field), STATE_END };
static const StateField grown_v2[] = {
    STATE_U8(Grown, old_field),
    { .name = "new_field",
      .type = STATE_T_U8,
      .offset = offsetof(Grown, new_field),
      .count = 1,
      .elem_size = 1,
      .since = 2 },
    STATE_END,
};
static const DeviceClass class_v1 = {
    .name = "grown", .size = sizeof(Grown), .state = grown_v1, .state_version = 1
};
static const DeviceClass class_v2 = {
    .name = "grown", .size = sizeof(Grown), .state = grown_v2, .state_version = 2
};

static const DeviceClass class_v2_alone = {
    .name = "grown", .size = sizeof(Grown), .state = grown_v2, .state_version = 2, .state_oldest = 2
};

static void test_versions(void **state)
{
    Grown *alone = (Grown *)device_new(&class_v2_alone, NULL, NULL);
    Grown *v1 = (Grown *)device_new(&class_v1, NULL, NULL);
    Grown *v2 = (Grown *)device_new(&class_v2, NULL, NULL);
    g_autoptr(GByteArray) saved = g_byte_array_new();
    g_autoptr(GByteArray) newer = g_byte_array_new();
    g_autoptr(GError) error = NULL;

    v1->old_field = 7;
    v2->new_field = 9;
    device_tree_save(&v1->dev, saved);
    assert_true(device_tree_load(&v2->dev, saved->data, saved->len, NULL));
    assert_int_equal(v2->old_field, 7);
    assert_int_equal(v2->new_field, 9); /* kept */
    device_tree_save(&v2->dev, newer);
    assert_false(device_tree_load(&v1->dev, newer->data, newer->len, &error));
    assert_string_equal(error->message, "grown: saved state has version 2, newer than 1");
    g_clear_error(&error);
    assert_true(device_tree_load(&alone->dev, newer->data, newer->len, NULL));
    assert_false(device_tree_load(&alone->dev, saved->data, saved->len, &error));
    assert_string_equal(error->message, "grown: saved state has version 1, older than 2");
    device_free(&alone->dev);
    device_free(&v1->dev);
    device_free(&v2->dev);
}

static void test_print(void **state)
{
    Dummy d = { .r8 = 1,
                .r64 = UINT64_MAX,
                .flag = true,
                .fifo = { 1, 2, 3, 255 },
                .words = { 7, 8, 9 },
                .one = { 3, 4 } };
    g_autoptr(GString) out = g_string_new("");

    state_print(dummy_state, &d, out);
    assert_string_equal(out->str,
                        "{\"r8\": 1, \"r16\": 0, \"r32\": 0, \"w1c32\": 0, "
                        "\"r64\": 18446744073709551615, \"flag\": true, \"fifo\": \"010203ff\", "
                        "\"words\": [7, 8, 9], \"one\": {\"a\": 3, \"b\": 4}, "
                        "\"many\": [{\"a\": 0, \"b\": 0}, {\"a\": 0, \"b\": 0}], \"timer\": null}");
}

/* Every bit, the length and the seed count. */
static void test_hash(void **state)
{
    uint8_t buf[100] = { 0 };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    for (size_t len = 0; len <= sizeof(buf); len++) {
        uint64_t hash = state_hash_bytes(buf, len, 0);

        assert_true(g_hash_table_add(seen, g_memdup2(&hash, sizeof(hash))));
    }
    for (unsigned bit = 0; bit < 8 * sizeof(buf); bit++) {
        uint64_t hash;

        buf[bit / 8] ^= 1 << bit % 8;
        hash = state_hash_bytes(buf, sizeof(buf), 0);
        buf[bit / 8] ^= 1 << bit % 8;
        assert_true(g_hash_table_add(seen, g_memdup2(&hash, sizeof(hash))));
    }
    assert_int_not_equal(state_hash_bytes(buf, 8, 0), state_hash_bytes(buf, 8, 1));
}

/* The shape tells devices, versions and fields apart, and no values. */
static void test_shape(void **state)
{
    Tree t;
    g_auto(GStrv) shape = NULL, again = NULL;

    tree_init(&t);
    shape = device_tree_shape(t.root);
    t.a->r32 ^= 1;
    again = device_tree_shape(t.root);
    assert_true(g_strv_equal((const char *const *)shape, (const char *const *)again));
    assert_int_equal(g_strv_length(shape), 3);
    assert_true(g_str_has_prefix(shape[0], "machine/dummy "));
    assert_string_equal(strrchr(shape[0], ' '), strrchr(shape[1], ' '));
    device_free(t.root);
    g_string_free(t.log, TRUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),     cmocka_unit_test(test_realize_fails),
        cmocka_unit_test(test_regs),     cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_mismatch), cmocka_unit_test(test_versions),
        cmocka_unit_test(test_print),    cmocka_unit_test(test_hash),
        cmocka_unit_test(test_shape),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
