"""Files change while clients stream them: streams end as promised, and the API soon reports the new state.

Each change happens while two clients are in the middle of a video, one by its name and one by its id.
"""

import os
import shutil
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import trio

from tests.media.making import make
from tests.support import Server, is_done, read_head, wait_for

RIGHT_WITHIN = 60.0
"""Seconds within which the API must report a change."""

SIZE = 24 << 20
"""Bytes of a video: more than socket buffers hold, so a stream stops in the middle while its client does not read."""

BEGIN = 200_000
"""Bytes that a client reads before the change."""

SRT = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, Path]:
    """Two short videos with different frames and subtitles."""
    all_derived = []
    for name, pattern in (("one", "testsrc2"), ("other", "smptebars")):
        text = tmp_path / f"{name}.srt"
        text.write_text(SRT.format(name))
        source = f"-f lavfi -i {pattern}=size=192x108:rate=10:duration=4 -i {text}"
        encoded = "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:s mov_text"
        all_derived.append(make(tmp_path / f"{name}.mp4", f"{source} {encoded}"))
    return all_derived[0], all_derived[1]


def write(path: Path, clip: Path, size: int = SIZE) -> Path:
    """Write the clip and a `free` box (ISO/IEC 14496-12) up to `size` bytes, with distinct bytes in every 256 KiB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    head = clip.read_bytes()
    with path.open("r+b" if path.exists() else "wb") as file:
        file.write(head + (size - len(head)).to_bytes(4) + b"free")
        file.truncate(size)
        for at in range(len(head) + 8, size - 16, 1 << 18):
            file.seek(at)
            file.write(os.urandom(16))
    return path


class Viewer:
    """Reads the start of a body, and the rest on request."""

    def __init__(self) -> None:
        self.started, self.may_continue = trio.Event(), trio.Event()
        self.etag = ""
        self.length = 0
        self.data = b""

    async def watch(self, server: Server, path: str) -> None:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        plain = trio.socket.from_stdlib_socket(raw)
        await plain.connect((server.host, server.port))
        async with trio.SocketStream(plain) as stream:
            await stream.send_all(
                f"GET {path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n".encode()
            )
            head, rest = await read_head(stream)
            assert head.startswith(b"HTTP/1.1 200"), head
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            fields = {name.lower(): value for name, value in fields.items()}
            self.etag, self.length = fields["etag"], int(fields["content-length"])
            data = bytearray(rest)
            while len(data) < BEGIN:
                data += await stream.receive_some(65536)
            self.started.set()
            await self.may_continue.wait()
            try:
                while more := await stream.receive_some(1 << 20):
                    data += more
            except trio.BrokenResourceError:
                pass
            self.data = bytes(data)


@dataclass
class VideoState:
    """What the API reports about a video."""

    name: str
    id: str
    revision: str
    size: int


@dataclass
class Case:
    """A change, and the state that must follow soon. `now` is the expected state of the video, None if it is gone."""

    name: str
    change: Callable[[Path], object]
    becomes: str | None
    same_revision: bool = True
    completes: bool = True
    """Whether a viewer receives the old bytes to the end."""
    also: str | None = None
    """The name of another video that exists then."""
    before: VideoState | None = None
    viewers: tuple[Viewer, ...] = ()
    bytes: bytes = b""
    problems: list[str] = field(default_factory=list)


def cases(root: Path, other: Path, aside: Path) -> list[Case]:
    """Every way a file can change, each with a separate video."""

    def edit(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(SIZE - 20)
            file.write(b"edited")

    def replace(path: Path) -> None:
        write(aside / path.name, other, SIZE + 1000).replace(path)

    def to(name: str) -> Callable[[Path], object]:
        def rename(path: Path) -> None:
            (root / name).parent.mkdir(exist_ok=True)
            path.rename(root / name)

        return rename

    return [
        Case("rename.mp4", to("renamed.mp4"), "renamed.mp4"),
        Case("Films/move.mp4", to("Shows/move.mp4"), "Shows/move.mp4"),
        Case("Films/up.mp4", to("up.mp4"), "up.mp4"),
        Case(
            "copy.mp4", lambda path: shutil.copyfile(path, root / "copied.mp4"), "copy.mp4", also="copied.mp4"
        ),
        Case("link.mp4", lambda path: os.link(path, root / "linked.mp4"), "link.mp4", also="linked.mp4"),
        Case("edit.mp4", edit, "edit.mp4", same_revision=False, completes=False),
        Case(
            "rewrite.mp4",
            lambda path: write(path, other, SIZE + 2000),
            "rewrite.mp4",
            same_revision=False,
            completes=False,
        ),
        Case("replace.mp4", replace, "replace.mp4", same_revision=False),
        Case("remove.mp4", Path.unlink, None),
    ]


class ImmutableUrls:
    """All immutable URLs, with the bytes that each returned first."""

    def __init__(self) -> None:
        self.seen: dict[str, bytes] = {}
        self.stopped = False

    async def follow(self, client: httpx.AsyncClient) -> None:
        """Request all of them repeatedly until stopped."""
        while not self.stopped:
            await self.request_all(client)
            await trio.sleep(0.1)

    async def request_all(self, client: httpx.AsyncClient) -> None:
        """Request all that exist now."""
        for item in (await listed(client)).values():
            response = await client.get(f"/api/videos/{item.id}")
            if response.status_code == 200:
                for url in derived_urls(response.json()):
                    await self.request(client, url)

    async def request(self, client: httpx.AsyncClient, url: str) -> int:
        response = await client.get(url)
        if response.status_code == 200:
            assert self.seen.setdefault(url, response.content) == response.content, url
            assert "immutable" in response.headers["Cache-Control"]
        else:
            assert response.status_code == 404, (url, response.status_code)
        return response.status_code


def derived_urls(details: dict[str, Any]) -> list[str]:
    """The URLs of all derived files of a video."""
    thumbnails = details["thumbnails"] or {"sheets": [], "track": None}
    found = [details["poster"], thumbnails["track"], *thumbnails["sheets"]]
    found += [url for each in details["subtitles"] for url in (each["url"], each["original"])]
    return [url for url in found if url]


async def listed(client: httpx.AsyncClient) -> dict[str, VideoState]:
    items = (await client.get("/api/videos?limit=200")).json()["items"]
    return {
        item["name"]: VideoState(item["name"], item["id"], item["revision"], item["size"]) for item in items
    }


async def eventually(check: Callable[[], Awaitable[None]]) -> str | None:
    """What is still wrong after `RIGHT_WITHIN` seconds; None if nothing is."""
    deadline = trio.current_time() + RIGHT_WITHIN
    while True:
        try:
            await check()
        except NotYet as wrong:
            if trio.current_time() >= deadline:
                return str(wrong)
            await trio.sleep(0.05)
        else:
            return None


class NotYet(Exception):
    """The API reports an outdated state: `str` says which."""


def require(condition: bool, what: object) -> None:
    if not condition:
        raise NotYet(str(what))


async def check_api(client: httpx.AsyncClient, case: Case, root: Path) -> None:
    """Raise `NotYet` unless the API reports the right state of the video and its bytes."""
    before, videos = case.before, await listed(client)
    assert before is not None
    head = await client.head(f"/api/videos/{before.id}/file")
    if case.name != case.becomes:
        by_name = await client.head(f"/api/stream/{quote(case.name)}")
        require(case.name not in videos and by_name.status_code == 404, f"{case.name} still exists")
    if case.becomes is None:
        gone = before.id not in {each.id for each in videos.values()}
        require(gone and head.status_code == 404, f"its id still exists: {head.status_code}")
        return
    now, status = videos.get(case.becomes), (root / case.becomes).stat()
    if now is None or now.id != before.id:
        raise NotYet(f"{case.becomes} is {now}, was {before}")
    require((now.revision == before.revision) is case.same_revision, f"{before} is {now}")
    details = (await client.get(f"/api/videos/{before.id}")).json()
    by_name = await client.head(f"/api/stream/{quote(case.becomes)}")
    for size, revision in (
        (now.size, now.revision),
        (details["size"], details["revision"]),
        (int(head.headers.get("Content-Length", -1)), head.headers.get("ETag", "").strip('"')),
        (int(by_name.headers.get("Content-Length", -1)), by_name.headers.get("ETag", "").strip('"')),
    ):
        require((size, revision) == (status.st_size, now.revision), f"{size} bytes of {revision}: {now}")
    if case.also is not None:
        also = videos.get(case.also)
        if also is None or also.id == before.id or also.size != before.size:
            raise NotYet(f"{case.also} is {also}")
        same_file = os.path.samestat((root / case.also).stat(), status)
        require((also.revision == before.revision) is same_file, f"{case.also} is {also}")


async def run_case(server: Server, client: httpx.AsyncClient, case: Case, root: Path) -> None:
    """Change the file while it is streamed, wait until the API is right, and let the viewers continue."""
    assert case.before is not None
    case.viewers = (Viewer(), Viewer())
    case.bytes = (root / case.name).read_bytes()
    async with trio.open_nursery() as nursery:
        urls = (f"/api/stream/{quote(case.name)}", f"/api/videos/{case.before.id}/file")
        for viewer, url in zip(case.viewers, urls, strict=True):
            nursery.start_soon(viewer.watch, server, url)
            await viewer.started.wait()
            assert viewer.etag == f'"{case.before.revision}"'
        case.change(root / case.name)
        if wrong := await eventually(lambda: check_api(client, case, root)):
            case.problems.append(wrong)
        for viewer in case.viewers:
            viewer.may_continue.set()
    for viewer in case.viewers:
        if case.completes and viewer.data != case.bytes:
            case.problems.append(f"{len(viewer.data)} bytes, not {len(case.bytes)} as before")
        if not case.completes and not BEGIN <= len(viewer.data) < viewer.length:
            case.problems.append(f"{len(viewer.data)} of {viewer.length} bytes of a video that changed")


async def test_files_change_while_they_are_watched(
    start: Callable[..., Server], clips: tuple[Path, Path], tmp_path: Path
) -> None:
    root, (one, other) = tmp_path / "videos", clips
    all_cases = cases(root, other, tmp_path)
    for case in all_cases:
        write(root / case.name, one).with_suffix(".en.srt").write_text(SRT.format(case.name))
    server = start(root, environ={"TRIO_STREAM_ARTWORK_SHARE": "1"})

    def all_derived() -> bool:
        state = server.get("/api/library").json()
        return is_done(state) and state["videos"] == len(all_cases)

    await trio.to_thread.run_sync(lambda: wait_for(all_derived, 90, "all derived files"))
    immutable = ImmutableUrls()
    async with httpx.AsyncClient(base_url=server.url, timeout=10, verify=False) as client:
        for name, video in (await listed(client)).items():
            next(case for case in all_cases if case.name == name).before = video
        await immutable.request_all(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(immutable.follow, client)
            async with trio.open_nursery() as changing:
                for case in all_cases:
                    changing.start_soon(run_case, server, client, case, root)
            immutable.stopped = True
        assert {case.name: case.problems for case in all_cases if case.problems} == {}
        done = partial(
            wait_for, lambda: is_done(server.get("/api/library").json()), 90, "all derived files again"
        )
        await trio.to_thread.run_sync(done)
        # Each present video has all derived files, at new URLs.
        first = dict(immutable.seen)
        assert len(first) >= 5 * len(all_cases), "a poster, a sheet, a thumbnail track and two subtitles each"
        for video in (await listed(client)).values():
            details = (await client.get(f"/api/videos/{video.id}")).json()
            urls = derived_urls(details)
            assert len(urls) >= 4, details
            assert [await immutable.request(client, url) for url in urls] == [200] * len(urls)
        for url in first:
            await immutable.request(client, url)
        for name in ("replace.mp4", "rewrite.mp4"):
            case = next(case for case in all_cases if case.name == name)
            assert case.before is not None
            details = (await client.get(f"/api/videos/{case.before.id}")).json()
            old_posters = [
                data
                for url, data in first.items()
                if f"{case.before.id}/r/{case.before.revision}/poster" in url
            ]
            assert old_posters, "the old poster was requested"
            assert immutable.seen[details["poster"]] not in old_posters, "the new poster differs"
