"""A library full of damaged and malicious files: the scan handles each once, and nothing escapes from the sandbox."""

import json
import os
import random
import shutil
import socket
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from tests.depth import large
from tests.media.conftest import menagerie  # noqa: F401 - a fixture
from tests.media.test_damage import LISTS, listening  # noqa: F401 - a fixture
from tests.support import MEDIA_WORKER, Server, wait_for
from trio_stream.errors import MediaUnreadable
from trio_stream.media.sandbox.sandbox import WORKER, Sandbox

CUES = 10 << 20
"""Bytes of a subtitle file that are read."""


def cut(source: Path, folder: Path, rng: random.Random, count: int) -> None:
    """Write `count` truncated copies of the file, more of them cut near the start."""
    data = source.read_bytes()
    for number in range(count):
        length = int(len(data) ** rng.random()) if number % 2 else rng.randrange(len(data))
        (folder / f"cut {number}{source.suffix}").write_bytes(data[:length])


def flip(source: Path, folder: Path, rng: random.Random, count: int) -> None:
    """Write `count` copies of the file with flipped bits, more of them near the start."""
    whole = source.read_bytes()
    for number in range(count):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 10, 100, 1000])):
            data[int(len(data) ** rng.random())] ^= 1 << rng.randrange(8)
        (folder / f"flipped {number}{source.suffix}").write_bytes(data)


def boxes(folder: Path) -> None:
    """MP4 files whose boxes claim 2^63 - 1 and 2^63 bytes."""
    ftyp = b"\0\0\0\x14ftypisom\0\0\0\0isom"
    for kind in ("mdat", "moov", "free", "moof"):
        for size in ((1 << 63) - 1, 1 << 63):
            body = b"\0\0\0\1" + kind.encode() + size.to_bytes(8) + bytes(1000)
            (folder / f"{kind} {size:x}.mp4").write_bytes(ftyp + body)


def lists(
    folder: Path, targets: list[str], port: int, suffixes: Sequence[str] = ("mp4", "mkv", "ts")
) -> None:
    """Playlists disguised as videos, each of which names a file or host that must not be reached."""
    for number, text in enumerate(LISTS.values()):
        for suffix in suffixes:
            for target, name in enumerate(targets):
                written = text.replace("{port}", str(port)).replace("{}", name)
                (folder / f"list {number} of {target}.{suffix}").write_text(written)


def subtitles(video: Path, size: int) -> None:
    """Write subtitle files next to a video, the largest of `size` bytes."""
    cue = "00:00.000 --> 00:00.001\nx\n\n"
    hostile = {
        "en.srt": b"1\n00:00:00,000 --> 00:00:01,000\n" + b"x" * size,
        "de.srt": b"1\n00:00:00,000 --> 00:00:01,000\n" + b"\0" * 5000 + b"text\0\n\n",
        "fr.vtt": b"WEBVTT\n\n" + (cue * (size // len(cue))).encode()[: size - 100],
        "es.ass": b"[Script Info]\n[Events]\nDialogue: " + b"{\\b1}" * (size // 10) + b"\n",
        "it.srt": b"{" * (size // 10) + b"<" * (size // 10),
        "pt.vtt": random.Random(1).randbytes(300_000),
        "nl.ssa": b"\xff\xfe" + b"\xd8\x00" * 100_000,
        "fi.srt": b"",
    }
    for suffix, data in hostile.items():
        video.with_suffix(f".{suffix}").write_bytes(data)


@contextmanager
def playing(server: Server, name: str, data: bytes) -> Iterator[Counter[str]]:
    """A client that requests a valid video repeatedly; yields counts of what it received."""
    stop, seen = threading.Event(), Counter[str]()

    def watch() -> None:
        with server.client() as client:
            while not stop.is_set():
                try:
                    response = client.get(f"/api/stream/{name}")
                    seen["whole" if response.content == data else f"other: {response.status_code}"] += 1
                except Exception as error:  # noqa: BLE001 - every error is counted
                    seen[repr(error)] += 1
                stop.wait(0.05)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def hostile(
    request: pytest.FixtureRequest,
    menagerie: Path,  # noqa: F811 - the fixture imported above
    footage: Path,
    tmp_path: Path,
    listening: socket.socket,  # noqa: F811 - the fixture imported above
) -> Path:
    cuts, flips, suffixes, subtitle_bytes = request.param
    root = tmp_path / "videos"
    for name in ("damaged", "cut", "flipped", "boxes", "lists"):
        (root / name).mkdir(parents=True)
    rng = random.Random(4)
    for path in (menagerie / "damaged").iterdir():
        shutil.copy(path, root / "damaged")
    for source in ("codecs/h264-baseline.mp4", "tracks/subtitles.mkv"):
        cut(menagerie / source, root / "cut", rng, cuts)
        flip(menagerie / source, root / "flipped", rng, flips)
    boxes(root / "boxes")
    secret = tmp_path / "secret.mp4"
    shutil.copy(menagerie / "codecs/h264-baseline.mp4", secret)
    port = listening.getsockname()[1]
    lists(root / "lists", ["/etc/passwd", str(secret), f"http://127.0.0.1:{port}/a.ts"], port, suffixes)
    shutil.copy(footage, root / "good.mp4")
    subtitles(root / "good.mp4", subtitle_bytes)
    return root


def access_check(path: Path) -> Callable[[], bool]:
    """A function that returns whether the file is still unread, by its access time, if the file system records it."""

    def reset(file: Path) -> None:
        os.utime(
            file, (1, file.stat().st_mtime)
        )  # an access time before the modification time is always updated

    control = path.with_name("control")
    control.write_bytes(b"read")
    reset(control)
    control.read_bytes()
    reset(path)
    keeps = control.stat().st_atime > 1
    return lambda: not keeps or path.stat().st_atime == 1


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param((4, 3, ["mp4"], 1 << 18), id="small"),
        large((50, 20, ["mp4", "mkv", "ts"], CUES), id="large"),
    ],
    indirect=True,
)
def test_the_scan_of_a_hostile_library(
    start: Callable[..., Server],
    hostile: Path,
    tmp_path: Path,
    listening: socket.socket,  # noqa: F811 - fails if anything connects
) -> None:
    untouched = access_check(tmp_path / "secret.mp4")
    good = (hostile / "good.mp4").read_bytes()
    server = start(hostile, environ={"TRIO_STREAM_ARTWORK_SHARE": "1"})
    with playing(server, "good.mp4", good) as seen:
        wait_for(lambda: idle(server), 500, "the scan to end")
        rows = content_rows(tmp_path / "server-0" / "data" / "library.db")
    # Each file has a final state, and a reason if it failed.
    names = {
        str(path.relative_to(hostile))
        for path in hostile.rglob("*")
        if path.suffix in (".mp4", ".mkv", ".ts")
    }
    assert {row["name"] for row in rows} == names
    assert {row["state"] for row in rows} == {"probed", "unreadable"}
    assert all(row["reason"] for row in rows if row["state"] == "unreadable")
    assert not [row for row in rows if "the media parser failed" in (row["reason"] or "")], "a bug of ours"
    assert {row["artwork"] for row in rows} <= {"made", "failed", "none"}
    assert all(row["artwork_reason"] for row in rows if row["artwork"] == "failed")
    states = {row["name"]: row["state"] for row in rows}
    assert states["good.mp4"] == "probed"
    assert {states[name] for name in names if name.startswith(("lists/", "boxes/"))} == {"unreadable"}
    # One attempt each; none for empty files.
    logged = Counter(event["name"] for event in events(server) if event["event"] == "a video cannot be read")
    assert logged == dict.fromkeys((row["name"] for row in rows if row["state"] == "unreadable"), 1)
    tried = {(row["state"], row["attempts"]) for row in rows if row["reason"] != "the file is empty"}
    assert tried == {("probed", 0), ("unreadable", 1)}
    assert not [event for event in events(server) if "trying again" in event["event"]]
    assert not [event for event in events(server) if "died" in event["event"]], "the worker, or a service"
    # The subtitle files have final states too, and the converted ones can be read.
    details = server.get(f"/api/videos/{next(row['id'] for row in rows if row['name'] == 'good.mp4')}").json()
    outcomes = {
        each["name"].partition(".")[2]: (each["state"], each["reason"]) for each in details["subtitles"]
    }
    assert len(outcomes) == 8
    assert all(state == "made" or (state == "failed" and reason) for state, reason in outcomes.values()), (
        outcomes
    )
    for each in details["subtitles"]:
        if each["url"]:
            assert server.get(each["url"]).content.startswith(b"WEBVTT")
    # Nothing escaped, and no process is left.
    assert untouched()
    left = psutil.Process(server.pid).children(recursive=True)
    assert len(left) <= 1
    assert all(MEDIA_WORKER in child.cmdline() for child in left)
    assert set(seen) == {"whole"}, seen
    assert seen["whole"] >= 10
    assert server.get("/readyz").status_code == 200
    # Another full scan retries nothing.
    server.forget()
    number = server.get("/api/library").json()["look"]["number"]
    with server.client() as client:
        assert client.post("/api/library/scan").status_code == 202
    wait_for(lambda: (found := idle(server)) and found["look"]["number"] > number, 20, "another scan")
    assert not [event for event in events(server) if "cannot be read" in event["event"]]
    assert content_rows(tmp_path / "server-0" / "data" / "library.db") == rows


def idle(server: Server) -> dict[str, Any] | None:
    state: dict[str, Any] = server.get("/api/library").json()
    return state if state["idle"] and state["look"]["ended"] else None


def events(server: Server) -> list[dict[str, Any]]:
    return [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]


def content_rows(database: Path) -> list[dict[str, Any]]:
    """The videos with the states of their contents, from the database."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        found = connection.execute(
            "SELECT videos.id, CAST(path AS TEXT) AS name, state, attempts, reason, artwork, artwork_reason, texts"
            " FROM videos JOIN contents USING (revision) ORDER BY path"
        )
        return [dict(row) for row in found]


OPENING = ("open", "openat", "openat2", "creat", "socket", "connect", "execve", "name_to_handle_at")


@pytest.mark.skipif(sys.platform != "linux", reason="strace is a program of Linux")
async def test_the_media_parser_opens_no_files(
    menagerie: Path,  # noqa: F811 - the fixture imported above
    tmp_path: Path,
    listening: socket.socket,  # noqa: F811 - the fixture imported above
) -> None:
    """Checked by its system calls, traced from outside.

    The C library tries to load its text converters, for names in a transport stream. Even that is refused.
    """
    folder, trace = tmp_path / "videos", tmp_path / "trace"
    folder.mkdir()
    lists(folder, ["/etc/passwd", f"http://127.0.0.1:{listening.getsockname()[1]}/a.ts"], 9)
    for name in ("tracks/subtitles.mkv", "damaged/cut-in-data.mp4", "codecs/hevc-aac.ts"):
        shutil.copy(menagerie / name, folder)
    calls = ",".join((*OPENING, "prctl", "seccomp"))
    sandbox = Sandbox(("strace", "-f", "-q", "-o", str(trace), "-e", f"trace={calls}", *WORKER))
    jobs = 0
    async with trio.open_nursery() as nursery:
        await nursery.start(sandbox.serve)
        for path in sorted(folder.iterdir()):
            for job in (
                ("probe", "artwork", "subtitle_tracks") if path.stat().st_size > 10_000 else ("probe",)
            ):
                with path.open("rb") as file, suppress(MediaUnreadable):
                    await sandbox.run(job, file.fileno(), deadline=60, urgent=True)
                jobs += 1
        unfiltered = sandbox.statistics().unfiltered
        nursery.cancel_scope.cancel()
    if unfiltered is not None:
        pytest.skip(unfiltered)
    confined: dict[str, list[str]] = {}
    unfinished: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        process, call = line.split(maxsplit=1)
        if call.endswith("<unfinished ...>"):  # another process ran before this call ended
            unfinished[process] = call.removesuffix("<unfinished ...>")
            continue
        if call.startswith("<... "):
            call = unfinished.pop(process, "") + call.partition("resumed>")[2]
        if "PR_SET_SECCOMP" in call or call.startswith("seccomp("):
            confined.setdefault(process, [])
        elif process in confined and call.startswith(OPENING):
            confined[process].append(call)
    assert len(confined) == jobs + 1, "every child, and the one that tested whether the filter works"
    tried = {call for each in confined.values() for call in each}
    assert {call for call in tried if "/gconv/" not in call} == set()
    assert {call for call in tried if "= -1 EPERM" not in call} == set()
