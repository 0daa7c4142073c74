#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs do over QMP: `qmp.py MIMUS GUESTDIR`, run by `meson test`.

Life cycle and events of a machine with firmware alone; snapshots as jobs; then keys typed into
Linux. Exit status 77 (skip) without guest files.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from qmpclient import Qmp, QmpError


started = []


def start(command):
    started.append(subprocess.Popen(command))
    return started[-1]


def refuses(what, q, name, **arguments):
    try:
        q.command(name, **arguments)
    except QmpError as e:
        assert what in str(e), e
        return
    raise AssertionError(f"{name} is not refused")


def life(mimus, where):
    path, disk = os.path.join(where, "q"), os.path.join(where, "d.qcow2")
    subprocess.run([mimus, "img", "create", "-f", "qcow2", disk, "8M"], check=True)
    machine = start([mimus, "-display", "none", "-S", "-name", "life", "-hda", disk,
                     "-smp", "2", "-chardev", f"socket,id=mon,path={path},server=on,wait=off",
                     "-mon", "chardev=mon,mode=control", "-monitor", "none"])
    q = Qmp(path, negotiate=False)
    assert q.greeting["version"]["qemu"]["major"] == 7
    refuses("CommandNotFound", q, "query-status")
    q.command("qmp_capabilities")
    q.socket.sendall(b'{"execute":"query-name","id":"x"}{"execute":"query-status","id":2}')
    assert q.read() == {"return": {"name": "life"}, "id": "x"}
    assert q.read()["return"] == {"status": "prelaunch", "singlestep": False, "running": False}
    q.command("cont")
    q.wait_event("RESUME")
    q.command("system_reset")
    assert q.wait_event("RESET")["data"] == {"guest": False, "reason": "host-qmp-system-reset"}
    q.command("stop")
    q.wait_event("STOP")
    assert [c["cpu-index"] for c in q.command("query-cpus-fast")] == [0, 1]
    block = q.command("query-block")
    assert block[0]["inserted"]["image"]["format"] == "qcow2", block
    text = q.command("human-monitor-command", command_line="info registers", cpu_index=1)
    assert "CPU#1" in text and "CR0=" in text, text
    snapshots(q)
    saved = os.path.join(where, "ram")
    q.command("pmemsave", val=0xfffffff0, size=16, filename=saved)
    with open(saved, "rb") as f:
        assert f.read()[0] == 0xea, "SeaBIOS begins with a far jump"
    q.command("dump-guest-memory", paging=False, protocol="file:" + saved)
    if shutil.which("readelf"):
        said = subprocess.run(["readelf", "-lhn", saved], capture_output=True, text=True, check=True)
        assert "CORE (Core file)" in said.stdout and "NT_PRSTATUS" in said.stdout, said.stdout
        assert not said.stderr, said.stderr
    refuses("Could not open", q, "memsave", val=0, size=16, filename=os.path.join(where, "no", "dir"))
    q.command("quit")
    assert q.wait_event("SHUTDOWN")["data"] == {"guest": False, "reason": "host-qmp-quit"}
    assert machine.wait(60) == 0


def snapshots(q):
    job = {"vmstate": "ide0-hd0", "devices": ["ide0-hd0"]}
    refuses("GenericError: all writable disks are to be named", q, "snapshot-save", job_id="j",
            tag="t", vmstate="x", devices=["x"])
    q.command("snapshot-save", job_id="save", tag="t", **job)
    assert q.wait_event("JOB_STATUS_CHANGE")["data"] == {"status": "created", "id": "save"}
    while q.wait_event("JOB_STATUS_CHANGE")["data"]["status"] != "concluded":
        pass
    assert "error" not in q.command("query-jobs")[0]
    assert " t " in q.command("human-monitor-command", command_line="info snapshots")
    q.command("snapshot-load", job_id="load", tag="none", **job)
    q.command("snapshot-load", job_id="load2", tag="t", **job)
    jobs = {j["id"]: j for j in q.command("query-jobs")}
    assert "does not exist" in jobs["load"]["error"] and "error" not in jobs["load2"], jobs
    for j in jobs:
        q.command("job-dismiss", id=j)
    q.command("snapshot-delete", job_id="delete", tag="t", devices=job["devices"])
    assert q.command("query-jobs")[0]["type"] == "snapshot-delete"


KEYS = {" ": "spc", "\n": "ret", ">": "shift-dot", "/": "slash", "0": "0"}


def type_text(q, text):
    for c in text:
        names = KEYS.get(c, f"shift-{c.lower()}" if c.isupper() else c).split("-")
        q.command("send-key", keys=[{"type": "qcode", "data": n} for n in names], hold_time=20)


def typed(mimus, guest, where):
    """The shell is on the screen: that it is there is seen by its doing what it is told."""
    path, console = os.path.join(where, "t"), os.path.join(where, "console")
    machine = start([mimus, "-display", "none", "-m", "256", "-no-reboot",
                     "-serial", "file:" + console, "-qmp", f"unix:{path},server=on,wait=off",
                     "-kernel", os.path.join(guest, "vmlinuz"),
                     "-initrd", os.path.join(guest, "initrd.gz"),
                     "-append", "console=ttyS0 console=tty0 quiet"])
    q = Qmp(path)
    end = time.monotonic() + 150
    done = False
    while not done:
        assert time.monotonic() < end, "nothing that is typed arrives"
        type_text(q, "\necho TYPED >/dev/ttyS0\n")
        for _ in range(40):
            if os.path.exists(console):
                with open(console, errors="replace") as f:
                    done = done or "TYPED" in f.read()
            time.sleep(0 if done else 0.05)
    q.command("quit")
    assert machine.wait(60) == 0


def main():
    mimus, guest = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as where:
        try:
            life(mimus, where)
            if not os.path.exists(os.path.join(guest, "vmlinuz")):
                sys.exit(77)
            typed(mimus, guest, where)
        finally:
            for machine in started:
                machine.kill()


main()
