"""Sound that begins long before the pictures: all of it is played, and any piece of it can be had."""

from pathlib import Path

import pytest

from tests.media.making import make, run
from tests.media.remuxing import BuiltSegment, init_of, outlined, segment_of, sound
from tests.media.test_remux import assert_same, assert_same_sound
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.formats.outline import AudioOutline
from trio_stream.media.subtitles.extract import extract_tracks

X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 10"
KEPT = "-avoid_negative_ts disabled -copyts"
"""Times as they are, below 0 as well."""


def early(seconds: float, below: bool, coding: str) -> str:
    """Sound that begins so many seconds before the pictures, which begin at 0 if that is to be `below` it."""
    pictures, sounds = ("", f"-itsoffset {-seconds} ") if below else (f"-itsoffset {seconds} ", "")
    return (
        f"{pictures}-f lavfi -i testsrc2=size=64x64:rate=10:duration=6 "
        f"{sounds}-f lavfi -i sine=sample_rate=48000:duration={seconds + 7} {X264} {coding} {KEPT if below else ''}"
    )


EARLY = {
    "below-aac.mkv": early(4, True, "-c:a aac -b:a 32k"),
    "below-opus.mkv": early(5, True, "-c:a libopus -b:a 32k"),
    "below-aac44.mkv": early(3, True, "-c:a aac -ar 44100 -b:a 32k"),
    "above-aac.mkv": early(26, False, "-c:a aac -b:a 32k"),
    "above-ac3.mkv": early(30, False, "-c:a ac3 -b:a 64k"),
    "above-opus.mkv": early(50, False, "-c:a libopus -b:a 32k"),
}


@pytest.fixture(scope="module", params=EARLY)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("early") / request.param, EARLY[request.param])


def test_everything_is_played(film: Path) -> None:
    assert_same(film)
    found = outlined(film, whole_bytes=0)  # told by its index
    audio = found.audio[0].carriage
    assert audio.start == pytest.approx(0, abs=0.03)
    assert abs(audio.lead) < audio.timescale / 30  # nothing but priming is hidden


def test_each_piece_of_the_sound(film: Path) -> None:
    """Also those that lie before all that an index knows."""
    (audio,) = outlined(film).audio
    made = list(pieces(film, audio, 3))
    assert all(segment.result["samples"] for segment in made)
    assert_same_sound(film, audio, init_of(film, audio) + b"".join(segment.data for segment in made))


def pieces(path: Path, audio: AudioOutline, seconds: int) -> list[BuiltSegment]:
    """The sound, so many seconds in each piece."""
    scale = audio.carriage.timescale
    assert audio.carriage.end is not None
    starts = [audio.carriage.first, *range(seconds * scale, int(audio.carriage.end * scale), seconds * scale)]
    stops = [*starts[1:], None]
    return [
        segment_of(path, audio, start, stop, begins=start == starts[0])
        for start, stop in zip(starts, stops, strict=True)
    ]


def test_priming_is_hidden_as_before(tmp_path: Path) -> None:
    """What begins less than half a second before 0 does so for the decoder's sake."""
    path = make(tmp_path / "primed.mkv", early(0.02, True, "-c:a libopus -b:a 32k"))
    (audio,) = outlined(path).audio
    assert audio.carriage.origin == 0
    assert audio.carriage.lead > 0
    assert_same(path)


def test_what_is_told_of_it_has_the_same_clock(tmp_path: Path) -> None:
    """Keyframes and subtitles are where the pictures are."""
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:01,000 --> 00:00:02,000\nWords\n")
    film = make(tmp_path / "film.mkv", EARLY["below-aac.mkv"])
    path = make(
        tmp_path / "words.mkv", "-copyts", "-i", film, "-i", words, *f"-map 0 -map 1 -c copy {KEPT}".split()
    )
    found = outlined(path)
    zero = sound(path, found.audio[0].track.index).begins
    assert zero == 0  # what is heard first is not before the beginning of its decoder
    assert found.cuts is not None
    known = MediaInfo.from_json(run(probe, path)[0])
    assert known.keyframes is not None
    first = found.cuts.times[0] / found.video[0].carriage.timescale
    assert first == pytest.approx(known.keyframes.times[0], abs=0.01)
    assert first == pytest.approx(4, abs=0.1)
    _, made = run(extract_tracks, path)
    assert "00:05.0" in next(iter(made.values())).decode()
