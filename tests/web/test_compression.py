"""Long JSON is packed for those who take it so, and says that it depends on that."""

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
    """The response, and its body as it came."""
    fields = {"Accept-Encoding": accepted} if accepted is not None else {}
    with client.stream(method, path, headers=fields) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*"])
def test_who_takes_it_gets_it_packed(client: httpx.Client, accepted: str) -> None:
    answer, body = raw(client, LONG, accepted)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Length"] == str(len(body))
    assert "Accept-Encoding" in answer.headers["Vary"]
    plain = gzip.decompress(body)
    assert json.loads(plain)["items"]
    assert len(body) < len(plain) > MIN_SIZE


@pytest.mark.parametrize("accepted", [None, "identity", "gzip;q=0", "br", "gzip;q=0.1, identity"])
def test_who_does_not_gets_it_as_it_is(client: httpx.Client, accepted: str | None) -> None:
    answer, body = raw(client, LONG, accepted)
    assert "Content-Encoding" not in answer.headers
    assert "Accept-Encoding" in answer.headers["Vary"]
    assert json.loads(body)["items"]


def test_what_fits_into_a_packet_is_left_alone(client: httpx.Client) -> None:
    answer, body = raw(client, SHORT, "gzip")
    assert "Content-Encoding" not in answer.headers
    assert "Vary" not in answer.headers
    assert len(body) < MIN_SIZE


def test_what_has_a_validator_is_left_alone(client: httpx.Client) -> None:
    answer, body = raw(client, "/openapi.json", "gzip")
    assert "Content-Encoding" not in answer.headers
    assert len(body) > MIN_SIZE


def test_the_head_of_it_is_the_same(client: httpx.Client) -> None:
    answer, body = raw(client, LONG, "gzip", "HEAD")
    assert (answer.headers["Content-Encoding"], body) == ("gzip", b"")


@pytest.mark.parametrize(
    "path",
    [
        *("/healthz", "/readyz", "/api/videos", "/api/videos?limit=1", "/api/library", "/api/streams"),
        *("/api/metrics", "/api/history", "/api/watch-state"),
    ],
)
def test_no_cache_keeps_what_is_of_now(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"


def test_no_cache_keeps_one_video(client: httpx.Client) -> None:
    (item, *_) = client.get("/api/videos?limit=1").json()["items"]
    details = client.get(item["urls"]["self"])
    kept = client.put(f"{item['urls']['self']}/playhead", json={"position": 1})
    for answer in (details, kept):
        assert answer.headers["Cache-Control"] == "no-store"
    client.delete(f"{item['urls']['self']}/playhead")
