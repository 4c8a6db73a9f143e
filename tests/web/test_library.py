"""The library over HTTP: pages, details of a video, edits, and the progress of scans and background jobs."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support import Server, connect, read_head, wait_for
from tests.web.conftest import BROKEN, EPISODES, FILM
from tests.web.requesting import call, check_problem, video
from trio_stream.library.scan.progress import Progress
from trio_stream.web.api.library import progress_event
from trio_stream.web.api.wire.videos import DETAILED, LONGEST_LIST
from trio_stream.web.asgi.events import EventStream

ALL = [BROKEN, FILM, *EPISODES]


def names(server: Server, query: str) -> list[str]:
    response = server.get(f"/api/videos?{query}")
    assert response.status_code == 200, response.text
    page = response.json()
    assert page["videos"] == [item["name"] for item in page["items"]]
    found: list[str] = page["videos"]
    return found


def test_the_list_without_parameters(stocked: Server) -> None:
    response = stocked.get("/api/videos").json()
    assert set(response) == {"videos", "items", "next", "status"}
    assert (response["videos"], response["next"]) == (ALL, None)
    for item in response["items"]:
        assert set(item) == {"name", "size", "modified", "content_type", "urls"}
        assert set(item["urls"]) == {"stream", "download", "websocket"}
    assert stocked.get("/api/videos?unknown=1").json() == response


@pytest.mark.thorough("large")
def test_a_long_list_continues_in_pages(start: Callable[..., Server], tmp_path: Path) -> None:
    """`tests/library/test_pages.py` tests the pages after the list with a small library."""
    root = tmp_path / "many"
    root.mkdir()
    ordered = [f"{number}.mp4" for number in range(LONGEST_LIST + 250)]
    for name in ordered:
        (root / name).touch()
    server = start(root, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})
    response = server.get("/api/videos").json()
    assert response["videos"] == ordered[:LONGEST_LIST]
    assert [item["name"] for item in response["items"]] == ordered[:DETAILED]
    wait_for(lambda: server.get("/api/library").json()["videos"] == len(ordered), 60, "the first scan")
    found: list[str] = []
    while response["next"] is not None:
        response = server.get(f"/api/videos?limit=200&cursor={response['next']}").json()
        found += response["videos"]
    assert found == ordered[LONGEST_LIST:]


@pytest.mark.parametrize("limit", [1, 2, 5, 200])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages(stocked: Server, limit: int, order: str) -> None:
    found: list[str] = []
    query = f"limit={limit}&order={order}"
    while True:
        page = stocked.get(f"/api/videos?{query}").json()
        found += page["videos"]
        if page["next"] is None:
            break
        assert len(page["videos"]) == len(page["items"]) == limit
        query = f"limit={limit}&order={order}&cursor={page['next']}"
    assert found == (ALL if order == "asc" else ALL[::-1])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("q=amelie", [BROKEN]),
        ("q=AMELIE+2001", [BROKEN]),
        ("q=season+1&sort=name&order=desc", [*EPISODES[::-1]]),
        ("q=10", [EPISODES[2]]),
        ("q=%25", []),
        ("q=%00", []),
        ("q=%FF", []),
        ("q=" + "x" * 5000, []),
        ("q=", ALL),
        ("folder=", [BROKEN, FILM]),
        ("folder=Series%2FSeason+1", [*EPISODES]),
        ("folder=Series", []),
        ("folder=nowhere", []),
        ("folder=%00%FF", []),
        ("folder=&q=leben", [FILM]),
        ("sort=title", ["Series/Season 1/1.mp4", EPISODES[1], EPISODES[2], BROKEN, FILM]),
        ("sort=size&limit=1", [BROKEN]),
        ("sort=duration&limit=1", [BROKEN]),
        ("cursor=", None),
        ("cursor=nonsense", None),
        ("cursor=%C3%A9", None),
        ("cursor=%FF", None),
        ("limit=0", None),
        ("limit=201", None),
        ("limit=-1", None),
        ("limit=x", None),
        ("limit=", None),
        ("limit=%D9%A1", None),  # an Arabic digit
        ("limit=00000000005000000", None),
        ("limit=1.5", None),
        ("sort=colour", None),
        ("sort=", None),
        ("order=down", None),
    ],
)
def test_search_sort_and_folder(stocked: Server, query: str, expected: list[str] | None) -> None:
    if expected is None:
        assert check_problem(stocked.get(f"/api/videos?{query}"), 400, "bad-request")
    else:
        assert names(stocked, query) == expected


def test_errors_say_what_is_allowed(stocked: Server) -> None:
    def detail(query: str) -> str:
        return check_problem(stocked.get(f"/api/videos?{query}"), 400, "bad-request")

    assert "1 to 200" in detail("limit=500")
    assert "name, title, added, modified, size, duration" in detail("sort=colour")
    assert "asc or desc" in detail("order=up")
    assert "previous page" in detail("cursor=x")


def test_a_cursor_is_only_valid_for_its_sort(stocked: Server) -> None:
    cursor = stocked.get("/api/videos?limit=1&sort=size").json()["next"]
    assert len(names(stocked, f"sort=size&cursor={cursor}")) == 4
    check_problem(stocked.get(f"/api/videos?sort=added&cursor={cursor}"), 400, "bad-request")
    check_problem(stocked.get(f"/api/history?cursor={cursor}"), 400, "bad-request")
    check_problem(stocked.get(f"/api/folders?cursor={cursor}"), 400, "bad-request")


def test_folders(stocked: Server) -> None:
    def folders_in(query: str) -> list[tuple[str, str, int]]:
        response = stocked.get(f"/api/folders?{query}").json()
        assert response["next"] is None
        return [(folder["name"], folder["title"], folder["videos"]) for folder in response["folders"]]

    assert folders_in("") == [("Series", "Series", 0)]
    assert folders_in("in=Series") == [("Series/Season 1", "Season 1", 3)]
    for nowhere in ("nowhere", "Series%2FSeason+1", "Series%2F", "%00", "%FF"):
        assert folders_in(f"in={nowhere}") == []


def test_details_of_a_video(stocked: Server) -> None:
    found = video(stocked, FILM)
    assert (found["state"], found["reason"], found["title"]) == ("probed", None, "Das Leben der Anderen")
    assert (found["width"], found["height"], round(found["duration"])) == (128, 72, 5)
    assert f'"{found["revision"]}"' == stocked.get(found["urls"]["stream"]).headers["ETag"]
    facts = found["facts"]
    assert facts["container"] == "mp4"
    assert [track["codec"] for track in facts["video"] + facts["audio"]] == ["h264", "aac"]
    assert facts["video"][0]["codec_string"].startswith("avc1.")
    assert "times" not in facts["keyframes"]
    assert facts["keyframes"]["count"] == 5
    subtitles = {subtitle["name"] or subtitle["track"]: subtitle for subtitle in found["subtitles"]}
    assert set(subtitles) == {"Das Leben der Anderen.de.srt", "Das Leben der Anderen.en.forced.ass", 2}
    assert all(subtitle["state"] == "made" and subtitle["url"] for subtitle in subtitles.values())
    forced = subtitles["Das Leben der Anderen.en.forced.ass"]
    assert (forced["language"], forced["forced"]) == ("en", True)
    assert [name for name, subtitle in subtitles.items() if subtitle["original"]] == [forced["name"]]
    assert found["thumbnails"]["count"] == 5
    assert found["artwork"]["state"] == "made"


def test_an_unreadable_video_has_a_reason(stocked: Server) -> None:
    found = video(stocked, BROKEN)
    assert found["state"] == "unreadable"
    assert found["reason"]
    assert found["facts"] is found["poster"] is found["thumbnails"] is found["duration"] is None
    assert stocked.get(found["urls"]["file"]).content == b"no video"


def test_episodes_have_previous_and_next(stocked: Server) -> None:
    found = [video(stocked, name) for name in EPISODES]
    beside = [
        (episode["previous"] and episode["previous"]["name"], episode["next"] and episode["next"]["name"])
        for episode in found
    ]
    assert beside == [(None, EPISODES[1]), (EPISODES[0], EPISODES[2]), (EPISODES[1], None)]


IDS_THAT_ARE_NONE = ["0" * 16, "x", "%00", "%FF", "D" * 16, "0" * 1000, "%F0%9F%8E%AC", "1%0A"]


@pytest.mark.parametrize("id_", IDS_THAT_ARE_NONE)
def test_an_invalid_id_is_not_found(stocked: Server, id_: str) -> None:
    for method, path, data in (
        ("GET", "", None),
        ("HEAD", "", None),
        ("PATCH", "", {"title": "x"}),
        ("PUT", "/playhead", {"position": 1}),
        ("DELETE", "/playhead", None),
        ("GET", "/file", None),
    ):
        response = call(stocked, method, f"/api/videos/{id_}{path}", data)
        assert response.status_code == 404
        if method != "HEAD":
            check_problem(response, 404, "video-not-found")


def test_editing(stocked: Server) -> None:
    here = video(stocked, FILM)["urls"]["self"]
    unsaid: dict[str, Any] = {"title": None, "tags": [], "description": ""}
    before = call(stocked, "PATCH", here, unsaid).json()  # whatever a test set before
    response = call(
        stocked,
        "PATCH",
        here,
        {"title": " Zwei Leben ", "tags": ["Städte", "Städte", " "], "description": "Ein\nFilm"},
    )
    found = response.json()
    assert (response.status_code, found["title"]) == (200, "Zwei Leben")
    assert (found["tags"], found["description"]) == (["Städte"], "Ein\nFilm")
    assert video(stocked, FILM) | {"status": "ok"} == found
    assert names(stocked, "q=zwei+stadte") == names(stocked, "q=anderen") == [FILM]
    assert call(stocked, "PATCH", here, {"description": "Neu"}).json()["title"] == "Zwei Leben"
    assert call(stocked, "PATCH", here, unsaid).json() == before
    assert names(stocked, "q=zwei") == []


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"{", b"\xff", b"null", b"[]", b"5", b"{}", b"[" * 60_000, b'{"title": NaN}'),
        *({"titel": "x"}, {"title": "a\0"}, {"title": "x" * 501}, {"tags": "x"}, {"id": "x", "title": "x"}),
        b'{"title": "\\ud800"}',
    ],
)
def test_invalid_edits_are_refused(stocked: Server, data: Any) -> None:
    found = video(stocked, FILM)
    check_problem(call(stocked, "PATCH", found["urls"]["self"], data), 400, "bad-request")
    assert video(stocked, FILM) == found


def test_an_edited_title_survives_a_rename_and_the_id_serves_the_renamed_file(stocked: Server) -> None:
    before = video(stocked, EPISODES[0])
    call(stocked, "PATCH", before["urls"]["self"], {"title": "Der Anfang"})
    (stocked.videos / EPISODES[0]).rename(stocked.videos / "Pilot.mp4")
    try:
        content = (stocked.videos / "Pilot.mp4").read_bytes()
        wait_for(lambda: stocked.get(before["urls"]["file"]).content == content, 3, "the bytes under the id")
        after = video(stocked, "Pilot.mp4")
        assert (after["id"], after["title"], after["revision"]) == (
            before["id"],
            "Der Anfang",
            before["revision"],
        )
        assert names(stocked, "q=anfang") == names(stocked, "q=pilot") == ["Pilot.mp4"]
        check_problem(stocked.get(before["urls"]["stream"]), 404, "video-not-found")
    finally:
        (stocked.videos / "Pilot.mp4").rename(stocked.videos / EPISODES[0])
        call(stocked, "PATCH", before["urls"]["self"], {"title": None})
        wait_for(lambda: names(stocked, "limit=200") == ALL, 3, "its old name")


def wait_until_idle(server: Server) -> None:
    """Background jobs start shortly after a change, also after changes of previous tests."""
    wait_for(lambda: server.get("/api/library").json()["idle"], 5, "the library to be idle")


def test_the_library_as_a_whole(stocked: Server) -> None:
    wait_until_idle(stocked)
    found = stocked.get("/api/library").json()
    assert (found["videos"], found["missing"], found["folders"]) == (5, 0, 3)
    assert found["watching"] == {"on": True, "reason": None}
    assert found["keeping"]["unreadable"] == 1
    assert found["idle"]
    assert found["folder"] == str(stocked.videos)


def events(lines: Any) -> Any:
    """The data of server-sent events as they arrive."""
    for line in lines:
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


def test_progress_is_sent_as_it_happens(stocked: Server) -> None:
    wait_until_idle(stocked)
    with stocked.client() as client, client.stream("GET", "/api/library/scan") as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        received = events(response.iter_lines())
        first = next(received)
        assert first["idle"]
        requested = client.post("/api/library/scan")
        assert requested.status_code == 202
        look = requested.json()["look"]
        assert look > first["look"]["number"]
        for state in received:
            if state["look"]["number"] >= look and not state["look"]["running"]:
                assert state["look"]["full"]
                assert state["look"]["videos"] == 5
                break


async def test_a_disconnected_listener_leaves_nothing_behind(stocked: Server) -> None:
    before = stocked.settled()
    for _ in range(3):
        async with await connect(stocked) as stream:
            await stream.send_all(b"GET /api/library/scan HTTP/1.1\r\nHost: t\r\n\r\n")
            await read_head(stream)
    await trio.to_thread.run_sync(
        lambda: wait_for(lambda: stocked.census().within(before), 5, "all work to end")
    )


def test_head_of_events_ends(stocked: Server) -> None:
    response = call(stocked, "HEAD", "/api/library/scan")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == "text/event-stream"


async def test_events_are_sent_at_once_after_changes_and_after_silence(
    autojump_clock: trio.testing.MockClock,
) -> None:
    progress = Progress()
    stream = EventStream(progress, partial(progress_event, progress), ping=5)
    async with stream as body:
        first = await anext(body)
        assert trio.current_time() == pytest.approx(0)
        assert first.startswith(b"event: progress\nid: 0\ndata: {")
        assert first.endswith(b"}\n\n")
        began = trio.current_time()
        assert await anext(body) == b": still here\n\n"
        assert 5 <= trio.current_time() - began <= 5.5

        async with trio.open_nursery() as nursery:

            async def change() -> None:
                for _ in range(100):
                    await trio.sleep(0.01)
                    progress.scan.videos += 1
                    progress.changed()

            nursery.start_soon(change)
            received = [await anext(body)]
            while b"id: 100\n" not in received[-1]:
                received.append(await anext(body))
        assert len(received) < 10
        versions = [int(event.split(b"\n")[1].removeprefix(b"id: ")) for event in received]
        assert versions == sorted(set(versions))
        assert versions[-1] == 100, "a slow client misses states, but not the last one"
        assert b'"videos": 100' in received[-1]


def test_a_file_with_a_name_that_is_not_utf_8(start: Callable[..., Server], tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path / "videos") + b"/caf\xe9"
    os.makedirs(folder)
    with open(folder + b"/\xff.mp4", "wb") as file:
        file.write(b"film")
    server = start(tmp_path / "videos")
    wait_for(lambda: server.get("/api/videos?limit=1").json()["items"], 10, "the video")
    (tmp_path / "videos" / "other.mp4").write_bytes(b"film")  # the change is noticed anyway
    wait_for(lambda: len(server.get("/api/videos?limit=9").json()["items"]) == 2, 10, "the other video")
    assert server.get("/api/library").json()["watching"] == {"on": True, "reason": None}
    (item,) = server.get("/api/videos?folder=caf%E9").json()["items"]
    assert item["name"] == os.fsdecode(b"caf\xe9/\xff.mp4")
    assert server.get(item["urls"]["file"]).content == server.get(item["urls"]["stream"]).content == b"film"
    assert call(server, "PUT", f"{item['urls']['self']}/playhead", {"position": 1}).status_code == 200
    exported = server.get("/api/watch-state").json()
    assert exported["entries"][0]["name"] == item["name"]
    assert call(server, "PUT", "/api/watch-state", exported).json()["older"] == 1


def test_temporary_errors_have_retry_after() -> None:
    """All errors with a status above 500 are temporary."""
    from trio_stream import errors  # noqa: PLC0415 - no other test here needs internals
    from trio_stream.web.asgi.problems import describe  # noqa: PLC0415 - the same

    kinds = [
        member
        for member in vars(errors).values()
        if isinstance(member, type) and issubclass(member, errors.TrioStreamError)
    ]
    passing = [kind for kind in kinds if kind.status > 500]
    assert {errors.NotTheOwner, errors.MediaWorkerFailed, errors.StoreFull, errors.StoreUnusable} <= set(
        passing
    )
    for kind in passing:
        found = describe(kind.__new__(kind))
        assert found.status == kind.status, kind
        assert int(dict(found.headers)["Retry-After"]) > 0, kind
