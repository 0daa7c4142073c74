/* SPDX-License-Identifier: MIT */
/*
 * What the packets mean. One row per packet; one that is unknown gets an empty answer, one that
 * makes no sense E22, one that could not be done E14. Private packets are QEMU's, which debuggers'
 * scripts know: physical addresses and the rules of single steps.
 *
 * Missing: non-stop mode, the multiprocess extension, vRun and files.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "softmmu/program/gdb/stub-internal.h"

#define BAD_PACKET   "E22"
#define BAD_MEMORY   "E14"
#define MEMORY_CHUNK 4096

/* ---- Pieces of packets ----------------------------------------------------------------------- */

/* What is left of a packet. It ends with a 0, which is of no kind below. */
typedef struct Text {
    const char *at, *end;
} Text;

static bool take_char(Text *t, char c)
{
    if (t->at == t->end || *t->at != c)
        return false;
    t->at++;
    return true;
}

static bool take_word(Text *t, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len))
        return false;
    t->at += len;
    return true;
}

static bool take_number(Text *t, uint64_t *value)
{
    unsigned digits = 0;

    for (*value = 0; t->at < t->end && g_ascii_isxdigit(*t->at); t->at++) {
        *value = *value << 4 | g_ascii_xdigit_value(*t->at);
        if (++digits > 16)
            return false;
    }
    return digits;
}

/* "ADDR,LEN" */
static bool take_range(Text *t, uint64_t *addr, uint64_t *len)
{
    return take_number(t, addr) && take_char(t, ',') && take_number(t, len);
}

static bool at_end(const Text *t)
{
    return t->at == t->end;
}

/* @len bytes as hexadecimal digits. */
static bool take_bytes(Text *t, uint8_t *buf, size_t len)
{
    if ((size_t)(t->end - t->at) / 2 < len)
        return false;
    for (size_t i = 0; i < len; i++, t->at += 2) {
        int high = g_ascii_xdigit_value(t->at[0]), low = g_ascii_xdigit_value(t->at[1]);

        if (high < 0 || low < 0)
            return false;
        buf[i] = high << 4 | low;
    }
    return true;
}

static void put_bytes(GString *out, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++)
        g_string_append_printf(out, "%02x", buf[i]);
}

static void send_string(GdbStub *s, const GString *text)
{
    gdb_send(s, text->str, text->len);
}

static void send_result(GdbStub *s, bool done, const char *error)
{
    gdb_send_text(s, done ? "OK" : error);
}

/* A thread is a CPU's number plus 1, maybe as "pPROCESS.THREAD"; -1: all; 0: any. */
static bool take_thread(Text *t, const GdbStub *s, unsigned *cpu)
{
    uint64_t n;

    if (take_char(t, 'p')) {
        if (take_word(t, "-1"))
            return *cpu = ANY_CPU, true;
        if (!take_number(t, &n) || n > 1)
            return false;
        if (!take_char(t, '.'))
            return *cpu = ANY_CPU, true;
    }
    if (take_word(t, "-1"))
        return *cpu = ANY_CPU, true;
    if (!take_number(t, &n) || n > s->target.ncpus)
        return false;
    *cpu = n ? n - 1 : ANY_CPU;
    return true;
}

/* ---- Stops ----------------------------------------------------------------------------------- */

void gdb_send_stop(GdbStub *s)
{
    static const char *const watch[] = {
        [GDB_WATCH_WRITE] = "watch", [GDB_WATCH_READ] = "rwatch", [GDB_WATCH_ACCESS] = "awatch"
    };
    g_autoptr(GString) out = g_string_new(NULL);
    const GdbStop *stop = &s->stop;

    g_string_printf(out, "T%02xthread:%02x;", stop->signal, stop->cpu + 1);
    if (stop->history != GDB_WITHIN)
        g_string_append_printf(out, "replaylog:%s;", stop->history == GDB_AT_END ? "end" : "begin");
    else if (stop->at_point && stop->point >= GDB_WATCH_WRITE)
        g_string_append_printf(out, "%s:%" G_GINT64_MODIFIER "x;", watch[stop->point], stop->addr);
    else if (stop->at_point && s->tells_breaks)
        g_string_append(out, stop->point == GDB_SOFT_BREAK ? "swbreak:;" : "hwbreak:;");
    send_string(s, out);
}

/* While the machine runs at somebody else's will, being asked stops it. */
static void on_why(GdbStub *s, Text t)
{
    if (s->target.is_running(s->target.opaque)) {
        s->waits = true;
        s->target.stop(s->target.opaque);
    } else {
        gdb_send_stop(s);
    }
}

/* ---- Registers ------------------------------------------------------------------------------- */

static void read_all_registers(GdbStub *s, GString *out)
{
    uint8_t buf[GDB_REG_MAX];

    for (unsigned r = 0; r < s->target.nregs; r++) {
        s->target.read_reg(s->target.opaque, s->cpu_g, r, buf);
        put_bytes(out, buf, s->target.reg_size(s->target.opaque, r));
    }
}

static void on_read_registers(GdbStub *s, Text t)
{
    g_autoptr(GString) out = g_string_new(NULL);

    read_all_registers(s, out);
    send_string(s, out);
}

/* Only what differs is written: not every register may be. */
static bool write_registers(GdbStub *s, Text *t)
{
    uint8_t buf[GDB_REG_MAX], now[GDB_REG_MAX];
    bool done = true;

    for (unsigned r = 0; r < s->target.nregs && !at_end(t); r++) {
        unsigned size = s->target.reg_size(s->target.opaque, r);

        if (!take_bytes(t, buf, size))
            return false;
        s->target.read_reg(s->target.opaque, s->cpu_g, r, now);
        if (memcmp(buf, now, size))
            done &= s->target.write_reg(s->target.opaque, s->cpu_g, r, buf);
    }
    return done && at_end(t);
}

static void on_write_registers(GdbStub *s, Text t)
{
    send_result(s, write_registers(s, &t), BAD_PACKET);
}

static void on_read_register(GdbStub *s, Text t)
{
    g_autoptr(GString) out = g_string_new(NULL);
    uint8_t buf[GDB_REG_MAX];
    uint64_t r;

    if (!take_number(&t, &r) || r >= s->target.nregs) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    s->target.read_reg(s->target.opaque, s->cpu_g, r, buf);
    put_bytes(out, buf, s->target.reg_size(s->target.opaque, r));
    send_string(s, out);
}

static void on_write_register(GdbStub *s, Text t)
{
    uint8_t buf[GDB_REG_MAX];
    uint64_t r;
    bool good = take_number(&t, &r) && r < s->target.nregs && take_char(&t, '=') &&
                take_bytes(&t, buf, s->target.reg_size(s->target.opaque, r)) && at_end(&t);

    send_result(s, good && s->target.write_reg(s->target.opaque, s->cpu_g, r, buf), BAD_PACKET);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static bool read_memory(GdbStub *s, uint64_t addr, uint8_t *buf, size_t len)
{
    return s->target.read_memory(s->target.opaque, s->cpu_g, s->physical, addr, buf, len);
}

static void on_read_memory(GdbStub *s, Text t)
{
    g_autoptr(GString) out = g_string_new(NULL);
    uint8_t buf[MEMORY_CHUNK];
    uint64_t addr, len;

    if (!take_range(&t, &addr, &len) || !at_end(&t)) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    len = MIN(len, GDB_PACKET_MAX / 2);
    while (len) { /* up to where something cannot be read */
        size_t part = MIN(len, MEMORY_CHUNK - addr % MEMORY_CHUNK);

        if (!read_memory(s, addr, buf, part))
            break;
        put_bytes(out, buf, part);
        addr += part;
        len -= part;
    }
    if (len && !out->len)
        gdb_send_text(s, BAD_MEMORY);
    else
        send_string(s, out);
}

static void write_memory(GdbStub *s, uint64_t addr, const void *buf, size_t len)
{
    bool done =
        !len || s->target.write_memory(s->target.opaque, s->cpu_g, s->physical, addr, buf, len);

    send_result(s, done, BAD_MEMORY);
}

static void on_write_memory(GdbStub *s, Text t)
{
    g_autofree uint8_t *buf = NULL;
    uint64_t addr, len;

    if (!take_range(&t, &addr, &len) || !take_char(&t, ':') ||
        len != (uint64_t)(t.end - t.at + 1) / 2) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    buf = g_malloc(len + 1);
    if (take_bytes(&t, buf, len))
        write_memory(s, addr, buf, len);
    else
        gdb_send_text(s, BAD_PACKET);
}

static void on_write_binary(GdbStub *s, Text t)
{
    uint64_t addr, len;

    if (take_range(&t, &addr, &len) && take_char(&t, ':') && len == (uint64_t)(t.end - t.at))
        write_memory(s, addr, t.at, len);
    else
        gdb_send_text(s, BAD_PACKET);
}

/* ---- Break- and watchpoints ------------------------------------------------------------------ */

/* "TYPE,ADDR,KIND"; conditions and commands at the target are not offered. */
static void change_point(GdbStub *s, Text t,
                         bool (*change)(void *opaque, GdbPoint type, uint64_t addr, uint64_t len))
{
    uint64_t type, addr, len;

    if (!take_number(&t, &type) || !take_char(&t, ',') || !take_range(&t, &addr, &len) ||
        !at_end(&t) || (type >= GDB_WATCH_WRITE && !len))
        gdb_send_text(s, BAD_PACKET);
    else if (type >= GDB_POINTS)
        gdb_send_text(s, "");
    else
        send_result(s, change(s->target.opaque, type, addr, len), BAD_PACKET);
}

static void on_insert(GdbStub *s, Text t)
{
    change_point(s, t, s->target.insert);
}

static void on_remove(GdbStub *s, Text t)
{
    change_point(s, t, s->target.remove);
}

/* ---- Running --------------------------------------------------------------------------------- */

static void resume(GdbStub *s, const GdbRun *run)
{
    bool any = false;

    for (unsigned n = 0; n < s->target.ncpus; n++)
        any |= run[n] != GDB_HOLD;
    s->waits = true; /* the news may come at once */
    if (any && s->target.resume(s->target.opaque, run, s->step_rules))
        return;
    s->waits = false;
    if (any)
        gdb_send_text(s, BAD_PACKET);
    else
        gdb_send_stop(s);
}

/* Without a recording to go back in: an error, and nothing happens. */
static void reverse(GdbStub *s, bool step)
{
    unsigned cpu = s->cpu_c != ANY_CPU ? s->cpu_c : s->cpu_g;

    s->waits = true;
    if (s->target.reverse && s->target.reverse(s->target.opaque, cpu, step))
        return;
    s->waits = false;
    gdb_send_text(s, BAD_PACKET);
}

static void on_back_continue(GdbStub *s, Text t)
{
    reverse(s, false);
}

static void on_back_step(GdbStub *s, Text t)
{
    reverse(s, true);
}

/* "s", "c" and, with a signal, "S", "C": the latter means nothing to a machine. */
static void run_simply(GdbStub *s, Text t, GdbRun run, bool with_signal)
{
    g_autofree GdbRun *runs = g_new(GdbRun, s->target.ncpus);
    uint8_t pc[GDB_REG_MAX] = { 0 };
    unsigned cpu = s->cpu_c == ANY_CPU ? s->cpu_g : s->cpu_c;
    uint64_t n;
    bool good = true, moves;

    if (with_signal)
        good = take_number(&t, &n) && (at_end(&t) || take_char(&t, ';'));
    moves = good && !at_end(&t);
    if (moves) {
        uint64_t le;

        good = take_number(&t, &n) && at_end(&t);
        le = GUINT64_TO_LE(n);
        memcpy(pc, &le, 8);
        good = good && s->target.write_reg(s->target.opaque, cpu, s->target.pc_reg, pc);
    }
    if (!good) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    for (unsigned i = 0; i < s->target.ncpus; i++)
        runs[i] = i == cpu ? run : s->cpu_c == ANY_CPU ? GDB_GO : GDB_HOLD;
    resume(s, runs);
}

static void on_continue(GdbStub *s, Text t)
{
    run_simply(s, t, GDB_GO, false);
}

static void on_continue_signal(GdbStub *s, Text t)
{
    run_simply(s, t, GDB_GO, true);
}

static void on_step(GdbStub *s, Text t)
{
    run_simply(s, t, GDB_STEP, false);
}

static void on_step_signal(GdbStub *s, Text t)
{
    run_simply(s, t, GDB_STEP, true);
}

static bool take_action(Text *t, GdbRun *run)
{
    uint64_t signal;

    if (take_char(t, 'c'))
        return *run = GDB_GO, true;
    if (take_char(t, 's'))
        return *run = GDB_STEP, true;
    if (take_char(t, 't'))
        return *run = GDB_HOLD, true;
    if (take_char(t, 'C'))
        return *run = GDB_GO, take_number(t, &signal);
    if (take_char(t, 'S'))
        return *run = GDB_STEP, take_number(t, &signal);
    return false;
}

/* ";ACTION[:THREAD]"…: the first that names a CPU is its own; one that none names is held. */
static void on_vcont(GdbStub *s, Text t)
{
    g_autofree GdbRun *run = g_new(GdbRun, s->target.ncpus);
    g_autofree bool *named = g_new0(bool, s->target.ncpus);

    for (unsigned n = 0; n < s->target.ncpus; n++)
        run[n] = GDB_HOLD;
    do {
        unsigned cpu = ANY_CPU;
        GdbRun action;

        if (!take_char(&t, ';') || !take_action(&t, &action) ||
            (take_char(&t, ':') && !take_thread(&t, s, &cpu))) {
            gdb_send_text(s, BAD_PACKET);
            return;
        }
        for (unsigned n = 0; n < s->target.ncpus; n++) {
            if (!named[n] && (cpu == ANY_CPU || cpu == n)) {
                named[n] = true;
                run[n] = action;
            }
        }
    } while (!at_end(&t));
    resume(s, run);
}

static void on_vcont_query(GdbStub *s, Text t)
{
    gdb_send_text(s, "vCont;c;C;s;S;t");
}

static void on_detach(GdbStub *s, Text t)
{
    gdb_send_text(s, "OK");
    s->attached = false;
    s->target.detach(s->target.opaque);
}

static void on_kill(GdbStub *s, Text t)
{
    s->attached = false;
    s->target.kill(s->target.opaque);
}

static void on_vkill(GdbStub *s, Text t)
{
    gdb_send_text(s, "OK");
    on_kill(s, t);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void on_set_thread(GdbStub *s, Text t)
{
    bool g = take_char(&t, 'g'), c = !g && take_char(&t, 'c');
    unsigned cpu;

    if (!(g || c) || !take_thread(&t, s, &cpu) || !at_end(&t)) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    if (c)
        s->cpu_c = cpu;
    else if (cpu != ANY_CPU)
        s->cpu_g = cpu;
    gdb_send_text(s, "OK");
}

static bool is_there(GdbStub *s, unsigned cpu)
{
    return !s->target.is_there || s->target.is_there(s->target.opaque, cpu);
}

static void on_thread_alive(GdbStub *s, Text t)
{
    unsigned cpu;

    send_result(s, take_thread(&t, s, &cpu) && cpu != ANY_CPU && at_end(&t) && is_there(s, cpu),
                BAD_PACKET);
}

static void on_threads(GdbStub *s, Text t)
{
    g_autoptr(GString) out = g_string_new("m");

    for (unsigned n = 0; n < s->target.ncpus; n++)
        if (is_there(s, n)) /* the first one always is */
            g_string_append_printf(out, "%s%02x", n ? "," : "", n + 1);
    send_string(s, out);
}

static void on_more_threads(GdbStub *s, Text t)
{
    gdb_send_text(s, "l");
}

static void on_thread_info(GdbStub *s, Text t)
{
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *text = NULL;
    unsigned cpu;

    if (!take_thread(&t, s, &cpu) || cpu == ANY_CPU) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    text = g_strdup_printf("CPU#%u [%s]", cpu,
                           s->target.is_halted(s->target.opaque, cpu) ? "halted" : "running");
    put_bytes(out, (const uint8_t *)text, strlen(text));
    send_string(s, out);
}

static void on_current_thread(GdbStub *s, Text t)
{
    g_autofree char *text = g_strdup_printf("QC%02x", s->cpu_g + 1);

    gdb_send_text(s, text);
}

/* ---- Questions ------------------------------------------------------------------------------- */

static void on_supported(GdbStub *s, Text t)
{
    bool reverse = s->target.can_reverse && s->target.can_reverse(s->target.opaque);
    g_autofree char *out = g_strdup_printf(
        "PacketSize=%x;qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+%s",
        GDB_PACKET_MAX, reverse ? ";ReverseStep+;ReverseContinue+" : "");

    s->tells_breaks = strstr(t.at, "hwbreak+") && strstr(t.at, "swbreak+");
    gdb_send_text(s, out);
}

static void on_no_acks(GdbStub *s, Text t)
{
    gdb_send_text(s, "OK");
    s->acks = false;
}

/* "ANNEX:OFFSET,LENGTH" */
static void on_features(GdbStub *s, Text t)
{
    const char *colon = memchr(t.at, ':', t.end - t.at);
    g_autofree char *annex = g_strndup(t.at, colon ? colon - t.at : 0);
    const char *xml = s->target.features(s->target.opaque, annex);
    g_autoptr(GString) out = g_string_new(NULL);
    uint64_t offset, len, size;

    t.at = colon ? colon + 1 : t.end;
    if (!take_range(&t, &offset, &len) || !at_end(&t)) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    if (!xml) {
        gdb_send_text(s, "E00");
        return;
    }
    size = strlen(xml);
    offset = MIN(offset, size);
    len = MIN(MIN(len, size - offset), GDB_PACKET_MAX / 2);
    g_string_append_c(out, offset + len < size ? 'm' : 'l');
    g_string_append_len(out, xml + offset, len);
    send_string(s, out);
}

static void on_attached(GdbStub *s, Text t)
{
    gdb_send_text(s, "1");
}

static void on_version(GdbStub *s, Text t)
{
    gdb_send_text(s, "name:mimus;version:" MIMUS_VERSION ";");
}

static void on_nothing(GdbStub *s, Text t)
{
    gdb_send_text(s, "");
}

/* ---- Monitor commands ------------------------------------------------------------------------ */

void gdb_send_output(GdbStub *s, const GString *text)
{
    for (size_t at = 0; at < text->len; at += GDB_PACKET_MAX / 4) {
        g_autoptr(GString) out = g_string_new("O");

        put_bytes(out, (const uint8_t *)text->str + at, MIN(text->len - at, GDB_PACKET_MAX / 4));
        send_string(s, out);
    }
}

static void on_monitor(GdbStub *s, Text t)
{
    size_t len = (t.end - t.at) / 2;
    g_autofree char *line = g_malloc0(len + 1);
    g_autoptr(GString) out = g_string_new(NULL);

    if (!take_bytes(&t, (uint8_t *)line, len) || !at_end(&t)) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    s->target.monitor(s->target.opaque, line, out);
    gdb_send_output(s, out);
    s->monitor_waits = s->target.is_running(s->target.opaque);
    if (!s->monitor_waits)
        gdb_send_text(s, "OK");
}

/* ---- QEMU's own ------------------------------------------------------------------------------ */

static void on_step_bits(GdbStub *s, Text t)
{
    gdb_send_text(s, "ENABLE=1,NOIRQ=2,NOTIMER=4");
}

static void on_step_rules(GdbStub *s, Text t)
{
    g_autofree char *text = g_strdup_printf("0x%x", s->step_rules);

    gdb_send_text(s, text);
}

static void on_set_step_rules(GdbStub *s, Text t)
{
    uint64_t n;

    take_word(&t, "0x");
    if (!take_number(&t, &n) || !at_end(&t) || n > 7 || !(n & GDB_STEP_ENABLE)) {
        gdb_send_text(s, BAD_PACKET);
        return;
    }
    s->step_rules = n;
    gdb_send_text(s, "OK");
}

static void on_physical(GdbStub *s, Text t)
{
    gdb_send_text(s, s->physical ? "1" : "0");
}

static void on_set_physical(GdbStub *s, Text t)
{
    uint64_t n;
    bool good = take_number(&t, &n) && at_end(&t) && n <= 1;

    if (good)
        s->physical = n;
    send_result(s, good, BAD_PACKET);
}

/* ---- The table ------------------------------------------------------------------------------- */

typedef struct PacketRow {
    const char *name;
    bool whole; /* nothing follows the name */
    void (*act)(GdbStub *s, Text rest);
} PacketRow;

/* clang-format off */
static const PacketRow packet_rows[] = {
    { "?",                    true,  on_why },
    { "g",                    true,  on_read_registers },
    { "G",                    false, on_write_registers },
    { "p",                    false, on_read_register },
    { "P",                    false, on_write_register },
    { "m",                    false, on_read_memory },
    { "M",                    false, on_write_memory },
    { "X",                    false, on_write_binary },
    { "Z",                    false, on_insert },
    { "z",                    false, on_remove },
    { "c",                    false, on_continue },
    { "C",                    false, on_continue_signal },
    { "s",                    false, on_step },
    { "S",                    false, on_step_signal },
    { "bc",                   true,  on_back_continue },
    { "bs",                   true,  on_back_step },
    { "vCont?",               true,  on_vcont_query },
    { "vCont",                false, on_vcont },
    { "vKill;",               false, on_vkill },
    { "k",                    true,  on_kill },
    { "D",                    true,  on_detach },
    { "D;",                   false, on_detach },
    { "H",                    false, on_set_thread },
    { "T",                    false, on_thread_alive },
    { "qfThreadInfo",         true,  on_threads },
    { "qsThreadInfo",         true,  on_more_threads },
    { "qThreadExtraInfo,",    false, on_thread_info },
    { "qC",                   true,  on_current_thread },
    { "qSupported",           false, on_supported },
    { "QStartNoAckMode",      true,  on_no_acks },
    { "qXfer:features:read:", false, on_features },
    { "qAttached",            false, on_attached },
    { "qGDBServerVersion",    true,  on_version },
    { "qRcmd,",               false, on_monitor },
    { "qqemu.sstepbits",      true,  on_step_bits },
    { "qqemu.sstep",          true,  on_step_rules },
    { "Qqemu.sstepbits",      true,  on_step_bits },
    { "Qqemu.sstep=",         false, on_set_step_rules },
    { "Qqemu.sstep",          true,  on_step_rules },
    { "qqemu.PhyMemMode",     true,  on_physical },
    { "Qqemu.PhyMemMode:",    false, on_set_physical },
};
/* clang-format on */

void gdb_packet(GdbStub *s, const char *body, size_t len)
{
    for (size_t i = 0; i < G_N_ELEMENTS(packet_rows); i++) {
        const PacketRow *row = &packet_rows[i];
        Text rest = { body, body + len };

        if (take_word(&rest, row->name) && (!row->whole || at_end(&rest))) {
            row->act(s, rest);
            return;
        }
    }
    on_nothing(s, (Text){ body, body + len });
}
