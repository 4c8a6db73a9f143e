"""The stress program counts correctly, finds no violations of our server, and finds those of a wrong server."""

import importlib.util
import json
import re
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

from tests.support import SLOWER, Server, wait_for

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "stress"


def load() -> ModuleType:
    loader = SourceFileLoader("stress_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[loader.name] = module
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module


stress: Any = load()


async def run(url: str, *arguments: str | Path) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, the figures, and standard error."""
    command = [sys.executable, str(SCRIPT), url, "--json", "-", "--seed", "7", *map(str, arguments)]
    with trio.fail_after(60):
        done = await trio.run_process(command, capture_stdout=True, capture_stderr=True, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr.decode()


# --- Against our server -------------------------------------------------------------------------------


async def test_watching(server: Server) -> None:
    status, figures, stderr = await run(
        server.url, "--viewers", "20", "--seconds", "3", "--arrive", "0.5", "--folder", server.videos
    )
    assert status == 0, stderr
    assert figures["viewers"] == 20
    assert figures["viewers_by_mode"] == {"watch": 20}
    assert figures["requests"] >= 20
    assert figures["bytes"] == figures["bytes_verified"] > 20 * 2 * 625_000
    assert figures["wrong_bytes"] == figures["violations"] == figures["refused"] == 0
    assert figures["errors"] == {}
    assert figures["findings"] == figures["checked_by_length_only"] == []
    for name in ("first_byte_ms", "connect_ms"):
        values = [figures[name][key] for key in ("p50", "p95", "p99", "max")]
        assert values[0] > 0
        assert values == sorted(values)
    assert figures["mbit_per_second"] == pytest.approx(8 * figures["mb_per_second"], abs=0.01)
    assert figures["seconds"] == pytest.approx(3, abs=1)
    assert set(figures["late_seconds"]) == {"total", "viewers", "worst"}
    assert figures["server"]["active_streams"]["before"] == figures["server"]["active_streams"]["after"] == 0
    assert figures["server"]["memory_mb"]["peak"] > 0
    assert figures["exit_status"] == 0
    assert "first byte, ms" in stderr


async def test_a_paced_viewer_takes_no_more_than_it_plays(server: Server) -> None:
    status, figures, stderr = await run(
        *(server.url, "--viewers", "2", "--seconds", "2", "--arrive", "0", "--rate", "8"),
        *("--prebuffer", "1", "--folder", server.videos),
    )
    assert status == 0, stderr
    assert 2 * 2_000_000 < figures["bytes"] < 2 * 6_000_000  # a million bytes per second, and up to 3 s ahead


@pytest.mark.parametrize(("mode", "share"), [("watch", "0.5"), ("seek", "0.7")])
async def test_over_websocket(server: Server, mode: str, share: str) -> None:
    status, figures, stderr = await run(
        *(server.url, "--viewers", "20", "--seconds", "2", "--arrive", "0.2", "--mode", mode),
        *("--websocket", share, "--folder", server.videos),
    )
    assert status == 0, stderr
    assert figures["viewers_over_websocket"] == round(20 * float(share))
    assert figures["bytes"] == figures["bytes_verified"] > 0
    assert figures["errors"] == {}
    assert figures["violations"] == 0
    if mode == "seek":
        assert figures["requests"] > 20


async def test_disconnecting(server: Server) -> None:
    """There is no copy of the video, so it is downloaded first, and the bytes of two requests are compared."""
    status, figures, stderr = await run(
        *(server.url, "--viewers", "30", "--seconds", "2", "--arrive", "0.2", "--mode", "vanish"),
        *("--websocket", "0.3"),
    )
    assert status == 0, stderr
    assert figures["requests"] > 15
    assert figures["bytes_verified"] > 0
    assert figures["violations"] == 0
    assert figures["streams_stayed"] is False
    assert figures["server"]["active_streams"]["after"] == 0


async def test_flat_out_without_comparing_bytes(server: Server) -> None:
    status, figures, stderr = await run(
        server.url, "--viewers", "4", "--seconds", "0.5", "--arrive", "0", "--flat-out", "--no-verify"
    )
    assert status == 0, stderr
    assert figures["bytes"] > 0
    assert figures["bytes_verified"] == 0


def test_an_interrupt_shows_the_figures_so_far(server: Server) -> None:
    command = [sys.executable, str(SCRIPT), server.url, "--viewers", "3", "--seconds", "60", "--no-verify"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lambda: server.metrics()["active_streams"], 20, "a viewer")
        process.send_signal(signal.SIGINT)
        printed, stderr = process.communicate(timeout=SLOWER * 20)
    assert process.returncode == 130, stderr
    assert printed.startswith("viewers")
    assert re.search(r"^bytes +[1-9]", printed, re.MULTILINE)


# --- Against wrong servers ----------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 1200
type Respond = Callable[[trio.SocketStream, dict[str, str]], Awaitable[None]]


@dataclass
class FakeServer:
    """A server with one video, whose responses come from `respond_with`."""

    respond_with: Respond
    url: str = ""
    streams_stay: bool = False
    requests: int = 0

    async def serve(self, stream: trio.SocketStream) -> None:
        with trio.move_on_after(20):
            try:
                while head := await self.head(stream):
                    await self.handle(stream, head)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass
        await trio.aclose_forcefully(stream)

    async def head(self, stream: trio.SocketStream) -> str:
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            more = await stream.receive_some(1)
            if not more:
                return ""
            data += more
        return data.decode()

    async def handle(self, stream: trio.SocketStream, head: str) -> None:
        first, *lines = head.strip().split("\r\n")
        path = first.split(" ")[1]
        fields = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        if path == "/api/videos":
            urls = {"stream": "/video", "websocket": "/video"}
            item = {"name": "one.mp4", "size": len(CONTENT), "urls": urls}
            await send(stream, 200, json.dumps({"videos": ["one.mp4"], "items": [item]}).encode())
        elif path == "/api/metrics":
            active = self.requests if self.streams_stay else 0
            figures = {"active_streams": active, "memory_mb": 1.0, "cpu_percent": 2.0}
            await send(stream, 200, json.dumps(figures).encode())
        else:
            self.requests += 1
            await self.respond_with(stream, fields)


@asynccontextmanager
async def serving(respond: Respond, *, streams_stay: bool = False) -> AsyncIterator[FakeServer]:
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        fake = FakeServer(respond, f"http://127.0.0.1:{listener.socket.getsockname()[1]}", streams_stay)
        nursery.start_soon(trio.serve_listeners, fake.serve, [listener])
        yield fake
        nursery.cancel_scope.cancel()


async def send(stream: trio.SocketStream, status: int, body: bytes, **fields: str | int) -> None:
    lines = {"content_length": len(body)} | fields
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items())
    await stream.send_all(f"HTTP/1.1 {status} so\r\n{head}\r\n".encode() + body)


WHOLE = f"bytes 0-{len(CONTENT) - 1}/{len(CONTENT)}"


async def correct(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await trio.sleep(0.02)
    await send(stream, 206, CONTENT, content_range=WHOLE)


async def flipped(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 206, CONTENT[:200_001] + b"?" + CONTENT[200_002:], content_range=WHOLE)


async def other_range(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 206, CONTENT, content_range=WHOLE.replace("0-", "1-"))


async def other_length(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 206, CONTENT[:-1], content_range=WHOLE)


async def no_range(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 200, CONTENT)


async def too_much(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 206, CONTENT + b"more", content_range=WHOLE, content_length=len(CONTENT))


async def cut_off(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 206, CONTENT[:-9], content_range=WHOLE, content_length=len(CONTENT))
    await stream.aclose()


async def full(stream: trio.SocketStream, _fields: dict[str, str]) -> None:
    await send(stream, 503, b"", retry_after=5)


async def upgrade(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    lines = ["HTTP/1.1 101 so", f"Sec-WebSocket-Accept: {stress.accept_key(fields['sec-websocket-key'])}"]
    if "sec-websocket-protocol" in fields:
        start = {"type": "start", "offset": 0, "end": len(CONTENT), "size": len(CONTENT)}
        lines.append(f"Sec-WebSocket-Protocol: {fields['sec-websocket-protocol']}")
        text = json.dumps(start).encode()
        await stream.send_all("\r\n".join([*lines, "", ""]).encode() + bytes([0x81, len(text)]) + text)
    else:
        await stream.send_all("\r\n".join([*lines, "", ""]).encode())


def frames(*parts: tuple[int, bytes]) -> bytes:
    return b"".join(bytes([first, 127]) + struct.pack(">Q", len(data)) + data for first, data in parts)


CLOSED = bytes([0x88, 2]) + struct.pack(">H", 1000)


async def in_fragments(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    """What a server may do: send fragments, a ping between them, and a close."""
    await upgrade(stream, fields)
    ping = bytes([0x89, 2]) + b"ho"
    await stream.send_all(
        frames((0x02, CONTENT[:70_000])) + ping + frames((0x00, b""), (0x80, CONTENT[70_000:]))
    )
    await trio.sleep(0.1)
    await stream.send_all(CLOSED)
    await stream.receive_some(4096)
    await stream.aclose()


async def flipped_frame(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    await upgrade(stream, fields)
    await stream.send_all(frames((0x82, CONTENT[:200_001] + b"?" + CONTENT[200_002:])))
    await trio.sleep_forever()


async def closed_early(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    await upgrade(stream, fields)
    await stream.send_all(frames((0x82, CONTENT[:-1])) + CLOSED)
    await trio.sleep_forever()


async def masked_frame(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    await upgrade(stream, fields)
    await stream.send_all(bytes([0x82, 0x80 | 1]) + b"abcd" + b"x")
    await trio.sleep_forever()


async def seek_refused(stream: trio.SocketStream, fields: dict[str, str]) -> None:
    await upgrade(stream, fields)
    text = json.dumps({"type": "error", "status": 416}).encode()
    await stream.send_all(bytes([0x81, len(text)]) + text)
    await trio.sleep_forever()


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    (tmp_path / "one.mp4").write_bytes(CONTENT)
    return tmp_path


@pytest.mark.parametrize(
    ("respond", "more", "finding"),
    [
        (flipped, (), "byte 200001 is 0x3f, not 0x41; 1 wrong within"),
        (other_range, (), "content-range"),
        (other_length, (), "content-length 307199, not 307200"),
        (no_range, (), "status 200"),
        (too_much, (), "bytes after the end"),
        (flipped_frame, ("--websocket", "1"), "byte 200001 is 0x3f, not 0x41"),
        (closed_early, ("--websocket", "1"), "closed as complete at byte 307199"),
        (masked_frame, ("--websocket", "1"), "a frame that starts with 0x82 0x81"),
        (seek_refused, ("--websocket", "1", "--mode", "seek"), "refused"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_a_violation_is_found(
    respond: Respond, more: tuple[str, ...], finding: str, copies: Path
) -> None:
    async with serving(respond) as fake:
        status, figures, stderr = await run(
            fake.url, "--viewers", "3", "--seconds", "0.3", "--arrive", "0", "--folder", copies, *more
        )
    assert status == figures["exit_status"] == 1, stderr
    assert any(finding in each for each in figures["findings"]), figures["findings"]
    assert figures["violations"] >= 1
    assert figures["wrong_bytes"] == figures["violations"] * (respond in (flipped, flipped_frame))


@pytest.mark.parametrize(("respond", "share"), [(correct, "0"), (in_fragments, "1")])
async def test_a_correct_server_has_no_violations(respond: Respond, share: str, copies: Path) -> None:
    async with serving(respond) as fake:
        status, figures, stderr = await run(
            *(fake.url, "--viewers", "3", "--seconds", "1", "--arrive", "0", "--folder", copies),
            *("--websocket", share, "--rate", "50"),
        )
    assert status == 0, stderr
    assert figures["findings"] == []
    assert figures["errors"] == {}
    assert figures["bytes_verified"] > 3 * len(CONTENT)
    assert figures["requests"] > 3


async def test_a_close_and_a_refusal_are_counted_and_no_violations(copies: Path) -> None:
    arguments = ("--viewers", "3", "--seconds", "0.3", "--arrive", "0", "--folder", copies)
    async with serving(cut_off) as fake:
        status, figures, _ = await run(fake.url, *arguments)
    assert (status, list(figures["errors"])) == (0, ["closed in the middle"])
    async with serving(full) as fake:
        status, figures, _ = await run(fake.url, *arguments)
    assert (status, figures["refused"], figures["errors"]) == (0, 3, {})


async def test_a_stream_that_stays_open_is_found(copies: Path) -> None:
    async with serving(correct, streams_stay=True) as fake:
        status, figures, stderr = await run(
            fake.url,
            "--viewers",
            "5",
            "--seconds",
            "0.5",
            "--arrive",
            "0",
            "--folder",
            copies,
            "--mode",
            "vanish",
        )
    assert status == 1, stderr
    assert figures["streams_stayed"] is True
    assert figures["violations"] == 0


async def test_no_server_responds() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # but does not listen
        status, figures, stderr = await run(f"http://127.0.0.1:{sock.getsockname()[1]}")
    assert (status, figures) == (3, {})
    assert "no Trio Stream responds" in stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["http://192.0.2.1"], "--yes-really-remote"),
        (["https://127.0.0.1"], "http://HOST:PORT"),
        (["http://127.0.0.1", "--viewers", "20001"], "from 1 to 20000"),
        (["http://127.0.0.1", "--seconds", "3601"], "from 0.1 to 3600"),
        (["http://127.0.0.1", "--seconds", "nan"], "from 0.1 to 3600"),
        (["http://127.0.0.1", "--folder", "/nowhere/at/all"], "is not a folder"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = stress.main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert message in capsys.readouterr().err


# --- The pure parts -----------------------------------------------------------------------------------


def test_percentiles() -> None:
    values = [float(each) for each in range(1, 101)]
    assert [stress.percentile(values, share) for share in (0, 0.5, 0.95, 0.99, 1)] == [1, 50, 95, 99, 100]
    assert stress.percentile([3.0], 0.5) == 3
    samples = stress.Samples()
    assert samples.milliseconds() == dict.fromkeys(("p50", "p95", "p99", "max"))
    for value in values:
        samples.add(value / 1000)
    assert samples.milliseconds() == {"p50": 50, "p95": 95, "p99": 99, "max": 100}


def test_the_number_of_samples_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stress.Samples, "LIMIT", 100)
    samples = stress.Samples()
    for value in range(10_000):
        samples.add(value / 1000)
    figures = samples.milliseconds()
    assert samples.count == 10_000
    assert figures["max"] == 9999
    assert 3000 < figures["p50"] < 7000


def player_with(*events: tuple[float, float], until: float) -> Any:
    """A player of 100 bytes per second that started at 1000 s and received seconds of media at the given times."""
    player = stress.Player(100.0)
    player.start(1000.0)
    for at, seconds in events:
        player.receive(1000.0 + at, seconds * 100)
    player.stop(1000.0 + until)
    return player


@pytest.mark.parametrize(
    ("events", "until", "late"),
    [
        pytest.param([(0.5, 10)], 10, 0, id="enough"),
        pytest.param([], 10, 8, id="nothing-came"),
        pytest.param([], 1.9, 0, id="stopped-at-once"),
        pytest.param([(0.5, 1.9)], 5, 3, id="never-started-playing"),
        pytest.param([(1.9, 8)], 9.8, 0, id="started-within-the-grace"),
        pytest.param([(3.2, 8)], 10, 2, id="started-late"),
        pytest.param([(0, 4), (4.25, 2)], 6, 1, id="dry-for-a-short-time"),
        pytest.param([(0, 4), (4.3, 0.1), (4.6, 5)], 9, 1, id="dry-twice-in-a-second"),
        pytest.param([(0, 4.5), (6.5, 5)], 11, 3, id="dry-over-three-seconds"),
        pytest.param([(0, 4), (5, 5)], 10, 1, id="dry-for-just-one"),
        pytest.param([(0, 2), *((1 + each * 0.5, 0.5) for each in range(18))], 10, 0, id="steadily"),
    ],
)
def test_late_seconds(events: list[tuple[float, float]], until: float, late: int) -> None:
    assert player_with(*events, until=until).late == late


def test_a_seek_starts_again() -> None:
    player = stress.Player(100.0)
    player.start(0.0)
    player.receive(0.0, 10_000)
    player.start(5.0)
    assert player.ahead == 0
    player.receive(6.5, 300)
    player.stop(9.0)
    assert player.late == 0
    player.start(20.0)  # it did not play in between
    player.stop(23.0)
    assert player.late == 1


def test_differences() -> None:
    buffer = bytearray(b"abcdefgh")
    assert stress.difference(buffer, memoryview(b"abcdefgh")) is None
    assert stress.difference(buffer, memoryview(b"abc")) is None
    assert stress.difference(buffer, memoryview(b"abXdYfgh")) == (2, 2)
    assert stress.difference(buffer, memoryview(b"Xbcd")) == (0, 1)
    assert stress.difference(buffer, memoryview(b"abcdefgX")) == (7, 1)


def test_heads() -> None:
    head = stress.parse_head(b"HTTP/1.1 206 \r\nA-b:  c \r\nx: 1\r\nX: 2")
    assert (head.status, head.fields) == (206, {"a-b": "c", "x": "1, 2"})
    for wrong in (
        b"",
        b"HTTP/1.1 20 x",
        b"HTTP/2 200 x",
        b"HTTP/1.1 200\r\nno colon",
        b"HTTP/1.1 200\r\na b: c",
    ):
        with pytest.raises(stress.ViolationError):
            stress.parse_head(wrong)


def test_frames() -> None:
    assert stress.client_frame(stress.TEXT, b"Hello", bytes.fromhex("37fa213d")) == bytes.fromhex(
        "818537fa213d7f9f4d5158"  # RFC 6455 section 5.7
    )
    assert stress.client_frame(stress.TEXT, b"x" * 300, bytes(4), final=False)[:4] == bytes(
        [0x01, 0xFE, 1, 44]
    )
    assert stress.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert stress.check_frame(0x00, 5, stress.BINARY) == stress.BINARY
    assert stress.check_frame(0x89, 125, stress.BINARY) == stress.PING
    for first, second, unfinished in [
        (0xC2, 5, 0),  # a reserved bit (compressed)
        (0x82, 0x85, 0),  # masked
        (0x83, 5, 0),
        (0x09, 5, 0),
        (0x89, 126, 0),
        (0x80, 5, 0),
        (0x82, 5, stress.TEXT),
    ]:
        with pytest.raises(stress.ViolationError):
            stress.check_frame(first, second, unfinished)
