"""One server that lives through hours of faults: storms, in which they come at random, and calms, in which all is well.

In a calm every fault has been undone. By a deadline the server has to be ready, to know every file, to have made
everything of the good ones, and to hold what it acknowledged. Clients may not be refused then, no file may be other
than it was, and what the server holds is measured. At the end it stops with exit code 0, and its log tells of no error
of its own. `scripts/torture --minutes` does this.
"""

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import httpx
import trio

from tests.support import is_done, url_in
from tests.torturing.churn import CLIPS, FEWEST_FILES, Churn, make_clip, whole
from tests.torturing.clients import Watchers
from tests.torturing.data_faults import DataFaults
from tests.torturing.faults import Storm
from tests.torturing.file_faults import FileFaults
from tests.torturing.measuring import Sample, growing, slope
from tests.torturing.process_faults import ProcessFaults
from tests.torturing.processes import Processes
from tests.torturing.promises import Broken, Data, check_position, check_shown, run
from tests.torturing.viewers import Viewers, Weather
from trio_stream.library.naming.paths import is_plain

STORM = 30.0
"""Seconds of faults, at most; then there is a calm."""

CALM = 300.0
"""Seconds after the last fault in which all has to be well: what failed is tried again after 60, on a busy machine."""

STRICT = 3.0
"""Seconds in which clients may not be refused, once all is well."""

PAUSE = 0.3
"""Seconds from one playhead of a client to the next: what reads media has to have its turn."""

KEPT = 6
"""Good videos whose bytes nobody changes."""

DISK = 96 << 20
"""Bytes of the disk the data lies on, where it may be made: so it is soon full."""

STOP_DEADLINE = 30.0

SERVE = ("-m", "trio_stream", "serve", "-w", "2", "--bind", "127.0.0.1:0", "--graceful-timeout", "2")
"""How the server is started."""

FAULTS = (
    "strange date", "strange mode", "strange name", "strange size", "growing file", "shrinking file", "damaged file",
    "special file", "deep folders", "hard links", "many files", "strange subtitles", "videos away",
    "database locked", "data away", "data read only", "disk full", "database let go",
    "worker killed", "worker stopped", "reader killed", "reader stopped",
)  # fmt: skip
"""Their names. That of a disk needs root, and to let go of clients, PostgreSQL."""

ORDINARY = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
"""Takes from root what it may do beyond an ordinary user, for whom modes hold."""


@dataclass
class Report:
    """What has happened so far."""

    storms: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    """By their status."""
    cut: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    """Bytes that were compared with those of their file."""
    slowest: float = 0.0
    """Seconds until an answer was whole, at most."""
    slowest_calm: float = 0.0
    """Seconds from the last fault of a storm until all was well, at most."""
    samples: list[Sample] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    """Faults that cannot be made here, and why."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors of its own that the server told of in its log."""
    url: str = ""


class Soak:
    """A server on a library and a data folder in `folder`, and faults of these names."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        seconds: float,
        database_url: str | None = None,
        faults: Collection[str] = FAULTS,
        tell: Callable[[Report], None] = lambda report: None,
    ) -> None:
        self.report = Report()
        self._folder = folder
        self._chance = random.Random(seed)
        self._seconds = seconds
        self._names = faults
        self._tell = tell
        self._disk = folder / "disk"
        self._data = Data(self._disk / "data", database_url)
        self._videos = folder / "videos"
        self._log = folder / "server.log"
        self._processes = Processes()
        self._watchers = Watchers(self._chance, pause=PAUSE, again=True)
        self._weather = Weather()
        self._kept: dict[str, bytes] = {}

    def run(self) -> None:
        """Raises `Broken`."""
        with ExitStack() as stack:
            for path in (self._videos, self._disk):
                path.mkdir()
            bounded = stack.enter_context(_small_disk(self._disk, self.report.left_out))
            stack.callback(self._save_data, bounded)
            self._data.folder.mkdir()
            self._make_kept()
            descriptor = os.open(self._videos, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            files = FileFaults(self._videos, descriptor, self._kept, self._chance)
            files.leave_some()
            churn = Churn(
                Path(f"/proc/self/fd/{descriptor}/Work"),
                self._folder / "clips",
                self._chance,
                self.report.changes,
            )
            churn.renew()
            process = stack.enter_context(self._serving())
            faults = [
                *files.all(),
                *DataFaults(self._data, self._disk, self._chance, bounded=bounded).all(),
                *ProcessFaults(self._processes, process.pid, self._chance).all(),
            ]
            storm = Storm(
                [fault for fault in faults if fault.name in self._names], self._chance, self.report.faults
            )
            run(lambda: self._live(process, churn, storm))
            self._end(process)

    def _make_kept(self) -> None:
        (self._videos / "Kept").mkdir()
        for number in range(KEPT):
            clip = make_clip(self._folder / "kept", number % CLIPS)
            name = f"Kept/film {'abcdefgh'[number]}{clip.suffix}"
            self._kept[name] = whole(clip, self._chance.randbytes(16))
            (self._videos / name).write_bytes(self._kept[name])

    @contextmanager
    def _serving(self) -> Iterator[subprocess.Popen[bytes]]:
        environ = {key: value for key, value in os.environ.items() if not key.startswith("TRIO_STREAM_")}
        environ |= self._processes.environ | {
            "TRIO_STREAM_VIDEOS": str(self._videos),
            "TRIO_STREAM_DATA": str(self._data.folder),
            "TRIO_STREAM_LOG_FORMAT": "json",
            "TRIO_STREAM_ARTWORK_SHARE": "1",
            "TRIO_STREAM_SCAN_INTERVAL": "5",
            "TRIO_STREAM_SEGMENT_CACHE": "10 MB",
        }
        if self._data.database_url:
            environ["TRIO_STREAM_DATABASE_URL"] = self._data.database_url
        command = [*(() if os.geteuid() else ORDINARY), sys.executable, *SERVE]
        with self._log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            yield process
        finally:
            self._processes.kill(process, self._chance)

    async def _live(self, process: subprocess.Popen[bytes], churn: Churn, storm: Storm) -> None:
        began = trio.current_time()
        with trio.fail_after(60):
            while (url := self._reached(process)) is None:
                await trio.sleep(0.01)
        self.report.url = url
        self._tell(self.report)
        viewers = Viewers(url, self._kept, self._weather, self._chance)
        self.report.answers, self.report.cut = viewers.seen.answers, viewers.seen.cut
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._notice_end, process)
            nursery.start_soon(self._hurry)
            nursery.start_soon(self._watchers.run, url)
            nursery.start_soon(viewers.run)
            while True:
                await churn.fill(FEWEST_FILES)
                async with trio.open_nursery() as storming:
                    storming.start_soon(churn.run)
                    left = self._seconds - (trio.current_time() - began)
                    await storm.rage(min(self._chance.uniform(STORM / 2, STORM), max(left, 1)))
                    storming.cancel_scope.cancel()
                await self._calm(url, process, churn)
                self.report.storms += 1
                self.report.compared = viewers.seen.compared
                self.report.slowest = viewers.seen.slowest
                self.report.acknowledged = self._watchers.written
                self._tell(self.report)
                if trio.current_time() - began >= self._seconds:
                    break
                churn.renew()
            nursery.cancel_scope.cancel()

    def _reached(self, process: subprocess.Popen[bytes]) -> str | None:
        try:
            return url_in(self._log, process)
        except AssertionError as error:
            raise Broken(str(error)[-3000:]) from None

    async def _notice_end(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            await trio.sleep(0.1)
        raise Broken(f"the server ended with {process.returncode}:\n{self._log_end()}")

    async def _hurry(self) -> None:
        """Let what reads media take its turn with everybody; by itself it runs when nobody else wants to."""
        while True:
            for pid in self._processes.reading():
                with suppress(OSError):
                    os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
            await trio.sleep(0.3)

    async def _calm(self, url: str, process: subprocess.Popen[bytes], churn: Churn) -> None:
        """All has to be well. Raises `Broken`."""
        began = trio.current_time()
        before = self._files()
        good = {f"Work/{path.relative_to(churn.root)}" for path in churn.files()} | self._kept.keys()
        await trio.to_thread.run_sync(self._wait_well, url, before, good, abandon_on_cancel=True)
        self.report.slowest_calm = max(self.report.slowest_calm, trio.current_time() - began)
        self._weather.calm = self.report.storms
        await trio.sleep(STRICT)
        self._weather.calm = None
        # What was acknowledged until now; meanwhile clients go on.
        acknowledged = dict(self._watchers.acknowledged)
        self._watchers.check(await self._data.stored(), acknowledged)
        self.report.samples.append(Sample.of([process.pid, *self._processes.serving(process.pid)]))
        if (after := self._files()) != before:
            changed = sorted({name for name, _ in set(before.items()) ^ set(after.items())})
            raise Broken(f"files were changed, and not by us: {changed[:20]}")
        bad = {code for code in self._watchers.answers if code >= 500 and code not in (503, 507)}
        if bad:
            raise Broken(f"playheads were answered with status {sorted(bad)}")

    def _wait_well(self, url: str, files: dict[str, tuple[int, int, bytes]], good: set[str]) -> None:
        """Return once the server says that it is ready, knows `files`, and has made all of the `good` ones."""
        wanted = {name for name in files if name.endswith((".mp4", ".mkv")) and is_plain(name)}
        deadline = time.monotonic() + CALM
        while (why := self._unwell(url, wanted, good)) is not None:
            if time.monotonic() > deadline:
                raise Broken(f"{CALM:g} s after the last fault: {why}\n{self._log_end()}")
            time.sleep(0.3)

    def _unwell(self, url: str, wanted: set[str], good: set[str]) -> str | None:
        """What is not yet as it should be."""
        try:
            with httpx.Client(base_url=url, timeout=30, verify=False) as client:
                return self._look(client, wanted, good)
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            reason = error.response.text[:500] if isinstance(error, httpx.HTTPStatusError) else ""
            return f"{error!r} {reason}"

    def _look(self, client: httpx.Client, wanted: set[str], good: set[str]) -> str | None:
        for _ in range(6):  # each connection meets one of the workers
            with httpx.Client(base_url=client.base_url, timeout=30, verify=False) as other:
                other.get("/readyz").raise_for_status()
        acknowledged = dict(self._watchers.acknowledged)
        state = client.get("/api/library").raise_for_status().json()
        found = {item["name"]: item for item in self._items(client)}
        if found.keys() != wanted:
            return f"files or videos are not the others: {sorted(found.keys() ^ wanted)[:9]}; {state}"
        if not is_done(state):
            return f"it is not done: {state}"
        for name, item in found.items():
            check_position(item, acknowledged.get(item["id"]))
            try:
                _check_end(item)
                if name in good:
                    check_shown(client, item)
            except Broken as broken:
                return str(broken)
        return None

    def _items(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        page = client.get("/api/videos?limit=200").raise_for_status().json()
        while True:
            yield from page["items"]
            if page["next"] is None:
                return
            more = {"limit": "200", "cursor": page["next"]}
            page = client.get("/api/videos", params=more).raise_for_status().json()

    def _files(self) -> dict[str, tuple[int, int, bytes]]:
        """All regular files: mode, time of change, and a digest; of what takes no room, its size."""
        found = {}
        for folder, _, names in os.walk(self._videos):
            for name in names:
                path = Path(folder, name)
                status = path.lstat()
                if stat.S_ISREG(status.st_mode):
                    sparse = status.st_size > 512 * status.st_blocks + (1 << 20)
                    data = b"%d" % status.st_size if sparse else path.read_bytes()
                    digest = blake2b(data, digest_size=16).digest()
                    found[str(path.relative_to(self._videos))] = status.st_mode, status.st_mtime_ns, digest
        for name, data in self._kept.items():
            if name not in found or found[name][2] != blake2b(data, digest_size=16).digest():
                raise Broken(f"{name} was changed, and not by us")
        return found

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Stop the server, and look at what it leaves. Raises `Broken`."""
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            raise Broken(f"the server does not end within {STOP_DEADLINE:g} s") from None
        if code:
            raise Broken(f"the server ended with {code}:\n{self._log_end()}")
        self._processes.wait_gone()
        self._data.check_file()
        run(self._check_data)
        if more := growing(self.report.samples):
            raise Broken("; ".join(more))
        self.report.errors = errors_in(self._log)
        if self.report.errors:
            told = "\n".join(f"{count} x {each}" for each, count in self.report.errors.most_common())
            raise Broken(f"the log tells of errors:\n{told}")

    async def _check_data(self) -> None:
        stored = await self._data.check()
        if stored is None:
            raise Broken("the data is gone")
        self._watchers.check(stored)

    def _log_end(self) -> str:
        """What the server logged last, but for what is of no concern."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if '"level": "info"' not in line][-20:])

    def _save_data(self, bounded: bool) -> None:
        """Keep the data where it can be looked at, as a disk of its own goes with this process."""
        if bounded:
            shutil.copytree(self._data.folder, self._folder / "data", ignore=shutil.ignore_patterns("*.sock"))


@contextmanager
def _small_disk(folder: Path, left_out: dict[str, str]) -> Iterator[bool]:
    """A disk in memory at `folder`, which nobody but this process and its children sees; or not, and why."""
    if os.geteuid():
        left_out["disk full"] = "only root makes disks"
        yield False
        return
    try:
        os.unshare(os.CLONE_NEWNS)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", folder], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        left_out["disk full"] = f"no disk can be made: {error}"
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _check_end(item: dict[str, Any]) -> None:
    """That it is known of a video what is in it, or why not. Raises `Broken`."""
    if item["state"] != "probed" and not (item["state"] == "unreadable" and item["reason"]):
        raise Broken(f"{item['name']} is {item['state']}: {item['reason']}")


def errors_in(log: Path) -> Counter[str]:
    """Tracebacks in a log, by what was logged and the last line of each."""
    found: Counter[str] = Counter()
    plain: str | None = None
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            with_traceback = json.loads(line)
            if text := with_traceback.get("exception"):
                found[f"{with_traceback['event']}: {text.strip().splitlines()[-1]}"] += 1
        elif "Traceback" in line:
            plain = line
        elif plain is not None and line and not line.startswith((" ", "|", "+")):
            found[line] += 1
            plain = None
    return found


def growth(report: Report) -> str:
    """How much more is held from one storm to the next."""
    return ", ".join(
        f"{name} {slope(report.samples, name):+,.1f}" for name in ("memory", "descriptors", "threads")
    )


def soak(folder: Path, seed: int, **options: Any) -> Report:
    """Let a server live through faults for so many `seconds`, and some to come to rest; options are those of `Soak`.

    Raises `Broken`. The folder is removed unless something was broken.
    """
    trial = Soak(folder, seed, **options)
    trial.run()
    shutil.rmtree(folder)
    return trial.report
