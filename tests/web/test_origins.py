"""What pages of other sites are allowed to do, with requests as browsers send them."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from tests.support import Server, connect, read_head, serving, wait_until
from tests.websocket import Rejected, opened
from trio_stream.web.openapi.document import document

LARGE = 64 << 20
"""More than a socket buffer can hold, so that a stream of it keeps running if the client does not read."""

FRIEND = "https://friend.example"
OTHER_FRIEND = "http://10.0.0.5:8080"
FOE = "https://foe.example"

EXPOSED = {"Content-Range", "Accept-Ranges", "ETag", "Content-Length"}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("library")
    (library / "v.mp4").write_bytes(b"0123456789" * 100)
    with (library / "large.mp4").open("wb") as file:
        file.truncate(LARGE)
    return library


def serve(library: Path, folder: Path, origins: str | None) -> Iterator[Server]:
    environ = {"TRIO_STREAM_HOSTS": "tv.example"}
    if origins is not None:
        environ["TRIO_STREAM_CORS_ORIGINS"] = origins
    with serving(library, folder, environ=environ) as server:
        yield server


@pytest.fixture(scope="module")
def default(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that allows no other origin."""
    yield from serve(library, tmp_path_factory.mktemp("default"), None)


@pytest.fixture(scope="module")
def with_allowed_origins(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that allows some origins."""
    yield from serve(library, tmp_path_factory.mktemp("with_allowed_origins"), f"{FRIEND}, {OTHER_FRIEND}")


@pytest.fixture(scope="module")
def public(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that allows every origin."""
    yield from serve(library, tmp_path_factory.mktemp("public"), "*")


def send(server: Server, method: str, path: str, **fields: str) -> httpx.Response:
    """A request with `fields`, with hyphens instead of underscores."""
    with server.client() as client:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return client.request(method, path, headers=headers)


def preflight(
    server: Server, path: str, origin: str, method: str = "GET", names: str = "range"
) -> httpx.Response:
    return send(
        server,
        "OPTIONS",
        path,
        Origin=origin,
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers=names,
    )


def access(response: httpx.Response) -> dict[str, str]:
    """The fields of the CORS protocol."""
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


def listed(response: httpx.Response, name: str) -> set[str]:
    """The members of a field that is a list."""
    return {member.strip() for member in response.headers.get(name, "").split(",")} - {""}


REQUESTS = [
    pytest.param("GET", "/api/stream/v.mp4", {}, 200, id="200"),
    pytest.param("HEAD", "/api/stream/v.mp4", {}, 200, id="HEAD"),
    pytest.param("GET", "/api/stream/v.mp4", {"Range": "bytes=5-9"}, 206, id="206"),
    pytest.param("GET", "/api/stream/v.mp4", {"Range": "bytes=0-1,5-9"}, 206, id="206 parts"),
    pytest.param("GET", "/api/stream/v.mp4", {"If_None_Match": "*"}, 304, id="304"),
    pytest.param("GET", "/api/stream/missing.mp4", {}, 404, id="404 video"),
    pytest.param("GET", "/nowhere", {}, 404, id="404 path"),
    pytest.param("POST", "/api/stream/v.mp4", {}, 405, id="405"),
    pytest.param("GET", "/api/stream/v.mp4", {"If_Match": '"other"'}, 412, id="412"),
    pytest.param("GET", "/api/stream/v.mp4", {"Range": "bytes=5000-"}, 416, id="416"),
    pytest.param("GET", "/api/videos", {}, 200, id="videos"),
    pytest.param("GET", "/api/metrics", {}, 200, id="metrics"),
    pytest.param("DELETE", "/api/streams/none", {}, 404, id="DELETE"),
]

READING = [request for request in REQUESTS if request.values[0] in ("GET", "HEAD")]


@pytest.mark.parametrize(("method", "path", "fields", "status"), READING)
def test_by_default_pages_of_other_sites_cannot_read(
    default: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in (FOE, FRIEND, "null"):
        response = send(default, method, path, Origin=origin, **fields)
        assert response.status_code == status
        assert access(response) == {}, origin


def test_by_default_no_preflight_is_granted(default: Server) -> None:
    for method in ("GET", "DELETE"):
        response = preflight(default, "/api/stream/v.mp4", FOE, method)
        assert response.status_code == 204
        assert access(response) == {}


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_an_allowed_origin_can_read_every_response(
    with_allowed_origins: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for friend in (FRIEND, OTHER_FRIEND):
        response = send(with_allowed_origins, method, path, Origin=friend, **fields)
        assert response.status_code == status
        assert set(access(response)) == {"access-control-allow-origin", "access-control-expose-headers"}
        assert response.headers.get_list("Access-Control-Allow-Origin") == [friend]
        assert listed(response, "Access-Control-Expose-Headers") >= EXPOSED
        assert "Origin" in listed(response, "Vary")


@pytest.mark.parametrize(("method", "path", "fields", "status"), READING)
def test_other_origins_cannot_read(
    with_allowed_origins: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in (FOE, "null", "http://friend.example", f"{FRIEND}:8443", f"{FRIEND}.foe.example"):
        response = send(with_allowed_origins, method, path, Origin=origin, **fields)
        assert response.status_code == status
        assert access(response) == {}, origin
        assert "Origin" in listed(response, "Vary"), "a cache must not return this to an allowed origin"


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_responses_without_an_origin_vary_by_it(
    with_allowed_origins: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    response = send(with_allowed_origins, method, path, **fields)
    assert response.status_code == status
    assert access(response) == {}
    assert "Origin" in listed(response, "Vary")


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_a_public_server_allows_every_origin(
    public: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in ({}, {"Origin": FOE}, {"Origin": "null"}):
        response = send(public, method, path, **origin, **fields)
        assert response.status_code == status
        assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]
        assert listed(response, "Access-Control-Expose-Headers") >= EXPOSED
        assert "access-control-allow-credentials" not in access(response)


def test_an_existing_vary_stays(with_allowed_origins: Server) -> None:
    response = send(with_allowed_origins, "GET", "/", Origin=FRIEND, Accept="text/html")
    assert listed(response, "Vary") == {"Accept", "Origin"}


@pytest.mark.parametrize("path", ["/api/stream/v.mp4", "/api/videos", "/api/streams/none"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_an_allowed_origin_is_granted_a_preflight(
    with_allowed_origins: Server, path: str, method: str
) -> None:
    response = preflight(with_allowed_origins, path, FRIEND, method, "range, if-range")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["Access-Control-Allow-Origin"] == FRIEND
    assert method in listed(response, "Access-Control-Allow-Methods")
    allowed = {name.lower() for name in listed(response, "Access-Control-Allow-Headers")}
    assert {"range", "if-range", "if-none-match", "if-modified-since"} <= allowed
    assert int(response.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in listed(response, "Vary")


@pytest.mark.parametrize(("origin", "method"), [(FOE, "GET"), ("null", "GET"), (FOE, "DELETE")])
def test_other_origins_are_not_granted_a_preflight(
    with_allowed_origins: Server, origin: str, method: str
) -> None:
    response = preflight(with_allowed_origins, "/api/stream/v.mp4", origin, method)
    assert response.status_code == 204
    assert access(response) == {}
    assert "Origin" in listed(response, "Vary")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "MOVE", "put", "get", "*"])
def test_an_unsupported_method_is_not_granted(with_allowed_origins: Server, method: str) -> None:
    response = preflight(with_allowed_origins, "/api/stream/v.mp4", FRIEND, method)
    assert "access-control-allow-methods" not in access(response)
    assert "access-control-allow-headers" not in access(response)


def test_a_public_server_grants_every_preflight(public: Server) -> None:
    response = preflight(public, "/api/stream/v.mp4", FOE, "DELETE")
    assert response.status_code == 204
    assert response.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert "DELETE" in listed(response, "Access-Control-Allow-Methods")
    assert "Range" in listed(response, "Access-Control-Allow-Headers")


def test_options_without_the_fields_of_a_preflight(with_allowed_origins: Server) -> None:
    response = send(with_allowed_origins, "OPTIONS", "/api/stream/v.mp4", Origin=FRIEND)
    assert response.status_code == 200
    assert {"GET", "HEAD"} <= listed(response, "Allow")
    assert "access-control-allow-methods" not in access(response)


@pytest.mark.parametrize(
    ("name", "origin", "may"),
    [
        ("default", FOE, False),
        ("default", FRIEND, False),
        ("default", "null", False),
        ("default", "", False),
        ("default", "http://127.0.0.1", False),
        ("default", "http://127.0.0.1:1", False),
        ("default", "http://localhost:{port}", False),
        ("default", "http://127.0.0.1:{port}", True),
        ("default", "https://127.0.0.1:{port}", True),
        ("default", None, True),
        ("with_allowed_origins", FOE, False),
        ("with_allowed_origins", "null", False),
        ("with_allowed_origins", FRIEND, True),
        ("with_allowed_origins", "http://127.0.0.1:{port}", True),
        ("with_allowed_origins", None, True),
        ("public", FOE, True),
        ("public", "null", True),
        ("public", None, True),
    ],
)
async def test_origins_that_can_end_a_stream(
    request: pytest.FixtureRequest, name: str, origin: str | None, may: bool
) -> None:
    server: Server = request.getfixturevalue(name)
    fields = {} if origin is None else {"Origin": origin.format(port=server.port)}
    await wait_until(lambda: server.metrics()["active_streams"] == 0, 5, "the previous streams to end")
    async with await connect(server) as stream:
        await stream.send_all(b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        [running] = server.get("/api/streams").json()["streams"]
        response = send(server, "DELETE", f"/api/streams/{running['id']}", **fields)
        if may:
            assert response.status_code == 204
            await wait_until(lambda: server.metrics()["active_streams"] == 0, 5, "the stream to end")
        else:
            assert response.status_code == 403
            assert response.headers["Content-Type"] == "application/problem+json"
            assert response.json()["code"] == "foreign-origin"
            assert access(response) == {}
            got = 0
            with trio.fail_after(60):
                while got < LARGE // 2:
                    got += len(data := await stream.receive_some(1 << 20))
                    assert data, "it continues"
            [remaining] = server.get("/api/streams").json()["streams"]
            assert remaining["id"] == running["id"]


CHANGES = [
    ("PATCH", f"/api/videos/{'0' * 16}"),
    ("PUT", f"/api/videos/{'0' * 16}/playhead"),
    ("DELETE", f"/api/videos/{'0' * 16}/playhead"),
    ("DELETE", "/api/history"),
    ("PUT", "/api/watch-state"),
    ("POST", "/api/library/scan"),
    ("DELETE", "/api/streams/none"),
]


def test_all_routes_that_change_data_are_covered() -> None:
    paths = document()["paths"]
    found = {
        (method.upper(), path.replace("streams/{id}", "streams/none").replace("{id}", "0" * 16))
        for path, about in paths.items()
        for method in about
        if method in ("post", "put", "patch", "delete")
    }
    assert found == set(CHANGES)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_other_origins_cannot_change_anything(
    default: Server, with_allowed_origins: Server, method: str, path: str
) -> None:
    for server in (default, with_allowed_origins):
        for origin in (FOE, "null", "http://127.0.0.1:1"):
            response = send(server, method, path, Origin=origin)
            assert response.status_code == 403
            assert response.json()["code"] == "foreign-origin"
            assert access(response) == {}
        ours = f"http://127.0.0.1:{server.port}"
        for origin in (ours, *([FRIEND] if server is with_allowed_origins else [])):
            assert send(server, method, path, Origin=origin).status_code in (202, 204, 400, 404)


def test_the_own_host_is_allowed_with_another_scheme(default: Server) -> None:
    """Behind a proxy, the name that the browser uses arrives as Host."""
    for origin, status in (("https://tv.example", 404), ("https://foe.example", 403)):
        response = send(default, "DELETE", "/api/streams/none", Host="tv.example", Origin=origin)
        assert response.status_code == status


@pytest.mark.parametrize(
    ("name", "origin", "may"),
    [("default", FOE, False), ("default", None, True), ("with_allowed_origins", FRIEND, True), ("with_allowed_origins", FOE, False),
     ("public", FOE, True)],
)  # fmt: skip
async def test_origins_that_can_open_a_websocket(
    request: pytest.FixtureRequest, name: str, origin: str | None, may: bool
) -> None:
    server: Server = request.getfixturevalue(name)
    headers = [] if origin is None else [(b"Origin", origin.encode())]
    if may:
        async with opened(server, "/api/ws/stream/v.mp4", headers=headers) as client:
            assert (await client.everything())[0] == b"0123456789" * 100
    else:
        with pytest.raises(Rejected) as refused:
            async with opened(server, "/api/ws/stream/v.mp4", headers=headers):
                raise AssertionError("opened")
        assert refused.value.status == 403
        assert b"foreign-origin" in refused.value.body
