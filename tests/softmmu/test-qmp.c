/* SPDX-License-Identifier: MIT */
/* QMP by what goes over the wire, on a machine without CPUs; hostile text. */
#include "softmmu/program/qmp/qmp.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/qmp/json.h"
#include "tests/fuzz/seeded.h"
#include "tests/softmmu/test.h"

typedef struct Bench {
    MachineConfig config;
    Machine m;
    RunControl *rc;
    Monitor *mon;
    Qmp *q;
    QmpShared *shared;
    Chardev *chr, *none;
    GByteArray *out;
    bool fails; /* what is asked of states */
    char *asked;
} Bench;

static const DeviceClass root_class = { .name = "root", .size = sizeof(Device) };

static unsigned cpu_count(void *opaque)
{
    return 1;
}

static bool ask(void *opaque, const char *what, GError **error)
{
    Bench *b = opaque;

    g_free(b->asked);
    b->asked = g_strdup(what);
    if (b->fails)
        error_set(error, "no");
    return !b->fails;
}

static void cancel(void *opaque)
{
    ask(opaque, "cancel", NULL);
}

static MonitorMigration migration(void *opaque)
{
    return (MonitorMigration){ "completed", NULL, 10, 20, 30 };
}

static void on_event(void *opaque, const char *event, const char *data)
{
    qmp_event(((Bench *)opaque)->q, event, data);
}

static bool is_present(void *opaque, unsigned n)
{
    return true;
}

static bool one_insn(void *opaque)
{
    return true;
}

static const CpuBus no_cpus = { .is_present = is_present }; /* to be asked of nothing else */

static DeviceOption *new_object(const char *type, const char *id)
{
    DeviceOption *o = g_new(DeviceOption, 1);

    o->driver = g_strdup(type);
    o->props = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(o->props, g_strdup("id"), g_strdup(id));
    return o;
}

static void free_object(void *p)
{
    DeviceOption *o = p;

    g_free(o->driver);
    g_hash_table_unref(o->props);
    g_free(o);
}

static void bench_init(Bench *b)
{
    MonitorCpus cpus = { .count = cpu_count, .opaque = b, .one_insn = one_insn };
    QmpWorld w;

    *b = (Bench){ .config = { .machine = (char *)"pc",
                              .name = (char *)"test",
                              .ram_size = 1 << 20,
                              .icount_shift = -1 } };
    b->config.objects = g_ptr_array_new_with_free_func(free_object);
    g_ptr_array_add(b->config.objects, new_object("iothread", "io"));
    b->m.config = &b->config;
    b->m.input = input_queue_new();
    b->m.root = device_new(&root_class, NULL, NULL);
    device_realize(b->m.root, NULL);
    b->m.cpus = &no_cpus;
    b->m.clock = clock_new_manual();
    b->m.hid = hid_new(b->m.root, b->m.clock, b->m.input);
    b->m.event_hook = on_event;
    b->m.event_opaque = b;
    b->rc = run_control_new(&b->m, &(RunHooks){ 0 });
    b->none = chardev_new_memory(NULL);
    b->mon = monitor_new(&b->m, b->rc, &cpus, NULL, b->none);
    /* clang-format off */
    b->shared = qmp_shared_new();
    w = (QmpWorld){ .m = &b->m, .rc = b->rc, .mon = b->mon, .shared = b->shared, .cpus = cpus,
                    .states = { .migrate = ask, .incoming = ask, .cancel = cancel,
                                .migration = migration, .save = ask, .load = ask, .remove = ask,
                                .opaque = b } };
    /* clang-format on */
    monitor_set_states(b->mon, &w.states);
    b->out = g_byte_array_new();
    b->chr = chardev_new_memory(b->out);
    b->q = qmp_new(&w, b->chr, false);
}

static void bench_free(Bench *b)
{
    qmp_free(b->q);
    qmp_shared_free(b->shared);
    monitor_free(b->mon);
    chardev_free(b->chr);
    chardev_free(b->none);
    run_control_free(b->rc);
    device_free(b->m.root);
    clock_free(b->m.clock);
    input_queue_free(b->m.input);
    g_byte_array_unref(b->out);
    g_free(b->asked);
    g_ptr_array_unref(b->config.objects);
}

/* What @text is answered with. */
static char *say(Bench *b, const char *text)
{
    g_byte_array_set_size(b->out, 0);
    chardev_memory_input(b->chr, text, strlen(text));
    return g_strndup((const char *)b->out->data, b->out->len);
}

#define NEGOTIATE        "{\"execute\": \"qmp_capabilities\"}"
#define CALL(name, args) "{\"execute\": \"" name "\", \"arguments\": " args "}"
#define DONE             "{\"return\": {}}\r\n"

static void test_greeting(void **state)
{
    Bench b;
    g_autofree char *greeting = NULL;
    Json *g;

    bench_init(&b);
    greeting = g_strndup((const char *)b.out->data, b.out->len);
    g = json_read(g_strchomp(greeting));
    assert_int_equal(json_object_array_length(json_member(json_member(g, "QMP"), "capabilities")),
                     1);
    assert_int_equal(
        json_int(json_member(json_member(json_member(g, "QMP"), "version"), "qemu"), "major", 0),
        7);
    json_object_put(g);
    bench_free(&b);
}

/* clang-format off */
static const struct {
    const char *text, *answer; /* answer: the class and its words; else the whole */
    bool early;                /* before negotiation */
} error_rows[] = {
    { "{\"execute\": \"stop\"}", "CommandNotFound Expecting capabilities negotiation with 'qmp_capabilities'", true},
    { "{\"execute\": \"qmp_capabilities\", \"arguments\": {\"enable\": [\"x\"]}}", "GenericError Parameter 'enable' does not accept value 'x'", true},
    { "{\"exec-oob\": \"migrate-pause\"}", "GenericError QMP input member 'exec-oob' is unexpected" },
    { NEGOTIATE, "CommandNotFound Capabilities negotiation is already complete, command ignored" },
    { "{\"execute\": \"bogus\"}", "CommandNotFound The command bogus has not been found" },
    { "{\"execute\": 1}", "GenericError QMP input member 'execute' must be a string" },
    { "{\"arguments\": {}}", "GenericError QMP input lacks member 'execute'" },
    { "{\"execute\": \"stop\", \"arguments\": []}", "GenericError QMP input member 'arguments' must be an object" },
    { "{\"execute\": \"stop\", \"extra\": 1}", "GenericError QMP input member 'extra' is unexpected" },
    { "{\"execute\": \"stop\", \"arguments\": {\"x\": 1}}", "GenericError Parameter 'x' is unexpected" },
    { "{\"execute\": \"memsave\", \"arguments\": {\"val\": 0, \"size\": 1}}", "GenericError Parameter 'filename' is missing" },
    { "{\"execute\": \"memsave\", \"arguments\": {\"val\": \"0\", \"size\": 1, \"filename\": \"f\"}}",
      "GenericError Invalid parameter type for 'val', expected: integer" },
    { "{\"execute\": \"memsave\", \"arguments\": {\"val\": 0, \"size\": 1, \"filename\": \"a b\"}}",
      "GenericError file names with blanks or quotes are not supported yet" },
    { "{\"execute\": \"memsave\", \"arguments\": {\"val\": 0, \"size\": 1, \"filename\": \"f\", \"cpu-index\": 1}}",
      "GenericError Invalid parameter 'cpu-index'" },
    { "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"x\", \"cpu-index\": 7}}",
      "GenericError Invalid parameter 'CPU number'" },
    { "{\"execute\": \"send-key\", \"arguments\": {\"keys\": [{\"type\": \"qcode\", \"data\": \"bogus\"}]}}",
      "GenericError Invalid parameter 'bogus'" },
    { "{\"execute\": \"send-key\", \"arguments\": {\"keys\": [1]}}", "GenericError Invalid parameter 'type'" },
    { "{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [{\"type\": \"abs\", \"data\": {}}]}}",
      "GenericError there is no device for this input (supported: key, rel, btn)" },
    { "{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": [{\"capability\": \"multifd\", \"state\": true}]}}",
      "GenericError migration capability 'multifd' is not supported" },
    { "{\"execute\": \"system_wakeup\"}", "GenericError Unable to wake up: guest is not in suspended state" },
    { "{\"execute\": \"dump-guest-memory\", \"arguments\": {\"paging\": true, \"protocol\": \"file:f\"}}",
      "GenericError supported are 'paging' false" },
    { "{\"execute\": \"job-dismiss\", \"arguments\": {\"id\": \"j\"}}", "GenericError Job not found" },
    { "{\"execute\": \"snapshot-save\", \"arguments\": {\"job-id\": \"j\", \"tag\": \"t\", \"vmstate\": \"d\", \"devices\": [\"d\"]}}",
      "DeviceNotFound a device that is named does not exist" },
    { CALL("qom-get", "{\"path\": \"/machine\", \"property\": \"bogus\"}"), "GenericError Property 'pc-i440fx-7.2-machine.bogus' not found" },
    { CALL("qom-get", "{\"path\": \"/bogus\", \"property\": \"type\"}"), "DeviceNotFound Device '/bogus' not found" },
    { CALL("qom-list", "{\"path\": \"/machine/peripheral/x\"}"), "DeviceNotFound Device '/machine/peripheral/x' not found" },
    { CALL("qom-list", "{\"path\": \"\"}"), "DeviceNotFound Device '' not found" },
    { CALL("qom-set", "{\"path\": \"/machine\", \"property\": \"type\", \"value\": 3}"), "GenericError Property 'pc-i440fx-7.2-machine.type' is not writable" },
    { CALL("device-list-properties", "{\"typename\": \"bogus\"}"), "DeviceNotFound Device 'bogus' not found" },
    { CALL("device-list-properties", "{\"typename\": \"pci-device\"}"), "GenericError Parameter 'typename' expects a non-abstract device type" },
    { CALL("device-list-properties", "{\"typename\": \"iothread\"}"), "GenericError Parameter 'typename' expects a non-abstract device type" },
    { CALL("qom-list-properties", "{\"typename\": \"bogus\"}"), "DeviceNotFound Class 'bogus' not found" },
    { CALL("query-cpu-model-expansion", "{\"type\": \"bogus\", \"model\": {\"name\": \"max\"}}"), "GenericError Parameter 'type' does not accept value 'bogus'" },
    { CALL("query-cpu-model-expansion", "{\"type\": \"full\", \"model\": {}}"), "GenericError Parameter 'model.name' is missing" },
    { CALL("query-cpu-model-expansion", "{\"type\": \"full\", \"model\": {\"name\": \"max\"}}"), "GenericError CPU model 'max' not found" },
    { CALL("query-command-line-options", "{\"option\": \"bogus\"}"), "GenericError Invalid parameter 'bogus'" },
    { CALL("blockdev-open-tray", "{\"id\": \"x\"}"), "DeviceNotFound Device 'x' not found" },
    { CALL("blockdev-close-tray", "{}"), "GenericError Parameter 'id' is missing" },
    { CALL("blockdev-insert-medium", "{\"id\": \"x\", \"node-name\": \"n\"}"), "DeviceNotFound Device 'x' not found" },
    { CALL("block_resize", "{\"device\": \"x\", \"size\": 512}"), "GenericError Cannot find device='x' nor node-name=''" },
    { CALL("block-stream", "{\"device\": \"x\"}"), "GenericError Cannot find device='x' nor node-name='x'" },
    { CALL("transaction", "{\"actions\": [{\"type\": \"abort\", \"data\": {}}]}"), "GenericError Transaction aborted using Abort action" },
    { CALL("transaction", "{\"actions\": [{\"type\": \"x\", \"data\": {}}]}"), "GenericError Parameter 'type' does not accept value 'x'" },
    { CALL("transaction", "{\"actions\": [7]}"), "GenericError Parameter 'type' does not accept value ''" },
    { CALL("block-dirty-bitmap-add", "{\"node\": \"x\", \"name\": \"b\"}"), "GenericError Cannot find device='x' nor node-name='x'" },
    { CALL("block-dirty-bitmap-merge", "{\"node\": \"x\", \"target\": \"b\", \"bitmaps\": [1]}"), "GenericError Cannot find device='x' nor node-name='x'" },
    { CALL("block-commit", "{\"device\": \"x\"}"), "DeviceNotFound Device 'x' not found" },
    { CALL("drive-mirror", "{\"device\": \"x\", \"target\": \"y\", \"sync\": \"full\"}"), "GenericError Cannot find device='x' nor node-name='x'" },
    { CALL("drive-backup", "{\"device\": \"x\", \"target\": \"y\"}"), "GenericError Parameter 'sync' is missing" },
    { CALL("blockdev-backup", "{\"device\": \"x\", \"target\": \"y\", \"sync\": \"top\"}"), "GenericError Cannot find device='x' nor node-name='x'" },
    { CALL("blockdev-snapshot-sync", "{\"device\": \"x\", \"snapshot-file\": \"y\"}"), "GenericError Cannot find device='x' nor node-name=''" },
    { CALL("block-job-cancel", "{\"device\": \"x\"}"), "DeviceNotActive Block job 'x' not found" },
    { CALL("block-job-set-speed", "{\"device\": \"x\", \"speed\": 1}"), "DeviceNotActive Block job 'x' not found" },
    { CALL("block-job-complete", "{\"device\": \"x\"}"), "DeviceNotActive Block job 'x' not found" },
    { CALL("job-finalize", "{\"id\": \"x\"}"), "GenericError Job not found" },
    { CALL("job-cancel", "{\"id\": \"x\"}"), "GenericError Job not found" },
    { CALL("blockdev-create", "{\"job-id\": \"1\", \"options\": {}}"), "GenericError Invalid job ID '1'" },
    { CALL("blockdev-remove-medium", "{\"id\": \"x\"}"), "DeviceNotFound Device 'x' not found" },
    { CALL("blockdev-add", "{\"driver\": \"raw\", \"node-name\": \"n\", \"file\": \"m\"}"), "GenericError Cannot find device='' nor node-name='m'" },
    { CALL("set_link", "{\"name\": \"x\", \"up\": true}"), "DeviceNotFound Device 'x' not found" },
    { CALL("set_link", "{\"name\": \"x on\\nquit\", \"up\": true}"), "DeviceNotFound Device 'x on" },
    { CALL("set_link", "{\"name\": \"x\"}"), "GenericError Parameter 'up' is missing" },
    { CALL("replay-break", "{\"icount\": 1}"), "GenericError setting the breakpoint is allowed only in play mode" },
    { CALL("replay-delete-break", "{}"), "GenericError replay breakpoints are allowed only in play mode" },
    { CALL("replay-seek", "{\"icount\": 1}"), "GenericError replay must be enabled to seek" },
    { CALL("query-rx-filter", "{\"name\": \"x\"}"), "GenericError invalid net client name: x" },
    { CALL("getfd", "{\"fdname\": \"x\"}"), "GenericError No file descriptor supplied via SCM_RIGHTS" },
    { CALL("closefd", "{\"fdname\": \"x\"}"), "GenericError File descriptor named 'x' not found" },
    { CALL("add-fd", "{}"), "GenericError No file descriptor supplied via SCM_RIGHTS" },
    { CALL("remove-fd", "{\"fdset-id\": 7}"), "GenericError File descriptor named 'fdset-id:7' not found" },
    { CALL("remove-fd", "{\"fdset-id\": 7, \"fd\": 1}"), "GenericError File descriptor named 'fdset-id:7, fd:1' not found" },
    { CALL("migrate", "{\"uri\": \"fd:x\"}"), "GenericError File descriptor named 'x' not found" },
    { CALL("blockdev-add", "{\"driver\": \"file\", \"node-name\": \"n\", \"filename\": \"/dev/fdset/1\"}"),
      "GenericError nothing can be added to this machine" },
    { CALL("blockdev-add", "{\"driver\": \"raw\", \"node-name\": \"n\", \"file\": {\"driver\": \"file\", \"filename\": \"/dev/fdset/1\"}}"),
      "GenericError nothing can be added to this machine" },
    { CALL("object-add", "{\"qom-type\": \"bogus\", \"id\": \"x\"}"), "GenericError Parameter 'qom-type' does not accept value 'bogus'" },
    { CALL("object-add", "{\"qom-type\": \"iothread\", \"id\": \"x\"}"), "GenericError nothing can be added to this machine" },
    { CALL("object-del", "{\"id\": \"x\"}"), "GenericError nothing can be removed from this machine" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"bogus\", \"data\": {}}}"), "GenericError Parameter 'type' does not accept value 'bogus'" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"null\"}}"), "GenericError Parameter 'data' is missing" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"file\", \"data\": {\"bogus\": 1}}}"), "GenericError Parameter 'bogus' is unexpected" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"socket\", \"data\": {\"addr\": {\"type\": \"vsock\", \"data\": {}}}}}"), "GenericError Parameter 'type' does not accept value 'vsock'" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"socket\", \"data\": {\"addr\": 3}}}"), "GenericError Parameter 'type' does not accept value ''" },
    { CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"socket\", \"data\": {\"addr\": {\"type\": \"fd\", \"data\": {\"str\": \"x\"}}}}}"), "GenericError File descriptor named 'x' not found" },
    { CALL("ringbuf-read", "{\"device\": \"x\", \"size\": 1}"), "GenericError Device 'x' not found" },
    { CALL("ringbuf-write", "{\"device\": \"x\", \"data\": \"y\"}"), "GenericError Device 'x' not found" },
    { CALL("chardev-send-break", "{\"id\": \"x\"}"), "GenericError Chardev 'x' not found" },
    { CALL("set_password", "{\"protocol\": \"vnc\", \"password\": \"x\"}"), "GenericError Could not set password" },
    { CALL("set_password", "{\"protocol\": \"spice\", \"password\": \"x\"}"), "DeviceNotActive SPICE is not in use" },
    { CALL("migrate-set-parameters", "{\"max-bandwidth\": 5}"), "GenericError migration parameter 'max-bandwidth' is not supported" },
    { CALL("migrate-set-parameters", "{\"bogus\": 5}"), "GenericError Parameter 'bogus' is unexpected" },
    { "[1, 2]", "GenericError QMP input must be a JSON object" },
    { "\"text\"", "GenericError QMP input must be a JSON object" },
    { "{]\n", "GenericError JSON parse error" },
    { "}\n", "GenericError JSON parse error" },
    { "bogus\n", "GenericError JSON parse error" },
    { "{\"execute\": \"st\xff\xfe\"}\n", "GenericError JSON parse error" },
};
/* clang-format on */

static void test_errors(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(error_rows); i++) {
        g_autofree char *answer = NULL, *got = NULL, *after = NULL;
        Json *reply, *error;
        Bench b;

        bench_init(&b);
        if (!error_rows[i].early)
            g_free(say(&b, NEGOTIATE));
        answer = say(&b, error_rows[i].text);
        reply = json_read(g_strchomp(answer));
        error = json_member(reply, "error");
        got = g_strdup_printf("%s %s", json_text(error, "class", ""), json_text(error, "desc", ""));
        if (!g_str_has_prefix(got, error_rows[i].answer))
            fail_msg("'%s' got '%s'", error_rows[i].text, answer);
        json_object_put(reply);
        after = say(&b, error_rows[i].early ? NEGOTIATE : "{\"execute\": \"query-name\"}");
        if (!strstr(after, "return")) /* nothing is left over */
            fail_msg("after '%s': '%s'", error_rows[i].text, after);
        bench_free(&b);
    }
}

/* clang-format off */
static const struct {
    const char *text, *answer;
} good_rows[] = {
    { "{\"execute\": \"query-name\"}", "{\"return\": {\"name\": \"test\"}}\r\n" },
    { "{\"execute\": \"query-name\", \"id\": 7}", "{\"return\": {\"name\": \"test\"}, \"id\": 7}\r\n" },
    { "{\"execute\": \"bogus\", \"id\": {\"a\": [1, null]}}",
      "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command bogus has not been found\"}, \"id\": {\"a\": [1, null]}}\r\n" },
    { "{'execute': 'query-kvm'}", "{\"return\": {\"enabled\": false, \"present\": false}}\r\n" },
    { "{\"execute\": \"query-status\"}",
      "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": true, \"running\": false}}\r\n" },
    { "{\"execute\":\"query-kvm\"}{\"execute\":\"query-kvm\"}\n\n{\"execute\":\"query-target\"}",
      "{\"return\": {\"enabled\": false, \"present\": false}}\r\n"
      "{\"return\": {\"enabled\": false, \"present\": false}}\r\n"
      "{\"return\": {\"arch\": \"x86_64\"}}\r\n" },
    { "", "" },
    { " \r\n\t ", "" },
    { "{\"execute\": \"query-block\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-jobs\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-block-jobs\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-replay\"}", "{\"return\": {\"mode\": \"none\", \"icount\": 0}}\r\n" },
    { "{\"execute\": \"query-blockstats\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-named-block-nodes\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-pci\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-cpu-definitions\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-vnc\"}", "{\"return\": {\"enabled\": false}}\r\n" },
    { "{\"execute\": \"query-vnc-servers\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-rx-filter\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-fdsets\"}", "{\"return\": []}\r\n" },
    { CALL("migrate-set-parameters", "{\"max-bandwidth\": 0}"), DONE },
    { "{\"execute\": \"query-mice\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"query-display-options\"}", "{\"return\": {\"type\": \"none\"}}\r\n" },
    { "{\"execute\": \"query-vm-generation-id\"}",
      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"VM Generation ID device not found\"}}\r\n" },
    { CALL("trace-event-get-state", "{\"name\": \"bogus\"}"),
      "{\"error\": {\"class\": \"GenericError\", \"desc\": \"unknown event \\\"bogus\\\"\"}}\r\n" },
    { CALL("trace-event-get-state", "{\"name\": \"bogus*\"}"), "{\"return\": []}\r\n" },
    { CALL("trace-event-set-state", "{\"name\": \"serial_read\", \"enable\": true}"),
      "{\"return\": {}}\r\n" },
    { CALL("trace-event-get-state", "{\"name\": \"serial_r*\"}"),
      "{\"return\": [{\"name\": \"serial_read\", \"vcpu\": false, \"state\": \"enabled\"}]}\r\n" },
    { CALL("trace-event-set-state", "{\"name\": \"*\", \"enable\": false}"),
      "{\"return\": {}}\r\n" },
    { "{\"execute\": \"query-current-machine\"}", "{\"return\": {\"wakeup-suspend-support\": false}}\r\n" },
    { "{\"execute\": \"query-memdev\"}",
      "{\"return\": [{\"id\": \"pc.ram\", \"size\": 1048576, \"merge\": false, \"dump\": false, \"prealloc\": false, \"share\": false, \"reserve\": true, \"host-nodes\": [], \"policy\": \"default\"}]}\r\n" },
    { CALL("qom-list", "{\"path\": \"/\"}"),
      "{\"return\": [{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"machine\", \"type\": \"child<pc-i440fx-7.2-machine>\"}, {\"name\": \"objects\", \"type\": \"child<container>\"}, {\"name\": \"chardevs\", \"type\": \"child<container>\"}]}\r\n" },
    { CALL("qom-list", "{\"path\": \"/machine/unattached/\"}"),
      "{\"return\": [{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"device[0]\", \"type\": \"child<hid>\"}]}\r\n" },
    { CALL("qom-list", "{\"path\": \"device[0]\"}"),
      "{\"return\": [{\"name\": \"type\", \"type\": \"string\"}, {\"name\": \"realized\", \"type\": \"bool\"}]}\r\n" },
    { CALL("qom-get", "{\"path\": \"/machine\", \"property\": \"peripheral\"}"), "{\"return\": \"/machine/peripheral\"}\r\n" },
    { CALL("qom-get", "{\"path\": \"/machine\", \"property\": \"hpet\"}"), "{\"return\": false}\r\n" },
    { CALL("qom-get", "{\"path\": \"io\", \"property\": \"type\"}"), "{\"return\": \"iothread\"}\r\n" },
    { CALL("qom-list-types", "{\"implements\": \"rng-backend\", \"abstract\": true}"),
      "{\"return\": [{\"name\": \"rng-backend\", \"parent\": \"object\", \"abstract\": true}, {\"name\": \"rng-random\", \"parent\": \"rng-backend\"}, {\"name\": \"rng-builtin\", \"parent\": \"rng-backend\"}]}\r\n" },
    { CALL("qom-list-types", "{\"implements\": \"bogus\"}"), "{\"return\": []}\r\n" },
    { CALL("qom-list-properties", "{\"typename\": \"iothread\"}"), "{\"return\": [{\"name\": \"type\", \"type\": \"string\"}]}\r\n" },
    { CALL("query-command-line-options", "{\"option\": \"smp\"}"),
      "{\"return\": [{\"parameters\": [{\"name\": \"sockets\", \"type\": \"string\"}, {\"name\": \"cores\", \"type\": \"string\"}, {\"name\": \"threads\", \"type\": \"string\"}, {\"name\": \"maxcpus\", \"type\": \"string\"}], \"option\": \"smp\"}]}\r\n" },
    { "{\"execute\": \"query-stats-schemas\"}", "{\"return\": []}\r\n" },
    { "{\"execute\": \"x-query-jit\"}", "{\"return\": {\"human-readable-text\": \"unknown command: 'info jit'\\n\"}}\r\n" },
    { "{\"execute\": \"query-balloon\"}",
      "{\"error\": {\"class\": \"DeviceNotActive\", \"desc\": \"No balloon device has been activated\"}}\r\n" },
    { "{\"execute\": \"query-memory-size-summary\"}",
      "{\"return\": {\"base-memory\": 1048576, \"plugged-memory\": 0}}\r\n" },
    { "{\"execute\": \"query-uuid\"}",
      "{\"return\": {\"UUID\": \"00000000-0000-0000-0000-000000000000\"}}\r\n" },
    { "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"info status\"}}",
      "{\"return\": \"VM status: paused (prelaunch)\\r\\n\"}\r\n" },
    { "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"bogus\", \"cpu-index\": 0}}",
      "{\"return\": \"unknown command: 'bogus'\\r\\n\"}\r\n" },
    { "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"exec:x\", \"detach\": true}}", DONE },
    { "{\"execute\": \"query-migrate\"}",
      "{\"return\": {\"status\": \"completed\", \"total-time\": 30, \"ram\": {\"total\": 20, \"transferred\": 10, \"remaining\": 0, \"page-size\": 4096}}}\r\n" },
    { "{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": [{\"capability\": \"events\", \"state\": true}]}}", DONE },
};
/* clang-format on */

static void test_answers(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(good_rows); i++) {
        size_t len = strlen(good_rows[i].text);
        Bench b;

        /* at once, and byte by byte */
        for (size_t step = MAX(len, 1); step; step = step > 1 ? 1 : 0) {
            g_autofree char *negotiated = NULL;

            bench_init(&b);
            negotiated = say(&b, NEGOTIATE);
            assert_string_equal(negotiated, DONE);
            g_byte_array_set_size(b.out, 0);
            for (size_t at = 0; at < len; at += step)
                chardev_memory_input(b.chr, good_rows[i].text + at, step);
            g_byte_array_append(b.out, (const uint8_t *)"", 1);
            if (strcmp((char *)b.out->data, good_rows[i].answer))
                fail_msg("'%s' got '%s'", good_rows[i].text, b.out->data);
            bench_free(&b);
        }
    }
}

/* An event without its time stamp. */
static char *strip(char *text)
{
    char *event = strstr(text, "\"event\"");

    return event ? event : text;
}

static void test_events(void **state)
{
    Bench b;
    g_autofree char *early = NULL, *run = NULL, *stop = NULL, *again = NULL;

    bench_init(&b);
    early = say(&b, "{\"execute\": \"cont\"}");
    machine_emit(&b.m, "EARLY", NULL);
    g_byte_array_append(b.out, (const uint8_t *)"", 1);
    assert_null(strstr((char *)b.out->data, "EARLY"));
    g_free(say(&b, NEGOTIATE));
    run = say(&b, "{\"execute\": \"cont\"}");
    assert_string_equal(strip(run), "\"event\": \"RESUME\"}\r\n" DONE);
    assert_int_equal(b.m.state, RUN_RUNNING);
    stop = say(&b, "{\"execute\": \"stop\"}");
    assert_string_equal(strip(stop), "\"event\": \"STOP\"}\r\n" DONE);
    again = say(&b, "{\"execute\": \"stop\"}");
    assert_string_equal(again, DONE);
    g_byte_array_set_size(b.out, 0);
    machine_emit(&b.m, "RESET", "{\"guest\": %s}", "true");
    g_byte_array_append(b.out, (const uint8_t *)"", 1);
    assert_string_equal(strip((char *)b.out->data),
                        "\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n");
    bench_free(&b);
}

/* Every command is in the schema with a type that exists. */
static void test_schema(void **state)
{
    Bench b;
    g_autofree char *commands_text = NULL, *schema_text = NULL;
    Json *commands, *schema;

    bench_init(&b);
    g_free(say(&b, NEGOTIATE));
    commands_text = say(&b, "{\"execute\": \"query-commands\"}");
    schema_text = say(&b, "{\"execute\": \"query-qmp-schema\"}");
    commands = json_read(g_strchomp(commands_text));
    schema = json_read(g_strchomp(schema_text));
    g_autoptr(GHashTable) types = g_hash_table_new(g_str_hash, g_str_equal);
    Json *list = json_member(schema, "return"), *names = json_member(commands, "return");
    unsigned found = 0;

    for (size_t i = 0; i < json_object_array_length(list); i++) {
        Json *e = json_object_array_get_idx(list, i);

        assert_true(g_hash_table_insert(types, (void *)json_text(e, "name", ""), e));
    }
    for (size_t i = 0; i < json_object_array_length(names); i++) {
        Json *e =
            g_hash_table_lookup(types, json_text(json_object_array_get_idx(names, i), "name", ""));

        assert_non_null(e);
        assert_string_equal(json_text(e, "meta-type", ""), "command");
        assert_non_null(g_hash_table_lookup(types, json_text(e, "arg-type", "")));
        assert_non_null(g_hash_table_lookup(types, json_text(e, "ret-type", "")));
        found++;
    }
    assert_true(found > 30);
    json_object_put(commands);
    json_object_put(schema);
    bench_free(&b);
}

/* clang-format off */
static const char *const seeds[] = {
    NEGOTIATE,
    "{\"execute\": \"query-status\", \"id\": [1, {\"a\": null}]}",
    "{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"exec:x\"}}",
    "{\"execute\": \"human-monitor-command\", \"arguments\": {\"command-line\": \"info status\"}}",
    "{\"execute\": \"input-send-event\", \"arguments\": {\"events\": [{\"type\": \"key\", \"data\": {\"down\": 1, \"key\": 2}}]}}",
    "{\"execute\": \"send-key\", \"arguments\": {\"keys\": [{\"type\": \"number\", \"data\": 999}], \"hold-time\": -1}}",
    "{\"execute\": \"snapshot-save\", \"arguments\": {\"job-id\": \"j\", \"tag\": \"t\", \"vmstate\": \"d\", \"devices\": []}}",
    "{\"execute\": \"migrate-set-capabilities\", \"arguments\": {\"capabilities\": [1, null, {}]}}",
    CALL("qom-list", "{\"path\": \"/machine/unattached/device[0]\"}"),
    CALL("qom-get", "{\"path\": \"/machine\", \"property\": \"smp\"}"),
    CALL("qom-set", "{\"path\": \"/objects/io\", \"property\": \"type\", \"value\": {}}"),
    CALL("query-cpu-model-expansion", "{\"type\": \"full\", \"model\": {\"name\": \"max\", \"props\": {\"a\": 1}}}"),
    CALL("qom-list-types", "{\"implements\": \"device\", \"abstract\": true}"),
    CALL("device-list-properties", "{\"typename\": \"-x86_64-cpu\"}"),
    CALL("blockdev-open-tray", "{\"device\": \"x\", \"force\": true}"),
    CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"socket\", \"data\": {\"addr\": {\"type\": \"unix\", \"data\": {\"path\": \"p\"}}, \"server\": true}}}"),
    CALL("chardev-add", "{\"id\": \"c\", \"backend\": {\"type\": \"udp\", \"data\": {\"remote\": {\"type\": \"inet\", \"data\": {\"port\": \"1\"}}, \"logappend\": 1}}}"),
    CALL("object-add", "{\"qom-type\": \"iothread\", \"id\": \"x\", \"a\": {\"b\": [1]}}"),
    CALL("blockdev-add", "{\"driver\": \"raw\", \"node-name\": \"n\", \"file\": {\"file\": {\"filename\": \"/dev/fdset/1\"}}}"),
    CALL("add-fd", "{\"fdset-id\": 1, \"opaque\": \"x\"}"),
    CALL("remove-fd", "{\"fdset-id\": -1, \"fd\": 99999999999999}"),
    CALL("migrate-set-parameters", "{\"max-bandwidth\": 0, \"tls-creds\": \"\"}"),
    CALL("set_password", "{\"protocol\": \"vnc\", \"password\": \"\", \"connected\": \"keep\"}"),
};
/* clang-format on */

/* Texts with parts changed, repeated or cut: no crash, and it answers afterwards. */
static void test_mutations(void **state)
{
    g_autoptr(GRand) rand = fuzz_rand(42);
    const unsigned rounds = fuzz_rounds(20000);
    static const char letters[] = "{}[]\":,\\ue9\n0 ntf'-\xff\x01";
    Bench b;

    bench_init(&b);
    g_free(say(&b, NEGOTIATE));
    for (unsigned round = 0; round < rounds; round++) {
        g_autoptr(GString) text =
            g_string_new(seeds[g_rand_int_range(rand, 0, G_N_ELEMENTS(seeds))]);

        fuzz_mutate(rand, text, letters, sizeof(letters) - 1);
        g_free(say(&b, text->str));
    }
    for (unsigned deep = 0; deep < 3; deep++) {
        g_autofree char *nest = g_strnfill(5000, "[{"[deep & 1]);
        g_free(say(&b, nest));
    }
    g_free(say(&b, "\n\"\n}\n]\n"));
    g_autofree char *answer =
        say(&b, "\n\n{\"execute\": \"query-name\"}\n{\"execute\": \"query-name\"}");
    assert_true(g_str_has_suffix(answer, "{\"return\": {\"name\": \"test\"}}\r\n"));
    bench_free(&b);
}

/* A job is told and listed, and keeps why it failed. */
static void test_jobs(void **state)
{
    static const char save[] =
        "{\"execute\": \"snapshot-save\", \"arguments\": {\"job-id\": \"j%d\", "
        "\"tag\": \"t\", \"vmstate\": \"d\", \"devices\": []}}";
    Bench b;

    bench_init(&b);
    g_free(say(&b, NEGOTIATE));
    for (int i = 0; i < 2; i++) {
        g_autofree char *line = g_strdup_printf(save, i), *answer = NULL, *jobs = NULL;

        b.fails = i;
        answer = say(&b, line);
        assert_true(g_str_has_suffix(answer, DONE));
        assert_non_null(strstr(answer, "\"status\": \"concluded\""));
        assert_string_equal(b.asked, "t");
        jobs = say(&b, "{\"execute\": \"query-jobs\"}");
        assert_int_equal(!!strstr(jobs, "\"error\": \"no\""), i);
        answer = (g_free(answer), say(&b, line));
        assert_non_null(strstr(answer, "already in use"));
    }
    g_autofree char *gone =
        say(&b, "{\"execute\": \"job-dismiss\", \"arguments\": {\"id\": \"j1\"}}");
    assert_non_null(strstr(gone, "\"status\": \"null\", \"id\": \"j1\""));
    assert_true(g_str_has_suffix(gone, DONE));
    bench_free(&b);
}

typedef struct Described {
    Device dev;
    uint8_t byte, bytes[5];
    uint16_t words[3];
    struct Pair {
        uint8_t a;
        uint32_t b;
    } pairs[2];
    bool flag;
    uint64_t wide;
} Described;

static const StateField pair_state[] = { STATE_U8(struct Pair, a), STATE_U32(struct Pair, b),
                                         STATE_END };
static const StateField described_state[] = {
    STATE_U8(Described, byte),
    STATE_BYTES(Described, bytes),
    STATE_ARRAY(Described, words, STATE_T_U16),
    STATE_STRUCT_ARRAY(Described, pairs, pair_state),
    STATE_BOOL(Described, flag),
    STATE_U64(Described, wide),
    STATE_END,
};
static const DeviceClass described_class = {
    .name = "described", .size = sizeof(Described), .state = described_state, .state_version = 3
};

static int64_t described_bytes(Json *fields)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < json_object_array_length(fields); i++) {
        Json *f = json_object_array_get_idx(fields, i), *inner = json_member(f, "Description");

        bytes += json_int(f, "num", 1) *
                 (inner ? described_bytes(json_member(inner, "Fields")) : json_int(f, "size", 0));
    }
    return bytes;
}

/* -dump-vmstate tells what a saved state consists of. */
static void test_description(void **state)
{
    Device *root = device_new(&root_class, NULL, NULL);
    Device *dev = device_new(&described_class, root, NULL);
    g_autoptr(GString) text = g_string_new("{");
    g_autoptr(GByteArray) saved = g_byte_array_new();
    Json *all, *one, *description;

    assert_true(device_realize(root, NULL) && device_realize(dev, NULL));
    device_tree_describe(root, text);
    g_string_append(text, "}");
    all = json_read(text->str);
    one = json_member(all, "described");
    assert_string_equal(json_text(one, "Name", ""), "described");
    assert_int_equal(json_int(one, "version_id", 0), 3);
    description = json_member(one, "Description");
    assert_string_equal(json_text(description, "name", ""), "described");
    assert_int_equal(json_int(description, "version_id", 0), 3);
    state_save(described_state, dev, saved);
    assert_int_equal(described_bytes(json_member(description, "Fields")), saved->len);
    json_object_put(all);
    device_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greeting), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_answers),  cmocka_unit_test(test_events),
        cmocka_unit_test(test_schema),   cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_jobs),     cmocka_unit_test(test_description),
    };

    FUZZ_CHOOSE_TEST();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
