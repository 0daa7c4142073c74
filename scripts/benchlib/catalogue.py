# SPDX-License-Identifier: MIT
"""What can be run: the rows of tests/bench/kernels.def, the programs of tests/bench/programs, boot."""
import fnmatch
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Benchmark:
    name: str
    kind: str  # boot, micro or real: which guest runs it
    group: str  # the class whose geometric mean it counts in
    text: str
    count: int = 0  # micro: how often the guest does it


# Milestones of a boot, in order: the row that ends there, and the console line that shows it.
MILESTONES = [
    ("boot_firmware", rb"Booting from ROM|Linux version|early console", "power-on to the boot loader"),
    ("boot_unpack", rb"Linux version", "real-mode set-up and decompression of the kernel"),
    ("boot_kernel", rb"^BENCH init", "first line of the kernel to /init"),
]
BOOT = [Benchmark(name, "boot", "boot phase", text) for name, _, text in MILESTONES]
BOOT.append(Benchmark("boot", "boot", "boot", "power-on to /init, the sum of the phases"))

# Means over several classes, shown below the classes themselves.
UNIONS = {
    "calls, branches": ["branch", "call"],
    "floating point": ["scalar", "packed"],
    "system": ["syscall", "switch", "fault", "process", "signal"],
    "real programs": ["compress", "interpret", "text", "compile", "database", "crypto"],
}


def kernels(path):
    row = re.compile(r'^KERNEL\((\w+),\s*(\w+),\s*(\d+),\s*(\w+),\s*"(.*)"\)$')
    found = (row.match(line) for line in path.read_text().splitlines())
    return [Benchmark(m[1], "micro", m[2], m[5], int(m[3])) for m in found if m]


def programs(path):
    row = re.compile(r"^# program (\w+) (\w+): (.*)$")
    found = (row.match(line) for line in path.read_text().splitlines())
    return [Benchmark(m[1], "real", m[2], m[3]) for m in found if m]


def everything(top):
    folder = top / "tests" / "bench"
    found = BOOT + kernels(folder / "kernels.def") + programs(folder / "programs")
    names = [b.name for b in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"more than one benchmark is called {', '.join(sorted(twice))}")
    return found


def select(benchmarks, patterns):
    """Names, globs, classes, kinds, unions of classes, or all."""
    chosen = []
    for pattern in patterns:
        classes = UNIONS.get(pattern, [])
        hits = [b for b in benchmarks
                if pattern in ("all", b.kind, b.group) or b.group in classes
                or fnmatch.fnmatchcase(b.name, pattern)]
        if not hits:
            raise ValueError(f"no benchmark, class or group matches '{pattern}'; see --list")
        chosen += [b for b in hits if b not in chosen]
    return [b for b in benchmarks if b in chosen]
