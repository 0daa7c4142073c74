/* SPDX-License-Identifier: MIT */
/*
 * Specs: tools/perf/Documentation/jit-interface.txt and jitdump-specification.txt of Linux.
 * Code that is forgotten is not told: a later name for the same place replaces it.
 */
#include "accel/host-profile.h"

#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "softmmu/error.h"

#define JITDUMP_MAGIC   0x4a695444u
#define JITDUMP_VERSION 1
enum { JIT_CODE_LOAD = 0 };

/* The program's own, where the linker puts it: it says what the host is. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

typedef struct DumpHeader {
    uint32_t magic, version, total_size, elf_mach, pad1, pid;
    uint64_t timestamp, flags;
} DumpHeader;

typedef struct DumpCodeLoad {
    uint32_t id, total_size;
    uint64_t timestamp;
    uint32_t pid, tid;
    uint64_t vma, code_addr, code_size, code_index;
} DumpCodeLoad; /* then the name with its NUL, then the code */

struct HostProfile {
    FILE *map, *dump; /* NULL: not wanted */
    void *marker;     /* perf learns of the dump from its being mapped */
    uint64_t count;
};

/* As perf record -k 1 stamps its samples. */
static uint64_t timestamp(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

static FILE *create(const char *format, GError **error)
{
    g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
    g_auto(GStrv) parts = g_strsplit(format, "PID", 2);
    g_autofree char *path = g_strjoinv(pid, parts);
    FILE *f = fopen(path, "w+e");

    if (!f)
        error_set(error, "cannot create '%s': %s", path, g_strerror(errno));
    return f;
}

static bool begin_dump(HostProfile *p, GError **error)
{
    DumpHeader h = {
        .magic = JITDUMP_MAGIC,
        .version = JITDUMP_VERSION,
        .total_size = sizeof(h),
        .elf_mach = __ehdr_start.e_machine,
        .pid = getpid(),
        .timestamp = timestamp(),
    };

    fwrite(&h, sizeof(h), 1, p->dump);
    if (!fflush(p->dump))
        p->marker = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ | PROT_EXEC, MAP_PRIVATE,
                         fileno(p->dump), 0);
    if (!p->marker || p->marker == MAP_FAILED) {
        p->marker = NULL;
        error_set(error, "cannot write a jitdump: %s", g_strerror(errno));
        return false;
    }
    return true;
}

HostProfile *host_profile_new(bool map, bool dump, GError **error)
{
    HostProfile *p = g_new0(HostProfile, 1);

    if ((map && !(p->map = create("/tmp/perf-PID.map", error))) ||
        (dump && (!(p->dump = create("jit-PID.dump", error)) || !begin_dump(p, error)))) {
        host_profile_free(p);
        return NULL;
    }
    return p;
}

void host_profile_free(HostProfile *p)
{
    if (!p)
        return;
    if (p->map)
        fclose(p->map);
    if (p->dump)
        fclose(p->dump);
    if (p->marker)
        munmap(p->marker, sysconf(_SC_PAGESIZE));
    g_free(p);
}

void host_profile_add(HostProfile *p, const void *start, size_t size, const char *name)
{
    if (p->map)
        fprintf(p->map, "%" PRIxPTR " %zx %s\n", (uintptr_t)start, size, name);
    if (p->dump) {
        size_t name_size = strlen(name) + 1;
        DumpCodeLoad r = {
            .id = JIT_CODE_LOAD,
            .total_size = sizeof(r) + name_size + size,
            .timestamp = timestamp(),
            .pid = getpid(),
            .tid = gettid(),
            .vma = (uintptr_t)start,
            .code_addr = (uintptr_t)start,
            .code_size = size,
            .code_index = p->count++,
        };
        fwrite(&r, sizeof(r), 1, p->dump);
        fwrite(name, name_size, 1, p->dump);
        fwrite(start, size, 1, p->dump);
    }
}
