"""Commands that work with the library: through the server that owns the data, or else by owning it for that long.

Either way there is an HTTP client of the one API at the end, over the owner's socket, so each command is written once.
"""

import json
import os
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import trio
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from trio_stream.errors import DataInUse, SettingsError, TrioStreamError
from trio_stream.library.naming.paths import printable
from trio_stream.ownership import Ownership, open_ownership
from trio_stream.server.local import serve_local
from trio_stream.services import database_url, open_services
from trio_stream.serving.listening import check_addresses
from trio_stream.serving.options import parse
from trio_stream.settings import Settings
from trio_stream.store.database import check_database

PATIENCE = 60.0
"""Seconds to wait for an answer of the owner; events may be silent for as long as they like."""

PIECE = 200
"""Entries of an export that are sent at once: a request body has at most 64 KiB."""


class CommandFailed(TrioStreamError):
    """The owner refused, or what was given makes no sense; the message says what."""

    code = "command-failed"


@asynccontextmanager
async def reach_owner(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the process that owns the data, which is this one if no other is. Raises `SettingsError`, ..."""
    with open_ownership(settings.data) as ownership:
        if not ownership.acquire():
            async with _client(ownership) as client:
                yield client
            return
    from trio_stream.app import app  # noqa: PLC0415 - where a server runs nothing of it is needed

    async with open_services(settings) as services, trio.open_nursery() as nursery:
        app.services = services
        with services.owner.ownership.socket_path() as path:
            await nursery.start(serve_local, app, path)
            async with _client(services.owner.ownership) as client:
                yield client
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def _client(ownership: Ownership) -> AsyncIterator[httpx.AsyncClient]:
    with ownership.socket_path() as path:
        transport = httpx.AsyncHTTPTransport(uds=path)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://owner", timeout=PATIENCE
        ) as client:
            try:
                await client.get("/healthz")
            except httpx.TransportError:
                raise DataInUse(f"{ownership.in_use()} (it does not answer)") from None
            yield client


async def check(settings: Settings, arguments: Sequence[str]) -> int:
    """Look for what would keep a server with these arguments from starting, besides the settings.

    Raises `SettingsError`, `StoreError`, `CannotListen`.
    """
    config, running = parse(arguments), False
    if not settings.data.exists():
        above = next(folder for folder in settings.data.absolute().parents if folder.exists())
        if not (above.is_dir() and os.access(above, os.W_OK | os.X_OK)):
            raise SettingsError(f"TRIO_STREAM_DATA={settings.data}: cannot be made in {above}")
    else:
        with open_ownership(settings.data) as ownership:
            if not ownership.acquire() and (holder := ownership.holder()) is not None:
                Console().print(f"a server uses the data folder: process {holder.pid}", highlight=False)
                running = True
    await check_database(database_url(settings))
    if not running:  # else it is most likely this server that listens there
        check_addresses(config)
    return 0


async def scan(settings: Settings, *, wait: bool) -> int:
    """Have everything looked at and show how that goes; with `wait` until all is made of it that is to be made.

    Answers the exit code: 1 when a folder could not be read.
    """
    console = Console()
    async with reach_owner(settings) as client:
        wanted = _checked(await client.post("/api/library/scan")).json()["look"]
        with _shown(console) as show:
            async for state in _states(client):
                show(state)
                if state["last_full"]["number"] >= wanted and (state["idle"] or not wait):
                    break
    _summarise(console, state)
    return 1 if state["last_full"]["unread"] else 0


async def export(settings: Settings, target: Path | None) -> int:
    """Write all playheads to a file, or to the standard output."""
    async with reach_owner(settings) as client:
        text = json.dumps(_checked(await client.get("/api/watch-state")).json(), indent=1) + "\n"
    if target is None:
        sys.stdout.write(text)
        return 0
    try:
        await trio.Path(target).write_text(text)
    except OSError as error:
        raise CommandFailed(f"{target} cannot be written: {error.strerror}") from None
    return 0


async def import_(settings: Settings, source: Path) -> int:
    """Keep what a file that `export` wrote says, where it is newer; answers 1 when nothing of it was known."""
    try:
        data = json.loads(await trio.Path(source).read_text())
        version, entries = data["version"], data["entries"]
        pieces = [entries[start : start + PIECE] for start in range(0, len(entries), PIECE)] or [[]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CommandFailed(f"{source} is no export of this program: {error}") from None
    counts = {"imported": 0, "older": 0, "unknown": 0}
    async with reach_owner(settings) as client:
        for piece in pieces:
            answer = await client.put("/api/watch-state", json={"version": version, "entries": piece})
            for name in counts:
                counts[name] += _checked(answer).json()[name]
    Console().print(
        f"{counts['imported']} imported, {counts['older']} older than what is here,"
        f" {counts['unknown']} of unknown videos"
    )
    return 1 if entries and counts["unknown"] == len(entries) else 0


async def _states(client: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    timeout = httpx.Timeout(PATIENCE, read=None)
    async with client.stream("GET", "/api/library/scan", timeout=timeout) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
    raise CommandFailed("the server ended before it was done")


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_error:
        try:
            detail = answer.json()["detail"]
        except (ValueError, KeyError):
            detail = answer.reason_phrase
        raise CommandFailed(f"the server says: {detail}")
    return answer


def _shown(console: Console) -> Any:
    return _Bars(console) if console.is_terminal else _Lines(console)


class _Lines:
    """For pipes and logs: a line when something is over."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told = False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, state: dict[str, Any]) -> None:
        if not self._told and not state["look"]["running"] and state["look"]["full"]:
            self._console.print(f"looked at {state['look']['videos']} videos")
            self._told = True


class _Bars:
    """For people at a terminal."""

    KINDS = (("to_probe", "looking into videos"), ("to_extract", "subtitles"), ("to_draw", "pictures"))

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description:<22}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._look = self._progress.add_task("looking at the folder", total=None)
        self._tasks = {kind: self._progress.add_task(about, total=0) for kind, about in self.KINDS}
        self._most = dict.fromkeys(self._tasks, 0)

    def __enter__(self) -> Any:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._progress.__exit__(*error)

    def __call__(self, state: dict[str, Any]) -> None:
        look = state["look"]
        total = None if look["running"] else look["videos"]
        self._progress.update(self._look, completed=look["videos"], total=total)
        for kind, task in self._tasks.items():
            left = state["keeping"][kind]
            self._most[kind] = max(self._most[kind], left)
            self._progress.update(task, completed=self._most[kind] - left, total=self._most[kind])


def _summarise(console: Console, state: dict[str, Any]) -> None:
    look, keeping = state["last_full"], state["keeping"]
    console.print(
        ", ".join(
            (
                f"{look['videos']} videos in {look['folders']} folders",
                *_counted(look, ("added", "changed", "moved", "returned", "missing")),
                *_counted(look, ("resting",)),
            )
        )
    )
    left = keeping["to_probe"] + keeping["to_draw"] + keeping["to_extract"]
    if left:
        console.print(f"{left} things are still to be made of them, in the background")
    if keeping["unreadable"]:
        console.print(f"{keeping['unreadable']} cannot be read; the library says why")
    for name in look["unread"]:
        # Not as a string: what stands in brackets would be taken for a style.
        console.print(Text(f"the folder {printable(name) or '.'} could not be read", style="red"))
    if not state["watching"]["on"]:
        console.print(f"changes are not heard of as they happen: {state['watching']['reason']}")


def _counted(look: dict[str, Any], names: Sequence[str]) -> Iterator[str]:
    return (f"{look[name]} {name}" for name in names if look[name])
