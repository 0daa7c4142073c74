/* SPDX-License-Identifier: MIT */
/*
 * The PC board as a schematic: which chip sits where and whose line goes to whom.
 *
 * RAM: all of it below 4 GiB if it is less than 3.5 GiB, else 3 GiB there and the rest from 4 GiB
 * up, so that PCI memory has a gigabyte. Firmware: the image ends at 4 GiB, its last 128 KiB show
 * at 0xe0000 as well. Missing: USB, PC speaker output, PAM-independent
 * option ROM area.
 */
#include "hw/pc.h"

#include "hw/apic.h"
#include "hw/cpu-hotplug.h"
#include "hw/debug-devices.h"
#include "hw/fdc.h"
#include "hw/gsi.h"
#include "hw/hpet.h"
#include "hw/i440fx.h"
#include "hw/i8042.h"
#include "hw/i8237.h"
#include "hw/i8254.h"
#include "hw/i8259.h"
#include "hw/ioapic.h"
#include "hw/mc146818.h"
#include "hw/parallel.h"
#include "hw/pc-internal.h"
#include "hw/pci-hotplug.h"
#include "hw/piix3-ide.h"
#include "hw/piix3.h"
#include "hw/piix4-pm.h"
#include "hw/port92.h"
#include "hw/serial16550.h"
#include "hw/vmgenid.h"
#include "hw/vmport.h"
#include "softmmu/error.h"

#define CMOS_RESET_CODE 0x0f
#define RESET_CODE_S3   0xfe
#define LOW_RAM_LIMIT   0xe0000000ULL /* from here on the hole takes a gigabyte */
#define LOW_RAM_SPLIT   0xc0000000ULL

static const StateField irq_or_state[] = { STATE_BYTES(IrqOr, level), STATE_END };

static const StateField pc_state[] = {
    STATE_STRUCT_ARRAY(PcBoard, serial_irq, irq_or_state),
    STATE_U16(PcBoard, wake_events),
    STATE_U8(PcBoard, boots),
    STATE_END,
};

static void pc_post_load(Device *dev)
{
    pc_tell_cpus((PcBoard *)dev);
}

/* What -boot once= says is for the first time only; disks and cards may have come. */
static void pc_reset_exit(Device *dev)
{
    PcBoard *b = (PcBoard *)dev;

    if (b->boots < 2 && ++b->boots == 2 && b->m->config->boot_once)
        pc_forget_boot_once(b);
    pc_tell_boot_order(b);
}

static const DeviceClass pc_class = {
    .name = "pc",
    .size = sizeof(PcBoard),
    .state = pc_state,
    .state_version = 2,
    .reset_exit = pc_reset_exit,
    .post_load = pc_post_load,
};

static PcBoard *board_of(Machine *m)
{
    return m->board.opaque;
}

uint64_t pc_ram_below_4g(const MachineConfig *c)
{
    uint64_t most = c->max_ram_below_4g ? c->max_ram_below_4g : LOW_RAM_LIMIT;

    return c->ram_size >= MIN(most, LOW_RAM_LIMIT) ? MIN(most, LOW_RAM_SPLIT) : c->ram_size;
}

/* ---- Lines that leave the board ------------------------------------------------------------- */

static void reset_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    if (level)
        machine_request(b->m, REQUEST_RESET);
}

static void shutdown_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    if (level)
        machine_request(b->m, REQUEST_SHUTDOWN);
}

static void suspend_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    if (!level)
        return;
    rtc_set_cmos(b->rtc, CMOS_RESET_CODE, RESET_CODE_S3); /* so that firmware knows */
    machine_request(b->m, REQUEST_SUSPEND);
}

/* 0: an event that PM1 does not tell of. */
static void wake(PcBoard *b, uint16_t event)
{
    if (b->m->state != RUN_SUSPENDED)
        return;
    b->wake_events |= event;
    machine_request(b->m, REQUEST_WAKEUP);
}

/* The RTC's output, on its way to the interrupt controllers. */
static void rtc_changed(void *opaque, int64_t offset_s)
{
    machine_emit(((PcBoard *)opaque)->m, "RTC_CHANGE",
                 "{\"offset\": %" G_GINT64_FORMAT ", \"qom-path\": \"/machine/rtc\"}", offset_s);
}

static void rtc_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    irq_set(gsi_lines(b->gsi, GSI_ISA) + 8, level);
    if (level && b->pm && piix4_pm_may_wake(b->pm, PIIX4_PM_RTC))
        wake(b, PIIX4_PM_RTC);
}

static void key_line(void *opaque, int n, int level)
{
    if (level)
        wake(opaque, 0);
}

static void a20_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    b->m->cpus->set_a20(b->m->cpus->opaque, level);
}

static void ignne_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    b->m->cpus->set_ignne(b->m->cpus->opaque, level);
}

/* To the first CPU alone: firmware of this board gives no other an SMBASE of its own. */
static void smi_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    if (level)
        b->m->cpus->raise_smi(b->m->cpus->opaque, 0);
}

/* A CPU has come or is to go. */
static void cpu_event_line(void *opaque, int n, int level)
{
    PcBoard *b = opaque;

    if (b->pm)
        piix4_pm_set_gpe(b->pm, CPU_HOTPLUG_GPE, level);
}

/* The same of a PCI slot. */
static void pci_event_line(void *opaque, int n, int level)
{
    piix4_pm_set_gpe(((PcBoard *)opaque)->pm, PCI_HOTPLUG_GPE, level);
}

static void generation_event_line(void *opaque, int n, int level)
{
    piix4_pm_set_gpe(((PcBoard *)opaque)->pm, VMGENID_GPE, level);
}

static void or_input(void *opaque, int n, int level)
{
    IrqOr *o = opaque;

    o->level[n] = level != 0;
    irq_set(o->out, o->level[0] | o->level[1]);
}

static void or_init(IrqOr *o, const Irq *out)
{
    irq_init(o->in, 2, or_input, o);
    o->out = out;
}

/* ---- What the CPUs ask of the board --------------------------------------------------------- */

static int acknowledge(void *opaque, unsigned n)
{
    return apic_set_acknowledge(((PcBoard *)opaque)->apics, n);
}

static bool read_msr(void *opaque, unsigned n, uint32_t msr, uint64_t *value)
{
    return apic_set_read_msr(((PcBoard *)opaque)->apics, n, msr, value);
}

static bool write_msr(void *opaque, unsigned n, uint32_t msr, uint64_t value)
{
    return apic_set_write_msr(((PcBoard *)opaque)->apics, n, msr, value);
}

static uint8_t get_tpr(void *opaque, unsigned n)
{
    return apic_set_get_tpr(((PcBoard *)opaque)->apics, n);
}

static void set_tpr(void *opaque, unsigned n, uint8_t tpr)
{
    apic_set_set_tpr(((PcBoard *)opaque)->apics, n, tpr);
}

static void set_tsc_deadline(void *opaque, unsigned n, int64_t deadline_ns)
{
    apic_set_set_tsc_deadline(((PcBoard *)opaque)->apics, n, deadline_ns);
}

static bool has_tsc_deadline(void *opaque, unsigned n)
{
    return apic_set_has_tsc_deadline(((PcBoard *)opaque)->apics, n);
}

static void apic_reset(void *opaque, unsigned n, bool init)
{
    apic_set_reset(((PcBoard *)opaque)->apics, n, init);
}

static void ferr(void *opaque, int level)
{
    ferr_set(((PcBoard *)opaque)->ferr, level);
}

static void eoi_wake(void *opaque, unsigned n)
{
    /* The APICs deliver what an EOI uncovers by themselves. */
}

static const BoardOps pc_board_ops = {
    .acknowledge = acknowledge,
    .apic_read_msr = read_msr,
    .apic_write_msr = write_msr,
    .apic_get_tpr = get_tpr,
    .apic_set_tpr = set_tpr,
    .apic_set_tsc_deadline = set_tsc_deadline,
    .apic_has_tsc_deadline = has_tsc_deadline,
    .apic_reset = apic_reset,
    .ferr = ferr,
    .eoi_wake = eoi_wake,
};

/* ---- Wiring --------------------------------------------------------------------------------- */

/* What else RAM is made of. It means nothing to the guest: a replay does without. */
static bool back_memory(RamBlock *ram, const MachineConfig *c, GError **error)
{
    uint64_t at = 0;

    for (guint i = 0; c->ram_parts && !c->replaying && i < c->ram_parts->len; i++) {
        const MemoryBackend *part = c->ram_parts->pdata[i];

        if (!ram_block_back(ram, at, part->size, &part->backing, error)) {
            g_prefix_error(error, "-object memory-backend,id=%s: ", part->id);
            return false;
        }
        at += part->size;
    }
    return true;
}

/* RAM, host bridge and the PCI bus. */
static bool create_memory(PcBoard *b, GError **error)
{
    Machine *m = b->m;
    RamBlock *ram = ram_block_new(m->ram, "pc.ram", m->config->ram_size, error);

    if (!ram || !back_memory(ram, m->config, error))
        return false;
    b->below_4g = pc_ram_below_4g(m->config);
    b->above_4g = ram->size - b->below_4g;
    I440fxWiring w = {
        .memory = &m->memory_root,
        .io = &m->io_root,
        .memory_space = m->memory,
        .ram_set = m->ram,
        .ram = ram,
        .below_4g = b->below_4g,
        .above_4g = b->above_4g,
    };
    b->bridge = i440fx_new(&b->dev, &w, error);
    if (!b->bridge)
        return false;
    m->smm_memory = i440fx_smm_memory(b->bridge);
    m->smm_code = i440fx_smm_code(b->bridge);
    b->pci = i440fx_bus(b->bridge);
    b->pci_memory = i440fx_pci_memory(b->bridge);
    return true;
}

/* What functions on the bus send instead of interrupts: for the APICs, or plain memory writes. */
static void send_msi(void *opaque, uint64_t addr, uint32_t data)
{
    PcBoard *b = opaque;

    if (addr >> 20 == APIC_DEFAULT_BASE >> 20)
        apic_set_msi(b->apics, addr, data);
    else
        address_space_write(b->m->memory, addr, data, 4);
}

/* APICs, 8259s, I/O APIC and the 24 lines in front of them. */
static void create_interrupts(PcBoard *b)
{
    Machine *m = b->m;

    b->apics = apic_set_new(&b->dev, m->cpus, m->clock, &m->memory_root);
    if (!m->config->no_pic) {
        b->pic = i8259_new(&b->dev, &m->io_root, apic_set_lint0(b->apics));
        apic_set_connect_extint(b->apics, i8259_inta, b->pic);
    }
    b->ioapic = ioapic_new(&b->dev, &m->memory_root, IOAPIC_DEFAULT_BASE, apic_set_bus(b->apics));
    apic_set_connect_eoi(b->apics, ioapic_eoi, b->ioapic);
    b->gsi = gsi_new(&b->dev, b->pic, b->ioapic);
    pci_bus_set_msi(b->pci, &(PciMsi){ send_msi, b });
}

/* PIIX3 at 00:01.0, its IDE controller and power management at 00:01.3. */
static void create_south_bridge(PcBoard *b)
{
    Machine *m = b->m;
    Piix4PmWiring pm = {
        .ports = &m->io_root,
        .clock = m->clock,
        .sci = gsi_lines(b->gsi, GSI_SCI) + PIIX4_PM_SCI,
        .smi = &b->smi,
        .shutdown = &b->shutdown,
        .suspend = &b->suspend,
        .smm = m->config->smm,
    };

    Irq *isa = gsi_lines(b->gsi, GSI_ISA);
    Piix3IdeWiring ide = { .ports = &m->io_root,
                           .memory = m->memory,
                           .irq = { isa + 14, isa + 15 } };

    piix3_new(b->bridge, gsi_lines(b->gsi, GSI_PIRQ), &b->reset);
    b->ide = piix3_ide_new(b->pci, &ide);
    if (!m->config->no_acpi)
        b->pm = piix4_pm_new(b->pci, &pm);
}

/* The keyboard controller and what came with its signals: port 0x92, VMware's backdoor. */

static void create_keyboard_controller(PcBoard *b)
{
    const MachineConfig *c = b->m->config;
    Irq *isa = gsi_lines(b->gsi, GSI_ISA);
    VmportWiring port = {
        .ports = &b->m->io_root, .cpus = b->m->cpus, .ram_size = c->ram_size, .uuid = c->uuid_bytes
    };

    b->port92 = port92_new(&b->dev, &b->m->io_root, &b->a20, &b->reset);
    I8042Wiring w = {
        .ports = &b->m->io_root,
        .keyboard_irq = isa + 1,
        .mouse_irq = isa + 12,
        .a20 = port92_kbc_a20(b->port92),
        .reset = &b->reset,
        .key = &b->key,
        .hid = b->m->hid,
    };

    b->i8042 = i8042_new(&b->dev, &w);
    if (!c->no_vmport)
        vmport_new(&b->dev, &port);
}

static void create_serial(PcBoard *b)
{
    static const struct {
        uint16_t base;
        uint8_t shared; /* which of the two OR gates */
    } ports[MACHINE_MAX_SERIAL] = { { 0x3f8, 0 }, { 0x2f8, 1 }, { 0x3e8, 0 }, { 0x2e8, 1 } };
    Irq *isa = gsi_lines(b->gsi, GSI_ISA);
    Machine *m = b->m;

    or_init(&b->serial_irq[0], isa + 4);
    or_init(&b->serial_irq[1], isa + 3);
    for (int i = 0; i < MACHINE_MAX_SERIAL; i++) {
        Irq *irq = &b->serial_irq[ports[i].shared].in[i / 2];
        if (m->serial[i])
            serial16550_new(&b->dev, &m->io_root, ports[i].base, m->clock, irq, m->serial[i]);
    }
}

/* The ISA devices, by port. */
static void create_isa_devices(PcBoard *b)
{
    Machine *m = b->m;
    MemRegion *io = &m->io_root;
    Irq *isa = gsi_lines(b->gsi, GSI_ISA);

    b->dma = i8237_new(&b->dev, io, m->memory);
    if (!m->config->no_pit)
        i8254_new(&b->dev, io, m->clock, isa + 0);
    b->rtc = mc146818_new(&b->dev, io, m->clock, m->config->rtc_base_s, &b->rtc_alarm);
    rtc_set_changed(b->rtc, rtc_changed, b);
    port80_new(&b->dev, io);
    if (!m->config->no_i8042)
        create_keyboard_controller(b);
    b->fdc = fdc_new(&b->dev, io, isa + 6, b->dma);
    b->ferr = ferr_new(&b->dev, io, isa + 13, &b->ignne);
    create_serial(b);
    if (m->parallel)
        parallel_new(&b->dev, io, PARALLEL_BASE, isa + PARALLEL_IRQ, m->parallel);
    if (m->config->hpet)
        hpet_new(&b->dev, &m->memory_root, HPET_DEFAULT_BASE, m->clock, gsi_lines(b->gsi, GSI_HPET),
                 gsi_legacy_replacement(b->gsi));
    b->fw_cfg = fw_cfg_new(&b->dev, io, m->memory);
}

bool pc_realize_tree(Device *dev, GError **error)
{
    if (!dev->realized && !device_realize(dev, error))
        return false;
    for (guint i = 0; dev->children && i < dev->children->len; i++) {
        if (!pc_realize_tree(dev->children->pdata[i], error))
            return false;
    }
    return true;
}

static bool create(PcBoard *b, GError **error)
{
    irq_init(&b->reset, 1, reset_line, b);
    irq_init(&b->shutdown, 1, shutdown_line, b);
    irq_init(&b->suspend, 1, suspend_line, b);
    irq_init(&b->a20, 1, a20_line, b);
    irq_init(&b->ignne, 1, ignne_line, b);
    irq_init(&b->smi, 1, smi_line, b);
    irq_init(&b->rtc_alarm, 1, rtc_line, b);
    irq_init(&b->key, 1, key_line, b);
    irq_init(&b->cpu_event, 1, cpu_event_line, b);
    irq_init(&b->pci_event, 1, pci_event_line, b);
    irq_init(&b->generation_event, 1, generation_event_line, b);

    if (!create_memory(b, error))
        return false;
    create_interrupts(b);
    create_south_bridge(b);
    create_isa_devices(b);
    pc_create_cpu_sockets(b);
    if (b->pm)
        pc_create_pci_slots(b);
    return pc_create_vga(b, error) && pc_create_drives(b, error) && pc_create_nics(b, error) &&
           pc_create_option_devices(b, error) && pc_realize_tree(&b->dev, error) &&
           pc_place_bios(b, error) && pc_fill_cmos(b, error) && pc_fill_fw_cfg(b, error);
}

bool pc_board_create(Machine *m, GError **error)
{
    PcBoard *b = (PcBoard *)device_new(&pc_class, m->root, NULL);
    bool ok;

    b->m = m;
    m->board = pc_board_ops;
    m->board.opaque = b;
    memory_begin(m->memory);
    memory_begin(m->io);
    ok = create(b, error);
    memory_commit(m->io);
    memory_commit(m->memory);
    if (ok) {
        b->built = true;
        pc_plugs_begin(b);
    } else {
        pc_board_free(m);
    }
    return ok;
}

void pc_board_free(Machine *m)
{
    PcBoard *b = board_of(m);

    memory_begin(m->memory);
    memory_begin(m->io);
    if (b->isa_bios.size)
        memory_destroy(&b->isa_bios);
    if (b->bios.size)
        memory_destroy(&b->bios);
    m->smm_memory = m->smm_code = NULL;
    pc_forget_boot_devices(b);
    pc_plugs_end(b);
    device_free(&b->dev);
    memory_commit(m->io);
    memory_commit(m->memory);
    m->board = (BoardOps){ 0 };
}

void pc_powerdown(Machine *m)
{
    PcBoard *b = board_of(m);

    if (m->state == RUN_SUSPENDED)
        wake(b, PIIX4_PM_BUTTON);
    else if (b->pm)
        piix4_pm_powerdown(b->pm);
}

void pc_wakeup(Machine *m)
{
    PcBoard *b = board_of(m);
    uint16_t events = b->wake_events;
    uint8_t pam[I440FX_PAM_BYTES];

    i440fx_get_pam(b->bridge, pam);
    device_reset(m->root);
    i440fx_set_pam(b->bridge, pam);
    piix4_pm_wakeup(b->pm, events);
    b->wake_events = 0;
}

const char *pc_cpu_id(Machine *m, unsigned n)
{
    return cpu_hotplug_id(board_of(m)->sockets, n);
}

void pc_print_ioapic(Machine *m, GString *out)
{
    ioapic_print(board_of(m)->ioapic, out);
    if (board_of(m)->pic)
        i8259_print(board_of(m)->pic, out);
}

void pc_print_lapic(Machine *m, unsigned n, GString *out)
{
    apic_set_print(board_of(m)->apics, n, out);
}

bool pc_set_boot_order(Machine *m, const char *order, GError **error)
{
    return pc_fill_boot_order(board_of(m), order, error);
}
