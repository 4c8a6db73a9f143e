"""No cache keeps JSON: neither what is of now nor what went wrong, of any route that is described."""

import json
from typing import Any

import httpx
import pytest

from tests.support import Server
from tests.web.conftest import EPISODES
from tests.web.requesting import call, video
from trio_stream.web.openapi.document import document

DESCRIBED = document()
BODIES: dict[str, Any] = {
    "/api/videos/{id}": {"description": ""},
    "/api/videos/{id}/playhead": {"position": 1},
    "/api/watch-state": {"version": 1, "entries": []},
}

OPERATIONS = [
    (method, path)
    for path, about in DESCRIBED["paths"].items()
    for method in ("get", "head", "put", "post", "patch", "delete")
    if method in about
]

VALIDATED = {"/openapi.json", "/api/videos/{id}/presentation"}
"""JSON with an entity tag, which is asked for again each time."""

NO_ID, NO_REVISION = "0" * 16, "0" * 24
NAMES = {
    "id": NO_ID,
    "revision": NO_REVISION,
    "name": "none.mp4",
    "rendition": "v1-1",
    "text": "s-1",
    "file": "none.js",
}


def is_json(response: httpx.Response) -> bool:
    return response.headers.get("Content-Type") in {"application/json", "application/problem+json"}


def address(path: str, **names: str) -> str:
    return path.format(**NAMES | names)


def held(response: httpx.Response) -> int:
    """The status of an answer that is a problem, or JSON of now."""
    assert is_json(response), response.headers
    assert response.headers.get_list("Cache-Control") == ["no-store"], (response.request, response.headers)
    if response.request.method != "HEAD":
        json.loads(response.content)
    return response.status_code


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_json_is_not_cached(stocked: Server, method: str, path: str) -> None:
    """As it should be, of nothing there is, of another site, of a state that is not there, and of another server."""
    id_ = video(stocked, EPISODES[1])["id"]
    data: Any = BODIES.get(path) if "requestBody" in DESCRIBED["paths"][path][method] else None
    responses = DESCRIBED["paths"][path][method]["responses"]
    described = {
        status
        for status, about in responses.items()
        for kind in about.get("content", {})
        if kind in {"application/json", "application/problem+json"}
    }
    seen = set[int]()
    for url in (address(path, id=id_), address(path)):
        if "text/event-stream" in responses.get("200", {}).get("content", {}):
            continue  # it has no end; what goes wrong with it does
        response = call(stocked, method.upper(), url, data)
        if is_json(response) and "ETag" not in response.headers:
            seen.add(held(response))
    if "404" in described and "{" in path:
        assert 404 in seen
    url = address(path, id=id_)
    seen.add(held(call(stocked, method.upper(), url, data, headers={"Host": "evil.example"})))
    if method not in {"get", "head"}:
        seen.add(held(call(stocked, method.upper(), url, data, headers={"Origin": "https://evil.example"})))
        seen.add(held(call(stocked, method.upper(), url, data, headers={"If-Match": '"other"'})))
    if data is not None:
        seen.add(held(call(stocked, method.upper(), url, b"{")))
    if any(
        parameter["name"] == "limit" for parameter in DESCRIBED["paths"][path][method].get("parameters", [])
    ):
        seen.add(held(call(stocked, method.upper(), f"{url}?limit=x")))
    seen.add(held(call(stocked, "TRACE", url)))
    assert {421, 405} <= seen
    if "200" in described and "application/json" in responses["200"]["content"] and path not in VALIDATED:
        assert 200 in seen
    call(stocked, "DELETE", f"/api/videos/{id_}/playhead")


def test_problems_of_videos_are_not_cached(stocked: Server) -> None:
    """A failed condition and a range of nothing go to caches as well: they must not pass for the film itself."""
    about = video(stocked, EPISODES[1])
    for url in (
        about["urls"]["file"],
        about["urls"]["hls"],
        about["urls"]["dash"],
        about["poster"],
        "/openapi.json",
    ):
        for fields, status in (({"If-Match": '"other"'}, 412), ({"Range": "bytes=99999999-"}, 416)):
            assert held(stocked.get(url, headers=fields)) == status
