"""A server with a library, seen from outside: what its looks at the folder cost it, and what it costs to do nothing."""

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

from . import machine, shelves
from .machine import BenchError
from .servers import Running

SETTLE = 3600.0  # seconds after which a library that is not done is none

VIDEO = re.compile(rf'"[^"]*{shelves.EVERYWHERE}[^"/]*"')
CALL = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(")


class Shelf:
    """A server with a library, seen from outside."""

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
        """CPU seconds of the server's process, whose children that read media are not in it."""
        return time.clock_gettime(self._clock)

    def memory(self) -> float:
        """Its private memory, MB."""
        status = Path(f"/proc/{self.worker}/status").read_text("latin-1")
        return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[1]) / 1000  # type: ignore[index]

    def raw(self, path: str, method: str = "GET") -> bytes:
        try:
            self._link.request(method, path)
            answer = self._link.getresponse()
        except http.client.RemoteDisconnected:  # it was left alone for longer than servers keep connections
            self._link.request(method, path)
            answer = self._link.getresponse()
        body = answer.read()
        if answer.status >= 300:
            raise BenchError(f"{method} {path}: {answer.status} {body[:200]!r}")
        return body

    def ask(self, path: str, method: str = "GET") -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw(path, method))
        return found

    def figures(self) -> dict[str, float]:
        """Those for Prometheus, without the prefix."""
        lines = (line for line in self.raw("/metrics").decode().splitlines() if not line.startswith("#"))
        return {
            name.removeprefix("trio_stream_"): float(value)
            for name, _, value in (line.rpartition(" ") for line in lines)
        }

    def until(self, there: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + SETTLE
        while not there(found := self.ask("/api/library")):
            if time.monotonic() > end:
                raise BenchError(f"the library did not get there: {found}")
            time.sleep(0.2)
        return found

    def settle(self) -> dict[str, Any]:
        """Wait until everything is scanned, probed and drawn."""
        return self.until(lambda found: found["idle"] and found["look"]["ended"] is not None)

    def look_again(self) -> dict[str, float]:
        """One more full look at what has not changed."""
        before, writes = self.cpu(), self.figures()["database_changes_total"]
        number = self.ask("/api/library/scan", "POST")["look"]
        found = self.until(lambda now: now["look"]["number"] >= number and not now["look"]["running"])["look"]
        self.settle()
        return {
            "seconds": lasted(found),
            "cpu_seconds": self.cpu() - before,
            "changes": self.figures()["database_changes_total"] - writes,
            "videos": found["videos"],
            "memory_mb": self.memory(),
        }


def lasted(look: dict[str, Any]) -> float:
    """Seconds a look took."""
    started, ended = (datetime.fromisoformat(look[name]) for name in ("started", "ended"))
    return (ended - started).total_seconds()


def first_scan(shelf: Shelf) -> dict[str, float]:
    """From the start of the server to the end of its first look, and to its rest."""
    look = shelf.until(lambda found: found["look"]["ended"] is not None)["look"]
    looked = shelf.cpu()
    found = shelf.settle()
    if found["videos"] < shelf.count:
        raise BenchError(f"{found['videos']} of {shelf.count} videos were found")
    return {
        "videos": found["videos"],
        "folders": found["folders"],
        "look_seconds": lasted(look),
        "look_cpu_seconds": looked,
        "settled_cpu_seconds": shelf.cpu(),
        "memory_mb": shelf.memory(),
    }


def traced_look(shelf: Shelf) -> dict[str, float] | None:
    """The system calls of an unchanged look; None where there is no strace, or it may not."""
    if shutil.which("strace") is None:
        return None
    with tempfile.TemporaryDirectory() as made:
        trace = Path(made) / "trace"
        command = ["strace", "-f", "-qq", "-s", "4096", "-e", "trace=%file,%process,pwrite64,fsync,fdatasync"]
        strace = subprocess.Popen([*command, "-o", trace, "-p", str(shelf.worker)], stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.5)
            if strace.poll() is not None:
                return None
            shelf.look_again()
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
    count = shelf.count
    return {"stats_per_video": named["stats"] / count, "opens": named["opens"], "others": named["others"]} | {
        name: calls[name] for name in ("processes", "writes")
    }


def idle(shelf: Shelf, seconds: float) -> float:
    """Cores a server takes that nobody asks for anything."""
    before, began = shelf.cpu(), time.monotonic()
    time.sleep(seconds)
    return (shelf.cpu() - before) / (time.monotonic() - began)
