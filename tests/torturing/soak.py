"""One server and hours of faults: storms, in which random faults happen, and calms, in which there are none.

In a calm all faults have been undone. By a deadline the server must be ready, list every file, have all derived files
of the good ones, and have everything that it acknowledged. Clients must not be refused then, no file may have changed,
and the server's memory, descriptors and threads are measured. At the end it must stop with exit code 0, and its log
must have no errors. `scripts/torture --minutes` runs this.
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
from tests.torturing.churn import CLIPS, MIN_FILES, Churn, make_clip, with_padding
from tests.torturing.clients import Watchers
from tests.torturing.data_faults import DataFaults
from tests.torturing.faults import Storm
from tests.torturing.file_faults import FileFaults
from tests.torturing.measuring import Sample, growing_figures, slope
from tests.torturing.process_faults import ProcessFaults
from tests.torturing.processes import Processes
from tests.torturing.promises import Broken, Data, check_derived_of, check_position, run
from tests.torturing.viewers import Viewers, Weather
from trio_stream.library.naming.paths import is_plain

STORM = 30.0
"""The longest time of faults, in seconds; then there is a calm."""

CALM = 300.0
"""Seconds after the last fault in which the server must recover: it retries failed work after 60, on a busy machine."""

STRICT = 3.0
"""Seconds after the recovery in which clients must not be refused."""

PAUSE = 0.3
"""Seconds between two playheads of a client, so that the media worker gets CPU time too."""

FIXED_VIDEOS = 6
"""The number of good videos whose bytes are never changed."""

DISK = 96 << 20
"""Bytes of the data's own disk, if it can be created; it is so small that it is soon full."""

STOP_DEADLINE = 30.0

SERVE = ("-m", "trio_stream", "serve", "-w", "2", "--bind", "127.0.0.1:0", "--graceful-timeout", "2")
"""The arguments that start the server."""

FAULTS = (
    "strange date", "strange mode", "strange name", "strange size", "growing file", "shrinking file", "damaged file",
    "special file", "deep folders", "hard links", "many files", "strange subtitles", "videos away",
    "database locked", "data away", "data read only", "disk full", "connections closed",
    "worker killed", "worker stopped", "reader killed", "reader stopped",
)  # fmt: skip
"""The names of all faults. "disk full" needs root, and "connections closed" needs PostgreSQL."""

UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
"""Removes the privileges of root, so that file modes apply."""


@dataclass
class Report:
    """What has happened so far."""

    storms: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    """Responses, by their status."""
    cut: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    """Bytes that were compared with those of the file."""
    slowest: float = 0.0
    """The longest time until a response was complete, in seconds."""
    slowest_calm: float = 0.0
    """The longest time from the last fault of a storm until the server had recovered, in seconds."""
    samples: list[Sample] = field(default_factory=list)
    not_possible: dict[str, str] = field(default_factory=dict)
    """Faults that are not possible here, with the reason."""
    errors: Counter[str] = field(default_factory=Counter)
    """Errors in the server's log."""
    url: str = ""


class Soak:
    """A server with a library and a data folder in `folder`, and the faults with the given names."""

    def __init__(
        self,
        folder: Path,
        seed: int,
        *,
        seconds: float,
        database_url: str | None = None,
        faults: Collection[str] = FAULTS,
        show_progress: Callable[[Report], None] = lambda report: None,
    ) -> None:
        self.report = Report()
        self._folder = folder
        self._chance = random.Random(seed)
        self._seconds = seconds
        self._names = faults
        self._show_progress = show_progress
        self._disk = folder / "disk"
        self._data = Data(self._disk / "data", database_url)
        self._videos = folder / "videos"
        self._log = folder / "server.log"
        self._processes = Processes()
        self._watchers = Watchers(self._chance, pause=PAUSE, reconnect=True)
        self._weather = Weather()
        self._fixed: dict[str, bytes] = {}

    def run(self) -> None:
        """Raises `Broken`."""
        with ExitStack() as stack:
            for path in (self._videos, self._disk):
                path.mkdir()
            bounded = stack.enter_context(_small_disk(self._disk, self.report.not_possible))
            stack.callback(self._save_data, bounded)
            self._data.folder.mkdir()
            self._create_fixed()
            descriptor = os.open(self._videos, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            files = FileFaults(self._videos, descriptor, self._fixed, self._chance)
            files.create_permanent()
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
            run(lambda: self._run_storms(process, churn, storm))
            self._stop(process)

    def _create_fixed(self) -> None:
        (self._videos / "Kept").mkdir()
        for number in range(FIXED_VIDEOS):
            clip = make_clip(self._folder / "kept", number % CLIPS)
            name = f"Kept/film {'abcdefgh'[number]}{clip.suffix}"
            self._fixed[name] = with_padding(clip, self._chance.randbytes(16))
            (self._videos / name).write_bytes(self._fixed[name])

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
        command = [*(() if os.geteuid() else UNPRIVILEGED), sys.executable, *SERVE]
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

    async def _run_storms(self, process: subprocess.Popen[bytes], churn: Churn, storm: Storm) -> None:
        began = trio.current_time()
        with trio.fail_after(60):
            while (url := self._url(process)) is None:
                await trio.sleep(0.01)
        self.report.url = url
        self._show_progress(self.report)
        viewers = Viewers(url, self._fixed, self._weather, self._chance)
        self.report.statuses, self.report.cut = viewers.received.statuses, viewers.received.cut
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_process, process)
            nursery.start_soon(self._speed_up_media_workers)
            nursery.start_soon(self._watchers.run, url)
            nursery.start_soon(viewers.run)
            while True:
                await churn.fill(MIN_FILES)
                async with trio.open_nursery() as storming:
                    storming.start_soon(churn.run)
                    left = self._seconds - (trio.current_time() - began)
                    await storm.run(min(self._chance.uniform(STORM / 2, STORM), max(left, 1)))
                    storming.cancel_scope.cancel()
                await self._calm(url, process, churn)
                self.report.storms += 1
                self.report.compared = viewers.received.compared
                self.report.slowest = viewers.received.slowest
                self.report.acknowledged = self._watchers.written
                self._show_progress(self.report)
                if trio.current_time() - began >= self._seconds:
                    break
                churn.renew()
            nursery.cancel_scope.cancel()

    def _url(self, process: subprocess.Popen[bytes]) -> str | None:
        try:
            return url_in(self._log, process)
        except AssertionError as error:
            raise Broken(str(error)[-3000:]) from None

    async def _watch_process(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            await trio.sleep(0.1)
        raise Broken(f"the server exited with status {process.returncode}:\n{self._log_end()}")

    async def _speed_up_media_workers(self) -> None:
        """Give the media workers the normal scheduling policy; by default they run only when the CPU is idle."""
        while True:
            for pid in self._processes.media_workers():
                with suppress(OSError):
                    os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
            await trio.sleep(0.3)

    async def _calm(self, url: str, process: subprocess.Popen[bytes], churn: Churn) -> None:
        """Check that the server recovers. Raises `Broken`."""
        began = trio.current_time()
        before = self._files()
        good = {f"Work/{path.relative_to(churn.root)}" for path in churn.files()} | self._fixed.keys()
        await trio.to_thread.run_sync(self._wait_recovered, url, before, good, abandon_on_cancel=True)
        self.report.slowest_calm = max(self.report.slowest_calm, trio.current_time() - began)
        self._weather.calm = self.report.storms
        await trio.sleep(STRICT)
        self._weather.calm = None
        # What was acknowledged until now, as the clients continue to write.
        acknowledged = dict(self._watchers.acknowledged)
        self._watchers.check(await self._data.stored(), acknowledged)
        self.report.samples.append(Sample.of([process.pid, *self._processes.serving(process.pid)]))
        if (after := self._files()) != before:
            changed = sorted({name for name, _ in set(before.items()) ^ set(after.items())})
            raise Broken(f"files were changed, but not by a fault: {changed[:20]}")
        bad = {code for code in self._watchers.statuses if code >= 500 and code not in (503, 507)}
        if bad:
            raise Broken(f"writes of playheads returned status {sorted(bad)}")

    def _wait_recovered(self, url: str, files: dict[str, tuple[int, int, bytes]], good: set[str]) -> None:
        """Wait until the server is ready, lists `files`, and has all derived files of the `good` ones."""
        wanted = {name for name in files if name.endswith((".mp4", ".mkv")) and is_plain(name)}
        deadline = time.monotonic() + CALM
        while (problem := self._find_problem(url, wanted, good)) is not None:
            if time.monotonic() > deadline:
                raise Broken(f"{CALM:g} s after the last fault: {problem}\n{self._log_end()}")
            time.sleep(0.3)

    def _find_problem(self, url: str, wanted: set[str], good: set[str]) -> str | None:
        """The reason why the server has not recovered yet, or None."""
        try:
            with httpx.Client(base_url=url, timeout=30, verify=False) as client:
                return self._find_problem_with(client, wanted, good)
        except (httpx.TransportError, httpx.HTTPStatusError) as error:
            reason = error.response.text[:500] if isinstance(error, httpx.HTTPStatusError) else ""
            return f"{error!r} {reason}"

    def _find_problem_with(self, client: httpx.Client, wanted: set[str], good: set[str]) -> str | None:
        for _ in range(6):  # new connections reach different workers
            with httpx.Client(base_url=client.base_url, timeout=30, verify=False) as other:
                other.get("/readyz").raise_for_status()
        acknowledged = dict(self._watchers.acknowledged)
        state = client.get("/api/library").raise_for_status().json()
        found = {item["name"]: item for item in self._items(client)}
        if found.keys() != wanted:
            return f"videos do not match the files: {sorted(found.keys() ^ wanted)[:9]}; {state}"
        if not is_done(state):
            return f"the library is not done: {state}"
        for name, item in found.items():
            check_position(item, acknowledged.get(item["id"]))
            try:
                _check_probed(item)
                if name in good:
                    check_derived_of(client, item)
            except Broken as broken:
                return str(broken)
        return None

    def _items(self, client: httpx.Client) -> Iterator[dict[str, Any]]:
        page = client.get("/api/videos?limit=200").raise_for_status().json()
        while True:
            yield from page["items"]
            if page["next"] is None:
                return
            query = {"limit": "200", "cursor": page["next"]}
            page = client.get("/api/videos", params=query).raise_for_status().json()

    def _files(self) -> dict[str, tuple[int, int, bytes]]:
        """The mode, the modification time and a digest of each regular file; for sparse files, a digest of the size."""
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
        for name, data in self._fixed.items():
            if name not in found or found[name][2] != blake2b(data, digest_size=16).digest():
                raise Broken(f"{name} was changed, but not by a fault")
        return found

    def _stop(self, process: subprocess.Popen[bytes]) -> None:
        """Stop the server, and check what it leaves. Raises `Broken`."""
        process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(STOP_DEADLINE)
        except subprocess.TimeoutExpired:
            raise Broken(f"the server did not stop within {STOP_DEADLINE:g} s") from None
        if code:
            raise Broken(f"the server exited with status {code}:\n{self._log_end()}")
        self._processes.wait_gone()
        self._data.check_file()
        run(self._check_data)
        if growth_found := growing_figures(self.report.samples):
            raise Broken("; ".join(growth_found))
        self.report.errors = errors_in(self._log)
        if self.report.errors:
            errors = "\n".join(f"{count} x {error}" for error, count in self.report.errors.most_common())
            raise Broken(f"the log has errors:\n{errors}")

    async def _check_data(self) -> None:
        stored = await self._data.check()
        if stored is None:
            raise Broken("the data folder is missing")
        self._watchers.check(stored)

    def _log_end(self) -> str:
        """The last lines of the server's log, without those of level info."""
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join([line for line in lines if '"level": "info"' not in line][-20:])

    def _save_data(self, bounded: bool) -> None:
        """Copy the data to where it can be examined, as its own disk disappears with this process."""
        if bounded:
            shutil.copytree(self._data.folder, self._folder / "data", ignore=shutil.ignore_patterns("*.sock"))


@contextmanager
def _small_disk(folder: Path, not_possible: dict[str, str]) -> Iterator[bool]:
    """Mount a disk in memory at `folder`, visible only to this process and its children; or note why not."""
    if os.geteuid():
        not_possible["disk full"] = "only root can mount disks"
        yield False
        return
    try:
        os.unshare(os.CLONE_NEWNS)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", folder], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        not_possible["disk full"] = f"a disk cannot be mounted: {error}"
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def _check_probed(item: dict[str, Any]) -> None:
    """Check that a video is probed, or unreadable with a reason. Raises `Broken`."""
    if item["state"] != "probed" and not (item["state"] == "unreadable" and item["reason"]):
        raise Broken(f"{item['name']} is {item['state']}: {item['reason']}")


def errors_in(log: Path) -> Counter[str]:
    """The tracebacks in a log, by the event and the last line of each."""
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
    """How much each figure grows from one storm to the next."""
    return ", ".join(
        f"{name} {slope(report.samples, name):+,.1f}" for name in ("memory", "descriptors", "threads")
    )


def soak(folder: Path, seed: int, **options: Any) -> Report:
    """Run a server with faults for `seconds`, and a little longer to recover; the options are those of `Soak`.

    Raises `Broken`. The folder is removed unless a promise was broken.
    """
    trial = Soak(folder, seed, **options)
    trial.run()
    shutil.rmtree(folder)
    return trial.report
