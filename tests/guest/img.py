# SPDX-License-Identifier: MIT
"""`mimus img` beside qemu-img.

    img.py MIMUS alike|contents

alike: the same words say and do the same. contents: images of one are read, checked and changed by the other. Exit status 77
(skip) without qemu-img and qemu-io (package qemu-utils)."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

# Without side effects; they see each other's files.
LOOKS = """
create -f qcow2 n.qcow2 10M
create -f qcow2 -o cluster_size=4k,compat=1.1,lazy_refcounts=on n.qcow2 10M
create -f qcow2 -o compat=0.10 n.qcow2 1M
create -f qcow2 -b a.qcow2 -F qcow2 n.qcow2
create -f qcow2 -b a.qcow2 n.qcow2
create -f qcow2 -u -b nope -F raw n.qcow2 1M
create -f raw n.raw 3M
create n.raw
create -f qcow2 -o cluster_size=3k n.qcow2 1M
create -f qcow2 -o preallocation=metadata n.qcow2 1M
create -f qcow2 -o preallocation=falloc n.qcow2 1M
create -f raw -o preallocation=full n.raw 1M
create -f foo x 1M
create -f qcow2 n.qcow2 0
create -f raw n.raw 0
create -f qcow2 -b e.raw -F raw n.qcow2
create -f qcow2 n.qcow2 1000
create -f qcow2 -o refcount_bits=1 n.qcow2 1M
create -f qcow2 -o refcount_bits=64,lazy_refcounts=on,compat=v3 n.qcow2 1M
create -f qcow2 -o compat=1.1,backing_file=b.raw,backing_fmt=raw n.qcow2
create -f qcow2 n.qcow2 -- 1M
create -f qcow2 -o extended_l2=on n.qcow2 1M
create -f qcow2 -o extended_l2=on,cluster_size=8k n.qcow2 1M
create -f qcow2 -o extended_l2=on,compat=0.10 n.qcow2 1M
create -f qcow2 -o data_file=n.data,data_file_raw=on n.qcow2 1M
info n.qcow2
info --output=json n.qcow2
map --output=json n.qcow2
snapshot -c x n.qcow2
convert -c -O qcow2 -o data_file=n.data a.qcow2 n.qcow2
rebase -u -b b.raw -F raw n.qcow2
create -f qcow2 -o data_file_raw=on n.qcow2 1M
create -f qcow2 -o data_file=n.data,data_file_raw=on,backing_file=b.raw,backing_fmt=raw n.qcow2 1M
create -f qcow2 -o data_file=n.data,compat=0.10 n.qcow2 1M
create -f qcow2 -o data_file=n.data,preallocation=metadata n.qcow2 1M
map --output=json n.qcow2
check n.qcow2
create -f qcow2 n.qcow2 1M 2M
create
info a.qcow2
info b.qcow2
info s.qcow2
info --backing-chain c.qcow2
info b.raw
info e.raw
info m.qcow2
info p.qcow2
map p.qcow2
map --output=json p.qcow2
check p.qcow2
check --output=json p.qcow2
measure -O qcow2 -o extended_l2=on p.qcow2
measure -O qcow2 -o extended_l2=on --size 100G
measure -O qcow2 m.qcow2
measure -O qcow2 --output=json m.qcow2
measure -O raw m.qcow2
measure -O qcow2 r.raw
measure -O qcow2 -o refcount_bits=64 --size 100G
info --output=json a.qcow2
info --output=json s.qcow2
info --output=json m.qcow2
info --output=json --backing-chain c.qcow2
info nope
check a.qcow2
check b.qcow2
check -q leak.qcow2
check leak.qcow2
check r.raw
check --output=json a.qcow2
check --output=json s.qcow2
check --output=json leak.qcow2
check --output=json r.raw
map --output=json e.raw
map --output=json --start-offset=20M a.qcow2
compare e.raw n.raw
measure -O qcow2 --size 0
convert -O qcow2 e.raw n.qcow2
info n.qcow2
check n.qcow2
convert n.qcow2 n.raw
dd if=e.raw of=d.raw
amend a.qcow2
amend -o compat=0.10
amend -o backing_file=b.raw c.qcow2
amend -o cluster_size=4k a.qcow2
amend -o foo=1 a.qcow2
amend -o size=3M r.raw
amend -o size=1000 a.qcow2
amend -o lazy_refcounts=on,compat=0.10 a.qcow2
amend -o refcount_bits=3 a.qcow2
amend -o refcount_bits=8,compat=0.10 a.qcow2
bitmap --add b.raw x
bitmap --add m.qcow2
bitmap m.qcow2 on
bitmap --add m.qcow2 on
bitmap --remove m.qcow2 nope
bitmap --merge nope m.qcow2 on
bitmap --add -g 3 m.qcow2 x
bitmap -g 4k --enable m.qcow2 on
bitmap -F qcow2 --enable m.qcow2 on
bitmap -b s.qcow2 --enable m.qcow2 on
bitmap --enable --add m.qcow2 x
bitmap --object secret,id=x,data=y --add nope x
snapshot -l m.qcow2
snapshot -c
snapshot -d nope s.qcow2
snapshot -a nope s.qcow2
check nope
map c.qcow2
map r.raw
map --output=json a.qcow2
map --output=json b.qcow2
map --output=json c.qcow2
map --output=json b.raw
map --output=json --start-offset=1M --max-length=1M b.qcow2
compare b.qcow2 b.raw
compare a.qcow2 b.qcow2
compare b.qcow2 c.qcow2
compare -q a.qcow2 b.qcow2
compare -s r.raw b.raw
compare r.raw b.raw
compare a.qcow2 nope
measure -O qcow2 --size 1G
measure -O qcow2 -o cluster_size=512 --size 100M
measure -O raw --output=json a.qcow2
dd if=b.raw of=d.raw bs=1M count=2 skip=1
dd if=b.raw
snapshot -l a.qcow2
snapshot -l s.qcow2
snapshot -a x a.qcow2
commit r.raw
frob
convert a.qcow2
"""
# From the same files each; what they leave is compared, too.
CHANGES = """
check -r leaks leak.qcow2
check -r all leak.qcow2
resize a.qcow2 1M
resize a.qcow2 +1M
resize --shrink a.qcow2 -1M
resize --shrink -f raw b.raw 5M
resize -f raw --preallocation=full r.raw +1M
commit c.qcow2
commit -d c.qcow2
commit -b a.qcow2 c.qcow2
rebase -b a.qcow2 -F qcow2 c.qcow2
rebase -b '' c.qcow2
rebase -u -b b.raw -F raw c.qcow2
snapshot -c two s.qcow2
snapshot -a one s.qcow2
snapshot -d one s.qcow2
resize s.qcow2 20M
resize --shrink s.qcow2 1M
amend -o size=15M s.qcow2
snapshot -a one t.qcow2
snapshot -a one v.qcow2
resize v.qcow2 30M
convert -O qcow2 c.qcow2 n.qcow2
convert -c -O qcow2 c.qcow2 n.qcow2
convert -O qcow2 -B b.qcow2 -F qcow2 c.qcow2 n.qcow2
convert -c -O qcow2 -o preallocation=metadata c.qcow2 n.qcow2
convert -O raw -l one s.qcow2 n.raw
convert -n -O raw b.qcow2 r.raw
convert -S 0 -O raw b.qcow2 n.raw
convert -O qcow2 e.raw n.qcow2
amend -o compat=0.10 a.qcow2
amend -o compat=0.10 b.qcow2
amend -o compat=0.10 p.qcow2
amend -o size=20M p.qcow2
amend -o size=1M p.qcow2
commit p.qcow2
snapshot -c one p.qcow2
rebase -b '' p.qcow2
convert -O qcow2 -o extended_l2=on p.qcow2 n.qcow2
amend -o compat=0.10,size=4M,lazy_refcounts=off b.qcow2
amend -o lazy_refcounts=on a.qcow2
amend -o refcount_bits=1 a.qcow2
amend -o refcount_bits=64 s.qcow2
amend -o refcount_bits=2 s.qcow2
amend -o refcount_bits=32,size=20M m.qcow2
bitmap --add b.qcow2 x
bitmap --add --disable -g 4k b.qcow2 x
bitmap --add --merge on m.qcow2 x
bitmap --merge on --merge off m.qcow2 off
bitmap --clear --enable m.qcow2 off
bitmap --disable m.qcow2 on
bitmap --remove m.qcow2 on
bitmap --add --remove m.qcow2 x
bitmap -b m.qcow2 -F qcow2 --add --merge on a.qcow2 x
"""


def run(words):
    r = subprocess.run(words, capture_output=True, text=True, timeout=120)
    return r.returncode, r.stdout, r.stderr


def must(*words):
    status, out, err = run(list(words))
    if status:
        sys.exit(f"{' '.join(words)}: {err}{out}")
    return out


def prepare():
    """The same files again; they are made once."""
    for name in os.listdir("."):
        os.unlink(name)
    if not os.path.isdir("../made"):
        make()
        os.mkdir("../made")
        must("cp", "--sparse=always", *os.listdir("."), "../made")
    else:
        must("cp", "--sparse=always", *(f"../made/{name}" for name in os.listdir("../made")), ".")


def make():
    must("qemu-img", "create", "-q", "-f", "qcow2", "a.qcow2", "10M")
    must("qemu-io", "-c", "write -P 1 0 256k", "-c", "write -P 2 1M 300k", "a.qcow2")
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "a.qcow2", "-F", "qcow2", "b.qcow2")
    must("qemu-io", "-c", "write -P 3 128k 256k", "-c", "write -z 5M 1M", "b.qcow2")
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "b.qcow2", "-F", "qcow2", "c.qcow2")
    must("qemu-io", "-c", "write -P 4 9M 64k", "c.qcow2")
    must("qemu-img", "convert", "-O", "raw", "b.qcow2", "b.raw")
    must("qemu-img", "create", "-q", "-f", "raw", "r.raw", "1M")
    shutil.copy("a.qcow2", "s.qcow2")
    must("qemu-img", "snapshot", "-c", "one", "s.qcow2")
    must("qemu-io", "-c", "write -P 5 0 1M", "s.qcow2")
    must("qemu-img", "resize", "-q", "-f", "raw", "r.raw", "10M")
    shutil.copy("s.qcow2", "t.qcow2")
    must("qemu-img", "resize", "-q", "t.qcow2", "20M")
    must("qemu-io", "-c", "write -P 8 15M 1M", "t.qcow2")
    shutil.copy("s.qcow2", "v.qcow2")
    must("qemu-img", "resize", "-q", "--shrink", "v.qcow2", "1M")
    must("qemu-img", "create", "-q", "-f", "raw", "e.raw", "0")
    must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "extended_l2=on", "-b", "a.qcow2", "-F", "qcow2", "p.qcow2")
    must("qemu-io", "-c", "write -P 3 130k 5k", "-c", "write -z 140k 6k", "-c", "write -P 7 200k 300k", "p.qcow2")
    shutil.copy("a.qcow2", "m.qcow2")
    must("qemu-img", "bitmap", "--add", "m.qcow2", "on")
    must("qemu-io", "-c", "write -P 6 3M 100k", "m.qcow2")
    must("qemu-img", "bitmap", "--add", "--disable", "-g", "4k", "m.qcow2", "off")
    shutil.copy("a.qcow2", "leak.qcow2")
    with open("leak.qcow2", "r+b") as f:
        f.truncate(8 << 20)
        f.seek(2 * 65536 + 200)
        f.write(b"\0\1")


def split(line):
    return [word.strip("'") for word in line.split()]


def meaning(line, said):
    """Without what the host's file system gives to a file, and the order of an object's members."""
    if "--output=json" in line and "map" not in line and said:
        return json.loads(said, object_hook=lambda o: {k: v for k, v in o.items() if k != "actual-size"})
    return [l for l in said.split("\n") if "disk size" not in l or not line.startswith("info")]


def say_same(mimus, line):
    theirs, ours = (run([*program, *split(line)]) for program in (["qemu-img"], [mimus, "img"]))
    same = theirs[0] == ours[0] and meaning(line, theirs[1]) == meaning(line, ours[1]) and bool(theirs[2]) <= bool(ours[2])
    if not same:
        print(f"{line}\n  qemu-img: {theirs}\n  mimus:    {ours}")
    return same


def contents():
    """Of each image, as qemu-img reads it; and what it finds at checking."""
    found = {}
    for name in sorted(os.listdir(".")):
        status, out, err = run(["qemu-img", "convert", "-U", "-O", "raw", name, "../contents"])
        with open("../contents", "rb") as f:
            found[name] = f.read() if not status else err
        if name.endswith("qcow2"):
            found[name + " checked"] = run(["qemu-img", "check", "-U", name])[0]
            info = json.loads(must("qemu-img", "info", "-U", "--output=json", name))
            found[name + " facts"] = [info.get(k) for k in ("virtual-size", "backing-filename", "backing-filename-format", "format-specific")]
            found[name + " snapshots"] = [s["name"] for s in info.get("snapshots", [])]
    return found


def do_same(mimus, line):
    left, said = [], []
    for program in (["qemu-img"], [mimus, "img"]):
        prepare()
        said.append(run([*program, *split(line)])[:2])
        left.append(contents())
    wrong = [name for name in left[0].keys() | left[1].keys() if left[0].get(name) != left[1].get(name)]
    if said[0] != said[1] or wrong:
        print(f"{line}\n  qemu-img: {said[0]}\n  mimus:    {said[1]}\n  differ: {wrong}")
    return said[0] == said[1] and not wrong


def alike(mimus):
    prepare()
    rows = [say_same(mimus, line) for line in LOOKS.strip().splitlines()]
    rows += [do_same(mimus, line) for line in CHANGES.strip().splitlines()]
    print(f"{sum(rows)} of {len(rows)} alike")
    return all(rows)


LAYOUTS = ["", "compat=0.10", "refcount_bits=1", "refcount_bits=64", "cluster_size=512", "cluster_size=2M", "compression_type=zstd", "lazy_refcounts=on",
           "preallocation=metadata", "extended_l2=on", "extended_l2=on,cluster_size=2M", "extended_l2=on,cluster_size=16k",
           "extended_l2=on,preallocation=metadata", "data_file=D", "data_file=D,data_file_raw=on", "data_file=D,extended_l2=on"]


def scribble(rand, path, size):
    """Random writes, some compressed."""
    commands = []
    for _ in range(40):
        at, length = rand.randrange(size // 512) * 512, rand.randrange(1, 300) * 512
        length = min(length, size - at)
        commands += ["-c", rand.choice([f"write -P {rand.randrange(256)} {at} {length}", f"write -z {at} {length}"])]
    must("qemu-io", *commands, path)


def exchange(mimus, layout, seed):
    """A raw image, converted by one to qcow2 of this layout, changed, read and checked by the other."""
    rand = random.Random(seed)
    size = rand.randrange(3000, 9000) * 512
    must("qemu-img", "create", "-q", "-f", "raw", "x.raw", str(size))
    scribble(rand, "x.raw", size)
    plain = "preallocation" in layout or "data_file" in layout  # nothing is compressed
    for program, other in ((["qemu-img"], [mimus, "img"]), ([mimus, "img"], ["qemu-img"])):
        for packed in ([],) if plain else ([], ["-c"]):
            options = ["-o", layout.replace("=D", "=x.data")] if layout else []
            must(*program, "convert", *packed, "-f", "raw", "-O", "qcow2", *options, "x.raw", "x.qcow2")
            must(*other, "compare", "x.raw", "x.qcow2")
            must(*other, "check", "x.qcow2")
            must(*program, "check", "x.qcow2")
            scribble(rand, "x.qcow2", size)
            must("qemu-img", "convert", "-O", "raw", "x.qcow2", "y.raw")
            must(mimus, "img", "compare", "y.raw", "x.qcow2")
            if "data_file_raw" in layout:
                must("cmp", "-n", str(size), "y.raw", "x.data")  # QEMU fills the last cluster
            must(*other, "convert", *packed, "-O", "qcow2", "x.qcow2", "y.qcow2")
            must(*program, "compare", "y.raw", "y.qcow2")
            must(*program, "check", "y.qcow2")


def behind(mimus, layout, seed):
    """The same words write to an image above another, by qemu-io and by the machine's own hands: commit from above it."""
    rand = random.Random(seed)
    must("qemu-img", "create", "-q", "-f", "raw", "base.raw", "3M")
    scribble(rand, "base.raw", 3 << 20)
    for name, program in (("q", ["qemu-img"]), ("m", [mimus, "img"])):
        must(*program, "create", "-q", "-f", "qcow2", "-o", layout.replace("=D", f"={name}.data"), "-b", "base.raw", "-F", "raw",
             f"{name}.qcow2")
    for n in range(3):
        state = rand.getstate()
        for name, program in (("q", ["qemu-img"]), ("m", [mimus, "img"])):
            rand.setstate(state)
            must("qemu-img", "create", "-q", "-f", "qcow2", "-o", "cluster_size=512", "-b", f"{name}.qcow2", "-F", "qcow2", "top.qcow2")
            scribble(rand, "top.qcow2", 3 << 20)
            must(*program, "commit", "-q", "top.qcow2")
            must("qemu-img", "check", f"{name}.qcow2")
            must(mimus, "img", "check", f"{name}.qcow2")
        must("qemu-img", "compare", "q.qcow2", "m.qcow2")
        must(mimus, "img", "compare", "q.qcow2", "m.qcow2")
        if n == 1 and "data_file" not in layout:
            must("qemu-img", "snapshot", "-c", "s", "q.qcow2")
            must(mimus, "img", "snapshot", "-c", "s", "m.qcow2")
    if "data_file" not in layout:
        for name, program in (("q", [mimus, "img"]), ("m", ["qemu-img"])):
            must(*program, "snapshot", "-a", "s", f"{name}.qcow2")
            must(*program, "check", f"{name}.qcow2")
        must("qemu-img", "compare", "q.qcow2", "m.qcow2")


def flags(name):
    info = json.loads(must("qemu-img", "info", "--output=json", name))
    return {b["name"]: b["flags"] for b in info["format-specific"]["data"].get("bitmaps", [])}


def bitmaps(mimus):
    """Those of qemu-img's stay what they are while mimus writes to the image."""
    must("qemu-img", "create", "-q", "-f", "qcow2", "x.qcow2", "1M")
    must("qemu-img", "bitmap", "--add", "x.qcow2", "on")
    must("qemu-img", "bitmap", "--add", "--disable", "-g", "4k", "x.qcow2", "off")
    must("qemu-io", "-c", "write -P 1 128k 4k", "x.qcow2")
    must(mimus, "img", "check", "x.qcow2")
    must("qemu-img", "create", "-q", "-f", "qcow2", "-b", "x.qcow2", "-F", "qcow2", "y.qcow2")
    must("qemu-io", "-c", "write -P 2 256k 4k", "y.qcow2")
    must(mimus, "img", "commit", "y.qcow2")
    must("qemu-img", "check", "x.qcow2")
    must(mimus, "img", "check", "x.qcow2")
    if flags("x.qcow2") != {"on": ["auto"], "off": []}:
        sys.exit(f"bitmaps: {flags('x.qcow2')}")
    for name in ("on", "off"):
        must("qemu-img", "bitmap", "--merge", "on", "x.qcow2", name)
    must(mimus, "img", "resize", "x.qcow2", "2M")
    must("qemu-img", "check", "x.qcow2")
    must("qemu-img", "bitmap", "--remove", "x.qcow2", "on")
    must(mimus, "img", "check", "x.qcow2")


def others(mimus):
    """Formats that are only read."""
    rand = random.Random(9)
    size = 9000 * 512
    must("qemu-img", "create", "-q", "-f", "raw", "x.raw", str(size))
    scribble(rand, "x.raw", size)
    for form, options in (("vdi", ""), ("vdi", "static=on"), ("vmdk", ""), ("vmdk", "subformat=monolithicFlat"),
                          ("vmdk", "subformat=twoGbMaxExtentSparse"), ("vmdk", "subformat=twoGbMaxExtentFlat"),
                          ("vmdk", "subformat=streamOptimized")):
        must("qemu-img", "convert", "-O", form, *(["-o", options] if options else []), "x.raw", "x.other")
        must(mimus, "img", "compare", "x.raw", "x.other")
        must(mimus, "img", "convert", "-f", form, "-O", "qcow2", "x.other", "y.qcow2")
        must("qemu-img", "compare", "x.raw", "y.qcow2")
        if f"file format: {form}\n" not in must(mimus, "img", "info", "x.other"):
            sys.exit(f"{form} {options}: taken for another format")
        status, _, err = run([mimus, "img", "resize", "x.other", "1M"])
        if status != 1 or "only read" not in err:
            sys.exit(f"{form} {options}: {status} {err}")


def refused(mimus, rest, why):
    must("qemu-img", "create", "-q", "-f", "qcow2", *rest, "x.qcow2", "1M")
    status, _, err = run([mimus, "img", "info", "x.qcow2"])
    if status != 1 or why not in err or err.count("\n") != 1:
        sys.exit(f"{rest}: {status} {err}")


def exchanged(mimus):
    for seed, layout in enumerate(LAYOUTS):
        exchange(mimus, layout, seed)
    for seed, layout in enumerate(["cluster_size=4k", "extended_l2=on", "extended_l2=on,cluster_size=16k", "data_file=D",
                                   "extended_l2=on,preallocation=full", "data_file=D,extended_l2=on"]):
        behind(mimus, layout, seed)
    bitmaps(mimus)
    others(mimus)
    refused(mimus, ["--object", "secret,id=s,data=x", "-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10"],
            "encrypted")
    return True


def main():
    mimus, case = os.path.abspath(sys.argv[1]), sys.argv[2]
    if not shutil.which("qemu-img") or not shutil.which("qemu-io"):
        print("no qemu-img here")
        return 77
    with tempfile.TemporaryDirectory(dir="/dev/shm" if os.path.isdir("/dev/shm") else None) as top:
        os.mkdir(f"{top}/d")
        os.chdir(f"{top}/d")
        ok = {"alike": alike, "contents": exchanged}[case](mimus)
        os.chdir("/")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
