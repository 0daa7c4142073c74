/* SPDX-License-Identifier: MIT */
/*
 * Captures of a network: each frame as a record of libpcap's file format (version 2.4, host byte
 * order, link type 1). A host that cannot write any more is told of once; the guest goes on.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
#include "softmmu/net/net.h"

#define PCAP_MAGIC    0xa1b2c3d4 /* microseconds */
#define LINK_ETHERNET 1

struct NetDump {
    FILE *file; /* NULL: it could not be written any more */
    char *path;
    uint32_t max_len;
    bool rx, tx, off;
    Clock *clock;
};

typedef struct FileHead {
    uint32_t magic;
    uint16_t major, minor;
    int32_t zone;
    uint32_t accuracy, max_len, link;
} FileHead;

typedef struct RecordHead {
    uint32_t seconds, microseconds, saved, len;
} RecordHead;

static bool put(NetDump *d, const void *bytes, size_t len)
{
    return fwrite(bytes, 1, len, d->file) == len;
}

NetDump *net_dump_new(const char *path, uint32_t max_len, const char *directions, Clock *clock,
                      GError **error)
{
    NetDump *d = g_new0(NetDump, 1);
    const FileHead head = { PCAP_MAGIC, 2, 4, 0, 0, max_len, LINK_ETHERNET };

    d->path = g_strdup(path);
    d->max_len = max_len;
    d->rx = strcmp(directions, "tx");
    d->tx = strcmp(directions, "rx");
    d->clock = clock;
    d->file = host_fopen(path, "wbe");
    if (d->file && put(d, &head, sizeof(head)) && !fflush(d->file))
        return d;
    error_set(error, "could not write '%s': %s", path, g_strerror(errno));
    net_dump_free(d);
    return NULL;
}

void net_dump_free(NetDump *d)
{
    if (d->file)
        fclose(d->file);
    g_free(d->path);
    g_free(d);
}

void net_dump_set_on(NetDump *d, bool on)
{
    d->off = !on;
}

bool net_dump_is_on(const NetDump *d)
{
    return !d->off;
}

void net_dump_frame(NetDump *d, bool to_backend, const uint8_t *frame, size_t len)
{
    uint64_t us = (uint64_t)clock_now_ns(d->clock) / 1000;
    RecordHead head = { (uint32_t)(us / 1000000), (uint32_t)(us % 1000000),
                        (uint32_t)MIN(len, d->max_len), (uint32_t)len };

    if (d->off || !d->file || !(to_backend ? d->rx : d->tx))
        return;
    if (put(d, &head, sizeof(head)) && put(d, frame, head.saved) && !fflush(d->file))
        return;
    g_printerr("mimus: %s: %s; no more is written there\n", d->path, g_strerror(errno));
    g_clear_pointer(&d->file, fclose);
}

void net_backend_add_dump(NetBackend *b, NetDump *d)
{
    if (!b->dumps)
        b->dumps = g_ptr_array_new();
    g_ptr_array_add(b->dumps, d);
}

void net_backend_remove_dump(NetBackend *b, NetDump *d)
{
    g_ptr_array_remove(b->dumps, d);
    if (!b->dumps->len)
        g_clear_pointer(&b->dumps, g_ptr_array_unref);
}
