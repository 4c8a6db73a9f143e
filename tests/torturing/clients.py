"""Clients that write playheads over bare connections, and remember which of them were acknowledged."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import trio

from tests.torturing.churn import MOST_FILES
from tests.torturing.promises import Broken, Stored

CLIENTS = 24
LONGEST = 60.0
"""Seconds until an answer has come."""

AGAIN = 0.1
"""Seconds until a client whose connection ended makes a new one."""

PAUSE = 0.02
"""Seconds from one write of a client to its next."""


class Client:
    """One connection that asks one thing after another."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._held = b""

    async def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON. Raises `Gone` when the answer does not come whole, and `Broken` when it does not come."""
        with trio.move_on_after(LONGEST):
            return await self._ask(method, path, body)
        raise Broken(f"{method} {path}: no answer within {LONGEST:g} s")

    async def _ask(self, method: str, path: str, body: object) -> tuple[int, Any]:
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
async def connected(url: str) -> AsyncIterator[Client]:
    """A connection for the length of the block. Raises `Gone` where there is nobody."""
    host, port = url.partition("://")[2].split(":")
    try:
        stream = await trio.open_tcp_stream(host, int(port))
    except OSError:
        raise Gone from None
    async with stream:
        yield Client(stream)


class Watchers:
    """Clients that write playheads, and remember which of them were acknowledged.

    A playhead stands always further on than every one before, of any video, so that a number says what is later.
    """

    def __init__(self, chance: random.Random, *, pause: float = PAUSE, again: bool = False) -> None:
        self.acknowledged: dict[str, float] = {}
        self.begun: dict[str, list[float]] = {}
        """What was sent of a video until the first answer: one of it is where its viewing began."""
        self.answers: Counter[int] = Counter()
        self.written = 0
        self.doing = "nothing it told"
        self._chance = chance
        self._pause = pause
        self._again = again
        self._tick = 0
        self._ids: list[str] = []

    async def run(self, url: str) -> None:
        """Until the server is gone, or, with `again`, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._go_on, self._find, url)
            for number in range(CLIENTS):
                nursery.start_soon(self._go_on, self._watch, url, number)

    async def _go_on(self, do: Callable[..., Awaitable[None]], *arguments: object) -> None:
        with suppress(Gone):
            await do(*arguments)
        while self._again:
            await trio.sleep(AGAIN)
            with suppress(Gone):
                await do(*arguments)

    async def _find(self, url: str) -> None:
        async with connected(url) as client:
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
                    self.begun.setdefault(id_, []).append(position)
                status, _ = await client.ask("PUT", f"/api/videos/{id_}/playhead", {"position": position})
                self.answers[status] += 1
                if status == 200:
                    self.acknowledged[id_] = position
                    self.written += 1

    def check(self, stored: Stored, acknowledged: Mapping[str, float] | None = None) -> int:
        """That nothing acknowledged is lost, until now or a moment before; answers how many ids were given up for those of moved videos."""
        given_up = 0
        for id_, position in (self.acknowledged if acknowledged is None else acknowledged).items():
            found = stored.positions.get(id_)
            if id_ not in stored.positions:  # its playhead is that of the older video now
                given_up += 1
                found = next(
                    (stored.of_viewings[each] for each in self.begun[id_] if each in stored.of_viewings), None
                )
            if found is None or found < position:
                raise Broken(f"the playhead of {id_} was acknowledged at {position} and is at {found}")
        return given_up


def _doing(state: dict[str, Any]) -> str:
    keeping = state["keeping"]
    doing = {
        "looking": state["look"]["running"],
        "probing": keeping["to_probe"],
        "drawing": keeping["to_draw"],
        "extracting": keeping["to_extract"],
    }
    return " and ".join(name for name, is_so in doing.items() if is_so) or "nothing"
