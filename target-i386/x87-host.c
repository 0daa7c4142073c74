/* SPDX-License-Identifier: MIT */
/*
 * On hosts with an x87 the guest's is the host's: while CpuCommon.x87_on_host is set registers,
 * tags, TOP and the status word are there, and translated code executes x87 instructions as they
 * are (gen-x87.c). All exceptions are masked then. The control word, FOP, FIP and FDP stay here.
 */
#include "target-i386/help-fp.h"

enum { IMAGE_FSW = 2, IMAGE_TAGS = 4, IMAGE_MXCSR = 24, IMAGE_ST = 32 };

void x87_to_host(CpuX86 *c)
{
    uint8_t image[FX_SIZE] __attribute__((aligned(16))) = { 0 };
    uint32_t mxcsr = MXCSR_RESET;

    fx_save_x87(c, image, true);
    memcpy(image + IMAGE_MXCSR, &mxcsr, sizeof(mxcsr));
    cpu_x87_to_host(&c->cpu, image);
    x86_update_mode(c);
}

void x87_from_host(Cpu *cpu, const void *image)
{
    CpuX86 *c = x86(cpu);
    const uint8_t *b = image;
    uint16_t fsw;

    memcpy(&fsw, b + IMAGE_FSW, sizeof(fsw));
    c->fpstt = fsw >> 11 & 7;
    c->fsw = fsw & (FSW_CC | FSW_SF | 0x3f);
    c->fptags = (uint8_t)~b[IMAGE_TAGS];
    for (unsigned i = 0; i < 8; i++) {
        X87Reg *r = &c->fpregs[x87_physical(c, i)];
        memcpy(&r->frac, b + IMAGE_ST + 16 * i, 8);
        memcpy(&r->se, b + IMAGE_ST + 16 * i + 8, 2);
    }
    x86_update_mode(c);
}
