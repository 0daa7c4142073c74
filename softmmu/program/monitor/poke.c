/* SPDX-License-Identifier: MIT */
/* Commands that reach into the guest: keys, mouse, NMI, ports, and memory to files. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/program/monitor/internal.h"
#include "softmmu/ui/keys.h"

#define CHUNK 65536

void monitor_set_board(Monitor *mon, const MonitorBoard *board)
{
    mon->board = *board;
}

/* Up to @most words of @args, NULL after the last. */
static char **words_of(const char *args, unsigned most)
{
    g_auto(GStrv) all = g_strsplit_set(args, " \t", -1);
    char **words = g_new0(char *, most + 1);
    unsigned n = 0;

    for (char **w = all; *w && n < most; w++)
        if (**w)
            words[n++] = g_strdup(*w);
    return words;
}

/* Word @n as an expression; told if it is missing or none. Words are taken from the first on. */
static bool take_number(Monitor *mon, char **words, unsigned n, uint64_t *value, GString *out)
{
    g_autoptr(GError) error = NULL;

    for (unsigned i = 0; i < n; i++)
        if (!words[i])
            return false; /* told of that one */
    if (monitor_evaluate(mon, words[n] ? words[n] : "", value, &error))
        return true;
    monitor_explain(mon, out, error->message);
    return false;
}

/* ---- The board ------------------------------------------------------------------------------- */

void monitor_key_event(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = words_of(args, 2);
    int code = words[0] ? keys_from_name(words[0]) : -1;

    if (code < 0 || !words[1] || (strcmp(words[1], "on") && strcmp(words[1], "off")))
        monitor_fail(mon, out, "a key and on or off are needed");
    else
        hid_key(mon->m->hid, code, !strcmp(words[1], "on"));
}

void monitor_nmi(Monitor *mon, const char *args, GString *out)
{
    const CpuBus *cpus = mon->m->cpus;

    for (unsigned n = 0; n < cpus->count; n++)
        if (machine_has_cpu(mon->m, n))
            cpus->raise_nmi(cpus->opaque, n);
}

void monitor_boot_set(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!*args)
        monitor_fail(mon, out, "the boot devices are missing");
    else if (!mon->board.set_boot_order(mon->m, args, &error))
        monitor_tell(mon, out, error->message);
    else
        g_string_append_printf(out, "boot device list now set to %s\n", args);
}

/* ---- Ports ----------------------------------------------------------------------------------- */

/* False: said why not. Ports have up to 4 bytes: of what asks for 8, the first. */
static bool take_size(Monitor *mon, const char **args, unsigned *size, unsigned *digits,
                      GString *out)
{
    g_autoptr(GError) error = NULL;

    if (!monitor_take_size(mon, args, size, &error)) {
        monitor_explain(mon, out, error->message);
        return false;
    }
    *digits = *size * 2;
    if (*size == 8)
        *size = 1;
    return true;
}

void monitor_in(Monitor *mon, const char *args, GString *out)
{
    static const char letters[] = { [1] = 'b', [2] = 'w', [4] = 'l' };
    unsigned size, digits;
    uint64_t port;

    if (!take_size(mon, &args, &size, &digits, out))
        return;
    g_auto(GStrv) words = words_of(args, 1);
    if (take_number(mon, words, 0, &port, out))
        g_string_append_printf(out, "port%c[0x%04x] = 0x%0*" PRIx64 "\n", letters[size],
                               (unsigned)(port & 0xffff), (int)digits,
                               address_space_read(mon->m->io, port & 0xffff, size));
}

void monitor_out(Monitor *mon, const char *args, GString *out)
{
    unsigned size, digits;
    uint64_t port, value;

    if (!take_size(mon, &args, &size, &digits, out))
        return;
    g_auto(GStrv) words = words_of(args, 2);
    if (take_number(mon, words, 0, &port, out) && take_number(mon, words, 1, &value, out))
        address_space_write(mon->m->io, port & 0xffff, value, size);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

/* BSD's checksum of 16 bits. */
void monitor_sum(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = words_of(args, 2);
    uint64_t start, size;
    uint16_t sum = 0;

    if (!take_number(mon, words, 0, &start, out) || !take_number(mon, words, 1, &size, out))
        return;
    for (uint64_t i = 0; i < size && i < ram_set_end(mon->m->ram); i++) {
        uint8_t byte;

        address_space_read_bytes(mon->m->memory, start + i, &byte, 1);
        sum = (uint16_t)((sum >> 1) | (sum << 15)) + byte;
    }
    g_string_append_printf(out, "%05u\n", sum);
}

void monitor_gva2gpa(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = words_of(args, 1);
    uint64_t addr, gpa;

    if (!take_number(mon, words, 0, &addr, out))
        return;
    if (mon->cpus.translate(mon->cpus.opaque, mon->cpu, addr, &gpa))
        g_string_append_printf(out, "gpa: 0x%" PRIx64 "\n", gpa);
    else
        g_string_append(out, "Unmapped\n");
}

static const char no_balloon[] = "No balloon device has been activated";

void monitor_balloon(Monitor *mon, const char *args, GString *out)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    uint64_t count, unit = 1 << 20;

    if (g_str_has_suffix(args, "B")) {
        text = g_strndup(args, strlen(args) - 1);
        unit = 1;
    }
    if (!monitor_evaluate(mon, text ? text : args, &count, &error))
        monitor_explain(mon, out, error->message);
    else if (!count || count > UINT64_MAX / unit)
        monitor_fail(mon, out, "Parameter 'target' expects a size");
    else if (!mon->board.set_balloon || !mon->board.set_balloon(mon->m, count * unit))
        monitor_fail(mon, out, no_balloon);
}

bool monitor_get_balloon(Monitor *mon, uint64_t *bytes)
{
    return mon->board.get_balloon && mon->board.get_balloon(mon->m, bytes);
}

void monitor_info_balloon(Monitor *mon, const char *args, GString *out)
{
    uint64_t bytes;

    if (!monitor_get_balloon(mon, &bytes))
        monitor_fail(mon, out, no_balloon);
    else
        g_string_append_printf(out, "balloon: actual=%" PRIu64 "\n", bytes >> 20);
}

void monitor_gpa2hva(Monitor *mon, const char *args, GString *out)
{
    g_auto(GStrv) words = words_of(args, 1);
    g_autofree char *why = NULL;
    const FlatRange *r;
    uint64_t addr;

    if (!take_number(mon, words, 0, &addr, out))
        return;
    r = address_space_find(mon->m->memory, addr);
    if (!r || !r->region->ram) {
        why = g_strdup_printf(r ? "Memory at address 0x%" PRIx64 " is not RAM"
                                : "No memory is mapped at address 0x%" PRIx64,
                              addr);
        monitor_tell(mon, out, why);
        return;
    }
    g_string_append_printf(out, "Host virtual address for 0x%" PRIx64 " (%s) is %p\n", addr,
                           r->region->ram->name, address_space_map(mon->m->memory, addr, 1, false));
}

/* Guest memory to @file; @physical or of the monitor's CPU. */
static bool save_memory(Monitor *mon, uint64_t addr, uint64_t size, bool physical, FILE *file,
                        char **why)
{
    g_autofree uint8_t *buf = g_malloc(CHUNK);

    for (uint64_t n; size; addr += n, size -= n) {
        n = MIN(size, CHUNK - addr % CHUNK);
        if (physical)
            address_space_read_bytes(mon->m->memory, addr, buf, n);
        else if (!mon->cpus.peek(mon->cpus.opaque, mon->cpu, addr, buf, n)) {
            *why = g_strdup_printf("Invalid addr 0x%016" PRIx64 "/size %" PRIu64 " specified", addr,
                                   size);
            return false;
        }
        if (fwrite(buf, 1, n, file) != n)
            return false;
    }
    return true;
}

static void save(Monitor *mon, const char *args, bool physical, GString *out)
{
    g_auto(GStrv) words = words_of(args, 3);
    g_autofree char *why = NULL;
    uint64_t addr, size;
    const char *path;
    FILE *file;
    bool good;

    if (!take_number(mon, words, 0, &addr, out) || !take_number(mon, words, 1, &size, out))
        return;
    path = words[2] ? words[2] : "";
    if (*path == '"' && path[strlen(path) - 1] == '"' && path[1]) {
        words[2][strlen(path) - 1] = 0;
        path++;
    }
    file = *path ? host_fopen(path, "wb") : NULL;
    good = file && save_memory(mon, addr, size, physical, file, &why);
    if (file && fclose(file))
        good = false;
    if (!good && !why)
        why =
            g_strdup_printf("Could not open '%s': %s", path, *path ? g_strerror(errno) : "no name");
    if (!good)
        monitor_fail(mon, out, why);
}

void monitor_memsave(Monitor *mon, const char *args, GString *out)
{
    save(mon, args, false, out);
}

void monitor_pmemsave(Monitor *mon, const char *args, GString *out)
{
    save(mon, args, true, out);
}
