/* SPDX-License-Identifier: MIT */
/*
 * Counts instructions and basic blocks, by counters in translated code. A basic block is counted at
 * the instruction that ends it, so the figure is the guest's, not the engine's. Arguments: none.
 */
#include <inttypes.h>

#include <mimus-plugin.h>

#include "accel/plugin/tools/flow.h"

MIMUS_PLUGIN;

static MimusCounter *insns, *blocks;

static void translated(MimusPlugin *p, MimusBlock *b, void *opaque)
{
    for (size_t i = 0; i < mimus_block_insns(b); i++) {
        MimusInsn *insn = mimus_block_insn(b, i);
        mimus_insn_count(insn, insns, 1);
        if (flow_of(insn) != FLOW_ON)
            mimus_insn_count(insn, blocks, 1);
    }
}

bool mimus_plugin_load(MimusPlugin *p)
{
    insns = mimus_counter_new(p);
    blocks = mimus_counter_new(p);
    if (!mimus_options(p, NULL, 0))
        return false;
    if (!insns || !blocks) {
        mimus_fail(p, "all counters are in use");
        return false;
    }
    mimus_on_translate(p, translated, NULL);
    return true;
}

void mimus_plugin_unload(MimusPlugin *p)
{
    MimusMachine m;

    mimus_machine(p, &m);
    for (unsigned n = 0; n < m.cpus && m.cpus > 1; n++)
        mimus_print(p, "icount: cpu %u: %" PRIu64 " instructions, %" PRIu64 " basic blocks\n", n,
                    mimus_counter_get(insns, n), mimus_counter_get(blocks, n));
    mimus_print(p, "icount: %" PRIu64 " instructions, %" PRIu64 " basic blocks\n",
                mimus_counter_sum(insns), mimus_counter_sum(blocks));
}
