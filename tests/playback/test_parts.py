"""Files of several parts, and audio whose coding changes: the segments hold the contents of each part."""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.media.joined import change_audio, clip, join, mix
from tests.media.making import run
from tests.media.remuxing import audio_of, frames_of, outlined
from trio_stream.media.artwork.generate import generate_artwork as previews
from trio_stream.media.containers.probe import probe
from trio_stream.media.formats.outline import Outline
from trio_stream.media.remux.segments import init, segment
from trio_stream.packaging import dash, hls
from trio_stream.packaging.from_outline import present_outline
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.title import Source, Title
from trio_stream.playback.remuxed import init_recipe
from trio_stream.web.api.playlists import _recipe, _SegmentName

SECONDS = 3
LONG_AGO = -100_000.0
"""Seconds before the first frame: FFmpeg counts timestamps that restart from below zero."""


@dataclass(frozen=True)
class Played:
    """Init segment and segments of a span, and its start."""

    data: bytes
    begins: float


def spans(path: Path, rendition: Rendition) -> list[Played]:
    """What players get for a rendition, one init segment after the other."""
    found: list[Played] = []
    firsts = [span.first for span in rendition.spans] or [0]
    for number in range(len(rendition.segments)):
        built = _built(path, rendition, number)
        if number in firsts:
            span = rendition.span_at(number)
            piece = init_recipe("r", rendition, span.init if span is not None else 0)
            start = run(init, path, **piece.options)[1]["init"]
            found.append(Played(start, rendition.segments.starts[number] / rendition.timescale))
        found[-1] = Played(found[-1].data + built, found[-1].begins)
    return found


def _built(path: Path, rendition: Rendition, number: int) -> bytes:
    piece = _recipe("r", rendition, _SegmentName(rendition.name, number, keyframe=False, init=0))
    return b"".join(run(segment, path, **piece.options)[1].values())


def presented(path: Path) -> tuple[Outline, Presentation]:
    found = outlined(path)
    return found, present_outline(found)


def assert_played(path: Path, parts: list[Path]) -> Presentation:
    """All of each part is played, one after the other, without a gap."""
    found, presentation = presented(path)
    assert len(found.parts) == len(parts)
    assert presentation.omitted == ()
    starts = [part.start for part in found.parts]
    for rendition in presentation.renditions:
        played = spans(path, rendition)
        assert len(played) == len(parts)
        for one, part, start in zip(played, parts, starts, strict=True):
            if rendition.kind == "video":
                seen, held = frames_of(one.data), frames_of(part, zero=LONG_AGO)
                assert [digest for _, digest in seen] == [digest for _, digest in held]
                zero = held[0][0] - seen[0][0]
                assert [time for time, _ in seen] == pytest.approx(
                    [time - zero for time, _ in held], abs=2e-3
                )
            else:
                decoded, expected = audio_of(one.data), audio_of(part, 1, zero=LONG_AGO)
                assert decoded.planes == expected.planes
            assert 0 <= one.begins - start < 0.1 or start == 0
    assert presentation.duration == pytest.approx(SECONDS * len(parts), abs=0.1 * len(parts))
    return presentation


def assert_one_clock(path: Path) -> None:
    """A probe and the thumbnails use the same times as players."""
    found, presentation = presented(path)
    info, _ = run(probe, path)
    assert info["duration"] == pytest.approx(presentation.duration, abs=0.1)
    shown = [
        time / part.video[0].carriage.timescale
        for part in found.parts
        if part.cuts
        for time in part.cuts.times
    ]
    assert info["keyframes"]["until"] is None
    assert info["keyframes"]["times"] == pytest.approx(shown, abs=0.1)
    built, _ = run(previews, path, duration=info["duration"])
    assert built["tiles"]["count"] == math.ceil(info["duration"])


def test_joined_with_a_smaller_part(tmp_path: Path) -> None:
    parts = [
        clip(tmp_path / "a.ts", size="256x144"),
        clip(tmp_path / "b.ts", hertz=880),
    ]
    presentation = assert_played(join(tmp_path / "joined.ts", parts), parts)
    video, audio = presentation.renditions
    assert list(video.inits.values()) == ["init.mp4", "init1.mp4"]
    assert list(audio.inits.values()) == ["init.mp4"], "both have the same coding"
    assert [(span.width, span.height) for span in video.spans] == [(256, 144), (128, 72)]
    assert_one_clock(tmp_path / "joined.ts")
    assert Presentation.from_bytes(presentation.to_bytes()) == presentation


def test_a_single_part_is_unchanged(tmp_path: Path) -> None:
    """There is no sign of parts if there is only one."""
    _, presentation = presented(clip(tmp_path / "a.ts"))
    assert [rendition.spans for rendition in presentation.renditions] == [(), ()]
    title = Title((Source("", "r/0", presentation),))
    assert dash.manifest(title).count("<Period") == 1
    assert "presentationTimeOffset" not in dash.manifest(title)
    for each in presentation.renditions:
        assert hls.media(each, "r/0", 6).count("#EXT-X-MAP") == 1


def test_manifests_list_each_init_segment(tmp_path: Path) -> None:
    parts = [clip(tmp_path / "a.ts", size="256x144"), clip(tmp_path / "b.ts", hertz=880)]
    _, presentation = presented(join(tmp_path / "joined.ts", parts))
    video, audio = presentation.renditions
    playlist = hls.media(video, "r/0", 6)
    assert [line for line in playlist.splitlines() if "MAP" in line] == [
        '#EXT-X-MAP:URI="r/0/v0-4/init.mp4"',
        '#EXT-X-MAP:URI="r/0/v0-4/init1.mp4"',
    ]
    assert "DISCONTINUITY" not in playlist
    assert hls.media(audio, "r/0", 6).count("#EXT-X-MAP") == 1
    periods = ET.fromstring(dash.manifest(Title((Source("", "r/0", presentation),)))).findall("{*}Period")
    assert [float((period.get("start") or "")[2:-1]) for period in periods] == pytest.approx([0, 3], abs=0.1)
    found = [
        [element.get("initialization", "")[-9:] for element in period.iterfind(".//{*}SegmentTemplate")]
        for period in periods
    ]
    assert found == [["/init.mp4"] * 2, ["init1.mp4", "/init.mp4"]]
    assert [element.get("width") for element in periods[1].iterfind(".//{*}Representation")] == ["128", None]


@pytest.mark.thorough("large")
def test_three_joined_parts(tmp_path: Path) -> None:
    """The third part is like the first."""
    parts = [
        clip(tmp_path / "a.ts"),
        clip(tmp_path / "b.ts", size="64x36", hertz=880, audio="-c:a aac -ar 32000 -ac 2"),
        clip(tmp_path / "c.ts", hertz=660),
    ]
    video, audio = assert_played(join(tmp_path / "joined.ts", parts), parts).renditions
    assert list(video.inits.values()) == list(audio.inits.values()) == ["init.mp4", "init1.mp4", "init.mp4"]


def test_timestamps_that_wrap_are_continuous(tmp_path: Path) -> None:
    """Timestamps are modulo 2**33, which is 26.5 hours: here they wrap in the middle of the first part."""
    wraps = clip(tmp_path / "wraps.ts", more="-output_ts_offset 95441")
    assert len(outlined(wraps).parts) == 1
    parts = [wraps, clip(tmp_path / "b.ts", hertz=880)]
    assert_played(join(tmp_path / "joined.ts", parts), parts)
    assert_played(join(tmp_path / "other.ts", parts[::-1]), parts[::-1])


@pytest.mark.thorough("large")
def test_joined_with_other_numbers_of_tracks(tmp_path: Path) -> None:
    parts = [clip(tmp_path / "a.ts"), clip(tmp_path / "b.ts", hertz=880, more="-mpegts_start_pid 0x300")]
    assert_played(join(tmp_path / "joined.ts", parts), parts)


@pytest.mark.thorough("large")
def test_joined_of_m2ts(tmp_path: Path) -> None:
    parts = [
        clip(tmp_path / "a.m2ts", more="-mpegts_m2ts_mode 1"),
        clip(tmp_path / "b.m2ts", hertz=880, more="-mpegts_m2ts_mode 1"),
    ]
    assert_played(join(tmp_path / "joined.m2ts", parts), parts)


@pytest.mark.thorough("large")
def test_joined_with_another_codec(tmp_path: Path) -> None:
    parts = [clip(tmp_path / "a.ts"), clip(tmp_path / "b.ts", hertz=880, audio="-c:a ac3 -ac 2")]
    _, audio = assert_played(join(tmp_path / "joined.ts", parts), parts).renditions
    assert [span.codecs for span in audio.spans] == ["mp4a.40.2", "ac-3"]


def test_a_gap_stays_and_a_jump_of_timestamps_does_not(tmp_path: Path) -> None:
    first = clip(tmp_path / "a.ts")
    for ahead, parts in ((9, 1), (14, 2), (7200, 2)):
        later = clip(tmp_path / f"{ahead}.ts", hertz=880, more=f"-output_ts_offset {ahead}")
        found, presentation = presented(join(tmp_path / "joined.ts", [first, later]))
        assert len(found.parts) == parts
        assert presentation.duration == pytest.approx(6 if parts == 2 else ahead + 3, abs=0.2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("-c:a aac -ac 2", "-c:a aac -ac 2 -ar 32000"),
        ("-c:a aac -ac 1", "-c:a aac -ac 6"),
        ("-c:a eac3 -ac 6", "-c:a eac3 -ac 2"),
        ("-c:a ac3 -ac 2", "-c:a ac3 -ac 6"),
        ("-c:a mp3 -ac 2", "-c:a mp3 -ac 1"),
        ("-c:a aac -ac 2", "-c:a mp3 -ac 2"),
    ],
)
@pytest.mark.thorough("large")
def test_audio_that_changes_and_comes_back(tmp_path: Path, before: str, after: str) -> None:
    """The timestamps are continuous."""
    parts = [
        clip(tmp_path / "a.ts", audio=before),
        clip(tmp_path / "b.ts", hertz=880, audio=after, more="-output_ts_offset 3.2"),
        clip(tmp_path / "c.ts", hertz=660, audio=before, more="-output_ts_offset 6.4"),
    ]
    path = join(tmp_path / "changing.ts", parts)
    found, presentation = presented(path)
    assert len(found.parts) == 1
    assert presentation.omitted == ()
    video, audio = presentation.renditions
    assert [digest for _, digest in frames_of(spans(path, video)[0].data)] == [
        digest for part in parts for _, digest in frames_of(part)
    ]
    played = spans(path, audio)
    assert [audio_of(each.data).planes for each in played] == [audio_of(part, 1).planes for part in parts]
    assert list(audio.inits.values()) == ["init.mp4", "init1.mp4", "init.mp4"]


def test_audio_that_changes_between_two_keyframes(tmp_path: Path) -> None:
    """As in a broadcast: the video continues, and no frame of it is lost."""
    before = clip(tmp_path / "a.ts", seconds=6, more="-muxdelay 0")
    after = clip(tmp_path / "b.ts", seconds=6, hertz=880, audio="-c:a aac -ac 2", more="-muxdelay 0")
    path = change_audio(tmp_path / "changing.ts", before, after, 3.4)
    found, presentation = presented(path)
    assert (len(found.parts), presentation.omitted) == (1, ())
    video, audio = presentation.renditions
    [seen] = spans(path, video)
    assert [digest for _, digest in frames_of(seen.data)] == [digest for _, digest in frames_of(before)]
    first, second = (audio_of(each.data) for each in spans(path, audio))
    samples = (first.samples, second.samples)
    assert sum(samples) == pytest.approx(6 * 48_000, abs=2048 * 4)
    assert (len(first.planes[1]), len(second.planes[1])) == (0, len(second.planes[0]))


def test_tracks_that_no_browser_plays_have_a_reason(tmp_path: Path) -> None:
    parts = [
        clip(tmp_path / "a.ts"),
        clip(tmp_path / "b.ts", hertz=880, audio="-c:a mp2"),
        clip(tmp_path / "c.ts", hertz=660),
    ]
    path = join(tmp_path / "joined.ts", parts)
    _, presentation = presented(path)
    [omission] = presentation.omitted
    assert omission.reason == "from 3 s on up to 6 s: no browser plays mp2 in MP4"
    first, last = spans(path, presentation.audio[0])
    assert [audio_of(each.data).planes for each in (first, last)] == [
        audio_of(parts[0], 1).planes,
        audio_of(parts[2], 1).planes,
    ]
    assert last.begins == pytest.approx(6, abs=0.2)


def test_a_track_missing_from_one_part(tmp_path: Path) -> None:
    """Its audio has a gap there; nothing else changes its time."""
    parts = [clip(tmp_path / "a.ts"), clip(tmp_path / "b.ts", hertz=None), clip(tmp_path / "c.ts", hertz=660)]
    path = join(tmp_path / "joined.ts", parts)
    found, presentation = presented(path)
    first, last = spans(path, presentation.audio[0])
    assert [audio_of(each.data).planes for each in (first, last)] == [
        audio_of(parts[0], 1).planes,
        audio_of(parts[2], 1).planes,
    ]
    assert last.begins == pytest.approx(found.parts[2].start, abs=0.05)
    assert presentation.omitted == ()


@pytest.mark.thorough("large")
def test_a_track_only_in_a_later_part(tmp_path: Path) -> None:
    parts = [clip(tmp_path / "a.ts", hertz=None), clip(tmp_path / "b.ts", hertz=880)]
    path = join(tmp_path / "joined.ts", parts)
    found, presentation = presented(path)
    [played] = spans(path, presentation.audio[0])
    decoded = audio_of(played.data)
    assert decoded.planes == audio_of(parts[1], 1).planes
    assert decoded.start == pytest.approx(found.parts[1].start, abs=0.05)


@pytest.mark.thorough("large")
def test_another_programme_with_its_own_clock_is_not_a_part(tmp_path: Path) -> None:
    """Its packets are interleaved with the others, with timestamps hours ahead."""
    one = clip(tmp_path / "a.ts", seconds=6, more="-mpegts_start_pid 0x100")
    other = clip(
        tmp_path / "b.ts",
        seconds=6,
        hertz=880,
        more="-mpegts_start_pid 0x300 -mpegts_pmt_start_pid 0x1100 -output_ts_offset 7200",
    )
    path = mix(tmp_path / "both.ts", one, other)
    found, presentation = presented(path)
    assert len(found.parts) == 1
    [seen] = spans(path, presentation.renditions[0])
    assert len(frames_of(seen.data)) == len(frames_of(one))
