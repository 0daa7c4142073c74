# SPDX-License-Identifier: MIT
"""What sidebyside.py gives to both programs: one line each, # begins a remark. RAW, RAW2, QCOW, FLASH, CONFIG, ROM and DIR
stand for files."""


def lines(text):
    return [line for line in text.strip().splitlines() if line and not line.startswith("#")]


# Command lines of which the same comes.
ALIKE = r"""
-m 64
-m 64M
-m 1G
-m size=64
-m size=64,maxmem=32
-m abc
-m 64X
-smp 2
-smp 2,maxcpus=4
-smp cpus=2,sockets=1,cores=2,threads=1
-smp 4,sockets=1,dies=1,cores=2,threads=2
-smp 300
-smp 2,sockets=3
-smp 4,maxcpus=2
-smp 2,bogus=3
-smp x
-kernel /nonexistent
-append x
-nographic
-nographic -serial null -monitor none
-serial stdio
-serial stdio -monitor none
-serial mon:stdio
-serial null -serial null -serial none
-serial file:DIR/f
-serial file:/nonexistent/f
-serial unix:DIR/u,server,nowait
-serial unix:DIR/u2,server=on,wait=off
-serial unix:/nonexistent/u
-serial tcp:127.0.0.1:1
-serial tcp::0,server,nowait
-serial telnet:127.0.0.1:0,server,nowait
-serial telnet::0,server=on,wait=off
-serial chardev:c -chardev null,id=c
-serial chardev:nope
-serial bogus
-serial udp:127.0.0.1:9
-serial pipe:DIR/p
-serial fdset:1
-serial con:
-display bogus
-display help
-vga std
-vga none
-vga bogus
-no-reboot
-no-shutdown
-action reboot=shutdown,shutdown=pause,panic=exit-failure,watchdog=none
-action reboot=reset,shutdown=poweroff,panic=pause,watchdog=inject-nmi
-action panic=bogus
-action bogus=x
-snapshot
-nodefaults
-no-user-config
-M pc
-M none
-M pc-i440fx-7.2
-M bogus
-M help
-machine pc,accel=tcg
-machine pc,accel=kvm:tcg
-machine pc,accel=bogus
-machine pc,usb=off
-machine pc,vmport=off
-machine pc,vmport=on
-machine pc,vmport=maybe
-machine pc,pit=off
-machine pc,pic=off
-machine pc,acpi=off
-no-acpi
-machine pc,i8042=off
-machine pc,sata=off
-machine pc,smbus=off
-machine pc,max-ram-below-4g=1G
-machine pc,max_ram_below_4g=1G -m 2G
-machine pc,max-ram-below-4g=5G
-machine pc,suppress-vmdesc=on
-machine pc,default-bus-bypass-iommu=on
-machine pc,smbios-entry-point-type=64
-machine pc,smbios-entry-point-type=33
-machine pc,x-oem-id=ABC,x-oem-table-id=12345678
-machine pc,x-oem-id=ABCDEFG
-machine smp.cpus=2
-machine pc,help
-machine smp.cores=2 -smp 4
-machine smp=2
-machine smp.bogus=2
-smp 4,cores=2 -smp 8
-machine memory.size=64M
-machine boot.order=d
-machine boot.order=z
-machine pc,hpet=off
-machine pc,smm=off
-machine pc,kernel-irqchip=off
-machine pc,kernel-irqchip=split
-machine pc,dump-guest-core=off
-machine pc,mem-merge=off
-machine pc,mem-merge=on
-machine pc,kernel=/nonexistent
-machine pc,memory-backend=m -object memory-backend-ram,id=m,size=128M
-machine pc,memory-backend=m
-machine pc,pflash0=nope
-machine pc,graphics=off
-machine pc,nvdimm=off
-machine pc,fd-bootchk=off
-machine pc,firmware=/usr/share/seabios/bios-256k.bin
-machine pc,bogus=1
-machine type=pc,accel=tcg
-machine accel=tcg
-accel tcg
-accel tcg,thread=single
-accel tcg,thread=multi
-accel tcg,thread=bogus
-accel tcg,tb-size=64
-accel tcg,tb-size=x
-accel tcg,bogus=1
-accel kvm -accel tcg
-accel bogus
-accel help
-cpu max
-cpu qemu64
-cpu qemu32
-cpu 486
-cpu pentium
-cpu pentium2
-cpu pentium3
-cpu core2duo
-cpu n270
-cpu kvm64
-cpu base
-cpu Conroe
-cpu Penryn
-cpu Nehalem
-cpu Westmere
-cpu SandyBridge
-cpu IvyBridge
-cpu Haswell
-cpu Haswell-noTSX
-cpu Haswell-v4
-cpu Broadwell
-cpu Skylake-Client
-cpu Skylake-Server
-cpu Skylake-Server-v2
-cpu SapphireRapids
-cpu EPYC
-cpu EPYC-v2
-cpu EPYC-v4
-cpu base-v1
-cpu qemu64,hv-relaxed
-cpu qemu64,migratable=off
-cpu EPYC-Rome
-cpu EPYC-Milan
-cpu athlon
-cpu phenom
-cpu coreduo
-cpu kvm32
-cpu Cascadelake-Server
-cpu Cooperlake
-cpu Icelake-Server
-cpu Snowridge
-cpu Denverton
-cpu KnightsMill
-cpu Dhyana
-cpu Icelake-Server-v6
-cpu Icelake-Server-v7
-cpu Opteron_G1
-cpu Opteron_G5
-cpu host
-cpu bogus
-cpu ?
-cpu max,+avx,-avx2
-cpu max,avx=on,avx2=off
-cpu qemu64,vendor=GenuineIntel
-cpu qemu64,vendor=Bogus
-cpu qemu64,phys-bits=36
-cpu qemu64,phys-bits=99
-cpu qemu64,check
-cpu qemu64,check=off
-cpu qemu64,enforce
-cpu Haswell,enforce
-cpu qemu64,family=6,model=15,stepping=1
-cpu qemu64,model-id=Hello
-cpu qemu64,level=13
-cpu qemu64,xlevel=0x80000008
-cpu qemu64,tsc-frequency=1000000000
-cpu qemu64,bogus=on
-cpu qemu64,+bogus
-cpu qemu64,kvm=off
-cpu qemu64,pmu=off
-cpu max,vmware-cpuid-freq=off,tsc-frequency=200000000
-cpu qemu64,+vmx
-cpu qemu64,+svm
-cpu qemu64,+pcid,+invpcid,+tsc-deadline
-cpu qemu64,+x2apic
-hda RAW
-hdb RAW
-hdc RAW
-hdd RAW
-fda RAW
-fdb RAW
-cdrom RAW
RAW
-hda /nonexistent
/nonexistent
-cdrom /nonexistent
-fda /nonexistent
-drive file=RAW,format=raw
-drive file=RAW,format=raw,if=ide,index=2,media=cdrom
-drive file=QCOW,format=qcow2,if=virtio
-drive file=RAW,format=raw,if=none,id=d
-drive file=RAW,format=raw,if=floppy
-drive file=RAW,format=raw,if=scsi
-drive file=RAW,format=raw,if=sd
-drive file=FLASH,format=raw,if=pflash
-drive file=FLASH,format=raw,if=pflash,unit=0,readonly=on
-drive file=RAW,format=raw,if=bogus
-drive file=RAW,format=bogus
-drive file=RAW,format=qcow2
-drive file=/nonexistent
-drive file=RAW,format=raw,snapshot=on
-drive file=RAW,format=raw,cache=none
-drive file=RAW,format=raw,cache=writeback
-drive file=RAW,format=raw,cache=unsafe
-drive file=RAW,format=raw,cache=bogus
-drive file=RAW,format=raw,aio=threads
-drive file=RAW,format=raw,aio=io_uring
-drive file=RAW,format=raw,aio=bogus
-drive file=RAW,format=raw,werror=stop,rerror=stop
-drive file=RAW,format=raw,werror=ignore
-drive file=RAW,format=raw,werror=bogus
-drive file=RAW,format=raw,bogus=1
-drive file=RAW,format=raw,index=0 -drive file=QCOW,index=0
-drive file=RAW,format=raw,id=a -drive file=QCOW,id=a
-drive file=RAW,format=raw,cyls=10,heads=16,secs=63
-drive file=RAW,format=raw,discard=unmap,detect-zeroes=unmap
-drive file.filename=RAW,format=raw
-drive driver=raw,file.driver=file,file.filename=RAW
-drive if=none,id=x -device ide-cd,drive=x
-drive media=cdrom
-drive file=file:RAW,format=raw
-drive file=json:{"driver":"raw","file":{"driver":"file","filename":"RAW"}}
-drive file=nbd://127.0.0.1:1/x,format=raw
-drive file=fat:DIR
-drive file=RAW,format=raw,auto-read-only=on
-drive file=RAW,format=raw,l2-cache-size=1M
-drive file=RAW,format=raw,cache.direct=on,cache.no-flush=off
-drive file=RAW,format=raw,if=virtio,bus=0,unit=1
-device help
-device ?
-device bogus
-device e1000,help
-device virtio-blk-pci,help
-device e1000
-device e1000,bogus=1
-device e1000,netdev=n -netdev user,id=n
-device e1000,netdev=nope
-device {"driver":"e1000","id":"x"}
-device {"driver":"e1000","id":"x"
-device {"id":"x"}
-device e1000,id=x -device e1000,id=x
-device e1000,addr=5
-device e1000,addr=5.0,bus=pci.0
-device e1000,bus=bogus
-device e1000,addr=99
-device e1000,addr=5 -device e1000,addr=5
-device e1000,mac=bogus
-device e1000,romfile=
-device e1000,rombar=0
-device e1000,rombar=x
-device VGA
-device VGA,vgamem_mb=32
-device VGA,romfile=
-device cirrus-vga
-vga help
-device edu,romfile=/nonexistent
-device e1000,addr=5.0,multifunction=on -device edu,addr=5.1
-device e1000,addr=5.0 -device edu,addr=5.1
-device e1000,addr=5.1 -device edu,addr=5.0
-device e1000,bootindex=1
-device virtio-net-pci
-device virtio-net-pci,disable-legacy=on,disable-modern=off
-device virtio-net
-device virtio-blk-pci
-device virtio-blk-pci,drive=d -drive if=none,id=d,file=RAW,format=raw
-device virtio-blk,drive=d -drive if=none,id=d,file=RAW,format=raw
-device virtio-blk-pci,drive=nope
-device virtio-rng-pci
-device virtio-rng
-device virtio-serial-pci
-device virtio-serial
-device virtio-serial-pci -chardev null,id=c -device virtconsole,chardev=c
-device virtio-serial-pci -chardev null,id=c -device virtserialport,chardev=c,name=a.b
-device virtserialport
-device virtio-balloon-pci
-device virtio-balloon
-device virtio-9p-pci
-device virtio-console
-device ide-hd,drive=d -drive if=none,id=d,file=RAW,format=raw
-device ide-hd,drive=d,bus=ide.1,unit=1 -drive if=none,id=d,file=RAW,format=raw
-device ide-cd
-device ide-hd
-chardev null,id=c -device isa-serial,chardev=c
-chardev null,id=c -device isa-serial,chardev=c,iobase=0x3e8,irq=4
-device isa-debug-exit
-device isa-debug-exit,iobase=0xf4,iosize=0x04
-chardev null,id=c -device isa-debugcon,chardev=c,iobase=0x402
-device isa-debugcon
-device pc-testdev
-device pci-testdev
-device edu
-device usb-tablet
-device usb-kbd
-device i6300esb
-device pvpanic
-device vmcoreinfo
-device intel-iommu
-device ne2k_pci
-device rtl8139
-device secondary-vga
-device bochs-display
-device vmgenid
-vga cirrus
-vnc unix:DIR/vnc6 -k de
-device virtio-gpu-pci
-device virtio-gpu-pci,edid=off
-serial /dev/null
-chardev serial,id=c,path=/nonexistent
-device tpm-tis
-device isa-parallel
-device smbus-eeprom
-device pxb
-device ICH9-LPC
-device pc-dimm
-device qemu64-x86_64-cpu
-netdev user,id=n
-netdev user,id=n,hostfwd=tcp:127.0.0.1:0-:22
-netdev user,id=n,hostfwd=tcp::0-:22,hostfwd=udp::0-:53
-netdev user,id=n,guestfwd=tcp:10.0.2.100:1234-cmd:cat
-netdev user,id=n,restrict=on
-netdev user,id=n,net=192.168.76.0/24,dhcpstart=192.168.76.9
-netdev user,id=n,tftp=DIR,bootfile=x
-netdev user,id=n,hostname=x,dnssearch=a,domainname=b
-netdev user,id=n,ipv6=off
-netdev user,id=n,ipv4=on,ipv6=on
-netdev user,id=n,smb=DIR
-netdev user,id=n,bogus=1
-netdev user,id=n,hostfwd=bogus
-netdev user
-netdev user,id=n -netdev user,id=n
-netdev socket,id=n,listen=127.0.0.1:0
-netdev socket,id=n,udp=127.0.0.1:9,localaddr=127.0.0.1:0
-netdev stream,id=n,server=on,addr.type=unix,addr.path=DIR/st
-netdev dgram,id=n,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port=9
-netdev dgram,id=n,local.type=unix,local.path=DIR/dg1,remote.type=unix,remote.path=DIR/dg2
-netdev hubport,id=n,hubid=0
-netdev hubport,id=n
-netdev user,id=u -netdev hubport,id=n,hubid=3,netdev=u -netdev hubport,id=o,hubid=3 -device e1000,netdev=o
-netdev hubport,id=n,hubid=0,netdev=nope
-netdev bridge,id=n,helper=/nonexistent/helper
-netdev tap,id=n,fd=99
-netdev l2tpv3,id=n
-netdev vde,id=n
-netdev vhost-user,id=n
-netdev bogus,id=n
-netdev help
-nic user
-nic none
-nic user,model=e1000
-nic user,model=virtio-net-pci
-nic user,model=virtio
-nic user,model=ne2k_pci
-nic user,model=rtl8139
-nic user,model=bogus
-nic user,hostfwd=tcp::0-:22
-nic user,mac=52:54:00:11:22:33
-nic user,id=x
-nic bogus
-net none
-net nic
-net nic -net user
-net nic,model=virtio -net user,id=u
-net nic,model=e1000,macaddr=52:54:00:11:22:33 -net user
-net user
-net bogus
-net nic,netdev=n -netdev user,id=n
-bios /usr/share/seabios/bios-256k.bin
-bios /usr/share/seabios/bios.bin
-bios bios-256k.bin
-bios /nonexistent
-bios RAW
-L /usr/share/seabios
-L DIR
-pflash FLASH
-pflash /nonexistent
-boot c
-boot d
-boot a
-boot n
-boot cdn
-boot x
-boot cc
-boot order=dc,once=d
-boot menu=on,splash-time=1
-boot strict=on
-boot reboot-timeout=100
-boot bogus=1
-boot order=z
-boot once=x
-gdb tcp::0
-gdb tcp:127.0.0.1:0
-gdb unix:DIR/gdb,server=on,wait=off
-gdb chardev:c -chardev null,id=c
-gdb none
-gdb bogus
-monitor none
-monitor null
-monitor stdio
-monitor unix:DIR/m,server,nowait
-monitor tcp::0,server,nowait
-monitor telnet::0,server,nowait
-monitor chardev:c -chardev null,id=c
-monitor bogus
-qmp stdio
-qmp-pretty null
-qmp bogus
-mon chardev=c -chardev null,id=c
-mon chardev=c,mode=control -chardev null,id=c
-mon chardev=c,mode=readline -chardev null,id=c
-mon c,mode=control,pretty=on -chardev null,id=c
-mon chardev=nope
-mon chardev=c,mode=bogus -chardev null,id=c
-mon mode=control
-chardev stdio,id=c
-chardev stdio,id=c,signal=off,mux=on
-chardev null,id=c
-chardev null
-chardev null,id=c -chardev null,id=c
-chardev bogus,id=c
-chardev socket,id=c,path=DIR/c,server=on,wait=off
-chardev socket,id=c,path=DIR/c2,server,nowait
-chardev socket,id=c,host=127.0.0.1,port=0,server=on,wait=off
-chardev socket,id=c,host=localhost,port=0,server=on,wait=off,ipv4=on
-chardev socket,id=c,host=127.0.0.1,port=1
-chardev socket,id=c,host=127.0.0.1,port=1,reconnect=1
-chardev socket,id=c,path=/nonexistent
-chardev socket,id=c
-chardev socket,id=c,path=DIR/c4,server=on,wait=off,logfile=DIR/log,logappend=on
-chardev socket,id=c,path=DIR/c5,server=on,wait=off,nodelay=on
-chardev socket,id=c,path=DIR/c8,server=on,wait=off,tls-creds=x
-chardev socket,id=c,fd=99
-chardev file,id=c,path=DIR/f2
-chardev file,id=c,path=DIR/f2,append=on
-chardev file,id=c
-chardev file,path=/proc/self/fd/2,id=dmesg
-chardev ringbuf,id=c
-chardev ringbuf,id=c,size=4096
-chardev ringbuf,id=c,size=3
-chardev memory,id=c
-chardev udp,id=c,host=127.0.0.1,port=9
-chardev udp,id=c
-chardev pipe,id=c,path=/nonexistent
-chardev tty,id=c,path=/nonexistent
-chardev parallel,id=c,path=/nonexistent
-chardev braille,id=c
-chardev spicevmc,id=c,name=x
-chardev help
-d bogus
-d in_asm
-d exec,cpu,nochain
-d int,guest_errors,unimp
-D DIR/log2
-D DIR/log-%d -d int
-D /nonexistent/x -d int
-dfilter 0x1000..0x2000
-dfilter 0x1000+0x100,0x2000-0x10
-dfilter bogus
-trace events=/nonexistent
-trace bogus
-trace enable=bogus*
-trace pic_interrupt
-trace help
-plugin /nonexistent.so
-plugin file=/nonexistent.so,x=y
-msg timestamp=on
-msg bogus=on
-icount 3
-icount shift=3
-icount shift=3,sleep=off
-icount shift=99
-icount bogus
-icount shift=7,rr=record,rrfile=DIR/rr
-icount shift=7,rr=replay,rrfile=/nonexistent
-icount shift=7,rr=record
-rtc base=utc
-rtc base=localtime
-rtc base=2020-01-01
-rtc base=2020-01-01T12:00:00
-rtc base=bogus
-rtc clock=host
-rtc clock=vm
-rtc clock=bogus
-rtc driftfix=slew
-rtc driftfix=none
-rtc base=utc,clock=vm,driftfix=slew
-seed 1
-seed x
-object memory-backend-ram,id=m,size=1M
-object memory-backend-ram,id=m
-object memory-backend-memfd,id=m,size=1M,share=on
-mem-path DIR/mp
-mem-prealloc
-object memory-backend-file,id=m,size=1M,mem-path=DIR/mem,share=on
-object memory-backend-file,size=1M,share=on,discard-data=on,mem-path=DIR/shm,id=hostmem
-object memory-backend-ram,id=m,size=1M,prealloc=on,merge=off,dump=off
-object secret,id=s,data=abc
-object secret,id=s,data=YWJj,format=base64
-object filter-dump,id=f,netdev=n,file=DIR/pcap -netdev user,id=n -device e1000,netdev=n
-object secret,id=s
-object secret,id=s,data=abc,file=DIR/x
-object secret,id=s,data=abc,format=bogus
-vnc unix:DIR/vnc9,password-secret=s -object secret,id=s,data=abc
-vnc unix:DIR/vnc9,password-secret=nope
-object filter-dump,id=f,netdev=n -netdev user,id=n
-object memory-backend-file,id=m,size=1M,mem-path=/nonexistent/x
-object memory-backend-file,id=m,size=2M,mem-path=RAW2
-object memory-backend-file,id=m,size=128M,mem-path=DIR/mem2,share=on -machine pc,memory-backend=m
-object memory-backend-file,id=m,size=128M,mem-path=DIR -machine pc,memory-backend=m
-object memory-backend-memfd,id=m,size=128M,share=on -numa node,memdev=m
-m 128 -object memory-backend-ram,id=a,size=64M -object memory-backend-ram,id=b,size=64M -numa node,memdev=a -numa node,memdev=b
-m 128 -object memory-backend-ram,id=a,size=64M -numa node,memdev=a -numa node,mem=64M
-object memory-backend-ram,id=a,size=128M -numa node,memdev=a -machine memory-backend=a
-mem-path DIR/mp2 -machine memory-backend=a -object memory-backend-ram,id=a,size=128M
-object rng-random,id=r
-object rng-random,id=r,filename=/dev/urandom
-object rng-builtin,id=r
-object rng-egd,id=r
-object iothread,id=i
-object secret,id=s,file=/nonexistent
-object filter-replay,id=f,netdev=n -netdev user,id=n -device e1000,netdev=n
-object filter-dump,id=f,netdev=nope,file=DIR/pcap
-object tls-creds-x509,id=t,endpoint=server,dir=DIR
-object input-linux,id=i,evdev=/nonexistent
-object bogus,id=x
-object iothread
-object iothread,id=a -object iothread,id=a
-object help
-object {"qom-type":"iothread","id":"i"}
-blockdev driver=file,node-name=f,filename=RAW
-blockdev {"driver":"file","node-name":"f","filename":"RAW"}
-blockdev driver=raw,node-name=r,file.driver=file,file.filename=RAW
-blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=QCOW
-blockdev driver=qcow2,node-name=q,file.driver=file,file.filename=RAW
-blockdev driver=raw,node-name=r,file=nope
-blockdev driver=file,filename=RAW
-blockdev driver=file,node-name=f
-blockdev driver=bogus,node-name=b
-blockdev driver=host_device,node-name=f,filename=/dev/null
-blockdev driver=throttle,node-name=f,file=x
-blockdev driver=copy-on-read,node-name=f,file=x
-blockdev driver=nbd,node-name=n,server.type=unix,server.path=/nonexistent
-blockdev help
-numa node,memdev=m -object memory-backend-ram,id=m,size=128M
-numa cpu,node-id=0,socket-id=0 -numa node
-numa bogus
-global e1000.mac=52:54:00:11:22:33
-global bogus.prop=1
-global PIIX4_PM.disable_s3=1
-global ICH9-LPC.disable_s3=1
-global kvm-pit.lost_tick_policy=discard
-global driver=e1000,property=mac,value=52:54:00:11:22:33
-global bogus
-global mc146818rtc.lost_tick_policy=slew
-global hpet.msi=on
-global fw_cfg.dma_enabled=off
-global i8042.extended-state=off
-global qemu64-x86_64-cpu.avx=on
-global VGA.vgamem_mb=32
-global ide-hd.physical_block_size=4096
-set device.x.mac=52:54:00:11:22:34 -device e1000,id=x
-set bogus
-device e1000,id=x -set device.x.mac=52:54:00:11:22:34
-set device.nope.mac=1
-readconfig CONFIG
-readconfig /nonexistent
-writeconfig -
-add-fd fd=99,set=2
-fw_cfg name=opt/x,string=y
-fw_cfg opt/x,string=y
-fw_cfg name=opt/x,file=RAW
-fw_cfg name=x,string=y
-fw_cfg name=opt/x
-fw_cfg name=opt/x,file=/nonexistent
-acpitable file=/nonexistent
-acpitable sig=TEST,data=RAW
-smbios type=0,vendor=x,version=y,date=z,release=1.2,uefi=on
-smbios type=1,manufacturer=x,product=y,version=z,serial=s,uuid=11111111-2222-3333-4444-555555555555,sku=k,family=f
-smbios type=2,manufacturer=x
-smbios type=3,manufacturer=x
-smbios type=4,sock_pfx=x
-smbios type=8,internal_reference=a,external_reference=b,connector_type=1,port_type=2
-smbios type=11,value=abc
-smbios type=17,manufacturer=x
-smbios type=41,designation=x,kind=ethernet,instance=1,pcidev=x -device e1000,id=x
-smbios type=41,designation=x,kind=ethernet,instance=1
-smbios type=99
-smbios bogus
-smbios file=/nonexistent
-debugcon file:DIR/dbg
-debugcon null
-uuid 11111111-2222-3333-4444-555555555555
-uuid bogus
-loadvm nope
-loadvm nope -hda QCOW
-pidfile DIR/pid
-pidfile /nonexistent/pid
-name x
-name guest=x,debug-threads=on
-name guest=x,process=y
-name x,bogus=1
-runas nobody
-runas bogususer
-sandbox on
-sandbox off
-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny
-sandbox bogus
-overcommit mem-lock=off
-overcommit cpu-pm=off
-vnc unix:DIR/vnc
-vnc none
-vnc :bogus
-vnc unix:DIR/vnc2,password=on
-vnc unix:DIR/vnc3,share=ignore
-vnc unix:DIR/vnc3,display=v -vga none -device VGA,id=v
-vnc unix:DIR/vnc3,display=v,head=1 -vga none -device VGA,id=v
-vnc unix:DIR/vnc3,display=nope
-audiodev none,id=a -vnc unix:DIR/vnc3,audiodev=a
-vnc unix:DIR/vnc5,bogus=on
-vnc unix:DIR/vnc6 -k en-us
-vnc unix:DIR/vnc6 -k bogus
-k en-us
-k de
-k pt-br
-audiodev none,id=a
-audiodev bogus,id=a
-echr 1
-echr 0x14
-parallel none
-parallel null
-parallel bogus
-watchdog-action pause
-watchdog-action bogus
-watchdog i6300esb
-tpmdev emulator,id=t,chardev=c
-tpmdev help
-dump-vmstate DIR/vms
-nouser
-no-hpet
-prom-env x
-semihosting
-semihosting-config enable=on
-old-param
-compat bogus=x
-no-quit
-singlestep
-alt-grab
-ctrl-grab
-curses
-sdl
-bt hci
-nodefconfig
-balloon virtio
-hdachs 10,16,63
-only-migratable
-daemonize -nographic
-bogus
--bogus
---m 64
-m
-display
-device
-enable-fips
-run-with async-teardown=on
-mtdblock RAW
-sd RAW
-tb-size 32
-xen-domid 1
-qemu-bogus
-show-cursor
-net-bogus
-vmsd
-cpu-throttle 5
"""

# QEMU makes a machine of these, or explains more. We refuse them.
REFUSED = {
    "machines, memory and engines that are not there": r"""
-m size=64M,slots=2,maxmem=1G
-m 0
-smp 4,sockets=1,dies=2,cores=2,threads=1
-smp 0
-M q35
-M microvm
-M isapc
-M pc-i440fx-2.0
-M pc-q35-7.2
-machine pc,accel=kvm
-machine pc,usb=on
-machine pc,hmat=on
-accel tcg,split-wx=on
-accel kvm
-enable-kvm
""",
    "the rest": r"""
-dtb /x
-d plugin
-d page
-d strace
-msg guest-name=on
-icount auto
-icount shift=auto
-icount shift=3,align=on
-icount shift=auto,align=on
-rtc clock=rt
-overcommit cpu-pm=on
-vnc unix:DIR/vnc4,sasl=on
-qtest null
-qtest-log none
-spice port=1
-no-fd-bootchk
-compat deprecated-input=reject
-win2k-hack
-rotate 90
-portrait
-async-teardown
""",
    "of networks and character devices": r"""
-serial vc
-serial vc:80Cx24C
-serial vc:800x600
-serial msmouse
-netdev user,id=n,guestfwd=tcp:10.0.2.100:1234-chardev:c -chardev null,id=c
-netdev socket,id=n,connect=127.0.0.1:1
-netdev socket,id=n,mcast=230.0.0.1:1234
-netdev stream,id=n,server=off,addr.type=unix,addr.path=/nonexistent
-netdev stream,id=n,server=off,addr.type=inet,addr.host=127.0.0.1,addr.port=1
-gdb null
-chardev socket,id=c,path=DIR/c3,server=on,wait=off,telnet=on
-chardev socket,id=c,path=DIR/c6,server=on,wait=off,abstract=on
-chardev socket,id=c,path=DIR/c7,server=on,wait=off,websocket=on
-chardev socket,id=c,host=127.0.0.1,port=0,to=9,server=on,wait=off
-chardev vc,id=c
-chardev vc,id=c,width=80,height=24
-chardev vc,id=c,cols=80,rows=24
-chardev msmouse,id=c
-chardev testdev,id=c
-chardev qemu-vdagent,id=c
""",
    "devices that are not modelled yet, and properties of others": r"""
-vga virtio
-vga qxl
-vga vmware
-device virtio-net-pci,mq=on,vectors=4
-device virtio-net-pci,csum=off,gso=off
-device virtio-net-pci,host_mtu=1500
-device virtio-net-pci-non-transitional
-device virtio-net-pci-transitional
-device virtio-blk-pci,drive=d,num-queues=2 -drive if=none,id=d,file=RAW,format=raw
-device virtio-blk-pci,drive=d,serial=X,logical_block_size=4096,physical_block_size=4096 -drive if=none,id=d,file=RAW,format=raw
-device virtio-blk-pci,drive=d,write-cache=on,config-wce=off,scsi=off -drive if=none,id=d,file=RAW,format=raw
-device virtio-scsi-pci
-device virtio-scsi-pci,id=s -device scsi-hd,drive=d,bus=s.0 -drive if=none,id=d,file=RAW,format=raw
-device virtio-rng-pci,max-bytes=1024,period=1000
-device virtio-vga
-device virtio-keyboard-pci
-device virtio-tablet-pci
-device virtio-mouse-pci
-device e1000e
-device floppy
-device ahci
-device nvme,drive=d,serial=x -drive if=none,id=d,file=RAW,format=raw
-device isa-serial
-device qemu-xhci
-device piix3-usb-uhci
-device usb-ehci
-device pcie-root-port
-device ib700
-device pvpanic-pci
-device loader,addr=0x1000,data=1,data-len=4
-device loader,file=RAW,addr=0x1000
-device AC97
-device intel-hda -device hda-duplex
-device sb16
-device ES1370
-device ne2k_isa
-device pcnet
-device i82559er
-device vmxnet3
-device isa-ide
-device isa-fdc
-device i8042
-usb
-usb -device usb-tablet
-usbdevice tablet
-audiodev wav,id=a,path=DIR/w
-fsdev local,id=f,path=DIR,security_model=none
-fsdev local,id=f,path=DIR,security_model=none -device virtio-9p-pci,fsdev=f,mount_tag=x
-virtfs local,path=DIR,mount_tag=x,security_model=none
-audio-help
-iscsi initiator-name=x
""",
    "properties of CPUs that are not there yet": r"""
-cpu qemu64,host-phys-bits=on
-cpu qemu64,l3-cache=off
""",
    "of disks and objects": r"""
-drive file.driver=file,file.filename=RAW,file.locking=off,format=raw
-drive file=RAW,format=raw,copy-on-read=on
-drive file=RAW,format=raw,bps=1000000
-drive file=RAW,format=raw,iops=1000
-drive file=RAW,format=raw,throttling.iops-total=100
-drive file=fat:rw:DIR,format=raw
-drive file=null-co://,format=raw
-drive driver=null-co,if=virtio
-drive file=RAW,format=raw,node-name=nn
-drive file=QCOW,l2-cache-size=1M
-drive file=QCOW,lazy-refcounts=on
-object memory-backend-ram,id=m,size=1M,share=on -device ivshmem-plain,memdev=m
-object authz-simple,id=a,identity=x
-object throttle-group,id=t
-object can-bus,id=c
-object cryptodev-backend-builtin,id=c
-object main-loop,id=m
-object thread-context,id=t
-object memory-backend-ram,help
-blockdev driver=raw,node-name=r,file.driver=file,file.filename=RAW,offset=512,size=1024
-blockdev driver=file,node-name=f,filename=RAW,cache.direct=on,aio=threads,locking=auto
""",
}

# Ours, and QEMU refuses them.
OURS = {
    "options and words of our own, and laxer": r"""
-drive file=RAW,format=raw,serial=ABC
-drive file=RAW,format=raw,read-only=on
-perfmap
-jitdump
-accel tcg,one-insn-per-tb=on
-audio none
-blockdev driver=null-co,node-name=n,size=1M,read-zeroes=on
-numa node
-numa node,nodeid=0,cpus=0 -numa node,nodeid=1,cpus=1 -smp 2
-numa node -numa node -numa dist,src=0,dst=1,val=20
-global isa-fdc.driveA=
""",
}

# Of the machine whose monitors are compared.
MONITOR_MACHINE = ("-accel tcg -display none -S -name x -uuid 11111111-2222-3333-4444-555555555555 -hda QCOW -cdrom RAW "
                   "-smp 2,maxcpus=3 -netdev user,id=n0 -device e1000,netdev=n0,id=nic -device virtio-balloon-pci "
                   "-device virtio-serial-pci -device i6300esb -device secondary-vga "
                   "-chardev null,id=cp -device virtserialport,chardev=cp,name=p,id=vp "
                   "-chardev ringbuf,id=rb -L /usr/share/seabios -serial null")

# The same is printed.
COMMANDS = r"""
help bogus
info bogus
info status
info status x
info name
info uuid
info kvm
info cpus
info hotpluggable-cpus
info registers
info registers -a
info registers x
info block bogus
info mtree -x
announce_self
getfd x
getfd
closefd x
expire_password spice never
expire_password bogus now
expire_password vnc
set_password spice x
set_password bogus x
set_password vnc
info registers -x
info block-jobs
info network
info usernet
info memory_size_summary
info memory-devices
info iothreads
info mem
info tlb
info history
info usb
info numa
info balloon
info replay
info tpm
info skeys
info cryptodev
info cpustats
info dump
info colo
info firmware
stop
s
info status
cpu 0
cpu 1
cpu 9
cpu x
x /4xw 0xfff0
x/2i 0xfff0
xp /4xb 0xffff0
xp /2i 0xffff0
x/s 0
x /1gx 0x0
x /3dh 0
xp 0x100000000000
p 1+2
p /x 10
p /d 0x10
p /o 8
p /c 65
p 1/0
p (1+2)*3
p 1|2^3&7
p /x ~0
p !0
p
gva2gpa 0x1000
gva2gpa
gpa2hva 0xfee00000
gpa2hva 0xffffffff000
i /b 0x71
i 0x71
i /x 0x64
o /b 0x80 1
o 0x80
sum 0 1000
sum 0xfffff000 16
boot_set c
boot_set
boot_set cz
gdbserver none
gdbserver unix:DIR/gdb,server=on,wait=off
gdbserver none
watchdog_action pause
watchdog_action bogus
watchdog_action
singlestep
singlestep off
singlestep x
wavcapture x y
wavcapture x
stopcapture 0
info capture
trace-event x on
trace-event
mce
nmi
mce 0 1 2 3 4 5
set_link nic off
set_link nic on
set_link bogus on
sendkey a
sendkey ctrl-alt-delete
sendkey a 10
sendkey
mouse_move 1 1
mouse_button 1
mouse_set 99
balloon 64
qom-list /bogus
qom-get /machine type
qom-get /machine/peripheral/nic netdev
qom-get /bogus x
qom-get /machine/peripheral/nic mac
qom-get /machine/peripheral/nic addr
qom-get /machine usb
qom-set /machine/peripheral/nic netdev x
qom-set /machine bogus 1
log int
log none
logfile DIR/lf
logfile
ringbuf_read rb 10
ringbuf_write rb abc
ringbuf_read rb 10
ringbuf_read bogus 1
screendump DIR/s.ppm
screendump DIR/s.png -f png
screendump
change ide1-cd0 RAW
change ide1-cd0 /nonexistent
change bogus RAW
eject ide1-cd0
eject -f ide1-cd0
eject bogus
eject ide0-hd0
device_add e1000,id=e9
device_add e1000,id=e9
device_del bogus
device_del
netdev_add user,id=n9
netdev_del n9
netdev_del bogus
object_add iothread,id=io9
object_add iothread,id=io9
info iothreads
object_del io9
object_add memory-backend-ram,id=m9,size=1M
object_del m9
object_add filter-dump,id=f9,netdev=n0,file=DIR/pcap
qom-get /objects/f9 maxlen
qom-set /objects/f9 status off
qom-get /objects/f9 status
object_add filter-dump,id=f8,netdev=bogus,file=DIR/pcap
object_del f9
object_add secret,id=s9,data=abc
qom-get /objects/s9 data
object_del s9
object_del bogus
chardev-add null,id=c9
chardev-send-break c9
chardev-remove c9
chardev-remove bogus
chardev-send-break bogus
savevm a
delvm a
delvm bogus
loadvm
delvm
xen-event-list
info via
info status
bogus
cpu
gpa2hva 0x1000
stop x
cont 1
balloon x
set_link nic bogus
hostfwd_remove tcp:127.0.0.1:9
drive_add 0 if=none,id=da,file=RAW2,format=raw
drive_del da
info snapshots
block_resize
block_resize ide0-hd0
block_resize ide0-hd0 x
block_resize bogus 1M
block_resize ide0-hd0 2M
commit
commit bogus
commit ide0-hd0
commit ide1-cd0
commit all
block_stream
block_stream bogus
block_job_cancel bogus
block_job_cancel
block_job_cancel -f bogus
block_job_pause
block_job_pause bogus
block_job_resume bogus
block_job_complete bogus
block_job_set_speed
block_job_set_speed bogus
block_job_set_speed bogus 1
drive_mirror
drive_mirror bogus
drive_mirror bogus x
drive_backup bogus x
drive_backup ide0-hd0 /nonexistent/x
snapshot_blkdev
snapshot_blkdev bogus x
info block-jobs
snapshot_blkdev ide0-hd0 DIR/above qcow2
commit ide0-hd0
block_stream ide0-hd0
info block-jobs
"""

# Regions of `info mtree -f` that our board lacks, or that are not as large there: from their start on nothing is lost.
OTHER_REGIONS = {
    "pc.rom": "lacking", "kvmvapic": "lacking", "vmport": "size", "parallel": "lacking", "ide": "lacking",
    "vbe": "size", "acpi-pci-hotplug": "size", "acpi-cpu-hotplug": "size", "pm-smbus": "lacking",
}

# There, with another layout, other names, or what we lack left out.
OTHERWISE = r"""
help
info block
info block -n -v
info blockstats
info chardev
info irq
info pic
info lapic
info roms
info memdev
info mtree
info pci
info qom-tree
info jit
info mice
info usernet
info vnc
info migrate
info migrate_capabilities
info migrate_parameters
info trace-events
log help
log bogus
gdbserver bogus
one-insn-per-tb off
set_action panic=none
qom-list /machine
netdev_add user
hostfwd_add tcp:127.0.0.1:0-:22
mouse_move 1
memsave 0 16 DIR/memory
pmemsave 0 16 DIR/memory
loadvm none
migrate_set_capability events on
migrate_set_parameter max-bandwidth 0
set_password vnc x
begin_record x
replay_seek 1
key_event a on
system_wakeup
"""
