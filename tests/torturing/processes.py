"""The processes of a server, found by what only they have in their environment, whoever started them."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from tests.support import MEDIA_WORKER, SLOWER, Process
from tests.torturing.promises import Broken

MARK = "PYTHON_TORTURED"
"""A variable of the environment that all processes of a server have; those that begin so reach the media worker too."""

GONE_WITHIN = 2.0
"""Seconds after a kill in which every process of the server has to be gone, on a machine that does nothing else."""

HELPER = "multiprocessing.resource_tracker"
"""A process that Python itself starts beside the workers."""


class Processes:
    """The processes of one server; whoever starts it puts `environ` into its environment."""

    def __init__(self) -> None:
        self._mark = uuid4().hex
        self.environ = {MARK: self._mark}

    def all(self) -> Iterator[tuple[int, str]]:
        """Process id and command line of each."""
        mark = f"{MARK}={self._mark}".encode()
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with suppress(OSError):
                    if mark in Path(f"/proc/{name}/environ").read_bytes():
                        line = Path(f"/proc/{name}/cmdline").read_bytes()
                        yield int(name), line.replace(b"\0", b" ").decode(errors="replace")

    def serving(self, first: int) -> list[int]:
        """The workers that serve, where `first` is the process that was started."""
        return sorted(
            pid
            for pid, line in self.all()
            if pid != first and MEDIA_WORKER not in line and HELPER not in line
        )

    def reading(self) -> list[int]:
        """Those that read media."""
        return sorted(pid for pid, line in self.all() if MEDIA_WORKER in line)

    def kill(self, process: Process, chance: random.Random) -> None:
        """The whole server at once; what it started to read media has to notice by itself."""
        while True:
            pids = {pid for pid, line in self.all() if MEDIA_WORKER not in line}
            if process.poll() is None:
                pids.add(process.pid)  # which may be so young that it has no environment yet
            if not pids:
                return
            for pid in chance.sample(sorted(pids), len(pids)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def wait_gone(self) -> float:
        """Return the seconds until the last one was gone. Raises `Broken`."""
        began = time.monotonic()
        while left := list(self.all()):
            if time.monotonic() - began > SLOWER * GONE_WITHIN:
                raise Broken(f"still there {SLOWER * GONE_WITHIN:g} s after the end: {left}")
            time.sleep(0.01)
        return time.monotonic() - began
