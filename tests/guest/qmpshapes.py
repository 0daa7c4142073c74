#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers of QMP commands have QEMU's members: `qmpshapes.py MIMUS [QEMU]`.

Both run the same machine. Of each answer its shape is compared: members by path, and the kinds of their
values. What QEMU has and we lack is an error unless LACKING says why, as is another kind. Exit status 77
(skip) without QEMU.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

from qmpclient import Qmp, QmpError

COMMANDS = [
    ("query-version", {}), ("query-status", {}), ("query-name", {}), ("query-uuid", {}),
    ("query-kvm", {}), ("query-target", {}), ("query-commands", {}), ("query-machines", {}),
    ("query-current-machine", {}), ("query-cpu-definitions", {}), ("query-cpus-fast", {}),
    ("query-hotpluggable-cpus", {}), ("query-block", {}), ("query-named-block-nodes", {}),
    ("query-blockstats", {}), ("query-pci", {}), ("query-vnc", {}), ("query-vnc-servers", {}),
    ("query-chardev", {}), ("query-chardev-backends", {}), ("query-iothreads", {}),
    ("query-memory-size-summary", {}), ("query-memory-devices", {}), ("query-memdev", {}),
    ("query-mice", {}), ("query-display-options", {}), ("query-migrate", {}),
    ("query-migrate-capabilities", {}), ("query-jobs", {}), ("query-tpm-models", {}),
    ("query-command-line-options", {}), ("query-fdsets", {}), ("query-rx-filter", {}),
    ("query-stats-schemas", {}), ("query-block-jobs", {}), ("query-balloon", {}),
    ("query-cpu-model-expansion", {"type": "full", "model": {"name": "qemu64"}}),
    ("qom-list-types", {"abstract": True}), ("qom-list", {"path": "/"}),
    ("qom-list", {"path": "/machine/peripheral"}),
    ("qom-list", {"path": "/machine/peripheral/nic"}),
    ("device-list-properties", {"typename": "e1000"}),
    ("device-list-properties", {"typename": "bogus"}),
    ("qom-list-properties", {"typename": "pc-i440fx-7.2-machine"}),
    ("qom-get", {"path": "/machine", "property": "type"}),
    ("qom-get", {"path": "/machine/peripheral/nic", "property": "netdev"}),
    ("qom-get", {"path": "/machine", "property": "bogus"}),
    ("qom-get", {"path": "/bogus", "property": "type"}),
    ("qom-set", {"path": "/machine", "property": "type", "value": 1}),
    ("qom-set", {"path": "/machine/peripheral/nic", "property": "netdev", "value": "x"}),
    ("qom-set", {"path": "/machine/peripheral/nic", "property": "legacy-addr", "value": "x"}),
    ("qom-get", {"path": "/machine/peripheral/nic", "property": "mac"}),
    ("qom-get", {"path": "/machine/peripheral/nic", "property": "addr"}),
    ("qom-get", {"path": "/machine/peripheral/nic", "property": "bootindex"}),
    ("qom-get", {"path": "/machine", "property": "smp"}), ("qom-get", {"path": "/machine", "property": "boot"}),
    ("qom-get", {"path": "/machine", "property": "usb"}), ("qom-get", {"path": "/machine", "property": "dump-guest-core"}),
    ("qom-get", {"path": "/machine/unattached/device[0]", "property": "die-id"}),
    ("qom-get", {"path": "/machine/unattached/device[0]", "property": "realized"}),
    ("set_link", {"name": "bogus", "up": True}), ("set_link", {"name": "nic", "up": False}),
    ("device_del", {"id": "bogus"}), ("netdev_del", {"id": "bogus"}),
    ("blockdev-del", {"node-name": "bogus"}), ("chardev-remove", {"id": "bogus"}),
    ("chardev-remove", {"id": "compat_monitor0"}), ("object-del", {"id": "bogus"}),
    ("object-add", {"qom-type": "bogus", "id": "x"}),
    ("object-add", {"qom-type": "iothread", "id": "x"}),
    ("object-add", {"qom-type": "iothread", "id": "x"}), ("query-iothreads", {}),
    ("qom-set", {"path": "/objects/x", "property": "poll-max-ns", "value": 5}),
    ("qom-set", {"path": "/objects/x", "property": "poll-grow", "value": -5}),
    ("qom-set", {"path": "/objects/x", "property": "poll-shrink", "value": "x"}),
    ("qom-get", {"path": "/objects/x", "property": "poll-max-ns"}), ("query-iothreads", {}),
    ("chardev-add", {"id": "c", "backend": {"type": "pty", "data": {}}}),
    ("chardev-add", {"id": "c", "backend": {"type": "null", "data": {}}}),
    ("getfd", {"fdname": "x"}), ("closefd", {"fdname": "x"}), ("add-fd", {}),
    ("remove-fd", {"fdset-id": 7}), ("job-dismiss", {"id": "x"}),
    ("blockdev-open-tray", {"device": "ide0-hd0"}), ("blockdev-open-tray", {"device": "bogus"}),
    ("blockdev-open-tray", {"device": "ide1-cd0"}), ("blockdev-close-tray", {"device": "ide1-cd0"}),
    ("block_resize", {"device": "bogus", "size": 512}), ("block_resize", {"device": "ide0-hd0", "size": 1 << 21}),
    ("block-stream", {"device": "bogus"}), ("block-commit", {"device": "bogus"}), ("block-commit", {"device": "ide0-hd0"}),
    ("drive-mirror", {"device": "bogus", "target": "x", "sync": "full"}),
    ("drive-backup", {"device": "ide0-hd0", "target": "/nonexistent/x", "sync": "full"}),
    ("block-job-cancel", {"device": "x"}), ("block-job-complete", {"device": "x"}), ("block-job-pause", {"device": "x"}),
    ("block-job-set-speed", {"device": "x", "speed": 1}), ("job-cancel", {"id": "x"}), ("job-finalize", {"id": "x"}),
    ("drive-mirror", {"device": "ide0-hd0", "target": "WHERE/mirror", "sync": "full", "format": "raw", "speed": 1,
                      "job-id": "m"}),
    ("query-block-jobs", {}), ("query-jobs", {}), ("job-resume", {"id": "m"}),
    ("block-job-cancel", {"device": "m", "force": True}), ("query-jobs", {}),
    ("drive-backup", {"device": "ide0-hd0", "target": "WHERE/x", "sync": "full", "job-id": "1"}),
    ("blockdev-create", {"job-id": "c", "options": {"driver": "file", "filename": "WHERE/new", "size": 1 << 20}}),
    ("blockdev-create", {"job-id": "c", "options": {"driver": "file", "filename": "WHERE/new", "size": 1 << 20}}),
    ("query-jobs", {}), ("job-dismiss", {"id": "c"}), ("job-dismiss", {"id": "c"}),
    ("blockdev-snapshot-sync", {"device": "ide0-hd0", "snapshot-file": "WHERE/above"}), ("query-block", {}),
    ("blockdev-snapshot-sync", {"device": "bogus", "snapshot-file": "WHERE/above"}),
    ("blockdev-snapshot-internal-sync", {"device": "bogus", "name": "s"}),
    ("blockdev-snapshot-internal-sync", {"device": "ide1-cd0", "name": "s"}),
    ("blockdev-snapshot-internal-sync", {"device": "ide0-hd0", "name": ""}),
    ("blockdev-snapshot-internal-sync", {"device": "ide0-hd0", "name": "s"}),
    ("blockdev-snapshot-internal-sync", {"device": "ide0-hd0", "name": "s"}),
    ("transaction", {"actions": [{"type": "blockdev-snapshot-internal-sync", "data": {"device": "ide0-hd0", "name": "t"}},
                                 {"type": "abort", "data": {}}]}), ("query-block", {}),
    ("blockdev-snapshot-delete-internal-sync", {"device": "ide0-hd0"}),
    ("blockdev-snapshot-delete-internal-sync", {"device": "ide0-hd0", "name": "t"}),
    ("blockdev-snapshot-delete-internal-sync", {"device": "ide0-hd0", "id": "1", "name": "t"}),
    ("blockdev-snapshot-delete-internal-sync", {"device": "ide0-hd0", "name": "s"}),
    ("eject", {"device": "ide0-hd0"}), ("set_password", {"protocol": "vnc", "password": "x"}),
    ("set_password", {"protocol": "spice", "password": "x"}),
    ("human-monitor-command", {"command-line": "info status"}),
    ("query-dump", {}), ("query-dump-guest-memory-capability", {}), ("query-acpi-ospm-status", {}),
    ("query-spice", {}), ("query-pr-managers", {}), ("query-yank", {}), ("query-sev", {}), ("query-sgx", {}),
    ("query-sgx-capabilities", {}), ("query-vcpu-dirty-limit", {}), ("rtc-reset-reinjection", {}), ("x-query-usb", {}),
    ("migrate-start-postcopy", {}), ("x-exit-preconfig", {}), ("migrate-continue", {"state": "pre-switchover"}),
    ("balloon", {"value": 1 << 26}), ("query-stats", {"target": "vm"}),
    ("expire_password", {"protocol": "vnc", "time": "never"}), ("expire_password", {"protocol": "spice", "time": "now"}),
    ("announce-self", {"initial": 50, "max": 500, "rounds": 1, "step": 50}), ("announce-self", {}),
    ("announce-self", {"initial": 0, "max": 500, "rounds": 1, "step": 50}),
    ("system_wakeup", {}), ("bogus", {}), ("stop", {"bogus": 1}), ("eject", {"device": 3}),
]

# path of a member that we lack: why
LACKING = {
    "query-blockstats/[]/parent": "a node and its file are one",
    "query-blockstats/[]/backing": "what is behind an image is not counted",
    "query-command-line-options/[]/parameters/[]/help": "help is of options",
    "query-command-line-options/[]/parameters/[]/default": "likewise",
    "query-cpu-model-expansion/model/props": "what no CPU here can have is not listed",
    "query-tpm-models/[]": "there are none",
    "query-yank/[]": "likewise",
    "device-list-properties/[]/default-value": "descriptions tell it",
    "qom-list-properties/[]/description": "names say it",
}


def shape(value, path, out):
    """Adds the kind of @value, and what is below it, to @out by path."""
    kind = type(value).__name__
    if isinstance(value, dict):
        for name, member in value.items():
            shape(member, f"{path}/{name}", out)
    elif isinstance(value, list):
        for member in value:
            shape(member, path + "/[]", out)
    out.setdefault(path, set()).add("number" if kind in ("int", "float") else kind)


def placed(arguments, where):
    """@arguments with a file of its own for each program."""
    return json.loads(json.dumps(arguments).replace("WHERE", where))


def answer(q, name, arguments):
    try:
        return {"return": q.command(name, **arguments)}
    except QmpError as e:
        return {"error": str(e)}


def start(binary, where, name):
    path = os.path.join(where, name)
    vnc = os.path.join(where, name + ".vnc")
    images = [os.path.join(where, f"{name}.{i}") for i in ("hd", "cd", "overlay")]
    for image, options in zip(images, (["-f", "qcow2"], ["-f", "raw"],
                                       ["-f", "qcow2", "-b", images[1], "-F", "raw"])):
        subprocess.run(["qemu-img", "create", "-q", *options, image, "1M"], check=True)
    process = subprocess.Popen(
        [binary, "-accel", "tcg", "-display", "none", "-S", "-name", "x", "-hda", images[0],
         "-cdrom", images[1], "-smp", "2,maxcpus=3", "-vnc", f"unix:{vnc}",
         "-netdev", "user,id=n0", "-device", "e1000,netdev=n0,id=nic",
         "-drive", f"if=none,id=dd,file={images[2]},format=qcow2,readonly=on",
         "-device", "virtio-blk-pci,drive=dd,id=vb",
         "-qmp", f"unix:{path},server=on,wait=off"], stdin=subprocess.DEVNULL)
    return process, path


def is_known(path):
    return any(path == known or path.startswith(known + "/") for known in LACKING)


def compare(name, arguments, theirs, ours):
    if "error" in theirs or "error" in ours:
        if theirs != ours:
            yield f"{name} {arguments}: {ours}, QEMU: {theirs}"
        return
    want, got = {}, {}
    shape(theirs["return"], name, want)
    shape(ours["return"], name, got)
    for path, kinds in want.items():
        if is_known(path):
            continue
        if path not in got:
            if path.rsplit("/", 1)[0] in got:
                yield f"{path}: lacking ({arguments})"
        elif not got[path] <= kinds:
            yield f"{path}: {got[path]}, QEMU: {kinds}"


def main():
    mimus = sys.argv[1]
    qemu = sys.argv[2] if len(sys.argv) > 2 else "qemu-system-x86_64"
    if not shutil.which(qemu) or not shutil.which("qemu-img"):
        sys.exit(77)
    found = []
    with tempfile.TemporaryDirectory() as where:
        machines = []
        for side in "ab":
            os.mkdir(os.path.join(where, side))
        try:
            machines = [start(qemu, where, "theirs"), start(mimus, where, "ours")]
            theirs, ours = (Qmp(path) for _, path in machines)
            for name, arguments in COMMANDS:
                found += compare(name, arguments, answer(theirs, name, placed(arguments, os.path.join(where, "a"))),
                                 answer(ours, name, placed(arguments, os.path.join(where, "b"))))
        finally:
            for process, _ in machines:
                process.kill()
                process.wait()
    print("\n".join(found) if found else "members are as QEMU has them")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
