/* SPDX-License-Identifier: MIT */
/* CPUs as the APICs see them: what was asked of each is written down. */
#ifndef TESTS_HW_FAKE_CPUS_H
#define TESTS_HW_FAKE_CPUS_H

#include "softmmu/machine.h"
#include "tests/hw/fixture.h"

#define FAKE_CPUS_MAX 255

typedef struct FakeCpus {
    CpuBus bus;
    Fixture *f;
    unsigned now; /* the CPU whose accesses are served */
    bool idle;    /* … or it is none */
    CpuRegs regs; /* of that CPU */
    bool intr[FAKE_CPUS_MAX], absent[FAKE_CPUS_MAX];
    unsigned nmis[FAKE_CPUS_MAX], smis[FAKE_CPUS_MAX], inits[FAKE_CPUS_MAX];
    int sipi[FAKE_CPUS_MAX]; /* last vector, -1: none */
} FakeCpus;

void fake_cpus_init(FakeCpus *c, Fixture *f, unsigned count);

#endif
