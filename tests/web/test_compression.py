"""Long JSON is compressed for clients that accept gzip, and has `Vary`."""

import gzip
import json
from collections.abc import Iterator

import httpx
import pytest

from tests.support import Server
from trio_stream.web.asgi.compression import MIN_SIZE

LONG, SHORT = "/api/videos?limit=50", "/healthz"


@pytest.fixture
def client(stocked: Server) -> Iterator[httpx.Client]:
    with stocked.client() as client:
        del client.headers["Accept-Encoding"]
        yield client


def raw(
    client: httpx.Client, path: str, accepted: str | None, method: str = "GET"
) -> tuple[httpx.Response, bytes]:
    """The response, and its body without decompression."""
    fields = {"Accept-Encoding": accepted} if accepted is not None else {}
    with client.stream(method, path, headers=fields) as response:
        return response, b"".join(response.iter_raw())


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*"])
def test_clients_that_accept_gzip_get_it(client: httpx.Client, accepted: str) -> None:
    response, body = raw(client, LONG, accepted)
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(body))
    assert "Accept-Encoding" in response.headers["Vary"]
    plain = gzip.decompress(body)
    assert json.loads(plain)["items"]
    assert len(body) < len(plain) > MIN_SIZE


@pytest.mark.parametrize("accepted", [None, "identity", "gzip;q=0", "br", "gzip;q=0.1, identity"])
def test_clients_that_do_not_accept_gzip_get_plain_json(client: httpx.Client, accepted: str | None) -> None:
    response, body = raw(client, LONG, accepted)
    assert "Content-Encoding" not in response.headers
    assert "Accept-Encoding" in response.headers["Vary"]
    assert json.loads(body)["items"]


def test_small_bodies_are_not_compressed(client: httpx.Client) -> None:
    response, body = raw(client, SHORT, "gzip")
    assert "Content-Encoding" not in response.headers
    assert "Vary" not in response.headers
    assert len(body) < MIN_SIZE


def test_responses_with_a_validator_are_not_compressed(client: httpx.Client) -> None:
    response, body = raw(client, "/openapi.json", "gzip")
    assert "Content-Encoding" not in response.headers
    assert len(body) > MIN_SIZE


def test_head_has_the_same_headers(client: httpx.Client) -> None:
    response, body = raw(client, LONG, "gzip", "HEAD")
    assert (response.headers["Content-Encoding"], body) == ("gzip", b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/api/videos", "/api/videos?limit=1", "/api/library", "/api/streams"),
        *("/api/metrics", "/api/history", "/api/watch-state"),
    ],
)
def test_lists_must_not_be_cached(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"


def test_a_video_must_not_be_cached(client: httpx.Client) -> None:
    (item, *_) = client.get("/api/videos?limit=1").json()["items"]
    details = client.get(item["urls"]["self"])
    stored = client.put(f"{item['urls']['self']}/playhead", json={"position": 1})
    for response in (details, stored):
        assert response.headers["Cache-Control"] == "no-store"
    client.delete(f"{item['urls']['self']}/playhead")
