/* SPDX-License-Identifier: MIT */
#include "softmmu/program/back-ends.h"

#include <string.h>

#include "hw/pc.h"
#include "softmmu/error.h"
#include "softmmu/program/host-side.h"
#include "softmmu/program/options/internal.h"

struct BackEndKind {
    const char *option;
    /* Of what was parsed: where it is; NULL with @error. */
    GPtrArray *(*parsed)(Options *o, GError **error);
    const char *(*id)(const void *option);
    /* The machine's; NULL: they are only in tables of @put. */
    GPtrArray *(*list)(const BackEndWorld *w);
    void *(*find)(const BackEndWorld *w, const char *id, GError **error); /* in that */
    void (*free_option)(void *option);
    /* May NULL: there is nothing to be done. */
    bool (*check)(const BackEndWorld *w, const void *option, GError **error);
    bool (*open)(const BackEndWorld *w, BackEnd *b, GError **error);
    bool (*may_go)(const BackEndWorld *w, const BackEnd *b, GError **error);
    void (*put)(const BackEndWorld *w, BackEnd *b);
    void (*take)(const BackEndWorld *w, BackEnd *b);
    bool (*come)(const BackEndWorld *w, BackEnd *b, GError **error);
    void (*go)(const BackEndWorld *w, BackEnd *b);
    void (*close)(const BackEndWorld *w, BackEnd *b);
};

static void *find_in(const GPtrArray *list, const char *(*id)(const void *option),
                     const char *wanted)
{
    for (guint i = 0; i < list->len; i++)
        if (!g_strcmp0(id(list->pdata[i]), wanted))
            return list->pdata[i];
    return NULL;
}

/* ---- Networks -------------------------------------------------------------------------------- */

static GPtrArray *parsed_netdevs(Options *o, GError **error)
{
    return o->config.netdevs;
}

static const char *netdev_id(const void *option)
{
    return ((const NetdevOption *)option)->id;
}

static GPtrArray *netdevs(const BackEndWorld *w)
{
    return w->m->config->netdevs;
}

static void *find_netdev(const BackEndWorld *w, const char *id, GError **error)
{
    void *found = find_in(netdevs(w), netdev_id, id);

    if (!found)
        error_set(error, "Device '%s' not found", id);
    return found;
}

static bool check_netdev(const BackEndWorld *w, const void *option, GError **error)
{
    if (!find_netdev(w, netdev_id(option), NULL))
        return true;
    error_set(error, "Duplicate ID '%s' for netdev", netdev_id(option));
    return false;
}

static bool open_netdev(const BackEndWorld *w, BackEnd *b, GError **error)
{
    return network_open_one(w->network, w->m, b->option, (NetBackend **)&b->host, error);
}

static bool netdev_may_go(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    if (!network_is_shared(w->network, b->id))
        return true;
    error_set(error, "Device '%s' is in use by a filter or a port of a hub", b->id);
    return false;
}

/* What is at a port of a hub is for no card. */
/* A card that has it sees its link go down. */
static void netdev_goes(const BackEndWorld *w, BackEnd *b)
{
    NetCable *c =
        g_hash_table_contains(w->network->nets, b->id) ? NULL : net_cable_named(w->m->root, b->id);

    if (c && !strcmp(net_cable_id(c), b->id))
        net_cut(c);
}

static void put_netdev(const BackEndWorld *w, BackEnd *b)
{
    const NetdevOption *o = b->option;

    if (o->hub_netdev)
        g_hash_table_remove(w->network->nets, o->hub_netdev);
    g_hash_table_insert(w->network->nets, b->id, b->host);
}

static void take_netdev(const BackEndWorld *w, BackEnd *b)
{
    const NetdevOption *o = b->option;
    NetdevOption *other = o->hub_netdev ? find_netdev(w, o->hub_netdev, NULL) : NULL;

    if (other)
        g_hash_table_insert(w->network->nets, other->id,
                            g_hash_table_lookup(w->network->by_id, other->id));
    if (!b->host)
        b->host = g_hash_table_lookup(w->network->by_id, b->id);
    g_hash_table_remove(w->network->nets, b->id);
}

static void close_netdev(const BackEndWorld *w, BackEnd *b)
{
    network_close_one(w->network, b->id, b->host);
}

/* ---- Disks ----------------------------------------------------------------------------------- */

static const char *drive_option_id(const void *option)
{
    return ((const DriveOption *)option)->id;
}

static GPtrArray *drives(const BackEndWorld *w)
{
    return w->m->config->drives;
}

/* One for a device that comes later. */
static GPtrArray *parsed_drives(Options *o, GError **error)
{
    GPtrArray *all = o->config.drives;

    for (guint i = 0; i < all->len; i++) {
        const DriveOption *d = all->pdata[i];

        if (d->interface != DRIVE_IF_NONE || !d->id) {
            error_set(error, "if=none and id= are needed: device_add makes the disk");
            return NULL;
        }
    }
    return all;
}

static void *find_drive(const BackEndWorld *w, const char *id, GError **error)
{
    void *found = find_in(drives(w), drive_option_id, id);

    if (!found)
        error_set(error, "Device '%s' not found", id);
    return found;
}

static void *find_node(const BackEndWorld *w, const char *id, GError **error)
{
    void *found = find_in(drives(w), drive_option_id, id);

    if (!found)
        error_set(error, "Failed to find node with node-name='%s'", id);
    return found;
}

static bool check_drive(const BackEndWorld *w, const void *option, GError **error)
{
    if (!find_drive(w, drive_option_id(option), NULL))
        return true;
    error_set(error, "there is another drive with id '%s'", drive_option_id(option));
    return false;
}

/* A drive went over to the image of the node @id. */
static bool is_image_of_other(const BackEndWorld *w, const char *id)
{
    g_autoptr(GPtrArray) all = drive_list(w->m->root);

    for (guint i = 0; i < all->len; i++) {
        const Drive *d = all->pdata[i];

        if (strcmp(drive_id(d), id) && !strcmp(drive_node(d), id))
            return true;
    }
    return false;
}

static bool drive_may_go(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    const DriveOption *o = b->option;
    const Drive *d = drive_find(w->m->root, b->id);

    if (d && !drive_is_free(d, error))
        return false;
    if (o->interface == DRIVE_IF_NONE && !(d && drive_is_connected(d)) &&
        !is_image_of_other(w, b->id))
        return true;
    error_set(error, "Node '%s' is busy: a device has it", b->id);
    return false;
}

static bool drive_comes(const BackEndWorld *w, BackEnd *b, GError **error)
{
    if (!pc_drive_come(w->m, b->option, b->facts, error))
        return false;
    if (!b->facts)
        b->facts = pc_drive_facts(w->m, b->option);
    return true;
}

static void drive_goes(const BackEndWorld *w, BackEnd *b)
{
    pc_drive_go(w->m, b->id);
}

/* ---- Character devices ----------------------------------------------------------------------- */

static GPtrArray *parsed_chardevs(Options *o, GError **error)
{
    return o->chardevs;
}

static const char *chardev_id(const void *option)
{
    return ((const ChardevOption *)option)->id;
}

static void *find_chardev(const BackEndWorld *w, const char *id, GError **error)
{
    if (!console_find(w->console, id, error))
        return NULL;
    return find_in(w->console->options->chardevs, chardev_id, id);
}

static bool check_chardev(const BackEndWorld *w, const void *option, GError **error)
{
    return console_may_add(w->console, option, error);
}

static bool open_chardev(const BackEndWorld *w, BackEnd *b, GError **error)
{
    b->host = console_open_one(w->console, b->option, w->m, error);
    return b->host;
}

static bool chardev_may_go(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    return console_find(w->console, b->id, error);
}

static void put_chardev(const BackEndWorld *w, BackEnd *b)
{
    console_put(w->console, b->option, b->host);
}

static void take_chardev(const BackEndWorld *w, BackEnd *b)
{
    if (!b->host)
        b->host = console_find(w->console, b->id, NULL);
    console_take(w->console, b->id);
}

static void close_chardev(const BackEndWorld *w, BackEnd *b)
{
    console_close_one(w->console, b->host, w->m);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static GPtrArray *parsed_objects(Options *o, GError **error)
{
    if (o->config.objects->len)
        return o->config.objects;
    error_set(error, "this object is for the command line");
    return NULL;
}

static const char *object_id(const void *option)
{
    return g_hash_table_lookup(((const DeviceOption *)option)->props, "id");
}

static GPtrArray *objects(const BackEndWorld *w)
{
    return w->m->config->objects;
}

static void *find_object(const BackEndWorld *w, const char *id, GError **error)
{
    void *found = find_in(objects(w), object_id, id);

    if (!found)
        error_set(error, "object '%s' not found", id);
    return found;
}

static bool check_object(const BackEndWorld *w, const void *option, GError **error)
{
    if (!find_object(w, object_id(option), NULL))
        return true;
    error_set(error, "attempt to add duplicate property '%s' to object (type 'container')",
              object_id(option));
    return false;
}

static bool is_type(const BackEnd *b, const char *type)
{
    return !strcmp(((const DeviceOption *)b->option)->driver, type);
}

static bool is_source(const BackEnd *b)
{
    return is_type(b, "rng-random");
}

static bool make_memory(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    return !b->memory || machine_is_replaying(w->m) || host_side_make_memory(b->memory, error);
}

static bool open_object(const BackEndWorld *w, BackEnd *b, GError **error)
{
    const DeviceOption *o = b->option;

    if (is_source(b))
        return (b->host = network_open_random(w->network, w->m, o, error));
    if (is_type(b, "filter-replay") &&
        !network_has(w->m, g_hash_table_lookup(o->props, "netdev"))) {
        error_set(error, "Parameter 'netdev' expects a network backend id");
        return false;
    }
    if (is_type(b, "filter-dump"))
        return network_add_dump(w->network, w->m, o, error);
    return make_memory(w, b, error);
}

static void close_object(const BackEndWorld *w, BackEnd *b)
{
    if (is_type(b, "filter-dump"))
        network_remove_dump(w->network, b->option);
}

static MemoryBackend *find_memory(const GPtrArray *list, const char *id)
{
    for (guint i = 0; list && i < list->len; i++)
        if (!strcmp(((MemoryBackend *)list->pdata[i])->id, id))
            return list->pdata[i];
    return NULL;
}

/* Who names it? */
static bool is_named(const BackEndWorld *w, const char *id)
{
    const GPtrArray *devices = w->m->config->devices;

    for (guint i = 0; i < devices->len; i++) {
        GHashTable *props = ((DeviceOption *)devices->pdata[i])->props;

        if (!g_strcmp0(g_hash_table_lookup(props, "rng"), id))
            return true;
    }
    return false;
}

static bool object_may_go(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    if (!find_memory(w->m->config->ram_parts, b->id) && !is_named(w, b->id) &&
        (!is_source(b) || g_hash_table_contains(w->network->randoms, b->id)))
        return true;
    error_set(error, "object '%s' is in use, can not be deleted", b->id);
    return false;
}

static void put_object(const BackEndWorld *w, BackEnd *b)
{
    if (b->memory)
        g_ptr_array_add(w->m->config->memory_backends, b->memory);
    if (!is_source(b))
        return;
    host_random_set_known(b->host, true);
    g_hash_table_insert(w->network->randoms, g_strdup(b->id), b->host);
}

static void take_object(const BackEndWorld *w, BackEnd *b)
{
    guint at;

    b->memory = find_memory(w->m->config->memory_backends, b->id);
    if (b->memory && g_ptr_array_find(w->m->config->memory_backends, b->memory, &at))
        g_ptr_array_steal_index(w->m->config->memory_backends, at);
    if (!is_source(b))
        return;
    if (!b->host)
        b->host = g_hash_table_lookup(w->network->randoms, b->id);
    if (b->host)
        host_random_set_known(b->host, false);
    g_hash_table_remove(w->network->randoms, b->id);
}

/* ---- All ------------------------------------------------------------------------------------- */

/* clang-format off */
static const BackEndKind kinds[] = {
    { .option = "-netdev", .parsed = parsed_netdevs, .id = netdev_id, .list = netdevs, .find = find_netdev,
      .free_option = options_free_netdev, .check = check_netdev, .open = open_netdev, .may_go = netdev_may_go,
      .go = netdev_goes, .put = put_netdev, .take = take_netdev, .close = close_netdev },
    { .option = "-drive", .parsed = parsed_drives, .id = drive_option_id, .list = drives, .find = find_drive,
      .free_option = options_free_drive, .check = check_drive, .may_go = drive_may_go,
      .come = drive_comes, .go = drive_goes },
    { .option = "-blockdev", .parsed = parsed_drives, .id = drive_option_id, .list = drives, .find = find_node,
      .free_option = options_free_drive, .check = check_drive, .may_go = drive_may_go,
      .come = drive_comes, .go = drive_goes },
    { .option = "-chardev", .parsed = parsed_chardevs, .id = chardev_id, .find = find_chardev,
      .free_option = options_free_chardev, .check = check_chardev, .open = open_chardev, .may_go = chardev_may_go,
      .put = put_chardev, .take = take_chardev, .close = close_chardev },
    { .option = "-object", .parsed = parsed_objects, .id = object_id, .list = objects, .find = find_object,
      .free_option = options_free_device, .check = check_object, .open = open_object, .may_go = object_may_go,
      .put = put_object, .take = take_object, .close = close_object },
};
/* clang-format on */

const BackEndKind *back_end_kind(const char *option)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (!strcmp(kinds[i].option, option))
            return &kinds[i];
    return NULL;
}

const char *back_end_option(const BackEndKind *kind)
{
    return kind->option;
}

/* @o is to be cleared, whatever comes of it. */
static bool parse(Options *o, const BackEndKind *kind, const char *spec, GError **error)
{
    if (!options_parse_addition(o, kind->option, spec, error))
        return false;
    if (o->answer_kind == ANSWER_NONE)
        return true;
    error_set(error, "%s help is for the command line", kind->option);
    return false;
}

/* Of what was parsed; there may be nothing that needs to be done here. */
static bool take_parsed(const BackEndWorld *w, BackEnd *b, Options *o, GError **error)
{
    GPtrArray *parsed = b->kind->parsed(o, error);

    if (!parsed || !parsed->len)
        return parsed;
    if (!b->kind->check(w, parsed->pdata[0], error))
        return false;
    b->option = g_ptr_array_steal_index(parsed, 0);
    b->id = g_strdup(b->kind->id(b->option));
    if (o->config.memory_backends->len)
        b->memory = g_ptr_array_steal_index(o->config.memory_backends, 0);
    return !b->kind->open || b->kind->open(w, b, error);
}

BackEnd *back_end_open(const BackEndWorld *w, const BackEndKind *kind, const char *spec,
                       GBytes *facts, GError **error)
{
    BackEnd *b = g_new0(BackEnd, 1);
    Options o;
    bool good;

    b->kind = kind;
    b->spec = g_strdup(spec);
    b->facts = facts ? g_bytes_ref(facts) : NULL;
    good = parse(&o, kind, spec, error) && take_parsed(w, b, &o, error);
    options_clear(&o);
    if (good)
        return b;
    back_end_free(b);
    return NULL;
}

BackEnd *back_end_find(const BackEndWorld *w, const BackEndKind *kind, const char *id,
                       GError **error)
{
    void *option = kind->find(w, id, error);
    BackEnd *b;

    if (!option)
        return NULL;
    b = g_new0(BackEnd, 1);
    *b = (BackEnd){ .kind = kind, .id = g_strdup(id), .option = option, .there = true };
    return b;
}

bool back_end_may_go(const BackEndWorld *w, const BackEnd *b, GError **error)
{
    return b->kind->may_go(w, b, error);
}

void back_end_put(const BackEndWorld *w, BackEnd *b)
{
    b->there = true;
    if (!b->id)
        return;
    if (b->kind->list)
        g_ptr_array_add(b->kind->list(w), b->option);
    if (b->kind->put)
        b->kind->put(w, b);
}

void back_end_take(const BackEndWorld *w, BackEnd *b)
{
    guint at;

    b->there = false;
    if (!b->id)
        return;
    if (b->kind->take)
        b->kind->take(w, b);
    if (b->kind->list && g_ptr_array_find(b->kind->list(w), b->option, &at))
        g_ptr_array_steal_index(b->kind->list(w), at);
}

bool back_end_come(const BackEndWorld *w, BackEnd *b, GError **error)
{
    return !b->id || !b->kind->come || b->kind->come(w, b, error);
}

void back_end_go(const BackEndWorld *w, BackEnd *b)
{
    if (b->id && b->kind->go)
        b->kind->go(w, b);
}

void back_end_close(const BackEndWorld *w, BackEnd *b)
{
    if (b->id && b->kind->close)
        b->kind->close(w, b);
    b->host = NULL;
}

void back_end_free(BackEnd *b)
{
    bool owned = !b->there || !b->kind->list;

    /* The command line's character devices stay their options'. */
    if (b->option && owned && (b->spec || b->kind->list))
        b->kind->free_option(b->option);
    if (b->memory && !b->there)
        options_free_memory_backend(b->memory);
    if (b->facts)
        g_bytes_unref(b->facts);
    g_free(b->spec);
    g_free(b->id);
    g_free(b);
}
