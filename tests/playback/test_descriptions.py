"""Videos whose coding changes between sample entries: each span decodes to the contents of its clip."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.bodies import assemble
from tests.depth import large
from tests.media.making import make, run
from tests.mp4.making import box, words
from tests.mp4.splicing import Clip, clip, splice, splice_fragments, track
from tests.playback.decoding import decode
from trio_stream.errors import Unpackageable
from trio_stream.media.containers.probe import probe
from trio_stream.packaging import dash, hls, segments
from trio_stream.packaging.presentation import Presentation, Rendition
from trio_stream.packaging.title import Source, Title
from trio_stream.playback.indexes import Index, read_index
from trio_stream.web.api.feeds import FragmentFeed

SECONDS = 3
X264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 25"


def video_track(path: Path, size: str = "128x72", coded: str = X264, more: str = "") -> Clip:
    data = make(path, f"-f lavfi -i testsrc2=size={size}:rate=25:duration={SECONDS} {coded} {more}")
    return clip(data, "vide")


def tone(path: Path, hertz: int = 440, coded: str = "-c:a aac -ac 1", rate: int = 48_000) -> Clip:
    return clip(
        make(path, f"-f lavfi -i sine=frequency={hertz}:sample_rate={rate}:duration={SECONDS} {coded}"),
        "soun",
    )


def index_of(path: Path) -> Index:
    fd = os.open(path, os.O_RDONLY)
    try:
        return read_index(fd, path.stat().st_size)
    finally:
        os.close(fd)


def spans(path: Path, index: Index, rendition: Rendition) -> list[bytes]:
    """What players get for a rendition, one init segment after the other."""
    data, track = path.read_bytes(), index.tracks[rendition.name]
    firsts = [span.first for span in rendition.spans] or [0]
    inits = [span.init for span in rendition.spans] or [0]
    bounds = [*firsts, len(rendition.segments)]
    found: list[bytes] = []
    for init, (first, stop) in zip(inits, pairwise(bounds), strict=True):
        played = segments.init(track.coded(init))
        for number in range(first, stop):
            begin, end = rendition.segments.samples[number : number + 2]
            played += assemble(segments.segment(track, begin, end, number, index.size), data)
        found.append(played)
    return found


def assert_played(path: Path, clips: Sequence[Path], kind: str = "video") -> Rendition:
    """Each span holds the video or audio of its clip, and begins when the previous one has ended."""
    index = index_of(path)
    assert index.presentation.omitted == ()
    rendition = next(rendition for rendition in index.presentation.renditions if rendition.kind == kind)
    name = f"{kind[0]}:0"
    for number, (data, source) in enumerate(zip(spans(path, index, rendition), clips, strict=True)):
        [seen], [held] = decode(data, [name]), decode(source, [name])
        if kind == "video":
            assert seen.hashes == held.hashes
            assert seen.times == pytest.approx([SECONDS * number + time for time in held.times], abs=0.09)
        else:  # the first packet may be encoder priming, which the clip does not present
            assert seen.hashes[2:40] in {held.hashes[at : at + 38] for at in (1, 2)}
    assert Presentation.from_bytes(index.presentation.to_bytes()) == index.presentation
    return rendition


@pytest.mark.parametrize("suffix", ["mp4", large("mov")])
def test_video_that_changes_its_frame_size(tmp_path: Path, suffix: str) -> None:
    a, b = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    clips = [video_track(a, "256x144"), video_track(b, more="-bf 2")]
    film = splice(tmp_path / f"film.{suffix}", track(clips))
    video = assert_played(film, [a, b])
    assert list(video.inits.values()) == ["init.mp4", "init1.mp4"]
    assert [(span.width, span.height) for span in video.spans] == [(256, 144), (128, 72)]
    assert [run(probe, path)[0]["recoded"] for path in (a, film)] == [False, True]


@pytest.mark.thorough("large")
def test_parameter_sets_that_come_back(tmp_path: Path) -> None:
    """The same size, but other entropy coding and reference counts; the third clip is coded like the first."""
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    first, second = video_track(a), video_track(b, coded=X264.replace("ultrafast", "medium"))
    film = splice(tmp_path / "film.mp4", track([first, second, first]))
    video = assert_played(film, [a, b, a])
    assert list(video.inits.values()) == ["init.mp4", "init1.mp4", "init.mp4"]
    assert len(video.spans) == 3


def test_equal_entries_count_as_one(tmp_path: Path) -> None:
    """A decoder does not need bit rates and free space."""
    a = tmp_path / "a.mp4"
    plain = video_track(a)
    other = plain.entry_with(box("btrt", words(1, 2, 3)), box("free", bytes(9)))
    assert plain.entry != other.entry
    film = splice(tmp_path / "film.mp4", track([plain, other]))
    index = index_of(film)
    [video] = index.presentation.renditions
    assert (video.spans, list(video.inits.values())) == ((), ["init.mp4"])
    [seen], [held] = decode(spans(film, index, video)[0], ["v:0"]), decode(a, ["v:0"])
    assert seen.hashes == held.hashes * 2


@pytest.mark.parametrize(
    ("coded", "rate"),
    [
        pytest.param("-c:a aac -ac 2", 48_000, id="other channels"),
        pytest.param("-c:a aac -ac 1", 32_000, id="another rate"),
    ],
)
@pytest.mark.thorough("large")
def test_audio_that_changes_its_coding(tmp_path: Path, coded: str, rate: int) -> None:
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    clips = [tone(a), tone(b, 880, coded, rate)]
    seen = video_track(tmp_path / "v.mp4")
    film = splice(tmp_path / "film.mp4", track([seen, seen]), track(clips, id_=2))
    audio_track = assert_played(film, [a, b], "audio")
    assert list(audio_track.inits.values()) == ["init.mp4", "init1.mp4"]
    starts = [audio_track.segments.starts[span.first] / audio_track.timescale for span in audio_track.spans]
    assert starts == pytest.approx([0, SECONDS], abs=0.1)


@pytest.mark.thorough("large")
def test_fragments_that_refer_to_their_entry(tmp_path: Path) -> None:
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    clips = [video_track(a, "256x144"), video_track(b), video_track(a, "256x144")]
    film = splice_fragments(tmp_path / "film.mp4", clips)
    video = assert_played(film, [a, b, a])
    assert [span.init for span in video.spans] == [0, 1, 0]


def test_manifests_and_streams_list_each_init_segment(tmp_path: Path) -> None:
    a, b = tmp_path / "a.mp4", tmp_path / "b.mp4"
    clips = [video_track(a, "256x144"), video_track(b)]
    film = splice(tmp_path / "film.mp4", track(clips), track([tone(tmp_path / "s.mp4")] * 2, id_=2))
    index = index_of(film)
    video, audio_track = index.presentation.renditions
    lines = hls.media(video, "r/0", 6).splitlines()
    assert [line for line in lines if line.startswith("#EXT-X-MAP")] == [
        f'#EXT-X-MAP:URI="r/0/{video.name}-4/init{number}.mp4"' for number in ("", "1")
    ]
    assert video.keys is not None
    assert hls.key_frames(video, video.keys, "r/0").count("#EXT-X-MAP") == 2
    assert hls.media(audio_track, "r/0", 6).count("#EXT-X-MAP") == 1
    assert dash.manifest(Title((Source("", "r/0", index.presentation),))).count("<Period ") == 2
    for begin, count in ((0, 2), (2, 1)):
        bodies = list(FragmentFeed.of({"time": str(begin * 2)}, index).bodies(begin))
        opened = [body for body in bodies if len(body) == 1]
        assert len(opened) == count


@pytest.mark.thorough("large")
def test_a_part_that_is_omitted_has_a_reason(tmp_path: Path) -> None:
    """The frame before it stays for as long, and what follows keeps its time."""
    a = tmp_path / "a.mp4"
    first, other = video_track(a), video_track(tmp_path / "b.mp4", coded="-c:v mpeg4")
    film = splice(tmp_path / "film.mp4", track([first, other, first]))
    index = index_of(film)
    [video] = index.presentation.renditions
    assert [omission.reason for omission in index.presentation.omitted] == [
        "from 3.0 to 6.0 s: its video codec (mp4v) cannot be packaged in fragmented MP4"
    ]
    [data] = spans(film, index, video)
    [seen], [held] = decode(data, ["v:0"]), decode(a, ["v:0"])
    assert seen.hashes == held.hashes * 2
    assert seen.times == pytest.approx([begin + time for begin in (0, 6) for time in held.times], abs=0.001)


@pytest.mark.thorough("large")
def test_audio_of_another_codec_has_a_reason(tmp_path: Path) -> None:
    """A player of one codec may not support the other, and would be offered nothing."""
    clips = [tone(tmp_path / "a.mp4"), tone(tmp_path / "b.mp4", coded="-c:a ac3 -ac 2")]
    seen = video_track(tmp_path / "v.mp4")
    index = index_of(splice(tmp_path / "film.mp4", track([seen, seen]), track(clips, id_=2)))
    [audio_track] = index.presentation.audio
    assert (audio_track.codecs, audio_track.spans) == ("mp4a.40.2", ())
    [omission] = index.presentation.omitted
    assert (
        omission.reason
        == "from 3.0 to 6.0 s: its codec changes there (ac-3), and players support one codec per track"
    )


@pytest.mark.thorough("large")
def test_an_unsupported_coding_has_a_reason(tmp_path: Path) -> None:
    clips = [video_track(tmp_path / "a.mp4", coded="-c:v mpeg4"), video_track(tmp_path / "b.mp4")]
    film = splice(tmp_path / "film.mp4", track(clips))
    with pytest.raises(Unpackageable, match=r"its video codec \(mp4v\) cannot be packaged in fragmented MP4"):
        index_of(film)
