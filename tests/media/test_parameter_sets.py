"""Videos whose parameter sets change and change back: each keyframe has those that apply."""

from pathlib import Path

import pytest

from tests.media.making import make
from tests.media.remuxing import Outlined, bounds, box, boxes, frames_of, init_of, outlined, segment_of
from tests.media.test_remux import assert_same, zero_of
from trio_stream.media.remux import parameter_sets
from trio_stream.media.remux.parameter_sets import (
    CurrentParameterSets,
    ParameterSetTracker,
    sets_after_lengths,
    sets_in,
    sets_of,
)

type Parts = tuple[bytes, bytes, bytes]

X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 0 -g 10"
X265 = "-c:v libx265 -preset ultrafast -pix_fmt yuv420p -x265-params keyint=10:bframes=2:log-level=error:repeat-headers=1"


def part(folder: Path, kind: str, number: int, size: str, coding: str) -> bytes:
    """Two seconds of video; each part begins where the one before ends."""
    source = (
        f"-f lavfi -i testsrc2=size={size}:rate=10:duration=2 -f lavfi -i sine=sample_rate=48000:duration=2"
    )
    path = folder / f"{number}.{kind}"
    step = (
        2.3 if coding == X265 else 2
    )  # decoding begins earlier, and if the clock went back it would be another part
    make(path, f"{source} {coding} -c:a aac -b:a 32k -output_ts_offset {step * number} -muxdelay 0")
    return path.read_bytes()


def turns(folder: Path, kind: str, coding: str) -> Path:
    """A video of one size, then another, then the first again."""
    sizes = ("96x64", "64x96", "96x64")
    first, *others = (part(folder, kind, number, size, coding) for number, size in enumerate(sizes))
    header = 13 if kind == "flv" else 0
    path = folder / f"turns.{kind}"
    path.write_bytes(first + b"".join(later[header:] for later in others))
    return path


def with_sets_once(folder: Path, kind: str) -> Path:
    """The same, with parameter sets only where they change, not before each keyframe."""
    stream = b""
    for number, size in enumerate(("96x64", "64x96", "96x64")):
        source = f"-f lavfi -i testsrc2=size={size}:rate=10:duration=2 {X264}"
        one = make(folder / f"{number}.h264", source)
        bare = make(
            folder / f"bare{number}.h264", "-i", one, "-c", "copy", "-bsf:v", "filter_units=remove_types=6-8"
        )
        sets = b"".join(b"\0\0\0\x01" + unit for unit in sets_in("h264", one.read_bytes()))
        stream += sets + bare.read_bytes()
    raw = folder / "raw.h264"
    raw.write_bytes(stream)
    return make(folder / f"once.{kind}", "-framerate", "10", "-i", raw, "-c", "copy")


@pytest.fixture(scope="module", params=["h264.ts", "hevc.ts", "h264.flv", "once.ts", "once.mkv"])
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    codec, _, kind = request.param.partition(".")
    if codec == "once":
        return with_sets_once(folder, kind)
    return turns(folder, kind, X265 if codec == "hevc" else X264)


def test_all_frames_equal_those_of_the_file(recording: Path) -> None:
    assert_same(recording)


def test_playing_from_any_keyframe_shows_the_same_frames(recording: Path) -> None:
    """Any keyframe can be decoded directly after the init segment."""
    found = outlined(recording)
    video = found.video[0]
    begin, whole = (
        init_of(recording, video),
        [digest for _, digest in frames_of(recording, video.track.index, zero_of(video))],
    )
    starts = bounds(found, video)
    assert len(starts) == 6
    shown = 0
    for start, stop in zip(starts, [*starts[1:], None], strict=True):
        alone = [digest for _, digest in frames_of(begin + segment_of(recording, video, start, stop).data)]
        assert alone == whole[shown : shown + len(alone)]
        shown += len(alone)
        [(_, digest)] = frames_of(
            begin + segment_of(recording, video, start, stop or start + 1, keyframe=True).data
        )
        assert digest == alone[0]
    assert shown == len(whole) == 60


def test_a_track_with_changing_sets_is_in_band(recording: Path) -> None:
    video = outlined(recording).video[0]
    kind = {"h264": "avc3", "hevc": "hev1"}[video.track.codec]
    assert video.carriage.in_band
    assert len(video.carriage.sets) == 3
    assert (video.track.codec_string or "").startswith(f"{kind}.")
    assert entry(recording, video) == kind


def test_sets_that_never_change_are_only_in_the_init_segment(tmp_path: Path) -> None:
    """If all parts have the same sets, only the init segment has them."""
    path = tmp_path / "same.ts"
    path.write_bytes(b"".join(part(tmp_path, "ts", number, "96x64", X264) for number in (0, 1)))
    found = outlined(path)
    video = found.video[0]
    assert not video.carriage.in_band
    assert (video.track.codec_string or "").startswith("avc1.")
    assert entry(path, video) == "avc1"
    units = bytes.fromhex(video.carriage.sets[0].units).split(b"\0\0\x01")[1:]
    segment = segment_of(path, video, bounds(found, video)[0], None).data
    assert units
    assert not any(unit in segment for unit in units)
    assert_same(path)


def test_recorded_changes_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too frequent changes are not recorded; samples keep the sets they have."""
    path = turns(tmp_path, "ts", X264)
    monkeypatch.setattr(parameter_sets, "CHANGES_LIMIT", 2)
    video = outlined(path).video[0]
    assert (video.carriage.in_band, video.carriage.sets) == (True, ())
    assert_same(path)
    monkeypatch.setattr(parameter_sets, "SETS_LIMIT", 10)
    assert_same(make(tmp_path / "plain.ts", f"-f lavfi -i testsrc2=size=96x64:rate=10:duration=2 {X264}"))


def entry(path: Path, track: Outlined) -> str:
    """Return the type of the sample entry."""
    return boxes(box(init_of(path, track), "moov", "trak", "mdia", "minf", "stbl", "stsd")[8:])[0][0]


def test_sets_are_read_from_units_with_lengths() -> None:
    packet = b"".join(
        len(unit).to_bytes(2) + unit for unit in (b"\x09\x10", b"gSPS", b"hPPS", b"eIDR", b"gNO")
    )
    assert sets_after_lengths("h264", packet, 2) == [b"gSPS", b"hPPS"]
    assert sets_after_lengths("h264", packet[:9], 2) == []  # the first one is truncated
    assert sets_after_lengths("h264", b"\0\0" * 9, 2) == sets_after_lengths("h264", b"", 4) == []


def test_sets_are_read_from_byte_streams() -> None:
    packet = b"\0\0\0\x01\x09\x10\0\0\x01gSPS\0\0\0\x01hPPS\0\0\x01eIDR\0\0\x01gNO"
    assert list(sets_in("h264", packet)) == [b"gSPS", b"hPPS"]
    assert list(sets_in("h264", b"\0\0\x01hPPS")) == [b"hPPS"]
    assert list(sets_in("h264", b"\0\0\x01")) == list(sets_in("h264", b"")) == []
    assert list(sets_in("hevc", b"\0\0\x01\x40VPS\0\0\x01\x42SPS\0\0\x01\x44PPS\0\0\x01\x26IDR")) == [
        b"\x40VPS", b"\x42SPS", b"\x44PPS",
    ]  # fmt: skip


def test_sets_are_read_from_records() -> None:
    avc = bytes.fromhex("014d400bffe1 0003 674d40 01 0002 68ee")
    assert sets_of("h264", avc) == [b"\x67\x4d\x40", b"\x68\xee"]
    hevc = b"\x01" + bytes(20) + b"\x03\x02" + bytes.fromhex("a0 0001 0003 400c01 a1 0001 0002 4201")
    assert sets_of("hevc", hevc) == [b"\x40\x0c\x01", b"\x42\x01"]
    for record in (avc, hevc):
        for end in range(1, len(record)):  # from a damaged record, the complete sets are returned
            assert len(sets_of("h264" if record is avc else "hevc", record[:end])) < 2


def test_keyframes_get_the_sets_that_apply() -> None:
    one, other, more = b"\0\0\x01gONE\0\0\x01hONE", b"\0\0\x01gTWO\0\0\x01hTWO", b"\0\0\x01hTRE"
    tracker = ParameterSetTracker("h264", one)
    slices = b"\0\0\x01eIDR"
    for time, packet in enumerate((one, slices, other, slices, more, one)):
        tracker.take(packet + slices, None, time)
    assert tracker.has_others
    assert tracker.changes == [(0, one), (2, other), (4, other + more), (5, one)]
    current = CurrentParameterSets("h264", [(0, one), (2, other)])
    assert current.before(b"\0\0\0\x02e1", 1) == b"\0\0\0\x04gONE\0\0\0\x04hONE\0\0\0\x02e1"
    assert (
        current.before(b"\0\0\0\x02\x091\0\0\0\x02e1", 2)
        == b"\0\0\0\x02\x091\0\0\0\x04gTWO\0\0\0\x04hTWO\0\0\0\x02e1"
    )
    assert current.before(b"\0\0\0\x02g1\0\0\0\x02e1", 2) == b"\0\0\0\x02g1\0\0\0\x02e1"
    assert current.before(b"", 2) == b"\0\0\0\x04gTWO\0\0\0\x04hTWO"


def test_sets_of_the_description_do_not_count_as_others() -> None:
    tracker = ParameterSetTracker("h264", b"\0\0\x01gONE\0\0\x01hONE\0\0\x01hTWO")
    for packet in (b"\0\0\x01gONE\0\0\x01hONE", b"\0\0\x01hTWO", b"\0\0\x01hTWO"):
        tracker.take(packet, None, 0)
    assert not tracker.has_others
