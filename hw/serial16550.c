/* SPDX-License-Identifier: MIT */
/*
 * 16550A UART. Spec: National Semiconductor PC16550D data sheet (section 8, registers).
 * Characters leave at once: the transmitter is always empty, and writing THR makes a new
 * transmitter-empty interrupt. Receiving is paced by the back end; the FIFO timeout runs on the
 * machine's clock. As on a PC, OUT2 gates the interrupt line.
 * Missing: 5-8 bit character masking, parity errors (no back end makes any), DMA mode pins.
 */
#include "hw/serial16550.h"

#include <string.h>

#include "softmmu/trace.h"

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR }; /* by offset; 0 is also THR, 2 also FCR */

enum { IER_RDI = 1, IER_THRI = 2, IER_RLSI = 4, IER_MSI = 8, IER_MASK = 0x0f };
enum {
    IIR_NONE = 0x01,
    IIR_MSI = 0x00,
    IIR_THRI = 0x02,
    IIR_RDI = 0x04,
    IIR_RLSI = 0x06,
    IIR_TIMEOUT = 0x0c,
    IIR_FIFOS = 0xc0,
};
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_KEPT = 0xc9 };
enum { LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10, MCR_MASK = 0x1f };
enum {
    LSR_DR = 0x01,
    LSR_OE = 0x02,
    LSR_BI = 0x10,
    LSR_ERRORS = 0x1e,
    LSR_THRE = 0x20,
    LSR_TEMT = 0x40,
    LSR_FIFO_ERROR = 0x80,
};
enum { MSR_TERI = 0x04, MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80 };

#define CRYSTAL_HZ 1843200

#define SERIAL_FIFO_SIZE 16

typedef struct Serial16550 {
    Device dev;
    /* wiring */
    MemRegion *parent_ports;
    uint16_t base;
    Clock *clock;
    const Irq *irq;
    Chardev *chr;
    MemRegion ports;
    /* state */
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    uint16_t divisor;
    bool thre_pending;    /* the transmitter-empty interrupt has not been acknowledged */
    bool timeout_pending; /* characters have waited in the FIFO for four character times */
    uint8_t rx[SERIAL_FIFO_SIZE], rx_err[SERIAL_FIFO_SIZE]; /* ring; errors as LSR bits */
    uint8_t rx_head, rx_count;
    Timer *timeout;
} Serial16550;

static bool fifo_is_on(const Serial16550 *s)
{
    return s->fcr & FCR_ENABLE;
}

static unsigned fifo_trigger(const Serial16550 *s)
{
    static const uint8_t level[4] = { 1, 4, 8, 14 };

    return fifo_is_on(s) ? level[s->fcr >> 6] : 1;
}

/* ---- Interrupts ----------------------------------------------------------------------------- */

/* The highest pending enabled source, as IIR bits 3..0. */
static uint8_t pending_source(const Serial16550 *s)
{
    if ((s->ier & IER_RLSI) && (s->lsr & LSR_ERRORS))
        return IIR_RLSI;
    if ((s->ier & IER_RDI) && s->rx_count >= fifo_trigger(s))
        return IIR_RDI;
    if ((s->ier & IER_RDI) && s->timeout_pending)
        return IIR_TIMEOUT;
    if ((s->ier & IER_THRI) && s->thre_pending)
        return IIR_THRI;
    if ((s->ier & IER_MSI) && (s->msr & 0x0f))
        return IIR_MSI;
    return IIR_NONE;
}

static void update_irq(Serial16550 *s)
{
    bool gate = (s->mcr & MCR_OUT2) && !(s->mcr & MCR_LOOP);

    irq_set(s->irq, gate && pending_source(s) != IIR_NONE);
}

/* ---- Receiver ------------------------------------------------------------------------------- */

static int64_t char_time_ns(const Serial16550 *s)
{
    unsigned bits = 1 + 5 + (s->lcr & 3) + !!(s->lcr & 4) + !!(s->lcr & 8) + 1;
    unsigned divisor = s->divisor ? s->divisor : 1;

    return clock_ticks_to_ns((uint64_t)bits * divisor * 16, CRYSTAL_HZ);
}

/* Four character times after the last arrival or read, if something is left. */
static void restart_timeout(Serial16550 *s)
{
    s->timeout_pending = false;
    if (fifo_is_on(s) && s->rx_count)
        timer_set(s->timeout, clock_now_ns(s->clock) + 4 * char_time_ns(s));
    else
        timer_cancel(s->timeout);
}

static void timeout_expired(void *opaque)
{
    Serial16550 *s = opaque;

    s->timeout_pending = s->rx_count > 0;
    update_irq(s);
}

/* LSR bits that follow from the FIFO: data ready, errors of the character at its head, and
 * whether any error is inside. */
static void update_lsr(Serial16550 *s)
{
    s->lsr &= ~(LSR_DR | LSR_FIFO_ERROR);
    if (!s->rx_count)
        return;
    s->lsr |= LSR_DR | s->rx_err[s->rx_head];
    for (unsigned i = 0; fifo_is_on(s) && i < s->rx_count; i++) {
        if (s->rx_err[(s->rx_head + i) % SERIAL_FIFO_SIZE])
            s->lsr |= LSR_FIFO_ERROR;
    }
}

static void receive_char(Serial16550 *s, uint8_t c, uint8_t errors)
{
    unsigned room = fifo_is_on(s) ? SERIAL_FIFO_SIZE : 1;

    if (s->rx_count == room) {
        s->lsr |= LSR_OE;
        if (fifo_is_on(s))
            return; /* the FIFO keeps what it has; RBR alone is overwritten */
        s->rx_count = 0;
    }
    unsigned tail = (s->rx_head + s->rx_count) % SERIAL_FIFO_SIZE;
    s->rx[tail] = c;
    s->rx_err[tail] = errors;
    s->rx_count++;
    restart_timeout(s);
    update_lsr(s);
}

static uint8_t read_rbr(Serial16550 *s)
{
    uint8_t c = s->rx[s->rx_head];

    if (!s->rx_count)
        return c;
    s->rx_err[s->rx_head] = 0;
    s->rx_count--;
    if (s->rx_count)
        s->rx_head = (s->rx_head + 1) % SERIAL_FIFO_SIZE;
    restart_timeout(s);
    update_lsr(s);
    update_irq(s);
    if (!(s->mcr & MCR_LOOP))
        chardev_accept_input(s->chr);
    return c;
}

static void clear_receiver(Serial16550 *s)
{
    s->rx_head = s->rx_count = 0;
    memset(s->rx_err, 0, sizeof(s->rx_err));
    restart_timeout(s);
    update_lsr(s);
}

static size_t can_receive(void *opaque)
{
    Serial16550 *s = opaque;

    if (s->mcr & MCR_LOOP)
        return 0;
    return (fifo_is_on(s) ? SERIAL_FIFO_SIZE : 1) - s->rx_count;
}

static void receive(void *opaque, const uint8_t *data, size_t len)
{
    Serial16550 *s = opaque;

    for (size_t i = 0; i < len; i++)
        receive_char(s, data[i], 0);
    update_irq(s);
}

static void chardev_event(void *opaque, int event)
{
    Serial16550 *s = opaque;

    if (event == CHARDEV_EVENT_BREAK) {
        receive_char(s, 0, LSR_BI);
        update_irq(s);
    }
}

static const ChardevClient serial_client = { can_receive, receive, chardev_event };

/* ---- Transmitter and modem lines ------------------------------------------------------------ */

static void write_thr(Serial16550 *s, uint8_t c)
{
    s->thre_pending = false;
    update_irq(s);
    if (s->mcr & MCR_LOOP)
        receive_char(s, c, 0);
    else
        chardev_write(s->chr, &c, 1);
    s->thre_pending = true;
    update_irq(s);
}

/* The lines a connected terminal holds, or MCR's own in loopback. */
static uint8_t modem_lines(const Serial16550 *s)
{
    uint8_t lines = 0;

    if (!(s->mcr & MCR_LOOP))
        return MSR_DCD | MSR_DSR | MSR_CTS;
    lines |= s->mcr & MCR_RTS ? MSR_CTS : 0;
    lines |= s->mcr & MCR_DTR ? MSR_DSR : 0;
    lines |= s->mcr & MCR_OUT1 ? MSR_RI : 0;
    lines |= s->mcr & MCR_OUT2 ? MSR_DCD : 0;
    return lines;
}

static void update_msr(Serial16550 *s)
{
    uint8_t lines = modem_lines(s);
    uint8_t delta = (lines ^ s->msr) >> 4;

    if (lines & MSR_RI)
        delta &= ~MSR_TERI; /* only the trailing edge of RI counts */
    s->msr = lines | (s->msr & 0x0f) | delta;
}

/* ---- Registers ------------------------------------------------------------------------------ */

static void write_ier(Serial16550 *s, uint8_t value)
{
    uint8_t enabled = value & ~s->ier;

    s->ier = value & IER_MASK;
    if (enabled & IER_THRI)
        s->thre_pending = true; /* the transmitter is empty: enabling says so */
    update_irq(s);
}

static void write_fcr(Serial16550 *s, uint8_t value)
{
    bool toggled = (value ^ s->fcr) & FCR_ENABLE;

    s->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    if (toggled || (value & FCR_CLEAR_RX))
        clear_receiver(s);
    if (toggled || (value & FCR_CLEAR_TX))
        s->thre_pending = true;
    update_irq(s);
    chardev_accept_input(s->chr);
}

static void write_mcr(Serial16550 *s, uint8_t value)
{
    bool left_loop = (s->mcr & MCR_LOOP) && !(value & MCR_LOOP);

    s->mcr = value & MCR_MASK;
    update_msr(s);
    update_irq(s);
    if (left_loop)
        chardev_accept_input(s->chr);
}

static void write_lcr(Serial16550 *s, uint8_t value)
{
    bool break_on = (value & LCR_BREAK) && !(s->lcr & LCR_BREAK);

    s->lcr = value;
    if (break_on && (s->mcr & MCR_LOOP))
        receive_char(s, 0, LSR_BI);
    update_irq(s);
}

static uint8_t read_iir(Serial16550 *s)
{
    uint8_t source = pending_source(s);

    if (source == IIR_THRI) {
        s->thre_pending = false; /* reading it acknowledges this source alone */
        update_irq(s);
    }
    return source | (fifo_is_on(s) ? IIR_FIFOS : 0);
}

static uint8_t read_lsr(Serial16550 *s)
{
    uint8_t value = s->lsr;

    s->lsr &= ~LSR_ERRORS;
    if (s->rx_count)
        s->rx_err[s->rx_head] = 0;
    update_lsr(s);
    update_irq(s);
    return value;
}

static uint8_t read_msr(Serial16550 *s)
{
    uint8_t value = s->msr;

    s->msr &= 0xf0;
    update_irq(s);
    return value;
}

static uint8_t read_register(Serial16550 *s, unsigned reg)
{
    bool dlab = s->lcr & LCR_DLAB;

    switch (reg) {
    case RBR: return dlab ? s->divisor & 0xff : read_rbr(s);
    case IER: return dlab ? s->divisor >> 8 : s->ier;
    case IIR: return read_iir(s);
    case LCR: return s->lcr;
    case MCR: return s->mcr;
    case LSR: return read_lsr(s);
    case MSR: return read_msr(s);
    default: return s->scr;
    }
}

static uint64_t serial_read(void *opaque, uint64_t addr, unsigned size)
{
    uint8_t value = read_register(opaque, addr);

    trace(serial_read, "read addr 0x%02x val 0x%02x", (unsigned)addr, value);
    return value;
}

static void serial_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    Serial16550 *s = opaque;
    bool dlab = s->lcr & LCR_DLAB;
    uint8_t byte = value;

    trace(serial_write, "write addr 0x%02x val 0x%02x", (unsigned)addr, byte);

    switch (addr) {
    case RBR:
        if (dlab)
            s->divisor = (s->divisor & 0xff00) | byte;
        else
            write_thr(s, byte);
        break;
    case IER:
        if (dlab)
            s->divisor = (s->divisor & 0x00ff) | byte << 8;
        else
            write_ier(s, byte);
        break;
    case IIR: write_fcr(s, byte); break;
    case LCR: write_lcr(s, byte); break;
    case MCR: write_mcr(s, byte); break;
    case SCR: s->scr = byte; break;
    default: break; /* LSR and MSR are for factory tests */
    }
}

static const MemOps serial_ops = { serial_read, serial_write, .min_size = 1, .max_size = 1 };

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    Serial16550 *s = (Serial16550 *)dev;

    memory_init_io(&s->ports, "serial", &serial_ops, s, 8);
    memory_add(s->parent_ports, s->base, 0, &s->ports);
    s->timeout = timer_new(s->clock, timeout_expired, s);
    if (s->chr)
        chardev_connect(s->chr, &serial_client, s);
    return true;
}

static void unrealize(Device *dev)
{
    Serial16550 *s = (Serial16550 *)dev;

    if (s->chr)
        chardev_connect(s->chr, NULL, NULL);
    timer_free(s->timeout);
    memory_destroy(&s->ports);
}

static void reset_enter(Device *dev)
{
    Serial16550 *s = (Serial16550 *)dev;

    s->ier = s->fcr = s->lcr = s->mcr = s->scr = 0;
    s->lsr = LSR_THRE | LSR_TEMT;
    s->divisor = 12; /* 9600 baud; undefined on the chip */
    s->thre_pending = false;
    memset(s->rx, 0, sizeof(s->rx));
    clear_receiver(s);
    s->msr = modem_lines(s);
}

static void reset_hold(Device *dev)
{
    update_irq((Serial16550 *)dev);
}

static void post_load(Device *dev)
{
    Serial16550 *s = (Serial16550 *)dev;

    s->rx_head %= SERIAL_FIFO_SIZE;
    s->rx_count = MIN(s->rx_count, SERIAL_FIFO_SIZE);
}

static const StateField serial_state[] = {
    STATE_U8(Serial16550, ier),
    STATE_U8(Serial16550, fcr),
    STATE_U8(Serial16550, lcr),
    STATE_U8(Serial16550, mcr),
    STATE_U8(Serial16550, lsr),
    STATE_U8(Serial16550, msr),
    STATE_U8(Serial16550, scr),
    STATE_U16(Serial16550, divisor),
    STATE_BOOL(Serial16550, thre_pending),
    STATE_BOOL(Serial16550, timeout_pending),
    STATE_BYTES(Serial16550, rx),
    STATE_BYTES(Serial16550, rx_err),
    STATE_U8(Serial16550, rx_head),
    STATE_U8(Serial16550, rx_count),
    STATE_TIMER(Serial16550, timeout),
    STATE_END,
};

const DeviceClass serial16550_class = {
    .name = "isa-serial",
    .desc = "16550A serial port",
    .size = sizeof(Serial16550),
    .state = serial_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .reset_hold = reset_hold,
    .post_load = post_load,
};

Device *serial16550_new(Device *parent, MemRegion *ports, uint16_t base, Clock *clock,
                        const Irq *irq, Chardev *chr)
{
    Serial16550 *s = (Serial16550 *)device_new(&serial16550_class, parent, NULL);

    s->parent_ports = ports;
    s->base = base;
    s->clock = clock;
    s->irq = irq;
    s->chr = chr;
    return &s->dev;
}
