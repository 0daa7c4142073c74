/* SPDX-License-Identifier: MIT */
/* What this program can do, for those who choose what to ask of it: machines, CPU models, types,
 * options. */
#include <string.h>

#include "softmmu/program/options/options.h"
#include "softmmu/program/qmp/internal.h"

#define CPU_SUFFIX "-x86_64-cpu"

/* ---- Machines ---------------------------------------------------------------------------------
 */

/* An alias and what it stands for are one entry. */
static void add_machine(void *opaque, const char *name)
{
    const char *canonical = options_canonical_machine(name);
    bool board = strcmp(name, "none"), usual = !strcmp(name, options_canonical_machine("pc"));
    Json *m;

    if (strcmp(canonical, name))
        return;
    m = json_make("hotpluggable-cpus:b name:s numa-mem-supported:b default-cpu-type:s cpu-max:i "
                  "deprecated:b default-ram-id:s alias:s",
                  board, name, 0, board ? "qemu64" CPU_SUFFIX : NULL,
                  board ? INT64_C(255) : INT64_C(1), 0, board ? "pc.ram" : NULL,
                  usual ? "pc" : NULL);
    if (usual)
        json_object_object_add(m, "is-default", json_object_new_boolean(true));
    json_object_array_add(opaque, m);
}

static Json *run_machines(Qmp *q, Json *args, GError **error)
{
    Json *list = json_object_new_array();

    options_each_machine(add_machine, list);
    return list;
}

static Json *run_current_machine(Qmp *q, Json *args, GError **error)
{
    return json_make("wakeup-suspend-support:b", q->w.facts.pci != NULL);
}

/* ---- CPU models -------------------------------------------------------------------------------
 */

static Json *run_cpu_models(Qmp *q, Json *args, GError **error)
{
    return q->w.facts.cpu_models ? q->w.facts.cpu_models(q->w.facts.opaque)
                                 : json_object_new_array();
}

/* {"name": "max", "props": {"sse": false}} as "max,sse=off". */
static char *model_text(Json *model, GError **error)
{
    Json *props = json_member(model, "props");
    g_autoptr(GString) text = g_string_new(json_text(model, "name", ""));

    if (strchr(text->str, ',') || (props && !json_object_is_type(props, json_type_object))) {
        error_set(error, "Invalid parameter 'model'");
        return NULL;
    }
    if (!props)
        return g_strdup(text->str);
    json_object_object_foreach (props, name, value) {
        bool flag = json_object_is_type(value, json_type_boolean);
        const char *said = flag    ? json_object_get_boolean(value) ? "on" : "off"
                           : value ? json_object_get_string(value)
                                   : "";

        g_string_append_printf(text, ",%s=%s", name, said);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* Static and full differ in QEMU by what a model means elsewhere: here all properties are given. */
static Json *run_expansion(Qmp *q, Json *args, GError **error)
{
    const char *type = json_text(args, "type", "");
    Json *model = json_member(args, "model"), *props;
    g_autofree char *text = NULL;

    if (strcmp(type, "static") && strcmp(type, "full")) {
        error_set(error, "Parameter 'type' does not accept value '%s'", type);
        return NULL;
    }
    if (!json_object_is_type(json_member(model, "name"), json_type_string)) {
        error_set(error, "Parameter 'model.name' is missing");
        return NULL;
    }
    if (!q->w.facts.expand_model) {
        error_set(error, "CPU model '%s' not found", json_text(model, "name", ""));
        return NULL;
    }
    text = model_text(model, error);
    props = text ? q->w.facts.expand_model(q->w.facts.opaque, text, error) : NULL;
    if (!props)
        return NULL;
    return json_make("model:o", json_make("name:s props:o", json_text(model, "name", ""), props));
}

/* ---- Types ------------------------------------------------------------------------------------
 */

/* What stands above types; nobody can have one of these. */
static const struct {
    const char *name, *parent;
} abstract_types[] = {
    { "device", "object" },
    { "pci-device", "device" },
    { "isa-device", "device" },
    { "ide-device", "device" },
    { "virtio-serial-port", "device" },
    { "cpu", "device" },
    { "x86_64-cpu", "cpu" },
    { "machine", "object" },
    { "x86-machine", "machine" },
    { "generic-pc-machine", "x86-machine" },
    { "memory-backend", "object" },
    { "rng-backend", "object" },
    { "netfilter", "object" },
};

static const char *parent_of(const char *type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(abstract_types); i++)
        if (!strcmp(abstract_types[i].name, type))
            return abstract_types[i].parent;
    return NULL;
}

static bool is_a(const char *parent, const char *type)
{
    while (parent && strcmp(parent, type))
        parent = parent_of(parent);
    return parent;
}

typedef struct TypeList {
    Json *list;
    const char *implements; /* NULL: any */
    bool abstract;
} TypeList;

static void add_type(TypeList *l, const char *name, const char *parent, bool abstract)
{
    bool same = l->implements && !strcmp(name, l->implements);
    Json *type;

    if ((abstract && !l->abstract) || (l->implements && !same && !is_a(parent, l->implements)))
        return;
    type = json_make("name:s parent:s", name, parent);
    if (abstract)
        json_object_object_add(type, "abstract", json_object_new_boolean(true));
    json_object_array_add(l->list, type);
}

static void add_driver(void *opaque, const char *name, const char *bus)
{
    static const char *const parents[][2] = {
        { "PCI", "pci-device" },
        { "ISA", "isa-device" },
        { "IDE", "ide-device" },
        { "virtio-serial-bus", "virtio-serial-port" },
    };
    const char *parent = "device";

    for (size_t i = 0; i < G_N_ELEMENTS(parents); i++)
        if (!strcmp(parents[i][0], bus))
            parent = parents[i][1];
    add_type(opaque, name, parent, false);
}

static void add_machine_type(void *opaque, const char *name)
{
    g_autofree char *type = g_strdup_printf("%s-machine", name);

    if (!strcmp(options_canonical_machine(name), name))
        add_type(opaque, type, strcmp(name, "none") ? "generic-pc-machine" : "machine", false);
}

static void add_object_type(void *opaque, const char *type)
{
    const char *parent = g_str_has_prefix(type, "memory-backend-") ? "memory-backend"
                         : g_str_has_prefix(type, "rng-")          ? "rng-backend"
                         : g_str_has_prefix(type, "filter-")       ? "netfilter"
                                                                   : "object";

    add_type(opaque, type, parent, false);
}

static void add_cpu_types(Qmp *q, TypeList *l)
{
    Json *models = run_cpu_models(q, NULL, NULL);

    for (size_t i = 0; i < json_object_array_length(models); i++)
        add_type(l, json_text(json_object_array_get_idx(models, i), "typename", ""), "x86_64-cpu",
                 false);
    json_object_put(models);
}

static Json *run_types(Qmp *q, Json *args, GError **error)
{
    TypeList l = { json_object_new_array(), json_text(args, "implements", NULL),
                   json_flag(args, "abstract", false) };

    for (size_t i = 0; i < G_N_ELEMENTS(abstract_types); i++)
        add_type(&l, abstract_types[i].name, abstract_types[i].parent, true);
    if (q->w.facts.each_driver)
        q->w.facts.each_driver(add_driver, &l);
    options_each_machine(add_machine_type, &l);
    options_each_object_type(add_object_type, &l);
    add_cpu_types(q, &l);
    return l.list;
}

/* ---- Properties of types ----------------------------------------------------------------------
 */

static void add_property(void *to, const QmpProperty *p)
{
    json_object_array_add(to, json_make("name:s type:s description:s", p->name, p->type, p->desc));
}

/* Features of a model, unset. NULL: there is no such. */
static Json *cpu_properties(Qmp *q, const char *type)
{
    g_autofree char *name = g_strndup(type, strlen(type) - strlen(CPU_SUFFIX));
    Json *props = NULL, *list;

    if (q->w.facts.expand_model && !strchr(name, ','))
        props = q->w.facts.expand_model(q->w.facts.opaque, name, NULL);
    if (!props)
        return NULL;
    list = json_object_new_array();
    json_object_object_foreach (props, key, value) {
        bool flag = json_object_is_type(value, json_type_boolean);
        bool text = json_object_is_type(value, json_type_string);

        json_object_array_add(list, json_make("name:s type:s", key,
                                              flag   ? "bool"
                                              : text ? "string"
                                                     : "int"));
    }
    json_object_put(props);
    return list;
}

/* NULL: it is no type of a device. */
static Json *device_properties(Qmp *q, const char *type)
{
    Json *list;

    if (g_str_has_suffix(type, CPU_SUFFIX))
        return cpu_properties(q, type);
    if (!q->w.facts.each_property)
        return NULL;
    list = json_object_new_array();
    if (q->w.facts.each_property(type, add_property, list))
        return list;
    json_object_put(list);
    return NULL;
}

static bool is_abstract(const char *type)
{
    return parent_of(type) || !strcmp(type, "object");
}

static void match_object(void *opaque, const char *type)
{
    const char **wanted = opaque;

    if (*wanted && !strcmp(*wanted, type))
        *wanted = NULL;
}

static bool is_object(const char *type)
{
    options_each_object_type(match_object, &type);
    return !type;
}

static Json *run_device_properties(Qmp *q, Json *args, GError **error)
{
    const char *type = json_text(args, "typename", "");
    Json *list = device_properties(q, type);

    if (!list && (is_abstract(type) || is_object(type)))
        error_set(error, "Parameter 'typename' expects a non-abstract device type");
    else if (!list)
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Device '%s' not found", type);
    return list;
}

static void match_machine(void *opaque, const char *name)
{
    const char **wanted = opaque;
    g_autofree char *type = g_strdup_printf("%s-machine", name);

    if (*wanted && !strcmp(*wanted, type))
        *wanted = NULL;
}

static bool is_machine(const char *type)
{
    options_each_machine(match_machine, &type);
    return !type;
}

static Json *run_type_properties(Qmp *q, Json *args, GError **error)
{
    const char *type = json_text(args, "typename", "");
    Json *list = device_properties(q, type);

    if (!list && is_machine(type))
        list = qmp_machine_properties(q);
    if (!list && (is_abstract(type) || is_object(type)))
        list = json_object_new_array();
    if (list)
        json_object_array_add(list, json_make("name:s type:s", "type", "string"));
    else
        g_set_error(error, ERROR_USER, QMP_DEVICE_NOT_FOUND, "Class '%s' not found", type);
    return list;
}

/* ---- Options ----------------------------------------------------------------------------------
 */

/* Parameters are the words before = in what help says of the argument. */
static Json *parameters_of(const char *arg)
{
    Json *list = json_object_new_array();

    for (const char *eq = arg ? strchr(arg, '=') : NULL; eq; eq = strchr(eq + 1, '=')) {
        const char *word = eq;
        g_autofree char *name = NULL;

        while (word > arg && (g_ascii_islower(word[-1]) || word[-1] == '-'))
            word--;
        name = g_strndup(word, eq - word);
        if (*name)
            json_object_array_add(list, json_make("name:s type:s", name, "string"));
    }
    return list;
}

typedef struct OptionList {
    Json *list;
    const char *only; /* NULL: all */
} OptionList;

static void add_option(void *opaque, const char *name, const char *arg)
{
    OptionList *l = opaque;

    if (!l->only || !strcmp(l->only, name))
        json_object_array_add(l->list,
                              json_make("parameters:o option:s", parameters_of(arg), name));
}

static Json *run_options(Qmp *q, Json *args, GError **error)
{
    OptionList l = { json_object_new_array(), json_text(args, "option", NULL) };

    options_each(add_option, &l);
    if (!l.only || json_object_array_length(l.list))
        return l.list;
    error_set(error, "Invalid parameter '%s'", l.only);
    json_object_put(l.list);
    return NULL;
}

static Json *run_display(Qmp *q, Json *args, GError **error)
{
    return json_make("type:s", q->w.display ? q->w.display : "none");
}

const QmpCommand qmp_probe_commands[] = {
    { "query-machines", "", run_machines },
    { "query-current-machine", "", run_current_machine },
    { "query-cpu-definitions", "", run_cpu_models },
    { "query-cpu-model-expansion", "type:str model:{}", run_expansion },
    { "query-command-line-options", "option:str?", run_options },
    { "query-display-options", "", run_display },
    { "qom-list-types", "implements:str? abstract:bool?", run_types },
    { "qom-list-properties", "typename:str", run_type_properties },
    { "device-list-properties", "typename:str", run_device_properties },
    { NULL },
};
