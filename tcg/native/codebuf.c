/* SPDX-License-Identifier: MIT */
#include "tcg/native/codebuf.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODEBUF_MIN (256u << 10)
#define CODEBUF_MAX (1u << 30) /* rel32 reaches everything */

static bool fail(CodeBuf *c, GError **error, const char *what)
{
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno),
                "cannot allocate a code buffer of %zu MiB: %s: %s", c->size >> 20, what,
                g_strerror(errno));
    codebuf_free(c);
    return false;
}

static bool map_anonymous(CodeBuf *c)
{
    void *p = mmap(NULL, c->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        return false;
    }
    c->rw = p;
    p = mremap(c->rw, 0, c->size, MREMAP_MAYMOVE); /* of no bytes: maps them once more */
    if (p == MAP_FAILED) {
        munmap(c->rw, c->size);
        c->rw = NULL;
        return false;
    }
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
