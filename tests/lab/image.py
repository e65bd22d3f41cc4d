# SPDX-License-Identifier: BSD-2-Clause
"""Images for the lab: initial ramdisks for dom0 and for guests, kernels, disks.

Owns the newc cpio format, the closure of kernel modules and of shared libraries. Everything is
made from unpacked Debian packages and from our own build, as an ordinary user. Archives are not
compressed (unpacking costs more than reading here) and may be joined, as the kernel allows.
"""

import contextlib
import fcntl
import gzip
import hashlib
import lzma
import os
import re
import shutil
import stat
import subprocess
import tempfile

LAB = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(LAB))
BUILD = os.environ.get("B", os.path.join(TOP, "build"))
WORK = os.path.join(BUILD, "lab")
ROOT = os.path.join(WORK, "root")

DOM0_MODULES = """xenfs xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xen-blkback xen-netback
	tun bridge loop crc32c_generic ext4 virtio_pci virtio_blk virtio_net virtio_scsi ahci ata_piix
	sd_mod sr_mod isofs e1000 e1000e nvme i6300esb xen_wdt""".split()
DOM0_TOOLS = "xenfs xen-evtchn xen-gntdev xen-gntalloc xen-privcmd".split()
DOM0_LOAD = DOM0_TOOLS + """xen-blkback xen-netback bridge
	loop crc32c_generic ext4 virtio_pci virtio_blk virtio_net ahci sd_mod""".split()
GUEST_MODULES = "xen-blkfront xen-netfront crc32c_generic ext4".split()
# For hardware that a device model emulates; a guest loads them when a job asks for it.
GUEST_EMULATED = "ata_piix sd_mod sr_mod isofs e1000 8139cp usbhid uhci-hcd button evdev".split()
# Of ncurses-base, which every Debian has: a serial line's and those that people sit at.
TERMINALS = "linux vt100 xterm xterm-256color screen tmux-256color".split()

# What Debian's device model opens, beside its libraries: firmware, option ROMs, keymaps.
DEVICE_MODEL = "usr/libexec/xen-qemu-system-i386"
DEVICE_MODEL_DATA = """usr/lib/xen-4.17/boot/hvmloader usr/share/seabios usr/share/ovmf
	usr/share/qemu usr/lib/ipxe""".split()
# Without UEFI, PXE and other machines' firmware: little enough for a ramdisk.
DEVICE_MODEL_LEAST = """usr/lib/xen-4.17/boot/hvmloader usr/share/seabios usr/share/qemu/keymaps
	usr/share/qemu/kvmvapic.bin usr/share/qemu/linuxboot.bin usr/share/qemu/linuxboot_dma.bin""".split()
DEVICE_MODEL_MOUNT = "/device-model"


@contextlib.contextmanager
def building():
    """While parts of images are made that several runs use: one run at a time."""
    os.makedirs(WORK, exist_ok=True)
    with open(os.path.join(WORK, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class ImageError(Exception):
    """Something the image needs is not there; the text says what."""


class Cpio:
    """A newc archive being written. Every file belongs to root."""

    def __init__(self, path):
        self.path = path
        self.out = open(path + ".tmp", "wb")
        self.inode = 0
        self.dirs = set()

    def _entry(self, name, mode, data=b"", rdev=(0, 0)):
        self.inode += 1
        name = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0], rdev[1], len(name), 0)
        self.out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + name)
        self._align()
        self.out.write(data)
        self._align()

    def _align(self):
        self.out.write(b"\0" * (-self.out.tell() % 4))

    def add_dir(self, name):
        name = name.strip("/")
        if not name or name in self.dirs:
            return
        self.add_dir(os.path.dirname(name))
        self.dirs.add(name)
        self._entry(name, stat.S_IFDIR | 0o755)

    def add_data(self, name, data, mode=0o644):
        name = name.strip("/")
        self.add_dir(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def add_file(self, name, source, mode=None):
        with open(source, "rb") as file:
            data = file.read()
        self.add_data(name, data, mode or (os.stat(source).st_mode & 0o777))

    def add_link(self, name, target):
        name = name.strip("/")
        self.add_dir(os.path.dirname(name))
        self._entry(name, stat.S_IFLNK | 0o777, target.encode())

    def add_console(self):
        self.add_dir("dev")
        self._entry("dev/console", stat.S_IFCHR | 0o600, rdev=(5, 1))

    def add_tree(self, name, source):
        for folder, _, files in sorted(os.walk(source)):
            inside = os.path.join(name, os.path.relpath(folder, source))
            for file in sorted(files):
                path = os.path.join(folder, file)
                target = os.path.normpath(os.path.join(inside, file))
                if os.path.islink(path):
                    self.add_link(target, os.readlink(path))
                else:
                    self.add_file(target, path)

    def close(self):
        self.inode = -1
        self._entry("TRAILER!!!", 0)
        self.out.write(b"\0" * (-self.out.tell() % 512))
        self.out.close()
        os.rename(self.path + ".tmp", self.path)


def kernel_versions():
    """The releases of the two kernels fetched: (normal, cloud)."""
    found = sorted(os.listdir(os.path.join(ROOT, "lib/modules")))
    cloud = [name for name in found if "-cloud-" in name]
    normal = [name for name in found if "-cloud-" not in name]
    if not cloud or not normal:
        raise ImageError("kernels are missing: run `make lab-fetch`")
    return normal[-1], cloud[-1]


def kernel_image(release):
    return os.path.join(ROOT, "boot", "vmlinuz-" + release)


def kernel_unpack(release):
    """The uncompressed ELF of a kernel, made once."""
    path = os.path.join(WORK, "vmlinux-" + release)
    if os.path.exists(path):
        return path
    tool = os.path.join(BUILD, "dom0-tools", "zkernel")
    if os.path.exists(tool):
        subprocess.run([tool, "unpack", kernel_image(release), path + ".tmp"], check=True)
    else:
        with open(kernel_image(release), "rb") as file:
            data = file.read()
        start = data.find(b"\xfd7zXZ\0")
        if start < 0:
            raise ImageError(f"{release}: not packed with xz, and zkernel is not built")
        with open(path + ".tmp", "wb") as file:
            file.write(lzma.LZMADecompressor().decompress(data[start:]))
    os.rename(path + ".tmp", path)
    return path


def module_closure(release, names):
    """The files of the named modules and of all they depend on, dependencies first. Names that
    are built into this kernel, or that this flavour lacks, are left out."""
    base = os.path.join(ROOT, "lib/modules", release)
    files = {}
    for folder, _, entries in os.walk(base):
        for entry in entries:
            if entry.endswith(".ko"):
                files[entry[:-3].replace("-", "_")] = os.path.join(folder, entry)
    order = []

    def visit(name):
        path = files.get(name.replace("-", "_"))
        if path is None or path in [entry[0] for entry in order]:
            return
        with open(path, "rb") as file:
            match = re.search(rb"\0depends=([^\0]*)\0", file.read())
        needs = [need for need in match.group(1).decode().split(",") if need] if match else []
        for need in needs:
            visit(need)
        order.append((path, [files[n.replace("-", "_")] for n in needs
                             if n.replace("-", "_") in files]))

    for name in names:
        visit(name)
    return base, order


def add_modules(cpio, release, wanted):
    """Modules, and the index by which busybox modprobe finds them."""
    base, order = module_closure(release, wanted)
    where = "lib/modules/" + release
    index = []
    needs_of = dict(order)
    place = {path: number for number, (path, _) in enumerate(order)}

    def all_needs(path):
        for need in needs_of.get(path, []):
            yield need
            yield from all_needs(need)

    for path, _ in order:
        inside = os.path.relpath(path, base)
        cpio.add_file(f"{where}/{inside}", path)
        # Loaded from the last to the first.
        needs = sorted(set(all_needs(path)), key=place.get, reverse=True)
        names = " ".join(os.path.relpath(need, base) for need in needs)
        index.append(f"{inside}: {names}".rstrip())
    cpio.add_data(where + "/modules.dep", ("\n".join(index) + "\n").encode())


def library_closure(programs, folders):
    """Shared libraries that ELF files need: {name: path}, looked for in `folders`, then here."""
    folders = list(folders) + ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                               "/lib64", "/usr/lib64"]
    found = {}
    queue = list(programs)
    while queue:
        program = queue.pop()
        text = subprocess.run(["readelf", "-d", program], capture_output=True, text=True).stdout
        for name in re.findall(r"\(NEEDED\).*\[(.*)\]", text):
            if name in found:
                continue
            for folder in folders:
                path = os.path.join(folder, name)
                if os.path.exists(path):
                    found[name] = path
                    queue.append(path)
                    break
            else:
                raise ImageError(f"{program} needs {name}, which is in no package of the lab")
    return found


def is_program(path):
    if not os.path.isfile(path):
        return False
    with open(path, "rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16] in (2, 3)


def add_programs(cpio, programs, folders=()):
    """ELF programs {name in the image: path} and the libraries they need."""
    for name, path in programs.items():
        cpio.add_file(name, path, 0o755)
    for name, path in library_closure(programs.values(), folders).items():
        cpio.add_file("usr/lib/" + name, path, 0o755)


def busybox_add(cpio):
    for path in ("/bin/busybox", "/usr/bin/busybox"):
        if os.path.exists(path):
            cpio.add_file("bin/busybox", path, 0o755)
            cpio.add_link("bin/sh", "busybox")
            return
    raise ImageError("busybox-static is not installed")


def build_dom0(path, modules=None):
    """The root of dom0, without tools: busybox, modules (all, or those it loads), our init."""
    release, _ = kernel_versions()
    cpio = Cpio(path)
    cpio.add_console()
    for name in "proc sys run tmp root var/log mnt etc usr/sbin usr/lib lab".split():
        cpio.add_dir(name)
    cpio.add_link("lib64", "usr/lib")
    cpio.add_link("sbin", "bin")
    busybox_add(cpio)
    add_modules(cpio, release, modules or DOM0_MODULES)
    cpio.add_data("etc/modules", (" ".join(modules or DOM0_LOAD) + "\n").encode())
    cpio.add_data("etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
    cpio.add_data("etc/group", b"root:x:0:\n")
    cpio.add_data("etc/ld.so.conf", b"/usr/lib\n")
    cpio.add_link("usr/lib/x86_64-linux-gnu", ".")
    programs = {}
    for name in ("mke2fs", "e2fsck"):
        source = os.path.join("/sbin", name)
        if os.path.exists(source):
            programs["usr/sbin/" + name] = source
    programs["usr/lib/ld-linux-x86-64.so.2"] = "/lib64/ld-linux-x86-64.so.2"
    add_programs(cpio, programs)
    cpio.close()


def build_guest(path, releases):
    """The ramdisk of a test guest: busybox, frontends of these kernels, its init and jobs."""
    cpio = Cpio(path)
    cpio.add_console()
    for name in "proc sys run tmp mnt".split():
        cpio.add_dir(name)
    cpio.add_link("sbin", "bin")
    busybox_add(cpio)
    for release in releases:
        add_modules(cpio, release, GUEST_MODULES + GUEST_EMULATED)
    for name, modules in (("modules", GUEST_MODULES), ("modules-emulated", GUEST_EMULATED)):
        cpio.add_data("etc/" + name, (" ".join(modules if releases else ()) + "\n").encode())
    cpio.add_file("init", os.path.join(LAB, "guest/init"), 0o755)
    bench = os.path.join(BUILD, "tests/bench/ops")
    if os.path.exists(bench):
        cpio.add_file("bin/ops", bench, 0o755)
    cpio.close()


def packed_ramdisk():
    """The guest's ramdisk for the normal kernel alone, packed, for media that firmware reads: it
    does so two bytes at a time, and each of them costs the device model microseconds."""
    path = os.path.join(WORK, "guest-packed.cpio.xz")
    if not newer(path, [os.path.abspath(__file__), os.path.join(LAB, "guest/init")]):
        plain = path[:-3]
        build_guest(plain, kernel_versions()[:1])
        subprocess.run(["xz", "-f", "-T1", "--check=crc32", plain], check=True)
    return path


def build_small_guest_kit(path, guest_ramdisk):
    """One kernel, the one that is packed with LZ4: an emulator takes minutes to unpack XZ."""
    cpio = Cpio(path)
    cpio.add_file("lab/vmlinuz-cloud", kernel_image(kernel_versions()[1]), 0o644)
    cpio.add_link("lab/vmlinuz", "vmlinuz-cloud")
    cpio.add_file("lab/guest.cpio", guest_ramdisk, 0o644)
    cpio.close()


def build_guest_kit(path, guest_ramdisk):
    """What dom0 needs to start guests: both stock kernels and the guests' ramdisk."""
    normal, cloud = kernel_versions()
    cpio = Cpio(path)
    cpio.add_file("lab/vmlinuz", kernel_image(normal), 0o644)
    cpio.add_file("lab/vmlinuz-cloud", kernel_image(cloud), 0o644)
    cpio.add_file("lab/guest.cpio", guest_ramdisk, 0o644)
    cpio.close()


def build_zendo_tools(path):
    """Our tools, as built now. Shared libraries of ours are found beside the programs. With them come
    the terminals that ncurses is to know."""
    tools = os.path.join(BUILD, "dom0-tools")
    cpio = Cpio(path)
    programs = {}
    folders = set()
    for folder, _, files in sorted(os.walk(tools)):
        for file in sorted(files):
            source = os.path.join(folder, file)
            if ".so" in file:
                folders.add(folder)
            elif os.access(source, os.X_OK) and is_program(source) and "." not in file:
                programs["usr/sbin/" + file] = source
    add_programs(cpio, programs, sorted(folders))
    for name in TERMINALS:
        cpio.add_file(f"lib/terminfo/{name[0]}/{name}", f"/lib/terminfo/{name[0]}/{name}")
    cpio.close()


def package_libraries():
    return [os.path.join(ROOT, folder) for folder in
            ("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu")]


def build_store_client(path):
    """Stock xenstore-ls and the like, which the system tests ask what the store holds."""
    cpio = Cpio(path)
    programs = {"usr/bin/xenstore": os.path.join(ROOT, "usr/bin/xenstore-ls")}
    for name in "chmod exists list ls read rm watch write".split():
        cpio.add_link("usr/bin/xenstore-" + name, "xenstore")
    add_programs(cpio, programs, package_libraries())
    cpio.close()


def build_stock_tools(path):
    """Stock Xen's tools, with the scripts that they run."""
    libexec = "usr/lib/xen-4.17"
    source = os.path.join(ROOT, libexec, "bin")
    cpio = Cpio(path)
    cpio.add_dir("var/lib/xen")
    cpio.add_dir("var/log/xen")
    cpio.add_dir("var/lib/xenstored")
    programs = {"bin/bash": os.path.join(ROOT, "bin/bash"),
                "usr/bin/flock": os.path.join(ROOT, "usr/bin/flock")}
    for name in ("xl", "xenstored", "xenconsoled", "xenconsole", "xen-init-dom0",
                 "libxl-save-helper", "lsevtchn", "xenstore-control"):
        programs[f"{libexec}/bin/{name}"] = os.path.join(source, name)
        cpio.add_link("usr/sbin/" + name, f"/{libexec}/bin/{name}")
    private = os.path.join(ROOT, libexec, "lib/x86_64-linux-gnu")
    # The C library loads this one by name when a thread is cancelled, which xl does.
    programs["usr/lib/libgcc_s.so.1"] = "/lib/x86_64-linux-gnu/libgcc_s.so.1"
    add_programs(cpio, programs, package_libraries() + [private])
    cpio.add_tree("etc/xen/scripts", os.path.join(ROOT, "etc/xen/scripts"))
    cpio.add_data("etc/xen/xl.conf", b'autoballoon="off"\n')
    cpio.close()


def device_model_files(data):
    """The device model, its libraries and these data: {name in dom0: path in the packages}."""
    program = os.path.join(ROOT, DEVICE_MODEL)
    if not os.path.exists(program):
        raise ImageError("the device model is missing: run `make lab-fetch-model`")
    files = {name: os.path.join(ROOT, name) for name in [DEVICE_MODEL] + data}
    for name, library in library_closure([program], package_libraries()).items():
        files["usr/lib/" + name] = library
    return files


def build_device_model(path):
    """A file system with the whole device model, which would make a ramdisk slow."""
    with tempfile.TemporaryDirectory(prefix="lab-") as tree:
        for name, source in device_model_files(DEVICE_MODEL_DATA).items():
            target = os.path.join(tree, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if os.path.isdir(source):
                shutil.copytree(source, target, symlinks=True)
            else:
                shutil.copy(source, target)
        make_disk(path + ".tmp", 128, tree, "device-model")
    os.rename(path + ".tmp", path)


def build_device_model_links(path):
    """Links in dom0's root to what is on that file system, where Debian's tools look for it."""
    cpio = Cpio(path)
    cpio.add_dir(DEVICE_MODEL_MOUNT)
    for name in sorted(device_model_files(DEVICE_MODEL_DATA)):
        cpio.add_link(name, os.path.join(DEVICE_MODEL_MOUNT, name))
    cpio.close()


def build_small_device_model(path):
    cpio = Cpio(path)
    for name, source in sorted(device_model_files(DEVICE_MODEL_LEAST).items()):
        if os.path.isdir(source):
            cpio.add_tree(name, source)
        else:
            cpio.add_file(name, source, 0o755 if is_program(source) else 0o644)
    cpio.close()


def device_model_build(name, build):
    path = os.path.join(WORK, name)
    if not newer(path, [os.path.abspath(__file__), os.path.join(ROOT, DEVICE_MODEL)]):
        build(path)
    return path


def device_model():
    """The device model's file system and the part of dom0's ramdisk that goes with it."""
    return (device_model_build("device-model.img", build_device_model),
            device_model_build("device-model.cpio", build_device_model_links))


def small_device_model():
    """The device model as a part of dom0's ramdisk, for a machine that has no second disk."""
    return device_model_build("small-device-model.cpio", build_small_device_model)


def build_job(path, script, extras, args):
    """What one run adds: dom0's init and library, the script and the files it asked for."""
    cpio = Cpio(path)
    cpio.add_file("init", os.path.join(LAB, "dom0/init"), 0o755)
    cpio.add_file("lab/lib.sh", os.path.join(LAB, "dom0/lib.sh"), 0o644)
    if script:
        cpio.add_file("lab/script", script, 0o755)
        cpio.add_data("lab/args", ("\n".join(args) + "\n").encode() if args else b"")
    for source, target in extras:
        cpio.add_file(target, source)
        if is_program(source):
            for name, library in library_closure([source], []).items():
                cpio.add_file("usr/lib/" + name, library, 0o755)
    cpio.close()


def join(path, parts):
    with open(path + ".tmp", "wb") as out:
        for part in parts:
            with open(part, "rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)
    os.rename(path + ".tmp", path)


def make_disk(path, megabytes, tree=None, label="lab"):
    """A sparse raw image with an ext4 file system, filled from `tree`."""
    with open(path, "wb") as file:
        file.truncate(megabytes << 20)
    command = ["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-E", "root_owner=0:0",
               "-O", "^has_journal"]
    if tree:
        command += ["-d", tree]
    subprocess.run(command + [path], check=True)


def make_pattern(path, megabytes, sums):
    """A disk on which every sector holds its own number, and the checksum of the whole."""
    digest = hashlib.md5()
    with open(path, "wb") as file:
        for base in range(0, megabytes << 11, 2048):
            data = b"".join((b"sector %d " % (base + number)).ljust(512, b".")
                            for number in range(2048))
            digest.update(data)
            file.write(data)
    with open(sums, "w", encoding="ascii") as file:
        file.write(digest.hexdigest() + "\n")


def newer(path, sources):
    if not os.path.exists(path):
        return False
    made = os.stat(path).st_mtime
    return all(os.stat(source).st_mtime <= made for source in sources if os.path.exists(source))


def stock_xen():
    """Stock Xen's ELF, unpacked once."""
    path = os.path.join(WORK, "xen-4.17")
    if not os.path.exists(path):
        source = os.path.join(ROOT, "boot/xen-4.17-amd64.gz")
        if not os.path.exists(source):
            raise ImageError("stock Xen is missing: run `make lab-fetch-peer`")
        with gzip.open(source) as packed, open(path + ".tmp", "wb") as out:
            shutil.copyfileobj(packed, out)
        os.rename(path + ".tmp", path)
    return path


def build_parts(wanted):
    """The paths of the parts (name, function that builds it, what it is made of), built when
    missing or old."""
    paths = []
    for name, build, sources in wanted:
        path = os.path.join(WORK, name + ".cpio")
        if not newer(path, sources):
            build(path)
        paths.append(path)
    return paths


def is_fetched(section):
    """Whether all packages of this section of tests/lab/packages are there. One of them may have
    come with another section."""
    return os.path.exists(os.path.join(WORK, "debs", f".section-{section}.done"))


def store_client(here):
    if not is_fetched("test"):
        return []
    return [("store-client", build_store_client, [here])]


def dom0_small_parts():
    """dom0's ramdisk for a slow emulator, where each megabyte and each module costs seconds."""
    here = os.path.abspath(__file__)
    guest_init = os.path.join(LAB, "guest/init")
    guest = build_parts([("small-guest", lambda path: build_guest(path, ()),
                          [here, guest_init])])[0]
    return build_parts([
        ("small-dom0", lambda path: build_dom0(path, DOM0_TOOLS), [here]),
        ("small-guest-kit", lambda path: build_small_guest_kit(path, guest), [here, guest]),
    ] + store_client(here))


def dom0_parts():
    """The parts of dom0's ramdisk that outlive a run. Stock tools are among them if their packages
    have been fetched."""
    here = os.path.abspath(__file__)
    guest_init = os.path.join(LAB, "guest/init")
    ops = os.path.join(BUILD, "tests/bench/ops")
    guest = build_parts([("guest", lambda path: build_guest(path, kernel_versions()),
                          [here, guest_init, ops])])[0]
    wanted = [("dom0", build_dom0, [here]),
              ("guest-kit", lambda path: build_guest_kit(path, guest), [here, guest])]
    wanted += store_client(here)
    if is_fetched("peer"):
        wanted.append(("stock-tools", build_stock_tools, [here]))
    return build_parts(wanted)
