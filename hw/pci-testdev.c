/* SPDX-License-Identifier: MIT */
/*
 * pci-testdev: a function whose BARs count writes, as PCI test programs want them. Spec:
 * "pci-testdev".
 *
 * Each BAR (0: memory, 1: ports) begins with the header of the chosen test: number (write chooses),
 * width of the write to make, where, what, a count, its name. A write of that value there counts.
 * The tests are named for host mechanisms (eventfd) that make no difference here.
 */
#include "hw/test-devices.h"

#include <string.h>

#include "softmmu/bytes.h"

#define MEMORY_BYTES 4096
#define PORT_BYTES   256
#define NO_TEST      0xff
#define TARGET_BYTE  0xfa

enum { H_TEST = 0, H_WIDTH = 1, H_OFFSET = 4, H_DATA = 8, H_COUNT = 12, H_NAME = 16, H_BYTES = 48 };

static const char *const test_names[] = { "no-eventfd", "wildcard-eventfd", "datamatch-eventfd" };
enum { TESTS = G_N_ELEMENTS(test_names), WILDCARD = 1 };

typedef struct TestBar {
    MemRegion region;
    const char *kind;
    unsigned target; /* offset of the byte that is written to */
    /* state */
    uint8_t test;
    uint32_t count;
} TestBar;

typedef struct PciTestdev {
    PciDevice pci;
    TestBar bar[2];
} PciTestdev;

static void make_header(const TestBar *b, uint8_t *h)
{
    memset(h, 0, H_BYTES);
    h[H_TEST] = b->test;
    h[H_WIDTH] = 1;
    put_le(h + H_OFFSET, 4, b->target);
    h[H_DATA] = b->test == WILDCARD ? 0 : TARGET_BYTE;
    put_le(h + H_COUNT, 4, b->count);
    g_snprintf((char *)h + H_NAME, H_BYTES - H_NAME, "%s-%s", b->kind, test_names[b->test]);
}

static uint64_t testdev_read(void *opaque, uint64_t addr, unsigned size)
{
    const TestBar *b = opaque;
    uint8_t header[H_BYTES];

    if (b->test == NO_TEST || addr + size > H_BYTES)
        return 0;
    make_header(b, header);
    return get_le(header + addr, size);
}

static void testdev_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    TestBar *b = opaque;

    if (addr == H_TEST) {
        b->test = value < TESTS ? value : NO_TEST;
        b->count = 0;
        return;
    }
    if (b->test == NO_TEST || addr != b->target)
        return;
    b->count += b->test == WILDCARD || (size == 1 && value == TARGET_BYTE);
}

static const MemOps testdev_ops = { testdev_read, testdev_write, 1, 4 };

static bool realize(Device *dev, GError **error)
{
    PciTestdev *s = (PciTestdev *)dev;
    const PciIdentity id = { .vendor = 0x1b36, .device = 0x0005, .class_code = 0x00ff00 };

    if (!pci_device_attach(&s->pci, &id, error))
        return false;
    s->bar[0].kind = "mmio";
    s->bar[0].target = 0x800;
    s->bar[1].kind = "portio";
    s->bar[1].target = 0x80;
    memory_init_io(&s->bar[0].region, "pci-testdev-mmio", &testdev_ops, &s->bar[0], MEMORY_BYTES);
    memory_init_io(&s->bar[1].region, "pci-testdev-portio", &testdev_ops, &s->bar[1], PORT_BYTES);
    pci_add_bar(&s->pci, 0, PCI_BAR_MEM32, &s->bar[0].region);
    pci_add_bar(&s->pci, 1, PCI_BAR_IO, &s->bar[1].region);
    return true;
}

static void unrealize(Device *dev)
{
    PciTestdev *s = (PciTestdev *)dev;

    pci_device_detach(&s->pci);
    memory_destroy(&s->bar[0].region);
    memory_destroy(&s->bar[1].region);
}

static void reset_enter(Device *dev)
{
    PciTestdev *s = (PciTestdev *)dev;

    pci_device_reset(dev);
    for (unsigned i = 0; i < 2; i++) {
        s->bar[i].test = NO_TEST;
        s->bar[i].count = 0;
    }
}

/* A saved state may have come from anywhere. */
static void post_load(Device *dev)
{
    PciTestdev *s = (PciTestdev *)dev;

    pci_device_post_load(dev);
    for (unsigned i = 0; i < 2; i++)
        if (s->bar[i].test >= TESTS)
            s->bar[i].test = NO_TEST;
}

static const StateField bar_state[] = {
    STATE_U8(TestBar, test),
    STATE_U32(TestBar, count),
    STATE_END,
};

static const StateField pci_testdev_state[] = {
    STATE_STRUCT(PciTestdev, pci, pci_device_state),
    STATE_STRUCT_ARRAY(PciTestdev, bar, bar_state),
    STATE_END,
};

const DeviceClass pci_testdev_class = {
    .name = "pci-testdev",
    .desc = "BARs that count writes, for test programs",
    .size = sizeof(PciTestdev),
    .state = pci_testdev_state,
    .state_version = 1,
    .realize = realize,
    .unrealize = unrealize,
    .plug = pci_device_plug,
    .reset_enter = reset_enter,
    .reset_hold = pci_device_reset_hold,
    .post_load = post_load,
};

Device *pci_testdev_new(PciBus *bus, int devfn)
{
    return pci_device_new(&pci_testdev_class, bus, devfn, NULL);
}
