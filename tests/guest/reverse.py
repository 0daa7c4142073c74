#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Going back in a replay: `reverse.py MIMUS GUESTDIR CASE`, run by `meson test`.

The begin of a boot of Debian's kernel is recorded. Wherever its replay goes, forwards or backwards,
it must be in the state in which it was there first; points must be met in reverse where they were
met before. `long` measures: a shell loops until 3e9 instructions are behind it; CPU time of steps back
from there and of a search back to the begin are printed and must be within bounds. Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import os
import random
import subprocess
import sys
import tempfile
import time

from qmpclient import Qmp, QmpError
from rsp import Machine

SKIP = 77
SEED = 1

# options, options of the replay, recorded until the console shows
CASES = {
    "boot": ("", "", b"Memory:"),
    "boot-whole": ("", "", None),
    "boot-alias": ("", "", b"Memory:"),  # as QEMU's users say it
    "boot-smp4": ("-smp 4", "", b"smp: Brought up"),
    "boot-interp": ("-smp 2", "-accel tcg,backend=interp", b"Memory:"),
}


def machine(guest):
    return ["-display", "none", "-nodefaults", "-serial", "stdio", "-m", "256", "-kernel",
            os.path.join(guest, "vmlinuz"), "-initrd", os.path.join(guest, "initrd.gz"),
            "-append", "console=ttyS0 nokaslr mimus.poweroff"]


def alias(what, recording):
    return ["-icount", f"shift=1,rr={what},rrfile={recording}"]


def record(mimus, guest, options, until, recording, how):
    command = [mimus, *machine(guest), *how, *options.split()]
    print("+", " ".join(command), flush=True)
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    seen = b""
    while not until or until not in seen:
        c = p.stdout.read(1)
        if not c and not until:
            break
        assert c, f"the console ended without {until}"
        seen += c
    if until:
        p.terminate()  # killed, it would end where it was last flushed
    p.wait()


def monitor(r, line):
    r.send("qRcmd," + line.encode().hex())
    text = b""
    while (answer := r.receive().decode()) != "OK":
        assert answer[0] == "O", answer
        text += bytes.fromhex(answer[1:])
    return text.decode().strip()


def when(r):
    return int(monitor(r, "when"))


def state(r):
    return when(r), monitor(r, "info hash"), r.ask("g")


def go(r, count):
    assert monitor(r, f"goto {count}") == ""
    assert when(r) == count, f"to {count}"


def at_ends(r, alone):
    """The count at the end."""
    assert "replaylog:begin" in r.ask("bs") and "replaylog:begin" in r.ask("bc")
    assert when(r) == 0
    for _ in range(2):
        assert "replaylog:end" in r.ask("c")
    end = when(r)
    r.run("bs")
    assert when(r) == end - 1 if alone else when(r) < end, f"{when(r)} one before {end}"
    assert "replaylog:end" in r.ask("c") and when(r) == end
    assert monitor(r, "goto end") == "" and when(r) == end
    assert monitor(r, "goto begin") == "" and when(r) == 0
    return end


def everywhere(r, end, alone, begin=0):
    """Every state is the one that was there when the run first came by."""
    rnd = random.Random(SEED)
    counts = sorted(rnd.randrange(begin, end) for _ in range(8))
    first = {}
    for count in counts:
        go(r, count)
        first[count] = state(r)
    for _ in range(16):
        count = rnd.choice(counts)
        go(r, count)
        assert state(r) == first[count], f"at {count} again"
        steps = rnd.randrange(1, 40)
        for _ in range(steps):
            r.run("bs")
        before = state(r)
        for _ in range(steps if alone else 1):
            r.run("s")
        if alone:
            assert state(r) == first[count], f"{steps} back and forth at {count}"
        else:  # a step is one of the CPU that the debugger is at
            r.run("bs")
            assert state(r) == before, f"forth and back before {count}"
    return counts


def through(r, counts, end):
    """From wherever it has gone back to, the recording is met to its end."""
    for count in counts[::3]:
        go(r, count)
        assert "replaylog:end" in r.ask("c") and when(r) == end, f"from {count} to {when(r)}"


def interrupted(r, count):
    """Whoever is interrupted on his way is where he was."""
    go(r, count)
    there = state(r)
    r.send("bc")
    r.socket.sendall(b"\x03")
    answer = r.receive().decode()
    assert answer.startswith("T02") or "replaylog:begin" in answer  # or it was faster
    if answer.startswith("T02"):
        assert state(r) == there


def hits(r, point, how, until, end):
    """Counts and instructions at which it stopped before the count `end`."""
    r.ok("Z" + point)
    found = []
    while len(found) < 12:
        stop = r.run(how)
        if "replaylog" in stop or when(r) >= end:
            break
        assert until in stop, stop
        r.ok(f"Hg{stop['thread']}")
        found.append((when(r), r.get("rip")))
    r.ok("z" + point)
    return found


def points(r, counts):
    """A place in the middle of the run: where it was executed, where its stack was written."""
    middle, end = counts[len(counts) // 2], counts[-1]
    go(r, middle)
    pc = r.get("rip")
    forward = hits(r, f"1,{pc:x},1", "c", "hwbreak", end)
    if forward:
        go(r, forward[-1][0] + 1)
        backward = hits(r, f"1,{pc:x},1", "bc", "hwbreak", end)
        assert backward[:len(forward)] == forward[::-1], (forward, backward)
        go(r, end)
        monitor(r, f"last-exec {pc:#x}")
        assert r.get("rip") == pc and when(r) >= forward[-1][0]
    for middle in counts[len(counts) // 2::-1]:  # the stack there may be left alone until the end
        go(r, middle)
        stack = r.get("rsp")
        forward = hits(r, f"2,{stack:x},8", "c", "watch", end)
        if forward:
            break
    assert forward, "no stack is written to"
    last = forward[-1][0]
    go(r, last)
    r.ok(f"Hg{int(r.ask('?').split('thread:')[1][:2], 16):x}")
    value = r.read(stack, 8)
    backward = hits(r, f"2,{stack:x},8", "bc", "watch", end)
    assert [n for n, _ in backward[:len(forward)]] == [n - 1 for n, _ in forward[::-1]], \
        (forward, backward)
    go(r, last)
    monitor(r, f"last-write {stack:#x} 8")
    assert when(r) == last - 1, "before the instruction that wrote"
    r.run("s")
    assert when(r) == last and r.read(stack, 8) == value
    assert "nothing was written there" in monitor(r, "last-write 0xfeedc0de0000 8")
    assert "nothing was executed there" in monitor(r, "last-exec 0xfeedc0de0000")
    assert when(r) == last and r.read(stack, 8) == value, "nobody has moved"


def moments(r, counts):
    go(r, counts[2])
    assert monitor(r, "checkpoint") == f"checkpoint 1 at {counts[2]}"
    there = state(r)
    go(r, counts[-1])
    monitor(r, "restart 1")
    assert state(r) == there
    assert "no checkpoint 2" in monitor(r, "restart 2")
    monitor(r, f"replay_break {counts[3]}")
    r.run("c")
    assert when(r) == counts[3]
    monitor(r, "replay_delete_break")


def by_program(r, path, counts, recording):
    """QMP has the names that QEMU's users know."""
    q = Qmp(path)
    go(r, counts[1])
    assert q.command("query-replay") == {"mode": "play", "filename": recording, "icount": counts[1]}
    try:
        q.command("replay-break", icount=counts[0])
        assert False, "a break in the past"
    except QmpError as e:
        assert "in the past" in str(e)
    q.command("replay-break", icount=counts[2])
    q.events.clear()  # of stops before
    q.command("cont")
    q.wait_event("STOP")
    at = q.command("query-replay")["icount"]
    assert at == counts[2], f"stopped at {at}, break at {counts[2]}, from {counts[1]}"
    q.command("replay-delete-break")
    q.command("replay-seek", icount=counts[0])
    while q.command("query-replay")["icount"] != counts[0] or q.command("query-status")["running"]:
        pass


def goes_live(m, r, count, shown):
    """A replay cannot be changed; left, the machine boots to its end by itself. What the replay has shown is not
    shown again, but for what the machine prints in its new life: @shown times its first line."""
    go(r, count)
    assert r.ask(f"M{r.get('rsp') - 64:x},1:00").startswith("E")
    assert r.set("r15", 1).startswith("E")
    assert "left" in monitor(r, "go-live")
    assert r.ask("bs").startswith("E") and r.ask("bc").startswith("E")
    assert "no recording" in monitor(r, "when")
    old = r.get("r15")
    assert r.set("r15", 1) == "OK" and r.get("r15") == 1 and r.set("r15", old) == "OK"
    r.ok("D")
    out = m.process.stdout.read().decode(errors="replace")
    assert m.process.wait() == 0 and "reboot: Power down" in out, out[-2000:]
    assert out.count("Linux version") == shown, out


LOOP = b"i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; poweroff -f\n"
PROMPT = b"/ # "
FAR = 3 * 10**9


def record_loop(mimus, guest, recording):
    command = [mimus, "-nographic", "-m", "512", "-kernel", os.path.join(guest, "vmlinuz"),
               "-initrd", os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0 nokaslr",
               "-record", recording]
    print("+", " ".join(command), flush=True)
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    seen = b""
    while PROMPT not in seen:
        c = p.stdout.read(1)
        assert c, "the console ended without prompt"
        seen += c
    p.stdin.write(LOOP)
    p.stdin.flush()
    p.stdout.read()
    assert p.wait() == 0


def cpu_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        words = f.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def measured(pid, what, act):
    """Its CPU time, which other work on this host changes less than the time that passes."""
    cpu, wall = cpu_time(pid), time.time()
    act()
    cpu, wall = cpu_time(pid) - cpu, time.time() - wall
    print(f"{what}: {cpu:.3f} s of CPU time, {wall:.3f} s", flush=True)
    return cpu


def long(mimus, guest, folder):
    recording = os.path.join(folder, "loop.rec")
    record_loop(mimus, guest, recording)
    m = Machine(mimus, "-S", "-replay", recording, always=())
    pid = m.process.pid
    try:
        r = m.connect()
        r.start()
        monitor(r, f"replay_break {FAR}")  # without what a journey leaves on its way
        forward = measured(pid, f"forward to {FAR}", lambda: r.run("c"))
        assert when(r) == FAR, "the loop is long enough"
        cold = measured(pid, "the first step back", lambda: r.run("bs"))
        warm = measured(pid, "50 more", lambda: [r.run("bs") for _ in range(50)]) / 50
        assert FAR - 51 <= when(r) < FAR  # deliveries are steps, too
        r.ok("Z1,7c00,1")
        back = measured(pid, "searching back to the begin", lambda: r.run("bc", until="replaylog"))
        assert cold <= 1 and warm <= 0.05 and back <= 2 * forward, (cold, warm, back, forward)
        print(monitor(r, "info replay"))
    finally:
        m.end()


def main():
    mimus, guest, name = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        print("no guest files (scripts/guest-files makes them)")
        return SKIP
    with tempfile.TemporaryDirectory() as folder:
        if name == "long":
            long(mimus, guest, folder)
            return 0
        options, of_replay, until = CASES[name]
        recording = os.path.join(folder, "boot.rec")
        same = "alias" in name
        how = alias("record", recording) if same else ["-record", recording]
        again = machine(guest) + alias("replay", recording) if same else ["-replay", recording]
        record(mimus, guest, options, until, recording, how)
        qmp = os.path.join(folder, "qmp")
        m = Machine(mimus, "-S", *again, "-qmp", f"unix:{qmp},server=on,wait=off",
                    *of_replay.split(), always=())
        try:
            r = m.connect()
            r.start()
            alone = "-smp" not in options
            end = at_ends(r, alone)
            counts = everywhere(r, end, alone)
            through(r, counts, end)
            interrupted(r, counts[-1])
            points(r, counts)
            moments(r, counts)
            by_program(r, qmp, counts, recording)
            info = monitor(r, "info replay")
            print(info)
            assert "defect" not in info
            if "interp" not in name:
                goes_live(m, r, *((0, 2) if "smp" in name else (end - 1, 1)))
        finally:
            m.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
