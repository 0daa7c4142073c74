#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""loaders.py MIMUS CASE: -kernel with kernels that are no bzImage, built on the spot (gcc -m32).

Exit status 77 (skip) without a compiler for x86.
"""
import os
import shutil
import subprocess
import sys
import tempfile

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "loaders")
FLAGS = ("-m32 -march=i386 -Os -std=gnu17 -ffreestanding -fno-pic -fno-pie -fno-stack-protector -nostdlib -static "
         "-mgeneral-regs-only -fno-asynchronous-unwind-tables -Wall -Wl,--build-id=none,--no-dynamic-linker,--no-warn-rwx-segments,-z,noexecstack").split()
SCRIPT = """ENTRY(start)
PHDRS { code PT_LOAD; notes PT_NOTE; }
SECTIONS {
    . = 0x%x;
    image_start = .;
    .head : { *(.head) } :code
    .note.Xen : { *(.note.Xen) } :code :notes
    .text : { *(.text*) *(.rodata*) } :code
    .data : { *(.data*) } :code
    image_end = .;
    .bss : { *(.bss*) *(COMMON) } :code
    bss_end = .;
    /DISCARD/ : { *(.comment) *(.note.GNU-stack) }
}
"""
KEEPS = ["cr0 00000001", "bss 00000000"]
MULTIBOOT = KEEPS + ["flags 0000024d", "lower 0000027f", "upper 0000fb", "map-kib 0000fb", "loader 'Mimus'"]
PVH = KEEPS + ["version 00000001", "map-kib 0000fb"]
MODULES = ["module-size 00000006\nmodule-place 00000000\nmodule 'first'\nwords '{a} one, two'",
           "module-size 00001389\nmodule-place 00000000\nmodule 'xxxx", "words '{b}'"]

# macros, place, options after -kernel, what the kernel says
CASES = {
    "multiboot": ("", 0x100000, ["-append", "a b=c"], MULTIBOOT + ["cmdline '{kernel} a b=c'"]),
    "modules": ("", 0x400000, ["-initrd", "{a} one,, two,{b}"], MULTIBOOT + MODULES + ["cmdline '{kernel}'"]),
    "by-addresses": ("-DBY_ADDRESSES", 0x200000, [], MULTIBOOT),
    "pvh": ("-DPVH", 0x100000, ["-append", "a b=c", "-initrd", "{a}"],
            PVH + ["cmdline 'a b=c'", "module-size 00000006", "module 'first'"]),
}


def build(folder, macros, place, flat):
    script, elf = os.path.join(folder, "kernel.ld"), os.path.join(folder, "kernel")
    with open(script, "w", encoding="utf-8") as f:
        f.write(SCRIPT % place)
    subprocess.run(["gcc", *FLAGS, *macros.split(), "-T", script, "-o", elf, os.path.join(SOURCES, "start.S"),
                    os.path.join(SOURCES, "kernel.c")], check=True)
    if flat:
        subprocess.run(["objcopy", "-O", "binary", elf, elf + ".bin"], check=True)
        with open(elf + ".bin", "r+b") as f:  # what is before the header is not loaded
            data = f.read()
            f.seek(0)
            f.write(bytes(512) + data)
        return elf + ".bin"
    return elf


def main():
    mimus, case = sys.argv[1:3]
    if not all(map(shutil.which, ("gcc", "objcopy"))) or os.uname().machine != "x86_64":
        print("no compiler for x86 here")
        return 77
    macros, place, options, expected = CASES[case]
    with tempfile.TemporaryDirectory() as folder:
        names = {"kernel": build(folder, macros, place, case == "by-addresses"), "a": os.path.join(folder, "a"),
                 "b": os.path.join(folder, "b")}
        for name, data in (("a", b"first\0"), ("b", b"x" * 5000 + b"\0")):
            with open(names[name], "wb") as f:
                f.write(data)
        command = [mimus, "-m", "64", "-nodefaults", "-display", "none", "-serial", "stdio", "-device",
                   "isa-debug-exit,iobase=0xf4", "-kernel", names["kernel"]] + [o.format(**names) for o in options] + sys.argv[3:]
        print("+", " ".join(command), flush=True)
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120, check=False)
        text = p.stdout.decode(errors="replace").replace("\r", "")
    missing = [e for e in (e.format(**names) for e in expected) if e not in text]
    if missing or p.returncode != 0x21:
        print(text, f"missing: {missing}, exit status {p.returncode}")
        return 1
    return 0


sys.exit(main())
