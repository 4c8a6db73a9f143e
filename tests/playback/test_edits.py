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
from tests.playback.specimens import AAC, X264, tone, video_source
from trio_stream.mp4.boxes import read_boxes
from trio_stream.packaging import segments
from trio_stream.playback.indexes import Index, read_index

type Edits = Mapping[str, Sequence[tuple[float, float | None]]]
"""For each handler, the edits: their duration in seconds, and the media time where they begin; None is a pause."""

FRAME, PACKET = 0.04, 1024 / 48_000


@pytest.fixture(scope="module", params=["mp4", large("mov")])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds, with a keyframe in each second and reordered frames."""
    path = tmp_path_factory.mktemp("edits") / f"whole.{request.param}"
    return make(
        path,
        f"{video_source('25', 10)} {tone(seconds=10)} {X264} -bf 2 -g 25 -sc_threshold 0 {AAC} -video_track_timescale 12800",
    )


def edited(whole: Path, edits: Edits) -> Path:
    """The video with other edit lists. Its `moov` comes after the data, so nothing else changes."""
    data = whole.read_bytes()
    at = data.rindex(b"moov") - 4
    [moov] = read_boxes(data[at:])
    inner = []
    for trak in moov.children():
        if trak.kind != "trak":
            inner.append(trak.whole())
            continue
        mdia = trak.get("mdia")
        handler = bytes(mdia.get("hdlr").payload[8:12]).decode()
        (timescale,) = struct.unpack(">I", mdia.get("mdhd").payload[12:16])
        first = 1024 if handler == "soun" else 2 * timescale // 25
        entries = [
            Edit(round(lasts * 1000), -1 if begins is None else first + round(begins * timescale))
            for lasts, begins in edits[handler]
        ]
        others = [child.whole() for child in trak.children() if child.kind != "edts"]
        inner.append(box("trak", others[0], box("edts", elst(entries)), *others[1:]))
    built = whole.with_stem("edited")
    built.write_bytes(data[:at] + box("moov", *inner))
    return built


def packaged(path: Path) -> dict[str, bytes]:
    """The init segment and all segments of each rendition, by its kind."""
    data = path.read_bytes()
    fd = os.open(path, os.O_RDONLY)
    try:
        index: Index = read_index(fd, len(data))
    finally:
        os.close(fd)
    built: dict[str, bytes] = {}
    for rendition in index.presentation.renditions:
        track = index.tracks[rendition.name]
        body = segments.init(track)
        bounds = rendition.segments.samples
        for number in range(len(rendition.segments)):
            parts = segments.segment(track, bounds[number], bounds[number + 1], number, index.size)
            body += assemble(parts, data)
        built[rendition.kind] = body
    return built


@pytest.mark.parametrize(
    "timed_edits",
    [
        pytest.param([(2, 1), (3, 6)], id="cut out at keyframes"),
        pytest.param([(2, 4), (3, 1)], id="in another order"),
        pytest.param([(2, 3), (2, 3), (2, 3)], id="three times the same"),
        pytest.param([(1.2, 0.52), (2, 3.32), (1, 7.72)], id="cut out within groups"),
        pytest.param([(2, 1), (0.8, None), (2, 5)], id="with a pause"),
        pytest.param([(0.4, None), (2, 1), (2, 5.2)], id="late"),
    ],
)
def test_each_edit_is_presented_at_its_time(
    whole: Path, timed_edits: list[tuple[float, float | None]]
) -> None:
    """Exactly the right frames at the right times; audio in packets, the first of each edit at its beginning."""
    [video_track] = decode(whole, ["v:0"])
    built = packaged(edited(whole, {"vide": timed_edits, "soun": timed_edits}))
    [seen], [audio] = decode(built["video"], ["v:0"]), decode(built["audio"], ["a:0"])
    by_time = dict(zip((round(time, 3) for time in video_track.times), video_track.hashes, strict=True))
    times: list[float] = []
    hashes: list[str] = []
    packets = at = 0.0
    for lasts, begins in timed_edits:
        if begins is not None:
            for number in range(round(lasts / FRAME)):
                times.append(at + number * FRAME)
                hashes.append(by_time[round(begins + number * FRAME, 3)])
            packets += lasts / PACKET
        at += lasts
    at_end = at
    assert seen.hashes[: len(hashes)] == tuple(hashes)
    assert seen.times[: len(times)] == pytest.approx(times, abs=0.001)
    assert all(
        time == pytest.approx(at_end, abs=0.001) for time in seen.times[len(times) :]
    )  # the hidden ones
    assert len(audio.times) == pytest.approx(packets, abs=len(timed_edits))
    at, within = 0.0, PACKET  # the first edit begins inside a packet
    for lasts, begins in timed_edits:
        if begins is not None:
            assert min(abs(time - at) for time in audio.times) < within
            within = 0.001
        at += lasts
    assert audio.times[-1] == pytest.approx(at, abs=2 * PACKET)


def test_a_video_trimmed_inside_a_gop_begins_at_once(whole: Path) -> None:
    """Nothing is presented before 0, where Media Source would drop it and all that depends on it."""
    [video_track] = decode(whole, ["v:0"])
    built = packaged(edited(whole, {"vide": [(4, 3.48)], "soun": [(4, 3.48)]}))
    [seen] = decode(built["video"], ["v:0"])
    begins = next(place for place, time in enumerate(video_track.times) if time > 3.47)
    assert seen.hashes[:100] == video_track.hashes[begins : begins + 100]
    assert seen.times[:100] == pytest.approx([number * FRAME for number in range(100)], abs=0.001)
    assert _earliest(built["video"]) >= 0


def _earliest(built: bytes) -> int:
    """When the first frame is presented, from the boxes alone, in units of the track."""
    boxes = {child.kind: child for child in read_boxes(built)}
    trak = boxes["moov"].get("trak")
    edts = trak.find("edts")
    hidden = int.from_bytes(edts.get("elst").payload[16:24], "big") if edts is not None else 0
    traf = next(child for child in read_boxes(built) if child.kind == "moof").get("traf")
    decoded = int.from_bytes(traf.get("tfdt").payload[4:12], "big")
    trun = traf.get("trun")
    _, flags, fields = trun.full()
    count = fields.u32()
    fields.take(4 + (4 if flags & 4 else 0))
    columns = [bit for bit in (0x100, 0x200, 0x400, 0x800) if flags & bit]
    _, tfhd, tfhd_fields = traf.get("tfhd").full()
    tfhd_fields.take(4)
    duration = tfhd_fields.u32() if tfhd & 8 else 0
    earliest = []
    for _ in range(count):
        row = dict(zip(columns, (fields.number(4, signed=True) for _ in columns), strict=True))
        earliest.append(decoded + row.get(0x800, 0) - hidden)
        decoded += row.get(0x100, duration)
    return min(earliest)


def test_a_track_that_presents_nothing_does_not_prevent_playback_of_the_other(whole: Path) -> None:
    built = edited(whole, {"vide": [(4, None)], "soun": [(4, 1)]})
    fd = os.open(built, os.O_RDONLY)
    try:
        presentation = read_index(fd, built.stat().st_size).presentation
    finally:
        os.close(fd)
    assert [rendition.kind for rendition in presentation.renditions] == ["audio"]
    assert [(omission.kind, omission.reason) for omission in presentation.omitted] == [
        ("video", "its edit list presents no part of the track")
    ]
