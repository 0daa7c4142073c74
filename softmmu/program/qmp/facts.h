/* SPDX-License-Identifier: MIT */
/*
 * What QMP tells of boards and CPUs without knowing them: hooks, implemented where the program
 * meets both (program/facts.c). All NULL in a machine that has neither.
 */
#ifndef SOFTMMU_PROGRAM_QMP_FACTS_H
#define SOFTMMU_PROGRAM_QMP_FACTS_H

#include "softmmu/machine.h"
#include "softmmu/program/qmp/json.h"

/* Of a driver, as -device takes it. */
typedef struct QmpProperty {
    const char *name, *type, *desc;
} QmpProperty;

/* A disk at a controller. */
typedef struct QmpUnit {
    const char *driver, *serial; /* "ide-hd"; serial NULL: it has none */
    const Drive *drive;
} QmpUnit;

typedef struct QmpFacts {
    Json *(*pci)(void *opaque);        /* query-pci's list of buses */
    Json *(*cpu_models)(void *opaque); /* query-cpu-definitions' list */
    /* Properties of the CPUs that -cpu @spec makes; NULL with @error. */
    Json *(*expand_model)(void *opaque, const char *spec, GError **error);
    void (*each_driver)(void (*f)(void *to, const char *name, const char *bus), void *to);
    bool (*each_property)(const char *driver, void (*f)(void *to, const QmpProperty *p), void *to);
    /* Where on PCI @dev is, "03.0"; NULL: it is not there. */
    char *(*pci_place)(void *opaque, const Device *dev);
    /* Number @n at @dev, an IDE channel or a floppy controller; false: there is none. */
    bool (*unit)(void *opaque, const Device *dev, unsigned n, QmpUnit *u);
    /* Which of the machine's generations this is, 16 bytes; false: it has no such device. */
    bool (*generation)(void *opaque, uint8_t *guid);
    void *opaque;
} QmpFacts;

#endif
