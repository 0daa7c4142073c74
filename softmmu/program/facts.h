/* SPDX-License-Identifier: MIT */
/* The real board's and CPUs' answers for QMP. */
#ifndef SOFTMMU_PROGRAM_FACTS_H
#define SOFTMMU_PROGRAM_FACTS_H

#include "softmmu/program/build.h"
#include "softmmu/program/qmp/facts.h"

QmpFacts facts_for_qmp(Built *b);

#endif
