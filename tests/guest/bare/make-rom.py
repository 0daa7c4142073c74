#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""make-rom.py ROM LINKER-SCRIPT SOURCE... -- COMPILER FLAG...: a firmware image of these sources."""
import os
import shutil
import subprocess
import sys
import tempfile

rom, script, *rest = sys.argv[1:]
sources, command = rest[:rest.index("--")], rest[rest.index("--") + 1:]
compiler = command[:next(i for i, word in enumerate(command) if word[0] == "-")]  # may be two words
with tempfile.TemporaryDirectory() as folder:
    objects = []
    for source in sources:
        objects.append(os.path.join(folder, os.path.basename(source) + ".o"))
        subprocess.run(command + ["-c", source, "-o", objects[-1]], check=True)
    # The compiler finds the linker of its target; what it links it with by habit is left out.
    elf = os.path.join(folder, "elf")
    subprocess.run(compiler + ["-m32", "-nostdlib", "-static", "-no-pie", "-Wl,--build-id=none",
                    "-Wl,-z,noexecstack", "-Wl,--no-warn-rwx-segments", "-T", script, "-o", elf] + objects,
                   check=True)
    prefix = compiler[-1][:-3] if compiler[-1].endswith("-gcc") else ""
    if not shutil.which(prefix + "objcopy"):  # a compiler by way of ccache's folder
        prefix = os.path.basename(prefix)
    subprocess.run([prefix + "objcopy", "-O", "binary", "--gap-fill", "0xff", elf, rom], check=True)
if os.path.getsize(rom) != 128 * 1024:
    sys.exit(f"{rom} has {os.path.getsize(rom)} bytes")
