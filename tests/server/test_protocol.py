"""HTTP/2 without TLS and HTTP/3 are off by default.

Upstream (docs/upstream/h2.md): every plain port supports h2c, and HTTP/3 has no backpressure.
"""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.http2 import http2, tls
from tests.server.pairs import plain
from tests.support import Server, exchange, wait_until

APP = """
async def app(scope, receive, send, *_):
    if scope["type"] == "lifespan":
        return await lifespan(receive, send)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"small"})
"""

type Start = Callable[..., Server]

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
UPGRADE = (
    b"GET /small HTTP/1.1\r\nHost: t\r\nConnection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
    b"HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"
)


@pytest.mark.parametrize(
    ("guarded", "limits"),
    [pytest.param(False, "", marks=plain), (True, ""), (True, "h2c=True")],
    ids=["plain", "guarded", "enabled"],
)
async def test_http2_without_tls_is_off(serve: Start, guarded: bool, limits: str) -> None:
    server = serve(APP, guarded=guarded, limits=limits)
    with_prior_knowledge = await exchange(server, PREFACE + b"\x00\x00\x00\x07", limit=9)
    upgraded = await exchange(server, UPGRADE, limit=9)
    if guarded and not limits:
        assert with_prior_knowledge.startswith(b"HTTP/1.1 505 ")
        assert upgraded.startswith(b"HTTP/1.1 200 ")
    else:
        assert with_prior_knowledge[3] == 4  # SETTINGS
        assert upgraded.startswith(b"HTTP/1.1 101 ")


async def test_http2_with_prior_knowledge_is_refused_over_tls_too(
    serve: Start, certificate: tuple[str, ...]
) -> None:
    async with tls(serve(APP, guarded=True, hypercorn=certificate), "http/1.1") as stream:
        await stream.send_all(PREFACE)
        assert (await stream.receive_some(4096)).startswith(b"HTTP/1.1 505 ")


@plain
async def test_plain_hypercorn_starts_http3(
    serve: Start, certificate: tuple[str, ...], tmp_path: Path
) -> None:
    quic = (*certificate, "--quic-bind", "127.0.0.1:0")
    with suppress(AssertionError):  # raised by the helper if the server exits that early
        serve(APP, guarded=False, hypercorn=quic)
    log = next(tmp_path.glob("app-*/server.log"))
    await wait_until(lambda: "aioquic" in log.read_text(), 5, "it to fail for lack of aioquic")


async def test_http3_is_off(serve: Start, certificate: tuple[str, ...]) -> None:
    server = serve(APP, guarded=True, hypercorn=(*certificate, "--quic-bind", "127.0.0.1:0"))
    await wait_until(lambda: "HTTP/3 is off" in server.log, 5, "the message")
    async with http2(server) as client:
        head, body = await client.whole("/small")
    assert body == b"small"
    assert "alt-svc" not in head
