/* SPDX-License-Identifier: MIT */
/*
 * VMware's backdoor, as guests know it from VMware's "Mechanisms to determine if software is
 * running in a VMware virtual machine" and open-vm-tools: EAX has a magic number, the low half of
 * ECX a command, EBX its argument; an access of the port, to read or to write, of any size, puts
 * results into the registers. What QEMU 7.2 answers is answered, the same way: an unknown command,
 * or another number in EAX, gives EAX = -1.
 *
 * Missing: the commands of VMware's mouse, and GETHZ, which says so.
 */
#include "hw/vmport.h"

#include "softmmu/bytes.h"

#define MAGIC 0x564d5868 /* "VMXh" */
#define SIZE  4          /* so that a wide access is one; only at its first port */

enum {
    CMD_GET_VERSION = 10,
    CMD_GET_BIOS_UUID = 19,
    CMD_GET_RAM_SIZE = 20,
    CMD_GET_HZ = 45,
    CMD_GET_VCPU_INFO = 68,
};

enum {
    VERSION = 6,
    PRODUCT = 2,           /* ESX, of VMware's */
    RAM_SIZE_ARG = 0x1177, /* what EBX has after it */
    VCPU_LEGACY_X2APIC = 1 << 3,
};

typedef struct Vmport {
    Device dev;
    VmportWiring w;
    MemRegion region;
} Vmport;

static void run_command(const Vmport *s, CpuRegs *r)
{
    switch (r->ecx & 0xffff) {
    case CMD_GET_VERSION:
        r->eax = VERSION;
        r->ebx = MAGIC;
        r->ecx = PRODUCT;
        break;
    case CMD_GET_BIOS_UUID:
        r->eax = get_le(s->w.uuid, 4);
        r->ebx = get_le(s->w.uuid + 4, 4);
        r->ecx = get_le(s->w.uuid + 8, 4);
        r->edx = get_le(s->w.uuid + 12, 4);
        break;
    case CMD_GET_RAM_SIZE:
        r->eax = s->w.ram_size;
        r->ebx = RAM_SIZE_ARG;
        break;
    case CMD_GET_HZ: r->ebx = UINT32_MAX; break; /* not known; EAX stays */
    case CMD_GET_VCPU_INFO: r->eax = s->w.cpus->x2apic ? VCPU_LEGACY_X2APIC : 0; break;
    default: r->eax = UINT32_MAX;
    }
}

/* Nobody's registers are looked at where a monitor asks. */
static uint64_t vmport_read(void *opaque, uint64_t addr, unsigned size)
{
    const Vmport *s = opaque;
    const CpuBus *cpus = s->w.cpus;
    CpuRegs r;

    if (addr || !cpus->get_regs(cpus->opaque, &r))
        return UINT32_MAX;
    if (r.eax == MAGIC)
        run_command(s, &r);
    else
        r.eax = UINT32_MAX;
    cpus->set_regs(cpus->opaque, &r);
    return r.eax;
}

static void vmport_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    vmport_read(opaque, addr, size);
}

static const MemOps vmport_ops = { vmport_read, vmport_write, 1, 4 };

static bool realize(Device *dev, GError **error)
{
    Vmport *s = (Vmport *)dev;

    memory_init_io(&s->region, "vmport", &vmport_ops, s, SIZE);
    memory_add(s->w.ports, VMPORT_BASE, 0, &s->region);
    return true;
}

static void unrealize(Device *dev)
{
    memory_destroy(&((Vmport *)dev)->region);
}

static const StateField vmport_state[] = { STATE_END };

const DeviceClass vmport_class = {
    .name = "vmport",
    .desc = "VMware's backdoor",
    .size = sizeof(Vmport),
    .state = vmport_state,
    .realize = realize,
    .unrealize = unrealize,
};

Device *vmport_new(Device *parent, const VmportWiring *w)
{
    Vmport *s = (Vmport *)device_new(&vmport_class, parent, NULL);

    s->w = *w;
    return &s->dev;
}
