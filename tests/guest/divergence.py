#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What is said when a replay diverges, and of two recordings: `divergence.py MIMUS RESEAL`.

The guest is a firmware of a few instructions that asks for the CPU's features and reads a key.
"""
import os
import signal
import subprocess
import sys
import tempfile

from reverse import at_ends
from rsp import Machine

LOOP = bytes.fromhex("66 b9 40 42 0f 00"     # mov ecx, 1000000
                     "67 e2 fd")             # loop, by ecx
BEGIN = LOOP * 6 + bytes.fromhex("66 b8 01 00 00 00"  # mov eax, 1
                                 "0f a2")             # cpuid
KEY = bytes.fromhex("ba fd 03 ec a8 01 74 fb"  # until there is a key: in al, 0x3fd
                      "ba f8 03 ec 88 c3")       # in al, 0x3f8; mov bl, al
END = LOOP * 6 + bytes.fromhex("30 c0 e6 f4"  # xor al, al; out 0xf4, al
                               "f4 eb fd")    # hlt; jmp
# With another key than 'd' it is halted for good, while the PIT goes on.
PIT = bytes.fromhex("fa b0 34 e6 43 b0 00 e6 40 b0 10 e6 40")  # cli; channel 0, periods of 4096
HALT = bytes.fromhex("80 fb 64 74 03 f4 eb fd")  # cmp bl, 'd'; je over; hlt; jmp
OTHER_CPU = "qemu64,-pse36"


class Folder:
    def __init__(self, mimus, reseal, path):
        self.mimus, self.reseal, self.path = mimus, reseal, path
        for name, code in (("keyed", BEGIN + KEY), ("plain", BEGIN), ("halts", PIT + KEY + HALT),
                           ("slow", LOOP * 200 + KEY)):
            self.write(name, code + END)

    def write(self, name, code):
        with open(self.at(name), "wb") as f:
            f.write((code.ljust(0xfff0, b"\xf4") + b"\xe9\x0d\x00").ljust(0x10000, b"\xf4"))

    def at(self, name):
        return os.path.join(self.path, name)

    def record(self, name, rom, cpu):
        p = subprocess.run([self.mimus, "-M", "pc", "-m", "16", "-display", "none", "-serial",
                            "null" if rom == "plain" else "stdio", "-monitor", "none", "-bios",
                            self.at(rom), "-seed", "1",
                            "-rtc", "base=2020-01-01", "-device",
                            "isa-debug-exit,iobase=0xf4,iosize=4", "-cpu", cpu, "-record",
                            self.at(name)], input=b"d", timeout=200, check=False)
        check(p.returncode == 1, f"recording: exit status {p.returncode}")

    def alter(self, name, new, *change):
        subprocess.run([self.reseal, self.at(name), self.at(new), *change], check=True)

    def commands(self, lines, texts, *options):
        """What the monitor of a machine that waits answers."""
        self.says(0, texts, "-S", "-M", "pc", "-m", "16", "-display", "none", "-serial", "null",
                  "-monitor", "stdio", "-bios", self.at("plain"), *options,
                  typed="\n".join(lines + ["quit", ""]))

    def says(self, status, texts, *arguments, typed=""):
        """Exit status and what is printed, in that order."""
        p = subprocess.run([self.mimus, *arguments], input=typed, timeout=400,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        print("+", *arguments, "\n" + p.stdout, flush=True)
        check(p.returncode == status, f"exit status {p.returncode}, expected {status}")
        at = 0
        for text in texts:
            found = p.stdout.find(text, at)
            check(found >= 0, f"'{text}' is missing")
            at = found + len(text)


    def interrupted(self, name):
        """Whoever does not want to wait for the search sends a signal."""
        p = subprocess.Popen([self.mimus, "replay", "--verify", self.at(name)],
                             stderr=subprocess.PIPE, text=True)
        said = ""
        while "looking at all of it" not in said:
            line = p.stderr.readline()
            check(line, "it has ended: " + said)
            said += line
        p.send_signal(signal.SIGTERM)
        said += p.stderr.read()
        print(said)
        check(p.wait(200) == 1 and "the search is broken off" in said, f"status {p.returncode}")

    def backwards(self, name):
        """From its end, which a device of the guest's was."""
        m = Machine(self.mimus, "-S", "-replay", self.at(name), always=())
        try:
            r = m.connect()
            r.start()
            at_ends(r, True)
        finally:
            m.end()

    def in_place(self):
        """A recording may become itself; what cannot be made leaves it as it was."""
        size = os.path.getsize(self.at("one"))
        self.says(0, [f" bytes, before {size}"], "rec", "pack", self.at("one"), self.at("one"))
        check(os.path.getsize(self.at("one")) < size, "it is not smaller")
        self.says(0, ["instructions, hashes agree"], "replay", self.at("one"))
        self.says(1, ["the recording ends after"], "rec", "trim", "1e9..", self.at("one"), self.at("one"))
        self.says(0, ["from "], "rec", "trim", "5e6..9e6", self.at("one"), self.at("one"))
        self.says(0, ["instructions, hashes agree"], "replay", self.at("one"))
        check(not os.path.exists(self.at("one.new")), "it leaves something behind")

    def other_boards(self):
        vga = "machine/pc/pci.0/VGA"
        for old, new, text in ((vga, vga + "2", f"'{vga}2' is not there any more"),
                               (vga, "machine/pc/port92", f"'{vga}' is new here")):
            self.alter("plain.rec", "board", "device", old, new)
            self.says(1, ["it was recorded on another version of this board, by Mimus ", text],
                      "replay", self.at("board"))

    def commands_recorded(self):
        """A recording changes its machine, and nothing of the host."""
        for command in ("logfile " + self.at("evil"), "screendump " + self.at("evil"),
                        "begin_record " + self.at("evil"), "plugin_load " + self.at("evil"), "quit"):
            self.alter("plain.rec", "new", "command", command)
            self.says(0, ["instructions, hashes agree"], "replay", self.at("new"))
        check(not os.path.exists(self.at("evil")), "a recording has written a file")

    def cut(self, name, new, change):
        with open(self.at(name), "rb") as f:
            data = bytearray(f.read())
        with open(self.at(new), "wb") as f:
            f.write(change(data))


def altered(data):
    data[len(data) // 2] ^= 4
    return data


def check(good, what):
    if not good:
        sys.exit("wrong: " + what)


def main():
    with tempfile.TemporaryDirectory() as path:
        f = Folder(sys.argv[1], sys.argv[2], path)
        f.record("one", "keyed", "qemu64")
        f.record("plain.rec", "plain", "qemu64")
        f.record("other.rec", "plain", OTHER_CPU)
        f.record("halted.rec", "halts", "qemu64")
        f.record("slow.rec", "slow", "qemu64")
        f.alter("one", "key", "event", "0")
        f.alter("halted.rec", "halt", "event", "0")
        f.alter("slow.rec", "slow-key", "event", "0")
        f.alter("one", "cpu", "arg", "qemu64", OTHER_CPU)
        same_way = "The other back end takes the same way, memory included."
        f.says(0, ["instructions, hashes agree"], "replay", f.at("one"))
        f.says(1, ["diverged between", same_way, "serial0, 2 bytes: ", "65\n"],
               "replay", "--verify", f.at("key"))
        f.says(1, ["diverged between", same_way],
               "replay", "--verify", f.at("cpu"))
        f.says(1, ["diverged between", same_way, "serial0, 2 bytes: ", "65\n"],
               "replay", "--verify", f.at("key"), "-accel", "tcg,backend=interp")
        f.says(1, ["diverged between", "did not come", same_way, "serial0, 2 bytes: ", "65\n"],
               "replay", "--verify", f.at("halt"))
        f.says(0, ["They part at", "came from outside"], "rec", "diff", f.at("halted.rec"), f.at("halt"))
        f.interrupted("slow-key")
        f.backwards("plain.rec")
        f.says(0, ["only the first has", "qemu64", "agrees is after 4194304 instructions",
                   "part at the instruction after 6000008, on CPU 0", "0f a2", "cpuid",
                   "State before it, of both:", "EAX=00000001", "first: EAX=", "second: EAX=",
                   "Devices and CPUs that differ: cpu0"], "rec", "diff", f.at("plain.rec"),
               f.at("other.rec"))
        f.says(0, ["first: at", "serial0, 2 bytes: ", "64\n", "second: at",
                   "serial0, 2 bytes: ", "65\n",
                   "They part at", "came from outside", "that differ: isa-serial"],
               "rec", "diff", f.at("one"), f.at("key"))
        f.says(0, [" bytes, before "], "rec", "pack", f.at("one"), f.at("packed"))
        check(os.path.getsize(f.at("packed")) < os.path.getsize(f.at("one")), "it is not smaller")
        f.says(0, ["the same input at the same moments"], "rec", "diff", f.at("one"),
               f.at("packed"))
        f.says(0, ["instructions, hashes agree"], "replay", f.at("packed"))
        f.says(0, ["from ", " bytes"], "rec", "trim", "5e6..9e6", f.at("one"), f.at("part"))
        f.says(0, ["instructions, hashes agree"], "replay", f.at("part"))
        f.says(0, ["instructions, hashes agree"], "replay", f.at("part"), "-accel",
               "tcg,backend=interp")
        f.cut("part", "short", lambda data: data[:30000])
        f.cut("part", "open", lambda data: data[:-10])
        f.cut("part", "bad", altered)
        f.says(1, ["cannot replay", "it is cut off in frame"], "replay", f.at("short"))
        f.says(1, ["cannot replay", "is damaged"], "replay", f.at("bad"))
        f.says(0, ["the recording is not whole: it is cut off"], "replay", f.at("open"))
        f.says(0, ["not whole, and ends before: it is cut off"], "rec", "pack", f.at("open"),
               f.at("packed"))
        f.says(0, ["from ", " bytes"], "rec", "trim", "7e6..", f.at("part"), f.at("rest"))
        f.says(0, ["instructions, hashes agree"], "replay", f.at("rest"))
        f.says(1, ["the recording ends after"], "rec", "trim", "1e9..", f.at("one"), f.at("x"))
        f.says(1, ["two numbers of instructions"], "rec", "trim", "9..8", f.at("one"), f.at("x"))
        f.commands(["begin_record /dev/full", "begin_record", "end_record", "info status"],
                   ["Error: could not write '/dev/full': No space left", "begin_record: filename expected",
                    "Error: nothing is recorded", "VM status: paused"], "-icount", "1")
        f.commands(["begin_record " + f.at("x")], ["Error: time must be counted"])
        f.says(1, ["several CPUs are needed"], "-M", "pc", "-chaos", "1")
        f.says(1, ["could not write '/dev/full': No space left"], "rec", "pack", f.at("one"),
               "/dev/full")
        f.in_place()
        f.other_boards()
        f.commands_recorded()
    return 0


if __name__ == "__main__":
    sys.exit(main())
