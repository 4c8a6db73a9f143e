"""Asking a server what it knows."""

import json
from typing import Any

import httpx

from tests.support import Server

FOR_EVER = "public, max-age=31536000, immutable"


def video(server: Server, name: str) -> dict[str, Any]:
    """All that is known of the video `name`."""
    for item in server.get("/api/videos?limit=200").json()["items"]:
        if item["name"] == name:
            response = server.get(item["urls"]["self"])
            assert response.status_code == 200
            found: dict[str, Any] = response.json()
            return found
    raise AssertionError(f"{name} is not known")


def ask(server: Server, method: str, path: str, data: Any = None, **more: Any) -> httpx.Response:
    """A request whose body is `data` as JSON, or as it is where it is bytes."""
    if isinstance(data, bytes):
        more["content"] = data
    elif data is not None:
        more["content"] = json.dumps(data).encode()
    with server.client() as client:
        return client.request(method, path, **more)


def problem(response: httpx.Response, status: int, code: str) -> str:
    """The sentence of a problem, which has to be this one."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    detail: str = response.json()["detail"]
    return detail


def held_to_conditions(server: Server, url: str) -> bytes:
    """The whole of what never changes, which is asked for in every way there is: HEAD, ranges, conditions."""
    whole = server.get(url)
    content, tag = whole.content, whole.headers["ETag"]
    head = ask(server, "HEAD", url)
    kept = ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control", "Accept-Ranges")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in kept] == [whole.headers[name] for name in kept]
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
        assert response.headers["Cache-Control"] == FOR_EVER
    problem(server.get(url, headers={"Range": "bytes=99999999-"}), 416, "range-not-satisfiable")
    problem(server.get(url, headers={"If-Match": '"other"'}), 412, "precondition-failed")
    return content
