"""Clients that disconnect early or violate the protocol: one of each kind, by name."""

import random
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import h2.config
import h2.connection
import trio
from h2.errors import ErrorCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

LINGER = 0.05
"""Seconds for which a client reads at most, if neither a response nor the end of the connection comes."""


@dataclass(frozen=True)
class Ports:
    """The ports of the server."""

    plain: int
    tls: int


type Client = Callable[[Ports], Awaitable[None]]


async def read_for(stream: trio.abc.Stream, seconds: float = LINGER) -> None:
    """Read for some seconds, or until the server closes."""
    with trio.move_on_after(seconds), suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass


def reset_on_close(stream: trio.SocketStream) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def plain(
    ports: Ports, *parts: bytes, reset: bool = True, first: int = 0, tls: bool = False, after: float = 0
) -> None:
    """Send the parts one after the other; read `first` bytes, or wait for `after` seconds, and reset or close."""
    stream = await trio.open_tcp_stream("127.0.0.1", ports.tls if tls else ports.plain)
    with suppress(trio.BrokenResourceError):
        for number, part in enumerate(parts):
            if number:
                await read_for(stream)
            await stream.send_all(part)
        if first:
            with trio.move_on_after(5):
                await stream.receive_some(first)
        if not reset or after:
            await read_for(stream, after or LINGER)
    if reset:
        reset_on_close(stream)
    await trio.aclose_forcefully(stream)


def get(path: str, *fields: str) -> bytes:
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", "")).encode()


def sending(method: str, path: str, body: bytes, length: int) -> bytes:
    fields = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}"
    return f"{method} {path} HTTP/1.1\r\n{fields}\r\n\r\n".encode() + body


def upgrade(path: str, *fields: str) -> bytes:
    more = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    return get(path, *more, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *fields)


def frame(first: int, data: bytes, *, masked: bool = True) -> bytes:
    """A WebSocket frame of less than 126 bytes (RFC 6455 section 5.2), masked with zeros."""
    return bytes((first, len(data) | 0x80 * masked)) + bytes(4 * masked) + data


SOCKET = "/api/ws/stream/large.mp4"
FILE = "/api/stream/large.mp4"
STATE = "/api/watch-state"
NOISE = random.Random(1).randbytes(2000)

PLAIN: dict[str, Client] = {
    "connects and resets": partial(plain),
    "connects and closes": partial(plain, reset=False),
    "noise": lambda ports: plain(ports, NOISE, reset=False),
    "a handshake of TLS without TLS": lambda ports: plain(
        ports, b"\x16\x03\x01\x02\0\1\0\1\xfc\3\3", reset=False
    ),
    "half a head": lambda ports: plain(ports, get("/")[:-5]),
    "half a head, then another": lambda ports: plain(ports, get("/")[:-5], get("/"), reset=False),
    "HTTP/2 without TLS": lambda ports: plain(ports, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", reset=False),
    "an invalid length": lambda ports: plain(ports, get("/", "Content-Length: many"), reset=False),
    "two lengths": lambda ports: plain(
        ports, get("/", "Content-Length: 1", "Content-Length: 2"), reset=False
    ),
    "an invalid chunk": lambda ports: plain(
        ports, get(STATE, "Transfer-Encoding: chunked").replace(b"GET", b"PUT") + b"zz\r\n", reset=False
    ),
    "an invalid field name": lambda ports: plain(ports, get("/", "a b: c"), reset=False),
    "no host": lambda ports: plain(ports, b"GET / HTTP/1.1\r\n\r\n", reset=False),
    "a path that is not ASCII": lambda ports: plain(
        ports, b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", reset=False
    ),
    "an unknown method": lambda ports: plain(ports, get("/").replace(b"GET", b"WHAT"), reset=False),
    "resets before the response": lambda ports: plain(ports, get("/api/videos")),
    "resets in the response": lambda ports: plain(ports, get("/api/videos"), first=1),
    "resets a stream": lambda ports: plain(ports, get(FILE), first=1),
    "closes in a stream": lambda ports: plain(ports, get(FILE), first=1, reset=False),
    "resets events": lambda ports: plain(ports, get("/api/live"), first=1),
    "resets before events": lambda ports: plain(ports, get("/api/live")),
    "requests after a stream": lambda ports: plain(ports, get(FILE) * 3, first=1),
    "half a body": lambda ports: plain(ports, sending("PUT", STATE, b'{"a":', 1000)),
    "half a body, and closes": lambda ports: plain(ports, sending("PUT", STATE, b'{"a":', 1000), reset=False),
    "half a body, later": lambda ports: plain(ports, sending("PUT", STATE, b"", 1000), b'{"a":'),
    "half an edit": lambda ports: plain(ports, sending("PATCH", "/api/videos/v1", b"", 1000), b'{"a":'),
    "half a playhead": lambda ports: plain(
        ports, sending("PUT", "/api/videos/v1/playhead", b"", 1000), b'{"a":'
    ),
    "half a chunk": lambda ports: plain(
        ports, get(STATE, "Transfer-Encoding: chunked").replace(b"GET", b"PUT"), b"ff\r\n{"
    ),
    "a body longer than its length": lambda ports: plain(
        ports, sending("PUT", STATE, b"{}" * 50, 10), reset=False
    ),
    "a body that is too long": lambda ports: plain(
        ports, sending("PUT", "/api/videos/v1/playhead", b"x" * 200_000, 300_000)
    ),
    "waits for 100 Continue": lambda ports: plain(
        ports, sending("PUT", STATE, b"", 1000).replace(b"Host", b"Expect: 100-continue\r\nHost"), first=1
    ),
    "resets around a handshake": lambda ports: plain(ports, upgrade(SOCKET), after=random.random() / 100),
    "resets around a response": lambda ports: plain(ports, get("/api/videos"), after=random.random() / 100),
    "resets a handshake": lambda ports: plain(ports, upgrade(SOCKET)),
    "resets a WebSocket": lambda ports: plain(ports, upgrade(SOCKET), first=1),
    "resets a WebSocket of a missing video": lambda ports: plain(ports, upgrade("/api/ws/stream/none.mp4")),
    "resets a WebSocket of an unknown path": lambda ports: plain(ports, upgrade("/api/none")),
    "closes a WebSocket": lambda ports: plain(ports, upgrade(SOCKET), first=1, reset=False),
    "a handshake of another origin": lambda ports: plain(ports, upgrade(SOCKET, "Origin: https://b.example")),
    "a handshake without a key": lambda ports: plain(
        ports, get(SOCKET, "Upgrade: websocket", "Connection: Upgrade"), reset=False
    ),
    "a handshake with an unknown protocol": lambda ports: plain(
        ports, upgrade(SOCKET, "Sec-WebSocket-Protocol: x"), first=1
    ),
    "a byte after a handshake": lambda ports: plain(ports, upgrade(SOCKET) + b"x", reset=False),
    **{
        f"a WebSocket: {name}": partial(
            lambda data, ports: plain(
                ports, upgrade(SOCKET, "Sec-WebSocket-Protocol: trio-stream.v1"), data, first=1
            ),
            data,
        )
        for name, data in {
            "no mask": frame(0x82, b"x", masked=False),
            "an unknown kind": frame(0x83, b"x"),
            "reserved bits": frame(0xF2, b"x"),
            "invalid UTF-8": frame(0x81, b"\xff\xff"),
            "a fragmented control frame": frame(0x09, b"x"),
            "a continuation without a message": frame(0x80, b"x"),
            "an invalid close code": frame(0x88, b"\0\1"),
            "half a close code": frame(0x88, b"\3"),
            "half a frame": frame(0x82, b"half")[:-2],
            "half a message": frame(0x01, b"half"),
            "invalid JSON": frame(0x81, b"invalid JSON"),
            "JSON that is no command": frame(0x81, b"[1]"),
            "JSON too deep": frame(0x81, b"[" * 120),
            "a number that is too large": frame(0x81, b'{"type":"seek","to":1e999}'),
            "an empty message": frame(0x82, b""),
            "a long message": b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + bytes(30_000),
            "a close frame, then a disconnect": frame(0x88, b"\3\xe8"),
        }.items()
    },
}


async def half_tls(ports: Ports, *, garbage: bytes = b"") -> None:
    """Start a handshake and break it off, or end it with garbage."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = trusting("h2")
    half = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        half.do_handshake()
    hello = outgoing.read()
    await plain(ports, hello[:100], tls=True)
    await plain(ports, hello, garbage, tls=True, reset=not garbage)


def trusting(*protocols: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(list(protocols))
    return context


async def old_tls(ports: Ports) -> None:
    """A handshake without a common version or cipher."""
    context = trusting("h2")
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stream = trio.SSLStream(await trio.open_tcp_stream("127.0.0.1", ports.tls), context, server_hostname="a")
    with suppress(trio.BrokenResourceError):
        await stream.do_handshake()
    await trio.aclose_forcefully(stream)


async def over_tls(ports: Ports, *parts: bytes, protocol: str = "http/1.1", raw: bytes = b"") -> None:
    """As `plain`, over TLS; then `raw` is sent without TLS."""
    transport = await trio.open_tcp_stream("127.0.0.1", ports.tls)
    stream = trio.SSLStream(transport, trusting(protocol), server_hostname="localhost")
    with suppress(trio.BrokenResourceError):
        await stream.do_handshake()
        for number, part in enumerate(parts):
            if number:
                await read_for(stream)
            await stream.send_all(part)
        if raw:
            await transport.send_all(raw)
        await read_for(stream)
    reset_on_close(transport)
    await trio.aclose_forcefully(stream)


HEAD = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/api/videos")]
POST = [(":method", "PUT"), (":scheme", "https"), (":authority", "localhost"), (":path", STATE)]


def client_of_http2() -> h2.connection.H2Connection:
    connection = h2.connection.H2Connection(h2.config.H2Configuration(validate_outbound_headers=False))
    connection.initiate_connection()
    connection.remote_settings.max_concurrent_streams = 10_000
    return connection


def request(
    head: list[tuple[str, str]] = HEAD, *more: tuple[str, str], end: bool = True
) -> tuple[h2.connection.H2Connection, bytes]:
    connection = client_of_http2()
    connection.send_headers(1, [*head, *more], end_stream=end)
    return connection, connection.data_to_send()


@dataclass
class OnStream:
    """A frame with the id of another stream than is allowed."""

    frame: Frame
    stream_id: int

    def serialize(self) -> bytes:
        data = self.frame.serialize()
        return data[:5] + self.stream_id.to_bytes(4, "big") + data[9:]


def http2(
    *frames: Frame | OnStream,
    head: list[tuple[str, str]] = HEAD,
    more: tuple[tuple[str, str], ...] = (),
    end: bool = True,
    at_once: bool = True,
) -> Client:
    """A request and frames after it, in one write or in two."""

    async def come_and_go(ports: Ports) -> None:
        _, begin = request(head, *more, end=end)
        rest = b"".join(frame.serialize() for frame in frames)
        await over_tls(ports, *((begin + rest,) if at_once else (begin, rest)), protocol="h2")

    return come_and_go


def flags(frame: Frame, *names: str) -> Frame:
    for name in names:
        frame.flags.add(name)
    return frame


def bomb() -> list[Frame]:
    """A head of 48 megabytes in 16 kilobytes (CVE-2016-6581)."""
    entry = b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000
    return [flags(HeadersFrame(3, data=entry + b"\xbe" * 12_000), "END_HEADERS")]


def large_head() -> list[Frame]:
    data = b"\x00\x01a\x7f\xf1\xa1\x04" + b"b" * 70_000
    first, *others = [data[at : at + 15_000] for at in range(0, len(data), 15_000)]
    frames = [HeadersFrame(3, data=first), *(ContinuationFrame(3, data=part) for part in others)]
    flags(frames[-1], "END_HEADERS")
    return frames


def endless_head() -> list[Frame]:
    return [
        HeadersFrame(3, data=b"\x82"),
        *(ContinuationFrame(3, data=b"\x00\x01a\x01b") for _ in range(100)),
    ]


async def rapid_resets(ports: Ports) -> None:
    connection = client_of_http2()
    for stream_id in range(1, 601, 2):
        connection.send_headers(stream_id, HEAD, end_stream=True)
        connection.reset_stream(stream_id, ErrorCodes.CANCEL)
    await over_tls(ports, connection.data_to_send(), protocol="h2")


async def too_many_streams(ports: Ports) -> None:
    connection = client_of_http2()
    for stream_id in range(1, 301, 2):
        connection.send_headers(stream_id, HEAD, end_stream=True)
    await over_tls(ports, connection.data_to_send(), protocol="h2")


BROKEN: dict[str, Sequence[Frame | OnStream]] = {
    "GOAWAY": [GoAwayFrame(0)],
    "GOAWAY with an error": [GoAwayFrame(0, error_code=2)],
    "two GOAWAY frames": [GoAwayFrame(0), GoAwayFrame(0)],
    "GOAWAY on a stream": [OnStream(GoAwayFrame(0), 1)],
    "a bomb": bomb(),
    "invalid HPACK": [flags(HeadersFrame(3, data=b"\xff" * 50), "END_HEADERS")],
    "an endless head": endless_head(),
    "a head that is too large": large_head(),
    "an even stream": [flags(HeadersFrame(2, data=b"\x82"), "END_HEADERS")],
    "a head without a request": [flags(HeadersFrame(3, data=b"\x82"), "END_HEADERS")],
    "a reset of an unknown stream": [RstStreamFrame(99)],
    "data of an unknown stream": [DataFrame(99, data=b"x")],
    "data on stream 0": [OnStream(DataFrame(1, data=b"x"), 0)],
    "data after the end": [DataFrame(1, data=b"x")],
    "a window increment of zero": [WindowUpdateFrame(1, window_increment=0)],
    "a window that is too large": [WindowUpdateFrame(0, window_increment=2**31 - 1)],
    "a stream's window that is too large": [WindowUpdateFrame(1, window_increment=2**31 - 1)],
    "invalid settings": [SettingsFrame(0, settings={4: 2**32 - 1})],
    "frames that are too long": [DataFrame(1, data=bytes(70_000))],
    "a stream that depends on itself": [PriorityFrame(1, depends_on=1)],
    "a ping on a stream": [OnStream(PingFrame(0, opaque_data=b"12345678"), 1)],
    "a continuation without headers": [ContinuationFrame(1, data=b"\x82")],
    "a reset": [RstStreamFrame(1)],
}

HTTP2: dict[str, Client] = {
    **{f"{name}, at once": http2(*frames) for name, frames in BROKEN.items()},
    **{f"{name}, later": http2(*frames, at_once=False) for name, frames in BROKEN.items()},
    **{
        f"{name}, in a stream": http2(*frames, head=[*HEAD[:3], (":path", FILE)], at_once=False)
        for name, frames in BROKEN.items()
    },
    "half a body": http2(DataFrame(1, data=b'{"a":'), head=POST, end=False, at_once=False),
    "half a body, and a reset": http2(DataFrame(1, data=b"{"), RstStreamFrame(1), head=POST, end=False),
    "a body shorter than its length": http2(
        flags(DataFrame(1, data=b"{}"), "END_STREAM"), head=POST, more=(("content-length", "10"),), end=False
    ),
    "no preface": lambda ports: over_tls(ports, NOISE, protocol="h2"),
    "HTTP/1.1 after ALPN selected HTTP/2": lambda ports: over_tls(ports, get("/"), protocol="h2"),
    "rapid resets": rapid_resets,
    "too many streams": too_many_streams,
    "garbage after a request": lambda ports: over_tls(ports, request()[1], protocol="h2", raw=NOISE),
    "a WebSocket": http2(
        DataFrame(1, data=frame(0x83, b"x")),
        head=[(":method", "CONNECT"), *HEAD[1:3], (":path", SOCKET), (":protocol", "websocket")],
        more=(("sec-websocket-version", "13"),),
        end=False,
        at_once=False,
    ),
}

TLS: dict[str, Client] = {
    "HTTP without TLS": lambda ports: plain(ports, get("/"), tls=True, reset=False),
    "noise instead of TLS": lambda ports: plain(ports, NOISE, tls=True, reset=False),
    "half a handshake": half_tls,
    "half a handshake and garbage": partial(half_tls, garbage=NOISE),
    "no common version": old_tls,
    "resets after the handshake": over_tls,
    "garbage after the handshake": partial(over_tls, raw=NOISE),
    "garbage in a stream": lambda ports: over_tls(ports, get(FILE), raw=NOISE),
    "resets a stream over TLS": lambda ports: over_tls(ports, get(FILE)),
    "half a body over TLS": lambda ports: over_tls(ports, sending("PUT", STATE, b'{"a":', 1000)),
    "resets a WebSocket over TLS": lambda ports: over_tls(ports, upgrade(SOCKET)),
    "a byte after a handshake over TLS": lambda ports: over_tls(ports, upgrade(SOCKET) + b"x"),
    "resets events over TLS": lambda ports: over_tls(ports, get("/api/live")),
}

KINDS: dict[str, Client] = PLAIN | TLS | {f"HTTP/2: {name}": client for name, client in HTTP2.items()}
