"""Packets that an edit list of QuickTime hides are decoded if needed, but never seen or heard."""

import struct
from pathlib import Path

import pytest

from tests.media.making import make
from tests.media.remuxing import (
    Outlined,
    audio_of,
    bounds,
    carried,
    frames_of,
    init_of,
    outlined,
    segments_of,
)
from tests.media.test_remux import assert_same_frames, zero_of
from trio_stream.media.formats.outline import VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_outline import present_outline

SOURCE = (
    "-f lavfi -i testsrc2=size=64x64:rate=10:duration=9 -f lavfi -i sine=sample_rate=48000:duration=9 "
    "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 10 -c:a aac -b:a 32k -f mov"
)

type Edit = tuple[float, float]
"""The duration of an edit, in seconds, and where it begins in the track."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("hidden") / "whole.mov", SOURCE)


def edited(whole: Path, path: Path, *edits: Edit) -> Path:
    """Write the video with this edit list in both of its tracks. `moov` is after the samples."""
    data = whole.read_bytes()
    at = data.index(b"moov") - 4
    path.write_bytes(data[:at] + _moov(data[at:], edits))
    return path


def _moov(data: bytes, edits: tuple[Edit, ...], scale: int = 0) -> bytes:
    """Replace the `elst` in each `edts`."""
    segment, at = b"", 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        content = data[at + 8 : at + size]
        if kind == b"trak":
            scale = int.from_bytes(content[content.index(b"mdhd") + 16 :][:4])
        if kind in {b"moov", b"trak"}:
            content = _moov(content, edits, scale)
        elif kind == b"edts":
            original_start = int.from_bytes(
                content[20:24]
            )  # where the muxer had it begin: reordering, priming
            rows = (
                struct.pack(">IiI", round(length * 1000), original_start + round(start * scale), 1 << 16)
                for length, start in edits
            )
            list_ = b"elst" + bytes(4) + len(edits).to_bytes(4) + b"".join(rows)
            content = (len(list_) + 4).to_bytes(4) + list_
        segment += (len(content) + 8).to_bytes(4) + kind + content
        at += size
    return segment


EDITS: dict[str, tuple[Edit, ...]] = {
    "start": ((6, 0),),
    "middle": ((4, 2),),
    "inside": ((4.4, 2.3),),
    "tail": ((2.7, 6),),
    "pieces": ((2, 0), (3, 5)),
    "swapped": ((3, 5), (2, 0)),
    "three": ((1, 7), (2, 3), (1, 1)),
}


@pytest.mark.parametrize("name", EDITS)
def test_only_edited_video_is_shown(whole: Path, tmp_path: Path, name: str) -> None:
    path = edited(whole, tmp_path / "edited.mov", *EDITS[name])
    found = outlined(path)
    assert found.cuts is not None
    assert found.cuts.until is None
    (video,) = found.video
    duration = sum(length for length, _ in EDITS[name])
    assert video.carriage.end == pytest.approx(duration, abs=0.11)
    assert_same_frames(path, video, joined(path, video))
    assert len(frames_of(joined(path, video))) == pytest.approx(10 * duration, abs=1)


@pytest.mark.parametrize("name", ["start", "middle", "inside", "tail"])
def test_only_edited_audio_is_heard(whole: Path, tmp_path: Path, name: str) -> None:
    path = edited(whole, tmp_path / "edited.mov", *EDITS[name])
    audio = next(track for track in carried(outlined(path)) if not isinstance(track, VideoOutline))
    ours, theirs = audio_of(joined(path, audio)), audio_of(path, audio.track.index, zero_of(audio))
    assert ours.start == pytest.approx(theirs.start, abs=0.001)
    assert abs(ours.samples - theirs.samples) <= 1024
    shared = min(ours.samples, theirs.samples) * 4
    assert ours.planes[0][:shared] == theirs.planes[0][:shared]


def test_a_frame_after_the_end_stays_if_others_need_it(whole: Path, tmp_path: Path) -> None:
    """It is decoded before frames that are shown earlier, so it stays, and it is the only extra frame."""
    path = edited(whole, tmp_path / "edited.mov", (4.5, 2.3))
    (video,) = outlined(path).video
    ours, theirs = frames_of(joined(path, video)), frames_of(path, video.track.index)
    assert [digest for _, digest in ours[: len(theirs)]] == [digest for _, digest in theirs]
    assert all(time >= 4.5 for time, _ in ours[len(theirs) :])
    assert len(ours) - len(theirs) <= 2


def test_an_edit_between_keyframes_is_refused(whole: Path, tmp_path: Path) -> None:
    """The frames that must be decoded first cannot be hidden anywhere, so the file is refused."""
    path = edited(whole, tmp_path / "edited.mov", (2, 0), (3, 5.5))
    found = outlined(path)
    assert found.cuts is not None
    assert found.cuts.until is not None
    with pytest.raises(Unsupported, match="its list of keyframes is incomplete"):
        present_outline(found)


def joined(path: Path, track: Outlined) -> bytes:
    found = outlined(path)
    assert bounds(found, track)
    return init_of(path, track) + b"".join(segment.data for segment in segments_of(path, found, track))
