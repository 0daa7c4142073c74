/* SPDX-License-Identifier: MIT */
/*
 * Slots of PCI bus 0 in AML, and how a guest learns that something came into one or is to go: GPE 1
 * makes it ask the registers of hw/pci-hotplug.h which. Comments give the ASL.
 */
#include "hw/acpi-dsdt.h"

#include "hw/pci-hotplug.h"

enum { NOTIFY_CHECK = 1, NOTIFY_EJECT = 3 };
enum { FIRST_SLOT = 2, SLOTS = 32 };

static bool is_fixed(const AcpiConfig *c, unsigned slot)
{
    return slot < FIRST_SLOT || (c->fixed_slots >> slot & 1);
}

static void slot_name(char name[5], unsigned slot)
{
    g_snprintf(name, 5, "S%02X_", slot);
}

static void add_registers(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_io(r, PCI_HOTPLUG_BASE, 0, PCI_HOTPLUG_BYTES);
    res_end(r);
    aml_begin_device(a, "PHPR");
    aml_name_eisa_id(a, "_HID", "PNP0A06");
    aml_name(a, "_UID"), aml_string(a, "PCI plugging");
    aml_name_buffer(a, "_CRS", r);
    aml_end(a);
    aml_operation_region(a, "PCST", AML_SYSTEM_IO, PCI_HOTPLUG_BASE, PCI_HOTPLUG_BYTES);
    aml_begin_field(a, "PCST", AML_DWORD_ACCESS, AML_WRITE_ZEROS);
    aml_field_unit(a, "PCIU", 32);
    aml_field_unit(a, "PCID", 32);
    aml_field_unit(a, "PCEJ", 32);
    aml_end(a);
    aml_mutex(a, "PLCK");
}

/* Device (Sxx_) { _ADR, _SUN; Method (_EJ0, 1, Serialized) { PCEJ = 1 << slot } } */
static void add_slot(Aml *a, unsigned slot)
{
    char name[5];

    slot_name(name, slot);
    aml_begin_device(a, name);
    aml_name_int(a, "_ADR", slot << 16);
    aml_name_int(a, "_SUN", slot);
    aml_begin_method(a, "_EJ0", 1, true);
    aml_acquire(a, "PLCK");
    aml_store(a), aml_int(a, 1u << slot), aml_ref(a, "PCEJ");
    aml_release(a, "PLCK");
    aml_end(a);
    aml_end(a);
}

/* Method (DVNT, 2) { If (Arg0 & 1 << slot) { Notify (Sxx_, Arg1) } … } */
static void add_notify(Aml *a, const AcpiConfig *c)
{
    aml_begin_method(a, "DVNT", 2, false);
    for (unsigned slot = FIRST_SLOT; slot < SLOTS; slot++) {
        char name[5];

        if (is_fixed(c, slot))
            continue;
        slot_name(name, slot);
        aml_begin_if(a);
        aml_and(a), aml_arg(a, 0), aml_int(a, 1u << slot), aml_no_target(a);
        aml_notify(a), aml_ref(a, name), aml_arg(a, 1);
        aml_end(a);
    }
    aml_end(a);
}

/* Method (PSCN, 0, Serialized) { DVNT (PCIU, 1); DVNT (PCID, 3) } */
static void add_scan(Aml *a)
{
    aml_begin_method(a, "PSCN", 0, true);
    aml_acquire(a, "PLCK");
    aml_ref(a, "DVNT"), aml_ref(a, "PCIU"), aml_int(a, NOTIFY_CHECK);
    aml_ref(a, "DVNT"), aml_ref(a, "PCID"), aml_int(a, NOTIFY_EJECT);
    aml_release(a, "PLCK");
    aml_end(a);
}

void acpi_add_pci_slots(Aml *a, const AcpiConfig *c)
{
    add_registers(a);
    for (unsigned slot = FIRST_SLOT; slot < SLOTS; slot++)
        if (!is_fixed(c, slot))
            add_slot(a, slot);
    add_notify(a, c);
    add_scan(a);
}

/* Scope (\_GPE) { Method (_E01) { \_SB.PCI0.PSCN () } } */
void acpi_add_pci_event(Aml *a)
{
    aml_begin_scope(a, "\\_GPE");
    aml_begin_method(a, "_E01", 0, false);
    aml_ref(a, "\\_SB.PCI0.PSCN");
    aml_end(a);
    aml_end(a);
}
