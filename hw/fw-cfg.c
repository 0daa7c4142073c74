/* SPDX-License-Identifier: MIT */
/*
 * fw_cfg: ports 0x510 (selector) and 0x511 (data), DMA address at 0x514.
 * Spec: "QEMU Firmware Configuration (fw_cfg) Device". Interface version 3 (traditional and DMA).
 * Few files can be written, by DMA; for others that reports an error.
 */
#include "hw/fw-cfg.h"

#include <string.h>

#include "softmmu/error.h"
#include "softmmu/log.h"
#include "softmmu/trace.h"

enum {
    DMA_ERROR = 1 << 0,
    DMA_READ = 1 << 1,
    DMA_SKIP = 1 << 2,
    DMA_SELECT = 1 << 3,
    DMA_WRITE = 1 << 4,
};

enum { INTERFACE_TRADITIONAL = 1, INTERFACE_DMA = 2 };

typedef struct FwCfgFile {
    char *name;
    GBytes *data;
    uint8_t *writable; /* … by the guest as well; NULL: it is not */
} FwCfgFile;

typedef struct MadeItem {
    GBytes *(*make)(void *opaque);
    void *opaque;
    GDestroyNotify destroy;
    GBytes *data; /* NULL: not selected */
} MadeItem;

struct FwCfg {
    Device dev;
    /* wiring */
    MemRegion *parent_ports;
    AddressSpace *memory;
    MemRegion ports; /* selector (16 bit), data */
    MemRegion dma;   /* 8 bytes, big-endian */
    /* configuration */
    GHashTable *items; /* key -> GBytes */
    GHashTable *made;  /* key -> MadeItem */
    GPtrArray *files;  /* FwCfgFile *, sorted by name */
    /* state */
    uint16_t selected;
    uint32_t offset;
    uint64_t dma_addr;
};

static const char dma_signature[8] = { 'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G' };

/* ---- Items ---------------------------------------------------------------------------------- */

static void file_free(gpointer p)
{
    FwCfgFile *f = p;

    g_free(f->name);
    g_bytes_unref(f->data);
    g_free(f);
}

void fw_cfg_add_bytes(FwCfg *s, uint16_t key, GBytes *data)
{
    g_hash_table_insert(s->items, GUINT_TO_POINTER(key), g_bytes_ref(data));
}

static void add_value(FwCfg *s, uint16_t key, uint64_t value, unsigned size)
{
    uint64_t le = GUINT64_TO_LE(value);
    g_autoptr(GBytes) data = g_bytes_new(&le, size);

    fw_cfg_add_bytes(s, key, data);
}

void fw_cfg_add_i16(FwCfg *s, uint16_t key, uint16_t value)
{
    add_value(s, key, value, 2);
}

void fw_cfg_add_i32(FwCfg *s, uint16_t key, uint32_t value)
{
    add_value(s, key, value, 4);
}

void fw_cfg_add_i64(FwCfg *s, uint16_t key, uint64_t value)
{
    add_value(s, key, value, 8);
}

static void made_item_free(gpointer p)
{
    MadeItem *m = p;

    m->destroy(m->opaque);
    g_clear_pointer(&m->data, g_bytes_unref);
    g_free(m);
}

void fw_cfg_add_made(FwCfg *s, uint16_t key, GBytes *(*make)(void *opaque), void *opaque,
                     GDestroyNotify destroy)
{
    MadeItem *m = g_new(MadeItem, 1);

    *m = (MadeItem){ make, opaque, destroy, NULL };
    g_hash_table_insert(s->made, GUINT_TO_POINTER(key), m);
}

GBytes *fw_cfg_find(FwCfg *s, uint16_t key)
{
    MadeItem *m = g_hash_table_lookup(s->made, GUINT_TO_POINTER(key));

    if (m) {
        if (!m->data)
            m->data = m->make(m->opaque);
        return m->data;
    }
    if (key >= FW_CFG_FILE_FIRST && key - FW_CFG_FILE_FIRST < s->files->len) {
        FwCfgFile *f = g_ptr_array_index(s->files, key - FW_CFG_FILE_FIRST);
        return f->data;
    }
    return g_hash_table_lookup(s->items, GUINT_TO_POINTER(key));
}

static FwCfgFile *find_file(FwCfg *s, const char *name)
{
    for (guint i = 0; i < s->files->len; i++) {
        FwCfgFile *f = g_ptr_array_index(s->files, i);
        if (g_str_equal(f->name, name))
            return f;
    }
    return NULL;
}

GBytes *fw_cfg_find_file(FwCfg *s, const char *name)
{
    FwCfgFile *f = find_file(s, name);

    return f ? f->data : NULL;
}

static gint compare_files(gconstpointer a, gconstpointer b)
{
    return strcmp((*(FwCfgFile *const *)a)->name, (*(FwCfgFile *const *)b)->name);
}

static void append_be32(GByteArray *out, uint32_t value)
{
    uint32_t be = GUINT32_TO_BE(value);

    g_byte_array_append(out, (const uint8_t *)&be, sizeof(be));
}

/* The directory: count, then size, key, reserved, name of each; all big-endian. */
static void rebuild_directory(FwCfg *s)
{
    GByteArray *dir = g_byte_array_new();

    append_be32(dir, s->files->len);
    for (guint i = 0; i < s->files->len; i++) {
        FwCfgFile *f = g_ptr_array_index(s->files, i);
        char name[FW_CFG_NAME_MAX] = "";

        append_be32(dir, g_bytes_get_size(f->data));
        append_be32(dir, (FW_CFG_FILE_FIRST + i) << 16);
        g_strlcpy(name, f->name, sizeof(name));
        g_byte_array_append(dir, (const uint8_t *)name, sizeof(name));
    }
    g_autoptr(GBytes) data = g_byte_array_free_to_bytes(dir);
    fw_cfg_add_bytes(s, FW_CFG_FILE_DIR, data);
}

bool fw_cfg_add_user_file(FwCfg *s, const char *name, GBytes *data, GError **error)
{
    const char *wrong = NULL;

    if (!name[0])
        wrong = "has an empty name";
    else if (strlen(name) >= FW_CFG_NAME_MAX)
        wrong = "has a name longer than 55 characters";
    else if (fw_cfg_find_file(s, name))
        wrong = "exists already";
    else if (s->files->len >= FW_CFG_MAX_FILES)
        wrong = "is one too many";
    if (wrong) {
        error_set(error, "fw_cfg file '%s' %s", name, wrong);
        return false;
    }
    fw_cfg_add_file(s, name, data);
    return true;
}

void fw_cfg_each_file(FwCfg *s, void (*f)(void *opaque, const char *name, size_t size),
                      void *opaque)
{
    for (guint i = 0; i < s->files->len; i++) {
        const FwCfgFile *file = s->files->pdata[i];

        f(opaque, file->name, g_bytes_get_size(file->data));
    }
}

void fw_cfg_add_file(FwCfg *s, const char *name, GBytes *data)
{
    FwCfgFile *f = g_new0(FwCfgFile, 1);

    g_assert(strlen(name) < FW_CFG_NAME_MAX && !fw_cfg_find_file(s, name));
    g_assert(s->files->len < FW_CFG_MAX_FILES);
    f->name = g_strdup(name);
    f->data = g_bytes_ref(data);
    g_ptr_array_add(s->files, f);
    g_ptr_array_sort(s->files, compare_files);
    rebuild_directory(s);
}

void fw_cfg_add_writable_file(FwCfg *s, const char *name, uint8_t *data, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(data, size);

    fw_cfg_add_file(s, name, bytes);
    find_file(s, name)->writable = data;
}

void fw_cfg_put_file(FwCfg *s, const char *name, GBytes *data)
{
    FwCfgFile *f = find_file(s, name);

    if (!f) {
        fw_cfg_add_file(s, name, data);
        return;
    }
    g_bytes_unref(f->data);
    f->data = g_bytes_ref(data);
    rebuild_directory(s);
}

/* ---- Ports ---------------------------------------------------------------------------------- */

static void select_item(FwCfg *s, uint16_t key)
{
    MadeItem *m = g_hash_table_lookup(s->made, GUINT_TO_POINTER(s->selected));

    if (m && key != s->selected)
        g_clear_pointer(&m->data, g_bytes_unref);
    trace(fw_cfg_select, "key 0x%04x", key);
    s->selected = key;
    s->offset = 0;
}

/* What is left of the selected item: *@len bytes. */
static const uint8_t *rest_of_item(FwCfg *s, gsize *len)
{
    GBytes *item = fw_cfg_find(s, s->selected);
    const uint8_t *data = item ? g_bytes_get_data(item, len) : NULL;

    if (!item || s->offset >= *len) {
        *len = 0;
        return NULL;
    }
    *len -= s->offset;
    return data + s->offset;
}

static void advance(FwCfg *s, uint32_t len)
{
    s->offset = MIN((uint64_t)s->offset + len, UINT32_MAX);
}

static uint64_t ports_read(void *opaque, uint64_t addr, unsigned size)
{
    FwCfg *s = opaque;
    const uint8_t *rest;
    gsize left;

    if (addr != 1)
        return 0;
    rest = rest_of_item(s, &left);
    advance(s, 1);
    return left ? *rest : 0;
}

static void ports_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    FwCfg *s = opaque;

    if (addr == 0 && size == 2)
        select_item(s, value);
    else
        log_guest_error("fw_cfg: write of %u bytes at offset %u ignored\n", size, (unsigned)addr);
}

static const MemOps ports_ops = { ports_read, ports_write, .min_size = 1, .max_size = 2 };

/* ---- DMA ------------------------------------------------------------------------------------ */

/* The next @len bytes of the item, then zeros. */
static bool dma_copy(FwCfg *s, uint64_t addr, uint32_t len)
{
    static const uint8_t zeros[65536];
    gsize left, part;
    const uint8_t *rest = rest_of_item(s, &left);

    if (addr + len < addr)
        return false;
    advance(s, len);
    part = MIN(left, len);
    if (part)
        address_space_write_bytes(s->memory, addr, rest, part);
    for (addr += part, len -= part; len; addr += part, len -= part) {
        part = MIN(len, sizeof(zeros));
        address_space_write_bytes(s->memory, addr, zeros, part);
    }
    return true;
}

/* The next @len bytes of the item become those at @addr. */
static bool dma_store(FwCfg *s, uint64_t addr, uint32_t len)
{
    unsigned n = s->selected - FW_CFG_FILE_FIRST;
    const FwCfgFile *f =
        s->selected >= FW_CFG_FILE_FIRST && n < s->files->len ? s->files->pdata[n] : NULL;
    gsize left;

    rest_of_item(s, &left);
    if (!f || !f->writable || len > left) {
        log_guest_error("fw_cfg: write to item 0x%x refused\n", s->selected);
        return false;
    }
    address_space_read_bytes(s->memory, addr, f->writable + s->offset, len);
    advance(s, len);
    return true;
}

/* Run the request whose descriptor { be32 control, be32 length, be64 address } is at dma_addr. */
static void dma_run(FwCfg *s)
{
    struct {
        uint32_t control, length;
        uint64_t address;
    } req;
    uint64_t at = s->dma_addr;
    uint32_t control, length, status = 0;

    s->dma_addr = 0;
    address_space_read_bytes(s->memory, at, &req, sizeof(req));
    control = GUINT32_FROM_BE(req.control);
    length = GUINT32_FROM_BE(req.length);
    if (control & DMA_SELECT)
        select_item(s, control >> 16);
    if (control & DMA_READ) {
        if (!dma_copy(s, GUINT64_FROM_BE(req.address), length))
            status = DMA_ERROR;
    } else if (control & DMA_WRITE) {
        if (!dma_store(s, GUINT64_FROM_BE(req.address), length))
            status = DMA_ERROR;
    } else if (control & DMA_SKIP) {
        advance(s, length);
    }
    status = GUINT32_TO_BE(status);
    address_space_write_bytes(s->memory, at, &status, sizeof(status));
}

static uint64_t dma_read(void *opaque, uint64_t addr, unsigned size)
{
    uint64_t value = 0;

    memcpy(&value, dma_signature + addr, size);
    return GUINT64_FROM_LE(value);
}

static void dma_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    FwCfg *s = opaque;

    if (size == 8 && addr == 0) {
        s->dma_addr = GUINT64_SWAP_LE_BE(value);
        dma_run(s);
    } else if (size == 4 && addr == 0) {
        s->dma_addr = (uint64_t)GUINT32_SWAP_LE_BE((uint32_t)value) << 32;
    } else if (size == 4 && addr == 4) {
        s->dma_addr |= GUINT32_SWAP_LE_BE((uint32_t)value);
        dma_run(s);
    } else {
        log_guest_error("fw_cfg: DMA address written in %u bytes\n", size);
    }
}

static const MemOps dma_ops = { dma_read, dma_write, .min_size = 1, .max_size = 8 };

/* ---- Device --------------------------------------------------------------------------------- */

static bool realize(Device *dev, GError **error)
{
    FwCfg *s = (FwCfg *)dev;

    memory_init_io(&s->ports, "fwcfg", &ports_ops, s, 2);
    memory_init_io(&s->dma, "fwcfg.dma", &dma_ops, s, 8);
    memory_add(s->parent_ports, FW_CFG_IO_BASE, 0, &s->ports);
    memory_add(s->parent_ports, FW_CFG_DMA_BASE, 0, &s->dma);
    return true;
}

static void unrealize(Device *dev)
{
    FwCfg *s = (FwCfg *)dev;

    memory_destroy(&s->ports);
    memory_destroy(&s->dma);
    g_hash_table_destroy(s->items);
    g_hash_table_destroy(s->made);
    g_ptr_array_free(s->files, true);
    s->items = s->made = NULL;
    s->files = NULL;
}

static void reset_enter(Device *dev)
{
    FwCfg *s = (FwCfg *)dev;

    select_item(s, 0);
    s->dma_addr = 0;
}

static const StateField fw_cfg_state[] = {
    STATE_U16(FwCfg, selected),
    STATE_U32(FwCfg, offset),
    STATE_U64(FwCfg, dma_addr),
    STATE_END,
};

const DeviceClass fw_cfg_class = {
    .name = "fw_cfg",
    .desc = "firmware configuration interface",
    .size = sizeof(FwCfg),
    .state = fw_cfg_state,
    .realize = realize,
    .unrealize = unrealize,
    .reset_enter = reset_enter,
};

FwCfg *fw_cfg_new(Device *parent, MemRegion *ports, AddressSpace *memory)
{
    FwCfg *s = (FwCfg *)device_new(&fw_cfg_class, parent, NULL);
    g_autoptr(GBytes) signature = g_bytes_new_static("QEMU", 4);

    s->parent_ports = ports;
    s->memory = memory;
    s->items = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_bytes_unref);
    s->made = g_hash_table_new_full(NULL, NULL, NULL, made_item_free);
    s->files = g_ptr_array_new_with_free_func(file_free);
    fw_cfg_add_bytes(s, FW_CFG_SIGNATURE, signature);
    fw_cfg_add_i32(s, FW_CFG_ID, INTERFACE_TRADITIONAL | INTERFACE_DMA);
    rebuild_directory(s);
    return s;
}
