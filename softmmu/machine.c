/* SPDX-License-Identifier: MIT */
#include "softmmu/machine.h"

#include <string.h>

#define MEMORY_BITS 52
#define IO_BYTES    0x10000

static const DeviceClass root_class = { .name = "machine", .size = sizeof(Device) };

static GBytes *save_actions(void *m)
{
    return g_bytes_new(&((Machine *)m)->actions, sizeof(MachineActions));
}

static void load_actions(void *m, GBytes *saved)
{
    ((Machine *)m)->actions = *(const MachineActions *)g_bytes_get_data(saved, NULL);
}

static void clear_keeper(void *p)
{
    g_free((char *)((MachineKeeper *)p)->name);
}

void machine_init(Machine *m, const MachineConfig *config)
{
    const MachineKeeper actions = { "actions", save_actions, load_actions, NULL, m, .here = true };

    m->config = config;
    m->actions = config->actions;
    m->ram = ram_set_new();
    m->input = input_queue_new();
    m->keepers = g_array_new(FALSE, FALSE, sizeof(MachineKeeper));
    g_array_set_clear_func(m->keepers, clear_keeper);
    machine_keep(m, &actions);
    memory_init_container(&m->memory_root, "system", UINT64_C(1) << MEMORY_BITS);
    memory_init_container(&m->io_root, "io", IO_BYTES);
    m->memory = address_space_new("memory", &m->memory_root, m->ram);
    m->io = address_space_new("I/O", &m->io_root, NULL);
    m->root = device_new(&root_class, NULL, NULL);
    device_realize(m->root, NULL);
}

void machine_destroy(Machine *m)
{
    address_space_free(m->memory);
    address_space_free(m->io);
    memory_destroy(&m->memory_root);
    memory_destroy(&m->io_root);
    ram_set_free(m->ram);
    g_array_unref(m->keepers);
    g_free(m->trouble);
    input_queue_free(m->input);
}

void machine_request(Machine *m, RunRequest r)
{
    m->requests |= r;
    if (m->request_hook)
        m->request_hook(m->request_opaque);
}

/* The first to quit decides the status. */
void machine_request_quit(Machine *m, int exit_status)
{
    if (!(m->requests & REQUEST_QUIT))
        m->exit_status = exit_status;
    machine_request(m, REQUEST_QUIT);
}

void machine_request_end(Machine *m, int exit_status)
{
    if (m->stays)
        machine_request(m, REQUEST_END);
    else
        machine_request_quit(m, exit_status);
}

bool machine_request_pause(Machine *m, const char *why)
{
    if (m->state != RUN_RUNNING)
        return false;
    if (!m->trouble)
        m->trouble = g_strdup(why);
    machine_request(m, REQUEST_IO_ERROR);
    return true;
}

void machine_request_for_host(Machine *m, RunRequest r)
{
    m->host_requests |= r;
    machine_request(m, r);
}

const char *const smbios_onboard_kinds[] = { "other",    "unknown",   "video", "scsi",
                                             "ethernet", "tokenring", "sound", "pata",
                                             "sata",     "sas",       NULL };

const char *const watchdog_action_names[] = { "reset", "shutdown", "poweroff",   "pause",
                                              "debug", "none",     "inject-nmi", NULL };

static void raise_nmis(Machine *m)
{
    for (unsigned n = 0; n < m->cpus->count; n++)
        if (machine_has_cpu(m, n))
            m->cpus->raise_nmi(m->cpus->opaque, n);
}

/* A replay is not to be stopped: whoever let the recorded machine go on is not there. */
void machine_watchdog(Machine *m)
{
    WatchdogAction action = m->actions.watchdog;

    machine_emit(m, "WATCHDOG", "{\"action\": \"%s\"}", watchdog_action_names[action]);
    switch (action) {
    case WATCHDOG_RESET: machine_request(m, REQUEST_RESET); break;
    case WATCHDOG_SHUTDOWN: machine_request(m, REQUEST_POWERDOWN); break;
    case WATCHDOG_POWEROFF: machine_request(m, REQUEST_SHUTDOWN); break;
    case WATCHDOG_PAUSE:
        if (!machine_is_replaying(m))
            machine_request(m, REQUEST_STOP);
        break;
    case WATCHDOG_DEBUG: g_printerr("mimus: watchdog: timer fired\n"); break;
    case WATCHDOG_INJECT_NMI: raise_nmis(m); break;
    case WATCHDOG_NONE: break;
    }
}

bool machine_has_cpu(const Machine *m, unsigned n)
{
    return !m->cpus || m->cpus->is_present(m->cpus->opaque, n);
}

void machine_emit(Machine *m, const char *event, const char *data, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, data);
    text = data ? g_strdup_vprintf(data, ap) : NULL;
    va_end(ap);
    if (m->event_hook)
        m->event_hook(m->event_opaque, event, text);
}

static GBytes *save_chardev(void *chr)
{
    return chardev_save(chr);
}

static void load_chardev(void *chr, GBytes *saved)
{
    chardev_load(chr, saved);
}

static void silence_chardev(void *chr, bool silent)
{
    chardev_set_silent(chr, silent);
}

void machine_keep(Machine *m, const MachineKeeper *k)
{
    MachineKeeper own = *k;

    own.name = g_strdup(k->name);
    g_array_append_val(m->keepers, own);
}

void machine_load_kept(Machine *m, guint i, GBytes *saved)
{
    const MachineKeeper *k = &g_array_index(m->keepers, MachineKeeper, i);
    g_autoptr(GBytes) nothing = saved ? NULL : g_bytes_new(NULL, 0);

    k->load(k->opaque, saved ? saved : nothing);
}

void machine_keep_chardev(Machine *m, const char *label, Chardev *chr)
{
    MachineKeeper k = { label, save_chardev, load_chardev, silence_chardev, chr };

    if (chr)
        machine_keep(m, &k);
}

void machine_forget_chardev(Machine *m, Chardev *chr)
{
    for (guint i = m->keepers->len; i-- > 0;)
        if (g_array_index(m->keepers, MachineKeeper, i).opaque == chr)
            g_array_remove_index(m->keepers, i);
}

void machine_set_silent(Machine *m, bool silent)
{
    for (guint i = 0; i < m->keepers->len; i++) {
        const MachineKeeper *k = &g_array_index(m->keepers, MachineKeeper, i);

        if (k->set_silent)
            k->set_silent(k->opaque, silent);
    }
}

#define PAGE_BYTES 4096

/* Most pages have never been used: runs of such ones are a number each. */
static uint64_t hash_block(const RamBlock *block, uint64_t hash)
{
    uint64_t zeros = 0;

    for (uint64_t at = 0; at < block->size; at += PAGE_BYTES) {
        if (ram_page_is_zero(block->host + at)) {
            zeros++;
            continue;
        }
        hash = state_hash_bytes(block->host + at, PAGE_BYTES, hash + zeros);
        zeros = 0;
    }
    return state_hash_bytes(NULL, 0, hash + zeros);
}

uint64_t machine_state_hash(Machine *m)
{
    const GPtrArray *blocks = ram_set_blocks(m->ram);
    uint64_t hash = device_tree_hash(m->root, 0);

    for (unsigned i = 0; i < blocks->len; i++)
        hash = hash_block(blocks->pdata[i], hash);
    return hash;
}

ImageOpen machine_drive_image(const DriveOption *o, ImageOpen *below)
{
    ImageOpen how = { .path = o->file,
                      .format = o->format,
                      .discard = o->discard,
                      .read_only = o->read_only || o->cdrom || o->snapshot,
                      .alone = o->alone };

    if (o->backing) { /* the parser has seen to it that there are not more */
        below[0] = machine_drive_image(o->backing, below + 1);
        how.backing = below;
    }
    return how;
}
