"""Clients that stream, list, play, listen and ask odd things while faults come and go.

While something is wrong a server may refuse (503 with a reason, 507 where there is no room) and connections may be cut;
it never sends a wrong byte, never keeps anybody waiting for ever, and never answers 500. While all is calm it does not
refuse either.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import trio

from tests import websocket
from tests.torturing.clients import LONGEST
from tests.torturing.promises import Broken

REFUSED = (503, 507)

PAUSE = 0.3

ODD = (
    ("GET", "/api/%73tream/Kept/0.mp4"),
    ("GET", "/api/stream/../../etc/passwd"),
    ("GET", "/api/stream/%00"),
    ("GET", "/api/stream/" + "x/" * 900),
    ("HEAD", "/api/stream/" + "%F0%9F%98%80" * 200),
    ("GET", "/api/videos?cursor=%FF&limit=0"),
    ("GET", "/api/videos?q=" + "%22*" * 300),
    ("GET", "/api/videos?limit=1&folder=%FF%FE"),
    ("GET", "/api/videos/0000000000000000"),
    ("GET", "/api/videos/%F0/manifest.mpd"),
    ("PUT", "/api/videos/0000000000000000/playhead"),
    ("PATCH", "/api/videos/-1"),
    ("DELETE", "/api/streams/0"),
    ("POST", "/api/library/scan"),
    ("POST", "/api/videos"),
    ("OPTIONS", "*"),
    ("BREW", "/"),
    ("GET", "/api/watch-state"),
    ("GET", "/metrics"),
    ("GET", "/api/metrics"),
    ("GET", "/openapi.json"),
)

BODIES = (
    None, b"", b"{", b"[]", b"\xff" * 100, b'{"position": 1e400}', b'{"position": NaN}', b'{"position": -1}',
    b'{"position": true}', b'{"title": "\\ud800"}', b"[" * 30_000, b"x" * 70_000,
)  # fmt: skip

RANGES = (
    b"bytes=0-",
    b"bytes=-1",
    b"bytes=9-1",
    b"bytes=0-0,5-9,-3",
    b"bytes=" + b"0-1," * 500,
    b"lines=1-2",
    b"\x80",
)

LISTS = (
    "/api/videos", "/api/videos?limit=50", "/api/videos?q=film&limit=20", "/api/videos?sort=added&order=desc&limit=9",
    "/api/continue", "/api/history", "/api/library", "/api/streams", "/readyz", "/healthz",
)  # fmt: skip


@dataclass
class Weather:
    """How it is; `calm` counts the calms, and is None while there are faults."""

    calm: int | None = None


@dataclass
class Seen:
    """What clients saw."""

    answers: Counter[int] = field(default_factory=Counter)
    """By their status."""
    cut: Counter[str] = field(default_factory=Counter)
    """Connections that ended early, by what was done over them."""
    compared: int = 0
    """Bytes that were compared with those of their file."""
    slowest: float = 0.0
    """Seconds until an answer was whole, at most."""


class Viewers:
    """Clients of the server at `url`; `kept` are the bytes of videos whose content never changes, by their names."""

    def __init__(self, url: str, kept: dict[str, bytes], weather: Weather, chance: random.Random) -> None:
        self.seen = Seen()
        self._url = url
        self._kept = kept
        self._weather = weather
        self._chance = chance

    async def run(self) -> None:
        """Until cancelled. Raises `Broken`."""
        acts: list[Callable[[httpx.AsyncClient], Awaitable[None]]] = [
            self.stream, self.stream, self.list, self.play, self.listen, self.ask, self.watch,
        ]  # fmt: skip
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=LONGEST, verify=False) as client,
            trio.open_nursery() as nursery,
        ):
            for act in acts:
                nursery.start_soon(self._repeat, act, client)

    async def _repeat(
        self, act: Callable[[httpx.AsyncClient], Awaitable[None]], client: httpx.AsyncClient
    ) -> None:
        name = act.__name__
        while True:
            calm, since = self._weather.calm, trio.current_time()
            try:
                with trio.fail_after(LONGEST):
                    await act(client)
            except (trio.TooSlowError, httpx.TimeoutException) as error:
                raise Broken(f"{name}: no answer within {LONGEST:g} s") from error
            except (
                httpx.TransportError, websocket.Rejected, websocket.Closed, OSError, trio.BrokenResourceError,
            ) as error:  # fmt: skip
                if self._was_calm(calm):
                    raise Broken(f"{name}: {error!r} while nothing was wrong") from error
                self.seen.cut[name] += 1
            self.seen.slowest = max(self.seen.slowest, trio.current_time() - since)
            await trio.sleep(self._chance.uniform(0, PAUSE))

    async def stream(self, client: httpx.AsyncClient) -> None:
        """A range of a file, compared byte by byte."""
        name, data = self._chance.choice(sorted(self._kept.items()))
        first = self._chance.randrange(len(data))
        last = self._chance.randrange(first, len(data))
        calm = self._weather.calm
        async with client.stream(
            "GET", f"/api/stream/{quote(name)}", headers={"Range": f"bytes={first}-{last}"}
        ) as response:
            body = b""
            if response.status_code != 206:
                body = await response.aread()
            self._count(response, body)
            if response.status_code == 206:
                async for piece in response.aiter_raw():
                    body += piece
                    if data[first : first + len(body)] != body:
                        raise Broken(
                            f"{name} was sent with other bytes than it has, within {first} to {last}"
                        )
                    self.seen.compared += len(piece)
                    if self._chance.random() < 0.1:
                        return
            elif self._was_calm(calm):
                raise Broken(
                    f"{name} is answered with {response.status_code} while nothing is wrong: {body!r}"
                )

    async def list(self, client: httpx.AsyncClient) -> None:
        """What there is, and details, pictures and subtitles of something in it."""
        calm = self._weather.calm
        path = self._chance.choice(LISTS)
        response = await client.get(path)
        self._count(response)
        if response.status_code != 200 and self._was_calm(calm):
            raise Broken(f"{path}: {response.status_code} while nothing is wrong: {response.text[:500]}")
        items = response.json().get("items") if response.status_code == 200 and "videos" in path else None
        if items and "urls" in (item := self._chance.choice(items)) and "self" in item["urls"]:
            details = await client.get(item["urls"]["self"])
            self._count(details)
            if item["poster"]:
                self._count(await client.get(item["poster"]))

    async def play(self, client: httpx.AsyncClient) -> None:
        """The playlists of a video, and a few of its segments."""
        response = await client.get("/api/videos?limit=50")
        self._count(response)
        if response.status_code != 200 or not (items := response.json()["items"]):
            return
        item = self._chance.choice(items)
        url = item["urls"][self._chance.choice(["hls", "dash"])]
        for _ in range(3):
            response = await client.get(url)
            self._count(response)
            if response.status_code != 200 or not response.text.startswith("#EXTM3U"):
                return
            names = [line for line in response.text.splitlines() if line and not line.startswith("#")]
            if not names:
                return
            url = str(response.url.join(self._chance.choice(names)))

    async def listen(self, client: httpx.AsyncClient) -> None:
        """Events, until a client leaves without a word."""
        path = self._chance.choice(["/api/live", "/api/library/scan"])
        with trio.move_on_after(self._chance.uniform(0, 3)):
            async with client.stream("GET", path) as response:
                if response.status_code != 200:
                    self._count(response, await response.aread())
                    return
                self._count(response, b"events")
                async for _ in response.aiter_raw():
                    pass

    async def ask(self, client: httpx.AsyncClient) -> None:
        """Something odd."""
        method, path = self._chance.choice(ODD)
        content = None if method in ("GET", "HEAD") else self._chance.choice(BODIES)
        headers = [(b"Range", self._chance.choice(RANGES))] if method == "GET" else []
        request = client.build_request(method, "/", content=content, headers=headers)
        request.extensions["target"] = path.encode()
        self._count(await client.send(request), told=f"{method} {path[:80]} {(content or b'')[:80]!r}")

    async def watch(self, client: httpx.AsyncClient) -> None:
        """A file over a WebSocket, compared byte by byte."""
        name, data = self._chance.choice(sorted(self._kept.items()))
        host, _, port = self._url.partition("://")[2].partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            asked = websocket.Client(stream)
            try:
                await asked.shake_hands(f"{host}:{port}", f"/api/ws/stream/{quote(name)}", (), [])
            except websocket.Rejected as rejected:
                self._count(
                    httpx.Response(rejected.status, content=rejected.body), told=f"WebSocket of {name}"
                )
                raise
            place = 0
            while place < len(data):
                message = await asked.receive()
                if isinstance(message, bytes):
                    if data[place : place + len(message)] != message:
                        raise Broken(
                            f"{name} was sent over a WebSocket with other bytes than it has, at {place}"
                        )
                    place += len(message)
                    self.seen.compared += len(message)
                    if self._chance.random() < 0.1:
                        return

    def _was_calm(self, before: int | None) -> bool:
        return before is not None and before == self._weather.calm

    def _count(self, response: httpx.Response, body: bytes | None = None, told: str | None = None) -> None:
        """Raises `Broken` where that is no answer a server may give."""
        status = response.status_code
        self.seen.answers[status] += 1
        if status < 500:
            return
        if told is None:
            told = f"{response.request.method} {response.request.url}"
        body = response.content if body is None else body
        if status not in REFUSED:
            raise Broken(f"{told}: {status} {body[:500]!r}")
        if not body and not told.startswith("HEAD"):
            raise Broken(f"{told}: {status} without a reason")
