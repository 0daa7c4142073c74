/* SPDX-License-Identifier: MIT */
/*
 * Each port has a queue in each direction; two more carry control messages, by which the driver
 * learns of ports and both sides say that they have opened one. What comes from the host and the
 * driver has no buffer for waits in the port.
 *
 * Missing: that the host's side of a port closes (it counts as open), sizes of consoles, ports that
 * come and go, emergency writes.
 */
#include "hw/virtio-serial.h"

#include <inttypes.h>
#include <string.h>

#include "softmmu/bytes.h"
#include "softmmu/log.h"

#define F_MULTIPORT (1 << 1)
#define QUEUES      (2 * VIRTIO_SERIAL_PORTS + 2)
#define WAITING     256 /* bytes of a port */
#define MESSAGES    32  /* of control, that wait for buffers */
#define MESSAGE     8   /* bytes without a name */

enum { Q_CONTROL_IN = 2, Q_CONTROL_OUT = 3 };
/* Bytes of a chain to the host. Drivers send some pages; the machine waits for them to leave. */
#define MOST_AT_ONCE (16u << 20)

enum {
    DEVICE_READY = 0,
    DEVICE_ADD = 1,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

typedef struct SerialPort {
    struct VirtioSerial *s;
    unsigned number;
    bool there, console;
    char name[VIRTIO_SERIAL_NAME];
    Chardev *chr;
    /* state */
    bool open; /* the guest has it open */
    uint16_t count;
    uint8_t waiting[WAITING];
} SerialPort;

typedef struct Message {
    uint32_t port;
    uint16_t event, value;
} Message;

typedef struct VirtioSerial {
    VirtioDevice virtio;
    VirtioKind kind;
    SerialPort port[VIRTIO_SERIAL_PORTS];
    /* state */
    Message message[MESSAGES];
    uint8_t messages;
} VirtioSerial;

static unsigned in_queue(const SerialPort *p)
{
    return p->number ? 2 + 2 * p->number : 0;
}

/* NULL: @queue is one of control. */
static SerialPort *port_of_queue(VirtioSerial *s, unsigned queue)
{
    if (queue == Q_CONTROL_IN || queue == Q_CONTROL_OUT)
        return NULL;
    return &s->port[queue < 2 ? 0 : queue / 2 - 1];
}

static bool has_control(const VirtioSerial *s)
{
    return s->virtio.driver_features & F_MULTIPORT;
}

/* A driver that knows no control has but one port, which it has open. */
static bool is_open(const SerialPort *p)
{
    return virtio_is_ready(&p->s->virtio) && (has_control(p->s) ? p->open : p->number == 0);
}

/* ---- From the host ----------------------------------------------------------------------------
 */

static void hand_over(SerialPort *p)
{
    VirtioDevice *v = &p->s->virtio;
    VirtioChain c;

    while (p->count && is_open(p) && virtio_take(v, in_queue(p), &c)) {
        uint64_t n = virtio_write(v, &c, 0, p->waiting, p->count);

        p->count -= n;
        memmove(p->waiting, p->waiting + n, p->count);
        memset(p->waiting + p->count, 0, n); /* equal states are equal bytes */
        virtio_give(v, in_queue(p), c.head, n);
    }
}

static size_t can_receive(void *opaque)
{
    SerialPort *p = opaque;

    return is_open(p) ? WAITING - p->count : 0;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    SerialPort *p = opaque;

    g_assert(len <= WAITING - p->count);
    memcpy(p->waiting + p->count, data, len);
    p->count += len;
    hand_over(p);
}

static const ChardevClient client = { can_receive, receive, NULL };

static void driver_has_room(SerialPort *p)
{
    hand_over(p);
    if (p->chr)
        chardev_accept_input(p->chr);
}

/* ---- To the host ------------------------------------------------------------------------------
 */

static void write_out(SerialPort *p, const VirtioChain *c)
{
    uint8_t bytes[1024];
    uint64_t at = 0, n;

    if (c->out_len > MOST_AT_ONCE) {
        log_guest_error("virtio-serial: a chain of %" PRIu64 " bytes is not written\n", c->out_len);
        return;
    }
    while (p->there && (n = virtio_read(&p->s->virtio, c, at, bytes, sizeof(bytes)))) {
        chardev_write(p->chr, bytes, n);
        at += n;
    }
}

static void transmit(SerialPort *p, unsigned queue)
{
    VirtioDevice *v = &p->s->virtio;
    VirtioChain c;

    while (virtio_take(v, queue, &c)) {
        write_out(p, &c);
        virtio_give(v, queue, c.head, 0);
    }
}

/* ---- Control ----------------------------------------------------------------------------------
 */

static uint64_t send_message(VirtioSerial *s, const VirtioChain *c, const Message *m)
{
    uint8_t raw[MESSAGE + VIRTIO_SERIAL_NAME] = { 0 };
    size_t len = MESSAGE;

    put_le(raw, 4, m->port);
    put_le(raw + 4, 2, m->event);
    put_le(raw + 6, 2, m->value);
    if (m->event == PORT_NAME && m->port < VIRTIO_SERIAL_PORTS) {
        const char *name = s->port[m->port].name;

        memcpy(raw + MESSAGE, name, strlen(name));
        len += strlen(name);
    }
    return virtio_write(&s->virtio, c, 0, raw, len);
}

static void send_messages(VirtioSerial *s)
{
    VirtioChain c;

    while (s->messages && virtio_take(&s->virtio, Q_CONTROL_IN, &c)) {
        virtio_give(&s->virtio, Q_CONTROL_IN, c.head, send_message(s, &c, &s->message[0]));
        s->messages--;
        memmove(s->message, s->message + 1, s->messages * sizeof(Message));
        s->message[s->messages] = (Message){ 0 };
    }
}

static void tell(VirtioSerial *s, uint32_t port, uint16_t event, uint16_t value)
{
    if (s->messages == MESSAGES) {
        log_guest_error("virtio-serial: no buffers for control messages\n");
        return;
    }
    s->message[s->messages++] = (Message){ port, event, value };
}

static void port_is_ready(VirtioSerial *s, SerialPort *p)
{
    if (p->console)
        tell(s, p->number, CONSOLE_PORT, 1);
    if (*p->name)
        tell(s, p->number, PORT_NAME, 1);
    tell(s, p->number, PORT_OPEN, 1);
}

static void device_is_ready(VirtioSerial *s)
{
    for (unsigned i = 0; i < VIRTIO_SERIAL_PORTS; i++)
        if (s->port[i].there)
            tell(s, i, DEVICE_ADD, 1);
}

static void hear_message(VirtioSerial *s, const Message *m)
{
    SerialPort *p = m->port < VIRTIO_SERIAL_PORTS ? &s->port[m->port] : NULL;

    if (m->event == DEVICE_READY && m->value) {
        device_is_ready(s);
    } else if (!p || !p->there) {
        log_guest_error("virtio-serial: event %u of port %u\n", m->event, m->port);
    } else if (m->event == PORT_READY && m->value) {
        port_is_ready(s, p);
    } else if (m->event == PORT_OPEN) {
        p->open = m->value != 0;
        driver_has_room(p);
    }
}

static void take_control(VirtioSerial *s)
{
    uint8_t raw[MESSAGE];
    VirtioChain c;

    while (virtio_take(&s->virtio, Q_CONTROL_OUT, &c)) {
        if (virtio_read(&s->virtio, &c, 0, raw, sizeof(raw)) == sizeof(raw)) {
            Message m = { get_le(raw, 4), get_le(raw + 4, 2), get_le(raw + 6, 2) };
            hear_message(s, &m);
        }
        virtio_give(&s->virtio, Q_CONTROL_OUT, c.head, 0);
    }
    send_messages(s);
}

/* ---- Device -----------------------------------------------------------------------------------
 */

static void notified(VirtioDevice *v, unsigned queue)
{
    VirtioSerial *s = (VirtioSerial *)v;
    SerialPort *p = port_of_queue(s, queue);

    if (queue == Q_CONTROL_IN)
        send_messages(s);
    else if (queue == Q_CONTROL_OUT)
        take_control(s);
    else if (queue == in_queue(p))
        driver_has_room(p);
    else
        transmit(p, queue);
}

static void config(VirtioDevice *v, uint8_t *out)
{
    put_le(out + 4, 4, VIRTIO_SERIAL_PORTS); /* columns and rows are not offered */
}

static void forget(VirtioDevice *v)
{
    VirtioSerial *s = (VirtioSerial *)v;

    memset(s->message, 0, sizeof(s->message));
    s->messages = 0;
    for (unsigned i = 0; i < VIRTIO_SERIAL_PORTS; i++) {
        SerialPort *p = &s->port[i];

        p->open = false;
        p->count = 0;
        memset(p->waiting, 0, sizeof(p->waiting));
    }
}

static void connect_ports(VirtioSerial *s, bool on)
{
    for (unsigned i = 0; i < VIRTIO_SERIAL_PORTS; i++)
        if (s->port[i].chr)
            chardev_connect(s->port[i].chr, on ? &client : NULL, on ? &s->port[i] : NULL);
}

static bool serial_realize(Device *dev, GError **error)
{
    VirtioSerial *s = (VirtioSerial *)dev;

    s->kind = (VirtioKind){
        .id = 3,
        .class_code = 0x078000,
        .queues = QUEUES,
        .vectors = 2,
        .features = F_MULTIPORT,
        .config_size = 12,
        .config = config,
        .notified = notified,
        .reset = forget,
    };
    s->virtio.kind = &s->kind;
    connect_ports(s, true);
    return virtio_realize(&s->virtio, error);
}

static void serial_unrealize(Device *dev)
{
    connect_ports((VirtioSerial *)dev, false);
    virtio_unrealize(dev);
}

static void serial_plug(Device *dev, bool in)
{
    connect_ports((VirtioSerial *)dev, in);
    pci_device_plug(dev, in);
}

/* A saved state may have come from anywhere. */
static void serial_post_load(Device *dev)
{
    VirtioSerial *s = (VirtioSerial *)dev;

    virtio_post_load(dev);
    s->messages = MIN(s->messages, MESSAGES);
    for (unsigned i = 0; i < VIRTIO_SERIAL_PORTS; i++)
        s->port[i].count = MIN(s->port[i].count, WAITING);
}

static const StateField port_state[] = {
    STATE_BOOL(SerialPort, open),
    STATE_U16(SerialPort, count),
    STATE_BYTES(SerialPort, waiting),
    STATE_END,
};

static const StateField message_state[] = {
    STATE_U32(Message, port),
    STATE_U16(Message, event),
    STATE_U16(Message, value),
    STATE_END,
};

static const StateField serial_state[] = {
    STATE_STRUCT(VirtioSerial, virtio, virtio_state),
    STATE_STRUCT_ARRAY(VirtioSerial, port, port_state),
    STATE_STRUCT_ARRAY(VirtioSerial, message, message_state),
    STATE_U8(VirtioSerial, messages),
    STATE_END,
};

const DeviceClass virtio_serial_class = {
    .name = "virtio-serial-pci",
    .desc = "consoles and ports for programs behind virtio",
    .size = sizeof(VirtioSerial),
    .state = serial_state,
    .state_version = 2,
    .state_oldest = 2, /* its registers were elsewhere */
    .realize = serial_realize,
    .unrealize = serial_unrealize,
    .plug = serial_plug,
    .reset_enter = virtio_reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = serial_post_load,
};

Device *virtio_serial_new(PciBus *bus, int devfn, AddressSpace *memory)
{
    VirtioSerial *s = (VirtioSerial *)pci_device_new(&virtio_serial_class, bus, devfn, NULL);

    s->virtio.memory = memory;
    for (unsigned i = 0; i < VIRTIO_SERIAL_PORTS; i++) {
        s->port[i].s = s;
        s->port[i].number = i;
    }
    return &s->virtio.pci.dev;
}

/* Port 0 is for consoles, as drivers without control know only that. */
static int free_port(const VirtioSerial *s, bool console)
{
    for (int i = console ? 0 : 1; i < VIRTIO_SERIAL_PORTS; i++)
        if (!s->port[i].there)
            return i;
    return -1;
}

bool virtio_serial_add_port(Device *dev, int number, bool console, const char *name, Chardev *chr)
{
    VirtioSerial *s = (VirtioSerial *)dev;
    SerialPort *p;

    if (number < 0)
        number = free_port(s, console);
    if (number < 0 || number >= VIRTIO_SERIAL_PORTS || s->port[number].there)
        return false;
    p = &s->port[number];
    p->there = true;
    p->console = console;
    p->chr = chr;
    g_strlcpy(p->name, name ? name : "", sizeof(p->name));
    return true;
}
