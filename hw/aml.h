/* SPDX-License-Identifier: MIT */
/*
 * A builder of ACPI Machine Language: each call appends its encoding, aml_begin_*() opens a package
 * that the matching aml_end() closes and gives its length. Objects follow the operator they belong
 * to, as in the text of ASL: aml_name(a, "_ADR"); aml_int(a, 0).
 * Spec: ACPI 6.4, chapter 20 (AML) and section 6.4 (resource descriptors).
 */
#ifndef HW_AML_H
#define HW_AML_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Aml Aml;

Aml *aml_new(void);
GByteArray *aml_free(Aml *a); /* every package closed; the caller owns the code */

/* Data */
void aml_int(Aml *a, uint64_t value);
void aml_string(Aml *a, const char *text);
void aml_eisa_id(Aml *a, const char *id); /* "PNP0A03" as its compressed integer */
void aml_ref(Aml *a, const char *path);   /* a name used as an object: "\\_SB.PCI0"; of a method: a
                                             call, arguments follow */
void aml_arg(Aml *a, unsigned n);
void aml_local(Aml *a, unsigned n);
void aml_buffer(Aml *a, const GByteArray *bytes);
void aml_begin_package(Aml *a, unsigned elements);

/* Named things */
void aml_name(Aml *a, const char *name); /* its object follows */
void aml_name_int(Aml *a, const char *name, uint64_t value);
void aml_name_eisa_id(Aml *a, const char *name, const char *id);
void aml_name_buffer(Aml *a, const char *name, GByteArray *bytes); /* takes @bytes */
void aml_begin_scope(Aml *a, const char *path);
void aml_begin_device(Aml *a, const char *name);
void aml_begin_method(Aml *a, const char *name, unsigned args, bool serialized);
void aml_begin_processor(Aml *a, const char *name, uint8_t id);
void aml_mutex(Aml *a, const char *name);
typedef enum AmlSpace { AML_SYSTEM_MEMORY = 0, AML_SYSTEM_IO = 1, AML_PCI_CONFIG = 2 } AmlSpace;
void aml_operation_region(Aml *a, const char *name, AmlSpace space, uint64_t at, uint64_t len);
/* How many bytes are accessed at a time, and what a write makes of bits of no unit it is to. */
typedef enum AmlAccess { AML_BYTE_ACCESS = 1, AML_DWORD_ACCESS = 3 } AmlAccess;
typedef enum AmlUpdate { AML_PRESERVE = 0, AML_WRITE_ZEROS = 2 } AmlUpdate;
void aml_begin_field(Aml *a, const char *region, AmlAccess access, AmlUpdate update);
void aml_field_unit(Aml *a, const char *name, unsigned bits);
void aml_field_gap(Aml *a, unsigned bits);
void aml_create_dword_field(Aml *a); /* buffer, byte index, then aml_ref of the new name */

/* Statements and operators: operands follow in order */
void aml_begin_if(Aml *a);
void aml_begin_else(Aml *a);
void aml_begin_while(Aml *a);
void aml_return(Aml *a);
void aml_store(Aml *a);
void aml_and(Aml *a); /* operand, operand, target */
void aml_or(Aml *a);
void aml_add(Aml *a);
void aml_index(Aml *a); /* buffer, number of a byte, target */
void aml_less(Aml *a);
void aml_equal(Aml *a);
void aml_notify(Aml *a);                     /* object, value */
void aml_acquire(Aml *a, const char *mutex); /* however long it takes */
void aml_release(Aml *a, const char *mutex);
void aml_no_target(Aml *a);

void aml_end(Aml *a);

/* Resource templates: descriptors appended to a byte array, then res_end(). */
void res_io(GByteArray *r, uint16_t base, uint8_t align, uint8_t len);
void res_irq(GByteArray *r, unsigned irq);     /* edge, active high, exclusive */
void res_dma(GByteArray *r, unsigned channel); /* bytes, no bus master, compatible timing */
void res_interrupts(GByteArray *r, const uint32_t *irqs, unsigned count); /* level, high, shared */
void res_bus_range(GByteArray *r, uint16_t first, uint16_t last);
void res_io_range(GByteArray *r, uint16_t first, uint16_t last);
void res_memory32_range(GByteArray *r, bool cacheable, uint32_t first, uint32_t last);
void res_memory64_range(GByteArray *r, bool cacheable, uint64_t first, uint64_t last);
void res_memory32_fixed(GByteArray *r, bool writable, uint32_t base, uint32_t len);
void res_end(GByteArray *r);

#endif
