#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""media.py MIMUS CASE: GRUB of the host's (package grub-pc-bin) from media made on the spot.

Its menu is looked at, an entry chosen, media are changed under it. Exit status 77 without GRUB or the
tools that make media (mtools, xorriso).
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from dialogue import Guest, Lost

GRUB = "/usr/lib/grub/i386-pc"
EFI_GRUB = "/usr/lib/grub/x86_64-efi"
OVMF = "/usr/share/OVMF/"
SECTOR = 512
TERMINAL = "serial --unit=0 --speed=115200\nterminal_input serial\nterminal_output serial\n"
ENTRIES = """set timeout=-1
insmod cat; insmod ls; insmod sleep; insmod iorw; insmod iso9660
menuentry "first entry" { echo one }
menuentry "second entry" { cat /note; outb 0xf4 0x10 }
"""
MENU = TERMINAL + ENTRIES
FORGET = "sleep 3; "  # as long as GRUB keeps what it has read
MODULES = "biosdisk serial terminal echo iorw normal fat iso9660 cat ls configfile test minicmd sleep".split()


def write(path, data):
    with open(path, "wb") as f:
        f.write(data)
    return path


def fat_floppy(folder, name, files, kib=1440, boot=True):
    """A DOS floppy; a bootable one has GRUB in reserved sectors before the file system."""
    path, core = os.path.join(folder, name), b""
    if boot:
        script = write(os.path.join(folder, "script"), (TERMINAL + "configfile (fd0)/grub.cfg\n").encode())
        out = os.path.join(folder, "core.img")
        subprocess.run(["grub-mkimage", "-O", "i386-pc", "-o", out, "-p", "(fd0)/", "-c", script, *MODULES], check=True)
        with open(out, "rb") as f:
            core = f.read()
    reserved = 1 + (len(core) + SECTOR - 1) // SECTOR
    subprocess.run(["mformat", "-C", "-f", str(kib), "-R", str(reserved), "-i", path, "::"], check=True)
    for inside, text in files.items():
        subprocess.run(["mcopy", "-i", path, write(os.path.join(folder, "file"), text.encode()), "::" + inside], check=True)
    if boot:
        put_grub(path, core)
    return path


def put_grub(path, core):
    """As grub-bios-setup does: boot.img loads sector 1, which loads the others by a list at its end."""
    core = bytearray(core)
    struct.pack_into("<QHH", core, SECTOR - 12, 2, (len(core) - 1) // SECTOR, 0x820)
    with open(os.path.join(GRUB, "boot.img"), "rb") as f:
        code = bytearray(f.read().ljust(SECTOR, b"\0"))
    struct.pack_into("<Q", code, 0x5c, 1)
    with open(path, "r+b") as f:
        parameters = f.read(0x5a)[3:]
        code[3:0x5a] = parameters
        code[510:512] = b"\x55\xaa"
        f.seek(0)
        f.write(code + core)


def cd(folder, name, files, grub=GRUB):
    root = os.path.join(folder, name + ".d")
    for inside, text in files.items():
        path = os.path.join(root, inside.lstrip("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, text.encode())
    out = os.path.join(folder, name)
    subprocess.run(["grub-mkrescue", "-d", grub, "-o", out, root], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return out


def command(mimus, *options):
    return [mimus, "-m", "64", "-display", "none", "-nic", "none", "-serial", "mon:stdio", "-device", "isa-debug-exit,iobase=0xf4",
            "-no-reboot", *options]


def choose_second(g):
    g.expect("first entry.*second entry")
    g.send("\x1b[B\r")


def ends_with(g, text):
    g.expect(text)
    if g.finish() != 0x21:
        raise Lost("the entry did not run to its end")


def floppy(mimus, folder):
    """GRUB's menu from a floppy of the usual size; a file is read through BIOS and DMA."""
    disk = fat_floppy(folder, "a", {"/grub.cfg": MENU, "/note": "from a floppy\n" * 500 + "its end\n"})
    with Guest(command(mimus, "-fda", disk)) as g:
        choose_second(g)
        ends_with(g, "(from a floppy\n){20}.*its end")


def floppies(mimus, folder):
    """Two drives; a floppy is taken out and another put in while GRUB runs. (SeaBIOS takes every disk for one of
    the drive's best format.)"""
    sizes = {"second": 1440, "third": 2880, "fourth": 2880}
    a = fat_floppy(folder, "a", {"/grub.cfg": TERMINAL, "/note": "first disk\n"}, kib=2880)
    others = {n: fat_floppy(folder, n, {"/note": f"{n} disk\n"}, kib, boot=False) for n, kib in sizes.items()}
    with Guest(command(mimus, "-drive", f"if=floppy,format=raw,file={a}", "-fdb", others["second"]), monitor=True) as g:
        g.expect("grub> ")
        for drive, note in (("fd0", "first disk"), ("fd1", "second disk")):
            g.send(f"cat ({drive})/note\n")
            g.expect("note.*" + note)
        for name in ("third", "fourth"):
            g.expect("grub> ")
            g.monitor("change floppy0 " + others[name])
            g.send(FORGET + "cat (fd0)/note\n")
            g.expect(f"note.*{name} disk")
        g.expect("grub> ")
        g.monitor("eject floppy0")
        g.send(FORGET + "cat (fd0)/note\n")
        g.expect("error: ")
        g.send("outb 0xf4 0x10\n")
        ends_with(g, "outb")


def cdrom(mimus, folder):
    """GRUB's menu from a CD (El Torito), which is then changed for another."""
    a = cd(folder, "a.iso", {"/boot/grub/grub.cfg": MENU, "/note": "from a CD\n"})
    b = cd(folder, "b.iso", {"/another": "CD\n"})
    with Guest(command(mimus, "-boot", "d", "-cdrom", a), monitor=True) as g:
        g.expect("first entry.*second entry")
        g.send("c")
        g.expect("grub> ")
        g.monitor("eject ide1-cd0")
        g.monitor("change ide1-cd0 " + b)
        g.send(2 * (FORGET + "ls (cd)/; ") + "\n")  # the first read hears that the medium is another
        g.expect("another.*grub> ")
        g.monitor("change ide1-cd0 " + a)
        g.send(2 * (FORGET + "ls (cd)/; ") + "\n")
        g.expect("note.*grub> ")
        g.send("\x1b")
        choose_second(g)
        ends_with(g, "from a CD")


def efi(folder, *options):
    """OVMF from flash, with variables of its own."""
    variables = os.path.join(folder, "vars")
    if not os.path.exists(variables):
        shutil.copy(OVMF + "OVMF_VARS_4M.fd", variables)
    return ["-m", "128", "-drive", f"if=pflash,format=raw,readonly=on,file={OVMF}OVMF_CODE_4M.fd", "-drive",
            f"if=pflash,format=raw,file={variables}", *options]


def ovmf(mimus, folder):
    """OVMF's shell; a variable set there is in the flash after a reset, and in the next machine."""
    name = "setvar mimus -guid 11111111-2222-3333-4444-555555555555"
    with Guest(command(mimus, *efi(folder))) as g:
        g.expect("startup.nsh")
        g.send("\x1b")
        g.expect("Shell> ")
        g.send(name + " -nv -bs =0x4d494d5553\r")
        g.expect("Shell> ")
        g.send(name + "\r")
        g.expect("53 55 4D 49 4D")
        g.send("reset\r")
        if g.finish() != 0:
            raise Lost("the reset did not end the machine")
    with Guest(command(mimus, *efi(folder))) as g:
        g.expect("startup.nsh")
        g.send("\x1b")
        g.expect("Shell> ")
        g.send(name + "\r")
        g.expect("53 55 4D 49 4D.*Shell> ")
        g.send("reset -s\r")
        if g.finish() != 0:
            raise Lost("the shell did not switch off")


def efi_cdrom(mimus, folder):
    """GRUB for EFI from a CD, by OVMF."""
    disc = cd(folder, "a.iso", {"/boot/grub/grub.cfg": ENTRIES, "/note": "from a CD\n"}, EFI_GRUB)
    with Guest(command(mimus, *efi(folder, "-cdrom", disc))) as g:
        choose_second(g)
        ends_with(g, "from a CD")


def network(mimus, folder, card):
    """iPXE from the card's ROM fetches GRUB from the host's TFTP server, and GRUB its menu from there."""
    core = os.path.join(folder, "core")
    script = write(os.path.join(folder, "script"), (TERMINAL + "configfile (pxe)/grub.cfg\n").encode())
    subprocess.run(["grub-mkimage", "-O", "i386-pc-pxe", "-o", core, "-p", "(pxe)/", "-c", script, "pxe", "tftp", *MODULES], check=True)
    write(os.path.join(folder, "grub.cfg"), MENU.replace("insmod", "# insmod").encode())
    write(os.path.join(folder, "note"), b"from the network\n")
    options = command(mimus, "-boot", "n", "-nic", f"user,model={card},tftp={folder},bootfile=core")
    options[options.index("-nic"):options.index("-nic") + 2] = []
    with Guest(options) as g:
        choose_second(g)
        ends_with(g, "from the network")


def boot_menu(mimus, folder):
    """SeaBIOS's own menu, in which the second of two floppies is not offered but the CD is chosen."""
    disc = cd(folder, "a.iso", {"/boot/grub/grub.cfg": MENU, "/note": "from a CD\n"})
    floppy_disk = fat_floppy(folder, "a", {"/grub.cfg": MENU})
    with Guest(command(mimus, "-nographic", "-boot", "menu=on", "-cdrom", disc, "-fda", floppy_disk)) as g:
        g.expect("Press ESC for boot menu")
        g.send("\x1b")
        menu = g.expect("Select boot device:.*DVD/CD[^\n]*\n")
        choice = [line for line in menu.splitlines() if "DVD/CD" in line][0].strip()[0]
        g.send(choice)
        choose_second(g)
        ends_with(g, "from a CD")


CASES = {"network": lambda m, f: network(m, f, "e1000"), "network-virtio": lambda m, f: network(m, f, "virtio"),
         "network-rtl8139": lambda m, f: network(m, f, "rtl8139"),
         "boot-menu": boot_menu, "floppy": floppy, "floppies": floppies, "cdrom": cdrom, "ovmf": ovmf, "efi-cdrom": efi_cdrom}


def main():
    mimus, case = sys.argv[1:3]
    if not all(map(shutil.which, ("grub-mkimage", "mformat", "xorriso"))) or not os.path.exists(GRUB + "/boot.img"):
        print("no GRUB for PCs here (packages grub-pc-bin, mtools, xorriso)")
        return 77
    if ("ovmf" in case or "efi" in case) and not os.path.exists(OVMF + "OVMF_CODE_4M.fd"):
        print("no OVMF here (package ovmf)")
        return 77
    if "efi" in case and not os.path.exists(EFI_GRUB):
        print("no GRUB for EFI here (package grub-efi-amd64-bin)")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        try:
            CASES[case](mimus, folder)
        except Lost as e:
            print(f"{case}: {e}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
