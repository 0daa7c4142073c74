#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check-x87.py MIMUS: no C code of ours may use the host's x87, which holds the guest's state while
translated code and what it calls runs (tcg/tcg.h, tcg_x87_load()). Exit status 77: no x86-64, or no objdump.

A `long double` somewhere, or a compiler's idea, would put x87 or MMX instructions into a function.
"""
import re
import shutil
import subprocess
import sys

ALLOWED = {"backend_x87_load", "backend_x87_save"}  # what hands that state over
FUNCTION = re.compile(r"[0-9a-f]+ <(.*)>:")
USES = re.compile(r"\s+[0-9a-f]+:\s+(?:(?:rep|repz|repnz|data16|rex\S*|notrack)\s+)*(f[a-z0-9]+|emms\b|.*%mm[0-7])")


def main():
    objdump = shutil.which("objdump")
    if not objdump:
        print("no objdump")
        return 77
    p = subprocess.Popen([objdump, "-d", "--no-show-raw-insn", sys.argv[1]], stdout=subprocess.PIPE, text=True)
    found, function, seen = set(), "", 0
    for line in p.stdout:
        if "file format" in line and "x86-64" not in line:
            print("another architecture")
            return 77
        m = FUNCTION.match(line)
        if m:
            function, seen = m[1], seen + 1
        elif USES.match(line) and function not in ALLOWED:
            found.add(f"{function}: {line.split(':', 1)[1].strip()}")
    if p.wait() or seen < 1000:
        print(f"objdump failed, or knows {seen} functions only")
        return 1
    print("\n".join(sorted(found)))
    return 1 if found else 0


sys.exit(main())
