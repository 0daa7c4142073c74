/* SPDX-License-Identifier: MIT */
/*
 * -numa: nodes, their memory and CPUs, and how far they are from each other. The memory is the
 * machine's own, of one speed: the guest is told of nodes, nothing runs slower for them.
 * Missing: HMAT (hmat-lb, hmat-cache, initiator).
 */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

enum { NEAR = 10, UNREACHABLE = 255, NO_NODE = 0xff };

typedef struct NumaArgs NumaArgs;
struct NumaArgs {
    bool (*apply)(Options *o, const NumaArgs *a, GError **error);
    char *text;              /* of the option, for errors */
    uint64_t node, ram_size; /* node: UINT64_MAX: the next */
    char *memdev;            /* NULL: none */
    bool has_ram;
    uint8_t cpus[OPTIONS_MAX_CPUS]; /* 1: of this node */
    uint64_t src, dst, distance;
    uint64_t socket, core, thread; /* UINT64_MAX: not said */
};

/* ---- What is said -----------------------------------------------------------------------------
 */

static bool set_node(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, MACHINE_MAX_NODES - 1, &((NumaArgs *)ctx)->node, error);
}

static bool set_mem(void *ctx, const char *value, GError **error)
{
    ((NumaArgs *)ctx)->has_ram = true;
    return parse_size(value, UINT64_C(1) << 20, &((NumaArgs *)ctx)->ram_size, error);
}

static bool set_memdev(void *ctx, const char *value, GError **error)
{
    NumaArgs *a = ctx;

    g_free(a->memdev);
    a->memdev = g_strdup(value);
    return a->has_ram = true;
}

/* "N" or "N-M" */
static bool set_cpus(void *ctx, const char *value, GError **error)
{
    NumaArgs *a = ctx;
    g_auto(GStrv) ends = g_strsplit(value, "-", 2);
    uint64_t first, last;

    if (!parse_number(ends[0] ? ends[0] : "", 0, OPTIONS_MAX_CPUS - 1, &first, error))
        return false;
    last = first;
    if (ends[1] && !parse_number(ends[1], first, OPTIONS_MAX_CPUS - 1, &last, error))
        return false;
    memset(a->cpus + first, 1, last - first + 1);
    return true;
}

static bool set_src(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, MACHINE_MAX_NODES - 1, &((NumaArgs *)ctx)->src, error);
}

static bool set_dst(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, MACHINE_MAX_NODES - 1, &((NumaArgs *)ctx)->dst, error);
}

static bool set_distance(void *ctx, const char *value, GError **error)
{
    return parse_number(value, NEAR, UNREACHABLE, &((NumaArgs *)ctx)->distance, error);
}

static bool set_socket(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, OPTIONS_MAX_CPUS, &((NumaArgs *)ctx)->socket, error);
}

static bool set_core(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, OPTIONS_MAX_CPUS, &((NumaArgs *)ctx)->core, error);
}

static bool set_thread(void *ctx, const char *value, GError **error)
{
    return parse_number(value, 0, OPTIONS_MAX_CPUS, &((NumaArgs *)ctx)->thread, error);
}

/* ---- What it comes to -------------------------------------------------------------------------
 */

static bool put_cpu(NumaConfig *numa, unsigned cpu, unsigned node, GError **error)
{
    if (numa->node_of_cpu[cpu] != NO_NODE && numa->node_of_cpu[cpu] != node) {
        error_set(error, "CPU %u is in node %u already", cpu, numa->node_of_cpu[cpu]);
        return false;
    }
    numa->node_of_cpu[cpu] = node;
    return true;
}

static bool find_ram(const Options *o, const NumaArgs *a, uint64_t *size, GError **error)
{
    *size = a->memdev ? options_memory_size(o, a->memdev) : a->ram_size;
    if (!a->memdev || *size)
        return true;
    error_set(error, "there is no memory backend '%s' (-object memory-backend-ram,id=)", a->memdev);
    return false;
}

static bool apply_node(Options *o, const NumaArgs *a, GError **error)
{
    NumaConfig *numa = &o->config.numa;
    uint64_t node = a->node == UINT64_MAX ? numa->nodes : a->node;

    if (node >= MACHINE_MAX_NODES || o->numa_has_node[node]) {
        error_set(error, "Duplicate NUMA nodeid: %u", (unsigned)node);
        return false;
    }
    o->numa_has_node[node] = true;
    o->numa_has_ram |= a->has_ram;
    numa->nodes = MAX(numa->nodes, node + 1);
    for (unsigned i = 0; i < OPTIONS_MAX_CPUS; i++) {
        if (a->cpus[i] && i >= o->config.max_cpus) {
            error_set(error, "CPU index (%u) should be smaller than maxcpus (%u)", i,
                      o->config.max_cpus);
            return false;
        }
        if (a->cpus[i] && !put_cpu(numa, i, node, error))
            return false;
    }
    o->numa_memdev[node] = a->memdev;
    return find_ram(o, a, &numa->ram_size[node], error);
}

static bool check_node(const Options *o, uint64_t node, GError **error)
{
    if (node < MACHINE_MAX_NODES && o->numa_has_node[node])
        return true;
    if (node == UINT64_MAX)
        error_set(error, "a node is missing");
    else
        error_set(error, "there is no node %u (-numa node)", (unsigned)node);
    return false;
}

static bool apply_distance(Options *o, const NumaArgs *a, GError **error)
{
    NumaConfig *numa = &o->config.numa;

    if (!check_node(o, a->src, error) || !check_node(o, a->dst, error))
        return false;
    if (!a->distance || (a->src == a->dst) != (a->distance == NEAR)) {
        error_set(error, "val is needed: %d from a node to itself, more to another", NEAR);
        return false;
    }
    if (!numa->distance)
        numa->distance = g_malloc0(sizeof(*numa->distance) * MACHINE_MAX_NODES);
    numa->distance[a->src][a->dst] = a->distance;
    return true;
}

static bool fits(uint64_t wanted, unsigned is)
{
    return wanted == UINT64_MAX || wanted == is;
}

/* Every CPU that has what is said of its place. */
static bool apply_cpu(Options *o, const NumaArgs *a, GError **error)
{
    const MachineConfig *c = &o->config;
    bool found = false;

    if (!check_node(o, a->node, error))
        return false;
    for (unsigned i = 0; i < c->max_cpus; i++) {
        if (!fits(a->thread, i % c->threads) || !fits(a->core, i / c->threads % c->cores) ||
            !fits(a->socket, i / c->threads / c->cores))
            continue;
        found = true;
        if (!put_cpu(&o->config.numa, i, a->node, error))
            return false;
    }
    if (!found)
        error_set(error, "no match found");
    return found;
}

/* ---- The option -------------------------------------------------------------------------------
 */

static const KeyRow node_keys[] = { { "nodeid", set_node },
                                    { "mem", set_mem },
                                    { "memdev", set_memdev },
                                    { "cpus", set_cpus },
                                    { NULL } };
static const KeyRow distance_keys[] = {
    { "src", set_src }, { "dst", set_dst }, { "val", set_distance }, { NULL }
};
static const KeyRow cpu_keys[] = { { "node-id", set_node },
                                   { "socket-id", set_socket },
                                   { "core-id", set_core },
                                   { "thread-id", set_thread },
                                   { NULL } };

static const struct {
    const char *name;
    const KeyRow *keys;
    bool (*apply)(Options *o, const NumaArgs *a, GError **error);
} kinds[] = {
    { "node", node_keys, apply_node },
    { "dist", distance_keys, apply_distance },
    { "cpu", cpu_keys, apply_cpu },
};

void options_free_numa(void *p)
{
    NumaArgs *a = p;

    g_free(a->text);
    g_free(a->memdev);
    g_free(a);
}

bool opt_numa(Options *o, const char *arg, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(arg, ",", 2);
    NumaArgs *a = g_new0(NumaArgs, 1);

    a->text = g_strdup(arg);
    a->node = a->src = a->dst = a->socket = a->core = a->thread = UINT64_MAX;
    g_ptr_array_add(o->numa, a);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(parts[0], kinds[i].name))
            continue;
        a->apply = kinds[i].apply;
        return keyval_apply(parts[1] ? parts[1] : "", NULL, kinds[i].keys, a, error);
    }
    error_set(error, "'%s' is not supported; use node, dist or cpu", parts[0] ? parts[0] : "");
    return false;
}

/* ---- After all options ------------------------------------------------------------------------
 */

/* Where nothing is said of memory it is shared out evenly, in whole megabytes. */
static bool complete_ram(Options *o, GError **error)
{
    NumaConfig *numa = &o->config.numa;
    uint64_t total = 0, size = o->config.ram_size;
    uint64_t each = (size / numa->nodes) & ~((UINT64_C(1) << 20) - 1);

    for (unsigned n = 0; n < numa->nodes; n++) {
        if (!o->numa_has_ram)
            numa->ram_size[n] = n + 1 < numa->nodes ? each : size - each * n;
        total += numa->ram_size[n];
    }
    if (total == size)
        return true;
    error_set(error,
              "total memory for NUMA nodes (0x%" G_GINT64_MODIFIER "x) should equal RAM size "
              "(0x%" G_GINT64_MODIFIER "x)",
              total, size);
    return false;
}

/* Without a word sockets take turns; else those of whom nothing is said are in node 0. */
static void complete_cpus(Options *o)
{
    const MachineConfig *c = &o->config;
    bool said = false;

    for (unsigned i = 0; i < c->max_cpus; i++)
        said |= c->numa.node_of_cpu[i] != NO_NODE;
    for (unsigned i = 0; i < c->max_cpus; i++) {
        uint8_t *node = &o->config.numa.node_of_cpu[i];

        if (*node == NO_NODE && said)
            options_warn("CPU %u is in no NUMA node: it is put into node 0", i);
        if (*node == NO_NODE)
            *node = said ? 0 : i / c->threads / c->cores % c->numa.nodes;
    }
}

/* One way is as far as the other, unless both are said. */
static bool complete_distances(NumaConfig *numa, GError **error)
{
    for (unsigned from = 0; numa->distance && from < numa->nodes; from++) {
        for (unsigned to = 0; to < numa->nodes; to++) {
            uint8_t *d = &numa->distance[from][to];

            if (!*d)
                *d = from == to ? NEAR : numa->distance[to][from];
            if (!*d) {
                error_set(error,
                          "-numa dist: the distance between node %u and %u is missing, please"
                          " provide at least one distance value between each nodes",
                          from, to);
                return false;
            }
        }
    }
    return true;
}

bool options_complete_numa(Options *o, GError **error)
{
    NumaConfig *numa = &o->config.numa;

    memset(numa->node_of_cpu, NO_NODE, sizeof(numa->node_of_cpu));
    for (guint i = 0; i < o->numa->len; i++) {
        const NumaArgs *a = o->numa->pdata[i];

        if (!a->apply(o, a, error)) {
            g_prefix_error(error, "-numa %s: ", a->text);
            return false;
        }
    }
    if (!numa->nodes)
        return true;
    for (unsigned n = 0; n < numa->nodes; n++) {
        if (!o->numa_has_node[n]) {
            error_set(error, "numa: Node ID missing: %u", n);
            return false;
        }
    }
    complete_cpus(o);
    return complete_ram(o, error) && complete_distances(numa, error);
}
