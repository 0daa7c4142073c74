/* SPDX-License-Identifier: MIT */
/* Tells over the serial port what a boot loader has given it. */
#include <stdint.h>

static uint32_t zeroes[1024]; /* .bss: cleared by the loader */

static void put_char(char c)
{
    __asm__ volatile("outb %0, %1" : : "a"(c), "Nd"((uint16_t)0x3f8));
}

static void put_text(const char *text)
{
    while (*text)
        put_char(*text++);
}

static void put_hex(uint32_t value)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        put_char("0123456789abcdef"[value >> shift & 15]);
}

static void put_line(const char *name, uint32_t value)
{
    put_text(name);
    put_char(' ');
    put_hex(value);
    put_char('\n');
}

static void put_string(const char *name, uint32_t at)
{
    put_text(name);
    put_text(" '");
    put_text((const char *)at);
    put_text("'\n");
}

/* Rows of 24 bytes; how much RAM there is in them from 1 MiB on. */
static void sum_map(uint32_t at, uint32_t rows)
{
    uint32_t kib = 0;

    for (uint32_t i = 0; i < rows; i++, at += 24) {
        const uint32_t *row = (const uint32_t *)at;

        if (row[4] == 1 && row[0] >= 0x100000 && !row[1])
            kib += row[2] >> 10;
    }
    put_line("map-kib", kib);
}

static void put_module(uint32_t start, uint32_t end)
{
    put_line("module-size", end - start);
    put_line("module-place", start & 0xfff);
    put_string("module", start);
}

static void report_multiboot(const uint32_t *info)
{
    put_line("flags", info[0]);
    put_line("lower", info[1]);
    put_line("upper", info[2]);
    put_string("cmdline", info[4]);
    for (uint32_t i = 0; i < info[5]; i++) {
        const uint32_t *row = (const uint32_t *)(info[6] + 16 * i);

        put_module(row[0], row[1]);
        put_string("words", row[2]);
    }
    sum_map(info[12] + 4, info[11] / 24);
    put_string("loader", info[16]);
}

static void report_pvh(const uint32_t *info)
{
    put_line("version", info[1]);
    put_string("cmdline", info[6]);
    if (info[3]) {
        const uint32_t *row = (const uint32_t *)info[4];

        put_module(row[0], row[0] + row[2]);
    }
    sum_map(info[10], info[12]);
}

void report(uint32_t cr0, uint32_t eax, const uint32_t *ebx)
{
    uint32_t dirt = 0;

    for (unsigned i = 0; i < 1024; i++)
        dirt |= ((volatile uint32_t *)zeroes)[i];
    put_line("cr0", cr0 & 0x80000001);
    put_line("bss", dirt);
    if (eax == 0x2badb002)
        report_multiboot(ebx);
    else if (*ebx == 0x336ec578)
        report_pvh(ebx);
    else
        put_line("unknown", eax);
}
