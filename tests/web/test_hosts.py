"""A foreign name that resolves to the server (DNS rebinding): all requests under it are refused."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support import Server, connect, serving
from tests.websocket import Client, Rejected
from trio_stream.web.asgi.exchange import OWN_NAMES

EVIL = "evil.example"

PATHS = ("/", "/healthz", "/docs", "/nothing", "/api/videos", "/api/videos?limit=1", "/api/stream/v.mp4")


@pytest.fixture(scope="module", params=["1", "0"], ids=["direct", "through-quart"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hosts")
    (folder / "videos").mkdir()
    (folder / "videos" / "v.mp4").write_bytes(b"video")
    settings = {
        "TRIO_STREAM_DIRECT": request.param,
        "TRIO_STREAM_HOSTS": "films.example, .many.example",
        "TRIO_STREAM_TRUSTED_PROXIES": "127.0.0.2",
    }
    with serving(folder / "videos", folder, environ=settings) as running:
        yield running


def send(server: Server, method: str, path: str, source: str = "127.0.0.1", **fields: str) -> httpx.Response:
    """A request with `fields`, with hyphens instead of underscores."""
    transport = httpx.HTTPTransport(local_address=source)
    with httpx.Client(base_url=server.url, transport=transport, timeout=30) as client:
        return client.request(
            method, path, headers={name.replace("_", "-"): value for name, value in fields.items()}
        )


def is_refused(response: httpx.Response) -> None:
    assert response.status_code == 421
    if response.request.method != "HEAD":
        problem = response.json()
        assert problem["code"] == "wrong-host"
        assert EVIL in problem["detail"]
        assert "TRIO_STREAM_HOSTS" in problem["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_can_be_read_under_a_foreign_name(server: Server, path: str, method: str) -> None:
    is_refused(send(server, method, path, Host=f"{EVIL}:8000"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/history"),
        ("DELETE", "/api/streams/0123456789ab"),
        ("PUT", "/api/videos/0123456789abcdef/playhead"),
        ("POST", "/api/library/scan"),
    ],
)
def test_nothing_can_be_changed_under_a_foreign_name(server: Server, method: str, path: str) -> None:
    is_refused(send(server, method, path, Host=EVIL, Origin=f"http://{EVIL}"))


async def test_no_websocket_opens_under_a_foreign_name(server: Server) -> None:
    for origin in (f"http://{EVIL}", f"http://{server.host}:{server.port}"):
        async with await connect(server) as stream:
            fields = [("Origin", origin)]
            with pytest.raises(Rejected) as refused:
                await Client(stream).shake_hands(EVIL, "/api/ws/stream/v.mp4", (), fields)
        assert (refused.value.status, json.loads(refused.value.body)["code"]) == (421, "wrong-host")


@pytest.mark.parametrize(
    "name", ["nas", "nas.local:8000", "[::1]:8000", "films.example", "a.many.example", *OWN_NAMES]
)
def test_own_names_are_accepted(server: Server, name: str) -> None:
    for path in ("/api/videos", "/api/stream/v.mp4"):
        assert send(server, "GET", path, Host=name).status_code == 200
    assert send(server, "DELETE", "/api/history", Host=name, Origin=f"http://{name}").status_code == 204


def test_a_trusted_proxy_can_give_the_host(server: Server) -> None:
    forwarded = {"Host": f"{server.host}:{server.port}", "X_Forwarded_Host": "films.example"}
    origin = "https://films.example"
    path = "/api/history"
    assert send(server, "DELETE", path, "127.0.0.2", **forwarded, Origin=origin).status_code == 204
    assert send(server, "DELETE", path, **forwarded, Origin=origin).status_code == 403, "other peers cannot"
    is_refused(send(server, "GET", "/api/videos", "127.0.0.2", **forwarded | {"X_Forwarded_Host": EVIL}))
    # A proxy that does not set the field forwards what a page has put there.
    is_refused(send(server, "GET", "/api/videos", "127.0.0.2", **forwarded | {"Host": EVIL}))


async def test_requests_without_a_host_are_served(server: Server) -> None:
    async with await connect(server) as stream:
        await stream.send_all(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert (await stream.receive_some(100)).startswith(b"HTTP/1.1 200")
