/* SPDX-License-Identifier: MIT */
/* The one table of keys: codes, QEMU's names (QKeyCode), X keysyms of a US layout. */
#include "softmmu/ui/keys.h"

#include <stdlib.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/ui/layout.h"

typedef struct KeyRow {
    uint8_t key;
    const char *name;         /* NULL: another keysym of a key */
    uint32_t keysym, shifted; /* 0: none; without @shifted, whatever Shift does */
} KeyRow;

/* The first row of a key has the name it is shown by. */
/* clang-format off */
static const KeyRow rows[] = {
    {0x01, "esc", 0xff1b},
    {0x02, "1", '1', '!'}, {0x03, "2", '2', '@'}, {0x04, "3", '3', '#'}, {0x05, "4", '4', '$'},
    {0x06, "5", '5', '%'}, {0x07, "6", '6', '^'}, {0x08, "7", '7', '&'}, {0x09, "8", '8', '*'},
    {0x0a, "9", '9', '('}, {0x0b, "0", '0', ')'}, {0x0c, "minus", '-', '_'}, {0x0d, "equal", '=', '+'},
    {0x0e, "backspace", 0xff08}, {0x0f, "tab", 0xff09}, {0x0f, NULL, 0xfe20},
    {0x10, "q", 'q', 'Q'}, {0x11, "w", 'w', 'W'}, {0x12, "e", 'e', 'E'}, {0x13, "r", 'r', 'R'},
    {0x14, "t", 't', 'T'}, {0x15, "y", 'y', 'Y'}, {0x16, "u", 'u', 'U'}, {0x17, "i", 'i', 'I'},
    {0x18, "o", 'o', 'O'}, {0x19, "p", 'p', 'P'},
    {0x1a, "bracket_left", '[', '{'}, {0x1b, "bracket_right", ']', '}'},
    {0x1c, "ret", 0xff0d}, {0x1c, NULL, 0xff0a}, {0x1d, "ctrl", 0xffe3},
    {0x1e, "a", 'a', 'A'}, {0x1f, "s", 's', 'S'}, {0x20, "d", 'd', 'D'}, {0x21, "f", 'f', 'F'},
    {0x22, "g", 'g', 'G'}, {0x23, "h", 'h', 'H'}, {0x24, "j", 'j', 'J'}, {0x25, "k", 'k', 'K'},
    {0x26, "l", 'l', 'L'}, {0x27, "semicolon", ';', ':'}, {0x28, "apostrophe", '\'', '"'},
    {0x29, "grave_accent", '`', '~'}, {0x2a, "shift", 0xffe1}, {0x2b, "backslash", '\\', '|'},
    {0x2c, "z", 'z', 'Z'}, {0x2d, "x", 'x', 'X'}, {0x2e, "c", 'c', 'C'}, {0x2f, "v", 'v', 'V'},
    {0x30, "b", 'b', 'B'}, {0x31, "n", 'n', 'N'}, {0x32, "m", 'm', 'M'}, {0x33, "comma", ',', '<'},
    {0x34, "dot", '.', '>'}, {0x35, "slash", '/', '?'}, {0x36, "shift_r", 0xffe2},
    {0x37, "kp_multiply", 0xffaa}, {0x37, "asterisk"}, {0x38, "alt", 0xffe9}, {0x38, NULL, 0xffe7},
    {0x39, "spc", ' '}, {0x3a, "caps_lock", 0xffe5},
    {0x3b, "f1", 0xffbe}, {0x3c, "f2", 0xffbf}, {0x3d, "f3", 0xffc0}, {0x3e, "f4", 0xffc1},
    {0x3f, "f5", 0xffc2}, {0x40, "f6", 0xffc3}, {0x41, "f7", 0xffc4}, {0x42, "f8", 0xffc5},
    {0x43, "f9", 0xffc6}, {0x44, "f10", 0xffc7}, {0x57, "f11", 0xffc8}, {0x58, "f12", 0xffc9},
    {0x45, "num_lock", 0xff7f}, {0x46, "scroll_lock", 0xff14},
    {0x47, "kp_7", 0xffb7}, {0x48, "kp_8", 0xffb8}, {0x49, "kp_9", 0xffb9}, {0x4a, "kp_subtract", 0xffad},
    {0x4b, "kp_4", 0xffb4}, {0x4c, "kp_5", 0xffb5}, {0x4d, "kp_6", 0xffb6}, {0x4e, "kp_add", 0xffab},
    {0x4f, "kp_1", 0xffb1}, {0x50, "kp_2", 0xffb2}, {0x51, "kp_3", 0xffb3}, {0x52, "kp_0", 0xffb0},
    {0x53, "kp_decimal", 0xffae}, {0x53, NULL, 0xffac},
    /* … without Num Lock */
    {0x47, NULL, 0xff95}, {0x48, NULL, 0xff97}, {0x49, NULL, 0xff9a}, {0x4b, NULL, 0xff96},
    {0x4c, NULL, 0xff9d}, {0x4d, NULL, 0xff98}, {0x4f, NULL, 0xff9c}, {0x50, NULL, 0xff99},
    {0x51, NULL, 0xff9b}, {0x52, NULL, 0xff9e}, {0x53, NULL, 0xff9f},
    {0x56, "less"}, {0x59, "kp_equals", 0xffbd}, {0x70, "katakanahiragana", 0xff27}, {0x73, "ro"},
    {0x77, "hiragana", 0xff25}, {0x79, "henkan", 0xff23}, {0x7b, "muhenkan", 0xff22}, {0x7d, "yen", 0xa5},
    {0x7e, "kp_comma"},
    {0x9c, "kp_enter", 0xff8d}, {0x9d, "ctrl_r", 0xffe4}, {0xb5, "kp_divide", 0xffaf},
    {KEYS_PRINT, "print", 0xff61}, {KEYS_PRINT, "sysrq", 0xff15}, {0xb8, "alt_r", 0xffea},
    {0xb8, NULL, 0xfe03}, {0xb8, NULL, 0xff7e}, {0xb8, NULL, 0xffe8},
    {KEYS_PAUSE, "pause", 0xff13}, {KEYS_PAUSE, NULL, 0xff6b},
    {0xc7, "home", 0xff50}, {0xc8, "up", 0xff52}, {0xc9, "pgup", 0xff55}, {0xcb, "left", 0xff51},
    {0xcd, "right", 0xff53}, {0xcf, "end", 0xff57}, {0xd0, "down", 0xff54}, {0xd1, "pgdn", 0xff56},
    {0xd2, "insert", 0xff63}, {0xd3, "delete", 0xffff},
    {0xdb, "meta_l", 0xffeb}, {0xdc, "meta_r", 0xffec}, {0xdd, "compose", 0xff67}, {0x9e, "menu"},
    {0xde, "power"}, {0xdf, "sleep"}, {0xe3, "wake"},
    {0x90, "audioprev"}, {0x99, "audionext"}, {0xa0, "audiomute"}, {0xa1, "calculator"},
    {0xa2, "audioplay"}, {0xa4, "audiostop"}, {0xae, "volumedown"}, {0xb0, "volumeup"},
    {0xb2, "ac_home"}, {0xe6, "ac_bookmarks"}, {0xe7, "ac_refresh"}, {0xe9, "ac_forward"},
    {0xea, "ac_back"}, {0xeb, "computer"}, {0xec, "mail"}, {0xed, "mediaselect"},
};
/* clang-format on */

/* ---- Names ---------------------------------------------------------------------------------- */

/* With Alt held, Print Screen has a code of its own: that is the keyboard's business. */
int keys_from_number(uint32_t number)
{
    return number == 0x54 ? KEYS_PRINT : number && number < 0x100 ? (int)number : -1;
}

static int key_from_hex(const char *text)
{
    char *end;
    uint64_t value = g_ascii_strtoull(text, &end, 16);

    if (!g_str_has_prefix(text, "0x") || end == text + 2 || *end)
        return -1;
    return keys_from_number(MIN(value, UINT32_MAX));
}

int keys_from_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].name && !strcmp(rows[i].name, name))
            return rows[i].key;
    return key_from_hex(name);
}

const char *keys_name(uint8_t key)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].key == key && rows[i].name)
            return rows[i].name;
    return NULL;
}

unsigned keys_parse(const char *text, uint8_t keys[KEYS_MAX], GError **error)
{
    g_auto(GStrv) names = g_strsplit(text, "-", -1);
    unsigned count = 0;

    for (char **name = names; *name; name++) {
        int key = keys_from_name(!strcmp(*name, "<") ? "less" : *name);

        if (key < 0) {
            error_set(error, "invalid parameter: %s", *name);
            return 0;
        }
        if (count == KEYS_MAX) {
            error_set(error, "too many keys");
            return 0;
        }
        keys[count++] = key;
    }
    if (!count)
        error_set(error, "which keys?");
    return count;
}

void keys_press(Hid *h, const uint8_t *keys, unsigned count, uint32_t hold_ms)
{
    for (unsigned i = 0; i < count; i++)
        hid_key(h, keys[i], true);
    hid_hold(h, hold_ms);
    while (count--)
        hid_key(h, keys[count], false);
}

/* ---- Keysyms -------------------------------------------------------------------------------- */

int keys_from_keysym(uint32_t keysym, KeyLevel *level)
{
    int key = layout_from_keysym(keysym, level);

    if (key >= 0)
        return key;
    for (const KeyRow *r = rows; keysym && r < rows + G_N_ELEMENTS(rows); r++) {
        if (r->keysym != keysym && r->shifted != keysym)
            continue;
        *level = !r->shifted ? KEYS_ANY : r->keysym == keysym ? KEYS_PLAIN : KEYS_SHIFTED;
        return r->key;
    }
    return -1;
}
