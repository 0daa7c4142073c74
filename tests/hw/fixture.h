/* SPDX-License-Identifier: MIT */
/*
 * A bench for devices: memory and port spaces, a clock that stands still, a device tree, and
 * spies on interrupt lines. There is no CPU.
 *
 * Every access and every step of the clock first makes a round trip: the whole tree is saved,
 * reset (which scribbles over all of it), loaded again, saved again and compared. A field missing
 * from a state list therefore shows as a comparison that fails or as a device that behaves
 * differently, in every test. fixture.roundtrip = false turns this off.
 */
#ifndef TESTS_HW_FIXTURE_H
#define TESTS_HW_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/display.h"
#include "softmmu/irq.h"
#include "softmmu/memory.h"

#define FIXTURE_RAM_SIZE (2 * 1024 * 1024)
#define FIXTURE_SPIES    64

/* Listens to one line and counts its edges. */
typedef struct IrqSpy {
    Irq irq;
    int level;
    unsigned rises, falls, sets;
    const bool *frozen;
} IrqSpy;

typedef struct Fixture {
    RamSet *ram;
    RamBlock *ram_block; /* FIXTURE_RAM_SIZE bytes, placed at 0 unless .no_ram */
    MemRegion memory_root, io_root, ram_region;
    AddressSpace *memory, *io;
    Clock *clock;
    Display *display;
    Device *root; /* devices under test go below */
    bool roundtrip;
    bool frozen; /* a round trip is going on: spies look away */
    IrqSpy spies[FIXTURE_SPIES];
    unsigned spy_count;
} Fixture;

/* cmocka setup and teardown: *state is the Fixture. */
int fixture_setup(void **state);
int fixture_setup_no_ram(void **state); /* memory space empty, ram_block not placed */
int fixture_teardown(void **state);

/* Realize all of the tree that is not yet, parents first, then reset it. Asserts success. */
void fixture_start(Fixture *f);
void fixture_realize(Device *dev);
void fixture_reset(Fixture *f);

IrqSpy *fixture_spy(Fixture *f);
/* @count spies whose irqs form an array for a device that wants one. */
const Irq *fixture_spy_array(Fixture *f, unsigned count, IrqSpy **spies, Irq *irqs);
/* Rising edges since the last call. */
unsigned spy_take_rises(IrqSpy *spy);

void fixture_roundtrip(Fixture *f);

/* Accesses as the CPU makes them. */
uint8_t fixture_inb(Fixture *f, uint16_t port);
uint16_t fixture_inw(Fixture *f, uint16_t port);
uint32_t fixture_inl(Fixture *f, uint16_t port);
void fixture_outb(Fixture *f, uint16_t port, uint8_t value);
void fixture_outw(Fixture *f, uint16_t port, uint16_t value);
void fixture_outl(Fixture *f, uint16_t port, uint32_t value);
uint64_t fixture_read(Fixture *f, uint64_t addr, unsigned size);
void fixture_write(Fixture *f, uint64_t addr, uint64_t value, unsigned size);
void fixture_advance(Fixture *f, int64_t ns);
void fixture_lag(Fixture *f, int64_t ns); /* timers do not run yet */

/* Drive an input of a device, with a round trip before it. */
void fixture_set_irq(Fixture *f, const Irq *irq, int level);

/* Abuse: reads and writes of every size over [base, base+size) of a space, values from a seeded
 * generator. Passes when nothing asserts. */
void fixture_abuse(Fixture *f, AddressSpace *as, uint64_t base, uint64_t size, unsigned rounds,
                   uint32_t seed);

#define hw_test(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

#endif
