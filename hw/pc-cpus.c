/* SPDX-License-Identifier: MIT */
/*
 * Plugging CPUs in and out: MODEL-x86_64-cpu, by its place in the topology. All CPUs that there can
 * be exist from the start; one that is absent neither runs nor hears anything.
 */
#include <string.h>

#include "hw/apic.h"
#include "hw/cpu-hotplug.h"
#include "hw/pc-internal.h"
#include "softmmu/error.h"

#define TYPE_SUFFIX "-x86_64-cpu"

bool pc_is_cpu(const DeviceOption *o)
{
    return g_str_has_suffix(o->driver, TYPE_SUFFIX);
}

unsigned pc_count_cpus(const PcBoard *b)
{
    const CpuBus *cpus = b->m->cpus;
    unsigned count = 0;

    for (unsigned n = 0; n < cpus->count; n++)
        count += cpus->is_present(cpus->opaque, n);
    return count;
}

/* ---- Where it goes ----------------------------------------------------------------------------
 */

typedef struct PlaceRow {
    const char *key;
    unsigned value, count; /* of the topology */
} PlaceRow;

static bool take_place(const DeviceOption *o, PlaceRow *row, GError **error)
{
    const char *text = g_hash_table_lookup(o->props, row->key);
    char *end;
    uint64_t n;

    if (!text) {
        error_set(error, "%s is not set; info hotpluggable-cpus lists the sockets", row->key);
        return false;
    }
    n = g_ascii_strtoull(text, &end, 10);
    if (!g_ascii_isdigit(*text) || *end || n >= row->count) {
        error_set(error, "Invalid CPU %s: %s must be in range 0:%u", row->key, text,
                  row->count - 1);
        return false;
    }
    row->value = n;
    return true;
}

/* There is one of these per package. */
static bool is_zero(const DeviceOption *o, const char *key, GError **error)
{
    const char *text = g_hash_table_lookup(o->props, key);

    if (!text || g_str_equal(text, "0"))
        return true;
    error_set(error, "Invalid CPU %s: %s must be in range 0:0", key, text);
    return false;
}

static bool find_socket(PcBoard *b, const DeviceOption *o, unsigned *n, GError **error)
{
    const CpuBus *cpus = b->m->cpus;
    CpuPlace last = cpus->place(cpus->opaque, cpus->count - 1);
    PlaceRow rows[] = { { "socket-id", 0, last.socket + 1 },
                        { "core-id", 0, last.core + 1 },
                        { "thread-id", 0, last.thread + 1 } };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!take_place(o, &rows[i], error))
            return false;
    if (!is_zero(o, "die-id", error) || !is_zero(o, "node-id", error))
        return false;
    *n = (rows[0].value * rows[1].count + rows[1].value) * rows[2].count + rows[2].value;
    if (!cpus->is_present(cpus->opaque, *n))
        return true;
    error_set(error, "CPU[%u] with APIC ID %u exists", *n, cpus->apic_id(cpus->opaque, *n));
    return false;
}

/* ---- Coming and going -------------------------------------------------------------------------
 */

static bool is_our_model(const PcBoard *b, const DeviceOption *o, GError **error)
{
    g_autofree char *type = g_strconcat(b->m->cpus->model, TYPE_SUFFIX, NULL);

    if (g_str_equal(type, o->driver))
        return true;
    error_set(error, "Invalid CPU type, expected cpu type: '%s'", type);
    return false;
}

static bool check_id(const PcBoard *b, const char *id, GError **error)
{
    if (!id)
        return true;
    if (!device_check_id(id, error))
        return false;
    if (strlen(id) >= CPU_HOTPLUG_ID)
        error_set(error, "id=%s: more than %u characters", id, CPU_HOTPLUG_ID - 1);
    else if (cpu_hotplug_find(b->sockets, id) >= 0)
        error_set(error, "Duplicate device ID '%s'", id);
    else
        return true;
    return false;
}

static bool has_only_known(const DeviceOption *o, GError **error)
{
    static const char *const known[] = { "id",     "socket-id", "core-id", "thread-id",
                                         "die-id", "node-id",   NULL };
    GHashTableIter iter;
    gpointer key;

    g_hash_table_iter_init(&iter, o->props);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        if (!g_strv_contains(known, key)) {
            error_set(error, "it has no property '%s'; features are those of -cpu", (char *)key);
            return false;
        }
    }
    return true;
}

bool pc_plug_cpu(PcBoard *b, const DeviceOption *o, bool tell, GError **error)
{
    const CpuBus *cpus = b->m->cpus;
    const char *id = g_hash_table_lookup(o->props, "id");
    unsigned n;

    if (!is_our_model(b, o, error) || !has_only_known(o, error) || !check_id(b, id, error) ||
        !find_socket(b, o, &n, error))
        return false;
    cpus->set_present(cpus->opaque, n, true);
    apic_set_reset(b->apics, n, false);
    cpu_hotplug_plug(b->sockets, n, id ? id : "", tell);
    if (tell) /* else the board is not complete, and will tell of all CPUs */
        pc_tell_cpus(b);
    return true;
}

static void eject(void *opaque, unsigned n, const char *id)
{
    PcBoard *b = opaque;
    const CpuBus *cpus = b->m->cpus;

    cpus->set_present(cpus->opaque, n, false);
    apic_set_reset(b->apics, n, false); /* its timer stops */
    pc_tell_cpus(b);
    if (*id)
        machine_emit(b->m, "DEVICE_DELETED",
                     "{\"device\": \"%s\", \"path\": \"/machine/peripheral/%s\"}", id, id);
    else
        machine_emit(b->m, "DEVICE_DELETED", "{\"path\": \"/machine/unattached/device[%u]\"}", n);
}

static void report(void *opaque, unsigned n, const char *id, uint32_t event, uint32_t status)
{
    PcBoard *b = opaque;
    g_autofree char *device = *id ? g_strdup_printf("\"device\": \"%s\", ", id) : g_strdup("");

    machine_emit(b->m, "ACPI_DEVICE_OST",
                 "{\"info\": {%s\"slot\": \"%u\", \"slot-type\": \"CPU\", \"source\": %u, "
                 "\"status\": %u}}",
                 device, n, event, status);
}

void pc_create_cpu_sockets(PcBoard *b)
{
    CpuHotplugWiring w = { .ports = b->pm ? &b->m->io_root : NULL,
                           .cpus = b->m->cpus,
                           .event = &b->cpu_event,
                           .eject = eject,
                           .report = report,
                           .opaque = b };

    b->sockets = cpu_hotplug_new(&b->dev, &w);
}
