#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""-perfmap, -jitdump and -d stats on a firmware of a few instructions: the files parse, name the
guest's code and agree; the statistics add up. Run as `host-profile.py MIMUS`."""
import os
import re
import struct
import subprocess
import sys
import tempfile

ROUNDS = 100000
CODE = bytes.fromhex("66 b9 a0 86 01 00"  # mov ecx, 100000
                     "67 e2 fd"           # loop, by ecx
                     "30 c0 e6 f4"        # xor al, al; out 0xf4, al
                     "f4 eb fd")          # hlt; jmp
INSNS = 1 + 1 + ROUNDS + 2                # with the jump at the reset vector
NAME = re.compile(r"^(mimus:thunks|guest:[0-9a-f]+\+\d+/[0-9a-f]+)$")


def check(ok, what):
    if not ok:
        sys.exit(f"host-profile: {what}")


def read_map(path):
    entries = []
    with open(path, encoding="ascii") as f:
        for line in f:
            start, size, name = line.rstrip("\n").split(" ", 2)
            check(NAME.match(name), f"odd name in the map: {line!r}")
            entries.append((int(start, 16), int(size, 16), name))
    return entries


def read_dump(path, pid):
    with open(path, "rb") as f:
        data = f.read()
    magic, version, size, machine, _, dump_pid, _, flags = struct.unpack_from("<6I2Q", data)
    check((magic, version, size, flags) == (0x4A695444, 1, 40, 0), "odd header of the dump")
    check(dump_pid == pid, "the dump names another process")
    with open("/proc/self/exe", "rb") as f:  # of an ELF program of this machine
        check(machine == struct.unpack_from("<H", f.read(20), 18)[0], "the dump is of another machine")
    entries, at, last = [], size, 0
    while at < len(data):
        kind, total, when, rpid, _, vma, addr, code_size, index = struct.unpack_from(
            "<IIQII4Q", data, at)
        check(kind == 0 and rpid == pid and vma == addr and when >= last, "odd record in the dump")
        check(index == len(entries), "records are not numbered in order")
        name, code = data[at + 56:at + total].split(b"\0", 1)
        check(len(code) == code_size, "a record has less code than it says")
        entries.append((addr, code_size, name.decode("ascii")))
        at, last = at + total, when
    check(at == len(data), "the last record is cut short")
    return entries


def numbers(text):
    return {m[1]: float(m[2]) for m in re.finditer(r"^ *(?:- )?(\S.*?) +([0-9.]+)$", text, re.M)}


def main():
    mimus = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        rom = os.path.join(folder, "rom")
        with open(rom, "wb") as f:
            f.write((CODE.ljust(0xfff0, b"\xf4") + b"\xe9\x0d\x00").ljust(0x10000, b"\xf4"))
        command = [mimus, "-M", "pc", "-m", "16", "-display", "none", "-serial", "none", "-bios",
                   rom, "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-icount", "shift=1",
                   "-d", "stats", "-D", "log", "-perfmap", "-jitdump"]
        with subprocess.Popen(command, cwd=folder) as p:
            status = p.wait(200)
        check(status == 1, f"exit status {status}, expected 1")
        map_path = f"/tmp/perf-{p.pid}.map"
        in_map = read_map(map_path)
        os.remove(map_path)
        in_dump = read_dump(os.path.join(folder, f"jit-{p.pid}.dump"), p.pid)
        check(in_map == in_dump, "map and dump differ")
        check(in_map[0][2] == "mimus:thunks", "the thunks are not first")
        check(any(n.startswith("guest:fffffff0+3/") for _, _, n in in_map), "no reset vector")
        with open(os.path.join(folder, "log"), encoding="utf-8") as f:
            text = f.read()
        made = numbers(text[:text.index("Running")])
        ran = numbers(text[text.index("Running"):text.index("Memory")])
        check(ran["guest instructions"] == INSNS, f"not {INSNS} instructions:\n{text}")
        check(made["blocks made"] == len(in_map) - 1, f"not {len(in_map) - 1} blocks:\n{text}")
        check(made["host bytes"] == sum(s for _, s, _ in in_map[1:]), f"host bytes:\n{text}")
        check(made["host ns per guest instruction"] > 0, f"no time:\n{text}")
        returns = [ran[k] for k in ("slice at its end", "block not linked yet, or out of unit",
                                    "jump not in the jump cache", "instruction wants the loop")]
        check(ran["returns to the loop"] == sum(returns) > 0, f"returns:\n{text}")
        refused = subprocess.run(command + ["-accel", "tcg,backend=interp"], cwd=folder, text=True,
                                 stderr=subprocess.PIPE, timeout=200, check=False)
        check(refused.returncode == 1 and "makes no host code" in refused.stderr,
              f"the interpreter is not refused: {refused.stderr}")


main()
