/* SPDX-License-Identifier: MIT */
/*
 * -object: what other options name. Memory is the machine's own whatever its backend is called,
 * random numbers come from -seed, each drive has a thread of its own and recordings have all that
 * networks say: those objects are checked for what they promise. Missing: files as memory, secrets,
 * filter-dump.
 */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

typedef enum ObjectKind { OBJECT_MEMORY, OBJECT_RNG, OBJECT_IOTHREAD, OBJECT_FILTER } ObjectKind;

typedef struct ObjectOption {
    ObjectKind kind;
    char *id;
    uint64_t size;
    char *netdev;
} ObjectOption;

void options_free_object(void *p)
{
    ObjectOption *object = p;

    g_free(object->id);
    g_free(object->netdev);
    g_free(object);
}

static const ObjectOption *find_object(const Options *o, const char *id)
{
    for (guint i = 0; i < o->objects->len; i++) {
        const ObjectOption *object = o->objects->pdata[i];

        if (!strcmp(object->id, id))
            return object;
    }
    return NULL;
}

/* ---- Properties ------------------------------------------------------------------------------ */

static bool take_as_is(void *ctx, const char *value, GError **error)
{
    return true; /* known by now, or the board's affair */
}

static bool set_id(void *ctx, const char *value, GError **error)
{
    g_free(((ObjectOption *)ctx)->id);
    ((ObjectOption *)ctx)->id = g_strdup(value);
    return true;
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    return parse_size(value, 1, &((ObjectOption *)ctx)->size, error);
}

static bool set_netdev(void *ctx, const char *value, GError **error)
{
    g_free(((ObjectOption *)ctx)->netdev);
    ((ObjectOption *)ctx)->netdev = g_strdup(value);
    return true;
}

/* With other processes, of which there are none. */
/* clang-format off */
static const KeyRow memory_keys[] = {
    { "qom-type", take_as_is }, { "id", set_id }, { "size", set_size }, { "share", key_is_switch },
    { "prealloc", key_must_be_off }, { "merge", key_must_be_off }, { "hugetlb", key_must_be_off }, { NULL },
};
static const KeyRow random_keys[] = {
    { "qom-type", take_as_is }, { "id", set_id }, { "filename", take_as_is }, { NULL },
};
static const KeyRow plain_keys[] = { { "qom-type", take_as_is }, { "id", set_id }, { NULL } };
static const KeyRow filter_keys[] = {
    { "qom-type", take_as_is }, { "id", set_id }, { "netdev", set_netdev }, { NULL },
};

static const struct {
    const char *type;
    ObjectKind kind;
    const KeyRow *keys;
} types[] = {
    { "memory-backend-ram", OBJECT_MEMORY, memory_keys },
    { "memory-backend-memfd", OBJECT_MEMORY, memory_keys },
    { "rng-random", OBJECT_RNG, random_keys },
    { "rng-builtin", OBJECT_RNG, plain_keys },
    { "iothread", OBJECT_IOTHREAD, plain_keys },
    { "filter-replay", OBJECT_FILTER, filter_keys },
};
/* clang-format on */

void options_each_object_type(void (*f)(void *opaque, const char *type), void *opaque)
{
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        f(opaque, types[i].type);
}

static void print_types(Options *o)
{
    options_answer(o, ANSWER_TEXT);
    g_string_append(o->answer, "List of user creatable objects:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        g_string_append_printf(o->answer, "  %s\n", types[i].type);
}

static bool check_object(const Options *o, const ObjectOption *object, GError **error)
{
    if (!object->id || !*object->id)
        error_set(error, "Parameter 'id' is missing");
    else if (find_object(o, object->id))
        error_set(error, "attempt to add duplicate property '%s' to object (type 'container')",
                  object->id);
    else if (object->kind == OBJECT_MEMORY && !object->size)
        error_set(error, "property 'size' of a memory backend must be given");
    else
        return true;
    return false;
}

static void hand_to_machine(Options *o, const char *type, GHashTable *pairs)
{
    DeviceOption *option = g_new0(DeviceOption, 1);

    option->driver = g_strdup(type);
    option->props = g_hash_table_ref(pairs);
    g_hash_table_remove(pairs, "qom-type");
    g_ptr_array_add(o->config.objects, option);
}

bool opt_object(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "qom-type");
    const char *type = g_hash_table_lookup(pairs, "qom-type");
    ObjectOption *object;
    size_t n = 0;

    if (is_help(arg)) {
        print_types(o);
        return true;
    }
    while (n < G_N_ELEMENTS(types) && g_strcmp0(types[n].type, type))
        n++;
    if (n == G_N_ELEMENTS(types)) {
        error_set(error, "object type '%s' is not supported (-object help lists those that are)",
                  type ? type : "");
        return false;
    }
    object = g_new0(ObjectOption, 1);
    object->kind = types[n].kind;
    if (!keyval_apply(arg, "qom-type", types[n].keys, object, error) ||
        !check_object(o, object, error)) {
        options_free_object(object);
        return false;
    }
    g_ptr_array_add(o->objects, object);
    hand_to_machine(o, types[n].type, pairs);
    return true;
}

/* ---- Those who name them --------------------------------------------------------------------- */

/* What -device says with @property is true of it by now: it does not hear of it. */
static bool take_reference(const Options *o, const DeviceOption *d, const char *property,
                           ObjectKind kind, GError **error)
{
    const char *id = g_hash_table_lookup(d->props, property);
    const ObjectOption *object = id ? find_object(o, id) : NULL;

    if (!id)
        return true;
    if (!object || object->kind != kind) {
        error_set(error, "-device %s: there is no object '%s' for %s= (-object ...,id=)", d->driver,
                  id, property);
        return false;
    }
    g_hash_table_remove(d->props, property);
    return true;
}

uint64_t options_memory_size(const Options *o, const char *id)
{
    const ObjectOption *object = find_object(o, id);

    return object && object->kind == OBJECT_MEMORY ? object->size : 0;
}

/* A filter stands in the way of a network that is there. */
static bool check_filters(const Options *o, GError **error)
{
    for (guint i = 0; i < o->objects->len; i++) {
        const ObjectOption *object = o->objects->pdata[i];
        bool found = object->kind != OBJECT_FILTER;

        for (guint n = 0; n < o->config.netdevs->len && object->netdev && !found; n++)
            found = !g_strcmp0(((NetdevOption *)o->config.netdevs->pdata[n])->id, object->netdev);
        if (found)
            continue;
        if (object->netdev)
            error_set(
                error,
                "-object filter-replay,id=%s: Parameter 'netdev' expects a network backend id",
                object->id);
        else
            error_set(error, "-object filter-replay,id=%s: a netdev is needed", object->id);
        return false;
    }
    return true;
}

static bool check_memory(const Options *o, GError **error)
{
    const ObjectOption *object = o->memory_backend ? find_object(o, o->memory_backend) : NULL;

    if (!o->memory_backend)
        return true;
    if (!object || object->kind != OBJECT_MEMORY)
        error_set(error, "-machine memory-backend=%s: Memory backend '%s' not found",
                  o->memory_backend, o->memory_backend);
    else if (object->size != o->config.ram_size)
        error_set(error, "Machine memory size does not match the size of the memory backend");
    else
        return true;
    return false;
}

bool options_complete_objects(Options *o, GError **error)
{
    for (guint i = 0; i < o->config.devices->len; i++) {
        const DeviceOption *d = o->config.devices->pdata[i];

        if (!take_reference(o, d, "iothread", OBJECT_IOTHREAD, error))
            return false;
    }
    return check_memory(o, error) && check_filters(o, error);
}
