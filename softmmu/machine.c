/* SPDX-License-Identifier: MIT */
#include "softmmu/machine.h"

void machine_request(Machine *m, RunRequest r)
{
    m->requests |= r;
    if (m->request_hook)
        m->request_hook(m->request_opaque);
}

/* The first to quit decides the status. */
void machine_request_quit(Machine *m, int exit_status)
{
    if (!(m->requests & REQUEST_QUIT))
        m->exit_status = exit_status;
    machine_request(m, REQUEST_QUIT);
}

uint64_t machine_state_hash(Machine *m)
{
    const GPtrArray *blocks = ram_set_blocks(m->ram);
    uint64_t hash = device_tree_hash(m->root, 0);

    for (unsigned i = 0; i < blocks->len; i++) {
        const RamBlock *block = blocks->pdata[i];

        hash = state_hash_bytes(block->host, block->size, hash);
    }
    return hash;
}
