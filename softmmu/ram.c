/* SPDX-License-Identifier: MIT */
/*
 * Host memory for guest RAM and ROM. A block is anonymous memory, aligned for huge pages where it
 * is large enough to use them; parts of it may be files instead, or memory that others share.
 */
#include "softmmu/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "softmmu/error.h"
#include "softmmu/host-open.h"
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
    g_free(block->place);
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

/* A line of the host's cache at a time: all of a guest's memory is looked at when it is saved or
 * hashed, and most of it is zeros. */
bool ram_page_is_zero(const uint8_t *page)
{
    const uint64_t *word = (const uint64_t *)page;

    for (unsigned i = 0; i < PAGE_BYTES / 8; i += 8) {
        uint64_t some = word[i] | word[i + 1] | word[i + 2] | word[i + 3];

        some |= word[i + 4] | word[i + 5] | word[i + 6] | word[i + 7];
        if (some)
            return false;
    }
    return true;
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

/* ---- Files ----------------------------------------------------------------------------------- */

static int open_path(const char *path)
{
    g_autofree char *template = g_build_filename(path, "mimus-ram.XXXXXX", NULL);
    int fd;

    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return host_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    fd = mkostemp(template, O_CLOEXEC);
    if (fd >= 0)
        unlink(template);
    return fd;
}

/* What there is already has to be large enough, or nothing. */
static bool fit_file(int fd, uint64_t size, GError **error)
{
    struct stat st;

    if (fstat(fd, &st) || (st.st_size == 0 && ftruncate(fd, (off_t)size))) {
        error_set(error, "cannot make it of %" PRIu64 " bytes: %s", size, g_strerror(errno));
        return false;
    }
    if (st.st_size && (uint64_t)st.st_size < size) {
        error_set(error, "backing store size 0x%" PRIx64 " does not match 'size' option 0x%" PRIx64,
                  (uint64_t)st.st_size, size);
        return false;
    }
    return true;
}

int ram_backing_open(const RamBacking *backing, uint64_t size, GError **error)
{
    const char *what = backing->path ? backing->path : "memfd";
    int fd = backing->path ? open_path(backing->path)
                           : memfd_create("mimus-ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0) {
        error_set(error, "can't open backing store %s for guest RAM: %s", what, g_strerror(errno));
        return -1;
    }
    if (!fit_file(fd, size, error)) {
        close(fd);
        return -1;
    }
    if (!backing->path && backing->sealed)
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
    return fd;
}

static bool map_backing(uint8_t *host, uint64_t size, const RamBacking *backing, GError **error)
{
    bool file = backing->path || backing->memfd;
    int fd = file ? ram_backing_open(backing, size, error) : -1;
    int flags =
        (backing->share ? MAP_SHARED : MAP_PRIVATE) | (file ? 0 : MAP_ANONYMOUS) | MAP_FIXED;
    void *p;

    if (file && fd < 0)
        return false;
    p = mmap(host, size, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (p == MAP_FAILED)
        error_set(error, "cannot map %s as guest RAM: %s", file ? "the file" : "shared memory",
                  g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return p != MAP_FAILED;
}

/* A page that is there already is left as it is. */
static void touch_pages(volatile uint8_t *host, uint64_t size)
{
    for (uint64_t at = 0; at < size; at += PAGE_BYTES)
        host[at] = host[at];
}

bool ram_block_back(RamBlock *block, uint64_t at, uint64_t size, const RamBacking *backing,
                    GError **error)
{
    uint8_t *host = block->host + at;
    bool other = backing->path || backing->memfd || backing->share;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);

    if (at > block->size || size > block->size - at || at % page || size % page) {
        error_set(error, "memory of %" PRIu64 " bytes does not end where a page of the host's does",
                  size);
        return false;
    }
    if (other && !map_backing(host, size, backing, error))
        return false;
    block->backed |= other;
    if (backing->merge)
        madvise(host, size, MADV_MERGEABLE); /* a wish only */
    if (!backing->dump)
        madvise(host, size, MADV_DONTDUMP);
    if (backing->prealloc)
        touch_pages(host, size);
    return true;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

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
