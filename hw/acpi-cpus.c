/* SPDX-License-Identifier: MIT */
/*
 * The processors in AML, and how a guest learns that one came or is to go: GPE 2 makes it ask the
 * registers of hw/cpu-hotplug.h which, and notify that processor's driver. Comments give the ASL.
 * Processor() is what guests as old as the board know; numbers beyond its byte are devices.
 */
#include "hw/acpi-dsdt.h"

#include "hw/cpu-hotplug.h"

enum { NOTIFY_CHECK = 1, NOTIFY_EJECT = 3 };
enum { MAX_PROCESSOR_ID = 0xfe };

typedef struct CpuName {
    char text[5];
} CpuName;

static CpuName name_of(unsigned n)
{
    CpuName name;

    g_snprintf(name.text, sizeof(name.text), "C%03X", n);
    return name;
}

/* ---- The registers: one transaction at a time -------------------------------------------------
 */

static void add_registers(Aml *a)
{
    GByteArray *r = g_byte_array_new();

    res_io(r, CPU_HOTPLUG_BASE, 0, CPU_HOTPLUG_BYTES);
    res_end(r);
    aml_begin_device(a, "PRES");
    aml_name_eisa_id(a, "_HID", "PNP0A06");
    aml_name(a, "_UID"), aml_string(a, "CPU plugging");
    aml_name_buffer(a, "_CRS", r);
    aml_operation_region(a, "PRST", AML_SYSTEM_IO, CPU_HOTPLUG_BASE, CPU_HOTPLUG_BYTES);
    aml_begin_field(a, "PRST", AML_BYTE_ACCESS, AML_WRITE_ZEROS);
    aml_field_gap(a, 32);
    aml_field_unit(a, "CPEN", 1); /* present */
    aml_field_unit(a, "CINS", 1); /* has come */
    aml_field_unit(a, "CRMV", 1); /* is to go */
    aml_field_unit(a, "CEJE", 1); /* goes */
    aml_field_gap(a, 4);
    aml_field_unit(a, "CCMD", 8);
    aml_end(a);
    aml_begin_field(a, "PRST", AML_DWORD_ACCESS, AML_PRESERVE);
    aml_field_unit(a, "CSEL", 32);
    aml_field_gap(a, 32);
    aml_field_unit(a, "CDAT", 32);
    aml_end(a);
    aml_mutex(a, "CLCK");
    aml_end(a);
}

#define REG(name) "\\_SB.PRES." name

/* Acquire (CLCK, 0xffff) */
static void begin_transaction(Aml *a)
{
    aml_acquire(a, REG("CLCK"));
}

static void end_transaction(Aml *a)
{
    aml_release(a, REG("CLCK"));
}

/* reg = value */
static void set_reg(Aml *a, const char *reg, uint64_t value)
{
    aml_store(a), aml_int(a, value), aml_ref(a, reg);
}

/* reg = ArgN */
static void set_reg_to_arg(Aml *a, const char *reg, unsigned n)
{
    aml_store(a), aml_arg(a, n), aml_ref(a, reg);
}

/* ---- Methods that all processors share --------------------------------------------------------
 */

/* Method (CSTA, 1, Serialized) { CSEL = Arg0; If (CPEN) { Local0 = 0x0f } Else { Local0 = 0 } … }
 */
static void add_status(Aml *a)
{
    aml_begin_method(a, "CSTA", 1, true);
    begin_transaction(a);
    set_reg_to_arg(a, REG("CSEL"), 0);
    aml_store(a), aml_int(a, 0), aml_local(a, 0);
    aml_begin_if(a);
    aml_equal(a), aml_ref(a, REG("CPEN")), aml_int(a, 1);
    aml_store(a), aml_int(a, 0x0f), aml_local(a, 0);
    aml_end(a);
    end_transaction(a);
    aml_return(a), aml_local(a, 0);
    aml_end(a);
}

/* Method (CEJ0, 1, Serialized) { CSEL = Arg0; CEJE = 1 } */
static void add_eject(Aml *a)
{
    aml_begin_method(a, "CEJ0", 1, true);
    begin_transaction(a);
    set_reg_to_arg(a, REG("CSEL"), 0);
    set_reg(a, REG("CEJE"), 1);
    end_transaction(a);
    aml_end(a);
}

/* Method (COST, 3, Serialized): processor, event, status */
static void add_report(Aml *a)
{
    aml_begin_method(a, "COST", 3, true);
    begin_transaction(a);
    set_reg_to_arg(a, REG("CSEL"), 0);
    set_reg(a, REG("CCMD"), CPU_HOTPLUG_OST_EVENT);
    set_reg_to_arg(a, REG("CDAT"), 1);
    set_reg(a, REG("CCMD"), CPU_HOTPLUG_OST_STATUS);
    set_reg_to_arg(a, REG("CDAT"), 2);
    end_transaction(a);
    aml_end(a);
}

/* Method (CTFY, 2) { If (Arg0 == n) { Notify (Cn, Arg1) } … } */
static void add_notify(Aml *a, unsigned count)
{
    aml_begin_method(a, "CTFY", 2, false);
    for (unsigned n = 0; n < count; n++) {
        aml_begin_if(a);
        aml_equal(a), aml_arg(a, 0), aml_int(a, n);
        aml_notify(a), aml_ref(a, name_of(n).text), aml_arg(a, 1);
        aml_end(a);
    }
    aml_end(a);
}

/* If (@flag == 1) { CTFY (CDAT, @event); @flag = 1; Local0 = 1 }: told once */
static void notify_if(Aml *a, const char *flag, unsigned event)
{
    aml_begin_if(a);
    aml_equal(a), aml_ref(a, flag), aml_int(a, 1);
    aml_ref(a, "CTFY"), aml_ref(a, REG("CDAT")), aml_int(a, event);
    set_reg(a, flag, 1);
    aml_store(a), aml_int(a, 1), aml_local(a, 0);
    aml_end(a);
}

/* Method (CSCN, 0, Serialized) { Local0 = 1; While (Local0) { Local0 = 0; CCMD = next; … } } */
static void add_scan(Aml *a)
{
    aml_begin_method(a, "CSCN", 0, true);
    begin_transaction(a);
    aml_store(a), aml_int(a, 1), aml_local(a, 0);
    aml_begin_while(a);
    aml_equal(a), aml_local(a, 0), aml_int(a, 1);
    aml_store(a), aml_int(a, 0), aml_local(a, 0);
    set_reg(a, REG("CCMD"), CPU_HOTPLUG_NEXT);
    notify_if(a, REG("CINS"), NOTIFY_CHECK);
    aml_begin_else(a);
    notify_if(a, REG("CRMV"), NOTIFY_EJECT);
    aml_end(a);
    aml_end(a);
    end_transaction(a);
    aml_end(a);
}

/* ---- One processor ----------------------------------------------------------------------------
 */

static void begin_cpu(Aml *a, unsigned n)
{
    if (n <= MAX_PROCESSOR_ID) {
        aml_begin_processor(a, name_of(n).text, n);
        return;
    }
    aml_begin_device(a, name_of(n).text);
    aml_name(a, "_HID"), aml_string(a, "ACPI0007");
    aml_name_int(a, "_UID", n);
}

static void add_cpu(Aml *a, const AcpiConfig *c, unsigned n)
{
    GByteArray *mat = g_byte_array_new();

    acpi_put_cpu(mat, c, n, true);
    begin_cpu(a, n);
    aml_name_buffer(a, "_MAT", mat);
    aml_begin_method(a, "_STA", 0, true);
    aml_return(a), aml_ref(a, "CSTA"), aml_int(a, n);
    aml_end(a);
    if (n) { /* the first one stays */
        aml_begin_method(a, "_EJ0", 1, false);
        aml_ref(a, "CEJ0"), aml_int(a, n);
        aml_end(a);
    }
    aml_begin_method(a, "_OST", 3, true);
    aml_ref(a, "COST"), aml_int(a, n), aml_arg(a, 0), aml_arg(a, 1);
    aml_end(a);
    aml_end(a);
}

void acpi_add_cpus(Aml *a, const AcpiConfig *c)
{
    add_registers(a);
    aml_begin_device(a, "CPUS");
    aml_name(a, "_HID"), aml_string(a, "ACPI0010");
    aml_name_eisa_id(a, "_CID", "PNP0A05");
    add_status(a);
    add_eject(a);
    add_report(a);
    for (unsigned n = 0; n < c->cpus; n++)
        add_cpu(a, c, n);
    add_notify(a, c->cpus);
    add_scan(a);
    aml_end(a);
}

/* Scope (\_GPE) { Method (_E02) { \_SB.CPUS.CSCN () } } */
void acpi_add_cpu_event(Aml *a)
{
    aml_begin_scope(a, "\\_GPE");
    aml_begin_method(a, "_E02", 0, false);
    aml_ref(a, "\\_SB.CPUS.CSCN");
    aml_end(a);
    aml_end(a);
}
