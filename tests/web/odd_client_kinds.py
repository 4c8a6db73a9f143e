"""Clients that break off, break the rules, or never learned them: one of each kind, by name."""

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
"""Seconds a client goes on reading at most, where what it wants is seen neither in what comes nor in an end."""


@dataclass(frozen=True)
class Ports:
    """Where the server listens."""

    plain: int
    tls: int


type Client = Callable[[Ports], Awaitable[None]]


async def taken(stream: trio.abc.Stream, seconds: float = LINGER) -> None:
    """Read for a moment, or until the server closes."""
    with trio.move_on_after(seconds), suppress(trio.BrokenResourceError):
        while await stream.receive_some(1 << 16):
            pass


def reset_on_close(stream: trio.SocketStream) -> None:
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def plain(
    ports: Ports, *parts: bytes, reset: bool = True, first: int = 0, tls: bool = False, after: float = 0
) -> None:
    """Send the parts, each after a moment; read `first` bytes, or let `after` seconds pass, and reset or close."""
    stream = await trio.open_tcp_stream("127.0.0.1", ports.tls if tls else ports.plain)
    with suppress(trio.BrokenResourceError):
        for number, part in enumerate(parts):
            if number:
                await taken(stream)
            await stream.send_all(part)
        if first:
            with trio.move_on_after(5):
                await stream.receive_some(first)
        if not reset or after:
            await taken(stream, after or LINGER)
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
    "a length that is none": lambda ports: plain(ports, get("/", "Content-Length: many"), reset=False),
    "two lengths": lambda ports: plain(
        ports, get("/", "Content-Length: 1", "Content-Length: 2"), reset=False
    ),
    "a chunk that is none": lambda ports: plain(
        ports, get(STATE, "Transfer-Encoding: chunked").replace(b"GET", b"PUT") + b"zz\r\n", reset=False
    ),
    "a name that is none": lambda ports: plain(ports, get("/", "a b: c"), reset=False),
    "no host": lambda ports: plain(ports, b"GET / HTTP/1.1\r\n\r\n", reset=False),
    "a path that is no ASCII": lambda ports: plain(
        ports, b"GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n", reset=False
    ),
    "a method nobody knows": lambda ports: plain(ports, get("/").replace(b"GET", b"WHAT"), reset=False),
    "resets an answer to come": lambda ports: plain(ports, get("/api/videos")),
    "resets an answer": lambda ports: plain(ports, get("/api/videos"), first=1),
    "resets a stream": lambda ports: plain(ports, get(FILE), first=1),
    "closes in a stream": lambda ports: plain(ports, get(FILE), first=1, reset=False),
    "resets events": lambda ports: plain(ports, get("/api/live"), first=1),
    "resets events to come": lambda ports: plain(ports, get("/api/live")),
    "a request behind a stream": lambda ports: plain(ports, get(FILE) * 3, first=1),
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
    "more than it said": lambda ports: plain(ports, sending("PUT", STATE, b"{}" * 50, 10), reset=False),
    "a body that may not be so long": lambda ports: plain(
        ports, sending("PUT", "/api/videos/v1/playhead", b"x" * 200_000, 300_000)
    ),
    "waits to be asked on": lambda ports: plain(
        ports, sending("PUT", STATE, b"", 1000).replace(b"Host", b"Expect: 100-continue\r\nHost"), first=1
    ),
    "resets around a handshake": lambda ports: plain(ports, upgrade(SOCKET), after=random.random() / 100),
    "resets around an answer": lambda ports: plain(ports, get("/api/videos"), after=random.random() / 100),
    "resets a handshake": lambda ports: plain(ports, upgrade(SOCKET)),
    "resets a WebSocket": lambda ports: plain(ports, upgrade(SOCKET), first=1),
    "resets a WebSocket of nothing": lambda ports: plain(ports, upgrade("/api/ws/stream/none.mp4")),
    "resets a WebSocket of no route": lambda ports: plain(ports, upgrade("/api/none")),
    "closes a WebSocket": lambda ports: plain(ports, upgrade(SOCKET), first=1, reset=False),
    "a handshake of another origin": lambda ports: plain(ports, upgrade(SOCKET, "Origin: https://b.example")),
    "a handshake without a key": lambda ports: plain(
        ports, get(SOCKET, "Upgrade: websocket", "Connection: Upgrade"), reset=False
    ),
    "a handshake with a protocol nobody knows": lambda ports: plain(
        ports, upgrade(SOCKET, "Sec-WebSocket-Protocol: x"), first=1
    ),
    "a byte behind a handshake": lambda ports: plain(ports, upgrade(SOCKET) + b"x", reset=False),
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
            "no UTF-8": frame(0x81, b"\xff\xff"),
            "a control frame in parts": frame(0x09, b"x"),
            "a rest of nothing": frame(0x80, b"x"),
            "a closing code that is none": frame(0x88, b"\0\1"),
            "half a closing code": frame(0x88, b"\3"),
            "half a frame": frame(0x82, b"half")[:-2],
            "half a message": frame(0x01, b"half"),
            "no JSON": frame(0x81, b"no JSON"),
            "JSON of no use": frame(0x81, b"[1]"),
            "JSON too deep": frame(0x81, b"[" * 120),
            "a number beyond all": frame(0x81, b'{"type":"seek","to":1e999}'),
            "an empty message": frame(0x82, b""),
            "a long message": b"\x82\xff" + (1 << 40).to_bytes(8, "big") + bytes(4) + bytes(30_000),
            "a close, and gone": frame(0x88, b"\3\xe8"),
        }.items()
    },
}


async def half_tls(ports: Ports, *, garbage: bytes = b"") -> None:
    """Begin a handshake and break it off, with garbage in place of its end."""
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
    """A handshake that finds nothing in common."""
    context = trusting("h2")
    context.set_ciphers("ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    stream = trio.SSLStream(await trio.open_tcp_stream("127.0.0.1", ports.tls), context, server_hostname="a")
    with suppress(trio.BrokenResourceError):
        await stream.do_handshake()
    await trio.aclose_forcefully(stream)


async def within_tls(ports: Ports, *parts: bytes, protocol: str = "http/1.1", raw: bytes = b"") -> None:
    """As `plain`, within TLS; `raw` goes behind it without."""
    transport = await trio.open_tcp_stream("127.0.0.1", ports.tls)
    stream = trio.SSLStream(transport, trusting(protocol), server_hostname="localhost")
    with suppress(trio.BrokenResourceError):
        await stream.do_handshake()
        for number, part in enumerate(parts):
            if number:
                await taken(stream)
            await stream.send_all(part)
        if raw:
            await transport.send_all(raw)
        await taken(stream)
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
class Of:
    """A frame that says it is of another stream than it may be."""

    frame: Frame
    stream_id: int

    def serialize(self) -> bytes:
        data = self.frame.serialize()
        return data[:5] + self.stream_id.to_bytes(4, "big") + data[9:]


def http2(
    *frames: Frame | Of,
    head: list[tuple[str, str]] = HEAD,
    more: tuple[tuple[str, str], ...] = (),
    end: bool = True,
    at_once: bool = True,
) -> Client:
    """A request, and frames behind it; in one write, or in two."""

    async def come_and_go(ports: Ports) -> None:
        _, begin = request(head, *more, end=end)
        rest = b"".join(frame.serialize() for frame in frames)
        await within_tls(ports, *((begin + rest,) if at_once else (begin, rest)), protocol="h2")

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
    await within_tls(ports, connection.data_to_send(), protocol="h2")


async def too_many_streams(ports: Ports) -> None:
    connection = client_of_http2()
    for stream_id in range(1, 301, 2):
        connection.send_headers(stream_id, HEAD, end_stream=True)
    await within_tls(ports, connection.data_to_send(), protocol="h2")


BROKEN: dict[str, Sequence[Frame | Of]] = {
    "a goodbye": [GoAwayFrame(0)],
    "a goodbye with an error": [GoAwayFrame(0, error_code=2)],
    "two goodbyes": [GoAwayFrame(0), GoAwayFrame(0)],
    "a goodbye of a stream": [Of(GoAwayFrame(0), 1)],
    "a bomb": bomb(),
    "HPACK that is none": [flags(HeadersFrame(3, data=b"\xff" * 50), "END_HEADERS")],
    "a head without end": endless_head(),
    "a head that is too large": large_head(),
    "an even stream": [flags(HeadersFrame(2, data=b"\x82"), "END_HEADERS")],
    "a head that is no request": [flags(HeadersFrame(3, data=b"\x82"), "END_HEADERS")],
    "the end of a stream that never was": [RstStreamFrame(99)],
    "data of a stream that never was": [DataFrame(99, data=b"x")],
    "data of the connection": [Of(DataFrame(1, data=b"x"), 0)],
    "data behind the end": [DataFrame(1, data=b"x")],
    "a window of nothing": [WindowUpdateFrame(1, window_increment=0)],
    "a window that is too wide": [WindowUpdateFrame(0, window_increment=2**31 - 1)],
    "a stream's window that is too wide": [WindowUpdateFrame(1, window_increment=2**31 - 1)],
    "settings that are none": [SettingsFrame(0, settings={4: 2**32 - 1})],
    "frames that are too long": [DataFrame(1, data=bytes(70_000))],
    "a stream that depends on itself": [PriorityFrame(1, depends_on=1)],
    "a ping of a stream": [Of(PingFrame(0, opaque_data=b"12345678"), 1)],
    "a continuation of nothing": [ContinuationFrame(1, data=b"\x82")],
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
    "less than it said": http2(
        flags(DataFrame(1, data=b"{}"), "END_STREAM"), head=POST, more=(("content-length", "10"),), end=False
    ),
    "no preface": lambda ports: within_tls(ports, NOISE, protocol="h2"),
    "HTTP/1.1 where HTTP/2 was agreed": lambda ports: within_tls(ports, get("/"), protocol="h2"),
    "rapid resets": rapid_resets,
    "too many streams": too_many_streams,
    "garbage behind a request": lambda ports: within_tls(ports, request()[1], protocol="h2", raw=NOISE),
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
    "noise in place of TLS": lambda ports: plain(ports, NOISE, tls=True, reset=False),
    "half a handshake": half_tls,
    "half a handshake and garbage": partial(half_tls, garbage=NOISE),
    "nothing in common": old_tls,
    "resets behind the handshake": within_tls,
    "garbage behind the handshake": partial(within_tls, raw=NOISE),
    "garbage in a stream": lambda ports: within_tls(ports, get(FILE), raw=NOISE),
    "resets a stream within TLS": lambda ports: within_tls(ports, get(FILE)),
    "half a body within TLS": lambda ports: within_tls(ports, sending("PUT", STATE, b'{"a":', 1000)),
    "resets a WebSocket within TLS": lambda ports: within_tls(ports, upgrade(SOCKET)),
    "a byte behind a handshake within TLS": lambda ports: within_tls(ports, upgrade(SOCKET) + b"x"),
    "resets events within TLS": lambda ports: within_tls(ports, get("/api/live")),
}

KINDS: dict[str, Client] = PLAIN | TLS | {f"HTTP/2: {name}": client for name, client in HTTP2.items()}
