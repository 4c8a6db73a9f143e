"""Problem documents."""

import json

import pytest

from trio_stream.http.json_text import encode
from trio_stream.http.problems import MEDIA_TYPE, Problem


def test_a_problem() -> None:
    document = json.loads(encode(Problem.of(404, "video-not-found", "no video is called 'x.mp4'")))
    assert document == {
        "type": "/docs#problem-video-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "no video is called 'x.mp4'",
        "code": "video-not-found",
    }
    assert list(document) == ["type", "title", "status", "detail", "code"]
    assert MEDIA_TYPE == "application/problem+json"


def test_an_unknown_status() -> None:
    with pytest.raises(ValueError, match="799"):
        Problem.of(799, "x", "y")
