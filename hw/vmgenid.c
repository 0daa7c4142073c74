/* SPDX-License-Identifier: MIT */
/*
 * Spec: "Virtual Machine Generation ID" of Microsoft; where firmware finds the number and is told
 * to put it is as in "VMGENID" of QEMU's documentation (docs/specs). OVMF takes what a page begins
 * with for a table's header, so that the number is not there.
 *
 * A state has the number that its machine had; one that loads it and has another writes that into
 * the guest's memory and tells it. Missing: a change while the machine runs.
 */
#include "hw/vmgenid.h"

#include <string.h>

#include "softmmu/bytes.h"

enum { GUID_BYTES = 16, PAGE = 4096 };

typedef struct VmGenId {
    Device dev;
    FwCfg *fw;
    AddressSpace *memory;
    const Irq *changed;
    uint8_t guid[GUID_BYTES]; /* this machine's */
    /* state */
    uint8_t told[GUID_BYTES]; /* what the guest's memory has, once it is placed */
    uint8_t address[8];       /* of the page; written by firmware */
} VmGenId;

static bool realize(Device *dev, GError **error)
{
    VmGenId *s = (VmGenId *)dev;
    uint8_t page[PAGE] = { 0 };

    memcpy(page + VMGENID_OFFSET, s->guid, GUID_BYTES);
    fw_cfg_add_file(s->fw, VMGENID_FILE, g_bytes_new(page, PAGE));
    fw_cfg_add_writable_file(s->fw, VMGENID_ADDRESS, s->address, sizeof(s->address));
    return true;
}

static void reset_enter(Device *dev)
{
    VmGenId *s = (VmGenId *)dev;

    memset(s->address, 0, sizeof(s->address));
    memcpy(s->told, s->guid, GUID_BYTES);
}

static void post_load(Device *dev)
{
    VmGenId *s = (VmGenId *)dev;
    uint64_t page = get_le(s->address, sizeof(s->address));

    if (!memcmp(s->told, s->guid, GUID_BYTES))
        return;
    memcpy(s->told, s->guid, GUID_BYTES);
    if (!page)
        return;
    address_space_write_bytes(s->memory, page + VMGENID_OFFSET, s->guid, GUID_BYTES);
    irq_set(s->changed, 1);
    irq_set(s->changed, 0);
}

static const StateField vmgenid_state[] = {
    STATE_BYTES(VmGenId, told),
    STATE_BYTES(VmGenId, address),
    STATE_END,
};

const DeviceClass vmgenid_class = {
    .name = "vmgenid",
    .desc = "number of the machine's generation",
    .size = sizeof(VmGenId),
    .state = vmgenid_state,
    .state_version = 1,
    .realize = realize,
    .reset_enter = reset_enter,
    .post_load = post_load,
};

/* In memory the first three numbers of a GUID are little-endian. */
static void swap_fields(uint8_t *out, const uint8_t *guid)
{
    static const uint8_t order[GUID_BYTES] = {
        3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15
    };

    for (unsigned i = 0; i < GUID_BYTES; i++)
        out[i] = guid[order[i]];
}

Device *vmgenid_new(Device *parent, FwCfg *fw, AddressSpace *memory, const uint8_t *guid,
                    const Irq *changed)
{
    VmGenId *s = (VmGenId *)device_new(&vmgenid_class, parent, NULL);

    s->fw = fw;
    s->memory = memory;
    s->changed = changed;
    swap_fields(s->guid, guid);
    return &s->dev;
}

void vmgenid_get(const Device *dev, uint8_t *guid)
{
    swap_fields(guid, ((const VmGenId *)dev)->guid); /* its own inverse */
}
