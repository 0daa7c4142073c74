/* SPDX-License-Identifier: MIT */
/* The gdb stub's packets against a target of two CPUs, a few registers and a page of memory. */
#include "softmmu/program/gdb/stub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

enum { CPUS = 2, REGS = 4, MEMORY = 4096, BASE = 0x1000, POINTS = 8 };

static const unsigned sizes[REGS] = { 8, 4, 10, 16 }; /* register 0 is the pc, 1 is read-only */

typedef struct Bench {
    unsigned absent; /* CPUs, a bit each */
    uint8_t regs[CPUS][REGS][16];
    uint8_t memory[MEMORY];
    bool running, killed, detached, lost;
    GdbRun run[CPUS];
    unsigned rules, attached, points;
    GString *last_line;
    GByteArray *out;
    Chardev *chr;
    GdbStub *stub;
} Bench;

static const char xml[] = "<target>a#b$c}d*e</target>";

static const char *features(void *opaque, const char *annex)
{
    return strcmp(annex, "target.xml") ? NULL : xml;
}

static unsigned reg_size(void *opaque, unsigned reg)
{
    assert_true(reg < REGS);
    return sizes[reg];
}

static void read_reg(void *opaque, unsigned cpu, unsigned reg, uint8_t *buf)
{
    assert_true(cpu < CPUS && reg < REGS);
    memcpy(buf, ((Bench *)opaque)->regs[cpu][reg], sizes[reg]);
}

static bool write_reg(void *opaque, unsigned cpu, unsigned reg, const uint8_t *buf)
{
    assert_true(cpu < CPUS && reg < REGS);
    if (reg == 1)
        return false;
    memcpy(((Bench *)opaque)->regs[cpu][reg], buf, sizes[reg]);
    return true;
}

static bool is_there(bool physical, uint64_t *addr, size_t len)
{
    *addr -= physical ? 0 : BASE;
    return *addr <= MEMORY && len <= MEMORY - *addr;
}

static bool read_memory(void *opaque, unsigned cpu, bool physical, uint64_t addr, uint8_t *buf,
                        size_t len)
{
    assert_true(cpu < CPUS);
    if (!is_there(physical, &addr, len))
        return false;
    memcpy(buf, ((Bench *)opaque)->memory + addr, len);
    return true;
}

static bool write_memory(void *opaque, unsigned cpu, bool physical, uint64_t addr,
                         const uint8_t *buf, size_t len)
{
    assert_true(cpu < CPUS);
    if (!is_there(physical, &addr, len))
        return false;
    memcpy(((Bench *)opaque)->memory + addr, buf, len);
    return true;
}

static bool insert(void *opaque, GdbPoint type, uint64_t addr, uint64_t len)
{
    assert_true(type < GDB_POINTS);
    return ((Bench *)opaque)->points < POINTS && ++((Bench *)opaque)->points;
}

static bool remove_point(void *opaque, GdbPoint type, uint64_t addr, uint64_t len)
{
    assert_true(type < GDB_POINTS);
    return ((Bench *)opaque)->points && ((Bench *)opaque)->points--;
}

static bool is_plugged_in(void *opaque, unsigned cpu)
{
    return !(((Bench *)opaque)->absent >> cpu & 1);
}

static bool is_halted(void *opaque, unsigned cpu)
{
    assert_true(cpu < CPUS);
    return cpu == 1;
}

static bool is_running(void *opaque)
{
    return ((Bench *)opaque)->running;
}

static bool resume(void *opaque, const GdbRun *run, unsigned rules)
{
    Bench *b = opaque;

    memcpy(b->run, run, sizeof(b->run));
    b->rules = rules;
    return b->running = !b->killed;
}

static void stop(void *opaque)
{
    Bench *b = opaque;
    GdbStop s = { .signal = GDB_SIGINT, .cpu = 1 };

    if (!b->running)
        return;
    b->running = false;
    gdb_stub_stopped(b->stub, &s);
}

static void attach(void *opaque)
{
    ((Bench *)opaque)->attached++;
}

static void detach(void *opaque)
{
    ((Bench *)opaque)->detached = true;
}

static void lost(void *opaque)
{
    ((Bench *)opaque)->lost = true;
}

static void kill_target(void *opaque)
{
    ((Bench *)opaque)->killed = true;
}

static void monitor(void *opaque, const char *line, GString *out)
{
    g_string_assign(((Bench *)opaque)->last_line, line);
    g_string_append_printf(out, "did %.20s\n", line);
}

static int setup(void **state)
{
    Bench *b = g_new0(Bench, 1);
    GdbTarget target = {
        .opaque = b,
        .ncpus = CPUS,
        .nregs = REGS,
        .features = features,
        .reg_size = reg_size,
        .read_reg = read_reg,
        .write_reg = write_reg,
        .read_memory = read_memory,
        .write_memory = write_memory,
        .insert = insert,
        .remove = remove_point,
        .is_there = is_plugged_in,
        .is_halted = is_halted,
        .is_running = is_running,
        .resume = resume,
        .stop = stop,
        .attach = attach,
        .detach = detach,
        .lost = lost,
        .kill = kill_target,
        .monitor = monitor,
    };

    b->out = g_byte_array_new();
    b->last_line = g_string_new("");
    b->chr = chardev_new_memory(b->out);
    b->stub = gdb_stub_new(&target, b->chr);
    for (unsigned i = 0; i < MEMORY; i++)
        b->memory[i] = i;
    for (unsigned i = 0; i < sizeof(b->regs); i++)
        ((uint8_t *)b->regs)[i] = i;
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    Bench *b = *state;

    gdb_stub_free(b->stub);
    chardev_free(b->chr);
    g_byte_array_unref(b->out);
    g_string_free(b->last_line, TRUE);
    g_free(b);
    return 0;
}

static void feed(Bench *b, const void *data, size_t len)
{
    chardev_memory_input(b->chr, data, len);
}

static void feed_packet(Bench *b, const char *body, size_t len)
{
    g_autoptr(GByteArray) raw = g_byte_array_new();
    char end[4];
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (uint8_t)body[i];
    g_snprintf(end, sizeof(end), "#%02x", sum);
    g_byte_array_append(raw, (const uint8_t *)"$", 1);
    g_byte_array_append(raw, (const uint8_t *)body, len);
    g_byte_array_append(raw, (const uint8_t *)end, 3);
    feed(b, raw->data, raw->len);
}

/* Everything that was sent, which is forgotten. */
static const char *sent(Bench *b)
{
    static char text[65536];
    size_t len = MIN(b->out->len, sizeof(text) - 1);

    memcpy(text, b->out->data, len);
    text[len] = 0;
    g_byte_array_set_size(b->out, 0);
    return text;
}

/* The bodies of what was sent, joined by '|'; acknowledgements are left out, checksums checked. */
static char *bodies(Bench *b)
{
    GString *all = g_string_new("");
    const char *p = sent(b);

    while (*p) {
        uint8_t sum = 0;

        if (*p == '+') {
            p++;
            continue;
        }
        assert_int_equal(*p++, '$');
        if (all->len)
            g_string_append_c(all, '|');
        for (; *p != '#'; p++) {
            assert_true(*p);
            sum += (uint8_t)*p;
            g_string_append_c(all, *p);
        }
        assert_int_equal(strtoul((char[]){ p[1], p[2], 0 }, NULL, 16), sum);
        p += 3;
    }
    return g_string_free(all, FALSE);
}

/* clang-format off */
static const struct {
    const char *packet, *answer;
} rows[] = {
    { "?", "T05thread:01;" },
    { "qC", "QC01" }, { "qAttached", "1" }, { "qAttached:1", "1" }, { "qOffsets", "" }, { "qTStatus", "" },
    { "vMustReplyEmpty", "" }, { "", "" }, { "bs", "E22" }, { "bc", "E22" }, { "bcx", "" }, { "!", "" }, { "\xff", "" },
    { "qSupported:multiprocess+;swbreak+;hwbreak+",
      "PacketSize=4000;qXfer:features:read+;vContSupported+;QStartNoAckMode+;swbreak+;hwbreak+" },
    /* registers */
    { "g", "0001020304050607" "10111213" "20212223242526272829" "303132333435363738393a3b3c3d3e3f" },
    { "p0", "0001020304050607" }, { "p3", "303132333435363738393a3b3c3d3e3f" }, { "p4", "E22" }, { "p", "E22" },
    { "pfffffffff", "E22" }, { "p11111111111111111", "E22" }, { "p-1", "E22" },
    { "P0=8877665544332211", "OK" }, { "p0", "8877665544332211" }, { "P0=88", "E22" }, { "P0=887766554433221100", "E22" },
    { "P1=00000000", "E22" }, { "P0", "E22" }, { "P9=00", "E22" }, { "P0=88776655443322zz", "E22" },
    { "G0001020304050607" "10111213", "OK" }, { "p0", "0001020304050607" },
    { "G0001020304050607" "00000000", "E22" }, { "G00", "E22" }, { "G", "OK" },
    { "G0001020304050607" "10111213" "20212223242526272829" "303132333435363738393a3b3c3d3e3f" "00", "E22" },
    { "Hg2", "OK" }, { "p0", "4041424344454647" }, { "qC", "QC02" }, { "Hg1", "OK" }, { "Hg0", "OK" }, { "Hg-1", "OK" },
    { "Hg3", "E22" }, { "Hgp1.2", "OK" }, { "Hgp2.1", "E22" }, { "Hg", "E22" }, { "Hx1", "E22" }, { "Hc-1", "OK" }, { "Hg1", "OK" },
    /* memory */
    { "m1000,4", "00010203" }, { "m1000,0", "" }, { "m1ffe,2", "feff" }, { "m0,4", "E14" }, { "mffffffffffffffff,4", "E14" },
    { "m1000", "E22" }, { "m1000,", "E22" }, { "m,4", "E22" }, { "m1000,4x", "E22" }, { "m10000000000001000,4", "E22" },
    { "M1001,2:aabb", "OK" }, { "m1000,4", "00aabb03" }, { "M1001,2:aab", "E22" }, { "M1001,3:aabb", "E22" }, { "M1001,2:aabbcc", "E22" },
    { "M1001,2:aabg", "E22" }, { "M0,1:aa", "E14" }, { "M1000,0:", "OK" }, { "M1001,ffffffffffffffff:aabb", "E22" }, { "M1001,2", "E22" },
    { "X1001,2:xy", "OK" }, { "m1000,4", "00787903" }, { "X1001,0:", "OK" }, { "X1001,1:", "E22" }, { "X1001,1:ab", "E22" }, { "X0,1:a", "E14" },
    { "X1001,2:\x01\x02", "OK" },
    { "Qqemu.PhyMemMode:1", "OK" }, { "qqemu.PhyMemMode", "1" }, { "m0,4", "00010203" }, { "m1000,4", "E14" },
    { "Qqemu.PhyMemMode:2", "E22" }, { "Qqemu.PhyMemMode:", "E22" }, { "Qqemu.PhyMemMode:0", "OK" }, { "qqemu.PhyMemMode", "0" },
    /* points */
    { "Z0,1000,1", "OK" }, { "Z1,1000,1", "OK" }, { "Z2,1000,8", "OK" }, { "z2,1000,8", "OK" }, { "z1,1000,1", "OK" }, { "z0,1000,1", "OK" },
    { "z0,1000,1", "E22" }, { "Z5,1000,1", "" }, { "Z2,1000,0", "E22" }, { "Z", "E22" }, { "Z0", "E22" }, { "Z0,1", "E22" },
    { "Z0,1000,1;X1,0", "E22" },
    /* threads */
    { "qfThreadInfo", "m01,02" }, { "qsThreadInfo", "l" }, { "T1", "OK" }, { "T2", "OK" }, { "T3", "E22" }, { "T0", "E22" }, { "T", "E22" },
    { "qThreadExtraInfo,1", "4350552330205b72756e6e696e675d" }, { "qThreadExtraInfo,2", "4350552331205b68616c7465645d" },
    { "qThreadExtraInfo,9", "E22" },
    /* description: a part of it, escaped; its end */
    { "qXfer:features:read:target.xml:8,4", "ma}\003b}\004" }, { "qXfer:features:read:target.xml:c,fff", "lc}]d}\012e</target>" },
    { "qXfer:features:read:target.xml:ffffffffffffffff,ffffffffffffffff", "l" }, { "qXfer:features:read:x:0,4", "E00" },
    { "qXfer:features:read:", "E22" }, { "qXfer:features:read:target.xml", "E22" }, { "qXfer:features:read:target.xml:0", "E22" },
    { "qXfer:memory-map:read::0,4", "" },
    /* steps */
    { "qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4" }, { "Qqemu.sstepbits", "ENABLE=1,NOIRQ=2,NOTIMER=4" }, { "qqemu.sstep", "0x7" },
    { "Qqemu.sstep=0x5", "OK" }, { "qqemu.sstep", "0x5" }, { "Qqemu.sstep=7", "OK" }, { "Qqemu.sstep=8", "E22" }, { "Qqemu.sstep=2", "E22" },
    { "vCont?", "vCont;c;C;s;S;t" }, { "vCont", "E22" }, { "vCont;x", "E22" }, { "vCont;c:9", "E22" }, { "vCont;C", "E22" }, { "vContc", "E22" },
    { "vCont;t", "T05thread:01;" }, { "czz", "E22" }, { "C", "E22" },
    /* monitor */
    { "qRcmd,6869", "O646964206869" "0a|OK" }, { "qRcmd,6", "E22" }, { "qRcmd,zz", "E22" }, { "qRcmd,", "O646964200a|OK" },
};
/* clang-format on */

static void expect(Bench *b, const char *packet, const char *wanted)
{
    g_autofree char *answer = NULL;

    feed_packet(b, packet, strlen(packet));
    answer = bodies(b);
    if (strcmp(answer, wanted))
        fail_msg("%s: %s, not %s", packet, answer, wanted);
}

static void test_rows(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        expect(*state, rows[i].packet, rows[i].answer);
}

static void test_plugging(void **state)
{
    Bench *b = *state;

    b->absent = 1 << 1;
    expect(b, "qfThreadInfo", "m01");
    expect(b, "T2", "E22");
    b->absent = 0;
    expect(b, "qfThreadInfo", "m01,02");
    expect(b, "T2", "OK");
}

static void test_framing(void **state)
{
    static const struct {
        const char *in, *out;
    } framing[] = {
        { "$qC#b4", "+$QC01#f5" },
        { "-", "$QC01#f5" },
        { "+", "" },
        { "garbage", "" },
        { "$qC#b5", "-" },
        { "$qC#zz", "-" },
        { "$qC#", "" },
        { "b4", "+$QC01#f5" },
        { "$lost$qC#b4", "+$QC01#f5" },
        { "\003", "" },
        { "$q}\x63#51", "+$QC01#f5" },
        { "$QStartNoAckMode#b0", "+$OK#9a" },
        { "$qC#b4", "$QC01#f5" },
        { "$qC#b5", "" },
        { "-", "" },
    };
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(framing); i++) {
        feed(b, framing[i].in, strlen(framing[i].in));
        if (strcmp(sent(b), framing[i].out))
            fail_msg("row %zu: %s", i, framing[i].in);
    }
}

static void test_overlong(void **state)
{
    Bench *b = *state;
    g_autofree char *body = g_strnfill(GDB_PACKET_MAX + 1, 'x');

    feed_packet(b, body, GDB_PACKET_MAX + 1);
    assert_string_equal(sent(b), "-");
    feed_packet(b, body, GDB_PACKET_MAX);
    assert_string_equal(sent(b), "+$#00");
}

static void test_running(void **state)
{
    static const struct {
        const char *packet;
        GdbRun run[CPUS];
    } runs[] = {
        { "vCont;c", { GDB_GO, GDB_GO } },       { "vCont;s:1", { GDB_STEP, GDB_HOLD } },
        { "vCont;s:2;c", { GDB_GO, GDB_STEP } }, { "vCont;S05:p1.1;t:2", { GDB_STEP, GDB_HOLD } },
        { "vCont;C02:-1", { GDB_GO, GDB_GO } },  { "c", { GDB_GO, GDB_GO } },
        { "C05", { GDB_GO, GDB_GO } },           { "c1234", { GDB_GO, GDB_GO } },
        { "C05;1234", { GDB_GO, GDB_GO } },
    };
    Bench *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(runs); i++) {
        feed_packet(b, runs[i].packet, strlen(runs[i].packet));
        assert_string_equal(sent(b), "+");
        assert_memory_equal(b->run, runs[i].run, sizeof(b->run));
        assert_int_equal(b->rules, 7);
        feed(b, "\003", 1);
        assert_string_equal(sent(b), "$T02thread:02;#05");
        feed_packet(b, "Hg1", 3);
        sent(b);
    }
    assert_memory_equal(b->regs[0][0], "\x34\x12\0\0\0\0\0\0", 8);
    feed_packet(b, "Hc2", 3);
    feed_packet(b, "s", 1);
    assert_int_equal(b->run[0], GDB_HOLD);
    assert_int_equal(b->run[1], GDB_STEP);
}

static void test_stops(void **state)
{
    static const struct {
        GdbStop stop;
        const char *answer;
    } stops[] = {
        { { .signal = 5, .cpu = 1 }, "T05thread:02;" },
        { { 5, 0, true, GDB_SOFT_BREAK, 0 }, "T05thread:01;swbreak:;" },
        { { 5, 0, true, GDB_HARD_BREAK, 0 }, "T05thread:01;hwbreak:;" },
        { { 5, 1, true, GDB_WATCH_WRITE, 0xffff800012345678 },
          "T05thread:02;watch:ffff800012345678;" },
        { { 5, 0, true, GDB_WATCH_READ, 1 }, "T05thread:01;rwatch:1;" },
        { { 5, 0, true, GDB_WATCH_ACCESS, 1 }, "T05thread:01;awatch:1;" },
        { { 5, 0, .history = GDB_AT_BEGIN }, "T05thread:01;replaylog:begin;" },
        { { 5, 1, .history = GDB_AT_END }, "T05thread:02;replaylog:end;" },
    };
    Bench *b = *state;

    feed_packet(b, "qSupported:swbreak+;hwbreak+", 28);
    sent(b);
    gdb_stub_stopped(b->stub, &stops[0].stop); /* nobody waits for it */
    assert_string_equal(sent(b), "");
    for (size_t i = 0; i < G_N_ELEMENTS(stops); i++) {
        g_autofree char *news = NULL, *again = NULL;

        feed_packet(b, "c", 1);
        b->running = false;
        gdb_stub_stopped(b->stub, &stops[i].stop);
        news = bodies(b);
        assert_string_equal(news, stops[i].answer);
        feed_packet(b, "?", 1);
        again = bodies(b);
        assert_string_equal(again, stops[i].answer);
    }
    feed_packet(b, "c", 1);
    sent(b);
    gdb_stub_exited(b->stub, 3);
    assert_string_equal(sent(b), "$W03#ba");
}

static void test_ends(void **state)
{
    Bench *b = *state;

    assert_int_equal(b->attached, 1);
    feed_packet(b, "D", 1);
    assert_true(b->detached);
    assert_string_equal(sent(b), "+$OK#9a");
    feed_packet(b, "k", 1);
    assert_true(b->killed);
    feed_packet(b, "c", 1); /* the target refuses */
    assert_string_equal(sent(b), "++$E22#a9");
}

/* Rows and more, with bytes changed, cut and joined: whatever comes, the target is asked for what
 * it has. */
static void test_mutations(void **state)
{
    Bench *b = *state;
    g_autoptr(GRand) rand = fuzz_rand(20231111);
    const unsigned rounds = fuzz_rounds(200000);
    unsigned answers = 0;

    for (unsigned n = 0; n < rounds; n++) {
        g_autoptr(GString) body = g_string_new(NULL);

        do {
            g_string_append(body, rows[g_rand_int_range(rand, 0, G_N_ELEMENTS(rows))].packet);
        } while (g_rand_int_range(rand, 0, 8) == 0);
        for (int k = g_rand_int_range(rand, 0, 4); k > 0 && body->len; k--) {
            unsigned at = g_rand_int_range(rand, 0, body->len);

            switch (g_rand_int_range(rand, 0, 4)) {
            case 0: body->str[at] = g_rand_int(rand); break;
            case 1: g_string_truncate(body, at); break;
            case 2:
                g_string_insert_c(body, at,
                                  "0123456789abcdef,:;=-}#$"[g_rand_int_range(rand, 0, 24)]);
                break;
            case 3: g_string_erase(body, at, 1); break;
            }
        }
        b->killed = false;
        if (g_rand_int_range(rand, 0, 16))
            feed_packet(b, body->str, body->len);
        else
            feed(b, body->str, body->len);
        if (b->running && g_rand_int_range(rand, 0, 2))
            feed(b, "\003", 1);
        answers += b->out->len > 1;
        g_byte_array_set_size(b->out, 0);
    }
    assert_true(answers > rounds / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plugging, setup, teardown),
        cmocka_unit_test_setup_teardown(test_framing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_running, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
