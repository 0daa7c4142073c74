/* SPDX-License-Identifier: MIT */
/*
 * Whose processor the host's is, by CPUID's vendor string: what manuals leave open differs between
 * vendors, and what a test expects of silicon then has one value for each. Mimus itself behaves the
 * same everywhere and never asks.
 */
#ifndef TESTS_HOST_VENDOR_H
#define TESTS_HOST_VENDOR_H

#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

typedef enum HostVendor { HOST_OTHER, HOST_AMD, HOST_INTEL } HostVendor;

static inline HostVendor host_vendor(void)
{
#ifdef __x86_64__
    static const struct {
        char text[13];
        HostVendor vendor;
    } vendors[] = {
        { "AuthenticAMD", HOST_AMD },
        { "HygonGenuine", HOST_AMD },
        { "GenuineIntel", HOST_INTEL },
    };
    unsigned a, r[3];
    for (unsigned n = 0; __get_cpuid(0, &a, &r[0], &r[2], &r[1]) && n < 3; n++) {
        if (!memcmp(vendors[n].text, r, 12))
            return vendors[n].vendor;
    }
#endif
    return HOST_OTHER;
}

#endif
