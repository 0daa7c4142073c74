#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Recordings of boots: `record.py MIMUS GUESTDIR CASE`, run by `meson test`.

A boot into the shell is recorded while somebody types; its replays print the same console and
agree in all hashes. Exit status 77 (skip) without the guest files that scripts/guest-files makes.
"""
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading

PROMPT = b"/ # "
TYPED = [b"echo typed-$((6*7)); cat /proc/interrupts\n", b"date; poweroff -f\n"]
AGREE = r"^mimus: replay: (\d+) instructions, hashes agree$"
STREAM_MAX = 100000  # bytes of recording beyond the files in it
TIMEOUT = 280

# options, options of the replays, what happens to the recording process
CASES = {
    "chaos": ("-smp 2 -chaos 1", ("",), ""),
    "typed": ("", ("",), ""),
    "typed-smp4": ("-smp 4", ("",), ""),
    "killed": ("", ("",), "killed"),
    "full-disk": ("", ("",), "full"),
    "interp": ("", ("-accel tcg,backend=interp",), ""),
}


def monitor(line):
    return b"\x01c" + line.encode() + b"\n\x01c"


def record_part(mimus, guest, recording):
    """Begun at the first prompt, ended at the third."""
    command = [mimus, "-nographic", "-m", "256", "-icount", "shift=1", "-smp", "2", "-kernel",
               os.path.join(guest, "vmlinuz"), "-initrd", os.path.join(guest, "initrd.gz"),
               "-append", "console=ttyS0"]
    todo = [monitor("begin_record " + recording) + TYPED[0], b"echo two-$((1+1))\n",
            monitor("end_record") + b"poweroff -f\n"]
    print("+", " ".join(command), flush=True)
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    watchdog = threading.Timer(TIMEOUT, p.kill)
    watchdog.start()
    console, typed = b"", 0
    for text in iter(lambda: os.read(p.stdout.fileno(), 4096), b""):
        console += text
        if typed < len(todo) and console.count(PROMPT) > typed:
            p.stdin.write(todo[typed])
            p.stdin.flush()
            typed += 1
    check(p.wait() == 0 and b"two-2" in console, f"recording a part: {console[-2000:]}")
    watchdog.cancel()


def check_part(mimus, recording):
    for options in ([], ["-accel", "tcg,backend=interp"]):
        status, text, said = replay(mimus, ["-replay", recording] + options)
        check(status == 0 and re.search(AGREE, said, re.M), "the replay does not agree")
        check(b"typed-42" in text and b"two-2" in text and b"Memory:" not in text,
              "the replay's console is another")


def machine(guest):
    return ["-nographic", "-m", "512", "-kernel", os.path.join(guest, "vmlinuz"),
            "-initrd", os.path.join(guest, "initrd.gz"), "-append", "console=ttyS0"]


def alias(what, recording):
    """As QEMU's users say it, with the same machine for both."""
    return ["-icount", f"shift=1,rr={what},rrfile={recording}"]


def record(mimus, guest, options, recording, kill=False, largest=resource.RLIM_INFINITY):
    """Types a line at each prompt; the console, and what is said besides."""
    command = [mimus] + machine(guest) + options.split()
    command += alias("record", recording) if kill else ["-record", recording]
    print("+", " ".join(command), flush=True)
    with tempfile.TemporaryFile() as said:
        return type_lines(command, kill, largest, said)


def type_lines(command, kill, largest, said):
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said,
                         preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE,
                                                               (largest, largest)))
    watchdog = threading.Timer(TIMEOUT, p.kill)
    watchdog.start()
    console, typed = b"", 0
    for text in iter(lambda: os.read(p.stdout.fileno(), 4096), b""):
        console += text
        if typed < len(TYPED) and console.count(PROMPT) > typed:
            p.stdin.write(TYPED[typed])
            p.stdin.flush()
            typed += 1
        if kill and typed == len(TYPED):
            p.kill()
    status = p.wait()
    watchdog.cancel()
    expected = -signal.SIGKILL if kill else 0
    if status != expected or b"typed-42" not in console:
        print(console.decode(errors="replace")[-3000:])
        sys.exit(f"recording: exit status {status}, typed {typed} lines")
    said.seek(0)
    said = said.read().decode(errors="replace")
    print(said, end="", flush=True)
    return console, said


def replay(mimus, arguments):
    command = [mimus] + arguments
    print("+", " ".join(command), flush=True)
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    said = p.stderr.decode(errors="replace")
    print(said, end="", flush=True)
    return p.returncode, p.stdout, said


def check(good, what):
    if not good:
        sys.exit("wrong: " + what)


def check_whole(mimus, recording, console, options):
    status, text, said = replay(mimus, ["-replay", recording] + options.split())
    check(status == 0 and re.search(AGREE, said, re.M), "the replay does not agree")
    check(text == console, "the replay's console is another")


def check_killed(mimus, recording, console):
    status, text, said = replay(mimus, ["-replay", recording])
    check(status == 0 and "the recording is not whole: it was not ended" in said,
          "what the killed process left is not replayed")
    # The two ended at different moments.
    check(len(text) > 1000 and (console.startswith(text) or text.startswith(console)),
          "the replay's console is another")


def check_full_disk(mimus, guest, recording):
    """The guest goes on when there is no more room; what was recorded before can be replayed. Without room for what
    a recording begins with there is none, and no machine."""
    p = subprocess.run([mimus, *machine(guest), "-record", recording], stdin=subprocess.DEVNULL, capture_output=True,
                       text=True, check=False,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50000, 50000)))
    check(p.returncode == 1 and re.fullmatch(r"mimus: -record: could not write '.*': File too large\n", p.stderr),
          "without any room: " + p.stderr)
    record(mimus, guest, "", recording)
    info = subprocess.run([mimus, "rec", "info", recording], capture_output=True, text=True,
                          check=True).stdout
    size, stream = map(int, re.search(r"(\d+) bytes, (\d+) without the files", info).groups())
    console, said = record(mimus, guest, "", recording, largest=size - stream // 2)
    check("recording has stopped, the machine goes on: File too large" in said, "nothing is said")
    check(os.path.getsize(recording) <= size - stream // 2, "it is larger than it may be")
    check_killed(mimus, recording, console)


def main():
    mimus, guest, name = sys.argv[1:4]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        print("no guest files: run scripts/guest-files")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        recording = os.path.join(folder, "boot.rec")
        if name == "begun":
            record_part(mimus, guest, recording)
            check_part(mimus, recording)
            return 0
        options, replays, happens = CASES[name]
        if happens == "full":
            check_full_disk(mimus, guest, recording)
            return 0
        console, _ = record(mimus, guest, options, recording, happens == "killed")
        if happens:
            check_killed(mimus, recording, console)
            return 0
        info = subprocess.run([mimus, "rec", "info", recording], capture_output=True, text=True,
                              check=True).stdout
        print(info, end="")
        check(int(re.search(r"(\d+) without the files", info)[1]) < STREAM_MAX, "it is too large")
        for more in replays:
            check_whole(mimus, recording, console, more)
        if name == "typed":
            status, text, said = replay(mimus, ["replay", "--verify", recording])
            check(status == 0 and not text and re.search(AGREE, said, re.M), "replay --verify")
            status, text, said = replay(mimus, machine(guest) + alias("replay", recording))
            check(status == 0 and text == console and re.search(AGREE, said, re.M), "rr=replay")
    return 0


sys.exit(main())
