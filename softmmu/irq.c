/* SPDX-License-Identifier: MIT */
#include "softmmu/irq.h"

void irq_init(Irq *irqs, int count, IrqFunc *func, void *opaque)
{
    for (int n = 0; n < count; n++)
        irqs[n] = (Irq){ .func = func, .opaque = opaque, .n = n };
}
