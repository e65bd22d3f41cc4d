# SPDX-License-Identifier: BSD-2-Clause
"""One machine emulated by Bochs: what QEMU's software emulation lacks, Intel VMX and PCID.

Owns Bochs's configuration and its odd habits; waiting and reading are machine.py's. Bochs is a
debugger that wants a terminal, and boots from a disk: the lab's ISO, padded to whole cylinders.
"""

import os
import pty
import shutil
import subprocess
import threading

from machine import Machine, MachineError, die_with_parent

HEADS, SECTORS = 16, 63
CYLINDER = HEADS * SECTORS * 512

# At most 2048 MB; `vga: extension=none`, as GRUB sets a graphics mode that the terminal lacks.
CONFIGURATION = """display_library: term
config_interface: textconfig
plugin_ctrl: speaker=0, gameport=0
cpu: model={model}, count={cpus}, ips=50000000, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest=2048, host=2048
romimage: file={bios}
vgaromimage: file=/usr/share/vgabios/vgabios.bin
pci: enabled=1, chipset=i440fx
clock: sync=none, time0=utc
ata0-master: type=disk, mode=flat, path={disk}, cylinders={cylinders}, heads={heads}, spt={sectors}
vga: extension=none, realtime=0, update_freq=1
boot: disk
com1: enabled=1, mode=file, dev=/proc/self/fd/{line}
log: {log}.bochs
panic: action=fatal
"""

# Bochs' own locks MSR 0x3a (IA32_FEATURE_CONTROL) with VMX on. SeaBIOS leaves it as it is after a
# reset, but finds one CPU only: it expects QEMU's count of them.
BIOSES = {"bochs": "/usr/share/bochs/BIOS-bochs-latest, options=fastboot",
          "seabios": "/usr/share/seabios/bios.bin"}


def _drain(terminal):
    """Its screen is nobody's; unread, it would stop Bochs."""
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:
        pass


class Bochs(Machine):
    """A machine that boots the disk image `disk`, which it pads. Use as Machine."""

    name = "Bochs"

    def __init__(self, disk, log, scratch, echo=None, model="corei7_skylake_x", cpus=1,
                 bios="bochs"):
        self.disk, self.scratch, self.model, self.cpus = disk, scratch, model, cpus
        self.bios = bios
        super().__init__([], log, echo)

    def start(self, arguments):
        program = shutil.which("bochs")
        if program is None:
            raise MachineError("bochs is not installed")
        size = -(-os.path.getsize(self.disk) // CYLINDER) * CYLINDER
        os.truncate(self.disk, size)
        line, line_end = os.pipe()
        files = {}
        for name, text in (("bochsrc", CONFIGURATION.format(
                model=self.model, cpus=self.cpus, bios=BIOSES[self.bios], disk=self.disk,
                cylinders=size // CYLINDER, heads=HEADS, sectors=SECTORS, line=line_end,
                log=self.log_path)),
                           ("commands", "c\nq\n")):
            files[name] = os.path.join(self.scratch, name)
            with open(files[name], "w", encoding="ascii") as file:
                file.write(text)
        terminal, terminal_end = pty.openpty()
        child = subprocess.Popen(
            [program, "-q", "-f", files["bochsrc"], "-rc", files["commands"]],
            stdin=terminal_end, stdout=terminal_end, stderr=terminal_end, pass_fds=[line_end],
            env=dict(os.environ, TERM="linux"), preexec_fn=die_with_parent)
        os.close(terminal_end)
        os.close(line_end)
        threading.Thread(target=_drain, args=(terminal,), daemon=True).start()
        return child, os.fdopen(line, "rb", buffering=0)
