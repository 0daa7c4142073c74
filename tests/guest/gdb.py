#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The gdb stub against a boot of Debian's kernel: `gdb.py MIMUS GUESTDIR CASE`.

  debug   what a debugger does, from reset on; after it detaches the boot ends as it should
  smp     the same of CPUs as threads
  unseen  a counted run with breakpoints, watchpoints and interruptions is the run without them
"""
import os
import re
import subprocess
import sys

from rsp import Machine

SKIP = 77


def options(guest, more=""):
    return ["-m", "256", "-serial", "stdio", "-kernel", os.path.join(guest, "vmlinuz"),
            "-initrd", os.path.join(guest, "initrd.gz"),
            "-append", "console=ttyS0 nokaslr mimus.poweroff", *more.split()]


def wait_for(machine, text):
    """Until the console has shown it."""
    seen = b""
    while text not in seen:
        c = machine.process.stdout.read(1)
        assert c, f"the console ended without {text}"
        seen += c


def interrupt(rsp):
    rsp.socket.sendall(b"\x03")
    answer = rsp.receive().decode()
    assert answer.startswith("T02"), answer


def page_fault_handler(rsp):
    gate = rsp.read(rsp.get("idtr_base") + 14 * 16, 16)
    return int.from_bytes(gate[0:2] + gate[6:12], "little")


def ends_well(machine):
    out = machine.process.stdout.read().decode(errors="replace")
    assert machine.process.wait() == 0 and "reboot: Power down" in out, out[-2000:]


def at_reset(r):
    assert r.ask("?").startswith("T02thread:01"), "stopped"
    regs = r.all_registers()
    assert regs["rip"] == 0xfffffff0 and regs["cs"] == 0xf000 and regs["cs_base"] == 0xffff0000
    assert all(r.get(name) == value for name, value in regs.items()), "p and g agree"
    far = r.read(0xfffffff0, 5)
    assert far[0] == 0xea, "SeaBIOS begins with a far jump"
    target = int.from_bytes(far[1:3], "little") + int.from_bytes(far[3:5], "little") * 16
    r.run("vCont;s:1")
    assert r.get("rip") == target and r.get("cs_base") == 0xf0000
    assert r.ask("m100000000,4").startswith("E") or r.get("efer") == 0  # linear addresses wrap
    assert r.ask("X0,0:") == "OK"


def watch_device(r):
    """The kernel is loaded by fw_cfg's DMA, which an OUT starts."""
    r.ok("Z2,100000,8")
    assert r.run("c", until="watch")["watch"] == "100000"
    assert r.read(r.get("rip") - 1, 1) == b"\xef" and r.read(0x100000, 8) != bytes(8)
    r.ok("z2,100000,8")


def breakpoint(r, handler):
    for kind, reason in (("Z1", "hwbreak"), ("Z0", "swbreak")):
        r.ok(f"{kind},{handler:x},1")
        for _ in range(3):
            r.run("c", until=reason)
            regs = r.all_registers()
            assert regs["rip"] == handler and regs["cs"] == 0x10
            frame = r.read(regs["rsp"], 48)  # error code, rip, cs, rflags, rsp, ss
            assert int.from_bytes(frame[0:8], "little") < 0x8000
            assert int.from_bytes(frame[16:24], "little") in (0x10, 0x33)
        r.ok(f"{kind.lower()},{handler:x},1")


def watch(r, handler):
    """The first push below the exception's frame, to the byte."""
    for kind, reason in (("2", "watch"), ("4", "awatch")):
        r.ok(f"Z1,{handler:x},1")
        r.run("c", until="hwbreak")
        r.ok(f"z1,{handler:x},1")
        place = r.get("rsp") - 5
        r.ok(f"Z{kind},{place:x},1")
        stop = r.run("c", until=reason)
        assert int(stop[reason], 16) == place, stop
        assert r.get("rsp") <= place and r.get("rip") != handler
        r.ok(f"z{kind},{place:x},1")
    place = r.get("rsp")  # which is read by what returns
    r.ok(f"Z3,{place:x},8")
    stop = r.run("c", until="rwatch")
    assert place <= int(stop["rwatch"], 16) < place + 8
    r.ok(f"z3,{place:x},8")
    assert [r.get(f"dr{n}") for n in (0, 1, 2, 3)] == [0] * 4, "the guest's own are untouched"


def steps(r):
    """Straight code: each step is one instruction, as its bytes say."""
    count, kinds = 0, set()
    for _ in range(400):
        before, stack = r.get("rip"), r.read(r.get("rsp"), 8)
        code = r.read(before, 15)
        near = before + 5 + int.from_bytes(code[1:5], "little", signed=True)
        assert r.run("vCont;s:1")["signal"] == 5
        after = r.get("rip")
        if code[0] == 0x90:
            assert after == before + 1
        elif 0x50 <= code[0] <= 0x5f:
            assert after == before + 1
        elif code[0] == 0xc3:
            assert after == int.from_bytes(stack, "little")
        elif code[0] in (0xe8, 0xe9):
            assert after == near
        kinds.add(code[0])
        count += after != before
    assert count > 300 and {0xc3, 0xe8} <= kinds, (count, kinds)


def changes(r):
    text = 0xffffffff81000000
    r.ok("Qqemu.PhyMemMode:1")
    assert r.ask("qqemu.PhyMemMode") == "1"
    physical = r.read(0x1000000, 64)
    assert r.read(0xfffffff0, 1) == b"\xea"
    r.ok("Qqemu.PhyMemMode:0")
    assert r.read(text, 64) == physical, "virtual and physical are the same memory"
    assert r.ask("m0,8") == "E14", "nothing is mapped there"
    r.ok(f"M{text:x},2:aabb")
    assert r.read(text, 3) == b"\xaa\xbb" + physical[2:3]
    r.ok(f"X{text:x},2:".encode() + physical[:2])
    assert r.read(text, 64) == physical
    old = r.get("r15")
    assert r.set("r15", 0x1122334455667788) == "OK" and r.get("r15") == 0x1122334455667788
    assert r.set("r15", old) == "OK"
    assert r.set("cr4", 1 << 63).startswith("E"), "what would fault is refused"
    assert r.set("tr", 1).startswith("E")
    g = r.ask("g")
    r.ok("G" + g)
    assert r.ask("g") == g


def ask_monitor(r, line):
    r.send(b"qRcmd," + line.hex().encode())
    text = b""
    while (answer := r.receive().decode()) != "OK":
        assert answer[0] == "O", answer
        text += bytes.fromhex(answer[1:])
    return text


# In a run that is no replay, and words that make no sense in one either.
TRAVEL = [b"when", b"goto 5", b"goto -1", b"goto begin", b"restart 1", b"restart -1", b"checkpoint",
          b"last-write 0 4", b"last-write 0 99999999999", b"last-exec 0", b"go-live", b"go-live x=y",
          b"replay_break 1e9", b"replay_break zz", b"replay_delete_break"]
NONSENSE = [b"goto", b"last-write", b"end_record", b"begin_record", b"begin_record /no/such/place", b"screendump",
            b"screendump /no/such/place", b"cpu 99", b"x/0i 0", b"x/99999999999c 0", b"xp/-1b 0", b"plugin_load /no/such", b"plugin_unload x",
            b"\x00", b"\xff\xfe", b"log nothing", b"logfile /no/such/place", b"mce 9 9 9 9 9 9", b"%n%n%s"]


def monitor(r):
    assert b"paused" in ask_monitor(r, b"info status")
    there = ask_monitor(r, b"info hash")
    assert r.ask("bs").startswith("E") and r.ask("bc").startswith("E"), "there is no recording"
    for line in TRAVEL:
        assert b"no recording is replayed" in ask_monitor(r, line), line
    assert b"not active" in ask_monitor(r, b"info replay")
    for line in NONSENSE:
        ask_monitor(r, line)
    assert ask_monitor(r, b"info hash") == there, "what makes no sense has changed the machine"
    assert b"paused" in ask_monitor(r, b"info status")


def debug(mimus, guest):
    m = Machine(mimus, "-S", *options(guest))
    try:
        r = m.connect()
        assert "<architecture>i386:x86-64</architecture>" in r.start()
        at_reset(r)
        watch_device(r)
        r.send("c")
        wait_for(m, b"Run /init")
        interrupt(r)
        handler = page_fault_handler(r)
        breakpoint(r, handler)
        watch(r, handler)
        steps(r)
        changes(r)
        monitor(r)
        r.ok("D")
        ends_well(m)
    finally:
        m.end()


def smp(mimus, guest):
    m = Machine(mimus, "-S", *options(guest, "-smp 2"))
    try:
        r = m.connect()
        r.start()
        assert r.ask("qfThreadInfo") == "m01,02" and r.ask("qsThreadInfo") == "l"
        assert bytes.fromhex(r.ask("qThreadExtraInfo,2")) == b"CPU#1 [halted]"
        assert r.ask("T2") == "OK" and r.ask("T3").startswith("E")
        r.send("vCont;c")
        wait_for(m, b"Run /init")
        interrupt(r)
        handler = page_fault_handler(r)
        r.ok(f"Z1,{handler:x},1")
        seen = set()
        for _ in range(2000):
            stop = r.run("vCont;c", until="hwbreak")
            seen.add(stop["thread"])
            r.ok(f"Hg{stop['thread']}")
            assert r.get("rip") == handler, "the CPU that is named stands there"
            if len(seen) == 2:
                break
        assert seen == {"01", "02"}, seen
        other = {"01": "02", "02": "01"}[stop["thread"]]
        r.ok(f"Hg{other}")
        still = r.ask("g")
        r.run(f"vCont;s:{stop['thread']}")
        r.ok(f"Hg{other}")
        assert r.ask("g") == still, "the other is held"
        r.ok("D")
        ends_well(m)
    finally:
        m.end()


def unseen(mimus, guest):
    counted = options(guest, "-smp 2 -icount shift=1 -d hash")
    plain = subprocess.run([mimus, "-nodefaults", "-display", "none", *counted],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, check=True).stdout
    m = Machine(mimus, "-S", *counted)
    try:
        r = m.connect()
        r.start()
        r.ok("Qqemu.sstep=0x1")  # interrupts and timers as ever
        for _ in range(20):
            r.run("vCont;s:1;c")
        r.send("vCont;c")
        wait_for(m, b"Run /init")
        interrupt(r)
        handler = page_fault_handler(r)
        r.ok(f"Z1,{handler:x},1")
        for _ in range(30):
            stop = r.run("vCont;c", until="hwbreak")
            r.ok(f"Hg{stop['thread']}")
            if _ % 3 == 0:
                r.run(f"vCont;s:{stop['thread']};c")
            elif _ % 3 == 1:
                r.ok(f"Z2,{r.get('rsp') - 8:x},8")
                place = r.get("rsp") - 8
                r.run("vCont;c")
                r.ok(f"z2,{place:x},8")
        r.ok(f"z1,{handler:x},1")
        r.ok("D")
        out = m.process.stdout.read()
        assert m.process.wait() == 0
    finally:
        m.end()
    state = re.compile(rb"^state hash: [0-9a-f]{16}", re.M)
    assert state.findall(plain) and state.findall(plain) == state.findall(out), \
        (state.findall(plain), state.findall(out))


def main():
    mimus, guest, case = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        print("no guest files (scripts/guest-files makes them)")
        return SKIP
    {"debug": debug, "smp": smp, "unseen": unseen}[case](mimus, guest)
    return 0


sys.exit(main())
