"""A server that is killed at its busiest, again and again; after each time it is looked whether it kept its word.

While it scans, probes and draws, files come, change their names and bytes, and go, and many clients write playheads.
What was answered before the kill has to be there after it. `scripts/torture` does this a hundred times, the suite a few.
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
from tests.torturing.churn import FEWEST_FILES, Churn
from tests.torturing.clients import Watchers
from tests.torturing.processes import Processes
from tests.torturing.promises import Broken, Data, check_position, check_shown, run
from trio_stream.library.background.derived import OLD
from trio_stream.services import DERIVED


@dataclass
class Report:
    """What has happened so far."""

    rounds: int = 0
    before_ready: int = 0
    acknowledged: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    busy: Counter[str] = field(default_factory=Counter)
    """What the library was doing, as it said last before each kill."""
    answers: Counter[int] = field(default_factory=Counter)
    """By their status."""
    slowest_end: float = 0.0
    """Seconds until the last process was gone, at most."""
    half_made: int = 0
    """Files the kills left half-made; nothing refers to them."""
    taken_over: int = 0
    """Ids that turned out to be those of videos which had moved."""
    files: int = 0
    contents: int = 0


class Torture:
    """Rounds of starting, working and killing, on a library and a data folder in `folder`."""

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
        """Start, work, kill, look. Raises `Broken`."""
        self._churn.renew()
        run(self._work_and_kill)
        self.report.rounds += 1
        self._wait_gone()
        self._data.check_file()
        run(self._check_database)
        bad = {code for code in self._watchers.answers if code >= 500 and code != 503}
        if bad:
            raise Broken(f"answers with status {sorted(bad)}")
        self.report.acknowledged = self._watchers.written
        self.report.answers = self._watchers.answers
        self.report.half_made = len(self._data.half_made())

    async def _work_and_kill(self) -> None:
        await self._churn.fill(FEWEST_FILES)
        workers = self._chance.choice([(), (), ("-w", "0"), ("-w", "2")])
        first = not self.report.rounds  # which is to see something at any rate
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
                        while (url := self._reached(log, process)) is None:
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
            # Whatever befell its clients, it was the server that went, before anybody killed it.
            raise Broken(f"the server ended:\n{log.read_text()[-3000:]}") from group
        finally:
            self._processes.kill(process, self._chance)

    def _ended(self, process: Process) -> bool:
        """Whether a server ends that nobody killed; one that is about to has a moment for it."""
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
        return process.poll() is not None

    def _reached(self, log: Path, process: Process) -> str | None:
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
        self.report.taken_over = self._watchers.check(stored)
        if unreadable := await self._data.unreadable():
            raise Broken(f"good files are called unreadable: {unreadable}")

    def settle(self, seconds: float = 120.0) -> None:
        """Leave the server alone, and look whether it gets everything done. Raises `Broken`."""
        then = time.time() - OLD - 60
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
                    raise Broken(f"after {seconds:g} s it is not done: {state}, {set(found) ^ names}")
                time.sleep(0.1)
            for item in found.values():
                check_shown(client, item)
                check_position(item, self._watchers.acknowledged.get(item["id"]))
            left = self._data.half_made()
            while left and time.monotonic() < deadline:
                time.sleep(0.1)
                left = self._data.half_made()
            if left:
                raise Broken(f"nobody swept {left}")
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
    tell: Callable[[Report], None] = lambda report: None,
) -> Report:
    """So many rounds, and the rest after them; `longest` is the seconds a server lives at most once it answers.

    Raises `Broken`. The folder is removed unless something was broken.
    """
    trial = Torture(folder, seed, database_url=database_url, longest=longest)
    for _ in range(rounds):
        trial.round()
        tell(trial.report)
    trial.settle()
    shutil.rmtree(folder)
    return trial.report
