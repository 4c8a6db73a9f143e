"""Outlines are the same from all packets of a file, and from its index and some packets."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.media.making import make, opened
from tests.media.remuxing import Outlined, bounds, carried, outlined, segment_of
from tests.media.test_remux import assert_same
from trio_stream.media.containers import clusters
from trio_stream.media.formats.outline import TRACK_LIMIT, Carriage, Outline
from trio_stream.media.jobs import MediaFile, Unreadable
from trio_stream.media.remux import indexes, packets, survey
from trio_stream.media.remux.demuxing import open_tracks
from trio_stream.media.remux.draft import Draft
from trio_stream.media.remux.indexes import ContainerIndex, ZeroableFile, bytes_between
from trio_stream.packaging.from_outline import present_outline


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two minutes of Matroska, with keyframes two seconds apart."""
    return make(
        tmp_path_factory.mktemp("outline") / "long.mkv",
        "-f lavfi -i testsrc2=size=128x72:rate=10:duration=120 -f lavfi -i sine=sample_rate=48000:duration=120 "
        "-c:v libx264 -preset ultrafast -bf 2 -g 20 -c:a aac -b:a 32k",
    )


@pytest.fixture(scope="session")
def unindexed(long: Path) -> Path:
    """The same, written as a live stream: without a duration and an index."""
    return make(long.with_name("unindexed.mkv"), "-i", long, "-c", "copy", "-live", "1", "-f", "matroska")


def without_sizes(found: Outline) -> Outline:
    """Leave out what depends on how the outline was built."""
    assert found.cuts is not None
    return replace(
        found,
        video=tuple(replace(track, carriage=replace(track.carriage, sizes=())) for track in found.video),
        audio=tuple(replace(track, carriage=replace(track.carriage, sizes=())) for track in found.audio),
        cuts=replace(found.cuts, starts=(), sizes=()),
        exact=True,
    )


def carriages(found: Outline) -> list[Carriage]:
    return [*(track.carriage for track in found.video), *(track.carriage for track in found.audio)]


def test_an_outline_from_cues_equals_one_from_packets(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = outlined(long)
    monkeypatch.setattr(indexes, "HEAD_BYTES", 100_000)
    indexed = outlined(long, whole_bytes=0)
    assert (read.exact, indexed.exact) == (True, False)
    assert without_sizes(indexed) == without_sizes(read)
    assert read.cuts is not None
    assert indexed.cuts is not None
    assert len(read.cuts.times) == 60
    starts = [pair for pair in zip(indexed.cuts.starts, read.cuts.starts, strict=True) if pair[0] is not None]
    assert len(starts) == indexes.CHECKED_KEYFRAMES + 1
    assert all(one == other for one, other in starts)
    sizes = [pair for pair in zip(indexed.cuts.sizes, read.cuts.sizes, strict=True) if pair[0] is not None]
    assert len(sizes) >= len(starts)  # in addition to those at the beginning
    assert all(one == other for one, other in sizes)
    assert None not in read.cuts.sizes
    for one, other in zip(carriages(indexed), carriages(read), strict=True):
        assert sum(one.sizes) == pytest.approx(sum(other.sizes), rel=0.1)
    largest = max(read.video[0].carriage.sizes)
    assert max(indexed.video[0].carriage.sizes) == pytest.approx(largest, rel=0.15)


def test_an_index_saves_reading_the_file(long: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "HEAD_BYTES", 10_000)
    with opened(long) as file:
        zeroable = ZeroableFile(file)
        with open_tracks(zeroable) as container:
            draft = Draft(container, zeroable)
            assert ContainerIndex(container, zeroable, draft.survey, draft.name).fill(10)
    assert zeroable.count < long.stat().st_size


@pytest.mark.parametrize(
    "name", ["timing/vfr.mov", "tracks/languages-chapters.mp4", "codecs/hevc-hev1-ac3.mp4"]
)
def test_an_outline_from_tables_equals_one_from_packets(
    menagerie: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = outlined(menagerie / name)
    monkeypatch.setattr(indexes, "HEAD_BYTES", 1)
    assert outlined(menagerie / name, whole_bytes=0) == read


@pytest.mark.parametrize(
    "name", ["containers/live.mkv", "containers/fragmented-sidx.mp4", "tracks/languages.ts"]
)
def test_some_containers_have_no_usable_index(menagerie: Path, name: str) -> None:
    assert outlined(menagerie / name, whole_bytes=0) == outlined(menagerie / name)


def test_a_wrong_index_is_not_used(menagerie: Path, tmp_path: Path) -> None:
    """If Cues list times without a keyframe, the whole file is read instead."""
    whole = (menagerie / "timing/vfr.mkv").read_bytes()
    at = whole.index(bytes.fromhex("1c53bb6b"))
    lying = bytearray(whole)
    found = whole.index(bytes.fromhex("b38203e9"), at)  # CueTime 1001
    lying[found + 3] -= 40
    path = tmp_path / "lying.mkv"
    path.write_bytes(lying)
    assert outlined(path, whole_bytes=0) == outlined(menagerie / "timing/vfr.mkv")


def test_reading_stops_at_the_limit(menagerie: Path) -> None:
    path = menagerie / "tracks/languages.ts"
    whole, part = outlined(path), outlined(path, scan_bytes=1, scan_seconds=60)
    assert whole.cuts is not None
    assert part.cuts is not None
    assert whole.cuts.until is None
    assert part.cuts.until is not None
    assert part.cuts.times == whole.cuts.times[: len(part.cuts.times)]
    assert part.duration == pytest.approx(whole.duration, abs=0.1)  # the container states it


def test_very_many_keyframes_are_thinned_out(menagerie: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = menagerie / "timing/every-frame-key.mp4"
    everything = outlined(path)
    monkeypatch.setattr(survey, "KEYFRAME_LIMIT", 30)
    thinned = outlined(path)
    assert thinned.cuts is not None
    assert everything.cuts is not None
    assert thinned.cuts.times == everything.cuts.times[::4]
    assert thinned.cuts.sizes == everything.cuts.sizes[::4]
    for one, other in zip(carriages(thinned), carriages(everything), strict=True):
        assert len(one.sizes) == len(thinned.cuts.times)
        assert sum(one.sizes) == sum(other.sizes)
    video = thinned.video[0]
    first = segment_of(path, video, thinned.cuts.times[0], thinned.cuts.times[1])
    assert first.result["samples"] == 4


def test_a_track_that_is_not_carried_has_a_reason(menagerie: Path, tmp_path: Path) -> None:
    refusals = {
        carriage.refusal
        for name in (
            "codecs/vp8-vorbis.webm",
            "codecs/mpeg2-interlaced-ac3.ts",
            "codecs/prores-pcm-timecode.mov",
        )
        for carriage in carriages(outlined(menagerie / name))
    }
    assert refusals == {
        "no browser plays vp8 in MP4",
        "no browser plays vorbis in MP4",
        "no browser plays mpeg2video in MP4",
        "no browser plays prores in MP4",
        "no browser plays pcm_s16le in MP4",
        None,
    }
    disordered = make(
        tmp_path / "b.avi", "-f lavfi -i testsrc2=size=64x64:duration=2 -c:v libx264 -preset ultrafast -bf 2"
    )
    assert "AVI does not say when" in (outlined(disordered).video[0].carriage.refusal or "")


def test_a_file_with_only_audio_is_outlined(menagerie: Path) -> None:
    found = outlined(menagerie / "codecs/sound-only.mp4")
    assert (found.video, found.cuts) == ((), None)
    (audio,) = found.audio
    assert len(audio.carriage.sizes) == 1
    built = segment_of(menagerie / "codecs/sound-only.mp4", audio, 48_000, 96_000)
    assert (built.result["first"], built.result["end"]) == (48_128, 96_256)  # on the packet grid


def test_a_file_without_playable_tracks_is_unreadable(menagerie: Path, tmp_path: Path) -> None:
    for name in ("damaged/empty.mp4", "damaged/prose.mkv", "damaged/playlist.mp4"):
        with pytest.raises(Unreadable):
            outlined(menagerie / name)
    text = tmp_path / "text.mkv"
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nWords\n")
    make(text, "-i", tmp_path / "a.srt")
    with pytest.raises(Unreadable, match="no video or audio track"):
        outlined(text)


@pytest.mark.parametrize(
    "change",
    [
        {"timescale": 0},
        {"timescale": 1 << 31},
        {"time_base": "0/1"},
        {"step": -1},
        {"delay": -1},
        {"first": 0.5},
        {"sizes": [1] * 30_000},
        {"sizes": [1]},
        {"sizes": [-1, 1, 1, 1, 1, 1, 1, 1]},
        {"more": 1},
    ],
)
def test_an_invalid_outline_raises_a_value_error(
    bframes_outline: dict[str, Any], change: dict[str, Any]
) -> None:
    Outline.from_json(bframes_outline)
    wrong = json.loads(json.dumps(bframes_outline))
    wrong["video"][0]["carriage"] |= change
    with pytest.raises(ValueError, match=r"\bnot?\b|impossible|differ"):
        Outline.from_json(wrong)


@pytest.mark.parametrize(
    "change", [{"track": 5}, {"times": []}, {"starts": [0]}, {"sizes": [None]}, {"times": [1 << 60]}]
)
def test_invalid_cuts_raise_a_value_error(bframes_outline: dict[str, Any], change: dict[str, Any]) -> None:
    wrong = json.loads(json.dumps(bframes_outline))
    count = len(wrong["cuts"]["times"])
    assert count > 1
    wrong["cuts"] |= {name: value * count if value == [1 << 60] else value for name, value in change.items()}
    with pytest.raises(ValueError, match="keyframes"):
        Outline.from_json(wrong)


@pytest.fixture(scope="module")
def bframes_outline(menagerie: Path) -> dict[str, Any]:
    return outlined(menagerie / "timing/vfr.mkv").to_json()


def test_bytes_between_keyframes_are_estimated() -> None:
    assert bytes_between([100, 200, 400], [0, 10, 20], (30, 500)) == [100, 200, 100]
    assert bytes_between([100, 100, 400], [0, 10, 20], (30, 500)) == [150, 150, 100]  # in one cluster
    assert bytes_between([100, 100], [0, 30], (40, 500)) == [300, 100]
    assert bytes_between([500], [0], (0, 400)) == [0]


# Large Matroska files without an index: positions are found through the clusters.


def test_segments_of_a_file_without_an_index_read_little(
    unindexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MIN_SIZE", 0)
    monkeypatch.setattr(clusters, "WINDOW", 1 << 12)
    monkeypatch.setattr(clusters, "NEAR", 1 << 15)
    found = outlined(unindexed)
    counted: list[int] = []

    class Counted(MediaFile):
        def read_at(self, offset: int, size: int) -> bytes:
            counted.append(size)
            return super().read_at(offset, size)

    monkeypatch.setattr("tests.media.making.MediaFile", Counted)
    for track in carried(found):
        start, stop = bounds(found, track)[50:52]
        monkeypatch.setattr(packets, "MAX_VIDEO_AHEAD", 1e9)
        from_the_front = segment_of(unindexed, track, start, stop)
        monkeypatch.setattr(packets, "MAX_VIDEO_AHEAD", 30.0)
        counted.clear()
        assert segment_of(unindexed, track, start, stop) == from_the_front
        assert sum(counted) < unindexed.stat().st_size / 2


def test_a_file_without_an_index_is_remuxed_completely(
    unindexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clusters, "MIN_SIZE", 0)
    monkeypatch.setattr(packets, "MAX_VIDEO_AHEAD", 1.0)
    assert_same(unindexed)


@pytest.mark.parametrize(("videos", "audios"), [(1, 34), (2, 31), (0, 33)])
def test_tracks_beyond_the_limit_are_listed(tmp_path: Path, videos: int, audios: int) -> None:
    """If a file has more tracks than are examined, the others are listed with the reason."""
    inputs = "-f lavfi -i color=size=32x32:rate=5:duration=1 -f lavfi -i sine=duration=1"
    maps = " ".join(["-map 0"] * videos + ["-map 1"] * audios)
    path = make(tmp_path / "many.mkv", f"{inputs} {maps} -c:v libx264 -preset ultrafast -c:a libopus -b:a 8k")
    found = outlined(path)
    assert (len(found.video), len(found.audio)) == (videos, audios)
    tracks: list[Outlined] = [*found.video, *found.audio]
    refusals = {track.track.index: track.carriage.refusal for track in tracks}
    beyond = {index for index, reason in refusals.items() if reason is not None}
    assert len(beyond) == videos + audios - TRACK_LIMIT
    assert {refusals[index] for index in beyond} == {
        f"only the first {TRACK_LIMIT} tracks of a file are examined"
    }
    offered = present_outline(found)
    assert beyond <= {omission.track for omission in offered.omitted}
    assert len(offered.renditions) + len(offered.omitted) == videos + audios


def test_a_track_with_an_unknown_codec_is_listed(tmp_path: Path) -> None:
    """A second video track of an FLV has an unknown codec: it is left out with a reason, and the first plays."""
    source = "-f lavfi -i testsrc2=size=64x36:rate=10:duration=1 -f lavfi -i sine=duration=1"
    built = make(tmp_path / "film.flv", f"{source} -c:v libx264 -preset ultrafast -c:a aac").read_bytes()
    frame = bytes((0x2F, 0, 0, 0x84, 0, 0))  # no codec has this number
    tag = b"\x09" + len(frame).to_bytes(3) + bytes(7) + frame
    path = tmp_path / "two.flv"
    path.write_bytes(built + tag + (len(tag)).to_bytes(4))
    found = outlined(path)
    assert [track.carriage.refusal for track in found.video] == [None, "its codec is unknown"]
    offered = present_outline(found)
    assert [(omission.kind, omission.code) for omission in offered.omitted] == [("video", "codec")]
    assert [rendition.kind for rendition in offered.renditions] == ["video", "audio"]
