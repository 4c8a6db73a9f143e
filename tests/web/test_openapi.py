"""The description of the API: valid, complete, and what the server really answers."""

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
from tests.web.knowing import ask, video
from trio_stream import errors
from trio_stream.services import LISTENERS
from trio_stream.settings import Settings
from trio_stream.web.openapi.document import document

METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description as clients get it, see `test_is_what_the_server_publishes`."""
    found: dict[str, Any] = json.loads(json.dumps(document()))
    return found


@pytest.fixture
def house(start: Callable[..., Server], tmp_path: Path) -> Server:
    """A server with one place, and a video that no network buffer holds whole."""
    videos = tmp_path / "videos"
    videos.mkdir()
    with (videos / "long.mp4").open("wb") as file:
        file.truncate(1 << 30)
    return start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})


def check(described: dict[str, Any], schema: str, value: object) -> None:
    """Fail unless `value` is what `schema` says: it may have no member that is not described."""
    jsonschema.validate(
        value,
        {"$ref": f"#/components/schemas/{schema}", "components": described["components"]},
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def promised(described: dict[str, Any], path: str, answer: httpx.Response, choice: int = 0) -> str:
    """The schema that is described for this answer; fails when its status or media type is not.

    Where there are several to choose from, `choice` counts them.
    """
    operation = described["paths"][path][answer.request.method.lower()]
    content = operation["responses"][str(answer.status_code)]["content"]
    media_type = answer.headers["Content-Type"]
    schema = content[media_type]["schema"]
    reference: str = schema.get("anyOf", [schema])[choice]["$ref"]
    return reference.rpartition("/")[2]


def test_is_valid() -> None:
    OpenAPIV31SpecValidator(document()).validate()


def test_is_what_the_server_publishes(server: Server, described: dict[str, Any]) -> None:
    answer = server.get("/openapi.json")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == described
    again = server.get("/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_describes_all_routes_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
            methods.add("head")  # the description says so once, for all of them
    assert found == routed


def test_says_of_every_object_whether_it_may_have_more_members(described: dict[str, Any]) -> None:
    objects = [described["components"]["schemas"]]
    for each in objects:
        objects += [value for value in each.values() if isinstance(value, dict)]
    more = {each["description"] for each in objects if "properties" in each and each["additionalProperties"]}
    assert len(more) == 5, "problems, and the four messages of a client"


def test_operations_have_ids_of_their_own_and_answers() -> None:
    operations = [
        about[method] for about in document()["paths"].values() for method in METHODS if method in about
    ]
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(operation["responses"] and operation["x-codeSamples"] for operation in operations)


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/api/videos", "/api/streams", "/api/metrics"])
def test_answers_are_as_described(server: Server, described: dict[str, Any], path: str) -> None:
    answer = server.get(path)
    assert answer.status_code == 200
    check(described, promised(described, path, answer), answer.json())


def test_running_streams_are_as_described(house: Server, described: dict[str, Any]) -> None:
    with httpx.stream("GET", f"{house.url}/api/stream/long.mp4"):
        answer = house.get("/api/streams")
        (stream,) = answer.json()["streams"]
        check(described, "Streams", answer.json())
        ended = httpx.delete(f"{house.url}/api/streams/{stream['id']}")
        assert (ended.status_code, ended.content) == (204, b"")


def test_a_full_house_is_as_described(house: Server, described: dict[str, Any]) -> None:
    with httpx.stream("GET", f"{house.url}/api/stream/long.mp4"):
        answer = house.get("/api/stream/long.mp4")
        assert answer.status_code == 503
        check(described, promised(described, "/api/stream/{name}", answer), answer.json())
        _has_headers_promised(described, "/api/stream/{name}", answer)


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
def test_the_library_answers_as_described(
    stocked: Server, described: dict[str, Any], method: str, path: str, data: Any, status: int
) -> None:
    """In an order in which there is something to tell of."""
    id_ = video(stocked, FILM)["id"]
    answer = ask(stocked, method, path.replace("{id}", id_), data)
    route = path.partition("?")[0]
    assert answer.status_code == status, answer.text
    if status == 204:
        assert "204" in described["paths"][route][method.lower()]["responses"]
        assert answer.content == b""
        return
    schema = promised(described, route, answer, choice=1 if "videos?" in path and status == 200 else 0)
    assert (schema == "Problem") == (status >= 400)
    check(described, schema, answer.json())
    if data is not None:
        wanted = described["paths"][route][method.lower()]["requestBody"]["content"]["application/json"]
        name = wanted["schema"]["$ref"].rpartition("/")[2]
        if status == 200:
            check(described, name, data)
        else:
            with pytest.raises(jsonschema.ValidationError):
                check(described, name, json.loads(data))


def test_every_answer_of_the_library_has_something_in_it(stocked: Server) -> None:
    """So that the schemas of what is in lists were held against something."""
    ask(stocked, "PUT", f"/api/videos/{video(stocked, FILM)['id']}/playhead", {"position": 3})
    found = video(stocked, FILM)
    assert found["subtitles"]
    assert found["thumbnails"]
    assert found["playhead"]
    assert all(found["facts"][name] for name in ("video", "audio", "subtitles", "keyframes"))
    assert stocked.get("/api/continue").json()["items"]
    assert stocked.get("/api/history").json()["viewings"]
    assert stocked.get("/api/watch-state").json()["entries"]
    assert stocked.get("/api/folders").json()["folders"]


def test_what_is_there_and_what_is_not_is_described(stocked: Server, described: dict[str, Any]) -> None:
    for name in (FILM, BROKEN, *EPISODES):
        found = video(stocked, name)
        ask(stocked, "PUT", f"/api/videos/{found['id']}/playhead", {"position": 1})
        for path in (found["urls"]["self"], "/api/history", "/api/watch-state", "/api/continue"):
            answer = stocked.get(path)
            route = "/api/videos/{id}" if path.startswith("/api/videos/") else path
            check(described, promised(described, route, answer), answer.json())
        ask(stocked, "DELETE", f"/api/videos/{found['id']}/playhead")


def test_events_are_as_described(stocked: Server, described: dict[str, Any]) -> None:
    with stocked.client() as client, client.stream("GET", "/api/library/scan") as answer:
        event, id_, data = itertools.islice(answer.iter_lines(), 3)
    assert (event, id_[:4]) == ("event: progress", "id: ")
    check(described, "Progress", json.loads(data.removeprefix("data: ")))
    content = described["paths"]["/api/library/scan"]["get"]["responses"]["200"]["content"]
    assert list(content) == [answer.headers["Content-Type"]]


def test_the_live_view_is_as_described(house: Server, described: dict[str, Any]) -> None:
    kinds = {"history": "LiveHistory", "now": "LiveNow"}
    with (
        httpx.stream("GET", f"{house.url}/api/stream/long.mp4"),
        house.client() as client,
        client.stream("GET", "/api/live") as answer,
    ):
        lines = answer.iter_lines()
        for kind in ("history", "now", "now"):
            event, id_, data, end = itertools.islice(lines, 4)
            assert (event, id_[:4], end) == (f"event: {kind}", "id: ", "")
            told = json.loads(data.removeprefix("data: "))
            check(described, kinds[kind], told)
        assert told["streams"], "so that their schema was held against something"
    content = described["paths"]["/api/live"]["get"]["responses"]["200"]["content"]
    assert list(content) == [answer.headers["Content-Type"]]


@pytest.mark.parametrize("path", ["/api/live", "/api/library/scan"])
def test_too_many_who_listen_is_as_described(server: Server, described: dict[str, Any], path: str) -> None:
    with ExitStack() as stack:
        client = stack.enter_context(server.client())
        for _ in range(LISTENERS):
            assert stack.enter_context(client.stream("GET", path)).status_code == 200
        answer = server.get(path)
    assert answer.status_code == 503
    assert promised(described, path, answer) == "Problem"
    check(described, "Problem", answer.json())
    _has_headers_promised(described, path, answer)


@pytest.mark.parametrize(("method", "status"), [("GET", 200), ("HEAD", 200), ("GET", 206), ("GET", 304)])
def test_made_files_have_the_headers_described(
    stocked: Server, described: dict[str, Any], method: str, status: int
) -> None:
    found = video(stocked, FILM)
    fields = {206: {"Range": "bytes=0-9"}, 304: {"If-None-Match": "*"}}.get(status, {})
    subtitles = [each["url"] for each in found["subtitles"]] + [
        each["original"] for each in found["subtitles"]
    ]
    for url in filter(None, (found["poster"], found["thumbnails"]["track"], *subtitles)):
        answer = ask(stocked, method, url, headers=fields)
        assert answer.status_code == status
        route = "/api/videos/{id}/r/{revision}/{name}"
        _has_headers_promised(described, route, answer)
        if status == 200:
            responses = described["paths"][route][method.lower()]["responses"]
            assert answer.headers["Content-Type"] in responses["200"]["content"]
    by_id = ask(stocked, method, found["urls"]["file"], headers=fields)
    assert by_id.status_code == status
    _has_headers_promised(described, "/api/videos/{id}/file", by_id)


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
    answer = httpx.request(method, server.url + url, headers=headers)
    assert answer.status_code == status
    assert promised(described, path, answer) == "Problem"
    check(described, "Problem", answer.json())
    _has_headers_promised(described, path, answer)
    assert answer.json()["code"] in {problem["code"] for problem in described["x-problems"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 200), ({"Range": "bytes=0-9"}, 206), ({"If-None-Match": "*"}, 304)],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_videos_have_the_headers_described(
    server: Server, described: dict[str, Any], method: str, headers: dict[str, str], status: int
) -> None:
    with httpx.stream(method, f"{server.url}/api/stream/sample.mp4", headers=headers) as answer:
        answer.read()
    assert answer.status_code == (200 if method == "HEAD" and status == 206 else status)
    _has_headers_promised(described, "/api/stream/{name}", answer)


def _has_headers_promised(described: dict[str, Any], path: str, answer: httpx.Response) -> None:
    operation = described["paths"][path][answer.request.method.lower()]
    promise = operation["responses"][str(answer.status_code)]
    assert set(promise.get("headers", {})) <= {
        name.title().replace("Etag", "ETag") for name in answer.headers
    }


def test_explains_every_problem(described: dict[str, Any]) -> None:
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
