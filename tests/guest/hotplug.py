#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""hotplug.py MIMUS GUESTDIR CASE: devices come and go while Linux runs.

"recorded": the same while a recording is made, whose replay prints the same console and agrees. Of
PCI's, a part of the recording is replayed, too, and a debugger goes to and fro between the moments;
"interp": on the portable back end. "begun": the recording begins when devices have come already.
Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from dialogue import Guest, Lost
from qmpclient import Qmp, QmpError
from reverse import everywhere, monitor
from rsp import Machine

CPU = "device_add qemu64-x86_64-cpu,id={},socket-id=0,core-id={},thread-id=0"
WHERE = "/sys/devices/system/cpu/cpu{}"


def write_images(where):
    for name, data in (("disk", DISK + bytes(-len(DISK) % 512)), ("e", OTHER), ("f", DISK[:4096])):
        with open(os.path.join(where, name), "wb") as f:
            f.write(data)


def check(good, what):
    if not good:
        raise Lost(what)


def shell(g, line):
    """What it prints. The last word is not in the line as the shell echoes it."""
    g.send(line + "; echo done-$((6*7))\n")
    text = g.expect("done-42\n")
    g.expect("/ # ")
    return text


def wait_for(g, condition):
    shell(g, f"until {condition}; do usleep 20000; done")


def cpus_there(g):
    return g.monitor("info cpus").count("CPU #")


def leave(g, name, n):
    """Linux ejects it some time after it has forgotten it."""
    there = cpus_there(g)
    g.monitor("device_del " + name)
    wait_for(g, f"[ ! -d {WHERE.format(n)} ]")
    while cpus_there(g) == there:
        shell(g, "usleep 20000")


def bring(g, name, n):
    """Linux keeps the number of an APIC that it has seen before."""
    answer = g.monitor(CPU.format(name, n))
    check("Error" not in answer, answer)
    wait_for(g, f"[ -d {WHERE.format(n)} ]")
    seen = shell(g, f"echo 1 > {WHERE.format(n)}/online; "
                 f"taskset {1 << n} cat /proc/self/stat | cut -d' ' -f39")
    check(f"\n{n}\n" in seen, "nothing runs on the new CPU: " + seen)


def refuses(g, line, why):
    answer = g.monitor(line)
    check(why in answer, f"{line}: {answer}")


def cpu(g, _):
    """Comes, runs, goes; another comes, and is there after a reset."""
    refuses(g, CPU.format("a", 3), "Invalid CPU core-id: 3 must be in range 0:2")
    refuses(g, CPU.format("a", 0), "CPU[0] with APIC ID 0 exists")
    refuses(g, CPU.format("a", 1).replace("qemu64", "max"), "expected cpu type: 'qemu64-x86_64-cpu'")
    refuses(g, "device_del nobody", "Device 'nobody' not found")
    bring(g, "one", 1)
    check(cpus_there(g) == 2, "the monitor does not see it")
    leave(g, "one", 1)
    bring(g, "two", 2)
    g.send("reboot -f\n")
    g.expect("Booting|Linux version")
    g.expect("/ # ")
    check("\n2\n" in shell(g, "grep -c ^processor /proc/cpuinfo"), "not two CPUs after a reset")
    g.monitor("device_del two")
    wait_for(g, "[ $(grep -c ^processor /proc/cpuinfo) = 1 ]")


def has_cpus(g, numbers):
    """They run; no others do."""
    check("\n%d\n" % len(numbers) in shell(g, "grep -c ^processor /proc/cpuinfo"), "another number of CPUs")
    for n in numbers:
        seen = shell(g, f"taskset {1 << n} cat /proc/self/stat | cut -d' ' -f39")
        check(f"\n{n}\n" in seen, f"nothing runs on CPU {n}: {seen}")
    check(cpus_there(g) == len(numbers), "the monitor sees others")


def cpu_saved(g, where):
    """States with a CPU that came: in the same process, in which another came since, and in others."""
    bring(g, "one", 1)
    for line in ("savevm with", f"migrate file:{where}/state", "cont"):
        check("Error" not in (answer := g.monitor(line)), answer)
    leave(g, "one", 1)
    bring(g, "two", 2)
    g.monitor("loadvm with")
    has_cpus(g, [0, 1])


def cpu_came(g, _):
    """… where it goes, and comes again."""
    g.send("\n")
    g.expect("/ # ")
    has_cpus(g, [0, 1])
    leave(g, "one", 1)
    bring(g, "one", 1)
    has_cpus(g, [0, 1])


def remove(g, name):
    """Linux lets it go some time after its driver has."""
    g.monitor("device_del " + name)
    while f'id "{name}"' in g.monitor("info pci"):
        shell(g, "usleep 20000")


def has_network(g):
    got = shell(g, "ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ping -c 1 10.0.2.2")
    check("1 packets received" in got, "no network: " + got)


def pci(g, _):
    """A disk comes, goes and comes again; a card as well; one that was there from the start goes."""
    refuses(g, "device_add nothing,id=a", "is not a valid device model name")
    refuses(g, "device_add isa-debug-exit", "Bus 'ISA' does not support hotplugging")
    refuses(g, "device_add edu,id=fixed", "Duplicate device ID 'fixed'")
    refuses(g, "device_add virtio-blk-pci", "it needs drive=ID")
    refuses(g, "device_add edu,addr=1.0", "PCI slot 1 function 0 is taken")
    refuses(g, "device_del VGA", "the board needs it")
    before = shell(g, "ls /sys/bus/pci/devices | wc -l")
    for _ in range(2):
        answer = g.monitor("device_add virtio-blk-pci,drive=d,id=disk")
        check("Error" not in answer, answer)
        wait_for(g, "[ -b /dev/vda ]")
        sums = shell(g, "dd if=/dev/vda bs=64k 2>/dev/null | md5sum; md5sum < /dev/vda")
        check(sums.count(MD5) == 2, "another disk: " + sums)
        refuses(g, "device_add virtio-blk-pci,drive=d,id=other", "there is another drive with id 'd'")
        remove(g, "disk")
        wait_for(g, "[ ! -b /dev/vda ]")
    cards = ["virtio-net-pci", "e1000", "ne2k_pci"]
    if "42-there" in shell(g, "[ -e /lib/modules/8139cp.ko ] && echo $((6*7))-there"):  # of newer guest files
        cards.append("rtl8139")
    for card in cards:
        answer = g.monitor(f"device_add {card},netdev=n,id=card")
        check("Error" not in answer, answer)
        wait_for(g, "[ -d /sys/class/net/eth0 ]")
        has_network(g)
        remove(g, "card")
        wait_for(g, "[ ! -d /sys/class/net/eth0 ]")
    wait_for(g, "grep -q 0x11e8 /sys/bus/pci/devices/*/device")
    remove(g, "fixed")
    wait_for(g, "! grep -q 0x11e8 /sys/bus/pci/devices/*/device")
    after = shell(g, "ls /sys/bus/pci/devices | wc -l")
    check([int(n) for n in re.findall(r"^\d+$", before, re.M)] ==
          [int(n) + 1 for n in re.findall(r"^\d+$", after, re.M)], before + after)


def pci_saved(g, where):
    """A disk and a card have come, a device of the beginning has gone."""
    for line in ("device_add virtio-blk-pci,drive=d,id=disk", "device_add e1000,netdev=n,id=card"):
        check("Error" not in (answer := g.monitor(line)), answer)
    wait_for(g, "[ -b /dev/vda -a -d /sys/class/net/eth0 ]")
    remove(g, "fixed")
    for line in ("savevm with", f"migrate file:{where}/state", "cont", "loadvm with"):
        check("Error" not in (answer := g.monitor(line)), answer)
    remove(g, "disk")
    refuses(g, "loadvm with", "other devices were plugged in or out then")


def pci_came(g, _):
    """… in another process, where they go."""
    g.send("\n")
    g.expect("/ # ")
    has_disk(g)
    has_network(g)
    for name in ("disk", "card"):
        remove(g, name)
    wait_for(g, "[ ! -b /dev/vda -a ! -d /sys/class/net/eth0 ]")
    check("(fixed)" not in g.monitor("info pci"), "it is there again")


def does(g, *lines):
    for line in lines:
        answer = g.monitor(line)
        check(not re.search("Error|not found|busy|in use", answer), f"{line}: {answer}")


def now(g):
    """Instructions that the machine has executed."""
    return int(re.search(r"instruction count = (\d+)", g.monitor("info replay"))[1])


def sum_is(g, device, data):
    check(hashlib.md5(data).hexdigest() in shell(g, f"echo 3 > /proc/sys/vm/drop_caches; md5sum < {device}"),
          "another disk")


def network_goes(g):
    """From below a card, which sees it; the next card has the next network of that name."""
    does(g, "netdev_del m")
    wait_for(g, "[ $(cat /sys/class/net/eth0/carrier) = 0 ]")
    refuses(g, "set_link m on", "Device 'm' not found")
    does(g, "netdev_add user,id=m")
    refuses(g, "device_add e1000,netdev=m", "can't take value 'm', it's in use")
    remove(g, "card")
    does(g, "device_add e1000,netdev=m,id=card")
    wait_for(g, "[ -d /sys/class/net/eth0 ]")
    has_network(g)


def pci_recorded(g, where):
    """Devices come and go; then what is behind them does: one name is given twice."""
    pci(g, where)
    refuses(g, "device_add virtio-blk-pci,drive=e,id=more", "it needs drive=ID")
    does(g, f"drive_add 0 if=none,id=e,file={where}/e,format=raw", "netdev_add user,id=m",
         "netdev_add user,id=unused", "netdev_del unused", "object_add rng-random,id=r",
         f"chardev-add file,id=c,path={where}/c", "device_add virtio-blk-pci,drive=e,id=more",
         "device_add e1000,netdev=m,id=card", "device_add virtio-rng-pci,rng=r,id=rng")
    refuses(g, "drive_del e", "busy")
    refuses(g, "object_del r", "in use")
    refuses(g, "device_add virtio-net-pci,netdev=m", "can't take value 'm', it's in use")
    wait_for(g, "[ -b /dev/vda -a -d /sys/class/net/eth0 ]")
    sum_is(g, "/dev/vda", OTHER)
    has_network(g)
    network_goes(g)
    shell(g, "dd if=/dev/hwrng bs=64 count=1 2>/dev/null | md5sum; echo written | dd of=/dev/vda conv=notrunc; sync")
    g.marks.append(now(g))
    remove(g, "more")
    does(g, "drive_del e", "chardev-remove c", "drive_del d")
    refuses(g, "device_add virtio-blk-pci,drive=e,id=more", "it needs drive=ID")
    does(g, f"drive_add 0 if=none,id=e,file={where}/f,format=raw", f"chardev-add file,id=c,path={where}/c",
         "device_add virtio-blk-pci,drive=e,id=more")
    wait_for(g, "[ -b /dev/vda ]")
    sum_is(g, "/dev/vda", DISK[:4096])
    shell(g, "echo here-$((5*5)) | dd of=/dev/vda conv=notrunc,sync 2>/dev/null; sync")
    g.marks.append(now(g))


def has_disk(g):
    check(shell(g, "echo 3 > /proc/sys/vm/drop_caches; md5sum < /dev/vda").count(MD5) == 1, "another disk")


def pci_begun(g, where):
    """Two disks came, of which one has gone, and a device of the beginning."""
    for name in ("e", "f"):
        shutil.copy(f"{where}/disk", f"{where}/{name}")
    for line in (f"drive_add 0 if=none,id=e,file={where}/e,format=raw",
                 "device_add virtio-blk-pci,drive=e,id=gone", "device_add virtio-blk-pci,drive=d,id=disk",
                 f"drive_add 0 if=none,id=f,file={where}/f,format=raw,readonly=on"):
        answer = g.monitor(line)
        check("Error" not in answer, answer)
    wait_for(g, "[ -b /dev/vda -a -b /dev/vdb ]")
    remove(g, "gone")
    remove(g, "fixed")
    check("Error" not in g.monitor(f"begin_record {where}/r.mrec"), "begin_record")
    wait_for(g, "[ -b /dev/vdb ]")
    g.monitor("device_add virtio-blk-pci,drive=e,id=again")
    g.monitor("device_add virtio-blk-pci,drive=f,id=more")
    wait_for(g, "[ -b /dev/vda -a -b /dev/vdc ]")
    has_disk(g)
    remove(g, "disk")
    g.monitor("end_record")


def refuses_qmp(q, why, name, **arguments):
    try:
        q.command(name, **arguments)
    except QmpError as e:
        check(why in str(e), f"{name}: {e}")
        return
    raise Lost(f"{name} is not refused")


def qmp(g, where):
    """As programs do it: what is on the host's side, then the device."""
    q = Qmp(os.path.join(where, "qmp"))
    sockets = q.command("query-hotpluggable-cpus")
    check([s["props"]["core-id"] for s in sockets] == [1, 0] and "qom-path" not in sockets[0], str(sockets))
    q.command("device_add", driver=sockets[0]["type"], id="c", **{k.replace("-", "_"): v
              for k, v in sockets[0]["props"].items()})
    wait_for(g, f"[ -d {WHERE.format(1)} ]")
    check(len(q.command("query-cpus-fast")) == 2, "the CPU is not seen")
    refuses_qmp(q, "DeviceNotFound", "device_del", id="nobody")
    refuses_qmp(q, "'floppy' is not supported", "blockdev-add", driver="floppy", node_name="x")
    disk = {"driver": "raw", "node_name": "n", "file": {"driver": "file", "filename": os.path.join(where, "disk")}}
    q.command("blockdev-add", **disk)
    refuses_qmp(q, "another drive", "blockdev-add", **disk)
    q.command("device_add", driver="virtio-blk-pci", drive="n", id="disk")
    wait_for(g, "[ -b /dev/vda ]")
    check(MD5 in shell(g, "md5sum < /dev/vda"), "another disk")
    q.command("netdev_add", type="user", id="net")
    q.command("netdev_add", type="user", id="unused")
    refuses_qmp(q, "Duplicate ID 'net' for netdev", "netdev_add", type="user", id="net")
    q.command("netdev_del", id="unused")
    q.command("device_add", driver="e1000", netdev="net", mac="52:54:00:00:00:07", id="card")
    wait_for(g, "grep -q 52:54:00:00:00:07 /sys/class/net/eth0/address")
    q.command("netdev_del", id="net")
    wait_for(g, "ip link set eth0 up && [ $(cat /sys/class/net/eth0/carrier) = 0 ]")
    for name in ("disk", "card", "c"):
        q.command("device_del", id=name)
        event = q.wait_event("DEVICE_DELETED")
        check(event["data"] == {"device": name, "path": "/machine/peripheral/" + name}, str(event))


DISK = b"what is on the disk" * 1000
MD5 = hashlib.md5(DISK + bytes(-len(DISK) % 512)).hexdigest()
OTHER = b"another disk" * 2048
STATES = " -drive file={where}/states,format=qcow2"
PCI = "-device edu,id=fixed -netdev user,id=n -drive if=none,id=d,format=raw,file={where}/disk"

# What a process does that begins with the state of another
AGAIN = {cpu_saved: cpu_came, pci_saved: pci_came}
# What happens, options, guest
CASES = {
    "cpu": (cpu, "-smp 1,maxcpus=3", ""),
    "cpu-saved": (cpu_saved, "-smp 1,maxcpus=3" + STATES, ""),
    "cpu-recorded": (cpu, "-smp 1,maxcpus=3", ""),
    "pci": (pci, PCI, "-devices"),
    "qmp": (qmp, "-smp 1,maxcpus=2 -qmp unix:{where}/qmp,server=on,wait=off", "-devices"),
    "pci-recorded": (pci_recorded, PCI, "-devices"),
    "pci-recorded-interp": (pci_recorded, PCI, "-devices"),
    "pci-saved": (pci_saved, PCI + ",readonly=on" + STATES, "-devices"),
    "pci-begun": (pci_begun, PCI + " -icount shift=1", "-devices"),
}


def run(mimus, guest, options, act, where, extra):
    command = [mimus, "-nographic", "-m", "256", "-kernel", guest[0], "-initrd", guest[1],
               "-append", "console=ttyS0 quiet net.ifnames=0 mimus.drivers",
               *options.split(), *extra]
    with Guest(command, monitor=True) as g:
        g.marks = []
        if act not in AGAIN.values():
            g.expect("/ # ")
        act(g, where)
        check("faults-0" in shell(g, "echo faults-$(dmesg | grep -c -e Oops -e BUG: -e WARNING:)"),
              "the kernel complains")
        g.send("poweroff -f\n")
        check(g.finish() == 0, "it did not power off")
        return g.marks


def replay(mimus, recording, *options):
    p = subprocess.run([mimus, "-replay", recording, *options], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)
    said = p.stderr.decode(errors="replace")
    check(p.returncode == 0 and re.search(r"instructions, hashes agree$", said, re.M),
          f"the replay does not agree: {said}")
    check(b"done-42" in p.stdout, "the replay's console is another")


def counted(mimus, recording):
    """Instructions in it."""
    info = subprocess.run([mimus, "rec", "info", recording], capture_output=True, text=True, check=True)
    return int(re.search(r"instructions: (\d+)", info.stdout)[1])


def travel(mimus, recording, begin):
    """To and fro: every moment is what it was, whatever has come and gone since."""
    m = Machine(mimus, "-S", "-replay", recording, always=())
    try:
        r = m.connect()
        r.start()
        everywhere(r, counted(mimus, recording), True, begin)
        info = monitor(r, "info replay")
        check("defect" not in info, info)
    finally:
        m.end()


def goes_live(mimus, recording, count):
    """In the middle of a replay, with the image of a disk as it was when that came; then another card comes, and
    has a network."""
    where = os.path.dirname(recording)
    write_images(where)
    with Guest([mimus, "-replay", recording], timeout=600, monitor=True) as g:
        g.monitor(f"goto {count}")
        while str(count) not in g.monitor("when"):
            time.sleep(0.05)
        refuses(g, "go-live", "when they came: go-live e=FILE")
        refuses(g, f"go-live e={where}/e", "bytes, and the medium in 'e' had 4096")
        refuses(g, f"go-live e={where}/no", "No such file")
        refuses(g, f"go-live e={where}/f", "the recording is left")
        g.monitor("cont")
        g.send("echo live-$((3*3))\n")  # the replay's own prompts are before it
        g.expect("live-9\n")
        g.expect("/ # ")
        check("here-25" in shell(g, "echo 3 > /proc/sys/vm/drop_caches; head -n 1 /dev/vda"), "another disk")
        remove(g, "card")
        does(g, "netdev_add user,id=live", "device_add e1000,netdev=live,id=card")
        wait_for(g, "[ -d /sys/class/net/eth0 ]")
        has_network(g)
        g.send("poweroff -f\n")
        check(g.finish() == 0, "it did not power off")
    with open(os.path.join(where, "f"), "rb") as f:
        check(f.read() == DISK[:4096], "the image was written to")


def check_replays(mimus, recording, name, marks):
    interp = ("-accel", "tcg,backend=interp")
    replay(mimus, recording, *(interp if name.endswith("-interp") else ()))
    if name == "pci-begun":
        replay(mimus, recording, *interp)
    elif name == "pci-recorded":
        middle = counted(mimus, recording) * 3 // 4
        travel(mimus, recording, middle // 2)
        for begin in (middle, marks[0]):
            subprocess.run([mimus, "rec", "trim", f"{begin}..", recording, recording + ".part"], check=True)
            replay(mimus, recording + ".part")
        travel(mimus, recording + ".part", marks[0])
        goes_live(mimus, recording, marks[1])


def main():
    mimus, guest, name = sys.argv[1:4]
    act, options, kind = CASES[name]
    files = [os.path.join(guest, f) for f in (f"vmlinuz{kind}", f"initrd{kind}.gz")]
    if not all(map(os.path.exists, files)):
        print(f"no {files} in {guest}: scripts/guest-files {guest} devices")
        return 77
    try:
        with tempfile.TemporaryDirectory() as where:
            recording = os.path.join(where, "r.mrec")
            write_images(where)
            subprocess.run([mimus, "img", "create", "-f", "qcow2", os.path.join(where, "states"), "1M"],
                           check=True, stdout=subprocess.DEVNULL)
            recorded = "-recorded" in name
            marks = run(mimus, files, options.format(where=where), act, where, ["-record", recording] if recorded else [])
            if recorded or name == "pci-begun":
                for image in ("disk", "e", "f"):
                    os.remove(os.path.join(where, image))
                check_replays(mimus, recording, name, marks)
            for start in (["-loadvm", "with"], ["-incoming", f"file:{where}/state"]) if act in AGAIN else ():
                run(mimus, files, options.format(where=where), AGAIN[act], where, start)
    except Lost as e:
        print(f"{name}: {e}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
