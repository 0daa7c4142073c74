#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Who may include whom (design, section 1). Run by `meson test`; prints each breach."""
import pathlib
import re
import sys

SERVICES = {"softmmu"}
# layer -> project headers it may include, as prefixes; "" of a layer's own folder is implied
ALLOWED = {
    "tcg": (),
    "softmmu": (),
    "hw": ("softmmu/",),
    "accel": ("softmmu/", "tcg/tcg.h", "tcg/ir.h", "tcg/flags.h", "tcg/helper.h", "tcg/guest-mem.h",
              "tcg/bits.h", "tcg/lanes.h"),
    "target-i386": ("softmmu/device.h", "softmmu/memory.h", "softmmu/log.h", "softmmu/machine.h",
                    "softmmu/clock.h", "softmmu/error.h", "softmmu/random.h", "softmmu/trace.h", "accel/cpu.h", "accel/guest-mem.h",
                    "accel/plugin/events.h",
                    "accel/translate.h", "accel/accel.h", "tcg/ir.h", "tcg/builder.h", "tcg/flags.h",
                    "tcg/helper.h", "tcg/guest-mem.h", "tcg/bits.h", "tcg/lanes.h", "tcg/softfloat.h", "tcg/softfloat-wide.h"),
    "softmmu/program": ("softmmu/", "accel/accel.h", "accel/cpu.h", "accel/debug.h", "accel/guest-mem.h", "accel/plugin/plugin.h", "accel/plugin/trace-file.h", "accel/session.h",
                        "accel/travel.h", "accel/lockstep.h", "accel/snapshot.h", "hw/pc.h",
                        "target-i386/", "tcg/tcg.h"),
}
SYSTEM = {"tcg": ("glib", "ffi.h", "capstone"), "hw": ("glib",), "accel": ("glib",)}


def layer_of(path):
    parts = path.parts
    return "softmmu/program" if parts[:2] == ("softmmu", "program") else parts[0]


def breaches(root):
    for layer in ("tcg", "softmmu", "accel", "target-i386", "hw"):
        for f in sorted((root / layer).rglob("*.[ch]")):
            rel = f.relative_to(root)
            own = layer_of(rel)
            for n, line in enumerate(f.read_text().splitlines(), 1):
                m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
                if not m or m[1] == "config.h":
                    continue
                target = m[1]
                if target.endswith(".c"):
                    yield f"{rel}:{n}: includes a .c file: {target}"
                elif own == "softmmu" and target.startswith("softmmu/program/"):
                    yield f"{rel}:{n}: a service includes the program tier: {target}"
                elif "/" not in target:
                    if not (root / target).exists():
                        yield f"{rel}:{n}: include path is the root: {target}"
                elif layer_of(pathlib.PurePath(target)) != own and target.split("/")[0] != own and \
                        not target.startswith(ALLOWED[own] or ("\0",)):
                    yield f"{rel}:{n}: {own} may not include {target}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(breaches(root))
    print("\n".join(found) if found else "layers are as designed")
    return 1 if found else 0


sys.exit(main())
