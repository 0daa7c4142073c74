/* SPDX-License-Identifier: MIT */
/*
 * An interrupt line: the wire between a device that raises and whoever listens.
 *
 * The listener owns the Irq (usually an array inside its own struct) and initialises it; the
 * board hands its address to the device that drives it. A line carries a level; edges are the
 * listener's business. A NULL line is a wire that ends nowhere: setting it does nothing.
 */
#ifndef SOFTMMU_IRQ_H
#define SOFTMMU_IRQ_H

#include <stddef.h>

typedef void IrqFunc(void *opaque, int n, int level);

typedef struct Irq {
    IrqFunc *func;
    void *opaque; /* the listener */
    int n;        /* which of its inputs */
} Irq;

/* Make @irqs[0..count) the inputs 0..count-1 of the listener @opaque. */
void irq_init(Irq *irqs, int count, IrqFunc *func, void *opaque);

static inline void irq_set(const Irq *irq, int level)
{
    if (irq && irq->func)
        irq->func(irq->opaque, irq->n, level);
}

static inline void irq_raise(const Irq *irq)
{
    irq_set(irq, 1);
}

static inline void irq_lower(const Irq *irq)
{
    irq_set(irq, 0);
}

/* Low to high to low: for edge-triggered listeners. */
static inline void irq_pulse(const Irq *irq)
{
    irq_set(irq, 1);
    irq_set(irq, 0);
}

#endif
