"""A server with a library, measured from outside: the cost of its scans, and its cost when it is idle."""

import http.client
import json
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from . import libraries, machine
from .machine import BenchError
from .servers import Running

SETTLE = 3600.0  # seconds in which a library must be scanned, probed and complete

VIDEO = re.compile(rf'"[^"]*{libraries.EVERYWHERE}[^"/]*"')
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(")


class LibraryServer:
    """A server with a library, measured from outside."""

    def __init__(self, running: Running, folder: Path, count: int) -> None:
        self.running, self.folder, self.count = running, folder, count
        self.worker = next(
            pid
            for pid in machine.group(running.leader)
            if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        self._clock = (~self.worker << 3) | 2  # of the process: clock_getcpuclockid(3)
        self._link = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)

    def cpu(self) -> float:
        """CPU seconds of the server's process, without the media worker and other children."""
        return time.clock_gettime(self._clock)

    def memory(self) -> float:
        """Its private memory, MB."""
        status = Path(f"/proc/{self.worker}/status").read_text("latin-1")
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1000  # type: ignore[index]

    def request(self, path: str, method: str = "GET") -> bytes:
        try:
            self._link.request(method, path)
            response = self._link.getresponse()
        except http.client.RemoteDisconnected:  # the server closes idle connections after a while
            self._link.request(method, path)
            response = self._link.getresponse()
        body = response.read()
        if response.status >= 300:
            raise BenchError(f"{method} {path}: {response.status} {body[:200]!r}")
        return body

    def request_json(self, path: str, method: str = "GET") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.request(path, method))
        return found

    def metrics(self) -> dict[str, float]:
        """The Prometheus metrics, without the prefix."""
        lines = (line for line in self.request("/metrics").decode().splitlines() if not line.startswith("#"))
        return {
            name.removeprefix("trio_stream_"): float(value)
            for name, _, value in (line.rpartition(" ") for line in lines)
        }

    def wait_until(self, is_reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + SETTLE
        while not is_reached(found := self.request_json("/api/library")):
            if time.monotonic() > end:
                raise BenchError(f"the library did not reach the expected state within {SETTLE:g} s: {found}")
            time.sleep(0.2)
        return found

    def settle(self) -> dict[str, Any]:
        """Wait until everything is scanned and probed and all artwork is generated."""
        return self.wait_until(lambda found: found["idle"] and found["look"]["ended"] is not None)

    def rescan(self) -> dict[str, float]:
        """Scan the unchanged folder once more."""
        before, writes = self.cpu(), self.metrics()["database_changes_total"]
        number = self.request_json("/api/library/scan", "POST")["look"]
        found = self.wait_until(lambda now: now["look"]["number"] >= number and not now["look"]["running"])[
            "look"
        ]
        self.settle()
        return {
            "seconds": scan_seconds(found),
            "cpu_seconds": self.cpu() - before,
            "changes": self.metrics()["database_changes_total"] - writes,
            "videos": found["videos"],
            "memory_mb": self.memory(),
        }


def scan_seconds(scan: dict[str, Any]) -> float:
    """How long a scan took."""
    started, ended = (datetime.fromisoformat(scan[name]) for name in ("started", "ended"))
    return (ended - started).total_seconds()


def measure_first_scan(library: LibraryServer) -> dict[str, float]:
    """Measure from the start of the server to the end of its first scan, and until it is idle."""
    scan = library.wait_until(lambda found: found["look"]["ended"] is not None)["look"]
    scan_cpu = library.cpu()
    found = library.settle()
    if found["videos"] < library.count:
        raise BenchError(f"{found['videos']} of {library.count} videos were found")
    return {
        "videos": found["videos"],
        "folders": found["folders"],
        "look_seconds": scan_seconds(scan),
        "look_cpu_seconds": scan_cpu,
        "settled_cpu_seconds": library.cpu(),
        "memory_mb": library.memory(),
    }


def traced_scan(library: LibraryServer) -> dict[str, float] | None:
    """Count the system calls of a scan of the unchanged folder; None if strace is missing or not permitted."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace"
        command = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%process,pwrite64,fsync,fdatasync"]
        strace = subprocess.Popen(
            [*command, "-o", trace, "-p", str(library.worker)], stderr=subprocess.DEVNULL
        )
        try:
            time.sleep(0.5)
            if strace.poll() is not None:
                return None
            library.rescan()
        finally:
            strace.send_signal(signal.SIGINT)
            strace.wait()
        calls: Counter[str] = Counter()
        named: Counter[str] = Counter()
        for line in trace.read_text("utf-8", "backslashreplace").splitlines():
            if (found := CALL.match(line)) is None:
                continue
            name = found[1]
            if name.startswith(("clone", "fork", "vfork")) and "CLONE_THREAD" not in line:
                calls["processes"] += 1
            calls["writes"] += name in ("pwrite64", "fsync", "fdatasync")
            if VIDEO.search(line):
                named["stats" if "stat" in name else "opens" if name.startswith("open") else "others"] += 1
    count = library.count
    return {"stats_per_video": named["stats"] / count, "opens": named["opens"], "others": named["others"]} | {
        name: calls[name] for name in ("processes", "writes")
    }


def idle_cores(library: LibraryServer, seconds: float) -> float:
    """Cores that the server uses when no client sends requests."""
    before, began = library.cpu(), time.monotonic()
    time.sleep(seconds)
    return (library.cpu() - before) / (time.monotonic() - began)
