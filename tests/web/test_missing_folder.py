"""The folder of videos disappears, as if its disk were unmounted, and comes back."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import Server, connect, wait_for
from tests.websocket import Client, Rejected


@pytest.fixture
def folder(tmp_path: Path, footage: Path) -> Path:
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(footage, videos / "film.mp4")
    return videos


async def test_requests_fail_while_the_folder_is_missing_and_work_once_it_is_back(
    start: Callable[..., Server], folder: Path
) -> None:
    server = start(folder)
    server.wait_for_video("film.mp4", (folder / "film.mp4").stat().st_size)
    (before,) = server.get("/api/videos?limit=9").json()["items"]
    paths = ("/api/videos", "/api/stream/film.mp4", before["urls"]["file"], before["urls"]["stream"])
    assert [server.get(path).status_code for path in (*paths, "/readyz")] == [200] * 5

    moved = folder.rename(folder.with_name("moved"))
    for path in (*paths, "/api/stream/other.mp4", "/readyz"):
        for method in ("GET", "HEAD"):
            with server.client() as client:
                refused = client.request(method, path)
            assert refused.status_code == 503, (method, path)
            assert int(refused.headers["Retry-After"]) > 0
        problem = server.get(path).json()
        assert (problem["code"], problem["detail"]) == (
            "library-away",
            "the folder of videos cannot be read: No such file or directory",
        )
    async with await connect(server) as stream:
        with pytest.raises(Rejected) as rejected:
            await Client(stream).shake_hands("t", "/api/ws/stream/film.mp4", (), [])
    assert (rejected.value.status, json.loads(rejected.value.body)["code"]) == (503, "library-away")
    assert server.get("/healthz").status_code == 200
    server.get("/api/library")
    with server.client() as client:
        client.post("/api/library/scan")
    wait_for(
        lambda: server.get("/api/library").json()["last_full"]["unread"], 10, "a scan that finds nothing"
    )
    assert server.get("/api/videos?limit=9").json()["items"] == [before], (
        "videos of an unreadable folder are not missing"
    )
    assert "a request failed" not in server.log

    moved.rename(folder)
    assert [server.get(path).status_code for path in (*paths, "/readyz")] == [200] * 5
    (after,) = server.get("/api/videos?limit=9").json()["items"]
    assert after == before
