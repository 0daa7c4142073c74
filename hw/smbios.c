/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS 2.8 structures of the board. Spec: DMTF DSP0134 2.8. Names are those that guests know a
 * virtual PC by.
 * The user may give strings and numbers (-smbios, checked by the option), or whole structures in
 * place of ours. Type 0 is only there by the user's wish: else firmware adds it, which it
 * describes. Missing: types 8 and 41 by fields.
 */
#include "hw/smbios.h"

#include <stdio.h>
#include <string.h>

#include "softmmu/error.h"

#define MANUFACTURER "QEMU"
#define PRODUCT      "Standard PC (i440FX + PIIX, 1996)"
#define DIMM_SIZE    (16ull << 30)
#define FOUR_GIB     0x100000000ULL

enum {
    HANDLE_FIRMWARE = 0x000,
    HANDLE_SYSTEM = 0x100,
    HANDLE_BOARD = 0x200,
    HANDLE_CHASSIS = 0x300,
    HANDLE_CPU = 0x400,
    HANDLE_PORT = 0x800,
    HANDLE_STRINGS = 0xe00,
    HANDLE_ARRAY = 0x1000,
    HANDLE_DIMM = 0x1100,
    HANDLE_RANGE = 0x1300,
    HANDLE_BOOT = 0x2000,
    HANDLE_ONBOARD = 0x2900,
    HANDLE_END = 0x7f00,
    HANDLE_NONE = 0xfffe,
};

typedef struct Smbios {
    const SmbiosConfig *c;
    uint8_t type; /* of the structure being written */
    GByteArray *out;
    GByteArray *strings; /* of the structure being written */
    guint start, count, largest;
    const char *lost; /* a device that the user names and that is not there; NULL: none */
    uint8_t string_count;
} Smbios;

static void put(Smbios *s, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);

    g_byte_array_append(s->out, (const uint8_t *)&le, size);
}

/* The user's word for field @name of a type, the last one; NULL: none. */
static const char *find_field(const SmbiosConfig *c, unsigned type, const char *name)
{
    for (guint i = c->options ? c->options->len : 0; i--;) {
        const SmbiosOption *o = c->options->pdata[i];
        const char *value =
            o->type == type && o->fields ? g_hash_table_lookup(o->fields, name) : NULL;
        if (value)
            return value;
    }
    return NULL;
}

/* Does the user give fields of that type? */
static bool has_fields(const SmbiosConfig *c, unsigned type)
{
    for (guint i = 0; c->options && i < c->options->len; i++) {
        const SmbiosOption *o = c->options->pdata[i];

        if (o->type == type && o->fields)
            return true;
    }
    return false;
}

/* Does the user give all structures of that type? */
static bool is_replaced(const SmbiosConfig *c, unsigned type)
{
    for (guint i = 0; c->options && i < c->options->len; i++) {
        const SmbiosOption *o = c->options->pdata[i];

        if (o->type == type && o->structure)
            return true;
    }
    return false;
}

/* A string number; the text follows the structure. NULL or empty: none. */
static void put_string(Smbios *s, const char *text)
{
    if (!text || !*text) {
        put(s, 0, 1);
        return;
    }
    g_byte_array_append(s->strings, (const uint8_t *)text, strlen(text) + 1);
    put(s, ++s->string_count, 1);
}

/* The user's string for a field of the structure, or @fallback. */
static void put_field(Smbios *s, const char *name, const char *fallback)
{
    const char *text = find_field(s->c, s->type, name);

    put_string(s, text ? text : fallback);
}

static uint64_t number_of(const Smbios *s, const char *name, uint64_t fallback)
{
    const char *text = find_field(s->c, s->type, name);

    return text ? g_ascii_strtoull(text, NULL, 0) : fallback;
}

static void begin(Smbios *s, uint8_t type, uint16_t handle)
{
    s->type = type;
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

static void add_firmware(Smbios *s, const SmbiosConfig *c)
{
    const char *release = find_field(c, 0, "release"), *uefi = find_field(c, 0, "uefi");
    unsigned major = 0, minor = 0;

    if (release)
        sscanf(release, "%u.%u", &major, &minor);
    begin(s, 0, HANDLE_FIRMWARE);
    put_field(s, "vendor", NULL);
    put_field(s, "version", NULL);
    put(s, 0xe800, 2); /* its segment */
    put_field(s, "date", NULL);
    put(s, 0, 1);    /* its size: 64 KiB */
    put(s, 0x08, 8); /* characteristics are not told */
    put(s, 0, 1);
    /* the last two: a virtual machine, and may be given to others */
    put(s, 0x14 | (uefi && !strcmp(uefi, "on") ? 0x08 : 0), 1);
    put(s, major, 1);
    put(s, minor, 1);
    put(s, 0xffff, 2); /* no embedded controller */
    end(s);
}

static void add_board(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 2, HANDLE_BOARD);
    put_field(s, "manufacturer", MANUFACTURER);
    put_field(s, "product", PRODUCT);
    put_field(s, "version", c->product_version);
    put_field(s, "serial", NULL);
    put_field(s, "asset", NULL);
    put(s, 0x01, 1); /* hosts others */
    put_field(s, "location", NULL);
    put(s, HANDLE_CHASSIS, 2);
    put(s, 0x0a, 1); /* motherboard */
    put(s, 0, 1);
    end(s);
}

/* Texts for whoever looks for them there. */
static void add_strings(Smbios *s, const SmbiosConfig *c)
{
    guint count = 0;

    begin(s, 11, HANDLE_STRINGS);
    put(s, 0, 1);
    for (guint i = 0; i < c->options->len; i++) {
        const SmbiosOption *o = c->options->pdata[i];

        if (o->type != 11 || !o->fields)
            continue;
        for (unsigned n = 0;; n++) {
            g_autofree char *name = g_strdup_printf("value%u", n);
            const char *text = g_hash_table_lookup(o->fields, name);

            if (!text)
                break;
            if (*text && count < 255) {
                g_byte_array_append(s->strings, (const uint8_t *)text, strlen(text) + 1);
                count++;
            }
        }
    }
    s->out->data[s->start + 4] = s->string_count = count;
    end(s);
}

static void add_system(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 1, HANDLE_SYSTEM);
    put_field(s, "manufacturer", MANUFACTURER);
    put_field(s, "product", PRODUCT);
    put_field(s, "version", c->product_version);
    put_field(s, "serial", NULL);
    put_uuid(s, c->uuid);
    put(s, 6, 1); /* woken by the power switch */
    put_field(s, "sku", NULL);
    put_field(s, "family", NULL);
    end(s);
}

static void add_chassis(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 3, HANDLE_CHASSIS);
    put_field(s, "manufacturer", MANUFACTURER);
    put(s, 1, 1); /* kind: other */
    put_field(s, "version", c->product_version);
    put_field(s, "serial", NULL);
    put_field(s, "asset", NULL);
    put(s, 0x03030303, 4); /* states safe; security status none is 3 */
    put(s, 0, 4);          /* OEM */
    put(s, 0, 4);          /* height, power cords, contained elements */
    put_field(s, "sku", NULL);
    end(s);
}

static void add_cpu(Smbios *s, const SmbiosConfig *c, unsigned n)
{
    const char *prefix = find_field(c, 4, "sock_pfx");
    g_autofree char *socket =
        g_strdup_printf("%s%s%u", prefix ? prefix : "CPU", prefix ? "" : " ", n);
    unsigned cores = MIN(c->cores, 255), threads = MIN(c->cores * c->threads, 255);

    begin(s, 4, HANDLE_CPU + n);
    put_string(s, socket);
    put(s, 3, 1); /* central processor */
    put(s, 1, 1); /* family: other */
    put_field(s, "manufacturer", MANUFACTURER);
    put(s, number_of(s, "processor-id", c->cpu_signature), 8);
    put_field(s, "version", c->product_version);
    put(s, 0, 1); /* voltage */
    put(s, 0, 2); /* external clock */
    put(s, number_of(s, "max-speed", 2000), 2);
    put(s, number_of(s, "current-speed", 2000), 2);
    put(s, 0x41, 1); /* populated, enabled */
    put(s, 1, 1);    /* upgrade: other */
    put(s, 0xffff, 2);
    put(s, 0xffff, 2);
    put(s, 0xffff, 2); /* no cache structures */
    put_field(s, "serial", NULL);
    put_field(s, "asset", NULL);
    put_field(s, "part", NULL);
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
    const char *prefix = find_field(c, 17, "loc_pfx");
    g_autofree char *slot = g_strdup_printf("%s %u", prefix ? prefix : "DIMM", n);
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
    put_field(s, "bank", NULL);
    put(s, 7, 1); /* RAM */
    put(s, 2, 2); /* other */
    put(s, number_of(s, "speed", 0), 2);
    put_field(s, "manufacturer", MANUFACTURER);
    put_field(s, "serial", NULL);
    put_field(s, "asset", NULL);
    put_field(s, "part", NULL);
    put(s, 0, 1);
    put(s, mib >= 0x7fff ? mib : 0, 4);  /* extended size */
    put(s, number_of(s, "speed", 0), 2); /* as configured */
    put(s, 0, 2);                        /* voltages */
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

static void add_dimms(Smbios *s, const SmbiosConfig *c)
{
    for (unsigned i = 0; i < dimm_count(c); i++)
        add_dimm(s, c, i);
}

static void add_ranges(Smbios *s, const SmbiosConfig *c)
{
    add_range(s, 0, 0, c->below_4g);
    if (c->ram_size > c->below_4g)
        add_range(s, 1, FOUR_GIB, c->ram_size - c->below_4g);
}

static void add_cpus(Smbios *s, const SmbiosConfig *c)
{
    for (unsigned i = 0; i < c->sockets; i++)
        add_cpu(s, c, i);
}

/* Of those, each set of fields is a structure of its own. */
static void add_each(Smbios *s, const SmbiosConfig *c, uint8_t type, uint16_t handle,
                     void (*fill)(Smbios *s, GHashTable *fields))
{
    for (guint i = 0; i < c->options->len; i++) {
        const SmbiosOption *o = c->options->pdata[i];

        if (o->type != type || !o->fields)
            continue;
        begin(s, type, handle++);
        fill(s, o->fields);
        end(s);
    }
}

static uint64_t number_in(GHashTable *fields, const char *name, uint64_t fallback)
{
    const char *text = g_hash_table_lookup(fields, name);

    return text ? g_ascii_strtoull(text, NULL, 0) : fallback;
}

static void fill_port(Smbios *s, GHashTable *fields)
{
    put_string(s, g_hash_table_lookup(fields, "internal_reference"));
    put(s, 0, 1); /* no connector inside */
    put_string(s, g_hash_table_lookup(fields, "external_reference"));
    put(s, number_in(fields, "connector_type", 0), 1);
    put(s, number_in(fields, "port_type", 0), 1);
}

static void add_ports(Smbios *s, const SmbiosConfig *c)
{
    add_each(s, c, 8, HANDLE_PORT, fill_port);
}

/* The highest bit: it is enabled. */
static uint8_t onboard_kind(const char *word)
{
    for (uint8_t i = 0; smbios_onboard_kinds[i]; i++)
        if (word && !strcmp(word, smbios_onboard_kinds[i]))
            return 0x80 | (i + 1);
    return 0x81;
}

static void fill_onboard(Smbios *s, GHashTable *fields)
{
    const char *id = g_hash_table_lookup(fields, "pcidev");
    uint8_t devfn = 0;

    put_string(s, g_hash_table_lookup(fields, "designation"));
    put(s, onboard_kind(g_hash_table_lookup(fields, "kind")), 1);
    put(s, number_in(fields, "instance", 0), 1);
    if (id && (!s->c->find || !s->c->find(s->c->opaque, id, &devfn)))
        s->lost = id;
    put(s, 0, 3); /* segment group, bus */
    put(s, devfn, 1);
}

static void add_onboard(Smbios *s, const SmbiosConfig *c)
{
    add_each(s, c, 41, HANDLE_ONBOARD, fill_onboard);
}

static void add_boot(Smbios *s, const SmbiosConfig *c)
{
    begin(s, 32, HANDLE_BOOT);
    put(s, 0, 7); /* reserved, no errors detected */
    end(s);
}

/* The structures in their order; .wish: only there if the user gives fields of it. */
static const struct {
    uint8_t type;
    bool wish;
    void (*add)(Smbios *s, const SmbiosConfig *c);
} types[] = {
    { 0, true, add_firmware }, { 1, false, add_system }, { 2, true, add_board },
    { 3, false, add_chassis }, { 4, false, add_cpus },   { 8, true, add_ports },
    { 11, true, add_strings }, { 16, false, add_array }, { 17, false, add_dimms },
    { 19, false, add_ranges }, { 32, false, add_boot },  { 41, true, add_onboard },
};

static void add_given(Smbios *s, const SmbiosConfig *c)
{
    for (guint i = 0; c->options && i < c->options->len; i++) {
        const SmbiosOption *o = c->options->pdata[i];
        gsize size;
        const uint8_t *data = o->structure ? g_bytes_get_data(o->structure, &size) : NULL;

        if (!data)
            continue;
        g_byte_array_append(s->out, data, size);
        s->count++;
        s->largest = MAX(s->largest, size);
    }
}

enum { WIDE_ANCHOR = 0x18 }; /* bytes */

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

/* The one of SMBIOS 3.0: 64 bits for where the table is, 32 for its size. */
static GBytes *make_wide_anchor(const Smbios *s)
{
    Smbios a = { .out = g_byte_array_new() };

    g_byte_array_append(a.out, (const uint8_t *)"_SM3_", 5);
    put(&a, 0, 1);
    put(&a, WIDE_ANCHOR, 1);
    put(&a, 3, 1); /* version 3.0, without a revision of its text */
    put(&a, 0, 2);
    put(&a, 1, 1); /* of the entry point */
    put(&a, 0, 1);
    put(&a, s->out->len, 4);
    put(&a, 0, 8);
    g_assert(a.out->len == WIDE_ANCHOR);
    a.out->data[5] = checksum(a.out->data, WIDE_ANCHOR);
    return g_byte_array_free_to_bytes(a.out);
}

bool smbios_add_tables(FwCfg *fw, const SmbiosConfig *c, GError **error)
{
    Smbios s = { .c = c, .out = g_byte_array_new(), .strings = g_byte_array_new() };
    bool fits;

    add_given(&s, c);
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (!is_replaced(c, types[i].type) && (!types[i].wish || has_fields(c, types[i].type)))
            types[i].add(&s, c);
    begin(&s, 127, HANDLE_END);
    end(&s);
    fits = (c->wide_entry || s.out->len <= UINT16_MAX) && !s.lost;
    if (fits) {
        g_autoptr(GBytes) anchor = c->wide_entry ? make_wide_anchor(&s) : make_anchor(&s);
        g_autoptr(GBytes) tables = g_bytes_new(s.out->data, s.out->len);

        fw_cfg_add_file(fw, "etc/smbios/smbios-anchor", anchor);
        fw_cfg_add_file(fw, "etc/smbios/smbios-tables", tables);
    } else if (s.lost) {
        error_set(error, "-smbios: no PCI device with id '%s'", s.lost);
    } else {
        error_set(error, "-smbios: the tables have %u bytes, more than 65535", s.out->len);
    }
    g_byte_array_unref(s.strings);
    g_byte_array_unref(s.out);
    return fits;
}
