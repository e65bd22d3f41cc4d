# SPDX-License-Identifier: BSD-2-Clause
"""The lab: which hypervisor, which dom0, which emulated hardware, and one run of it.

Owns the QEMU and hypervisor command lines. images.py makes what is booted, machine.py runs it.
"""

import os
import shutil
import subprocess
import time

import image
import media
from bochs import BIOSES, Bochs
from machine import Machine

# `-smap`: QEMU 7.2 checks SMAP wrongly for lret and iret at ring 3, where PV kernels run.
CPU = "max,-smap"

# What takes Bochs half a minute: ciphers test themselves. What it does wrong: see README.md, XSAVEC.
BOCHS_OPTIONS = ["cryptomgr.notests", "clearcpuid=xsavec"]

# Every wait is so many times as long as two free cores need. A wait ends when what it waits for is
# there, so that a long one costs time only where a test fails.
PATIENCE = int(os.environ.get("LAB_PATIENCE", "3"))


def add_options(parser):
    """Options that every command of the lab understands."""
    parser.add_argument("-H", "--hypervisor", default=os.environ.get("HYPERVISOR", "zendo"),
                        help="zendo, xen (Debian's stock 4.17) or a file")
    parser.add_argument("-t", "--tools", choices=("zendo", "stock", "none"),
                        help="whose daemons to start (default: the hypervisor's own)")
    parser.add_argument("-s", "--smp", default="2", help="processors")
    parser.add_argument("-m", "--memory", default="3G")
    parser.add_argument("-M", "--machine", default="q35", help="q35 or pc")
    parser.add_argument("--cpu", default=CPU)
    parser.add_argument("--dom0-memory", default="1G")
    parser.add_argument("--dom0-vcpus", default="2")
    parser.add_argument("-x", "--hypervisor-option", action="append", default=[])
    parser.add_argument("-k", "--kernel-option", action="append", default=[])
    parser.add_argument("-q", "--qemu", action="append", default=[], metavar="OPTIONS",
                        help="more for QEMU's command line, split at blanks")
    parser.add_argument("--disk", action="append", default=[], metavar="KIND:FILE",
                        help="a raw disk: virtio:FILE, ahci:FILE, nvme:FILE; changes to it are "
                        "thrown away. FILE @N: a new ext4 of N MB; @pattern: known content; "
                        "@grub, @iso, @installer: what HVM guests boot")
    parser.add_argument("--device-model", action="store_true",
                        help="give dom0 Debian's QEMU and firmware, for HVM guests")
    parser.add_argument("--sparse", action="store_true", help="do not reserve the memory")
    parser.add_argument("--bochs", metavar="MODEL", help="emulate this CPU by Bochs, which has "
                        "VMX: corei7_skylake_x, ...; 2 GB of memory, no disks")
    parser.add_argument("--bios", default="bochs", choices=sorted(BIOSES),
                        help="Bochs's firmware; seabios leaves VMX off, for one CPU only")
    parser.add_argument("--grub", action="append", default=[], metavar="COMMAND",
                        help="for GRUB, before it loads the hypervisor (Bochs, --iso @)")
    parser.add_argument("--iso", help="boot this image by GRUB instead of -kernel; @: make it")
    parser.add_argument("--end", default="poweroff", choices=("poweroff", "reboot"))
    parser.add_argument("-l", "--log", help="where the serial line is logged")


def hypervisor_file(name):
    if name == "xen":
        return image.stock_xen()
    if name == "zendo":
        path = os.path.join(image.BUILD, "hypervisor", "zendo")
        if not os.path.exists(path):
            raise image.ImageError(f"{path} is not built")
        return path
    return name


def tools_of(options):
    if options.tools:
        return options.tools
    return "stock" if options.hypervisor == "xen" else "zendo"


def hypervisor_line(options):
    words = ["console=com1", "com1=115200,8n1", f"dom0_mem={options.dom0_memory}",
             f"dom0_max_vcpus={options.dom0_vcpus}", "loglvl=info"]
    if options.hypervisor == "xen":
        words += [f"dom0_mem={options.dom0_memory},max:{options.dom0_memory}", "noreboot=1"]
        if options.end == "reboot":
            words.remove("noreboot=1")
    return " ".join(words + options.hypervisor_option)


def kernel_line(options):
    words = ["console=hvc0", "lab.tools=" + tools_of(options), "lab.end=" + options.end,
             f"lab.patience={PATIENCE}", "quiet", "loglevel=5", "panic=-1"]
    if options.bochs:
        words += BOCHS_OPTIONS
    return " ".join(words + options.kernel_option)


def ramdisk(options, scratch, script, extras=(), args=()):
    """dom0's whole ramdisk for this run."""
    tools = tools_of(options)
    is_small = options.bochs and tools != "stock"
    parts = image.dom0_small_parts() if is_small else image.dom0_parts()
    if options.device_model:
        parts.insert(0, image.small_device_model() if options.bochs else image.device_model()[1])
    if tools == "zendo" or os.path.isdir(os.path.join(image.BUILD, "dom0-tools")):
        path = os.path.join(scratch, "zendo-tools.cpio")
        image.build_zendo_tools(path)
        parts.append(path)
    job = os.path.join(scratch, "job.cpio")
    image.build_job(job, script, extras, args)
    whole = os.path.join(scratch, "initrd")
    image.join(whole, parts + [job])
    return whole


def prepare_disks(options, scratch):
    """Make the disks that are asked for as @N or @pattern."""
    extras = []
    for number, disk in enumerate(options.disk):
        kind, _, file = disk.partition(":")
        if not file.startswith("@"):
            continue
        path = os.path.join(scratch, f"disk{number}.img")
        if file in media.BUILDERS:
            options.disk[number] = f"{kind}:{media.medium(file)}"
            continue
        if file == "@pattern":
            sums = path + ".md5"
            image.make_pattern(path, 16, sums)
            extras = [(sums, "lab/pattern.md5")]
        else:
            image.make_disk(path, int(file[1:]))
        options.disk[number] = f"{kind}:{path}"
    return extras


def disk_arguments(disks):
    """-drive and -device for each KIND:FILE."""
    words = []
    devices = {"virtio": "virtio-blk-pci,drive={0}", "ahci": "ide-hd,drive={0},bus=labahci.{1}",
               "nvme": "nvme,drive={0},serial={0}"}
    ports = 0
    if any(disk.startswith("ahci:") for disk in disks):
        words += ["-device", "ich9-ahci,id=labahci"]
    for number, disk in enumerate(disks):
        kind, _, file = disk.partition(":")
        if kind not in devices:
            raise image.ImageError(f"disk '{disk}': virtio:FILE, ahci:FILE or nvme:FILE expected")
        name = f"disk{number}"
        words += ["-drive", f"if=none,id={name},format=raw,file={file},snapshot=on",
                  "-device", devices[kind].format(name, ports)]
        ports += kind == "ahci"
    return words


def device_model_arguments():
    """Its disk comes after all others, and is found by its label."""
    disk, _ = image.device_model()
    return ["-drive", f"if=none,id=model,format=raw,readonly=on,file={disk}",
            "-device", "virtio-blk-pci,drive=model"]


def make_iso(options, path, initrd, scratch):
    """A bootable ISO: GRUB, BIOS, multiboot2."""
    tree = os.path.join(scratch, "iso")
    os.makedirs(os.path.join(tree, "boot/grub"))
    release, _ = image.kernel_versions()
    for name, source in (("hypervisor", hypervisor_file(options.hypervisor)),
                         ("vmlinux", image.kernel_unpack(release)), ("initrd", initrd)):
        shutil.copyfile(source, os.path.join(tree, "boot", name))
    commands = "".join(f"\t{command}\n" for command in options.grub)
    with open(os.path.join(tree, "boot/grub/grub.cfg"), "w", encoding="ascii") as file:
        file.write(f"""serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set timeout=0
menuentry "{os.path.basename(options.hypervisor)}" {{
{commands}	multiboot2 /boot/hypervisor {hypervisor_line(options)}
	module2 /boot/vmlinux {kernel_line(options)}
	module2 /boot/initrd
}}
""")
    done = subprocess.run(["grub-mkrescue", "-o", path, tree],
                          capture_output=True, text=True)
    if done.returncode:
        raise image.ImageError(f"grub-mkrescue: {done.stderr[-500:]}")


def machine_arguments(options, initrd):
    words = ["-M", options.machine, "-cpu", options.cpu, "-smp", options.smp, "-nodefaults",
             "-m", options.memory]
    if options.sparse:
        words += ["-object", f"memory-backend-ram,id=ram,size={options.memory},reserve=off",
                  "-machine", "memory-backend=ram"]
    if options.end != "reboot":
        words.append("-no-reboot")
    if options.iso:
        words += ["-drive", f"if=none,id=cd,media=cdrom,format=raw,readonly=on,file={options.iso}",
                  "-device", "ide-cd,drive=cd", "-boot", "d"]
    else:
        release, _ = image.kernel_versions()
        vmlinux = image.kernel_unpack(release)
        words += ["-kernel", hypervisor_file(options.hypervisor),
                  "-append", hypervisor_line(options),
                  "-initrd", f"{vmlinux} {kernel_line(options)},{initrd}"]
    for extra in options.qemu:
        words += extra.split()
    words += disk_arguments(options.disk)
    return words + (device_model_arguments() if options.device_model else [])


def native_arguments(options, line, memory):
    """The normal kernel with a guest's ramdisk and that command line, without a hypervisor."""
    release, _ = image.kernel_versions()
    image.dom0_parts()
    words = ["-M", options.machine, "-cpu", options.cpu, "-smp", options.smp, "-nodefaults",
             "-m", memory, "-no-reboot", "-kernel", image.kernel_image(release), "-append", line,
             "-initrd", os.path.join(image.WORK, "guest.cpio")]
    for extra in options.qemu:
        words += extra.split()
    return words


def log_path(options, name):
    if options.log:
        return options.log
    folder = os.path.join(image.WORK, "logs")
    os.makedirs(folder, exist_ok=True)
    number = sum(entry.startswith(f"{name}-{os.getpid()}-") for entry in os.listdir(folder))
    return os.path.join(folder, f"{name}-{os.getpid()}-{number}.log")


def parse_extras(specs):
    extras = []
    for spec in specs:
        source, _, target = spec.partition(":")
        if not os.path.exists(source):
            raise image.ImageError(f"{source}: no such file")
        extras.append((source, target or "lab/" + os.path.basename(source)))
    return extras


class ScriptOutput:
    """Passes on the lines between "lab: begin" and "lab: exit", or all of them."""

    def __init__(self, verbose, sink):
        self.verbose = verbose
        self.sink = sink
        self.inside = verbose
        self.line = b""

    def __call__(self, data):
        self.line += data.replace(b"\r", b"")
        *lines, self.line = self.line.split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            if not self.verbose:
                if "lab: begin" in text:
                    self.inside = True
                    continue
                if "lab: exit " in text:
                    self.inside = False
            if self.inside:
                self.sink(text)


def start(options, initrd, log, output, scratch):
    """The machine that the options describe."""
    if not options.bochs:
        return Machine(machine_arguments(options, initrd), log, output)
    disk = os.path.join(scratch, "boot.iso")
    with image.building():
        make_iso(options, disk, initrd, scratch)
    return Bochs(disk, log, scratch, output, options.bochs, options.smp, options.bios)


def run_script(options, scratch, sink=None):
    """Boot, run options.script in dom0, end; the script's status."""
    extras = parse_extras(options.add) + prepare_disks(options, scratch)
    with image.building():
        initrd = ramdisk(options, scratch, options.script, extras, options.args)
    if options.iso == "@":
        options.iso = os.path.join(scratch, "boot.iso")
        make_iso(options, options.iso, initrd, scratch)
    log = log_path(options, os.path.basename(options.script))
    output = ScriptOutput(options.verbose, sink or (lambda line: print(line, flush=True)))
    started = time.monotonic()
    timeout = options.timeout * PATIENCE
    with start(options, initrd, log, output, scratch) as machine:
        machine.expect("lab: begin", timeout if options.bochs else min(120 * PATIENCE, timeout))
        left = timeout - (time.monotonic() - started)
        status = int(machine.expect(r"lab: exit (\d+)", left).group(1))
        if options.end == "poweroff":
            machine.wait_end(timeout if options.bochs else 30 * PATIENCE)
        else:
            machine.expect("lab: begin", 120 * PATIENCE)
    return status


def shell(options, scratch):
    """dom0's shell on this terminal. Ctrl-A X ends QEMU, Ctrl-A A A types Ctrl-A thrice."""
    initrd = ramdisk(options, scratch, None)
    words = ["qemu-system-x86_64", "-display", "none", "-chardev",
             "stdio,id=con,mux=on,signal=off", "-serial", "chardev:con", "-mon", "con"]
    return subprocess.call(words + machine_arguments(options, initrd))
