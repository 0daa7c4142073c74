/* SPDX-License-Identifier: MIT */
#include "softmmu/program/main-call.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Call {
    void (*func)(void *opaque);
    void *opaque;
    GMutex lock;
    GCond changed;
    bool done;
} Call;

static gboolean carry_out(void *opaque)
{
    Call *c = opaque;

    c->func(c->opaque);
    g_mutex_lock(&c->lock);
    c->done = true;
    g_cond_signal(&c->changed);
    g_mutex_unlock(&c->lock);
    return G_SOURCE_REMOVE;
}

void main_call(void (*func)(void *opaque), void *opaque)
{
    Call c = { .func = func, .opaque = opaque };

    g_mutex_init(&c.lock);
    g_cond_init(&c.changed);
    /* At once where nobody runs the main loop (it can be acquired), or where this is its thread. */
    g_main_context_invoke(NULL, carry_out, &c);
    g_mutex_lock(&c.lock);
    while (!c.done)
        g_cond_wait(&c.changed, &c.lock);
    g_mutex_unlock(&c.lock);
    g_mutex_clear(&c.lock);
    g_cond_clear(&c.changed);
}
