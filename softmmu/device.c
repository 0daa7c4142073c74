/* SPDX-License-Identifier: MIT */
/*
 * The device tree: life, reset, and state of the whole.
 *
 * Saved tree: for each device that has a state list, in tree order, {u16 length of path, path,
 * u16 version, u32 length of fields, fields}; a path of length 0 ends it. All little-endian.
 */
#include "softmmu/device.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/regs-internal.h"
#include "softmmu/state-internal.h"

/* ---- Life ----------------------------------------------------------------------------------- */

static bool id_is_taken(const Device *parent, const char *id)
{
    for (unsigned i = 0; parent && i < parent->children->len; i++) {
        if (!strcmp(((Device *)parent->children->pdata[i])->id, id))
            return true;
    }
    return false;
}

static char *unique_id(const Device *parent, const char *id)
{
    char *unique = g_strdup(id);

    for (unsigned n = 1; id_is_taken(parent, unique); n++) {
        g_free(unique);
        unique = g_strdup_printf("%s.%u", id, n);
    }
    return unique;
}

Device *device_new(const DeviceClass *klass, Device *parent, const char *id)
{
    Device *dev = g_malloc0(klass->size);

    g_assert(klass->size >= sizeof(Device));
    dev->klass = klass;
    dev->id = unique_id(parent, id ? id : klass->name);
    dev->parent = parent;
    dev->children = g_ptr_array_new();
    if (klass->regs)
        memory_init_io(&dev->io, klass->name, &reg_table_ops, dev, regs_extent(klass->regs));
    if (parent)
        g_ptr_array_add(parent->children, dev);
    return dev;
}

bool device_realize(Device *dev, GError **error)
{
    g_assert(!dev->realized);
    if (dev->klass->realize && !dev->klass->realize(dev, error)) {
        g_prefix_error(error, "%s: ", dev->id);
        return false;
    }
    dev->realized = true;
    return true;
}

bool device_check_id(const char *id, GError **error)
{
    bool good = g_ascii_isalpha(*id);

    for (const char *p = id; *p; p++)
        good &= g_ascii_isalnum(*p) || strchr("-._", *p);
    if (!good)
        error_set(error, "Parameter 'id' expects an identifier, not '%s'", id);
    return good;
}

void device_unrealize(Device *dev)
{
    for (unsigned i = dev->children->len; i-- > 0;)
        device_unrealize(dev->children->pdata[i]);
    if (!dev->realized)
        return;
    if (dev->klass->unrealize)
        dev->klass->unrealize(dev);
    dev->realized = false;
}

void device_free(Device *dev)
{
    if (!dev)
        return;
    device_unrealize(dev);
    while (dev->children->len)
        device_free(dev->children->pdata[dev->children->len - 1]);
    if (dev->parent)
        g_ptr_array_remove(dev->parent->children, dev);
    if (dev->klass->finalize)
        dev->klass->finalize(dev);
    if (dev->klass->regs)
        memory_destroy(&dev->io);
    g_ptr_array_free(dev->children, TRUE);
    g_free(dev->id);
    g_free(dev);
}

static void plug(Device *dev, bool in)
{
    for (unsigned i = 0; i < dev->children->len; i++)
        plug(dev->children->pdata[i], in);
    if (dev->klass->plug)
        dev->klass->plug(dev, in);
}

void device_take_out(Device *dev)
{
    device_reset(dev); /* its outputs fall, its timers stop */
    plug(dev, false);
    g_ptr_array_remove(dev->parent->children, dev);
    dev->parent = NULL;
}

void device_put_back(Device *dev, Device *parent)
{
    dev->parent = parent;
    g_ptr_array_add(parent->children, dev);
    plug(dev, true);
}

/* ---- Reset ---------------------------------------------------------------------------------- */

static void call_enter(Device *dev)
{
    regs_reset(dev);
    if (dev->klass->reset_enter)
        dev->klass->reset_enter(dev);
}

static void call_hold(Device *dev)
{
    if (dev->klass->reset_hold)
        dev->klass->reset_hold(dev);
}

static void call_exit(Device *dev)
{
    if (dev->klass->reset_exit)
        dev->klass->reset_exit(dev);
}

static void walk(Device *dev, void (*visit)(Device *dev))
{
    for (unsigned i = 0; i < dev->children->len; i++)
        walk(dev->children->pdata[i], visit);
    if (dev->realized)
        visit(dev);
}

void device_reset(Device *dev)
{
    walk(dev, call_enter);
    walk(dev, call_hold);
    walk(dev, call_exit);
}

#define TREE_BYTES (256u << 10) /* room for what most machines have */

/* ---- State of the tree ---------------------------------------------------------------------- */

static char *device_path(const Device *dev)
{
    g_autofree char *above = dev->parent ? device_path(dev->parent) : NULL;

    return above ? g_strconcat(above, "/", dev->id, NULL) : g_strdup(dev->id);
}

static void collect(Device *dev, GPtrArray *out)
{
    if (dev->klass->state)
        g_ptr_array_add(out, dev);
    for (unsigned i = 0; i < dev->children->len; i++)
        collect(dev->children->pdata[i], out);
}

/* The devices that have state, parents before children, in order of creation. */
static GPtrArray *stateful_devices(Device *root)
{
    GPtrArray *devices = g_ptr_array_new();

    collect(root, devices);
    return devices;
}

static void append_le(GByteArray *out, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);
    const uint8_t *bytes = (const uint8_t *)&le;

    g_byte_array_append(out, bytes, size);
}

static void *state_object(Device *dev)
{
    return dev->klass->state_of ? dev->klass->state_of(dev) : dev;
}

static void save_device(Device *dev, GByteArray *out)
{
    g_autofree char *path = device_path(dev);
    uint32_t len = 0;
    guint at;

    append_le(out, strlen(path), 2);
    g_byte_array_append(out, (const uint8_t *)path, strlen(path));
    append_le(out, dev->klass->state_version, 2);
    append_le(out, len, 4);
    at = out->len;
    state_save(dev->klass->state, state_object(dev), out);
    len = GUINT32_TO_LE(out->len - at);
    memcpy(out->data + at - sizeof(len), &len, sizeof(len));
}

void device_tree_save(Device *root, GByteArray *out)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);

    for (unsigned i = 0; i < devices->len; i++)
        save_device(devices->pdata[i], out);
    append_le(out, 0, 2);
}

typedef struct Reader {
    const uint8_t *data;
    size_t left;
} Reader;

static const uint8_t *take(Reader *in, size_t len)
{
    const uint8_t *p = in->data;

    if (len > in->left)
        return NULL;
    in->data += len;
    in->left -= len;
    return p;
}

static bool take_le(Reader *in, unsigned size, uint64_t *value)
{
    uint64_t le = 0;
    const uint8_t *p = take(in, size);

    if (!p)
        return false;
    memcpy(&le, p, size);
    *value = GUINT64_FROM_LE(le);
    return true;
}

typedef struct Record {
    char *path;
    uint64_t version, len;
    const uint8_t *fields;
} Record;

/* The next record; an empty path at the end. */
static bool take_record(Reader *in, Record *rec, GError **error)
{
    uint64_t path_len;
    const uint8_t *path;

    *rec = (Record){ 0 };
    if (take_le(in, 2, &path_len) && (path = take(in, path_len))) {
        rec->path = g_strndup((const char *)path, path_len);
        if (path_len == 0 || (take_le(in, 2, &rec->version) && take_le(in, 4, &rec->len) &&
                              (rec->fields = take(in, rec->len))))
            return true;
    }
    error_set(error, "saved state ends in the middle of %s",
              rec->path && *rec->path ? rec->path : "a device's name");
    g_clear_pointer(&rec->path, g_free);
    return false;
}

static bool record_fits(const Device *dev, const Record *rec, GError **error)
{
    g_autofree char *path = device_path(dev);
    size_t need;

    if (strcmp(path, rec->path)) {
        error_set(error, "saved state has '%s' where this machine has '%s'",
                  *rec->path ? rec->path : "nothing", path);
        return false;
    }
    if (rec->version > dev->klass->state_version) {
        error_set(error, "%s: saved state has version %u, newer than %u", path,
                  (unsigned)rec->version, dev->klass->state_version);
        return false;
    }
    if (rec->version < dev->klass->state_oldest) {
        error_set(error, "%s: saved state has version %u, older than %u", path,
                  (unsigned)rec->version, dev->klass->state_oldest);
        return false;
    }
    need = state_size(dev->klass->state, rec->version);
    if (rec->len != need) {
        error_set(error, "%s: saved state has %u bytes instead of %zu", path, (unsigned)rec->len,
                  need);
        return false;
    }
    return true;
}

/* Read the records of all @devices; nothing is changed unless all of them fit. */
static bool take_all(const GPtrArray *devices, Reader *in, GArray *records, GError **error)
{
    Record rec;

    for (unsigned i = 0; i < devices->len; i++) {
        if (!take_record(in, &rec, error))
            return false;
        g_array_append_val(records, rec);
        if (!record_fits(devices->pdata[i], &rec, error))
            return false;
    }
    if (!take_record(in, &rec, error))
        return false;
    g_array_append_val(records, rec);
    if (*rec.path) {
        error_set(error, "saved state has '%s', which this machine has not", rec.path);
        return false;
    }
    return true;
}

static void clear_record(void *p)
{
    g_free(((Record *)p)->path);
}

bool device_tree_check(Device *root, const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(Record));
    Reader in = { data, len };

    g_array_set_clear_func(records, clear_record);
    return take_all(devices, &in, records, error);
}

bool device_tree_load(Device *root, const uint8_t *data, size_t len, GError **error)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(Record));
    Reader in = { data, len };

    g_array_set_clear_func(records, clear_record);
    if (!take_all(devices, &in, records, error))
        return false;
    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];
        const Record *rec = &g_array_index(records, Record, i);

        state_load_fields(dev->klass->state, state_object(dev), rec->fields, rec->version);
    }
    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];

        if (dev->klass->post_load)
            dev->klass->post_load(dev);
    }
    return true;
}

char **device_tree_shape(Device *root)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);
    GPtrArray *shape = g_ptr_array_new();

    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];
        g_autofree char *path = device_path(dev);

        g_ptr_array_add(shape, g_strdup_printf("%s %u %016" G_GINT64_MODIFIER "x", path,
                                               dev->klass->state_version,
                                               state_list_hash(dev->klass->state)));
    }
    g_ptr_array_add(shape, NULL);
    return (char **)g_ptr_array_free(shape, FALSE);
}

void device_tree_print(Device *root, GString *out)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);

    g_string_append(out, "{");
    for (unsigned i = 0; i < devices->len; i++) {
        Device *dev = devices->pdata[i];
        g_autofree char *path = device_path(dev);

        g_string_append_printf(out, "%s\n  \"%s\": ", i ? "," : "", path);
        state_print(dev->klass->state, state_object(dev), out);
    }
    g_string_append(out, "\n}\n");
}

/* Layout of QEMU's -dump-vmstate, which tools compare. */
void device_tree_describe(Device *root, GString *out)
{
    g_autoptr(GPtrArray) devices = stateful_devices(root);
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);

    for (unsigned i = 0; i < devices->len; i++) {
        const DeviceClass *klass = ((Device *)devices->pdata[i])->klass;

        if (!g_hash_table_add(seen, (void *)klass))
            continue;
        g_string_append_printf(out,
                               "%s  \"%s\": {\n    \"Name\": \"%s\",\n    \"version_id\": %u,\n"
                               "    \"minimum_version_id\": %u,\n    \"Description\": {\n"
                               "      \"name\": \"%s\",\n      \"version_id\": %u,\n"
                               "      \"minimum_version_id\": %u,\n      \"Fields\": [",
                               g_hash_table_size(seen) > 1 ? ",\n" : "", klass->name, klass->name,
                               klass->state_version, klass->state_oldest, klass->name,
                               klass->state_version, klass->state_oldest);
        state_describe(klass->state, 8, out);
        g_string_append(out, "\n      ]\n    }\n  }");
    }
}

uint64_t device_tree_hash(Device *root, uint64_t seed)
{
    g_autoptr(GByteArray) saved = g_byte_array_sized_new(TREE_BYTES);

    device_tree_save(root, saved);
    return state_hash_bytes(saved->data, saved->len, seed);
}
