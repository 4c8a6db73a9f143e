"""Files change while somebody watches them: streams end as promised, and soon everybody is told what is so now.

Each change is made while two clients are in the middle of a video, one of its name and one of its id.
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
"""Seconds after a change in which the API says what is so."""

SIZE = 24 << 20
"""Bytes of a video: more than sockets hold, so that whoever sends it is in the middle of it while nobody reads."""

BEGIN = 200_000
"""Bytes a client reads before the change."""

SRT = "1\n00:00:00,500 --> 00:00:01,500\n{}\n"


@pytest.fixture
def clips(tmp_path: Path) -> tuple[Path, Path]:
    """Two short videos in which different things are to be seen and to be read."""
    made = []
    for name, picture in (("one", "testsrc2"), ("other", "smptebars")):
        text = tmp_path / f"{name}.srt"
        text.write_text(SRT.format(name))
        source = f"-f lavfi -i {picture}=size=192x108:rate=10:duration=4 -i {text}"
        encoded = "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p -c:s mov_text"
        made.append(make(tmp_path / f"{name}.mp4", f"{source} {encoded}"))
    return made[0], made[1]


def write(path: Path, clip: Path, size: int = SIZE) -> Path:
    """The clip and a free box (ISO/IEC 14496-12) up to `size` bytes, with some of its own in every 256 KiB."""
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
    """Reads the beginning of a body, and the rest once it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = trio.Event(), trio.Event()
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
            self.begun.set()
            await self.go_on.wait()
            try:
                while more := await stream.receive_some(1 << 20):
                    data += more
            except trio.BrokenResourceError:
                pass
            self.data = bytes(data)


@dataclass
class Known:
    """What the API says of a video."""

    name: str
    id: str
    revision: str
    size: int


@dataclass
class Case:
    """A change, and what has to be so soon after it. `now` is what is known of the video then, None if it is gone."""

    name: str
    change: Callable[[Path], object]
    becomes: str | None
    same_revision: bool = True
    whole: bool = True
    """Whether who watches sees the old bytes to the end."""
    also: str | None = None
    """The name of another video that there is then."""
    before: Known | None = None
    viewers: tuple[Viewer, ...] = ()
    bytes: bytes = b""
    problems: list[str] = field(default_factory=list)


def cases(root: Path, other: Path, aside: Path) -> list[Case]:
    """Every way a file changes, each for a video of its own."""

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
        Case("edit.mp4", edit, "edit.mp4", same_revision=False, whole=False),
        Case(
            "rewrite.mp4",
            lambda path: write(path, other, SIZE + 2000),
            "rewrite.mp4",
            same_revision=False,
            whole=False,
        ),
        Case("replace.mp4", replace, "replace.mp4", same_revision=False),
        Case("remove.mp4", Path.unlink, None),
    ]


class Addresses:
    """Every address that is never to mean anything else, with the bytes it gave first."""

    def __init__(self) -> None:
        self.seen: dict[str, bytes] = {}
        self.over = False

    async def follow(self, client: httpx.AsyncClient) -> None:
        """Look at all there are, again and again until there is nothing more to come."""
        while not self.over:
            await self.look_at_all(client)
            await trio.sleep(0.1)

    async def look_at_all(self, client: httpx.AsyncClient) -> None:
        """Look at all there are now."""
        for item in (await listed(client)).values():
            answer = await client.get(f"/api/videos/{item.id}")
            if answer.status_code == 200:
                for url in addresses(answer.json()):
                    await self.look(client, url)

    async def look(self, client: httpx.AsyncClient, url: str) -> int:
        answer = await client.get(url)
        if answer.status_code == 200:
            assert self.seen.setdefault(url, answer.content) == answer.content, url
            assert "immutable" in answer.headers["Cache-Control"]
        else:
            assert answer.status_code == 404, (url, answer.status_code)
        return answer.status_code


def addresses(details: dict[str, Any]) -> list[str]:
    """The addresses of all that was made of a video."""
    thumbnails = details["thumbnails"] or {"sheets": [], "track": None}
    found = [details["poster"], thumbnails["track"], *thumbnails["sheets"]]
    found += [url for each in details["subtitles"] for url in (each["url"], each["original"])]
    return [url for url in found if url]


async def listed(client: httpx.AsyncClient) -> dict[str, Known]:
    items = (await client.get("/api/videos?limit=200")).json()["items"]
    return {item["name"]: Known(item["name"], item["id"], item["revision"], item["size"]) for item in items}


async def eventually(look: Callable[[], Awaitable[None]]) -> str | None:
    """What is still wrong after `RIGHT_WITHIN` seconds, None if nothing is."""
    deadline = trio.current_time() + RIGHT_WITHIN
    while True:
        try:
            await look()
        except NotYet as wrong:
            if trio.current_time() >= deadline:
                return str(wrong)
            await trio.sleep(0.05)
        else:
            return None


class NotYet(Exception):
    """What the API says is not so: `str` says what."""


def right(is_so: bool, what: object) -> None:
    if not is_so:
        raise NotYet(str(what))


async def conform(client: httpx.AsyncClient, case: Case, root: Path) -> None:
    """Raise `NotYet` unless what the API says of the video and of its bytes is so."""
    before, videos = case.before, await listed(client)
    assert before is not None
    head = await client.head(f"/api/videos/{before.id}/file")
    if case.name != case.becomes:
        by_name = await client.head(f"/api/stream/{quote(case.name)}")
        right(case.name not in videos and by_name.status_code == 404, f"there is still {case.name}")
    if case.becomes is None:
        gone = before.id not in {each.id for each in videos.values()}
        right(gone and head.status_code == 404, f"its id is still there: {head.status_code}")
        return
    now, status = videos.get(case.becomes), (root / case.becomes).stat()
    if now is None or now.id != before.id:
        raise NotYet(f"{case.becomes} is {now}, was {before}")
    right((now.revision == before.revision) is case.same_revision, f"{before} is {now}")
    said = (await client.get(f"/api/videos/{before.id}")).json()
    by_name = await client.head(f"/api/stream/{quote(case.becomes)}")
    for size, revision in (
        (now.size, now.revision),
        (said["size"], said["revision"]),
        (int(head.headers.get("Content-Length", -1)), head.headers.get("ETag", "").strip('"')),
        (int(by_name.headers.get("Content-Length", -1)), by_name.headers.get("ETag", "").strip('"')),
    ):
        right((size, revision) == (status.st_size, now.revision), f"{size} bytes of {revision}: {now}")
    if case.also is not None:
        also = videos.get(case.also)
        if also is None or also.id == before.id or also.size != before.size:
            raise NotYet(f"{case.also} is {also}")
        same_file = os.path.samestat((root / case.also).stat(), status)
        right((also.revision == before.revision) is same_file, f"{case.also} is {also}")


async def run_case(server: Server, client: httpx.AsyncClient, case: Case, root: Path) -> None:
    """Change the file while it is watched, wait until the API is right, and let who watches go on."""
    assert case.before is not None
    case.viewers = (Viewer(), Viewer())
    case.bytes = (root / case.name).read_bytes()
    async with trio.open_nursery() as nursery:
        urls = (f"/api/stream/{quote(case.name)}", f"/api/videos/{case.before.id}/file")
        for viewer, url in zip(case.viewers, urls, strict=True):
            nursery.start_soon(viewer.watch, server, url)
            await viewer.begun.wait()
            assert viewer.etag == f'"{case.before.revision}"'
        case.change(root / case.name)
        if wrong := await eventually(lambda: conform(client, case, root)):
            case.problems.append(wrong)
        for viewer in case.viewers:
            viewer.go_on.set()
    for viewer in case.viewers:
        if case.whole and viewer.data != case.bytes:
            case.problems.append(f"{len(viewer.data)} bytes, not the {len(case.bytes)} there were")
        if not case.whole and not BEGIN <= len(viewer.data) < viewer.length:
            case.problems.append(f"{len(viewer.data)} of {viewer.length} bytes of a video that changed")


async def test_files_change_while_they_are_watched(
    start: Callable[..., Server], clips: tuple[Path, Path], tmp_path: Path
) -> None:
    root, (one, other) = tmp_path / "videos", clips
    every = cases(root, other, tmp_path)
    for case in every:
        write(root / case.name, one).with_suffix(".en.srt").write_text(SRT.format(case.name))
    server = start(root, environ={"TRIO_STREAM_ARTWORK_SHARE": "1"})

    def made() -> bool:
        state = server.get("/api/library").json()
        return is_done(state) and state["videos"] == len(every)

    await trio.to_thread.run_sync(lambda: wait_for(made, 90, "all to be made"))
    kept = Addresses()
    async with httpx.AsyncClient(base_url=server.url, timeout=10, verify=False) as client:
        for name, known in (await listed(client)).items():
            next(case for case in every if case.name == name).before = known
        await kept.look_at_all(client)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kept.follow, client)
            async with trio.open_nursery() as changing:
                for case in every:
                    changing.start_soon(run_case, server, client, case, root)
            kept.over = True
        assert {case.name: case.problems for case in every if case.problems} == {}
        done = partial(
            wait_for, lambda: is_done(server.get("/api/library").json()), 90, "all to be made again"
        )
        await trio.to_thread.run_sync(done)
        # What is there now has all that is made of a video, at addresses of its own.
        first = dict(kept.seen)
        assert len(first) >= 5 * len(every), "poster, sheet, track, and two tracks of text of each"
        for known in (await listed(client)).values():
            details = (await client.get(f"/api/videos/{known.id}")).json()
            urls = addresses(details)
            assert len(urls) >= 4, details
            assert [await kept.look(client, url) for url in urls] == [200] * len(urls)
        for url in first:
            await kept.look(client, url)
        for name in ("replace.mp4", "rewrite.mp4"):
            case = next(case for case in every if case.name == name)
            assert case.before is not None
            details = (await client.get(f"/api/videos/{case.before.id}")).json()
            of_old = [
                data
                for url, data in first.items()
                if f"{case.before.id}/r/{case.before.revision}/poster" in url
            ]
            assert of_old, "the poster of before was seen"
            assert kept.seen[details["poster"]] not in of_old, "something else is to be seen"
