"""Requests to the API."""

import json
from typing import Any

import httpx

from tests.support import Server

IMMUTABLE = "public, max-age=31536000, immutable"


def video(server: Server, name: str) -> dict[str, Any]:
    """The details of the video `name`."""
    for item in server.get("/api/videos?limit=200").json()["items"]:
        if item["name"] == name:
            response = server.get(item["urls"]["self"])
            assert response.status_code == 200
            found: dict[str, Any] = response.json()
            return found
    raise AssertionError(f"{name} is not in the library")


def call(server: Server, method: str, path: str, data: Any = None, **more: Any) -> httpx.Response:
    """Send a request with `data` as JSON, or unchanged if it is bytes."""
    if isinstance(data, bytes):
        more["content"] = data
    elif data is not None:
        more["content"] = json.dumps(data).encode()
    with server.client() as client:
        return client.request(method, path, **more)


def check_problem(response: httpx.Response, status: int, code: str) -> str:
    """The detail of a problem. Fails unless it has this status and code."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    detail: str = response.json()["detail"]
    return detail


def check_immutable(server: Server, url: str) -> bytes:
    """Check HEAD, ranges and conditions of immutable content, and return the content."""
    whole = server.get(url)
    content, tag = whole.content, whole.headers["ETag"]
    head = call(server, "HEAD", url)
    same = ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control", "Accept-Ranges")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]
    middle = len(content) // 2
    for fields, status, expected in (
        ({"Range": "bytes=2-5"}, 206, content[2:6]),
        ({"Range": "bytes=-3"}, 206, content[-3:]),
        ({"Range": f"bytes={middle}-"}, 206, content[middle:]),
        ({"Range": f"bytes=1-{len(content) - 2}"}, 206, content[1:-1]),
        ({"Range": "bytes=0-0", "If-Range": tag}, 206, content[:1]),
        ({"Range": "bytes=0-0", "If-Range": '"other"'}, 200, content),
        ({"If-None-Match": tag}, 304, b""),
        ({"If-None-Match": '"other"'}, 200, content),
        ({"If-Match": tag}, 200, content),
    ):
        response = server.get(url, headers=fields)
        assert (response.status_code, response.content) == (status, expected), (url, fields)
        assert response.headers["Cache-Control"] == IMMUTABLE
    check_problem(server.get(url, headers={"Range": "bytes=99999999-"}), 416, "range-not-satisfiable")
    check_problem(server.get(url, headers={"If-Match": '"other"'}), 412, "precondition-failed")
    return content
