"""Commands that work with the library: through the server that owns the data, or as its owner if there is none.

Both ways use an HTTP client of the same API over the owner's socket, so each command is written once.
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

from trio_stream.accounts import grants
from trio_stream.errors import DataInUse, SettingsError, TrioStreamError
from trio_stream.library.naming.paths import printable
from trio_stream.ownership import Ownership, open_ownership
from trio_stream.server.local import serve_local
from trio_stream.services import database_url, open_services
from trio_stream.serving.listening import check_addresses
from trio_stream.serving.options import parse
from trio_stream.settings import Settings
from trio_stream.store.database import check_database

TIMEOUT = 60.0
"""Seconds to wait for a response of the owner. Event streams have no timeout."""

BATCH = 200
"""Entries of an export that are sent at once: a request body may have at most 64 KiB."""


class CommandFailed(TrioStreamError):
    """The owner refused, or the input is invalid; the message says why."""

    code = "command-failed"


@asynccontextmanager
async def reach_owner(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the process that owns the data: this one, if no other does.

    Raises `SettingsError`, and what `open_services` raises.
    """
    with open_ownership(settings.data) as ownership:
        if not ownership.acquire():
            async with _client(ownership) as client:
                yield client
            return
    from trio_stream.app import app  # noqa: PLC0415 - not needed if a server is running

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
            transport=transport,
            base_url="http://owner",
            timeout=TIMEOUT,
            headers={grants.FIELD: grants.encode(grants.OPERATOR)},
        ) as client:
            try:
                await client.get("/healthz")
            except httpx.TransportError:
                raise DataInUse(f"{ownership.in_use()} (it does not respond)") from None
            yield client


async def check(settings: Settings, arguments: Sequence[str]) -> int:
    """Check for anything, besides the settings, that would prevent a server with these arguments from starting.

    Raises `SettingsError`, `StoreError`, `CannotListen`.
    """
    config, running = parse(arguments), False
    if not settings.data.exists():
        ancestor = next(folder for folder in settings.data.absolute().parents if folder.exists())
        if not (ancestor.is_dir() and os.access(ancestor, os.W_OK | os.X_OK)):
            raise SettingsError(f"TRIO_STREAM_DATA={settings.data}: cannot be created in {ancestor}")
    else:
        with open_ownership(settings.data) as ownership:
            if not ownership.acquire() and (holder := ownership.holder()) is not None:
                Console().print(f"a server uses the data folder: process {holder.pid}", highlight=False)
                running = True
    await check_database(database_url(settings))
    if not running:  # otherwise that server most likely listens there
        check_addresses(config)
    return 0


async def scan(settings: Settings, *, wait: bool) -> int:
    """Scan everything and show the progress; with `wait`, until all background jobs are done.

    Returns the exit code: 1 if a folder could not be read.
    """
    console = Console()
    async with reach_owner(settings) as client:
        wanted = _checked(await client.post("/api/library/scan")).json()["look"]
        with _display(console) as update_display:
            async for state in _states(client):
                update_display(state)
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
    """Import a file that `export` wrote, where it is newer. Returns 1 if all of its videos are unknown."""
    try:
        data = json.loads(await trio.Path(source).read_text())
        version, entries = data["version"], data["entries"]
        batches = [entries[start : start + BATCH] for start in range(0, len(entries), BATCH)] or [[]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CommandFailed(f"{source} is not an export of this program: {error}") from None
    counts = {"imported": 0, "older": 0, "unknown": 0}
    async with reach_owner(settings) as client:
        for batch in batches:
            response = await client.put("/api/watch-state", json={"version": version, "entries": batch})
            for name in counts:
                counts[name] += _checked(response).json()[name]
    Console().print(
        f"{counts['imported']} imported, {counts['older']} older than the stored ones,"
        f" {counts['unknown']} for unknown videos"
    )
    return 1 if entries and counts["unknown"] == len(entries) else 0


async def _states(client: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    timeout = httpx.Timeout(TIMEOUT, read=None)
    async with client.stream("GET", "/api/library/scan", timeout=timeout) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
    raise CommandFailed("the server stopped before the scan was done")


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_error:
        try:
            detail = response.json()["detail"]
        except (ValueError, KeyError):
            detail = response.reason_phrase
        raise CommandFailed(f"the server refused: {detail}")
    return response


def _display(console: Console) -> Any:
    return _Bars(console) if console.is_terminal else _Lines(console)


class _Lines:
    """Progress for pipes and logs: one line when the scan is done."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._reported = False

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, state: dict[str, Any]) -> None:
        if not self._reported and not state["look"]["running"] and state["look"]["full"]:
            self._console.print(f"scanned {state['look']['videos']} videos")
            self._reported = True


class _Bars:
    """Progress bars for terminals."""

    KINDS = (("to_probe", "probing videos"), ("to_extract", "subtitles"), ("to_draw", "artwork"))

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
        self._scan_task = self._progress.add_task("scanning the folder", total=None)
        self._tasks = {
            kind: self._progress.add_task(description, total=0) for kind, description in self.KINDS
        }
        self._totals = dict.fromkeys(self._tasks, 0)

    def __enter__(self) -> Any:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._progress.__exit__(*error)

    def __call__(self, state: dict[str, Any]) -> None:
        scan = state["look"]
        total = None if scan["running"] else scan["videos"]
        self._progress.update(self._scan_task, completed=scan["videos"], total=total)
        for kind, task in self._tasks.items():
            remaining = state["keeping"][kind]
            self._totals[kind] = max(self._totals[kind], remaining)
            self._progress.update(task, completed=self._totals[kind] - remaining, total=self._totals[kind])


def _summarise(console: Console, state: dict[str, Any]) -> None:
    scan, pending = state["last_full"], state["keeping"]
    console.print(
        ", ".join(
            (
                f"{scan['videos']} videos in {scan['folders']} folders",
                *_counts(scan, ("added", "changed", "moved", "returned", "missing")),
                *((f"{scan['resting']} not settled",) if scan["resting"] else ()),
            )
        )
    )
    remaining = pending["to_probe"] + pending["to_draw"] + pending["to_extract"]
    if remaining:
        console.print(f"{remaining} background jobs are pending")
    if pending["unreadable"]:
        console.print(f"{pending['unreadable']} videos cannot be read; their pages say why")
    for name in scan["unread"]:
        # Not a string, because text in brackets would be interpreted as markup.
        console.print(Text(f"the folder {printable(name) or '.'} could not be read", style="red"))
    if not state["watching"]["on"]:
        console.print(f"file changes cannot be watched: {state['watching']['reason']}")


def _counts(scan: dict[str, Any], names: Sequence[str]) -> Iterator[str]:
    return (f"{scan[name]} {name}" for name in names if scan[name])
