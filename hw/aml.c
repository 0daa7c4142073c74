/* SPDX-License-Identifier: MIT */
/* AML encoding. Packages are written first and get their length inserted when they end. */
#include "hw/aml.h"

#include <string.h>

enum {
    OP_ZERO = 0x00,
    OP_ONE = 0x01,
    OP_NAME = 0x08,
    OP_BYTE = 0x0a,
    OP_WORD = 0x0b,
    OP_DWORD = 0x0c,
    OP_STRING = 0x0d,
    OP_QWORD = 0x0e,
    OP_SCOPE = 0x10,
    OP_BUFFER = 0x11,
    OP_PACKAGE = 0x12,
    OP_METHOD = 0x14,
    OP_DUAL_NAME = 0x2e,
    OP_MULTI_NAME = 0x2f,
    OP_EXT = 0x5b,
    OP_LOCAL0 = 0x60,
    OP_ARG0 = 0x68,
    OP_STORE = 0x70,
    OP_ADD = 0x72,
    OP_AND = 0x7b,
    OP_OR = 0x7d,
    OP_NOTIFY = 0x86,
    OP_INDEX = 0x88,
    OP_CREATE_DWORD_FIELD = 0x8a,
    OP_EQUAL = 0x93,
    OP_LESS = 0x95,
    OP_IF = 0xa0,
    OP_ELSE = 0xa1,
    OP_WHILE = 0xa2,
    OP_RETURN = 0xa4,
    EXT_MUTEX = 0x01,
    EXT_ACQUIRE = 0x23,
    EXT_RELEASE = 0x27,
    EXT_REGION = 0x80,
    EXT_FIELD = 0x81,
    EXT_DEVICE = 0x82,
    EXT_PROCESSOR = 0x83,
};

enum { NAME_SEG = 4, MAX_PACKAGE_LENGTH = 0xfffffff };

struct Aml {
    GByteArray *out;
    GArray *marks; /* guint: where the content of each open package starts */
};

Aml *aml_new(void)
{
    Aml *a = g_new(Aml, 1);

    a->out = g_byte_array_new();
    a->marks = g_array_new(false, false, sizeof(guint));
    return a;
}

GByteArray *aml_free(Aml *a)
{
    GByteArray *out = a->out;

    g_assert(a->marks->len == 0);
    g_array_free(a->marks, true);
    g_free(a);
    return out;
}

static void put(GByteArray *out, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(out, (const uint8_t *)&le, size);
}

static void byte(Aml *a, uint8_t value)
{
    put(a->out, value, 1);
}

/* ---- Packages ------------------------------------------------------------------------------- */

static void begin(Aml *a)
{
    g_array_append_val(a->marks, a->out->len);
}

/* PkgLength counts itself: one byte up to 63, else a nibble and up to three more bytes. */
static unsigned package_length(uint8_t *code, uint32_t content)
{
    unsigned extra = content + 1 <= 0x3f      ? 0
                     : content + 2 <= 0xfff   ? 1
                     : content + 3 <= 0xfffff ? 2
                                              : 3;
    uint32_t len = content + 1 + extra;

    g_assert(len <= MAX_PACKAGE_LENGTH);
    if (!extra) {
        code[0] = len;
        return 1;
    }
    code[0] = extra << 6 | (len & 0xf);
    for (unsigned i = 0; i < extra; i++)
        code[1 + i] = len >> (4 + 8 * i);
    return 1 + extra;
}

void aml_end(Aml *a)
{
    g_assert(a->marks->len > 0);
    guint mark = g_array_index(a->marks, guint, a->marks->len - 1);
    guint content = a->out->len - mark;
    uint8_t code[4];
    unsigned n = package_length(code, content);

    g_array_set_size(a->marks, a->marks->len - 1);
    g_byte_array_set_size(a->out, a->out->len + n);
    memmove(a->out->data + mark + n, a->out->data + mark, content);
    memcpy(a->out->data + mark, code, n);
}

/* ---- Names ---------------------------------------------------------------------------------- */

static void name_seg(Aml *a, const char *seg, size_t len)
{
    char padded[NAME_SEG] = { '_', '_', '_', '_' };

    g_assert(len >= 1 && len <= NAME_SEG);
    memcpy(padded, seg, len);
    g_byte_array_append(a->out, (const uint8_t *)padded, NAME_SEG);
}

static void name_string(Aml *a, const char *path)
{
    while (*path == '\\' || *path == '^')
        byte(a, *path++);
    g_auto(GStrv) segs = g_strsplit(path, ".", -1);
    unsigned count = g_strv_length(segs);

    if (count == 0) {
        byte(a, 0); /* the root itself */
        return;
    }
    if (count == 2) {
        byte(a, OP_DUAL_NAME);
    } else if (count > 2) {
        byte(a, OP_MULTI_NAME);
        byte(a, count);
    }
    for (unsigned i = 0; i < count; i++)
        name_seg(a, segs[i], strlen(segs[i]));
}

void aml_ref(Aml *a, const char *path)
{
    name_string(a, path);
}

void aml_name(Aml *a, const char *name)
{
    byte(a, OP_NAME);
    name_string(a, name);
}

void aml_name_int(Aml *a, const char *name, uint64_t value)
{
    aml_name(a, name);
    aml_int(a, value);
}

void aml_name_eisa_id(Aml *a, const char *name, const char *id)
{
    aml_name(a, name);
    aml_eisa_id(a, id);
}

void aml_name_buffer(Aml *a, const char *name, GByteArray *bytes)
{
    aml_name(a, name);
    aml_buffer(a, bytes);
    g_byte_array_unref(bytes);
}

/* ---- Data ----------------------------------------------------------------------------------- */

void aml_int(Aml *a, uint64_t value)
{
    static const struct {
        uint64_t max;
        uint8_t op, size;
    } forms[] = {
        { UINT8_MAX, OP_BYTE, 1 },
        { UINT16_MAX, OP_WORD, 2 },
        { UINT32_MAX, OP_DWORD, 4 },
        { UINT64_MAX, OP_QWORD, 8 },
    };

    if (value <= 1) {
        byte(a, value ? OP_ONE : OP_ZERO);
        return;
    }
    for (int i = 0;; i++) {
        if (value <= forms[i].max) {
            byte(a, forms[i].op);
            put(a->out, value, forms[i].size);
            return;
        }
    }
}

void aml_string(Aml *a, const char *text)
{
    byte(a, OP_STRING);
    g_byte_array_append(a->out, (const uint8_t *)text, strlen(text) + 1);
}

/* Three letters of five bits each and four hexadecimal digits, most significant byte first. */
void aml_eisa_id(Aml *a, const char *id)
{
    uint32_t value = 0;

    g_assert(strlen(id) == 7);
    for (int i = 0; i < 3; i++)
        value = value << 5 | (id[i] - 0x40);
    for (int i = 3; i < 7; i++)
        value = value << 4 | g_ascii_xdigit_value(id[i]);
    byte(a, OP_DWORD);
    put(a->out, GUINT32_SWAP_LE_BE(value), 4);
}

void aml_arg(Aml *a, unsigned n)
{
    byte(a, OP_ARG0 + n);
}

void aml_local(Aml *a, unsigned n)
{
    byte(a, OP_LOCAL0 + n);
}

void aml_buffer(Aml *a, const GByteArray *bytes)
{
    byte(a, OP_BUFFER);
    begin(a);
    aml_int(a, bytes->len);
    g_byte_array_append(a->out, bytes->data, bytes->len);
    aml_end(a);
}

void aml_begin_package(Aml *a, unsigned elements)
{
    byte(a, OP_PACKAGE);
    begin(a);
    byte(a, elements);
}

/* ---- Named objects -------------------------------------------------------------------------- */

void aml_begin_scope(Aml *a, const char *path)
{
    byte(a, OP_SCOPE);
    begin(a);
    name_string(a, path);
}

void aml_begin_device(Aml *a, const char *name)
{
    byte(a, OP_EXT);
    byte(a, EXT_DEVICE);
    begin(a);
    name_string(a, name);
}

void aml_begin_method(Aml *a, const char *name, unsigned args, bool serialized)
{
    byte(a, OP_METHOD);
    begin(a);
    name_string(a, name);
    byte(a, args | serialized << 3);
}

void aml_begin_processor(Aml *a, const char *name, uint8_t id)
{
    byte(a, OP_EXT);
    byte(a, EXT_PROCESSOR);
    begin(a);
    name_string(a, name);
    byte(a, id);
    put(a->out, 0, 4); /* no processor block */
    byte(a, 0);
}

void aml_mutex(Aml *a, const char *name)
{
    byte(a, OP_EXT);
    byte(a, EXT_MUTEX);
    name_string(a, name);
    byte(a, 0); /* SyncLevel */
}

void aml_operation_region(Aml *a, const char *name, AmlSpace space, uint64_t at, uint64_t len)
{
    byte(a, OP_EXT);
    byte(a, EXT_REGION);
    name_string(a, name);
    byte(a, space);
    aml_int(a, at);
    aml_int(a, len);
}

void aml_begin_field(Aml *a, const char *region, AmlAccess access, AmlUpdate update)
{
    byte(a, OP_EXT);
    byte(a, EXT_FIELD);
    begin(a);
    name_string(a, region);
    byte(a, access | update << 5); /* no lock */
}

void aml_field_unit(Aml *a, const char *name, unsigned bits)
{
    g_assert(bits < 64); /* a one-byte PkgLength */
    name_seg(a, name, strlen(name));
    byte(a, bits);
}

void aml_field_gap(Aml *a, unsigned bits)
{
    g_assert(bits < 64);
    byte(a, 0);
    byte(a, bits);
}

void aml_create_dword_field(Aml *a)
{
    byte(a, OP_CREATE_DWORD_FIELD);
}

/* ---- Code ----------------------------------------------------------------------------------- */

void aml_begin_if(Aml *a)
{
    byte(a, OP_IF);
    begin(a);
}

void aml_begin_else(Aml *a)
{
    byte(a, OP_ELSE);
    begin(a);
}

void aml_begin_while(Aml *a)
{
    byte(a, OP_WHILE);
    begin(a);
}

void aml_return(Aml *a)
{
    byte(a, OP_RETURN);
}

void aml_store(Aml *a)
{
    byte(a, OP_STORE);
}

void aml_and(Aml *a)
{
    byte(a, OP_AND);
}

void aml_or(Aml *a)
{
    byte(a, OP_OR);
}

void aml_add(Aml *a)
{
    byte(a, OP_ADD);
}

void aml_index(Aml *a)
{
    byte(a, OP_INDEX);
}

void aml_less(Aml *a)
{
    byte(a, OP_LESS);
}

void aml_equal(Aml *a)
{
    byte(a, OP_EQUAL);
}

void aml_notify(Aml *a)
{
    byte(a, OP_NOTIFY);
}

void aml_acquire(Aml *a, const char *mutex)
{
    byte(a, OP_EXT);
    byte(a, EXT_ACQUIRE);
    name_string(a, mutex);
    put(a->out, 0xffff, 2);
}

void aml_release(Aml *a, const char *mutex)
{
    byte(a, OP_EXT);
    byte(a, EXT_RELEASE);
    name_string(a, mutex);
}

void aml_no_target(Aml *a)
{
    byte(a, 0);
}

/* ---- Resource descriptors ------------------------------------------------------------------- */

enum { RANGE_MEMORY = 0, RANGE_IO = 1, RANGE_BUS = 2 };
enum { RANGE_FIXED = 0x0c }; /* both ends fixed, positive decode, produced for children */

void res_io(GByteArray *r, uint16_t base, uint8_t align, uint8_t len)
{
    put(r, 0x47, 1);
    put(r, 1, 1); /* 16-bit decoding */
    put(r, base, 2);
    put(r, base, 2);
    put(r, align, 1);
    put(r, len, 1);
}

void res_irq(GByteArray *r, unsigned irq)
{
    put(r, 0x22, 1);
    put(r, 1u << irq, 2);
}

void res_dma(GByteArray *r, unsigned channel)
{
    put(r, 0x2a, 1);
    put(r, 1u << channel, 1);
    put(r, 0, 1);
}

void res_interrupts(GByteArray *r, const uint32_t *irqs, unsigned count)
{
    put(r, 0x89, 1);
    put(r, 2 + 4 * count, 2);
    put(r, 0x09, 1); /* consumer, level, active high, shared */
    put(r, count, 1);
    for (unsigned i = 0; i < count; i++)
        put(r, irqs[i], 4);
}

/* An address space descriptor with fields of @size bytes. */
static void range(GByteArray *r, uint8_t tag, uint8_t type, uint8_t type_flags, unsigned size,
                  uint64_t first, uint64_t last)
{
    put(r, tag, 1);
    put(r, 3 + 5 * size, 2);
    put(r, type, 1);
    put(r, RANGE_FIXED, 1);
    put(r, type_flags, 1);
    put(r, 0, size); /* granularity */
    put(r, first, size);
    put(r, last, size);
    put(r, 0, size); /* translation */
    put(r, last - first + 1, size);
}

void res_bus_range(GByteArray *r, uint16_t first, uint16_t last)
{
    range(r, 0x88, RANGE_BUS, 0, 2, first, last);
}

void res_io_range(GByteArray *r, uint16_t first, uint16_t last)
{
    range(r, 0x88, RANGE_IO, 3, 2, first, last); /* ISA and non-ISA addresses */
}

void res_memory32_range(GByteArray *r, bool cacheable, uint32_t first, uint32_t last)
{
    range(r, 0x87, RANGE_MEMORY, 1 | cacheable << 1, 4, first, last);
}

void res_memory64_range(GByteArray *r, bool cacheable, uint64_t first, uint64_t last)
{
    range(r, 0x8a, RANGE_MEMORY, 1 | cacheable << 1, 8, first, last);
}

void res_memory32_fixed(GByteArray *r, bool writable, uint32_t base, uint32_t len)
{
    put(r, 0x86, 1);
    put(r, 9, 2);
    put(r, writable, 1);
    put(r, base, 4);
    put(r, len, 4);
}

void res_end(GByteArray *r)
{
    put(r, 0x79, 1);
    put(r, 0, 1); /* checksum not used */
}
