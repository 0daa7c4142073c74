/* SPDX-License-Identifier: MIT */
/*
 * Instructions on segment registers and descriptors. Intel SDM vol. 2A, MOV, LAR, LSL, VERR,
 * LLDT, LTR.
 */
#include "target-i386/help-system.h"

#include "target-i386/segment.h"
#include "target-i386/paging.h"

void help_load_seg(CpuX86 *c, uint32_t seg, uint32_t selector)
{
    if (!(c->cr0 & CR0_PE))
        seg_set_real(c, seg, selector);
    else if (c->eflags & EFL_VM)
        seg_set_vm86(c, seg, selector);
    else
        seg_load_protected(c, seg, selector, x86_cpl(c), false);
    if (!(c->mode & X86_MODE_CS64)) /* there, nothing in the mode depends on them */
        x86_update_mode(c);
}

void help_load_ss(CpuX86 *c, uint32_t selector)
{
    help_load_seg(c, SEG_SS, (uint16_t)selector);
    c->inhibit = INHIBIT_SS;
    x86_update_mode(c);
}

/* The descriptor, if its type is in @types (system descriptors) and privilege allows to see it. */
static bool visible(CpuX86 *c, uint16_t selector, uint32_t types, Desc *d)
{
    if (selector_is_null(selector) || !desc_read(c, selector, d))
        return false;
    if (!(d->hi & ATTR_S) && !(types >> desc_type(*d) & 1))
        return false;
    if (desc_is_code(*d) && desc_is_conforming(*d))
        return true;
    return desc_dpl(*d) >= MAX(x86_cpl(c), (unsigned)(selector & 3));
}

#define TYPE(t)        (1u << DESC_##t)
#define TSS_LDT_LEGACY (TYPE(TSS16) | TYPE(LDT) | TYPE(TSS16_BUSY) | TYPE(TSS32) | TYPE(TSS32_BUSY))
#define TSS_LDT_LONG   (TYPE(LDT) | TYPE(TSS32) | TYPE(TSS32_BUSY))

uint64_t help_lar(CpuX86 *c, uint32_t selector)
{
    uint32_t types = is_long(c) ? TSS_LDT_LONG | TYPE(CALL32)
                                : TSS_LDT_LEGACY | TYPE(CALL16) | TYPE(TASK_GATE) | TYPE(CALL32);
    Desc d;

    return visible(c, selector, types, &d) ? 1ull << 32 | (d.hi & 0x00ffff00) : 0;
}

uint64_t help_lsl(CpuX86 *c, uint32_t selector)
{
    Desc d;

    return visible(c, selector, is_long(c) ? TSS_LDT_LONG : TSS_LDT_LEGACY, &d)
               ? 1ull << 32 | desc_limit(d)
               : 0;
}

uint32_t help_verr(CpuX86 *c, uint32_t selector)
{
    Desc d;

    return visible(c, selector, 0, &d) && (!desc_is_code(d) || (d.hi & ATTR_RW));
}

uint32_t help_verw(CpuX86 *c, uint32_t selector)
{
    Desc d;

    return visible(c, selector, 0, &d) && desc_is_writable_data(d);
}

static Desc fetch_system(CpuX86 *c, uint16_t selector, uint32_t types)
{
    Desc d;

    if (selector & 4)
        x86_raise_error(c, EXCP_GP, selector & 0xfffc);
    d = desc_fetch(c, selector, EXCP_GP);
    if ((d.hi & ATTR_S) || !(types >> desc_type(d) & 1))
        x86_raise_error(c, EXCP_GP, selector & 0xfffc);
    if (!(d.hi & ATTR_P))
        x86_raise_error(c, EXCP_NP, selector & 0xfffc);
    return d;
}

static Segment system_segment(CpuX86 *c, uint16_t selector, Desc d)
{
    uint64_t base = desc_base(d);

    if (is_long(c))
        base |= desc_upper_base(c, selector);
    if (is_long(c) && !x86_is_canonical_base(c, base))
        x86_raise_error(c, EXCP_GP, selector & 0xfffc);
    return (Segment){
        .selector = selector, .base = base, .limit = desc_limit(d), .attr = desc_attr(d)
    };
}

void help_lldt(CpuX86 *c, uint32_t selector)
{
    selector &= 0xffff;
    if (selector_is_null(selector)) {
        c->ldt = (Segment){ .selector = selector };
        return;
    }
    c->ldt = system_segment(c, selector, fetch_system(c, selector, TYPE(LDT)));
}

void help_ltr(CpuX86 *c, uint32_t selector)
{
    Segment tr;
    Desc d;

    selector &= 0xffff;
    if (selector_is_null(selector))
        x86_raise_error(c, EXCP_GP, 0);
    d = fetch_system(c, selector, is_long(c) ? TYPE(TSS32) : TYPE(TSS16) | TYPE(TSS32));
    d.hi |= 1 << 9; /* busy */
    tr = system_segment(c, selector, d);
    cpu_store(&c->cpu, desc_address(c, selector) + 4, d.hi, 4, MMU_KERNEL);
    c->tr = tr;
}
