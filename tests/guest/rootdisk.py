#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian from its own disk: `rootdisk.py MIMUS DISK CASE [AMOUNT]`; scripts/root-disk makes the disk.

  ide, virtio     GRUB's menu, the kernel, systemd without a failed unit, the login prompt; switched off from inside
  grub            grub-install and update-grub inside; the disk starts again with what they made
  package         apt-get installs packages of a server on the host's loopback
  ssh             files go both ways through ssh to the guest (hostfwd=)
  stress          stress-ng on eight CPUs for AMOUNT minutes (10); the kernel sees nothing amiss
  powercut        killed at a random moment of writing, AMOUNT times (3): the file system is sound, what was safe is there

The disk itself stays as it is. Exit status 77 (skip) without the disk or a tool.
"""
import functools
import hashlib
import http.server
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import powercut
from dialogue import Guest, Lost

PARTITION = 1 << 20  # where it begins on the disk
BAD = r"(?i)soft lockup|hard lockup|rcu\S*:? .*stall|blocked for more than|hung_task|BUG:|Oops|Call Trace|general protection"
PROMPT = r"root@mimus:[^#\n]*# $"
PATIENCE = int(os.environ.get("MIMUS_PATIENCE", "1"))
BOOT_S = 600 * PATIENCE


def check(good, what):
    if not good:
        raise Lost(what)


class Debian(Guest):
    """A machine with the disk, or what is above it."""

    def __init__(self, mimus, disk, *options, interface="virtio", timeout=BOOT_S, menu="GNU GRUB.*Debian GNU/Linux"):
        command = [mimus, "-m", "1024", "-nographic", "-no-reboot", "-drive", f"file={disk},if={interface}", *options]
        super().__init__(command, timeout)
        self.menu = menu

    def login(self):
        self.expect(self.menu)
        self.send("\r")
        self.expect(r"Linux version .*Debian GNU/Linux \d+ mimus ttyS0.*mimus login: ")
        self.send("root\n")
        self.expect("Password: ")
        self.send("mimus\n")
        self.expect(PROMPT)
        self.run("export TERM=dumb; stty columns 200")
        return self

    def start(self, line):
        self.send(line + "\n")
        self.expect(re.escape(line[-20:]) + r"\n")  # its echo

    def run(self, line, status=0):
        """What a command said, which ends with @status."""
        self.start(f"{line}; echo status $?")
        said = self.expect(r"status \d+\n.*?" + PROMPT)
        text, _, rest = said.rpartition("status ")
        check(status is None or int(rest.split()[0]) == status, f"{line}: {said}")
        return text.strip()

    def off(self):
        self.send("systemctl poweroff\n")
        check(self.finish() == 0, "it did not switch itself off")


def boots(interface, device, mimus, disk, where):
    with Debian(mimus, disk, "-snapshot", interface=interface) as g:
        g.login()
        state = g.run("systemctl is-system-running --wait", None)
        check(state == "running", f"systemd is {state}: {g.run('systemctl --failed', None) if g else ''}")
        check(g.run("findmnt -n -o SOURCE /") == device, "the root file system is elsewhere")
        check(not re.search(BAD, g.run("dmesg")), "what the kernel says")
        g.off()


def overlay(mimus, disk, where):
    path = os.path.join(where, "overlay")
    powercut.tool(mimus, "img", "create", "-f", "qcow2", "-b", os.path.abspath(disk), "-F", "raw", path)
    return path


def grub(mimus, disk, where):
    """Both write what SeaBIOS reads next; the menu is then the distribution's."""
    path = overlay(mimus, disk, where)
    with Debian(mimus, path) as g:
        g.login()
        check("No error reported" in g.run("grub-install /dev/vda 2>&1"), "grub-install")
        g.run("update-grub")
        g.off()
    with Debian(mimus, path, menu=r"GNU GRUB.*Advanced options") as g:
        g.login()
        check("root=UUID=" in g.run("cat /proc/cmdline"), "the menu is the old one")
        g.off()


class Quiet(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


def repository(where):
    """Two packages, one of which needs the other, and their list; contents of the greater one."""
    content = random.Random(1).randbytes(20 << 20)
    listed = []
    for name, more in (("mimus-data", ""), ("mimus-tool", "Depends: mimus-data (= 1.0)\n")):
        root = os.path.join(where, name)
        os.makedirs(root + "/DEBIAN")
        os.makedirs(root + "/usr/share/mimus")
        control = f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\n{more}Description: for a test\n"
        with open(root + "/DEBIAN/control", "w", encoding="utf-8") as f:
            f.write(control)
        with open(f"{root}/usr/share/mimus/{name}", "wb") as f:
            f.write(content if name == "mimus-data" else b"tool\n")
        powercut.tool("dpkg-deb", "--root-owner-group", "-Znone", "--build", root, f"{where}/{name}.deb")
        with open(f"{where}/{name}.deb", "rb") as f:
            data = f.read()
        listed.append(f"{control}Filename: ./{name}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n")
    with open(where + "/Packages", "w", encoding="utf-8") as f:
        f.write("\n".join(listed))
    return hashlib.md5(content).hexdigest()


def package(mimus, disk, where):
    digest = repository(where)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=where))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with Debian(mimus, disk, "-snapshot", "-nic", "user") as g:
        g.login()
        g.run("networkctl -q 2>/dev/null; /lib/systemd/systemd-networkd-wait-online")
        g.run(f"echo 'deb [trusted=yes] http://10.0.2.2:{server.server_port}/ ./' >/etc/apt/sources.list")
        g.run("apt-get -q update")
        print(g.run("apt-get -qy install mimus-tool"))
        check(digest in g.run("md5sum /usr/share/mimus/mimus-data"), "what was installed is not what was packed")
        check("install ok installed" in g.run("dpkg -s mimus-tool"), "the package is not installed")
        g.off()
    server.shutdown()


def ssh(mimus, disk, where):
    key = os.path.join(where, "key")
    powercut.tool("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    data = random.Random(2).randbytes(16 << 20)
    with open(key + ".pub", encoding="utf-8") as f:
        public = f.read().strip()
    with Debian(mimus, disk, "-snapshot", "-nic", "user,hostfwd=tcp:127.0.0.1:0-:22", "-monitor",
                f"unix:{where}/monitor,server=on,wait=off") as g:
        g.login()
        g.run("/lib/systemd/systemd-networkd-wait-online")
        g.run("mkdir -p -m 700 /root/.ssh")
        g.run(f"echo '{public}' >/root/.ssh/authorized_keys")
        from hmp import Hmp
        port = re.search(r"TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)", Hmp(where + "/monitor").command("info usernet"))[1]
        there = ["ssh", "-q", "-p", port, "-i", key, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                 "-o", "BatchMode=yes", "-o", "ConnectTimeout=60", "root@127.0.0.1"]
        done = subprocess.run([*there, "cat >/root/file; md5sum </root/file"], input=data, capture_output=True, timeout=BOOT_S, check=False)
        check(hashlib.md5(data).hexdigest().encode() in done.stdout, f"to the guest: {done}")
        done = subprocess.run([*there, "cat /root/file"], stdin=subprocess.DEVNULL, capture_output=True, timeout=BOOT_S, check=False)
        check(done.stdout == data, f"from the guest: {len(done.stdout)} bytes, {done.stderr}")
        g.off()


STRESSORS = ("--cpu 4 --vm 2 --vm-bytes 64M --fork 2 --switch 4 --timer 2 --mutex 2 --futex 2 --sock 1 --pipe 2 --poll 2 --hdd 1 "
             "--hdd-bytes 32M --fault 2 --mmap 1 --mmap-bytes 32M --sem 2 --signal 2 --clone 1 --yield 2 --tlb-shootdown 1")


def stress(mimus, disk, where, minutes=10):
    with Debian(mimus, disk, "-snapshot", "-smp", "8", timeout=BOOT_S + 3 * 60 * int(minutes)) as g:
        g.login()
        check(g.run("nproc") == "8", "CPUs are missing")
        said = g.run(f"stress-ng {STRESSORS} --metrics-brief --timeout {minutes}m --temp-path /var/tmp 2>&1", None)
        print(said)
        check("successful run completed" in said, "stress-ng has failed")
        told = g.run("dmesg")
        check(not re.search(BAD, told), f"the kernel says:\n{told[-5000:]}")
        g.off()
        seen = re.search(BAD, g.all.decode(errors="replace"))
        check(not seen, f"on the console: {seen}")


def cut_once(mimus, path, interface, first, rng):
    """The machine is killed in the middle; the last number that was safe."""
    with Debian(mimus, path, interface=interface) as g:
        g.login()
        g.start("while :; do tar -C /usr -cf /var/tmp/ballast lib/x86_64-linux-gnu; rm /var/tmp/ballast; done 2>/dev/null &")
        g.start(f"guest-writer /srv/kept {first}")
        g.expect(r"safe \d+\n")
        end, text = time.monotonic() + rng.uniform(0, 10), ""
        while time.monotonic() < end:
            text += g.expect(r"safe \d+\n")
        g.p.kill()
        g.all += g.p.stdout.read()
        return int(re.findall(rb"^safe (\d+)\r?$", g.all, re.M)[-1])


def cuts(mimus, disk, where, rounds=3):
    seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    rng, path, first = random.Random(seed), overlay(mimus, disk, where), 0
    print(f"SEED={seed}")
    for n in range(int(rounds)):
        safe = cut_once(mimus, path, ("virtio", "ide")[n % 2], first, rng)
        powercut.check_disk(mimus, (path, "qcow2"), where, first, safe, PARTITION, "/srv/kept")
        print(f"cut after {safe - first} files")
        first = safe + 1000
    boots("virtio", "/dev/vda1", mimus, path, where)


CASES = {"ide": functools.partial(boots, "ide", "/dev/sda1"), "virtio": functools.partial(boots, "virtio", "/dev/vda1"),
         "grub": grub, "package": package, "ssh": ssh, "stress": stress, "powercut": cuts}
TOOLS = {"package": ["dpkg-deb"], "ssh": ["ssh", "ssh-keygen"], "powercut": ["e2fsck", "debugfs"]}


def main():
    mimus, disk, case, *amount = sys.argv[1:]
    os.environ["PATH"] += ":/sbin:/usr/sbin"
    if not os.path.exists(disk):
        print(f"no {disk}: scripts/root-disk {disk}")
        return 77
    for tool in TOOLS.get(case, []):
        if not shutil.which(tool):
            print(f"no {tool} here")
            return 77
    with tempfile.TemporaryDirectory() as where:
        try:
            CASES[case](mimus, disk, where, *amount)
        except Lost as e:
            print(f"{case}: {e}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
