#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Machine checks from the monitor: mce.py MIMUS ROM EXPECT. The bare-metal guest `checks` waits for each
command of MCE below and prints what came of it.

A guest prints "> N" when it wants command N.
"""
import os
import re
import socket
import subprocess
import sys
import tempfile

VAL, OVER, UC, EN, MISCV, ADDRV, PCC = (1 << n for n in (63, 62, 61, 60, 59, 58, 57))
COMMANDS = [
    f"mce 0 1 {VAL | EN | MISCV | ADDRV | 0x135:#x} 5 0x12345678 0x8c",  # corrected: logged
    f"mce 0 2 {VAL | UC | EN | ADDRV | 0x135:#x} 5 0x1000 0",           # uncorrected: #MC
    f"mce 0 2 {VAL | EN | 0x10:#x} 0 0x2000 0",                         # the first one stays
    f"mce 0 3 {VAL | EN | 0x10:#x} 0 0x3000 0",                         # corrected, then uncorrected
    f"mce 0 3 {VAL | UC | EN | 0x136:#x} 1 0x4000 0",
    f"mce 0 4 {VAL | UC | EN | 0x137:#x} 1 0x5000 0",                   # its bank is off: logged alone
    f"mce 0 5 {VAL | UC | EN | PCC | 0x138:#x} 0 0x6000 0",             # ends HLT
    f"mce 0 6 {VAL | UC | EN | 0x139:#x} 5 0x7000 0",                   # without CR4.MCE: shutdown
]
PC = "-M pc -m 32 -no-reboot -nodefaults -display none -debugcon stdio -device isa-debug-exit,iobase=0xf4 -cpu max".split()


def execute(monitor, command):
    """Until the next prompt, or the end of the emulator."""
    answer, more = b"", b" "
    monitor.sendall(command.encode() + b"\n")
    while more and (command.encode() not in answer or not answer.endswith(b"(qemu) ")):
        try:
            more = monitor.recv(4096)
        except ConnectionError:
            return
        answer += more


def run(mimus, rom, options):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "monitor")
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.listen()
        lines = []
        with subprocess.Popen([mimus, *PC, "-bios", rom, "-monitor", f"unix:{path},server=off", *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as guest:
            server.settimeout(60)
            monitor, _ = server.accept()
            monitor.settimeout(60)
            for line in guest.stdout:
                m = re.match(r"> (\d+)$", line)
                if m:
                    execute(monitor, COMMANDS[int(m[1])])
                else:
                    lines.append(line)
            status = guest.wait(60)
        return "".join(lines) + f"status {status}\n"


def main():
    mimus, rom, expect = sys.argv[1:4]
    text = run(mimus, rom, sys.argv[4:])
    if expect == "--update":
        sys.stdout.write(text)
        return 0
    with open(expect, encoding="utf-8") as f:
        expected = f.read()
    if text != expected:
        print(f"expected:\n{expected}\nfound:\n{text}")
    return 0 if text == expected else 1


sys.exit(main())
