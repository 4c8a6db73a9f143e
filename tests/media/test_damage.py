"""A probe of any damaged file soon returns media info or a reason; it opens nothing else and connects to nothing."""

import json
import os
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest
import trio

from tests.costs import assert_costs
from tests.depth import large
from tests.media.conftest import children
from tests.media.making import run
from trio_stream.errors import MediaUnreadable
from trio_stream.media.containers.opening import kind_of_list, printable
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.jobs import Unreadable
from trio_stream.media.sandbox.sandbox import Sandbox

type Open = Callable[[Path], AbstractContextManager[int]]

DEADLINE = 60
"""Seconds for something that takes milliseconds."""


async def outcome(sandbox: Sandbox, open_one: Open, path: Path) -> MediaInfo | str:
    """Return the media info, or why there is none."""
    with open_one(path) as file:
        try:
            # Urgent, because other programs on the machine could delay a job that yields to them without limit.
            done = await sandbox.run("probe", file, deadline=DEADLINE, urgent=True)
        except MediaUnreadable as error:
            reason = str(error)
        else:
            assert not done.blobs
            return MediaInfo.from_json(done.result)
    assert "the media parser failed" not in reason  # a bug of ours
    return reason


@pytest.mark.parametrize("count", [10, large(100)])
@pytest.mark.parametrize("name", ["codecs/h264-baseline.mp4", "tracks/subtitles.mkv", "codecs/hevc-aac.ts"])
async def test_a_truncated_file_is_probed_or_refused(
    sandbox: Sandbox, opened: Open, menagerie: Path, tmp_path: Path, name: str, count: int
) -> None:
    data = (menagerie / name).read_bytes()
    rng = random.Random(name)
    outcomes = []
    for _ in range(count):
        path = tmp_path / "cut"
        path.write_bytes(data[: int(len(data) ** rng.random())])
        outcomes.append(await outcome(sandbox, opened, path))
    assert {type(item) for item in outcomes} == {MediaInfo, str}
    assert sandbox.statistics().restarts == 0


@pytest.mark.parametrize("count", [10, large(100)])
@pytest.mark.parametrize("name", ["codecs/h264-baseline.mp4", "tracks/subtitles.mkv", "codecs/av1-opus.mp4"])
async def test_a_file_with_flipped_bytes_is_probed_or_refused(
    sandbox: Sandbox, opened: Open, menagerie: Path, tmp_path: Path, name: str, count: int
) -> None:
    whole = (menagerie / name).read_bytes()
    rng = random.Random(name)
    outcomes = []
    for _ in range(count):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 10, 100])):
            data[int(len(data) ** rng.random())] ^= 1 << rng.randrange(8)  # more often in the header
        path = tmp_path / "flipped"
        path.write_bytes(data)
        outcomes.append(await outcome(sandbox, opened, path))
    assert MediaInfo in {type(item) for item in outcomes}
    assert sandbox.statistics().restarts == 0


async def test_damaged_specimens_have_the_expected_reasons(
    sandbox: Sandbox, opened: Open, menagerie: Path
) -> None:
    reasons = {
        "boundless-box.mp4": "index of the file (moov)",
        "empty.mp4": "empty",
        "garbage.mp4": "damaged or not a video",
        "no-index.mp4": "index of the file (moov)",
        "playlist.mp4": "an HLS or M3U playlist",
        "prose.mkv": "damaged or not a video",
    }
    for entry in json.loads((menagerie / "menagerie.json").read_text("utf-8")):
        if entry["damaged"]:
            name = Path(entry["name"]).name
            found = await outcome(sandbox, opened, menagerie / entry["name"])
            if name in reasons:
                assert isinstance(found, str), name
                assert reasons[name] in found
            else:
                assert isinstance(found, MediaInfo), name


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A server on this machine that must not get any connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server
        with pytest.raises(BlockingIOError):
            server.accept()


LISTS = {
    "an HLS or M3U playlist": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{}\n#EXT-X-ENDLIST\n",
    "a list of files to join (ffconcat)": "ffconcat version 1.0\nfile {}\n",
    "a DASH manifest": '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"'
    ' mediaPresentationDuration="PT9S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1"'
    ' bandwidth="1"><BaseURL>{}</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "a session description (SDP)": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=video {port} RTP/AVP 96\na=rtpmap:96 H264/90000\na=control:{}\n",
    "a PLS playlist": "[playlist]\nNumberOfEntries=1\nFile1={}\n",
    "a Smooth Streaming manifest": '<SmoothStreamingMedia MajorVersion="2"><StreamIndex Url="{}"/></SmoothStreamingMedia>',
    "a playlist": '<asx version="3.0"><entry><ref href="{}"/></entry></asx>',
    "a list of addresses": "{}\n{}\n",
}


@pytest.mark.parametrize("what", LISTS)
@pytest.mark.parametrize("begin", ["", "\ufeff"])
async def test_a_list_of_files_is_refused(
    sandbox: Sandbox, opened: Open, tmp_path: Path, listening: socket.socket, what: str, begin: str
) -> None:
    port = listening.getsockname()[1]
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    names = [
        "/etc/passwd",
        str(tmp_path / "secret.mp4"),
        f"http://127.0.0.1:{port}/a.ts",
        f"tcp://127.0.0.1:{port}",
    ]
    if what == "a list of addresses":
        names = names[2:]
    for name in names:
        path = tmp_path / "video.mp4"
        path.write_text(begin + LISTS[what].replace("{port}", str(port)).replace("{}", name))
        found = await outcome(sandbox, opened, path)
        assert isinstance(found, str)
        assert what in found, found


async def test_a_container_that_refers_to_other_files_opens_none(
    sandbox: Sandbox, opened: Open, tmp_path: Path, menagerie: Path, listening: socket.socket
) -> None:
    """A QuickTime file that refers to data elsewhere (a `dref` with an address and no data inside)."""
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/data\0".encode()
    data = (menagerie / "codecs/h264-baseline.mp4").read_bytes()
    before = b"\0\0\0\x0curl \0\0\0\x01"  # self-contained
    assert data.count(before) == 2
    after = (12 + len(address)).to_bytes(4) + b"url \0\0\0\0" + address
    grown = data.replace(before, after)
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf", b"dref"):
        at = -1
        while (at := grown.find(box, at + 1)) >= 0:
            size = int.from_bytes(grown[at - 4 : at]) + (len(after) - len(before)) * (
                2 if box == b"moov" else 1
            )
            grown = grown[: at - 4] + size.to_bytes(4) + grown[at:]
    (tmp_path / "elsewhere.mp4").write_bytes(grown)
    found = await outcome(sandbox, opened, tmp_path / "elsewhere.mp4")
    assert isinstance(found, MediaInfo)
    assert found.duration == 4


async def test_other_formats_are_refused(sandbox: Sandbox, opened: Open, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde"
    )
    found = await outcome(sandbox, opened, tmp_path / "a.mp4")
    assert found == "the container format of the file is not supported"


async def test_claims_of_huge_sizes_cost_nothing(
    sandbox: Sandbox, opened: Open, menagerie: Path, tmp_path: Path
) -> None:
    """A file of a few bytes costs no more than a good one, whatever sizes it claims."""
    good = menagerie / "codecs/h264-baseline.mp4"

    def probed(path: Path) -> None:
        with suppress(Unreadable):
            run(probe, path)

    ftyp = b"\0\0\0\x14ftypisom\0\0\0\0isom"
    endless = b"\0\0\0\1%s\x7f\xff\xff\xff\xff\xff\xff\xff"
    deep = b"".join(b"\0\0\xff\xff" + b"moov" for _ in range(8000))
    table = (
        b"\0\0\0\x6cmoov\0\0\0\x64trak\0\0\0\x5cmdia\0\0\0\x54minf\0\0\0\x4cstbl\0\0\0\x44stsz"
        + bytes(8)
        + b"\xff" * 60
    )
    for number, body in enumerate((endless % b"mdat", endless % b"moov", endless % b"free", deep, table)):
        path = tmp_path / f"{number}.mp4"
        path.write_bytes(ftyp + body)
        assert isinstance(await outcome(sandbox, opened, path), str)
        assert_costs(2, lambda path=path: probed(path), lambda: probed(good))  # type: ignore[misc] # mypy: a default in a lambda has no type
    sparse = tmp_path / "sparse.mp4"
    with open(sparse, "wb") as file:
        file.write(ftyp)
        os.truncate(file.fileno(), 1 << 40)
    assert isinstance(await outcome(sandbox, opened, sparse), str)
    assert_costs(2, lambda: probed(sparse), lambda: probed(good))


async def test_many_jobs_at_once_leave_no_process(sandbox: Sandbox, opened: Open, menagerie: Path) -> None:
    entries = json.loads((menagerie / "menagerie.json").read_text("utf-8"))
    async with trio.open_nursery() as nursery:
        for entry in entries:
            nursery.start_soon(outcome, sandbox, opened, menagerie / entry["name"])
    assert not children()
    assert sandbox.statistics().workers == 1


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"\0\0\0 ftypisom",
        b"\x1aE\xdf\xa3",
        b"# a heading",
        b"file",
        b"once: upon a time",
        b"<html>",
        b"v=0 is what",
    ],
)
def test_other_text_is_not_a_list_of_files(start: bytes) -> None:
    assert kind_of_list(start) is None


def test_text_from_media_becomes_printable() -> None:
    assert printable("a\x1b[31mb\0\u202e c\n d\ud800") == "a [31mb c d"
    assert printable("x" * 1000, 10) == "x" * 10
    assert printable("Ünïcödé 日本語 🎬") == "Ünïcödé 日本語 🎬"
