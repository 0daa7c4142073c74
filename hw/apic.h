/* SPDX-License-Identifier: MIT */
/*
 * Local APICs, one per CPU, and the bus that carries interrupt messages between them, the
 * I/O APIC and devices that signal by message (MSI).
 *
 * Wiring, in the board:
 *   apics = apic_set_new(root, cpus, clock, &m->memory_root);
 *   pic = i8259_new(root, &m->io_root, apic_set_lint0(apics));
 *   apic_set_connect_extint(apics, i8259_inta, pic);
 *   ioapic = ioapic_new(root, &m->memory_root, 0xfec00000, apic_set_bus(apics));
 *   apic_set_connect_eoi(apics, ioapic_eoi, ioapic);
 * and the apic_set_*() functions at the end are the BoardOps of softmmu/machine.h with the device
 * as their opaque pointer.
 *
 * The page at 0xfee00000 shows the APIC of CpuBus.current. Writes to the rest of the megabyte,
 * and to the first 16 bytes (where there is no register), are message signalled interrupts.
 */
#ifndef HW_APIC_H
#define HW_APIC_H

#include "softmmu/clock.h"
#include "softmmu/device.h"
#include "softmmu/irq.h"
#include "softmmu/machine.h"

#define APIC_DEFAULT_BASE 0xfee00000ULL
#define APIC_MAX_CPUS     255

typedef enum ApicDelivery {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
} ApicDelivery;

typedef struct ApicMessage {
    uint32_t dest; /* 8 bits; 32 from an APIC in x2APIC mode */
    bool dest_is_x2apic;
    bool logical;
    uint8_t delivery; /* ApicDelivery */
    uint8_t vector;
    bool level; /* level triggered: sets TMR, its EOI is broadcast */
} ApicMessage;

typedef struct ApicBus {
    void (*deliver)(void *opaque, const ApicMessage *msg);
    void *opaque;
} ApicBus;

extern const DeviceClass apic_set_class, apic_class;

/* One APIC for each of @cpus, and the window at 0xfee00000 in @memory. */
Device *apic_set_new(Device *parent, const CpuBus *cpus, Clock *clock, MemRegion *memory);
const ApicBus *apic_set_bus(Device *apics);
Irq *apic_set_lint0(Device *apics); /* INT of the 8259, to LINT0 of every APIC */
Irq *apic_set_lint1(Device *apics); /* NMI button or chipset NMI, to LINT1 of every APIC */
/* Who supplies the vector when an interrupt came as ExtINT. */
void apic_set_connect_extint(Device *apics, int (*acknowledge)(void *opaque), void *opaque);
/* Who is told when a level triggered interrupt ends. */
void apic_set_connect_eoi(Device *apics, void (*eoi)(void *opaque, uint8_t vector), void *opaque);
/* A write of @data to @addr within 0xfeexxxxx, as a device makes it. */
void apic_set_msi(Device *apics, uint64_t addr, uint32_t data);

/* `info lapic`: the registers of APIC @n as text. */
void apic_set_print(Device *apics, unsigned n, GString *out);

/* BoardOps; @opaque is the Device of apic_set_new(). */
int apic_set_acknowledge(void *opaque, unsigned n);
bool apic_set_read_msr(void *opaque, unsigned n, uint32_t msr, uint64_t *value);
bool apic_set_write_msr(void *opaque, unsigned n, uint32_t msr, uint64_t value);
uint8_t apic_set_get_tpr(void *opaque, unsigned n);
void apic_set_set_tpr(void *opaque, unsigned n, uint8_t tpr);
void apic_set_set_tsc_deadline(void *opaque, unsigned n, int64_t deadline_ns);
bool apic_set_has_tsc_deadline(void *opaque, unsigned n);
void apic_set_reset(void *opaque, unsigned n, bool init);

#endif
