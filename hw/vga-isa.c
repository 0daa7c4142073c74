/* SPDX-License-Identifier: MIT */
/* A VGA with Bochs VBE on ISA. Its frame buffer is where the interface had it before PCI. */
#include "hw/vga-internal.h"

#define ISA_LFB 0xe0000000

typedef struct IsaVga {
    Device dev;
    Vga vga;
    MemRegion lfb;
} IsaVga;

static bool realize(Device *dev, GError **error)
{
    IsaVga *s = (IsaVga *)dev;

    memory_init_ram(&s->lfb, "vga.vram", s->vga.w.vram, 0, s->vga.w.vram->size);
    memory_add(s->vga.w.memory, ISA_LFB, 0, &s->lfb);
    vga_place(&s->vga, dev->klass->name);
    return true;
}

static void unrealize(Device *dev)
{
    IsaVga *s = (IsaVga *)dev;

    vga_remove(&s->vga);
    memory_destroy(&s->lfb);
}

static void reset_enter(Device *dev)
{
    vga_reset(&((IsaVga *)dev)->vga);
}

static void post_load(Device *dev)
{
    vga_post_load(&((IsaVga *)dev)->vga);
}

static const StateField isa_vga_state[] = {
    STATE_STRUCT(IsaVga, vga, vga_state),
    STATE_END,
};

const DeviceClass isa_vga_class = {
    .name = "isa-vga",
    .desc = "ISA VGA with Bochs VBE",
    .size = sizeof(IsaVga),
    .state = isa_vga_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
    .post_load = post_load,
};

Device *isa_vga_new(Device *parent, const VgaWiring *w)
{
    IsaVga *s = (IsaVga *)device_new(&isa_vga_class, parent, NULL);

    s->vga.w = *w;
    return &s->dev;
}
