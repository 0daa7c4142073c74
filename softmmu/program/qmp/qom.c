/* SPDX-License-Identifier: MIT */
/*
 * The objects of the machine as a tree of names: /machine with its devices (those with a name of
 * the user's in peripheral, those that he gave none in peripheral-anon, CPUs and all others in
 * unattached), /objects, /chardevs. It is made up
 * from the device model when somebody asks; properties are what is known of each. What -object made
 * may have some that can be set.
 */
#include <string.h>

#include "softmmu/program/options/options.h"
#include "softmmu/program/qmp/internal.h"

typedef enum NodeKind {
    NODE_ROOT,
    NODE_MACHINE,
    NODE_PERIPHERAL,
    NODE_ANONYMOUS,
    NODE_UNATTACHED,
    NODE_OBJECTS,
    NODE_CHARDEVS,
    NODE_CPU,
    NODE_DEVICE,
    NODE_BACKEND, /* of a virtio device: what is behind its transport */
    NODE_OBJECT,
    NODE_CHARDEV,
} NodeKind;

typedef struct Node {
    NodeKind kind;
    unsigned cpu;
    const Device *dev;
    const DeviceOption *object;
    const MonitorChardev *chardev;
} Node;

typedef void EachChild(void *to, const char *name, const Node *child);

/* ---- Children ---------------------------------------------------------------------------------
 */

static void each_fixed(const Node *n, EachChild *f, void *to)
{
    static const struct {
        NodeKind above, kind;
        const char *name;
    } rows[] = {
        { NODE_ROOT, NODE_MACHINE, "machine" },
        { NODE_ROOT, NODE_OBJECTS, "objects" },
        { NODE_ROOT, NODE_CHARDEVS, "chardevs" },
        { NODE_MACHINE, NODE_PERIPHERAL, "peripheral" },
        { NODE_MACHINE, NODE_ANONYMOUS, "peripheral-anon" },
        { NODE_MACHINE, NODE_UNATTACHED, "unattached" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].above == n->kind)
            f(to, rows[i].name, &(Node){ .kind = rows[i].kind });
}

/* CPUs keep their number, whoever is there. */
static void each_cpu(Qmp *q, bool named, EachChild *f, void *to)
{
    for (unsigned n = 0; n < q->w.m->cpus->count; n++) {
        const char *id = monitor_cpu_id(q->w.mon, n);
        g_autofree char *name = *id ? g_strdup(id) : g_strdup_printf("device[%u]", n);

        if (machine_has_cpu(q->w.m, n) && !*id == !named)
            f(to, name, &(Node){ .kind = NODE_CPU, .cpu = n });
    }
}

static bool is_cpu(const Device *dev)
{
    return g_str_has_suffix(dev->klass->name, "-cpu");
}

static NodeKind place_of(const Device *dev)
{
    return dev->named ? NODE_PERIPHERAL : dev->anonymous ? NODE_ANONYMOUS : NODE_UNATTACHED;
}

static void each_device(const Device *dev, NodeKind place, unsigned *number, EachChild *f, void *to)
{
    for (guint i = 0; dev->children && i < dev->children->len; i++) {
        const Device *child = dev->children->pdata[i];

        if (is_cpu(child))
            continue;
        if (place_of(child) == place) {
            g_autofree char *numbered = g_strdup_printf("device[%u]", (*number)++);

            f(to, child->named ? child->id : numbered,
              &(Node){ .kind = NODE_DEVICE, .dev = child });
        }
        each_device(child, place, number, f, to);
    }
}

static bool has_backend(const Device *dev)
{
    return g_str_has_prefix(dev->klass->name, "virtio-") &&
           g_str_has_suffix(dev->klass->name, "-pci");
}

/* The clock, which an event tells of. */
static void find_rtc(const Device *dev, EachChild *f, void *to)
{
    for (guint i = 0; dev->children && i < dev->children->len; i++) {
        const Device *child = dev->children->pdata[i];

        if (!strcmp(child->klass->name, "mc146818rtc"))
            f(to, "rtc", &(Node){ .kind = NODE_DEVICE, .dev = child });
        find_rtc(child, f, to);
    }
}

static void each_object(Qmp *q, EachChild *f, void *to)
{
    const GPtrArray *objects = q->w.m->config->objects;

    for (guint i = 0; objects && i < objects->len; i++) {
        const DeviceOption *o = objects->pdata[i];

        f(to, g_hash_table_lookup(o->props, "id"), &(Node){ .kind = NODE_OBJECT, .object = o });
    }
}

static void each_chardev(Qmp *q, EachChild *f, void *to)
{
    for (guint i = 0; q->w.chardevs && i < q->w.chardevs->len; i++) {
        const MonitorChardev *c = &g_array_index(q->w.chardevs, MonitorChardev, i);

        f(to, c->label, &(Node){ .kind = NODE_CHARDEV, .chardev = c });
    }
}

static void each_child(Qmp *q, const Node *n, EachChild *f, void *to)
{
    unsigned number = n->kind == NODE_UNATTACHED ? q->w.m->cpus->count : 0;

    each_fixed(n, f, to);
    if (n->kind == NODE_MACHINE)
        find_rtc(q->w.m->root, f, to);
    if (n->kind == NODE_PERIPHERAL || n->kind == NODE_UNATTACHED)
        each_cpu(q, n->kind == NODE_PERIPHERAL, f, to);
    if (n->kind == NODE_PERIPHERAL || n->kind == NODE_ANONYMOUS || n->kind == NODE_UNATTACHED) {
        each_device(q->w.m->root, n->kind, &number, f, to);
    } else if (n->kind == NODE_DEVICE && has_backend(n->dev)) {
        f(to, "virtio-backend", &(Node){ .kind = NODE_BACKEND, .dev = n->dev });
    } else if (n->kind == NODE_OBJECTS) {
        each_object(q, f, to);
    } else if (n->kind == NODE_CHARDEVS) {
        each_chardev(q, f, to);
    }
}

/* ---- Properties -------------------------------------------------------------------------------
 */

static char *chardev_type(const char *spec)
{
    static const char *const sockets[] = { "unix", "tcp", "telnet", "fd", NULL };
    g_autofree char *kind = g_strndup(spec, strcspn(spec, ":,"));

    return g_strdup_printf("chardev-%s", g_strv_contains(sockets, kind) ? "socket" : kind);
}

static char *machine_type(Qmp *q)
{
    const char *name = q->w.m->config->machine;

    return g_strdup_printf("%s-machine", name ? options_canonical_machine(name) : "none");
}

static char *type_of(Qmp *q, const Node *n)
{

    switch (n->kind) {
    case NODE_MACHINE: return machine_type(q);
    case NODE_CPU: return g_strdup_printf("%s-x86_64-cpu", q->w.m->cpus->model);
    case NODE_DEVICE: return g_strdup(n->dev->klass->name);
    case NODE_BACKEND: /* virtio-blk-pci's is a virtio-blk-device */
        return g_strdup_printf("%.*s-device", (int)strlen(n->dev->klass->name) - 4,
                               n->dev->klass->name);
    case NODE_OBJECT: return g_strdup(n->object->driver);
    case NODE_CHARDEV: return chardev_type(n->chardev->spec);
    default: return g_strdup("container");
    }
}

static Json *text(const char *s)
{
    return json_object_new_string(s ? s : "");
}

static void tell_flag(const char *name, bool on, QmpEachProperty *f, void *to)
{
    f(to, name, "bool", json_object_new_boolean(on));
}

static void each_of_machine(Qmp *q, QmpEachProperty *f, void *to)
{
    static const char *const lacking[] = { "usb", "nvdimm", "sata", "hmat" };
    const MachineConfig *c = q->w.m->config;
    const struct {
        const char *name;
        bool lacks;
    } parts[] = { { "acpi", c->no_acpi },
                  { "pit", c->no_pit },
                  { "pic", c->no_pic },
                  { "vmport", c->no_vmport },
                  { "smm", !c->smm } };

    f(to, "kernel", "string", text(c->kernel));
    f(to, "initrd", "string", text(c->initrd));
    f(to, "append", "string", text(c->append));
    f(to, "firmware", "string", text(c->bios ? c->bios : "bios-256k.bin"));
    f(to, "boot", "BootConfiguration",
      json_make("order:s once:s", c->boot_order ? c->boot_order : "cad", c->boot_once));
    f(to, "smbios-entry-point-type", "str", text(c->smbios_64 ? "64" : "32"));
    f(to, "x-oem-id", "string", text(c->acpi_oem_id ? c->acpi_oem_id : "BOCHS "));
    f(to, "x-oem-table-id", "string",
      text(c->acpi_oem_table_id ? c->acpi_oem_table_id : "BXPC    "));
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        f(to, parts[i].name, "OnOffAuto", text(parts[i].lacks ? "off" : "on"));
    tell_flag("hpet", c->hpet, f, to);
    tell_flag("graphics", !c->nographic, f, to);
    tell_flag("dump-guest-core", c->ram_in_core, f, to);
    tell_flag("i8042", !c->no_i8042, f, to);
    tell_flag("smbus", true, f, to);
    for (size_t i = 0; i < G_N_ELEMENTS(lacking); i++)
        tell_flag(lacking[i], false, f, to);
    f(to, "memory", "MemorySizeConfiguration",
      json_make("size:u max-size:u slots:i", c->ram_size, c->ram_size, INT64_C(0)));
    f(to, "smp", "SMPConfiguration",
      json_make("cpus:i maxcpus:i sockets:i dies:i clusters:i cores:i threads:i", (int64_t)c->cpus,
                (int64_t)c->max_cpus, (int64_t)c->sockets, INT64_C(1), INT64_C(1),
                (int64_t)c->cores, (int64_t)c->threads));
}

static void each_of_cpu(Qmp *q, unsigned n, QmpEachProperty *f, void *to)
{
    const CpuBus *cpus = q->w.m->cpus;
    CpuPlace place = cpus->place(cpus->opaque, n);
    Json *props = NULL;

    tell_flag("realized", true, f, to);
    tell_flag("hotplugged", *monitor_cpu_id(q->w.mon, n), f, to);
    tell_flag("hotpluggable", true, f, to);
    f(to, "die-id", "int32", json_object_new_int(0));
    f(to, "socket-id", "int32", json_object_new_int64(place.socket));
    f(to, "core-id", "int32", json_object_new_int64(place.core));
    f(to, "thread-id", "int32", json_object_new_int64(place.thread));
    if (q->w.facts.expand_model)
        props = q->w.facts.expand_model(q->w.facts.opaque, q->w.m->config->cpu_model, NULL);
    if (!props)
        return;
    json_object_object_foreach (props, name, value) {
        bool flag = json_object_is_type(value, json_type_boolean);
        bool words = json_object_is_type(value, json_type_string);

        f(to, name, flag ? "bool" : words ? "string" : "int", json_object_get(value));
    }
    json_object_put(props);
}

static void each_property(Qmp *q, const Node *n, QmpEachProperty *f, void *to)
{
    g_autofree char *type = type_of(q, n);

    f(to, "type", "string", text(type));
    if (n->kind == NODE_MACHINE)
        each_of_machine(q, f, to);
    else if (n->kind == NODE_CPU)
        each_of_cpu(q, n->cpu, f, to);
    else if (n->kind == NODE_DEVICE)
        qmp_each_of_device(q, n->dev, f, to);
    else if (n->kind == NODE_OBJECT)
        qmp_each_of_object(n->object, f, to);
}

/* ---- Paths ------------------------------------------------------------------------------------
 */

typedef struct Search {
    const char *name;
    Node found;
    bool done;
} Search;

static void match_child(void *to, const char *name, const Node *child)
{
    Search *s = to;

    if (s->done || strcmp(name, s->name))
        return;
    s->found = *child;
    s->done = true;
}

static bool resolve_from_root(Qmp *q, const char *path, Node *n)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    *n = (Node){ .kind = NODE_ROOT };
    for (char **part = parts; *part; part++) {
        Search s = { .name = *part };

        if (!**part)
            continue;
        each_child(q, n, match_child, &s);
        if (!s.done)
            return false;
        *n = s.found;
    }
    return true;
}

/* A name alone is looked for where names are. */
static bool resolve(Qmp *q, const char *path, Node *n, GError **error)
{
    static const char *const places[] = { "/machine/peripheral", "/objects", "/chardevs",
                                          "/machine/unattached", "" };
    bool found = *path == '/' && resolve_from_root(q, path, n);

    for (size_t i = 0; *path && *path != '/' && !found && i < G_N_ELEMENTS(places); i++) {
        g_autofree char *whole = g_strconcat(places[i], "/", path, NULL);

        found = resolve_from_root(q, whole, n);
    }
    if (!found)
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", path);
    return found;
}

typedef struct PathSearch {
    const Device *wanted;
    char *path;
} PathSearch;

static void match_device(void *to, const char *name, const Node *child)
{
    PathSearch *s = to;

    if (child->kind == NODE_DEVICE && child->dev == s->wanted)
        s->path = g_strdup(name);
}

char *qmp_device_path(Qmp *q, const Device *dev)
{
    static const char *const places[] = { [NODE_PERIPHERAL] = "peripheral",
                                          [NODE_ANONYMOUS] = "peripheral-anon",
                                          [NODE_UNATTACHED] = "unattached" };
    NodeKind place = place_of(dev);
    PathSearch s = { dev, NULL };
    g_autofree char *name = NULL;

    each_child(q, &(Node){ .kind = place }, match_device, &s);
    name = s.path;
    return name ? g_strdup_printf("/machine/%s/%s", places[place], name) : NULL;
}

/* ---- Commands ---------------------------------------------------------------------------------
 */

static void list_property(void *to, const char *name, const char *type, Json *value)
{
    json_object_array_add(to, json_make("name:s type:s", name, type));
    json_object_put(value);
}

typedef struct ChildList {
    Qmp *q;
    Json *list;
} ChildList;

static void list_child(void *to, const char *name, const Node *child)
{
    ChildList *l = to;
    g_autofree char *type = type_of(l->q, child), *link = g_strdup_printf("child<%s>", type);

    json_object_array_add(l->list, json_make("name:s type:s", name, link));
}

static Json *run_list(Qmp *q, Json *args, GError **error)
{
    ChildList l = { q, NULL };
    Node n;

    if (!resolve(q, json_text(args, "path", ""), &n, error))
        return NULL;
    l.list = json_object_new_array();
    each_property(q, &n, list_property, l.list);
    each_child(q, &n, list_child, &l);
    return l.list;
}

Json *qmp_machine_properties(Qmp *q)
{
    Json *list = json_object_new_array();

    each_of_machine(q, list_property, list);
    return list;
}

typedef struct Wanted {
    const char *name;
    Json *value;
    bool found;
} Wanted;

static void match_property(void *to, const char *name, const char *type, Json *value)
{
    Wanted *w = to;

    if (!w->found && !strcmp(name, w->name)) {
        w->found = true;
        w->value = value;
    } else {
        json_object_put(value);
    }
}

/* A child is told by its path. */
static Json *child_path(Qmp *q, const Node *n, const char *path, const char *name)
{
    Search s = { .name = name };
    g_autofree char *child =
        g_strdup_printf("%s%s%s", path, g_str_has_suffix(path, "/") ? "" : "/", name);

    each_child(q, n, match_child, &s);
    return s.done ? json_object_new_string(child) : NULL;
}

/* NULL with @error: it has no such property. */
static Json *find_property(Qmp *q, Json *args, char **owner, GError **error)
{
    const char *path = json_text(args, "path", "");
    Wanted w = { .name = json_text(args, "property", "") };
    Node n;

    if (!resolve(q, path, &n, error))
        return NULL;
    *owner = type_of(q, &n);
    each_property(q, &n, match_property, &w);
    if (!w.found)
        w.value = child_path(q, &n, path, w.name);
    if (!w.value)
        error_set(error, "Property '%s.%s' not found", *owner, w.name);
    return w.value;
}

static Json *run_get(Qmp *q, Json *args, GError **error)
{
    g_autofree char *owner = NULL;

    return find_property(q, args, &owner, error);
}

static const char *text_of(Json *value)
{
    if (json_object_is_type(value, json_type_boolean))
        return json_object_get_boolean(value) ? "on" : "off";
    return json_object_get_string(value);
}

/* False with @error: it cannot be set, or not to that. */
static bool set_property(Qmp *q, const Node *n, const char *owner, const char *property,
                         Json *value, GError **error)
{
    bool known = false;

    if (n->kind == NODE_OBJECT &&
        (qmp_set_of_object(n->object, property, value, &known, error) ||
         (!known && monitor_set_of_host(q->w.mon, g_hash_table_lookup(n->object->props, "id"),
                                        property, value ? text_of(value) : "", &known, error))))
        return true;
    if (!known)
        qmp_refuse_to_set(q, n->kind == NODE_DEVICE ? n->dev : NULL, owner, property, error);
    return false;
}

static Json *run_set(Qmp *q, Json *args, GError **error)
{
    g_autofree char *owner = NULL;
    Json *old = find_property(q, args, &owner, error);
    Node n;

    if (!old)
        return NULL;
    json_object_put(old);
    return resolve(q, json_text(args, "path", ""), &n, error) &&
                   set_property(q, &n, owner, json_text(args, "property", ""),
                                json_member(args, "value"), error)
               ? json_done()
               : NULL;
}

const QmpCommand qmp_qom_commands[] = {
    { "qom-list", "path:str", run_list },
    { "qom-get", "path:str property:str", run_get },
    { "qom-set", "path:str property:str value:any", run_set },
    { NULL },
};
