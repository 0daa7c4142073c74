/* SPDX-License-Identifier: MIT */
/*
 * bootindex= of devices: the list by which firmware orders what it finds, in the words of
 * OpenFirmware (SeaBIOS, "bootorder file"). Changes at run time are missing.
 */
#include "hw/pc-internal.h"
#include "softmmu/error.h"

typedef struct BootDevice {
    uint64_t index;
    char *path;
} BootDevice;

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

bool pc_order_pci(PcBoard *b, const DeviceOption *o, const Device *dev, const char *kind,
                  const char *below, GError **error)
{
    g_autofree char *place = pci_place(dev);
    g_autofree char *path = g_strdup_printf("/pci@i0cf8/%s@%s/%s", kind, place, below);

    return pc_order_device(b, o, path, error);
}

bool pc_order_device(PcBoard *b, const DeviceOption *o, const char *path, GError **error)
{
    const char *text = g_hash_table_lookup(o->props, "bootindex");
    BootDevice own = { 0 };
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
    if (at < b->boot_devices->len &&
        g_array_index(b->boot_devices, BootDevice, at).index == own.index) {
        error_set(error, "The bootindex %s has already been used", text);
        return false;
    }
    own.path = g_strdup(path);
    g_array_insert_val(b->boot_devices, at, own);
    return true;
}

void pc_print_boot_devices(const PcBoard *b, GString *out)
{
    for (guint i = 0; b->boot_devices && i < b->boot_devices->len; i++)
        g_string_append_printf(out, "%s\n", g_array_index(b->boot_devices, BootDevice, i).path);
}

void pc_forget_boot_devices(PcBoard *b)
{
    g_clear_pointer(&b->boot_devices, g_array_unref);
}
