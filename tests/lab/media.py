# SPDX-License-Identifier: BSD-2-Clause
"""What an HVM guest of the lab boots from: a disk with GRUB, an ISO, Debian's installer.

Owns how a PC's boot media are laid out. All are made from the lab's packages and the host's GRUB,
without root rights, and kept in build/lab until what they are made of is newer.
"""

import os
import shutil
import struct
import subprocess
import tempfile

import image

SECTOR = 512
PARTITION_AT = 2048
DISK_MB = 48
GRUB = "/usr/lib/grub/i386-pc"
GRUB_MODULES = "biosdisk part_msdos ext2 normal linux serial terminal echo".split()
INSTALLER = "usr/lib/debian-installer/images/12/amd64/text"
ISOLINUX = "usr/lib/ISOLINUX/isolinux.bin"

GRUB_CFG = """serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout=0
menuentry "test guest" {{
	echo "GRUB of the test guest: loading"
	linux /boot/vmlinuz {line}
	initrd /boot/initrd
}}
"""
# What a guest does is on the medium: from the disk it runs on PV drivers, from the CD on the
# devices that are emulated.
DISK_LINE = ("console=ttyS0 console=hvc0 quiet jobs=serial,button,disk-rw,net disk=xvdb "
             "addr=10.9.0.2 peer=10.9.0.1 megabytes=16")
ISO_LINE = ("console=ttyS0 quiet xen_emul_unplug=never jobs=emulated,disk-rw,net disk=sda "
            "addr=10.9.0.3 peer=10.9.0.1 megabytes=2")


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise image.ImageError(f"{command[0]}: {(done.stderr or done.stdout)[-500:]}")


def boot_tree(tree, line):
    """/boot of the guest: kernel, ramdisk, GRUB's menu."""
    normal, _ = image.kernel_versions()
    os.makedirs(os.path.join(tree, "boot/grub"))
    shutil.copyfile(image.kernel_image(normal), os.path.join(tree, "boot/vmlinuz"))
    shutil.copyfile(image.packed_ramdisk(), os.path.join(tree, "boot/initrd"))
    with open(os.path.join(tree, "boot/grub/grub.cfg"), "w", encoding="ascii") as file:
        file.write(GRUB_CFG.format(line=line))


def boot_sectors(scratch):
    """GRUB as it lies before the first partition: boot.img in the first sector, the core after it.
    Offsets: GRUB's boot.h, GRUB_BOOT_MACHINE_KERNEL_SECTOR and BLOCKLIST of the core's first
    sector (its last 12 bytes: where the rest is, how long, and in which segment it goes)."""
    core_path = os.path.join(scratch, "core.img")
    run(["grub-mkimage", "-O", "i386-pc", "-o", core_path, "-p", "(hd0,msdos1)/boot/grub"] +
        GRUB_MODULES)
    with open(os.path.join(GRUB, "boot.img"), "rb") as file:
        boot = bytearray(file.read())
    with open(core_path, "rb") as file:
        core = bytearray(file.read())
    core += b"\0" * (-len(core) % SECTOR)
    sectors = len(core) // SECTOR
    if 1 + sectors > PARTITION_AT:
        raise image.ImageError("GRUB does not fit before the partition")
    struct.pack_into("<Q", boot, 0x5c, 1)
    struct.pack_into("<QHH", core, SECTOR - 12, 2, sectors - 1, 0x820)
    size = (DISK_MB << 11) - PARTITION_AT
    boot[446:510] = bytes(64)  # its code for floppies, where a disk has the table of partitions
    struct.pack_into("<B3sB3sII", boot, 446, 0x80, b"\xfe\xff\xff", 0x83, b"\xfe\xff\xff",
                     PARTITION_AT, size)
    struct.pack_into("<H", boot, 510, 0xaa55)
    return bytes(boot[:SECTOR] + core)


def build_disk(path):
    """A PC's disk: one ext2 partition that holds /boot, and GRUB before it."""
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        tree = os.path.join(scratch, "tree")
        boot_tree(tree, DISK_LINE)
        sectors = boot_sectors(scratch)
        with open(path + ".tmp", "wb") as file:
            file.write(sectors)
            file.truncate(DISK_MB << 20)
        run(["/sbin/mke2fs", "-q", "-F", "-t", "ext2", "-d", tree, "-E",
             f"root_owner=0:0,offset={PARTITION_AT * SECTOR}", path + ".tmp",
             f"{DISK_MB - 1 - PARTITION_AT * SECTOR // (1 << 20)}M"])
    os.rename(path + ".tmp", path)


def build_iso(path):
    """The same kernel on a CD, with GRUB."""
    with tempfile.TemporaryDirectory(prefix="lab-") as tree:
        boot_tree(tree, ISO_LINE)
        run(["grub-mkrescue", "-o", path + ".tmp", tree])
    os.rename(path + ".tmp", path)


def build_installer(path):
    """Debian's installer as Debian lays out its own CDs: ISOLINUX, and the image's files as they
    are. The one line that is ours sends the boot menu to the serial port as well."""
    source = os.path.join(image.ROOT, INSTALLER)
    if not os.path.isdir(source) or not os.path.exists(os.path.join(image.ROOT, ISOLINUX)):
        raise image.ImageError("Debian's installer is missing: run `make lab-fetch-media`")
    with tempfile.TemporaryDirectory(prefix="lab-") as scratch:
        tree = os.path.join(scratch, "tree")
        shutil.copytree(source, tree, symlinks=False)
        shutil.copyfile(os.path.join(image.ROOT, ISOLINUX), os.path.join(tree, "isolinux.bin"))
        with open(os.path.join(tree, "pxelinux.cfg/default"), encoding="utf-8") as file:
            menu = file.read()
        with open(os.path.join(tree, "isolinux.cfg"), "w", encoding="utf-8") as file:
            file.write("serial 0 115200\n" + menu)
        run(["xorriso", "-as", "mkisofs", "-quiet", "-J", "-r", "-o", path + ".tmp", "-b",
             "isolinux.bin", "-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4",
             "-boot-info-table", tree])
    os.rename(path + ".tmp", path)


BUILDERS = {"@grub": ("hvm-disk.img", build_disk), "@iso": ("hvm.iso", build_iso),
            "@installer": ("installer.iso", build_installer)}


def medium(name):
    """The path of one of BUILDERS, made when missing or old."""
    file, build = BUILDERS[name]
    path = os.path.join(image.WORK, file)
    if not image.newer(path, [os.path.abspath(__file__), image.packed_ramdisk()]):
        build(path)
    return path
