"""Remuxed segments equal the file: the same frames and samples at the same times, in whatever order they are built."""

import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.media.making import make, run
from tests.media.remuxing import (
    Outlined,
    audio_of,
    bounds,
    box,
    boxes,
    carried,
    frames_of,
    init_of,
    outlined,
    segment_of,
    segments_of,
)
from tests.playback.decoding import decode
from trio_stream.errors import MediaUnreadable
from trio_stream.media.formats.outline import Outline, VideoOutline
from trio_stream.media.jobs import TooLarge, Unreadable
from trio_stream.media.remux import segments
from trio_stream.media.remux.segments import segment
from trio_stream.media.sandbox.sandbox import Sandbox
from trio_stream.mp4.writing.heads import LATE

type Open = Callable[[Path], AbstractContextManager[int]]

FILES = (
    "codecs/h264-high10-flac.mkv",
    "codecs/hevc-hlg-eac3.mkv",
    "codecs/vp9-opus.webm",
    "codecs/av1-main10-opus.webm",
    "codecs/hevc-aac.ts",
    "codecs/sorenson-mp3.flv",
    "containers/live.mkv",
    "containers/clock-wraps.m2ts",
    "containers/fragmented-sidx.mp4",
    "timing/vfr.mkv",
    "timing/vfr.mov",
    "timing/late-picture.mp4",
    "timing/cut-by-copy.mp4",
    "timing/open-gop.mp4",
    "timing/odd-time-base.mp4",
    "tracks/languages.ts",
    "tracks/languages-chapters.mp4",
    "tracks/subtitles.mkv",
    "tracks/ROTATED.MOV",
)
"""Files of the menagerie; those in MP4 and QuickTime test edit lists and tables."""

SOURCES = "-f lavfi -i testsrc2=size=192x108:rate=25:duration=4 -f lavfi -i sine=frequency=440:sample_rate=44100:duration=4"
H264 = "-c:v libx264 -preset ultrafast -g 25 -bf 3 -c:a aac"


EXACTLY = 0.001
"""Seconds; the outline rounds to less, a clock in milliseconds rounds to this."""

PADDING = 2600
"""Padding samples in the last packets of an encoder: some demuxers discard them, others do not."""


@pytest.fixture(scope="session")
def bframes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Matroska with H.264 with B-frames, and AAC at 44.1 kHz."""
    return make(tmp_path_factory.mktemp("remux") / "bframes.mkv", f"{SOURCES} {H264}")


@pytest.fixture(scope="session")
def open_groups(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Matroska with HEVC with open GOPs, and AC-3 in two languages."""
    return make(
        tmp_path_factory.mktemp("remux") / "open.mkv",
        f"{SOURCES} -map 0 -map 1 -map 1 -c:v libx265 -preset ultrafast -c:a ac3 -bf 3 "
        "-x265-params keyint=26:min-keyint=20:open-gop=1:bframes=3:b-adapt=0:scenecut=0:log-level=error "
        "-metadata:s:a:0 language=eng -metadata:s:a:1 language=deu",
    )


def assert_same(path: Path) -> None:
    """Check that the joined segments of each carried track equal the track of the file."""
    found = outlined(path)
    tracks = carried(found)
    assert tracks
    for track in tracks:
        built = segments_of(path, found, track)
        for one, after in pairwise(built):
            assert one.result["end"] == after.result["first"]  # no gap, no overlap
        joined = init_of(path, track) + b"".join(one.data for one in built)
        if isinstance(track, VideoOutline):
            assert_same_frames(path, track, joined)
        else:
            assert_same_audio(path, track, joined)
            assert track.carriage.end is not None
            assert abs(built[-1].result["end"] / track.carriage.timescale - track.carriage.end) <= EXACTLY


def assert_same_frames(path: Path, track: Outlined, joined: bytes) -> None:
    ours, theirs = frames_of(joined), frames_of(path, track.track.index, zero_of(track))
    assert [digest for _, digest in ours] == [digest for _, digest in theirs]
    times = [time for time, _ in theirs]
    if times[0] >= LATE:
        times[0] = 0.0  # the first frame is shown from the beginning
    assert max(abs(one - other) for (one, _), other in zip(ours, times, strict=True)) < 0.001


def assert_same_audio(path: Path, track: Outlined, joined: bytes) -> None:
    ours, theirs = audio_of(joined), audio_of(path, track.track.index, zero_of(track))
    assert abs(ours.start - theirs.start) <= 0.001
    assert abs(ours.samples - theirs.samples) <= PADDING
    for one, other in zip(ours.planes, theirs.planes, strict=True):
        shared = min(len(one), len(other))
        assert one[:shared] == other[:shared]


def zero_of(track: Outlined) -> float:
    """Return when the presentation begins on the clock of the file, in seconds."""
    return float(track.carriage.origin * track.carriage.time_base)


@pytest.mark.parametrize("name", FILES)
def test_all_segments_equal_the_file(menagerie: Path, name: str) -> None:
    assert_same(menagerie / name)


def test_b_frames_are_remuxed(bframes: Path) -> None:
    assert_same(bframes)


def test_open_gops_and_two_languages_are_remuxed(open_groups: Path) -> None:
    assert_same(open_groups)
    found = outlined(open_groups)
    assert [track.track.language for track in found.audio] == ["en", "de"]
    assert found.cuts is not None
    starts = [
        time - start
        for time, start in zip(found.cuts.times, found.cuts.starts, strict=True)
        if start is not None
    ]
    assert starts[0] == 0
    assert max(starts[1:]) > 0  # other GOPs have frames that are shown before their keyframes


def test_ffmpeg_decodes_the_same_frames(bframes: Path, tmp_path: Path) -> None:
    found = outlined(bframes)
    video = found.video[0]
    joined = tmp_path / "joined.mp4"
    joined.write_bytes(
        init_of(bframes, video) + b"".join(built.data for built in segments_of(bframes, found, video))
    )
    assert frames_by_ffmpeg(joined) == frames_by_ffmpeg(bframes)


def frames_by_ffmpeg(path: Path) -> list[tuple[float, str]]:
    """Return when each frame is shown, in seconds, and its digest, by the program ffmpeg."""
    line = "-vsync passthrough -enc_time_base 1/1000 -f framemd5"
    built = make(path.with_suffix(".md5"), "-copyts", "-i", path, "-map", "0:v", *line.split())
    rows = [row.split(",") for row in built.read_text().splitlines() if not row.startswith("#")]
    return [(int(row[2]) / 1000, row[-1].strip()) for row in rows]


def test_a_single_segment_shows_the_same(open_groups: Path) -> None:
    """It shows the same as the whole, except for frames of an open GOP before its keyframe."""
    found = outlined(open_groups)
    video, cuts = found.video[0], found.cuts
    assert cuts is not None
    whole, begin = dict(frames_of(open_groups)), init_of(open_groups, video)
    for number, built in enumerate(segments_of(open_groups, found, video)):
        keyframe, end = (
            time / video.carriage.timescale for time in (cuts.times[number], built.result["end"])
        )
        alone = dict(frames_of(begin + built.data))
        assert alone.items() <= whole.items()
        assert [time for time in alone if time >= keyframe] == [
            time for time in whole if keyframe <= time < end
        ]


@pytest.mark.parametrize(
    "name",
    [
        "open.mkv",
        "codecs/vp9-opus.webm",
        "codecs/av1-main10-opus.webm",
        "codecs/hevc-aac.ts",
        "timing/vfr.mov",
    ],
)
def test_a_single_keyframe_is_shown_until_the_next(menagerie: Path, open_groups: Path, name: str) -> None:
    """Each is one frame of the video, shown at its own time until the next one."""
    path = open_groups if name == open_groups.name else menagerie / name
    found = outlined(path)
    video, cuts = found.video[0], found.cuts
    assert cuts is not None
    begin, whole = init_of(path, video), dict(frames_of(path, video.track.index, zero_of(video)))
    scale = video.carriage.timescale
    joined = b""
    for start, stop in pairwise([*cuts.times, cuts.times[-1] + scale]):
        built = segment_of(path, video, start, stop, keyframe=True)
        assert (built.result["samples"], built.result["first"], built.result["end"]) == (1, start, stop)
        [(time, digest)] = frames_of(begin + built.data)
        assert time == pytest.approx(start / scale, abs=0.001)
        assert digest == next(frame for at, frame in whole.items() if abs(at - time) < 0.001)
        joined += built.data
    assert len(frames_of(begin + joined)) == len(cuts.times)
    for size, largest in zip(cuts.sizes, video.carriage.sizes, strict=True):
        assert size is not None
        assert 0 < size <= largest


def test_the_audio_of_a_single_segment_begins_on_time(bframes: Path) -> None:
    found = outlined(bframes)
    audio = found.audio[0]
    begin = init_of(bframes, audio)
    for built in segments_of(bframes, found, audio)[1:]:
        assert abs(audio_of(begin + built.data).start * 44_100 - built.result["first"]) < 1


async def test_segments_have_the_same_bytes_each_time_and_in_the_sandbox(
    sandbox: Sandbox, opened: Open, menagerie: Path, bframes: Path
) -> None:
    for path in (bframes, menagerie / "tracks/languages.ts", menagerie / "timing/vfr.mov"):
        with opened(path) as file:
            done = await sandbox.run("outline", file, deadline=60, urgent=True)
            found = Outline.from_json(done.result)
            assert found == outlined(path)
            for track in carried(found):
                options = {"track": track.track.index, "carriage": track.carriage.to_json()}
                done = await sandbox.run("init", file, options, deadline=60, urgent=True)
                assert done.blobs == {"init": init_of(path, track)}
                start, stop = bounds(found, track)[1:3]
                request = {**options, "start": start, "stop": stop, "sequence": 2}
                done = await sandbox.run("segment", file, request, deadline=60, urgent=True)
                repeated = await sandbox.run("segment", file, request, deadline=60, urgent=True)
                assert done == repeated
                assert b"".join(done.blobs.values()) == segment_of(path, track, start, stop, 2).data


def test_a_late_track_is_decoded_from_the_beginning(tmp_path: Path) -> None:
    """It is shown at its own time, like everything after it; the second segment is not affected."""
    sources = SOURCES.replace(" -f lavfi -i sine", " -itsoffset 1.3 -f lavfi -i sine").replace(
        "-f lavfi -i testsrc2", "-itsoffset 0.7 -f lavfi -i testsrc2"
    )
    whole = make(tmp_path / "late.mkv", f"{sources} {H264} -avoid_negative_ts disabled -copyts")
    found = outlined(whole)
    for track in carried(found):
        late, *after = segments_of(whole, found, track)
        assert track.carriage.first > track.carriage.timescale // 2
        assert _decoded(late.data) == 0
        assert _decoded(after[0].data) == after[0].result["first"] + track.carriage.lead
    assert_same(whole)


@pytest.mark.parametrize(("suffix", "late"), [("mkv", 4.5), ("mkv", 9), ("ts", 6)])
def test_very_late_video_is_shown_from_the_beginning(tmp_path: Path, suffix: str, late: float) -> None:
    """The first frame is shown from 0 until the second; all others are shown at their own times."""
    sources = SOURCES.replace("-f lavfi -i testsrc2", f"-itsoffset {late} -f lavfi -i testsrc2")
    whole = make(tmp_path / f"late.{suffix}", f"{sources} {H264} -fps_mode passthrough")
    found = outlined(whole)
    video = found.video[0]
    built = init_of(whole, video) + b"".join(built.data for built in segments_of(whole, found, video))
    [served] = decode(built, ["v:0"])
    [wanted] = decode(whole, ["v:0"], zero=True)
    assert served.hashes == wanted.hashes
    assert served.times[0] == 0
    begins = wanted.times[0] - video.carriage.first / video.carriage.timescale
    assert served.times[1:] == pytest.approx([time - begins for time in wanted.times[1:]], abs=0.002)
    assert served.times[1] > late - 0.5


def _decoded(built: bytes) -> int:
    return int.from_bytes(box(built, "moof", "traf", "tfdt")[4:12])


def test_a_track_that_ends_early_is_extended_to_the_end(bframes: Path) -> None:
    found = outlined(bframes)
    for track in carried(found):
        scale = track.carriage.timescale
        *_, start = bounds(found, track)
        plain = segment_of(bframes, track, start, None)
        until = plain.result["end"] + scale
        longer = segment_of(bframes, track, start, None, until=until)
        assert longer.result == plain.result | {"end": until, "size": longer.result["size"]}
        assert longer.data[-plain.result["size"] // 2 :] == plain.data[-plain.result["size"] // 2 :]
        for near in (
            plain.result["end"] + scale // 20,
            plain.result["end"] - scale,
            plain.result["end"] + (1 << 40),
        ):
            assert segment_of(bframes, track, start, None, until=near) == plain


def test_init_segments_have_the_edit_list(menagerie: Path, open_groups: Path) -> None:
    for path, delay in ((menagerie / "codecs/vp9-opus.webm", False), (open_groups, True)):
        for track in carried(outlined(path)):
            init_segment = init_of(path, track)
            assert [kind for kind, _ in boxes(init_segment)] == ["ftyp", "moov"]
            assert [kind for kind, _ in boxes(box(init_segment, "moov"))].count("trak") == 1
            trak = box(init_segment, "moov", "trak")
            assert int.from_bytes(box(trak, "mdia", "mdhd")[12:16]) == track.carriage.timescale
            # elst: version and flags, a count, a duration, the media time of presentation time 0 (14496-12, 8.6.6).
            edit = box(trak, "edts", "elst")
            assert edit[:8] == bytes(7) + b"\x01"
            assert int.from_bytes(edit[12:16]) == track.carriage.lead + track.carriage.delay
            assert (track.carriage.delay > 0) is (delay and isinstance(track, VideoOutline))
            assert not box(trak, "mdia", "minf", "stbl", "stts")[4:].strip(b"\0")
    opus = carried(outlined(menagerie / "codecs/vp9-opus.webm"))[1]
    assert opus.carriage.lead == 312  # exactly the samples that the encoder stated in milliseconds


def test_the_last_opus_sample_has_its_audible_duration(menagerie: Path) -> None:
    """The duration of the last sample is its audible part. FFmpeg still plays all of it, and no box of a fragmented file
    prevents that. All samples before it equal those of the file."""
    path = menagerie / "codecs/vp9-opus.webm"
    found = outlined(path)
    audio = found.audio[0]
    segments_built = segments_of(path, found, audio)
    theirs = audio_of(path, audio.track.index)
    assert segments_built[-1].result["end"] == theirs.samples == 96_000
    assert audio.carriage.end == 2.0
    ours = audio_of(init_of(path, audio) + b"".join(segment.data for segment in segments_built))
    assert ours.samples - theirs.samples == 648
    assert all(one.startswith(other) for one, other in zip(ours.planes, theirs.planes, strict=True))


def test_codecs_are_described_in_the_init_segment(menagerie: Path, open_groups: Path) -> None:
    entries = {
        kind
        for path in (menagerie / "codecs/hevc-aac.ts", menagerie / "tracks/languages.ts", open_groups)
        for track in carried(outlined(path))
        for kind, _ in boxes(_entries(init_of(path, track)))
    }
    assert entries == {"hvc1", "avc1", "mp4a", "ac-3"}
    ts = menagerie / "codecs/hevc-aac.ts"
    audio = carried(outlined(ts))[1]
    assert bytes.fromhex("1190") in _entries(init_of(ts, audio))  # AudioSpecificConfig: LC, 48 kHz, stereo


def _entries(built: bytes) -> bytes:
    return box(built, "moov", "trak", "mdia", "minf", "stbl", "stsd")[8:]


def test_a_segment_is_one_fragment(bframes: Path) -> None:
    found = outlined(bframes)
    video = found.video[0]
    assert found.cuts is not None
    for number, built in enumerate(segments_of(bframes, found, video), 1):
        assert [kind for kind, _ in boxes(built.data)] == ["styp", "moof", "mdat"]
        moof = box(built.data, "moof")
        assert [kind for kind, _ in boxes(moof)] == ["mfhd", "traf"]
        assert [kind for kind, _ in boxes(box(moof, "traf"))] == ["tfhd", "tfdt", "trun"]
        assert int.from_bytes(box(moof, "mfhd")[4:]) == number
        assert built.result["first"] == found.cuts.times[number - 1]
        assert _decoded(built.data) == (0 if number == 1 else built.result["first"])
        if number == 1:
            continue  # its first sample lasts longer than the others because of the priming
        # tfhd: data offsets from moof, the duration and flags of all samples. trun: version 1, the data offset, flags
        # of the first sample, and size and offset of each sample (8.8.7, 8.8.8).
        assert box(moof, "traf", "tfhd")[:4] == b"\0\x02\0\x28"
        assert box(moof, "traf", "tfhd")[-4:] == b"\x01\x01\0\0"
        run_box = box(moof, "traf", "trun")
        assert run_box[:4] == b"\x01\0\x0a\x05"
        assert int.from_bytes(run_box[4:8]) == built.result["samples"] == (len(run_box) - 16) // 8
        begin = built.data.index(b"moof") - 4
        assert built.data[begin + int.from_bytes(run_box[8:12]) - 4 :][:4] == b"mdat"
        assert run_box[12:16] == b"\x02\0\0\0"


def test_a_gap_in_the_audio_is_kept(tmp_path: Path) -> None:
    path = make(tmp_path / "hole.mkv", f"{SOURCES} {H264} -af aselect=not(between(t\\,0.8\\,2.7)) -shortest")
    assert_same(path)


def test_a_truncated_file_is_remuxed_to_its_end(bframes: Path, menagerie: Path, tmp_path: Path) -> None:
    """Everything that is left of a truncated file can be requested."""
    for whole in (bframes, menagerie / "tracks/languages.ts"):
        path = tmp_path / whole.name
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
        found = outlined(path)
        assert found.cuts is not None
        assert found.duration is not None
        assert 1.5 < found.duration < 3.2
        for track in carried(found):
            assert all(built.result["samples"] for built in segments_of(path, found, track))


def test_joined_recordings_are_remuxed_like_single_ones(menagerie: Path, tmp_path: Path) -> None:
    """Two joined recordings equal the single ones; `playback/test_parts.py` plays them."""
    once = menagerie / "tracks/languages.ts"
    path = tmp_path / "twice.ts"
    path.write_bytes(once.read_bytes() * 2)
    found, single = outlined(path), outlined(once)
    assert found.cuts is not None
    assert single.cuts is not None
    assert (found.cuts.times, found.cuts.until) == (single.cuts.times, None)
    assert [part.start for part in found.parts] == [0, pytest.approx(single.duration, abs=0.1)]
    for track, other in zip(carried(found), carried(single), strict=True):
        last = bounds(found, track)[-1]
        assert (
            segment_of(path, track, last, None).result["samples"]
            == segment_of(once, other, last, None).result["samples"]
        )


def test_invalid_requests_are_refused(bframes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outlined(bframes)
    video = found.video[0]
    first, second = bounds(found, video)[:2]
    with pytest.raises(Unreadable, match="no keyframe"):
        segment_of(bframes, video, second - 1, None)
    with pytest.raises(Unreadable, match="no keyframe"):
        segment_of(bframes, video, 10_000_000, None)
    with pytest.raises(Unreadable, match="no keyframe"):
        segment_of(bframes, video, second - 1, second, keyframe=True)
    with pytest.raises(Unreadable, match="only video tracks"):
        segment_of(bframes, found.audio[0], first, second, keyframe=True)
    with pytest.raises(Unreadable, match="no track 9"):
        run(segment, bframes, track=9, carriage=video.carriage.to_json(), start=first, stop=None, sequence=1)
    with pytest.raises(ValueError, match="no valid clock"):
        run(
            segment,
            bframes,
            track=0,
            carriage={**video.carriage.to_json(), "timescale": 0},
            start=0,
            stop=None,
        )
    monkeypatch.setattr(segments, "SEGMENT_LIMIT", 1 << 10)
    with pytest.raises(TooLarge, match="more than 0 MiB"):
        segment_of(bframes, video, first, None)


def test_a_large_segment_is_sent_in_parts(bframes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outlined(bframes)
    video = found.video[0]
    start = bounds(found, video)[0]
    whole = segment_of(bframes, video, start, None)
    monkeypatch.setattr(segments, "PART", 10_000)
    assert segment_of(bframes, video, start, None) == whole


async def test_flipped_bytes_give_an_outline_or_a_reason(
    sandbox: Sandbox, opened: Open, menagerie: Path, tmp_path: Path
) -> None:
    """A damaged file soon gives an outline or a reason, and never a bug of ours."""
    rng = random.Random(6)
    ends = []
    for name in ("tracks/subtitles.mkv", "tracks/languages.ts", "timing/vfr.mov"):
        whole = (menagerie / name).read_bytes()
        for _ in range(6):
            data = bytearray(whole)
            for _ in range(rng.choice((1, 20, 400))):
                data[rng.randrange(len(data) if rng.random() < 0.5 else 4000)] = rng.randrange(256)
            path = tmp_path / "flipped"
            path.write_bytes(data)
            with opened(path) as file:
                ends.append(await outcome(sandbox, file))
    assert None in ends
    assert any(ends)
    assert not any("the media parser failed" in reason for reason in ends if reason)
    assert sandbox.statistics().restarts == 0


async def outcome(sandbox: Sandbox, file: int) -> str | None:
    """Return why a part of a file could not be built."""
    try:
        found = Outline.from_json((await sandbox.run("outline", file, deadline=10, urgent=True)).result)
        for track in carried(found)[:2] if found.cuts is not None else []:
            options = {"track": track.track.index, "carriage": track.carriage.to_json()}
            request = {**options, "start": bounds(found, track)[-1], "stop": None, "sequence": 1}
            await sandbox.run("segment", file, request, deadline=10, urgent=True)
    except MediaUnreadable as error:
        return str(error)
    return None
