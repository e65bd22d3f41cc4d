# SPDX-License-Identifier: BSD-2-Clause
"""One emulated machine: starts QEMU, reads its serial line, waits, types, and ends it.

Owns the child process and the log of the serial line. Knows nothing of guests or tests. Only
the child it started is ever killed, and that child dies with this process whatever happens.
"""

import ctypes
import os
import re
import select
import shutil
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1

# What the serial line shows when the hypervisor or dom0 has come to a bad end.
DISASTER = re.compile(rb"(?m)^.*(Panic on CPU|panic on CPU|zendo: panic|PANIC|ASSERT|Kernel panic -|"
                      rb"FATAL TRAP|Assertion .* failed|Hardware Dom0 crashed|"
                      rb"you need to load the kernel first).*$")


class MachineError(Exception):
    """The machine did not do what was waited for; the text says what, and shows the last lines."""


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """QEMU with one serial line. Use as a context manager."""

    name = "QEMU"

    def __init__(self, arguments, log, echo=None):
        self.log_path = log
        self.log = open(log, "wb")
        self.echo = echo
        self.seen = b""
        self.mark = 0
        self.started = time.monotonic()
        self.child, self.line = self.start(arguments)

    def start(self, arguments):
        """The child process, and the file its serial line is read from."""
        prefix = os.environ.get("LAB_EMULATOR_PREFIX", "").split()
        program = shutil.which("qemu-system-x86_64")
        if program is None:
            raise MachineError("qemu-system-x86_64 is not installed")
        child = subprocess.Popen(
            prefix + [program, "-display", "none", "-monitor", "none", "-serial", "stdio"] +
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent)
        return child, child.stdout

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def seconds(self):
        return time.monotonic() - self.started

    def _read(self, seconds):
        """Take what has come within the time. False when the line has closed."""
        ready, _, _ = select.select([self.line], [], [], max(seconds, 0))
        if not ready:
            return True
        data = os.read(self.line.fileno(), 65536)
        if not data:
            return False
        self.log.write(data)
        self.log.flush()
        self.seen += data.replace(b"\r", b"")
        if self.echo:
            self.echo(data)
        return True

    def _drain(self, seconds):
        """Take what still comes: a panic says more than its first bytes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and self._read(end - time.monotonic()):
            pass

    def tail(self, lines=25):
        return b"\n".join(self.seen.split(b"\n")[-lines:]).decode(errors="replace")

    def _fail(self, why):
        raise MachineError(f"{why} (log: {self.log_path}); the last lines were:\n{self.tail()}")

    def expect(self, pattern, seconds, watch=True):
        """Wait for a pattern after what was matched before; the match. Raises MachineError when
        the time is over, QEMU ends, or (if `watch`) a disaster shows first."""
        regex = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.M)
        end = time.monotonic() + seconds
        open_line = True
        while True:
            match = regex.search(self.seen, self.mark)
            if match:
                self.mark = match.end()
                return match
            disaster = DISASTER.search(self.seen, self.mark) if watch else None
            if disaster:
                self._drain(5.0)
                self._fail("disaster: " + disaster.group(0).decode(errors="replace").strip())
            left = end - time.monotonic()
            if not open_line:
                self._fail(f"{self.name} ended (status {self.child.wait()}) before '{pattern}'")
            if left <= 0:
                self._fail(f"no '{pattern}' within {seconds} s")
            open_line = self._read(min(left, 1.0))

    def send(self, text):
        self.child.stdin.write(text.encode())
        self.child.stdin.flush()

    def wait_end(self, seconds):
        """Wait for QEMU to end by itself; its status."""
        end = time.monotonic() + seconds
        while self._read(min(end - time.monotonic(), 1.0)):
            if time.monotonic() >= end:
                self._fail(f"the machine was still on after {seconds} s")
        return self.child.wait()

    def kill(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        self.log.close()
