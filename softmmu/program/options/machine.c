/* SPDX-License-Identifier: MIT */
/* Options of the machine: CPUs, memory, accelerator, time, boot order. Its type is in board.c. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

#define MIB           (UINT64_C(1) << 20)
#define MIN_RAM_BYTES MIB
/* What 40 bits of physical address leave beside the hole below 4 GiB. */
#define MAX_RAM_BYTES (UINT64_C(1023) << 30)
#define MAX_CODE_MIB  1024 /* what host jumps reach */

/* Under -icount without -rtc base= the guest's calendar starts here, so that runs repeat:
 * 2024-01-01 00:00:00 UTC. */
#define RECORD_SHIFT      1 /* of -record without -icount: 500 million instructions a second */
#define ICOUNT_RTC_BASE_S INT64_C(1704067200)

/* ---- -cpu, -m, -name ------------------------------------------------------------------------- */

bool opt_cpu(Options *o, const char *arg, GError **error)
{
    if (is_help(arg)) {
        options_answer(o, ANSWER_CPU_MODELS);
        return true;
    }
    if (!*arg) {
        error_set(error, "a model is needed (-cpu help lists them)");
        return false;
    }
    g_free(o->config.cpu_model);
    o->config.cpu_model = g_strdup(arg);
    return true;
}

static bool set_ram_size(Options *o, const char *value, uint64_t unit, GError **error)
{
    uint64_t bytes;

    if (!parse_size(value, unit, &bytes, error))
        return false;
    if (bytes < MIN_RAM_BYTES || bytes > MAX_RAM_BYTES) {
        error_set(error, "memory must be 1M to %" G_GUINT64_FORMAT "G", MAX_RAM_BYTES >> 30);
        return false;
    }
    o->config.ram_size = (bytes + 8191) & ~UINT64_C(8191);
    return true;
}

static bool set_memory(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    o->memory_given = true;
    return set_ram_size(o, value, MIB, error);
}

/* -machine memory.size=, which -m overrides wherever it is. */
static bool set_machine_memory(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    return o->memory_given || set_ram_size(o, value, 1, error);
}

static bool no_hot_plug(void *ctx, const char *value, GError **error)
{
    error_set(error, "memory hot-plug is not supported yet");
    return false;
}

static const KeyRow memory_keys[] = {
    { "size", set_memory }, { "slots", no_hot_plug }, { "maxmem", no_hot_plug }, { NULL }
};

const KeyRow options_memory_keys[] = {
    { "size", set_machine_memory }, { "slots", no_hot_plug }, { "max-size", no_hot_plug }, { NULL }
};

bool opt_memory(Options *o, const char *arg, GError **error)
{
    return keyval_apply(arg, "size", memory_keys, o, error);
}

static bool set_guest_name(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    g_free(o->config.name);
    o->config.name = g_strdup(value);
    return true;
}

/* Threads have names in any case. */
static bool check_thread_names(void *ctx, const char *value, GError **error)
{
    bool ignored;

    return parse_switch(value, &ignored, error);
}

static bool set_process_name(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    g_free(o->process_name);
    o->process_name = g_strdup(value);
    return true;
}

static const KeyRow name_keys[] = { { "process", set_process_name },
                                    { "guest", set_guest_name },
                                    { "debug-threads", check_thread_names },
                                    { NULL } };

bool opt_name(Options *o, const char *arg, GError **error)
{
    return keyval_apply(arg, "guest", name_keys, o, error);
}

/* ---- -smp ------------------------------------------------------------------------------------ */

static bool set_count(unsigned *field, const char *value, GError **error)
{
    uint64_t n;

    if (!parse_number(value, 1, 65535, &n, error))
        return false;
    *field = n;
    return true;
}

#define COUNT_SETTER(name)                                               \
    static bool set_##name(void *ctx, const char *value, GError **error) \
    {                                                                    \
        return set_count(&((Options *)ctx)->config.name, value, error);  \
    }
COUNT_SETTER(cpus)
COUNT_SETTER(max_cpus)
COUNT_SETTER(sockets)
COUNT_SETTER(cores)
COUNT_SETTER(threads)

static bool key_must_be_one(void *ctx, const char *value, GError **error)
{
    if (!strcmp(value, "1"))
        return true;
    error_set(error, "only 1 is supported");
    return false;
}

/* clang-format off */
const KeyRow options_smp_keys[] = {
    { "cpus", set_cpus },        { "maxcpus", set_max_cpus },
    { "sockets", set_sockets },  { "cores", set_cores },
    { "threads", set_threads },  { "dies", key_must_be_one },
    { "clusters", key_must_be_one }, { NULL },
};
/* clang-format on */

bool opt_smp(Options *o, const char *arg, GError **error)
{
    return keyval_apply(arg, "cpus", options_smp_keys, o, error);
}

/* What was not said: cores before sockets before threads take what is left. */
static void fill_topology(MachineConfig *c)
{
    unsigned total = c->max_cpus ? c->max_cpus : c->cpus;

    if (!total) {
        c->sockets = MAX(c->sockets, 1);
        c->cores = MAX(c->cores, 1);
        c->threads = MAX(c->threads, 1);
    } else if (!c->cores) {
        c->sockets = MAX(c->sockets, 1);
        c->threads = MAX(c->threads, 1);
        c->cores = total / (c->sockets * c->threads);
    } else if (!c->sockets) {
        c->threads = MAX(c->threads, 1);
        c->sockets = total / (c->cores * c->threads);
    } else if (!c->threads) {
        c->threads = total / (c->sockets * c->cores);
    }
    if (!total)
        total = MIN((uint64_t)c->sockets * c->cores * c->threads, UINT16_MAX + 1);
    c->max_cpus = total;
    c->cpus = c->cpus ? c->cpus : total;
}

static bool complete_topology(MachineConfig *c, GError **error)
{
    uint64_t product;

    fill_topology(c);
    if (c->max_cpus < c->cpus) {
        error_set(error, "Invalid CPU topology: maxcpus (%u) must not be smaller than smp (%u)",
                  c->max_cpus, c->cpus);
        return false;
    }
    if (c->max_cpus > OPTIONS_MAX_CPUS) {
        error_set(error, "Invalid SMP CPUs %u. The max CPUs supported by machine '%s' is %d",
                  c->max_cpus, options_canonical_machine(c->machine), OPTIONS_MAX_CPUS);
        return false;
    }
    product = (uint64_t)c->sockets * c->cores * c->threads;
    if (product != c->max_cpus) {
        error_set(error,
                  "Invalid CPU topology: product of the hierarchy must match maxcpus: "
                  "sockets (%u) * cores (%u) * threads (%u) != maxcpus (%u)",
                  c->sockets, c->cores, c->threads, c->max_cpus);
        return false;
    }
    return true;
}

/* ---- -accel, -icount ------------------------------------------------------------------------- */

/* One that is QEMU's and not ours. */
static bool is_other_accel(const char *value)
{
    static const char *const names[] = { "kvm", "hvf", "whpx", "xen", NULL };

    return g_strv_contains(names, value);
}

bool options_check_accel(const char *value, GError **error)
{
    if (!strcmp(value, "tcg"))
        return true;
    if (is_other_accel(value))
        error_set(error, "accelerator '%s' is not supported; use tcg", value);
    else
        error_set(error, "invalid accelerator '%s' (-accel help lists them)", value);
    return false;
}

/* Of several -accel the first that is there counts. */
static bool set_accel(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;
    g_autoptr(GError) why = NULL;

    if (options_check_accel(value, &why)) {
        o->accel_found = true;
    } else if (is_other_accel(value)) {
        g_free(o->lacking_accel);
        o->lacking_accel = g_strdup(value);
    } else {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    return true;
}

static bool set_backend(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    g_free(o->config.accel_backend);
    o->config.accel_backend = g_strdup(value); /* the compiler knows which there are */
    return true;
}

static bool set_tb_size(void *ctx, const char *value, GError **error)
{
    uint64_t mib;

    if (!parse_number(value, 1, MAX_CODE_MIB, &mib, error))
        return false;
    ((Options *)ctx)->config.tb_size = mib * MIB;
    return true;
}

static bool set_accel_thread(void *ctx, const char *value, GError **error)
{
    if (!strcmp(value, "single"))
        return true;
    if (!strcmp(value, "multi")) {
        options_warn("thread=multi: CPUs take turns on one thread");
        return true;
    }
    error_set(error, "'%s' is not single or multi", value);
    return false;
}

static bool set_one_insn(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->config.one_insn_per_tb, error);
}

static const KeyRow accel_keys[] = {
    { "accel", set_accel },     { "backend", set_backend },     { "one-insn-per-tb", set_one_insn },
    { "tb-size", set_tb_size }, { "thread", set_accel_thread }, { NULL },
};

bool opt_accel(Options *o, const char *arg, GError **error)
{
    if (!is_help(arg))
        return keyval_apply(arg, "accel", accel_keys, o, error);
    options_answer(o, ANSWER_TEXT);
    g_string_append(o->answer, "Accelerators supported:\ntcg\n");
    return true;
}

static bool set_shift(void *ctx, const char *value, GError **error)
{
    uint64_t shift;

    ((Options *)ctx)->icount_auto = !strcmp(value, "auto");
    if (((Options *)ctx)->icount_auto)
        return true;
    if (!parse_number(value, 0, 10, &shift, error))
        return false;
    ((Options *)ctx)->config.icount_shift = shift;
    return true;
}

static bool set_sleep(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->config.icount_sleep, error);
}

/* Options.rr_file until it is known what it is for. */
static bool set_rr(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    o->rr_record = !strcmp(value, "record");
    o->rr_replay = !strcmp(value, "replay");
    if (o->rr_record || o->rr_replay)
        return true;
    error_set(error, "'%s' is not supported; use record or replay", value);
    return false;
}

static bool set_rr_file(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;

    g_free(o->rr_file);
    o->rr_file = g_strdup(value);
    return true;
}

static bool no_snapshot(void *ctx, const char *value, GError **error)
{
    error_set(error, "none is needed: a replay makes its own checkpoints");
    return false;
}

static const KeyRow icount_keys[] = {
    { "shift", set_shift },
    { "sleep", set_sleep },
    { "align", key_must_be_off },
    { "rr", set_rr },
    { "rrfile", set_rr_file },
    { "rrsnapshot", no_snapshot },
    { NULL },
};

static bool complete_rr(Options *o, GError **error)
{
    if (!o->rr_record && !o->rr_replay && !o->rr_file)
        return true;
    if (!o->rr_file || o->rr_record == o->rr_replay) {
        error_set(error, "rr=record|replay and rrfile=FILE need each other");
        return false;
    }
    return o->rr_record ? opt_record(o, o->rr_file, error) : opt_replay(o, o->rr_file, error);
}

bool opt_icount(Options *o, const char *arg, GError **error)
{
    if (!keyval_apply(arg, "shift", icount_keys, o, error) || !complete_rr(o, error))
        return false;
    if (o->icount_auto && (o->rr_record || o->rr_replay)) /* as people record with QEMU */
        o->config.icount_shift = RECORD_SHIFT;
    else if (o->icount_auto) {
        error_set(error, "shift: 'auto' is not supported; give a number from 0 to 10");
        return false;
    }
    if (o->config.icount_shift >= 0)
        return true;
    error_set(error, "shift is needed, a number from 0 to 10");
    return false;
}

/* ---- -record, -replay ------------------------------------------------------------------------ */

static bool set_session_file(char **field, const Options *o, const char *arg, GError **error)
{
    if (o->record_file || o->replay_file) {
        error_set(error, "one recording or replay is possible at a time");
        return false;
    }
    if (*arg) {
        *field = g_strdup(arg);
        return true;
    }
    error_set(error, "the name of a file is needed");
    return false;
}

bool opt_record(Options *o, const char *arg, GError **error)
{
    return set_session_file(&o->record_file, o, arg, error);
}

bool opt_replay(Options *o, const char *arg, GError **error)
{
    return set_session_file(&o->replay_file, o, arg, error);
}

bool opt_checkpoint_mem(Options *o, const char *arg, GError **error)
{
    return parse_size(arg, MIB, &o->config.checkpoint_bytes, error);
}

/* ---- -seed ----------------------------------------------------------------------------------- */

bool opt_seed(Options *o, const char *arg, GError **error)
{
    o->seed_given = true;
    return parse_number(arg, 0, UINT64_MAX, &o->config.seed, error);
}

bool opt_chaos(Options *o, const char *arg, GError **error)
{
    o->config.chaos = true;
    return parse_number(arg, 0, UINT64_MAX, &o->config.chaos_seed, error);
}

/* The host's choice is made once and stands in the configuration from then on. */
static uint64_t seed_from_host(void)
{
    uint64_t seed;

    if (getentropy(&seed, sizeof(seed)) != 0)
        seed = (uint64_t)g_random_int() << 32 | g_random_int();
    return seed;
}

/* ---- -boot ----------------------------------------------------------------------------------- */

static bool set_drives(char **field, const char *value, GError **error)
{
    for (const char *p = value; *p; p++) {
        if (*p < 'a' || *p > 'p') {
            error_set(error, "Invalid boot device '%c'", *p);
            return false;
        }
        if (strchr(value, *p) != p) {
            error_set(error, "Boot device '%c' was given twice", *p);
            return false;
        }
    }
    g_free(*field);
    *field = g_strdup(value);
    return true;
}

static bool set_boot_order(void *ctx, const char *value, GError **error)
{
    return set_drives(&((Options *)ctx)->config.boot_order, value, error);
}

static bool set_boot_once(void *ctx, const char *value, GError **error)
{
    return set_drives(&((Options *)ctx)->config.boot_once, value, error);
}

static bool set_splash_time(void *ctx, const char *value, GError **error)
{
    MachineConfig *c = &((Options *)ctx)->config;
    uint64_t ms;

    if (!parse_number(value, 0, 0xffff, &ms, error))
        return false;
    c->boot_menu_wait_given = true;
    c->boot_menu_wait_ms = ms;
    return true;
}

static bool set_reboot_timeout(void *ctx, const char *value, GError **error)
{
    MachineConfig *c = &((Options *)ctx)->config;
    uint64_t ms = -1;

    if (strcmp(value, "-1") && !parse_number(value, 0, 0xffff, &ms, error))
        return false;
    c->boot_fail_wait_given = true;
    c->boot_fail_wait_ms = ms;
    return true;
}

/* JPEG and BMP are what firmware can show, told apart by their first bytes. */
static bool set_splash(void *ctx, const char *value, GError **error)
{
    Options *o = ctx;
    g_autoptr(GBytes) file = options_read_file(o->config.files, value, error);
    gsize size;
    const uint8_t *data = file ? g_bytes_get_data(file, &size) : NULL;

    if (!file)
        return false;
    o->config.boot_splash_jpeg = size >= 2 && data[0] == 0xff && data[1] == 0xd8;
    if (!o->config.boot_splash_jpeg && (size < 2 || memcmp(data, "BM", 2))) {
        error_set(error, "'%s' is neither a JPEG nor a BMP picture", value);
        return false;
    }
    g_clear_pointer(&o->config.boot_splash, g_bytes_unref);
    o->config.boot_splash = g_steal_pointer(&file);
    return true;
}

static bool set_boot_menu(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->config.boot_menu, error);
}

static bool set_boot_strict(void *ctx, const char *value, GError **error)
{
    return parse_switch(value, &((Options *)ctx)->config.boot_strict, error);
}

const KeyRow options_boot_keys[] = {
    { "order", set_boot_order },        { "once", set_boot_once },
    { "menu", set_boot_menu },          { "splash", set_splash },
    { "splash-time", set_splash_time }, { "reboot-timeout", set_reboot_timeout },
    { "strict", set_boot_strict },      { NULL },
};

bool opt_boot(Options *o, const char *arg, GError **error)
{
    return keyval_apply(arg, "order", options_boot_keys, o, error);
}

/* Nothing is plugged into what is not there. */
static bool complete_empty_machine(Options *o, GError **error)
{
    MachineConfig *c = &o->config;
    const char *what = c->kernel                        ? "-kernel"
                       : c->devices->len                ? "-device"
                       : c->drives->len                 ? "a disk"
                       : c->nics->len                   ? "a network card"
                       : c->max_cpus > 1 || c->cpus > 1 ? "-smp"
                       : o->record_file                 ? "-record"
                       : o->loadvm || o->incoming       ? "a saved state"
                                                        : NULL;

    if (what) {
        error_set(error, "machine type '" MACHINE_NONE "' has no place for %s", what);
        return false;
    }
    c->ram_size = 0;
    c->cpus = 0;
    c->max_cpus = c->sockets = c->cores = c->threads = 1; /* a CPU to ask for models, never there */
    return true;
}

bool options_complete_machine(Options *o, GError **error)
{
    if (!o->rtc_base_given)
        o->config.rtc_base_s = o->config.icount_shift >= 0 ? ICOUNT_RTC_BASE_S : time(NULL);
    if (!o->seed_given)
        o->config.seed = o->config.icount_shift >= 0 ? 0 : seed_from_host();
    if (o->record_file && o->config.icount_shift < 0)
        o->config.icount_shift = RECORD_SHIFT;
    if (o->lacking_accel && !o->accel_found) {
        g_autoptr(GError) why = NULL;

        options_check_accel(o->lacking_accel, &why);
        error_set(error, "-accel %s: %s", o->lacking_accel, why->message);
        return false;
    }
    return machine_is_empty(&o->config) ? complete_empty_machine(o, error)
                                        : complete_topology(&o->config, error);
}
