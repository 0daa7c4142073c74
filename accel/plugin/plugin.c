/* SPDX-License-Identifier: MIT */
/* Loading plugins, their arguments, and what they ask at any time. */
#include "accel/plugin/plugin.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "accel/plugin/internal.h"
#include "config.h"
#include "softmmu/error.h"
#include "softmmu/log.h"

/* ---- Loading --------------------------------------------------------------------------------- */

static void clear_argument(void *p)
{
    Argument *a = p;

    g_free(a->name);
    g_free(a->value);
}

static GArray *parse_arguments(char **texts)
{
    GArray *args = g_array_new(FALSE, FALSE, sizeof(Argument));

    g_array_set_clear_func(args, clear_argument);
    for (; *texts; texts++) {
        const char *equals = strchr(*texts, '=');
        Argument a = { .name =
                           equals ? g_strndup(*texts, (size_t)(equals - *texts)) : g_strdup(*texts),
                       .value = equals ? g_strdup(equals + 1) : NULL };
        g_array_append_val(args, a);
    }
    return args;
}

/* A name without a slash: one of our tools, a file here, or what dlopen() finds. */
static char *find_file(const char *name)
{
    const char *suffix = g_str_has_suffix(name, ".so") ? "" : ".so";
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *bin = self ? g_path_get_dirname(self) : g_strdup(".");
    char *candidates[] = {
        g_strconcat(bin, "/accel/plugin/", name, suffix, NULL), /* where it was built */
        g_strconcat(MIMUS_PLUGINDIR "/", name, suffix, NULL),
        g_strconcat("./", name, NULL),
    };
    char *found = NULL;

    for (unsigned i = 0; i < G_N_ELEMENTS(candidates); i++) {
        if (!found && !strchr(name, '/') && g_file_test(candidates[i], G_FILE_TEST_EXISTS))
            found = g_strdup(candidates[i]);
        g_free(candidates[i]);
    }
    return found ? found : g_strdup(name);
}

static char *name_of(PluginSet *s, const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    char *name = g_str_has_suffix(base, ".so") ? g_strndup(base, strlen(base) - 3) : g_strdup(base);

    for (unsigned i = 0; i < s->plugins->len; i++) {
        const MimusPlugin *p = s->plugins->pdata[i];
        if (!strcmp(p->name, name)) {
            char *other = g_strdup_printf("%s.%u", name, s->loaded);
            g_free(name);
            return other;
        }
    }
    return name;
}

static void forget_counters(MimusPlugin *p)
{
    for (unsigned i = 0; i < PLUGIN_COUNTERS; i++)
        if (p->set->counter[i].owner == p)
            p->set->counter[i].owner = NULL;
}

static void plugin_free(MimusPlugin *p)
{
    forget_counters(p);
    plugin_loose_paths_free(p);
    if (p->symbols)
        g_ptr_array_unref(p->symbols);
    if (p->module)
        dlclose(p->module);
    g_array_unref(p->args);
    g_array_unref(p->translate);
    g_array_unref(p->events);
    g_free(p->failure);
    g_free(p->name);
    g_free(p->path);
    g_free(p);
}

/* Two plugins of one file would share their variables. */
static bool is_loaded(const PluginSet *s, const void *module)
{
    for (unsigned i = 0; i < s->plugins->len; i++)
        if (((MimusPlugin *)s->plugins->pdata[i])->module == module)
            return true;
    return false;
}

static bool open_module(MimusPlugin *p, GError **error)
{
    const uint32_t *api;
    bool (*load)(MimusPlugin *);

    p->module = dlopen(p->path, RTLD_NOW | RTLD_LOCAL);
    if (!p->module) {
        error_set(error, "%s", dlerror());
        return false;
    }
    if (is_loaded(p->set, p->module)) {
        error_set(error, "it is loaded already");
        return false;
    }
    api = dlsym(p->module, "mimus_plugin_api");
    load = (bool (*)(MimusPlugin *))dlsym(p->module, "mimus_plugin_load");
    p->unload = (void (*)(MimusPlugin *))dlsym(p->module, "mimus_plugin_unload");
    if (!api || !load) {
        error_set(error, "it is no plugin of Mimus: it exports no %s",
                  api ? "mimus_plugin_load" : "mimus_plugin_api");
        return false;
    }
    if (*api < 1 || *api > MIMUS_PLUGIN_API) {
        error_set(error, "it was built for version %u of the plugin interface; this is version %d",
                  *api, MIMUS_PLUGIN_API);
        return false;
    }
    p->api = *api;
    if (load(p))
        return true;
    error_set(error, "%s", p->failure ? p->failure : "it does not want to be loaded");
    return false;
}

static PluginSet *plugin_set_new(Accel *a)
{
    PluginSet *s = g_new0(PluginSet, 1);

    s->accel = a;
    s->plugins = g_ptr_array_new();
    s->block.set = s;
    s->block.actions = g_array_new(FALSE, FALSE, sizeof(Action));
    s->block.text = g_string_new("");
    s->filters = g_hash_table_new_full(plugin_filter_hash, plugin_filter_equal, g_free, NULL);
    plugin_records_init(s);
    for (unsigned i = 0; i < PLUGIN_COUNTERS; i++)
        s->counter[i].set = s;
    return s;
}

static void plugin_set_free(PluginSet *s)
{
    if (!s)
        return;
    g_assert(!s->plugins->len);
    g_ptr_array_unref(s->plugins);
    g_array_unref(s->block.actions);
    g_string_free(s->block.text, TRUE);
    g_hash_table_unref(s->filters);
    plugin_records_free(s);
    g_free(s);
}

static bool wants_runs(const PluginSet *s)
{
    for (unsigned i = 0; i < s->plugins->len; i++)
        if (((const MimusPlugin *)s->plugins->pdata[i])->runs)
            return true;
    return false;
}

bool plugin_load(Accel *a, const char *spec, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(spec, ",", -1);
    const char *file = parts[0] && g_str_has_prefix(parts[0], "file=") ? parts[0] + 5 : parts[0];
    PluginSet *s = a->plugins ? a->plugins : plugin_set_new(a);
    MimusPlugin *p;

    if (!file || !*file) {
        error_set(error, "which file?");
        a->plugins ? (void)0 : plugin_set_free(s);
        return false;
    }
    p = g_new0(MimusPlugin, 1);
    p->set = s;
    p->path = find_file(file);
    p->name = name_of(s, p->path);
    p->args = parse_arguments(parts + 1);
    p->events = g_array_new(FALSE, FALSE, sizeof(EventHook));
    p->translate = g_array_new(FALSE, FALSE, sizeof(TranslateHook));
    if (!open_module(p, error)) {
        g_prefix_error(error, "plugin '%s': ", file);
        plugin_update_events(s); /* without its own */
        plugin_free(p);
        if (!wants_runs(s))
            plugin_runs_end(s);
        a->plugins ? (void)0 : plugin_set_free(s);
        return false;
    }
    a->plugins = s;
    s->loaded++;
    g_ptr_array_add(s->plugins, p);
    plugin_update_events(s);
    accel_flush_code(a);
    plugin_tell_replay(p);
    return true;
}

static void stop_watching(Accel *a)
{
    for (unsigned i = 0; i < a->cpus->len; i++)
        ((Cpu *)a->cpus->pdata[i])->run->watch_accesses =
            ((Cpu *)a->cpus->pdata[i])->run->watch_before = false;
}

static void unload(Accel *a, unsigned i)
{
    MimusPlugin *p = a->plugins->plugins->pdata[i];

    accel_flush_code(a);
    plugin_runs_wait(a->plugins);
    if (p->unload)
        p->unload(p);
    g_ptr_array_remove_index(a->plugins->plugins, i);
    plugin_update_events(a->plugins);
    plugin_free(p);
    stop_watching(a); /* until blocks are translated that are to tell of accesses */
    if (!wants_runs(a->plugins))
        plugin_runs_end(a->plugins);
    if (!a->plugins->plugins->len)
        g_clear_pointer(&a->plugins, plugin_set_free);
}

bool plugin_unload(Accel *a, const char *name, GError **error)
{
    for (unsigned i = 0; a->plugins && i < a->plugins->plugins->len; i++) {
        if (!strcmp(((MimusPlugin *)a->plugins->plugins->pdata[i])->name, name)) {
            unload(a, i);
            return true;
        }
    }
    error_set(error, "no plugin '%s' is loaded", name);
    return false;
}

void plugin_unload_all(Accel *a)
{
    while (a->plugins)
        unload(a, a->plugins->plugins->len - 1);
}

void plugin_list(Accel *a, GString *out)
{
    for (unsigned i = 0; a->plugins && i < a->plugins->plugins->len; i++) {
        const MimusPlugin *p = a->plugins->plugins->pdata[i];
        g_string_append_printf(out, "%s: %s\n", p->name, p->path);
    }
}

/* ---- Arguments and output -------------------------------------------------------------------- */

void mimus_fail(MimusPlugin *p, const char *fmt, ...)
{
    va_list ap;

    g_free(p->failure);
    va_start(ap, fmt);
    p->failure = g_strdup_vprintf(fmt, ap);
    va_end(ap);
}

void mimus_print(MimusPlugin *p, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    log_write(text);
    g_free(text);
}

static bool parse_number(const char *text, uint64_t *value, const char **end)
{
    static const char suffixes[] = "KMG";
    const char *s;
    char *e;

    errno = 0;
    *value = g_ascii_strtoull(text, &e, 0);
    if (e == text || !g_ascii_isdigit(*text) || errno)
        return false;
    s = *e ? strchr(suffixes, g_ascii_toupper(*e)) : NULL;
    if (s) {
        unsigned shift = 10 * (unsigned)(s - suffixes + 1);
        if (*value << shift >> shift != *value)
            return false;
        *value <<= shift;
        e++;
    }
    *end = e;
    return true;
}

static bool parse_range(const char *text, MimusRange *r)
{
    const char *end;
    uint64_t n;

    if (!parse_number(text, &r->first, &end))
        return false;
    if (g_str_has_prefix(end, "..")) {
        if (!parse_number(end + 2, &r->last, &end))
            return false;
    } else if (*end == '+') {
        if (!parse_number(end + 1, &n, &end) || !n)
            return false;
        r->last = r->first + (n - 1);
    } else {
        r->last = r->first;
    }
    return !*end && r->first <= r->last;
}

static bool parse_bool(const char *text, bool *value)
{
    *value = !text || !strcmp(text, "on");
    return *value || !strcmp(text, "off");
}

static bool set_option(const MimusOption *o, const char *text)
{
    const char *end;

    switch (o->kind) {
    case MIMUS_STRING: *(const char **)o->value = text; return text && *text;
    case MIMUS_NUMBER: return text && parse_number(text, o->value, &end) && !*end;
    case MIMUS_BOOL: return parse_bool(text, o->value);
    case MIMUS_RANGE: return text && parse_range(text, o->value);
    }
    return false;
}

bool mimus_options(MimusPlugin *p, const MimusOption *options, size_t n)
{
    static const char *const wanted[] = { "a text", "a number", "on or off", "A..B or A+N" };

    for (unsigned i = 0; i < p->args->len; i++) {
        const Argument *a = &g_array_index(p->args, Argument, i);
        const MimusOption *o = options;

        while (o < options + n && strcmp(o->name, a->name))
            o++;
        if (o == options + n) {
            mimus_fail(p, "unknown argument '%s'", a->name);
            return false;
        }
        if (!set_option(o, a->value)) {
            mimus_fail(p, "%s=%s: %s is expected", a->name, a->value ? a->value : "",
                       wanted[o->kind]);
            return false;
        }
    }
    return true;
}

void mimus_set_data(MimusPlugin *p, void *data)
{
    p->data = data;
}

void *mimus_data(const MimusPlugin *p)
{
    return p->data;
}

/* ---- The machine ----------------------------------------------------------------------------- */

void mimus_machine(const MimusPlugin *p, MimusMachine *out)
{
    Accel *a = p->set->accel;

    *out = (MimusMachine){ .version = MIMUS_VERSION,
                           .target = a->ops->name,
                           .engine = tcg_backend_name(a->tcg),
                           .cpus = a->cpus->len,
                           .ram_bytes = a->machine->config->ram_size,
                           .icount_shift = a->icount_shift,
                           .replaying = a->machine->config->replaying };
}

uint64_t mimus_instructions(const MimusPlugin *p)
{
    return accel_instruction_count(p->set->accel);
}

int64_t mimus_virtual_ns(const MimusPlugin *p)
{
    return accel_clock_source(p->set->accel);
}

/* Of each file with functions for plugins one, so that the linker takes it into the program. */
void (*const plugin_interface[])(void) = {
    (void (*)(void))mimus_exit,     (void (*)(void))mimus_insn_count,
    (void (*)(void))mimus_on_event, (void (*)(void))mimus_flush_records,
    (void (*)(void))mimus_on_runs,  (void (*)(void))mimus_symbol_find,
};
