"""Packets that are to be decoded and not shown, as edit lists of QuickTime leave them: nothing of them is seen or heard."""

import struct
from pathlib import Path

import pytest

from tests.media.making import make
from tests.media.remuxing import Outlined, bounds, carried, init_of, outlined, pictures, segments_of, sound
from tests.media.test_remux import assert_same_pictures, zero_of
from trio_stream.media.formats.outline import VideoOutline
from trio_stream.mp4.edits.timeline import Unsupported
from trio_stream.packaging.from_outline import present_outline

FILM = (
    "-f lavfi -i testsrc2=size=64x64:rate=10:duration=9 -f lavfi -i sine=sample_rate=48000:duration=9 "
    "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 10 -c:a aac -b:a 32k -f mov"
)

type Edit = tuple[float, float]
"""How long a piece is shown, in seconds, and where it begins in the track."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("hidden") / "whole.mov", FILM)


def edited(whole: Path, path: Path, *edits: Edit) -> Path:
    """The film with this edit list in both of its tracks. `moov` lies behind the samples."""
    data = whole.read_bytes()
    at = data.index(b"moov") - 4
    path.write_bytes(data[:at] + _moov(data[at:], edits))
    return path


def _moov(data: bytes, edits: tuple[Edit, ...], scale: int = 0) -> bytes:
    """Boxes, with another `elst` in each `edts`."""
    made, at = b"", 0
    while at < len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        held = data[at + 8 : at + size]
        if kind == b"trak":
            scale = int.from_bytes(held[held.index(b"mdhd") + 16 :][:4])
        if kind in {b"moov", b"trak"}:
            held = _moov(held, edits, scale)
        elif kind == b"edts":
            began = int.from_bytes(held[20:24])  # what the muxer had it begin with: reordering, priming
            rows = (
                struct.pack(">IiI", round(length * 1000), began + round(start * scale), 1 << 16)
                for length, start in edits
            )
            list_ = b"elst" + bytes(4) + len(edits).to_bytes(4) + b"".join(rows)
            held = (len(list_) + 4).to_bytes(4) + list_
        made += (len(held) + 8).to_bytes(4) + kind + held
        at += size
    return made


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
def test_pictures_that_are_shown(whole: Path, tmp_path: Path, name: str) -> None:
    path = edited(whole, tmp_path / "edited.mov", *EDITS[name])
    found = outlined(path)
    assert found.cuts is not None
    assert found.cuts.until is None
    (video,) = found.video
    lasting = sum(length for length, _ in EDITS[name])
    assert video.carriage.end == pytest.approx(lasting, abs=0.11)
    assert_same_pictures(path, video, joined(path, video))
    assert len(pictures(joined(path, video))) == pytest.approx(10 * lasting, abs=1)


@pytest.mark.parametrize("name", ["start", "middle", "inside", "tail"])
def test_sound_that_is_heard(whole: Path, tmp_path: Path, name: str) -> None:
    path = edited(whole, tmp_path / "edited.mov", *EDITS[name])
    audio = next(track for track in carried(outlined(path)) if not isinstance(track, VideoOutline))
    ours, theirs = sound(joined(path, audio)), sound(path, audio.track.index, zero_of(audio))
    assert ours.begins == pytest.approx(theirs.begins, abs=0.001)
    assert abs(ours.samples - theirs.samples) <= 1024
    shared = min(ours.samples, theirs.samples) * 4
    assert ours.planes[0][:shared] == theirs.planes[0][:shared]


def test_a_picture_behind_the_end_that_others_need(whole: Path, tmp_path: Path) -> None:
    """It is decoded before those that are shown earlier, so it stays, and is all that is seen too much."""
    path = edited(whole, tmp_path / "edited.mov", (4.5, 2.3))
    (video,) = outlined(path).video
    ours, theirs = pictures(joined(path, video)), pictures(path, video.track.index)
    assert [digest for _, digest in ours[: len(theirs)]] == [digest for _, digest in theirs]
    assert all(time >= 4.5 for time, _ in ours[len(theirs) :])
    assert len(ours) - len(theirs) <= 2


def test_a_piece_that_begins_between_keyframes(whole: Path, tmp_path: Path) -> None:
    """What has to be decoded before it could be hidden nowhere: nothing of it is shown, and it is not played."""
    path = edited(whole, tmp_path / "edited.mov", (2, 0), (3, 5.5))
    found = outlined(path)
    assert found.cuts is not None
    assert found.cuts.until is not None
    with pytest.raises(Unsupported, match="up to the end"):
        present_outline(found)


def joined(path: Path, track: Outlined) -> bytes:
    found = outlined(path)
    assert bounds(found, track)
    return init_of(path, track) + b"".join(made.data for made in segments_of(path, found, track))
