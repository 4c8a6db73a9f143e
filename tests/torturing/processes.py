"""The processes of a server, found by a variable in their environment."""

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
"""An environment variable that all processes of a server have; variables that begin so reach the media worker too."""

GONE_WITHIN = 2.0
"""Seconds after a kill in which every process of the server must be gone, on an idle machine."""

HELPER = "multiprocessing.resource_tracker"
"""A process that Python itself starts next to the workers."""


class Processes:
    """The processes of one server, which must be started with `environ` in its environment."""

    def __init__(self) -> None:
        self._mark = uuid4().hex
        self.environ = {MARK: self._mark}

    def all(self) -> Iterator[tuple[int, str]]:
        """The id and the command line of each process."""
        mark = f"{MARK}={self._mark}".encode()
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with suppress(OSError):
                    if mark in Path(f"/proc/{name}/environ").read_bytes():
                        line = Path(f"/proc/{name}/cmdline").read_bytes()
                        yield int(name), line.replace(b"\0", b" ").decode(errors="replace")

    def serving(self, first: int) -> list[int]:
        """The serving workers; `first` is the process that was started."""
        return sorted(
            pid
            for pid, line in self.all()
            if pid != first and MEDIA_WORKER not in line and HELPER not in line
        )

    def media_workers(self) -> list[int]:
        """The media workers."""
        return sorted(pid for pid, line in self.all() if MEDIA_WORKER in line)

    def kill(self, process: Process, chance: random.Random) -> None:
        """Kill the whole server at once, except its media worker, which must notice this itself."""
        while True:
            pids = {pid for pid, line in self.all() if MEDIA_WORKER not in line}
            if process.poll() is None:
                pids.add(process.pid)  # it may be so new that it has no environment yet
            if not pids:
                return
            for pid in chance.sample(sorted(pids), len(pids)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def wait_gone(self) -> float:
        """Wait until all processes are gone; return how long that took. Raises `Broken`."""
        began = time.monotonic()
        while left := list(self.all()):
            if time.monotonic() - began > SLOWER * GONE_WITHIN:
                raise Broken(f"processes still run {SLOWER * GONE_WITHIN:g} s after the end: {left}")
            time.sleep(0.01)
        return time.monotonic() - began
