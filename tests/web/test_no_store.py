"""JSON must not be cached: neither data nor problems, of any described route."""

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
"""Paths of JSON with an entity tag, which is revalidated."""

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


def checked_status(response: httpx.Response) -> int:
    """The status of a response. Fails unless it is a problem or JSON with `no-store`."""
    assert is_json(response), response.headers
    assert response.headers.get_list("Cache-Control") == ["no-store"], (response.request, response.headers)
    if response.request.method != "HEAD":
        json.loads(response.content)
    return response.status_code


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_json_is_not_cached(stocked: Server, method: str, path: str) -> None:
    """Valid requests, and requests for a missing video, from another site, with a failing condition, and under a foreign
    name."""
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
            continue  # it never ends; its problems do
        response = call(stocked, method.upper(), url, data)
        if is_json(response) and "ETag" not in response.headers:
            seen.add(checked_status(response))
    if "404" in described and "{" in path:
        assert 404 in seen
    url = address(path, id=id_)
    seen.add(checked_status(call(stocked, method.upper(), url, data, headers={"Host": "evil.example"})))
    if method not in {"get", "head"}:
        seen.add(
            checked_status(
                call(stocked, method.upper(), url, data, headers={"Origin": "https://evil.example"})
            )
        )
        seen.add(checked_status(call(stocked, method.upper(), url, data, headers={"If-Match": '"other"'})))
    if data is not None:
        seen.add(checked_status(call(stocked, method.upper(), url, b"{")))
    if any(
        parameter["name"] == "limit" for parameter in DESCRIBED["paths"][path][method].get("parameters", [])
    ):
        seen.add(checked_status(call(stocked, method.upper(), f"{url}?limit=x")))
    seen.add(checked_status(call(stocked, "TRACE", url)))
    assert {421, 405} <= seen
    if "200" in described and "application/json" in responses["200"]["content"] and path not in VALIDATED:
        assert 200 in seen
    call(stocked, "DELETE", f"/api/videos/{id_}/playhead")


def test_problems_of_videos_are_not_cached(stocked: Server) -> None:
    """Caches see failed conditions and unsatisfiable ranges, too. They must not return them instead of the video."""
    about = video(stocked, EPISODES[1])
    for url in (
        about["urls"]["file"],
        about["urls"]["hls"],
        about["urls"]["dash"],
        about["poster"],
        "/openapi.json",
    ):
        for fields, status in (({"If-Match": '"other"'}, 412), ({"Range": "bytes=99999999-"}, 416)):
            assert checked_status(stocked.get(url, headers=fields)) == status
