/* SPDX-License-Identifier: MIT */
/* Commands that look at the machine. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "softmmu/program/qmp/internal.h"

static Json *run_status(Qmp *q, Json *args, GError **error)
{
    RunState state = q->w.m->state;

    return json_make("status:s singlestep:b running:b", run_state_name(state),
                     q->w.cpus.one_insn(q->w.cpus.opaque), state == RUN_RUNNING);
}

static Json *run_name(Qmp *q, Json *args, GError **error)
{
    return json_make("name:s", q->w.m->config->name);
}

static Json *run_uuid(Qmp *q, Json *args, GError **error)
{
    const char *uuid = q->w.m->config->uuid;

    return json_make("UUID:s", uuid ? uuid : "00000000-0000-0000-0000-000000000000");
}

static Json *run_kvm(Qmp *q, Json *args, GError **error)
{
    return json_make("enabled:b present:b", 0, 0);
}

static Json *run_target(Qmp *q, Json *args, GError **error)
{
    return json_make("arch:s", "x86_64");
}

static Json *run_empty_list(Qmp *q, Json *args, GError **error)
{
    return json_object_new_array(); /* there are none of these */
}

static Json *run_sev(Qmp *q, Json *args, GError **error)
{
    error_set(error, "KVM not enabled");
    return NULL;
}

static Json *run_balloon(Qmp *q, Json *args, GError **error)
{
    uint64_t left;

    if (monitor_get_balloon(q->w.mon, &left))
        return json_make("actual:i", (int64_t)left);
    g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_ACTIVE, "No balloon device has been activated");
    return NULL;
}

static Json *run_generation(Qmp *q, Json *args, GError **error)
{
    uint8_t guid[16];
    char text[37], *p = text;

    if (!q->w.facts.generation || !q->w.facts.generation(q->w.facts.opaque, guid)) {
        error_set(error, "VM Generation ID device not found");
        return NULL;
    }
    for (unsigned i = 0; i < sizeof(guid); i++)
        p += sprintf(p, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", guid[i]);
    return json_make("guid:s", text);
}

/* What the text monitor prints. */
static Json *run_text(Qmp *q, const char *line)
{
    g_autoptr(GString) out = g_string_new("");

    monitor_run(q->w.mon, -1, line, out, NULL);
    return json_make("human-readable-text:s", out->str);
}

static Json *run_jit(Qmp *q, Json *args, GError **error)
{
    return run_text(q, "info jit");
}

static Json *run_irq(Qmp *q, Json *args, GError **error)
{
    return run_text(q, "info irq");
}

static Json *run_roms(Qmp *q, Json *args, GError **error)
{
    return run_text(q, "info roms");
}

static Json *run_ramblock(Qmp *q, Json *args, GError **error)
{
    return run_text(q, "info ramblock");
}

static Json *run_numa(Qmp *q, Json *args, GError **error)
{
    return run_text(q, "info numa");
}

static Json *run_pci(Qmp *q, Json *args, GError **error)
{
    return q->w.facts.pci ? q->w.facts.pci(q->w.facts.opaque) : json_object_new_array();
}

static Json *run_mice(Qmp *q, Json *args, GError **error)
{
    const Hid *h = q->w.m->hid;
    Json *list = json_object_new_array();

    for (unsigned n = 0; h && n < hid_mouse_count(h); n++)
        json_object_array_add(list, json_make("index:i name:s current:b absolute:b", (int64_t)n,
                                              hid_mouse_name(h, n), n == hid_mouse(h), 0));
    return list;
}

/* ---- Objects --------------------------------------------------------------------------------- */

static Json *each_object(Qmp *q, Json *(*describe)(const DeviceOption *o))
{
    const GPtrArray *objects = q->w.m->config->objects;
    Json *list = json_object_new_array();

    for (guint i = 0; objects && i < objects->len; i++) {
        Json *one = describe(objects->pdata[i]);

        if (one)
            json_object_array_add(list, one);
    }
    return list;
}

static void add_member(void *to, const char *name, const char *type, Json *value)
{
    json_object_object_add(to, name, value);
}

/* Each drive has a thread of its own: there is none to tell of, but its number must be told. */
static Json *describe_iothread(const DeviceOption *o)
{
    Json *one;

    if (strcmp(o->driver, "iothread"))
        return NULL;
    one = json_make("id:s thread-id:i", g_hash_table_lookup(o->props, "id"), (int64_t)getpid());
    qmp_each_of_object(o, add_member, one);
    return one;
}

static Json *run_iothreads(Qmp *q, Json *args, GError **error)
{
    return each_object(q, describe_iothread);
}

static Json *describe_memory(const char *id, uint64_t size, const RamBacking *b)
{
    return json_make(
        "id:s size:u merge:b dump:b prealloc:b share:b reserve:b host-nodes:o policy:s", id, size,
        b->merge, b->dump, b->prealloc, b->share, 1, json_object_new_array(), "default");
}

/* The machine's own, and those of objects. */
static Json *run_memdev(Qmp *q, Json *args, GError **error)
{
    const MachineConfig *c = q->w.m->config;
    Json *list = json_object_new_array();

    for (guint i = 0; c->memory_backends && i < c->memory_backends->len; i++) {
        const MemoryBackend *m = c->memory_backends->pdata[i];

        json_object_array_add(list, describe_memory(m->id, m->size, &m->backing));
    }
    if (c->ram_size && !c->ram_parts)
        json_object_array_add(
            list, describe_memory("pc.ram", c->ram_size, &(RamBacking){ .dump = c->ram_in_core }));
    return list;
}

/* ---- CPUs and memory ------------------------------------------------------------------------- */

Json *qmp_cpu_place(CpuPlace p)
{
    return json_make("core-id:i thread-id:i socket-id:i", (int64_t)p.core, (int64_t)p.thread,
                     (int64_t)p.socket);
}

char *qmp_cpu_path(Qmp *q, unsigned n)
{
    const char *id = monitor_cpu_id(q->w.mon, n);

    return *id ? g_strdup_printf("/machine/peripheral/%s", id)
               : g_strdup_printf("/machine/unattached/device[%u]", n);
}

static Json *run_cpus(Qmp *q, Json *args, GError **error)
{
    const CpuBus *cpus = q->w.m->cpus;
    Json *list = json_object_new_array();

    for (unsigned n = 0; n < cpus->count; n++) {
        g_autofree char *path = qmp_cpu_path(q, n);

        if (!machine_has_cpu(q->w.m, n))
            continue;
        json_object_array_add(list, json_make("thread-id:i props:o qom-path:s cpu-index:i target:s",
                                              (int64_t)getpid(),
                                              qmp_cpu_place(cpus->place(cpus->opaque, n)), path,
                                              (int64_t)n, "x86_64"));
    }
    return list;
}

static Json *run_memory_size(Qmp *q, Json *args, GError **error)
{
    return json_make("base-memory:u plugged-memory:u", q->w.m->config->ram_size, UINT64_C(0));
}

/* ---- Character devices ----------------------------------------------------------------------- */

static Json *run_chardev(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    for (guint i = 0; q->w.chardevs && i < q->w.chardevs->len; i++) {
        const MonitorChardev *c = &g_array_index(q->w.chardevs, MonitorChardev, i);
        g_autofree char *spec = monitor_describe_chardev(c);

        json_object_array_add(list, json_make("frontend-open:b label:s filename:s",
                                              chardev_is_connected(c->chr), c->label, spec));
    }
    return list;
}

const QmpCommand qmp_look_commands[] = {
    { "query-status", "", run_status },
    { "query-name", "", run_name },
    { "query-uuid", "", run_uuid },
    { "query-stats-schemas", "", run_empty_list },
    { "query-sev-capabilities", "", run_sev },
    { "query-balloon", "", run_balloon },
    { "query-vm-generation-id", "", run_generation },
    { "x-query-jit", "", run_jit },
    { "x-query-irq", "", run_irq },
    { "x-query-roms", "", run_roms },
    { "x-query-ramblock", "", run_ramblock },
    { "x-query-numa", "", run_numa },
    { "query-kvm", "", run_kvm },
    { "query-target", "", run_target },
    { "query-cpus-fast", "", run_cpus },
    { "query-memory-size-summary", "", run_memory_size },
    { "query-memory-devices", "", run_empty_list },
    { "query-iothreads", "", run_iothreads },
    { "query-memdev", "", run_memdev },
    { "query-pci", "", run_pci },
    { "query-mice", "", run_mice },
    { "query-tpm", "", run_empty_list },
    { "query-tpm-models", "", run_empty_list },
    { "query-tpm-types", "", run_empty_list },
    { "query-chardev", "", run_chardev },
    { NULL },
};
