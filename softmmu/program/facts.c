/* SPDX-License-Identifier: MIT */
#include "softmmu/program/facts.h"

#include "accel/accel.h"
#include "hw/pc.h"
#include "target-i386/cpuid.h"

/* ---- PCI --------------------------------------------------------------------------------------
 */

static Json *describe_region(const PcPciRegion *r)
{
    if (r->io)
        return json_make("bar:i size:u address:i type:s", (int64_t)r->bar, r->size, r->addr, "io");
    return json_make("prefetch:b mem_type_64:b bar:i size:u address:i type:s", r->prefetch, r->wide,
                     (int64_t)r->bar, r->size, r->addr, "memory");
}

static void add_function(void *opaque, const PcPciFunction *f)
{
    Json *regions = json_object_new_array(), *id, *kind, *function;

    for (unsigned i = 0; i < f->region_count; i++)
        json_object_array_add(regions, describe_region(&f->regions[i]));
    id = json_make("device:i vendor:i subsystem-vendor:i subsystem:i", (int64_t)f->device,
                   (int64_t)f->vendor, (int64_t)f->subsystem_vendor, (int64_t)f->subsystem);
    kind = json_make("class:i desc:s", (int64_t)f->class_code, pc_pci_class_name(f->class_code));
    function = json_make("irq_pin:i bus:i qdev_id:s slot:i class_info:o id:o function:i regions:o",
                         (int64_t)f->pin, INT64_C(0), f->id, (int64_t)f->slot, kind, id,
                         (int64_t)f->function, regions);
    if (f->pin)
        json_object_object_add(function, "irq", json_object_new_int(f->irq));
    json_object_array_add(opaque, function);
}

static Json *pci(void *opaque)
{
    Built *b = opaque;
    Json *functions = json_object_new_array(), *buses = json_object_new_array();

    pc_each_pci(&b->machine, add_function, functions);
    json_object_array_add(buses, json_make("bus:i devices:o", INT64_C(0), functions));
    return buses;
}

static char *pci_place(void *opaque, const Device *dev)
{
    unsigned slot, function;

    if (!pc_pci_place(&((Built *)opaque)->machine, dev, &slot, &function))
        return NULL;
    return g_strdup_printf("%02x.%u", slot, function);
}

/* ---- CPU models -------------------------------------------------------------------------------
 */

typedef struct ModelList {
    Json *models;
    unsigned engine;
} ModelList;

static void add_model(void *opaque, const char *name, const char *alias)
{
    ModelList *list = opaque;
    g_autofree char *type = g_strdup_printf("%s-x86_64-cpu", name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    Json *lacking = json_object_new_array();
    X86ModelChoice choice;

    g_assert(x86_model_find(name, &choice));
    x86_model_lacks(name, list->engine, names);
    for (guint i = 0; i < names->len; i++)
        json_object_array_add(lacking, json_object_new_string(names->pdata[i]));
    json_object_array_add(
        list->models,
        json_make("name:s typename:s unavailable-features:o alias-of:s static:b migration-safe:b "
                  "deprecated:b",
                  name, type, lacking, alias, 0, !choice.model->all, 0));
}

static Json *cpu_models(void *opaque)
{
    ModelList list = { json_object_new_array(), accel_features(((Built *)opaque)->accel) };

    x86_models_each(add_model, &list);
    return list.models;
}

static void add_feature(void *opaque, const char *name, bool on)
{
    json_object_object_add(opaque, name, json_object_new_boolean(on));
}

static Json *expand_model(void *opaque, const char *text, GError **error)
{
    X86CpuSpec spec = { .engine = accel_features(((Built *)opaque)->accel) };
    const X86Model *m = &spec.model;
    Json *props;

    if (!x86_spec_parse(&spec, text, NULL, error))
        return NULL;
    props =
        json_make("vendor:s family:i model:i stepping:i level:u xlevel:u model-id:s phys-bits:i",
                  m->vendor, (int64_t)m->family, (int64_t)m->model, (int64_t)m->stepping,
                  (uint64_t)m->level, (uint64_t)m->xlevel, m->model_id, (int64_t)spec.phys_bits);
    x86_features_each(m->features, add_feature, props);
    return props;
}

/* ---- Drivers ----------------------------------------------------------------------------------
 */

typedef struct PropertyCall {
    void (*f)(void *to, const QmpProperty *p);
    void *to;
} PropertyCall;

static void tell_property(void *opaque, const PcProperty *p)
{
    PropertyCall *call = opaque;
    QmpProperty same = { p->name, p->type, p->desc };

    call->f(call->to, &same);
}

static bool each_property(const char *driver, void (*f)(void *to, const QmpProperty *p), void *to)
{
    PropertyCall call = { f, to };

    return pc_each_property(driver, tell_property, &call);
}

/* ---- Disks ------------------------------------------------------------------------------------
 */

static bool unit(void *opaque, const Device *dev, unsigned n, QmpUnit *u)
{
    PcUnit found;

    if (!pc_unit(dev, n, &found))
        return false;
    *u = (QmpUnit){ found.driver, found.serial, found.drive };
    return true;
}

static bool generation(void *opaque, uint8_t *guid)
{
    return pc_get_generation(&((Built *)opaque)->machine, guid);
}

QmpFacts facts_for_qmp(Built *b)
{
    return (QmpFacts){ .pci = b->has_board ? pci : NULL,
                       .cpu_models = cpu_models,
                       .expand_model = expand_model,
                       .each_driver = pc_each_driver,
                       .each_property = each_property,
                       .pci_place = b->has_board ? pci_place : NULL,
                       .unit = unit,
                       .generation = b->has_board ? generation : NULL,
                       .opaque = b };
}
