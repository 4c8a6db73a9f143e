"""A server that is killed at its busiest, again and again; after each time it is looked whether it kept its word.

While it scans, probes and draws, files come, change their names and bytes, and go, and many clients write playheads.
What was answered before the kill has to be there after it. `scripts/torture` does this a hundred times, the suite a few.
"""

import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import trio
from sqlalchemy import Connection, select

from tests.media.making import make
from tests.support import MEDIA_WORKER, Process, is_done, launch, serving, url_in
from trio_stream.errors import StoreError
from trio_stream.library.derived import MAKING, OLD
from trio_stream.services import DATABASE, DERIVED
from trio_stream.store.database import migrate, open_database
from trio_stream.store.engines import sqlite_address
from trio_stream.store.tables import contents, playheads, subtitles, videos, viewings
from trio_stream.store.writer import Writer

GONE_WITHIN = 2.0
"""Seconds after a kill in which every process of the server has to be gone."""

MOST_FILES, FEWEST_FILES = 40, 12

CLIPS = 4
"""Videos that the files are made of, half of them MP4 and half of them Matroska."""

CLIENTS = 24
PAUSE = 0.02
"""Seconds from one write of a client to its next."""

MARK = "PYTHON_TORTURED"
"""A variable of the environment that all processes of a server have; those that begin so reach the media worker too."""

SUBTITLE = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


class Broken(Exception):
    """A promise was not kept."""


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


def make_clip(folder: Path, number: int) -> Path:
    """A small video with sound, a track of text, and pictures that no other one has."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "text.srt"
    text.write_text(SUBTITLE.format(f"inside {number}"))
    suffix, codec = (("mp4", "mov_text"), ("mkv", "srt"))[number % 2]
    picture = f"-f lavfi -i testsrc2=size=192x108:rate=10:duration=4,noise=all_seed={number}:alls=30"
    encoded = f"-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:a aac -c:s {codec} -shortest"
    return make(folder / f"{number}.{suffix}", f"{picture} -f lavfi -i sine=duration=4 -i {text} {encoded}")


def whole(clip: Path, sign: bytes) -> bytes:
    """The bytes of a clip and 16 more that no player looks at: a free box (ISO/IEC 14496-12), or Void (RFC 8794)."""
    head = b"\0\0\0\x18free" if clip.suffix == ".mp4" else b"\xec\x90"
    return clip.read_bytes() + head + sign


class Churn:
    """Somebody who works on the files all the time. Every file is a good one, whenever it rests."""

    def __init__(self, root: Path, clips: Path, chance: random.Random, done: Counter[str]) -> None:
        self._root = root
        self._folder = clips
        self._clips: list[Path] = []
        self._chance = chance
        self._done = done
        self._number = 0
        root.mkdir(parents=True, exist_ok=True)

    def files(self) -> list[Path]:
        """All there are."""
        found = (path for path in self._root.rglob("*") if path.suffix in (".mp4", ".mkv"))
        return sorted(path for path in found if not path.name.startswith("."))

    def renew(self) -> None:
        """Let there be videos of which nothing was drawn before, and forget the oldest."""
        for _ in range(2 if self._clips else CLIPS):
            self._number += 1
            self._clips.append(make_clip(self._folder, self._number))
        del self._clips[:-CLIPS]

    async def fill(self, count: int) -> None:
        while len(self.files()) < count:
            await self.add()

    async def run(self) -> None:
        """Go on until cancelled; what was begun is brought to its end."""
        kinds: list[Callable[[], Any]] = [
            self.add, self.add, self.add_slowly, self.rename, self.move, self.move_folder, self.edit, self.replace,
            self.remove, self.link, self.write_subtitles, self.remove_subtitles,
        ]  # fmt: skip
        while True:
            change = self._chance.choice(kinds)
            with trio.CancelScope(shield=True), suppress(FileNotFoundError):
                await change()
                self._done[change.__name__] += 1
            await trio.sleep(self._chance.uniform(0, 0.08))

    async def add(self) -> None:
        clip = self._chance.choice(self._clips)
        if len(self.files()) < MOST_FILES:
            self._write(self._new_name(clip.suffix), self._bytes(clip))

    async def add_slowly(self) -> None:
        clip = self._chance.choice(self._clips)
        if len(self.files()) >= MOST_FILES:
            return
        data = self._bytes(clip)
        with self._new_name(clip.suffix).open("wb", buffering=0) as file:
            for start in range(0, len(data), len(data) // 4 + 1):
                file.write(data[start : start + len(data) // 4 + 1])
                await trio.sleep(0.02)

    async def rename(self) -> None:
        if path := self._any():
            path.rename(path.with_name(self._new_name(path.suffix).name))

    async def move(self) -> None:
        if path := self._any():
            path.rename(self._new_name(path.suffix))

    async def move_folder(self) -> None:
        folders = sorted(path for path in self._root.rglob("*") if path.is_dir())
        if folders:
            self._number += 1
            folder = self._chance.choice(folders)
            around = self._root / self._chance.choice(["", "Shows", "Films"])
            if not around.is_relative_to(folder):
                around.mkdir(exist_ok=True)
                folder.rename(around / f"Folder {self._number}")

    async def edit(self) -> None:
        if path := self._any():
            with path.open("r+b", buffering=0) as file:
                file.seek(-16, os.SEEK_END)
                file.write(self._chance.randbytes(16))

    async def replace(self) -> None:
        if path := self._any():
            clip = self._chance.choice([clip for clip in self._clips if clip.suffix == path.suffix])
            self._write(path, self._bytes(clip))

    async def remove(self) -> None:
        if len(self.files()) > FEWEST_FILES and (path := self._any()):
            path.unlink()

    async def link(self) -> None:
        if len(self.files()) < MOST_FILES and (path := self._any()):
            os.link(path, self._new_name(path.suffix))

    async def write_subtitles(self) -> None:
        if path := self._any():
            self._number += 1
            path.with_suffix(".en.srt").write_text(SUBTITLE.format(self._number))

    async def remove_subtitles(self) -> None:
        if found := sorted(self._root.rglob("*.srt")):
            self._chance.choice(found).unlink()

    def _any(self) -> Path | None:
        found = self.files()
        return self._chance.choice(found) if found else None

    def _bytes(self, clip: Path) -> bytes:
        return whole(clip, self._chance.randbytes(16))

    def _write(self, path: Path, data: bytes) -> None:
        """Under a hidden name first, as programs do that care."""
        made = path.with_name(f".{path.name}.part")
        made.write_bytes(data)
        made.replace(path)

    def _new_name(self, suffix: str) -> Path:
        self._number += 1
        folder = self._root / self._chance.choice(["", "Films", "Shows/1", "Shows/2", "A"])
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self._chance.choice('abcz')} {self._number}{suffix}"


class Client:
    """One connection that asks one thing after another."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._held = b""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON. Raises `Gone` when the answer does not come whole."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: server\r\nContent-Length: {len(data)}\r\n\r\n"
        try:
            await self._stream.send_all(head.encode() + data)
            while b"\r\n\r\n" not in self._held:
                await self._receive()
            answer, _, self._held = self._held.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in answer.splitlines()
                if line.lower().startswith(b"content-length:")
            )
            while len(self._held) < length:
                await self._receive()
        except (OSError, trio.BrokenResourceError):
            raise Gone from None
        text, self._held = self._held[:length], self._held[length:]
        return int(answer.split()[1]), json.loads(text) if text else None

    async def _receive(self) -> None:
        data = await self._stream.receive_some(65536)
        if not data:
            raise Gone
        self._held += data


class Gone(Exception):
    """The server has gone."""


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[Client]:
    """A connection for the length of the block, which ends when the server has gone."""
    host, port = url.partition("://")[2].split(":")
    with suppress(Gone, OSError):
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            yield Client(stream)


class Watchers:
    """Clients that write playheads, and remember which of them were acknowledged.

    A playhead stands always further on than every one before, of any video, so that a number says what is later.
    """

    def __init__(self, chance: random.Random) -> None:
        self.acknowledged: dict[str, float] = {}
        self.begun: dict[str, list[float]] = {}
        """What was sent of a video until the first answer: one of it is where its viewing began."""
        self.answers: Counter[int] = Counter()
        self.written = 0
        self.doing = "nothing it told"
        self._chance = chance
        self._tick = 0
        self._ids: list[str] = []

    async def run(self, url: str) -> None:
        """Until the server is gone."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._find, url)
            for number in range(CLIENTS):
                nursery.start_soon(self._watch, url, number)

    async def _find(self, url: str) -> None:
        async with _connected(url) as client:
            while True:
                status, page = await client.ask("GET", "/api/videos?limit=200")
                self.answers[status] += 1
                if status == 200:
                    ids = [item["id"] for item in page["items"]]
                    self._ids = sorted({*ids, *list(self.acknowledged)[-MOST_FILES:]})
                status, state = await client.ask("GET", "/api/library")
                if status == 200:
                    self.doing = _doing(state)
                await trio.sleep(0.1)

    async def _watch(self, url: str, number: int) -> None:
        """Each video has one client, so what is sent later is stored later."""
        async with _connected(url) as client:
            while True:
                await trio.sleep(PAUSE)
                mine = [id_ for id_ in self._ids if int(id_, 16) % CLIENTS == number]
                if not mine:
                    continue
                id_ = self._chance.choice(mine)
                self._tick += 1
                position = float(self._tick)
                if id_ not in self.acknowledged:
                    self.begun.setdefault(id_, []).append(position)
                status, _ = await client.ask("PUT", f"/api/videos/{id_}/playhead", {"position": position})
                self.answers[status] += 1
                if status == 200:
                    self.acknowledged[id_] = position
                    self.written += 1

    def check(self, stored: "Stored") -> int:
        """That nothing acknowledged is lost; answers how many ids were given up for those of moved videos."""
        given_up = 0
        for id_, position in self.acknowledged.items():
            found = stored.positions.get(id_)
            if id_ not in stored.positions:  # its playhead is that of the older video now
                given_up += 1
                found = next(
                    (stored.of_viewings[each] for each in self.begun[id_] if each in stored.of_viewings), None
                )
            if found is None or found < position:
                raise Broken(f"the playhead of {id_} was acknowledged at {position} and is at {found}")
        return given_up


@dataclass(frozen=True)
class Stored:
    """The playheads there are: by the id of their video, and by where each of its viewings began."""

    positions: dict[str, float | None]
    of_viewings: dict[float, float | None]

    @classmethod
    def read(cls, connection: Connection) -> "Stored":
        by_id = select(videos.c.id, playheads.c.position).outerjoin(
            playheads, playheads.c.video == videos.c.number
        )
        by_viewing = select(viewings.c.first, playheads.c.position).outerjoin(
            playheads, playheads.c.video == viewings.c.video
        )
        return cls(
            {row.id: row.position for row in connection.execute(by_id)},
            {row.first: row.position for row in connection.execute(by_viewing)},
        )


class Torture:
    """Rounds of starting, working and killing, on a library and a data folder in `folder`."""

    def __init__(
        self, folder: Path, seed: int, *, database_url: str | None = None, longest: float = 3.0
    ) -> None:
        self.report = Report()
        self._folder = folder
        self._chance = random.Random(seed)
        self._longest = longest
        self._data = folder / "server" / "data"
        self._url = database_url or sqlite_address(self._data / DATABASE).render_as_string()
        self._mark = uuid4().hex
        self._environ = {MARK: self._mark, "TRIO_STREAM_ARTWORK_SHARE": "1", "TRIO_STREAM_SCAN_INTERVAL": "5"}
        if database_url:
            self._environ["TRIO_STREAM_DATABASE_URL"] = database_url
        self._churn = Churn(folder / "videos", folder / "clips", self._chance, self.report.changes)
        self._watchers = Watchers(self._chance)

    def round(self) -> None:
        """Start, work, kill, look. Raises `Broken`."""
        self._churn.renew()
        _run(self._work_and_kill)
        self.report.rounds += 1
        self._wait_gone()
        if self._url.startswith("sqlite"):
            self._check_file()
        _run(self._check_database)
        bad = {code for code in self._watchers.answers if code >= 500 and code != 503}
        if bad:
            raise Broken(f"answers with status {sorted(bad)}")
        self.report.acknowledged = self._watchers.written
        self.report.answers = self._watchers.answers
        self.report.half_made = len(list(self._making()))

    async def _work_and_kill(self) -> None:
        await self._churn.fill(FEWEST_FILES)
        workers = self._chance.choice([(), (), ("-w", "0"), ("-w", "2")])
        first = not self.report.rounds  # which is to see something at any rate
        early = not first and self._chance.random() < 0.15
        process, log = launch(
            self._churn._root, self._folder / "server", hypercorn=workers, environ=self._environ
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
                    self.report.busy[self._watchers.doing] += 1
                killed = True
                self._kill(process)
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
            self._kill(process)

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

    def _kill(self, process: Process) -> None:
        """The whole server at once; what it started to read media has to notice by itself."""
        while True:
            pids = {pid for pid, line in self._processes() if MEDIA_WORKER not in line}
            if process.poll() is None:
                pids.add(process.pid)  # which may be so young that it has no environment yet
            if not pids:
                return
            for pid in self._chance.sample(sorted(pids), len(pids)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.05)

    def _processes(self) -> Iterator[tuple[int, str]]:
        """Those of the server: process and command line."""
        mark = f"{MARK}={self._mark}".encode()
        for name in os.listdir("/proc"):
            if name.isdecimal():
                with suppress(OSError):
                    if mark in Path(f"/proc/{name}/environ").read_bytes():
                        line = Path(f"/proc/{name}/cmdline").read_bytes()
                        yield int(name), line.replace(b"\0", b" ").decode(errors="replace")

    def _wait_gone(self) -> None:
        began = time.monotonic()
        while left := list(self._processes()):
            if time.monotonic() - began > GONE_WITHIN:
                raise Broken(f"still there {GONE_WITHIN:g} s after the kill: {left}")
            time.sleep(0.01)
        self.report.slowest_end = max(self.report.slowest_end, time.monotonic() - began)

    def _check_file(self) -> None:
        """That SQLite finds its file whole, as the kill left it."""
        path = self._data / DATABASE
        if not path.exists():
            return
        connection = sqlite3.connect(path)
        try:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            broken = connection.execute("PRAGMA foreign_key_check").fetchall()
        finally:
            connection.close()
        if found != ["ok"] or broken:
            raise Broken(f"the database is damaged: {found} {broken}")

    async def _check_database(self) -> None:
        if not self._data.exists():
            return
        await migrate(self._url)
        async with open_database(self._url) as database, trio.open_nursery() as nursery:
            writer = Writer(database)
            await nursery.start(writer.run)
            if database.dialect == "sqlite":
                await writer.write(_check_index)
            stored = await database.read(Stored.read)
            wanted = await database.read(made_files)
            unreadable = await database.read(_unreadable)
            nursery.cancel_scope.cancel()
        self.report.taken_over = self._watchers.check(stored)
        self._check_made(wanted)
        if unreadable:
            raise Broken(f"good files are called unreadable: {unreadable}")

    def _check_made(self, wanted: set[tuple[str, str]]) -> None:
        for name, suffix in wanted:
            path = self._data / DERIVED / name[:2] / f"{name}.{suffix}"
            if not path.exists():
                raise Broken(f"{path.name} is written down and not there")
            if blake2b(path.read_bytes(), digest_size=16).hexdigest() != name:
                raise Broken(f"{path.name} has other bytes than its name says")

    def _making(self) -> Iterator[Path]:
        return (path for path in (self._data / DERIVED).rglob("*") if path.name.endswith(MAKING))

    def settle(self, seconds: float = 120.0) -> None:
        """Leave the server alone, and look whether it gets everything done. Raises `Broken`."""
        then = time.time() - OLD - 60
        for path in (self._data / DERIVED).rglob("*"):
            if path.is_file():
                os.utime(path, (then, then))
        with self._running() as client:
            deadline = time.monotonic() + seconds
            while True:
                state = client.get("/api/library").json()
                found = {item["name"]: item for item in client.get("/api/videos?limit=200").json()["items"]}
                names = {str(path.relative_to(self._churn._root)) for path in self._churn.files()}
                if is_done(state) and set(found) == names:
                    break
                if time.monotonic() > deadline:
                    raise Broken(f"after {seconds:g} s it is not done: {state}, {set(found) ^ names}")
                time.sleep(0.1)
            for item in found.values():
                if item["state"] != "probed":
                    raise Broken(f"{item['name']} is {item['state']}: {item['reason']}")
                self._check_shown(client, item)
            left = list(self._making())
            while left and time.monotonic() < deadline:
                time.sleep(0.1)
                left = list(self._making())
            if left:
                raise Broken(f"nobody swept {left}")
            self.report.files = len(found)
            self.report.contents = len({item["revision"] for item in found.values()})
        self._wait_gone()
        _run(self._check_database)

    def _check_shown(self, client: httpx.Client, item: dict[str, Any]) -> None:
        details = client.get(item["urls"]["self"]).json()
        urls = [details["poster"], *(details["thumbnails"] or {}).get("sheets", [None])]
        urls += [(details["thumbnails"] or {}).get("track")]
        urls += [each["url"] for each in details["subtitles"]]
        inside = [each for each in details["subtitles"] if each["track"] is not None]
        if None in urls or len(inside) != 1:
            raise Broken(f"not all was made of {item['name']}: {details}")
        for url in urls:
            answer = client.get(url)
            digest = blake2b(answer.content, digest_size=16).hexdigest()
            if answer.status_code != 200 or answer.headers["ETag"] != f'"{digest}"':
                raise Broken(f"{url} answers {answer.status_code}, {len(answer.content)} bytes")
        position = self._watchers.acknowledged.get(item["id"])
        if position is not None and (item["playhead"] or {}).get("position", -1.0) < position:
            raise Broken(f"{item['name']} is shown at {item['playhead']}, not at {position}")

    @contextmanager
    def _running(self) -> Iterator[httpx.Client]:
        with (
            serving(self._churn._root, self._folder / "server", environ=self._environ) as server,
            server.client() as client,
        ):
            yield client


def made_files(connection: Connection) -> set[tuple[str, str]]:
    """Digest and suffix of each file the database refers to."""
    found = {(poster, "jpg") for poster in connection.scalars(select(contents.c.poster)) if poster}
    for sprites in connection.scalars(select(contents.c.sprites)):
        found |= {(name, "jpg") for name in json.loads(sprites or '{"files": []}')["files"]}
    for row in connection.execute(select(subtitles.c.vtt, subtitles.c.original)):
        found |= {(name, suffix) for name, suffix in ((row.vtt, "vtt"), (row.original, "ass")) if name}
    return found


def _unreadable(connection: Connection) -> list[tuple[str, str]]:
    rows = connection.execute(
        select(contents.c.revision, contents.c.reason).where(contents.c.state == "unreadable")
    )
    return [(row.revision, row.reason) for row in rows]


def _check_index(connection: Connection) -> None:
    """Raises when the index of words does not say what the table says."""
    connection.exec_driver_sql(
        "INSERT INTO videos_search (videos_search, rank) VALUES ('integrity-check', 1)"
    )


def _doing(state: dict[str, Any]) -> str:
    keeping = state["keeping"]
    doing = {
        "looking": state["look"]["running"],
        "probing": keeping["to_probe"],
        "drawing": keeping["to_draw"],
        "extracting": keeping["to_extract"],
    }
    return " and ".join(name for name, is_so in doing.items() if is_so) or "nothing"


def _run(work: Callable[[], Awaitable[None]]) -> None:
    """Run it on Trio; a promise that was broken somewhere within is what is raised."""
    found: BaseException
    try:
        trio.run(work)
    except (BaseExceptionGroup, StoreError) as error:
        found = error
        while isinstance(found, BaseExceptionGroup):
            found = (found.subgroup((Broken, StoreError)) or found).exceptions[0]
        if isinstance(found, StoreError):
            raise Broken(f"the database cannot be used: {found}") from error
        if isinstance(found, Broken):
            raise found from None
        raise


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
