"""The description of the API is valid and complete, and matches the responses of the server."""

import itertools
import json
import re
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support import Server
from tests.web.conftest import BROKEN, EPISODES, FILM
from tests.web.requesting import call, video
from trio_stream import errors
from trio_stream.services import LISTENERS
from trio_stream.settings import Settings
from trio_stream.web.openapi.document import document

METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description that clients get, see `test_the_server_publishes_the_description`."""
    found: dict[str, Any] = json.loads(json.dumps(document()))
    return found


@pytest.fixture
def full_server(start: Callable[..., Server], tmp_path: Path) -> Server:
    """A server with a limit of one stream, and a video that does not fit into network buffers."""
    videos = tmp_path / "videos"
    videos.mkdir()
    with (videos / "long.mp4").open("wb") as file:
        file.truncate(1 << 30)
    return start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})


def check(described: dict[str, Any], schema: str, value: object) -> None:
    """Fail unless `value` matches `schema`, without members that are not described."""
    jsonschema.validate(
        value,
        {"$ref": f"#/components/schemas/{schema}", "components": described["components"]},
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def described_schema(described: dict[str, Any], path: str, response: httpx.Response, choice: int = 0) -> str:
    """The schema that is described for this response. Fails if its status or media type is not described.

    If there are several schemas, `choice` is the index of one.
    """
    operation = described["paths"][path][response.request.method.lower()]
    content = operation["responses"][str(response.status_code)]["content"]
    media_type = response.headers["Content-Type"]
    schema = content[media_type]["schema"]
    reference: str = schema.get("anyOf", [schema])[choice]["$ref"]
    return reference.rpartition("/")[2]


def test_the_description_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_the_server_publishes_the_description(server: Server, described: dict[str, Any]) -> None:
    response = server.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert response.json() == described
    again = server.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_all_routes_and_no_others_are_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIO_STREAM_VIDEOS", str(tmp_path))
    from trio_stream.app import create_app  # noqa: PLC0415 - importing it reads the settings

    routed: dict[str, set[str]] = {}
    for rule in create_app(Settings(videos=tmp_path)).url_map.iter_rules():
        path = (
            re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            .replace("{stream_id}", "{id}")
            .replace("{id_}", "{id}")
        )
        methods = {"x-websocket"} if rule.websocket else {method.lower() for method in rule.methods or ()}
        routed.setdefault(path, set()).update(methods - {"options"})

    found = {
        path: {key for key in about if key in METHODS or key == "x-websocket"}
        for path, about in document()["paths"].items()
    }
    for methods in found.values():
        if "get" in methods:
            methods.add("head")  # the description says this once for all routes
    assert found == routed


def test_every_object_says_whether_it_may_have_more_members(described: dict[str, Any]) -> None:
    objects = [described["components"]["schemas"]]
    for schema in objects:
        objects += [value for value in schema.values() if isinstance(value, dict)]
    more = {
        schema["description"]
        for schema in objects
        if "properties" in schema and schema["additionalProperties"]
    }
    assert len(more) == 5, "problems, and the four messages of a client"


def test_operations_have_unique_ids_and_responses() -> None:
    operations = [
        about[method] for about in document()["paths"].values() for method in METHODS if method in about
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["responses"] and operation["x-codeSamples"] for operation in operations)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/api/videos", "/api/streams", "/api/metrics"])
def test_responses_are_as_described(server: Server, described: dict[str, Any], path: str) -> None:
    response = server.get(path)
    assert response.status_code == 200
    check(described, described_schema(described, path, response), response.json())


def test_running_streams_are_as_described(full_server: Server, described: dict[str, Any]) -> None:
    with httpx.stream("GET", f"{full_server.url}/api/stream/long.mp4"):
        response = full_server.get("/api/streams")
        (stream,) = response.json()["streams"]
        check(described, "Streams", response.json())
        ended = httpx.delete(f"{full_server.url}/api/streams/{stream['id']}")
        assert (ended.status_code, ended.content) == (204, b"")


def test_the_limit_of_streams_is_as_described(full_server: Server, described: dict[str, Any]) -> None:
    with httpx.stream("GET", f"{full_server.url}/api/stream/long.mp4"):
        response = full_server.get("/api/stream/long.mp4")
        assert response.status_code == 503
        check(described, described_schema(described, "/api/stream/{name}", response), response.json())
        _check_headers(described, "/api/stream/{name}", response)


EMPTY = b"{}"


@pytest.mark.parametrize(
    ("method", "path", "data", "status"),
    [
        ("GET", "/api/videos?limit=2", None, 200),
        ("GET", "/api/videos?q=leben&sort=added&order=desc", None, 200),
        ("GET", "/api/videos?sort=colour", None, 400),
        ("GET", "/api/folders?limit=1", None, 200),
        ("GET", "/api/folders?limit=x", None, 400),
        ("GET", "/api/videos/{id}", None, 200),
        ("PATCH", "/api/videos/{id}", {"description": "Ein Film"}, 200),
        ("PATCH", "/api/videos/{id}", {"title": None, "description": "", "tags": []}, 200),
        ("PATCH", "/api/videos/{id}", EMPTY, 400),
        ("PUT", "/api/videos/{id}/playhead", {"position": 3, "duration": None, "watched": None}, 200),
        ("PUT", "/api/videos/{id}/playhead", EMPTY, 400),
        ("GET", "/api/continue", None, 200),
        ("GET", "/api/continue?limit=x", None, 400),
        ("GET", "/api/history?limit=1", None, 200),
        ("GET", "/api/history?cursor=x", None, 400),
        ("GET", "/api/watch-state", None, 200),
        ("PUT", "/api/watch-state", {"version": 1, "entries": []}, 200),
        ("PUT", "/api/watch-state", EMPTY, 400),
        ("GET", "/api/library", None, 200),
        ("POST", "/api/library/scan", None, 202),
        ("DELETE", "/api/history", None, 204),
        ("DELETE", "/api/videos/{id}/playhead", None, 204),
    ],
)
def test_responses_of_the_library_are_as_described(
    stocked: Server, described: dict[str, Any], method: str, path: str, data: Any, status: int
) -> None:
    """In an order that lets responses have contents."""
    id_ = video(stocked, FILM)["id"]
    response = call(stocked, method, path.replace("{id}", id_), data)
    route = path.partition("?")[0]
    assert response.status_code == status, response.text
    if status == 204:
        assert "204" in described["paths"][route][method.lower()]["responses"]
        assert response.content == b""
        return
    schema = described_schema(
        described, route, response, choice=1 if "videos?" in path and status == 200 else 0
    )
    assert (schema == "Problem") == (status >= 400)
    check(described, schema, response.json())
    if data is not None:
        wanted = described["paths"][route][method.lower()]["requestBody"]["content"]["application/json"]
        name = wanted["schema"]["$ref"].rpartition("/")[2]
        if status == 200:
            check(described, name, data)
        else:
            with pytest.raises(jsonschema.ValidationError):
                check(described, name, json.loads(data))


def test_responses_of_the_library_are_not_empty(stocked: Server) -> None:
    """So that the schemas of list items are checked."""
    call(stocked, "PUT", f"/api/videos/{video(stocked, FILM)['id']}/playhead", {"position": 3})
    found = video(stocked, FILM)
    assert found["subtitles"]
    assert found["thumbnails"]
    assert found["playhead"]
    assert all(found["facts"][name] for name in ("video", "audio", "subtitles", "keyframes"))
    assert stocked.get("/api/continue").json()["items"]
    assert stocked.get("/api/history").json()["viewings"]
    assert stocked.get("/api/watch-state").json()["entries"]
    assert stocked.get("/api/folders").json()["folders"]


def test_present_and_missing_values_are_described(stocked: Server, described: dict[str, Any]) -> None:
    for name in (FILM, BROKEN, *EPISODES):
        found = video(stocked, name)
        call(stocked, "PUT", f"/api/videos/{found['id']}/playhead", {"position": 1})
        for path in (found["urls"]["self"], "/api/history", "/api/watch-state", "/api/continue"):
            response = stocked.get(path)
            route = "/api/videos/{id}" if path.startswith("/api/videos/") else path
            check(described, described_schema(described, route, response), response.json())
        call(stocked, "DELETE", f"/api/videos/{found['id']}/playhead")


def test_events_are_as_described(stocked: Server, described: dict[str, Any]) -> None:
    with stocked.client() as client, client.stream("GET", "/api/library/scan") as response:
        event, id_, data = itertools.islice(response.iter_lines(), 3)
    assert (event, id_[:4]) == ("event: progress", "id: ")
    check(described, "Progress", json.loads(data.removeprefix("data: ")))
    content = described["paths"]["/api/library/scan"]["get"]["responses"]["200"]["content"]
    assert list(content) == [response.headers["Content-Type"]]


def test_the_live_view_is_as_described(full_server: Server, described: dict[str, Any]) -> None:
    kinds = {"history": "LiveHistory", "now": "LiveNow"}
    with (
        httpx.stream("GET", f"{full_server.url}/api/stream/long.mp4"),
        full_server.client() as client,
        client.stream("GET", "/api/live") as response,
    ):
        lines = response.iter_lines()
        for kind in ("history", "now", "now"):
            event, id_, data, end = itertools.islice(lines, 4)
            assert (event, id_[:4], end) == (f"event: {kind}", "id: ", "")
            event_data = json.loads(data.removeprefix("data: "))
            check(described, kinds[kind], event_data)
        assert event_data["streams"], "so that their schema is checked"
    content = described["paths"]["/api/live"]["get"]["responses"]["200"]["content"]
    assert list(content) == [response.headers["Content-Type"]]


@pytest.mark.parametrize("path", ["/api/live", "/api/library/scan"])
def test_the_limit_of_listeners_is_as_described(server: Server, described: dict[str, Any], path: str) -> None:
    with ExitStack() as stack:
        client = stack.enter_context(server.client())
        for _ in range(LISTENERS):
            assert stack.enter_context(client.stream("GET", path)).status_code == 200
        response = server.get(path)
    assert response.status_code == 503
    assert described_schema(described, path, response) == "Problem"
    check(described, "Problem", response.json())
    _check_headers(described, path, response)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("GET", 206), ("GET", 304)])
def test_derived_files_have_the_described_headers(
    stocked: Server, described: dict[str, Any], method: str, status: int
) -> None:
    found = video(stocked, FILM)
    fields = {206: {"Range": "bytes=0-9"}, 304: {"If-None-Match": "*"}}.get(status, {})
    subtitles = [subtitle["url"] for subtitle in found["subtitles"]] + [
        subtitle["original"] for subtitle in found["subtitles"]
    ]
    for url in filter(None, (found["poster"], found["thumbnails"]["track"], *subtitles)):
        response = call(stocked, method, url, headers=fields)
        assert response.status_code == status
        route = "/api/videos/{id}/r/{revision}/{name}"
        _check_headers(described, route, response)
        if status == 200:
            responses = described["paths"][route][method.lower()]["responses"]
            assert response.headers["Content-Type"] in responses["200"]["content"]
    by_id = call(stocked, method, found["urls"]["file"], headers=fields)
    assert by_id.status_code == status
    _check_headers(described, "/api/videos/{id}/file", by_id)


_NO_ID = "/api/videos/" + "0" * 16
_FOREIGN = {"Origin": "http://other.example"}


@pytest.mark.parametrize(
    ("method", "path", "url", "headers", "status"),
    [
        ("GET", "/api/stream/{name}", "/api/stream/none.mp4", {}, 404),
        ("GET", "/api/stream/{name}", "/api/stream/sample.mp4", {"If-Match": '"other"'}, 412),
        ("GET", "/api/stream/{name}", "/api/stream/sample.mp4", {"Range": "bytes=99999999999-"}, 416),
        ("GET", "/api/stream-range/{name}", "/api/stream-range/none.mp4", {}, 404),
        ("DELETE", "/api/streams/{id}", "/api/streams/none", {}, 404),
        ("DELETE", "/api/streams/{id}", "/api/streams/none", {"Origin": "http://other.example"}, 403),
        ("GET", "/static/{file}", "/static/none.css", {}, 404),
        ("GET", "/assets/{file}", "/assets/none.js", {}, 404),
        ("GET", "/api/videos/{id}", _NO_ID, {}, 404),
        ("GET", "/api/videos/{id}/presentation", f"{_NO_ID}/presentation", {}, 404),
        ("PATCH", "/api/videos/{id}", _NO_ID, _FOREIGN, 403),
        ("GET", "/api/videos/{id}/file", f"{_NO_ID}/file", {}, 404),
        ("PUT", "/api/videos/{id}/playhead", f"{_NO_ID}/playhead", _FOREIGN, 403),
        ("DELETE", "/api/videos/{id}/playhead", f"{_NO_ID}/playhead", {}, 404),
        ("DELETE", "/api/videos/{id}/playhead", f"{_NO_ID}/playhead", _FOREIGN, 403),
        ("DELETE", "/api/history", "/api/history", _FOREIGN, 403),
        ("PUT", "/api/watch-state", "/api/watch-state", _FOREIGN, 403),
        ("POST", "/api/library/scan", "/api/library/scan", _FOREIGN, 403),
        ("GET", "/api/videos/{id}/r/{revision}/{name}", f"{_NO_ID}/r/x/poster-x.jpg", {}, 404),
    ],
)
def test_problems_are_as_described(
    server: Server,
    described: dict[str, Any],
    method: str,
    path: str,
    url: str,
    headers: dict[str, str],
    status: int,
) -> None:
    response = httpx.request(method, server.url + url, headers=headers)
    assert response.status_code == status
    assert described_schema(described, path, response) == "Problem"
    check(described, "Problem", response.json())
    _check_headers(described, path, response)
    assert response.json()["code"] in {problem["code"] for problem in described["x-problems"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"Range": "bytes=0-9"}, 206), ({"If-None-Match": "*"}, 304)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_videos_have_the_described_headers(
    server: Server, described: dict[str, Any], method: str, headers: dict[str, str], status: int
) -> None:
    with httpx.stream(method, f"{server.url}/api/stream/sample.mp4", headers=headers) as response:
        response.read()
    assert response.status_code == (200 if method == "HEAD" and status == 206 else status)
    _check_headers(described, "/api/stream/{name}", response)


def _check_headers(described: dict[str, Any], path: str, response: httpx.Response) -> None:
    operation = described["paths"][path][response.request.method.lower()]
    promise = operation["responses"][str(response.status_code)]
    assert set(promise.get("headers", {})) <= {
        name.title().replace("Etag", "ETag") for name in response.headers
    }


def test_every_problem_is_explained(described: dict[str, Any]) -> None:
    explained = [problem["code"] for problem in described["x-problems"]]
    assert len(set(explained)) == len(explained)
    assert set(explained) == {
        *(
            error.code
            for error in vars(errors).values()
            if isinstance(error, type) and hasattr(error, "code")
        ),
        *("not-found", "method-not-allowed", "precondition-failed", "not-ready", "request-entity-too-large"),
    }
    assert all(problem["meaning"] for problem in described["x-problems"])
