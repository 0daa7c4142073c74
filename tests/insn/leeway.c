/* SPDX-License-Identifier: MIT */
#include "leeway.h"

#include <stddef.h>

#define UNDEFINED "undefined"
#define MODELS    "models"
#define HOST      "host"

const LeewayRow leeway_rows[LEEWAY_COUNT] = {
    [LEEWAY_NEAR_66] = { "near branch with 66, 64-bit", MODELS,
                         "AMD's branch within 64 KiB; Intel's and we ignore the prefix" },
    [LEEWAY_FAR_64] = { "far pointer with REX.W", MODELS,
                        "Intel's and ours have a 64-bit offset, AMD's 32 bits" },
    [LEEWAY_LOOP_REP] = { "LOOPE, LOOPNE with REP", UNDEFINED,
                          "the prefix is reserved; AMD's go by it, we by the opcode" },
    [LEEWAY_RETF_ORDER] = { "far return that drops much", MODELS,
                            "AMD's read the outer stack before they check CS" },
    [LEEWAY_MXCSR_MM] = { "LDMXCSR of code bytes", MODELS,
                          "random bits: AMD's have MXCSR.MM, a bit reserved elsewhere and here" },
    [LEEWAY_INT_N] = { "INT but 3 and 4", HOST, "the host's kernel answers" },
    [LEEWAY_SHIFT_OVER_16] = { "16-bit SHLD, SHRD by over 16 on Intel's", UNDEFINED,
                               "the result is the processor's; ours is AMD's" },
    [LEEWAY_PAUSE_REX] = { "PAUSE with REX.B", MODELS,
                           "XCHG of R8 to AMD's and us, PAUSE to Intel's" },
    [LEEWAY_SHA_ALIGNED] = { "SHA operands at odd addresses on AMD's", MODELS,
                             "#GP by the manuals, to Intel's and us; AMD's take them" },
    [LEEWAY_PUSH_SREG] = { "32-bit PUSH of a segment register on Intel's", MODELS,
                           "AMD's and we write zeros above it, Intel's nothing: there are zeros" },
    [LEEWAY_REP_67] = { "REP with ECX on Intel's, 64-bit", MODELS,
                        "no count: Intel's clear the upper halves; they are clear" },
    [LEEWAY_IMAGE_AGAIN] = { "images written, then read, on Intel's", MODELS,
                             "which components are in use, and the x87's selectors, would tell" },
    [LEEWAY_SHIFT_16] = { "16-bit SHLD, SHRD by over 16", UNDEFINED,
                          "flags and result by the manual; the result is AMD's, CF is not" },
    [LEEWAY_RECIPROCAL] = { "RCPPS, RSQRTPS", MODELS,
                            "error bounds only; ours are AMD's, others' silicon is near" },
    [LEEWAY_TRANSCENDENTAL] = { "x87 transcendental", MODELS,
                                "a unit in the last place and C1, see test-x87-error" },
    [LEEWAY_C1] = { "C1 after FNOP, FCMOV, FCOMI", UNDEFINED,
                    "SDM vol. 1, 8.3.3; FNOP leaves it here, the others clear it" },
    [LEEWAY_OVER_4G] = { "operand over the end of 4 GiB", UNDEFINED,
                         "segment fault or wrap is the processor's, SDM vol. 3, 5.3" },
    [LEEWAY_WHICH_FIRST] = { "which page faults first", UNDEFINED,
                             "order of the accesses of CMPS, RETF, IRET and BOUND" },
    [LEEWAY_CALL_ORDER] = { "CALL that faults twice", MODELS,
                            "push and target: AMD's find the push first, the SDM and we the "
                            "target" },
    [LEEWAY_MMX_FAULT] = { "x87 tags at a fault", MODELS,
                           "MASKMOVQ and conversions to MMX: before or after the fault" },
    [LEEWAY_BELOW_STACK] = { "below a call's stack pointer", MODELS,
                             "AMD's far calls that fault leave pushes there, ours none" },
    [LEEWAY_POINTERS] = { "x87 pointers, MXCSR_MASK", MODELS,
                          "AMD's FXSAVE leaves pointers out; MXCSR.MM is in their mask" },
    [LEEWAY_BOTH_HANG] = { "no end on either", HOST, "an endless loop: states are not compared" },
    [LEEWAY_KERNEL_HALF] = { "error code of kernel addresses", HOST,
                             "the host's kernel does not tell the truth of them" },
    [LEEWAY_NULL_RPL] = { "RPL of null selectors", HOST, "the host kernel's IRET clears it" },
    [LEEWAY_GATHER_MASK] = { "mask of a gather that faults", MODELS,
                             "Intel's have made what is left of it all ones or zero" },
    [LEEWAY_MASK_ADDRESS] = { "CR2 of masked stores", MODELS,
                              "Intel's tell of another byte of those stored" },
    [LEEWAY_EARLY_FLAGS] = { "VCVTPS2PH that faults", MODELS,
                             "Intel's find its own exceptions first, AMD's and we the fault" },
    [LEEWAY_TINY_OPERAND] = { "VCVTPS2PH of denormals, underflow not masked", MODELS,
                              "Intel's call them inexact, whatever they are" },
    [LEEWAY_NUMERIC_INSTEAD] = { "x87 stores that fault, with an exception of their own", MODELS,
                                 "Intel's have the one that is not masked instead of the fault" },
    [LEEWAY_STRING_FLAGS] = { "flags of CMPS, SCAS with REP that fault", MODELS,
                              "Intel's are from before, AMD's and ours of the last comparison" },
    [LEEWAY_NAN] = { "NaNs out of DPPS, DPPD", MODELS, "which of several; ours is AMD's" },
    [LEEWAY_PARTIAL_STORE] = { "x87 stores of 10 bytes over an end", MODELS,
                               "Intel's may have written 8 before they fault" },
    [LEEWAY_COMPACTED_FAULT] = { "XRSTOR of compacted images that faults", MODELS,
                                 "Intel's have loaded all else before they look at MXCSR" },
    [LEEWAY_SYSRET] = { "SYSRET outside 64-bit mode", MODELS,
                        "#UD by Intel's manual, privileged by AMD's" },
};

static uint64_t nowhere[LEEWAY_COUNT], *counts = nowhere;

void leeway_count_into(uint64_t *into)
{
    counts = into;
}

void leeway_use(Leeway l)
{
    __atomic_fetch_add(&counts[l], 1, __ATOMIC_RELAXED);
}
