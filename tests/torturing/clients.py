"""Clients that write playheads over plain connections, and remember which ones were acknowledged."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio

from tests.torturing.churn import MAX_FILES
from tests.torturing.promises import Broken, Stored

CLIENTS = 24
TIMEOUT = 60.0
"""Seconds in which a response must be complete."""

RECONNECT_AFTER = 0.1
"""Seconds until a client connects again after its connection has ended."""

PAUSE = 0.02
"""Seconds between two writes of a client."""


class Client:
    """One connection that sends one request after another."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._buffer = b""

    async def request(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Return the status and JSON of a response. Raises `Gone` if it is incomplete, and `Broken` on a timeout."""
        with trio.move_on_after(TIMEOUT):
            return await self._request(method, path, body)
        raise Broken(f"{method} {path}: no response within {TIMEOUT:g} s")

    async def _request(self, method: str, path: str, body: object) -> tuple[int, Any]:
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: server\r\nContent-Length: {len(data)}\r\n\r\n"
        try:
            await self._stream.send_all(head.encode() + data)
            while b"\r\n\r\n" not in self._buffer:
                await self._receive()
            response, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            length = next(
                int(line.split(b":")[1])
                for line in response.splitlines()
                if line.lower().startswith(b"content-length:")
            )
            while len(self._buffer) < length:
                await self._receive()
        except (OSError, trio.BrokenResourceError):
            raise Gone from None
        text, self._buffer = self._buffer[:length], self._buffer[length:]
        return int(response.split()[1]), json.loads(text) if text else None

    async def _receive(self) -> None:
        data = await self._stream.receive_some(65536)
        if not data:
            raise Gone
        self._buffer += data


class Gone(Exception):
    """The server is gone."""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection for the length of the block. Raises `Gone` if no server is listening."""
    host, port = url.partition("://")[2].split(":")
    try:
        stream = await trio.open_tcp_stream(host, int(port))
    except OSError:
        raise Gone from None
    async with stream:
        yield Client(stream)


class Watchers:
    """Clients that write playheads, and remember which ones were acknowledged.

    Each playhead has a higher position than all earlier ones, of any video, so the position tells which one is later.
    """

    def __init__(self, chance: random.Random, *, pause: float = PAUSE, reconnect: bool = False) -> None:
        self.acknowledged: dict[str, float] = {}
        self.first_sent: dict[str, list[float]] = {}
        """The positions that were sent for a video until the first response; its viewing began at one of them."""
        self.statuses: Counter[int] = Counter()
        self.written = 0
        self.doing = "unknown"
        self._chance = chance
        self._pause = pause
        self._reconnect = reconnect
        self._tick = 0
        self._ids: list[str] = []

    async def run(self, url: str) -> None:
        """Run until the server is gone, or, with `reconnect`, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._repeat, self._find, url)
            for number in range(CLIENTS):
                nursery.start_soon(self._repeat, self._watch, url, number)

    async def _repeat(self, do: Callable[..., Awaitable[None]], *arguments: object) -> None:
        with suppress(Gone):
            await do(*arguments)
        while self._reconnect:
            await trio.sleep(RECONNECT_AFTER)
            with suppress(Gone):
                await do(*arguments)

    async def _find(self, url: str) -> None:
        async with connected(url) as client:
            while True:
                status, page = await client.request("GET", "/api/videos?limit=200")
                self.statuses[status] += 1
                if status == 200:
                    ids = [item["id"] for item in page["items"]]
                    self._ids = sorted({*ids, *list(self.acknowledged)[-MAX_FILES:]})
                status, state = await client.request("GET", "/api/library")
                if status == 200:
                    self.doing = _doing(state)
                await trio.sleep(0.1)

    async def _watch(self, url: str, number: int) -> None:
        """Write playheads. Each video has one client, so what is sent later is stored later."""
        async with connected(url) as client:
            while True:
                await trio.sleep(self._pause)
                mine = [id_ for id_ in self._ids if int(id_, 16) % CLIENTS == number]
                if not mine:
                    continue
                id_ = self._chance.choice(mine)
                self._tick += 1
                position = float(self._tick)
                if id_ not in self.acknowledged:
                    self.first_sent.setdefault(id_, []).append(position)
                status, _ = await client.request("PUT", f"/api/videos/{id_}/playhead", {"position": position})
                self.statuses[status] += 1
                if status == 200:
                    self.acknowledged[id_] = position
                    self.written += 1

    def check(self, stored: Stored, acknowledged: Mapping[str, float] | None = None) -> int:
        """Check that no acknowledged playhead is lost. Return how many ids were replaced by those of moved videos."""
        replaced = 0
        for id_, position in (self.acknowledged if acknowledged is None else acknowledged).items():
            found = stored.positions.get(id_)
            if id_ not in stored.positions:  # its playhead is now that of the older video
                replaced += 1
                found = next(
                    (stored.of_viewings[each] for each in self.first_sent[id_] if each in stored.of_viewings),
                    None,
                )
            if found is None or found < position:
                raise Broken(f"the playhead of {id_} was acknowledged at {position} and is at {found}")
        return replaced


def _doing(state: dict[str, Any]) -> str:
    keeping = state["keeping"]
    doing = {
        "looking": state["look"]["running"],
        "probing": keeping["to_probe"],
        "drawing": keeping["to_draw"],
        "extracting": keeping["to_extract"],
    }
    return " and ".join(name for name, is_active in doing.items() if is_active) or "nothing"
