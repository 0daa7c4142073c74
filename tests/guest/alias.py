#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""alias.py MIMUS GUESTDIR: command lines as harnesses write them for QEMU, under its name.

Each must make a machine that waits at its first instruction (-S is added) and ends when asked, and say
nothing but warnings on stderr. KERNEL and DISK stand for files, PORT for a free port. Exit status 77 without guest files.
"""
import os
import re
import shlex
import socket
import subprocess
import sys
import tempfile

from qmpclient import Qmp

# (whose, command line)
ROWS = (
    ("kvm-unit-tests", "--no-reboot -nodefaults -global kvm-pit.lost_tick_policy=discard -device pc-testdev "
     "-device isa-debug-exit,iobase=0xf4,iosize=0x4 -display none -serial null -device pci-testdev "
     "-machine accel=tcg -kernel KERNEL -smp 2 -cpu max"),
    ("kvm-unit-tests", "-nodefaults -machine accel=tcg -display none -kernel KERNEL "
     "-cpu IvyBridge,phys-bits=36,host-phys-bits=off"),
    ("kvm-unit-tests", "-nodefaults -display none -kernel KERNEL -cpu max,-x2apic,+tsc-deadline,-pcid,+umip -device edu"),
    ("kvm-unit-tests", "--no-reboot -nodefaults -device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=0x4 "
     "-vnc none -serial stdio -device pci-testdev -machine accel=tcg -kernel KERNEL -smp 2 -cpu qemu64,-x2apic,+umip"),
    ("kvm-unit-tests", "-nodefaults -device pc-testdev -vnc none -serial stdio -machine accel=tcg -kernel KERNEL "
     "-cpu Opteron_G1,vendor=AuthenticAMD"),
    ("kvm-unit-tests", "-nodefaults -vnc none -serial stdio -machine accel=tcg -kernel KERNEL "
     "-cpu max,vmware-cpuid-freq=off,tsc-frequency=200000000"),
    ("libvirt", "-no-user-config -nodefaults -nographic -machine none,accel=tcg -pidfile DIR/pid"),
    ("libvirt", "-display none -vga none -object '{\"qom-type\":\"secret\",\"id\":\"masterKey0\",\"format\":\"raw\",\"file\":\"DISK\"}' "
     "-object '{\"qom-type\":\"memory-backend-memfd\",\"id\":\"ram\",\"share\":true,"
     "\"x-use-canonical-path-for-ramblock-id\":false,\"size\":268435456}' -m 256 -numa node,nodeid=0,cpus=0,memdev=ram "
     "-audiodev '{\"id\":\"audio1\",\"driver\":\"none\"}' -vnc unix:DIR/vnc,audiodev=audio1 -global ICH9-LPC.disable_s3=1 "
     "-device '{\"driver\":\"VGA\",\"id\":\"video0\",\"vgamem_mb\":16,\"bus\":\"pci.0\",\"addr\":\"0x2\"}' "
     "-device '{\"driver\":\"virtio-balloon-pci\",\"id\":\"balloon0\",\"bus\":\"pci.0\",\"addr\":\"0x5\"}' -chardev null,id=s "
     "-device '{\"driver\":\"isa-serial\",\"chardev\":\"s\",\"id\":\"serial0\",\"index\":0}'"),
    ("packer", "-name packer -machine type=pc,accel=tcg -m 512M -boot once=d -device virtio-net,netdev=user.0 "
     "-netdev user,id=user.0,hostfwd=tcp::PORT-:22 -drive file=DISK,if=virtio,cache=writeback,discard=ignore,format=raw "
     "-vnc unix:DIR/packer"),
    ("openQA", "-vnc unix:DIR/openqa,share=force-shared -m 512 -chardev ringbuf,id=serial0,logfile=DIR/serial0,logappend=on "
     "-serial chardev:serial0 -audiodev none,id=snd0 -global isa-fdc.fdtypeA=none -boot once=d -smp 1 -no-shutdown "
     "-chardev socket,path=DIR/q,server=on,wait=off,id=qmp_socket,logfile=DIR/qmp.log,logappend=on -qmp chardev:qmp_socket"),
    ("NixOS", "-m 512 -device virtio-serial -device virtconsole,chardev=shell "
     "-chardev socket,id=shell,path=DIR/shell,server=on,wait=off -device virtio-rng-pci -serial stdio -no-reboot -nographic "
     "-monitor unix:DIR/m,server,nowait -net nic,netdev=user.0,model=virtio -netdev user,id=user.0"),
    ("virtme", "-cpu max -m 256 -smp 1 -name x -device i6300esb,id=watchdog0 -parallel none -net none -echr 1 "
     "-chardev null,id=console,mux=on -serial chardev:console -mon chardev=console -vga none -display none "
     "-no-reboot -kernel KERNEL -append console=ttyS0"),
    ("virtme-ng", "-machine pc -cpu max -m 256M -smp 2 -name virtme-ng -device i6300esb,id=watchdog0 -parallel none "
     "-net none -echr 1 -chardev stdio,id=console,signal=off,mux=on -serial chardev:console -mon chardev=console "
     "-chardev file,path=/proc/self/fd/2,id=dmesg -device virtio-serial-pci -device virtconsole,chardev=dmesg "
     "-chardev null,id=ret -device virtserialport,name=virtme.ret,chardev=ret -vga none -display none -no-reboot "
     "-object memory-backend-memfd,id=mem,size=256M,share=on -numa node,memdev=mem -device vmcoreinfo "
     "-device virtio-rng-pci -device virtio-balloon-pci -netdev user,id=n -device virtio-net-pci,netdev=n "
     "-drive if=none,id=d0,file=DISK,format=raw,cache=none -device virtio-blk-pci,drive=d0 -gdb tcp:localhost:PORT "
     "-kernel KERNEL -append virtme_console=ttyS0"),
    ("kvm-unit-tests", "-nodefaults -display none -machine vmport=on -cpu max"),
    ("kvm-unit-tests", "-nodefaults -display none -machine pit=off"),
    ("syzkaller", "-m 2048 -smp 2 -chardev socket,id=SOCKSYZ,server=on,wait=off,host=localhost,port=PORT "
     "-mon chardev=SOCKSYZ,mode=control -display none -serial stdio -no-reboot -name VM-0 -device virtio-rng-pci "
     "-device e1000,netdev=net0 -netdev user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:PORT2-:22 -hda DISK -snapshot "
     "-kernel KERNEL -append root=/dev/sda"),
    ("libvirt", "-machine pc,usb=off,dump-guest-core=off,nvdimm=off,acpi=on -accel tcg -cpu qemu64,kvm=off,pmu=off "
     "-no-user-config -nodefaults -display none -audiodev '{\"id\":\"audio1\",\"driver\":\"none\"}' "
     "-netdev '{\"type\":\"stream\",\"id\":\"p0\",\"server\":true,\"addr\":{\"type\":\"unix\",\"path\":\"DIR/passt\"}}' "
     "-device '{\"driver\":\"virtio-net-pci\",\"netdev\":\"p0\",\"id\":\"net0\"}' "
     "-smbios type=1,manufacturer=x -smbios type=41,designation=nic,kind=ethernet,instance=1,pcidev=net0"),
    ("syzkaller", "-m 256 -smp 2 -chardev socket,id=SOCKSYZ,server=on,wait=off,path=DIR/syz -mon chardev=SOCKSYZ,mode=control "
     "-display none -serial null -no-reboot -name VM-0 -device virtio-rng-pci -device e1000,netdev=net0 "
     "-netdev user,id=net0,restrict=on -hda DISK -snapshot -kernel KERNEL -append x"),
    ("qemu's python", "-display none -vga none -chardev socket,id=mon,path=DIR/mon,server=on,wait=off "
     "-mon chardev=mon,mode=control -machine pc -chardev socket,id=console,path=DIR/con,server=on,wait=off "
     "-serial chardev:console"),
    ("libvirt", "-name guest=x,debug-threads=on -machine pc-i440fx-7.2,usb=off,dump-guest-core=off,memory-backend=pc.ram "
     "-accel kvm -accel tcg -cpu qemu64 -m size=262144k -object "
     "'{\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\",\"size\":268435456}' -overcommit mem-lock=off "
     "-smp 1,sockets=1,cores=1,threads=1 -uuid 11111111-2222-3333-4444-555555555555 -display none -no-user-config "
     "-nodefaults -rtc base=utc,driftfix=slew -no-hpet -no-shutdown -global PIIX4_PM.disable_s3=1 -boot strict=on "
     "-blockdev '{\"driver\":\"file\",\"filename\":\"DISK\",\"node-name\":\"f1\",\"auto-read-only\":true,\"discard\":\"unmap\"}' "
     "-blockdev '{\"node-name\":\"n1\",\"read-only\":false,\"driver\":\"raw\",\"file\":\"f1\"}' "
     "-device '{\"driver\":\"ide-hd\",\"bus\":\"ide.0\",\"unit\":0,\"drive\":\"n1\",\"id\":\"ide0-0-0\",\"bootindex\":1}' "
     "-netdev '{\"type\":\"user\",\"id\":\"h0\"}' -device "
     "'{\"driver\":\"e1000\",\"netdev\":\"h0\",\"id\":\"net0\",\"mac\":\"52:54:00:aa:bb:cc\",\"bus\":\"pci.0\",\"addr\":\"0x3\"}' "
     "-chardev null,id=c0 -device '{\"driver\":\"isa-serial\",\"chardev\":\"c0\",\"id\":\"serial0\",\"index\":0}' "
     "-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny -msg timestamp=on"),
    ("buildroot", "-serial null -display none -m 256 -M pc -kernel KERNEL -append console=ttyS0 "
     "-drive file=DISK,if=virtio,format=raw -net nic,model=virtio -net user"),
    ("cloud images", "-display none -accel tcg,thread=multi -m 1G -smp cpus=2 -nic user,model=virtio-net-pci "
     "-object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 -object iothread,id=io0 "
     "-drive file=DISK,if=none,id=d0,format=raw,cache=none,aio=native,discard=unmap,detect-zeroes=unmap,werror=stop "
     "-device virtio-blk-pci,drive=d0,iothread=io0,bootindex=1"),
)

# What is not there: one line and status 1.
REFUSED = (
    ("kvm-unit-tests", "-nodefaults -display none -M q35,kernel-irqchip=split -device intel-iommu,intremap=on,eim=off -device edu"),
    ("kvm-unit-tests", "-display none -smp 300"),
    ("kvm-unit-tests", "-display none -kernel _NO_FILE_4Uhere_"),
    ("kvm-unit-tests", "-nodefaults -display none -cpu host"),
    ("virtme-ng", "-machine q35 -cpu max -m 256 -smp 2 -name x -display none"),
    ("virtme-ng", "-display none -fsdev local,id=virtfs0,path=/,security_model=none,multidevs=remap "
     "-device virtio-9p-pci,fsdev=virtfs0,mount_tag=/dev/root"),
    ("virtme-ng", "-display none -chardev null,id=c -device vhost-user-fs-pci,chardev=c,tag=ROOTFS"),
    ("virtme-ng", "-display none -device virtio-scsi-pci,id=scsi"),
    ("syzkaller", "-display none -object memory-backend-file,size=1M,share=on,discard-data=on,mem-path=DIR/shm,id=hostmem "
     "-device ivshmem-plain,memdev=hostmem"),
    ("libvirt", "-display none -device pcie-root-port,port=8,chassis=1,id=pci.1,bus=pcie.0,multifunction=on,addr=0x1"),
    ("openQA", "-display none -device qemu-xhci -device usb-tablet"),
    ("NixOS", "-display none -virtfs local,path=/tmp,security_model=none,mount_tag=nix-store"),
)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return str(s.getsockname()[1])


def refused(alias, where, line):
    """What is wrong with how it is refused."""
    done = subprocess.run([alias, "-S", *shlex.split(line.replace("DIR", where))], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60, check=False)
    said = [s for s in done.stderr.splitlines() if "warning: " not in s]
    return "" if done.returncode == 1 and len(said) == 1 and not done.stdout else f"{done.returncode}: {done.stderr}"


def run(alias, guest, where, line):
    sock = os.path.join(where, "qmp")
    if os.path.exists(sock):
        os.unlink(sock)
    for word in ("PORT2", "PORT"):
        line = line.replace(word, free_port()) if word in line else line
    for word, path in (("KERNEL", os.path.join(guest, "vmlinuz")), ("DISK", os.path.join(where, "disk")), ("DIR", where)):
        line = line.replace(word, path)
    command = [alias, "-S", *shlex.split(line), "-qmp", f"unix:{sock},server=on,wait=off"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        q = Qmp(sock, process=process)
        status = q.command("query-status")["status"]
        q.socket.sendall(b'{"execute": "quit"}')
        said = process.communicate(timeout=60)[1]
    except OSError:
        process.kill()
        return process.communicate()[1] or "no machine"
    said = "".join(s for s in said.splitlines(True) if not re.search("warning: ", s))
    return said or ("" if (status, process.returncode) == ("prelaunch", 0) else f"{status}, {process.returncode}")


def main():
    mimus, guest = sys.argv[1:3]
    if not os.path.exists(os.path.join(guest, "vmlinuz")):
        return 77
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="mimus-alias-") as where:
        alias = os.path.join(where, "qemu-system-x86_64")
        os.symlink(os.path.abspath(mimus), alias)
        with open(os.path.join(where, "disk"), "wb") as f:
            f.truncate(1 << 20)
        version = subprocess.run([alias, "--version"], capture_output=True, text=True, check=True).stdout
        assert re.match(r"QEMU emulator version \d+\.\d+\.\d+", version), version
        devices = subprocess.run([alias, "-device", "?"], capture_output=True, text=True, check=True).stdout
        assert '"pc-testdev"' in devices and '"pci-testdev"' in devices, devices
        for whose, line in ROWS:
            said = run(alias, guest, where, line)
            if said:
                wrong += 1
                print(f"{whose}: {line}\n    {said}")
        for whose, line in REFUSED:
            said = refused(alias, where, line)
            if said:
                wrong += 1
                print(f"{whose}: {line}\n    refused with {said}")
    return 1 if wrong else 0


sys.exit(main())
