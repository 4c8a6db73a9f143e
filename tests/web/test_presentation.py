"""The offered and omitted tracks of a video in the API."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.media.making import make
from tests.support import Server, serving, wait_for
from tests.web.contract import named
from tests.web.requesting import call, check_problem, video
from trio_stream.web.openapi.document import document

PRESENTATION = named(document(), "Presentation")

VIDEO = "-f lavfi -i testsrc2=size=128x72:rate=10:duration=4"
AUDIO = "-f lavfi -i sine=duration=4"
CODED = "-pix_fmt yuv420p -c:v libx264 -preset ultrafast -g 10 -c:a aac"
TWO = f"{VIDEO} {VIDEO} -map 0 -map 1 {CODED}"

VIDEOS = {
    "two angles.mp4": TWO,
    "angles in Matroska.mkv": f"{VIDEO} {VIDEO} {AUDIO} -map 0 -map 1 -map 2 {CODED} -metadata:s:v:1 language=ger",
    "unsupported audio.mkv": f"{VIDEO} {AUDIO} {AUDIO} -map 0 -map 1 -map 2 {CODED} -c:a:1 pcm_s16le "
    "-metadata:s:a:1 language=fra -metadata:s:a:1 title=Comment",
    "unsupported video.mp4": f"{VIDEO} {VIDEO} {AUDIO} -map 0 -map 1 -map 2 {CODED} -c:v:0 mjpeg",
    "encrypted audio.mp4": f"{VIDEO} {AUDIO} {AUDIO} -map 0 -map 1 -map 2 {CODED}",
    "song.ogv": f"{AUDIO} -c:a libopus",
    "all unsupported.mkv": f"{VIDEO} {AUDIO} -map 0 -map 1 -c:v mjpeg -pix_fmt yuvj420p -c:a pcm_s16le",
}

PLAYS = {
    "two angles.mp4": {"v1"},
    "angles in Matroska.mkv": {"v0", "a2"},
    "unsupported audio.mkv": {"v0", "a1"},
    "unsupported video.mp4": {"v2", "a3"},
    "encrypted audio.mp4": {"v1", "a2"},
    "song.ogv": {"a0"},
}

OMITS = {
    "two angles.mp4": [("video", 2, "avc1", None, "second-video")],
    "angles in Matroska.mkv": [("video", 1, "h264", "de", "second-video")],
    "unsupported audio.mkv": [("audio", 2, "pcm_s16le", "fr", "codec")],
    "unsupported video.mp4": [("video", 1, "mp4v", None, "codec")],
    "encrypted audio.mp4": [("audio", 3, "enca", None, "encrypted")],
    "song.ogv": [],
}


@pytest.fixture(scope="module")
def odd(way: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with videos some of whose tracks are omitted."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "videos").mkdir()
    for name, arguments in VIDEOS.items():
        file = make(folder / "videos" / name, arguments)
        if name.startswith("encrypted"):
            before, _, behind = file.read_bytes().rpartition(b"mp4a")
            file.write_bytes(before + b"enca" + behind)
    whole = (folder / "videos" / "encrypted audio.mp4").read_bytes()
    (folder / "videos" / "encrypted.mp4").write_bytes(whole.replace(b"avc1\0\0\0\0\0\0", b"encv\0\0\0\0\0\0"))
    (folder / "videos" / "nothing.mp4").write_bytes(b"no video at all")
    with serving(folder / "videos", folder, environ=way | {"TRIO_STREAM_ARTWORK_SHARE": "0"}) as server:
        wait_for(lambda: server.get("/api/library").json()["videos"] == len(VIDEOS) + 2, 20, "the videos")
        wait_for(lambda: all(item["state"] != "new" for item in items(server)), 20, "their media info")
        yield server


def items(server: Server) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get("/api/videos?limit=50").json()["items"]
    return found


def presentation_of(server: Server, name: str) -> dict[str, Any]:
    response = server.get(f"{video(server, name)['urls']['self']}/presentation")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert PRESENTATION.allows(found)
    return found


@pytest.mark.parametrize("name", PLAYS)
def test_every_track_is_offered_or_omitted_with_a_reason(odd: Server, name: str) -> None:
    found = presentation_of(odd, name)
    assert (found["reason"], found["code"]) == (None, None)
    assert found["duration"] == pytest.approx(4, abs=0.2)
    assert {track["name"] for track in found["renditions"]} == PLAYS[name]
    omitted = [
        (track["kind"], track["track"], track["codec"], track["language"], track["code"])
        for track in found["omitted"]
    ]
    assert omitted == OMITS[name]
    assert all(track["reason"] for track in found["omitted"])
    facts = video(odd, name)["facts"]
    assert len(found["renditions"]) + len(found["omitted"]) == len(facts["video"]) + len(facts["audio"])
    manifest = odd.get(video(odd, name)["urls"]["hls"]).text
    assert all(f"{track['name']}.m3u8" in manifest for track in found["renditions"])


def test_names_of_tracks(odd: Server) -> None:
    [left] = presentation_of(odd, "unsupported audio.mkv")["omitted"]
    assert left["label"] == "Comment"


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("nothing.mp4", "unpackageable", "it has no index (moov)"),
        ("encrypted.mp4", "encrypted", "the box moov: it is encrypted"),
        ("all unsupported.mkv", "unpackageable", "no browser plays mjpeg in MP4"),
    ],
)
def test_a_refused_file_has_a_reason(odd: Server, name: str, code: str, reason: str) -> None:
    about = video(odd, name)
    assert presentation_of(odd, name) == {
        "duration": None,
        "reason": reason,
        "code": code,
        "renditions": [],
        "omitted": [],
    }
    assert check_problem(odd.get(about["urls"]["hls"]), 422, code) == reason


def test_other_addresses_are_not_found(odd: Server) -> None:
    check_problem(odd.get(f"/api/videos/{'0' * 16}/presentation"), 404, "video-not-found")
    here = video(odd, "song.ogv")["urls"]["self"]
    assert odd.get(f"{here}/presentation/").status_code == 404
    check_problem(call(odd, "POST", f"{here}/presentation"), 405, "method-not-allowed")


def test_it_is_revalidated_and_sent_if_it_changed(odd: Server) -> None:
    address = f"{video(odd, 'nothing.mp4')['urls']['self']}/presentation"
    response = odd.get(address)
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-cache"
    assert "Last-Modified" in response.headers
    again = odd.get(address, headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = call(odd, "HEAD", address)
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(response.content)))


def test_a_removed_video_has_no_presentation(start: Callable[..., Server], tmp_path: Path) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    make(videos / "song.ogv", VIDEOS["song.ogv"])
    server = start(videos, environ={"TRIO_STREAM_ARTWORK_SHARE": "0"})
    wait_for(lambda: server.get("/api/library").json()["videos"] == 1, 20, "the song")
    address = f"{video(server, 'song.ogv')['urls']['self']}/presentation"
    assert server.get(address).status_code == 200
    (videos / "song.ogv").unlink()
    check_problem(server.get(address), 404, "video-not-found")
