#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Guest boots: one row per case, run by `meson test` as `boot.py MIMUS GUESTDIR CASE`.

A case boots Debian's kernel with the small initramfs and looks at the console and the exit status.
`boot.py MIMUS GUESTDIR --list` prints the cases. Exit status 77 (skip) if the guest files that
scripts/guest-files makes are not there. MIMUS_PATIENCE=N multiplies the time that a case may take.
"""
import os
import re
import subprocess
import sys

PATIENCE = int(os.environ.get("MIMUS_PATIENCE", "1"))
CHECK = "console=ttyS0 mimus.check"
PASSED = r"^self-check passed$"
POWERED_OFF = r"reboot: Power down"
# What no boot may print. Kernels warn of hardware bugs that some models have.
BAD = re.compile(r"BUG:|Oops|(?<!RETBleed: )(?<!Return Stack Overflow: )WARNING:|Call Trace|soft lockup|rcu_.*stall|unexpected IRQ trap|"
                 r"nobody cared|lost interrupt|clocksource.*unstable|Kernel panic|"
                 r"IO-APIC.*timer|unhandled signal|segfault")


class Case:
    def __init__(self, options, expect=(PASSED, POWERED_OFF), append=CHECK, kernel="vmlinuz",
                 initrd="initrd.gz", status=0, variants=("",), timeout=300, begin=None, lines=None,
                 module=None):
        self.options, self.expect, self.append = options.split(), expect, append
        self.kernel, self.initrd, self.status = kernel, initrd, status
        self.variants, self.timeout = variants, timeout  # options; all must print the same
        self.begin, self.lines = begin, lines  # after the line BEGIN, the lines of this file
        self.module = module  # a multiboot kernel's first one: file and arguments; initrd is the other


XEN = "com1=115200,8n1 console=com1 dom0_mem=512M"
XEN_CHECK = "console=hvc0 mimus.check"
COUNT = "-icount shift=1 -d hash"
# Whatever executes it, a counted run is the same run.
ENGINES = ("", "-d nochain,hash", "-accel tcg,tb-size=2", "-accel tcg,one-insn-per-tb=on", "-accel tcg,backend=interp")
USES = "^openssl uses pclmulqdq ssse3 fma aes avx bmi1 avx2 bmi2 adx sha$"
HASH = r"^state hash: [0-9a-f]{16}$"

MODELS_64 = """core2duo Conroe Penryn Nehalem Westmere SandyBridge IvyBridge Haswell Broadwell Skylake-Client
    Skylake-Server Cascadelake-Server Cooperlake Icelake-Server Icelake-Server-v6 Denverton Snowridge KnightsMill
    Opteron_G1 Opteron_G3 phenom Opteron_G5 EPYC EPYC-Rome EPYC-Milan Dhyana qemu64 kvm64 max""".split()
MODELS_32 = "pentium2 pentium3 athlon coreduo n270 qemu32 kvm32".split()

CASES = {
    "boot": Case("-m 512"),
    "smp4": Case("-m 512 -smp 4", (PASSED, r"smp: Brought up 1 node, 4 CPUs", POWERED_OFF)),
    "smp8": Case("-m 512 -smp 8", (PASSED, r"smp: Brought up 1 node, 8 CPUs", POWERED_OFF)),
    "max": Case("-m 512 -cpu max"),
    "tables": Case("-m 512 -smp 4,sockets=4 -numa node,mem=128M,cpus=0,cpus=3 -numa node,mem=384M,cpus=1-2 "
                   "-smbios type=0,vendor=V,version=W -smbios type=1,manufacturer=Man,product=Prod",
                   (PASSED, r"smp: Brought up 2 nodes, 4 CPUs", r"DMI: Man Prod, BIOS W ",
                    r"SRAT: Node 1 PXM 1 \[mem 0x0*8000000-0x0*1fffffff\]", POWERED_OFF)),
    "icount-twice": Case("-m 512 " + COUNT, (PASSED, HASH), variants=("", "")),
    "reboot-no-reboot": Case("-m 512 -no-reboot", (r"reboot: Restarting system",),
                             append="console=ttyS0 mimus.reboot"),
    # slow suite
    "m128": Case("-m 128", append="console=ttyS0 mimus.poweroff", expect=(POWERED_OFF,)),
    "m4096": Case("-m 4G"),
    "m8192": Case("-m 8G"),
    "kernel-decompresses-itself": Case("-m 512 -M kernel-decompress=off"),
    "without-legacy": Case("-M pic=off,i8042=off,smbios-entry-point-type=64,x-oem-id=MIMUS,max-ram-below-4g=256M "
                           "-m 512", (PASSED, r"SMBIOS 3\.0\.0 present", r"ACPI: RSDP 0x[0-9A-F]+ [0-9A-F]+ \(v\d+ MIMUS *\)",
                                      POWERED_OFF)),
    "without-acpi": Case("-m 512 -no-acpi -no-reboot", (r"ACPI BIOS Error|ACPI: Unable to|MPTABLE", r"reboot: Restarting system"),
                         append="console=ttyS0 mimus.reboot"),
    "no-kaslr": Case("-m 512", append=CHECK + " nokaslr"),
    "qemu64": Case("-m 512 -cpu qemu64"),
    "rt": Case("-m 512 -smp 4", kernel="vmlinuz-rt"),
    # A hypervisor below the kernel, which runs in ring 3.
    "xen": Case("-m 1024", append=XEN, kernel="xen", module=("vmlinuz", XEN_CHECK)),
    "xen-smp4": Case("-m 1024 -smp 4", append=XEN, kernel="xen", module=("vmlinuz", XEN_CHECK)),
    "686": Case("-m 512", kernel="vmlinuz-686", initrd="initrd-686.gz"),
    "686-smp2": Case("-m 512 -smp 2", kernel="vmlinuz-686", initrd="initrd-686.gz"),
    "686-smp4": Case("-m 512 -smp 4", kernel="vmlinuz-686", initrd="initrd-686.gz"),
    "openssl": Case("-m 512 -cpu max", (POWERED_OFF, r"x86-64-v3 \(supported, searched\)", USES),
                    append="console=ttyS0 quiet mimus.openssl",
                    initrd="initrd-openssl.gz", begin="openssl-begin", lines="openssl.expect"),
    "interp": Case("-m 512 -accel tcg,backend=interp", append="console=ttyS0 mimus.poweroff",
                   expect=(POWERED_OFF,), timeout=1500),
    "engines": Case("-m 512 " + COUNT, (HASH,), append="console=ttyS0 mimus.poweroff",
                    variants=ENGINES, timeout=1500),
    "686-engines": Case("-m 512 " + COUNT, (HASH,), append="console=ttyS0 mimus.poweroff",
                        kernel="vmlinuz-686", initrd="initrd-686.gz", variants=ENGINES,
                        timeout=1500),
}

KERNELS = {  # the models that a kernel supports
    "amd64": (dict(), MODELS_64),
    "newer": (dict(kernel="vmlinuz-newer"), MODELS_64),
    "686": (dict(kernel="vmlinuz-686", initrd="initrd-686.gz"), MODELS_32 + MODELS_64),
}
for kernel_name, (files, models) in KERNELS.items():
    for model in models:
        CASES[f"{kernel_name}-{model}"] = Case(f"-m 512 -cpu {model}", **files)


def run(mimus, guest, case, variant):
    initrd = os.path.join(guest, case.initrd)
    if case.module:
        initrd = os.path.join(guest, " ".join(case.module)) + "," + initrd
    command = [mimus, "-M", "pc", "-nographic",
               "-kernel", os.path.join(guest, case.kernel), "-initrd", initrd,
               "-append", case.append] + case.options + variant.split()
    print("+", " ".join(command), flush=True)
    try:
        p = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, timeout=case.timeout * PATIENCE, check=False)
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace").replace("\r", "")
    return p.returncode, p.stdout.decode(errors="replace").replace("\r", "")


def first_difference(a, b):
    return next((f"- {x}\n+ {y}" for x, y in zip(a + [""], b + [""]) if x != y), None)


def problems(case, guest, status, text):
    if status is None:
        yield f"no end after {case.timeout * PATIENCE} s"
    elif status != case.status:
        yield f"exit status {status}, expected {case.status}"
    for pattern in case.expect:
        if not re.search(pattern, text, re.M):
            yield f"console lacks /{pattern}/"
    for line in text.splitlines():
        if BAD.search(line):
            yield "console has: " + line
            break
    if case.lines:
        with open(os.path.join(guest, case.lines), encoding="utf-8") as f:
            expected = f.read().splitlines()
        lines = text.splitlines()
        start = lines.index(case.begin) + 1 if case.begin in lines else len(lines)
        difference = first_difference(expected, lines[start:start + len(expected)])
        if difference:
            yield f"console is not as {case.lines}:\n{difference}"


def main():
    mimus, guest, name = sys.argv[1:4]
    if name == "--list":
        print("\n".join(CASES))
        return 0
    case = CASES[name]
    for name_needed in (case.kernel, case.initrd, case.lines):
        if name_needed and not os.path.exists(os.path.join(guest, name_needed)):
            print(f"no guest file {name_needed}: run scripts/guest-files (its head names the parts)")
            return 77
    texts = []
    for variant in case.variants:
        status, text = run(mimus, guest, case, variant)
        texts.append(text)
        found = list(problems(case, guest, status, text))
        if found:
            print(text[-6000:])
            print("\n".join(found))
            return 1
    for variant, text in zip(case.variants, texts):
        if text != texts[0]:
            print(f"two runs differ (scripts/bisect-engines finds where); '{variant}':")
            print(first_difference(texts[0].splitlines(), text.splitlines()))
            return 1
    print(f"{name}: as expected")
    return 0


sys.exit(main())
