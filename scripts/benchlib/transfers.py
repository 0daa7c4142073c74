# SPDX-License-Identifier: MIT
"""Disks and networks: how long transfers take in Mimus and in QEMU, in turns, on the same guest.

Wall time is what a user waits for, so both are shown; above 1 means that Mimus is faster.
"""
import argparse
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

import child
from emulator import Emulator, Guest, Session, Trouble

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("BUILD") or TOP / "build")
QEMU = "qemu-system-x86_64 -accel tcg"
MIB = 1 << 20
PATIENCE = 180

DISK_JOBS = {"write": "write 256 MiB", "read": "read 256 MiB", "write4k": "write 8000 x 4 KiB",
             "read4k": "read 8000 x 4 KiB"}
NET_JOBS = {"fetch": "fetch 64 MiB", "send": "send 64 MiB", "ping": "2000 pings, one by one", "small": "64 fetches of 1 KiB"}
DEVICES = {  # options, jobs
    "ide": ("-drive file={disk},format=raw,if=ide", DISK_JOBS),
    "virtio-blk": ("-drive file={disk},format=raw,if=virtio", DISK_JOBS),
    "e1000": ("-nic user,model=e1000", NET_JOBS),
    "virtio-net": ("-nic user,model=virtio-net-pci", NET_JOBS),
    "ne2k": ("-nic user,model=ne2k_pci", {job: NET_JOBS[job] for job in ("send", "ping", "small")}),  # QEMU's loses what is fetched
}


class Peer(threading.Thread):
    """What guests fetch from and send to."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.serve = serve
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection = self.socket.accept()[0]
            try:
                self.serve(connection)
            except OSError:
                pass
            connection.close()


def give(connection, size=64 * MIB):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    connection.sendall(bytes(size))


def give_little(connection):
    give(connection, 1024)


def take(connection):
    while connection.recv(MIB):
        pass


def measure(emulator, guest, options, jobs, ports, log):
    """{job: Stamp of what it took} of one boot."""
    command = (f"{emulator.command} -M pc -cpu {guest.cpu} -m {guest.memory} -nographic -no-reboot "
               f"-kernel {{kernel}} -initrd {{initrd}} -append '{{append}}' {options}")
    session = Session(Emulator(emulator.label, command), guest, log)
    took = {}
    try:
        session.expect(rb"transfers ready", PATIENCE)
        for job in jobs:
            start = session.now()
            session.send(f"{job} {ports.get(job, '')}")
            line, end = session.expect(rb"^job \w+ ended", PATIENCE)
            if line != f"job {job} ended: 0":
                raise Trouble(line)
            took[job] = end - start
    finally:
        session.power_off()
    return took


def best(stamps, what):
    return min(getattr(s, what) for s in stamps)


def show(device, jobs, results, labels):
    ours, theirs = (results[label] for label in labels)
    for job, text in jobs.items():
        cells = []
        for what in ("wall", "cpu"):
            a, b = (best([r[job] for r in runs], what) for runs in (ours, theirs))
            cells.append(f"{a:8.2f} {b:8.2f} {b / max(a, 0.01):7.2f}")
        print(f"{device:<12}{text:<20}" + "  ".join(cells), flush=True)


def chosen(words):
    """{device: {job: text}} of words DEVICE and DEVICE:JOB, or of all there is."""
    rows = {}
    for word in words or DEVICES:
        device, _, job = word.partition(":")
        jobs = DEVICES[device][1] if device in DEVICES else {}
        if not jobs or (job and job not in jobs):
            sys.exit(f"bench-transfers: no {word}; there are {', '.join(DEVICES)}, and of them "
                     f"{', '.join(DISK_JOBS | NET_JOBS)}")
        rows.setdefault(device, {}).update({job: jobs[job]} if job else jobs)
    return rows


def main():
    parser = argparse.ArgumentParser(prog="bench-transfers", description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="DEVICE[:JOB]", help=", ".join(DEVICES))
    parser.add_argument("-r", "--rounds", type=int, default=2)
    parser.add_argument("--emulator", default=str(BUILD / "mimus"))
    parser.add_argument("--reference", default=QEMU)
    options = parser.parse_args()
    rows = chosen(options.rows)
    child.end_with_signals()
    subprocess.run([TOP / "scripts/guest-files", BUILD / "guest", "devices"], check=True)
    guest = Guest(kernel=str(BUILD / "guest/vmlinuz-devices"), memory=512, cpu="max", vcpus=1,
                  initrd=str(BUILD / "guest/initrd-devices.gz"),
                  append="console=ttyS0 quiet net.ifnames=0 mimus.transfers")
    emulators = [Emulator("mimus", options.emulator), Emulator("reference", options.reference)]
    ports = {"fetch": Peer(give).port, "send": Peer(take).port, "small": Peer(give_little).port}
    print(f"{'seconds':<32}{'wall':>8} {'QEMU':>8} {'ratio':>7}  {'CPU':>8} {'QEMU':>8} {'ratio':>7}")
    with tempfile.TemporaryDirectory() as where:
        for device, jobs in rows.items():
            extra = DEVICES[device][0]
            disk = os.path.join(where, "disk")
            with open(disk, "wb") as f:
                f.truncate(256 * MIB)
            results = {e.label: [] for e in emulators}
            for _ in range(options.rounds):
                for e in emulators:
                    results[e.label].append(measure(e, guest, extra.format(disk=disk), jobs, ports,
                                                    os.path.join(where, "console")))
            show(device, jobs, results, [e.label for e in emulators])


if __name__ == "__main__":
    try:
        main()
    except Trouble as trouble:
        sys.exit(f"bench-transfers: the guest {trouble}")
