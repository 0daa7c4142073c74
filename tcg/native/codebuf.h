/* SPDX-License-Identifier: MIT */
/*
 * Executable memory: one range of shared anonymous memory (whose code perf looks up in its map)
 * mapped twice, writable and executable, so that nothing is ever both (but
 * for codebuf_join()). Blocks are bump-allocated and only ever forgotten all at once.
 */
#ifndef TCG_NATIVE_CODEBUF_H
#define TCG_NATIVE_CODEBUF_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CodeBuf {
    uint8_t *rw, *rx;
    size_t size;
    size_t used;
    size_t floor;   /* what flush goes back to: thunks stay */
    size_t present; /* pages up to here have been asked for */
    bool no_huge;   /* nor will there be huge ones */
} CodeBuf;

bool codebuf_init(CodeBuf *c, size_t size, GError **error);
/* Let what is written be where it runs, in one mapping that is both: for hosts that do not see code
 * change elsewhere. Before anything is in it. */
bool codebuf_join(CodeBuf *c, GError **error);
void codebuf_free(CodeBuf *c);
/* Have pages ready ahead of what is used: cheaper by the dozen than by a fault each. */
void codebuf_prepare(CodeBuf *c);

#endif
