"""What pages of other sites may do, asked as browsers ask."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trio

from tests.support import Server, connect, read_head, serving, wait_until
from tests.websocket import Rejected, opened
from trio_stream.web.openapi.document import document

LARGE = 64 << 20
"""More than a socket buffer takes, so that a stream of it is still running when nobody reads."""

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
    """A server that lets nobody in."""
    yield from serve(library, tmp_path_factory.mktemp("default"), None)


@pytest.fixture(scope="module")
def friendly(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets friends in."""
    yield from serve(library, tmp_path_factory.mktemp("friendly"), f"{FRIEND}, {OTHER_FRIEND}")


@pytest.fixture(scope="module")
def public(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that lets everybody in."""
    yield from serve(library, tmp_path_factory.mktemp("public"), "*")


def ask(server: Server, method: str, path: str, **fields: str) -> httpx.Response:
    """A request with `fields`, whose underscores are hyphens."""
    with server.client() as client:
        headers = {name.replace("_", "-"): value for name, value in fields.items()}
        return client.request(method, path, headers=headers)


def preflight(
    server: Server, path: str, origin: str, method: str = "GET", names: str = "range"
) -> httpx.Response:
    return ask(
        server,
        "OPTIONS",
        path,
        Origin=origin,
        Access_Control_Request_Method=method,
        Access_Control_Request_Headers=names,
    )


def access(answer: httpx.Response) -> dict[str, str]:
    """The fields of the CORS protocol."""
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def listed(answer: httpx.Response, name: str) -> set[str]:
    """The members of a field that is a list."""
    return {member.strip() for member in answer.headers.get(name, "").split(",")} - {""}


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
def test_by_default_no_other_page_may_read(
    default: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in (FOE, FRIEND, "null"):
        answer = ask(default, method, path, Origin=origin, **fields)
        assert answer.status_code == status
        assert access(answer) == {}, origin


def test_by_default_no_preflight_is_granted(default: Server) -> None:
    for method in ("GET", "DELETE"):
        answer = preflight(default, "/api/stream/v.mp4", FOE, method)
        assert answer.status_code == 204
        assert access(answer) == {}


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_a_friend_may_read_every_answer(
    friendly: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for friend in (FRIEND, OTHER_FRIEND):
        answer = ask(friendly, method, path, Origin=friend, **fields)
        assert answer.status_code == status
        assert set(access(answer)) == {"access-control-allow-origin", "access-control-expose-headers"}
        assert answer.headers.get_list("Access-Control-Allow-Origin") == [friend]
        assert listed(answer, "Access-Control-Expose-Headers") >= EXPOSED
        assert "Origin" in listed(answer, "Vary")


@pytest.mark.parametrize(("method", "path", "fields", "status"), READING)
def test_who_is_no_friend_may_not(
    friendly: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in (FOE, "null", "http://friend.example", f"{FRIEND}:8443", f"{FRIEND}.foe.example"):
        answer = ask(friendly, method, path, Origin=origin, **fields)
        assert answer.status_code == status
        assert access(answer) == {}, origin
        assert "Origin" in listed(answer, "Vary"), "a cache may not give this to a friend"


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_who_has_no_origin_is_told_that_it_matters(
    friendly: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    answer = ask(friendly, method, path, **fields)
    assert answer.status_code == status
    assert access(answer) == {}
    assert "Origin" in listed(answer, "Vary")


@pytest.mark.parametrize(("method", "path", "fields", "status"), REQUESTS)
def test_a_public_server_is_for_everybody(
    public: Server, method: str, path: str, fields: dict[str, str], status: int
) -> None:
    for origin in ({}, {"Origin": FOE}, {"Origin": "null"}):
        answer = ask(public, method, path, **origin, **fields)
        assert answer.status_code == status
        assert answer.headers.get_list("Access-Control-Allow-Origin") == ["*"]
        assert listed(answer, "Access-Control-Expose-Headers") >= EXPOSED
        assert "access-control-allow-credentials" not in access(answer)


def test_what_is_vary_already_stays(friendly: Server) -> None:
    answer = ask(friendly, "GET", "/", Origin=FRIEND, Accept="text/html")
    assert listed(answer, "Vary") == {"Accept", "Origin"}


@pytest.mark.parametrize("path", ["/api/stream/v.mp4", "/api/videos", "/api/streams/none"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_friend_is_granted_a_preflight(friendly: Server, path: str, method: str) -> None:
    answer = preflight(friendly, path, FRIEND, method, "range, if-range")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == FRIEND
    assert method in listed(answer, "Access-Control-Allow-Methods")
    allowed = {name.lower() for name in listed(answer, "Access-Control-Allow-Headers")}
    assert {"range", "if-range", "if-none-match", "if-modified-since"} <= allowed
    assert int(answer.headers["Access-Control-Max-Age"]) > 0
    assert "Origin" in listed(answer, "Vary")


@pytest.mark.parametrize(("origin", "method"), [(FOE, "GET"), ("null", "GET"), (FOE, "DELETE")])
def test_nobody_else_is(friendly: Server, origin: str, method: str) -> None:
    answer = preflight(friendly, "/api/stream/v.mp4", origin, method)
    assert answer.status_code == 204
    assert access(answer) == {}
    assert "Origin" in listed(answer, "Vary")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "MOVE", "put", "get", "*"])
def test_a_method_that_is_not_there_is_not_granted(friendly: Server, method: str) -> None:
    answer = preflight(friendly, "/api/stream/v.mp4", FRIEND, method)
    assert "access-control-allow-methods" not in access(answer)
    assert "access-control-allow-headers" not in access(answer)


def test_a_public_server_grants_everybody_a_preflight(public: Server) -> None:
    answer = preflight(public, "/api/stream/v.mp4", FOE, "DELETE")
    assert answer.status_code == 204
    assert answer.headers.get_list("Access-Control-Allow-Origin") == ["*"]
    assert "DELETE" in listed(answer, "Access-Control-Allow-Methods")
    assert "Range" in listed(answer, "Access-Control-Allow-Headers")


def test_options_without_a_question_is_no_preflight(friendly: Server) -> None:
    answer = ask(friendly, "OPTIONS", "/api/stream/v.mp4", Origin=FRIEND)
    assert answer.status_code == 200
    assert {"GET", "HEAD"} <= listed(answer, "Allow")
    assert "access-control-allow-methods" not in access(answer)


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
        ("friendly", FOE, False),
        ("friendly", "null", False),
        ("friendly", FRIEND, True),
        ("friendly", "http://127.0.0.1:{port}", True),
        ("friendly", None, True),
        ("public", FOE, True),
        ("public", "null", True),
        ("public", None, True),
    ],
)
async def test_who_may_end_a_stream(
    request: pytest.FixtureRequest, name: str, origin: str | None, may: bool
) -> None:
    server: Server = request.getfixturevalue(name)
    fields = {} if origin is None else {"Origin": origin.format(port=server.port)}
    await wait_until(
        lambda: server.metrics()["active_streams"] == 0, 5, "the streams before this one to be gone"
    )
    async with await connect(server) as stream:
        await stream.send_all(b"GET /api/stream/large.mp4 HTTP/1.1\r\nHost: t\r\n\r\n")
        await read_head(stream)
        [running] = server.get("/api/streams").json()["streams"]
        answer = ask(server, "DELETE", f"/api/streams/{running['id']}", **fields)
        if may:
            assert answer.status_code == 204
            await wait_until(lambda: server.metrics()["active_streams"] == 0, 5, "the stream to end")
        else:
            assert answer.status_code == 403
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["code"] == "foreign-origin"
            assert access(answer) == {}
            got = 0
            with trio.fail_after(60):
                while got < LARGE // 2:
                    got += len(data := await stream.receive_some(1 << 20))
                    assert data, "it goes on"
            [still] = server.get("/api/streams").json()["streams"]
            assert still["id"] == running["id"]


CHANGES = [
    ("PATCH", f"/api/videos/{'0' * 16}"),
    ("PUT", f"/api/videos/{'0' * 16}/playhead"),
    ("DELETE", f"/api/videos/{'0' * 16}/playhead"),
    ("DELETE", "/api/history"),
    ("PUT", "/api/watch-state"),
    ("POST", "/api/library/scan"),
    ("DELETE", "/api/streams/none"),
]


def test_these_are_all_that_change_anything() -> None:
    paths = document()["paths"]
    found = {
        (method.upper(), path.replace("streams/{id}", "streams/none").replace("{id}", "0" * 16))
        for path, about in paths.items()
        for method in about
        if method in ("post", "put", "patch", "delete")
    }
    assert found == set(CHANGES)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nobody_else_changes_anything(default: Server, friendly: Server, method: str, path: str) -> None:
    for server in (default, friendly):
        for origin in (FOE, "null", "http://127.0.0.1:1"):
            answer = ask(server, method, path, Origin=origin)
            assert answer.status_code == 403
            assert answer.json()["code"] == "foreign-origin"
            assert access(answer) == {}
        ours = f"http://127.0.0.1:{server.port}"
        for origin in (ours, *([FRIEND] if server is friendly else [])):
            assert ask(server, method, path, Origin=origin).status_code in (202, 204, 400, 404)


def test_another_host_of_the_same_name_is_ours(default: Server) -> None:
    """Behind a proxy, the browser's idea of who we are arrives as Host."""
    for origin, status in (("https://tv.example", 404), ("https://foe.example", 403)):
        answer = ask(default, "DELETE", "/api/streams/none", Host="tv.example", Origin=origin)
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("name", "origin", "may"),
    [("default", FOE, False), ("default", None, True), ("friendly", FRIEND, True), ("friendly", FOE, False),
     ("public", FOE, True)],
)  # fmt: skip
async def test_who_may_open_a_websocket(
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
