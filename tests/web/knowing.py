"""Asking a server what it knows."""

import json
from typing import Any

import httpx

from tests.support import Server


def video(server: Server, name: str) -> dict[str, Any]:
    """All that is known of the video `name`."""
    for item in server.get("/api/videos?limit=200").json()["items"]:
        if item["name"] == name:
            answer = server.get(item["urls"]["self"])
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()
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


def problem(answer: httpx.Response, status: int, code: str) -> str:
    """The sentence of a problem, which has to be this one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == code
    detail: str = answer.json()["detail"]
    return detail
