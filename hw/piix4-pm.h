/* SPDX-License-Identifier: MIT */
/*
 * Function 3 of the 82371AB (PIIX4): ACPI power management, APM/SMI command port, SMBus host.
 */
#ifndef HW_PIIX4_PM_H
#define HW_PIIX4_PM_H

#include "hw/pci.h"
#include "softmmu/clock.h"

#define PIIX4_PM_GPE0_BASE 0xafe0 /* 4 bytes: 2 of status, 2 of enable */
#define PIIX4_ACPI_ENABLE  0xf1   /* to port 0xb2: SCI_EN set */
#define PIIX4_ACPI_DISABLE 0xf0
#define PIIX4_PM_SCI       9
#define PIIX4_PM_BUTTON    (1 << 8) /* events of PM1 */
#define PIIX4_PM_RTC       (1 << 10)

typedef struct Piix4PmWiring {
    MemRegion *ports; /* I/O root, for 0xb2 and GPE0 */
    Clock *clock;
    const Irq *sci;      /* gsi_lines(g, GSI_SCI)[9], a level */
    const Irq *smi;      /* pulsed for an SMI; used only if smm */
    const Irq *shutdown; /* raised: the guest entered S5 */
    const Irq *suspend;  /* raised: the guest entered S3 */
    bool smm;            /* the CPUs can take an SMI */
} Piix4PmWiring;

extern const DeviceClass piix4_pm_class;

/* At 00:01.3 of @bus. Not yet realized. */
Device *piix4_pm_new(PciBus *bus, const Piix4PmWiring *w);
void piix4_pm_powerdown(Device *dev); /* the power button is pressed */
/* Leaving S3: sets WAK_STS and @events. */
void piix4_pm_wakeup(Device *dev, uint16_t events);
bool piix4_pm_may_wake(Device *dev, uint16_t event);       /* did the guest say so? */
void piix4_pm_set_gpe(Device *dev, unsigned n, int level); /* GPE0 event n of 16 */

#endif
