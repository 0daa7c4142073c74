/* SPDX-License-Identifier: MIT */
/* -smbios, -acpitable and -option-rom: what the user gives firmware beside the board's own. */
#include <string.h>

#include "softmmu/error.h"
#include "softmmu/program/options/internal.h"
#include "softmmu/program/options/keyval.h"

/* ---- -smbios --------------------------------------------------------------------------------- */

/* The keys of each type: "name" is a string, "name:N" a number up to N, "name:bool" a switch, and
 * those of more kinds say so. */
static const struct {
    unsigned type;
    const char *keys;
} smbios_types[] = {
    { 0, "vendor version date release:release uefi:bool" },
    { 1, "manufacturer product version serial uuid:uuid sku family" },
    { 2, "manufacturer product version serial asset location" },
    { 3, "manufacturer version serial asset sku" },
    { 4, "sock_pfx manufacturer version serial asset part max-speed:65535 current-speed:65535 "
         "processor-id:18446744073709551615" },
    { 8, "internal_reference external_reference connector_type:255 port_type:255" },
    { 11, "value:values path:values" },
    { 17, "loc_pfx bank manufacturer serial asset part speed:65535" },
    { 41, "designation kind:onboard instance:255 pcidev" },
};

/* What follows the colon of @name in @keys, "" if nothing does; NULL: there is no such key. */
static char *kind_of_key(const char *keys, const char *name)
{
    g_auto(GStrv) words = g_strsplit(keys, " ", -1);
    size_t len = strlen(name);

    for (char **word = words; *word; word++)
        if (!strncmp(*word, name, len) && (!(*word)[len] || (*word)[len] == ':'))
            return g_strdup((*word)[len] ? *word + len + 1 : "");
    return NULL;
}

static bool check_release(const char *value, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(value, ".", 3);
    uint64_t number;

    if (g_strv_length(parts) == 2 && parse_number(parts[0], 0, 255, &number, NULL) &&
        parse_number(parts[1], 0, 255, &number, NULL))
        return true;
    error_set(error, "'%s' is not two numbers up to 255, as 1.2", value);
    return false;
}

static bool check_switch(char **value, GError **error)
{
    bool on;

    if (!parse_switch(*value, &on, error))
        return false;
    g_free(*value);
    *value = g_strdup(on ? "on" : "off");
    return true;
}

static bool check_onboard(const char *value, GError **error)
{
    if (g_strv_contains(smbios_onboard_kinds, value))
        return true;
    error_set(error, "'%s' is no kind of onboard device", value);
    return false;
}

static bool set_uuid(Options *o, const char *value, GError **error)
{
    o->config.smbios_uuid_given = options_parse_uuid(value, o->config.smbios_uuid);
    if (!o->config.smbios_uuid_given)
        error_set(error, "Invalid UUID");
    return o->config.smbios_uuid_given;
}

/* Strings of type 11 are many: each is a field of its own, "value0" and so on. */
static bool add_value(Options *o, SmbiosOption *s, const char *key, const char *value,
                      GError **error)
{
    g_autofree char *name = g_strdup_printf("value%u", g_hash_table_size(s->fields));
    g_autoptr(GBytes) file = NULL;
    gsize size;
    const char *data;

    if (!strcmp(key, "value")) {
        g_hash_table_insert(s->fields, g_steal_pointer(&name), g_strdup(value));
        return true;
    }
    file = options_read_file(o->config.files, value, error);
    if (!file)
        return false;
    data = g_bytes_get_data(file, &size);
    if (size && memchr(data, 0, size)) {
        error_set(error, "NUL in OEM strings value in %s", value);
        return false;
    }
    g_hash_table_insert(s->fields, g_steal_pointer(&name), g_strndup(data ? data : "", size));
    return true;
}

static bool set_field(Options *o, SmbiosOption *s, const char *kind, const char *key,
                      const char *value, GError **error)
{
    g_autofree char *text = g_strdup(value);
    uint64_t number;

    if (!strcmp(kind, "values"))
        return add_value(o, s, key, value, error);
    if ((!strcmp(kind, "release") && !check_release(value, error)) ||
        (!strcmp(kind, "onboard") && !check_onboard(value, error)) ||
        (!strcmp(kind, "bool") && !check_switch(&text, error)) ||
        (!strcmp(kind, "uuid") && !set_uuid(o, value, error)) ||
        (g_ascii_isdigit(*kind) &&
         !parse_number(value, 0, g_ascii_strtoull(kind, NULL, 10), &number, error)))
        return false;
    g_hash_table_replace(s->fields, g_strdup(key), g_steal_pointer(&text));
    return true;
}

/* One structure: its formatted part, then strings up to two zeros. */
static bool check_structure(const uint8_t *data, gsize size, GError **error)
{
    gsize at = size >= 4 ? data[1] : 0;

    if (at < 4 || at + 2 > size) {
        error_set(error, "this is no SMBIOS structure: it has %" G_GSIZE_FORMAT " bytes", size);
        return false;
    }
    while (at + 2 < size && (data[at] || data[at + 1]))
        at++;
    if (at + 2 == size && !data[at] && !data[at + 1])
        return true;
    error_set(error, "this is no SMBIOS structure: it does not end with two zeros");
    return false;
}

static bool take_structure(Options *o, SmbiosOption *s, const char *path, GError **error)
{
    gsize size;
    const uint8_t *data;

    s->structure = options_read_file(o->config.files, path, error);
    if (!s->structure)
        return false;
    data = g_bytes_get_data(s->structure, &size);
    if (!check_structure(data, size, error))
        return false;
    s->type = data[0];
    return true;
}

void options_free_smbios(void *p)
{
    SmbiosOption *s = p;

    g_clear_pointer(&s->fields, g_hash_table_unref);
    g_clear_pointer(&s->structure, g_bytes_unref);
    g_free(s);
}

/* A type has either whole structures or fields. */
static bool check_smbios(const Options *o, const SmbiosOption *s, GError **error)
{
    for (guint i = 0; i < o->config.smbios->len; i++) {
        const SmbiosOption *other = o->config.smbios->pdata[i];

        if (other->type != s->type || !other->structure == !s->structure)
            continue;
        error_set(error, "structures of type %u are given by fields and by file", s->type);
        return false;
    }
    return true;
}

typedef struct SmbiosArgs {
    Options *o;
    SmbiosOption *s;
    const char *keys; /* of its type; NULL: not said yet */
} SmbiosArgs;

static bool take_type(SmbiosArgs *a, const char *value, GError **error)
{
    uint64_t type;

    if (!parse_number(value, 0, 255, &type, error))
        return false;
    a->s->type = type;
    for (size_t i = 0; i < G_N_ELEMENTS(smbios_types) && !a->keys; i++)
        if (smbios_types[i].type == type)
            a->keys = smbios_types[i].keys;
    if (!a->keys)
        error_set(error, "fields of type %u are not supported; use file=", (unsigned)type);
    return a->keys;
}

static bool take_smbios_pair(void *ctx, const char *key, const char *value, GError **error)
{
    SmbiosArgs *a = ctx;
    g_autofree char *kind = a->keys ? kind_of_key(a->keys, key) : NULL;

    if (!strcmp(key, "type") && !a->keys && !a->s->structure)
        return take_type(a, value, error);
    if (!strcmp(key, "file") && !a->keys && !a->s->structure)
        return take_structure(a->o, a->s, value, error);
    if (kind)
        return set_field(a->o, a->s, kind, key, value, error);
    if (a->keys || a->s->structure)
        error_set(error, "unknown parameter '%s'", key);
    else
        error_set(error, "file, or a type before its fields, is needed");
    return false;
}

bool opt_smbios(Options *o, const char *arg, GError **error)
{
    SmbiosOption *s = g_new0(SmbiosOption, 1);
    SmbiosArgs a = { o, s, NULL };

    s->fields = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!keyval_foreach(arg, NULL, take_smbios_pair, &a, error) || !check_smbios(o, s, error)) {
        options_free_smbios(s);
        return false;
    }
    if (s->structure)
        g_clear_pointer(&s->fields, g_hash_table_unref);
    g_ptr_array_add(o->config.smbios, s);
    return true;
}

/* ---- -acpitable ------------------------------------------------------------------------------ */

#define ACPI_HEADER 36

/* Keys of the header: where, and how long; numbers are little-endian, texts filled up with zeros.
 */
static const struct {
    const char *key;
    unsigned offset, size;
    bool number;
} header_fields[] = {
    { "sig", 0, 4, false },
    { "rev", 8, 1, true },
    { "oem_id", 10, 6, false },
    { "oem_table_id", 16, 8, false },
    { "oem_rev", 24, 4, true },
    { "asl_compiler_id", 28, 4, false },
    { "asl_compiler_rev", 32, 4, true },
};

static bool set_header_field(uint8_t *header, size_t n, const char *value, GError **error)
{
    unsigned size = header_fields[n].size;
    uint64_t number;

    if (header_fields[n].number) {
        if (!parse_number(value, 0, (UINT64_C(1) << 8 * size) - 1, &number, error))
            return false;
        for (unsigned i = 0; i < size; i++)
            header[header_fields[n].offset + i] = number >> 8 * i;
        return true;
    }
    if (strlen(value) > size || (n == 0 && strlen(value) != size)) {
        error_set(error, "'%s' has not %s%u characters", value, n ? "at most " : "", size);
        return false;
    }
    memset(header + header_fields[n].offset, 0, size);
    memcpy(header + header_fields[n].offset, value, strlen(value));
    return true;
}

static bool set_header(uint8_t *header, GHashTable *pairs, GError **error)
{
    for (size_t n = 0; n < G_N_ELEMENTS(header_fields); n++) {
        const char *value = g_hash_table_lookup(pairs, header_fields[n].key);

        if (value && !set_header_field(header, n, value, error)) {
            g_prefix_error(error, "%s: ", header_fields[n].key);
            return false;
        }
    }
    return true;
}

static bool append_files(Options *o, const char *paths, GByteArray *out, GError **error)
{
    g_auto(GStrv) list = g_strsplit(paths, ":", -1);

    for (char **path = list; *path; path++) {
        g_autoptr(GBytes) file = options_read_file(o->config.files, *path, error);
        gsize size;

        if (!file)
            return false;
        const void *data = g_bytes_get_data(file, &size);
        g_byte_array_append(out, data, size);
        if (out->len > G_MAXUINT16) {
            error_set(error, "the table has more than %u bytes", G_MAXUINT16);
            return false;
        }
    }
    return true;
}

static void finish_table(GByteArray *table)
{
    uint32_t length = GUINT32_TO_LE(table->len);
    uint8_t sum = 0;

    memcpy(table->data + 4, &length, sizeof(length));
    table->data[9] = 0;
    for (guint i = 0; i < table->len; i++)
        sum += table->data[i];
    table->data[9] = -sum;
}

static bool check_acpi_keys(GHashTable *pairs, GError **error)
{
    GHashTableIter iter;
    void *key;

    g_hash_table_iter_init(&iter, pairs);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        size_t n = 0;

        while (n < G_N_ELEMENTS(header_fields) && strcmp(header_fields[n].key, key))
            n++;
        if (n < G_N_ELEMENTS(header_fields) || !strcmp(key, "file") || !strcmp(key, "data"))
            continue;
        error_set(error, "unknown parameter '%s'", (char *)key);
        return false;
    }
    return true;
}

bool opt_acpitable(Options *o, const char *arg, GError **error)
{
    static const uint8_t header[ACPI_HEADER + 1] = "QEMU\0\0\0\0\1\0QEMUQEQEMUQEMU\1\0\0\0QEMU\1";
    g_autoptr(GHashTable) pairs = keyval_table(arg, NULL);
    const char *file = g_hash_table_lookup(pairs, "file"),
               *data = g_hash_table_lookup(pairs, "data");
    g_autoptr(GByteArray) table = g_byte_array_new();

    if (!check_acpi_keys(pairs, error))
        return false;
    if (!file == !data) {
        error_set(error, "exactly one of file and data is needed");
        return false;
    }
    if (data)
        g_byte_array_append(table, header, ACPI_HEADER);
    if (!append_files(o, file ? file : data, table, error))
        return false;
    if (table->len < ACPI_HEADER) {
        error_set(error, "the table has %u bytes, less than its header", table->len);
        return false;
    }
    if (!set_header(table->data, pairs, error))
        return false;
    finish_table(table);
    g_ptr_array_add(o->config.acpi_tables, g_bytes_new(table->data, table->len));
    return true;
}

/* ---- -option-rom ----------------------------------------------------------------------------- */

bool opt_option_rom(Options *o, const char *arg, GError **error)
{
    g_autoptr(GHashTable) pairs = keyval_table(arg, "romfile");
    const char *file = g_hash_table_lookup(pairs, "romfile");
    bool order = g_hash_table_contains(pairs, "bootindex");
    DeviceOption *rom;

    if (!file || !*file || g_hash_table_size(pairs) != 1 + order) {
        error_set(error, "[romfile=]FILE[,bootindex=N] is needed");
        return false;
    }
    rom = g_new0(DeviceOption, 1);
    rom->driver = g_strdup("option-rom");
    rom->props = g_steal_pointer(&pairs);
    g_ptr_array_add(o->config.option_roms, rom);
    return true;
}
