"""Audio that begins long before the video: all of it is played, and each segment can be requested."""

from pathlib import Path

import pytest

from tests.media.making import make, run
from tests.media.remuxing import BuiltSegment, audio_of, init_of, outlined, segment_of
from tests.media.test_remux import assert_same, assert_same_audio
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.media_info import MediaInfo
from trio_stream.media.formats.outline import AudioOutline
from trio_stream.media.subtitles.extract import extract_tracks

X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 10"
KEEP_TIMES = "-avoid_negative_ts disabled -copyts"
"""Keep all times, also those below 0."""


def early(seconds: float, below: bool, coding: str) -> str:
    """Audio that begins that many seconds before the video; the video begins at 0 if the audio is to be `below` it."""
    video_offset, audio_offset = ("", f"-itsoffset {-seconds} ") if below else (f"-itsoffset {seconds} ", "")
    return (
        f"{video_offset}-f lavfi -i testsrc2=size=64x64:rate=10:duration=6 "
        f"{audio_offset}-f lavfi -i sine=sample_rate=48000:duration={seconds + 7} {X264} {coding} {KEEP_TIMES if below else ''}"
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
def recording(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("early") / request.param, EARLY[request.param])


def test_all_early_audio_is_played(recording: Path) -> None:
    assert_same(recording)
    found = outlined(recording, whole_bytes=0)  # from its index
    audio = found.audio[0].carriage
    assert audio.start == pytest.approx(0, abs=0.03)
    assert abs(audio.lead) < audio.timescale / 30  # nothing but priming is hidden


def test_each_audio_segment_has_its_samples(recording: Path) -> None:
    """Also those before everything that the index lists."""
    (audio,) = outlined(recording).audio
    segments = list(audio_segments(recording, audio, 3))
    assert all(segment.result["samples"] for segment in segments)
    assert_same_audio(
        recording, audio, init_of(recording, audio) + b"".join(segment.data for segment in segments)
    )


def audio_segments(path: Path, audio: AudioOutline, seconds: int) -> list[BuiltSegment]:
    """Build the audio segments, each with that many seconds."""
    scale = audio.carriage.timescale
    assert audio.carriage.end is not None
    starts = [audio.carriage.first, *range(seconds * scale, int(audio.carriage.end * scale), seconds * scale)]
    stops = [*starts[1:], None]
    return [
        segment_of(path, audio, start, stop, begins=start == starts[0])
        for start, stop in zip(starts, stops, strict=True)
    ]


def test_priming_is_hidden(tmp_path: Path) -> None:
    """Audio that begins less than half a second before 0 does so for the priming of the decoder."""
    path = make(tmp_path / "primed.mkv", early(0.02, True, "-c:a libopus -b:a 32k"))
    (audio,) = outlined(path).audio
    assert audio.carriage.origin == 0
    assert audio.carriage.lead > 0
    assert_same(path)


def test_keyframes_and_subtitles_have_the_same_clock(tmp_path: Path) -> None:
    """Keyframes and subtitles have the times of the video."""
    subtitles = tmp_path / "words.srt"
    subtitles.write_text("1\n00:00:01,000 --> 00:00:02,000\nWords\n")
    recording = make(tmp_path / "film.mkv", EARLY["below-aac.mkv"])
    path = make(
        tmp_path / "words.mkv",
        "-copyts",
        "-i",
        recording,
        "-i",
        subtitles,
        *f"-map 0 -map 1 -c copy {KEEP_TIMES}".split(),
    )
    found = outlined(path)
    zero = audio_of(path, found.audio[0].track.index).start
    assert zero == 0  # the first audio is not before the start of its decoder
    assert found.cuts is not None
    info = MediaInfo.from_json(run(probe, path)[0])
    assert info.keyframes is not None
    first = found.cuts.times[0] / found.video[0].carriage.timescale
    assert first == pytest.approx(info.keyframes.times[0], abs=0.01)
    assert first == pytest.approx(4, abs=0.1)
    _, blobs = run(extract_tracks, path)
    assert "00:05.0" in next(iter(blobs.values())).decode()
