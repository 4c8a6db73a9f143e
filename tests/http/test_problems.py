"""Problem documents."""

import json

import pytest

from trio_stream.http.problems import MEDIA_TYPE, problem_document


def test_a_problem() -> None:
    document = problem_document(404, "video-not-found", "no video is called 'x.mp4'", path="/videos/x.mp4")
    assert document == {
        "type": "/docs#problem-video-not-found",
        "title": "Not Found",
        "status": 404,
        "detail": "no video is called 'x.mp4'",
        "code": "video-not-found",
        "path": "/videos/x.mp4",
    }
    assert json.loads(json.dumps(document)) == document
    assert MEDIA_TYPE == "application/problem+json"


def test_extra_members_do_not_hide_those_of_the_standard() -> None:
    document = problem_document(503, "too-many-streams", "full", title="x", type="y", limit=3)
    assert list(document) == ["type", "title", "status", "detail", "code", "limit"]
    assert (document["title"], document["type"]) == ("Service Unavailable", "/docs#problem-too-many-streams")


def test_an_unknown_status() -> None:
    with pytest.raises(ValueError, match="799"):
        problem_document(799, "x", "y")
