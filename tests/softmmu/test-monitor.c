/* SPDX-License-Identifier: MIT */
/* Run states by requests, and the monitor by what is typed, on a machine without CPUs. */
#include "softmmu/program/monitor/monitor.h"

#include <string.h>

#include "config.h"
#include "softmmu/error.h"
#include "softmmu/program/runstate.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

typedef struct Bench {
    MachineConfig config;
    Machine m;
    RamBlock *ram;
    MemRegion ram_region;
    RunControl *rc;
    GByteArray *out;
    Chardev *chr;
    Monitor *mon;
    unsigned resets, powerdowns, wakeups;
    MonitorMachineCheck checked;
    GString *hands; /* what keyboard and mouse were told */
} Bench;

typedef struct Probe {
    Device dev;
    Bench *bench;
} Probe;

static void probe_reset(Device *dev)
{
    ((Probe *)dev)->bench->resets++;
}

static const DeviceClass probe_class = { .name = "probe",
                                         .size = sizeof(Probe),
                                         .reset_hold = probe_reset };

static Bench *bench_of(Machine *m)
{
    return (Bench *)((char *)m - offsetof(Bench, m));
}

static void powerdown(Machine *m)
{
    bench_of(m)->powerdowns++;
}

static void wakeup(Machine *m)
{
    bench_of(m)->wakeups++;
}

static unsigned cpu_count(void *opaque)
{
    return 2;
}

static void print_registers(void *opaque, unsigned n, GString *out)
{
    g_string_append_printf(out, "EAX=%08x\n", n);
}

static bool get_register(void *opaque, unsigned n, const char *name, uint64_t *value)
{
    *value = 0x1000;
    return !strcmp(name, "pc");
}

/* Virtual memory is physical memory, 0x10000 higher. */
static bool peek(void *opaque, unsigned n, uint64_t addr, void *buf, size_t len)
{
    Bench *b = opaque;

    if (addr < 0x10000 || addr > 0x14000 || len > 0x14000 - addr)
        return false;
    memcpy(buf, b->ram->host + addr - 0x10000, len);
    return true;
}

static unsigned code_bits(void *opaque, unsigned n)
{
    return 64;
}

static bool machine_check(void *opaque, const MonitorMachineCheck *e, GError **error)
{
    ((Bench *)opaque)->checked = *e;
    if (e->bank < 4)
        return true;
    error_set(error, "Invalid bank number");
    return false;
}

static bool take_key(void *opaque, uint8_t key, bool down)
{
    g_string_append_printf(((Bench *)opaque)->hands, "%c%02x", down ? '+' : '-', key);
    return true;
}

static void take_motion(void *opaque, const HidMotion *m)
{
    g_string_append_printf(((Bench *)opaque)->hands, "%d,%d,%d,%u", m->dx, m->dy, m->dz,
                           m->buttons);
}

static const HidKeyboardOps keyboard = { take_key };
static const HidMouseOps mouse = { take_motion };

static bool set_boot_order(Machine *m, const char *order, GError **error)
{
    return true;
}

static bool no_device(Machine *m, const DeviceOption *o, GError **error)
{
    error_set(error, "no");
    return false;
}

static bool no_id(Machine *m, const char *id, GError **error)
{
    error_set(error, "no");
    return false;
}

static const char *no_cpu_id(Machine *m, unsigned n)
{
    return "";
}

static const MonitorBoard board = { set_boot_order, no_device, no_id, no_cpu_id };
static bool is_present(void *opaque, unsigned n)
{
    return true;
}

static const CpuBus no_cpus = { .is_present = is_present }; /* to be asked of nothing else */

static void bench_init(Bench *b)
{
    static const RunHooks hooks = { .powerdown = powerdown, .wakeup = wakeup };
    MonitorCpus cpus = {
        cpu_count, print_registers, get_register, peek, code_bits, b, machine_check
    };
    Probe *probe;

    *b = (Bench){ 0 };
    b->config.netdevs = g_ptr_array_new();
    b->m.config = &b->config;
    b->m.ram = ram_set_new();
    b->m.input = input_queue_new();
    memory_init_container(&b->m.memory_root, "system", 0x100000);
    memory_init_container(&b->m.io_root, "io", 0x10000);
    b->m.memory = address_space_new("memory", &b->m.memory_root, b->m.ram);
    b->m.io = address_space_new("I/O", &b->m.io_root, NULL);
    b->ram = ram_block_new(b->m.ram, "pc.ram", 0x4000, NULL);
    memory_init_ram(&b->ram_region, "pc.ram", b->ram, 0, 0x4000);
    memory_add(&b->m.memory_root, 0, 0, &b->ram_region);
    probe = (Probe *)device_new(&probe_class, NULL, NULL);
    probe->bench = b;
    b->m.root = &probe->dev;
    device_realize(b->m.root, NULL);
    b->m.clock = clock_new_manual();
    b->m.hid = hid_new(b->m.root, b->m.clock, b->m.input);
    b->hands = g_string_new("");
    hid_set_keyboard(b->m.hid, &keyboard, b);
    hid_add_mouse(b->m.hid, "a mouse", &mouse, b);
    b->rc = run_control_new(&b->m, &hooks);
    b->out = g_byte_array_new();
    b->chr = chardev_new_memory(b->out);
    b->m.cpus = &no_cpus;
    b->mon = monitor_new(&b->m, b->rc, &cpus, NULL, b->chr);
    monitor_set_board(b->mon, &board);
}

static void bench_free(Bench *b)
{
    monitor_free(b->mon);
    run_control_free(b->rc);
    chardev_free(b->chr);
    g_byte_array_free(b->out, TRUE);
    device_free(b->m.root);
    clock_free(b->m.clock);
    g_string_free(b->hands, TRUE);
    address_space_free(b->m.memory);
    address_space_free(b->m.io);
    memory_destroy(&b->ram_region);
    memory_destroy(&b->m.memory_root);
    memory_destroy(&b->m.io_root);
    ram_set_free(b->m.ram);
    g_ptr_array_unref(b->config.netdevs);
    input_queue_free(b->m.input);
}

/* Requests made one after the other, each followed by a turn of the loop. */
static const struct {
    bool no_reboot, no_shutdown, start_stopped;
    uint32_t requests[4];
    RunState state; /* in the end; RUN_SHUTDOWN when it quit */
    bool quit;
    unsigned resets, powerdowns, wakeups;
} request_rows[] = {
    { .state = RUN_RUNNING },
    { .start_stopped = true, .state = RUN_PRELAUNCH },
    { .requests = { REQUEST_RESET }, .state = RUN_RUNNING, .resets = 1 },
    { .requests = { REQUEST_RESET, REQUEST_RESET }, .state = RUN_RUNNING, .resets = 2 },
    { .no_reboot = true, .requests = { REQUEST_RESET }, .state = RUN_SHUTDOWN, .quit = true },
    { .no_reboot = true,
      .no_shutdown = true,
      .requests = { REQUEST_RESET },
      .state = RUN_SHUTDOWN },
    { .requests = { REQUEST_SHUTDOWN }, .state = RUN_SHUTDOWN, .quit = true },
    { .requests = { REQUEST_SHUTDOWN | REQUEST_RESET }, .state = RUN_SHUTDOWN, .quit = true },
    { .no_shutdown = true, .requests = { REQUEST_SHUTDOWN }, .state = RUN_SHUTDOWN },
    { .no_shutdown = true,
      .requests = { REQUEST_SHUTDOWN, REQUEST_RESET },
      .state = RUN_PAUSED,
      .resets = 1 },
    { .requests = { REQUEST_POWERDOWN }, .state = RUN_RUNNING, .powerdowns = 1 },
    { .requests = { REQUEST_STOP }, .state = RUN_PAUSED },
    { .requests = { REQUEST_STOP, REQUEST_RESET }, .state = RUN_PAUSED, .resets = 1 },
    { .start_stopped = true, .requests = { REQUEST_STOP }, .state = RUN_PRELAUNCH },
    { .requests = { REQUEST_SUSPEND }, .state = RUN_SUSPENDED },
    { .requests = { REQUEST_SUSPEND, REQUEST_WAKEUP }, .state = RUN_RUNNING, .wakeups = 1 },
    { .requests = { REQUEST_WAKEUP }, .state = RUN_RUNNING },
    { .requests = { REQUEST_DEBUG }, .state = RUN_DEBUG },
    { .requests = { REQUEST_IO_ERROR }, .state = RUN_IO_ERROR },
    { .requests = { REQUEST_IO_ERROR | REQUEST_STOP }, .state = RUN_PAUSED },
    { .requests = { REQUEST_STOP, REQUEST_IO_ERROR }, .state = RUN_PAUSED },
    { .requests = { REQUEST_IO_ERROR, REQUEST_RESET }, .state = RUN_IO_ERROR, .resets = 1 },
    { .requests = { REQUEST_QUIT | REQUEST_RESET }, .state = RUN_SHUTDOWN, .quit = true },
};

static void test_requests(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(request_rows); i++) {
        Bench b;
        bool quit = false, runs;

        bench_init(&b);
        b.m.actions.no_reboot = request_rows[i].no_reboot;
        b.m.actions.no_shutdown = request_rows[i].no_shutdown;
        b.config.start_stopped = request_rows[i].start_stopped;
        runs = run_control_process(b.rc, &quit);
        assert_int_equal(runs, !b.config.start_stopped);
        for (int k = 0; k < 4 && request_rows[i].requests[k]; k++) {
            machine_request(&b.m, request_rows[i].requests[k]);
            runs = run_control_process(b.rc, &quit);
        }
        assert_int_equal(b.m.state, request_rows[i].state);
        assert_int_equal(quit, request_rows[i].quit);
        assert_int_equal(runs, b.m.state == RUN_RUNNING || b.m.state == RUN_SUSPENDED);
        assert_int_equal(b.resets, request_rows[i].resets);
        assert_int_equal(b.powerdowns, request_rows[i].powerdowns);
        assert_int_equal(b.wakeups, request_rows[i].wakeups);
        assert_int_equal(b.m.exit_status, 0);
        bench_free(&b);
    }
}

static void test_exit_status(void **state)
{
    Bench b;
    bool quit = false;

    bench_init(&b);
    machine_request_quit(&b.m, 35);
    machine_request_quit(&b.m, 1); /* too late */
    run_control_process(b.rc, &quit);
    assert_true(quit);
    assert_int_equal(b.m.exit_status, 35);
    bench_free(&b);
}

/* A command and what it prints. */
static const struct {
    const char *line, *text;
} command_rows[] = {
    { "info status", "VM status: running\n" },
    { "", "" },
    { "  ", "" },
    { "bogus", "unknown command: 'bogus'\n" },
    { "when", "no recording is replayed here that could be gone back in\n" },
    { "goto 3e9", "no recording is replayed here that could be gone back in\n" },
    { "begin_record x", "there is nothing to record\n" },
    { "begin_record", "begin_record: filename expected\n"
                      "Try \"help begin_record\" for more information\n" },
    { "end_record", "nothing is recorded\n" },
    { "go-live", "no recording is replayed here that could be gone back in\n" },
    { "info replay", "Record/replay is not active\n" },
    { "savevm x", "Error: this machine's state cannot be saved\n" },
    { "loadvm", "loadvm: string expected\nTry \"help loadvm\" for more information\n" },
    { "loadvm x", "Error: this machine's state cannot be saved\n" },
    { "delvm", "delvm: string expected\nTry \"help delvm\" for more information\n" },
    { "migrate", "Error: where to is missing\n" },
    { "migrate -b exec:x",
      "migrate: unsupported option -b\nTry \"help migrate\" for more information\n" },
    { "migrate_incoming", "migrate_incoming: string expected\n"
                          "Try \"help migrate_incoming\" for more information\n" },
    { "info snapshots", "Error: this machine's state cannot be saved\n" },
    { "balloon 5", "Error: No balloon device has been activated\n" },
    { "balloon x", "invalid char 'x' in expression\n"
                   "Try \"help balloon\" for more information\n" },
    { "balloon 0", "Error: Parameter 'target' expects a size\n" },
    { "info balloon", "Error: No balloon device has been activated\n" },
    { "info numa", "0 nodes\n" },
    { "ringbuf_read x 5", "Error: Device 'x' not found\n" },
    { "ringbuf_read x", "Error: a device and a number of bytes are needed\n" },
    { "ringbuf_write x", "Error: a device and text are needed\n" },
    { "ringbuf_write x y", "Error: Device 'x' not found\n" },
    { "info bogus", "unknown command: 'info bogus'\n" },
    { "help bogus", "unknown command: 'bogus'\n" },
    { "help quit", "quit|q  -- leave Mimus\n" },
    { "help info status", "info status  -- is the machine running?\n" },
    { "help info bogus", "unknown command: 'info bogus'\n" },
    { "info registers", "\nCPU#0\nEAX=00000000\n" },
    { "info registers -a", "\nCPU#0\nEAX=00000000\n\nCPU#1\nEAX=00000001\n" },
    { "info registers x", "invalid char 'x' in expression\n"
                          "Try \"help info registers\" for more information\n" },
    { "info registers 1", "\nCPU#1\nEAX=00000001\n" },
    { "info registers 2", "CPU#2 not available\n" },
    { "info status x", "status: extraneous characters at the end of line\n"
                       "Try \"help info status\" for more information\n" },
    { "stop x", "stop|s: extraneous characters at the end of line\n"
                "Try \"help stop\" for more information\n" },
    { "object_add x", "Error: nothing can be added to this machine\n" },
    { "object_del x", "Error: nothing can be removed from this machine\n" },
    { "chardev-add x", "Error: nothing can be added to this machine\n" },
    { "chardev-remove x", "Error: nothing can be removed from this machine\n" },
    { "drive_del x", "Error: nothing can be removed from this machine\n" },
    { "chardev-send-break x", "Error: Chardev 'x' not found\n" },
    { "info mtree -x",
      "mtree: unsupported option -x\nTry \"help info mtree\" for more information\n" },
    { "cpu 2", "invalid CPU index\n" },
    { "xp /4xw 0x100", "0000000000000100: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\n" },
    { "xp/5xw 0x100", "0000000000000100: 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c\n"
                      "0000000000000110: 0x13121110\n" },
    { "xp/2xb 256", "0000000000000100: 0x00 0x01\n" },
    { "xp/1xh 0x101", "0000000000000101: 0x0201\n" },
    { "xp/1xg 0x100", "0000000000000100: 0x0706050403020100\n" },
    { "xp 0x100", "0000000000000100: 0x0706050403020100\n" },
    { "xp/w 0x100", "0000000000000100: 0x03020100\n" },
    { "xp 0x100", "0000000000000100: 0x03020100\n" },
    { "xp/1dw 0x200", "0000000000000200:         -1\n" },
    { "xp/1uw 0x200", "0000000000000200: 4294967295\n" },
    { "xp/1ob 0x200", "0000000000000200: 0377\n" },
    { "xp/4c 0x300", "0000000000000300: 'H' '\\'' '\\n' '\\x00'\n" },
    { "x/1xw 0x10100", "0000000000010100: 0x03020100\n" },
    { "x/1xw $pc+0xf100", "0000000000010100: 0x03020100\n" },
    { "x/1xw 0x10110 - 0x10", "0000000000010100: 0x03020100\n" },
    { "x/1xw 0x100", "0000000000000100: Cannot access memory\n" },
    { "x/4xw 0x13ff8", "0000000000013ff8: 0x00000000 0x00000000 Cannot access memory\n" },
    { "xp/1xw 0x50000", "0000000000050000: Cannot access memory\n" },
    { "x/1zw 0", "invalid char in format: 'z'\nTry \"help x\" for more information\n" },
    { "x/1xw", "unexpected end of expression\nTry \"help x\" for more information\n" },
    { "x/1xw $foo", "unknown register '$foo'\nTry \"help x\" for more information\n" },
    { "x/1xw 1*2 3", "invalid char '3' in expression\nTry \"help x\" for more information\n" },
    { "print $pc+1", "0x1001\n" },
    { "p 0x10 - 1", "0xf\n" },
    { "p (1+2)*3", "0x9\n" },
    { "p 1 + 2 | 4 * 2", "0xb\n" },
    { "p 7 & 3 | 8 ^ 1", "0xa\n" },
    { "p 17 / 5 % 2", "0x1\n" },
    { "p ~0", "0xffffffffffffffff\n" },
    { "p/d - 2", "-2\n" },
    { "p/d 0x10", "16\n" },
    { "p/u -1", "18446744073709551615\n" },
    { "p/o 8", "010\n" },
    { "p/c 65", "'A'\n" },
    { "p 'A'", "'A'\n" },
    { "p/x 'A'", "0x41\n" },
    { "p 1/0", "division by zero\nTry \"help p\" for more information\n" },
    { "p 1%0", "division by zero\nTry \"help p\" for more information\n" },
    { "p (1", "')' expected\nTry \"help p\" for more information\n" },
    { "p !1", "invalid char '!' in expression\nTry \"help p\" for more information\n" },
    { "p 99999999999999999999", "number too large\nTry \"help p\" for more information\n" },
    { "p 'A", "missing terminating ' character\nTry \"help p\" for more information\n" },
    { "print", "unexpected end of expression\nTry \"help print\" for more information\n" },
    { "mce 0 1 0xbe00000000000135 5 0x1000 0x8c", "" },
    { "mce 2 1 0xbe00000000000135 5 0x1000 0x8c", "invalid CPU index\n" },
    { "mce 0 4 0xbe00000000000135 5 0x1000 0x8c", "Invalid bank number\n" },
    { "mce 0 1 0xbe00000000000135 5 0x1000",
      "unexpected end of expression\nTry \"help mce\" for more information\n" },
    { "mce 0 1 2 3 4 5 6",
      "mce: extraneous argument '6'\nTry \"help mce\" for more information\n" },
    { "mce 0 z 2 3 4 5",
      "invalid char 'z' in expression\nTry \"help mce\" for more information\n" },
    { "watchdog_action inject-nmi", "" },
    { "watchdog_action x", "Error: invalid parameter value: x\n" },
    { "set_action reboot=shutdown,panic=none", "" },
    { "set_action reboot=x", "Error: reboot: 'x' is not reset or shutdown\n" },
    { "one-insn-per-tb x", "unexpected option x\n" },
    { "gdbserver", "Could not open gdbserver on device 'tcp::1234': there is none\n" },
    { "trace-event x on", "unknown event \"x\"\n" },
    { "trace-event x* on", "" },
    { "trace-event pic_interrupt on", "" },
    { "trace-event pic_interrupt off", "" },
    { "trace-event pic_interrupt", "trace-event: on or off expected\n"
                                   "Try \"help trace-event\" for more information\n" },
    { "wavcapture a b", "Audiodev 'b' not found\n" },
    { "wavcapture a", "wavcapture: string expected\n"
                      "Try \"help wavcapture\" for more information\n" },
};

static void test_commands(void **state)
{
    Bench b;
    bool quit = false;

    bench_init(&b);
    run_control_process(b.rc, &quit);
    for (int i = 0; i < 0x20; i++)
        b.ram->host[0x100 + i] = i;
    memset(b.ram->host + 0x200, 0xff, 4);
    memcpy(b.ram->host + 0x300, "H'\n", 4);
    for (size_t i = 0; i < G_N_ELEMENTS(command_rows); i++) {
        g_autoptr(GString) out = g_string_new("");

        monitor_execute(b.mon, command_rows[i].line, out);
        if (strcmp(out->str, command_rows[i].text))
            fail_msg("'%s' printed '%s'", command_rows[i].line, out->str);
    }
    assert_int_equal(b.m.actions.watchdog, WATCHDOG_INJECT_NMI);
    assert_int_equal(b.m.actions.panic, PANIC_NONE);
    assert_true(b.m.actions.no_reboot);
    assert_false(b.m.actions.no_shutdown);
    bench_free(&b);
}

static const struct {
    const char *line, *text, *hands;
} hands_rows[] = {
    { "sendkey a", "", "+1e-1e" },
    { "sendkey ctrl-alt-delete", "", "+1d+38+d3-d3-38-1d" },
    { "sendkey ret 100", "", "+1c-1c" },
    { "sendkey ret 1000", "", "+1c" },
    { "sendkey", "sendkey: string expected\nTry \"help sendkey\" for more information\n", "" },
    { "sendkey foo", "Error: invalid parameter: foo\n", "" },
    { "sendkey a b", "Error: how long is in milliseconds\n", "" },
    { "mouse_move 10 -5", "", "10,-5,0,0" },
    { "mouse_move 100000 0 1", "", "32767,0,1,0" },
    { "mouse_move 1", "Error: usage: mouse_move dx dy [dz]\n", "" },
    { "mouse_move 1 2 3 4", "Error: usage: mouse_move dx dy [dz]\n", "" },
    { "mouse_button 4", "", "0,0,0,4" },
    { "mouse_button 8", "Error: which buttons? The sum of 1 left, 2 middle, 4 right\n", "" },
    { "mouse_set 0", "", "" },
    { "mouse_set 1", "Mouse at index '1' not found\n", "" },
    { "info vnc", "None\n", "" },
    { "info mice", "* Mouse #0: a mouse\n", "" },
};

static void test_hands(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(hands_rows); i++) {
        g_autoptr(GString) out = g_string_new("");
        Bench b;

        bench_init(&b);
        monitor_execute(b.mon, hands_rows[i].line, out);
        clock_manual_advance(b.m.clock, NS_PER_SEC / 10);
        assert_string_equal(out->str, hands_rows[i].text);
        assert_string_equal(b.hands->str, hands_rows[i].hands);
        bench_free(&b);
    }
}

/* ---- Replays: what the commands ask for ------------------------------------------------------ */

static char *asked; /* for last */

G_GNUC_PRINTF(1, 2) static void ask(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_free(asked);
    asked = g_strdup_vprintf(format, ap);
    va_end(ap);
}

static bool travel_is_possible(void *opaque)
{
    return true;
}

static void travel_where(void *opaque, uint64_t *count, uint64_t *step)
{
    *count = 100;
    *step = 105;
}

static void travel_print(void *opaque, GString *out)
{
    g_string_append(out, "here\n");
}

static void travel_to_count(void *opaque, uint64_t count)
{
    ask("count %" G_GUINT64_FORMAT, count);
}

static void travel_to_step(void *opaque, uint64_t step)
{
    ask("step %" G_GUINT64_FORMAT, step);
}

static void travel_to_access(void *opaque, uint64_t addr, uint32_t len, bool write)
{
    ask("%s 0x%" G_GINT64_MODIFIER "x %u", write ? "write" : "exec", addr, len);
}

static void travel_set_break(void *opaque, uint64_t count)
{
    ask("break %" G_GUINT64_FORMAT, count);
}

static bool travel_go_live(void *opaque, const char *images, GError **error)
{
    ask("live");
    return true;
}

static const char *travel_mode(void *opaque, const char **file)
{
    *file = "r.mrec";
    return "play";
}

static const struct {
    const char *line, *text, *asked;
} travel_rows[] = {
    { "when", "100\n", NULL },
    { "info replay", "Replaying execution 'r.mrec': instruction count = 100\nhere\n", NULL },
    { "goto 123", "", "count 123" },
    { "goto 0x10", "", "count 16" },
    { "goto 3e9", "", "count 3000000000" },
    { "goto 1.5e3", "", "count 1500" },
    { "goto begin", "", "count 0" },
    { "goto end", "", "count 9223372036854775807" },
    { "goto", "goto: string expected\nTry \"help goto\" for more information\n", NULL },
    { "replay_seek 7", "", "count 7" },
    { "restart 1", "there is no checkpoint 1\n", NULL },
    { "checkpoint", "checkpoint 1 at 100\n", NULL },
    { "restart 1", "", "step 105" },
    { "restart 2", "there is no checkpoint 2\n", NULL },
    { "restart 0", "there is no checkpoint 0\n", NULL },
    { "last-write 0xffffffff81000000", "", "write 0xffffffff81000000 8" },
    { "last-write 0x1000 1", "", "write 0x1000 1" },
    { "last-write 0x1000,4", "", "write 0x1000 4" },
    { "last-write 0x1000 0", "a length is from 1 to 4096\n", NULL },
    { "last-write 0xffffffffffffffff 2", "a length is from 1 to 4096\n", NULL },
    { "last-exec $pc+1", "", "exec 0x1001 1" },
    { "replay_break 50", "", "break 50" },
    { "replay_delete_break", "", "break 18446744073709551615" },
    { "go-live", "the recording is left: what happens from here on is new\n", "live" },
};

static void test_travel(void **state)
{
    Bench b;

    bench_init(&b);
    monitor_set_travel(b.mon, &(MonitorTravel){ travel_is_possible, travel_where, travel_print,
                                                travel_to_count, travel_to_step, travel_to_access,
                                                travel_set_break, travel_go_live, travel_mode });
    for (size_t i = 0; i < G_N_ELEMENTS(travel_rows); i++) {
        g_autoptr(GString) out = g_string_new("");

        g_clear_pointer(&asked, g_free);
        monitor_execute(b.mon, travel_rows[i].line, out);
        if (strcmp(out->str, travel_rows[i].text))
            fail_msg("'%s' printed '%s'", travel_rows[i].line, out->str);
        if (g_strcmp0(asked, travel_rows[i].asked))
            fail_msg("'%s' asked for '%s'", travel_rows[i].line, asked);
    }
    g_clear_pointer(&asked, g_free);
    bench_free(&b);
}

static void test_mce_arguments(void **state)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Bench b;

    bench_init(&b);
    monitor_execute(b.mon, "mce -b 1 2 0x8000000000000003 4 0x5000 6", out);
    assert_string_equal(out->str, "");
    assert_int_equal(b.checked.cpu, 1);
    assert_int_equal(b.checked.bank, 2);
    assert_int_equal(b.checked.status, 0x8000000000000003);
    assert_int_equal(b.checked.mcg_status, 4);
    assert_int_equal(b.checked.addr, 0x5000);
    assert_int_equal(b.checked.misc, 6);
    assert_true(b.checked.broadcast);
    bench_free(&b);
}

static void test_life_commands(void **state)
{
    Bench b;
    bool quit = false;
    g_autoptr(GString) out = g_string_new("");

    bench_init(&b);
    run_control_process(b.rc, &quit);
    monitor_execute(b.mon, "stop", out);
    assert_false(run_control_process(b.rc, &quit));
    monitor_execute(b.mon, "info status", out);
    assert_string_equal(out->str, "VM status: paused\n");
    monitor_execute(b.mon, "c", out);
    assert_true(run_control_process(b.rc, &quit));
    monitor_execute(b.mon, "system_reset", out);
    monitor_execute(b.mon, "system_powerdown", out);
    run_control_process(b.rc, &quit);
    assert_int_equal(b.resets, 1);
    assert_int_equal(b.powerdowns, 1);
    b.m.actions.no_shutdown = true;
    machine_request(&b.m, REQUEST_SHUTDOWN);
    run_control_process(b.rc, &quit);
    g_string_truncate(out, 0);
    monitor_execute(b.mon, "cont", out);
    assert_string_equal(out->str, "Error: the guest has ended: system_reset is needed first\n");
    monitor_execute(b.mon, "q", out);
    run_control_process(b.rc, &quit);
    assert_true(quit);
    bench_free(&b);
}

#ifdef HAVE_CAPSTONE
static void test_disassembly(void **state)
{
    Bench b;
    g_autoptr(GString) out = g_string_new("");

    bench_init(&b);
    memcpy(b.ram->host + 0x10, "\x48\x89\xd8\x90\x06", 5);
    monitor_execute(b.mon, "x/3i 0x10010", out);
    assert_string_equal(out->str, "0x00010010:  48 89 d8                 movq     %rbx, %rax\n"
                                  "0x00010013:  90                       nop      \n"
                                  "0x00010014:  06                       (bad)\n");
    bench_free(&b);
}
#endif

#define GREETING "Mimus " MIMUS_VERSION " monitor - type 'help' for more information\r\n(qemu) "

/* Keys, and what the terminal shows after the greeting. */
static const struct {
    const char *keys, *shown;
} key_rows[] = {
    { "cpu 1\r", "cpu 1\r\n(qemu) " },
    { "xy\x7f\x7f"
      "cpu 1\r",
      "xy\b \b\b \bcpu 1\r\n(qemu) " },
    { "ab\x15\r", "ab\b \b\b \b\r\n(qemu) " },
    { "cpu 1\r\x1b[A", "cpu 1\r\n(qemu) cpu 1" },
    { "cpu 1\r\x1b[A\x1b[B", "cpu 1\r\n(qemu) cpu 1\b \b\b \b\b \b\b \b\b \b" },
    { "\x1b[Aa\x1b[15~b", "ab" },
    { "bal\t", "bal\b \b\b \b\b \bballoon " },
    { "x\t", "x\r\nx  xp\r\n(qemu) x" },
    { "a b\x17", "a b\b \b" },
    { "p 1\n", "p 1\r\n0x1\r\n(qemu) " },
    { "\x7f\x02", "" },
};

static void test_keys(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(key_rows); i++) {
        Bench b;

        bench_init(&b);
        assert_memory_equal(b.out->data, GREETING, strlen(GREETING));
        g_byte_array_set_size(b.out, 0);
        for (const char *key = key_rows[i].keys; *key; key++)
            chardev_memory_input(b.chr, key, 1);
        g_byte_array_append(b.out, (const uint8_t *)"", 1);
        assert_string_equal(b.out->data, key_rows[i].shown);
        bench_free(&b);
    }
}

/* Lines that nobody means: no crash, and it answers afterwards. None of them names a file. */
static void test_mutations(void **state)
{
    /* clang-format off */
    static const char *const lines[] = {
        "x /4xb 0x10000", "xp /2i 0", "x /s $pc", "print /x $pc + 3 - 1", "info status",
        "info registers -a", "info mtree -f", "info qtree", "info block", "i /b 0x80", "o /w 0x80 1",
        "sum 0 16", "sendkey ctrl-alt-f1 100", "mouse_move 1 -2 3", "mouse_button 7", "mouse_set 1",
        "cpu 1", "mce 0 4 1 2 3 4", "stop", "cont", "system_reset", "help x", "info history",
        "eject -f cd0", "info chardev", "hostfwd_add tcp::1-:2", "when", "replay_break 5", "delvm a",
    };
    /* clang-format on */
    static const char letters[] = "0123456789abcdefx/$-+ ,:=%n\t\x01\xff*()'\"";
    g_autoptr(GRand) rand = fuzz_rand(1);
    const unsigned rounds = fuzz_rounds(5000);
    g_autoptr(GString) out = g_string_new("");
    Bench b;

    bench_init(&b);
    for (unsigned n = 0; n < rounds; n++) {
        g_autoptr(GString) line =
            g_string_new(lines[g_rand_int_range(rand, 0, G_N_ELEMENTS(lines))]);

        fuzz_mutate(rand, line, letters, sizeof(letters) - 1);
        if (n % 4)
            monitor_execute(b.mon, line->str, out);
        else
            for (const char *key = line->str; *key; key++) /* by the line editor */
                chardev_memory_input(b.chr, key, 1);
        if (n % 64 == 0)
            chardev_memory_input(b.chr, "\r", 1);
        g_byte_array_set_size(b.out, 0);
        g_string_truncate(b.hands, 0);
        g_string_truncate(out, 0);
    }
    monitor_execute(b.mon, "info status", out);
    assert_true(out->len);
    bench_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),      cmocka_unit_test(test_exit_status),
        cmocka_unit_test(test_commands),      cmocka_unit_test(test_life_commands),
        cmocka_unit_test(test_keys),          cmocka_unit_test(test_travel),
        cmocka_unit_test(test_mce_arguments), cmocka_unit_test(test_hands),
        cmocka_unit_test(test_mutations),
#ifdef HAVE_CAPSTONE
        cmocka_unit_test(test_disassembly),
#endif
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
