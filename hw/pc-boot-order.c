/* SPDX-License-Identifier: MIT */
/*
 * bootindex= of devices: the list by which firmware orders what it finds, in the words of
 * OpenFirmware (SeaBIOS, "bootorder file"). It is made anew at each reset, for devices that come
 * and go; that bootindex changes at run time is missing.
 */
#include <string.h>

#include "hw/kernel-loader.h"
#include "hw/pc-internal.h"
#include "softmmu/error.h"

typedef struct BootDevice {
    uint64_t index;
    char *path;
    /* A PCI function, which may have been taken out, even freed: to be compared; NULL: something
     * fixed. */
    const Device *dev;
    uint8_t devfn;
} BootDevice;

static bool is_there(const PcBoard *b, const BootDevice *d)
{
    return !d->dev || (const Device *)pci_bus_find(b->pci, d->devfn) == d->dev;
}

static void boot_device_clear(void *p)
{
    g_free(((BootDevice *)p)->path);
}

/* "SLOT" or "SLOT,FUNCTION" */
static char *pci_place(const Device *dev)
{
    unsigned devfn = ((const PciDevice *)dev)->devfn;

    return devfn & 7 ? g_strdup_printf("%x,%x", devfn >> 3, devfn & 7)
                     : g_strdup_printf("%x", devfn >> 3);
}

/* From @at on are those of no lower index. */
static bool is_taken(const PcBoard *b, guint at, uint64_t index)
{
    for (; at < b->boot_devices->len; at++) {
        const BootDevice *d = &g_array_index(b->boot_devices, BootDevice, at);

        if (d->index == index && is_there(b, d))
            return true;
    }
    return false;
}

static bool order(PcBoard *b, const DeviceOption *o, const Device *dev, const char *path,
                  GError **error)
{
    const char *text = g_hash_table_lookup(o->props, "bootindex");
    BootDevice own = { .dev = dev, .devfn = dev ? ((const PciDevice *)dev)->devfn : 0 };
    guint at = 0;
    char *end;

    if (!text)
        return true;
    own.index = g_ascii_strtoull(text, &end, 0);
    if (!g_ascii_isdigit(*text) || *end || own.index > INT32_MAX) {
        error_set(error, "bootindex=%s is not a number from 0 to %d", text, INT32_MAX);
        return false;
    }
    if (!b->boot_devices) {
        b->boot_devices = g_array_new(FALSE, FALSE, sizeof(BootDevice));
        g_array_set_clear_func(b->boot_devices, boot_device_clear);
    }
    while (at < b->boot_devices->len &&
           g_array_index(b->boot_devices, BootDevice, at).index < own.index)
        at++;
    if (is_taken(b, at, own.index)) {
        error_set(error, "The bootindex %s has already been used", text);
        return false;
    }
    own.path = g_strdup(path);
    g_array_insert_val(b->boot_devices, at, own);
    return true;
}

bool pc_order_pci(PcBoard *b, const DeviceOption *o, const Device *dev, const char *kind,
                  const char *below, GError **error)
{
    g_autofree char *place = pci_place(dev);
    g_autofree char *path = g_strdup_printf("/pci@i0cf8/%s@%s/%s", kind, place, below);

    return order(b, o, dev, path, error);
}

bool pc_order_device(PcBoard *b, const DeviceOption *o, const char *path, GError **error)
{
    return order(b, o, NULL, path, error);
}

void pc_tell_boot_order(PcBoard *b)
{
    const MachineConfig *c = b->m->config;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GBytes) data = NULL;

    if (c->kernel)
        g_string_append(text, KERNEL_BOOT_DEVICES "\n");
    for (guint i = 0; b->boot_devices && i < b->boot_devices->len; i++) {
        const BootDevice *d = &g_array_index(b->boot_devices, BootDevice, i);

        if (is_there(b, d))
            g_string_append_printf(text, "%s\n", d->path);
    }
    if (c->boot_strict)
        g_string_append(text, "HALT\n");
    if (!text->len && !b->told_boot_order)
        return;
    b->told_boot_order = true;
    if (text->len)
        text->str[text->len - 1] = '\0';
    data = g_bytes_new(text->str, MAX(text->len, 1));
    fw_cfg_put_file(b->fw_cfg, "bootorder", data);
}

void pc_forget_boot_device(PcBoard *b, const Device *dev)
{
    for (guint i = b->boot_devices ? b->boot_devices->len : 0; i-- > 0;)
        if (g_array_index(b->boot_devices, BootDevice, i).dev == dev)
            g_array_remove_index(b->boot_devices, i);
}

void pc_forget_boot_devices(PcBoard *b)
{
    g_clear_pointer(&b->boot_devices, g_array_unref);
}
