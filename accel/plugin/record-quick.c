/* SPDX-License-Identifier: MIT */
/*
 * The end of a segment while translated code's vector registers are live: compiled for general
 * registers only, calling nothing outside this file. What is in @head need not be fetched from the
 * segment, which few caches have at hand.
 */
#include "accel/plugin/internal.h"

bool plugin_flush_quick(void *env, uint64_t *result, uint64_t head)
{
    Cpu *cpu = env;
    PluginState *st = &cpu->run->tail->plugin;

    (void)result;
    if (G_UNLIKELY((head & (FLUSH_FLAT | FLUSH_ONCE)) != FLUSH_FLAT || st->told ||
                   st->next >= st->limit))
        return false;
    plugin_put_segment(cpu, head, cpu->vbase);
    st->segment = 0;
    return true;
}
