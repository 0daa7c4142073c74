/* SPDX-License-Identifier: MIT */
#include "tests/hw/fixture.h"

#include <string.h>

static void spy_set(void *opaque, int n, int level)
{
    IrqSpy *spy = opaque;

    if (*spy->frozen)
        return;
    level = !!level;
    spy->sets++;
    spy->rises += level && !spy->level;
    spy->falls += !level && spy->level;
    spy->level = level;
}

static const DeviceClass bench_class = { .name = "bench", .size = sizeof(Device) };

static int setup(void **state, bool with_ram)
{
    Fixture *f = g_new0(Fixture, 1);
    GError *error = NULL;

    f->ram = ram_set_new();
    f->ram_block = ram_block_new(f->ram, "ram", FIXTURE_RAM_SIZE, &error);
    assert_null(error);
    memory_init_container(&f->memory_root, "memory", 1ULL << 52);
    memory_init_container(&f->io_root, "io", 0x10000);
    memory_init_ram(&f->ram_region, "ram", f->ram_block, 0, FIXTURE_RAM_SIZE);
    if (with_ram)
        memory_add(&f->memory_root, 0, 0, &f->ram_region);
    f->memory = address_space_new("memory", &f->memory_root, f->ram);
    f->io = address_space_new("io", &f->io_root, f->ram);
    f->clock = clock_new_manual();
    f->display = display_new();
    f->root = device_new(&bench_class, NULL, NULL);
    f->roundtrip = true;
    *state = f;
    return 0;
}

int fixture_setup(void **state)
{
    return setup(state, true);
}

int fixture_setup_no_ram(void **state)
{
    return setup(state, false);
}

int fixture_teardown(void **state)
{
    Fixture *f = *state;

    device_free(f->root);
    display_free(f->display);
    if (f->ram_region.parent)
        memory_remove(&f->ram_region);
    address_space_free(f->io);
    address_space_free(f->memory);
    memory_destroy(&f->ram_region);
    memory_destroy(&f->io_root);
    memory_destroy(&f->memory_root);
    clock_free(f->clock);
    ram_set_free(f->ram);
    g_free(f);
    return 0;
}

void fixture_realize(Device *dev)
{
    GError *error = NULL;

    if (!dev->realized)
        device_realize(dev, &error);
    if (error)
        fail_msg("realize %s: %s", dev->id, error->message);
    for (unsigned i = 0; dev->children && i < dev->children->len; i++)
        fixture_realize(g_ptr_array_index(dev->children, i));
}

void fixture_start(Fixture *f)
{
    fixture_realize(f->root);
    device_reset(f->root);
}

void fixture_reset(Fixture *f)
{
    device_reset(f->root);
}

IrqSpy *fixture_spy(Fixture *f)
{
    IrqSpy *spy = &f->spies[f->spy_count++];

    g_assert(f->spy_count <= FIXTURE_SPIES);
    irq_init(&spy->irq, 1, spy_set, spy);
    spy->frozen = &f->frozen;
    return spy;
}

const Irq *fixture_spy_array(Fixture *f, unsigned count, IrqSpy **spies, Irq *irqs)
{
    for (unsigned i = 0; i < count; i++) {
        spies[i] = fixture_spy(f);
        irqs[i] = spies[i]->irq;
    }
    return irqs;
}

unsigned spy_take_rises(IrqSpy *spy)
{
    unsigned n = spy->rises;

    spy->rises = 0;
    return n;
}

void fixture_roundtrip(Fixture *f)
{
    g_autoptr(GByteArray) before = g_byte_array_new();
    g_autoptr(GByteArray) after = g_byte_array_new();
    GError *error = NULL;

    f->frozen = true;
    device_tree_save(f->root, before);
    device_reset(f->root);
    device_tree_load(f->root, before->data, before->len, &error);
    if (error)
        fail_msg("load: %s", error->message);
    device_tree_save(f->root, after);
    f->frozen = false;
    assert_int_equal(before->len, after->len);
    for (unsigned i = 0; i < before->len; i++) {
        if (before->data[i] != after->data[i])
            fail_msg("state byte %u of %u: saved %#x, after load %#x", i, before->len,
                     before->data[i], after->data[i]);
    }
}

static void step(Fixture *f)
{
    if (f->roundtrip)
        fixture_roundtrip(f);
}

uint8_t fixture_inb(Fixture *f, uint16_t port)
{
    step(f);
    return (uint8_t)address_space_read(f->io, port, 1);
}

uint16_t fixture_inw(Fixture *f, uint16_t port)
{
    step(f);
    return (uint16_t)address_space_read(f->io, port, 2);
}

uint32_t fixture_inl(Fixture *f, uint16_t port)
{
    step(f);
    return (uint32_t)address_space_read(f->io, port, 4);
}

void fixture_outb(Fixture *f, uint16_t port, uint8_t value)
{
    step(f);
    address_space_write(f->io, port, value, 1);
}

void fixture_outw(Fixture *f, uint16_t port, uint16_t value)
{
    step(f);
    address_space_write(f->io, port, value, 2);
}

void fixture_outl(Fixture *f, uint16_t port, uint32_t value)
{
    step(f);
    address_space_write(f->io, port, value, 4);
}

uint64_t fixture_read(Fixture *f, uint64_t addr, unsigned size)
{
    step(f);
    return address_space_read(f->memory, addr, size);
}

void fixture_write(Fixture *f, uint64_t addr, uint64_t value, unsigned size)
{
    step(f);
    address_space_write(f->memory, addr, value, size);
}

void fixture_advance(Fixture *f, int64_t ns)
{
    step(f);
    clock_manual_advance(f->clock, ns);
}

void fixture_lag(Fixture *f, int64_t ns)
{
    step(f);
    clock_manual_lag(f->clock, ns);
}

void fixture_set_irq(Fixture *f, const Irq *irq, int level)
{
    step(f);
    irq_set(irq, level);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

void fixture_abuse(Fixture *f, AddressSpace *as, uint64_t base, uint64_t size, unsigned rounds,
                   uint32_t seed)
{
    uint32_t state = seed ? seed : 1;

    for (unsigned i = 0; i < rounds; i++) {
        uint64_t addr = base + next_random(&state) % size;
        unsigned width = 1u << (next_random(&state) % 3);
        uint32_t value = next_random(&state);

        if (value & 1)
            address_space_write(as, addr, next_random(&state), width);
        else
            address_space_read(as, addr, width);
        if (i % 64 == 0)
            clock_manual_advance(f->clock, next_random(&state) % 100000);
        if (i % 256 == 0)
            step(f);
    }
}
