/* SPDX-License-Identifier: MIT */
/*
 * The DSDT of the board, written with the AML builder. Comments give the ASL.
 */
#include "hw/acpi-dsdt.h"

#include "hw/aml.h"
#include "hw/vmgenid.h"

#define PCI_MEMORY_END 0xfebfffffu /* the I/O APIC follows */
#define HPET_BASE      0xfed00000u
#define PRT_SLOTS      32

/* ---- PCI interrupt links: PIRQ routing registers 0x60 to 0x63 of the PIIX3 --------------------
 */

static const uint32_t pirq_choices[] = { 5, 10, 11 };
static const char *const links[] = { "LNKA", "LNKB", "LNKC", "LNKD" };
static const char *const pirq_regs[] = { "PRQ0", "PRQ1", "PRQ2", "PRQ3" };

/* Byte offset of the interrupt number in an Extended Interrupt descriptor. */
enum { INTERRUPT_NUMBER = 5, PIRQ_OFF = 0x80 };

/* Method (IQST, 1) { If (Arg0 & 0x80) { Return (9) } Return (0x0b) }: present, enabled or not */
static void add_link_status(Aml *a)
{
    aml_begin_method(a, "IQST", 1, false);
    aml_begin_if(a);
    aml_and(a), aml_arg(a, 0), aml_int(a, PIRQ_OFF), aml_no_target(a);
    aml_return(a), aml_int(a, 0x09);
    aml_end(a);
    aml_return(a), aml_int(a, 0x0b);
    aml_end(a);
}

/* Method (IQCR, 1) { Local0 = Interrupt {0}; If (Arg0 < 0x80) { Local0[5] = Arg0 }
 *   Return (Local0) } */
static void add_link_current(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_interrupts(r, (const uint32_t[]){ 0 }, 1);
    res_end(r);
    aml_begin_method(a, "IQCR", 1, false);
    aml_store(a), aml_buffer(a, r), aml_local(a, 0);
    aml_begin_if(a);
    aml_less(a), aml_arg(a, 0), aml_int(a, PIRQ_OFF);
    aml_store(a), aml_arg(a, 0), aml_index(a), aml_local(a, 0), aml_int(a, INTERRUPT_NUMBER),
        aml_no_target(a);
    aml_end(a);
    aml_return(a), aml_local(a, 0);
    aml_end(a);
    g_byte_array_unref(r);
}

static void add_link(Aml *a, int n)
{
    g_autofree char *reg = g_strconcat("\\_SB.PCI0.ISA.", pirq_regs[n], NULL);
    GByteArray *r = g_byte_array_new();

    res_interrupts(r, pirq_choices, G_N_ELEMENTS(pirq_choices));
    res_end(r);
    aml_begin_device(a, links[n]);
    aml_name_eisa_id(a, "_HID", "PNP0C0F");
    aml_name_int(a, "_UID", n);
    aml_name_buffer(a, "_PRS", r);

    aml_begin_method(a, "_STA", 0, false);
    aml_return(a), aml_ref(a, "IQST"), aml_ref(a, reg);
    aml_end(a);

    aml_begin_method(a, "_DIS", 0, false);
    aml_or(a), aml_ref(a, reg), aml_int(a, PIRQ_OFF), aml_ref(a, reg);
    aml_end(a);

    aml_begin_method(a, "_CRS", 0, false);
    aml_return(a), aml_ref(a, "IQCR"), aml_ref(a, reg);
    aml_end(a);

    aml_begin_method(a, "_SRS", 1, false);
    aml_create_dword_field(a), aml_arg(a, 0), aml_int(a, INTERRUPT_NUMBER), aml_ref(a, "PRRI");
    aml_store(a), aml_ref(a, "PRRI"), aml_ref(a, reg);
    aml_end(a);
    aml_end(a);
}

/* Slot s, pin p (0: INTA#) is wired to link (s - 1 + p) mod 4. */
static void add_prt(Aml *a)
{
    aml_name(a, "_PRT");
    aml_begin_package(a, PRT_SLOTS * 4);
    for (unsigned slot = 0; slot < PRT_SLOTS; slot++) {
        for (unsigned pin = 0; pin < 4; pin++) {
            aml_begin_package(a, 4);
            aml_int(a, slot << 16 | 0xffff);
            aml_int(a, pin);
            aml_ref(a, links[(slot + 3 + pin) % 4]);
            aml_int(a, 0);
            aml_end(a);
        }
    }
    aml_end(a);
}

/* ---- ISA devices ---------------------------------------------------------------------------- */

typedef struct IsaDevice {
    const char *name, *hid;
    unsigned uid;
    struct {
        uint16_t base;
        uint8_t len;
    } io[2];
    uint8_t irq;
} IsaDevice;

static const IsaDevice rtc_device = { "RTC", "PNP0B00", 0, { { 0x70, 8 } }, 8 };
static const IsaDevice keyboard_device = { "KBD", "PNP0303", 0, { { 0x60, 1 }, { 0x64, 1 } }, 1 };
static const IsaDevice mouse_device = { "MOU", "PNP0F13", 0, { { 0, 0 } }, 12 };
static const IsaDevice serial_devices[4] = {
    { "COM1", "PNP0501", 1, { { 0x3f8, 8 } }, 4 },
    { "COM2", "PNP0501", 2, { { 0x2f8, 8 } }, 3 },
    { "COM3", "PNP0501", 3, { { 0x3e8, 8 } }, 4 },
    { "COM4", "PNP0501", 4, { { 0x2e8, 8 } }, 3 },
};

static const IsaDevice parallel_device = { "LPT1", "PNP0400", 1, { { 0x378, 8 } }, 7 };

/* The floppy controller: registers on both sides of an IDE port, and a DMA channel. */
static void add_floppy(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_io(r, 0x3f2, 0, 4);
    res_io(r, 0x3f7, 0, 1);
    res_irq(r, 6);
    res_dma(r, 2);
    res_end(r);
    aml_begin_device(a, "FDC0");
    aml_name_eisa_id(a, "_HID", "PNP0700");
    aml_name_int(a, "_STA", 0x0f);
    aml_name_buffer(a, "_CRS", r);
    aml_end(a);
}

static void add_isa_device(Aml *a, const IsaDevice *d)
{
    GByteArray *r = g_byte_array_new();

    for (int i = 0; i < 2; i++) {
        if (d->io[i].len)
            res_io(r, d->io[i].base, 0, d->io[i].len);
    }
    res_irq(r, d->irq);
    res_end(r);
    aml_begin_device(a, d->name);
    aml_name_eisa_id(a, "_HID", d->hid);
    aml_name_int(a, "_UID", d->uid);
    aml_name_int(a, "_STA", 0x0f);
    aml_name_buffer(a, "_CRS", r);
    aml_end(a);
}

/* Found by its name; what it understands is asked of the port. Guests that know no driver for the
 * port use the method. Device (PEVT) { … Method (WRPT, 1) { PEPT = Arg0 } } */
static void add_pvpanic(Aml *a, uint16_t port)
{
    GByteArray *r = g_byte_array_new();

    res_io(r, port, 0, 1);
    res_end(r);
    aml_begin_device(a, "PEVT");
    aml_name(a, "_HID"), aml_string(a, "QEMU0001");
    aml_name_buffer(a, "_CRS", r);
    aml_name_int(a, "_STA", 0x0f);
    aml_operation_region(a, "PEOR", AML_SYSTEM_IO, port, 1);
    aml_begin_field(a, "PEOR", AML_BYTE_ACCESS, AML_PRESERVE);
    aml_field_unit(a, "PEPT", 8);
    aml_end(a);
    aml_begin_method(a, "RDPT", 0, true);
    aml_return(a), aml_ref(a, "PEPT");
    aml_end(a);
    aml_begin_method(a, "WRPT", 1, true);
    aml_store(a), aml_arg(a, 0), aml_ref(a, "PEPT");
    aml_end(a);
    aml_end(a);
}

/* The PIIX3 at 00:01.0 with what hangs on it. */
/* By which drivers find the interface that firmware has: names, as OVMF and Linux know them. */
static void add_fw_cfg(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_io(r, FW_CFG_IO_BASE, 1, 12);
    res_end(r);
    aml_begin_device(a, "FWCF");
    aml_name(a, "_HID"), aml_string(a, "QEMU0002");
    aml_name_int(a, "_STA", 0x0b); /* present, enabled, works; not shown to the user */
    aml_name_buffer(a, "_CRS", r);
    aml_end(a);
}

static void add_isa_bridge(Aml *a, const AcpiConfig *c)
{
    aml_begin_device(a, "ISA");
    aml_name_int(a, "_ADR", 0x00010000);
    aml_operation_region(a, "P40C", AML_PCI_CONFIG, 0x60, 4);
    aml_begin_field(a, "P40C", AML_BYTE_ACCESS, AML_PRESERVE);
    for (int i = 0; i < 4; i++)
        aml_field_unit(a, pirq_regs[i], 8);
    aml_end(a);
    add_isa_device(a, &rtc_device);
    if (c->i8042) {
        add_isa_device(a, &keyboard_device);
        add_isa_device(a, &mouse_device);
    }
    if (c->floppy)
        add_floppy(a);
    for (int i = 0; i < 4; i++) {
        if (c->serial[i])
            add_isa_device(a, &serial_devices[i]);
    }
    if (c->parallel)
        add_isa_device(a, &parallel_device);
    if (c->pvpanic)
        add_pvpanic(a, c->pvpanic);
    add_fw_cfg(a);
    aml_end(a);
}

/* ---- The rest ------------------------------------------------------------------------------- */

static void add_pci_root(Aml *a, const AcpiConfig *c)
{
    GByteArray *r = g_byte_array_new();

    res_bus_range(r, 0, 0xff);
    res_io(r, 0xcf8, 1, 8); /* configuration ports: consumed */
    res_io_range(r, 0x0000, 0x0cf7);
    res_io_range(r, 0x0d00, 0xffff);
    res_memory32_range(r, true, 0xa0000, 0xbffff);
    res_memory32_range(r, false, c->below_4g, PCI_MEMORY_END);
    if (c->pci64_size)
        res_memory64_range(r, true, c->pci64_base, c->pci64_base + c->pci64_size - 1);
    res_end(r);
    aml_begin_device(a, "PCI0");
    aml_name_eisa_id(a, "_HID", "PNP0A03");
    aml_name_int(a, "_UID", 0);
    aml_name_buffer(a, "_CRS", r);
    add_isa_bridge(a, c);
    acpi_add_pci_slots(a, c);
    add_prt(a);
    aml_end(a);
}

static void add_hpet(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_memory32_fixed(r, false, HPET_BASE, 0x400);
    res_end(r);
    aml_begin_device(a, "HPET");
    aml_name_eisa_id(a, "_HID", "PNP0103");
    aml_name_int(a, "_UID", 0);
    aml_name_buffer(a, "_CRS", r);
    aml_end(a);
}

/* Name (_Sx, Package (4) { PM1a SLP_TYP, PM1b SLP_TYP, 0, 0 }) */
static void add_sleep_state(Aml *a, const char *name, unsigned slp_typ)
{
    aml_name(a, name);
    aml_begin_package(a, 4);
    aml_int(a, slp_typ), aml_int(a, slp_typ), aml_int(a, 0), aml_int(a, 0);
    aml_end(a);
}

GByteArray *acpi_build_dsdt(const AcpiConfig *c)
{
    Aml *a = aml_new();

    aml_begin_scope(a, "\\_SB");
    add_pci_root(a, c);
    add_link_status(a);
    add_link_current(a);
    for (int i = 0; i < 4; i++)
        add_link(a, i);
    if (c->hpet)
        add_hpet(a);
    acpi_add_cpus(a, c);
    aml_end(a);
    acpi_add_pci_event(a);
    acpi_add_cpu_event(a);
    add_sleep_state(a, "\\_S3", 1);
    add_sleep_state(a, "\\_S4", 2);
    add_sleep_state(a, "\\_S5", 0);
    return aml_free(a);
}

/* Name (VGIA, page) Scope (\_SB) { Device (VGEN) { … Method (ADDR) { Local0 = Package { 0, 0 };
 *   Local0[0] = VGIA + offset; Return (Local0) } } } Scope (\_GPE) { Method (_E05) … } */
GByteArray *acpi_build_generation_id(void)
{
    g_autofree char *event = g_strdup_printf("_E%02X", VMGENID_GPE);
    Aml *a = aml_new();
    GByteArray *code;

    aml_name_int(a, "VGIA", UINT32_MAX); /* takes all four bytes */
    aml_begin_scope(a, "\\_SB");
    aml_begin_device(a, "VGEN");
    aml_name(a, "_HID"), aml_string(a, "MIMU0001");
    aml_name(a, "_CID"), aml_string(a, "VM_Gen_Counter");
    aml_name(a, "_DDN"), aml_string(a, "VM_Gen_Counter");
    aml_begin_method(a, "_STA", 0, false);
    aml_begin_if(a);
    aml_equal(a), aml_ref(a, "VGIA"), aml_int(a, 0);
    aml_return(a), aml_int(a, 0);
    aml_end(a);
    aml_return(a), aml_int(a, 0x0f);
    aml_end(a);
    aml_begin_method(a, "ADDR", 0, false);
    aml_store(a), aml_begin_package(a, 2), aml_int(a, 0), aml_int(a, 0), aml_end(a),
        aml_local(a, 0);
    aml_add(a), aml_ref(a, "VGIA"), aml_int(a, VMGENID_OFFSET);
    aml_index(a), aml_local(a, 0), aml_int(a, 0), aml_no_target(a);
    aml_return(a), aml_local(a, 0);
    aml_end(a);
    aml_end(a);
    aml_end(a);
    aml_begin_scope(a, "\\_GPE");
    aml_begin_method(a, event, 0, false);
    aml_notify(a), aml_ref(a, "\\_SB.VGEN"), aml_int(a, 0x80);
    aml_end(a);
    aml_end(a);
    code = aml_free(a);
    memset(code->data + ACPI_GENERATION_ID_POINTER, 0, 4);
    return code;
}
