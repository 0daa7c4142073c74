/* SPDX-License-Identifier: MIT */
/* System memory with SMRAM in front of it. */
#include "hw/smm-view.h"

void smm_view_init(SmmView *v, const char *name, MemRegion *system, RamSet *ram_set, RamBlock *ram,
                   uint64_t start, uint64_t size)
{
    memory_init_container(&v->root, "memory", system->size);
    memory_init_alias(&v->system, "memory", system, 0, system->size);
    memory_init_ram(&v->smram, "smram", ram, start, size);
    memory_set_enabled(&v->smram, false);
    memory_add(&v->root, 0, 0, &v->system);
    memory_add(&v->root, start, 1, &v->smram);
    v->space = address_space_new(name, &v->root, ram_set);
}

void smm_view_destroy(SmmView *v)
{
    address_space_free(v->space);
    memory_remove(&v->smram);
    memory_remove(&v->system);
    memory_destroy(&v->smram);
    memory_destroy(&v->system);
    memory_destroy(&v->root);
}
