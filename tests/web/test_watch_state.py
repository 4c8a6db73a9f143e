"""The watch state over HTTP. `tests/library/test_watch_state.py` tests its rules."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from tests.support import Server, wait_for
from tests.web.conftest import EPISODES, FILM
from tests.web.requesting import call, check_problem, video
from trio_stream.app import LONGEST_IMPORT, LONGEST_REQUEST_BODY


@pytest.fixture
def fresh(stocked: Server) -> Server:
    """The server with an empty watch state."""
    for item in stocked.get("/api/videos?limit=200").json()["items"]:
        assert call(stocked, "DELETE", f"{item['urls']['self']}/playhead").status_code == 204
    return stocked


def put(server: Server, name: str, **data: Any) -> dict[str, Any]:
    response = call(server, "PUT", f"{video(server, name)['urls']['self']}/playhead", data)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def names(server: Server, path: str) -> list[str]:
    found: list[str] = server.get(path).json()["videos"]
    return found


def test_a_playhead(fresh: Server) -> None:
    assert video(fresh, FILM)["playhead"] is None
    stored = put(fresh, FILM, position=2.5)
    assert datetime.fromisoformat(stored["updated"]).tzinfo is not None
    about = {"position": 2.5, "watched": False, "plays": 0, "updated": stored["updated"]}
    assert stored == about | {"duration": stored["duration"], "status": "ok"}
    assert round(stored["duration"]) == 5
    assert video(fresh, FILM)["playhead"] == about | {"duration": stored["duration"]}
    assert put(fresh, FILM, position=4.9) | {"updated": ""} == stored | {
        "position": 4.9,
        "watched": True,
        "plays": 1,
        "updated": "",
    }
    assert not put(fresh, FILM, position=0, watched=False)["watched"]
    here = video(fresh, FILM)["urls"]["self"]
    response = call(fresh, "DELETE", f"{here}/playhead")
    assert (response.status_code, response.content) == (204, b"")
    assert video(fresh, FILM)["playhead"] is None


def test_pages_of_other_sites_cannot_store_a_playhead(fresh: Server) -> None:
    here = video(fresh, FILM)["urls"]["self"]
    foreign = {"Origin": "https://evil.example"}
    response = call(fresh, "PUT", f"{here}/playhead", {"position": 1}, headers=foreign)
    check_problem(response, 403, "foreign-origin")
    assert video(fresh, FILM)["playhead"] is None


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"x", b"null", b"{}", b'{"position": NaN}', b'{"position": Infinity}', b'{"position": 1e999}'),
        b'{"position": ' + b"9" * 400 + b"}",
        b'{"position": ' + b"9" * 5000 + b"}",
        *(
            {"position": -1},
            {"position": "1"},
            {"position": 1, "duration": -1},
            {"position": 1, "watched": 1},
        ),
        *({"position": 10**8}, {"position": 1, "user": "x"}),
    ],
)
def test_invalid_playheads_are_refused(fresh: Server, data: Any) -> None:
    here = video(fresh, FILM)["urls"]["self"]
    check_problem(call(fresh, "PUT", f"{here}/playhead", data), 400, "bad-request")
    assert video(fresh, FILM)["playhead"] is None


def test_bodies_have_a_size_limit(fresh: Server) -> None:
    here = video(fresh, FILM)["urls"]["self"]
    long = b" " * LONGEST_REQUEST_BODY + b'{"position": 1}'
    assert call(fresh, "PUT", f"{here}/playhead", long).status_code == 413
    assert call(fresh, "PATCH", here, long).status_code == 413
    export = b'{"version": 1, "entries": []}'
    largest = b" " * (LONGEST_IMPORT - len(export)) + export
    assert call(fresh, "PUT", "/api/watch-state", largest).json()["imported"] == 0
    assert call(fresh, "PUT", "/api/watch-state", b" " + largest).status_code == 413


def test_continue_watching(fresh: Server) -> None:
    assert fresh.get("/api/continue").json() == {"videos": [], "items": [], "status": "ok"}
    put(fresh, FILM, position=2)
    put(fresh, EPISODES[0], position=5)
    assert names(fresh, "/api/continue") == [EPISODES[1], FILM]
    assert names(fresh, "/api/continue?limit=1") == [EPISODES[1]]
    put(fresh, EPISODES[1], position=5)
    assert names(fresh, "/api/continue") == [EPISODES[2], FILM]
    put(fresh, EPISODES[2], position=5)
    assert names(fresh, "/api/continue") == [FILM]
    check_problem(fresh.get("/api/continue?limit=0"), 400, "bad-request")


def test_history(fresh: Server) -> None:
    assert fresh.get("/api/history").json() == {"viewings": [], "next": None, "status": "ok"}
    for name, position in ((FILM, 1), (EPISODES[0], 2), (FILM, 3), (EPISODES[1], 4)):
        put(fresh, name, position=position)
    found, cursor = [], ""
    while True:
        page = fresh.get(f"/api/history?limit=1{cursor}").json()
        found += [(viewing["video"]["name"], viewing["from"], viewing["to"]) for viewing in page["viewings"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == [(EPISODES[1], 4, 4), (FILM, 1, 3), (EPISODES[0], 2, 2)]
    assert call(fresh, "DELETE", "/api/history").status_code == 204
    assert fresh.get("/api/history").json()["viewings"] == []
    assert video(fresh, FILM)["playhead"]["position"] == 3


def test_an_export_can_be_imported_into_another_server(
    fresh: Server, start: Callable[..., Server], tmp_path_factory: pytest.TempPathFactory
) -> None:
    put(fresh, FILM, position=2)
    put(fresh, EPISODES[0], position=5)
    exported = fresh.get("/api/watch-state")
    assert [entry["name"] for entry in exported.json()["entries"]] == [FILM, EPISODES[0]]
    videos = tmp_path_factory.mktemp("other")
    (videos / "renamed.mp4").write_bytes((fresh.videos / FILM).read_bytes())
    other = start(videos)
    wait_for(lambda: names(other, "/api/videos?limit=1"), 10, "the video")
    response = call(other, "PUT", "/api/watch-state", exported.content)
    assert response.json() == {"imported": 1, "older": 0, "unknown": 1, "status": "ok"}
    assert video(other, "renamed.mp4")["id"] != video(fresh, FILM)["id"]
    imported, original = (
        video(server, name)["playhead"] for server, name in ((other, "renamed.mp4"), (fresh, FILM))
    )
    assert {name: imported[name] for name in ("position", "watched", "plays", "updated")} == {
        name: original[name] for name in ("position", "watched", "plays", "updated")
    }
    put(other, "renamed.mp4", position=4)
    assert call(other, "PUT", "/api/watch-state", exported.content).json()["older"] == 1
    assert video(other, "renamed.mp4")["playhead"]["position"] == 4


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"x", b"[]", b"null", b"[" * 900_000, {"version": 2, "entries": []}, {"version": 1}),
        *({"version": 1, "entries": [{}]}, {"version": 1, "entries": "x"}),
    ],
    ids=range(9),
)
def test_invalid_exports_are_refused(fresh: Server, data: Any) -> None:
    check_problem(call(fresh, "PUT", "/api/watch-state", data), 400, "bad-request")


def test_an_invalid_import_changes_nothing_and_names_the_entry(fresh: Server) -> None:
    put(fresh, FILM, position=2)
    exported = fresh.get("/api/watch-state").json()
    entry = exported["entries"][0] | {"updated": "2999-01-01T00:00:00+00:00", "position": 3}
    exported["entries"] = [entry] * 300 + [entry | {"plays": -1}]
    detail = check_problem(
        call(fresh, "PUT", "/api/watch-state", json.dumps(exported).encode()), 400, "bad-request"
    )
    assert "entry 300" in detail
    assert video(fresh, FILM)["playhead"]["position"] == 2
