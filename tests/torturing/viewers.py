"""Clients that stream, list, play, listen to events and send odd requests while faults happen.

During faults, a server may refuse requests (503 with a reason, 507 if a disk is full), and connections may be cut. But
it must never send a wrong byte, let a client wait forever, or return 500. In a calm it must not refuse requests either.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import trio

from tests import websocket
from tests.torturing.clients import TIMEOUT
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
    """Whether there are faults: `calm` counts the calms, and is None during a storm."""

    calm: int | None = None


@dataclass
class Received:
    """What the clients received."""

    statuses: Counter[int] = field(default_factory=Counter)
    """Responses, by their status."""
    cut: Counter[str] = field(default_factory=Counter)
    """Connections that ended early, by what the client did."""
    compared: int = 0
    """Bytes that were compared with those of the file."""
    slowest: float = 0.0
    """The longest time until a response was complete, in seconds."""


class Viewers:
    """Clients of the server at `url`; `fixed` has the bytes of videos that never change, by their names."""

    def __init__(self, url: str, fixed: dict[str, bytes], weather: Weather, chance: random.Random) -> None:
        self.received = Received()
        self._url = url
        self._fixed = fixed
        self._weather = weather
        self._chance = chance

    async def run(self) -> None:
        """Run until cancelled. Raises `Broken`."""
        actions: list[Callable[[httpx.AsyncClient], Awaitable[None]]] = [
            self.stream, self.stream, self.list, self.play, self.listen, self.send_odd_request, self.watch,
        ]  # fmt: skip
        async with (
            httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT, verify=False) as client,
            trio.open_nursery() as nursery,
        ):
            for action in actions:
                nursery.start_soon(self._repeat, action, client)

    async def _repeat(
        self, action: Callable[[httpx.AsyncClient], Awaitable[None]], client: httpx.AsyncClient
    ) -> None:
        name = action.__name__
        while True:
            calm, since = self._weather.calm, trio.current_time()
            try:
                with trio.fail_after(TIMEOUT):
                    await action(client)
            except (trio.TooSlowError, httpx.TimeoutException) as error:
                raise Broken(f"{name}: no response within {TIMEOUT:g} s") from error
            except (
                httpx.TransportError, websocket.Rejected, websocket.Closed, OSError, trio.BrokenResourceError,
            ) as error:  # fmt: skip
                if self._was_calm(calm):
                    raise Broken(f"{name}: {error!r} without any faults") from error
                self.received.cut[name] += 1
            self.received.slowest = max(self.received.slowest, trio.current_time() - since)
            await trio.sleep(self._chance.uniform(0, PAUSE))

    async def stream(self, client: httpx.AsyncClient) -> None:
        """Request a range of a file, and compare its bytes."""
        name, data = self._chance.choice(sorted(self._fixed.items()))
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
                async for chunk in response.aiter_raw():
                    body += chunk
                    if data[first : first + len(body)] != body:
                        raise Broken(
                            f"{name} was sent with other bytes than those of the file, within {first} to {last}"
                        )
                    self.received.compared += len(chunk)
                    if self._chance.random() < 0.1:
                        return
            elif self._was_calm(calm):
                raise Broken(f"{name} returned {response.status_code} without any faults: {body!r}")

    async def list(self, client: httpx.AsyncClient) -> None:
        """Request a list, and the details and the poster of an item in it."""
        calm = self._weather.calm
        path = self._chance.choice(LISTS)
        response = await client.get(path)
        self._count(response)
        if response.status_code != 200 and self._was_calm(calm):
            raise Broken(f"{path}: {response.status_code} without any faults: {response.text[:500]}")
        items = response.json().get("items") if response.status_code == 200 and "videos" in path else None
        if items and "urls" in (item := self._chance.choice(items)) and "self" in item["urls"]:
            details = await client.get(item["urls"]["self"])
            self._count(details)
            if item["poster"]:
                self._count(await client.get(item["poster"]))

    async def play(self, client: httpx.AsyncClient) -> None:
        """Request the playlists of a video, and a few of its segments."""
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
        """Listen to events, and disconnect after a while."""
        path = self._chance.choice(["/api/live", "/api/library/scan"])
        with trio.move_on_after(self._chance.uniform(0, 3)):
            async with client.stream("GET", path) as response:
                if response.status_code != 200:
                    self._count(response, await response.aread())
                    return
                self._count(response, b"events")
                async for _ in response.aiter_raw():
                    pass

    async def send_odd_request(self, client: httpx.AsyncClient) -> None:
        """Send an odd request."""
        method, path = self._chance.choice(ODD)
        content = None if method in ("GET", "HEAD") else self._chance.choice(BODIES)
        headers = [(b"Range", self._chance.choice(RANGES))] if method == "GET" else []
        request = client.build_request(method, "/", content=content, headers=headers)
        request.extensions["target"] = path.encode()
        self._count(await client.send(request), request=f"{method} {path[:80]} {(content or b'')[:80]!r}")

    async def watch(self, client: httpx.AsyncClient) -> None:
        """Stream a file over a WebSocket, and compare its bytes."""
        name, data = self._chance.choice(sorted(self._fixed.items()))
        host, _, port = self._url.partition("://")[2].partition(":")
        async with await trio.open_tcp_stream(host, int(port)) as stream:
            socket = websocket.Client(stream)
            try:
                await socket.shake_hands(f"{host}:{port}", f"/api/ws/stream/{quote(name)}", (), [])
            except websocket.Rejected as rejected:
                self._count(
                    httpx.Response(rejected.status, content=rejected.body), request=f"WebSocket of {name}"
                )
                raise
            offset = 0
            while offset < len(data):
                message = await socket.receive()
                if isinstance(message, bytes):
                    if data[offset : offset + len(message)] != message:
                        raise Broken(
                            f"{name} was sent over a WebSocket with other bytes than those of the file, at {offset}"
                        )
                    offset += len(message)
                    self.received.compared += len(message)
                    if self._chance.random() < 0.1:
                        return

    def _was_calm(self, before: int | None) -> bool:
        return before is not None and before == self._weather.calm

    def _count(self, response: httpx.Response, body: bytes | None = None, request: str | None = None) -> None:
        """Count a response. Raises `Broken` if a server must not send it."""
        status = response.status_code
        self.received.statuses[status] += 1
        if status < 500:
            return
        if request is None:
            request = f"{response.request.method} {response.request.url}"
        body = response.content if body is None else body
        if status not in REFUSED:
            raise Broken(f"{request}: {status} {body[:500]!r}")
        if not body and not request.startswith("HEAD"):
            raise Broken(f"{request}: {status} without a reason")
