"""A busy server is killed again and again, and each time its promises are checked.

While it scans, probes and generates artwork, files are added, renamed, changed and removed, and many clients write
playheads. What was acknowledged before the kill must exist after it. `scripts/torture` does a hundred rounds, the tests
do a few.
"""

import os
import random
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trio

from tests.support import Process, is_done, launch, serving, url_in
from tests.torturing.churn import MIN_FILES, Churn
from tests.torturing.clients import Watchers
from tests.torturing.processes import Processes
from tests.torturing.promises import Broken, Data, check_derived_of, check_position, run
from trio_stream.library.background.derived import SWEEP_AGE
from trio_stream.services import DERIVED


@dataclass
class Report:
    """What has happened so far."""

    rounds: int = 0
    before_ready: int = 0
    acknowledged: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    """What the library was doing, as it reported last before each kill."""
    statuses: Counter[int] = field(default_factory=Counter)
    """Responses, by their status."""
    slowest_end: float = 0.0
    """The longest time until the last process was gone, in seconds."""
    unfinished: int = 0
    """Files that the kills left unfinished; nothing refers to them."""
    replaced_ids: int = 0
    """Ids that were replaced by those of moved videos."""
    files: int = 0
    contents: int = 0


class Torture:
    """Rounds with a library and a data folder in `folder`: start a server, let it work, kill it."""

    def __init__(
        self, folder: Path, seed: int, *, database_url: str | None = None, longest: float = 3.0
    ) -> None:
        self.report = Report()
        self._folder = folder
        self._chance = random.Random(seed)
        self._longest = longest
        self._data = Data(folder / "server" / "data", database_url)
        self._processes = Processes()
        self._environ = {
            **self._processes.environ,
            "TRIO_STREAM_ARTWORK_SHARE": "1",
            "TRIO_STREAM_SCAN_INTERVAL": "5",
        }
        if database_url:
            self._environ["TRIO_STREAM_DATABASE_URL"] = database_url
        self._churn = Churn(folder / "videos", folder / "clips", self._chance, self.report.changes)
        self._watchers = Watchers(self._chance)

    def round(self) -> None:
        """Start a server, let it work, kill it and check its data. Raises `Broken`."""
        self._churn.renew()
        run(self._work_and_kill)
        self.report.rounds += 1
        self._wait_gone()
        self._data.check_file()
        run(self._check_database)
        bad = {code for code in self._watchers.statuses if code >= 500 and code != 503}
        if bad:
            raise Broken(f"responses with status {sorted(bad)}")
        self.report.acknowledged = self._watchers.written
        self.report.statuses = self._watchers.statuses
        self.report.unfinished = len(self._data.unfinished())

    async def _work_and_kill(self) -> None:
        await self._churn.fill(MIN_FILES)
        workers = self._chance.choice([(), (), ("-w", "0"), ("-w", "2")])
        first = not self.report.rounds  # in the first round the server must get some work done
        early = not first and self._chance.random() < 0.15
        process, log = launch(
            self._churn.root, self._folder / "server", hypercorn=workers, environ=self._environ
        )
        killed = False
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._churn.run)
                if early:
                    self.report.before_ready += 1
                    await trio.sleep(self._chance.uniform(0, 1.5))
                else:
                    with trio.fail_after(60):
                        while (url := self._url(log, process)) is None:
                            await trio.sleep(0.01)
                    nursery.start_soon(self._watchers.run, url)
                    await trio.sleep(self._chance.uniform(self._longest * first, self._longest))
                    with trio.fail_after(60):
                        while first and not self._watchers.written:
                            await trio.sleep(0.01)
                    self.report.busy[self._watchers.doing] += 1
                killed = True
                self._processes.kill(process, self._chance)
                await trio.sleep(0.05)
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            if (
                killed
                or group.subgroup((Broken, KeyboardInterrupt, trio.Cancelled))
                or not self._ended(process)
            ):
                raise
            # The errors of the clients have this cause: the server ended before it was killed.
            raise Broken(f"the server ended:\n{log.read_text()[-3000:]}") from group
        finally:
            self._processes.kill(process, self._chance)

    def _ended(self, process: Process) -> bool:
        """Whether the server has ended, or ends within five seconds."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        return process.poll() is not None

    def _url(self, log: Path, process: Process) -> str | None:
        try:
            return url_in(log, process)
        except AssertionError as error:
            raise Broken(str(error)[-3000:]) from None

    def _wait_gone(self) -> None:
        self.report.slowest_end = max(self.report.slowest_end, self._processes.wait_gone())

    async def _check_database(self) -> None:
        stored = await self._data.check()
        if stored is None:
            return
        self.report.replaced_ids = self._watchers.check(stored)
        if unreadable := await self._data.unreadable():
            raise Broken(f"good files are reported as unreadable: {unreadable}")

    def finish(self, seconds: float = 120.0) -> None:
        """Run the server without faults, and check that it finishes all its work. Raises `Broken`."""
        then = time.time() - SWEEP_AGE - 60
        for path in (self._data.folder / DERIVED).rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))
        with self._running() as client:
            deadline = time.monotonic() + seconds
            while True:
                state = client.get("/api/library").json()
                found = {item["name"]: item for item in client.get("/api/videos?limit=200").json()["items"]}
                names = {str(path.relative_to(self._churn.root)) for path in self._churn.files()}
                if is_done(state) and set(found) == names:
                    break
                if time.monotonic() > deadline:
                    raise Broken(
                        f"the library is not done after {seconds:g} s: {state}, {set(found) ^ names}"
                    )
                time.sleep(0.1)
            for item in found.values():
                check_derived_of(client, item)
                check_position(item, self._watchers.acknowledged.get(item["id"]))
            left = self._data.unfinished()
            while left and time.monotonic() < deadline:
                time.sleep(0.1)
                left = self._data.unfinished()
            if left:
                raise Broken(f"unfinished files were not removed: {left}")
            self.report.files = len(found)
            self.report.contents = len({item["revision"] for item in found.values()})
        self._wait_gone()
        run(self._check_database)

    @contextmanager
    def _running(self) -> Iterator[httpx.Client]:
        with (
            serving(self._churn.root, self._folder / "server", environ=self._environ) as server,
            server.client() as client,
        ):
            yield client


def torture(
    folder: Path,
    rounds: int,
    seed: int,
    *,
    database_url: str | None = None,
    longest: float = 3.0,
    show_progress: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Run `rounds` rounds, and then a server without faults. Servers are killed at most `longest` s after they respond.

    Raises `Broken`. The folder is removed unless a promise was broken.
    """
    trial = Torture(folder, seed, database_url=database_url, longest=longest)
    for _ in range(rounds):
        trial.round()
        show_progress(trial.report)
    trial.finish()
    shutil.rmtree(folder)
    return trial.report
