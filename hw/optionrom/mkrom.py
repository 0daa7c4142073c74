#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finish an option ROM: take .text of an ELF32 object (its code is position-independent and has no
relocations), pad it, fill in size and checksums, write it as a C array. With --plain the code is
written as it is.

Usage: mkrom.py [--plain] OBJECT OUT.c SYMBOL
"""
import struct
import sys

UNIT = 512
ROM_CHECKSUM = 6   # linuxboot.S keeps this byte free
PNP_POINTER = 0x1A
PNP_CHECKSUM = 9


def text_section(elf):
    shoff, = struct.unpack_from('<I', elf, 32)
    shentsize, shnum, shstrndx = struct.unpack_from('<3H', elf, 46)
    headers = [struct.unpack_from('<10I', elf, shoff + i * shentsize) for i in range(shnum)]
    names = headers[shstrndx][4]
    text = None
    for name, kind, _, _, offset, size, *_ in headers:
        end = elf.index(b'\0', names + name)
        if elf[names + name:end] == b'.text':
            text = elf[offset:offset + size]
        if elf[names + name:end] in (b'.rel.text', b'.rela.text'):
            sys.exit('option ROM has relocations')
    return text


def finish(rom):
    if rom[:2] != b'\x55\xaa':
        sys.exit('no option ROM signature')
    rom += bytes(-len(rom) % UNIT)
    rom[2] = len(rom) // UNIT
    pnp = int.from_bytes(rom[PNP_POINTER:PNP_POINTER + 2], 'little')
    if rom[pnp:pnp + 4] != b'$PnP':
        sys.exit('no PnP header')
    header = rom[pnp:pnp + rom[pnp + 5] * 16]
    rom[pnp + PNP_CHECKSUM] = -sum(header) & 0xFF
    rom[ROM_CHECKSUM] = -sum(rom) & 0xFF


def main(image, out, symbol, plain=False):
    with open(image, 'rb') as f:
        rom = bytearray(text_section(f.read()))
    if not plain:
        finish(rom)
    with open(out, 'w', encoding='ascii') as f:
        f.write(f'/* Made by mkrom.py. */\n#include "hw/optionrom/roms.h"\n\n'
                f'const size_t {symbol}_size = {len(rom)};\n'
                f'const uint8_t {symbol}[{len(rom)}] = {{\n')
        for i in range(0, len(rom), 12):
            f.write('    ' + ' '.join(f'0x{b:02x},' for b in rom[i:i + 12]) + '\n')
        f.write('};\n')


args = sys.argv[1:]
if args[0] == '--plain':
    main(*args[1:], plain=True)
else:
    main(*args)
