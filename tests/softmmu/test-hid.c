/* SPDX-License-Identifier: MIT */
/* Names and keysyms of keys, and the line of keys that waits for a keyboard. */
#include "softmmu/hid.h"

#include "softmmu/error.h"
#include "softmmu/ui/layout.h"
#include "tests/softmmu/test.h"

/* ---- Keys ------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    uint8_t keys[KEYS_MAX]; /* until 0 */
    const char *error;
} parse_rows[] = {
    { "a", { 0x1e }, NULL },
    { "ret", { 0x1c }, NULL },
    { "spc", { 0x39 }, NULL },
    { "ctrl-alt-delete", { 0x1d, 0x38, 0xd3 }, NULL },
    { "shift-f12", { 0x2a, 0x58 }, NULL },
    { "meta_l-kp_enter-up", { 0xdb, 0x9c, 0xc8 }, NULL },
    { "alt-sysrq-b", { 0x38, 0xb7, 0x30 }, NULL },
    { "0x1e-0x54-pause", { 0x1e, 0xb7, 0xc6 }, NULL },
    { "<", { 0x56 }, NULL },
    { "", { 0 }, "which keys?" },
    { "ctrl-", { 0 }, "invalid parameter: " },
    { "ctrl-alt-del", { 0 }, "invalid parameter: del" },
    { "0x", { 0 }, "invalid parameter: 0x" },
    { "0x100", { 0 }, "invalid parameter: 0x100" },
    { "0x0", { 0 }, "invalid parameter: 0x0" },
    { "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q", { 0 }, "too many keys" },
};

static void test_parse(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parse_rows); i++) {
        g_autoptr(GError) error = NULL;
        uint8_t keys[KEYS_MAX] = { 0 };
        unsigned count = keys_parse(parse_rows[i].text, keys, &error);

        assert_int_equal(count == 0, parse_rows[i].error != NULL);
        if (error)
            assert_string_equal(error->message, parse_rows[i].error);
        else
            assert_memory_equal(keys, parse_rows[i].keys, KEYS_MAX);
    }
}

static const struct {
    const char *layout;
    uint32_t keysym;
    int key;
    KeyLevel level;
} keysym_rows[] = {
    { "en-us", 'a', 0x1e, KEYS_PLAIN },
    { "en-us", 'A', 0x1e, KEYS_SHIFTED },
    { "en-us", '!', 0x02, KEYS_SHIFTED },
    { "en-us", ' ', 0x39, KEYS_ANY },
    { "en-us", 0xff0d, 0x1c, KEYS_ANY }, /* Return */
    { "en-us", 0xffff, 0xd3, KEYS_ANY }, /* Delete */
    { "en-us", 0xffc9, 0x58, KEYS_ANY }, /* F12 */
    { "en-us", 0xfe03, 0xb8, KEYS_ANY }, /* AltGr */
    { "en-us", 0xff9c, 0x4f, KEYS_ANY }, /* End of the keypad */
    { "en-us", 0xfe20, 0x0f, KEYS_ANY }, /* Shift-Tab */
    { "en-us", 0xe4, -1, KEYS_ANY },
    { "en-us", 0, -1, KEYS_ANY },
    { "en-us", 0xffffffff, -1, KEYS_ANY },
    { "de", 'z', 0x15, KEYS_PLAIN },
    { "de", 'Y', 0x2c, KEYS_SHIFTED },
    { "de", '/', 0x08, KEYS_SHIFTED },
    { "de", '@', 0x10, KEYS_ALTGR },
    { "de", '|', 0x56, KEYS_ALTGR },
    { "de", '~', 0x1b, KEYS_ALTGR },
    { "de", 0xe4, 0x28, KEYS_PLAIN },
    { "de", KEYS_UNICODE + 0xdc, 0x1a, KEYS_SHIFTED },
    { "de", 0x20ac, 0x12, KEYS_ALTGR },                /* the euro sign's own keysym */
    { "de", KEYS_UNICODE + 0x20ac, 0x12, KEYS_ALTGR }, /* and its other one */
    { "de", 0xff0d, 0x1c, KEYS_ANY },
    { "fr", 'q', 0x1e, KEYS_PLAIN },
    { "fr", '1', 0x02, KEYS_SHIFTED },
    { "fr", 0xe9, 0x03, KEYS_PLAIN },
    { "fr-ch", 0xe9, 0x27, KEYS_PLAIN },
    { "es", 0xf1, 0x27, KEYS_PLAIN },
    { "es", 0xfe51, 0x28, KEYS_PLAIN }, /* the acute accent that waits for its letter */
    { "pt-br", '/', 0x73, KEYS_PLAIN },
    { "ja", '_', 0x73, KEYS_SHIFTED },
    { "ja", '@', 0x1a, KEYS_PLAIN },
    { "en-gb", '"', 0x03, KEYS_SHIFTED },
    { "us(dvorak)", 's', 0x27, KEYS_PLAIN },
    { "ru", 0x6c6, 0x1e, KEYS_PLAIN },                  /* ef */
    { "ru", KEYS_UNICODE + 0x424, 0x1e, KEYS_SHIFTED }, /* a large one */
    { "ru", 'a', 0x1e, KEYS_PLAIN }, /* what it has not is where a US one has it */
};

static void test_keysyms(void **state)
{
    KeyLevel level;

    for (size_t i = 0; i < G_N_ELEMENTS(keysym_rows); i++) {
        assert_true(layout_set(keysym_rows[i].layout, NULL));
        level = KEYS_ANY;
        if (keys_from_keysym(keysym_rows[i].keysym, &level) != keysym_rows[i].key ||
            level != keysym_rows[i].level)
            fail_msg("row %zu: %x, level %u", i, keys_from_keysym(keysym_rows[i].keysym, &level),
                     level);
    }
    assert_true(layout_set("en-us", NULL));
    for (uint32_t c = ' '; c < 0x7f; c++)
        assert_true(keys_from_keysym(c, &level) > 0);
}

static void test_layouts(void **state)
{
    static const char *const qemus[] = {
        "ar", "bepo",  "cz",    "da",    "de",    "de-ch", "en-gb", "en-us", "es", "et", "fi", "fo",
        "fr", "fr-be", "fr-ca", "fr-ch", "hr",    "hu",    "is",    "it",    "ja", "lt", "lv", "mk",
        "nl", "no",    "pl",    "pt",    "pt-br", "ru",    "sl",    "sv",    "th", "tr",
    };
    static const char *const bad[] = { "", "nowhere", "us(nothing)", "de,fr", "../us", "(dvorak)" };
    KeyLevel level;

    for (size_t i = 0; i < G_N_ELEMENTS(qemus); i++)
        if (!layout_set(qemus[i], NULL))
            fail_msg("%s", qemus[i]);
    assert_true(layout_set("fr", NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        if (layout_set(bad[i], &error))
            fail_msg("%s", bad[i]);
        assert_non_null(error);
    }
    assert_int_equal(keys_from_keysym('a', &level), 0x10); /* the one before */
    assert_true(layout_set("en-us", NULL));
}

static void test_names(void **state)
{
    for (unsigned key = 0; key < 0x100; key++) {
        const char *name = keys_name(key);

        if (name)
            assert_int_equal(keys_from_name(name), key);
    }
}

/* ---- The line -------------------------------------------------------------------------------- */

typedef struct Bench {
    Device *root;
    Clock *clock;
    InputQueue *queue;
    Hid *hid;
    unsigned room; /* of the keyboard, in keys */
    GString *seen; /* "+1e-1e" */
    HidMotion moved;
} Bench;

static bool take_key(void *opaque, uint8_t key, bool down)
{
    Bench *b = opaque;

    if (!b->room)
        return false;
    b->room--;
    g_string_append_printf(b->seen, "%c%02x", down ? '+' : '-', key);
    return true;
}

static uint8_t leds(void *opaque)
{
    return 4;
}

static void move(void *opaque, const HidMotion *m)
{
    ((Bench *)opaque)->moved = *m;
}

static const HidKeyboardOps keyboard = { take_key, leds };
static const HidMouseOps mouse = { move };
static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

static int start(void **state)
{
    Bench *b = g_new0(Bench, 1);

    b->root = device_new(&root_class, NULL, NULL);
    device_realize(b->root, NULL);
    b->clock = clock_new_manual();
    b->queue = input_queue_new();
    b->seen = g_string_new("");
    b->hid = hid_new(b->root, b->clock, b->queue);
    b->room = 1000;
    hid_set_keyboard(b->hid, &keyboard, b);
    hid_add_mouse(b->hid, "one", &mouse, b);
    device_reset(b->root);
    *state = b;
    return 0;
}

static int finish(void **state)
{
    Bench *b = *state;

    device_free(b->root);
    clock_free(b->clock);
    input_queue_free(b->queue);
    g_string_free(b->seen, TRUE);
    g_free(b);
    return 0;
}

#define MS (NS_PER_SEC / 1000)

static void test_hold(void **state)
{
    static const uint8_t keys[] = { 0x1d, 0x1e };
    Bench *b = *state;

    keys_press(b->hid, keys, 2, 50);
    keys_press(b->hid, keys + 1, 1, 20);
    assert_string_equal(b->seen->str, "+1d+1e");
    clock_manual_advance(b->clock, 49 * MS);
    assert_string_equal(b->seen->str, "+1d+1e");
    clock_manual_advance(b->clock, 1 * MS);
    assert_string_equal(b->seen->str, "+1d+1e-1e-1d+1e");
    clock_manual_advance(b->clock, 20 * MS);
    assert_string_equal(b->seen->str, "+1d+1e-1e-1d+1e-1e");
    assert_int_equal(clock_deadline_ns(b->clock), CLOCK_NEVER);
}

static void test_no_room(void **state)
{
    Bench *b = *state;

    b->room = 1;
    for (unsigned key = 1; key < 4; key++)
        hid_key(b->hid, key, true);
    assert_string_equal(b->seen->str, "+01");
    assert_int_equal(clock_deadline_ns(b->clock), CLOCK_NEVER); /* nobody asks again and again */
    b->room = 2;
    hid_keyboard_has_room(b->hid);
    assert_string_equal(b->seen->str, "+01+02+03");
}

static void test_endless(void **state)
{
    Bench *b = *state;

    b->room = 0;
    for (unsigned i = 0; i < 5000; i++)
        hid_key(b->hid, i & 0x7f, true);
    b->room = 5000;
    hid_keyboard_has_room(b->hid);
    assert_int_equal(b->seen->len, 512 * 3);
    assert_memory_equal(b->seen->str, "+00+01+02", 9);
    device_reset(b->root);
    hid_hold(b->hid, 5);
    hid_key(b->hid, 1, true);
    device_reset(b->root);
    assert_int_equal(clock_deadline_ns(b->clock), CLOCK_NEVER);
    clock_manual_advance(b->clock, 10 * MS);
    assert_int_equal(b->seen->len, 512 * 3);
}

/* In the middle of a key that is held. */
static void test_state(void **state)
{
    Bench *b = *state;
    GByteArray *saved = g_byte_array_new();
    static const uint8_t key = 0x1e;

    keys_press(b->hid, &key, 1, 50);
    device_tree_save(b->root, saved);
    clock_manual_advance(b->clock, 50 * MS);
    assert_string_equal(b->seen->str, "+1e-1e");
    device_reset(b->root);
    assert_true(device_tree_load(b->root, saved->data, saved->len, NULL));
    clock_manual_advance(b->clock, 50 * MS);
    assert_string_equal(b->seen->str, "+1e-1e-1e");
    g_byte_array_free(saved, TRUE);
}

static void test_posted(void **state)
{
    Bench *b = *state;

    hid_post_key(b->hid, 0x1e, true);
    hid_post_motion(b->hid, &(HidMotion){ -3, 4, -1, HID_RIGHT });
    assert_string_equal(b->seen->str, "");
    input_deliver(b->queue, false, 0); /* the machine stands */
    assert_string_equal(b->seen->str, "");
    input_deliver(b->queue, true, 0);
    assert_string_equal(b->seen->str, "+1e");
    assert_memory_equal(&b->moved, (&(HidMotion){ -3, 4, -1, HID_RIGHT }), sizeof(HidMotion));
    assert_int_equal(hid_buttons(b->hid), HID_RIGHT);
    for (int channel = 0; channel < 2; channel++) /* a damaged recording */
        for (size_t len = 0; len < 10; len++)
            input_replay(b->queue, channel, "\1\0\0\0\0\0\0\0\0\0", len);
    assert_string_equal(b->seen->str, "+1e-01");
}

static void test_mice(void **state)
{
    Bench *b = *state;
    Bench other = { 0 };

    hid_add_mouse(b->hid, "two", &mouse, &other);
    assert_int_equal(hid_mouse_count(b->hid), 2);
    hid_choose_mouse(b->hid, 1);
    hid_motion(b->hid, &(HidMotion){ .dx = 7 });
    assert_int_equal(other.moved.dx, 7);
    assert_int_equal(b->moved.dx, 0);
    hid_remove_mouse(b->hid, &other);
    hid_motion(b->hid, &(HidMotion){ .dx = 8 });
    assert_int_equal(b->moved.dx, 8);
    hid_remove_mouse(b->hid, b);
    hid_remove_mouse(b->hid, b);
    hid_motion(b->hid, &(HidMotion){ .dx = 9 });
    assert_int_equal(b->moved.dx, 8);
    hid_set_keyboard(b->hid, NULL, NULL);
    hid_key(b->hid, 1, true);
    assert_int_equal(hid_leds(b->hid), 0);
}

#define WITH_BENCH(f) cmocka_unit_test_setup_teardown(f, start, finish)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_keysyms),
        cmocka_unit_test(test_layouts), cmocka_unit_test(test_names),
        WITH_BENCH(test_hold),          WITH_BENCH(test_no_room),
        WITH_BENCH(test_endless),       WITH_BENCH(test_state),
        WITH_BENCH(test_posted),        WITH_BENCH(test_mice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
