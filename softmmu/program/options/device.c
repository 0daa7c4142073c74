/* SPDX-License-Identifier: MIT */
/* Options of devices and of their host sides. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

static void replace(char **field, const char *value)
{
    g_free(*field);
    *field = g_strdup(value);
}

/* ---- -device, -fw_cfg ------------------------------------------------------------------------ */

/* The board knows its drivers and their properties; here they are only taken apart. */
bool opt_device(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) props = NULL;
    const char *driver;
    DeviceOption *option;

    if (is_help(arg)) {
        options_answer(o, ANSWER_DEVICES);
        return true;
    }
    props = keyval_table(arg, "driver");
    driver = g_hash_table_lookup(props, "driver");
    if (!driver || !*driver) {
        error_set(error, "a driver is needed (-device help lists them)");
        return false;
    }
    if (g_hash_table_contains(props, "help") || g_hash_table_contains(props, "?")) {
        options_answer(o, ANSWER_DEVICE_PROPS);
        g_string_assign(o->answer, driver);
        return true;
    }
    option = g_new0(DeviceOption, 1);
    option->driver = g_strdup(driver);
    option->props = g_steal_pointer(&props);
    g_hash_table_remove(option->props, "driver");
    g_ptr_array_add(o->config.devices, option);
    return true;
}

GBytes *options_read_file(HostFiles *files, const char *path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    GBytes *bytes;
    char *data;
    gsize len;

    if (host_files_find(files, path, &bytes, error))
        return bytes;
    if (host_read_file(path, &data, &len, &reason)) {
        bytes = g_bytes_new_take(data, len);
        host_files_add(files, path, bytes);
        return bytes;
    }
    error_set(error, "%s", reason->message);
    return NULL;
}

bool opt_fw_cfg(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "name");
    const char *name = g_hash_table_lookup(pairs, "name");
    const char *text = g_hash_table_lookup(pairs, "string");
    const char *path = g_hash_table_lookup(pairs, "file");
    FwCfgFileOption *file;
    GBytes *data;

    if (!name || !*name || !text == !path || g_hash_table_size(pairs) != 2) {
        error_set(error, "name, plus exactly one of file and string, are needed");
        return false;
    }
    data = path ? options_read_file(o->config.files, path, error) : g_bytes_new(text, strlen(text));
    if (!data)
        return false;
    file = g_new(FwCfgFileOption, 1);
    *file = (FwCfgFileOption){ g_strdup(name), data };
    g_ptr_array_add(o->config.fw_cfg, file);
    return true;
}

/* ---- -serial, -monitor, -debugcon, -parallel --------------------------------------------------
 */

bool opt_serial(Options *o, const char *arg, GError **error)
{
    if (o->serials->len == MACHINE_MAX_SERIAL) {
        error_set(error, "the machine has at most %d serial ports", MACHINE_MAX_SERIAL);
        return false;
    }
    g_ptr_array_add(o->serials, g_strdup(arg));
    return true;
}

void options_free_monitor(void *monitor)
{
    MonitorOption *mon = monitor;

    g_free(mon->device);
    g_free(mon);
}

static bool add_monitor(Options *o, const char *device, bool control, bool pretty)
{
    MonitorOption *mon = g_new(MonitorOption, 1);

    *mon = (MonitorOption){ g_strdup(device), control, pretty };
    g_ptr_array_add(o->monitors, mon);
    return true;
}

bool opt_monitor(Options *o, const char *arg, GError **error)
{
    if (o->monitor && strcmp(o->monitor, "none") && strcmp(arg, "none"))
        return add_monitor(o, arg, false, false);
    replace(&o->monitor, arg);
    return true;
}

bool opt_qmp(Options *o, const char *arg, GError **error)
{
    return !strcmp(arg, "none") || add_monitor(o, arg, true, false);
}

bool opt_qmp_pretty(Options *o, const char *arg, GError **error)
{
    return !strcmp(arg, "none") || add_monitor(o, arg, true, true);
}

typedef struct MonArgs {
    char *device;
    bool control, pretty;
} MonArgs;

static bool mon_chardev(void *ctx, const char *value, GError **error)
{
    g_free(((MonArgs *)ctx)->device);
    ((MonArgs *)ctx)->device = g_strconcat("chardev:", value, NULL);
    return true;
}

static bool mon_mode(void *ctx, const char *value, GError **error)
{
    ((MonArgs *)ctx)->control = !strcmp(value, "control");
    if (!strcmp(value, "control") || !strcmp(value, "readline"))
        return true;
    error_set(error, "'%s' is not readline or control", value);
    return false;
}

static bool mon_id(void *ctx, const char *value, GError **error)
{
    return true; /* nothing names it */
}

static bool mon_pretty(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((MonArgs *)ctx)->pretty, error);
}

bool opt_mon(Options *o, const char *arg, GError **error)
{
    static const KeyRow keys[] = { { "chardev", mon_chardev },
                                   { "id", mon_id },
                                   { "mode", mon_mode },
                                   { "pretty", mon_pretty },
                                   { NULL, NULL } };
    MonArgs a = { 0 };
    bool good = keyval_apply(arg, "chardev", keys, &a, error);

    if (good && !a.device) {
        error_set(error, "chardev is needed");
        good = false;
    } else if (good && !a.control && !o->monitor) {
        replace(&o->monitor, a.device);
    } else if (good) {
        add_monitor(o, a.device, a.control, a.pretty);
    }
    g_free(a.device);
    return good;
}

/* As other character devices, but a server unless told otherwise, which nobody waits for. */
bool options_gdb_device(const char *arg, char **device, GError **error)
{
    static const char *const kinds[] = { "tcp:", "unix:", "chardev:" };
    bool socket = g_str_has_prefix(arg, "tcp:") || g_str_has_prefix(arg, "unix:");
    bool known = !strcmp(arg, "stdio") || !strcmp(arg, "pty");

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        known |= g_str_has_prefix(arg, kinds[i]);
    if (!known && strcmp(arg, "none")) {
        error_set(error,
                  "not supported; use tcp:HOST:PORT, unix:PATH, pty, stdio, chardev:ID or none");
        return false;
    }
    *device = !strcmp(arg, "none") ? NULL
              : socket && !strstr(arg, ",server")
                  ? g_strconcat(arg, ",server=on", strstr(arg, ",wait") ? "" : ",wait=off", NULL)
                  : g_strdup(arg);
    return true;
}

bool opt_gdb(Options *o, const char *arg, GError **error)
{
    char *device;

    if (!options_gdb_device(arg, &device, error))
        return false;
    g_free(o->gdb);
    o->gdb = device;
    return true;
}

bool opt_gdb_here(Options *o, const char *arg, GError **error)
{
    return opt_gdb(o, "tcp::1234", error);
}

bool opt_debugcon(Options *o, const char *arg, GError **error)
{
    replace(&o->debugcon, arg);
    return true;
}

bool opt_echr(Options *o, const char *arg, GError **error)
{
    uint64_t key;

    if (!parse_number(arg, 1, 126, &key, error))
        return false;
    o->escape_key = key;
    return true;
}

bool opt_parallel(Options *o, const char *arg, GError **error)
{
    replace(&o->parallel, arg);
    return true;
}

/* ---- Defaults -------------------------------------------------------------------------------- */

/* A name of a -chardev has to be one. */
static bool check_device(const Options *o, const char *device, GError **error)
{
    const char *id =
        device && g_str_has_prefix(device, "chardev:") ? strchr(device, ':') + 1 : NULL;

    if (!id || options_find_chardev(o, id))
        return true;
    error_set(error, "there is no character device '%s' (-chardev ...,id=)", id);
    return false;
}

static bool is_stdio(const Options *o, const char *device)
{
    return device &&
           (!strcmp(device, "mon:stdio") || !strcmp(options_device_spec(o, device), "stdio"));
}

static bool uses_stdio(const Options *o)
{
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (is_stdio(o, o->serials->pdata[i]))
            return true;
    }
    return is_stdio(o, o->debugcon) || is_stdio(o, o->gdb);
}

/* The one debug console is -debugcon in other words; a port of a virtio-serial has its device by
 * id. */
static bool resolve_device_chardev(Options *o, const DeviceOption *device, GError **error)
{
    const char *id = g_hash_table_lookup(device->props, "chardev");
    const ChardevOption *c = id ? options_find_chardev(o, id) : NULL;
    bool debugcon = !strcmp(device->driver, "isa-debugcon");

    if (!id)
        return true;
    if (!c)
        error_set(error, "-device %s: there is no character device '%s' (-chardev ...,id=)",
                  device->driver, id);
    else if (debugcon && o->debugcon)
        error_set(error, "-device %s: only one debug console is supported yet", device->driver);
    else if (!debugcon && g_ptr_array_find(o->device_chardevs, c, NULL))
        error_set(error, "-device %s: another device has character device '%s'", device->driver,
                  id);
    else if (debugcon)
        return o->debugcon = g_strconcat("chardev:", id, NULL), true;
    else
        return g_ptr_array_add(o->device_chardevs, (void *)c), true;
    return false;
}

/* -device isa-serial,chardev=ID[,index=N]: a -serial in other words. */
static bool take_serial_port(Options *o, const DeviceOption *d, GError **error)
{
    const char *id = g_hash_table_lookup(d->props, "chardev");
    const char *text = g_hash_table_lookup(d->props, "index");
    uint64_t index = o->serials->len;

    if (!id)
        error_set(error, "Can't create serial device, empty char device");
    else if (!text || parse_number(text, 0, MACHINE_MAX_SERIAL - 1, &index, error)) {
        if (index >= MACHINE_MAX_SERIAL)
            error_set(error, "the machine has at most %d serial ports", MACHINE_MAX_SERIAL);
        else if (index < o->serials->len && strcmp(o->serials->pdata[index], "none"))
            error_set(error, "there is a serial port %u already", (unsigned)index);
        else {
            while (o->serials->len <= index)
                g_ptr_array_add(o->serials, g_strdup("none"));
            g_free(o->serials->pdata[index]);
            o->serials->pdata[index] = g_strconcat("chardev:", id, NULL);
            return true;
        }
    }
    g_prefix_error(error, "-device isa-serial: ");
    return false;
}

static bool take_serial_ports(Options *o, GError **error)
{
    for (guint i = 0; i < o->config.devices->len;) {
        const DeviceOption *d = o->config.devices->pdata[i];

        if (strcmp(d->driver, "isa-serial")) {
            i++;
            continue;
        }
        if (!take_serial_port(o, d, error))
            return false;
        g_ptr_array_remove_index(o->config.devices, i);
    }
    return true;
}

static bool resolve_device_chardevs(Options *o, GError **error)
{
    for (unsigned i = 0; i < o->config.devices->len; i++)
        if (!resolve_device_chardev(o, o->config.devices->pdata[i], error))
            return false;
    return true;
}

/*
 * -nographic puts serial port 0 and the monitor on the terminal, together where both are left to
 * us. As there is no window to show them in, they go there too if no display was mentioned at all.
 */
static void default_console(Options *o)
{
    bool on_terminal = o->nographic || !(o->display || o->vnc_given);

    if (o->config.nodefaults)
        on_terminal = false;
    if (o->monitors->len && !o->monitor)
        o->monitor = g_strdup("none");
    if (!o->serials->len) {
        const char *device = "null";

        if (o->config.nodefaults)
            device = "none";
        else if (on_terminal && !uses_stdio(o) && !(o->monitor && !strcmp(o->monitor, "stdio")))
            device = o->monitor ? "stdio" : "mon:stdio";
        g_ptr_array_add(o->serials, g_strdup(device));
    }
    if (!o->monitor)
        o->monitor = g_strdup(o->nographic && on_terminal && !uses_stdio(o) ? "stdio" : "none");
}

/* A serial port and the monitor on a -chardev with mux=on: "mon:DEV" in other words. */
static void share_chardevs(Options *o)
{
    for (unsigned i = 0; i < o->serials->len && o->monitor; i++) {
        char **serial = (char **)&o->serials->pdata[i];
        const char *id = g_str_has_prefix(*serial, "chardev:") ? *serial + strlen("chardev:") : "";
        const ChardevOption *c = options_find_chardev(o, id);

        if (!c || !c->mux || strcmp(*serial, o->monitor))
            continue;
        g_free(*serial);
        *serial = g_strconcat("mon:", o->monitor, NULL);
        replace(&o->monitor, "none");
    }
}

/* "mon:DEV" is a monitor of its own: what -monitor or -mon names is another beside it. */
static void keep_both_monitors(Options *o)
{
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (!o->monitor || !strcmp(o->monitor, "none") ||
            !g_str_has_prefix(o->serials->pdata[i], "mon:"))
            continue;
        add_monitor(o, o->monitor, false, false);
        replace(&o->monitor, "none");
    }
}

static bool names(const char *device, const char *id)
{
    const char *its = device ? options_device_id(device) : NULL;

    return its && !strcmp(its, id);
}

static bool has_machine(const Options *o, const ChardevOption *c)
{
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (names(o->serials->pdata[i], c->id))
            return true;
    }
    return names(o->debugcon, c->id) || names(o->parallel, c->id) ||
           g_ptr_array_find(o->device_chardevs, c, NULL);
}

static bool has_onlooker(const Options *o, const ChardevOption *c)
{
    for (unsigned i = 0; i < o->monitors->len; i++) {
        if (names(((MonitorOption *)o->monitors->pdata[i])->device, c->id))
            return true;
    }
    return names(o->monitor, c->id) || names(o->gdb, c->id);
}

/* A -chardev that only monitors or gdb have is no part of the machine, nor of a recording. */
static void part_from_machine(Options *o, const ChardevOption *c)
{
    for (unsigned i = 0; i + 1 < o->machine_args->len; i++) {
        const char *option = o->machine_args->pdata[i];

        if (!g_str_has_suffix(option, "-chardev") || strcmp(o->machine_args->pdata[i + 1], c->text))
            continue;
        for (int part = 0; part < 2; part++)
            g_ptr_array_add(o->host_args, g_ptr_array_steal_index(o->machine_args, i));
        return;
    }
}

/* A -device that is a VGA is there instead of the usual one. */
static bool has_own_vga(const Options *o)
{
    static const char *const names[] = { "VGA", "cirrus-vga", "isa-vga", NULL };

    for (guint i = 0; i < o->config.devices->len; i++)
        if (g_strv_contains(names, ((const DeviceOption *)o->config.devices->pdata[i])->driver))
            return true;
    return false;
}

bool options_complete_devices(Options *o, GError **error)
{
    if (!o->config.vga)
        o->config.vga = g_strdup(o->config.nodefaults || has_own_vga(o) ? "none" : "std");
    if (!take_serial_ports(o, error))
        return false;
    share_chardevs(o);
    keep_both_monitors(o);
    for (unsigned i = 0; i < o->monitors->len; i++) {
        if (!check_device(o, ((MonitorOption *)o->monitors->pdata[i])->device, error))
            return false;
    }
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (!check_device(o, o->serials->pdata[i], error))
            return false;
    }
    if (!check_device(o, o->monitor, error) || !check_device(o, o->debugcon, error) ||
        !check_device(o, o->parallel, error) || !check_device(o, o->gdb, error) ||
        !resolve_device_chardevs(o, error))
        return false;
    default_console(o);
    for (unsigned i = 0; i < o->chardevs->len; i++) {
        const ChardevOption *c = o->chardevs->pdata[i];

        if (has_onlooker(o, c) && !has_machine(o, c))
            part_from_machine(o, c);
    }
    return true;
}
