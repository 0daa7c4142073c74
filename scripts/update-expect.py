#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Make the host code in tests/tcg/codegen/*.expect anew: update-expect.py BUILD_DIR [HOST EMULATOR...]
HOST (aarch64) and what starts its programs (qemu-aarch64 -L SYSROOT) are those of a cross build."""
import pathlib
import subprocess
import sys

if len(sys.argv) < 2:
    sys.exit(__doc__)
tool = pathlib.Path(sys.argv[1]) / 'tests/tcg/test-codegen'
folder = pathlib.Path(__file__).resolve().parent.parent / 'tests/tcg'
folder /= f'codegen-{sys.argv[2]}' if len(sys.argv) > 2 else 'codegen'
for file in sorted(folder.glob('*.expect')):
    text = subprocess.run(sys.argv[3:] + [tool, file], check=True, capture_output=True,
                          text=True).stdout
    if text != file.read_text():
        file.write_text(text)
        print('updated', file.name)
