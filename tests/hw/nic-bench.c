/* SPDX-License-Identifier: MIT */
#include "tests/hw/nic-bench.h"

static void keep(NetBackend *b, const uint8_t *frame, size_t len)
{
    g_ptr_array_add(((NicBench *)b)->sent, g_bytes_new(frame, len));
}

void nic_bench_start(NicBench *b, Fixture *f)
{
    *b = (NicBench){ .backend = { .send = keep }, .f = f, .input = input_queue_new() };
    b->sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    b->cable = net_cable_new(f->root, "n", b->input, &b->backend);
    b->bus = pci_bus_new(f->root, &f->memory_root, &f->io_root);
    b->irq = fixture_spy(f);
    for (unsigned i = 0; i < 4; i++)
        b->pirq[i] = b->irq->irq;
    pci_bus_set_pirq(b->bus, b->pirq);
}

void nic_bench_stop(NicBench *b)
{
    device_unrealize(b->f->root);
    input_queue_free(b->input);
    g_ptr_array_unref(b->sent);
}

const uint8_t *nic_bench_sent(NicBench *b, unsigned n, size_t *len)
{
    assert_true(n < b->sent->len);
    return g_bytes_get_data(b->sent->pdata[n], len);
}
