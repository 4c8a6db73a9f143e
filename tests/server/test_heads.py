"""Heads of requests that are too long, or never arrive.

Hypercorn itself limits them: an incomplete head may have 16 KiB (`h11_max_incomplete_size`), and a connection without a
request may last for `keep_alive_timeout`. There is no fault to show. But the guards change how a connection is read and
how it ends, and these limits must hold with them too.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import trio
from hyperframe.frame import ContinuationFrame, HeadersFrame, PingFrame, SettingsFrame

from tests.http2 import tls
from tests.server.pairs import both
from tests.support import SLOWER, Server, connect, exchange, until_end

APP = """
async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    if scope["path"] == "/body":
        while (await receive()).get("more_body"):
            pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""

KIB = 1024

REQUEST = b"GET / HTTP/1.1\r\nHost: t\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n"
CHUNKED = b"POST /body HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"


type Serve = Callable[..., Server]

ENDLESS = {
    "a method": (b"", b"A"),
    "a request line": (b"GET /", b"a"),
    "the name of a field": (REQUEST, b"A"),
    "a field": (REQUEST + b"A: ", b"b"),
    "fields": (REQUEST, b"A: b\r\n"),
    "the size of a chunk": (CHUNKED, b"1"),
    "the extension of a chunk": (CHUNKED + b"1;", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n"),
}


@both
async def test_a_long_head_is_accepted(serve: Serve, guarded: bool) -> None:
    server = serve(APP, guarded=guarded)
    for line in (b"A: " + b"b" * 15 * KIB + b"\r\n", b"A: b\r\n" * (15 * KIB // 6)):
        assert b" 200 " in await exchange(server, LAST[:-2] + line + b"\r\n")


@both
async def test_endless_input_is_refused(serve: Serve, guarded: bool) -> None:
    server = serve(APP, guarded=guarded)
    before = server.private_memory()
    for name, (start, repeated) in ENDLESS.items():
        async with await connect(server) as stream, trio.open_nursery() as nursery:

            async def send_endlessly(stream: trio.SocketStream, start: bytes, repeated: bytes) -> None:
                with suppress(trio.BrokenResourceError):  # the server closes the connection
                    await stream.send_all(start)
                    while True:
                        await stream.send_all(repeated * KIB)

            nursery.start_soon(send_endlessly, stream, start, repeated)
            response = await until_end(stream, SLOWER * 2)
            assert (response or b"").startswith(b"HTTP/1.1 431 "), name
    # Each connection sent as much as it could, and the server kept 16 KiB of that until it closed the connection.
    assert server.private_memory() - before < len(ENDLESS) * KIB * KIB
    assert b" 200 " in await exchange(server, LAST)
    assert "failed" not in server.log


async def drip(stream: trio.abc.SendStream, data: bytes) -> None:
    """Send a byte now and then, for longer than any timeout here."""
    with suppress(trio.BrokenResourceError):
        for byte in data:
            await trio.sleep(0.05)
            await stream.send_all(bytes((byte,)))


KEEP_ALIVE = ("--keep-alive", "1")

FIELD = b"a" * 500
SLOW: dict[str, tuple[bytes, int, bytes]] = {
    "nothing at all": (b"", 0, b""),
    "a request line": (b"", 0, b"GET /" + FIELD),
    "a field": (REQUEST, 0, FIELD),
    "nothing further": (REQUEST + b"\r\n", 1, b""),
    "a second head": (REQUEST + b"\r\n", 1, FIELD),
    "a second head that came with the first": (REQUEST + b"\r\n" + REQUEST, 1, FIELD),
    "a third head": ((REQUEST + b"\r\n") * 2 + REQUEST, 2, FIELD),
}
"""What is sent at once, the number of responses to that, and what is sent slowly from then on."""


@pytest.mark.parametrize("secure", [False, True], ids=["TCP", "TLS"])
@both
async def test_a_slow_head_is_cut_off(
    serve: Serve, certificate: tuple[str, ...], guarded: bool, secure: bool
) -> None:
    server = serve(APP, guarded=guarded, hypercorn=(*KEEP_ALIVE, *(certificate if secure else ())))

    async def send_slowly(name: str, at_once: bytes, responses: int, slowly: bytes) -> None:
        began = trio.current_time()  # before the server can start to wait
        opening = tls(server, "http/1.1") if secure else await connect(server)
        async with opening as stream, trio.open_nursery() as nursery:
            await stream.send_all(at_once)
            nursery.start_soon(drip, stream, slowly)
            got = await until_end(stream, SLOWER * 2)
            assert got is not None, name
            assert trio.current_time() - began > 0.9, name
            assert got.count(b" 200 ") == responses, name
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for name, case in SLOW.items():
            nursery.start_soon(send_slowly, name, *case)


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()
SLOW_HTTP2: dict[str, tuple[bytes, bytes]] = {
    "nothing at all": (b"", b""),
    "the preface": (b"", PREFACE),
    "nothing further": (PREFACE, b""),
    "pings": (PREFACE, PingFrame(0).serialize() * 30),
    "a head": (PREFACE + HeadersFrame(1, data=b"\x82").serialize(), ContinuationFrame(1).serialize() * 60),
}


@both
async def test_an_http2_connection_without_a_request_is_cut_off(
    serve: Serve, certificate: tuple[str, ...], guarded: bool
) -> None:
    server = serve(APP, guarded=guarded, hypercorn=(*KEEP_ALIVE, *certificate))

    async def send_slowly(name: str, at_once: bytes, slowly: bytes) -> None:
        began = trio.current_time()  # before the server can start to wait
        async with tls(server, "h2") as stream, trio.open_nursery() as nursery:
            await stream.send_all(at_once)
            nursery.start_soon(drip, stream, slowly)
            assert await until_end(stream, SLOWER * 2) is not None, name
            assert trio.current_time() - began > 0.9, name
            nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        for name, case in SLOW_HTTP2.items():
            nursery.start_soon(send_slowly, name, *case)


@both
async def test_an_unfinished_tls_handshake_is_cut_off(
    serve: Serve, certificate: tuple[str, ...], tmp_path: Path, guarded: bool
) -> None:
    """The timeout is Hypercorn's `ssl_handshake_timeout` of one minute, which has no command-line option."""
    (tmp_path / "hypercorn.toml").write_text("ssl_handshake_timeout = 1\n")
    options = ("--config", str(tmp_path / "hypercorn.toml"), *certificate)
    server = serve(APP, guarded=guarded, hypercorn=options)
    async with await connect(server) as silent, await connect(server) as slow, trio.open_nursery() as nursery:
        nursery.start_soon(drip, slow, b"\x16\x03\x01\x02\x00" + bytes(500))
        for stream in (silent, slow):
            assert await until_end(stream, SLOWER * 2) == b""
        nursery.cancel_scope.cancel()
