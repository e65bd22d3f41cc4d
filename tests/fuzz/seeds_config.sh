#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Seeds for the configuration fuzzer: seeds_config.sh FOLDER
cd "$1" || exit 1
cat >guest <<'END'
# a whole guest
name = "web"; uuid = "01234567-89ab-cdef-0123-456789abcdef"
type = 'pv'
kernel = "/boot/vmlinuz"
memory = 0x100
maxmem = 512
vcpus = 2
cpus = "0-3,^1"
extra = "root=/dev/xvda1"
extra += " quiet\x21\041\n"
disk = [ '/dev/vg/web,raw,xvda,rw', "format=qcow2, vdev=hdc, access=ro, devtype=cdrom, target=/a,b", ]
disk += [ 'phy:/dev/sdb,,d0p1,w' ]
ioports = [ "2f8-2ff", '3bc', 0x81 ]
vif = [ 'mac=00:16:3e:01:02:03,bridge=xenbr0,rate=10Mb/s@20ms', '' ]
nest = [ [ 1, [ 'x', ], ], -3, 010 ]
on_crash = 'preserve'
END
printf 'a=[1,"2",[3]];b=+4 \\\n;c="\\101"' >small
printf "d=['vdev=xvda1,target=/x','tap:aio:/a,,sda,w','all,^2','2f8-2ff','0x3bc','type=ioemu,model=e1000,devid=3']" >specs
