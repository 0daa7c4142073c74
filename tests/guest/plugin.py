#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins on a boot: plugin.py MIMUS GUESTDIR CASE. Exit status 77 (skip) without the guest files.

A counted run must be the same run with and without plugins, and count what the plugins count.
"""
import ctypes.util
import os
import re
import subprocess
import sys

APPEND = "console=ttyS0 mimus.poweroff"


def run(mimus, guest, *options, stdin=b""):
    command = [mimus, "-M", "pc", "-m", "512", "-nographic", "-no-reboot",
               "-kernel", os.path.join(guest, "vmlinuz"), "-initrd", os.path.join(guest, "initrd.gz"),
               "-append", APPEND, *options]
    print("+", " ".join(command), flush=True)
    p = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=1500, check=False)
    return p.returncode, p.stdout.decode(errors="replace").replace("\r", "")


def find(pattern, text):
    m = re.search(pattern, text, re.M)
    assert m, f"output lacks /{pattern}/:\n{text[-2000:]}"
    return m[1]


COUNT = ("-icount", "shift=1", "-d", "hash,stats")
HASH = r"^state hash: ([0-9a-f]{16})$"


def case_icount(mimus, guest):
    """Equal runs, and the plugin's total is the engine's."""
    _, plain = run(mimus, guest, *COUNT)
    _, counted = run(mimus, guest, *COUNT, "-plugin", "icount")
    total = find(r"^icount: (\d+) instructions", counted)
    assert find(HASH, plain) == find(HASH, counted), "the run is another"
    assert re.search(rf"guest instructions +{total}$", plain, re.M), f"{total} is not the count"


def case_icount_interp(mimus, guest):
    """Back ends agree on everything that is counted."""
    outputs = [run(mimus, guest, *COUNT, "-plugin", "icount", *more)[1]
               for more in ((), ("-accel", "tcg,backend=interp"))]
    for pattern in (r"^(icount: .*)$", HASH):
        a, b = (find(pattern, o) for o in outputs)
        assert a == b, f"{a} on one back end, {b} on the other"


LIBC = ctypes.util.find_library("c")
BAD = [  # what is given, what the line says
    ("nosuch", "nosuch"),
    ("icount,colour=red", "unknown argument 'colour'"),
    (LIBC, "exports no mimus_plugin_api"),
    ("", "which file"),
]


def case_bad(mimus, guest):
    for spec, says in BAD:
        p = subprocess.run([mimus, "-nographic", "-plugin", spec], stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=60, check=False, text=True)
        assert p.returncode == 1, f"{spec}: status {p.returncode}"
        assert says in p.stderr and p.stderr.count("\n") == 1, f"{spec}: {p.stderr}"
    p = subprocess.run([mimus, "-display", "none", "-S", "-monitor", "stdio"], text=True,
                       input="plugin_load icount\ninfo plugins\nplugin_load icount\n"
                             "plugin_unload icount\nplugin_unload icount\nquit\n",
                       capture_output=True, timeout=60, check=False)
    for text in (r"^icount: /.*icount\.so$", "loaded already", r"icount: 0 instructions",
                 "no plugin 'icount' is loaded"):
        assert re.search(text, p.stdout + p.stderr, re.M), f"{text}: {p.stdout}{p.stderr}"


def main():
    mimus, guest, case = sys.argv[1:4]
    if case != "bad" and not os.path.exists(os.path.join(guest, "vmlinuz")):
        print("no guest files in", guest)
        return 77
    globals()["case_" + case](mimus, guest)
    return 0


sys.exit(main())
