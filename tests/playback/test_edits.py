"""Edit lists of several edits in real videos: what ffmpeg decodes from the segments, and from the file."""

import os
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.bodies import assemble
from tests.depth import large
from tests.media.making import make
from tests.mp4.making import Edit, box, elst
from tests.playback.decoding import decode
from tests.playback.specimens import AAC, X264, picture, tone
from trio_stream.mp4.boxes import read_boxes
from trio_stream.packaging import segments
from trio_stream.playback.indexes import Index, read_index

type Edits = Mapping[str, Sequence[tuple[float, float | None]]]
"""For each handler, the edits: their duration in seconds, and the media time where they begin; None is a pause."""

PICTURE, PACKET = 0.04, 1024 / 48_000


@pytest.fixture(scope="module", params=["mp4", large("mov")])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, with a keyframe in each second and reordered frames."""
    path = tmp_path_factory.mktemp("edits") / f"whole.{request.param}"
    return make(
        path,
        f"{picture('25', 10)} {tone(seconds=10)} {X264} -bf 2 -g 25 -sc_threshold 0 {AAC} -video_track_timescale 12800",
    )


def edited(whole: Path, edits: Edits) -> Path:
    """The video with other edit lists. Its `moov` comes after the data, so nothing else changes."""
    data = whole.read_bytes()
    at = data.rindex(b"moov") - 4
    [moov] = read_boxes(data[at:])
    inner = []
    for each in moov.children():
        if each.kind != "trak":
            inner.append(each.whole())
            continue
        mdia = each.get("mdia")
        handler = bytes(mdia.get("hdlr").payload[8:12]).decode()
        (timescale,) = struct.unpack(">I", mdia.get("mdhd").payload[12:16])
        first = 1024 if handler == "soun" else 2 * timescale // 25
        entries = [
            Edit(round(lasts * 1000), -1 if begins is None else first + round(begins * timescale))
            for lasts, begins in edits[handler]
        ]
        kept = [child.whole() for child in each.children() if child.kind != "edts"]
        inner.append(box("trak", kept[0], box("edts", elst(entries)), *kept[1:]))
    made = whole.with_stem("edited")
    made.write_bytes(data[:at] + box("moov", *inner))
    return made


def packaged(path: Path) -> dict[str, bytes]:
    """The init segment and all segments of each rendition, by its kind."""
    data = path.read_bytes()
    fd = os.open(path, os.O_RDONLY)
    try:
        index: Index = read_index(fd, len(data))
    finally:
        os.close(fd)
    made: dict[str, bytes] = {}
    for rendition in index.presentation.renditions:
        track = index.tracks[rendition.name]
        body = segments.init(track)
        bounds = rendition.segments.samples
        for number in range(len(rendition.segments)):
            parts = segments.segment(track, bounds[number], bounds[number + 1], number, index.size)
            body += assemble(parts, data)
        made[rendition.kind] = body
    return made


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([(2, 1), (3, 6)], id="cut out at keyframes"),
        pytest.param([(2, 4), (3, 1)], id="in another order"),
        pytest.param([(2, 3), (2, 3), (2, 3)], id="three times the same"),
        pytest.param([(1.2, 0.52), (2, 3.32), (1, 7.72)], id="cut out within groups"),
        pytest.param([(2, 1), (0.8, None), (2, 5)], id="with a pause"),
        pytest.param([(0.4, None), (2, 1), (2, 5.2)], id="late"),
    ],
)
def test_each_piece_is_where_the_edit_list_says(
    whole: Path, pieces: list[tuple[float, float | None]]
) -> None:
    """Exactly the right frames at the right times; audio in packets, the first of each edit at its beginning."""
    [video_track] = decode(whole, ["v:0"])
    made = packaged(edited(whole, {"vide": pieces, "soun": pieces}))
    [seen], [heard] = decode(made["video"], ["v:0"]), decode(made["audio"], ["a:0"])
    by_time = dict(zip((round(time, 3) for time in video_track.times), video_track.hashes, strict=True))
    times: list[float] = []
    hashes: list[str] = []
    packets = at = 0.0
    for lasts, begins in pieces:
        if begins is not None:
            for number in range(round(lasts / PICTURE)):
                times.append(at + number * PICTURE)
                hashes.append(by_time[round(begins + number * PICTURE, 3)])
            packets += lasts / PACKET
        at += lasts
    at_end = at
    assert seen.hashes[: len(hashes)] == tuple(hashes)
    assert seen.times[: len(times)] == pytest.approx(times, abs=0.001)
    assert all(
        time == pytest.approx(at_end, abs=0.001) for time in seen.times[len(times) :]
    )  # the hidden ones
    assert len(heard.times) == pytest.approx(packets, abs=len(pieces))
    at, within = 0.0, PACKET  # the first edit begins inside a packet
    for lasts, begins in pieces:
        if begins is not None:
            assert min(abs(time - at) for time in heard.times) < within
            within = 0.001
        at += lasts
    assert heard.times[-1] == pytest.approx(at, abs=2 * PACKET)


def test_a_film_that_is_trimmed_within_a_group_begins_at_once(whole: Path) -> None:
    """Nothing is presented before 0, where Media Source would drop it and all that depends on it."""
    [video_track] = decode(whole, ["v:0"])
    made = packaged(edited(whole, {"vide": [(4, 3.48)], "soun": [(4, 3.48)]}))
    [seen] = decode(made["video"], ["v:0"])
    begins = next(place for place, time in enumerate(video_track.times) if time > 3.47)
    assert seen.hashes[:100] == video_track.hashes[begins : begins + 100]
    assert seen.times[:100] == pytest.approx([number * PICTURE for number in range(100)], abs=0.001)
    assert _earliest(made["video"]) >= 0


def _earliest(made: bytes) -> int:
    """When the first frame is presented, from the boxes alone, in units of the track."""
    boxes = {read_box.kind: read_box for read_box in read_boxes(made)}
    trak = boxes["moov"].get("trak")
    edts = trak.find("edts")
    hidden = int.from_bytes(edts.get("elst").payload[16:24], "big") if edts is not None else 0
    traf = next(read_box for read_box in read_boxes(made) if read_box.kind == "moof").get("traf")
    decoded = int.from_bytes(traf.get("tfdt").payload[4:12], "big")
    trun = traf.get("trun")
    _, flags, fields = trun.full()
    count = fields.u32()
    fields.take(4 + (4 if flags & 4 else 0))
    columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    _, tfhd, given = traf.get("tfhd").full()
    given.take(4)
    duration = given.u32() if tfhd & 8 else 0
    earliest = []
    for _ in range(count):
        row = dict(zip(columns, (fields.number(4, signed=True) for _ in columns), strict=True))
        earliest.append(decoded + row.get(0x800, 0) - hidden)
        decoded += row.get(0x100, duration)
    return min(earliest)


def test_a_track_of_which_nothing_is_presented_does_not_keep_the_other_from_playing(whole: Path) -> None:
    made = edited(whole, {"vide": [(4, None)], "soun": [(4, 1)]})
    fd = os.open(made, os.O_RDONLY)
    try:
        presentation = read_index(fd, made.stat().st_size).presentation
    finally:
        os.close(fd)
    assert [rendition.kind for rendition in presentation.renditions] == ["audio"]
    assert [(omission.kind, omission.reason) for omission in presentation.omitted] == [
        ("video", "its edit list presents no part of the track")
    ]
