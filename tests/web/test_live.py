"""The operator's live view: its events, the limit of listeners, and that it never delays the end of the server."""

import json
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import httpx
import psutil
import pytest
import trio
from quart.wrappers.response import ResponseBody
from trio.testing import MockClock

from tests.support import (
    COMMAND_LINE,
    SLOWER,
    Server,
    connect,
    connect_to_other_worker,
    read_head,
    serving,
    wait_for,
    wait_until,
)
from tests.web.requesting import call, check_problem
from trio_stream.errors import ClientStalled
from trio_stream.services import LISTENERS
from trio_stream.telemetry.history import Traffic
from trio_stream.telemetry.process import INTERVAL, Sampler
from trio_stream.web.asgi.events import DRAIN_TIMEOUT, PING, EventStream, _UntilDrain, event

LIVE, SCAN = "/api/live", "/api/library/scan"

GRACE = 3600
"""Seconds for which a server of these tests would wait for running requests when it stops."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests: events always go through the framework, so there is no second way to test."""
    folder = tmp_path_factory.mktemp("live")
    (folder / "videos").mkdir()
    with (folder / "videos" / "long.mp4").open("wb") as file:
        file.truncate(1 << 30)
    with serving(folder / "videos", folder) as running:
        running.wait_idle()
        yield running


type Events = Iterator[tuple[str, dict[str, Any]]]


def read_events(response: httpx.Response) -> Events:
    """Events with their kinds, as they arrive."""
    kind = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def test_the_history_comes_first_then_a_sample_every_second(server: Server) -> None:
    with server.client() as client, client.stream("GET", LIVE) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        events = read_events(response)
        kind, history = next(events)
        assert kind == "history"
        assert set(history) == {"times", "cpu", "memory", "bytes_per_second", "streams"}
        assert {len(column) for column in history.values()} == {len(history["times"])}
        times = list(history["times"])
        for _ in range(3):
            kind, now = next(events)
            assert kind == "now"
            assert now["sample"].keys() == {"time", "cpu", "memory", "bytes_per_second", "streams"}
            times.append(now["sample"]["time"])
        assert times == sorted(set(times)), "each sample once: those of the history, then the others"
        between = min(later - earlier for earlier, later in pairwise(times))
        assert 1000 <= between < 2000, "a busy machine misses some of them"
        metrics = server.metrics()
        assert now["uptime_seconds"] <= metrics["uptime_seconds"]
        assert now["max_streams"] == metrics["max_streams"]
        assert now["sample"]["memory"] == pytest.approx(metrics["memory_mb"] * 1e6, rel=0.2)


def test_running_streams_are_the_same_as_in_the_list_of_streams(server: Server) -> None:
    with server.client() as client, client.stream("GET", LIVE) as response:
        events = read_events(response)
        sent = next(now for kind, now in events if kind == "now")["bytes_sent"]
        with httpx.stream("GET", f"{server.url}/api/stream/long.mp4") as film:
            pieces = film.iter_raw()
            next(pieces)
            now = next(now for kind, now in events if kind == "now" and now["sample"]["streams"])
            (stream,) = now["streams"]
            (listed,) = server.get("/api/streams").json()["streams"]
            assert stream.keys() == listed.keys()
            assert (stream["id"], stream["name"], stream["owner"]) == (listed["id"], "long.mp4", "127.0.0.1")
            assert now["sample"]["streams"] == 1
            assert now["bytes_sent"] - sent >= stream["bytes_sent"] > 0
            assert now["sample"]["bytes_per_second"] > 0
        last = next(now for kind, now in events if kind == "now" and not now["sample"]["streams"])
        assert last["streams"] == []
        with client.stream("GET", LIVE) as another:
            kind, history = next(read_events(another))
    assert kind == "history"
    assert 1 in history["streams"]
    assert max(history["bytes_per_second"]) > 0


def test_head_ends(server: Server) -> None:
    response = call(server, "HEAD", LIVE)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "text/event-stream"
    assert "Content-Length" not in response.headers


async def listen(stack: AsyncExitStack, server: Server, path: str) -> trio.SocketStream:
    """A connection that listens and has received something."""
    stream = await stack.enter_async_context(await connect(server))
    await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
    head, _ = await read_head(stream)
    assert b" 200 " in head
    return stream


async def test_the_number_of_listeners_is_limited_and_places_are_released(server: Server) -> None:
    before = server.settled()
    async with AsyncExitStack() as stack:
        for number in range(LISTENERS):
            await listen(stack, server, (LIVE, SCAN)[number % 2])
        for path in (LIVE, SCAN):
            refused = await trio.to_thread.run_sync(server.get, path)
            check_problem(refused, 503, "too-many-listeners")
            assert int(refused.headers["Retry-After"]) > 0
            assert call(server, "HEAD", path).status_code == 200, "which is not limited"
    # It takes one second after the client closed its half, and not until the next comment.
    await trio.to_thread.run_sync(
        lambda: wait_for(lambda: server.census().within(before), 0.8 * PING / SLOWER, "all work to end")
    )
    async with AsyncExitStack() as stack:
        for _ in range(LISTENERS):
            await listen(stack, server, LIVE)
        refused = await trio.to_thread.run_sync(server.get, LIVE)
        check_problem(refused, 503, "too-many-listeners")


async def test_the_local_socket_does_not_count_as_a_listener(server: Server) -> None:
    """The commands of the program use the local socket."""
    door = server.settings["TRIO_STREAM_DATA"] + "/owner.sock"
    async with AsyncExitStack() as stack:
        for _ in range(LISTENERS):
            await listen(stack, server, LIVE)
        client = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(uds=door), verify=False, headers=COMMAND_LINE
        )
        await stack.enter_async_context(client)
        response = await stack.enter_async_context(client.stream("GET", f"http://owner{SCAN}"))
        assert response.status_code == 200


async def chunks(stream: trio.SocketStream) -> bytes:
    """The data until the end of the connection."""
    got = bytearray()
    while data := await stream.receive_some(65536):
        got += data
    return bytes(got)


def ended_completely(body: bytes) -> bool:
    """Whether the last chunk was there (RFC 9112 section 7.1)."""
    return body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("workers", [0, 1, 2])
async def test_the_server_does_not_wait_for_listeners_when_it_stops(tmp_path: Path, workers: int) -> None:
    """It does not wait for an event or for the next comment, either: it ends about as fast as it starts."""
    options = ("-w", str(workers), "--graceful-timeout", str(GRACE))
    (tmp_path / "videos").mkdir()
    began = trio.current_time()
    with serving(tmp_path / "videos", tmp_path, hypercorn=options) as server:
        await wait_until(lambda: server.log.count("Running on") == max(workers, 1), 5, "all workers")
        start = trio.current_time() - began
        async with AsyncExitStack() as stack:
            # So many that both workers have some: the one that is not the owner forwards the events.
            streams = [await listen(stack, server, (LIVE, SCAN)[number % 2]) for number in range(16)]
            bodies: list[bytes] = []

            async def listen_to_end(stream: trio.SocketStream) -> None:
                bodies.append(await chunks(stream))

            with trio.fail_after(2 * start):
                async with trio.open_nursery() as nursery:
                    for stream in streams:
                        nursery.start_soon(listen_to_end, stream)
                    server.process.send_signal(signal.SIGTERM)
                await wait_until(lambda: server.process.poll() is not None, 5, "the server to end")
        assert server.process.returncode == 0
        assert "Traceback" not in server.log, server.log
        if workers < 2:  # a worker may notice the end of the owner before its own
            assert all(map(ended_completely, bodies))


@pytest.mark.parametrize("path", [LIVE, SCAN])
async def test_a_client_that_disconnects_while_the_server_stops_is_no_error(
    tmp_path: Path, path: str
) -> None:
    """The server notices that the client closed both halves only when it sends the head."""
    (tmp_path / "videos").mkdir()
    with serving(tmp_path / "videos", tmp_path) as server:
        async with AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(await connect(server)) for _ in range(20)]
            for stream in clients:
                await stream.send_all(b"HEAD /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
                await read_head(stream)
            os.kill(server.pid, signal.SIGSTOP)  # so that it notices everything at once
            server.process.send_signal(signal.SIGTERM)
            for stream in clients:
                await stream.send_all(f"GET {path} HTTP/1.1\r\nHost: t\r\n\r\n".encode())
                await stream.aclose()
            os.kill(server.pid, signal.SIGCONT)
            assert await trio.to_thread.run_sync(server.process.wait, 60) == 0
        assert "Traceback" not in server.log, server.log


async def test_the_server_waits_for_a_video_when_it_stops(tmp_path: Path) -> None:
    size = 32 << 20
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "v.mp4").write_bytes(os.urandom(1 << 20) * 32)
    options = ("-w", "0", "--graceful-timeout", str(GRACE))
    with serving(tmp_path / "videos", tmp_path, hypercorn=options) as server:
        async with AsyncExitStack() as stack:
            film = await stack.enter_async_context(await connect(server))
            await film.send_all(b"GET /api/stream/v.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
            _, begun = await read_head(film)
            live = await listen(stack, server, LIVE)
            server.process.send_signal(signal.SIGTERM)
            with trio.fail_after(SLOWER * 3):
                assert ended_completely(await chunks(live))
            assert server.process.poll() is None
            assert len(begun) + len(await chunks(film)) == size
        await wait_until(lambda: server.process.poll() is not None, 5, "the server to end")
        assert server.last_ended()["ended"] == "finished"


def test_a_listener_of_another_worker_is_disconnected_when_the_owner_ends(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    with serving(tmp_path / "videos", tmp_path, hypercorn=("-w", "2")) as server:
        with (
            connect_to_other_worker(server, tmp_path / "data") as client,
            client.stream("GET", SCAN) as response,
        ):
            lines = response.iter_lines()
            assert next(lines) == "event: progress"
            owner = json.loads((tmp_path / "data" / "owner.lock").read_text())["pid"]
            psutil.Process(owner).terminate()
            with pytest.raises(httpx.RemoteProtocolError):
                list(lines)
        assert "Traceback" not in server.log, server.log


async def test_a_slow_client_misses_samples_and_gets_no_old_one(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    sampler = Sampler(lambda: Traffic(0, 0))
    await nursery.start(sampler.run)
    history = sampler.history

    def write(_: int) -> bytes:
        return event("now", history.version, history.newest._asdict())

    async with EventStream(history, write) as body:
        seen = []
        for _ in range(4):
            seen.append(int((await anext(body)).split(b"\n")[1].removeprefix(b"id: ")))
            await trio.sleep(3.5 * INTERVAL)  # to receive it
        assert seen == [1, 4, 8, 12]


class Endless(ResponseBody, AsyncIterator[bytes]):
    """A body with `parts` parts, which then waits forever."""

    def __init__(self, parts: int) -> None:
        self.left = parts
        self.open = False

    async def __aenter__(self) -> "Endless":
        self.open = True
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self.left == 0:
            await trio.sleep_forever()
        self.left -= 1
        return b"part"


def until(drain: trio.Event, inner: Endless) -> _UntilDrain:
    return _UntilDrain(cast("ResponseBody", inner), drain.wait)


async def test_a_drain_ends_the_wait_for_the_next_event(autojump_clock: MockClock) -> None:
    drain, inner = trio.Event(), Endless(2)
    got: list[bytes] = []
    async with trio.open_nursery() as nursery:

        async def begin() -> None:
            await trio.sleep(10)
            drain.set()

        nursery.start_soon(begin)
        async with until(drain, inner) as body:
            assert inner.open
            got += [part async for part in body]
            assert trio.current_time() == pytest.approx(10, abs=0.01)
    assert got == [b"part", b"part"]
    assert not inner.open


async def test_after_a_drain_began_no_event_is_sent(autojump_clock: MockClock) -> None:
    drain = trio.Event()
    drain.set()
    async with until(drain, Endless(10**9)) as body:
        async for _ in body:
            await trio.lowlevel.checkpoint()


async def test_a_stalled_client_is_not_waited_for(autojump_clock: MockClock) -> None:
    drain, inner = trio.Event(), Endless(1)

    async def send() -> None:
        async with until(drain, inner) as body:
            await anext(body)
            drain.set()
            await trio.sleep_forever()  # the client does not read

    with pytest.raises(ClientStalled):
        await send()
    assert trio.current_time() == pytest.approx(DRAIN_TIMEOUT)
    assert not inner.open


async def test_a_disconnected_client_is_only_cancelled(autojump_clock: MockClock) -> None:
    drain, inner = trio.Event(), Endless(1)
    with trio.move_on_after(3) as client:
        async with until(drain, inner) as body:
            async for _ in body:
                pass
    assert client.cancelled_caught
    assert not inner.open


def test_an_event_is_written_once_for_all_clients(server: Server) -> None:
    """Two clients that connected at different times receive the same bytes for a sample."""
    with server.client() as client, client.stream("GET", LIVE) as one:
        first = read_events(one)
        next(first)
        with client.stream("GET", LIVE) as other:
            second = read_events(other)
            next(second)
            mine: dict[int, Any] = {}
            yours: dict[int, Any] = {}
            for _ in range(30):  # the difference is the time until the second one connected
                for seen, events in ((mine, first), (yours, second)):
                    _, now = next(events)
                    seen[now["sample"]["time"]] = now
                if len(both := mine.keys() & yours.keys()) >= 2:
                    break
    assert len(both) >= 2
    assert all(mine[key] == yours[key] for key in both)
