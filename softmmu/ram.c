/* SPDX-License-Identifier: MIT */
/*
 * Host memory for guest RAM and ROM. A block is anonymous memory, aligned for huge pages where it
 * is large enough to use them. Missing: file- and memfd-backed blocks.
 */
#include "softmmu/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/memory-internal.h"

#define PAGE_BYTES      UINT64_C(4096)
#define HUGE_PAGE_BYTES (UINT64_C(2) << 20)
/* Far above what a physical address of the guest can name, far below overflow. */
#define RAM_BLOCK_MAX (UINT64_C(1) << 52)

RamSet *ram_set_new(void)
{
    RamSet *set = g_new0(RamSet, 1);

    set->blocks = g_ptr_array_new();
    set->spaces = g_ptr_array_new();
    return set;
}

static void ram_block_free(RamBlock *block)
{
    munmap(block->host, block->size);
    g_free(block->name);
    g_free(block);
}

void ram_set_free(RamSet *set)
{
    if (!set)
        return;
    g_assert(set->spaces->len == 0);
    for (unsigned i = 0; i < set->blocks->len; i++)
        ram_block_free(set->blocks->pdata[i]);
    g_ptr_array_free(set->blocks, TRUE);
    g_ptr_array_free(set->spaces, TRUE);
    g_free(set->written);
    g_free(set);
}

/* @size bytes of zeroed memory at a multiple of @align, or NULL with errno. */
static void *map_aligned(size_t size, size_t align)
{
    size_t whole = size + align - PAGE_BYTES, head;
    uint8_t *p = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    head = -(uintptr_t)p & (align - 1);
    if (head)
        munmap(p, head);
    if (whole - head > size)
        munmap(p + head + size, whole - head - size);
    return p + head;
}

RamBlock *ram_block_new(RamSet *set, const char *name, uint64_t size, GError **error)
{
    uint64_t rounded = size <= RAM_BLOCK_MAX ? (size + PAGE_BYTES - 1) & -PAGE_BYTES : 0;
    bool huge = rounded >= HUGE_PAGE_BYTES;
    uint8_t *host = NULL;
    RamBlock *block;

    errno = ENOMEM;
    if (rounded && rounded <= SIZE_MAX - HUGE_PAGE_BYTES)
        host = map_aligned(rounded, huge ? HUGE_PAGE_BYTES : PAGE_BYTES);
    if (!host) {
        bool narrow = sizeof(void *) == 4 && rounded > SIZE_MAX / 2;
        error_set(error, "cannot allocate %" G_GUINT64_FORMAT " MiB of memory for '%s': %s",
                  size >> 20, name,
                  narrow ? "a 32-bit host has no addresses for so much" : g_strerror(errno));
        return NULL;
    }
    if (huge)
        madvise(host, rounded, MADV_HUGEPAGE); /* a wish only */
    block = g_new0(RamBlock, 1);
    block->name = g_strdup(name);
    block->host = host;
    block->size = rounded;
    block->set = set;
    block->ram_offset = ram_set_end(set);
    g_ptr_array_add(set->blocks, block);
    set->written = g_realloc(set->written, ram_set_end(set) / PAGE_BYTES);
    memset(set->written + block->ram_offset / PAGE_BYTES, 0, rounded / PAGE_BYTES);
    return block;
}

const GPtrArray *ram_set_blocks(const RamSet *set)
{
    return set->blocks;
}

uint64_t ram_set_end(const RamSet *set)
{
    const RamBlock *last;

    if (!set->blocks->len)
        return 0;
    last = set->blocks->pdata[set->blocks->len - 1];
    return last->ram_offset + last->size;
}

uint8_t *ram_set_written(const RamSet *set)
{
    return set->written;
}

void ram_block_written(const RamBlock *block, uint64_t at, uint64_t len)
{
    uint64_t first = (block->ram_offset + at) / PAGE_BYTES;

    if (len)
        memset(block->set->written + first, 1,
               (block->ram_offset + at + len - 1) / PAGE_BYTES - first + 1);
}

void ram_give_back(void *zeros, size_t len)
{
    size_t page = sysconf(_SC_PAGESIZE);

    if (!((uintptr_t)zeros % page) && !(len % page))
        madvise(zeros, len, MADV_DONTNEED); /* private and anonymous: zeros again when touched */
}
