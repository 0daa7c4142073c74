#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What programs do over QMP: `qmp.py MIMUS GUESTDIR`, run by `meson test`.

Life cycle and events of a machine with firmware alone; snapshots as jobs; then keys typed into
Linux. Exit status 77 (skip) without guest files.
"""
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from hmp import Hmp, connect
from qmpclient import Qmp, QmpError


started = []


def start(command):
    started.append(subprocess.Popen(command))
    return started[-1]


def refuses(what, q, name, /, **arguments):
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
    hot_disk(q)
    q.command("quit")
    assert q.wait_event("SHUTDOWN")["data"] == {"guest": False, "reason": "host-qmp-quit"}
    assert machine.wait(60) == 0


def hot_disk(q):
    """A disk that comes says which device has it, and both can be looked at."""
    q.command("blockdev-add", driver="null-co", node_name="hot", size=1 << 20)
    q.command("device_add", driver="virtio-blk-pci", drive="hot", id="vb")
    qdev = "/machine/peripheral/vb/virtio-backend"
    assert [b["device"] for b in q.command("query-block") if b.get("qdev") == qdev] == ["hot"]
    assert q.command("qom-get", path=qdev, property="type") == "virtio-blk-device"
    text = q.command("human-monitor-command", command_line="info block hot")
    assert text.lstrip().startswith("hot (hot): null-co://") and f"Attached to:      {qdev}" in text, text
    q.command("chardev-add", id="rb", backend={"type": "ringbuf", "data": {"size": 64}})
    q.command("ringbuf-write", device="rb", data="aGVsbG8=", format="base64")
    assert q.command("ringbuf-read", device="rb", size=10) == "hello"
    q.command("chardev-remove", id="rb")
    assert "isa-i8259" in q.command("x-query-irq")["human-readable-text"]
    assert "bios" in q.command("x-query-roms")["human-readable-text"]


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


def probe(mimus, where):
    """What libvirt asks an empty machine, with its very options."""
    path, pidfile = os.path.join(where, "p"), os.path.join(where, "pid")
    subprocess.run([mimus, "-S", "-no-user-config", "-nodefaults", "-nographic",
                    "-machine", "none,accel=kvm:tcg", "-qmp", f"unix:{path},server=on,wait=off",
                    "-pidfile", pidfile, "-daemonize"], check=True, stdin=subprocess.DEVNULL)
    with open(pidfile) as f:
        assert int(f.read()) > 1
    q = Qmp(path)
    machines = {m["name"]: m for m in q.command("query-machines")}
    assert machines["pc-i440fx-7.2"]["alias"] == "pc" and "none" in machines
    assert [m["name"] for m in machines.values() if m.get("is-default")] == ["pc-i440fx-7.2"]
    models = {m["name"]: m for m in q.command("query-cpu-definitions")}
    assert models["qemu64"]["alias-of"] == "qemu64-v1" and "qemu64-v1" in models
    assert models["max"]["unavailable-features"] == [] and not models["max"]["migration-safe"]
    assert "avx512f" in models["Skylake-Server"]["unavailable-features"]
    expand = q.command("query-cpu-model-expansion", type="full",
                       model={"name": "max", "props": {"avx2": False}})["model"]
    assert expand["name"] == "max" and expand["props"]["sse2"] and not expand["props"]["avx2"]
    refuses("GenericError: unable to find CPU model 'bogus'", q, "query-cpu-model-expansion",
            type="full", model={"name": "bogus"})
    types = {t["name"]: t["parent"] for t in q.command("qom-list-types")}
    assert types["virtio-blk-pci"] == "pci-device" and types["max-x86_64-cpu"] == "x86_64-cpu"
    for t, parent in types.items():
        if parent.endswith("-device") or parent == "x86_64-cpu":
            assert q.command("device-list-properties", typename=t) is not None, t
    assert {"netdev", "mac"} <= {p["name"] for p in
                                 q.command("device-list-properties", typename="e1000")}
    assert {o["option"] for o in q.command("query-command-line-options")} >= {"machine", "drive"}
    assert q.command("query-cpus-fast") == [] and q.command("query-pci") == []
    refuses("'query-hotpluggable-cpus' is not enabled", q, "query-hotpluggable-cpus")
    for name in ("query-kvm", "query-tpm-models", "query-migrate-capabilities", "query-version",
                 "query-display-options", "query-stats-schemas", "query-target"):
        q.command(name)
    refuses("GenericError", q, "query-sev-capabilities")
    refuses("this machine is empty", q, "device_add", driver="e1000")
    for name in ("cont", "system_powerdown", "system_reset", "stop", "inject-nmi"):
        q.command(name)
    for line in ("info lapic", "info pic", "info pci", "info registers", "info screen", "x /2 0"):
        q.command("human-monitor-command", command_line=line)
    q.command("quit")
    q.wait_event("SHUTDOWN")


def host_side(mimus, where):
    """What comes and goes beside the machine, with descriptors of the client's."""
    path, sock, disk = (os.path.join(where, n) for n in ("h", "c", "h.raw"))
    with open(disk, "wb") as f:
        f.write(b"x" * 512 + bytes(1 << 20))
    start([mimus, "-display", "none", "-S", "-qmp", f"unix:{path},server=on,wait=off",
           "-device", "virtio-serial-pci,id=vs", "-cdrom", disk])
    q = Qmp(path)
    data = {"addr": {"type": "unix", "data": {"path": sock}}, "server": True}
    for _ in range(2):
        q.command("chardev-add", id="c", backend={"type": "socket", "data": data})
        refuses("already exists", q, "chardev-add", id="c",
                backend={"type": "null", "data": {}})
        connect(sock, 20).close()
        q.command("chardev-remove", id="c")
        refuses("Chardev 'c' not found", q, "chardev-remove", id="c")
    pty = q.command("chardev-add", id="p", backend={"type": "pty", "data": {}})["pty"]
    chardevs = {c["label"]: c for c in q.command("query-chardev")}
    assert chardevs["p"] == {"label": "p", "filename": "pty:" + pty, "frontend-open": False}
    refuses("is busy", q, "chardev-remove", id="compat_monitor0")
    refuses("DeviceNotFound", q, "set_link", name="nix", up=False)
    q.command("object-add", qom_type="iothread", id="io")
    q.command("object-add", qom_type="rng-random", id="r")
    q.command("device_add", driver="virtio-rng-pci", rng="r", id="vr")
    refuses("in use", q, "object-del", id="r")
    assert [i["id"] for i in q.command("query-iothreads")] == ["io"]
    q.command("object-del", id="io")
    refuses("not found", q, "object-del", id="io")
    refuses("No file descriptor", q, "getfd", fdname="x")
    with open(disk, "rb") as f:
        socket.send_fds(q.socket, [b'{"execute": "add-fd", "arguments": {"opaque": "mine"}}'],
                        [f.fileno()])
        got = q.reply()
        socket.send_fds(q.socket, [b'{"execute": "getfd", "arguments": {"fdname": "n"}}'],
                        [f.fileno()])
        q.reply()
    sets = q.command("query-fdsets")
    assert sets == [{"fdset-id": got["fdset-id"], "fds": [{"fd": got["fd"], "opaque": "mine"}]}]
    q.command("closefd", fdname="n")
    q.command("blockdev-add", driver="file", node_name="n", read_only=True,
              filename=f"/dev/fdset/{got['fdset-id']}")
    q.command("blockdev-open-tray", id="ide1-cd0")
    assert q.wait_event("DEVICE_TRAY_MOVED")["data"]["tray-open"]
    drive = next(b for b in q.command("query-block") if b["device"] == "ide1-cd0")
    assert drive["tray_open"] and "inserted" not in drive, drive
    q.command("blockdev-remove-medium", id="ide1-cd0")
    q.command("blockdev-insert-medium", id="ide1-cd0", node_name="n")
    q.command("blockdev-close-tray", id="ide1-cd0")
    assert not q.wait_event("DEVICE_TRAY_MOVED")["data"]["tray-open"]
    drive = next(b for b in q.command("query-block") if b["device"] == "ide1-cd0")
    assert not drive["tray_open"] and drive["inserted"]["image"]["virtual-size"] == (1 << 20) + 512
    q.command("blockdev-del", node_name="n")
    refuses("Failed to find node with node-name='n'", q, "blockdev-del", node_name="n")
    q.command("blockdev-add", driver="null-co", node_name="z", size=1 << 20)
    q.command("device_add", driver="virtio-blk-pci", drive="z", id="zd")
    stats = {b["device"]: b for b in q.command("query-blockstats")}
    assert stats["z"]["stats"]["rd_operations"] == 0, stats
    refuses("is busy", q, "blockdev-del", node_name="z")
    q.command("blockdev-add", driver="file", node_name="below", filename=disk, read_only=True)
    q.command("blockdev-add", driver="raw", node_name="above", file="below", read_only=True)
    q.command("device_add", driver="virtio-blk-pci", drive="above", id="ad")
    above = next(b for b in q.command("query-named-block-nodes") if b["node-name"] == "above")
    assert above["image"]["filename"] == disk and above["ro"], above
    q.command("remove-fd", fdset_id=got["fdset-id"])
    assert q.command("query-fdsets") == []
    q.command("quit")


def by_text(mimus, where):
    """Descriptors that the text monitor takes; a card's announcements, as its network gets them."""
    path, dump = os.path.join(where, "m"), os.path.join(where, "dump")
    machine = start([mimus, "-display", "none", "-S", "-monitor", f"unix:{path},server=on,wait=off",
                     "-netdev", "user,id=n", "-device", "e1000,netdev=n,mac=52:54:00:01:02:03",
                     "-object", f"filter-dump,id=f,netdev=n,file={dump}"])
    m = Hmp(path)
    with open(os.devnull, "rb") as f:
        socket.send_fds(m.socket, [b"getfd a\n"], [f.fileno()])
    assert "Error" not in m.read()
    assert m.command("closefd a") == ""
    assert m.command("closefd a") == "Error: File descriptor named 'a' not found\n"
    assert m.command("announce_self n,bogus again") == ""
    assert m.command("announce_self bogus") == ""
    mac = bytes.fromhex("525400010203")
    frame = b"\xff" * 6 + mac + bytes.fromhex("8035 0001 0800 0604 0003") + mac + bytes(4) + mac
    end = time.monotonic() + 60
    while True:
        with open(dump, "rb") as f:
            got = f.read().count(frame)
        if got == 5:
            break
        assert got < 5 and time.monotonic() < end, got
        time.sleep(0.05)
    m.socket.sendall(b"quit\n")
    assert machine.wait(60) == 0


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
            probe(mimus, where)
            host_side(mimus, where)
            by_text(mimus, where)
            if not os.path.exists(os.path.join(guest, "vmlinuz")):
                sys.exit(77)
            typed(mimus, guest, where)
        finally:
            for machine in started:
                machine.kill()


main()
