/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS 2.8 structures of the board. Spec: DMTF DSP0134 2.8. Names are those that guests know a
 * virtual PC by.
 * Missing: type 0, which firmware adds because it describes firmware; user-supplied strings.
 */
#include "hw/smbios.h"

#include <string.h>

#define MANUFACTURER "QEMU"
#define PRODUCT      "Standard PC (i440FX + PIIX, 1996)"
#define DIMM_SIZE    (16ull << 30)
#define FOUR_GIB     0x100000000ULL

enum {
    HANDLE_SYSTEM = 0x100,
    HANDLE_CHASSIS = 0x300,
    HANDLE_CPU = 0x400,
    HANDLE_ARRAY = 0x1000,
    HANDLE_DIMM = 0x1100,
    HANDLE_RANGE = 0x1300,
    HANDLE_BOOT = 0x2000,
    HANDLE_END = 0x7f00,
    HANDLE_NONE = 0xfffe,
};

typedef struct Smbios {
    GByteArray *out;
    GByteArray *strings; /* of the structure being written */
    guint start, count, largest;
    uint8_t string_count;
} Smbios;

static void put(Smbios *s, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(s->out, (const uint8_t *)&le, size);
}

/* A string number; the text follows the structure. NULL: none. */
static void put_string(Smbios *s, const char *text)
{
    if (!text) {
        put(s, 0, 1);
        return;
    }
    g_byte_array_append(s->strings, (const uint8_t *)text, strlen(text) + 1);
    put(s, ++s->string_count, 1);
}

static void begin(Smbios *s, uint8_t type, uint16_t handle)
{
    s->start = s->out->len;
    s->string_count = 0;
    g_byte_array_set_size(s->strings, 0);
    put(s, type, 1);
    put(s, 0, 1);
    put(s, handle, 2);
}

static void end(Smbios *s)
{
    s->out->data[s->start + 1] = s->out->len - s->start;
    g_byte_array_append(s->out, s->strings->data, s->strings->len);
    put(s, 0, s->string_count ? 1 : 2);
    s->count++;
    s->largest = MAX(s->largest, s->out->len - s->start);
}

/* The first three fields are little-endian numbers (7.2.1). All zeros: not set. */
static void put_uuid(Smbios *s, const uint8_t *uuid)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned i = 0; i < 16; i++)
        put(s, uuid ? uuid[order[i]] : 0, 1);
}

static void add_system(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 1, HANDLE_SYSTEM);
    put_string(s, MANUFACTURER);
    put_string(s, PRODUCT);
    put_string(s, c->product_version);
    put_string(s, NULL); /* serial number */
    put_uuid(s, c->uuid);
    put(s, 6, 1); /* woken by the power switch */
    put_string(s, NULL);
    put_string(s, NULL);
    end(s);
}

static void add_chassis(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 3, HANDLE_CHASSIS);
    put_string(s, MANUFACTURER);
    put(s, 1, 1); /* kind: other */
    put_string(s, c->product_version);
    put_string(s, NULL);
    put_string(s, NULL);
    put(s, 0x03030303, 4); /* states safe; security status none is 3 */
    put(s, 0, 4);          /* OEM */
    put(s, 0, 4);          /* height, power cords, contained elements */
    put_string(s, NULL);   /* SKU */
    end(s);
}

static void add_cpu(Smbios *s, const SmbiosConfig *c, unsigned n)
{
    g_autofree char *socket = g_strdup_printf("CPU %u", n);
    unsigned cores = MIN(c->cores, 255), threads = MIN(c->cores * c->threads, 255);

    begin(s, 4, HANDLE_CPU + n);
    put_string(s, socket);
    put(s, 3, 1); /* central processor */
    put(s, 1, 1); /* family: other */
    put_string(s, MANUFACTURER);
    put(s, c->cpu_signature, 4);
    put(s, 0, 4);
    put_string(s, c->product_version);
    put(s, 0, 1); /* voltage */
    put(s, 0, 2); /* external clock */
    put(s, 2000, 2);
    put(s, 2000, 2);
    put(s, 0x41, 1); /* populated, enabled */
    put(s, 1, 1);    /* upgrade: other */
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2); /* no cache structures */
    put_string(s, NULL);
    put_string(s, NULL);
    put_string(s, NULL);
    put(s, cores, 1);
    put(s, cores, 1);
    put(s, threads, 1);
    put(s, 0x02, 2); /* characteristics unknown */
    put(s, 1, 2);
    end(s);
}

/* 16 GiB modules, larger ones when more than 64 would be needed. */
static uint64_t dimm_size(const SmbiosConfig *c)
{
    uint64_t size = DIMM_SIZE;

    while (size * 64 < c->ram_size)
        size *= 2;
    return size;
}

static unsigned dimm_count(const SmbiosConfig *c)
{
    return (c->ram_size + dimm_size(c) - 1) / dimm_size(c);
}

static void add_array(Smbios *s, const SmbiosConfig *c)
{
    uint64_t kib = c->ram_size >> 10;
    bool large = kib >= 0x80000000;

    begin(s, 16, HANDLE_ARRAY);
    put(s, 1, 1); /* location: other */
    put(s, 3, 1); /* system memory */
    put(s, 6, 1); /* multi-bit ECC */
    put(s, large ? 0x80000000 : kib, 4);
    put(s, HANDLE_NONE, 2);
    put(s, dimm_count(c), 2);
    put(s, large ? c->ram_size : 0, 8);
    end(s);
}

static void add_dimm(Smbios *s, const SmbiosConfig *c, unsigned n)
{
    g_autofree char *slot = g_strdup_printf("DIMM %u", n);
    uint64_t mib = MIN(dimm_size(c), c->ram_size - n * dimm_size(c)) >> 20;

    begin(s, 17, HANDLE_DIMM + n);
    put(s, HANDLE_ARRAY, 2);
    put(s, HANDLE_NONE, 2);
    put(s, 0xffff, 2); /* widths unknown */
    put(s, 0xffff, 2);
    put(s, MIN(mib, 0x7fff), 2);
    put(s, 9, 1); /* a DIMM */
    put(s, 0, 1);
    put_string(s, slot);
    put_string(s, NULL);
    put(s, 7, 1); /* RAM */
    put(s, 2, 2); /* other */
    put(s, 0, 2);
    put_string(s, MANUFACTURER);
    put_string(s, NULL);
    put_string(s, NULL);
    put_string(s, NULL);
    put(s, 0, 1);
    put(s, mib >= 0x7fff ? mib : 0, 4); /* extended size */
    put(s, 0, 2);                       /* clock */
    put(s, 0, 2);                       /* voltages */
    put(s, 0, 4);
    end(s);
}

static void add_range(Smbios *s, unsigned n, uint64_t start, uint64_t size)
{
    begin(s, 19, HANDLE_RANGE + n);
    put(s, start >> 10, 4);
    put(s, (start + size - 1) >> 10, 4);
    put(s, HANDLE_ARRAY, 2);
    put(s, 1, 1);
    put(s, 0, 8); /* extended addresses: not needed below 4 TiB */
    put(s, 0, 8);
    end(s);
}

static void add_memory(Smbios *s, const SmbiosConfig *c)
{
    add_array(s, c);
    for (unsigned i = 0; i < dimm_count(c); i++)
        add_dimm(s, c, i);
    add_range(s, 0, 0, c->below_4g);
    if (c->ram_size > c->below_4g)
        add_range(s, 1, FOUR_GIB, c->ram_size - c->below_4g);
}

static uint8_t checksum(const uint8_t *p, unsigned len)
{
    uint8_t sum = 0;

    while (len--)
        sum += *p++;
    return -sum;
}

/* The entry point; firmware fills in where the table is and sums again. */
static GBytes *make_anchor(const Smbios *s)
{
    Smbios a = { .out = g_byte_array_new() };
    uint8_t *p;

    g_byte_array_append(a.out, (const uint8_t *)"_SM_", 4);
    put(&a, 0, 1);
    put(&a, 0x1f, 1);
    put(&a, 2, 1);
    put(&a, 8, 1);
    put(&a, s->largest, 2);
    put(&a, 0, 6);
    g_byte_array_append(a.out, (const uint8_t *)"_DMI_", 5);
    put(&a, 0, 1);
    put(&a, s->out->len, 2);
    put(&a, 0, 4);
    put(&a, s->count, 2);
    put(&a, 0x28, 1);
    p = a.out->data;
    p[0x15] = checksum(p + 0x10, 0x0f);
    p[0x04] = checksum(p, 0x1f);
    return g_byte_array_free_to_bytes(a.out);
}

void smbios_add_tables(FwCfg *fw, const SmbiosConfig *c)
{
    Smbios s = { .out = g_byte_array_new(), .strings = g_byte_array_new() };

    add_system(&s, c);
    add_chassis(&s, c);
    for (unsigned i = 0; i < c->sockets; i++)
        add_cpu(&s, c, i);
    add_memory(&s, c);
    begin(&s, 32, HANDLE_BOOT);
    put(&s, 0, 7); /* reserved, no errors detected */
    end(&s);
    begin(&s, 127, HANDLE_END);
    end(&s);
    g_assert(s.out->len <= UINT16_MAX);

    g_autoptr(GBytes) anchor = make_anchor(&s);
    g_byte_array_unref(s.strings);
    g_autoptr(GBytes) tables = g_byte_array_free_to_bytes(s.out);
    fw_cfg_add_file(fw, "etc/smbios/smbios-anchor", anchor);
    fw_cfg_add_file(fw, "etc/smbios/smbios-tables", tables);
}
