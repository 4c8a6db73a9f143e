"""The description of the API: valid, complete, and what the server really answers."""

import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support import Server
from trio_stream import errors
from trio_stream.settings import Settings
from trio_stream.web.openapi import document

METHODS = {"get", "head", "post", "put", "patch", "delete", "options", "trace"}


@pytest.fixture(scope="module")
def described(server: Server) -> dict[str, Any]:
    """The description as clients get it."""
    answer: dict[str, Any] = server.get("/openapi.json").json()
    return answer


@pytest.fixture
def house(start: Callable[..., Server], tmp_path: Path) -> Server:
    """A server with one place, and a video that no network buffer holds whole."""
    videos = tmp_path / "videos"
    videos.mkdir()
    with (videos / "long.mp4").open("wb") as file:
        file.truncate(1 << 30)
    return start(videos, environ={"TRIO_STREAM_MAX_STREAMS": "1"})


def check(described: dict[str, Any], schema: str, value: object) -> None:
    """Fail unless `value` is what `schema` says, and has no member that it does not speak of."""
    components = deepcopy(described["components"])
    for each in components["schemas"].values():
        _close(each)
    jsonschema.validate(
        value,
        {"$ref": f"#/components/schemas/{schema}", "components": components},
        cls=jsonschema.Draft202012Validator,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def _close(schema: dict[str, Any]) -> None:
    """A client may not rely on there being no further members; whoever describes them all may."""
    if "properties" in schema:
        schema["additionalProperties"] = False
        for each in schema["properties"].values():
            _close(each)


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
    assert described == document()
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
