#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Plugins on a boot: plugin.py MIMUS GUESTDIR CASE. Exit status 77 (skip) without the guest files.

A counted run must be the same run with and without plugins, and count what the plugins count.
"""
import ctypes.util
import os
import json
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

APPEND = "console=ttyS0 mimus.poweroff"


def run(mimus, guest, *options, stdin=b""):
    command = [mimus, "-M", "pc", "-m", "512", "-nographic", "-no-reboot",
               "-kernel", os.path.join(guest, "vmlinuz"), "-initrd", os.path.join(guest, "initrd.gz"),
               "-append", APPEND, *options]
    print("+", " ".join(command), flush=True)
    p = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       timeout=1500, check=False)
    return p.returncode, p.stdout.decode(errors="replace").replace("\r", "")


def find(pattern, text):
    m = re.search(pattern, text, re.M)
    assert m, f"output lacks /{pattern}/:\n{text[-2000:]}"
    return m[1]


COUNT = ("-icount", "shift=1", "-d", "hash,stats")
HASH = r"^state hash: ([0-9a-f]{16})$"


def case_icount(mimus, guest):
    """Equal runs, and the plugin's total is the engine's."""
    _, plain = run(mimus, guest, *COUNT)
    _, counted = run(mimus, guest, *COUNT, "-plugin", "icount")
    total = find(r"^icount: (\d+) instructions", counted)
    assert find(HASH, plain) == find(HASH, counted), "the run is another"
    assert re.search(rf"guest instructions +{total}$", plain, re.M), f"{total} is not the count"


def case_icount_interp(mimus, guest):
    """Back ends agree on everything that is counted."""
    outputs = [run(mimus, guest, *COUNT, "-plugin", "icount", *more)[1]
               for more in ((), ("-accel", "tcg,backend=interp"))]
    for pattern in (r"^(icount: .*)$", HASH):
        a, b = (find(pattern, o) for o in outputs)
        assert a == b, f"{a} on one back end, {b} on the other"


LIBC = ctypes.util.find_library("c")
BAD = [  # what is given, what the line says
    ("nosuch", "nosuch"),
    ("icount,colour=red", "unknown argument 'colour'"),
    (LIBC, "exports no mimus_plugin_api"),
    ("", "which file"),
]


def case_bad(mimus, guest):
    for spec, says in BAD:
        p = subprocess.run([mimus, "-nographic", "-plugin", spec], stdin=subprocess.DEVNULL,
                           capture_output=True, timeout=60, check=False, text=True)
        assert p.returncode == 1, f"{spec}: status {p.returncode}"
        assert says in p.stderr and p.stderr.count("\n") == 1, f"{spec}: {p.stderr}"
    p = subprocess.run([mimus, "-display", "none", "-S", "-monitor", "stdio"], text=True,
                       input="plugin_load icount\ninfo plugins\nplugin_load icount\n"
                             "plugin_unload icount\nplugin_unload icount\nquit\n",
                       capture_output=True, timeout=60, check=False)
    for text in (r"^icount: /.*icount\.so$", "loaded already", r"icount: 0 instructions",
                 "no plugin 'icount' is loaded"):
        assert re.search(text, p.stdout + p.stderr, re.M), f"{text}: {p.stdout}{p.stderr}"


def case_probe(mimus, guest):
    """A plugin that sees accesses in several ways finds them equal, and the same on both back ends; and is
    told of a replay."""
    probe = os.path.join(os.path.dirname(mimus), "tests", "guest", "probe.so")
    ends = ((), ("-accel", "tcg,backend=interp"))
    limited = ("-icount", "shift=1", "-plugin")
    lines = [re.findall(r"probe: .*", run(mimus, guest, *limited, probe + ",insns=500K", *more)[1]) for more in ends]
    assert lines[0] == lines[1] and lines[0][-1] == "probe: 0 wrong", lines
    loads = 0
    for start in (100, 200, 300):  # a kernel waits at one or the other, and accesses nothing
        _, late = run(mimus, guest, *limited, probe + f",from={start}M,insns={start + 4}M")
        assert find(r"(probe: 0 wrong)", late)
        loads += int(find(r"(\d+) loads", late))
    assert loads > 10000
    with tempfile.TemporaryDirectory() as d:
        file = os.path.join(d, "recording")
        run(mimus, guest, "-record", file)
        replay = subprocess.run([mimus, "-nographic", "-replay", file, "-plugin", probe + ",replay=on"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                timeout=600, check=False).stdout.decode(errors="replace")
        assert "probe: replay ends, as recorded" in replay and "probe: 1 replays begun, 1 ended" in replay, \
            replay[-1000:]


def probe_of(mimus, name):
    return os.path.join(os.path.dirname(mimus), "tests", "guest", name + ".so")


def case_versions(mimus, guest):
    """Plugins and traces of older versions are taken, of newer ones refused in one line."""
    limited = ("-icount", "shift=1", "-plugin")
    now, old = [re.findall(r"probe: .*", run(mimus, guest, *limited, probe_of(mimus, name) + ",insns=500K")[1])
                for name in ("probe", "probe-old")]
    assert now == old and now[-1] == "probe: 0 wrong", (now, old)
    p = subprocess.run([mimus, "-nographic", "-plugin", probe_of(mimus, "probe-new")], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=60, check=False, text=True)
    assert p.returncode == 1 and p.stderr.count("\n") == 1 and \
        "it was built for version 99 of the plugin interface; this is version" in p.stderr, p
    with tempfile.TemporaryDirectory() as d:
        file = os.path.join(d, "trace")
        for version, second in ((1, None), (2, 7), (3, 7), (4, 12), (5, None)):
            with open(file, "wb") as f:
                f.write(made_trace(version))
            p = subprocess.run([mimus, "trace", "convert", "text", file], capture_output=True, timeout=60,
                               check=False, text=True)
            if second is None:
                assert p.returncode == 1 and p.stderr.count("\n") == 1 and \
                    "it is a trace of another version" in p.stderr, p
                continue
            values = [int(line.split()[3], 16) for line in p.stdout.splitlines() if line.startswith("  R")]
            assert p.returncode == 0 and values == [5, second], p


def made_trace(version):
    """Two paths, each an instruction that reads a byte at the same address; of the second value's length and
    zigzag it depends on the version which value that is (trace-file.h)."""
    insn, load = b"\x04\x00\x90", b"\x05"  # sizes 1, kinds 0 and 1
    control = b"\x00\x04\x00\x02" + insn + load + b"\x00\x06\x02\x02" + insn + load + b"\x00"
    streams = control, b"\x0a\x0a", struct.pack("<HH", 0x2000, 0x2000), b"\x0a\x0e"
    def stored(data):  # a frame of zstd that is not compressed
        return b"\x28\xb5\x2f\xfd\x20" + bytes([len(data)]) + (len(data) << 3 | 1).to_bytes(3, "little") + data
    packed = [stored(data) for data in streams]
    summed = struct.pack("<QQ8I", 0, 2, *map(len, streams), *map(len, packed))
    total = 0
    for part in (summed, b"".join(packed)):
        whole = len(part) & ~3
        for word in [*struct.unpack(f"<{whole // 4}I", part[:whole]), *part[whole:]]:
            total = (total << 5 & 0xffffffff | total >> 27) ^ word
    return b"MIMUSTRC" + struct.pack("<II", version, 0) + b"MTF2" + struct.pack("<I", total) + summed + b"".join(packed)


def execute(*command):
    p = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=600, check=False)
    assert p.returncode == 0, f"{command}: {p.stderr.decode()}"
    return p.stdout


def case_trace(mimus, guest):
    """Back ends leave the same trace; what it becomes has as many instructions; cuts are parts."""
    with tempfile.TemporaryDirectory() as d:
        files = [os.path.join(d, backend) for backend in ("x86_64", "interp")]
        more = ((), ("-accel", "tcg,backend=interp"))
        for file, options in zip(files, more):
            run(mimus, guest, "-icount", "shift=1", "-plugin", f"trace,out={file},insns=1500000", *options)
        a, b = (open(f, "rb").read() for f in files)
        assert a == b, "the traces of two back ends differ"
        assert b"instructions: 1500000\n" in execute(mimus, "trace", "info", files[0])
        text = execute(mimus, "trace", "convert", "text", files[0]).splitlines()
        insns = [line for line in text if not line.startswith(b"  ")]
        faults = sum(line.endswith(b"fault") for line in insns)
        assert len(insns) == 1500000
        lackey = execute(mimus, "trace", "convert", "lackey", files[0]).splitlines()
        assert all(re.fullmatch(rb"I  [0-9a-f]+,\d+| [LSM] [0-9a-f]+,\d+", line) for line in lackey)
        assert sum(line.startswith(b"I") for line in lackey) == len(insns) - faults
        blocks = execute(mimus, "trace", "convert", "bb", files[0]).decode().splitlines()
        assert all(re.fullmatch(r"T(:\d+:\d+ )+", line) for line in blocks)
        assert sum(int(n) for line in blocks for n in re.findall(r":\d+:(\d+)", line)) == len(insns) - faults
        part = os.path.join(d, "part")
        execute(mimus, "trace", "cut", "1000000..1000999", files[0], part)
        of_part = execute(mimus, "trace", "convert", "text", part).splitlines()
        start = text.index(insns[1000000])
        assert [x.split(b" ", 1)[1] for x in of_part] == \
            [x.split(b" ", 1)[1] for x in text[start:start + len(of_part)]]
        execute(mimus, "trace", "cut", "0..99999", files[0], part)
        check_champsim(execute(mimus, "trace", "convert", "champsim", part),
                       execute(mimus, "trace", "convert", "text", part).splitlines())
        damage(mimus, d, a)


# What x87 instructions with an operand at 0:1000 access: encoding without the address, kind, bytes.
X87 = [("df06", "R", 2), ("db06", "R", 4), ("df2e", "R", 8), ("d906", "R", 4), ("dd06", "R", 8), ("db2e", "R", 10),
       ("d806", "R", 4), ("dc06", "R", 8), ("de06", "R", 2), ("da06", "R", 4), ("d93e", "W", 2), ("d92e", "R", 2),
       ("d916", "W", 4), ("dd16", "W", 8), ("df16", "W", 2), ("db16", "W", 4), ("db3e", "W", 10), ("df3e", "W", 8),
       ("dd1e", "W", 8), ("dd3e", "W", 2), ("d936", "W", 14), ("d926", "R", 14)]


def x87_rom():
    """A firmware that does them thrice and ends the machine by its exit device."""
    body = bytes.fromhex("dbe3") + b"".join(bytes.fromhex(insn) + b"\x00\x10" for insn, _, _ in X87)
    code = b"\xb9\x03\x00" + body
    code += b"\x49\x0f\x85" + struct.pack("<h", -(len(body) + 5)) + b"\xe6\xf4\xf4"  # dec cx; jnz; out; hlt
    rom = bytearray(65536)
    rom[0xe000:0xe000 + len(code)] = code
    rom[0xfff0:0xfff5] = bytes.fromhex("ea00e000f0")
    return bytes(rom)


def case_x87(mimus, guest):
    """Accesses of x87 instructions are told, whoever makes them."""
    with tempfile.TemporaryDirectory() as d:
        rom, file = os.path.join(d, "rom"), os.path.join(d, "trace")
        with open(rom, "wb") as f:
            f.write(x87_rom())
        for more in ((), ("-accel", "tcg,backend=interp")):
            subprocess.run([mimus, "-nodefaults", "-display", "none", "-bios", rom, "-device",
                            "isa-debug-exit,iobase=0xf4", "-icount", "shift=1", "-plugin", f"trace,out={file}", *more],
                           stdin=subprocess.DEVNULL, timeout=60, check=False)
            told = []  # [encoding, what it accessed]
            for line in execute(mimus, "trace", "convert", "text", file).decode().splitlines():
                words = line.split()
                if line[0] != " ":
                    told.append([words[3], {}])
                else:
                    told[-1][1][words[0]] = told[-1][1].get(words[0], 0) + int(words[2])
            told = [(insn[:-4], kinds) for insn, kinds in told if insn.endswith("0010")]
            assert told == [(insn, {kind: size}) for insn, kind, size in X87] * 3, (more, told)


SP, FLAGS, IP = 6, 25, 26


def kind_of_branch(dst, src):
    """As ChampSim tells them apart, by the registers that are special to it."""
    other = bool(set(src) - {0, SP, FLAGS, IP})
    return {
        (False, True, False, True, False): "jump", (False, False, False, True, True): "indirect jump",
        (False, True, True, True, False): "conditional",
        (True, True, False, True, False): "call", (True, True, False, True, True): "indirect call",
        (True, False, False, True, False): "return",
    }.get((SP in src, IP in src, FLAGS in src, IP in dst, other))


def read_text(lines):
    """The native trace, of what was completed: [pc, size, reads, writes]."""
    insns = []
    for line in lines:
        words = line.split()
        if line[:1] != b" ":
            if insns and insns[-1][4]:
                insns.pop()
            insns.append([int(words[2], 16), len(words[3]) // 2, [], [], line.endswith(b"fault")])
        else:
            insns[-1][2 if words[0] == b"R" else 3].append(int(words[1], 16))
    return insns


def check_champsim(data, lines):
    """Strictly what ChampSim's tracer writes (struct input_instr), and what the native trace has."""
    records = list(struct.iter_unpack("<QBB2B4B2Q4Q", data))
    insns = read_text(lines)
    assert len(records) == len(insns), (len(records), len(insns))
    kinds = set()
    for n, (r, (pc, size, reads, writes, _)) in enumerate(zip(records, insns)):
        ip, branch, taken, dst, src, stored, loaded = r[0], r[1], r[2], r[3:5], r[5:9], r[9:11], r[11:15]
        assert ip == pc and branch in (0, 1) and taken in (0, branch), (n, r)
        for some in (dst, src, stored, loaded):
            full = [x for x in some if x]
            assert list(some[:len(full)]) == full, f"{n}: gaps in {some}"
        assert [x for x in stored if x] == [x for x in writes if x][:2], (n, r, writes)
        assert [x for x in loaded if x] == [x for x in reads if x][:4], (n, r, reads)
        assert (IP in dst) == branch, (n, r)
        if branch:
            kinds.add(kind_of_branch(dst, src))
            if n + 1 < len(insns):
                assert taken == (insns[n + 1][0] != pc + size), (n, r)
    assert kinds >= {"jump", "conditional", "call", "return"} and None not in kinds, kinds


def damage(mimus, folder, whole):
    """Whatever has become of a file, there is one line and a status."""
    file = os.path.join(folder, "damaged")
    rng = random.Random(1)
    for n in range(24):
        data = bytearray(whole[:rng.randrange(len(whole))] if n % 2 else whole)
        for _ in range(n % 5):
            if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        with open(file, "wb") as f:
            f.write(data)
        p = subprocess.run([mimus, "trace", "convert", "bb", file], capture_output=True, timeout=60, check=False)
        assert p.returncode in (0, 1) and p.stderr.count(b"\n") == p.returncode, p


def read_drcov(path):
    """Lighthouse's view of it, strictly."""
    with open(path, "rb") as f:
        data = f.read()
    head, table = re.match(rb"(DRCOV VERSION: 2\nDRCOV FLAVOR: drcov\n)Module Table: version 2, count (\d+)\n", data), None
    assert head, data[:100]
    lines = data[head.end():].split(b"\n")
    assert lines[0] == b"Columns: id, base, end, entry, checksum, timestamp, path"
    modules = [re.fullmatch(rb" *(\d+), 0x([0-9a-f]{16}), 0x([0-9a-f]{16}), 0x0+, 0x0+, 0x0+, (.+)", line)
               for line in lines[1:int(head[2]) + 1]]
    assert all(modules) and [int(m[1]) for m in modules] == list(range(len(modules)))
    table = re.search(rb"^BB Table: (\d+) bbs\n", data, re.M)
    records = data[table.end():]
    assert len(records) == 8 * int(table[1])
    for offset, size, module in struct.iter_unpack("<IHH", records):
        assert size and int(modules[module][2], 16) + offset <= int(modules[module][3], 16)
    return len(records) // 8


def check_chrome(events):
    """What Perfetto's importer of JSON asks for: fields by kind of event; what is complete on a track is apart
    or within one another."""
    tracks = {}
    for e in events:
        assert e["ph"] in ("X", "i") and isinstance(e["name"], str), e
        assert all(isinstance(e[key], int) for key in ("pid", "tid")) and e["ts"] >= 0, e
        if e["ph"] == "X":
            assert e["dur"] >= 0, e
            tracks.setdefault((e["pid"], e["tid"]), []).append((e["ts"], -e["dur"], e["ts"] + e["dur"]))
        else:
            assert e["s"] == "t", e
    for spans in tracks.values():
        ends = []
        for begin, _, end in sorted(spans):
            while ends and ends[-1] <= begin + 0.0015:  # what is written has three digits
                ends.pop()
            assert not ends or end <= ends[-1] + 0.0015, (begin, end, ends)
            ends.append(end)
    assert len(tracks) > 1


def case_tools(mimus, guest):
    """Looking on changes nothing, and what tools write can be read."""
    with tempfile.TemporaryDirectory() as d:
        def at(name):
            return os.path.join(d, name)
        _, plain = run(mimus, guest, *COUNT)
        _, text = run(mimus, guest, *COUNT, "-plugin", f"cov,drcov={at('drcov')},text={at('text')}",
                      "-plugin", f"syscalls,out={at('calls')},chrome={at('json')}",
                      "-plugin", f"events,out={at('events')}")
        assert find(HASH, plain) == find(HASH, text), "the run is another"
        status, text_of_few = run(mimus, guest, *COUNT, "-plugin",
                                  f"events,out={at('few')},show=restored,insns=20M")
        assert status == 0 and find(r"state hash: (\w+)", text_of_few) != find(HASH, plain)
        assert os.path.getsize(at("few")) == 0
        blocks = int(find(r"^cov: (\d+) basic blocks", text))
        assert read_drcov(at("drcov")) == blocks > 50000
        with open(at("text"), encoding="ascii") as f:
            assert all(re.fullmatch(r"\w+\+[0-9a-f]+\n", line) for line in f)
        with open(at("json"), encoding="ascii") as f:
            events = json.load(f)["traceEvents"]
        check_chrome(events)
        assert any(e["name"] == "syscall 59" for e in events) and all("ts" in e for e in events)
        with open(at("calls"), encoding="ascii") as f:
            assert re.search(r" call 59\([0-9a-f, ]+\) = ", f.read())
        kinds = set()
        with open(at("events"), encoding="ascii") as f:
            for line in f:
                kinds.add(line.split()[1])
        assert kinds >= {"port", "mmio", "dma", "space", "privilege", "interrupt", "return", "syscall",
                         "sysret", "halt", "start", "stop"}, kinds
        limited = ("-icount", "shift=1")
        run(mimus, guest, *limited, "-plugin", f"tenet,out={at('tenet')},insns=20000")
        with open(at("tenet"), encoding="ascii") as f:
            lines = f.read().splitlines()
        assert len(lines) == 20000 and len(lines[0].split(",")) == 17
        item = r"(r[a-z0-9]+=0x[0-9a-f]+|m[rw]=0x[0-9a-f]+:([0-9A-F]{2})+)"
        assert all(re.fullmatch(rf"{item}(,{item})*", line) for line in lines)


def build_lines(folder):
    """The program lines.c as a kernel, or None where there is no compiler for it."""
    source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lines.c")
    kernel = os.path.join(folder, "lines")
    flags = ("-m32 -g -O1 -ffreestanding -fno-pic -fno-stack-protector -fcf-protection=none -nostdlib -static -no-pie "
             "-Wl,-Ttext=0x200000,--build-id=none,--section-start=.multiboot=0x1ff000").split()
    built = shutil.which("gcc") and not subprocess.run(["gcc", *flags, "-o", kernel, source], check=False).returncode
    return (kernel, source) if built else None


def run_lines(mimus, kernel, *plugins):
    options = [x for p in plugins for x in ("-plugin", p)]
    p = subprocess.run([mimus, "-nographic", "-no-reboot", "-kernel", kernel, "-icount", "shift=1", *options],
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                       check=True)
    return p.stdout.decode(errors="replace").replace("\r", "")


def read_lcov(path):
    """What lcov's own reader insists on: {file: {line: times}}."""
    files, lines, name = {}, None, None
    with open(path, encoding="ascii") as f:
        for row in f.read().splitlines():
            key, _, value = row.partition(":")
            if key == "SF":
                assert lines is None
                name, lines = value, {}
            elif key == "DA":
                line, times = map(int, value.split(","))
                assert line not in lines
                lines[line] = times
            elif key == "LF":
                assert int(value) == len(lines)
            elif key == "LH":
                assert int(value) == sum(n > 0 for n in lines.values())
            elif key == "end_of_record":
                files[name], lines = lines, None
            else:
                assert key == "TN", row
    assert lines is None
    return files


def check_lcov(path, source, folder):
    lines = read_lcov(path)[source]
    with open(source, encoding="ascii") as f:
        for n, text in enumerate(f, 1):
            assert "/* hit */" not in text or lines[n] > 0, text
            assert "/* missed */" not in text or lines[n] == 0, text
    if shutil.which("genhtml"):
        execute("genhtml", "-q", "-o", os.path.join(folder, "html"), path)


def check_functions(path, names):
    """Without debug information functions are lines, in the order of their addresses."""
    with open(names, encoding="ascii") as f:
        address = {row.split()[2]: int(row.split()[0], 16) for row in f if len(row.split()) == 3}
    with open(path, encoding="ascii") as f:
        functions = re.findall(r"^FN:(\d+),(\S+)$", f.read(), re.M)
    assert len(functions) > 1 and [int(n) for n, _ in functions] == list(range(1, len(functions) + 1))
    found = [address[name] for _, name in functions]
    assert found == sorted(found), functions


def case_lines(mimus, guest):
    """Tools on a small program: their figures agree with each other, and others' tools read their files."""
    with tempfile.TemporaryDirectory() as d:
        built = build_lines(d)
        if not built:
            print("no compiler for 32-bit programs")
            return 77
        kernel, source = built

        def at(name):
            return os.path.join(d, name)
        text = run_lines(mimus, kernel, "icount", "mix,top=2000", "cache", "hot,top=5,data=on",
                         f"lackey,out={at('lackey')}", f"calls,out={at('folded')},callgrind={at('callgrind')}")
        total = int(find(r"^icount: (\d+) instructions", text))
        assert int(find(r"^mix: (\d+) instructions", text)) == total
        assert sum(int(n) for n in re.findall(r"^ +(\d+) +[0-9.]+%  \w", text, re.M)) == total
        assert int(find(r"^L1I +(\d+)", text)) >= total
        assert re.search(r"^ +\d+ +\d+  [0-9a-f]{16}$", text, re.M) and "pages of data" in text
        with open(at("lackey"), encoding="ascii") as f:
            rows = f.read().splitlines()
        assert all(re.fullmatch(r"(==.*|I  [0-9a-f]+,\d+| [LSM] [0-9a-f]+,\d+)", row) for row in rows)
        assert sum(row.startswith("I") for row in rows) == total
        with open(at("folded"), encoding="ascii") as f:
            weights = [re.fullmatch(r"(?:kernel|user)(?:;[^; ]+)* (\d+)\n", row) for row in f]
        assert all(weights) and 0 < sum(int(w[1]) for w in weights) <= total
        if shutil.which("callgrind_annotate"):
            assert b"PROGRAM TOTALS" in execute("callgrind_annotate", at("callgrind"))
        text = run_lines(mimus, kernel, f"cov,lcov={at('info')},lines={kernel}" if has_libdw(mimus) else "icount")
        if has_libdw(mimus):
            check_lcov(at("info"), source, d)
        if shutil.which("nm"):
            with open(at("nm"), "wb") as f:
                f.write(execute("nm", kernel))
            run_lines(mimus, kernel, f"cov,lcov={at('functions')},symbols={at('nm')}")
            check_functions(at("functions"), at("nm"))
    return 0


LOGS = [  # items, what a line looks like, what none looks like
    ("in_asm", r"^IN:", r"^O"),
    ("op", r"^OP:", r"^OUT"),
    ("op_opt", r"^OP after optimization and liveness analysis:", r"^OUT"),
    ("out_asm", r"^OUT:", r"^IN:"),
    ("exec", r"^Trace 0: 0x[0-9a-f]+ \[[0-9a-f]{16}/[0-9a-f]{16}/[0-9a-f]{8}\]", r"^E?AX="),
    ("int", r"^ *\d+: v=[0-9a-f]{2} e=[0-9a-f]{4} i=[01] cpl=\d IP=", r"^IN:"),
    ("cpu", r"^EAX=[0-9a-f]{8} EBX=", r"^FCW="),
    ("cpu,fpu", r"^FCW=[0-9a-f]{4} FSW=", r"^IN:"),
    ("mmu", r"^mmu: (read|write|fetch) of [0-9a-f]{16}", r"^IN:"),
    ("pcall", r"^ljmp [0-9a-f]{4}:", r"^IN:"),
    ("guest_errors", r"to nothing at 0x", r"^IN:"),
    ("unimp", r"has no register", r"^IN:"),
    ("nochain", r"\A\Z", r"."),
]


def case_logs(mimus, guest):
    """Each item of -d writes its lines, and not others'."""
    with tempfile.TemporaryDirectory() as d:
        built = build_lines(d)
        if not built:
            print("no compiler for 32-bit programs")
            return 77
        log = os.path.join(d, "log")
        for items, has, lacks in LOGS:
            few = ["-dcount", "0..20000"] if items in ("exec", "cpu", "cpu,fpu") else []
            subprocess.run([mimus, "-nographic", "-no-reboot", "-kernel", built[0], "-icount", "shift=1", "-d", items,
                            "-D", log, *few], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=120,
                           check=True)
            with open(log, encoding="utf-8", errors="replace") as f:
                text = f.read()
            assert re.search(has, text, re.M), f"{items}: {text[:500]}"
            assert not re.search(lacks, text, re.M), f"{items}: not only its own"
    return 0


def has_libdw(mimus):
    with open(os.path.join(os.path.dirname(mimus), "config.h"), encoding="ascii") as f:
        return "#define HAVE_LIBDW" in f.read()


MIDWAY = ["plugin_load icount", "plugin_unload icount", "plugin_load trace,out={d}/trace", "logfile {d}/log",
          "log in_asm,int", "plugin_unload trace", "log none", "plugin_load cov,text={d}/cov", "plugin_unload cov"] * 8


def converse(command, folder):
    """Type MIDWAY into the monitor, a line whenever it asks for one."""
    p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    out = b""
    for line in MIDWAY:
        while not out.endswith(b"(qemu) "):
            piece = os.read(p.stdout.fileno(), 65536)
            assert piece, out
            out += piece
        p.stdin.write(line.format(d=folder).encode() + b"\n")
        p.stdin.flush()
        out += b"|"
    p.stdin.close()
    out += p.stdout.read()
    return p.wait(), out.decode(errors="replace")


def case_midway(mimus, guest):
    """Tools and logs that come and go while a run is recorded, or replayed, change nothing."""
    with tempfile.TemporaryDirectory() as d:
        file = os.path.join(d, "recording")
        status, _ = converse([mimus, "-M", "pc", "-m", "512", "-display", "none", "-serial", "null",
                              "-monitor", "stdio", "-no-reboot", "-kernel", os.path.join(guest, "vmlinuz"), "-initrd",
                              os.path.join(guest, "initrd.gz"), "-append", APPEND, "-record", file], d)
        assert status == 0
        with open(os.path.join(d, "log"), encoding="utf-8", errors="replace") as f:
            assert re.search(r"^IN:", f.read(), re.M)
        execute(mimus, "replay", "--verify", file)
        status, out = converse([mimus, "-replay", file, "-monitor", "stdio"], d)
        assert status == 0 and "hashes agree" in out, out[-2000:]


def main():
    mimus, guest, case = sys.argv[1:4]
    if case not in ("bad", "lines", "logs", "x87") and not os.path.exists(os.path.join(guest, "vmlinuz")):
        print("no guest files in", guest)
        return 77
    return globals()["case_" + case](mimus, guest) or 0


sys.exit(main())
