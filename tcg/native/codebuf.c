/* SPDX-License-Identifier: MIT */
#include "tcg/native/codebuf.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODEBUF_MIN (256u << 10)
#define CODEBUF_MAX (1u << 30) /* rel32 reaches everything */
#define HUGE_PAGE   (2u << 20)
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25 /* since Linux 6.1 */
#endif

static bool fail(CodeBuf *c, GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                "cannot allocate a code buffer of %zu MiB: %s: %s", c->size >> 20, what,
                g_strerror(errno));
    codebuf_free(c);
    return false;
}

/* Addresses that are free, at the start of a huge page. */
static uint8_t *reserve(size_t size)
{
    uint8_t *p = mmap(NULL, size + HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), *at;

    if (p == MAP_FAILED) {
        return NULL;
    }
    at = (uint8_t *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
    if (at > p) {
        munmap(p, (size_t)(at - p));
    }
    if (at < p + HUGE_PAGE) {
        munmap(at + size, (size_t)(p + HUGE_PAGE - at));
    }
    return at;
}

static bool map_anonymous(CodeBuf *c)
{
    uint8_t *rw = reserve(c->size), *rx = reserve(c->size);
    void *p = MAP_FAILED;

    if (rw && mmap(rw, c->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) == rw) {
        /* of no bytes: maps them once more */
        p = mremap(rw, 0, c->size, MREMAP_MAYMOVE | (rx ? MREMAP_FIXED : 0), rx);
    }
    if (p == MAP_FAILED) {
        munmap(rw, rw ? c->size : 0);
        munmap(rx, rx ? c->size : 0);
        return false;
    }
    c->rw = rw;
    c->rx = p;
    return true;
}

/* For systems that do not map shared anonymous memory again (QEMU's user emulation). */
static bool map_file(CodeBuf *c)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    bool made = fd >= 0 && ftruncate(fd, (off_t)c->size) == 0;
    void *rw = made ? mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    void *rx = made ? mmap(NULL, c->size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;

    if (fd >= 0) {
        close(fd);
    }
    c->rw = rw == MAP_FAILED ? NULL : rw;
    c->rx = rx == MAP_FAILED ? NULL : rx;
    return c->rw && c->rx;
}

bool codebuf_init(CodeBuf *c, size_t size, GError **error)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    size = CLAMP(size, CODEBUF_MIN, CODEBUF_MAX);
    *c = (CodeBuf){ .size = (size + page - 1) & ~(page - 1) };
    if (!map_anonymous(c) && !map_file(c)) {
        return fail(c, error, "mapping it twice");
    }
    if (mprotect(c->rx, c->size, PROT_READ | PROT_EXEC) < 0) {
        return fail(c, error, "executable memory");
    }
    return true;
}

bool codebuf_join(CodeBuf *c, GError **error)
{
    munmap(c->rx, c->size);
    c->rx = NULL;
    if (mprotect(c->rw, c->size, PROT_READ | PROT_WRITE | PROT_EXEC) < 0) {
        return fail(c, error, "executable memory that can be written");
    }
    c->rx = c->rw;
    return true;
}

/* The next huge page of it, in both places, if there is one to be had. */
static bool populate_huge(CodeBuf *c)
{
    bool fits = !c->no_huge && c->present % HUGE_PAGE == 0 && c->size - c->present >= HUGE_PAGE;

    if (fits) { /* where nothing is yet, there is nothing to make one of */
        volatile uint8_t *first = c->rw + c->present;
        *first = *first;
        (void)*(volatile uint8_t *)(c->rx + c->present);
    }
    if (fits && madvise(c->rw + c->present, HUGE_PAGE, MADV_COLLAPSE) == 0) {
        (void)!madvise(c->rx + c->present, HUGE_PAGE, MADV_COLLAPSE);
        c->present += HUGE_PAGE;
        return true;
    }
    c->no_huge |= fits;
    return false;
}

void codebuf_prepare(CodeBuf *c)
{
    const size_t step = 128u << 10, usual = 512; /* bytes of a block */
    size_t n = MIN(step, c->size - c->present);

    for (size_t i = c->used; i < MIN(c->used + usual, c->size); i += 64) {
        __builtin_prefetch(c->rw + i, 1);
    }
    if (G_LIKELY(c->used + step / 2 < c->present || n == 0)) {
        return;
    }
    if (populate_huge(c)) {
        return;
    }
#ifdef MADV_POPULATE_WRITE /* a host that does not know it takes the faults */
    if (madvise(c->rw + c->present, n, MADV_POPULATE_WRITE) == 0) {
        (void)!madvise(c->rx + c->present, n, MADV_POPULATE_READ);
    }
#endif
    c->present += n;
}

void codebuf_free(CodeBuf *c)
{
    if (c->rw) {
        munmap(c->rw, c->size);
    }
    if (c->rx && c->rx != c->rw) {
        munmap(c->rx, c->size);
    }
    c->rw = c->rx = NULL;
}
