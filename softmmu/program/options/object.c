/* SPDX-License-Identifier: MIT */
/*
 * -object: what other options name. Random numbers come from -seed, each drive has a thread of its
 * own and recordings have all that networks say: those objects are checked for what they promise.
 * Missing: memory of a NUMA node of the host's, encrypted secrets.
 */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

typedef enum ObjectKind {
    OBJECT_MEMORY,
    OBJECT_RNG,
    OBJECT_IOTHREAD,
    OBJECT_FILTER,
    OBJECT_DUMP, /* a filter, too */
    OBJECT_SECRET,
} ObjectKind;

typedef struct ObjectOption {
    ObjectKind kind;
    char *id;
    char *netdev, *file;
    MemoryBackend *memory; /* the configuration's */
    GBytes *secret;        /* what it says, once it was read */
    char *data;
    bool base64;
} ObjectOption;

void options_free_object(void *p)
{
    ObjectOption *object = p;

    g_free(object->id);
    g_free(object->netdev);
    g_free(object->file);
    g_free(object->data);
    g_clear_pointer(&object->secret, g_bytes_unref);
    g_free(object);
}

void options_free_memory_backend(void *p)
{
    MemoryBackend *memory = p;

    g_free(memory->id);
    g_free(memory->backing.path);
    g_free(memory);
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

static bool replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
    return true;
}

/* ---- … of memory ----------------------------------------------------------------------------- */

static RamBacking *backing_of(void *ctx)
{
    return &((ObjectOption *)ctx)->memory->backing;
}

static bool set_size(void *ctx, const char *value, GError **error)
{
    return parse_size(value, 1, &((ObjectOption *)ctx)->memory->size, error);
}

static bool set_path(void *ctx, const char *value, GError **error)
{
    return replace(&backing_of(ctx)->path, value);
}

static bool set_share(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &backing_of(ctx)->share, error);
}

static bool set_seal(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &backing_of(ctx)->sealed, error);
}

static bool set_prealloc(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &backing_of(ctx)->prealloc, error);
}

static bool set_merge(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &backing_of(ctx)->merge, error);
}

static bool set_dump(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &backing_of(ctx)->dump, error);
}

/* ---- … of filters and secrets ---------------------------------------------------------------- */

static bool set_file(void *ctx, const char *value, GError **error)
{
    return replace(&((ObjectOption *)ctx)->file, value);
}

static bool set_data(void *ctx, const char *value, GError **error)
{
    return replace(&((ObjectOption *)ctx)->data, value);
}

static bool set_format(void *ctx, const char *value, GError **error)
{
    ((ObjectOption *)ctx)->base64 = !strcmp(value, "base64");
    if (((ObjectOption *)ctx)->base64 || !strcmp(value, "raw"))
        return true;
    error_set(error, "Parameter 'format' does not accept value '%s'", value);
    return false;
}

static bool check_frame_length(void *ctx, const char *value, GError **error)
{
    uint64_t n;

    return parse_number(value, 1, UINT32_MAX, &n, error);
}

static bool check_queue(void *ctx, const char *value, GError **error)
{
    if (!strcmp(value, "all") || !strcmp(value, "rx") || !strcmp(value, "tx"))
        return true;
    error_set(error, "Parameter 'queue' does not accept value '%s'", value);
    return false;
}

static bool set_netdev(void *ctx, const char *value, GError **error)
{
    return replace(&((ObjectOption *)ctx)->netdev, value);
}

/* clang-format off */
#define MEMORY_KEYS \
    { "qom-type", take_as_is }, { "id", set_id }, { "size", set_size }, { "share", set_share }, \
    { "prealloc", set_prealloc }, { "merge", set_merge }, { "dump", set_dump }, { "reserve", key_must_be_on }, \
    { "x-use-canonical-path-for-ramblock-id", key_must_be_off }
static const KeyRow memory_keys[] = { MEMORY_KEYS, { NULL } };
static const KeyRow file_keys[] = { MEMORY_KEYS, { "mem-path", set_path }, { "readonly", key_must_be_off },
    { "discard-data", key_is_switch }, /* allows us to forget what is there: we need not */
    { NULL } };
static const KeyRow memfd_keys[] = { MEMORY_KEYS, { "seal", set_seal }, { "hugetlb", key_must_be_off }, { NULL } };
static const KeyRow secret_keys[] = {
    { "qom-type", take_as_is }, { "id", set_id }, { "data", set_data }, { "file", set_file }, { "format", set_format },
    { NULL },
};
static const KeyRow dump_keys[] = {
    { "qom-type", take_as_is }, { "id", set_id }, { "netdev", set_netdev }, { "file", set_file },
    { "maxlen", check_frame_length }, { "queue", check_queue }, { "status", key_is_switch }, { NULL },
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
    { "memory-backend-memfd", OBJECT_MEMORY, memfd_keys },
    { "memory-backend-file", OBJECT_MEMORY, file_keys },
    { "rng-random", OBJECT_RNG, random_keys },
    { "rng-builtin", OBJECT_RNG, plain_keys },
    { "iothread", OBJECT_IOTHREAD, plain_keys },
    { "filter-replay", OBJECT_FILTER, filter_keys },
    { "filter-dump", OBJECT_DUMP, dump_keys },
    { "secret", OBJECT_SECRET, secret_keys },
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
    else if (object->kind == OBJECT_MEMORY && !object->memory->size)
        error_set(error, "property 'size' of a memory backend must be given");
    else if (object->kind == OBJECT_DUMP && !object->file)
        error_set(error, "Parameter 'file' is missing");
    else
        return true;
    return false;
}

static bool read_secret(ObjectOption *object, GError **error)
{
    g_autofree char *contents = NULL;
    gsize len;

    if (!object->data == !object->file) {
        error_set(error, object->data ? "'file' and 'data' are mutually exclusive"
                                      : "Either 'file' or 'data' must be provided");
        return false;
    }
    if (object->file && !host_read_file(object->file, &contents, &len, error)) {
        g_prefix_error(error, "Unable to read %s: ", object->file);
        return false;
    }
    if (object->data) {
        contents = g_strdup(object->data);
        len = strlen(contents);
    }
    if (object->base64) {
        guchar *plain = g_base64_decode(g_strstrip(contents), &len);

        g_free(contents);
        contents = (char *)plain;
    }
    object->secret = g_bytes_new(contents, len);
    return true;
}

static void hand_to_machine(Options *o, const char *type, GHashTable *pairs)
{
    DeviceOption *option = g_new0(DeviceOption, 1);

    option->driver = g_strdup(type);
    option->props = g_hash_table_ref(pairs);
    g_hash_table_remove(pairs, "qom-type");
    g_ptr_array_add(o->config.objects, option);
}

static ObjectOption *new_object(Options *o, ObjectKind kind, const char *type)
{
    ObjectOption *object = g_new0(ObjectOption, 1);

    object->kind = kind;
    if (kind != OBJECT_MEMORY)
        return object;
    object->memory = g_new0(MemoryBackend, 1);
    object->memory->backing.memfd = !strcmp(type, "memory-backend-memfd");
    object->memory->backing.share = object->memory->backing.memfd; /* until it is said */
    object->memory->backing.sealed = object->memory->backing.dump = true;
    g_ptr_array_add(o->config.memory_backends, object->memory);
    return object;
}

static bool complete_object(Options *o, ObjectOption *object, GError **error)
{
    if (object->kind == OBJECT_SECRET)
        return read_secret(object, error);
    if (object->kind == OBJECT_MEMORY)
        object->memory->id = g_strdup(object->id);
    return true;
}

/* Those that are of no concern to the guest, nor to those who get its recording. */
bool options_is_host_object(const char *arg)
{
    g_autofree char *plain = *arg == '{' ? options_from_json(arg, NULL) : NULL;
    g_autoptr(GHashTable) pairs = keyval_table(plain ? plain : arg, "qom-type");

    return !g_strcmp0(g_hash_table_lookup(pairs, "qom-type"), "secret");
}

bool opt_mem_path(Options *o, const char *arg, GError **error)
{
    return replace(&o->mem_path, arg);
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
    object = new_object(o, types[n].kind, type);
    if (!keyval_apply(arg, "qom-type", types[n].keys, object, error) ||
        !check_object(o, object, error) || !complete_object(o, object, error)) {
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

    return object && object->kind == OBJECT_MEMORY ? object->memory->size : 0;
}

static bool has_netdev(const Options *o, const char *id)
{
    for (guint n = 0; n < o->config.netdevs->len; n++)
        if (!g_strcmp0(((NetdevOption *)o->config.netdevs->pdata[n])->id, id))
            return true;
    return false;
}

/* A filter stands in the way of a network that is there. */
static bool check_filters(const Options *o, GError **error)
{
    for (guint i = 0; i < o->objects->len; i++) {
        const ObjectOption *object = o->objects->pdata[i];
        bool filter = object->kind == OBJECT_FILTER || object->kind == OBJECT_DUMP;

        if (!filter || (object->netdev && (o->addition || has_netdev(o, object->netdev))))
            continue;
        error_set(error, "-object filter-%s,id=%s: %s",
                  object->kind == OBJECT_DUMP ? "dump" : "replay", object->id,
                  object->netdev ? "Parameter 'netdev' expects a network backend id"
                                 : "a netdev is needed");
        return false;
    }
    return true;
}

/* ---- Memory, as the machine has it ----------------------------------------------------------- */

static void add_ram_part(Options *o, MemoryBackend *part)
{
    if (!o->config.ram_parts)
        o->config.ram_parts = g_ptr_array_new();
    g_ptr_array_add(o->config.ram_parts, part);
}

/* -mem-path, -mem-prealloc: a backend without a name of the user's. */
static void add_plain_backend(Options *o)
{
    MemoryBackend *memory = g_new0(MemoryBackend, 1);

    memory->id = g_strdup("pc.ram");
    memory->size = o->config.ram_size;
    memory->backing.path = g_strdup(o->mem_path);
    memory->backing.prealloc = o->mem_prealloc;
    memory->backing.dump = true;
    g_ptr_array_add(o->config.memory_backends, memory);
    add_ram_part(o, memory);
}

static bool take_memory_backend(Options *o, GError **error)
{
    const ObjectOption *object = find_object(o, o->memory_backend);

    if (!object || object->kind != OBJECT_MEMORY)
        error_set(error, "-machine memory-backend=%s: Memory backend '%s' not found",
                  o->memory_backend, o->memory_backend);
    else if (object->memory->size != o->config.ram_size)
        error_set(error, "Machine memory size does not match the size of the memory backend");
    else if (o->mem_path)
        error_set(error, "'-mem-path' can't be used together with '-machine memory-backend'");
    else {
        add_ram_part(o, object->memory);
        return true;
    }
    return false;
}

bool options_complete_memory(Options *o, GError **error)
{
    const NumaConfig *numa = &o->config.numa;
    bool any = false;

    if (o->memory_backend && !take_memory_backend(o, error))
        return false;
    if (!o->memory_backend && (o->mem_path || o->mem_prealloc))
        add_plain_backend(o);
    for (unsigned n = 0; n < numa->nodes; n++)
        any |= o->numa_memdev[n] != NULL;
    for (unsigned n = 0; n < numa->nodes; n++) {
        if (any && !o->numa_memdev[n] && numa->ram_size[n]) {
            error_set(error, "numa configuration should use either mem= or memdev=, mixing both is"
                             " not allowed");
            return false;
        }
        if (o->numa_memdev[n] && o->memory_backend) {
            error_set(error, "'-machine memory-backend' and '-numa memdev' properties are mutually"
                             " exclusive");
            return false;
        }
        if (o->numa_memdev[n])
            add_ram_part(o, find_object(o, o->numa_memdev[n])->memory);
    }
    for (guint i = 0; o->record_file && o->config.ram_parts && i < o->config.ram_parts->len; i++) {
        if (((MemoryBackend *)o->config.ram_parts->pdata[i])->backing.path) {
            error_set(error, "-record: memory in a file is not supported: what it holds would have"
                             " to be recorded");
            return false;
        }
    }
    return true;
}

/* The password that -vnc password-secret= names. */
static bool take_vnc_secret(Options *o, GError **error)
{
    const ObjectOption *object = o->vnc_secret ? find_object(o, o->vnc_secret) : NULL;
    gsize len;
    const char *text;

    if (!o->vnc_secret)
        return true;
    if (!object || object->kind != OBJECT_SECRET) {
        error_set(error, "-vnc: No secret with id '%s'", o->vnc_secret);
        return false;
    }
    text = g_bytes_get_data(object->secret, &len);
    g_free(o->vnc.initial_password);
    o->vnc.initial_password = g_strndup(text, len);
    return true;
}

bool options_complete_objects(Options *o, GError **error)
{
    for (guint i = 0; i < o->config.devices->len; i++) {
        const DeviceOption *d = o->config.devices->pdata[i];

        if (!take_reference(o, d, "iothread", OBJECT_IOTHREAD, error))
            return false;
    }
    return check_filters(o, error) && take_vnc_secret(o, error);
}
