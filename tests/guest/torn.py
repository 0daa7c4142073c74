#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recordings that are killed, cut, altered or made up: `torn.py MIMUS RESEAL [SECONDS [SEED]]`.

What a killed process leaves can be replayed up to what was written last; of anything else Mimus says
a sentence, or replays it up to the damage. It never crashes, nor takes for ever. The guest is a firmware
that copies from a disk, and echoes what is typed.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

from divergence import LOOP

# I/O of the PCI function, and decoding of its first channel.
IDE = bytes.fromhex("66b804090080 baf80c 66ef bafc0c b001 ee 66b840090080 baf80c 66ef bafc0c b80080 ef".replace(" ", ""))
# Until 'q' is typed: reads a sector by the IDE channel, echoes the key to the serial port.
ROUND = bytes.fromhex(
    "bafd03ec a801 74fb"          # wait for a key
    "baf803ec 88c3 ee"            # read it; echo it
    "baf201 b001 ee 42 b000 ee 42 ee 42 ee 42 b0e0 ee 42 b020 ee"  # one sector, LBA 0, READ SECTORS
    "baf701 ec a880 75fb a808 74f7"  # until it is there
    "baf001 b90001 ed e2fd"       # 256 words; in ax, dx; loop
    .replace(" ", ""))
END = bytes.fromhex("30c0e6f4 f4ebfd".replace(" ", ""))
TIMEOUT = 120


class Folder:
    def __init__(self, mimus, reseal, path, rng):
        self.mimus, self.reseal, self.path, self.rng = mimus, reseal, path, rng
        back = len(ROUND) + len(LOOP) + 5
        code = IDE + LOOP + ROUND + b"\x80\xfb\x71\x74\x03" + b"\xe9" + (-(back + 3)).to_bytes(2, "little", signed=True) + END
        with open(self.at("rom"), "wb") as f:
            f.write((code.ljust(0xfff0, b"\xf4") + b"\xe9\x0d\x00").ljust(0x10000, b"\xf4"))
        with open(self.at("disk"), "wb") as f:
            f.write(rng.randbytes(1 << 20))

    def at(self, name):
        return os.path.join(self.path, name)

    def start(self, name):
        return subprocess.Popen(
            [self.mimus, "-M", "pc", "-m", "16", "-display", "none", "-serial", "stdio", "-monitor", "none", "-bios",
             self.at("rom"), "-seed", "1", "-rtc", "base=2020-01-01", "-device", "isa-debug-exit,iobase=0xf4,iosize=4",
             "-drive", f"file={self.at('disk')},format=raw,snapshot=on", "-record", self.at(name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def record(self, name, keys):
        p = self.start(name)
        for i in range(keys):
            p.stdin.write(b"a" if i < keys - 1 else b"q")
            p.stdin.flush()
            got = p.stdout.read(1)
            check(got in b"aq" and got, "no echo")
        check(p.wait(TIMEOUT) == 1, f"recording: status {p.returncode}")

    def killed(self):
        """At any moment."""
        p = self.start("killed")
        keys = self.rng.randrange(0, 40)
        for _ in range(keys):
            p.stdin.write(b"a")
            p.stdin.flush()
            if self.rng.random() < 0.9:
                p.stdout.read(1)
        time.sleep(self.rng.random() * 0.05)
        p.kill()
        p.communicate()
        status, said = self.run("replay", self.at("killed"))
        if status == 0:
            check("not whole: it was not ended" in said, said)
        else:
            check("it is cut off" in said or "is not a recording" in said, said)

    def run(self, *arguments):
        """Exit status 0 or 1, and something is said."""
        try:
            p = subprocess.run([self.mimus, *arguments], stdin=subprocess.DEVNULL, timeout=TIMEOUT,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired:
            sys.exit(f"wrong: no end of {arguments}")
        said = p.stdout.decode(errors="replace")
        check(p.returncode in (0, 1), f"{arguments}: status {p.returncode}\n{said}")
        check(said or p.returncode == 0, f"{arguments}: nothing is said")
        return p.returncode, said

    def cut(self):
        with open(self.at("whole"), "rb") as f:
            data = f.read()
        self.write(data[:self.rng.randrange(len(data))])
        status, said = self.run("replay", self.at("bad"))
        check(("not whole" in said) if status == 0 else "cannot replay" in said, said)

    def altered(self):
        with open(self.at("whole"), "rb") as f:
            data = bytearray(f.read())
        for _ in range(self.rng.randrange(1, 4)):
            data[self.rng.randrange(len(data))] ^= 1 << self.rng.randrange(8)
        self.write(data)
        status, said = self.run("replay", self.at("bad"))
        check(("not whole" in said) if status == 0 else "cannot replay" in said, said)

    def foreign(self):
        with open(self.at("whole"), "rb") as f:
            head = f.read(self.rng.choice((0, 8, 16, 40)))
        self.write(head + self.rng.randbytes(self.rng.randrange(3000)))
        check(self.run("replay", self.at("bad"))[0] == 1, "a foreign file is replayed")

    def made_up(self):
        """All hashes are good, and what they are of is nonsense."""
        seed = self.rng.randrange(1 << 30)
        subprocess.run([self.reseal, self.at("whole"), self.at("bad"), "mutate", str(seed)], check=True)
        print(f"  mutate {seed}", flush=True)
        self.run("replay", "--verify", self.at("bad"))

    def tools(self):
        """What cannot be replayed is no trouble for these either."""
        if not os.path.exists(self.at("bad")):
            return
        self.run("rec", "info", self.at("bad"))
        self.run("rec", "pack", self.at("bad"), self.at("packed"))
        self.run("rec", "trim", "1e6..2e6", self.at("bad"), self.at("part"))
        self.run("rec", "diff", self.at("whole"), self.at("bad"))

    def write(self, data):
        with open(self.at("bad"), "wb") as f:
            f.write(data)


def check(good, what):
    if not good:
        sys.exit("wrong: " + what)


def main():
    mimus, reseal = sys.argv[1:3]
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 20
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as path:
        rng = random.Random(seed)
        f = Folder(mimus, reseal, path, rng)
        f.record("whole", 12)
        check("hashes agree" in f.run("replay", f.at("whole"))[1], "the recording is no good")
        acts = (f.killed, f.cut, f.altered, f.foreign, f.made_up, f.made_up, f.tools)
        done = dict.fromkeys((a.__name__ for a in acts), 0)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            act = rng.choice(acts)
            act()
            done[act.__name__] += 1
        print(", ".join(f"{name} {n}" for name, n in done.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
