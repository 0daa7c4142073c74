/* SPDX-License-Identifier: MIT */
/*
 * "etc/vmcoreinfo": 16 bytes, little-endian: formats that we and the guest know, size and address
 * of the guest's note. Spec: "VMCoreInfo device" of QEMU's documentation.
 */
#include "hw/vmcoreinfo.h"

#include <string.h>

#include "softmmu/bytes.h"

enum { HOST_FORMAT = 0, GUEST_FORMAT = 2, SIZE = 4, ADDRESS = 8, BYTES = 16 };
enum { FORMAT_ELF = 1 };

typedef struct VmCoreInfo {
    Device dev;
    FwCfg *fw;
    uint8_t data[BYTES];
} VmCoreInfo;

bool vmcoreinfo_find(const Device *dev, uint64_t *addr, uint32_t *size)
{
    const VmCoreInfo *s = (const VmCoreInfo *)dev;

    *addr = get_le(s->data + ADDRESS, 8);
    *size = get_le(s->data + SIZE, 4);
    return get_le(s->data + GUEST_FORMAT, 2) == FORMAT_ELF;
}

static bool realize(Device *dev, GError **error)
{
    VmCoreInfo *s = (VmCoreInfo *)dev;

    fw_cfg_add_writable_file(s->fw, "etc/vmcoreinfo", s->data, sizeof(s->data));
    return true;
}

static void reset_enter(Device *dev)
{
    VmCoreInfo *s = (VmCoreInfo *)dev;

    memset(s->data, 0, sizeof(s->data));
    put_le(s->data + HOST_FORMAT, 2, FORMAT_ELF);
}

static const StateField vmcoreinfo_state[] = { STATE_BYTES(VmCoreInfo, data), STATE_END };

const DeviceClass vmcoreinfo_class = {
    .name = "vmcoreinfo",
    .desc = "where the guest tells of its crash note",
    .size = sizeof(VmCoreInfo),
    .state = vmcoreinfo_state,
    .state_version = 1,
    .realize = realize,
    .reset_enter = reset_enter,
};

Device *vmcoreinfo_new(Device *parent, FwCfg *fw)
{
    VmCoreInfo *s = (VmCoreInfo *)device_new(&vmcoreinfo_class, parent, NULL);

    s->fw = fw;
    return &s->dev;
}
