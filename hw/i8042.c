/* SPDX-License-Identifier: MIT */
/*
 * The 8042 keyboard controller as PS/2 machines program it. Spec: IBM PS/2 Hardware Interface
 * Technical Reference, "Keyboard and auxiliary device controller"; 82C42 data sheets.
 * Commands complete at once (IBF is never seen set) and a byte waits in the output buffer until it
 * is read, when the next one moves up.
 * Missing: password security, the diagnostic dump, mouse and keyboard line errors.
 */
#include "hw/i8042.h"

#include "hw/ps2.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

enum {
    STATUS_OBF = 0x01,
    STATUS_SYS = 0x04,
    STATUS_COMMAND = 0x08,
    STATUS_UNLOCKED = 0x10,
    STATUS_AUX_OBF = 0x20
};
enum {
    MODE_KBD_INT = 0x01,
    MODE_AUX_INT = 0x02,
    MODE_SYS = 0x04,
    MODE_KBD_OFF = 0x10,
    MODE_AUX_OFF = 0x20,
    MODE_TRANSLATE = 0x40
};
enum { OUT_RESET = 0x01, OUT_A20 = 0x02, OUT_AUX_OBF = 0x20, OUT_OBF = 0x10, OUT_IDLE = 0xcd };

enum {
    CMD_READ_RAM = 0x20, /* to 0x3f; cell 0 is the command byte */
    CMD_WRITE_RAM = 0x60,
    CMD_TEST_PASSWORD = 0xa4,
    CMD_AUX_OFF = 0xa7,
    CMD_AUX_ON = 0xa8,
    CMD_AUX_TEST = 0xa9,
    CMD_SELF_TEST = 0xaa,
    CMD_KBD_TEST = 0xab,
    CMD_KBD_OFF = 0xad,
    CMD_KBD_ON = 0xae,
    CMD_READ_INPUT = 0xc0,
    CMD_READ_OUTPUT = 0xd0,
    CMD_WRITE_OUTPUT = 0xd1,
    CMD_WRITE_KBD_BUFFER = 0xd2,
    CMD_WRITE_AUX_BUFFER = 0xd3,
    CMD_WRITE_AUX = 0xd4,
    CMD_A20_OFF = 0xdd,
    CMD_A20_ON = 0xdf,
    CMD_READ_TEST = 0xe0,
    CMD_PULSE = 0xf0, /* to 0xff: low bits name lines to pulse low */
};

typedef struct I8042 {
    Device dev;
    I8042Wiring w;
    Device *kbd, *mouse;
    MemRegion data_port, command_port;
    /* state */
    uint8_t status, output_port;
    uint8_t ram[32]; /* cell 0: the command byte ("mode") */
    uint8_t command; /* waiting for a byte at 0x60; 0: none */
    uint8_t buffer;  /* the output buffer, valid while STATUS_OBF */
    uint8_t answer;  /* of the controller itself, waiting for the buffer */
    bool has_answer, answer_is_aux;
    bool translate_break; /* an 0xf0 prefix has been swallowed */
} I8042;

static uint8_t mode(const I8042 *s)
{
    return s->ram[0];
}

/* ---- Output --------------------------------------------------------------------------------- */

static void update_irqs(I8042 *s)
{
    bool full = s->status & STATUS_OBF, aux = s->status & STATUS_AUX_OBF;

    irq_set(s->w.keyboard_irq, full && !aux && (mode(s) & MODE_KBD_INT));
    irq_set(s->w.mouse_irq, full && aux && (mode(s) & MODE_AUX_INT));
}

static void fill_buffer(I8042 *s, uint8_t byte, bool aux)
{
    s->buffer = byte;
    s->status |= STATUS_OBF | (aux ? STATUS_AUX_OBF : 0);
    update_irqs(s);
}

/* Set 2 to set 1 as the controller does it: 0xf0 becomes bit 7 of the next code. False when the
 * byte is swallowed. */
static bool translate(I8042 *s, uint8_t *byte)
{
    uint8_t code = *byte;

    if (code == 0xf0) {
        s->translate_break = true;
        return false;
    }
    if (code < 0x80)
        code = ps2_set2_to_set1[code];
    else if (code == 0x83)
        code = 0x41;
    else if (code == 0x84)
        code = 0x54;
    *byte = code | (s->translate_break ? 0x80 : 0);
    s->translate_break = false;
    return true;
}

/* Move the next byte into the buffer if it is empty: the controller's own first. */
static void pump(void *opaque)
{
    I8042 *s = opaque;

    if (s->has_answer && !(s->status & STATUS_OBF)) {
        s->has_answer = false;
        fill_buffer(s, s->answer, s->answer_is_aux);
    }
    while (!(s->status & STATUS_OBF) && !(mode(s) & MODE_KBD_OFF) && ps2_kbd_has_data(s->kbd)) {
        uint8_t byte = ps2_kbd_read(s->kbd);
        if (!(mode(s) & MODE_TRANSLATE) || translate(s, &byte))
            fill_buffer(s, byte, false);
    }
    if (!(s->status & STATUS_OBF) && !(mode(s) & MODE_AUX_OFF) && ps2_mouse_has_data(s->mouse))
        fill_buffer(s, ps2_mouse_read(s->mouse), true);
}

static void answer(I8042 *s, uint8_t byte, bool aux)
{
    s->answer = byte;
    s->answer_is_aux = aux;
    s->has_answer = true;
}

/* ---- Commands ------------------------------------------------------------------------------- */

static void write_output_port(I8042 *s, uint8_t value)
{
    s->output_port = value;
    irq_set(s->w.a20, (value & OUT_A20) != 0);
    if (!(value & OUT_RESET))
        irq_pulse(s->w.reset);
}

static uint8_t read_output_port(const I8042 *s)
{
    uint8_t value = s->output_port & ~(OUT_OBF | OUT_AUX_OBF);

    if (s->status & STATUS_OBF)
        value |= s->status & STATUS_AUX_OBF ? OUT_AUX_OBF : OUT_OBF;
    return value;
}

static void write_ram(I8042 *s, unsigned cell, uint8_t value)
{
    s->ram[cell] = value;
    if (cell == 0) {
        s->status = (s->status & ~STATUS_SYS) | (value & MODE_SYS ? STATUS_SYS : 0);
        update_irqs(s);
    }
}

static void run_command(I8042 *s, uint8_t command)
{
    switch (command) {
    case CMD_READ_RAM ... CMD_READ_RAM + 31: answer(s, s->ram[command & 31], false); break;
    case CMD_TEST_PASSWORD: answer(s, 0xf1, false); break; /* none set */
    case CMD_AUX_OFF: s->ram[0] |= MODE_AUX_OFF; break;
    case CMD_AUX_ON: s->ram[0] &= ~MODE_AUX_OFF; break;
    case CMD_AUX_TEST:
    case CMD_KBD_TEST: answer(s, 0x00, false); break;
    case CMD_SELF_TEST:
        s->status |= STATUS_SYS;
        answer(s, 0x55, false);
        break;
    case CMD_KBD_OFF: s->ram[0] |= MODE_KBD_OFF; break;
    case CMD_KBD_ON: s->ram[0] &= ~MODE_KBD_OFF; break;
    case CMD_READ_INPUT: answer(s, 0x80, false); break; /* keyboard not locked */
    case CMD_READ_OUTPUT: answer(s, read_output_port(s), false); break;
    case CMD_READ_TEST: answer(s, 0x00, false); break;
    case CMD_A20_OFF: write_output_port(s, s->output_port & ~OUT_A20); break;
    case CMD_A20_ON: write_output_port(s, s->output_port | OUT_A20); break;
    case CMD_WRITE_RAM ... CMD_WRITE_RAM + 31:
    case CMD_WRITE_OUTPUT:
    case CMD_WRITE_KBD_BUFFER:
    case CMD_WRITE_AUX_BUFFER:
    case CMD_WRITE_AUX: s->command = command; break;
    case CMD_PULSE ... 0xff:
        if (!(command & OUT_RESET))
            irq_pulse(s->w.reset);
        break;
    default: log_guest_error("i8042: unknown command 0x%02x\n", command);
    }
}

static void take_argument(I8042 *s, uint8_t command, uint8_t value)
{
    switch (command) {
    case CMD_WRITE_OUTPUT: write_output_port(s, value); break;
    case CMD_WRITE_KBD_BUFFER: answer(s, value, false); break;
    case CMD_WRITE_AUX_BUFFER: answer(s, value, true); break;
    case CMD_WRITE_AUX:
        s->ram[0] &= ~MODE_AUX_OFF; /* talking to a device turns its clock on */
        ps2_mouse_write(s->mouse, value);
        break;
    default: write_ram(s, command & 31, value); break;
    }
}

/* ---- Ports ---------------------------------------------------------------------------------- */

/* After the guest did something: what moves up makes room for more. */
static void go_on(I8042 *s)
{
    pump(s);
    hid_keyboard_has_room(s->w.hid);
}

static uint64_t data_read(void *opaque, uint64_t addr, unsigned size)
{
    I8042 *s = opaque;
    uint8_t byte = s->buffer;

    trace(pckbd_kbd_read_data, "0x%02x", byte);
    s->status &= ~(STATUS_OBF | STATUS_AUX_OBF);
    update_irqs(s);
    go_on(s);
    return byte;
}

static void data_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8042 *s = opaque;
    uint8_t command = s->command;

    trace(pckbd_kbd_write_data, "0x%02x", (unsigned)value);
    s->command = 0;
    s->status &= ~STATUS_COMMAND;
    if (command) {
        take_argument(s, command, value);
    } else {
        s->ram[0] &= ~MODE_KBD_OFF;
        ps2_kbd_write(s->kbd, value);
    }
    go_on(s);
}

static uint64_t command_read(void *opaque, uint64_t addr, unsigned size)
{
    trace(pckbd_kbd_read_status, "0x%02x", ((I8042 *)opaque)->status);
    return ((I8042 *)opaque)->status;
}

static void command_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    I8042 *s = opaque;

    trace(pckbd_kbd_write_command, "0x%02x", (unsigned)value);
    s->command = 0;
    s->status |= STATUS_COMMAND;
    run_command(s, value);
    go_on(s);
}

static const MemOps data_ops = { data_read, data_write, 1, 1 };
static const MemOps command_ops = { command_read, command_write, 1, 1 };

/* ---- Input ---------------------------------------------------------------------------------- */

bool i8042_key(Device *dev, uint8_t key, bool down)
{
    I8042 *s = (I8042 *)dev;

    if (down)
        irq_pulse(s->w.key);
    return ps2_kbd_key(s->kbd, key, down);
}

void i8042_mouse(Device *dev, int dx, int dy, int dz, unsigned buttons)
{
    ps2_mouse_move(((I8042 *)dev)->mouse, dx, dy, dz, buttons);
}

static bool hands_key(void *opaque, uint8_t key, bool down)
{
    return i8042_key(opaque, key, down);
}

static uint8_t hands_leds(void *opaque)
{
    return ps2_kbd_leds(((I8042 *)opaque)->kbd);
}

static void hands_move(void *opaque, const HidMotion *m)
{
    /* clang-format off */
    static const uint8_t buttons[8] = { 0, 1, 4, 5, 2, 3, 6, 7 }; /* the middle one comes last here */
    /* clang-format on */

    i8042_mouse(opaque, m->dx, -m->dy, m->dz, buttons[m->buttons & 7]);
}

static const HidKeyboardOps hands_keyboard = { hands_key, hands_leds };
static const HidMouseOps hands_mouse = { hands_move };

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    I8042 *s = (I8042 *)dev;

    memory_init_io(&s->data_port, "i8042-data", &data_ops, s, 1);
    memory_init_io(&s->command_port, "i8042-cmd", &command_ops, s, 1);
    memory_add(s->w.ports, 0x60, 0, &s->data_port);
    memory_add(s->w.ports, 0x64, 0, &s->command_port);
    hid_set_keyboard(s->w.hid, &hands_keyboard, s);
    hid_add_mouse(s->w.hid, "QEMU PS/2 Mouse", &hands_mouse, s);
    return true;
}

static void unrealize(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    hid_set_keyboard(s->w.hid, NULL, NULL);
    hid_remove_mouse(s->w.hid, s);
    memory_destroy(&s->data_port);
    memory_destroy(&s->command_port);
}

static void reset_enter(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    for (unsigned i = 0; i < sizeof(s->ram); i++)
        s->ram[i] = 0;
    s->ram[0] = MODE_KBD_INT | MODE_AUX_INT;
    s->status = STATUS_UNLOCKED | STATUS_COMMAND;
    s->output_port = OUT_IDLE | OUT_A20;
    s->command = s->buffer = s->answer = 0;
    s->has_answer = s->answer_is_aux = s->translate_break = false;
}

static void reset_hold(Device *dev)
{
    I8042 *s = (I8042 *)dev;

    update_irqs(s);
    irq_raise(s->w.a20);
}

static const StateField i8042_state[] = {
    STATE_U8(I8042, status),
    STATE_U8(I8042, output_port),
    STATE_BYTES(I8042, ram),
    STATE_U8(I8042, command),
    STATE_U8(I8042, buffer),
    STATE_U8(I8042, answer),
    STATE_BOOL(I8042, has_answer),
    STATE_BOOL(I8042, answer_is_aux),
    STATE_BOOL(I8042, translate_break),
    STATE_END,
};

const DeviceClass i8042_class = {
    .name = "i8042",
    .desc = "keyboard controller",
    .size = sizeof(I8042),
    .state = i8042_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .reset_hold = reset_hold,
};

Device *i8042_new(Device *parent, const I8042Wiring *w)
{
    I8042 *s = (I8042 *)device_new(&i8042_class, parent, NULL);

    s->w = *w;
    s->kbd = ps2_kbd_new(&s->dev, pump, s);
    s->mouse = ps2_mouse_new(&s->dev, pump, s);
    return &s->dev;
}
